#include "server/registry/fixture_reload.h"

#include <stdlib.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/os/worker.h"

/* ---- off the loop ---- */

static void keep_lines(struct sky_strings *lines, char *text)
{
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0')
            sky_strings_add(lines, line);
}

static void read_all(uv_work_t *work)
{
    struct sky_fixture_reload *reload = SKY_CONTAINER_OF(work, struct sky_fixture_reload, work);
    struct sky_why why;
    struct sky_fixture_pieces pieces = {0};
    char *text = NULL;
    size_t len = 0;
    sky_worker_step_back();
    FILE *errors = open_memstream(&text, &len);
    SKY_ASSERT(errors != NULL);
    sky_err err = sky_fixture_files_cut(reload->paths, &reload->registry->catalogue, reload->now_ms,
                                        errors, &pieces, false, &reload->result, &why);
    reload->pieces = pieces.texts;
    fclose(errors);
    keep_lines(&reload->errors, text);
    if (err != SKY_OK && reload->errors.count == 0)
        sky_strings_add(&reload->errors, why.reason);
    free(text);
}

/* ---- on the loop, piece by piece ---- */

static void finish(struct sky_fixture_reload *reload)
{
    if (!reload->closed)
        reload->reloaded(reload, &reload->errors, &reload->result);
    sky_strings_done(&reload->pieces);
    sky_strings_done(&reload->errors);
    reload->busy = false;
    if (reload->again && !reload->closed)
        sky_fixture_reload_start(reload);
}

static bool write_next(struct sky_slice *slice)
{
    struct sky_fixture_reload *reload = SKY_CONTAINER_OF(slice, struct sky_fixture_reload, next);
    struct sky_registry *registry = reload->registry;
    struct sky_seed_count count;
    struct sky_why why;
    sky_store_batch(registry->store);
    if (sky_fixture_piece_load(registry->store, reload->pieces.list[reload->written], false,
                               &registry->catalogue, registry->rng, registry->clock->now_ms, &count,
                               &why) != SKY_OK)
        sky_strings_add(&reload->errors, why.reason);
    else
        sky_fixture_sum(&reload->result.count, &count);
    reload->written++;
    reload->writing = reload->errors.count == 0 && reload->written < reload->pieces.count;
    if (!reload->writing)
        finish(reload);
    return reload->writing;
}

static void on_read(uv_work_t *work, int status)
{
    struct sky_fixture_reload *reload = SKY_CONTAINER_OF(work, struct sky_fixture_reload, work);
    (void)status;
    sky_clock_tick(reload->registry->clock, uv_now(reload->loop));
    reload->result.count = (struct sky_seed_count){0}; /* was of a store thrown away */
    reload->writing = !reload->closed && reload->errors.count == 0 && reload->pieces.count > 0;
    if (!reload->writing) {
        finish(reload);
        return;
    }
    reload->next.step = write_next;
    sky_slices_add(reload->slices, &reload->next);
}

uint64_t sky_fixture_reload_start(struct sky_fixture_reload *reload)
{
    reload->again = reload->busy;
    if (reload->busy)
        return reload->run + 1;
    reload->busy = true;
    reload->run++;
    reload->written = 0;
    reload->result = (struct sky_fixture_result){0};
    reload->now_ms = reload->registry->clock->now_ms;
    uv_queue_work(reload->loop, &reload->work, read_all, on_read);
    return reload->run;
}

void sky_fixture_reload_close(struct sky_fixture_reload *reload)
{
    reload->closed = true;
    if (reload->writing) {
        reload->writing = false;
        sky_slices_remove(reload->slices, &reload->next);
        finish(reload);
    }
}
