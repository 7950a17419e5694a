/* The write-ahead log of a file that was not closed. SQLite takes it up to the first frame whose
 * sum is wrong, and says nothing of what comes after: here that is counted (SQLite, "Database File
 * Format", 4: the Write-Ahead Log). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/internal.h"

enum { HEAD = 32, HEAD_SUMMED = 24, FRAME_HEAD = 24, FRAME_SUMMED = 8 };
enum { PAGE_SIZE_MAX = 65536 };
enum {
    PAGE_SIZE_AT = 8,
    SALTS_AT = 16,
    FRAME_COMMIT_AT = 4,
    FRAME_SALTS_AT = 8,
    FRAME_SUM_AT = 16
};
enum { MAGIC = 0x377f0682 }; /* plus one: the sums are of words that begin with the high byte */

struct sum {
    bool high_first;
    uint32_t first, second;
};

static uint32_t word_at(const uint8_t *at, bool high_first)
{
    uint32_t high = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return high_first ? high : __builtin_bswap32(high);
}

static void add(struct sum *sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        sum->first += word_at(bytes + i, sum->high_first) + sum->second;
        sum->second += word_at(bytes + i + 4, sum->high_first) + sum->first;
    }
}

static bool is_sum(const struct sum *sum, const uint8_t *at)
{
    return word_at(at, true) == sum->first && word_at(at + 4, true) == sum->second;
}

static bool read_head(const uint8_t *head, struct sum *sum, uint32_t *ret_page_size)
{
    uint32_t magic = word_at(head, true), page_size = word_at(head + PAGE_SIZE_AT, true);
    sum->high_first = magic & 1;
    add(sum, head, HEAD_SUMMED);
    if ((magic & ~1U) != MAGIC || !is_sum(sum, head + HEAD_SUMMED))
        return false;
    *ret_page_size = page_size;
    return page_size >= 512 && page_size <= PAGE_SIZE_MAX;
}

static bool take(int fd, uint8_t *out, size_t len)
{
    ssize_t got;
    while (len > 0 && (got = read(fd, out, len)) > 0) {
        out += got;
        len -= (size_t)got;
    }
    return len == 0;
}

/* Frames that a commit ends, from the first that is not whole on. Those of another round of the
 * log, which have other salts, are past its end. */
static uint64_t count_lost(int fd, uint8_t *frame)
{
    uint8_t head[HEAD], salts[8];
    struct sum sum = {0};
    uint32_t page_size = SKY_SUMS_PAGE; /* where the head does not tell */
    uint64_t lost = 0;
    if (!take(fd, head, HEAD))
        return 0;
    bool whole = read_head(head, &sum, &page_size), first = true;
    memcpy(salts, head + SALTS_AT, sizeof salts);
    while (take(fd, frame, FRAME_HEAD + page_size)) {
        if (first && !whole)
            memcpy(salts, frame + FRAME_SALTS_AT, sizeof salts);
        first = false;
        add(&sum, frame, FRAME_SUMMED);
        add(&sum, frame + FRAME_HEAD, page_size);
        bool same = memcmp(salts, frame + FRAME_SALTS_AT, sizeof salts) == 0;
        bool good = same && is_sum(&sum, frame + FRAME_SUM_AT);
        if (!good && !same && whole && is_sum(&sum, frame + FRAME_SUM_AT))
            same = true; /* only its salts were spoilt: the sum goes on from the frame before */
        whole = whole && good;
        if (!whole && !same)
            break;
        if (!whole && word_at(frame + FRAME_COMMIT_AT, true) != 0)
            lost++;
    }
    return lost;
}

uint64_t sky_store__log_lost(const char *path)
{
    char *name;
    int printed = asprintf(&name, "%s-wal", path);
    SKY_ASSERT(printed > 0);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    free(name);
    if (fd < 0)
        return 0; /* it was closed as it should be */
    uint8_t *frame = sky_mem_new(FRAME_HEAD + PAGE_SIZE_MAX);
    uint64_t lost = count_lost(fd, frame);
    free(frame);
    close(fd);
    return lost;
}
