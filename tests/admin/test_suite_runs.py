"""Runs of device suites: steps, grades, what is put back, who is beside whom, how one ends."""

import http.client
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import credentials
import pytest
import server

RUNS = "/api/v1/suites/runs"
DEVICE, OTHER = "aliyun/pk/device", "aliyun/pk/second"
PATH = f"/api/v1/devices/{DEVICE}"
CONNECTS = {"expect": {"event": {"type": "connect"}}}
KICK = {"do": "disconnect"}


@pytest.fixture
def good(skymock):
    """good(name, *options) starts a reference device, and waits until it is there."""
    running = []

    def start(name, *options):
        environment = {**server.ENVIRONMENT, "SKYMOCK_HOST": "127.0.0.1"}
        for listener, port in skymock.ports.items():
            environment["SKYMOCK_PORT_" + listener.upper().replace("-", "_")] = str(port)
        command = [sys.executable, server.ROOT / "tests/devices/device.py", name, "--fixtures",
                   server.FIXTURES, *options]
        running.append(subprocess.Popen(list(map(str, command)), env=environment))
        skymock.api.wait_event({"type": "suback", "device": name})
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def run(api):
    """run(steps..) is the document of a run of one case; or of suites, as the API takes them."""

    def to_the_end(*steps, device=DEVICE, timeout=8000, **order):
        if steps:
            case = {"id": "one", "timeoutMs": timeout, "steps": list(steps)}
            order["suite"] = {"suite": "mine", "cases": [case]}
        if "devices" not in order:
            order["device"] = device
        made = api.post(RUNS, order)["id"]
        *_, (_, document) = follow(api, made)
        assert api.get(f"{RUNS}/{made}") == document
        return document

    return to_the_end


