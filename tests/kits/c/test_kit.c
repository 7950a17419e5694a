/* The kit against skymock: a device that speaks MQTT by hand, and what a test wants to know of it.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include <setjmp.h>

#include <cmocka.h>

#define SKYMOCK_FAIL(message) (fputs(message, stderr), fail())
#include "mqtt.h"
#include "skymock.h"

static struct skymock server;
static struct skymock_device device;

static int start(void **state)
{
    const struct skymock_options options = {.fixtures = SKY_SOURCE_DIR "/fixtures"};
    (void)state;
    SKYMOCK_ASSERT(skymock_start(&server, &options));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    skymock_stop(&server);
    return 0;
}

static int make(void **state)
{
    (void)state;
    SKYMOCK_ASSERT(skymock_device_make(&server, &device, "aliyun/pk"));
    return 0;
}

static int take_away(void **state)
{
    (void)state;
    SKYMOCK_ASSERT(skymock_device_remove(&server, &device));
    return 0;
}

static int log_in(const struct skymock_login *login)
{
    int fd = tcp_connect(login->port);
    assert_true(fd >= 0);
    assert_int_equal(
        mqtt_login(fd, login->client_id, login->username, login->password, device.keepalive_s), 0);
    return fd;
}

static void says(const char *words)
{
    if (strstr(server.why, words) == NULL)
        fail_msg("no '%s' in: %s", words, server.why);
}

static void test_device_of_each_cloud_logs_in(void **state)
{
    static const char *const products[] = {"aliyun/pk", "tencent/PROD123456", "enos/KV315idW"};
    (void)state;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        SKYMOCK_ASSERT(skymock_device_make(&server, &device, products[i]));
        assert_true(device.secret[0] != '\0' && device.psk_identity[0] != '\0');
        assert_int_equal(device.psk_key_len * 2, strlen(device.psk_key_hex));
        assert_true(device.mqtts.port != 0 && device.mqtts.port != device.mqtt.port);
        int fd = log_in(&device.mqtt);
        SKYMOCK_ASSERT(skymock_wait(&server, device.id, 1, 5000, "{'type': 'connack', 'code': 0}"));
        SKYMOCK_ASSERT(skymock_passed(&server, device.id, 0));
        SKYMOCK_ASSERT(skymock_disconnect(&server, device.id));
        close(fd);
        SKYMOCK_ASSERT(skymock_device_remove(&server, &device));
        assert_int_equal(skymock_disconnect(&server, device.id), 1);
        assert_int_equal(server.status, 404);
    }
    assert_string_equal(device.cloud, "enos");
    assert_int_equal(device.mqtt.port, skymock_port(&server, "enos-mqtt"));
}

static void test_publish_is_seen_and_read(void **state)
{
    char topic[2 * SKYMOCK_TEXT_MAX + 32], text[64];
    long long seq, number;
    (void)state;
    int fd = log_in(&device.mqtt);
    snprintf(topic, sizeof topic, "/%s/%s/user/update", device.product_key, device.key);
    assert_int_equal(mqtt_publish(fd, topic, "{\"t\":21,\"who\":\"it's \\u00e9\"}"), 0);
    SKYMOCK_ASSERT(skymock_wait(
        &server, device.id, 1, 5000,
        "{'type': 'publish', 'topic': '%s', 'payload': {'json': {'t': %d}}}", topic, 21));
    SKYMOCK_ASSERT(skymock_get_text(server.answer, "/events/0/topic", text, sizeof text));
    assert_string_equal(text, topic);
    SKYMOCK_ASSERT(skymock_get_int(server.answer, "/events/0/seq", &seq));
    SKYMOCK_ASSERT(skymock_verify(&server, device.id,
                                  "{'sequence': [{'type': 'connect'}, {'type': 'publish'}]}"));
    assert_int_equal(skymock_get_count(server.answer, "/events"), 2);
    SKYMOCK_ASSERT(skymock_get_int(server.answer, "/events/1", &number));
    assert_int_equal(number, seq);
    SKYMOCK_ASSERT(skymock_absent(&server, device.id, 20, "{'type': 'subscribe'}"));
    close(fd);
}

static void test_claims_that_fail_say_why(void **state)
{
    (void)state;
    close(log_in(&device.mqtt));
    assert_int_equal(
        skymock_verify(&server, device.id, "{'event': {'type': 'connect', 'keepAlive': 61}}"), 1);
    says("/keepAlive is 120, not 61");
    assert_int_equal(
        skymock_verify(&server, device.id, "{'event': {'type': 'connack', 'topic': '/a/b'}}"), 1);
    says("/topic is nothing, not \"/a/b\"");
    assert_int_equal(skymock_absent(&server, device.id, 0, "{'type': 'connect'}"), 1);
    assert_int_equal(server.status, 406);
    assert_int_equal(skymock_wait(&server, device.id, 2, 20, "{'type': 'connack'}"), 1);
    says("1 of 2 came within 20 ms");
    says(device.key);
    says("connack down");
}

static void test_errors_of_the_api_are_told(void **state)
{
    (void)state;
    assert_int_equal(skymock_fault(&server, device.id, "{'point': 'nowhere', 'action': 'close'}"),
                     1);
    says("there is no point 'nowhere'");
    says("/point");
    assert_int_equal(skymock_verify(&server, NULL, "{'event': {'typ': 'connect'}}"), 1);
    says("/event/typ");
    assert_int_equal(skymock_verify(&server, NULL, "{'event': "), 1);
    assert_int_equal(server.status, 400);
    assert_int_equal(skymock_ask(&server, "GET", "nothing"), 1);
    assert_int_equal(server.status, 404);
    struct skymock_device none;
    assert_int_equal(skymock_device_make(&server, &none, "nobody"), -1);
    says("'nobody' is no product: give cloud/product, as \"aliyun/pk\"");
    assert_int_equal(skymock_device_remove(&server, &none), 0);
    assert_int_equal(skymock_device_make(&server, &none, "aliyun/none"), 1);
}

static void test_refusal_is_explained(void **state)
{
    FILE *file = tmpfile();
    char text[8192];
    (void)state;
    assert_int_equal(skymock_verdict(&server, device.id), SKYMOCK_NOT_EXERCISED);
    assert_int_equal(skymock_passed(&server, device.id, 0), 1);
    int fd = tcp_connect(device.mqtt.port);
    assert_int_equal(mqtt_login(fd, device.mqtt.client_id, device.mqtt.username, "00", 120), 4);
    close(fd);
    assert_int_equal(skymock_verdict(&server, device.id), SKYMOCK_FAILED);
    says("2 hexadecimal digits are no digest");
    assert_int_equal(skymock_passed(&server, device.id, 0), 1);
    skymock_report(file);
    says("2 hexadecimal digits are no digest"); /* as it was */
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_non_null(strstr(text, "2 hexadecimal digits are no digest"));
    assert_non_null(strstr(text, "connack down"));
}

