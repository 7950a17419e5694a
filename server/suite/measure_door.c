/* How a device comes in: when it comes back, and how its handshakes go. */
#include <stdio.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "server/judge/intervals.h"
#include "server/suite/measure_private.h"

static uint32_t whole_ms(int64_t ms)
{
    return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* ---- reconnect-intervals ---- */

struct intervals {
    uint32_t connection; /* by which it came last; 0: not in this case */
    bool acted;          /* on it */
    int64_t ended_ms;    /* 0: it has not ended */
    size_t count, ramp;  /* of them; of those since it last got through */
    struct sky_interval list[SKY_BEHAVIOUR_INTERVALS_MAX]; /* the last ones */
};

static void add_interval(struct intervals *intervals, struct sky_interval interval)
{
    if (intervals->count == SKY_BEHAVIOUR_INTERVALS_MAX)
        memmove(intervals->list, intervals->list + 1, --intervals->count * sizeof *intervals->list);
    intervals->list[intervals->count++] = interval;
    intervals->ramp = interval.follows ? intervals->ramp + 1 : 1;
}

static void on_connect(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct intervals *intervals = measure->state;
    if (intervals->ended_ms != 0) {
        struct sky_interval interval = {.ms = whole_ms(event->real_ms - intervals->ended_ms),
                                        .follows = !intervals->acted};
        add_interval(intervals, interval);
        sky_measure__add_figure(measure, interval.ms);
    }
    sky_measure__add_event(measure, event);
    bool refused = event->subject->refused.len > 0; /* it is closed at once */
    intervals->connection = sky_measure__connection(event);
    intervals->acted = false;
    intervals->ended_ms = refused ? event->real_ms : 0;
}

/* By a fault: there may be no CONNECT then, though the device came. */
static bool is_met_at_the_door(const struct sky_measure_event *event)
{
    return sky_measure__is_fault(event, "accept", NULL) ||
           sky_measure__is_fault(event, "handshake", NULL);
}

/* A connection that another of the device took over ends behind it, and counts no more; what came
 * before the case is taken for one on which the device had acted. */
static void feed_intervals(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct intervals *intervals = measure->state;
    enum sky_event_type type = sky_measure__type(event);
    bool same = sky_measure__connection(event) == intervals->connection;
    bool turned_away = type == SKY_EVENT_PSK_HANDSHAKE && event->subject->refused.len > 0;
    if (is_met_at_the_door(event) ||
        ((type == SKY_EVENT_CONNECT || turned_away) && sky_measure__is_up(event) && !same)) {
        on_connect(measure, event);
    } else if (type == SKY_EVENT_CLOSE && (same || (event->own && intervals->connection == 0))) {
        intervals->ended_ms = event->real_ms;
        intervals->acted |= intervals->connection == 0;
    } else if (type == SKY_EVENT_CONNACK && same && sky_measure__number(event, SKY_F_CODE) != 0) {
        intervals->ended_ms = event->real_ms;
    } else if (same && sky_measure__is_packet(event) && type != SKY_EVENT_PUBACK) {
        intervals->acted = true; /* of itself: it may acknowledge what comes before a CONNACK */
    }
}

static void look_at_intervals(struct sky_measure *measure, int64_t real_ms)
{
    (void)real_ms;
    const struct intervals *intervals = measure->state;
    char figures[SKY_MEASURE_FOUND_MAX / 2];
    sky_measure__say_figures(measure, figures, sizeof figures);
    if (intervals->count < SKY_INTERVALS_MIN) {
        sky_measure__idle(measure, "the device came back %zu times, and %d are needed",
                          intervals->count, SKY_INTERVALS_MIN);
        return;
    }
    const char *name =
        sky_interval_class_name(sky_intervals_class(intervals->list, intervals->count));
    /* One that has begun decides when it is long enough, not what came before. */
    bool ramps = intervals->ramp > 1 && intervals->ramp < SKY_INTERVALS_JITTER_MIN;
    if (intervals->count < SKY_INTERVALS_JITTER_MIN || ramps)
        sky_measure__may_be(measure, name, "%s: it came back after %s ms", name, figures);
    else
        sky_measure__is(measure, name, "%s: it came back after %s ms", name, figures);
}

const struct sky_measure_kind sky_measure__intervals = {sizeof(struct intervals), feed_intervals,
                                                        look_at_intervals};

/* ---- signed-anew ---- */

struct logins {
    bool refused;   /* the one before */
    uint64_t print; /* of it */
    size_t anew, again;
};

/* The password is not looked at: it has nothing new where these have not. */
static void feed_logins(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct logins *logins = measure->state;
    enum sky_event_type type = sky_measure__type(event);
    if (type == SKY_EVENT_CONNACK && sky_measure__is_down(event))
        logins->refused = sky_measure__number(event, SKY_F_CODE) != 0;
    if (type != SKY_EVENT_CONNECT || !sky_measure__is_up(event))
        return;
    uint64_t print = sky_span_print(SKY_SPAN_PRINT, sky_measure__text(event, SKY_F_CLIENT_ID));
    print = sky_span_print(print, sky_measure__text(event, SKY_F_USERNAME));
    if (logins->refused) {
        sky_measure__add_event(measure, event);
        logins->anew += print != logins->print;
        logins->again += print == logins->print;
    }
    logins->print = print;
    logins->refused = event->subject->refused.len > 0;
}

static void look_at_logins(struct sky_measure *measure, int64_t real_ms)
{
    (void)real_ms;
    const struct logins *logins = measure->state;
    if (logins->again > 0)
        sky_measure__is(measure, "again",
                        "a login that had been refused came again as it was, %zu times",
                        logins->again);
    else if (logins->anew > 0)
        sky_measure__is(measure, "anew", "a refused login was signed anew, %zu times",
                        logins->anew);
    else
        sky_measure__idle(measure, "no login came behind one that was refused");
}

const struct sky_measure_kind sky_measure__signed_anew = {sizeof(struct logins), feed_logins,
                                                          look_at_logins};

/* ---- time-to-first-connect ---- */

struct first_connect {
    int64_t since_ms;
    bool ended, came;
};

static void feed_first_connect(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct first_connect *first = measure->state;
    if (first->came || !event->own)
        return;
    if (sky_measure__type(event) == SKY_EVENT_CLOSE && !first->ended) {
        first->ended = true;
        first->since_ms = event->real_ms;
        sky_measure__add_event(measure, event);
    } else if (sky_measure__type(event) == SKY_EVENT_CONNECT) {
        first->came = true;
        sky_measure__add_figure(
            measure,
            whole_ms(event->real_ms - (first->ended ? first->since_ms : measure->begin_ms)));
        sky_measure__add_event(measure, event);
    }
}

static void look_at_first_connect(struct sky_measure *measure, int64_t real_ms)
{
    (void)real_ms;
    const struct first_connect *first = measure->state;
    if (!first->came)
        sky_measure__idle(measure, "no CONNECT came");
    else
        sky_measure__value(measure, measure->figures[0], "CONNECT came after %.0f ms",
                           measure->figures[0]);
}

const struct sky_measure_kind sky_measure__first_connect = {
    sizeof(struct first_connect), feed_first_connect, look_at_first_connect};

/* ---- handshake ---- */

enum {
    TRIES_MAX = 16,    /* of nobody, that may turn out to be the device's */
    GOES_ON_MS = 2000, /* whoever says nothing for so long behind a handshake will not log in */
    NAME_MAX = SKY_MEASURE_CLASS_MAX - 1,
};

enum facet { OF_VERSION, OF_SUITE, OF_RESUMED, OF_SERVER_NAME, OF_REFUSAL };

/* A handshake, as far as this facet goes. */
struct
try {
    uint32_t connection;
    uint64_t seq;
    int64_t at_ms;
    bool done, lied_to, went_on, ended; /* it was carried through, ... */
    char text[NAME_MAX + 1];
};

struct handshake {
    struct try tries[TRIES_MAX]; /* ring */
    size_t count;                /* ever */
    struct try last;             /* the device's, that was carried through */
    size_t done, failed;         /* of the device's; of anybody that may be it */
    char refusal[NAME_MAX + 1];  /* what became of the last that it had reason to refuse */
    bool accepted;
};

static const enum sky_event_field fields[] = {[OF_VERSION] = SKY_F_TLS_VERSION,
                                              [OF_SUITE] = SKY_F_CIPHER,
                                              [OF_RESUMED] = SKY_F_DETAIL,
                                              [OF_SERVER_NAME] = SKY_F_SERVER_NAME};

static struct try *find_try(struct handshake *handshake, uint32_t connection)
{
    for (size_t i = 0; i < TRIES_MAX; i++)
        if (connection != 0 && handshake->tries[i].connection == connection)
            return &handshake->tries[i];
    return NULL;
}

static void adopt(struct sky_measure *measure, struct try *try)
{
    struct handshake *handshake = measure->state;
    if (try->went_on)
        return;
    try->went_on = true;
    handshake->last = *try;
    handshake->done++;
    handshake->accepted |= try->lied_to;
}

/* A certificate that no device should take; one that is large is good. */
static bool has_lie(const struct sky_measure_event *event)
{
    sky_span detail = sky_measure__text(event, SKY_F_DETAIL);
    return sky_span_starts(detail, SKY_SPAN("the certificate shown is a fault")) &&
           !sky_span_ends(detail, SKY_SPAN(": large"));
}

/* By TLS with a pre-shared key two events tell of one handshake. */
static void on_handshake(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct handshake *handshake = measure->state;
    bool failed = sky_measure__text(event, SKY_F_EXPLANATION).len > 0;
    bool psk = sky_measure__type(event) == SKY_EVENT_PSK_HANDSHAKE;
    sky_span state = sky_measure__text(event, SKY_F_STATE);
    if (psk && event->subject->head->transport == SKY_TLS)
        return;
    sky_measure__add_event(measure, event);
    if (failed) {
        handshake->failed++;
        if (sky_span_eq_str(state, "alert"))
            snprintf(handshake->refusal, sizeof handshake->refusal, "alert");
        else if (sky_span_eq_str(state, "left") || sky_span_eq_str(state, "timeout"))
            snprintf(handshake->refusal, sizeof handshake->refusal, "silent");
        return;
    }
    struct try *try = &handshake->tries[handshake->count++ % TRIES_MAX];
    *try = (struct try){.connection = sky_measure__connection(event),
                        .seq = event->seq,
                        .at_ms = event->real_ms,
                        .done = true,
                        .lied_to = has_lie(event)};
    if (measure->of < SKY_COUNT(fields)) {
        sky_span text = sky_measure__text(event, fields[measure->of]);
        (void)sky_span_copy(sky_span_head(text, NAME_MAX), try->text, sizeof try->text);
    }
    if (psk) /* it is the device's from its beginning */
        adopt(measure, try);
}

static void feed_handshake(struct sky_measure *measure, const struct sky_measure_event *event)
{
    enum sky_event_type type = sky_measure__type(event);
    if (type == SKY_EVENT_TLS_HANDSHAKE || type == SKY_EVENT_PSK_HANDSHAKE) {
        on_handshake(measure, event);
        return;
    }
    struct try *try = find_try(measure->state, sky_measure__connection(event));
    if (try == NULL)
        return;
    if (type == SKY_EVENT_CLOSE)
        try->ended = true;
    else if (sky_measure__is_up(event))
        adopt(measure, try);
}

/* A device may look at a certificate behind the handshake only, and leave then. */
static void look_at_refusal(struct sky_measure *measure, int64_t real_ms)
{
    const struct handshake *handshake = measure->state;
    bool waits = false, silent = false;
    for (size_t i = 0; i < TRIES_MAX; i++) {
        const struct try *try = &handshake->tries[i];
        if (!try->lied_to || try->went_on)
            continue;
        bool gone = try->ended || real_ms - try->at_ms >= GOES_ON_MS || measure->over;
        silent |= gone;
        waits |= !gone;
    }
    if (handshake->accepted)
        sky_measure__is(measure, "accepted",
                        "accepted: the device went on behind a handshake that it should have "
                        "refused");
    else if (handshake->refusal[0] != '\0')
        sky_measure__is(measure, handshake->refusal,
                        strcmp(handshake->refusal, "alert") == 0
                            ? "alert: the device ended the handshake with an alert"
                            : "silent: the device ended the handshake without an alert");
    else if (silent && !waits)
        sky_measure__is(measure, "silent",
                        "silent: the device left behind the handshake, and said nothing");
    else
        sky_measure__idle(measure, "no handshake was there to be refused");
}

static void look_at_handshake(struct sky_measure *measure, int64_t real_ms)
{
    const struct handshake *handshake = measure->state;
    const char *text = handshake->last.text;
    if (measure->of == OF_REFUSAL) {
        look_at_refusal(measure, real_ms);
    } else if (handshake->done == 0 && handshake->failed > 0) {
        sky_measure__may_be(measure, "none", "none: %zu handshakes failed, and none succeeded",
                            handshake->failed);
    } else if (handshake->done == 0) {
        sky_measure__idle(measure, "the device has shaken no hands over (D)TLS");
    } else if (measure->of == OF_RESUMED) {
        if (strcmp(text, "resumed") == 0)
            sky_measure__is(measure, "resumed", "resumed: the last of %zu handshakes",
                            handshake->done);
        else if (handshake->done > 1)
            sky_measure__is(measure, "full", "full: the last of %zu handshakes", handshake->done);
        else
            sky_measure__may_be(measure, "full", "full: the only handshake");
    } else {
        const char *name = text[0] != '\0' ? text : "none";
        sky_measure__is(measure, name, "%s: %s of the last of %zu handshakes", name,
                        measure->row->of[measure->of], handshake->done);
    }
}

const struct sky_measure_kind sky_measure__handshake = {sizeof(struct handshake), feed_handshake,
                                                        look_at_handshake};
