"""Upgrades of EnOS devices, over MQTT with Paho as the Python SDK does them, and over CoAP."""

import hashlib
import itertools
import json
import queue
import ssl
import urllib.request

import credentials
import paho.mqtt.client as mqtt
import pytest
import server
from coap import Device as CoapDevice
from enos import credentials as enos

DEVICE = "enos/KV315idW/tPbZGCdmaE"
OTA = "/sys/KV315idW/tPbZGCdmaE/ota/device/"
PATH = f"/api/v1/devices/{DEVICE}/ota"
# The names that the Python SDK gives its methods; the topic decides.
METHODS = {"inform": "ota.inform", "progress": "ota.progress",
           "getversion": "Ota.device.getversion"}


def message(levels, params, number):
    return json.dumps({"id": str(number), "version": "1.0", "params": params,
                       "method": METHODS[levels]})


def download(url):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    secure = {"context": context} if url.startswith("https") else {}
    with urllib.request.urlopen(url, timeout=server.PATIENCE_S, **secure) as answer:
        return answer.read()


class MqttDevice:
    """It subscribes to replies only, and waits for each."""

    def __init__(self, skymock):
        fields = credentials.login(DEVICE)
        self.numbers, self.messages, self.happened = itertools.count(1), queue.Queue(), queue.Queue()
        self.client = mqtt.Client(fields["clientId"], protocol=mqtt.MQTTv311)
        self.client.username_pw_set(fields["username"], fields["password"])
        self.client.on_message = lambda c, u, came: self.messages.put(
            (came.topic, json.loads(came.payload)))
        self.client.on_subscribe = lambda c, u, mid, codes: self.happened.put(codes[0])
        self.client.connect("127.0.0.1", skymock.ports["enos-mqtt"], keepalive=60)
        self.client.loop_start()
        self.pushed = []

    def call(self, levels, params):
        number = next(self.numbers)
        self.client.subscribe(OTA + levels + "_reply", 1)
        assert self.happened.get(timeout=server.PATIENCE_S) == 1
        self.client.publish(OTA + levels, message(levels, params, number), 1)
        while True:
            topic, came = self.messages.get(timeout=server.PATIENCE_S)
            if topic == OTA + levels + "_reply":
                assert came["id"] == str(number)
                return came
            self.pushed.append((topic, came))

    def told(self):
        """The push of an upgrade, answered."""
        topic, came = (self.pushed or [self.messages.get(timeout=server.PATIENCE_S)]).pop(0)
        assert (topic, came["method"]) == (OTA + "upgrade", "ota.device.upgrade")
        self.client.publish(topic + "_reply", json.dumps({"id": came["id"], "code": 200,
                                                          "data": ""}), 0)
        return came["params"]

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


class DtlsDevice:
    """It looks at the option of each answer that says what waits."""

    def __init__(self, skymock):
        self.numbers = itertools.count(1)
        self.device = CoapDevice(skymock.ports["coaps"], enos.identity(DEVICE), enos.key(DEVICE))
        self.waiting = ""

    def call(self, levels, params):
        answer = self.device.post("/topic" + OTA + levels,
                                  message(levels, params, next(self.numbers)).encode())
        assert answer.code == "2.04"
        self.waiting = answer.waiting
        return json.loads(answer.payload)

    def told(self):
        while self.waiting != "/topic" + OTA + "upgrade":
            self.call("inform", {"version": "1.0"})
        answer = self.device.get(self.waiting)
        assert answer.code == "2.05"
        return json.loads(answer.payload)["params"]

    def stop(self):
        self.device.close()


@pytest.fixture(params=[MqttDevice, DtlsDevice], ids=["mqtt", "coap"])
def device(request, skymock):
    one = request.param(skymock)
    yield one
    one.stop()


def state(api):
    return api.get(PATH)["upgrades"][0]["state"]


def order(api, version="2.0", size=5000):
    return api.post(PATH, {"version": version, "size": size})


def verdict(api):
    return api.get("/api/v1/verdicts", device=DEVICE)["verdict"]


def test_an_upgrade_from_the_notice_to_the_end(api, device):
    assert device.call("inform", {"version": "1.0"}) == {"id": "1", "code": 200, "data": {}}
    made = order(api)
    told = device.told()
    assert list(told) == ["version", "sign", "signMethod", "fileUrl", "fileSize"]
    assert (told["version"], told["signMethod"], told["fileSize"]) == ("2.0", "md5", 5000)
    image = download(told["fileUrl"])
    assert (len(image), hashlib.md5(image).hexdigest()) == (5000, told["sign"])
    assert told["sign"] == made["md5"]
    for step in ("20", "100"):
        assert device.call("progress", {"step": step, "desc": "fine"})["code"] == 200
        assert state(api) == "in-progress"
    assert device.call("inform", {"version": "2.0"})["code"] == 200
    assert state(api) == "succeeded"
    assert device.call("getversion", {})["data"] == []
    assert verdict(api) == "passed"


def test_an_upgrade_that_the_device_asks_for(api, device):
    device.call("inform", {"version": "1.0"})
    assert device.call("getversion", {})["data"] == []
    order(api)
    found, = device.call("getversion", {})["data"]
    assert len(download(found["fileUrl"])) == found["fileSize"] == 5000
    assert device.call("progress", {"step": 20})["code"] == 200
    device.call("inform", {"version": "2.0"})
    assert (state(api), verdict(api)) == ("succeeded", "passed")


@pytest.mark.parametrize("step, words", [
    ("-1", "the upgrade failed"), ("-2", "the download failed"),
    ("-3", "the verification failed"), ("-4", "the burning failed"),
    ("-5", "the device declined"), ("-7", "a failure of its own")])
def test_an_upgrade_that_fails(api, device, step, words):
    device.call("inform", {"version": "1.0"})
    order(api)
    device.told()
    assert device.call("progress", {"step": step, "desc": "no"})["code"] == 200
    assert state(api) == "failed"
    assert words in api.get(PATH)["upgrades"][0]["reason"]
    assert device.call("progress", {"step": "50"})["code"] == 764


def test_progress_of_what_there_is_not(api, device):
    assert device.call("progress", {"step": "20"})["code"] == 764
    assert verdict(api) == "warned"
