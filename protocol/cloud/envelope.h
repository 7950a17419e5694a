/* What JSON messages have in common in every cloud: opening one within limits, echoing its id
 * exactly as it came, and putting the answer where the device waits for it. Knows no service. */
#ifndef SKY_CLOUD_ENVELOPE_H
#define SKY_CLOUD_ENVELOPE_H

#include "protocol/base/json.h"
#include "protocol/cloud/cloud.h"

enum {
    SKY_ENVELOPE_DEPTH_MAX = 24,
    SKY_ENVELOPE_ID_MAX = 512,                /* bytes of an id that is echoed, quotes included */
    SKY_ENVELOPE_PARAMS_MAX = 256 * 1024,     /* bytes of a command's parameters */
    SKY_ENVELOPE_NAME_MAX = 128,              /* bytes of a command's name */
    SKY_ENVELOPE_REPLY_MAX = 4 * 1024 * 1024, /* bytes; twice what any document may hold */
};

/* What is said of a topic whose service the cloud has and this server has not; with the topic. */
#define SKY_ENVELOPE_UNPLAYED "%.*s is a documented topic; its service is not played here"

enum sky_envelope_fault {
    SKY_ENVELOPE_SOUND,
    SKY_ENVELOPE_EMPTY,
    SKY_ENVELOPE_LARGE,  /* longer than the service takes */
    SKY_ENVELOPE_BROKEN, /* not a JSON object, or nested too deeply */
};

/* A request {id, version, method, params}, read in place: spans are of the payload, JSON as it was
 * written (json_view.h), and empty where the member is absent. */
struct sky_envelope {
    enum sky_envelope_fault fault;
    sky_span text; /* the whole object */
    sky_span id;   /* a string with its quotes or a number; empty when there is none to echo */
    sky_span version, params;
    sky_span method;    /* empty also when it is "" or null: the topic decides what is asked for */
    struct sky_why why; /* when BROKEN */
};

/* Checks the payload once. Everything stays empty unless it is sound. */
void sky_envelope_open(struct sky_envelope *ret_envelope, sky_span payload, size_t payload_max);

/* The value if an answer may repeat it: a string or a number within SKY_ENVELOPE_ID_MAX; or empty.
 */
sky_span sky_envelope_echoable(sky_span value);

/* Does `method` (a JSON string) name the topic's levels from number `first` on, with dots in
 * place of slashes? */
bool sky_envelope_method_fits(sky_span method, sky_span topic, size_t first);

/* The topic's levels from number `first` on, as they stand. */
sky_span sky_envelope_levels(sky_span topic, size_t first);

/* The topic with "_reply" behind it; is one already that? */
sky_span sky_envelope_reply_topic(struct sky_arena *arena, sky_span topic);
bool sky_envelope_is_reply(sky_span topic);

/* Moves the finished text of `out` into the arena and frees the buffer. */
sky_span sky_envelope_keep(struct sky_arena *arena, struct sky_buf *out);

/* The devices behind a gateway as a JSON list of their keys, in the cloud's words. */
sky_span sky_envelope_behind(struct sky_effects *effects, const struct sky_uplink *uplink,
                             const struct sky_facts *facts);

/* Moves `out` into a REPLY on `topic`, with the quality of service the request had. */
void sky_envelope_reply(struct sky_effects *effects, const struct sky_uplink *uplink,
                        sky_span topic, struct sky_buf *out);

/* Replaces the document `name`, counting its version up; moves `out`. */
void sky_envelope_store(struct sky_effects *effects, const struct sky_facts *facts,
                        const char *name, struct sky_buf *out);

/* The device's answer to a command: `id` is its correlation id, empty when there is none, the
 * payload goes along whole. What comes on this topic answers commands to topics within the filter
 * `answers`, in the arena. */
void sky_envelope_answer(struct sky_effects *effects, const struct sky_uplink *uplink, sky_span id,
                         sky_span answers);
/* The topic without its "_reply". */
sky_span sky_envelope_asked_topic(struct sky_arena *arena, sky_span topic);

/* Something only the journal needs to know. */
void sky_envelope_note(struct sky_effects *effects, const char *what, sky_span details);

/* Command parameters as compact JSON in the arena: "{}" when there are none, the empty span when
 * they are not JSON or too long. */
sky_span sky_envelope_params(struct sky_arena *arena, sky_span params);

/* Is this one level of a topic that a device could receive on? */
bool sky_envelope_is_level(sky_span name);

#endif
