#include "server/cli/http_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "protocol/base/json_tree.h"

enum { REQUEST_MAX = 4096, READ_SIZE = 64 * 1024 };

sky_err sky_http_parse_url(const char *url, char host[SKY_HOST_MAX + 1], uint16_t *ret_port,
                           struct sky_why *why)
{
    return sky_config_parse_url(url, host, ret_port)
               ? SKY_OK
               : sky_why_set(why, SKY_ERR_INVALID, "", "%.200s: give http://HOST:PORT", url);
}

void sky_http_add_escaped(struct sky_buf *target, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/,";

    for (; *text != '\0'; text++)
        if (strchr(plain, *text) != NULL)
            sky_buf_add_byte(target, (uint8_t)*text);
        else
            sky_buf_addf(target, "%%%02X", (uint8_t)*text);
}

/* A connected socket, or -1 with errno. */
static int connect_one(const struct addrinfo *address)
{
    struct timeval patience = {.tv_sec = SKY_HTTP_CLIENT_TIMEOUT_S};
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static sky_err connect_to(const char *host, uint16_t port, int *ret_fd, struct sky_why *why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    char service[8];
    int fd = -1;

    snprintf(service, sizeof service, "%u", port);
    int code = getaddrinfo(host, service, &hints, &list);
    if (code != 0)
        return sky_why_set(why, SKY_ERR_IO, "",
                           "no server at %.100s: its address is not known (%s); name another with "
                           "--url http://HOST:PORT",
                           host, gai_strerror(code));
    for (const struct addrinfo *each = list; fd < 0 && each != NULL; each = each->ai_next)
        fd = connect_one(each);
    freeaddrinfo(list);
    if (fd < 0)
        return sky_why_set(why, SKY_ERR_IO, "",
                           "no server at %.100s port %u (%s); start one with \"skymock serve\", or "
                           "name its admin listener with --url http://HOST:PORT",
                           host, port, strerror(errno));
    *ret_fd = fd;
    return SKY_OK;
}

static sky_err no_answer(const char *url, struct sky_why *why)
{
    return sky_why_set(why, SKY_ERR_IO, "",
                       "no answer from %.200s; is this the admin listener of a skymock?", url);
}

static bool send_all(int fd, sky_span bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes = sky_span_tail(bytes, (size_t)sent);
    }
    return true;
}

/* What is there, or comes next. False with errno 0 at the end, or with another. */
static bool receive(int fd, struct sky_buf *out)
{
    ssize_t got;

    char *room = sky_buf_reserve(out, READ_SIZE);
    errno = room != NULL ? 0 : EMSGSIZE;
    if (room == NULL)
        return false;
    do
        got = recv(fd, room, READ_SIZE, 0);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        sky_buf_commit(out, (size_t)got);
    return got > 0;
}

/* Until the server closes, as it does after an answer to HTTP/1.0. */
static bool receive_all(int fd, struct sky_buf *out)
{
    while (receive(fd, out))
        ;
    return errno == 0;
}

/* Leaves the body in `answer`. */
static bool split_answer(struct sky_buf *answer, int *ret_status)
{
    static const char end[] = "\r\n\r\n";
    int64_t status;
    sky_span head = sky_buf_span(answer);
    const char *body = head.len > 12 ? memmem(head.ptr, head.len, end, sizeof end - 1) : NULL;

    if (body == NULL || !sky_span_starts(head, SKY_SPAN("HTTP/1.")) ||
        !sky_span_to_int(sky_span_of(head.ptr + 9, 3), &status))
        return false;
    *ret_status = (int)status;
    sky_buf_drop(answer, (size_t)(body - head.ptr) + sizeof end - 1);
    return true;
}

struct request {
    const char *method, *path;
    const char *token;  /* NULL: none */
    const char *accept; /* NULL: whatever it is */
    sky_span json;      /* the body; empty: none */
};

/* Connects and asks. */
static sky_err send_request(const char *url, const struct request *request, int *ret_fd,
                            struct sky_why *why)
{
    char host[SKY_HOST_MAX + 1];
    struct sky_buf head;
    uint16_t port = 0;
    int fd = -1;

    sky_err err = sky_http_parse_url(url, host, &port, why);
    if (err == SKY_OK)
        err = connect_to(host, port, &fd, why);
    if (err != SKY_OK)
        return err;
    sky_buf_init(&head, REQUEST_MAX);
    bool bare = strchr(host, ':') != NULL; /* an IPv6 address wants brackets */
    sky_buf_addf(&head, "%s %s HTTP/1.0\r\nHost: %s%s%s:%u\r\nConnection: close\r\n",
                 request->method, request->path, bare ? "[" : "", host, bare ? "]" : "", port);
    if (request->token != NULL)
        sky_buf_addf(&head, "Authorization: Bearer %s\r\n", request->token);
    if (request->accept != NULL)
        sky_buf_addf(&head, "Accept: %s\r\n", request->accept);
    if (request->json.len > 0)
        sky_buf_addf(&head, "Content-Type: application/json\r\n");
    if (strcmp(request->method, "GET") != 0)
        sky_buf_addf(&head, "Content-Length: %zu\r\n", request->json.len);
    sky_buf_add_str(&head, "\r\n");
    if (head.overflow)
        err = sky_why_set(why, SKY_ERR_LIMIT, "",
                          "the request's head is longer than %d bytes; is the token as long?",
                          REQUEST_MAX);
    else if (!send_all(fd, sky_buf_span(&head)) || !send_all(fd, request->json))
        err = no_answer(url, why);
    sky_buf_done(&head);
    if (err != SKY_OK)
        close(fd);
    else
        *ret_fd = fd;
    return err;
}

static sky_err ask(const char *url, const struct request *request, int *ret_status,
                   struct sky_buf *ret_body, struct sky_why *why)
{
    int fd;

