#include "pattern_case.h"

/* ---- subjects ---- */

static const char explanation[] = "{\"rule\":\"R-LOGIN\",\"mistake\":\"values-only\"}";
static const char filters[] =
    "[{\"filter\":\"a/+\",\"qos\":0,\"code\":0},{\"filter\":\"q\\\"/#\",\"qos\":1,\"code\":128}]";

static const struct sky_event_head publish_head = {
    .type = SKY_EVENT_PUBLISH, .direction = SKY_UP, .transport = SKY_TLS, .connection = 7};
static const struct sky_event_head subscribe_head = {
    .type = SKY_EVENT_SUBSCRIBE, .direction = SKY_UP, .transport = SKY_TCP, .connection = 8};
static const struct sky_event_head connect_head = {
    .type = SKY_EVENT_CONNECT, .direction = SKY_UP, .transport = SKY_TCP, .connection = 9};
static const struct sky_event_head clock_head = {.type = SKY_EVENT_CLOCK, .direction = SKY_INSIDE};

static struct sky_subject publish(const char *payload)
{
    static const struct sky_attr attrs[] = {SKY_ATTR_INT(QOS, 1), SKY_ATTR_INT(PACKET_ID, 41)};
    static const struct sky_event_finding none[1];
    return (struct sky_subject){.head = &publish_head,
                                .attrs = attrs,
                                .attr_count = SKY_COUNT(attrs),
                                .findings = none,
                                .topic = SKY_SPAN("/sys/pk/d/thing/event/property/post"),
                                .payload = sky_span_str(payload),
                                .device = "aliyun/pk/d"};
}

static struct sky_subject subscribe(void)
{
    static struct sky_attr attrs[2];
    static const struct sky_event_finding none[1];
    attrs[0] = SKY_ATTR_INT(PACKET_ID, 1);
    attrs[1] = SKY_ATTR(FILTERS, sky_span_str(filters));
    return (struct sky_subject){.head = &subscribe_head,
                                .attrs = attrs,
                                .attr_count = 2,
                                .findings = none,
                                .device = "tencent/P1/dev"};
}

/* Refused, of a peer that has named a product and no device. */
static struct sky_subject refused(void)
{
    static struct sky_attr attrs[6];
    static struct sky_event_finding findings[2];
    attrs[0] = SKY_ATTR(CLOUD, SKY_SPAN("enos"));
    attrs[1] = SKY_ATTR(PRODUCT, SKY_SPAN("KV"));
    attrs[2] = SKY_ATTR(EXPLANATION, sky_span_str(explanation));
    attrs[3] = SKY_ATTR_INT(KEEPALIVE, 30);
    attrs[4] = SKY_ATTR_INT(CLEAN_SESSION, 1);
    attrs[5] = SKY_ATTR(CLIENT_ID, SKY_SPAN("x|timestamp=1|"));
    findings[0] = (struct sky_event_finding){.rule_id = SKY_SPAN("R-KEEPALIVE")};
    findings[1] = (struct sky_event_finding){.rule_id = SKY_SPAN("R-LOGIN")};
    return (struct sky_subject){.head = &connect_head,
                                .attrs = attrs,
                                .attr_count = SKY_COUNT(attrs),
                                .findings = findings,
                                .finding_count = 2,
                                .refused = SKY_SPAN("R-LOGIN"),
                                .device = ""};
}

static bool holds(const char *json, struct sky_subject subject)
{
    struct sky_pattern *pattern = pattern_of(json);
    bool matches = sky_pattern_matches(pattern, &subject);
    struct sky_difference list[SKY_PATTERN_DIFFERENCES_MAX];
    size_t differ = sky_pattern_differences(pattern, &subject, list, SKY_COUNT(list));
    if (matches != (differ == 0))
        fail_msg("%s: matches is %d, with %zu differences", json, matches, differ);
    sky_pattern_free(pattern);
    return matches;
}

static void all_hold(const char *const *patterns, struct sky_subject subject)
{
    for (; *patterns != NULL; patterns++)
        if (!holds(*patterns, subject))
            fail_msg("%s does not match", *patterns);
}

static void none_holds(const char *const *patterns, struct sky_subject subject)
{
    for (; *patterns != NULL; patterns++)
        if (holds(*patterns, subject))
            fail_msg("%s matches", *patterns);
}

/* ---- members ---- */

