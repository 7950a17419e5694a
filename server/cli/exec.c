/* `skymock exec`: a server of its own for one command, and what became of both. */
#include <errno.h>

#include "server/cli/at_hand.h"
#include "server/cli/baseline.h"
#include "server/cli/cli.h"
#include "server/cli/events.h"
#include "server/cli/process.h"

/* Returns its exit status. What it left running ends with it if it had to be ended. */
static int run_command(const struct sky_config *config)
{
    struct sky_signals signals;
    struct sky_process command;
    bool timed_out = false;

    if (!sky_signals_open(&signals) || /* the verdict comes after them */
        !sky_process_start(&command, &signals, config->args.list, true,
                           (int64_t)config->timeout_s * 1000))
        return sky_cli_fail("%s: %s", config->args.list[0], strerror(errno));
    while (sky_process_runs(&command)) {
        int number = sky_signals_await(&signals, command.due_ms);
        if (number == SIGINT || number == SIGTERM || number == SIGHUP)
            sky_process_end(&command, number);
        if (!sky_process_is_due(&command))
            continue;
        if (!command.asked) {
            timed_out = true;
            sky_cli_fail("%s was ended: it took longer than --timeout %u", config->args.list[0],
                         config->timeout_s);
        }
        sky_process_end(&command, SIGTERM);
    }
    sky_process_leave(&command);
    return timed_out ? SKY_PROCESS_TIMED_OUT : sky_process_exit(command.status);
}

static void count(void *ctx, const cJSON *event)
{
    (void)event;
    ++*(size_t *)ctx;
}

/* A verdict on nobody may be that of a device that has another server's ports built in. */
static void tell_silence(const struct sky_config *config, const struct sky_at_hand *server)
{
    static char marks[] = "connect,close,malformed,tls-handshake,psk-handshake,http-auth,"
                          "coap-request";
    struct sky_config all = *config;
    struct sky_why why;
    size_t came = 0;

    all.run = true;
    all.device = all.product = NULL;
    all.types = marks;
    if (!config->quiet &&
        sky_cli_each_event(&all, server->url, false, count, &came, &why) == SKY_OK && came == 0)
        (void)sky_cli_fail("nothing connected to this server; devices find it at %s",
                           server->doors);
}

/* The command's own failure says more than the verdict's. */
static int worse(int command, int verdict)
{
    return command != 0 ? command : verdict;
}

int sky_cli_exec(const struct sky_config *config)
{
    struct sky_at_hand server;
    struct sky_why why;

    if (sky_cli_check_whom(config, &why) != SKY_OK) /* before anything runs for nothing */
        return sky_cli_fail("%s", why.reason);
    if (!sky_cli_baseline_is_good(config) || !sky_cli_outputs_are_writable(config))
        return SKY_EXIT_TROUBLE;
    int status = sky_at_hand_start(config, &server);
    if (status != SKY_EXIT_OK)
        return status;
    status = run_command(config);
    if (*server.url == '\0') {
        status = worse(status, sky_cli_fail("no verdict: the admin listener is off"));
    } else {
        int told = sky_cli_tell_events(config, server.url);
        int verdict = sky_cli_ask_verdict(config, server.url);
        if (verdict == SKY_EXIT_TROUBLE)
            tell_silence(config, &server);
        status = worse(status, worse(verdict, told));
    }
    return worse(status, sky_at_hand_leave(&server));
}
