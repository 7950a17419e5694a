"""What fails is told: /metrics, the journal and stderr say what it was, and what it was not."""

import time

import failing
import pytest
import server
from credentials import login

DEVICE = "aliyun/pk/device"
SHADOW = "/api/v1/devices/tencent/PROD123456/dev001/shadow"


@pytest.fixture
def begin(tmp_path):
    """A server with a store, and its calls, which may fail."""
    begun = []

    def go(*names):
        calls = failing.Calls(tmp_path / "calls", names)
        running = failing.Skymock(calls, "--store", str(tmp_path / "store"))
        begun.append(running)
        return running, calls
    yield go
    for running in begun:
        running.kill()


def metric(running, name):
    return next(int(line.split()[1]) for line in running.api.get("/metrics").splitlines()
                if line.startswith(f"skymock_{name} "))


def lines_with(running, words):
    return [line for line in running.errors().splitlines() if words in line]


def test_whoever_cannot_be_accepted_waits_and_is_not_turned_away(begin):
    running, calls = begin("accept4")
    before = calls.count("accept4")
    calls.arm("accept4", 1, "EMFILE", for_good=True)
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICE))
    until = time.monotonic() + server.PATIENCE_S
    while calls.fired("accept4") < 3:
        assert time.monotonic() < until
        time.sleep(0.02)
    calls.heal()
    assert peer.receive()["code"] == 0
    tries = metric(running, "accepts_failed_total")
    assert 3 <= tries < calls.count("accept4") - before
    assert metric(running, "connections_turned_away_total") == 0
    note = running.api.wait_event({"type": "note", "name": "accept-failed"})
    assert note["reason"] == "Too many open files"
    assert len(lines_with(running, "failed, and whoever came waits")) == 1
    assert not lines_with(running, "turned away")


def test_whoever_cannot_be_watched_is_let_go(begin):
    running, calls = begin("epoll_ctl")
    calls.arm("epoll_ctl", 1, "ENOSPC")
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICE))
    assert peer.receive() is None
    calls.heal()
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICE))
    assert peer.receive()["code"] == 0


def test_a_disk_that_is_full_is_counted_until_it_is_not(begin):
    running, calls = begin("pwrite64 file", "write file")
    api = running.api
    api.call("PATCH", SHADOW, {"desired": {"n": 1}})
    assert [metric(running, f"store_{name}_total") for name in
            ("refusals", "batches_lost", "commits_lost", "damage")] == [0, 0, 0, 0]
    for name in ("pwrite64 file", "write file"):
        calls.arm(name, 1, "ENOSPC", for_good=True)
    assert api.request("PATCH", SHADOW, {"desired": {"n": 2}})[0] == 507
    calls.heal()
    refusals = metric(running, "store_refusals_total")
    assert refusals > 0 and metric(running, "store_batches_lost_total") > 0
    assert api.wait_event({"type": "note", "name": "state-lost"})
    assert lines_with(running, "changes of devices were lost")
    api.call("PATCH", SHADOW, {"desired": {"n": 3}})
    assert metric(running, "store_refusals_total") == refusals
