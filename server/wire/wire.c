#include "server/wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/net/bend.h"
#include "server/wire/ways.h"

enum {
    ASIDE_MAX = SKY_CONN_OUTPUT_MAX, /* bytes of one passage that does not go out at once */
};

/* ---- what is delayed ---- */

enum way { UP, DOWN };

/* One passage that waits, on its way in or out. */
struct sky_held {
    struct sky_wire *wire;
    struct sky_timer timer;
    struct sky_carrier carrier; /* whose going ends it */
    enum way way;
    bool behind;  /* it goes right behind the next; the timer only says for how long it waits */
    bool altered; /* it is not what the device has sent */
    void (*again)(void *owner, sky_span bytes); /* who takes it, on its way in */
    struct sky_draft *draft; /* owned: tells that it was sent; NULL: nothing has to */
    struct sky_held *prev, *next;
    size_t len;
    char bytes[];
};

/* A copy that holds what it tells. */
static struct sky_draft *keep_draft(const struct sky_draft *draft)
{
    size_t size = sizeof *draft;
    for (size_t i = 0; i < draft->count; i++)
        size += draft->attrs[i].bytes.len;
    struct sky_draft *kept = sky_mem_new(size);
    *kept = *draft;
    char *at = (char *)(kept + 1);
    for (size_t i = 0; i < kept->count; i++) {
        sky_span *bytes = &kept->attrs[i].bytes;
        if (bytes->len > 0)
            memcpy(at, bytes->ptr, bytes->len);
        bytes->ptr = at;
        at += bytes->len;
    }
    return kept;
}

static void unlink_held(struct sky_held *held)
{
    struct sky_wire *wire = held->wire;
    sky_clock_cancel(wire->clock, &held->timer);
    DL_DELETE(wire->held, held);
    wire->held_count--;
    wire->held_bytes -= held->len;
    wire->behind -= held->behind;
}

static void drop(struct sky_held *held)
{
    unlink_held(held);
    free(held->draft);
    free(held);
}

static void take(const struct sky_carrier *to, sky_span bytes)
{
    if (to->conn == NULL)
        to->kind->send(to->channel, bytes);
    else if (!to->conn->closing)
        sky_conn_write(to->conn, bytes);
}

/* What it has come to be is none of the device's doing. */
static void give(struct sky_wire *wire, const struct sky_carrier *from,
                 void (*again)(void *owner, sky_span bytes), sky_span bytes, bool altered)
{
    bool before = sky_journal_excuse(wire->journal, altered);
    again(sky_carrier_owner(from), bytes);
    sky_journal_excuse(wire->journal, before);
}

/* It goes on. */
static void go(struct sky_held *held)
{
    sky_span bytes = sky_span_of(held->bytes, held->len);
    unlink_held(held);
    if (held->again != NULL) {
        give(held->wire, &held->carrier, held->again, bytes, held->altered);
    } else if (held->carrier.conn == NULL || !held->carrier.conn->closing) {
        take(&held->carrier, bytes);
        if (held->draft != NULL)
            sky_journal_record(held->wire->journal, held->draft, NULL);
    }
    free(held->draft);
    free(held);
}

static void on_due(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    go(SKY_CONTAINER_OF(timer, struct sky_held, timer));
}

static struct sky_held *hold(struct sky_wire *wire, const struct sky_carrier *carrier, enum way way,
                             sky_span bytes, const struct sky_fate *fate)
{
    struct sky_held *held = sky_mem_new(sizeof *held + bytes.len);
    held->wire = wire;
    held->carrier = *carrier;
    held->way = way;
    held->behind = fate->reorder;
    held->len = bytes.len;
    if (bytes.len > 0)
        memcpy(held->bytes, bytes.ptr, bytes.len);
    DL_APPEND(wire->held, held);
    wire->held_count++;
    wire->held_bytes += bytes.len;
    wire->behind += held->behind;
    sky_clock_timer(wire->clock, &held->timer, fate->delay_ms, on_due);
    return held;
}

