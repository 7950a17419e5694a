/* The fixtures read again at the wish of the API, which is told what came of it. */
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"

enum {
    WAITS_MAX = 100,
    ERRORS_SHOWN = 20, /* lines of what is wrong */
    MESSAGE_MAX = 16 * 1024,
};

/* A call that waits for a reading which began after it came. */
struct sky_reload_wait {
    struct sky_admin *admin;
    struct sky_http_call *call;
    uint64_t run;
    struct sky_reload_wait *prev, *next;
};

static void drop(struct sky_reload_wait *wait)
{
    DL_DELETE(wait->admin->reloads, wait);
    free(wait);
}

static void on_gone(struct sky_http_call *call)
{
    drop(call->state);
}

static void answer_counts(struct sky_http_call *call, const struct sky_fixture_result *result)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    sky_buf_init(&out, MESSAGE_MAX);
    sky_jw_object(&jw);
    sky_jw_put_int(&jw, "files", (int64_t)result->files);
    sky_jw_put_int(&jw, "productsAdded", (int64_t)result->count.products_added);
    sky_jw_put_int(&jw, "productsChanged", (int64_t)result->count.products_changed);
    sky_jw_put_int(&jw, "devicesAdded", (int64_t)result->count.devices_added);
    sky_jw_put_int(&jw, "devicesChanged", (int64_t)result->count.devices_changed);
    sky_jw_end_object(&jw);
    sky_api_reply_json(call, 200, sky_buf_span(&out));
    sky_buf_done(&out);
}

/* The fixtures are checked before the first is written: that something is written and something not
 * is the store's fault. */
static void answer_errors(struct sky_http_call *call, const struct sky_fixture_reload *reload,
                          const struct sky_strings *errors)
{
    struct sky_buf text;
    bool in_part = reload->written > 0;
    sky_buf_init(&text, MESSAGE_MAX);
    sky_buf_add_str(&text,
                    in_part ? "fixtures are in force in part only" : "fixtures stay as they were");
    for (size_t i = 0; i < errors->count && i < ERRORS_SHOWN; i++)
        sky_buf_addf(&text, "\n%.700s", errors->list[i]);
    if (errors->count > ERRORS_SHOWN)
        sky_buf_addf(&text, "\nand %zu more", errors->count - ERRORS_SHOWN);
    sky_buf_add_byte(&text, '\0');
    sky_api_reply_error(call, in_part ? 500 : 422, in_part ? "store" : "invalid", text.bytes);
    sky_buf_done(&text);
}

void sky_admin_reloaded(struct sky_app *app, const struct sky_strings *errors,
                        const struct sky_fixture_result *result)
{
    struct sky_reload_wait *wait, *next;
    DL_FOREACH_SAFE (app->admin->reloads, wait, next) {
        if (wait->run > app->reload.run)
            continue;
        struct sky_http_call *call = wait->call;
        drop(wait);
        if (errors->count > 0)
            answer_errors(call, &app->reload, errors);
        else
            answer_counts(call, result);
    }
}

void sky_api_reload(struct sky_api *api)
{
    struct sky_app *app = api->app;
    struct sky_reload_wait *wait;
    size_t count;
    if (app->config->fixtures.count == 0) {
        sky_api_error(api, 409, "conflict", "",
                      "no --fixtures were given: there is nothing to read again");
        return;
    }
    DL_COUNT(app->admin->reloads, wait, count);
    if (count >= WAITS_MAX) {
        sky_api_error(api, 503, "busy", "", "%d calls wait for the fixtures already", WAITS_MAX);
        return;
    }
    wait = sky_mem_new(sizeof *wait);
    *wait = (struct sky_reload_wait){
        .admin = app->admin, .call = api->call, .run = sky_fixture_reload_start(&app->reload)};
    DL_APPEND(app->admin->reloads, wait);
    api->call->state = wait;
    api->call->on_gone = on_gone;
}
