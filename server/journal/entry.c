#include "server/journal/entry.h"

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

_Static_assert(sizeof(struct sky_entry_head) == SKY_ENTRY_HEAD, "the head has no padding");
_Static_assert(SKY_JOURNAL_PAYLOAD_MAX < 1 << 24, "a field's length has 24 bits");
_Static_assert(SKY_EVENT_FIELD_COUNT <= 256, "a field's number has 8 bits");
_Static_assert(SKY_FINDING_DETAIL_MAX <= 256, "a detail's length has 8 bits");

enum { LAYOUT = 1, NUMBER_LEN = sizeof(int64_t) };

static bool is_number(unsigned field)
{
    return sky_event_field_kind((enum sky_event_field)field) >= SKY_KIND_INT;
}

static uint32_t mix(uint32_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * 16777619u; /* FNV-1a, with the NUL */
    while (*text++ != '\0');
    return hash;
}

uint32_t sky_entry_format(void)
{
    uint32_t hash = 2166136261u + LAYOUT;
    for (size_t i = 0; i < SKY_EVENT_TYPE_COUNT; i++)
        hash = mix(hash, sky_event_type_name((enum sky_event_type)i));
    for (size_t i = 0; i < SKY_EVENT_FIELD_COUNT; i++)
        hash = mix(hash, sky_event_field_key((enum sky_event_field)i)) +
               sky_event_field_kind((enum sky_event_field)i);
    return hash;
}

/* ---- writing ---- */

static size_t value_len(const struct sky_attr *attr, size_t field_max)
{
    if (is_number(attr->field))
        return NUMBER_LEN;
    return attr->bytes.len < field_max ? attr->bytes.len : field_max;
}

static size_t rule_id_len(const struct sky_rule *rule)
{
    return strnlen(rule->id, SKY_ENTRY_RULE_ID_MAX);
}

static size_t findings_size(const struct sky_judge *judge)
{
    size_t size = judge->refused ? rule_id_len(judge->refused) : 0;
    for (size_t i = 0; i < judge->count; i++)
        size += SKY_ENTRY_FINDING_HEAD + rule_id_len(judge->findings[i].rule) +
                strlen(judge->findings[i].detail);
    return size;
}

size_t sky_entry_size(const struct sky_attr *attrs, size_t count, const struct sky_judge *judge,
                      size_t field_max)
{
    size_t size = SKY_ENTRY_HEAD + count * SKY_ENTRY_ATTR_HEAD;
    for (size_t i = 0; i < count; i++)
        size += value_len(&attrs[i], field_max);
    if (judge != NULL)
        size += findings_size(judge);
    return (size + SKY_ENTRY_ALIGN - 1) & ~(size_t)(SKY_ENTRY_ALIGN - 1);
}

static char *put(char *at, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(at, bytes, len);
    return at + len;
}

static char *put_attr(char *at, const struct sky_attr *attr, size_t len)
{
    uint32_t word = (uint32_t)attr->field << 24 | (uint32_t)len;
    at = put(at, &word, sizeof word);
    if (is_number(attr->field))
        return put(at, &attr->number, NUMBER_LEN);
    return put(at, attr->bytes.ptr, len);
}

static char *put_finding(char *at, const struct sky_finding *finding,
                         const struct sky_policy *policy)
{
    size_t id_len = rule_id_len(finding->rule), detail_len = strlen(finding->detail);
    *at++ = (char)sky_policy_action(policy, finding->rule);
    *at++ = (char)id_len;
    *at++ = (char)detail_len;
    at = put(at, finding->rule->id, id_len);
    return put(at, finding->detail, detail_len);
}

static char *put_judgement(char *at, struct sky_entry_head *head, const struct sky_judge *judge)
{
    head->finding_count = (uint8_t)judge->count;
    head->findings_lost = (uint8_t)(judge->lost < UINT8_MAX ? judge->lost : UINT8_MAX);
    for (size_t i = 0; i < judge->count; i++)
        at = put_finding(at, &judge->findings[i], judge->policy);
    if (judge->refused != NULL) {
        head->refused_len = (uint8_t)rule_id_len(judge->refused);
        at = put(at, judge->refused->id, head->refused_len);
    }
    return at;
}

