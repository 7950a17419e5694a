/* The journal's pages in the store: opaque bytes by range of numbers. */
#ifndef SKY_STORE_PAGES_H
#define SKY_STORE_PAGES_H

#include "store/store.h"

/* Drops the pages whose bytes or numbers are not those that were put. To be called before the pages
 * are used. `*ret_lost` counts the numbers that no page holds any more, from the first to
 * `*ret_last`, the last one that is known to have been taken; and 1 for what came behind that, if
 * it cannot be told how much it was. */
SKY_MUST_USE sky_err sky_store_check_pages(struct sky_store *store, uint64_t *ret_last,
                                           uint64_t *ret_lost);
/* 1 <= `first_seq` <= `last_seq`, LIMIT beyond SKY_STORE_NUMBER_MAX; ranges do not overlap. */
SKY_MUST_USE sky_err sky_store_put_page(struct sky_store *store, uint64_t first_seq,
                                        uint64_t last_seq, sky_span bytes);
/* The page that holds `seq`, or the first one after it. Appends to `ret_bytes`. */
SKY_MUST_USE sky_err sky_store_get_page(struct sky_store *store, uint64_t seq,
                                        uint64_t *ret_first_seq, uint64_t *ret_last_seq,
                                        struct sky_buf *ret_bytes);
/* Every page that ends before that number. */
SKY_MUST_USE sky_err sky_store_drop_pages(struct sky_store *store, uint64_t last_seq_below);
/* First and last number kept; both 0 when empty. */
SKY_MUST_USE sky_err sky_store_page_range(struct sky_store *store, uint64_t *ret_first,
                                          uint64_t *ret_last);

#endif
