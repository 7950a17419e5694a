/* Captures in memory: started, stopped and read by the API, which names no file of the server. */
#include "server/admin/api.h"

/* False, and answered, when the path names none. */
static struct sky_capture *take_capture(struct sky_api *api)
{
    int64_t id;
    struct sky_capture *capture = sky_span_to_int(sky_span_str(api->vars.name), &id)
                                      ? sky_capture_find(&api->app->captures, id)
                                      : NULL;
    if (capture == NULL)
        sky_api_error(api, 404, "not_found", "", "there is no capture '%s'", api->vars.name);
    return capture;
}

void sky_api_captures_list(struct sky_api *api)
{
    struct sky_jw *jw = &api->jw;
    const struct sky_capture *capture;
    char began[SKY_TIME_TEXT_MAX];
    sky_jw_object(jw);
    sky_jw_key(jw, "captures");
    sky_jw_array(jw);
    for (capture = api->app->captures.list; capture != NULL; capture = capture->next) {
        if (capture->id == 0)
            continue;
        sky_time_text(capture->began_ms, began);
        sky_jw_object(jw);
        sky_jw_put_int(jw, "id", capture->id);
        sky_jw_key(jw, "name");
        if (capture->name[0] != '\0')
            sky_jw_str(jw, sky_span_str(capture->name));
        else
            sky_jw_null(jw);
        sky_jw_put_bool(jw, "running", capture->running);
        sky_jw_put_str(jw, "began", began);
        sky_jw_put_int(jw, "packets", (int64_t)capture->packets);
        sky_jw_put_int(jw, "lost", (int64_t)capture->lost);
        sky_jw_put_int(jw, "bytes", (int64_t)capture->bytes);
        sky_jw_end_object(jw);
    }
    sky_jw_end_array(jw);
    sky_jw_end_object(jw);
    sky_api_send(api, 200);
}

void sky_api_captures_create(struct sky_api *api)
{
    const struct sky_capture *capture =
        sky_capture_new(&api->app->captures, sky_api_body_text(api, "name"));
    if (capture == NULL) {
        sky_api_error(api, 409, "conflict", "", "there are %d captures already; delete one",
                      SKY_CAPTURES_MAX);
        return;
    }
    sky_jw_object(&api->jw);
    sky_jw_put_int(&api->jw, "id", capture->id);
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 201);
}

static void on_room(struct sky_http_call *call, struct sky_buf *out)
{
    sky_buf_add(out, sky_capture_reading_next(call->state, SKY_HTTP_PIECE));
}

static void on_read(struct sky_http_call *call)
{
    sky_capture_reading_done(call->state);
}

void sky_api_capture_read(struct sky_api *api)
{
    struct sky_capture *capture = take_capture(api);
    if (capture == NULL)
        return;
    struct sky_capture_reading *reading = sky_capture_read(&api->app->captures, capture);
    const struct sky_http_reply reply = {.status = 200, .content_type = api->route->content_type};
    uint64_t size = sky_capture_reading_size(reading);
    api->call->state = reading;
    api->call->on_room = on_room;
    api->call->on_sent = api->call->on_gone = on_read;
    sky_http_send(api->call, &reply, size);
}

void sky_api_capture_stop(struct sky_api *api)
{
    struct sky_capture *capture = take_capture(api);
    if (capture == NULL)
        return;
    sky_capture_stop(&api->app->captures, capture);
    sky_api_send(api, 204);
}

void sky_api_capture_delete(struct sky_api *api)
{
    struct sky_capture *capture = take_capture(api);
    if (capture == NULL)
        return;
    sky_capture_drop(&api->app->captures, capture);
    sky_api_send(api, 204);
}
