/* Any text as a fixture in the words of the clouds built in, with their models, shadows and rules:
 * it is refused with a reason and changes nothing, or it loads, and loads again without a change.
 */
#include "fuzz.h"
#include "protocol/base/assert.h"
#include "protocol/base/json.h"
#include "server/registry/fixture_files.h"
#include "server/registry/rules.h"

enum { NOW_MS = 1600000000 };

static int64_t devices_of(struct sky_store *store)
{
    return (int64_t)sky_store_count_devices(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct sky_catalogue catalogue;
    struct sky_store *store;
    struct sky_rng rng;
    struct sky_seed_count count, again;
    struct sky_why why = {.reason = ""};
    sky_span text = sky_span_of(bytes, len);
    if (len > 16 * 1024 || sky_json_check(text, SKY_JSON_DEPTH_MAX, NULL) != SKY_OK)
        return 0; /* what is no JSON is not worth a store */
    if (catalogue.table_count == 0)
        sky_rules_catalogue(SKY_PROFILE_SEED, &catalogue);
    sky_rng_init_seeded(&rng, 1);
    SKY_ASSERT(sky_store_open(":memory:", &store, &why) == SKY_OK);
    sky_err err = sky_fixture_text_load(store, text, &catalogue, &rng, NOW_MS, &count, &why);
    if (err == SKY_OK) {
        SKY_ASSERT(devices_of(store) == (int64_t)count.devices_added);
        SKY_ASSERT(sky_fixture_text_load(store, text, &catalogue, &rng, NOW_MS, &again, &why) ==
                   SKY_OK);
        SKY_ASSERT(again.products_added + again.products_changed == 0);
        SKY_ASSERT(again.devices_added + again.devices_changed == 0);
        SKY_ASSERT(sky_fixture_text_add(store, text, &catalogue, &rng, NOW_MS, &again, &why) ==
                   SKY_OK);
    } else {
        SKY_ASSERT(err != SKY_ERR_STORE && why.reason[0] != '\0' && devices_of(store) == 0);
    }
    sky_store_close(store);
    return 0;
}
