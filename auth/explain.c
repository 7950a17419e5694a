#include "auth/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/mistakes.h"
#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"

enum {
    ALTERED_MAX = 2,    /* wrong digits in a digest that is still recognised */
    CUT_SHORT_MIN = 16, /* hex digits that a cut-off digest must still have to be recognised */
    PREFIX_BYTES = 4,   /* of the expected digest, shown */
    TEXT_GROWTH = 4096, /* what wrong variants may add to a text */
};

/* ---- the digest as it came ---- */

struct given {
    uint8_t bytes[SKY_DIGEST_MAX];
    size_t len; /* 0: unreadable */
    enum sky_digest digest;
    const char *form; /* what is wrong with how it was written; NULL: nothing */
    char altered[64]; /* which digits are not the right ones; "": not that mistake */
};

static bool is_digest_len(size_t len, enum sky_digest *ret_digest)
{
    for (int digest = 0; digest < SKY_DIGESTS; digest++)
        if (sky_digest_len((enum sky_digest)digest) == len) {
            *ret_digest = (enum sky_digest)digest;
            return true;
        }
    return false;
}

static bool read_hex(sky_span text, struct given *given)
{
    size_t len;
    enum sky_digest digest;
    if (!sky_hex_decode(text, given->bytes, sizeof given->bytes, &len) ||
        !is_digest_len(len, &digest))
        return false;
    given->len = len;
    given->digest = digest;
    return true;
}

/* aa:bb:cc, aa bb cc, 0xaabbcc: the hexadecimal digits alone. */
static bool read_decorated_hex(sky_span text, struct given *given)
{
    char digits[SKY_DIGEST_HEX_MAX];
    size_t len = 0;
    if (sky_span_starts(text, SKY_SPAN("0x")) || sky_span_starts(text, SKY_SPAN("0X")))
        text = sky_span_tail(text, 2);
    for (size_t i = 0; i < text.len; i++) {
        if (strchr(":- ,", text.ptr[i]) != NULL && text.ptr[i] != '\0')
            continue;
        if (len == sizeof digits)
            return false;
        digits[len++] = text.ptr[i];
    }
    return read_hex(sky_span_of(digits, len), given);
}

static bool read_base64(sky_span text, struct given *given)
{
    uint8_t bytes[SKY_DIGEST_HEX_MAX];
    size_t len;
    enum sky_digest digest;
    if (!sky_base64_decode(text, bytes, sizeof bytes, &len))
        return false;
    if (read_hex(sky_span_of(bytes, len), given))
        return true;
    if (!is_digest_len(len, &digest))
        return false;
    memcpy(given->bytes, bytes, len);
    given->len = len;
    given->digest = digest;
    return true;
}

static struct given read_given(sky_span text)
{
    struct given given = {.len = 0};
    sky_span bare = sky_span_trim(text);
    if (read_hex(bare, &given)) {
        if (bare.len != text.len)
            given.form = "blanks or a line break around the digits";
    } else if (read_base64(bare, &given)) {
        given.form = "base64 instead of hexadecimal";
    } else if (read_decorated_hex(bare, &given)) {
        given.form = "something between or before the digits";
    }
    return given;
}

/* ---- trying ---- */

typedef const struct sky_variant *sky_choice[SKY_FACETS];

struct search {
    struct sky_workshop *shop;
    struct given given;
    struct sky_buf text; /* scratch */
    size_t digests;      /* computed so far */
    sky_choice choice;   /* the one being tried; after success the one that matches */
};

static void write_field(struct sky_buf *out, const struct sky_style *style,
                        const struct sky_pair *field, bool first)
{
    if (!first)
        sky_buf_add_str(out, style->between);
    if (style->names) {
        sky_buf_add(out, field->key);
        sky_buf_add_str(out, style->equals);
    }
    sky_buf_add(out, field->value);
}

/* The text that the choice makes, without any secret. An order is a permutation of the due
 * fields; with fewer fields what is missing is passed over, with more they keep their place. */
