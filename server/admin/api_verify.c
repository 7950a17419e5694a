/* A claim about events, checked against those that there are, and those that come while the client
 * waits. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/judge/search.h"
#include "server/judge/verify.h"

struct verify_wait {
    struct sky_wait wait; /* overdue: nothing more is waited for */
    struct sky_app *app;
    struct sky_http_call *call;
    struct sky_verify *verify; /* owned */
    bool patient;              /* waits at all */
    char *scope;               /* owned: of a device or product, or empty */
    struct sky_search search;  /* for the events of that */
    bool seeking;    /* it does not hold: all events are looked at again, for the nearest, */
    uint64_t to_seq; /* up to this one */
};

static void end(struct verify_wait *wait)
{
    sky_wait_end(&wait->wait);
    sky_search_end(&wait->search);
    sky_verify_free(wait->verify);
    free(wait->scope);
    free(wait);
}

static void on_gone(struct sky_http_call *call)
{
    end(call->state);
}

/* ---- the answer ---- */

/* Those of the nearest that are still there. */
static size_t compare_nearest(struct verify_wait *wait, struct sky_verify_miss *misses)
{
    struct sky_search *search = &wait->search;
    uint64_t seqs[SKY_VERIFY_NEAREST_MAX];
    size_t count = 0, near = sky_verify_nearest(wait->verify, seqs);
    for (size_t i = 0; i < near; i++) {
        if (!sky_cursor_find(&search->cursor, seqs[i], &search->event))
            continue;
        sky_subject_of_event(&search->cursor, search->names, &search->event, search->room,
                             &search->subject);
        sky_verify_compare(wait->verify, &search->subject, seqs[i], &misses[count++]);
    }
    return count;
}

/* Once what it speaks of is in the store. */
static void answer(struct verify_wait *wait, bool holds)
{
    struct sky_verify_miss misses[SKY_VERIFY_NEAREST_MAX];
    struct sky_buf out;
    sky_buf_init(&out, SKY_HTTP_ANSWER_MAX);
    struct sky_jw jw = sky_jw(&out);
    struct sky_journal_stats stats;
    sky_journal_stats(wait->app->journal, &stats);
    uint64_t first_seq = wait->search.first_seq;
    const struct sky_verify_scope scope = {
        .name = sky_span_str(wait->scope),
        .lost = stats.first_seq > first_seq ? stats.first_seq - first_seq : 0};
    holds = holds && (scope.lost == 0 || !sky_verify_counts_all(wait->verify));
    size_t miss_count = holds ? 0 : compare_nearest(wait, misses);
    sky_verify_print(wait->verify, holds, &scope, misses, miss_count, &jw);
    if (sky_journal_flush(wait->app->journal) != SKY_OK)
        sky_api_reply_error(wait->call, 507, "store", "the journal cannot be written to the store");
    else
        sky_api_reply_json(wait->call, holds ? 200 : 406, sky_buf_span(&out));
    sky_buf_done(&out);
    end(wait);
}

/* ---- looking ---- */

/* Every event there is has been looked at. True: there is nothing more to do for now. */
static bool pass_is_over(struct verify_wait *wait)
{
    if (wait->seeking) {
        answer(wait, false);
        return true;
    }
    enum sky_verify_state state =
        sky_verify_state(wait->verify, !wait->patient || wait->wait.overdue);
    if (state == SKY_VERIFY_HOLDS)
        answer(wait, true);
    if (state != SKY_VERIFY_BROKEN)
        return true;
    wait->seeking = true;
    wait->to_seq = wait->search.cursor.next_seq - 1;
    sky_search_again(&wait->search);
    return false;
}

static void look(struct sky_wait *waiting)
{
    struct verify_wait *wait = SKY_CONTAINER_OF(waiting, struct verify_wait, wait);
    const struct sky_search *search = &wait->search;
    bool more, over = false;
    while (!over) {
        bool found = sky_search_next(&wait->search, waiting->waits->ends_ns, &more);
        if (!found && more) {
            sky_wait_again(waiting);
            return;
        }
        if (!found || (wait->seeking && search->event.seq > wait->to_seq))
            over = pass_is_over(wait);
        else if (wait->seeking)
            sky_verify_seek(wait->verify, &search->subject, search->event.seq);
        else
            sky_verify_feed(wait->verify, &search->subject, search->event.seq,
                            search->event.now_ms);
    }
}

/* ---- asking ---- */

/* Begins to look at events: of whom, since when, and, where the heads of events say so, only those
 * that the claim may be about. False, and answered, when it makes no sense. */
static bool begin(struct sky_api *api, struct verify_wait *wait)
{
    const char *key, *name = sky_api_body_whom(api, &key);
    const struct sky_registry *registry = &api->app->registry;
    struct sky_event_filter narrow, *filter = &wait->search.filter;
    struct sky_why why;
    cJSON *scope = cJSON_CreateObject();
    if (key != NULL)
        cJSON_AddStringToObject(scope, key, name);
    struct sky_pattern *pattern = sky_pattern_new(scope, "", NULL, &why);
    cJSON_Delete(scope);
    wait->verify =
        pattern != NULL ? sky_verify_new(api->body, "", &registry->catalogue, &why) : NULL;
    if (wait->verify == NULL) {
        sky_pattern_free(pattern);
        sky_api_fail(api, SKY_ERR_INVALID, &why);
        return false;
    }
    bool chapter = sky_json_get(api->body, "since") == NULL;
    wait->scope = sky_mem_dup(name, strlen(name));
    sky_search_begin(&wait->search, registry, &api->app->admin->names, pattern,
                     chapter ? SKY_CHAPTER : SKY_PERIODS,
                     (uint64_t)sky_api_body_int(api, "since", 0));
    sky_verify_narrow(wait->verify, &api->app->admin->names, &narrow);
    if (filter->device.len > 0) {
        narrow.names = filter->names;
        narrow.cloud = filter->cloud;
        narrow.product = filter->product;
        narrow.device = filter->device;
    }
    *filter = narrow;
    return true;
}

void sky_api_verify(struct sky_api *api)
{
    struct verify_wait *wait = sky_mem_new(sizeof *wait);
    int64_t wait_ms = sky_api_body_int(api, "waitMs", 0);
    wait->app = api->app;
    wait->call = api->call;
    wait->wait.look = look;
    wait->patient = wait_ms > 0;
    if (!begin(api, wait)) {
        free(wait);
        return;
    }
    api->call->state = wait;
    api->call->on_gone = on_gone;
    sky_wait_begin(&api->app->admin->waits, &wait->wait);
    if (wait->patient)
        sky_wait_until(&wait->wait, wait_ms);
}
