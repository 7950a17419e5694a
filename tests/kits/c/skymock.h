/* skymock for firmware tests that run on the host, in C or C++, under CMocka, Unity, CTest or none.
 *
 * Copy this file. One source file of the test program, with nothing included before, defines
 * SKYMOCK_IMPLEMENTATION and includes it; C99 and POSIX sockets are all that it needs.
 *
 *     struct skymock server;
 *     struct skymock_device device;
 *     SKYMOCK_ASSERT(skymock_start(&server, NULL));
 *     SKYMOCK_ASSERT(skymock_device_make(&server, &device, "aliyun/pk"));
 *     firmware_login(device.mqtt.host, device.mqtt.port, device.mqtt.client_id, ...);
 *     SKYMOCK_ASSERT(skymock_wait(&server, device.id, 1, 5000, "{'type': 'connack', 'code': 0}"));
 *     SKYMOCK_ASSERT(skymock_passed(&server, device.id, 0));
 *     skymock_device_remove(&server, &device);
 *     skymock_stop(&server);
 *
 * Results: functions that return int give 0 when it went well, 1 when the answer is no, -1 when
 * nobody could be asked; `server.why` then says why, in lines to read. What the server answered
 * last is `server.answer`, until the next call.
 *
 * Whom: "cloud/product/key" is a device (device.id), "cloud/product" all of a product, NULL all.
 *
 * Bodies and patterns are JSON, written as printf() formats in which ' stands for ". A %s between
 * quotes is text and is escaped; elsewhere it is JSON. Besides: %d %i %u %x with l, ll or z, %g %f
 * %%; no widths. An apostrophe of the text itself is \u0027, or comes by %s.
 *
 * A struct skymock belongs to one thread at a time. */
#ifndef SKYMOCK_H
#define SKYMOCK_H

/* What the implementation needs of POSIX where the compiler was asked for C99 alone. */
#if defined(SKYMOCK_IMPLEMENTATION) && !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
#define SKYMOCK_API extern "C"
#else
#define SKYMOCK_API extern
#endif

#ifdef __GNUC__
#define SKYMOCK_PRINTF(at, first) __attribute__((__format__(__printf__, at, first)))
#else
#define SKYMOCK_PRINTF(at, first)
#endif

/* Limits. The first two may be defined otherwise before the file is included. */
#ifndef SKYMOCK_ANSWER_MAX
/* Bytes of an answer; a larger one is an error. */
#define SKYMOCK_ANSWER_MAX (64u * 1024u * 1024u)
#endif
#ifndef SKYMOCK_FAIL
/* What a failed SKYMOCK_ASSERT() does. CMocka: (fputs(message, stderr), fail()), since fail_msg()
 * cuts it; Unity: TEST_FAIL_MESSAGE(message). */
#define SKYMOCK_FAIL(message) (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, message), abort())
#endif
#define SKYMOCK_WHY_MAX 8192  /* bytes of server.why; the rest is cut */
#define SKYMOCK_TEXT_MAX 512  /* of each text in the structs; longer ones are an error */
#define SKYMOCK_PORTS_MAX 16  /* listeners */
#define SKYMOCK_DEPTH_MAX 64  /* of JSON */
#define SKYMOCK_EVENTS_MAX 10 /* told with a wait that failed */

#define SKYMOCK_ASSERT(call)                                                                       \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            SKYMOCK_FAIL(skymock_why());                                                           \
    } while (0)

/* ---- the server ---- */

/* All may be 0 or NULL. */
struct skymock_options {
    const char *url;      /* of one that runs; default: SKYMOCK_URL. It is never ended */
    const char *program;  /* default: SKYMOCK, else skymock on PATH */
    const char *fixtures; /* file or folder; default: SKYMOCK_FIXTURES, which it reads itself */
    const char *token;    /* the API's; default: SKYMOCK_ADMIN_TOKEN */
    const char *host;     /* to listen at; default 127.0.0.1 */
    const char *const *arguments; /* further ones of `skymock serve`, with NULL behind the last */
    int timeout_ms; /* to be ready, and of an answer beyond what it waits; default 10000 */
};

struct skymock_listener {
    char name[32];
    int port;
};

struct skymock {
    char url[SKYMOCK_TEXT_MAX];     /* of the API and the console */
    char host[SKYMOCK_TEXT_MAX];    /* where devices find it */
    char ca_file[SKYMOCK_TEXT_MAX]; /* the authority to trust, once skymock_ca_file() was called */
    char why[SKYMOCK_WHY_MAX];      /* why the last call failed */
    char *answer;                   /* what was answered last, with a NUL behind; never NULL */
    size_t answer_len;
    int status; /* of HTTP; 0: none came */
    /* The kit's own. */
    struct skymock_listener ports[SKYMOCK_PORTS_MAX];
    char api_host[SKYMOCK_TEXT_MAX], token[SKYMOCK_TEXT_MAX];
    char dir[SKYMOCK_TEXT_MAX], files[3][SKYMOCK_TEXT_MAX + 16];
    int api_port, timeout_ms, log, hold;
    long keeper;
};

/* Connects to the server that SKYMOCK_URL names, or starts one of its own: free ports, nothing kept
 * on disk, ended by skymock_stop() or with this process, however that ends. `server` need not be
 * initialised; after a failure skymock_stop() is allowed and not needed. */
SKYMOCK_API int skymock_start(struct skymock *server, const struct skymock_options *options);
SKYMOCK_API void skymock_stop(struct skymock *server);
/* Of "mqtt", "mqtts", "enos-mqtt", "enos-mqtts", "coaps", "https" or "admin"; 0: there is none. */
SKYMOCK_API int skymock_port(const struct skymock *server, const char *listener);
/* The authority's certificate as a PEM file, gone with skymock_stop(); NULL: it cannot be had. */
SKYMOCK_API const char *skymock_ca_file(struct skymock *server);
/* Why the last call failed, of the server used last. */
SKYMOCK_API const char *skymock_why(void);
/* What devices broke and what happened last, of the server used last; for a test that failed. */
SKYMOCK_API void skymock_report(FILE *file);

/* Any route of the API, without and with a body: "/version", or "faults" for "/api/v1/faults". */
SKYMOCK_API int skymock_ask(struct skymock *server, const char *method, const char *path);
SKYMOCK_API int skymock_send(struct skymock *server, const char *method, const char *path,
                             const char *format, ...) SKYMOCK_PRINTF(4, 5);

/* ---- devices ---- */

struct skymock_login {
    char host[SKYMOCK_TEXT_MAX];
    int port; /* 0: that listener is off */
    char client_id[SKYMOCK_TEXT_MAX], username[SKYMOCK_TEXT_MAX], password[SKYMOCK_TEXT_MAX];
};

struct skymock_device {
    char id[SKYMOCK_TEXT_MAX]; /* cloud/product/key */
    char cloud[SKYMOCK_TEXT_MAX], product_key[SKYMOCK_TEXT_MAX], key[SKYMOCK_TEXT_MAX];
    char secret[SKYMOCK_TEXT_MAX];
    int keepalive_s;                  /* one that every cloud takes */
    struct skymock_login mqtt, mqtts; /* without TLS, and with it: what is signed may differ */
    char psk_identity[SKYMOCK_TEXT_MAX], psk_key_hex[SKYMOCK_TEXT_MAX];
    unsigned char psk_key[SKYMOCK_TEXT_MAX / 2];
    size_t psk_key_len;
};

/* Makes a temporary device of a product ("aliyun/pk"), with a made-up key and secret. More is in
 * the answer: "/credentials/httpsForm" and the like. */
SKYMOCK_API int skymock_device_make(struct skymock *server, struct skymock_device *device,
                                    const char *product);
/* Takes it away, with its faults and what was expected of it, if a reset did not. */
SKYMOCK_API int skymock_device_remove(struct skymock *server, const struct skymock_device *device);

/* A route below a device, and those there are: {'topic': '...', 'payload': '...', 'qos': 1};
 * {'kind': 'property-set', 'params': {...}}, which waits for the answer unless 'waitMs' is 0;
 * {'desired': {...}}; {'enabled': false}, {'secret': '...'}. */
SKYMOCK_API int skymock_of_device(struct skymock *server, const char *id, const char *method,
                                  const char *route, const char *format, ...) SKYMOCK_PRINTF(5, 6);
#define skymock_message(server, id, ...)                                                           \
    skymock_of_device(server, id, "POST", "/messages", __VA_ARGS__)
#define skymock_command(server, id, ...)                                                           \
    skymock_of_device(server, id, "POST", "/commands", __VA_ARGS__)
