"""A message that the cloud does not acknowledge must be sent again (MQTT 3.1.1 §4.4)."""

from device import Device


def test_two_lost_acknowledgements(skymock_device):
    skymock_device.fault("puback-down", "withhold", name="no-puback", count=2)
    topic = f"/sys/{skymock_device.product}/{skymock_device.key}/thing/event/property/post"
    publish = {"type": "publish", "direction": "up", "topic": topic}
    with Device(skymock_device.mqtt, clean=False) as device:
        message = device.publish(topic, '{"id": "7", "params": {"temp": 22}}')
        for times in (1, 2):
            skymock_device.wait({"type": "fault"}, count=times)
            skymock_device.disconnect()  # paho sends again when it comes back
        message.wait_for_publish(5)
        assert message.is_published()
    packet = {"packetId": message.mid, "qos": 1}
    skymock_device.verify({**publish, **packet}, count=3)
    skymock_device.verify({**publish, **packet, "dup": True}, count=2)
