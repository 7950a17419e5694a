#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/judge/verify.h"

/* ---- events ---- */

#define POST "/sys/pk/d/thing/event/property/post"

/* What happens, in a table: an empty row ends it. */
struct act {
    enum sky_event_type type;
    const char *topic, *payload;
    int64_t at_ms;
    const char *refused;
    bool there;
};
#define PUBLISH(topic, payload, at_ms)                                                             \
    {                                                                                              \
        SKY_EVENT_PUBLISH, topic, payload, at_ms, NULL, true                                       \
    }
#define PLAIN(type, at_ms)                                                                         \
    {                                                                                              \
        SKY_EVENT_##type, NULL, NULL, at_ms, NULL, true                                            \
    }
#define REFUSED(type, at_ms, rule)                                                                 \
    {                                                                                              \
        SKY_EVENT_##type, NULL, NULL, at_ms, rule, true                                            \
    }
enum { ACTS_MAX = 12 };

static struct sky_subject subject_of(const struct act *act, struct sky_event_head *head)
{
    static const struct sky_attr qos[] = {SKY_ATTR_INT(QOS, 1)};
    static const struct sky_event_finding none[1];
    *head = (struct sky_event_head){
        .type = act->type, .direction = SKY_UP, .transport = SKY_TCP, .connection = 1};
    return (struct sky_subject){.head = head,
                                .attrs = qos,
                                .attr_count = act->topic != NULL ? 1 : 0,
                                .findings = none,
                                .refused = sky_span_str(act->refused),
                                .topic = sky_span_str(act->topic),
                                .payload = sky_span_str(act->payload),
                                .device = "aliyun/pk/d"};
}

static struct sky_verify *claim(const char *json)
{
    struct sky_why why = {0};
    cJSON *tree;
    if (sky_json_parse(sky_span_str(json), 32, &tree, &why) != SKY_OK)
        fail_msg("%s: %s", json, why.reason);
    struct sky_verify *verify = sky_verify_new(tree, "", NULL, &why);
    if (verify == NULL)
        fail_msg("%s: %s %s", json, why.pointer, why.reason);
    cJSON_Delete(tree);
    return verify;
}

static void feed(struct sky_verify *verify, const struct act *acts)
{
    struct sky_event_head head;
    for (uint64_t seq = 1; acts[seq - 1].there; seq++) {
        struct sky_subject subject = subject_of(&acts[seq - 1], &head);
        sky_verify_feed(verify, &subject, seq, acts[seq - 1].at_ms);
    }
}

static uint64_t lost; /* events that are gone */

/* The whole answer, as the API gives it. The caller frees it. */
static char *answer_of(struct sky_verify *verify, const struct act *acts)
{
    struct sky_verify_miss misses[SKY_VERIFY_NEAREST_MAX];
    uint64_t seqs[SKY_VERIFY_NEAREST_MAX];
    struct sky_event_head head;
    struct sky_buf out;
    size_t near = 0;
    bool holds = sky_verify_state(verify, true) == SKY_VERIFY_HOLDS;
    for (uint64_t seq = 1; !holds && acts[seq - 1].there; seq++) {
        struct sky_subject subject = subject_of(&acts[seq - 1], &head);
        sky_verify_seek(verify, &subject, seq);
    }
    if (!holds)
        near = sky_verify_nearest(verify, seqs);
    for (size_t i = 0; i < near; i++) {
        struct sky_subject subject = subject_of(&acts[seqs[i] - 1], &head);
        sky_verify_compare(verify, &subject, seqs[i], &misses[i]);
    }
    sky_buf_init(&out, 1 << 20);
    struct sky_jw jw = sky_jw(&out);
    const struct sky_verify_scope scope = {.lost = lost};
    sky_verify_print(verify, holds, &scope, misses, near, &jw);
    char *text = sky_mem_dup(out.bytes, out.len);
    sky_buf_done(&out);
    return text;
}

