/* What devices do, and the class it comes to: rows of test_measure.c. */

/* clang-format off */
#define STEP(name, passes) "{\"measure\":\"" name "\",\"pass\":[\"" passes "\"]}"
#define GRADES(name, passes, warns)                                                                \
    "{\"measure\":\"" name "\",\"pass\":[\"" passes "\"],\"warn\":[\"" warns "\"]}"
#define FACET(of, passes)                                                                          \
    "{\"measure\":\"handshake\",\"of\":\"" of "\",\"pass\":[\"" passes "\"]}"

/* ---- reconnect-intervals ---- */
#define BACK "reconnect-intervals"
#define TRY(ms, conn) UP(CONNECT, ms, conn), UP(CLOSE, ms, conn)
{"two intervals", STEP(BACK, "constant"), "not exercised", NULL, OVER, 9000,
 {UP(CLOSE, 0, 1), TRY(1000, 2), TRY(2000, 3)}},
{"doubling with chance", STEP(BACK, "exponential-jitter"), "passed", "exponential-jitter", SO_FAR, 70000,
 {UP(CLOSE, 0, 1), TRY(740, 2), TRY(2670, 3), TRY(4880, 4), TRY(12480, 5), TRY(41480, 6)}},
{"doubling", GRADES(BACK, "exponential-jitter", "exponential"), "warned", "exponential", SO_FAR, 70000,
 {UP(CLOSE, 0, 1), TRY(1000, 2), TRY(3000, 3), TRY(7000, 4), TRY(15000, 5)}},
{"three are few for chance: it may still come", STEP(BACK, "exponential-jitter"), "not exercised", NULL,
 SO_FAR, 9000, {UP(CLOSE, 0, 1), TRY(1000, 2), TRY(3000, 3), TRY(7000, 4)}},
{"it did not come", STEP(BACK, "exponential-jitter"), "failed", "exponential", OVER, 9000,
 {UP(CLOSE, 0, 1), TRY(1000, 2), TRY(3000, 3), TRY(7000, 4)}},
{"who acknowledges has not got through", STEP(BACK, "exponential-jitter"), "passed", "exponential-jitter", SO_FAR,
 9000, {UP(CLOSE, 0, 1), UP(CONNECT, 75, 2), UP(PUBACK, 76, 2), UP(CLOSE, 76, 2), TRY(325, 3), TRY(614, 4),
        TRY(1516, 5), UP(CONNECT, 2177, 6)}},
{"every second", STEP(BACK, "exponential"), "failed", "constant", SO_FAR, 9000,
 {UP(CLOSE, 0, 1), TRY(1000, 2), TRY(2000, 3), TRY(3000, 4), TRY(4000, 5)}},
{"a second more each time", STEP(BACK, "linear"), "passed", "linear", SO_FAR, 19000,
 {UP(CLOSE, 0, 1), TRY(1000, 2), TRY(3000, 3), TRY(6000, 4), TRY(10000, 5)}},
{"no order", STEP(BACK, "none"), "passed", "none", SO_FAR, 59000,
 {UP(CLOSE, 0, 1), TRY(20000, 2), TRY(30000, 3), TRY(35000, 4), TRY(37500, 5)}},
{"refused logins end by themselves", STEP(BACK, "constant"), "passed", "constant", SO_FAR, 9000,
 {UP(CLOSE, 0, 1), UP(CONNECT, 1000, 2, .refused = "R"), UP(CONNECT, 2000, 3, .refused = "R"),
  UP(CONNECT, 3000, 4), DOWN(CONNACK, 3000, 4, .code = 3), UP(CONNECT, 4000, 5)}},
{"a connection that was taken over ends behind", STEP(BACK, "constant"), "not exercised", NULL, OVER, 9000,
 {UP(CONNECT, 0, 1), UP(CONNECT, 1000, 2), UP(CLOSE, 1000, 1), UP(CONNECT, 2000, 3), UP(CLOSE, 2000, 2)}},
#define MET(ms, conn, point) FAULT(ms, conn, point, "certificate"), UP(CLOSE, ms + 5, conn, .nobody = true)
{"faults at the door meet it before its CONNECT", STEP(BACK, "constant"), "passed", "constant", SO_FAR, 9000,
 {UP(CLOSE, 0, 1), MET(1000, 2, "accept"), MET(2000, 3, "handshake"), MET(3000, 4, "handshake"),
  UP(CONNECT, 4000, 5)}},
{"whom one lets in has come once", STEP(BACK, "constant"), "not exercised", NULL, OVER, 9000,
 {UP(CLOSE, 0, 1), FAULT(1000, 2, "handshake", "drip"), UP(CONNECT, 1900, 2), UP(CLOSE, 2000, 2),
  FAULT(3000, 3, "handshake", "drip"), UP(CONNECT, 3900, 3)}},

