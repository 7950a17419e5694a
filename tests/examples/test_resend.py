"""A message that the cloud does not acknowledge must be sent again (MQTT 3.1.1 §4.4)."""

from cloud import call, verify
from device import Device

NAME = "aliyun/a1Example/thermostat"
TOPIC = "/sys/a1Example/thermostat/thing/event/property/post"


def test_two_lost_acknowledgements():
    call("POST", "faults", {"name": "no-puback", "point": "puback-down", "action": "withhold",
                            "device": NAME, "count": 2})
    publish = {"type": "publish", "direction": "up", "device": NAME, "topic": TOPIC}
    with Device(NAME, clean=False) as device:
        message = device.publish(TOPIC, '{"id": "7", "params": {"temp": 22}}')
        for times in (1, 2):
            verify(event={"type": "fault", "device": NAME}, count={"min": times})
            call("POST", f"devices/{NAME}/disconnect")  # paho sends again when it comes back
        message.wait_for_publish(5)
        assert message.is_published()
    packet = {"packetId": message.mid, "qos": 1}
    verify(event={**publish, **packet}, count={"min": 3, "max": 3}, waitMs=0)
    verify(event={**publish, **packet, "dup": True}, count={"min": 2, "max": 2}, waitMs=0)
