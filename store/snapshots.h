/* Snapshots: copies of what the store holds of everything, of one product, or for a while of one
 * device, to go back to. As store.h, which it belongs to. The journal and the bytes of images are
 * in none; what waits for a device, and the faults, are bytes that others write and read. */
#ifndef SKY_STORE_SNAPSHOTS_H
#define SKY_STORE_SNAPSHOTS_H

#include "store/store.h"

enum {
    SKY_SNAPSHOT_NAME_MAX = 64, /* characters */
    SKY_SNAPSHOTS_MAX = 1000,   /* kept */
    /* What a device or a product is reckoned to take besides its documents and its session. */
    SKY_SNAPSHOT_ROW = 512,
    SKY_STORE_NOBODY = -1, /* no product or device has this id */
};
/* Bytes of all that are kept. */
#define SKY_SNAPSHOTS_BYTES_MAX (INT64_C(256) * 1024 * 1024)

/* A value. */
struct sky_snapshot {
    int64_t id;
    char name[SKY_SNAPSHOT_NAME_MAX + 1];  /* empty: it is of one device */
    char product[SKY_STORE_TITLE_MAX + 1]; /* "cloud/key", or "cloud/product/device"; empty:
                                              everything */
    int64_t created_ms;                    /* real time */
    int64_t now_ms, lived_ms;              /* see server/os/clock.h */
    bool frozen;
    int64_t devices, bytes;
    int64_t room; /* bytes that it may still grow by, while it is taken */
};

/* One that the program keeps for itself while something is done to the device: nobody asked for
 * it, so that it is neither listed nor counted, and it holds a temporary device, too. It holds no
 * tokens: a device that has got one since goes on with it. */
static inline bool sky_snapshot_is_of_device(const struct sky_snapshot *snapshot)
{
    return snapshot->name[0] == '\0';
}

/* Copies registry and documents of the device, or else of the product, or (0 and 0) of all, those
 * two but for devices that are temporary, under the name, product and times given; sets the rest.
 * EXISTS: there is one of that name for that product; LIMIT: there would be more than
 * SKY_SNAPSHOTS_MAX, or more than `bytes_max` bytes in all. To be called in a transaction, with all
 * that belongs to it. */
SKY_MUST_USE sky_err sky_store_add_snapshot(struct sky_store *store, struct sky_snapshot *snapshot,
                                            int64_t product_id, int64_t device_id, sky_span faults,
                                            int64_t bytes_max);
/* The same for many devices, in pieces: it is begun, which copies products, and then the next
 * `limit` devices are copied behind the place of `*after_id`, which moves on from 0; tells which
 * these are. NOT_FOUND: there were none any more. Until its end it is seen by nobody, and one that
 * does not come to its end is hidden. */
SKY_MUST_USE sky_err sky_store_begin_snapshot(struct sky_store *store,
                                              struct sky_snapshot *snapshot, int64_t product_id,
                                              sky_span faults, int64_t bytes_max);
SKY_MUST_USE sky_err sky_store_copy_some(struct sky_store *store, struct sky_snapshot *snapshot,
                                         int64_t product_id, int64_t *after_id, size_t limit,
                                         sky_store_id_fn *each, void *ctx);
/* `state` is the caller's own writing. LIMIT as above. */
SKY_MUST_USE sky_err sky_store_put_snapshot_session(struct sky_store *store,
                                                    struct sky_snapshot *snapshot,
                                                    int64_t device_id, sky_span state);
/* It is complete. */
SKY_MUST_USE sky_err sky_store_end_snapshot(struct sky_store *store,
                                            const struct sky_snapshot *snapshot);

/* `product` is empty for one of everything; `name` and `product` as in the value. */
SKY_MUST_USE sky_err sky_store_find_snapshot(struct sky_store *store, sky_span name,
                                             sky_span product, struct sky_snapshot *ret_snapshot);
typedef bool sky_store_snapshot_fn(void *ctx, const struct sky_snapshot *snapshot);
/* Those with a name, in the order in which they were taken, until `each` returns false. */
SKY_MUST_USE sky_err sky_store_each_snapshot(struct sky_store *store, sky_store_snapshot_fn *each,
                                             void *ctx);
/* One of a device, whichever; NOT_FOUND: there is none. */
SKY_MUST_USE sky_err sky_store_left_snapshot(struct sky_store *store,
                                             struct sky_snapshot *ret_snapshot);
SKY_MUST_USE sky_err sky_store_drop_snapshot(struct sky_store *store, int64_t id);
/* The same in pieces: it is hidden from everybody, then cut by some rows of each kind, `limit` at
 * the most. NOT_FOUND: that was the last of it. */
SKY_MUST_USE sky_err sky_store_hide_snapshot(struct sky_store *store, int64_t id);
SKY_MUST_USE sky_err sky_store_cut_snapshot(struct sky_store *store, int64_t id, size_t limit);
/* One that is hidden, whichever; NOT_FOUND: there is none. */
SKY_MUST_USE sky_err sky_store_hidden_snapshot(struct sky_store *store, int64_t *ret_id);

/* NOT_FOUND, with `*ret_state` untouched, when the device had none. Appends; LIMIT if it does not
 * fit there. */
SKY_MUST_USE sky_err sky_store_get_snapshot_session(struct sky_store *store, int64_t id,
                                                    int64_t device_id, struct sky_buf *ret_state);
SKY_MUST_USE sky_err sky_store_get_snapshot_faults(struct sky_store *store, int64_t id,
                                                   struct sky_buf *ret_faults);

/* Does some snapshot hold a document of the device, of that name, with these bytes in it? */
SKY_MUST_USE sky_err sky_store_snapshots_mention(struct sky_store *store, int64_t device_id,
                                                 sky_span name, sky_span bytes, bool *ret_found);

/* The devices that had a session. */
SKY_MUST_USE sky_err sky_store_each_snapshot_session(struct sky_store *store, int64_t id,
                                                     sky_store_id_fn *each, void *ctx);
/* What the device of such a snapshot did itself is how it was: that it has become active, while it
 * is online, and the secret that it fetched, which is the one it has. */
SKY_MUST_USE sky_err sky_store_snapshot_activated(struct sky_store *store,
                                                  const struct sky_snapshot *snapshot,
                                                  bool is_online);
/* Registry and documents are again as they were, but for sessions; tells which devices had to be
 * changed for that, added and deleted ones too. Of a snapshot of one device, not those of which
 * only documents are others: it is none of theirs. To be called in a transaction. */
SKY_MUST_USE sky_err sky_store_restore_snapshot(struct sky_store *store,
                                                const struct sky_snapshot *snapshot,
                                                sky_store_id_fn *changed, void *ctx);
/* The same for many devices, in pieces of `limit` at the most, each a bracket of its own. Besides
 * those that had to be changed, some of them more than once, tells each device that is in the
 * snapshot. NOT_FOUND: that was the last piece. */
struct sky_store_restore {
    int64_t snapshot_id;
    int64_t product_id; /* that has the name now; 0: all */
    int stage;
    int64_t after_id;
};
SKY_MUST_USE sky_err sky_store_begin_restore(struct sky_store *store,
                                             const struct sky_snapshot *snapshot,
                                             struct sky_store_restore *ret_walk);
SKY_MUST_USE sky_err sky_store_restore_some(struct sky_store *store, struct sky_store_restore *walk,
                                            size_t limit, sky_store_id_fn *changed,
                                            sky_store_id_fn *each, void *ctx);

#endif
