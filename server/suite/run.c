#include "server/suite/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/journal/json.h"
#include "server/registry/products.h"
#include "server/suite/private.h"
#include "server/suite/result.h"

/* ---- the document ---- */

static void begin_document(struct sky_run *run)
{
    char text[SKY_TIME_TEXT_MAX], id[24];
    cJSON *document = cJSON_CreateObject();
    snprintf(id, sizeof id, "%lld", (long long)run->id);
    sky_time_text(run->began_ms, text);
    cJSON_AddNumberToObject(document, "format", 1);
    cJSON_AddStringToObject(document, "id", id);
    cJSON_AddBoolToObject(document, "runner", run->runner);
    cJSON_AddStringToObject(document, "state", "running");
    cJSON_AddStringToObject(document, "started", text);
    cJSON_AddNumberToObject(document, "startedUnixMs", (double)run->began_ms);
    cJSON *devices = cJSON_AddArrayToObject(document, "devices");
    for (size_t i = 0; i < run->device_count; i++)
        cJSON_AddItemToArray(devices, cJSON_CreateString(run->devices[i].name));
    cJSON_AddArrayToObject(document, "suites");
    run->cases = cJSON_AddArrayToObject(document, "cases");
    run->document = document;
}

static const char *state_of(const cJSON *shown)
{
    return sky_json_get_str(shown, "state");
}

/* Counts, verdict and time as they are now. */
static void update(struct sky_run *run)
{
    sky_result_put_counts(run->document, run->counts);
    if (!run->over)
        sky_json_put(run->document, "ms",
                     cJSON_CreateNumber(
                         (double)(run->suites->host.registry->clock->real_ms - run->began_ms)));
}

void sky_run__tell(struct sky_run *run, const char *event, const cJSON *data)
{
    struct sky_run_listener *listener, *next;
    struct sky_buf text;
    if (run->listeners == NULL)
        return;
    sky_buf_init(&text, SIZE_MAX);
    (void)sky_json_print(&text, data); /* once, for all of them */
    DL_FOREACH_SAFE (run->listeners, listener, next)
        listener->tell(listener, event, sky_buf_span(&text));
    sky_buf_done(&text);
}

void sky_run__tell_case(struct sky_run *run, size_t index)
{
    cJSON *told = cJSON_CreateObject();
    const cJSON *each;
    cJSON_AddNumberToObject(told, "index", (double)index);
    cJSON_ArrayForEach (each, run->items[index].shown)
        cJSON_AddItemReferenceToObject(told, each->string, (cJSON *)(uintptr_t)each);
    sky_run__tell(run, "case", told);
    cJSON_Delete(told);
}

void sky_run__put_waits(struct sky_run *run, size_t index, const char *what)
{
    cJSON *shown = run->items[index].shown;
    const char *known = sky_json_get_str(shown, "waits");
    if (what == NULL) {
        cJSON_DeleteItemFromObjectCaseSensitive(shown, "waits");
    } else if (known == NULL || strcmp(known, what) != 0) {
        sky_json_put(shown, "waits", cJSON_CreateString(what));
        sky_run__tell_case(run, index);
    }
}

/* ---- going on ---- */

static void on_soon(struct sky_timer *timer, int64_t now_ms);

static void wake(struct sky_run *run)
{
    sky_clock_patience(run->suites->host.registry->clock, &run->soon, 0, on_soon);
}

/* Its runner, if it wants one, is there. */
static bool is_going_on(const struct sky_run *run)
{
    return !run->over && (run->followed || !run->runner);
}

/* A case that needs to be alone has ended, or the last of those that kept one waiting. */
static void wake_all(struct sky_suites *suites)
{
    struct sky_run *run;
    DL_FOREACH (suites->list, run)
        if (is_going_on(run))
            wake(run);
}

static bool is_waiting(const struct sky_run_item *item)
{
    return strcmp(state_of(item->shown), "waiting") == 0;
}

