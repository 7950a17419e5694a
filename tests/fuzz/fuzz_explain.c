/* The search for a mistake in a signature, over any recipe and material: it ends within its cost,
 * always has a sentence, and tells no secret that is long enough to be told apart from a word. */
#include "auth/explain.h"
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"

enum { SECRET_MIN = 12, FIELD_MAX = 200 };

static void hold(const char *text, sky_span secret)
{
    /* A piece of a sentence that is always said is no secret: ours have a letter no sentence has.
     */
    if (secret.len >= SECRET_MIN && sky_span_contains(secret, SKY_SPAN("~")))
        SKY_ASSERT(!sky_span_contains(sky_span_str(text), secret));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const names[] = {"clientId", "deviceName", "productKey", "timestamp",
                                        "random"};
    struct sky_explanation explanation;
    char signature[SKY_SIGNATURE_MAX + 1];
    if (len < 4 || len > 2048)
        return 0;
    struct sky_suspicion suspicion = {.due = {.digest = bytes[0] % SKY_DIGESTS,
                                              .keying = bytes[0] & 8 ? SKY_HASH_APPEND : SKY_HMAC,
                                              .key_form = bytes[1] % SKY_KEY_FORMS,
                                              .encoding = bytes[1] / 4 % SKY_ENCODINGS,
                                              .sorted = bytes[0] & 16,
                                              .style = {.values_only = bytes[0] & 32,
                                                        .equals = bytes[0] & 64 ? "=" : NULL,
                                                        .between = bytes[0] & 128 ? "&" : NULL}},
                                      .now_ms = INT64_C(1600000000000)};
    sky_span rest = sky_span_of(bytes + 3, len - 3), line, secret = SKY_SPAN("theDevicesOwnSecret");
    for (size_t i = 0; i < SKY_COUNT(names) && sky_span_next(&rest, '\n', &line); i++)
        if (!sky_recipe_add(&suspicion.due, names[i], sky_span_head(line, FIELD_MAX)))
            break;
    if (sky_span_next(&rest, '\n', &line) && line.len > 0)
        secret = sky_span_head(line, SKY_SECRET_MAX);
    suspicion.secrets[0] = (struct sky_secret){.role = SKY_SECRET_DUE, .bytes = secret};
    suspicion.secrets[1] =
        (struct sky_secret){.role = SKY_SECRET_PRODUCT, .bytes = SKY_SPAN("theProductsSecret")};
    suspicion.secret_count = 2;
    suspicion.given = sky_span_head(rest, FIELD_MAX);
    if (bytes[2] & 1) { /* the product's secret used, with which it would be right */
        sky_sign_write(&suspicion.due, suspicion.secrets[1].bytes, signature);
        suspicion.given = sky_span_str(signature);
    }
    suspicion.whole_client_id = bytes[2] & 2 ? suspicion.due.fields[0].value : SKY_SPAN_NONE;
    sky_explain(&suspicion, &explanation);
    SKY_ASSERT(explanation.what[0] != '\0' && explanation.mistake < SKY_MISTAKES);
    SKY_ASSERT(explanation.cost <= 2 * SKY_EXPLAIN_BLOCKS_MAX);
    SKY_ASSERT(strlen(explanation.expected_prefix) <= 8);
    if (bytes[2] & 1 && suspicion.given.len > 0)
        SKY_ASSERT(explanation.mistake != SKY_MISTAKE_NONE);
    bool sent = false; /* a field that has the secret in it shows it */
    for (size_t i = 0; i < suspicion.due.field_count; i++)
        sent |= sky_span_contains(suspicion.due.fields[i].value, secret);
    if (!sent && !sky_span_contains(suspicion.given, secret)) {
        hold(explanation.signed_text, secret);
        hold(explanation.what, secret);
        hold(explanation.hint, secret);
    }
    return 0;
}
