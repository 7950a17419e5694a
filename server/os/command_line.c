/* Words and variables into a value, by the option table (options.c). */
#include "server/os/config.h"

#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/similar.h"
#include "server/os/help.h"
#include "server/os/listeners.h"
#include "server/os/options.h"

enum { WORD_CODE = 1, HELP_CODE = 1000, ROW_CODE = 1001, PORT_HTTP = 80 };

/* ---- environment ---- */

void sky_config_env_name(const char *name, char out[SKY_ENV_NAME_MAX])
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz-";
    static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    int len = snprintf(out, SKY_ENV_NAME_MAX, "SKYMOCK_%s", name);

    SKY_ASSERT(len < SKY_ENV_NAME_MAX);
    for (; *out != '\0'; out++) {
        const char *found = strchr(lower, *out);
        if (found != NULL)
            *out = upper[found - lower];
    }
}

/* The next value of a list; false: there is none. */
static bool next_value(const char **rest, struct sky_buf *ret_value)
{
    sky_buf_clear(ret_value);
    while (**rest == ' ')
        ++*rest;
    for (; **rest != '\0' && **rest != ' '; ++*rest) {
        if (strncmp(*rest, "\\ ", 2) == 0)
            ++*rest;
        sky_buf_add_byte(ret_value, (uint8_t) * *rest);
    }
    bool any = ret_value->len > 0;
    sky_buf_add_byte(ret_value, '\0');
    return any;
}

/* The values of a repeatable option stand in one variable with blanks between; a blank of a value
 * has a backslash in front. */
static sky_err set_each(struct sky_config *config, const struct sky_option *row, const char *value,
                        struct sky_why *why)
{
    struct sky_buf one;
    sky_err err = SKY_OK;

    sky_buf_init(&one, SIZE_MAX);
    while (err == SKY_OK && next_value(&value, &one))
        err = row->set(config, row, one.bytes, why);
    sky_buf_done(&one);
    return err;
}

/* Told to what runs beside a server. */
static bool is_told(sky_span name)
{
    return sky_span_eq_str(name, "CA") || sky_span_eq_str(name, "SUITE") ||
           sky_span_starts(name, SKY_SPAN("PORT_"));
}

static void tell_slip(FILE *out, sky_span name)
{
    char own[SKY_ENV_NAME_MAX], nearest_name[SKY_ENV_NAME_MAX];
    const size_t prefix = strlen("SKYMOCK_");
    const char *nearest = NULL;
    size_t least = SIZE_MAX, distance;

    for (size_t i = 0; i < sky_option_count; i++) {
        if (sky_options[i].commands == 0)
            continue;
        sky_config_env_name(sky_options[i].name, own);
        if (sky_span_eq_str(name, own + prefix))
            return;
        if (!sky_similar_distance(sky_span_str(own + prefix), name, &distance) || distance >= least)
            continue;
        least = distance;
        nearest = memcpy(nearest_name, own, sizeof own);
    }
    if (nearest != NULL && !is_told(name))
        fprintf(out, "skymock: SKYMOCK_%.*s is not read; %s is meant?\n", SKY_SPAN_ARGS(name),
                nearest);
}

void sky_config_tell_slips(FILE *out)
{
    for (char **each = environ; *each != NULL; each++) {
        sky_span name, value, rest = sky_span_str(*each);
        if (sky_span_starts(rest, SKY_SPAN("SKYMOCK_")) &&
            sky_span_cut(sky_span_tail(rest, strlen("SKYMOCK_")), '=', &name, &value))
            tell_slip(out, name);
    }
}

static void read_surroundings(struct sky_config *config)
{
    const char *github = getenv("GITHUB_ACTIONS"), *folder = getenv("TMPDIR");

    config->annotates = github != NULL && strcmp(github, "true") == 0;
    folder = folder != NULL && *folder != '\0' ? folder : "/tmp";
    config->tmp_dir = sky_mem_dup(folder, strlen(folder));
}

/* What is no answer to yes or no may be a value for other commands, whose option of this name takes
 * one: SKYMOCK_JSON is a file for some. */
static bool is_for_others(const struct sky_option *row)
{
    for (size_t i = 0; row->argument == NULL && i < sky_option_count; i++)
        if (strcmp(sky_options[i].name, row->name) == 0 && sky_options[i].argument != NULL)
            return true;
    return false;
}

