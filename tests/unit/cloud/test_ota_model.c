/* Random histories of upgrades, held against a model that shares no code with them: for each
 * module, the rules of the vendors' pages as one switch. The document is stored and read again
 * between any two acts. */
#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/ota.h"

enum { STEPS = 1500, SEEDS = 4, MODULES = 3, VERSIONS = 4 };

static const char *const module_names[MODULES] = {"default", "mcu", "a.b_c-d"};
static const char *const version_names[VERSIONS] = {"1", "2.0", "3-rc", "v4"};

static uint64_t chance_state;

/* 0 to below - 1 (xorshift64*). */
static int chance(int below)
{
    chance_state ^= chance_state >> 12;
    chance_state ^= chance_state << 25;
    chance_state ^= chance_state >> 27;
    return (int)((chance_state * UINT64_C(2685821657736338717) >> 33) % (uint64_t)below);
}

/* ---- the model ---- */

struct module {
    bool known;        /* the document has it */
    int reported;      /* version; -1: none */
    const char *state; /* as the API shows it */
    int target;        /* version */
    bool due;
    int64_t started_ms, url_ms;
    int percent;
};

static bool is_open(const struct module *m)
{
    return strcmp(m->state, "queued") == 0 || strcmp(m->state, "notified") == 0 ||
           strcmp(m->state, "in-progress") == 0;
}

static void finish(struct module *m, const char *state)
{
    m->state = state;
    m->due = false;
}

static void model_told(struct module *m, int64_t now_ms)
{
    if (strcmp(m->state, "queued") == 0)
        m->state = "notified";
    m->due = false;
    m->url_ms = now_ms;
}

static void model_reported(struct module *m, int version, const struct sky_cloud_ota *rules)
{
    m->known = true;
    m->reported = version;
    if (!is_open(m))
        return;
    if (version == m->target)
        finish(m, "succeeded");
    else if (strcmp(m->state, "in-progress") == 0 && rules->other_version_fails)
        finish(m, "failed");
    else if (strcmp(m->state, "queued") != 0 && rules->push_is_repeated)
        m->due = true;
}

/* ---- both side by side ---- */

struct history {
    struct service_bench bench;
    struct sky_arena arena; /* the stored document */
    struct sky_cloud cloud;
    struct sky_cloud_ota rules;
    struct module modules[MODULES];
    struct sky_ota ota;
    const char *was[MODULES];
};

static void push(const struct sky_uplink *to, const struct sky_ota_upgrade *upgrade, sky_span url,
                 sky_span id, struct sky_effects *effects)
{
    (void)to;
    sky_span payload =
        sky_arena_printf(&effects->arena, "%.*s %.*s %.*s", SKY_SPAN_ARGS(upgrade->module),
                         SKY_SPAN_ARGS(url), SKY_SPAN_ARGS(id));
    sky_effects_message(effects, SKY_EFFECT_PUSH, SKY_SPAN("t"), payload, 1);
}

static void open_ota(struct history *h)
{
    sky_effects_clear(&h->bench.effects);
    sky_ota_open(&h->ota, &h->cloud, &h->bench.facts, &h->bench.effects.arena);
    for (int i = 0; i < MODULES; i++)
        h->was[i] = h->modules[i].state;
}

/* Every state that changed is told once, and what is stored is what is read next. */
static void store(struct history *h)
{
    int told = 0, changed = 0;
    sky_ota_save(&h->ota, &h->bench.facts, &h->bench.effects);
    for (size_t i = 0; i < h->bench.effects.count; i++) {
        const struct sky_effect *effect = &h->bench.effects.list[i];
        told += effect->kind == SKY_EFFECT_UPGRADE;
        if (effect->kind != SKY_EFFECT_PUT_DOCUMENT)
            continue;
        assert_compact("document", effect->payload);
        h->bench.facts.document = sky_arena_copy(&h->arena, effect->payload);
        h->bench.facts.document_version = effect->version;
    }
    for (int i = 0; i < MODULES; i++)
        changed += strcmp(h->was[i], h->modules[i].state) != 0;
    assert_int_equal(told, changed);
}

