/* A bound on what all peers together leave unread, besides the one that each has of its own: the
 * memory of a server does not grow with the number of those that do not read. What counts is
 * memory: buffers by their size, filled or not; of what several wait for, each has a copy that
 * counts, and what a session keeps until its device acknowledges it is not output yet, and has the
 * cloud's own limits. When the bound is passed, who has most waiting goes first, so that a device
 * that only reads slowly stays. Looking for that one happens then only. */
#ifndef SKY_SERVER_NET_PENDING_H
#define SKY_SERVER_NET_PENDING_H

#include "server/net/conn.h"

enum {
    SKY_PENDING_MAX = 256 * 1024 * 1024,     /* bytes */
    SKY_PENDING_EASE = SKY_PENDING_MAX / 16, /* that are free again after it was passed: the next
                                                look is not due at once */
};

void sky_pending__changed(struct sky_conn *conn, size_t bytes);

/* Books what waits for the peer at present. Where it was more output that is booked, connections
 * may end by it, this one too: they are marked for closing, and what they had is gone. */
static inline void sky_pending_book(struct sky_conn *conn)
{
    size_t bytes =
        conn->aborts || conn->shut ? 0 : conn->out.room + conn->sending.room + conn->aside;
    if (bytes != conn->pending)
        sky_pending__changed(conn, bytes);
}

/* Besides its output, the port keeps so many bytes that are for the peer. */
static inline void sky_pending_aside(struct sky_conn *conn, size_t bytes)
{
    conn->aside = bytes;
    sky_pending_book(conn);
}

#endif
