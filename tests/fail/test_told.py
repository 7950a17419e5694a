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


def fill(calls, error="ENOSPC"):
    for name in ("pwrite64 file", "write file"):
        calls.arm(name, 1, error, for_good=True)


def test_what_goes_on_is_told_once_and_so_is_its_end(begin, tmp_path):
    running, calls = begin("pwrite64 file", "write file")
    api = running.api
    told = f'changes of devices were lost: the store "{tmp_path / "store"}" refused: database or ' \
           "disk is full; make room on its disk"
    for times in (1, 2):
        fill(calls)
        for n in range(3):
            status, answer = api.request("PATCH", SHADOW, {"desired": {"n": 10 * times + n}})
            assert status == 507 and "make room on its disk" in answer["error"]["message"]
        assert len(lines_with(running, told)) == times
        assert len(lines_with(running, "changes of devices are kept")) == times - 1
        calls.heal()
        for n in range(3):
            api.call("PATCH", SHADOW, {"desired": {"n": 20 * times + n}})
        again = lines_with(running, f'are kept in the store "{tmp_path / "store"}" again')
        assert len(again) == times and len(lines_with(running, told)) == times
    assert int(again[-1].split(" times since")[0].split()[-1]) >= 6


def until_told(running, words):
    until = time.monotonic() + server.PATIENCE_S
    while not lines_with(running, words):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_journal_that_cannot_be_written_is_told_once_and_so_is_its_end(begin, tmp_path):
    running, calls = begin("pwrite64 file", "write file")
    store = tmp_path / "store"
    told = f'the journal cannot be written: the store "{store}" refused: database or disk is full; ' \
           "make room on its disk"
    fill(calls)
    server.Peer(running.ports["mqtt"]).send(b"\xf0\0")
    until_told(running, told)
    before, until = metric(running, "store_refusals_total"), time.monotonic() + server.PATIENCE_S
    while metric(running, "store_refusals_total") < before + 3:
        assert time.monotonic() < until
        time.sleep(0.02)
    calls.heal()
    until_told(running, f'the journal is written to the store "{store}" again')
    assert len(lines_with(running, told)) == 1


@pytest.mark.parametrize("error, said", [
    ("ENOSPC", "database or disk is full; make room on its disk"),
    ("EIO", "disk I/O error; see what the system says of its disk")])
@pytest.mark.parametrize("is_there, wrong", [(False, "cannot be used"), (True, "refused")])
def test_a_start_on_a_disk_that_fails_names_the_file_and_what_to_do(tmp_path, error, said, is_there,
                                                                    wrong):
    calls = failing.Calls(tmp_path / "calls", ("pwrite64 file",))
    store = tmp_path / "store"
    if is_there:
        failing.Skymock(calls, "--store", str(store), fixtures=None).stop()
    calls.arm("pwrite64 file", 1, error, for_good=True)
    with pytest.raises(failing.NotStarted) as ended:
        failing.Skymock(calls, "--store", str(store))
    assert f'the store "{store}" {wrong}: {said}\n' in ended.value.errors


def test_a_store_on_a_disk_that_is_read_only_says_so(tmp_path):
    calls = failing.Calls(tmp_path / "calls", ("open",))
    for number in range(1, 20):
        calls.forget()
        calls.arm("open", number, "EROFS")
        try:
            failing.Skymock(calls, "--store", str(tmp_path / f"store{number}")).kill()
        except failing.NotStarted as ended:
            if f'store{number}" cannot be opened: Read-only file system; name a file on a disk that ' \
               "may be written" in ended.errors:
                return
    pytest.fail("no call that opens the store")


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


def test_events_that_are_lost_at_the_end_are_told(begin, tmp_path):
    running, calls = begin("pwrite64 file", "write file")
    fill(calls)
    server.Peer(running.ports["mqtt"]).send(b"\xf0\0")
    running.api.barrier()
    running.process.terminate()
    running.process.wait(timeout=server.PATIENCE_S)
    assert lines_with(running, f'the last events are lost: the store "{tmp_path / "store"}" refused: '
                               "database or disk is full; make room on its disk")
