/* The journal's events: listed, waited for, streamed. */
#include <stdlib.h>
#include <uv.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/judge/search.h"

enum {
    STRETCH = 1024,                  /* events that a list backwards looks at first */
    ANSWER_ENOUGH = 8 << 20,         /* bytes of JSON after which a list ends early */
    STREAM_HEARTBEAT_MS = 15 * 1000, /* real time: a stream's client that vanished is noticed */
    STREAM_TURN_NS = 1000 * 1000,    /* that one stream looks before others get their turn */
    STREAM_RESTS = 19,               /* times as long as it looked, while events come */
};

/* A call that wants events. */
struct sky_event_wait {
    struct sky_wait wait; /* overdue: the list ends as it is; a stream's heartbeat is due */
    struct sky_app *app;
    struct sky_http_call *call;
    struct sky_search search;

    /* A list: */
    struct sky_buf out;
    struct sky_jw jw;
    size_t found, limit, wanted;
    uint64_t before; /* only events with smaller numbers */

    /* A list backwards looks at one stretch of the journal after the other, the newest first: */
    uint64_t from, stretch; /* where it begins, and how long the next is */
    uint64_t *kept;         /* owned: the numbers of the last `limit` found in it */
    size_t held, shown;     /* how many were found, and how many of those kept gone over */

    /* A stream: */
    uint64_t rests_until_ns, last_seq; /* after it looked, and the newest event then */
};

static void wait_free(struct sky_event_wait *wait)
{
    sky_wait_end(&wait->wait);
    sky_search_end(&wait->search);
    sky_buf_done(&wait->out);
    free(wait->kept);
    free(wait);
}

static void on_gone(struct sky_http_call *call)
{
    wait_free(call->state);
}

/* ---- what is wanted ---- */

/* A parameter is the member of a pattern of the same name; types are a list. */
static void put_parameter(const struct sky_api *api, cJSON *pattern, const char *name)
{
    char text[SKY_API_PARAM_MAX], type[SKY_API_PARAM_MAX];
    int64_t number;
    sky_span rest, piece;
    if (!sky_api_query(api, name, text))
        return;
    if (strcmp(name, "type") == 0) {
        cJSON *types = cJSON_AddArrayToObject(pattern, name);
        rest = sky_span_str(text);
        while (sky_span_next(&rest, ',', &piece)) {
            sky_span_copy(piece, type, sizeof type);
            cJSON_AddItemToArray(types, cJSON_CreateString(type));
        }
    } else if (strcmp(name, "refused") == 0) {
        cJSON_AddBoolToObject(pattern, name, strcmp(text, "true") == 0);
    } else if (strcmp(name, "connection") == 0 && sky_span_to_int(sky_span_str(text), &number)) {
        cJSON_AddNumberToObject(pattern, name, (double)number);
    } else {
        cJSON_AddStringToObject(pattern, name, text);
    }
}

/* The pattern that the query amounts to. NULL, and answered, when it makes no sense. */
static struct sky_pattern *queried_pattern(struct sky_api *api)
{
    static const char *const names[] = {"type",   "direction", "topic",      "rule", "refused",
                                        "device", "product",   "connection", "text"};
    struct sky_why why;
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < SKY_COUNT(names); i++)
        put_parameter(api, json, names[i]);
    struct sky_pattern *pattern = sky_pattern_new(json, "", &api->app->registry.catalogue, &why);
    cJSON_Delete(json);
    if (pattern == NULL)
        sky_api_error(api, 400, "invalid", "", "%s", why.reason);
    return pattern;
}

static struct sky_event_wait *wait_new(struct sky_api *api, struct sky_pattern *pattern,
                                       enum sky_period period, uint64_t since,
                                       void (*look)(struct sky_wait *wait))
{
    struct sky_event_wait *wait = sky_mem_new(sizeof *wait);
    struct sky_admin *admin = api->app->admin;
    wait->wait.look = look;
    wait->app = api->app;
    wait->call = api->call;
    sky_buf_init(&wait->out, SKY_HTTP_ANSWER_MAX);
    wait->jw = sky_jw(&wait->out);
    sky_search_begin(&wait->search, &api->app->registry, &admin->names, pattern, period, since);
    sky_wait_begin(&admin->waits, &wait->wait);
    api->call->state = wait;
    api->call->on_gone = on_gone;
    return wait;
}

