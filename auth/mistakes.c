#include "auth/mistakes.h"

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/facts.h"
#include "protocol/base/mem.h"

enum {
    ORDERS_MAX = 120, /* all orders of five fields */
    /* The leading rows of the tables below that are not remote. */
    COMMON_SEPARATORS = 2,
    COMMON_TAILS = 1,
};

static const struct sky_style due_style = {.names = true, .equals = "", .between = ""};

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

static void vary_order(struct sky_workshop *shop, enum sky_mistake self)
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
        variant->remote = true;
    }
}

/* ---- style ---- */

static struct sky_variant *add_style(struct sky_workshop *shop, enum sky_mistake self,
                                     struct sky_style style)
{
    struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_STYLE, self);
    variant->style = style;
    return variant;
}

static void vary_values_only(struct sky_workshop *shop, enum sky_mistake self)
{
    if (shop->suspicion->due.field_count > 0)
        add_style(shop, self, (struct sky_style){.names = false, .equals = "", .between = ""});
}

static void vary_separators(struct sky_workshop *shop, enum sky_mistake self)
{
    static const struct sky_style styles[] = {
        {.names = true, .equals = "=", .between = "&"},
        {.names = true, .equals = "=", .between = ","},
        {.names = true, .equals = "", .between = "&"},
        {.names = true, .equals = "", .between = ","},
        {.names = true, .equals = "=", .between = ""},
        {.names = true, .equals = "=", .between = ";"},
        {.names = true, .equals = "", .between = " "},
        {.names = true, .equals = ":", .between = ","},
        {.names = false, .equals = "", .between = "&"},
        {.names = false, .equals = "", .between = ","},
        {.names = false, .equals = "", .between = "|"},
    };
    if (shop->suspicion->due.field_count > 0)
        for (size_t i = 0; i < SKY_COUNT(styles); i++)
            add_style(shop, self, styles[i])->remote = i >= COMMON_SEPARATORS;
}

struct tail {
    sky_span bytes;
    const char *what;
};

static const struct tail tails[] = {
    {SKY_SPAN("\n"), "a line break"},    {SKY_SPAN("\r\n"), "CR and LF"},
    {SKY_SPAN(" "), "a blank"},          {SKY_SPAN("\r"), "CR"},
    {SKY_SPAN("\0"), "its closing NUL"}, {SKY_SPAN("\t"), "a tabulator"},
};

static void vary_text_tail(struct sky_workshop *shop, enum sky_mistake self)
{
    for (size_t i = 0; i < SKY_COUNT(tails); i++) {
        struct sky_variant *variant = add_style(shop, self, due_style);
        variant->style.tail = tails[i].bytes;
        variant->note = sky_span_str(tails[i].what);
        variant->remote = i >= COMMON_TAILS;
    }
}

/* ---- keying ---- */

static void add_way(struct sky_workshop *shop, enum sky_mistake self, enum sky_way way,
                    const char *note)
{
    struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_KEYING, self);
    variant->way = way;
    variant->note = sky_span_str(note);
    variant->remote = way == SKY_WAY_SWAPPED || way == SKY_WAY_TWICE || way == SKY_WAY_BARE;
}

static bool is_hmac_due(const struct sky_workshop *shop)
{
    return shop->suspicion->due.keying == SKY_HMAC;
}

static void vary_not_hmac(struct sky_workshop *shop, enum sky_mistake self)
{
    if (!is_hmac_due(shop))
        return;
    add_way(shop, self, SKY_WAY_APPEND, "the secret behind the text");
    add_way(shop, self, SKY_WAY_PREPEND, "the secret in front of the text");
}

static void vary_is_hmac(struct sky_workshop *shop, enum sky_mistake self)
{
    if (!is_hmac_due(shop))
        add_way(shop, self, SKY_WAY_HMAC, NULL);
}

static void vary_secret_in_front(struct sky_workshop *shop, enum sky_mistake self)
{
    if (!is_hmac_due(shop))
        add_way(shop, self, SKY_WAY_PREPEND, NULL);
}

static void vary_hmac_swapped(struct sky_workshop *shop, enum sky_mistake self)
{
    add_way(shop, self, SKY_WAY_SWAPPED, NULL);
}

static void vary_secret_twice(struct sky_workshop *shop, enum sky_mistake self)
{
    add_way(shop, self, SKY_WAY_TWICE, NULL);
}

static void vary_no_secret(struct sky_workshop *shop, enum sky_mistake self)
{
    add_way(shop, self, SKY_WAY_BARE, NULL);
}

/* ---- secret ---- */

static struct sky_variant *add_secret(struct sky_workshop *shop, enum sky_mistake self,
                                      sky_span secret)
{
    struct sky_variant *variant = sky_workshop_add(shop, SKY_FACET_SECRET, self);
    variant->secret = secret;
    return variant;
}

