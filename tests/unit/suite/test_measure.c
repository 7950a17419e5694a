#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/suite/measure.h"

/* ---- events ---- */

/* One of the device's, `at` ms behind the beginning; what is not said of it is nothing. */
struct act {
    enum sky_event_type type;
    enum sky_direction direction;
    int64_t at;
    uint32_t connection;
    bool nobody, dup, clean, present, dtls;
    int64_t qos, id, code, keepalive, of;
    const char *topic, *payload, *filters, *point, *action, *name, *version, *cipher, *server_name,
        *detail, *state, *explanation, *refused, *username, *client_id;
    bool there;
};
#define UP(type, ms, conn, ...)                                                                    \
    {                                                                                              \
        SKY_EVENT_##type, SKY_UP, ms, conn, .there = true, __VA_ARGS__                             \
    }
#define DOWN(type, ms, conn, ...)                                                                  \
    {                                                                                              \
        SKY_EVENT_##type, SKY_DOWN, ms, conn, .there = true, __VA_ARGS__                           \
    }
#define FAULT(ms, conn, where, what)                                                               \
    {                                                                                              \
        SKY_EVENT_FAULT, SKY_INSIDE, ms, conn, .point = where, .action = what, .there = true       \
    }
#define PUB(ms, conn, number, text, ...)                                                           \
    UP(PUBLISH, ms, conn, .qos = 1, .id = number, .payload = text, __VA_ARGS__)

#define BEGAN INT64_C(1700000000000)

struct room {
    struct sky_event_head head;
    struct sky_attr attrs[SKY_JOURNAL_ATTRS_MAX];
    size_t count;
};

static void put_text(struct room *room, enum sky_event_field field, const char *text)
{
    if (text != NULL)
        room->attrs[room->count++] = (struct sky_attr){.field = field, .bytes = sky_span_str(text)};
}

static void put_number(struct room *room, enum sky_event_field field, int64_t number)
{
    if (number != 0)
        room->attrs[room->count++] = (struct sky_attr){.field = field, .number = number};
}

static struct sky_subject subject_of(const struct act *act, struct room *room)
{
    bool coap = act->type == SKY_EVENT_COAP_REQUEST;
    room->head = (struct sky_event_head){.type = act->type,
                                         .direction = act->direction,
                                         .transport = act->dtls ? SKY_DTLS : SKY_TLS,
                                         .connection = act->connection,
                                         .device_id = act->nobody ? 0 : 7};
    room->count = 0;
    put_text(room, SKY_F_TOPIC, act->topic);
    put_text(room, SKY_F_USERNAME, act->username);
    put_text(room, SKY_F_FILTERS, act->filters);
    put_text(room, SKY_F_POINT, act->point);
    put_text(room, SKY_F_ACTION, act->action);
    put_text(room, SKY_F_NAME, act->name);
    put_text(room, SKY_F_TLS_VERSION, act->version);
    put_text(room, SKY_F_CIPHER, act->cipher);
    put_text(room, SKY_F_SERVER_NAME, act->server_name);
    put_text(room, SKY_F_DETAIL, act->detail);
    put_text(room, SKY_F_STATE, act->state);
    put_text(room, SKY_F_USERNAME, act->username);
    put_text(room, SKY_F_CLIENT_ID, act->client_id);
    put_text(room, SKY_F_EXPLANATION, act->explanation);
    put_number(room, SKY_F_QOS, act->qos);
    put_number(room, coap ? SKY_F_MESSAGE_ID : SKY_F_PACKET_ID, act->id);
    put_number(room, SKY_F_CODE, act->code);
    put_number(room, SKY_F_KEEPALIVE, act->keepalive);
    put_number(room, SKY_F_DUP, act->dup);
    put_number(room, SKY_F_CLEAN_SESSION, act->clean);
    put_number(room, SKY_F_SESSION_PRESENT, act->present);
    put_number(room, SKY_F_OF, act->of);
    return (struct sky_subject){.head = &room->head,
                                .attrs = room->attrs,
                                .attr_count = room->count,
                                .refused = sky_span_str(act->refused),
                                .topic = sky_span_str(act->topic),
                                .payload = sky_span_str(act->payload)};
}

/* ---- one measure ---- */

