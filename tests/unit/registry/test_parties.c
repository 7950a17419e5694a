#include "server/registry/parties.h"
#include "tests/unit/registry/registry_case.h"

/* An act that breaks the rule, told of by these fields. */
static uint64_t break_rule(struct registry_case *c, const struct sky_rule *rule, int64_t device_id,
                           const struct sky_attr *attrs, size_t count)
{
    const struct sky_event_head head = {
        .type = SKY_EVENT_CONNECT, .direction = SKY_UP, .device_id = device_id};
    struct sky_judge judge;
    sky_judge_init(&judge, &c->registry.policy);
    sky_judge_broken(&judge, rule, "it did");
    return sky_journal_add(c->journal, &head, attrs, count, &judge);
}

static const struct sky_rule *rule_of(const struct registry_case *c, const char *id)
{
    const struct sky_rule *rule = sky_catalogue_find(&c->registry.catalogue, sky_span_str(id));
    if (rule == NULL)
        fail_msg("there is no rule %s", id);
    return rule;
}

static const struct sky_party *find(const struct registry_case *c, const char *name)
{
    return sky_party_find(&c->registry, sky_span_str(name));
}

static void a_stranger_is_what_it_claimed_to_be(void **state)
{
    struct registry_case *c = *state;
    const struct sky_rule *rule = rule_of(c, "ALI-SIGN");
    const struct {
        const char *name;
        struct sky_attr attrs[4];
    } rows[] = {
        {"aliyun/pk/d\\x01",
         {SKY_ATTR(LISTENER, SKY_SPAN("mqtt")), SKY_ATTR(CLOUD, SKY_SPAN("aliyun")),
          SKY_ATTR(PRODUCT, SKY_SPAN("pk")), SKY_ATTR(DEVICE_KEY, SKY_SPAN("d\1"))}},
        {"client id \\x2f\\x5c\\xff\\x7f",
         {SKY_ATTR(LISTENER, SKY_SPAN("mqtt")), SKY_ATTR(CLIENT_ID, SKY_SPAN("/\\\xff\x7f")),
          SKY_ATTR(CLOUD, SKY_SPAN("aliyun")), SKY_ATTR(PRODUCT, SKY_SPAN("pk"))}},
        {"identity \xc3\xbc", {SKY_ATTR(IDENTITY, SKY_SPAN("\xc3\xbc"))}},
        {"listener coaps", {SKY_ATTR(LISTENER, SKY_SPAN("coaps"))}},
        {"a peer", {SKY_ATTR(REASON, SKY_SPAN("none"))}},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        uint64_t seq = break_rule(c, rule, 0, rows[i].attrs, 4);
        const struct sky_party *party = find(c, rows[i].name);
        if (party == NULL)
            fail_msg("nobody is called %s", rows[i].name);
        const struct sky_proof *proof = sky_conduct_proof(&party->chapter, rule);
        assert_non_null(proof);
        assert_true(proof->refused && proof->count == 1 && proof->events[0] == seq);
    }
    assert_int_equal(c->registry.parties.strangers, SKY_COUNT(rows));
}

static void what_nobody_was_refused_for_is_nobodys(void **state)
{
    struct registry_case *c = *state;
    const struct sky_attr attr = SKY_ATTR(LISTENER, SKY_SPAN("mqtt"));
    break_rule(c, rule_of(c, "ALI-RETAIN"), 0, &attr, 1); /* it is only reported */
    assert_int_equal(c->registry.parties.strangers, 0);
}

static void who_asks_the_api_is_no_device_unless_it_speaks_no_http(void **state)
{
    struct registry_case *c = *state;
    const struct sky_attr attr = SKY_ATTR(LISTENER, SKY_SPAN("admin"));
    break_rule(c, rule_of(c, "DOOR-OUTPUT-FULL"), 0, &attr, 1);
    break_rule(c, rule_of(c, "DOOR-SLOW"), 0, &attr, 1);
    assert_int_equal(c->registry.parties.strangers, 0);
    break_rule(c, rule_of(c, "DOOR-FIRST-BYTE"), 0, &attr, 1);
    assert_non_null(find(c, "listener admin"));
}