void sky_entry_write(char *at, struct sky_entry_head *head, const struct sky_attr *attrs,
                     size_t count, const struct sky_judge *judge, size_t field_max)
{
    char *start = at;
    at += SKY_ENTRY_HEAD;
    head->attr_count = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        at = put_attr(at, &attrs[i], value_len(&attrs[i], field_max));
        head->cut |= !is_number(attrs[i].field) && attrs[i].bytes.len > field_max;
    }
    if (judge != NULL)
        at = put_judgement(at, head, judge);
    SKY_ASSERT(at <= start + head->size && at + SKY_ENTRY_ALIGN > start + head->size);
    put(start, head, sizeof *head);
}

/* ---- reading ---- */

/* Takes `len` bytes off the front of `*rest`. */
static bool take(sky_span *rest, size_t len, sky_span *ret_piece)
{
    if (rest->len < len)
        return false;
    *ret_piece = sky_span_head(*rest, len);
    *rest = sky_span_tail(*rest, len);
    return true;
}

bool sky_entry_read_head(sky_span bytes, struct sky_entry_head *ret_head)
{
    if (bytes.len < SKY_ENTRY_HEAD)
        return false;
    struct sky_entry_head head;
    memcpy(&head, bytes.ptr, sizeof head);
    if (head.seq == 0 || head.size < SKY_ENTRY_HEAD || head.size > bytes.len ||
        head.size % SKY_ENTRY_ALIGN != 0 || head.type >= SKY_EVENT_TYPE_COUNT ||
        head.direction > SKY_INSIDE || head.transport > SKY_WSS ||
        head.attr_count > SKY_JOURNAL_ATTRS_MAX || head.finding_count > SKY_FINDINGS_MAX)
        return false;
    *ret_head = head;
    return true;
}

static bool read_attr(sky_span *rest, struct sky_attr *ret_attr)
{
    sky_span piece;
    uint32_t word;
    if (!take(rest, sizeof word, &piece))
        return false;
    memcpy(&word, piece.ptr, sizeof word);
    unsigned field = word >> 24;
    size_t len = word & 0xffffff;
    if (field >= SKY_EVENT_FIELD_COUNT || !take(rest, len, &piece))
        return false;
    *ret_attr = (struct sky_attr){.field = (enum sky_event_field)field};
    if (!is_number(field)) {
        ret_attr->bytes = piece;
        return true;
    }
    if (len != NUMBER_LEN)
        return false;
    memcpy(&ret_attr->number, piece.ptr, NUMBER_LEN);
    return true;
}

static bool read_finding(sky_span *rest, struct sky_event_finding *ret_finding)
{
    sky_span head;
    if (!take(rest, SKY_ENTRY_FINDING_HEAD, &head))
        return false;
    uint8_t action = (uint8_t)head.ptr[0];
    if (action > SKY_OFF)
        return false;
    ret_finding->action = (enum sky_action)action;
    return take(rest, (uint8_t)head.ptr[1], &ret_finding->rule_id) &&
           take(rest, (uint8_t)head.ptr[2], &ret_finding->detail);
}

static bool read_body(sky_span rest, const struct sky_entry_head *head, struct sky_event *event)
{
    for (size_t i = 0; i < head->attr_count; i++) {
        if (!read_attr(&rest, &event->attrs[i]))
            return false;
    }
    for (size_t i = 0; i < head->finding_count; i++) {
        if (!read_finding(&rest, &event->findings[i]))
            return false;
    }
    return take(&rest, head->refused_len, &event->refused);
}

bool sky_entry_read(sky_span bytes, struct sky_event *ret_event)
{
    struct sky_entry_head head;
    if (!sky_entry_read_head(bytes, &head))
        return false;
    ret_event->seq = head.seq;
    ret_event->now_ms = head.now_ms;
    ret_event->real_ms = head.real_ms;
    ret_event->head = (struct sky_event_head){.type = (enum sky_event_type)head.type,
                                              .direction = (enum sky_direction)head.direction,
                                              .transport = (enum sky_transport)head.transport,
                                              .connection = head.connection,
                                              .device_id = head.device_id};
    ret_event->attr_count = head.attr_count;
    ret_event->finding_count = head.finding_count;
    ret_event->findings_lost = head.findings_lost;
    ret_event->cut = head.cut != 0;
    return read_body(sky_span_tail(sky_span_head(bytes, head.size), SKY_ENTRY_HEAD), &head,
                     ret_event);
}
