/* A claim about events, checked against those that there are, and those that come while the client
 * waits. */
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/judge/verify.h"

/* Between two looks at the time: events passed over, or bytes of payloads that are looked into. */
enum { EFFORT = 512, EFFORT_BYTES = 8 * 1024, EVENT_BYTES = EFFORT_BYTES / 16 };

struct verify_wait {
    struct sky_wait wait; /* overdue: nothing more is waited for */
    struct sky_app *app;
    struct sky_http_call *call;
    struct sky_verify *verify; /* owned */
    bool patient;              /* waits at all */
    char scope[SKY_API_PARAM_MAX];
    struct sky_path_vars device; /* in `scope`; empty: a product, or everything */
    uint64_t since, asked_seq;   /* the newest event when it was asked */
    bool chapters; /* of whatever had begun a new chapter by then, only events since count */
    struct sky_cursor cursor;
    struct sky_event_filter filter;
    bool seeking;    /* it does not hold: all events are looked at again, for the nearest, */
    uint64_t to_seq; /* up to this one */
    struct sky_event event;
};

static void end(struct verify_wait *wait)
{
    sky_wait_end(&wait->wait);
    sky_cursor_done(&wait->cursor);
    sky_verify_free(wait->verify);
    free(wait);
}

static void on_gone(struct sky_http_call *call)
{
    end(call->state);
}

/* ---- events ---- */

static void narrow_to_device(struct verify_wait *wait)
{
    struct sky_event_filter *filter = &wait->filter;
    struct sky_product product;
    struct sky_device device;
    filter->cloud = sky_span_str(wait->device.cloud);
    filter->product = sky_span_str(wait->device.product);
    filter->device = sky_span_str(wait->device.device);
    filter->device_id = 0;
    if (sky_store_find_device(wait->app->store, filter->cloud, filter->product, filter->device,
                              &product, &device) == SKY_OK)
        filter->device_id = device.id;
}

/* Begins to look at the events, at those only that `filter` wants. */
static void begin_pass(struct verify_wait *wait, const struct sky_event_filter *filter)
{
    wait->filter = *filter;
    if (wait->device.device[0] != '\0')
        narrow_to_device(wait);
    sky_cursor_done(&wait->cursor);
    sky_cursor_init(&wait->cursor, wait->app->journal, wait->since + 1);
}

static bool is_of_chapter(const struct verify_wait *wait, const struct sky_party *party)
{
    uint64_t since = party != NULL ? party->since[SKY_CHAPTER] : 0;
    return wait->event.seq > since || since > wait->asked_seq;
}

/* The next event that counts, as a subject; `*ret_more` as for sky_cursor_search(). */
static bool next_event(struct verify_wait *wait, char room[SKY_DEVICE_NAME_MAX + 1],
                       struct sky_subject *ret_subject, bool *ret_more)
{
    const struct sky_registry *registry = &wait->app->registry;
    struct sky_event *event = &wait->event;
    bool product = wait->scope[0] != '\0' && wait->device.device[0] == '\0';
    while (sky_cursor_search(&wait->cursor, &wait->filter, EFFORT, event, ret_more)) {
        sky_subject_of_event(&wait->cursor, &wait->app->admin->names, event, room, ret_subject);
        if (!product && (!wait->chapters || event->seq > registry->parties.turned))
            return true;
        const struct sky_party *party = sky_party_of_id(registry, event->head.device_id);
        const char *name =
            party != NULL ? party->name
            : event->head.device_id != 0
                ? sky_device_names_get(&wait->app->admin->names, event->head.device_id)
                : ret_subject->device;
        if (product && !sky_party_named_of(sky_span_str(name), sky_span_str(wait->scope)))
            continue;
        if (party == NULL)
            party = sky_party_find(registry, sky_span_str(name));
        if (!wait->chapters || is_of_chapter(wait, party))
            return true;
    }
    return false;
}

/* ---- the answer ---- */

