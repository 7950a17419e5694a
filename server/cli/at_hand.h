/* The server that commands are run against, and what they are told of it: one of their own, or one
 * that runs already. One of their own is a child process, so that whatever becomes of it is an exit
 * status here. */
#ifndef SKY_SERVER_CLI_AT_HAND_H
#define SKY_SERVER_CLI_AT_HAND_H

#include <limits.h>
#include <sys/types.h>

#include "server/os/config.h"

struct sky_at_hand {
    pid_t pid;                   /* 0: it is not ours */
    char url[SKY_HOST_MAX + 32]; /* of its admin listener; empty: that is off */
    char ca[PATH_MAX];           /* file of the certificate to trust; empty: none */
    char doors[256];             /* of devices, as the environment has them: "SKYMOCK_PORT_..=.." */
};

/* Starts a server. Returns once it serves, and whatever is started from now on is told where, by
 * SKYMOCK_... in its environment. Anything but SKY_EXIT_OK: there is none, and this is what to exit
 * with. */
int sky_at_hand_start(const struct sky_config *config, struct sky_at_hand *ret_server);
/* The same of the server at config->url. */
int sky_at_hand_find(const struct sky_config *config, struct sky_at_hand *ret_server);
/* Ends it if it is ours. Returns SKY_EXIT_OK, or TROUBLE when it did not end well. */
int sky_at_hand_leave(struct sky_at_hand *server);

#endif
