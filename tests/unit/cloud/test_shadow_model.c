/* Random histories of a shadow, held against a model that shares no code with it: a tree of its
 * own, merged by the words of the vendor's pages. */
#include "tests/unit/cloud/service_case.h"

#include "protocol/cloud/tencent/services.h"

enum { STEPS = 800, SEEDS = 6, KIDS_MAX = 5, DEPTH_MAX = 3 };

enum kind { NOTHING, NUMBER, ARRAY, OBJECT };

struct node {
    enum kind kind;
    char key;
    int number;
    int64_t stamp_s;
    struct node *kids[KIDS_MAX];
    int kid_count;
};

struct model {
    struct node *reported, *desired; /* NULL: absent */
    int64_t version, stamp_s;
};

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

static int find(const struct node *object, char key)
{
    for (int i = 0; object != NULL && i < object->kid_count; i++)
        if (object->kids[i]->key == key)
            return i;
    return -1;
}

static void remove_kid(struct node *object, int at)
{
    for (int i = at; i + 1 < object->kid_count; i++)
        object->kids[i] = object->kids[i + 1];
    object->kid_count--;
}

static struct node *written(struct sky_arena *arena, const struct node *from, int64_t now_s)
{
    struct node *copy = sky_arena_take(arena, sizeof *copy);
    *copy = *from;
    copy->stamp_s = now_s;
    copy->kid_count = 0;
    for (int i = 0; i < from->kid_count; i++)
        if (from->kids[i]->kind != NOTHING)
            copy->kids[copy->kid_count++] = written(arena, from->kids[i], now_s);
    return copy;
}

static void apply(struct sky_arena *arena, struct node *object, const struct node *patch,
                  int64_t now_s)
{
    for (int i = 0; i < patch->kid_count; i++) {
        const struct node *change = patch->kids[i];
        int at = find(object, change->key);
        if (change->kind == NOTHING && at >= 0)
            remove_kid(object, at);
        if (change->kind == NOTHING)
            continue;
        if (at < 0)
            object->kids[object->kid_count++] = written(arena, change, now_s);
        else if (change->kind == OBJECT && object->kids[at]->kind == OBJECT)
            apply(arena, object->kids[at], change, now_s);
        else
            object->kids[at] = written(arena, change, now_s);
    }
}

static struct node *apply_section(struct sky_arena *arena, struct node *section,
                                  const struct node *patch, bool overwrite, int64_t now_s)
{
    static const struct node empty = {.kind = OBJECT};
    if (patch == NULL)
        return section;
    if (overwrite || patch->kind == NOTHING || section == NULL)
        section = written(arena, &empty, now_s);
    if (patch->kind == OBJECT)
        apply(arena, section, patch, now_s);
    return section->kid_count > 0 ? section : NULL;
}

static bool same(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind || a->kid_count != b->kid_count)
        return false;
    if (a->kind != OBJECT)
        return a->number == b->number;
    for (int i = 0; i < a->kid_count; i++) {
        int at = find(b, a->kids[i]->key);
        if (at < 0 || !same(a->kids[i], b->kids[at]))
            return false;
    }
    return true;
}

static struct node *delta(struct sky_arena *arena, const struct node *desired,
                          const struct node *reported)
{
    struct node *rest = sky_arena_take(arena, sizeof *rest);
    *rest = (struct node){.kind = OBJECT, .key = desired->key};
    for (int i = 0; i < desired->kid_count; i++) {
        struct node *want = desired->kids[i];
        int at = find(reported, want->key);
        struct node *part = want;
        if (at >= 0 && want->kind == OBJECT && reported->kids[at]->kind == OBJECT)
            part = delta(arena, want, reported->kids[at]);
        else if (at >= 0 && same(want, reported->kids[at]))
            part = NULL;
        if (part != NULL)
            rest->kids[rest->kid_count++] = part;
    }
    return rest->kid_count > 0 ? rest : NULL;
}

/* ---- as text ---- */

static void print(struct sky_buf *out, const struct node *node, bool stamps)
{
    if (node->kind == NOTHING) {
        sky_buf_add_str(out, "null");
    } else if (node->kind == OBJECT) {
        for (int i = 0; i < node->kid_count; i++) {
            sky_buf_addf(out, "%c\"%c\":", i == 0 ? '{' : ',', node->kids[i]->key);
            print(out, node->kids[i], stamps);
        }
        sky_buf_add_str(out, node->kid_count == 0 ? "{}" : "}");
    } else if (stamps) {
        sky_buf_addf(out, "{\"timestamp\":%lld}", (long long)node->stamp_s);
    } else if (node->kind == NUMBER) {
        sky_buf_addf(out, "%d", node->number);
    } else {
        sky_buf_addf(out, "[%d,\"a b\"]", node->number);
    }
}

static void print_sections(struct sky_buf *out, const struct node *const *sections, bool stamps)
{
    static const char *const names[] = {"reported", "desired", "delta"};
    const char *before = "";
    sky_buf_add_byte(out, '{');
    for (size_t i = 0; i < SKY_COUNT(names); i++) {
        if (sections[i] == NULL)
            continue;
        sky_buf_addf(out, "%s\"%s\":", before, names[i]);
        print(out, sections[i], stamps);
        before = ",";
    }
    sky_buf_add_byte(out, '}');
}