static sky_err read_environment(struct sky_config *config, enum sky_command command,
                                struct sky_why *why)
{
    for (size_t i = 0; i < sky_option_count; i++) {
        if (!(sky_options[i].commands & command))
            continue;
        sky_config_env_name(sky_options[i].name, config->origin);
        const char *value = getenv(config->origin);
        /* Empty is as good as unset, but for a token: whoever sets one wants it asked for. */
        if (!value || (!*value && sky_options[i].at != offsetof(struct sky_config, admin_token)))
            continue;
        sky_err err = sky_option_is_list(&sky_options[i])
                          ? set_each(config, &sky_options[i], value, why)
                          : sky_options[i].set(config, &sky_options[i], value, why);
        if (err != SKY_OK && is_for_others(&sky_options[i]))
            continue;
        if (err != SKY_OK)
            return err;
        if (sky_option_is_list(&sky_options[i]))
            ((struct sky_strings *)sky_option_member(config, &sky_options[i]))->inherited =
                ((struct sky_strings *)sky_option_member(config, &sky_options[i]))->count;
        else
            config->inherited[i] = true;
    }
    return SKY_OK;
}

/* ---- command line ---- */

struct getopt_tables {
    struct option options[SKY_OPTIONS_MAX + 2]; /* --help and the end */
    char letters[2 * SKY_OPTIONS_MAX + 5];
};

/* Options of other commands are left out, so that getopt refuses them. */
static void build_getopt(enum sky_command command, struct getopt_tables *tables)
{
    size_t count = 0, letters = 0;

    *tables = (struct getopt_tables){0};
    /* '+': what follows the first word belongs to the command that exec starts. '-': words are told
     * one by one, so that those before "--" are known from those behind it. */
    letters += (size_t)snprintf(tables->letters, sizeof(tables->letters), "%s:h",
                                command == SKY_COMMAND_EXEC        ? "+"
                                : command == SKY_COMMAND_SUITE_RUN ? "-"
                                                                   : "");
    for (size_t i = 0; i < sky_option_count; i++) {
        if (!(sky_options[i].commands & command))
            continue;
        int takes = sky_options[i].argument ? required_argument : no_argument;
        tables->options[count++] =
            (struct option){sky_options[i].name, takes, NULL, ROW_CODE + (int)i};
        if (sky_options[i].letter) {
            tables->letters[letters++] = sky_options[i].letter;
            tables->letters[letters] = ':';
            letters += sky_options[i].argument ? 1 : 0;
        }
    }
    tables->letters[letters] = '\0';
    tables->options[count] = (struct option){"help", no_argument, NULL, HELP_CODE};
}

static const struct sky_option *row_of(enum sky_command command, int code)
{
    for (size_t i = 0; i < sky_option_count; i++)
        if ((sky_options[i].commands & command) &&
            (code == ROW_CODE + (int)i || (sky_options[i].letter && code == sky_options[i].letter)))
            return &sky_options[i];
    return NULL;
}

/* Options that begin like this, with commas between. */
static size_t list_begun(enum sky_command command, sky_span word, struct sky_buf *out)
{
    size_t count = 0;

    for (size_t i = 0; i < sky_option_count; i++)
        if ((sky_options[i].commands & command) &&
            sky_span_starts(sky_span_str(sky_options[i].name), word))
            sky_buf_addf(out, "%s--%s", count++ > 0 ? ", " : "", sky_options[i].name);
    return count;
}

static sky_err no_such_option(enum sky_command command, const char *word, struct sky_why *why)
{
    sky_span name = sky_span_tail(sky_span_str(word), 2), rest;
    struct sky_nearest nearest = {0};
    bool elsewhere = false;
    struct sky_buf begun;

    (void)sky_span_cut(name, '=', &name, &rest);
    for (size_t i = 0; i < sky_option_count; i++) {
        if (sky_options[i].commands & command)
            sky_nearest_try(&nearest, sky_options[i].name, name);
        elsewhere = elsewhere ||
                    (sky_options[i].commands != 0 && sky_span_eq_str(name, sky_options[i].name));
    }
    sky_buf_init(&begun, SKY_WHY_REASON_MAX / 2);
    sky_err err = SKY_ERR_INVALID;
    if (list_begun(command, name, &begun) > 1)
        (void)sky_why_set(why, err, "", "%.100s may be any of %.*s", word,
                          SKY_SPAN_ARGS(sky_buf_span(&begun)));
    else if (nearest.name != NULL)
        (void)sky_why_set(why, err, "", "%.100s: no such option; did you mean --%s?", word,
                          nearest.name);
    else
        (void)sky_why_set(why, err, "", "%.100s: no such option here%s; see --help", word,
                          elsewhere ? ", but of another command" : "");
    sky_buf_done(&begun);
    return err;
}

