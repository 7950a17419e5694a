/* Small files read and written whole. Knows nothing of what is in them. */
#ifndef SKY_SERVER_OS_FILES_H
#define SKY_SERVER_OS_FILES_H

#include <sys/types.h>

#include "protocol/base/buf.h"

/* Appends the file to `text`. NOT_FOUND when there is none, LIMIT when it is longer than `text`
 * may hold, IO otherwise; `why` then names the file. */
SKY_MUST_USE sky_err sky_files_read(const char *path, struct sky_buf *text, struct sky_why *why);

/* Writes the file so that, whenever the program or the machine stops, there is either the old one
 * or the new one. What is no regular file (a device, a pipe, /dev/stdout) stays, and is written
 * into. */
SKY_MUST_USE sky_err sky_files_write(const char *path, mode_t mode, sky_span bytes,
                                     struct sky_why *why);

#endif
