#include "server/journal/line.h"

#include "auth/text.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"

enum { VALUE_MAX = 120, TIME_AT = 11, TIME_LEN = 12, WIDTH_TYPE = 14 };

static sky_span text_of(const cJSON *object, const char *key)
{
    const char *text = sky_json_get_str(object, key);
    return sky_span_str(text != NULL ? text : "");
}

/* Of a text of `len` bytes, which begins with these, as much as a line shows. Controls of ISO 6429
 * are written in two bytes by UTF-8. */
static void add_shown(struct sky_buf *out, sky_span text, size_t len, size_t max)
{
    size_t shown = text.len;
    if (shown > max)
        for (shown = max; shown > 0 && ((uint8_t)text.ptr[shown] & 0xc0) == 0x80;)
            shown--; /* not within a character */
    for (size_t i = 0; i < shown; i++) {
        uint8_t byte = (uint8_t)text.ptr[i];
        bool c1 = byte == 0xc2 && i + 1 < shown && ((uint8_t)text.ptr[i + 1] & 0xe0) == 0x80;
        if (byte < 0x20 || byte == 0x7f)
            sky_buf_addf(out, "\\x%02x", byte);
        else if (c1)
            sky_buf_addf(out, "\\x%02x", (uint8_t)text.ptr[++i]);
        else
            sky_buf_add_byte(out, byte);
    }
    if (shown < len)
        sky_buf_addf(out, "... (%zu bytes)", len);
}

void sky_text_show(struct sky_buf *out, sky_span text, size_t max)
{
    add_shown(out, text, text.len, max);
}

/* Also what only a server says may come from one that is none of ours. */
static void show(struct sky_buf *out, sky_span text)
{
    sky_text_show(out, text, VALUE_MAX);
}

/* ---- the head of a line ---- */

static const char *const other_names[] = {"clientId", "identity", "serverName", "listener"};

/* Who did what, when: of an event as the API gives it, or as the journal has it. */
struct act {
    uint64_t seq;
    sky_span time, direction, type;
    sky_span device, cloud, product, key; /* proven; claimed */
    sky_span others[SKY_COUNT(other_names)];
    sky_span refused;
};

static struct act act_of_json(const cJSON *event)
{
    const cJSON *seq = sky_json_get(event, "seq");
    const bool counts = cJSON_IsNumber(seq) && seq->valuedouble >= 0 &&
                        seq->valuedouble <= (double)SKY_STORE_NUMBER_MAX;
    struct act act = {.seq = counts ? (uint64_t)seq->valuedouble : 0,
                      .time = text_of(event, "time"),
                      .direction = text_of(event, "direction"),
                      .type = text_of(event, "type"),
                      .device = text_of(event, "device"),
                      .cloud = text_of(event, "cloud"),
                      .product = text_of(event, "product"),
                      .key = text_of(event, "deviceKey"),
                      .refused = text_of(event, "refused")};
    for (size_t i = 0; i < SKY_COUNT(other_names); i++)
        act.others[i] = text_of(event, other_names[i]);
    if (act.time.len == 0)
        act.time = text_of(event, "realTime");
    return act;
}

static sky_span attr_of(const struct sky_event *event, enum sky_event_field field)
{
    const struct sky_attr *attr = sky_event_get(event, field);
    return attr != NULL ? attr->bytes : SKY_SPAN_NONE;
}

/* `time` has the text for as long as the act is looked at. */
static struct act act_of_event(const struct sky_event_printer *printer,
                               const struct sky_event *event, char time[SKY_TIME_TEXT_MAX])
{
    static const enum sky_event_field fields[SKY_COUNT(other_names)] = {
        SKY_F_CLIENT_ID, SKY_F_IDENTITY, SKY_F_SERVER_NAME, SKY_F_LISTENER};
    sky_time_text(event->now_ms, time);
    struct act act = {.seq = event->seq,
                      .time = sky_span_str(time),
                      .direction = sky_span_str(sky_direction_name(event->head.direction)),
                      .type = sky_span_str(sky_event_type_name(event->head.type)),
                      .cloud = attr_of(event, SKY_F_CLOUD),
                      .product = attr_of(event, SKY_F_PRODUCT),
                      .key = attr_of(event, SKY_F_DEVICE_KEY),
                      .refused = event->refused};
    for (size_t i = 0; i < SKY_COUNT(fields); i++)
        act.others[i] = attr_of(event, fields[i]);
    if (event->head.device_id != 0)
        act.device = sky_span_str(sky_device_names_get(printer->names, event->head.device_id));
    return act;
}

