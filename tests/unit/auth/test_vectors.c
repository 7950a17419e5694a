/* Replays the vectors under fixtures/ of all clouds, as far as this layer knows what they mean: a
 * recipe and a secret make a digest, a suspicion has a mistake in it, a slice makes a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/cipher.h"
#include "auth/psk.h"
#include "auth/text.h"
#include "protocol/base/facts.h"
#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"

enum { FILE_MAX = 256 * 1024, VECTORS_LEAST = 130 };

static sky_span text_of(const cJSON *object, const char *key)
{
    return sky_span_str(sky_json_get_str(object, key));
}

static const char *needed(const cJSON *object, const char *key)
{
    const char *text = sky_json_get_str(object, key);
    if (text == NULL)
        fail_msg("no \"%s\"", key);
    return text;
}

static enum sky_digest digest_of(const cJSON *object)
{
    for (int digest = 0; digest < SKY_DIGESTS; digest++)
        if (strcmp(needed(object, "digest"), sky_digest_name((enum sky_digest)digest)) == 0)
            return (enum sky_digest)digest;
    fail_msg("unknown digest");
    return SKY_MD5;
}

static size_t read_pairs(const cJSON *array, struct sky_pair *out, size_t max)
{
    size_t count = 0;
    const cJSON *item;
    cJSON_ArrayForEach (item, array) {
        assert_true(count < max);
        out[count].key = sky_span_str(cJSON_GetArrayItem(item, 0)->valuestring);
        out[count++].value = sky_span_str(cJSON_GetArrayItem(item, 1)->valuestring);
    }
    return count;
}

static struct sky_recipe read_recipe(const cJSON *json)
{
    struct sky_recipe recipe = {.digest = digest_of(json)};
    const char *keying = needed(json, "keying");
    assert_true(strcmp(keying, "hmac") == 0 || strcmp(keying, "hash-append") == 0);
    recipe.keying = strcmp(keying, "hmac") == 0 ? SKY_HMAC : SKY_HASH_APPEND;
    recipe.field_count =
        read_pairs(sky_json_get(json, "fields"), recipe.fields, SKY_SIGN_FIELDS_MAX);
    recipe.text = text_of(json, "text");
    return recipe;
}

/* "secret" is text, "secretBase64" text whose bytes are the secret. */
static sky_span read_secret(const cJSON *vector, uint8_t *room, size_t size)
{
    size_t len;
    if (sky_json_get(vector, "secret") != NULL)
        return text_of(vector, "secret");
    assert_true(sky_base64_decode(text_of(vector, "secretBase64"), room, size, &len));
    return sky_span_of(room, len);
}

static enum sky_secret_role read_role(const char *name)
{
    static const char *const roles[SKY_SECRET_ROLES] = {
        [SKY_SECRET_DUE] = "due",         [SKY_SECRET_DEVICE] = "device",
        [SKY_SECRET_PRODUCT] = "product", [SKY_SECRET_OLD] = "old",
        [SKY_SECRET_OTHER] = "other",     [SKY_SECRET_UNDECODED] = "undecoded",
        [SKY_SECRET_DECODED] = "decoded"};
    for (int role = 0; role < SKY_SECRET_ROLES; role++)
        if (strcmp(roles[role], name) == 0)
            return (enum sky_secret_role)role;
    fail_msg("unknown role %s", name);
    return SKY_SECRET_DUE;
}

static size_t read_secrets(const cJSON *array, struct sky_secret *out)
{
    size_t count = 0;
    const cJSON *item;
    cJSON_ArrayForEach (item, array) {
        out[count++] = (struct sky_secret){read_role(needed(item, "role")), text_of(item, "secret"),
                                           text_of(item, "name")};
    }
    return count;
}

static void check_digest(const cJSON *expect, const uint8_t *made, size_t len)
{
    char text[4 * SKY_DIGEST_HEX_MAX], hex[SKY_DIGEST_HEX_MAX + 1];
    sky_span bytes = sky_span_of(made, len);
    sky_hex_lower(bytes, hex);
    if (sky_json_get(expect, "digest") != NULL) {
        assert_true(sky_span_eq_nocase(text_of(expect, "digest"), sky_span_str(hex)));
    } else if (sky_json_get(expect, "base64") != NULL) {
        sky_base64_encode(bytes, text);
        assert_string_equal(needed(expect, "base64"), text);
    } else {
        sky_base64_encode(sky_span_str(hex), text);
        assert_string_equal(needed(expect, "base64OfHex"), text);
    }
}

static void check_signature(const cJSON *vector)
{
    uint8_t room[SKY_SECRET_MAX], made[SKY_DIGEST_MAX];
    struct sky_recipe recipe = read_recipe(sky_json_get(vector, "recipe"));
    sky_span secret = read_secret(vector, room, sizeof room);
    size_t len = sky_sign(&recipe, secret, made);
    assert_int_equal(sky_digest_len(recipe.digest), len);
    check_digest(sky_json_get(vector, "expect"), made, len);
    const char *digest = sky_json_get_str(sky_json_get(vector, "expect"), "digest");
    if (digest != NULL)
        assert_true(sky_sign_matches(&recipe, secret, sky_span_str(digest)));
}

