/* What the targets share that ask a whole server, without its network: a program with few devices
 * in memory, or with a store that is handed in, and requests of the admin API to it. */
#ifndef TESTS_FUZZ_APP_BENCH_H
#define TESTS_FUZZ_APP_BENCH_H

#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/admin/admin.h"
#include "server/admin/api.h"
#include "server/os/config.h"

struct app_bench {
    struct sky_config config;
    struct sky_app app;
    bool open;
    int status; /* of the last answer; 0: none yet */
};

static inline sky_err app_open(struct app_bench *bench, char *store, struct sky_why *why)
{
    char *argv[] = {(char[]){"skymock"}, (char[]){"--seed"}, (char[]){"1"}, (char[]){"--store"},
                    store};
    SKY_ASSERT(sky_config_parse(&bench->config, SKY_COMMAND_SERVE, 5, argv, why) == SKY_OK);
    sky_err err = sky_app_prepare(&bench->app, &bench->config, why);
    if (err != SKY_OK) {
        sky_config_done(&bench->config);
        return err;
    }
    bench->open = true;
    sky_clock_freeze(&bench->app.clock);
    sky_clock_set(&bench->app.clock, INT64_C(1600000000000));
    sky_admin_open(&bench->app);
    return SKY_OK;
}

static inline void app_close(struct app_bench *bench)
{
    if (!bench->open)
        return;
    bench->app.stopping = true;
    sky_admin_free(&bench->app);
    sky_app_release(&bench->app);
    sky_config_done(&bench->config);
    bench->open = false;
}

struct app_call {
    struct app_bench *bench;
    struct sky_http_call call;
};

static inline void app_answered(struct sky_http_call *call, const struct sky_http_reply *reply)
{
    struct app_call *asked = SKY_CONTAINER_OF(call, struct app_call, call);
    const bool json = reply->content_type != NULL && strstr(reply->content_type, "json") != NULL;
    SKY_ASSERT(asked->bench->status == 0 && reply->status >= 200 && reply->status < 600);
    asked->bench->status = reply->status;
    if (json && reply->body.len > 0)
        SKY_ASSERT(sky_json_check(reply->body, SKY_JSON_DEPTH_MAX, NULL) == SKY_OK);
}

/* Asks; whoever does not answer at once is told that nobody waits any more. Returns the status, 0
 * for those. */
static inline int app_ask(struct app_bench *bench, const char *method, sky_span path,
                          sky_span query, sky_span body)
{
    struct app_call asked = {
        .bench = bench,
        .call = {.head = {.method = sky_span_str(method),
                          .path = path,
                          .query = query,
                          .host = SKY_SPAN("localhost"),
                          .headers = SKY_SPAN("Content-Type: application/json\r\n")},
                 .body = body,
                 .on_answer = app_answered}};
    bench->status = 0;
    sky_api_take(&bench->app, &asked.call);
    if (bench->status == 0 && asked.call.on_gone != NULL)
        asked.call.on_gone(&asked.call);
    return bench->status;
}

#endif