/* Has the device a case at work, of whichever run? */
static bool is_taken(const struct sky_suites *suites, int64_t device_id)
{
    const struct sky_case *one;
    DL_FOREACH (suites->cases, one)
        if (one->device->device.id == device_id)
            return true;
    return false;
}

/* The next case of the device, if it has none at work: what one changes and puts back, another
 * would take for how the device was. */
static struct sky_run_item *next_of(const struct sky_run *run, size_t device)
{
    struct sky_run_device *of = &run->devices[device];
    while (of->next < run->item_count &&
           (run->items[of->next].device != device || !is_waiting(&run->items[of->next])))
        of->next++;
    return of->active == NULL && of->next < run->item_count && !is_taken(run->suites, of->device.id)
               ? &run->items[of->next]
               : NULL;
}

/* Is it, of whichever run, the turn of a case that wants to be alone? */
static bool wants_alone(const struct sky_suites *suites)
{
    const struct sky_run *run;
    DL_FOREACH (suites->list, run) {
        for (size_t i = 0; is_going_on(run) && i < run->device_count; i++) {
            const struct sky_run_item *item = next_of(run, i);
            if (item != NULL && item->what->alone)
                return true;
        }
    }
    return false;
}

/* The next case of each device that has none at work. One that wants to be alone waits for the
 * others, and no other begins until it has been. */
static void begin_cases(struct sky_run *run)
{
    struct sky_suites *suites = run->suites;
    bool alone = wants_alone(suites);
    for (size_t device = 0; device < run->device_count && !suites->alone; device++) {
        struct sky_run_item *item = next_of(run, device);
        if (item == NULL || (item->what->alone ? suites->cases != NULL : alone))
            continue;
        suites->alone = item->what->alone;
        sky_case__begin(run, item, (size_t)(item - run->items));
    }
}

static bool is_at_work(const struct sky_run *run)
{
    for (size_t i = 0; i < run->device_count; i++)
        if (run->devices[i].active != NULL)
            return true;
    return false;
}

static bool has_waiting(const struct sky_run *run)
{
    for (size_t i = 0; i < run->item_count; i++)
        if (is_waiting(&run->items[i]))
            return true;
    return false;
}

/* Others are in its way: the first case that waits says so. */
static void tell_queued(struct sky_run *run)
{
    size_t i = 0;
    while (!is_waiting(&run->items[i]))
        i++;
    sky_run__put_waits(run, i,
                       is_taken(run->suites, run->devices[run->items[i].device].device.id)
                           ? "for another run, which has the device"
                       : run->items[i].what->alone
                           ? "for other runs: nothing may go on beside this case"
                           : "for another run, beside whose case nothing may go on");
}

/* What it takes to go on; once it is over, its document says all. */
static void release_work(struct sky_run *run)
{
    for (size_t i = 0; i < run->parsed_count; i++)
        sky_suite_done(&run->parsed[i]);
    free(run->parsed);
    free(run->devices);
    free(run->items);
    run->parsed = NULL;
    run->devices = NULL;
    run->items = NULL;
    run->parsed_count = run->device_count = run->item_count = 0;
}

static void finish(struct sky_run *run, const char *state)
{
    update(run);
    run->over = true;
    release_work(run);
    sky_json_put(run->document, "state", cJSON_CreateString(state));
    sky_run__tell(run, "end", run->document);
}

static void on_soon(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_run *run = SKY_CONTAINER_OF(timer, struct sky_run, soon);
    (void)now_ms;
    if (run->over)
        return;
    begin_cases(run);
    if (!is_at_work(run) && !has_waiting(run))
        finish(run, "ended");
    else if (!is_at_work(run))
        tell_queued(run);
}

void sky_run__case_over(struct sky_case *one)
{
    struct sky_run *run = one->run;
    DL_DELETE(run->suites->cases, one);
    if (one->item->what->alone)
        run->suites->alone = false;
    one->device->active = NULL;
    if (strcmp(state_of(one->item->shown), "left") != 0)
        run->counts[one->grade]++;
    update(run);
    sky_run__tell_case(run, one->index);
    free(one);
    wake_all(run->suites);
}

