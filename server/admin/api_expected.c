/* What a test wants to see, so that it counts against nobody. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/judge/search.h"
#include "server/judge/verify.h"

_Static_assert(SKY_VERIFY_COUNT_MAX == SKY_EXPECTED_COUNT_MAX, "a count is a count");

/* The rule that is to be broken. False, and answered, when there is none. */
static bool take_rule(struct sky_api *api, struct sky_expectation *wanted)
{
    const char *id = sky_api_body_text(api, "rule");
    if (id != NULL)
        wanted->rule = sky_catalogue_find(&api->app->registry.catalogue, sky_span_str(id));
    if (wanted->rule != NULL)
        return true;
    struct sky_why why = {.reason = "the id of a rule is missing, or a pattern as 'event'"};
    if (id != NULL)
        (void)sky_catalogue_no_rule(&api->app->registry.catalogue, sky_span_str(id), "", &why);
    sky_api_error(api, 400, "invalid", "/rule", "%s", why.reason);
    return false;
}

static char *printed(const cJSON *json)
{
    struct sky_buf text;
    sky_buf_init(&text, SIZE_MAX);
    sky_json_print(&text, json);
    char *copy = sky_mem_dup(text.bytes, text.len);
    sky_buf_done(&text);
    return copy;
}

/* The pattern, of whoever is named: `key` is "device", "product" or NULL. */
static struct sky_pattern *pattern_of(const cJSON *event, const char *key, const char *name,
                                      const struct sky_catalogue *rules, struct sky_why *why)
{
    cJSON *both = cJSON_CreateObject();
    cJSON_AddItemReferenceToArray(cJSON_AddArrayToObject(both, "anyOf"), (cJSON *)(uintptr_t)event);
    if (key != NULL)
        cJSON_AddStringToObject(both, key, name);
    struct sky_pattern *pattern = sky_pattern_new(both, "", rules, why);
    cJSON_Delete(both);
    return pattern;
}

static bool take_event(struct sky_api *api, const char *key, struct sky_expectation *wanted,
                       struct sky_pattern **ret_again)
{
    const cJSON *event = sky_json_get(api->body, "event");
    const struct sky_catalogue *rules = &api->app->registry.catalogue;
    struct sky_why why = {0};
    struct sky_pattern *pattern = sky_pattern_new(event, "/event", rules, &why);
    if (pattern != NULL)
        wanted->pattern = pattern_of(event, key, wanted->name, rules, &why);
    if (wanted->pattern != NULL) {
        struct sky_buf words;
        sky_buf_init(&words, SKY_FINDING_DETAIL_MAX);
        sky_pattern_say(pattern, &words);
        wanted->words = sky_mem_dup(words.bytes, words.len);
        wanted->event = printed(event);
        *ret_again = pattern_of(event, key, wanted->name, rules, &why);
        sky_buf_done(&words);
    } else {
        sky_api_error(api, 400, "invalid", why.pointer, "%s", why.reason);
    }
    sky_pattern_free(pattern);
    return wanted->pattern != NULL;
}

/* False, and answered, when it makes no sense. */
static bool take_expectation(struct sky_api *api, struct sky_expectation *wanted,
                             struct sky_pattern **ret_again)
{
    const char *key;
    wanted->name = (char *)(uintptr_t)sky_api_body_whom(api, &key);
    struct sky_why why;
    if (sky_verify_count(api->body, "", &wanted->min, &wanted->max, &why) != SKY_OK) {
        sky_api_fail(api, SKY_ERR_INVALID, &why);
        return false;
    }
    if (sky_json_get(api->body, "event") == NULL)
        return take_rule(api, wanted);
    if (sky_json_get(api->body, "rule") != NULL) {
        sky_api_error(api, 400, "invalid", "/rule",
                      "give a rule or an event, not both: a pattern has 'rule' too");
        return false;
    }
    return take_event(api, key, wanted, ret_again);
}

/* ---- what came before in the chapter ---- */

struct recount {
    struct sky_wait wait;
    struct sky_app *app;
    struct sky_http_call *call;
    struct sky_search search;
    int64_t id;
    uint64_t upto; /* what comes later is counted as it happens */
};

static void answer(struct sky_http_call *call, int64_t id)
{
    char text[40];
    snprintf(text, sizeof text, "{\"id\":%lld}", (long long)id);
    sky_api_reply_json(call, 201, sky_span_str(text));
}

static void recount_free(struct recount *recount)
{
    sky_wait_end(&recount->wait);
    sky_search_end(&recount->search);
    free(recount);
}

/* Nobody knows its id, so that nobody could take it back. */
static void on_gone(struct sky_http_call *call)
{
    struct recount *recount = call->state;
    struct sky_registry *registry = &recount->app->registry;
    struct sky_expectation *e = sky_expected_find(registry, recount->id);
    if (e != NULL)
        sky_expected_drop(registry, e);
    recount_free(recount);
}

