#include "auth/psk.h"

#include <stdio.h>

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"

void sky_psk_slice(enum sky_digest digest, sky_span secret, size_t from, size_t len, uint8_t *out)
{
    size_t whole_len = sky_digest_len(digest);
    SKY_ASSERT(from <= whole_len && len <= whole_len - from);
    uint8_t whole[SKY_DIGEST_MAX];
    sky_digest_hash(digest, &secret, 1, whole);
    memcpy(out, whole + from, len);
    sky_mem_wipe(whole, sizeof whole);
}

bool sky_psk_key(const struct sky_psk_recipe *recipe, sky_span secret, struct sky_psk *ret_key)
{
    size_t len = recipe->len > 0 ? recipe->len : secret.len;
    if (len > SKY_PSK_KEY_MAX)
        return false;
    *ret_key = (struct sky_psk){.len = len};
    if (recipe->len > 0)
        sky_psk_slice(recipe->digest, secret, recipe->from, recipe->len, ret_key->key);
    else if (secret.len > 0)
        memcpy(ret_key->key, secret.ptr, secret.len);
    return true;
}

/* What a wrong key is cut from. */
enum source {
    FROM_DIGEST,
    FROM_DIGEST_HEX,
    FROM_DIGEST_HEX_UPPER,
    FROM_SECRET,
    FROM_KEY_HEX,
    FROM_KEY_HEX_UPPER
};

/* Where the cut begins and how long it is, relative to what is due. */
enum cut { CUT_DUE, CUT_ONE_LATER, CUT_ONE_LONGER, CUT_FIRST, CUT_LAST, CUT_WHOLE };

struct slip {
    enum source source;
    enum cut cut;
    enum sky_mistake mistake;
    const char *what;
};

/* The ways to get a slice wrong, most likely first. A slice is documented by counted bytes ("9th
 * to 24th"), which invites counting from zero, and by digests that libraries hand out as text. */
static const struct slip slips[] = {
    {FROM_DIGEST, CUT_ONE_LATER, SKY_MISTAKE_PSK_SLICE,
     "bytes one further on, as if they were counted from 0 (they are counted from 1)"},
    {FROM_DIGEST, CUT_FIRST, SKY_MISTAKE_PSK_SLICE, "the first bytes of the digest"},
    {FROM_DIGEST, CUT_WHOLE, SKY_MISTAKE_PSK_SLICE, "the whole digest"},
    {FROM_SECRET, CUT_WHOLE, SKY_MISTAKE_PSK_SLICE, "the secret itself, not its digest"},
    {FROM_DIGEST, CUT_LAST, SKY_MISTAKE_PSK_SLICE, "the last bytes of the digest"},
    {FROM_DIGEST, CUT_ONE_LONGER, SKY_MISTAKE_PSK_SLICE, "one byte too many at the end"},
    {FROM_KEY_HEX, CUT_WHOLE, SKY_MISTAKE_PSK_TEXT, "the key's hexadecimal text, lower case"},
    {FROM_KEY_HEX_UPPER, CUT_WHOLE, SKY_MISTAKE_PSK_TEXT, "the key's hexadecimal text, upper case"},
    {FROM_DIGEST_HEX, CUT_DUE, SKY_MISTAKE_PSK_TEXT,
     "cut out of the digest's hexadecimal text, lower case"},
    {FROM_DIGEST_HEX_UPPER, CUT_DUE, SKY_MISTAKE_PSK_TEXT,
     "cut out of the digest's hexadecimal text, upper case"},
    {FROM_DIGEST_HEX, CUT_FIRST, SKY_MISTAKE_PSK_TEXT,
     "the first characters of the digest's hexadecimal text, lower case"},
    {FROM_DIGEST_HEX_UPPER, CUT_FIRST, SKY_MISTAKE_PSK_TEXT,
     "the first characters of the digest's hexadecimal text, upper case"},
    {FROM_DIGEST_HEX, CUT_WHOLE, SKY_MISTAKE_PSK_TEXT, "the digest's hexadecimal text, lower case"},
    {FROM_DIGEST_HEX_UPPER, CUT_WHOLE, SKY_MISTAKE_PSK_TEXT,
     "the digest's hexadecimal text, upper case"},
};

