"""The answers of the API are as /openapi.json describes them. (What other tests here are answered is
held against it too: see conftest.py.)"""

import http.client
import json
import re
import ssl

import pytest
import server
from credentials import login
from openapi import Description

DEVICE = "/api/v1/devices/{cloud}/{product}/{device}"
PRODUCT = "/api/v1/products/{cloud}/{product}"
EXPECTED = "/api/v1/expected"
SNAPSHOTS = "/api/v1/snapshots"
FAULTS = "/api/v1/faults"
CAPTURES = "/api/v1/captures"
RUNS = "/api/v1/suites/runs"
STREAM, VERIFY = "/api/v1/events/stream", "/api/v1/verify"
NAMES = {"cloud": "aliyun", "product": "pk", "device": "device", "name": "shadow"}
SERVICE = "/sys/pk/device/thing/service/property/set"
CONFIG = "/sys/pk/device/thing/config/push"

# What each route is asked with; those that are not here are asked with nothing.
BODIES = {
    ("POST", "/api/v1/products"): {"products": [{"cloud": "aliyun", "productKey": "gates",
     "nodeType": "gateway", "devices": [{"deviceName": "gate"}]}]},
    ("PATCH", PRODUCT): {"config": {"a": 1}, "forward": "http://127.0.0.1:9/"},
    ("PUT", PRODUCT + "/config"): {"a": 1},
    ("PUT", PRODUCT + "/model"): {"properties": [
        {"identifier": "a", "accessMode": "rw", "dataType": {"type": "int", "specs": {}}}]},
    ("PUT", DEVICE + "/topology"): {"subDevices": [{"product": "pk", "device": "disabled"}]},
    ("POST", DEVICE + "/config"): {"waitMs": 0},
    ("POST", "/api/v1/devices"): {"cloud": "aliyun", "product": "pk", "device": "fresh"},
    ("PATCH", DEVICE): {"assetId": "asset"},
    ("POST", DEVICE + "/messages"): {"topic": SERVICE, "payload": "{}"},
    ("POST", DEVICE + "/commands"): {"kind": "property-set", "params": {"a": 1}, "waitMs": 0},
    ("PATCH", DEVICE + "/shadow"): {"desired": {"colour": "red"}},
    ("POST", DEVICE + "/ota"): {"version": "2", "size": 10},
    ("POST", "/api/v1/clock/advance"): {"ms": 1},
    ("POST", "/api/v1/clock/set"): {"unixMs": 0},  # a jump ahead would end the connections
    ("POST", SNAPSHOTS): {"name": "here"},
    ("POST", EXPECTED): {"device": "aliyun/pk/device", "count": {"max": 3}},
    ("POST", VERIFY): {"absent": {"type": "unbind"}},
    ("POST", RUNS): {"device": "aliyun/pk/disabled", "suite": {"suite": "mine", "cases": [
        {"id": "one", "steps": [{"expect": {"event": {"type": "connect"}}}]}]}},
    ("POST", RUNS + "/{name}/done"): {"note": "the command ended"},
    ("POST", FAULTS): {"point": "connack", "action": "set", "code": 3, "device": "enos/nobody/one"},
}
QUERIES = {
    ("GET", "/api/v1/products"): "secrets=true",
    ("GET", "/api/v1/devices"): "secrets=true&limit=2&online=true&text=/PK/",
    ("GET", "/api/v1/events"): "order=desc&before=100000&text=PK&refused=true",
    ("GET", STREAM): "since=0",
    ("GET", "/api/v1/verdicts"): "device=aliyun/pk/second",
}
# The device in the path, where it is not that of NAMES.
OTHERS = {"/console/{name}": {"name": "main.js"},
          SNAPSHOTS + "/{name}": {"name": "here"},
          SNAPSHOTS + "/{name}/restore": {"name": "here"},
          "/api/v1/suites/{name}": {"name": "smoke"},
          RUNS + "/{name}": {"name": "1"},
          RUNS + "/{name}/done": {"name": "1"},
          RUNS + "/{name}/stop": {"name": "1"},
          CAPTURES + "/{name}": {"name": "1"},
          CAPTURES + "/{name}/stop": {"name": "1"},
          DEVICE + "/topology": {"product": "gates", "device": "gate"},
          DEVICE + "/twin": {"cloud": "tencent", "product": "PROD123456", "device": "dev001"}}
FIRST = [("POST", EXPECTED), ("POST", FAULTS), ("POST", "/api/v1/products"), ("PUT", DEVICE + "/topology"),
         ("PUT", PRODUCT + "/config"), ("PUT", PRODUCT + "/model"), ("PATCH", DEVICE + "/shadow"),
         ("POST", DEVICE + "/ota"), ("POST", SNAPSHOTS), ("POST", CAPTURES), ("POST", RUNS),
         ("POST", RUNS + "/{name}/done")]  # others show what these make
LAST = [("DELETE", PRODUCT + "/config"), ("DELETE", PRODUCT + "/model"),
        ("POST", DEVICE + "/disconnect"), ("POST", DEVICE + "/twin"), ("DELETE", DEVICE + "/ota"),
        ("POST", SNAPSHOTS + "/{name}/restore"), ("DELETE", SNAPSHOTS + "/{name}"),
        ("DELETE", CAPTURES + "/{name}"), ("DELETE", RUNS + "/{name}"), ("DELETE", FAULTS + "/{name}"), ("DELETE", FAULTS),
        ("DELETE", EXPECTED + "/{name}"), ("DELETE", EXPECTED), ("DELETE", DEVICE),
        ("POST", "/api/v1/reset")]  # nothing is left for others to show


