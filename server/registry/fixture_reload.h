/* Fixture files read again while devices are served: read and checked off the loop, then written in
 * pieces so small that nobody waits for them. Knows no signal and no API: whoever asks is told how
 * it went. */
#ifndef SKY_SERVER_REGISTRY_FIXTURE_RELOAD_H
#define SKY_SERVER_REGISTRY_FIXTURE_RELOAD_H

#include <uv.h>

#include "server/os/slices.h"
#include "server/registry/fixture_files.h"
#include "server/registry/registry.h"

struct sky_fixture_reload;
/* `errors`: a line "file: pointer: reason" for each, nothing was changed by a file that has any;
 * count 0: all is in force, as `result` says. Valid during the call. */
typedef void sky_fixture_reloaded_fn(struct sky_fixture_reload *reload,
                                     const struct sky_strings *errors,
                                     const struct sky_fixture_result *result);

/* Zeroed, then these set, before the first use. */
struct sky_fixture_reload {
    uv_loop_t *loop;
    struct sky_slices *slices; /* borrowed */
    struct sky_registry *registry;
    const struct sky_strings *paths; /* borrowed; not empty */
    sky_fixture_reloaded_fn *reloaded;

    uv_work_t work;
    struct sky_slice next;     /* piece */
    bool writing;              /* it is listed */
    struct sky_strings pieces; /* owned texts, each a fixture of its own */
    size_t written;            /* of them */
    struct sky_strings errors; /* owned lines */
    struct sky_fixture_result result;
    int64_t now_ms; /* when it was asked for */
    uint64_t run;   /* counts the readings, this or the last one included */
    bool busy, again, closed;
};

/* Returns at once, with the number of the reading that shows how the files are now. Asked while it
 * is at it, it starts over when it has finished. */
uint64_t sky_fixture_reload_start(struct sky_fixture_reload *reload);
/* Nothing is written or told any more; the loop must run until its work is done. */
void sky_fixture_reload_close(struct sky_fixture_reload *reload);

#endif
