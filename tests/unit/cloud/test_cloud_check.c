/* Every cloud built in keeps its side of the contract, and one that does not is told what to mend.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "protocol/cloud/model_form.h"

/* A cloud with everything a cloud may have, to be bent; its parts are copies. */
struct bent {
    struct sky_cloud cloud;
    struct sky_cloud_http http;
    struct sky_http_row calls[2];
    struct sky_cloud_psk psk;
    struct sky_cloud_coap coap;
    struct sky_cloud_shadow shadow;
    struct sky_cloud_model model;
    struct sky_model_kind_row kinds[2];
    struct sky_cloud_ota ota;
    struct sky_rule rules[SKY_RULES_SPECIAL_MAX + 1];
    struct sky_mistake_rule mistakes[2];
    struct sky_listener_row listeners[SKY_CLOUD_LISTENERS_MAX + 1];
    struct sky_topic_row topics[2];
    struct sky_topic_table topic_table;
    struct sky_service service;
    struct sky_command_row commands[2];
};

static const struct sky_rule foreign = {.id = "MQTT-X"};

static bool claim_call(const struct sky_http_request *request, struct sky_claim *ret_claim,
                       struct sky_arena *arena)
{
    (void)request, (void)ret_claim, (void)arena;
    return false;
}

static void answer_call(const struct sky_http_request *request, const struct sky_facts *facts,
                        struct sky_judge *judge, struct sky_effects *effects,
                        struct sky_http_answer *ret_answer)
{
    (void)request, (void)facts, (void)judge, (void)effects, (void)ret_answer;
}

static void handle(const struct sky_uplink *uplink, const struct sky_facts *facts,
                   struct sky_judge *judge, struct sky_effects *effects)
{
    (void)uplink, (void)facts, (void)judge, (void)effects;
}

static sky_span build(const struct sky_uplink *to, const struct sky_command_request *request,
                      struct sky_effects *effects)
{
    (void)to, (void)effects;
    return request->id;
}

static bool psk_claim(const struct sky_door *door, sky_span identity, struct sky_claim *ret_claim)
{
    (void)door, (void)identity, (void)ret_claim;
    return false;
}

static bool psk_admit(const struct sky_door *door, sky_span identity, const struct sky_facts *facts,
                      struct sky_judge *judge, struct sky_psk *ret_key)
{
    (void)door, (void)identity, (void)facts, (void)judge, (void)ret_key;
    return false;
}

static size_t psk_guesses(const struct sky_door *door, sky_span identity,
                          const struct sky_facts *facts, struct sky_psk *ret_guesses)
{
    (void)door, (void)identity, (void)facts, (void)ret_guesses;
    return 0;
}

static void decide(const struct sky_coap_call *call, const struct sky_facts *facts,
                   struct sky_judge *judge, struct sky_effects *effects,
                   struct sky_coap_decision *ret_decision)
{
    (void)call, (void)facts, (void)judge, (void)effects, (void)ret_decision;
}

static bool waiting_path(sky_span topic, char *out, size_t out_size)
{
    (void)topic, (void)out, (void)out_size;
    return false;
}

static int64_t lifetime_ms(sky_span identity)
{
    (void)identity;
    return 1;
}

static sky_err patch_shadow(const struct sky_uplink *to, const struct sky_facts *facts,
                            sky_span patch, struct sky_effects *effects, struct sky_why *why)
{
    (void)to, (void)facts, (void)patch, (void)effects, (void)why;
    return SKY_OK;
}

static void push_upgrade(const struct sky_uplink *to, const struct sky_ota_upgrade *upgrade,
                         sky_span url, sky_span id, struct sky_effects *effects)
{
    (void)to, (void)upgrade, (void)url, (void)id, (void)effects;
}

static sky_err seed_shadow(sky_span fixture, int64_t now_ms, struct sky_arena *arena,
                           sky_span *ret_document, int64_t *ret_version, struct sky_why *why)
{
    (void)fixture, (void)now_ms, (void)arena, (void)ret_document, (void)ret_version, (void)why;
    return SKY_OK;
}

