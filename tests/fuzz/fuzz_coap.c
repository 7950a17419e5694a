/* Datagrams of one peer through the message layer, time passing between them. The input is a run
 * of datagrams, each behind a byte that says how much time passes and two with its length. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/coap/exchange.h"

static void check_inside(sky_span view, sky_span datagram)
{
    SKY_ASSERT(view.len == 0 ||
               (view.ptr >= datagram.ptr && view.ptr + view.len <= datagram.ptr + datagram.len));
}

static void check_message(const struct sky_coap_message *m, sky_span datagram)
{
    check_inside(m->token, datagram);
    check_inside(m->payload, datagram);
    SKY_ASSERT(m->token.len <= SKY_COAP_TOKEN_MAX);
    SKY_ASSERT(strlen(m->path) <= SKY_COAP_PATH_MAX && strlen(m->query) <= SKY_COAP_QUERY_MAX);
    SKY_ASSERT(!m->block1.present || m->block1.szx <= SKY_COAP_SZX_MAX);
    SKY_ASSERT(!m->block2.present || m->block2.szx <= SKY_COAP_SZX_MAX);
}

/* What goes out is a message, and answers what came in. */
static void check_answer(const struct sky_buf *out, const struct sky_coap_message *m)
{
    struct sky_coap_message answer;
    SKY_ASSERT(out->len <= SKY_COAP_SENT_MAX);
    if (out->len == 0)
        return;
    SKY_ASSERT(sky_coap_parse(sky_buf_span(out), &answer) == SKY_COAP_PARSED);
    SKY_ASSERT(answer.type != SKY_COAP_CON);
    SKY_ASSERT(answer.type == SKY_COAP_NON || answer.id == m->id);
}

/* An answer that depends on the request alone, of any length up to some blocks. */
static void respond(struct sky_coap_peer *peer, const struct sky_coap_request *request,
                    int64_t now_ms, struct sky_buf *out)
{
    static const char body[3000];
    const struct sky_coap_response response = {
        .code = SKY_COAP_CONTENT,
        .body = sky_span_of(body, request->message.id % sizeof body),
        .extra = request->message.id & 1 ? 2100 : 0,
        .extra_value = sky_span_str(request->message.path)};
    SKY_ASSERT(request->body.len <= SKY_COAP_BODY_MAX);
    if (request->message.id % 7 == 0)
        sky_coap_repeat(peer, request, now_ms, out);
    else
        sky_coap_respond(peer, request, &response, now_ms, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sky_coap_peer peer = {0};
    struct sky_buf out;
    int64_t now_ms = 0;
    sky_buf_init(&out, SKY_COAP_SENT_MAX);
    while (len >= 3) {
        struct sky_coap_request request;
        unsigned saw;
        size_t size = (size_t)bytes[1] << 8 | bytes[2];
        now_ms += bytes[0] * INT64_C(1000);
        bytes += 3;
        len -= 3;
        size = size < len ? size : len;
        sky_span datagram = sky_span_of(bytes, size);
        sky_buf_clear(&out);
        enum sky_coap_step step = sky_coap_receive(&peer, datagram, now_ms, &request, &saw, &out);
        if (step == SKY_COAP_STEP_REQUEST) {
            SKY_ASSERT(out.len == 0);
            check_message(&request.message, datagram);
            respond(&peer, &request, now_ms, &out);
        }
        check_answer(&out, &request.message);
        bytes += size;
        len -= size;
    }
    sky_coap_peer_done(&peer);
    sky_buf_done(&out);
    return 0;
}
