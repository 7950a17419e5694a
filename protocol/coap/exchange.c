#include "protocol/coap/exchange.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { SINGLE_PAYLOAD_MAX = 1024 }; /* bytes without blocks that are worth no finding */

/* An answer given, for the duplicate of its request (4.2, 4.5). */
struct answer {
    sky_span datagram; /* owned; NONE: the place is free, or the request is being handled */
    uint64_t print;    /* of the request's bytes: another request under the same id shows */
    int64_t until_ms;
    uint16_t id;
    bool used;
};

/* A body on its way in or out. */
struct transfer {
    struct sky_buf body;
    int64_t until_ms;
    uint64_t about; /* print of method, path and query */
    uint8_t szx, code;
    bool active;
};

struct sky_coap_memory {
    struct answer answers[SKY_COAP_REMEMBERED_MAX];
    size_t next; /* place of the oldest answer */
    struct transfer in, out;
};

/* FNV-1a: tells contents apart; nothing trusts it. */
static uint64_t print_of(uint64_t print, sky_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        print = (print ^ (uint8_t)bytes.ptr[i]) * UINT64_C(0x100000001b3);
    return print;
}

static uint64_t print_bytes(sky_span bytes)
{
    return print_of(UINT64_C(0xcbf29ce484222325), bytes);
}

/* What a body in blocks belongs to (RFC 7959 §2.5: the request without its block options). */
static uint64_t print_about(const struct sky_coap_message *m)
{
    uint64_t print = print_bytes(sky_span_of(&m->code, 1));
    print = print_of(print, sky_span_str(m->path));
    return print_of(print, sky_span_str(m->query));
}

void sky_coap_peer_done(struct sky_coap_peer *peer)
{
    struct sky_coap_memory *memory = peer->memory;
    if (memory == NULL)
        return;
    for (size_t i = 0; i < SKY_COAP_REMEMBERED_MAX; i++)
        free((char *)memory->answers[i].datagram.ptr);
    sky_buf_done(&memory->in.body);
    sky_buf_done(&memory->out.body);
    free(memory);
    peer->memory = NULL;
}

static struct sky_coap_memory *memory_of(struct sky_coap_peer *peer)
{
    if (peer->memory == NULL) {
        peer->memory = sky_mem_new(sizeof *peer->memory);
        sky_buf_init(&peer->memory->in.body, SKY_COAP_BODY_MAX);
        sky_buf_init(&peer->memory->out.body, SKY_COAP_BODY_MAX);
    }
    return peer->memory;
}

/* ---- answers kept ---- */

static struct answer *recall(struct sky_coap_memory *memory, uint16_t id, int64_t now_ms)
{
    for (size_t i = 0; i < SKY_COAP_REMEMBERED_MAX; i++) {
        struct answer *answer = &memory->answers[i];
        if (answer->used && answer->id == id && now_ms < answer->until_ms)
            return answer;
    }
    return NULL;
}

static void forget(struct answer *answer)
{
    free((char *)answer->datagram.ptr);
    *answer = (struct answer){0};
}

/* A place for the answer to come: the oldest one goes. */
static void expect(struct sky_coap_memory *memory, uint16_t id, uint64_t print, int64_t now_ms)
{
    struct answer *answer = &memory->answers[memory->next];
    memory->next = (memory->next + 1) % SKY_COAP_REMEMBERED_MAX;
    forget(answer);
    *answer = (struct answer){
        .id = id, .print = print, .until_ms = now_ms + SKY_COAP_EXCHANGE_LIFETIME_MS, .used = true};
}

/* Writes the answer and keeps its bytes. */
static void give(struct sky_coap_memory *memory, uint16_t request_id,
                 const struct sky_coap_reply *reply, int64_t now_ms, struct sky_buf *out)
{
    size_t before = out->len;
    if (!sky_coap_put(out, reply))
        return;
    struct answer *answer = recall(memory, request_id, now_ms);
    if (answer == NULL)
        return;
    free((char *)answer->datagram.ptr);
    sky_span bytes = sky_span_tail(sky_buf_span(out), before);
    answer->datagram = sky_span_of(sky_mem_dup(bytes.ptr, bytes.len), bytes.len);
}

/* A reply to this message with nothing in it yet. */
static struct sky_coap_reply reply_to(const struct sky_coap_message *m, uint8_t code, uint16_t id)
{
    bool piggybacked = m->type == SKY_COAP_CON;
    return (struct sky_coap_reply){.type = piggybacked ? SKY_COAP_ACK : SKY_COAP_NON,
                                   .code = code,
                                   .id = piggybacked ? m->id : id,
                                   .token = m->token};
}

