/* The binary form of an event: how it lies in the ring and in the store's pages.
 * Position independent, so that an entry is copied from one to the other as it is. Knows neither;
 * what it decodes may come from a damaged file and is checked. */
#ifndef SKY_SERVER_JOURNAL_ENTRY_H
#define SKY_SERVER_JOURNAL_ENTRY_H

#include "server/journal/event.h"

enum {
    SKY_ENTRY_ALIGN = 8,
    SKY_ENTRY_HEAD = 48,
    SKY_ENTRY_ATTR_HEAD = 4,
    SKY_ENTRY_RULE_ID_MAX = 63,
    SKY_ENTRY_FINDING_HEAD = 3,
    /* Everything but the attributes' values. */
    SKY_ENTRY_FIXED_MAX = SKY_ENTRY_HEAD + SKY_JOURNAL_ATTRS_MAX * SKY_ENTRY_ATTR_HEAD +
                          SKY_FINDINGS_MAX * (SKY_ENTRY_FINDING_HEAD + SKY_ENTRY_RULE_ID_MAX +
                                              SKY_FINDING_DETAIL_MAX) +
                          SKY_ENTRY_RULE_ID_MAX + SKY_ENTRY_ALIGN,
    SKY_ENTRY_MAX = SKY_ENTRY_FIXED_MAX + SKY_JOURNAL_ATTRS_MAX * SKY_JOURNAL_PAYLOAD_MAX,
};

/* The first bytes of an entry. */
struct sky_entry_head {
    uint32_t size; /* of the whole entry, a multiple of SKY_ENTRY_ALIGN */
    uint32_t connection;
    uint64_t seq;
    int64_t now_ms, real_ms; /* virtual and real Unix time */
    int64_t device_id;
    uint8_t type, direction, transport;
    uint8_t attr_count, finding_count, findings_lost;
    uint8_t refused_len; /* of the id of the rule that refused, behind the findings */
    uint8_t cut;         /* some field was longer than the journal keeps */
};

/* Bytes that the entry of this event takes; every field is cut at `field_max`. */
size_t sky_entry_size(const struct sky_attr *attrs, size_t count, const struct sky_judge *judge,
                      size_t field_max);
/* Writes it to `at`, which has the room that sky_entry_size() said. `head` is complete but for
 * the counts. */
void sky_entry_write(char *at, struct sky_entry_head *head, const struct sky_attr *attrs,
                     size_t count, const struct sky_judge *judge, size_t field_max);

/* Reads the head of the entry at the front; false when the bytes cannot be one. */
bool sky_entry_read_head(sky_span bytes, struct sky_entry_head *ret_head);
/* Decodes it; views point into `bytes`. False when it is damaged. */
bool sky_entry_read(sky_span bytes, struct sky_event *ret_event);

/* Changes with every change of the tables or of the layout: what another version of the program
 * has written is recognised by it. */
uint32_t sky_entry_format(void);

#endif
