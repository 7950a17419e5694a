/* Connections: accepted TCP peers, bytes in, bytes out, and who speaks for each.
 * Input: the port's on_bytes() sees the clear bytes that are there and says how many it used; the
 * rest is kept and shown again with more behind it. Output: appended to sky_conn_out() and flushed
 * at the end of the loop's turn. A connection is never freed inside its own callback:
 * sky_conn_close() marks it, and it is reaped when its turn has come to be flushed. Knows ports by
 * their table of functions only. */
#ifndef SKY_SERVER_NET_CONN_H
#define SKY_SERVER_NET_CONN_H

#include "server/net/net.h"
#include "server/net/work.h"

/* How it came in, to be written to: from now on its own. */
struct sky_door *sky_conn_own_door(struct sky_conn *conn);

/* The connection's output, ready to append to; marks it for this turn's flush. Peers that let more
 * than SKY_CONN_OUTPUT_MAX pile up are closed when the turn ends. */
struct sky_buf *sky_conn_out(struct sky_conn *conn);
void sky_conn_touch(struct sky_conn *conn); /* it has something for the end of the turn */
void sky_conn_write(struct sky_conn *conn, sky_span bytes);
/* The port keeps so many bytes for the peer besides: they count among what waits for it. */
void sky_conn_keeps(struct sky_conn *conn, size_t bytes);

/* Reads from the peer from now on. */
void sky_conn_start(struct sky_conn *conn);
/* Clear bytes from the peer, for whoever takes off what they were wrapped in. */
void sky_conn_clear(struct sky_conn *conn, sky_span in);
/* From within the port's on_bytes(): what it leaves of its input, and whatever comes after, is
 * wrapped, and the port that it has set meanwhile gets what is in it. */
void sky_conn_wrap(struct sky_conn *conn, const struct sky_wrap *wrap, void *wrapping);
/* What the wrapping has taken off: for the port. */
void sky_conn_deliver(struct sky_conn *conn, sky_span in);
/* Shows the kept input to the port again, for ports that left it until they were ready. */
void sky_conn_offer(struct sky_conn *conn);
/* Stops or resumes reading from the peer, for ports that push back. */
void sky_conn_hold(struct sky_conn *conn, bool hold);

/* Marks for closing: nothing is read any more, what was written is flushed, then it goes.
 * Idempotent; the first reason (a static string) counts. */
void sky_conn_close(struct sky_conn *conn, const char *reason);
/* The same, where it is the peer that ended it. */
void sky_conn_gone(struct sky_conn *conn, const char *reason);
/* The same for a peer that may still be sending and is to read why it is closed: it gets the end of
 * our side first, and what it sends is thrown away for a while, for a socket that is closed with
 * bytes unread resets, and takes back what was written (RFC 9112 §9.6). */
void sky_conn_close_gently(struct sky_conn *conn, const char *reason);
/* The cloud ends the connection `in_ms` of virtual time from now. */
void sky_conn_cut(struct sky_conn *conn, int64_t in_ms);

/* The address the peer has reached, "127.0.0.1", in `out` of at least 64 bytes. */
sky_span sky_conn_local(struct sky_conn *conn, char *out, size_t out_size);
/* "127.0.0.1:40123" into `out` of at least 64 bytes; nothing when the address is not known. */
void sky_address_text(const struct sockaddr *address, char *out, size_t out_size);
void sky_conn_peer(struct sky_conn *conn, char *out, size_t out_size);

/* Is this the first of a TLS handshake, on a listener that speaks TLS? */
static inline bool sky_conn_begins_tls(const struct sky_conn *conn, sky_span in)
{
    return !conn->sniffed && conn->work->tls == NULL && in.len > 0 && in.ptr[0] == 0x16 &&
           (conn->door->listener->allows & SKY_LISTEN_TLS);
}

/* ---- what is told ---- */

/* The head of an event about this connection. */
struct sky_event_head sky_conn_event(const struct sky_conn *conn, enum sky_event_type type,
                                     enum sky_direction direction);
/* Records that the peer is turned away for what it sent: the rule it broke, the bytes that did, and
 * what was wrong in one phrase. */
void sky_conn_refused(struct sky_conn *conn, const struct sky_rule *rule, sky_span bytes,
                      const char *what);
/* Turns away a peer for whom more waits than `waiting` holds; else nothing. */
void sky_conn_refuse_backlog(struct sky_conn *conn, const struct sky_buf *waiting);
/* Records the end of a connection and its reason. */
void sky_conn_left(struct sky_conn *conn);

/* Has the peer sent what nobody has had the time to read? Then it is not the peer that is slow, and
 * whoever asks waits for it, for SKY_CONN_EXCUSE_MS. True once, until the peer is heard again: see
 * sky_conn_is_heard(). */
enum { SKY_CONN_EXCUSE_MS = 1000 };
bool sky_conn_is_unheard(struct sky_conn *conn);
static inline void sky_conn_is_heard(struct sky_conn *conn)
{
    conn->excused = false;
}

/* ---- all of them ---- */

/* Before anything is sent that does not wait for the end of the turn. */
void sky_net_settle(struct sky_net *net);

/* From now on they can be read and waited for; 0, or what the system refused (libuv's number). */
int sky_net_watch(struct sky_net *net);

/* End of a loop turn: sends what was written, parts with who was closed; for another turn's time,
 * as a message to thousands takes longer to send than to write. False: some are left, who come
 * first at the end of the next turn, with what that has written for them too. */
bool sky_net_flush(struct sky_net *net);
/* The last that a callback of the loop does which has taken something in: where that has spent the
 * turn, the turn ends here, and what else the poll has found belongs to the next. True: it did. */
bool sky_net_turn_over(struct sky_net *net);
/* Before the loop polls again: to take in what the last poll has found took so long, so that peers
 * get more or less of the next; and the memory of whoever is shut goes. */
void sky_net_end_poll(struct sky_net *net, int64_t took_us);
/* Closes every connection; needs loop turns after. */
void sky_net_close_conns(struct sky_net *net);
void sky_net_done(struct sky_net *net); /* memory, once the loop has run empty */

#endif
