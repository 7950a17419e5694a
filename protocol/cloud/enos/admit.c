#include "auth/text.h"
#include "protocol/base/json.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/enos/login.h"
#include "protocol/cloud/enos/rules.h"
#include "protocol/mqtt/topic.h"

/* The vendor documents no CONNACK codes, so those of MQTT's own meanings are used; findings name
 * the platform's business codes instead: 705 unknown, 723 disabled, 742 signature, 746 must use
 * TLS, 770 dynamic activation not allowed. */

extern const struct sky_cloud sky_cloud_enos;

/* A login while it is being judged. */
struct visit {
    const struct sky_login *login;
    const struct sky_enos_login *in;
    const struct sky_facts *facts;
    struct sky_judge *judge;
    struct sky_effects *effects;
    struct sky_admission *admission;
};

/* ---- shape ---- */

static void check_version(struct visit *v)
{
    if (sky_judge_rule(v->judge, ENOS_RULE(MQTT_VERSION), v->login->level == 4,
                       "the protocol level is %u, 4 was expected", v->login->level))
        sky_admit_refuse(v->admission, SKY_CONNACK_PROTOCOL, SKY_CAUSE_SHAPE);
}

/* SDKs append {ip=..,version=..} to the id: signed with it, but not part of what is limited. */
static bool check_id(struct visit *v)
{
    const struct sky_enos_login *in = v->in;
    sky_span bare = in->id, braces;
    sky_span_cut(in->id, '{', &bare, &braces);
    size_t chars = sky_admit_chars(bare), whole = sky_admit_chars(in->id);
    bool bad = sky_judge_rule(v->judge, ENOS_RULE(CLIENTID_EMPTY), in->id.len > 0,
                              "nothing stands in front of the block");
    bad |= sky_judge_rule(v->judge, ENOS_RULE(CLIENTID_LENGTH), chars <= SKY_ENOS_CLIENT_ID_MAX,
                          "the id has %zu characters, %d are permitted", chars,
                          SKY_ENOS_CLIENT_ID_MAX);
    sky_judge_rule(v->judge, ENOS_RULE(CLIENTID_SUFFIX), whole <= SKY_ENOS_CLIENT_ID_MAX,
                   "the id has %zu characters with what is in braces", whole);
    sky_judge_rule(v->judge, ENOS_RULE(CLIENTID_LITERAL_PREFIX),
                   !sky_span_starts(in->id, SKY_SPAN("clientId")),
                   "the id is '%.*s': the word clientId belongs to the signed text only",
                   SKY_SPAN_ARGS(sky_admit_shown(in->id)));
    return bad;
}

static bool check_securemode(struct visit *v)
{
    sky_span mode = sky_enos__item(v->in, "securemode");
    char room[80];
    sky_span other = sky_misspelt_note(&v->in->block, "securemode", room);
    bool bad = sky_judge_rule(v->judge, ENOS_RULE(SECUREMODE_MISSING), mode.ptr != NULL,
                              "securemode is missing%.*s", SKY_SPAN_ARGS(other));
    if (mode.ptr != NULL)
        bad |= sky_judge_rule(v->judge, ENOS_RULE(SECUREMODE),
                              sky_span_eq_str(mode, "2") || sky_span_eq_str(mode, "3"),
                              "securemode is '%.*s'; 2 or 3 was expected",
                              SKY_SPAN_ARGS(sky_admit_shown(mode)));
    return bad;
}

static bool check_signmethod(struct visit *v)
{
    sky_span name = sky_enos__item(v->in, "signmethod");
    sky_span misspelt = sky_enos__item(v->in, "sighmethod");
    char room[80];
    sky_span other = sky_misspelt_note(&v->in->block, "signmethod", room);
    bool bad = sky_judge_rule(v->judge, ENOS_RULE(SIGNMETHOD_MISSPELT), misspelt.ptr == NULL,
                              "the key is spelled sighmethod");
    if (misspelt.ptr == NULL)
        bad |= sky_judge_rule(v->judge, ENOS_RULE(SIGNMETHOD_MISSING), name.ptr != NULL,
                              "signmethod is missing%.*s", SKY_SPAN_ARGS(other));
    bool known = sky_enos__signmethod(v->in) != NULL;
    if (name.ptr != NULL)
        bad |= sky_judge_rule(v->judge, ENOS_RULE(SIGNMETHOD_UNKNOWN), known,
                              "signmethod is '%.*s'; sha256 was expected",
                              SKY_SPAN_ARGS(sky_admit_shown(name)));
    if (known && name.ptr != NULL)
        bad |= sky_judge_rule(v->judge, ENOS_RULE(SIGNMETHOD), sky_span_eq_str(name, "sha256"),
                              "signmethod is '%.*s', an old SDK's name for %s",
                              SKY_SPAN_ARGS(sky_admit_shown(name)),
                              sky_digest_name(sky_enos__signmethod(v->in)->digest));
    return bad || !known; /* nothing can be computed without one */
}

