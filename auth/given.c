#include "auth/given.h"

#include <stdio.h>

#include "auth/text.h"
#include "protocol/base/mem.h"

enum {
    ALTERED_MAX = 2,    /* wrong digits in a digest that is still recognised */
    CUT_SHORT_MIN = 16, /* characters that a cut-off digest must still have to be recognised */
    UNDRESSED_MAX = 4 * SKY_SIGNATURE_MAX,
};

/* ---- reading ---- */

static bool is_digest_len(size_t len, enum sky_digest *ret_digest)
{
    for (int digest = 0; digest < SKY_DIGESTS; digest++)
        if (sky_digest_len((enum sky_digest)digest) == len) {
            *ret_digest = (enum sky_digest)digest;
            return true;
        }
    return false;
}

static bool read_as(enum sky_encoding encoding, sky_span text, struct sky_given *given)
{
    size_t len;
    enum sky_digest digest;
    if (!sky_encoding_read(encoding, text, given->bytes, sizeof given->bytes, &len) ||
        !is_digest_len(len, &digest))
        return false;
    given->len = len;
    given->digest = digest;
    return true;
}

/* In the due encoding, else in any; no text can be read in two. */
static bool read_any(sky_span text, enum sky_encoding due, struct sky_given *given)
{
    if (read_as(due, text, given))
        return true;
    for (int encoding = 0; encoding < SKY_ENCODINGS; encoding++)
        if (read_as((enum sky_encoding)encoding, text, given)) {
            snprintf(given->form, sizeof given->form, "%s instead of %s",
                     sky_encoding_name((enum sky_encoding)encoding), sky_encoding_name(due));
            return true;
        }
    return false;
}

/* Takes off what a digest should not wear; false when `text` does not wear it. `room` takes
 * UNDRESSED_MAX characters. */
typedef bool undress_fn(sky_span text, char *room, sky_span *ret_bare);

static bool undress_quotes(sky_span text, char *room, sky_span *ret_bare)
{
    (void)room;
    if (text.len < 2 || text.ptr[0] != text.ptr[text.len - 1] ||
        (text.ptr[0] != '"' && text.ptr[0] != '\'' && text.ptr[0] != '`'))
        return false;
    *ret_bare = sky_span_of(text.ptr + 1, text.len - 2);
    return true;
}

/* `(stdin)= ` and `SHA2-256(stdin)= ` of a command line tool, `sign=`, `hmac: `. Signs of equality
 * at the end are base64's own. */
static bool undress_front(sky_span text, char *room, sky_span *ret_bare)
{
    (void)room;
    for (size_t i = text.len; i-- > 0;)
        if ((text.ptr[i] == '=' || text.ptr[i] == ':' || text.ptr[i] == ' ') &&
            text.len - i > 2 * SKY_DIGEST_MAX / 3) {
            *ret_bare = sky_span_trim(sky_span_tail(text, i + 1));
            return true;
        }
    return false;
}

/* `  -` and a file's name, as sha256sum prints it. */
static bool undress_back(sky_span text, char *room, sky_span *ret_bare)
{
    (void)room;
    sky_span rest;
    return sky_span_cut(text, ' ', ret_bare, &rest) || sky_span_cut(text, ';', ret_bare, &rest) ||
           sky_span_cut(text, '&', ret_bare, &rest);
}

static bool undress_twice(sky_span text, char *room, sky_span *ret_bare)
{
    (void)room;
    sky_span half = sky_span_head(text, text.len / 2);
    *ret_bare = half;
    return text.len > 0 && sky_span_eq_nocase(half, sky_span_tail(text, half.len));
}

/* aa:bb:cc, aa bb cc, 0xaabbcc, 0xaa,0xbb, \xaa\xbb: the hexadecimal digits alone. */
static bool undress_between(sky_span text, char *room, sky_span *ret_bare)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool radix = i + 1 < text.len && (text.ptr[i] == '0' || text.ptr[i] == '\\') &&
                     (text.ptr[i + 1] == 'x' || text.ptr[i + 1] == 'X');
        i += radix;
        if (radix || (text.ptr[i] != '\0' && strchr(":- ,\n\\", text.ptr[i]) != NULL))
            continue;
        if (len == 2 * SKY_DIGEST_MAX)
            return false;
        room[len++] = text.ptr[i];
    }
    *ret_bare = sky_span_of(room, len);
    return len < text.len;
}

