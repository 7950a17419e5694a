#include "server/app.h"

#include <stdio.h>
#include <sys/resource.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/admin/admin.h"
#include "server/cli/cli.h"
#include "server/judge/rules.h"
#include "server/net/secure.h"
#include "server/os/config.h"
#include "server/os/worker.h"
#include "server/port/coap.h"
#include "server/port/http.h"
#include "server/port/ws.h"
#include "server/registry/fixture_files.h"

/* ---- time ---- */

void sky_app_tick(struct sky_app *app)
{
    uint64_t turn_ms = uv_now(&app->loop);
    if (turn_ms == app->turn_ms)
        return;
    app->turn_ms = turn_ms;
    sky_clock_update(&app->clock);
}

void sky_app_patience(struct sky_app *app, struct sky_timer *timer, int64_t in_ms,
                      sky_timer_fn *fire)
{
    sky_timerq_set(&app->patience, timer, app->clock.real_ms + in_ms, fire);
}

/* ---- what outlives the turn ---- */

static sky_err tell_lost(struct sky_app *app, struct sky_why *why)
{
    struct sky_why said;
    sky_err err = sky_store_why(app->store, &said);
    const struct sky_event_head head = {.type = SKY_EVENT_NOTE, .direction = SKY_INSIDE};
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, SKY_SPAN("state-lost")),
                                     SKY_ATTR(REASON, sky_span_str(said.reason))};
    sky_journal_add(app->journal, &head, attrs, SKY_COUNT(attrs), NULL);
    fprintf(stderr, "skymock: changes of devices were lost: %s\n", said.reason);
    if (why != NULL)
        *why = said;
    return err;
}

sky_err sky_app_settle(struct sky_app *app, struct sky_why *why)
{
    sky_err err = sky_store_settle(app->store);
    if (err != SKY_OK)
        err = tell_lost(app, why);
    sky_calls_settled(app, err == SKY_OK);
    return err;
}

static void on_flush_journal(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_app *app = SKY_CONTAINER_OF(timer, struct sky_app, flush_timer);
    struct sky_journal_stats stats;
    (void)now_ms;
    sky_app_settle(app, NULL);
    if (sky_journal_flush(app->journal) != SKY_OK)
        fprintf(stderr, "skymock: the journal could not be written to the store\n");
    sky_journal_stats(app->journal, &stats);
    app->flushed_seq = stats.last_seq;
}

/* New events are in the store a little later, many at a time; an idle server sleeps. */
static void schedule_flush(struct sky_app *app)
{
    struct sky_journal_stats stats;
    sky_journal_stats(app->journal, &stats);
    if (stats.last_seq != app->flushed_seq && !sky_timer_is_set(&app->flush_timer))
        sky_app_patience(app, &app->flush_timer, SKY_JOURNAL_FLUSH_MS, on_flush_journal);
}

static void on_wakeup(uv_timer_t *timer)
{
    (void)timer; /* waking the loop is all: before_poll runs what is due */
}

/* The end of a turn: run what is due, send what was written, sleep until the next timer. */
static void before_poll(uv_prepare_t *prepare)
{
    struct sky_app *app = prepare->data;
    sky_clock_update(&app->clock);
    int64_t next_ms = sky_clock_run(&app->clock);
    sky_timerq_run(&app->patience, app->clock.real_ms);
    sky_sessions_follow(app);
    sky_app_settle(app, NULL); /* before anybody is told */
    sky_front_flush(app);
    if (app->journal != NULL)
        schedule_flush(app);
    if (app->patience.count > 0) {
        int64_t patience_ms = sky_timerq_next_ms(&app->patience) - app->clock.real_ms;
        if (next_ms < 0 || patience_ms < next_ms)
            next_ms = patience_ms;
    }
    if (next_ms >= 0)
        uv_timer_start(&app->wakeup, on_wakeup, next_ms > 0 ? (uint64_t)next_ms : 1, 0);
    else
        uv_timer_stop(&app->wakeup);
}

/* ---- starting ---- */

static sky_err open_policy(struct sky_app *app, struct sky_why *why)
{
    const struct sky_config *config = app->config;
    sky_rules_catalogue(&app->catalogue);
    app->profile = config->profile;
    return sky_cli_policy(config, &app->catalogue, &app->policy, why);
}

static sky_err open_registry(struct sky_app *app, struct sky_why *why)
{
    const struct sky_config *config = app->config;
    struct sky_fixture_result loaded;
    sky_err err = sky_store_open(config->store, &app->store, why);
    if (err != SKY_OK || config->fixtures.count == 0)
        return err;
    return sky_fixture_files_load(app->store, &config->fixtures, &app->catalogue, &app->rng,
                                  app->clock.now_ms, NULL, &loaded, why);
}

