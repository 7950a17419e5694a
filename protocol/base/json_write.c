#include "protocol/base/json_write.h"

#include "protocol/base/utf8.h"

static void before_value(struct sky_jw *jw)
{
    if (jw->comma)
        sky_buf_add_byte(jw->out, ',');
    jw->comma = true;
}

static void open_with(struct sky_jw *jw, char bracket)
{
    before_value(jw);
    sky_buf_add_byte(jw->out, (uint8_t)bracket);
    jw->comma = false;
}

static void close_with(struct sky_jw *jw, char bracket)
{
    sky_buf_add_byte(jw->out, (uint8_t)bracket);
    jw->comma = true;
}

void sky_jw_object(struct sky_jw *jw)
{
    open_with(jw, '{');
}

void sky_jw_end_object(struct sky_jw *jw)
{
    close_with(jw, '}');
}

void sky_jw_array(struct sky_jw *jw)
{
    open_with(jw, '[');
}

void sky_jw_end_array(struct sky_jw *jw)
{
    close_with(jw, ']');
}

/* RFC 8259 §7: the short form where there is one. A payload may have nothing but these. */
static void write_escape(struct sky_buf *out, char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt",
                      hex[] = "0123456789abcdef";
    const char *found = c != '\0' ? strchr(plain, c) : NULL;
    char text[] = {'\\', 'u', '0', '0', hex[(unsigned char)c >> 4], hex[c & 15]};
    if (found != NULL)
        text[1] = letters[found - plain];
    sky_buf_add(out, sky_span_of(text, found != NULL ? 2 : sizeof text));
}

/* Bytes at the front of valid UTF-8 that need no escape. */
static size_t plain_run(sky_span text)
{
    size_t at = 0;
    while (at < text.len && (unsigned char)text.ptr[at] >= 0x20 && text.ptr[at] != '"' &&
           text.ptr[at] != '\\')
        at++;
    return at;
}

static void write_valid(struct sky_buf *out, sky_span text)
{
    while (text.len > 0) {
        size_t run = plain_run(text);
        sky_buf_add(out, sky_span_head(text, run));
        if (run < text.len)
            write_escape(out, text.ptr[run++]);
        text = sky_span_tail(text, run);
    }
}

static void write_string(struct sky_buf *out, sky_span text)
{
    sky_buf_add_byte(out, '"');
    while (text.len > 0) {
        size_t valid = sky_utf8_valid(text);
        write_valid(out, sky_span_head(text, valid));
        if (valid < text.len) {
            sky_buf_add_str(out, "\xef\xbf\xbd");
            valid++;
        }
        text = sky_span_tail(text, valid);
    }
    sky_buf_add_byte(out, '"');
}

void sky_jw_key(struct sky_jw *jw, const char *key)
{
    before_value(jw);
    write_string(jw->out, sky_span_str(key));
    sky_buf_add_byte(jw->out, ':');
    jw->comma = false;
}

void sky_jw_key_raw(struct sky_jw *jw, sky_span key)
{
    before_value(jw);
    sky_buf_add_byte(jw->out, '"');
    sky_buf_add(jw->out, key);
    sky_buf_add_str(jw->out, "\":");
    jw->comma = false;
}

void sky_jw_str(struct sky_jw *jw, sky_span text)
{
    before_value(jw);
    write_string(jw->out, text);
}

void sky_jw_int(struct sky_jw *jw, int64_t value)
{
    before_value(jw);
    sky_buf_add_int(jw->out, value);
}

void sky_jw_raw(struct sky_jw *jw, sky_span json)
{
    before_value(jw);
    sky_buf_add(jw->out, json);
}

void sky_jw_bool(struct sky_jw *jw, bool value)
{
    sky_jw_raw(jw, sky_span_str(value ? "true" : "false"));
}

void sky_jw_null(struct sky_jw *jw)
{
    sky_jw_raw(jw, SKY_SPAN("null"));
}

void sky_jw_put_str(struct sky_jw *jw, const char *key, const char *text)
{
    sky_jw_put_span(jw, key, sky_span_str(text));
}

void sky_jw_put_span(struct sky_jw *jw, const char *key, sky_span text)
{
    sky_jw_key(jw, key);
    sky_jw_str(jw, text);
}

void sky_jw_put_int(struct sky_jw *jw, const char *key, int64_t value)
{
    sky_jw_key(jw, key);
    sky_jw_int(jw, value);
}

void sky_jw_put_bool(struct sky_jw *jw, const char *key, bool value)
{
    sky_jw_key(jw, key);
    sky_jw_bool(jw, value);
}
