/* What the registry knows, as plain values: the nouns that the store fills in and the clouds
 * read, so that neither needs the other. Strings are inline and NUL-terminated; nothing here owns
 * memory, everything may be copied. */
#ifndef SKY_BASE_FACTS_H
#define SKY_BASE_FACTS_H

#include "protocol/base/span.h"

enum {
    SKY_CLOUD_NAME_MAX = 16,
    SKY_KEY_MAX = 64,     /* product key, device key, asset id: characters */
    SKY_SECRET_MAX = 128, /* characters of a secret as printed on a console */
    SKY_FINGERPRINT_HEX = 64,
    SKY_TOKEN_MAX = 64,
    SKY_DOCUMENT_MAX = 256 * 1024, /* bytes of one device document */
};

/* Where a device stands on its way from registered to in use; with clouds that know no activation
 * it goes straight to ACTIVE at its first login. */
enum sky_device_state {
    SKY_DEVICE_INACTIVE, /* registered, never online with a secret of its own */
    SKY_DEVICE_ACTIVE,   /* has been online with its secret */
};

/* What devices of a product are, seen from their gateways. */
enum sky_node {
    SKY_NODE_DEVICE,  /* connects itself, and may stand behind a gateway */
    SKY_NODE_GATEWAY, /* others stand behind it */
    SKY_NODE_SUB,     /* comes by a gateway only */
};
enum { SKY_NODE_KINDS = SKY_NODE_SUB + 1 };

struct sky_product {
    int64_t id;
    char cloud[SKY_CLOUD_NAME_MAX + 1];
    char key[SKY_KEY_MAX + 1];
    char secret[SKY_SECRET_MAX + 1]; /* empty: none */
    bool dynamic_activation;         /* devices may fetch their secret with the product's */
    bool require_certificate;
    bool https_auth; /* devices may authenticate over HTTPS; true unless switched off */
    enum sky_node node;
};

struct sky_device {
    int64_t id; /* never used again for another device, not even after deletion */
    int64_t product_id;
    char key[SKY_KEY_MAX + 1];
    char secret[SKY_SECRET_MAX + 1];
    char old_secret[SKY_SECRET_MAX + 1]; /* replaced by the last activation; empty: none */
    char asset_id[SKY_KEY_MAX + 1];
    char fingerprint[SKY_FINGERPRINT_HEX + 1]; /* SHA-256 of its certificate, lower hex, or "" */
    enum sky_device_state state;
    bool enabled;
    bool secret_issued; /* the present secret was handed out by an activation */
    bool temporary;     /* goes with the next reset that covers it, and is in no snapshot */
};

/* Texts of a product, by name. */
#define SKY_PRODUCT_CONFIG "config"            /* remote configuration: any JSON */
#define SKY_PRODUCT_MODEL "model"              /* the vendor's thing model, JSON */
#define SKY_PRODUCT_SUB_PRODUCTS "subProducts" /* a JSON list of keys; absent: any */
#define SKY_PRODUCT_FORWARD "forward"          /* URL that uplinks are handed to */

/* A login token handed out over HTTPS. */
struct sky_token {
    char id[SKY_TOKEN_MAX + 1];    /* goes into the user name */
    char token[SKY_TOKEN_MAX + 1]; /* goes into the password */
    int64_t device_id;
    int64_t expires_ms; /* Unix time */
};

/* An MQTT session that outlives its connection (MQTT 3.1.1 §4.1). */
struct sky_kept_session {
    int64_t device_id;
    int64_t away_since_ms; /* Unix time; 0: connected when this was written */
    uint16_t last_id;      /* packet ids go on after this one */
};

/* A QoS 1 message of such a session that its device has not acknowledged. */
struct sky_kept_message {
    int64_t id;         /* the store's; a later one is greater */
    uint16_t packet_id; /* under which it was sent; 0: it never was */
    int64_t born_ms;    /* Unix time */
    uint64_t tag;       /* its maker's, e.g. the journal's number of the publish */
    sky_span topic, payload;
};

/* A topic the owner of a product added: pattern with {product} and {device} in place of keys. */
enum { SKY_PATTERN_MAX = 256, SKY_PRODUCT_TOPICS_MAX = 64 };
struct sky_product_topic {
    char pattern[SKY_PATTERN_MAX + 1];
    bool pub, sub;
};

#endif
