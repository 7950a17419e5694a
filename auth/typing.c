#include "auth/typing.h"

#include "protocol/base/mem.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* `open`, a word, `close`; braces with more in them are an SDK's own. */
static bool is_framed(sky_span text, const char *open, const char *close, sky_span *ret_part)
{
    size_t len = strlen(open), at = len;
    if (!sky_span_starts(text, sky_span_str(open)))
        return false;
    while (at < text.len && is_word(text.ptr[at]))
        at++;
    *ret_part = sky_span_head(text, at + strlen(close));
    return at > len && sky_span_starts(sky_span_tail(text, at), sky_span_str(close));
}

/* A whole field, as fields are told apart in logins. */
static bool is_field(sky_span text, size_t at, const char *word)
{
    const sky_span before = sky_span_head(text, at), rest = sky_span_tail(text, at);
    const sky_span here = sky_span_head(rest, strlen(word));
    static const char marks[] = "&;|,=";
    return sky_span_eq_nocase(here, sky_span_str(word)) &&
           (before.len == 0 || strchr(marks, before.ptr[before.len - 1]) != NULL) &&
           (rest.len == here.len || strchr(marks, rest.ptr[here.len]) != NULL);
}

static bool is_placeholder(sky_span text, size_t at, sky_span *ret_part)
{
    static const char *const frames[][2] = {{"${", "}"}, {"{", "}"}, {"<", ">"}, {"%", "%"}};
    static const char *const words[] = {"(null)", "null", "undefined", "none", "%s", "%d"};
    static const char *const heads[] = {"YOUR_", "your_", "YOUR-", "your-"};
    sky_span rest = sky_span_tail(text, at);
    for (size_t i = 0; i < SKY_COUNT(frames); i++)
        if (is_framed(rest, frames[i][0], frames[i][1], ret_part))
            return true;
    for (size_t i = 0; i < SKY_COUNT(words); i++)
        if (is_field(text, at, words[i])) {
            *ret_part = sky_span_head(rest, strlen(words[i]));
            return true;
        }
    for (size_t i = 0; i < SKY_COUNT(heads); i++)
        if (sky_span_starts(rest, sky_span_str(heads[i])) &&
            (at == 0 || !is_word(text.ptr[at - 1]))) {
            size_t len = 0;
            while (len < rest.len && (is_word(rest.ptr[len]) || rest.ptr[len] == '-'))
                len++;
            *ret_part = sky_span_head(rest, len);
            return true;
        }
    return false;
}

static bool is_escape(sky_span rest, sky_span *ret_part)
{
    static const char *const escapes[] = {"&amp;", "&#",  "&quot;", "\\&", "\\,", "\\\"", "\\|",
                                          "\\;",   "\\=", "\\/",    "%26", "%7C", "%7c",  "%3B"};
    for (size_t i = 0; i < SKY_COUNT(escapes); i++)
        if (sky_span_starts(rest, sky_span_str(escapes[i]))) {
            *ret_part = sky_span_head(rest, strlen(escapes[i]));
            return true;
        }
    /* U+FF01 to U+FF5E: ASCII as an input method for Chinese types it. */
    bool wide = sky_span_starts(rest, SKY_SPAN("\xef\xbc")) ||
                (sky_span_starts(rest, SKY_SPAN("\xef\xbd")) && rest.len > 2 &&
                 (uint8_t)rest.ptr[2] <= 0x9e);
    *ret_part = sky_span_head(rest, 3);
    return wide && rest.len >= 3;
}

enum sky_mistake sky_typing_slip(sky_span text, sky_span *ret_part)
{
    enum { LOOKED_AT_MAX = 256 }; /* bytes: no name is longer, and each is compared often */
    sky_span part;
    text = sky_span_head(text, LOOKED_AT_MAX);
    for (size_t at = 0; at < text.len; at++) {
        bool placeholder = is_placeholder(text, at, &part);
        if (!placeholder && !is_escape(sky_span_tail(text, at), &part))
            continue;
        *ret_part = part;
        return placeholder ? SKY_MISTAKE_PLACEHOLDER : SKY_MISTAKE_ESCAPED;
    }
    return SKY_MISTAKE_NONE;
}
