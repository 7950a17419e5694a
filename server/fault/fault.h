/* The faults: what a test wants broken, where, for whom and how often. A list in the order of their
 * making; the first that wants a passage and is not spent decides about it. Decides only: who
 * carries it out are the wire and those who ask it. Knows no HTTP and no ports. */
#ifndef SKY_SERVER_FAULT_FAULT_H
#define SKY_SERVER_FAULT_FAULT_H

#include "protocol/base/json_tree.h"
#include "server/fault/matrix.h"
#include "server/pattern/pattern.h"

struct sky_faults;
struct sky_faults_saved;

/* Those of a scope, as a value of their own: of one product (its id; its devices' among them), or
 * with 0 all of them. The counts they have reached and what is left of their time are in it. */
SKY_MUST_USE struct sky_faults_saved *sky_faults_save(const struct sky_faults *faults,
                                                      int64_t product_id);
void sky_faults_saved_free(struct sky_faults_saved *saved); /* NULL is fine */
/* Those of the same scope go, and these come, with the numbers they had. */
void sky_faults_restore(struct sky_faults *faults, const struct sky_faults_saved *saved,
                        int64_t product_id);
/* The value as JSON text, for a file, and back; NULL: it is not such a text. */
void sky_faults_saved_print(const struct sky_faults_saved *saved, struct sky_buf *out);
SKY_MUST_USE struct sky_faults_saved *sky_faults_saved_parse(sky_span json);

#endif
