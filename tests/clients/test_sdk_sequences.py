"""What the vendors' SDKs for EnOS and Tencent send, packet for packet, played with Paho: how each
signs, what it subscribes to and what it leaves out, and how it answers commands."""

import base64
import hashlib
import hmac
import json
import queue
import time

import paho.mqtt.client as mqtt
import pytest
import server

ENOS_DEVICE = "enos/KV315idW/tPbZGCdmaE"
ENOS_PATH = "/api/v1/devices/" + ENOS_DEVICE
SYS = "/sys/KV315idW/tPbZGCdmaE/thing/"
TENCENT_DEVICE = "tencent/PROD123456/dev001"
TENCENT_PATH = "/api/v1/devices/" + TENCENT_DEVICE
OPERATION = "$shadow/operation/PROD123456/dev001"
RESULT = "$shadow/operation/result/PROD123456/dev001"


class Device:
    """A client whose callbacks land in queues: one for what comes, one for what is acknowledged."""

    def __init__(self, port, client_id, username, password, keepalive, clean):
        self.messages, self.happened = queue.Queue(), queue.Queue()
        self.client = mqtt.Client(client_id, clean_session=clean, protocol=mqtt.MQTTv311)
        self.client.username_pw_set(username, password)
        self.client.on_connect = lambda c, u, flags, code: self.happened.put(("connack", code))
        self.client.on_subscribe = lambda c, u, mid, codes: self.happened.put(("suback", *codes))
        self.client.on_message = lambda c, u, message: self.messages.put(message)
        self.client.on_disconnect = lambda c, u, code: self.happened.put(("gone",))
        self.client.connect("127.0.0.1", port, keepalive)
        self.client.loop_start()
        assert self.happened.get(timeout=server.PATIENCE_S) == ("connack", 0)

    def subscribe(self, topic, qos):
        self.client.subscribe(topic, qos)
        assert self.happened.get(timeout=server.PATIENCE_S) == ("suback", qos)

    def publish(self, topic, payload, qos):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self.client.publish(topic, text, qos).wait_for_publish(server.PATIENCE_S)

    def next(self):
        message = self.messages.get(timeout=server.PATIENCE_S)
        return message.topic, message.payload.decode()

    def answer_command(self, qos):
        """As SDKs do: the same id, on the topic with _reply behind it."""
        topic, payload = self.next()
        self.publish(topic + "_reply",
                     '{"id":"%s","code":200,"data":{}}' % json.loads(payload)["id"], qos)
        return topic, payload

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


# SDK: client id before the bar, signmethod, digest, letters, timestamp, QoS it publishes with,
# whether it keeps its session, what it subscribes to
ENOS_SDKS = {
    "python": ("tPbZGCdmaE", "hmacsha256", "sha256", str.lower, "1795193949692.8596", 1, False,
               "replies"),
    "nodejs": ("tPbZGCdmaE", "sha256", "sha256", str.upper, "1795193949692", 0, False, "replies"),
    "c": ("KV315idW.tPbZGCdmaE", "sha256", "sha256", str.upper, "2524608000000", 0, True, "all"),
    "old-c": ("tPbZGCdmaE", "hmacsha1", "sha1", str.upper, "1548753362", 1, False, "nothing"),
}
# The C SDK subscribes to these one after another and waits for each.
ENOS_C_TOPICS = [SYS + end for end in (
    "measurepoint/post_reply", "measurepoint/post/batch_reply", "measurepoint/resume_reply",
    "measurepoint/resume/batch_reply", "event/+/post_reply", "attribute/update_reply",
    "attribute/query_reply", "attribute/delete_reply", "tag/update_reply", "tag/query_reply",
    "tag/delete_reply", "service/measurepoint/set", "service/measurepoint/get", "service/+",
    "model/up_raw_reply", "model/down_raw", "topo/add_reply", "topo/delete_reply",
    "topo/get_reply", "device/register_reply", "enable", "disable", "delete")] + [
    "/sys/KV315idW/tPbZGCdmaE/ota/device/upgrade",
    "/ext/session/KV315idW/tPbZGCdmaE/combine/login_reply",
    "/ext/session/KV315idW/tPbZGCdmaE/combine/login/batch_reply",
    "/ext/session/KV315idW/tPbZGCdmaE/combine/logout_reply",
    "/ext/session/KV315idW/tPbZGCdmaE/combine/disable"]