{"it had been away, got through, and then backs off", STEP(BACK, "exponential-jitter"), "not exercised", NULL,
 SO_FAR, 9000,
 {UP(CLOSE, 0, 1), UP(CONNECT, 950, 2), UP(SUBSCRIBE, 951, 2), UP(CLOSE, 2000, 2), TRY(2080, 3),
  TRY(2340, 4), TRY(2600, 5)}},
{"as is seen with one more", STEP(BACK, "exponential-jitter"), "passed", "exponential-jitter", SO_FAR, 9000,
 {UP(CLOSE, 0, 1), UP(CONNECT, 950, 2), UP(SUBSCRIBE, 951, 2), UP(CLOSE, 2000, 2), TRY(2080, 3),
  TRY(2340, 4), TRY(2600, 5), TRY(3500, 6)}},
{"handshakes with a wrong key are tries, too", STEP(BACK, "constant"), "passed", "constant", SO_FAR, 9000,
 {UP(CLOSE, 0, 1), UP(PSK_HANDSHAKE, 1000, 2, .refused = "R"), UP(PSK_HANDSHAKE, 2000, 3, .refused = "R"),
  UP(PSK_HANDSHAKE, 3000, 4, .refused = "R"), UP(PSK_HANDSHAKE, 4000, 5, .refused = "R"),
  UP(PSK_HANDSHAKE, 5000, 6), UP(CONNECT, 5000, 6)}},

/* ---- signed-anew ---- */
#define ANEW "signed-anew"
#define LOGIN(ms, conn, name, ...) UP(CONNECT, ms, conn, .username = name, __VA_ARGS__)
{"let in", STEP(ANEW, "anew"), "not exercised", NULL, OVER, 9000, {LOGIN(0, 1, "a"), LOGIN(9, 2, "a")}},
{"refused once", STEP(ANEW, "anew"), "not exercised", NULL, OVER, 9000, {LOGIN(0, 1, "a", .refused = "R")}},
{"another user name", STEP(ANEW, "anew"), "passed", "anew", SO_FAR, 9000,
 {LOGIN(0, 1, "a", .refused = "R"), LOGIN(9, 2, "b")}},
{"another client id", STEP(ANEW, "anew"), "passed", "anew", SO_FAR, 9000,
 {LOGIN(0, 1, "a", .client_id = "1", .refused = "R"), LOGIN(9, 2, "a", .client_id = "2")}},
{"refused by the CONNACK alone", STEP(ANEW, "anew"), "failed", "again", SO_FAR, 9000,
 {LOGIN(0, 1, "a"), DOWN(CONNACK, 0, 1, .code = 4), LOGIN(9, 2, "a")}},
{"anew, then again", STEP(ANEW, "anew"), "failed", "again", SO_FAR, 9000,
 {LOGIN(0, 1, "a", .refused = "R"), LOGIN(9, 2, "b", .refused = "R"), LOGIN(20, 3, "b")}},

