/* A device at the door: how it got here, who it says it is, what the server knows of it, and what
 * it is answered; and the credentials it should have come with. Values only: whoever makes one
 * says how long its spans are good. */
#ifndef SKY_CLOUD_LOGIN_H
#define SKY_CLOUD_LOGIN_H

#include "auth/psk.h"
#include "protocol/base/facts.h"

struct sky_cloud;
struct sky_model;
struct sky_peer;

/* A device by its keys. */
struct sky_name {
    sky_span product, device;
};

/* ---- where a peer comes in ---- */

enum sky_transport { SKY_TCP, SKY_TLS, SKY_DTLS, SKY_HTTP, SKY_HTTPS, SKY_WS, SKY_WSS };

/* What a listener lets in, or'ed. */
enum {
    SKY_LISTEN_CLEAR = 1 << 0,
    SKY_LISTEN_TLS = 1 << 1,
    SKY_LISTEN_MQTT = 1 << 2,
    SKY_LISTEN_HTTP = 1 << 3,
    SKY_LISTEN_DTLS = 1 << 4,
    SKY_LISTEN_PSK = 1 << 5,        /* TLS-PSK suites are offered */
    SKY_LISTEN_CERT_ASKED = 1 << 6, /* a client certificate is asked for */
    SKY_LISTEN_CERT_REQUIRED = 1 << 7,
    SKY_LISTEN_ADMIN = 1 << 8, /* HTTP goes to the admin API, not to the clouds */
};

/* A port. The general ones are the server's; a cloud adds those only it has. */
struct sky_listener_row {
    const char *name; /* as in --listen NAME=HOST:PORT and in the ports file */
    uint16_t port;    /* default */
    unsigned allows;
    const struct sky_cloud *home; /* preferred where two clouds could be meant; NULL: none */
};

enum { SKY_TLS_1_2 = 0x0303 }; /* as the wire writes it; 1.1 is one less */

/* How the peer got here, as far as the transport proved it. Valid for the connection's life. */
struct sky_door {
    const struct sky_listener_row *listener;
    enum sky_transport transport;
    uint16_t tls_version;      /* 0x0301..0x0303; 0 without TLS */
    sky_span server_name;      /* TLS SNI or HTTP Host, without port; may be empty */
    sky_span fingerprint;      /* SHA-256 of the client certificate, lower hex; empty: none */
    sky_span certificate_name; /* its common name, when our CA issued it; else empty */
    int64_t psk_device_id;     /* the device whose pre-shared key opened the channel; 0: none */
};

/* ---- logging in ---- */

/* An MQTT CONNECT. Views into the packet. */
struct sky_login {
    const struct sky_door *door;
    sky_span client_id, username, password;
    bool has_username, has_password, clean_session;
    uint8_t level; /* 3 or 4 */
    uint16_t keepalive_s;
};

enum sky_claim_kind {
    SKY_CLAIM_NAMED,  /* product and device are given */
    SKY_CLAIM_JOINED, /* `product` holds both keys run together: the registry finds the seam */
    SKY_CLAIM_TOKEN,  /* `product` holds a token id */
};

/* How sure a cloud is that it is meant, judged by shape alone. The weightiest claim that the
 * registry knows counts, so no two clouds may give one login the same weight: where frames are
 * shared, each says what tells it apart. */
enum sky_affinity {
    /* These two count only if the registry knows whom they name: */
    SKY_AFFINITY_OPEN = 1, /* nothing speaks against it: any text would do */
    SKY_AFFINITY_WORD,     /* any two texts would do */
    SKY_AFFINITY_SHARED,   /* a frame that another cloud has the better right to */
    SKY_AFFINITY_FRAME,    /* its frame, but what that holds cannot be read */
    SKY_AFFINITY_MIXED,    /* readable, but something in it is another's */
    SKY_AFFINITY_CHANNEL,  /* how the peer came in speaks for it: its certificate, its key */
    SKY_AFFINITY_FITTING,  /* readable, and nothing in it is another's */
    SKY_AFFINITY_USUAL,    /* and it is what this cloud's devices usually send */
    SKY_AFFINITY_MARKED,   /* a value that no other cloud's devices send */
    SKY_AFFINITY_OWN,      /* a form that no other cloud's devices have */
    SKY_AFFINITY_NAMED,    /* asked for by name: an address of its own, or a person's word */
};

