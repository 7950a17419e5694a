#include "server/cli/cli.h"
#include "server/cli/http_client.h"

int sky_cli_healthcheck(const struct sky_config *config)
{
    struct sky_buf body;
    struct sky_why why;
    int status = 0;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err = sky_http_get(config->url, "/health", config->admin_token, &status, &body, &why);
    if (err == SKY_OK && status != 200)
        err = sky_http_refused(config->url, status, sky_buf_span(&body), &why);
    sky_buf_done(&body);
    if (err != SKY_OK)
        fprintf(stderr, "skymock: %s\n", why.reason);
    return err == SKY_OK ? SKY_EXIT_OK : SKY_EXIT_NO;
}
