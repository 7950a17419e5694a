/* The console's files: pages and what they load. They say nothing of devices, so whoever may reach
 * the server may have them; what they then ask for takes the token. */
#include "server/admin/console.h"

#include <stdio.h>
#include <string.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"
#include "server/admin/api.h"

enum { HEADERS_MAX = 1024, ETAG_LEN = 32 };

/* A browser asks each time whether it still has the newest, and mostly has. Nothing but what comes
 * from here is loaded, run or asked, and no text ever becomes markup (CSP 3; Trusted Types). */
static const char HEADERS[] =
    "ETag: \"%.*s\"\r\n"
    "Cache-Control: no-cache\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n";

static const char *type_of(const char *name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {{".html", "text/html; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".svg", "image/svg+xml"}};
    for (size_t i = 0; i < SKY_COUNT(types); i++)
        if (sky_span_ends(sky_span_str(name), sky_span_str(types[i].ending)))
            return types[i].type;
    SKY_ASSERT(false); /* the build takes no others */
    return NULL;
}

/* Is the tag in the list of If-None-Match? Weak ones count, too (RFC 9110 §13.1.2). */
static bool is_known(const struct sky_api *api, sky_span tag)
{
    sky_span rest, each;
    if (!sky_http_head_header(api->call->head.headers, "If-None-Match", &rest))
        return false;
    while (sky_span_next(&rest, ',', &each)) {
        each = sky_span_trim(each);
        if (sky_span_eq(sky_span_head(each, 2), SKY_SPAN("W/")))
            each = sky_span_tail(each, 2);
        if (sky_span_eq(each, SKY_SPAN("*")) ||
            (each.len == tag.len + 2 && sky_span_eq(sky_span_of(each.ptr + 1, tag.len), tag)))
            return true;
    }
    return false;
}

static void send_file(struct sky_api *api, const char *name)
{
    char headers[HEADERS_MAX];
    const struct sky_embedded *file = sky_console_files;
    while (file < sky_console_files + sky_console_files_count && strcmp(file->name, name) != 0)
        file++;
    if (file == sky_console_files + sky_console_files_count) {
        sky_api_error(api, 404, "not_found", "", "the console has no file of this name");
        return;
    }
    int len = snprintf(headers, sizeof headers, HEADERS, ETAG_LEN, file->sha256);
    SKY_ASSERT(len > 0 && (size_t)len < sizeof headers);
    api->extra = sky_span_of(headers, (size_t)len);
    if (is_known(api, sky_span_of(file->sha256, ETAG_LEN))) {
        sky_api_send(api, 304);
        return;
    }
    sky_buf_add(&api->out, sky_span_of(file->bytes, file->len));
    sky_api_send_text(api, type_of(name));
}

void sky_api_console(struct sky_api *api)
{
    send_file(api, "index.html");
}

void sky_api_console_api(struct sky_api *api)
{
    send_file(api, "api.html");
}

void sky_api_console_file(struct sky_api *api)
{
    send_file(api, api->vars.name);
}
