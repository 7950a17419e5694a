/* Lists that may be long: entries are told for as long as a turn of the loop has time for them, and
 * sent when that was all. In turn with whoever waits for events. Knows no routes. */
#ifndef SKY_SERVER_ADMIN_LISTS_H
#define SKY_SERVER_ADMIN_LISTS_H

#include "server/admin/api.h"

/* Embedded in what is to be told; zeroed but for its functions. */
struct sky_list {
    /* Tells what comes next, an entry at least, until sky_list_time_is_up(). False: there is more
     * to tell. Otherwise all was told, and what stands behind it; or `err` says why it cannot be.
     */
    bool (*tell)(struct sky_list *list);
    void (*drop)(struct sky_list *list); /* frees it */
    struct sky_api api;                  /* the request, with an answer of its own */
    sky_err err;
    struct sky_wait wait;
};

/* Takes the call. What `api` has of the answer begins the list. */
void sky_list_begin(struct sky_api *api, struct sky_list *list);

static inline bool sky_list_time_is_up(const struct sky_list *list)
{
    return sky_wait_time_is_up(&list->wait);
}

#endif
