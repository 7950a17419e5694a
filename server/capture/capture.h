/* A capture as the parts of this room share it; see captures.h. */
#ifndef SKY_SERVER_CAPTURE_CAPTURE_H
#define SKY_SERVER_CAPTURE_CAPTURE_H

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
    SKY_CAPTURE_FLOWS_MAX = 100000, /* connections that one sees at once; of more it sees nothing */
    SKY_CAPTURE_COMMENTS_MAX = 8 * 1024, /* bytes of findings that wait for a packet */
};

struct sky_capture_file;
struct sky_capture_flow;

/* Blocks that come and go together. */
struct sky_capture_chunk {
    struct sky_buf bytes;
    uint64_t packets;
    unsigned readers; /* who has it as well: it stays until the last has done with it */
    bool sealed;      /* nothing is added any more: the disk has it, or a reader */
    struct sky_capture_chunk *prev, *next;
};

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

#endif