static void a_publish_is_chosen_by_what_it_has(void **state)
{
    static const char *const good[] = {
        "{}",
        "{\"type\":\"publish\"}",
        "{\"type\":[\"connect\",\"publish\"],\"direction\":\"up\",\"transport\":\"tls\"}",
        "{\"type\":{\"matches\":\"^pub\"}}",
        "{\"connection\":7}",
        "{\"connection\":{\"min\":7}}",
        "{\"device\":\"aliyun/pk/d\"}",
        "{\"device\":[\"aliyun/pk/e\",\"aliyun/pk/d\"]}",
        "{\"device\":{\"matches\":\"/d$\"}}",
        "{\"product\":\"aliyun/pk\",\"cloud\":\"aliyun\"}",
        "{\"topic\":\"/sys/+/+/thing/#\"}",
        "{\"topic\":[\"a\",\"/sys/#\"]}",
        "{\"topic\":{\"matches\":\"property/post$\"}}",
        "{\"qos\":1,\"dup\":false,\"retain\":false}",
        "{\"qos\":[0,1],\"packetId\":{\"min\":40,\"max\":41}}",
        "{\"refused\":false}",
        "{\"not\":{\"rule\":{\"matches\":\".\"}}}",
        "{\"anyOf\":[{\"qos\":0},{\"qos\":1,\"dup\":false}]}",
        NULL};
    static const char *const bad[] = {"{\"type\":\"puback\"}",
                                      "{\"type\":{\"matches\":\"^nothing\"}}",
                                      "{\"direction\":\"down\"}",
                                      "{\"transport\":\"tcp\"}",
                                      "{\"connection\":{\"max\":6}}",
                                      "{\"device\":\"aliyun/pk/e\"}",
                                      "{\"product\":\"aliyun/p\"}",
                                      "{\"cloud\":\"tencent\"}",
                                      "{\"topic\":\"/sys/+\"}",
                                      "{\"topic\":\"#\",\"qos\":0}",
                                      "{\"dup\":true}",
                                      "{\"retain\":true}",
                                      "{\"sessionPresent\":false}",
                                      "{\"keepAlive\":{\"max\":300}}",
                                      "{\"refused\":true}",
                                      "{\"refused\":\"R-LOGIN\"}",
                                      "{\"not\":{\"qos\":1}}",
                                      "{\"anyOf\":[{\"qos\":0},{\"qos\":1,\"dup\":true}]}",
                                      "{\"service\":\"x\"}",
                                      NULL};
    (void)state;
    all_hold(good, publish(""));
    none_holds(bad, publish(""));
}

static void of_many_filters_any_will_do(void **state)
{
    static const char *const good[] = {"{\"filter\":\"a/+\"}",
                                       "{\"filter\":\"q\\\"/#\"}",
                                       "{\"filter\":{\"matches\":\"^q\"}}",
                                       "{\"qos\":0}",
                                       "{\"qos\":1}",
                                       "{\"code\":128}",
                                       "{\"code\":{\"min\":1}}",
                                       "{\"packetId\":1}",
                                       NULL};
    static const char *const bad[] = {"{\"filter\":\"a/b\"}", "{\"qos\":2}",       "{\"code\":1}",
                                      "{\"dup\":false}",      "{\"topic\":\"#\"}", NULL};
    (void)state;
    all_hold(good, subscribe());
    none_holds(bad, subscribe());
}

static void a_refusal_is_chosen_by_its_judgement(void **state)
{
    static const char *const good[] = {"{\"rule\":\"R-KEEPALIVE\"}",
                                       "{\"rule\":[\"X\",\"R-LOGIN\"]}",
                                       "{\"refused\":true}",
                                       "{\"refused\":\"R-LOGIN\"}",
                                       "{\"refused\":[\"X\",\"R-LOGIN\"]}",
                                       "{\"refused\":{\"matches\":\"LOGIN\"}}",
                                       "{\"mistake\":\"values-only\"}",
                                       "{\"product\":\"enos/KV\"}",
                                       "{\"cloud\":\"enos\"}",
                                       "{\"keepAlive\":{\"max\":59},\"cleanSession\":true}",
                                       "{\"clientId\":{\"matches\":\"timestamp=\\\\d\"}}",
                                       "{\"not\":{\"device\":{\"matches\":\".\"}}}",
                                       NULL};
    static const char *const bad[] = {"{\"rule\":\"R-X\"}",
                                      "{\"refused\":false}",
                                      "{\"refused\":\"R-KEEPALIVE\"}",
                                      "{\"mistake\":\"other\"}",
                                      "{\"product\":\"enos/K\"}",
                                      "{\"device\":\"enos/KV/d\"}",
                                      NULL};
    (void)state;
    all_hold(good, refused());
    none_holds(bad, refused());
}