static void compare(struct history *h, int step)
{
    open_ota(h);
    for (int i = 0; i < MODULES; i++) {
        const struct module *m = &h->modules[i];
        const struct sky_ota_upgrade *row = sky_ota_find(&h->ota, sky_span_str(module_names[i]));
        assert_int_equal(row != NULL, m->known);
        if (row == NULL)
            continue;
        if (strcmp(sky_ota_state_name(row->state), m->state) != 0)
            fail_msg("step %d: %s is %s and not %s", step, module_names[i],
                     sky_ota_state_name(row->state), m->state);
        assert_span("reported", module_names[i], row->reported,
                    m->reported >= 0 ? version_names[m->reported] : "");
        assert_int_equal(row->due, m->due);
        assert_int_equal(sky_ota_is_open(row), is_open(m));
        if (row->state == SKY_OTA_NONE)
            continue;
        assert_int_equal(row->percent, m->percent);
        assert_int_equal(row->started_ms, m->started_ms);
        assert_int_equal(row->url_ms, m->url_ms);
        assert_int_equal(row->ended_ms != 0, !is_open(m));
        assert_int_equal(sky_ota_url_is_good(row, h->bench.facts.now_ms),
                         m->url_ms != 0 && h->bench.facts.now_ms - m->url_ms < SKY_OTA_URL_MS);
    }
    assert_int_equal(sky_ota_any_open(h->bench.facts.document),
                     is_open(&h->modules[0]) || is_open(&h->modules[1]) || is_open(&h->modules[2]));
}

/* ---- acts ---- */

static void act_order(struct history *h, struct module *m, int at)
{
    int version = chance(VERSIONS);
    const struct sky_ota_order order = {.module = sky_span_str(module_names[at]),
                                        .version = sky_span_str(version_names[version]),
                                        .file = SKY_SPAN("u1-x"),
                                        .size = 7};
    struct sky_why why = {0};
    sky_err err = sky_ota_check(&h->ota, &order, &why);
    bool may = !is_open(m) && m->reported != version;
    assert_int_equal(err, may ? SKY_OK : SKY_ERR_CONFLICT);
    if (!may)
        return;
    sky_ota_create(&h->ota, &order);
    *m = (struct module){.known = true,
                         .reported = m->reported,
                         .state = "queued",
                         .target = version,
                         .due = true,
                         .percent = -1};
}

static void act_progress(struct history *h, struct module *m, int at)
{
    int percent = chance(103) - 1, kind = chance(8);
    const struct sky_ota_progress progress = {.percent = percent,
                                              .step = SKY_SPAN("20"),
                                              .fails =
                                                  kind == 0 ? SKY_SPAN("it failed") : SKY_SPAN_NONE,
                                              .succeeds = kind == 1};
    enum sky_ota_answer due = !is_open(m)                       ? SKY_OTA_NO_UPGRADE
                              : strcmp(m->state, "queued") == 0 ? SKY_OTA_NOT_TOLD
                                                                : SKY_OTA_TAKEN;
    assert_int_equal(sky_ota_progress(&h->ota, sky_span_str(module_names[at]), &progress), due);
    if (due != SKY_OTA_TAKEN)
        return;
    if (strcmp(m->state, "notified") == 0) {
        m->state = "in-progress";
        m->started_ms = h->bench.facts.now_ms;
    }
    if (percent >= 0)
        m->percent = percent > 100 ? 100 : percent;
    if (kind < 2)
        finish(m, kind == 0 ? "failed" : "succeeded");
}

static void act_ask(struct history *h, struct module *m, int at)
{
    const struct sky_ota_upgrade *got = sky_ota_asked(&h->ota, sky_span_str(module_names[at]));
    assert_int_equal(got != NULL, is_open(m));
    if (got != NULL)
        model_told(m, h->bench.facts.now_ms);
}

/* The one that stands first in the document is told first: any that is due will do here. */
static void act_tell(struct history *h)
{
    struct sky_ota before = h->ota;
    bool told =
        sky_ota_tell(&h->ota, &h->bench.uplink, &h->bench.facts, SKY_SPAN("17"), &h->bench.effects);
    bool due = false;
    for (int i = 0; i < MODULES; i++)
        due |= h->modules[i].due;
    assert_int_equal(told, due);
    for (size_t i = 0; told && i < before.count; i++) {
        if (!before.rows[i].due || h->ota.rows[i].due)
            continue;
        for (int j = 0; j < MODULES; j++)
            if (sky_span_eq_str(before.rows[i].module, module_names[j]))
                model_told(&h->modules[j], h->bench.facts.now_ms);
    }
    if (told)
        assert_true(sky_span_contains(bench_effect(&h->bench, SKY_EFFECT_PUSH)->payload,
                                      SKY_SPAN("http://h:1/u1-x 17")));
}

