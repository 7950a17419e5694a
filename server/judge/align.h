/* Two texts beside each other, so that what they have in common stands in the same columns. */
#ifndef SKY_SERVER_JUDGE_ALIGN_H
#define SKY_SERVER_JUDGE_ALIGN_H

#include "protocol/base/span.h"

enum { SKY_ALIGN_MAX = 640 }; /* bytes of either; of what is longer only the ends are compared */

struct sky_columns {
    size_t count;
    struct sky_column {
        int a, b; /* offset of the byte in either; -1: none stands here */
    } list[];
};

/* The caller frees them. A byte that both have in a column is the same; the others are what
 * differs. As few as can be differ, in as few stretches as can be. */
struct sky_columns *sky_align(sky_span a, sky_span b);

#endif