/* The device, or what the peer claimed to be, or what it is known by besides. */
static void add_whose(struct sky_buf *out, const struct act *act)
{
    if (act->device.len > 0) {
        show(out, act->device);
        return;
    }
    if (act->product.len > 0 && act->key.len > 0) {
        show(out, act->cloud);
        sky_buf_add_byte(out, '/');
        show(out, act->product);
        sky_buf_add_byte(out, '/');
        show(out, act->key);
        return;
    }
    for (size_t i = 0; i < SKY_COUNT(other_names); i++) {
        if (act->others[i].len == 0)
            continue;
        sky_buf_addf(out, "%s '", other_names[i]);
        show(out, act->others[i]);
        sky_buf_add_byte(out, '\'');
        return;
    }
    sky_buf_add_byte(out, '-');
}

static void add_time(struct sky_buf *out, sky_span time)
{
    show(out, sky_span_head(sky_span_tail(time, time.len > TIME_AT ? TIME_AT : 0), TIME_LEN));
}

static void add_head(struct sky_buf *out, const struct act *act)
{
    sky_buf_addf(out, "%6llu ", (unsigned long long)act->seq);
    add_time(out, act->time);
    sky_buf_addf(out, " %c ",
                 sky_span_eq_str(act->direction, "up")     ? '>'
                 : sky_span_eq_str(act->direction, "down") ? '<'
                                                           : ' ');
    show(out, act->type);
    for (size_t width = act->type.len; width < WIDTH_TYPE; width++)
        sky_buf_add_byte(out, ' ');
    sky_buf_add_byte(out, ' ');
    add_whose(out, act);
}

/* ---- and the rest of it ---- */

