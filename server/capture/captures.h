/* Captures: what devices and the server say to each other, as pcapng, in the clear, whatever
 * encrypted it: as the TCP or UDP that would have carried it to the listener's port, with the real
 * addresses and times. What broke a rule stands as a comment at the packet that did. One goes to a
 * file, others are kept in memory; the oldest packets of those make room, and what a disk does not
 * take in time is left out: either is counted. */
#ifndef SKY_SERVER_CAPTURE_CAPTURES_H
#define SKY_SERVER_CAPTURE_CAPTURES_H

#include "server/capture/capture.h"

void sky_captures_init(struct sky_captures *self, struct sky_net *net, struct sky_journal *journal);
/* Everything stops, and goes on its way to the disk; needs loop turns after. */
void sky_captures_close(struct sky_captures *self);
void sky_captures_done(struct sky_captures *self); /* once the loop has run empty */

/* Captures into this file, from nothing, for as long as the server runs. */
SKY_MUST_USE sky_err sky_captures_open_file(struct sky_captures *self, const char *path,
                                            struct sky_why *why);
/* Captures into memory. NULL: there are too many. `name` is copied. */
struct sky_capture *sky_capture_new(struct sky_captures *self, const char *name);
/* NULL: there is none of this number. */
struct sky_capture *sky_capture_find(const struct sky_captures *self, int64_t id);
/* It keeps what it has. */
void sky_capture_stop(struct sky_captures *self, struct sky_capture *capture);
void sky_capture_drop(struct sky_captures *self, struct sky_capture *capture);
/* What one in memory has so far, as a file, whatever becomes of the capture meanwhile. Owned by the
 * caller. */
struct sky_capture_reading *sky_capture_read(const struct sky_captures *self,
                                             struct sky_capture *capture);
uint64_t sky_capture_reading_size(const struct sky_capture_reading *reading); /* bytes in all */
/* The next of them, `max` or less; empty: that was all. A view, until it is done. */
sky_span sky_capture_reading_next(struct sky_capture_reading *reading, size_t max);
void sky_capture_reading_done(struct sky_capture_reading *reading);

/* The end of a turn of the loop. */
void sky_captures_turn(struct sky_captures *self);

#endif