/* ---- choosing ---- */

static bool is_chosen(const struct sky_run_order *order, const struct sky_suite *suite,
                      const char *id)
{
    const cJSON *each;
    if (order->cases == NULL)
        return true;
    cJSON_ArrayForEach (each, order->cases)
        if (sky_suite_case_is(suite->name, id, each->valuestring))
            return true;
    return false;
}

bool sky_run__names(const cJSON *names, const char *name)
{
    const cJSON *each;
    if (names == NULL)
        return true;
    cJSON_ArrayForEach (each, names)
        if (strcmp(each->valuestring, name) == 0)
            return true;
    return false;
}

/* What a case wants of the device's product, it has. */
static bool holds(struct sky_registry *registry, int64_t product_id, const cJSON *wanted)
{
    const struct sky_product_info *info = sky_product_info(registry, product_id);
    const cJSON *each;
    cJSON_ArrayForEach (each, wanted) {
        bool config = strcmp(each->valuestring, "config") == 0;
        if (info == NULL || (config ? info->config.len == 0 : info->model == NULL))
            return false;
    }
    return true;
}

static bool fits(struct sky_registry *registry, const struct sky_suite_case *one,
                 const struct sky_product *product)
{
    return sky_run__names(one->fits.clouds, product->cloud) &&
           sky_run__names(one->fits.nodes, sky_node_name(product->node)) &&
           holds(registry, product->id, one->fits.holds);
}

static cJSON *show_case(const struct sky_suite *suite, const struct sky_suite_case *one,
                        const char *device)
{
    cJSON *shown = cJSON_CreateObject();
    cJSON_AddStringToObject(shown, "suite", suite->name);
    cJSON_AddStringToObject(shown, "case", one->id);
    cJSON_AddStringToObject(shown, "title", one->title);
    cJSON_AddStringToObject(shown, "source", one->source);
    cJSON_AddStringToObject(shown, "device", device);
    cJSON_AddStringToObject(shown, "state", "waiting");
    return shown;
}

static void add_case(struct sky_run *run, const struct sky_suite *suite,
                     const struct sky_suite_case *one, size_t device, bool may_miss)
{
    struct sky_run_item *item = &run->items[run->item_count++];
    *item = (struct sky_run_item){.suite = suite,
                                  .what = one,
                                  .may_miss = may_miss,
                                  .device = device,
                                  .shown = show_case(suite, one, run->devices[device].name)};
    cJSON_AddItemToArray(run->cases, item->shown);
    if (fits(run->suites->host.registry, one, &run->devices[device].product))
        return;
    sky_json_put(item->shown, "reason",
                 cJSON_CreateString("the case is for devices of another kind"));
    sky_json_put(item->shown, "state", cJSON_CreateString(may_miss ? "left" : "ended"));
    if (may_miss)
        return;
    sky_json_put(item->shown, "verdict", cJSON_CreateString(sky_grade_name(SKY_GRADE_IDLE)));
    run->counts[SKY_GRADE_IDLE]++;
}

static sky_err add_suite(struct sky_run *run, const struct sky_run_order *order,
                         const struct sky_suite *suite, bool included, struct sky_why *why)
{
    cJSON *shown = cJSON_CreateObject();
    cJSON_AddStringToObject(shown, "suite", suite->name);
    cJSON_AddStringToObject(shown, "title", suite->title);
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(run->document, "suites"), shown);
    for (size_t i = 0; i < suite->count; i++) {
        if (!is_chosen(order, suite, suite->cases[i].id))
            continue;
        if (run->item_count + run->device_count > SKY_RUN_CASES_MAX)
            return sky_why_set(why, SKY_ERR_INVALID, "",
                               "a run has %d cases at the most, of all its devices: give it fewer",
                               SKY_RUN_CASES_MAX);
        run->texts +=
            run->device_count * (strlen(suite->cases[i].title) + strlen(suite->cases[i].source));
        if (run->texts > SKY_RUN_TEXTS_MAX)
            return sky_why_set(why, SKY_ERR_INVALID, "",
                               "the titles and sources of a run have %d bytes at the most, of all "
                               "its devices: give it fewer",
                               SKY_RUN_TEXTS_MAX);
        for (size_t device = 0; device < run->device_count; device++)
            add_case(run, suite, &suite->cases[i], device,
                     included || (suite->cases[i].is_special && order->cases == NULL));
    }
    return SKY_OK;
}