static void test_what_is_expected_does_not_count(void **state)
{
    (void)state;
    SKYMOCK_ASSERT(skymock_expect(&server, device.id, "{'rule': 'ALI-SIGN'}"));
    int fd = tcp_connect(device.mqtt.port);
    assert_int_equal(mqtt_login(fd, device.mqtt.client_id, device.mqtt.username, "00", 120), 4);
    close(fd);
    close(log_in(&device.mqtt));
    assert_int_not_equal(skymock_verdict(&server, device.id), SKYMOCK_FAILED);
}

static void test_faults_come_and_go(void **state)
{
    long long id;
    (void)state;
    SKYMOCK_ASSERT(skymock_fault(&server, device.id,
                                 "{'name': '%s', 'point': 'connack', 'action': 'set', 'code': %d}",
                                 "it's \"busy\"", 3));
    SKYMOCK_ASSERT(skymock_get_int(server.answer, "/id", &id));
    int fd = tcp_connect(device.mqtt.port);
    assert_int_equal(
        mqtt_login(fd, device.mqtt.client_id, device.mqtt.username, device.mqtt.password, 120), 3);
    close(fd);
    SKYMOCK_ASSERT(skymock_clear(&server, device.id));
    close(log_in(&device.mqtt));
}

/* What a format writes is what the server reads. */
static void test_formats(void **state)
{
    static const char name[] = "it's \"busy\" \\ 100 % \t\xc3\xa9";
    char text[64];
    long long number;
    (void)state;
    SKYMOCK_ASSERT(skymock_fault(
        &server, device.id,
        "{\"name\": \"%s\", 'point': 'connack', 'action': '%s%s', 'ms': %d, 'skip': %lu, 'count': "
        "%zu, 'seed': %lld, 'probability': %g, 'forMs': %u, 'match': %s}",
        name, "de", "lay", 7, 8UL, (size_t)9, 1LL << 40, 0.25, 10U, "{\"qos\":[0,1]}"));
    SKYMOCK_ASSERT(skymock_ask(&server, "GET", "faults"));
    const char *fault = skymock_find(server.answer, "/faults/0");
    assert_int_equal(skymock_get_text(fault, "/name", text, sizeof text), 0);
    assert_string_equal(text, name);
    assert_int_equal(skymock_get_text(fault, "/action", text, sizeof text), 0);
    assert_string_equal(text, "delay");
    assert_int_equal(skymock_get_int(fault, "/ms", &number) | (number != 7), 0);
    assert_int_equal(skymock_get_int(fault, "/skip", &number) | (number != 8), 0);
    assert_int_equal(skymock_get_int(fault, "/count", &number) | (number != 9), 0);
    assert_int_equal(skymock_get_int(fault, "/seed", &number) | (number != 1LL << 40), 0);
    assert_int_equal(skymock_get_text(fault, "/probability", text, sizeof text), 0);
    assert_string_equal(text, "0.25");
    assert_int_equal(skymock_get_count(fault, "/match/qos"), 2);
    SKYMOCK_ASSERT(
        skymock_verify(&server, device.id, "{'absent': {'clientId': 'it\\u0027s 100 %%'}}"));
    SKYMOCK_ASSERT(skymock_clear(&server, "aliyun/pk"));
    SKYMOCK_ASSERT(skymock_ask(&server, "GET", "faults"));
    assert_int_equal(skymock_get_count(server.answer, "/faults"), 0);
}

