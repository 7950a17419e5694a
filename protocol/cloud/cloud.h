/* THE contract between a cloud and the rest: tables, and a few pure functions over facts.
 * A cloud is one const struct in a folder of its own. It sees values and returns values: it never
 * looks anything up, waits, draws a random number, or reads a clock. */
#ifndef SKY_CLOUD_CLOUD_H
#define SKY_CLOUD_CLOUD_H

#include "protocol/cloud/call.h"
#include "protocol/cloud/login.h"
#include "protocol/cloud/service.h"
#include "protocol/mqtt/rules.h"
#include "protocol/mqtt/session.h"

/* ---- what a cloud may have ---- */

/* HTTP calls: one row for each path. */
struct sky_cloud_http {
    const struct sky_http_row *rows;
    size_t count; /* at least 1 */
};

/* Pre-shared keys, in TLS and in DTLS. */
struct sky_cloud_psk {
    /* Is this identity one of ours, and whose? False: certainly not. */
    bool (*claim)(const struct sky_door *door, sky_span identity, struct sky_claim *ret_claim);
    /* The key due; false when the identity is refused (judged). Product and device may be missing
     * from the facts. */
    bool (*admit)(const struct sky_door *door, sky_span identity, const struct sky_facts *facts,
                  struct sky_judge *judge, struct sky_psk *ret_key);
    /* Keys a device may have used by mistake; returns how many, at most SKY_PSK_GUESSES_MAX. */
    size_t (*guesses)(const struct sky_door *door, sky_span identity, const struct sky_facts *facts,
                      struct sky_psk *ret_guesses);
    /* Broken by a wrong key; NULL: the server's own row. */
    const struct sky_rule *key_rule;
    /* Mistakes in a key that are other rules than in a login; looked up before those with
     * sky_cloud_psk_mistake_rule(). */
    const struct sky_mistake_rule *mistake_rules;
    size_t mistake_rule_count;
};

/* CoAP over DTLS; a pre-shared key opens the channel, so a cloud with this has `psk` as well. */
struct sky_cloud_coap {
    /* What a request means, judged. Effects are applied before the answer is sent. */
    void (*decide)(const struct sky_coap_call *call, const struct sky_facts *facts,
                   struct sky_judge *judge, struct sky_effects *effects,
                   struct sky_coap_decision *ret_decision);
    /* The number of the option that names a waiting command's path in an answer; 0: none. */
    uint16_t waiting_option;
    /* Writes that path for a command on `topic`, false if it does not fit; there when the option
     * is. */
    bool (*waiting_path)(sky_span topic, char *out, size_t out_size);
    /* For how long a device may be silent, and what it breaks when it is silent for longer; both
     * or neither (then the server's own patience counts). */
    int64_t (*lifetime_ms)(sky_span identity);
    const struct sky_rule *lifetime_rule;
    /* What a datagram breaks that is no DTLS, and a ClientHello that offers no suite we take: no
     * pre-shared key at all, or none of ours. NULL: the server's own rows. */
    const struct sky_rule *dtls_rule, *psk_rule, *cipher_rule;
};

/* A document of what a device is and should be, which the application may change. */
struct sky_cloud_shadow {
    const char *document; /* its name among the device's documents; sky_shadow_show() renders it */
    /* The application changes what it desires: `patch` is {"desired":{...}} or {"desired":null},
     * with {"version":n} if it is to apply to that version only (CONFLICT otherwise). Appends the
     * new document and what the device is told. */
    sky_err (*patch)(const struct sky_uplink *to, const struct sky_facts *facts, sky_span patch,
                     struct sky_effects *effects, struct sky_why *why);
    /* The document that a fixture's {"reported":{...},"desired":{...}} stands for. */
    sky_err (*seed)(sky_span fixture, int64_t now_ms, struct sky_arena *arena,
                    sky_span *ret_document, int64_t *ret_version, struct sky_why *why);
};

