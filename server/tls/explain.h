/* Why a TLS channel failed, in words for whoever writes the firmware. Pure: evidence goes in, a
 * rule and sentences come out. */
#ifndef SKY_SERVER_TLS_EXPLAIN_H
#define SKY_SERVER_TLS_EXPLAIN_H

#include "protocol/base/rule.h"
#include "server/tls/hello.h"

enum { SKY_TLS_OFFERED_MAX = 2048, SKY_TLS_NO_ALERT = -1 };

/* How a channel came to its end when it did not end itself. */
enum sky_tls_end {
    SKY_TLS_END_ERROR,
    SKY_TLS_END_PEER_LEFT,
    SKY_TLS_END_TIMEOUT,
    SKY_TLS_END_CROWD, /* others needed the room while the client was silent */
};

/* How far the handshake had come. */
enum sky_tls_step {
    SKY_TLS_STEP_HELLO,       /* the ClientHello was not complete, or was refused */
    SKY_TLS_STEP_FLIGHT,      /* the server's certificate or PSK answer was on its way */
    SKY_TLS_STEP_CERTIFICATE, /* the client's certificate was due */
    SKY_TLS_STEP_KEY,         /* the client's key exchange was due */
    SKY_TLS_STEP_PROOF,       /* the signature with the client's key was due */
    SKY_TLS_STEP_FINISHED,    /* the client's Finished was due, or came and did not fit */
    SKY_TLS_STEP_OPEN,        /* the handshake was over */
};

/* All that is known of a failed channel. */
struct sky_tls_evidence {
    enum sky_tls_end end;
    enum sky_tls_step step;
    int code;                          /* the TLS library's error, 0: none */
    int alert_sent, alert_received;    /* SKY_TLS_NO_ALERT: none */
    unsigned allows;                   /* the listener's */
    int suite;                         /* chosen; 0: none yet */
    const struct sky_tls_hello *hello; /* NULL: not complete */
    bool name_covered;                 /* the certificate carries hello->server_name */
    bool psk_refused;                  /* the identity was looked up in vain */
    bool certificate_missing;          /* required, and the client has none */
    bool kept_waiting;                 /* for certificates that the server is still making */
};

struct sky_tls_failure {
    const struct sky_rule *rule;    /* NULL: that breaks none */
    const char *ended;              /* how the client did it: "alert"; "left" or "timeout", having
                                       seen what the server sent; "refused": the server did. Static */
    int alert_sent, alert_received; /* SKY_TLS_NO_ALERT: none */
    char reason[SKY_FINDING_DETAIL_MAX];
};

void sky_tls_explain(const struct sky_tls_evidence *evidence, struct sky_tls_failure *ret_failure);

/* "unknown_ca"; "alert 99" is written as "unassigned". Static. */
const char *sky_tls_alert_name(int alert);
/* "TLS 1.2"; static. */
const char *sky_tls_version_name(uint16_t version);

/* What the client offered: versions, suites by name, groups, server name; cut with "..." where it
 * does not fit. */
void sky_tls_offer_text(const struct sky_tls_hello *hello, char out[SKY_TLS_OFFERED_MAX]);

#endif