static void test_clock_moves(void **state)
{
    long long before, after;
    (void)state;
    SKYMOCK_ASSERT(skymock_freeze(&server));
    SKYMOCK_ASSERT(skymock_now(&server, &before));
    SKYMOCK_ASSERT(skymock_advance(&server, 3600000));
    SKYMOCK_ASSERT(skymock_now(&server, &after));
    assert_int_equal(after - before, 3600000);
    SKYMOCK_ASSERT(skymock_set_time(&server, 4000000000000));
    SKYMOCK_ASSERT(skymock_now(&server, &after));
    assert_int_equal(after, 4000000000000);
    SKYMOCK_ASSERT(skymock_resume(&server));
    SKYMOCK_ASSERT(skymock_reset(&server, NULL));
}

static void test_cloud_speaks_to_the_device(void **state)
{
    (void)state;
    assert_int_equal(skymock_message(&server, device.id, "{'topic': '/%s/%s/user/get'}",
                                     device.product_key, device.key),
                     1);
    assert_int_equal(server.status, 409);
    assert_int_equal(
        skymock_command(&server, device.id, "{'kind': 'property-set', 'params': {}, 'waitMs': 0}"),
        1);
    assert_int_equal(server.status, 409);
    SKYMOCK_ASSERT(skymock_shadow(&server, device.id, "{'desired': {'lamp': 'on'}}"));
    SKYMOCK_ASSERT(skymock_change(&server, device.id, "{'enabled': false}"));
    int fd = tcp_connect(device.mqtt.port);
    assert_int_not_equal(
        mqtt_login(fd, device.mqtt.client_id, device.mqtt.username, device.mqtt.password, 120), 0);
    close(fd);
}

static void test_snapshots(void **state)
{
    (void)state;
    SKYMOCK_ASSERT(skymock_snapshot(&server, "before", "aliyun/pk"));
    SKYMOCK_ASSERT(skymock_change(&server, device.id, "{'enabled': false}"));
    SKYMOCK_ASSERT(skymock_restore(&server, "before", "aliyun/pk"));
    assert_int_equal(skymock_ask(&server, "DELETE", "snapshots/before?product=aliyun/pk"), 0);
}