/* What getopt has stumbled over: `word` is what it looked at last. */
static sky_err bad_option(enum sky_command command, int code, const char *word, struct sky_why *why)
{
    bool is_long = strncmp(word, "--", 2) == 0;
    const struct sky_option *row = row_of(command, optopt);

    if (code == ':' && is_long)
        return sky_why_set(why, SKY_ERR_INVALID, "", "%.100s needs a value: %s", word,
                           row != NULL ? row->argument : "");
    if (code == ':')
        return sky_why_set(why, SKY_ERR_INVALID, "", "-%c needs a value: %s", optopt,
                           row != NULL ? row->argument : "");
    if (optopt >= HELP_CODE)
        return sky_why_set(why, SKY_ERR_INVALID, "", "%.100s: this option takes no value", word);
    if (optopt != 0)
        return sky_why_set(why, SKY_ERR_INVALID, "", "-%c: no such option here; see --help",
                           optopt);
    return no_such_option(command, word, why);
}

static sky_err take_option(struct sky_config *config, const struct sky_option *row,
                           const char *value, struct sky_why *why)
{
    snprintf(config->origin, sizeof config->origin, "--%s", row->name);
    config->inherited[row - sky_options] = false;
    return row->set(config, row, value != NULL ? value : "1", why);
}

static sky_err read_command_line(struct sky_config *config, enum sky_command command, int argc,
                                 char **argv, struct sky_why *why)
{
    struct getopt_tables tables;
    sky_err err = SKY_OK;
    int code;

    build_getopt(command, &tables);
    opterr = 0;
    optind = 0; /* glibc: start over */
    while (err == SKY_OK &&
           (code = getopt_long(argc, argv, tables.letters, tables.options, NULL)) != -1) {
        const struct sky_option *row = row_of(command, code);
        if (code == 'h' || code == HELP_CODE)
            config->help = true;
        else if (code == WORD_CODE)
            sky_strings_add(&config->args, optarg);
        else if (row)
            err = take_option(config, row, optarg, why);
        else
            err = bad_option(command, code, argv[optind - 1], why);
    }
    for (int i = optind; err == SKY_OK && i < argc; i++)
        sky_strings_add(command == SKY_COMMAND_SUITE_RUN ? &config->command : &config->args,
                        argv[i]);
    return err;
}

/* ---- where a value is from ---- */

void sky_config_origin(const struct sky_config *config, const void *member, size_t index,
                       char out[SKY_ENV_NAME_MAX])
{
    size_t at = (size_t)((const char *)member - (const char *)config), i = 0;

    while (i < sky_option_count && (sky_options[i].commands == 0 || sky_options[i].at != at))
        i++;
    SKY_ASSERT(i < sky_option_count);
    bool inherited = sky_option_is_list(&sky_options[i])
                         ? index < ((const struct sky_strings *)member)->inherited
                         : config->inherited[i];
    /* Rows that share a member are of different commands. */
    for (size_t n = i + 1; n < sky_option_count; n++)
        inherited = inherited || (sky_options[n].at == at && config->inherited[n]);
    if (inherited)
        sky_config_env_name(sky_options[i].name, out);
    else
        snprintf(out, SKY_ENV_NAME_MAX, "--%s", sky_options[i].name);
}

sky_err sky_config_blame(const struct sky_config *config, const void *member, size_t index,
                         sky_err err, struct sky_why *why)
{
    char origin[SKY_ENV_NAME_MAX];
    struct sky_why inside = *why;

    sky_config_origin(config, member, index, origin);
    return sky_why_set(why, err, inside.pointer, "%s %.255s", origin, inside.reason);
}

/* ---- listeners ---- */

