/* `skymock suite run`: has a server put devices to the test, beside whom it runs the commands that
 * play them, power them and set them up, and tells how they do. The server runs the cases
 * (server/suite); here is what it has no hands for. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/base/similar.h"
#include "server/cli/at_hand.h"
#include "server/cli/cli.h"
#include "server/cli/events.h"
#include "server/cli/http_client.h"
#include "server/cli/process.h"
#include "server/cli/suite_baseline.h"
#include "server/cli/suite_report.h"
#include "server/cli/suites.h"
#include "server/suite/suite.h"

enum {
    STOP_MS = 5000, /* for the server to end a run that is stopped */
    PATH_SIZE = 128,
    WORDS_MAX = 200,
    ANSWER_DEPTH_MAX = SKY_JSON_DEPTH_MAX,
};

/* A command that a case waits for. */
struct task {
    struct sky_process process;
    int64_t number;
    int64_t timeout_ms;
    bool timed_out;
    struct task *next;
};

struct runner {
    const struct sky_config *config;
    struct sky_at_hand server;
    char path[PATH_SIZE]; /* of the run */
    struct sky_signals signals;
    struct sky_http_stream stream;
    struct sky_suite_report report;
    struct sky_suite_baseline baseline;
    struct sky_process command; /* that plays the devices; its pid is 0: there is none */
    bool told;                  /* that it has ended */
    struct task *tasks;         /* owned */
    int64_t due_ms;          /* when all of it takes too long, or, stopped, is given up; 0: never */
    char stopped[WORDS_MAX]; /* why it was; empty: it was not */
    bool timed_out, over;
};

/* ---- what is to be run ---- */

struct wanted_case {
    const char *word;
    bool found;
    char near[SKY_SUITE_NAME_MAX + 1]; /* an id that may be meant; "": none is near */
    size_t distance;                   /* of that */
};

static bool look_for_case(void *ctx, const cJSON *suite, const cJSON *one_case)
{
    struct wanted_case *wanted = ctx;
    const char *id = sky_json_get_str(one_case, "id"), *name = sky_json_get_str(suite, "suite");
    size_t distance;

    if (id == NULL || name == NULL)
        return true;
    wanted->found = sky_suite_case_is(name, id, wanted->word);
    if (sky_similar_distance(sky_span_str(id), sky_span_str(wanted->word), &distance) &&
        (*wanted->near == '\0' || distance < wanted->distance)) {
        snprintf(wanted->near, sizeof wanted->near, "%s", id);
        wanted->distance = distance;
    }
    return !wanted->found;
}

static sky_err check_case(const cJSON *suites, const char *word, struct sky_why *why)
{
    struct wanted_case wanted = {.word = word};
    const cJSON *suite;

    cJSON_ArrayForEach (suite, suites)
        if (!wanted.found)
            (void)sky_cli_suite_each_case(suite, look_for_case, &wanted);
    if (wanted.found)
        return SKY_OK;
    bool near = *wanted.near != '\0';
    return sky_why_set(why, SKY_ERR_NOT_FOUND, "", "--case %.100s: no such case here%s%s%s", word,
                       near ? "; did you mean " : "", wanted.near, near ? "?" : "");
}

static sky_err check_device(const char *name, struct sky_why *why)
{
    struct sky_cli_device device = {.app = NULL};
    struct sky_why inside;

    sky_err err = sky_cli_device_parse(name, &device, &inside);
    return err == SKY_OK ? SKY_OK : sky_why_set(why, err, "", "--device %.300s", inside.reason);
}

static void add_texts(cJSON *object, const char *key, const struct sky_strings *texts)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);

    for (size_t i = 0; i < texts->count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(texts->list[i]));
}

/* The body of the request: built-in suites by their names, files as what they say. Everything that
 * can be known without a server is checked. The caller frees the tree. */