static void print(struct sky_event_wait *wait, struct sky_jw *jw)
{
    const struct sky_event_printer printer = {.cursor = &wait->search.cursor,
                                              .catalogue = &wait->app->registry.catalogue,
                                              .names = &wait->app->admin->names};
    sky_event_print(&printer, &wait->search.event, jw);
}

/* ---- lists ---- */

/* Answers with what was found, once that is in the store. `next` is what to ask `since` for what
 * comes behind it. */
static void finish_list(struct sky_event_wait *wait)
{
    struct sky_journal_stats stats;
    struct sky_jw *jw = &wait->jw;
    bool kept = sky_journal_flush(wait->app->journal) == SKY_OK;
    uint64_t next = wait->search.cursor.next_seq;
    if (wait->kept != NULL || next > wait->before)
        next = wait->before;
    sky_journal_stats(wait->app->journal, &stats);
    sky_jw_end_array(jw);
    sky_jw_put_int(jw, "next", (int64_t)next - 1);
    sky_jw_put_int(jw, "first", (int64_t)stats.first_seq);
    sky_jw_put_int(jw, "last", (int64_t)stats.last_seq);
    sky_jw_put_int(jw, "lost", (int64_t)stats.evicted);
    sky_jw_end_object(jw);
    const struct sky_http_reply reply = {.status = 200,
                                         .content_type = "application/json",
                                         .body = sky_buf_span(&wait->out),
                                         .line_end = true};
    if (!kept)
        sky_api_reply_error(wait->call, 507, "store", "the journal cannot be written to the store");
    else if (wait->out.overflow)
        sky_api_reply_error(wait->call, 500, "limit",
                            "the answer would be longer than 67108864 bytes; ask for less");
    else
        sky_http_give(wait->call, &reply, &wait->out);
    wait_free(wait);
}

static bool is_full(const struct sky_event_wait *wait)
{
    return wait->found >= wait->limit || wait->out.len > ANSWER_ENOUGH;
}

static void look_for_list(struct sky_wait *waiting)
{
    struct sky_event_wait *wait = SKY_CONTAINER_OF(waiting, struct sky_event_wait, wait);
    bool more = false;
    while (!is_full(wait) && sky_search_next(&wait->search, waiting->waits->ends_ns, &more)) {
        print(wait, &wait->jw);
        wait->found++;
    }
    if (!sky_http_prepare(wait->call, wait->out.room))
        wait_free(wait);
    else if (more)
        sky_wait_again(waiting);
    else if (is_full(wait) || waiting->overdue || wait->found >= wait->wanted ||
             wait->search.cursor.next_seq >= wait->before)
        finish_list(wait);
}

/* To the stretch that ends where the last one begins, and is twice as long: what is near is found
 * without looking at everything, and what is far in few steps. */
static void step_back(struct sky_event_wait *wait)
{
    uint64_t before = wait->from, first = wait->search.first_seq;
    wait->from = before - first > wait->stretch ? before - wait->stretch : first;
    wait->stretch *= 2;
    wait->held = wait->shown = 0;
    sky_search_between(&wait->search, wait->from, before);
}

/* The newest come first: those of a stretch are shown once all of it has been looked at. False: it
 * goes on in another turn. */
static bool go_over_stretch(struct sky_event_wait *wait)
{
    bool more = false;
    while (wait->shown == 0 && sky_search_next(&wait->search, wait->wait.waits->ends_ns, &more))
        wait->kept[wait->held++ % wait->limit] = wait->search.event.seq;
    size_t count = wait->held < wait->limit ? wait->held : wait->limit;
    while (!more && wait->shown < count && !is_full(wait)) {
        wait->shown++;
        if (sky_cursor_find(&wait->search.cursor,
                            wait->kept[(wait->held - wait->shown) % wait->limit],
                            &wait->search.event)) {
            print(wait, &wait->jw);
            wait->found++;
        }
        more = sky_wait_time_is_up(&wait->wait);
    }
    return !more;
}

