/* UTF-8 as MQTT 3.1.1 §1.5.3 wants it: no surrogates, no overlong forms, no U+0000. */
#ifndef SKY_BASE_UTF8_H
#define SKY_BASE_UTF8_H

#include "protocol/base/span.h"

/* Length of the valid prefix; equal to the span's length when all of it is valid. U+0000 is
 * invalid here. A run of ASCII is checked eight bytes at a time. */
size_t sky_utf8_valid(sky_span text);

/* Bytes of the character in front; 0 when there is none, or it is not valid. */
size_t sky_utf8_first(sky_span text);

#endif