static void shape(struct sky_model_build *build, sky_span item, enum sky_model_place place,
                  struct sky_model_shape *ret_shape)
{
    (void)build, (void)item, (void)place, (void)ret_shape;
}

static void make_no_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1])
{
    (void)fresh;
    out[0] = '\0';
}

static void make_endless_secret(sky_span fresh, char out[SKY_SECRET_MAX + 1])
{
    (void)fresh;
    memset(out, 'x', SKY_SECRET_MAX + 1);
}

static sky_err refuse_secret(sky_span secret, struct sky_why *why)
{
    (void)secret;
    return sky_why_set(why, SKY_ERR_INVALID, "", "never good enough");
}

/* The functions that every cloud has are those of the first cloud built in. */
static void straighten(struct bent *b)
{
    static const struct sky_rule rule = {.id = "BENT-A",
                                         .statement = "It is so",
                                         .source = "here",
                                         .hint = "Do it so.",
                                         .severity = SKY_ERROR};
    *b = (struct bent){.cloud = *sky_clouds[0]};
    b->service = (struct sky_service){.name = "post", .handle = handle, .reply = "/{device}/reply"};
    b->rules[0] = b->rules[1] = rule;
    b->rules[1].id = "BENT-B";
    b->mistakes[0] = (struct sky_mistake_rule){SKY_MISTAKE_IS_HMAC, &b->rules[0]};
    b->mistakes[1] = (struct sky_mistake_rule){SKY_MISTAKE_NOT_HMAC, &b->rules[1]};
    b->listeners[0] = (struct sky_listener_row){"bent", 1, SKY_LISTEN_MQTT, &b->cloud};
    b->topics[0] = (struct sky_topic_row){"/{product}/{device}/+", SKY_MAY_PUB, &b->service};
    b->topics[1] = (struct sky_topic_row){"{product}{device}/#", SKY_MAY_SUB | SKY_PUSHED, NULL};
    b->commands[0] = (struct sky_command_row){.kind = "set", .build = build};
    b->commands[1] = (struct sky_command_row){.kind = "get", .build = build};
    b->calls[0] = (struct sky_http_row){.method = "POST",
                                        .path = "/bent",
                                        .failure = {500, "{}"},
                                        .claim = claim_call,
                                        .answer = answer_call};
    b->http = (struct sky_cloud_http){b->calls, 1};
    b->psk = (struct sky_cloud_psk){.claim = psk_claim, .admit = psk_admit, .guesses = psk_guesses};
    b->coap = (struct sky_cloud_coap){.decide = decide};
    b->shadow =
        (struct sky_cloud_shadow){.document = "shadow", .patch = patch_shadow, .seed = seed_shadow};
    b->kinds[0] = (struct sky_model_kind_row){.name = "number", .kind = SKY_MODEL_INT, .max = 1};
    b->kinds[1] = (struct sky_model_kind_row){
        .name = "switch", .kind = SKY_MODEL_BOOL, .tolerated = SKY_MODEL_AS_TEXT};
    b->model = (struct sky_cloud_model){.kinds = b->kinds,
                                        .kind_count = 2,
                                        .keys = {.id = "id"},
                                        .groups = {[SKY_MODEL_GROUP_PROPERTIES] = {.key = "all"}},
                                        .shape = shape,
                                        .rule = &b->rules[0],
                                        .form_rule = &b->rules[0]};
    struct sky_cloud *cloud = &b->cloud;
    cloud->name = "bent";
    cloud->rules = (struct sky_rule_table){"bent", b->rules, 2, true};
    memset(cloud->limit_rules, 0, sizeof cloud->limit_rules);
    cloud->activation_unsubscribed = &b->rules[1];
    cloud->answer_id = &b->rules[1];
    cloud->mistake_rules = b->mistakes;
    cloud->mistake_rule_count = 2;
    cloud->listeners = b->listeners;
    cloud->listener_count = 1;
    b->topic_table = (struct sky_topic_table){b->topics, 2};
    cloud->topics = &b->topic_table;
    cloud->commands = b->commands;
    cloud->command_count = 2;
    cloud->http = &b->http;
    cloud->psk = &b->psk;
    cloud->coap = &b->coap;
    cloud->shadow = &b->shadow;
    cloud->model = &b->model;
    b->ota = (struct sky_cloud_ota){.module = "default", .push = push_upgrade};
    cloud->ota = &b->ota;
}

