/* Names that are a typing slip apart. */
#ifndef SKY_BASE_SIMILAR_H
#define SKY_BASE_SIMILAR_H

#include "protocol/base/span.h"

/* Is `a`, though not `b` itself, within a typing slip of it? Damerau-Levenshtein distance of at
 * most 2, at most 1 for short names; case ignored. Names longer than SKY_KEY_MAX are never. */
bool sky_similar(sky_span a, sky_span b);

/* The same with the distance told, to find the nearest of many; untouched when they are not. */
bool sky_similar_distance(sky_span a, sky_span b, size_t *ret_distance);

/* Of many names the nearest to a wrong one, to suggest it. */
struct sky_nearest {
    const char *name; /* NULL: none is near */
    size_t distance;
};

/* Keeps the name if it is nearer to `wrong` than those before. */
void sky_nearest_try(struct sky_nearest *nearest, const char *name, sky_span wrong);

#endif
