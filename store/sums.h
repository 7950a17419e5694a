/* A sum for every page of the store's file, in 8 bytes that SQLite leaves free at the page's end: a
 * bit that the disk has changed is told, wherever it is. Knows pages, not what is in them.
 *
 * The sum is made when a page is written to the file, and looked at when it is read from there, by
 * a VFS of SQLite's over the one it has. The log of writes is not touched: it has SQLite's own
 * sums, which are looked at when it is found at a start, and its pages get theirs when they are
 * folded.
 *
 * A file has sums when its first page says so: 8 bytes are left free (byte 20), and it is ours
 * (application_id, byte 68). One that was made before there were sums has none, and is used as it
 * always was. Any program that knows SQLite reads either; what one writes into a file with sums is
 * damage here, for it leaves them as they were. SQLite's own shell does so even to a file that it
 * only reads, when it folds a log that it finds beside it; with -readonly it does not. Whoever
 * wants to write makes a file without sums first: what ".dump" prints, read into a new one, and
 * "PRAGMA application_id" and "PRAGMA user_version" as they were. */
#ifndef SKY_STORE_SUMS_H
#define SKY_STORE_SUMS_H

#include "protocol/base/span.h"

enum {
    SKY_SUMS_PAGE = 4096, /* bytes of a page, */
    SKY_SUMS_ROOM = 8,    /* of which these, the last, are its sum, low byte first */
};

/* Another one whenever eight bytes in a row, counted from the start, are others: each step keeps
 * different words apart, and what was apart before. Of other changes 1 in 2^64 is not noticed. */
uint64_t sky_sum(uint64_t seed, sky_span bytes);

/* Both of a page as it stands in the file, the first being number 1. A page in another's place does
 * not hold. */
void sky_sums_seal(char page[SKY_SUMS_PAGE], uint64_t number);
bool sky_sums_hold(const char page[SKY_SUMS_PAGE], uint64_t number);

/* The VFS by its name, once sky_sums_open() has been called. Whoever makes a file with it asks for
 * pages of that size, and room in them (SQLITE_FCNTL_RESERVE_BYTES). A page that does not hold is
 * SQLITE_CORRUPT, as one is that SQLite itself finds to be nonsense, and ends as that does: what
 * was written in the transaction that has read it is undone. */
#define SKY_SUMS_VFS "skymock-sums"
/* Its own file control, after SQLite's: which page did not hold, last, into a uint64_t; 0: none. */
enum { SKY_SUMS_FCNTL_WRONG = 0x534b59 };
void sky_sums_open(void);

#endif
