/* One row of the option table is everything about an option: how it is spelt here and in the
 * environment, what --help says, which commands take it, and how its value is taken. */
#include "server/os/config.h"

#include <getopt.h>
#include <stdlib.h>
#include <strings.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/base/url.h"
#include "server/os/help.h"
#include "server/os/listeners.h"

#define SERVING (SKY_COMMAND_SERVE | OWNING)
#define OFFLINE (SKY_COMMAND_SIGN | SKY_COMMAND_EXPLAIN)
#define ONLINE (SKY_COMMAND_VERDICT | SKY_COMMAND_HEALTHCHECK | SKY_COMMAND_EVENTS)
#define OWNING (SKY_COMMAND_EXEC | SKY_COMMAND_SUITE_RUN) /* a server of their own */
#define JUDGING (SKY_COMMAND_VERDICT | OWNING)

struct option_row;
typedef sky_err option_set(struct sky_config *config, const struct option_row *row,
                           const char *value, struct sky_why *why);

struct option_row {
    const char *name;     /* long name; also the environment's, as SKYMOCK_NAME_WITH_UNDERSCORES */
    char letter;          /* 0: none */
    const char *argument; /* placeholder in --help; NULL: a switch */
    const char *standard; /* its value when nobody sets it, for --help; NULL: none */
    const char *help;
    unsigned commands;
    option_set *set;
    size_t at; /* the member of struct sky_config that `set` fills */
};

/* ---- how values are taken ---- */

static sky_err bad_value(const struct option_row *row, const char *value, const char *wanted,
                         struct sky_why *why)
{
    return sky_why_set(why, SKY_ERR_INVALID, "", "--%s %.100s: give %s", row->name, value, wanted);
}

static void *member(struct sky_config *config, const struct option_row *row)
{
    return (char *)config + row->at;
}

static void replace(char **slot, const char *value)
{
    free(*slot);
    *slot = sky_mem_dup(value, strlen(value));
}

static sky_err set_text(struct sky_config *config, const struct option_row *row, const char *value,
                        struct sky_why *why)
{
    if (!*value)
        return bad_value(row, value, row->argument, why);
    replace(member(config, row), value);
    return SKY_OK;
}

/* A password may be empty on purpose. */
static sky_err set_any_text(struct sky_config *config, const struct option_row *row,
                            const char *value, struct sky_why *why)
{
    (void)why;
    replace(member(config, row), value);
    return SKY_OK;
}

void sky_strings_add(struct sky_strings *strings, const char *text)
{
    strings->list = sky_mem_grow(strings->list, (strings->count + 2) * sizeof(char *));
    strings->list[strings->count++] = sky_mem_dup(text, strlen(text));
    strings->list[strings->count] = NULL;
}

void sky_strings_done(struct sky_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->list[i]);
    free(strings->list);
    *strings = (struct sky_strings){0};
}

static sky_err set_list(struct sky_config *config, const struct option_row *row, const char *value,
                        struct sky_why *why)
{
    struct sky_strings *strings = member(config, row);

    if (!*value)
        return bad_value(row, value, row->argument, why);
    if (strings->count >= SKY_CONFIG_LIST_MAX) {
        return sky_why_set(why, SKY_ERR_LIMIT, "", "--%s can be given %d times at most", row->name,
                           SKY_CONFIG_LIST_MAX);
    }
    sky_strings_add(strings, value);
    return SKY_OK;
}

/* Switches have no value on the command line; in the environment they do. */
static sky_err set_switch(struct sky_config *config, const struct option_row *row,
                          const char *value, struct sky_why *why)
{
    static const char *const words[] = {"0", "no", "off", "false", "1", "yes", "on", "true"};

    for (size_t i = 0; i < SKY_COUNT(words); i++) {
        if (strcasecmp(value, words[i]) == 0) {
            *(bool *)member(config, row) = i >= SKY_COUNT(words) / 2;
            return SKY_OK;
        }
    }
    return bad_value(row, value, "1 or 0", why);
}

static sky_err set_profile(struct sky_config *config, const struct option_row *row,
                           const char *value, struct sky_why *why)
{
    if (!sky_profile_parse(sky_span_str(value), &config->profile))
        return bad_value(row, value, "seed or current", why);
    return SKY_OK;
}

