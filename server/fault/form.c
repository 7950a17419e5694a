/* A fault in JSON: one table of members reads, checks and documents. */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "protocol/mqtt/topic.h"
#include "server/fault/fault.h"
#include "server/fault/private.h"
#include "server/tls/lies.h"

#define JSON_INT_MAX ((INT64_C(1) << 53) - 1) /* what every JSON reader takes exactly */
#define OF(action) (1U << SKY_FAULT_##action)
#define EVERY ((1U << SKY_FAULT_ACTION_COUNT) - 1)

enum kind { TEXT, INTEGER, BOOLEAN, SHARE, OBJECT };

/* What is being read. */
struct reader {
    struct sky_fault *fault;
    const cJSON *json;
    const char *at;
    struct sky_why *why;
};

static sky_err bad(const struct reader *reader, const char *member, const char *what)
{
    char pointer[SKY_WHY_POINTER_MAX];
    snprintf(pointer, sizeof pointer, "%s/%s", reader->at, member);
    return sky_why_set(reader->why, SKY_ERR_INVALID, pointer, "%s", what);
}

/* ---- what each member does ---- */

typedef sky_err take_fn(const struct reader *reader, const cJSON *value);

static int64_t number(const cJSON *value)
{
    return (int64_t)value->valuedouble;
}

static sky_err take_name(const struct reader *reader, const cJSON *value)
{
    (void)snprintf(reader->fault->label, sizeof reader->fault->label, "%s", value->valuestring);
    return SKY_OK;
}

/* "cloud/product", or "cloud/product/device". */
static sky_err take_scope(const struct reader *reader, const cJSON *value, bool one)
{
    struct sky_fault *fault = reader->fault;
    sky_span rest = sky_span_str(value->valuestring), piece;
    size_t pieces = 0;
    bool good = rest.len < sizeof fault->scope;
    while (good && pieces < 4 && rest.len > 0 && sky_span_next(&rest, '/', &piece)) {
        good = piece.len > 0 && piece.len <= SKY_KEY_MAX;
        pieces++;
    }
    if (!good || pieces != (one ? 3 : 2) ||
        sky_span_ends(sky_span_str(value->valuestring), SKY_SPAN("/")))
        return bad(reader, value->string,
                   one ? "a device is named \"cloud/product/device\""
                       : "a product is named \"cloud/key\"");
    if (fault->scope[0] != '\0')
        return bad(reader, value->string, "give a device or a product, not both");
    snprintf(fault->scope, sizeof fault->scope, "%s", value->valuestring);
    fault->one = one;
    return SKY_OK;
}

static sky_err take_device(const struct reader *reader, const cJSON *value)
{
    return take_scope(reader, value, true);
}

static sky_err take_product(const struct reader *reader, const cJSON *value)
{
    return take_scope(reader, value, false);
}

static bool asks_who(const cJSON *pattern)
{
    static const char *const members[] = {"listener",   "peer",     "clientId",
                                          "serverName", "identity", "text"};
    const cJSON *member;
    cJSON_ArrayForEach (member, pattern) {
        for (size_t i = 0; member->string != NULL && i < SKY_COUNT(members); i++)
            if (strcmp(member->string, members[i]) == 0)
                return true;
        if (asks_who(member))
            return true;
    }
    return false;
}

static sky_err take_match(const struct reader *reader, const cJSON *value)
{
    char at[SKY_WHY_POINTER_MAX];
    snprintf(at, sizeof at, "%s/match", reader->at);
    reader->fault->pattern = sky_pattern_new(value, at, NULL, reader->why);
    reader->fault->asks_who = asks_who(value);
    return reader->fault->pattern != NULL ? SKY_OK : SKY_ERR_INVALID;
}

static sky_err take_skip(const struct reader *reader, const cJSON *value)
{
    reader->fault->skip = number(value);
    return SKY_OK;
}

static sky_err take_count(const struct reader *reader, const cJSON *value)
{
    reader->fault->count = number(value);
    return SKY_OK;
}

