/* Commands of the application to a device: sent, and their answers waited for. */
#include <stdio.h>

#include "protocol/base/arena.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "server/admin/api.h"
#include "server/broker/commands.h"
#include "server/port/pull.h"

enum { ANSWER_BYTES_MAX = 2 * 1024 * 1024 }; /* of JSON: a payload may be shown twice */
_Static_assert(ANSWER_BYTES_MAX == 2097152, "as is said");

static void write_answer(struct sky_buf *out, const struct sky_command_wait *wait,
                         const struct sky_command_answer *answer)
{
    struct sky_jw jw = sky_jw(out);
    sky_jw_object(&jw);
    sky_jw_put_str(&jw, "id", wait->id);
    sky_jw_put_bool(&jw, "answered", true);
    if (!sky_span_eq_str(answer->id, wait->id))
        sky_jw_put_span(&jw, "answerId", answer->id);
    sky_jw_put_span(&jw, "topic", answer->topic);
    sky_payload_print(answer->payload, &jw);
    sky_jw_put_int(&jw, "elapsedMs", wait->broker->registry->clock->real_ms - wait->sent_ms);
    sky_jw_end_object(&jw);
}

static void answer_with(struct sky_http_call *call, const struct sky_command_wait *wait,
                        const struct sky_command_answer *answer)
{
    struct sky_buf out;
    sky_buf_init(&out, ANSWER_BYTES_MAX);
    write_answer(&out, wait, answer);
    if (out.overflow)
        sky_api_reply_error(call, 500, "limit",
                            "the device's answer, shown as JSON, is longer than 2097152 bytes");
    else
        sky_api_reply_json(call, 200, sky_buf_span(&out));
    sky_buf_done(&out);
}

static void on_done(void *ctx, const struct sky_command_wait *wait,
                    const struct sky_command_answer *answer)
{
    struct sky_http_call *call = ctx;
    char stray[SKY_COMMAND_STRAY_SIZE], message[SKY_COMMAND_STRAY_SIZE + 160];
    if (answer != NULL) {
        answer_with(call, wait, answer);
        return;
    }
    sky_command_tell_stray(wait, stray);
    snprintf(message, sizeof message, "the device did not answer the command %s in time; %s",
             wait->id, stray[0] != '\0' ? stray : "a device that is away may still get it");
    sky_api_reply_error(call, 504, "timeout", message);
}

static void on_gone(struct sky_http_call *call)
{
    sky_command_cancel(call->state);
}

/* What is to be sent, exactly as it stands in the body: numbers keep their digits and members
 * their order. False, and answered, when it is given twice. */
static bool take_params(struct sky_api *api, struct sky_arena *arena, sky_span *ret_params)
{
    const char *payload = sky_api_body_text(api, "payload");
    *ret_params =
        sky_json_compact(arena, sky_json_member(sky_span_trim(api->call->body), "params"));
    if (payload == NULL)
        return true;
    if (ret_params->len > 0) {
        sky_api_error(api, 400, "invalid", "/payload", "'params' is given already");
        return false;
    }
    *ret_params = sky_span_str(payload);
    return true;
}

static void answer_sent(struct sky_api *api, const struct sky_command_sent *sent)
{
    if (!sky_api_flush(api))
        return;
    sky_jw_object(&api->jw);
    sky_jw_put_str(&api->jw, "id", sent->id);
    sky_jw_put_bool(&api->jw, "answered", false);
    sky_jw_put_int(&api->jw, "seq", (int64_t)sent->seq);
    sky_jw_end_object(&api->jw);
    sky_api_send(api, 202);
}

/* As effects have it: zero stands for the longest, and what is to last no time is negative. */
static int64_t ttl_ms(struct sky_api *api)
{
    int64_t ttl_s = sky_api_body_int(api, "ttlS", SKY_PULL_TTL_MAX_S);
    return ttl_s == 0 ? -1 : ttl_s * 1000;
}

static void send_command(struct sky_api *api, struct sky_session *session, sky_span kind,
                         sky_span params)
{
    struct sky_command_sent sent;
    struct sky_why why = {0};
    const struct sky_command_order order = {
        .kind = kind,
        .name = sky_span_str(sky_api_body_text(api, "name")),
        .params = params,
        .wait_ms = sky_api_body_int(api, "waitMs", SKY_COMMAND_WAIT_MS_DEFAULT),
        .ttl_ms = ttl_ms(api),
        .done = on_done,
        .ctx = api->call};
    sky_err err = sky_command_send(&api->app->broker, session, &order, &sent, &why);
    if (err != SKY_OK) {
        if (strcmp(why.pointer, "/params") == 0 && sky_api_body_text(api, "payload") != NULL)
            snprintf(why.pointer, sizeof why.pointer, "/payload");
        sky_api_fail(api, err, &why);
    } else if (sent.wait == NULL) {
        answer_sent(api, &sent);
    } else {
        api->call->state = sent.wait;
        api->call->on_gone = on_gone;
    }
}

void sky_api_device_command(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    struct sky_arena arena;
    sky_span params;
    if (!sky_api_device(api, &product, &device))
        return;
    sky_arena_init(&arena);
    if (take_params(api, &arena, &params))
        send_command(api, sky_session_open(&api->app->registry, &product, &device),
                     sky_span_str(sky_api_body_text(api, "kind")), params);
    sky_arena_done(&arena);
}

/* Hands the device its product's remote configuration: a command of its cloud. */
void sky_api_device_config(struct sky_api *api)
{
    struct sky_product product;
    struct sky_device device;
    struct sky_arena arena;
    if (!sky_api_device(api, &product, &device))
        return;
    sky_arena_init(&arena);
    sky_span given = sky_json_member(sky_span_trim(api->call->body), "config");
    sky_span params = sky_json_is_null(given) ? SKY_SPAN_NONE : sky_json_compact(&arena, given);
    send_command(api, sky_session_open(&api->app->registry, &product, &device), SKY_SPAN("config"),
                 params);
    sky_arena_done(&arena);
}
