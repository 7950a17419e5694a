#include "server/suite/measure.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/assert.h"
#include "protocol/base/json_write.h"
#include "protocol/base/mem.h"
#include "server/suite/measure_private.h"

/* ---- the table ---- */

static const char *const interval_classes[] = {"none",        "constant",           "linear",
                                               "exponential", "exponential-jitter", NULL};
static const char *const keepalive_classes[] = {"kept", "late", "missed", NULL};
static const char *const resend_classes[] = {"resent",    "no-dup",     "new-id",
                                             "reordered", "not-resent", NULL};
static const char *const heed_classes[] = {"heeded", "impatient", "ignored", NULL};
static const char *const share_classes[] = {"all", "some", "none", NULL};
static const char *const retransmission_classes[] = {"within-bounds", "too-early", "too-late",
                                                     "too-many",      "none",      NULL};
static const char *const anew_classes[] = {"anew", "again", NULL};
static const char *const id_classes[] = {"distinct", "reused", NULL};

static const char *const handshake_of[] = {"version",    "suite",   "resumed",
                                           "serverName", "refusal", NULL};
static const char *const resumed_classes[] = {"resumed", "full", NULL};
static const char *const refusal_classes[] = {"alert", "silent", "accepted", NULL};
static const char *const *const handshake_of_classes[] = {NULL, NULL, resumed_classes, NULL,
                                                          refusal_classes};
static const char *const handshake_classes[] = {"none",   "resumed",  "full", "alert",
                                                "silent", "accepted", NULL};

const struct sky_measure_row sky_measure_rows[] = {
    {"reconnect-intervals",
     "How long the device waits from the end of a connection, whoever closed it, to its next "
     "CONNECT, or to where it was met at the door: by a fault at accept or handshake, or because "
     "its pre-shared key is refused. Too little: fewer than three intervals.",
     "MQTT 3.1.1 §4.8 leaves it to the client; AWS Architecture Blog, \"Exponential Backoff And "
     "Jitter\"",
     interval_classes, "ms", NULL, NULL, &sky_measure__intervals},
    {"time-to-first-connect",
     "From the beginning of the case, or from the end of the device's connection after that, to "
     "its first CONNECT.",
     "MQTT 3.1.1 §3.1", NULL, "ms", NULL, NULL, &sky_measure__first_connect},
    {"signed-anew",
     "Whether the device, after a login that was refused, comes with another one: a user name or a "
     "client id with a new time, random text or expiry in it, which is signed anew. Too little: no "
     "login was refused that another came behind.",
     "the clouds' logins, where what is signed has a time or a random text", anew_classes, NULL,
     NULL, NULL, &sky_measure__signed_anew},
    {"keepalive-kept",
     "The device's longest silence on a connection against its keep alive: late is longer than "
     "that, missed longer than 1.5 times. Too little: a connection shorter than the keep alive "
     "with fewer than two PINGREQs, or no keep alive. Over CoAP the lifetime is the keep alive, "
     "and "
     "a request is as good as a PINGREQ.",
     "MQTT 3.1.1 §3.1.2.10, [MQTT-3.1.2-23], [MQTT-3.1.2-24]; over CoAP the cloud's own",
     keepalive_classes, "ms", NULL, NULL, &sky_measure__keepalive},
    {"resend",
     "What the device makes of its QoS 1 messages that were not acknowledged, when it is back "
     "without clean session: it sends them again with DUP, the same packet id and in their order. "
     "One sent again inside its connection is as good.",
     "MQTT 3.1.1 §4.4 [MQTT-4.4.0-1], §4.6 [MQTT-4.6.0-1], [MQTT-3.3.1-1]", resend_classes, NULL,
     NULL, NULL, &sky_measure__resend},
    {"puback-heeded",
     "Whether a QoS 1 message that was acknowledged is sent again with DUP, when its PUBACK went "
     "out half a second before that, and before the end of its connection (ignored); or one is "
     "sent "
     "again on its connection before its PUBACK (impatient). Too little: nothing was acknowledged.",
     "MQTT 3.1.1 §4.3.2, §4.4", heed_classes, NULL, NULL, NULL, &sky_measure__heed},
    {"resubscribed",
     "Which of its filters the device subscribes to again when it is told that no session is "
     "present. Too little: it had none before.",
     "MQTT 3.1.1 §3.1.2.4, §3.2.2.2", share_classes, NULL, NULL, NULL, &sky_measure__resubscribed},
    {"acknowledged",
     "Which of the QoS 1 messages to it the device answers with a PUBACK with their packet id, and "
     "how long that takes.",
     "MQTT 3.1.1 §4.3.2 [MQTT-4.3.2-2]", share_classes, "ms", NULL, NULL,
     &sky_measure__acknowledged},
    {"handshake",
     "How the device's last (D)TLS handshake went: its version (\"TLS 1.2\"), its cipher suite, "
     "whether it was resumed, the server name sent (all as text; none: there was none); or what "
     "the device did with one that it had reason to refuse: end it with an alert, end it without a "
     "word, or go on.",
     "RFC 5246 §7.2, §7.3; RFC 6066 §3; RFC 5077 §3; RFC 6347", handshake_classes, NULL,
     handshake_of, handshake_of_classes, &sky_measure__handshake},
    {"payload-size", "The largest payload that the device sent.",
     "the clouds' limits of a message's size", NULL, "bytes", NULL, NULL,
     &sky_measure__payload_size},
    {"messages-per-hour",
     "How many messages the device sends, by what it sent since the beginning of the case. Too "
     "little: fewer than two, or less than ten seconds.",
     "the clouds' limits of a device's rate", NULL, "messages/h", NULL, NULL,
     &sky_measure__per_hour},
    {"retransmissions",
     "When a confirmable message is sent again whose answer stays away: 2 to 3 s after the first, "
     "then twice as long each time, four times at the most. Too little: no answer stayed away.",
     "RFC 7252 §4.2, §4.8 (ACK_TIMEOUT, ACK_RANDOM_FACTOR, MAX_RETRANSMIT)", retransmission_classes,
     "ms", NULL, NULL, &sky_measure__retransmissions},
    {"distinct-message-ids",
     "Whether an id is used for another message while the first is under way: over MQTT until it "
     "is acknowledged, over CoAP for 247 s. Too little: fewer than two messages with ids.",
     "MQTT 3.1.1 §2.3.1 [MQTT-2.3.1-2]; RFC 7252 §4.4, §4.8.2", id_classes, NULL, NULL, NULL,
     &sky_measure__ids},
};
const size_t sky_measure_row_count = SKY_COUNT(sky_measure_rows);

