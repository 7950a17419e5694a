"""Claims about events: what holds, what does not and why, and waiting for it."""

import http.client
import json
import threading
import time

import pytest

VERIFY = "/api/v1/verify"
DEVICE, SECOND = "aliyun/pk/device", "aliyun/pk/second"
TOPIC = "/pk/device/user/both"
PUBLISH = {"type": "publish", "direction": "up"}


def publish(device, payload="x", topic=TOPIC):
    device.send_packet(type="publish", qos=1, id=7, topic=topic, payload=payload)
    assert device.receive()["type"] == "puback"


def temp(value):
    return json.dumps({"params": {"temp": value}})


@pytest.fixture
def verify(api):
    """verify(claim) is the answer, which must hold or not as its status says; by default of what
    the test itself did."""
    since = api.last_seq()

    def ask(**claim):
        status, answer = api.request("POST", VERIFY, {"since": since, **claim})
        assert status in (200, 406), answer
        assert answer["holds"] == (status == 200)
        assert ("why" in answer) == ("nearest" in answer) == (status == 406)
        return answer

    ask.since = since
    return ask


class Waiting:
    """A claim of another client, on its way."""

    def __init__(self, skymock, **claim):
        self.connection = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"],
                                                     timeout=60)
        self.connection.request("GET", "/health")  # accepted: what follows is read in its turn
        self.connection.getresponse().read()
        self.connection.request("POST", VERIFY, json.dumps(claim),
                                {"Content-Type": "application/json"})
        self.began = time.monotonic()

    def answer(self):
        answer = self.connection.getresponse()
        told = answer.status, json.loads(answer.read())
        self.connection.close()
        return told

    def leave(self):
        self.connection.close()


# ---- what holds ----

def test_an_event_that_came_holds(verify, online, api):
    device = online(DEVICE)
    publish(device, "one")
    publish(device, "two")
    answer = verify(event={"type": "publish", "topic": TOPIC})
    assert answer["count"] == 2
    assert [api.events(since=seq - 1, limit=1)[0]["payload"] for seq in answer["events"]] == [
        "one", "two"]


@pytest.mark.parametrize("count, holds", [
    ({}, True), ({"min": 3}, True), ({"min": 4}, False), ({"max": 3}, True), ({"max": 2}, False),
    ({"min": 3, "max": 3}, True), ({"min": 1, "max": 2}, False), ({"min": 0}, True),
    ({"max": 0}, False)])
def test_counts_have_two_ends(verify, online, count, holds):
    device = online(DEVICE)
    for number in range(3):
        publish(device, str(number))
    answer = verify(event=PUBLISH, count=count)
    assert answer["holds"] == holds and answer["count"] == 3 == len(answer["events"])


def test_none_is_wanted_and_none_came(verify, online):
    online(DEVICE)
    assert verify(event={"type": "publish"}, count={"max": 0})["events"] == []
    assert verify(absent={"type": "publish"})["count"] == 0


def test_a_sequence_is_in_this_order(verify, online):
    device = online(DEVICE)
    publish(device, "one")
    publish(device, "two")
    one, two = ({"type": "publish", "payload": {"equals": text}} for text in ("one", "two"))
    answer = verify(sequence=[{"type": "connect"}, one, {"type": "puback"}, two])
    assert answer["events"] == sorted(answer["events"]) and answer["count"] == 4
    assert not verify(sequence=[two, one])["holds"]
    assert not verify(sequence=[one, one])["holds"]


def test_what_lies_within_is_virtual_time(api, verify, online):
    api.freeze()
    device = online(DEVICE)
    for gap in (0, 50_000, 200, 300, 55_000):
        api.advance(gap)
        publish(device)
    three = {"event": PUBLISH, "count": {"min": 3}}
    answer = verify(**three, withinMs=500)
    assert answer["count"] == 5 and len(answer["events"]) == 3
    assert not verify(**three, withinMs=499)["holds"]
    assert "take 500 ms" in verify(**three, withinMs=499)["why"]
    # The sequence that fits is not the one that began first.
    steps = [{"type": "publish"}, {"type": "publish"}]
    assert verify(sequence=steps, withinMs=200)["events"] == answer["events"][:2]
    api.post("/api/v1/clock/resume")


