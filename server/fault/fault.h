/* The faults: what a test wants broken, where, for whom and how often. A list in the order of their
 * making; the first that takes a passage decides about it, and the others do not see it. Decides
 * only: who carries it out are the wire and those who ask it. Knows no HTTP and no ports. */
#ifndef SKY_SERVER_FAULT_FAULT_H
#define SKY_SERVER_FAULT_FAULT_H

#include "protocol/base/json_tree.h"
#include "server/fault/matrix.h"
#include "server/registry/registry.h"
#include "server/wire/wire.h"

struct sky_faults;

/* All borrowed. From now on the wire asks these. */
struct sky_faults *sky_faults_new(struct sky_registry *registry, struct sky_wire *wire,
                                  struct sky_net *net);
void sky_faults_free(struct sky_faults *faults); /* NULL is fine */

/* Takes one in the form of the API, behind those that are there. INVALID: `why` has the pointer,
 * with `at` in front, and the reason; LIMIT: there are SKY_FAULTS_MAX. */
SKY_MUST_USE sky_err sky_faults_add(struct sky_faults *faults, const cJSON *json, const char *at,
                                    struct sky_why *why, int64_t *ret_id);
/* What a fault takes beside its point and action: of an action that may have it in two forms, at
 * two numbers. False: there are no more. */
struct sky_fault_argument {
    const char *name;
    const char *kind; /* "text", "integer", "number", "boolean", "object" */
    unsigned actions; /* that take it, a bit for each */
    bool required;
    bool bounded; /* it has a least and a greatest value; of a text: length in bytes */
    int64_t min, max;
};
bool sky_fault_argument_at(size_t number, struct sky_fault_argument *ret_argument);
/* Would it be taken? INVALID as there. */
SKY_MUST_USE sky_err sky_fault_check(const cJSON *json, const char *at, struct sky_why *why);
/* Whoever it has frozen is let go. False: there is none of that number. */
bool sky_faults_drop(struct sky_faults *faults, int64_t id);
/* All that were given this name. */
bool sky_faults_drop_named(struct sky_faults *faults, sky_span name);

/* Of those of a name: "" are all, "cloud/product" that product's and its devices', and
 * "cloud/product/device" that device's. What is limited to nobody by name is only in all. */
void sky_faults_clear(struct sky_faults *faults, sky_span name);
/* As values of an open array, each with its number and how often it fired: `count` of those behind
 * number `*after`, which is then that of the last of them. False: there are no more. */
bool sky_faults_print(const struct sky_faults *faults, sky_span name, int64_t *after, size_t count,
                      struct sky_jw *jw);
/* As JSON text, with what they have counted and what is left of their time; and back, with the
 * numbers they had, in place of those that are there of that name. INVALID: it is no such text,
 * and nothing has changed. */
void sky_faults_save(const struct sky_faults *faults, sky_span name, struct sky_buf *out);
SKY_MUST_USE sky_err sky_faults_restore(struct sky_faults *faults, sky_span name, sky_span json,
                                        struct sky_why *why);

#endif
