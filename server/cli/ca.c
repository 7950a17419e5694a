/* The certificate that devices must trust: of a store, made if need be, or of a running server. */
#include <stdlib.h>

#include "server/cli/cli.h"
#include "server/cli/http_client.h"
#include "server/net/secure.h"
#include "server/os/clock.h"

static int print(sky_span pem)
{
    fwrite(pem.ptr, 1, pem.len, stdout);
    return SKY_EXIT_OK;
}

/* Asks for what a server with these options would show. */
static int print_kept(const struct sky_config *config, const char *dir)
{
    struct sky_clock clock;
    sky_clock_init(&clock);
    const struct sky_ca_options options = sky_secure_ca_options(config, dir, clock.real_ms);
    sky_clock_done(&clock);
    struct sky_ca *ca = NULL;
    struct sky_why why;
    if (sky_ca_open(&options, &ca, &why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    sky_ca_prepare(ca);
    const char *trouble = sky_ca_trouble(ca);
    int status = trouble != NULL ? sky_cli_fail("%s", trouble) : print(sky_ca_pem(ca));
    sky_ca_free(ca);
    return status;
}

static int print_served(const struct sky_config *config)
{
    struct sky_buf body;
    struct sky_why why;
    int status = 0, result;
    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    if (sky_http_get(config->url, "/ca.crt", NULL, &status, &body, &why) != SKY_OK)
        result =
            sky_cli_fail("%s; or name the store whose certificate it is, with --store", why.reason);
    else if (status != 200)
        result = sky_cli_fail("%s/ca.crt answers with status %d; is this the admin listener?",
                              config->url, status);
    else
        result = print(sky_buf_span(&body));
    sky_buf_done(&body);
    return result;
}

int sky_cli_ca(const struct sky_config *config)
{
    char *dir = sky_ca_dir_beside(config->store);
    int status =
        dir != NULL || config->tls_cert != NULL ? print_kept(config, dir) : print_served(config);
    free(dir);
    return status;
}
