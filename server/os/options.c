/* One row of the table is everything about an option: how it is spelt here and in the environment,
 * what --help says, which commands take it, and how its value is taken. */
#include "server/os/options.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

#include "protocol/base/mem.h"
#include "protocol/base/url.h"

#define SERVING (SKY_COMMAND_SERVE | SKY_COMMANDS_OWNING)
#define OFFLINE (SKY_COMMAND_SIGN | SKY_COMMAND_EXPLAIN)
#define ASKING (SKY_COMMAND_VERDICT | SKY_COMMAND_HEALTHCHECK | SKY_COMMAND_EVENTS)
#define JUDGING (SKY_COMMAND_VERDICT | SKY_COMMANDS_OWNING)

/* ---- how values are taken ---- */

sky_err sky_option_bad(const struct sky_config *config, const char *value, const char *wanted,
                       struct sky_why *why)
{
    if (*value == '\0')
        return sky_why_set(why, SKY_ERR_INVALID, "", "%s is empty: give %s", config->origin,
                           wanted);
    return sky_why_set(why, SKY_ERR_INVALID, "", "%s %.100s: give %s", config->origin, value,
                       wanted);
}

void *sky_option_member(struct sky_config *config, const struct sky_option *row)
{
    return (char *)config + row->at;
}

static void replace(char **slot, const char *value)
{
    free(*slot);
    *slot = sky_mem_dup(value, strlen(value));
}

static sky_err set_text(struct sky_config *config, const struct sky_option *row, const char *value,
                        struct sky_why *why)
{
    if (!*value)
        return sky_option_bad(config, value, row->argument, why);
    replace(sky_option_member(config, row), value);
    return SKY_OK;
}