static void check_explanation(const cJSON *vector)
{
    const cJSON *json = sky_json_get(vector, "suspicion"), *expect = sky_json_get(vector, "expect");
    uint8_t room[SKY_SECRET_MAX];
    struct sky_suspicion suspicion = {.due = read_recipe(sky_json_get(vector, "recipe"))};
    struct sky_explanation said;
    suspicion.given = text_of(vector, "given");
    suspicion.whole_client_id = text_of(json, "wholeClientId");
    suspicion.extra_count = read_pairs(sky_json_get(json, "extra"), suspicion.extra, SKY_PAIRS_MAX);
    suspicion.secret_word = sky_json_get_str(json, "secretWord");
    suspicion.method = text_of(json, "method");
    if (sky_json_get(json, "nowMs") != NULL)
        suspicion.now_ms = (int64_t)sky_json_get(json, "nowMs")->valuedouble;
    suspicion.secrets[0].bytes = read_secret(vector, room, sizeof room);
    suspicion.secret_count = 1 + read_secrets(sky_json_get(json, "secrets"), suspicion.secrets + 1);
    assert_false(sky_sign_matches(&suspicion.due, suspicion.secrets[0].bytes, suspicion.given));
    sky_explain(&suspicion, &said);
    assert_string_equal(needed(expect, "mistake"), sky_mistake_name(said.mistake));
    const char *second = sky_json_get_str(expect, "second");
    assert_string_equal(second ? second : "", sky_mistake_name(said.second));
}

static struct sky_psk_recipe read_slice(const cJSON *vector)
{
    const cJSON *json = sky_json_get(vector, "slice");
    return (struct sky_psk_recipe){digest_of(json), (size_t)sky_json_get(json, "from")->valueint,
                                   (size_t)sky_json_get(json, "len")->valueint};
}

static void check_key(const cJSON *vector)
{
    uint8_t room[SKY_SECRET_MAX];
    char hex[2 * SKY_PSK_KEY_MAX + 1];
    struct sky_psk_recipe recipe = read_slice(vector);
    struct sky_psk key;
    assert_true(sky_psk_key(&recipe, read_secret(vector, room, sizeof room), &key));
    sky_hex_lower(sky_span_of(key.key, key.len), hex);
    assert_string_equal(needed(sky_json_get(vector, "expect"), "key"), hex);
}

static void check_guess(const cJSON *vector)
{
    uint8_t room[SKY_SECRET_MAX];
    struct sky_psk_recipe recipe = read_slice(vector);
    struct sky_secret secrets[SKY_SECRETS_MAX] = {{.role = SKY_SECRET_DUE}};
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    secrets[0].bytes = read_secret(vector, room, sizeof room);
    size_t count =
        1 + read_secrets(sky_json_get(sky_json_get(vector, "suspicion"), "secrets"), secrets + 1);
    count = sky_psk_guesses(&recipe, secrets, count, guesses, SKY_PSK_GUESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        char hex[2 * SKY_PSK_KEY_MAX + 1];
        sky_hex_lower(sky_span_of(guesses[i].key, guesses[i].len), hex);
        if (strcmp(hex, needed(vector, "given")) == 0) {
            assert_string_equal(needed(sky_json_get(vector, "expect"), "mistake"),
                                sky_mistake_name(guesses[i].mistake));
            return;
        }
    }
    fail_msg("the key was not guessed");
}

static void check_cipher(const cJSON *vector)
{
    uint8_t out[256];
    char text[400];
    sky_span plain = text_of(vector, "plain");
    sky_cipher_encrypt((const uint8_t *)needed(vector, "key"),
                       (const uint8_t *)needed(vector, "iv"), plain, out);
    sky_base64_encode(sky_span_of(out, sky_cipher_len(plain.len)), text);
    assert_string_equal(needed(sky_json_get(vector, "expect"), "base64"), text);
}

/* Where a client id has a block, the head is what the recipe signs. */
static void check_client_id(const cJSON *vector)
{
    sky_span head, block;
    struct sky_pairs pairs;
    sky_span id = text_of(sky_json_get(vector, "connect"), "clientId");
    struct sky_recipe recipe = read_recipe(sky_json_get(vector, "recipe"));
    if (recipe.field_count == 0)
        return;
    assert_int_equal(SKY_SHAPE_OK, sky_grammar_barred(id, &head, &block, &pairs));
    assert_true(sky_span_eq(recipe.fields[0].value, head));
    assert_non_null(sky_pairs_find(&pairs, "signmethod"));
}

static void check(const cJSON *vector)
{
    bool guess = sky_json_get(vector, "given") != NULL;
    if (sky_json_get(vector, "connect") != NULL)
        check_client_id(vector);
    if (strcmp(needed(vector, "kind"), "cipher") == 0)
        check_cipher(vector);
    else if (sky_json_get(vector, "slice") != NULL)
        (guess ? check_guess : check_key)(vector);
    else
        (guess ? check_explanation : check_signature)(vector);
}

static size_t check_file(const char *path)
{
    char *text = sky_mem_new(FILE_MAX);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, FILE_MAX, file), count = 0;
    fclose(file);
    assert_true(len < FILE_MAX);
    cJSON *tree;
    struct sky_why why;
    if (sky_json_parse(sky_span_of(text, len), SKY_JSON_DEPTH_MAX, &tree, &why) != SKY_OK)
        fail_msg("%s: %s", path, why.reason);
    assert_true(text_of(tree, "source").len > 0);
    const cJSON *vector;
    cJSON_ArrayForEach (vector, sky_json_get(tree, "vectors")) {
        print_message("%s: %s\n", path + sizeof SKY_SOURCE_DIR, needed(vector, "name"));
        check(vector);
        count++;
    }
    cJSON_Delete(tree);
    free(text);
    return count;
}

static void every_vector_holds(void **state)
{
    (void)state;
    glob_t found;
    size_t count = 0;
    assert_int_equal(0, glob(SKY_SOURCE_DIR "/fixtures/*/vectors/*.json", 0, NULL, &found));
    for (size_t i = 0; i < found.gl_pathc; i++)
        count += check_file(found.gl_pathv[i]);
    globfree(&found);
    assert_true(count >= VECTORS_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_vector_holds)};
    return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
