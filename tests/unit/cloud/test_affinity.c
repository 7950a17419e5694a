/* Whose login it is: every vector in a cloud's fixtures is claimed by that cloud, and no two clouds
 * are equally sure of it. (A few forms are the same with two clouds; the registry decides.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <glob.h>

#include "protocol/base/json_tree.h"
#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"

/* One claimant's strength; 0: it does not claim. */
typedef unsigned weigh_fn(const struct sky_cloud *cloud, const struct sky_door *door,
                          const cJSON *vector);

static unsigned weigh_login(const struct sky_cloud *cloud, const struct sky_door *door,
                            const cJSON *vector)
{
    const cJSON *connect = sky_json_get(vector, "connect");
    const struct sky_login login = {.door = door,
                                    .client_id =
                                        sky_span_str(sky_json_get_str(connect, "clientId")),
                                    .username = sky_span_str(sky_json_get_str(connect, "username")),
                                    .password = sky_span_str(sky_json_get_str(connect, "password")),
                                    .has_username = sky_json_get(connect, "username") != NULL,
                                    .has_password = sky_json_get(connect, "password") != NULL,
                                    .level = 4,
                                    .keepalive_s = 120};
    struct sky_claim claim;
    return cloud->claim(&login, &claim) ? claim.affinity : 0;
}

static unsigned weigh_identity(const struct sky_cloud *cloud, const struct sky_door *door,
                               const cJSON *vector)
{
    struct sky_claim claim;
    sky_span identity = sky_span_str(sky_json_get_str(vector, "identity"));
    return cloud->psk != NULL && cloud->psk->claim(door, identity, &claim) ? claim.affinity : 0;
}

static void check_weights(const struct sky_cloud *owner, const struct sky_door *door,
                          const cJSON *vector, weigh_fn *weigh)
{
    const char *name = sky_json_get_str(vector, "name");
    if (weigh(owner, door, vector) == 0)
        fail_msg("%s: '%s' is not claimed", owner->name, name);
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        unsigned one = weigh(sky_clouds[i], door, vector);
        assert_true(one < SKY_AFFINITY_NAMED);
        for (size_t j = 0; one > 0 && j < i; j++)
            if (weigh(sky_clouds[j], door, vector) == one)
                fail_msg("%s: '%s' is claimed with %u by %s and %s", owner->name, name, one,
                         sky_clouds[j]->name, sky_clouds[i]->name);
    }
}

static size_t check_file(const struct sky_cloud *cloud, const char *path)
{
    static const struct sky_listener_row anywhere = {.name = "mqtt"};
    static char text[256 * 1024];
    const struct sky_door clear = {.listener = &anywhere, .transport = SKY_TCP};
    const struct sky_door tls = {.listener = &anywhere, .transport = SKY_TLS};
    const struct sky_door dtls = {.listener = &anywhere, .transport = SKY_DTLS};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file), count = 0;
    fclose(file);
    cJSON *tree;
    struct sky_why why;
    if (sky_json_parse(sky_span_of(text, len), 16, &tree, &why) != SKY_OK)
        fail_msg("%s: %s", path, why.reason);
    const cJSON *vector;
    cJSON_ArrayForEach (vector, sky_json_get(tree, "vectors")) {
        if (sky_json_get(vector, "connect") != NULL)
            check_weights(cloud, &clear, vector, weigh_login);
        else if (sky_json_get(vector, "identity") != NULL)
            check_weights(cloud, weigh_identity(cloud, &dtls, vector) != 0 ? &dtls : &tls, vector,
                          weigh_identity);
        else
            continue;
        count++;
    }
    cJSON_Delete(tree);
    return count;
}

static void no_two_clouds_are_equally_sure_of_a_vector(void **state)
{
    (void)state;
    for (size_t i = 0; sky_clouds[i] != NULL; i++) {
        char pattern[512];
        glob_t found;
        size_t count = 0;
        snprintf(pattern, sizeof pattern, "%s/{fixtures,tests/unit/cloud}/%s/vectors/*.json",
                 SKY_SOURCE_DIR, sky_clouds[i]->name);
        assert_int_equal(glob(pattern, GLOB_BRACE, NULL, &found), 0);
        for (size_t f = 0; f < found.gl_pathc; f++)
            count += check_file(sky_clouds[i], found.gl_pathv[f]);
        globfree(&found);
        if (count < 6)
            fail_msg("%s: %zu vectors", sky_clouds[i]->name, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_clouds_are_equally_sure_of_a_vector)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