static bool write_text(struct search *search)
{
    const struct sky_variant *fields = search->choice[SKY_FACET_FIELDS];
    const struct sky_style *style = &search->choice[SKY_FACET_STYLE]->style;
    const uint8_t *order = search->choice[SKY_FACET_ORDER]->order;
    size_t count = fields->fields.count, due_count = search->shop->suspicion->due.field_count;
    bool first = true;
    sky_buf_clear(&search->text);
    if (count == 0)
        sky_buf_add(&search->text, fields->fields.text);
    for (size_t i = 0; i < count || i < due_count; i++) {
        size_t at = order != NULL && i < due_count ? order[i] : i;
        if (at >= count)
            continue;
        write_field(&search->text, style, &fields->fields.list[at], first);
        first = false;
    }
    sky_buf_add(&search->text, style->tail);
    return !search->text.overflow;
}

static void make_digest(enum sky_way way, enum sky_digest digest, sky_span text, sky_span secret,
                        uint8_t *out)
{
    const sky_span behind[] = {text, secret}, front[] = {secret, text};
    switch (way) {
    case SKY_WAY_HMAC:
        sky_digest_hmac(digest, secret, &text, 1, out);
        break;
    case SKY_WAY_APPEND:
        sky_digest_hash(digest, behind, 2, out);
        break;
    case SKY_WAY_PREPEND:
        sky_digest_hash(digest, front, 2, out);
        break;
    case SKY_WAY_SWAPPED:
        sky_digest_hmac(digest, text, &secret, 1, out);
        break;
    case SKY_WAY_TWICE:
        sky_digest_hmac(digest, secret, behind, 2, out);
        break;
    case SKY_WAY_BARE:
        sky_digest_hash(digest, &text, 1, out);
        break;
    }
}

static bool is_match(struct search *search)
{
    uint8_t made[SKY_DIGEST_MAX];
    if (search->digests == SKY_EXPLAIN_DIGESTS_MAX || !write_text(search))
        return false;
    search->digests++;
    make_digest(search->choice[SKY_FACET_KEYING]->way, search->given.digest,
                sky_buf_span(&search->text), search->choice[SKY_FACET_SECRET]->secret, made);
    return sky_digest_eq(sky_span_of(made, search->given.len),
                         sky_span_of(search->given.bytes, search->given.len));
}

static void choose_due(struct search *search)
{
    for (int facet = 0; facet < SKY_FACETS; facet++)
        search->choice[facet] = &search->shop->list[facet][0];
}

static bool try_single(struct search *search, enum sky_facet facet)
{
    choose_due(search);
    for (size_t i = 1; i < search->shop->count[facet]; i++) {
        search->choice[facet] = &search->shop->list[facet][i];
        if (is_match(search))
            return true;
    }
    return false;
}

static bool try_pair(struct search *search, enum sky_facet a, enum sky_facet b)
{
    choose_due(search);
    for (size_t i = 1; i < search->shop->count[a]; i++) {
        search->choice[a] = &search->shop->list[a][i];
        for (size_t j = 1; j < search->shop->count[b]; j++) {
            search->choice[b] = &search->shop->list[b][j];
            if ((!search->choice[a]->remote || !search->choice[b]->remote) && is_match(search))
                return true;
        }
    }
    return false;
}

/* In the order of likelihood, so that the limit on digests cuts off the least likely. */
static const enum sky_facet singles[] = {SKY_FACET_FIELDS, SKY_FACET_STYLE, SKY_FACET_KEYING,
                                         SKY_FACET_ORDER, SKY_FACET_SECRET};
static const enum sky_facet pairs[][2] = {
    {SKY_FACET_KEYING, SKY_FACET_STYLE}, {SKY_FACET_KEYING, SKY_FACET_FIELDS},
    {SKY_FACET_KEYING, SKY_FACET_ORDER}, {SKY_FACET_KEYING, SKY_FACET_SECRET},
    {SKY_FACET_FIELDS, SKY_FACET_STYLE}, {SKY_FACET_STYLE, SKY_FACET_ORDER},
    {SKY_FACET_STYLE, SKY_FACET_SECRET}, {SKY_FACET_FIELDS, SKY_FACET_ORDER},
    {SKY_FACET_ORDER, SKY_FACET_SECRET}, {SKY_FACET_FIELDS, SKY_FACET_SECRET},
};

