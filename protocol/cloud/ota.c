#include "protocol/cloud/ota.h"

#include "protocol/base/assert.h"
#include "protocol/base/json_view.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/envelope.h"

static const char *const state_names[SKY_OTA_STATES] = {
    [SKY_OTA_NONE] = "none",           [SKY_OTA_QUEUED] = "queued",
    [SKY_OTA_NOTIFIED] = "notified",   [SKY_OTA_RUNNING] = "in-progress",
    [SKY_OTA_SUCCEEDED] = "succeeded", [SKY_OTA_FAILED] = "failed",
    [SKY_OTA_CANCELED] = "canceled",
};

const char *sky_ota_state_name(enum sky_ota_state state)
{
    SKY_ASSERT(state < SKY_OTA_STATES);
    return state_names[state];
}

/* ---- the members of a row ---- */

/* One table reads and writes the document and makes what the API shows. */
#define AT(member) offsetof(struct sky_ota_upgrade, member)

static const struct text_member {
    const char *name;
    size_t at;
} texts[] = {
    {"module", AT(module)}, {"reported", AT(reported)}, {"version", AT(version)},
    {"file", AT(file)},     {"md5", AT(md5)},           {"sha256", AT(sha256)},
    {"step", AT(step)},     {"code", AT(code)},         {"desc", AT(desc)},
    {"reason", AT(reason)},
};
static const struct number_member {
    const char *name;
    size_t at;
    bool shown_as_zero; /* else a zero is left out */
} numbers[] = {
    {"size", AT(size), true},
    {"streamId", AT(stream_id), false},
    {"createdMs", AT(created_ms), false},
    {"notifiedMs", AT(notified_ms), false},
    {"startedMs", AT(started_ms), false},
    {"endedMs", AT(ended_ms), false},
    {"urlMs", AT(url_ms), false},
};

static sky_span *text_at(struct sky_ota_upgrade *row, const struct text_member *member)
{
    return (sky_span *)(void *)((char *)row + member->at);
}

static int64_t *number_at(struct sky_ota_upgrade *row, const struct number_member *member)
{
    return (int64_t *)(void *)((char *)row + member->at);
}

static void read_row(struct sky_ota_upgrade *row, sky_span stored, struct sky_arena *arena)
{
    sky_span state = sky_json_text(sky_json_member(stored, "state"));
    int64_t percent;
    *row = (struct sky_ota_upgrade){.percent = -1};
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        *text_at(row, &texts[i]) = sky_json_string(arena, sky_json_member(stored, texts[i].name));
    for (size_t i = 0; i < SKY_COUNT(numbers); i++)
        (void)sky_span_to_int(sky_json_member(stored, numbers[i].name),
                              number_at(row, &numbers[i]));
    for (size_t i = 0; i < SKY_OTA_STATES; i++)
        if (sky_span_eq_str(state, state_names[i]))
            row->state = (enum sky_ota_state)i;
    if (sky_span_to_int(sky_json_member(stored, "percent"), &percent) && percent <= 100)
        row->percent = (int)percent;
    row->due = sky_span_eq_str(sky_json_member(stored, "due"), "true");
    row->chunked = sky_span_eq_str(sky_json_member(stored, "chunked"), "true");
}

static void write_row(struct sky_ota_upgrade row, const char *status, struct sky_jw *jw)
{
    sky_jw_object(jw);
    for (size_t i = 0; i < SKY_COUNT(texts); i++)
        if (text_at(&row, &texts[i])->len > 0)
            sky_jw_put_span(jw, texts[i].name, *text_at(&row, &texts[i]));
    if (row.state != SKY_OTA_NONE) {
        sky_jw_put_str(jw, "state", state_names[row.state]);
        if (status != NULL)
            sky_jw_put_str(jw, "status", status);
        if (row.percent >= 0)
            sky_jw_put_int(jw, "percent", row.percent);
        for (size_t i = 0; i < SKY_COUNT(numbers); i++)
            if (numbers[i].shown_as_zero || *number_at(&row, &numbers[i]) != 0)
                sky_jw_put_int(jw, numbers[i].name, *number_at(&row, &numbers[i]));
        sky_jw_put_bool(jw, "chunked", row.chunked);
        sky_jw_put_bool(jw, "due", row.due);
    }
    sky_jw_end_object(jw);
}

