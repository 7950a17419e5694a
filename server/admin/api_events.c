/* The journal's events: listed, waited for, streamed. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"
#include "server/admin/api.h"

enum {
    EFFORT_PER_TURN = 20000,         /* events looked at before others get their turn */
    ANSWER_ENOUGH = 8 << 20,         /* bytes of JSON after which a list ends early */
    STREAM_HEARTBEAT_MS = 15 * 1000, /* real time: a stream's client that vanished is noticed */
};

/* A call that wants events. */
struct sky_event_wait {
    struct sky_wait wait; /* overdue: the list ends as it is; a stream's heartbeat is due */
    struct sky_app *app;
    struct sky_http_call *call;
    struct sky_cursor cursor;
    struct sky_event_filter filter; /* views into the members below */
    struct sky_path_vars device;
    char topic[SKY_API_PARAM_MAX], rule[SKY_API_PARAM_MAX];
    struct sky_event event;

    /* A list: */
    struct sky_buf out;
    struct sky_jw jw;
    size_t found, limit, wanted;
};

static void wait_free(struct sky_event_wait *wait)
{
    sky_wait_end(&wait->wait);
    sky_cursor_done(&wait->cursor);
    sky_buf_done(&wait->out);
    free(wait);
}

static void on_gone(struct sky_http_call *call)
{
    wait_free(call->state);
}

/* ---- what is wanted ---- */

static bool take_types(struct sky_api *api, struct sky_event_filter *filter)
{
    char text[SKY_API_PARAM_MAX];
    enum sky_event_type type;
    sky_span rest, name;
    if (!sky_api_query(api, "type", text))
        return true;
    rest = sky_span_str(text);
    while (sky_span_next(&rest, ',', &name)) {
        if (!sky_event_type_parse(name, &type)) {
            sky_api_error(api, 400, "invalid", "", "there is no event type '%.*s'",
                          SKY_SPAN_ARGS(name));
            return false;
        }
        filter->types |= UINT64_C(1) << type;
    }
    return true;
}

static bool take_direction(struct sky_api *api, struct sky_event_filter *filter)
{
    char text[SKY_API_PARAM_MAX];
    enum sky_direction direction;
    if (!sky_api_query(api, "direction", text))
        return true;
    if (!sky_direction_parse(sky_span_str(text), &direction)) {
        sky_api_error(api, 400, "invalid", "", "a direction is up, down or inside");
        return false;
    }
    filter->directions = 1u << direction;
    return true;
}

static bool take_topic(struct sky_api *api, struct sky_event_wait *wait)
{
    if (!sky_api_query(api, "topic", wait->topic))
        return true;
    wait->filter.topic = sky_span_str(wait->topic);
    if (sky_topic_valid_filter(wait->filter.topic))
        return true;
    sky_api_error(api, 400, "invalid", "", "'%s' is not a topic filter", wait->topic);
    return false;
}

static bool take_rule(struct sky_api *api, struct sky_event_wait *wait)
{
    if (!sky_api_query(api, "rule", wait->rule))
        return true;
    wait->filter.rule = sky_span_str(wait->rule);
    if (sky_catalogue_find(&api->app->registry.catalogue, wait->filter.rule) != NULL)
        return true;
    sky_api_error(api, 400, "invalid", "", "there is no rule '%s'", wait->rule);
    return false;
}

/* A device that the registry does not know may still have been claimed by a peer. */
static void take_device(struct sky_api *api, struct sky_event_wait *wait)
{
    char text[SKY_API_PARAM_MAX];
    struct sky_product product;
    struct sky_device device;
    struct sky_event_filter *filter = &wait->filter;
    if (!sky_api_query(api, "device", text))
        return;
    sky_match_device(sky_span_str(text), &wait->device);
    filter->cloud = sky_span_str(wait->device.cloud);
    filter->product = sky_span_str(wait->device.product);
    filter->device = sky_span_str(wait->device.device);
    if (sky_store_find_device(api->app->store, filter->cloud, filter->product, filter->device,
                              &product, &device) == SKY_OK)
        filter->device_id = device.id;
}

/* False, and answered, when a filter makes no sense. */
static bool take_filter(struct sky_api *api, struct sky_event_wait *wait)
{
    wait->filter.connection = (uint32_t)sky_api_query_int(api, "connection", 0);
    take_device(api, wait);
    return take_types(api, &wait->filter) && take_direction(api, &wait->filter) &&
           take_topic(api, wait) && take_rule(api, wait);
}

static struct sky_event_wait *wait_new(struct sky_api *api, uint64_t since,
                                       void (*look)(struct sky_wait *wait))
{
    struct sky_event_wait *wait = sky_mem_new(sizeof *wait);
    wait->wait.look = look;
    wait->app = api->app;
    wait->call = api->call;
    sky_buf_init(&wait->out, SKY_HTTP_ANSWER_MAX);
    wait->jw = sky_jw(&wait->out);
    sky_cursor_init(&wait->cursor, api->app->journal, since + 1);
    sky_wait_begin(&api->app->admin->waits, &wait->wait);
    if (take_filter(api, wait))
        return wait;
    wait_free(wait);
    return NULL;
}

static void print(struct sky_event_wait *wait, struct sky_jw *jw)
{
    const struct sky_event_printer printer = {.cursor = &wait->cursor,
                                              .catalogue = &wait->app->registry.catalogue,
                                              .names = &wait->app->admin->names};
    sky_event_print(&printer, &wait->event, jw);
}

/* ---- lists ---- */