static sky_err take_probability(const struct reader *reader, const cJSON *value)
{
    reader->fault->probability = value->valuedouble;
    return SKY_OK;
}

static sky_err take_seed(const struct reader *reader, const cJSON *value)
{
    reader->fault->seed = (uint64_t)number(value);
    return SKY_OK;
}

static sky_err take_for(const struct reader *reader, const cJSON *value)
{
    reader->fault->until_ms = number(value); /* from when on, the list says */
    return SKY_OK;
}

static sky_err take_delay(const struct reader *reader, const cJSON *value)
{
    reader->fault->fate.delay_ms = number(value);
    return SKY_OK;
}

static sky_err take_times(const struct reader *reader, const cJSON *value)
{
    reader->fault->fate.copies = (unsigned)number(value);
    return SKY_OK;
}

static sky_err take_bytes(const struct reader *reader, const cJSON *value)
{
    reader->fault->fate.corrupt = (unsigned)number(value);
    return SKY_OK;
}

static sky_err take_at(const struct reader *reader, const cJSON *value)
{
    struct sky_fate *fate = &reader->fault->fate;
    fate->cut_at = fate->corrupt_at = (size_t)number(value);
    fate->corrupt_anywhere = false;
    return SKY_OK;
}

static sky_err take_drip(const struct reader *reader, const cJSON *value)
{
    reader->fault->fate.drip_bytes_per_s = (uint32_t)number(value);
    return SKY_OK;
}

static sky_err take_kind(const struct reader *reader, const cJSON *value)
{
    char text[SKY_WHY_REASON_MAX] = "there is no such kind of certificate; the kinds are";
    for (unsigned i = 1; i < SKY_LIE_COUNT; i++) {
        const char *name = sky_lie_name((enum sky_lie)i);
        size_t len = strlen(text);
        if (strcmp(name, value->valuestring) == 0) {
            reader->fault->fate.certificate = (uint8_t)i;
            return SKY_OK;
        }
        snprintf(text + len, sizeof text - len, "%s %s", i > 1 ? "," : "", name);
    }
    return bad(reader, "kind", text);
}

/* ---- the members ---- */

/* Row: name, of which actions, what it is, from, to, who takes it. Fields of `set` stand in a table
 * of their own. */
static const struct member {
    const char *name;
    unsigned actions;
    enum kind kind;
    int64_t min, max; /* of a text: bytes */
    take_fn *take;
    bool required;
} members[] = {
    {"point", EVERY, TEXT, 1, 64, NULL, false},
    {"action", EVERY, TEXT, 1, 64, NULL, false},
    {"name", EVERY, TEXT, 1, SKY_FAULT_NAME_MAX, take_name, false},
    {"device", EVERY, TEXT, 1, SKY_DEVICE_NAME_MAX, take_device, false},
    {"product", EVERY, TEXT, 1, SKY_DEVICE_NAME_MAX, take_product, false},
    {"match", EVERY, OBJECT, 0, 0, take_match, false},
    {"skip", EVERY, INTEGER, 0, JSON_INT_MAX, take_skip, false},
    {"count", EVERY, INTEGER, 1, JSON_INT_MAX, take_count, false},
    {"probability", EVERY, SHARE, 0, 1, take_probability, false},
    {"seed", EVERY, INTEGER, 0, JSON_INT_MAX, take_seed, false},
    {"forMs", EVERY, INTEGER, 1, SKY_CLOCK_ADVANCE_MAX_MS, take_for, false},
    {"ms", OF(DELAY) | OF(REORDER), INTEGER, 1, SKY_FAULT_DELAY_MAX_MS, take_delay, true},
    {"times", OF(DUPLICATE), INTEGER, 1, SKY_WIRE_COPIES_MAX, take_times, false},
    {"bytes", OF(CORRUPT), INTEGER, 1, SKY_MQTT_PACKET_MAX, take_bytes, false},
    {"at", OF(CORRUPT), INTEGER, 0, SKY_MQTT_PACKET_MAX, take_at, false},
    {"at", OF(CUT), INTEGER, 0, SKY_MQTT_PACKET_MAX, take_at, true},
    {"bytesPerS", OF(DRIP), INTEGER, 1, INT32_MAX, take_drip, true},
    {"kind", OF(CERTIFICATE), TEXT, 1, 64, take_kind, true},
};

