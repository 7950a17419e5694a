"""Events that match a pattern."""

import threading
import time

import pytest

SEARCH = "/api/v1/events/search"
DEVICE, SECOND = "aliyun/pk/device", "aliyun/pk/second"
TOPIC = "/pk/device/user/both"


def publish(device, payload="x", topic=TOPIC):
    device.send_packet(type="publish", qos=1, id=7, topic=topic, payload=payload)
    assert device.receive()["type"] == "puback"


def search(api, event=None, **more):
    return api.post(SEARCH, {**({} if event is None else {"event": event}), **more})["events"]


@pytest.fixture
def temperatures(api, online):
    api.reset()
    device = online(DEVICE)
    for each in (18, 19.5, 21):
        publish(device, '{"id":"1","params":{"temp":%s}}' % each)
    return device


def temp(**test):
    return {"payload": {"pointer": "/params/temp", **test}}


@pytest.mark.parametrize("pattern,count", [
    ({"type": "publish"}, 3),
    ({"type": "publish", **temp(min=19)}, 2),
    ({"type": "publish", **temp(equals=19.5)}, 1),
    ({"type": "publish", "not": temp(max=19)}, 2),
    ({"type": "publish", "payload": {"json": {"params": {"temp": 21}}}}, 1),
    ({"type": "publish", "payload": {"matches": '"temp":(18|21)'}}, 2),
    ({"anyOf": [{"type": "connect"}, {"type": "connack", "code": 0}]}, 2),
    ({"device": DEVICE, "topic": "/pk/+/user/#", "qos": 1, "dup": False}, 3),
    ({"product": "aliyun/pk", "type": ["puback"]}, 3),
    ({"type": "publish", "device": SECOND}, 0),
    ({"type": "connect", "keepAlive": {"min": 60, "max": 60}, "cleanSession": True,
      "clientId": {"matches": "timestamp"}, "transport": "tcp", "direction": "up"}, 1),
    ({"refused": True}, 0),
])
def test_events_are_found_by_what_they_are(api, temperatures, pattern, count):
    assert len(search(api, pattern)) == count


def test_a_delivery_is_found_by_what_it_carries(api, online):
    api.reset()
    device = online(DEVICE)
    device.send_packet(type="subscribe", id=1, filters=[[TOPIC, 1]])
    assert device.receive()["type"] == "suback"
    device.send_packet(type="publish", topic=TOPIC, payload='{"a": 1}')
    assert device.receive()["type"] == "publish"
    carried = {"topic": TOPIC, "payload": {"json": {"a": 1}}}
    assert [each["direction"] for each in search(api, carried)] == ["up", "down"]
    assert len(search(api, {"type": "subscribe", "filter": TOPIC, "qos": 1})) == 1
    assert len(search(api, {"type": "suback", "code": 1})) == 1
    assert search(api, {"type": "suback", "code": 128}) == []


def test_it_answers_as_the_list_does(api, temperatures):
    found = api.post(SEARCH, {"event": {"type": "publish"}, "limit": 2})
    assert found == api.get("/api/v1/events", type="publish", limit=2)
    rest = search(api, {"type": "publish"}, since=found["next"])
    assert len(rest) == 1
    newest = search(api, temp(max=20), order="desc", limit=1)
    assert newest[0]["json"]["params"]["temp"] == 19.5
    assert search(api, {}) == search(api) == api.events()


def test_it_waits_until_there_are_enough(api, temperatures):
    got = []
    pattern = {"type": "publish", **temp(min=20)}
    waiting = threading.Thread(
        target=lambda: got.extend(search(api, pattern, waitMs=10000, count=2)))
    begun = time.monotonic()
    waiting.start()
    publish(temperatures, '{"params":{"temp":5}}')
    publish(temperatures, '{"params":{"temp":50}}')
    waiting.join()
    assert time.monotonic() - begun < 5
    assert [each["json"]["params"]["temp"] for each in got] == [21, 50]


def test_events_of_one_product(api, online):
    api.reset()
    online(DEVICE)
    online("tencent/PROD123456/dev001")
    for product in ("aliyun/pk", "tencent/PROD123456"):
        found = api.events(product=product)
        assert found and all(each["device"].startswith(product + "/") for each in found)
    api.post("/api/v1/reset", {"product": "aliyun/pk"})
    assert api.events(product="aliyun/pk", type="connect") == []
    assert api.events(device=DEVICE, type="connect") == []
    assert len(api.events(type="connect")) == 1
    assert len(api.events(product="tencent/PROD123456", type="connect")) == 1
    assert len(api.events(product="aliyun/pk", type="connect", run="true")) >= 1
    assert len(search(api, {"type": "connect"})) == 1
    assert len(search(api, {"type": "connect"}, run=True)) >= 2


@pytest.mark.parametrize("body,pointer,words", [
    ({"type": "publish"}, "/type", 'a member of the pattern: {"event": {"type": ...}}'),
    ({"event": []}, "/event", "must be an object"),
    ({"event": {"tpye": "publish"}}, "/event/tpye", "'type' is meant"),
    ({"event": {"type": "publsh"}}, "/event/type", "'publish' is meant"),
    ({"event": {"rule": "NO-SUCH"}}, "/event/rule", "no rule 'NO-SUCH'"),
    ({"event": {"not": {"refused": ["ALI-SIGN", "X"]}}}, "/event/not/refused/1", "no rule 'X'"),
    ({"event": {"topic": {"matches": "("}}}, "/event/topic/matches", "PCRE2"),
    ({"event": {"payload": {}}}, "/event/payload", "pointer"),
    ({"event": {"anyOf": [{}, {"qos": {"min": 2, "max": 1}}]}}, "/event/anyOf/1/qos/min", "max"),
    ({"event": {}, "order": "up"}, "/order", "asc or desc"),
    ({"event": {}, "order": "desc", "waitMs": 1}, "/order", "asc only"),
    ({"event": {}, "limit": 0}, "/limit", ""),
    ({"since": -1}, "/since", ""),
    ({"wait_ms": 1}, "/wait_ms", "not known"),
])
def test_what_makes_no_sense_is_refused(refused, body, pointer, words):
    error = refused(400, "POST", SEARCH, body)
    assert error["pointer"] == pointer and words in error["message"]


def test_an_expression_that_finds_no_end_holds_nobody_up(api, online):
    api.reset()
    device = online(DEVICE)
    for _ in range(20):
        publish(device, "a" * 5000 + "!")
    begun = time.monotonic()
    assert search(api, {"payload": {"matches": "(a+)+$"}}) == []
    assert search(api, {"type": "publish", "not": {"payload": {"matches": "(a+)+$"}}}) == []
    assert time.monotonic() - begun < 5
