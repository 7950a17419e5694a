/* What the handlers of the admin API share: the request at hand, its checked parameters, and ways
 * to answer. A handler sees only requests that its row of the table describes. */
#ifndef SKY_SERVER_ADMIN_API_H
#define SKY_SERVER_ADMIN_API_H

#include "protocol/base/json_tree.h"
#include "server/admin/admin.h"
#include "server/admin/handlers.h"
#include "server/admin/match.h"
#include "server/app.h"
#include "server/journal/json.h"
#include "server/judge/waits.h"
#include "server/port/http.h"
#include "server/registry/parties.h"

enum {
    SKY_API_PARAM_MAX = 512,   /* bytes of one decoded query parameter */
    SKY_API_MESSAGE_MAX = 512, /* bytes of what an error says */
    SKY_API_BODY_DEPTH_MAX = 32,
    SKY_API_WAIT_MS_MAX = 10 * 60 * 1000,
    SKY_API_PAGE_DEFAULT = 100, /* entries of a list */
    SKY_API_PAGE_MAX = 1000,
};

enum sky_api_kind {
    SKY_API_TEXT,
    SKY_API_INT,
    SKY_API_BOOL,
    SKY_API_DEVICE,  /* "cloud/product/device" */
    SKY_API_PRODUCT, /* "cloud/product" */
    SKY_API_OBJECT,
    SKY_API_ARRAY,
    SKY_API_ANY,
};

/* A query parameter, or a member of the body: checked before the handler runs. */
struct sky_api_param {
    const char *name; /* NULL ends a list */
    enum sky_api_kind kind;
    bool required;
    int64_t min, max; /* of an integer; of a text: bytes, as it was decoded */
    const char *about;
};

struct sky_api_answer {
    int status; /* 0 ends a list */
    const char *about;
    const char *schema; /* NULL: the route's, or that of errors */
};

enum { SKY_ROUTE_ANSWERS_MAX = 10 };

/* A member of an answer. It is always there, and one value, unless `how` says otherwise. */
enum {
    SKY_API_OPTIONAL = 1,
    SKY_API_NULLABLE = 2,
    SKY_API_LIST = 4, /* an array of such values */
    SKY_API_MAP = 8,  /* an object: such values under any names */
    SKY_API_CUT = 16, /* or the text of that, when it was cut */
};
struct sky_api_member {
    const char *name; /* NULL ends a list */
    enum sky_api_kind kind;
    unsigned how;
    const char *of; /* an object: its schema; a text: all it can be, "this|that"; NULL: anything */
    const char *about; /* NULL: the name says it */
};

struct sky_api_schema {
    const char *name;
    const struct sky_api_member *members;
};

extern const struct sky_api_schema sky_api_schemas[];
extern const size_t sky_api_schema_count;

struct sky_api;

struct sky_route {
    const char *method, *path;
    void (*handle)(struct sky_api *api);
    const char *summary;
    const struct sky_api_param *query; /* NULL: none */
    const struct sky_api_param *body;  /* members of the JSON object; NULL: none */
    const char *free_body;             /* the body is JSON of a form described here; NULL: not */
    const char *body_type;             /* of the body; NULL: application/json */
    const char *content_type;          /* of the answer; NULL: application/json */
    const char *schema;                /* of an answer in JSON that is no error */
    struct sky_api_answer answers[SKY_ROUTE_ANSWERS_MAX];
    bool open; /* needs no token */
    /* What else a body must be, for suites, which know it before it is sent; NULL: nothing. */
    sky_err (*check)(const cJSON *body, const char *at, struct sky_why *why);
    /* Makes of a body what takes long, of nothing else and off the loop, before the handler has it
     * as api->made. NULL: nothing is made. */
    struct sky_api_made *(*make)(const struct sky_catalogue *rules, cJSON *body);
    /* Takes a body of the type SKY_API_RAW as it comes, see struct sky_http_handler, into a struct
     * sky_api_raw; `welcome`: who sends it may. NULL: such a body is not taken. */
    void (*begin)(struct sky_api *api, bool welcome);
};
#define SKY_API_RAW "application/octet-stream"

extern const struct sky_route sky_routes[];
extern const size_t sky_route_count;

/* What came of a body that was taken as it came: call->state until the request is whole. */
struct sky_api_raw {
    void (*drop)(struct sky_api_raw *raw);
};

struct sky_api_made {
    void (*drop)(struct sky_api_made *made);
};

/* A body in JSON, as it was read. */
struct sky_api_reading {
    sky_err err;
    struct sky_why why;
    cJSON *tree; /* owned, as the next; either may be NULL */
    struct sky_api_made *made;
};

/* One request on its way through its handler. */
struct sky_api {
    struct sky_http_call *call;
    struct sky_app *app;
    const struct sky_route *route;
    struct sky_path_vars vars;
    cJSON *body; /* an object, or NULL; freed after the handler, as the next is dropped */
    struct sky_api_made *made;    /* dropped likewise, and NULL if its row makes nothing */
    struct sky_api_reading *read; /* the body, from elsewhere; NULL: it is still to be read */
    struct sky_api_raw *raw;      /* NULL: the body was not taken as it came */
    struct sky_buf out;           /* the answer's body, written through `jw` */
    struct sky_jw jw;
    sky_span extra; /* header lines of the answer */
};

/* ---- answering: exactly one of these, or keep the call and answer it later ---- */

