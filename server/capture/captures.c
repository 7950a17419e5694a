#include "server/capture/captures.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/capture/file.h"
#include "server/capture/packets.h"
#include "server/capture/pcapng.h"
#include "server/capture/private.h"
#include "server/os/listeners.h"

/* One connection as one capture has seen it. */
struct sky_capture_flow {
    uint32_t connection;
    bool open; /* its first packets are there */
    bool datagrams;
    uint32_t interface;
    struct sky_packet_flow packets;
    struct sky_buf comments; /* for its next packet, each with a NUL behind */
    UT_hash_handle hh;
};

/* ---- chunks ---- */

static struct sky_capture_chunk *room_for(struct sky_capture *capture)
{
    struct sky_capture_chunk *last = capture->chunks != NULL ? capture->chunks->prev : NULL;
    if (last != NULL && !last->sealed && last->bytes.len < SKY_CAPTURE_CHUNK)
        return last;
    struct sky_capture_chunk *chunk = sky_mem_new(sizeof *chunk);
    sky_buf_init(&chunk->bytes, SIZE_MAX);
    DL_APPEND(capture->chunks, chunk);
    return chunk;
}

/* Unless somebody else has it. */
static void let_go(struct sky_capture_chunk *chunk)
{
    if (chunk->readers-- > 0)
        return;
    sky_buf_done(&chunk->bytes);
    free(chunk);
}

void sky_capture__free_chunk(struct sky_capture *capture, struct sky_capture_chunk *chunk)
{
    capture->bytes -= chunk->bytes.len;
    DL_DELETE(capture->chunks, chunk);
    let_go(chunk);
}

/* In memory the last one stays: what is as long as a chunk is never all there is. */
static void make_room(struct sky_capture *capture)
{
    while (capture->file == NULL && capture->bytes > SKY_CAPTURE_BYTES_MAX &&
           capture->chunks->next != NULL) {
        capture->lost += capture->chunks->packets;
        sky_capture__free_chunk(capture, capture->chunks);
    }
}

/* ---- packets ---- */

/* Adds what has been found out about the flow meanwhile. */
static void add_comments(struct sky_capture_flow *flow, struct sky_buf *out, size_t block)
{
    sky_span rest = sky_buf_span(&flow->comments), comment;
    while (rest.len > 0 && sky_span_next(&rest, '\0', &comment))
        sky_pcapng_comment(out, block, comment);
    sky_buf_done(&flow->comments);
}

static void put(struct sky_captures *self, struct sky_capture *capture,
                struct sky_capture_flow *flow, sky_span head, sky_span data)
{
    if (head.len == 0)
        return;
    capture->packets++;
    if (capture->file != NULL && capture->bytes > SKY_CAPTURE_QUEUE_MAX) {
        capture->lost++;
        return;
    }
    struct sky_capture_chunk *chunk = room_for(capture);
    size_t before = chunk->bytes.len;
    sky_pcapng_packet(&chunk->bytes, flow->interface, self->net->clock->real_ms, head, data);
    add_comments(flow, &chunk->bytes, before);
    chunk->packets++;
    capture->bytes += chunk->bytes.len - before;
    capture->tail = flow;
    capture->tail_block = before;
    make_room(capture);
}

static void put_tcp(struct sky_captures *self, struct sky_capture *capture,
                    struct sky_capture_flow *flow, bool from_peer, unsigned flags, sky_span data)
{
    uint8_t head[SKY_PACKET_HEAD_MAX];
    put(self, capture, flow, sky_packet_tcp(&flow->packets, from_peer, flags, data, head), data);
}

/* ---- flows ---- */

static struct sky_capture_flow *find_flow(const struct sky_capture *capture, uint32_t connection)
{
    struct sky_capture_flow *flow;
    HASH_FIND(hh, capture->flows, &connection, sizeof connection, flow);
    return flow;
}

/* NULL: there are too many. */
static struct sky_capture_flow *flow_of(struct sky_capture *capture, uint32_t connection)
{
    struct sky_capture_flow *flow = find_flow(capture, connection);
    if (flow != NULL || HASH_COUNT(capture->flows) >= SKY_CAPTURE_FLOWS_MAX)
        return flow;
    flow = sky_mem_new(sizeof *flow);
    flow->connection = connection;
    sky_buf_init(&flow->comments, SKY_CAPTURE_COMMENTS_MAX);
    HASH_ADD(hh, capture->flows, connection, sizeof flow->connection, flow);
    return flow;
}