def test_a_delivery_has_what_it_carries(api, verify, online):
    device = online(DEVICE)
    device.send_packet(type="subscribe", id=1, filters=[[TOPIC, 0]])
    assert device.receive()["type"] == "suback"
    publish_it = {"topic": TOPIC, "payload": temp(21)}
    api.post(f"/api/v1/devices/{DEVICE}/messages", publish_it)
    down = {"type": "publish", "direction": "down", "topic": TOPIC}
    assert verify(event={**down, "payload": {"pointer": "/params/temp", "equals": 21}})["holds"]
    answer = verify(event={**down, "payload": {"pointer": "/params/temp", "min": 22}})
    assert "params.temp is 21" in answer["why"]


# ---- whose, and since when ----

def test_it_is_limited_to_a_device_or_a_product(verify, online):
    online(DEVICE), online(SECOND)
    connect = {"type": "connect"}
    assert verify(event=connect)["count"] == 2
    assert verify(event=connect, device=SECOND)["count"] == 1
    assert verify(event=connect, product="aliyun/pk")["count"] == 2
    assert not verify(event=connect, product="aliyun/p")["holds"]
    assert not verify(event=connect, product="tencent/pk")["holds"]
    assert not verify(event=connect, device="aliyun/pk/nobody")["holds"]


def test_the_nearest_are_of_the_same_scope(verify, online):
    online(SECOND)
    publish(online(DEVICE))
    answer = verify(event={"type": "publish", "topic": "elsewhere"}, device=SECOND)
    assert answer["why"].startswith(f"{SECOND}: no publish at all; the last event is an online")
    assert all(near["seq"] > verify.since for near in answer["nearest"])
    answer = verify(event={"type": "publish", "topic": "elsewhere"}, product="aliyun/pk")
    assert answer["nearest"][0]["differs"] == [
        {"pointer": "/topic", "wanted": "elsewhere", "found": TOPIC}]


def test_a_peer_that_only_claims_to_be_the_device_counts_as_it(verify, peer):
    stranger = peer()
    stranger.send_packet(type="connect", keepalive=60, username="nobody&pk", password="00",
                         clientId="1|securemode=3,signmethod=hmacsha1|")
    assert stranger.receive()["code"] != 0
    refused = {"type": "connect", "refused": True}
    for scope in ({"device": "aliyun/pk/nobody"}, {"product": "aliyun/pk"}, {}):
        assert verify(event=refused, **scope)["holds"], scope
    assert not verify(event=refused, device=DEVICE)["holds"]
    why = verify(event={"type": "publish"}, device="aliyun/pk/nobody")["why"]
    assert "no publish at all" in why and "a refused connect, seq " in why and "ALI-" in why


@pytest.mark.parametrize("reset", [{}, {"product": "aliyun/pk"}, {"device": DEVICE}])
def test_it_begins_with_the_chapter(api, online, reset):
    before = api.last_seq()
    publish(online(DEVICE))
    assert api.post(VERIFY, {"event": PUBLISH, "device": DEVICE})["holds"]
    api.post("/api/v1/reset", reset)
    for scope in ({"device": DEVICE}, {"product": "aliyun/pk"}, {}):
        answer = api.post(VERIFY, {"absent": {**PUBLISH, "device": DEVICE}, **scope})
        assert answer["count"] == 0, scope
        # Whoever says since when is taken at his word.
        claim = {"event": PUBLISH, "since": before, **scope}
        assert api.post(VERIFY, claim)["count"] == 1, scope


def test_a_chapter_of_one_is_not_that_of_another(api, online):
    for name in (DEVICE, SECOND):
        online(name)
    api.post("/api/v1/reset", {"device": SECOND})
    connect = {"type": "connect"}
    assert api.request("POST", VERIFY, {"event": connect, "device": SECOND})[0] == 406
    assert api.request("POST", VERIFY, {"event": connect, "device": DEVICE})[0] == 200
    assert api.post(VERIFY, {"event": {**connect, "device": DEVICE}})["holds"]
    assert api.request("POST", VERIFY, {"event": {**connect, "device": SECOND}})[0] == 406


# ---- why not ----

def test_the_sentence_says_what_was_different(verify, online):
    device = online(DEVICE)
    for value in (17, 18, 19.5):
        publish(device, temp(value))
    hot = {"pointer": "/params/temp", "min": 20}
    answer = verify(event={"type": "publish", "topic": TOPIC, "payload": hot})
    seq = answer["nearest"][0]["seq"]
    assert answer["why"] == (f"3 publishes to {TOPIC}, none with params.temp >= 20; "
                             f"nearest: seq {seq}, params.temp is 19.5")
    assert answer["nearest"][0]["differs"] == [
        {"pointer": "/payload/params/temp", "wanted": ">= 20", "found": 19.5}]
    assert [len(near["differs"]) for near in answer["nearest"]] == [1, 1, 1]
    assert answer["count"] == 0 and answer["events"] == []


