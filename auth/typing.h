/* What in a sent name was plainly not meant: an example's placeholder, an escape, another
 * keyboard's punctuation. */
#ifndef SKY_AUTH_TYPING_H
#define SKY_AUTH_TYPING_H

#include "auth/suspicion.h"

/* PLACEHOLDER or ESCAPED with the part of `text` that shows it, or NONE. */
enum sky_mistake sky_typing_slip(sky_span text, sky_span *ret_part);

#endif