/* The first that waits to go behind what passes there. */
static struct sky_held *first_behind(const struct sky_wire *wire, const struct sky_carrier *carrier,
                                     enum way way)
{
    struct sky_held *held;
    if (wire->behind == 0)
        return NULL;
    DL_FOREACH (wire->held, held)
        if (held->behind && held->way == way &&
            sky_carrier_owner(&held->carrier) == sky_carrier_owner(carrier))
            return held;
    return NULL;
}

/* Something has passed: what waited for that follows. */
static void follow(const struct sky_wire *wire, const struct sky_carrier *carrier, enum way way)
{
    struct sky_held *held;
    while ((held = first_behind(wire, carrier, way)) != NULL)
        go(held);
}

bool sky_wire_holds(const struct sky_wire *wire, const void *owner)
{
    const struct sky_held *held;
    DL_FOREACH (wire->held, held)
        if (sky_carrier_owner(&held->carrier) == owner)
            return true;
    return false;
}

void sky_wire_forget(struct sky_wire *wire, const void *owner)
{
    struct sky_held *held, *next;
    DL_FOREACH_SAFE (wire->held, held, next)
        if (sky_carrier_owner(&held->carrier) == owner)
            drop(held);
}

void sky_wire_done(struct sky_wire *wire)
{
    while (wire->held != NULL)
        drop(wire->held);
}

/* ---- asking ---- */

/* "withhold at puback-down: PUBACK 7" */
static void tell_fault(struct sky_wire *wire, const struct sky_passage *passage,
                       const struct sky_fate *fate)
{
    const char *point = sky_point_name(passage->point);
    const char *action = fate->action != NULL ? fate->action : "changed";
    const struct sky_out *out = passage->out;
    char what[SKY_PASSAGE_TEXT_MAX], reason[SKY_PASSAGE_TEXT_MAX + 64];
    struct sky_draft draft;
    sky_passage_say(passage, what);
    snprintf(reason, sizeof reason, what[0] != '\0' ? "%s at %s: %s" : "%s at %s", action, point,
             what);
    sky_draft_begin(&draft, *passage->head);
    draft.head.type = SKY_EVENT_FAULT;
    draft.head.direction = SKY_INSIDE;
    sky_draft_add(&draft, SKY_ATTR(NAME, sky_span_str(fate->name)));
    sky_draft_add(&draft, SKY_ATTR(POINT, sky_span_str(point)));
    sky_draft_add(&draft, SKY_ATTR(ACTION, sky_span_str(action)));
    sky_draft_add(&draft, SKY_ATTR(REASON, sky_span_str(reason)));
    if (out != NULL && out->of != 0)
        sky_draft_add(&draft, SKY_ATTR_INT(OF, (int64_t)out->of));
    sky_journal_record(wire->journal, &draft, NULL);
}

struct sky_fate sky_wire_ask(struct sky_wire *wire, struct sky_passage *passage)
{
    const struct sky_carrier *carrier = passage->carrier;
    struct sky_fate fate = {.name = NULL};
    if ((wire->points >> passage->point & 1) != 0)
        fate = wire->filter(wire->filter_ctx, passage);
    if (fate.name == NULL)
        return fate;
    SKY_ASSERT(fate.copies <= SKY_WIRE_COPIES_MAX && fate.delay_ms >= 0);
    tell_fault(wire, passage, &fate);
    if (carrier != NULL && carrier->conn != NULL)
        sky_conn_work(carrier->conn)->touched |= UINT32_C(1) << passage->point;
    if (wire->held_count >= SKY_WIRE_HELD_MAX || wire->held_bytes >= SKY_WIRE_HELD_BYTES_MAX) {
        fate.delay_ms = 0;
        fate.reorder = false;
    }
    return fate;
}

/* ---- what a fate does to bytes ---- */

