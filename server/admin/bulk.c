#include "server/admin/bulk.h"

#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/os/worker.h"

/* A request behind the act. */
struct waiting {
    struct sky_bulk *bulk;
    struct sky_http_call *call;
    struct waiting *prev, *next;
};

struct sky_bulk {
    struct sky_app *app;
    struct sky_slice slice;   /* listed while there is something to do on the loop, */
    bool listed, stepping;    /* or at it */
    struct sky_bulk_act *act; /* NULL: none is going on */
    struct waiting *waiting;  /* the longest first; empty when none is going on, but for a moment */
};

/* ---- from start to end ---- */

static void hurry(struct sky_bulk *bulk)
{
    if (bulk->listed || bulk->stepping)
        return;
    bulk->listed = true;
    sky_slices_add(&bulk->app->slices, &bulk->slice);
}

static void on_gone(struct sky_http_call *call)
{
    ((struct sky_bulk_act *)call->state)->call = NULL;
}

/* With what a failure leaves behind: each slice stands for itself. */
static void say_in_part(struct sky_why *why, sky_err err)
{
    struct sky_why whole;
    (void)sky_why_set(&whole, err, why->pointer,
                      "%.300s; some of it is done: ask for the same again, that is safe",
                      why->reason[0] != '\0' ? why->reason : sky_err_text(err));
    *why = whole;
}

static void tell(struct sky_bulk_act *act, struct sky_api *api, sky_err err,
                 const struct sky_why *why)
{
    if (act->kind->answer != NULL)
        act->kind->answer(act, api, err, why);
    else if (err != SKY_OK)
        sky_api_fail(api, err, why);
    else
        sky_api_send(api, 204);
}

/* In a request of its own: that which began the act is over. */
static void answer(struct sky_bulk_act *act, sky_err err, const struct sky_why *why)
{
    struct sky_http_call *call = act->call;
    if (call == NULL)
        return;
    struct sky_api api = {.call = call, .app = act->app};
    call->state = NULL;
    call->on_gone = NULL;
    act->call = NULL;
    sky_buf_init(&api.out, SKY_HTTP_ANSWER_MAX);
    api.jw = sky_jw(&api.out);
    tell(act, &api, err, why);
    sky_buf_done(&api.out);
}

static void end(struct sky_bulk *bulk, sky_err err, struct sky_why *why)
{
    struct sky_bulk_act *act = bulk->act;
    if (err == SKY_OK && act->kind->done != NULL)
        act->kind->done(act);
    else if (err != SKY_OK && act->in_part)
        say_in_part(why, err);
    if (act->holds)
        bulk->app->registry.hold = (struct sky_hold){.on = false};
    bulk->act = NULL;
    answer(act, err, why);
    act->kind->free(act);
}

/* ---- slices ---- */

static void do_slice(struct sky_bulk *bulk)
{
    struct sky_bulk_act *act = bulk->act;
    struct sky_why why = {0};
    sky_store_batch(bulk->app->store);
    sky_err err = act->kind->step(act, &why);
    if (err == SKY_ERR_STORE && why.reason[0] == '\0')
        sky_store_why(bulk->app->store, &why);
    sky_err kept = sky_app_settle(bulk->app, &why);
    if (kept != SKY_OK)
        err = kept;
    if (err != SKY_OK)
        end(bulk, err == SKY_ERR_NOT_FOUND ? SKY_OK : err, &why);
}

static void take_next(struct sky_bulk *bulk)
{
    struct waiting *first = bulk->waiting;
    struct sky_http_call *call = first->call;
    DL_DELETE(bulk->waiting, first);
    free(first);
    call->state = NULL;
    call->on_gone = NULL;
    sky_api_take(bulk->app, call);
}

static bool is_prepared(const struct sky_bulk_act *act)
{
    return act->work.data == NULL;
}

static bool step(struct sky_slice *slice)
{
    struct sky_bulk *bulk = SKY_CONTAINER_OF(slice, struct sky_bulk, slice);
    bulk->listed = false;
    bulk->stepping = true;
    if (bulk->act == NULL && bulk->waiting != NULL)
        take_next(bulk);
    else if (bulk->act != NULL && is_prepared(bulk->act))
        do_slice(bulk);
    bulk->stepping = false;
    bulk->listed = bulk->act != NULL ? is_prepared(bulk->act) : bulk->waiting != NULL;
    return bulk->listed;
}

/* ---- off the loop ---- */