static void answers(const char *json, const struct act *acts, const char *wanted)
{
    struct sky_verify *verify = claim(json);
    feed(verify, acts);
    char *text = answer_of(verify, acts);
    if (strcmp(text, wanted) != 0)
        fail_msg("%s\nanswered %s\nwanted   %s", json, text, wanted);
    free(text);
    sky_verify_free(verify);
}

/* The sentence alone. */
static void says(const char *json, const struct act *acts, const char *wanted)
{
    struct sky_verify *verify = claim(json);
    feed(verify, acts);
    char *text = answer_of(verify, acts);
    cJSON *tree = cJSON_Parse(text);
    const char *why = sky_json_get_str(tree, "why");
    if (why == NULL || strcmp(why, wanted) != 0)
        fail_msg("%s\nsaid   %s\nwanted %s", json, why ? why : "(it holds)", wanted);
    cJSON_Delete(tree);
    free(text);
    sky_verify_free(verify);
}

static void states(const char *json, const struct act *acts, enum sky_verify_state now,
                   enum sky_verify_state over)
{
    struct sky_verify *verify = claim(json);
    feed(verify, acts);
    if (sky_verify_state(verify, false) != now || sky_verify_state(verify, true) != over)
        fail_msg("%s stands at %d, and when all is over at %d", json,
                 sky_verify_state(verify, false), sky_verify_state(verify, true));
    sky_verify_free(verify);
}

/* ---- claims ---- */

static void a_claim_that_makes_no_sense_is_told_where(void **state)
{
    static const struct {
        const char *json, *pointer;
    } table[] = {
        {"{}", ""},
        {"{\"event\":{},\"absent\":{}}", "/absent"},
        {"{\"event\":{},\"sequence\":[{}]}", "/sequence"},
        {"{\"sequence\":[{}],\"absent\":{}}", "/absent"},
        {"{\"event\":5}", "/event"},
        {"{\"event\":{\"typ\":\"publish\"}}", "/event/typ"},
        {"{\"event\":{\"anyOf\":[{},{\"x\":1}]}}", "/event/anyOf/1/x"},
        {"{\"absent\":{\"x\":1}}", "/absent/x"},
        {"{\"absent\":[]}", "/absent"},
        {"{\"sequence\":{}}", "/sequence"},
        {"{\"sequence\":[]}", "/sequence"},
        {"{\"sequence\":[{},5]}", "/sequence/1"},
        {"{\"sequence\":[{},{\"topic\":{\"matches\":\"(\"}}]}", "/sequence/1/topic/matches"},
        {"{\"event\":{},\"count\":5}", "/count"},
        {"{\"event\":{},\"count\":{\"least\":1}}", "/count"},
        {"{\"event\":{},\"count\":{\"min\":-1}}", "/count/min"},
        {"{\"event\":{},\"count\":{\"min\":1.5}}", "/count/min"},
        {"{\"event\":{},\"count\":{\"min\":\"1\"}}", "/count/min"},
        {"{\"event\":{},\"count\":{\"max\":1000000001}}", "/count/max"},
        {"{\"event\":{},\"count\":{\"min\":3,\"max\":2}}", "/count"},
        {"{\"absent\":{},\"count\":{\"max\":1}}", "/count"},
        {"{\"sequence\":[{}],\"count\":{}}", "/count"},
        {"{\"absent\":{},\"withinMs\":5}", "/withinMs"},
        {"{\"event\":{},\"withinMs\":-1}", "/withinMs"},
        {"{\"event\":{},\"withinMs\":0.5}", "/withinMs"},
        {"{\"event\":{},\"count\":{\"min\":1001},\"withinMs\":5}", "/count/min"},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(table); i++) {
        struct sky_why why = {0};
        cJSON *tree;
        assert_int_equal(sky_json_parse(sky_span_str(table[i].json), 32, &tree, &why), SKY_OK);
        struct sky_verify *verify = sky_verify_new(tree, "", NULL, &why);
        if (verify != NULL || strcmp(why.pointer, table[i].pointer) != 0)
            fail_msg("%s: %s '%s' %s", table[i].json, verify ? "taken" : "refused", why.pointer,
                     why.reason);
        cJSON_Delete(tree);
    }
}