static bool is_milliseconds(sky_span text)
{
    int64_t value;
    return text.len == SKY_ENOS_TIMESTAMP_DIGITS && sky_span_to_int(text, &value);
}

static bool check_timestamp(struct visit *v)
{
    sky_span text = sky_enos__item(v->in, "timestamp");
    char room[80];
    sky_span other = sky_misspelt_note(&v->in->block, "timestamp", room);
    bool bad = sky_judge_rule(v->judge, ENOS_RULE(TIMESTAMP_MISSING), text.len > 0,
                              "timestamp is missing%.*s", SKY_SPAN_ARGS(other));
    if (text.len > 0)
        sky_judge_rule(v->judge, ENOS_RULE(TIMESTAMP_FORMAT), is_milliseconds(text),
                       "timestamp is '%.*s', not a whole number of milliseconds with 13 digits",
                       SKY_SPAN_ARGS(sky_admit_shown(text)));
    return bad;
}

/* An item that the cloud knows nothing of; NULL: none. */
static const struct sky_pair *foreign_item(const struct sky_enos_login *in)
{
    static const char *const known[] = {"securemode", "signmethod", "timestamp", "sighmethod"};
    for (size_t i = 0; i < in->block.count; i++) {
        bool found = false;
        for (size_t j = 0; j < SKY_COUNT(known); j++)
            found |= sky_span_eq_str(in->block.list[i].key, known[j]);
        if (!found)
            return &in->block.list[i];
    }
    return NULL;
}

/* False: nothing to go on with. */
static bool check_client_id(struct visit *v)
{
    const struct sky_enos_login *in = v->in;
    bool bad = sky_judge_rule(v->judge, ENOS_RULE(CLIENTID_SHAPE), in->shape == SKY_SHAPE_OK,
                              "client id '%.*s...': %s", SKY_SPAN_ARGS(sky_admit_shown(in->id)),
                              sky_shape_text(in->shape));
    if (!in->readable) {
        sky_admit_refuse(v->admission, SKY_CONNACK_CLIENT_ID, SKY_CAUSE_SHAPE);
        return false;
    }
    const struct sky_pair *foreign = foreign_item(in);
    sky_judge_rule(v->judge, ENOS_RULE(CLIENTID_BLANKS), !in->block.padded,
                   "blanks or line ends stand around items of the block");
    sky_judge_rule(v->judge, ENOS_RULE(CLIENTID_UNKNOWN_KEY), foreign == NULL, "unknown item %.*s",
                   SKY_SPAN_ARGS(sky_admit_shown(foreign != NULL ? foreign->key : SKY_SPAN(""))));
    bad |= check_id(v);
    bad |= check_securemode(v);
    bad |= check_signmethod(v);
    bad |= check_timestamp(v);
    if (bad)
        sky_admit_refuse(v->admission, SKY_CONNACK_CLIENT_ID, SKY_CAUSE_SHAPE);
    return true;
}

/* ---- who ---- */

/* False: nobody to go on with. */
static bool check_names(struct visit *v)
{
    const struct sky_enos_login *in = v->in;
    sky_judge_rule(v->judge, ENOS_RULE(USERNAME_SHAPE), in->named,
                   "user name '%.*s' is not of the form deviceKey&productKey",
                   SKY_SPAN_ARGS(sky_admit_shown(v->login->username)));
    if (!in->named) {
        sky_admit_refuse(v->admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_SHAPE);
        return false;
    }
    bool known = v->facts->device != NULL && v->facts->product != NULL;
    bool swapped = !known && v->facts->swapped_known;
    sky_judge_rule(v->judge, ENOS_RULE(USERNAME_ORDER), !swapped,
                   "'%.*s' is the product key and '%.*s' the device key: they changed places",
                   SKY_SPAN_ARGS(sky_admit_shown(in->device)),
                   SKY_SPAN_ARGS(sky_admit_shown(in->product)));
    if (!swapped)
        sky_judge_rule(v->judge, ENOS_RULE(DEVICE_UNKNOWN), known,
                       v->facts->product != NULL ? "product %.*s has no device '%.*s' (code 705)"
                                                 : "there is no product '%.*s' (device '%.*s', "
                                                   "code 705)",
                       SKY_SPAN_ARGS(sky_admit_shown(in->product)),
                       SKY_SPAN_ARGS(sky_admit_shown(in->device)));
    if (!known)
        sky_admit_refuse(v->admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_UNKNOWN);
    return known;
}