/* ---- keepalive-kept ---- */
#define ALIVE "keepalive-kept"
{"nothing promised", STEP(ALIVE, "kept"), "not exercised", NULL, OVER, 90000, {UP(CONNECT, 0, 1)}},
{"too short", STEP(ALIVE, "kept"), "not exercised", NULL, OVER, 9000, {UP(CONNECT, 0, 1, .keepalive = 10)}},
{"two pings", STEP(ALIVE, "kept"), "passed", "kept", SO_FAR, 9000,
 {UP(CONNECT, 0, 1, .keepalive = 60), UP(PING, 2000, 1), UP(PING, 4000, 1)}},
{"one ping", STEP(ALIVE, "kept"), "not exercised", NULL, OVER, 9000,
 {UP(CONNECT, 0, 1, .keepalive = 60), UP(PING, 2000, 1)}},
{"pings that a fault kept count", STEP(ALIVE, "kept"), "passed", "kept", SO_FAR, 9000,
 {UP(CONNECT, 0, 1, .keepalive = 60), FAULT(2000, 1, "pingreq", "withhold"),
  FAULT(4000, 1, "pingreq", "withhold")}},
{"messages keep it", STEP(ALIVE, "kept"), "passed", "kept", SO_FAR, 21000,
 {UP(CONNECT, 0, 1, .keepalive = 10), PUB(9000, 1, 1, "x"), PUB(18000, 1, 2, "x")}},
{"late", GRADES(ALIVE, "kept", "late"), "warned", "late", SO_FAR, 13000,
 {UP(CONNECT, 0, 1, .keepalive = 10), UP(PING, 12000, 1)}},
{"late, and it goes on", GRADES(ALIVE, "kept", "late"), "not exercised", NULL, SO_FAR, 12000,
 {UP(CONNECT, 0, 1, .keepalive = 10)}},
{"at the very limit it may still be late", GRADES(ALIVE, "kept", "late"), "not exercised", NULL, SO_FAR, 10050,
 {UP(CONNECT, 0, 1, .keepalive = 10)}},
{"missed", GRADES(ALIVE, "kept", "late"), "failed", "missed", SO_FAR, 15100, {UP(CONNECT, 0, 1, .keepalive = 10)}},
{"missed on one of two", STEP(ALIVE, "kept"), "failed", "missed", SO_FAR, 40000,
 {UP(CONNECT, 0, 1, .keepalive = 10), UP(CLOSE, 16000, 1), UP(CONNECT, 20000, 2, .keepalive = 60),
  UP(PING, 21000, 2), UP(PING, 22000, 2)}},
{"a lifetime over CoAP", STEP(ALIVE, "kept"), "passed", "kept", SO_FAR, 9000,
 {UP(PSK_HANDSHAKE, 0, 1, .dtls = true, .keepalive = 30), UP(COAP_REQUEST, 1000, 1), UP(COAP_REQUEST, 2000, 1)}},
{"a lifetime that passed", STEP(ALIVE, "kept"), "failed", "late", OVER, 31000,
 {UP(PSK_HANDSHAKE, 0, 1, .dtls = true, .keepalive = 30), UP(COAP_REQUEST, 100, 1)}},
{"half open: nobody listens", STEP(ALIVE, "kept"), "not exercised", NULL, OVER, 90000,
 {UP(CONNECT, 0, 1, .keepalive = 10), FAULT(1000, 1, "pingresp", "freeze"), UP(CLOSE, 60000, 1)}},

#include "tests/unit/suite/measure_rows_resend.h"

/* ---- resubscribed ---- */
#define LISTENS "resubscribed"
#define SUB(ms, conn, list) UP(SUBSCRIBE, ms, conn, .filters = "[{\"filter\":\"" list "\",\"qos\":1}]")
{"all", STEP(LISTENS, "all"), "passed", "all", SO_FAR, 3000,
 {SUB(0, 1, "a"), SUB(1, 1, "b"), BACK_AGAIN(200, 2), SUB(210, 2, "b"), SUB(210, 2, "a"), SUB(211, 2, "c")}},
{"some, as yet", STEP(LISTENS, "all"), "not exercised", NULL, SO_FAR, 3000,
 {SUB(0, 1, "a"), SUB(1, 1, "b"), BACK_AGAIN(200, 2), SUB(210, 2, "b")}},
{"some", STEP(LISTENS, "all"), "failed", "some", SO_FAR, 5300,
 {SUB(0, 1, "a"), SUB(1, 1, "b"), BACK_AGAIN(200, 2), SUB(210, 2, "b")}},
{"none", STEP(LISTENS, "all"), "failed", "none", OVER, 300, {SUB(0, 1, "a"), BACK_AGAIN(200, 2)}},
{"given up before", STEP(LISTENS, "all"), "passed", "all", SO_FAR, 3000,
 {SUB(0, 1, "a"), SUB(1, 1, "b"), UP(UNSUBSCRIBE, 2, 1, .filters = "[{\"filter\":\"a\"}]"), BACK_AGAIN(200, 2),
  SUB(210, 2, "b")}},
{"a connection in between on which it could not", STEP(LISTENS, "all"), "failed", "none", OVER, 900,
 {SUB(0, 1, "a"), BACK_AGAIN(200, 2), UP(CLOSE, 200, 2), BACK_AGAIN(300, 3)}},
{"a session was present", STEP(LISTENS, "all"), "not exercised", NULL, OVER, 90000,
 {SUB(0, 1, "a"), UP(CONNECT, 200, 2), DOWN(CONNACK, 200, 2, .present = true)}},
{"it had none", STEP(LISTENS, "all"), "not exercised", NULL, OVER, 90000, {BACK_AGAIN(200, 2), SUB(210, 2, "b")}},

