"""The journal's events: listed, filtered, waited for, streamed."""

import http.client
import json
import threading
import time

import pytest

EVENTS = "/api/v1/events"
DEVICE = "aliyun/pk/device"
TOPIC = "/pk/device/user/both"


def types(events):
    return [event["type"] for event in events]


def publish(device, payload="x", topic=TOPIC):
    device.send_packet(type="publish", qos=1, id=7, topic=topic, payload=payload)
    assert device.receive()["type"] == "puback"


def test_a_login_and_a_publish_are_told_in_order(api, online):
    since = api.last_seq()
    publish(online(DEVICE), '{"a": [1, 2]}')
    events = api.events(since=since)
    assert types(events) == ["connect", "connack", "online", "publish", "puback"]
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs)) and min(seqs) > since
    told = next(event for event in events if event["type"] == "publish")
    assert told["device"] == DEVICE
    assert told["direction"] == "up" and told["transport"] == "tcp"
    assert told["topic"] == TOPIC and told["payload"] == '{"a": [1, 2]}'
    assert told["json"] == {"a": [1, 2]}
    assert told["qos"] == 1 and told["packetId"] == 7


def test_a_payload_that_is_no_text_is_base64(api, online):
    since = api.last_seq()
    publish(online(DEVICE), {"hex": "00ff"})
    told = api.events(since=since, type="publish")[0]
    assert told["payloadBase64"] == "AP8=" and "payload" not in told and "json" not in told


def test_numbers_of_a_payload_keep_every_digit(skymock, api, online):
    since = api.last_seq()
    publish(online(DEVICE), '{"n":1234567890123456789}')
    raw = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"], timeout=10)
    raw.request("GET", f"{EVENTS}?type=publish&since={since}")
    assert '"json":{"n":1234567890123456789}' in raw.getresponse().read().decode()
    raw.close()


def test_filters_narrow(api, online):
    since = api.last_seq()
    publish(online(DEVICE))
    online("aliyun/pk/second")
    assert set(types(api.events(since=since, type="connect,connack"))) == {"connect", "connack"}
    assert {e["device"] for e in api.events(since=since, device="aliyun/pk/second")} == {
        "aliyun/pk/second"}
    assert {e["direction"] for e in api.events(since=since, direction="down")} == {"down"}
    assert types(api.events(since=since, topic="/pk/+/user/#")) == ["publish"]
    assert api.events(since=since, topic="/nowhere") == []
    connection = api.events(since=since, type="publish")[0]["connection"]
    assert {e["connection"] for e in api.events(since=since, connection=connection)} == {connection}


def test_a_finding_has_what_an_engineer_needs(api, online):
    since = api.last_seq()
    device = online(DEVICE)
    device.send_packet(type="publish", qos=2, id=1, topic=TOPIC, payload="x")
    assert device.receive() is None
    told = api.wait_event({"type": "publish", "device": DEVICE}, since=since)
    finding = told["findings"][0]
    assert set(finding) == {"rule", "severity", "statement", "hint", "source", "detail", "action"}
    assert told["refused"] == finding["rule"]
    assert api.events(since=since, rule=finding["rule"])[0]["seq"] == told["seq"]


def test_a_peer_that_only_claims_to_be_the_device_is_found_by_its_name(api, peer):
    since = api.last_seq()
    stranger = peer()
    stranger.send_packet(type="connect", keepalive=60, username="nobody&pk", password="00",
                         clientId="1|securemode=3,signmethod=hmacsha1|")
    assert stranger.receive()["code"] != 0
    told = api.events(since=since, device="aliyun/pk/nobody")
    assert "connect" in types(told)
    assert told[0]["device"] is None


def test_what_makes_no_sense_is_refused(refused):
    for query in ({"type": "nope"}, {"direction": "sideways"}, {"topic": "a/#/b"},
                  {"rule": "NO-SUCH-RULE"}, {"connection": 0}, {"since": -1}, {"limit": 0},
                  {"limit": 1001}, {"order": "random"}, {"wait_ms": 600001}, {"count": 0},
                  {"order": "desc", "wait_ms": 1}, {"device": "pk/device"}, {"colour": "red"}):
        refused(400, "GET", EVENTS, **query)
    assert "colour" in refused(400, "GET", EVENTS, colour="red")["message"]


def test_pages_lead_on_with_next(api, online):
    since = api.last_seq()
    device = online(DEVICE)
    for number in range(10):
        publish(device, str(number))
    seen = []
    while True:
        answer = api.get(EVENTS, since=since, limit=3, type="publish")
        if not answer["events"]:
            break
        assert len(answer["events"]) <= 3
        seen += [event["payload"] for event in answer["events"]]
        since = answer["next"]
    assert seen == [str(number) for number in range(10)]


