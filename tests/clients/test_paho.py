"""Eclipse Paho for Python as a device: sessions kept, redelivery, many messages."""

import queue

import paho.mqtt.client as mqtt
import pytest
import server
from clients import DEVICES, EXCHANGES, send_down, sign


class Device:
    """A client whose callbacks land in a queue."""

    def __init__(self, skymock, device, clean=True, fields=None):
        fields = fields or sign(device)
        self.happened = queue.Queue()
        self.client = mqtt.Client(fields["clientId"], clean_session=clean, protocol=mqtt.MQTTv311)
        self.client.username_pw_set(fields["username"], fields["password"])
        self.client.on_connect = lambda c, u, flags, code: self.happened.put(
            ("connack", code, flags["session present"]))
        self.client.on_subscribe = lambda c, u, mid, codes: self.happened.put(
            ("suback", *codes))
        self.client.on_message = lambda c, u, message: self.happened.put(
            ("message", message.topic, message.payload.decode(), message.qos))
        self.client.on_disconnect = lambda c, u, code: self.happened.put(("gone",))
        self.client.connect("127.0.0.1", skymock.ports["mqtt"], keepalive=60)
        self.client.loop_start()

    def next(self):
        return self.happened.get(timeout=server.PATIENCE_S)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def connect(skymock):
    devices = []

    def connect_one(device, clean=True):
        devices.append(Device(skymock, device, clean))
        return devices[-1]

    yield connect_one
    for device in devices:
        device.stop()


@pytest.mark.parametrize("cloud", EXCHANGES)
def test_round_trip(connect, cloud):
    device, topic, answer_topic, payload = EXCHANGES[cloud]
    peer = connect(device)
    assert peer.next() == ("connack", 0, False)
    peer.client.subscribe(answer_topic, 1)
    assert peer.next() == ("suback", 1)
    peer.client.publish(topic, payload, 1).wait_for_publish(server.PATIENCE_S)
    kind, where, _, _ = peer.next()
    assert (kind, where) == ("message", answer_topic)


def test_what_came_while_away_is_there_on_return(skymock, connect):
    device, _, topic, _ = EXCHANGES["aliyun"]
    peer = connect(device, clean=False)
    assert peer.next() == ("connack", 0, False)
    peer.client.subscribe(topic, 1)
    assert peer.next() == ("suback", 1)
    peer.stop()
    skymock.api.wait_event({"type": "disconnect", "device": device})
    for number in range(20):
        send_down(skymock.api, device, topic, f"message {number}")
    peer = connect(device, clean=False)
    assert peer.next() == ("connack", 0, True)
    for number in range(20):
        assert peer.next() == ("message", topic, f"message {number}", 1)


def test_a_thousand_messages_arrive_in_order(connect):
    device, topic, answer_topic, _ = EXCHANGES["tencent"]
    peer = connect(device)
    assert peer.next() == ("connack", 0, False)
    peer.client.subscribe(answer_topic, 1)
    assert peer.next() == ("suback", 1)
    for number in range(1000):
        peer.client.publish(topic, str(number), 1)
    for number in range(1000):
        assert peer.next()[2] == str(number)


@pytest.mark.parametrize("cloud", DEVICES)
def test_a_second_client_takes_over(connect, cloud):
    first = connect(DEVICES[cloud])
    assert first.next() == ("connack", 0, False)
    second = connect(DEVICES[cloud])
    assert second.next()[:2] == ("connack", 0)
    assert first.next() == ("gone",)
    first.client.loop_stop()