/* ---- acknowledged ---- */
#define ACKS "acknowledged"
#define SAY(ms, conn, number, ...) DOWN(PUBLISH, ms, conn, .qos = 1, .id = number, __VA_ARGS__)
{"all", STEP(ACKS, "all"), "passed", "all", SO_FAR, 3000,
 {SAY(0, 1, 5), SAY(1, 1, 6), UP(PUBACK, 20, 1, .id = 5), UP(PUBACK, 21, 1, .id = 6)}},
{"not yet", STEP(ACKS, "all"), "not exercised", NULL, SO_FAR, 3000, {SAY(0, 1, 5), SAY(1, 1, 6), UP(PUBACK, 20, 1, .id = 5)}},
{"some", STEP(ACKS, "all"), "failed", "some", SO_FAR, 5001, {SAY(0, 1, 5), SAY(1, 1, 6), UP(PUBACK, 20, 1, .id = 5)}},
{"each copy", STEP(ACKS, "all"), "passed", "all", SO_FAR, 3000,
 {SAY(0, 1, 5), SAY(1, 1, 5), UP(PUBACK, 20, 1, .id = 5), UP(PUBACK, 21, 1, .id = 5)}},
{"one of two copies", STEP(ACKS, "all"), "failed", "some", SO_FAR, 5001, {SAY(0, 1, 5), SAY(1, 1, 5), UP(PUBACK, 20, 1, .id = 5)}},
{"another id", STEP(ACKS, "all"), "failed", "none", OVER, 90, {SAY(0, 1, 5), UP(PUBACK, 20, 1, .id = 6)}},
{"it left in time", STEP(ACKS, "all"), "failed", "none", SO_FAR, 3000, {SAY(0, 1, 5), UP(CLOSE, 1500, 1)}},
{"no time to", STEP(ACKS, "all"), "not exercised", NULL, OVER, 9000, {SAY(0, 1, 5), UP(CLOSE, 10, 1)}},
{"QoS 0", STEP(ACKS, "all"), "not exercised", NULL, OVER, 9000, {DOWN(PUBLISH, 0, 1)}},
{"damaged on its way", STEP(ACKS, "all"), "not exercised", NULL, OVER, 9000,
 {SAY(0, 1, 5, .detail = "corrupted: bytes of it were changed")}},
{"half open", STEP(ACKS, "all"), "not exercised", NULL, OVER, 9000, {SAY(0, 1, 5), FAULT(2, 1, "pingresp", "freeze")}},

