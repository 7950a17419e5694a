/* Every mistake a fixture can have: where it is said to be, and what is said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/base/mem.h"
#include "protocol/base/url.h"
#include "tests/support/seed_config.h"

/* The text with ' for ", so that tables can be read. */
static sky_err check(const char *text, struct seed_record *record)
{
    struct sky_seed_config config = seed_config(record);
    struct sky_seed_count count;
    char *json = sky_mem_dup(text, strlen(text));
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    sky_err err = sky_seed_load(NULL, sky_span_str(json), &config, &count);
    assert_int_equal(count.errors, record->reported);
    free(json);
    return err;
}

struct row {
    const char *text, *pointer, *reason; /* the reason contains this */
};

static void expect(const struct row *rows, size_t count, const char *before, const char *after)
{
    for (size_t i = 0; i < count; i++) {
        struct seed_record record;
        char text[2048];
        snprintf(text, sizeof text, "%s%s%s", before, rows[i].text, after);
        sky_err err = check(text, &record);
        if (rows[i].pointer == NULL) {
            if (err != SKY_OK)
                fail_msg("%s: %s: %s", text, record.errors[0].pointer, record.errors[0].reason);
            continue;
        }
        if (err != SKY_ERR_INVALID || record.reported != 1)
            fail_msg("%s: %zu errors, second %s: %s", text, record.reported,
                     record.errors[1].pointer, record.errors[1].reason);
        if (strcmp(record.errors[0].pointer, rows[i].pointer) != 0)
            fail_msg("%s: at %s, not %s", text, record.errors[0].pointer, rows[i].pointer);
        if (strstr(record.errors[0].reason, rows[i].reason) == NULL)
            fail_msg("%s: \"%s\" without \"%s\"", text, record.errors[0].reason, rows[i].reason);
    }
}

static void says_what_is_wrong_with_the_whole_text(void **state)
{
    static const struct row rows[] = {
        {"{'products': []}", NULL, NULL},
        {"\xef\xbb\xbf{'products': []}", NULL, NULL},
        {"", "", "not JSON"},
        {"{'products': [}", "", "line 1"},
        {"[{'cloud': 'enos'}]", "", "this is a list"},
        {"{}", "", "\"products\" is missing"},
        {"'products'", "", "expected an object, this is a string"},
        {"{'products': {}}", "/products", "expected a list, this is an object"},
        {"{'products': null}", "/products", "expected a list, this is null"},
        {"{'products': [], 'product': []}", "/product", "did you mean \"products\"?"},
        {"{'products': [], 'a/b~c': 1}", "/a~1b~0c", "unknown field \"a/b~c\"; known here: pro"},
        {"{'products': [], 'products': []}", "/products", ""},
        {"{'products': []} x", "", "line 1"},
    };
    (void)state;
    expect(rows, SKY_COUNT(rows), "", "");
}