static void free_flow(struct sky_capture *capture, struct sky_capture_flow *flow)
{
    if (capture->tail == flow)
        capture->tail = NULL;
    HASH_DEL(capture->flows, flow);
    sky_buf_done(&flow->comments);
    free(flow);
}

static uint32_t interface_of(const struct sky_listener_row *row)
{
    uint32_t i = 0;
    while (sky_listener_row(i) != row) {
        SKY_ASSERT(sky_listener_row(i) != NULL);
        i++;
    }
    return i;
}

/* Its first packets: the handshake of TCP. Sequence numbers begin elsewhere for each connection, so
 * that a port that is used again is a new one. */
static void open_flow(struct sky_captures *self, struct sky_capture *capture,
                      struct sky_capture_flow *flow, const struct sky_tap_ends *ends)
{
    if (flow->open)
        return;
    flow->open = true;
    flow->datagrams = ends->datagrams;
    flow->interface = interface_of(ends->listener);
    flow->packets.peer = ends->peer;
    ends->find_local(ends->owner, &flow->packets.local);
    flow->packets.next[0] = flow->packets.next[1] = ends->connection * UINT32_C(2654435761);
    if (flow->datagrams)
        return;
    struct sky_buf comments = flow->comments; /* are for what comes */
    sky_buf_init(&flow->comments, comments.max);
    put_tcp(self, capture, flow, true, SKY_PACKET_SYN, SKY_SPAN_NONE);
    put_tcp(self, capture, flow, false, SKY_PACKET_SYN | SKY_PACKET_ACK, SKY_SPAN_NONE);
    put_tcp(self, capture, flow, true, SKY_PACKET_ACK, SKY_SPAN_NONE);
    flow->comments = comments;
}

/* ---- what passes ---- */

static void pass(struct sky_captures *self, struct sky_capture *capture,
                 const struct sky_tap_ends *ends, bool from_peer, sky_span bytes)
{
    struct sky_capture_flow *flow = flow_of(capture, ends->connection);
    uint8_t head[SKY_PACKET_HEAD_MAX];
    if (flow == NULL)
        return;
    open_flow(self, capture, flow, ends);
    if (flow->datagrams) {
        bytes = sky_span_head(bytes, SKY_PACKET_DATA_MAX);
        put(self, capture, flow, sky_packet_udp(&flow->packets, from_peer, bytes, head), bytes);
        return;
    }
    while (bytes.len > 0) {
        sky_span part = sky_span_head(bytes, SKY_PACKET_DATA_MAX);
        put_tcp(self, capture, flow, from_peer, SKY_PACKET_PSH | SKY_PACKET_ACK, part);
        bytes = sky_span_tail(bytes, part.len);
    }
    if (!from_peer)
        capture->tail = NULL; /* what is found out next is not about what we said */
}

static void on_bytes(struct sky_tap *tap, const struct sky_tap_ends *ends, bool from_peer,
                     sky_span bytes)
{
    struct sky_captures *self = SKY_CONTAINER_OF(tap, struct sky_captures, tap);
    struct sky_capture *capture;
    DL_FOREACH (self->list, capture)
        if (capture->running)
            pass(self, capture, ends, from_peer, bytes);
}

static void close_tcp(struct sky_captures *self, struct sky_capture *capture,
                      struct sky_capture_flow *flow, enum sky_tap_end how)
{
    bool peer_first = how == SKY_TAP_PEER_LEFT || how == SKY_TAP_PEER_RESET;
    if (how == SKY_TAP_SILENT)
        return;
    if (how == SKY_TAP_PEER_RESET || how == SKY_TAP_WE_RESET) {
        put_tcp(self, capture, flow, peer_first, SKY_PACKET_RST | SKY_PACKET_ACK, SKY_SPAN_NONE);
        return;
    }
    put_tcp(self, capture, flow, peer_first, SKY_PACKET_FIN | SKY_PACKET_ACK, SKY_SPAN_NONE);
    put_tcp(self, capture, flow, !peer_first, SKY_PACKET_FIN | SKY_PACKET_ACK, SKY_SPAN_NONE);
    put_tcp(self, capture, flow, peer_first, SKY_PACKET_ACK, SKY_SPAN_NONE);
}

/* Of a connection that said nothing in the clear there is to be seen what was found out. */
static void on_end(struct sky_tap *tap, uint32_t connection, const struct sky_tap_ends *ends,
                   enum sky_tap_end how)
{
    struct sky_captures *self = SKY_CONTAINER_OF(tap, struct sky_captures, tap);
    struct sky_capture *capture;
    DL_FOREACH (self->list, capture) {
        struct sky_capture_flow *flow = find_flow(capture, connection);
        if (flow == NULL)
            continue;
        if (capture->running && ends != NULL && !ends->datagrams) {
            open_flow(self, capture, flow, ends);
            close_tcp(self, capture, flow, how);
        }
        free_flow(capture, flow);
    }
}

