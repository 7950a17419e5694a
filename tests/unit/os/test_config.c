/* The command line and the environment, as one value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/os/config.h"
#include "server/os/listeners.h"

enum { WORDS_MAX = 12 };
static char program[] = "skymock"; /* argv is not const */

struct parsed {
    struct sky_config config;
    struct sky_why why;
    sky_err err;
};

/* Parses the words, which end with NULL, as options of `command`. */
static struct parsed parse(enum sky_command command, const char *const *words)
{
    struct parsed parsed = {0};
    char *argv[WORDS_MAX + 2] = {program};
    int argc = 1;

    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    parsed.err = sky_config_parse(&parsed.config, command, argc, argv, &parsed.why);
    return parsed;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct sky_listen *listen_of(const struct parsed *parsed, const char *name)
{
    return sky_config_listen(&parsed->config, sky_listener_find(sky_span_str(name)));
}

static void without_options_everything_has_its_standard_value(void **state)
{
    (void)state;
    struct parsed parsed = parse(SKY_COMMAND_SERVE, (const char *const[]){NULL});

    assert_int_equal(parsed.err, SKY_OK);
    assert_string_equal(parsed.config.store, ":memory:");
    assert_int_equal(parsed.config.profile, SKY_PROFILE_SEED);
    assert_int_equal(parsed.config.journal_bytes, 32 * 1024 * 1024);
    assert_false(parsed.config.seeded);
    assert_null(parsed.config.admin_token);
    static const struct {
        const char *name;
        int port;
    } ports[] = {{"mqtt", 1883},        {"mqtts", 8883}, {"enos-mqtt", 11883},
                 {"enos-mqtts", 18883}, {"coaps", 5684}, {"https", 8443}};
    for (size_t i = 0; i < SKY_COUNT(ports); i++) {
        assert_string_equal(listen_of(&parsed, ports[i].name)->host, "127.0.0.1");
        assert_int_equal(listen_of(&parsed, ports[i].name)->port, ports[i].port);
        assert_false(listen_of(&parsed, ports[i].name)->off);
    }
    sky_config_done(&parsed.config);
}

static void every_listener_has_a_place(void **state)
{
    (void)state;
    struct parsed parsed = parse(SKY_COMMAND_SERVE, (const char *const[]){NULL});
    const struct sky_listener_row *row;

    for (size_t i = 0; (row = sky_listener_row(i)) != NULL; i++) {
        assert_ptr_equal(sky_config_listen(&parsed.config, row)->row, row);
        assert_int_equal(sky_config_listen(&parsed.config, row)->port, row->port);
    }
    sky_config_done(&parsed.config);
}

static void listeners_are_moved_one_by_one(void **state)
{
    (void)state;
    struct parsed parsed =
        parse(SKY_COMMAND_SERVE, WORDS("--host", "0.0.0.0", "--listen", "mqtt=127.0.0.2:0", "-l",
                                       "admin=[::1]:9000", "--listen=https=off", "-lmqtts=8884"));

    assert_int_equal(parsed.err, SKY_OK);
    assert_string_equal(listen_of(&parsed, "mqtt")->host, "127.0.0.2");
    assert_int_equal(listen_of(&parsed, "mqtt")->port, 0);
    assert_string_equal(listen_of(&parsed, "admin")->host, "::1");
    assert_int_equal(listen_of(&parsed, "admin")->port, 9000);
    assert_true(listen_of(&parsed, "https")->off);
    assert_string_equal(listen_of(&parsed, "mqtts")->host, "0.0.0.0");
    assert_int_equal(listen_of(&parsed, "mqtts")->port, 8884);
    sky_config_done(&parsed.config);
}

static void the_last_word_on_a_listener_counts(void **state)
{
    (void)state;
    struct parsed parsed =
        parse(SKY_COMMAND_SERVE, WORDS("--listen", "mqtt=off", "--listen", "mqtt=1884"));

    assert_false(listen_of(&parsed, "mqtt")->off);
    assert_int_equal(listen_of(&parsed, "mqtt")->port, 1884);
    sky_config_done(&parsed.config);
}

static void all_names_every_listener(void **state)
{
    (void)state;
    struct parsed parsed =
        parse(SKY_COMMAND_SERVE, WORDS("--listen", "mqtt=1884", "--listen", "all=127.0.0.2:0", "-l",
                                       "admin=localhost:9000", "-lcoaps=off", "-lhttps=8444"));
    assert_int_equal(parsed.err, SKY_OK);
    assert_int_equal(listen_of(&parsed, "mqtt")->port, 0);
    assert_string_equal(listen_of(&parsed, "mqtt")->host, "127.0.0.2");
    assert_int_equal(listen_of(&parsed, "mqtts")->port, 0);
    assert_string_equal(listen_of(&parsed, "admin")->host, "localhost");
    assert_int_equal(listen_of(&parsed, "admin")->port, 9000);
    assert_true(listen_of(&parsed, "coaps")->off);
    assert_int_equal(listen_of(&parsed, "https")->port, 8444);
    assert_string_equal(listen_of(&parsed, "https")->host, "127.0.0.2");
    sky_config_done(&parsed.config);

    parsed = parse(SKY_COMMAND_SERVE, WORDS("--listen", "all=off", "--listen", "mqtt=0"));
    assert_true(listen_of(&parsed, "admin")->off);
    assert_false(listen_of(&parsed, "mqtt")->off);
    sky_config_done(&parsed.config);
}

static void the_server_of_a_command_takes_free_ports(void **state)
{
    (void)state;
    struct parsed parsed = parse(SKY_COMMAND_EXEC, WORDS("--listen", "mqtt=1884", "true"));
    assert_int_equal(listen_of(&parsed, "admin")->port, 0);
    assert_int_equal(listen_of(&parsed, "mqtt")->port, 1884);
    sky_config_done(&parsed.config);
}

static void bad_options_say_what_is_wanted(void **state)
{
    static const struct {
        const char *words[3];
        const char *part; /* of the reason */
    } cases[] = {
        {{"--listen", "nowhere=1"}, "NAME of all, mqtt"},
        {{"--listen", "all=1883"}, "all=0"},
        {{"--listen", "all"}, "NAME=HOST:PORT"},
        {{"--listen", "al=0"}, "NAME of all"},
        {{"--listen", "mqtt"}, "NAME=HOST:PORT"},
        {{"--listen", "mqtt=127.0.0.1"}, "HOST:PORT"},
        {{"--listen", "mqtt=127.0.0.1:65536"}, "HOST:PORT"},
        {{"--listen", "mqtt=::1:1883"}, "HOST:PORT"},
        {{"--listen", "mqtt="}, "HOST:PORT"},
        {{"--profile", "newest"}, "seed or current"},
        {{"--seed", "-1"}, "whole number"},
        {{"--seed", "9223372036854775808"}, "whole number"},
        {{"--journal-bytes", "63K"}, "64K"},
        {{"--journal-bytes", "17G"}, "16G"},
        {{"--journal-bytes", "K"}, "64K"},
        {{"--journal-events", "99"}, "100"},
        {{"--log-level", "loud"}, "warning"},
        {{"--store", ""}, "FILE"},
        {{"--no-such-option", NULL}, "no such option"},
        {{"-z", NULL}, "no such option"},
        {{"--store", NULL}, "needs a value"},
        {{"--tls-cert", "a.pem"}, "go together"},
        {{"--tls-key", "a.pem"}, "go together"},
        {{"--username", "x"}, "no such option"}, /* another command's */
    };

    (void)state;
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        struct parsed parsed = parse(SKY_COMMAND_SERVE, cases[i].words);
        assert_int_not_equal(parsed.err, SKY_OK);
        if (strstr(parsed.why.reason, cases[i].part) == NULL)
            fail_msg("%s %s: \"%s\"", cases[i].words[0],
                     cases[i].words[1] != NULL ? cases[i].words[1] : "", parsed.why.reason);
        sky_config_done(&parsed.config);
    }
}

