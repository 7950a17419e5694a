/* Requests that are no MQTT packets: a device's HTTP calls and its CoAP messages, as a cloud sees
 * them and answers them. */
#ifndef SKY_CLOUD_CALL_H
#define SKY_CLOUD_CALL_H

#include "auth/explain.h"
#include "protocol/base/rule.h"
#include "protocol/cloud/effects.h"
#include "protocol/cloud/login.h"
#include "protocol/coap/exchange.h"

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
    sky_span body; /* in the effects' arena or static; JSON */
    enum sky_cause cause;
    /* The device publishes this by its call; without the right to, or against a rule that is
     * enforced, it is answered with `refused_body`. A valid topic name; empty: it does not. */
    sky_span topic, payload, refused_body;
    uint8_t qos;
};
/* What is answered when the server itself fails: the registry cannot be read, or what an answer
 * promises cannot be kept. */
struct sky_http_failure {
    int status;
    const char *body; /* JSON */
};
struct sky_http_row {
    const char *method, *path;
    struct sky_http_failure failure;
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
    enum sky_profile profile;
};

enum sky_coap_act {
    SKY_COAP_ANSWER,  /* with `code` and `payload`; that is all */
    SKY_COAP_PUBLISH, /* the device publishes the body to `topic`: with the right to, the answer is
                         `code` and what its service replies; else `refused_code` */
    SKY_COAP_FETCH,   /* the device fetches the command that waits for it on `topic`: `code` and the
                         command, or `refused_code` when none does */
    SKY_COAP_REPEAT,  /* what the earlier request under this message id was answered with */
};

struct sky_coap_decision {
    enum sky_coap_act act;
    uint8_t code, refused_code; /* enum sky_coap_code */
    sky_span topic, payload;    /* views into the request or in the effects' arena */
};

#endif