static void limits_are_taken_up_to_the_limit(void **state)
{
    static const struct act nothing[] = {{0}};
    char json[SKY_VERIFY_STEPS_MAX * 4 + 64] = "{\"sequence\":[{}";
    struct sky_why why;
    cJSON *tree;
    (void)state;
    states("{\"event\":{},\"count\":{\"min\":1000},\"withinMs\":5}", nothing, SKY_VERIFY_OPEN,
           SKY_VERIFY_BROKEN);
    states("{\"event\":{},\"count\":{\"max\":1000000000}}", nothing, SKY_VERIFY_OPEN,
           SKY_VERIFY_BROKEN);
    for (size_t i = 1; i < SKY_VERIFY_STEPS_MAX; i++)
        strcat(json, ",{}");
    size_t len = strlen(json);
    strcpy(json + len, "]}");
    states(json, nothing, SKY_VERIFY_OPEN, SKY_VERIFY_BROKEN);
    strcpy(json + len, ",{}]}");
    assert_int_equal(sky_json_parse(sky_span_str(json), 32, &tree, &why), SKY_OK);
    assert_null(sky_verify_new(tree, "/expect", NULL, &why));
    assert_string_equal(why.pointer, "/expect/sequence");
    cJSON_Delete(tree);
}

/* ---- how it stands ---- */

static const struct act three_posts[] = {PLAIN(CONNECT, 0),
                                         PUBLISH(POST, "{\"params\":{\"temp\":18}}", 100),
                                         PUBLISH(POST, "{\"params\":{\"temp\":19.5}}", 1100),
                                         PUBLISH("other", "{\"params\":{\"temp\":21}}", 1200),
                                         PUBLISH(POST, "{\"params\":{\"hum\":1}}", 5200),
                                         {0}};

static void what_will_not_change_is_said_at_once(void **state)
{
    (void)state;
#define PUBLISHES "\"event\":{\"type\":\"publish\"}"
    states("{" PUBLISHES "}", three_posts, SKY_VERIFY_HOLDS, SKY_VERIFY_HOLDS);
    states("{" PUBLISHES ",\"count\":{\"min\":4}}", three_posts, SKY_VERIFY_HOLDS,
           SKY_VERIFY_HOLDS);
    states("{" PUBLISHES ",\"count\":{\"min\":5}}", three_posts, SKY_VERIFY_OPEN,
           SKY_VERIFY_BROKEN);
    states("{" PUBLISHES ",\"count\":{\"max\":4}}", three_posts, SKY_VERIFY_OPEN, SKY_VERIFY_HOLDS);
    states("{" PUBLISHES ",\"count\":{\"min\":4,\"max\":4}}", three_posts, SKY_VERIFY_OPEN,
           SKY_VERIFY_HOLDS);
    states("{" PUBLISHES ",\"count\":{\"max\":3}}", three_posts, SKY_VERIFY_BROKEN,
           SKY_VERIFY_BROKEN);
    states("{" PUBLISHES ",\"count\":{\"max\":0}}", three_posts, SKY_VERIFY_BROKEN,
           SKY_VERIFY_BROKEN);
    states("{\"event\":{\"type\":\"close\"},\"count\":{\"max\":0}}", three_posts, SKY_VERIFY_OPEN,
           SKY_VERIFY_HOLDS);
    states("{\"event\":{\"type\":\"close\"},\"count\":{\"min\":0}}", three_posts, SKY_VERIFY_HOLDS,
           SKY_VERIFY_HOLDS);
    /* Without a min at least one is meant, whatever the max. */
    states("{\"event\":{\"type\":\"close\"},\"count\":{\"max\":2}}", three_posts, SKY_VERIFY_OPEN,
           SKY_VERIFY_BROKEN);
    states("{\"absent\":{\"type\":\"close\"}}", three_posts, SKY_VERIFY_OPEN, SKY_VERIFY_HOLDS);
    states("{\"absent\":{\"type\":\"connect\"}}", three_posts, SKY_VERIFY_BROKEN,
           SKY_VERIFY_BROKEN);
}

