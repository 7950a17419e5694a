/* Captures: what devices and the server say to each other, as pcapng, in the clear, whatever
 * encrypted it: as the TCP or UDP that would have carried it to the listener's port, with the real
 * addresses and times. What broke a rule stands as a comment at the packet that did. One goes to a
 * file, others are kept in memory; the oldest packets of those make room, and what a disk does not
 * take in time is left out: either is counted. */
#ifndef SKY_SERVER_CAPTURE_CAPTURES_H
#define SKY_SERVER_CAPTURE_CAPTURES_H

#include <uv.h>

#include "protocol/base/err.h"
#include "server/journal/journal.h"
#include "server/net/conn.h"
#include "server/net/tap.h"

enum {
    SKY_CAPTURES_MAX = 8,                     /* in memory, running or not */
    SKY_CAPTURE_BYTES_MAX = 16 * 1024 * 1024, /* of one in memory; then the oldest packets go */
    SKY_CAPTURE_QUEUE_MAX = 8 * 1024 * 1024,  /* bytes that wait for the disk; then new ones go */
    SKY_CAPTURE_CHUNK = 64 * 1024,            /* bytes that go together */
    SKY_CAPTURE_NAME_MAX = 64,
    SKY_CAPTURE_COMMENTS_MAX = 8 * 1024, /* bytes of findings that wait for a packet */
};

struct sky_capture_chunk;
struct sky_capture_file;
struct sky_capture_flow;

struct sky_capture {
    int64_t id; /* 0: it goes to a file */
    char name[SKY_CAPTURE_NAME_MAX + 1];
    int64_t began_ms; /* real time */
    bool running;
    uint64_t packets, lost;           /* seen; and of those, not here any more, or never written */
    size_t bytes;                     /* that are held */
    struct sky_capture_chunk *chunks; /* owned list, oldest first */
    struct sky_capture_flow *flows;   /* owned hash, by connection */
    struct sky_capture_file *file;    /* owned; NULL: in memory */
    const struct sky_capture_flow *tail; /* whose packet was the last in this turn; NULL: a
                                            finding now is about none of this turn's */
    size_t tail_block;                   /* where it begins, in the last chunk */
    struct sky_capture *prev, *next;
};

/* Embedded. */
struct sky_captures {
    struct sky_tap tap;
    struct sky_net *net; /* borrowed: has the tap while something runs */
    struct sky_journal *journal;
    struct sky_capture *list; /* owned */
    size_t count;             /* of those in memory */
    int64_t last_id;
};

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
/* What it has so far, as a file; for one in memory. */
void sky_capture_read(const struct sky_captures *self, const struct sky_capture *capture,
                      struct sky_buf *out);

/* The end of a turn of the loop. */
void sky_captures_turn(struct sky_captures *self);

#endif
