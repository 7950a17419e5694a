#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "server/cli/cli.h"
#include "server/cli/http_client.h"
#include "server/os/files.h"

enum { PATH_MAX_BYTES = 2048, TREE_DEPTH_MAX = 16 };

/* /api/v1/NAME, for one device when one was asked for. */
static void write_path(struct sky_buf *path, const char *name, const char *device)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

    sky_buf_addf(path, "/api/v1/%s%s", name, device != NULL ? "?device=" : "");
    for (; device != NULL && *device != '\0'; device++)
        if (strchr(plain, *device) != NULL)
            sky_buf_add_byte(path, (uint8_t)*device);
        else
            sky_buf_addf(path, "%%%02X", (unsigned char)*device);
    sky_buf_add_byte(path, '\0');
}

static sky_err ask(const struct sky_config *config, const char *url, const char *name,
                   struct sky_buf *body, struct sky_why *why)
{
    struct sky_buf path;
    int status = 0;

    sky_buf_init(&path, PATH_MAX_BYTES);
    write_path(&path, name, config->device);
    sky_err err = path.overflow
                      ? sky_why_set(why, SKY_ERR_LIMIT, "", "--device is too long")
                      : sky_http_get(url, path.bytes, config->admin_token, &status, body, why);
    if (err == SKY_OK && status != 200)
        err = sky_why_set(why, status == 404 ? SKY_ERR_NOT_FOUND : SKY_ERR_DENIED, "",
                          "the server answered %d: %.*s", status,
                          SKY_SPAN_ARGS(sky_span_head(sky_buf_span(body), 200)));
    sky_buf_done(&path);
    return err;
}

static sky_err write_junit(const struct sky_config *config, const char *url, struct sky_why *why)
{
    struct sky_buf body;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err = ask(config, url, "report.xml", &body, why);
    if (err == SKY_OK)
        err = sky_files_write(config->junit, 0644, sky_buf_span(&body), why);
    sky_buf_done(&body);
    return err;
}

/* ---- reading the verdicts ---- */

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = sky_json_get_str(object, key);

    return text != NULL ? text : "";
}

static void print_rule(const cJSON *rule)
{
    const char *verdict = text_of(rule, "verdict");

    if (strcmp(verdict, "failed") != 0 && strcmp(verdict, "warned") != 0)
        return;
    printf("    %-8s %s: %s\n", verdict, text_of(rule, "id"), text_of(rule, "statement"));
    if (*text_of(rule, "detail") != '\0')
        printf("             found: %s\n", text_of(rule, "detail"));
    if (*text_of(rule, "hint") != '\0')
        printf("             hint:  %s\n", text_of(rule, "hint"));
}

/* Never green by silence: a device that showed nothing has no verdict, and no device neither. */
static int exit_of(const char *verdict)
{
    if (strcmp(verdict, "passed") == 0 || strcmp(verdict, "warned") == 0)
        return SKY_EXIT_OK;
    return strcmp(verdict, "failed") == 0 ? SKY_EXIT_NO : SKY_EXIT_TROUBLE;
}

static int print_verdicts(const cJSON *tree)
{
    const cJSON *device, *rule;

    cJSON_ArrayForEach (device, sky_json_get(tree, "devices")) {
        printf("%-14s %s\n", text_of(device, "verdict"), text_of(device, "device"));
        cJSON_ArrayForEach (rule, sky_json_get(device, "rules"))
            print_rule(rule);
    }
    printf("verdict: %s\n", text_of(tree, "verdict"));
    return exit_of(text_of(tree, "verdict"));
}

static int print_answer(const struct sky_config *config, const struct sky_buf *body)
{
    struct sky_why why;
    cJSON *tree;

    if (sky_json_parse(sky_buf_span(body), TREE_DEPTH_MAX, &tree, &why) != SKY_OK)
        return sky_cli_fail("the server's answer is not JSON: %s", why.reason);
    int status = exit_of(text_of(tree, "verdict"));
    if (config->json)
        printf("%.*s\n", SKY_SPAN_ARGS(sky_buf_span(body)));
    else
        status = print_verdicts(tree);
    cJSON_Delete(tree);
    return status;
}

int sky_cli_ask_verdict(const struct sky_config *config, const char *url)
{
    struct sky_buf body;
    struct sky_why why;
    int status;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    if (ask(config, url, "verdicts", &body, &why) != SKY_OK)
        status = sky_cli_fail("%s", why.reason);
    else
        status = print_answer(config, &body);
    if (config->junit != NULL && write_junit(config, url, &why) != SKY_OK)
        status = sky_cli_fail("%s", why.reason);
    sky_buf_done(&body);
    return status;
}

int sky_cli_verdict(const struct sky_config *config)
{
    return sky_cli_ask_verdict(config, config->url);
}