/* The same for what `set` changes; a bool is an integer of 0 or 1 here. */
static const struct member fields[SKY_FAULT_FIELD_COUNT] = {
#define X(field, text, kind, min, max)                                                             \
    [SKY_FAULT_FIELD_##field] = {text, OF(SET), kind, min, max, NULL, false},
    SKY_FAULT_FIELDS(X)
#undef X
};

static sky_err check(const struct reader *reader, const cJSON *value, enum kind kind, int64_t min,
                     int64_t max)
{
    char text[160];
    double found = value->valuedouble;
    switch (kind) {
    case TEXT:
        if (cJSON_IsString(value) && strlen(value->valuestring) >= (size_t)min &&
            strlen(value->valuestring) <= (size_t)max)
            return SKY_OK;
        snprintf(text, sizeof text, "'%s' must be a text of %s%lld bytes at most", value->string,
                 min > 0 ? "one or more, and " : "", (long long)max);
        break;
    case INTEGER:
        if (cJSON_IsNumber(value) && found >= (double)min && found <= (double)max &&
            found == (double)(int64_t)found)
            return SKY_OK;
        snprintf(text, sizeof text, "'%s' must be a whole number, %lld to %lld", value->string,
                 (long long)min, (long long)max);
        break;
    case SHARE:
        if (cJSON_IsNumber(value) && found >= (double)min && found <= (double)max)
            return SKY_OK;
        snprintf(text, sizeof text, "'%s' must be a number, 0 to 1", value->string);
        break;
    case BOOLEAN:
        if (cJSON_IsBool(value))
            return SKY_OK;
        snprintf(text, sizeof text, "'%s' must be true or false", value->string);
        break;
    case OBJECT:
        if (cJSON_IsObject(value))
            return SKY_OK;
        snprintf(text, sizeof text, "'%s' must be an object", value->string);
        break;
    }
    return bad(reader, value->string, text);
}

/* The names whose bits are set, "code, packetId". */
static const char *list(unsigned bits, unsigned count, const char *(*name)(unsigned), char *out,
                        size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        if (bits >> i & 1 && len < size)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "", name(i));
    return out;
}

static const char *action_at(unsigned i)
{
    return sky_fault_action_name((enum sky_fault_action)i);
}

static const char *field_at(unsigned i)
{
    return sky_fault_field_name((enum sky_fault_field)i);
}

static const char *point_at(unsigned i)
{
    return sky_point_name((enum sky_point)i);
}

static sky_err take_field(const struct reader *reader, const cJSON *value, unsigned which)
{
    struct sky_fault *fault = reader->fault;
    const struct member *field = &fields[which];
    char names[128], text[SKY_WHY_REASON_MAX];
    unsigned takes = sky_fault_fields(fault->point);
    if (fault->action != SKY_FAULT_SET) {
        snprintf(text, sizeof text, "'%s' belongs to the action set, not to %s", field->name,
                 sky_fault_action_name(fault->action));
        return bad(reader, value->string, text);
    }
    if (!(takes >> which & 1)) {
        snprintf(text, sizeof text, "%s has no '%s'; what can be set there: %s",
                 sky_point_name(fault->point), field->name,
                 list(takes, SKY_FAULT_FIELD_COUNT, field_at, names, sizeof names));
        return bad(reader, value->string, text);
    }
    sky_err err = check(reader, value, field->kind, field->min, field->max);
    if (err != SKY_OK)
        return err;
    fault->fields |= 1U << which;
    fault->numbers[which] = cJSON_IsBool(value) ? cJSON_IsTrue(value) : number(value);
    if (which == SKY_FAULT_FIELD_PAYLOAD)
        fault->payload = sky_span_str(value->valuestring);
    if (which == SKY_FAULT_FIELD_TOPIC)
        fault->topic = sky_span_str(value->valuestring);
    if (which == SKY_FAULT_FIELD_MERGE)
        fault->merge = value;
    if (which == SKY_FAULT_FIELD_TOPIC && !sky_topic_valid_name(fault->topic))
        return bad(reader, "topic", "that is no topic name: it has wildcards, or is empty");
    if (which == SKY_FAULT_FIELD_STATUS && fault->point == SKY_POINT_COAP_ANSWER &&
        number(value) % 100 > 31)
        return bad(reader, "status", "CoAP has no such code; 4.04 is 404 (RFC 7252 §12.1.2)");
    return SKY_OK;
}