static void act_time(struct history *h)
{
    int64_t now_ms = h->bench.facts.now_ms;
    sky_ota_pass(&h->ota, now_ms);
    for (int i = 0; i < MODULES; i++) {
        struct module *m = &h->modules[i];
        if (strcmp(m->state, "in-progress") == 0 && h->rules.timeout_ms > 0 &&
            now_ms - m->started_ms >= h->rules.timeout_ms)
            finish(m, "failed");
    }
}

static void act(struct history *h)
{
    int at = chance(MODULES), version = chance(VERSIONS);
    struct module *m = &h->modules[at];
    sky_span name = sky_span_str(at == 0 && chance(2) == 0 ? "" : module_names[at]);
    bool canceled;
    h->bench.facts.now_ms += chance(50) == 0 ? SKY_OTA_URL_MS : chance(60 * 1000);
    open_ota(h);
    switch (chance(9)) {
    case 0:
        act_order(h, m, at);
        break;
    case 1:
        canceled = sky_ota_cancel(&h->ota, name);
        assert_int_equal(canceled, is_open(m));
        if (canceled)
            finish(m, "canceled");
        break;
    case 2:
    case 3:
        act_progress(h, m, at);
        break;
    case 4:
        act_ask(h, m, at);
        break;
    case 5:
        act_time(h);
        break;
    case 6:
        sky_ota_reported(&h->ota, name, sky_span_str(version_names[version]));
        model_reported(m, version, &h->rules);
        break;
    default:
        act_tell(h);
        h->ota.changed = false; /* it has saved */
        break;
    }
    store(h);
}

static void any_history_ends_where_the_model_ends(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct history h = {0};
        chance_state = seed * UINT64_C(0x9e3779b97f4a7c15);
        bench_init(&h.bench, "tencent", "P", "d");
        sky_arena_init(&h.arena);
        h.rules = (struct sky_cloud_ota){.module = "default",
                                         .modules = true,
                                         .timeout_ms = seed % 2 ? 10 * 60 * 1000 : 0,
                                         .other_version_fails = seed < 3,
                                         .push_is_repeated = seed != 2,
                                         .push = push};
        h.cloud = (struct sky_cloud){.ota = &h.rules};
        h.bench.facts.link = SKY_SPAN("http://h:1/");
        for (int i = 0; i < MODULES; i++)
            h.modules[i] = (struct module){.state = "none", .reported = -1};
        for (int i = 0; i < STEPS; i++) {
            act(&h);
            compare(&h, i);
        }
        assert_true(h.bench.facts.document_version > STEPS / 4);
        sky_arena_done(&h.arena);
        bench_done(&h.bench);
    }
}

/* ---- what a device can send ---- */

static void open_with(struct history *h, const char *document)
{
    *h = (struct history){0};
    bench_init(&h->bench, "tencent", "P", "d");
    h->rules = (struct sky_cloud_ota){.module = "default", .modules = true, .push = push};
    h->cloud = (struct sky_cloud){.ota = &h->rules};
    h->bench.facts.document = sky_span_str(document);
    sky_ota_open(&h->ota, &h->cloud, &h->bench.facts, &h->bench.effects.arena);
}

static void modules_beyond_the_limit_are_not_kept(void **state)
{
    (void)state;
    struct history h;
    char name[16];
    open_with(&h, "");
    for (int i = 0; i < SKY_OTA_MODULES_MAX; i++) {
        snprintf(name, sizeof name, "m%d", i);
        const struct sky_ota_order order = {
            .module = sky_span_str(name), .version = SKY_SPAN("2"), .file = SKY_SPAN("u1-x")};
        assert_int_equal(sky_ota_check(&h.ota, &order, NULL), SKY_OK);
        sky_ota_create(&h.ota, &order);
    }
    const struct sky_ota_order more = {.module = SKY_SPAN("more"), .version = SKY_SPAN("2")};
    assert_int_equal(sky_ota_check(&h.ota, &more, NULL), SKY_ERR_LIMIT);
    sky_ota_reported(&h.ota, SKY_SPAN("more"), SKY_SPAN("1"));
    assert_true(h.ota.full);
    assert_null(sky_ota_find(&h.ota, SKY_SPAN("more")));
    assert_true(sky_ota_cancel(&h.ota, SKY_SPAN("m3")));
    assert_int_equal(sky_ota_check(&h.ota, &more, NULL), SKY_OK);
    sky_ota_create(&h.ota, &more); /* takes the place of one that is over */
    assert_null(sky_ota_find(&h.ota, SKY_SPAN("m3")));
    bench_done(&h.bench);
}

