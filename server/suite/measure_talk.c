/* What a device says: how much, how often, and how it repeats itself over CoAP. */
#include <string.h>

#include "protocol/base/mem.h"
#include "server/suite/measure_private.h"

/* A message of the device's, whatever carries it: each comes to a publish. */
static bool is_message(const struct sky_measure_event *event)
{
    return sky_measure__type(event) == SKY_EVENT_PUBLISH && sky_measure__is_up(event);
}

/* ---- payload-size ---- */

struct payload_size {
    bool any;
    size_t largest;
};

static void feed_payload_size(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct payload_size *state = measure->state;
    size_t len = event->subject->payload.len;
    if (!is_message(event) || (state->any && len <= state->largest))
        return;
    state->any = true;
    state->largest = len;
    sky_measure__add_figure(measure, (double)len);
    sky_measure__add_event(measure, event);
}

static void look_at_payload_size(struct sky_measure *measure, int64_t real_ms)
{
    const struct payload_size *state = measure->state;
    (void)real_ms;
    if (!state->any)
        sky_measure__idle(measure, "the device sent no message");
    else
        sky_measure__value(measure, (double)state->largest, "the largest payload has %zu bytes",
                           state->largest);
}

const struct sky_measure_kind sky_measure__payload_size = {sizeof(struct payload_size),
                                                           feed_payload_size, look_at_payload_size};

/* ---- messages-per-hour ---- */

enum { RATE_MS = 10 * 1000, HOUR_MS = 3600 * 1000 };

struct per_hour {
    size_t messages;
};

static void feed_per_hour(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct per_hour *state = measure->state;
    if (!is_message(event) || sky_measure__number(event, SKY_F_DUP) != 0)
        return;
    state->messages++;
    sky_measure__add_event(measure, event);
}

static void look_at_per_hour(struct sky_measure *measure, int64_t real_ms)
{
    const struct per_hour *state = measure->state;
    int64_t span_ms = real_ms - measure->begin_ms;
    if (state->messages < 2 || span_ms < RATE_MS) {
        sky_measure__idle(measure, "%zu messages in %lld ms, and 2 in %d ms are needed",
                          state->messages, (long long)span_ms, RATE_MS);
        return;
    }
    double rate = (double)state->messages * HOUR_MS / (double)span_ms;
    rate = (double)(int64_t)(rate * 10 + 0.5) / 10;
    sky_measure__value(measure, rate, "%zu messages in %lld ms are %.1f an hour", state->messages,
                       (long long)span_ms, rate);
}

const struct sky_measure_kind sky_measure__per_hour = {sizeof(struct per_hour), feed_per_hour,
                                                       look_at_per_hour};

/* ---- retransmissions ---- */

enum {
    EXCHANGES_MAX = 32,        /* that are looked at, the last ones */
    ACK_TIMEOUT_MS = 2000,     /* RFC 7252 §4.8 */
    ACK_TIMEOUT_MAX_MS = 3000, /* with ACK_RANDOM_FACTOR */
    MAX_RETRANSMIT = 4,
    EARLY_MS = 50, /* that a datagram on its way may have gained on the one before */
    LATE_MS = 250, /* of a busy machine; and a tenth of the wait */
    LOST_MAX = 8,
};

struct exchange {
    uint32_t connection;
    int64_t id, last_ms;
    uint64_t seq;    /* of the request as it was first heard */
    size_t again;    /* times that it came again, or for the first time behind lost ones */
    bool unanswered; /* the last answer did not get through */
};

struct retransmissions {
    struct exchange list[EXCHANGES_MAX]; /* ring */
    size_t count, again;                 /* exchanges; retransmissions of all of them */
    size_t many, early, late;
    /* Datagrams of the device that a fault kept from the server: whatever comes next is what one of
     * them was. */
    uint32_t lost_connection;
    int64_t lost_ms[LOST_MAX];
    size_t lost;
    uint32_t blurred; /* the connection on which a fault made copies, or held datagrams back */
    int64_t shown_ms, shown_id, low_ms, high_ms; /* of the last that was out of bounds */
};

static struct exchange *newest(struct retransmissions *state, uint32_t connection)
{
    struct exchange *best = NULL;
    for (size_t i = 0; i < EXCHANGES_MAX; i++) {
        struct exchange *exchange = &state->list[i];
        if (exchange->seq != 0 && exchange->connection == connection &&
            (best == NULL || exchange->seq > best->seq))
            best = exchange;
    }
    return best;
}

static struct exchange *find_exchange(struct retransmissions *state, uint32_t connection,
                                      int64_t id)
{
    struct exchange *best = NULL;
    for (size_t i = 0; i < EXCHANGES_MAX; i++) {
        struct exchange *exchange = &state->list[i];
        if (exchange->seq != 0 && exchange->connection == connection && exchange->id == id &&
            (best == NULL || exchange->seq > best->seq))
            best = exchange;
    }
    return best;
}

