/* A command line and an environment: the first byte is the command, lines are arguments, those that
 * begin with SKYMOCK_ are set in the environment. It is taken within its bounds, or refused in one
 * line. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/os/config.h"

enum { ARGS_MAX = 24, COMMANDS = 13, INPUT_MAX = 2048 };

static void check(struct sky_config *config)
{
    char origin[SKY_ENV_NAME_MAX];
    SKY_ASSERT(config->store != NULL && config->listen_count > 0);
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct sky_listen *listen = &config->listen[i];
        SKY_ASSERT(listen->row != NULL && sky_config_listen(config, listen->row) == listen);
        SKY_ASSERT(strlen(listen->host) <= SKY_HOST_MAX);
    }
    SKY_ASSERT(config->fixtures.count <= SKY_CONFIG_LIST_MAX);
    SKY_ASSERT(config->fixtures.inherited <= config->fixtures.count);
    SKY_ASSERT(config->timeout_s <= SKY_OPTION_TIMEOUT_MAX_S);
    sky_config_origin(config, &config->store, 0, origin);
    SKY_ASSERT(strncmp(origin, "--", 2) == 0 || strncmp(origin, "SKYMOCK_", 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static char texts[INPUT_MAX + ARGS_MAX];
    static const char prefix[] = "SKYMOCK_";
    char *argv[ARGS_MAX + 1] = {(char[]){"skymock"}};
    char *names[ARGS_MAX];
    int argc = 1;
    size_t set = 0, used = 0;
    struct sky_config config;
    struct sky_why why = {.reason = ""};
    if (len < 1 || len > INPUT_MAX)
        return 0;
    sky_span rest = sky_span_of(bytes + 1, len - 1), line;
    while (argc < ARGS_MAX && set < ARGS_MAX && sky_span_next(&rest, '\n', &line)) {
        char *text = texts + used, *equals;
        if (!sky_span_copy(line, text, sizeof texts - used))
            break;
        used += line.len + 1;
        equals = strchr(text, '=');
        if (strncmp(text, prefix, sizeof prefix - 1) != 0 || equals == NULL) {
            argv[argc++] = text;
            continue;
        }
        *equals = '\0';
        setenv(text, equals + 1, 1);
        names[set++] = text;
    }
    const enum sky_command command = (enum sky_command)(1U << bytes[0] % COMMANDS);
    sky_err err = sky_config_parse(&config, command, argc, argv, &why);
    if (err == SKY_OK && !config.help)
        check(&config);
    else if (err != SKY_OK)
        SKY_ASSERT(why.reason[0] != '\0' && strchr(why.reason, '\n') == NULL);
    sky_config_done(&config);
    while (set > 0)
        unsetenv(names[--set]);
    return 0;
}