/* Those of the nearest that are still there. */
static size_t compare_nearest(struct verify_wait *wait, struct sky_verify_miss *misses)
{
    uint64_t seqs[SKY_VERIFY_NEAREST_MAX];
    char room[SKY_DEVICE_NAME_MAX + 1];
    struct sky_subject subject;
    size_t count = 0, near = sky_verify_nearest(wait->verify, seqs);
    for (size_t i = 0; i < near; i++) {
        sky_cursor_done(&wait->cursor);
        sky_cursor_init(&wait->cursor, wait->app->journal, seqs[i]);
        if (!sky_cursor_next(&wait->cursor, &wait->event) || wait->event.seq != seqs[i])
            continue;
        sky_subject_of_event(&wait->cursor, &wait->app->admin->names, &wait->event, room, &subject);
        sky_verify_compare(wait->verify, &subject, seqs[i], &misses[count++]);
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
    size_t miss_count = holds ? 0 : compare_nearest(wait, misses);
    sky_verify_print(wait->verify, holds, sky_span_str(wait->scope), misses, miss_count, &jw);
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
    const struct sky_event_filter all = {0};
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
    wait->to_seq = wait->cursor.next_seq - 1;
    begin_pass(wait, &all);
    return false;
}

static void look(struct sky_wait *waiting)
{
    struct verify_wait *wait = SKY_CONTAINER_OF(waiting, struct verify_wait, wait);
    char room[SKY_DEVICE_NAME_MAX + 1];
    struct sky_subject subject;
    bool more;
    size_t effort = 0;
    while (effort < EFFORT_BYTES || !sky_wait_time_is_up(waiting)) {
        effort = effort < EFFORT_BYTES ? effort : 0;
        bool found = next_event(wait, room, &subject, &more);
        bool over = found ? wait->seeking && wait->event.seq > wait->to_seq : !more;
        if (over && pass_is_over(wait))
            return;
        effort += found ? EVENT_BYTES + subject.payload.len : EFFORT_BYTES;
        if (!found || over)
            continue;
        if (wait->seeking)
            sky_verify_seek(wait->verify, &subject, wait->event.seq);
        else
            sky_verify_feed(wait->verify, &subject, wait->event.seq, wait->event.now_ms);
    }
    sky_wait_again(waiting);
}

/* ---- asking ---- */

/* Whose events count, and since when. False, and answered, when it makes no sense. */
static bool take_scope(struct sky_api *api, struct verify_wait *wait)
{
    const struct sky_registry *registry = &api->app->registry;
    const char *device = sky_api_body_text(api, "device");
    const char *product = sky_api_body_text(api, "product");
    struct sky_journal_stats stats;
    if (device != NULL && product != NULL) {
        sky_api_error(api, 400, "invalid", "/product", "give a device or a product, not both");
        return false;
    }
    sky_span scope = sky_span_str(device != NULL ? device : product);
    if (!sky_span_copy(scope, wait->scope, sizeof wait->scope)) {
        sky_api_error(api, 400, "invalid", device != NULL ? "/device" : "/product", "is too long");
        return false;
    }
    if (device != NULL)
        sky_match_device(scope, &wait->device);
    wait->chapters = sky_json_get(api->body, "since") == NULL;
    wait->since =
        (uint64_t)sky_api_body_int(api, "since", (int64_t)registry->parties.since[SKY_CHAPTER]);
    sky_journal_stats(api->app->journal, &stats);
    wait->asked_seq = stats.last_seq;
    return true;
}

void sky_api_verify(struct sky_api *api)
{
    struct sky_why why;
    struct sky_event_filter filter;
    struct verify_wait *wait = sky_mem_new(sizeof *wait);
    wait->app = api->app;
    wait->call = api->call;
    wait->wait.look = look;
    if (!take_scope(api, wait)) {
        free(wait);
        return;
    }
    wait->verify = sky_verify_new(api->body, "", &why);
    if (wait->verify == NULL) {
        free(wait);
        sky_api_fail(api, SKY_ERR_INVALID, &why);
        return;
    }
    int64_t wait_ms = sky_api_body_int(api, "waitMs", 0);
    sky_verify_narrow(wait->verify, api->app->store, &filter);
    begin_pass(wait, &filter);
    api->call->state = wait;
    api->call->on_gone = on_gone;
    sky_wait_begin(&api->app->admin->waits, &wait->wait);
    wait->patient = wait_ms > 0;
    if (wait->patient)
        sky_wait_until(&wait->wait, wait_ms);
}
