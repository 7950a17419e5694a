/* Fixture files: finds and reads them, and hands their text to the store's loader with the words
 * of every cloud. Knows files and folders; what a fixture means is store/seed.h's business. */
#ifndef SKY_SERVER_FIXTURE_FILES_H
#define SKY_SERVER_FIXTURE_FILES_H

#include <stdio.h>

#include "protocol/base/rule.h"
#include "server/config.h"
#include "server/rng.h"
#include "store/seed.h"

enum {
    SKY_FIXTURE_FILES_MAX = 10000, /* in all the paths given */
    SKY_FIXTURE_DEPTH_MAX = 16,    /* folders within folders */
};

struct sky_fixture_result {
    size_t files;
    struct sky_seed_count count; /* summed over all files */
};

/* Loads each path, in the order given: a file, or a folder with all its *.json files, by name,
 * folders within it too. Every error goes to `errors` as "file: pointer: reason" (NULL: nowhere),
 * and files after a bad one are still read, so that all errors show at once. `store` NULL: only
 * checks. `rng` gives secrets to devices without one; it may be NULL when `store` is.
 * On failure `why` has the first error; what good files held before it stays in the store. */
SKY_MUST_USE sky_err sky_fixture_files_load(struct sky_store *store,
                                            const struct sky_strings *paths,
                                            const struct sky_catalogue *catalogue,
                                            struct sky_rng *rng, FILE *errors,
                                            struct sky_fixture_result *ret_result,
                                            struct sky_why *why);

#endif