/* Up to `slips` mistakes at once, fewest first. */
static bool find_match(struct search *search, int slips)
{
    choose_due(search);
    if (is_match(search))
        return true;
    if (slips >= 1)
        for (size_t i = 0; i < SKY_COUNT(singles); i++)
            if (try_single(search, singles[i]))
                return true;
    if (slips >= 2)
        for (size_t i = 0; i < SKY_COUNT(pairs); i++)
            if (try_pair(search, pairs[i][0], pairs[i][1]))
                return true;
    return false;
}

/* ---- the right digest, written wrongly ---- */

struct spoilt {
    int digits; /* the least that a byte takes */
    bool sign_extended;
    const char *what;
};

static const struct spoilt spoilt_forms[] = {
    {1, false, "bytes below 0x10 have one digit: %x was used where %02x is due"},
    {2, true, "bytes above 0x7f came out as ffffffXX: char was printed, not uint8_t"},
    {1, true, "char was printed with %x: bytes need uint8_t and %02x"},
};

/* What is wrong with the writing of `due` in `text`; NULL when that is not the mistake. */
static const char *spoilt_form(sky_span text, sky_span due)
{
    char hex[8 * SKY_DIGEST_MAX + 1];
    sky_hex_lower(due, hex);
    if (text.len >= CUT_SHORT_MIN && text.len < 2 * due.len &&
        sky_span_eq_nocase(text, sky_span_of(hex, text.len)))
        return "cut short: the buffer has no room for all digits and the closing NUL";
    for (size_t i = 0; i < SKY_COUNT(spoilt_forms); i++) {
        const struct spoilt *form = &spoilt_forms[i];
        size_t len = 0;
        for (size_t j = 0; j < due.len; j++) {
            int byte = form->sign_extended ? (int8_t)due.ptr[j] : (uint8_t)due.ptr[j];
            len +=
                (size_t)snprintf(hex + len, sizeof hex - len, "%0*x", form->digits, (unsigned)byte);
        }
        if (sky_span_eq_nocase(text, sky_span_of(hex, len)))
            return form->what;
    }
    return NULL;
}

/* Says which digits of `text` are wrong when it is the right digest but for very few; more would be
 * another digest. */
static void find_altered(sky_span text, sky_span due, char *out, size_t size)
{
    char hex[2 * SKY_DIGEST_MAX + 1];
    size_t places[ALTERED_MAX], count = 0;
    out[0] = '\0';
    if (text.len != 2 * due.len)
        return;
    sky_hex_lower(due, hex);
    for (size_t i = 0; i < text.len; i++) {
        if (sky_span_eq_nocase(sky_span_of(text.ptr + i, 1), sky_span_of(hex + i, 1)))
            continue;
        if (count == ALTERED_MAX)
            return;
        places[count++] = i + 1;
    }
    if (count == 0)
        return;
    if (count == 1)
        snprintf(out, size, "digit %zu of %zu is not the right one", places[0], text.len);
    else
        snprintf(out, size, "digits %zu and %zu of %zu are not the right ones", places[0],
                 places[1], text.len);
}

/* ---- words ---- */

static const char *const digest_titles[SKY_DIGESTS] = {"MD5", "SHA-1", "SHA-256"};

static const char *secret_word(const struct sky_suspicion *suspicion)
{
    return suspicion->secret_word != NULL ? suspicion->secret_word : "secret";
}

SKY_PRINTF(3, 4) static void append(char *out, size_t size, const char *fmt, ...)
{
    size_t len = strlen(out);
    va_list args;
    va_start(args, fmt);
    vsnprintf(out + len, size - len, fmt, args);
    va_end(args);
}