static sky_err take_member(const struct reader *reader, const cJSON *value)
{
    const struct sky_fault *fault = reader->fault;
    char names[128], text[SKY_WHY_REASON_MAX];
    unsigned owners = 0;
    for (size_t i = 0; i < SKY_COUNT(members); i++) {
        const struct member *member = &members[i];
        if (strcmp(member->name, value->string) != 0)
            continue;
        owners |= member->actions;
        if (!(member->actions >> fault->action & 1))
            continue;
        sky_err err = check(reader, value, member->kind, member->min, member->max);
        return err != SKY_OK || member->take == NULL ? err : member->take(reader, value);
    }
    for (unsigned i = 0; i < SKY_FAULT_FIELD_COUNT; i++)
        if (strcmp(fields[i].name, value->string) == 0)
            return take_field(reader, value, i);
    if (owners == 0)
        snprintf(text, sizeof text, "a fault has no member '%.60s'", value->string);
    else
        snprintf(text, sizeof text, "'%s' belongs to %s; %s does not take it", value->string,
                 list(owners, SKY_FAULT_ACTION_COUNT, action_at, names, sizeof names),
                 sky_fault_action_name(fault->action));
    return bad(reader, value->string, text);
}

bool sky_fault_argument_at(size_t number, struct sky_fault_argument *ret_argument)
{
    static const char *const kinds[] = {[TEXT] = "text",
                                        [INTEGER] = "integer",
                                        [BOOLEAN] = "boolean",
                                        [SHARE] = "number",
                                        [OBJECT] = "object"};
    enum { FIRST = 2 }; /* behind the point and the action */
    size_t at = FIRST + number;
    if (at >= SKY_COUNT(members) + SKY_FAULT_FIELD_COUNT)
        return false;
    const struct member *member =
        at < SKY_COUNT(members) ? &members[at] : &fields[at - SKY_COUNT(members)];
    *ret_argument =
        (struct sky_fault_argument){.name = member->name,
                                    .kind = kinds[member->kind],
                                    .actions = member->actions,
                                    .required = member->required,
                                    .bounded = member->kind != BOOLEAN && member->kind != OBJECT,
                                    .min = member->min,
                                    .max = member->max};
    return true;
}

/* ---- what and where ---- */

static sky_err find(const struct reader *reader, const char *member, unsigned count,
                    const char *(*name)(unsigned), unsigned *ret_which)
{
    char names[SKY_WHY_REASON_MAX - 80], text[SKY_WHY_REASON_MAX];
    const char *given = sky_json_get_str(reader->json, member);
    if (given == NULL)
        return bad(reader, member,
                   sky_json_get(reader->json, member) == NULL ? "it is missing"
                                                              : "it must be a text");
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(name(i), given) == 0) {
            *ret_which = i;
            return SKY_OK;
        }
    }
    snprintf(text, sizeof text, "there is no %s '%.30s'; they are: %s", member, given,
             list(UINT32_MAX, count, name, names, sizeof names));
    return bad(reader, member, text);
}

