/* What the server knows, without a network: registry, rules and journal as they really are, with
 * the devices of tests/support/fixtures.json, and time standing still. */
#ifndef SKY_TEST_REGISTRY_CASE_H
#define SKY_TEST_REGISTRY_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "server/journal/read.h"
#include "server/os/config.h"
#include "server/registry/fixture_files.h"
#include "server/registry/parties.h"
#include "server/registry/rules.h"
#include "server/registry/sessions.h"

#define REGISTRY_CASE_NOW_MS INT64_C(1600000000000)

enum { REGISTRY_CASE_JOURNAL_BYTES = 4 * 1024 * 1024, REGISTRY_CASE_JOURNAL_EVENTS = 10000 };

struct registry_case {
    struct sky_clock clock;
    struct sky_rng rng;
    struct sky_store *store;
    struct sky_journal *journal;
    struct sky_registry registry;
    char text[256]; /* of the last event asked for */
};

static inline void registry_case_init(struct registry_case *c)
{
    char *path[] = {(char[]){SKY_SOURCE_DIR "/tests/support/fixtures.json"}};
    const struct sky_strings fixtures = {.list = path, .count = 1};
    struct sky_fixture_result loaded;
    struct sky_why why;
    sky_clock_init(&c->clock);
    sky_clock_freeze(&c->clock);
    sky_clock_set(&c->clock, REGISTRY_CASE_NOW_MS);
    sky_rng_init_seeded(&c->rng, 1);
    struct sky_registry *registry = &c->registry;
    sky_rules_catalogue(SKY_PROFILE_SEED, &registry->catalogue);
    sky_policy_init(&registry->policy, &registry->catalogue, SKY_PROFILE_SEED);
    if (sky_store_open(":memory:", &c->store, &why) != SKY_OK ||
        sky_fixture_files_load(c->store, &fixtures, &registry->catalogue, &c->rng, c->clock.now_ms,
                               NULL, &loaded, &why) != SKY_OK)
        fail_msg("%s", why.reason);
    c->journal =
        sky_journal_new(REGISTRY_CASE_JOURNAL_BYTES, REGISTRY_CASE_JOURNAL_EVENTS, NULL, &c->clock);
    registry->store = c->store;
    registry->journal = c->journal;
    registry->clock = &c->clock;
    registry->rng = &c->rng;
    sky_parties_watch(registry);
}

/* Sessions must have been dropped, or hold nothing. */
static inline void registry_case_done(struct registry_case *c)
{
    for (size_t slot = 0; slot < c->registry.slots; slot++)
        if (c->registry.by_slot[slot] != NULL)
            sky_session_drop(&c->registry, c->registry.by_slot[slot]);
    sky_sessions_done(&c->registry);
    sky_parties_done(&c->registry);
    sky_products_done(&c->registry);
    sky_journal_free(c->journal);
    sky_store_close(c->store);
    sky_clock_done(&c->clock);
}

static inline int registry_case_open(void **state)
{
    struct registry_case *c = sky_mem_new(sizeof *c);
    registry_case_init(c);
    *state = c;
    return 0;
}

static inline int registry_case_close(void **state)
{
    registry_case_done(*state);
    free(*state);
    return 0;
}

#define REGISTRY_TEST(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, registry_case_open, registry_case_close)

static inline void registry_case_rule(struct registry_case *c, const char *override)
{
    assert_int_equal(sky_policy_override(&c->registry.policy, sky_span_str(override), NULL),
                     SKY_OK);
}

static inline void registry_case_find(struct registry_case *c, const char *cloud,
                                      const char *product, const char *device,
                                      struct sky_product *ret_product,
                                      struct sky_device *ret_device)
{
    assert_int_equal(sky_store_find_device(c->store, sky_span_str(cloud), sky_span_str(product),
                                           sky_span_str(device), ret_product, ret_device),
                     SKY_OK);
}

static inline struct sky_session *registry_case_session(struct registry_case *c, const char *cloud,
                                                        const char *product, const char *device)
{
    struct sky_product found_product;
    struct sky_device found_device;
    registry_case_find(c, cloud, product, device, &found_product, &found_device);
    return sky_session_open(&c->registry, &found_product, &found_device);
}

static inline size_t registry_case_events(struct registry_case *c, enum sky_event_type type,
                                          enum sky_event_field field)
{
    struct sky_cursor cursor;
    struct sky_event event;
    size_t count = 0;
    c->text[0] = '\0';
    sky_cursor_init(&cursor, c->journal, 0);
    while (sky_cursor_next(&cursor, &event)) {
        if (event.head.type != type)
            continue;
        const struct sky_attr *attr = sky_event_get(&event, field);
        if (attr != NULL)
            sky_span_copy(sky_span_head(attr->bytes, sizeof c->text - 1), c->text, sizeof c->text);
        count++;
    }
    sky_cursor_done(&cursor);
    return count;
}

static inline size_t registry_case_findings(struct registry_case *c, const char *rule)
{
    struct sky_cursor cursor;
    struct sky_event event;
    size_t count = 0;
    c->text[0] = '\0';
    sky_cursor_init(&cursor, c->journal, 0);
    while (sky_cursor_next(&cursor, &event)) {
        for (size_t i = 0; i < event.finding_count; i++) {
            if (!sky_span_eq_str(event.findings[i].rule_id, rule))
                continue;
            sky_span_copy(event.findings[i].detail, c->text, sizeof c->text);
            count++;
        }
    }
    sky_cursor_done(&cursor);
    return count;
}

/* The rule's place in the sets of devices of its cloud. */
static inline size_t registry_case_place(const struct registry_case *c, const char *id)
{
    const struct sky_rule *rule = sky_catalogue_find(&c->registry.catalogue, sky_span_str(id));
    if (rule == NULL)
        fail_msg("there is no rule %s", id);
    return sky_catalogue_place(&c->registry.catalogue, rule);
}

static inline bool registry_case_kept(const struct registry_case *c,
                                      const struct sky_session *session, const char *id)
{
    const struct sky_rule *rule = sky_catalogue_find(&c->registry.catalogue, sky_span_str(id));
    return sky_rule_set_has(&session->party->chapter.exercised, registry_case_place(c, id)) &&
           sky_conduct_proof(&session->party->chapter, rule) == NULL;
}

#endif
