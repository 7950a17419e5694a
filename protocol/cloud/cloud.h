/* THE contract between a cloud and the rest: tables, and a few pure functions over facts.
 * A cloud is one const struct in a folder of its own. It sees values and returns values: it never
 * looks anything up, waits, draws a random number, or reads a clock. */
#ifndef SKY_CLOUD_CLOUD_H
#define SKY_CLOUD_CLOUD_H

#include "auth/explain.h"
#include "auth/psk.h"
#include "protocol/base/facts.h"
#include "protocol/base/rule.h"
#include "protocol/cloud/effects.h"
#include "protocol/coap/exchange.h"
#include "protocol/mqtt/rules.h"
#include "protocol/mqtt/session.h"

struct sky_cloud;

/* ---- where a peer comes in ---- */

enum sky_transport { SKY_TCP, SKY_TLS, SKY_DTLS, SKY_HTTP, SKY_HTTPS };

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

/* Who a peer says it is. Unproven. */
struct sky_claim {
    enum sky_claim_kind kind;
    sky_span product, device;
    int affinity; /* 1..100: how sure the cloud is that it is meant, judged by shape alone */
};

/* What the server looked up. Pointers are NULL where the registry has nothing. */
struct sky_facts {
    const struct sky_product *product;
    const struct sky_device *device;
    const struct sky_token *token;
    bool swapped_known; /* there is a device if product and device key change places */
    int64_t now_ms;     /* Unix time by the server's clock */
    sky_span fresh;     /* 64 random characters [A-Za-z0-9], new for every act: secrets and tokens
                           are cut from it */
    sky_span document;  /* the service's document as stored, or empty */
    int64_t document_version;
    int64_t previous_login_ms; /* when this device last tried to log in; 0: not known */
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
    SKY_TRAIT_AUTO_SUBSCRIBED = 1 << 0, /* replies go out without SUBSCRIBE */
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

/* ---- what devices do ---- */

/* One act of an admitted device, whatever carried it. */
struct sky_uplink {
    const struct sky_cloud *cloud;
    sky_span product, device; /* keys of the sender */
    sky_span topic, payload;
    enum sky_transport transport;
    uint8_t qos;
    unsigned traits;
    bool reply_subscribed; /* the device receives what is published to the service's `reply` */
};

/* A service: what answers on a topic. */
struct sky_service {
    const char *name;     /* "property-post": shown in the journal */
    const char *document; /* the device document it reads and may replace; NULL: none */
    void (*handle)(const struct sky_uplink *uplink, const struct sky_facts *facts,
                   struct sky_judge *judge, struct sky_effects *effects);
    const char *reply; /* pattern of the topic it answers on, where it matters to the service
                          whether the device subscribed to it; NULL: it does not */
};

/* Rights on a topic, or'ed. */
enum {
    SKY_MAY_PUB = 1 << 0,
    SKY_MAY_SUB = 1 << 1,
    SKY_PUSHED = 1 << 2, /* downlinks here reach the device without a subscription */
    SKY_RAW = 1 << 3,    /* the payload is opaque bytes */
};

/* A row of a cloud's topic tree; the first row that matches counts. */
struct sky_topic_row {
    const char *pattern; /* see protocol/mqtt/topic.h */
    unsigned rights;
    const struct sky_service *service; /* NULL: carried to subscribers, nothing answers */
};

enum sky_right {
    SKY_RIGHT_GRANTED,
    SKY_RIGHT_NONE,      /* no row */
    SKY_RIGHT_DIRECTION, /* its own topic, the other way round */
    SKY_RIGHT_OTHER,     /* another device's topic */
};

/* What a publish without the right does on the wire, besides being dropped. */
enum sky_violation {
    SKY_VIOLATION_ACK,    /* acknowledged all the same */
    SKY_VIOLATION_NO_ACK, /* acknowledgement withheld */
};

/* A command the application may send to a device (admin API). */
struct sky_command_request {
    sky_span name;   /* service, property or method; may be empty */
    sky_span params; /* JSON */
    sky_span id;     /* fresh correlation id, digits */
};
struct sky_command_row {
    const char *kind; /* "property-set", "service", "rpc" */
    /* Appends the downlink (PUSH) and returns the correlation id that ANSWER will carry. */
    sky_span (*build)(const struct sky_uplink *to, const struct sky_command_request *request,
                      struct sky_effects *effects);
};

/* A recognised mistake is this rule of this cloud. */
struct sky_mistake_rule {
    enum sky_mistake mistake;
    const struct sky_rule *rule;
};

/* ---- HTTP calls of devices ---- */

struct sky_http_request {
    const struct sky_door *door;
    sky_span method, path, content_type, body;
    sky_span headers;        /* raw header lines, CRLF between */
    sky_span advertise_host; /* where this server can be reached, for answers that say so */
    uint16_t advertise_port;
};
struct sky_http_answer {
    int status;
    sky_span body; /* in the effects' arena; JSON */
    enum sky_cause cause;
};
struct sky_http_row {
    const char *method, *path;
    /* Mistakes in this call's signature that are other rules than in CONNECT's; looked up before
     * the cloud's own with sky_cloud_http_mistake_rule(). */
    const struct sky_mistake_rule *mistake_rules;
    size_t mistake_rule_count;
    /* False: the request names nobody; `answer` is called with empty facts. What the claim points
     * to lies in the request or in `arena`. */
    bool (*claim)(const struct sky_http_request *request, struct sky_claim *ret_claim,
                  struct sky_arena *arena);
    void (*answer)(const struct sky_http_request *request, const struct sky_facts *facts,
                   struct sky_judge *judge, struct sky_effects *effects,
                   struct sky_http_answer *ret_answer);
    /* As sky_cloud.suspect, for this call's signature; NULL: it has none. */
    bool (*suspect)(const struct sky_http_request *request, const struct sky_facts *facts,
                    struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
};

/* ---- CoAP requests of devices ---- */

/* A whole request on a channel that a pre-shared key opened. */
struct sky_coap_call {
    const struct sky_coap_request *request;
    unsigned saw;             /* SKY_COAP_SAW_... */
    sky_span identity;        /* that opened the channel */
    sky_span product, device; /* whom it belongs to */
};

enum sky_coap_act {
    SKY_COAP_ANSWER,  /* with `code` and `payload`; that is all */
    SKY_COAP_PUBLISH, /* the device publishes the body to `topic`: with the right to, the answer is
                         `code` and what its service replies; else `refused_code` */
    SKY_COAP_FETCH,   /* the device fetches the command that waits for it on `topic`: `code` and the
                         command, or `refused_code` when none does */
};

struct sky_coap_decision {
    enum sky_coap_act act;
    uint8_t code, refused_code; /* enum sky_coap_code */
    sky_span topic, payload;    /* views into the request or in the effects' arena */
};

/* ---- what `skymock sign` prints ---- */

struct sky_credentials { /* empty strings where a cloud has no such thing */
    char client_id[256], username[256], password[192];
    char psk_identity[256], psk_key_hex[2 * SKY_PSK_KEY_MAX + 1];
    char https_path[64], https_form[512];
};
struct sky_sign_request {
    const struct sky_product *product;
    const struct sky_device *device;
    bool dynamic; /* with the product's secret, to fetch the device's */
    bool tls;     /* for a TLS connection, where that is part of what is signed */
    int64_t now_ms;
    sky_span fresh;
};

/* ---- the cloud ---- */

struct sky_keepalive_range {
    uint16_t min_s, max_s;
};

struct sky_cloud_limits {
    uint32_t payload_max; /* bytes */
    uint16_t topic_len_max, topic_slashes_max;
    uint16_t filters_per_packet_max, filters_per_device_max;
    struct sky_keepalive_range keepalive[SKY_PROFILES];
    struct sky_mqtt_session_limits session;
    bool level_3; /* MQTT 3.1 is taken too */
};

/* Names of the fields in fixtures and answers, as on the vendor's console. */
struct sky_vocabulary {
    const char *product_key, *product_secret, *device_key, *device_secret;
};

struct sky_cloud {
    const char *name;  /* "aliyun": in fixtures, API and command line */
    const char *title; /* for people */
    struct sky_vocabulary words;
    struct sky_cloud_limits limits;
    enum sky_violation publish_violation;