static const char *const no_host[] = {"bent.example", "", NULL};

/* A mistake of a call alone. */
static void bend_call(struct bent *b)
{
    static const struct sky_mistake_rule mistake = {SKY_MISTAKE_IS_HMAC, &foreign};
    b->calls[0].mistake_rules = &mistake;
    b->calls[0].mistake_rule_count = 1;
}

/* Each bends one thing, and names the words that the reason must have. */
#define BENDS(X)                                                                                   \
    X("name", b->cloud.name = NULL)                                                                \
    X("name", b->cloud.name = "")                                                                  \
    X("name", b->cloud.name = "seventeenletters1")                                                 \
    X("one word", b->cloud.name = "Bent")                                                          \
    X("one word", b->cloud.name = "be-nt")                                                         \
    X("title", b->cloud.title = "")                                                                \
    X("words", b->cloud.words.device_secret = NULL)                                                \
    X("two fields", b->cloud.words.device_key = b->cloud.words.product_key)                        \
    X("published", b->cloud.limits.payload_max = 0)                                                \
    X("published", b->cloud.limits.topic_len_max = 0)                                              \
    X("filters_per_packet_max", b->cloud.limits.filters_per_packet_max = 0)                        \
    X("filters_per_packet_max", b->cloud.limits.filters_per_packet_max = UINT16_MAX)               \
    X("filters_per_device_max", b->cloud.limits.filters_per_device_max = 0)                        \
    X("filters_per_device_max", b->cloud.limits.filters_per_device_max = UINT16_MAX)               \
    X("keepalive", b->cloud.limits.keepalive[1].max_s = 0)                                         \
    X("hold no message", b->cloud.limits.session.inflight_max = 0)                                 \
    X("hold no message", b->cloud.limits.session.queue_max = 0)                                    \
    X("hold no message", b->cloud.limits.session.queue_bytes_max = 0)                              \
    X("hold no message", b->cloud.limits.session.queue_age_max_ms = 0)                             \
    X("owner", b->cloud.rules.owner = "mqtt")                                                      \
    X("owner", b->cloud.rules.owner = NULL)                                                        \
    X("special", b->cloud.rules.special = false)                                                   \
    X("rows", b->cloud.rules.count = 0)                                                            \
    X("rows", b->cloud.rules.rows = NULL)                                                          \
    X("SKY_RULES_SPECIAL_MAX", b->cloud.rules.count = SKY_RULES_SPECIAL_MAX + 1)                   \
    X("PREFIX", b->rules[0].id = "bent-a")                                                         \
    X("PREFIX", b->rules[0].id = "")                                                               \
    X("PREFIX", b->rules[0].id = "BENT-a")                                                         \
    X("PREFIX", b->rules[0].id = "BENT")                                                           \
    X("hint", b->rules[0].hint = "")                                                               \
    X("statement", b->rules[0].statement = "")                                                     \
    X("source", b->rules[0].source = "")                                                           \
    X("severity", b->rules[0].severity = (enum sky_severity)7)                                     \
    X("action", b->rules[0].action[1] = (enum sky_action)7)                                        \
    X("own", b->cloud.limit_rules[SKY_LIMIT_WILL] = &foreign)                                      \
    X("own", b->cloud.activation_unsubscribed = &foreign)                                          \
    X("own", b->cloud.answer_id = &foreign)                                                        \
    X("own", b->mistakes[0].rule = &foreign)                                                       \
    X("mistake_rules", b->mistakes[0].rule = NULL)                                                 \
    X("mistake_rules", b->mistakes[0].mistake = SKY_MISTAKE_NONE)                                  \
    X("mistake_rules", b->mistakes[0].mistake = SKY_MISTAKES)                                      \
    X("two rows", b->mistakes[0].mistake = SKY_MISTAKE_NOT_HMAC)                                   \
    X("lets in", b->listeners[0].allows = 0)                                                       \
    X("lets in", b->listeners[0].name = NULL)                                                      \
    X("lets in", b->listeners[0].port = 0)                                                         \
    X("other devices", b->listeners[0].home = NULL)                                                \
    X("other devices", b->listeners[0].allows |= SKY_LISTEN_ADMIN)                                 \
    X("no pattern", b->topics[0].pattern = NULL)                                                   \
    X("no pattern", b->topics[0].pattern = "/{produkt}/x")                                         \
    X("no pattern", b->topics[0].pattern = "/#/x")                                                 \
    X("no pattern", b->topics[0].pattern = "/{device")                                             \
    X("no pattern", b->service.reply = "/{")                                                       \
    X("stands before it", b->topics[1].pattern = "/{product}/{device}/x")                          \
    X("no table", b->cloud.topics = NULL)                                                          \
    X("rights", b->topics[1].rights = 0)                                                           \
    X("rights", b->topics[1].rights = 1 << 9)                                                      \
    X("handler", b->service.handle = NULL)                                                         \
    X("name", b->service.name = "")                                                                \
    X("publish to it", b->topics[0].rights = SKY_MAY_SUB)                                          \
    X("build", b->commands[0].build = NULL)                                                        \
    X("kind", b->commands[0].kind = "")                                                            \
    X("no document", b->commands[0].traits = SKY_COMMAND_KEPT)                                     \
    X("two are called", b->commands[0].kind = "get")                                               \
    X("leaves it out", b->http.count = 0)                                                          \
    X("leaves it out", b->http.rows = NULL)                                                        \
    X("path", b->calls[0].path = "bent")                                                           \
    X("path", b->calls[0].path = NULL)                                                             \
    X("method", b->calls[0].method = "")                                                           \
    X("answer", b->calls[0].answer = NULL)                                                         \
    X("claim", b->calls[0].claim = NULL)                                                           \
    X("failure", b->calls[0].failure.status = 0)                                                   \
    X("failure", b->calls[0].failure.status = 600)                                                 \
    X("failure", b->calls[0].failure.body = NULL)                                                  \
    X("own", bend_call(b))                                                                         \
    X("guesses", b->psk.guesses = NULL)                                                            \
    X("claim", b->psk.claim = NULL)                                                                \
    X("admit", b->psk.admit = NULL)                                                                \
    X("own", b->psk.key_rule = &foreign)                                                           \
    X("without psk", b->cloud.psk = NULL)                                                          \
    X("decide", b->coap.decide = NULL)                                                             \
    X("waiting_path", b->coap.waiting_option = 7)                                                  \
    X("waiting_path", b->coap.waiting_path = waiting_path)                                         \
    X("lifetime", b->coap.lifetime_ms = lifetime_ms)                                               \
    X("own", b->coap.dtls_rule = &foreign)                                                         \
    X("shadow", b->shadow.seed = NULL)                                                             \
    X("shadow", b->shadow.document = NULL)                                                         \
    X("shadow", b->shadow.patch = NULL)                                                            \
    X("properties", b->model.groups[SKY_MODEL_GROUP_PROPERTIES].key = NULL)                        \
    X("shape", b->model.shape = NULL)                                                              \
    X("kinds", b->model.kinds = NULL)                                                              \
    X("kinds", b->model.kind_count = 0)                                                            \
    X("key of ids", b->model.keys.id = NULL)                                                       \
    X("no rule", b->model.rule = NULL)                                                             \
    X("own", b->model.rule = &foreign)                                                             \
    X("form_rule", b->model.form_rule = NULL)                                                      \
    X("own", b->model.form_rule = &foreign)                                                        \
    X("bounds", b->kinds[0].max = -1)                                                              \
    X("name", b->kinds[1].name = "")                                                               \
    X("name", b->kinds[1].kind = SKY_MODEL_KINDS)                                                  \
    X("ota", b->ota.module = "")                                                                   \
    X("ota", b->ota.push = NULL)                                                                   \
    X("suspect", b->cloud.suspect = NULL)                                                          \
    X("claim", b->cloud.claim = NULL)                                                              \
    X("admit", b->cloud.admit = NULL)                                                              \
    X("sign", b->cloud.sign = NULL)                                                                \
    X("make_secret", b->cloud.make_secret = NULL)                                                  \
    X("makes none", b->cloud.make_secret = make_no_secret)                                         \
    X("makes none", b->cloud.make_secret = make_endless_secret)                                    \
    X("host_names", b->cloud.host_names = no_host)                                                 \
    X("never good enough", b->cloud.check_secret = refuse_secret)

