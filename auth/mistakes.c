#include "auth/mistakes.h"

#include "protocol/base/assert.h"

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
                                    "signed the time in another form than it sent it",
                                    "Make the time's text once and use that text for both.",
                                    sky_vary_timestamp_unit},
    [SKY_MISTAKE_TIMESTAMP_TWICE] = {"timestamp-twice",
                                     "read the clock twice: the time signed is not the time sent",
                                     "Read the clock once and use that text for both.",
                                     sky_vary_timestamp_twice},
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

    [SKY_MISTAKE_FIELD_FORGOTTEN] = {"field-forgotten", "left fields out of the signed text",
                                     "Sign every field of the text shown, and its value.",
                                     sky_vary_field_forgotten},
    [SKY_MISTAKE_OTHER_CLIENT_ID] =
        {"other-client-id", "signed another client id than it sent",
         "Make the client id once and use the same text for signing and sending.",
         sky_vary_other_client_id},
    [SKY_MISTAKE_OTHER_VALUE] =
        {"other-value", "signed another value than it sent",
         "Make each value once and use the same text for signing and sending.",
         sky_vary_other_value},
    [SKY_MISTAKE_PLACEHOLDER] =
        {"placeholder", "signed a placeholder instead of a value",
         "Put the device's own values in place of what the example shows; look for a variable that "
         "is not set.",
         sky_vary_placeholder},

    [SKY_MISTAKE_VALUES_ONLY] =
        {"values-only", "signed the values alone, without the names in front of them",
         "Write each field's name in front of its value, as in the text shown.",
         sky_vary_values_only},
    [SKY_MISTAKE_SEPARATORS] =
        {"separators", "joined names, values or fields in another way than is due",
         "Join them as in the text shown, with nothing added and nothing left out.",
         sky_vary_separators},
    [SKY_MISTAKE_TEXT_TAIL] = {"text-tail",
                               "signed something behind the text that does not belong to it",
                               "Pass the length of the text without its line break or closing NUL.",
                               sky_vary_text_tail},
    [SKY_MISTAKE_FIELD_ORDER] =
        {"field-order", "signed the fields in another order",
         "Put the fields in the order of the text shown, whatever order they are kept in.",
         sky_vary_order},

    [SKY_MISTAKE_ESCAPED] = {"escaped", "signed characters that were escaped or typed differently",
                             "Sign the plain text, before anything escapes or encodes it.",
                             sky_vary_escaped},

    [SKY_MISTAKE_NOT_HMAC] =
        {"not-hmac", "made a plain digest of text and secret where an HMAC is due",
         "Use HMAC with the secret as its key; the secret is no part of the text.",
         sky_vary_not_hmac},
    [SKY_MISTAKE_IS_HMAC] =
        {"is-hmac", "made an HMAC where a plain digest of text and secret is due",
         "Append the secret to the text and make a plain digest of both, whatever the method is "
         "called.",
         sky_vary_is_hmac},
    [SKY_MISTAKE_SECRET_IN_FRONT] = {"secret-in-front", "put the secret in front of the text",
                                     "Append the secret behind the text.",
                                     sky_vary_secret_in_front},
    [SKY_MISTAKE_HMAC_SWAPPED] = {"hmac-swapped",
                                  "used the text as HMAC key and the secret as text",
                                  "Exchange the two arguments of the HMAC function.",
                                  sky_vary_hmac_swapped},
    [SKY_MISTAKE_SECRET_TWICE] =
        {"secret-twice", "made an HMAC keyed with the secret and appended the secret as well",
         "Let the secret enter once, as the text to be signed shows.", sky_vary_secret_twice},
    [SKY_MISTAKE_NO_SECRET] = {"no-secret", "made a digest of the text alone, without any secret",
                               "Let the secret enter; a digest of public text proves nothing.",
                               sky_vary_no_secret},

    [SKY_MISTAKE_KEY_NOT_DECODED] = {"key-not-decoded",
                                     "used the secret's text as the key without decoding it",
                                     "Decode the secret and use the bytes as the key.",
                                     sky_vary_not_decoded},
    [SKY_MISTAKE_KEY_DECODED] = {"key-decoded", "decoded the secret although its text is the key",
                                 "Use the characters of the secret as they are printed.",
                                 sky_vary_decoded},
    [SKY_MISTAKE_PRODUCT_SECRET] = {"product-secret",
                                    "used the product's secret where the device's is due",
                                    "Sign with the secret of the device.", sky_vary_product_secret},
    [SKY_MISTAKE_DEVICE_SECRET] = {"device-secret",
                                   "used the device's secret where the product's is due",
                                   "Sign with the secret of the product for this kind of login.",
                                   sky_vary_device_secret},
    [SKY_MISTAKE_OLD_SECRET] = {"old-secret", "used a secret that was replaced since",
                                "Store the secret of the latest activation and sign with that.",
                                sky_vary_old_secret},
    [SKY_MISTAKE_SECRET_WHITESPACE] =
        {"secret-whitespace", "used the secret together with characters that do not belong to it",
         "Trim the secret where it is read from its file or configuration.",
         sky_vary_secret_whitespace},
    [SKY_MISTAKE_OTHER_DEVICE] =
        {"other-device", "used the secret of another device",
         "Provision this device with its own secret, or log in under the other's name.",
         sky_vary_other_device},

    [SKY_MISTAKE_SECRET_CUT] =
        {"secret-cut", "used only a part of the secret",
         "Pass the secret's whole length: neither sizeof of a pointer, nor what strlen() says of "
         "bytes.",
         sky_vary_secret_cut},
    [SKY_MISTAKE_SECRET_ALTERED] = {"secret-altered", "used the secret in another form",
                                    "Use the secret exactly as it is registered.",
                                    sky_vary_secret_altered},
    [SKY_MISTAKE_SECRET_SENT] =
        {"secret-sent", "sent a secret itself",
         "Never send a secret: send the signature that is made with it, and replace the secret "
         "that was sent.",
         NULL},

    [SKY_MISTAKE_OTHER_DIGEST] =
        {"other-digest", "used another digest than the login names",
         "Change the function or the label so that they agree; in some SDKs the setting changes "
         "only the label.",
         NULL},
    [SKY_MISTAKE_DIGEST_FORM] =
        {"digest-form", "made the right signature but wrote it wrongly",
         "Write the digest's bytes exactly as is due, whole, with nothing between or around.",
         NULL},

    [SKY_MISTAKE_DIGEST_ALTERED] =
        {"digest-altered", "made the right digest but sent it altered",
         "Send the digits exactly as the signature came out; look for what edits, retypes or "
         "overwrites them on the way.",
         NULL},

    [SKY_MISTAKE_EXCHANGED] = {"exchanged", "sent client id and user name in each other's place",
                               "Exchange the two arguments where the client is set up.", NULL},
    [SKY_MISTAKE_FIELD_SPELLING] =
        {"field-spelling", "sent a parameter under a name that is not known here",
         "Spell the parameter as the page about this very call does; upper and lower case matter.",
         NULL},

    [SKY_MISTAKE_PROTOCOL_LEVEL] =
        {"protocol-level", "sent a protocol name and a protocol level that do not belong together",
         "Send the name MQTT with level 4 (MQTT 3.1.1); level 3 goes with the name MQIsdp.", NULL},
    [SKY_MISTAKE_BRIDGE] =
        {"bridge", "connected as a broker's bridge does: bit 7 of its protocol level is set",
         "Clear that bit; mosquitto leaves it out with try_private false in the bridge's "
         "configuration.",
         NULL},

    [SKY_MISTAKE_PSK_SLICE] = {"psk-slice", "took the wrong bytes as the pre-shared key",
                               "Cut the key out of the digest's bytes where the recipe says.",
                               NULL},
    [SKY_MISTAKE_PSK_TEXT] = {"psk-text", "used hexadecimal text as the pre-shared key",
                              "Use the bytes themselves; do not write them as hexadecimal first.",
                              NULL},
};

