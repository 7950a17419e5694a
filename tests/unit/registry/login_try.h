/* A login as the cloud itself would sign it, which a test bends before it is tried. */
#ifndef SKY_TEST_LOGIN_TRY_H
#define SKY_TEST_LOGIN_TRY_H

#include <string.h>

#include "server/os/listeners.h"
#include "server/registry/login.h"
#include "tests/unit/registry/registry_case.h"

struct login_try {
    struct registry_case *c;
    struct {
        char client_id[256], username[256], password[192];
    } credentials; /* to be spoilt */
    struct sky_door door;
    struct sky_mqtt_connect connect;
    struct sky_lookup lookup;
    struct sky_judge judge;
    struct sky_login_outcome outcome;
    size_t effects; /* that wait to be applied */
    bool recognised;
};

static inline void login_try_write(struct login_try *t, const struct sky_cloud *cloud,
                                   const struct sky_sign_request *request)
{
    struct sky_credentials c;
    struct sky_arena arena;
    sky_arena_init(&arena);
    cloud->sign(request, &arena, &c);
    assert_true(
        sky_span_copy(c.client_id, t->credentials.client_id, sizeof t->credentials.client_id) &&
        sky_span_copy(c.username, t->credentials.username, sizeof t->credentials.username) &&
        sky_span_copy(c.password, t->credentials.password, sizeof t->credentials.password));
    sky_arena_done(&arena);
}

/* Signed for a device of the registry. */
static inline void login_try_sign(struct login_try *t, struct registry_case *c, const char *cloud,
                                  const char *product, const char *device, bool dynamic)
{
    struct sky_product found_product;
    struct sky_device found_device;
    *t = (struct login_try){.c = c};
    registry_case_find(c, cloud, product, device, &found_product, &found_device);
    const struct sky_sign_request request = {
        .product = &found_product,
        .device = &found_device,
        .dynamic = dynamic,
        .now_ms = c->clock.now_ms,
        .fresh = SKY_SPAN("freshFRESH0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR")};
    login_try_write(t, sky_cloud_find(sky_span_str(cloud)), &request);
    t->door = (struct sky_door){.listener = sky_listener_find(SKY_SPAN("mqtt"))};
    t->connect = (struct sky_mqtt_connect){.protocol = SKY_SPAN("MQTT"),
                                           .level = 4,
                                           .level_known = true,
                                           .clean_session = true,
                                           .has_username = true,
                                           .has_password = true,
                                           .keepalive_s = 120};
}

/* Recognises and decides, with what the credentials are by now. Returns the CONNACK code. */
static inline int login_try_in_same_turn(struct login_try *t)
{
    struct sky_registry *registry = &t->c->registry;
    struct sky_effects effects;
    struct sky_mqtt_connect *connect = &t->connect;
    connect->client_id = sky_span_str(t->credentials.client_id);
    connect->username = sky_span_str(t->credentials.username);
    connect->password = sky_span_str(t->credentials.password);
    const struct sky_login login = sky_login_of(&t->door, connect);
    t->lookup = (struct sky_lookup){.cloud = NULL};
    sky_effects_init(&effects);
    t->recognised = sky_login_recognise(registry, &login, &t->lookup);
    sky_judge_init(&t->judge, sky_lookup_policy(registry, &t->lookup));
    sky_login_decide(registry, &login, connect, &t->lookup, &t->judge, &effects, &t->outcome);
    t->effects = effects.count;
    sky_effects_done(&effects);
    return t->outcome.connack;
}

/* The same in a turn of the loop of its own, in which nothing has been searched for yet. */
static inline int login_try(struct login_try *t)
{
    t->c->registry.searches.count = 0;
    return login_try_in_same_turn(t);
}

static inline bool login_try_found(const struct login_try *t, const char *rule)
{
    for (size_t i = 0; i < t->judge.count; i++)
        if (strcmp(t->judge.findings[i].rule->id, rule) == 0)
            return true;
    return false;
}

static inline bool login_try_kept(const struct login_try *t, const char *rule)
{
    return sky_rule_set_has(&t->judge.exercised, registry_case_place(t->c, rule)) &&
           !login_try_found(t, rule);
}

#endif
