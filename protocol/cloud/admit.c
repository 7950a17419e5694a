#include "protocol/cloud/admit.h"

#include <stdio.h>

#include "auth/text.h"
#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

sky_span sky_admit_shown(sky_span text)
{
    return sky_span_head(text, SKY_ADMIT_SHOWN);
}

sky_span sky_admit_value(sky_span value)
{
    return value.ptr == NULL ? SKY_SPAN("missing") : sky_admit_shown(value);
}

void sky_admit_refuse(struct sky_admission *admission, uint8_t connack, enum sky_cause cause)
{
    SKY_ASSERT(connack != SKY_CONNACK_ACCEPTED);
    if (admission->connack != SKY_CONNACK_ACCEPTED)
        return;
    admission->connack = connack;
    admission->cause = cause;
}

void sky_admit_signature(struct sky_admission *admission, bool right, bool enforced)
{
    if (enforced)
        sky_admit_refuse(admission, SKY_CONNACK_CREDENTIALS, SKY_CAUSE_SIGNATURE);
    else if (!right && admission->connack == SKY_CONNACK_ACCEPTED)
        admission->cause = SKY_CAUSE_SIGNATURE;
}

void sky_admit_settle(struct sky_admission *admission, const struct sky_judge *judge)
{
    if (judge->refused != NULL)
        sky_admit_refuse(admission, SKY_CONNACK_NOT_AUTHORIZED, SKY_CAUSE_STATE);
}

bool sky_admit_names(sky_span username, sky_span *ret_device, sky_span *ret_product)
{
    sky_span names[2];
    if (sky_grammar_fields(username, '&', names, SKY_COUNT(names)) != SKY_SHAPE_OK ||
        names[0].len == 0 || names[1].len == 0)
        return false;
    *ret_device = names[0];
    *ret_product = names[1];
    return true;
}

size_t sky_admit_chars(sky_span text)
{
    size_t chars = 0;
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] & 0xc0) != 0x80)
            chars++;
    return chars;
}

bool sky_admit_has_lower(sky_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'a' && text.ptr[i] <= 'z')
            return true;
    return false;
}

const struct sky_signmethod *sky_signmethod_find(const struct sky_signmethod *rows, size_t count,
                                                 sky_span name)
{
    for (size_t i = 0; i < count; i++)
        if (sky_span_eq_str(name, rows[i].name))
            return &rows[i];
    return NULL;
}

sky_span sky_credentials_signature(const struct sky_recipe *recipe, const char *secret,
                                   struct sky_arena *arena)
{
    char signature[SKY_SIGNATURE_MAX + 1];
    sky_sign_write(recipe, sky_span_str(secret), signature);
    return sky_arena_copy(arena, sky_span_str(signature));
}

sky_span sky_credentials_key(const struct sky_psk *key, struct sky_arena *arena)
{
    char hex[2 * SKY_PSK_KEY_MAX + 1];
    sky_hex_lower(sky_span_of(key->key, key->len), hex);
    return sky_arena_copy(arena, sky_span_str(hex));
}

void sky_suspect_secret(struct sky_suspicion *suspicion, enum sky_secret_role role, sky_span bytes)
{
    if (bytes.len > 0 && suspicion->secret_count < SKY_SECRETS_MAX)
        suspicion->secrets[suspicion->secret_count++] =
            (struct sky_secret){.role = role, .bytes = bytes};
}

void sky_suspect_extra(struct sky_suspicion *suspicion, const char *name, sky_span value)
{
    if (value.len > 0 && suspicion->extra_count < SKY_PAIRS_MAX)
        suspicion->extra[suspicion->extra_count++] = (struct sky_pair){sky_span_str(name), value};
}

void sky_suspect_samples(struct sky_suspicion *suspicion, const struct sky_sample *samples,
                         size_t count)
{
    for (size_t i = 0; i < count && suspicion->sample_count < SKY_PAIRS_MAX; i++)
        suspicion->samples[suspicion->sample_count++] =
            (struct sky_pair){sky_span_str(samples[i].key), sky_span_str(samples[i].value)};
}

static bool is_same_word(sky_span a, const char *b)
{
    size_t at = 0;
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] == '_' || a.ptr[i] == '-')
            continue;
        if (b[at] == '\0' || !sky_span_eq_nocase(sky_span_of(a.ptr + i, 1), sky_span_of(b + at, 1)))
            return false;
        at++;
    }
    return b[at] == '\0';
}

