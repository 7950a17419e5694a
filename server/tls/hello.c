#include "server/tls/hello.h"

enum {
    RECORD_FIRST_TYPE = 20, /* change_cipher_spec */
    RECORD_HANDSHAKE = 22,
    RECORD_LAST_TYPE = 23, /* application_data */
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_HEADER = 4,
    DTLS_1_0 = 0xfeff, /* derives from TLS 1.1 (RFC 4347 §1) */
    DTLS_1_2 = 0xfefd,
    RANDOM_LEN = 32,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_RECORD_MAX = 1,
    EXTENSION_GROUPS = 10,
    EXTENSION_TICKET = 35,
    EXTENSION_VERSIONS = 43,
};

/* A cursor over the message: reading past the end marks it broken and yields nothing. */
struct reader {
    sky_span rest;
    bool broken;
};

static sky_span take(struct reader *in, size_t len)
{
    if (in->broken || len > in->rest.len) {
        in->broken = true;
        return SKY_SPAN_NONE;
    }
    sky_span taken = sky_span_head(in->rest, len);
    in->rest = sky_span_tail(in->rest, len);
    return taken;
}

static unsigned take_number(struct reader *in, size_t bytes)
{
    sky_span digits = take(in, bytes);
    unsigned value = 0;
    for (size_t i = 0; i < digits.len; i++)
        value = value << 8 | (uint8_t)digits.ptr[i];
    return value;
}

/* A vector whose length stands before it in `bytes` bytes (RFC 5246 §4.3). */
static struct reader take_vector(struct reader *in, size_t bytes)
{
    sky_span body = take(in, take_number(in, bytes));
    return (struct reader){.rest = body, .broken = in->broken};
}

static size_t take_list(struct reader list, uint16_t *out, size_t max)
{
    size_t count = 0;
    while (list.rest.len >= 2 && count < max)
        out[count++] = (uint16_t)take_number(&list, 2);
    return count;
}

enum sky_tls_parse sky_tls_record_len(sky_span raw, size_t *ret_len)
{
    const uint8_t *byte = (const uint8_t *)raw.ptr;
    if (raw.len > 0 && (byte[0] < RECORD_FIRST_TYPE || byte[0] > RECORD_LAST_TYPE))
        return SKY_TLS_BAD;
    if (raw.len > 1 && byte[1] != 3)
        return SKY_TLS_BAD;
    if (raw.len < SKY_TLS_RECORD_HEADER)
        return SKY_TLS_MORE;
    size_t len = (size_t)byte[3] << 8 | byte[4];
    if (len > SKY_TLS_RECORD_MAX)
        return SKY_TLS_BAD;
    if (raw.len < SKY_TLS_RECORD_HEADER + len)
        return SKY_TLS_MORE;
    *ret_len = SKY_TLS_RECORD_HEADER + len;
    return SKY_TLS_OK;
}

/* Only names of plain characters are kept: the name is shown to people. */
static void read_server_name(struct reader extension, struct sky_tls_hello *hello)
{
    struct reader list = take_vector(&extension, 2);
    unsigned type = take_number(&list, 1);
    sky_span name = take_vector(&list, 2).rest;
    if (list.broken || type != 0)
        return;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f)
            return;
    (void)sky_span_copy(name, hello->server_name, sizeof hello->server_name);
}

static void read_extension(unsigned type, struct reader body, struct sky_tls_hello *hello)
{
    unsigned code;
    switch (type) {
    case EXTENSION_SERVER_NAME:
        read_server_name(body, hello);
        break;
    case EXTENSION_RECORD_MAX:
        code = take_number(&body, 1);
        hello->record_max = code >= 1 && code <= 4 ? (uint16_t)(256 << code) : 0;
        break;
    case EXTENSION_GROUPS:
        hello->group_count =
            take_list(take_vector(&body, 2), hello->groups, SKY_TLS_HELLO_GROUPS_MAX);
        break;
    case EXTENSION_TICKET:
        hello->ticket = body.rest.len > 0;
        break;
    case EXTENSION_VERSIONS:
        hello->version_count =
            take_list(take_vector(&body, 1), hello->versions, SKY_TLS_HELLO_VERSIONS_MAX);
        break;
    default:
        break;
    }
}

static bool read_hello(struct reader in, bool with_cookie, struct sky_tls_hello *hello)
{
    hello->version = (uint16_t)take_number(&in, 2);
    (void)take(&in, RANDOM_LEN);
    (void)take_vector(&in, 1); /* session id */
    if (with_cookie)
        hello->cookie = take_vector(&in, 1).rest.len > 0;
    struct reader suites = take_vector(&in, 2);
    (void)take_vector(&in, 1); /* compression methods */
    hello->suite_count = take_list(suites, hello->suites, SKY_TLS_HELLO_SUITES_MAX);
    if (in.broken || in.rest.len == 0)
        return !in.broken;
    struct reader extensions = take_vector(&in, 2);
    while (!extensions.broken && extensions.rest.len > 0) {
        unsigned type = take_number(&extensions, 2);
        struct reader body = take_vector(&extensions, 2);
        if (!body.broken)
            read_extension(type, body, hello);
    }
    return !in.broken && !extensions.broken;
}

enum sky_tls_parse sky_tls_hello_parse(sky_span raw, struct sky_tls_hello *ret_hello)
{
    size_t len = 0;
    enum sky_tls_parse found = sky_tls_record_len(raw, &len);
    if (found != SKY_TLS_OK)
        return found;
    if ((uint8_t)raw.ptr[0] != RECORD_HANDSHAKE)
        return SKY_TLS_BAD;
    struct reader in = {.rest = sky_span_tail(sky_span_head(raw, len), SKY_TLS_RECORD_HEADER)};
    if (take_number(&in, 1) != MESSAGE_CLIENT_HELLO)
        return SKY_TLS_BAD;
    struct reader message = take_vector(&in, MESSAGE_HEADER - 1);
    struct sky_tls_hello hello = {0};
    if (message.broken || !read_hello(message, false, &hello))
        return SKY_TLS_BAD;
    *ret_hello = hello;
    return SKY_TLS_OK;
}

static uint16_t tls_version_of(uint16_t dtls_version)
{
    return dtls_version == DTLS_1_2 ? 0x0303 : dtls_version == DTLS_1_0 ? 0x0302 : dtls_version;
}

bool sky_tls_hello_parse_dtls(sky_span datagram, struct sky_tls_hello *ret_hello)
{
    struct reader in = {.rest = datagram};
    bool is_hello = take_number(&in, 1) == RECORD_HANDSHAKE;
    (void)take(&in, 2);                   /* version */
    is_hello &= take_number(&in, 2) == 0; /* epoch */
    (void)take(&in, 6);                   /* number of the record */
    struct reader record = take_vector(&in, 2);
    is_hello &= take_number(&record, 1) == MESSAGE_CLIENT_HELLO;
    size_t len = take_number(&record, 3);
    (void)take(&record, 2);                   /* number of the message */
    is_hello &= take_number(&record, 3) == 0; /* where this fragment belongs */
    struct reader message = take_vector(&record, 3);
    struct sky_tls_hello hello = {0};
    if (!is_hello || message.broken || message.rest.len != len ||
        !read_hello(message, true, &hello))
        return false;
    hello.version = tls_version_of(hello.version);
    *ret_hello = hello;
    return true;
}
