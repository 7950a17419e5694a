#include "auth/sign.h"

#include "auth/text.h"
#include "protocol/base/assert.h"

/* Every field is two pieces; the secret may come behind them. */
enum { PIECES_MAX = 2 * SKY_SIGN_FIELDS_MAX + 1 };

/* The text as pieces; `*ret_len` is its length. */
static size_t split(const struct sky_recipe *recipe, sky_span *pieces, size_t *ret_len)
{
    SKY_ASSERT(recipe->field_count <= SKY_SIGN_FIELDS_MAX);
    size_t count = 0;
    for (size_t i = 0; i < recipe->field_count; i++) {
        pieces[count++] = recipe->fields[i].key;
        pieces[count++] = recipe->fields[i].value;
    }
    if (recipe->field_count == 0)
        pieces[count++] = recipe->text;
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += pieces[i].len;
    *ret_len = len;
    return count;
}

bool sky_sign_text(const struct sky_recipe *recipe, struct sky_buf *out)
{
    sky_span pieces[PIECES_MAX];
    size_t len, count = split(recipe, pieces, &len);
    if (len > SKY_SIGN_TEXT_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!sky_buf_add(out, pieces[i]))
            return false;
    return true;
}

size_t sky_sign(const struct sky_recipe *recipe, sky_span secret, uint8_t *out)
{
    sky_span pieces[PIECES_MAX];
    size_t len, count = split(recipe, pieces, &len);
    if (len > SKY_SIGN_TEXT_MAX)
        return 0;
    if (recipe->keying == SKY_HMAC) {
        sky_digest_hmac(recipe->digest, secret, pieces, count, out);
    } else {
        pieces[count++] = secret;
        sky_digest_hash(recipe->digest, pieces, count, out);
    }
    return sky_digest_len(recipe->digest);
}

bool sky_sign_matches(const struct sky_recipe *recipe, sky_span secret, sky_span hex)
{
    uint8_t due[SKY_DIGEST_MAX], given[SKY_DIGEST_MAX];
    size_t due_len = sky_sign(recipe, secret, due), given_len;
    if (due_len == 0 || !sky_hex_decode(hex, given, sizeof given, &given_len))
        return false;
    return sky_digest_eq(sky_span_of(due, due_len), sky_span_of(given, given_len));
}