static void sizes_take_units(void **state)
{
    (void)state;
    struct parsed parsed = parse(SKY_COMMAND_SERVE, WORDS("--journal-bytes", "64K"));

    assert_int_equal(parsed.config.journal_bytes, 64 * 1024);
    sky_config_done(&parsed.config);
    parsed = parse(SKY_COMMAND_SERVE, WORDS("--journal-bytes", "16G"));
    assert_int_equal(parsed.err, SKY_OK);
    assert_true(parsed.config.journal_bytes == UINT64_C(16) << 30);
    sky_config_done(&parsed.config);
}

static void repeatable_options_are_kept_in_order(void **state)
{
    (void)state;
    struct parsed parsed =
        parse(SKY_COMMAND_SERVE, WORDS("-f", "one", "--fixtures=two", "-fthree"));

    assert_int_equal(parsed.config.fixtures.count, 3);
    assert_string_equal(parsed.config.fixtures.list[0], "one");
    assert_string_equal(parsed.config.fixtures.list[2], "three");
    sky_config_done(&parsed.config);
}

static void a_repeatable_option_has_a_limit(void **state)
{
    (void)state;
    static char *argv[SKY_CONFIG_LIST_MAX + 2] = {program};
    static char option[] = "-fx";
    struct sky_config config;
    struct sky_why why;

    for (int i = 1; i <= SKY_CONFIG_LIST_MAX + 1; i++)
        argv[i] = option;
    assert_int_equal(
        sky_config_parse(&config, SKY_COMMAND_SERVE, SKY_CONFIG_LIST_MAX + 1, argv, &why), SKY_OK);
    sky_config_done(&config);
    assert_int_equal(
        sky_config_parse(&config, SKY_COMMAND_SERVE, SKY_CONFIG_LIST_MAX + 2, argv, &why),
        SKY_ERR_LIMIT);
    sky_config_done(&config);
}

