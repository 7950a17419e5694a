/* Events as lines for people, from the journal or as the admin API gives them: both give the same.
 * What a peer has sent is shown so that it cannot move anybody's cursor. */
#ifndef SKY_SERVER_JOURNAL_LINE_H
#define SKY_SERVER_JOURNAL_LINE_H

#include "protocol/base/json_tree.h"
#include "server/journal/json.h"

enum { SKY_EVENT_LINE_MAX = 16 * 1024 };

/* At most `max` bytes of a text, with controls as \xNN; of one that is longer, how long it is. */
void sky_text_show(struct sky_buf *out, sky_span text, size_t max);

/* Any event: number, time, direction, type, whose, what is in it, and the rules it broke. */
void sky_event_line(const cJSON *event, struct sky_buf *out);
void sky_event_show(const struct sky_event_printer *printer, const struct sky_event *event,
                    struct sky_buf *out);

/* Was the act refused? */
bool sky_event_is_refusal(const cJSON *event);
/* The same in the form of a refusal: time, peer, whose, the rule, and the mistake in a sentence. */
void sky_refusal_line(const cJSON *event, struct sky_buf *out);
/* A text that can be shown, as a command of a GitHub workflow, which makes an annotation of it. */
void sky_text_annotate(struct sky_buf *out, sky_span title, sky_span shown);
/* And as such a command. */
void sky_refusal_annotation(const cJSON *event, struct sky_buf *out);

#endif
