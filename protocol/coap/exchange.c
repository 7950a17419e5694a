#include "protocol/coap/exchange.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

/* An answer given, for the duplicate of its request (4.2, 4.5). */
struct answer {
    sky_span datagram;    /* owned; NONE: there is none yet */
    uint64_t print;       /* of the request's bytes: another request under the same id shows */
    uint64_t token_print; /* 0: no token */
    int64_t until_ms;
    uint16_t id;
    bool used;
};

/* A body on its way in or out. */
struct transfer {
    struct sky_buf body;
    int64_t until_ms;
    uint64_t about; /* print of method, path and query */
    uint8_t code;   /* of the answer it is the body of */
};

struct sky_coap_memory {
    struct answer answers[SKY_COAP_REMEMBERED_MAX];
    size_t next; /* place of the oldest answer */
    struct transfer in[SKY_COAP_TRANSFERS_MAX], out[SKY_COAP_TRANSFERS_MAX];
    struct transfer *whole; /* whose body the request at hand has; or NULL */
};

static uint64_t print_bytes(sky_span bytes)
{
    return sky_span_print(SKY_SPAN_PRINT, bytes);
}

/* What a body in blocks belongs to (RFC 7959 §2.5: the request without its block options). */
static uint64_t print_about(const struct sky_coap_message *m)
{
    uint64_t print = print_bytes(sky_span_of(&m->code, 1));
    print = sky_span_print(print, sky_span_str(m->path));
    print = sky_span_print(print, SKY_SPAN("?"));
    return sky_span_print(print, sky_span_str(m->query));
}

void sky_coap_peer_done(struct sky_coap_peer *peer)
{
    struct sky_coap_memory *memory = peer->memory;
    if (memory == NULL)
        return;
    for (size_t i = 0; i < SKY_COAP_REMEMBERED_MAX; i++)
        free((char *)memory->answers[i].datagram.ptr);
    for (size_t i = 0; i < SKY_COAP_TRANSFERS_MAX; i++) {
        sky_buf_done(&memory->in[i].body);
        sky_buf_done(&memory->out[i].body);
    }
    free(memory);
    peer->memory = NULL;
}

static struct sky_coap_memory *memory_of(struct sky_coap_peer *peer)
{
    if (peer->memory == NULL) {
        peer->memory = sky_mem_new(sizeof *peer->memory);
        for (size_t i = 0; i < SKY_COAP_TRANSFERS_MAX; i++) {
            sky_buf_init(&peer->memory->in[i].body, SKY_COAP_BODY_MAX);
            sky_buf_init(&peer->memory->out[i].body, SKY_COAP_BODY_MAX);
        }
    }
    return peer->memory;
}

/* ---- transfers ---- */

static bool is_under_way(const struct transfer *transfer, int64_t now_ms)
{
    return now_ms < transfer->until_ms;
}

/* What belongs to the same request; NULL: nothing is under way. */
static struct transfer *find_transfer(struct transfer *list, uint64_t about, int64_t now_ms)
{
    for (size_t i = 0; i < SKY_COAP_TRANSFERS_MAX; i++)
        if (list[i].about == about && is_under_way(&list[i], now_ms))
            return &list[i];
    return NULL;
}

static void end_transfer(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    transfer->until_ms = 0;
    sky_buf_done(&transfer->body);
}

/* A place for a body that begins: that of the one it takes up again, a free one, or that of the one
 * that heard of its peer the longest ago. */