static void says_what_is_wrong_with_a_product(void **state)
{
    static const struct row rows[] = {
        {"7", "/products/0", "expected an object, this is a number"},
        {"{'productKey': 'a'}", "/products/0",
         "\"cloud\" is missing; known: aliyun, tencent, enos, plain"},
        {"{'cloud': 'ali', 'x': 1}", "/products/0/cloud",
         "unknown cloud \"ali\"; known: aliyun, tencent, enos, plain"},
        {"{'cloud': 1}", "/products/0/cloud", "expected a string, this is a number"},
        {"{'cloud': 'enos'}", "/products/0", "\"productKey\" is missing"},
        {"{'cloud': 'enos', 'productKey': true}", "/products/0/productKey",
         "expected a string, this is true or false"},
        {"{'cloud': 'enos', 'productKey': ''}", "/products/0/productKey", "is empty"},
        {"{'cloud': 'enos', 'productKey': 'a b'}", "/products/0/productKey", "has ' ' in it"},
        {"{'cloud': 'enos', 'productKey': 'a/b'}", "/products/0/productKey", "has '/' in it"},
        {"{'cloud': 'enos', 'productKey': 'a\\n'}", "/products/0/productKey", "has '?' in it"},
        {"{'cloud': 'tencent', 'productId': '+'}", "/products/0/productId", "has '+' in it"},
        {"{'cloud': 'tencent', 'productKey': 'a', 'productId': 'a'}", "/products/0/productKey",
         "did you mean \"productId\"?"},
        {"{'cloud': 'enos', 'productKey': 'a', 'productSecret': ''}", "/products/0/productSecret",
         "is empty; give a value, or leave the field out"},
        {"{'cloud': 'enos', 'productKey': 'a', 'productSecret': 'a\\tb'}",
         "/products/0/productSecret", "control character (byte 0x09)"},
        {"{'cloud': 'enos', 'productKey': 'a', 'forward': 'https://host:8443/in'}", NULL, NULL},
        {"{'cloud': 'enos', 'productKey': 'a', 'forward': 'host'}", "/products/0/forward",
         "is no URL"},
        {"{'cloud': 'enos', 'productKey': 'a', 'forward': 'http://'}", "/products/0/forward",
         "is no URL"},
        {"{'cloud': 'enos', 'productKey': 'a', 'assetId': 3}", "/products/0/assetId",
         "expected a string"},
        {"{'cloud': 'enos', 'productKey': 'a', 'dynamicActivation': true}",
         "/products/0/dynamicActivation", "\"productSecret\" is missing"},
        {"{'cloud': 'enos', 'productKey': 'a', 'dynamicActivation': 'yes'}",
         "/products/0/dynamicActivation", "expected true or false, this is a string"},
        {"{'cloud': 'enos', 'productKey': 'a', 'requireCertificate': 1}",
         "/products/0/requireCertificate", "expected true or false, this is a number"},
        {"{'cloud': 'enos', 'productKey': 'a', 'httpsAuth': null}", "/products/0/httpsAuth",
         "expected true or false, this is null"},
        {"{'cloud': 'enos', 'productKey': 'a', 'devices': {}}", "/products/0/devices",
         "expected a list, this is an object"},
        {"{'cloud': 'enos', 'productKey': 'a', 'topic': []}", "/products/0/topic",
         "did you mean \"topics\"?"},
        {"{'cloud': 'enos', 'productKey': 'a'}, {'cloud': 'aliyun', 'productKey': 'a'}", NULL,
         NULL},
        {"{'cloud': 'enos', 'productKey': 'a'}, {'cloud': 'enos', 'productKey': 'a'}",
         "/products/1/productKey", "\"a\" is already at /products/0"},
    };
    (void)state;
    expect(rows, SKY_COUNT(rows), "{'products': [", "]}");
}

static void says_what_is_wrong_with_a_device(void **state)
{
    static const struct row rows[] = {
        {"{'deviceName': 'd'}", NULL, NULL},
        {"'d'", "/products/0/devices/0", "expected an object, this is a string"},
        {"{}", "/products/0/devices/0", "\"deviceName\" is missing"},
        {"{'deviceName': '#'}", "/products/0/devices/0/deviceName", "has '#' in it"},
        {"{'deviceName': 'd', 'deviceKey': 'd'}", "/products/0/devices/0/deviceKey",
         "did you mean \"deviceName\"?"},
        {"{'deviceName': 'd', 'deviceSecret': 'd'}", "/products/0/devices/0/deviceSecret",
         "did you mean \"psk\"?"},
        {"{'deviceName': 'd', 'enable': true}", "/products/0/devices/0/enable",
         "did you mean \"enabled\"?"},
        {"{'deviceName': 'd', 'colour': 1}", "/products/0/devices/0/colour",
         "known here: deviceName, psk, enabled, certificate, assetId, shadow"},
        {"{'deviceName': 'd', 'psk': ''}", "/products/0/devices/0/psk", "is empty"},
        {"{'deviceName': 'd', 'psk': 'bad one'}", "/products/0/devices/0/psk",
         "not a secret of this cloud"},
        {"{'deviceName': 'd', 'psk': []}", "/products/0/devices/0/psk", "this is a list"},
        {"{'deviceName': 'd', 'enabled': 0}", "/products/0/devices/0/enabled",
         "expected true or false, this is a number"},
        {"{'deviceName': 'd', 'assetId': ''}", "/products/0/devices/0/assetId", "is empty"},
        {"{'deviceName': 'd', 'certificate': 'abc'}", "/products/0/devices/0/certificate",
         "64 hexadecimal digits"},
        {"{'deviceName': 'd', 'certificate': '-----BEGIN CERTIFICATE-----'}",
         "/products/0/devices/0/certificate", "the certificate is cut short"},
        {"{'deviceName': 'd', 'shadow': 'x'}", "/products/0/devices/0/shadow",
         "expected an object"},
        {"{'deviceName': 'd', 'shadow': {'reported': [1]}}",
         "/products/0/devices/0/shadow/reported", "no lists here"},
        {"{'deviceName': 'd'}, {'deviceName': 'e'}, {'deviceName': 'd'}",
         "/products/0/devices/2/deviceName", "\"d\" is already in this product, at index 0"},
    };
    (void)state;
    expect(rows, SKY_COUNT(rows),
           "{'products': [{'cloud': 'tencent', 'productId': 'p', 'devices': [", "]}]}");
}