static void look_for_last(struct sky_wait *waiting)
{
    struct sky_event_wait *wait = SKY_CONTAINER_OF(waiting, struct sky_event_wait, wait);
    while (go_over_stretch(wait)) {
        if (is_full(wait) || wait->from == wait->search.first_seq) {
            finish_list(wait);
            return;
        }
        step_back(wait);
    }
    if (sky_http_prepare(wait->call, wait->out.room))
        sky_wait_again(waiting);
    else
        wait_free(wait);
}

struct list {
    int64_t since, before, limit, wait_ms, count;
    const char *order;
    bool run;
};

/* Where the list ends, and a list backwards begins: at the newest event at the most. */
static void begin_between(struct sky_event_wait *wait, uint64_t before, bool backwards)
{
    uint64_t first = wait->search.first_seq, newest = wait->search.newest_seq;
    wait->before = before > first ? before : first;
    if (!backwards) {
        sky_search_between(&wait->search, first, wait->before);
        return;
    }
    if (wait->before > newest + 1)
        wait->before = newest + 1 > first ? newest + 1 : first;
    wait->kept = sky_mem_new(wait->limit * sizeof *wait->kept);
    wait->from = wait->before;
    wait->stretch = STRETCH;
    step_back(wait);
}

/* Begins to answer with a list. False, and answered, when it makes no sense: then the pattern stays
 * the caller's. */
static bool begin_list(struct sky_api *api, struct sky_pattern *pattern, const struct list *list)
{
    bool backwards = strcmp(list->order, "desc") == 0;
    if (!backwards && strcmp(list->order, "asc") != 0) {
        sky_api_error(api, 400, "invalid", api->body != NULL ? "/order" : "",
                      "an order is asc or desc");
        return false;
    }
    if (backwards && list->wait_ms > 0) {
        sky_api_error(api, 400, "invalid", api->body != NULL ? "/order" : "",
                      "waiting goes with the order asc only");
        return false;
    }
    if (!sky_api_flush(api))
        return false;
    struct sky_event_wait *wait =
        wait_new(api, pattern, list->run ? SKY_RUN : SKY_CHAPTER, (uint64_t)list->since,
                 backwards ? look_for_last : look_for_list);
    wait->limit = (size_t)list->limit;
    wait->wanted = list->wait_ms > 0 ? (size_t)list->count : 0;
    begin_between(wait, (uint64_t)list->before, backwards);
    sky_jw_object(&wait->jw);
    sky_jw_key(&wait->jw, "events");
    sky_jw_array(&wait->jw);
    if (list->wait_ms > 0)
        sky_wait_until(&wait->wait, list->wait_ms);
    return true;
}

void sky_api_events_list(struct sky_api *api)
{
    char order[SKY_API_PARAM_MAX] = "asc";
    sky_api_query(api, "order", order);
    const struct list list = {
        .since = sky_api_query_int(api, "since", 0),
        .before = sky_api_query_int(api, "before", INT64_MAX),
        .limit = sky_api_query_int(api, "limit", SKY_API_PAGE_DEFAULT),
        .wait_ms = sky_api_query_int(api, "waitMs", sky_api_query_int(api, "wait_ms", 0)),
        .count = sky_api_query_int(api, "count", 1),
        .order = order,
        .run = sky_api_query_is(api, "run")};
    struct sky_pattern *pattern = queried_pattern(api);
    if (pattern != NULL && !begin_list(api, pattern, &list))
        sky_pattern_free(pattern);
}

void sky_api_events_search(struct sky_api *api)
{
    const char *order = sky_api_body_text(api, "order");
    const cJSON *event = sky_json_get(api->body, "event");
    const struct list list = {.since = sky_api_body_int(api, "since", 0),
                              .before = sky_api_body_int(api, "before", INT64_MAX),
                              .limit = sky_api_body_int(api, "limit", SKY_API_PAGE_DEFAULT),
                              .wait_ms = sky_api_body_int(api, "waitMs", 0),
                              .count = sky_api_body_int(api, "count", 1),
                              .order = order != NULL ? order : "asc",
                              .run = sky_api_body_bool(api, "run", false)};
    struct sky_why why;
    cJSON *every = cJSON_CreateObject();
    struct sky_pattern *pattern = sky_pattern_new(event != NULL ? event : every, "/event",
                                                  &api->app->registry.catalogue, &why);
    cJSON_Delete(every);
    if (pattern == NULL)
        sky_api_error(api, 400, "invalid", why.pointer, "%s", why.reason);
    else if (!begin_list(api, pattern, &list))
        sky_pattern_free(pattern);
}

