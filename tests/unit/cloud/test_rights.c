/* Whose topics are whose: the topics that vendors' SDKs publish and subscribe to, other devices',
 * the wrong direction, and wildcards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/cloud/cloud.h"
#include "protocol/mqtt/topic.h"

enum { P = SKY_MAY_PUB, S = SKY_MAY_SUB };
#define YES SKY_RIGHT_GRANTED
#define NO SKY_RIGHT_NONE
#define WAY SKY_RIGHT_DIRECTION
#define OTHER SKY_RIGHT_OTHER

struct right_row {
    const char *topic;
    unsigned want;
    enum sky_right right;
};

static const struct right_row aliyun[] = {
    /* the C and npm SDKs */
    {"/sys/pk/dn/thing/event/property/post", P, YES},
    {"/sys/pk/dn/thing/event/property/post_reply", S, YES},
    {"/sys/pk/dn/thing/event/+/post_reply", S, YES},
    {"/sys/pk/dn/thing/event/alarm/post", P, YES},
    {"/sys/pk/dn/thing/deviceinfo/update", P, YES},
    {"/sys/pk/dn/thing/deviceinfo/update_reply", S, YES},
    {"/sys/pk/dn/thing/deviceinfo/delete_reply", S, YES},
    {"/sys/pk/dn/thing/dynamicTsl/get_reply", S, YES},
    {"/sys/pk/dn/thing/service/property/set", S, YES},
    {"/sys/pk/dn/thing/service/property/set_reply", P, YES},
    {"/sys/pk/dn/thing/service/+", S, YES},
    {"/sys/pk/dn/thing/service/reboot_reply", P, YES},
    {"/sys/pk/dn/thing/model/down_raw", S, YES},
    {"/sys/pk/dn/thing/model/up_raw", P, YES},
    {"/sys/pk/dn/thing/config/push", S, YES},
    {"/sys/pk/dn/thing/config/push_reply", S, YES},
    {"/sys/pk/dn/thing/config/get", P, YES},
    {"/sys/pk/dn/thing/topo/add", P, YES},
    {"/sys/pk/dn/thing/topo/add_reply", S, YES},
    {"/sys/pk/dn/thing/sub/register", P, YES},
    {"/sys/pk/dn/rrpc/request/+", S, YES},
    {"/sys/pk/dn/rrpc/response/123", P, YES},
    {"/ext/rrpc/123/pk/dn/user/get", P, YES},
    {"/ext/rrpc/+/pk/dn/user/get", S, YES},
    {"/ext/ntp/pk/dn/request", P, YES},
    {"/ext/ntp/pk/dn/response", S, YES},
    {"/ext/error/pk/dn", S, YES},
    {"/ext/register", S, YES},
    {"/ext/regnwl", S, YES},
    {"/ext/network/probe/+", S, YES},
    {"/sys/pk/dn/_thing/event/notify", S, YES},
    {"/sys/pk/dn/_thing/event/notify_reply", P, YES},
    {"/sys/pk/dn/_thing/service/post_reply", S, YES},
    {"/sys/pk/dn/_thing/diag/post", P, YES},
    {"/sys/pk/dn/_thing/diag/post_reply", S, YES},
    {"/ext/session/pk/dn/combine/login", P, YES},
    {"/ext/session/pk/dn/combine/login_reply", S, YES},
    {"/ota/device/inform/pk/dn", P, YES},
    {"/ota/device/progress/pk/dn", P, YES},
    {"/ota/device/upgrade/pk/dn", S, YES},
    {"/ota/device/request/pk/dn", S, YES},
    {"/shadow/update/pk/dn", P, YES},
    {"/shadow/get/pk/dn", S, YES},
    {"/broadcast/pk/all", S, YES},
    {"/pk/dn/update", P, YES},
    {"/pk/dn/update/error", P, YES},
    {"/pk/dn/get", S, YES},
    {"/pk/dn/user/update", P, YES},
    {"/pk/dn/user/get", S, YES},
    /* the wrong way round */
    {"/pk/dn/user/get", P, WAY},
    {"/pk/dn/user/update", S, WAY},
    {"/shadow/get/pk/dn", P, WAY},
    {"/ext/ntp/pk/dn/response", P, WAY},
    /* not its own */
    {"/sys/pk/other/thing/event/property/post", P, OTHER},
    {"/sys/other/dn/thing/event/property/post", P, OTHER},
    {"/pk/other/user/get", S, OTHER},
    {"/sys/+/dn/thing/service/+", S, OTHER},
    {"/sys/pk/+/thing/#", S, OTHER},
    {"/shadow/get/pk/+", S, OTHER},
    /* nothing at all */
    {"/pk/dn/user/unheard", P, NO},
    {"/pk/dn/user/#", S, NO},
    {"#", S, NO},
    {"+/+", S, NO},
    {"/sys/pk/dn/#", S, NO},
    {"sys/pk/dn/thing/event/property/post", P, NO},
};