static void says_what_is_wrong_with_a_topic(void **state)
{
    static const struct row rows[] = {
        {"{'topic': '/a/+/b/#', 'pub': true}", NULL, NULL},
        {"{'topic': '$shadow/${productId}${deviceName}', 'sub': true}", NULL, NULL},
        {"'/a'", "/products/0/topics/0", "expected an object"},
        {"{'pub': true}", "/products/0/topics/0", "\"topic\" is missing"},
        {"{'topic': '', 'pub': true}", "/products/0/topics/0/topic", "is empty"},
        {"{'topic': '/a'}", "/products/0/topics/0", "set \"pub\" or \"sub\" to true"},
        {"{'topic': '/a', 'pub': false, 'sub': false}", "/products/0/topics/0",
         "set \"pub\" or \"sub\" to true"},
        {"{'topic': '/a', 'pub': 'yes', 'sub': true}", "/products/0/topics/0/pub",
         "expected true or false"},
        {"{'topic': '/a', 'pub': true, 'qos': 1}", "/products/0/topics/0/qos",
         "known here: topic, pub, sub"},
        {"{'topic': '/${device', 'pub': true}", "/products/0/topics/0/topic", "without its '}'"},
        {"{'topic': '/${name}/x', 'pub': true}", "/products/0/topics/0/topic",
         "unknown placeholder {name}; use ${productKey} or ${deviceName}"},
        {"{'topic': '/a#', 'pub': true}", "/products/0/topics/0/topic", "whole level"},
        {"{'topic': '/#/b', 'pub': true}", "/products/0/topics/0/topic", "whole last one"},
        {"{'topic': '/#/', 'pub': true}", "/products/0/topics/0/topic", "whole last one"},
        {"{'topic': '/a+/b', 'pub': true}", "/products/0/topics/0/topic", "whole level"},
        {"{'topic': '/{device}', 'pub': true}, {'topic': '/${deviceName}', 'sub': true}",
         "/products/0/topics/1/topic", "the same topic is at index 0"},
    };
    (void)state;
    expect(rows, SKY_COUNT(rows),
           "{'products': [{'cloud': 'aliyun', 'productKey': 'p', 'topics': [", "]}]}");
}

static void says_what_is_wrong_with_a_rule(void **state)
{
    static const struct row rows[] = {
        {"{'A': 'report', 'B': 'off'}", NULL, NULL},
        {"['A=report', 'B=off']", NULL, NULL},
        {"'A=report'", "/products/0/rules", "expected an object or a list, this is a string"},
        {"{'A': true}", "/products/0/rules/A", "expected a string"},
        {"{'A': 'never'}", "/products/0/rules/A", "no such rule or action: A=never"},
        {"['A=off', 'B']", "/products/0/rules/1", "no such rule or action: B"},
        {"['A=off', 'A=report']", "/products/0/rules/1", "second override"},
        {"['A\\n=off']", "/products/0/rules/0", "in one line"},
        {"[1]", "/products/0/rules/0", "expected a string"},
    };
    (void)state;
    expect(rows, SKY_COUNT(rows),
           "{'products': [{'cloud': 'aliyun', 'productKey': 'p', 'rules': ", "}]}");
}