static void vary_role(struct sky_workshop *shop, enum sky_mistake self, enum sky_secret_role role)
{
    const struct sky_suspicion *suspicion = shop->suspicion;
    for (size_t i = 1; i < suspicion->secret_count; i++)
        if (suspicion->secrets[i].role == role)
            add_secret(shop, self, suspicion->secrets[i].bytes);
}

static void vary_not_decoded(struct sky_workshop *shop, enum sky_mistake self)
{
    vary_role(shop, self, SKY_SECRET_UNDECODED);
}

static void vary_product_secret(struct sky_workshop *shop, enum sky_mistake self)
{
    vary_role(shop, self, SKY_SECRET_PRODUCT);
}

static void vary_device_secret(struct sky_workshop *shop, enum sky_mistake self)
{
    vary_role(shop, self, SKY_SECRET_DEVICE);
}

static void vary_old_secret(struct sky_workshop *shop, enum sky_mistake self)
{
    vary_role(shop, self, SKY_SECRET_OLD);
}

static bool is_due_decoded(const struct sky_suspicion *suspicion)
{
    for (size_t i = 1; i < suspicion->secret_count; i++)
        if (suspicion->secrets[i].role == SKY_SECRET_UNDECODED)
            return true;
    return false;
}

typedef bool decode_fn(sky_span text, uint8_t *out, size_t out_size, size_t *ret_len);

/* `text` decoded into the arena, or the empty span. */
static sky_span decoded(struct sky_workshop *shop, sky_span text, decode_fn *decode)
{
    size_t len = 0;
    if (text.len == 0 || text.len > SKY_SECRET_MAX)
        return SKY_SPAN_NONE;
    uint8_t *out = sky_arena_take(&shop->arena, text.len);
    return decode(text, out, text.len, &len) ? sky_span_of(out, len) : SKY_SPAN_NONE;
}

static void vary_decoded(struct sky_workshop *shop, enum sky_mistake self)
{
    vary_role(shop, self, SKY_SECRET_DECODED);
    if (is_due_decoded(shop->suspicion))
        return;
    sky_span text = shop->suspicion->secrets[0].bytes;
    sky_span from_base64 = decoded(shop, text, sky_base64_decode);
    sky_span from_hex = decoded(shop, text, sky_hex_decode);
    if (from_base64.len > 0)
        add_secret(shop, self, from_base64)->note = SKY_SPAN("from base64");
    if (from_hex.len > 0)
        add_secret(shop, self, from_hex)->note = SKY_SPAN("from hexadecimal");
}

static void vary_secret_whitespace(struct sky_workshop *shop, enum sky_mistake self)
{
    sky_span due = shop->suspicion->secrets[0].bytes;
    for (size_t i = 0; i < SKY_COUNT(tails); i++) {
        char *padded = sky_arena_take(&shop->arena, due.len + tails[i].bytes.len);
        if (due.len > 0)
            memcpy(padded, due.ptr, due.len);
        memcpy(padded + due.len, tails[i].bytes.ptr, tails[i].bytes.len);
        struct sky_variant *variant =
            add_secret(shop, self, sky_span_of(padded, due.len + tails[i].bytes.len));
        variant->note = sky_arena_printf(&shop->arena, "%s behind it", tails[i].what);
        variant->remote = i >= COMMON_TAILS;
    }
    char *quoted = sky_arena_take(&shop->arena, due.len + 2);
    quoted[0] = quoted[due.len + 1] = '"';
    if (due.len > 0)
        memcpy(quoted + 1, due.ptr, due.len);
    struct sky_variant *variant = add_secret(shop, self, sky_span_of(quoted, due.len + 2));
    variant->note = SKY_SPAN("quotation marks");
    variant->remote = true;
}

static void vary_other_device(struct sky_workshop *shop, enum sky_mistake self)
{
    const struct sky_suspicion *suspicion = shop->suspicion;
    bool decode = is_due_decoded(suspicion);
    for (size_t i = 1; i < suspicion->secret_count; i++) {
        const struct sky_secret *secret = &suspicion->secrets[i];
        sky_span bytes = secret->bytes;
        if (secret->role != SKY_SECRET_OTHER)
            continue;
        if (decode)
            bytes = decoded(shop, bytes, sky_base64_decode);
        if (bytes.len == 0)
            continue;
        struct sky_variant *variant = add_secret(shop, self, bytes);
        variant->note = secret->name;
        variant->remote = true;
    }
}

/* ---- the table ---- */