/* `count` of them become others, from `at` on, or where chance would have it. */
static void corrupt(const struct sky_fate *fate, char *bytes, size_t len)
{
    if (len == 0)
        return;
    size_t count = fate->corrupt < len ? fate->corrupt : len;
    size_t at =
        fate->corrupt_anywhere ? (size_t)(fate->chance % (len - count + 1)) : fate->corrupt_at;
    at = at < len ? at : len - 1;
    for (size_t i = 0; i < count && at + i < len; i++)
        bytes[at + i] ^= (char)(1 + (fate->chance >> (i % 8 * 8) & 0xff) % 255);
}

/* What the journal says besides of something that did not go out whole, or as it was. */
static void tell_damage(const struct sky_fate *fate, size_t len, struct sky_draft *draft,
                        char text[SKY_PASSAGE_TEXT_MAX])
{
    if (fate->cut && fate->cut_at < len)
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "cut: %zu of its %zu bytes went out", fate->cut_at,
                 len);
    else if (fate->corrupt > 0)
        snprintf(text, SKY_PASSAGE_TEXT_MAX, "corrupted: bytes of it were changed");
    else
        return;
    sky_draft_add(draft, SKY_ATTR(DETAIL, sky_span_str(text)));
}

/* How the carrier ends, or goes on. */
static void suffer(const struct sky_carrier *carrier, const struct sky_fate *fate)
{
    if (carrier->conn != NULL)
        sky_conn_suffer(carrier->conn, fate);
    else if (fate->then != SKY_BREAK_NONE && carrier->kind->end != NULL)
        carrier->kind->end(carrier->channel, fate);
}

/* ---- out ---- */

static void ask_at(struct sky_wire *wire, struct sky_out *out, enum sky_point point)
{
    struct sky_passage passage = {.point = point,
                                  .head = &out->head,
                                  .carrier = &out->to,
                                  .product_id = out->product_id,
                                  .out = out,
                                  .leads = first_behind(wire, &out->to, DOWN) != NULL};
    out->fate = sky_wire_ask(wire, &passage);
}

/* One fault decides about one packet; those at `reply` are asked before those at what carries it.
 */
void sky_wire_decide(struct sky_wire *wire, struct sky_out *out)
{
    out->fate = (struct sky_fate){.name = NULL};
    out->decided = true;
    if (out->is_reply && sky_wire_is_armed(wire, SKY_POINT_REPLY))
        ask_at(wire, out, SKY_POINT_REPLY);
    if (out->fate.name == NULL && sky_wire_is_armed(wire, out->point))
        ask_at(wire, out, out->point);
}

/* Once, now or later. */
static void pass(struct sky_wire *wire, const struct sky_out *out, sky_span bytes,
                 const struct sky_draft *draft)
{
    const struct sky_fate *fate = &out->fate;
    if (fate->delay_ms > 0) {
        struct sky_held *held = hold(wire, &out->to, DOWN, bytes, fate);
        held->draft = draft != NULL ? keep_draft(draft) : NULL;
        return;
    }
    take(&out->to, bytes);
    if (draft != NULL)
        sky_journal_record(wire->journal, draft, NULL);
}

/* With a fault's hands on it bytes are made aside, so that they can wait, or be changed. */
static bool send_aside(struct sky_wire *wire, struct sky_out *out)
{
    const struct sky_fate *fate = &out->fate;
    char damage[SKY_PASSAGE_TEXT_MAX];
    struct sky_buf bytes, room;
    struct sky_draft draft;
    bool waits = fate->delay_ms > 0 || fate->withhold;
    sky_buf_init(&bytes, ASIDE_MAX);
    bool told = sky_way_tell(out, &draft, &room);
    /* Encoding may consume what is told of. */
    struct sky_draft *kept = told ? keep_draft(&draft) : NULL;
    bool made = sky_way_encode(out, wire->clock->real_ms, &bytes) || fate->withhold;
    if (made && !fate->withhold) {
        corrupt(fate, bytes.bytes, fate->corrupt > 0 ? bytes.len : 0);
        if (kept != NULL)
            tell_damage(fate, bytes.len, kept, damage);
        sky_span whole = sky_buf_span(&bytes);
        for (unsigned i = 0; i <= fate->copies; i++)
            pass(wire, out, fate->cut ? sky_span_head(whole, fate->cut_at) : whole, kept);
    }
    if (made && !waits)
        follow(wire, &out->to, DOWN);
    if (made && fate->name != NULL)
        suffer(&out->to, fate);
    free(kept);
    sky_buf_done(&bytes);
    sky_buf_done(&room);
    return made;
}

