#include "server/app.h"

#include <stdio.h>
#include <sys/resource.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/admin/admin.h"
#include "server/broker/images.h"
#include "server/broker/kept.h"
#include "server/broker/notices.h"
#include "server/broker/presence.h"
#include "server/broker/topics.h"
#include "server/broker/upgrades.h"
#include "server/broker/waits.h"
#include "server/journal/pages.h"
#include "server/net/listen.h"
#include "server/net/secure.h"
#include "server/net/socket.h"
#include "server/os/config.h"
#include "server/os/worker.h"
#include "server/port/coap.h"
#include "server/port/http.h"
#include "server/port/ws.h"
#include "server/registry/fixture_files.h"
#include "server/registry/parties.h"
#include "server/registry/psk.h"
#include "server/registry/rules.h"
#include "store/fold.h"
#include "store/lost.h"

/* ---- what outlives the turn ---- */

static sky_err tell_lost(struct sky_app *app, struct sky_why *why)
{
    struct sky_why said;
    sky_err err = sky_store_why(app->store, &said);
    const struct sky_event_head head = {.type = SKY_EVENT_NOTE, .direction = SKY_INSIDE};
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, SKY_SPAN("state-lost")),
                                     SKY_ATTR(REASON, sky_span_str(said.reason))};
    sky_journal_add(app->journal, &head, attrs, SKY_COUNT(attrs), NULL);
    struct sky_store_lost lost;
    sky_store_lost(app->store, &lost);
    if (!app->lost_told)
        fprintf(stderr, "skymock: changes of devices were lost: %s\n", said.reason);
    app->lost_told = true;
    app->kept_then = lost.kept;
    if (why != NULL)
        *why = said;
    return err;
}

/* That was told once. */
static void tell_well(struct sky_app *app)
{
    struct sky_store_lost lost;
    if (!app->lost_told)
        return;
    sky_store_lost(app->store, &lost);
    if (lost.kept == app->kept_then)
        return;
    app->lost_told = false;
    fprintf(stderr,
            "skymock: changes of devices are kept in the store \"%s\" again; lost %llu times since "
            "the start\n",
            app->config->store, (unsigned long long)lost.batches);
}

/* Once: what comes after it is counted. */
static void tell_damage(struct sky_app *app)
{
    struct sky_why why;
    if (app->damage_told || sky_store_damage(app->store, &why) == SKY_OK)
        return;
    app->damage_told = true;
    fprintf(stderr, "skymock: %s\n", why.reason);
}

sky_err sky_app_settle(struct sky_app *app, struct sky_why *why)
{
    sky_err err = sky_store_settle(app->store);
    if (app->lost_early)
        err = SKY_ERR_STORE;
    app->lost_early = false;
    if (err != SKY_OK)
        err = tell_lost(app, why);
    else
        tell_well(app);
    tell_damage(app);
    sky_calls_settled(&app->calls, err == SKY_OK);
    return err;
}

static bool is_behind(const struct sky_app *app, size_t waiting)
{
    return waiting >= SKY_PAGE_FULL && !app->folding && !app->flush_failed;
}

/* Once for as long as it goes on. */
static void tell_flush(struct sky_app *app)
{
    struct sky_why why;
    if (app->flush_failed == app->flush_told)
        return;
    app->flush_told = app->flush_failed;
    (void)sky_store_why(app->store, &why);
    if (app->flush_failed)
        fprintf(stderr, "skymock: the journal cannot be written: %s\n", why.reason);
    else
        fprintf(stderr, "skymock: the journal is written to the store \"%s\" again\n",
                app->config->store);
}

/* Writes pages until no more than that waits, or the turn is spent. While the log of writes is
 * being folded they wait, within bounds: what is written meanwhile keeps it from beginning anew. */