static sky_err set_log_level(struct sky_config *config, const struct option_row *row,
                             const char *value, struct sky_why *why)
{
    static const char *const names[] = {[SKY_LOG_ERROR] = "error",
                                        [SKY_LOG_WARNING] = "warning",
                                        [SKY_LOG_INFO] = "info",
                                        [SKY_LOG_DEBUG] = "debug"};

    for (size_t i = 0; i < SKY_COUNT(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            config->log_level = (enum sky_log_level)i;
            return SKY_OK;
        }
    }
    return bad_value(row, value, "error, warning, info or debug", why);
}

static sky_err set_seed(struct sky_config *config, const struct option_row *row, const char *value,
                        struct sky_why *why)
{
    if (!sky_span_to_int(sky_span_str(value), &config->seed))
        return bad_value(row, value, "a whole number, 0 or more", why);
    config->seeded = true;
    return SKY_OK;
}

static sky_err set_keepalive(struct sky_config *config, const struct option_row *row,
                             const char *value, struct sky_why *why)
{
    int64_t seconds;

    if (!sky_span_to_int(sky_span_str(value), &seconds) || seconds > UINT16_MAX)
        return bad_value(row, value, "seconds, 0 to 65535", why);
    config->keepalive_s = (uint16_t)seconds;
    return SKY_OK;
}

static sky_err set_url(struct sky_config *config, const struct option_row *row, const char *value,
                       struct sky_why *why)
{
    config->url_given = true;
    return set_text(config, row, value, why);
}

static sky_err set_forward(struct sky_config *config, const struct option_row *row,
                           const char *value, struct sky_why *why)
{
    struct sky_url url;

    if (!sky_url_parse(sky_span_str(value), &url))
        return bad_value(row, value, "http://HOST[:PORT]/PATH, or the same with https", why);
    return set_text(config, row, value, why);
}

static sky_err set_timeout(struct sky_config *config, const struct option_row *row,
                           const char *value, struct sky_why *why)
{
    int64_t seconds;

    if (!sky_span_to_int(sky_span_str(value), &seconds) || seconds < 1 ||
        seconds > SKY_OPTION_TIMEOUT_MAX_S)
        return bad_value(row, value, "whole seconds, 1 to 604800", why);
    config->timeout_s = (uint32_t)seconds;
    return SKY_OK;
}

/* "500", "64K", "32M", "1G". */
static bool parse_bytes(const char *value, int64_t *ret_bytes)
{
    static const char units[] = "KMG";
    sky_span text = sky_span_str(value);
    const char *unit = text.len > 0 ? strchr(units, value[text.len - 1]) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    int64_t number;

    if (!sky_span_to_int(sky_span_head(text, text.len - (unit ? 1 : 0)), &number) ||
        number > INT64_MAX >> shift)
        return false;
    *ret_bytes = number << shift;
    return true;
}

static sky_err set_bytes(struct sky_config *config, const struct option_row *row, const char *value,
                         struct sky_why *why)
{
    int64_t bytes;

    if (!parse_bytes(value, &bytes) || bytes < SKY_OPTION_BYTES_MIN || bytes > SKY_OPTION_BYTES_MAX)
        return bad_value(row, value, "a size of 64K to 16G", why);
    *(size_t *)member(config, row) = (size_t)bytes;
    return SKY_OK;
}

static sky_err set_events(struct sky_config *config, const struct option_row *row,
                          const char *value, struct sky_why *why)
{
    int64_t events;

    if (!sky_span_to_int(sky_span_str(value), &events) || events < SKY_OPTION_EVENTS_MIN ||
        events > SKY_OPTION_EVENTS_MAX)
        return bad_value(row, value, "a count of 100 to 100000000", why);
    *(size_t *)member(config, row) = (size_t)events;
    return SKY_OK;
}

/* ---- the table ---- */

#define AT(field) offsetof(struct sky_config, field)