static void a_sequence_is_in_order_with_others_between(void **state)
{
    (void)state;
    states("{\"sequence\":[{\"type\":\"connect\"},{\"topic\":\"other\"}]}", three_posts,
           SKY_VERIFY_HOLDS, SKY_VERIFY_HOLDS);
    states("{\"sequence\":[{\"topic\":\"other\"},{\"type\":\"connect\"}]}", three_posts,
           SKY_VERIFY_OPEN, SKY_VERIFY_BROKEN);
    /* An event is one step. */
    states("{\"sequence\":[{\"type\":\"connect\"},{\"type\":\"connect\"}]}", three_posts,
           SKY_VERIFY_OPEN, SKY_VERIFY_BROKEN);
    states("{\"sequence\":[{},{},{},{},{}]}", three_posts, SKY_VERIFY_HOLDS, SKY_VERIFY_HOLDS);
    states("{\"sequence\":[{},{},{},{},{},{}]}", three_posts, SKY_VERIFY_OPEN, SKY_VERIFY_BROKEN);
    answers("{\"sequence\":[{\"type\":\"publish\"},{\"type\":\"publish\"}]}", three_posts,
            "{\"holds\":true,\"count\":2,\"events\":[2,3]}");
}

static void what_holds_names_all_its_events(void **state)
{
    (void)state;
    answers("{" PUBLISHES "}", three_posts, "{\"holds\":true,\"count\":4,\"events\":[2,3,4,5]}");
    answers("{\"absent\":{\"type\":\"close\"}}", three_posts,
            "{\"holds\":true,\"count\":0,\"events\":[]}");
}

/* ---- within so much time ---- */

static void min_events_lie_within_the_time_anywhere(void **state)
{
    static const struct act acts[] = {PLAIN(PING, 1000),
                                      PLAIN(PING, 5000),
                                      PLAIN(PING, 5100),
                                      PLAIN(CLOSE, 5150),
                                      PLAIN(PING, 5200),
                                      PLAIN(PING, 9000),
                                      {0}};
    (void)state;
#define PINGS "\"event\":{\"type\":\"pingreq\"}"
    answers("{" PINGS ",\"count\":{\"min\":3},\"withinMs\":200}", acts,
            "{\"holds\":true,\"count\":5,\"events\":[2,3,5]}");
    states("{" PINGS ",\"count\":{\"min\":3},\"withinMs\":199}", acts, SKY_VERIFY_OPEN,
           SKY_VERIFY_BROKEN);
    says("{" PINGS ",\"count\":{\"min\":3},\"withinMs\":199}", acts,
         "5 pingreqs: seq 1, 2, 3, 5, 6, but no 3 of them within 199 ms: the closest take 200 ms, "
         "from seq 2 to 5");
    answers("{" PINGS ",\"withinMs\":0}", acts, "{\"holds\":true,\"count\":5,\"events\":[1]}");
    states("{" PINGS ",\"count\":{\"min\":3,\"max\":4},\"withinMs\":200}", acts, SKY_VERIFY_BROKEN,
           SKY_VERIFY_BROKEN);
    says("{" PINGS ",\"count\":{\"min\":6},\"withinMs\":200}", acts,
         "5 pingreqs: seq 1, 2, 3, 5, 6, where 6 are wanted");
}