/* The suite of that name: one that was given with it, or a built-in one. */
static sky_err find_included(struct sky_run *run, const char *name, sky_suite_check_fn *check,
                             const struct sky_suite **ret_suite, struct sky_why *why)
{
    const struct sky_catalogue *rules = &run->suites->host.registry->catalogue;
    const struct sky_embedded *builtin = sky_builtin_suite_find(name);
    *ret_suite = NULL;
    for (size_t i = 0; i < run->parsed_count; i++)
        if (strcmp(run->parsed[i].name, name) == 0 && run->parsed[i].includes == NULL)
            *ret_suite = &run->parsed[i];
    if (*ret_suite != NULL)
        return SKY_OK;
    if (builtin == NULL)
        return sky_why_set(why, SKY_ERR_INVALID, "/suites", "there is no suite '%s' to include",
                           name);
    struct sky_suite *suite = &run->parsed[run->parsed_count];
    const struct sky_suite_reader reader = {.rules = rules, .check = check};
    if (sky_suite_init(suite, sky_builtin_suite_tree(builtin), &reader, why) != SKY_OK)
        return SKY_ERR_INVALID;
    run->parsed_count++;
    if (suite->includes != NULL)
        return sky_why_set(why, SKY_ERR_INVALID, "/suites",
                           "'%s' is made of suites itself: name those", name);
    *ret_suite = suite;
    return SKY_OK;
}

static sky_err choose(struct sky_run *run, const struct sky_run_order *order,
                      sky_suite_check_fn *check, struct sky_why *why)
{
    for (size_t i = 0; i < order->suite_count; i++) {
        const struct sky_suite *suite = &run->parsed[i];
        const cJSON *name;
        sky_err err = suite->includes == NULL ? add_suite(run, order, suite, false, why) : SKY_OK;
        cJSON_ArrayForEach (name, suite->includes) {
            const struct sky_suite *included;
            if (err == SKY_OK)
                err = find_included(run, name->valuestring, check, &included, why);
            if (err == SKY_OK)
                err = add_suite(run, order, included, true, why);
        }
        if (err != SKY_OK)
            return err;
    }
    const cJSON *id;
    int place = 0;
    cJSON_ArrayForEach (id, order->cases) {
        char pointer[32];
        bool found = false;
        for (size_t i = 0; i < run->item_count && !found; i++)
            found = sky_suite_case_is(run->items[i].suite->name, run->items[i].what->id,
                                      id->valuestring);
        snprintf(pointer, sizeof pointer, "/cases/%d", place++);
        if (!found)
            return sky_why_set(why, SKY_ERR_INVALID, pointer, "no suite has a case '%.64s'",
                               id->valuestring);
    }
    for (size_t i = 0; i < run->item_count; i++)
        if (run->items[i].what->runs && !order->runner)
            return sky_why_set(why, SKY_ERR_INVALID, "",
                               "case '%s' has a 'run' step: commands are run by `skymock suite "
                               "run` on its own machine, not by the server",
                               run->items[i].what->id);
    if (order->setup && !order->runner)
        return sky_why_set(why, SKY_ERR_INVALID, "/setup",
                           "only a runner has something to set up with");
    return SKY_OK;
}

/* ---- beginning and ending ---- */

static void free_run(struct sky_run *run)
{
    sky_clock_forgive(run->suites->host.registry->clock, &run->soon);
    release_work(run);
    cJSON_Delete(run->document);
    free(run);
}