/* The place of a bend in the table is its number. */
static const char *bend(struct bent *b, size_t number)
{
    size_t at = 0;
#define X(words, how)                                                                              \
    if (number == at++) {                                                                          \
        how;                                                                                       \
        return words;                                                                              \
    }
    BENDS(X)
#undef X
    return NULL;
}

static void a_cloud_that_breaks_the_contract_is_told_what_to_mend(void **state)
{
    (void)state;
    static struct bent b;
    const char *words;
    straighten(&b);
    for (size_t i = 0; (words = bend(&b, i)) != NULL; i++) {
        struct sky_why why = {0};
        sky_err err = sky_cloud_check(&b.cloud, &why);
        if (err == SKY_OK || strstr(why.reason, words) == NULL)
            fail_msg("bend %zu: '%s' is not in '%s'", i, words, why.reason);
        straighten(&b);
    }
}

static void a_cloud_may_have_everything_or_nothing_of_what_is_optional(void **state)
{
    (void)state;
    static struct bent b;
    struct sky_why why = {0};
    straighten(&b);
    assert_int_equal(sky_cloud_check(&b.cloud, &why), SKY_OK);
    b.cloud.http = NULL;
    b.cloud.coap = NULL;
    b.cloud.psk = NULL;
    b.cloud.shadow = NULL;
    b.cloud.model = NULL;
    b.cloud.ota = NULL;
    b.cloud.activation_unsubscribed = b.cloud.answer_id = NULL;
    b.cloud.command_count = b.topic_table.count = b.cloud.listener_count = 0;
    b.cloud.mistake_rule_count = 0;
    b.cloud.host_names = NULL;
    assert_int_equal(sky_cloud_check(&b.cloud, &why), SKY_OK);
}

