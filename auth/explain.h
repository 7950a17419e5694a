/* Why a signature is wrong: recomputes it with each known mistake until one reproduces what the
 * device sent. One table of mistakes; a new one is one row.
 * Knows no cloud: the cloud states the correct recipe and the material mistakes are made of. */
#ifndef SKY_AUTH_EXPLAIN_H
#define SKY_AUTH_EXPLAIN_H

#include "auth/suspicion.h"

enum {
    SKY_EXPLAIN_TEXT_MAX = 640,
    SKY_EXPLAIN_HINT_MAX = 400,
    SKY_EXPLAIN_BLOCKS_MAX = 7000, /* of 64 bytes, hashed: the most that one refusal may cost */
};

struct sky_explanation {
    enum sky_mistake mistake;               /* the one recognised */
    enum sky_mistake second;                /* when it takes two at once, else NONE */
    char signed_text[SKY_EXPLAIN_TEXT_MAX]; /* exactly what the cloud signs, "..." where it was cut
                                               off; a secret that is part of it stands as
                                               {deviceSecret} */
    char sent_text[SKY_EXPLAIN_TEXT_MAX]; /* what the device signed in its place, in the same form;
                                             "": the same, or it was not recognised */
    char expected_prefix[9];         /* first 8 hex digits of the expected digest, lower case */
    char what[SKY_EXPLAIN_HINT_MAX]; /* the mistake in one sentence, or that none was recognised */
    char hint[SKY_EXPLAIN_HINT_MAX]; /* what to change */
    size_t cost;                     /* blocks hashed */
};

/* Tries every single mistake, then pairs of different kinds. Always fills `*ret_explanation`; no
 * secret is in it, and of the expected digest only the prefix. */
void sky_explain(const struct sky_suspicion *suspicion, struct sky_explanation *ret_explanation);

/* A mistake that is plain without a signature: fills in `what` from `did`, which continues "The
 * device ...", and the hint. */
void sky_explain_plain(enum sky_mistake mistake, sky_span did,
                       struct sky_explanation *ret_explanation);

const char *sky_mistake_name(enum sky_mistake mistake); /* "values-only"; "" for NONE */

#endif
