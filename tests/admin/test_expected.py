"""What a test wants to see broken counts against nobody."""

import credentials
import pytest

DEVICE = "aliyun/pk/device"
RULE = "ALI-TOPIC-PUB"


@pytest.fixture
def broken(api, online):
    """broken(3) breaks the rule as often."""
    def break_it(times, device=DEVICE):
        one = online(device)
        for _ in range(times):
            one.send_packet(type="publish", topic="/elsewhere", payload="x")
        one.send_packet(type="pingreq")
        one.receive()
        one.close()
        return api.get("/api/v1/verdicts")
    return break_it


def expect(api, **more):
    return api.post("/api/v1/expected", {"rule": RULE, **more})["id"]


@pytest.mark.parametrize("scope", [{"device": DEVICE}, {"product": "aliyun/pk"}, {}])
@pytest.mark.parametrize("count,times,verdict", [
    (None, 1, "passed"), (None, 5, "passed"), (None, 0, "failed"),
    ({"min": 2, "max": 3}, 1, "failed"), ({"min": 2, "max": 3}, 2, "passed"),
    ({"min": 2, "max": 3}, 3, "passed"), ({"min": 2, "max": 3}, 4, "failed"),
    ({"max": 0}, 0, "passed"), ({"max": 0}, 1, "failed"), ({"min": 0}, 0, "passed")])
def test_as_often_as_was_said(api, broken, scope, count, times, verdict):
    expect(api, **scope, **({"count": count} if count else {}))
    assert broken(times)["verdict"] == verdict
    api.reset()
    assert api.get("/api/v1/verdicts", run="true")["verdict"] in (verdict, "failed")
    assert api.get("/api/v1/expected") == {"expected": []}


def test_what_is_missing_is_a_failed_row_of_whoever_was_named(api, broken):
    api.post("/api/v1/reset", {"forget": True})
    expect(api, device="aliyun/pk/second", count={"min": 2})
    found = {each["device"]: each for each in broken(0)["devices"]}
    row, = found["aliyun/pk/second"]["rules"]
    assert (row["id"], row["verdict"], row["events"]) == (RULE, "failed", [])
    assert row["detail"] == "expected 2 times at least, came 0 times"
    assert found[DEVICE]["verdict"] == "passed"
    api.reset()
    assert api.get("/api/v1/verdicts", run="true")["verdict"] == "failed"


def test_it_covers_nobody_else_and_nothing_else(api, broken):
    expect(api, device="aliyun/pk/second", count={"min": 0})
    assert broken(1)["verdict"] == "failed"
    api.reset()
    api.post("/api/v1/expected", {"rule": "ALI-QOS2", "device": DEVICE, "count": {"min": 0}})
    assert broken(1)["verdict"] == "failed"


def test_what_came_before_in_the_chapter_is_covered_too(api, broken):
    assert broken(2)["verdict"] == "failed"
    expect(api, device=DEVICE)
    assert api.get("/api/v1/verdicts")["verdict"] == "passed"
    shown, = api.get("/api/v1/expected")["expected"]
    assert shown == {"id": shown["id"], "rule": RULE, "device": DEVICE, "count": {"min": 1},
                     "came": 2}


def test_a_refusal_with_all_that_was_found_in_it(api, peer):
    api.post("/api/v1/expected", {"rule": "ALI-SIGN", "product": "aliyun/pk"})
    one = peer()
    one.send_packet(type="connect", keepalive=60,
                    **{**credentials.login(DEVICE), "password": "secret"})
    assert one.receive()["code"] == 4
    assert api.get("/api/v1/verdicts")["verdict"] == "passed"


def test_a_stranger_may_be_expected(api, peer):
    api.post("/api/v1/expected", {"rule": "ALI-DEVICE-UNKNOWN", "device": "aliyun/pk/devicf"})
    login = {key: value.replace("device", "devicf") if key in ("clientId", "username") else value
             for key, value in credentials.login(DEVICE).items()}
    one = peer()
    one.send_packet(type="connect", keepalive=60, **login)
    assert one.receive()["code"] != 0
    found = api.get("/api/v1/verdicts")
    assert [(each["device"], each["verdict"]) for each in found["devices"]] == [
        ("aliyun/pk/devicf", "passed")]


def test_it_can_be_taken_back(api, broken, refused):
    first, second = expect(api, device=DEVICE), expect(api, product="tencent/PROD123456")
    assert [each["id"] for each in api.get("/api/v1/expected")["expected"]] == [first, second]
    of_one = api.get("/api/v1/expected", product="tencent/PROD123456")["expected"]
    assert [each["id"] for each in of_one] == [second]
    assert api.request("DELETE", f"/api/v1/expected/{first}")[0] == 204
    assert broken(1)["verdict"] == "failed"
    refused(404, "DELETE", f"/api/v1/expected/{first}")
    refused(404, "DELETE", "/api/v1/expected/x")
    assert api.request("DELETE", "/api/v1/expected")[0] == 204
    assert api.get("/api/v1/expected") == {"expected": []}


