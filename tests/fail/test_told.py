"""What fails is told: /metrics, the journal and stderr say what it was, and what it was not."""

import contextlib
import sqlite3
import time

import failing
import pytest
import server
import sums
import websocket
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
        if running.process.poll() is None:
            running.kill()


def metric(running, name):
    return next(int(line.split()[1]) for line in running.api.get("/metrics").splitlines()
                if line.startswith(f"skymock_{name} "))


def lines_with(running, words):
    return [line for line in running.errors().splitlines() if words in line]


@pytest.mark.parametrize("error, reason, calls_of_a_try", [
    ("EMFILE", "Too many open files", 1),
    ("ECONNABORTED", "Software caused connection abort", 32)])
def test_whoever_cannot_be_accepted_waits_and_is_not_turned_away(begin, error, reason,
                                                                 calls_of_a_try):
    running, calls = begin("accept4")
    before = calls.count("accept4")
    calls.arm("accept4", 1, error, for_good=True)
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICE))
    until = time.monotonic() + server.PATIENCE_S
    while calls.fired("accept4") < 3 * calls_of_a_try:
        assert time.monotonic() < until
        time.sleep(0.02)
    calls.heal()
    assert peer.receive()["code"] == 0
    tries = metric(running, "accepts_failed_total")
    assert 3 <= tries < calls.count("accept4") - before
    assert metric(running, "connections_turned_away_total") == 0
    note = running.api.wait_event({"type": "note", "name": "accept-failed"})
    assert note["reason"] == reason
    assert len(lines_with(running, "failed, and whoever came waits")) == 1
    assert not lines_with(running, "turned away")


def test_whoever_cannot_be_watched_is_let_go(begin):
    running, calls = begin("epoll_ctl")
    other = server.Peer(running.ports["mqtt"])
    other.send_packet(type="connect", **login("tencent/PROD123456/dev001"))
    assert other.receive()["code"] == 0  # the loop watches all that is its own
    calls.arm("epoll_ctl", 1, "ENOSPC")
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICE))
    assert peer.receive() is None
    calls.heal()
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICE))
    assert peer.receive()["code"] == 0
    other.send_packet(type="pingreq")
    assert other.receive()["type"] == "pingresp"


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


def test_a_document_that_is_none_any_more_is_told_and_counted(begin, tmp_path):
    running, _ = begin()
    before = running.api.call("PATCH", SHADOW, {"desired": {"n": 1}})
    running.stop()
    with contextlib.closing(sqlite3.connect(tmp_path / "store")) as store, store:
        store.execute("UPDATE document SET body = x'5b' || substr(body, 2) WHERE name = 'shadow'")
    sums.mend(tmp_path / "store")
    running, _ = begin()
    assert metric(running, "store_damage_total") == 0
    status, answer = running.api.request("GET", SHADOW)
    assert status == 507 and "damaged: a document is no JSON" in answer["error"]["message"]
    assert metric(running, "store_damage_total") == 1
    assert running.api.request("PATCH", SHADOW, {"desired": {"n": 2}})[0] == 507
    running.api.post("/api/v1/reset", {"device": "tencent/PROD123456/dev001"})
    assert running.api.call("PATCH", SHADOW, {"desired": {"n": 1}}).keys() == before.keys()


# The first recv is that of the connection itself.
@pytest.mark.parametrize("name, number, pings", [("send", 1, 1), ("send", 2, 2), ("recv", 2, 1)])
def test_a_websocket_that_breaks_inside_the_server_is_nobodys_mistake(begin, name, number, pings):
    running, calls = begin(name)
    peer = websocket.WebSocketPeer(running.ports["https"])
    peer.send_packet(type="connect", **login(DEVICE))
    assert peer.receive()["code"] == 0
    calls.arm(name, number, "ECONNRESET")
    try:
        for _ in range(pings):
            peer.send_packet(type="pingreq")
        code = peer.frames.closed_with()
    finally:
        calls.heal()
    assert calls.fired(name) == 1 and code == 1011
    verdict = running.api.get("/api/v1/verdicts", device=DEVICE)["verdict"]
    ended = running.api.wait_event({"type": "close", "device": DEVICE})
    assert verdict == "passed" and "could not carry" in ended["reason"], ended
