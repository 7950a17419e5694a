/* What a device keeps up on its connections: its keep alive, its subscriptions, its PUBACKs. */
#include <stdio.h>
#include <string.h>

#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "server/suite/measure_private.h"

/* ---- keepalive-kept ---- */

enum { LATE_MS = 50 }; /* of a packet on its way, which is not the device's doing */

struct keepalive {
    uint32_t connection; /* at hand; 0: none, or one whose silence need not be the device's */
    int64_t limit_ms, last_ms, since_ms;
    int64_t pinged_ms;                    /* 0: not yet */
    bool promised, long_enough;           /* some connection had a keep alive; lived as long */
    size_t pings;                         /* that came within the keep alive of the one before */
    int64_t silence_ms, silence_limit_ms; /* the longest, against its keep alive */
};

static void note_silence(struct sky_measure *measure, int64_t silence_ms)
{
    struct keepalive *keepalive = measure->state;
    if (silence_ms * keepalive->silence_limit_ms <= keepalive->silence_ms * keepalive->limit_ms &&
        keepalive->silence_limit_ms != 0)
        return;
    keepalive->silence_ms = silence_ms;
    keepalive->silence_limit_ms = keepalive->limit_ms;
}

static void hear(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct keepalive *keepalive = measure->state;
    int64_t silence_ms = event->real_ms - keepalive->last_ms;
    if (silence_ms > keepalive->limit_ms)
        sky_measure__add_event(measure, event);
    note_silence(measure, silence_ms);
    keepalive->last_ms = event->real_ms;
    keepalive->long_enough |= event->real_ms - keepalive->since_ms > keepalive->limit_ms + LATE_MS;
}

static void on_ping(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct keepalive *keepalive = measure->state;
    if (keepalive->pinged_ms != 0 && event->real_ms - keepalive->pinged_ms <= keepalive->limit_ms)
        keepalive->pings++;
    keepalive->pinged_ms = event->real_ms;
    sky_measure__add_event(measure, event);
}

static void feed_keepalive(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct keepalive *keepalive = measure->state;
    enum sky_event_type type = sky_measure__type(event);
    bool begins = type == SKY_EVENT_CONNECT ||
                  (type == SKY_EVENT_PSK_HANDSHAKE && event->subject->head->transport == SKY_DTLS);
    if (begins && sky_measure__is_up(event)) {
        keepalive->limit_ms = sky_measure__number(event, SKY_F_KEEPALIVE) * 1000;
        bool counts = keepalive->limit_ms > 0 && event->subject->refused.len == 0;
        keepalive->connection = counts ? sky_measure__connection(event) : 0;
        keepalive->promised |= counts;
        keepalive->last_ms = keepalive->since_ms = event->real_ms;
        keepalive->pinged_ms = 0;
    } else if (keepalive->connection == 0 ||
               sky_measure__connection(event) != keepalive->connection) {
        return;
    } else if (sky_measure__is_fault(event, NULL, "freeze")) {
        keepalive->connection = 0; /* nothing is read any more */
    } else if (type == SKY_EVENT_CLOSE) {
        hear(measure, event);
        keepalive->connection = 0;
    } else if (sky_measure__is_packet(event)) {
        hear(measure, event);
        if (type == SKY_EVENT_PING || type == SKY_EVENT_COAP_REQUEST ||
            sky_measure__is_fault(event, "pingreq", NULL))
            on_ping(measure, event);
    }
}

static void look_at_keepalive(struct sky_measure *measure, int64_t real_ms)
{
    struct keepalive *keepalive = measure->state;
    if (keepalive->connection != 0) {
        note_silence(measure, real_ms - keepalive->last_ms);
        keepalive->long_enough |= real_ms - keepalive->since_ms > keepalive->limit_ms + LATE_MS;
    }
    measure->figures[0] = (double)keepalive->silence_ms;
    measure->figure_count = keepalive->promised;
    double limit_s = (double)keepalive->silence_limit_ms / 1000;
    bool goes_on = keepalive->connection != 0 && real_ms - keepalive->last_ms > keepalive->limit_ms;
    int64_t silence_ms = keepalive->silence_ms - LATE_MS;
    if (!keepalive->promised)
        sky_measure__idle(measure, "no connection with a keep alive began");
    else if (silence_ms * 2 > keepalive->silence_limit_ms * 3)
        sky_measure__is(measure, "missed",
                        "missed: silent for %lld ms, more than 1.5 times the keep alive of %.0f s",
                        (long long)keepalive->silence_ms, limit_s);
    else if (silence_ms > keepalive->silence_limit_ms && goes_on)
        sky_measure__may_be(measure, "late",
                            "late: silent for %lld ms by now; the keep alive is "
                            "%.0f s",
                            (long long)keepalive->silence_ms, limit_s);
    else if (silence_ms > keepalive->silence_limit_ms)
        sky_measure__is(measure, "late", "late: silent for %lld ms; the keep alive is %.0f s",
                        (long long)keepalive->silence_ms, limit_s);
    else if (keepalive->long_enough || keepalive->pings > 0)
        sky_measure__is(measure, "kept",
                        "kept: silent for %lld ms at the longest; the keep alive is %.0f s",
                        (long long)keepalive->silence_ms, limit_s);
    else
        sky_measure__idle(measure, "no connection lasted for its keep alive, nor did two PINGREQs "
                                   "come within it");
}