void sky_ota_show(const struct sky_ota *ota, const struct sky_ota_upgrade *upgrade,
                  struct sky_jw *jw)
{
    write_row(*upgrade, ota->rules->states[upgrade->state], jw);
}

/* ---- opening and saving ---- */

static bool is_module_name(sky_span name)
{
    static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (name.len == 0 || name.len > SKY_OTA_MODULE_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (memchr(signs, name.ptr[i], sizeof signs - 1) == NULL)
            return false;
    return true;
}

void sky_ota_open(struct sky_ota *ota, const struct sky_cloud *cloud, const struct sky_facts *facts,
                  struct sky_arena *arena)
{
    struct sky_json_member member;
    sky_span rest = sky_json_inside(facts->document);
    SKY_ASSERT(cloud->ota != NULL);
    *ota = (struct sky_ota){.rules = cloud->ota, .arena = arena, .now_ms = facts->now_ms};
    while (ota->count < SKY_OTA_MODULES_MAX && sky_json_next_member(&rest, &member)) {
        read_row(&ota->rows[ota->count], member.value, arena);
        if (!is_module_name(ota->rows[ota->count].module))
            continue; /* a stored one may be damaged */
        ota->was[ota->count] = ota->rows[ota->count].state;
        ota->count++;
    }
}

void sky_ota_save(const struct sky_ota *ota, const struct sky_facts *facts,
                  struct sky_effects *effects)
{
    struct sky_buf out;
    struct sky_jw jw = sky_jw(&out);
    if (ota->full)
        sky_envelope_note(effects, "upgrades-full", SKY_SPAN("a module is not taken notice of"));
    if (!ota->changed)
        return;
    sky_buf_init(&out, SKY_DOCUMENT_MAX);
    sky_jw_object(&jw);
    for (size_t i = 0; i < ota->count; i++) {
        sky_jw_key_raw(&jw, ota->rows[i].module);
        write_row(ota->rows[i], NULL, &jw);
    }
    sky_jw_end_object(&jw);
    sky_envelope_store(effects, facts, SKY_OTA_DOCUMENT, &out);
    for (size_t i = 0; i < ota->count; i++) {
        if (ota->rows[i].state == ota->was[i])
            continue;
        struct sky_effect *effect = sky_effects_add(effects, SKY_EFFECT_UPGRADE);
        effect->name = sky_arena_copy(&effects->arena, ota->rows[i].module);
        effect->payload = sky_arena_copy(&effects->arena, ota->rows[i].reason);
        effect->state = state_names[ota->rows[i].state];
    }
}

/* ---- finding a row ---- */

static struct sky_ota_upgrade *row_of(struct sky_ota *ota, sky_span module)
{
    if (module.len == 0)
        module = sky_span_str(ota->rules->module);
    for (size_t i = 0; i < ota->count; i++)
        if (sky_span_eq(ota->rows[i].module, module))
            return &ota->rows[i];
    return NULL;
}

const struct sky_ota_upgrade *sky_ota_find(const struct sky_ota *ota, sky_span module)
{
    return row_of((struct sky_ota *)ota, module);
}

const struct sky_ota_upgrade *sky_ota_find_file(const struct sky_ota *ota, sky_span file)
{
    for (size_t i = 0; i < ota->count; i++)
        if (file.len > 0 && sky_span_eq(ota->rows[i].file, file))
            return &ota->rows[i];
    return NULL;
}

bool sky_ota_is_open(const struct sky_ota_upgrade *upgrade)
{
    return upgrade->state == SKY_OTA_QUEUED || upgrade->state == SKY_OTA_NOTIFIED ||
           upgrade->state == SKY_OTA_RUNNING;
}

bool sky_ota_any_open(sky_span document)
{
    struct sky_json_member member;
    sky_span rest = sky_json_inside(document);
    while (sky_json_next_member(&rest, &member)) {
        sky_span state = sky_json_text(sky_json_member(member.value, "state"));
        for (size_t i = SKY_OTA_QUEUED; i <= SKY_OTA_RUNNING; i++)
            if (sky_span_eq_str(state, state_names[i]))
                return true;
    }
    return false;
}

const struct sky_ota_upgrade *sky_ota_find_stream(const struct sky_ota *ota, int64_t stream_id)
{
    for (size_t i = 0; i < ota->count; i++)
        if (sky_ota_is_open(&ota->rows[i]) && ota->rows[i].chunked &&
            ota->rows[i].stream_id == stream_id)
            return &ota->rows[i];
    return NULL;
}

bool sky_ota_url_is_good(const struct sky_ota_upgrade *upgrade, int64_t now_ms)
{
    return !upgrade->chunked && upgrade->url_ms > 0 && now_ms - upgrade->url_ms < SKY_OTA_URL_MS;
}

/* Where there is no room, a module without an upgrade under way gives up its place. NULL: none
 * does, or it cannot be called so. */
static struct sky_ota_upgrade *place_for(struct sky_ota *ota, sky_span module)
{
    struct sky_ota_upgrade *row = row_of(ota, module);
    if (module.len == 0)
        module = sky_span_str(ota->rules->module);
    if (row != NULL || !is_module_name(module))
        return row;
    if (ota->count < SKY_OTA_MODULES_MAX)
        row = &ota->rows[ota->count++];
    for (size_t i = 0; row == NULL && i < ota->count; i++)
        if (!sky_ota_is_open(&ota->rows[i]))
            row = &ota->rows[i];
    if (row == NULL)
        return NULL;
    *row = (struct sky_ota_upgrade){.module = sky_arena_copy(ota->arena, module), .percent = -1};
    ota->was[row - ota->rows] = SKY_OTA_NONE;
    return row;
}

/* ---- moving on ---- */

static void end(struct sky_ota *ota, struct sky_ota_upgrade *row, enum sky_ota_state state,
                sky_span reason)
{
    SKY_ASSERT(sky_ota_is_open(row));
    row->state = state;
    row->reason = reason;
    row->due = false;
    row->ended_ms = ota->now_ms;
    ota->changed = true;
}

static void notified(struct sky_ota *ota, struct sky_ota_upgrade *row)
{
    SKY_ASSERT(sky_ota_is_open(row));
    if (row->state == SKY_OTA_QUEUED) {
        row->state = SKY_OTA_NOTIFIED;
        row->notified_ms = ota->now_ms;
    }
    row->due = false;
    row->url_ms = ota->now_ms;
    ota->changed = true;
}

/* ---- acts of the application ---- */

static bool is_version(sky_span version)
{
    for (size_t i = 0; i < version.len; i++)
        if (version.ptr[i] <= ' ' || version.ptr[i] > '~' || version.ptr[i] == '"' ||
            version.ptr[i] == '\\')
            return false;
    return version.len > 0 && version.len <= SKY_OTA_VERSION_MAX;
}

static sky_err check_words(const struct sky_ota *ota, const struct sky_ota_order *order,
                           struct sky_why *why)
{
    const struct sky_cloud_ota *rules = ota->rules;
    bool is_main = order->module.len == 0 || sky_span_eq_str(order->module, rules->module);
    if (!is_version(order->version))
        return sky_why_set(why, SKY_ERR_INVALID, "/version",
                           "a version is 1 to %d printable characters without blanks and quotes",
                           SKY_OTA_VERSION_MAX);
    if (!is_main && !rules->modules)
        return sky_why_set(why, SKY_ERR_INVALID, "/module",
                           "this cloud's devices have one firmware: leave the module out");
    if (!is_main && !is_module_name(order->module))
        return sky_why_set(why, SKY_ERR_INVALID, "/module",
                           "a module's name is 1 to %d letters, digits, '.', '_' and '-'",
                           SKY_OTA_MODULE_MAX);
    if (order->chunked && !rules->chunked)
        return sky_why_set(why, SKY_ERR_INVALID, "/protocol",
                           "this cloud's devices download by URL only");
    return SKY_OK;
}

static bool has_place(const struct sky_ota *ota)
{
    for (size_t i = 0; i < ota->count; i++)
        if (!sky_ota_is_open(&ota->rows[i]))
            return true;
    return ota->count < SKY_OTA_MODULES_MAX;
}

sky_err sky_ota_check(const struct sky_ota *ota, const struct sky_ota_order *order,
                      struct sky_why *why)
{
    const struct sky_ota_upgrade *row = sky_ota_find(ota, order->module);
    int64_t size_max = order->chunked ? ota->rules->chunked_max : ota->rules->size_max;
    sky_err err = check_words(ota, order, why);
    if (err != SKY_OK)
        return err;
    if (size_max > 0 && order->size > size_max)
        return sky_why_set(why, SKY_ERR_LIMIT, "/size",
                           "%lld bytes; this cloud takes images of %lld at most this way",
                           (long long)order->size, (long long)size_max);
    if (row != NULL && sky_ota_is_open(row))
        return sky_why_set(why, SKY_ERR_CONFLICT, "",
                           "an upgrade of the module %.*s to %.*s is %s already: cancel it first",
                           SKY_SPAN_ARGS(row->module), SKY_SPAN_ARGS(row->version),
                           state_names[row->state]);
    if (row != NULL && sky_span_eq(row->reported, order->version))
        return sky_why_set(why, SKY_ERR_CONFLICT, "/version",
                           "the device runs %.*s already: it said so last",
                           SKY_SPAN_ARGS(row->reported));
    if (row == NULL && !has_place(ota))
        return sky_why_set(why, SKY_ERR_LIMIT, "/module", "%d modules of the device are upgraded",
                           SKY_OTA_MODULES_MAX);
    return SKY_OK;
}

void sky_ota_create(struct sky_ota *ota, const struct sky_ota_order *order)
{
    struct sky_ota_upgrade *row = place_for(ota, order->module);
    SKY_ASSERT(row != NULL && !sky_ota_is_open(row));
    *row = (struct sky_ota_upgrade){
        .module = row->module,
        .reported = row->reported,
        .state = SKY_OTA_QUEUED,
        .version = sky_arena_copy(ota->arena, order->version),
        .file = sky_arena_copy(ota->arena, order->file),
        .size = order->size,
        .md5 = sky_arena_copy(ota->arena, order->md5),
        .sha256 = sky_arena_copy(ota->arena, order->sha256),
        .chunked = order->chunked,
        .stream_id = order->stream_id,
        .due = true,
        .percent = -1,
        .created_ms = ota->now_ms,
    };
    ota->changed = true;
}

bool sky_ota_cancel(struct sky_ota *ota, sky_span module)
{
    struct sky_ota_upgrade *row = row_of(ota, module);
    if (row == NULL || !sky_ota_is_open(row))
        return false;
    end(ota, row, SKY_OTA_CANCELED, SKY_SPAN_NONE);
    return true;
}

/* ---- acts of the cloud ---- */

sky_span sky_ota_url(const struct sky_ota_upgrade *upgrade, const struct sky_facts *facts,
                     struct sky_arena *arena)
{
    if (upgrade->chunked)
        return SKY_SPAN_NONE;
    return sky_arena_printf(arena, "%.*s%.*s", SKY_SPAN_ARGS(facts->link),
                            SKY_SPAN_ARGS(upgrade->file));
}

bool sky_ota_tell(struct sky_ota *ota, const struct sky_uplink *to, const struct sky_facts *facts,
                  sky_span id, struct sky_effects *effects)
{
    for (size_t i = 0; i < ota->count; i++) {
        struct sky_ota_upgrade *row = &ota->rows[i];
        if (!row->due)
            continue;
        notified(ota, row);
        sky_ota_save(ota, facts, effects);
        ota->rules->push(to, row, sky_ota_url(row, facts, &effects->arena), id, effects);
        return true;
    }
    return false;
}

static int64_t end_of(const struct sky_ota *ota, const struct sky_ota_upgrade *row)
{
    return ota->rules->timeout_ms > 0 && row->state == SKY_OTA_RUNNING
               ? row->started_ms + ota->rules->timeout_ms
               : INT64_MAX;
}

int64_t sky_ota_next_ms(const struct sky_ota *ota)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < ota->count; i++)
        if (end_of(ota, &ota->rows[i]) < next_ms)
            next_ms = end_of(ota, &ota->rows[i]);
    return next_ms;
}

