/* Upgrades of firmware (help page 89307): the versions that a device runs, what it is to run, how
 * far it is, and the image by messages. */
#include "protocol/base/mem.h"
#include "protocol/cloud/aliyun/sub_device.h"
#include "protocol/cloud/ota.h"

/* ---- what the device is told ---- */

/* The members in the order of pushes that were captured. The C SDK takes md5 alone, and the others
 * sign with the method that signMethod names; MD5 is always given, as it is what all of them can.
 */
static void put_upgrade(struct sky_jw *jw, const struct sky_ota_upgrade *upgrade, sky_span url)
{
    sky_jw_object(jw);
    sky_jw_put_int(jw, "size", upgrade->size);
    if (upgrade->chunked)
        sky_jw_put_int(jw, "streamId", upgrade->stream_id);
    sky_jw_put_span(jw, "sign", upgrade->md5);
    if (upgrade->chunked)
        sky_jw_put_str(jw, "dProtocol", "mqtt");
    sky_jw_put_span(jw, "version", upgrade->version);
    sky_jw_put_str(jw, "signMethod", "Md5");
    if (upgrade->chunked)
        sky_jw_put_int(jw, "streamFileId", SKY_ALIYUN_STREAM_FILE);
    else
        sky_jw_put_span(jw, "url", url);
    sky_jw_put_span(jw, "md5", upgrade->md5);
    if (!sky_span_eq(upgrade->module, SKY_SPAN(SKY_ALIYUN_MAIN_MODULE)))
        sky_jw_put_span(jw, "module", upgrade->module);
    sky_jw_end_object(jw);
}

static sky_span upgrade_json(const struct sky_ota_upgrade *upgrade, sky_span url,
                             struct sky_arena *arena)
{
    struct sky_buf out;
    sky_buf_init(&out, SKY_ENVELOPE_REPLY_MAX);
    struct sky_jw jw = sky_jw(&out);
    put_upgrade(&jw, upgrade, url);
    return sky_envelope_keep(arena, &out);
}

/* Here code is a text and id a number: nowhere else. */
static sky_span push_json(const struct sky_ota_upgrade *upgrade, sky_span url, sky_span id,
                          struct sky_arena *arena)
{
    return sky_arena_printf(arena,
                            "{\"code\":\"1000\",\"data\":%.*s,\"id\":%.*s,\"message\":\"success\"}",
                            SKY_SPAN_ARGS(upgrade_json(upgrade, url, arena)), SKY_SPAN_ARGS(id));
}

static sky_span device_topic(const struct sky_uplink *to, const char *what, struct sky_arena *arena)
{
    return sky_arena_printf(arena, "/ota/device/%s/%.*s/%.*s", what, SKY_SPAN_ARGS(to->product),
                            SKY_SPAN_ARGS(to->device));
}

static void push(const struct sky_uplink *to, const struct sky_ota_upgrade *upgrade, sky_span url,
                 sky_span id, struct sky_effects *effects)
{
    sky_effects_message(effects, SKY_EFFECT_PUSH, device_topic(to, "upgrade", &effects->arena),
                        push_json(upgrade, url, id, &effects->arena), 1);
}

/* 100 per cent is no success: the version that the device reports is, and another one after
 * progress is a failure (help page 302377). The clock runs from the first progress on; the page
 * leaves its length to whoever orders the upgrade, and an hour is what its console begins with. */
const struct sky_cloud_ota sky_aliyun__ota = {
    .module = SKY_ALIYUN_MAIN_MODULE,
    .modules = true,
    .chunked = true,
    .size_max = INT64_C(1000) * 1024 * 1024,
    .chunked_max = INT64_C(16) * 1024 * 1024,
    .timeout_ms = INT64_C(3600) * 1000,
    .other_version_fails = true,
    .push_is_repeated = true,
    .states = {[SKY_OTA_QUEUED] = "QUEUED",
               [SKY_OTA_NOTIFIED] = "NOTIFIED",
               [SKY_OTA_RUNNING] = "IN_PROGRESS",
               [SKY_OTA_SUCCEEDED] = "SUCCEEDED",
               [SKY_OTA_FAILED] = "FAILED",
               [SKY_OTA_CANCELED] = "CANCELED"},
    .push = push,
};

/* ---- what the device says ---- */

/* A module that goes without name is the main one. False, and judged: it is no text. */
static bool read_module(const struct sky_aliyun_request *request, sky_span *ret_module)
{
    sky_span module = sky_json_member(request->envelope.params, "module");
    bool sound = module.len == 0 || sky_json_is_string(module);
    sky_judge_rule(request->judge, ALI_RULE(PARAMS), sound, "%.*s: module must be a string",
                   SKY_SPAN_ARGS(request->uplink->topic));
    *ret_module = sky_json_string(&request->effects->arena, module);
    return sound;
}