/* Copies, and where that does not fit ends in "..." at a character's boundary. */
static void copy_clipped(char *out, size_t size, sky_span text)
{
    if (sky_span_copy(text, out, size))
        return;
    size_t len = size - sizeof "...";
    while (len > 0 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80)
        len--;
    memcpy(out, text.ptr, len);
    memcpy(out + len, "...", sizeof "...");
}

/* With control characters made visible, as much as fits. */
static void append_quoted(char *out, size_t size, sky_span text)
{
    struct sky_buf shown;
    sky_buf_init(&shown, SKY_SIGN_TEXT_MAX + TEXT_GROWTH);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        if (c == '\n')
            sky_buf_add_str(&shown, "\\n");
        else if (c == '\r')
            sky_buf_add_str(&shown, "\\r");
        else if (c < 0x20 || c == 0x7f)
            sky_buf_addf(&shown, "\\x%02x", c);
        else
            sky_buf_add_byte(&shown, c);
    }
    size_t used = strlen(out);
    enum { FRAME = 3, LEAST = 16 }; /* two quotation marks and NUL; less text tells nothing */
    if (size - used > FRAME + LEAST) {
        append(out, size, "\"");
        copy_clipped(out + used + 1, size - used - 2, sky_buf_span(&shown));
        append(out, size, "\"");
    }
    sky_buf_done(&shown);
}

/* The text that the present choice makes, with a placeholder where a secret is part of it. */
static void write_shown(struct search *search)
{
    const struct sky_variant *secret = search->choice[SKY_FACET_SECRET];
    enum sky_way way = search->choice[SKY_FACET_KEYING]->way;
    char placeholder[64];
    snprintf(placeholder, sizeof placeholder, "{%s}",
             secret->mistake == SKY_MISTAKE_NONE ? secret_word(search->shop->suspicion)
                                                 : "other secret");
    if (!write_text(search))
        return;
    size_t len = search->text.len;
    if (way == SKY_WAY_SWAPPED)
        sky_buf_clear(&search->text);
    if (way == SKY_WAY_APPEND || way == SKY_WAY_TWICE || way == SKY_WAY_SWAPPED)
        sky_buf_add_str(&search->text, placeholder);
    if (way == SKY_WAY_PREPEND && sky_buf_add_str(&search->text, placeholder)) {
        memmove(search->text.bytes + strlen(placeholder), search->text.bytes, len);
        memcpy(search->text.bytes, placeholder, strlen(placeholder));
    }
}

/* The right way, in half a sentence. */
static void append_due(char *out, size_t size, const struct sky_suspicion *suspicion)
{
    const char *title = digest_titles[suspicion->due.digest];
    if (suspicion->due.keying == SKY_HMAC)
        append(out, size, "HMAC with %s, keyed with the %s", title, secret_word(suspicion));
    else
        append(out, size, "plain %s of the text, the %s being the end of it", title,
               secret_word(suspicion));
}

/* ---- what was found ---- */

struct finding {
    enum sky_mistake mistake;
    sky_span note;
};

enum { FINDINGS_MAX = 2 };

struct findings {
    struct finding list[FINDINGS_MAX];
    size_t count;
    char digest_note[96];
};

static void add_finding(struct findings *findings, enum sky_mistake mistake, sky_span note)
{
    SKY_ASSERT(findings->count < FINDINGS_MAX);
    findings->list[findings->count++] = (struct finding){mistake, note};
}

static bool is_other_digest(const struct search *search)
{
    return search->given.digest != search->shop->suspicion->due.digest;
}

/* Is it another text, rather than the right one with another key or digest? */
static bool is_other_text(const struct search *search)
{
    return search->choice[SKY_FACET_FIELDS]->mistake != SKY_MISTAKE_NONE ||
           search->choice[SKY_FACET_ORDER]->mistake != SKY_MISTAKE_NONE ||
           search->choice[SKY_FACET_STYLE]->mistake != SKY_MISTAKE_NONE ||
           search->choice[SKY_FACET_KEYING]->mistake != SKY_MISTAKE_NONE;
}

