#include "server/judge/xml.h"

#include "protocol/base/utf8.h"

/* The character in front as XML 1.0 §2.2 can hold it, cut off `text`. */
static sky_span next_character(sky_span *text)
{
    size_t len = sky_utf8_first(*text);
    sky_span one = sky_span_head(*text, len > 0 ? len : 1);
    *text = sky_span_tail(*text, one.len);
    uint8_t first = (uint8_t)one.ptr[0];
    if (len == 0 || (first < 0x20 && first != '\n' && first != '\t' && first != '\r') ||
        sky_span_eq_str(one, "\xef\xbf\xbe") || sky_span_eq_str(one, "\xef\xbf\xbf"))
        return SKY_SPAN("?");
    return one;
}

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '&' && c != '<' && c != '>' && c != '"';
}

/* `attribute`: white space would be read as a blank. */
static void put(struct sky_buf *out, sky_span text, bool attribute)
{
    while (text.len > 0) {
        size_t run = 0;
        while (run < text.len && is_plain(text.ptr[run]))
            run++;
        sky_buf_add(out, sky_span_head(text, run));
        text = sky_span_tail(text, run);
        if (text.len == 0)
            break;
        sky_span one = next_character(&text);
        switch (one.ptr[0]) {
        case '&':
            sky_buf_add_str(out, "&amp;");
            break;
        case '<':
            sky_buf_add_str(out, "&lt;");
            break;
        case '>':
            sky_buf_add_str(out, "&gt;");
            break;
        case '"':
            sky_buf_add_str(out, "&quot;");
            break;
        case '\r': /* it would be read as a line feed, §2.11 */
            sky_buf_add_str(out, "&#13;");
            break;
        case '\n':
            sky_buf_add_str(out, attribute ? "&#10;" : "\n");
            break;
        case '\t':
            sky_buf_add_str(out, attribute ? "&#9;" : "\t");
            break;
        default:
            sky_buf_add(out, one);
        }
    }
}

void sky_xml_text(struct sky_buf *out, sky_span text)
{
    put(out, text, false);
}

void sky_xml_line(struct sky_buf *out, sky_span text)
{
    sky_xml_text(out, text);
    sky_buf_add_byte(out, '\n');
}

void sky_xml_attribute(struct sky_buf *out, const char *name, sky_span value)
{
    sky_buf_addf(out, " %s=\"", name);
    put(out, value, true);
    sky_buf_add_byte(out, '"');
}
