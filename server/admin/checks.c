#include "server/admin/checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/text.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"

SKY_PRINTF(4, 5)
static sky_err wrong(struct sky_why *why, const char *at, const char *member, const char *fmt, ...)
{
    char pointer[SKY_WHY_POINTER_MAX], reason[SKY_WHY_REASON_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    snprintf(pointer, sizeof pointer, "%s%s", at, member);
    return sky_why_set(why, SKY_ERR_INVALID, pointer, "%s", reason);
}

/* How many bytes they are; -1: this is no base64. */
static int64_t decoded_len(const char *base64)
{
    sky_span text = sky_span_str(base64);
    uint8_t *bytes = sky_mem_new(text.len + 1);
    size_t len = 0;
    bool good = sky_base64_decode(text, bytes, text.len, &len);
    free(bytes);
    return good ? (int64_t)len : -1;
}

sky_err sky_check_message(const cJSON *body, const char *at, struct sky_why *why)
{
    const char *topic = sky_json_get_str(body, "topic");
    const char *text = sky_json_get_str(body, "payload");
    const char *base64 = sky_json_get_str(body, "payloadBase64");
    if (topic == NULL || !sky_topic_valid_name(sky_span_str(topic)))
        return wrong(why, at, "/topic",
                     "this is not a topic name: it has a byte or more, and neither '+' nor '#'");
    if (text != NULL && base64 != NULL)
        return wrong(why, at, "/payloadBase64", "'payload' is given already");
    if (sky_json_get(body, "size") != NULL && (text != NULL || base64 != NULL))
        return wrong(why, at, "/size", "a payload is given already");
    if (base64 != NULL && decoded_len(base64) < 0)
        return wrong(why, at, "/payloadBase64", "this is not padded base64");
    return SKY_OK;
}

sky_err sky_check_upgrade(const cJSON *body, const char *at, struct sky_why *why)
{
    const char *protocol = sky_json_get_str(body, "protocol");
    const char *base64 = sky_json_get_str(body, "payloadBase64");
    if (protocol != NULL && strcmp(protocol, "https") != 0 && strcmp(protocol, "mqtt") != 0)
        return wrong(why, at, "/protocol", "'%s' is neither https nor mqtt", protocol);
    if (sky_json_get_str(body, "version") == NULL)
        return wrong(why, at, "/version", "'version' is missing: the one the device is to run");
    if ((sky_json_get(body, "size") != NULL) == (base64 != NULL))
        return wrong(why, at, "",
                     "an image is needed, once: its 'size' alone, 'payloadBase64', or the bytes "
                     "themselves as application/octet-stream with ?version= in the query");
    int64_t len = base64 != NULL ? decoded_len(base64) : 1;
    if (len <= 0)
        return wrong(why, at, "/payloadBase64",
                     len == 0 ? "the image is empty" : "this is not padded base64");
    return SKY_OK;
}