/* ---- streams ---- */

/* Showing an event costs several times what it takes to handle a message: a stream gets a twentieth
 * of the time while devices keep the server busy, and makes up for it when they do not. */
static void rest(struct sky_event_wait *wait, uint64_t began_ns)
{
    struct sky_journal_stats stats;
    uint64_t now_ns = uv_hrtime();
    sky_journal_stats(wait->app->journal, &stats);
    bool busy = stats.last_seq != wait->last_seq;
    wait->last_seq = stats.last_seq;
    wait->rests_until_ns = now_ns + (busy ? STREAM_RESTS : 1) * (now_ns - began_ns);
}

/* The client has room: as many events as there are, as text/event-stream, in the time that all who
 * wait have in a turn, however many clients have room at once. A journal that cannot be
 * written shows nothing; the next heartbeat tries again. */
static void fill_stream(struct sky_http_call *call, struct sky_buf *out)
{
    struct sky_event_wait *wait = call->state;
    bool more = false;
    if (wait->wait.overdue) {
        sky_buf_add_str(out, ":\n\n");
        wait->wait.overdue = false;
        sky_wait_until(&wait->wait, STREAM_HEARTBEAT_MS);
    }
    uint64_t began_ns = uv_hrtime(), ends_ns = wait->wait.waits->ends_ns;
    if (began_ns < wait->rests_until_ns || began_ns >= ends_ns) {
        sky_wait_again(&wait->wait);
        return;
    }
    if (sky_journal_flush(wait->app->journal) != SKY_OK)
        return;
    if (ends_ns > began_ns + STREAM_TURN_NS)
        ends_ns = began_ns + STREAM_TURN_NS;
    while (out->len < SKY_HTTP_STREAM_ENOUGH && sky_search_next(&wait->search, ends_ns, &more)) {
        struct sky_jw jw = sky_jw(out);
        sky_buf_addf(out, "id: %llu\ndata: ", (unsigned long long)wait->search.event.seq);
        print(wait, &jw);
        sky_buf_add_str(out, "\n\n");
    }
    rest(wait, began_ns);
    if (more)
        sky_wait_again(&wait->wait);
}

static void look_for_stream(struct sky_wait *waiting)
{
    sky_http_stream_wake(SKY_CONTAINER_OF(waiting, struct sky_event_wait, wait)->call);
}

/* Where a stream begins: behind what the client saw last (its header wins), else behind `since`,
 * else with what happens from now on. */
static uint64_t stream_start(const struct sky_api *api)
{
    struct sky_journal_stats stats;
    sky_span last_id;
    int64_t seq;
    sky_journal_stats(api->app->journal, &stats);
    if (sky_http_head_header(api->call->head.headers, "Last-Event-ID", &last_id) &&
        sky_span_to_int(last_id, &seq))
        return (uint64_t)seq;
    return (uint64_t)sky_api_query_int(api, "since", (int64_t)stats.last_seq);
}

void sky_api_events_stream(struct sky_api *api)
{
    if (sky_span_eq(api->call->head.method, SKY_SPAN("HEAD"))) {
        sky_api_send_text(api, api->route->content_type);
        return;
    }
    struct sky_pattern *pattern = queried_pattern(api);
    if (pattern == NULL)
        return;
    struct sky_event_wait *wait =
        wait_new(api, pattern, SKY_PERIODS, stream_start(api), look_for_stream);
    api->call->on_room = fill_stream;
    sky_wait_until(&wait->wait, STREAM_HEARTBEAT_MS);
    sky_http_stream(api->call, api->route->content_type);
}