#define skymock_shadow(server, id, ...)                                                            \
    skymock_of_device(server, id, "PATCH", "/shadow", __VA_ARGS__)
#define skymock_change(server, id, ...) skymock_of_device(server, id, "PATCH", "", __VA_ARGS__)
#define skymock_disconnect(server, id) skymock_of_device(server, id, "POST", "/disconnect", "{}")

/* ---- what happened, and what shall happen ---- */

/* A route that can be limited to a device or product, and those there are.
 * verify: {'event': PATTERN, 'count': {'min': 1}}, {'sequence': [PATTERN, ...]} or
 *   {'absent': PATTERN}, with 'since', 'waitMs', 'withinMs'; "/events" of the answer: their
 * numbers. fault: {'point': 'connack', 'action': 'withhold', 'count': 2}; "/id" is its number.
 * expect: {'rule': 'ID'} or {'event': PATTERN}: the test wants it; it counts against nobody.
 * reset: as it was made, a new chapter of events and verdicts; temporary devices go. */
SKYMOCK_API int skymock_about(struct skymock *server, const char *whom, const char *route,
                              const char *format, ...) SKYMOCK_PRINTF(4, 5);
#define skymock_verify(server, whom, ...) skymock_about(server, whom, "verify", __VA_ARGS__)
#define skymock_fault(server, whom, ...) skymock_about(server, whom, "faults", __VA_ARGS__)
#define skymock_expect(server, whom, ...) skymock_about(server, whom, "expected", __VA_ARGS__)
#define skymock_reset(server, whom) skymock_about(server, whom, "reset", "{}")
/* Ends faults. */
SKYMOCK_API int skymock_clear(struct skymock *server, const char *whom);

/* Waits until `count` events are as the pattern says. The answer's "/events" has them whole. */
SKYMOCK_API int skymock_wait(struct skymock *server, const char *whom, int count, int wait_ms,
                             const char *pattern, ...) SKYMOCK_PRINTF(5, 6);
/* There is no such event, and none comes within so long. */
SKYMOCK_API int skymock_absent(struct skymock *server, const char *whom, int wait_ms,
                               const char *pattern, ...) SKYMOCK_PRINTF(4, 5);
/* The newest events, the newest first, into the answer's "/events". */
SKYMOCK_API int skymock_events(struct skymock *server, const char *whom, int count);

enum skymock_outcome {
    SKYMOCK_UNKNOWN = -1, /* it could not be asked: server.why */
    SKYMOCK_PASSED,
    SKYMOCK_WARNED,
    SKYMOCK_FAILED,
    SKYMOCK_NOT_EXERCISED
};
/* What is broken stands in server.why. */
SKYMOCK_API enum skymock_outcome skymock_verdict(struct skymock *server, const char *whom);
/* 0 if the verdict is passed, or warned unless `strict`. */
SKYMOCK_API int skymock_passed(struct skymock *server, const char *whom, int strict);

/* `product`: "cloud/key", or NULL for everything. */
SKYMOCK_API int skymock_snapshot(struct skymock *server, const char *name, const char *product);
SKYMOCK_API int skymock_restore(struct skymock *server, const char *name, const char *product);

/* The clock is everybody's: move it on a server of your own only. */
#define skymock_freeze(server) skymock_ask(server, "POST", "clock/freeze")
#define skymock_resume(server) skymock_ask(server, "POST", "clock/resume")
#define skymock_advance(server, ms)                                                                \
    skymock_send(server, "POST", "clock/advance", "{'ms': %lld}", (long long)(ms))
#define skymock_set_time(server, unix_ms)                                                          \
    skymock_send(server, "POST", "clock/set", "{'unixMs': %lld}", (long long)(unix_ms))
SKYMOCK_API int skymock_now(struct skymock *server, long long *ret_unix_ms);

/* ---- reading JSON ---- */

/* The value at a JSON pointer (RFC 6901), within `json` and valid as long; itself JSON to ask, with
 * more behind it. NULL: there is none, or the text is no JSON. */
SKYMOCK_API const char *skymock_find(const char *json, const char *pointer);
/* A text decoded, anything else as it is written. Nonzero, and "": not there, or too long. */
SKYMOCK_API int skymock_get_text(const char *json, const char *pointer, char *text, size_t size);
/* A value as it is written. Nonzero, and "": not there, or too long. */
SKYMOCK_API int skymock_get_json(const char *json, const char *pointer, char *text, size_t size);
SKYMOCK_API int skymock_get_int(const char *json, const char *pointer, long long *ret_value);
/* Elements or members; -1: not there, or neither an array nor an object. */
SKYMOCK_API int skymock_get_count(const char *json, const char *pointer);

#endif

#if defined(SKYMOCK_IMPLEMENTATION) && !defined(SKYMOCK_IMPLEMENTED)
#define SKYMOCK_IMPLEMENTED

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What _POSIX_C_SOURCE says is heard by the first header alone. */
#if !defined(CLOCK_MONOTONIC) || (defined(__GLIBC__) && !defined(__USE_XOPEN2K8))
#error                                                                                             \
    "skymock.h: give SKYMOCK_IMPLEMENTATION a file of its own that includes nothing before it, or use -std=gnu99 or later instead of -std=c99"
#endif

/* A server dies with its keeper even when that is killed, where the system can do so. */
#ifdef __linux__
#include <sys/prctl.h>
#define SKYMOCK__DIE_WITH_PARENT() prctl(PR_SET_PDEATHSIG, SIGKILL)
#else
#define SKYMOCK__DIE_WITH_PARENT() 0
#endif
/* A peer that is gone is an error, not a signal. */
#ifdef MSG_NOSIGNAL
#define SKYMOCK__SEND_FLAGS MSG_NOSIGNAL
#define SKYMOCK__NO_SIGNAL(fd) ((void)(fd))
#else
#define SKYMOCK__SEND_FLAGS 0
#define SKYMOCK__NO_SIGNAL(fd) skymock__no_signal(fd)
static void skymock__no_signal(int fd)
{
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
}
#endif

enum {
    SKYMOCK__TIMEOUT_MS = 10000,
    SKYMOCK__LOOK_MS = 2,     /* how often the ports file is looked for */
    SKYMOCK__GRACE_MS = 3000, /* from SIGTERM to SIGKILL */
    SKYMOCK__LINE_MAX = 8192, /* of an answer's head */
    SKYMOCK__LINES_MAX = 200,
    SKYMOCK__FILES_MAX = 1024, /* descriptors that the keeper closes */
    SKYMOCK__ARGUMENTS_MAX = 64,
    SKYMOCK__KEEPALIVE_S = 120
};
enum { SKYMOCK__PORTS_FILE, SKYMOCK__LOG_FILE, SKYMOCK__CA_FILE, SKYMOCK__FILE_COUNT };

static struct skymock *skymock__used; /* last */
static char skymock__nothing[1];

/* ---- text that grows ---- */

struct skymock__text {
    char *bytes; /* NULL, or with a NUL behind */
    size_t len, size;
};

/* Out of memory is no result of a test. */
static void skymock__add(struct skymock__text *text, const char *bytes, size_t len)
{
    if (text->size - text->len <= len) {
        text->size = (text->len + len + 256) * 2;
        text->bytes = (char *)realloc(text->bytes, text->size);
        if (text->bytes == NULL)
            abort();
    }
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

static void skymock__add_str(struct skymock__text *text, const char *str)
{
    skymock__add(text, str, strlen(str));
}

/* As the inside of a JSON string. */
static void skymock__add_escaped(struct skymock__text *text, const char *str)
{
    char escape[8];
    for (; *str != '\0'; str++) {
        if ((unsigned char)*str >= 0x20 && *str != '"' && *str != '\\') {
            skymock__add(text, str, 1);
            continue;
        }
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(unsigned char)*str);
        skymock__add_str(text, escape);
    }
}

/* As a part of a path or query. */
static void skymock__add_path(struct skymock__text *text, const char *str)
{
    char escape[8];
    for (; *str != '\0'; str++) {
        if (isalnum((unsigned char)*str) || strchr("-._~/", *str) != NULL) {
            skymock__add(text, str, 1);
            continue;
        }
        snprintf(escape, sizeof escape, "%%%02X", (unsigned)(unsigned char)*str);
        skymock__add_str(text, escape);
    }
}

