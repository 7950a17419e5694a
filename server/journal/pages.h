/* The durable end of the journal: runs of entries as pages in the store, the oldest dropped when
 * they pass the bounds. Knows the store and the form of a page; knows no ring. */
#ifndef SKY_SERVER_JOURNAL_PAGES_H
#define SKY_SERVER_JOURNAL_PAGES_H

#include "server/journal/entry.h"
#include "store/store.h"

enum {
    SKY_PAGE_HEAD = 16,
    SKY_PAGE_FULL = 256 * 1024, /* a page is written once it has this many bytes */
    SKY_PAGE_MAX = SKY_PAGE_HEAD + SKY_PAGE_FULL + SKY_ENTRY_MAX,
};
_Static_assert((int)SKY_PAGE_MAX <= (int)SKY_STORE_BLOB_MAX, "the store takes every page");

/* A page starts with how much lies before it, so that the bytes of all pages are known from the
 * first and the last without reading the others. */
struct sky_page_head {
    uint32_t format; /* sky_entry_format() of the writer */
    uint32_t entries;
    uint64_t bytes_before; /* of all pages ever written before this one */
};

/* What the store holds. A value, so that a rolled back transaction puts it back. */
struct sky_pages_kept {
    uint64_t first_seq;              /* of what can be read; 0: nothing */
    uint64_t last_seq;               /* the last number taken; 0: none was ever */
    uint64_t bytes_start, bytes_end; /* running totals before the first and after the last page */
};

struct sky_pages {
    struct sky_store *store; /* borrowed; NULL: there are no pages */
    struct sky_pages_kept kept;
    uint64_t bytes_max, events_max;
    uint64_t lost;       /* events of earlier runs that were found damaged or missing */
    struct sky_buf page; /* owned: the page being filled, or read to find its size */
};

/* Takes over what the store has. Damaged pages, and those of another version of the program, are
 * dropped and count as lost; their numbers stay taken. */
void sky_pages_init(struct sky_pages *pages, struct sky_store *store, uint64_t bytes_max,
                    uint64_t events_max);
void sky_pages_done(struct sky_pages *pages);

/* Starts an empty page; entries are appended to it one after the other. */
void sky_pages_begin(struct sky_pages *pages);
/* True when the page is full with this entry. */
bool sky_pages_add(struct sky_pages *pages, sky_span entry);
/* Writes the page with these numbers. Without a transaction of the caller it lands by itself. */
SKY_MUST_USE sky_err sky_pages_put(struct sky_pages *pages, uint64_t first_seq, uint64_t last_seq);

/* Drops the oldest pages until the bounds are kept. */
SKY_MUST_USE sky_err sky_pages_trim(struct sky_pages *pages);
/* Drops everything; the numbers up to `last_seq` stay taken. */
SKY_MUST_USE sky_err sky_pages_clear(struct sky_pages *pages, uint64_t last_seq);

/* Replaces `page` by the page with `seq` or the next after it: a head, then entries. False when
 * there is none; an unreadable page is passed over. */
bool sky_pages_read(const struct sky_pages *pages, uint64_t seq, struct sky_buf *page,
                    uint64_t *ret_last_seq);

#endif