static void says_what_is_wrong_with_a_gateways_product(void **state)
{
    static const struct row rows[] = {
        {"'cloud': 'aliyun', 'nodeType': 'device'", NULL, NULL},
        {"'cloud': 'aliyun', 'nodeType': 'sub-device'", NULL, NULL},
        {"'cloud': 'aliyun', 'nodeType': 'gateway', 'subProducts': ['a', 'b']", NULL, NULL},
        {"'cloud': 'aliyun', 'nodeType': 'gateway', 'subProducts': []", NULL, NULL},
        {"'cloud': 'plain', 'nodeType': 'device'", NULL, NULL},
        {"'cloud': 'aliyun', 'nodeType': 'Gateway'", "/products/0/nodeType",
         "unknown node type \"Gateway\"; known: device, gateway, sub-device"},
        {"'cloud': 'aliyun', 'nodeType': 1", "/products/0/nodeType",
         "expected a string, this is a number"},
        {"'cloud': 'aliyun', 'nodetype': 'gateway'", "/products/0/nodetype", "unknown field"},
        {"'cloud': 'plain', 'nodeType': 'gateway'", "/products/0/nodeType",
         "plain has no gateways"},
        {"'cloud': 'plain', 'nodeType': 'sub-device'", "/products/0/nodeType",
         "plain has no gateways"},
        {"'cloud': 'aliyun', 'subProducts': ['a']", "/products/0/subProducts",
         "set \"nodeType\" to \"gateway\""},
        {"'cloud': 'aliyun', 'nodeType': 'gateway', 'subProducts': 'a'", "/products/0/subProducts",
         "expected a list, this is a string"},
        {"'cloud': 'aliyun', 'nodeType': 'gateway', 'subProducts': ['a', 7]",
         "/products/0/subProducts/1", "expected a string, this is a number"},
        {"'cloud': 'aliyun', 'nodeType': 'gateway', 'subProducts': ['a/b']",
         "/products/0/subProducts/0", "has '/' in it"},
    };
    (void)state;
    expect(rows, SKY_COUNT(rows), "{'products': [{'productKey': 'p', ", "}]}");
}

static void says_what_is_wrong_with_texts_of_a_product(void **state)
{
    static const struct row rows[] = {
        {"'config': {'a': [1]}", NULL, NULL},
        {"'config': 'text'", NULL, NULL},
        {"'config': false", NULL, NULL},
        {"'config': null", NULL, NULL},
        {"'config': 1, 'config': 2", "/products/0/config", ""},
        {"'model': {'properties': []}", NULL, NULL},
        {"'model': {'properties': 'bad'}", "/products/0/model/properties/0", "no model of cloud 0"},
        {"'model': 7", "/products/0/model", "or the path of a file"},
        {"'model': []", "/products/0/model", "or the path of a file"},
        {"'model': null", "/products/0/model", "or the path of a file"},
        {"'model': 'model.json'", "/products/0/model",
         "files are read only for fixtures that are files themselves"},
        {"'forward': 'http://host'", NULL, NULL},
        {"'forward': {}", "/products/0/forward", "expected a string, this is an object"},
        {"'forward': 'ftp://host/'", "/products/0/forward", "is no URL"},
        {"'forward': ''", "/products/0/forward", "is no URL"},
        {"'models': {}", "/products/0/models", "did you mean \"model\"?"},
    };
    (void)state;
    expect(rows, SKY_COUNT(rows), "{'products': [{'cloud': 'aliyun', 'productKey': 'p', ", "}]}");
}