static enum sky_coap_step answer_now(struct sky_coap_memory *memory,
                                     const struct sky_coap_reply *reply, uint16_t request_id,
                                     int64_t now_ms, struct sky_buf *out)
{
    give(memory, request_id, reply, now_ms, out);
    return SKY_COAP_STEP_DONE;
}

/* ---- blocks in (RFC 7959 §2.5, §3.2) ---- */

static bool continues(const struct transfer *in, const struct sky_coap_message *m, int64_t now_ms)
{
    return in->active && now_ms < in->until_ms && in->about == print_about(m) &&
           (size_t)m->block1.number * sky_coap_block_size(m->block1.szx) == in->body.len;
}

/* Adds a block; the code to refuse it with, or 0. */
static uint8_t take_block(struct sky_coap_memory *memory, const struct sky_coap_message *m,
                          int64_t now_ms, unsigned *saw)
{
    struct transfer *in = &memory->in;
    if (m->size1 > SKY_COAP_BODY_MAX) {
        *saw |= SKY_COAP_SAW_TOO_LARGE;
        return SKY_COAP_TOO_LARGE;
    }
    if (m->block1.number == 0) {
        sky_buf_clear(&in->body);
        in->active = true;
        in->about = print_about(m);
        in->until_ms = now_ms + SKY_COAP_TRANSFER_IDLE_MS;
    }
    bool whole = m->payload.len == sky_coap_block_size(m->block1.szx);
    if (!continues(in, m, now_ms) || (m->block1.more && !whole)) {
        *saw |= SKY_COAP_SAW_GAP;
        in->active = false;
        return m->block1.more && !whole ? SKY_COAP_BAD_REQUEST : SKY_COAP_INCOMPLETE;
    }
    if (!sky_buf_add(&in->body, m->payload)) {
        *saw |= SKY_COAP_SAW_TOO_LARGE;
        in->active = false;
        return SKY_COAP_TOO_LARGE;
    }
    in->until_ms = now_ms + SKY_COAP_TRANSFER_IDLE_MS;
    return m->block1.more ? SKY_COAP_CONTINUE : 0;
}

/* ---- blocks out (RFC 7959 §2.4) ---- */

/* The part of the outgoing body that this message asks for, put into `reply`. */
static bool cut_block(const struct transfer *out, const struct sky_coap_block *asked,
                      struct sky_coap_reply *reply)
{
    uint8_t szx = asked->present && asked->szx < SKY_COAP_SZX_MAX ? asked->szx : SKY_COAP_SZX_MAX;
    size_t size = sky_coap_block_size(szx), number = asked->present ? asked->number : 0;
    if (number > out->body.len / size || (number > 0 && number * size >= out->body.len))
        return false;
    sky_span rest = sky_span_tail(sky_buf_span(&out->body), number * size);
    reply->payload = sky_span_head(rest, size);
    reply->block2 = (struct sky_coap_block){
        .number = (uint32_t)number, .szx = szx, .more = rest.len > size, .present = true};
    if (number == 0)
        reply->size2 = (uint32_t)out->body.len;
    return true;
}

/* A later block of a body already being handed out. */
static bool is_next_block(const struct sky_coap_memory *memory, const struct sky_coap_message *m,
                          int64_t now_ms)
{
    return m->block2.present && m->block2.number > 0 && memory->out.active &&
           now_ms < memory->out.until_ms && memory->out.about == print_about(m);
}

static enum sky_coap_step hand_out(struct sky_coap_memory *memory, const struct sky_coap_message *m,
                                   uint16_t id, int64_t now_ms, struct sky_buf *out)
{
    struct sky_coap_reply reply = reply_to(m, memory->out.code, id);
    reply.json = true;
    if (!cut_block(&memory->out, &m->block2, &reply))
        reply.code = SKY_COAP_BAD_REQUEST;
    memory->out.until_ms = now_ms + SKY_COAP_TRANSFER_IDLE_MS;
    return answer_now(memory, &reply, m->id, now_ms, out);
}

/* ---- receiving ---- */

static enum sky_coap_step reset(const struct sky_coap_message *m, struct sky_buf *out)
{
    if (m->type == SKY_COAP_CON) {
        const struct sky_coap_reply rst = {.type = SKY_COAP_RST, .id = m->id};
        sky_coap_put(out, &rst);
    }
    return SKY_COAP_STEP_DONE;
}

/* Is it a request that was answered already? Then the answer is repeated; while its answer is
 * still to come it is passed over. */
static bool repeat(struct sky_coap_memory *memory, const struct sky_coap_message *m, uint64_t print,
                   int64_t now_ms, unsigned *saw, struct sky_buf *out)
{
    struct answer *answer = recall(memory, m->id, now_ms);
    if (answer == NULL)
        return false;
    if (answer->print != print) {
        *saw |= SKY_COAP_SAW_ID_REUSED;
        forget(answer);
        return false;
    }
    *saw |= SKY_COAP_SAW_DUPLICATE;
    sky_buf_add(out, answer->datagram);
    return true;
}