/* One conversion of a format, `at` behind its %. Returns its last character. */
static const char *skymock__convert(struct skymock__text *text, const char *at, int quoted,
                                    va_list *arguments)
{
    char number[64] = "?";
    int longs = 0;
    for (; *at == 'l' || *at == 'z'; at++)
        longs += *at == 'z' ? 3 : 1;
    if (*at == 's') {
        const char *str = va_arg(*arguments, const char *);
        str = str != NULL ? str : "null";
        if (quoted)
            skymock__add_escaped(text, str);
        else
            skymock__add_str(text, str);
        return at;
    }
    if (*at == 'd' || *at == 'i') {
        long long value = longs == 0   ? va_arg(*arguments, int)
                          : longs == 1 ? va_arg(*arguments, long)
                                       : va_arg(*arguments, long long);
        snprintf(number, sizeof number, "%lld", value);
    } else if (*at == 'u' || *at == 'x') {
        unsigned long long value = longs == 0   ? va_arg(*arguments, unsigned)
                                   : longs == 1 ? va_arg(*arguments, unsigned long)
                                   : longs == 2 ? va_arg(*arguments, unsigned long long)
                                                : va_arg(*arguments, size_t);
        snprintf(number, sizeof number, *at == 'u' ? "%llu" : "%llx", value);
    } else if (*at == 'f' || *at == 'g') {
        snprintf(number, sizeof number, "%.17g", va_arg(*arguments, double));
    } else if (*at == '%') {
        number[0] = '%';
    } else { /* the rest of the arguments could not be told apart */
        fprintf(stderr, "skymock.h: a format has %%%c, which is none of %%s %%d %%u %%x %%g\n",
                *at);
        abort();
    }
    skymock__add_str(text, number);
    return at;
}

static void skymock__add_format(struct skymock__text *text, const char *format, va_list *arguments)
{
    int quoted = 0;
    skymock__add(text, "", 0);
    for (; *format != '\0'; format++) {
        if (*format == '%') {
            format = skymock__convert(text, format + 1, quoted, arguments);
            continue;
        }
        if (*format == '\\' && format[1] != '\0')
            skymock__add(text, format++, 1);
        else if (*format == '\'' || *format == '"')
            quoted = !quoted;
        skymock__add(text, *format == '\'' ? "\"" : format, 1);
    }
}

/* ---- why it failed ---- */

static int skymock__say(struct skymock *server, const char *format, ...) SKYMOCK_PRINTF(2, 3);

/* Adds to it. Returns -1, as nobody could be asked. */
static int skymock__say(struct skymock *server, const char *format, ...)
{
    va_list arguments;
    size_t len = strlen(server->why);
    va_start(arguments, format);
    (void)vsnprintf(server->why + len, sizeof server->why - len, format, arguments);
    va_end(arguments);
    return -1;
}

/* A copy that is whole, or none. */
static int skymock__copy(char *target, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size)
        return -1;
    memcpy(target, text, len + 1);
    return 0;
}

SKYMOCK_API const char *skymock_why(void)
{
    return skymock__used != NULL ? skymock__used->why : "no server was started";
}

/* ---- reading JSON ---- */

static const char *skymock__value_end(const char *at, int depth);

static const char *skymock__blank(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Behind a string, or NULL where none begins or it does not end. */
static const char *skymock__string_end(const char *at)
{
    if (*at != '"')
        return NULL;
    for (at++; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at == '\\' && (unsigned char)*++at < 0x20)
            return NULL;
    }
    return at + 1;
}

static const char *skymock__digits(const char *at)
{
    return isdigit((unsigned char)*at) ? at + strspn(at, "0123456789") : NULL;
}

/* Behind a number, true, false or null (RFC 8259 §3, §6). */
static const char *skymock__scalar_end(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    at += *at == '-';
    at = *at == '0' ? at + 1 : skymock__digits(at);
    if (at != NULL && *at == '.')
        at = skymock__digits(at + 1);
    if (at != NULL && (*at == 'e' || *at == 'E')) {
        at++;
        at = skymock__digits(at + (*at == '+' || *at == '-'));
    }
    return at;
}

/* An array or object that is walked through. */
struct skymock__items {
    const char *at, *key, *value; /* key: at its quote, of objects */
    char close;
    int count;
};

static int skymock__open(struct skymock__items *items, const char *at)
{
    memset(items, 0, sizeof *items);
    items->at = at + 1;
    items->close = *at == '{' ? '}' : ']';
    return *at == '{' || *at == '[';
}

/* 1: the next one; 0: there is none, and `at` is behind the end; -1: this is no JSON. */
static int skymock__next(struct skymock__items *items, int depth)
{
    const char *at = skymock__blank(items->at);
    if (*at == items->close) {
        items->at = at + 1;
        return 0;
    }
    if (items->count++ > 0) {
        if (*at != ',')
            return -1;
        at = skymock__blank(at + 1);
    }
    if (items->close == '}') {
        items->key = at;
        at = skymock__string_end(at);
        if (at == NULL || *(at = skymock__blank(at)) != ':')
            return -1;
        at = skymock__blank(at + 1);
    }
    items->value = at;
    items->at = skymock__value_end(at, depth);
    return items->at != NULL ? 1 : -1;
}

/* Behind a value that begins at `at`, or NULL where it is no JSON. */
static const char *skymock__value_end(const char *at, int depth)
{
    struct skymock__items items;
    int more = 1;
    if (*at == '"')
        return skymock__string_end(at);
    if (!skymock__open(&items, at))
        return skymock__scalar_end(at);
    while (depth > 0 && more > 0)
        more = skymock__next(&items, depth - 1);
    return more == 0 ? items.at : NULL;
}

/* Four digits of an escape; -1: they are none. */
static long skymock__hex4(const char *at)
{
    char digits[5] = {0};
    for (int i = 0; i < 4; i++)
        if (!isxdigit((unsigned char)(digits[i] = at[i])))
            return -1;
    return strtol(digits, NULL, 16);
}

/* The next character of a string, in UTF-8; `at` moves on. What is no character is U+FFFD, and so
 * is a NUL, which no text of C can have. Returns how many bytes. */
static size_t skymock__character(const char **at, char out[4])
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *name, *from = *at;
    if (*from != '\\' || ((name = strchr(names, from[1])) != NULL && from[1] != '\0')) {
        out[0] = *from == '\\' ? meant[name - names] : *from;
        *at += *from == '\\' ? 2 : 1;
        return 1;
    }
    long code = from[1] == 'u' ? skymock__hex4(from + 2) : -1;
    *at += code >= 0 ? 6 : 2;
    if (code >= 0xd800 && code < 0xdc00 && from[6] == '\\' && from[7] == 'u') {
        long low = skymock__hex4(from + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            *at += 6;
        }
    }
    if (code <= 0 || (code >= 0xd800 && code < 0xe000))
        code = 0xfffd;
    size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(first[more] | (code >> (6 * more)));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | ((code >> (6 * (more - i))) & 0x3f));
    return more + 1;
}

/* Whether a member's name is the token of a pointer, which ends at / or NUL (RFC 6901 §4). */
static int skymock__is_key(const char *key, const char *token)
{
    char bytes[4];
    for (key++; *key != '"';) {
        size_t len = skymock__character(&key, bytes);
        for (size_t i = 0; i < len; i++) {
            char wanted = *token;
            if (wanted == '\0' || wanted == '/')
                return 0;
            if (wanted == '~' && (token[1] == '0' || token[1] == '1'))
                wanted = *++token == '0' ? '~' : '/';
            if (bytes[i] != wanted)
                return 0;
            token++;
        }
    }
    return *token == '\0' || *token == '/';
}

SKYMOCK_API const char *skymock_find(const char *json, const char *pointer)
{
    struct skymock__items items;
    if (json == NULL || skymock__value_end(json = skymock__blank(json), SKYMOCK_DEPTH_MAX) == NULL)
        return NULL;
    while (*pointer == '/') {
        const char *token = pointer + 1, *found = NULL;
        char index[16];
        pointer = token + strcspn(token, "/");
        if (!skymock__open(&items, json))
            return NULL;
        while (found == NULL && skymock__next(&items, SKYMOCK_DEPTH_MAX) > 0) {
            snprintf(index, sizeof index, "\"%d\"", items.count - 1);
            if (skymock__is_key(items.close == '}' ? items.key : index, token))
                found = items.value;
        }
        if (found == NULL)
            return NULL;
        json = found;
    }
    return *pointer == '\0' ? json : NULL;
}

SKYMOCK_API int skymock_get_json(const char *json, const char *pointer, char *text, size_t size)
{
    const char *at = skymock_find(json, pointer);
    size_t len = at != NULL ? (size_t)(skymock__value_end(at, SKYMOCK_DEPTH_MAX) - at) : size;
    text[0] = '\0';
    if (len >= size)
        return -1;
    memcpy(text, at, len);
    text[len] = '\0';
    return 0;
}