static const struct option_row rows[] = {
    {"fixtures", 'f', "PATH", NULL,
     "products and devices: a JSON file, or a folder of them; sign and explain look into "
     "./fixtures",
     SERVING | OFFLINE | SKY_COMMAND_HOSTS, set_list, AT(fixtures)},
    {"store", 's', "FILE", ":memory:", "keep everything in this database file",
     SERVING | OFFLINE | SKY_COMMAND_CA, set_text, AT(store)},
    {"listen", 'l', "NAME=WHERE", NULL,
     "move one listener: NAME=HOST:PORT, NAME=PORT or NAME=off; port 0 takes a free one (the "
     "standard for a COMMAND); the NAME all is every one",
     SERVING, set_list, AT(listen_texts)},
    {"host", 0, "HOST", "127.0.0.1", "where listeners are that name no host of their own", SERVING,
     set_text, AT(host)},
    {"ports-file", 0, "FILE", NULL, "write the ports in use here, as JSON, when ready", SERVING,
     set_text, AT(ports_file)},
    {"profile", 'p', "NAME", "seed",
     "whose word counts: seed (the documents the clouds started with) or current",
     SERVING | SKY_COMMAND_EXPLAIN | SKY_COMMAND_RULES, set_profile, AT(profile)},
    {"rule", 'r', "ID=ACTION", NULL, "what a broken rule does: enforce, report or off",
     SERVING | SKY_COMMAND_EXPLAIN | SKY_COMMAND_RULES, set_list, AT(rules)},
    {"admin-token", 0, "TOKEN", NULL, "ask for this bearer token on the admin API",
     SERVING | ONLINE | SKY_COMMAND_SIGN, set_text, AT(admin_token)},
    {"admin-host", 0, "NAME", NULL,
     "a further host name that the admin API is asked under, besides localhost and addresses",
     SERVING, set_list, AT(admin_hosts)},
    {"seed", 0, "N", NULL, "draw everything random from this number, for runs that repeat",
     SERVING | SKY_COMMAND_SIGN, set_seed, AT(seed)},
    {"log-level", 0, "LEVEL", "warning", "error, warning, info or debug", SERVING, set_log_level,
     AT(log_level)},
    {"san", 0, "NAME", NULL, "a further host name or address in the server's own certificate",
     SERVING | SKY_COMMAND_CA, set_list, AT(san)},
    {"tls-cert", 0, "FILE", NULL, "serve this certificate chain (PEM) instead of an own one",
     SERVING | SKY_COMMAND_CA, set_text, AT(tls_cert)},
    {"tls-key", 0, "FILE", NULL, "the key of --tls-cert (PEM)", SERVING | SKY_COMMAND_CA, set_text,
     AT(tls_key)},
    {"tls-ca", 0, "FILE", NULL, "certificates that vouch for devices (PEM)",
     SERVING | SKY_COMMAND_CA, set_text, AT(tls_ca)},
    {"advertise-host", 0, "HOST", NULL,
     "tell devices to connect here; the certificate carries it too", SERVING | SKY_COMMAND_CA,
     set_text, AT(advertise_host)},
    {"forward", 0, "URL", NULL,
     "hand every message that a device publishes to this server, by HTTP POST, as JSON", SERVING,
     set_forward, AT(forward)},
    {"forward-ca", 0, "FILE", NULL,
     "believe an https --forward server by these certificates (PEM) instead of the system's",
     SERVING, set_text, AT(forward_ca)},
    {"capture", 0, "FILE", NULL,
     "write what devices and skymock say here, as pcapng for Wireshark, in the clear", SERVING,
     set_text, AT(capture)},
    {"tls-keylog", 0, "FILE", NULL,
     "append the secrets of TLS and DTLS sessions here, for whoever captured the encrypted wire",
     SERVING, set_text, AT(tls_keylog)},
    {"journal-bytes", 0, "SIZE", "32M", "memory for the journal; the oldest events go first",
     SERVING, set_bytes, AT(journal_bytes)},
    {"journal-events", 0, "N", "500000", "events kept at most", SERVING, set_events,
     AT(journal_events)},
    {"client-id", 'i', "TEXT", NULL, "client id of the CONNECT", SKY_COMMAND_EXPLAIN, set_any_text,
     AT(client_id)},
    {"username", 'u', "TEXT", NULL, "user name of the CONNECT", SKY_COMMAND_EXPLAIN, set_any_text,
     AT(username)},
    {"password", 'P', "TEXT", NULL, "password of the CONNECT", SKY_COMMAND_EXPLAIN, set_any_text,
     AT(password)},
    {"keepalive", 'k', "SECONDS", "60", "keepalive of the CONNECT", SKY_COMMAND_EXPLAIN,
     set_keepalive, AT(keepalive_s)},
    {"form", 0, "BODY", NULL, "explain this body of an HTTPS login instead of a CONNECT",
     SKY_COMMAND_EXPLAIN, set_text, AT(form)},
    {"tls", 0, NULL, NULL, "for a connection over TLS", OFFLINE, set_switch, AT(tls)},
    {"dynamic", 0, NULL, NULL, "with the product's secret, to fetch the device's own",
     SKY_COMMAND_SIGN, set_switch, AT(dynamic)},
    {"json", 0, NULL, NULL, "print JSON",
     OFFLINE | SKY_COMMAND_RULES | SKY_COMMAND_EVENTS | SKY_COMMAND_SUITE_LIST, set_switch,
     AT(json)},
    {"url", 0, "URL", "http://127.0.0.1:8080", "the admin listener of the server to ask",
     ONLINE | SKY_COMMAND_CA | SKY_COMMAND_SIGN | SKY_COMMAND_SUITE_RUN, set_url, AT(url)},
    {"device", 'd', "NAME", NULL, "only this device: CLOUD/PRODUCT/DEVICE",
     SKY_COMMAND_VERDICT | SKY_COMMAND_EXEC | SKY_COMMAND_EVENTS, set_text, AT(device)},
    {"device", 'd', "NAME", NULL, "the device the cases are for: CLOUD/PRODUCT/DEVICE",
     SKY_COMMAND_SUITE_RUN, set_list, AT(devices)},
    {"case", 'c', "ID", NULL, "only this case", SKY_COMMAND_SUITE_RUN, set_list, AT(cases)},
    {"setup", 0, "CMD", NULL,
     "run this shell command before each case: power-cycle, flash, start the device again",
     SKY_COMMAND_SUITE_RUN, set_text, AT(setup)},
    {"product", 0, "NAME", NULL, "only this product's devices: CLOUD/PRODUCT",
     JUDGING | SKY_COMMAND_EVENTS, set_text, AT(product)},
    {"run", 0, NULL, NULL, "the whole run, not only what came since the last reset",
     SKY_COMMAND_VERDICT | SKY_COMMAND_EVENTS, set_switch, AT(run)},
    {"strict", 0, NULL, NULL, "exit 1 for what is warned about too", JUDGING, set_switch,
     AT(strict)},
    {"junit", 0, "FILE", NULL, "write the report as JUnit XML here", JUDGING, set_text, AT(junit)},
    {"html", 0, "FILE", NULL, "write the report as a page to read and to print here", JUDGING,
     set_text, AT(html)},
    {"json", 0, "FILE", NULL, "write the report as JSON here", JUDGING, set_text, AT(json_file)},
    {"baseline", 0, "FILE", NULL,
     "an earlier report as JSON: exit 1 when a rule or a figure has become worse since", JUDGING,
     set_text, AT(baseline)},
    {"events", 0, "FILE", NULL, "write the journal of the run here, a JSON object a line", OWNING,
     set_text, AT(events)},
    {"timeout", 0, "SECONDS", NULL,
     "end COMMAND and all it started when it takes longer; the exit status is then 124", OWNING,
     set_timeout, 0},
    {"quiet", 'q', NULL, NULL, "do not print refusals", SKY_COMMAND_SERVE, set_switch, AT(quiet)},
    {"quiet", 'q', NULL, NULL, "print only the cases that did not pass, and the summary",
     SKY_COMMAND_SUITE_RUN, set_switch, AT(quiet)},
    {"follow", 0, NULL, NULL, "go on with what happens next, until interrupted", SKY_COMMAND_EVENTS,
     set_switch, AT(follow)},
    {"type", 't', "TYPES", NULL, "only events of these types, with commas between them",
     SKY_COMMAND_EVENTS, set_text, AT(types)},
    {"ip", 0, "ADDRESS", "127.0.0.1", "where skymock can be reached", SKY_COMMAND_HOSTS, set_text,
     AT(ip)},
    {"dnsmasq", 0, NULL, NULL, "as options of dnsmasq, which knows subdomains too",
     SKY_COMMAND_HOSTS, set_switch, AT(dnsmasq)},
    {"c", 0, NULL, NULL, "as a string in C, for SDKs that compile it in", SKY_COMMAND_CA,
     set_switch, AT(as_c)},
    {"der", 0, NULL, NULL, "in DER", SKY_COMMAND_CA, set_switch, AT(as_der)},
};

