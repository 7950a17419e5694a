/* CoAP requests: every topic is a path behind /topic, so most of them are publishes and fetches;
 * a session with the product's key may do one thing only, fetch the device's secret. */
#include <stdio.h>

#include "protocol/cloud/enos/login.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/mqtt/topic.h"

extern const struct sky_cloud sky_cloud_enos;

static const sky_span prefix = SKY_SPAN("/topic");
static const sky_span activation = SKY_SPAN("/ext/session/{product}/{device}/thing/activate/info");

/* A request while it is being judged. */
struct visit {
    const struct sky_coap_call *call;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    struct sky_coap_decision *decision;
    struct sky_enos_identity id;
    sky_span path, topic; /* the topic is what stands behind /topic */
    uint8_t method;
};

static void answer(struct visit *v, uint8_t code)
{
    *v->decision = (struct sky_coap_decision){.act = SKY_COAP_ANSWER, .code = code};
}

/* False: answered, as a cloud does that knows requests by their message ids. */
static bool check_habits(struct visit *v)
{
    unsigned saw = v->call->saw;
    bool discovers = sky_span_starts(v->path, SKY_SPAN("/.well-known/core"));
    sky_judge_rule(v->judge, ENOS_RULE(COAP_OBSERVE), !(saw & SKY_COAP_SAW_OBSERVE) && !discovers,
                   "%s", discovers ? "asked for /.well-known/core" : "the request observes");
    bool same_id = saw & SKY_COAP_SAW_ID_REUSED;
    bool reused = sky_judge_rule(v->judge, ENOS_RULE(COAP_MID_REUSE),
                                 !same_id && !(saw & SKY_COAP_SAW_TOKEN_REUSED),
                                 "the %s of message %u came before, with another request",
                                 same_id ? "id" : "token", v->call->request->message.id);
    sky_judge_rule(v->judge, ENOS_RULE(COAP_PAYLOAD_SIZE), !(saw & SKY_COAP_SAW_LARGE),
                   "a payload of %zu bytes in one message", v->call->request->body.len);
    if (reused && same_id)
        *v->decision = (struct sky_coap_decision){.act = SKY_COAP_REPEAT};
    return !(reused && same_id);
}

/* False: answered. */
static bool check_path(struct visit *v)
{
    bool below = sky_span_starts(v->path, prefix) && v->path.len > prefix.len &&
                 v->path.ptr[prefix.len] == '/';
    sky_judge_rule(v->judge, ENOS_RULE(COAP_PATH_PREFIX), below, "the path is '%.*s'",
                   SKY_SPAN_ARGS(sky_admit_shown(v->path)));
    if (!below) {
        answer(v, SKY_COAP_NOT_FOUND);
        return false;
    }
    v->topic = sky_span_tail(v->path, prefix.len);
    return true;
}

/* RFC 7252 §5.8.1 has 2.05 for a GET; the vendor's later table of codes knows no success but 2.04.
 */
static uint8_t success_of_get(const struct visit *v)
{
    return v->call->profile == SKY_PROFILE_SEED ? SKY_COAP_CONTENT : SKY_COAP_CHANGED;
}

static void activate(struct visit *v)
{
    answer(v, success_of_get(v));
    v->decision->payload = sky_enos__activate(v->facts, v->effects);
}

/* A session with the product's key. */
static void serve_activation(struct visit *v, bool own, bool any)
{
    const struct sky_device *device = v->facts->device;
    sky_judge_rule(v->judge, ENOS_RULE(COAP_REAUTH), any || !device->secret_issued,
                   "the device has its secret, yet goes on in the session with the product's key");
    bool refused = sky_judge_rule(v->judge, ENOS_RULE(COAP_ACTIVATE_PATH), any,
                                  "a session with the product's key asked for '%.*s'",
                                  SKY_SPAN_ARGS(sky_span_head(v->path, 120)));
    if (any)
        refused |= sky_judge_rule(v->judge, ENOS_RULE(COAP_ACTIVATE_OTHER_DEVICE), own,
                                  "the path '%.*s' names another device than the identity",
                                  SKY_SPAN_ARGS(sky_span_head(v->path, 120)));
    if (refused || !own) {
        answer(v, SKY_COAP_FORBIDDEN);
        return;
    }
    sky_judge_rule(v->judge, ENOS_RULE(COAP_ACTIVATE_METHOD), v->method == SKY_COAP_GET,
                   "the method is 0.%02d, not GET", v->method);
    if (v->method == SKY_COAP_GET)
        activate(v);
    else
        answer(v, SKY_COAP_METHOD_NOT_ALLOWED);
}