SKYMOCK_API int skymock_get_text(const char *json, const char *pointer, char *text, size_t size)
{
    const char *at = skymock_find(json, pointer);
    char bytes[4];
    size_t len = 0, got;
    text[0] = '\0';
    if (at == NULL || *at != '"')
        return at == NULL ? -1 : skymock_get_json(at, "", text, size);
    for (at++; *at != '"'; len += got) {
        got = skymock__character(&at, bytes);
        if (got >= size - len) {
            text[0] = '\0';
            return -1;
        }
        memcpy(text + len, bytes, got);
    }
    text[len] = '\0';
    return 0;
}

SKYMOCK_API int skymock_get_int(const char *json, const char *pointer, long long *ret_value)
{
    char text[32], *end;
    if (skymock_get_json(json, pointer, text, sizeof text) != 0)
        return -1;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        return -1;
    *ret_value = value;
    return 0;
}

SKYMOCK_API int skymock_get_count(const char *json, const char *pointer)
{
    struct skymock__items items;
    int count = 0;
    const char *at = skymock_find(json, pointer);
    if (at == NULL || !skymock__open(&items, at))
        return -1;
    while (skymock__next(&items, SKYMOCK_DEPTH_MAX) > 0)
        count++;
    return count;
}

/* ---- HTTP ---- */

static long long skymock__now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One exchange. `wrong`: what is the matter with it, once something is. */
struct skymock__wire {
    int fd;
    long long due_ms;
    char bytes[16 * 1024];
    size_t at, len;
    const char *wrong;
};

/* Waits until it can be read or written. */
static int skymock__ready(struct skymock__wire *wire, short events)
{
    struct pollfd one;
    int got;
    one.fd = wire->fd;
    one.events = events;
    do {
        long long left = wire->due_ms - skymock__now_ms();
        got = left > 0 ? poll(&one, 1, left < INT_MAX ? (int)left : INT_MAX) : 0;
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
        wire->wrong = got == 0 ? "no answer in time" : strerror(errno);
    return got > 0;
}

/* -1 with `wrong` set. */
static int skymock__connect(struct skymock__wire *wire, const char *host, int port)
{
    struct addrinfo hints, *list, *each;
    char service[16];
    int error = 0;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    snprintf(service, sizeof service, "%d", port);
    int code = getaddrinfo(host, service, &hints, &list);
    if (code != 0) {
        wire->wrong = gai_strerror(code);
        return -1;
    }
    wire->fd = -1;
    for (each = list; each != NULL && wire->fd < 0; each = each->ai_next) {
        socklen_t size = sizeof error;
        wire->fd = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
        if (wire->fd < 0)
            continue;
        SKYMOCK__NO_SIGNAL(wire->fd);
        (void)fcntl(wire->fd, F_SETFD, FD_CLOEXEC);
        (void)fcntl(wire->fd, F_SETFL, O_NONBLOCK);
        error = connect(wire->fd, each->ai_addr, each->ai_addrlen) == 0 ? 0 : errno;
        if (error == EINPROGRESS && skymock__ready(wire, POLLOUT))
            (void)getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == 0)
            break;
        close(wire->fd);
        wire->fd = -1;
    }
    freeaddrinfo(list);
    if (wire->fd < 0)
        wire->wrong = error == EINPROGRESS ? "no connection in time" : strerror(error);
    return wire->fd < 0 ? -1 : 0;
}

static int skymock__write(struct skymock__wire *wire, const char *bytes, size_t len)
{
    while (len > 0 && skymock__ready(wire, POLLOUT)) {
        ssize_t sent = send(wire->fd, bytes, len, SKYMOCK__SEND_FLAGS);
        if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            wire->wrong = strerror(errno);
            return -1;
        }
        bytes += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
    return len == 0 ? 0 : -1;
}

/* How many bytes are there to be taken; 0: at the end, or `wrong`. */
static size_t skymock__fill(struct skymock__wire *wire)
{
    ssize_t got = -1;
    if (wire->at < wire->len)
        return wire->len - wire->at;
    while (got < 0 && skymock__ready(wire, POLLIN)) {
        got = recv(wire->fd, wire->bytes, sizeof wire->bytes, 0);
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            wire->wrong = strerror(errno);
            return 0;
        }
    }
    wire->at = 0;
    wire->len = got > 0 ? (size_t)got : 0;
    return wire->len;
}

/* A line of the head or of chunks, without its end. */
static int skymock__line(struct skymock__wire *wire, char line[SKYMOCK__LINE_MAX])
{
    size_t len = 0;
    while (skymock__fill(wire) > 0 && len + 1 < SKYMOCK__LINE_MAX) {
        char byte = wire->bytes[wire->at++];
        if (byte == '\n') {
            len -= len > 0 && line[len - 1] == '\r';
            line[len] = '\0';
            return 0;
        }
        line[len++] = byte;
    }
    if (wire->wrong == NULL)
        wire->wrong = wire->len == 0 ? "the answer was cut off" : "a line of its head is too long";
    return -1;
}

/* So many bytes of the body; `to_end`: or as many as there are. */
static int skymock__body(struct skymock__wire *wire, struct skymock__text *body, size_t count,
                         int to_end)
{
    size_t got;
    while (count > 0 && (got = skymock__fill(wire)) > 0) {
        got = got < count ? got : count;
        if (got > SKYMOCK_ANSWER_MAX - body->len) {
            wire->wrong = "the answer is larger than SKYMOCK_ANSWER_MAX";
            return -1;
        }
        skymock__add(body, wire->bytes + wire->at, got);
        wire->at += got;
        count -= got;
    }
    if (count > 0 && !to_end && wire->wrong == NULL)
        wire->wrong = "the answer was cut off";
    return wire->wrong == NULL ? 0 : -1;
}

/* A number of digits alone that is a size we take. */
static int skymock__size(struct skymock__wire *wire, const char *text, int base, size_t *ret_size)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    end += strspn(end, " \t");
    if (!isxdigit((unsigned char)*text) || (*end != '\0' && *end != ';'))
        wire->wrong = "a length in the answer is no number";
    else if (errno != 0 || value > SKYMOCK_ANSWER_MAX)
        wire->wrong = "the answer is larger than SKYMOCK_ANSWER_MAX";
    *ret_size = (size_t)value;
    return wire->wrong == NULL ? 0 : -1;
}

/* RFC 9112 §7.1 */
static int skymock__chunks(struct skymock__wire *wire, struct skymock__text *body)
{
    char line[SKYMOCK__LINE_MAX];
    size_t size = 1;
    while (size > 0) {
        if (skymock__line(wire, line) != 0 || skymock__size(wire, line, 16, &size) != 0 ||
            skymock__body(wire, body, size, 0) != 0)
            return -1;
        if (size > 0 && (skymock__line(wire, line) != 0 || line[0] != '\0')) {
            if (wire->wrong == NULL)
                wire->wrong = "a chunk of the answer is longer than it says";
            return -1;
        }
    }
    do
        if (skymock__line(wire, line) != 0)
            return -1;
    while (line[0] != '\0'); /* trailers */
    return 0;
}

/* If `line` is the header of that name (in small letters), its value. */
static const char *skymock__header(const char *line, const char *name)
{
    for (; *name != '\0'; name++, line++)
        if (tolower((unsigned char)*line) != *name)
            return NULL;
    return *line == ':' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

/* RFC 9112 §6.3: what the end of a body is told by. */
static int skymock__read(struct skymock__wire *wire, int *ret_status, struct skymock__text *body)
{
    char line[SKYMOCK__LINE_MAX];
    const char *value;
    size_t length = SKYMOCK_ANSWER_MAX;
    int sized = 0, chunked = 0, lines = 0;
    do {
        if (skymock__line(wire, line) != 0)
            return -1;
        if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12 || line[8] != ' ' ||
            (*ret_status = (int)strtol(line + 9, NULL, 10)) < 100) {
            wire->wrong = "this is no HTTP";
            return -1;
        }
        while (skymock__line(wire, line) == 0 && line[0] != '\0' && lines++ < SKYMOCK__LINES_MAX) {
            if ((value = skymock__header(line, "content-length")) != NULL) {
                sized = 1;
                if (skymock__size(wire, value, 10, &length) != 0)
                    return -1;
            } else if ((value = skymock__header(line, "transfer-encoding")) != NULL) {
                chunked = tolower((unsigned char)*value) == 'c';
            }
        }
        if (wire->wrong == NULL && line[0] != '\0')
            wire->wrong = "the answer's head has too many lines";
        if (wire->wrong != NULL)
            return -1;
    } while (*ret_status < 200); /* 100 Continue and the like */
    if (*ret_status == 204 || *ret_status == 304)
        return 0;
    if (chunked)
        return skymock__chunks(wire, body);
    return skymock__body(wire, body, length + !sized, !sized);
}