static void a_sequence_within_the_time_need_not_be_the_first(void **state)
{
    static const struct act acts[] = {
        PLAIN(CONNECT, 0),      PLAIN(SUBSCRIBE, 4000), PLAIN(CONNECT, 5000), PLAIN(CONNECT, 6000),
        PLAIN(SUBSCRIBE, 6300), PLAIN(PING, 6500),      PLAIN(PING, 9000),    {0}};
    (void)state;
#define LOGIN                                                                                      \
    "\"sequence\":[{\"type\":\"connect\"},{\"type\":\"subscribe\"},{\"type\":\"pingreq\"}]"
    answers("{" LOGIN ",\"withinMs\":500}", acts,
            "{\"holds\":true,\"count\":3,\"events\":[4,5,6]}");
    answers("{" LOGIN "}", acts, "{\"holds\":true,\"count\":3,\"events\":[1,2,6]}");
    says("{" LOGIN ",\"withinMs\":499}", acts,
         "all 3 steps came, but not within 499 ms: the quickest took 500 ms, seq 4, 5, 6");
}

static void time_set_backwards_has_not_passed(void **state)
{
    static const struct act acts[] = {
        PLAIN(PING, 100000), PLAIN(PING, 2000), PLAIN(PING, 2100), {0}};
    (void)state;
    answers("{" PINGS ",\"count\":{\"min\":3},\"withinMs\":100}", acts,
            "{\"holds\":true,\"count\":3,\"events\":[1,2,3]}");
    says("{" PINGS ",\"count\":{\"min\":3},\"withinMs\":99}", acts,
         "3 pingreqs: seq 1, 2, 3, but no 3 of them within 99 ms: the closest take 100 ms, from "
         "seq 1 to 3");
}

/* ---- why not ---- */

static void the_sentence_says_what_was_different(void **state)
{
    (void)state;
#define HOT "\"payload\":{\"pointer\":\"/params/temp\",\"min\":20}"
    says("{\"event\":{\"type\":\"publish\",\"topic\":\"" POST "\"," HOT "}}", three_posts,
         "3 publishes to " POST ", none with params.temp >= 20; nearest: seq 5, params.temp is "
         "nothing");
    says("{\"event\":{\"type\":\"publish\",\"topic\":\"else\"}}", three_posts,
         "4 publishes, none to else; nearest: seq 5, topic is \"" POST "\"");
    says("{\"event\":{\"type\":\"publish\",\"topic\":\"else\"," HOT "}}", three_posts,
         "4 publishes, none to else with params.temp >= 20; nearest: seq 4, topic is \"other\"");
    says("{\"event\":{\"type\":\"connect\"},\"count\":{\"min\":3}}", three_posts,
         "1 connect: seq 1, where 3 are wanted");
    says("{\"event\":{\"type\":\"publish\",\"qos\":0,\"topic\":\"other\"},\"count\":{\"min\":2}}",
         three_posts,
         "1 publish to other, none with qos = 0; nearest: seq 4, qos is 1; 2 are wanted");
    says("{\"event\":{\"type\":[\"subscribe\",\"publish\"],\"device\":\"aliyun/pk/x\"}}",
         three_posts,
         "4 publishes or subscribes, none of aliyun/pk/x; nearest: seq 5, device is "
         "\"aliyun/pk/d\"");
    says("{\"event\":{\"type\":{\"matches\":\"^sub\"}}}", three_posts,
         "5 events, none with type matches \"^sub\"; nearest: seq 5, type is \"publish\"");
    says("{\"event\":{\"type\":\"publish\",\"topic\":\"other\",\"not\":{\"qos\":1}}}", three_posts,
         "1 publish to other, none with not being event with qos = 1; nearest: seq 4, it is event "
         "with qos = 1");
    says("{\"event\":{\"qos\":0}}", three_posts,
         "5 events, none with qos = 0; nearest: seq 5, qos is 1");
}

