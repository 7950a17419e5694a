/* Events, as the admin API gives them, as lines for people. What a peer has sent is shown so that
 * it cannot move anybody's cursor. */
#ifndef SKY_SERVER_CLI_EVENT_LINE_H
#define SKY_SERVER_CLI_EVENT_LINE_H

#include "protocol/base/buf.h"
#include "protocol/base/json_tree.h"

enum { SKY_EVENT_LINE_MAX = 16 * 1024 };

/* printf() to standard output of one line, with controls in it made visible. */
void sky_print_shown(const char *fmt, ...) SKY_PRINTF(1, 2);

/* Any event: number, time, direction, type, whose, what is in it, and the rules it broke. */
void sky_event_line(const cJSON *event, struct sky_buf *out);

/* Was the act refused? */
bool sky_event_is_refusal(const cJSON *event);
/* The same in the form of a refusal: time, peer, whose, the rule, and the mistake in a sentence. */
void sky_refusal_line(const cJSON *event, struct sky_buf *out);
/* And as a command of a GitHub workflow, which makes an annotation of it. */
void sky_refusal_annotation(const cJSON *event, struct sky_buf *out);

#endif
