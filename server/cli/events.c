/* Reading a running server's journal: `skymock events`, and what exec writes of it. */
#include "server/cli/events.h"

#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/cli/cli.h"
#include "server/cli/http_client.h"
#include "server/journal/line.h"
#include "server/os/files.h"

enum {
    PATH_SIZE = 4096,
    PAGE = 1000,
    FOLLOW_MS = 5000,
};

static void add_parameter(struct sky_buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    sky_buf_addf(path, "&%s=", name);
    sky_http_add_escaped(path, value);
}

/* A page behind `since`; with `wait_ms`, when there is something. The caller frees the tree. */
static sky_err ask_page(const struct sky_config *config, const char *url, int64_t since,
                        int wait_ms, cJSON **ret_tree, struct sky_why *why)
{
    struct sky_buf path;

    sky_buf_init(&path, PATH_SIZE);
    sky_buf_addf(&path, "/api/v1/events?limit=%d&since=%lld", PAGE, (long long)since);
    if (wait_ms > 0)
        sky_buf_addf(&path, "&wait_ms=%d", wait_ms);
    add_parameter(&path, "run", config->run ? "true" : NULL);
    add_parameter(&path, "device", config->device);
    add_parameter(&path, "product", config->product);
    add_parameter(&path, "type", config->types);
    sky_buf_add_byte(&path, '\0');
    sky_err err =
        path.overflow
            ? sky_why_set(why, SKY_ERR_LIMIT, "",
                          "--device, --product and --type make a request line of more than %d "
                          "bytes",
                          PATH_SIZE)
            : sky_http_get_json(url, path.bytes, config->admin_token, ret_tree, why);
    sky_buf_done(&path);
    return err;
}

sky_err sky_cli_each_event(const struct sky_config *config, const char *url, bool follow,
                           sky_cli_event_fn *each, void *ctx, struct sky_why *why)
{
    int64_t since = 0, last;
    sky_err err;

    do {
        cJSON *tree = NULL;
        const cJSON *event, *next;
        last = since;
        err = ask_page(config, url, since, follow ? FOLLOW_MS : 0, &tree, why);
        if (err != SKY_OK)
            break;
        cJSON_ArrayForEach (event, sky_json_get(tree, "events"))
            each(ctx, event);
        next = sky_json_get(tree, "next");
        since = cJSON_IsNumber(next) ? (int64_t)next->valuedouble : last;
        bool full = cJSON_GetArraySize(sky_json_get(tree, "events")) > 0;
        cJSON_Delete(tree);
        if (!full && !follow)
            break;
    } while (follow || since != last);
    return err;
}

void sky_cli_print_json_line(FILE *out, const cJSON *value)
{
    struct sky_buf text;

    sky_buf_init(&text, SIZE_MAX);
    sky_json_print(&text, value);
    fprintf(out, "%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&text)));
    sky_buf_done(&text);
}

/* ---- of a run that has ended ---- */

struct telling {
    const struct sky_config *config;
    FILE *file; /* NULL: nobody wants events */
};

static void tell_event(void *ctx, const cJSON *event)
{
    const struct telling *telling = ctx;
    struct sky_buf line;

    if (telling->file != NULL)
        sky_cli_print_json_line(telling->file, event);
    if (!telling->config->annotates || !sky_event_is_refusal(event))
        return;
    sky_buf_init(&line, SKY_EVENT_LINE_MAX);
    sky_refusal_annotation(event, &line);
    printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&line)));
    sky_buf_done(&line);
}

int sky_cli_tell_events(const struct sky_config *config, const char *url)
{
    struct sky_config all = *config; /* a reset between tests hides nothing, nor does --device */
    struct telling telling = {.config = config};
    struct sky_why why;
    char *bytes = NULL;
    size_t len = 0;

    if (config->events == NULL && !config->annotates)
        return SKY_EXIT_OK;
    all.run = true;
    all.device = NULL;
    telling.file = config->events != NULL ? open_memstream(&bytes, &len) : NULL;
    sky_err err = sky_cli_each_event(&all, url, false, tell_event, &telling, &why);
    if (telling.file != NULL && fclose(telling.file) == 0 && err == SKY_OK)
        err = sky_files_write(config->events, 0644, sky_span_of(bytes, len), &why);
    free(bytes);
    return err == SKY_OK ? SKY_EXIT_OK : sky_cli_fail("--events %s", why.reason);
}

static void print_event(void *ctx, const cJSON *event)
{
    const struct sky_config *config = ctx;
    struct sky_buf line;

    if (config->json) {
        sky_cli_print_json_line(stdout, event);
    } else {
        sky_buf_init(&line, SKY_EVENT_LINE_MAX);
        sky_event_line(event, &line);
        printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(&line)));
        sky_buf_done(&line);
    }
    if (config->follow && (fflush(stdout) != 0 || ferror(stdout)))
        exit(SKY_EXIT_OK); /* whoever read it has gone */
}

int sky_cli_events(const struct sky_config *config)
{
    struct sky_config given = *config;
    struct sky_why why;

    if (sky_cli_check_whom(config, &why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    if (sky_cli_each_event(config, config->url, config->follow, print_event, &given, &why) !=
        SKY_OK)
        return sky_cli_fail("%s", why.reason);
    return SKY_EXIT_OK;
}
