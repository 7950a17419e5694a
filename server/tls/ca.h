/* The certificate authority of the server and the certificates it shows: made at first start and
 * kept, or made in memory, or brought by the user. Issues client certificates for devices.
 * Never knows a connection, nor which cloud a name belongs to.
 * Making RSA keys takes most of a second, so it happens on a worker of the loop; whoever needs the
 * certificates waits with sky_ca_when_ready(). */
#ifndef SKY_SERVER_TLS_CA_H
#define SKY_SERVER_TLS_CA_H

#include <uv.h>

#include "protocol/base/err.h"
#include "protocol/base/span.h"
#include "server/tls/certificate.h"

struct sky_ca;

enum { SKY_CA_NAMES_MAX = 128 }; /* host names and addresses in the server's certificate */

/* Strings are only read during sky_ca_open(). */
struct sky_ca_options {
    uv_loop_t *loop;          /* its workers make the keys; NULL: the caller's thread does */
    const char *dir;          /* where keys and certificates are kept; NULL: in memory only */
    const char *const *names; /* further host names and addresses, besides the clouds' */
    size_t name_count;
    const char *host;                 /* one more: where devices are told to connect; or NULL */
    const char *cert_file, *key_file; /* the user's own, PEM, both or neither */
    const char *ca_file;              /* PEM: who signed the user's and the devices' certificates */
    int64_t now_ms;                   /* Unix time: certificates are valid from the day before */
};

/* "store.db" -> "store.db.tls"; NULL, for a store in memory. The caller frees it. */
char *sky_ca_dir_beside(const char *store_path);

/* Reads what is kept or brought; what is missing is made by sky_ca_prepare(). Fails, with a line
 * for the user, when files cannot be read, are not what they should be, or the directory cannot be
 * made. */
SKY_MUST_USE sky_err sky_ca_open(const struct sky_ca_options *options, struct sky_ca **ret_ca,
                                 struct sky_why *why);
/* Stops what is being made: nobody who waits is called any more. Whatever uses certificates may
 * go on. NULL is fine. */
void sky_ca_stop(struct sky_ca *ca);
/* The loop must have run out of work since sky_ca_stop(), and nobody use certificates any more.
 * NULL is fine. */
void sky_ca_free(struct sky_ca *ca);

/* Starts making what is missing. Idempotent; called by whoever first needs a certificate, or early
 * by whoever wants them to be there. */
void sky_ca_prepare(struct sky_ca *ca);
bool sky_ca_ready(const struct sky_ca *ca);

/* Embedded in whoever waits; `ready` is called once, on the loop. */
struct sky_ca_waiter {
    void (*ready)(struct sky_ca_waiter *waiter);
    struct sky_ca_waiter *prev, *next;
    bool waiting;
};
/* Calls `waiter->ready` when all is made: at once if it is. Prepares. */
void sky_ca_when_ready(struct sky_ca *ca, struct sky_ca_waiter *waiter);
void sky_ca_forget(struct sky_ca *ca, struct sky_ca_waiter *waiter); /* not waiting: no effect */

/* Why new files could not be written: a sentence for the log, or NULL. The certificates work all
 * the same, until the server stops. */
const char *sky_ca_trouble(const struct sky_ca *ca);

/* ---- all below only when ready ---- */

/* What devices must trust, as PEM. Valid as long as the authority. */
sky_span sky_ca_pem(const struct sky_ca *ca);

/* Does the server's certificate carry this host name? (RFC 6125 §6.4: one leading `*` label) */
bool sky_ca_covers(const struct sky_ca *ca, sky_span host);

/* A device's certificate. Strings are owned: sky_ca_issued_done(). */
struct sky_ca_issued {
    char *certificate, *key; /* PEM */
    char fingerprint[SKY_FINGERPRINT_HEX + 1];
};
/* Issues a client certificate with `name` as its common name. INVALID when the name is empty, too
 * long or has control characters or backslashes; DENIED when the authority is the user's, whose
 * key is not here. May be called from any thread; SKY_KEY_RSA takes up to a second. */
SKY_MUST_USE sky_err sky_ca_issue(struct sky_ca *ca, sky_span name, enum sky_key_kind kind,
                                  struct sky_ca_issued *ret_issued, struct sky_why *why);
void sky_ca_issued_done(struct sky_ca_issued *issued); /* wipes the key */

/* ---- for the TLS layer ---- */

/* A certificate the server shows: chain and private key, valid as long as the authority. */
struct sky_ca_identity {
    struct mbedtls_x509_crt *chain;
    struct mbedtls_pk_context *key;
};
enum { SKY_CA_IDENTITIES_MAX = 2 };
/* RSA and ECDSA, or the user's one. Returns how many. */
size_t sky_ca_identities(struct sky_ca *ca, struct sky_ca_identity out[SKY_CA_IDENTITIES_MAX]);
/* The authority itself: name and key to sign with. NULL when it is the user's, whose key is not
 * here. */
struct mbedtls_pk_context *sky_ca_signing_key(struct sky_ca *ca);
#define SKY_CA_ROOT_NAME "CN=skymock device CA,O=skymock"
#define SKY_CA_SERVER_NAME "CN=localhost,O=skymock"
/* The names in the server's certificate: subjectAltName as DER. */
sky_span sky_ca_alt_names(const struct sky_ca *ca);
/* Does the authority belong to the user? Known before it is ready. */
bool sky_ca_is_brought(const struct sky_ca *ca);
/* Who may have signed client certificates. */
struct mbedtls_x509_crt *sky_ca_trust(struct sky_ca *ca);

#endif
