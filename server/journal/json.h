/* Events as JSON, for the admin API. Knows names of devices and rules; knows no HTTP. */
#ifndef SKY_SERVER_JOURNAL_JSON_H
#define SKY_SERVER_JOURNAL_JSON_H

#include "protocol/base/json.h"
#include "server/journal/names.h"
#include "server/journal/read.h"

enum {
    SKY_TIME_TEXT_MAX = 32,
    SKY_EVENT_JSON_DEPTH_MAX = SKY_JSON_DEPTH_MAX - 4, /* of a payload shown as JSON: in an event,
                                                          in a list, it can still be parsed */
};

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
