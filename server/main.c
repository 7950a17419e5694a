/* skymock plays the cloud for devices under test. This file only picks the subcommand. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "server/cli/cli.h"
#include "server/os/help.h"
#include "server/registry/rules.h"

struct command_row {
    const char *name, *arguments, *summary;
    enum sky_command command;
    size_t args_min, args_max;
    int (*run)(const struct sky_config *config);
};

enum { ANY = SKY_CONFIG_LIST_MAX };

static const struct command_row commands[] = {
    {"serve", "[OPTION]...",
     "play the clouds until told to stop (this is what happens without a "
     "command)",
     SKY_COMMAND_SERVE, 0, 0, sky_cli_serve},
    {"check", "PATH...", "validate fixtures: every error with file, JSON pointer and reason",
     SKY_COMMAND_CHECK, 1, ANY, sky_cli_check},
    {"sign", "CLOUD/PRODUCT/DEVICE [OPTION]...",
     "print what this device must send to log in, ready to paste", SKY_COMMAND_SIGN, 1, 1,
     sky_cli_sign},
    {"explain", "CLOUD/PRODUCT/DEVICE [OPTION]...",
     "say whether this login would be accepted, and what is wrong with it", SKY_COMMAND_EXPLAIN, 1,
     1, sky_cli_explain},
    {"rules", "[WORD]... [OPTION]...",
     "list the rules devices are held to, with their sources; with WORDs, those that have them all",
     SKY_COMMAND_RULES, 0, ANY, sky_cli_rules},
    {"verdict", "[OPTION]...",
     "ask a running server for its verdicts; exit 0 passed, 1 failed, 2 could not tell",
     SKY_COMMAND_VERDICT, 0, 0, sky_cli_verdict},
    {"exec", "[OPTION]... -- COMMAND...",
     "serve while COMMAND runs, then print the verdict; exit with the worse of both",
     SKY_COMMAND_EXEC, 1, ANY, sky_cli_exec},
    {"suite run", "NAME|FILE... --device NAME [OPTION]... [-- COMMAND...]",
     "put devices to the test, those that COMMAND plays or that are there, case by case; exit 0 "
     "passed, 1 a case failed, 2 one was not exercised",
     SKY_COMMAND_SUITE_RUN, 1, ANY, sky_cli_suite_run},
    {"suite list", "[NAME|FILE]... [OPTION]...",
     "list the device suites; with a NAME, the cases of that one", SKY_COMMAND_SUITE_LIST, 0, ANY,
     sky_cli_suite_list},
    {"events", "[OPTION]...", "print what a running server has recorded, a line an event",
     SKY_COMMAND_EVENTS, 0, 0, sky_cli_events},
    {"hosts", "[OPTION]...", "print the vendors' host names as lines of /etc/hosts, or for dnsmasq",
     SKY_COMMAND_HOSTS, 0, 0, sky_cli_hosts},
    {"ca", "[OPTION]...",
     "print the certificate that devices must trust: of a running server, or of a --store",
     SKY_COMMAND_CA, 0, 0, sky_cli_ca},
    {"healthcheck", "[OPTION]...", "exit 0 if a server answers", SKY_COMMAND_HEALTHCHECK, 0, 0,
     sky_cli_healthcheck},
};

static int print_overview(FILE *out, int status)
{
    fputs("skymock plays the cloud for IoT devices under test.\n\n", out);
    for (size_t i = 0; i < SKY_COUNT(commands); i++) {
        int column = fprintf(out, "  skymock %-12s ", commands[i].name);
        sky_help_wrap(out, (size_t)column, (size_t)column, commands[i].summary);
    }
    fputs("\nskymock COMMAND --help lists the options of a command.\n", out);
    return status;
}

static int print_help(const struct command_row *row)
{
    int column = printf("skymock %s %s: ", row->name, row->arguments);
    sky_help_wrap(stdout, (size_t)column, 4, row->summary);
    puts("");
    sky_config_help(stdout, row->command);
    return SKY_EXIT_OK;
}

/* How many of the words are the row's name, which may be two; 0: they are another's. */
static int words_of(const struct command_row *row, int argc, char **argv)
{
    sky_span rest = sky_span_str(row->name), word;
    int count = 0;

    while (sky_span_next(&rest, ' ', &word))
        if (count >= argc || !sky_span_eq_str(word, argv[count++]))
            return 0;
    return count;
}

static const struct command_row *find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < SKY_COUNT(commands); i++)
        if ((*ret_words = words_of(&commands[i], argc, argv)) > 0)
            return &commands[i];
    return NULL;
}

/* For the first word of names that have two: which seconds are there? */
static int print_verbs(int argc, char **argv)
{
    sky_span noun = sky_span_str(argv[0]), first, second;
    char verbs[64] = "";
    bool helps = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

    for (size_t i = 0; i < SKY_COUNT(commands); i++) {
        size_t len = strlen(verbs);
        if (!sky_span_cut(sky_span_str(commands[i].name), ' ', &first, &second) ||
            !sky_span_eq(first, noun))
            continue;
        snprintf(verbs + len, sizeof verbs - len, "%s%.*s", len > 0 ? " or " : "",
                 SKY_SPAN_ARGS(second));
        if (helps)
            print_help(&commands[i]);
    }
    if (helps && *verbs != '\0')
        return SKY_EXIT_OK;
    if (*verbs != '\0')
        return sky_cli_fail("usage: skymock %s %s ...; \"skymock %s --help\" says more", argv[0],
                            verbs, argv[0]);
    sky_cli_fail("%.100s: no such command", argv[0]);
    return print_overview(stderr, SKY_EXIT_TROUBLE);
}

static int run_command(const struct command_row *row, int argc, char **argv)
{
    struct sky_config config;
    struct sky_why why;
    int status;

    if (sky_config_parse(&config, row->command, argc, argv, &why) != SKY_OK)
        status = sky_cli_fail("%s", why.reason);
    else if (config.help)
        status = print_help(row);
    else if (config.args.count < row->args_min || config.args.count > row->args_max)
        status = sky_cli_fail("usage: skymock %s %s", row->name, row->arguments);
    else
        status = row->run(&config);
    sky_config_done(&config);
    if (fflush(stdout) != 0 && errno != EPIPE) /* a reader that has seen enough is no failure */
        return sky_cli_fail("writing to standard output failed");
    return status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "serve";
    struct sky_why why;
    int words;

    signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error code, not a death, */
    signal(SIGXFSZ, SIG_IGN); /* and so is a store that may not grow */
    if (sky_rules_check(&why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_overview(stdout, SKY_EXIT_OK);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0)
        return puts("skymock " SKY_VERSION) < 0;
    if (name[0] == '-' || argc < 2)
        return run_command(&commands[0], argc, argv); /* serve */
    const struct command_row *row = find_command(argc - 1, argv + 1, &words);
    if (row == NULL)
        return print_verbs(argc - 1, argv + 1);
    return run_command(row, argc - words, argv + words);
}