static void flush_pages(struct sky_app *app, size_t may_wait)
{
    if (app->folding && may_wait < SKY_JOURNAL_WAITING_MAX)
        may_wait = SKY_JOURNAL_WAITING_MAX;
    while (!app->flush_failed && sky_journal_waiting(app->journal) > may_wait) {
        app->flush_failed = sky_journal_flush_page(app->journal) != SKY_OK;
        tell_flush(app);
        if (sky_clock_turn_is_spent(&app->clock))
            break;
    }
}

static void on_flush_journal(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_app *app = SKY_CONTAINER_OF(timer, struct sky_app, flush_timer);
    (void)now_ms;
    app->flush_failed = false;
    flush_pages(app, 0);
}

/* New events are in the store a little later, many at a time, and under a flood page by page as it
 * fills them; an idle server sleeps. */
static void follow_events(struct sky_app *app)
{
    flush_pages(app, SKY_PAGE_FULL);
    size_t waiting = sky_journal_waiting(app->journal);
    if (waiting > 0 && !sky_timer_is_set(&app->flush_timer))
        sky_clock_patience(&app->clock, &app->flush_timer,
                           is_behind(app, waiting) ? 0 : SKY_JOURNAL_FLUSH_MS, on_flush_journal);
}

static void fold_store(uv_work_t *work)
{
    sky_worker_step_back();
    sky_store_fold(SKY_CONTAINER_OF(work, struct sky_app, folding_work)->store);
}

static void on_folded(uv_work_t *work, int status)
{
    struct sky_app *app = SKY_CONTAINER_OF(work, struct sky_app, folding_work);
    (void)status;
    app->folding = false;
    sky_store_folded(app->store);
}

/* What was committed goes into the file off the loop: that waits for the disk. */
static void follow_store(struct sky_app *app)
{
    if (app->folding || !sky_store_wants_folding(app->store))
        return;
    app->folding = true;
    uv_queue_work(&app->loop, &app->folding_work, fold_store, on_folded);
}

static void warm_journal(uv_work_t *work)
{
    sky_worker_step_back();
    struct sky_app *app = SKY_CONTAINER_OF(work, struct sky_app, warming_work);
    sky_journal_warm(app->journal);
}

static void on_warm(uv_work_t *work, int status)
{
    (void)status;
    SKY_CONTAINER_OF(work, struct sky_app, warming_work)->warming = false;
}

/* Memory for the events to come, off the loop. */
static void follow_journal(struct sky_app *app)
{
    if (app->warming || !sky_journal_plan_warmth(app->journal))
        return;
    app->warming = true;
    uv_queue_work(&app->loop, &app->warming_work, warm_journal, on_warm);
}

static void on_wakeup(uv_timer_t *timer)
{
    (void)timer; /* waking the loop is all: before_poll runs what is due */
}

static void on_hurry(uv_idle_t *idle)
{
    (void)idle;
}

static void run_what_is_due(struct sky_app *app)
{
    sky_clock_update(&app->clock);
    sky_clock_run(&app->clock);
}

/* False: there is more. */
static bool send_what_was_written(struct sky_app *app)
{
    app->polled_us += sky_clock_turn_us(&app->clock);
    bool all = sky_net_flush(&app->net);
    sky_captures_turn(&app->captures);
    follow_events(app);
    follow_store(app);
    follow_journal(app);
    sky_turns_add(&app->turns, sky_clock_end_turn(&app->clock));
    return all;
}

/* In the midst of whatever it is that sends: whoever waits for the end of the turn goes on waiting.
 */
static void settle_early(void *ctx)
{
    struct sky_app *app = ctx;
    app->lost_early |= sky_store_settle(app->store) != SKY_OK;
}

/* A turn that ends while there is more of the poll: only for what cannot wait for the end of that.
 */
static void end_turn(void *ctx)
{
    struct sky_app *app = ctx;
    run_what_is_due(app);
    sky_app_settle(app, NULL);
    send_what_was_written(app);
}

