#include "server/admin/lists.h"

#include "protocol/base/mem.h"

static void end(struct sky_list *list)
{
    sky_wait_end(&list->wait);
    sky_buf_done(&list->api.out);
    list->drop(list);
}

static void on_gone(struct sky_http_call *call)
{
    end(call->state);
}

static void look(struct sky_wait *wait)
{
    struct sky_list *list = SKY_CONTAINER_OF(wait, struct sky_list, wait);
    bool told = list->tell(list);
    if (!told && sky_http_prepare(list->api.call, list->api.out.room)) {
        sky_wait_again(wait);
        return;
    }
    if (!told)
        ; /* too much waits to be read, and it has been told */
    else if (list->err == SKY_OK)
        sky_api_send(&list->api, 200);
    else
        sky_api_fail(&list->api, list->err, NULL);
    end(list);
}

void sky_list_begin(struct sky_api *api, struct sky_list *list)
{
    list->wait.look = look;
    list->api = *api;
    list->api.body = NULL; /* it stays the handler's */
    list->api.jw.out = &list->api.out;
    sky_buf_init(&api->out, SKY_HTTP_ANSWER_MAX);
    sky_wait_begin(&api->app->admin->waits, &list->wait);
    api->call->state = list;
    api->call->on_gone = on_gone;
}