    sky_err err = send_request(url, request, &fd, why);
    if (err != SKY_OK)
        return err;
    sky_buf_clear(ret_body);
    if (!receive_all(fd, ret_body) || !split_answer(ret_body, ret_status))
        err = no_answer(url, why);
    close(fd);
    return err;
}

sky_err sky_http_get(const char *url, const char *path, const char *token, int *ret_status,
                     struct sky_buf *ret_body, struct sky_why *why)
{
    const struct request request = {.method = "GET", .path = path, .token = token};

    return ask(url, &request, ret_status, ret_body, why);
}

sky_err sky_http_post(const char *url, const char *path, const char *token, sky_span json,
                      int *ret_status, struct sky_buf *ret_body, struct sky_why *why)
{
    const struct request request = {.method = "POST", .path = path, .token = token, .json = json};

    return ask(url, &request, ret_status, ret_body, why);
}

/* ---- streams ---- */

sky_err sky_http_stream_open(const char *url, const char *path, const char *token,
                             struct sky_http_stream *ret_stream, struct sky_why *why)
{
    static const char end[] = "\r\n\r\n";
    const struct request request = {
        .method = "GET", .path = path, .token = token, .accept = "text/event-stream"};
    struct sky_buf text;
    int fd, status = 0, on = 1;

    sky_err err = send_request(url, &request, &fd, why);
    if (err != SKY_OK)
        return err;
    sky_buf_init(&text, SKY_HTTP_EVENT_MAX);
    bool whole = false, more = true;
    while (more && !whole) {
        more = receive(fd, &text);
        whole = text.len > 0 && memmem(text.bytes, text.len, end, sizeof end - 1) != NULL;
    }
    if (!whole || !split_answer(&text, &status))
        err = no_answer(url, why);
    else if (status != 200)
        err = sky_http_refused(url, status, (sky_span){0}, why);
    if (err != SKY_OK) {
        sky_buf_done(&text);
        close(fd);
        return err;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    *ret_stream = (struct sky_http_stream){.fd = fd, .text = text};
    return SKY_OK;
}

void sky_http_stream_close(struct sky_http_stream *stream)
{
    sky_buf_done(&stream->text);
    close(stream->fd);
}

bool sky_http_stream_read(struct sky_http_stream *stream)
{
    return receive(stream->fd, &stream->text) || errno == EAGAIN;
}

/* The lines of an event that has come whole (HTML, "Server-sent events", 9.2.6). */
static void take_lines(sky_span lines, struct sky_http_event *event)
{
    sky_span line, name, value;

    sky_buf_clear(&event->data);
    event->name[0] = '\0';
    while (sky_span_next(&lines, '\n', &line)) {
        if (!sky_span_cut(line, ':', &name, &value))
            continue;
        if (sky_span_starts(value, SKY_SPAN(" ")))
            value = sky_span_tail(value, 1);
        if (sky_span_eq_str(name, "event"))
            (void)sky_span_copy(value, event->name, sizeof event->name);
        else if (sky_span_eq_str(name, "data"))
            sky_buf_add(&event->data, value);
    }
}

bool sky_http_stream_next(struct sky_http_stream *stream, struct sky_http_event *event)
{
    struct sky_buf *text = &stream->text;
    const char *end;

    while (text->len > 0 && (end = memmem(text->bytes, text->len, "\n\n", 2)) != NULL) {
        size_t len = (size_t)(end - text->bytes);
        take_lines(sky_span_of(text->bytes, len), event);
        sky_buf_drop(text, len + 2);
        if (event->name[0] != '\0') /* or it only kept the connection alive */
            return true;
    }
    return false;
}

sky_err sky_http_refused(const char *url, int status, sky_span body, struct sky_why *why)
{
    sky_err err = status == 404 ? SKY_ERR_NOT_FOUND : SKY_ERR_DENIED;
    struct sky_why wrong;
    cJSON *tree = NULL;

    if (status == 401)
        return sky_why_set(
            why, err, "",
            "%.100s asks for a token (401): it is missing or wrong; give the server's "
            "with --admin-token or SKYMOCK_ADMIN_TOKEN",
            url);
    if (sky_json_parse(body, SKY_JSON_DEPTH_MAX, &tree, &wrong) != SKY_OK)
        tree = NULL;
    const cJSON *error = sky_json_get(tree, "error");
    const char *pointer = sky_json_text_of(error, "pointer");
    const char *message = sky_json_get_str(error, "message");
    if (message != NULL)
        err = sky_why_set(why, err, "", "%.100s%s%.200s", pointer, *pointer != '\0' ? ": " : "",
                          message);
    else
        err = sky_why_set(why, err, "",
                          "%.100s answered %d; is this the admin listener of a skymock?", url,
                          status);
    cJSON_Delete(tree);
    return err;
}

sky_err sky_http_get_json(const char *url, const char *path, const char *token, cJSON **ret_tree,
                          struct sky_why *why)
{
    struct sky_buf body;
    struct sky_why wrong;
    int status = 0;

    sky_buf_init(&body, SKY_HTTP_CLIENT_ANSWER_MAX);
    sky_err err = sky_http_get(url, path, token, &status, &body, why);
    if (err == SKY_OK && status != 200)
        err = sky_http_refused(url, status, sky_buf_span(&body), why);
    else if (err == SKY_OK &&
             sky_json_parse(sky_buf_span(&body), SKY_JSON_DEPTH_MAX, ret_tree, &wrong) != SKY_OK)
        err = sky_why_set(why, SKY_ERR_INVALID, "",
                          "%.100s answers, but not in JSON (%.100s); is this the admin listener of "
                          "a skymock?",
                          url, wrong.reason);
    sky_buf_done(&body);
    return err;
}
