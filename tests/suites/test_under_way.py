"""What a case's own disconnection has caught in the middle is no fault of the device: a case holds
against it what was acknowledged, and nothing else."""

import time

import credentials
import pytest
import server

NAME = "aliyun/pk/device"
RUNS = "/api/v1/suites/runs"
TOPIC = "/pk/device/user/update"


class Device:
    """One without a timer: it says what it is told to."""

    def __init__(self, peer):
        self.peer, self.line = peer, None

    def come(self):
        self.line = self.peer(credentials.listeners(NAME, "mqtt")[0])
        self.line.send_packet(type="connect", clean=False, keepalive=60, **credentials.login(NAME))
        assert self.line.receive()["code"] == 0

    def say(self, number, answered=True, **how):
        self.line.send_packet(type="publish", qos=1, id=number, topic=TOPIC, payload=str(number),
                              **how)
        if answered:
            assert self.line.receive() == {"type": "puback", "id": number}

    def is_sent_away(self):
        assert self.line.receive() is None


def under_way(device):
    """What was said before the case, and not acknowledged."""
    device.say(7, dup=True)


def acknowledged(device):
    device.say(8, dup=True)


def nothing(_device):
    pass


@pytest.mark.parametrize("first, then, verdict", [
    (nothing, nothing, "passed"), (under_way, nothing, "passed"), (under_way, under_way, "failed"),
    (nothing, acknowledged, "failed")])
def test_only_what_was_acknowledged_must_not_come_again(api, peer, first, then, verdict):
    device = Device(peer)
    device.come()
    api.post("/api/v1/faults", {"point": "puback-down", "action": "withhold", "count": 1,
                                "device": NAME})
    device.say(7, answered=False)
    api.wait_event({"type": "fault"})
    run = api.post(RUNS, {"suite": "connect", "case": "puback-taken", "device": NAME})["id"]
    device.is_sent_away()
    device.come()
    first(device)
    device.say(8)
    device.is_sent_away()
    device.come()
    then(device)
    until = time.monotonic() + server.PATIENCE_S
    while (case := api.get(f"{RUNS}/{run}")["cases"][0])["state"] != "ended":
        assert time.monotonic() < until, case
        device.line.send_packet(type="pingreq")
        device.line.receive()
    assert case["verdict"] == verdict, case
