/* The kit under Unity, of whose macros the two that are used stand here: a failure leaves the test.
 */
#include <setjmp.h>
#include <stdlib.h>

static jmp_buf unity_test;
static const char *unity_message;

#define TEST_FAIL_MESSAGE(message) (unity_message = (message), longjmp(unity_test, 1))
#define RUN_TEST(test) (unity_message = NULL, setjmp(unity_test) == 0 ? test() : (void)0)

#define SKYMOCK_FAIL(message) TEST_FAIL_MESSAGE(message)
#include "mqtt.h"
#include "skymock.h"

static struct skymock server;
static struct skymock_device device;

static void test_login(void)
{
    SKYMOCK_ASSERT(skymock_device_make(&server, &device, "tencent/PROD123456"));
    int fd = tcp_connect(device.mqtt.port);
    (void)mqtt_login(fd, device.mqtt.client_id, device.mqtt.username, device.mqtt.password,
                     device.keepalive_s);
    SKYMOCK_ASSERT(skymock_wait(&server, device.id, 1, 5000, "{'type': 'connack', 'code': 0}"));
    SKYMOCK_ASSERT(skymock_passed(&server, device.id, 0));
    close(fd);
}

static void test_that_fails(void)
{
    SKYMOCK_ASSERT(skymock_verify(&server, device.id, "{'event': {'type': 'subscribe'}}"));
}

int main(void)
{
    const struct skymock_options options = {.fixtures = SKY_SOURCE_DIR "/fixtures"};
    int failed = skymock_start(&server, &options);
    RUN_TEST(test_login);
    failed |= unity_message != NULL;
    if (failed)
        fprintf(stderr, "%s\n", unity_message != NULL ? unity_message : server.why);
    RUN_TEST(test_that_fails);
    failed |= unity_message == NULL || strstr(unity_message, "no subscribe") == NULL;
    if (unity_message != NULL)
        puts(unity_message);
    skymock_stop(&server);
    return failed;
}