/* Adds how it is with a server of ours, and what it said last. */
static int skymock__say_log(struct skymock *server, const char *program, const char *how)
{
    char text[2048];
    off_t size = lseek(server->log, 0, SEEK_END), most = sizeof text - 1;
    ssize_t len = pread(server->log, text, sizeof text - 1, size > most ? size - most : 0);
    text[len > 0 ? len : 0] = '\0';
    return skymock__say(server, "%s %s:\n%s", program, how, text);
}

/* Asks; the answer replaces server.answer, whatever its status. `body`: NULL for none. */
static int skymock__exchange(struct skymock *server, const char *method, const char *path,
                             const struct skymock__text *body)
{
    struct skymock__wire wire;
    struct skymock__text head = {NULL, 0, 0}, answer = {NULL, 0, 0};
    char text[SKYMOCK_TEXT_MAX * 2];
    long long wait_ms = 0;

    skymock__used = server;
    memset(&wire, 0, sizeof wire);
    (void)skymock_get_int(body != NULL ? body->bytes : NULL, "/waitMs", &wait_ms);
    wire.due_ms = skymock__now_ms() + server->timeout_ms + wait_ms;
    skymock__add_str(&head, method);
    skymock__add_str(&head, *path == '/' ? " " : " /api/v1/");
    skymock__add_str(&head, path);
    snprintf(text, sizeof text, " HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n",
             server->url + strlen("http://"));
    skymock__add_str(&head, text);
    if (server->token[0] != '\0') {
        snprintf(text, sizeof text, "Authorization: Bearer %s\r\n", server->token);
        skymock__add_str(&head, text);
    }
    if (body != NULL)
        skymock__add_str(&head, "Content-Type: application/json\r\n");
    snprintf(text, sizeof text, "Content-Length: %zu\r\n\r\n", body != NULL ? body->len : 0);
    skymock__add_str(&head, strcmp(method, "GET") == 0 ? "\r\n" : text);

    server->status = 0;
    int err = skymock__connect(&wire, server->api_host, server->api_port);
    if (err == 0) {
        (void)(skymock__write(&wire, head.bytes, head.len) == 0 && body != NULL &&
               skymock__write(&wire, body->bytes, body->len));
        wire.wrong = NULL; /* who refuses early has answered */
        err = skymock__read(&wire, &server->status, &answer);
        close(wire.fd);
    }
    free(head.bytes);
    if (server->answer != skymock__nothing)
        free(server->answer);
    server->answer = answer.bytes != NULL ? answer.bytes : skymock__nothing;
    server->answer_len = answer.len;
    server->why[0] = '\0';
    if (err == 0)
        return 0;
    server->status = 0;
    (void)skymock__say(server, "%s %s of %s: %s\n", method, path, server->url, wire.wrong);
    if (server->keeper != 0 && waitpid((pid_t)server->keeper, NULL, WNOHANG) != 0)
        (void)skymock__say_log(server, "skymock", "has ended; what it said last");
    return -1;
}

/* A value as JSON; where there is none, that word without quotes. */
static void skymock__shown(const char *json, const char *pointer, char *text, size_t size)
{
    if (skymock_get_text(json, pointer, text, size) != 0 || strcmp(text, "nothing") != 0)
        (void)skymock_get_json(json, pointer, text, size);
}

/* Why a claim does not hold, and what each of the nearest events has otherwise. Returns 1. */
static int skymock__say_nearest(struct skymock *server)
{
    char text[2048], wanted[256], found[256], pointer[64];
    long long seq = 0;
    (void)skymock_get_text(server->answer, "/why", text, sizeof text);
    (void)skymock__say(server, "%s\n", text);
    for (int i = 0; i < skymock_get_count(server->answer, "/nearest"); i++) {
        snprintf(pointer, sizeof pointer, "/nearest/%d", i);
        const char *near = skymock_find(server->answer, pointer);
        (void)skymock_get_int(near, "/seq", &seq);
        (void)skymock__say(server, "  event %lld:", seq);
        for (int j = 0; j < skymock_get_count(near, "/differs"); j++) {
            snprintf(pointer, sizeof pointer, "/differs/%d", j);
            const char *one = skymock_find(near, pointer);
            (void)skymock_get_text(one, "/pointer", text, sizeof text);
            skymock__shown(one, "/wanted", wanted, sizeof wanted);
            skymock__shown(one, "/found", found, sizeof found);
            (void)skymock__say(server, "%s %s is %s, not %s", j > 0 ? ";" : "", text, found,
                               wanted);
        }
        (void)skymock__say(server, "\n");
    }
    return 1;
}

/* 0 for success. Else why, in the server's own words. */
static int skymock__call(struct skymock *server, const char *method, const char *path,
                         const struct skymock__text *body)
{
    char message[2048], pointer[256];
    if (skymock__exchange(server, method, path, body) != 0)
        return -1;
    if (server->status < 300)
        return 0;
    if (skymock_find(server->answer, "/why") != NULL)
        return skymock__say_nearest(server);
    if (skymock_get_text(server->answer, "/error/message", message, sizeof message) != 0)
        snprintf(message, sizeof message, "%.500s", server->answer);
    (void)skymock_get_text(server->answer, "/error/pointer", pointer, sizeof pointer);
    (void)skymock__say(server, "%s %s: %d, %s%s%s\n", method, path, server->status, message,
                       pointer[0] != '\0' ? "; see " : "", pointer);
    if (body != NULL)
        (void)skymock__say(server, "  the body was %.1000s\n", body->bytes);
    return 1;
}

SKYMOCK_API int skymock_ask(struct skymock *server, const char *method, const char *path)
{
    return skymock__call(server, method, path, NULL);
}

/* Sends what a format makes. */
#define SKYMOCK__FORMAT(body, format)                                                              \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        skymock__add_format(body, format, &arguments);                                             \
        va_end(arguments);                                                                         \
    } while (0)

static int skymock__call_free(struct skymock *server, const char *method, const char *path,
                              struct skymock__text *body)
{
    int err = skymock__call(server, method, path, body);
    free(body->bytes);
    return err;
}

SKYMOCK_API int skymock_send(struct skymock *server, const char *method, const char *path,
                             const char *format, ...)
{
    struct skymock__text body = {NULL, 0, 0};
    SKYMOCK__FORMAT(&body, format);
    return skymock__call_free(server, method, path, &body);
}

/* ---- a server of one's own ---- */

/* With errno, when it is none. */
static int skymock__is_program(const char *path)
{
    struct stat what;
    if (stat(path, &what) != 0 || access(path, X_OK) != 0)
        return 0;
    errno = EISDIR;
    return S_ISREG(what.st_mode);
}

/* The program's path; nonzero, and said: there is none. */
static int skymock__find_program(struct skymock *server, const char *name, char path[PATH_MAX])
{
    const char *dirs = strchr(name, '/') == NULL ? getenv("PATH") : NULL;
    if (strchr(name, '/') != NULL)
        snprintf(path, PATH_MAX, "%s", name);
    else
        path[0] = '\0';
    while (dirs != NULL && *dirs != '\0') {
        size_t len = strcspn(dirs, ":");
        if (len == 0) /* that is here (POSIX, Environment Variables) */
            snprintf(path, PATH_MAX, "./%s", name);
        else
            snprintf(path, PATH_MAX, "%.*s/%s", (int)len, dirs, name);
        if (skymock__is_program(path))
            return 0;
        path[0] = '\0';
        dirs += len + (dirs[len] == ':');
    }
    if (path[0] != '\0' && skymock__is_program(path))
        return 0;
    return skymock__say(server,
                        "no program %s (%s): set SKYMOCK to skymock's path, or SKYMOCK_URL to the "
                        "address of one that runs\n",
                        name, path[0] != '\0' ? strerror(errno) : "not on PATH");
}

static int skymock__make_dir(struct skymock *server)
{
    static const char *const names[] = {"ports.json", "log.txt", "ca.crt"};
    const char *tmp = getenv("TMPDIR");
    if (server->dir[0] != '\0')
        return 0;
    snprintf(server->dir, sizeof server->dir, "%s/skymock-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(server->dir) == NULL) {
        (void)skymock__say(server, "%s: %s\n", server->dir, strerror(errno));
        server->dir[0] = '\0';
        return -1;
    }
    for (int i = 0; i < SKYMOCK__FILE_COUNT; i++)
        snprintf(server->files[i], sizeof server->files[i], "%s/%s", server->dir, names[i]);
    return 0;
}

