/* The identity of a pre-shared key as people can read it, and what is wrong with one that is no
 * text. Pure. */
#ifndef SKY_SERVER_TLS_IDENTITY_H
#define SKY_SERVER_TLS_IDENTITY_H

#include "protocol/base/span.h"

enum { SKY_TLS_IDENTITY_TEXT_MAX = 256 }; /* characters; what is longer ends with "..." */

/* Bytes that are no text (controls, broken UTF-8) are written as \0, \n, \r, \t and \xNN. */
void sky_tls_identity_text(sky_span identity, char out[SKY_TLS_IDENTITY_TEXT_MAX + 1]);

/* A mistake in composing an identity, whatever cloud it is for. */
struct sky_tls_identity_mistake {
    const char *name; /* "identity-zero-byte" */
    const char *what; /* goes on after "the identity '...' " */
};
/* NULL: it is text. Otherwise `*ret_meant` is what may have been meant: the text in it, without
 * such bytes before and after; it may still have some inside. */
const struct sky_tls_identity_mistake *sky_tls_identity_mistake(sky_span identity,
                                                                sky_span *ret_meant);

#endif