const struct sky_measure_kind sky_measure__keepalive = {sizeof(struct keepalive), feed_keepalive,
                                                        look_at_keepalive};

/* ---- resubscribed ---- */

enum { FILTERS_MAX = 128, FILTER_SHOWN_MAX = 80 };

struct filters {
    size_t count;
    struct filter {
        uint64_t print;
        char shown[FILTER_SHOWN_MAX + 1];
        bool again; /* subscribed to since */
    } list[FILTERS_MAX];
};

struct resubscribed {
    struct filters had; /* before the connection at hand; those that do not fit are not asked for */
    struct filters now; /* on it */
    int64_t lost_ms;    /* it was told that they are gone; 0: it was not */
    bool kept;          /* a session was present */
};

static struct filter *find_filter(struct filters *filters, uint64_t print)
{
    for (size_t i = 0; i < filters->count; i++)
        if (filters->list[i].print == print)
            return &filters->list[i];
    return NULL;
}

static void add_filter(struct filters *filters, const struct filter *filter)
{
    if (filters->count < FILTERS_MAX && find_filter(filters, filter->print) == NULL)
        filters->list[filters->count++] = *filter;
}

static void drop_filter(struct filters *filters, uint64_t print)
{
    struct filter *filter = find_filter(filters, print);
    if (filter != NULL)
        *filter = filters->list[--filters->count];
}

static void on_filters(struct resubscribed *state, const struct sky_measure_event *event)
{
    sky_span rest = sky_json_inside(sky_measure__text(event, SKY_F_FILTERS)), value;
    while (sky_json_next_element(&rest, &value)) {
        sky_span text = sky_json_text(sky_json_member(value, "filter"));
        struct filter filter = {.print = sky_span_print(SKY_SPAN_PRINT, text)};
        (void)sky_span_copy(sky_span_head(text, FILTER_SHOWN_MAX), filter.shown,
                            sizeof filter.shown);
        if (sky_measure__type(event) == SKY_EVENT_UNSUBSCRIBE) {
            drop_filter(&state->had, filter.print);
            drop_filter(&state->now, filter.print);
            continue;
        }
        add_filter(&state->now, &filter);
        struct filter *had = find_filter(&state->had, filter.print);
        if (had != NULL)
            had->again = true;
    }
}

/* What it had subscribed to before, on whichever connection, it has until it takes it back. */
static void begin_connection(struct resubscribed *state)
{
    for (size_t i = 0; i < state->now.count; i++)
        add_filter(&state->had, &state->now.list[i]);
    for (size_t i = 0; i < state->had.count; i++)
        state->had.list[i].again = false;
    state->now.count = 0;
    state->lost_ms = 0;
}

static void feed_resubscribed(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct resubscribed *state = measure->state;
    if (!event->own)
        return;
    switch (sky_measure__type(event)) {
    case SKY_EVENT_CONNECT:
        begin_connection(state);
        break;
    case SKY_EVENT_CONNACK:
        if (sky_measure__number(event, SKY_F_CODE) != 0 || state->had.count == 0)
            return;
        state->kept = sky_measure__number(event, SKY_F_SESSION_PRESENT) != 0;
        state->lost_ms = state->kept ? 0 : event->real_ms;
        break;
    case SKY_EVENT_SUBSCRIBE:
    case SKY_EVENT_UNSUBSCRIBE:
        on_filters(state, event);
        break;
    default:
        return;
    }
    sky_measure__add_event(measure, event);
}

static void look_at_resubscribed(struct sky_measure *measure, int64_t real_ms)
{
    const struct resubscribed *state = measure->state;
    const struct filter *missing = NULL;
    size_t again = 0;
    for (size_t i = 0; i < state->had.count; i++) {
        again += state->had.list[i].again;
        if (!state->had.list[i].again && missing == NULL)
            missing = &state->had.list[i];
    }
    if (state->lost_ms == 0) {
        sky_measure__idle(measure, state->kept
                                       ? "a session was present: nothing had to be subscribed again"
                                       : "the device did not come back without a session, having "
                                         "subscribed to something before");
        return;
    }
    const char *name = missing == NULL ? "all" : again > 0 ? "some" : "none";
    if (missing == NULL)
        sky_measure__is(measure, name, "all: the device subscribed to its %zu filters again",
                        again);
    else if (real_ms - state->lost_ms < SKY_MEASURE_PATIENCE_MS && !measure->over)
        sky_measure__may_be(measure, name, "%s: the device has subscribed to %zu of %zu filters",
                            name, again, state->had.count);
    else
        sky_measure__is(measure, name,
                        "%s: session present was 0, and the device subscribed to %zu of its %zu "
                        "filters again, not to %s",
                        name, again, state->had.count, missing->shown);
}