/* ---- what is found out ---- */

static void add_finding(struct sky_capture *capture, struct sky_capture_flow *flow,
                        sky_span comment)
{
    if (flow == NULL)
        return;
    if (capture->tail == flow) {
        struct sky_capture_chunk *chunk = capture->chunks->prev;
        size_t before = chunk->bytes.len;
        sky_pcapng_comment(&chunk->bytes, capture->tail_block, comment);
        capture->bytes += chunk->bytes.len - before;
    } else if (flow->comments.len + comment.len < flow->comments.max) {
        sky_buf_add(&flow->comments, comment);
        sky_buf_add_byte(&flow->comments, '\0');
    }
}

static void on_event(void *ctx, uint64_t seq, const struct sky_event_head *head,
                     const struct sky_attr *attrs, size_t count, const struct sky_judge *judge)
{
    const struct sky_captures *self = ctx;
    struct sky_capture *capture;
    char text[SKY_FINDING_DETAIL_MAX + 128];
    (void)attrs;
    (void)count;
    if (head->connection == 0 || judge == NULL)
        return;
    for (size_t i = 0; i < judge->count; i++) {
        const struct sky_finding *finding = &judge->findings[i];
        snprintf(text, sizeof text, "%s: %s (event %llu%s)", finding->rule->id, finding->detail,
                 (unsigned long long)seq, finding->rule == judge->refused ? ", refused" : "");
        DL_FOREACH (self->list, capture)
            if (capture->running)
                add_finding(capture, flow_of(capture, head->connection), sky_span_str(text));
    }
}

/* ---- captures ---- */

/* Devices pay for it only while something runs. */
static void listen_if_needed(struct sky_captures *self)
{
    bool needed = false;
    const struct sky_capture *capture;
    DL_FOREACH (self->list, capture)
        needed |= capture->running;
    self->net->tap = needed ? &self->tap : NULL;
    sky_journal_hear(self->journal, needed ? on_event : NULL, self);
}

/* What the ports carry in the clear: by themselves, Wireshark takes some of them for encrypted. */
static void put_hint(const struct sky_net *net, struct sky_buf *out)
{
    sky_buf_add_str(out, "tshark");
    for (size_t i = 0; i < net->listener_count; i++) {
        unsigned allows = net->listeners[i].row->allows, port = net->listeners[i].port;
        if (allows & SKY_LISTEN_DTLS)
            sky_buf_addf(out, " -d udp.port==%u,coap", port);
        else if (allows & SKY_LISTEN_HTTP && !(allows & SKY_LISTEN_ADMIN))
            sky_buf_addf(out, " -d tcp.port==%u,http", port);
        else if (allows & SKY_LISTEN_MQTT)
            sky_buf_addf(out, " -d tcp.port==%u,mqtt", port);
    }
}

void sky_capture__put_head(const struct sky_captures *self, const struct sky_capture *capture,
                           struct sky_buf *out)
{
    const struct sky_listener_row *row;
    struct sky_buf comment;
    sky_buf_init(&comment, SKY_PCAPNG_TEXT_MAX);
    if (capture->name[0] != '\0')
        sky_buf_addf(&comment, "%s\n", capture->name);
    put_hint(self->net, &comment);
    sky_pcapng_section(out, "skymock " SKY_VERSION, sky_buf_span(&comment));
    sky_buf_done(&comment);
    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++)
        sky_pcapng_interface(out, row->name);
}

/* How much was lost is told of the first interface for all of them. */
void sky_capture__put_end(const struct sky_captures *self, const struct sky_capture *capture,
                          struct sky_buf *out)
{
    sky_pcapng_statistics(out, 0, self->net->clock->real_ms, capture->packets, capture->lost);
}

static struct sky_capture *add(struct sky_captures *self, const char *name)
{
    struct sky_capture *capture = sky_mem_new(sizeof *capture);
    snprintf(capture->name, sizeof capture->name, "%s", name != NULL ? name : "");
    capture->began_ms = self->net->clock->real_ms;
    capture->running = true;
    DL_APPEND(self->list, capture);
    listen_if_needed(self);
    return capture;
}

struct sky_capture *sky_capture_new(struct sky_captures *self, const char *name)
{
    if (self->count >= SKY_CAPTURES_MAX)
        return NULL;
    struct sky_capture *capture = add(self, name);
    capture->id = ++self->last_id;
    self->count++;
    return capture;
}

