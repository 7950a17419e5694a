"""Whoever asked goes away before the answer: what waited for it is dropped, and nobody else notices."""

import json
import re

import pytest
import server
from elsewhere import Elsewhere
from upgrades import DEVICE, PATH

CERTIFICATES = f"/api/v1/devices/{DEVICE}/certificates"
UPGRADE = {"version": "9", "size": 10, "waitMs": server.PATIENCE_S * 1000}


def connections(api):
    return int(re.search(r"^skymock_connections (\d+)", api.get("/metrics"), re.MULTILINE)[1])


def ask_and_leave(api, *asking):
    asked = Elsewhere(api, *asking)
    api.barrier()
    asked.leave()
    while connections(api) > 1:
        pass


@pytest.mark.parametrize("asking", [
    ("POST", CERTIFICATES, {"key": "rsa"}),
    ("POST", PATH, UPGRADE),
    ("GET", "/api/v1/events?type=fault&wait_ms=30000"),
    ("GET", "/api/v1/events/stream"),
    ("POST", "/api/v1/verify", {"event": {"type": "fault"}, "waitMs": 30000}),
    ("POST", "/api/v1/expected", {"event": {"type": "fault"}, "device": DEVICE}),
    ("GET", "/report.html"),
])
def test_nothing_is_left_of_it(api, asking):
    ask_and_leave(api, *asking)
    assert api.get("/ready") is not None


def test_a_key_that_nobody_waits_for_holds_up_no_other(api):
    for _ in range(4):
        ask_and_leave(api, "POST", CERTIFICATES, {"key": "rsa"})
    assert api.post(CERTIFICATES, {"key": "ec"})["certificate"]


def test_an_upgrade_goes_on_without_whoever_waits_for_its_end(api):
    asked = Elsewhere(api, "POST", PATH, UPGRADE)
    api.wait_event({"type": "upgrade"})
    asked.leave()
    while connections(api) > 1:
        pass
    assert [each["version"] for each in api.get(PATH)["upgrades"]] == ["9"]


def test_what_stands_behind_an_act_on_many_is_not_done(start, tmp_path):
    path = tmp_path / "many.json"
    path.write_text(json.dumps({"products": [
        {"cloud": "aliyun", "productKey": "many", "productSecret": "s",
         "devices": [{"deviceName": f"d{number}", "deviceSecret": "s"}
                     for number in range(10_000)]}]}))
    api = start(fixtures=path).api
    reset = Elsewhere(api, "POST", "/api/v1/reset", {})
    behind = Elsewhere(api, "DELETE", "/api/v1/devices/aliyun/many/d1")
    api.barrier()
    behind.leave()
    assert reset.answer()[0] == 204
    assert api.get("/api/v1/devices/aliyun/many/d1")["device"] == "d1"