static size_t at_work(const struct sky_suites *suites)
{
    const struct sky_run *run;
    size_t count = 0;
    DL_FOREACH (suites->list, run)
        count += !run->over;
    return count;
}

static sky_err make_room(struct sky_suites *suites, struct sky_why *why)
{
    struct sky_run *run;
    if (at_work(suites) >= SKY_RUNS_ACTIVE_MAX)
        return sky_why_set(why, SKY_ERR_LIMIT, "", "%d runs are at work already",
                           SKY_RUNS_ACTIVE_MAX);
    if (suites->count < SKY_RUNS_MAX)
        return SKY_OK;
    DL_FOREACH (suites->list, run) {
        if (run->over) {
            DL_DELETE(suites->list, run);
            suites->count--;
            free_run(run);
            break;
        }
    }
    return SKY_OK;
}

static void take_devices(struct sky_run *run, const struct sky_run_order *order)
{
    run->devices = sky_mem_new(order->device_count * sizeof *run->devices);
    run->device_count = order->device_count;
    for (size_t i = 0; i < order->device_count; i++) {
        struct sky_run_device *device = &run->devices[i];
        device->product = order->devices[i].product;
        device->device = order->devices[i].device;
        snprintf(device->name, sizeof device->name, "%s/%s/%s", device->product.cloud,
                 device->product.key, device->device.key);
    }
}

static void on_no_runner(struct sky_timer *timer, int64_t now_ms)
{
    struct sky_run *run = SKY_CONTAINER_OF(timer, struct sky_run, soon);
    (void)now_ms;
    (void)sky_suites_stop(run->suites, run->id, "whoever wanted to run it never followed it");
}

sky_err sky_suites_begin(struct sky_suites *suites, const struct sky_run_order *order,
                         sky_suite_check_fn *check, int64_t *ret_id, struct sky_why *why)
{
    struct sky_run *run = sky_mem_new(sizeof *run);
    size_t room = order->suite_count + order->part_count;
    for (size_t i = 0; i < order->suite_count; i++)
        room += (size_t)cJSON_GetArraySize(order->suites[i].includes);
    run->suites = suites;
    run->parsed = sky_mem_new(room * sizeof *run->parsed);
    run->parsed_count = order->suite_count + order->part_count;
    memcpy(run->parsed, order->suites, run->parsed_count * sizeof *run->parsed);
    run->began_ms = suites->host.registry->clock->real_ms;
    run->runner = order->runner;
    run->setup = order->setup;
    run->items = sky_mem_new((SKY_RUN_CASES_MAX) * sizeof *run->items);
    take_devices(run, order);
    run->id = suites->last_id + 1;
    begin_document(run);
    sky_err err = make_room(suites, why);
    if (err == SKY_OK)
        err = choose(run, order, check, why);
    if (err != SKY_OK) {
        free_run(run);
        return err;
    }
    *ret_id = ++suites->last_id;
    suites->count++;
    DL_APPEND(suites->list, run);
    update(run);
    if (run->runner)
        sky_clock_patience(suites->host.registry->clock, &run->soon, SKY_RUN_RUNNER_MS,
                           on_no_runner);
    else
        wake(run);
    return SKY_OK;
}

static struct sky_run *find(struct sky_suites *suites, int64_t id)
{
    struct sky_run *run;
    DL_FOREACH (suites->list, run)
        if (run->id == id)
            return run;
    return NULL;
}