void sky_ota_pass(struct sky_ota *ota, int64_t moment_ms)
{
    for (size_t i = 0; i < ota->count; i++)
        if (end_of(ota, &ota->rows[i]) <= moment_ms)
            end(ota, &ota->rows[i], SKY_OTA_FAILED,
                SKY_SPAN("timed out: the version was not reported in time"));
}

/* ---- acts of the device ---- */

void sky_ota_reported(struct sky_ota *ota, sky_span module, sky_span version)
{
    struct sky_ota_upgrade *row = place_for(ota, module);
    if (row == NULL || version.len == 0 || version.len > SKY_OTA_VERSION_MAX) {
        ota->full = true;
        return;
    }
    if (!sky_span_eq(row->reported, version)) {
        row->reported = sky_arena_copy(ota->arena, version);
        ota->changed = true;
    }
    if (!sky_ota_is_open(row))
        return;
    if (sky_span_eq(row->version, version)) {
        end(ota, row, SKY_OTA_SUCCEEDED, SKY_SPAN_NONE);
    } else if (row->state == SKY_OTA_RUNNING && ota->rules->other_version_fails) {
        end(ota, row, SKY_OTA_FAILED,
            sky_arena_printf(ota->arena, "the device reported version %.*s after its progress",
                             SKY_SPAN_ARGS(version)));
    } else if (row->state != SKY_OTA_QUEUED && ota->rules->push_is_repeated && !row->due) {
        row->due = true;
        ota->changed = true;
    }
}