static void too_many_are_named(void **state)
{
    (void)state;
    says("{\"absent\":{\"type\":\"publish\",\"topic\":\"" POST "\"}}", three_posts,
         "3 publishes to " POST ": seq 2, 3, 5, where none is wanted");
    says("{" PUBLISHES ",\"count\":{\"max\":1}}", three_posts,
         "4 publishes: seq 2, 3, 4, 5, where 1 at the most is wanted");
    answers("{\"absent\":{\"topic\":\"other\"}}", three_posts,
            "{\"holds\":false,\"count\":1,\"events\":[4],\"why\":\"1 event to other: seq 4, where "
            "none is wanted\",\"nearest\":[]}");
}

static void of_too_many_to_name_some_are_told(void **state)
{
    struct sky_verify *verify = claim("{\"absent\":{\"type\":\"pingreq\"}}");
    static const struct act ping = PLAIN(PING, 0), nothing[] = {{0}};
    struct sky_event_head head;
    struct sky_subject subject = subject_of(&ping, &head);
    (void)state;
    for (uint64_t seq = 1; seq <= SKY_VERIFY_EVENTS_MAX + 5; seq++)
        sky_verify_feed(verify, &subject, seq, 0);
    char *text = answer_of(verify, nothing);
    cJSON *tree = cJSON_Parse(text);
    assert_int_equal(cJSON_GetArraySize(sky_json_get(tree, "events")), SKY_VERIFY_EVENTS_MAX);
    assert_int_equal(sky_json_get(tree, "count")->valueint, SKY_VERIFY_EVENTS_MAX + 5);
    assert_string_equal(sky_json_get_str(tree, "why"),
                        "1005 pingreqs: seq 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 995 more, where none "
                        "is wanted");
    cJSON_Delete(tree);
    free(text);
    sky_verify_free(verify);
}

static void when_nothing_is_of_the_type_what_there_was_is_told(void **state)
{
    static const struct act refused[] = {REFUSED(CONNECT, 0, "ALI-SIGN"), {0}},
                            closed[] = {REFUSED(CONNECT, 0, "ALI-SIGN"), PLAIN(CLOSE, 0), {0}},
                            online[] = {PLAIN(CONNECT, 0), PLAIN(ONLINE, 0), {0}},
                            nothing[] = {{0}};
    (void)state;
    says("{" PUBLISHES "}", refused,
         "no publish at all; the last event is a refused connect, seq 1, ALI-SIGN");
    says("{" PUBLISHES "}", closed,
         "no publish at all; there is a refused connect, seq 1, ALI-SIGN; the last event is a "
         "close, seq 2");
    says("{" PUBLISHES "}", online, "no publish at all; the last event is an online, seq 2");
    says("{" PUBLISHES "}", nothing, "no publish at all; nothing happened");
    says("{\"event\":{\"topic\":\"a\"}}", nothing, "no event at all; nothing happened");
}

static void the_nearest_have_the_fewest_differences(void **state)
{
    static const struct act acts[] = {
        PUBLISH("a", "{\"x\":1,\"y\":1}", 0), PLAIN(CONNECT, 0),
        PUBLISH("b", "{\"x\":1,\"y\":2}", 0), PUBLISH("a", "{\"x\":5,\"y\":1}", 0),
        PUBLISH("a", "{\"x\":5,\"y\":2}", 0), {0}};
    (void)state;
    answers(
        "{\"event\":{\"type\":\"publish\",\"topic\":\"a\",\"payload\":{\"json\":{\"x\":1,\"y\":"
        "2}}}}",
        acts,
        "{\"holds\":false,\"count\":0,\"events\":[],\"why\":\"3 publishes to a, none with "
        "payload having {\\\"x\\\":1,\\\"y\\\":2}; nearest: seq 5, x is 5\",\"nearest\":["
        "{\"seq\":5,\"differs\":[{\"pointer\":\"/payload/x\",\"wanted\":1,\"found\":5}]},"
        "{\"seq\":1,\"differs\":[{\"pointer\":\"/payload/y\",\"wanted\":2,\"found\":1}]},"
        "{\"seq\":3,\"differs\":[{\"pointer\":\"/topic\",\"wanted\":\"a\",\"found\":\"b\"}]}]}");
}

