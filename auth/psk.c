#include "auth/psk.h"

#include <stdio.h>

#include "auth/mistakes.h"
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

/* The key made of what the secret stands for. */
static bool make_key(const struct sky_psk_recipe *recipe, sky_span bytes, struct sky_psk *ret_key)
{
    size_t len = recipe->len > 0 ? recipe->len : bytes.len;
    if (len > SKY_PSK_KEY_MAX)
        return false;
    *ret_key = (struct sky_psk){.len = len};
    if (recipe->len > 0)
        sky_psk_slice(recipe->digest, bytes, recipe->from, recipe->len, ret_key->key);
    else
        memcpy(ret_key->key, bytes.ptr, bytes.len);
    return true;
}

bool sky_psk_key(const struct sky_psk_recipe *recipe, sky_span secret, struct sky_psk *ret_key)
{
    uint8_t room[SKY_SECRET_MAX];
    sky_span bytes;
    bool made = sky_sign_key(recipe->form, secret, room, sizeof room, &bytes) &&
                make_key(recipe, bytes, ret_key);
    sky_mem_wipe(room, sizeof room);
    return made;
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

/* Where the cut is: at the due place, at the first byte, so that it ends with the last, from the
 * first byte to where it is due to end, from where it is due to begin to the last, or all. */
enum anchor { AT_DUE, AT_START, AT_END, UP_TO_DUE, DUE_AND_ON, ALL };

struct slip {
    enum source source;
    enum anchor anchor;
    int shift, longer; /* than what is due, in bytes */
    enum sky_mistake mistake;
    const char *what;
};

/* The ways to get a slice wrong, most likely first. A slice is documented by counted bytes ("9th
 * to 24th"), which invites counting from zero, and by digests that libraries hand out as text. */
static const struct slip slips[] = {
    {FROM_DIGEST, AT_DUE, 1, 0, SKY_MISTAKE_PSK_SLICE,
     "bytes one further on, as if they were counted from 0 (they are counted from 1)"},
    {FROM_DIGEST, AT_DUE, -1, 0, SKY_MISTAKE_PSK_SLICE, "bytes one too early"},
    {FROM_DIGEST, AT_DUE, -2, 0, SKY_MISTAKE_PSK_SLICE, "bytes two too early"},
    {FROM_DIGEST, AT_START, 0, 0, SKY_MISTAKE_PSK_SLICE, "the first bytes of the digest"},
    {FROM_DIGEST, ALL, 0, 0, SKY_MISTAKE_PSK_SLICE, "the whole digest"},
    {FROM_SECRET, ALL, 0, 0, SKY_MISTAKE_PSK_SLICE, "the secret itself, not its digest"},
    {FROM_DIGEST, AT_END, 0, 0, SKY_MISTAKE_PSK_SLICE, "the last bytes of the digest"},
    {FROM_DIGEST, AT_DUE, 0, 1, SKY_MISTAKE_PSK_SLICE, "one byte too many at the end"},
    {FROM_DIGEST, AT_DUE, 0, -1, SKY_MISTAKE_PSK_SLICE, "one byte too few at the end"},
    {FROM_DIGEST, UP_TO_DUE, 0, 0, SKY_MISTAKE_PSK_SLICE,
     "everything up to the last byte due, from the first of the digest on"},
    {FROM_DIGEST, DUE_AND_ON, 0, 0, SKY_MISTAKE_PSK_SLICE,
     "everything from the first byte due to the end of the digest"},
    {FROM_KEY_HEX, ALL, 0, 0, SKY_MISTAKE_PSK_TEXT, "the key's hexadecimal text, lower case"},
    {FROM_KEY_HEX_UPPER, ALL, 0, 0, SKY_MISTAKE_PSK_TEXT, "the key's hexadecimal text, upper case"},
    {FROM_DIGEST_HEX, AT_DUE, 0, 0, SKY_MISTAKE_PSK_TEXT,
     "characters cut out of the digest's hexadecimal text, lower case"},
    {FROM_DIGEST_HEX_UPPER, AT_DUE, 0, 0, SKY_MISTAKE_PSK_TEXT,
     "characters cut out of the digest's hexadecimal text, upper case"},
    {FROM_DIGEST_HEX, AT_START, 0, 0, SKY_MISTAKE_PSK_TEXT,
     "the first characters of the digest's hexadecimal text, lower case"},
    {FROM_DIGEST_HEX_UPPER, AT_START, 0, 0, SKY_MISTAKE_PSK_TEXT,
     "the first characters of the digest's hexadecimal text, upper case"},
    {FROM_DIGEST_HEX, ALL, 0, 0, SKY_MISTAKE_PSK_TEXT, "the digest's hexadecimal text, lower case"},
    {FROM_DIGEST_HEX_UPPER, ALL, 0, 0, SKY_MISTAKE_PSK_TEXT,
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

static sky_span cut_out(sky_span whole, const struct slip *slip,
                        const struct sky_psk_recipe *recipe)
{
    int64_t due = (int64_t)recipe->from, len = (int64_t)recipe->len, all = (int64_t)whole.len;
    const struct {
        int64_t from, to;
    } cuts[] = {
        [AT_DUE] = {due + slip->shift, due + slip->shift + len + slip->longer},
        [AT_START] = {0, len},
        [AT_END] = {all - len, all},
        [UP_TO_DUE] = {0, due + len},
        [DUE_AND_ON] = {due, all},
        [ALL] = {0, all},
    };
    int64_t from = cuts[slip->anchor].from, to = cuts[slip->anchor].to;
    if ((slip->anchor != ALL && len == 0) || from < 0 || to > all || from >= to)
        return SKY_SPAN_NONE;
    return sky_span_of(whole.ptr + from, (size_t)(to - from));
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
        add_bytes(guesses, cut_out(sources[slips[i].source], &slips[i], recipe), slips[i].mistake,
                  slips[i].what);
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
        snprintf(guess.what, sizeof guess.what, "a key made with %s instead of %s",
                 sky_digest_name((enum sky_digest)digest), sky_digest_name(recipe->digest));
        add(guesses, &guess);
    }
}

/* The key by the recipe, but of other bytes than those due. */
static void add_of(struct guesses *guesses, const struct sky_psk_recipe *recipe, sky_span bytes,
                   enum sky_mistake mistake, const char *what, sky_span more)
{
    struct sky_psk guess;
    if (bytes.len == 0 || !make_key(recipe, bytes, &guess))
        return;
    guess.mistake = mistake;
    snprintf(guess.what, sizeof guess.what, "%s%.*s", what, SKY_SPAN_ARGS(more));
    add(guesses, &guess);
}

/* Of the secret with something behind it. */
static void add_tails(struct guesses *guesses, const struct sky_psk_recipe *recipe, sky_span bytes)
{
    char padded[SKY_SECRET_MAX + 2];
    for (size_t i = 0; i < SKY_TAILS && bytes.len <= SKY_SECRET_MAX; i++) {
        sky_span tail = sky_tails[i].bytes;
        memcpy(padded, bytes.ptr, bytes.len);
        memcpy(padded + bytes.len, tail.ptr, tail.len);
        add_of(guesses, recipe, sky_span_of(padded, bytes.len + tail.len),
               SKY_MISTAKE_SECRET_WHITESPACE, "the secret and behind it ",
               sky_span_str(sky_tails[i].what));
    }
    sky_mem_wipe(padded, sizeof padded);
}

/* Of the secret in another form: its text where that is to be decoded, and the reverse. */
static void add_forms(struct guesses *guesses, const struct sky_psk_recipe *recipe, sky_span secret)
{
    uint8_t room[SKY_SECRET_MAX];
    for (int form = 0; form < SKY_KEY_FORMS; form++) {
        sky_span bytes;
        if ((enum sky_key_form)form == recipe->form ||
            !sky_sign_key((enum sky_key_form)form, secret, room, sizeof room, &bytes))
            continue;
        if (form == SKY_KEY_TEXT)
            add_of(guesses, recipe, bytes, SKY_MISTAKE_KEY_NOT_DECODED,
                   "the secret's text, not decoded", SKY_SPAN_NONE);
        else
            add_of(guesses, recipe, bytes, SKY_MISTAKE_KEY_DECODED,
                   "the secret decoded, not its text", SKY_SPAN_NONE);
    }
    sky_mem_wipe(room, sizeof room);
}

static void add_secret(struct guesses *guesses, const struct sky_psk_recipe *recipe,
                       const struct sky_secret *secret)
{
    const struct role_text *role = &roles[secret->role];
    uint8_t room[SKY_SECRET_MAX];
    sky_span bytes;
    char more[SKY_PSK_WHAT_MAX];
    SKY_ASSERT(role->what != NULL);
    snprintf(more, sizeof more, "%s%.*s", secret->name.len > 0 ? ", " : "",
             SKY_SPAN_ARGS(secret->name));
    if (sky_sign_key(recipe->form, secret->bytes, room, sizeof room, &bytes))
        add_of(guesses, recipe, bytes, role->mistake, role->what, sky_span_str(more));
    if (recipe->form != SKY_KEY_TEXT)
        add_of(guesses, recipe, secret->bytes, role->mistake, role->what, sky_span_str(more));
    sky_mem_wipe(room, sizeof room);
}

size_t sky_psk_guesses(const struct sky_psk_recipe *recipe, const struct sky_secret *secrets,
                       size_t count, struct sky_psk *ret_guesses, size_t max)
{
    SKY_ASSERT(count > 0 && secrets[0].role == SKY_SECRET_DUE);
    struct sky_psk due;
    uint8_t room[SKY_SECRET_MAX];
    sky_span bytes;
    struct guesses guesses = {&due, ret_guesses, 0, max};
    if (sky_sign_key(recipe->form, secrets[0].bytes, room, sizeof room, &bytes) &&
        make_key(recipe, bytes, &due)) {
        add_slips(&guesses, recipe, bytes);
        add_forms(&guesses, recipe, secrets[0].bytes);
        add_digests(&guesses, recipe, bytes);
        add_tails(&guesses, recipe, bytes);
        for (size_t i = 1; i < count; i++)
            add_secret(&guesses, recipe, &secrets[i]);
    }
    sky_mem_wipe(room, sizeof room);
    sky_mem_wipe(&due, sizeof due);
    return guesses.count;
}
