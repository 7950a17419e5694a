/* A device at a cloud's door, as a value that a test bends: who is registered, how the device is
 * connected, what it sends, and what came of it. */
#ifndef SKY_TEST_LOGIN_CASE_H
#define SKY_TEST_LOGIN_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "auth/text.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"

#define LOGIN_NOW_MS INT64_C(1600000000000)
#define LOGIN_FRESH "freshFRESH0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"

struct login_bench {
    const struct sky_cloud *cloud;
    struct sky_catalogue catalogue;
    struct sky_policy policy;
    struct sky_judge judge;
    struct sky_effects effects;
    struct sky_listener_row listener;
    struct sky_door door;
    struct sky_product product;
    struct sky_device device;
    struct sky_token token;
    struct sky_facts facts;
    struct sky_login login;
    struct sky_admission admission;
};

/* A product and an enabled device of it are registered; the device comes over plain TCP. */
static inline void login_init(struct login_bench *b, const char *cloud, const char *product,
                              const char *product_secret, const char *device,
                              const char *device_secret)
{
    *b = (struct login_bench){.cloud = sky_cloud_find(sky_span_str(cloud))};
    assert_non_null(b->cloud);
    sky_catalogue_init(&b->catalogue);
    sky_cloud_fill_catalogue(&b->catalogue);
    sky_policy_init(&b->policy, &b->catalogue, SKY_PROFILE_SEED);
    sky_judge_init(&b->judge, &b->policy);
    sky_effects_init(&b->effects);
    b->listener = (struct sky_listener_row){.name = "mqtt"};
    b->door = (struct sky_door){.listener = &b->listener, .transport = SKY_TCP};
    b->product.id = b->device.product_id = 1;
    b->device.id = 7;
    b->product.https_auth = b->device.enabled = true;
    snprintf(b->product.key, sizeof b->product.key, "%s", product);
    snprintf(b->product.secret, sizeof b->product.secret, "%s", product_secret);
    snprintf(b->device.key, sizeof b->device.key, "%s", device);
    snprintf(b->device.secret, sizeof b->device.secret, "%s", device_secret);
    snprintf(b->device.asset_id, sizeof b->device.asset_id, "asset1");
    b->facts = (struct sky_facts){.product = &b->product,
                                  .device = &b->device,
                                  .now_ms = LOGIN_NOW_MS,
                                  .fresh = SKY_SPAN(LOGIN_FRESH)};
    b->login = (struct sky_login){.door = &b->door,
                                  .level = 4,
                                  .keepalive_s = 120,
                                  .has_username = true,
                                  .has_password = true};
}

static inline void login_done(struct login_bench *b)
{
    sky_effects_done(&b->effects);
}

static inline void login_over_tls(struct login_bench *b, const char *listener)
{
    b->listener.name = listener;
    b->door.transport = SKY_TLS;
    b->door.tls_version = 0x0303;
}

static inline void login_policy(struct login_bench *b, const char *override)
{
    assert_int_equal(sky_policy_override(&b->policy, sky_span_str(override), NULL), SKY_OK);
}

/* Logs in; NULL: the flag is clear in CONNECT. Returns the CONNACK code. */
static inline int login_connect(struct login_bench *b, const char *client_id, const char *username,
                                const char *password)
{
    sky_judge_init(&b->judge, &b->policy);
    sky_effects_clear(&b->effects);
    b->login.client_id = sky_span_str(client_id);
    b->login.username = sky_span_str(username);
    b->login.password = sky_span_str(password);
    b->login.has_username = username != NULL;
    b->login.has_password = password != NULL;
    b->cloud->admit(&b->login, &b->facts, &b->judge, &b->effects, &b->admission);
    return b->admission.connack;
}

/* What was held against the device under that rule; NULL: nothing. */
static inline const char *login_finding(const struct login_bench *b, const char *id)
{
    for (size_t i = 0; i < b->judge.count; i++)
        if (strcmp(b->judge.findings[i].rule->id, id) == 0)
            return b->judge.findings[i].detail;
    return NULL;
}

static inline const struct sky_rule *login_rule(const struct login_bench *b, const char *id)
{
    const struct sky_rule *rule = sky_catalogue_find(&b->catalogue, sky_span_str(id));
    if (rule == NULL)
        fail_msg("there is no rule %s", id);
    return rule;
}

/* The rule was looked at, and nothing was found. */
static inline bool login_kept(const struct login_bench *b, const char *id)
{
    size_t place = sky_catalogue_place(&b->catalogue, login_rule(b, id));
    return sky_rule_set_has(&b->judge.exercised, place) && login_finding(b, id) == NULL;
}