static struct sky_measure *measure_of(const char *json, struct sky_why *why)
{
    cJSON *tree;
    if (sky_json_parse(sky_span_str(json), 32, &tree, why) != SKY_OK)
        fail_msg("%s: %s", json, why->reason);
    struct sky_measure *measure = sky_measure_new(tree, "/steps/1", why);
    cJSON_Delete(tree);
    return measure;
}

static void feed(struct sky_measure *measure, const struct act *act, uint64_t seq)
{
    struct room room;
    struct sky_subject subject = subject_of(act, &room);
    const struct sky_measure_event event = {.subject = &subject,
                                            .seq = seq,
                                            .now_ms = BEGAN + act->at,
                                            .real_ms = BEGAN + act->at,
                                            .own = !act->nobody};
    sky_measure_feed(measure, &event);
}

/* The whole answer; the caller deletes it. */
static cJSON *answer_of(const struct sky_measure *measure)
{
    struct sky_buf out;
    struct sky_why why;
    cJSON *tree;
    sky_buf_init(&out, 64 * 1024);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_measure_print(measure, &jw);
    sky_jw_end_object(&jw);
    assert_int_equal(sky_json_parse(sky_buf_span(&out), 8, &tree, &why), SKY_OK);
    sky_buf_done(&out);
    return tree;
}

enum { ACTS_MAX = 24 };
enum when { SO_FAR, OVER };

static const struct row {
    const char *what, *step, *grade, *class_name; /* NULL: none is told */
    enum when when;
    int64_t at; /* of the look */
    struct act acts[ACTS_MAX];
} rows[] = {
#include "tests/unit/suite/measure_rows.h"
};

static void every_class_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct sky_why why = {0};
        struct sky_measure *measure = measure_of(row->step, &why);
        if (measure == NULL)
            fail_msg("%s: %s %s", row->what, why.pointer, why.reason);
        sky_measure_begin(measure, BEGAN);
        for (uint64_t seq = 1; row->acts[seq - 1].there; seq++)
            feed(measure, &row->acts[seq - 1], seq);
        if (row->when == OVER)
            sky_measure_over(measure);
        enum sky_grade grade = sky_measure_grade(measure, BEGAN + row->at);
        cJSON *answer = answer_of(measure);
        const char *told = sky_json_get_str(answer, "class");
        if (strcmp(sky_grade_name(grade), row->grade) != 0 ||
            (row->class_name != NULL && (told == NULL || strcmp(told, row->class_name) != 0)))
            fail_msg("%s: %s, %s: %s", row->what, sky_grade_name(grade), told,
                     sky_measure_reason(measure));
        assert_string_equal(sky_json_get_str(answer, "reason"), sky_measure_reason(measure));
        assert_true(strlen(sky_measure_reason(measure)) > 0);
        cJSON_Delete(answer);
        sky_measure_free(measure);
    }
}

/* Is there a row above for each class of each measure? */
static bool has_row(const char *name, const char *class_name)
{
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        if (strstr(rows[i].step, name) != NULL && rows[i].class_name != NULL &&
            strcmp(rows[i].class_name, class_name) == 0)
            return true;
    return false;
}

static void no_class_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sky_measure_row_count; i++) {
        const struct sky_measure_row *row = &sky_measure_rows[i];
        for (size_t k = 0; row->classes != NULL && row->classes[k] != NULL; k++)
            if (!has_row(row->name, row->classes[k]))
                fail_msg("%s: no row for %s", row->name, row->classes[k]);
    }
}

/* ---- values ---- */

static double value_of(const char *step, const struct act *acts, int64_t at, const char *grade)
{
    struct sky_why why = {0};
    struct sky_measure *measure = measure_of(step, &why);
    assert_non_null(measure);
    sky_measure_begin(measure, BEGAN);
    for (uint64_t seq = 1; acts[seq - 1].there; seq++)
        feed(measure, &acts[seq - 1], seq);
    assert_string_equal(sky_grade_name(sky_measure_grade(measure, BEGAN + at)), grade);
    cJSON *answer = answer_of(measure);
    const cJSON *value = sky_json_get(answer, "value");
    double number = value != NULL ? value->valuedouble : -1;
    cJSON_Delete(answer);
    sky_measure_free(measure);
    return number;
}