static void skymock__remove_dir(const struct skymock *server)
{
    if (server->dir[0] == '\0')
        return;
    for (int i = 0; i < SKYMOCK__FILE_COUNT; i++)
        (void)unlink(server->files[i]);
    (void)rmdir(server->dir);
}

/* Becomes the program. */
static void skymock__run(long keeper, char *const *arguments)
{
    if (SKYMOCK__DIE_WITH_PARENT() == 0 && getppid() == (pid_t)keeper)
        execv(arguments[0], arguments);
    (void)!write(2, "it cannot be run\n", 17);
    _exit(127);
}

/* A process between the test and the server, which ends the server when `hold` says or the test is
 * gone: its end of the pair closes then, whatever killed it. (To die with the parent would mean the
 * thread that started it, and only on Linux.) Only what is safe after fork() in a program with
 * threads is called here. */
static void skymock__keep(const struct skymock *server, int hold, char *const *arguments)
{
    struct pollfd ends[2];
    sigset_t none;
    int alive[2], status = 0;
    long self = (long)getpid();

    sigemptyset(&none);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0); /* Ctrl-C is for the test, or its debugger */
    (void)dup2(server->log, 1);
    (void)dup2(server->log, 2);
    for (int fd = 3; fd < SKYMOCK__FILES_MAX; fd++)
        if (fd != hold)
            close(fd);
    close(0);
    if (open("/dev/null", O_RDONLY) != 0 || pipe(alive) != 0)
        _exit(127);
    pid_t program = fork();
    if (program == 0)
        skymock__run(self, arguments);
    close(alive[1]); /* the program has the only one: its end is heard */
    ends[0].fd = hold;
    ends[1].fd = alive[0];
    ends[0].events = ends[1].events = POLLIN;
    while (program > 0 && poll(ends, 2, -1) < 0 && errno == EINTR)
        ;
    if (program > 0 && ends[1].revents == 0) {
        (void)kill(program, SIGTERM);
        if (poll(ends + 1, 1, SKYMOCK__GRACE_MS) == 0)
            (void)kill(program, SIGKILL);
    }
    while (program > 0 && waitpid(program, &status, 0) < 0 && errno == EINTR)
        ;
    skymock__remove_dir(server);
    _exit(program > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}

/* Ends the server, if it is ours, and gives back what it took. */
static void skymock__let_go(struct skymock *server)
{
    if (server->keeper != 0) {
        (void)send(server->hold, "", 1, SKYMOCK__SEND_FLAGS); /* a fork may hold the end, too */
        close(server->hold);
        while (waitpid((pid_t)server->keeper, NULL, 0) < 0 && errno == EINTR)
            ;
        close(server->log);
    }
    skymock__remove_dir(server);
    if (server->answer != skymock__nothing)
        free(server->answer);
    server->answer = skymock__nothing;
    server->keeper = 0;
    server->dir[0] = '\0';
}

/* Waits for the ports file, which is there whole at once. Sets the URL. */
static int skymock__await(struct skymock *server, const char *program, const char *host)
{
    char text[1024];
    long long port = 0, due_ms = skymock__now_ms() + server->timeout_ms;
    int ended = 0;
    while (port == 0 && !ended && skymock__now_ms() < due_ms) {
        FILE *file = fopen(server->files[SKYMOCK__PORTS_FILE], "r");
        if (file != NULL) {
            text[fread(text, 1, sizeof text - 1, file)] = '\0';
            fclose(file);
            (void)skymock_get_int(text, "/admin", &port);
        } else {
            (void)poll(NULL, 0, SKYMOCK__LOOK_MS);
            ended = waitpid((pid_t)server->keeper, NULL, WNOHANG) != 0;
        }
    }
    if (port != 0) {
        snprintf(server->url, sizeof server->url,
                 strchr(host, ':') ? "http://[%s]:%d" : "http://%s:%d", host, (int)port);
        return 0;
    }
    return skymock__say_log(server, program,
                            ended ? "ended before it was ready" : "was not ready in time");
}