static void the_environment_counts_unless_the_command_line_says_otherwise(void **state)
{
    (void)state;
    setenv("SKYMOCK_STORE", "from-environment", 1);
    setenv("SKYMOCK_ADMIN_TOKEN", "secret", 1);
    setenv("SKYMOCK_LISTEN", "mqtt=1  admin=off", 1);
    struct parsed parsed =
        parse(SKY_COMMAND_SERVE, WORDS("--store", "from-line", "--listen", "mqtt=2"));

    assert_int_equal(parsed.err, SKY_OK);
    assert_string_equal(parsed.config.store, "from-line");
    assert_string_equal(parsed.config.admin_token, "secret");
    assert_int_equal(listen_of(&parsed, "mqtt")->port, 2);
    assert_true(listen_of(&parsed, "admin")->off);
    sky_config_done(&parsed.config);

    setenv("SKYMOCK_ADMIN_TOKEN", "", 1);
    parsed = parse(SKY_COMMAND_SERVE, (const char *const[]){NULL});
    assert_int_equal(parsed.err, SKY_ERR_INVALID);
    assert_non_null(strstr(parsed.why.reason, "SKYMOCK_ADMIN_TOKEN"));
    sky_config_done(&parsed.config);
    unsetenv("SKYMOCK_ADMIN_TOKEN");

    setenv("SKYMOCK_ADMIN_HOST", "a.lan b.lan", 1);
    parsed = parse(SKY_COMMAND_SERVE, WORDS("--admin-host", "c.lan"));
    assert_int_equal(parsed.config.admin_hosts.count, 3);
    assert_string_equal(parsed.config.admin_hosts.list[1], "b.lan");
    sky_config_done(&parsed.config);
    unsetenv("SKYMOCK_ADMIN_HOST");

    setenv("SKYMOCK_PROFILE", "newest", 1);
    parsed = parse(SKY_COMMAND_SERVE, (const char *const[]){NULL});
    assert_int_not_equal(parsed.err, SKY_OK);
    assert_non_null(strstr(parsed.why.reason, "SKYMOCK_PROFILE"));
    sky_config_done(&parsed.config);
    unsetenv("SKYMOCK_STORE");
    unsetenv("SKYMOCK_ADMIN_TOKEN");
    unsetenv("SKYMOCK_LISTEN");
    unsetenv("SKYMOCK_PROFILE");
}

static void switches_in_the_environment_are_on_or_off(void **state)
{
    static const struct {
        const char *value;
        sky_err err;
        bool on;
    } cases[] = {{"1", SKY_OK, true},      {"yes", SKY_OK, true}, {"0", SKY_OK, false},
                 {"FALSE", SKY_OK, false}, {"", SKY_OK, false},   {"2", SKY_ERR_INVALID, false}};

    (void)state;
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        setenv("SKYMOCK_DNSMASQ", cases[i].value, 1);
        struct parsed parsed = parse(SKY_COMMAND_HOSTS, (const char *const[]){NULL});
        assert_int_equal(parsed.err, cases[i].err);
        assert_int_equal(parsed.config.dnsmasq, cases[i].on);
        sky_config_done(&parsed.config);
    }
    unsetenv("SKYMOCK_DNSMASQ");
}

static void a_switch_leaves_a_value_to_the_commands_that_take_one(void **state)
{
    static const struct {
        const char *value;
        bool on;
    } cases[] = {{"1", true}, {"0", false}, {"report.json", false}};

    (void)state;
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        setenv("SKYMOCK_JSON", cases[i].value, 1);
        struct parsed parsed = parse(SKY_COMMAND_RULES, (const char *const[]){NULL});
        assert_int_equal(parsed.err, SKY_OK);
        assert_int_equal(parsed.config.json, cases[i].on);
        sky_config_done(&parsed.config);
    }
    unsetenv("SKYMOCK_JSON");
}

