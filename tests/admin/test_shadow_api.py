"""Shadows and latest values, as the application sees and changes them."""

import json

import pytest

TENCENT = "/api/v1/devices/tencent/PROD123456/dev001"
ALIYUN = "/api/v1/devices/aliyun/pk/device"
ENOS = "/api/v1/devices/enos/KV315idW/tPbZGCdmaE"
RESULT = "$shadow/operation/result/PROD123456/dev001"
OPERATION = "$shadow/operation/PROD123456/dev001"


@pytest.fixture
def patch(api):
    return lambda path, body: api.call("PATCH", path + "/shadow", body)


@pytest.fixture
def subscriber(online):
    """A Tencent device that listens to its shadow."""

    def log_in(clean=True, subscribe=True):
        peer = online("tencent/PROD123456/dev001", clean=clean)
        if subscribe:
            peer.send_packet(type="subscribe", id=1, filters=[[RESULT, 1]])
            assert peer.receive()["type"] == "suback"
        return peer

    return log_in


def test_a_shadow_that_never_changed_is_empty(api, refused):
    assert api.get(TENCENT + "/shadow") == {"state": {}, "metadata": {}, "version": 0}
    assert api.get(ALIYUN + "/shadow")["version"] == 0
    for method in ("GET", "PATCH"):
        assert "EnOS" in refused(404, method, ENOS + "/shadow", None)["message"]


def test_a_change_is_pushed_as_a_delta(api, patch, subscriber):
    peer = subscriber()
    api.post("/api/v1/clock/set", {"unixMs": 1548753362502})
    api.freeze()
    shadow = patch(TENCENT, {"desired": {"temperature": 25, "fan": {"speed": 2}}})
    assert shadow["version"] == 1
    assert shadow["state"]["delta"] == {"temperature": 25, "fan": {"speed": 2}}
    assert shadow == api.get(TENCENT + "/shadow")
    delta = peer.receive()
    assert delta["topic"] == RESULT
    assert delta["payload"] == (
        '{"type":"delta","timestamp":%d,"payload":{"state":{"temperature":25,"fan":{"speed":2}},'
        '"metadata":{"temperature":{"timestamp":%d},"fan":{"speed":{"timestamp":%d}}},'
        '"version":1,"timestamp":%d}}' % ((shadow["timestamp"],) * 4))


def test_what_the_device_reports_is_shown_and_its_delta_is_gone(api, patch, subscriber):
    peer = subscriber()
    patch(TENCENT, {"desired": {"on": True}})
    peer.send_packet(type="puback", id=peer.receive()["id"])
    peer.send_packet(type="publish", qos=0, topic=OPERATION, payload=json.dumps(
        {"type": "update", "state": {"reported": {"on": True}, "desired": None},
         "clientToken": "PROD123456-1"}))
    answer = json.loads(peer.receive()["payload"])
    assert (answer["result"], answer["clientToken"]) == (0, "PROD123456-1")
    shadow = api.get(TENCENT + "/shadow")
    assert (shadow["state"], shadow["version"]) == ({"reported": {"on": True}}, 2)


def test_a_change_may_name_the_version_it_is_meant_for(api, patch, refused):
    patch(TENCENT, {"desired": {"a": 1}})
    error = refused(409, "PATCH", TENCENT + "/shadow", {"desired": {"a": 2}, "version": 7})
    assert error["code"] == "conflict"
    assert api.get(TENCENT + "/shadow")["state"]["desired"] == {"a": 1}
    assert patch(TENCENT, {"desired": {"a": 2}, "version": 1})["version"] == 2


def test_null_takes_away(patch):
    patch(TENCENT, {"desired": {"a": 1, "b": 2}})
    assert patch(TENCENT, {"desired": {"a": None}})["state"]["desired"] == {"b": 2}
    shadow = patch(TENCENT, {"desired": None})
    assert "desired" not in shadow["state"]
    assert shadow["version"] == 3