static int skymock__launch(struct skymock *server, const struct skymock_options *options)
{
    const char *arguments[SKYMOCK__ARGUMENTS_MAX] = {NULL}, *name = options->program;
    const char *host = options->host != NULL ? options->host : "127.0.0.1";
    char program[PATH_MAX], listen[SKYMOCK_TEXT_MAX];
    int ends[2], count = 0;

    name = name != NULL ? name : getenv("SKYMOCK");
    if (skymock__find_program(server, name != NULL && *name ? name : "skymock", program) != 0 ||
        skymock__make_dir(server) != 0)
        return -1;
    snprintf(listen, sizeof listen, strchr(host, ':') ? "all=[%s]:0" : "all=%s:0", host);
    const char *const fixed[] = {
        program,   "serve",    "--listen",     listen,
        "--store", ":memory:", "--ports-file", server->files[SKYMOCK__PORTS_FILE]};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        arguments[count++] = fixed[i];
    if (options->fixtures != NULL) {
        arguments[count++] = "--fixtures";
        arguments[count++] = options->fixtures;
    }
    if (options->token != NULL) {
        arguments[count++] = "--admin-token";
        arguments[count++] = options->token;
    }
    for (int i = 0; options->arguments != NULL && options->arguments[i] != NULL; i++)
        if (count + 1 < SKYMOCK__ARGUMENTS_MAX)
            arguments[count++] = options->arguments[i];
    server->log = open(server->files[SKYMOCK__LOG_FILE], O_RDWR | O_CREAT | O_APPEND, 0600);
    if (server->log < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return skymock__say(server, "%s: %s\n", server->dir, strerror(errno));
    (void)fcntl(server->log, F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    SKYMOCK__NO_SIGNAL(ends[0]);
    fflush(NULL);
    server->keeper = (long)fork();
    if (server->keeper == 0)
        skymock__keep(server, ends[1], (char *const *)(size_t)arguments);
    close(ends[1]);
    server->hold = ends[0];
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        host = host[0] == '0' ? "127.0.0.1" : "::1";
    return skymock__await(server, program, host);
}

/* ---- finding the server ---- */

/* http://HOST[:PORT][/] */
static int skymock__parse_url(struct skymock *server)
{
    char *at = server->url + strlen("http://"), *end;
    size_t len = strlen(server->url);
    if (len > 0 && server->url[len - 1] == '/')
        server->url[len - 1] = '\0';
    int good = strncmp(server->url, "http://", strlen("http://")) == 0;
    if (good) {
        char close = *at == '[' ? ']' : ':';
        at += *at == '[';
        len = strcspn(at, close == ']' ? "]" : ":");
        memcpy(server->api_host, at, len);
        server->api_host[len] = '\0';
        at += len + (close == ']' && at[len] == ']');
        server->api_port = *at == ':' ? (int)strtol(at + 1, &end, 10) : 80;
        good = len > 0 && (*at == '\0' || (*at == ':' && end > at + 1 && *end == '\0')) &&
               server->api_port > 0 && server->api_port < 65536;
    }
    return good ? 0 : skymock__say(server, "%s: give http://HOST:PORT\n", server->url);
}

/* Where everything listens: the environment has it as `skymock exec` puts it, behind a mapping of
 * ports, too; else the server says. */
static int skymock__learn_ports(struct skymock *server, int mapped)
{
    struct skymock__items items;
    char name[64], *end;
    if (skymock_ask(server, "GET", "/version") != 0)
        return -1;
    const char *listeners = skymock_find(server->answer, "/listeners");
    if (listeners == NULL || !skymock__open(&items, listeners))
        return skymock__say(server, "%s is no skymock, or an old one\n", server->url);
    for (int i = 0; i < SKYMOCK_PORTS_MAX && skymock__next(&items, 1) > 0; i++) {
        struct skymock_listener *port = &server->ports[i];
        size_t len = (size_t)(skymock__string_end(items.key) - items.key) - 2;
        if (len >= sizeof port->name)
            continue;
        memcpy(port->name, items.key + 1, len);
        port->port = (int)strtol(items.value, NULL, 10);
        snprintf(name, sizeof name, "SKYMOCK_PORT_%s", port->name);
        for (end = name; *end != '\0'; end++)
            *end = (char)(*end == '-' ? '_' : toupper((unsigned char)*end));
        if (mapped && getenv(name) != NULL)
            port->port = (int)strtol(getenv(name), NULL, 10);
    }
    return 0;
}

SKYMOCK_API int skymock_start(struct skymock *server, const struct skymock_options *options)
{
    struct skymock_options none;
    memset(&none, 0, sizeof none);
    memset(server, 0, sizeof *server);
    options = options != NULL ? options : &none;
    const char *url = options->url, *token = options->token, *host = getenv("SKYMOCK_HOST");
    int told = url == NULL && options->program == NULL;

    skymock__used = server;
    server->answer = skymock__nothing;
    server->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : SKYMOCK__TIMEOUT_MS;
    url = told ? getenv("SKYMOCK_URL") : url;
    token = token != NULL ? token : getenv("SKYMOCK_ADMIN_TOKEN");
    if (skymock__copy(server->token, sizeof server->token, token != NULL ? token : "") != 0 ||
        skymock__copy(server->url, sizeof server->url, url != NULL ? url : "") != 0)
        return skymock__say(server, "the URL or token is longer than SKYMOCK_TEXT_MAX\n");
    told = told && server->url[0] != '\0';
    int err = server->url[0] != '\0' ? 0 : skymock__launch(server, options);
    if (err == 0)
        err = skymock__parse_url(server);
    if (err == 0)
        err = skymock__learn_ports(server, told);
    if (err != 0) {
        if (url != NULL && *url != '\0')
            (void)skymock__say(server, "  is the URL right (%s), and does the server run?\n",
                               told ? "SKYMOCK_URL" : "options.url");
        skymock__let_go(server);
        return -1;
    }
    return skymock__copy(server->host, sizeof server->host,
                         told && host != NULL ? host : server->api_host);
}

SKYMOCK_API void skymock_stop(struct skymock *server)
{
    skymock__let_go(server);
    if (skymock__used == server)
        skymock__used = NULL;
}

SKYMOCK_API int skymock_port(const struct skymock *server, const char *listener)
{
    for (int i = 0; i < SKYMOCK_PORTS_MAX; i++)
        if (strcmp(server->ports[i].name, listener) == 0)
            return server->ports[i].port;
    return 0;
}

SKYMOCK_API const char *skymock_ca_file(struct skymock *server)
{
    FILE *file = NULL;
    if (server->ca_file[0] != '\0')
        return server->ca_file;
    if (skymock_ask(server, "GET", "/ca.crt") != 0 || skymock__make_dir(server) != 0)
        return NULL;
    const char *path = server->files[SKYMOCK__CA_FILE];
    file = fopen(path, "w");
    size_t put = file != NULL ? fwrite(server->answer, 1, server->answer_len, file) : 0;
    if (file == NULL || fclose(file) != 0 || put != server->answer_len ||
        skymock__copy(server->ca_file, sizeof server->ca_file, path) != 0) {
        (void)skymock__say(server, "%s: %s\n", path, strerror(errno));
        return NULL;
    }
    return server->ca_file;
}

/* ---- whom ---- */

/* "device" or "product"; NULL: neither. */
static const char *skymock__kind(const char *whom)
{
    int parts = 0;
    for (; whom != NULL && *whom != '\0'; whom++)
        parts += *whom == '/';
    return parts == 0 ? NULL : parts == 1 ? "product" : "device";
}

/* Nobody is meant by a name without a cloud, rather than everybody. */
static int skymock__check_whom(struct skymock *server, const char *whom)
{
    if (whom == NULL || skymock__kind(whom) != NULL)
        return 0;
    skymock__used = server;
    server->status = 0;
    server->why[0] = '\0';
    return skymock__say(server,
                        "'%s' is nobody: give cloud/product/key (device.id), cloud/product, or "
                        "NULL for everybody\n",
                        whom);
}

/* Whom it is limited to, as a member with `after` behind; nothing for everybody. */
static void skymock__add_whom(struct skymock__text *body, const char *whom, const char *after)
{
    if (skymock__kind(whom) == NULL)
        return;
    skymock__add_str(body, "\"");
    skymock__add_str(body, skymock__kind(whom));
    skymock__add_str(body, "\":\"");
    skymock__add_escaped(body, whom);
    skymock__add_str(body, "\"");
    skymock__add_str(body, after);
}

/* Without a body. */
static int skymock__ask_about(struct skymock *server, const char *method, const char *route,
                              const char *whom)
{
    struct skymock__text path = {NULL, 0, 0};
    if (skymock__check_whom(server, whom) != 0)
        return -1;
    skymock__add_str(&path, route);
    if (skymock__kind(whom) != NULL) {
        skymock__add_str(&path, strchr(route, '?') != NULL ? "&" : "?");
        skymock__add_str(&path, skymock__kind(whom));
        skymock__add_str(&path, "=");
        skymock__add_path(&path, whom);
    }
    int err = skymock_ask(server, method, path.bytes);
    free(path.bytes);
    return err;
}

SKYMOCK_API int skymock_about(struct skymock *server, const char *whom, const char *route,
                              const char *format, ...)
{
    struct skymock__text given = {NULL, 0, 0}, body = {NULL, 0, 0};
    if (skymock__check_whom(server, whom) != 0)
        return -1;
    SKYMOCK__FORMAT(&given, format);
    const char *rest = skymock__blank(given.bytes != NULL ? given.bytes : "");
    if (*rest == '{' && skymock__kind(whom) != NULL) {
        rest = skymock__blank(rest + 1);
        skymock__add_str(&body, "{");
        skymock__add_whom(&body, whom, *rest == '}' ? "" : ",");
    }
    skymock__add_str(&body, rest);
    free(given.bytes);
    return skymock__call_free(server, "POST", route, &body);
}

SKYMOCK_API int skymock_clear(struct skymock *server, const char *whom)
{
    return skymock__ask_about(server, "DELETE", "faults", whom);
}

/* ---- devices ---- */

SKYMOCK_API int skymock_of_device(struct skymock *server, const char *id, const char *method,
                                  const char *route, const char *format, ...)
{
    struct skymock__text path = {NULL, 0, 0}, body = {NULL, 0, 0};
    skymock__add_str(&path, "devices/");
    skymock__add_path(&path, id);
    skymock__add_str(&path, route);
    SKYMOCK__FORMAT(&body, format);
    int none = strcmp(body.bytes, "{}") == 0;
    int err = skymock__call(server, method, path.bytes, none ? NULL : &body);
    free(path.bytes);
    free(body.bytes);
    return err;
}

/* What is said of a login below `pointer`. A cloud's own listener goes before the common one. */
static int skymock__login(struct skymock *server, const char *cloud, const char *listener,
                          const char *pointer, struct skymock_login *login)
{
    char name[SKYMOCK_TEXT_MAX * 2];
    const char *from = skymock_find(server->answer, pointer);
    snprintf(name, sizeof name, "%s-%s", cloud, listener);
    login->port = skymock_port(server, name);
    if (login->port == 0)
        login->port = skymock_port(server, listener);
    return skymock__copy(login->host, sizeof login->host, server->host) |
           skymock_get_text(from, "/clientId", login->client_id, sizeof login->client_id) |
           skymock_get_text(from, "/username", login->username, sizeof login->username) |
           skymock_get_text(from, "/password", login->password, sizeof login->password);
}

SKYMOCK_API int skymock_device_make(struct skymock *server, struct skymock_device *device,
                                    const char *product)
{
    char *psk = device->psk_key_hex, pair[3] = {0};
    size_t cloud_len = strcspn(product, "/");
    memset(device, 0, sizeof *device);
    if (product[cloud_len] != '/' || cloud_len >= sizeof device->cloud) {
        skymock__used = server;
        server->why[0] = '\0';
        return skymock__say(server, "'%s' is no product: give cloud/product, as \"aliyun/pk\"\n",
                            product);
    }
    memcpy(device->cloud, product, cloud_len);
    if (skymock_send(server, "POST", "devices?secrets=true",
                     "{'cloud': '%s', 'product': '%s', 'temporary': true}", device->cloud,
                     product + cloud_len + 1) != 0)
        return server->status != 0 ? 1 : -1;
    const char *made = server->answer;
    int err = skymock_get_text(made, "/name", device->id, sizeof device->id) |
              skymock_get_text(made, "/product", device->product_key, sizeof device->product_key) |
              skymock_get_text(made, "/device", device->key, sizeof device->key) |
              skymock_get_text(made, "/secret", device->secret, sizeof device->secret) |
              skymock__login(server, device->cloud, "mqtt", "/credentials", &device->mqtt) |
              skymock__login(server, device->cloud, "mqtts", "/credentials/tls", &device->mqtts);
    if (err != 0)
        return skymock__say(server, "what was made is no device as it was expected: %.2000s\n",
                            made);
    device->keepalive_s = SKYMOCK__KEEPALIVE_S;
    (void)skymock_get_text(made, "/credentials/pskIdentity", device->psk_identity,
                           sizeof device->psk_identity);
    (void)skymock_get_text(made, "/credentials/pskKeyHex", psk, sizeof device->psk_key_hex);
    for (; psk[0] != '\0' && psk[1] != '\0'; psk += 2) {
        memcpy(pair, psk, 2);
        device->psk_key[device->psk_key_len++] = (unsigned char)strtol(pair, NULL, 16);
    }
    return 0;
}

SKYMOCK_API int skymock_device_remove(struct skymock *server, const struct skymock_device *device)
{
    if (device->id[0] == '\0')
        return 0; /* none was made */
    int err = skymock_clear(server, device->id);
    if (err == 0)
        err = skymock__ask_about(server, "DELETE", "expected", device->id);
    if (err == 0)
        err = skymock_of_device(server, device->id, "DELETE", "", "{}");
    return server->status == 404 ? 0 : err;
}

/* ---- what happened ---- */

SKYMOCK_API int skymock_events(struct skymock *server, const char *whom, int count)
{
    char route[64];
    snprintf(route, sizeof route, "events?order=desc&limit=%d", count);
    return skymock__ask_about(server, "GET", route, whom);
}

/* A line about an event. */
static void skymock__tell_event(const char *event, char *line, size_t size)
{
    static const char *const names[] = {"type", "direction", "device", "clientId", "topic",
                                        "code", "reason",    "name",   "refused",  "payload"};
    char text[96], pointer[32];
    line[0] = '\0';
    (void)skymock_get_text(event, "/seq", text, sizeof text);
    size_t len = (size_t)snprintf(line, size, "  event %s", text);
    (void)skymock_get_text(event, "/time", text, sizeof text);
    len += (size_t)snprintf(line + len, size - len, " %s", strlen(text) > 11 ? text + 11 : text);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(pointer, sizeof pointer, "/%s", names[i]);
        if (skymock_get_text(event, pointer, text, sizeof text) != 0 || strcmp(text, "null") == 0)
            continue;
        len += (size_t)snprintf(line + len, size - len, i < 2 ? "%s%s" : "%s%s=", " ",
                                i < 2 ? text : names[i]);
        if (i >= 2)
            len += (size_t)snprintf(line + len, size - len, "%s", text);
    }
}

/* Adds lines about the events of the last answer. */
static void skymock__say_events(struct skymock *server)
{
    char line[1024], pointer[32];
    for (int i = skymock_get_count(server->answer, "/events") - 1; i >= 0; i--) {
        snprintf(pointer, sizeof pointer, "/events/%d", i);
        skymock__tell_event(skymock_find(server->answer, pointer), line, sizeof line);
        (void)skymock__say(server, "%s\n", line);
    }
}

SKYMOCK_API int skymock_wait(struct skymock *server, const char *whom, int count, int wait_ms,
                             const char *pattern, ...)
{
    struct skymock__text wanted = {NULL, 0, 0}, body = {NULL, 0, 0}, why = {NULL, 0, 0};
    char text[128];
    if (skymock__check_whom(server, whom) != 0)
        return -1;
    SKYMOCK__FORMAT(&wanted, pattern);
    skymock__add_str(&body, "{\"event\":{");
    skymock__add_whom(&body, whom, ",");
    skymock__add_str(&body, "\"anyOf\":[");
    skymock__add_str(&body, wanted.bytes);
    snprintf(text, sizeof text, "]},\"waitMs\":%d,\"count\":%d,\"limit\":%d}", wait_ms, count,
             count);
    skymock__add_str(&body, text);
    int err = skymock__call_free(server, "POST", "events/search", &body);
    int got = err == 0 ? skymock_get_count(server->answer, "/events") : 0;
    if (err == 0 && got < count) {
        snprintf(text, sizeof text, "%d of %d came within %d ms: ", got, count, wait_ms);
        skymock__add_str(&why, text);
        (void)skymock_verify(server, whom, "{'event': %s, 'count': {'min': %d}}", wanted.bytes,
                             count);
        skymock__add_str(&why, server->why);
        err = skymock_events(server, whom, SKYMOCK_EVENTS_MAX) < 0 ? -1 : 1;
        (void)skymock__say(server, "%s  the last events:\n", why.bytes);
        free(why.bytes);
        skymock__say_events(server);
    }
    free(wanted.bytes);
    return err;
}

SKYMOCK_API int skymock_absent(struct skymock *server, const char *whom, int wait_ms,
                               const char *pattern, ...)
{
    struct skymock__text wanted = {NULL, 0, 0};
    SKYMOCK__FORMAT(&wanted, pattern);
    int err = skymock_verify(server, whom, "{'absent': %s, 'waitMs': %d}", wanted.bytes, wait_ms);
    free(wanted.bytes);
    return err;
}

/* Adds what the devices of the last answer broke. */
static void skymock__say_rules(struct skymock *server)
{
    static const char *const shown[] = {"/statement", "/detail", "/what", "/explanation/hint",
                                        "/explanation/signedText"};
    char text[1024], verdict[32], pointer[32];
    for (int i = 0; i < skymock_get_count(server->answer, "/devices"); i++) {
        snprintf(pointer, sizeof pointer, "/devices/%d", i);
        const char *device = skymock_find(server->answer, pointer);
        (void)skymock_get_text(device, "/device", text, sizeof text);
        (void)skymock_get_text(device, "/verdict", verdict, sizeof verdict);
        (void)skymock__say(server, "%s: %s\n", text, verdict);
        for (int j = 0; j < skymock_get_count(device, "/rules"); j++) {
            snprintf(pointer, sizeof pointer, "/rules/%d", j);
            const char *rule = skymock_find(device, pointer);
            (void)skymock_get_text(rule, "/verdict", verdict, sizeof verdict);
            if (strcmp(verdict, "failed") != 0 && strcmp(verdict, "warned") != 0)
                continue;
            (void)skymock_get_text(rule, "/id", text, sizeof text);
            (void)skymock__say(server, "  %s %s:\n", text, verdict);
            for (size_t k = 0; k < sizeof shown / sizeof *shown; k++)
                if (skymock_get_text(rule, shown[k], text, sizeof text) == 0)
                    (void)skymock__say(server, "    %s\n", text);
        }
    }
}

SKYMOCK_API enum skymock_outcome skymock_verdict(struct skymock *server, const char *whom)
{
    static const char *const names[] = {"passed", "warned", "failed", "not exercised"};
    char verdict[32];
    if (skymock__ask_about(server, "GET", "verdicts", whom) != 0)
        return SKYMOCK_UNKNOWN;
    skymock__say_rules(server);
    (void)skymock_get_text(server->answer, "/verdict", verdict, sizeof verdict);
    for (int i = 0; i < 4; i++)
        if (strcmp(verdict, names[i]) == 0)
            return (enum skymock_outcome)i;
    return SKYMOCK_UNKNOWN;
}

SKYMOCK_API int skymock_passed(struct skymock *server, const char *whom, int strict)
{
    enum skymock_outcome outcome = skymock_verdict(server, whom);
    if (outcome == SKYMOCK_UNKNOWN)
        return -1;
    return outcome != SKYMOCK_PASSED && (strict || outcome != SKYMOCK_WARNED);
}

SKYMOCK_API void skymock_report(FILE *file)
{
    struct skymock *server = skymock__used;
    char why[SKYMOCK_WHY_MAX];
    if (server == NULL)
        return;
    memcpy(why, server->why, sizeof why);
    if (skymock_ask(server, "GET", "verdicts?run=true") == 0) {
        skymock__say_rules(server);
        fputs(server->why, file);
    }
    if (skymock_ask(server, "GET", "events?run=true&order=desc&limit=20") == 0) {
        skymock__say_events(server);
        fprintf(file, "the last events:\n");
    }
    fputs(server->why, file);
    memcpy(server->why, why, sizeof why);
}

/* ---- snapshots, time ---- */

SKYMOCK_API int skymock_snapshot(struct skymock *server, const char *name, const char *product)
{
    return skymock_about(server, product, "snapshots", "{'name': '%s'}", name);
}

SKYMOCK_API int skymock_restore(struct skymock *server, const char *name, const char *product)
{
    struct skymock__text path = {NULL, 0, 0};
    skymock__add_str(&path, "snapshots/");
    skymock__add_path(&path, name);
    skymock__add_str(&path, "/restore");
    int err = skymock_about(server, product, path.bytes, "{}");
    free(path.bytes);
    return err;
}

SKYMOCK_API int skymock_now(struct skymock *server, long long *ret_unix_ms)
{
    int err = skymock_ask(server, "GET", "clock");
    return err == 0 ? skymock_get_int(server->answer, "/unixMs", ret_unix_ms) : err;
}

#endif
