/* The program as one value: loop, clock, registry, journal, sessions, doors. Whoever needs more
 * than one part gets the whole; parts that need nothing of it do not see it. */
#ifndef SKY_SERVER_APP_H
#define SKY_SERVER_APP_H

#include <uv.h>

#include "protocol/base/rule.h"
#include "protocol/cloud/cloud.h"
#include "server/broker/broker.h"
#include "server/broker/commands.h"
#include "server/journal/journal.h"
#include "server/net/front.h"
#include "server/os/clock.h"
#include "server/os/rng.h"
#include "server/port/calls.h"
#include "server/registry/refusal.h"
#include "server/registry/sessions.h"
#include "server/tls/ca.h"
#include "store/store.h"

struct sky_admin;
struct sky_config;
struct sky_http;
struct sky_ws;
struct sky_tls_server;
struct sky_coap_port;

enum {
    SKY_JOURNAL_FLUSH_MS = 200,     /* at most this long between an event and its page */
    SKY_CLOSE_LINGER_MS = 2 * 1000, /* a closing peer may take this long to read the rest */
};

struct sky_app {
    uv_loop_t loop;
    const struct sky_config *config; /* borrowed */
    struct sky_clock clock;          /* virtual time: what devices and clouds live by */
    struct sky_timerq patience;      /* real time: limits on peers that stall */
    struct sky_rng rng;
    struct sky_catalogue catalogue;
    struct sky_policy policy;
    enum sky_profile profile;
    struct sky_store *store;
    struct sky_journal *journal;
    struct sky_sessions sessions;
    struct sky_broker broker;
    struct sky_commands commands;
    struct sky_searches searches;
    struct sky_calls calls;
    struct sky_front front;
    struct sky_effects effects; /* scratch for the act at hand */
    struct sky_http *http;
    struct sky_ws *ws;
    struct sky_admin *admin;
    struct sky_ca *ca;
    struct sky_ca_waiter certificates; /* until they are made and kept */
    struct sky_tls_server *tls;
    struct sky_coap_port *coap; /* NULL: off */

    uv_work_t warming; /* of the journal's memory */
    uv_timer_t wakeup;
    uv_prepare_t before_poll;
    uv_signal_t signals[2];
    struct sky_timer flush_timer;
    uint64_t flushed_seq; /* the journal is in the store up to here */
    uint64_t turn_ms;     /* uv_now() of the last clock reading */
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

/* Reads the clock if the loop has turned since. Every callback of the loop begins with it. */
void sky_app_tick(struct sky_app *app);

/* A timer in real time, for limits on peers; sky_timerq_cancel(&app->patience, ...) ends it. */
void sky_app_patience(struct sky_app *app, struct sky_timer *timer, int64_t in_ms,
                      sky_timer_fn *fire);

#endif
