/* Messages to a device, as its cloud would send them. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/admin/checks.h"
#include "server/broker/delivery.h"

struct message {
    sky_span topic, payload;
    uint8_t *decoded; /* owned: what `payload` views when it came as base64, or as its size */
    uint8_t qos;
};

/* Where the body has the payload. */
static const char *pointer_of(const struct sky_api *api)
{
    return sky_api_body_text(api, "payloadBase64") != NULL ? "/payloadBase64"
           : sky_api_body_int(api, "size", -1) >= 0        ? "/size"
                                                           : "/payload";
}

/* So many letters: a text of that size. */
static void make_up(size_t size, struct message *message)
{
    message->decoded = sky_mem_new(size + 1);
    for (size_t i = 0; i < size; i++)
        message->decoded[i] = (uint8_t)('a' + i % 26);
    message->payload = sky_span_of(message->decoded, size);
}

/* False, and answered, when the body says nothing that can be sent. */
static bool take_message(struct sky_api *api, struct message *message)
{
    const char *text = sky_api_body_text(api, "payload");
    const char *base64 = sky_api_body_text(api, "payloadBase64");
    int64_t size = sky_api_body_int(api, "size", -1);
    struct sky_why why;
    size_t len = 0;
    sky_err err = sky_check_message_form(api->body, "", &why);
    if (err == SKY_OK && base64 != NULL)
        err = sky_take_payload(api->body, "", &message->decoded, &len, &why);
    if (err != SKY_OK) {
        sky_api_fail(api, err, &why);
        return false;
    }
    message->topic = sky_span_str(sky_api_body_text(api, "topic"));
    message->payload = base64 != NULL ? sky_span_of(message->decoded, len) : sky_span_str(text);
    message->qos = (uint8_t)sky_api_body_int(api, "qos", 0);
    if (size >= 0)
        make_up((size_t)size, message);
    if (sky_mqtt_publish_fits(message->topic, message->payload, message->qos))
        return true;
    sky_api_error(api, 413, "limit", pointer_of(api),
                  "%zu bytes of payload to a topic of %zu are more than the %d of a packet",
                  message->payload.len, message->topic.len, SKY_MQTT_PACKET_MAX);
    return false;
}

static uint64_t record(struct sky_app *app, int64_t device_id, const struct message *message)
{
    const struct sky_event_head head = {
        .type = SKY_EVENT_PUBLISH, .direction = SKY_INSIDE, .device_id = device_id};
    const struct sky_attr attrs[] = {SKY_ATTR(TOPIC, message->topic),
                                     SKY_ATTR(PAYLOAD, message->payload),
                                     SKY_ATTR_INT(QOS, message->qos)};
    return sky_journal_add(app->journal, &head, attrs, SKY_COUNT(attrs), NULL);
}

/* The reason why nobody gets it. */
static void refuse(struct sky_api *api, const struct sky_session *session,
                   const struct sky_delivered *delivered)
{
    char text[SKY_HINDRANCE_TEXT];
    if (delivered->dropped > 0 && delivered->hindrance.err == SKY_ERR_LIMIT)
        sky_api_error(api, 413, "limit", pointer_of(api), "the message is not sent: %s",
                      sky_hindrance_text(&delivered->hindrance, text));
    else if (delivered->dropped > 0)
        sky_api_error(api, 409, "conflict", "", "the message is not sent: %s",
                      sky_hindrance_text(&delivered->hindrance, text));
    else if (!sky_delivery_reaches(session, 1))
        sky_api_error(api, 409, "conflict", "",
                      "the device is not connected and keeps no session to come back to");
    else
        sky_api_error(
            api, 409, "conflict", "/topic",
            "the device does not subscribe to '%.*s', nor does any other",
            SKY_SPAN_ARGS(sky_span_head(sky_span_str(sky_api_body_text(api, "topic")), 200)));
}

static void send_message(struct sky_api *api, const struct sky_device *device,
                         const struct message *message)
{
    struct sky_app *app = api->app;
    struct sky_session *session = sky_session_find(&app->registry, device->id);
    char text[SKY_HINDRANCE_TEXT];
    uint64_t seq = record(app, device->id, message);
    struct sky_delivered delivered = sky_deliver_message(&app->broker, session, message->topic,
                                                         message->payload, message->qos, seq);
    if (delivered.receivers == 0) {
        refuse(api, session, &delivered);
        return;
    }
    if (!sky_api_flush(api))
        return;
    sky_jw_object(&api->jw);
    sky_jw_put_int(&api->jw, "seq", (int64_t)seq);
    sky_jw_put_int(&api->jw, "receivers", (int64_t)delivered.receivers);
    if (delivered.dropped > 0) {
        sky_jw_put_int(&api->jw, "dropped", (int64_t)delivered.dropped);
        sky_jw_put_str(&api->jw, "reason", sky_hindrance_text(&delivered.hindrance, text));
    }
    sky_jw_put_bool(&api->jw, "online", sky_delivery_reaches(session, 0));
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 202);
}

void sky_api_device_message(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    struct message message = {.decoded = NULL};
    if (sky_api_device(api, &product, &device) && take_message(api, &message))
        send_message(api, &device, &message);
    free(message.decoded);
}
