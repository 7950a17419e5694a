/* A signature as it came: the digest in it, whatever it is dressed in. */
#ifndef SKY_AUTH_GIVEN_H
#define SKY_AUTH_GIVEN_H

#include "auth/sign.h"

enum { SKY_GIVEN_FORM_MAX = 128 };

struct sky_given {
    uint8_t bytes[SKY_DIGEST_MAX];
    size_t len; /* 0: no digest can be read out of it */
    enum sky_digest digest;
    bool guessed;                  /* any bytes of that length read so: no sign of a digest */
    char form[SKY_GIVEN_FORM_MAX]; /* what is wrong with how it was written; "": nothing */
};

void sky_given_read(sky_span text, enum sky_encoding due, struct sky_given *ret_given);

/* Is `text` the digest `due` in a form that the digest cannot be read back from, or with its bytes
 * in another order? Then says in which. */
bool sky_given_is_spoilt(sky_span text, const struct sky_given *given, enum sky_encoding encoding,
                         sky_span due, char form[static SKY_GIVEN_FORM_MAX]);

/* Is `text` the digest `due` but for very few digits? Then says which. */
bool sky_given_is_altered(sky_span text, enum sky_encoding encoding, sky_span due,
                          char note[static SKY_GIVEN_FORM_MAX]);

#endif
