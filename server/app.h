/* The program as one value: it joins the rooms, and gives each the narrow context that it needs.
 * Only the admin API and the command line see it whole. */
#ifndef SKY_SERVER_APP_H
#define SKY_SERVER_APP_H

#include <uv.h>

#include "server/broker/broker.h"
#include "server/capture/captures.h"
#include "server/fault/fault.h"
#include "server/forward/forward.h"
#include "server/net/conn.h"
#include "server/os/slices.h"
#include "server/os/turns.h"
#include "server/port/applications.h"
#include "server/port/calls.h"
#include "server/port/mqtt.h"
#include "server/registry/fixture_reload.h"

struct sky_admin;
struct sky_coap_port;
struct sky_config;
struct sky_http;
struct sky_ws;

enum {
    SKY_JOURNAL_FLUSH_MS = 200,                /* about as long between an event and its page, */
    SKY_JOURNAL_WAITING_MAX = 4 * 1024 * 1024, /* but for so many bytes of them */
};

struct sky_app {
    uv_loop_t loop;
    const struct sky_config *config; /* borrowed */
    struct sky_clock clock;
    struct sky_rng rng;
    struct sky_store *store;
    struct sky_journal *journal;
    struct sky_registry registry;
    struct sky_net net;
    struct sky_captures captures;
    struct sky_wire wire;
    struct sky_faults *faults; /* NULL: there is no journal either */
    struct sky_broker broker;
    struct sky_mqtt_port mqtt;
    struct sky_applications applications;
    struct sky_coap_port *coap; /* NULL: off */
    struct sky_http *http;
    struct sky_ws *ws;
    struct sky_calls calls;
    struct sky_forward forward; /* open while the loop is */
    struct sky_admin *admin;

    uv_work_t warming_work; /* of the journal's memory */
    bool warming;
    uv_timer_t wakeup;
    uv_prepare_t before_poll;
    struct sky_turns turns;
    int64_t polled_us; /* to take in what the last poll has found took so long */
    struct sky_slices slices;
    uv_idle_t hurry; /* active while there is more to do: the loop does not sleep */
    struct sky_fixture_reload reload;
    uv_signal_t signals[3];
    /* At the end of each turn of the loop, before what was closed in it goes; NULL: nobody looks.
     */
    void (*on_turn)(void *ctx);
    void *on_turn_ctx;
    struct sky_timer flush_timer;
    bool flush_failed;      /* not to be tried again before that */
    bool lost_early;        /* something of this turn, and nobody was told yet */
    bool flush_told;        /* that it failed */
    bool damage_told;       /* of the store's file */
    bool lost_told;         /* changes of devices; until some are kept again: */
    uint64_t kept_then;     /* batches when the last was lost */
    uv_work_t folding_work; /* of the store's log */
    bool folding;
    bool stopping;
};

/* Everything but the network: clock, randomness, rules, registry with its fixtures, journal. Enough
 * to judge logins and to let effects happen. On failure nothing is left open; else the caller
 * releases. `config` must outlive the app. */
SKY_MUST_USE sky_err sky_app_prepare(struct sky_app *app, const struct sky_config *config,
                                     struct sky_why *why);
void sky_app_release(struct sky_app *app);

/* Prepares, opens the loop, binds every listener. On failure nothing is left open and
 * `why` says what to do. `config` must outlive the app. */
SKY_MUST_USE sky_err sky_app_start(struct sky_app *app, const struct sky_config *config,
                                   struct sky_why *why);
/* Runs until SIGTERM, SIGINT or sky_app_stop(); then closes everything in order. */
void sky_app_run(struct sky_app *app);
void sky_app_stop(struct sky_app *app);

/* Makes what devices and clouds changed durable. On failure some of it is undone: recorded, told on
 * stderr, and `why` (which may be NULL) says what the store said. */
sky_err sky_app_settle(struct sky_app *app, struct sky_why *why);

#endif