enum { ROWS = SKY_COUNT(rows), WORD_CODE = 1, HELP_CODE = 1000, ROW_CODE = 1001 };

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

/* The values of a repeatable option stand in one variable with blanks between. */
static sky_err set_each(struct sky_config *config, const struct option_row *row, const char *value,
                        struct sky_why *why)
{
    sky_span rest = sky_span_trim(sky_span_str(value)), word;
    sky_err err = SKY_OK;

    while (err == SKY_OK && sky_span_next(&rest, ' ', &word)) {
        char *text = sky_mem_dup(word.ptr, word.len);
        err = word.len > 0 ? row->set(config, row, text, why) : SKY_OK;
        free(text);
    }
    return err;
}

static void read_surroundings(struct sky_config *config)
{
    const char *github = getenv("GITHUB_ACTIONS"), *folder = getenv("TMPDIR");

    config->annotates = github != NULL && strcmp(github, "true") == 0;
    replace(&config->tmp_dir, folder != NULL && *folder != '\0' ? folder : "/tmp");
}

static sky_err read_environment(struct sky_config *config, enum sky_command command,
                                struct sky_why *why)
{
    for (size_t i = 0; i < ROWS; i++) {
        char name[SKY_ENV_NAME_MAX];
        sky_config_env_name(rows[i].name, name);
        const char *value = rows[i].commands & command ? getenv(name) : NULL;
        /* Empty is as good as unset, but for a token: whoever sets one wants it asked for. */
        if (!value || (!*value && rows[i].at != AT(admin_token)))
            continue;
        sky_err err = rows[i].set == set_list ? set_each(config, &rows[i], value, why)
                                              : rows[i].set(config, &rows[i], value, why);
        if (err != SKY_OK) {
            char reason[SKY_WHY_REASON_MAX];
            memcpy(reason, why->reason, sizeof(reason));
            return sky_why_set(why, err, "", "%s: %.250s", name, reason);
        }
    }
    return SKY_OK;
}

