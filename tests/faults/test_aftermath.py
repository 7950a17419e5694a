"""What a fault leads to later on the connection is not held against the device either; what the
device does wrong itself is."""

import http.client
import json

import breaking
import credentials
import pytest
from scenes import DEVICE, GET, POST, REPLY, UPDATE

SECOND = "aliyun/pk/second"


@pytest.fixture
def api(frozen):
    return frozen.api


def findings(api):
    return [finding["rule"] for event in api.events(limit=1000) for finding in event["findings"]]


def message(api, payload="hello", qos=1):
    api.post(f"/api/v1/devices/{DEVICE}/messages", {"topic": GET, "payload": payload, "qos": qos})


@pytest.fixture
def listening(login):
    def log_in(**more):
        device = login(**more)
        device.send_packet(type="subscribe", id=1, filters=[(GET, 1)])
        assert device.receive()["type"] == "suback"
        return device
    return log_in


def ping(device):
    device.send_packet(type="pingreq")
    return device.receive()["type"]


# ---- what is left to the server ----

def test_a_lost_puback_is_made_up_for_by_a_resend(api, fault, login):
    fault("puback-down", "withhold", count=2)
    device = login()
    packet = {"type": "publish", "qos": 1, "id": 7, "topic": UPDATE, "payload": "x"}
    device.send_packet(**packet)
    device.send_packet(**packet, dup=True)
    device.send_packet(**packet, dup=True)
    assert device.receive() == {"type": "puback", "id": 7}
    assert [(event["packetId"], event.get("dup", False)) for event in
            api.events(type="publish")] == [(7, False), (7, True), (7, True)]
    assert findings(api) == []


@pytest.mark.parametrize("point", ["publish-down", "puback-up"])
def test_unacknowledged_it_comes_again_when_the_device_is_back(api, fault, peer, listening, point):
    fault(point, "withhold", count=1)
    device = listening(clean=False)
    message(api)
    if point == "puback-up":
        device.send_packet(type="puback", id=device.receive()["id"])
    assert ping(device) == "pingresp"
    device.close()
    api.wait_event({"type": "close"})
    device = peer()
    device.send_packet(type="connect", clean=False, keepalive=60, **credentials.login(DEVICE))
    assert device.receive()["sessionPresent"]
    again = device.receive()
    assert (again["payload"], again["dup"]) == ("hello", True)
    device.send_packet(type="puback", id=again["id"])
    assert ping(device) == "pingresp"
    assert findings(api) == []


def test_a_refusal_that_is_a_lie_leaves_no_session(api, fault, login, peer):
    old = login()
    fault("connack", "set", code=5, count=1)
    device = peer()
    device.send_packet(type="connect", clean=True, keepalive=60, **credentials.login(DEVICE))
    assert device.receive() == {"type": "connack", "sessionPresent": False, "code": 5}
    assert device.receive() is None
    assert ping(old) == "pingresp"  # for nobody has taken its place
    event = api.events(type="connack")[-1]
    assert (event["code"], event["device"]) == (5, DEVICE)
    assert findings(api) == []


def test_what_waits_goes_with_its_connection(api, fault, login):
    fault("puback-down", "delay", ms=5000)
    device = login()
    device.send_packet(type="publish", qos=1, id=7, topic=UPDATE, payload="x")
    ping(device)
    device.close()
    api.wait_event({"type": "close"})
    api.advance(5000)
    assert api.events(type="puback") == []


def test_a_connect_that_comes_late_is_a_login_like_any_other(api, fault, peer):
    fault("connect", "delay", ms=60000)
    device = peer()
    device.send_packet(type="connect", clean=True, keepalive=60, **credentials.login(DEVICE))
    device.send_packet(type="subscribe", id=1, filters=[(GET, 1)])  # which waits, too
    api.wait_event({"type": "fault"})
    assert device.pending() == b""
    api.advance(60000)
    assert device.receive()["code"] == 0
    assert device.receive()["type"] == "suback"
    assert findings(api) == []


# ---- what is held against nobody ----

@pytest.mark.parametrize("point", ["pingreq", "pingresp", "publish-up"])
def test_nor_the_silence_of_what_was_withheld(api, fault, login, point):
    fault(point, "withhold")
    device = login()
    device.send_packet(type="publish", topic=UPDATE, payload="x")
    device.send_packet(type="pingreq")
    api.barrier()
    api.advance(90000)
    while device.receive():
        pass
    assert findings(api) == []


def test_silence_of_its_own_is(api, login):
    login()
    api.advance(90000)
    assert findings(api) != []


@pytest.mark.parametrize("action,more", [("withhold", {}), ("duplicate", {}),
                                         ("set", {"packetId": 999}), ("delay", {"ms": 5}),
                                         ("reorder", {"ms": 1000})])
def test_nor_acknowledgements_out_of_order(api, fault, listening, action, more):
    device = listening()
    fault("publish-down", action, count=1, **more)
    for payload in "abc":
        message(api, payload)
    api.advance(1000)
    device.send_packet(type="pingreq")
    while (packet := device.receive())["type"] != "pingresp":
        device.send_packet(type="puback", id=packet["id"])
    assert ping(device) == "pingresp"
    assert findings(api) == []