static bool undress_hex_of_hex(sky_span text, char *room, sky_span *ret_bare)
{
    size_t len;
    if (!sky_hex_decode(text, (uint8_t *)room, UNDRESSED_MAX, &len))
        return false;
    *ret_bare = sky_span_of(room, len);
    return true;
}

/* The alphabet for URLs (RFC 4648 §5), a '+' that a form turned into a blank, padding left off. */
static bool undress_base64(sky_span text, char *room, sky_span *ret_bare)
{
    size_t len = 0;
    if (text.len + 2 > UNDRESSED_MAX)
        return false;
    for (; len < text.len; len++) {
        char c = text.ptr[len];
        room[len] = c == '-' || c == ' ' ? '+' : c == '_' ? '/' : c;
    }
    while (len % 4 != 0)
        room[len++] = '=';
    *ret_bare = sky_span_of(room, len);
    return !sky_span_eq(*ret_bare, text);
}

/* JSON's and a shell's escapes in front of what needs none. */
static bool undress_escapes(sky_span text, char *room, sky_span *ret_bare)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < UNDRESSED_MAX; i++)
        if (text.ptr[i] != '\\')
            room[len++] = text.ptr[i];
    *ret_bare = sky_span_of(room, len);
    return len < text.len;
}

static const struct {
    undress_fn *undress;
    const char *what;
} dresses[] = {
    {undress_quotes, "quotation marks around it"},
    {undress_twice, "written twice, one behind the other"},
    {undress_between, "something between or before the digits"},
    {undress_front, "something in front of it"},
    {undress_back, "something behind it"},
    {undress_hex_of_hex, "hexadecimal of its hexadecimal text"},
    {undress_base64,
     "base64 in the alphabet for URLs, with blanks for '+', or without its padding"},
    {undress_escapes, "backslashes in it"},
};

void sky_given_read(sky_span text, enum sky_encoding due, struct sky_given *ret_given)
{
    char room[UNDRESSED_MAX];
    sky_span bare = sky_span_trim(text), naked;
    *ret_given = (struct sky_given){.len = 0};
    if (read_any(bare, due, ret_given)) {
        if (bare.len != text.len && ret_given->form[0] == '\0')
            snprintf(ret_given->form, sizeof ret_given->form, "blanks or a line break around it");
        return;
    }
    for (size_t i = 0; i < SKY_COUNT(dresses) && bare.len <= UNDRESSED_MAX; i++)
        if (dresses[i].undress(bare, room, &naked) && read_any(naked, due, ret_given)) {
            snprintf(ret_given->form, sizeof ret_given->form, "%s", dresses[i].what);
            return;
        }
    if (!is_digest_len(text.len, &ret_given->digest))
        return;
    memcpy(ret_given->bytes, text.ptr, text.len);
    ret_given->len = text.len;
    ret_given->guessed = true;
    snprintf(ret_given->form, sizeof ret_given->form, "the bytes themselves instead of %s",
             sky_encoding_name(due));
}

/* ---- the right digest, spoilt ---- */

static bool is_hex(enum sky_encoding encoding)
{
    return encoding == SKY_HEX || encoding == SKY_HEX_UPPER;
}

static bool eq(sky_span a, sky_span b, bool nocase)
{
    return nocase ? sky_span_eq_nocase(a, b) : sky_span_eq(a, b);
}

static bool is_cut(sky_span text, sky_span due, bool nocase, char *form)
{
    if (text.len < CUT_SHORT_MIN || text.len >= due.len)
        return false;
    size_t lost = due.len - text.len, zeros = 0;
    while (zeros < lost && due.ptr[zeros] == '0')
        zeros++;
    if (eq(text, sky_span_head(due, text.len), nocase))
        snprintf(form, SKY_GIVEN_FORM_MAX,
                 "cut off at %zu characters of %zu: a buffer or a field has no room for all",
                 text.len, due.len);
    else if (!eq(text, sky_span_tail(due, lost), nocase))
        return false;
    else if (zeros == lost)
        snprintf(form, SKY_GIVEN_FORM_MAX, "leading zeros lost: it was printed as a number");
    else
        snprintf(form, SKY_GIVEN_FORM_MAX, "the first %zu characters of %zu are missing", lost,
                 due.len);
    return true;
}