static void says_what_is_wrong_with_a_sub_device(void **state)
{
    static const struct row rows[] = {
        {"'aliyun', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': [{'productKey': 's', 'deviceName': 'd'},"
         " {'productKey': 's', 'deviceName': 'e'}]}]",
         NULL, NULL},
        {"'aliyun', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': []}]",
         NULL, NULL},
        {"'aliyun', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': {}}]",
         "/products/0/devices/0/subDevices", "expected a list, this is an object"},
        {"'aliyun', 'productKey': 'p', 'devices': [{'deviceName': 'g', 'subDevices': []}]",
         "/products/0/devices/0/subDevices", "set the product's \"nodeType\" to \"gateway\""},
        {"'aliyun', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': ['d']}]",
         "/products/0/devices/0/subDevices/0", "expected an object, this is a string"},
        {"'aliyun', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': [{'deviceName': 'd'}]}]",
         "/products/0/devices/0/subDevices/0", "\"productKey\" is missing"},
        {"'aliyun', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': [{'productKey': 's', 'deviceName': 'd/'}]}]",
         "/products/0/devices/0/subDevices/0/deviceName", "has '/' in it"},
        {"'tencent', 'productId': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': [{'productId': 's', 'deviceName': 'd', 'psk': 'x'}]}]",
         "/products/0/devices/0/subDevices/0/psk", "known here: productId, deviceName"},
        {"'tencent', 'productId': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': [{'productId': 's', 'productKey': 's', 'deviceName': 'd'}]}]",
         "/products/0/devices/0/subDevices/0/productKey", "did you mean \"productId\"?"},
        {"'aliyun', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': [{'productKey': 's', 'deviceName': 'd', 'product': 's'}]}]",
         "/products/0/devices/0/subDevices/0/product", "did you mean \"productKey\"?"},
        {"'enos', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceKey': 'g', "
         "'subDevices': [{'productKey': 's', 'deviceKey': 'd', 'deviceName': 'd'}]}]",
         "/products/0/devices/0/subDevices/0/deviceName", "did you mean \"deviceKey\"?"},
        {"'enos', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceKey': 'g', "
         "'subDevices': [{'productKey': 's', 'deviceKey': 'd'}]}, {'deviceKey': 'h', "
         "'subDevices': [{'productKey': 's', 'deviceKey': 'd'}]}]",
         NULL, NULL}, /* this cloud shares them */
        {"'enos', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceKey': 'g', "
         "'subDevices': [{'productKey': 's', 'deviceKey': 'd'},"
         " {'productKey': 's', 'deviceKey': 'd'}]}]",
         "/products/0/devices/0/subDevices/1", "s/d stands behind this gateway already"},
        {"'aliyun', 'productKey': 'p', 'nodeType': 'gateway', 'devices': [{'deviceName': 'g', "
         "'subDevices': [{'productKey': 's', 'deviceName': 'd'}]}, {'deviceName': 'h', "
         "'subDevices': [{'productKey': 's', 'deviceName': 'e'},"
         " {'productKey': 's', 'deviceName': 'd'}]}]",
         "/products/0/devices/1/subDevices/1", "s/d stands behind a gateway already"},
    };
    (void)state;
    expect(rows, SKY_COUNT(rows), "{'products': [{'cloud': ", "}]}");
}

static void reports_every_error_in_document_order(void **state)
{
    static const char *const pointers[] = {
        "/extra",
        "/products/0/productKey",
        "/products/0/devices/0/deviceSecrt",
        "/products/0/devices/1",
        "/products/0/devices/2/enabled",
        "/products/1/cloud",
        "/products/2/productSecret",
    };
    struct seed_record record;
    (void)state;
    sky_err err = check("{'extra': 1, 'products': ["
                        "{'cloud': 'enos', 'productKey': '', 'devices': ["
                        "  {'deviceKey': 'a', 'deviceSecrt': 's'}, 5, "
                        "  {'deviceKey': 'c', 'enabled': 'x'}]},"
                        "{'cloud': 'none', 'devices': [{}]},"
                        "{'cloud': 'enos', 'productKey': 'b', 'productSecret': 5}]}",
                        &record);
    assert_int_equal(err, SKY_ERR_INVALID);
    assert_int_equal(record.reported, SKY_COUNT(pointers));
    for (size_t i = 0; i < SKY_COUNT(pointers); i++)
        assert_string_equal(record.errors[i].pointer, pointers[i]);
    assert_string_equal(record.errors[2].reason,
                        "unknown field \"deviceSecrt\"; did you mean \"deviceSecret\"?");
}

static void counts_the_errors_it_does_not_report(void **state)
{
    struct seed_record record;
    struct sky_seed_config config = seed_config(&record);
    struct sky_seed_count count;
    struct sky_buf text;
    (void)state;
    sky_buf_init(&text, 8192);
    sky_buf_add_str(&text, "{\"products\": [1");
    for (int i = 0; i < SKY_SEED_ERRORS_MAX; i++)
        sky_buf_add_str(&text, ", 1");
    sky_buf_add_str(&text, "]}");
    assert_int_equal(sky_seed_load(NULL, sky_buf_span(&text), &config, &count), SKY_ERR_INVALID);
    assert_int_equal(record.reported, SKY_SEED_ERRORS_MAX);
    assert_int_equal(count.errors, SKY_SEED_ERRORS_MAX + 1);
    sky_buf_done(&text);
}

static void cuts_what_it_quotes_at_a_character_and_without_control_characters(void **state)
{
    char text[1024], name[201];
    struct seed_record record;
    (void)state;
    for (size_t i = 0; i < 200; i += 2)
        memcpy(name + i, "\xc3\xa4", 2);
    name[200] = '\0';
    snprintf(text, sizeof text, "{'products': [], 'x\\u001b%s': 1}", name);
    assert_int_equal(check(text, &record), SKY_ERR_INVALID);
    assert_non_null(strstr(record.errors[0].reason, "\"x?\xc3\xa4"));
    assert_non_null(strstr(record.errors[0].reason, "\xc3\xa4...\""));
    assert_null(strchr(record.errors[0].pointer, '\x1b'));
}