/* One module a message, and no answer. */
static void handle_version(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_ota ota;
    sky_span module;
    if (!sky_aliyun__open(&request, uplink, facts, judge, effects))
        return;
    sky_span version =
        sky_json_string(&effects->arena, sky_json_member(request.envelope.params, "version"));
    sky_judge_kept(judge, ALI_RULE(SERVICE_UNKNOWN));
    sky_judge_rule(judge, ALI_RULE(PARAMS), version.len > 0,
                   "%.*s: params must have a version, a string", SKY_SPAN_ARGS(uplink->topic));
    if (version.len == 0 || !read_module(&request, &module))
        return;
    sky_ota_open(&ota, uplink->cloud, facts, &effects->arena);
    sky_ota_reported(&ota, module, version);
    sky_ota_save(&ota, facts, effects);
}

/* The older C SDK asks like this, and reads whatever comes on the topic that has "url" in it: when
 * there is nothing to upgrade to, nothing comes. */
static void handle_request(const struct sky_uplink *uplink, const struct sky_facts *facts,
                           struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_ota ota;
    sky_span module;
    if (!sky_aliyun__open(&request, uplink, facts, judge, effects))
        return;
    sky_judge_kept(judge, ALI_RULE(SERVICE_UNKNOWN));
    if (!read_module(&request, &module))
        return;
    sky_ota_open(&ota, uplink->cloud, facts, &effects->arena);
    const struct sky_ota_upgrade *upgrade = sky_ota_asked(&ota, module);
    sky_ota_save(&ota, facts, effects);
    if (upgrade == NULL)
        return;
    int64_t id = 0; /* a number, as in a push, when it was one */
    (void)sky_span_to_int(sky_json_text(request.envelope.id), &id);
    sky_span url = sky_ota_url(upgrade, facts, &effects->arena);
    sky_span digits = sky_arena_printf(&effects->arena, "%lld", (long long)id);
    sky_effects_message(effects, SKY_EFFECT_REPLY, sky_arena_copy(&effects->arena, uplink->topic),
                        push_json(upgrade, url, digits, &effects->arena), 1);
}

static void handle_firmware_get(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_ota ota;
    sky_span module;
    if (!sky_aliyun__begin(&request, SKY_ALIYUN_PARAMETER, uplink, facts, judge, effects))
        return;
    if (!read_module(&request, &module)) {
        sky_aliyun__reply(&request, SKY_ALIYUN_PARAMETER, SKY_SPAN("{}"));
        return;
    }
    sky_ota_open(&ota, uplink->cloud, facts, &effects->arena);
    const struct sky_ota_upgrade *upgrade = sky_ota_asked(&ota, module);
    sky_span data =
        upgrade != NULL
            ? upgrade_json(upgrade, sky_ota_url(upgrade, facts, &effects->arena), &effects->arena)
            : SKY_SPAN("{}");
    sky_ota_save(&ota, facts, effects);
    sky_aliyun__succeed(&request, data);
}

/* -1 to -4 say what failed; 0 to 100 are per cent. The step is a text. */
static bool read_step(sky_span said, struct sky_ota_progress *progress)
{
    static const char *const failures[] = {"the upgrade failed", "the download failed",
                                           "the verification failed", "the burning failed"};
    sky_span text = sky_json_text(said);
    int64_t percent;
    progress->step = text;
    progress->percent = -1;
    for (size_t i = 0; i < SKY_COUNT(failures); i++) {
        const char step[] = {'-', (char)('1' + i), '\0'};
        if (sky_span_eq_str(text, step))
            progress->fails = sky_span_str(failures[i]);
    }
    if (progress->fails.len > 0)
        return sky_json_is_string(said);
    if (!sky_span_to_int(text, &percent) || percent > 100)
        return false;
    progress->percent = (int)percent;
    return sky_json_is_string(said);
}

/* No answer. Progress of an upgrade that there is not is nothing to the cloud: the C SDK goes on
 * reporting 100 for one that is over. */
