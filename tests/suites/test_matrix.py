"""The suites against the reference devices: a good one passes all that is for it, and for every
case there is one that fails it and passes `smoke`."""

import re
import time

import pytest
import server

import lab

ROWS = lab.breaks()
GOOD = list(lab.good_players())
# Cases that no device can break while it passes the rest, with the reason.
UNBROKEN = {
    "smoke": "a device that fails it cannot be told from one that is not there",
    "subscribes": "the same as smoke/subscribes",
}


@pytest.fixture(scope="module")
def played():
    """Everybody's documents: those of the broken ones by row."""
    broken = {row.id: lab.broken_player(row) for row in ROWS if row.places}
    lab.play([*GOOD, *broken.values()])
    return broken


def name_of(player):
    return f"{player.cloud}-{player.transport}-{player.places[0][0]['suite']}" + \
        ("-gateway" if player.is_gateway else "-new" if player.is_new else "")


@pytest.mark.parametrize("player", GOOD, ids=name_of)
def test_a_good_device_passes(played, player):
    verdicts = player.verdicts()
    assert verdicts and set(verdicts.values()) == {"passed"}, player.reasons("passed")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_broken_device_fails_its_case_and_passes_smoke(played, row):
    assert row.places, f"no suite has a case {row.case!r} for it"
    player = played[row.id]
    verdicts = player.verdicts()
    own = {f"{suite['suite']}/{case['id']}" for suite, case in row.places}
    assert {verdicts[name] for name in own} == {row.verdict}, player.reasons()
    # What it does wrong may break a rule of its cloud, of which `smoke` warns.
    assert {verdict for name, verdict in verdicts.items() if name not in own} <= \
        {"passed", "warned"}, player.reasons("passed")


def test_every_case_is_broken_by_somebody():
    broken = {case["id"] for row in ROWS for _, case in row.places}
    left = {f"{suite['suite']}/{case['id']}" for suite, case in lab.cases()
            if suite["suite"] not in UNBROKEN and case["id"] not in broken
            and case["id"] not in UNBROKEN}
    assert not left, f"nobody breaks {sorted(left)}"


def hurried(case):
    """With half a second for the device; what waits for something else than it does not."""
    return {**case, "timeoutMs": 500, "steps": [step for step in case["steps"]
                                                if step.get("do") != "wait"]}


def test_a_device_that_does_nothing_is_not_exercised(start):
    """Whatever is asked of it, and the run says so."""
    api = start().api
    suites = [{**suite, "cases": [hurried(case) for case in suite["cases"]]}
              for suite in lab.SUITES.values() if "cases" in suite]
    order = {"suites": suites, "device": "aliyun/pk/device"}
    run = "/api/v1/suites/runs/" + api.post("/api/v1/suites/runs", order)["id"]
    while (document := api.get(run))["state"] == "running":
        time.sleep(0.2)
    asked = [case for case in document["cases"] if case["state"] != "left"]
    assert {case.get("verdict") for case in asked} == {"not exercised"}
    assert document["verdict"] == "not exercised"


def test_the_page_that_compares_names_cases_that_there_are():
    page = (server.ROOT / "fixtures/suites/README.md").read_text()
    table = page[page.index("## Device Advisor"):]
    named = set(re.findall(r"`([a-z-]+/[a-z0-9-]+)`", table))
    assert len(named) > 20
    assert named <= {f"{suite['suite']}/{case['id']}" for suite, case in lab.cases()}
