#include "pattern_case.h"

static const struct {
    const char *json, *pointer, *reason;
} cases[] = {
    {"[]", "/event", "a pattern is an object"},
    {"{\"topc\":\"a\"}", "/event/topc", "'topic' is meant"},
    {"{\"temperature\":\"red\"}", "/event/temperature", "there are type, direction"},
    {"{\"temperature\":\"red\"}", "/event/temperature", " more"},
    {"{\"a/b~\":1}", "/event/a~1b~0", "no member of patterns"},
    {"{\"type\":\"publsh\"}", "/event/type", "'publish' is meant"},
    {"{\"type\":[\"publish\",\"x\"]}", "/event/type/1", "there are connect, connack"},
    {"{\"type\":[]}", "/event/type", "empty list"},
    {"{\"type\":7}", "/event/type", "type is text"},
    {"{\"direction\":\"sideways\"}", "/event/direction", "up, down, inside"},
    {"{\"transport\":null}", "/event/transport", "transport is text"},
    {"{\"device\":\"aliyun/pk\"}", "/event/device", "cloud/product/device"},
    {"{\"product\":\"pk\"}", "/event/product", "cloud/key"},
    {"{\"topic\":\"a/#/b\"}", "/event/topic", "# is the last level"},
    {"{\"topic\":{\"min\":1}}", "/event/topic/min", "an MQTT topic filter"},
    {"{\"topic\":{}}", "/event/topic", "an MQTT topic filter"},
    {"{\"topic\":{\"matches\":\"a(\"}}", "/event/topic/matches", "at byte 2"},
    {"{\"topic\":{\"matches\":7}}", "/event/topic/matches", "is text"},
    {"{\"topic\":{\"matches\":\"\"}}", "/event/topic/matches", "1 to 512 bytes"},
    {"{\"qos\":\"1\"}", "/event/qos", "qos is a number"},
    {"{\"qos\":{\"min\":2,\"max\":1}}", "/event/qos/min", "more than max"},
    {"{\"qos\":{\"min\":\"2\"}}", "/event/qos/min", "a number"},
    {"{\"qos\":{\"matches\":\"1\"}}", "/event/qos/matches", "qos is a number"},
    {"{\"dup\":1}", "/event/dup", "true or false"},
    {"{\"refused\":7}", "/event/refused", "true, false, text"},
    {"{\"refused\":[\"R-X\",\"R-NONE\"]}", "/event/refused/1", "there is no rule 'R-NONE'"},
    {"{\"rule\":\"R-LOGN\"}", "/event/rule", "'R-LOGIN' is meant"},
    {"{\"not\":{\"rule\":\"NO-SUCH-RULE\"}}", "/event/not/rule", "there is no rule"},
    {"{\"text\":\"\"}", "/event/text", "1 to 256 bytes"},
    {"{\"text\":[\"a\",\"\"]}", "/event/text/1", "1 to 256 bytes"},
    {"{\"text\":7}", "/event/text", "no expression"},
    {"{\"text\":{\"matches\":\"a\"}}", "/event/text/matches", "no expression"},
    {"{\"text\":{}}", "/event/text", "no expression"},
    {"{\"not\":{}}", "/event/not", "every event"},
    {"{\"not\":[]}", "/event/not", "an object"},
    {"{\"not\":{\"qos\":true}}", "/event/not/qos", "a number"},
    {"{\"anyOf\":[]}", "/event/anyOf", "at least one"},
    {"{\"anyOf\":{}}", "/event/anyOf", "a list"},
    {"{\"anyOf\":[{},{\"x\":1}]}", "/event/anyOf/1/x", "no member"},
    {"{\"payload\":\"x\"}", "/event/payload", "\"equals\": TEXT"},
    {"{\"payload\":{}}", "/event/payload", "\"equals\": TEXT"},
    {"{\"payload\":{\"equal\":\"x\"}}", "/event/payload/equal", "\"equals\": TEXT"},
    {"{\"payload\":{\"equals\":7}}", "/event/payload/equals", "for a JSON value"},
    {"{\"payload\":{\"min\":7}}", "/event/payload/min", "\"pointer\" with"},
    {"{\"payload\":{\"exists\":true}}", "/event/payload/exists", "\"pointer\" with"},
    {"{\"payload\":{\"base64\":\"x\"}}", "/event/payload/base64", "RFC 4648"},
    {"{\"payload\":{\"pointer\":\"/a\"}}", "/event/payload", "\"pointer\" with"},
    {"{\"payload\":{\"pointer\":\"a\",\"min\":1}}", "/event/payload/pointer", "begins with '/'"},
    {"{\"payload\":{\"pointer\":\"/~2\",\"min\":1}}", "/event/payload/pointer", "~0"},
    {"{\"payload\":{\"pointer\":\"/~\",\"min\":1}}", "/event/payload/pointer", "~0"},
    {"{\"payload\":{\"pointer\":7,\"min\":1}}", "/event/payload/pointer", "JSON pointer"},
    {"{\"payload\":{\"pointer\":\"/a\",\"min\":2,\"max\":1}}", "/event/payload/min", "more than"},
    {"{\"payload\":{\"pointer\":\"/a\",\"base64\":\"\"}}", "/event/payload/base64", "\"pointer\""},
    {"{\"payload\":{\"pointer\":\"/a\",\"exists\":1}}", "/event/payload/exists", "true or false"},
    {"{\"payload\":{\"pointer\":\"/a\",\"exists\":false,\"min\":1}}", "/event/payload/exists",
     "nothing else"},
    {"{\"payload\":{\"pointer\":\"/a\",\"matches\":\"[\"}}", "/event/payload/matches", "PCRE2"},
};