/* A password may be empty on purpose. */
static sky_err set_any_text(struct sky_config *config, const struct sky_option *row,
                            const char *value, struct sky_why *why)
{
    (void)why;
    replace(sky_option_member(config, row), value);
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

static sky_err set_list(struct sky_config *config, const struct sky_option *row, const char *value,
                        struct sky_why *why)
{
    struct sky_strings *strings = sky_option_member(config, row);

    if (!*value)
        return sky_option_bad(config, value, row->argument, why);
    if (strings->count >= SKY_CONFIG_LIST_MAX) {
        return sky_why_set(why, SKY_ERR_LIMIT, "", "%s can be given %d times at most",
                           config->origin, SKY_CONFIG_LIST_MAX);
    }
    sky_strings_add(strings, value);
    return SKY_OK;
}

/* Switches have no value on the command line; in the environment they do. */
static sky_err set_switch(struct sky_config *config, const struct sky_option *row,
                          const char *value, struct sky_why *why)
{
    static const char *const words[] = {"0", "no", "off", "false", "1", "yes", "on", "true"};

    for (size_t i = 0; i < SKY_COUNT(words); i++) {
        if (strcasecmp(value, words[i]) == 0) {
            *(bool *)sky_option_member(config, row) = i >= SKY_COUNT(words) / 2;
            return SKY_OK;
        }
    }
    return sky_option_bad(config, value, "1 or 0", why);
}

static sky_err set_profile(struct sky_config *config, const struct sky_option *row,
                           const char *value, struct sky_why *why)
{
    (void)row;
    if (!sky_profile_parse(sky_span_str(value), &config->profile))
        return sky_option_bad(config, value, "seed or current", why);
    return SKY_OK;
}

static sky_err set_log_level(struct sky_config *config, const struct sky_option *row,
                             const char *value, struct sky_why *why)
{
    (void)row;
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
    return sky_option_bad(config, value, "error, warning, info or debug", why);
}

static sky_err set_seed(struct sky_config *config, const struct sky_option *row, const char *value,
                        struct sky_why *why)
{
    (void)row;
    if (!sky_span_to_int(sky_span_str(value), &config->seed))
        return sky_option_bad(config, value, "a whole number, 0 or more", why);
    config->seeded = true;
    return SKY_OK;
}

static sky_err set_keepalive(struct sky_config *config, const struct sky_option *row,
                             const char *value, struct sky_why *why)
{
    (void)row;
    int64_t seconds;

    if (!sky_span_to_int(sky_span_str(value), &seconds) || seconds > UINT16_MAX)
        return sky_option_bad(config, value, "seconds, 0 to 65535", why);
    config->keepalive_s = (uint16_t)seconds;
    return SKY_OK;
}

static sky_err set_url(struct sky_config *config, const struct sky_option *row, const char *value,
                       struct sky_why *why)
{
    char host[SKY_HOST_MAX + 1];
    uint16_t port;

    if (!sky_config_parse_url(value, host, &port))
        return sky_option_bad(config, value, "http://HOST:PORT, as its admin listener has it", why);
    config->url_given = true;
    return set_text(config, row, value, why);
}

static sky_err set_host(struct sky_config *config, const struct sky_option *row, const char *value,
                        struct sky_why *why)
{
    uint8_t address[16];

    if (strcmp(value, "localhost") != 0 && inet_pton(AF_INET, value, address) != 1 &&
        inet_pton(AF_INET6, value, address) != 1)
        return sky_option_bad(config, value, "an IP address of this machine, or localhost", why);
    return set_text(config, row, value, why);
}

static sky_err set_forward(struct sky_config *config, const struct sky_option *row,
                           const char *value, struct sky_why *why)
{
    struct sky_url url;

    if (!sky_url_parse(sky_span_str(value), &url))
        return sky_option_bad(config, value, "http://HOST[:PORT]/PATH, or the same with https",
                              why);
    return set_text(config, row, value, why);
}

static sky_err set_timeout(struct sky_config *config, const struct sky_option *row,
                           const char *value, struct sky_why *why)
{
    (void)row;
    int64_t seconds;

    if (!sky_span_to_int(sky_span_str(value), &seconds) || seconds < 1 ||
        seconds > SKY_OPTION_TIMEOUT_MAX_S)
        return sky_option_bad(config, value, "whole seconds, 1 to 604800", why);
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

static sky_err set_bytes(struct sky_config *config, const struct sky_option *row, const char *value,
                         struct sky_why *why)
{
    int64_t bytes;

    if (!parse_bytes(value, &bytes) || bytes < SKY_OPTION_BYTES_MIN || bytes > SKY_OPTION_BYTES_MAX)
        return sky_option_bad(config, value, "a size of 64K to 16G", why);
    *(size_t *)sky_option_member(config, row) = (size_t)bytes;
    return SKY_OK;
}

static sky_err set_events(struct sky_config *config, const struct sky_option *row,
                          const char *value, struct sky_why *why)
{
    int64_t events;

    if (!sky_span_to_int(sky_span_str(value), &events) || events < SKY_OPTION_EVENTS_MIN ||
        events > SKY_OPTION_EVENTS_MAX)
        return sky_option_bad(config, value, "a count of 100 to 100000000", why);
    *(size_t *)sky_option_member(config, row) = (size_t)events;
    return SKY_OK;
}

/* ---- the table ---- */

#define AT(field) offsetof(struct sky_config, field)
/* Of what follows, in --help. */
#define HEADING(text)                                                                              \
    {                                                                                              \
        text, 0, NULL, NULL, NULL, 0, NULL, 0                                                      \
    }

const struct sky_option sky_options[] = {
    HEADING("Devices"),
    {"fixtures", 'f', "PATH", NULL, "products and devices: a JSON file, or a folder of them",
     SERVING | SKY_COMMAND_HOSTS, set_list, AT(fixtures)},
    {"fixtures", 'f', "PATH", NULL,
     "products and devices: a JSON file, or a folder of them; without, ./fixtures if it is there",
     OFFLINE, set_list, AT(fixtures)},
    {"store", 's', "FILE", ":memory:", "keep devices, sessions and events in this database file",
     SERVING, set_text, AT(store)},
    {"store", 's', "FILE", ":memory:", "the database file of a server, which must not run", OFFLINE,
     set_text, AT(store)},
    {"store", 's', "FILE", NULL, "the database file of a server, beside which its certificates are",
     SKY_COMMAND_CA, set_text, AT(store)},
    HEADING("Listeners"),
    {"listen", 'l', "NAME=WHERE", NULL,
     "move one listener: NAME=HOST:PORT, NAME=PORT or NAME=off; port 0 takes a free one; the NAME "
     "all is every one; unless moved they are",
     SKY_COMMAND_SERVE, set_list, AT(listen_texts)},
    {"listen", 'l', "NAME=WHERE", NULL,
     "move one listener: NAME=HOST:PORT, NAME=PORT or NAME=off; the NAME all is every one; unless "
     "moved each takes a free port, which COMMAND is told as SKYMOCK_PORT_NAME:",
     SKY_COMMANDS_OWNING, set_list, AT(listen_texts)},
    {"host", 0, "HOST", "127.0.0.1", "where listeners are that name no host of their own", SERVING,
     set_host, AT(host)},
    {"ports-file", 0, "FILE", NULL, "write the ports in use here, as JSON, when ready", SERVING,
     set_text, AT(ports_file)},
    {"advertise-host", 0, "HOST", NULL,
     "tell devices to connect here; the certificate carries it too", SERVING | SKY_COMMAND_CA,
     set_text, AT(advertise_host)},
    HEADING("Admin API"),
    {"admin-token", 0, "TOKEN", NULL, "ask for this bearer token on the admin API", SERVING,
     set_text, AT(admin_token)},
    {"admin-host", 0, "NAME", NULL,
     "a further host name that the admin API is asked under, besides localhost and addresses",
     SERVING, set_list, AT(admin_hosts)},
    HEADING("Certificates"),
    {"san", 0, "NAME", NULL, "a further host name or address in the server's own certificate",
     SERVING | SKY_COMMAND_CA, set_list, AT(san)},
    {"tls-cert", 0, "FILE", NULL, "serve this certificate chain (PEM) instead of an own one",
     SERVING | SKY_COMMAND_CA, set_text, AT(tls_cert)},
    {"tls-key", 0, "FILE", NULL, "the key of --tls-cert (PEM)", SERVING | SKY_COMMAND_CA, set_text,
     AT(tls_key)},
    {"tls-ca", 0, "FILE", NULL, "certificates that vouch for devices (PEM)",
     SERVING | SKY_COMMAND_CA, set_text, AT(tls_ca)},
    HEADING("Rules"),
    {"profile", 'p', "NAME", "seed",
     "whose word counts: seed (the documents the clouds started with) or current",
     SERVING | SKY_COMMAND_EXPLAIN | SKY_COMMAND_RULES, set_profile, AT(profile)},
    {"rule", 'r', "ID=ACTION", NULL, "what a broken rule does: enforce, report or off",
     SERVING | SKY_COMMAND_EXPLAIN | SKY_COMMAND_RULES, set_list, AT(rules)},
    HEADING("Recording"),
    {"journal-bytes", 0, "SIZE", "32M", "memory for the journal; the oldest events go first",
     SERVING, set_bytes, AT(journal_bytes)},
    {"journal-events", 0, "N", "500000", "events kept at most", SERVING, set_events,
     AT(journal_events)},
    {"capture", 0, "FILE", NULL,
     "write what devices and skymock say here, as pcapng for Wireshark, in the clear", SERVING,
     set_text, AT(capture)},
    {"tls-keylog", 0, "FILE", NULL,
     "append the secrets of TLS and DTLS sessions here, for whoever captured the encrypted wire",
     SERVING, set_text, AT(tls_keylog)},
    {"forward", 0, "URL", NULL,
     "hand every message that a device publishes to this server, by HTTP POST, as JSON", SERVING,
     set_forward, AT(forward)},
    {"forward-ca", 0, "FILE", NULL,
     "believe an https --forward server by these certificates (PEM) instead of the system's",
     SERVING, set_text, AT(forward_ca)},
    HEADING("The server to ask"),
    {"url", 0, "URL", "http://127.0.0.1:8080", "the admin listener of the server to ask",
     ASKING | SKY_COMMAND_CA | SKY_COMMAND_SIGN | SKY_COMMAND_SUITE_RUN, set_url, AT(url)},
    {"admin-token", 0, "TOKEN", NULL, "the server's bearer token, if it asks for one",
     ASKING | SKY_COMMAND_SIGN, set_text, AT(admin_token)},
    HEADING("The login"),
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
    HEADING("Which ones"),
    {"device", 'd', "NAME", NULL, "only this device: CLOUD/PRODUCT/DEVICE",
     SKY_COMMAND_VERDICT | SKY_COMMAND_EXEC | SKY_COMMAND_EVENTS, set_text, AT(device)},
    {"device", 'd', "NAME", NULL, "the device the cases are for: CLOUD/PRODUCT/DEVICE",
     SKY_COMMAND_SUITE_RUN, set_list, AT(devices)},
    {"case", 'c', "ID", NULL, "only this case", SKY_COMMAND_SUITE_RUN, set_list, AT(cases)},
    {"product", 0, "NAME", NULL, "only this product's devices: CLOUD/PRODUCT",
     SKY_COMMAND_VERDICT | SKY_COMMAND_EXEC | SKY_COMMAND_EVENTS, set_text, AT(product)},
    {"product", 0, "NAME", NULL,
     "in --html and --events, besides the cases, only this product's devices: CLOUD/PRODUCT",
     SKY_COMMAND_SUITE_RUN, set_text, AT(product)},
    {"type", 't', "TYPES", NULL, "only events of these types, with commas between them",
     SKY_COMMAND_EVENTS, set_text, AT(types)},
    {"run", 0, NULL, NULL, "the whole run, not only what came since the last reset",
     SKY_COMMAND_VERDICT | SKY_COMMAND_EVENTS, set_switch, AT(run)},
    {"follow", 0, NULL, NULL, "go on with what happens next, until interrupted", SKY_COMMAND_EVENTS,
     set_switch, AT(follow)},
    HEADING("COMMAND and the cases"),
    {"setup", 0, "CMD", NULL,
     "run this shell command before each case: power-cycle, flash, start the device again",
     SKY_COMMAND_SUITE_RUN, set_text, AT(setup)},
    {"timeout", 0, "SECONDS", NULL,
     "end COMMAND and all it started when it takes longer; the exit status is then 124",
     SKY_COMMANDS_OWNING, set_timeout, 0},
    HEADING("Reports"),
    {"strict", 0, NULL, NULL, "exit 1 for what is warned about too", JUDGING, set_switch,
     AT(strict)},
    {"baseline", 0, "FILE", NULL,
     "an earlier report as JSON: exit 1 when a rule or a figure has become worse since", JUDGING,
     set_text, AT(baseline)},
    {"junit", 0, "FILE", NULL, "write the report as JUnit XML here", JUDGING, set_text, AT(junit)},
    {"html", 0, "FILE", NULL, "write the report as a page to read and to print here", JUDGING,
     set_text, AT(html)},
    {"json", 0, "FILE", NULL, "write the report as JSON here", JUDGING, set_text, AT(json_file)},
    {"events", 0, "FILE", NULL, "write the journal of the run here, a JSON object a line",
     SKY_COMMANDS_OWNING, set_text, AT(events)},
    HEADING("What is printed"),
    {"ip", 0, "ADDRESS", "127.0.0.1", "where skymock can be reached", SKY_COMMAND_HOSTS, set_text,
     AT(ip)},
    {"dnsmasq", 0, NULL, NULL, "as options of dnsmasq, which knows subdomains too",
     SKY_COMMAND_HOSTS, set_switch, AT(dnsmasq)},
    {"c", 0, NULL, NULL, "as a string in C, for SDKs that compile it in", SKY_COMMAND_CA,
     set_switch, AT(as_c)},
    {"der", 0, NULL, NULL, "in DER", SKY_COMMAND_CA, set_switch, AT(as_der)},
    {"json", 0, NULL, NULL, "print JSON",
     OFFLINE | SKY_COMMAND_RULES | SKY_COMMAND_EVENTS | SKY_COMMAND_SUITE_LIST, set_switch,
     AT(json)},
    {"log-level", 0, "LEVEL", "warning", "error, warning, info or debug", SERVING, set_log_level,
     AT(log_level)},
    {"quiet", 'q', NULL, NULL, "do not print refusals", SKY_COMMAND_SERVE, set_switch, AT(quiet)},
    {"quiet", 'q', NULL, NULL, "do not say that nothing connected", SKY_COMMAND_EXEC, set_switch,
     AT(quiet)},
    {"quiet", 'q', NULL, NULL, "print only the cases that did not pass, and the summary",
     SKY_COMMAND_SUITE_RUN, set_switch, AT(quiet)},
    HEADING("Others"),
    {"seed", 0, "N", NULL, "draw everything random from this number, for runs that repeat",
     SERVING | SKY_COMMAND_SIGN, set_seed, AT(seed)},
};
const size_t sky_option_count = SKY_COUNT(sky_options);

_Static_assert(SKY_COUNT(sky_options) <= SKY_OPTIONS_MAX, "each has room in config->inherited");

bool sky_option_is_list(const struct sky_option *row)
{
    return row->set == set_list;
}

void sky_option_done(struct sky_config *config, const struct sky_option *row)
{
    char **text = sky_option_member(config, row);

    if (row->set == set_list) {
        sky_strings_done(sky_option_member(config, row));
    } else if (row->set == set_text || row->set == set_any_text || row->set == set_url ||
               row->set == set_host || row->set == set_forward) {
        free(*text);
        *text = NULL; /* rows of several commands may share it */
    }
}
