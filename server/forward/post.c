#include "server/forward/post.h"

#define CURL_DISABLE_TYPECHECK /* its macros are about the names of the functions */
#include <curl/curl.h>
#include <stdlib.h>
#include <utlist.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/os/files.h"
#include "server/os/library.h"

/* What is called of the library, which is opened with the first sky_post. */
#define CALLS(CALL)                                                                                \
    CALL(curl_easy_cleanup)                                                                        \
    CALL(curl_easy_getinfo)                                                                        \
    CALL(curl_easy_init)                                                                           \
    CALL(curl_easy_setopt)                                                                         \
    CALL(curl_easy_strerror)                                                                       \
    CALL(curl_global_cleanup)                                                                      \
    CALL(curl_global_init)                                                                         \
    CALL(curl_multi_add_handle)                                                                    \
    CALL(curl_multi_assign)                                                                        \
    CALL(curl_multi_cleanup)                                                                       \
    CALL(curl_multi_info_read)                                                                     \
    CALL(curl_multi_init)                                                                          \
    CALL(curl_multi_remove_handle)                                                                 \
    CALL(curl_multi_setopt)                                                                        \
    CALL(curl_multi_socket_action)                                                                 \
    CALL(curl_slist_append)                                                                        \
    CALL(curl_slist_free_all)                                                                      \
    CALL(curl_version_info)
static struct {
    CALLS(SKY_LIBRARY_POINTER)
} lib;

struct sky_post {
    uv_loop_t *loop; /* borrowed, as the next */
    struct sky_clock *clock;
    sky_post_fn *answered;
    void *ctx;
    CURLM *multi;
    struct curl_slist *headers;
    struct sky_buf ca; /* empty: the system's */
    struct sky_timer timer;
    struct request *requests; /* all of them, under way or not */
    struct request *idle;     /* those that are not */
};

/* Used again and again: most of its options never change. */
struct request {
    struct sky_post *post;
    CURL *easy;
    void *tag;
    size_t answer_len;
    bool under_way;
    char error[CURL_ERROR_SIZE];
    struct request *next, *next_idle;
};

/* A socket of curl's that is watched. */
struct watch {
    uv_poll_t poll;
    struct sky_post *post;
    curl_socket_t socket;
};

/* ---- how requests end ---- */

static struct sky_post_result result_of(const struct request *request, CURLcode code)
{
    long status = 0, sent = 0;
    (void)lib.curl_easy_getinfo(request->easy, CURLINFO_REQUEST_SIZE, &sent);
    /* A body that is longer than anybody wants is no reason to ask again. */
    if (code == CURLE_OK || code == CURLE_WRITE_ERROR)
        (void)lib.curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    return (struct sky_post_result){
        .status = (int)status,
        .sent = sent > 0,
        .reason = request->error[0] != '\0' ? request->error : lib.curl_easy_strerror(code)};
}

static void collect(struct sky_post *post)
{
    CURLMsg *message;
    int left;
    while ((message = lib.curl_multi_info_read(post->multi, &left)) != NULL) {
        struct request *request;
        CURLcode code = message->data.result;
        (void)lib.curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
        struct sky_post_result result = result_of(request, code);
        SKY_ASSERT(lib.curl_multi_remove_handle(post->multi, request->easy) == CURLM_OK);
        request->under_way = false;
        LL_PREPEND2(post->idle, request, next_idle);
        post->answered(post->ctx, request->tag, &result);
    }
}

/* ---- the loop ---- */