/* The last turn of a poll. Then sleep until something comes or the next timer is due. */
static void before_poll(uv_prepare_t *prepare)
{
    struct sky_app *app = prepare->data;
    bool all_heard = sky_sockets_hear(&app->net);
    sky_net_admit(&app->net);
    run_what_is_due(app);
    sky_slices_run(&app->slices, &app->clock);
    sky_products_follow(&app->registry);
    sky_app_settle(app, NULL); /* before anybody is told */
    if (app->on_turn != NULL)
        app->on_turn(app->on_turn_ctx);
    app->registry.searches.count = app->registry.searches.let_in = 0;
    bool all_sent = send_what_was_written(app);
    sky_net_end_poll(&app->net, app->polled_us);
    app->polled_us = 0;
    int64_t next_ms = sky_clock_next_ms(&app->clock);
    if (next_ms >= 0)
        uv_timer_start(&app->wakeup, on_wakeup, next_ms > 0 ? (uint64_t)next_ms : 1, 0);
    else
        uv_timer_stop(&app->wakeup);
    if (all_sent && all_heard && sky_slices_are_done(&app->slices))
        uv_idle_stop(&app->hurry);
    else
        uv_idle_start(&app->hurry, on_hurry);
}

/* ---- starting ---- */

static sky_err open_policy(struct sky_app *app, struct sky_why *why)
{
    const struct sky_config *config = app->config;
    sky_rules_catalogue(config->profile, &app->registry.catalogue);
    return sky_rules_policy(config, &app->registry.catalogue, &app->registry.policy, why);
}

struct strangers {
    const char *store;
    struct sky_why *why;
    sky_err err;
};

/* A program with more clouds may have made the store: everything that comes later takes it for
 * granted that a product has its cloud. */
static bool is_played(void *ctx, const struct sky_product *product)
{
    struct strangers *strangers = ctx;
    if (sky_cloud_find(sky_span_str(product->cloud)) != NULL)
        return true;
    strangers->err = sky_why_set(strangers->why, SKY_ERR_INVALID, "",
                                 "the store \"%s\" has products of the cloud \"%s\", which this "
                                 "skymock does not play; use one that does, or another file",
                                 strangers->store, product->cloud);
    return false;
}

static sky_err open_registry(struct sky_app *app, struct sky_why *why)
{
    const struct sky_config *config = app->config;
    struct sky_fixture_result loaded;
    struct strangers strangers = {.store = config->store, .why = why};
    sky_err err = sky_store_open(config->store, &app->store, why);
    if (err == SKY_OK && sky_store_each_product(app->store, is_played, &strangers) != SKY_OK)
        err = sky_store_why(app->store, why);
    if (err == SKY_OK)
        err = strangers.err;
    if (err == SKY_OK)
        err = sky_fixture_files_are_there(config, why);
    if (err != SKY_OK || config->fixtures.count == 0)
        return err;
    return sky_fixture_files_load(app->store, &config->fixtures, &app->registry.catalogue,
                                  &app->rng, app->clock.now_ms, NULL, &loaded, why);
}

static bool may_close(void *ctx, struct sky_conn *conn, const char *reason)
{
    const struct sky_event_head head = sky_conn_event(conn, SKY_EVENT_CLOSE, SKY_INSIDE);
    return sky_wire_may_close(ctx, &head, reason);
}

static struct sky_fate fate_of(void *ctx, struct sky_conn *conn, bool handshake)
{
    struct sky_wire *wire = ctx;
    const enum sky_point point = handshake ? SKY_POINT_HANDSHAKE : SKY_POINT_ACCEPT;
    if (!sky_wire_is_armed(wire, point))
        return (struct sky_fate){0};
    enum sky_event_type type = SKY_EVENT_NOTE;
    if (handshake)
        type = conn->work->psk != NULL ? SKY_EVENT_PSK_HANDSHAKE : SKY_EVENT_TLS_HANDSHAKE;
    struct sky_event_head head = sky_conn_event(conn, type, SKY_UP);
    if (conn->work->psk != NULL)
        head.device_id = conn->work->psk->device_id; /* as it says */
    const struct sky_carrier carrier = {.conn = conn};
    struct sky_passage passage = {.point = point, .head = &head, .carrier = &carrier};
    return sky_wire_ask(wire, &passage);
}

