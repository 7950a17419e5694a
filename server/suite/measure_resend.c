/* Messages that are said again, and the ids under which they are said. */
#include <string.h>

#include "protocol/base/mem.h"
#include "server/suite/measure_private.h"

/* ---- resend ---- */

enum {
    UNACKED_MAX = 64,  /* messages at once; the oldest go, and are not asked for */
    RESEND_MS = 10000, /* some devices send again by a timer only */
};

struct resend {
    uint32_t connection;
    bool acts;         /* it has said something new on it */
    int64_t let_in_ms; /* 0: not yet */
    size_t count;
    struct message {
        size_t place; /* among all of them */
        int64_t id;
        uint64_t print;
        bool due;                  /* the connection on which it was said last is over */
        bool renamed;              /* and the same came under another id */
    } list[UNACKED_MAX];           /* in the order in which they were said first */
    size_t resent, plain, swapped; /* again: well; without DUP; out of order */
    size_t places, order; /* given so far; of the last that was resent on this connection */
    int64_t shown_id;     /* of the last that was not resent well */
};

static void drop_message(struct resend *state, size_t i)
{
    memmove(&state->list[i], &state->list[i + 1], (--state->count - i) * sizeof *state->list);
}

/* With a clean session nothing is due, and all ids are free. */
static void begin_connection(struct resend *state, const struct sky_measure_event *event)
{
    if (sky_measure__number(event, SKY_F_CLEAN_SESSION) != 0)
        state->count = 0;
    state->connection = sky_measure__connection(event);
    state->acts = false;
    state->let_in_ms = 0;
    state->order = 0;
    for (size_t i = 0; i < state->count; i++) {
        state->list[i].due = true;
        state->list[i].renamed = false;
    }
}

/* It is said again: as it should be? One that goes again before it is due only shows that it can.
 */
static void on_again(struct sky_measure *measure, const struct sky_measure_event *event, size_t i)
{
    struct resend *state = measure->state;
    struct message *message = &state->list[i];
    bool dup = sky_measure__number(event, SKY_F_DUP) != 0;
    bool swapped = dup && message->due && message->place < state->order;
    state->resent += dup && !swapped;
    state->plain += !dup;
    state->swapped += swapped;
    if (!dup || swapped)
        state->shown_id = message->id;
    if (message->due)
        state->order = message->place;
    message->due = message->renamed = false;
    sky_measure__add_event(measure, event);
}

static void on_publish(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct resend *state = measure->state;
    int64_t id = sky_measure__number(event, SKY_F_PACKET_ID);
    uint64_t print = sky_measure__print(event);
    if (sky_measure__number(event, SKY_F_QOS) != 1)
        return;
    state->connection = sky_measure__connection(event);
    for (size_t i = 0; i < state->count; i++) {
        if (state->list[i].id == id && state->list[i].print == print) {
            on_again(measure, event, i);
            return;
        }
    }
    if (sky_measure__number(event, SKY_F_DUP) != 0) { /* its first, or its PUBACK, was lost */
        state->resent++;
        sky_measure__add_event(measure, event);
    } else {
        state->acts = true;
        for (size_t i = 0; i < state->count; i++) {
            if (!state->list[i].due || state->list[i].renamed || state->list[i].print != print)
                continue;
            state->list[i].renamed = true;
            sky_measure__add_event(measure, event);
            break;
        }
    }
    if (state->count == UNACKED_MAX)
        drop_message(state, 0);
    state->list[state->count++] =
        (struct message){.place = ++state->places, .id = id, .print = print};
}

static void on_puback(struct resend *state, const struct sky_measure_event *event)
{
    int64_t id = sky_measure__number(event, SKY_F_PACKET_ID);
    for (size_t i = 0; i < state->count; i++) {
        if (state->list[i].id != id || state->list[i].due)
            continue;
        drop_message(state, i);
        return;
    }
}

static void feed_resend(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct resend *state = measure->state;
    if (!event->own)
        return;
    switch (sky_measure__type(event)) {
    case SKY_EVENT_CONNECT:
        begin_connection(state, event);
        break;
    case SKY_EVENT_CONNACK:
        if (sky_measure__number(event, SKY_F_CODE) == 0 &&
            sky_measure__connection(event) == state->connection)
            state->let_in_ms = event->real_ms;
        break;
    case SKY_EVENT_PUBLISH:
        if (sky_measure__is_up(event))
            on_publish(measure, event);
        break;
    case SKY_EVENT_PUBACK:
        if (sky_measure__is_down(event))
            on_puback(state, event);
        break;
    default:
        break;
    }
}

static void look_at_faults(struct sky_measure *measure)
{
    const struct resend *state = measure->state;
    if (state->plain > 0)
        sky_measure__is(measure, "no-dup", "no-dup: message %lld was sent again without DUP",
                        (long long)state->shown_id);
    else if (state->swapped > 0)
        sky_measure__is(measure, "reordered",
                        "reordered: message %lld was sent again behind one that followed it",
                        (long long)state->shown_id);
    else if (state->resent > 0)
        sky_measure__is(measure, "resent",
                        "resent: %zu messages came again with DUP and their packet ids",
                        state->resent);
    else
        sky_measure__idle(measure,
                          "no message of QoS 1 was left unacknowledged when the device came back "
                          "without clean session");
}