static sky_err find_both(const struct reader *reader)
{
    struct sky_fault *fault = reader->fault;
    unsigned point = 0, action = 0;
    char text[SKY_WHY_REASON_MAX];
    sky_err err = find(reader, "point", SKY_POINT_CHOSEN_COUNT, point_at, &point);
    if (err == SKY_OK)
        err = find(reader, "action", SKY_FAULT_ACTION_COUNT, action_at, &action);
    if (err != SKY_OK)
        return err;
    fault->point = (enum sky_point)point;
    fault->action = (enum sky_fault_action)action;
    const char *refusal = sky_fault_refusal(fault->point, fault->action);
    if (refusal == NULL)
        return SKY_OK;
    snprintf(text, sizeof text, "%s cannot be done at %s: %s", action_at(action), point_at(point),
             refusal);
    return bad(reader, "action", text);
}

/* What the action does when its arguments are left out. */
static void begin(struct sky_fault *fault)
{
    static const struct sky_fate fates[SKY_FAULT_ACTION_COUNT] = {
        [SKY_FAULT_WITHHOLD] = {.withhold = true},
        [SKY_FAULT_REORDER] = {.reorder = true},
        [SKY_FAULT_DUPLICATE] = {.copies = 1},
        [SKY_FAULT_CORRUPT] = {.corrupt = 1, .corrupt_anywhere = true},
        [SKY_FAULT_CUT] = {.cut = true, .then = SKY_BREAK_CLOSE},
        [SKY_FAULT_CLOSE] = {.withhold = true, .then = SKY_BREAK_CLOSE},
        [SKY_FAULT_RESET] = {.withhold = true, .then = SKY_BREAK_RESET},
        [SKY_FAULT_FREEZE] = {.withhold = true, .then = SKY_BREAK_FREEZE},
    };
    fault->fate = fates[fault->action];
    fault->fate.action = sky_fault_action_name(fault->action);
    fault->probability = 1;
}

/* Where nobody has said yet who it is, who it is to be would never come. */
static sky_err check_whom(const struct reader *reader)
{
    static const char *const whom[] = {"device", "product", "cloud"};
    const struct sky_fault *fault = reader->fault;
    bool accept = fault->point == SKY_POINT_ACCEPT;
    const cJSON *match = sky_json_get(reader->json, "match");
    char member[SKY_WHY_POINTER_MAX], text[SKY_WHY_REASON_MAX];
    if (!accept && fault->action != SKY_FAULT_CERTIFICATE)
        return SKY_OK;
    for (size_t i = 0; i < SKY_COUNT(whom); i++) {
        bool matched = match != NULL && sky_json_get(match, whom[i]) != NULL;
        if (!matched && sky_json_get(reader->json, whom[i]) == NULL)
            continue;
        snprintf(member, sizeof member, "%s%s", matched ? "match/" : "", whom[i]);
        snprintf(text, sizeof text,
                 "whose it is nobody has said yet at that moment; \"match\" chooses by "
                 "\"listener\"%s",
                 accept ? " and \"peer\"" : ", \"peer\" and \"serverName\"");
        return bad(reader, member, text);
    }
    return SKY_OK;
}

static sky_err check_complete(const struct reader *reader)
{
    const struct sky_fault *fault = reader->fault;
    char names[128], text[SKY_WHY_REASON_MAX];
    for (size_t i = 0; i < SKY_COUNT(members); i++) {
        const struct member *member = &members[i];
        if (!member->required || !(member->actions >> fault->action & 1) ||
            sky_json_get(reader->json, member->name) != NULL)
            continue;
        snprintf(text, sizeof text, "%s needs '%s'", action_at(fault->action), member->name);
        return bad(reader, member->name, text);
    }
    if (fault->action != SKY_FAULT_SET || fault->fields != 0)
        return SKY_OK;
    snprintf(
        text, sizeof text, "set changes nothing; what can be set at %s: %s", point_at(fault->point),
        list(sky_fault_fields(fault->point), SKY_FAULT_FIELD_COUNT, field_at, names, sizeof names));
    return bad(reader, "action", text);
}