struct role_text {
    enum sky_mistake mistake;
    const char *what;
};

static const struct role_text roles[SKY_SECRET_ROLES] = {
    [SKY_SECRET_DEVICE] = {SKY_MISTAKE_DEVICE_SECRET, "the device's secret, not the product's"},
    [SKY_SECRET_PRODUCT] = {SKY_MISTAKE_PRODUCT_SECRET, "the product's secret, not the device's"},
    [SKY_SECRET_OLD] = {SKY_MISTAKE_OLD_SECRET, "a secret that an activation replaced"},
    [SKY_SECRET_OTHER] = {SKY_MISTAKE_OTHER_DEVICE, "the secret of another device"},
    [SKY_SECRET_UNDECODED] = {SKY_MISTAKE_KEY_NOT_DECODED, "the secret's base64 text, not decoded"},
    [SKY_SECRET_DECODED] = {SKY_MISTAKE_KEY_DECODED, "the secret decoded, not its text"},
};

/* The guesses so far. */
struct guesses {
    const struct sky_psk *due;
    struct sky_psk *list;
    size_t count, max;
};

static bool same_key(const struct sky_psk *a, const struct sky_psk *b)
{
    return sky_digest_eq(sky_span_of(a->key, a->len), sky_span_of(b->key, b->len));
}

/* A key that another mistake has led to already adds nothing. */
static void add(struct guesses *guesses, const struct sky_psk *guess)
{
    if (guesses->count == guesses->max || same_key(guess, guesses->due))
        return;
    for (size_t i = 0; i < guesses->count; i++)
        if (same_key(guess, &guesses->list[i]))
            return;
    guesses->list[guesses->count++] = *guess;
}

static void add_bytes(struct guesses *guesses, sky_span key, enum sky_mistake mistake,
                      const char *what)
{
    if (key.len == 0 || key.len > SKY_PSK_KEY_MAX)
        return;
    struct sky_psk guess = {.len = key.len, .mistake = mistake};
    memcpy(guess.key, key.ptr, key.len);
    snprintf(guess.what, sizeof guess.what, "%s", what);
    add(guesses, &guess);
}

static sky_span cut_out(sky_span whole, enum cut cut, const struct sky_psk_recipe *recipe)
{
    size_t from = 0, len = recipe->len;
    switch (cut) {
    case CUT_DUE:
        from = recipe->from;
        break;
    case CUT_ONE_LATER:
        from = recipe->from + 1;
        break;
    case CUT_ONE_LONGER:
        from = recipe->from;
        len++;
        break;
    case CUT_FIRST:
        break;
    case CUT_LAST:
        from = whole.len > len ? whole.len - len : 0;
        break;
    case CUT_WHOLE:
        len = whole.len;
        break;
    }
    if (from > whole.len || len > whole.len - from)
        return SKY_SPAN_NONE;
    return sky_span_of(whole.ptr + from, len);
}

static void add_slips(struct guesses *guesses, const struct sky_psk_recipe *recipe, sky_span secret)
{
    uint8_t digest[SKY_DIGEST_MAX];
    char hex[2][SKY_DIGEST_HEX_MAX + 1], key_hex[2][2 * SKY_PSK_KEY_MAX + 1];
    size_t len = recipe->len > 0 ? sky_digest_len(recipe->digest) : 0;
    if (len > 0)
        sky_digest_hash(recipe->digest, &secret, 1, digest);
    sky_span bytes = sky_span_of(digest, len);
    sky_span key = sky_span_of(guesses->due->key, guesses->due->len);
    sky_hex_lower(bytes, hex[0]);
    sky_hex_upper(bytes, hex[1]);
    sky_hex_lower(key, key_hex[0]);
    sky_hex_upper(key, key_hex[1]);
    const sky_span sources[] = {
        [FROM_DIGEST] = bytes,
        [FROM_DIGEST_HEX] = sky_span_str(hex[0]),
        [FROM_DIGEST_HEX_UPPER] = sky_span_str(hex[1]),
        [FROM_SECRET] = secret,
        [FROM_KEY_HEX] = sky_span_str(key_hex[0]),
        [FROM_KEY_HEX_UPPER] = sky_span_str(key_hex[1]),
    };
    for (size_t i = 0; i < SKY_COUNT(slips); i++)
        add_bytes(guesses, cut_out(sources[slips[i].source], slips[i].cut, recipe),
                  slips[i].mistake, slips[i].what);
    sky_mem_wipe(digest, sizeof digest);
    sky_mem_wipe(hex, sizeof hex);
    sky_mem_wipe(key_hex, sizeof key_hex);
}

