#include "auth/grammar.h"

#include "auth/text.h"
#include "protocol/base/assert.h"

const struct sky_pair *sky_pairs_find(const struct sky_pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (sky_span_eq_str(pairs->list[i].key, key))
            return &pairs->list[i];
    return NULL;
}

const char *sky_shape_text(enum sky_shape shape)
{
    switch (shape) {
    case SKY_SHAPE_OK:
        return "well formed";
    case SKY_SHAPE_NO_BAR:
        return "there is no '|'";
    case SKY_SHAPE_NOT_CLOSED:
        return "the block does not end with a second '|' as the last character";
    case SKY_SHAPE_NO_EQUALS:
        return "an item is not of the form key=value";
    case SKY_SHAPE_TOO_MANY:
        return "there are too many items";
    case SKY_SHAPE_FIELD_COUNT:
        return "the number of fields is not the one wanted";
    case SKY_SHAPE_BAD_ENCODING:
        return "a '%' is not followed by two hexadecimal digits";
    }
    SKY_ASSERT(!"shape");
    return "";
}

static sky_span trim(sky_span text, bool *padded)
{
    sky_span bare = sky_span_trim(text);
    if (bare.len != text.len)
        *padded = true;
    return bare;
}

/* Takes `item` apart at its first '=', blanks around key and value removed. */
static enum sky_shape split(sky_span item, struct sky_pair *ret_pair, bool *padded)
{
    struct sky_pair pair;
    if (!sky_span_cut(item, '=', &pair.key, &pair.value))
        return SKY_SHAPE_NO_EQUALS;
    pair.key = trim(pair.key, padded);
    pair.value = trim(pair.value, padded);
    if (pair.key.len == 0)
        return SKY_SHAPE_NO_EQUALS;
    *ret_pair = pair;
    return SKY_SHAPE_OK;
}

static enum sky_shape add(struct sky_pairs *pairs, struct sky_pair pair)
{
    if (pairs->count == SKY_PAIRS_MAX)
        return SKY_SHAPE_TOO_MANY;
    pairs->list[pairs->count++] = pair;
    return SKY_SHAPE_OK;
}

/* Reads on past items that are no pairs, so that the rest can still be judged. Nothing behind the
 * last comma is no item: a widespread SDK ends its block with "ext=3,|". */
static enum sky_shape add_items(struct sky_pairs *pairs, sky_span text)
{
    enum sky_shape shape = SKY_SHAPE_OK;
    sky_span item;
    while (sky_span_next(&text, ',', &item)) {
        struct sky_pair pair;
        if (item.len == 0 && text.ptr == NULL && pairs->count > 0)
            break;
        if (split(trim(item, &pairs->padded), &pair, &pairs->padded) != SKY_SHAPE_OK)
            shape = SKY_SHAPE_NO_EQUALS;
        else if (add(pairs, pair) != SKY_SHAPE_OK)
            return SKY_SHAPE_TOO_MANY;
    }
    return shape;
}

/* Only the first bar splits: what stands before it may hold '=', ',' and braces of its own, as in
 * `id{ip=10.0.0.5,version=2.3.0}|securemode=2|`. */
enum sky_shape sky_grammar_barred(sky_span text, sky_span *ret_head, sky_span *ret_block,
                                  struct sky_pairs *ret_pairs)
{
    sky_span head, behind;
    if (!sky_span_cut(text, '|', &head, &behind))
        return SKY_SHAPE_NO_BAR;
    struct sky_pairs pairs;
    pairs.count = 0;
    pairs.padded = false;
    sky_span items = behind, rest = SKY_SPAN_NONE;
    bool closed = sky_span_cut(behind, '|', &items, &rest) && trim(rest, &pairs.padded).len == 0;
    enum sky_shape shape = SKY_SHAPE_OK;
    if (sky_span_trim(items).len > 0)
        shape = add_items(&pairs, items);
    if (shape == SKY_SHAPE_TOO_MANY)
        return shape;
    *ret_head = head;
    *ret_block = sky_span_tail(text, head.len);
    *ret_pairs = pairs;
    return closed ? shape : SKY_SHAPE_NOT_CLOSED;
}

enum sky_shape sky_grammar_fields(sky_span text, char at, sky_span *ret_fields, size_t count)
{
    SKY_ASSERT(count > 0);
    size_t found = 1;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == at)
            found++;
    if (found != count)
        return SKY_SHAPE_FIELD_COUNT;
    for (size_t i = 0; i + 1 < count; i++)
        sky_span_cut(text, at, &ret_fields[i], &text);
    ret_fields[count - 1] = text;
    return SKY_SHAPE_OK;
}

/* Decodes one item into `*scratch`, which moves on behind it. */
static bool decode(sky_span item, char **scratch, sky_span *ret_decoded)
{
    size_t len;
    if (!sky_percent_decode(item, true, *scratch, item.len, &len))
        return false;
    *ret_decoded = sky_span_of(*scratch, len);
    *scratch += len;
    return true;
}

static enum sky_shape add_form_item(struct sky_pairs *pairs, sky_span item, char **scratch)
{
    struct sky_pair pair;
    enum sky_shape shape = split(item, &pair, &pairs->padded);
    if (shape != SKY_SHAPE_OK)
        return shape;
    if (!decode(pair.key, scratch, &pair.key) || !decode(pair.value, scratch, &pair.value))
        return SKY_SHAPE_BAD_ENCODING;
    return add(pairs, pair);
}

enum sky_shape sky_grammar_form(sky_span text, char *scratch, size_t scratch_size,
                                struct sky_pairs *ret_pairs)
{
    SKY_ASSERT(scratch_size >= text.len);
    struct sky_pairs pairs;
    pairs.count = 0;
    pairs.padded = false;
    sky_span item;
    while (sky_span_next(&text, '&', &item)) {
        item = trim(item, &pairs.padded);
        if (item.len == 0) /* "a=b&" and "a=b&&c=d" mean what they seem to */
            continue;
        enum sky_shape shape = add_form_item(&pairs, item, &scratch);
        if (shape != SKY_SHAPE_OK)
            return shape;
    }
    *ret_pairs = pairs;
    return SKY_SHAPE_OK;
}