def enos_login(sdk, secret, securemode="2"):
    client, method, digest, letters, timestamp, _, keeps, _ = ENOS_SDKS[sdk]
    text = (f"clientId{client}deviceKeytPbZGCdmaEproductKeyKV315idWtimestamp{timestamp}" + secret)
    return {"client_id": f"{client}|securemode={securemode},signmethod={method},"
                         f"timestamp={timestamp}|",
            "username": "tPbZGCdmaE&KV315idW",
            "password": letters(hashlib.new(digest, text.encode()).hexdigest()),
            "keepalive": 60, "clean": not keeps}


@pytest.fixture
def play(skymock):
    """play(login, listener) connects a device."""
    devices = []

    def connect(login, listener="mqtt"):
        devices.append(Device(skymock.ports[listener], **login))
        return devices[-1]

    yield connect
    for device in devices:
        device.stop()


@pytest.fixture(params=ENOS_SDKS)
def enos(play, request):
    """The device, logged in and set up by each SDK in turn."""
    device = play(enos_login(request.param, "M3yy874uGY8INjEGddTR"), "enos-mqtt")
    device.sdk = request.param
    _, _, _, _, _, device.qos, _, device.subscribes = ENOS_SDKS[request.param]
    if device.subscribes == "all":
        for topic in ENOS_C_TOPICS:
            device.subscribe(topic, 0)
    return device


def enos_post(device, levels, params, request_id="1"):
    """Subscribes to the reply just before the first use, if this SDK does."""
    if device.subscribes == "replies":
        device.subscribe(SYS + levels + "_reply", 1)
    device.publish(SYS + levels, {"id": request_id, "version": "1.1", "params": params,
                                  "method": "thing." + levels.replace("/", ".")}, device.qos)


def test_enos_posts_are_answered_where_the_sdk_listens(enos, api):
    posts = {
        "measurepoint/post": {"measurepoints": {"temp": {"value": 1.02, "quality": 9}},
                              "time": 1548753362502},
        "measurepoint/post/batch": [{"measurepoints": {"rpm": 7}, "time": 1548753362502}],
        "event/lowVoltage/post": {"events": {"volts": 3.1}, "time": 1548753362502},
        "attribute/update": {"attributes": {"model": "x"}},
        "tag/update": [{"tagKey": "room", "tagValue": "kitchen"}]}
    for number, (levels, params) in enumerate(posts.items()):
        enos_post(enos, levels, params, str(number))
        if enos.subscribes != "nothing":
            assert enos.next() == (SYS + levels + "_reply",
                                   '{"id":"%d","code":200,"data":{}}' % number)
    api.wait_event({"type": "publish", "device": ENOS_DEVICE, "topic": SYS + "tag/update"})
    properties = api.get(ENOS_PATH + "/properties")["properties"]
    assert (properties["temp"]["value"], properties["rpm"]["value"]) == (1.02, 7)
    assert api.get(ENOS_PATH + "/documents/tags")["document"] == {"room": "kitchen"}
    assert enos.messages.empty()


@pytest.mark.parametrize("kind, name, levels", [
    ("measurepoint-set", None, "measurepoint/set"), ("measurepoint-get", None, "measurepoint/get"),
    ("service", "restart", "restart")])
def test_enos_commands_reach_every_sdk(enos, api, kind, name, levels):
    """Python, Node.js and the old C SDK never subscribe to a command, and get it all the same."""
    body = {"kind": kind, "name": name or "", "params": {"b": 1, "a": [2]}, "waitMs": 0}
    sent = api.post(ENOS_PATH + "/commands", body)
    topic, payload = enos.answer_command(enos.qos)
    assert topic == SYS + "service/" + levels
    assert payload == ('{"id":"%s","version":"1.0","params":{"b":1,"a":[2]},'
                       '"method":"thing.service.%s"}' % (sent["id"], levels.replace("/", ".")))
    api.wait_event({"type": "answer", "device": ENOS_DEVICE, "name": sent["id"]})


