/* How a login is signed, as a value: which text, which digest, how the secret enters, and what the
 * result is written as. The same value signs, verifies, and is what explain.h varies, so a cloud
 * that states its recipe gets the whole search for mistakes. */
#ifndef SKY_AUTH_SIGN_H
#define SKY_AUTH_SIGN_H

#include "auth/digest.h"
#include "auth/grammar.h"
#include "protocol/base/buf.h"

enum sky_keying {
    SKY_HMAC,        /* HMAC(key, text) */
    SKY_HASH_APPEND, /* HASH(text || key) */
};

/* How the key comes out of the secret as it is printed on a console. */
enum sky_key_form {
    SKY_KEY_TEXT,   /* its characters */
    SKY_KEY_BASE64, /* what they decode to (RFC 4648 §4) */
    SKY_KEY_HEX,
    SKY_KEY_FORMS
};

/* How the digest is written. */
enum sky_encoding {
    SKY_HEX, /* read in either case, like the next */
    SKY_HEX_UPPER,
    SKY_BASE64,
    SKY_BASE64_PERCENT, /* the same with '+', '/' and '=' as %XX, to stand in a URL */
    SKY_BASE64_OF_HEX,
    SKY_ENCODINGS
};

/* How fields become text. All zero: name then value, nothing between. */
struct sky_style {
    bool values_only;
    const char *equals;  /* between name and value; NULL: nothing */
    const char *between; /* between fields; NULL: nothing */
};

enum {
    SKY_SIGN_TEXT_MAX = 2048,
    SKY_SIGN_FIELDS_MAX = 12,
    SKY_SIGNATURE_MAX = 3 * 44, /* characters: base64 of a SHA-256, all of them as %XX */
};

struct sky_recipe {
    enum sky_digest digest;
    enum sky_keying keying;
    enum sky_key_form key_form;
    enum sky_encoding encoding;
    struct sky_style style;
    bool sorted; /* by name, as sky_recipe_add() sees to; else in the order they are added */
    struct sky_pair fields[SKY_SIGN_FIELDS_MAX];
    size_t field_count;
};

/* Puts a field where the alphabet has it, or behind the others. `list` has `count` fields and room
 * for one more. */
void sky_fields_insert(struct sky_pair *list, size_t count, struct sky_pair field, bool sorted);

/* A recipe in the making: puts a field where it belongs. False when there are too many. */
bool sky_recipe_add(struct sky_recipe *recipe, const char *name, sky_span value);
bool sky_recipe_add_pair(struct sky_recipe *recipe, struct sky_pair field);

/* Writes the text to be signed, without any secret. False if it passes SKY_SIGN_TEXT_MAX. */
bool sky_sign_text(const struct sky_recipe *recipe, struct sky_buf *out);

/* The key that a secret stands for; `*ret_key` is a view of the secret or of `room`. False when the
 * secret does not have the form, or decodes to nothing, or to more than fits. */
bool sky_sign_key(enum sky_key_form form, sky_span secret, uint8_t *room, size_t size,
                  sky_span *ret_key);

/* The digest; `out` takes SKY_DIGEST_MAX bytes. Returns its length, 0 when the text is too long or
 * the secret no key. */
size_t sky_sign(const struct sky_recipe *recipe, sky_span secret, uint8_t *out);

/* The digest as it is sent, empty where sky_sign() returns 0; `out` takes SKY_SIGNATURE_MAX + 1. */
void sky_sign_write(const struct sky_recipe *recipe, sky_span secret, char *out);

/* `out` takes SKY_SIGNATURE_MAX + 1. */
void sky_encoding_write(enum sky_encoding encoding, sky_span digest, char *out);
/* The bytes of at most `out_size`; false when `text` is not written that way. */
bool sky_encoding_read(enum sky_encoding encoding, sky_span text, uint8_t *out, size_t out_size,
                       size_t *ret_len);
const char *sky_encoding_name(enum sky_encoding encoding); /* "base64": a phrase for people */

/* Does `given` spell the recipe's digest? Constant time in the digest's bytes. An empty secret
 * proves nothing and matches nothing. */
bool sky_sign_matches(const struct sky_recipe *recipe, sky_span secret, sky_span given);

#endif
