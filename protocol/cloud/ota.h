/* Upgrades of a device's firmware, one for each of its modules: what state each is in, and what
 * the acts of the cloud, the application and the device do to it. The state lives in one document
 * of the device; a service that names it reads it from its facts and replaces it by an effect.
 * Knows no topic and no message: those are the clouds'. */
#ifndef SKY_CLOUD_OTA_H
#define SKY_CLOUD_OTA_H

#include "protocol/base/json_write.h"
#include "protocol/cloud/cloud.h"

/* The document: {module: {"module", "reported", "state", "version", ...}}. */
#define SKY_OTA_DOCUMENT "upgrades"

enum {
    SKY_OTA_MODULES_MAX = 8,  /* of one device */
    SKY_OTA_MODULE_MAX = 64,  /* characters of a module's name: letters, digits, `.`, `_`, `-` */
    SKY_OTA_VERSION_MAX = 64, /* characters */
    SKY_OTA_TEXT_MAX = 256,   /* bytes kept of what a device says of its progress */
    SKY_OTA_URL_MAX = 200,    /* characters of a URL: SDKs have as little room */
};
/* Virtual time that a URL is good for from when it was last handed out. */
#define SKY_OTA_URL_MS (INT64_C(24) * 3600 * 1000)

struct sky_ota_upgrade {
    sky_span module;   /* as in the document: never empty */
    sky_span reported; /* the version that the device said last; empty: none yet */
    enum sky_ota_state state;
    /* What follows is empty while the state is NONE. */
    sky_span version;          /* to upgrade to */
    sky_span file;             /* the image: its name in the store, and the path of its URL */
    int64_t size;              /* bytes of it */
    sky_span md5, sha256;      /* of it, lower hex */
    bool chunked;              /* the device fetches it by messages, and gets no URL */
    int64_t stream_id;         /* then: the number it fetches it by, 1 to 2^31 - 1 */
    bool due;                  /* the device has to be told of it, or told again */
    int percent;               /* 0 to 100, the last that was said; -1: none yet */
    sky_span step, code, desc; /* what the device said last, in its own words; may be empty */
    sky_span reason;           /* why it FAILED, in ours */
    /* Unix time; 0: not yet. */
    int64_t created_ms, notified_ms, started_ms, ended_ms;
    int64_t url_ms; /* when its URL was last handed out */
};

/* The upgrades of one device, open to be changed. Spans live in the arena. */
struct sky_ota {
    const struct sky_cloud_ota *rules; /* borrowed, as the next */
    struct sky_arena *arena;
    struct sky_ota_upgrade rows[SKY_OTA_MODULES_MAX];
    enum sky_ota_state was[SKY_OTA_MODULES_MAX]; /* as stored */
    size_t count;
    int64_t now_ms;
    bool changed;
    bool full; /* something was not taken because of a limit */
};

/* Reads facts->document, or starts empty. `cloud` has the capability `ota`. */
void sky_ota_open(struct sky_ota *ota, const struct sky_cloud *cloud, const struct sky_facts *facts,
                  struct sky_arena *arena);
/* Appends the PUT_DOCUMENT if anything changed, an UPGRADE for each that came into another state,
 * and a note if something was left out. */
void sky_ota_save(const struct sky_ota *ota, const struct sky_facts *facts,
                  struct sky_effects *effects);

/* The module's row, or NULL. An empty name is that of the main module, here and below. */
const struct sky_ota_upgrade *sky_ota_find(const struct sky_ota *ota, sky_span module);
/* The row of the upgrade whose image has this name, or NULL; and of that with this stream id, while
 * it is not over. */