    struct sky_rule_table rules;
    /* This cloud's own rows for the general limits; NULL entries: the MQTT table's row counts. */
    const struct sky_rule *limit_rules[SKY_LIMIT_RULES];
    const struct sky_mistake_rule *mistake_rules;
    size_t mistake_rule_count;
    /* Broken when a session with SKY_TRAIT_ACTIVATION ends and the device never subscribed to the
     * topic its secret was pushed on; NULL: no such rule. */
    const struct sky_rule *activation_unsubscribed;
    const struct sky_listener_row *listeners;
    size_t listener_count;
    const struct sky_topic_row *topics;
    size_t topic_count;
    const struct sky_command_row *commands;
    size_t command_count;
    const struct sky_http_row *http;
    size_t http_count;

    /* Is this CONNECT one of ours, and whose? False: certainly not. */
    bool (*claim)(const struct sky_login *login, struct sky_claim *ret_claim);
    /* Checks everything about the login, judging every rule it exercises. Product and device may
     * be missing from the facts. Effects are applied after CONNACK, and only if admitted. */
    void (*admit)(const struct sky_login *login, const struct sky_facts *facts,
                  struct sky_judge *judge, struct sky_effects *effects,
                  struct sky_admission *ret_admission);
    /* After SKY_CAUSE_SIGNATURE: the due recipe and the material of mistakes. The server adds
     * other devices' secrets. False: there is nothing to recompute. */
    bool (*suspect)(const struct sky_login *login, const struct sky_facts *facts,
                    struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
    void (*sign)(const struct sky_sign_request *request, struct sky_credentials *ret_credentials);
    /* Called for a granted SUBSCRIBE; may be NULL. */
    void (*subscribed)(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects);
    /* Called for a publish without the right, to answer it; may be NULL. */
    void (*refused_publish)(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects);
    /* Is a registered secret of the right form? NULL: any is. */
    sky_err (*check_secret)(sky_span secret, struct sky_why *why);
    /* A device secret in the cloud's form, made from `fresh`. */
    void (*make_secret)(sky_span fresh, char out[SKY_SECRET_MAX + 1]);

    /* The device's shadow, where the cloud has one: NULL otherwise. `shadow_document` is its name
     * among the documents; sky_shadow_show() renders it. */
    const char *shadow_document;
    /* The application changes what it desires: `patch` is {"desired":{...}} or {"desired":null},
     * with {"version":n} if it is to apply to that version only (CONFLICT otherwise). Appends the
     * new document and what the device is told. */
    sky_err (*patch_shadow)(const struct sky_uplink *to, const struct sky_facts *facts,
                            sky_span patch, struct sky_effects *effects, struct sky_why *why);
    /* The document that a fixture's {"reported":{...},"desired":{...}} stands for. */
    sky_err (*seed_shadow)(sky_span fixture, int64_t now_ms, struct sky_arena *arena,
                           sky_span *ret_document, int64_t *ret_version, struct sky_why *why);

    /* Pre-shared keys; NULL where the cloud has none. */
    bool (*psk_claim)(const struct sky_door *door, sky_span identity, struct sky_claim *ret_claim);
    /* The key due; false when the identity is refused (judged). */
    bool (*psk_admit)(const struct sky_door *door, sky_span identity, const struct sky_facts *facts,
                      struct sky_judge *judge, struct sky_psk *ret_key);
    /* Keys a device may have used by mistake; returns how many, at most SKY_PSK_GUESSES_MAX. */
    size_t (*psk_guesses)(const struct sky_door *door, sky_span identity,
                          const struct sky_facts *facts, struct sky_psk *ret_guesses);
    /* The rule that a wrong key breaks; NULL where the cloud has no pre-shared keys. */
    const struct sky_rule *psk_key_rule;
    /* Mistakes in a key that are other rules than in a login; looked up before those with
     * sky_cloud_psk_mistake_rule(). */
    const struct sky_mistake_rule *psk_mistake_rules;
    size_t psk_mistake_rule_count;

    /* What a CoAP request means, judged; NULL where the cloud has no CoAP. Effects are applied
     * before the answer is sent. */
    void (*coap)(const struct sky_coap_call *call, const struct sky_facts *facts,
                 struct sky_judge *judge, struct sky_effects *effects,
                 struct sky_coap_decision *ret_decision);
    /* The number of the option that names a waiting command's path in an answer; 0: none. */
    uint16_t coap_waiting_option;
    /* Writes that path for a command on `topic`; false if it does not fit. */
    bool (*coap_waiting_path)(sky_span topic, char *out, size_t out_size);
    /* Broken when the device is silent for longer than the returned lifetime; NULL: no rule. */
    const struct sky_rule *coap_lifetime_rule;
    int64_t (*coap_lifetime_ms)(sky_span identity);
    /* What a datagram breaks that is no DTLS, and a ClientHello that offers no suite we take: no
     * pre-shared key at all, or none of ours. NULL: the server's own rows. */
    const struct sky_rule *coap_dtls_rule, *coap_psk_rule, *coap_cipher_rule;

    /* Host names that devices connect to, `*.` before a part of their own; the server's
     * certificate carries them. Ends with NULL; NULL: none. */
    const char *const *host_names;
};

/* ---- what is common to all clouds ---- */

/* Every cloud built in, in the order of the build's list; ends with NULL. */
extern const struct sky_cloud *const sky_clouds[];
const struct sky_cloud *sky_cloud_find(sky_span name);

/* Adds the rule tables of MQTT, CoAP and every cloud. */
void sky_cloud_fill_catalogue(struct sky_catalogue *catalogue);

/* The rule for a general limit: the cloud's own row or MQTT's. `cloud` may be NULL. */
const struct sky_rule *sky_cloud_limit_rule(const struct sky_cloud *cloud,
                                            enum sky_limit_rule which);
/* The rule that a recognised mistake breaks: in CONNECT, in a pre-shared key, in an HTTP call.
 * NULL: none of its own. */
const struct sky_rule *sky_cloud_mistake_rule(const struct sky_cloud *cloud,
                                              enum sky_mistake mistake);
const struct sky_rule *sky_cloud_psk_mistake_rule(const struct sky_cloud *cloud,
                                                  enum sky_mistake mistake);
const struct sky_rule *sky_cloud_http_mistake_rule(const struct sky_cloud *cloud,
                                                   const struct sky_http_row *row,
                                                   enum sky_mistake mistake);

/* May the device `want` (SKY_MAY_PUB or SKY_MAY_SUB) this topic or filter? The product's own
 * topics come first, then the cloud's rows. On GRANTED `*ret_row` is the cloud's row or NULL. */
enum sky_right sky_cloud_right(const struct sky_cloud *cloud, sky_span product, sky_span device,
                               const struct sky_product_topic *own, size_t own_count,
                               sky_span filter, unsigned want,
                               const struct sky_topic_row **ret_row);

/* Does a downlink on `topic` reach the device without a subscription? */
bool sky_cloud_is_pushed(const struct sky_cloud *cloud, sky_span product, sky_span device,
                         sky_span topic);

#endif
