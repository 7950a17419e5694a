/* DTLS behind its handshake: a real client has opened the channel, then comes what the input says:
 * datagrams of any bytes, or the client's own with some bytes changed, repeated, or in another
 * order. What opens is what was sent, and once. */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "tests/unit/tls/dtls_client.h"

enum { STEPS_MAX = 16 };

/* The client's next message as it is on the wire; true: keep it off the server. */
static bool take_off(void *ctx, size_t number, bool from_client)
{
    (void)number;
    return from_client && *(const bool *)ctx;
}

static void step(struct bench *bench, struct client *client, uint8_t act, sky_span part)
{
    bool off = act & 1;
    size_t received = bench->received;
    bench->lose = take_off;
    bench->lose_ctx = &off;
    if (act % 4 < 2 && client->open && !client_send(client, SKY_SPAN("a message of the device")))
        return;
    struct sockaddr_storage from = client->address;
    char room[2048];
    sky_span datagram = sky_span_head(part, sizeof room);
    if (act % 4 == 1 || act % 4 == 2) { /* the last one, changed where the part says */
        datagram = sky_span_head(bench->last_from_client, sizeof room);
        if (datagram.len == 0)
            return;
        memcpy(room, datagram.ptr, datagram.len);
        for (size_t i = 0; i + 1 < part.len; i += 2)
            room[(uint8_t)part.ptr[i] % datagram.len] = part.ptr[i + 1];
        datagram = sky_span_of(room, datagram.len);
    }
    off = false;
    sky_dtls_feed(bench->dtls, &from, datagram);
    SKY_ASSERT(bench->received <= received + 2);
    settle(bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct bench bench;
    static struct client client;
    if (len > 2048)
        return 0;
    memset(&bench, 0, sizeof bench);
    memset(&client, 0, sizeof client);
    bench_open(&bench, 4, 4);
    client_open(&client, &bench, 5000, &(struct client_options){.suite = 0});
    settle(&bench);
    SKY_ASSERT(bench.opened == 1 && client.open);
    sky_span rest = sky_span_of(bytes, len);
    for (int i = 0; i < STEPS_MAX && rest.len >= 2; i++) {
        const uint8_t act = (uint8_t)rest.ptr[0];
        size_t size = (uint8_t)rest.ptr[1];
        step(&bench, &client, act, sky_span_head(sky_span_tail(rest, 2), size));
        rest = sky_span_tail(rest, 2 + size);
        if (act & 0x80)
            pass(&bench, 1000 * (act >> 4));
    }
    bench.lose = NULL;
    client_close(&client);
    bench_close(&bench);
    return 0;
}
