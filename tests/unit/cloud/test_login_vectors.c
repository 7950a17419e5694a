/* Every published or computed login of fixtures/<cloud>/vectors: the right ones are let in as they
 * stand, the wrong ones are refused and recognised as the mistake they were made with. */
#include "auth/text.h"
#include "protocol/base/json_tree.h"
#include "tests/unit/cloud/login_case.h"

/* A vector's registration, cut out of its own fields. */
struct vector {
    const char *name, *client_id, *username, *password, *secret;
    const cJSON *json;
};

static cJSON *read_file(const char *cloud, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/fixtures/%s/vectors/%s.json", SKY_SOURCE_DIR, cloud, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static char text[256 * 1024];
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    cJSON *tree;
    struct sky_why why;
    if (sky_json_parse(sky_span_of(text, len), 16, &tree, &why) != SKY_OK)
        fail_msg("%s: %s", path, why.reason);
    return tree;
}

static struct vector read_vector(const cJSON *json)
{
    const cJSON *connect = sky_json_get(json, "connect");
    return (struct vector){.name = sky_json_get_str(json, "name"),
                           .client_id = sky_json_get_str(connect, "clientId"),
                           .username = sky_json_get_str(connect, "username"),
                           .password = sky_json_get_str(connect, "password"),
                           .secret = sky_json_get_str(json, "secret"),
                           .json = json};
}

static const char *other_secret(const struct vector *v, const char *role)
{
    const cJSON *entry;
    cJSON_ArrayForEach (entry, sky_json_get(sky_json_get(v->json, "suspicion"), "secrets")) {
        if (strcmp(sky_json_get_str(entry, "role"), role) == 0)
            return sky_json_get_str(entry, "secret");
    }
    return "";
}

/* Whoever signs with the product's secret has securemode=3 in EnOS's grammar only. */
static bool signs_for_product(const char *cloud, const struct vector *v)
{
    return strcmp(cloud, "enos") == 0 && strstr(v->client_id, "securemode=3") != NULL;
}

static void split_names(const char *cloud, const struct vector *v, char *product, char *device)
{
    if (strcmp(cloud, "tencent") == 0) {
        snprintf(product, 65, "%.10s", v->client_id);
        snprintf(device, 65, "%s", v->client_id + 10);
        return;
    }
    const char *at = strchr(v->username, '&');
    assert_non_null(at);
    snprintf(device, 65, "%.*s", (int)(at - v->username), v->username);
    snprintf(product, 65, "%s", at + 1);
}

static void set_up(struct login_bench *b, const char *cloud, const struct vector *v)
{
    char product[65], device[65];
    const char *secret = v->secret;
    bool dynamic = signs_for_product(cloud, v);
    split_names(cloud, v, product, device);
    login_init(b, cloud, product, dynamic ? secret : other_secret(v, "product"), device,
               dynamic ? other_secret(v, "device") : secret);
    snprintf(b->device.old_secret, sizeof b->device.old_secret, "%s", other_secret(v, "old"));
    b->product.dynamic_activation = true;
    if (strstr(v->client_id, "securemode=2") != NULL && strcmp(cloud, "aliyun") == 0)
        login_over_tls(b, "mqtts");
    const cJSON *now = sky_json_get(sky_json_get(v->json, "suspicion"), "nowMs");
    if (now != NULL)
        b->facts.now_ms = (int64_t)now->valuedouble;
}

static void check_right(const char *cloud, const struct vector *v)
{
    struct login_bench b;
    set_up(&b, cloud, v);
    int code = login_connect(&b, v->client_id, v->username, v->password);
    if (code != 0)
        fail_msg("%s: %s: CONNACK %d, %s: %s", cloud, v->name, code, b.judge.findings[0].rule->id,
                 b.judge.findings[0].detail);
    assert_int_equal(b.admission.cause, SKY_CAUSE_NONE);
    login_done(&b);
}

static void check_wrong(const char *cloud, const struct vector *v)
{
    struct login_bench b;
    enum sky_mistake mistake;
    const cJSON *expect = sky_json_get(v->json, "expect");
    const char *expected = sky_json_get_str(expect, "mistake");
    set_up(&b, cloud, v);
    int code = login_connect(&b, v->client_id, v->username, v->password);
    if (code != SKY_CONNACK_CREDENTIALS || b.admission.cause != SKY_CAUSE_SIGNATURE)
        fail_msg("%s: %s: CONNACK %d, cause %d", cloud, v->name, code, (int)b.admission.cause);
    login_mistake_rule(&b, &mistake);
    /* Other devices' secrets are the server's to add. */
    bool others = other_secret(v, "other")[0] != '\0';
    if (!others && strcmp(sky_mistake_name(mistake), expected) != 0)
        fail_msg("%s: %s: recognised as '%s', expected '%s'", cloud, v->name,
                 sky_mistake_name(mistake), expected);
    login_done(&b);
}

static void each_vector(const char *cloud, const char *file,
                        void (*check)(const char *cloud, const struct vector *v))
{
    cJSON *tree = read_file(cloud, file);
    const cJSON *entry;
    size_t count = 0;
    cJSON_ArrayForEach (entry, sky_json_get(tree, "vectors")) {
        struct vector v = read_vector(entry);
        check(cloud, &v);
        count++;
    }
    assert_true(count > 5);
    cJSON_Delete(tree);
}

static const char *const clouds[] = {"aliyun", "tencent", "enos"};

static void a_login_as_published_is_let_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(clouds); i++)
        each_vector(clouds[i], "connect", check_right);
}

static void a_known_mistake_is_refused_and_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(clouds); i++)
        each_vector(clouds[i], "connect-mistakes", check_wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_as_published_is_let_in),
        cmocka_unit_test(a_known_mistake_is_refused_and_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