@pytest.fixture(scope="module")
def shared():
    """With a business server that is never there: something waits for it, to be shown."""
    running = server.Skymock("--forward", "http://127.0.0.1:9/")
    yield running
    running.stop()


@pytest.fixture
def description(api):
    return Description(api.get("/openapi.json"))


@pytest.fixture
def ask(skymock):
    """ask(method, target, body) is (status, type, answer), of a stream its first message."""
    connection = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"], timeout=30)

    def request(method, target, body):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, target, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        content_type = answer.getheader("Content-Type")
        if content_type == "text/event-stream":
            text = b"".join(answer.readline() for _ in range(3)).decode()
            connection.close()
        else:
            text = answer.read().decode(errors="replace")
        is_json = content_type == "application/json"
        return answer.status, content_type, json.loads(text) if is_json else text

    yield request
    connection.close()


@pytest.fixture
def broken(api, online, peer):
    """The rule that a device broke: another one listens and publishes, and somebody was turned
    away."""
    device, second = online("aliyun/pk/device"), online("aliyun/pk/second")
    device.send_packet(type="subscribe", id=1, filters=[[SERVICE, 1], [CONFIG, 1]])
    assert device.receive()["type"] == "suback"
    device.send_packet(type="publish", qos=1, id=1, topic="/pk/device/user/update", payload="{}")
    assert device.receive()["type"] == "puback"
    third = peer("mqtts")
    third.socket = ssl._create_unverified_context().wrap_socket(third.socket)
    third.send_packet(type="connect", keepalive=60, **login("tencent/PROD123456/dev001"))
    assert third.receive()["code"] == 0
    stranger = peer()
    stranger.send_packet(type="connect", keepalive=60, username="nobody&pk", password="00",
                         clientId="1|securemode=3,signmethod=hmacsha1|")
    assert stranger.receive()["code"] != 0
    second.send_packet(type="publish", qos=2, id=1, topic="/pk/second/user/update", payload="\xff")
    assert second.receive() is None
    return api.wait_event({"type": "publish", "device": "aliyun/pk/second"})["refused"]


def in_order(operations):
    middle = [key for key in operations if key not in FIRST + LAST]
    assert set(FIRST + LAST + list(BODIES) + list(QUERIES)) <= set(operations)
    return FIRST + middle + LAST


def test_every_route_answers_good_input_as_described(description, ask, broken):
    names, numbers = dict(NAMES), {}
    for method, path in in_order(description.operations):
        body = BODIES.get((method, path))
        if (method, path) == ("POST", EXPECTED):
            body = {**body, "rule": broken}
        made = path.removesuffix("/{name}")
        here = {**names, "name": numbers[made]} if made in numbers else names
        here = {**here, **OTHERS.get(path, {})}
        target = re.sub(r"\{(\w+)\}", lambda found: here[found[1]], path)
        status, content_type, answer = ask(
            method, target + "?" + QUERIES.get((method, path), ""), body)
        assert status < 300, (method, path, status, answer)
        description.check(method, target, status, answer, content_type)
        if (method, path) in (("POST", EXPECTED), ("POST", FAULTS)):
            numbers[path] = str(answer["id"])
        if path == STREAM:
            data = re.search(r"^data: (.*)$", answer, re.MULTILINE)[1]
            event = {"$ref": "#/components/schemas/Event"}
            assert not list(description.faults(event, json.loads(data), ""))
    status, content_type, answer = ask("POST", VERIFY, {"event": {"type": "unbind"}, "since": 0})
    assert status == 406 and answer["nearest"]
    description.check("POST", VERIFY, status, answer, content_type)
    left = set(description.schemas) - description.used - {"Error", "Problem"}
    assert not left


def test_errors_are_as_described(api, description):
    for method, path, status in (("GET", "/nowhere", 404), ("POST", "/health", 405),
                                 ("GET", "/api/v1/devices?limit=0", 400)):
        got, answer = api.request(method, path)
        assert got == status
        description.check(method, path, got, answer)
    assert {"Error", "Problem"} <= description.used


def test_every_answer_with_a_body_says_what_it_is(description):
    for (method, path), operation in description.operations.items():
        for status, answer in operation["responses"].items():
            assert ("content" in answer) == (status not in ("204", "304")), (method, path)
            for content_type, content in answer.get("content", {}).items():
                reference = content["schema"].get("$ref", "").rpartition("/")[2]
                if int(status) >= 400 and (path, status) != (VERIFY, "406"):
                    assert reference == "Error"
                elif content_type == "application/json":
                    assert reference in description.schemas and reference != "Error", (method, path)
                else:
                    assert content["schema"] == {"type": "string"}
    text = json.dumps(description.document)
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) == set(description.schemas)


def test_it_is_short_enough_to_be_read(description):
    assert len(json.dumps(description.document, separators=(",", ":"))) < 144 * 1024


@pytest.mark.parametrize("wrong", [
    {"name": "a", "version": "1"}, {"name": "a"}, {"name": "a", "version": 1, "colour": "red"},
    {"name": None, "version": 1}, {"name": "a", "version": True}, [], None])
def test_what_is_not_as_described_is_found(description, wrong):
    schema = {"$ref": "#/components/schemas/DocumentName"}
    assert not list(description.faults(schema, {"name": "a", "version": 1}, ""))
    assert list(description.faults(schema, wrong, ""))
