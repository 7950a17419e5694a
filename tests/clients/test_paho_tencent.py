"""Eclipse Paho as a device of Tencent IoT Hub: what its SDKs do beyond logging in."""

import base64
import hashlib
import hmac
import http.client
import json
import time

import clouds
import credentials
import pytest
import server
from clients import send_down
from test_paho import Device, connect  # noqa: F401  pylint: disable=unused-import

DEVICE, TOPIC = "tencent/PROD123456/dev001", "PROD123456/dev001/data"
QUEUE = 150


def waits(skymock, connect, count):  # noqa: F811
    """The device has left, and so many messages wait for it."""
    peer = connect(DEVICE, clean=False)
    assert peer.next() == ("connack", 0, False)
    peer.client.subscribe(TOPIC, 1)
    assert peer.next() == ("suback", 1)
    peer.stop()
    skymock.api.wait_event({"type": "disconnect", "device": DEVICE})
    for number in range(count):
        send_down(skymock.api, DEVICE, TOPIC, f"message {number}")


def test_what_waited_comes_one_by_one(skymock, connect):  # noqa: F811
    skymock.api.freeze()
    waits(skymock, connect, 3)
    peer = connect(DEVICE, clean=False)
    assert peer.next() == ("connack", 0, True)
    assert peer.next() == ("message", TOPIC, "message 0", 1)
    send_down(skymock.api, DEVICE, TOPIC, "new")
    skymock.api.advance(499)
    skymock.api.barrier()
    assert peer.happened.empty()
    skymock.api.advance(1)
    assert peer.next() == ("message", TOPIC, "message 1", 1)
    assert peer.happened.empty()
    skymock.api.advance(500)
    assert peer.next() == ("message", TOPIC, "message 2", 1)
    assert peer.next() == ("message", TOPIC, "new", 1)


def test_one_more_than_the_cloud_keeps_is_refused_to_its_sender(skymock, connect):  # noqa: F811
    waits(skymock, connect, QUEUE)
    try:
        send_down(skymock.api, DEVICE, TOPIC, "one too many")
    except server.ApiError as refused:
        assert refused.status == 409
    else:
        raise AssertionError("it was taken")



# ---- gateways ----

GATEWAY, UP = "tencent/GATEWAY001/gw", "$gateway/operation/GATEWAY001/gw"
DOWN = "$gateway/operation/result/GATEWAY001/gw"
SUB, SUB_DATA = "tencent/SUBDEVICE1/free", "SUBDEVICE1/free/data"


class Sdk(Device):
    """A device that does what the vendor's C SDK does."""

    def __init__(self, skymock, device):
        super().__init__(skymock, device, fields=credentials.login(device))
        assert self.next() == ("connack", 0, False)

    def subscribe(self, topic, qos=0):
        self.client.subscribe(topic, qos)
        assert self.next() == ("suback", qos)

    def says(self, topic, message, qos=0):
        self.client.publish(topic, json.dumps(message), qos)

    def hears(self, topic):
        kind, where, text, _ = self.next()
        assert (kind, where) == ("message", topic)
        return json.loads(text)

    def asks(self, up, message, down, qos=0):
        self.says(up, message, qos)
        return self.hears(down)


@pytest.fixture(scope="module")
def running():
    path, = [path for path in clouds.fixtures() if path.parent.name == "tencent"]
    server_of_ours = server.Skymock("--fixtures", str(path))
    yield server_of_ours
    server_of_ours.stop()


@pytest.fixture
def sdk(running):  # pylint: disable=redefined-outer-name
    """sdk(device) comes to a server as if just started."""
    running.api.reset()
    devices = []

    def come(device):
        devices.append(Sdk(running, device))
        return devices[-1]

    yield come
    for device in devices:
        device.stop()


def devices(kind, **more):
    return {"type": kind, "payload": {"devices": [
        {"product_id": "SUBDEVICE1", "device_name": "free", **more}]}}


def bind():
    seconds = int(time.time())
    key = credentials.SECRETS[SUB][0].encode()
    digest = hmac.new(key, f"SUBDEVICE1free;1804289383;{seconds}".encode(), hashlib.sha1).digest()
    return devices("bind", signature=base64.b64encode(digest).decode(), random=1804289383,
                   timestamp=seconds, signmethod="hmacsha1", authtype="psk")


def verdicts(api, *names):
    api.barrier()
    return [api.verdict(name)["devices"][0]["verdict"] for name in names]


def online(api, name):
    return api.get(f"/api/v1/devices/{name}")["online"]