@pytest.mark.parametrize("body,pointer", [
    ({}, "/rule"), ({"rule": "NO-SUCH"}, "/rule"), ({"rule": 7}, "/rule"),
    ({"event": {"tpye": "connect"}}, "/event/tpye"), ({"event": []}, "/event"),
    ({"event": {"topic": "a/#/b"}, "device": DEVICE}, "/event/topic"),
    ({"event": {"rule": "NO-SUCH"}}, "/event/rule"),
    ({"event": {}, "rule": RULE}, "/rule"), ({"event": {}, "count": {"max": -1}}, "/count/max"),
    ({"event": {}, "device": DEVICE, "product": "aliyun/pk"}, "/product"),
    ({"rule": RULE, "device": "pk"}, "/device"),
    ({"rule": RULE, "product": "pk"}, "/product"),
    ({"rule": RULE, "product": "aliyun/pk", "device": DEVICE}, "/product"),
    ({"rule": RULE, "count": {"min": -1}}, "/count/min"),
    ({"rule": RULE, "count": {"max": 1.5}}, "/count/max"),
    ({"rule": RULE, "count": {"min": 3, "max": 2}}, "/count"),
    ({"rule": RULE, "count": {"most": 2}}, "/count"), ({"rule": RULE, "count": 1}, "/count")])
def test_what_makes_no_sense(refused, body, pointer):
    assert refused(400, "POST", "/api/v1/expected", body)["pointer"] == pointer


def test_there_is_a_most(api, refused):
    for _ in range(1000):
        expect(api)
    refused(409, "POST", "/api/v1/expected", {"rule": RULE})


# ---- by a pattern ----

BROKEN = {"type": "publish", "rule": RULE}


def expect_event(api, event, **more):
    return api.post("/api/v1/expected", {"event": event, **more})["id"]


@pytest.mark.parametrize("scope", [{"device": DEVICE}, {"product": "aliyun/pk"}, {}])
@pytest.mark.parametrize("count,times,verdict", [
    (None, 1, "passed"), (None, 0, "failed"), ({"min": 2, "max": 3}, 1, "failed"),
    ({"min": 2, "max": 3}, 3, "passed"), ({"max": 1}, 2, "failed"), ({"max": 0}, 0, "passed")])
def test_events_come_as_often_as_was_said(api, broken, scope, count, times, verdict):
    expect_event(api, BROKEN, **scope, **({"count": count} if count else {}))
    assert broken(times)["verdict"] == verdict
    assert api.get("/api/v1/expected")["expected"][0]["came"] == times
    api.reset()
    assert api.get("/api/v1/verdicts", run="true")["verdict"] in (verdict, "failed")


def test_an_event_that_breaks_nothing_may_be_expected(api, broken):
    expect_event(api, {"type": "connect"}, device=DEVICE)
    expect_event(api, {"type": "pingreq"}, device=DEVICE, count={"min": 2})
    found = {each["device"]: each for each in broken(0)["devices"]}
    rule, = [each for each in found[DEVICE]["rules"] if each["id"] == "EXPECTED-EVENT"]
    assert rule["verdict"] == "failed"
    assert rule["detail"] == "expected pingreq: 2 times at least, came 1 times"
    shown = api.get("/api/v1/expected")["expected"]
    assert [each["came"] for each in shown] == [1, 1]
    assert shown[0]["event"] == {"type": "connect"} and "rule" not in shown[0]


def test_an_expected_event_covers_nobody_else_and_nothing_else(api, broken):
    expect_event(api, BROKEN, device="aliyun/pk/second", count={"min": 0})
    assert broken(1)["verdict"] == "failed"
    api.reset()
    expect_event(api, {**BROKEN, "topic": "/other/#"}, device=DEVICE, count={"min": 0})
    assert broken(1)["verdict"] == "failed"


def test_it_is_kept_when_it_came(api, broken):
    expect_event(api, {"type": "connect"}, device=DEVICE)
    broken(0)
    verdict, = api.verdict(DEVICE)["devices"]
    rule, = [each for each in verdict["rules"] if each["id"] == "EXPECTED-EVENT"]
    assert rule["verdict"] == "passed"


def test_matching_events_that_came_before_in_the_chapter_are_covered_too(api, broken):
    assert broken(2)["verdict"] == "failed"
    number = expect_event(api, BROKEN, device=DEVICE, count={"max": 3})
    assert api.get("/api/v1/verdicts")["verdict"] == "passed"
    assert api.get("/api/v1/expected")["expected"][0]["came"] == 2
    assert broken(2)["verdict"] == "failed"
    assert api.get("/api/v1/expected")["expected"][0]["came"] == 4
    api.request("DELETE", f"/api/v1/expected/{number}")
    api.reset()
    expect_event(api, BROKEN, device=DEVICE)
    assert api.get("/api/v1/expected")["expected"][0]["came"] == 0


def test_a_refused_login_is_expected_of_whoever_it_claims_to_be(api, peer):
    expect_event(api, {"type": "connect", "refused": True, "mistake": {"matches": "."}},
                 product="aliyun/pk")
    one = peer()
    one.send_packet(type="connect", keepalive=60,
                    **{**credentials.login(DEVICE), "password": "A" * 40})
    assert one.receive()["code"] == 4
    assert api.get("/api/v1/verdicts")["verdict"] == "failed"  # no mistake was recognised
    expect_event(api, {"type": "connect", "refused": "ALI-SIGN"}, device=DEVICE)
    found = {each["device"]: each for each in api.get("/api/v1/verdicts")["devices"]}
    assert found[DEVICE]["verdict"] == "passed"
