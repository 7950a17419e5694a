/* Events as JSON, for the admin API. Knows names of devices and rules; knows no HTTP. */
#ifndef SKY_SERVER_JOURNAL_JSON_H
#define SKY_SERVER_JOURNAL_JSON_H

#include "protocol/base/json.h"
#include "server/journal/read.h"

enum {
    SKY_DEVICE_NAME_MAX = SKY_CLOUD_NAME_MAX + 2 * SKY_KEY_MAX + 2, /* cloud/product/device */
    SKY_DEVICE_NAMES_CACHED = 4096, /* of a server with so many a name is looked up once */
    SKY_TIME_TEXT_MAX = 32,
    SKY_EVENT_JSON_DEPTH_MAX = SKY_JSON_DEPTH_MAX - 4, /* of a payload shown as JSON: in an event,
                                                          in a list, it can still be parsed */
};

/* Names of devices by id, remembered: an id keeps its name for ever. */
struct sky_device_names {
    struct sky_store *store; /* borrowed; NULL: no device has a name */
    struct sky_device_name {
        int64_t id; /* 0: free */
        char text[SKY_DEVICE_NAME_MAX + 1];
    } cache[SKY_DEVICE_NAMES_CACHED];
};

/* "cloud/product/device", valid until the next call; empty when there never was such a device. */
const char *sky_device_names_get(struct sky_device_names *names, int64_t id);

/* What rendering needs besides the event. All borrowed. */
struct sky_event_printer {
    struct sky_cursor *cursor; /* where the event came from: finds what a delivery carries */
    const struct sky_catalogue *catalogue;
    struct sky_device_names *names;
};

/* Writes one event as an object on one line. */
void sky_event_print(const struct sky_event_printer *printer, const struct sky_event *event,
                     struct sky_jw *jw);

/* A rule's id, severity, statement, hint and source as members of an open object. */
void sky_rule_print(const struct sky_catalogue *catalogue, const struct sky_rule *rule,
                    struct sky_jw *jw);

/* Bytes as member "payload" when they are text, else as "payloadBase64". True: they are text. */
bool sky_payload_put(sky_span payload, struct sky_jw *jw);
/* The same; when they are JSON, also as "json". */
void sky_payload_print(sky_span payload, struct sky_jw *jw);

/* "2026-11-21T01:02:03.456Z" (RFC 3339, UTC). */
void sky_time_text(int64_t unix_ms, char out[SKY_TIME_TEXT_MAX]);

const char *sky_transport_name(enum sky_transport transport);

#endif