static const struct right_row tencent[] = {
    {"pk/dn/control", S, YES},
    {"pk/dn/event", P, YES},
    {"$shadow/operation/pk/dn", P, YES},
    {"$shadow/operation/result/pk/dn", S, YES},
    {"$sys/operation/pk/dn", P, YES},
    {"$sys/operation/result/pk/dn", S, YES},
    {"$log/operation/pk/dn", P, YES},
    {"$log/operation/result/pk/dn", S, YES},
    {"$config/operation/pk/dn", P, YES},
    {"$config/operation/result/pk/dn", S, YES},
    {"$gateway/operation/pk/dn", P, YES},
    {"$gateway/operation/result/pk/dn", S, YES},
    {"$template/operation/result/pk/dn", S, YES},
    {"$config/report/pk/dn", P, YES},
    {"$config/update/pk/dn", S, YES},
    {"$thing/up/property/pk/dn", P, YES},
    {"$thing/up/raw/pk/dn", P, YES},
    {"$thing/up/raw/pk/dn", S, WAY},
    {"$thing/down/property/pk/dn", S, YES},
    {"$thing/down/service/pk/dn", S, YES},
    {"$thing/down/raw/pk/dn", S, YES},
    {"$thing/down/property/pk/dn", P, WAY},
    {"$thing/down/property/pk/other", S, OTHER},
    {"$resource/up/service/pk/dn", P, YES},
    {"$resource/down/service/pk/dn", S, YES},
    {"$ota/report/pk/dn", P, YES},
    {"$ota/update/pk/dn", S, YES},
    {"$rrpc/rxd/pk/dn/+", S, YES},
    {"$rrpc/txd/pk/dn/123", P, YES},
    {"$broadcast/rxd/pk/dn", S, YES},
    {"pk/dn/control", P, WAY},
    {"pk/dn/event", S, WAY},
    {"$shadow/operation/pk/dn", S, WAY},
    {"$shadow/operation/result/pk/dn", P, WAY},
    {"pk/other/control", S, OTHER},
    {"$shadow/operation/pk/other", P, OTHER},
    {"+/+/control", S, OTHER},
    {"pk/dn/data", P, NO},
    {"pk/dn/#", S, NO},
    {"$rrpc/rxd/pk/dn/#", S, NO},
    {"#", S, NO},
};

