/* Sums of the pages of the store's file (SQLite, "The SQLite OS Interface or VFS"). */
#include "store/sums.h"

#include <endian.h>
#include <sqlite3.h>

#include "protocol/base/assert.h"

/* SQLite, "Database File Format", 1.3: what the first page begins with. No page is smaller than
 * SMALLEST; what is read in one go below that is some of that head. */
enum { HEAD = 100, ROOM_AT = 20, APPLICATION_AT = 68, SMALLEST = 512 };
static const char application[] = {'S', 'K', 'Y', 'M'};
enum { SUMMED = SKY_SUMS_PAGE - SKY_SUMS_ROOM };

/* ---- bytes ---- */

uint64_t sky_sum(uint64_t seed, sky_span bytes)
{
    uint64_t sum = seed, word;
    size_t at = 0;
    for (; at + sizeof word <= bytes.len; at += sizeof word) {
        memcpy(&word, bytes.ptr + at, sizeof word);
        sum = (sum ^ le64toh(word)) * 0x9e3779b97f4a7c15;
        sum ^= sum >> 32;
    }
    for (; at < bytes.len; at++)
        sum = (sum ^ (uint8_t)bytes.ptr[at]) * 0x9e3779b97f4a7c15;
    return sum;
}

static uint64_t sum_of(const char *page, uint64_t number)
{
    return htole64(sky_sum(number, sky_span_of(page, SUMMED)));
}

void sky_sums_seal(char page[SKY_SUMS_PAGE], uint64_t number)
{
    uint64_t sum = sum_of(page, number);
    memcpy(page + SUMMED, &sum, sizeof sum);
}

bool sky_sums_hold(const char page[SKY_SUMS_PAGE], uint64_t number)
{
    uint64_t sum = sum_of(page, number);
    return memcmp(page + SUMMED, &sum, sizeof sum) == 0;
}

static bool is_marked(const char *head)
{
    return head[ROOM_AT] == SKY_SUMS_ROOM &&
           memcmp(head + APPLICATION_AT, application, sizeof application) == 0;
}

/* The first page of a file that has sums, but no longer says so. */
static bool has_lost_mark(const char *page)
{
    char marked[SKY_SUMS_PAGE];
    memcpy(marked, page, sizeof marked);
    marked[ROOM_AT] = SKY_SUMS_ROOM;
    memcpy(marked + APPLICATION_AT, application, sizeof application);
    return !is_marked(page) && sky_sums_hold(marked, 1);
}

/* ---- the file ---- */

/* One of a connection's, as SQLite has it: nobody else uses it meanwhile. */
struct summed_file {
    sqlite3_file base;
    sqlite3_file *real; /* lives behind this struct, in the room SQLite gave */
    bool has_sums;      /* as far as its first page has been seen */
    uint64_t wrong;     /* the page that did not hold last; 0: none */
};

static struct summed_file *own(sqlite3_file *file)
{
    return (struct summed_file *)file;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return own(file)->real;
}

/* What is read in a file with sums and is no page of it, or one that the file ends within, is wrong
 * too: SQLite asks only for what was written. */
static bool is_right(const struct summed_file *file, const char *bytes, int len, sqlite3_int64 at)
{
    if (!file->has_sums)
        return at > 0 || len != SKY_SUMS_PAGE || !has_lost_mark(bytes);
    return len == SKY_SUMS_PAGE && at % SKY_SUMS_PAGE == 0 &&
           sky_sums_hold(bytes, (uint64_t)(at / SKY_SUMS_PAGE) + 1);
}

static int file_read(sqlite3_file *base, void *out, int len, sqlite3_int64 at)
{
    struct summed_file *file = own(base);
    int code = real(base)->pMethods->xRead(real(base), out, len, at);
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
        return code;
    /* Before all else the head is read: a file that ends before it is new, and will have sums. */
    if (at == 0 && len >= HEAD)
        file->has_sums = is_marked(out) || (len == HEAD && code == SQLITE_IOERR_SHORT_READ);
    if (len < SMALLEST || is_right(file, out, len, at))
        return code;
    file->wrong = (uint64_t)(at / SKY_SUMS_PAGE) + 1;
    return SQLITE_CORRUPT;
}

static int file_write(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 at)
{
    struct summed_file *file = own(base);
    char page[SKY_SUMS_PAGE];
    if (at == 0 && len >= HEAD)
        file->has_sums = is_marked(bytes);
    if (file->has_sums && len == SKY_SUMS_PAGE && at % SKY_SUMS_PAGE == 0) {
        memcpy(page, bytes, sizeof page); /* SQLite's memory is its own */
        sky_sums_seal(page, (uint64_t)(at / SKY_SUMS_PAGE) + 1);
        bytes = page;
    }
    return real(base)->pMethods->xWrite(real(base), bytes, len, at);
}

static int file_control(sqlite3_file *file, int operation, void *arg)
{
    if (operation != SKY_SUMS_FCNTL_WRONG)
        return real(file)->pMethods->xFileControl(real(file), operation, arg);
    *(uint64_t *)arg = own(file)->wrong;
    return SQLITE_OK;
}

/* ---- the rest is as it was ---- */

static int file_close(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    return real(file)->pMethods->xSync(real(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real(file)->pMethods->xFileSize(real(file), ret_size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int file_check_lock(sqlite3_file *file, int *ret_locked)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), ret_locked);
}

static int file_sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

/* SQLite from 3.45 on reads some pages without their last bytes where it may. */
static int file_characteristics(sqlite3_file *file)
{
    enum { SUBPAGE_READ = 0x8000 }; /* SQLITE_IOCAP_SUBPAGE_READ, which 3.40 does not name */
    return real(file)->pMethods->xDeviceCharacteristics(real(file)) & ~SUBPAGE_READ;
}

static int file_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret)
{
    return real(file)->pMethods->xShmMap(real(file), region, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *file, int at, int count, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), at, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int file_shm_unmap(sqlite3_file *file, int delete_it)
{
    return real(file)->pMethods->xShmUnmap(real(file), delete_it);
}

/* Version 2 is without what maps a file into memory, where nobody would look at the sums. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* ---- the VFS ---- */

/* SQLite's own way to one file with several connections of one process, which keeps other processes
 * out and needs no file of shared memory. */
static const char name_below[] = "unix-excl";
static sqlite3_vfs vfs, *below;

/* Logs and journals are opened as they are. */
static int vfs_open(sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *base, int flags,
                    int *ret_flags)
{
    (void)self;
    struct summed_file *file = own(base);
    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return below->xOpen(below, name, base, flags, ret_flags);
    *file = (struct summed_file){.real = (sqlite3_file *)(file + 1)};
    int code = below->xOpen(below, name, file->real, flags, ret_flags);
    if (file->real->pMethods != NULL)
        file->base.pMethods = &methods;
    return code;
}

void sky_sums_open(void)
{
    if (below != NULL)
        return;
    below = sqlite3_vfs_find(name_below);
    SKY_ASSERT(below != NULL);
    vfs = *below;
    vfs.szOsFile = (int)sizeof(struct summed_file) + below->szOsFile;
    vfs.pNext = NULL;
    vfs.zName = SKY_SUMS_VFS;
    vfs.xOpen = vfs_open;
    int code = sqlite3_vfs_register(&vfs, 0);
    SKY_ASSERT(code == SQLITE_OK);
}
