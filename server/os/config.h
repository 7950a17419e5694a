/* The command line and environment as one value. The option table in options.c parses, documents
 * and reads the environment; nothing else of the program looks at argv or getenv().
 * Opens no file and resolves no name: a path or host is only text here. */
#ifndef SKY_SERVER_OS_CONFIG_H
#define SKY_SERVER_OS_CONFIG_H

#include <stdio.h>

#include "protocol/base/err.h"
#include "protocol/base/rule.h"
#include "protocol/cloud/cloud.h"

enum {
    SKY_HOST_MAX = 255, /* characters of a host name or address */
    SKY_ENV_NAME_MAX = 64,
    SKY_CONFIG_LIST_MAX = 1000, /* values of one repeatable option */
    SKY_OPTIONS_MAX = 96,       /* rows of the table */
    SKY_OPTION_TIMEOUT_MAX_S = 7 * 24 * 3600,
    SKY_OPTION_BYTES_MIN = 64 * 1024,
    SKY_OPTION_EVENTS_MIN = 100,
};
#define SKY_OPTION_BYTES_MAX (INT64_C(16) << 30)
#define SKY_OPTION_EVENTS_MAX INT64_C(100000000)

enum sky_log_level { SKY_LOG_ERROR, SKY_LOG_WARNING, SKY_LOG_INFO, SKY_LOG_DEBUG };

/* The subcommands, or'ed where an option belongs to several. */
enum sky_command {
    SKY_COMMAND_SERVE = 1 << 0,
    SKY_COMMAND_CHECK = 1 << 1,
    SKY_COMMAND_SIGN = 1 << 2,
    SKY_COMMAND_EXPLAIN = 1 << 3,
    SKY_COMMAND_RULES = 1 << 4,
    SKY_COMMAND_VERDICT = 1 << 5,
    SKY_COMMAND_EXEC = 1 << 6,
    SKY_COMMAND_HEALTHCHECK = 1 << 7,
    SKY_COMMAND_CA = 1 << 8,
    SKY_COMMAND_EVENTS = 1 << 9,
    SKY_COMMAND_HOSTS = 1 << 10,
    SKY_COMMAND_SUITE_RUN = 1 << 11,
    SKY_COMMAND_SUITE_LIST = 1 << 12,
};

/* An owned list of owned strings, with NULL behind the last. */
struct sky_strings {
    char **list;
    size_t count;
    size_t inherited; /* so many of them, the first, are from the environment */
};
void sky_strings_add(struct sky_strings *strings, const char *text); /* copies */
void sky_strings_done(struct sky_strings *strings);

/* Where one listener is to be. */
struct sky_listen {
    const struct sky_listener_row *row;
    char host[SKY_HOST_MAX + 1]; /* without brackets */
    uint16_t port;               /* 0: any free one */
    bool off;
};

/* Strings are owned and NULL when not given; booleans are false. */
struct sky_config {
    bool help;

    struct sky_strings fixtures;
    char *store;               /* ":memory:" unless given */
    char *host;                /* where listeners are that name no host of their own */
    struct sky_listen *listen; /* owned, in the order of sky_listener_row(); set by parsing */
    size_t listen_count;
    struct sky_strings listen_texts; /* as given: NAME=HOST:PORT, NAME=PORT, NAME=off; the
                                       NAME all is every one */
    char *ports_file;
    enum sky_profile profile;
    struct sky_strings rules; /* "ID=action"; checked against the catalogue by whoever has it */
    char *admin_token;
    struct sky_strings admin_hosts; /* further names of the admin listener */
    bool seeded;                    /* `seed` was given: everything random is drawn from it */
    int64_t seed;
    enum sky_log_level log_level;
    struct sky_strings san; /* further names for the server certificate */
    char *tls_cert, *tls_key, *tls_ca;
    char *advertise_host; /* what answers tell devices to connect to; NULL: where they came in */
    char *forward;        /* URL that uplinks are handed to */
    char *forward_ca;
    char *capture;    /* file for what passes, in the clear */
    char *tls_keylog; /* file for the secrets of TLS and DTLS sessions */
    size_t journal_bytes, journal_events;

    bool json, tls, dynamic;
    char *client_id, *username, *password, *form;
    uint16_t keepalive_s;

    char *url, *device, *product, *junit, *html, *json_file, *baseline;
    struct sky_strings devices, cases; /* of a suite */
    char *setup;                       /* shell command before each of its cases */
    bool url_given;                    /* or it is the standard one */
    bool strict, run;   /* a warning counts as a failure; the whole run, not only the chapter */
    char *events;       /* file for them */
    uint32_t timeout_s; /* for the command; 0: none */
    bool quiet, follow, dnsmasq, as_c, as_der;
    char *types; /* of events, with commas between */
    char *ip;

    /* Not ours, from the environment alone. */
    bool annotates; /* a GitHub workflow reads what is printed */
    char *tmp_dir;

    char origin[SKY_ENV_NAME_MAX]; /* of the value at hand, while parsing: --NAME or SKYMOCK_NAME */
    bool inherited[SKY_OPTIONS_MAX]; /* the row's value is from the environment */

    struct sky_strings args;    /* what is not an option */
    struct sky_strings command; /* of a suite, what stands behind "--" */
};

/* Environment first, then the command line (argv[0] is skipped), so that the latter wins; lists
 * take both. `config` may then be read and must be given to sky_config_done(), whatever the
 * result. On failure `why` has the one line for the user. */
SKY_MUST_USE sky_err sky_config_parse(struct sky_config *config, enum sky_command command, int argc,
                                      char **argv, struct sky_why *why);
void sky_config_done(struct sky_config *config);

/* What --help shows of one command's options, from the same table. */
void sky_config_help(FILE *out, enum sky_command command);

/* "some-name" as the environment spells it: SKYMOCK_SOME_NAME. */
void sky_config_env_name(const char *name, char out[SKY_ENV_NAME_MAX]);

/* Which option, or variable of the environment, a member is from, and of a list its value at
 * `index`: "--store", "SKYMOCK_STORE". */
void sky_config_origin(const struct sky_config *config, const void *member, size_t index,
                       char out[SKY_ENV_NAME_MAX]);
/* Puts that in front of the reason; returns `err`. */
sky_err sky_config_blame(const struct sky_config *config, const void *member, size_t index,
                         sky_err err, struct sky_why *why);

/* Says which variables of the environment are not read, but have nearly the name of one that is. */
void sky_config_tell_slips(FILE *out);

/* Where the listener of this row goes; never NULL after a successful parse. */
const struct sky_listen *sky_config_listen(const struct sky_config *config,
                                           const struct sky_listener_row *row);

/* "HOST:PORT", "[v6]:PORT", ":PORT" or "PORT"; an absent host leaves `host` as it is. */
SKY_MUST_USE bool sky_config_parse_address(sky_span text, char host[SKY_HOST_MAX + 1],
                                           uint16_t *ret_port);
/* "http://HOST[:PORT][/]". */
SKY_MUST_USE bool sky_config_parse_url(const char *url, char host[SKY_HOST_MAX + 1],
                                       uint16_t *ret_port);

#endif
