#include "server/cli/cli.h"
#include "server/registry/fixture_files.h"
#include "server/registry/rules.h"

/* Into a store that is thrown away: what would not fit it is an error here too. */
static int check(const struct sky_config *config, struct sky_store *store)
{
    struct sky_catalogue catalogue;
    struct sky_fixture_result found;
    struct sky_rng rng;
    struct sky_why why;

    sky_rules_catalogue(config->profile, &catalogue);
    sky_rng_init_seeded(&rng, 0); /* nothing is kept: any secret does */
    if (sky_fixture_files_load(store, &config->args, &catalogue, &rng, 0, stderr, &found, &why) !=
        SKY_OK)
        return SKY_EXIT_NO;
    printf("good: %zu files, %zu products, %zu devices\n", found.files, found.count.products_added,
           found.count.devices_added);
    return SKY_EXIT_OK;
}

int sky_cli_check(const struct sky_config *config)
{
    struct sky_store *store;
    struct sky_why why;

    if (sky_store_open(":memory:", &store, &why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    int status = check(config, store);
    sky_store_close(store);
    return status;
}