static void a_cloud_may_have_as_many_rules_as_a_set_has_room_for(void **state)
{
    (void)state;
    static struct bent b;
    static char ids[SKY_RULES_SPECIAL_MAX][16];
    struct sky_why why = {0};
    straighten(&b);
    for (size_t i = 0; i < SKY_RULES_SPECIAL_MAX; i++) {
        b.rules[i] = b.rules[0];
        snprintf(ids[i], sizeof ids[i], "BENT-%zu", i);
        b.rules[i].id = ids[i];
    }
    b.cloud.rules.count = SKY_RULES_SPECIAL_MAX;
    const struct sky_cloud *const clouds[] = {&b.cloud, NULL};
    assert_int_equal(sky_clouds_check(clouds, &why), SKY_OK);
}

static void the_clouds_built_in_keep_to_the_contract(void **state)
{
    (void)state;
    struct sky_why why = {0};
    if (sky_clouds_check(sky_clouds, &why) != SKY_OK)
        fail_msg("%s", why.reason);
}

static void check_pair(const struct bent *a, const struct bent *b, const char *words)
{
    const struct sky_cloud *const clouds[] = {&a->cloud, &b->cloud, NULL};
    struct sky_why why = {0};
    sky_err err = sky_clouds_check(clouds, &why);
    if (words == NULL ? err != SKY_OK : err == SKY_OK || strstr(why.reason, words) == NULL)
        fail_msg("%s is expected: %s", words, why.reason);
}

