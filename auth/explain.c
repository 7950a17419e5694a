#include "auth/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/given.h"
#include "auth/mistakes.h"
#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"

enum { TEXT_GROWTH = 4096 }; /* what wrong variants may add to a text */

const char *sky_mistake_name(enum sky_mistake mistake)
{
    SKY_ASSERT(mistake < SKY_MISTAKES);
    return sky_mistake_rows[mistake].name;
}

/* ---- trying ---- */

typedef struct sky_variant *sky_choice[SKY_FACETS];

struct search {
    struct sky_workshop *shop;
    struct sky_given given;
    char altered[SKY_GIVEN_FORM_MAX]; /* which digits are not the right ones; "": none */
    struct sky_buf text;              /* scratch */
    bool masked;                      /* values of fields that should be secrets are not written */
    size_t digests, blocks;           /* computed so far */
    bool spent;                       /* no more may be */
    sky_choice choice;                /* the one being tried; after success the one that matches */
};

/* A secret that was sent as a parameter would be shown with the text that it became part of. */
static bool is_secret(const struct sky_pair *field)
{
    const sky_span word = SKY_SPAN("secret");
    return field->key.len >= word.len &&
           sky_span_eq_nocase(sky_span_tail(field->key, field->key.len - word.len), word);
}

static void write_field(struct sky_buf *out, const struct sky_style *style,
                        const struct sky_pair *field, bool first, bool masked)
{
    if (!first)
        sky_buf_add(out, sky_span_str(style->between));
    if (!style->values_only) {
        sky_buf_add(out, field->key);
        sky_buf_add(out, sky_span_str(style->equals));
    }
    if (masked && is_secret(field))
        sky_buf_addf(out, "{%.*s}", SKY_SPAN_ARGS(field->key));
    else
        sky_buf_add(out, field->value);
}

/* The text that the choice makes, without any secret. An order is a permutation of the due
 * fields; with fewer fields what is missing is passed over, with more they keep their place. */
static bool write_text(struct search *search)
{
    const struct sky_variant *fields = search->choice[SKY_FACET_FIELDS];
    const struct sky_style *style = &search->choice[SKY_FACET_STYLE]->text.style;
    const uint8_t *order = search->choice[SKY_FACET_ORDER]->order;
    size_t count = fields->fields.count, due_count = search->shop->suspicion->due.field_count;
    bool first = true;
    sky_buf_clear(&search->text);
    for (size_t i = 0; i < count || i < due_count; i++) {
        size_t at = order != NULL && i < due_count ? order[i] : i;
        if (at >= count)
            continue;
        write_field(&search->text, style, &fields->fields.list[at], first, search->masked);
        first = false;
    }
    sky_escape_fn *escape = search->choice[SKY_FACET_STYLE]->text.escape;
    if (escape != NULL) {
        struct sky_buf plain = search->text;
        sky_buf_init(&search->text, plain.max);
        escape(sky_buf_span(&plain), &search->text);
        sky_buf_done(&plain);
    }
    sky_buf_add(&search->text, search->choice[SKY_FACET_STYLE]->text.tail);
    return !search->text.overflow;
}

/* Digests work in blocks of 64 bytes, and that is what a search costs: one for the text's end and
 * its padding, in an HMAC one for the outer digest, and two more for each key, kept. */
static bool may_digest(struct search *search, size_t len, bool new_key)
{
    enum { BLOCK = 64, PADDING = 9 };
    size_t cost = (len + PADDING) / BLOCK + 2 + 2 * new_key;
    search->spent = cost > SKY_EXPLAIN_BLOCKS_MAX - search->blocks;
    if (search->spent)
        return false;
    search->blocks += cost;
    search->digests++;
    return true;
}

static const struct sky_hmac_key *kept_key(struct search *search)
{
    struct sky_variant *secret = search->choice[SKY_FACET_SECRET];
    if (secret->secret.kept == NULL) {
        secret->secret.kept = sky_arena_take(&search->shop->arena, sizeof *secret->secret.kept);
        sky_hmac_key_init(secret->secret.kept, search->given.digest, secret->secret.key);
    }
    return secret->secret.kept;
}

