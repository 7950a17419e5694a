#include "server/os/worker.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

static void wait_for_all(void *barrier)
{
    uv_sem_wait(barrier);
}

static int try_pipe(void)
{
    uv_file ends[2];
    int rc = uv_pipe(ends, 0, 0);
    if (rc == 0) {
        close(ends[0]);
        close(ends[1]);
    }
    return rc;
}

int sky_worker_try(void)
{
    uv_thread_t threads[SKY_WORKERS];
    uv_sem_t barrier; /* they are there at the same time */
    int made = 0, rc = try_pipe();
    if (rc == 0)
        rc = uv_sem_init(&barrier, 0);
    if (rc != 0)
        return rc;
    while (made < SKY_WORKERS &&
           (rc = uv_thread_create(&threads[made], wait_for_all, &barrier)) == 0)
        made++;
    for (int i = 0; i < made; i++)
        uv_sem_post(&barrier);
    for (int i = 0; i < made; i++)
        uv_thread_join(&threads[i]);
    uv_sem_destroy(&barrier);
    return rc;
}

void sky_worker_step_back(void)
{
    static _Thread_local bool done;
    if (done)
        return;
    /* On Linux this is about one thread. A system that forbids it costs latency, nothing else. */
    done = setpriority(PRIO_PROCESS, 0, SKY_WORKER_NICE) == 0;
}