static sky_err make_order(const struct sky_config *config, cJSON **ret_order, struct sky_why *why)
{
    cJSON *order = cJSON_CreateObject(), *trees = cJSON_CreateArray();
    cJSON *suites = cJSON_AddArrayToObject(order, "suites");
    sky_err err = SKY_OK;

    for (size_t i = 0; err == SKY_OK && i < config->args.count; i++) {
        const char *word = config->args.list[i];
        cJSON *tree;
        err = sky_cli_suite_load(word, NULL, &tree, why);
        if (err != SKY_OK)
            break;
        cJSON_AddItemToArray(trees, tree);
        cJSON_AddItemToArray(suites, sky_builtin_suite_find(word) != NULL
                                         ? cJSON_CreateString(word)
                                         : cJSON_Duplicate(tree, true));
    }
    for (size_t i = 0; err == SKY_OK && i < config->args.count; i++)
        err = sky_cli_suite_check_includes(config->args.list[i], cJSON_GetArrayItem(trees, (int)i),
                                           trees, NULL, why);
    for (size_t i = 0; err == SKY_OK && i < config->cases.count; i++)
        err = check_case(trees, config->cases.list[i], why);
    for (size_t i = 0; err == SKY_OK && i < config->devices.count; i++)
        err = check_device(config->devices.list[i], why);
    cJSON_Delete(trees);
    add_texts(order, "devices", &config->devices);
    if (config->cases.count > 0)
        add_texts(order, "cases", &config->cases);
    cJSON_AddTrueToObject(order, "runner");
    cJSON_AddBoolToObject(order, "setup", config->setup != NULL);
    if (err == SKY_OK)
        *ret_order = order;
    else
        cJSON_Delete(order);
    return err;
}

/* ---- talking to the server ---- */

/* POST; `ret_tree`, which may be NULL, has the answer, which the caller frees; NULL: it is no JSON.
 */
static sky_err post(const struct runner *runner, const char *path, const cJSON *body,
                    cJSON **ret_tree, struct sky_why *why)
{
    struct sky_buf text, answer;
    struct sky_why inside;
    int status = 0;

    sky_buf_init(&text, SIZE_MAX);
    sky_buf_init(&answer, SKY_HTTP_CLIENT_ANSWER_MAX);
    if (body != NULL)
        sky_json_print(&text, body);
    sky_err err = sky_http_post(runner->server.url, path, runner->config->admin_token,
                                sky_buf_span(&text), &status, &answer, why);
    if (err == SKY_OK && status >= 300)
        err = sky_http_refused(runner->server.url, status, sky_buf_span(&answer), why);
    if (err == SKY_OK && ret_tree != NULL &&
        sky_json_parse(sky_buf_span(&answer), ANSWER_DEPTH_MAX, ret_tree, &inside) != SKY_OK)
        *ret_tree = NULL;
    sky_buf_done(&answer);
    sky_buf_done(&text);
    return err;
}

/* Begins the run, and to follow it. */
static sky_err begin_run(struct runner *runner, const cJSON *order, struct sky_why *why)
{
    cJSON *answer = NULL;

    sky_err err = post(runner, "/api/v1/suites/runs", order, &answer, why);
    if (err != SKY_OK)
        return err;
    const char *id = sky_json_get_str(answer, "id");
    if (id == NULL)
        err = sky_why_set(why, SKY_ERR_INVALID, "", "%.200s is no server that runs suites",
                          runner->server.url);
    else
        snprintf(runner->path, sizeof runner->path, "/api/v1/suites/runs/%.64s", id);
    cJSON_Delete(answer);
    return err == SKY_OK ? sky_http_stream_open(runner->server.url, runner->path,
                                                runner->config->admin_token, &runner->stream, why)
                         : err;
}

/* A word of ours about the run. That the server is gone shows in the stream. */
static void tell_server(const struct runner *runner, const char *verb, cJSON *body)
{
    char path[PATH_SIZE + 8];
    struct sky_why why;

    snprintf(path, sizeof path, "%s/%s", runner->path, verb);
    (void)!post(runner, path, body, NULL, &why);
    cJSON_Delete(body);
}

/* ---- commands ---- */