sky_err sky_app_prepare(struct sky_app *app, const struct sky_config *config, struct sky_why *why)
{
    *app = (struct sky_app){.config = config};
    sky_clock_init(&app->clock);
    sky_timerq_init(&app->patience);
    sky_effects_init(&app->effects);
    sky_sessions_init(&app->sessions);
    sky_broker_init(&app->broker);
    if (config->seeded)
        sky_rng_init_seeded(&app->rng, (uint64_t)config->seed);
    else
        sky_rng_init(&app->rng);
    sky_err err = open_policy(app, why);
    if (err == SKY_OK)
        err = open_registry(app, why);
    if (err != SKY_OK) {
        sky_app_release(app);
        return err;
    }
    /* A store in memory would only hold a second copy of what the ring has. */
    bool durable = strcmp(config->store, ":memory:") != 0;
    app->journal = sky_journal_new(config->journal_bytes, config->journal_events,
                                   durable ? app->store : NULL, &app->clock);
    return SKY_OK;
}

void sky_app_release(struct sky_app *app)
{
    sky_commands_done(app); /* whoever waited for answers has gone */
    if (app->journal != NULL)
        sky_app_settle(app, NULL);
    sky_journal_free(app->journal);
    sky_sessions_done(app);
    sky_broker_done(&app->broker);
    sky_effects_done(&app->effects);
    sky_store_close(app->store);
    sky_timerq_done(&app->patience);
    sky_clock_done(&app->clock);
}

/* ---- the loop ---- */

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    sky_app_stop(signal->data);
}

/* Every device is a file descriptor: as many as the system lets us have. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void open_loop(struct sky_app *app)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    SKY_ASSERT(uv_loop_init(&app->loop) == 0);
    uv_timer_init(&app->loop, &app->wakeup);
    uv_prepare_init(&app->loop, &app->before_poll);
    app->before_poll.data = app;
    for (size_t i = 0; i < SKY_COUNT(numbers); i++) {
        uv_signal_init(&app->loop, &app->signals[i]);
        app->signals[i].data = app;
        uv_signal_start(&app->signals[i], on_signal, numbers[i]);
    }
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_parts(struct sky_app *app)
{
    sky_front_close(app);
    sky_coap_port_close(app);
    sky_http_close(app);
    sky_secure_close(app);
    uv_run(&app->loop, UV_RUN_NOWAIT);
    sky_admin_free(app);
    uv_walk(&app->loop, close_handle, NULL);
    while (uv_run(&app->loop, UV_RUN_DEFAULT) != 0)
        continue;
    SKY_ASSERT(uv_loop_close(&app->loop) == 0);
    sky_ws_close(app);
    sky_coap_port_free(app);
    sky_front_done(app);
    sky_secure_free(app);
    sky_app_release(app);
}

static sky_err open_doors(struct sky_app *app, struct sky_why *why)
{
    sky_admin_open(app);
    sky_http_open(app, &sky_admin_handler, &sky_calls_handler);
    sky_err err = sky_ws_open(app, why);
    if (err == SKY_OK)
        err = sky_secure_open(app, why);
    if (err == SKY_OK)
        err = sky_front_open(app, why);
    if (err == SKY_OK)
        err = sky_coap_port_open(app, why);
    return err;
}

static void warm_journal(uv_work_t *work)
{
    sky_worker_step_back();
    struct sky_app *app = SKY_CONTAINER_OF(work, struct sky_app, warming);
    sky_journal_warm(app->journal);
}

sky_err sky_app_start(struct sky_app *app, const struct sky_config *config, struct sky_why *why)
{
    raise_file_limit();
    sky_err err = sky_app_prepare(app, config, why);
    if (err != SKY_OK)
        return err;
    open_loop(app);
    err = open_doors(app, why);
    uv_prepare_start(&app->before_poll, before_poll); /* needs all that is open by now */
    if (err != SKY_OK)
        close_parts(app);
    return err;
}

/* ---- running ---- */

void sky_app_run(struct sky_app *app)
{
    /* Takes longer than all the rest of the start, so devices are welcome before it. */
    uv_queue_work(&app->loop, &app->warming, warm_journal, NULL);
    while (!app->stopping)
        uv_run(&app->loop, UV_RUN_ONCE);
    close_parts(app);
}

void sky_app_stop(struct sky_app *app)
{
    app->stopping = true;
    uv_stop(&app->loop);
}