def test_the_newest_come_first_when_asked(api, online):
    device = online(DEVICE)
    for number in range(5):
        publish(device, str(number))
    newest = api.events(order="desc", limit=2, type="publish")
    assert [event["payload"] for event in newest] == ["4", "3"]
    assert api.events(order="desc", limit=1)[0]["seq"] == api.get(EVENTS, limit=1)["last"]


def test_waiting_ends_when_the_event_comes(api, online, skymock):
    since = api.last_seq()
    device = online(DEVICE)
    answers = []

    def wait():
        other = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"], timeout=30)
        other.request("GET", f"{EVENTS}?since={since}&type=publish&wait_ms=20000&count=2")
        answers.append(json.loads(other.getresponse().read())["events"])
        other.close()

    waiter = threading.Thread(target=wait)
    waiter.start()
    publish(device, "one")
    api.barrier()
    assert not answers
    publish(device, "two")
    waiter.join(20)
    assert [event["payload"] for event in answers[0]] == ["one", "two"]


def test_waiting_ends_with_what_there_is(api, online):
    since = api.last_seq()
    publish(online(DEVICE))
    start = time.monotonic()
    events = api.get(EVENTS, since=since, type="publish", wait_ms=200, count=2)["events"]
    assert time.monotonic() - start >= 0.19
    assert len(events) == 1


def test_waiting_is_in_real_time_when_the_clock_stands(api):
    api.freeze()
    for name in ("wait_ms", "waitMs"):
        began = time.monotonic()
        assert api.get(EVENTS, type="fault", **{name: 100})["events"] == []
        assert time.monotonic() - began >= 0.099  # the loop counts in whole milliseconds


def test_a_waiter_that_goes_away_is_forgotten(api, skymock):
    other = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"], timeout=30)
    other.request("GET", f"{EVENTS}?type=fault&wait_ms=600000")
    api.barrier()
    other.close()
    api.freeze()  # records an event: whoever still waits is looked at
    api.barrier()


class Stream:
    """A client of events/stream."""

    def __init__(self, port, path, **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()

    def next(self):
        event = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if not line and event:
                return int(event["id"]), json.loads(event["data"])
            key, _, value = line.partition(": ")
            if key in ("id", "data"):
                event[key] = value

    def close(self):
        self.connection.close()


def test_a_stream_tells_what_happens_and_resumes(api, skymock, online):
    stream = Stream(skymock.ports["admin"], f"{EVENTS}/stream?type=publish")
    assert stream.answer.getheader("Content-Type") == "text/event-stream"
    device = online(DEVICE)
    publish(device, "one")
    seq, event = stream.next()
    assert event["payload"] == "one" and event["seq"] == seq
    stream.close()
    publish(device, "two")
    stream = Stream(skymock.ports["admin"], f"{EVENTS}/stream?type=publish",
                    **{"Last-Event-ID": str(seq)})
    assert stream.next()[1]["payload"] == "two"
    stream.close()


def test_a_stream_of_more_than_the_client_reads_at_once_is_whole(api, skymock, online):
    since = api.last_seq()
    device = online(DEVICE)
    for number in range(40):
        publish(device, {"repeat": chr(97 + number % 26), "times": 60000})
    stream = Stream(skymock.ports["admin"], f"{EVENTS}/stream?type=publish&since={since}")
    for number in range(40):
        assert stream.next()[1]["payload"] == chr(97 + number % 26) * 60000
    stream.close()


@pytest.mark.parametrize("byte, times", [("\1", 45_000), ("\n", 140_000), ("a", 260_000)])
def test_a_stream_tells_events_of_any_size(skymock, online, byte, times):
    """In JSON a byte may become six."""
    stream = Stream(skymock.ports["admin"], f"{EVENTS}/stream?type=publish")
    device = online(DEVICE)
    publish(device, {"repeat": byte, "times": times})
    assert stream.next()[1]["payload"] == byte * times
    stream.close()


def test_a_stream_refuses_what_makes_no_sense(refused):
    refused(400, "GET", EVENTS + "/stream", type="nope")
    refused(400, "GET", EVENTS + "/stream", limit=1)


def test_what_was_read_survives_a_kill(start, tmp_path):
    store = str(tmp_path / "store.db")
    first = start("--store", store)
    first.api.freeze()
    seen = first.api.events()
    assert seen
    first.process.kill()
    first.process.wait()
    second = start("--store", store)
    again = second.api.events()
    assert again[:len(seen)] == seen
    second.api.freeze()
    assert second.api.last_seq() > seen[-1]["seq"]
    first.stop = lambda: None
