/* The one error enum of the program, and the place where a failure is put into words. */
#ifndef SKY_BASE_ERR_H
#define SKY_BASE_ERR_H

/* A row is the enumerator's tail, the name the admin API shows, and the sentence for people. */
#define SKY_ERRORS(X)                                                                              \
    X(INVALID, "invalid", "the input breaks its format")                                           \
    X(NOT_FOUND, "not_found", "there is no such thing")                                            \
    X(EXISTS, "exists", "it exists already")                                                       \
    X(CONFLICT, "conflict", "it does not fit the present state")                                   \
    X(DENIED, "denied", "it is not permitted")                                                     \
    X(LIMIT, "limit", "it passes a limit")                                                         \
    X(BUSY, "busy", "it is in use")                                                                \
    X(IO, "io", "reading or writing failed")                                                       \
    X(STORE, "store", "the database refused")                                                      \
    X(CRYPTO, "crypto", "a cryptographic operation failed")

typedef enum sky_err {
    SKY_OK = 0,
#define X(name, slug, text) SKY_ERR_##name,
    SKY_ERRORS(X)
#undef X
} sky_err;

#define SKY_MUST_USE __attribute__((warn_unused_result))
#define SKY_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

enum { SKY_WHY_POINTER_MAX = 160, SKY_WHY_REASON_MAX = 320 };

/* Why an input was refused, for a person: where in the document, and what is wrong there.
 * A value; functions that take one fill it only when they fail. */
struct sky_why {
    char pointer[SKY_WHY_POINTER_MAX]; /* JSON pointer (RFC 6901); empty: the whole input */
    char reason[SKY_WHY_REASON_MAX];   /* one sentence: what was wrong, what to do */
};

/* Static strings, never NULL. */
const char *sky_err_slug(sky_err err);
const char *sky_err_text(sky_err err);

/* Fills `why` (which may be NULL) and returns `err`, so that failing is one statement. */
sky_err sky_why_set(struct sky_why *why, sky_err err, const char *pointer, const char *fmt, ...)
    SKY_PRINTF(4, 5);

#endif
