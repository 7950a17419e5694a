/* Work off the loop: what every function given to uv_queue_work() does first. */
#ifndef SKY_SERVER_OS_WORKER_H
#define SKY_SERVER_OS_WORKER_H

enum { SKY_WORKER_NICE = 5, SKY_WORKERS = 4 /* as many as libuv makes (its documentation) */ };

/* libuv makes a pipe with its first loop, and its threads with the first work there is for them,
 * and aborts when it cannot; so they are tried before. 0, or libuv's number of what is wrong. */
int sky_worker_try(void);

/* The calling thread steps back behind the loop for good: keys and handshakes may wait, devices
 * that are connected must not. Cheap when called again. */
void sky_worker_step_back(void);

#endif