static void clouds_share_no_names(void **state)
{
    (void)state;
    static struct bent a, b, apart;
    straighten(&a);
    straighten(&apart);
    apart.cloud.name = apart.cloud.rules.owner = "apart";
    apart.listeners[0].name = "apart";
    apart.calls[0].path = "/apart";
    apart.rules[0].id = "APART-A";
    apart.rules[1].id = "APART-B";
    check_pair(&a, &apart, NULL);
    straighten(&b);
    check_pair(&a, &b, "two clouds");
    b.cloud.name = b.cloud.rules.owner = "apart";
    check_pair(&a, &b, "two listeners");
    b.listeners[0].name = "apart";
    check_pair(&a, &b, "two HTTP calls");
    b.calls[0].path = "/apart";
    check_pair(&a, &b, "two rules are called BENT-A");
    apart.rules[1].id = "APART-A";
    check_pair(&a, &apart, "two rules are called APART-A");
}

static void there_is_room_for_so_many_clouds_and_listeners(void **state)
{
    (void)state;
    static struct bent some[SKY_CLOUDS_MAX + 1], one;
    static char names[SKY_CLOUDS_MAX + 1][3][8];
    const struct sky_cloud *clouds[SKY_CLOUDS_MAX + 2] = {NULL};
    struct sky_why why = {0};
    for (size_t i = 0; i <= SKY_CLOUDS_MAX; i++) {
        straighten(&some[i]);
        snprintf(names[i][0], sizeof names[i][0], "bent%zu", i);
        snprintf(names[i][1], sizeof names[i][1], "BENT-%zu", i);
        snprintf(names[i][2], sizeof names[i][2], "/bent%zu", i);
        some[i].cloud.name = some[i].cloud.rules.owner = names[i][0];
        some[i].rules[0].id = names[i][1];
        some[i].calls[0].path = names[i][2];
        some[i].cloud.rules.count = 1;
        some[i].cloud.activation_unsubscribed = some[i].cloud.answer_id = NULL;
        some[i].cloud.mistake_rule_count = 1;
        some[i].cloud.listener_count = 0;
        clouds[i] = i < SKY_CLOUDS_MAX ? &some[i].cloud : NULL;
    }
    if (sky_clouds_check(clouds, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    clouds[SKY_CLOUDS_MAX] = &some[SKY_CLOUDS_MAX].cloud;
    assert_int_equal(sky_clouds_check(clouds, &why), SKY_ERR_LIMIT);

    static char listeners[SKY_CLOUD_LISTENERS_MAX + 1][8];
    const struct sky_cloud *const alone[] = {&one.cloud, NULL};
    straighten(&one);
    for (size_t i = 0; i <= SKY_CLOUD_LISTENERS_MAX; i++) {
        snprintf(listeners[i], sizeof listeners[i], "bent%zu", i);
        one.listeners[i] = one.listeners[0];
        one.listeners[i].name = listeners[i];
    }
    one.cloud.listener_count = SKY_CLOUD_LISTENERS_MAX;
    assert_int_equal(sky_clouds_check(alone, &why), SKY_OK);
    one.cloud.listener_count++;
    assert_int_equal(sky_clouds_check(alone, &why), SKY_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clouds_built_in_keep_to_the_contract),
        cmocka_unit_test(a_cloud_that_breaks_the_contract_is_told_what_to_mend),
        cmocka_unit_test(a_cloud_may_have_everything_or_nothing_of_what_is_optional),
        cmocka_unit_test(a_cloud_may_have_as_many_rules_as_a_set_has_room_for),
        cmocka_unit_test(clouds_share_no_names),
        cmocka_unit_test(there_is_room_for_so_many_clouds_and_listeners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
