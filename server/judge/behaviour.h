/* How a device behaves, told: as JSON for programs, and in lines for people. */
#ifndef SKY_SERVER_JUDGE_BEHAVIOUR_H
#define SKY_SERVER_JUDGE_BEHAVIOUR_H

#include "protocol/base/json.h"
#include "server/judge/intervals.h"

/* As an object. Of MQTT logins only where there were some. */
void sky_behaviour_print(const struct sky_behaviour *behaviour, struct sky_jw *jw);

/* The object that sky_behaviour_print() wrote, in lines of text, each with `indent` in front. */
void sky_behaviour_tell(sky_span profile, const char *indent, struct sky_buf *out);

#endif