/* ---- limits: the last length that passes, the first that does not ---- */

static sky_err check_length(const char *format, size_t len)
{
    struct seed_record record;
    struct sky_buf text;
    char *value = sky_mem_new(len + 1);
    memset(value, 'a', len);
    sky_buf_init(&text, 1024 * 1024);
    size_t before = (size_t)(strchr(format, '@') - format);
    sky_buf_add(&text, sky_span_of(format, before));
    sky_buf_add_str(&text, value);
    sky_buf_add_str(&text, format + before + 1);
    sky_buf_add_byte(&text, 0);
    sky_err err = check(text.bytes, &record);
    if (err != SKY_OK && record.reported != 1)
        fail_msg("%s: %zu errors", format, record.reported);
    free(value);
    sky_buf_done(&text);
    return err;
}

static void bounds_every_text(void **state)
{
    static const struct {
        const char *format; /* '@' is where the text goes */
        size_t max;
    } rows[] = {
        {"{'products': [{'cloud': 'enos', 'productKey': '@'}]}", SKY_KEY_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'productSecret': '@'}]}",
         SKY_SECRET_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'assetId': '@'}]}", SKY_KEY_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'devices': [{'deviceKey': '@'}]}]}",
         SKY_KEY_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'devices': [{'deviceKey': 'd', "
         "'deviceSecret': '@'}]}]}",
         SKY_SECRET_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'devices': [{'deviceKey': 'd', "
         "'assetId': '@'}]}]}",
         SKY_KEY_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'topics': [{'topic': '@', "
         "'pub': true}]}]}",
         SKY_PATTERN_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'topics': [{'topic': "
         "'${deviceKey}@', 'pub': true}]}]}",
         SKY_PATTERN_MAX - sizeof "{device}" + 1},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'rules': {'@': 'off'}}]}",
         128 - sizeof "=off" + 1},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'devices': [{'deviceKey': 'd', "
         "'certificate': '@'}]}]}",
         SKY_FINGERPRINT_HEX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'devices': [{'deviceKey': 'd', "
         "'shadow': {'a': '@'}}]}]}",
         SKY_SEED_DOCUMENT_MAX - sizeof "2 shadow {\"a\":\"\"}" + 1},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'config': '@'}]}",
         SKY_SEED_CONFIG_MAX - 2},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'model': {'a': '@'}}]}",
         SKY_SEED_MODEL_MAX - sizeof "{\"a\":\"\"}" + 1},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'forward': 'http://host/@'}]}",
         SKY_URL_MAX - sizeof "http://host/" + 1},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'nodeType': 'gateway', "
         "'subProducts': ['@']}]}",
         SKY_KEY_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'nodeType': 'gateway', 'devices': "
         "[{'deviceKey': 'g', 'subDevices': [{'productKey': '@', 'deviceKey': 'd'}]}]}]}",
         SKY_KEY_MAX},
        {"{'products': [{'cloud': 'enos', 'productKey': 'k', 'nodeType': 'gateway', 'devices': "
         "[{'deviceKey': 'g', 'subDevices': [{'productKey': 'p', 'deviceKey': '@'}]}]}]}",
         SKY_KEY_MAX},
    };
    (void)state;
    for (size_t i = 0; i < SKY_COUNT(rows); i++) {
        if (check_length(rows[i].format, rows[i].max) != SKY_OK)
            fail_msg("%s: %zu bytes are refused", rows[i].format, rows[i].max);
        if (check_length(rows[i].format, rows[i].max + 1) != SKY_ERR_INVALID)
            fail_msg("%s: %zu bytes pass", rows[i].format, rows[i].max + 1);
    }
}

static sky_err check_many(const char *before, const char *element, size_t count, const char *after)
{
    struct seed_record record;
    struct sky_buf text;
    sky_buf_init(&text, 1024 * 1024);
    sky_buf_add_str(&text, before);
    for (size_t i = 0; i < count; i++) {
        const char *at = strchr(element, '@');
        sky_buf_addf(&text, "%s%.*s%zu%s", i ? "," : "", (int)(at - element), element, i, at + 1);
    }
    sky_buf_add_str(&text, after);
    sky_buf_add_byte(&text, 0);
    sky_err err = check(text.bytes, &record);
    sky_buf_done(&text);
    return err;
}