@pytest.mark.parametrize("sdk", ["python", "nodejs", "c"])
def test_enos_activation_comes_without_a_subscription(play, api, sdk):
    device = play(enos_login(sdk, "productSecret001", securemode="3"), "enos-mqtt")
    topic, payload = device.next()
    assert topic == "/ext/session/KV315idW/tPbZGCdmaE/thing/activate/info"
    info = json.loads(payload)
    secret = info["params"]["deviceSecret"]
    if sdk != "c":  # which only waits
        device.publish(topic + "_reply", '{"id":"%s","code":200,"data":{}}' % info["id"], 1)
    device.stop()
    again = play(enos_login(sdk, secret), "enos-mqtt")
    assert again.client.is_connected()


# ---- Tencent ----

def tencent_login():
    """The C SDK: an appid of its own, the end of time as expiry, HMAC-SHA1 in lower case."""
    username = "PROD123456dev001;21010406;Aa1Zz;9223372036854775807"
    key = base64.b64decode("MTIzNDU2Nzg5MGFiY2RlZg==")
    token = hmac.new(key, username.encode(), hashlib.sha1).hexdigest()
    return {"client_id": "PROD123456dev001", "username": username,
            "password": token + ";hmacsha1", "keepalive": 240, "clean": True}


@pytest.fixture
def tencent(play):
    return play(tencent_login())


def request(device, topic, result_topic, body):
    device.publish(topic, body, 0)
    where, payload = device.next()
    assert where == result_topic
    return json.loads(payload)


def test_tencent_shadow_as_the_c_sdk_goes_through_it(tencent, api):
    """Subscribes, gets, reports without a version, is told a delta, and acknowledges it."""
    tencent.subscribe(RESULT, 0)
    answer = request(tencent, OPERATION, RESULT, {"type": "get", "clientToken": "PROD123456-0"})
    assert answer == {"type": "get", "result": 0, "timestamp": answer["timestamp"],
                      "clientToken": "PROD123456-0",
                      "payload": {"state": {}, "metadata": {}, "version": 0}}
    answer = request(tencent, OPERATION, RESULT, {
        "type": "update", "state": {"reported": {"updateCount": 0}},
        "clientToken": "PROD123456-1"})
    assert (answer["clientToken"], answer["payload"]["version"]) == ("PROD123456-1", 1)
    changed = api.call("PATCH", TENCENT_PATH + "/shadow", {"desired": {"updateCount": 5}})
    topic, payload = tencent.next()
    assert payload.startswith('{"type":"delta","timestamp":')
    assert json.loads(payload)["payload"]["state"] == {"updateCount": 5}
    assert json.loads(payload)["payload"]["version"] == changed["version"] == 2
    answer = request(tencent, OPERATION, RESULT, {
        "type": "update", "state": {"reported": {"updateCount": 5}, "desired": None},
        "clientToken": "PROD123456-2"})
    assert answer["payload"]["state"] == {"reported": {"updateCount": 5}, "desired": None}
    assert api.get(TENCENT_PATH + "/shadow")["state"] == {"reported": {"updateCount": 5}}


def test_tencent_overwrite_replaces_what_was_reported(tencent, api):
    tencent.subscribe(RESULT, 0)
    for body in ({"reported": {"a": 1, "b": {"c": 2}}}, {"reported": {"b": {"d": 3}}}):
        request(tencent, OPERATION, RESULT, {"type": "update", "state": body,
                                             "overwriteUpdate": True, "clientToken": "t"})
    assert api.get(TENCENT_PATH + "/shadow")["state"] == {"reported": {"b": {"d": 3}}}


def test_tencent_time_and_log_level_are_answered(tencent):
    tencent.subscribe("$sys/operation/result/PROD123456/dev001", 0)
    tencent.subscribe("$log/operation/result/PROD123456/dev001", 0)
    answer = request(tencent, "$sys/operation/PROD123456/dev001",
                     "$sys/operation/result/PROD123456/dev001",
                     {"type": "get", "resource": ["time"]})
    assert abs(answer["time"] - time.time()) <= server.PATIENCE_S
    assert answer["ntptime1"] // 1000 == answer["time"]
    answer = request(tencent, "$log/operation/PROD123456/dev001",
                     "$log/operation/result/PROD123456/dev001",
                     {"type": "get_log_level", "clientToken": "PROD123456-0"})
    assert (answer["clientToken"], type(answer["log_level"])) == ("PROD123456-0", int)


