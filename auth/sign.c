#include "auth/sign.h"

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"

/* Every field is four pieces at most; the key may come behind them. */
enum { PIECES_MAX = 4 * SKY_SIGN_FIELDS_MAX + 1 };

void sky_fields_insert(struct sky_pair *list, size_t count, struct sky_pair field, bool sorted)
{
    size_t at = count;
    for (; sorted && at > 0 && sky_span_order(field.key, list[at - 1].key) < 0; at--)
        list[at] = list[at - 1];
    list[at] = field;
}

bool sky_recipe_add_pair(struct sky_recipe *recipe, struct sky_pair field)
{
    if (recipe->field_count == SKY_SIGN_FIELDS_MAX)
        return false;
    sky_fields_insert(recipe->fields, recipe->field_count++, field, recipe->sorted);
    return true;
}

bool sky_recipe_add(struct sky_recipe *recipe, const char *name, sky_span value)
{
    return sky_recipe_add_pair(recipe, (struct sky_pair){sky_span_str(name), value});
}

/* The text as pieces; `*ret_len` is its length. */
static size_t split(const struct sky_recipe *recipe, sky_span *pieces, size_t *ret_len)
{
    const struct sky_style *style = &recipe->style;
    SKY_ASSERT(recipe->field_count <= SKY_SIGN_FIELDS_MAX);
    size_t count = 0, len = 0;
    for (size_t i = 0; i < recipe->field_count; i++) {
        if (i > 0)
            pieces[count++] = sky_span_str(style->between);
        if (!style->values_only) {
            pieces[count++] = recipe->fields[i].key;
            pieces[count++] = sky_span_str(style->equals);
        }
        pieces[count++] = recipe->fields[i].value;
    }
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

bool sky_sign_key(enum sky_key_form form, sky_span secret, uint8_t *room, size_t size,
                  sky_span *ret_key)
{
    size_t len = 0;
    switch (form) {
    case SKY_KEY_TEXT:
        *ret_key = secret;
        return secret.len > 0;
    case SKY_KEY_BASE64:
        if (!sky_base64_decode(secret, room, size, &len))
            return false;
        break;
    default:
        if (!sky_hex_decode(secret, room, size, &len))
            return false;
    }
    *ret_key = sky_span_of(room, len);
    return len > 0;
}

size_t sky_sign(const struct sky_recipe *recipe, sky_span secret, uint8_t *out)
{
    sky_span pieces[PIECES_MAX], key;
    uint8_t room[SKY_SECRET_MAX];
    size_t len, count = split(recipe, pieces, &len);
    if (len > SKY_SIGN_TEXT_MAX || !sky_sign_key(recipe->key_form, secret, room, sizeof room, &key))
        return 0;
    if (recipe->keying == SKY_HMAC) {
        sky_digest_hmac(recipe->digest, key, pieces, count, out);
    } else {
        pieces[count++] = key;
        sky_digest_hash(recipe->digest, pieces, count, out);
    }
    sky_mem_wipe(room, sizeof room);
    return sky_digest_len(recipe->digest);
}

/* ---- how the digest is written ---- */

void sky_encoding_write(enum sky_encoding encoding, sky_span digest, char *out)
{
    char text[SKY_SIGNATURE_MAX + 1];
    SKY_ASSERT(digest.len <= SKY_DIGEST_MAX);
    switch (encoding) {
    case SKY_HEX:
        sky_hex_lower(digest, out);
        return;
    case SKY_HEX_UPPER:
        sky_hex_upper(digest, out);
        return;
    case SKY_BASE64:
        sky_base64_encode(digest, out);
        return;
    case SKY_BASE64_PERCENT:
        sky_base64_encode(digest, text);
        sky_percent_encode(sky_span_str(text), out);
        return;
    default:
        sky_hex_lower(digest, text);
        sky_base64_encode(sky_span_str(text), out);
    }
}

bool sky_encoding_read(enum sky_encoding encoding, sky_span text, uint8_t *out, size_t out_size,
                       size_t *ret_len)
{
    char inner[SKY_SIGNATURE_MAX];
    size_t len;
    switch (encoding) {
    case SKY_HEX:
    case SKY_HEX_UPPER:
        return sky_hex_decode(text, out, out_size, ret_len);
    case SKY_BASE64:
        return sky_base64_decode(text, out, out_size, ret_len);
    case SKY_BASE64_PERCENT:
        return sky_percent_decode(text, false, inner, sizeof inner, &len) &&
               sky_base64_decode(sky_span_of(inner, len), out, out_size, ret_len);
    default:
        return sky_base64_decode(text, (uint8_t *)inner, sizeof inner, &len) &&
               sky_hex_decode(sky_span_of(inner, len), out, out_size, ret_len);
    }
}

const char *sky_encoding_name(enum sky_encoding encoding)
{
    static const char *const names[SKY_ENCODINGS] = {
        [SKY_HEX] = "hexadecimal",
        [SKY_HEX_UPPER] = "hexadecimal",
        [SKY_BASE64] = "base64",
        [SKY_BASE64_PERCENT] = "URL-encoded base64",
        [SKY_BASE64_OF_HEX] = "base64 of the hexadecimal text",
    };
    SKY_ASSERT(encoding < SKY_ENCODINGS);
    return names[encoding];
}

void sky_sign_write(const struct sky_recipe *recipe, sky_span secret, char *out)
{
    uint8_t digest[SKY_DIGEST_MAX];
    size_t len = sky_sign(recipe, secret, digest);
    sky_encoding_write(recipe->encoding, sky_span_of(digest, len), out);
    sky_mem_wipe(digest, sizeof digest);
}

bool sky_sign_matches(const struct sky_recipe *recipe, sky_span secret, sky_span given)
{
    uint8_t due[SKY_DIGEST_MAX], sent[SKY_DIGEST_MAX];
    size_t due_len = sky_sign(recipe, secret, due), sent_len;
    if (due_len == 0 || !sky_encoding_read(recipe->encoding, given, sent, sizeof sent, &sent_len))
        return false;
    return sky_digest_eq(sky_span_of(due, due_len), sky_span_of(sent, sent_len));
}