static void what_is_not_judged_yet_is_neither(void **state)
{
    static const char *const bad[] = {"{\"rule\":\"R\"}",
                                      "{\"not\":{\"rule\":\"R\"}}",
                                      "{\"refused\":false}",
                                      "{\"not\":{\"refused\":true}}",
                                      "{\"anyOf\":[{\"refused\":true},{\"qos\":0}]}",
                                      NULL};
    static const char *const good[] = {"{\"anyOf\":[{\"refused\":true},{\"qos\":1}]}", NULL};
    struct sky_subject subject = publish("");
    (void)state;
    subject.findings = NULL;
    none_holds(bad, subject);
    all_hold(good, subject);
}

static void an_act_of_the_server_came_by_nothing(void **state)
{
    static const char *const good[] = {"{\"type\":\"clock\",\"direction\":\"inside\"}",
                                       "{\"not\":{\"transport\":\"tcp\"}}", NULL};
    static const char *const bad[] = {"{\"transport\":\"tcp\"}", "{\"connection\":{\"min\":0}}",
                                      NULL};
    const struct sky_subject subject = {.head = &clock_head, .device = ""};
    (void)state;
    all_hold(good, subject);
    none_holds(bad, subject);
}

/* ---- payloads ---- */

static const char post[] = "{\"id\":\"1\",\"params\":{\"temp\":19.5,\"a/"
                           "b\":[1,{\"x\":null}],\"t\\u0065xt\":\"h\\u00e9\"}}";

static void a_payload_is_looked_into(void **state)
{
    static const char *const good[] = {
        "{\"payload\":{\"matches\":\"\\\"temp\\\":19\"}}",
        "{\"payload\":{\"json\":{\"params\":{\"temp\":1.95e1}}}}",
        "{\"payload\":{\"json\":{}}}",
        "{\"payload\":{\"json\":{\"params\":{\"a/b\":[1,{\"x\":null}]}}}}",
        "{\"payload\":{\"json\":{\"params\":{\"text\":\"h\xc3\xa9\"}}}}",
        "{\"payload\":{\"pointer\":\"/params/temp\",\"equals\":19.5}}",
        "{\"payload\":{\"pointer\":\"/params/temp\",\"min\":19,\"max\":20}}",
        "{\"payload\":{\"pointer\":\"/params/temp\",\"matches\":\"^19\"}}",
        "{\"payload\":{\"pointer\":\"/params/text\",\"equals\":\"h\xc3\xa9\"}}",
        "{\"payload\":{\"pointer\":\"/params/text\",\"matches\":\"^h.$\"}}",
        "{\"payload\":{\"pointer\":\"/params/a~1b/0\",\"equals\":1}}",
        "{\"payload\":{\"pointer\":\"/params/a~1b/1/x\",\"equals\":null}}",
        "{\"payload\":{\"pointer\":\"/params/a~1b/1/x\",\"exists\":true}}",
        "{\"payload\":{\"pointer\":\"/params\",\"json\":{\"temp\":19.5}}}",
        "{\"payload\":{\"pointer\":\"/params/hum\",\"exists\":false}}",
        "{\"payload\":{\"pointer\":\"\",\"exists\":true}}",
        "{\"payload\":{\"pointer\":\"/id\",\"equals\":\"1\"},"
        "\"anyOf\":[{\"payload\":{\"pointer\":\"/params/temp\",\"max\":20}}]}",
        NULL};
    static const char *const bad[] = {
        "{\"payload\":{\"equals\":\"x\"}}",
        "{\"payload\":{\"base64\":\"\"}}",
        "{\"payload\":{\"json\":{\"params\":{\"a/b\":[1]}}}}",
        "{\"payload\":{\"json\":{\"params\":{\"hum\":1}}}}",
        "{\"payload\":{\"json\":[]}}",
        "{\"payload\":{\"pointer\":\"/params/temp\",\"min\":20}}",
        "{\"payload\":{\"pointer\":\"/id\",\"min\":0}}",
        "{\"payload\":{\"pointer\":\"/id\",\"equals\":1}}",
        "{\"payload\":{\"pointer\":\"/params/a~1b/00\",\"exists\":true}}",
        "{\"payload\":{\"pointer\":\"/params/a~1b/2\",\"exists\":true}}",
        "{\"payload\":{\"pointer\":\"/params/\",\"exists\":true}}",
        "{\"payload\":{\"pointer\":\"/params/hum\",\"equals\":null}}",
        NULL};
    (void)state;
    all_hold(good, publish(post));
    none_holds(bad, publish(post));
}