static void numbers_are_held_against_their_bounds(void **state)
{
    (void)state;
    static const struct act from_begin[] = {UP(CONNECT, 120, 1), UP(CONNECT, 900, 2), {0}};
    static const struct act from_end[] = {UP(CLOSE, 100, 9), UP(CONNECT, 350, 1), {0}};
    static const struct act talk[] = {PUB(100, 1, 1, "four"),
                                      PUB(900, 1, 2, "longer"),
                                      PUB(950, 1, 2, "longer", .dup = true),
                                      DOWN(PUBLISH, 990, 1, .payload = "longest of all"),
                                      {0}};
    static const struct act silence[] = {UP(CONNECT, 0, 1), {0}};
    const char *first = "{\"measure\":\"time-to-first-connect\",\"pass\":{\"max\":200},"
                        "\"warn\":{\"max\":300}}";
    assert_true(value_of(first, from_begin, 1000, "passed") == 120);
    assert_true(value_of(first, from_end, 1000, "warned") == 250);
    assert_true(value_of(first, talk, 1000, "not exercised") < 0);
    const char *size = "{\"measure\":\"payload-size\",\"pass\":{\"min\":1,\"max\":5}}";
    assert_true(value_of(size, talk, 1000, "failed") == 6);
    assert_true(value_of(size, silence, 1000, "not exercised") < 0);
    const char *rate = "{\"measure\":\"messages-per-hour\",\"pass\":{\"max\":720}}";
    assert_true(value_of(rate, talk, 9999, "not exercised") < 0);
    assert_true(value_of(rate, talk, 10000, "passed") == 720);
    assert_true(value_of(rate, silence, 20000, "not exercised") < 0);
}

/* ---- limits ---- */

static void a_hundred_thousand_events_take_no_more_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < sky_measure_row_count; i++) {
        const struct sky_measure_row *row = &sky_measure_rows[i];
        char step[200], passes[100] = "{\"min\":0}";
        struct sky_why why = {0};
        if (row->classes != NULL)
            snprintf(passes, sizeof passes, "[\"%s\"]",
                     row->of != NULL ? "TLS 1.2" : row->classes[0]);
        snprintf(step, sizeof step, "{\"measure\":\"%s\",%s\"pass\":%s}", row->name,
                 row->of != NULL ? "\"of\":\"version\"," : "", passes);
        struct sky_measure *measure = measure_of(step, &why);
        if (measure == NULL)
            fail_msg("%s: %s", step, why.reason);
        sky_measure_begin(measure, BEGAN);
        for (uint32_t n = 0; n < 100000; n++) {
            char filters[64];
            snprintf(filters, sizeof filters, "[{\"filter\":\"a/%u\",\"qos\":1}]", n);
            const struct act acts[] = {
                UP(CONNECT, n * 10, n + 1, .keepalive = 60),
                DOWN(CONNACK, n * 10, n + 1),
                UP(SUBSCRIBE, n * 10 + 1, n + 1, .filters = filters, .id = 1 + n % 60000),
                PUB(n * 10 + 2, n + 1, 1 + n % 60000, "x"),
                DOWN(PUBLISH, n * 10 + 3, n + 1, .qos = 1, .id = 1 + n % 60000),
                UP(COAP_REQUEST, n * 10 + 4, n + 1, .id = 1 + n % 60000, .name = "CON"),
                FAULT(n * 10 + 4, n + 1, "coap-answer", "withhold"),
                FAULT(n * 10 + 4, n + 1, "datagram-up", "withhold"),
                UP(TLS_HANDSHAKE, n * 10 + 4, n + 1, .nobody = true, .version = "TLS 1.2"),
                UP(CLOSE, n * 10 + 5, n + 1)};
            feed(measure, &acts[n % SKY_COUNT(acts)], n + 1);
        }
        (void)sky_measure_grade(measure, BEGAN + 1000000);
        cJSON *answer = answer_of(measure);
        assert_true(cJSON_GetArraySize(sky_json_get(answer, "figures")) <= SKY_MEASURE_FIGURES_MAX);
        assert_true(cJSON_GetArraySize(sky_json_get(answer, "events")) <= SKY_MEASURE_EVENTS_MAX);
        cJSON_Delete(answer);
        sky_measure_free(measure);
    }
}