/* ---- command line ---- */

struct getopt_tables {
    struct option options[ROWS + 2]; /* --help and the end */
    char letters[2 * ROWS + 5];
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
    for (size_t i = 0; i < ROWS; i++) {
        if (!(rows[i].commands & command))
            continue;
        int takes = rows[i].argument ? required_argument : no_argument;
        tables->options[count++] = (struct option){rows[i].name, takes, NULL, ROW_CODE + (int)i};
        if (rows[i].letter) {
            tables->letters[letters++] = rows[i].letter;
            tables->letters[letters] = ':';
            letters += rows[i].argument ? 1 : 0;
        }
    }
    tables->letters[letters] = '\0';
    tables->options[count] = (struct option){"help", no_argument, NULL, HELP_CODE};
}

static const struct option_row *row_of(enum sky_command command, int code)
{
    for (size_t i = 0; i < ROWS; i++)
        if ((rows[i].commands & command) &&
            (code == ROW_CODE + (int)i || (rows[i].letter && code == rows[i].letter)))
            return &rows[i];
    return NULL;
}

static sky_err bad_option(int code, const char *word, struct sky_why *why)
{
    if (code == ':')
        return sky_why_set(why, SKY_ERR_INVALID, "", "%.100s needs a value", word);
    return sky_why_set(why, SKY_ERR_INVALID, "", "%.100s: no such option here; see --help", word);
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
        const struct option_row *row = row_of(command, code);
        if (code == 'h' || code == HELP_CODE)
            config->help = true;
        else if (code == WORD_CODE)
            sky_strings_add(&config->args, optarg);
        else if (row)
            err = row->set(config, row, optarg ? optarg : "1", why);
        else
            err = bad_option(code, argv[optind - 1], why);
    }
    for (int i = optind; err == SKY_OK && i < argc; i++)
        sky_strings_add(command == SKY_COMMAND_SUITE_RUN ? &config->command : &config->args,
                        argv[i]);
    return err;
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
        name.len > SKY_HOST_MAX || sky_span_contains(name, SKY_SPAN(" ")))
        return false;
    if (name.len > 0 && !sky_span_copy(name, host, SKY_HOST_MAX + 1))
        return false;
    *ret_port = port;
    return true;
}

