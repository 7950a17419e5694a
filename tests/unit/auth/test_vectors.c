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
#include "auth/explain.h"
#include "auth/psk.h"
#include "auth/text.h"
#include "protocol/base/facts.h"
#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"

enum { FILE_MAX = 256 * 1024, VECTORS_LEAST = 350 };

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

static size_t index_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (name == NULL || strcmp(names[i], name) == 0)
            return i;
    fail_msg("unknown word %s", name);
    return 0;
}

/* What is not stated is a recipe's plainest: HMAC, keyed with the secret's text, written in hex. */
static struct sky_recipe read_recipe(const cJSON *json)
{
    static const char *const keyings[] = {"hmac", "hash-append"},
                             *const forms[] = {"text", "base64", "hex"},
                             *const encodings[] = {"hex", "HEX", "base64", "base64-percent",
                                                   "base64-of-hex"};
    const cJSON *style = sky_json_get(json, "style");
    struct sky_recipe recipe = {
        .digest = digest_of(json),
        .keying = index_of(sky_json_get_str(json, "keying"), keyings, 2),
        .key_form = index_of(sky_json_get_str(json, "keyForm"), forms, SKY_KEY_FORMS),
        .encoding = index_of(sky_json_get_str(json, "encoding"), encodings, SKY_ENCODINGS),
        .style = {.values_only = cJSON_IsTrue(sky_json_get(style, "valuesOnly")),
                  .equals = sky_json_get_str(style, "equals"),
                  .between = sky_json_get_str(style, "between")},
        .sorted = cJSON_IsTrue(sky_json_get(json, "sorted"))};
    struct sky_pair fields[SKY_SIGN_FIELDS_MAX];
    size_t count = read_pairs(sky_json_get(json, "fields"), fields, SKY_SIGN_FIELDS_MAX);
    for (size_t i = 0; i < count; i++)
        assert_true(sky_recipe_add_pair(&recipe, fields[i]));
    return recipe;
}

static enum sky_secret_role read_role(const char *name)
{
    static const char *const roles[SKY_SECRET_ROLES] = {[SKY_SECRET_DUE] = "due",
                                                        [SKY_SECRET_DEVICE] = "device",
                                                        [SKY_SECRET_PRODUCT] = "product",
                                                        [SKY_SECRET_OLD] = "old",
                                                        [SKY_SECRET_OTHER] = "other"};
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

static void check_signature(const cJSON *vector)
{
    struct sky_recipe recipe = read_recipe(sky_json_get(vector, "recipe"));
    sky_span secret = text_of(vector, "secret"),
             due = text_of(sky_json_get(vector, "expect"), "signature");
    char signature[SKY_SIGNATURE_MAX + 1];
    assert_true(due.len > 0);
    sky_sign_write(&recipe, secret, signature);
    assert_true(recipe.encoding > SKY_HEX_UPPER ? sky_span_eq_str(due, signature)
                                                : sky_span_eq_nocase(due, sky_span_str(signature)));
    assert_true(sky_sign_matches(&recipe, secret, due));
}

static void check_explanation(const cJSON *vector)
{
    const cJSON *json = sky_json_get(vector, "suspicion"), *expect = sky_json_get(vector, "expect");
    struct sky_suspicion suspicion = {.due = read_recipe(sky_json_get(vector, "recipe"))};
    struct sky_explanation said;
    suspicion.given = text_of(vector, "given");
    suspicion.whole_client_id = text_of(json, "wholeClientId");
    suspicion.extra_count = read_pairs(sky_json_get(json, "extra"), suspicion.extra, SKY_PAIRS_MAX);
    suspicion.sample_count =
        read_pairs(sky_json_get(json, "samples"), suspicion.samples, SKY_PAIRS_MAX);
    suspicion.product = text_of(json, "product");
    suspicion.device = text_of(json, "device");
    suspicion.secret_word = sky_json_get_str(json, "secretWord");
    suspicion.method = text_of(json, "method");
    if (sky_json_get(json, "nowMs") != NULL)
        suspicion.now_ms = (int64_t)sky_json_get(json, "nowMs")->valuedouble;
    suspicion.secrets[0].bytes = text_of(vector, "secret");
    suspicion.secret_count = 1 + read_secrets(sky_json_get(json, "secrets"), suspicion.secrets + 1);
    assert_false(sky_sign_matches(&suspicion.due, suspicion.secrets[0].bytes, suspicion.given));
    sky_explain(&suspicion, &said);
    if (strcmp(needed(expect, "mistake"), sky_mistake_name(said.mistake)) != 0)
        fail_msg("%s was expected, %s found: %s", needed(expect, "mistake"),
                 sky_mistake_name(said.mistake), said.what);
    const char *second = sky_json_get_str(expect, "second");
    assert_string_equal(second ? second : "", sky_mistake_name(said.second));
}

static struct sky_psk_recipe read_slice(const cJSON *vector)
{
    const cJSON *json = sky_json_get(vector, "slice");
    const char *form = sky_json_get_str(json, "keyForm");
    return (struct sky_psk_recipe){
        .digest = digest_of(json),
        .from = (size_t)sky_json_get(json, "from")->valueint,
        .len = (size_t)sky_json_get(json, "len")->valueint,
        .form = form != NULL && strcmp(form, "base64") == 0 ? SKY_KEY_BASE64 : SKY_KEY_TEXT};
}

static void check_key(const cJSON *vector)
{
    char hex[2 * SKY_PSK_KEY_MAX + 1];
    struct sky_psk_recipe recipe = read_slice(vector);
    struct sky_psk key;
    assert_true(sky_psk_key(&recipe, text_of(vector, "secret"), &key));
    sky_hex_lower(sky_span_of(key.key, key.len), hex);
    assert_string_equal(needed(sky_json_get(vector, "expect"), "key"), hex);
}

static void check_guess(const cJSON *vector)
{
    struct sky_psk_recipe recipe = read_slice(vector);
    struct sky_secret secrets[SKY_SECRETS_MAX] = {{.role = SKY_SECRET_DUE}};
    struct sky_psk guesses[SKY_PSK_GUESSES_MAX];
    secrets[0].bytes = text_of(vector, "secret");
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
    if (recipe.style.values_only)
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