/* ---- handshake ---- */
#define SHAKE(ms, conn, ...) UP(TLS_HANDSHAKE, ms, conn, .nobody = true, .version = "TLS 1.2", .cipher = "TLS-A", __VA_ARGS__)
#define FAILED(ms, conn, how) UP(TLS_HANDSHAKE, ms, conn, .nobody = true, .explanation = "{}", .state = how)
#define LIE "the certificate shown is a fault: expired"
{"version", FACET("version", "TLS 1.2"), "passed", "TLS 1.2", SO_FAR, 900, {SHAKE(0, 1), UP(CONNECT, 10, 1)}},
{"another version", FACET("version", "TLS 1.1"), "failed", "TLS 1.2", SO_FAR, 900, {SHAKE(0, 1), UP(CONNECT, 10, 1)}},
{"somebody else's", FACET("version", "TLS 1.2"), "not exercised", NULL, OVER, 900, {SHAKE(0, 1), UP(CONNECT, 10, 2)}},
{"all failed", FACET("version", "TLS 1.2"), "failed", "none", OVER, 900, {FAILED(0, 1, "refused")}},
{"suite", FACET("suite", "TLS-A"), "passed", "TLS-A", SO_FAR, 900, {SHAKE(0, 1), UP(CONNECT, 10, 1)}},
{"DTLS", FACET("version", "DTLS 1.2"), "passed", "DTLS 1.2", SO_FAR, 900,
 {UP(PSK_HANDSHAKE, 0, 1, .dtls = true, .version = "DTLS 1.2")}},
{"TLS with a key is told twice", FACET("suite", "TLS-PSK"), "passed", "TLS-PSK", SO_FAR, 900,
 {UP(TLS_HANDSHAKE, 0, 1, .cipher = "TLS-PSK"), UP(PSK_HANDSHAKE, 0, 1, .detail = "TLS-PSK"), UP(CONNECT, 10, 1)}},
{"server name", FACET("serverName", "a.example"), "passed", "a.example", SO_FAR, 900,
 {SHAKE(0, 1, .server_name = "a.example"), UP(CONNECT, 10, 1)}},
{"no server name", FACET("serverName", "none"), "passed", "none", SO_FAR, 900, {SHAKE(0, 1), UP(CONNECT, 10, 1)}},
{"resumed", FACET("resumed", "resumed"), "passed", "resumed", SO_FAR, 900,
 {SHAKE(0, 1), UP(CONNECT, 10, 1), SHAKE(20, 2, .detail = "resumed"), UP(CONNECT, 30, 2)}},
{"full", FACET("resumed", "resumed"), "failed", "full", SO_FAR, 900,
 {SHAKE(0, 1), UP(CONNECT, 10, 1), SHAKE(20, 2), UP(CONNECT, 30, 2)}},
{"full, but it is the first", FACET("resumed", "resumed"), "not exercised", NULL, SO_FAR, 900,
 {SHAKE(0, 1), UP(CONNECT, 10, 1)}},
{"alert", FACET("refusal", "alert"), "passed", "alert", SO_FAR, 900, {FAILED(0, 1, "alert")}},
{"without a word", FACET("refusal", "alert"), "failed", "silent", SO_FAR, 900, {FAILED(0, 1, "left")}},
{"refused by the server", FACET("refusal", "alert"), "not exercised", NULL, OVER, 900, {FAILED(0, 1, "refused")}},
{"accepted", FACET("refusal", "alert"), "failed", "accepted", SO_FAR, 900,
 {SHAKE(0, 1, .detail = LIE), UP(CONNECT, 10, 1)}},
{"looked at behind the handshake", FACET("refusal", "silent"), "passed", "silent", SO_FAR, 900,
 {SHAKE(0, 1, .detail = LIE), UP(CLOSE, 10, 1, .nobody = true)}},
{"not yet", FACET("refusal", "silent"), "not exercised", NULL, SO_FAR, 900, {SHAKE(0, 1, .detail = LIE)}},
{"waits too long to go on", FACET("refusal", "silent"), "passed", "silent", SO_FAR, 2000, {SHAKE(0, 1, .detail = LIE)}},
{"a large certificate is a good one", FACET("refusal", "alert"), "not exercised", NULL, OVER, 900,
 {SHAKE(0, 1, .detail = "the certificate shown is a fault: large"), UP(CONNECT, 10, 1)}},
{"nothing to refuse", FACET("refusal", "alert"), "not exercised", NULL, OVER, 900, {SHAKE(0, 1), UP(CONNECT, 10, 1)}},

/* ---- retransmissions ---- */
#define LOST "retransmissions"
#define ASK(ms, number, ...) UP(COAP_REQUEST, ms, 1, .id = number, .name = "CON", __VA_ARGS__)
#define KEPT(ms) FAULT(ms, 1, "coap-answer", "withhold")
{"within bounds", STEP(LOST, "within-bounds"), "passed", "within-bounds", SO_FAR, 90000,
 {ASK(0, 1), KEPT(0), ASK(2500, 1, .dup = true), KEPT(2500), ASK(7500, 1, .dup = true)}},
{"too early", STEP(LOST, "within-bounds"), "failed", "too-early", SO_FAR, 90000, {ASK(0, 1), KEPT(0), ASK(900, 1, .dup = true)}},
{"it does not double", STEP(LOST, "within-bounds"), "failed", "too-early", SO_FAR, 90000,
 {ASK(0, 1), KEPT(0), ASK(2500, 1, .dup = true), ASK(5000, 1, .dup = true)}},
{"too late", STEP(LOST, "within-bounds"), "failed", "too-late", SO_FAR, 90000, {ASK(0, 1), KEPT(0), ASK(5000, 1, .dup = true)}},
{"four times", STEP(LOST, "within-bounds"), "passed", "within-bounds", SO_FAR, 90000,
 {ASK(0, 1), KEPT(0), ASK(2000, 1, .dup = true), ASK(6000, 1, .dup = true), ASK(14000, 1, .dup = true), ASK(30000, 1, .dup = true)}},
{"five times", STEP(LOST, "within-bounds"), "failed", "too-many", SO_FAR, 90000,
 {ASK(0, 1), KEPT(0), ASK(2000, 1, .dup = true), ASK(6000, 1, .dup = true), ASK(14000, 1, .dup = true), ASK(30000, 1, .dup = true),
  ASK(62000, 1, .dup = true)}},
{"not yet", STEP(LOST, "within-bounds"), "not exercised", NULL, SO_FAR, 5900, {ASK(0, 1), KEPT(0)}},
{"never", STEP(LOST, "within-bounds"), "failed", "none", SO_FAR, 6100, {ASK(0, 1), KEPT(0)}},
{"nothing was lost", STEP(LOST, "within-bounds"), "not exercised", NULL, OVER, 90000, {ASK(0, 1), ASK(100, 2)}},
{"a request was lost", STEP(LOST, "within-bounds"), "passed", "within-bounds", SO_FAR, 90000,
 {FAULT(0, 1, "datagram-up", "withhold"), ASK(2100, 1)}},
{"two requests were lost, too fast", STEP(LOST, "within-bounds"), "failed", "too-early", SO_FAR, 90000,
 {FAULT(0, 1, "datagram-up", "withhold"), FAULT(2100, 1, "datagram-up", "withhold"), ASK(4200, 1)}},
{"the network's own copies", STEP(LOST, "within-bounds"), "not exercised", NULL, OVER, 90000,
 {FAULT(0, 1, "datagram-up", "duplicate"), ASK(0, 1), ASK(0, 1, .dup = true)}},