@pytest.mark.parametrize("status, body", [
    (400, {}), (400, {"desired": 7}), (400, {"reported": {}}), (400, b"{"),
    (413, {"desired": {"a": {"b": {"c": {"d": {"e": {}}}}}}}),
    (413, {"desired": {"a": "x" * 16384}})])
def test_a_change_that_makes_no_sense_changes_nothing(api, refused, status, body):
    refused(status, "PATCH", TENCENT + "/shadow", body)
    assert api.get(TENCENT + "/shadow")["version"] == 0


def test_a_device_that_comes_back_to_its_session_gets_the_delta_then(api, patch, subscriber):
    peer = subscriber(clean=False)
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    patch(TENCENT, {"desired": {"on": True}})
    peer = subscriber(clean=False, subscribe=False)
    assert json.loads(peer.receive()["payload"])["payload"]["state"] == {"on": True}


def test_a_delta_that_nobody_gets_is_an_event(api, patch):
    patch(TENCENT, {"desired": {"on": True}})
    api.wait_event({"type": "drop", "device": "tencent/PROD123456/dev001", "topic": RESULT})


def test_the_shadow_of_aliyun_is_pushed_whole(patch, online):
    peer = online("aliyun/pk/device")
    peer.send_packet(type="subscribe", id=1, filters=[["/shadow/get/pk/device", 1]])
    assert peer.receive()["type"] == "suback"
    assert patch(ALIYUN, {"desired": {"color": "red"}})["version"] == 1
    message = json.loads(peer.receive()["payload"])
    assert (message["method"], message["version"]) == ("control", 1)
    assert message["payload"]["state"] == {"desired": {"color": "red"}}


def test_latest_values_are_those_posted_last(api, online):
    peer = online("aliyun/pk/device")
    assert api.get(ALIYUN + "/properties") == {"version": 0, "properties": {}}
    for params in ('{"Light":{"value":1.50,"time":1548753362502},"Name":"x"}', '{"Name":"y"}'):
        peer.send_packet(type="publish", qos=1, id=5,
                         topic="/sys/pk/device/thing/event/property/post",
                         payload='{"id":"1","version":"1.0","params":%s,'
                                 '"method":"thing.event.property.post"}' % params)
        assert peer.receive()["type"] == "puback"
    got = api.get(ALIYUN + "/properties")
    assert got["version"] == 2
    assert got["properties"]["Light"] == {"value": 1.5, "time": 1548753362502}
    assert got["properties"]["Name"]["value"] == "y"


def test_documents_are_listed_and_read(api, online, refused):
    peer = online("enos/KV315idW/tPbZGCdmaE")
    assert api.get(ENOS + "/documents") == {"documents": []}
    peer.send_packet(type="publish", qos=1, id=1,
                     topic="/sys/KV315idW/tPbZGCdmaE/thing/attribute/update",
                     payload='{"id":"1","version":"1.0","params":{"attributes":{"rpm":7}},'
                             '"method":"thing.attribute.update"}')
    assert peer.receive()["type"] == "puback"
    assert api.get(ENOS + "/documents") == {"documents": [{"name": "attributes", "version": 1}]}
    assert api.get(ENOS + "/documents/attributes") == {"version": 1, "document": {"rpm": 7}}
    assert "'tags'" in refused(404, "GET", ENOS + "/documents/tags")["message"]


def test_state_outlives_a_kill(start, tmp_path):
    """Whatever the API has shown is in the file."""
    store = str(tmp_path / "store")
    server = start("--store", store)
    server.api.call("PATCH", TENCENT + "/shadow", {"desired": {"on": True}})
    server.process.kill()
    with pytest.raises(AssertionError, match="ended with -9"):
        server.stop()
    again = start("--store", store, fixtures=None)
    assert again.api.get(TENCENT + "/shadow")["state"]["desired"] == {"on": True}