const struct sky_ota_upgrade *sky_ota_find_file(const struct sky_ota *ota, sky_span file);
const struct sky_ota_upgrade *sky_ota_find_stream(const struct sky_ota *ota, int64_t stream_id);
/* QUEUED, NOTIFIED or RUNNING? */
bool sky_ota_is_open(const struct sky_ota_upgrade *upgrade);
/* Is any, in a document as it is stored? */
bool sky_ota_any_open(sky_span document);
/* May its image be fetched at that moment by the URL handed out last? */
bool sky_ota_url_is_good(const struct sky_ota_upgrade *upgrade, int64_t now_ms);

/* ---- acts of the application ---- */

/* What is to be upgraded, and to what. Spans need live only as long as the call. */
struct sky_ota_order {
    sky_span module, version, file;
    int64_t size;
    sky_span md5, sha256;
    bool chunked;
    int64_t stream_id;
};

/* May the device be ordered to upgrade that module to that version? INVALID: no module or version
 * can be called so, or the cloud has no such way. CONFLICT: one is under way, or the device runs
 * it. LIMIT: the image is too large, or the device has too many modules. */
SKY_MUST_USE sky_err sky_ota_check(const struct sky_ota *ota, const struct sky_ota_order *order,
                                   struct sky_why *why);
/* Takes the order that passed the check: QUEUED, and due. */
void sky_ota_create(struct sky_ota *ota, const struct sky_ota_order *order);
/* False: none is open. */
bool sky_ota_cancel(struct sky_ota *ota, sky_span module);

/* ---- acts of the cloud ---- */

/* Tells the device of the first upgrade that is due: appends the downlink, under the correlation
 * id `id`, and saves. False, and nothing done: none is. What is downloaded has its URL
 * from facts->link. */
bool sky_ota_tell(struct sky_ota *ota, const struct sky_uplink *to, const struct sky_facts *facts,
                  sky_span id, struct sky_effects *effects);
/* Ends what has run for too long at `moment_ms`: FAILED. */
void sky_ota_pass(struct sky_ota *ota, int64_t moment_ms);
/* When the next one would have; INT64_MAX: none. */
int64_t sky_ota_next_ms(const struct sky_ota *ota);

/* ---- acts of the device ---- */

/* The device says which version it runs. This ends an upgrade to it: SUCCEEDED; and as the cloud's
 * rules have it, one that was RUNNING: FAILED; or makes the push due again. */
void sky_ota_reported(struct sky_ota *ota, sky_span module, sky_span version);

/* The device asks what it is to upgrade to: the open upgrade, NOTIFIED by this and with its URL
 * handed out; NULL: there is none. */
const struct sky_ota_upgrade *sky_ota_asked(struct sky_ota *ota, sky_span module);

struct sky_ota_progress {
    int percent;   /* 0 to 100; -1: it does not say */
    sky_span step; /* the cloud's word for where it is: "20", "-3", "burning" */
    sky_span code; /* what else it says; each may be empty */
    sky_span desc;
    sky_span fails; /* the upgrade FAILED, for this reason in our words; empty: it goes on */
    bool succeeds;  /* the device says it is done, where the cloud takes its word for it */
};
enum sky_ota_answer {
    SKY_OTA_TAKEN,
    SKY_OTA_NO_UPGRADE, /* none is open for that module */
    SKY_OTA_NOT_TOLD,   /* the device was not told of it yet: it stays QUEUED */
};
/* The device says how far it is; the first time, the upgrade is RUNNING from then on. */
enum sky_ota_answer sky_ota_progress(struct sky_ota *ota, sky_span module,
                                     const struct sky_ota_progress *progress);

/* ---- for messages and for people ---- */

/* Where the image is downloaded, in the arena. */
sky_span sky_ota_url(const struct sky_ota_upgrade *upgrade, const struct sky_facts *facts,
                     struct sky_arena *arena);
/* "queued", ... */
const char *sky_ota_state_name(enum sky_ota_state state);
/* As the API shows it: one object. */
void sky_ota_show(const struct sky_ota *ota, const struct sky_ota_upgrade *upgrade,
                  struct sky_jw *jw);

#endif