const struct sky_measure_kind sky_measure__resubscribed = {sizeof(struct resubscribed),
                                                           feed_resubscribed, look_at_resubscribed};

/* ---- acknowledged ---- */

enum {
    PENDING_MAX = 64,  /* messages at once; the oldest go, and are not asked for */
    HURRIED_MS = 1000, /* with so little time before the end of the connection none is missed */
};

struct acknowledged {
    size_t count, acked, missed, dropped; /* `dropped`: the device went away with them */
    struct pending {
        uint32_t connection;
        int64_t id, at_ms;
    } list[PENDING_MAX];
};

static void drop_pending(struct acknowledged *state, size_t i)
{
    memmove(&state->list[i], &state->list[i + 1], (--state->count - i) * sizeof *state->list);
}

/* The connection has come to its end; `excused`: nothing of it tells of the device. */
static void end_connection(struct acknowledged *state, const struct sky_measure_event *event,
                           bool excused)
{
    for (size_t i = state->count; i-- > 0;) {
        if (state->list[i].connection != sky_measure__connection(event))
            continue;
        bool late = event->real_ms - state->list[i].at_ms >= HURRIED_MS;
        state->missed += !excused && late;
        state->dropped += !excused && !late && sky_measure__is_left(event);
        drop_pending(state, i);
    }
}

static void on_message(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct acknowledged *state = measure->state;
    int64_t id = sky_measure__number(event, SKY_F_PACKET_ID);
    if (sky_measure__number(event, SKY_F_QOS) != 1 ||
        sky_measure__text(event, SKY_F_DETAIL).len > 0) /* it did not go out whole */
        return;
    if (state->count == PENDING_MAX)
        drop_pending(state, 0);
    state->list[state->count++] =
        (struct pending){sky_measure__connection(event), id, event->real_ms};
    sky_measure__add_event(measure, event);
}

static void on_puback(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct acknowledged *state = measure->state;
    int64_t id = sky_measure__number(event, SKY_F_PACKET_ID);
    for (size_t i = 0; i < state->count; i++) {
        if (state->list[i].id != id || state->list[i].connection != sky_measure__connection(event))
            continue;
        sky_measure__add_figure(measure, (double)(event->real_ms - state->list[i].at_ms));
        sky_measure__add_event(measure, event);
        state->acked++;
        drop_pending(state, i);
        return;
    }
}

static void feed_acknowledged(struct sky_measure *measure, const struct sky_measure_event *event)
{
    switch (sky_measure__type(event)) {
    case SKY_EVENT_PUBLISH:
        if (sky_measure__is_down(event))
            on_message(measure, event);
        break;
    case SKY_EVENT_PUBACK:
        if (sky_measure__is_up(event))
            on_puback(measure, event);
        break;
    case SKY_EVENT_CLOSE:
        end_connection(measure->state, event, false);
        break;
    case SKY_EVENT_FAULT:
        if (sky_measure__is_fault(event, NULL, "freeze"))
            end_connection(measure->state, event, true);
        break;
    default:
        break;
    }
}

static void look_at_acknowledged(struct sky_measure *measure, int64_t real_ms)
{
    const struct acknowledged *state = measure->state;
    size_t waits = 0, missed = state->missed;
    for (size_t i = 0; i < state->count; i++) {
        bool late = real_ms - state->list[i].at_ms >= SKY_MEASURE_PATIENCE_MS || measure->over;
        waits += !late;
        missed += late;
    }
    if (state->acked + waits + missed == 0 && state->dropped > 0 && measure->over) {
        sky_measure__is(measure, "none",
                        "none: %zu messages of QoS 1 went to the device, which went away at once "
                        "without having acknowledged one",
                        state->dropped);
    } else if (state->acked + waits + missed == 0) {
        sky_measure__idle(measure, "no message of QoS 1 went to the device");
    } else if (missed > 0) {
        const char *name = state->acked > 0 ? "some" : "none";
        sky_measure__is(measure, name,
                        "%s: %zu of %zu messages of QoS 1 were acknowledged with their packet id",
                        name, state->acked, state->acked + waits + missed);
    } else if (waits > 0) {
        sky_measure__idle(measure, "the device has not acknowledged %zu of %zu messages yet", waits,
                          state->acked + waits);
    } else {
        sky_measure__is(measure, "all", "all: %zu messages of QoS 1 were acknowledged",
                        state->acked);
    }
}

const struct sky_measure_kind sky_measure__acknowledged = {sizeof(struct acknowledged),
                                                           feed_acknowledged, look_at_acknowledged};
