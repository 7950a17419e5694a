/* Fixture files: finds and reads them, and hands their text to the store's loader with the words
 * of every cloud. Knows files and folders; what a fixture means is store/seed.h's business. */
#ifndef SKY_SERVER_REGISTRY_FIXTURE_FILES_H
#define SKY_SERVER_REGISTRY_FIXTURE_FILES_H

#include <stdio.h>

#include "protocol/base/rule.h"
#include "protocol/cloud/cloud.h"
#include "server/os/config.h"
#include "server/os/rng.h"
#include "store/seed.h"

enum {
    SKY_FIXTURE_FILES_MAX = 10000,   /* in all the paths given */
    SKY_FIXTURE_DEPTH_MAX = 16,      /* folders within folders */
    SKY_FIXTURE_SUITE_MAX = 2 << 20, /* bytes of a file that is looked at to see what it is */

    SKY_FIXTURE_PIECE_DEVICES = 16,      /* of a piece at the most, */
    SKY_FIXTURE_PIECE_BYTES = 16 * 1024, /* and of the text after which no further one is added */
};

struct sky_fixture_result {
    size_t files;
    struct sky_seed_count count; /* summed over all files */
};

/* Finds the files that these paths stand for, those of fixtures and those of device suites; both
 * lists are the caller's. Errors go to `errors`, and false is returned when there was one. */
SKY_MUST_USE bool sky_fixture_files_find(const struct sky_strings *paths, FILE *errors,
                                         struct sky_strings *ret_files,
                                         struct sky_strings *ret_suites);

/* Whether each --fixtures may be read; `why` names the first that may not. */
SKY_MUST_USE sky_err sky_fixture_files_are_there(const struct sky_config *config,
                                                 struct sky_why *why);

/* Do the files have so many bytes together, or less? */
bool sky_fixture_files_are_short(const struct sky_strings *paths, size_t bytes);

/* Loads each path, in the order given: a file, or a folder with all its *.json files, by name,
 * folders within it too; a device suite in a folder is passed over. All files are checked before
 * the first is written, so that every error shows at once and a bad file leaves the store as it
 * was. Errors go to `errors` (NULL: nowhere) as "file: pointer: reason"; `why` has the first.
 * `store` NULL: checks only. `now_ms` dates what is made, `rng` makes the secrets of devices
 * without one. */
SKY_MUST_USE sky_err sky_fixture_files_load(struct sky_store *store,
                                            const struct sky_strings *paths,
                                            const struct sky_catalogue *catalogue,
                                            struct sky_rng *rng, int64_t now_ms, FILE *errors,
                                            struct sky_fixture_result *ret_result,
                                            struct sky_why *why);

/* The same within a transaction of the caller's, who undoes it when this fails. */
SKY_MUST_USE sky_err sky_fixture_files_load_within(struct sky_store *store,
                                                   const struct sky_strings *paths,
                                                   const struct sky_catalogue *catalogue,
                                                   struct sky_rng *rng, int64_t now_ms,
                                                   struct sky_fixture_result *ret_result,
                                                   struct sky_why *why);

struct sky_fixture_pieces {
    struct sky_strings texts;     /* owned */
    struct sky_strings elsewhere; /* owned: see sky_fixture_check_elsewhere() */
};
/* Finds, reads and checks them likewise, against a store that is thrown away, and cuts them into
 * pieces, fixture texts so small that writing one holds nobody up; together, in this order, they
 * are what the files say. `elsewhere`: devices that they put behind gateways and do not have
 * themselves may be in the store; else they are errors. May run off the loop. */
SKY_MUST_USE sky_err sky_fixture_files_cut(const struct sky_strings *paths,
                                           const struct sky_catalogue *catalogue, int64_t now_ms,
                                           FILE *errors, struct sky_fixture_pieces *ret_pieces,
                                           bool elsewhere, struct sky_fixture_result *ret_result,
                                           struct sky_why *why);
/* The same for one text that came by another way, which may speak of devices elsewhere. */
SKY_MUST_USE sky_err sky_fixture_text_cut(sky_span text, const struct sky_catalogue *catalogue,
                                          int64_t now_ms, struct sky_fixture_pieces *ret_pieces,
                                          struct sky_why *why);
/* Is the device there that one of these names, and fit to stand behind a gateway? */
SKY_MUST_USE sky_err sky_fixture_check_elsewhere(struct sky_store *store, const char *one,
                                                 struct sky_why *why);
/* Writes a piece; with `adds` what a product has and the text does not name stays as it is. */
SKY_MUST_USE sky_err sky_fixture_piece_load(struct sky_store *store, const char *piece, bool adds,
                                            const struct sky_catalogue *catalogue,
                                            struct sky_rng *rng, int64_t now_ms,
                                            struct sky_seed_count *ret_count, struct sky_why *why);

void sky_fixture_sum(struct sky_seed_count *total, const struct sky_seed_count *one);

/* One fixture text, which came by another way than a file; `why` has its first error. */
SKY_MUST_USE sky_err sky_fixture_text_load(struct sky_store *store, sky_span text,
                                           const struct sky_catalogue *catalogue,
                                           struct sky_rng *rng, int64_t now_ms,
                                           struct sky_seed_count *ret_count, struct sky_why *why);
/* The same, but what a product has and the text does not name stays as it is. */
SKY_MUST_USE sky_err sky_fixture_text_add(struct sky_store *store, sky_span text,
                                          const struct sky_catalogue *catalogue,
                                          struct sky_rng *rng, int64_t now_ms,
                                          struct sky_seed_count *ret_count, struct sky_why *why);

#endif