static bool send_now(struct sky_wire *wire, struct sky_out *out)
{
    struct sky_draft draft;
    struct sky_buf room, datagram;
    if (out->to.conn != NULL) {
        if (!sky_way_encode(out, wire->clock->real_ms, sky_conn_out(out->to.conn)))
            return false;
        if (sky_way_tell(out, &draft, &room))
            sky_journal_record(wire->journal, &draft, NULL);
        sky_buf_done(&room);
        return true;
    }
    sky_buf_init(&datagram, SKY_COAP_SENT_MAX);
    if (sky_way_tell(out, &draft, &room)) /* encoding may consume what is told of */
        sky_journal_record(wire->journal, &draft, NULL);
    sky_buf_done(&room);
    (void)sky_way_encode(out, wire->clock->real_ms, &datagram);
    take(&out->to, sky_buf_span(&datagram));
    sky_buf_done(&datagram);
    return true;
}

bool sky_wire_send(struct sky_wire *wire, struct sky_out *out)
{
    SKY_ASSERT(sky_way_is_out(out->point));
    if (!out->decided && sky_wire_asks(wire, out))
        sky_wire_decide(wire, out);
    if (out->decided && (out->fate.name != NULL || wire->behind > 0))
        return send_aside(wire, out);
    return send_now(wire, out);
}

/* ---- in ---- */

/* The bytes as the fate leaves them, handed on once or several times, now or later. */
static void enter_altered(struct sky_wire *wire, const struct sky_in *in,
                          const struct sky_fate *fate)
{
    struct sky_buf bytes;
    sky_buf_init(&bytes, in->bytes.len);
    sky_buf_add(&bytes, in->bytes);
    corrupt(fate, bytes.bytes, fate->corrupt > 0 ? bytes.len : 0);
    bool altered = fate->corrupt > 0;
    for (unsigned i = 0; i <= fate->copies; i++) {
        if (fate->delay_ms > 0 || in->later) {
            struct sky_held *held = hold(wire, &in->from, UP, sky_buf_span(&bytes), fate);
            held->again = in->again;
            held->altered = altered || i > 0;
        } else {
            give(wire, &in->from, in->again, sky_buf_span(&bytes), altered || i > 0);
        }
    }
    sky_buf_done(&bytes);
}

bool sky_wire_enter(struct sky_wire *wire, const struct sky_in *in)
{
    if (!sky_wire_is_armed(wire, in->point))
        return true;
    struct sky_passage passage = {.point = in->point,
                                  .head = &in->head,
                                  .carrier = &in->from,
                                  .product_id = in->product_id,
                                  .in = in,
                                  .leads = first_behind(wire, &in->from, UP) != NULL};
    struct sky_fate fate = sky_wire_ask(wire, &passage);
    if (fate.name == NULL && !passage.leads)
        return true;
    if (in->again == NULL) { /* all or nothing */
        suffer(&in->from, &fate);
        return !fate.withhold;
    }
    bool whole = !fate.withhold && !(fate.cut && fate.cut_at < in->bytes.len);
    if (whole) /* a part of a packet is none */
        enter_altered(wire, in, &fate);
    if (whole && fate.delay_ms == 0)
        follow(wire, &in->from, UP);
    suffer(&in->from, &fate);
    return false;
}

bool sky_wire_may_close(struct sky_wire *wire, const struct sky_event_head *head,
                        const char *reason)
{
    if (!sky_wire_is_armed(wire, SKY_POINT_CLOSE))
        return true;
    struct sky_passage passage = {.point = SKY_POINT_CLOSE, .head = head, .reason = reason};
    return !sky_wire_ask(wire, &passage).withhold;
}
