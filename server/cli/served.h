/* What a running server says of itself: where its listeners are, and one of its devices. */
#ifndef SKY_SERVER_CLI_SERVED_H
#define SKY_SERVER_CLI_SERVED_H

#include "server/cli/cli.h"

enum { SKY_PLACES_MAX = 16 };

/* Where the lines that are printed lead to. */
struct sky_cli_place {
    char host[SKY_HOST_MAX + 1];
    uint16_t ports[SKY_PLACES_MAX]; /* in the order of sky_listener_row(); 0: off */
};

/* Every listener where it is unless somebody moves it. */
void sky_cli_place_standard(struct sky_cli_place *ret_place);

/* The server at config->url: its places, and the device that the one argument names, as it has it
 * now, with its clock. Call sky_cli_device_done() whatever the result. */
SKY_MUST_USE sky_err sky_cli_device_ask(const struct sky_config *config,
                                        struct sky_cli_device *device,
                                        struct sky_cli_place *ret_place, struct sky_why *why);

#endif
