#include "faulty_vfs.h"

#include <sqlite3.h>
#include <string.h>

struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* lives behind this struct, in the room SQLite gave */
};

static struct {
    sqlite3_vfs vfs, *real;
    enum faulty_mode mode;
    int countdown; /* 0: healthy */
    bool only_once, fired;
} faulty;

enum operation { READ, WRITE, SYNC, TRUNCATE };

/* SQLITE_OK, or the error this operation is to end with. */
static int fault(enum operation operation)
{
    static const int codes[] = {[READ] = SQLITE_IOERR_READ,
                                [WRITE] = SQLITE_IOERR_WRITE,
                                [SYNC] = SQLITE_IOERR_FSYNC,
                                [TRUNCATE] = SQLITE_IOERR_TRUNCATE};
    if (faulty.countdown == 0 || (faulty.mode == FAULTY_FULL && operation != WRITE))
        return SQLITE_OK;
    if (faulty.countdown > 1) {
        faulty.countdown--;
        return SQLITE_OK;
    }
    faulty.fired = true;
    if (faulty.only_once)
        faulty.countdown = 0;
    return faulty.mode == FAULTY_FULL ? SQLITE_FULL : codes[operation];
}

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct faulty_file *)file)->real;
}

static int file_close(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}

static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    int code = fault(READ);
    return code ? code : real(file)->pMethods->xRead(real(file), out, len, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    int code = fault(WRITE);
    return code ? code : real(file)->pMethods->xWrite(real(file), bytes, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = fault(TRUNCATE);
    return code ? code : real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    int code = fault(SYNC);
    return code ? code : real(file)->pMethods->xSync(real(file), flags);
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

static int file_control(sqlite3_file *file, int operation, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), operation, arg);
}

static int file_sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int file_characteristics(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
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

/* Version 2 has what stands for shared memory, which is plain memory in the VFS that is wrapped. */
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

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    (void)vfs;
    struct faulty_file *own = (struct faulty_file *)file;
    own->real = (sqlite3_file *)(own + 1);
    own->base.pMethods = NULL;
    int code = faulty.real->xOpen(faulty.real, name, own->real, flags, ret_flags);
    if (code == SQLITE_OK)
        own->base.pMethods = &methods;
    return code;
}

/* In place of the one that the store asks for by name. */
void faulty_vfs_register(void)
{
    faulty.real = sqlite3_vfs_find("unix-excl");
    faulty.vfs = *faulty.real;
    faulty.vfs.szOsFile = (int)sizeof(struct faulty_file) + faulty.real->szOsFile;
    faulty.vfs.pNext = NULL;
    faulty.vfs.xOpen = vfs_open;
    sqlite3_vfs_unregister(faulty.real);
    sqlite3_vfs_register(&faulty.vfs, 0);
}

void faulty_vfs_arm(enum faulty_mode mode, int n, bool only_once)
{
    faulty.mode = mode;
    faulty.countdown = n;
    faulty.only_once = only_once;
    faulty.fired = false;
}

void faulty_vfs_heal(void)
{
    faulty.countdown = 0;
}

bool faulty_vfs_fired(void)
{
    return faulty.fired;
}
