/* Device suites: the built-in ones, runs of them, and how a run goes on. */
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/admin/inner.h"
#include "server/admin/lists.h"
#include "server/admin/snapshots.h"
#include "server/broker/presence.h"
#include "server/net/conn.h"
#include "server/suite/result.h"
#include "server/suite/run.h"

enum {
    FOLLOW_HEARTBEAT_MS = 15000,
    FOLLOW_WAITING_MAX = 16 * 1024 * 1024, /* bytes that a client may leave unread */
    MESSAGE_FRAME = 64,                    /* bytes of a message besides its data */
};

/* ---- what runs need of the program ---- */

static void find_where(void *ctx, int64_t device_id, struct sky_suite_where *where)
{
    struct sky_app *app = ctx;
    const struct sky_session *session = sky_session_find(&app->registry, device_id);
    where->online = false;
    if (session == NULL)
        return;
    const struct sky_behaviour_acts *acts = sky_behaviour_acts(&session->party->chapter.behaviour);
    for (size_t i = 0; i < acts->handshake_count; i++) {
        where->transports |= 1U << acts->handshakes[i].transport;
        where->psk = where->psk || acts->handshakes[i].psk;
    }
    if (acts->http_logins > 0)
        where->transports |= 1U << SKY_HTTP | 1U << SKY_HTTPS;
    if (session->conn == NULL)
        return;
    where->online = true;
    where->transports |= 1U << session->conn->door->transport;
    snprintf(where->listener, sizeof where->listener, "%s", session->conn->door->listener->name);
}

struct choice {
    sky_span best;
    int points;
};

/* A topic of the application's own before the cloud's, one without wildcards before others. */
static void weigh(void *ctx, sky_span filter, uint8_t qos)
{
    struct choice *choice = ctx;
    bool wild =
        sky_span_contains(filter, SKY_SPAN("+")) || sky_span_contains(filter, SKY_SPAN("#"));
    bool own = sky_span_contains(filter, SKY_SPAN("/user/")) ||
               !(sky_span_starts(filter, SKY_SPAN("/")) || sky_span_starts(filter, SKY_SPAN("$")));
    int points = 1 + 2 * own + !wild;
    (void)qos;
    if (points < choice->points ||
        (points == choice->points && sky_span_order(filter, choice->best) > 0))
        return;
    choice->points = points;
    choice->best = filter;
}

static char *find_topic(void *ctx, int64_t device_id)
{
    struct sky_app *app = ctx;
    const struct sky_session *session = sky_session_find(&app->registry, device_id);
    struct choice choice = {.points = 0};
    struct sky_buf topic;
    if (session == NULL)
        return NULL;
    sky_subs_each(app->broker.subs, sky_session_carrier(session)->slot, weigh, &choice);
    if (choice.points == 0)
        return NULL;
    sky_buf_init(&topic, SKY_MQTT_STRING_MAX + 1);
    for (size_t i = 0; i < choice.best.len; i++) {
        char c = choice.best.ptr[i];
        sky_buf_add_byte(&topic, c == '+' || c == '#' ? 'x' : (uint8_t)c);
    }
    char *copy = sky_mem_dup(topic.bytes, topic.len);
    sky_buf_done(&topic);
    return copy;
}

static sky_err keep(void *ctx, const struct sky_product *product, const struct sky_device *device,
                    struct sky_snapshot *ret_kept)
{
    return sky_snapshot_keep_device(ctx, product, device, ret_kept);
}

static void put_back(void *ctx, const struct sky_snapshot *kept)
{
    struct sky_app *app = ctx;
    if (app->stopping)
        return; /* with a store file, the next start does it */
    if (sky_snapshot_restore(app, kept) != SKY_OK)
        sky_api_record(app, SKY_EVENT_NOTE, 0, "the device could not be put back as it was");
    (void)!sky_snapshot_drop(app, kept);
}

static void end_fault(void *ctx, int64_t id)
{
    (void)sky_faults_drop(((struct sky_app *)ctx)->faults, id);
}

static void set_clock(void *ctx, int64_t now_ms, bool frozen)
{
    struct sky_app *app = ctx;
    sky_clock_go_to(&app->clock, now_ms, frozen);
    sky_api_record(app, SKY_EVENT_CLOCK, 0, "put-back");
}

