#include "server/journal/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/text.h"
#include "protocol/base/mem.h"
#include "protocol/base/utf8.h"

static const char *const transport_names[] = {
    [SKY_TCP] = "tcp",     [SKY_TLS] = "tls", [SKY_DTLS] = "dtls", [SKY_HTTP] = "http",
    [SKY_HTTPS] = "https", [SKY_WS] = "ws",   [SKY_WSS] = "wss"};

const char *sky_transport_name(enum sky_transport transport)
{
    return transport_names[transport];
}

void sky_time_text(int64_t unix_ms, char out[SKY_TIME_TEXT_MAX])
{
    bool before = unix_ms % 1000 < 0; /* 1970, within a second */
    int64_t ms = unix_ms % 1000 + (before ? 1000 : 0);
    time_t seconds = (time_t)(unix_ms / 1000 - before);
    struct tm utc;
    size_t len = 0;
    if (gmtime_r(&seconds, &utc) != NULL)
        len = strftime(out, SKY_TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + len, SKY_TIME_TEXT_MAX - len, ".%03dZ", (int)ms);
}

/* Writes JSON that was checked, on one line: between its tokens a line break is only a blank. */
static void put_raw(struct sky_jw *jw, sky_span json)
{
    size_t at = jw->out->len;
    sky_jw_raw(jw, json);
    for (; at < jw->out->len; at++) {
        if (jw->out->bytes[at] == '\n' || jw->out->bytes[at] == '\r')
            jw->out->bytes[at] = ' ';
    }
}

static bool is_json(sky_span text)
{
    return sky_json_check(text, SKY_EVENT_JSON_DEPTH_MAX, NULL) == SKY_OK;
}

static void put_base64(struct sky_jw *jw, const char *key, sky_span bytes)
{
    size_t len = sky_base64_len(bytes.len);
    char *text = sky_mem_new(len + 1);
    sky_base64_encode(bytes, text);
    sky_jw_put_span(jw, key, sky_span_of(text, len));
    free(text);
}

bool sky_payload_put(sky_span payload, struct sky_jw *jw)
{
    bool is_text = sky_utf8_valid(payload) == payload.len;
    if (is_text)
        sky_jw_put_span(jw, "payload", payload);
    else
        put_base64(jw, "payloadBase64", payload);
    return is_text;
}

void sky_payload_print(sky_span payload, struct sky_jw *jw)
{
    if (sky_payload_put(payload, jw) && is_json(payload)) {
        sky_jw_key(jw, "json");
        put_raw(jw, payload);
    }
}

static void put_hex(struct sky_jw *jw, sky_span bytes)
{
    char *text = sky_mem_new(2 * bytes.len + 1);
    sky_hex_lower(bytes, text);
    sky_jw_str(jw, sky_span_of(text, 2 * bytes.len));
    free(text);
}

static void print_attr(const struct sky_attr *attr, struct sky_jw *jw)
{
    enum sky_event_kind kind = sky_event_field_kind(attr->field);
    if (kind == SKY_KIND_BYTES) {
        sky_payload_print(attr->bytes, jw);
        return;
    }
    sky_jw_key(jw, sky_event_field_key(attr->field));
    if (kind == SKY_KIND_INT)
        sky_jw_int(jw, attr->number);
    else if (kind == SKY_KIND_BOOL)
        sky_jw_bool(jw, attr->number != 0);
    else if (kind == SKY_KIND_HEX)
        put_hex(jw, attr->bytes);
    else if (kind == SKY_KIND_JSON && is_json(attr->bytes)) /* it may have been cut */
        put_raw(jw, attr->bytes);
    else
        sky_jw_str(jw, attr->bytes);
}

/* A delivery is recorded with the number of the publish it carries, not with a copy of it. */
static void print_carried(const struct sky_event_printer *printer, const struct sky_event *event,
                          struct sky_jw *jw)
{
    sky_span topic, payload;
    if (sky_event_get(event, SKY_F_OF) == NULL || sky_event_get(event, SKY_F_TOPIC) != NULL)
        return;
    sky_cursor_message(printer->cursor, event, &topic, &payload);
    if (topic.len == 0)
        return;
    sky_jw_put_span(jw, sky_event_field_key(SKY_F_TOPIC), topic);
    sky_payload_print(payload, jw);
}

void sky_rule_print(const struct sky_catalogue *catalogue, const struct sky_rule *rule,
                    struct sky_jw *jw)
{
    sky_jw_put_str(jw, "rule", rule->id);
    sky_jw_put_str(jw, "severity", sky_severity_name(rule->severity));
    sky_jw_put_str(jw, "statement", rule->statement);
    sky_jw_put_str(jw, "hint", sky_catalogue_hint(catalogue, rule));
    sky_jw_put_str(jw, "source", rule->source);
}

static void print_findings(const struct sky_event_printer *printer, const struct sky_event *event,
                           struct sky_jw *jw)
{
    sky_jw_key(jw, "findings");
    sky_jw_array(jw);
    for (size_t i = 0; i < event->finding_count; i++) {
        const struct sky_event_finding *finding = &event->findings[i];
        const struct sky_rule *rule = sky_catalogue_find(printer->catalogue, finding->rule_id);
        sky_jw_object(jw);
        if (rule != NULL)
            sky_rule_print(printer->catalogue, rule, jw);
        else
            sky_jw_put_span(jw, "rule", finding->rule_id);
        sky_jw_put_span(jw, "detail", finding->detail);
        sky_jw_put_str(jw, "action", sky_action_name(finding->action));
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    if (event->findings_lost > 0)
        sky_jw_put_int(jw, "findingsLost", (int64_t)event->findings_lost);
    if (event->refused.len > 0)
        sky_jw_put_span(jw, "refused", event->refused);
}

static void print_head(const struct sky_event_printer *printer, const struct sky_event *event,
                       struct sky_jw *jw)
{
    char now[SKY_TIME_TEXT_MAX], real[SKY_TIME_TEXT_MAX];
    sky_time_text(event->now_ms, now);
    sky_time_text(event->real_ms, real);
    sky_jw_put_int(jw, "seq", (int64_t)event->seq);
    sky_jw_put_str(jw, "time", now);
    sky_jw_put_str(jw, "realTime", real);
    sky_jw_put_str(jw, "type", sky_event_type_name(event->head.type));
    sky_jw_put_str(jw, "direction", sky_direction_name(event->head.direction));
    if (event->head.connection != 0 || event->head.direction != SKY_INSIDE)
        sky_jw_put_str(jw, "transport", sky_transport_name(event->head.transport));
    if (event->head.connection != 0)
        sky_jw_put_int(jw, "connection", event->head.connection);
    sky_jw_key(jw, "device");
    const char *name = "";
    if (event->head.device_id != 0)
        name = sky_device_names_get(printer->names, event->head.device_id);
    if (*name != '\0')
        sky_jw_str(jw, sky_span_str(name));
    else
        sky_jw_null(jw);
}

void sky_event_print(const struct sky_event_printer *printer, const struct sky_event *event,
                     struct sky_jw *jw)
{
    sky_jw_object(jw);
    print_head(printer, event, jw);
    for (size_t i = 0; i < event->attr_count; i++)
        print_attr(&event->attrs[i], jw);
    print_carried(printer, event, jw);
    if (event->cut)
        sky_jw_put_bool(jw, "cut", true);
    print_findings(printer, event, jw);
    sky_jw_end_object(jw);
}