/* Each room gets what it needs of the ones below. */
static void join_rooms(struct sky_app *app)
{
    app->registry.store = app->store;
    app->registry.journal = app->journal;
    app->registry.clock = &app->clock;
    app->registry.rng = &app->rng;
    sky_parties_watch(&app->registry);
    app->net.loop = &app->loop;
    app->net.registry = &app->registry;
    app->net.journal = app->journal;
    app->net.clock = &app->clock;
    app->net.mqtt = &app->mqtt.port;
    app->net.may_close = may_close;
    app->net.may_close_ctx = &app->wire;
    app->net.fate_of = fate_of;
    app->net.fate_ctx = &app->wire;
    app->net.end_turn = end_turn;
    app->net.end_turn_ctx = app;
    app->net.settle = settle_early;
    app->net.settle_ctx = app;
    sky_captures_init(&app->captures, &app->net, app->journal);
    app->wire.clock = &app->clock;
    app->wire.journal = app->journal;
    app->broker.registry = &app->registry;
    app->broker.wire = &app->wire;
    app->broker.net = &app->net;
    app->broker.advertise_host = app->config->advertise_host;
    app->broker.tell_gateway = sky_notice_send;
    sky_topics_init(&app->broker);
    sky_mqtt_port_init(&app->mqtt, &app->broker);
    sky_applications_init(&app->applications, &app->broker, app->config->admin_token);
    app->mqtt.applications = &app->applications;
    app->faults = sky_faults_new(&app->registry, &app->wire, &app->net);
    app->calls = (struct sky_calls){
        .broker = &app->broker, .net = &app->net, .advertise_host = app->config->advertise_host};
}

static void part_rooms(struct sky_app *app)
{
    sky_applications_done(&app->applications);
    sky_upgrades_done(&app->broker);
    sky_commands_done(&app->broker); /* whoever waited for answers has gone */
    sky_app_settle(app, NULL);
    sky_sessions_forget(&app->broker);
    sky_sessions_done(&app->registry);
    sky_parties_done(&app->registry);
    sky_topics_done(&app->broker);
    sky_faults_free(app->faults);
    sky_wire_done(&app->wire);
}

sky_err sky_app_prepare(struct sky_app *app, const struct sky_config *config, struct sky_why *why)
{
    *app = (struct sky_app){.config = config};
    sky_clock_init(&app->clock);
    sky_err err = SKY_OK;
    if (config->seeded)
        sky_rng_init_seeded(&app->rng, (uint64_t)config->seed);
    else
        err = sky_rng_init(&app->rng, why);
    if (err == SKY_OK)
        err = open_policy(app, why);
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
    if (app->journal == NULL) {
        err = sky_why_set(why, SKY_ERR_LIMIT, "",
                          "asks for %zu bytes of memory, which the system does not have; ask for "
                          "less",
                          config->journal_bytes);
        sky_app_release(app);
        return sky_config_blame(config, &config->journal_bytes, 0, err, why);
    }
    struct sky_journal_stats found;
    sky_journal_stats(app->journal, &found);
    struct sky_store_lost lost;
    sky_store_lost(app->store, &lost);
    if (lost.commits > 0)
        fprintf(stderr,
                "skymock: %llu changes of the store \"%s\" are lost: its log (%s-wal) is "
                "damaged\n",
                (unsigned long long)lost.commits, config->store, config->store);
    if (found.evicted > 0)
        fprintf(stderr,
                "skymock: %llu events in the store \"%s\" are lost: damaged, or of another "
                "version\n",
                (unsigned long long)found.evicted, config->store);
    join_rooms(app);
    err = durable ? sky_kept_open(&app->broker, why) : SKY_OK;
    if (err == SKY_OK)
        err = sky_upgrades_load(&app->broker, why);
    if (err == SKY_OK)
        sky_images_sweep(&app->broker, true);
    if (err != SKY_OK)
        sky_app_release(app);
    return err;
}

