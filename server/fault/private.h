/* The parts of the room among themselves: what one fault is (form), whom it looks at (subject), and
 * the list of them (fault). */
#ifndef SKY_SERVER_FAULT_PRIVATE_H
#define SKY_SERVER_FAULT_PRIVATE_H

#include "server/fault/matrix.h"
#include "server/pattern/pattern.h"
#include "server/registry/registry.h"
#include "server/wire/wire.h"

/* ---- form ---- */

struct sky_fault {
    int64_t id;
    cJSON *json;                        /* owned: as it was given */
    char label[SKY_FAULT_NAME_MAX + 1]; /* its name, or else its number */
    enum sky_point point;
    enum sky_fault_action action;
    struct sky_fate fate; /* but for the chance in it */

    /* Whom. */
    char scope[SKY_DEVICE_NAME_MAX + 1]; /* "cloud/product", "cloud/product/device"; "": anybody */
    bool one;                            /* a device */
    struct sky_pattern *pattern;         /* owned; NULL: whatever it is */
    bool asks_who;                       /* the pattern wants to know who is at the other end */

    /* How often. */
    int64_t skip, count; /* `count` 0: always */
    double probability;
    uint64_t seed;
    struct sky_rng rng; /* of the seed; draw n is the n-th block */
    int64_t seen, drawn, fired;
    int64_t until_ms; /* lived time; 0: for good */
    bool spent;

    /* What `set` does: a bit for each field. */
    unsigned fields;
    int64_t numbers[SKY_FAULT_FIELD_COUNT];
    sky_span topic, payload; /* in `json` */
    const cJSON *merge;      /* likewise; NULL: nothing */
    struct sky_buf merged;   /* the payload with it, until it fires again */

    struct sky_fault *prev, *next;
};

/* Reads the form of the API; `json` is taken over when it is SKY_OK. Number, seed, if none is
 * given, and times are the caller's. */
SKY_MUST_USE sky_err sky_fault__read(struct sky_fault *fault, cJSON *json, const char *at,
                                     struct sky_why *why);
void sky_fault__free(struct sky_fault *fault);
/* As an object, as it was given, with its number and counts behind; `whole`: with all that it takes
 * to go on where it was. */
void sky_fault__print(const struct sky_fault *fault, int64_t lived_ms, bool whole,
                      struct sky_jw *jw);
/* Takes back what is printed besides. */
SKY_MUST_USE sky_err sky_fault__read_state(struct sky_fault *fault, cJSON *json, int64_t lived_ms,
                                           struct sky_why *why);

/* ---- subject ---- */

/* A passage as the event that it is about to be. */
struct sky_fault_subject {
    struct sky_subject subject;
    struct sky_draft draft;
    struct sky_buf room;
    struct sky_who who;
};
/* `who`: with what is known of the other end. */
void sky_fault__subject(const struct sky_passage *passage, const struct sky_registry *registry,
                        struct sky_device_names *names, bool who,
                        struct sky_fault_subject *ret_subject);
void sky_fault__subject_done(struct sky_fault_subject *subject);

/* Changes the fields of what goes out. */
void sky_fault__set(struct sky_fault *fault, struct sky_out *out);

#endif
