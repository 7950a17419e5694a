/* A table row for a service: what a device publishes, and everything that follows from it. */
#ifndef SKY_TEST_SERVICE_CASE_H
#define SKY_TEST_SERVICE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"

enum { CASE_NOW_S = 1700000000, CASE_VERSION = 7 };

struct service_case {
    const char *name;
    const struct sky_service *service;
    const char *topic, *payload;
    const char *document;            /* NULL: none is stored */
    const char *reply_topic, *reply; /* NULL: nothing is answered */
    const char *stored;              /* NULL: nothing is stored */
    const char *rule;                /* the first finding's; NULL: there is none */
    const char *answer;              /* id of the command that is answered; NULL: none */
};

/* What one act came to; lives until bench_done(). */
struct service_bench {
    struct sky_catalogue catalogue;
    struct sky_policy policy;
    struct sky_judge judge;
    struct sky_effects effects;
    struct sky_uplink uplink;
    struct sky_facts facts;
    struct sky_why said; /* why the last command was not built */
};

static inline void bench_init(struct service_bench *bench, const char *cloud, const char *product,
                              const char *device)
{
    *bench = (struct service_bench){0};
    sky_catalogue_init(&bench->catalogue);
    sky_cloud_fill_catalogue(&bench->catalogue);
    sky_policy_init(&bench->policy, &bench->catalogue, SKY_PROFILE_SEED);
    sky_judge_init(&bench->judge, &bench->policy);
    sky_effects_init(&bench->effects);
    bench->uplink = (struct sky_uplink){.cloud = sky_cloud_find(sky_span_str(cloud)),
                                        .product = sky_span_str(product),
                                        .device = sky_span_str(device),
                                        .reply_subscribed = true};
    bench->facts.now_ms = CASE_NOW_S * INT64_C(1000) + 123;
}

static inline void bench_done(struct service_bench *bench)
{
    sky_effects_done(&bench->effects);
}

static inline void bench_set(struct service_bench *bench, const char *id, const char *action)
{
    char text[80];
    snprintf(text, sizeof text, "%s=%s", id, action);
    assert_int_equal(sky_policy_override(&bench->policy, sky_span_str(text), NULL), SKY_OK);
}

static inline const struct sky_effect *bench_effect(const struct service_bench *bench,
                                                    enum sky_effect_kind kind)
{
    for (size_t i = 0; i < bench->effects.count; i++)
        if (bench->effects.list[i].kind == kind)
            return &bench->effects.list[i];
    return NULL;
}

static inline void bench_send(struct service_bench *bench, const struct sky_service *service,
                              sky_span topic, sky_span payload)
{
    sky_judge_init(&bench->judge, &bench->policy);
    sky_effects_clear(&bench->effects);
    bench->uplink.topic = topic;
    bench->uplink.payload = payload;
    service->handle(&bench->uplink, &bench->facts, &bench->judge, &bench->effects);
}

static inline void assert_span(const char *name, const char *what, sky_span got, const char *want)
{
    if (!sky_span_eq_str(got, want))
        fail_msg("%s: %s is\n  %.*s\nand not\n  %s", name, what, SKY_SPAN_ARGS(got), want);
}

/* No blank outside of strings: some devices find values by searching for `"key":value`. */
static inline void assert_compact(const char *name, sky_span json)
{
    bool in_string = false;
    cJSON *tree = NULL;
    struct sky_why why;
    for (size_t i = 0; i < json.len; i++) {
        if (in_string && json.ptr[i] == '\\')
            i++;
        else if (json.ptr[i] == '"')
            in_string = !in_string;
        else if (!in_string && (unsigned char)json.ptr[i] <= ' ')
            fail_msg("%s: not compact: %.*s", name, SKY_SPAN_ARGS(json));
    }
    if (sky_json_parse(json, SKY_JSON_DEPTH_MAX, &tree, &why) != SKY_OK)
        fail_msg("%s: %s: %.*s", name, why.reason, SKY_SPAN_ARGS(json));
    cJSON_Delete(tree);
}

