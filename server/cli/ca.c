/* The certificate that devices must trust: of a store, made if need be, or of a running server. */
#include <stdlib.h>

#include "auth/text.h"
#include "protocol/base/mem.h"
#include "server/cli/cli.h"
#include "server/cli/http_client.h"
#include "server/net/secure.h"
#include "server/os/clock.h"

/* As an SDK's source has it: the lines of the PEM as one literal. */
static void print_c(sky_span pem)
{
    sky_span line;

    puts("/* The authority of the skymock server that this firmware is tested against. */\n"
         "static const char skymock_ca[] =");
    while (sky_span_next(&pem, '\n', &line))
        if (line.len > 0)
            printf("    \"%.*s\\n\"%s\n", SKY_SPAN_ARGS(line), pem.len > 0 ? "" : ";");
}

/* What is between the first pair of armour lines (RFC 7468 §2). */
static bool print_der(sky_span pem)
{
    sky_span line;
    struct sky_buf digits;
    bool inside = false;

    sky_buf_init(&digits, pem.len);
    while (sky_span_next(&pem, '\n', &line) && !(inside && sky_span_starts(line, SKY_SPAN("---"))))
        if (inside)
            sky_buf_add(&digits, sky_span_trim(line));
        else
            inside = sky_span_starts(line, SKY_SPAN("-----BEGIN "));
    uint8_t *der = sky_mem_new(digits.len + 1);
    size_t len = 0;
    bool good = digits.len > 0 && sky_base64_decode(sky_buf_span(&digits), der, digits.len, &len);
    if (good)
        fwrite(der, 1, len, stdout);
    free(der);
    sky_buf_done(&digits);
    return good;
}

static int print(const struct sky_config *config, sky_span pem)
{
    if (config->as_der)
        return print_der(pem) ? SKY_EXIT_OK : sky_cli_fail("what the server shows is no PEM");
    if (config->as_c)
        print_c(pem);
    else
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
    int status = trouble != NULL ? sky_cli_fail("%s", trouble) : print(config, sky_ca_pem(ca));
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
        result = print(config, sky_buf_span(&body));
    sky_buf_done(&body);
    return result;
}

int sky_cli_ca(const struct sky_config *config)
{
    if (config->as_c && config->as_der)
        return sky_cli_fail("--c or --der: give one of them");
    char *dir = sky_ca_dir_beside(config->store);
    int status =
        dir != NULL || config->tls_cert != NULL ? print_kept(config, dir) : print_served(config);
    free(dir);
    return status;
}