static void print_document(struct sky_buf *out, struct sky_arena *arena, const struct model *model)
{
    const struct node *sections[3] = {model->reported, model->desired, NULL};
    if (model->desired != NULL)
        sections[2] = delta(arena, model->desired, model->reported);
    sky_buf_add_str(out, "{\"state\":");
    print_sections(out, sections, false);
    sky_buf_add_str(out, ",\"metadata\":");
    print_sections(out, sections, true);
    sky_buf_addf(out, ",\"version\":%lld", (long long)model->version);
    if (model->stamp_s != 0)
        sky_buf_addf(out, ",\"timestamp\":%lld", (long long)model->stamp_s);
    sky_buf_add_byte(out, '}');
}

/* ---- random acts ---- */

static struct node *random_node(struct sky_arena *arena, char key, int depth)
{
    struct node *node = sky_arena_take(arena, sizeof *node);
    int pick = chance(10);
    node->key = key;
    node->number = chance(3);
    node->kind = pick < 2 ? NOTHING : pick < 5 ? NUMBER : pick < 6 ? ARRAY : OBJECT;
    if (depth == 0)
        node->kind = OBJECT;
    else if (depth == DEPTH_MAX && node->kind == OBJECT)
        node->kind = NUMBER;
    for (int i = 0; node->kind == OBJECT && i < KIDS_MAX; i++)
        if (chance(3) == 0)
            node->kids[node->kid_count++] = random_node(arena, (char)('a' + i), depth + 1);
    return node;
}

struct act {
    const struct node *reported, *desired;
    bool overwrite, versioned;
    int64_t version;
};

static struct act random_act(struct sky_arena *arena, const struct model *model)
{
    static const struct node nothing = {.kind = NOTHING};
    struct act act = {.overwrite = chance(8) == 0, .versioned = chance(2) == 0};
    int which = chance(4);
    if (which != 0)
        act.reported = random_node(arena, 'r', 0);
    if (which == 0 || which == 3)
        act.desired = chance(4) == 0 ? &nothing : random_node(arena, 'd', 0);
    act.version = model->version + (chance(4) == 0 ? chance(3) - 1 : 0);
    return act;
}

static void print_act(struct sky_buf *out, const struct act *act)
{
    const struct node *const sections[3] = {act->reported, act->desired, NULL};
    sky_buf_add_str(out, "{\"type\":\"update\",\"state\":");
    print_sections(out, sections, false);
    if (act->overwrite)
        sky_buf_add_str(out, ",\"overwriteUpdate\":true");
    if (act->versioned)
        sky_buf_addf(out, ",\"version\":%lld", (long long)act->version);
    sky_buf_add_byte(out, '}');
}

/* What the shadow does with it; false: the version is refused. */
static bool model_act(struct sky_arena *arena, struct model *model, const struct act *act,
                      int64_t now_s)
{
    if (act->versioned && act->version != model->version)
        return false;
    model->reported = apply_section(arena, model->reported, act->reported, act->overwrite, now_s);
    model->desired = apply_section(arena, model->desired, act->desired, act->overwrite, now_s);
    model->version++;
    model->stamp_s = now_s;
    return true;
}

/* ---- the comparison ---- */

struct history {
    struct service_bench bench;
    struct sky_arena arena; /* the model's, and the stored document's */
    struct model model;
    struct sky_buf text;
};

static void expect_get(struct history *history)
{
    bench_send(&history->bench, &sky_tencent_shadow, SKY_SPAN("$shadow/operation/P/d"),
               SKY_SPAN("{\"type\":\"get\"}"));
    sky_buf_clear(&history->text);
    sky_buf_addf(&history->text, "{\"type\":\"get\",\"result\":0,\"timestamp\":%lld,\"payload\":",
                 (long long)history->bench.facts.now_ms / 1000);
    print_document(&history->text, &history->arena, &history->model);
    sky_buf_add_str(&history->text, "}");
    sky_buf_add_byte(&history->text, '\0');
    const struct sky_effect *reply = bench_effect(&history->bench, SKY_EFFECT_REPLY);
    assert_span("get", "the shadow", reply->payload, history->text.bytes);
    assert_compact("get", reply->payload);
}

static void step(struct history *history)
{
    struct sky_facts *facts = &history->bench.facts;
    facts->now_ms += 1 + chance(5000);
    struct act act = random_act(&history->arena, &history->model);
    sky_buf_clear(&history->text);
    print_act(&history->text, &act);
    bench_send(&history->bench, &sky_tencent_shadow, SKY_SPAN("$shadow/operation/P/d"),
               sky_buf_span(&history->text));
    bool taken = model_act(&history->arena, &history->model, &act, facts->now_ms / 1000);
    const struct sky_effect *stored = bench_effect(&history->bench, SKY_EFFECT_PUT_DOCUMENT);
    assert_int_equal(stored != NULL, taken);
    assert_int_equal(history->bench.judge.count, taken ? 0 : 1);
    if (stored != NULL) {
        assert_int_equal(stored->version, facts->document_version + 1);
        facts->document = sky_arena_copy(&history->arena, stored->payload);
        facts->document_version = stored->version;
    }
    expect_get(history);
}

static void any_history_ends_where_the_model_ends(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct history history = {0};
        chance_state = seed * UINT64_C(0x9e3779b97f4a7c15);
        bench_init(&history.bench, "tencent", "P", "d");
        sky_arena_init(&history.arena);
        sky_buf_init(&history.text, 1024 * 1024);
        for (int i = 0; i < STEPS; i++)
            step(&history);
        assert_true(history.model.version > STEPS / 2);
        sky_buf_done(&history.text);
        sky_arena_done(&history.arena);
        bench_done(&history.bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_history_ends_where_the_model_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