static void test_authority_is_a_file(void **state)
{
    char line[64] = "";
    (void)state;
    const char *path = skymock_ca_file(&server);
    assert_non_null(path);
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_string_equal(line, "-----BEGIN CERTIFICATE-----\n");
}

static void test_answers_of_a_megabyte(void **state)
{
    char topic[2 * SKYMOCK_TEXT_MAX + 32], payload[1800];
    (void)state;
    int fd = log_in(&device.mqtt);
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    snprintf(topic, sizeof topic, "/%s/%s/user/update", device.product_key, device.key);
    for (int i = 0; i < 500; i++)
        assert_int_equal(mqtt_publish(fd, topic, payload), 0);
    SKYMOCK_ASSERT(skymock_wait(&server, device.id, 500, 10000, "{'type': 'publish'}"));
    assert_true(server.answer_len > 500 * 1800);
    assert_int_equal(skymock_get_count(server.answer, "/events"), 500);
    close(fd);
}

static void test_who_is_nobody_is_not_everybody(void **state)
{
    (void)state;
    SKYMOCK_ASSERT(skymock_fault(&server, device.id, "{'point': 'connack', 'action': 'close'}"));
    assert_int_equal(skymock_clear(&server, ""), -1);
    says("'' is nobody: give cloud/product/key (device.id), cloud/product, or NULL");
    assert_int_equal(skymock_verify(&server, "pk", "{'absent': {'type': 'fault'}}"), -1);
    assert_int_equal(skymock_wait(&server, "pk", 1, 0, "{'type': 'registry'}"), -1);
    assert_int_equal(skymock_passed(&server, "pk", 0), -1);
    says("'pk' is nobody");
    SKYMOCK_ASSERT(skymock_ask(&server, "GET", "faults"));
    assert_int_equal(skymock_get_count(server.answer, "/faults"), 1);
}

static int start_that_fails(void **state)
{
    struct skymock none;
    (void)state;
    SKYMOCK_ASSERT(skymock_start(&none, &(struct skymock_options){.program = "/no/skymock"}));
    return 0;
}

static void test_that_fails(void **state)
{
    char text[4096];
    (void)state;
    memset(text, '.', sizeof text);
    memcpy(text + sizeof text - 5, "END\n", 5);
    SKYMOCK_FAIL(text);
}

/* In a process of its own, what CMocka prints. */
static void test_failures_are_told_whole_and_in_setups_too(void **state)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_that_fails)};
    char text[16384];
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(fileno(file), 1);
        (void)dup2(fileno(file), 2);
        (void)cmocka_run_group_tests(tests, NULL, NULL);
        (void)cmocka_run_group_tests(tests, start_that_fails, NULL);
        fflush(NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_non_null(strstr(text, "....END\n"));
    assert_non_null(strstr(text, "no program /no/skymock"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device_of_each_cloud_logs_in),
        cmocka_unit_test_setup_teardown(test_publish_is_seen_and_read, make, take_away),
        cmocka_unit_test_setup_teardown(test_claims_that_fail_say_why, make, take_away),
        cmocka_unit_test_setup_teardown(test_errors_of_the_api_are_told, make, take_away),
        cmocka_unit_test_setup_teardown(test_who_is_nobody_is_not_everybody, make, take_away),
        cmocka_unit_test(test_failures_are_told_whole_and_in_setups_too),
        cmocka_unit_test_setup_teardown(test_refusal_is_explained, make, take_away),
        cmocka_unit_test_setup_teardown(test_what_is_expected_does_not_count, make, take_away),
        cmocka_unit_test_setup_teardown(test_faults_come_and_go, make, take_away),
        cmocka_unit_test_setup_teardown(test_formats, make, take_away),
        cmocka_unit_test_setup_teardown(test_clock_moves, make, take_away),
        cmocka_unit_test_setup_teardown(test_cloud_speaks_to_the_device, make, take_away),
        cmocka_unit_test_setup_teardown(test_snapshots, make, take_away),
        cmocka_unit_test(test_authority_is_a_file),
        cmocka_unit_test_setup_teardown(test_answers_of_a_megabyte, make, take_away),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
