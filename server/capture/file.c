#include "server/capture/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/capture/private.h"

struct sky_capture_file {
    struct sky_captures *captures;
    struct sky_capture *capture;
    char *path; /* owned */
    int fd;
    uv_fs_t request;
    size_t written; /* of the first chunk, which is on its way */
    bool busy, failed;
};

/* The devices go on; the capture does not. */
static void give_up(struct sky_capture_file *file, int rc)
{
    struct sky_capture *capture = file->capture;
    fprintf(stderr, "skymock: the capture \"%s\" ends here: %s\n", file->path, uv_strerror(rc));
    file->failed = true;
    capture->tail = NULL;
    while (capture->chunks != NULL)
        sky_capture__free_chunk(capture, capture->chunks);
}

static void write_next(struct sky_capture_file *file);

static void on_written(uv_fs_t *request)
{
    struct sky_capture_file *file = SKY_CONTAINER_OF(request, struct sky_capture_file, request);
    ssize_t rc = request->result;
    uv_fs_req_cleanup(request);
    file->busy = false;
    if (rc < 0) {
        give_up(file, (int)rc);
        return;
    }
    file->written += (size_t)rc;
    if (file->written == file->capture->chunks->bytes.len) {
        sky_capture__free_chunk(file->capture, file->capture->chunks);
        file->written = 0;
    }
    write_next(file);
}

static void write_next(struct sky_capture_file *file)
{
    struct sky_capture_chunk *chunk = file->capture->chunks;
    if (file->busy || chunk == NULL)
        return;
    chunk->sealed = file->busy = true;
    file->capture->tail = NULL;
    uv_buf_t rest = uv_buf_init(chunk->bytes.bytes + file->written,
                                (unsigned)(chunk->bytes.len - file->written));
    int rc =
        uv_fs_write(file->captures->net->loop, &file->request, file->fd, &rest, 1, -1, on_written);
    SKY_ASSERT(rc == 0);
}

static void add(struct sky_capture *capture, struct sky_buf *bytes)
{
    struct sky_capture_chunk *chunk = sky_mem_new(sizeof *chunk);
    chunk->bytes = *bytes;
    capture->bytes += bytes->len;
    DL_APPEND(capture->chunks, chunk);
}

sky_err sky_capture_file_open(struct sky_captures *self, struct sky_capture *capture,
                              const char *path, struct sky_why *why)
{
    struct sky_buf head;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return sky_why_set(why, SKY_ERR_IO, "", "--capture %s cannot be written: %s", path,
                           uv_strerror(uv_translate_sys_error(errno)));
    capture->file = sky_mem_new(sizeof *capture->file);
    *capture->file = (struct sky_capture_file){
        .captures = self, .capture = capture, .path = sky_mem_dup(path, strlen(path)), .fd = fd};
    sky_buf_init(&head, SIZE_MAX);
    sky_capture__put_head(self, capture, &head);
    add(capture, &head);
    write_next(capture->file);
    return SKY_OK;
}

bool sky_capture_file_turn(struct sky_capture *capture)
{
    if (!capture->file->failed)
        write_next(capture->file);
    return !capture->file->failed;
}

void sky_capture_file_close(struct sky_captures *self, struct sky_capture *capture)
{
    struct sky_buf end;
    if (capture->file->failed)
        return;
    sky_buf_init(&end, SIZE_MAX);
    sky_capture__put_end(self, capture, &end);
    add(capture, &end);
    write_next(capture->file);
}

void sky_capture_file_free(struct sky_capture_file *file)
{
    if (file == NULL)
        return;
    SKY_ASSERT(!file->busy);
    close(file->fd);
    free(file->path);
    free(file);
}