const struct sky_mistake_row sky_mistake_rows[SKY_MISTAKES] = {
    [SKY_MISTAKE_NONE] = {.name = ""},

    [SKY_MISTAKE_WHOLE_CLIENT_ID] = {"whole-client-id",
                                     "signed the whole client id with its |...| block",
                                     "As clientId sign only what stands before the first '|'.",
                                     sky_vary_whole_client_id},
    [SKY_MISTAKE_EXTRA_SIGNED] =
        {"extra-signed", "signed fields that the cloud leaves out",
         "Leave these fields out of the text to be signed; they only tell how it is signed.",
         sky_vary_extra_signed},
    [SKY_MISTAKE_TIMESTAMP_LEFT_OUT] = {"timestamp-left-out",
                                        "sent a timestamp that it did not sign",
                                        "Sign the timestamp too, or do not send it.",
                                        sky_vary_timestamp_left_out},
    [SKY_MISTAKE_TIMESTAMP_UNSENT] =
        {"timestamp-unsent", "signed a timestamp that it did not send",
         "Send the very timestamp that was signed, or leave it out of the signed text.",
         sky_vary_timestamp_unsent},
    [SKY_MISTAKE_TIMESTAMP_UNIT] = {"timestamp-unit",
                                    "signed the timestamp in another form than it sent it",
                                    "Make the timestamp's text once and use that text for both.",
                                    sky_vary_timestamp_unit},
    [SKY_MISTAKE_TIMESTAMP_TWICE] =
        {"timestamp-twice", "read the clock twice: the timestamp signed is not the one sent",
         "Read the clock once and use that text for both.", sky_vary_timestamp_twice},
    [SKY_MISTAKE_CLIENT_ID_PREFIX] =
        {"client-id-prefix", "took the field name clientId for a part of the id",
         "Write the name once and behind it the id exactly as it is sent.",
         sky_vary_client_id_prefix},
    [SKY_MISTAKE_SWAPPED_KEYS] =
        {"swapped-keys", "signed two values in each other's place",
         "Check which variable holds the product's key and which the device's.",
         sky_vary_swapped_keys},
    [SKY_MISTAKE_FIELD_NAMES] =
        {"field-names", "signed with field names spelt differently",
         "Spell the names exactly as in the text to be signed; upper and lower case matter.",
         sky_vary_field_names},
    [SKY_MISTAKE_TEXT_PART] = {"text-part", "signed only the beginning of the text",
                               "Sign the whole text, all of its fields.", sky_vary_text_part},

    [SKY_MISTAKE_VALUES_ONLY] = {"values-only",
                                 "signed the values alone, without the names in front of them",
                                 "Write each field's name, then its value, nothing between.",
                                 vary_values_only},
    [SKY_MISTAKE_SEPARATORS] = {"separators", "put separators between names, values or fields",
                                "Write name and value one behind the other, nothing between.",
                                vary_separators},
    [SKY_MISTAKE_TEXT_TAIL] = {"text-tail",
                               "signed something behind the text that does not belong to it",
                               "Pass the length of the text without its line break or closing NUL.",
                               vary_text_tail},
    [SKY_MISTAKE_FIELD_ORDER] = {"field-order", "signed the fields in another order",
                                 "Sort the fields by name before they are put together.",
                                 vary_order},

    [SKY_MISTAKE_NOT_HMAC] =
        {"not-hmac", "made a plain digest of text and secret where an HMAC is due",
         "Use HMAC with the secret as its key; the secret is no part of the text.", vary_not_hmac},
    [SKY_MISTAKE_IS_HMAC] =
        {"is-hmac", "made an HMAC where a plain digest of text and secret is due",
         "Append the secret to the text and make a plain digest of both, whatever the method is "
         "called.",
         vary_is_hmac},
    [SKY_MISTAKE_SECRET_IN_FRONT] = {"secret-in-front", "put the secret in front of the text",
                                     "Append the secret behind the text.", vary_secret_in_front},
    [SKY_MISTAKE_HMAC_SWAPPED] = {"hmac-swapped",
                                  "used the text as HMAC key and the secret as text",
                                  "Exchange the two arguments of the HMAC function.",
                                  vary_hmac_swapped},
    [SKY_MISTAKE_SECRET_TWICE] =
        {"secret-twice", "made an HMAC keyed with the secret and appended the secret as well",
         "Let the secret enter once, as the text to be signed shows.", vary_secret_twice},
    [SKY_MISTAKE_NO_SECRET] = {"no-secret", "made a digest of the text alone, without any secret",
                               "Let the secret enter; a digest of public text proves nothing.",
                               vary_no_secret},

    [SKY_MISTAKE_KEY_NOT_DECODED] = {"key-not-decoded",
                                     "used the secret's base64 text as the key without decoding it",
                                     "Decode the secret from base64 and use the bytes as the key.",
                                     vary_not_decoded},
    [SKY_MISTAKE_KEY_DECODED] = {"key-decoded", "decoded the secret although its text is the key",
                                 "Use the characters of the secret as they are printed.",
                                 vary_decoded},
    [SKY_MISTAKE_PRODUCT_SECRET] = {"product-secret",
                                    "used the product's secret where the device's is due",
                                    "Sign with the secret of the device.", vary_product_secret},
    [SKY_MISTAKE_DEVICE_SECRET] = {"device-secret",
                                   "used the device's secret where the product's is due",
                                   "Sign with the secret of the product for this kind of login.",
                                   vary_device_secret},
    [SKY_MISTAKE_OLD_SECRET] = {"old-secret", "used a secret that was replaced since",
                                "Store the secret of the latest activation and sign with that.",
                                vary_old_secret},
    [SKY_MISTAKE_SECRET_WHITESPACE] =
        {"secret-whitespace", "used the secret together with characters that do not belong to it",
         "Trim the secret where it is read from its file or configuration.",
         vary_secret_whitespace},
    [SKY_MISTAKE_OTHER_DEVICE] =
        {"other-device", "used the secret of another device",
         "Provision this device with its own secret, or log in under the other's name.",
         vary_other_device},

    [SKY_MISTAKE_OTHER_DIGEST] =
        {"other-digest", "used another digest than the login names",
         "Change the function or the label so that they agree; in some SDKs the setting changes "
         "only the label.",
         NULL},
    [SKY_MISTAKE_DIGEST_FORM] =
        {"digest-form", "made the right bytes but wrote them wrongly",
         "Write each byte as exactly two hexadecimal digits, nothing between or around.", NULL},

    [SKY_MISTAKE_DIGEST_ALTERED] =
        {"digest-altered", "made the right digest but sent it altered",
         "Send the digits exactly as the signature came out; look for what edits, retypes or "
         "overwrites them on the way.",
         NULL},

    [SKY_MISTAKE_PSK_SLICE] = {"psk-slice", "took the wrong bytes as the pre-shared key",
                               "Cut the key out of the digest's bytes where the recipe says.",
                               NULL},
    [SKY_MISTAKE_PSK_TEXT] = {"psk-text", "used hexadecimal text as the pre-shared key",
                              "Use the bytes themselves; do not write them as hexadecimal first.",
                              NULL},
};