static const struct {
    int digits; /* the least that a byte takes */
    bool sign_extended;
    const char *what;
} prints[] = {
    {1, false, "bytes below 0x10 have one digit: %x was used where %02x is due"},
    {2, true, "bytes above 0x7f came out as ffffffXX: char was printed, not uint8_t"},
    {1, true, "char was printed with %x: bytes need uint8_t and %02x"},
};

static bool is_printed(sky_span text, sky_span due, char *form)
{
    char hex[8 * SKY_DIGEST_MAX + 1];
    for (size_t i = 0; i < SKY_COUNT(prints); i++) {
        size_t len = 0;
        for (size_t j = 0; j < due.len; j++) {
            int byte = prints[i].sign_extended ? (int8_t)due.ptr[j] : (uint8_t)due.ptr[j];
            len += (size_t)snprintf(hex + len, sizeof hex - len, "%0*x", prints[i].digits,
                                    (unsigned)byte);
        }
        if (sky_span_eq_nocase(text, sky_span_of(hex, len))) {
            snprintf(form, SKY_GIVEN_FORM_MAX, "%s", prints[i].what);
            return true;
        }
    }
    return false;
}

static const struct {
    size_t unit; /* bytes that change places within; 0: the two digits of each byte */
    bool order;  /* the units themselves are in reverse order, each as it is */
    const char *what;
} swaps[] = {
    {0, false, "the two digits of each byte in each other's place"},
    {4, false, "the bytes of each 32-bit word in reverse order"},
    {2, false, "the bytes of each pair in reverse order"},
    {8, false, "the bytes of each 64-bit word in reverse order"},
    {SKY_DIGEST_MAX, false, "the bytes in reverse order"},
    {4, true, "its 32-bit words in reverse order"},
    {8, true, "its 64-bit words in reverse order"},
    {SKY_DIGEST_MAX / 2, true, "its halves in each other's place"},
};

static bool is_swapped(const struct sky_given *given, sky_span due, char *form)
{
    if (given->len != due.len)
        return false;
    for (size_t i = 0; i < SKY_COUNT(swaps); i++) {
        char turned[SKY_DIGEST_MAX];
        size_t unit = swaps[i].unit < due.len ? swaps[i].unit : due.len;
        if (swaps[i].unit == SKY_DIGEST_MAX / 2 && swaps[i].order)
            unit = due.len / 2;
        for (size_t j = 0; j < due.len; j++) {
            uint8_t byte = (uint8_t)due.ptr[j];
            size_t at = j;
            if (unit == 0)
                byte = (uint8_t)(byte << 4 | byte >> 4);
            else if (swaps[i].order)
                at = due.len - unit - j / unit * unit + j % unit;
            else
                at = j / unit * unit + (unit - 1 - j % unit);
            if (at < due.len)
                turned[at] = (char)byte;
        }
        if (due.len % (unit > 0 ? unit : 1) == 0 && memcmp(turned, given->bytes, due.len) == 0) {
            snprintf(form, SKY_GIVEN_FORM_MAX, "%s", swaps[i].what);
            return true;
        }
    }
    return false;
}

bool sky_given_is_spoilt(sky_span text, const struct sky_given *given, enum sky_encoding encoding,
                         sky_span due, char form[static SKY_GIVEN_FORM_MAX])
{
    char whole[SKY_SIGNATURE_MAX + 1];
    sky_encoding_write(encoding, due, whole);
    return is_cut(text, sky_span_str(whole), is_hex(encoding), form) ||
           is_swapped(given, due, form) || is_printed(text, due, form);
}

bool sky_given_is_altered(sky_span text, enum sky_encoding encoding, sky_span due,
                          char note[static SKY_GIVEN_FORM_MAX])
{
    char whole[SKY_SIGNATURE_MAX + 1];
    size_t places[ALTERED_MAX], count = 0;
    sky_encoding_write(encoding, due, whole);
    if (text.len != strlen(whole))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (eq(sky_span_of(text.ptr + i, 1), sky_span_of(whole + i, 1), is_hex(encoding)))
            continue;
        if (count == ALTERED_MAX)
            return false;
        places[count++] = i + 1;
    }
    const char *digits = is_hex(encoding) ? "digit" : "character";
    if (count == 1)
        snprintf(note, SKY_GIVEN_FORM_MAX, "%s %zu of %zu is not the right one", digits, places[0],
                 text.len);
    else if (count == 2)
        snprintf(note, SKY_GIVEN_FORM_MAX, "%ss %zu and %zu of %zu are not the right ones", digits,
                 places[0], places[1], text.len);
    return count > 0;
}
