/* skymock plays the cloud for devices under test. This file only picks the subcommand. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "protocol/base/similar.h"
#include "server/cli/cli.h"
#include "server/os/help.h"
#include "server/registry/rules.h"

struct command_row {
    const char *name, *arguments, *summary, *example;
    enum sky_command command;
    size_t args_min, args_max;
    int (*run)(const struct sky_config *config);
};

enum { ANY = SKY_CONFIG_LIST_MAX };

static const struct command_row commands[] = {
    {"serve", "[OPTION]...",
     "play the clouds until told to stop (this is what happens without a "
     "command)",
     "skymock --fixtures fixtures --ports-file ports.json", SKY_COMMAND_SERVE, 0, 0, sky_cli_serve},
    {"check", "PATH...",
     "validate fixtures and device suites: every error with file, JSON pointer and reason; exit 1 "
     "if there is any",
     "skymock check fixtures my-suite.json", SKY_COMMAND_CHECK, 1, ANY, sky_cli_check},
    {"sign", "CLOUD/PRODUCT/DEVICE [OPTION]...",
     "print what this device must send to log in, ready to paste",
     "skymock sign CLOUD/PRODUCT/DEVICE --tls", SKY_COMMAND_SIGN, 1, 1, sky_cli_sign},
    {"explain", "CLOUD/PRODUCT/DEVICE [OPTION]...",
     "say whether this login would be accepted, and what is wrong with it; exit 0 accepted, 1 "
     "refused",
     "skymock explain CLOUD/PRODUCT/DEVICE -i CLIENT-ID -u USERNAME -P PASSWORD",
     SKY_COMMAND_EXPLAIN, 1, 1, sky_cli_explain},
    {"rules", "[WORD]... [OPTION]...",
     "list the rules devices are held to, with their sources; with WORDs, those that have them all",
     "skymock rules keepalive error", SKY_COMMAND_RULES, 0, ANY, sky_cli_rules},
    {"verdict", "[OPTION]...",
     "ask a running server for its verdicts; exit 0 passed, 1 failed, 2 could not tell",
     "skymock verdict --product CLOUD/PRODUCT --junit report.xml", SKY_COMMAND_VERDICT, 0, 0,
     sky_cli_verdict},
    {"exec", "[OPTION]... -- COMMAND...",
     "serve while COMMAND runs, then print the verdict; exit with COMMAND's status or, if that is "
     "0, the verdict's: 0 passed, 1 failed, 2 could not tell",
     "skymock exec --fixtures fixtures --junit report.xml -- ./firmware", SKY_COMMAND_EXEC, 1, ANY,
     sky_cli_exec},
    {"suite run", "NAME|FILE... --device NAME [OPTION]... [-- COMMAND...]",
     "put devices to the test, those that COMMAND plays or that are there, case by case; exit 0 "
     "passed, 1 a case failed, 2 one was not exercised",
     "skymock suite run smoke --device CLOUD/PRODUCT/DEVICE -- ./firmware", SKY_COMMAND_SUITE_RUN,
     1, ANY, sky_cli_suite_run},
    {"suite list", "[NAME|FILE]... [OPTION]...",
     "list the device suites; with a NAME, the cases of that one", "skymock suite list smoke",
     SKY_COMMAND_SUITE_LIST, 0, ANY, sky_cli_suite_list},
    {"events", "[OPTION]...", "print what a running server has recorded, a line an event",
     "skymock events --follow --type connect,connack", SKY_COMMAND_EVENTS, 0, 0, sky_cli_events},
    {"hosts", "[OPTION]...", "print the vendors' host names as lines of /etc/hosts, or for dnsmasq",
     "skymock hosts --fixtures fixtures --ip 192.168.1.10", SKY_COMMAND_HOSTS, 0, 0, sky_cli_hosts},
    {"ca", "[OPTION]...",
     "print the certificate that devices must trust: of a running server, or of a --store",
     "skymock ca --c >skymock_ca.h", SKY_COMMAND_CA, 0, 0, sky_cli_ca},
    {"healthcheck", "[OPTION]...", "exit 0 if a server answers, 1 if none does",
     "skymock healthcheck --url http://127.0.0.1:8080", SKY_COMMAND_HEALTHCHECK, 0, 0,
     sky_cli_healthcheck},
};

static int print_overview(void)
{
    fputs("skymock plays the cloud for IoT devices under test.\n\n", stdout);
    for (size_t i = 0; i < SKY_COUNT(commands); i++) {
        int column = printf("  skymock %-12s ", commands[i].name);
        sky_help_wrap(stdout, (size_t)column, (size_t)column, commands[i].summary);
    }
    fputs("\nskymock COMMAND --help, or skymock help COMMAND, lists the options of a command.\n"
          "skymock version says which one this is.\n",
          stdout);
    return SKY_EXIT_OK;
}

static int print_help(const struct command_row *row)
{
    int column = printf("usage: skymock %s ", row->name);
    sky_help_wrap(stdout, (size_t)column, 4, row->arguments);
    puts("");
    sky_help_wrap(stdout, 0, 0, row->summary);
    printf("\n    %s\n", row->example);
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

/* The name that was meant by words that are none; NULL: none is near. */
static const char *nearest_command(int argc, char **argv)
{
    struct sky_nearest nearest = {0};
    char both[128];

    snprintf(both, sizeof both, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    for (size_t i = 0; i < SKY_COUNT(commands); i++) {
        const char *name = commands[i].name;
        sky_nearest_try(&nearest, name, sky_span_str(strchr(name, ' ') != NULL ? both : argv[0]));
    }
    return nearest.name;
}

/* For the first word of names that have two, all of them are helped with. */
static int print_helps(const char *noun)
{
    sky_span first, second;
    size_t count = 0;

    for (size_t i = 0; i < SKY_COUNT(commands); i++) {
        if (!sky_span_cut(sky_span_str(commands[i].name), ' ', &first, &second) ||
            !sky_span_eq_str(first, noun))
            continue;
        fputs(count++ > 0 ? "\n\n" : "", stdout);
        print_help(&commands[i]);
    }
    return count > 0 ? SKY_EXIT_OK : SKY_EXIT_TROUBLE;
}

static int refuse_words(int argc, char **argv)
{
    const char *nearest = nearest_command(argc, argv);
    sky_span first, second;
    char verbs[64] = "";

    for (size_t i = 0; i < SKY_COUNT(commands); i++) {
        size_t len = strlen(verbs);
        if (sky_span_cut(sky_span_str(commands[i].name), ' ', &first, &second) &&
            sky_span_eq_str(first, argv[0]))
            snprintf(verbs + len, sizeof verbs - len, "%s%.*s", len > 0 ? " or " : "",
                     SKY_SPAN_ARGS(second));
    }
    if (nearest != NULL)
        return sky_cli_fail("%.100s%s%.100s: no such command; did you mean %s?", argv[0],
                            *verbs != '\0' ? " " : "", *verbs != '\0' ? argv[1] : "", nearest);
    if (*verbs != '\0')
        return sky_cli_fail("usage: skymock %s %s ...; \"skymock %s --help\" says more", argv[0],
                            verbs, argv[0]);
    return sky_cli_fail("%.100s: no such command; \"skymock help\" lists them", argv[0]);
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* `skymock help WORD...`, as `skymock WORD... --help`. */
static int help_with(int argc, char **argv)
{
    int words = 0;
    const struct command_row *row = find_command(argc, argv, &words);

    if (argc == 0 || asks_for_help(argv[0]))
        return print_overview();
    if (row != NULL)
        return words == argc ? print_help(row)
                             : sky_cli_fail("%.100s: give \"skymock help\" one command, as in "
                                            "\"skymock help %s\"",
                                            argv[words], row->name);
    return argc == 1 && print_helps(argv[0]) == SKY_EXIT_OK ? SKY_EXIT_OK
                                                            : refuse_words(argc, argv);
}

static int refuse_arguments(const struct command_row *row, const struct sky_config *config)
{
    if (row->args_max == 0)
        return sky_cli_fail("%.100s: skymock %s takes options only; usage: skymock %s %s",
                            config->args.list[0], row->name, row->name, row->arguments);
    return sky_cli_fail("usage: skymock %s %s; \"skymock %s --help\" says more", row->name,
                        row->arguments, row->name);
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
        status = refuse_arguments(row, &config);
    else {
        if (!config.quiet)
            sky_config_tell_slips(stderr);
        status = row->run(&config);
    }
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
    if (SKY_CHECKS_RULES && sky_rules_check(&why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    if (asks_for_help(name))
        return help_with(argc - 2, argv + 2);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0)
        return puts("skymock " SKY_VERSION) < 0;
    if (name[0] == '-' || argc < 2)
        return run_command(&commands[0], argc, argv); /* serve */
    const struct command_row *row = find_command(argc - 1, argv + 1, &words);
    if (row == NULL && argc == 3 && asks_for_help(argv[2]) && print_helps(name) == SKY_EXIT_OK)
        return SKY_EXIT_OK;
    if (row == NULL)
        return refuse_words(argc - 1, argv + 1);
    return run_command(row, argc - words, argv + words);
}