/* Who a peer says it is. Unproven. */
struct sky_claim {
    enum sky_claim_kind kind;
    sky_span product, device;
    size_t seam; /* JOINED: how long product keys are, for names that the registry does not know */
    enum sky_affinity affinity;
};

/* What the server looked up. Pointers are NULL where the registry has nothing. */
struct sky_facts {
    const struct sky_product *product;
    const struct sky_device *device;
    const struct sky_token *token; /* the one claimed; in a login without one, one of the device's
                                      that waits to be used */
    bool swapped_known;            /* there is a device if product and device key change places */
    int64_t now_ms;                /* Unix time by the server's clock */
    sky_span fresh;    /* 64 random characters [A-Za-z0-9], new for every act: secrets and tokens
                          are cut from it */
    sky_span document; /* the service's document as stored, or empty */
    int64_t document_version;
    sky_span piece;  /* the bytes that the service wanted; fewer, or none, past the file's end */
    bool piece_read; /* false: none were wanted, or they could not be read */
    int64_t certificate_device_id; /* the device that the certificate shown is registered for; 0:
                                      none is shown, or it is nobody's */
    struct sky_peer *peers; /* whom a gateway's message names, see gateway.h; of a publish that was
                               refused: the device that its topic names, if it is known */
    size_t peer_count;
    const struct sky_name *behind;     /* the devices bound to it, in the order of binding */
    size_t behind_count, online_count; /* of those; how many are online by it */
    sky_span config;                   /* of its product; empty: it has none */
    int64_t config_version;
    sky_span link;                 /* "https://host:port/": the name of a file follows */
    const struct sky_model *model; /* of its product; NULL: it has none */
    int64_t previous_login_ms;     /* when this device last tried to log in; 0: not known */
};

enum sky_cause {
    SKY_CAUSE_NONE,
    SKY_CAUSE_SHAPE,     /* fields malformed */
    SKY_CAUSE_UNKNOWN,   /* no such product or device: the server looks for similar names */
    SKY_CAUSE_SIGNATURE, /* wrong signature: the server asks for suspicion and explains */
    SKY_CAUSE_STATE,     /* known and proven, but not allowed now */
};

/* Traits of an admitted session, or'ed: read again in struct sky_uplink. */
enum {
    SKY_TRAIT_AUTO_SUBSCRIBED = 1 << 0, /* to all topics but custom ones, without SUBSCRIBE */
    SKY_TRAIT_CUSTOM_RPC = 1 << 1,
    SKY_TRAIT_ACTIVATION = 1 << 2, /* here only to fetch its secret */
    SKY_TRAIT_GATEWAY = 1 << 3,
};

struct sky_admission {
    uint8_t connack;      /* enum sky_mqtt_connack; 0: admitted */
    enum sky_cause cause; /* SIGNATURE also for an admitted login whose signature is wrong, where
                             the rule is only reported: it deserves its explanation all the same */
    unsigned traits;
};

/* ---- what `skymock sign` prints ---- */

struct sky_credentials { /* empty where a cloud has no such thing; NUL-terminated where not */
    sky_span client_id, username, password;
    sky_span psk_identity, psk_key_hex;
    sky_span https_path, https_form;
    sky_span coap_method, coap_path; /* a request to try: "get" or "post" */
    sky_span secret_topic;           /* the login is only to fetch a secret, which comes here */
    bool tls_only;                   /* MQTT only over TLS */
};
struct sky_sign_request {
    const struct sky_product *product;
    const struct sky_device *device;
    bool dynamic; /* with the product's secret, to fetch the device's */
    bool tls;     /* for a TLS connection, where that is part of what is signed */
    int64_t now_ms;
    sky_span fresh;
};

#endif
