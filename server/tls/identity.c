#include "server/tls/identity.h"

#include <stdio.h>

#include "protocol/base/utf8.h"

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* The bytes of the first character; 0 when it is no text. */
static size_t character_len(sky_span text)
{
    if (is_control(text.ptr[0]))
        return 0;
    size_t len = 1;
    while (len < 4 && len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len++;
    return sky_utf8_valid(sky_span_head(text, len)) == len ? len : 0;
}

static const char *escape(char c, char room[5])
{
    switch (c) {
    case '\0':
        return "\\0";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        snprintf(room, 5, "\\x%02x", (unsigned char)c);
        return room;
    }
}

void sky_tls_identity_text(sky_span identity, char out[SKY_TLS_IDENTITY_TEXT_MAX + 1])
{
    static const char cut[] = "...";
    size_t used = 0, whole = 0; /* `whole`: as much as leaves room for the cut */
    char room[5];
    while (identity.len > 0) {
        size_t len = character_len(identity);
        sky_span next =
            len > 0 ? sky_span_head(identity, len) : sky_span_str(escape(identity.ptr[0], room));
        if (used + next.len > SKY_TLS_IDENTITY_TEXT_MAX) {
            memcpy(out + whole, cut, sizeof cut);
            return;
        }
        memcpy(out + used, next.ptr, next.len);
        used += next.len;
        if (used + sizeof cut - 1 <= SKY_TLS_IDENTITY_TEXT_MAX)
            whole = used;
        identity = sky_span_tail(identity, len > 0 ? len : 1);
    }
    out[used] = '\0';
}

static const struct sky_tls_identity_mistake zero_byte = {
    "identity-zero-byte",
    "ends with a zero byte: the length that was sent counts the end of the C string"};
static const struct sky_tls_identity_mistake line_end = {
    "identity-line-end", "ends with a line end: it was taken from a line of text with all of it"};
static const struct sky_tls_identity_mistake no_text = {"identity-no-text",
                                                        "has bytes in it that are no text"};

const struct sky_tls_identity_mistake *sky_tls_identity_mistake(sky_span identity,
                                                                sky_span *ret_meant)
{
    bool is_text = true;
    for (sky_span rest = identity; rest.len > 0 && is_text;) {
        size_t len = character_len(rest);
        is_text = len > 0;
        rest = sky_span_tail(rest, len);
    }
    if (is_text)
        return NULL;
    char last = identity.ptr[identity.len - 1];
    while (identity.len > 0 && is_control(identity.ptr[identity.len - 1]))
        identity.len--;
    while (identity.len > 0 && is_control(identity.ptr[0]))
        identity = sky_span_tail(identity, 1);
    *ret_meant = identity;
    return last == '\0' ? &zero_byte : last == '\n' || last == '\r' ? &line_end : &no_text;
}