const struct sky_pair *sky_pairs_misspelt(const struct sky_pairs *pairs, const char *wanted)
{
    if (sky_pairs_find(pairs, wanted) != NULL)
        return NULL;
    for (size_t i = 0; i < pairs->count; i++)
        if (is_same_word(pairs->list[i].key, wanted))
            return &pairs->list[i];
    return NULL;
}

sky_span sky_misspelt_note(const struct sky_pairs *pairs, const char *wanted, char room[static 80])
{
    const struct sky_pair *pair = sky_pairs_misspelt(pairs, wanted);
    if (pair == NULL)
        return SKY_SPAN_NONE;
    snprintf(room, 80, "; there is %.*s", SKY_SPAN_ARGS(sky_admit_shown(pair->key)));
    return sky_span_str(room);
}

void sky_suspect_spelling(struct sky_suspicion *suspicion, sky_span sent, const char *wanted,
                          struct sky_arena *arena)
{
    suspicion->plain = SKY_MISTAKE_FIELD_SPELLING;
    suspicion->plain_did = sky_arena_printf(arena, "sent %.*s where the parameter is %s",
                                            SKY_SPAN_ARGS(sky_admit_shown(sent)), wanted);
}

const char *sky_identity_tail(sky_span *identity)
{
    static const struct {
        char end;
        const char *what;
    } tails[] = {{'\0', "a NUL"}, {'\n', "a line break"}, {'\r', "CR"}, {' ', "a blank"}};
    const char *what = NULL;
    for (size_t i = 0; i < SKY_COUNT(tails) && what == NULL && identity->len > 0; i++)
        if (identity->ptr[identity->len - 1] == tails[i].end)
            what = tails[i].what;
    *identity = what != NULL ? sky_span_trim(*identity) : *identity;
    return what;
}

void sky_admit_no_mistake(const struct sky_mistake_rule *rows, size_t count,
                          struct sky_judge *judge)
{
    for (size_t i = 0; i < count; i++)
        sky_judge_kept(judge, rows[i].rule);
}

enum sky_certificate sky_admit_certificate(const struct sky_door *door,
                                           const struct sky_facts *facts)
{
    const struct sky_device *device = facts->device;
    if (door->fingerprint.len == 0)
        return SKY_CERTIFICATE_NONE;
    if (sky_span_eq_nocase(sky_span_str(device->fingerprint), door->fingerprint))
        return SKY_CERTIFICATE_OWN;
    if (device->fingerprint[0] != '\0' || facts->certificate_device_id != 0)
        return SKY_CERTIFICATE_OTHER;
    if (door->certificate_name.len == 0)
        return SKY_CERTIFICATE_STRANGE;
    return sky_span_eq_str(door->certificate_name, device->key) ? SKY_CERTIFICATE_OWN
                                                                : SKY_CERTIFICATE_OTHER;
}

static const char *certificate_text(enum sky_certificate certificate)
{
    static const char *const texts[] = {
        [SKY_CERTIFICATE_NONE] = "no client certificate was shown",
        [SKY_CERTIFICATE_STRANGE] = "the certificate shown is registered for no device, and no "
                                    "trusted authority issued it",
        [SKY_CERTIFICATE_OWN] = "the certificate is the device's",
        [SKY_CERTIFICATE_OTHER] = "the certificate shown is another's, not this device's",
    };
    return texts[certificate];
}

bool sky_admit_judge_certificate(const struct sky_door *door, const struct sky_facts *facts,
                                 const struct sky_rule *required, const struct sky_rule *own,
                                 struct sky_judge *judge)
{
    enum sky_certificate certificate = sky_admit_certificate(door, facts);
    bool shown = certificate != SKY_CERTIFICATE_NONE, bad = false;
    if (facts->product->require_certificate ||
        (door->listener != NULL && door->listener->allows & SKY_LISTEN_CERT_REQUIRED))
        bad = sky_judge_rule(judge, required, shown, "%s, but the %s requires one",
                             certificate_text(certificate),
                             facts->product->require_certificate ? "product" : "listener");
    if (shown)
        bad |= sky_judge_rule(judge, own, certificate == SKY_CERTIFICATE_OWN, "%s",
                              certificate_text(certificate));
    return bad;
}

sky_span sky_http_header(const struct sky_http_request *request, const char *name)
{
    sky_span rest = request->headers, line, key, value;
    while (sky_span_next(&rest, '\n', &line))
        if (sky_span_cut(line, ':', &key, &value) &&
            sky_span_eq_nocase(sky_span_trim(key), sky_span_str(name)))
            return sky_span_trim(value);
    return SKY_SPAN_NONE;
}