/* Another digest in the due one's place, where it is long enough. */
static void add_digests(struct guesses *guesses, const struct sky_psk_recipe *recipe,
                        sky_span secret)
{
    for (int digest = 0; digest < SKY_DIGESTS; digest++) {
        struct sky_psk guess = {.mistake = SKY_MISTAKE_OTHER_DIGEST};
        size_t len = sky_digest_len((enum sky_digest)digest);
        if ((enum sky_digest)digest == recipe->digest || recipe->len == 0 || len < recipe->len)
            continue;
        bool fits = recipe->from <= len - recipe->len;
        guess.len = recipe->len;
        sky_psk_slice((enum sky_digest)digest, secret, fits ? recipe->from : 0, recipe->len,
                      guess.key);
        snprintf(guess.what, sizeof guess.what, "made with %s instead of %s",
                 sky_digest_name((enum sky_digest)digest), sky_digest_name(recipe->digest));
        add(guesses, &guess);
    }
}

static void add_secret(struct guesses *guesses, const struct sky_psk_recipe *recipe,
                       const struct sky_secret *secret)
{
    const struct role_text *role = &roles[secret->role];
    struct sky_psk guess;
    SKY_ASSERT(role->what != NULL);
    if (secret->bytes.len == 0 || !sky_psk_key(recipe, secret->bytes, &guess))
        return;
    guess.mistake = role->mistake;
    snprintf(guess.what, sizeof guess.what, "%s%s%.*s", role->what, secret->name.len ? ", " : "",
             SKY_SPAN_ARGS(secret->name));
    add(guesses, &guess);
}

static void add_line_break(struct guesses *guesses, const struct sky_psk_recipe *recipe,
                           sky_span secret)
{
    char broken[SKY_SECRET_MAX + 1];
    if (secret.len == 0 || secret.len > SKY_SECRET_MAX)
        return;
    memcpy(broken, secret.ptr, secret.len);
    broken[secret.len] = '\n';
    struct sky_psk guess;
    if (sky_psk_key(recipe, sky_span_of(broken, secret.len + 1), &guess)) {
        guess.mistake = SKY_MISTAKE_SECRET_WHITESPACE;
        snprintf(guess.what, sizeof guess.what, "a line break behind the secret");
        add(guesses, &guess);
    }
    sky_mem_wipe(broken, sizeof broken);
}

size_t sky_psk_guesses(const struct sky_psk_recipe *recipe, const struct sky_secret *secrets,
                       size_t count, struct sky_psk *ret_guesses, size_t max)
{
    SKY_ASSERT(count > 0 && secrets[0].role == SKY_SECRET_DUE);
    struct sky_psk due;
    if (!sky_psk_key(recipe, secrets[0].bytes, &due))
        return 0;
    struct guesses guesses = {&due, ret_guesses, 0, max};
    add_slips(&guesses, recipe, secrets[0].bytes);
    add_digests(&guesses, recipe, secrets[0].bytes);
    add_line_break(&guesses, recipe, secrets[0].bytes);
    for (size_t i = 1; i < count; i++)
        add_secret(&guesses, recipe, &secrets[i]);
    sky_mem_wipe(&due, sizeof due);
    return guesses.count;
}