static bool start_command(struct runner *runner)
{
    const struct sky_strings *command = &runner->config->command;

    if (command->count == 0 ||
        sky_process_start(&runner->command, &runner->signals, command->list, false, 0))
        return true;
    sky_cli_fail("%s: %s", command->list[0], strerror(errno));
    return false;
}

/* The command is the device: nobody waits for it any more. */
static void look_at_command(struct runner *runner)
{
    char told[SKY_PROCESS_TOLD_MAX], note[SKY_PROCESS_TOLD_MAX + 32];

    if (runner->command.pid == 0 || runner->told || sky_process_runs(&runner->command))
        return;
    sky_process_tell(runner->command.status, told);
    snprintf(note, sizeof note, "the command ended: %s", told);
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "note", note);
    /* One that ended well may have started the device, and was not it. */
    cJSON_AddBoolToObject(body, "gone", sky_process_exit(runner->command.status) != 0);
    tell_server(runner, "done", body);
    sky_suite_report_say(&runner->report, note);
    runner->told = true;
}

static void tell_done(struct runner *runner, int64_t number, int status, const char *reason)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddNumberToObject(body, "task", (double)number);
    cJSON_AddNumberToObject(body, "exit", status);
    if (reason != NULL)
        cJSON_AddStringToObject(body, "reason", reason);
    tell_server(runner, "done", body);
}

static void begin_task(struct runner *runner, const cJSON *told)
{
    static char shell[] = "sh", option[] = "-c";
    const cJSON *number = sky_json_get(told, "task"), *timeout = sky_json_get(told, "timeoutMs");
    const cJSON *one_case = sky_suite_report_case(&runner->report, sky_json_get(told, "index"));
    const char *what = sky_json_get_str(told, "what"), *given = sky_json_get_str(told, "command");

    if (!cJSON_IsNumber(number))
        return;
    const char *command = given != NULL ? given : runner->config->setup;
    if (what == NULL || command == NULL || *runner->stopped != '\0') {
        tell_done(runner, (int64_t)number->valuedouble, SKY_EXIT_TROUBLE, "it was not begun");
        return;
    }
    struct task *task = sky_mem_new(sizeof *task);
    task->number = (int64_t)number->valuedouble;
    task->timeout_ms = cJSON_IsNumber(timeout) ? (int64_t)timeout->valuedouble : 0;
    setenv("SKYMOCK_SUITE", sky_json_text_of(one_case, "suite"), 1);
    setenv("SKYMOCK_CASE", sky_json_text_of(one_case, "case"), 1);
    setenv("SKYMOCK_DEVICE", sky_json_text_of(one_case, "device"), 1);
    char *text = sky_mem_dup(command, strlen(command));
    char *const argv[] = {shell, option, text, NULL};
    bool started =
        sky_process_start(&task->process, &runner->signals, argv, false, task->timeout_ms);
    free(text);
    if (!started) {
        tell_done(runner, task->number, SKY_PROCESS_NOT_FOUND, strerror(errno));
        free(task);
        return;
    }
    task->next = runner->tasks;
    runner->tasks = task;
}

/* True when it has ended. */
static bool look_at_task(struct runner *runner, struct task *task)
{
    struct sky_process *process = &task->process;
    char reason[SKY_PROCESS_TOLD_MAX];

    if (sky_process_runs(process)) {
        if (sky_process_is_due(process)) {
            task->timed_out = task->timed_out || !process->asked;
            sky_process_end(process, SIGTERM);
        }
        return false;
    }
    sky_process_leave(process);
    sky_process_tell(process->status, reason);
    if (task->timed_out)
        snprintf(reason, sizeof reason, "it took longer than %lld ms", (long long)task->timeout_ms);
    tell_done(runner, task->number,
              task->timed_out ? SKY_PROCESS_TIMED_OUT : sky_process_exit(process->status),
              task->timed_out || sky_process_exit(process->status) > SKY_PROCESS_KILLED ? reason
                                                                                        : NULL);
    return true;
}