/* ---- what needs no proof ---- */

/* 支持的MQTT版本: a finding only, since this server understands every device at every listener. */
static void check_port(struct visit *v)
{
    const struct sky_door *door = v->login->door;
    if (door->listener == NULL)
        return;
    bool encrypted = sky_door_is_encrypted(door), certified = door->fingerprint.len > 0;
    sky_judge_rule(v->judge, ENOS_RULE(PORT_AUTH),
                   door->listener->home == &sky_cloud_enos && encrypted == certified,
                   "the login came in on listener %s over %s, %s client certificate",
                   door->listener->name, encrypted ? "TLS" : "plain TCP",
                   certified ? "with a" : "without");
}

bool sky_enos__judge_direct(const struct sky_facts *facts, struct sky_judge *judge)
{
    return sky_judge_rule(judge, ENOS_RULE(SUB_DIRECT), facts->product->node != SKY_NODE_SUB,
                          "product %s is one of sub-devices, and %s comes without a gateway (code "
                          "771)",
                          facts->product->key, facts->device->key);
}

static void check_state(struct visit *v)
{
    const struct sky_door *door = v->login->door;
    const struct sky_product *product = v->facts->product;
    bool bad = sky_judge_rule(v->judge, ENOS_RULE(DEVICE_DISABLED), v->facts->device->enabled,
                              "device %s is disabled (code 723)", v->facts->device->key);
    bad |= sky_enos__judge_direct(v->facts, v->judge);
    bad |= sky_admit_judge_certificate(door, v->facts, ENOS_RULE(CERT_REQUIRED),
                                       ENOS_RULE(CERT_MISMATCH), v->judge);
    if (v->in->dynamic)
        bad |= sky_judge_rule(v->judge, ENOS_RULE(DYNAMIC_DISABLED), product->dynamic_activation,
                              "dynamic activation is switched off for product %s (code 770)",
                              product->key);
    if (bad)
        sky_admit_refuse(v->admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_STATE);
}

/* ---- proof, and what follows from it ---- */

static void check_signature(struct visit *v)
{
    const struct sky_signmethod *method = sky_enos__signmethod(v->in);
    if (method == NULL)
        return;
    struct sky_recipe recipe = sky_enos__recipe(v->in, method->digest);
    sky_span password = v->login->password;
    const char *secret = sky_enos__secret(v->facts, v->in->dynamic);
    bool right = sky_sign_matches(&recipe, sky_span_str(secret), password);
    bool bad = sky_judge_rule(
        v->judge, v->in->dynamic ? ENOS_RULE(SIGN_DYNAMIC) : ENOS_RULE(SIGN_STATIC), right,
        "the password (%zu characters, expected %zu) is not the %s of content and %s (code 742)",
        password.len, 2 * sky_digest_len(method->digest), sky_digest_name(method->digest),
        v->in->dynamic ? "product secret" : "device secret");
    if (right) {
        sky_admit_no_mistake(sky_enos__mistakes, SKY_ENOS_MISTAKES, v->judge);
        sky_judge_rule(v->judge, ENOS_RULE(PASSWORD_UPPERCASE), !sky_admit_has_lower(password),
                       "the password has lower-case digits");
    }
    sky_admit_signature(v->admission, right, bad);
}

/* 安全认证机制: a secret can be fetched again until it has been used. */
static void check_activation(struct visit *v)
{
    const struct sky_device *device = v->facts->device;
    bool fetched = device->secret_issued && device->state == SKY_DEVICE_INACTIVE;
    if (device->secret_issued)
        sky_judge_rule(v->judge, ENOS_RULE(ACTIVATE_NO_RECONNECT), !(v->in->dynamic && fetched),
                       "the device got its secret, and asks for another instead of using it");
    if (v->in->dynamic &&
        sky_judge_rule(v->judge, ENOS_RULE(DYNAMIC_ALREADY_ACTIVE),
                       device->state == SKY_DEVICE_INACTIVE,
                       "device %s has been online with its secret already", device->key))
        sky_admit_refuse(v->admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_STATE);
}

