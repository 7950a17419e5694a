/* The suites that words on the command line name: built-in ones, and files. */
#ifndef SKY_SERVER_CLI_SUITES_H
#define SKY_SERVER_CLI_SUITES_H

#include <stdio.h>

#include "protocol/base/json_tree.h"

/* NAME or FILE into the tree of a suite, which the caller frees. A name that is no built-in one's
 * is a file, or nothing; a file is checked. `why` has one line for the user: the first that is
 * wrong. `errors` gets a line for each; NULL: nobody wants them. */
SKY_MUST_USE sky_err sky_cli_suite_load(const char *word, FILE *errors, cJSON **ret_tree,
                                        struct sky_why *why);

/* Calls `each` with every case of the suite, and of those it is made of, until it returns false.
 * False if it did. */
typedef bool sky_cli_case_fn(void *ctx, const cJSON *suite, const cJSON *one_case);
bool sky_cli_suite_each_case(const cJSON *suite, sky_cli_case_fn *each, void *ctx);

/* Is every suite that this one, which `word` named, is made of a built-in one, or among the others,
 * an array? `why` and `errors` as above. */
SKY_MUST_USE sky_err sky_cli_suite_check_includes(const char *word, const cJSON *suite,
                                                  const cJSON *others, FILE *errors,
                                                  struct sky_why *why);

#endif
