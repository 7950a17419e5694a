#include "server/os/worker.h"

#include <stdbool.h>
#include <sys/resource.h>

void sky_worker_step_back(void)
{
    static _Thread_local bool done;
    if (done)
        return;
    /* On Linux this is about one thread. A system that forbids it costs latency, nothing else. */
    done = setpriority(PRIO_PROCESS, 0, SKY_WORKER_NICE) == 0;
}