def test_of_equally_near_the_one_that_was_counted_is_told(verify, online):
    device = online(DEVICE)
    device.send_packet(type="publish", qos=0, topic=TOPIC, payload=temp(17))
    publish(device, topic="/pk/device/user/update")
    answer = verify(event={"type": "publish", "topic": TOPIC, "qos": 1})
    seq = answer["nearest"][0]["seq"]
    assert answer["why"] == f"1 publish to {TOPIC}, none with qos = 1; nearest: seq {seq}, qos is 0"


def test_too_many_are_named_and_so_is_what_must_not_be(verify, online):
    device = online(DEVICE)
    for _ in range(3):
        publish(device)
    answer = verify(event=PUBLISH, count={"max": 2})
    assert len(answer["events"]) == 3 and "2 at the most are wanted" in answer["why"]
    absent = verify(absent=PUBLISH)
    assert absent["events"] == answer["events"] and absent["nearest"] == []
    assert all(str(seq) in absent["why"] for seq in absent["events"])


def test_a_sequence_says_how_far_it_came(verify, online):
    device = online(DEVICE)
    publish(device, "two")
    publish(device, "one")
    steps = [{"type": "publish", "payload": {"equals": text}} for text in ("one", "two")]
    answer = verify(sequence=steps)
    early, reached = answer["events"][0] - 2, answer["events"][0]
    assert answer["count"] == 1 and answer["events"] == [reached]
    assert f"seq {reached}" in answer["why"] and f"seq {early} is one, but came before" in (
        answer["why"])


def test_what_the_journal_has_lost_is_said(start):
    skymock = start("--journal-events", "100")
    for _ in range(150):
        skymock.api.freeze()
    last = skymock.api.last_seq()
    assert skymock.api.post(VERIFY, {"event": {"type": "clock"}})["lost"] == last - 100
    for claim in ({"absent": {"type": "timeout"}},
                  {"event": {"type": "timeout"}, "count": {"max": 0}},
                  {"event": {"type": "clock"}, "count": {"max": 1000}}):
        status, answer = skymock.api.request("POST", VERIFY, claim)
        assert status == 406 and not answer["holds"] and answer["lost"] == last - 100
        assert answer["why"].startswith(
            "nothing that is there speaks against it, but not everything is; "
            f"{last - 100} older events are lost: ask with a later `since`"), answer["why"]
        claim["since"] = last - 100
        answer = skymock.api.post(VERIFY, claim)
        assert answer["holds"] and "lost" not in answer
    _, answer = skymock.api.request("POST", VERIFY, {"event": {"type": "timeout"}})
    assert answer["why"].endswith(f"; {last - 100} older events are lost")


# ---- waiting ----

def test_waiting_ends_when_it_holds(api, skymock, online):
    since = api.last_seq()
    device = online(DEVICE)
    waiting = Waiting(skymock, event=PUBLISH, count={"min": 2}, since=since, waitMs=30000)
    publish(device, "one")
    publish(device, "two")
    status, answer = waiting.answer()
    assert status == 200 and answer["count"] == 2
    assert time.monotonic() - waiting.began < 20


def test_waiting_for_a_sequence_ends_with_its_last_step(api, skymock, online):
    waiting = Waiting(skymock, sequence=[{"type": "connect"}, PUBLISH], since=api.last_seq(),
                      waitMs=30000)
    publish(online(DEVICE))
    status, answer = waiting.answer()
    assert status == 200 and len(answer["events"]) == 2


def test_what_must_not_be_is_told_with_the_rule_it_broke(api, online):
    device, since = online(DEVICE), api.last_seq()
    publish(device, topic="/elsewhere")
    seq = api.wait_event({"type": "publish", "topic": "/elsewhere"}, since=since)["seq"]
    answer = api.request("POST", VERIFY, {"absent": {"rule": {"matches": "."}}, "since": since})[1]
    assert answer["why"].endswith(f": seq {seq}, where none is wanted; seq {seq} broke ALI-TOPIC-PUB")


@pytest.mark.parametrize("claim", [{"absent": PUBLISH}, {"event": PUBLISH, "count": {"max": 0}}])
def test_what_must_hold_until_the_end_is_waited_for(api, skymock, online, claim):
    since = api.last_seq()
    device = online(DEVICE)
    start = time.monotonic()
    assert api.post(VERIFY, {**claim, "since": since, "waitMs": 200})["holds"]
    assert time.monotonic() - start >= 0.19
    waiting = Waiting(skymock, **claim, since=since, waitMs=60000)
    publish(device)
    status, answer = waiting.answer()
    assert status == 406 and len(answer["events"]) == 1
    assert time.monotonic() - waiting.began < 20


