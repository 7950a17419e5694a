#include "server/journal/pages.h"

#include "protocol/base/assert.h"
#include "store/pages.h"

_Static_assert(sizeof(struct sky_page_head) == SKY_PAGE_HEAD, "the head has no padding");

static bool read_head(sky_span page, struct sky_page_head *ret_head)
{
    if (page.len < SKY_PAGE_HEAD)
        return false;
    memcpy(ret_head, page.ptr, SKY_PAGE_HEAD);
    return ret_head->format == sky_entry_format();
}

/* Reads the page with `seq` (or the next) into pages->page. */
static bool look_at(struct sky_pages *pages, uint64_t seq, uint64_t *ret_first, uint64_t *ret_last,
                    struct sky_page_head *ret_head)
{
    sky_buf_clear(&pages->page);
    return sky_store_get_page(pages->store, seq, ret_first, ret_last, &pages->page) == SKY_OK &&
           read_head(sky_buf_span(&pages->page), ret_head);
}

static bool take_over(struct sky_pages *pages)
{
    struct sky_page_head head;
    uint64_t first, last;
    if (!look_at(pages, pages->kept.last_seq, &first, &last, &head))
        return false;
    pages->kept.bytes_end = head.bytes_before + pages->page.len;
    if (!look_at(pages, pages->kept.first_seq, &first, &last, &head))
        return false;
    pages->kept.bytes_start = head.bytes_before;
    if (head.entries == 0) /* left by a clear */
        pages->kept.first_seq = last < pages->kept.last_seq ? last + 1 : 0;
    return pages->kept.bytes_start < pages->kept.bytes_end;
}

void sky_pages_init(struct sky_pages *pages, struct sky_store *store, uint64_t bytes_max,
                    uint64_t events_max)
{
    *pages = (struct sky_pages){.store = store, .bytes_max = bytes_max, .events_max = events_max};
    sky_buf_init(&pages->page, SKY_PAGE_MAX);
    uint64_t taken = 0;
    /* When the store fails here, every later write will too, and is counted as loss there. */
    if (store == NULL || sky_store_check_pages(store, &taken, &pages->lost) != SKY_OK ||
        sky_store_page_range(store, &pages->kept.first_seq, &pages->kept.last_seq) != SKY_OK ||
        taken == 0)
        return;
    struct sky_pages_kept kept = pages->kept;
    if (kept.last_seq > 0 && take_over(pages)) {
        pages->kept.last_seq = taken; /* the newest page may be among those that were lost */
        return;
    }
    if (kept.last_seq > 0)
        pages->lost += kept.last_seq - kept.first_seq + 1;
    if (sky_pages_clear(pages, taken) != SKY_OK)
        pages->kept.bytes_start = pages->kept.bytes_end = 0;
}

void sky_pages_done(struct sky_pages *pages)
{
    sky_buf_done(&pages->page);
}

void sky_pages_begin(struct sky_pages *pages)
{
    struct sky_page_head head = {.format = sky_entry_format(),
                                 .bytes_before = pages->kept.bytes_end};
    sky_buf_clear(&pages->page);
    bool fits = sky_buf_add(&pages->page, sky_span_of(&head, sizeof head));
    SKY_ASSERT(fits);
}

bool sky_pages_add(struct sky_pages *pages, sky_span entry)
{
    struct sky_page_head head;
    bool fits = sky_buf_add(&pages->page, entry);
    SKY_ASSERT(fits);
    memcpy(&head, pages->page.bytes, sizeof head);
    head.entries++;
    memcpy(pages->page.bytes, &head, sizeof head);
    return pages->page.len >= SKY_PAGE_HEAD + SKY_PAGE_FULL;
}

sky_err sky_pages_put(struct sky_pages *pages, uint64_t first_seq, uint64_t last_seq)
{
    SKY_ASSERT(first_seq <= last_seq && first_seq > pages->kept.last_seq);
    sky_err err = sky_store_put_page(pages->store, first_seq, last_seq, sky_buf_span(&pages->page));
    if (err != SKY_OK)
        return err;
    if (pages->kept.first_seq == 0)
        pages->kept.first_seq = first_seq;
    pages->kept.last_seq = last_seq;
    pages->kept.bytes_end += pages->page.len;
    return SKY_OK;
}

static bool is_over(const struct sky_pages *pages, uint64_t first_seq, uint64_t bytes_start)
{
    return pages->kept.bytes_end - bytes_start > pages->bytes_max ||
           pages->kept.last_seq - first_seq >= pages->events_max;
}

sky_err sky_pages_trim(struct sky_pages *pages)
{
    struct sky_page_head head;
    uint64_t first_seq = pages->kept.first_seq, bytes_start = pages->kept.bytes_start, first, last;
    while (first_seq != 0 && is_over(pages, first_seq, bytes_start)) {
        if (!look_at(pages, first_seq, &first, &last, &head) || last >= pages->kept.last_seq)
            break; /* the newest page stays: it holds the last number taken */
        first_seq = last + 1;
        bytes_start = head.bytes_before + pages->page.len;
    }
    if (first_seq == pages->kept.first_seq)
        return SKY_OK;
    sky_err err = sky_store_drop_pages(pages->store, first_seq);
    if (err != SKY_OK)
        return err;
    pages->kept.first_seq = first_seq;
    pages->kept.bytes_start = bytes_start;
    return SKY_OK;
}

sky_err sky_pages_clear(struct sky_pages *pages, uint64_t last_seq)
{
    if (pages->store == NULL)
        return SKY_OK;
    sky_err err = sky_store_drop_pages(pages->store, INT64_MAX);
    if (err != SKY_OK)
        return err;
    pages->kept = (struct sky_pages_kept){0};
    if (last_seq == 0)
        return SKY_OK;
    sky_pages_begin(pages); /* an empty page keeps the number */
    err = sky_pages_put(pages, last_seq, last_seq);
    pages->kept.first_seq = 0;
    return err;
}

bool sky_pages_read(const struct sky_pages *pages, uint64_t seq, struct sky_buf *page,
                    uint64_t *ret_last_seq)
{
    struct sky_page_head head;
    uint64_t first_seq;
    while (pages->store != NULL && seq <= pages->kept.last_seq) {
        sky_buf_clear(page);
        if (sky_store_get_page(pages->store, seq, &first_seq, ret_last_seq, page) != SKY_OK)
            return false;
        if (read_head(sky_buf_span(page), &head))
            return true;
        seq = *ret_last_seq + 1;
    }
    return false;
}
