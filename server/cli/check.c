/* `skymock check`: fixtures and device suites. */
#include <stdlib.h>

#include "server/cli/cli.h"
#include "server/cli/suites.h"
#include "server/registry/fixture_files.h"
#include "server/registry/rules.h"

/* Into a store that is thrown away: what would not fit it is an error here too. */
static bool fixtures_are_good(const struct sky_strings *files,
                              const struct sky_catalogue *catalogue,
                              struct sky_fixture_result *found)
{
    struct sky_store *store;
    struct sky_rng rng;
    struct sky_why why;

    if (sky_store_open(":memory:", &store, &why) != SKY_OK) {
        sky_cli_fail("%s", why.reason);
        return false;
    }
    sky_rng_init_seeded(&rng, 0); /* nothing is kept: any secret does */
    sky_err err = sky_fixture_files_load(store, files, catalogue, &rng, 0, stderr, found, &why);
    sky_store_close(store);
    return err == SKY_OK;
}

static bool suites_are_good(const struct sky_strings *files)
{
    cJSON *tree, *trees = cJSON_CreateArray();
    struct sky_strings loaded = {0};
    struct sky_why why;
    bool good = true;

    for (size_t i = 0; i < files->count; i++) {
        if (sky_cli_suite_load(files->list[i], stderr, &tree, &why) == SKY_OK) {
            cJSON_AddItemToArray(trees, tree);
            sky_strings_add(&loaded, files->list[i]);
        } else {
            good = false;
        }
    }
    for (size_t i = 0; i < loaded.count; i++)
        good = sky_cli_suite_check_includes(loaded.list[i], cJSON_GetArrayItem(trees, (int)i),
                                            trees, stderr, &why) == SKY_OK &&
               good;
    sky_strings_done(&loaded);
    cJSON_Delete(trees);
    return good;
}

int sky_cli_check(const struct sky_config *config)
{
    struct sky_fixture_result found = {0};
    struct sky_catalogue catalogue;
    struct sky_strings files, suites;

    sky_rules_catalogue(config->profile, &catalogue);
    bool good = sky_fixture_files_find(&config->args, stderr, &files, &suites);
    good = fixtures_are_good(&files, &catalogue, &found) && good;
    good = suites_are_good(&suites) && good;
    if (good) {
        printf("good: %zu files, %zu products, %zu devices", files.count + suites.count,
               found.count.products_added, found.count.devices_added);
        printf(suites.count > 0 ? ", %zu suites\n" : "\n", suites.count);
    }
    sky_strings_done(&files);
    sky_strings_done(&suites);
    return good ? SKY_EXIT_OK : SKY_EXIT_NO;
}
