"""The application on the other side of the cloud: an MQTT client that may speak to every device."""

from device import Device


def test_a_device_is_told_and_heard(skymock, skymock_device):
    login = skymock_device.mqtt
    as_application = login._replace(client_id="app:tests", username="app", password="any")
    up, down = (f"/{skymock_device.product}/{skymock_device.key}/user/{what}"
                for what in ("update", "do"))
    with Device(login) as device, Device(as_application) as application:
        assert device.online.wait(5) and application.online.wait(5)
        device.client.subscribe(down, 1)
        application.client.subscribe(up, 1)
        skymock_device.wait({"type": "suback"})
        skymock.wait({"type": "subscribe", "clientId": as_application.client_id})

        application.publish(down, "warmer").wait_for_publish(5)
        skymock_device.wait({"type": "puback", "direction": "up"})
        assert [message.payload for message in device.heard] == [b"warmer"]

        device.publish(up, "21.5").wait_for_publish(5)
        skymock_device.wait({"type": "publish", "topic": up})