static void look_at_resend(struct sky_measure *measure, int64_t real_ms)
{
    const struct resend *state = measure->state;
    const struct message *due = NULL;
    bool renamed = false;
    for (size_t i = 0; i < state->count; i++) {
        if (!state->list[i].due)
            continue;
        renamed |= state->list[i].renamed;
        if (due == NULL || (state->list[i].renamed && !due->renamed))
            due = &state->list[i];
    }
    if (due == NULL) {
        look_at_faults(measure);
        return;
    }
    bool late = state->let_in_ms != 0 && real_ms - state->let_in_ms >= RESEND_MS && state->acts;
    if (!late && !(measure->over && state->let_in_ms != 0))
        sky_measure__idle(measure, "message %lld has not come again yet", (long long)due->id);
    else if (renamed)
        sky_measure__is(measure, "new-id",
                        "new-id: message %lld came again under another packet id",
                        (long long)due->id);
    else
        sky_measure__is(measure, "not-resent",
                        "not-resent: message %lld was not acknowledged, and did not come again",
                        (long long)due->id);
}

const struct sky_measure_kind sky_measure__resend = {sizeof(struct resend), feed_resend,
                                                     look_at_resend};

/* ---- puback-heeded ---- */

/* A PUBACK has reached the device when so much time has passed since it went out, on its
 * connection: what is said again before that may have crossed it, and what is said again on the
 * next connection may be because it never arrived. */
enum { SAID_MAX = 64, ARRIVES_MS = 500 };

struct heed {
    uint32_t connection;
    size_t count;
    struct said {
        int64_t id;
        uint64_t print;
        int64_t acked_ms; /* 0: not yet */
        bool reused;      /* the id had another message before */
    } list[SAID_MAX];     /* the oldest first; those go, and are not asked for */
    size_t acked, impatient, ignored;
    int64_t shown_id; /* of the last that was said again */
};

/* What stays are those whose PUBACK has surely arrived; and of ids that it uses anew, one message
 * of which never got here may be meant. */
static void end_heed(struct heed *heed, int64_t real_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < heed->count; i++) {
        const struct said *said = &heed->list[i];
        if (said->acked_ms != 0 && real_ms - said->acked_ms >= ARRIVES_MS && !said->reused)
            heed->list[kept++] = *said;
    }
    heed->count = kept;
}

static struct said *find_said(struct heed *heed, int64_t id)
{
    for (size_t i = 0; i < heed->count; i++)
        if (heed->list[i].id == id)
            return &heed->list[i];
    return NULL;
}

static void on_said_again(struct sky_measure *measure, const struct sky_measure_event *event,
                          const struct said *said)
{
    struct heed *heed = measure->state;
    bool acked = said->acked_ms != 0;
    if (acked && event->real_ms - said->acked_ms < ARRIVES_MS)
        return;
    heed->ignored += acked;
    heed->impatient += !acked;
    heed->shown_id = said->id;
    sky_measure__add_event(measure, event);
}

static void on_said(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct heed *heed = measure->state;
    int64_t id = sky_measure__number(event, SKY_F_PACKET_ID);
    uint64_t print = sky_measure__print(event);
    struct said *said = find_said(heed, id);
    bool reused = said != NULL;
    if (reused && said->print == print && sky_measure__number(event, SKY_F_DUP) != 0) {
        on_said_again(measure, event, said);
        return;
    }
    if (!reused) {
        if (heed->count == SAID_MAX)
            memmove(&heed->list[0], &heed->list[1], --heed->count * sizeof *said);
        said = &heed->list[heed->count++];
    }
    *said = (struct said){.id = id, .print = print, .reused = reused};
}

static void feed_heed(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct heed *heed = measure->state;
    enum sky_event_type type = sky_measure__type(event);
    if (!event->own)
        return;
    if (type == SKY_EVENT_CONNECT) { /* which may come before the old connection's end */
        end_heed(heed, event->real_ms);
        heed->connection = sky_measure__connection(event);
    } else if (type == SKY_EVENT_CLOSE && sky_measure__connection(event) == heed->connection) {
        end_heed(heed, event->real_ms);
    } else if (type == SKY_EVENT_PUBLISH && sky_measure__is_up(event) &&
               sky_measure__number(event, SKY_F_QOS) == 1) {
        heed->connection = sky_measure__connection(event);
        on_said(measure, event);
    } else if (type == SKY_EVENT_PUBACK && sky_measure__is_down(event)) {
        struct said *said = find_said(heed, sky_measure__number(event, SKY_F_PACKET_ID));
        if (said != NULL && said->acked_ms == 0) {
            said->acked_ms = event->real_ms;
            heed->acked++;
        }
    }
}

