#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/cli/cli.h"
#include "server/cli/event_line.h"
#include "server/cli/http_client.h"
#include "server/os/files.h"

enum { PATH_MAX_BYTES = 2048, TREE_DEPTH_MAX = 16 };

static void write_param(struct sky_buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    sky_buf_addf(path, "%s%s=", memchr(path->bytes, '?', path->len) != NULL ? "&" : "?", name);
    sky_http_add_escaped(path, value);
}

/* What is asked, where. */
struct question {
    const struct sky_config *config;
    const char *url;
    bool run;
};

/* The server's own words, where they are. */
static sky_err say_refusal(int status, sky_span body, struct sky_why *why)
{
    sky_err err = status == 404 ? SKY_ERR_NOT_FOUND : SKY_ERR_DENIED;
    struct sky_why wrong;
    cJSON *tree = NULL;
    const char *message = NULL;

    if (sky_json_parse(body, TREE_DEPTH_MAX, &tree, &wrong) == SKY_OK)
        message = sky_json_get_str(sky_json_get(tree, "error"), "message");
    if (message != NULL)
        err = sky_why_set(why, err, "", "%s", message);
    else
        err = sky_why_set(why, err, "", "the server answered %d: %.*s", status,
                          SKY_SPAN_ARGS(sky_span_head(body, 200)));
    cJSON_Delete(tree);
    return err;
}

/* GET /api/v1/NAME, for one device or product when one was asked for. */
static sky_err ask(const struct question *question, const char *name, struct sky_buf *body,
                   struct sky_why *why)
{
    const struct sky_config *config = question->config;
    struct sky_buf path;
    int status = 0;

    sky_buf_init(&path, PATH_MAX_BYTES);
    sky_buf_addf(&path, "/api/v1/%s", name);
    write_param(&path, "device", config->device);
    write_param(&path, "product", config->product);
    write_param(&path, "run", question->run ? "true" : NULL);
    sky_buf_add_byte(&path, '\0');
    sky_err err = path.overflow ? sky_why_set(why, SKY_ERR_LIMIT, "", "--device is too long")
                                : sky_http_get(question->url, path.bytes, config->admin_token,
                                               &status, body, why);
    if (err == SKY_OK && status != 200)
        err = say_refusal(status, sky_buf_span(body), why);
    sky_buf_done(&path);
    return err;
}

/* The report has no length of its own, so its last tag tells that it is whole. */
static sky_err write_junit(const struct question *question, struct sky_why *why)
{
    struct sky_buf body;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err = ask(question, "report.xml", &body, why);
    if (err == SKY_OK && !sky_span_ends(sky_buf_span(&body), SKY_SPAN("</testsuites>\n")))
        err = sky_why_set(why, SKY_ERR_IO, "", "%s is not written: the server's report was cut off",
                          question->config->junit);
    if (err == SKY_OK)
        err = sky_files_write(question->config->junit, 0644, sky_buf_span(&body), why);
    sky_buf_done(&body);
    return err;
}

/* ---- reading the verdicts ---- */

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = sky_json_get_str(object, key);

    return text != NULL ? text : "";
}

static void print_events(const cJSON *rule)
{
    const cJSON *count = sky_json_get(rule, "count"), *event;

    if (count == NULL)
        return;
    printf("             events (%.0f):", count->valuedouble);
    cJSON_ArrayForEach (event, sky_json_get(rule, "events"))
        printf(" %.0f", event->valuedouble);
    printf("\n");
}

static void print_rule(const cJSON *rule)
{
    static const struct {
        const char *label, *member;
    } lines[] = {{"mistake:", "mistake"}, {"found:", "detail"}, {"", "what"}, {"hint:", "hint"}};
    const char *verdict = text_of(rule, "verdict");

    if (strcmp(verdict, "failed") != 0 && strcmp(verdict, "warned") != 0)
        return;
    printf("    %-8s %s: %s\n", verdict, text_of(rule, "id"), text_of(rule, "statement"));
    for (size_t i = 0; i < SKY_COUNT(lines); i++)
        if (*text_of(rule, lines[i].member) != '\0')
            sky_print_shown("             %-8s %s\n", lines[i].label,
                            text_of(rule, lines[i].member));
    print_events(rule);
}

/* Never green by silence: a device that showed nothing has no verdict, and no device neither. */
static int exit_of(const struct sky_config *config, const char *verdict)
{
    if (strcmp(verdict, "passed") == 0)
        return SKY_EXIT_OK;
    if (strcmp(verdict, "warned") == 0)
        return config->strict ? SKY_EXIT_NO : SKY_EXIT_OK;
    return strcmp(verdict, "failed") == 0 ? SKY_EXIT_NO : SKY_EXIT_TROUBLE;
}

static void print_verdicts(const cJSON *tree)
{
    const cJSON *device, *rule, *lost = sky_json_get(tree, "lost");

    cJSON_ArrayForEach (device, sky_json_get(tree, "devices")) {
        sky_print_shown("%-14s %s%s\n", text_of(device, "verdict"), text_of(device, "device"),
                        cJSON_IsFalse(sky_json_get(device, "registered")) ? " (not registered)"
                                                                          : "");
        cJSON_ArrayForEach (rule, sky_json_get(device, "rules"))
            print_rule(rule);
    }
    if (lost != NULL)
        printf("%.0f more that were no device are not shown\n", lost->valuedouble);
    printf("verdict: %s\n", text_of(tree, "verdict"));
}

static int print_answer(const struct sky_config *config, const struct sky_buf *body)
{
    struct sky_why why;
    cJSON *tree;

    if (sky_json_parse(sky_buf_span(body), TREE_DEPTH_MAX, &tree, &why) != SKY_OK)
        return sky_cli_fail("the server's answer is not JSON: %s", why.reason);
    int status = exit_of(config, text_of(tree, "verdict"));
    print_verdicts(tree);
    cJSON_Delete(tree);
    if (config->json_file != NULL &&
        sky_files_write(config->json_file, 0644, sky_buf_span(body), &why) != SKY_OK)
        status = sky_cli_fail("%s", why.reason);
    return status;
}

static int tell(const struct question *question)
{
    struct sky_buf body;
    struct sky_why why;
    int status;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err = ask(question, "verdicts", &body, &why);
    status = err != SKY_OK ? sky_cli_fail("%s", why.reason) : print_answer(question->config, &body);
    if (err == SKY_OK && question->config->junit != NULL && write_junit(question, &why) != SKY_OK)
        status = sky_cli_fail("%s", why.reason);
    sky_buf_done(&body);
    return status;
}

int sky_cli_ask_verdict(const struct sky_config *config, const char *url)
{
    const struct question question = {config, url, true};
    return tell(&question);
}

int sky_cli_verdict(const struct sky_config *config)
{
    const struct question question = {config, config->url, config->run};
    return tell(&question);
}