static void begin_list(struct sky_event_wait *wait)
{
    sky_jw_object(&wait->jw);
    sky_jw_key(&wait->jw, "events");
    sky_jw_array(&wait->jw);
}

/* Answers with what was found, once that is in the store. `next` is what to ask `since` for the
 * rest. */
static void finish_list(struct sky_event_wait *wait)
{
    struct sky_journal_stats stats;
    struct sky_jw *jw = &wait->jw;
    bool kept = sky_journal_flush(wait->app->journal) == SKY_OK;
    sky_journal_stats(wait->app->journal, &stats);
    sky_jw_end_array(jw);
    sky_jw_put_int(jw, "next", (int64_t)wait->cursor.next_seq - 1);
    sky_jw_put_int(jw, "first", (int64_t)stats.first_seq);
    sky_jw_put_int(jw, "last", (int64_t)stats.last_seq);
    sky_jw_put_int(jw, "lost", (int64_t)stats.evicted);
    sky_jw_end_object(jw);
    if (!kept)
        sky_api_reply_error(wait->call, 507, "store", "the journal cannot be written to the store");
    else if (wait->out.overflow)
        sky_api_reply_error(wait->call, 500, "limit", "the answer is too long; ask for less");
    else
        sky_api_reply_json(wait->call, 200, sky_buf_span(&wait->out));
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
    while (!is_full(wait) &&
           sky_cursor_search(&wait->cursor, &wait->filter, EFFORT_PER_TURN, &wait->event, &more)) {
        print(wait, &wait->jw);
        wait->found++;
    }
    if (is_full(wait) || (!more && (wait->wait.overdue || wait->found >= wait->wanted)))
        finish_list(wait);
    else if (more)
        sky_wait_again(&wait->wait);
}

/* The newest first: the numbers of the last `limit` that fit are kept while all are looked at. */
static void list_backwards(struct sky_event_wait *wait)
{
    uint64_t *kept = sky_mem_new(wait->limit * sizeof *kept);
    bool more;
    size_t found = 0;
    while (sky_cursor_search(&wait->cursor, &wait->filter, SIZE_MAX, &wait->event, &more))
        kept[found++ % wait->limit] = wait->event.seq;
    size_t shown = found < wait->limit ? found : wait->limit;
    for (size_t i = 1; i <= shown && !is_full(wait); i++) {
        if (sky_cursor_find(&wait->cursor, kept[(found - i) % wait->limit], &wait->event))
            print(wait, &wait->jw);
    }
    free(kept);
    finish_list(wait);
}

/* Where a list begins at the earliest: with the chapter, or the run, of what it is about. */
static uint64_t beginning(const struct sky_api *api)
{
    const struct sky_registry *registry = &api->app->registry;
    enum sky_period period = sky_api_query_is(api, "run") ? SKY_RUN : SKY_CHAPTER;
    char name[SKY_API_PARAM_MAX];
    uint64_t since = registry->parties.since[period];
    const struct sky_party *party =
        sky_api_query(api, "device", name) ? sky_party_find(registry, sky_span_str(name)) : NULL;
    return party != NULL && party->since[period] > since ? party->since[period] : since;
}

void sky_api_events_list(struct sky_api *api)
{
    char order[SKY_API_PARAM_MAX] = "asc";
    int64_t wait_ms = sky_api_query_int(api, "wait_ms", 0);
    sky_api_query(api, "order", order);
    bool backwards = strcmp(order, "desc") == 0;
    if (!backwards && strcmp(order, "asc") != 0) {
        sky_api_error(api, 400, "invalid", "", "an order is asc or desc");
        return;
    }
    if (backwards && wait_ms > 0) {
        sky_api_error(api, 400, "invalid", "", "waiting goes with the order asc only");
        return;
    }
    if (!sky_api_flush(api))
        return;
    uint64_t since = (uint64_t)sky_api_query_int(api, "since", 0), begin = beginning(api);
    struct sky_event_wait *wait = wait_new(api, since > begin ? since : begin, look_for_list);
    if (wait == NULL)
        return;
    wait->limit = (size_t)sky_api_query_int(api, "limit", SKY_API_PAGE_DEFAULT);
    wait->wanted = wait_ms > 0 ? (size_t)sky_api_query_int(api, "count", 1) : 0;
    begin_list(wait);
    if (backwards) {
        list_backwards(wait);
        return;
    }
    api->call->state = wait;
    api->call->on_gone = on_gone;
    if (wait_ms > 0)
        sky_wait_until(&wait->wait, wait_ms);
}

/* ---- streams ---- */

/* The client has room: as many events as there are, as text/event-stream. A journal that cannot be
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
    if (sky_journal_flush(wait->app->journal) != SKY_OK)
        return;
    while (out->len < SKY_HTTP_STREAM_ENOUGH &&
           sky_cursor_search(&wait->cursor, &wait->filter, EFFORT_PER_TURN, &wait->event, &more)) {
        struct sky_jw jw = sky_jw(out);
        sky_buf_addf(out, "id: %llu\ndata: ", (unsigned long long)wait->event.seq);
        print(wait, &jw);
        sky_buf_add_str(out, "\n\n");
    }
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
    struct sky_event_wait *wait = wait_new(api, stream_start(api), look_for_stream);
    if (wait == NULL)
        return;
    api->call->state = wait;
    api->call->on_gone = on_gone;
    api->call->on_room = fill_stream;
    sky_wait_until(&wait->wait, STREAM_HEARTBEAT_MS);
    sky_http_stream(api->call, api->route->content_type);
}