static inline const struct sky_effect *login_effect(const struct login_bench *b,
                                                    enum sky_effect_kind kind)
{
    for (size_t i = 0; i < b->effects.count; i++)
        if (b->effects.list[i].kind == kind)
            return &b->effects.list[i];
    return NULL;
}

/* What is said of the signature; false: nothing can be. */
static inline bool login_explain(struct login_bench *b, struct sky_explanation *ret_explanation)
{
    struct sky_suspicion suspicion = {.now_ms = b->facts.now_ms};
    struct sky_arena arena;
    sky_arena_init(&arena);
    bool suspected = b->cloud->suspect(&b->login, &b->facts, &suspicion, &arena);
    if (suspected)
        sky_explain(&suspicion, ret_explanation);
    sky_arena_done(&arena);
    return suspected;
}

/* The rule that the signature's mistake is recognised as, or "none". */
static inline const char *login_mistake_rule(struct login_bench *b, enum sky_mistake *ret_mistake)
{
    struct sky_explanation explanation;
    *ret_mistake = login_explain(b, &explanation) ? explanation.mistake : SKY_MISTAKE_NONE;
    const struct sky_rule *rule = sky_cloud_mistake_rule(b->cloud, *ret_mistake);
    return rule != NULL ? rule->id : "none";
}

/* A signature over a text spelled out by the test; `out` takes SKY_DIGEST_HEX_MAX + 1. */
static inline const char *login_hmac(enum sky_digest digest, const char *secret, const char *text,
                                     char *out)
{
    uint8_t bytes[SKY_DIGEST_MAX];
    const sky_span piece = sky_span_str(text);
    sky_digest_hmac(digest, sky_span_str(secret), &piece, 1, bytes);
    sky_hex_lower(sky_span_of(bytes, sky_digest_len(digest)), out);
    return out;
}

static inline const char *login_hash(enum sky_digest digest, const char *text, char *out)
{
    uint8_t bytes[SKY_DIGEST_MAX];
    const sky_span piece = sky_span_str(text);
    sky_digest_hash(digest, &piece, 1, bytes);
    sky_hex_lower(sky_span_of(bytes, sky_digest_len(digest)), out);
    return out;
}

/* The cloud's own idea of a good login is claimed and let in by the cloud. */
static inline void login_as_signed(struct login_bench *b, bool dynamic, bool tls)
{
    struct sky_credentials c;
    struct sky_arena arena;
    struct sky_claim claim;
    const struct sky_sign_request request = {.product = &b->product,
                                             .device = &b->device,
                                             .dynamic = dynamic,
                                             .tls = tls,
                                             .now_ms = b->facts.now_ms,
                                             .fresh = b->facts.fresh};
    sky_arena_init(&arena);
    b->cloud->sign(&request, &arena, &c);
    assert_int_equal(login_connect(b, c.client_id.ptr, c.username.ptr, c.password.ptr), 0);
    assert_int_equal(b->admission.cause, SKY_CAUSE_NONE);
    assert_true(b->cloud->claim(&b->login, &claim));
    assert_in_range(claim.affinity, SKY_AFFINITY_OPEN, SKY_AFFINITY_OWN);
    for (size_t i = 0; i < b->judge.count; i++)
        if (b->judge.findings[i].rule->severity == SKY_ERROR &&
            strstr(b->judge.findings[i].rule->id, "PORT") == NULL)
            fail_msg("%s: %s", b->judge.findings[i].rule->id, b->judge.findings[i].detail);
    sky_arena_done(&arena);
}

/* A row of a table of logins: what is sent, and what must come of it. */
struct login_row {
    const char *name, *client_id, *username, *password;
    int connack;
    const char *finding; /* a rule that must be broken; NULL: none may be broken */
};

static inline void login_check(struct login_bench *b, const struct login_row *row)
{
    int code = login_connect(b, row->client_id, row->username, row->password);
    if (code != row->connack)
        fail_msg("%s: CONNACK %d, %d was expected (%s: %s)", row->name, code, row->connack,
                 b->judge.count > 0 ? b->judge.findings[0].rule->id : "no finding",
                 b->judge.count > 0 ? b->judge.findings[0].detail : "");
    if (row->finding == NULL && b->judge.count > 0)
        fail_msg("%s: %s: %s", row->name, b->judge.findings[0].rule->id,
                 b->judge.findings[0].detail);
    if (row->finding != NULL && login_finding(b, row->finding) == NULL)
        fail_msg("%s: %s was not found; first: %s", row->name, row->finding,
                 b->judge.count > 0 ? b->judge.findings[0].rule->id : "nothing");
    if (code != 0 && b->effects.count > 0)
        fail_msg("%s: refused, yet with effects", row->name);
}

#endif
