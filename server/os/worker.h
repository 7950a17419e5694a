/* Work off the loop: what every function given to uv_queue_work() does first. */
#ifndef SKY_SERVER_OS_WORKER_H
#define SKY_SERVER_OS_WORKER_H

enum { SKY_WORKER_NICE = 5 };

/* The calling thread steps back behind the loop for good: keys and handshakes may wait, devices
 * that are connected must not. Cheap when called again. */
void sky_worker_step_back(void);

#endif
