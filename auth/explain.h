/* Why a signature is wrong: recomputes it with each known mistake until one reproduces what the
 * device sent. One table of mistakes; a new one is one row.
 * Knows no cloud: the cloud states the correct recipe and the material mistakes are made of. */
#ifndef SKY_AUTH_EXPLAIN_H
#define SKY_AUTH_EXPLAIN_H

#include "auth/sign.h"
#include "protocol/base/err.h"

/* The kinds of mistake; the table in explain.c has one row for each. */
enum sky_mistake {
    SKY_MISTAKE_NONE,             /* none recognised */
    SKY_MISTAKE_VALUES_ONLY,      /* values concatenated without their names */
    SKY_MISTAKE_WHOLE_CLIENT_ID,  /* client id signed with its |...| block */
    SKY_MISTAKE_EXTRA_SIGNED,     /* fields signed that must not be (signmethod, securemode) */
    SKY_MISTAKE_TIMESTAMP_UNSENT, /* a timestamp signed that was not sent, or the reverse */
    SKY_MISTAKE_TIMESTAMP_LEFT_OUT,
    SKY_MISTAKE_TIMESTAMP_UNIT, /* signed in seconds, sent in milliseconds, or the reverse */
    SKY_MISTAKE_FIELD_ORDER,
    SKY_MISTAKE_CLIENT_ID_PREFIX,  /* the word clientId doubled in front of the id, or stripped */
    SKY_MISTAKE_SEPARATORS,        /* k=v&k=v or commas between */
    SKY_MISTAKE_NOT_HMAC,          /* plain digest of text and secret where an HMAC is due */
    SKY_MISTAKE_IS_HMAC,           /* the reverse */
    SKY_MISTAKE_OTHER_DIGEST,      /* label says one digest, bytes are another's */
    SKY_MISTAKE_KEY_NOT_DECODED,   /* base64 text used as the key */
    SKY_MISTAKE_KEY_DECODED,       /* the reverse */
    SKY_MISTAKE_PRODUCT_SECRET,    /* product secret where the device's is due */
    SKY_MISTAKE_DEVICE_SECRET,     /* the reverse */
    SKY_MISTAKE_OTHER_DEVICE,      /* another device's secret */
    SKY_MISTAKE_OLD_SECRET,        /* a secret that an activation replaced */
    SKY_MISTAKE_SECRET_WHITESPACE, /* newline or blank behind the secret */
    SKY_MISTAKE_SWAPPED_KEYS,      /* product key and device key in each other's place */
    SKY_MISTAKES
};

enum sky_secret_role {
    SKY_SECRET_DUE,     /* what should have been used */
    SKY_SECRET_DEVICE,  /* this device's, when the product's is due */
    SKY_SECRET_PRODUCT, /* the product's, when the device's is due */
    SKY_SECRET_OLD,
    SKY_SECRET_OTHER,     /* another device's; `name` says whose */
    SKY_SECRET_UNDECODED, /* the text whose decoding is due */
    SKY_SECRET_DECODED,
};

enum { SKY_SECRETS_MAX = 72, SKY_EXPLAIN_TEXT_MAX = 640, SKY_EXPLAIN_HINT_MAX = 320 };

struct sky_secret {
    enum sky_secret_role role;
    sky_span bytes;
    sky_span name; /* for SKY_SECRET_OTHER */
};

/* Everything a signature could wrongly have been made from. Views; no ownership. */
struct sky_suspicion {
    struct sky_recipe due;                /* the correct recipe */
    struct sky_pair extra[SKY_PAIRS_MAX]; /* what came along and must not be signed */
    size_t extra_count;
    sky_span whole_client_id; /* with its block, or empty */
    int64_t now_ms;
    struct sky_secret secrets[SKY_SECRETS_MAX]; /* [0] has SKY_SECRET_DUE */
    size_t secret_count;
    sky_span given; /* the digest as it came, hex */
};

struct sky_explanation {
    enum sky_mistake mistake;               /* the one recognised */
    enum sky_mistake second;                /* when it takes two at once, else NONE */
    char signed_text[SKY_EXPLAIN_TEXT_MAX]; /* exactly what the cloud signs; a secret that is part
                                               of it stands as {deviceSecret} */
    char expected_prefix[9];         /* first 8 hex digits of the expected digest, lower case */
    char what[SKY_EXPLAIN_HINT_MAX]; /* the mistake in one sentence, or that none was recognised */
    char hint[SKY_EXPLAIN_HINT_MAX]; /* what to change */
};

/* Tries every single mistake, then pairs of different kinds. Always fills `*ret_explanation`. */
void sky_explain(const struct sky_suspicion *suspicion, struct sky_explanation *ret_explanation);

const char *sky_mistake_name(enum sky_mistake mistake); /* "values-only"; "" for NONE */

/* Is `a` within a typing slip of `b` (Damerau-Levenshtein distance 1..2, case ignored)? */
bool sky_explain_similar(sky_span a, sky_span b);

#endif
