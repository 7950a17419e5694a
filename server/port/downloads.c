#include "server/port/downloads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/files.h"
#include "protocol/http/range.h"
#include "server/broker/upgrades.h"
#include "server/registry/door.h"
#include "store/images.h"

enum { RANGE_SHOWN = 64, LINES_MAX = 128 };

struct download {
    struct sky_broker *broker;
    int64_t device_id;             /* 0: it is no device's own */
    struct sky_product_info *info; /* NULL: not known */
    char name[SKY_FILE_NAME_MAX + 1];
    struct sky_image image; /* id 0: the bytes are in `config` */
    struct sky_buf config;
    bool expired;
    char range[RANGE_SHOWN + 1]; /* as it was asked for, cut */
    int status;
    uint64_t next, end; /* position of the next byte, and behind the last */
    uint64_t begun;     /* where it began */
    bool failed;        /* a piece could not be read */
};

/* ---- which file ---- */

static bool find_image(struct download *download, int64_t device_id)
{
    struct sky_registry *registry = download->broker->registry;
    sky_span name = sky_span_str(download->name);
    struct sky_product product;
    struct sky_device device;
    struct sky_upgrades_view view;
    if (sky_store_get_device(registry->store, device_id, &product, &device) != SKY_OK ||
        sky_store_find_image(registry->store, name, &download->image) != SKY_OK)
        return false;
    struct sky_session *session = sky_session_open(registry, &product, &device);
    const struct sky_ota_upgrade *upgrade = NULL;
    if (sky_upgrades_view(download->broker, session, &view, NULL) == SKY_OK)
        upgrade = sky_ota_find_file(&view.ota, name);
    bool found = upgrade != NULL && !upgrade->chunked && upgrade->url_ms > 0;
    download->expired = found && !sky_ota_url_is_good(upgrade, registry->clock->now_ms);
    download->device_id = device_id;
    download->info = session->product;
    download->end = (uint64_t)download->image.size;
    sky_upgrades_close(&view);
    return found;
}

static bool find_config(struct download *download, int64_t product_id)
{
    struct sky_arena arena;
    download->info = sky_product_info(download->broker->registry, product_id);
    if (download->info == NULL || download->info->config.len == 0)
        return false;
    sky_span config = download->info->config;
    sky_arena_init(&arena);
    bool found = sky_span_eq_str(sky_file_config_name(product_id, config, &arena), download->name);
    sky_arena_done(&arena);
    if (found) {
        sky_buf_init(&download->config, config.len);
        sky_buf_add(&download->config, config);
    }
    download->end = config.len;
    return found;
}

static bool find(struct download *download, const struct sky_http_call *call)
{
    struct sky_file_name name;
    sky_span path = call->head.path, method = call->head.method;
    bool reads = sky_span_eq(method, SKY_SPAN("GET")) || sky_span_eq(method, SKY_SPAN("HEAD"));
    if (!reads || !sky_span_starts(path, SKY_SPAN("/")) ||
        !sky_span_copy(sky_span_tail(path, 1), download->name, sizeof download->name) ||
        !sky_file_read_name(sky_span_str(download->name), &name))
        return false;
    return name.kind == SKY_FILE_IMAGE ? find_image(download, name.id)
                                       : find_config(download, name.id);
}

/* ---- what is told ---- */

static void judge_call(const struct download *download, const struct sky_http_call *call,
                       struct sky_judge *judge)
{
    sky_judge_init(judge, sky_product_policy(download->broker->registry, download->info));
    sky_door_judge(call->conn->door, judge);
    sky_judge_kept(judge, sky_door_rule(SKY_RULE_DOOR_HTTP_REQUEST));
    sky_judge_kept(judge, sky_door_rule(SKY_RULE_DOOR_HTTP_PATH));
    sky_judge_rule(judge, sky_door_rule(SKY_RULE_DOOR_HTTP_HOST), call->head.host_fault == NULL,
                   "%s", call->head.host_fault != NULL ? call->head.host_fault : " ");
}

