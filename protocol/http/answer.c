#include "protocol/http/answer.h"

#include <time.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

/* SDKs that download look for the end of the status line in the first 32 bytes: what a download can
 * come to is said in few words, which nobody else reads (RFC 9112 §4). */
static const struct phrase {
    int status;
    const char *text;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Bad Range"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *sky_http_phrase(int status)
{
    for (size_t i = 0; i < SKY_COUNT(phrases); i++) {
        if (phrases[i].status == status)
            return phrases[i].text;
    }
    return "Unknown";
}

bool sky_http_has_body(int status)
{
    return status != 204 && status != 304;
}

/* In the C locale, which the program never leaves. */
void sky_http_date(int64_t unix_ms, char out[SKY_HTTP_DATE_SIZE])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm at;
    SKY_ASSERT(gmtime_r(&seconds, &at) != NULL);
    strftime(out, SKY_HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &at);
}

static void put_line(struct sky_buf *out, const char *name, const char *value)
{
    sky_buf_add_str(out, name);
    sky_buf_add_str(out, value);
    sky_buf_add_str(out, "\r\n");
}

void sky_http_put_head(struct sky_buf *out, const struct sky_http_reply *reply, bool has_length,
                       bool keep_alive, int64_t now_ms)
{
    char date[SKY_HTTP_DATE_SIZE];
    sky_http_date(now_ms, date);
    sky_buf_add_str(out, "HTTP/1.1 ");
    sky_buf_add_int(out, reply->status);
    put_line(out, " ", sky_http_phrase(reply->status));
    if (reply->content_type != NULL)
        put_line(out, "Content-Type: ", reply->content_type);
    if (has_length) {
        sky_buf_add_str(out, "Content-Length: ");
        sky_buf_add_int(out, (int64_t)(reply->body.len + reply->line_end));
        sky_buf_add_str(out, "\r\n");
    }
    put_line(out, "Connection: ", keep_alive ? "keep-alive" : "close");
    put_line(out, "Date: ", date);
    if (reply->no_sniff)
        sky_buf_add_str(out, "X-Content-Type-Options: nosniff\r\n");
    sky_buf_add(out, reply->extra);
    sky_buf_add_str(out, "\r\n");
}

bool sky_http_put(struct sky_buf *out, const struct sky_http_response *answer, int64_t now_ms)
{
    const struct sky_http_reply *reply = &answer->reply;
    sky_http_put_head(out, reply, sky_http_has_body(reply->status), answer->keep_alive, now_ms);
    if (!answer->head_only) {
        sky_buf_add(out, reply->body);
        if (reply->line_end)
            sky_buf_add_byte(out, '\n');
    }
    return !out->overflow;
}