static struct transfer *begin_transfer(struct transfer *list, uint64_t about, int64_t now_ms)
{
    struct transfer *place = find_transfer(list, about, now_ms);
    for (size_t i = 0; place == NULL && i < SKY_COAP_TRANSFERS_MAX; i++)
        if (!is_under_way(&list[i], now_ms))
            place = &list[i];
    if (place == NULL) {
        place = list;
        for (size_t i = 1; i < SKY_COAP_TRANSFERS_MAX; i++)
            if (list[i].until_ms < place->until_ms)
                place = &list[i];
    }
    end_transfer(place);
    place->about = about;
    place->until_ms = now_ms + SKY_COAP_TRANSFER_IDLE_MS;
    return place;
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

static bool knows_token(const struct sky_coap_memory *memory, uint64_t token_print, int64_t now_ms)
{
    for (size_t i = 0; i < SKY_COAP_REMEMBERED_MAX; i++) {
        const struct answer *answer = &memory->answers[i];
        if (answer->used && answer->token_print == token_print && now_ms < answer->until_ms)
            return true;
    }
    return false;
}

/* A place for the answer to come: that of an earlier request under the same id, which keeps its
 * answer until then, or the oldest one's. */
static void expect(struct sky_coap_memory *memory, const struct sky_coap_message *m, uint64_t print,
                   int64_t now_ms)
{
    struct answer *answer = recall(memory, m->id, now_ms);
    if (answer == NULL) {
        answer = &memory->answers[memory->next];
        memory->next = (memory->next + 1) % SKY_COAP_REMEMBERED_MAX;
        free((char *)answer->datagram.ptr);
        answer->datagram = SKY_SPAN_NONE;
    }
    answer->id = m->id;
    answer->print = print;
    answer->token_print = m->token.len > 0 ? print_bytes(m->token) : 0;
    answer->until_ms = now_ms + SKY_COAP_EXCHANGE_LIFETIME_MS;
    answer->used = true;
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

/* A reply to this message with nothing in it yet (5.2.1, 5.2.3). */
static struct sky_coap_reply reply_to(struct sky_coap_peer *peer, const struct sky_coap_message *m,
                                      uint8_t code)
{
    bool piggybacked = m->type == SKY_COAP_CON;
    return (struct sky_coap_reply){.type = piggybacked ? SKY_COAP_ACK : SKY_COAP_NON,
                                   .code = code,
                                   .id = piggybacked ? m->id : peer->next_id++,
                                   .token = m->token,
                                   .json = true};
}

static enum sky_coap_step refuse(struct sky_coap_peer *peer, const struct sky_coap_message *m,
                                 uint8_t code, int64_t now_ms, struct sky_buf *out)
{
    const struct sky_coap_reply reply = reply_to(peer, m, code);
    give(peer->memory, m->id, &reply, now_ms, out);
    return SKY_COAP_STEP_DONE;
}

/* ---- blocks in (RFC 7959 §2.5, §3.2) ---- */

static uint8_t drop_body(struct transfer *in, unsigned *saw, unsigned oddity, uint8_t code)
{
    *saw |= oddity;
    end_transfer(in);
    return code;
}

/* Adds a block; the code to answer it with, or 0 when the body of `*ret_in` is whole. */
static uint8_t take_block(struct sky_coap_memory *memory, const struct sky_coap_message *m,
                          int64_t now_ms, unsigned *saw, struct transfer **ret_in)
{
    size_t size = sky_coap_block_size(m->block1.szx);
    uint64_t about = print_about(m);
    struct transfer *in = *ret_in = find_transfer(memory->in, about, now_ms);
    if (m->block1.more ? m->payload.len != size : m->payload.len > size)
        return drop_body(in, saw, SKY_COAP_SAW_GAP, SKY_COAP_BAD_REQUEST);
    if (m->block1.number == 0)
        in = *ret_in = begin_transfer(memory->in, about, now_ms);
    if (in == NULL || (size_t)m->block1.number * size != in->body.len)
        return drop_body(in, saw, SKY_COAP_SAW_GAP, SKY_COAP_INCOMPLETE);
    if (m->size1 > SKY_COAP_BODY_MAX || !sky_buf_add(&in->body, m->payload))
        return drop_body(in, saw, SKY_COAP_SAW_TOO_LARGE, SKY_COAP_TOO_LARGE);
    in->until_ms = now_ms + SKY_COAP_TRANSFER_IDLE_MS;
    return m->block1.more ? SKY_COAP_CONTINUE : 0;
}

/* False when the block has been answered; else `request->body` is whole. */
static bool take_body(struct sky_coap_peer *peer, struct sky_coap_request *request, int64_t now_ms,
                      unsigned *saw, struct sky_buf *out)
{
    const struct sky_coap_message *m = &request->message;
    struct sky_coap_memory *memory = peer->memory;
    struct transfer *in;
    uint8_t code = take_block(memory, m, now_ms, saw, &in);
    if (code == 0) {
        request->body = sky_buf_span(&in->body);
        memory->whole = in;
        return true;
    }
    struct sky_coap_reply reply = reply_to(peer, m, code);
    reply.block1 = m->block1;
    if (code == SKY_COAP_TOO_LARGE)
        reply.size1 = SKY_COAP_BODY_MAX; /* RFC 7959 §2.9.3 */
    give(memory, m->id, &reply, now_ms, out);
    return false;
}

/* ---- blocks out (RFC 7959 §2.4) ---- */

/* The part of the outgoing body that the message asks for, put into `reply`. */
static bool cut_block(const struct transfer *out, const struct sky_coap_block *asked,
                      struct sky_coap_reply *reply)
{
    uint8_t szx = asked->present ? asked->szx : SKY_COAP_SZX_MAX;
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

/* A later block of a body that is being handed out; asking for one of a body that is not here any
 * more is answered with 4.00, for the request must not be carried out again. */
static enum sky_coap_step hand_out(struct sky_coap_peer *peer, const struct sky_coap_message *m,
                                   int64_t now_ms, unsigned *saw, struct sky_buf *out)
{
    struct transfer *body = find_transfer(peer->memory->out, print_about(m), now_ms);
    struct sky_coap_reply reply = reply_to(peer, m, body != NULL ? body->code : 0);
    if (body == NULL || !cut_block(body, &m->block2, &reply)) {
        *saw |= SKY_COAP_SAW_GAP;
        reply.code = SKY_COAP_BAD_REQUEST;
    } else {
        body->until_ms = now_ms + SKY_COAP_TRANSFER_IDLE_MS;
    }
    give(peer->memory, m->id, &reply, now_ms, out);
    return SKY_COAP_STEP_DONE;
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

/* Is it a request that was answered already? Then the answer to a confirmable one is repeated,
 * and another is passed over (4.5). */
static bool is_duplicate(struct sky_coap_memory *memory, const struct sky_coap_message *m,
                         uint64_t print, int64_t now_ms, unsigned *saw, struct sky_buf *out)
{
    const struct answer *answer = recall(memory, m->id, now_ms);
    if (answer == NULL)
        return false;
    if (answer->print != print) {
        *saw |= SKY_COAP_SAW_ID_REUSED;
        return false;
    }
    *saw |= SKY_COAP_SAW_DUPLICATE;
    if (m->type == SKY_COAP_CON)
        sky_buf_add(out, answer->datagram);
    return true;
}

static bool is_later_block(const struct sky_coap_message *m)
{
    return (m->block1.present && m->block1.number > 0) ||
           (m->block2.present && m->block2.number > 0);
}

static void look_at(const struct sky_coap_memory *memory, const struct sky_coap_message *m,
                    int64_t now_ms, unsigned *saw)
{
    if (m->observe)
        *saw |= SKY_COAP_SAW_OBSERVE;
    if (!m->block1.present && m->payload.len > SKY_COAP_SINGLE_MAX)
        *saw |= SKY_COAP_SAW_LARGE;
    if (m->token.len > 0 && !is_later_block(m) && !(*saw & SKY_COAP_SAW_ID_REUSED) &&
        knows_token(memory, print_bytes(m->token), now_ms))
        *saw |= SKY_COAP_SAW_TOKEN_REUSED;
}

static enum sky_coap_step take_request(struct sky_coap_peer *peer, int64_t now_ms,
                                       struct sky_coap_request *request, unsigned *saw,
                                       struct sky_buf *out)
{
    const struct sky_coap_message *m = &request->message;
    if (m->refusal != 0) {
        *saw |= SKY_COAP_SAW_OPTION;
        /* What is not understood and wants no confirmation is rejected in silence (5.4.1). */
        return m->type == SKY_COAP_CON || m->refusal != SKY_COAP_BAD_OPTION
                   ? refuse(peer, m, m->refusal, now_ms, out)
                   : SKY_COAP_STEP_DONE;
    }
    if (m->block2.present && m->block2.number > 0)
        return hand_out(peer, m, now_ms, saw, out);
    request->body = m->payload;
    if (m->block1.present && !take_body(peer, request, now_ms, saw, out))
        return SKY_COAP_STEP_DONE;
    return SKY_COAP_STEP_REQUEST;
}

/* False: it asks for nothing, and has been dealt with. */
static bool is_request(const struct sky_coap_message *m, unsigned *saw, struct sky_buf *out)
{
    if (m->type == SKY_COAP_ACK || m->type == SKY_COAP_RST)
        return false; /* this side starts no exchange: nothing waits for it */
    if (m->code != SKY_COAP_EMPTY && m->code >> 5 == 0)
        return true;
    if (m->code == SKY_COAP_EMPTY && m->type == SKY_COAP_CON)
        *saw |= SKY_COAP_SAW_PING;
    else
        *saw |= SKY_COAP_SAW_MALFORMED;
    reset(m, out);
    return false;
}

enum sky_coap_step sky_coap_receive(struct sky_coap_peer *peer, sky_span datagram, int64_t now_ms,
                                    struct sky_coap_request *request, unsigned *saw,
                                    struct sky_buf *out)
{
    struct sky_coap_message *m = &request->message;
    *saw = 0;
    request->body = SKY_SPAN_NONE;
    enum sky_coap_parse parsed = sky_coap_parse(datagram, m);
    if (parsed != SKY_COAP_PARSED) {
        *saw |= SKY_COAP_SAW_MALFORMED;
        return parsed == SKY_COAP_MALFORMED ? reset(m, out) : SKY_COAP_STEP_DONE;
    }
    if (!is_request(m, saw, out))
        return SKY_COAP_STEP_DONE;
    struct sky_coap_memory *memory = memory_of(peer);
    uint64_t print = print_bytes(datagram);
    if (is_duplicate(memory, m, print, now_ms, saw, out))
        return SKY_COAP_STEP_DONE;
    end_transfer(memory->whole); /* that nobody answered */
    memory->whole = NULL;
    look_at(memory, m, now_ms, saw);
    expect(memory, m, print, now_ms);
    return take_request(peer, now_ms, request, saw, out);
}

/* ---- answering ---- */

/* Keeps the body for the requests to come and cuts the first block off. */
static bool begin_handing_out(struct transfer *list, const struct sky_coap_message *m,
                              const struct sky_coap_response *response, int64_t now_ms,
                              struct sky_coap_reply *reply)
{
    struct transfer *body = begin_transfer(list, print_about(m), now_ms);
    body->code = response->code;
    if (sky_buf_add(&body->body, response->body) && cut_block(body, &m->block2, reply))
        return true;
    end_transfer(body);
    return false;
}

void sky_coap_respond(struct sky_coap_peer *peer, const struct sky_coap_request *request,
                      const struct sky_coap_response *response, int64_t now_ms, struct sky_buf *out)
{
    struct sky_coap_memory *memory = memory_of(peer);
    const struct sky_coap_message *m = &request->message;
    struct sky_coap_reply reply = reply_to(peer, m, response->code);
    uint8_t szx = m->block2.present ? m->block2.szx : SKY_COAP_SZX_MAX;
    reply.payload = response->body;
    reply.extra = response->extra;
    reply.extra_value = response->extra_value;
    reply.block1 = m->block1;
    if (m->block2.present && response->body.len > 0)
        reply.block2 = (struct sky_coap_block){.szx = szx, .present = true};
    end_transfer(find_transfer(memory->out, print_about(m), now_ms)); /* of an earlier request */
    if (response->body.len > sky_coap_block_size(szx) &&
        !begin_handing_out(memory->out, m, response, now_ms, &reply)) {
        reply.code = SKY_COAP_INTERNAL;
        reply.payload = SKY_SPAN_NONE;
        reply.block2.present = false;
    }
    give(memory, m->id, &reply, now_ms, out);
    end_transfer(memory->whole);
    memory->whole = NULL;
}

void sky_coap_repeat(struct sky_coap_peer *peer, const struct sky_coap_request *request,
                     int64_t now_ms, struct sky_buf *out)
{
    const struct answer *answer = recall(memory_of(peer), request->message.id, now_ms);
    if (answer != NULL)
        sky_buf_add(out, answer->datagram);
}
