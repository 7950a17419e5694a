#include "server/admin/inner.h"

#include <stdlib.h>

#include "protocol/base/mem.h"
#include "server/admin/api.h"

struct inner {
    struct sky_http_call call;
    struct sky_suite_call *asker; /* NULL: it was cancelled */
    char *path;                   /* owned, as the body is */
    struct sky_buf body;
};

static void inner_free(struct inner *inner)
{
    sky_buf_done(&inner->body);
    free(inner->path);
    free(inner);
}

static void on_answer(struct sky_http_call *call, const struct sky_http_reply *reply)
{
    struct inner *inner = SKY_CONTAINER_OF(call, struct inner, call);
    struct sky_suite_call *asker = inner->asker;
    struct sky_why why;
    cJSON *body = NULL;
    if (reply->body.len > 0 &&
        sky_json_parse(reply->body, SKY_API_BODY_DEPTH_MAX, &body, &why) != SKY_OK)
        body = NULL;
    int status = reply->status;
    asker->state = NULL;
    inner_free(inner);
    asker->done(asker, status, body);
    cJSON_Delete(body);
}

void sky_inner_call(void *ctx, struct sky_suite_call *call, const char *method, const char *path,
                    const cJSON *body)
{
    struct inner *inner = sky_mem_new(sizeof *inner);
    inner->asker = call;
    inner->path = sky_mem_dup(path, strlen(path));
    sky_buf_init(&inner->body, SKY_HTTP_ADMIN_BODY_MAX);
    if (cJSON_GetArraySize(body) > 0)
        (void)sky_json_print(&inner->body, body);
    inner->call =
        (struct sky_http_call){.head = {.method = sky_span_str(method),
                                        .path = sky_span_str(inner->path),
                                        .headers = SKY_SPAN("Content-Type: application/json\r\n")},
                               .body = sky_buf_span(&inner->body),
                               .on_answer = on_answer};
    call->state = inner;
    sky_api_take(ctx, &inner->call);
}

void sky_inner_cancel(void *ctx, struct sky_suite_call *call)
{
    struct inner *inner = call->state;
    (void)ctx;
    call->state = NULL;
    if (inner->call.on_gone != NULL)
        inner->call.on_gone(&inner->call);
    inner_free(inner);
}