sky_err sky_captures_open_file(struct sky_captures *self, const char *path, struct sky_why *why)
{
    struct sky_capture *capture = add(self, NULL);
    sky_err err = sky_capture_file_open(self, capture, path, why);
    if (err != SKY_OK)
        sky_capture_drop(self, capture);
    return err;
}

struct sky_capture *sky_capture_find(const struct sky_captures *self, int64_t id)
{
    struct sky_capture *capture;
    DL_FOREACH (self->list, capture)
        if (capture->id == id && id != 0)
            return capture;
    return NULL;
}

void sky_capture_stop(struct sky_captures *self, struct sky_capture *capture)
{
    struct sky_capture_flow *flow, *next;
    capture->running = false;
    HASH_ITER (hh, capture->flows, flow, next)
        free_flow(capture, flow);
    listen_if_needed(self);
}

void sky_capture_drop(struct sky_captures *self, struct sky_capture *capture)
{
    sky_capture_stop(self, capture);
    while (capture->chunks != NULL)
        sky_capture__free_chunk(capture, capture->chunks);
    self->count -= capture->id != 0;
    DL_DELETE(self->list, capture);
    free(capture);
}

/* ---- reading one ---- */

struct sky_capture_reading {
    struct sky_buf head, end;          /* before and behind all chunks */
    struct sky_capture_chunk **chunks; /* shared */
    size_t count, place;               /* the head is in place 0, the end in the last one */
    size_t at;                         /* bytes of that one, which have been read */
    uint64_t size;
};

struct sky_capture_reading *sky_capture_read(const struct sky_captures *self,
                                             struct sky_capture *capture)
{
    struct sky_capture_reading *reading = sky_mem_new(sizeof *reading);
    struct sky_capture_chunk *chunk;
    sky_buf_init(&reading->head, SIZE_MAX);
    sky_buf_init(&reading->end, SIZE_MAX);
    sky_capture__put_head(self, capture, &reading->head);
    sky_capture__put_end(self, capture, &reading->end);
    capture->tail = NULL; /* what is found out about its last packet now stands at the next */
    DL_COUNT(capture->chunks, chunk, reading->count);
    reading->chunks = sky_mem_new((reading->count + 1) * sizeof *reading->chunks);
    reading->count = 0;
    DL_FOREACH (capture->chunks, chunk) {
        chunk->sealed = true;
        chunk->readers++;
        reading->chunks[reading->count++] = chunk;
    }
    reading->size = reading->head.len + capture->bytes + reading->end.len;
    return reading;
}

uint64_t sky_capture_reading_size(const struct sky_capture_reading *reading)
{
    return reading->size;
}

sky_span sky_capture_reading_next(struct sky_capture_reading *reading, size_t max)
{
    sky_span piece = SKY_SPAN_NONE;
    while (piece.len == 0 && reading->place < reading->count + 2) {
        const struct sky_buf *bytes = reading->place == 0 ? &reading->head
                                      : reading->place <= reading->count
                                          ? &reading->chunks[reading->place - 1]->bytes
                                          : &reading->end;
        piece = sky_span_head(sky_span_tail(sky_buf_span(bytes), reading->at), max);
        reading->at += piece.len;
        if (reading->at == bytes->len) {
            reading->place++;
            reading->at = 0;
        }
    }
    return piece;
}

void sky_capture_reading_done(struct sky_capture_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        let_go(reading->chunks[i]);
    free(reading->chunks);
    sky_buf_done(&reading->head);
    sky_buf_done(&reading->end);
    free(reading);
}

/* ---- the loop's ---- */

void sky_captures_turn(struct sky_captures *self)
{
    struct sky_capture *capture;
    DL_FOREACH (self->list, capture) {
        capture->tail = NULL;
        if (capture->file != NULL && !sky_capture_file_turn(capture) && capture->running)
            sky_capture_stop(self, capture);
    }
}

void sky_captures_init(struct sky_captures *self, struct sky_net *net, struct sky_journal *journal)
{
    *self = (struct sky_captures){
        .tap = {.bytes = on_bytes, .end = on_end}, .net = net, .journal = journal};
}

void sky_captures_close(struct sky_captures *self)
{
    struct sky_capture *capture;
    DL_FOREACH (self->list, capture) {
        if (capture->running)
            sky_capture_stop(self, capture);
        if (capture->file != NULL)
            sky_capture_file_close(self, capture);
    }
}

void sky_captures_done(struct sky_captures *self)
{
    while (self->list != NULL) {
        sky_capture_file_free(self->list->file);
        sky_capture_drop(self, self->list);
    }
}
