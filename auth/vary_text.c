/* Mistakes in how the signed fields become text, and in how text and secret become a digest. */
#include "auth/mistakes.h"
#include "auth/text.h"
#include "protocol/base/mem.h"

enum { ORDERS_MAX = 120 }; /* all orders of five fields */

/* ---- order ---- */

static void swap(uint8_t *a, uint8_t *b)
{
    uint8_t kept = *a;
    *a = *b;
    *b = kept;
}

/* The next permutation in lexicographic order; false after the last. */
static bool next_order(uint8_t *order, size_t count)
{
    size_t pivot = count - 1;
    while (pivot > 0 && order[pivot - 1] >= order[pivot])
        pivot--;
    if (pivot == 0)
        return false;
    size_t larger = count - 1;
    while (order[larger] <= order[pivot - 1])
        larger--;
    swap(&order[pivot - 1], &order[larger]);
    for (size_t i = pivot, j = count - 1; i < j; i++, j--)
        swap(&order[i], &order[j]);
    return true;
}

void sky_vary_order(struct sky_workshop *shop, enum sky_mistake self)
{
    size_t count = shop->suspicion->due.field_count;
    uint8_t order[SKY_SIGN_FIELDS_MAX];
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        order[i] = (uint8_t)i;
    for (int i = 0; i < ORDERS_MAX && next_order(order, count); i++) {
        struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_ORDER, self);
        variant->order =
            (const uint8_t *)sky_arena_copy(&shop->arena, sky_span_of(order, count)).ptr;
        variant->rank = SKY_REMOTE;
    }
}

/* ---- style ---- */

static struct sky_variant *add_style(struct sky_workshop *shop, enum sky_mistake self,
                                     struct sky_style style)
{
    struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_STYLE, self);
    variant->text.style = style;
    return variant;
}

static bool same(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* Separators as they are due, the names left out. */
void sky_vary_values_only(struct sky_workshop *shop, enum sky_mistake self)
{
    struct sky_style style = shop->suspicion->due.style;
    if (style.values_only)
        return;
    style.values_only = true;
    add_style(shop, self, style);
}

void sky_vary_separators(struct sky_workshop *shop, enum sky_mistake self)
{
    static const struct sky_style styles[] = {
        {.equals = "=", .between = "&"},       {.equals = "=", .between = ","},
        {.equals = NULL, .between = NULL},     {.equals = NULL, .between = "&"},
        {.equals = NULL, .between = ","},      {.equals = "=", .between = NULL},
        {.equals = "=", .between = ";"},       {.equals = NULL, .between = " "},
        {.equals = ":", .between = ","},       {.values_only = true, .between = NULL},
        {.values_only = true, .between = "&"}, {.values_only = true, .between = ","},
        {.values_only = true, .between = "|"}, {.values_only = true, .between = "\n"},
    };
    enum { COMMON = 3 };
    const struct sky_recipe *due = &shop->suspicion->due;
    bool joined = due->style.between == NULL && due->style.equals == NULL;
    for (size_t i = 0; i < SKY_COUNT(styles) && due->field_count > 1; i++) {
        bool is_due = styles[i].values_only == due->style.values_only &&
                      same(styles[i].between, due->style.between) &&
                      (styles[i].values_only || same(styles[i].equals, due->style.equals));
        /* The names left out of a text without separators are another mistake, of its own. */
        bool values_only = joined && styles[i].values_only && styles[i].between == NULL;
        if (!is_due && !values_only)
            add_style(shop, self, styles[i])->rank = i >= COMMON ? SKY_REMOTE : SKY_LIKELY;
    }
}

const struct sky_tail sky_tails[SKY_TAILS] = {
    {SKY_SPAN("\n"), "a line break"},    {SKY_SPAN("\r\n"), "CR and LF"},
    {SKY_SPAN(" "), "a blank"},          {SKY_SPAN("\r"), "CR"},
    {SKY_SPAN("\0"), "its closing NUL"}, {SKY_SPAN("\t"), "a tabulator"},
};

void sky_vary_text_tail(struct sky_workshop *shop, enum sky_mistake self)
{
    for (size_t i = 0; i < SKY_TAILS; i++) {
        struct sky_variant *variant = add_style(shop, self, shop->suspicion->due.style);
        variant->text.tail = sky_tails[i].bytes;
        variant->note = sky_span_str(sky_tails[i].what);
        variant->rank = i > 0 ? SKY_REMOTE : SKY_LIKELY;
    }
}

/* ---- escaping ---- */

static bool is_punctuation(char c)
{
    return c != '\0' && strchr("&;|=,:\"'/", c) != NULL;
}

static void escape_html(sky_span text, struct sky_buf *out)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '&')
            sky_buf_add_str(out, "&amp;");
        else
            sky_buf_add_byte(out, (uint8_t)text.ptr[i]);
}

