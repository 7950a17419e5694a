"""Running out of file descriptors: said, counted, and over when there are some again."""

import re
import resource
import socket
import time

import pytest
import server
from credentials import login

LIMIT = 90
DEVICE = "aliyun/pk/device"


@pytest.fixture
def small(start):
    running = start()
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    return running


def turned_away(running):
    metrics = running.api.get("/metrics")
    return int(next(line.split()[1] for line in metrics.splitlines()
                    if line.startswith("skymock_connections_turned_away_total ")))


def cpu_s(running):
    fields = open(f"/proc/{running.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def crowd(running, count, name="mqtt"):
    return [socket.create_connection(("127.0.0.1", running.ports[name]), timeout=5)
            for _ in range(count)]


def logs_in(running):
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", **login(DEVICE))
    answer = peer.receive()
    peer.close()
    return answer is not None and answer["code"] == 0


@pytest.mark.parametrize("name", ["mqtt", "https", "mqtts"])
def test_it_is_said_counted_and_survived(small, name):
    peers = crowd(small, 2 * LIMIT, name)
    small.api.barrier()
    event = small.api.wait_event({"type": "note", "name": "connection-crowd"})
    assert "descriptors" in event["reason"]
    assert turned_away(small) >= LIMIT
    assert not logs_in(small)
    lines = [line for line in small.errors().splitlines() if "turned away" in line]
    assert len(lines) == 1 and "ulimit -n" in lines[0]
    before = cpu_s(small)
    time.sleep(0.5)  # the time in which a loop that spins would burn as much
    assert cpu_s(small) - before < 0.2
    for peer in peers:
        peer.close()
    deadline = time.monotonic() + server.PATIENCE_S
    while not logs_in(small):
        assert time.monotonic() < deadline


def test_the_admin_api_answers_newcomers_all_the_while(small):
    peers = crowd(small, 2 * LIMIT)
    small.api.barrier()
    assert not logs_in(small)
    assert server.run("healthcheck", "--url",
                      f"http://127.0.0.1:{small.ports['admin']}").returncode == 0
    for peer in peers:
        peer.close()


# ---- too few from the beginning ----


def limited(limit):
    return server.Skymock(program=("prlimit", f"--nofile={limit}", str(server.PROGRAM)))


@pytest.fixture(scope="module")
def enough():
    """The limit that is asked for: with it a hundred fit."""
    with pytest.raises(AssertionError, match="nobody could connect: this process may have 30 ") as found:
        limited(30)
    return int(re.search(r"raise the limit to (\d+) or more \(ulimit -n\)", str(found.value))[1])


@pytest.mark.parametrize("fewer, said", [
    (0, None), (1, "room for 99 connections at most"), (99, "room for 1 connection at most")])
def test_room_for_few_is_told_at_the_start(enough, fewer, said):
    running = limited(enough - fewer)
    lines = running.errors().splitlines()
    assert len(lines) == (said is not None)
    if said:
        assert lines[0] == f"skymock: {said}: this process may have {enough - fewer} file descriptors; " \
                           f"raise the limit to {enough} or more (ulimit -n)"
    assert logs_in(running)
    running.stop()


def test_no_start_where_nobody_would_fit(enough):
    with pytest.raises(AssertionError, match="nobody could connect"):
        limited(enough - 100)


def test_as_many_fit_as_is_said(enough):
    running = limited(enough - 99)
    first = server.Peer(running.ports["mqtt"])
    first.send_packet(type="connect", **login(DEVICE))
    assert first.receive()["code"] == 0
    assert not logs_in(running)
    assert running.api.get("/ready") is not None
    first.close()
    running.stop()


@pytest.mark.parametrize("limit", [14, 16])
def test_a_listener_that_gets_no_descriptor_is_not_to_be_moved(limit):
    with pytest.raises(AssertionError) as found:
        limited(limit)
    assert re.search(rf"listener [a-z-]+: no file descriptor is left for 127.0.0.1:0: this process "
                     rf"may have {limit}; raise the limit \(ulimit -n\)", str(found.value))