static void note_digest(const struct search *search, char *out, size_t size)
{
    const struct sky_suspicion *suspicion = search->shop->suspicion;
    snprintf(out, size, "%s, while ", digest_titles[search->given.digest]);
    if (suspicion->method.len > 0)
        append(out, size, "the login says %.*s", SKY_SPAN_ARGS(suspicion->method));
    else
        append(out, size, "%s is due", digest_titles[suspicion->due.digest]);
}

static void collect(const struct search *search, struct findings *findings)
{
    *findings = (struct findings){.count = 0};
    for (int facet = 0; facet < SKY_FACETS; facet++)
        if (search->choice[facet]->mistake != SKY_MISTAKE_NONE)
            add_finding(findings, search->choice[facet]->mistake, search->choice[facet]->note);
    if (is_other_digest(search)) {
        note_digest(search, findings->digest_note, sizeof findings->digest_note);
        add_finding(findings, SKY_MISTAKE_OTHER_DIGEST, sky_span_str(findings->digest_note));
    }
    if (search->given.form != NULL)
        add_finding(findings, SKY_MISTAKE_DIGEST_FORM, sky_span_str(search->given.form));
    if (search->given.altered[0] != '\0')
        add_finding(findings, SKY_MISTAKE_DIGEST_ALTERED, sky_span_str(search->given.altered));
}

static void tell_findings(const struct findings *findings, struct sky_explanation *out)
{
    if (findings->count == 0) {
        append(out->what, sizeof out->what, "The signature is right.");
        return;
    }
    append(out->what, sizeof out->what, "The device ");
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        const struct sky_mistake_row *row = &sky_mistake_rows[finding->mistake];
        append(out->what, sizeof out->what, "%s%s", i > 0 ? ", and " : "", row->did);
        if (finding->note.len > 0)
            append(out->what, sizeof out->what, " (%.*s)", SKY_SPAN_ARGS(finding->note));
        append(out->hint, sizeof out->hint, "%s%s", i > 0 ? " " : "", row->hint);
    }
    append(out->what, sizeof out->what, ".");
    out->mistake = findings->list[0].mistake;
    out->second = findings->count > 1 ? findings->list[1].mistake : SKY_MISTAKE_NONE;
}

static void tell_match(struct search *search, struct sky_explanation *out)
{
    struct findings findings;
    collect(search, &findings);
    tell_findings(&findings, out);
    if (!is_other_text(search))
        return;
    write_shown(search);
    append(out->what, sizeof out->what, " It signed ");
    append_quoted(out->what, sizeof out->what, sky_buf_span(&search->text));
}

/* Why the signature cannot be compared at all. */
static void tell_unreadable(sky_span given, struct sky_explanation *out)
{
    size_t bad = 0;
    while (bad < given.len && sky_hex_digit(given.ptr[bad]) >= 0)
        bad++;
    if (given.len == 0)
        append(out->what, sizeof out->what, "The signature is empty.");
    else if (bad < given.len)
        append(out->what, sizeof out->what,
               "The signature is not hexadecimal: character %zu of %zu is no digit.", bad + 1,
               given.len);
    else
        append(out->what, sizeof out->what,
               "%zu hexadecimal digits are no digest: an MD5 has 32, a SHA-1 40, a SHA-256 64.",
               given.len);
}

static void tell_unmatched(const struct search *search, struct sky_explanation *out)
{
    const struct sky_suspicion *suspicion = search->shop->suspicion;
    if (is_other_digest(search)) {
        char note[96];
        note_digest(search, note, sizeof note);
        append(out->what, sizeof out->what, "%zu hexadecimal digits are of %s%s; ",
               2 * search->given.len, search->given.digest == SKY_MD5 ? "an " : "a ", note);
    }
    append(out->what, sizeof out->what,
           "%so known mistake explains the signature: %zu combinations of text, keying and "
           "%zu secret%s were tried.",
           is_other_digest(search) ? "n" : "N", search->digests, suspicion->secret_count,
           suspicion->secret_count == 1 ? "" : "s");
}