static void look_at_tasks(struct runner *runner)
{
    struct task **at = &runner->tasks;

    while (*at != NULL) {
        struct task *task = *at;
        if (look_at_task(runner, task)) {
            *at = task->next;
            free(task);
        } else {
            at = &task->next;
        }
    }
}

/* Of a task, or of the command: it ends, and all it started. */
static void end_process(struct sky_process *process)
{
    if (process->pid == 0)
        return;
    sky_process_end(process, SIGTERM);
    sky_process_await_group(process);
}

static void end_all(struct runner *runner)
{
    while (runner->tasks != NULL) {
        struct task *task = runner->tasks;
        runner->tasks = task->next;
        end_process(&task->process);
        free(task);
    }
    end_process(&runner->command);
}

/* ---- the run ---- */

/* The first word counts; asked again, it does not wait for the server any more. */
static void stop_run(struct runner *runner, const char *words)
{
    if (*runner->stopped != '\0') {
        sky_suite_report_lose(&runner->report, runner->stopped);
        runner->over = true;
        return;
    }
    snprintf(runner->stopped, sizeof runner->stopped, "%s", words);
    runner->due_ms = sky_cli_now_ms() + STOP_MS;
    tell_server(runner, "stop", NULL);
}

static void on_signal(struct runner *runner, int number)
{
    char words[WORDS_MAX];

    if (number != SIGINT && number != SIGTERM && number != SIGHUP)
        return;
    snprintf(words, sizeof words, "signal %d (%s) came", number, strsignal(number));
    stop_run(runner, words);
}

static void on_due(struct runner *runner)
{
    char words[WORDS_MAX] = "";

    if (runner->due_ms == 0 || sky_cli_now_ms() < runner->due_ms)
        return;
    if (*runner->stopped == '\0') {
        runner->timed_out = true;
        snprintf(words, sizeof words, "it took longer than --timeout %u",
                 runner->config->timeout_s);
    }
    stop_run(runner, words);
}

static void on_event(struct runner *runner, const struct sky_http_event *event)
{
    struct sky_suite_report *report = &runner->report;
    struct sky_why why;
    cJSON *data;

    if (sky_json_parse(sky_buf_span(&event->data), ANSWER_DEPTH_MAX, &data, &why) != SKY_OK)
        return;
    bool ends = strcmp(event->name, "end") == 0 && cJSON_IsObject(data);
    if (!cJSON_IsObject(data)) {
        cJSON_Delete(data);
    } else if (ends || strcmp(event->name, "run") == 0) {
        sky_suite_report_take_run(report, data);
        runner->over = ends;
        if (ends && *runner->stopped != '\0')
            sky_suite_report_interrupt(report, runner->stopped);
    } else if (strcmp(event->name, "case") == 0) {
        sky_suite_report_take_case(report, data);
    } else if (strcmp(event->name, "step") == 0) {
        sky_suite_report_take_step(report, data);
    } else {
        sky_suite_report_keep(report); /* before anything is done that may end it all */
        if (strcmp(event->name, "task") == 0)
            begin_task(runner, data);
        cJSON_Delete(data);
    }
}

/* What has come of the stream; its end without the run's is the server's. */
static void read_stream(struct runner *runner)
{
    bool more = sky_http_stream_read(&runner->stream);
    struct sky_http_event event;

    sky_buf_init(&event.data, SKY_HTTP_EVENT_MAX);
    while (!runner->over && sky_http_stream_next(&runner->stream, &event))
        on_event(runner, &event);
    sky_buf_done(&event.data);
    if (!more && !runner->over) {
        sky_suite_report_lose(&runner->report, "the server went away");
        runner->over = true;
    }
}

static int wait_ms(const struct runner *runner)
{
    int64_t due_ms = runner->due_ms, now_ms = sky_cli_now_ms();
    int64_t waits_ms = runner->report.waits_ms;

    if (waits_ms != 0 && (due_ms == 0 || waits_ms < due_ms))
        due_ms = waits_ms;

    for (const struct task *task = runner->tasks; task != NULL; task = task->next)
        if (task->process.due_ms != 0 && (due_ms == 0 || task->process.due_ms < due_ms))
            due_ms = task->process.due_ms;
    return due_ms == 0               ? -1
           : due_ms <= now_ms        ? 0
           : due_ms - now_ms > 60000 ? 60000
                                     : (int)(due_ms - now_ms);
}