static void a_payload_may_be_bytes(void **state)
{
    static const char *const text[] = {"{\"payload\":{\"equals\":\"hello\"}}",
                                       "{\"payload\":{\"base64\":\"aGVsbG8=\"}}",
                                       "{\"not\":{\"payload\":{\"json\":{}}}}",
                                       "{\"payload\":{\"pointer\":\"/a\",\"exists\":false}}", NULL};
    static const char *const empty[] = {"{\"payload\":{\"equals\":\"\"}}",
                                        "{\"payload\":{\"base64\":\"\"}}",
                                        "{\"payload\":{\"matches\":\"^$\"}}", NULL};
    (void)state;
    all_hold(text, publish("hello"));
    all_hold(empty, publish(""));
    struct sky_subject binary = publish("");
    binary.payload = SKY_SPAN("\xff\0\x01");
    assert_true(holds("{\"payload\":{\"base64\":\"/wAB\"}}", binary));
    assert_false(holds("{\"payload\":{\"json\":{}}}", binary));
}

/* Neither what it would match nor what it would not match is known. */
static void a_payload_that_was_cut_matches_nothing(void **state)
{
    static const char *const bad[] = {"{\"payload\":{\"equals\":\"hello\"}}",
                                      "{\"payload\":{\"equals\":\"hello, world\"}}",
                                      "{\"not\":{\"payload\":{\"equals\":\"hello, world\"}}}",
                                      "{\"payload\":{\"matches\":\"hello$\"}}",
                                      "{\"not\":{\"payload\":{\"matches\":\"world\"}}}",
                                      "{\"not\":{\"payload\":{\"json\":{}}}}",
                                      "{\"payload\":{\"pointer\":\"/a\",\"exists\":false}}",
                                      NULL};
    static const char *const good[] = {
        "{\"type\":\"publish\"}", "{\"not\":{\"payload\":{\"equals\":\"other\"}}}",
        "{\"not\":{\"payload\":{\"equals\":\"hello\",\"matches\":\"x\"}}}", NULL};
    struct sky_subject subject = publish("hello");
    (void)state;
    subject.cut = true;
    none_holds(bad, subject);
    subject.payload = SKY_SPAN("hello!");
    all_hold(good, subject);
}

/* ---- texts ---- */

static void a_text_is_found_wherever_it_stands(void **state)
{
    static const char *const in_publish[] = {
        "{\"text\":\"ALIYUN/pk/D\"}",        "{\"text\":\"/PROPERTY/\"}",     "{\"text\":\"HUM\"}",
        "{\"text\":[\"nowhere\",\"temp\"]}", "{\"not\":{\"text\":\"t.mp\"}}", NULL};
    static const char *const not_in_publish[] = {"{\"text\":\"t.mp\"}",    "{\"text\":\".*\"}",
                                                 "{\"text\":\"publish\"}", "{\"text\":\"41\"}",
                                                 "{\"text\":\"dtemp\"}",   NULL};
    static const char *const in_subscribe[] = {"{\"text\":\"A/+\"}", "{\"text\":\"q\\\"/#\"}",
                                               "{\"text\":\"p1/DEV\"}", NULL};
    static const char *const not_in_subscribe[] = {"{\"text\":\"filter\"}", "{\"text\":\"qos\"}",
                                                   NULL};
    static const char *const in_refused[] = {"{\"text\":\"X|TIME\"}", "{\"text\":\"r-login\"}",
                                             "{\"text\":\"enos\"}", "{\"text\":\"kv\"}", NULL};
    (void)state;
    all_hold(in_publish, publish("{\"Temp\":1,\"hum\":2}"));
    none_holds(not_in_publish, publish("{\"Temp\":1,\"hum\":2}"));
    all_hold(in_subscribe, subscribe());
    none_holds(not_in_subscribe, subscribe());
    all_hold(in_refused, refused());
    struct sky_subject binary = publish("");
    binary.payload = SKY_SPAN("\xff\0MiX\x01");
    assert_true(holds("{\"text\":\"mIx\"}", binary));
    assert_true(holds("{\"text\":\"mix\\u0001\"}", binary));
    assert_false(holds("{\"text\":\"mix2\"}", binary));
    assert_false(holds("{\"not\":{\"text\":\"mix\"}}", binary));
    assert_false(
        holds("{\"text\":\"a\"}", (struct sky_subject){.head = &clock_head, .device = ""}));
}