static void record(const struct download *download, const struct sky_http_call *call,
                   const char *reason)
{
    const struct sky_product *product = &download->info->product;
    struct sky_registry *registry = download->broker->registry;
    struct sky_judge judge;
    struct sky_draft draft;
    struct sky_event_head head = sky_conn_event(call->conn, SKY_EVENT_DOWNLOAD, SKY_UP);
    head.device_id = download->device_id;
    judge_call(download, call, &judge);
    sky_draft_begin(&draft, head);
    sky_draft_add(&draft, SKY_ATTR(LISTENER, sky_span_str(call->conn->door->listener->name)));
    sky_draft_add(&draft, SKY_ATTR(METHOD, call->head.method));
    sky_draft_add(&draft, SKY_ATTR(PATH, call->head.path));
    sky_draft_add(&draft, SKY_ATTR(NAME, sky_span_str(download->name)));
    sky_draft_add(&draft, SKY_ATTR_INT(STATUS, download->status));
    sky_draft_add(&draft, SKY_ATTR_INT(COUNT, (int64_t)(download->next - download->begun)));
    sky_draft_add(&draft, SKY_ATTR(REASON, sky_span_str(reason)));
    if (download->range[0] != '\0')
        sky_draft_add(&draft, SKY_ATTR(RANGE, sky_span_str(download->range)));
    if (download->device_id == 0) {
        sky_draft_add(&draft, SKY_ATTR(CLOUD, sky_span_str(product->cloud)));
        sky_draft_add(&draft, SKY_ATTR(PRODUCT, sky_span_str(product->key)));
    }
    sky_journal_record(registry->journal, &draft, &judge);
    sky_session_judged(sky_session_find(registry, download->device_id), &judge);
}

static void free_download(struct download *download)
{
    sky_buf_done(&download->config);
    free(download);
}

/* ---- the bytes ---- */

static void on_gone(struct sky_http_call *call)
{
    struct download *download = call->state;
    record(download, call, download->failed ? "the store refused a piece" : "broken off");
    free_download(download);
}

static void on_sent(struct sky_http_call *call)
{
    struct download *download = call->state;
    record(download, call, "complete");
    free_download(download);
}

static bool read_piece(struct download *download, struct sky_buf *out)
{
    uint64_t left = download->end - download->next;
    size_t max = left < SKY_HTTP_PIECE ? (size_t)left : SKY_HTTP_PIECE, before = out->len;
    if (download->image.id == 0)
        sky_buf_add(
            out, sky_span_head(
                     sky_span_tail(sky_buf_span(&download->config), (size_t)download->next), max));
    else
        download->failed = sky_store_read_image(download->broker->registry->store, &download->image,
                                                (int64_t)download->next, max, out) != SKY_OK;
    if (download->failed)
        return false;
    download->next += out->len - before;
    return true;
}

static void on_room(struct sky_http_call *call, struct sky_buf *out)
{
    (void)read_piece(call->state, out); /* nothing added: the port ends the connection */
}

/* ---- the answer ---- */

static void refuse(struct download *download, struct sky_http_call *call, int status,
                   const char *reason, sky_span lines)
{
    char body[160];
    int len = snprintf(body, sizeof body, "{\"code\":%d,\"message\":\"%s\"}", status, reason);
    const struct sky_http_reply reply = {.status = status,
                                         .content_type = "application/json",
                                         .body = sky_span_of(body, (size_t)len),
                                         .extra = lines};
    download->status = status;
    record(download, call, reason);
    free_download(download);
    sky_http_reply(call, &reply);
}

static void answer(struct download *download, struct sky_http_call *call, sky_span lines)
{
    const struct sky_http_reply reply = {
        .status = download->status, .content_type = "application/octet-stream", .extra = lines};
    uint64_t length = download->end - download->next;
    call->state = download;
    call->on_room = on_room;
    call->on_sent = on_sent;
    call->on_gone = on_gone;
    sky_http_send(call, &reply, length);
}

bool sky_download_take(struct sky_broker *broker, struct sky_http_call *call)
{
    struct download *download = sky_mem_new(sizeof *download);
    struct sky_http_range part;
    sky_span range = SKY_SPAN_NONE;
    char lines[LINES_MAX];
    int len = 0;
    download->broker = broker;
    if (!find(download, call)) {
        free_download(download);
        return false;
    }
    uint64_t size = download->end;
    if (sky_span_eq(call->head.method, SKY_SPAN("GET"))) /* RFC 9110 §14.2: no other */
        sky_http_head_header(call->head.headers, "Range", &range);
    sky_span_copy(sky_span_head(range, RANGE_SHOWN), download->range, sizeof download->range);
    enum sky_http_part what = sky_http_range(range, size, &part);
    download->status = what == SKY_HTTP_PART ? 206 : 200;
    if (what == SKY_HTTP_PART)
        len = snprintf(lines, sizeof lines,
                       "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", part.first,
                       part.last, size);
    else if (what == SKY_HTTP_NOTHING)
        len = snprintf(lines, sizeof lines, "Content-Range: bytes */%" PRIu64 "\r\n", size);
    SKY_ASSERT(len >= 0 && len < LINES_MAX);
    call->device_id = download->device_id;
    call->product_id = download->info->product.id;
    download->next = download->begun = part.first;
    download->end = part.last + 1;
    if (download->expired)
        refuse(download, call, 403, "the URL has expired", SKY_SPAN_NONE);
    else if (what == SKY_HTTP_NOTHING)
        refuse(download, call, 416, "the range begins behind the end",
               sky_span_of(lines, (size_t)len));
    else
        answer(download, call, sky_span_of(lines, (size_t)len));
    return true;
}