static void escape_backslash(sky_span text, struct sky_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_punctuation(text.ptr[i]))
            sky_buf_add_byte(out, '\\');
        sky_buf_add_byte(out, (uint8_t)text.ptr[i]);
    }
}

static void escape_percent(sky_span text, struct sky_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char escaped[4];
        sky_percent_encode(sky_span_of(text.ptr + i, 1), escaped);
        sky_buf_add_str(out, escaped);
    }
}

/* U+FF01 to U+FF5E are the ASCII characters as an input method for Chinese types them. */
static void escape_full_width(sky_span text, struct sky_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint32_t wide = 0xfee0u + (uint8_t)text.ptr[i];
        if (is_punctuation(text.ptr[i]))
            sky_buf_addf(out, "%c%c%c", (int)(0xe0 | wide >> 12), (int)(0x80 | (wide >> 6 & 63)),
                         (int)(0x80 | (wide & 63)));
        else
            sky_buf_add_byte(out, (uint8_t)text.ptr[i]);
    }
}

static void escape_quotes(sky_span text, struct sky_buf *out)
{
    sky_buf_add_byte(out, '"');
    sky_buf_add(out, text);
    sky_buf_add_byte(out, '"');
}

void sky_vary_escaped(struct sky_workshop *shop, enum sky_mistake self)
{
    static const struct {
        sky_escape_fn *escape;
        const char *note;
    } escapes[] = {
        {escape_html, "&amp; for &"},
        {escape_backslash, "backslashes in front of punctuation"},
        {escape_percent, "percent-encoded"},
        {escape_full_width, "full-width punctuation"},
        {escape_quotes, "quotation marks around the text"},
    };
    for (size_t i = 0; i < SKY_COUNT(escapes); i++) {
        struct sky_variant *variant = add_style(shop, self, shop->suspicion->due.style);
        variant->text.escape = escapes[i].escape;
        variant->note = sky_span_str(escapes[i].note);
        variant->rank = SKY_ALONE;
    }
}

/* ---- keying ---- */

static void add_way(struct sky_workshop *shop, enum sky_mistake self, enum sky_way way,
                    const char *note)
{
    struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_KEYING, self);
    variant->way = way;
    variant->note = sky_span_str(note);
    bool remote = way == SKY_WAY_SWAPPED || way == SKY_WAY_TWICE || way == SKY_WAY_BARE;
    variant->rank = remote ? SKY_REMOTE : SKY_LIKELY;
}

static bool is_hmac_due(const struct sky_workshop *shop)
{
    return shop->suspicion->due.keying == SKY_HMAC;
}

void sky_vary_not_hmac(struct sky_workshop *shop, enum sky_mistake self)
{
    if (!is_hmac_due(shop))
        return;
    add_way(shop, self, SKY_WAY_APPEND, "the secret behind the text");
    add_way(shop, self, SKY_WAY_PREPEND, "the secret in front of the text");
}

void sky_vary_is_hmac(struct sky_workshop *shop, enum sky_mistake self)
{
    if (!is_hmac_due(shop))
        add_way(shop, self, SKY_WAY_HMAC, NULL);
}

void sky_vary_secret_in_front(struct sky_workshop *shop, enum sky_mistake self)
{
    if (!is_hmac_due(shop))
        add_way(shop, self, SKY_WAY_PREPEND, NULL);
}

void sky_vary_hmac_swapped(struct sky_workshop *shop, enum sky_mistake self)
{
    add_way(shop, self, SKY_WAY_SWAPPED, NULL);
}

void sky_vary_secret_twice(struct sky_workshop *shop, enum sky_mistake self)
{
    add_way(shop, self, SKY_WAY_TWICE, NULL);
}

void sky_vary_no_secret(struct sky_workshop *shop, enum sky_mistake self)
{
    add_way(shop, self, SKY_WAY_BARE, NULL);
}
