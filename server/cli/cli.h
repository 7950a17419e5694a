/* The subcommands: each takes the parsed options and returns the exit status. Only these, and
 * main.c, write to standard output. */
#ifndef SKY_SERVER_CLI_CLI_H
#define SKY_SERVER_CLI_CLI_H

#include "protocol/cloud/cloud.h"
#include "server/os/config.h"
#include "server/os/rng.h"
#include "store/store.h"

/* Exit statuses. */
enum {
    SKY_EXIT_OK,
    SKY_EXIT_NO,      /* the answer is no: refused, failed, bad fixtures */
    SKY_EXIT_TROUBLE, /* it could not be tried: bad option, taken port, no server */
};

int sky_cli_serve(const struct sky_config *config);
int sky_cli_exec(const struct sky_config *config);
int sky_cli_check(const struct sky_config *config);
int sky_cli_sign(const struct sky_config *config);
int sky_cli_explain(const struct sky_config *config);
int sky_cli_rules(const struct sky_config *config);
int sky_cli_verdict(const struct sky_config *config);
int sky_cli_suite_run(const struct sky_config *config);
int sky_cli_suite_list(const struct sky_config *config);
int sky_cli_events(const struct sky_config *config);
int sky_cli_hosts(const struct sky_config *config);
int sky_cli_ca(const struct sky_config *config);
int sky_cli_healthcheck(const struct sky_config *config);

struct sky_app;

/* Serves until told to stop. Calls `ready` once everything is bound. Returns the exit status. */
int sky_cli_run_server(const struct sky_config *config,
                       bool (*ready)(void *ctx, struct sky_app *app), void *ctx);
/* Ports in use as a JSON object, listener name to number. */
void sky_cli_ports(const struct sky_app *app, struct sky_buf *out);
/* Into that file, unless it is NULL. Says so, and returns false, if it cannot be written. */
bool sky_cli_write_ports(const char *path, const struct sky_app *app);

/* Asks the server at `url` for the verdict of its run on config->device or config->product (NULL:
 * all), prints it, writes the reports that config names files for. Returns the exit status. */
int sky_cli_ask_verdict(const struct sky_config *config, const char *url);

/* The report of its run as a page, and how it compares with the earlier one that config->baseline
 * names: printed; returns the exit status. */
SKY_MUST_USE sky_err sky_cli_ask_page(const struct sky_config *config, const char *url,
                                      struct sky_buf *ret_page, struct sky_why *why);
int sky_cli_ask_baseline(const struct sky_config *config, const char *url, sky_span before);

/* Can the files that the configuration names for reports be written? Else it has been said. */
bool sky_cli_outputs_are_writable(const struct sky_config *config);
/* It takes its place as a whole; a pipe or a device gets what there is in the end. */
bool sky_cli_is_file(const char *path);

/* Are --device and --product names, and not both given? */
SKY_MUST_USE sky_err sky_cli_check_whom(const struct sky_config *config, struct sky_why *why);

/* Says "skymock: ..." on standard error and returns SKY_EXIT_TROUBLE. */
int sky_cli_fail(const char *fmt, ...) SKY_PRINTF(1, 2);

/* By a clock that only goes forward, in real time. */
int64_t sky_cli_now_ms(void);

/* A device and all that is needed to reason about it: a server without a network. */
struct sky_cli_device {
    struct sky_config config; /* as given, borrowed, but with the fixtures that count */
    struct sky_app *app;      /* owned; NULL: there is none */
    const struct sky_cloud *cloud;
    struct sky_product product;
    struct sky_device device;
};

/* CLOUD/PRODUCT/DEVICE into cloud, product and device; nothing is looked up. */
SKY_MUST_USE sky_err sky_cli_device_parse(const char *name, struct sky_cli_device *device,
                                          struct sky_why *why);

/* Prepares the server and finds the device that the one argument names as CLOUD/PRODUCT/DEVICE.
 * Call sky_cli_device_done() whatever the result. */
SKY_MUST_USE sky_err sky_cli_device_find(const struct sky_config *config,
                                         struct sky_cli_device *device, struct sky_why *why);
void sky_cli_device_done(struct sky_cli_device *device);

#endif