static void bounds_the_number_of_topics_and_rules(void **state)
{
    const char *topics = "{'products': [{'cloud': 'enos', 'productKey': 'k', 'topics': [";
    const char *topic = "{'topic': '/@', 'pub': true}";
    const char *rules = "{'products': [{'cloud': 'enos', 'productKey': 'k', 'rules': [";
    (void)state;
    assert_int_equal(check_many(topics, topic, SKY_PRODUCT_TOPICS_MAX, "]}]}"), SKY_OK);
    assert_int_equal(check_many(topics, topic, SKY_PRODUCT_TOPICS_MAX + 1, "]}]}"),
                     SKY_ERR_INVALID);
    assert_int_equal(check_many(rules, "'R@=off'", SKY_SEED_RULES_MAX, "]}]}"), SKY_OK);
    assert_int_equal(check_many(rules, "'R@=off'", SKY_SEED_RULES_MAX + 1, "]}]}"),
                     SKY_ERR_INVALID);
}

static void bounds_the_number_of_what_stands_behind_a_gateway(void **state)
{
    const char *products = "{'products': [{'cloud': 'aliyun', 'productKey': 'k', "
                           "'nodeType': 'gateway', 'subProducts': [";
    const char *devices = "{'products': [{'cloud': 'aliyun', 'productKey': 'k', "
                          "'nodeType': 'gateway', 'devices': [{'deviceName': 'g', 'subDevices': [";
    const char *device = "{'productKey': 's', 'deviceName': 'd@'}";
    (void)state;
    assert_int_equal(check_many(products, "'p@'", SKY_SEED_SUB_PRODUCTS_MAX, "]}]}"), SKY_OK);
    assert_int_equal(check_many(products, "'p@'", SKY_SEED_SUB_PRODUCTS_MAX + 1, "]}]}"),
                     SKY_ERR_INVALID);
    assert_int_equal(check_many(devices, device, SKY_SEED_SUB_DEVICES_MAX, "]}]}]}"), SKY_OK);
    assert_int_equal(check_many(devices, device, SKY_SEED_SUB_DEVICES_MAX + 1, "]}]}]}"),
                     SKY_ERR_INVALID);
}

static void bounds_the_whole_text(void **state)
{
    struct seed_record record;
    struct sky_seed_config config = seed_config(&record);
    struct sky_seed_count count;
    char *text = sky_mem_new(SKY_SEED_FILE_MAX + 1);
    (void)state;
    memset(text, ' ', SKY_SEED_FILE_MAX + 1);
    memcpy(text, "{\"products\": []}", 16);
    assert_int_equal(sky_seed_load(NULL, sky_span_of(text, SKY_SEED_FILE_MAX), &config, &count),
                     SKY_OK);
    assert_int_equal(sky_seed_load(NULL, sky_span_of(text, SKY_SEED_FILE_MAX + 1), &config, &count),
                     SKY_ERR_LIMIT);
    assert_int_equal(count.errors, 1);
    assert_non_null(strstr(record.errors[0].reason, "is the most"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong_with_the_whole_text),
        cmocka_unit_test(says_what_is_wrong_with_a_product),
        cmocka_unit_test(says_what_is_wrong_with_a_device),
        cmocka_unit_test(says_what_is_wrong_with_a_topic),
        cmocka_unit_test(says_what_is_wrong_with_a_rule),
        cmocka_unit_test(says_what_is_wrong_with_a_gateways_product),
        cmocka_unit_test(says_what_is_wrong_with_texts_of_a_product),
        cmocka_unit_test(says_what_is_wrong_with_a_sub_device),
        cmocka_unit_test(reports_every_error_in_document_order),
        cmocka_unit_test(counts_the_errors_it_does_not_report),
        cmocka_unit_test(cuts_what_it_quotes_at_a_character_and_without_control_characters),
        cmocka_unit_test(bounds_every_text),
        cmocka_unit_test(bounds_the_number_of_topics_and_rules),
        cmocka_unit_test(bounds_the_number_of_what_stands_behind_a_gateway),
        cmocka_unit_test(bounds_the_whole_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
