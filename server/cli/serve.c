#include <stdlib.h>

#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "server/app.h"
#include "server/cli/cli.h"
#include "server/cli/refusals.h"
#include "server/os/files.h"

enum { PORTS_MAX = 4096 };

void sky_cli_ports(const struct sky_app *app, struct sky_buf *out)
{
    struct sky_jw jw = sky_jw(out);

    sky_jw_object(&jw);
    for (size_t i = 0; i < app->net.listener_count; i++)
        sky_jw_put_int(&jw, app->net.listeners[i].row->name, app->net.listeners[i].port);
    sky_jw_end_object(&jw);
}

bool sky_cli_write_ports(const char *path, const struct sky_app *app)
{
    struct sky_buf ports;
    struct sky_why why;

    if (path == NULL)
        return true;
    sky_buf_init(&ports, PORTS_MAX);
    sky_cli_ports(app, &ports);
    sky_buf_add_byte(&ports, '\n');
    sky_err err = sky_files_write(path, 0644, sky_buf_span(&ports), &why);
    sky_buf_done(&ports);
    if (err != SKY_OK)
        sky_cli_fail("--ports-file %s", why.reason);
    return err == SKY_OK;
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

/* The admin API reads and changes everything. */
static void warn_open_admin(const struct sky_config *config, const struct sky_app *app)
{
    for (size_t i = 0; config->admin_token == NULL && i < app->net.listener_count; i++) {
        const struct sky_listener *listener = &app->net.listeners[i];
        if ((listener->row->allows & SKY_LISTEN_ADMIN) && !is_loopback(listener->host))
            fprintf(stderr,
                    "skymock: the admin API on %s is open to everyone who reaches it; "
                    "--admin-token closes it\n",
                    listener->host);
    }
}

static bool see_product(void *ctx, const struct sky_product *product)
{
    (void)product;
    *(bool *)ctx = true;
    return false;
}

/* Every login would be refused. */
static void warn_no_products(const struct sky_app *app)
{
    bool any = false;

    if (sky_store_each_product(app->store, see_product, &any) == SKY_OK && !any)
        fputs("skymock: no products: give --fixtures or POST /api/v1/products\n", stderr);
}

struct serving {
    const struct sky_config *config;
    struct sky_cli_refusals refusals;
};

static bool announce(void *ctx, struct sky_app *app)
{
    struct serving *serving = ctx;
    const struct sky_config *config = serving->config;

    if (!sky_cli_write_ports(config->ports_file, app))
        return false;
    warn_open_admin(config, app);
    if (!config->quiet && config->log_level >= SKY_LOG_WARNING) {
        warn_no_products(app);
        sky_cli_refusals_open(&serving->refusals, app);
    }
    fputs("skymock is ready:", stdout);
    for (size_t i = 0; i < app->net.listener_count; i++) {
        const struct sky_listener *listener = &app->net.listeners[i];
        printf(strchr(listener->host, ':') != NULL ? " %s=[%s]:%u" : " %s=%s:%u",
               listener->row->name, listener->host, listener->port);
    }
    puts("");
    return fflush(stdout) == 0;
}

int sky_cli_run_server(const struct sky_config *config,
                       bool (*ready)(void *ctx, struct sky_app *app), void *ctx)
{
    struct sky_app *app = sky_mem_new(sizeof *app);
    struct sky_why why;
    int status = SKY_EXIT_OK;

    if (sky_app_start(app, config, &why) != SKY_OK) {
        status = sky_cli_fail("%s", why.reason);
    } else {
        if (!ready(ctx, app)) {
            status = SKY_EXIT_TROUBLE;
            sky_app_stop(app);
        }
        sky_app_run(app);
    }
    free(app);
    return status;
}

int sky_cli_serve(const struct sky_config *config)
{
    struct serving *serving = sky_mem_new(sizeof *serving);
    serving->config = config;
    int status = sky_cli_run_server(config, announce, serving);
    free(serving);
    return status;
}