static void handle_progress(const struct sky_uplink *uplink, const struct sky_facts *facts,
                            struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct sky_ota_progress progress = {.percent = -1};
    struct sky_ota ota;
    sky_span module;
    if (!sky_aliyun__open(&request, uplink, facts, judge, effects))
        return;
    sky_span params = request.envelope.params;
    bool sound = read_step(sky_json_member(params, "step"), &progress);
    progress.desc = sky_json_string(&effects->arena, sky_json_member(params, "desc"));
    sky_judge_kept(judge, ALI_RULE(SERVICE_UNKNOWN));
    sky_judge_rule(judge, ALI_RULE(OTA_STEP), sound,
                   "step is %.*s; \"0\" to \"100\" and \"-1\" to \"-4\" are documented",
                   SKY_SPAN_ARGS(sky_span_head(sky_json_member(params, "step"), 20)));
    if (!sound || !read_module(&request, &module))
        return;
    sky_ota_open(&ota, uplink->cloud, facts, &effects->arena);
    (void)sky_ota_progress(&ota, module, &progress);
    sky_ota_save(&ota, facts, effects);
}

/* ---- the image by messages ---- */

/* What a device asks for: {"fileToken":..,"fileInfo":{"streamId":n,"fileId":n},
 * "fileBlock":{"size":n,"offset":n}}. */
struct block {
    sky_span token;
    int64_t stream, file, size, offset;
};

static bool read_number(sky_span object, const char *key, int64_t *ret_number)
{
    return sky_span_to_int(sky_json_text(sky_json_member(object, key)), ret_number);
}

static bool read_block(sky_span params, struct block *ret_block)
{
    sky_span info = sky_json_member(params, "fileInfo");
    sky_span block = sky_json_member(params, "fileBlock");
    ret_block->token = sky_json_member(params, "fileToken");
    return read_number(info, "streamId", &ret_block->stream) &&
           read_number(info, "fileId", &ret_block->file) &&
           read_number(block, "size", &ret_block->size) &&
           read_number(block, "offset", &ret_block->offset) && ret_block->size > 0 &&
           ret_block->size <= SKY_PIECE_MAX;
}

/* Link SDK 4 writes a comma in front of the brace that closes fileInfo, and the cloud takes it:
 * here a comma before a closing brace is a blank. The text stays where it is. */
static struct sky_uplink without_commas(const struct sky_uplink *uplink, struct sky_arena *arena)
{
    struct sky_uplink tidied = *uplink;
    char *text = sky_arena_take(arena, uplink->payload.len + 1);
    bool quoted = false;
    size_t comma = SIZE_MAX;
    for (size_t i = 0; i < uplink->payload.len; i++) {
        char c = text[i] = uplink->payload.ptr[i];
        if (c == '"' && (i == 0 || text[i - 1] != '\\'))
            quoted = !quoted;
        if (quoted || (unsigned char)c <= ' ')
            continue;
        if (c == '}' && comma != SIZE_MAX)
            text[comma] = ' ';
        comma = c == ',' ? i : SIZE_MAX;
    }
    tidied.payload = sky_span_of(text, uplink->payload.len);
    return tidied;
}

/* The upgrade that the block belongs to, or NULL. */
static const struct sky_ota_upgrade *upgrade_of(struct sky_ota *ota, const struct block *block)
{
    return block->file == SKY_ALIYUN_STREAM_FILE ? sky_ota_find_stream(ota, block->stream) : NULL;
}

static void judge_block(const struct sky_aliyun_request *request, const struct block *block,
                        const struct sky_ota_upgrade *upgrade)
{
    sky_judge_rule(request->judge, ALI_RULE(PARAMS), upgrade != NULL,
                   "%.*s: no upgrade has the streamId %lld and the fileId %lld",
                   SKY_SPAN_ARGS(request->uplink->topic), (long long)block->stream,
                   (long long)block->file);
    if (upgrade != NULL)
        sky_judge_rule(request->judge, ALI_RULE(PARAMS),
                       block->offset >= 0 && block->offset < upgrade->size,
                       "%.*s: there is no offset %lld in an image of %lld bytes",
                       SKY_SPAN_ARGS(request->uplink->topic), (long long)block->offset,
                       (long long)upgrade->size);
}

static bool wants_block(const struct sky_uplink *uplink, const struct sky_facts *facts,
                        struct sky_arena *arena, struct sky_piece_request *ret_piece)
{
    struct sky_envelope envelope;
    struct block block;
    struct sky_ota ota;
    const struct sky_uplink tidied = without_commas(uplink, arena);
    sky_envelope_open(&envelope, tidied.payload, SKY_ALIYUN_MESSAGE_MAX);
    sky_ota_open(&ota, uplink->cloud, facts, arena);
    if (!read_block(envelope.params, &block))
        return false;
    const struct sky_ota_upgrade *upgrade = upgrade_of(&ota, &block);
    if (upgrade == NULL)
        return false;
    *ret_piece = (struct sky_piece_request){
        .file = upgrade->file, .offset = block.offset, .size = (size_t)block.size};
    return true;
}