struct sky_suites *sky_api_suites_open(struct sky_app *app)
{
    const struct sky_suite_host host = {.ctx = app,
                                        .registry = &app->registry,
                                        .names = &app->admin->names,
                                        .waits = &app->admin->waits,
                                        .call = sky_inner_call,
                                        .cancel = sky_inner_cancel,
                                        .where = find_where,
                                        .topic = find_topic,
                                        .keep = keep,
                                        .put_back = put_back,
                                        .end_fault = end_fault,
                                        .set_clock = set_clock};
    return sky_suites_new(&host);
}

/* ---- the suites ---- */

struct suites_list {
    struct sky_list list;
    size_t at;
};

static bool tell_suite(struct sky_list *list)
{
    struct suites_list *suites = SKY_CONTAINER_OF(list, struct suites_list, list);
    struct sky_jw *jw = &list->api.jw;
    while (suites->at < sky_builtin_suites_count) {
        cJSON *tree = sky_builtin_suite_tree(&sky_builtin_suites[suites->at++]);
        cJSON *told = sky_suite_describe(tree);
        if (suites->at > 1)
            sky_buf_add_byte(jw->out, ',');
        (void)sky_json_print(jw->out, told);
        cJSON_Delete(told);
        cJSON_Delete(tree);
        if (sky_list_time_is_up(list))
            return false;
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    return true;
}

static void drop_suites(struct sky_list *list)
{
    free(SKY_CONTAINER_OF(list, struct suites_list, list));
}

void sky_api_suites_list(struct sky_api *api)
{
    struct suites_list *suites = sky_mem_new(sizeof *suites);
    suites->list.tell = tell_suite;
    suites->list.drop = drop_suites;
    sky_jw_object(&api->jw);
    sky_jw_key(&api->jw, "suites");
    sky_jw_array(&api->jw);
    sky_list_begin(api, &suites->list);
}

void sky_api_suite_read(struct sky_api *api)
{
    const struct sky_embedded *builtin = sky_builtin_suite_find(api->vars.name);
    if (builtin == NULL) {
        sky_api_error(api, 404, "not_found", "", "there is no suite '%s'", api->vars.name);
        return;
    }
    sky_buf_add(&api->out, sky_span_of(builtin->bytes, builtin->len));
    sky_api_send(api, 200);
}

/* ---- beginning a run ---- */

struct ordering {
    struct sky_run_order order;
    cJSON *cases; /* owned, when one was named alone */
};

static void ordering_done(struct ordering *ordering)
{
    for (size_t i = 0; i < ordering->order.suite_count + ordering->order.part_count; i++)
        sky_suite_done(&ordering->order.suites[i]);
    free(ordering->order.suites);
    free(ordering->order.devices);
    cJSON_Delete(ordering->cases);
}

/* What a body names as suites, read, one after the other, and behind them the built-in ones that
 * those are made of. */
struct made {
    struct sky_api_made base;
    size_t count, part_count;
    struct made_suite {
        sky_err err;
        struct sky_why why;
        struct sky_suite suite; /* owned until somebody takes it; zeroed then */
    } list[];
};

static void drop_made(struct sky_api_made *base)
{
    struct made *made = SKY_CONTAINER_OF(base, struct made, base);
    for (size_t i = 0; i < made->count + made->part_count; i++)
        sky_suite_done(&made->list[i].suite);
    free(made);
}

/* One of the things asked for: a name, or a suite itself, which is moved out of the body. */
static void make_suite(const struct sky_catalogue *rules, cJSON *given, struct made_suite *made)
{
    const struct sky_suite_reader reader = {.rules = rules, .check = sky_api_check_body};
    const struct sky_embedded *builtin =
        cJSON_IsString(given) ? sky_builtin_suite_find(given->valuestring) : NULL;
    cJSON *tree = NULL;
    made->err = SKY_OK;
    if (builtin != NULL) {
        tree = sky_builtin_suite_tree(builtin);
    } else if (cJSON_IsObject(given)) {
        tree = cJSON_CreateObject();
        tree->child = given->child;
        given->child = NULL;
    } else if (cJSON_IsString(given)) {
        made->err = sky_why_set(&made->why, SKY_ERR_INVALID, "", "there is no suite '%.64s'",
                                given->valuestring);
    } else {
        made->err = sky_why_set(&made->why, SKY_ERR_INVALID, "",
                                "give the name of a suite, or the suite itself");
    }
    if (tree != NULL)
        made->err = sky_suite_init(&made->suite, tree, &reader, &made->why);
    if (made->err != SKY_OK)
        made->suite = (struct sky_suite){.tree = NULL};
}

static void make_part(const struct sky_catalogue *rules, const char *name, struct made *made)
{
    const struct sky_suite_reader reader = {.rules = rules, .check = sky_api_check_body};
    const struct sky_embedded *builtin = sky_builtin_suite_find(name);
    struct made_suite *parts = made->list + made->count, *part = parts + made->part_count;
    for (size_t i = 0; builtin != NULL && i < made->part_count; i++)
        if (strcmp(parts[i].suite.name, name) == 0)
            return;
    if (builtin != NULL && sky_suite_init(&part->suite, sky_builtin_suite_tree(builtin), &reader,
                                          &part->why) == SKY_OK)
        made->part_count++;
}

struct sky_api_made *sky_api_runs_make(const struct sky_catalogue *rules, cJSON *body)
{
    size_t room = SKY_SUITE_INCLUDES_MAX + sky_builtin_suites_count;
    struct made *made = sky_mem_new(sizeof *made + room * sizeof *made->list);
    cJSON *one = cJSON_GetObjectItemCaseSensitive(body, "suite"),
          *each = cJSON_GetObjectItemCaseSensitive(body, "suites");
    made->base.drop = drop_made;
    each = one != NULL ? one : cJSON_IsArray(each) ? each->child : NULL;
    while (each != NULL && made->count < SKY_SUITE_INCLUDES_MAX) {
        make_suite(rules, each, &made->list[made->count++]);
        each = one != NULL ? NULL : each->next;
    }
    for (size_t i = 0; i < made->count; i++) {
        const cJSON *name;
        cJSON_ArrayForEach (name, made->list[i].suite.includes)
            make_part(rules, name->valuestring, made);
    }
    return &made->base;
}

/* What is under `one`, or all that is under `many`: as a list, whichever was given. False, and
 * answered, unless there is one of both. */
static bool pick(struct sky_api *api, const char *one, const char *many, size_t most,
                 const cJSON **ret_first, size_t *ret_count, char at[32])
{
    const cJSON *single = sky_json_get(api->body, one), *list = sky_json_get(api->body, many);
    *ret_first = single != NULL ? single : list != NULL ? list->child : NULL;
    *ret_count = single != NULL ? 1 : (size_t)cJSON_GetArraySize(list);
    snprintf(at, 32, "/%s", single != NULL ? one : many);
    if ((single != NULL) != (list != NULL) && *ret_count > 0 && *ret_count <= most)
        return true;
    if (*ret_count > most)
        sky_api_error(api, 400, "limit", at, "there are more than %zu", most);
    else
        sky_api_error(api, 400, "invalid", single != NULL && list != NULL ? at : "",
                      "give '%s', or several as '%s'", one, many);
    return false;
}

static bool take_suites(struct sky_api *api, struct sky_run_order *order)
{
    struct made *made = SKY_CONTAINER_OF(api->made, struct made, base);
    const cJSON *each;
    size_t count;
    char at[32], pointer[SKY_WHY_POINTER_MAX + 64];
    if (!pick(api, "suite", "suites", SKY_SUITE_INCLUDES_MAX, &each, &count, at))
        return false;
    order->suites = sky_mem_new((count + made->part_count) * sizeof *order->suites);
    SKY_ASSERT(made->count == count);
    for (size_t i = 0; i < count; i++) {
        snprintf(pointer, sizeof pointer, "%s", at);
        if (sky_json_get(api->body, "suites") != NULL)
            snprintf(pointer, sizeof pointer, "%s/%zu", at, i);
        struct made_suite *read = &made->list[i];
        if (read->err != SKY_OK) {
            snprintf(pointer + strlen(pointer), sizeof pointer - strlen(pointer), "%s",
                     read->why.pointer);
            sky_api_error(api, 400, "invalid", pointer, "%s", read->why.reason);
            return false;
        }
        order->suites[order->suite_count++] = read->suite;
        read->suite = (struct sky_suite){.tree = NULL};
    }
    for (size_t i = 0; i < made->part_count; i++) {
        order->suites[count + order->part_count++] = made->list[count + i].suite;
        made->list[count + i].suite = (struct sky_suite){.tree = NULL};
    }
    return true;
}

static bool take_devices(struct sky_api *api, struct sky_run_order *order)
{
    const cJSON *each;
    size_t count;
    char at[32];
    if (!pick(api, "device", "devices", SKY_RUN_DEVICES_MAX, &each, &count, at))
        return false;
    order->devices = sky_mem_new(count * sizeof *order->devices);
    for (size_t i = 0; i < count; i++, each = each->next) {
        if (!cJSON_IsString(each) ||
            !sky_match_device(sky_span_str(each->valuestring), &api->vars)) {
            sky_api_error(api, 400, "invalid", at, "a device is CLOUD/PRODUCT/DEVICE");
            return false;
        }
        if (!sky_api_device(api, &order->devices[i].product, &order->devices[i].device))
            return false;
        for (size_t other = 0; other < i; other++) {
            if (order->devices[other].device.id == order->devices[i].device.id) {
                sky_api_error(api, 400, "invalid", at, "'%s' is named twice", each->valuestring);
                return false;
            }
        }
        order->device_count++;
    }
    return true;
}

static bool take_cases(struct sky_api *api, struct ordering *ordering)
{
    const cJSON *each, *one = sky_json_get(api->body, "case"),
                       *list = sky_json_get(api->body, "cases");
    if (one != NULL && list != NULL) {
        sky_api_error(api, 400, "invalid", "/case", "give 'case', or several as 'cases'");
        return false;
    }
    cJSON_ArrayForEach (each, list) {
        if (!cJSON_IsString(each)) {
            sky_api_error(api, 400, "invalid", "/cases", "an id of a case is a string");
            return false;
        }
    }
    if (one != NULL) {
        ordering->cases = cJSON_CreateArray();
        cJSON_AddItemToArray(ordering->cases, cJSON_Duplicate(one, false));
    }
    ordering->order.cases = one != NULL ? ordering->cases : list;
    return true;
}

void sky_api_runs_create(struct sky_api *api)
{
    struct ordering ordering = {.order = {.suites = NULL}};
    struct sky_run_order *order = &ordering.order;
    struct sky_why why;
    int64_t id;
    char text[24];
    order->runner = sky_api_body_bool(api, "runner", false);
    order->setup = sky_api_body_bool(api, "setup", false);
    if (!take_suites(api, order) || !take_devices(api, order) || !take_cases(api, &ordering)) {
        ordering_done(&ordering);
        return;
    }
    sky_err err = sky_suites_begin(api->app->admin->suites, order, sky_api_check_body, &id, &why);
    order->suite_count = order->part_count = 0; /* the run's now */
    ordering_done(&ordering);
    if (err == SKY_ERR_LIMIT) {
        sky_api_error(api, 409, "limit", "", "%s", why.reason);
    } else if (err != SKY_OK) {
        sky_api_fail(api, err, &why);
    } else {
        snprintf(text, sizeof text, "%lld", (long long)id);
        sky_jw_object(&api->jw);
        sky_jw_put_str(&api->jw, "id", text);
        sky_jw_end_object(&api->jw);
        sky_api_send(api, 201);
    }
}

/* ---- reading ---- */

static bool has_run(struct sky_api *api, int64_t *ret_id, const cJSON **ret_document)
{
    *ret_document = NULL;
    if (sky_span_to_int(sky_span_str(api->vars.name), ret_id))
        *ret_document = sky_suites_document(api->app->admin->suites, *ret_id);
    if (*ret_document == NULL)
        sky_api_error(api, 404, "not_found", "", "there is no run '%s'", api->vars.name);
    return *ret_document != NULL;
}

void sky_api_runs_list(struct sky_api *api)
{
    struct sky_jw *jw = &api->jw;
    const cJSON *document, *member;
    int64_t id = 0;
    sky_jw_object(jw);
    sky_jw_key(jw, "runs");
    sky_jw_array(jw);
    while ((document = sky_suites_next(api->app->admin->suites, id, &id)) != NULL) {
        cJSON *head = cJSON_CreateObject();
        cJSON_ArrayForEach (member, document)
            if (strcmp(member->string, "cases") != 0)
                cJSON_AddItemReferenceToObject(head, member->string, (cJSON *)(uintptr_t)member);
        struct sky_buf text;
        sky_buf_init(&text, SKY_HTTP_ANSWER_MAX);
        (void)sky_json_print(&text, head);
        sky_jw_raw(jw, sky_buf_span(&text));
        sky_buf_done(&text);
        cJSON_Delete(head);
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}

void sky_api_run_delete(struct sky_api *api)
{
    const cJSON *document;
    int64_t id;
    if (!has_run(api, &id, &document))
        return;
    (void)sky_suites_drop(api->app->admin->suites, id);
    sky_api_send(api, 204);
}

void sky_api_run_stop(struct sky_api *api)
{
    const cJSON *document;
    int64_t id;
    if (!has_run(api, &id, &document))
        return;
    if (sky_suites_stop(api->app->admin->suites, id, "the run was stopped"))
        sky_api_send(api, 204);
    else
        sky_api_error(api, 409, "conflict", "", "run %s has ended", api->vars.name);
}

void sky_api_run_done(struct sky_api *api)
{
    struct sky_suites *suites = api->app->admin->suites;
    int64_t id, task = sky_api_body_int(api, "task", 0);
    const char *note = sky_api_body_text(api, "note");
    const cJSON *document;
    if (!has_run(api, &id, &document))
        return;
    bool heard =
        note != NULL && sky_suites_note(suites, id, note, sky_api_body_bool(api, "gone", false));
    if (task != 0)
        heard = sky_suites_task_done(suites, id, task, (int)sky_api_body_int(api, "exit", 0),
                                     sky_api_body_text(api, "reason"));
    if (heard)
        sky_api_send(api, 204);
    else if (note == NULL && task == 0)
        sky_api_error(api, 400, "invalid", "", "give 'task' or 'note'");
    else
        sky_api_error(api, 409, "conflict", "", "nobody waits for this any more");
}

/* ---- following ---- */

struct follower {
    struct sky_run_listener listener;
    struct sky_app *app;
    struct sky_http_call *call;
    int64_t id;
    struct sky_buf waiting; /* to be sent */
    struct sky_timer heartbeat;
    bool runner, over;
};

/* A client that leaves too much unread is told nothing more, rather than parts. */
static void add_message(struct follower *follower, const char *event, sky_span data)
{
    struct sky_buf *out = &follower->waiting;
    if (data.len + MESSAGE_FRAME > FOLLOW_WAITING_MAX - out->len) {
        sky_conn_close(follower->call->conn, "what is followed is not read");
        return;
    }
    sky_buf_addf(out, "event: %s\ndata: ", event);
    sky_buf_add(out, data);
    sky_buf_add_str(out, "\n\n");
}

static void follower_free(struct follower *follower)
{
    sky_clock_forgive(&follower->app->clock, &follower->heartbeat);
    sky_buf_done(&follower->waiting);
    free(follower);
}

static void on_gone(struct sky_http_call *call)
{
    struct follower *follower = call->state;
    struct sky_suites *suites = follower->app->admin->suites;
    if (!follower->over)
        sky_suites_unlisten(suites, follower->id, &follower->listener);
    if (follower->runner && !follower->over && !follower->app->stopping)
        (void)sky_suites_stop(suites, follower->id, "whoever ran it went away");
    follower_free(follower);
}

static void on_room(struct sky_http_call *call, struct sky_buf *out)
{
    struct follower *follower = call->state;
    struct sky_buf told = follower->waiting;
    SKY_ASSERT(out->bytes == NULL);
    sky_buf_init(&follower->waiting, told.max);
    told.max = out->max;
    *out = told; /* it may be long */
    (void)sky_http_prepare(call, 0);
    if (!follower->over)
        return;
    follower_free(follower);
    sky_http_stream_end(call);
}

static void on_heartbeat(struct sky_timer *timer, int64_t now_ms)
{
    struct follower *follower = SKY_CONTAINER_OF(timer, struct follower, heartbeat);
    (void)now_ms;
    sky_buf_add_str(&follower->waiting, ":\n\n");
    sky_clock_patience(&follower->app->clock, timer, FOLLOW_HEARTBEAT_MS, on_heartbeat);
    sky_http_stream_wake(follower->call);
}

static void tell(struct sky_run_listener *listener, const char *event, sky_span data)
{
    struct follower *follower = SKY_CONTAINER_OF(listener, struct follower, listener);
    add_message(follower, event, data);
    (void)sky_http_prepare(follower->call, follower->waiting.room);
    follower->over = strcmp(event, "end") == 0;
    if (follower->over)
        sky_suites_unlisten(follower->app->admin->suites, follower->id, listener);
    sky_http_stream_wake(follower->call);
}

/* The first to follow a run that wants a runner is its runner, and the run stops when it goes. */
static void begin_following(struct sky_api *api, int64_t id, const cJSON *document)
{
    struct follower *follower = sky_mem_new(sizeof *follower);
    *follower =
        (struct follower){.listener = {.tell = tell}, .app = api->app, .call = api->call, .id = id};
    struct sky_buf text;
    sky_buf_init(&follower->waiting, FOLLOW_WAITING_MAX);
    sky_buf_init(&text, SIZE_MAX);
    (void)sky_json_print(&text, document);
    add_message(follower, "run", sky_buf_span(&text));
    if (strcmp(sky_json_get_str(document, "state"), "running") == 0) {
        follower->runner = sky_suites_listen(api->app->admin->suites, id, &follower->listener);
    } else {
        add_message(follower, "end", sky_buf_span(&text));
        follower->over = true;
    }
    sky_buf_done(&text);
    api->call->state = follower;
    api->call->on_gone = on_gone;
    api->call->on_room = on_room;
    sky_clock_patience(&api->app->clock, &follower->heartbeat, FOLLOW_HEARTBEAT_MS, on_heartbeat);
    sky_http_stream(api->call, "text/event-stream");
}

/* A run as it is read: as it stands when its cases are told, each whole; one that goes meanwhile
 * ends the list. */
struct run_list {
    struct sky_list list;
    int64_t id;
    int next;
};

static bool tell_case(struct sky_list *list)
{
    struct run_list *told = SKY_CONTAINER_OF(list, struct run_list, list);
    const cJSON *run = sky_suites_document(list->api.app->admin->suites, told->id);
    if (run == NULL) {
        list->err = SKY_ERR_NOT_FOUND;
        return true;
    }
    const cJSON *one = cJSON_GetArrayItem(sky_json_get(run, "cases"), told->next);
    for (; one != NULL; one = one->next) {
        sky_result_json.one_case(one, told->next++ == 0, &list->api.out);
        if (sky_list_time_is_up(list))
            return false;
    }
    sky_result_json.end(run, &list->api.out);
    return true;
}

static void drop_run(struct sky_list *list)
{
    free(SKY_CONTAINER_OF(list, struct run_list, list));
}

static void read_by_cases(struct sky_api *api, int64_t id, const cJSON *document)
{
    struct run_list *told = sky_mem_new(sizeof *told);
    told->list.tell = tell_case;
    told->list.drop = drop_run;
    told->id = id;
    sky_result_json.begin(document, &api->out);
    sky_list_begin(api, &told->list);
}

void sky_api_run_read(struct sky_api *api)
{
    const cJSON *document;
    sky_span accept = SKY_SPAN_NONE;
    int64_t id;
    if (!has_run(api, &id, &document))
        return;
    (void)sky_http_head_header(api->call->head.headers, "Accept", &accept);
    if (sky_span_contains(accept, SKY_SPAN("text/event-stream")) &&
        sky_span_eq(api->call->head.method, SKY_SPAN("GET"))) {
        begin_following(api, id, document);
        return;
    }
    read_by_cases(api, id, document);
}
