"""suite.schema.json, which editors check suites with, says what the program says."""

import copy
import json
import re
from pathlib import Path

import pytest
from json_schema import Schema

ROOT = Path(__file__).parents[2]
SUITES = ROOT / "fixtures" / "suites"
DOCUMENT = json.loads((SUITES / "suite.schema.json").read_text())
DEFS = DOCUMENT["$defs"]
SCHEMA = Schema(DOCUMENT)
DEVICE = "/api/v1/devices/{cloud}/{product}/{device}"
BODIES = {"fault": ("post", "/api/v1/faults"), "claim": ("post", "/api/v1/verify"),
          "advance": ("post", "/api/v1/clock/advance"), "reset": ("post", "/api/v1/reset"),
          "message": ("post", DEVICE + "/messages"), "command": ("post", DEVICE + "/commands"),
          "ota": ("post", DEVICE + "/ota"), "config": ("post", DEVICE + "/config"),
          "device": ("patch", DEVICE)}
EXPECT = {"expect": {"event": {"type": "connack", "code": 0}}}


def suite(*steps, **more):
    return {"suite": "s", "cases": [{"id": "c", "steps": list(steps), **more}]}


@pytest.fixture
def refusal(api):
    """What the server has against a suite: the pointer within it and the message; None: nothing."""
    def ask(text):
        status, answer = api.request("POST", "/api/v1/suites/runs", {
            "suite": text, "device": "aliyun/pk/device", "runner": True})
        if status == 201:
            assert api.request("DELETE", f"/api/v1/suites/runs/{answer['id']}")[0] == 204
            return None
        assert status == 400, answer
        return answer["error"]["pointer"].removeprefix("/suite"), answer["error"]["message"]
    return ask


def names_after(message, words):
    assert words in message, message
    return message.partition(words)[2].split(", ")


@pytest.mark.parametrize("path", sorted(
    path for path in SUITES.glob("*.json") if path.name != "suite.schema.json"),
                         ids=lambda path: path.stem)
def test_every_built_in_suite_is_as_the_schema_says(path):
    text = json.loads(path.read_text())
    assert SCHEMA.faults(text) == []
    assert text["suite"] == path.stem


# ---- the tables of the program ----

def test_it_has_every_step(refusal):
    pointer, message = refusal(suite({"do": "nothing"}, EXPECT))
    assert pointer == "/cases/0/steps/0/do"
    known = [each["const"] for each in DEFS["step"]["properties"]["do"]["oneOf"]]
    assert names_after(message, "there are ") == known


def measures(refusal):
    _, message = refusal(suite({"measure": "nothing", "pass": ["x"]}))
    return names_after(message, "must be one of: ")


def test_it_has_every_measure_with_its_facets_and_classes(refusal):
    names = measures(refusal)
    assert names == [each["const"] for each in DEFS["measure"]["properties"]["measure"]["oneOf"]]
    for name in names:
        facets = [None]
        _, message = refusal(suite({"measure": name, "of": "nothing", "pass": ["x"]}))
        if "one of" in message:
            facets = names_after(message, "must be one of: ")
        for facet in facets:
            step = {"measure": name, **({"of": facet} if facet else {})}
            found = refusal(suite({**step, "pass": ["?"]}))
            if found is None:  # any text
                assert SCHEMA.faults(suite({**step, "pass": ["?"]})) == []
                continue
            bounds = {**step, "pass": {"min": 1, "max": 2}}
            classes = (names_after(found[1], "each must be one of: ")
                       if "each must" in found[1] else [])
            for each in classes:
                assert SCHEMA.faults(suite({**step, "pass": [each], "warn": [each]})) == []
            assert SCHEMA.faults(suite({**step, "pass": ["?"]}))
            assert bool(SCHEMA.faults(suite(bounds))) == bool(classes)
            assert bool(refusal(suite(bounds))) == bool(classes)


def test_it_has_every_member_of_every_body(api):
    paths = api.get("/openapi.json")["paths"]
    for name, (method, path) in BODIES.items():
        content = paths[path][method]["requestBody"]["content"]["application/json"]
        assert DEFS[name]["properties"].keys() == content["schema"]["properties"].keys(), name


def table(path, start):
    text = (ROOT / path).read_text()
    assert start in text
    return re.findall(r'(?:X\(\w+,|\{) ?"([\w-]+)"', text[text.index(start):])


