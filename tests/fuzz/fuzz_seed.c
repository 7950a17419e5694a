/* Any text as a fixture: it is refused with reasons, or loads, and loads again without a change. */
#include "protocol/base/assert.h"
#include "tests/support/seed_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct sky_store *store_at_hand(void)
{
    static struct sky_store *store;
    struct sky_why why;
    if (store == NULL)
        SKY_ASSERT(sky_store_open(":memory:", &store, &why) == SKY_OK);
    return store;
}

static void check_reports(const struct seed_record *record, const struct sky_seed_count *count)
{
    SKY_ASSERT(record->reported <= count->errors);
    SKY_ASSERT(record->reported == count->errors || record->reported == SKY_SEED_ERRORS_MAX);
    for (size_t i = 0; i < record->reported && i < SEED_ERRORS_KEPT; i++) {
        const struct sky_why *why = &record->errors[i];
        SKY_ASSERT(why->pointer[0] == '\0' || why->pointer[0] == '/');
        SKY_ASSERT(why->reason[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct seed_record record;
    struct sky_seed_config config = seed_config(&record);
    struct sky_seed_count count;
    struct sky_store *store = store_at_hand();
    sky_span text = sky_span_of(bytes, len);

    sky_err checked = sky_seed_load(NULL, text, &config, &count);
    check_reports(&record, &count);
    SKY_ASSERT((checked == SKY_OK) == (count.errors == 0));

    SKY_ASSERT(sky_store_begin(store) == SKY_OK);
    sky_err loaded = sky_seed_load(store, text, &config, &count);
    /* Only the store knows whether there is a device to stand behind a gateway. */
    SKY_ASSERT(loaded == checked ||
               (checked == SKY_OK && loaded == SKY_ERR_INVALID && count.gateways > 0));
    if (loaded == SKY_OK) {
        SKY_ASSERT(sky_store_count_devices(store) == count.devices_added);
        SKY_ASSERT(sky_seed_load(store, text, &config, &count) == SKY_OK);
        SKY_ASSERT(count.products_added + count.products_changed == 0);
        SKY_ASSERT(count.devices_added + count.devices_changed == 0);
    }
    sky_store_rollback(store);
    return 0;
}
