"""Events by a text that stands in them, by whether they were refused, and by what went before."""

import http.client
import json

import pytest

EVENTS, SEARCH = "/api/v1/events", "/api/v1/events/search"
DEVICE = "aliyun/pk/device"
TOPIC = "/pk/device/user/both"


def publish(device, payload="x", topic=TOPIC):
    device.send_packet(type="publish", qos=1, id=7, topic=topic, payload=payload)
    assert device.receive()["type"] == "puback"


@pytest.fixture
def history(api, online, peer):
    """A device that subscribes and publishes to itself, and a stranger that is turned away."""
    api.reset()
    device = online(DEVICE)
    device.send_packet(type="subscribe", id=1, filters=[[TOPIC, 0]])
    assert device.receive()["type"] == "suback"
    device.send_packet(type="publish", topic=TOPIC, payload='{"Temp": "a.b|c*"}')
    assert device.receive()["type"] == "publish"
    publish(device, {"hex": "00ff4d695800"}, "/pk/device/user/update")
    stranger = peer()
    stranger.send_packet(type="connect", keepalive=60, username="nobody&pk", password="00",
                         clientId="StrangeR|securemode=3,signmethod=hmacsha1|")
    assert stranger.receive()["code"] != 0
    return api.events(limit=1000)


def found(api, text, **more):
    return [(event["type"], event["direction"]) for event in api.events(text=text, **more)]


@pytest.mark.parametrize("text,which", [
    ("temp", [("publish", "up"), ("publish", "down")]),
    ('{"TEMP": "A.B|C*"}', [("publish", "up"), ("publish", "down")]),
    ("USER/BOTH", [("subscribe", "up"), ("suback", "down"), ("publish", "up"), ("publish", "down")]),
    ("mix", [("publish", "up")]),
    ("mix0", []),
    ("temp.", []),
    ("a.b|C", [("publish", "up"), ("publish", "down")]),
    ("aXb", []),
    ("a|b", []),
    (".*", []),
    ("t[e]mp", []),
    ("(", []),
    ("\\", []),
    ("payload", []),
    ("%", []),
])
def test_a_text_is_found_as_it_is_in_any_case(api, history, text, which):
    assert found(api, text, device=DEVICE) == which
    pattern = api.post(SEARCH, {"event": {"text": text, "device": DEVICE}})["events"]
    assert [(event["type"], event["direction"]) for event in pattern] == which


def test_who_claims_to_be_somebody_is_found_by_that(api, history):
    for text in ("PK/Nobody", "aliyun/pk/NOBODY", "nobody&PK", "sTRANGEr|"):
        first = api.events(text=text)[0]
        assert first["type"] == "connect" and first["device"] is None
        assert not first["clientId"].startswith("1|")
    finding = api.events(refused="true")[0]["findings"][0]
    assert api.events(text=finding["rule"].lower())[0]["findings"][0]["rule"] == finding["rule"]


def test_what_was_refused(api, history):
    refused = api.events(refused="true")
    assert refused == [event for event in history if "refused" in event] and refused
    kept = api.events(refused="false", limit=1000)
    assert [event["seq"] for event in kept] == [
        event["seq"] for event in history if "refused" not in event]
    assert api.events(refused="true", device=DEVICE) == []
    assert api.events(refused="true", text="stranger", type="connect") == refused


def test_what_went_before_is_paged_backwards(api, history):
    seqs = [event["seq"] for event in history]
    for limit in (1, 3, len(seqs), 1000):
        seen, before = [], {}
        while True:
            page = api.events(order="desc", limit=limit, **before)
            if not page:
                break
            assert len(page) <= limit
            seen += [event["seq"] for event in page]
            before = {"before": seen[-1]}
        assert seen == seqs[::-1]
    third = seqs[2]
    for order in ("asc", "desc"):
        page = api.events(before=third, order=order)
        assert sorted(event["seq"] for event in page) == seqs[:2]
        body = {"before": third, "order": order, "event": {}}
        assert api.post(SEARCH, body)["events"] == page
        assert api.events(before=third, since=seqs[0], order=order)[0]["seq"] == seqs[1]
        assert api.events(before=third, since=third, order=order) == []
        assert api.events(before=1, order=order, run="true") == []


def test_next_leads_behind_what_was_asked_for(api, history):
    last = history[-1]["seq"]
    for order in ("asc", "desc"):
        assert api.get(EVENTS, order=order, limit=1000)["next"] == last
        assert api.get(EVENTS, order=order, before=last)["next"] == last - 1
        assert api.get(EVENTS, order=order, before=2**53 - 1, limit=1000)["next"] == last
        assert api.get(EVENTS, order=order, since=last + 5)["next"] == last + 5
    assert api.get(EVENTS, limit=1, before=last)["next"] == history[0]["seq"]


def test_waiting_for_what_cannot_come_any_more_ends(api, history):
    answer = api.get(EVENTS, before=history[-1]["seq"] + 1, type="bind", waitMs=600000)
    assert answer["events"] == []


def test_limits(api, refused):
    assert api.events(text="x" * 256) == []
    assert api.events(before=2**53 - 1, limit=1)
    for query in ({"text": ""}, {"text": "x" * 257}, {"text": "x" * 600}, {"refused": "ALI-SIGN"},
                  {"refused": ""}, {"before": 0}, {"before": -1}, {"before": 2**53}, {"before": "x"}):
        refused(400, "GET", EVENTS, **query)
    for body, pointer in (({"before": 0}, "/before"), ({"before": 1.5}, "/before"),
                          ({"event": {"text": "x" * 257}}, "/event/text"),
                          ({"event": {"text": {"matches": "x"}}}, "/event/text/matches")):
        assert refused(400, "POST", SEARCH, body)["pointer"] == pointer
    refused(400, "GET", EVENTS + "/stream", before=7)


def test_a_stream_is_narrowed_by_them(skymock, api, history):
    since = history[0]["seq"] - 1
    for query, wanted in (("text=MiX", "publish"), ("refused=true", "connect")):
        connection = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"], timeout=20)
        connection.request("GET", f"{EVENTS}/stream?since={since}&device=aliyun/pk/"
                                  f"{'nobody' if wanted == 'connect' else 'device'}&{query}")
        answer = connection.getresponse()
        lines = [answer.readline().decode() for _ in range(2)]
        event = json.loads(lines[1].removeprefix("data: "))
        assert event["type"] == wanted
        connection.close()


def test_a_fault_is_for_what_has_a_text(api, online):
    api.reset()
    device = online(DEVICE)
    api.post("/api/v1/faults", {"point": "puback-down", "action": "withhold", "count": 1,
                                "match": {"text": "DEVICE"}})
    api.post("/api/v1/faults", {"point": "publish-up", "action": "withhold",
                                "match": {"text": "sECRET"}})
    device.send_packet(type="publish", qos=1, id=7, topic=TOPIC, payload="one secret word")
    device.send_packet(type="publish", qos=1, id=8, topic=TOPIC, payload="x")
    device.send_packet(type="publish", qos=1, id=9, topic=TOPIC, payload="x")
    assert device.receive()["id"] == 9
    api.post("/api/v1/reset")
