/* Measures among themselves: what all of them keep, and how a kind of them says what it found. */
#ifndef SKY_SERVER_SUITE_MEASURE_PRIVATE_H
#define SKY_SERVER_SUITE_MEASURE_PRIVATE_H

#include "server/suite/measure.h"

enum {
    SKY_MEASURE_CLASS_MAX = 128, /* bytes of a class that may be any text; more is cut */
    SKY_MEASURE_FOUND_MAX = 320, /* bytes of what was found, in words */
    /* Real time that a device has for what is due at once, before it is said not to have done it.
     */
    SKY_MEASURE_PATIENCE_MS = 5000,
};

struct sky_measure {
    const struct sky_measure_row *row;
    size_t of;          /* place of its facet */
    cJSON *pass, *warn; /* owned; `warn` NULL: there is none */
    void *state;        /* owned: its kind's */
    int64_t begin_ms;   /* real time */
    bool over;

    /* The last ones, in a ring each. */
    double figures[SKY_MEASURE_FIGURES_MAX];
    uint64_t events[SKY_MEASURE_EVENTS_MAX];
    size_t figure_count, event_count; /* ever */

    /* What it has come to. */
    bool known, settled; /* unless it is settled, or over, it may still become what passes */
    double value;
    char class_name[SKY_MEASURE_CLASS_MAX], found[SKY_MEASURE_FOUND_MAX];
    enum sky_grade grade;
    char reason[SKY_MEASURE_REASON_MAX];
};

struct sky_measure_kind {
    size_t size; /* of its state, zeroed at first */
    void (*feed)(struct sky_measure *measure, const struct sky_measure_event *event);
    /* Says with one of the four below what it has come to. */
    void (*look)(struct sky_measure *measure, int64_t real_ms);
};

extern const struct sky_measure_kind sky_measure__intervals, sky_measure__first_connect,
    sky_measure__signed_anew, sky_measure__handshake, sky_measure__keepalive, sky_measure__resend,
    sky_measure__heed, sky_measure__resubscribed, sky_measure__acknowledged,
    sky_measure__payload_size, sky_measure__per_hour, sky_measure__retransmissions,
    sky_measure__ids;

/* Too little to tell. */
void sky_measure__idle(struct sky_measure *measure, const char *fmt, ...) SKY_PRINTF(2, 3);
/* It is of that class; or is so far. */
void sky_measure__is(struct sky_measure *measure, const char *class_name, const char *fmt, ...)
    SKY_PRINTF(3, 4);
void sky_measure__may_be(struct sky_measure *measure, const char *class_name, const char *fmt, ...)
    SKY_PRINTF(3, 4);
void sky_measure__value(struct sky_measure *measure, double value, const char *fmt, ...)
    SKY_PRINTF(3, 4);

void sky_measure__add_figure(struct sky_measure *measure, double figure);
void sky_measure__add_event(struct sky_measure *measure, const struct sky_measure_event *event);
/* "52, 130, 210": the last of them that fit. */
void sky_measure__say_figures(const struct sky_measure *measure, char *out, size_t out_size);

/* ---- events ---- */

static inline enum sky_event_type sky_measure__type(const struct sky_measure_event *event)
{
    return event->subject->head->type;
}
static inline uint32_t sky_measure__connection(const struct sky_measure_event *event)
{
    return event->subject->head->connection;
}
/* Did the device do it? */
static inline bool sky_measure__is_up(const struct sky_measure_event *event)
{
    return event->own && event->subject->head->direction == SKY_UP;
}
static inline bool sky_measure__is_down(const struct sky_measure_event *event)
{
    return event->own && event->subject->head->direction == SKY_DOWN;
}
/* A packet of MQTT from the device, as far as the server has taken it, or a fault kept it. */
bool sky_measure__is_packet(const struct sky_measure_event *event);
int64_t sky_measure__number(const struct sky_measure_event *event, enum sky_event_field field);
sky_span sky_measure__text(const struct sky_measure_event *event, enum sky_event_field field);
/* The end of a connection, by the device itself. */
bool sky_measure__is_left(const struct sky_measure_event *event);
/* Is it a fault that did this, at that point? NULL: whatever it did, wherever. */
bool sky_measure__is_fault(const struct sky_measure_event *event, const char *point,
                           const char *action);
/* Tells messages apart by topic and payload; nothing trusts it. */
uint64_t sky_measure__print(const struct sky_measure_event *event);

#endif