/* ---- the step ---- */

static size_t place_in(const char *const *names, const char *name)
{
    size_t i = 0;
    while (names[i] != NULL && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static const char *const *classes_of(const struct sky_measure *measure)
{
    const struct sky_measure_row *row = measure->row;
    return row->of_classes != NULL ? row->of_classes[measure->of] : row->classes;
}

static void join(struct sky_buf *out, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        sky_buf_addf(out, "%s%s", i > 0 ? ", " : "", names[i]);
}

static sky_err refuse(struct sky_why *why, const char *at, const char *member, const char *what,
                      const char *const *names)
{
    char pointer[SKY_WHY_POINTER_MAX];
    struct sky_buf list;
    snprintf(pointer, sizeof pointer, "%s/%s", at, member);
    sky_buf_init(&list, SKY_WHY_REASON_MAX);
    if (names != NULL)
        join(&list, names);
    sky_err err = sky_why_set(why, SKY_ERR_INVALID, pointer, "%s%.*s", what,
                              SKY_SPAN_ARGS(sky_buf_span(&list)));
    sky_buf_done(&list);
    return err;
}

static sky_err take_facet(struct sky_measure *measure, const cJSON *step, const char *at,
                          struct sky_why *why)
{
    const struct sky_measure_row *row = measure->row;
    const cJSON *of = sky_json_get(step, "of");
    if (row->of == NULL)
        return of == NULL ? SKY_OK : refuse(why, at, "of", "this measure has no facets", NULL);
    measure->of = cJSON_IsString(of) ? place_in(row->of, of->valuestring) : SIZE_MAX;
    if (measure->of == SIZE_MAX || row->of[measure->of] == NULL)
        return refuse(why, at, "of", "must be one of: ", row->of);
    return SKY_OK;
}

static sky_err check_classes(const struct sky_measure *measure, const cJSON *list,
                             const char *member, const char *at, struct sky_why *why)
{
    const char *const *classes = classes_of(measure);
    const cJSON *name;
    if (!cJSON_IsArray(list) || list->child == NULL)
        return refuse(why, at, member,
                      classes != NULL ? "must be an array of: " : "must be an array of texts",
                      classes);
    cJSON_ArrayForEach (name, list) {
        if (cJSON_IsString(name) &&
            (classes == NULL || classes[place_in(classes, name->valuestring)] != NULL))
            continue;
        return refuse(why, at, member,
                      classes != NULL ? "each must be one of: " : "each must be a text", classes);
    }
    return SKY_OK;
}

static sky_err check_bounds(const cJSON *bounds, const char *member, const char *at,
                            struct sky_why *why)
{
    static const char *const names[] = {"min", "max", NULL};
    const cJSON *bound, *min = sky_json_get(bounds, "min"), *max = sky_json_get(bounds, "max");
    bool good = cJSON_IsObject(bounds) && bounds->child != NULL;
    if (good)
        cJSON_ArrayForEach (bound, bounds)
            good &= cJSON_IsNumber(bound) && names[place_in(names, bound->string)] != NULL;
    if (!good)
        return refuse(why, at, member, "must be an object of numbers: ", names);
    if (min != NULL && max != NULL && min->valuedouble > max->valuedouble)
        return refuse(why, at, member, "min is greater than max", NULL);
    return SKY_OK;
}

static sky_err take_wanted(const struct sky_measure *measure, const cJSON *step, const char *member,
                           const char *at, cJSON **ret_wanted, struct sky_why *why)
{
    const cJSON *wanted = sky_json_get(step, member);
    sky_err err = measure->row->classes != NULL ? check_classes(measure, wanted, member, at, why)
                                                : check_bounds(wanted, member, at, why);
    if (err != SKY_OK)
        return err;
    *ret_wanted = cJSON_Duplicate(wanted, true);
    SKY_ASSERT(*ret_wanted != NULL);
    return SKY_OK;
}

static sky_err compile(struct sky_measure *measure, const cJSON *step, const char *at,
                       struct sky_why *why)
{
    static const char *const members[] = {"measure", "of", "pass", "warn", "title", NULL};
    const char *name = sky_json_get_str(step, "measure");
    const cJSON *member;
    for (size_t i = 0; i < sky_measure_row_count && name != NULL; i++)
        if (strcmp(sky_measure_rows[i].name, name) == 0)
            measure->row = &sky_measure_rows[i];
    if (measure->row == NULL) {
        const char *names[SKY_COUNT(sky_measure_rows) + 1] = {NULL};
        for (size_t i = 0; i < sky_measure_row_count; i++)
            names[i] = sky_measure_rows[i].name;
        return refuse(why, at, "measure", "must be one of: ", names);
    }
    cJSON_ArrayForEach (member, step)
        if (members[place_in(members, member->string)] == NULL)
            return refuse(why, at, member->string, "a measure has: ", members);
    sky_err err = take_facet(measure, step, at, why);
    if (err == SKY_OK)
        err = take_wanted(measure, step, "pass", at, &measure->pass, why);
    if (err == SKY_OK && sky_json_get(step, "warn") != NULL)
        err = take_wanted(measure, step, "warn", at, &measure->warn, why);
    return err;
}

struct sky_measure *sky_measure_new(const cJSON *step, const char *at, struct sky_why *why)
{
    struct sky_measure *measure = sky_mem_new(sizeof *measure);
    measure->grade = SKY_GRADE_IDLE;
    if (compile(measure, step, at, why) != SKY_OK) {
        sky_measure_free(measure);
        return NULL;
    }
    measure->state = sky_mem_new(measure->row->kind->size);
    return measure;
}

void sky_measure_free(struct sky_measure *measure)
{
    if (measure == NULL)
        return;
    cJSON_Delete(measure->pass);
    cJSON_Delete(measure->warn);
    free(measure->state);
    free(measure);
}

/* ---- events ---- */

void sky_measure_begin(struct sky_measure *measure, int64_t real_ms)
{
    measure->begin_ms = real_ms;
}

void sky_measure_feed(struct sky_measure *measure, const struct sky_measure_event *event)
{
    measure->row->kind->feed(measure, event);
}

void sky_measure_over(struct sky_measure *measure)
{
    measure->over = true;
}

bool sky_measure__is_packet(const struct sky_measure_event *event)
{
    if (!event->own)
        return false;
    switch (sky_measure__type(event)) {
    case SKY_EVENT_CONNECT:
    case SKY_EVENT_PUBLISH:
    case SKY_EVENT_PUBACK:
    case SKY_EVENT_SUBSCRIBE:
    case SKY_EVENT_UNSUBSCRIBE:
    case SKY_EVENT_PING:
    case SKY_EVENT_COAP_REQUEST:
    case SKY_EVENT_DISCONNECT:
    case SKY_EVENT_NOTE: /* packets of QoS 2 */
        return sky_measure__is_up(event);
    case SKY_EVENT_FAULT: {
        static const char *const points[] = {"publish-up",  "puback-up", "subscribe",
                                             "unsubscribe", "pingreq",   "disconnect",
                                             "datagram-up"};
        for (size_t i = 0; i < SKY_COUNT(points); i++)
            if (sky_measure__is_fault(event, points[i], NULL))
                return true;
        return false;
    }
    default:
        return false;
    }
}

int64_t sky_measure__number(const struct sky_measure_event *event, enum sky_event_field field)
{
    const struct sky_attr *attr =
        sky_attr_find(event->subject->attrs, event->subject->attr_count, field);
    return attr != NULL ? attr->number : 0;
}

sky_span sky_measure__text(const struct sky_measure_event *event, enum sky_event_field field)
{
    const struct sky_attr *attr =
        sky_attr_find(event->subject->attrs, event->subject->attr_count, field);
    return attr != NULL ? attr->bytes : SKY_SPAN_NONE;
}

bool sky_measure__is_left(const struct sky_measure_event *event)
{
    sky_span reason = sky_measure__text(event, SKY_F_REASON);
    return sky_measure__type(event) == SKY_EVENT_CLOSE && sky_measure__is_up(event) &&
           (sky_span_starts(reason, SKY_SPAN("the peer closed")) ||
            sky_span_starts(reason, SKY_SPAN("the connection broke")));
}

bool sky_measure__is_fault(const struct sky_measure_event *event, const char *point,
                           const char *action)
{
    return sky_measure__type(event) == SKY_EVENT_FAULT &&
           (point == NULL || sky_span_eq_str(sky_measure__text(event, SKY_F_POINT), point)) &&
           (action == NULL || sky_span_eq_str(sky_measure__text(event, SKY_F_ACTION), action));
}

uint64_t sky_measure__print(const struct sky_measure_event *event)
{
    uint64_t print = sky_span_print(SKY_SPAN_PRINT, event->subject->topic);
    return sky_span_print(print * 31, event->subject->payload);
}

/* ---- what was found ---- */

static void take_found(struct sky_measure *measure, const char *fmt, va_list args)
{
    vsnprintf(measure->found, sizeof measure->found, fmt, args);
}

void sky_measure__idle(struct sky_measure *measure, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    take_found(measure, fmt, args);
    va_end(args);
    measure->known = false;
}

static void become(struct sky_measure *measure, const char *class_name, bool settled)
{
    measure->known = true;
    measure->settled = settled;
    if (class_name != measure->class_name)
        snprintf(measure->class_name, sizeof measure->class_name, "%s", class_name);
}

void sky_measure__is(struct sky_measure *measure, const char *class_name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    take_found(measure, fmt, args);
    va_end(args);
    become(measure, class_name, true);
}

void sky_measure__may_be(struct sky_measure *measure, const char *class_name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    take_found(measure, fmt, args);
    va_end(args);
    become(measure, class_name, false);
}

void sky_measure__value(struct sky_measure *measure, double value, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    take_found(measure, fmt, args);
    va_end(args);
    become(measure, "", true);
    measure->value = value;
}

void sky_measure__add_figure(struct sky_measure *measure, double figure)
{
    measure->figures[measure->figure_count++ % SKY_MEASURE_FIGURES_MAX] = figure;
}

void sky_measure__add_event(struct sky_measure *measure, const struct sky_measure_event *event)
{
    measure->events[measure->event_count++ % SKY_MEASURE_EVENTS_MAX] = event->seq;
}

static size_t first_of(size_t count, size_t max)
{
    return count > max ? count - max : 0;
}

void sky_measure__say_figures(const struct sky_measure *measure, char *out, size_t out_size)
{
    enum { SAID_MAX = 12 };
    size_t len = 0, from = first_of(measure->figure_count, SAID_MAX);
    out[0] = '\0';
    for (size_t i = from; i < measure->figure_count && len < out_size; i++)
        len += (size_t)snprintf(out + len, out_size - len, "%s%.0f",
                                i > from ? ", " : (from > 0 ? "..., " : ""),
                                measure->figures[i % SKY_MEASURE_FIGURES_MAX]);
}

/* ---- the grade ---- */

static bool is_within(const struct sky_measure *measure, const cJSON *wanted)
{
    if (wanted == NULL)
        return false;
    if (measure->row->classes == NULL) {
        const cJSON *min = sky_json_get(wanted, "min"), *max = sky_json_get(wanted, "max");
        return (min == NULL || measure->value >= min->valuedouble) &&
               (max == NULL || measure->value <= max->valuedouble);
    }
    const cJSON *name;
    cJSON_ArrayForEach (name, wanted)
        if (strcmp(name->valuestring, measure->class_name) == 0)
            return true;
    return false;
}

static void say_wanted(const struct sky_measure *measure, const cJSON *wanted, struct sky_buf *out)
{
    const cJSON *part;
    bool first = true;
    cJSON_ArrayForEach (part, wanted) {
        if (cJSON_IsString(part))
            sky_buf_addf(out, "%s%s", first ? "" : " or ", part->valuestring);
        else
            sky_buf_addf(out, "%sat %s %.10g", first ? "" : " and ",
                         strcmp(part->string, "min") == 0 ? "least" : "most", part->valuedouble);
        first = false;
    }
    if (measure->row->classes == NULL)
        sky_buf_addf(out, " %s", measure->row->unit);
}

enum sky_grade sky_measure_grade(struct sky_measure *measure, int64_t real_ms)
{
    struct sky_buf wanted;
    measure->row->kind->look(measure, real_ms);
    bool passes = measure->known && is_within(measure, measure->pass);
    bool may_change = !measure->settled && !measure->over;
    if (passes)
        measure->grade = SKY_GRADE_PASSED;
    else if (!measure->known || may_change)
        measure->grade = SKY_GRADE_IDLE;
    else
        measure->grade = is_within(measure, measure->warn) ? SKY_GRADE_WARNED : SKY_GRADE_FAILED;
    sky_buf_init(&wanted, SKY_MEASURE_REASON_MAX - SKY_MEASURE_FOUND_MAX - 16);
    if (measure->grade == SKY_GRADE_WARNED || measure->grade == SKY_GRADE_FAILED)
        say_wanted(measure, measure->pass, &wanted);
    snprintf(measure->reason, sizeof measure->reason, "%s%s%.*s", measure->found,
             wanted.len > 0 ? "; wanted: " : "", SKY_SPAN_ARGS(sky_buf_span(&wanted)));
    sky_buf_done(&wanted);
    return measure->grade;
}

const char *sky_measure_reason(const struct sky_measure *measure)
{
    return measure->reason;
}

/* ---- in JSON ---- */

static void put_number(struct sky_jw *jw, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.10g", number);
    sky_jw_raw(jw, sky_span_str(text));
}

static void put_lists(const struct sky_measure *measure, struct sky_jw *jw)
{
    size_t count = measure->figure_count;
    if (count > 0) {
        sky_jw_key(jw, "figures");
        sky_jw_array(jw);
        for (size_t i = first_of(count, SKY_MEASURE_FIGURES_MAX); i < count; i++)
            put_number(jw, measure->figures[i % SKY_MEASURE_FIGURES_MAX]);
        sky_jw_end_array(jw);
        sky_jw_put_str(jw, "figuresUnit", measure->row->unit);
    }
    sky_jw_key(jw, "events");
    sky_jw_array(jw);
    count = measure->event_count;
    for (size_t i = first_of(count, SKY_MEASURE_EVENTS_MAX); i < count; i++)
        sky_jw_int(jw, (int64_t)measure->events[i % SKY_MEASURE_EVENTS_MAX]);
    sky_jw_end_array(jw);
}

void sky_measure_print(const struct sky_measure *measure, struct sky_jw *jw)
{
    const struct sky_measure_row *row = measure->row;
    sky_jw_put_str(jw, "measure", row->name);
    if (row->of != NULL)
        sky_jw_put_str(jw, "of", row->of[measure->of]);
    if (measure->known && row->classes != NULL) {
        sky_jw_put_span(jw, "class", sky_span_str(measure->class_name));
    } else if (measure->known) {
        sky_jw_key(jw, "value");
        put_number(jw, measure->value);
        sky_jw_put_str(jw, "unit", row->unit);
    }
    put_lists(measure, jw);
    sky_jw_put_str(jw, "grade", sky_grade_name(measure->grade));
    sky_jw_put_span(jw, "reason", sky_span_str(measure->reason));
}
