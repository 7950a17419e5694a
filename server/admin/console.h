/* The console: the files of server/admin/console, which are in the program. */
#ifndef SKY_SERVER_ADMIN_CONSOLE_H
#define SKY_SERVER_ADMIN_CONSOLE_H

#include "server/os/embedded.h"

extern const struct sky_embedded sky_console_files[];
extern const size_t sky_console_files_count;

#endif