void sky_api_send(struct sky_api *api, int status);
/* The list that is open, the last member of the answer, unless reading it failed. */
void sky_api_send_list(struct sky_api *api, sky_err err);
void sky_api_send_text(struct sky_api *api, const char *content_type);
void sky_api_error(struct sky_api *api, int status, const char *code, const char *pointer,
                   const char *fmt, ...) SKY_PRINTF(5, 6);
/* In the words of `why`, or the error's own when it is NULL. */
void sky_api_fail(struct sky_api *api, sky_err err, const struct sky_why *why);
/* In the store's words, when it is the store that failed. */
void sky_api_fail_store(struct sky_api *api, sky_err err);
/* Is what the store gave JSON, as all texts are that go in there? Else the file is damaged (STORE).
 * An empty one is fine. */
SKY_MUST_USE sky_err sky_api_check_text(struct sky_api *api, sky_span text);

/* The same for a call that was kept. */
void sky_api_reply_json(struct sky_http_call *call, int status, sky_span body);
/* What an error looks like. */
void sky_api_write_error(struct sky_jw *jw, const char *code, const char *pointer,
                         const char *message);
void sky_api_reply_error(struct sky_http_call *call, int status, const char *code,
                         const char *message);

/* ---- asking ---- */

/* A query parameter, decoded; false when it was not given. */
bool sky_api_query(const struct sky_api *api, const char *name, char out[SKY_API_PARAM_MAX]);
int64_t sky_api_query_int(const struct sky_api *api, const char *name, int64_t otherwise);
bool sky_api_query_is(const struct sky_api *api, const char *name); /* given, and true */

/* Members of the body; absent: NULL, `otherwise`. */
const char *sky_api_body_text(const struct sky_api *api, const char *name);
int64_t sky_api_body_int(const struct sky_api *api, const char *name, int64_t otherwise);
bool sky_api_body_bool(const struct sky_api *api, const char *name, bool otherwise);
/* Whom the body speaks of, in its member "device" or "product", of which a body has one at the
 * most:
 * `*ret_key` says which; NULL, and the name is empty: of everybody. */
const char *sky_api_body_whom(const struct sky_api *api, const char **ret_key);

/* The cloud, product or device that the path names; false when there is none, and answered 404. */
const struct sky_cloud *sky_api_cloud(struct sky_api *api, const char *name);
bool sky_api_device(struct sky_api *api, struct sky_product *ret_product,
                    struct sky_device *ret_device);
bool sky_api_product(struct sky_api *api, struct sky_product *ret_product);
/* The same for one that the body's member "product" names, "cloud/key". */
bool sky_api_product_named(struct sky_api *api, const char *name, struct sky_product *ret_product);

/* The product's texts, as members of an open object. */
void sky_api_write_texts(struct sky_api *api, int64_t product_id);

/* Every change so far is in the store for good, as it must be before the client is told. False, and
 * answered, when it could not be written. */
bool sky_api_settle(struct sky_api *api);
/* Everything recorded so far is in the store, where what is shown must be. False, and answered
 * 500, when the store refuses. */
bool sky_api_flush(struct sky_api *api);

/* An event of the registry or the clock, done by the API: `name` says what. */
void sky_api_record(struct sky_app *app, enum sky_event_type type, int64_t device_id,
                    const char *name);

/* Of whom and of when verdicts are to be told: the parameters device, product and run. */
struct sky_api_scope {
    enum sky_period period;
    char name[SKY_API_PARAM_MAX]; /* of a device or product; empty: all */
    bool one;                     /* a device */
};
/* False, and answered, when they make no sense. */
bool sky_api_scope(struct sky_api *api, struct sky_api_scope *ret_scope);

/* Is the device that it names registered, or did anybody claim to be it? False, and answered 404,
 * when not. The path's variables have its parts. */
bool sky_api_scope_known(struct sky_api *api, const struct sky_api_scope *scope);

/* What is expected of whom the scope names, as an array. */
void sky_api_write_expected(struct sky_jw *jw, const struct sky_registry *registry,
                            const struct sky_api_scope *scope);

/* ---- asking oneself ---- */

/* Answers a call, whoever asks. */
void sky_api_take(struct sky_app *app, struct sky_http_call *call);
/* Is this a body that the route of the table takes? INVALID, and `why` has the pointer, with `at`
 * in front. */
SKY_MUST_USE sky_err sky_api_check_body(const char *method, const char *path, const cJSON *body,
                                        const char *at, struct sky_why *why);

/* ---- what the API keeps ---- */

struct sky_bulk;
struct sky_reload_wait;
struct sky_suites;

struct sky_suites *sky_api_suites_open(struct sky_app *app);

struct sky_bulk *sky_bulk_open(struct sky_app *app);
/* What is going on is left as it is; the loop must run until its work off the loop is done. */
void sky_bulk_close(struct sky_bulk *bulk);
/* What may change what an act on many devices is about, or is one, is taken when that is over:
 * true, if one is going on. */
bool sky_bulk_waits(const struct sky_api *api);
/* Drops what is left of snapshots that did not come to their end. */
void sky_api_snapshots_sweep(struct sky_app *app);

struct sky_admin {
    struct sky_waits waits; /* calls that want events */
    struct sky_device_names names;
    struct sky_reload_wait *reloads; /* list: calls that wait for the fixtures to be read */
    struct sky_suites *suites;
    struct sky_bulk *bulk; /* acts on many devices */
    size_t reports;        /* on their way */
    size_t report_bytes;   /* memory that reports on their way take for numbers of events */
};

#endif
