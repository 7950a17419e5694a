"""report.json: the form that programs rely on, `--baseline` among them."""

import pytest
from credentials import login

DEVICE = "aliyun/pk/device"
RULE = {"id": str, "owner": str, "severity": str, "statement": str, "hint": str, "source": str,
        "verdict": str}
PROOF = {"detail": str, "refused": bool, "count": int, "events": list}
COUNTS = {"notExercised": int, "passed": int, "warned": int, "failed": int}
RUN = {"version": str, "profile": str, "seed": (int, type(None)), "scope": str, "whole": bool,
       "started": str, "ended": str, "time": str, "events": int, "eventsLost": int}
DEVICE_FORM = {"device": str, "registered": bool, "verdict": str, "rulesBy": dict, "events": int,
               "notExercised": list, "rules": list}
REPORT = {"format": int, "run": dict, "verdict": str, "devicesBy": dict, "rulesBy": dict,
          "lost": int, "expected": list, "suites": list, "devices": list}


@pytest.fixture
def act(api, peer):
    """act(topic=...) publishes as the device, and waits until it was seen."""
    def publish(topic, device=DEVICE):
        one = peer()
        one.send_packet(type="connect", keepalive=60, **login(device))
        assert one.receive()["code"] == 0
        since = api.last_seq()
        one.send_packet(type="publish", payload="x", topic=topic)
        api.wait_event({"type": "publish", "device": device}, since=since)
        one.close()
    return publish


def has_form(value, form):
    for name, kind in form.items():
        assert isinstance(value[name], kind), name


def report(api, **query):
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return api.get(f"/api/v1/report.json?{asked}")


def test_the_form(api, act, peer):
    act("/pk/device/user/both")
    act("/elsewhere")
    stranger = peer()
    stranger.send_packet(type="connect", keepalive=60, clientId="abc", username="foo")
    api.wait_event({"type": "connect", "clientId": "abc"})
    told = report(api)
    has_form(told, REPORT)
    has_form(told["run"], RUN)
    assert told["format"] == 1 and told["verdict"] == "failed"
    assert told["devicesBy"] == {"notExercised": 0, "passed": 0, "warned": 0, "failed": 2}
    device, other = told["devices"]
    for one in (device, other):
        has_form(one, DEVICE_FORM)
        has_form(one["rulesBy"], COUNTS)
        for rule in one["rules"]:
            has_form(rule, RULE)
            assert rule["verdict"] != "not exercised"
            if rule["verdict"] in ("failed", "warned"):
                has_form(rule, PROOF)
        by = [rule["verdict"] for rule in one["rules"]]
        assert one["rulesBy"] == {"notExercised": len(one["notExercised"]),
                                  **{v: by.count(v) for v in ("passed", "warned", "failed")}}
    assert (device["device"], device["cloud"], device["registered"]) == (DEVICE, "aliyun", True)
    assert (other["device"], other["registered"]) == ("client id abc", False)
    assert not set(device["notExercised"]) & {rule["id"] for rule in device["rules"]}


def test_it_says_what_verdicts_says(api, act):
    act("/elsewhere")
    verdict, = api.get("/api/v1/verdicts")["devices"]
    device, = report(api)["devices"]
    assert [rule for rule in device["rules"] if "count" in rule] == verdict["rules"]
