/* Certificates: what devices must trust, and certificates of their own. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/os/worker.h"
#include "server/tls/ca.h"

/* A call that waits for the authority, or for a key in the making. */
struct waiting {
    struct sky_ca_waiter waiter;
    struct sky_http_call *call; /* NULL: the client has gone */
    struct sky_app *app;
    void (*go_on)(struct waiting *waiting);
    /* Issuing: */
    uv_work_t work;
    int64_t device_id;
    char name[SKY_KEY_MAX + 1];
    enum sky_key_kind kind;
    struct sky_ca_issued issued;
    struct sky_why why;
    sky_err err;
};

static void on_gone(struct sky_http_call *call)
{
    struct waiting *waiting = call->state;
    waiting->call = NULL;
    if (!waiting->waiter.waiting)
        return; /* a worker still has it */
    sky_ca_forget(waiting->app->net.ca, &waiting->waiter);
    free(waiting);
}

static void on_ready(struct sky_ca_waiter *waiter)
{
    struct waiting *waiting = SKY_CONTAINER_OF(waiter, struct waiting, waiter);
    waiting->go_on(waiting);
}

static struct waiting *keep(struct sky_api *api, void (*go_on)(struct waiting *waiting))
{
    struct waiting *waiting = sky_mem_new(sizeof *waiting);
    waiting->app = api->app;
    waiting->call = api->call;
    waiting->go_on = go_on;
    waiting->waiter.ready = on_ready;
    api->call->state = waiting;
    api->call->on_gone = on_gone;
    return waiting;
}

/* ---- the authority's certificate ---- */

static void send_ca(struct waiting *waiting)
{
    const struct sky_http_reply reply = {.status = 200,
                                         .content_type = "application/x-pem-file",
                                         .body = sky_ca_pem(waiting->app->net.ca)};
    sky_http_reply(waiting->call, &reply);
    free(waiting);
}

void sky_api_ca(struct sky_api *api)
{
    struct waiting *waiting = keep(api, send_ca);
    sky_ca_when_ready(api->app->net.ca, &waiting->waiter);
}

/* ---- a device's certificate ---- */

static void make(uv_work_t *work)
{
    sky_worker_step_back();
    struct waiting *waiting = SKY_CONTAINER_OF(work, struct waiting, work);
    waiting->err = sky_ca_issue(waiting->app->net.ca, sky_span_str(waiting->name), waiting->kind,
                                &waiting->issued, &waiting->why);
}

/* The certificate logs this device in from now on. */
static sky_err register_certificate(const struct waiting *waiting)
{
    struct sky_product product;
    struct sky_device device;
    sky_err err = sky_store_get_device(waiting->app->store, waiting->device_id, &product, &device);
    if (err != SKY_OK)
        return err;
    sky_span_copy(sky_span_str(waiting->issued.fingerprint), device.fingerprint,
                  sizeof device.fingerprint);
    return sky_store_set_device(waiting->app->store, &device);
}

static void send_certificate(const struct waiting *waiting)
{
    struct sky_buf body;
    sky_buf_init(&body, SKY_HTTP_ADMIN_BODY_MAX);
    struct sky_jw jw = sky_jw(&body);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "certificate", waiting->issued.certificate);
    sky_jw_put_str(&jw, "key", waiting->issued.key);
    sky_jw_put_span(&jw, "ca", sky_ca_pem(waiting->app->net.ca));
    sky_jw_put_str(&jw, "fingerprint", waiting->issued.fingerprint);
    sky_jw_end_object(&jw);
    sky_api_reply_json(waiting->call, 201, sky_buf_span(&body));
    sky_mem_wipe(body.bytes, body.len);
    sky_buf_done(&body);
}

static void on_made(uv_work_t *work, int status)
{
    struct waiting *waiting = SKY_CONTAINER_OF(work, struct waiting, work);
    sky_err err = status == 0 ? waiting->err : SKY_ERR_CRYPTO;
    sky_clock_tick(&waiting->app->clock, uv_now(&waiting->app->loop));
    if (err == SKY_OK && waiting->call != NULL)
        err = register_certificate(waiting);
    if (waiting->call != NULL && err == SKY_OK)
        send_certificate(waiting);
    else if (waiting->call != NULL)
        sky_api_reply_error(waiting->call, err == SKY_ERR_DENIED ? 409 : 500, sky_err_slug(err),
                            waiting->why.reason[0] != '\0' ? waiting->why.reason
                                                           : sky_err_text(err));
    if (status == 0 && waiting->err == SKY_OK)
        sky_ca_issued_done(&waiting->issued);
    free(waiting);
}

static void issue(struct waiting *waiting)
{
    uv_queue_work(&waiting->app->loop, &waiting->work, make, on_made);
}

void sky_api_device_certificate(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    const char *kind = sky_api_body_text(api, "key");
    if (!sky_api_device(api, &product, &device))
        return;
    if (kind != NULL && strcmp(kind, "ec") != 0 && strcmp(kind, "rsa") != 0) {
        sky_api_error(api, 400, "invalid", "/key", "'%s' is no kind of key; use ec or rsa", kind);
        return;
    }
    struct waiting *waiting = keep(api, issue);
    waiting->kind = kind != NULL && strcmp(kind, "rsa") == 0 ? SKY_KEY_RSA : SKY_KEY_EC;
    waiting->device_id = device.id;
    sky_span_copy(sky_span_str(device.key), waiting->name, sizeof waiting->name);
    sky_ca_when_ready(api->app->net.ca, &waiting->waiter);
}
