"""The point `reply` where CoAP carries the cloud's answer."""

import json

import breaking
import coap
import pytest
from enos import credentials as enos

DEVICE = "enos/KV315idW/tPbZGCdmaE"
PATH = "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post"


@pytest.fixture
def device(frozen):
    opened = coap.Device(frozen.ports["coaps"], enos.identity(DEVICE), enos.key(DEVICE))
    yield opened
    opened.close()


def report(device, mid):
    body = {"id": str(mid), "version": "1.0", "params": {"measurepoints": {"Power": mid}},
            "method": "thing.measurepoint.post"}
    device.send(coap.encode(coap.POST, PATH, json.dumps(body).encode(), mid=mid, token=b"t"))


def answers(api, device, count):
    got = [device.receive() for _ in range(count)]
    api.barrier()
    assert device.receive(0) is None
    return got


def sent(api):
    """The ids of the answers, as they went out: datagrams that come together are one to a pipe."""
    return [json.loads(event["payload"])["id"] for event in api.events(type="coap-response")]


def test_another_body(frozen, fault, device):
    fault("reply", "set", payload='{"code":500}', device=DEVICE)
    report(device, 1)
    answer, = answers(frozen.api, device, 1)
    assert answer.payload == b'{"code":500}'
    event = frozen.api.events(type="coap-response")[-1]
    assert json.loads(event["payload"]) == {"code": 500}
    told, = frozen.api.events(type="fault")
    assert (told["point"], told["device"], told["reason"]) == \
        ("reply", DEVICE, "set at reply: CoAP 2.04")


def test_withheld(frozen, fault, device):
    fault("reply", "withhold", count=1)
    report(device, 1)
    frozen.api.wait_event({"type": "fault"})
    report(device, 2)
    answer, = answers(frozen.api, device, 1)
    assert answer.payload.startswith(b'{"id":"2"')


def test_delayed(frozen, fault, device):
    fault("reply", "delay", ms=1000)
    report(device, 1)
    frozen.api.wait_event({"type": "fault"})
    frozen.api.advance(999)
    frozen.api.barrier()
    assert device.receive(0) is None and frozen.api.events(type="coap-response") == []
    frozen.api.advance(1)
    assert len(answers(frozen.api, device, 1)) == len(frozen.api.events(type="coap-response")) == 1


def test_behind_the_next_and_twice(frozen, fault, device):
    number = fault("reply", "reorder", ms=1000, count=1)
    report(device, 1)
    frozen.api.wait_event({"type": "fault"})
    report(device, 2)
    assert device.receive().payload[:8] == b'{"id":"2'
    assert sent(frozen.api) == ["2", "1"]
    breaking.end(frozen.api, number)
    fault("reply", "duplicate", times=2)
    report(device, 3)
    assert frozen.api.wait_event({"type": "fault", "action": "duplicate"})
    frozen.api.barrier()
    assert sent(frozen.api) == ["2", "1", "3", "3", "3"]


@pytest.mark.parametrize("action", ["close", "reset", "freeze"])
def test_ended_in_its_place(frozen, fault, device, action):
    fault("reply", action)
    report(device, 1)
    frozen.api.wait_event({"type": "fault"})
    frozen.api.barrier()
    assert frozen.api.events(type="coap-response") == []


def test_what_is_no_service_has_no_reply(frozen, fault, device):
    fault("reply", "withhold")
    device.send(coap.encode(coap.GET, "/nowhere", mid=9, token=b"t"))
    answer, = answers(frozen.api, device, 1)
    assert answer.code == "4.04"