def test_a_max_holds_until_the_end_though_min_came_early(api, skymock, online):
    since = api.last_seq()
    device = online(DEVICE)
    publish(device)
    waiting = Waiting(skymock, event=PUBLISH, count={"min": 1, "max": 1}, since=since, waitMs=60000)
    publish(device)
    assert waiting.answer()[0] == 406
    start = time.monotonic()
    claim = {"event": PUBLISH, "count": {"min": 1, "max": 2}, "since": since, "waitMs": 200}
    assert api.post(VERIFY, claim)["count"] == 2
    assert time.monotonic() - start >= 0.19


def test_waiting_is_in_real_time_when_the_clock_stands(api):
    api.freeze()
    status, answer = api.request("POST", VERIFY, {"event": {"type": "fault"}, "waitMs": 100,
                                                  "since": api.last_seq()})
    assert status == 406 and "nothing happened" in answer["why"]


@pytest.mark.parametrize("claim", [
    {"event": {**PUBLISH, "device": SECOND}}, {"event": PUBLISH, "device": SECOND}])
def test_a_device_that_is_made_again_is_who_it_was(api, skymock, peer, verify, claim):
    def second_publishes():
        fields = api.get(f"/api/v1/devices/{SECOND}/credentials")
        device = peer()
        device.send_packet(type="connect", keepalive=60, **{
            name: fields[name] for name in ("clientId", "username", "password")})
        assert device.receive()["code"] == 0
        publish(device, topic="/pk/second/user/both")

    second_publishes()
    waiting = Waiting(skymock, **claim, count={"min": 2}, since=verify.since, waitMs=60_000)
    api.wait_event({"type": "puback"}, since=verify.since)
    api.call("DELETE", f"/api/v1/devices/{SECOND}")
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "second"})
    second_publishes()
    status, answer = waiting.answer()
    assert status == 200 and answer["count"] == 2
    assert verify(**claim)["count"] == 2


def test_a_reset_does_not_move_where_a_wait_began(api, skymock, online):
    """The chapter is that of the moment at which it was asked."""
    api.reset()
    device = online(DEVICE)
    publish(device)
    waiting = Waiting(skymock, event=PUBLISH, count={"min": 2}, device=DEVICE, waitMs=30000)
    api.barrier()
    api.reset()
    publish(online(DEVICE))
    status, answer = waiting.answer()
    assert status == 200 and answer["count"] == 2


def test_what_a_reset_leaves_behind_is_still_near(api, skymock, online):
    """Why it does not hold is sought where it was looked for."""
    api.reset()
    publish(online(DEVICE), temp(19.5))
    hot = {"type": "publish", "payload": {"pointer": "/params/temp", "min": 20}}
    for scope in ({"device": DEVICE}, {"product": "aliyun/pk"}, {}):
        waiting = Waiting(skymock, event=hot, waitMs=300, **scope)
        api.barrier()
        api.reset()
        status, answer = waiting.answer()
        assert status == 406 and "params.temp is 19.5" in answer["why"], answer
        publish(online(DEVICE), temp(19.5))


def test_who_waits_and_goes_away_is_forgotten(api, skymock):
    waiting = [Waiting(skymock, event={"type": "fault"}, waitMs=600000) for _ in range(20)]
    api.barrier()
    for each in waiting[::2]:
        each.leave()
    api.freeze()  # records an event: whoever still waits is looked at
    for each in waiting[1::2]:
        each.leave()
    api.freeze()
    api.barrier()


def test_a_thousand_wait_at_once(start):
    skymock = start()
    waiting = [Waiting(skymock, event={"type": "note", "reason": "x"} if number % 2 else
                       {"type": "clock"}, since=0, waitMs=600000) for number in range(1000)]
    skymock.api.barrier()
    skymock.api.freeze()
    for number, each in enumerate(waiting):
        if number % 2 == 0:
            assert each.answer()[0] == 200
    # Half of them wait still, and the server stops as it should.
    skymock.stop()
    for each in waiting[1::2]:
        each.leave()


