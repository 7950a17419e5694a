/* Acts of the API on many devices: in slices, so that nobody waits for them but whoever asked, and
 * one at a time. Requests behind one that change something wait until it is over. Knows nothing of
 * what an act does. */
#ifndef SKY_SERVER_ADMIN_BULK_H
#define SKY_SERVER_ADMIN_BULK_H

#include <uv.h>

#include "server/admin/api.h"

enum {
    SKY_BULK_FEW = 256,             /* devices that are dealt with at once, in a turn */
    SKY_BULK_SLICE = 32,            /* devices of a slice */
    SKY_BULK_FEW_BYTES = 16 * 1024, /* of texts that are read at once */
};

struct sky_bulk_act;

/* What an act is. */
struct sky_bulk_kind {
    /* Off the loop, before the first slice; may touch the act only, and what stays as it is while
     * the server lives. NULL: there is nothing. */
    sky_err (*prepare)(struct sky_bulk_act *act, struct sky_why *why);
    /* Does a slice. NOT_FOUND: that was the last one. Another error ends the act. */
    sky_err (*step)(struct sky_bulk_act *act, struct sky_why *why);
    /* All of it is in the store for good. NULL: nothing follows from that. */
    void (*done)(struct sky_bulk_act *act);
    /* Answers whoever asked, if he is still there. `err`: it ended before its end. NULL: there is
     * nothing to say but that it is done. */
    void (*answer)(struct sky_bulk_act *act, struct sky_api *api, sky_err err,
                   const struct sky_why *why);
    void (*free)(struct sky_bulk_act *act);
};

/* One act, in front of what it needs; the caller makes it, then it is ours. */
struct sky_bulk_act {
    const struct sky_bulk_kind *kind;
    struct sky_app *app;
    /* Devices of that product (0: any) do not come in before it is over. */
    bool holds;
    int64_t held_product;

    bool at_once; /* all of it in this turn, and as one: prepare is not called */
    bool in_part; /* something of it is done that stays; the kind says so */
    struct sky_http_call *call;
    uv_work_t work;
    int64_t now_ms; /* virtual, when it began: the clock itself is the loop's */
    sky_err err;
    struct sky_why why;
    bool abandoned;
};

/* At once and as one, all or nothing, if there is so little of it; else in slices. No other may be
 * going on. */
void sky_bulk_do(struct sky_api *api, struct sky_bulk_act *act, bool few);
/* In slices, and nobody asked. */
void sky_bulk_begin(struct sky_app *app, struct sky_bulk_act *act);

#endif