static void look_back(struct sky_wait *wait)
{
    struct recount *recount = SKY_CONTAINER_OF(wait, struct recount, wait);
    struct sky_registry *registry = &recount->app->registry;
    struct sky_expectation *e = sky_expected_find(registry, recount->id);
    bool more = false;
    while (e != NULL && sky_search_next(&recount->search, wait->waits->ends_ns, &more) &&
           recount->search.event.seq <= recount->upto)
        sky_parties_excuse(registry, e, &recount->search.event);
    if (more && recount->search.cursor.next_seq <= recount->upto) {
        sky_wait_again(wait);
        return;
    }
    answer(recount->call, recount->id);
    recount_free(recount);
}

/* `pattern` is the expectation's once more, and is taken over. */
static void look_for_earlier(struct sky_api *api, struct sky_pattern *pattern, int64_t id)
{
    struct recount *recount = sky_mem_new(sizeof *recount);
    struct sky_admin *admin = api->app->admin;
    struct sky_journal_stats stats;
    sky_journal_stats(api->app->journal, &stats);
    recount->wait.look = look_back;
    recount->app = api->app;
    recount->call = api->call;
    recount->id = id;
    recount->upto = stats.last_seq;
    sky_search_begin(&recount->search, &api->app->registry, &admin->names, pattern, SKY_CHAPTER, 0);
    sky_wait_begin(&admin->waits, &recount->wait);
    api->call->state = recount;
    api->call->on_gone = on_gone;
}

void sky_api_expected_create(struct sky_api *api)
{
    struct sky_expectation wanted = {0};
    struct sky_pattern *again = NULL;
    int64_t id;
    if (!take_expectation(api, &wanted, &again))
        return;
    if (sky_parties_expect(&api->app->registry, &wanted, &id) != SKY_OK) {
        sky_pattern_free(wanted.pattern);
        sky_pattern_free(again);
        free(wanted.event);
        free(wanted.words);
        sky_api_error(api, 409, "limit", "", "%d expectations are the most at a time; drop some",
                      SKY_EXPECTATIONS_MAX);
    } else if (again != NULL) {
        look_for_earlier(api, again, id);
    } else {
        answer(api->call, id);
    }
}

static void write_expectation(struct sky_jw *jw, const struct sky_expectation *e)
{
    struct sky_path_vars vars;
    bool device = sky_match_device(sky_span_str(e->name), &vars);
    sky_jw_object(jw);
    sky_jw_put_int(jw, "id", e->id);
    if (e->rule != NULL) {
        sky_jw_put_str(jw, "rule", e->rule->id);
    } else {
        sky_jw_key(jw, "event");
        sky_jw_raw(jw, sky_span_str(e->event));
    }
    if (e->name[0] != '\0')
        sky_jw_put_str(jw, device ? "device" : "product", e->name);
    sky_jw_key(jw, "count");
    sky_jw_object(jw);
    sky_jw_put_int(jw, "min", (int64_t)e->min);
    if (e->max < (uint64_t)SKY_EXPECTED_COUNT_MAX)
        sky_jw_put_int(jw, "max", (int64_t)e->max);
    sky_jw_end_object(jw);
    sky_jw_put_int(jw, "came", (int64_t)e->count);
    sky_jw_end_object(jw);
}

void sky_api_write_expected(struct sky_jw *jw, const struct sky_registry *registry,
                            const struct sky_api_scope *scope)
{
    sky_jw_array(jw);
    for (const struct sky_expectation *e = registry->expected.list; e != NULL; e = e->next)
        if (sky_party_named_of(sky_span_str(e->name), sky_span_str(scope->name)))
            write_expectation(jw, e);
    sky_jw_end_array(jw);
}

void sky_api_expected_list(struct sky_api *api)
{
    struct sky_api_scope scope;
    if (!sky_api_scope(api, &scope))
        return;
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "expected");
    sky_api_write_expected(&api->jw, &api->app->registry, &scope);
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 200);
}

void sky_api_expected_delete(struct sky_api *api)
{
    struct sky_registry *registry = &api->app->registry;
    int64_t id;
    struct sky_expectation *e =
        sky_span_to_int(sky_span_str(api->vars.name), &id) ? sky_expected_find(registry, id) : NULL;
    if (e == NULL) {
        sky_api_error(api, 404, "not_found", "", "nothing is expected under '%s'", api->vars.name);
        return;
    }
    sky_expected_drop(registry, e);
    sky_api_send(api, 204);
}

void sky_api_expected_clear(struct sky_api *api)
{
    struct sky_api_scope scope;
    if (!sky_api_scope(api, &scope))
        return;
    sky_expected_end(&api->app->registry, sky_span_str(scope.name));
    sky_api_send(api, 204);
}
