"""Eclipse Paho as a device of Tencent IoT Hub: what its SDKs do beyond logging in."""

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.parse

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


# ---- upgrades and configuration ----

def fetch(url, total, start=0):
    """As the C SDK downloads: the last position of its range is one too high."""
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port)
    connection.request("GET", where.path, headers={
        "Range": f"bytes={start}-{total}", "Accept-Encoding": "gzip, deflate"})
    answer = connection.getresponse()
    assert answer.status in (200, 206) and "Content-Encoding" not in answer.headers
    body = answer.read()
    connection.close()
    return body


def progress(version, state, percent=None, code="0"):
    """Numbers are texts here; what is said of a failure is the same whatever it was."""
    told = {"state": state, "result_code": code,
            "result_msg": "time_out" if code != "0" else ""}
    if percent is not None:
        told["percent"] = str(percent)
    return {"type": "report_progress", "report": {"progress": told, "version": version}}


def upgraded(running, speaker, name, topics):  # pylint: disable=redefined-outer-name
    """One upgrade from 1.0.0 to 1.1.0 to its end; `speaker` speaks for the device `name`."""
    up, down = topics
    path = f"/api/v1/devices/{name}/ota"
    speaker.subscribe(down, 1)
    report = {"type": "report_version", "report": {"version": "1.0.0"}}
    assert speaker.asks(up, report, down, qos=1) == {
        "result_code": 0, "result_msg": "success", "type": "report_version_rsp",
        "version": "1.0.0"}
    running.api.post(path, {"version": "1.1.0", "size": 20_000})
    told = speaker.hears(down)
    assert list(told) == ["file_size", "md5sum", "type", "url", "version"]
    assert told["type"] == "update_firmware" and told["version"] == "1.1.0"
    speaker.says(up, progress("1.1.0", "downloading", 0))
    half = fetch(told["url"], told["file_size"])[:10_000]
    # It loses its way here and reports again: it is told again, and goes on from where it was.
    speaker.says(up, report, qos=1)
    answers = [speaker.hears(down), speaker.hears(down)]
    assert {each["type"] for each in answers} == {"report_version_rsp", "update_firmware"}
    again, = [each for each in answers if each["type"] == "update_firmware"]
    image = half + fetch(again["url"], again["file_size"], len(half))
    assert len(image) == again["file_size"]
    assert hashlib.md5(image).hexdigest() == again["md5sum"] == told["md5sum"]
    speaker.says(up, progress("1.1.0", "downloading", 100))
    speaker.says(up, progress("1.1.0", "burning"), qos=1)
    speaker.says(up, progress("1.1.0", "done"), qos=1)
    running.api.wait_event({"type": "upgrade", "device": name, "state": "succeeded"})
    report["report"]["version"] = "1.1.0"
    assert speaker.asks(up, report, down, qos=1)["type"] == "report_version_rsp"
    shown = running.api.get(path)
    assert shown["upgrades"][0]["state"] == "succeeded"


def test_a_device_is_upgraded(running, sdk):  # pylint: disable=redefined-outer-name
    upgraded(running, sdk(DEVICE), DEVICE,
             ("$ota/report/PROD123456/dev001", "$ota/update/PROD123456/dev001"))
    assert verdicts(running.api, DEVICE) == ["passed"]


def test_a_gateway_upgrades_a_device_behind_it(running, sdk):  # pylint: disable=redefined-outer-name
    gateway = sdk(GATEWAY)
    gateway.subscribe(DOWN)
    assert gateway.asks(UP, bind(), DOWN) == devices("bind", result=0)
    assert gateway.asks(UP, devices("online"), DOWN) == devices("online", result=0)
    upgraded(running, gateway, SUB,
             ("$ota/report/SUBDEVICE1/free", "$ota/update/SUBDEVICE1/free"))
    assert verdicts(running.api, GATEWAY, SUB) == ["passed", "passed"]