static const struct right_row enos[] = {
    /* the C SDK's subscriptions, and what all SDKs publish */
    {"/sys/pk/dn/thing/measurepoint/post", P, YES},
    {"/sys/pk/dn/thing/measurepoint/post_reply", S, YES},
    {"/sys/pk/dn/thing/measurepoint/post/batch", P, YES},
    {"/sys/pk/dn/thing/measurepoint/post/batch_reply", S, YES},
    {"/sys/pk/dn/thing/measurepoint/resume", P, YES},
    {"/sys/pk/dn/thing/measurepoint/resume/batch_reply", S, YES},
    {"/sys/pk/dn/thing/event/alarm/post", P, YES},
    {"/sys/pk/dn/thing/event/+/post_reply", S, YES},
    {"/sys/pk/dn/thing/attribute/update", P, YES},
    {"/sys/pk/dn/thing/attribute/query_reply", S, YES},
    {"/sys/pk/dn/thing/tag/delete", P, YES},
    {"/sys/pk/dn/thing/tag/delete_reply", S, YES},
    {"/sys/pk/dn/thing/model/up_raw", P, YES},
    {"/sys/pk/dn/thing/model/up_raw_reply", S, YES},
    {"/sys/pk/dn/thing/model/down_raw", S, YES},
    {"/sys/pk/dn/thing/model/down_raw_reply", P, YES},
    {"/sys/pk/dn/thing/service/measurepoint/set", S, YES},
    {"/sys/pk/dn/thing/service/measurepoint/set_reply", P, YES},
    {"/sys/pk/dn/thing/service/+", S, YES},
    {"/sys/pk/dn/thing/service/reboot_reply", P, YES},
    {"/sys/pk/dn/thing/topo/add", P, YES},
    {"/sys/pk/dn/thing/topo/add_reply", S, YES},
    {"/sys/pk/dn/thing/device/register_reply", S, YES},
    {"/sys/pk/dn/thing/enable", S, YES},
    {"/sys/pk/dn/thing/enable_reply", P, YES},
    {"/sys/pk/dn/thing/log/post", P, YES},
    {"/sys/pk/dn/ota/device/inform", P, YES},
    {"/sys/pk/dn/ota/device/getversion_reply", S, YES},
    {"/sys/pk/dn/ota/device/upgrade", S, YES},
    {"/sys/pk/dn/rrpc/request/+", S, YES},
    {"/sys/pk/dn/rrpc/response/1", P, YES},
    {"/sys/pk/dn/network/status/report", P, YES},
    {"/ext/session/pk/dn/combine/login", P, YES},
    {"/ext/session/pk/dn/combine/login_reply", S, YES},
    {"/ext/session/pk/dn/combine/login/batch", P, YES},
    {"/ext/session/pk/dn/combine/disable", S, YES},
    {"/ext/session/pk/dn/combine/disable_reply", P, YES},
    {"/ext/session/pk/dn/thing/activate/info", S, YES},
    {"/ext/session/pk/dn/thing/activate/info_reply", P, YES},
    {"/ext/auth/identity/response", S, YES},
    {"/sys/pk/dn/thing/measurepoint/post", S, WAY},
    {"/sys/pk/dn/thing/model/down_raw", P, WAY},
    {"/ext/session/pk/dn/thing/activate/info", P, WAY},
    {"/sys/pk/other/thing/measurepoint/post", P, OTHER},
    {"/ext/session/pk/other/thing/activate/info", S, OTHER},
    {"/sys/pk/+/thing/service/+", S, OTHER},
    {"/user/pk/dn/anything", P, NO},
    {"#", S, NO},
};

static void check(const char *name, const struct right_row *rows, size_t count)
{
    const struct sky_cloud *cloud = sky_cloud_find(sky_span_str(name));
    for (size_t i = 0; i < count; i++) {
        const struct sky_topic_row *row = NULL;
        enum sky_right right = sky_cloud_right(cloud, SKY_SPAN("pk"), SKY_SPAN("dn"), NULL, 0,
                                               sky_span_str(rows[i].topic), rows[i].want, &row);
        if (right != rows[i].right)
            fail_msg("%s: %s %s: %d, expected %d", name,
                     rows[i].want == P ? "publish" : "subscribe", rows[i].topic, (int)right,
                     (int)rows[i].right);
        if (right == SKY_RIGHT_GRANTED && row == NULL)
            fail_msg("%s: no row for %s", name, rows[i].topic);
    }
}

static void aliyun_devices_have_their_topics_and_no_others(void **state)
{
    (void)state;
    check("aliyun", aliyun, SKY_COUNT(aliyun));
}

static void tencent_devices_have_their_topics_and_no_others(void **state)
{
    (void)state;
    check("tencent", tencent, SKY_COUNT(tencent));
}

static void enos_devices_have_their_topics_and_no_others(void **state)
{
    (void)state;
    check("enos", enos, SKY_COUNT(enos));
}