static inline void assert_effect(const struct service_case *row, const char *what,
                                 const struct sky_effect *effect, const char *topic,
                                 const char *payload)
{
    if ((effect != NULL) != (payload != NULL))
        fail_msg("%s: %s is %s", row->name, what, effect != NULL ? "there" : "missing");
    if (effect == NULL)
        return;
    assert_span(row->name, what, effect->payload, payload);
    assert_compact(row->name, effect->payload);
    if (topic != NULL)
        assert_span(row->name, "the topic", effect->topic, topic);
}

static inline void assert_finding(const struct service_case *row, const struct sky_judge *judge)
{
    const char *got = judge->count > 0 ? judge->findings[0].rule->id : "none";
    const char *want = row->rule != NULL ? row->rule : "none";
    if (strcmp(got, want) != 0)
        fail_msg("%s: the finding is %s and not %s: %s", row->name, got, want,
                 judge->count > 0 ? judge->findings[0].detail : "");
}

static inline void run_case(struct service_bench *bench, const struct service_case *row)
{
    bench->facts.document = sky_span_str(row->document);
    bench->facts.document_version = row->document != NULL ? CASE_VERSION : 0;
    bench_send(bench, row->service, sky_span_str(row->topic), sky_span_str(row->payload));
    assert_effect(row, "the reply", bench_effect(bench, SKY_EFFECT_REPLY), row->reply_topic,
                  row->reply);
    const struct sky_effect *stored = bench_effect(bench, SKY_EFFECT_PUT_DOCUMENT);
    assert_effect(row, "the document", stored, NULL, row->stored);
    if (stored != NULL)
        assert_span(row->name, "the document's name", stored->name, row->service->document);
    assert_finding(row, &bench->judge);
    const struct sky_effect *answer = bench_effect(bench, SKY_EFFECT_ANSWER);
    if ((answer != NULL) != (row->answer != NULL))
        fail_msg("%s: an answer is %s", row->name, answer != NULL ? "there" : "missing");
    if (answer != NULL) {
        assert_span(row->name, "the command's id", answer->name, row->answer);
        assert_span(row->name, "the answer", answer->payload, row->payload);
    }
}

static inline void run_cases(const char *cloud, const char *product, const char *device,
                             const struct service_case *rows, size_t count)
{
    struct service_bench bench;
    bench_init(&bench, cloud, product, device);
    for (size_t i = 0; i < count; i++)
        run_case(&bench, &rows[i]);
    bench_done(&bench);
}

/* A command of this kind, sent to the bench's device; the id is 42. */
static inline sky_span bench_command(struct service_bench *bench,
                                     const struct sky_command_row *rows, size_t count,
                                     const char *kind, const char *name, const char *params)
{
    const struct sky_command_request request = {.name = sky_span_str(name),
                                                .params = sky_span_str(params),
                                                .id = SKY_SPAN("42"),
                                                .facts = &bench->facts,
                                                .why = &bench->said};
    bench->said = (struct sky_why){.reason = ""};
    sky_effects_clear(&bench->effects);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].kind, kind) == 0)
            return rows[i].build(&bench->uplink, &request, &bench->effects);
    fail_msg("there is no command %s", kind);
    return SKY_SPAN_NONE;
}

struct command_case {
    const char *kind, *name, *params;
    const char *topic, *payload; /* NULL: refused */
};

static inline void run_commands(struct service_bench *bench, const struct sky_command_row *commands,
                                size_t command_count, const struct command_case *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct command_case *row = &rows[i];
        sky_span id =
            bench_command(bench, commands, command_count, row->kind, row->name, row->params);
        const struct sky_effect *push = bench_effect(bench, SKY_EFFECT_PUSH);
        assert_int_equal(push != NULL, row->topic != NULL);
        assert_span(row->kind, "the id", id, push != NULL ? "42" : "");
        if (push == NULL)
            continue;
        assert_span(row->kind, "the topic", push->topic, row->topic);
        assert_span(row->kind, "the payload", push->payload, row->payload);
        if (row->payload[0] == '{')
            assert_compact(row->kind, push->payload);
    }
}

#endif