static void hint_due(const struct sky_suspicion *suspicion, struct sky_explanation *out)
{
    append(out->hint, sizeof out->hint, "Sign exactly the text shown: ");
    append_due(out->hint, sizeof out->hint, suspicion);
    append(out->hint, sizeof out->hint, ". The result begins with %s.", out->expected_prefix);
}

/* ---- the whole ---- */

static void explain_unmatched(struct search *search, sky_span due, struct sky_explanation *out)
{
    sky_span given = search->shop->suspicion->given;
    search->given.form = spoilt_form(sky_span_trim(given), due);
    find_altered(sky_span_trim(given), due, search->given.altered, sizeof search->given.altered);
    choose_due(search);
    if (search->given.form != NULL || search->given.altered[0] != '\0') {
        search->given.digest = search->shop->suspicion->due.digest;
        tell_match(search, out);
        return;
    }
    if (search->given.len == 0)
        tell_unreadable(given, out);
    else
        tell_unmatched(search, out);
    hint_due(search->shop->suspicion, out);
}

static void explain_in(struct search *search, sky_span due, struct sky_explanation *out)
{
    choose_due(search);
    write_shown(search);
    copy_clipped(out->signed_text, sizeof out->signed_text, sky_buf_span(&search->text));
    sky_hex_lower(sky_span_head(due, PREFIX_BYTES), out->expected_prefix);
    int slips = FINDINGS_MAX - is_other_digest(search) - (search->given.form != NULL);
    if (search->given.len > 0 && find_match(search, slips))
        tell_match(search, out);
    else
        explain_unmatched(search, due, out);
}

void sky_explain(const struct sky_suspicion *suspicion, struct sky_explanation *ret_explanation)
{
    uint8_t due[SKY_DIGEST_MAX];
    *ret_explanation = (struct sky_explanation){.mistake = SKY_MISTAKE_NONE};
    SKY_ASSERT(suspicion->secret_count > 0);
    size_t due_len = sky_sign(&suspicion->due, suspicion->secrets[0].bytes, due);
    if (due_len == 0) {
        append(ret_explanation->what, sizeof ret_explanation->what,
               "The text to be signed would be longer than %d bytes.", SKY_SIGN_TEXT_MAX);
        append(ret_explanation->hint, sizeof ret_explanation->hint,
               "Shorten the client id and the names in it.");
        return;
    }
    struct search search = {.given = read_given(suspicion->given)};
    search.shop = sky_mem_new(sizeof *search.shop);
    sky_workshop_init(search.shop, suspicion);
    sky_buf_init(&search.text, SKY_SIGN_TEXT_MAX + TEXT_GROWTH);
    explain_in(&search, sky_span_of(due, due_len), ret_explanation);
    sky_buf_done(&search.text);
    sky_workshop_done(search.shop);
    free(search.shop);
}

/* ---- typing slips ---- */

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment). */
static size_t distance(sky_span a, sky_span b)
{
    size_t rows[3][SKY_KEY_MAX + 1];
    size_t *older = rows[0], *old = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        old[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = folded(a.ptr[i - 1]), y = folded(b.ptr[j - 1]);
            now[j] = least(least(old[j], now[j - 1]) + 1, old[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b.ptr[j - 2]) && folded(a.ptr[i - 2]) == y)
                now[j] = least(now[j], older[j - 2] + 1);
        }
        size_t *spare = older;
        older = old;
        old = now;
        now = spare;
    }
    return old[b.len];
}

bool sky_explain_similar(sky_span a, sky_span b)
{
    enum { SHORT_NAME = 4 };
    if (a.len > SKY_KEY_MAX || b.len > SKY_KEY_MAX || a.len == 0 || b.len == 0 || sky_span_eq(a, b))
        return false;
    return distance(a, b) <= (a.len <= SHORT_NAME || b.len <= SHORT_NAME ? 1 : 2);
}