static enum sky_right ask(const struct sky_product_topic *own, size_t count, const char *filter,
                          unsigned want)
{
    const struct sky_topic_row *row = NULL;
    return sky_cloud_right(sky_cloud_find(SKY_SPAN("tencent")), SKY_SPAN("pk"), SKY_SPAN("dn"), own,
                           count, sky_span_str(filter), want, &row);
}

static void a_products_own_topics_add_to_the_clouds(void **state)
{
    (void)state;
    static const struct sky_product_topic own[] = {
        {.pattern = "{product}/{device}/data", .pub = true, .sub = true},
        {.pattern = "{product}/{device}/up/#", .pub = true},
        {.pattern = "{product}/{device}/control", .pub = true},
    };
    const size_t count = SKY_COUNT(own);
    assert_int_equal(ask(own, count, "pk/dn/data", P), YES);
    assert_int_equal(ask(own, count, "pk/dn/data", S), YES);
    assert_int_equal(ask(own, count, "pk/dn/up/a/b", P), YES);
    assert_int_equal(ask(own, count, "pk/dn/up/a/b", S), WAY);
    assert_int_equal(ask(own, count, "pk/dn/control", P), YES);
    assert_int_equal(ask(own, count, "pk/dn/control", S), YES);
    assert_int_equal(ask(own, count, "pk/other/data", S), OTHER);
    assert_int_equal(ask(own, count, "pk/dn/+", S), NO);
    assert_int_equal(ask(NULL, 0, "pk/dn/data", P), NO);
}

static void a_key_that_looks_like_a_wildcard_is_not_one(void **state)
{
    (void)state;
    const struct sky_topic_row *row = NULL;
    assert_int_equal(sky_cloud_right(sky_cloud_find(SKY_SPAN("tencent")), SKY_SPAN("pk"),
                                     SKY_SPAN("+"), NULL, 0, SKY_SPAN("pk/dn/control"), S, &row),
                     OTHER);
}

static void downlinks_that_need_no_subscription_are_marked(void **state)
{
    (void)state;
    static const struct {
        const char *cloud, *topic;
        bool pushed;
        unsigned traits;
    } rows[] = {
        {"enos", "/sys/pk/dn/thing/service/measurepoint/set", true, 0},
        {"enos", "/sys/pk/dn/thing/service/reboot", true, 0},
        {"enos", "/sys/pk/dn/thing/model/down_raw", true, 0},
        {"enos", "/sys/pk/dn/ota/device/upgrade", true, 0},
        {"enos", "/sys/pk/dn/thing/disable", true, 0},
        {"enos", "/ext/session/pk/dn/thing/activate/info", true, 0},
        {"enos", "/ext/session/pk/dn/combine/delete", true, 0},
        {"enos", "/sys/pk/dn/thing/measurepoint/post_reply", false, 0},
        {"enos", "/sys/pk/other/thing/service/reboot", false, 0},
        {"aliyun", "/ext/register", true, 0},
        {"aliyun", "/sys/pk/dn/thing/service/property/set", false, 0},
        {"aliyun", "/sys/pk/dn/thing/service/property/set", true, SKY_TRAIT_AUTO_SUBSCRIBED},
        {"aliyun", "/ota/device/upgrade/pk/dn", true, SKY_TRAIT_AUTO_SUBSCRIBED},
        {"aliyun", "/ota/device/inform/pk/dn", false, SKY_TRAIT_AUTO_SUBSCRIBED},
        {"aliyun", "/broadcast/pk/all", false, SKY_TRAIT_AUTO_SUBSCRIBED},
        {"aliyun", "/ext/regnwl", true, 0},
        {"aliyun", "/pk/dn/user/get", false, SKY_TRAIT_AUTO_SUBSCRIBED},
        {"aliyun", "/pk/dn/user/of/the/product", false, SKY_TRAIT_AUTO_SUBSCRIBED},
        {"tencent", "pk/dn/control", false, 0},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++)
        assert_int_equal(sky_cloud_is_pushed(sky_cloud_find(sky_span_str(rows[i].cloud)),
                                             SKY_SPAN("pk"), SKY_SPAN("dn"),
                                             sky_span_str(rows[i].topic), rows[i].traits),
                         rows[i].pushed);
}