/* ---- distinct-message-ids ---- */
#define IDS "distinct-message-ids"
{"one message", STEP(IDS, "distinct"), "not exercised", NULL, OVER, 900, {PUB(0, 1, 1, "a")}},
{"distinct", STEP(IDS, "distinct"), "passed", "distinct", SO_FAR, 900, {PUB(0, 1, 1, "a"), PUB(1, 1, 2, "b")}},
{"free again", STEP(IDS, "distinct"), "passed", "distinct", SO_FAR, 900,
 {PUB(0, 1, 1, "a"), DOWN(PUBACK, 1, 1, .id = 1), PUB(2, 1, 1, "b")}},
{"reused", STEP(IDS, "distinct"), "failed", "reused", SO_FAR, 900, {PUB(0, 1, 1, "a"), PUB(2, 1, 1, "b")}},
{"said again", STEP(IDS, "distinct"), "not exercised", NULL, OVER, 900, {PUB(0, 1, 1, "a"), PUB(2, 1, 1, "a", .dup = true)}},
{"with a SUBSCRIBE", STEP(IDS, "distinct"), "failed", "reused", SO_FAR, 900,
 {PUB(0, 1, 1, "a"), UP(SUBSCRIBE, 1, 1, .id = 1, .filters = "[{\"filter\":\"a\"}]")}},
{"a SUBSCRIBE that is answered", STEP(IDS, "distinct"), "passed", "distinct", SO_FAR, 900,
 {UP(SUBSCRIBE, 1, 1, .id = 1, .filters = "[{\"filter\":\"a\"}]"), DOWN(SUBACK, 2, 1, .id = 1), PUB(3, 1, 1, "a")}},
{"in the session that goes on", STEP(IDS, "distinct"), "failed", "reused", SO_FAR, 900,
 {PUB(0, 1, 1, "a"), UP(CONNECT, 1, 2), PUB(2, 2, 1, "b")}},
{"in a new session", STEP(IDS, "distinct"), "passed", "distinct", SO_FAR, 900,
 {PUB(0, 1, 1, "a"), UP(CONNECT, 1, 2, .clean = true), PUB(2, 2, 1, "b")}},
{"acknowledging what came uses no id", STEP(IDS, "distinct"), "not exercised", NULL, OVER, 900,
 {PUB(0, 1, 1, "a"), UP(PUBACK, 1, 1, .id = 1)}},
{"CoAP", STEP(IDS, "distinct"), "passed", "distinct", SO_FAR, 900, {ASK(0, 1), ASK(1, 2), ASK(2, 2, .dup = true)}},
{"CoAP, reused", STEP(IDS, "distinct"), "failed", "reused", SO_FAR, 900, {ASK(0, 1), ASK(1, 1)}},
{"CoAP, after the lifetime of an exchange", STEP(IDS, "distinct"), "passed", "distinct", SO_FAR, 900, {ASK(0, 1), ASK(247000, 1)}},
