#include "server/cli/event_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { VALUE_MAX = 120, TIME_AT = 11, TIME_LEN = 12, WIDTH_TYPE = 14 };

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = sky_json_get_str(object, key);

    return text != NULL ? text : "";
}

/* Controls as \xNN, those of ISO 6429 that UTF-8 writes in two bytes too. */
static void add_text(struct sky_buf *out, const char *text, size_t max)
{
    size_t len = strlen(text), shown = len;

    if (len > max)
        for (shown = max; shown > 0 && ((uint8_t)text[shown] & 0xc0) == 0x80;)
            shown--; /* not within a character */
    for (size_t i = 0; i < shown; i++) {
        uint8_t byte = (uint8_t)text[i];
        bool c1 = byte == 0xc2 && ((uint8_t)text[i + 1] & 0xe0) == 0x80;
        if (byte < 0x20 || byte == 0x7f)
            sky_buf_addf(out, "\\x%02x", byte);
        else if (c1)
            sky_buf_addf(out, "\\x%02x", (uint8_t)text[++i]);
        else
            sky_buf_add_byte(out, byte);
    }
    if (shown < len)
        sky_buf_addf(out, "... (%zu bytes)", len);
}

void sky_print_shown(const char *fmt, ...)
{
    struct sky_buf shown;
    va_list args;
    char *line;

    va_start(args, fmt);
    int len = vasprintf(&line, fmt, args);
    va_end(args);
    SKY_ASSERT(len > 0 && line[len - 1] == '\n');
    line[len - 1] = '\0';
    sky_buf_init(&shown, SIZE_MAX);
    add_text(&shown, line, SIZE_MAX);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&shown)));
    sky_buf_done(&shown);
    free(line);
}

/* The device, or what the peer claimed to be, or what it is known by besides. */
static void add_whose(struct sky_buf *out, const cJSON *event)
{
    static const char *const others[] = {"clientId", "identity", "serverName", "listener"};
    const char *device = text_of(event, "device"), *product = text_of(event, "product");

    if (*device != '\0') {
        add_text(out, device, VALUE_MAX);
        return;
    }
    if (*product != '\0' && *text_of(event, "deviceKey") != '\0') {
        sky_buf_addf(out, "%s/", text_of(event, "cloud"));
        add_text(out, product, VALUE_MAX);
        sky_buf_add_byte(out, '/');
        add_text(out, text_of(event, "deviceKey"), VALUE_MAX);
        return;
    }
    for (size_t i = 0; i < SKY_COUNT(others); i++) {
        const char *text = text_of(event, others[i]);
        if (*text != '\0') {
            sky_buf_addf(out, "%s '", others[i]);
            add_text(out, text, VALUE_MAX);
            sky_buf_add_byte(out, '\'');
            return;
        }
    }
    sky_buf_add_byte(out, '-');
}

/* ---- any event ---- */

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

static void add_member(struct sky_buf *out, const cJSON *member)
{
    struct sky_buf json;

    if (is_shown_elsewhere(member->string) || cJSON_IsNull(member) || cJSON_IsFalse(member))
        return;
    if (cJSON_IsString(member) && member->valuestring[0] == '\0')
        return;
    sky_buf_addf(out, " %s", member->string);
    if (cJSON_IsTrue(member))
        return;
    sky_buf_add_byte(out, '=');
    if (cJSON_IsString(member)) {
        add_text(out, member->valuestring, VALUE_MAX);
        return;
    }
    sky_buf_init(&json, SIZE_MAX);
    sky_json_print(&json, member);
    sky_buf_add_byte(&json, '\0');
    add_text(out, json.bytes, VALUE_MAX);
    sky_buf_done(&json);
}

static void add_finding(struct sky_buf *out, const cJSON *finding, const char *refused)
{
    const char *rule = text_of(finding, "rule");
    const char *verb = strcmp(rule, refused) == 0 ? "refused by" : text_of(finding, "severity");

    sky_buf_addf(out, " | %s %s: ", verb, rule);
    add_text(out, text_of(finding, "detail"), SIZE_MAX);
}

void sky_event_line(const cJSON *event, struct sky_buf *out)
{
    const char *direction = text_of(event, "direction");
    const char *time = text_of(event, *text_of(event, "time") != '\0' ? "time" : "realTime");
    const cJSON *member, *seq = sky_json_get(event, "seq");

    sky_buf_addf(out, "%6.0f %.*s %c %-*s ", cJSON_IsNumber(seq) ? seq->valuedouble : 0, TIME_LEN,
                 strlen(time) > TIME_AT ? time + TIME_AT : time,
                 *direction == 'u'   ? '>'
                 : *direction == 'd' ? '<'
                                     : ' ',
                 WIDTH_TYPE, text_of(event, "type"));
    add_whose(out, event);
    cJSON_ArrayForEach (member, event)
        add_member(out, member);
    cJSON_ArrayForEach (member, sky_json_get(event, "findings"))
        add_finding(out, member, text_of(event, "refused"));
}

/* ---- refusals ---- */

bool sky_event_is_refusal(const cJSON *event)
{
    return *text_of(event, "refused") != '\0';
}

/* A mistake that was recognised has a rule of its own, and says more than the one enforced. */
static const char *rule_of(const cJSON *event)
{
    const char *rule = text_of(sky_json_get(event, "explanation"), "rule");

    return *rule != '\0' ? rule : text_of(event, "refused");
}

static void add_why(struct sky_buf *out, const cJSON *event)
{
    const cJSON *explanation = sky_json_get(event, "explanation"), *finding;
    const char *what = text_of(explanation, "what"), *similar = text_of(explanation, "similar");

    cJSON_ArrayForEach (finding, sky_json_get(event, "findings"))
        if (*what == '\0' && strcmp(text_of(finding, "rule"), text_of(event, "refused")) == 0)
            what = text_of(finding, "detail");
    add_text(out, what, SIZE_MAX);
    if (*similar != '\0') {
        sky_buf_add_str(out, "; did you mean '");
        add_text(out, similar, VALUE_MAX);
        sky_buf_add_str(out, "'?");
    }
    if (*text_of(explanation, "mistake") != '\0')
        sky_buf_addf(out, " [%s]", text_of(explanation, "mistake"));
}

void sky_refusal_line(const cJSON *event, struct sky_buf *out)
{
    const char *time = text_of(event, "realTime"), *peer = text_of(event, "peer");

    sky_buf_addf(out, "%.*s %s ", TIME_LEN, strlen(time) > TIME_AT ? time + TIME_AT : time, peer);
    add_whose(out, event);
    sky_buf_addf(out, " refused by %s: ", rule_of(event));
    add_why(out, event);
}

void sky_refusal_annotation(const cJSON *event, struct sky_buf *out)
{
    struct sky_buf text;

    sky_buf_init(&text, SKY_EVENT_LINE_MAX);
    add_whose(&text, event);
    sky_buf_add_str(&text, " was refused: ");
    add_why(&text, event);
    sky_buf_addf(out, "::error title=skymock %s::", rule_of(event));
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] == '%')
            sky_buf_add_str(out, "%25");
        else
            sky_buf_add_byte(out, (uint8_t)text.bytes[i]);
    sky_buf_done(&text);
}