static void prepare(uv_work_t *work)
{
    struct sky_bulk_act *act = SKY_CONTAINER_OF(work, struct sky_bulk_act, work);
    sky_worker_step_back();
    act->err = act->kind->prepare(act, &act->why);
}

static void on_prepared(uv_work_t *work, int status)
{
    struct sky_bulk_act *act = SKY_CONTAINER_OF(work, struct sky_bulk_act, work);
    struct sky_bulk *bulk = work->data;
    (void)status;
    work->data = NULL;
    if (act->abandoned) {
        act->kind->free(act);
        return;
    }
    sky_clock_tick(&bulk->app->clock, uv_now(&bulk->app->loop));
    if (act->err != SKY_OK)
        end(bulk, act->err, &act->why);
    hurry(bulk);
}

/* ---- asking ---- */

static void begin(struct sky_bulk *bulk, struct sky_bulk_act *act)
{
    SKY_ASSERT(bulk->act == NULL);
    bulk->act = act;
    act->app = bulk->app;
    if (act->holds)
        bulk->app->registry.hold = (struct sky_hold){.on = true, .product_id = act->held_product};
    if (act->kind->prepare == NULL) {
        hurry(bulk);
        return;
    }
    act->work.data = bulk;
    act->now_ms = bulk->app->clock.now_ms;
    uv_queue_work(&bulk->app->loop, &act->work, prepare, on_prepared);
}

void sky_bulk_begin(struct sky_app *app, struct sky_bulk_act *act)
{
    begin(app->admin->bulk, act);
}

static sky_err do_at_once(struct sky_bulk_act *act, struct sky_why *why)
{
    struct sky_store *store = act->app->store;
    sky_err err = sky_store_begin(store);
    if (err != SKY_OK)
        return sky_store_why(store, why);
    while (err == SKY_OK)
        err = act->kind->step(act, why);
    if (err == SKY_ERR_NOT_FOUND && (err = sky_store_commit(store)) != SKY_OK)
        return sky_store_why(store, why);
    if (err == SKY_OK)
        return SKY_OK;
    if (err == SKY_ERR_STORE && why->reason[0] == '\0')
        sky_store_why(store, why);
    sky_store_rollback(store);
    return err;
}

void sky_bulk_do(struct sky_api *api, struct sky_bulk_act *act, bool few)
{
    struct sky_why why = {0};
    act->app = api->app;
    act->at_once = few;
    if (few) {
        sky_err err = do_at_once(act, &why);
        if (err == SKY_OK && act->kind->done != NULL)
            act->kind->done(act);
        tell(act, api, err, &why);
        act->kind->free(act);
        return;
    }
    act->call = api->call;
    api->call->state = act;
    api->call->on_gone = on_gone;
    begin(api->app->admin->bulk, act);
}

/* ---- behind one ---- */

static void on_waiting_gone(struct sky_http_call *call)
{
    struct waiting *waiting = call->state;
    DL_DELETE(waiting->bulk->waiting, waiting);
    free(waiting);
}

bool sky_bulk_waits(const struct sky_api *api)
{
    struct sky_bulk *bulk = api->app->admin->bulk;
    bool reads = strcmp(api->route->method, "GET") == 0 || api->raw != NULL;
    if (reads || (bulk->act == NULL && (bulk->waiting == NULL || bulk->stepping)))
        return false;
    struct waiting *waiting = sky_mem_new(sizeof *waiting);
    *waiting = (struct waiting){.bulk = bulk, .call = api->call};
    DL_APPEND(bulk->waiting, waiting);
    api->call->state = waiting;
    api->call->on_gone = on_waiting_gone;
    return true;
}

/* ---- opening ---- */

struct sky_bulk *sky_bulk_open(struct sky_app *app)
{
    struct sky_bulk *bulk = sky_mem_new(sizeof *bulk);
    *bulk = (struct sky_bulk){.app = app, .slice = {.step = step}};
    return bulk;
}

void sky_bulk_close(struct sky_bulk *bulk)
{
    SKY_ASSERT(bulk->waiting == NULL); /* they have gone with their connections */
    if (bulk->listed)
        sky_slices_remove(&bulk->app->slices, &bulk->slice);
    if (bulk->act != NULL && !is_prepared(bulk->act))
        bulk->act->abandoned = true;
    else if (bulk->act != NULL)
        bulk->act->kind->free(bulk->act);
    free(bulk);
}