/* The last chance, with a word when it fails: nobody comes to ask any more. */
static void keep_events(struct sky_app *app)
{
    struct sky_why why;
    if (sky_journal_flush(app->journal) == SKY_OK)
        return;
    (void)sky_store_why(app->store, &why);
    fprintf(stderr, "skymock: the last events are lost: %s\n", why.reason);
}

void sky_app_release(struct sky_app *app)
{
    if (app->journal != NULL) {
        part_rooms(app);
        keep_events(app);
    }
    sky_journal_free(app->journal);
    sky_products_done(&app->registry);
    sky_store_close(app->store);
    sky_clock_done(&app->clock);
}

/* ---- the loop ---- */

static void on_signal(uv_signal_t *signal, int number)
{
    struct sky_app *app = signal->data;
    if (number != SIGHUP)
        sky_app_stop(app);
    else if (app->config->fixtures.count > 0)
        sky_fixture_reload_start(&app->reload);
    else
        fprintf(stderr, "skymock: no --fixtures were given: there is nothing to read again\n");
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

/* Whoever waits for the new devices can see in the journal that they are there. */
static void on_reloaded(struct sky_fixture_reload *reload, const struct sky_strings *errors,
                        const struct sky_fixture_result *result)
{
    struct sky_app *app = SKY_CONTAINER_OF(reload, struct sky_app, reload);
    const struct sky_event_head head = {.type = SKY_EVENT_NOTE, .direction = SKY_INSIDE};
    const char *name = errors->count > 0 ? "fixtures-refused" : "fixtures-reloaded";
    const char *first = errors->count > 0 ? errors->list[0] : "";
    const struct sky_attr attrs[] = {SKY_ATTR(NAME, sky_span_str(name)),
                                     SKY_ATTR(REASON, sky_span_str(first)),
                                     SKY_ATTR_INT(COUNT, (int64_t)errors->count)};
    sky_journal_add(app->journal, &head, attrs, errors->count > 0 ? 3 : 1, NULL);
    for (size_t i = 0; i < errors->count; i++)
        fprintf(stderr, "skymock: %s: %s\n",
                reload->written > 0 ? "fixtures are in force in part only"
                                    : "fixtures stay as they were",
                errors->list[i]);
    if (errors->count == 0)
        fprintf(stderr,
                "skymock: fixtures read again: files %zu; products added %zu, changed %zu; "
                "devices added %zu, changed %zu\n",
                result->files, result->count.products_added, result->count.products_changed,
                result->count.devices_added, result->count.devices_changed);
    sky_admin_reloaded(app, errors, result);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_loop(struct sky_app *app)
{
    uv_walk(&app->loop, close_handle, NULL);
    while (uv_run(&app->loop, UV_RUN_DEFAULT) != 0)
        continue;
    SKY_ASSERT(uv_loop_close(&app->loop) == 0);
}

/* 0, or what the system refused (libuv's number). */
static int open_loop(struct sky_app *app)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    int rc = sky_worker_try();
    if (rc == 0)
        rc = uv_loop_init(&app->loop);
    if (rc != 0)
        return rc;
    uv_timer_init(&app->loop, &app->wakeup);
    uv_prepare_init(&app->loop, &app->before_poll);
    uv_idle_init(&app->loop, &app->hurry);
    app->reload = (struct sky_fixture_reload){.loop = &app->loop,
                                              .slices = &app->slices,
                                              .registry = &app->registry,
                                              .paths = &app->config->fixtures,
                                              .reloaded = on_reloaded};
    app->before_poll.data = app;
    for (size_t i = 0; i < SKY_COUNT(numbers) && rc == 0; i++) {
        rc = uv_signal_init(&app->loop, &app->signals[i]);
        app->signals[i].data = app;
        if (rc == 0)
            rc = uv_signal_start(&app->signals[i], on_signal, numbers[i]);
    }
    if (rc != 0)
        close_loop(app);
    return rc;
}

static void close_parts(struct sky_app *app)
{
    sky_fixture_reload_close(&app->reload);
    sky_net_close_listeners(&app->net);
    sky_net_close_conns(&app->net);
    sky_coap_port_close(app->coap);
    sky_captures_close(&app->captures);
    sky_http_close(app->http);
    sky_secure_close(&app->net);
    uv_run(&app->loop, UV_RUN_NOWAIT);
    size_t lost = sky_forward_farewell(&app->forward);
    if (lost > 0)
        fprintf(stderr, "skymock: %zu messages of devices could not be forwarded in time\n", lost);
    sky_forward_close(&app->forward);
    sky_admin_free(app);
    close_loop(app);
    sky_captures_done(&app->captures);
    sky_sessions_forget(&app->broker);
    sky_coap_port_free(app->coap);
    sky_ws_close(app->ws);
    sky_net_done(&app->net);
    sky_secure_free(&app->net);
    sky_app_release(app);
}

/* What devices publish goes on to a business server, where there is one: their product's own, or
 * everybody's. */
static void on_uplink(void *ctx, const struct sky_act *act, uint64_t seq)
{
    struct sky_app *app = ctx;
    sky_span url = act->session->product->forward;
    if (url.len == 0)
        url = sky_span_str(app->config->forward);
    if (url.len > 0)
        sky_forward_uplink(&app->forward, url, act, seq);
}

static sky_err open_doors(struct sky_app *app, struct sky_why *why)
{
    const struct sky_http_handler devices = sky_calls_handler(&app->calls);
    const struct sky_http_handler admin = sky_admin_handler(app);
    app->broker.on_uplink = on_uplink;
    app->broker.on_uplink_ctx = app;
    sky_admin_open(app);
    app->http = sky_http_open(&app->net, &app->wire, &devices, &admin);
    app->net.http = sky_http_port(app->http);
    app->ws = app->calls.ws = sky_ws_open();
    sky_err err = sky_secure_open(&app->net, app->config, why);
    if (err == SKY_OK)
        err = sky_net_open(&app->net, app->config, why);
    if (err == SKY_OK)
        err = sky_coap_port_open(&app->broker, &app->net, app->config, &app->coap, why);
    if (err == SKY_OK && sky_admin_recover(app) != SKY_OK)
        err = sky_store_why(app->store, why);
    if (err == SKY_OK && app->config->capture != NULL)
        err = sky_captures_open_file(&app->captures, app->config->capture, why);
    if (err == SKY_OK)
        err = sky_net_check_room(&app->net, why);
    return err;
}

sky_err sky_app_start(struct sky_app *app, const struct sky_config *config, struct sky_why *why)
{
    raise_file_limit();
    sky_err err = sky_app_prepare(app, config, why);
    if (err != SKY_OK)
        return err;
    int rc = open_loop(app);
    if (rc != 0) {
        sky_app_release(app);
        return sky_why_set(why, SKY_ERR_IO, "",
                           "the system has no descriptors or threads left for a server: %s; raise "
                           "the limits of this user (ulimit -n, ulimit -u)",
                           uv_strerror(rc));
    }
    err = sky_forward_open(&app->forward, &app->loop, &app->clock, app->journal, config->forward_ca,
                           config->forward != NULL || config->forward_ca != NULL, why);
    if (err != SKY_OK && config->forward_ca != NULL)
        err = sky_config_blame(config, &config->forward_ca, 0, err, why);
    if (err == SKY_OK)
        err = open_doors(app, why);
    uv_prepare_start(&app->before_poll, before_poll); /* needs all that is open by now */
    if (err != SKY_OK)
        close_parts(app);
    return err;
}

/* ---- running ---- */

void sky_app_run(struct sky_app *app)
{
    while (!app->stopping)
        uv_run(&app->loop, UV_RUN_ONCE);
    close_parts(app);
}

void sky_app_stop(struct sky_app *app)
{
    app->stopping = true;
    uv_stop(&app->loop);
}