static bool make_digest(struct search *search, uint8_t *out)
{
    enum sky_way way = search->choice[SKY_FACET_KEYING]->way;
    enum sky_digest digest = search->given.digest;
    sky_span text = sky_buf_span(&search->text), key = search->choice[SKY_FACET_SECRET]->secret.key;
    const sky_span behind[] = {text, key}, front[] = {key, text};
    bool keyed = way == SKY_WAY_HMAC || way == SKY_WAY_TWICE;
    bool new_key =
        (keyed && search->choice[SKY_FACET_SECRET]->secret.kept == NULL) || way == SKY_WAY_SWAPPED;
    if (!may_digest(search, text.len + key.len, new_key))
        return false;
    switch (way) {
    case SKY_WAY_HMAC:
        sky_hmac_key_use(kept_key(search), &text, 1, out);
        break;
    case SKY_WAY_APPEND:
        sky_digest_hash(digest, behind, 2, out);
        break;
    case SKY_WAY_PREPEND:
        sky_digest_hash(digest, front, 2, out);
        break;
    case SKY_WAY_SWAPPED:
        sky_digest_hmac(digest, text, &key, 1, out);
        break;
    case SKY_WAY_TWICE:
        sky_hmac_key_use(kept_key(search), behind, 2, out);
        break;
    case SKY_WAY_BARE:
        sky_digest_hash(digest, &text, 1, out);
        break;
    }
    return true;
}

