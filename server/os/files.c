#include "server/os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

enum { CHUNK = 4096 };

static sky_err io_failed(struct sky_why *why, const char *path)
{
    return sky_why_set(why, errno == ENOENT ? SKY_ERR_NOT_FOUND : SKY_ERR_IO, "", "%s: %s", path,
                       strerror(errno));
}

sky_err sky_files_read(const char *path, struct sky_buf *text, struct sky_why *why)
{
    sky_err err = SKY_OK;
    char chunk[CHUNK];
    struct stat info;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_failed(why, path);
    if (fstat(fd, &info) == 0 && (size_t)info.st_size <= text->max - text->len)
        sky_buf_reserve(text, (size_t)info.st_size); /* at once, not in steps */
    while ((got = read(fd, chunk, sizeof chunk)) > 0 && !text->overflow)
        sky_buf_add(text, sky_span_of(chunk, (size_t)got));
    if (got < 0)
        err = io_failed(why, path);
    else if (text->overflow)
        err = sky_why_set(why, SKY_ERR_LIMIT, "", "%s: longer than %zu bytes", path, text->max);
    close(fd);
    return err;
}

static bool write_all(int fd, sky_span bytes)
{
    while (bytes.len > 0) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);
        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0)
            bytes = sky_span_tail(bytes, (size_t)wrote);
    }
    return true;
}

/* A draft beside it takes its place. */
static bool replace_file(const char *path, mode_t mode, sky_span bytes)
{
    char *draft;
    int printed = asprintf(&draft, "%s.XXXXXX", path);
    SKY_ASSERT(printed > 0);
    int fd = mkostemp(draft, O_CLOEXEC);
    bool done = fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, bytes) && fsync(fd) == 0;
    if (fd >= 0)
        done = close(fd) == 0 && done;
    done = done && rename(draft, path) == 0;
    if (fd >= 0 && !done) {
        int reason = errno;
        unlink(draft);
        errno = reason;
    }
    free(draft);
    return done;
}

/* The descriptor of ours that the path is a name of, or -1. */
static int named_descriptor(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    int64_t fd;
    if (strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0)
        return STDERR_FILENO;
    for (size_t i = 0; i < SKY_COUNT(folders); i++)
        if (sky_span_starts(sky_span_str(path), sky_span_str(folders[i])) &&
            sky_span_to_int(sky_span_str(path + strlen(folders[i])), &fd) && fd <= INT_MAX)
            return (int)fd;
    return -1;
}

/* A device, a pipe, a terminal: nothing that a file could take the place of. A descriptor is
 * written to where it stands, for a socket cannot be opened by name, and a file would be
 * overwritten. */
static bool write_into(const char *path, int named, sky_span bytes)
{
    int fd =
        named >= 0 ? fcntl(named, F_DUPFD_CLOEXEC, 0) : open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    bool done = fd >= 0 && write_all(fd, bytes);
    return (fd < 0 || close(fd) == 0) && done;
}

sky_err sky_files_write(const char *path, mode_t mode, sky_span bytes, struct sky_why *why)
{
    int named = named_descriptor(path);
    struct stat info;
    bool into = named >= 0 || (stat(path, &info) == 0 && !S_ISREG(info.st_mode));
    char *real = into ? NULL : realpath(path, NULL); /* a link stays one */
    bool done = into ? write_into(path, named, bytes)
                     : replace_file(real != NULL ? real : path, mode, bytes);
    sky_err err = done ? SKY_OK : io_failed(why, path);
    free(real);
    return err;
}