static void the_oldest_strangers_go_and_devices_stay(void **state)
{
    struct registry_case *c = *state;
    const struct sky_rule *rule = rule_of(c, "ALI-SIGN");
    registry_case_session(c, "aliyun", "pk", "device");
    for (int i = 0; i <= SKY_STRANGERS_MAX; i++) {
        char id[16];
        assert_int_equal(c->registry.parties.lost, 0);
        snprintf(id, sizeof id, "%d", i);
        const struct sky_attr attr = SKY_ATTR(CLIENT_ID, sky_span_str(id));
        break_rule(c, rule, 0, &attr, 1);
    }
    assert_int_equal(c->registry.parties.lost, 1);
    assert_int_equal(c->registry.parties.strangers, SKY_STRANGERS_MAX);
    assert_null(find(c, "client id 0"));
    assert_non_null(find(c, "client id 1"));
    assert_non_null(find(c, "aliyun/pk/device"));
}

static void who_is_forgotten_leaves_the_others_in_their_order(void **state)
{
    struct registry_case *c = *state;
    const struct sky_parties *parties = &c->registry.parties;
    const struct sky_attr first = SKY_ATTR(CLIENT_ID, SKY_SPAN("first")),
                          last = SKY_ATTR(CLIENT_ID, SKY_SPAN("last")),
                          later = SKY_ATTR(CLIENT_ID, SKY_SPAN("later"));
    break_rule(c, rule_of(c, "ALI-SIGN"), 0, &first, 1);
    registry_case_session(c, "aliyun", "pk", "device");
    break_rule(c, rule_of(c, "ALI-SIGN"), 0, &last, 1);
    sky_parties_turn(&c->registry, SKY_SPAN_NONE, 1, true);
    assert_string_equal(parties->list->name, "aliyun/pk/device");
    assert_ptr_equal(parties->newest, parties->list);
    break_rule(c, rule_of(c, "ALI-SIGN"), 0, &later, 1);
    assert_string_equal(parties->list->next->name, "client id later");
    assert_ptr_equal(parties->newest, parties->list->next);
    assert_null(parties->newest->next);
}

static void so_many_rules_of_a_stranger_are_kept(void **state)
{
    struct registry_case *c = *state;
    const struct sky_attr attr = SKY_ATTR(CLIENT_ID, SKY_SPAN("x"));
    size_t broken = 0, kept = 0;
    for (size_t i = 0; i < c->registry.catalogue.rule_count; i++) {
        const struct sky_rule *rule = sky_catalogue_at(&c->registry.catalogue, i);
        if (sky_policy_action(&c->registry.policy, rule) != SKY_ENFORCE)
            continue;
        break_rule(c, rule, 0, &attr, 1);
        kept += sky_conduct_proof(&find(c, "client id x")->chapter, rule) != NULL;
        broken++;
        assert_int_equal(kept, broken < SKY_STRANGER_RULES_MAX ? broken : SKY_STRANGER_RULES_MAX);
    }
    assert_true(broken > SKY_STRANGER_RULES_MAX);
}

static void the_first_events_and_the_last_are_kept(void **state)
{
    (void)state;
    struct sky_proof proof = {.rule = NULL};
    for (uint64_t seq = 1; seq <= SKY_PROOF_EVENTS_MAX; seq++)
        sky_proof_add(&proof, seq);
    assert_int_equal(sky_proof_shown(&proof), SKY_PROOF_EVENTS_MAX);
    assert_int_equal(proof.events[SKY_PROOF_EVENTS_MAX - 1], SKY_PROOF_EVENTS_MAX);
    sky_proof_add(&proof, 99);
    sky_proof_add(&proof, 100);
    assert_int_equal(proof.count, SKY_PROOF_EVENTS_MAX + 2);
    assert_int_equal(proof.events[SKY_PROOF_EVENTS_MAX - 2], SKY_PROOF_EVENTS_MAX - 1);
    assert_int_equal(proof.events[SKY_PROOF_EVENTS_MAX - 1], 100);
}

