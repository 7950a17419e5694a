/* The one door to PCRE2: regular expressions that can cost neither time nor memory, whoever wrote
 * them and whatever they look at. Knows no events. */
#ifndef SKY_SERVER_PATTERN_REGEX_H
#define SKY_SERVER_PATTERN_REGEX_H

#include "protocol/base/err.h"
#include "protocol/base/span.h"

enum {
    SKY_REGEX_TEXT_MAX = 512,       /* bytes of an expression */
    SKY_REGEX_NEST_MAX = 50,        /* parentheses in each other */
    SKY_REGEX_CODE_MAX = 32 * 1024, /* bytes of what it is compiled to */
    SKY_REGEX_MATCH_MAX = 20000,    /* ways back that are tried from one place of the text */
    SKY_REGEX_DEPTH_MAX = 500,      /* of those that are open at once */
    SKY_REGEX_HEAP_MAX = 100,       /* KiB that they take */
    SKY_REGEX_WORK_MAX = 500000,    /* of one look at one text: its characters that are read, as
                                       often as they are, and SKY_REGEX_STEP for each step */
    SKY_REGEX_STEP = 16,            /* a step costs as much as so many characters */
    SKY_REGEX_WORKS_MAX =
        4 * SKY_REGEX_WORK_MAX, /* of all expressions of a pattern, at one event */
};

struct sky_regex;

/* On failure NULL, and the reason in `why`, whose pointer is left empty. The caller frees it. */
SKY_MUST_USE struct sky_regex *sky_regex_new(sky_span text, struct sky_why *why);
void sky_regex_free(struct sky_regex *regex); /* NULL is fine */

/* Is it found anywhere in the text? UTF-8, where the text is; other bytes match nothing. What the
 * look costs is taken off `work_left`, which may end it early. */
enum sky_regex_answer { SKY_REGEX_NO, SKY_REGEX_YES, SKY_REGEX_GAVE_UP };
enum sky_regex_answer sky_regex_find(const struct sky_regex *regex, sky_span text,
                                     size_t *work_left);

#endif