static void names_and_versions_have_a_form(void **state)
{
    (void)state;
    static const char *const bad[] = {"a b", "a/b", "a\"b", "\xc3\xa9", "a\\u0041"};
    char longest[SKY_OTA_MODULE_MAX + 2];
    struct history h;
    open_with(&h, "");
    for (size_t i = 0; i < SKY_COUNT(bad); i++) {
        sky_ota_reported(&h.ota, sky_span_str(bad[i]), SKY_SPAN("1"));
        assert_int_equal(h.ota.count, 0);
    }
    memset(longest, 'm', sizeof longest);
    sky_ota_reported(&h.ota, sky_span_of(longest, SKY_OTA_MODULE_MAX + 1), SKY_SPAN("1"));
    assert_int_equal(h.ota.count, 0);
    sky_ota_reported(&h.ota, sky_span_of(longest, SKY_OTA_MODULE_MAX), SKY_SPAN("1"));
    assert_int_equal(h.ota.count, 1);
    sky_ota_reported(&h.ota, SKY_SPAN_NONE, sky_span_of(longest, SKY_OTA_VERSION_MAX));
    assert_int_equal(h.ota.count, 2);
    h.ota.full = false;
    sky_ota_reported(&h.ota, SKY_SPAN_NONE, sky_span_of(longest, SKY_OTA_VERSION_MAX + 1));
    assert_true(h.ota.full);
    bench_done(&h.bench);
}

/* What a device says of its progress is kept cut, and any bytes make valid JSON. */
static void whatever_a_device_says_is_stored_as_json(void **state)
{
    (void)state;
    static char said[SKY_OTA_TEXT_MAX + 100];
    struct history h;
    open_with(&h,
              "{\"default\":{\"module\":\"default\",\"state\":\"notified\",\"version\":\"2\"}}");
    for (size_t i = 0; i < sizeof said; i++)
        said[i] = (char)(i * 7 % 255 + 1); /* no JSON that was checked has a NUL */
    const struct sky_ota_progress progress = {.percent = 101,
                                              .desc = sky_span_of(said, sizeof said)};
    assert_int_equal(sky_ota_progress(&h.ota, SKY_SPAN_NONE, &progress), SKY_OTA_TAKEN);
    assert_int_equal(h.ota.rows[0].desc.len, SKY_OTA_TEXT_MAX);
    assert_int_equal(h.ota.rows[0].percent, 100);
    sky_ota_save(&h.ota, &h.bench.facts, &h.bench.effects);
    const struct sky_effect *stored = bench_effect(&h.bench, SKY_EFFECT_PUT_DOCUMENT);
    assert_int_equal(sky_json_check(stored->payload, 8, NULL), SKY_OK);
    bench_done(&h.bench);
}

/* A document that is damaged is read as far as it makes sense. */
static void damaged_documents_do_no_harm(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "[]", "{\"m\":1}", "{\"default\":{}}", "{\"default\":{\"state\":\"x\",\"percent\":1000}}",
        "{\"default\":{\"module\":7,\"state\":\"queued\",\"size\":-1,\"due\":true}}"};
    struct history h;
    for (size_t i = 0; i < SKY_COUNT(documents); i++) {
        open_with(&h, documents[i]);
        for (size_t j = 0; j < h.ota.count; j++)
            assert_true(h.ota.rows[j].percent <= 100 && h.ota.rows[j].module.len > 0);
        bench_done(&h.bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_history_ends_where_the_model_ends),
        cmocka_unit_test(modules_beyond_the_limit_are_not_kept),
        cmocka_unit_test(names_and_versions_have_a_form),
        cmocka_unit_test(whatever_a_device_says_is_stored_as_json),
        cmocka_unit_test(damaged_documents_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
