#include "server/os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/assert.h"

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
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_failed(why, path);
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
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

sky_err sky_files_write(const char *path, mode_t mode, sky_span bytes, struct sky_why *why)
{
    sky_err err = SKY_OK;
    char *draft;
    int printed = asprintf(&draft, "%s.XXXXXX", path);
    SKY_ASSERT(printed > 0);
    int fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0) {
        err = io_failed(why, path);
        goto out;
    }
    bool written = fchmod(fd, mode) == 0 && write_all(fd, bytes) && fsync(fd) == 0;
    written = close(fd) == 0 && written;
    if (!written || rename(draft, path) != 0) {
        err = io_failed(why, path);
        unlink(draft);
    }
out:
    free(draft);
    return err;
}