bool sky_suites_stop(struct sky_suites *suites, int64_t id, const char *words)
{
    struct sky_run *run = find(suites, id);
    if (run == NULL || run->over)
        return false;
    sky_json_put(run->document, "interrupted", cJSON_CreateString(words));
    for (size_t i = 0; i < run->item_count; i++) {
        struct sky_run_item *item = &run->items[i];
        if (!is_waiting(item))
            continue;
        sky_run__put_waits(run, i, NULL);
        sky_json_put(item->shown, "state", cJSON_CreateString("stopped"));
        sky_json_put(item->shown, "verdict", cJSON_CreateString(sky_grade_name(SKY_GRADE_IDLE)));
        char reason[600];
        snprintf(reason, sizeof reason, "not begun: %.500s", words);
        sky_json_put(item->shown, "reason", cJSON_CreateString(reason));
        run->counts[SKY_GRADE_IDLE]++;
    }
    for (size_t i = 0; i < run->device_count; i++)
        if (run->devices[i].active != NULL)
            sky_case__stop(run->devices[i].active, words);
    finish(run, "stopped");
    return true;
}

bool sky_suites_drop(struct sky_suites *suites, int64_t id)
{
    struct sky_run *run = find(suites, id);
    if (run == NULL)
        return false;
    (void)sky_suites_stop(suites, id, "the run was deleted");
    SKY_ASSERT(run->listeners == NULL);
    DL_DELETE(suites->list, run);
    suites->count--;
    free_run(run);
    return true;
}

const cJSON *sky_suites_document(struct sky_suites *suites, int64_t id)
{
    struct sky_run *run = find(suites, id);
    if (run == NULL)
        return NULL;
    update(run);
    return run->document;
}

const cJSON *sky_suites_next(struct sky_suites *suites, int64_t after, int64_t *ret_id)
{
    struct sky_run *run;
    DL_FOREACH (suites->list, run) {
        if (run->id > after) {
            *ret_id = run->id;
            update(run);
            return run->document;
        }
    }
    return NULL;
}

bool sky_suites_task_done(struct sky_suites *suites, int64_t id, int64_t task, int status,
                          const char *reason)
{
    struct sky_run *run = find(suites, id);
    for (size_t i = 0; run != NULL && i < run->device_count; i++) {
        struct sky_case *one = run->devices[i].active;
        if (one != NULL && one->task == task &&
            (one->state == SKY_CASE_SETUP || one->state == SKY_CASE_TASK)) {
            sky_case__task_done(one, status, reason);
            return true;
        }
    }
    return false;
}

bool sky_suites_note(struct sky_suites *suites, int64_t id, const char *note, bool gone)
{
    struct sky_run *run = find(suites, id);
    if (run == NULL || run->over)
        return false;
    for (size_t i = 0; i < run->device_count; i++) {
        struct sky_run_device *device = &run->devices[i];
        device->ended = device->ended || (gone && !run->setup);
        device->gone = device->gone || device->ended;
        if (device->active == NULL)
            continue;
        cJSON *shown = device->active->item->shown;
        cJSON *notes = cJSON_GetObjectItemCaseSensitive(shown, "notes");
        if (notes == NULL)
            notes = cJSON_AddArrayToObject(shown, "notes");
        if (cJSON_GetArraySize(notes) < SKY_RUN_NOTES_MAX)
            cJSON_AddItemToArray(notes, cJSON_CreateString(note));
        if (device->ended)
            sky_case__gone(device->active);
    }
    return true;
}

bool sky_suites_listen(struct sky_suites *suites, int64_t id, struct sky_run_listener *listener)
{
    struct sky_run *run = find(suites, id);
    SKY_ASSERT(run != NULL);
    DL_APPEND(run->listeners, listener);
    bool first = run->runner && !run->followed && !run->over;
    run->followed = true;
    if (first)
        wake(run);
    return first;
}

void sky_suites_unlisten(struct sky_suites *suites, int64_t id, struct sky_run_listener *listener)
{
    struct sky_run *run = find(suites, id);
    if (run != NULL)
        DL_DELETE(run->listeners, listener);
}

struct sky_suites *sky_suites_new(const struct sky_suite_host *host)
{
    struct sky_suites *suites = sky_mem_new(sizeof *suites);
    suites->host = *host;
    return suites;
}

void sky_suites_free(struct sky_suites *suites)
{
    if (suites == NULL)
        return;
    while (suites->list != NULL)
        (void)sky_suites_drop(suites, suites->list->id);
    free(suites);
}