static void the_last_figures_and_events_are_told(void **state)
{
    (void)state;
    struct sky_why why = {0};
    struct sky_measure *measure =
        measure_of("{\"measure\":\"reconnect-intervals\",\"pass\":[\"constant\"]}", &why);
    assert_non_null(measure);
    sky_measure_begin(measure, BEGAN);
    for (uint32_t n = 0; n < 200; n++) {
        const struct act end = UP(CLOSE, n * 1000, n), next = UP(CONNECT, n * 1000 + 500, n + 1);
        feed(measure, &end, 2 * n + 1);
        feed(measure, &next, 2 * n + 2);
    }
    assert_int_equal(sky_measure_grade(measure, BEGAN + 200000), SKY_GRADE_PASSED);
    cJSON *answer = answer_of(measure);
    const cJSON *events = sky_json_get(answer, "events");
    assert_int_equal(cJSON_GetArraySize(sky_json_get(answer, "figures")), SKY_MEASURE_FIGURES_MAX);
    assert_int_equal(cJSON_GetArraySize(events), SKY_MEASURE_EVENTS_MAX);
    assert_int_equal(cJSON_GetArrayItem(events, SKY_MEASURE_EVENTS_MAX - 1)->valueint, 400);
    assert_string_equal(sky_json_get_str(answer, "figuresUnit"), "ms");
    cJSON_Delete(answer);
    sky_measure_free(measure);
}

/* ---- steps that are no good ---- */

static void a_bad_step_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *step, *pointer;
    } bad[] = {
        {"{\"measure\":\"patience\",\"pass\":[\"kept\"]}", "/steps/1/measure"},
        {"{\"measure\":7,\"pass\":[\"kept\"]}", "/steps/1/measure"},
        {"{\"measure\":\"keepalive-kept\"}", "/steps/1/pass"},
        {"{\"measure\":\"keepalive-kept\",\"pass\":\"kept\"}", "/steps/1/pass"},
        {"{\"measure\":\"keepalive-kept\",\"pass\":[]}", "/steps/1/pass"},
        {"{\"measure\":\"keepalive-kept\",\"pass\":[\"held\"]}", "/steps/1/pass"},
        {"{\"measure\":\"keepalive-kept\",\"pass\":[\"kept\"],\"warn\":[1]}", "/steps/1/warn"},
        {"{\"measure\":\"keepalive-kept\",\"pass\":[\"kept\"],\"of\":\"version\"}", "/steps/1/of"},
        {"{\"measure\":\"keepalive-kept\",\"pass\":[\"kept\"],\"until\":1}", "/steps/1/until"},
        {"{\"measure\":\"payload-size\",\"pass\":[\"kept\"]}", "/steps/1/pass"},
        {"{\"measure\":\"payload-size\",\"pass\":{}}", "/steps/1/pass"},
        {"{\"measure\":\"payload-size\",\"pass\":{\"most\":1}}", "/steps/1/pass"},
        {"{\"measure\":\"payload-size\",\"pass\":{\"min\":\"1\"}}", "/steps/1/pass"},
        {"{\"measure\":\"payload-size\",\"pass\":{\"min\":2,\"max\":1}}", "/steps/1/pass"},
        {"{\"measure\":\"handshake\",\"pass\":[\"alert\"]}", "/steps/1/of"},
        {"{\"measure\":\"handshake\",\"of\":\"colour\",\"pass\":[\"alert\"]}", "/steps/1/of"},
        {"{\"measure\":\"handshake\",\"of\":\"refusal\",\"pass\":[\"full\"]}", "/steps/1/pass"},
    };
    for (size_t i = 0; i < SKY_COUNT(bad); i++) {
        struct sky_why why = {0};
        struct sky_measure *measure = measure_of(bad[i].step, &why);
        if (measure != NULL || strcmp(why.pointer, bad[i].pointer) != 0 || why.reason[0] == '\0')
            fail_msg("%s: '%s' %s", bad[i].step, why.pointer, why.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_is_told),
        cmocka_unit_test(no_class_is_left_out),
        cmocka_unit_test(numbers_are_held_against_their_bounds),
        cmocka_unit_test(a_hundred_thousand_events_take_no_more_room),
        cmocka_unit_test(the_last_figures_and_events_are_told),
        cmocka_unit_test(a_bad_step_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