struct sky_cloud_model; /* protocol/cloud/model_form.h */
/* Where the upgrade of a module stands; see ota.h. */
enum sky_ota_state {
    SKY_OTA_NONE,
    SKY_OTA_QUEUED,    /* the device does not know of it yet */
    SKY_OTA_NOTIFIED,  /* it was told */
    SKY_OTA_RUNNING,   /* it has reported progress */
    SKY_OTA_SUCCEEDED, /* it reported the version; from here on it is over */
    SKY_OTA_FAILED,
    SKY_OTA_CANCELED,
    SKY_OTA_STATES,
};

struct sky_ota_upgrade;

/* Upgrades of a device's firmware, in what clouds differ about them. */
struct sky_cloud_ota {
    const char *module;  /* what the main module is called, where it goes without a name */
    bool modules;        /* devices have others beside */
    bool chunked;        /* devices may fetch an image by messages */
    int64_t size_max;    /* bytes of an image; 0: the server's own limit counts */
    int64_t chunked_max; /* of one fetched by messages; likewise */
    int64_t timeout_ms;  /* virtual time from the first progress to the end; 0: any */
    /* A version reported that is not the one upgraded to: does it end an upgrade that is RUNNING
     * as FAILED? Is the push repeated to a device that was told before? */
    bool other_version_fails, push_is_repeated;
    /* The cloud's own name of each state; NULL entries: it has none. */
    const char *states[SKY_OTA_STATES];
    /* Appends the downlink (PUSH) that tells the device; where it is to be downloaded is empty if
     * it fetches the image by messages. `id` is a fresh correlation id, digits. */
    void (*push)(const struct sky_uplink *to, const struct sky_ota_upgrade *upgrade, sky_span url,
                 sky_span id, struct sky_effects *effects);
};

/* ---- the cloud ---- */

struct sky_keepalive_range {
    uint16_t min_s, max_s;
};

struct sky_cloud_limits {
    uint32_t payload_max; /* bytes */
    uint16_t topic_len_max, topic_slashes_max;
    uint16_t filters_per_packet_max, filters_per_device_max;
    uint16_t publish_rate_max[2]; /* messages in one second, with QoS 0 and 1; 0: no bound */
    struct sky_keepalive_range keepalive[SKY_PROFILES];
    struct sky_mqtt_session_limits session;
    bool level_3; /* MQTT 3.1 is taken too */
};

/* Names of the fields in fixtures and answers, as on the vendor's console. */
struct sky_vocabulary {
    const char *product_key, *product_secret, *device_key, *device_secret;
};

struct sky_cloud {
    const char *name;  /* one word: in fixtures, API and command line */
    const char *title; /* for people */
    struct sky_vocabulary words;
    struct sky_cloud_limits limits;
    enum sky_violation publish_violation;

    struct sky_rule_table rules;
    /* This cloud's own rows for the general limits; NULL entries: the MQTT table's row counts. */
    const struct sky_rule *limit_rules[SKY_LIMIT_RULES];
    /* Of the keepalive, judged at login beside the general one, whose place it takes in verdicts
     * when both are broken. NULL: there is none. */
    const struct sky_rule *keepalive_rule;
    const struct sky_mistake_rule *mistake_rules;
    size_t mistake_rule_count;
    /* Broken when a session with SKY_TRAIT_ACTIVATION ends and the device never subscribed to the
     * topic its secret was pushed on; NULL: no such rule. */
    const struct sky_rule *activation_unsubscribed;
    /* Broken when a command is answered under another correlation id than it came with; NULL: no
     * such rule. */
    const struct sky_rule *answer_id;
    const struct sky_listener_row *listeners;
    size_t listener_count;
    const struct sky_topic_table *topics;
    const struct sky_command_row *commands;
    size_t command_count;