def test_a_gateway_speaks_for_its_devices(running, sdk):  # pylint: disable=redefined-outer-name
    """As the C SDK's sample: every step waits for the answer of the one before."""
    gateway = sdk(GATEWAY)
    gateway.subscribe(DOWN)
    assert gateway.asks(UP, bind(), DOWN) == devices("bind", result=0)
    assert gateway.asks(UP, bind(), DOWN) == devices("bind", result=809)
    listed = gateway.asks(UP, {"type": "describe_sub_devices"}, DOWN)["payload"]["devices"]
    assert {"product_id": "SUBDEVICE1", "device_name": "free"} in listed and len(listed) == 3
    assert gateway.asks(UP, devices("online"), DOWN) == devices("online", result=0)
    assert online(running.api, SUB)
    gateway.subscribe(SUB_DATA)
    assert gateway.asks(SUB_DATA, {"n": 1}, SUB_DATA, qos=1) == {"n": 1}
    assert gateway.asks(UP, devices("offline"), DOWN) == devices("offline", result=0)
    assert not online(running.api, SUB)
    assert gateway.asks(UP, devices("unbind"), DOWN) == devices("unbind", result=0)
    assert verdicts(running.api, GATEWAY, SUB) == ["passed", "passed"]


def test_a_gateway_that_comes_back_says_nothing(running, sdk):  # pylint: disable=redefined-outer-name
    """The C SDK subscribes to its sub-devices' topics again, and never repeats that they are
    online."""
    gateway = sdk(GATEWAY)
    gateway.subscribe(DOWN)
    assert gateway.asks(UP, bind(), DOWN) == devices("bind", result=0)
    assert gateway.asks(UP, devices("online"), DOWN) == devices("online", result=0)
    gateway.subscribe(SUB_DATA)
    gateway.stop()
    running.api.wait_event({"type": "disconnect", "device": GATEWAY})
    assert not online(running.api, SUB)
    running.api.advance(5000)  # or it connects too often
    gateway = sdk(GATEWAY)
    gateway.subscribe(DOWN)
    gateway.subscribe(SUB_DATA)
    assert gateway.asks(SUB_DATA, {"n": 2}, SUB_DATA, qos=1) == {"n": 2}
    assert online(running.api, SUB)
    assert verdicts(running.api, GATEWAY, SUB) == ["passed", "passed"]


def test_who_says_nothing_at_all_is_told(running, sdk):  # pylint: disable=redefined-outer-name
    gateway = sdk(GATEWAY)
    gateway.subscribe(DOWN)
    assert gateway.asks(UP, bind(), DOWN) == devices("bind", result=0)
    gateway.subscribe(SUB_DATA)
    assert gateway.asks(SUB_DATA, {"n": 1}, SUB_DATA, qos=1) == {"n": 1}
    running.api.barrier()
    assert "warned" in verdicts(running.api, GATEWAY, SUB)
    assert "failed" not in verdicts(running.api, GATEWAY, SUB)


# ---- by HTTP ----

def test_what_is_published_by_http_is_the_devices(running, sdk):  # pylint: disable=redefined-outer-name
    """Other devices hear it, services answer it, and rights are the same."""
    def call(topic, payload):
        body = json.dumps({"ProductId": "PROD123456", "DeviceName": "dev001", "TopicName": topic,
                           "Payload": payload, "Qos": 1})
        digest = hashlib.sha256(body.encode()).hexdigest()
        text = f"POST\n127.0.0.1\n/device/publish\n\nhmacsha256\n1589786839\n5456\n{digest}"
        key = credentials.SECRETS[DEVICE][0].encode()
        signature = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest())
        connection = http.client.HTTPConnection("127.0.0.1", running.ports["https"])
        connection.request("POST", "/device/publish", body, {
            "X-TC-Algorithm": "hmacsha256", "X-TC-Timestamp": "1589786839", "X-TC-Nonce": "5456",
            "X-TC-Signature": signature.decode()})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["Response"]

    device = sdk(DEVICE)
    device.subscribe(TOPIC)
    assert "Error" not in call(TOPIC, '{"n": 1}')
    assert device.hears(TOPIC) == {"n": 1}
    down = "$thing/down/property/PROD123456/dev001"
    device.subscribe(down)
    call("$thing/up/property/PROD123456/dev001",
         '{"method":"report","clientToken":"h","params":{"lamp":1}}')
    assert device.hears(down)["code"] == 0
    assert verdicts(running.api, DEVICE) == ["passed"]
    assert call("PROD123456/dev002/event", "x")["Error"]["Code"] == "FailedOperation"
    assert verdicts(running.api, DEVICE) == ["failed"]
