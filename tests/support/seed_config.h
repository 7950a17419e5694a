/* What the tests of the seed share: three clouds' words, deterministic callbacks, and a record of
 * the errors reported. */
#ifndef SKY_TESTS_SEED_CONFIG_H
#define SKY_TESTS_SEED_CONFIG_H

#include <stdio.h>

#include "store/seed.h"

enum { SEED_ERRORS_KEPT = 16 };

struct seed_record {
    struct sky_why errors[SEED_ERRORS_KEPT];
    size_t reported;
    unsigned secrets; /* made so far */
};

static inline sky_err seed_check_secret(sky_span secret, struct sky_why *why)
{
    if (sky_span_starts(secret, SKY_SPAN("bad")))
        return sky_why_set(why, SKY_ERR_INVALID, "", "not a secret of this cloud");
    return SKY_OK;
}

static const struct sky_seed_cloud seed_clouds[] = {
    {"aliyun", "productKey", "productSecret", "deviceName", "deviceSecret", NULL, false, true},
    {"tencent", "productId", "productSecret", "deviceName", "psk", seed_check_secret, false, true},
    {"enos", "productKey", "productSecret", "deviceKey", "deviceSecret", NULL, true, true},
    {"plain", "productKey", "productSecret", "deviceKey", "deviceSecret", NULL, false, false},
};

static inline bool seed_check_rule(void *ctx, sky_span text, struct sky_why *why)
{
    (void)ctx;
    if (sky_span_ends(text, SKY_SPAN("=report")) || sky_span_ends(text, SKY_SPAN("=off")))
        return true;
    (void)sky_why_set(why, SKY_ERR_INVALID, "", "no such rule or action: %.*s",
                      SKY_SPAN_ARGS(text));
    return false;
}

static inline void seed_make_secret(void *ctx, size_t cloud, char out[SKY_SECRET_MAX + 1])
{
    struct seed_record *record = ctx;
    snprintf(out, SKY_SECRET_MAX + 1, "made-%zu-%u", cloud, record->secrets++);
}

static inline void seed_on_error(void *ctx, const struct sky_why *why)
{
    struct seed_record *record = ctx;
    if (record->reported < SEED_ERRORS_KEPT)
        record->errors[record->reported] = *why;
    record->reported++;
}

static inline sky_err seed_fingerprint(void *ctx, sky_span pem, char out[SKY_FINGERPRINT_HEX + 1],
                                       struct sky_why *why)
{
    (void)ctx;
    if (!sky_span_ends(pem, SKY_SPAN("-----END CERTIFICATE-----")))
        return sky_why_set(why, SKY_ERR_INVALID, "", "the certificate is cut short");
    memset(out, 'e', SKY_FINGERPRINT_HEX);
    out[SKY_FINGERPRINT_HEX] = '\0';
    return SKY_OK;
}

static inline sky_err seed_document(void *ctx, size_t cloud, sky_span name, sky_span json,
                                    struct sky_buf *ret_body, int64_t *ret_version,
                                    struct sky_why *why)
{
    (void)ctx;
    if (sky_span_contains(json, SKY_SPAN("[")))
        return sky_why_set(why, SKY_ERR_INVALID, "/reported", "no lists here");
    sky_buf_addf(ret_body, "%zu %.*s %.*s", cloud, SKY_SPAN_ARGS(name), SKY_SPAN_ARGS(json));
    *ret_version = 3;
    return SKY_OK;
}

static inline sky_err seed_check_model(void *ctx, size_t cloud, sky_span json, struct sky_why *why)
{
    (void)ctx;
    if (sky_span_contains(json, SKY_SPAN("bad")))
        return sky_why_set(why, SKY_ERR_INVALID, "/properties/0", "no model of cloud %zu", cloud);
    return SKY_OK;
}

/* One letter left out, or one too many. */
static inline bool seed_similar(sky_span a, sky_span b)
{
    sky_span longer = a.len > b.len ? a : b, shorter = a.len > b.len ? b : a;
    if (longer.len != shorter.len + 1)
        return false;
    size_t at = 0;
    while (at < shorter.len && longer.ptr[at] == shorter.ptr[at])
        at++;
    return sky_span_eq(sky_span_tail(longer, at + 1), sky_span_tail(shorter, at));
}

static inline struct sky_seed_config seed_config(struct seed_record *record)
{
    *record = (struct seed_record){.reported = 0};
    return (struct sky_seed_config){
        .clouds = seed_clouds,
        .cloud_count = sizeof seed_clouds / sizeof seed_clouds[0],
        .check_rule = seed_check_rule,
        .make_secret = seed_make_secret,
        .on_error = seed_on_error,
        .ctx = record,
        .certificate_fingerprint = seed_fingerprint,
        .make_document = seed_document,
        .similar = seed_similar,
        .check_model = seed_check_model,
    };
}

#endif
