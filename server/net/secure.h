/* TLS on a connection: joins the channel (channel.h) to the connection (conn.h), and tells the
 * journal how handshakes went. */
#ifndef SKY_SERVER_NET_SECURE_H
#define SKY_SERVER_NET_SECURE_H

#include "server/net/conn.h"
#include "server/tls/lies.h"

struct sky_config;

/* What the configuration says of the authority; `loop` is left to the caller. */
struct sky_ca_options sky_secure_ca_options(const struct sky_config *config, const char *dir,
                                            int64_t now_ms);

/* The authority and the shared part of TLS, from the configuration. */
SKY_MUST_USE sky_err sky_secure_open(struct sky_net *net, const struct sky_config *config,
                                     struct sky_why *why);
void sky_secure_close(struct sky_net *net); /* stops workers; the loop must then run empty */
void sky_secure_free(struct sky_net *net);

/* Why a certificate that is wrong in this way cannot be shown, in a sentence, or NULL. */
const char *sky_secure_lie_refusal(const struct sky_net *net, enum sky_lie lie);
/* Has them made, so that they are there when somebody is to be shown one. */
void sky_secure_prepare_lies(struct sky_net *net);

/* The peer opened TLS: from now on its bytes go through conn->work->tls. */
void sky_secure_start(struct sky_conn *conn);
/* Journals the end of a handshake that was not carried through; `timed_out`: our patience ended
 * it, else the peer left. Nothing happens on a channel that got past its handshake. */
void sky_secure_give_up(struct sky_conn *conn, bool timed_out);

/* Adds its handshake, if it has one behind it, to how the device behaves that logs in by it. */
void sky_secure_behaved(const struct sky_conn *conn, struct sky_behaviour *behaviour);

#endif