/* What a GET is answered with that finds no command: nothing, which is no fault, as devices may ask
 * from time to time; unless no command could ever come on that path. The document has no word on
 * it. */
static uint8_t code_of_nothing(const struct visit *v)
{
    const struct sky_topic_row *row;
    enum sky_right right = sky_cloud_right(&sky_cloud_enos, v->call->product, v->call->device, NULL,
                                           0, v->topic, SKY_MAY_SUB, &row);
    if (right == SKY_RIGHT_OTHER)
        return SKY_COAP_FORBIDDEN;
    return right == SKY_RIGHT_GRANTED ? success_of_get(v) : SKY_COAP_NOT_FOUND;
}

/* A session with the device's key: POST publishes, GET fetches a waiting command. */
static void serve_device(struct visit *v)
{
    if (v->facts->device->secret_issued)
        sky_judge_kept(v->judge, ENOS_RULE(COAP_REAUTH));
    sky_effects_online(v->effects, v->facts->device);
    bool post = v->method == SKY_COAP_POST, get = v->method == SKY_COAP_GET;
    if (!post && !get) {
        answer(v, SKY_COAP_METHOD_NOT_ALLOWED);
        return;
    }
    *v->decision =
        (struct sky_coap_decision){.act = post ? SKY_COAP_PUBLISH : SKY_COAP_FETCH,
                                   .code = post ? SKY_COAP_CHANGED : success_of_get(v),
                                   .refused_code = post ? SKY_COAP_FORBIDDEN : code_of_nothing(v),
                                   .topic = v->topic};
}

void sky_enos__coap(const struct sky_coap_call *call, const struct sky_facts *facts,
                    struct sky_judge *judge, struct sky_effects *effects,
                    struct sky_coap_decision *ret_decision)
{
    struct visit v = {.call = call,
                      .facts = facts,
                      .judge = judge,
                      .effects = effects,
                      .decision = ret_decision,
                      .path = sky_span_str(call->request->message.path),
                      .method = call->request->message.code};
    const struct sky_topic_keys keys = {call->product, call->device};
    sky_enos__read_identity(call->identity, &v.id);
    if (!check_habits(&v))
        return;
    if (facts->device == NULL || facts->product == NULL) { /* deleted since the handshake */
        answer(&v, SKY_COAP_UNAUTHORIZED);
        return;
    }
    if (!check_path(&v))
        return;
    bool any = sky_topic_within_any(v.topic, activation);
    bool own = any && sky_topic_within(v.topic, activation, &keys);
    if (v.id.dynamic)
        serve_activation(&v, own, any);
    else
        serve_device(&v);
}

bool sky_enos__coap_waiting_path(sky_span topic, char *out, size_t out_size)
{
    int len = snprintf(out, out_size, "%.*s%.*s", SKY_SPAN_ARGS(prefix), SKY_SPAN_ARGS(topic));
    return len >= 0 && (size_t)len < out_size;
}

int64_t sky_enos__coap_lifetime_ms(sky_span identity)
{
    struct sky_enos_identity id;
    int64_t lifetime_s;
    sky_enos__read_identity(identity, &id);
    if (!sky_span_to_int(id.lifetime, &lifetime_s) || lifetime_s > SKY_ENOS_LIFETIME_MAX_S)
        lifetime_s = SKY_ENOS_LIFETIME_MAX_S;
    return lifetime_s * 1000;
}
