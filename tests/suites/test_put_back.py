"""Whatever becomes of a case, its device is afterwards as it was before."""

import time

import credentials
import pytest
import server

NAME = "aliyun/pk/device"
DEVICE = f"/api/v1/devices/{NAME}"
RUNS = "/api/v1/suites/runs"
TOPIC = "/pk/device/user/get"
CHANGES = [
    {"do": "device", "enabled": False, "secret": "another"},
    {"do": "shadow", "desired": {"colour": "red"}},
    {"do": "fault", "point": "connack", "action": "withhold"},
    {"do": "advance", "advance": 86400000}]


def suite(*steps, timeout_ms=60000):
    return {"suite": "s", "cases": [{"id": "c", "timeoutMs": timeout_ms, "steps": [
        *steps, {"expect": {"event": {"type": "publish", "topic": "/never"}}}]}]}


@pytest.fixture
def begin(api):
    """begin(suite) runs it, and waits until the case has come to its last step."""
    def run(text, device=NAME, on=api):
        number = on.post(RUNS, {"suite": text, "device": device})["id"]
        last = len(text["cases"][0]["steps"]) - 1
        wait_for(on, number, lambda case: case.get("step", {}).get("index") == last)
        return number
    return run


def wait_for(api, number, condition):
    until = time.monotonic() + server.PATIENCE_S
    while not condition(api.get(f"{RUNS}/{number}")["cases"][0]):
        assert time.monotonic() < until
        time.sleep(0.02)


def state(api):
    """Of the device, but for what of it is only in memory: a session that it never had, is none."""
    record = api.get(DEVICE, secrets="true")
    return ({name: record.get(name) for name in ("enabled", "state", "secret", "secretIssued")},
            api.get(DEVICE + "/shadow"), api.get("/api/v1/faults")["faults"])


def log_in(peer, clean=False, name=NAME):
    device = peer(credentials.listeners(name, "mqtt")[0])
    device.send_packet(type="connect", clean=clean, keepalive=60, **credentials.login(name))
    assert device.receive()["code"] == 0
    return device


def test_a_case_that_is_stopped_is_undone(api, begin):
    before, now = state(api), api.get("/api/v1/clock")["unixMs"]
    number = begin(suite(*CHANGES))
    assert state(api) != before
    assert "" not in [each["name"] for each in api.get("/api/v1/snapshots")["snapshots"]]
    assert api.get("/api/v1/clock")["unixMs"] > now + 86000000
    assert api.request("POST", f"{RUNS}/{number}/stop")[0] == 204
    assert state(api) == before
    assert api.get("/api/v1/clock")["unixMs"] < now + 60000


def test_a_case_that_ends_is_undone(api, begin):
    before = state(api)
    number = begin(suite(*CHANGES[:3], timeout_ms=300))
    wait_for(api, number, lambda case: case["state"] == "ended")
    assert state(api) == before


def test_messages_of_a_case_wait_no_longer(api, begin, peer):
    device = log_in(peer)
    device.send_packet(type="subscribe", id=1, filters=[[TOPIC, 1]])
    assert device.receive()["type"] == "suback"
    api.post(DEVICE + "/disconnect")
    assert device.receive() is None
    api.post(DEVICE + "/messages", {"topic": TOPIC, "payload": "before", "qos": 1})
    number = begin(suite({"do": "message", "topic": TOPIC, "payload": "within", "qos": 1}))
    assert api.request("POST", f"{RUNS}/{number}/stop")[0] == 204
    again = log_in(peer)
    assert again.receive()["payload"] == "before"
    again.send_packet(type="pingreq")
    assert again.receive()["type"] == "pingresp"


def test_a_device_that_was_left_alone_stays_connected(api, begin, peer):
    device = log_in(peer, clean=True)
    number = begin(suite({"do": "shadow", "desired": {"colour": "red"}}))
    assert api.request("POST", f"{RUNS}/{number}/stop")[0] == 204
    device.send_packet(type="pingreq")
    assert device.receive()["type"] == "pingresp"


@pytest.mark.parametrize("ending", ["kill", "stop"])
def test_a_server_that_ends_in_a_case_puts_its_device_back_at_the_next_start(tmp_path, ending):
    store = ("--store", str(tmp_path / "store"))
    first = server.Skymock(*store)
    before = state(first.api)
    text = suite(*CHANGES[:3])
    number = first.api.post(RUNS, {"suite": text, "device": NAME})["id"]
    wait_for(first.api, number, lambda case: case.get("step", {}).get("index") == 3)
    assert state(first.api) != before
    getattr(first, ending)()
    second = server.Skymock(*store, fixtures=None)
    try:
        assert state(second.api) == before
        assert f"{NAME} is put back" in second.errors()
    finally:
        second.stop()