static void a_sequence_says_how_far_it_came(void **state)
{
    static const struct act acts[] = {PUBLISH("b", "1", 0), PLAIN(CONNECT, 0),
                                      PUBLISH("a", "1", 0), PLAIN(PING, 0),
                                      PUBLISH("c", "1", 0), {0}};
    (void)state;
#define STEPS(third) "{\"sequence\":[{\"type\":\"connect\"},{\"topic\":\"a\"}," third "]}"
    says(STEPS("{\"type\":\"publish\",\"topic\":\"b\"}"), acts,
         "step 3 of 3, publish to b, did not come behind step 2, event to a, seq 3; seq 1 is one, "
         "but came before; behind that: 1 publish, none to b; nearest: seq 5, topic is \"c\"");
    says(STEPS("{\"type\":\"close\"}"), acts,
         "step 3 of 3, close, did not come behind step 2, event to a, seq 3; behind that: no close "
         "at all; the last event is a publish, seq 5");
    says("{\"sequence\":[{\"type\":\"close\"},{\"topic\":\"a\"}]}", acts,
         "step 1 of 2, close, did not come; no close at all; the last event is a publish, seq 5");
    says("{\"sequence\":[{\"topic\":\"c\"},{\"type\":\"publish\"}]}", acts,
         "step 2 of 2, publish, did not come behind step 1, event to c, seq 5; seq 3 is one, but "
         "came before; behind that: nothing");
    answers("{\"sequence\":[{\"topic\":\"c\"},{\"type\":\"close\"}],\"withinMs\":5}", acts,
            "{\"holds\":false,\"count\":1,\"events\":[5],\"why\":\"step 2 of 2, close, did not "
            "come behind step 1, event to c, seq 5; behind that: nothing\",\"nearest\":[]}");
}

static void what_is_lost_is_not_passed_over_in_silence(void **state)
{
    static const struct act nothing[] = {{0}};
    (void)state;
    lost = 7;
    answers("{\"absent\":{}}", nothing, "{\"holds\":true,\"count\":0,\"events\":[],\"lost\":7}");
    says("{" PUBLISHES "}", nothing,
         "no publish at all; nothing happened; 7 older events are lost");
    lost = 0;
}

static void a_sentence_has_an_end(void **state)
{
    char json[4096], *at = json;
    (void)state;
    at += sprintf(at, "{\"event\":{\"type\":\"publish\",\"topic\":\"");
    memset(at, 't', 2000);
    strcpy(at + 2000, "\"}}");
    struct sky_verify *verify = claim(json);
    feed(verify, three_posts);
    char *text = answer_of(verify, three_posts);
    assert_non_null(strstr(text, "ttt...; nearest: seq 5, topic is"));
    free(text);
    sky_verify_free(verify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_that_makes_no_sense_is_told_where),
        cmocka_unit_test(limits_are_taken_up_to_the_limit),
        cmocka_unit_test(what_will_not_change_is_said_at_once),
        cmocka_unit_test(a_sequence_is_in_order_with_others_between),
        cmocka_unit_test(what_holds_names_all_its_events),
        cmocka_unit_test(min_events_lie_within_the_time_anywhere),
        cmocka_unit_test(a_sequence_within_the_time_need_not_be_the_first),
        cmocka_unit_test(time_set_backwards_has_not_passed),
        cmocka_unit_test(the_sentence_says_what_was_different),
        cmocka_unit_test(too_many_are_named),
        cmocka_unit_test(of_too_many_to_name_some_are_told),
        cmocka_unit_test(when_nothing_is_of_the_type_what_there_was_is_told),
        cmocka_unit_test(the_nearest_have_the_fewest_differences),
        cmocka_unit_test(a_sequence_says_how_far_it_came),
        cmocka_unit_test(what_is_lost_is_not_passed_over_in_silence),
        cmocka_unit_test(a_sentence_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