/* What stands there is known, what does not may have been cut. */
static void a_text_that_may_have_been_cut_is_not_known(void **state)
{
    struct sky_subject subject = publish("hello");
    (void)state;
    subject.cut = true;
    assert_true(holds("{\"text\":\"hell\"}", subject));
    assert_false(holds("{\"not\":{\"text\":\"hell\"}}", subject));
    assert_false(holds("{\"text\":\"world\"}", subject));
    assert_false(holds("{\"not\":{\"text\":\"world\"}}", subject));
}

/* So many texts in so long a payload are too much: neither is known. */
static void many_texts_end_early(void **state)
{
    struct sky_buf payload, pattern;
    (void)state;
    sky_buf_init(&payload, SIZE_MAX);
    sky_buf_init(&pattern, SIZE_MAX);
    for (size_t i = 0; i < SKY_JOURNAL_PAYLOAD_MAX; i++)
        sky_buf_add_byte(&payload, 'a');
    sky_buf_add_byte(&payload, '\0');
    struct sky_subject subject = publish((const char *)payload.bytes);
    for (size_t count = 1; count <= 1000; count += 999) {
        pattern.len = 0;
        sky_buf_add_str(&pattern, "{\"not\":{\"text\":[");
        for (size_t i = 0; i < count; i++)
            sky_buf_addf(&pattern, "%s\"aaab%zu\"", i > 0 ? "," : "", i);
        sky_buf_add_str(&pattern, "]}}");
        sky_buf_add_byte(&pattern, '\0');
        assert_true(holds((const char *)pattern.bytes, subject) == (count == 1));
    }
    sky_buf_done(&payload);
    sky_buf_done(&pattern);
}

static void a_text_has_so_many_bytes(void **state)
{
    char json[SKY_PATTERN_TEXT_MAX + 20];
    struct sky_why why;
    (void)state;
    for (int len = SKY_PATTERN_TEXT_MAX; len <= SKY_PATTERN_TEXT_MAX + 1; len++) {
        snprintf(json, sizeof json, "{\"text\":\"%0*d\"}", len, 0);
        struct sky_pattern *pattern = compiled(json, &why);
        assert_true((pattern != NULL) == (len == SKY_PATTERN_TEXT_MAX));
        sky_pattern_free(pattern);
    }
}

/* ---- differences ---- */

static void differs(const char *json, struct sky_subject subject, const char *expected)
{
    struct sky_pattern *pattern = pattern_of(json);
    struct sky_difference list[SKY_PATTERN_DIFFERENCES_MAX];
    struct sky_buf text;
    size_t count = sky_pattern_differences(pattern, &subject, list, SKY_COUNT(list));
    sky_buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < count && i < SKY_COUNT(list); i++)
        sky_buf_addf(&text, "%s wanted %s, found %s\n", list[i].pointer, list[i].wanted,
                     list[i].found);
    sky_buf_add_byte(&text, '\0');
    assert_string_equal(text.bytes, expected);
    sky_buf_done(&text);
    sky_pattern_free(pattern);
}