/* A service's name, or NULL for what is only carried. */
static const char *served_by(const char *cloud, const char *topic)
{
    const struct sky_topic_row *row = NULL;
    assert_int_equal(sky_cloud_right(sky_cloud_find(sky_span_str(cloud)), SKY_SPAN("pk"),
                                     SKY_SPAN("dn"), NULL, 0, sky_span_str(topic), P, &row),
                     YES);
    return row->service != NULL ? row->service->name : NULL;
}

static void what_the_cloud_serves_is_served_or_found(void **state)
{
    (void)state;
    static const struct {
        const char *cloud, *topic, *service;
    } rows[] = {
        {"aliyun", "/sys/pk/dn/thing/event/property/post", "property-post"},
        {"aliyun", "/sys/pk/dn/thing/event/property/batch/post", "batch-post"},
        {"aliyun", "/sys/pk/dn/thing/event/property/history/post", "history-post"},
        {"aliyun", "/sys/pk/dn/thing/event/property/pack/post", "pack-post"},
        {"aliyun", "/sys/pk/dn/thing/property/desired/get", "desired-get"},
        {"aliyun", "/sys/pk/dn/thing/topo/add", "topo-add"},
        {"aliyun", "/sys/pk/dn/thing/sub/register", "sub-register"},
        {"aliyun", "/sys/pk/dn/thing/config/get", "config-get"},
        {"aliyun", "/sys/pk/dn/thing/config/log/get", "log-config"},
        {"aliyun", "/sys/pk/dn/thing/log/post", "log-post"},
        {"aliyun", "/sys/pk/dn/thing/job/get", "job-get"},
        {"aliyun", "/sys/pk/dn/thing/ota/firmware/get", "firmware-get"},
        {"aliyun", "/sys/pk/dn/thing/file/upload/mqtt/init", "unplayed"},
        {"aliyun", "/sys/pk/dn/thing/reset", "reset"},
        {"aliyun", "/sys/pk/dn/thing/model/up_raw", "raw"},
        {"aliyun", "/sys/pk/dn/thing/confg/get", "unknown"},
        {"aliyun", "/sys/pk/dn/_thing/diag/post", "unplayed"},
        {"aliyun", "/ext/session/pk/dn/combine/login", "sub-login"},
        {"aliyun", "/ota/device/inform/pk/dn", "version"},
        {"aliyun", "/ota/device/progress/pk/dn", "ota-progress"},
        {"aliyun", "/ota/device/request/pk/dn", "ota-request"},
        {"tencent", "$config/operation/pk/dn", "config"},
        {"tencent", "$gateway/operation/pk/dn", "gateway"},
        {"tencent", "$config/report/pk/dn", "config"},
        {"tencent", "$template/operation/pk/dn", "template"},
        {"tencent", "$thing/up/property/pk/dn", "property"},
        {"tencent", "$thing/up/event/pk/dn", "event"},
        {"tencent", "$thing/up/action/pk/dn", "action"},
        {"tencent", "$thing/up/service/pk/dn", "file"},
        {"tencent", "$thing/up/raw/pk/dn", NULL},
        {"tencent", "$resource/up/service/pk/dn", "resource"},
        {"tencent", "$ota/report/pk/dn", "ota"},
        {"tencent", "pk/dn/event", NULL},
        {"enos", "/sys/pk/dn/thing/topo/add", "topo-add"},
        {"enos", "/sys/pk/dn/thing/device/register", "device-register"},
        {"enos", "/sys/pk/dn/thing/tsltemplate/get", "template"},
        {"enos", "/sys/pk/dn/thing/log/post", "log"},
        {"enos", "/sys/pk/dn/thing/tsltemplat/get", "unknown"},
        {"enos", "/sys/pk/dn/thing/model/up_raw", "raw"},
        {"enos", "/sys/pk/dn/thing/model/down_raw_reply", "raw-answer"},
        {"enos", "/sys/pk/dn/ota/device/inform", "ota-inform"},
        {"enos", "/sys/pk/dn/ota/device/progres", "unknown"},
        {"enos", "/sys/pk/dn/network/status/report", "network-status"},
        {"enos", "/sys/pk/dn/connection/state/post", "connection-state"},
        {"enos", "/sys/pk/dn/rrpc/response/1", "rpc-answer"},
        {"enos", "/sys/pk/dn/traffic/control", "traffic-answer"},
        {"enos", "/ext/session/pk/dn/combine/login/batch", "combine-login-batch"},
        {"enos", "/ext/session/pk/dn/combine/disable_reply", "notice-answer"},
        {"enos", "/ext/session/pk/dn/combine/logon", "unknown"},
    };
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const char *got = served_by(rows[i].cloud, rows[i].topic);
        if (strcmp(got != NULL ? got : "", rows[i].service != NULL ? rows[i].service : "") != 0)
            fail_msg("%s is served by %s", rows[i].topic, got != NULL ? got : "nobody");
    }
}

