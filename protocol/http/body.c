#include "protocol/http/body.h"

#include "auth/text.h"
#include "protocol/base/assert.h"

/* What is expected next. */
enum step {
    COUNTED,     /* the rest of a body of known length */
    SIZE,        /* a digit of a chunk's size, or what ends it */
    BLANKS,      /* blanks between the size and what may follow it */
    EXTENSION,   /* something that nobody needs, up to the end of the line */
    SIZE_END,    /* LF */
    DATA,        /* the rest of a chunk */
    DATA_CR,     /* CRLF behind it */
    DATA_END,    /* LF */
    TRAILER,     /* a header line, or the empty line that ends everything */
    IN_TRAILER,  /* the rest of a header line, which nobody needs */
    TRAILER_END, /* LF */
    END,         /* LF of the empty line */
    DONE,
    BAD,
};

void sky_http_body_begin(struct sky_http_body *body, const struct sky_http_head *head)
{
    *body = (struct sky_http_body){.step = head->chunked ? SIZE : COUNTED, .left = head->body_len};
}

static enum step take_behind_size(char c)
{
    if (c == '\r')
        return SIZE_END;
    return c == ';' ? EXTENSION : c == ' ' || c == '\t' ? BLANKS : BAD;
}

static enum step take_size(struct sky_http_body *body, char c)
{
    int digit = sky_hex_digit(c);
    if (digit >= 0) {
        body->left = body->left << 4 | (uint64_t)digit;
        return ++body->line <= SKY_HTTP_CHUNK_DIGITS_MAX ? SIZE : BAD;
    }
    if (body->line == 0)
        return BAD;
    return take_behind_size(c);
}

/* A byte that is no body. Nothing but CRLF ends a line: what another reader might take for an end
 * is refused (RFC 9112 §7.1.1, §11.2). */
static enum step take_frame(struct sky_http_body *body, char c)
{
    bool ends = c == '\r', wrong = c == '\n' || c == '\0';
    switch (body->step) {
    case SIZE:
        return take_size(body, c);
    case BLANKS:
        return ++body->line > SKY_HTTP_CHUNK_LINE_MAX ? BAD : take_behind_size(c);
    case EXTENSION:
        if (wrong || ++body->line > SKY_HTTP_CHUNK_LINE_MAX)
            return BAD;
        return ends ? SIZE_END : EXTENSION;
    case SIZE_END:
        body->line = 0;
        return c != '\n' ? BAD : body->left > 0 ? DATA : TRAILER;
    case DATA_CR:
        return ends ? DATA_END : BAD;
    case DATA_END:
        return c == '\n' ? SIZE : BAD;
    case TRAILER:
        if (ends)
            return END;
        /* fall through */
    case IN_TRAILER:
        if (wrong || ++body->line > SKY_HTTP_TRAILERS_MAX)
            return BAD;
        return ends ? TRAILER_END : IN_TRAILER;
    case TRAILER_END:
        return c == '\n' ? TRAILER : BAD;
    default:
        SKY_ASSERT(body->step == END);
        return c == '\n' ? DONE : BAD;
    }
}

enum sky_http_body_result sky_http_body_feed(struct sky_http_body *body, sky_span in,
                                             size_t *ret_used, struct sky_buf *out)
{
    size_t used = 0;
    while (body->step != BAD && body->step != DONE) {
        if (body->step == COUNTED && body->left == 0) {
            body->step = DONE;
            break;
        }
        sky_span rest = sky_span_tail(in, used);
        if (rest.len == 0)
            break;
        if (body->step != COUNTED && body->step != DATA) {
            body->step = take_frame(body, rest.ptr[0]);
            used++;
            continue;
        }
        sky_span piece = sky_span_head(rest, body->left < rest.len ? (size_t)body->left : rest.len);
        if (!sky_buf_add(out, piece)) {
            *ret_used = used;
            return SKY_HTTP_BODY_TOO_LONG;
        }
        used += piece.len;
        body->left -= piece.len;
        if (body->step == DATA && body->left == 0)
            body->step = DATA_CR;
    }
    *ret_used = used;
    return body->step == DONE  ? SKY_HTTP_BODY_DONE
           : body->step == BAD ? SKY_HTTP_BODY_BAD
                               : SKY_HTTP_BODY_MORE;
}