static bool is_match(struct search *search)
{
    uint8_t made[SKY_DIGEST_MAX];
    return !search->spent && write_text(search) && make_digest(search, made) &&
           sky_digest_eq(sky_span_of(made, search->given.len),
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
            if (search->choice[a]->rank + search->choice[b]->rank <= SKY_REMOTE && is_match(search))
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
    search->masked = true;
    bool written = write_text(search);
    search->masked = false;
    if (!written)
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
    static const char *const decoded[SKY_KEY_FORMS] = {[SKY_KEY_TEXT] = "",
                                                       [SKY_KEY_BASE64] = " decoded from base64",
                                                       [SKY_KEY_HEX] = " decoded from hexadecimal"};
    const char *title = digest_titles[suspicion->due.digest];
    if (suspicion->due.keying == SKY_HMAC)
        append(out, size, "HMAC with %s, keyed with the %s%s", title, secret_word(suspicion),
               decoded[suspicion->due.key_form]);
    else
        append(out, size, "plain %s of the text, the %s%s being the end of it", title,
               secret_word(suspicion), decoded[suspicion->due.key_form]);
}

/* ---- what was found ---- */

struct finding {
    enum sky_mistake mistake;
    sky_span note, did;
};

enum {
    SLIPS_MAX = 2,                /* mistakes at once that are searched for */
    FINDINGS_MAX = SLIPS_MAX + 3, /* and those that no search is needed for */
};

struct findings {
    struct finding list[FINDINGS_MAX];
    size_t count;
    char digest_note[96];
};

static void add_finding(struct findings *findings, enum sky_mistake mistake, sky_span note)
{
    SKY_ASSERT(findings->count < FINDINGS_MAX);
    findings->list[findings->count++] = (struct finding){.mistake = mistake, .note = note};
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
    const struct sky_suspicion *suspicion = search->shop->suspicion;
    *findings = (struct findings){.count = 0};
    if (suspicion->plain != SKY_MISTAKE_NONE) {
        add_finding(findings, suspicion->plain, SKY_SPAN_NONE);
        findings->list[0].did = suspicion->plain_did;
    }
    for (int facet = 0; facet < SKY_FACETS; facet++) {
        const struct sky_variant *choice = search->choice[facet];
        if (choice->mistake == SKY_MISTAKE_NONE)
            continue;
        add_finding(findings, choice->mistake, choice->note);
        findings->list[findings->count - 1].did = choice->did;
    }
    if (is_other_digest(search)) {
        note_digest(search, findings->digest_note, sizeof findings->digest_note);
        add_finding(findings, SKY_MISTAKE_OTHER_DIGEST, sky_span_str(findings->digest_note));
    }
    if (search->given.form[0] != '\0')
        add_finding(findings, SKY_MISTAKE_DIGEST_FORM, sky_span_str(search->given.form));
    if (search->altered[0] != '\0')
        add_finding(findings, SKY_MISTAKE_DIGEST_ALTERED, sky_span_str(search->altered));
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
        append(out->what, sizeof out->what, "%s", i > 0 ? ", and " : "");
        if (finding->did.len > 0)
            append(out->what, sizeof out->what, "%.*s", SKY_SPAN_ARGS(finding->did));
        else
            append(out->what, sizeof out->what, "%s", row->did);
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
    copy_clipped(out->sent_text, sizeof out->sent_text, sky_buf_span(&search->text));
    append(out->what, sizeof out->what, " It signed ");
    append_quoted(out->what, sizeof out->what, sky_buf_span(&search->text));
}

/* Why the signature cannot be compared at all. */
static void tell_unreadable(const struct sky_suspicion *suspicion, struct sky_explanation *out)
{
    sky_span given = suspicion->given;
    enum sky_encoding encoding = suspicion->due.encoding;
    size_t bad = 0;
    while (bad < given.len && sky_hex_digit(given.ptr[bad]) >= 0)
        bad++;
    if (given.len == 0)
        append(out->what, sizeof out->what, "The signature is empty.");
    else if (encoding != SKY_HEX && encoding != SKY_HEX_UPPER)
        append(out->what, sizeof out->what,
               "The signature, %zu characters long, is no digest in %s.", given.len,
               sky_encoding_name(encoding));
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
    append(out->hint, sizeof out->hint, ", written in %s. The result begins with %s.",
           sky_encoding_name(suspicion->due.encoding), out->expected_prefix);
}

/* ---- no signature at all ---- */

/* As registered, or as it is easily written otherwise. */
static bool is_secret_itself(sky_span given, sky_span secret)
{
    char texts[3][2 * SKY_SECRET_MAX + 4];
    if (secret.len == 0 || secret.len > SKY_SECRET_MAX)
        return false;
    sky_hex_lower(secret, texts[0]);
    sky_hex_upper(secret, texts[1]);
    sky_base64_encode(secret, texts[2]);
    bool same = sky_digest_eq(given, secret);
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        same |= sky_digest_eq(given, sky_span_str(texts[i]));
    uint8_t room[SKY_SECRET_MAX];
    sky_span key;
    if (sky_sign_key(SKY_KEY_BASE64, secret, room, sizeof room, &key)) {
        sky_hex_lower(key, texts[0]);
        sky_hex_upper(key, texts[1]);
        same |= sky_digest_eq(given, key) || sky_digest_eq(given, sky_span_str(texts[0])) ||
                sky_digest_eq(given, sky_span_str(texts[1]));
    }
    sky_mem_wipe(texts, sizeof texts);
    sky_mem_wipe(room, sizeof room);
    return same;
}

/* Whose secret stands in the signature's place; NULL: nobody's. */
static const struct sky_secret *find_sent_secret(const struct sky_suspicion *suspicion)
{
    sky_span given = sky_span_trim(suspicion->given);
    char ends = given.len > 2 && given.ptr[0] == given.ptr[given.len - 1] ? given.ptr[0] : '\0';
    if (ends == '"' || ends == '\'')
        given = sky_span_of(given.ptr + 1, given.len - 2);
    for (size_t i = 0; i < suspicion->secret_count && given.len > 0; i++)
        if (is_secret_itself(given, suspicion->secrets[i].bytes))
            return &suspicion->secrets[i];
    return NULL;
}

static void tell_sent_secret(const struct sky_suspicion *suspicion, const struct sky_secret *secret,
                             struct sky_explanation *out)
{
    static const char *const whose[SKY_SECRET_ROLES] = {
        [SKY_SECRET_DEVICE] = "the device's secret",
        [SKY_SECRET_PRODUCT] = "the product's secret",
        [SKY_SECRET_OLD] = "a secret that was replaced since",
        [SKY_SECRET_OTHER] = "the secret of another device, "};
    out->mistake = SKY_MISTAKE_SECRET_SENT;
    append(out->what, sizeof out->what, "In place of a signature the device sent ");
    if (secret->role == SKY_SECRET_DUE)
        append(out->what, sizeof out->what, "the %s itself.", secret_word(suspicion));
    else
        append(out->what, sizeof out->what, "%s%.*s; it should sign with the %s.",
               whose[secret->role], SKY_SPAN_ARGS(secret->name), secret_word(suspicion));
    append(out->hint, sizeof out->hint, "%s", sky_mistake_rows[SKY_MISTAKE_SECRET_SENT].hint);
}

/* ---- the whole ---- */

static void explain_unmatched(struct search *search, sky_span due, struct sky_explanation *out)
{
    const struct sky_suspicion *suspicion = search->shop->suspicion;
    enum sky_encoding encoding = suspicion->due.encoding;
    sky_span bare = sky_span_trim(suspicion->given);
    choose_due(search);
    if (sky_given_is_spoilt(bare, &search->given, encoding, due, search->given.form) ||
        sky_given_is_altered(bare, encoding, due, search->altered)) {
        search->given.digest = suspicion->due.digest;
        tell_match(search, out);
        return;
    }
    if (suspicion->plain != SKY_MISTAKE_NONE) {
        search->given = (struct sky_given){.digest = suspicion->due.digest};
        tell_match(search, out);
        return;
    }
    if (suspicion->frame != NULL)
        append(out->what, sizeof out->what, "What was sent is not of the form %s. ",
               suspicion->frame);
    bool readable = search->given.len > 0 && !search->given.guessed;
    if (readable)
        tell_unmatched(search, out);
    else
        tell_unreadable(suspicion, out);
    hint_due(suspicion, out);
    if (readable)
        append(out->hint, sizeof out->hint,
               " Or the secret that signed is not the one of the fixture.");
}

static void explain_in(struct search *search, sky_span due, struct sky_explanation *out)
{
    const struct sky_suspicion *suspicion = search->shop->suspicion;
    char written[SKY_SIGNATURE_MAX + 1];
    enum sky_encoding encoding = suspicion->due.encoding;
    choose_due(search);
    write_shown(search);
    copy_clipped(out->signed_text, sizeof out->signed_text, sky_buf_span(&search->text));
    sky_encoding_write(encoding == SKY_HEX_UPPER ? SKY_HEX : encoding, due, written);
    snprintf(out->expected_prefix, sizeof out->expected_prefix, "%.8s", written);
    int slips = SLIPS_MAX - is_other_digest(search) - (search->given.form[0] != '\0') -
                (suspicion->plain != SKY_MISTAKE_NONE);
    const struct sky_secret *sent = find_sent_secret(suspicion);
    if (sent != NULL)
        tell_sent_secret(suspicion, sent, out);
    else if (search->given.len > 0 && find_match(search, slips))
        tell_match(search, out);
    else
        explain_unmatched(search, due, out);
}

static void tell_unsignable(const struct sky_suspicion *suspicion, struct sky_explanation *out)
{
    sky_span key;
    uint8_t room[SKY_SIGN_TEXT_MAX];
    if (sky_sign_key(suspicion->due.key_form, suspicion->secrets[0].bytes, room, sizeof room,
                     &key)) {
        append(out->what, sizeof out->what, "The text to be signed would be longer than %d bytes.",
               SKY_SIGN_TEXT_MAX);
        append(out->hint, sizeof out->hint, "Shorten the client id and the names in it.");
    } else {
        append(out->what, sizeof out->what,
               "The registered %s does not have the form that the key is made from.",
               secret_word(suspicion));
        append(out->hint, sizeof out->hint, "Correct it in the registry, and the device with it.");
    }
}

void sky_explain(const struct sky_suspicion *suspicion, struct sky_explanation *ret_explanation)
{
    uint8_t due[SKY_DIGEST_MAX];
    *ret_explanation = (struct sky_explanation){.mistake = SKY_MISTAKE_NONE};
    SKY_ASSERT(suspicion->secret_count > 0);
    size_t due_len = sky_sign(&suspicion->due, suspicion->secrets[0].bytes, due);
    if (due_len == 0) {
        tell_unsignable(suspicion, ret_explanation);
        return;
    }
    struct search search = {.altered = ""};
    sky_given_read(suspicion->given, suspicion->due.encoding, &search.given);
    search.shop = sky_mem_new(sizeof *search.shop);
    sky_workshop_init(search.shop, suspicion);
    sky_buf_init(&search.text, SKY_SIGN_TEXT_MAX + TEXT_GROWTH);
    explain_in(&search, sky_span_of(due, due_len), ret_explanation);
    ret_explanation->cost = search.blocks;
    sky_buf_done(&search.text);
    sky_workshop_done(search.shop);
    free(search.shop);
}

void sky_explain_plain(enum sky_mistake mistake, sky_span did,
                       struct sky_explanation *ret_explanation)
{
    struct findings findings = {.count = 0};
    *ret_explanation = (struct sky_explanation){.mistake = mistake};
    add_finding(&findings, mistake, SKY_SPAN_NONE);
    findings.list[0].did = did;
    tell_findings(&findings, ret_explanation);
}