/* Its length is nobody's choice but the cloud's. */
static void only_custom_topics_are_measured(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        unsigned want;
        bool fits;
    } rows[] = {
        {"/sys/pk/dn/thing/event/property/history/post", P, true},
        {"/sys/pk/dn/thing/file/upload/mqtt/init_reply", S, true},
        {"/ext/rrpc/1234567890/a/b/c/d/e/f/g/h", P, true},
        {"/pk/dn/user/update", P, true},
        {"/pk/dn/user/a/b/c/d", P, true},
        {"/pk/dn/user/a/b/c/d/e", P, false},
        {"/broadcast/pk/a/b/c/d/e/f", S, false},
    };
    const struct sky_product_topic own[] = {
        {.pattern = "/{product}/{device}/user/#", .pub = true, .sub = true}};
    const struct sky_cloud *cloud = sky_cloud_find(SKY_SPAN("aliyun"));
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        const struct sky_topic_row *row = NULL;
        sky_span topic = sky_span_str(rows[i].topic);
        assert_int_equal(sky_cloud_right(cloud, SKY_SPAN("pk"), SKY_SPAN("dn"), own, 1, topic,
                                         rows[i].want, &row),
                         YES);
        if (sky_cloud_topic_fits(&cloud->limits, row, topic) != rows[i].fits)
            fail_msg("%s: it fits, or not, the other way round", rows[i].topic);
    }
}

/* The pattern with keys in it is a filter, and its own device has a right to something there. */
static void every_row_of_every_table_is_a_pattern_with_rights(void **state)
{
    (void)state;
    const struct sky_topic_keys keys = {SKY_SPAN("pk"), SKY_SPAN("dn")};
    for (size_t c = 0; sky_clouds[c] != NULL; c++) {
        for (size_t i = 0; i < sky_clouds[c]->topics->count; i++) {
            const struct sky_topic_row *row = &sky_clouds[c]->topics->rows[i];
            char filled[256];
            assert_non_null(row->pattern);
            assert_true(sky_topic_fill(sky_span_str(row->pattern), &keys, filled, sizeof filled));
            assert_true(sky_topic_valid_filter(sky_span_str(filled)));
            assert_true(row->rights & (SKY_MAY_PUB | SKY_MAY_SUB));
            assert_true(row->service == NULL || row->rights & SKY_MAY_PUB);
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(row->pattern, sky_clouds[c]->topics->rows[j].pattern);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aliyun_devices_have_their_topics_and_no_others),
        cmocka_unit_test(tencent_devices_have_their_topics_and_no_others),
        cmocka_unit_test(enos_devices_have_their_topics_and_no_others),
        cmocka_unit_test(a_products_own_topics_add_to_the_clouds),
        cmocka_unit_test(a_key_that_looks_like_a_wildcard_is_not_one),
        cmocka_unit_test(downlinks_that_need_no_subscription_are_marked),
        cmocka_unit_test(what_the_cloud_serves_is_served_or_found),
        cmocka_unit_test(only_custom_topics_are_measured),
        cmocka_unit_test(every_row_of_every_table_is_a_pattern_with_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
