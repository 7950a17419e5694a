"""The application on the other side of the cloud: an MQTT client that may speak to every device."""

from cloud import verify
from device import Device

NAME = "aliyun/a1Example/thermostat"
APPLICATION = {"clientId": "app:tests", "username": "app", "password": "any"}
UP, DOWN = "/a1Example/thermostat/user/update", "/a1Example/thermostat/user/do"


def test_a_device_is_told_and_heard():
    with Device(NAME) as device, Device(None, APPLICATION) as application:
        assert device.online.wait(5) and application.online.wait(5)
        device.client.subscribe(DOWN, 1)
        application.client.subscribe(UP, 1)
        verify(event={"type": "suback", "device": NAME})
        verify(event={"type": "subscribe", "clientId": APPLICATION["clientId"]})

        application.publish(DOWN, "warmer").wait_for_publish(5)
        verify(event={"type": "puback", "direction": "up", "device": NAME})
        assert [message.payload for message in device.heard] == [b"warmer"]

        device.publish(UP, "21.5").wait_for_publish(5)
        verify(event={"type": "publish", "topic": UP, "device": NAME})
