/* What the cloud is to see of the firmware. The server is the one of SKYMOCK_URL. */
#define SKYMOCK_IMPLEMENTATION /* before anything else is included */
#include "skymock.h"

#include <string.h>

#include "firmware.h"

#define REPORT "{\"id\": \"7\", \"version\": \"1.0\", \"params\": {\"temp\": 21.5}}"

static struct skymock server;
static struct skymock_device device;
static struct firmware firmware;

static void reports(void)
{
    if (firmware_report(&firmware, REPORT, 0) != 0)
        SKYMOCK_FAIL("the report was not acknowledged");
    SKYMOCK_ASSERT(
        skymock_verify(&server, device.id,
                       "{'event': {'type': 'publish', 'direction': 'up',"
                       "           'payload': {'pointer': '/params/temp', 'min': 20}}}"));
}

static void sends_again(void)
{
    firmware.persistent = 1;
    SKYMOCK_ASSERT(skymock_fault(&server, device.id,
                                 "{'point': 'puback-down', 'action': 'close', 'count': 1}"));
    if (firmware_report(&firmware, REPORT, 0) == 0)
        SKYMOCK_FAIL("the acknowledgement was to stay away");
    if (firmware_report(&firmware, REPORT, 1) != 0)
        SKYMOCK_FAIL("nor was it the second time");
    SKYMOCK_ASSERT(skymock_wait(&server, device.id, 1, 5000, "{'type': 'publish', 'dup': true}"));
}

int main(int argc, char **argv)
{
    char topic[2 * SKYMOCK_TEXT_MAX];

    SKYMOCK_ASSERT(skymock_start(&server, NULL));
    SKYMOCK_ASSERT(skymock_device_make(&server, &device, "aliyun/a1Example"));
    snprintf(topic, sizeof topic, "/sys/a1Example/%.100s/thing/event/property/post", device.key);
    firmware = (struct firmware){device.mqtt.port,
                                 device.mqtt.client_id,
                                 device.mqtt.username,
                                 device.mqtt.password,
                                 topic,
                                 0};
    if (argc == 2 && strcmp(argv[1], "sends-again") == 0)
        sends_again();
    else
        reports();
    SKYMOCK_ASSERT(skymock_passed(&server, device.id, 1)); /* it stays, for the verdict of all */
    skymock_stop(&server);
    return 0;
}