static void the_newest_explanation_is_kept(void **state)
{
    struct registry_case *c = *state;
    const struct sky_rule *rule = rule_of(c, "ALI-SIGN");
    static char longest[SKY_PROOF_EXPLANATION_MAX + 1];
    int len = snprintf(longest, sizeof longest, "{\"what\":\"\"}");
    memset(longest + len - 2, 'x', sizeof longest - 1 - (size_t)len);
    memcpy(longest + sizeof longest - 3, "\"}", 2);
    const struct {
        sky_span sent;
        const char *kept;
    } rows[] = {{SKY_SPAN("{\"mistake\":\"a\"}"), "{\"mistake\":\"a\"}"},
                {SKY_SPAN("{\"mistake\":\"b\"}"), "{\"mistake\":\"b\"}"},
                {sky_span_of(longest, SKY_PROOF_EXPLANATION_MAX), longest},
                {sky_span_of(longest, SKY_PROOF_EXPLANATION_MAX + 1), NULL},
                {SKY_SPAN("{\"mistake\":\"c\"}"), "{\"mistake\":\"c\"}"}};
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct sky_attr attrs[] = {SKY_ATTR(CLIENT_ID, SKY_SPAN("x")),
                                         SKY_ATTR(EXPLANATION, rows[i].sent)};
        break_rule(c, rule, 0, attrs, SKY_COUNT(attrs));
        const struct sky_party *party = find(c, "client id x");
        const char *kept = sky_conduct_proof(&party->chapter, rule)->explanation;
        if (rows[i].kept == NULL)
            assert_null(kept);
        else
            assert_string_equal(kept, rows[i].kept);
    }
    sky_parties_turn(&c->registry, SKY_SPAN_NONE, 0, false);
    struct sky_conduct run;
    sky_party_conduct(&c->registry, find(c, "client id x"), SKY_RUN, &run);
    assert_string_equal(sky_conduct_proof(&run, rule)->explanation, rows[4].kept);
    sky_conduct_done(&run);
}

static void a_device_is_known_by_its_number(void **state)
{
    struct registry_case *c = *state;
    struct sky_product product;
    struct sky_device device;
    const struct sky_rule *rule = rule_of(c, "ALI-RETAIN");
    registry_case_find(c, "aliyun", "pk", "device", &product, &device);
    break_rule(c, rule, device.id, NULL, 0); /* before it has a session */
    break_rule(c, rule, device.id, NULL, 0);
    const struct sky_party *party = find(c, "aliyun/pk/device");
    assert_true(party->device);
    assert_int_equal(sky_conduct_proof(&party->chapter, rule)->count, 2);
    assert_false(sky_conduct_proof(&party->chapter, rule)->refused);
    assert_ptr_equal(registry_case_session(c, "aliyun", "pk", "device")->party, party);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(a_stranger_is_what_it_claimed_to_be),
        REGISTRY_TEST(what_nobody_was_refused_for_is_nobodys),
        REGISTRY_TEST(who_asks_the_api_is_no_device_unless_it_speaks_no_http),
        REGISTRY_TEST(the_oldest_strangers_go_and_devices_stay),
        REGISTRY_TEST(who_is_forgotten_leaves_the_others_in_their_order),
        REGISTRY_TEST(so_many_rules_of_a_stranger_are_kept),
        REGISTRY_TEST(the_first_events_and_the_last_are_kept),
        REGISTRY_TEST(the_newest_explanation_is_kept),
        REGISTRY_TEST(a_device_is_known_by_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