static void look_at_heed(struct sky_measure *measure, int64_t real_ms)
{
    const struct heed *heed = measure->state;
    (void)real_ms;
    if (heed->ignored > 0)
        sky_measure__is(measure, "ignored",
                        "ignored: message %lld was sent again though it had been acknowledged",
                        (long long)heed->shown_id);
    else if (heed->acked == 0)
        sky_measure__idle(measure, "no message of QoS 1 was acknowledged");
    else if (heed->impatient > 0)
        sky_measure__is(measure, "impatient",
                        "impatient: message %lld was sent again on its connection while its "
                        "PUBACK was under way",
                        (long long)heed->shown_id);
    else
        sky_measure__is(measure, "heeded",
                        "heeded: none of %zu messages that were acknowledged was sent again",
                        heed->acked);
}

const struct sky_measure_kind sky_measure__heed = {sizeof(struct heed), feed_heed, look_at_heed};

/* ---- distinct-message-ids ---- */

enum { USED_MAX = 256, EXCHANGE_LIFETIME_MS = 247 * 1000 /* RFC 7252 §4.8.2 */ };

struct ids {
    size_t seen, reused;
    int64_t shown_id;
    size_t next;
    struct used {
        enum { FREE, MESSAGE, OTHER } what; /* a PUBLISH, which outlives its connection; or not */
        uint32_t connection;
        int64_t id, until_ms;
        uint64_t print;
    } list[USED_MAX]; /* ring */
};

static struct used *find_used(struct ids *ids, const struct sky_measure_event *event)
{
    int64_t id = sky_measure__number(event, sky_measure__type(event) == SKY_EVENT_COAP_REQUEST
                                                ? SKY_F_MESSAGE_ID
                                                : SKY_F_PACKET_ID);
    for (size_t i = 0; i < USED_MAX; i++) {
        struct used *used = &ids->list[i];
        if (used->what != FREE && used->id == id &&
            used->connection == sky_measure__connection(event) && event->real_ms < used->until_ms)
            return used;
    }
    return NULL;
}

static void use(struct sky_measure *measure, const struct sky_measure_event *event, int64_t id,
                uint64_t print, int64_t until_ms)
{
    struct ids *ids = measure->state;
    struct used *used = find_used(ids, event);
    bool again = used != NULL && (used->print == print || sky_measure__number(event, SKY_F_DUP));
    if (again)
        return;
    ids->seen++;
    if (used != NULL) {
        ids->reused++;
        ids->shown_id = id;
        sky_measure__add_event(measure, event);
    } else {
        used = &ids->list[ids->next++ % USED_MAX];
    }
    *used = (struct used){sky_measure__type(event) == SKY_EVENT_PUBLISH ? MESSAGE : OTHER,
                          sky_measure__connection(event), id, until_ms, print};
}

/* What was not acknowledged keeps its id in a session that goes on. */
static void take_over_ids(struct ids *ids, const struct sky_measure_event *event)
{
    bool clean = sky_measure__number(event, SKY_F_CLEAN_SESSION) != 0;
    for (size_t i = 0; i < USED_MAX && !clean; i++)
        if (ids->list[i].what == MESSAGE)
            ids->list[i].connection = sky_measure__connection(event);
}

static void feed_ids(struct sky_measure *measure, const struct sky_measure_event *event)
{
    struct ids *ids = measure->state;
    enum sky_event_type type = sky_measure__type(event);
    int64_t id = sky_measure__number(event, SKY_F_PACKET_ID);
    if (!event->own)
        return;
    if (type == SKY_EVENT_COAP_REQUEST && event->subject->head->direction == SKY_UP) {
        /* Its body need not be known: a copy is marked as one. */
        use(measure, event, sky_measure__number(event, SKY_F_MESSAGE_ID), event->seq,
            event->real_ms + EXCHANGE_LIFETIME_MS);
    } else if (type == SKY_EVENT_PUBACK || type == SKY_EVENT_SUBACK || type == SKY_EVENT_UNSUBACK) {
        struct used *used =
            event->subject->head->direction == SKY_DOWN ? find_used(ids, event) : NULL;
        if (used != NULL)
            used->what = FREE;
    } else if (type == SKY_EVENT_CONNECT) {
        take_over_ids(ids, event);
    } else if (sky_measure__is_up(event) && id != 0 && type != SKY_EVENT_NOTE) {
        use(measure, event, id,
            sky_span_print(sky_measure__print(event), sky_measure__text(event, SKY_F_FILTERS)),
            INT64_MAX);
    }
}

static void look_at_ids(struct sky_measure *measure, int64_t real_ms)
{
    const struct ids *ids = measure->state;
    (void)real_ms;
    if (ids->reused > 0)
        sky_measure__is(measure, "reused",
                        "reused: id %lld was used for another message while the first was under "
                        "way",
                        (long long)ids->shown_id);
    else if (ids->seen < 2)
        sky_measure__idle(measure, "%zu messages with ids came, and 2 are needed", ids->seen);
    else
        sky_measure__is(measure, "distinct", "distinct: %zu messages, each with an id of its own",
                        ids->seen);
}

const struct sky_measure_kind sky_measure__ids = {sizeof(struct ids), feed_ids, look_at_ids};