def follow(api, made):
    """The messages of a run's stream, until it ends: (event, data)."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=server.PATIENCE_S)
    connection.request("GET", f"{RUNS}/{made}", headers={"Accept": "text/event-stream"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("Content-Type") == "text/event-stream"
    event = None
    try:
        for line in answer:
            word, _, rest = line.decode().rstrip("\n").partition(": ")
            if word == "event":
                event = rest
            elif word == "data":
                yield event, json.loads(rest)
    finally:
        answer.close()
        connection.close()


def only(document):
    (case,) = document["cases"]
    return case


# ---- grades ----


def test_a_device_that_does_what_it_must_passes_and_is_shown(run, good):
    good(DEVICE)
    document = run(KICK, CONNECTS, {"do": "message", "topic": "${topic}", "payload": "x", "qos": 1},
                   {"expect": {"event": {"type": "puback", "direction": "up"}}})
    assert document["verdict"] == "passed" and document["state"] == "ended"
    assert document["counts"] == {"passed": 1, "warned": 0, "notExercised": 0, "failed": 0}
    case = only(document)
    assert case["verdict"] == "passed" and case["events"] and case["since"] < case["events"][0]
    assert "step" not in case


def test_a_device_that_acts_otherwise_fails_and_the_reason_says_how(run, good):
    good(DEVICE)
    case = only(run(KICK, {"expect": {"event": {"type": "unsubscribe"}}}, timeout=1500))
    assert case["verdict"] == "failed"
    assert "no unsubscribe at all" in case["reason"]
    assert case["step"] == {"index": 1, "name": "expect", "text": "expect unsubscribe"}
    assert case["events"]


def test_what_only_warns_lets_the_case_go_on(run, good):
    good(DEVICE)
    case = only(run(KICK, {"expect": {"absent": {"type": "connect"}, "waitMs": 3000},
                           "grade": "warned"}, CONNECTS))
    assert case["verdict"] == "warned" and case["step"]["index"] == 1 and case["events"]


def test_a_claim_shows_whether_the_case_is_for_the_device_at_all(run, good):
    good(DEVICE)
    case = only(run(KICK, {"expect": {"event": {"type": "unsubscribe"}, "waitMs": 500},
                           "grade": "not exercised"}, CONNECTS))
    assert case["verdict"] == "not exercised" and case["step"]["index"] == 1
    assert "no unsubscribe at all" in case["reason"]
    case = only(run(KICK, {**CONNECTS, "grade": "not exercised"}))
    assert case["verdict"] == "passed"


def suite_of(**fits):
    """A suite for devices that come by TCP, with one case for all of them and one for fewer."""
    return {"suite": "mine", "fits": {"transport": ["tcp"]}, "cases": [
        {"id": "all", "timeoutMs": 8000, "steps": [KICK, CONNECTS]},
        {"id": "fewer", "timeoutMs": 8000, "steps": [KICK, CONNECTS], "fits": fits}]}


@pytest.mark.parametrize("fits", [{"cloud": ["enos"]}, {"node": ["gateway"]},
                                  {"activation": ["dynamic"]}, {"transport": ["dtls"]}])
def test_a_case_for_other_devices_is_left_out(run, good, fits):
    good(DEVICE)
    document = run(suite=suite_of(**fits))
    assert [one["state"] for one in document["cases"]] == ["ended", "left"]
    assert "the case is for devices" in document["cases"][1]["reason"]
    assert document["verdict"] == "passed" and document["counts"]["passed"] == 1
    suite = suite_of(**fits)
    assert run(suite={**suite, "cases": suite["cases"][1:]})["verdict"] == "not exercised"
    document = run(suite=suite_of(**fits), case="fewer")
    assert document["verdict"] == "not exercised"
    assert "the case is for devices" in only(document)["reason"]


def test_a_case_that_fits_in_its_own_way_must_fit_as_its_suite_does(run, good):
    good(DEVICE)
    document = run(suite={**suite_of(node=["device"], activation=["static"]),
                          "fits": {"cloud": ["enos"]}})
    assert not any(one.get("verdict") == "passed" for one in document["cases"])
    assert document["verdict"] == "not exercised"


@pytest.mark.parametrize("steps", [
    [CONNECTS], [{"expect": {"absent": {"type": "connect"}, "waitMs": 100}}],
    [KICK, {"measure": "reconnect-intervals", "pass": ["constant"]}]])
def test_nothing_that_happened_is_not_exercised(run, steps):
    document = run(*steps, timeout=300)
    assert document["verdict"] == "not exercised"
    assert "did nothing" in only(document)["reason"]
    assert "is not connected" in only(document)["reason"]


def test_a_device_that_is_not_there_is_waited_for_once(run):
    suite = {"suite": "mine", "cases": [
        {"id": f"case{i}", "timeoutMs": 1000 if i == 0 else 20000, "steps": [CONNECTS]}
        for i in range(5)]}
    document = run(suite=suite)
    assert [case["verdict"] for case in document["cases"]] == ["not exercised"] * 5
    assert document["ms"] < 10000


def test_what_cannot_be_done_is_no_fault_of_the_device(run, good):
    good(DEVICE)
    case = only(run(KICK, CONNECTS, {"do": "message", "topic": "/nobody/listens", "payload": ""}))
    assert case["verdict"] == "not exercised" and "does not subscribe" in case["reason"]
    assert case["step"]["name"] == "message"


def test_a_measure_waits_until_it_has_enough(run, good):
    good(DEVICE)
    case = only(run({"do": "fault", "fault": {"point": "connack", "action": "close", "count": 5}},
                    KICK, {"measure": "reconnect-intervals", "pass": ["exponential-jitter"],
                           "warn": ["exponential", "linear", "constant"]}, timeout=20000))
    assert case["verdict"] in ("passed", "warned") and case["reason"]
    (measure,) = case["measures"]
    assert measure["measure"] == "reconnect-intervals" and len(measure["figures"]) >= 3


# ---- what is put back ----


def test_that_nothing_comes_ends_a_measure_before_the_case_does(run, peer):
    device = peer("mqtt")
    device.send_packet(type="connect", **credentials.login(DEVICE))
    assert device.receive()["code"] == 0
    topic = "/pk/device/user/get"
    device.send_packet(type="subscribe", id=1, filters=[[topic, 1]])
    assert device.receive()["type"] == "suback"
    device.send_packet(type="pingreq")
    case = only(run({"do": "message", "topic": topic, "payload": "x", "qos": 1},
                    {"expect": {"event": {"type": "publish", "direction": "down"}}},
                    {"measure": "acknowledged", "pass": ["all"]}, timeout=60000))
    assert case["ms"] < 20000 and case["measures"][0]["class"] == "none"


def test_whatever_a_case_changed_is_put_back(api, run, good):
    good(DEVICE)
    before = api.get(PATH), api.get(PATH + "/shadow")
    offset, snapshots = api.get("/api/v1/clock"), api.get("/api/v1/snapshots")
    document = run({"do": "device", "device": {"enabled": False}},
                   {"do": "shadow", "shadow": {"desired": {"colour": "green"}}},
                   {"do": "fault", "fault": {"point": "connack", "action": "withhold"}},
                   {"do": "freeze"}, {"do": "advance", "advance": 3600 * 1000}, KICK, CONNECTS)
    assert document["verdict"] == "passed", document
    assert api.get("/api/v1/faults") == {"faults": []}
    clock = api.get("/api/v1/clock")
    assert not clock["frozen"] and offset["unixMs"] <= clock["unixMs"] < offset["unixMs"] + 60000
    api.wait_event({"type": "connack", "device": DEVICE, "code": 0}, since=only(document)["since"])
    after = api.get(PATH), api.get(PATH + "/shadow")
    assert after[0]["enabled"] is True
    assert "desired" not in before[1]["state"] and "desired" not in after[1]["state"]
    assert api.get("/api/v1/snapshots") == snapshots


def test_a_frozen_clock_is_frozen_again(api, run, good):
    good(DEVICE)
    frozen = api.post("/api/v1/clock/freeze")
    document = run({"do": "resume"}, KICK, CONNECTS)
    assert document["verdict"] == "passed"
    clock = api.get("/api/v1/clock")
    assert clock["frozen"] and clock["unixMs"] == frozen["unixMs"]
    api.post("/api/v1/clock/resume")


def test_faults_of_others_stay(api, run, good):
    good(DEVICE)
    mine = api.post("/api/v1/faults", {"point": "connack", "action": "delay", "ms": 1})["id"]
    run({"do": "fault", "point": "pingresp", "action": "withhold"}, {"do": "clear"}, KICK, CONNECTS)
    assert [fault["id"] for fault in api.get("/api/v1/faults")["faults"]] == [mine]
    api.request("DELETE", "/api/v1/faults")


def test_what_a_case_changed_can_be_put_back_in_the_middle_of_it(api, run, good):
    """And once more at its end, as it was before its first step."""
    good(DEVICE)
    before = api.get("/api/v1/clock")["unixMs"]
    refused = {"expect": {"event": {"type": "connack", "code": {"min": 1}}}}
    document = run({"do": "fault", "point": "pingresp", "action": "withhold"},
                   {"do": "advance", "advance": 3600_000}, {"do": "device", "enabled": False}, KICK,
                   refused, {"do": "restore"},
                   {"expect": {"sequence": [{"type": "connack", "code": {"min": 1}},
                                            {"type": "connack", "code": 0}]}},
                   {"do": "device", "enabled": False})
    assert document["verdict"] == "passed", document
    assert api.get(PATH)["enabled"] and api.get("/api/v1/faults")["faults"] == []
    assert before <= api.get("/api/v1/clock")["unixMs"] < before + 60000


def test_a_text_can_have_the_time_in_it(run, good):
    good(DEVICE)
    case = only(run(KICK, CONNECTS, {"do": "message", "topic": "${topic}", "payload": "<${now}>"},
                    {"expect": {"event": {"type": "publish", "direction": "down",
                                          "payload": {"equals": "<${now}>"}}}},
                    {"expect": {"event": {"type": "publish", "direction": "down",
                                          "payload": {"matches": "^<[1-9][0-9]{9}>$"}}}}))
    assert case["verdict"] == "passed", case


# ---- beside each other ----


def spans(document):
    return {(case["case"], case["device"]): case for case in document["cases"]}


def test_devices_are_side_by_side_and_a_case_with_the_clock_is_alone(api, good):
    good(DEVICE)
    good(OTHER)
    suite = {"suite": "mine", "cases": [
        {"id": "side", "steps": [KICK, CONNECTS, {"do": "wait", "wait": 300}]},
        {"id": "alone", "steps": [{"do": "advance", "advance": 1}, KICK, CONNECTS]}]}
    made = api.post(RUNS, {"suite": suite, "devices": [DEVICE, OTHER]})["id"]
    at_work, most = set(), {"side": 0, "alone": 0}
    for event, data in follow(api, made):
        if event == "run":
            at_work = {key for key, case in spans(data).items() if case["state"] == "running"}
            most["side"] = len(at_work)
        if event == "case":
            key = data["case"], data["device"]
            (at_work.add if data["state"] == "running" else at_work.discard)(key)
            most[data["case"]] = max(most[data["case"]], len(at_work))
            assert data["state"] != "running" or data["case"] != "alone" or at_work == {key}
        if event == "end":
            assert data["verdict"] == "passed" and len(data["cases"]) == 4
    assert most == {"side": 2, "alone": 1}


# ---- who runs it ----


def test_two_runs_of_one_device_take_turns_and_both_put_back_what_they_changed(api, good):
    good(DEVICE)
    made = [api.post(RUNS, {"device": DEVICE, "suite": {"suite": f"mine{n}", "cases": [
        {"id": "one", "steps": [{"do": "wait", "wait": 300 + 500 * n},
                                {"do": "device", "assetId": f"asset{n}"}, KICK, CONNECTS]}]}})["id"]
            for n in range(2)]
    for event, data in follow(api, made[1]):
        if event == "case" and data["state"] == "running":
            assert api.get(f"{RUNS}/{made[0]}")["state"] == "ended"
    assert [api.get(f"{RUNS}/{each}")["verdict"] for each in made] == ["passed", "passed"]
    assert api.get(PATH)["assetId"] is None


def test_a_device_that_was_made_again_before_its_case_is_the_one(api, good):
    device = good(DEVICE)
    suite = {"suite": "mine", "cases": [{"id": "one", "timeoutMs": 8000, "steps": [
        {"expect": {"event": {"type": "connect"}}}]}]}
    made = api.post(RUNS, {"suite": suite, "device": DEVICE, "runner": True})["id"]
    device.kill()
    device.wait()
    api.call("DELETE", PATH)
    api.reset()
    for event, data in follow(api, made):
        if event == "step":
            good(DEVICE)
    assert data["verdict"] == "passed", data


def test_a_case_that_is_alone_does_not_wait_for_a_whole_other_run(api, good):
    good(DEVICE)
    good(OTHER)
    many = {"suite": "many", "cases": [
        {"id": f"c{n}", "steps": [KICK, CONNECTS, {"do": "wait", "wait": 200}]} for n in range(20)]}
    alone = {"suite": "alone", "cases": [
        {"id": "clock", "steps": [{"do": "advance", "advance": 10}, KICK, CONNECTS]}]}
    others = api.post(RUNS, {"suite": many, "device": OTHER})["id"]
    made = api.post(RUNS, {"suite": alone, "device": DEVICE})["id"]
    *_, (_, document) = follow(api, made)
    assert document["verdict"] == "passed"
    assert api.get(f"{RUNS}/{others}")["state"] == "running"
    *_, (_, document) = follow(api, others)
    assert document["verdict"] == "passed"


def test_a_runner_does_commands_and_says_so(api, good):
    good(DEVICE)
    suite = {"suite": "mine", "cases": [{"id": "one", "steps": [
        {"do": "run", "run": "power-cycle --now"}, KICK, CONNECTS]}]}
    made = api.post(RUNS, {"suite": suite, "device": DEVICE, "runner": True, "setup": True})["id"]
    tasks = []
    for event, data in follow(api, made):
        if event == "task":
            tasks.append((data["what"], data.get("command")))
            api.post(f"{RUNS}/{made}/done", {"note": "a note"})
            api.post(f"{RUNS}/{made}/done", {"task": data["task"], "exit": 0})
        if event == "end":
            assert data["verdict"] == "passed", data
            assert only(data)["notes"] == ["a note", "a note"]
    assert tasks == [("setup", None), ("run", "power-cycle --now")]


def test_a_command_that_fails_is_no_fault_of_the_device(api, good):
    good(DEVICE)
    suite = {"suite": "mine", "cases": [{"id": "one", "steps": [KICK, CONNECTS,
                                                                {"do": "run", "run": "false"}]}]}
    made = api.post(RUNS, {"suite": suite, "device": DEVICE, "runner": True})["id"]
    for event, data in follow(api, made):
        if event == "task":
            api.post(f"{RUNS}/{made}/done", {"task": data["task"], "exit": 3, "reason": "no relay"})
        if event == "end":
            assert only(data)["verdict"] == "not exercised"
            assert "ended with 3: no relay" in only(data)["reason"]


def test_a_run_whose_runner_goes_away_stops_and_says_so(api):
    suite = {"suite": "mine", "cases": [{"id": "one", "steps": [CONNECTS]},
                                        {"id": "two", "steps": [CONNECTS]}]}
    made = api.post(RUNS, {"suite": suite, "device": DEVICE, "runner": True})["id"]
    for event, data in follow(api, made):
        if event == "step":
            break
    for event, data in follow(api, made):
        pass
    assert data["state"] == "stopped" and "went away" in data["interrupted"]
    first, second = data["cases"]
    assert first["state"] == "stopped" and "in the middle of step 1 (expect connect)" in first["reason"]
    assert second["state"] == "stopped" and "not begun" in second["reason"]
    assert data["verdict"] == "not exercised"


def test_a_device_that_has_ended_is_not_waited_for(api, good):
    device = good(DEVICE)
    kicked = api.events(order="desc", limit=1)[0]["seq"]
    suite = {"suite": "mine", "cases": [
        {"id": each, "steps": [KICK, {"expect": {"event": {"type": "unsubscribe"}}}],
         "timeoutMs": 60000} for each in ("one", "two")]}
    made = api.post(RUNS, {"suite": suite, "device": DEVICE})["id"]
    for event, data in follow(api, made):
        if event == "run":
            api.wait_event({"type": "connack", "device": DEVICE}, since=kicked)
            device.kill()
            device.wait()
            api.post(f"{RUNS}/{made}/done", {"note": "the command ended: signal 9", "gone": True})
    first, second = data["cases"]
    assert first["verdict"] == "failed" and "the command ended: signal 9" in first["reason"]
    assert "its connection ended with event" in first["reason"]
    assert second["verdict"] == "not exercised" and data["ms"] < 30000


def test_a_run_is_stopped_and_forgotten(api, refused):
    order = {"suite": {"suite": "mine", "cases": [{"id": "one", "steps": [CONNECTS]}]},
             "device": DEVICE}
    made = api.post(RUNS, order)["id"]
    api.post(f"{RUNS}/{made}/stop")
    assert api.get(f"{RUNS}/{made}")["state"] == "stopped"
    refused(409, "POST", f"{RUNS}/{made}/stop")
    assert made in [run["id"] for run in api.get(RUNS)["runs"]]
    assert api.request("DELETE", f"{RUNS}/{made}")[0] == 204
    refused(404, "GET", f"{RUNS}/{made}")
    refused(404, "GET", f"{RUNS}/nothing")


def test_the_server_ends_in_the_middle_of_a_case():
    own = server.Skymock()
    own.api.post(RUNS, {"suite": "smoke", "device": DEVICE})
    own.stop()


# ---- what makes no sense ----

STEP = "/suite/cases/0/steps/0"
WRONG = [
    ({"do": "fly"}, "/do", "no step"),
    ({}, "", "'do', 'expect' or 'measure'"),
    ({"do": "wait", "expect": {}}, "", "one of them"),
    ({"do": "wait", "wait": "long"}, "/wait", "milliseconds"),
    ({"do": "wait", "wait": 1, "more": 1}, "/more", "not known beside"),
    ({"do": "run"}, "", "shell command"),
    ({"do": "clear", "clear": {"all": True}}, "/clear", "takes nothing"),
    ({"do": "message", "message": {"topic": 1}}, "/message/topic", "string"),
    ({"do": "message", "topic": 1}, "/topic", "string"),
    ({"do": "message", "message": {}}, "/message", "'topic' is missing"),
    ({"do": "command", "command": {"kind": "x", "waitMs": -1}}, "/command/waitMs", "0 to"),
    ({"do": "device", "device": {"enable": False}}, "/device/enable", "not known"),
    ({"do": "fault", "fault": {"point": "connack", "action": "certificate"}}, "/fault/action",
     "handshake"),
    ({"do": "fault", "fault": {"point": "connak", "action": "close"}}, "/fault/point", "connack"),
    ({"expect": {"event": {"typ": "connect"}}}, "/expect/event/typ", "'type' is meant"),
    ({"expect": {"event": {"rule": "NONE"}}}, "/expect/event/rule", "NONE"),
    ({"expect": {"type": "connect"}}, "/expect/type", "member of the pattern"),
    ({"expect": {}}, "/expect", ""),
    ({"expect": {"event": {}}, "grade": "failed"}, "/grade", "warned"),
    ({"expect": {"event": {}}, "count": {"min": 1}}, "/count", "not known here"),
    ({"measure": "speed", "pass": ["fast"]}, "/measure", "one of"),
    ({"measure": "reconnect-intervals", "pass": ["fast"]}, "/pass", "one of"),
    ({"measure": "payload-size", "pass": {"most": 1}}, "/pass", "min, max"),
    ({"measure": "payload-size"}, "/pass", "min, max"),
]


@pytest.mark.parametrize("step, pointer, words", WRONG, ids=lambda value: str(value)[:40])
def test_a_step_that_makes_no_sense_is_told_where(refused, step, pointer, words):
    suite = {"suite": "mine", "cases": [{"id": "one", "steps": [step, CONNECTS]}]}
    error = refused(400, "POST", RUNS, {"suite": suite, "device": DEVICE})
    assert error["pointer"].startswith(STEP + pointer), error
    assert words in error["message"], error


GOOD = [
    {"do": "fault", "fault": {"point": "connack", "action": "withhold"}},
    {"do": "fault", "point": "handshake", "action": "certificate", "kind": "expired"},
    {"do": "clear"}, {"do": "restore"}, {"do": "advance", "advance": {"ms": 1}}, {"do": "advance", "advance": 1},
    {"do": "advance", "ms": 1}, {"do": "freeze"}, {"do": "resume"}, {"do": "disconnect"},
    {"do": "message", "message": {"topic": "${topic}", "payload": "", "qos": 1}},
    {"do": "command", "command": {"kind": "property-set", "params": {}}},
    {"do": "shadow", "shadow": {"desired": {"a": 1}}}, {"do": "ota", "ota": {"version": "2", "size": 9}},
    {"do": "config"}, {"do": "config", "config": {"config": {}}},
    {"do": "device", "device": {"enabled": False}}, {"do": "device", "enabled": True},
    {"do": "reset"}, {"do": "reset", "reset": {"forget": True}}, {"do": "twin"},
    {"do": "wait", "wait": 1}, {"do": "wait", "ms": 1, "title": "a moment"},
    {"expect": {"absent": {"type": "connect"}, "waitMs": 1}, "anyone": True},
    {"expect": {"sequence": [{"type": "connect"}, {"type": "connack"}], "withinMs": 5}},
    {"measure": "payload-size", "pass": {"max": 100}, "warn": {"max": 200}},
    {"measure": "payload-size", "pass": {"max": 100}, "title": "messages are small"},
]


@pytest.mark.parametrize("step", GOOD, ids=lambda value: str(value)[:40])
def test_a_step_that_makes_sense_is_taken(api, step):
    suite = {"suite": "mine", "cases": [{"id": "one", "steps": [step, CONNECTS]}]}
    made = api.post(RUNS, {"suite": suite, "device": DEVICE})["id"]
    assert api.request("DELETE", f"{RUNS}/{made}")[0] == 204


@pytest.mark.parametrize("suite, pointer", [
    ({"suite": "mine"}, "/suite"), ({"suite": "a b", "cases": []}, "/suite/suite"),
    ({"suite": "mine", "cases": []}, "/suite/cases"),
    ({"suite": "mine", "case": []}, "/suite/case"),
    ({"suite": "mine", "cases": [{"id": "one", "steps": [KICK]}]}, "/suite/cases/0/steps"),
    ({"suite": "mine", "cases": [{"id": "one"}]}, "/suite/cases/0"),
    ({"suite": "mine", "cases": [{"id": "one", "steps": [CONNECTS], "timeoutMs": 0}]},
     "/suite/cases/0/timeoutMs"),
    ({"suite": "mine", "cases": [{"id": "one", "steps": [CONNECTS]}] * 2}, "/suite/cases/1/id"),
    ({"suite": "mine", "cases": [{"id": "one", "steps": [CONNECTS],
                                  "fits": {"cloud": ["acme"]}}]}, "/suite/cases/0/fits/cloud/0"),
    ({"suite": "mine", "fits": {"transport": ["wifi"]},
      "cases": [{"id": "one", "steps": [CONNECTS]}]}, "/suite/fits/transport/0"),
    ({"suite": "mine", "fits": {"activation": ["static", "none"]},
      "cases": [{"id": "one", "steps": [CONNECTS]}]}, "/suite/fits/activation/1"),
    ({"suite": "mine", "suites": ["none"]}, "/suites"),
    ("none", "/suite"), (5, "/suite")])
def test_a_suite_that_makes_no_sense_is_told_where(refused, suite, pointer):
    assert refused(400, "POST", RUNS, {"suite": suite, "device": DEVICE})["pointer"] == pointer


def test_an_order_that_makes_no_sense_is_refused(refused):
    for order in ({"suite": "smoke"}, {"device": DEVICE},
                  {"suite": "smoke", "device": DEVICE, "devices": [DEVICE]},
                  {"suite": "smoke", "devices": [DEVICE, DEVICE]},
                  {"suite": "smoke", "devices": []}, {"suite": "smoke", "devices": [DEVICE] * 101},
                  {"suite": "smoke", "devices": [DEVICE, 1]}, {"suite": "smoke", "device": "pk"},
                  {"suite": "smoke", "device": DEVICE, "case": "one", "cases": ["one"]},
                  {"suite": "smoke", "device": DEVICE, "cases": [1]},
                  {"suite": "smoke", "device": DEVICE, "case": "none"},
                  {"suite": "smoke", "device": DEVICE, "setup": True},
                  {"suite": {"suite": "mine", "cases": [{"id": "one", "steps": [
                      {"do": "run", "run": "true"}, CONNECTS]}]}, "device": DEVICE}):
        refused(400, "POST", RUNS, order)
    refused(404, "POST", RUNS, {"suite": "smoke", "device": "aliyun/pk/none"})


def tried(api, order):
    """The status with which a run begins, or does not; it does not go on."""
    status, answer = api.request("POST", RUNS, order)
    if status == 201:
        api.request("DELETE", f"{RUNS}/{answer['id']}")
    return status


@pytest.mark.parametrize("count, status", [(100, 201), (101, 400)])
def test_a_case_has_so_many_steps(api, count, status):
    suite = {"suite": "mine", "cases": [{"id": "one", "steps": [CONNECTS] * count}]}
    assert tried(api, {"suite": suite, "device": DEVICE}) == status


@pytest.mark.parametrize("count, status", [(500, 201), (501, 400)])
def test_a_suite_has_so_many_cases(api, count, status):
    suite = {"suite": "mine",
             "cases": [{"id": f"case{i}", "steps": [CONNECTS]} for i in range(count)]}
    assert tried(api, {"suite": suite, "device": DEVICE}) == status


@pytest.mark.parametrize("cases, status", [(500, 201), (501, 400)])
def test_a_run_has_so_many_cases(api, cases, status):
    devices = [DEVICE, OTHER, "aliyun/pk/disabled", "tencent/PROD123456/dev001"]
    parts = [400, cases - 400]
    suites = [{"suite": f"mine{part}", "cases": [{"id": f"case{i}", "steps": [CONNECTS]}
                                                 for i in range(part)]} for part in parts]
    assert tried(api, {"suites": suites, "devices": devices}) == status


@pytest.fixture
def many(api):
    """Twelve devices."""
    made = [f"aliyun/pk/many{n}" for n in range(12)]
    for each in made:
        cloud, product, device = each.split("/")
        api.post("/api/v1/devices", {"cloud": cloud, "product": product, "device": device})
    return made


def titled(count, letter="x"):
    """A suite whose cases have so many bytes of titles and sources."""
    full, rest = divmod(count, 2000)
    titles = [(letter * 1000,) * 2] * full + [(letter * (rest // 2), letter * (rest - rest // 2))]
    return {"suite": "mine", "cases": [
        {"id": f"case{n}", "title": title, "source": source, "steps": [CONNECTS]}
        for n, (title, source) in enumerate(titles)]}


@pytest.mark.parametrize("over, status", [(0, 201), (1, 400)])
def test_a_run_has_so_many_bytes_of_titles(api, many, over, status):
    suite = titled((2 << 20) // 8 + over)
    got, answer = api.request("POST", RUNS,
                              {"suite": suite, "devices": many[:8], "runner": True})
    assert got == status, answer
    if got == 201:
        api.request("DELETE", f"{RUNS}/{answer['id']}")


def test_whoever_reads_too_late_gets_no_half_messages(api, many):
    suite = titled(160000, "\x01")  # six bytes each in JSON
    made = api.post(RUNS, {"suite": suite, "devices": many})["id"]
    with socket.create_connection(("127.0.0.1", api.port)) as late:
        late.sendall(f"GET {RUNS}/{made} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                     "Accept: text/event-stream\r\n\r\n".encode())
        for _ in range(3):
            api.barrier()
        api.post(f"{RUNS}/{made}/stop")
        told = b"".join(iter(lambda: late.recv(1 << 20), b""))
    *messages, _ = told.partition(b"\r\n\r\n")[2].split(b"\n\n")  # those with an end
    for message in messages:
        json.loads(message.partition(b"data: ")[2])
    api.request("DELETE", f"{RUNS}/{made}")


def test_so_many_runs_are_at_work(api, refused):
    order = {"suite": {"suite": "mine", "cases": [{"id": "one", "steps": [CONNECTS]}]},
             "device": DEVICE, "runner": True}
    at_work = [run["id"] for run in api.get(RUNS)["runs"] if run["state"] == "running"]
    made = at_work + [api.post(RUNS, order)["id"] for _ in range(50 - len(at_work))]
    refused(409, "POST", RUNS, order)
    for each in made:
        assert api.request("DELETE", f"{RUNS}/{each}")[0] == 204


def test_built_in_suites_can_be_read_and_every_one_is_good(api):
    for suite in api.get("/api/v1/suites")["suites"]:
        text = api.get(f"/api/v1/suites/{suite['suite']}")
        assert text["suite"] == suite["suite"]
        made = api.post(RUNS, {"suite": text, "device": DEVICE})["id"]
        assert api.request("DELETE", f"{RUNS}/{made}")[0] == 204
