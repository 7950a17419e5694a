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

sky_err sky_take_payload(const cJSON *body, const char *at, uint8_t **ret_bytes, size_t *ret_len,
                         struct sky_why *why)
{
    sky_span text = sky_span_str(sky_json_get_str(body, "payloadBase64"));
    uint8_t *bytes = sky_mem_new(text.len + 1);
    if (!sky_base64_decode(text, bytes, text.len, ret_len)) {
        free(bytes);
        return wrong(why, at, "/payloadBase64", "this is not padded base64");
    }
    *ret_bytes = bytes;
    return SKY_OK;
}

sky_err sky_take_image(const cJSON *body, const char *at, uint8_t **ret_bytes, size_t *ret_len,
                       struct sky_why *why)
{
    uint8_t *bytes = NULL;
    sky_err err = sky_take_payload(body, at, &bytes, ret_len, why);
    if (err != SKY_OK)
        return err;
    if (*ret_len == 0) {
        free(bytes);
        return wrong(why, at, "/payloadBase64", "the image is empty");
    }
    *ret_bytes = bytes;
    return SKY_OK;
}

/* For those who want to know only. */
static sky_err check_bytes(const cJSON *body, const char *at, bool image, struct sky_why *why)
{
    uint8_t *bytes = NULL;
    size_t len;
    sky_err err = SKY_OK;
    if (sky_json_get_str(body, "payloadBase64") != NULL)
        err = image ? sky_take_image(body, at, &bytes, &len, why)
                    : sky_take_payload(body, at, &bytes, &len, why);
    free(bytes);
    return err;
}

sky_err sky_check_message_form(const cJSON *body, const char *at, struct sky_why *why)
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
    return SKY_OK;
}

sky_err sky_check_upgrade_form(const cJSON *body, const char *at, struct sky_why *why)
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
    return SKY_OK;
}

sky_err sky_check_message(const cJSON *body, const char *at, struct sky_why *why)
{
    sky_err err = sky_check_message_form(body, at, why);
    return err == SKY_OK ? check_bytes(body, at, false, why) : err;
}

sky_err sky_check_upgrade(const cJSON *body, const char *at, struct sky_why *why)
{
    sky_err err = sky_check_upgrade_form(body, at, why);
    return err == SKY_OK ? check_bytes(body, at, true, why) : err;
}
