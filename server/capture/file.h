/* A capture on its way to a file: chunk by chunk, by another thread, so that a slow disk holds
 * nobody up. */
#ifndef SKY_SERVER_CAPTURE_FILE_H
#define SKY_SERVER_CAPTURE_FILE_H

#include "server/capture/capture.h"

/* Opens the file, from nothing, for a capture that has just begun. */
SKY_MUST_USE sky_err sky_capture_file_open(struct sky_captures *self, struct sky_capture *capture,
                                           const char *path, struct sky_why *why);
/* The end of a turn: what has come in it may be written. False: the file has failed, and so the
 * capture ends. */
bool sky_capture_file_turn(struct sky_capture *capture);
/* All that is left is written as the loop runs. */
void sky_capture_file_close(struct sky_captures *self, struct sky_capture *capture);
void sky_capture_file_free(
    struct sky_capture_file *file); /* the loop has run empty; NULL is fine */

#endif
