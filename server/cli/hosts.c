/* `skymock hosts`: the names that devices look up, for whoever makes them lead here. */
#include <arpa/inet.h>

#include "server/cli/cli.h"
#include "server/registry/fixture_files.h"
#include "server/registry/rules.h"

struct hosts {
    const struct sky_config *config;
    const struct sky_cloud *cloud;
    const char *domain; /* behind the "*." */
    size_t products;
};

static bool print_product(void *ctx, const struct sky_product *product)
{
    struct hosts *hosts = ctx;

    if (strcmp(product->cloud, hosts->cloud->name) == 0) {
        printf("%-15s %s.%s\n", hosts->config->ip, product->key, hosts->domain);
        hosts->products++;
    }
    return true;
}

/* /etc/hosts has no wildcards: there it takes the products' own names. */
static sky_err print_host(struct hosts *hosts, struct sky_store *store, const char *name)
{
    bool wild = strncmp(name, "*.", 2) == 0;

    hosts->domain = wild ? name + 2 : name;
    hosts->products = 0;
    if (hosts->config->dnsmasq) {
        printf("address=/%s/%s\n", hosts->domain, hosts->config->ip);
        return SKY_OK;
    }
    if (!wild) {
        printf("%-15s %s\n", hosts->config->ip, name);
        return SKY_OK;
    }
    sky_err err = sky_store_each_product(store, print_product, hosts);
    if (err == SKY_OK && hosts->products == 0)
        printf("# %s stands for product keys: name the fixtures of your %s products with "
               "--fixtures PATH\n",
               name, hosts->cloud->name);
    return err;
}

static sky_err print_all(const struct sky_config *config, struct sky_store *store)
{
    struct hosts hosts = {.config = config};
    sky_err err = SKY_OK;

    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        hosts.cloud = sky_clouds[i];
        for (const char *const *name = hosts.cloud->host_names;
             err == SKY_OK && name != NULL && *name != NULL; name++)
            err = print_host(&hosts, store, *name);
    }
    return err;
}

static sky_err load(const struct sky_config *config, struct sky_store *store, struct sky_why *why)
{
    struct sky_catalogue catalogue;
    struct sky_fixture_result loaded;
    struct sky_rng rng;

    sky_err err = sky_fixture_files_are_there(config, why);

    if (err != SKY_OK || config->fixtures.count == 0)
        return err;
    sky_rules_catalogue(config->profile, &catalogue);
    sky_rng_init_seeded(&rng, 0); /* only names are printed */
    return sky_fixture_files_load(store, &config->fixtures, &catalogue, &rng, 0, NULL, &loaded,
                                  why);
}

int sky_cli_hosts(const struct sky_config *config)
{
    uint8_t address[16];
    struct sky_store *store;
    struct sky_why why;

    if (inet_pton(AF_INET, config->ip, address) != 1 &&
        inet_pton(AF_INET6, config->ip, address) != 1)
        return sky_cli_fail("--ip %.100s: give an IP address", config->ip);
    if (sky_store_open(":memory:", &store, &why) != SKY_OK)
        return sky_cli_fail("%s", why.reason);
    sky_err err = load(config, store, &why);
    if (err == SKY_OK && print_all(config, store) != SKY_OK)
        err = sky_store_why(store, &why);
    sky_store_close(store);
    return err == SKY_OK ? SKY_EXIT_OK : sky_cli_fail("%s", why.reason);
}