static sky_err unknown_listener(const char *text, struct sky_why *why)
{
    char names[160] = "all";
    size_t len = strlen(names);
    const struct sky_listener_row *row;

    for (size_t i = 0; (row = sky_listener_row(i)) && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, ", %s", row->name);
    return sky_why_set(why, SKY_ERR_INVALID, "",
                       "--listen %.60s: give NAME=HOST:PORT, NAME=PORT or NAME=off with a NAME of "
                       "%s",
                       text, names);
}

/* One port cannot be everybody's. */
static sky_err share_port(const char *text, struct sky_why *why)
{
    return sky_why_set(why, SKY_ERR_INVALID, "",
                       "--listen %.100s: all listeners cannot share a port; give all=0, all=HOST:0 "
                       "or all=off",
                       text);
}

/* Of several that name the same listener the last wins; "all" names every one. */
static sky_err place_listener(struct sky_config *config, const char *text, struct sky_why *why)
{
    struct sky_listen want = {0};
    sky_span name, where;

    if (!sky_span_cut(sky_span_str(text), '=', &name, &where))
        return unknown_listener(text, why);
    want.off = sky_span_eq_str(where, "off");
    if (!want.off && !sky_config_parse_address(where, want.host, &want.port)) {
        return sky_why_set(why, SKY_ERR_INVALID, "",
                           "--listen %.100s: give HOST:PORT ([ADDRESS]:PORT for IPv6), PORT or off",
                           text);
    }
    bool all = sky_span_eq_str(name, "all"), found = false;
    if (all && want.port != 0)
        return share_port(text, why);
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
    return found ? SKY_OK : unknown_listener(text, why);
}

/* A command's own server is for that command: it takes free ports unless told otherwise. */
static sky_err place_listeners(struct sky_config *config, enum sky_command command,
                               struct sky_why *why)
{
    const struct sky_listener_row *row;
    sky_err err = SKY_OK;

    if (strlen(config->host) > SKY_HOST_MAX) {
        return sky_why_set(why, SKY_ERR_LIMIT, "", "--host is longer than %d characters",
                           SKY_HOST_MAX);
    }
    for (size_t i = 0; (row = sky_listener_row(i)); i++) {
        config->listen = sky_mem_grow(config->listen, (i + 1) * sizeof(*config->listen));
        config->listen[i] =
            (struct sky_listen){.row = row, .port = command & OWNING ? 0 : row->port};
        memcpy(config->listen[i].host, config->host, strlen(config->host) + 1);
        config->listen_count = i + 1;
    }
    for (size_t i = 0; err == SKY_OK && i < config->listen_texts.count; i++)
        err = place_listener(config, config->listen_texts.list[i], why);
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
    for (size_t i = 0; i < ROWS; i++) {
        struct sky_why why;
        if (rows[i].standard) {
            sky_err err = rows[i].set(config, &rows[i], rows[i].standard, &why);
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
        err = sky_why_set(why, SKY_ERR_INVALID, "", "--tls-cert and --tls-key go together");
    return err;
}

void sky_config_done(struct sky_config *config)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].set == set_list)
            sky_strings_done(member(config, &rows[i]));
        else if (rows[i].set == set_text || rows[i].set == set_any_text || rows[i].set == set_url ||
                 rows[i].set == set_forward)
            free(*(char **)member(config, &rows[i]));
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

void sky_config_help(FILE *out, enum sky_command command)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct option_row *row = &rows[i];
        char name[SKY_ENV_NAME_MAX], left[80], text[512], letter[8] = "    ";
        if (!(row->commands & command))
            continue;
        sky_config_env_name(row->name, name);
        if (row->letter)
            snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        snprintf(left, sizeof(left), "%s--%s %s", letter, row->name,
                 row->argument ? row->argument : "");
        int len =
            snprintf(text, sizeof text, "%s%s [%s%s%s%s]", row->help,
                     row->set == set_list ? " (repeatable)" : "", row->standard ? "default " : "",
                     row->standard ? row->standard : "", row->standard ? "; " : "", name);
        SKY_ASSERT(len < (int)sizeof text);
        print_option(out, left, text);
    }
    print_option(out, "-h, --help", "this text");
}