/* CRC-16/ARC: polynomial 0x8005 reflected, from 0. */
static uint16_t crc_of(sky_span bytes)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
    }
    return crc;
}

/* The length of a JSON head in two bytes, the higher first; the head; the bytes; and their CRC, the
 * lower first. */
static void reply_block(const struct sky_aliyun_request *request, enum sky_aliyun_code code,
                        const struct block *block, int64_t file_size, sky_span bytes)
{
    struct sky_buf out;
    const struct sky_uplink *uplink = request->uplink;
    struct sky_arena *arena = &request->effects->arena;
    sky_span token = block->token.len > 0 ? sky_arena_printf(arena, ",\"fileToken\":%.*s",
                                                             SKY_SPAN_ARGS(block->token))
                                          : SKY_SPAN_NONE;
    sky_span head = sky_arena_printf(
        arena,
        "{\"code\":%d,\"data\":{\"bOffset\":%lld,\"bSize\":%zu,\"fileLength\":%lld%.*s},\"id\":"
        "\"%.*s\"}",
        (int)code, (long long)block->offset, bytes.len, (long long)file_size, SKY_SPAN_ARGS(token),
        SKY_SPAN_ARGS(sky_json_text(request->envelope.id)));
    uint16_t crc = crc_of(bytes);
    sky_buf_init(&out, SKY_PIECE_MAX + SKY_ALIYUN_MESSAGE_MAX);
    sky_buf_add_byte(&out, (uint8_t)(head.len >> 8));
    sky_buf_add_byte(&out, (uint8_t)head.len);
    sky_buf_add(&out, head);
    sky_buf_add(&out, bytes);
    sky_buf_add_byte(&out, (uint8_t)crc);
    sky_buf_add_byte(&out, (uint8_t)(crc >> 8));
    sky_envelope_reply(request->effects, uplink, sky_envelope_reply_topic(arena, uplink->topic),
                       &out);
}

/* What comes to a block that is not there is not documented: 400 with no bytes. */
static void handle_file_download(const struct sky_uplink *uplink, const struct sky_facts *facts,
                                 struct sky_judge *judge, struct sky_effects *effects)
{
    struct sky_aliyun_request request;
    struct block block = {.token = SKY_SPAN_NONE};
    struct sky_ota ota;
    const struct sky_uplink tidied = without_commas(uplink, &effects->arena);
    bool open = sky_aliyun__open(&request, &tidied, facts, judge, effects);
    bool sound = open && read_block(request.envelope.params, &block) &&
                 block.token.len <= SKY_ALIYUN_FILE_TOKEN_MAX;
    if (open)
        sky_judge_rule(
            judge, ALI_RULE(PARAMS), sound,
            "%.*s: params must have fileInfo with streamId and fileId, and fileBlock with "
            "offset and a size of 1 to %d",
            SKY_SPAN_ARGS(uplink->topic), SKY_PIECE_MAX);
    sky_ota_open(&ota, uplink->cloud, facts, &effects->arena);
    const struct sky_ota_upgrade *upgrade = sound ? upgrade_of(&ota, &block) : NULL;
    sky_judge_kept(judge, ALI_RULE(SERVICE_UNKNOWN));
    if (sound)
        judge_block(&request, &block, upgrade);
    else
        block.token = SKY_SPAN_NONE;
    bool there = upgrade != NULL && facts->piece_read && facts->piece.len > 0;
    reply_block(&request, there ? SKY_ALIYUN_OK : SKY_ALIYUN_NO_BLOCK, &block,
                upgrade != NULL ? upgrade->size : 0, there ? facts->piece : SKY_SPAN_NONE);
}

const struct sky_service sky_aliyun_version = {
    .name = "version", .document = SKY_OTA_DOCUMENT, .handle = handle_version};
const struct sky_service sky_aliyun_ota_request = {.name = "ota-request",
                                                   .document = SKY_OTA_DOCUMENT,
                                                   .reads = SKY_READS_LINK,
                                                   .handle = handle_request};
const struct sky_service sky_aliyun_firmware_get = {.name = "firmware-get",
                                                    .document = SKY_OTA_DOCUMENT,
                                                    .reads = SKY_READS_LINK,
                                                    .handle = handle_firmware_get};
const struct sky_service sky_aliyun_progress = {
    .name = "ota-progress", .document = SKY_OTA_DOCUMENT, .handle = handle_progress};
const struct sky_service sky_aliyun_file_download = {.name = "file-download",
                                                     .document = SKY_OTA_DOCUMENT,
                                                     .handle = handle_file_download,
                                                     .wants = wants_block};