sky_err sky_fault__read(struct sky_fault *fault, cJSON *json, const char *at, struct sky_why *why)
{
    const struct reader reader = {fault, json, at, why};
    const cJSON *member;
    if (!cJSON_IsObject(json))
        return sky_why_set(why, SKY_ERR_INVALID, at, "a fault is an object");
    sky_err err = find_both(&reader);
    if (err != SKY_OK)
        return err;
    begin(fault);
    cJSON_ArrayForEach (member, json) {
        err = take_member(&reader, member);
        if (err != SKY_OK)
            return err;
    }
    err = check_complete(&reader);
    if (err == SKY_OK)
        err = check_whom(&reader);
    if (err == SKY_OK)
        fault->json = json;
    return err;
}

void sky_fault__free(struct sky_fault *fault)
{
    sky_pattern_free(fault->pattern);
    sky_buf_done(&fault->merged);
    cJSON_Delete(fault->json);
    free(fault);
}

/* ---- and back ---- */

void sky_fault__print(const struct sky_fault *fault, int64_t lived_ms, bool whole,
                      struct sky_jw *jw)
{
    const cJSON *member;
    sky_jw_object(jw);
    cJSON_ArrayForEach (member, fault->json) {
        struct sky_buf value;
        sky_buf_init(&value, 8 * SKY_FAULT_PAYLOAD_MAX);
        if (sky_json_print(&value, member)) {
            sky_jw_key(jw, member->string);
            sky_jw_raw(jw, sky_buf_span(&value));
        }
        sky_buf_done(&value);
    }
    if (sky_json_get(fault->json, "seed") == NULL)
        sky_jw_put_int(jw, "seed", (int64_t)fault->seed);
    sky_jw_put_int(jw, "id", fault->id);
    sky_jw_put_int(jw, "fired", fault->fired);
    sky_jw_put_bool(jw, "spent",
                    fault->spent || (fault->until_ms != 0 && fault->until_ms <= lived_ms));
    if (whole) {
        sky_jw_put_int(jw, "seen", fault->seen);
        sky_jw_put_int(jw, "drawn", fault->drawn);
        sky_jw_put_int(jw, "leftMs", fault->until_ms != 0 ? fault->until_ms - lived_ms : 0);
    }
    sky_jw_end_object(jw);
}

/* Takes a number out of the object. */
static bool detach(cJSON *json, const char *name, int64_t *ret_number)
{
    cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(json, name);
    bool good = cJSON_IsNumber(item);
    if (good)
        *ret_number = number(item);
    cJSON_Delete(item);
    return good;
}

sky_err sky_fault__read_state(struct sky_fault *fault, cJSON *json, int64_t lived_ms,
                              struct sky_why *why)
{
    int64_t id, fired, seen, drawn, left_ms;
    bool good = cJSON_IsObject(json) && detach(json, "id", &id) && detach(json, "fired", &fired) &&
                detach(json, "seen", &seen) && detach(json, "drawn", &drawn) &&
                detach(json, "leftMs", &left_ms) && id > 0;
    cJSON *spent = cJSON_DetachItemFromObjectCaseSensitive(json, "spent");
    bool is_spent = cJSON_IsTrue(spent);
    cJSON_Delete(spent);
    if (!good)
        return sky_why_set(why, SKY_ERR_INVALID, "", "a saved fault lacks its counts");
    sky_err err = sky_fault__read(fault, json, "", why);
    if (err != SKY_OK)
        return err;
    fault->id = id;
    fault->fired = fired;
    fault->seen = seen;
    fault->drawn = drawn;
    fault->spent = is_spent;
    if (fault->until_ms != 0)
        fault->until_ms = lived_ms + left_ms;
    return SKY_OK;
}