static void let_in(struct visit *v)
{
    struct sky_arena *arena = &v->effects->arena;
    if (!v->in->dynamic) {
        sky_effects_online(v->effects, v->facts->device);
        return;
    }
    v->admission->traits = SKY_TRAIT_ACTIVATION;
    sky_span message = sky_enos__activate(v->facts, v->effects);
    sky_effects_message(v->effects, SKY_EFFECT_PUSH,
                        sky_enos__activation_topic(arena, v->in->product, v->in->device), message,
                        1);
}

void sky_enos__admit(const struct sky_login *login, const struct sky_facts *facts,
                     struct sky_judge *judge, struct sky_effects *effects,
                     struct sky_admission *ret_admission)
{
    struct sky_enos_login in;
    sky_enos__read(login, &in);
    *ret_admission = (struct sky_admission){0};
    struct visit visit = {login, &in, facts, judge, effects, ret_admission};
    check_version(&visit);
    if (!check_client_id(&visit) || !check_names(&visit))
        return;
    check_port(&visit);
    check_state(&visit);
    check_signature(&visit);
    check_activation(&visit);
    sky_admit_settle(ret_admission, judge);
    if (ret_admission->connack == SKY_CONNACK_ACCEPTED)
        let_in(&visit);
}

/* ---- handing out a secret ---- */

sky_span sky_enos__activation_topic(struct sky_arena *arena, sky_span product, sky_span device)
{
    return sky_arena_printf(arena, "/ext/session/%.*s/%.*s/thing/activate/info",
                            SKY_SPAN_ARGS(product), SKY_SPAN_ARGS(device));
}

/* Keys in the document's order, no blanks: SDKs look for them as text. */
sky_span sky_enos__activation_json(struct sky_arena *arena, const struct sky_facts *facts,
                                   sky_span secret)
{
    struct sky_buf out;
    sky_buf_init(&out, 4096);
    struct sky_jw jw = sky_jw(&out);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "id", "1");
    sky_jw_put_str(&jw, "version", "1.0");
    sky_jw_put_str(&jw, "method", "thing.activate.info");
    sky_jw_key(&jw, "params");
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "assetId", facts->device->asset_id);
    sky_jw_put_str(&jw, "productKey", facts->product->key);
    sky_jw_put_str(&jw, "deviceKey", facts->device->key);
    sky_jw_put_span(&jw, "deviceSecret", secret);
    sky_jw_end_object(&jw);
    sky_jw_end_object(&jw);
    sky_span json = sky_arena_copy(arena, sky_buf_span(&out));
    sky_buf_done(&out);
    return json;
}

/* A device in use keeps its secret, whatever the policy let it ask. */
sky_span sky_enos__activate(const struct sky_facts *facts, struct sky_effects *effects)
{
    char secret[SKY_SECRET_MAX + 1];
    if (facts->device->state == SKY_DEVICE_ACTIVE)
        return sky_enos__activation_json(&effects->arena, facts,
                                         sky_span_str(facts->device->secret));
    sky_enos__make_secret(facts->fresh, secret);
    struct sky_effect *activate = sky_effects_add(effects, SKY_EFFECT_ACTIVATE);
    activate->payload = sky_arena_copy(&effects->arena, sky_span_str(secret));
    return sky_enos__activation_json(&effects->arena, facts, activate->payload);
}

/* 动态激活 tells devices to subscribe to get the secret; it has been pushed at login, and comes
 * again, the same, for those that do. */
void sky_enos__subscribed(const struct sky_uplink *uplink, const struct sky_facts *facts,
                          struct sky_judge *judge, struct sky_effects *effects)
{
    if (!(uplink->traits & SKY_TRAIT_ACTIVATION) || facts->device == NULL)
        return;
    sky_span topic = sky_enos__activation_topic(&effects->arena, uplink->product, uplink->device);
    if (!sky_topic_matches(uplink->topic, topic))
        return;
    sky_judge_kept(judge, ENOS_RULE(ACTIVATE_NOT_SUBSCRIBED));
    sky_effects_message(
        effects, SKY_EFFECT_PUSH, topic,
        sky_enos__activation_json(&effects->arena, facts, sky_span_str(facts->device->secret)), 1);
}