static void act(struct sky_post *post, curl_socket_t socket, int events)
{
    int running;
    SKY_ASSERT(lib.curl_multi_socket_action(post->multi, socket, events, &running) == CURLM_OK);
    collect(post);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    const struct watch *watch = poll->data; /* may be gone after the call below */
    struct sky_post *post = watch->post;
    sky_clock_tick(post->clock, uv_now(post->loop));
    act(post, watch->socket,
        (status < 0 ? CURL_CSELECT_ERR : 0) | (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
            (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct sky_timer *timer, int64_t now_ms)
{
    (void)now_ms;
    act(SKY_CONTAINER_OF(timer, struct sky_post, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int want_timer(CURLM *multi, long in_ms, void *ctx)
{
    struct sky_post *post = ctx;
    (void)multi;
    if (in_ms < 0)
        sky_clock_forgive(post->clock, &post->timer);
    else
        sky_clock_patience(post->clock, &post->timer, in_ms, on_timer);
    return 0;
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static int want_socket(CURL *easy, curl_socket_t socket, int what, void *ctx, void *socket_ctx)
{
    struct sky_post *post = ctx;
    struct watch *watch = socket_ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            uv_close((uv_handle_t *)&watch->poll, free_watch);
        return 0;
    }
    if (watch == NULL) {
        watch = sky_mem_new(sizeof *watch);
        *watch = (struct watch){.post = post, .socket = socket};
        watch->poll.data = watch;
        if (uv_poll_init_socket(post->loop, &watch->poll, socket) != 0) {
            free(watch); /* what nobody watches runs into its time limit, and is tried again */
            return 0;
        }
        SKY_ASSERT(lib.curl_multi_assign(post->multi, socket, watch) == CURLM_OK);
    }
    uv_poll_start(&watch->poll,
                  (what & CURL_POLL_IN ? UV_READABLE : 0) |
                      (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                  on_ready);
    return 0;
}

/* ---- requests ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct request *request = ctx;
    (void)bytes;
    request->answer_len += size * count;
    return request->answer_len <= SKY_POST_ANSWER_MAX ? size * count : 0;
}

#define SET(option, value) SKY_ASSERT(lib.curl_easy_setopt(easy, option, value) == CURLE_OK)

static void set_options(const struct sky_post *post, struct request *request)
{
    CURL *easy = request->easy;
    SET(CURLOPT_PRIVATE, request);
    SET(CURLOPT_ERRORBUFFER, request->error);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, request);
    SET(CURLOPT_HTTPHEADER, post->headers);
    SET(CURLOPT_USERAGENT, "skymock/" SKY_VERSION);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)SKY_POST_TIMEOUT_MS);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)SKY_POST_CONNECT_MS);
    /* Nobody waits for the thread of a name that takes its time: the loop would stand still. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    if (post->ca.len > 0) {
        struct curl_blob blob = {
            .data = post->ca.bytes, .len = post->ca.len, .flags = CURL_BLOB_NOCOPY};
        SET(CURLOPT_CAINFO_BLOB, &blob);
    }
}

static struct request *take_request(struct sky_post *post)
{
    struct request *request = post->idle;
    if (request != NULL) {
        LL_DELETE2(post->idle, request, next_idle);
        return request;
    }
    request = sky_mem_new(sizeof *request);
    request->post = post;
    request->easy = lib.curl_easy_init();
    SKY_ASSERT(request->easy != NULL);
    set_options(post, request);
    LL_PREPEND(post->requests, request);
    return request;
}

void sky_post_send(struct sky_post *post, const char *url, sky_span body, void *tag)
{
    struct request *request = take_request(post);
    CURL *easy = request->easy;
    request->tag = tag;
    request->answer_len = 0;
    request->error[0] = '\0';
    SET(CURLOPT_URL, url);
    SET(CURLOPT_POSTFIELDS, body.ptr);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    request->under_way = true;
    SKY_ASSERT(lib.curl_multi_add_handle(post->multi, easy) == CURLM_OK);
}

#undef SET

/* ---- open and close ---- */

static sky_err read_ca(const char *ca_file, struct sky_buf *ca, struct sky_why *why)
{
    sky_err err = ca_file != NULL ? sky_files_read(ca_file, ca, why) : SKY_OK;
    if (err == SKY_OK && ca_file != NULL &&
        !sky_span_contains(sky_buf_span(ca), SKY_SPAN("-----BEGIN CERTIFICATE-----")))
        err = sky_why_set(why, SKY_ERR_INVALID, "", "%.200s: no certificate (PEM) in it", ca_file);
    return err;
}

static sky_err start_curl(struct sky_why *why)
{
    static const struct sky_library_call calls[] = {CALLS(SKY_LIBRARY_CALL)};
    sky_err err = sky_library_open(CURL_FILE, calls, SKY_COUNT(calls), why);
    if (err != SKY_OK)
        return err;
    if (lib.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return sky_why_set(why, SKY_ERR_IO, "", "libcurl cannot be started");
    if (lib.curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS)
        return SKY_OK;
    lib.curl_global_cleanup();
    return sky_why_set(why, SKY_ERR_IO, "",
                       "this libcurl resolves names on the caller's time; take one with AsynchDNS");
}

#define SET(option, value) SKY_ASSERT(lib.curl_multi_setopt(post->multi, option, value) == CURLM_OK)

sky_err sky_post_open(uv_loop_t *loop, struct sky_clock *clock, const char *ca_file,
                      sky_post_fn *answered, void *ctx, struct sky_post **ret_post,
                      struct sky_why *why)
{
    struct sky_buf ca;
    sky_buf_init(&ca, SKY_POST_CA_MAX);
    sky_err err = read_ca(ca_file, &ca, why);
    if (err == SKY_OK)
        err = start_curl(why);
    if (err != SKY_OK) {
        sky_buf_done(&ca);
        return err;
    }
    struct sky_post *post = sky_mem_new(sizeof *post);
    *post =
        (struct sky_post){.loop = loop, .clock = clock, .answered = answered, .ctx = ctx, .ca = ca};
    post->headers = lib.curl_slist_append(NULL, "Content-Type: application/json");
    post->headers =
        lib.curl_slist_append(post->headers, "Expect:"); /* no second of waiting for 100 */
    post->multi = lib.curl_multi_init();
    SKY_ASSERT(post->headers != NULL && post->multi != NULL);
    SET(CURLMOPT_SOCKETFUNCTION, want_socket);
    SET(CURLMOPT_SOCKETDATA, post);
    SET(CURLMOPT_TIMERFUNCTION, want_timer);
    SET(CURLMOPT_TIMERDATA, post);
    SET(CURLMOPT_MAXCONNECTS, (long)SKY_POST_KEPT_MAX);
    *ret_post = post;
    return SKY_OK;
}

#undef SET

void sky_post_close(struct sky_post *post)
{
    struct request *request, *next;
    if (post == NULL)
        return;
    LL_FOREACH_SAFE (post->requests, request, next) {
        if (request->under_way)
            SKY_ASSERT(lib.curl_multi_remove_handle(post->multi, request->easy) == CURLM_OK);
        lib.curl_easy_cleanup(request->easy);
        free(request);
    }
    SKY_ASSERT(lib.curl_multi_cleanup(post->multi) == CURLM_OK);
    sky_clock_forgive(post->clock, &post->timer);
    lib.curl_slist_free_all(post->headers);
    sky_buf_done(&post->ca);
    lib.curl_global_cleanup();
    free(post);
}