static void a_difference_says_what_was_wanted_and_found(void **state)
{
    (void)state;
    differs("{\"type\":\"connect\"}", publish(""), "/type wanted \"connect\", found \"publish\"\n");
    differs("{\"payload\":{\"pointer\":\"/params/temp\",\"min\":20}}", publish(post),
            "/payload/params/temp wanted >= 20, found 19.5\n");
    differs("{\"payload\":{\"pointer\":\"/params/hum\",\"min\":20,\"max\":30}}", publish(post),
            "/payload/params/hum wanted >= 20 and <= 30, found nothing\n");
    differs("{\"payload\":{\"json\":{\"id\":\"1\",\"params\":{\"temp\":20,\"hum\":[1]}}}}",
            publish(post),
            "/payload/params/temp wanted 20, found 19.5\n"
            "/payload/params/hum wanted [1], found nothing\n");
    differs("{\"payload\":{\"pointer\":\"/params\",\"json\":{\"temp\":20}}}", publish(post),
            "/payload/params/temp wanted 20, found 19.5\n");
    differs("{\"payload\":{\"pointer\":\"/a\",\"exists\":false}}", publish("{\"a\": [1, 2]}"),
            "/payload/a wanted nothing, found [1,2]\n");
    differs("{\"payload\":{\"pointer\":\"/a\",\"exists\":true}}", publish("{a:1}"),
            "/payload/a wanted something, found \"{a:1}\", which is no JSON\n");
    differs("{\"qos\":0,\"topic\":\"a/#\",\"dup\":true}", publish(""),
            "/topic wanted \"a/#\", found \"/sys/pk/d/thing/event/property/post\"\n"
            "/qos wanted 0, found 1\n/dup wanted true, found false\n");
    differs("{\"code\":[1,2]}", subscribe(), "/code wanted one of [1,2], found 0, 128\n");
    differs("{\"mistake\":{\"matches\":\"^x\"}}", publish(""),
            "/mistake wanted matches \"^x\", found nothing\n");
    differs("{\"not\":{\"qos\":1}}", publish(""),
            "/not wanted not event with qos = 1, found it is\n");
    differs("{\"anyOf\":[{\"qos\":0,\"dup\":true},{\"qos\":2}]}", publish(""),
            "/qos wanted 2, found 1\n");
}

static void many_differences_are_counted(void **state)
{
    struct sky_pattern *pattern =
        pattern_of("{\"payload\":{\"json\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}},\"qos\":0}");
    const struct sky_subject subject = publish("{}");
    struct sky_difference list[2];
    (void)state;
    assert_int_equal(sky_pattern_differences(pattern, &subject, list, 2), 6);
    assert_string_equal(list[1].pointer, "/payload/a");
    assert_int_equal(sky_pattern_differences(pattern, &subject, NULL, 0), 6);
    sky_pattern_free(pattern);
}

/* ---- words ---- */

static void says(const char *json, const char *expected)
{
    struct sky_pattern *pattern = pattern_of(json);
    struct sky_buf text;
    sky_buf_init(&text, SIZE_MAX);
    sky_pattern_say(pattern, &text);
    sky_buf_add_byte(&text, '\0');
    assert_string_equal(text.bytes, expected);
    sky_buf_done(&text);
    sky_pattern_free(pattern);
}

static void a_pattern_reads_as_a_sentence(void **state)
{
    (void)state;
    says("{}", "event");
    says("{\"type\":\"publish\",\"topic\":\"/a/+\","
         "\"payload\":{\"pointer\":\"/params/temp\",\"min\":20}}",
         "publish to /a/+ with params.temp >= 20");
    says("{\"type\":[\"connect\",\"connack\"],\"device\":\"aliyun/pk/d\",\"qos\":1,\"dup\":false}",
         "connect or connack of aliyun/pk/d with qos = 1 and dup = false");
    says("{\"type\":\"publish\",\"text\":\"abc\"}", "publish with text = abc");
    says("{\"payload\":{\"json\":{\"a\":1}},\"not\":{\"type\":\"publish\"}}",
         "event with payload having {\"a\":1} and not being publish");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publish_is_chosen_by_what_it_has),
        cmocka_unit_test(of_many_filters_any_will_do),
        cmocka_unit_test(a_refusal_is_chosen_by_its_judgement),
        cmocka_unit_test(what_is_not_judged_yet_is_neither),
        cmocka_unit_test(an_act_of_the_server_came_by_nothing),
        cmocka_unit_test(a_payload_is_looked_into),
        cmocka_unit_test(a_payload_may_be_bytes),
        cmocka_unit_test(a_payload_that_was_cut_matches_nothing),
        cmocka_unit_test(a_text_is_found_wherever_it_stands),
        cmocka_unit_test(a_text_that_may_have_been_cut_is_not_known),
        cmocka_unit_test(many_texts_end_early),
        cmocka_unit_test(a_text_has_so_many_bytes),
        cmocka_unit_test(a_difference_says_what_was_wanted_and_found),
        cmocka_unit_test(many_differences_are_counted),
        cmocka_unit_test(a_pattern_reads_as_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