def test_what_it_said_survives_a_kill(start, tmp_path):
    store = str(tmp_path / "store.db")
    first = start("--store", store)
    results = []
    waiting = Waiting(first, event={"type": "clock"}, waitMs=30000)
    asking = threading.Thread(target=lambda: results.append(waiting.answer()))
    asking.start()
    first.api.freeze()
    asking.join()
    first.kill()
    first.stop = lambda: None
    status, answer = results[0]
    assert status == 200
    second = start("--store", store)
    assert second.api.post(VERIFY, {"event": {"type": "clock"}, "since": 0})["events"] == (
        answer["events"])


# ---- what makes no sense ----

@pytest.mark.parametrize("claim, pointer", [
    ({}, ""),
    ({"event": {}, "absent": {}}, "/absent"),
    ({"event": []}, "/event"),
    ({"event": {"type": "nope"}}, "/event/type"),
    ({"event": {"typ": "publish"}}, "/event/typ"),
    ({"event": {"payload": {"matches": "("}}}, "/event/payload/matches"),
    ({"event": {"topic": "a/#/b"}}, "/event/topic"),
    ({"event": {"rule": "NO-SUCH"}}, "/event/rule"),
    ({"sequence": [{}, {"refused": "NO-SUCH"}]}, "/sequence/1/refused"),
    ({"absent": {"not": {"x": 1}}}, "/absent/not/x"),
    ({"sequence": []}, "/sequence"),
    ({"sequence": [{}] * 51}, "/sequence"),
    ({"sequence": [{}, {"x": 1}]}, "/sequence/1/x"),
    ({"sequence": {}}, "/sequence"),
    ({"event": {}, "count": {"min": 2, "max": 1}}, "/count"),
    ({"event": {}, "count": {"min": -1}}, "/count/min"),
    ({"event": {}, "count": {"max": 1.5}}, "/count/max"),
    ({"event": {}, "count": {"some": 1}}, "/count"),
    ({"event": {}, "count": 3}, "/count"),
    ({"absent": {}, "count": {"max": 1}}, "/count"),
    ({"event": {}, "count": {"min": 1001}, "withinMs": 1}, "/count/min"),
    ({"absent": {}, "withinMs": 1}, "/withinMs"),
    ({"event": {}, "withinMs": -1}, "/withinMs"),
    ({"event": {}, "waitMs": -1}, "/waitMs"),
    ({"event": {}, "waitMs": 600001}, "/waitMs"),
    ({"event": {}, "since": -1}, "/since"),
    ({"event": {}, "device": "aliyun/pk"}, "/device"),
    ({"event": {}, "device": "aliyun/pk/a/b"}, "/device"),
    ({"type": "publish"}, "/type"),
    ({"event": {}, "product": "aliyun"}, "/product"),
    ({"event": {}, "device": DEVICE, "product": "aliyun/pk"}, "/product"),
    ({"event": {}, "colour": "red"}, "/colour")])
def test_what_makes_no_sense_is_told_where(refused, claim, pointer):
    assert refused(400, "POST", VERIFY, claim)["pointer"] == pointer


def test_a_body_that_is_no_claim(refused, api):
    refused(400, "POST", VERIFY, b"{")
    refused(400, "POST", VERIFY, b"[]")
    refused(413, "POST", VERIFY, b"[" * (1024 * 1024 + 1))
    refused(400, "POST", VERIFY, {"event": {}}, device=DEVICE)
    refused(405, "GET", VERIFY)
    api.barrier()


def test_it_needs_the_token(start):
    skymock = start("--admin-token", "secret")
    status, answer = skymock.api.request("POST", VERIFY, {"event": {}})
    assert status == 401 and answer["error"]["code"] == "token"


def test_a_number_is_told_its_range(refused):
    for value in (600001, "5 s", 1.5):
        error = refused(400, "POST", VERIFY, {"event": {"type": "connect"}, "waitMs": value})
        assert error["pointer"] == "/waitMs"
        assert error["message"] == "'waitMs' must be an integer, 0 to 600000"


def test_the_name_that_is_meant_is_suggested(refused):
    event = {"type": "connect"}
    assert refused(400, "POST", VERIFY, {"event": event, "cuont": 1})["message"] == (
        "'cuont' is not known here; 'count' is meant?")
    assert refused(400, "GET", "/api/v1/events?limt=1")["message"].endswith("; 'limit' is meant?")
    slip = "MQTT-KEEPALIVE-DEAD".replace("EA", "AE")
    assert refused(400, "POST", "/api/v1/expected", {"rule": slip})["message"] == (
        f"there is no rule '{slip}'; 'MQTT-KEEPALIVE-DEAD' is meant?")
