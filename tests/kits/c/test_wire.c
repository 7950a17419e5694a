/* The kit's client against servers that answer badly, and its reader against what is no JSON. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "mqtt.h"
#include "skymock.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define VERSION OK "Content-Length: 22\r\n\r\n{\"listeners\":{\"m\":12}}"

/* What the next connections are answered: VERSION first, so that the kit begins. */
struct played {
    const char *head;
    size_t filling; /* bytes of 'x' behind it */
    const char *tail;
    size_t piece; /* bytes written at once */
    int stays;    /* it does not close */
};

static void write_pieces(int fd, const char *bytes, size_t len, size_t piece)
{
    while (len > 0) {
        size_t count = len < piece ? len : piece;
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        len -= (size_t)sent;
    }
}

static void take_request(int fd)
{
    char bytes[4096];
    size_t len = 0;
    ssize_t got;
    while (len < sizeof bytes - 1 && (got = recv(fd, bytes + len, sizeof bytes - 1 - len, 0)) > 0) {
        len += (size_t)got;
        bytes[len] = '\0';
        if (strstr(bytes, "\r\n\r\n") != NULL)
            return;
    }
}

static void play(int listener, const struct played *played)
{
    char *filling = calloc(1, played->filling + 1);
    memset(filling, 'x', played->filling);
    for (int i = 0;; i++) {
        int fd = accept(listener, NULL, NULL);
        take_request(fd);
        if (i == 0) {
            write_pieces(fd, VERSION, strlen(VERSION), SIZE_MAX);
        } else {
            write_pieces(fd, played->head, strlen(played->head), played->piece);
            write_pieces(fd, filling, played->filling, 65536);
            write_pieces(fd, played->tail, strlen(played->tail), played->piece);
        }
        if (i > 0 && played->stays)
            pause();
        shutdown(fd, SHUT_WR);
        close(fd);
    }
}

/* A server that plays so, connected to; its process. */
static pid_t begin(struct skymock *server, const struct played *played)
{
    char url[64];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        play(listener, played);
    }
    close(listener);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    const struct skymock_options options = {.url = url, .timeout_ms = played->stays ? 200 : 0};
    if (skymock_start(server, &options) != 0)
        fail_msg("%s", server->why);
    assert_int_equal(skymock_port(server, "m"), 12);
    return pid;
}

