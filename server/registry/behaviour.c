#include "server/registry/behaviour.h"

#include <stdlib.h>
#include <uthash.h>

#include "protocol/base/json.h"
#include "protocol/base/mem.h"

const struct sky_behaviour_acts *sky_behaviour_acts(const struct sky_behaviour *behaviour)
{
    static const struct sky_behaviour_acts none;
    return behaviour->acts != NULL ? behaviour->acts : &none;
}

static struct sky_behaviour_acts *take_acts(struct sky_behaviour *behaviour)
{
    if (behaviour->acts == NULL)
        behaviour->acts = sky_mem_new(sizeof *behaviour->acts);
    return behaviour->acts;
}

/* ---- lists that keep the last ones ---- */

size_t sky_behaviour_times(const struct sky_behaviour_acts *acts)
{
    return acts->answers < SKY_BEHAVIOUR_TIMES_MAX ? (size_t)acts->answers
                                                   : SKY_BEHAVIOUR_TIMES_MAX;
}

static uint32_t whole_ms(int64_t ms)
{
    return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

enum { STANDING = 4 }; /* equal intervals in a row that are kept */

/* Does it go on as the last ones of its ramp did? */
static bool stands_still(const struct sky_behaviour_acts *acts, struct sky_interval interval)
{
    size_t count = acts->interval_count;
    for (size_t back = 1; back <= STANDING; back++) {
        if (count < back)
            return false;
        struct sky_interval before = acts->intervals[count - back];
        uint32_t less = before.ms < interval.ms ? before.ms : interval.ms;
        uint32_t more = before.ms < interval.ms ? interval.ms : before.ms;
        if (!before.follows || more - less > more / 32)
            return false;
    }
    return interval.follows;
}

/* A device that has come to its longest wait and stays there for hours must not push out how it got
 * there: of what stands still, the first are enough. */
static void add_interval(struct sky_behaviour_acts *acts, struct sky_interval interval)
{
    acts->intervals_seen++;
    if (stands_still(acts, interval))
        return;
    if (acts->intervals == NULL)
        acts->intervals = sky_mem_new(SKY_BEHAVIOUR_INTERVALS_MAX * sizeof *acts->intervals);
    if (acts->interval_count == SKY_BEHAVIOUR_INTERVALS_MAX)
        memmove(acts->intervals, acts->intervals + 1,
                --acts->interval_count * sizeof *acts->intervals);
    acts->intervals[acts->interval_count++] = interval;
}

static void add_time(struct sky_behaviour_acts *acts, uint32_t ms)
{
    size_t count = sky_behaviour_times(acts);
    if (count == SKY_BEHAVIOUR_TIMES_MAX)
        memmove(acts->times_ms, acts->times_ms + 1, --count * sizeof *acts->times_ms);
    acts->times_ms[count] = ms;
    acts->answers++;
}

/* ---- topics ---- */

static void add_place(struct sky_behaviour_acts *acts, sky_span name)
{
    if (acts->topic_count == acts->topic_room) {
        acts->topic_room = acts->topic_room > 0 ? 2 * acts->topic_room : 4;
        acts->topics = sky_mem_grow(acts->topics, acts->topic_room * sizeof *acts->topics);
    }
    acts->topics[acts->topic_count++] = (struct sky_behaviour_topic){
        .name = name.len > 0 ? sky_mem_dup(name.ptr, name.len) : NULL, .len = name.len};
}

static bool is_topic(const struct sky_behaviour_topic *topic, sky_span name)
{
    return topic->len == name.len && name.len > 0 && memcmp(topic->name, name.ptr, name.len) == 0;
}

/* The topic's place; that of the others when there is no room for one more. */
static size_t place_of(struct sky_behaviour_acts *acts, sky_span name)
{
    if (acts->topic_count == 0)
        add_place(acts, SKY_SPAN_NONE);
    for (size_t i = 1; i < acts->topic_count; i++)
        if (is_topic(&acts->topics[i], name))
            return i;
    if (name.len == 0 || name.len > SKY_BEHAVIOUR_TOPIC_LEN_MAX ||
        acts->topic_count > SKY_BEHAVIOUR_TOPICS_MAX)
        return 0;
    add_place(acts, name);
    return acts->topic_count - 1;
}

/* The message's topic, which is most often that of the message before. */
static struct sky_behaviour_topic *last_topic(struct sky_behaviour_acts *acts,
                                              const struct sky_behaviour_message *message)
{
    size_t *last = &acts->last_topic[message->way];
    uint64_t *id = &acts->last_topic_id[message->way];
    if (message->topic_id == 0 || message->topic_id != *id) {
        *id = message->topic_id;
        if (*last >= acts->topic_count || !is_topic(&acts->topics[*last], message->topic))
            *last = place_of(acts, message->topic);
    }
    return &acts->topics[*last];
}

/* ---- messages ---- */

/* An id that was used for another message before it was acknowledged (MQTT 3.1.1 §2.3.1); a copy of
 * the same message carries DUP. */
static void note_id(struct sky_behaviour_acts *acts, uint16_t id, bool dup)
{
    for (size_t i = 0; i < acts->unacked_count; i++) {
        if (acts->unacked[i] == id) {
            acts->reused += !dup;
            return;
        }
    }
    if (acts->unacked_count < SKY_BEHAVIOUR_UNACKED_MAX)
        acts->unacked[acts->unacked_count++] = id;
}

static void heard(struct sky_behaviour *behaviour, int64_t lived_ms)
{
    if (behaviour->first_ms == 0)
        behaviour->first_ms = lived_ms;
    behaviour->last_ms = lived_ms;
}

void sky_behaviour_add_message(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                               const struct sky_behaviour_message *message, int64_t lived_ms)
{
    enum sky_way way = message->way;
    struct sky_behaviour_acts *acts = take_acts(behaviour);
    struct sky_traffic *traffic = &last_topic(acts, message)->traffic[way];
    traffic->count++;
    traffic->bytes += message->len;
    acts->qos[way][message->qos < 3 ? message->qos : 2]++;
    if (way == SKY_WAY_DOWN)
        return;
    heard(behaviour, lived_ms);
    state->acted = true;
    acts->resent += message->dup;
    if (message->packet_id != 0)
        note_id(acts, message->packet_id, message->dup);
}

/* ---- handshakes ---- */

static bool same_kind(const struct sky_behaviour_handshake *a,
                      const struct sky_behaviour_handshake *b)
{
    return a->transport == b->transport && a->psk == b->psk &&
           strcmp(a->version, b->version) == 0 && strcmp(a->cipher, b->cipher) == 0;
}

static void add_handshake(struct sky_behaviour_acts *acts,
                          const struct sky_behaviour_handshake *handshake)
{
    size_t count = acts->handshake_count, at = 0;
    while (at < count && !same_kind(&acts->handshakes[at], handshake))
        at++;
    if (at == count && count < SKY_BEHAVIOUR_HANDSHAKES_MAX) {
        acts->handshakes = sky_mem_grow(acts->handshakes, ++count * sizeof *acts->handshakes);
        acts->handshakes[at] = *handshake;
        acts->handshake_count = count;
        return;
    }
    struct sky_behaviour_handshake *kind = &acts->handshakes[at < count ? at : count - 1];
    kind->full += handshake->full;
    kind->resumed += handshake->resumed;
    if (handshake->longest_ms > kind->longest_ms)
        kind->longest_ms = handshake->longest_ms;
}

void sky_behaviour_add_handshake(struct sky_behaviour *behaviour,
                                 const struct sky_behaviour_handshake *handshake)
{
    add_handshake(take_acts(behaviour), handshake);
}

/* ---- events ---- */

static const struct sky_attr *attr_of(const struct sky_behaviour_event *event,
                                      enum sky_event_field field)
{
    return sky_attr_find(event->attrs, event->count, field);
}

static int64_t number_of(const struct sky_behaviour_event *event, enum sky_event_field field)
{
    const struct sky_attr *attr = attr_of(event, field);
    return attr != NULL ? attr->number : 0;
}

/* What one type of event tells; `lived_ms` is its time. */
typedef void tells(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                   const struct sky_behaviour_event *event, int64_t lived_ms);

static void on_connect(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                       const struct sky_behaviour_event *event, int64_t lived_ms)
{
    if (state->ended_ms != 0)
        add_interval(take_acts(behaviour),
                     (struct sky_interval){.ms = whole_ms(lived_ms - state->ended_ms),
                                           .follows = !state->acted});
    behaviour->connects++;
    behaviour->keepalive_s = (uint16_t)number_of(event, SKY_F_KEEPALIVE);
    behaviour->refused += event->refused;
    if (!event->refused)
        (*(number_of(event, SKY_F_CLEAN_SESSION) != 0 ? &behaviour->clean : &behaviour->kept))++;
    state->connection = event->head->connection;
    state->let_in = !event->refused;
    state->acted = false;
    state->ended_ms = event->refused ? lived_ms : 0; /* it is closed at once */
    if (behaviour->acts != NULL)
        behaviour->acts->unacked_count = 0;
}

/* A code that no rule of the catalogue stands behind is a refusal for the device all the same. */
static void on_connack(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                       const struct sky_behaviour_event *event, int64_t lived_ms)
{
    if (number_of(event, SKY_F_CODE) == 0 || !state->let_in)
        return;
    behaviour->refused++;
    state->let_in = false;
    state->ended_ms = lived_ms;
}

/* One that was taken over ends behind the next. */
static void on_close(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                     const struct sky_behaviour_event *event, int64_t lived_ms)
{
    (void)behaviour;
    if (event->head->connection == state->connection)
        state->ended_ms = lived_ms;
}

static void on_act(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                   const struct sky_behaviour_event *event, int64_t lived_ms)
{
    (void)lived_ms;
    if (event->head->direction != SKY_UP)
        return;
    state->acted = true;
    if (event->head->type == SKY_EVENT_UNSUBSCRIBE)
        take_acts(behaviour)->unsubscribes++;
}

static void on_suback(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                      const struct sky_behaviour_event *event, int64_t lived_ms)
{
    (void)state;
    (void)lived_ms;
    const struct sky_attr *filters = attr_of(event, SKY_F_FILTERS);
    sky_span rest = filters != NULL ? sky_json_inside(filters->bytes) : SKY_SPAN_NONE, filter;
    while (sky_json_next_element(&rest, &filter)) {
        behaviour->filters++;
        if (sky_json_number(sky_json_member(filter, "code")) >= 0x80)
            take_acts(behaviour)->filters_refused++;
    }
}

static void on_puback(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                      const struct sky_behaviour_event *event, int64_t lived_ms)
{
    if (event->head->direction == SKY_UP) {
        on_act(behaviour, state, event, lived_ms);
        return;
    }
    int64_t id = number_of(event, SKY_F_PACKET_ID);
    struct sky_behaviour_acts *acts = behaviour->acts;
    for (size_t i = 0; acts != NULL && i < acts->unacked_count; i++) {
        if (acts->unacked[i] == id) {
            acts->unacked[i] = acts->unacked[--acts->unacked_count];
            return;
        }
    }
}

static void on_silence(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                       const struct sky_behaviour_event *event, int64_t lived_ms)
{
    (void)state;
    (void)lived_ms;
    take_acts(behaviour)->late += event->head->type == SKY_EVENT_SILENCE;
    take_acts(behaviour)->missed += event->head->type == SKY_EVENT_TIMEOUT;
}

/* Over TLS the login that follows tells of the handshake: there it is known whose it was. */
static void on_psk(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                   const struct sky_behaviour_event *event, int64_t lived_ms)
{
    (void)state;
    (void)lived_ms;
    struct sky_behaviour_handshake handshake = {
        .transport = SKY_DTLS, .psk = true, .version = "DTLS 1.2", .full = 1};
    const struct sky_attr *cipher = attr_of(event, SKY_F_CIPHER);
    if (attr_of(event, SKY_F_EXPLANATION) != NULL || event->refused) {
        take_acts(behaviour)->handshakes_failed++;
    } else if (event->head->transport == SKY_DTLS && cipher != NULL) {
        sky_span_copy(sky_span_head(cipher->bytes, SKY_BEHAVIOUR_CIPHER_MAX), handshake.cipher,
                      sizeof handshake.cipher);
        sky_behaviour_add_handshake(behaviour, &handshake);
    }
}

static void on_tls(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                   const struct sky_behaviour_event *event, int64_t lived_ms)
{
    (void)state;
    (void)lived_ms;
    take_acts(behaviour)->handshakes_failed += attr_of(event, SKY_F_EXPLANATION) != NULL;
}

static void on_http(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                    const struct sky_behaviour_event *event, int64_t lived_ms)
{
    struct sky_behaviour_acts *acts = take_acts(behaviour);
    (void)state;
    (void)lived_ms;
    acts->http_logins++;
    acts->http_refused += attr_of(event, SKY_F_EXPLANATION) != NULL;
}

static void on_coap(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                    const struct sky_behaviour_event *event, int64_t lived_ms)
{
    (void)state;
    (void)lived_ms;
    take_acts(behaviour)->retransmitted += number_of(event, SKY_F_DUP) != 0;
}

static uint32_t id_of(const struct sky_behaviour_event *event)
{
    const struct sky_attr *name = attr_of(event, SKY_F_NAME);
    uint32_t id = 0;
    if (name != NULL && name->bytes.len > 0)
        HASH_JEN(name->bytes.ptr, name->bytes.len, id);
    return id;
}

static void on_command(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                       const struct sky_behaviour_event *event, int64_t lived_ms)
{
    struct sky_behaviour_acts *acts = take_acts(behaviour);
    (void)state;
    acts->commands++;
    if (acts->waiting == NULL)
        acts->waiting = sky_mem_new(sizeof *acts->waiting);
    struct sky_behaviour_waiting *waiting = acts->waiting;
    waiting->commands[waiting->next].id = id_of(event);
    waiting->commands[waiting->next].at_ms = lived_ms;
    waiting->next = (waiting->next + 1) % SKY_BEHAVIOUR_ASKED_MAX;
}

static void on_answer(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                      const struct sky_behaviour_event *event, int64_t lived_ms)
{
    (void)state;
    struct sky_behaviour_acts *acts = behaviour->acts;
    struct sky_behaviour_waiting *waiting = acts != NULL ? acts->waiting : NULL;
    uint32_t id = waiting != NULL ? id_of(event) : 0;
    for (size_t i = 0; i < SKY_BEHAVIOUR_ASKED_MAX && id != 0; i++) {
        if (waiting->commands[i].id != id)
            continue;
        add_time(acts, whole_ms(lived_ms - waiting->commands[i].at_ms));
        waiting->commands[i].id = 0;
        return;
    }
}

static tells *const table[SKY_EVENT_TYPE_COUNT] = {
    [SKY_EVENT_CONNECT] = on_connect,   [SKY_EVENT_CONNACK] = on_connack,
    [SKY_EVENT_CLOSE] = on_close,       [SKY_EVENT_PUBACK] = on_puback,
    [SKY_EVENT_SUBSCRIBE] = on_act,     [SKY_EVENT_SUBACK] = on_suback,
    [SKY_EVENT_UNSUBSCRIBE] = on_act,   [SKY_EVENT_PING] = on_act,
    [SKY_EVENT_SILENCE] = on_silence,   [SKY_EVENT_TIMEOUT] = on_silence,
    [SKY_EVENT_TLS_HANDSHAKE] = on_tls, [SKY_EVENT_PSK_HANDSHAKE] = on_psk,
    [SKY_EVENT_HTTP_AUTH] = on_http,    [SKY_EVENT_COAP_REQUEST] = on_coap,
    [SKY_EVENT_COMMAND] = on_command,   [SKY_EVENT_ANSWER] = on_answer,
};

bool sky_behaviour_reads(enum sky_event_type type)
{
    return table[type] != NULL;
}

void sky_behaviour_add(struct sky_behaviour *behaviour, struct sky_behaviour_state *state,
                       const struct sky_behaviour_event *event, int64_t lived_ms)
{
    if (event->head->direction == SKY_UP)
        heard(behaviour, lived_ms);
    table[event->head->type](behaviour, state, event, lived_ms);
}

/* ---- merging ---- */

static void merge_topics(struct sky_behaviour_acts *into, const struct sky_behaviour_acts *later)
{
    for (size_t i = 0; i < later->topic_count; i++) {
        const struct sky_behaviour_topic *topic = &later->topics[i];
        size_t place = place_of(into, sky_span_of(topic->name, topic->len));
        struct sky_behaviour_topic *own = &into->topics[place];
        for (size_t way = 0; way < SKY_WAYS; way++) {
            own->traffic[way].count += topic->traffic[way].count;
            own->traffic[way].bytes += topic->traffic[way].bytes;
        }
    }
}

static void merge_lists(struct sky_behaviour_acts *into, const struct sky_behaviour_acts *later)
{
    uint64_t seen = into->intervals_seen + later->intervals_seen;
    for (size_t i = 0; i < later->interval_count; i++)
        add_interval(into, later->intervals[i]);
    into->intervals_seen = seen;
    uint64_t answers = into->answers + later->answers;
    for (size_t i = 0; i < sky_behaviour_times(later); i++)
        add_time(into, later->times_ms[i]);
    into->answers = answers;
    for (size_t i = 0; i < later->handshake_count; i++)
        add_handshake(into, &later->handshakes[i]);
}

static void merge_acts(struct sky_behaviour_acts *into, const struct sky_behaviour_acts *later)
{
    static const size_t sums[] = {
#define OF(member) offsetof(struct sky_behaviour_acts, member)
        OF(late),
        OF(missed),
        OF(filters_refused),
        OF(unsubscribes),
        OF(resent),
        OF(reused),
        OF(retransmitted),
        OF(qos[SKY_WAY_UP][0]),
        OF(qos[SKY_WAY_UP][1]),
        OF(qos[SKY_WAY_UP][2]),
        OF(qos[SKY_WAY_DOWN][0]),
        OF(qos[SKY_WAY_DOWN][1]),
        OF(qos[SKY_WAY_DOWN][2]),
        OF(handshakes_failed),
        OF(http_logins),
        OF(http_refused),
        OF(commands)
#undef OF
    };
    for (size_t i = 0; i < SKY_COUNT(sums); i++)
        *(uint64_t *)((char *)into + sums[i]) += *(const uint64_t *)((const char *)later + sums[i]);
    merge_lists(into, later);
    merge_topics(into, later);
}

void sky_behaviour_merge(struct sky_behaviour *into, const struct sky_behaviour *later)
{
    into->connects += later->connects;
    into->refused += later->refused;
    into->clean += later->clean;
    into->kept += later->kept;
    into->filters += later->filters;
    if (into->first_ms == 0)
        into->first_ms = later->first_ms;
    if (later->last_ms != 0)
        into->last_ms = later->last_ms;
    if (later->connects > 0)
        into->keepalive_s = later->keepalive_s;
    sky_behaviour_add_silence(into, later->longest_silence_ms);
    if (later->acts != NULL)
        merge_acts(take_acts(into), later->acts);
}

void sky_behaviour_done(struct sky_behaviour *behaviour)
{
    struct sky_behaviour_acts *acts = behaviour->acts;
    for (size_t i = 0; acts != NULL && i < acts->topic_count; i++)
        free(acts->topics[i].name);
    if (acts != NULL) {
        free(acts->topics);
        free(acts->intervals);
        free(acts->handshakes);
        free(acts->waiting);
    }
    free(acts);
    *behaviour = (struct sky_behaviour){0};
}