static void follow_run(struct runner *runner)
{
    struct pollfd awaited[] = {{.fd = runner->signals.fd, .events = POLLIN},
                               {.fd = runner->stream.fd, .events = POLLIN}};

    runner->due_ms = runner->config->timeout_s > 0
                         ? sky_cli_now_ms() + (int64_t)runner->config->timeout_s * 1000
                         : 0;
    while (!runner->over) {
        read_stream(runner); /* something came with its head */
        on_signal(runner, sky_signals_take(&runner->signals));
        look_at_command(runner);
        look_at_tasks(runner);
        on_due(runner);
        sky_suite_report_waits(&runner->report);
        sky_suite_report_keep(&runner->report);
        if (!runner->over)
            (void)poll(awaited, SKY_COUNT(awaited), wait_ms(runner));
    }
}

/* ---- the whole ---- */

/* The command's end first: what it says in parting is in the reports. */
static int tell_run(struct runner *runner)
{
    const struct sky_config *config = runner->config;
    struct sky_buf page;
    struct sky_why why;

    end_all(runner);
    sky_buf_init(&page, SKY_HTTP_CLIENT_ANSWER_MAX);
    if (config->html != NULL)
        (void)!sky_cli_ask_page(config, runner->server.url, &page, &why);
    int status = sky_suite_report_end(&runner->report, sky_buf_span(&page));
    sky_buf_done(&page);
    struct sky_config told = *config;
    told.annotates = false; /* that devices are refused is what many a case is about */
    if (sky_cli_tell_events(&told, runner->server.url) != SKY_EXIT_OK)
        status = status == SKY_EXIT_NO ? SKY_EXIT_NO : SKY_EXIT_TROUBLE;
    int compared =
        sky_suite_baseline_tell(&runner->baseline, config, runner->server.url, runner->report.run);
    if (compared != SKY_EXIT_OK && status != SKY_EXIT_NO)
        status = compared;
    return runner->timed_out ? SKY_PROCESS_TIMED_OUT : status;
}

static int run_order(struct runner *runner, const cJSON *order)
{
    struct sky_why why;

    if (*runner->server.url == '\0')
        return sky_cli_fail("no suite can be run: the admin listener is off");
    sky_process_adopt();
    if (!sky_signals_open(&runner->signals))
        return sky_cli_fail("signals: %s", strerror(errno));
    if (begin_run(runner, order, &why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    sky_suite_report_init(&runner->report, runner->config);
    int status = SKY_EXIT_TROUBLE;
    if (start_command(runner)) {
        follow_run(runner);
        status = tell_run(runner);
    }
    sky_http_stream_close(&runner->stream);
    sky_suite_report_done(&runner->report);
    return status;
}

int sky_cli_suite_run(const struct sky_config *config)
{
    struct runner runner = {.config = config};
    struct sky_why why;
    cJSON *order;

    if (config->devices.count == 0)
        return sky_cli_fail("which device? give --device CLOUD/PRODUCT/DEVICE");
    if (sky_cli_check_whom(config, &why) != SKY_OK || make_order(config, &order, &why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    int status = SKY_EXIT_TROUBLE;
    if (sky_cli_outputs_are_writable(config) && sky_suite_baseline_read(config, &runner.baseline))
        status = config->command.count > 0 ? sky_at_hand_start(config, &runner.server)
                                           : sky_at_hand_find(config, &runner.server);
    if (status == SKY_EXIT_OK) {
        status = run_order(&runner, order);
        if (sky_at_hand_leave(&runner.server) != SKY_EXIT_OK && status == SKY_EXIT_OK)
            status = SKY_EXIT_TROUBLE;
    }
    sky_suite_baseline_done(&runner.baseline);
    cJSON_Delete(order);
    return status;
}