const char *sky_mistake_name(enum sky_mistake mistake)
{
    SKY_ASSERT(mistake < SKY_MISTAKES);
    return sky_mistake_rows[mistake].name;
}

/* ---- the workshop ---- */

struct sky_variant *sky_workshop_add(struct sky_workshop *shop, enum sky_facet facet,
                                     enum sky_mistake self)
{
    SKY_ASSERT(shop->count[facet] < SKY_VARIANTS_MAX);
    struct sky_variant *variant = &shop->list[facet][shop->count[facet]++];
    *variant = (struct sky_variant){.mistake = self};
    return variant;
}

static void add_due(struct sky_workshop *shop)
{
    const struct sky_recipe *due = &shop->suspicion->due;
    struct sky_variant *fields = sky_workshop_add(shop, SKY_FACET_FIELDS, SKY_MISTAKE_NONE);
    fields->fields.list = due->fields;
    fields->fields.count = due->field_count;
    fields->fields.text = due->text;
    sky_workshop_add(shop, SKY_FACET_ORDER, SKY_MISTAKE_NONE)->order = NULL;
    add_style(shop, SKY_MISTAKE_NONE, due_style);
    add_way(shop, SKY_MISTAKE_NONE, due->keying == SKY_HMAC ? SKY_WAY_HMAC : SKY_WAY_APPEND, NULL);
    add_secret(shop, SKY_MISTAKE_NONE, shop->suspicion->secrets[0].bytes);
}

void sky_workshop_init(struct sky_workshop *shop, const struct sky_suspicion *suspicion)
{
    SKY_ASSERT(suspicion->due.field_count <= SKY_SIGN_FIELDS_MAX);
    SKY_ASSERT(suspicion->secret_count > 0 && suspicion->secret_count <= SKY_SECRETS_MAX);
    SKY_ASSERT(suspicion->secrets[0].role == SKY_SECRET_DUE);
    shop->suspicion = suspicion;
    memset(shop->count, 0, sizeof shop->count);
    sky_arena_init(&shop->arena);
    add_due(shop);
    for (int mistake = 0; mistake < SKY_MISTAKES; mistake++)
        if (sky_mistake_rows[mistake].vary != NULL)
            sky_mistake_rows[mistake].vary(shop, (enum sky_mistake)mistake);
}

void sky_workshop_done(struct sky_workshop *shop)
{
    sky_arena_done(&shop->arena);
}