def test_a_wrong_acknowledgement_of_its_own_is(api, listening):
    device = listening()
    message(api)
    device.send_packet(type="puback", id=device.receive()["id"] + 1)
    ping(device)
    assert findings(api) == ["MQTT-2.3.1-6"]


def test_nor_an_answer_to_a_message_made_one_of_qos_2(api, fault, listening):
    device = listening()
    fault("publish-down", "set", qos=2, count=1)
    message(api)
    packet = device.receive()
    assert packet["qos"] == 2
    device.send_packet(type="pubrec", id=packet["id"])
    assert ping(device) == "pingresp"
    assert findings(api) == []


def test_what_a_copy_breaks_is_not_the_devices(api, fault, listening):
    device = listening()
    fault("puback-up", "duplicate", times=3)
    message(api)
    device.send_packet(type="puback", id=device.receive()["id"])
    ping(device)
    assert findings(api) == []


def test_what_the_device_breaks_stays_its_own(api, fault, login):
    fault("publish-up", "delay", ms=1000)
    device = login()
    device.send_packet(type="publish", topic="/elsewhere", payload="x")
    ping(device)
    api.advance(1000)
    assert findings(api) == ["ALI-TOPIC-PUB"]


def test_a_lie_about_the_session_is_believed(api, fault, login):
    fault("connack", "set", sessionPresent=True)
    login(clean=False)
    api.advance(61000)
    assert findings(api) == []


# ---- replies, whatever carries them ----

BODY = '{"id":"1","version":"1.0","params":{},"method":"thing.event.property.post"}'


def test_a_reply_passes_before_what_carries_it(api, fault, login):
    first, second = fault("publish-down", "set", payload="carrier"), fault("reply", "set",
                                                                           payload="reply", count=1)
    device = login()
    device.send_packet(type="subscribe", id=1, filters=[(REPLY, 0)])
    device.receive()
    for expected in ("reply", "carrier"):
        device.send_packet(type="publish", topic=POST, payload=BODY)
        assert device.receive()["payload"] == expected
    fired = {each["id"]: each["fired"] for each in api.get("/api/v1/faults")["faults"]}
    assert fired == {first: 1, second: 1}


def test_a_message_of_the_application_is_no_reply(api, fault, listening):
    fault("reply", "withhold")
    device = listening()
    message(api)
    assert device.receive()["payload"] == "hello"


def test_a_pattern_sees_what_a_delivery_carries(api, fault, listening):
    fault("publish-down", "withhold", match={"topic": GET, "payload": {"equals": "no"}})
    device = listening()
    for payload in ("yes", "no", "again"):
        message(api, payload)
    assert [device.receive()["payload"] for _ in range(2)] == ["yes", "again"]


def test_reply_over_https(api, fault, frozen):
    fault("reply", "set", payload='{"code":1}', count=1)
    connection = http.client.HTTPConnection("127.0.0.1", frozen.ports["https"], timeout=10)
    connection.request("POST", "/auth/devicename", "a=b",
                       {"Content-Type": "application/x-www-form-urlencoded"})
    assert connection.getresponse().read() == b'{"code":1}'
    connection.close()
    event, = api.events(type="fault")
    assert event["point"] == "reply" and event["of"]


@pytest.mark.parametrize("merge, told", [
    ({"code": 460}, {"code": 460, "data": {}, "id": "1", "message": "success",
                     "method": "thing.event.property.post", "version": "1.0"}),
    ({"data": {"a": {"b": 1, "c": None}}, "message": None, "method": None, "version": None},
     {"code": 200, "data": {"a": {"b": 1}}, "id": "1"}),
    ({"data": [1], "message": {"x": 1}, "method": None, "version": None},
     {"code": 200, "data": [1], "id": "1", "message": {"x": 1}})])
def test_members_of_a_reply_become_others(api, fault, login, merge, told):
    fault("reply", "set", merge=merge)
    device = login()
    device.send_packet(type="subscribe", id=1, filters=[(REPLY, 0)])
    device.receive()
    device.send_packet(type="publish", topic=POST, payload=BODY)
    assert json.loads(device.receive()["payload"]) == told
    breaking.nobody_is_accused(api)


def test_what_is_no_object_has_nothing_to_merge_with(api, fault, listening):
    fault("publish-down", "set", merge={"code": 460})
    device = listening()
    for payload in ("hello", "[1]", '{"code":'):
        message(api, payload)
        assert device.receive()["payload"] == payload
    assert breaking.refusal(api, "publish-down", "set", merge=[1]) == (400, "/merge")
    assert breaking.refusal(api, "connack", "set", merge={"code": 3}) == (400, "/merge")


# ---- who is whose ----

def test_nobody_else_is_touched(api, fault, login):
    fault("pingresp", "freeze", device=DEVICE)
    one, other = login(), login(SECOND)
    one.send_packet(type="pingreq")
    assert ping(other) == "pingresp"
    assert one.pending() == b""