    /* Is this CONNECT one of ours, and whose? False: certainly not. */
    bool (*claim)(const struct sky_login *login, struct sky_claim *ret_claim);
    /* How a CONNECT of ours looks, for a peer that sent nobody's; NULL: it is not told. */
    const char *login_form;
    /* Checks everything about the login, judging every rule it exercises. Product and device may
     * be missing from the facts. Effects are applied after CONNACK, and only if admitted. */
    void (*admit)(const struct sky_login *login, const struct sky_facts *facts,
                  struct sky_judge *judge, struct sky_effects *effects,
                  struct sky_admission *ret_admission);
    /* After SKY_CAUSE_SIGNATURE: the due recipe and the material of mistakes. The server adds
     * other devices' secrets. False: there is nothing to recompute. */
    bool (*suspect)(const struct sky_login *login, const struct sky_facts *facts,
                    struct sky_suspicion *ret_suspicion, struct sky_arena *arena);
    /* What `skymock sign` prints: views into the arena. */
    void (*sign)(const struct sky_sign_request *request, struct sky_arena *arena,
                 struct sky_credentials *ret_credentials);
    /* Called for a granted SUBSCRIBE; may be NULL. */
    void (*subscribed)(const struct sky_uplink *uplink, const struct sky_facts *facts,
                       struct sky_judge *judge, struct sky_effects *effects);
    /* Called for a publish without the right, to answer it; may be NULL. Of a gateway's, `peers`
     * in the facts has the device that the topic names, if there is one. */
    void (*refused_publish)(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects);
    /* Is a registered secret of the right form? NULL: any is. */
    sky_err (*check_secret)(sky_span secret, struct sky_why *why);
    /* A device secret in the cloud's form, made from `fresh`. */
    void (*make_secret)(sky_span fresh, char out[SKY_SECRET_MAX + 1]);

    /* What not every cloud has; NULL: this one has not. */
    const struct sky_cloud_http *http;
    const struct sky_cloud_psk *psk;
    const struct sky_cloud_coap *coap;
    const struct sky_cloud_shadow *shadow;
    const struct sky_cloud_gateway *gateway;
    const struct sky_cloud_model *model; /* the form of thing models */
    const struct sky_cloud_ota *ota;

    /* Host names that devices connect to, `*.` before a part of their own; the server's
     * certificate carries them. Ends with NULL; NULL: none. */
    const char *const *host_names;
};

/* ---- what is common to all clouds ---- */

enum {
    SKY_CLOUDS_MAX = SKY_TABLES_SPECIAL_MAX,
    SKY_CLOUD_LISTENERS_MAX = 8, /* of all clouds together */
};

/* Every cloud built in, in the order of the build's list; ends with NULL. */
extern const struct sky_cloud *const sky_clouds[];

/* Does the cloud give all that it must, and nothing out of bounds? Else `why` says what to mend, in
 * words for whoever writes the cloud. */
SKY_MUST_USE sky_err sky_cloud_check(const struct sky_cloud *cloud, struct sky_why *why);
/* The same of all in the list, and do they leave each other room? The tests ask, and each start of
 * a debug build; everything else relies on it. */
SKY_MUST_USE sky_err sky_clouds_check(const struct sky_cloud *const *clouds, struct sky_why *why);

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

/* Is this topic or filter within the cloud's length and number of slashes? One of the cloud's own
 * topics is: nobody can name it otherwise. `row` is what sky_cloud_right() gave for it, or NULL. */
bool sky_cloud_topic_fits(const struct sky_cloud_limits *limits, const struct sky_topic_row *row,
                          sky_span filter);

/* May the device `want` (SKY_MAY_PUB or SKY_MAY_SUB) this topic or filter? The product's own
 * topics come first, then the cloud's rows. On GRANTED `*ret_row` is the cloud's row or NULL. */
enum sky_right sky_cloud_right(const struct sky_cloud *cloud, sky_span product, sky_span device,
                               const struct sky_product_topic *own, size_t own_count,
                               sky_span filter, unsigned want,
                               const struct sky_topic_row **ret_row);

/* Does a downlink on `topic` reach the device without a subscription? `traits` are the session's.
 */
bool sky_cloud_is_pushed(const struct sky_cloud *cloud, sky_span product, sky_span device,
                         sky_span topic, unsigned traits);

/* Does the device miss what it did not ask for when it has no subscription to this filter? */
bool sky_cloud_needs_filter(const struct sky_cloud *cloud, sky_span product, sky_span device,
                            sky_span filter, unsigned traits);

#endif
