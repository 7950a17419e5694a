/* The option table: private to command_line.c, which parses by it, documents it and reads the
 * environment by it. */
#ifndef SKY_SERVER_OS_OPTIONS_H
#define SKY_SERVER_OS_OPTIONS_H

#include "server/os/config.h"

struct sky_option;
typedef sky_err sky_option_set(struct sky_config *config, const struct sky_option *row,
                               const char *value, struct sky_why *why);

struct sky_option {
    const char *name;     /* long name; also the environment's, as SKYMOCK_NAME_WITH_UNDERSCORES */
    char letter;          /* 0: none */
    const char *argument; /* placeholder in --help; NULL: a switch */
    const char *standard; /* its value when nobody sets it, for --help; NULL: none */
    const char *help;
    unsigned commands; /* 0: no option, but the heading of those that follow */
    sky_option_set *set;
    size_t at; /* the member of struct sky_config that `set` fills */
};

extern const struct sky_option sky_options[];
extern const size_t sky_option_count;

void *sky_option_member(struct sky_config *config, const struct sky_option *row);
bool sky_option_is_list(const struct sky_option *row); /* its member is a struct sky_strings */
void sky_option_done(struct sky_config *config, const struct sky_option *row);

/* INVALID: "--seed x: give a whole number", where the value is from. */
sky_err sky_option_bad(const struct sky_config *config, const char *value, const char *wanted,
                       struct sky_why *why);

/* The command's own server, which takes free ports. */
#define SKY_COMMANDS_OWNING (SKY_COMMAND_EXEC | SKY_COMMAND_SUITE_RUN)

#endif
