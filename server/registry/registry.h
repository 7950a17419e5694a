/* What the running server knows: the store behind it, the rules and what is done about them, and a
 * table of the devices it has admitted. The context of everything that judges who somebody is.
 * Knows no sockets, no bytes and no carriers. */
#ifndef SKY_SERVER_REGISTRY_REGISTRY_H
#define SKY_SERVER_REGISTRY_REGISTRY_H

#include "protocol/base/index.h"
#include "protocol/base/rule.h"
#include "protocol/cloud/cloud.h"
#include "server/journal/journal.h"
#include "server/os/clock.h"
#include "server/os/rng.h"
#include "server/registry/conduct.h"
#include "store/store.h"

struct sky_device_names;
struct sky_expectation;
struct sky_product_info;
struct sky_session;

enum {
    /* A search for a mistake costs milliseconds, and whoever logs in wrongly can ask for thousands.
     */
    SKY_SEARCHES_PER_TURN = 2,       /* of the loop; logins wait for another, calls do without */
    SKY_SEARCHES_WAITING_MAX = 1000, /* logins that wait; more are refused without a search */
    SKY_HELD_PER_TURN = 50,          /* logins that were held and may come in */
};

/* How much was searched in this turn of the loop. */
struct sky_searches {
    unsigned count;
    size_t waiting;  /* logins; kept by the port that lets them wait */
    unsigned let_in; /* of those that waited, in this turn */
};

/* While many devices are put back to how they were, none of those comes in: whoever asked sees one
 * act. Zeroed: all may. */
struct sky_hold {
    bool on;
    int64_t product_id; /* whose devices; 0: of all */
};

/* What tests expect; zeroed: nothing. */
struct sky_expected {
    struct sky_expectation *list; /* owned */
    int64_t last_id;
    size_t patterns;                /* in the list: as long as there is one, every event is seen */
    struct sky_device_names *names; /* owned; NULL: no pattern was ever in it */
};

struct sky_registry {
    struct sky_store *store; /* the first four are borrowed */
    struct sky_journal *journal;
    struct sky_clock *clock;
    struct sky_rng *rng;

    struct sky_catalogue catalogue;
    struct sky_policy policy; /* where a product has none of its own */

    struct sky_product_info *products; /* hash by product id; see products.h */
    uint64_t generation;               /* of the store's registry that they were read from */

    struct sky_index by_device;   /* sessions, by device id; see sessions.h */
    struct sky_session **by_slot; /* owned; NULL entries are free */
    uint32_t *free_slots;         /* owned; numbers of those entries, the last is taken first */
    size_t slots, room, free_count;
    size_t online; /* devices on MQTT */

    struct sky_parties parties;   /* see parties.h */
    struct sky_expected expected; /* see expected.h */

    struct sky_searches searches;
    struct sky_hold hold;
};

static inline bool sky_registry_holds(const struct sky_registry *registry, int64_t product_id)
{
    const struct sky_hold *hold = &registry->hold;
    return hold->on && (hold->product_id == 0 || hold->product_id == product_id);
}
/* May one that was held try again in this turn? Then it counts. */
static inline bool sky_registry_lets_in(struct sky_registry *registry)
{
    return !registry->hold.on && registry->searches.let_in++ < SKY_HELD_PER_TURN;
}

#endif