const struct sky_ota_upgrade *sky_ota_asked(struct sky_ota *ota, sky_span module)
{
    struct sky_ota_upgrade *row = row_of(ota, module);
    if (row == NULL || !sky_ota_is_open(row))
        return NULL;
    notified(ota, row);
    return row;
}

static sky_span kept_text(const struct sky_ota *ota, sky_span said)
{
    return sky_arena_copy(ota->arena, sky_span_head(said, SKY_OTA_TEXT_MAX));
}

enum sky_ota_answer sky_ota_progress(struct sky_ota *ota, sky_span module,
                                     const struct sky_ota_progress *progress)
{
    struct sky_ota_upgrade *row = row_of(ota, module);
    if (row == NULL || !sky_ota_is_open(row))
        return SKY_OTA_NO_UPGRADE;
    if (row->state == SKY_OTA_QUEUED)
        return SKY_OTA_NOT_TOLD;
    if (row->state == SKY_OTA_NOTIFIED) {
        row->state = SKY_OTA_RUNNING;
        row->started_ms = ota->now_ms;
    }
    if (progress->percent >= 0)
        row->percent = progress->percent < 100 ? progress->percent : 100;
    row->step = kept_text(ota, progress->step);
    row->code = kept_text(ota, progress->code);
    row->desc = kept_text(ota, progress->desc);
    ota->changed = true;
    if (progress->fails.len > 0)
        end(ota, row, SKY_OTA_FAILED, kept_text(ota, progress->fails));
    else if (progress->succeeds)
        end(ota, row, SKY_OTA_SUCCEEDED, SKY_SPAN_NONE);
    return SKY_OTA_TAKEN;
}