/* ---- the workshop ---- */

struct sky_variant *sky_workshop_add(struct sky_workshop *shop, enum sky_facet facet,
                                     enum sky_mistake self)
{
    bool full = shop->count[facet] == SKY_VARIANTS_MAX;
    struct sky_variant *variant = full ? &shop->spare : &shop->list[facet][shop->count[facet]++];
    *variant = (struct sky_variant){.mistake = self};
    return variant;
}

static void add_due(struct sky_workshop *shop)
{
    const struct sky_recipe *due = &shop->suspicion->due;
    sky_span secret = shop->suspicion->secrets[0].bytes;
    struct sky_variant *fields = sky_workshop_add(shop, SKY_FACET_FIELDS, SKY_MISTAKE_NONE);
    fields->fields.list = due->fields;
    fields->fields.count = due->field_count;
    sky_workshop_add(shop, SKY_FACET_ORDER, SKY_MISTAKE_NONE)->order = NULL;
    sky_workshop_add(shop, SKY_FACET_STYLE, SKY_MISTAKE_NONE)->text.style = due->style;
    sky_workshop_add(shop, SKY_FACET_KEYING, SKY_MISTAKE_NONE)->way =
        due->keying == SKY_HMAC ? SKY_WAY_HMAC : SKY_WAY_APPEND;
    bool readable =
        sky_sign_key(due->key_form, secret, sky_arena_take(&shop->arena, secret.len), secret.len,
                     &sky_workshop_add(shop, SKY_FACET_SECRET, SKY_MISTAKE_NONE)->secret.key);
    SKY_ASSERT(readable);
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