static void words_around_options_are_arguments(void **state)
{
    (void)state;
    struct parsed parsed = parse(SKY_COMMAND_SIGN, WORDS("a/b/c", "--json"));

    assert_int_equal(parsed.config.args.count, 1);
    assert_string_equal(parsed.config.args.list[0], "a/b/c");
    assert_true(parsed.config.json);
    sky_config_done(&parsed.config);
}

static void what_follows_the_command_of_exec_is_left_to_it(void **state)
{
    (void)state;
    struct parsed parsed =
        parse(SKY_COMMAND_EXEC, WORDS("--store", "x", "--", "run", "--store", "y"));

    assert_string_equal(parsed.config.store, "x");
    assert_int_equal(parsed.config.args.count, 3);
    assert_string_equal(parsed.config.args.list[2], "y");
    sky_config_done(&parsed.config);
    parsed = parse(SKY_COMMAND_EXEC, WORDS("run", "--store", "y"));
    assert_int_equal(parsed.err, SKY_OK);
    assert_string_equal(parsed.config.store, ":memory:");
    assert_int_equal(parsed.config.args.count, 3);
    sky_config_done(&parsed.config);
}

static void addresses_are_split_at_the_port(void **state)
{
    static const struct {
        const char *text, *host;
        int port; /* -1: refused */
    } cases[] = {
        {"127.0.0.1:1883", "127.0.0.1", 1883},
        {"[::]:0", "::", 0},
        {"localhost:65535", "localhost", 65535},
        {":80", "before", 80},
        {"80", "before", 80},
        {"[::1]", "", -1},
        {"::1", "", -1},
        {"host:", "", -1},
        {"a b:1", "", -1},
        {"host:1x", "", -1},
        {"", "", -1},
    };

    (void)state;
    for (size_t i = 0; i < SKY_COUNT(cases); i++) {
        char host[SKY_HOST_MAX + 1] = "before";
        uint16_t port = 0;
        bool good = sky_config_parse_address(sky_span_str(cases[i].text), host, &port);
        assert_int_equal(good, cases[i].port >= 0);
        if (good) {
            assert_string_equal(host, cases[i].host);
            assert_int_equal(port, cases[i].port);
        }
    }
}

static void a_host_has_a_limit(void **state)
{
    char text[SKY_HOST_MAX + 8], host[SKY_HOST_MAX + 1];
    uint16_t port;

    (void)state;
    memset(text, 'h', sizeof text);
    memcpy(text + SKY_HOST_MAX, ":1", 3);
    assert_true(sky_config_parse_address(sky_span_str(text), host, &port));
    memset(text, 'h', sizeof text);
    memcpy(text + SKY_HOST_MAX + 1, ":1", 3);
    assert_false(sky_config_parse_address(sky_span_str(text), host, &port));
}

static void help_names_every_option_of_its_command_and_its_variable(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    sky_config_help(out, SKY_COMMAND_SERVE);
    fclose(out);
    assert_non_null(strstr(text, "--journal-bytes SIZE"));
    assert_non_null(strstr(text, "SKYMOCK_JOURNAL_BYTES"));
    assert_non_null(strstr(text, "default 32M"));
    assert_null(strstr(text, "--client-id"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_everything_has_its_standard_value),
        cmocka_unit_test(every_listener_has_a_place),
        cmocka_unit_test(listeners_are_moved_one_by_one),
        cmocka_unit_test(the_last_word_on_a_listener_counts),
        cmocka_unit_test(all_names_every_listener),
        cmocka_unit_test(the_server_of_a_command_takes_free_ports),
        cmocka_unit_test(bad_options_say_what_is_wanted),
        cmocka_unit_test(sizes_take_units),
        cmocka_unit_test(repeatable_options_are_kept_in_order),
        cmocka_unit_test(a_repeatable_option_has_a_limit),
        cmocka_unit_test(the_environment_counts_unless_the_command_line_says_otherwise),
        cmocka_unit_test(switches_in_the_environment_are_on_or_off),
        cmocka_unit_test(a_switch_leaves_a_value_to_the_commands_that_take_one),
        cmocka_unit_test(words_around_options_are_arguments),
        cmocka_unit_test(what_follows_the_command_of_exec_is_left_to_it),
        cmocka_unit_test(addresses_are_split_at_the_port),
        cmocka_unit_test(a_host_has_a_limit),
        cmocka_unit_test(help_names_every_option_of_its_command_and_its_variable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
