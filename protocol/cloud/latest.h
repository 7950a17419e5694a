/* The latest value of each of a device's properties, attributes or tags: one JSON object of names
 * and values, kept as text so that values stay as the device wrote them. Knows no cloud. */
#ifndef SKY_CLOUD_LATEST_H
#define SKY_CLOUD_LATEST_H

#include "protocol/cloud/cloud.h"

enum {
    SKY_LATEST_NAMES_MAX = 4096,
    SKY_LATEST_NAME_MAX = 256,               /* bytes of one name as JSON */
    SKY_LATEST_BYTES_MAX = SKY_DOCUMENT_MAX, /* what is longer could not be read back */
};

struct sky_latest_entry;

/* Names that were there stay in their order, new ones follow. */
struct sky_latest {
    struct sky_arena *arena;       /* borrowed */
    struct sky_latest_entry *rows; /* a hash; the entries live in the arena */
    size_t bytes;                  /* of the document as it stands */
    bool changed;
    bool full; /* something was not taken because of a limit */
};

/* Reads a stored document, or starts empty. `stored` must outlive the table. */
void sky_latest_open(struct sky_latest *latest, sky_span stored, struct sky_arena *arena);
void sky_latest_close(struct sky_latest *latest);

/* The value under a name (JSON without the quotes), or the empty span. */
sky_span sky_latest_get(const struct sky_latest *latest, sky_span name);

/* Sets a value; both spans must outlive the table. Past a limit nothing but `full` changes. */
void sky_latest_put(struct sky_latest *latest, sky_span name, sky_span value);
void sky_latest_drop(struct sky_latest *latest, sky_span name);

/* Appends the PUT_DOCUMENT if anything changed, and a note if something was left out. */
void sky_latest_save(struct sky_latest *latest, const struct sky_facts *facts, const char *name,
                     struct sky_effects *effects);

#endif