static void what_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        struct sky_why why = {0};
        if (compiled(cases[i].json, &why) != NULL)
            fail_msg("%s is taken", cases[i].json);
        if (strcmp(why.pointer, cases[i].pointer) != 0 ||
            strstr(why.reason, cases[i].reason) == NULL)
            fail_msg("%s: %s: %s", cases[i].json, why.pointer, why.reason);
    }
}

static void nest(struct sky_buf *out, int depth)
{
    sky_buf_init(out, SIZE_MAX);
    for (int i = 0; i < depth; i++)
        sky_buf_add_str(out, i % 2 ? "{\"anyOf\":[" : "{\"not\":");
    sky_buf_add_str(out, "{\"qos\":1}");
    while (depth-- > 0)
        sky_buf_add_str(out, depth % 2 ? "]}" : "}");
    sky_buf_add_byte(out, '\0');
}

/* Where nothing has been judged yet, what comes of judging would never match. */
static void before_anybody_judges_it_is_not_asked_for(void **state)
{
    static const char *const members[] = {"rule", "refused", "mistake", "service"};
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(members); i++) {
        struct sky_why why = {0};
        cJSON *tree = cJSON_CreateObject();
        cJSON_AddStringToObject(cJSON_AddObjectToObject(tree, "not"), members[i], "R-X");
        assert_null(sky_pattern_new(tree, "/match", NULL, &why));
        assert_string_equal(strrchr(why.pointer, '/') + 1, members[i]);
        assert_non_null(strstr(why.reason, "not known"));
        cJSON_Delete(tree);
    }
}

static void list(struct sky_buf *out, const char *before, const char *piece, int count,
                 const char *after)
{
    sky_buf_init(out, SIZE_MAX);
    sky_buf_add_str(out, before);
    for (int i = 0; i < count; i++)
        sky_buf_addf(out, "%s%s", i > 0 ? "," : "", piece);
    sky_buf_add_str(out, after);
    sky_buf_add_byte(out, '\0');
}

/* The first fits, the second does not. */
static void assert_limit(struct sky_buf *fits, struct sky_buf *too_much, const char *reason)
{
    struct sky_why why = {0};
    struct sky_pattern *pattern = compiled(fits->bytes, &why);
    assert_non_null(pattern);
    sky_pattern_free(pattern);
    assert_null(compiled(too_much->bytes, &why));
    if (strstr(why.reason, reason) == NULL)
        fail_msg("%s", why.reason);
    sky_buf_done(fits);
    sky_buf_done(too_much);
}

static void a_pattern_has_limits(void **state)
{
    struct sky_buf fits, too_much;
    (void)state;
    nest(&fits, SKY_PATTERN_DEPTH_MAX);
    nest(&too_much, SKY_PATTERN_DEPTH_MAX + 1);
    assert_limit(&fits, &too_much, "at most 8 deep");
    list(&fits, "{\"anyOf\":[", "{\"qos\":1}", SKY_PATTERN_MEMBERS_MAX - 1, "]}");
    list(&too_much, "{\"anyOf\":[", "{\"qos\":1}", SKY_PATTERN_MEMBERS_MAX, "]}");
    assert_limit(&fits, &too_much, "at most 200 conditions");
    list(&fits, "{\"packetId\":[", "1", SKY_PATTERN_VALUES_MAX, "]}");
    list(&too_much, "{\"packetId\":[", "1", SKY_PATTERN_VALUES_MAX + 1, "]}");
    assert_limit(&fits, &too_much, "at most 1000 values");
    sky_buf_init(&fits, SIZE_MAX);
    sky_buf_init(&too_much, SIZE_MAX);
    sky_buf_addf(&fits, "{\"payload\":{\"pointer\":\"/%0*d\",\"exists\":true}}",
                 SKY_PATTERN_POINTER_MAX - 1, 0);
    sky_buf_addf(&too_much, "{\"payload\":{\"pointer\":\"/%0*d\",\"exists\":true}}",
                 SKY_PATTERN_POINTER_MAX, 0);
    sky_buf_add_byte(&fits, '\0');
    sky_buf_add_byte(&too_much, '\0');
    assert_limit(&fits, &too_much, "at most 512 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(before_anybody_judges_it_is_not_asked_for),
        cmocka_unit_test(a_pattern_has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