def test_it_has_every_member_of_patterns_and_every_word_of_faults():
    assert list(DEFS["pattern"]["properties"]) == table("server/pattern/members.c", "sky_members[]")
    words = DEFS["pattern"]["properties"]["type"]["anyOf"][0]["enum"]
    assert words == table("server/journal/event.h", "#define SKY_EVENT_TYPES(X)")[:len(words)]
    fault = DEFS["fault"]["properties"]
    points = table("server/wire/passage.h", "(X)")
    assert fault["point"]["enum"] == points[:points.index("datagram-down") + 1]
    actions = table("server/fault/matrix.h", "#define SKY_FAULT_ACTIONS(X)")
    assert fault["action"]["enum"] == actions[:actions.index("certificate") + 1]
    assert fault["kind"]["enum"] == table("server/tls/lies.h", "(X)")


# ---- the same answer ----

GOOD = [
    suite(EXPECT),
    suite(EXPECT, timeoutMs=1, title="t", about="a", source="s",
          fits={"cloud": ["aliyun"], "transport": ["tcp"], "node": ["device"],
                "activation": ["static"]}),
    suite({"do": "wait", "wait": 0}, {"do": "wait", "ms": 5}, {"do": "wait", "wait": {"ms": 5}}, EXPECT),
    suite({"do": "run", "run": "true"}, {"do": "clear"}, {"do": "disconnect", "title": "t"}, EXPECT),
    suite({"do": "advance", "advance": 5}, {"do": "freeze"}, {"do": "resume"}, EXPECT),
    suite({"do": "fault", "point": "connack", "action": "set", "code": 3}, EXPECT),
    suite({"do": "fault", "fault": {"point": "connack", "action": "withhold", "match": {
        "type": ["connack"], "code": {"min": 0}, "not": {"dup": True}}}}, EXPECT),
    suite({"do": "message", "topic": "${topic}", "payload": "x", "qos": 1}, EXPECT),
    suite({"do": "shadow", "shadow": {"desired": {"a": 1}}}, {"do": "twin"}, EXPECT),
    suite({"expect": {"absent": {"payload": {"pointer": "/a", "exists": True}}}, "anyone": True,
           "grade": "warned"}),
    suite({"expect": {"sequence": [{"type": "connect"}, {"anyOf": [{"topic": "a/#"}]}],
                      "withinMs": 5}}),
    {"suite": "all", "suites": ["smoke"]},
]
BAD = [
    {"suite": "s"}, {"suite": "s", "cases": []}, {"suite": "-", "cases": suite(EXPECT)["cases"]},
    {**suite(EXPECT), "colour": 1}, {**suite(EXPECT), "suites": ["smoke"]},
    suite(EXPECT, timeoutMs=0), suite(EXPECT, timeoutMs="1"), suite(EXPECT, colour=1),
    suite(EXPECT, fits={"transport": ["carrier-pigeon"]}), suite(EXPECT, fits={"colour": ["red"]}),
    suite(EXPECT, fits={"activation": ["none"]}), suite(EXPECT, fits={"cloud": []}),
    suite(), suite(EXPECT, {}), suite(EXPECT, {"do": "dance"}),
    suite(EXPECT, {"do": "clear", "clear": {"a": 1}}), suite(EXPECT, {"do": "wait", "wait": -1}),
    suite(EXPECT, {"do": "wait"}), suite(EXPECT, {"do": "wait", "wait": 1, "ms": 1}),
    suite(EXPECT, {"do": "run", "run": ""}),
    suite(EXPECT, {"do": "fault", "fault": {"point": "connack"}}),
    suite(EXPECT, {"do": "fault", "point": "nowhere", "action": "withhold"}),
    suite(EXPECT, {"do": "fault", "fault": {"point": "connack", "action": "withhold", "colour": 1}}),
    suite(EXPECT, {"do": "fault", "point": "connack", "action": "withhold", "match": {"kind": 1}}),
    suite(EXPECT, {"do": "message", "message": {"payload": "x"}}),
    suite(EXPECT, {"do": "disconnect", "expect": {"event": {}}}),
    suite({"expect": {"event": {"type": "nothing"}}}), suite({"expect": {"event": {"code": "0"}}}),
    suite({"expect": {}}), suite({"expect": {"event": {}, "absent": {}}}),
    suite({**EXPECT, "grade": "failed?"}), suite({**EXPECT, "anyone": "yes"}),
    suite({"measure": "resend"}), suite({"measure": "resend", "pass": ["sometimes"]}),
    suite({"measure": "payload-size", "pass": {"most": 5}}),
    suite({"measure": "handshake", "pass": ["TLS 1.2"]}),
]


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_what_is_good_is_good_to_both(refusal, number):
    assert SCHEMA.faults(GOOD[number]) == []
    assert refusal(copy.deepcopy(GOOD[number])) is None


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_is_bad_is_bad_to_both(refusal, number):
    assert SCHEMA.faults(BAD[number])
    assert refusal(copy.deepcopy(BAD[number])) is not None