static enum sky_coap_step take_request(struct sky_coap_memory *memory, int64_t now_ms,
                                       struct sky_coap_request *request, unsigned *saw,
                                       struct sky_buf *out)
{
    const struct sky_coap_message *m = &request->message;
    if (m->observe)
        *saw |= SKY_COAP_SAW_OBSERVE;
    if (m->unknown_critical != 0) {
        *saw |= SKY_COAP_SAW_CRITICAL;
        struct sky_coap_reply refusal = reply_to(m, SKY_COAP_BAD_OPTION, m->id);
        return m->type == SKY_COAP_CON ? answer_now(memory, &refusal, m->id, now_ms, out)
                                       : SKY_COAP_STEP_DONE; /* 5.4.1 */
    }
    if (is_next_block(memory, m, now_ms))
        return hand_out(memory, m, m->id, now_ms, out);
    request->body = m->payload;
    if (!m->block1.present) {
        if (m->payload.len > SINGLE_PAYLOAD_MAX)
            *saw |= SKY_COAP_SAW_LARGE;
        return SKY_COAP_STEP_REQUEST;
    }
    uint8_t code = take_block(memory, m, now_ms, saw);
    if (code == 0) {
        request->body = sky_buf_span(&memory->in.body);
        memory->in.active = false;
        return SKY_COAP_STEP_REQUEST;
    }
    struct sky_coap_reply reply = reply_to(m, code, m->id);
    reply.block1 = m->block1;
    if (reply.block1.szx > SKY_COAP_SZX_MAX)
        reply.block1.szx = SKY_COAP_SZX_MAX;
    return answer_now(memory, &reply, m->id, now_ms, out);
}

enum sky_coap_step sky_coap_receive(struct sky_coap_peer *peer, sky_span datagram, int64_t now_ms,
                                    struct sky_coap_request *request, unsigned *saw,
                                    struct sky_buf *out)
{
    struct sky_coap_message *m = &request->message;
    *saw = 0;
    request->body = SKY_SPAN_NONE;
    switch (sky_coap_parse(datagram, m)) {
    case SKY_COAP_NO_COAP:
        *saw |= SKY_COAP_SAW_MALFORMED;
        return SKY_COAP_STEP_DONE;
    case SKY_COAP_MALFORMED:
        *saw |= SKY_COAP_SAW_MALFORMED;
        return reset(m, out);
    case SKY_COAP_PARSED:
        break;
    }
    bool is_request = m->code != SKY_COAP_EMPTY && m->code >> 5 == 0;
    if (m->type == SKY_COAP_ACK || m->type == SKY_COAP_RST)
        return SKY_COAP_STEP_DONE; /* this side starts no exchange: nothing waits for it */
    if (!is_request)
        return reset(m, out); /* an empty confirmable message is a ping (4.3) */
    struct sky_coap_memory *memory = memory_of(peer);
    uint64_t print = print_bytes(datagram);
    if (repeat(memory, m, print, now_ms, saw, out))
        return SKY_COAP_STEP_DONE;
    expect(memory, m->id, print, now_ms);
    return take_request(memory, now_ms, request, saw, out);
}

void sky_coap_respond(struct sky_coap_peer *peer, const struct sky_coap_request *request,
                      const struct sky_coap_response *response, uint16_t id, int64_t now_ms,
                      struct sky_buf *out)
{
    struct sky_coap_memory *memory = memory_of(peer);
    const struct sky_coap_message *m = &request->message;
    struct sky_coap_reply reply = reply_to(m, response->code, id);
    reply.json = true;
    reply.payload = response->body;
    reply.extra = response->extra;
    reply.extra_value = response->extra_value;
    if (m->block1.present) {
        reply.block1 = m->block1;
        reply.block1.more = false;
    }
    bool small = response->body.len <=
                 sky_coap_block_size(m->block2.present ? m->block2.szx : SKY_COAP_SZX_MAX);
    if (!small) {
        struct transfer *body = &memory->out;
        sky_buf_clear(&body->body);
        sky_buf_add(&body->body, response->body);
        body->active = !body->body.overflow;
        body->about = print_about(m);
        body->code = response->code;
        body->until_ms = now_ms + SKY_COAP_TRANSFER_IDLE_MS;
        const struct sky_coap_block first = {.szx = m->block2.szx, .present = m->block2.present};
        if (!body->active || !cut_block(body, &first, &reply))
            reply = reply_to(m, SKY_COAP_INTERNAL, id);
    }
    give(memory, m->id, &reply, now_ms, out);
}