/* What the line's head or its end says, and what would fill the screen. */
static bool is_shown_elsewhere(const char *key)
{
    static const char *const keys[] = {"seq",       "time",     "realTime",    "type",
                                       "direction", "device",   "cloud",       "product",
                                       "deviceKey", "findings", "explanation", "refused",
                                       "json",      "offered",  "transport",   "cut"};
    for (size_t i = 0; i < SKY_COUNT(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* A value of `len` characters that begins with these. */
static void add_value(struct sky_buf *out, const char *key, sky_span text, size_t len)
{
    if (len == 0 || is_shown_elsewhere(key))
        return;
    sky_buf_add_byte(out, ' ');
    show(out, sky_span_str(key));
    sky_buf_add_byte(out, '=');
    add_shown(out, text, len, VALUE_MAX);
}

static void add_number(struct sky_buf *out, const char *key, int64_t number)
{
    sky_buf_addf(out, " %s=%lld", key, (long long)number);
}

static void add_finding(struct sky_buf *out, sky_span rule, const char *severity, sky_span detail,
                        sky_span refused)
{
    sky_buf_add_str(out, " | ");
    show(out, sky_span_str(sky_span_eq(rule, refused) ? "refused by" : severity));
    sky_buf_add_byte(out, ' ');
    show(out, rule);
    sky_buf_add_str(out, ": ");
    sky_text_show(out, detail, SIZE_MAX);
}

static void add_member(struct sky_buf *out, const cJSON *member)
{
    struct sky_buf json;
    if (cJSON_IsString(member)) {
        sky_span text = sky_span_str(member->valuestring);
        add_value(out, member->string, text, text.len);
    } else if (cJSON_IsTrue(member) && !is_shown_elsewhere(member->string)) {
        sky_buf_add_byte(out, ' ');
        show(out, sky_span_str(member->string));
    } else if (!cJSON_IsNull(member) && !cJSON_IsBool(member)) {
        sky_buf_init(&json, SIZE_MAX);
        sky_json_print(&json, member);
        add_value(out, member->string, sky_buf_span(&json), json.len);
        sky_buf_done(&json);
    }
}

void sky_event_line(const cJSON *event, struct sky_buf *out)
{
    const struct act act = act_of_json(event);
    const cJSON *member, *object = cJSON_IsObject(event) ? event : NULL;
    add_head(out, &act);
    cJSON_ArrayForEach (member, object)
        add_member(out, member);
    cJSON_ArrayForEach (member, sky_json_get(event, "findings")) {
        const char *severity = sky_json_get_str(member, "severity");
        add_finding(out, text_of(member, "rule"), severity != NULL ? severity : "",
                    text_of(member, "detail"), act.refused);
    }
}

/* Bytes as the API writes them, but only so many of them as a line shows. */
static void add_payload(struct sky_buf *out, sky_span payload)
{
    enum { SHOWN = 3 * VALUE_MAX / 4 + 3 };
    char text[4 * SHOWN / 3 + 5];
    if (sky_utf8_valid(payload) == payload.len) {
        add_value(out, "payload", payload, payload.len);
        return;
    }
    sky_span head = sky_span_head(payload, SHOWN);
    sky_base64_encode(head, text);
    add_value(out, "payloadBase64", sky_span_of(text, sky_base64_len(head.len)),
              sky_base64_len(payload.len));
}

static void add_attr(struct sky_buf *out, const struct sky_attr *attr)
{
    enum { SHOWN = VALUE_MAX / 2 + 1 };
    char hex[2 * SHOWN + 1];
    const char *key = sky_event_field_key(attr->field);
    switch (sky_event_field_kind(attr->field)) {
    case SKY_KIND_TEXT:
    case SKY_KIND_JSON:
        add_value(out, key, attr->bytes, attr->bytes.len);
        break;
    case SKY_KIND_BYTES:
        add_payload(out, attr->bytes);
        break;
    case SKY_KIND_HEX:
        sky_hex_lower(sky_span_head(attr->bytes, SHOWN), hex);
        add_value(out, key, sky_span_str(hex), 2 * attr->bytes.len);
        break;
    case SKY_KIND_INT:
        add_number(out, key, attr->number);
        break;
    case SKY_KIND_BOOL:
        if (attr->number != 0)
            sky_buf_addf(out, " %s", key);
        break;
    }
}

void sky_event_show(const struct sky_event_printer *printer, const struct sky_event *event,
                    struct sky_buf *out)
{
    char time[SKY_TIME_TEXT_MAX];
    const struct act act = act_of_event(printer, event, time);
    add_head(out, &act);
    if (event->head.connection != 0)
        add_number(out, "connection", event->head.connection);
    for (size_t i = 0; i < event->attr_count; i++)
        add_attr(out, &event->attrs[i]);
    if (sky_event_get(event, SKY_F_OF) != NULL && sky_event_get(event, SKY_F_TOPIC) == NULL) {
        sky_span topic, payload;
        sky_cursor_message(printer->cursor, event, &topic, &payload);
        add_value(out, sky_event_field_key(SKY_F_TOPIC), topic, topic.len);
        if (topic.len > 0)
            add_payload(out, payload);
    }
    if (event->findings_lost > 0)
        add_number(out, "findingsLost", (int64_t)event->findings_lost);
    for (size_t i = 0; i < event->finding_count; i++) {
        const struct sky_event_finding *finding = &event->findings[i];
        const struct sky_rule *rule = sky_catalogue_find(printer->catalogue, finding->rule_id);
        add_finding(out, finding->rule_id, rule != NULL ? sky_severity_name(rule->severity) : "",
                    finding->detail, event->refused);
    }
}

/* ---- refusals ---- */

bool sky_event_is_refusal(const cJSON *event)
{
    return text_of(event, "refused").len > 0;
}

/* A mistake that was recognised has a rule of its own, and says more than the one enforced. */
static sky_span rule_of(const cJSON *event)
{
    sky_span rule = text_of(sky_json_get(event, "explanation"), "rule");
    return rule.len > 0 ? rule : text_of(event, "refused");
}

static void add_why(struct sky_buf *out, const cJSON *event)
{
    const cJSON *explanation = sky_json_get(event, "explanation"), *finding;
    sky_span what = text_of(explanation, "what"), similar = text_of(explanation, "similar");
    sky_span mistake = text_of(explanation, "mistake"), refused = text_of(event, "refused");
    cJSON_ArrayForEach (finding, sky_json_get(event, "findings"))
        if (what.len == 0 && sky_span_eq(text_of(finding, "rule"), refused))
            what = text_of(finding, "detail");
    sky_text_show(out, what, SIZE_MAX);
    if (similar.len > 0) {
        sky_buf_add_str(out, "; did you mean '");
        show(out, similar);
        sky_buf_add_str(out, "'?");
    }
    if (mistake.len > 0) {
        sky_buf_add_str(out, " [");
        show(out, mistake);
        sky_buf_add_byte(out, ']');
    }
}

void sky_refusal_line(const cJSON *event, struct sky_buf *out)
{
    const struct act act = act_of_json(event);
    add_time(out, text_of(event, "realTime"));
    sky_buf_add_byte(out, ' ');
    show(out, text_of(event, "peer"));
    sky_buf_add_byte(out, ' ');
    add_whose(out, &act);
    sky_buf_add_str(out, " refused by ");
    show(out, rule_of(event));
    sky_buf_add_str(out, ": ");
    add_why(out, event);
}

void sky_text_annotate(struct sky_buf *out, sky_span title, sky_span shown)
{
    sky_buf_add_str(out, "::error title=skymock ");
    show(out, title);
    sky_buf_add_str(out, "::");
    for (size_t i = 0; i < shown.len; i++)
        if (shown.ptr[i] == '%')
            sky_buf_add_str(out, "%25");
        else
            sky_buf_add_byte(out, (uint8_t)shown.ptr[i]);
}

void sky_refusal_annotation(const cJSON *event, struct sky_buf *out)
{
    const struct act act = act_of_json(event);
    struct sky_buf text;
    sky_buf_init(&text, SKY_EVENT_LINE_MAX);
    add_whose(&text, &act);
    sky_buf_add_str(&text, " was refused: ");
    add_why(&text, event);
    sky_text_annotate(out, rule_of(event), sky_buf_span(&text));
    sky_buf_done(&text);
}