static bool parse_port(sky_span text, uint16_t *ret_port)
{
    int64_t port;

    if (!sky_span_to_int(text, &port) || port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

bool sky_config_parse_address(sky_span text, char host[SKY_HOST_MAX + 1], uint16_t *ret_port)
{
    const char *colon = text.len > 0 ? memrchr(text.ptr, ':', text.len) : NULL;
    sky_span name = sky_span_head(text, colon ? (size_t)(colon - text.ptr) : 0);
    bool bracketed = name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    uint16_t port;

    if (bracketed)
        name = sky_span_of(name.ptr + 1, name.len - 2);
    else if (sky_span_contains(name, SKY_SPAN(":")))
        return false; /* an IPv6 address without brackets: where does the port begin? */
    if (!parse_port(colon ? sky_span_tail(text, (size_t)(colon - text.ptr) + 1) : text, &port) ||
        name.len > SKY_HOST_MAX || sky_span_contains(name, SKY_SPAN(" ")) ||
        sky_span_contains(name, SKY_SPAN("\0")))
        return false;
    if (name.len > 0 && !sky_span_copy(name, host, SKY_HOST_MAX + 1))
        return false;
    *ret_port = port;
    return true;
}

bool sky_config_parse_url(const char *url, char host[SKY_HOST_MAX + 1], uint16_t *ret_port)
{
    static const char scheme[] = "http://";
    sky_span rest = sky_span_str(url);

    if (!sky_span_starts(rest, sky_span_str(scheme)))
        return false;
    rest = sky_span_tail(rest, sizeof scheme - 1);
    if (sky_span_ends(rest, SKY_SPAN("/")))
        rest = sky_span_head(rest, rest.len - 1);
    host[0] = '\0';
    if (sky_config_parse_address(rest, host, ret_port) && host[0] != '\0')
        return true;
    *ret_port = PORT_HTTP;
    return rest.len > 0 && !sky_span_contains(rest, SKY_SPAN("/")) &&
           !sky_span_contains(rest, SKY_SPAN(":")) && sky_span_copy(rest, host, SKY_HOST_MAX + 1);
}

static sky_err unknown_listener(const struct sky_config *config, const char *text,
                                struct sky_why *why)
{
    char names[160] = "all";
    size_t len = strlen(names);
    const struct sky_listener_row *row;

    for (size_t i = 0; (row = sky_listener_row(i)) && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, ", %s", row->name);
    return sky_why_set(why, SKY_ERR_INVALID, "",
                       "%s %.60s: give NAME=HOST:PORT, NAME=PORT or NAME=off with a NAME of %s",
                       config->origin, text, names);
}

/* Of several that name the same listener the last wins; "all" names every one. */
static sky_err place_listener(struct sky_config *config, const char *text, struct sky_why *why)
{
    struct sky_listen want = {0};
    sky_span name, where;

    if (!sky_span_cut(sky_span_str(text), '=', &name, &where))
        return unknown_listener(config, text, why);
    want.off = sky_span_eq_str(where, "off");
    if (!want.off && !sky_config_parse_address(where, want.host, &want.port)) {
        return sky_option_bad(
            config, text, "HOST:PORT ([ADDRESS]:PORT for IPv6), PORT, up to 65535, or off", why);
    }
    bool all = sky_span_eq_str(name, "all"), found = false;
    if (all && want.port != 0) /* one port cannot be everybody's */
        return sky_option_bad(config, text,
                              "all=0, all=HOST:0 or all=off; listeners cannot share a port", why);
    for (size_t i = 0; i < config->listen_count; i++) {
        struct sky_listen *listen = &config->listen[i];
        if (!all && !sky_span_eq_str(name, listen->row->name))
            continue;
        found = true;
        listen->off = want.off;
        if (!want.off)
            listen->port = want.port;
        if (want.host[0] != '\0')
            memcpy(listen->host, want.host, sizeof listen->host);
    }
    return found ? SKY_OK : unknown_listener(config, text, why);
}

/* A command's own server is for that command: it takes free ports unless told otherwise. */
static sky_err place_listeners(struct sky_config *config, enum sky_command command,
                               struct sky_why *why)
{
    const struct sky_listener_row *row;
    sky_err err = SKY_OK;

    for (size_t i = 0; (row = sky_listener_row(i)); i++) {
        config->listen = sky_mem_grow(config->listen, (i + 1) * sizeof(*config->listen));
        config->listen[i] =
            (struct sky_listen){.row = row, .port = command & SKY_COMMANDS_OWNING ? 0 : row->port};
        memcpy(config->listen[i].host, config->host, strlen(config->host) + 1);
        config->listen_count = i + 1;
    }
    for (size_t i = 0; err == SKY_OK && i < config->listen_texts.count; i++) {
        sky_config_origin(config, &config->listen_texts, i, config->origin);
        err = place_listener(config, config->listen_texts.list[i], why);
    }
    return err;
}

const struct sky_listen *sky_config_listen(const struct sky_config *config,
                                           const struct sky_listener_row *row)
{
    for (size_t i = 0; i < config->listen_count; i++)
        if (config->listen[i].row == row)
            return &config->listen[i];
    SKY_ASSERT(!"a row that sky_listener_row() does not know");
    return NULL;
}

/* ---- the whole ---- */

static void set_standards(struct sky_config *config)
{
    *config = (struct sky_config){0};
    for (size_t i = 0; i < sky_option_count; i++) {
        struct sky_why why;
        if (sky_options[i].standard) {
            sky_err err =
                sky_options[i].set(config, &sky_options[i], sky_options[i].standard, &why);
            SKY_ASSERT(err == SKY_OK);
        }
    }
}

sky_err sky_config_parse(struct sky_config *config, enum sky_command command, int argc, char **argv,
                         struct sky_why *why)
{
    sky_err err;

    set_standards(config);
    config->url_given = false;
    read_surroundings(config);
    err = read_environment(config, command, why);
    if (err == SKY_OK)
        err = read_command_line(config, command, argc, argv, why);
    if (err == SKY_OK)
        err = place_listeners(config, command, why);
    if (err == SKY_OK && config->tls_ca != NULL && config->tls_cert == NULL)
        err = sky_why_set(why, SKY_ERR_INVALID, "",
                          "--tls-ca needs --tls-cert and --tls-key; without them skymock's own "
                          "authority vouches for devices");
    if (err == SKY_OK && !config->tls_cert != !config->tls_key)
        err = sky_why_set(why, SKY_ERR_INVALID, "", "--tls-cert and --tls-key go together; %s",
                          config->tls_key ? "the certificate is missing" : "the key is missing");
    return err;
}

void sky_config_done(struct sky_config *config)
{
    for (size_t i = 0; i < sky_option_count; i++)
        sky_option_done(config, &sky_options[i]);
    free(config->listen);
    free(config->tmp_dir);
    sky_strings_done(&config->args);
    sky_strings_done(&config->command);
    *config = (struct sky_config){0};
}

enum { HELP_INDENT = 32 };

/* The option in a column of its own, what it does beside it, or below when it is too long. */
static void print_option(FILE *out, const char *option, const char *text)
{
    int len = fprintf(out, "  %s", option);
    bool beside = len < HELP_INDENT - 1;

    fprintf(out, beside ? "%*s" : "\n%*s", beside ? HELP_INDENT - len : HELP_INDENT, "");
    sky_help_wrap(out, HELP_INDENT, HELP_INDENT, text);
}

/* What an option does: of listeners also their names and, for `serve`, their ports. */
static void write_purpose(struct sky_buf *text, const struct sky_option *row)
{
    const struct sky_listener_row *listener;

    sky_buf_add_str(text, row->help);
    for (size_t i = 0; row->at == offsetof(struct sky_config, listen_texts) &&
                       (listener = sky_listener_row(i)) != NULL;
         i++) {
        sky_buf_addf(text, "%s %s", i > 0 ? "," : "", listener->name);
        if (row->commands & SKY_COMMAND_SERVE)
            sky_buf_addf(text, " %u", listener->port);
    }
}

void sky_config_help(FILE *out, enum sky_command command)
{
    const char *heading = NULL;

    for (size_t i = 0; i < sky_option_count; i++) {
        const struct sky_option *row = &sky_options[i];
        heading = row->commands == 0 ? row->name : heading;
        char name[SKY_ENV_NAME_MAX], left[80], letter[8] = "    ";
        if (!(row->commands & command))
            continue;
        if (heading != NULL)
            fprintf(out, "\n%s:\n", heading);
        heading = NULL;
        sky_config_env_name(row->name, name);
        if (row->letter)
            snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        snprintf(left, sizeof(left), "%s--%s %s", letter, row->name,
                 row->argument ? row->argument : "");
        struct sky_buf text;
        sky_buf_init(&text, SIZE_MAX);
        write_purpose(&text, row);
        sky_buf_addf(&text, "%s [%s%s%s%s]", sky_option_is_list(row) ? " (repeatable)" : "",
                     row->standard ? "default " : "", row->standard ? row->standard : "",
                     row->standard ? "; " : "", name);
        sky_buf_add_byte(&text, '\0');
        print_option(out, left, text.bytes);
        sky_buf_done(&text);
    }
    fputs("\n", out);
    print_option(out, "-h, --help", "this text");
    fputs("\n", out);
    sky_help_wrap(out, 0, 0,
                  "Each can stand in the environment variable named behind it. The values of a "
                  "repeatable one are separated by blanks there; a blank within a value is written "
                  "with a backslash in front.");
}