@pytest.mark.parametrize("subscribed", [True, False])
def test_tencent_remote_call(tencent, api, subscribed):
    if subscribed:
        tencent.subscribe("$rrpc/rxd/PROD123456/dev001/+", 0)
    sent = api.post(TENCENT_PATH + "/commands", {"kind": "rpc", "payload": "reboot", "waitMs": 0})
    topic, payload = tencent.next()
    assert (topic, payload) == ("$rrpc/rxd/PROD123456/dev001/" + sent["id"], "reboot")
    tencent.publish("$rrpc/txd/PROD123456/dev001/" + sent["id"], "ok", 0)
    answer = api.wait_event({"type": "answer", "device": TENCENT_DEVICE, "name": sent["id"]})
    assert answer["payload"] == "ok"


def test_tencent_control_arrives_and_events_go_out(tencent, api):
    tencent.subscribe("PROD123456/dev001/control", 1)
    tencent.publish("PROD123456/dev001/event", "hot", 1)
    api.wait_event({"type": "publish", "direction": "up", "topic": "PROD123456/dev001/event",
                    "payload": "hot"})
    api.post(TENCENT_PATH + "/messages", {"topic": "PROD123456/dev001/control", "payload": "on",
                                          "qos": 1})
    assert tencent.next() == ("PROD123456/dev001/control", "on")


# ---- Alibaba Cloud, Link SDK 4: an image by messages ----

ALIYUN_PATH = "/api/v1/devices/aliyun/pk/device"
DOWNLOAD = "/sys/pk/device/thing/file/download"


def aliyun_login():
    text = "clientIddevice.pkdeviceNamedeviceproductKeypk"
    return {"client_id": "device.pk|securemode=3,signmethod=hmacsha256,_v=sdk-c-4.2.0|",
            "username": "device&pk", "keepalive": 60, "clean": True,
            "password": hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()}


def crc16_arc(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xa001 if crc & 1 else 0)
    return crc


def test_aliyun_image_in_blocks(play, api):
    """With the comma that this SDK leaves behind fileId, and up to the last, short block."""
    device = play(aliyun_login())
    for topic in (DOWNLOAD + "_reply", "/ota/device/upgrade/pk/device"):
        device.subscribe(topic, 1)
    device.publish("/ota/device/inform/pk/device", {"id": 1, "params": {"version": "1.0"}}, 0)
    api.post(ALIYUN_PATH + "/ota", {"version": "2.0", "size": 12_000, "protocol": "mqtt"})
    _, payload = device.next()
    told = json.loads(payload)["data"]
    assert (told["dProtocol"], "url" in told) == ("mqtt", False)
    image = b""
    while len(image) < told["size"]:
        device.publish(DOWNLOAD, (
            '{"id":"1","version":"1.0","params":{"fileToken":"default","fileInfo":{"streamId":%d,'
            '"fileId":%d,},"fileBlock":{"size":5120,"offset":%d}}}'
            % (told["streamId"], told["streamFileId"], len(image))), 0)
        answer = device.messages.get(timeout=server.PATIENCE_S).payload
        length = int.from_bytes(answer[:2], "big")
        head, block, crc = json.loads(answer[2:2 + length]), answer[2 + length:-2], answer[-2:]
        assert head["code"] == 200
        assert head["data"] == {"bOffset": len(image), "bSize": len(block), "fileLength": 12_000,
                                "fileToken": "default"}
        assert int.from_bytes(crc, "little") == crc16_arc(block)
        image += block
    assert hashlib.md5(image).hexdigest() == told["md5"] == told["sign"]
    device.publish("/ota/device/progress/pk/device", {"id": 2, "params": {"step": "100"}}, 1)
    device.publish("/ota/device/inform/pk/device", {"id": 3, "params": {"version": "2.0"}}, 1)
    upgrade, = api.get(ALIYUN_PATH + "/ota")["upgrades"]
    assert upgrade["status"] == "SUCCEEDED"