static void end(struct skymock *server, pid_t pid)
{
    skymock_stop(server);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* `err` and what is said, or what the body is. */
static void expect(const struct played *played, int err, const char *words)
{
    struct skymock server;
    pid_t pid = begin(&server, played);
    int got = skymock_ask(&server, "GET", "/anything");
    if (got != err || strstr(err == 0 ? server.answer : server.why, words) == NULL)
        fail_msg("%s\ngave %d, '%.200s', '%.200s'", played->head, got, server.answer, server.why);
    if (err == 0)
        assert_int_equal(server.answer_len, strlen(server.answer));
    end(&server, pid);
}

static void test_answers_whole_and_byte_by_byte(void **state)
{
    static const struct {
        const char *answer;
        int err;
        const char *words;
    } rows[] = {
        {OK "Content-Length: 2\r\n\r\n{}", 0, "{}"},
        {OK "content-length:2 \r\n\r\n{}and more", 0, "{}"},
        {OK "Content-Length: 0\r\n\r\n", 0, ""},
        {OK "\r\n[1]", 0, "[1]"},
        {OK
         "Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\nA;x=y\r\n1234567890\r\n1\r\n]\r\n0\r\n\r\n",
         0, "[1234567890]"},
        {OK "Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n00\r\nTrailer: 1\r\n\r\n", 0, "{}"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 0, ""},
        {"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\n{}", 0, "{}"},
        {"HTTP/1.0 200 OK\n\n{}", 0, "{}"},
        {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\n<b>no</b>", 1, "502, <b>no</b>"},
        {"HTTP/1.1 406 No\r\n\r\n{\"why\":7,\"nearest\":[1,{\"differs\":[{}]}]}", 1, "7"},
        {"HTTP/1.1 400 No\r\n\r\n{\"error\":{\"message\":\"m\",\"pointer\":\"/p\"}}", 1,
         "m; see /p"},
        {"", -1, "cut off"},
        {"HTTP/1.1 200 OK\r\nContent-Le", -1, "cut off"},
        {OK "Content-Length: 3\r\n\r\n{}", -1, "cut off"},
        {OK "Content-Length: 99999999999999999999999\r\n\r\n{}", -1, "SKYMOCK_ANSWER_MAX"},
        {OK "Content-Length: -1\r\n\r\n{}", -1, "no number"},
        {OK "Content-Length: 2x\r\n\r\n{}", -1, "no number"},
        {OK "Content-Length:\r\n\r\n{}", -1, "no number"},
        {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", -1, "cut off"},
        {OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", -1, "cut off"},
        {OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", -1, "chunk"},
        {OK "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", -1, "no number"},
        {OK "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n", -1, "ANSWER_MAX"},
        {OK "Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer", -1, "cut off"},
        {"SSH-2.0-OpenSSH\r\n", -1, "no HTTP"},
        {"HTTP/1.1 OK\r\n\r\n", -1, "no HTTP"},
        {"\r\n\r\n", -1, "no HTTP"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece <= 65536; piece *= 65536) {
            const struct played played = {.head = rows[i].answer, .tail = "", .piece = piece};
            expect(&played, rows[i].err, rows[i].words);
        }
}

static void test_answers_up_to_the_limit(void **state)
{
    static const size_t most = SKYMOCK_ANSWER_MAX;
    static const char *const heads[] = {OK "Content-Length: %zu\r\n\r\n", OK "\r\n",
                                        OK "Transfer-Encoding: chunked\r\n\r\n%zx\r\n"};
    char head[128];
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t more = 0; more < 2; more++) {
            const char *format = heads[i]; /* each has one size, or none */
            size_t at = strcspn(format, "%");
            int len = snprintf(head, sizeof head, "%.*s", (int)at, format);
            if (format[at] != '\0')
                snprintf(head + len, sizeof head - (size_t)len,
                         format[at + 2] == 'u' ? "%zu\r\n\r\n" : "%zx\r\n", most + more);
            const struct played played = {.head = head,
                                          .filling = most + more,
                                          .tail = i == 2 ? "\r\n0\r\n\r\n" : "",
                                          .piece = SIZE_MAX};
            expect(&played, more ? -1 : 0, more ? "SKYMOCK_ANSWER_MAX" : "xxx");
        }
}

static void test_heads_up_to_the_limit(void **state)
{
    const struct played fits = {OK "A: ", 8192 - 6, "\r\nContent-Length: 2\r\n\r\n{}", SIZE_MAX, 0},
                        longer = {OK "A: ", 8192, "\r\n\r\n", SIZE_MAX, 0};
    char lines[201 * 6 + 64];
    (void)state;
    expect(&fits, 0, "{}");
    expect(&longer, -1, "too long");
    for (int count = 200; count <= 201; count++) {
        size_t len = (size_t)snprintf(lines, sizeof lines, "%s", OK);
        for (int i = 0; i < count; i++)
            len += (size_t)snprintf(lines + len, sizeof lines - len, "A: 1\r\n");
        const struct played many = {.head = lines, .tail = "\r\n{}", .piece = SIZE_MAX};
        expect(&many, count == 200 ? 0 : -1, count == 200 ? "{}" : "too many lines");
    }
}

static void test_no_answer_in_time(void **state)
{
    const struct played silent = {.head = "", .tail = "", .piece = 1, .stays = 1},
                        halts = {.head = OK "Content-Length: 9\r\n\r\n{",
                                 .tail = "",
                                 .piece = 1,
                                 .stays = 1};
    (void)state;
    expect(&silent, -1, "no answer in time");
    expect(&halts, -1, "no answer in time");
}

static void test_no_server(void **state)
{
    static const struct {
        const char *url, *words;
    } rows[] = {{"http://127.0.0.1:1", "refused"},
                {"http://[::1]:1/", "http://[::1]:1"},
                {"http://no.such.host.invalid:80", "invalid"},
                {"https://127.0.0.1:8080", "give http://HOST:PORT"},
                {"http://127.0.0.1:99999", "give http://HOST:PORT"},
                {"http://127.0.0.1:80x", "give http://HOST:PORT"},
                {"http://", "give http://HOST:PORT"},
                {"x", "give http://HOST:PORT"}};
    struct skymock server;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct skymock_options options = {.url = rows[i].url};
        assert_int_equal(skymock_start(&server, &options), -1);
        if (strstr(server.why, rows[i].words) == NULL || strstr(server.why, "options.url") == NULL)
            fail_msg("%s: %s", rows[i].url, server.why);
        assert_string_equal(skymock_why(), server.why);
        skymock_stop(&server);
    }
}

static void test_no_program(void **state)
{
    static const struct {
        const char *program, *words;
    } rows[] = {{"/no/such/skymock", "set SKYMOCK to"},
                {"no-such-skymock", "not on PATH"},
                {"/bin/false", "ended before it was ready"}};
    struct skymock server;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct skymock_options options = {.program = rows[i].program};
        assert_int_equal(skymock_start(&server, &options), -1);
        if (strstr(server.why, rows[i].words) == NULL)
            fail_msg("%s: %s", rows[i].program, server.why);
    }
}

/* ---- reading JSON ---- */

static void test_values_are_found(void **state)
{
    static const char json[] =
        " {\"a\":{\"\":1,\"b/c\":[true, null ,-1.5e+3],\"~\":\"x\"},"
        "\"\\u0061b\\n\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u4e2d\\ud83d\\ude00\"}";
    static const struct {
        const char *pointer, *text;
    } rows[] = {{"/a/", "1"},          {"/a/b~1c/0", "true"},
                {"/a/b~1c/1", "null"}, {"/a/b~1c/2", "-1.5e+3"},
                {"/a/~0", "x"},        {"/ab\n", "\"\\/\b\f\n\r\t\u00e9\u4e2d\U0001F600"},
                {"/a/b~1c/3", NULL},   {"/a/b~1c/00", NULL},
                {"/a/b~1c/-", NULL},   {"/a/b~1c/-1", NULL},
                {"a", NULL},           {"/b", NULL},
                {"/a/~/x", NULL},      {"/", NULL}};
    char text[64];
    long long number;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int err = skymock_get_text(json, rows[i].pointer, text, sizeof text);
        if ((err == 0) != (rows[i].text != NULL) || strcmp(text, err == 0 ? rows[i].text : "") != 0)
            fail_msg("%s: %d %s", rows[i].pointer, err, text);
    }
    assert_int_equal(skymock_get_count(json, ""), 2);
    assert_int_equal(skymock_get_count(json, "/a/b~1c"), 3);
    assert_int_equal(skymock_get_count(json, "/a/~0"), -1);
    assert_int_equal(skymock_get_count("[]", ""), 0);
    assert_int_equal(skymock_get_int(json, "/a/", &number), 0);
    assert_int_equal(number, 1);
    assert_int_not_equal(skymock_get_int(json, "/a/b~1c/2", &number), 0);
    assert_int_not_equal(skymock_get_int("99999999999999999999", "", &number), 0);
    assert_int_equal(skymock_get_int("-9223372036854775808", "", &number), 0);
    assert_int_equal(skymock_get_text("\"\\ud800x\\u0000\\ude00\"", "", text, sizeof text), 0);
    assert_string_equal(text, "\ufffdx\ufffd\ufffd");
    assert_int_equal(skymock_get_text("\"\\ud83d\\u0041\"", "", text, sizeof text), 0);
    assert_string_equal(text, "\ufffdA");
}

static void test_small_buffers_get_nothing(void **state)
{
    char text[5];
    (void)state;
    assert_int_equal(skymock_get_text("\"1234\"", "", text, sizeof text), 0);
    assert_string_equal(text, "1234");
    assert_int_not_equal(skymock_get_text("\"12345\"", "", text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_int_not_equal(skymock_get_text("\"123\u00e9\"", "", text, sizeof text), 0);
    assert_int_equal(skymock_get_json("[12]", "", text, sizeof text), 0);
    assert_int_not_equal(skymock_get_json("[123]", "", text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_int_not_equal(skymock_get_text("\"\"", "", text, 0 + 1) != 0, 1);
}

static void test_what_is_no_json(void **state)
{
    static const char *const rows[] = {
        "",      " ",        "{",       "[",          "[1",    "[1,",       "[1,]", "[,1]",
        "[1 2]", "{\"a\"",   "{\"a\":", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "\"",   "\"\\",
        "\"\\u", "\"a\nb\"", "tru",     "-",          "1.",    "1e",        "+1",   ".5",
        "nul",   "{\"a\":}", "[}",      "{]",         "]",     "'a'"};
    char deep[2 * SKYMOCK_DEPTH_MAX + 8];
    (void)state;
    assert_null(skymock_find(NULL, ""));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (skymock_find(rows[i], "") != NULL)
            fail_msg("%s", rows[i]);
    for (size_t depth = SKYMOCK_DEPTH_MAX; depth <= SKYMOCK_DEPTH_MAX + 1; depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        deep[2 * depth] = '\0';
        assert_int_equal(skymock_find(deep, "") != NULL, depth == SKYMOCK_DEPTH_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_whole_and_byte_by_byte),
        cmocka_unit_test(test_answers_up_to_the_limit),
        cmocka_unit_test(test_heads_up_to_the_limit),
        cmocka_unit_test(test_no_answer_in_time),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_no_program),
        cmocka_unit_test(test_values_are_found),
        cmocka_unit_test(test_small_buffers_get_nothing),
        cmocka_unit_test(test_what_is_no_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