@pytest.mark.parametrize("code, reason", [
    ("-1", "timed out"), ("-2", "404"), ("-3", "403"), ("-4", "MD5"), ("-5", "upgrade failed")])
def test_an_upgrade_fails(running, sdk, code, reason):  # pylint: disable=redefined-outer-name
    device = sdk(DEVICE)
    up, down = "$ota/report/PROD123456/dev001", "$ota/update/PROD123456/dev001"
    device.subscribe(down, 1)
    device.asks(up, {"type": "report_version", "report": {"version": "1.0.0"}}, down, qos=1)
    running.api.post(f"/api/v1/devices/{DEVICE}/ota", {"version": "1.1.0", "size": 10})
    device.hears(down)
    device.says(up, progress("1.1.0", "fail", code=code), qos=1)
    running.api.wait_event({"type": "upgrade", "device": DEVICE, "state": "failed"})
    upgrade, = running.api.get(f"/api/v1/devices/{DEVICE}/ota")["upgrades"]
    assert upgrade["state"] == "failed" and reason in upgrade["reason"]
    assert verdicts(running.api, DEVICE) == ["passed"]


@pytest.mark.parametrize("up, down", [
    ("$config/operation/MODELLED01/dev001", "$config/operation/result/MODELLED01/dev001"),
    ("$config/report/MODELLED01/dev001", "$config/update/MODELLED01/dev001"),
    ("$config/report/MODELLED01/dev001", "$config/operation/result/MODELLED01/dev001")])
def test_a_device_is_configured(running, sdk, up, down):  # pylint: disable=redefined-outer-name
    """As the C SDK of today, as that of yesterday, as the Java SDK, which mixes both."""
    name = "tencent/MODELLED01/dev001"
    device = sdk(name)
    device.subscribe(down)
    assert device.asks(up, {"type": "get"}, down) == {
        "type": "reply", "result": 0, "payload": {"interval": 5}}
    running.api.post(f"/api/v1/devices/{name}/commands", {"kind": "config"})
    assert device.hears(down) == {"type": "push", "result": 0, "payload": {"interval": 5}}
    assert verdicts(running.api, name) == ["passed"]


# ---- properties ----

def test_a_device_is_controlled(running, sdk):  # pylint: disable=redefined-outer-name
    """As the C SDK's data template: what it missed while it was away it asks for."""
    up, down = "$thing/up/property/PROD123456/dev001", "$thing/down/property/PROD123456/dev001"
    commands = f"/api/v1/devices/{DEVICE}/commands"
    control = {"kind": "control", "params": {"lamp": 1}}
    assert running.api.post(commands, control)["answered"] is False
    device = sdk(DEVICE)
    device.subscribe(down)
    ask = {"method": "get_status", "clientToken": "PROD123456-0"}
    assert device.asks(up, ask, down)["data"] == {"reported": {}, "control": {"lamp": 1}}
    clear = {"method": "clear_control", "clientToken": "PROD123456-0"}
    assert device.asks(up, clear, down)["code"] == 0
    report = {"method": "report", "clientToken": "PROD123456-1", "params": {"lamp": 1}}
    assert device.asks(up, report, down) == {
        "method": "report_reply", "clientToken": "PROD123456-1", "code": 0, "status": "success"}
    assert device.asks(up, ask, down)["data"] == {"reported": {"lamp": 1}}
    running.api.post(commands, {**control, "waitMs": 0})
    told = device.hears(down)
    assert told["method"] == "control" and told["params"] == {"lamp": 1}
    device.says(up, {"code": 0, "clientToken": told["clientToken"]})  # as the Python SDK does
    running.api.wait_event({"type": "answer", "device": DEVICE, "name": told["clientToken"]})
    assert device.asks(up, ask, down)["data"] == {"reported": {"lamp": 1}}
    assert verdicts(running.api, DEVICE) == ["passed"]