static void sent_again(struct sky_measure *measure, struct exchange *exchange, int64_t real_ms)
{
    struct retransmissions *state = measure->state;
    int64_t gap_ms = real_ms - exchange->last_ms;
    int64_t low_ms = (int64_t)ACK_TIMEOUT_MS << exchange->again;
    int64_t high_ms = (int64_t)ACK_TIMEOUT_MAX_MS << exchange->again;
    bool early = gap_ms<low_ms - EARLY_MS, late = gap_ms> high_ms + LATE_MS + high_ms / 10;
    sky_measure__add_figure(measure, (double)gap_ms);
    state->again++;
    exchange->last_ms = real_ms;
    exchange->unanswered = false;
    if (++exchange->again > MAX_RETRANSMIT) {
        exchange->again = MAX_RETRANSMIT;
        state->many++;
        state->shown_id = exchange->id;
        return;
    }
    state->early += early;
    state->late += late;
    if (!early && !late)
        return;
    state->shown_id = exchange->id;
    state->shown_ms = gap_ms;
    state->low_ms = low_ms;
    state->high_ms = high_ms;
}

static void on_request(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct retransmissions *state = measure->state;
    uint32_t connection = event->subject->head->connection;
    int64_t id = sky_measure__number(event, SKY_F_MESSAGE_ID);
    struct exchange *exchange = find_exchange(state, connection, id);
    if (!sky_span_eq_str(sky_measure__text(event, SKY_F_NAME), "CON") ||
        (state->blurred != 0 && state->blurred == connection))
        return;
    sky_measure__add_event(measure, event);
    if (exchange != NULL && sky_measure__number(event, SKY_F_DUP) != 0) {
        sent_again(measure, exchange, event->real_ms);
        return;
    }
    exchange = &state->list[state->count++ % EXCHANGES_MAX];
    *exchange = (struct exchange){
        .connection = connection, .id = id, .seq = event->seq, .last_ms = event->real_ms};
    if (state->lost == 0 || state->lost_connection != connection)
        return;
    exchange->last_ms = state->lost_ms[0];
    for (size_t i = 1; i < state->lost; i++)
        sent_again(measure, exchange, state->lost_ms[i]);
    sent_again(measure, exchange, event->real_ms);
    state->lost = 0;
}

static void on_fault(struct sky_measure *measure, const struct sky_measure_event *event)
{
    static const char *const answers[] = {"coap-answer", "reply", "datagram-down"};
    struct retransmissions *state = measure->state;
    uint32_t connection = event->subject->head->connection;
    if (sky_measure__is_fault(event, "datagram-up", "withhold")) {
        if (state->lost_connection != connection)
            state->lost = 0;
        state->lost_connection = connection;
        if (state->lost < LOST_MAX)
            state->lost_ms[state->lost++] = event->real_ms;
        sky_measure__add_event(measure, event);
    } else if (sky_measure__is_fault(event, "datagram-up", NULL)) {
        state->blurred = connection;
    }
    for (size_t i = 0; i < SKY_COUNT(answers); i++) {
        struct exchange *exchange = newest(state, connection);
        if (exchange == NULL || (!sky_measure__is_fault(event, answers[i], "withhold") &&
                                 !sky_measure__is_fault(event, answers[i], "delay")))
            continue;
        exchange->unanswered = true;
        sky_measure__add_event(measure, event);
    }
}

static void feed_retransmissions(struct sky_measure *measure, const struct sky_measure_event *event)
{
    if (sky_measure__type(event) == SKY_EVENT_COAP_REQUEST && sky_measure__is_up(event))
        on_request(measure, event);
    else if (sky_measure__type(event) == SKY_EVENT_FAULT && event->own)
        on_fault(measure, event);
}

static void look_at_retransmissions(struct sky_measure *measure, int64_t real_ms)
{
    const struct retransmissions *state = measure->state;
    const long long id = (long long)state->shown_id;
    const struct exchange *waits = NULL;
    char figures[SKY_MEASURE_FOUND_MAX / 2];
    for (size_t i = 0; i < EXCHANGES_MAX; i++)
        if (state->list[i].unanswered && state->list[i].again == 0)
            waits = &state->list[i];
    sky_measure__say_figures(measure, figures, sizeof figures);
    if (state->many > 0)
        sky_measure__is(measure, "too-many",
                        "too-many: message %lld was sent again more than %d "
                        "times",
                        id, MAX_RETRANSMIT);
    else if (state->early + state->late > 0)
        sky_measure__is(measure, state->early > 0 ? "too-early" : "too-late",
                        "%s: message %lld was sent again after %lld ms, where %lld to %lld are due "
                        "(all: %s)",
                        state->early > 0 ? "too-early" : "too-late", id, (long long)state->shown_ms,
                        (long long)state->low_ms, (long long)state->high_ms, figures);
    else if (waits != NULL &&
             (measure->over || real_ms - waits->last_ms > 2 * (int64_t)ACK_TIMEOUT_MAX_MS))
        sky_measure__is(measure, "none",
                        "none: the answer to message %lld stayed away, and it was not sent again",
                        (long long)waits->id);
    else if (state->again == 0)
        sky_measure__idle(measure, "no answer stayed away for long enough");
    else
        sky_measure__is(measure, "within-bounds",
                        "within-bounds: %zu messages were sent again, after %s ms", state->again,
                        figures);
}

const struct sky_measure_kind sky_measure__retransmissions = {
    sizeof(struct retransmissions), feed_retransmissions, look_at_retransmissions};
