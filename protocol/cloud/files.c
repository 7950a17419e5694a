#include "protocol/cloud/files.h"

#include <inttypes.h>
#include <stdio.h>

#include "auth/digest.h"
#include "auth/text.h"
#include "protocol/base/assert.h"

enum { CONFIG_DIGITS = 32 };

/* "u17-<random characters>", "c3-<hexadecimal digits>" */
bool sky_file_read_name(sky_span name, struct sky_file_name *ret_name)
{
    sky_span number, rest;
    if (name.len > SKY_FILE_NAME_MAX || !sky_span_cut(name, '-', &number, &rest) || number.len < 2)
        return false;
    ret_name->kind = number.ptr[0] == 'u' ? SKY_FILE_IMAGE : SKY_FILE_CONFIG;
    return (number.ptr[0] == 'u' || number.ptr[0] == 'c') &&
           sky_span_to_int(sky_span_tail(number, 1), &ret_name->id);
}

void sky_file_image_name(int64_t device_id, sky_span fresh, char out[SKY_FILE_NAME_MAX + 1])
{
    SKY_ASSERT(fresh.len >= SKY_FILE_SECRET);
    snprintf(out, SKY_FILE_NAME_MAX + 1, "u%" PRId64 "-%.*s", device_id, SKY_FILE_SECRET,
             fresh.ptr);
}

sky_span sky_file_config_name(int64_t product_id, sky_span config, struct sky_arena *arena)
{
    uint8_t digest[SKY_DIGEST_MAX];
    char hex[SKY_DIGEST_HEX_MAX + 1];
    sky_digest_hash(SKY_SHA256, &config, 1, digest);
    sky_hex_lower(sky_span_of(digest, sizeof digest), hex);
    return sky_arena_printf(arena, "c%" PRId64 "-%.*s", product_id, CONFIG_DIGITS, hex);
}
