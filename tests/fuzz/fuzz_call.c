/* HTTP calls and CoAP requests of each cloud. The second byte chooses the call; the first line is
 * header lines, or a path; the rest is the body. Every call has an answer in JSON, whoever is
 * known.
 */
#include "cloud_bench.h"

static struct cloud_bench bench;

static void call_http(const struct sky_http_row *row, sky_span headers, sky_span body, bool json)
{
    struct sky_http_request request = {.door = &bench.door,
                                       .method = sky_span_str(row->method),
                                       .path = sky_span_str(row->path),
                                       .content_type =
                                           json ? SKY_SPAN("application/json")
                                                : SKY_SPAN("application/x-www-form-urlencoded"),
                                       .headers = headers,
                                       .body = body,
                                       .advertise_host = SKY_SPAN("127.0.0.1"),
                                       .advertise_port = 1883};
    struct sky_http_answer answer = {.status = 0};
    struct sky_claim claim;
    if (row->claim(&request, &claim, &bench.effects.arena))
        SKY_ASSERT(claim.kind <= SKY_CLAIM_TOKEN);
    else
        bench.facts.product = NULL, bench.facts.device = NULL;
    row->answer(&request, &bench.facts, &bench.judge, &bench.effects, &answer);
    SKY_ASSERT(answer.status >= 200 && answer.status < 600);
    SKY_ASSERT(sky_json_check(answer.body, SKY_JSON_DEPTH_MAX, NULL) == SKY_OK);
    SKY_ASSERT(answer.topic.len == 0 || sky_topic_valid_name(answer.topic));
    SKY_ASSERT(answer.qos <= 1);
    if (answer.cause == SKY_CAUSE_SIGNATURE && row->suspect != NULL) {
        struct sky_suspicion suspicion = {.now_ms = bench.facts.now_ms};
        struct sky_explanation explanation;
        if (row->suspect(&request, &bench.facts, &suspicion, &bench.effects.arena))
            sky_explain(&suspicion, &explanation);
    }
}

static void call_coap(sky_span path, sky_span body, unsigned how)
{
    static struct sky_coap_request request;
    struct sky_coap_decision decision = {.code = SKY_COAP_NOT_FOUND};
    request = (struct sky_coap_request){.message = {.code = (uint8_t)(1 + how % 4)}, .body = body};
    const struct sky_coap_call call = {.request = &request,
                                       .saw = how / 4,
                                       .identity = SKY_SPAN("dev1.KV315idW.1.300"),
                                       .product = sky_span_str(bench.product.key),
                                       .device = sky_span_str(bench.device.key)};
    if (!sky_span_copy(path, request.message.path, sizeof request.message.path))
        return;
    bench.cloud->coap->decide(&call, &bench.facts, &bench.judge, &bench.effects, &decision);
    SKY_ASSERT(decision.act <= SKY_COAP_REPEAT);
    SKY_ASSERT(decision.act != SKY_COAP_PUBLISH || decision.topic.len > 0);
    if (bench.cloud->coap->waiting_option != 0) {
        char room[SKY_COAP_PATH_MAX + 1];
        if (bench.cloud->coap->waiting_path(path, room, sizeof room))
            SKY_ASSERT(memchr(room, '\0', sizeof room) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 2 || len > 4096)
        return 0;
    bench_init(&bench, bytes[0]);
    sky_span rest = sky_span_of(bytes + 2, len - 2), line = SKY_SPAN_NONE;
    (void)sky_span_next(&rest, '\n', &line);
    const struct sky_cloud_http *http = bench.cloud->http;
    if (bytes[1] & 0x80 && bench.cloud->coap != NULL)
        call_coap(line, rest, bytes[1]);
    else if (http != NULL)
        call_http(&http->rows[bytes[1] % http->count], line, rest, bytes[1] & 0x40);
    bench_check_findings(&bench.judge, sky_span_of(bytes, len));
    bench_check_effects(&bench.effects);
    bench_done(&bench);
    return 0;
}
