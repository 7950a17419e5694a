"""A store file that is not what it was: one line and exit 2, or it serves, and what is missing of
the journal is counted."""

import random
import sqlite3

import credentials
import pytest
import server

PAGE = 4096
DEVICE = "/api/v1/devices/aliyun/pk/device"
SINGLE = 40  # flipped bytes tried


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a store that has something of everything, and the events it holds."""
    path = tmp_path_factory.mktemp("damage") / "store"
    skymock = server.Skymock("--store", str(path))
    skymock.api.call("PATCH", f"{DEVICE}/shadow", {"desired": {"number": 1}})
    peer = server.Peer(skymock.ports["mqtt"])
    peer.send_packet(type="connect", clean=False, **credentials.login("aliyun/pk/device"))
    peer.receive()
    for number in range(1, 60):
        peer.send_packet(type="publish", qos=1, id=number, payload="x" * 3000,
                         topic="/pk/device/user/update")
        peer.receive()
    peer.close()
    skymock.stop()
    skymock = server.Skymock("--store", str(path))
    events = {event["seq"] for event in skymock.api.events(limit=1000)}
    skymock.kill()
    assert len(events) > 60 and len(path.read_bytes()) > 40 * PAGE
    return path.read_bytes(), events


def look(api, events):
    """Everything that the store feeds answers, and says what is gone."""
    answer = api.get("/api/v1/events", limit=1000)
    gone = events - {event["seq"] for event in answer["events"]}
    assert len(gone) <= answer["lost"], (sorted(gone), answer["lost"])
    for path in ("products", "devices", "verdicts", "server"):
        status, _ = api.request("GET", f"/api/v1/{path}")
        assert status < 500 or path == "devices", status
    for path in (DEVICE, f"{DEVICE}/shadow", f"{DEVICE}/verdict"):
        api.request("GET", path)
    api.request("PATCH", f"{DEVICE}/shadow", {"desired": {"number": 2}})


def refusal(path):
    """The one line with which it does not start."""
    end = server.run("serve", "--store", path, "--fixtures", server.FIXTURES,
                     *(word for name in server.LISTENERS for word in ("--listen", f"{name}=0")))
    assert end.returncode == 2, end
    assert len(end.stderr.splitlines()) == 1 and str(path) in end.stderr, end.stderr
    return end.stderr


def survives(data, events, path):
    path.write_bytes(data)
    path.with_name("store-wal").unlink(missing_ok=True)
    try:
        skymock = server.Skymock("--store", str(path))
    except AssertionError:
        refusal(path)
        return
    look(skymock.api, events)
    skymock.stop()


def test_a_wiped_page_is_refused_or_counted(whole, tmp_path):
    data, events = whole
    for at in range(0, len(data), PAGE * (1 + len(data) // PAGE // SINGLE)):
        survives(data[:at] + bytes(PAGE) + data[at + PAGE:], events, tmp_path / "store")


def test_a_flipped_byte_is_refused_or_counted_or_does_no_harm(whole, tmp_path):
    data, events = whole
    rng = random.Random(7)
    for turn in range(SINGLE):
        at = rng.randrange(2 * PAGE if turn % 2 else len(data))
        flipped = bytes([data[at] ^ (1 << rng.randrange(8))])
        survives(data[:at] + flipped + data[at + 1:], events, tmp_path / "store")


def change(data, path, statement):
    path.write_bytes(data)
    database = sqlite3.connect(path)
    with database:
        assert database.execute(statement).rowcount > 0
    database.close()


def test_products_of_a_cloud_that_is_not_played_are_refused(whole, tmp_path):
    path = tmp_path / "store"
    change(whole[0], path, "UPDATE product SET cloud = 'other' WHERE key = 'pk'")
    assert 'the cloud "other"' in refusal(path)


def test_a_lost_page_of_the_journal_is_told_and_counted(whole, tmp_path):
    data, events = whole
    path = tmp_path / "store"
    change(data, path, "UPDATE page SET bytes = zeroblob(length(bytes)) WHERE last_seq ="
                       " (SELECT min(last_seq) FROM page)")
    skymock = server.Skymock("--store", str(path))
    answer = skymock.api.get("/api/v1/events", limit=1000)
    gone = events - {event["seq"] for event in answer["events"]}
    assert gone and answer["lost"] == len(gone)
    assert f"{len(gone)} events in the store" in skymock.errors()
    skymock.stop()


@pytest.fixture(scope="module")
def waiting(tmp_path_factory):
    """The bytes of a store with a session that a message waits for."""
    path = tmp_path_factory.mktemp("waiting") / "store"
    skymock = server.Skymock("--store", str(path))
    peer = server.Peer(skymock.ports["mqtt"])
    peer.send_packet(type="connect", clean=False, **credentials.login("aliyun/pk/device"))
    peer.receive()
    peer.send_packet(type="subscribe", id=1, filters=[["/broadcast/pk/news", 1]])
    peer.receive()
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    skymock.api.post(f"{DEVICE}/messages",
                     {"topic": "/broadcast/pk/news", "payload": "x", "qos": 1})
    skymock.stop()
    return path.read_bytes()


@pytest.mark.parametrize("statement, what", [
    ("UPDATE subscription SET filter = 'a/#/b'", "a subscription"),
    ("UPDATE subscription SET filter = 'a+'", "a subscription"),
    ("UPDATE message SET topic = 'a/#'", "a message"),
    (f"UPDATE message SET payload = zeroblob({640 * 1024})", "a message"),
    (f"UPDATE message SET topic = replace(hex(zeroblob(32767)), '00', 'tt'),"
     f" payload = zeroblob({576 * 1024 + 1000})", "a message")])
def test_what_no_packet_can_carry_is_left_out_and_told(waiting, tmp_path, statement, what):
    path = tmp_path / "store"
    change(waiting, path, statement)
    skymock = server.Skymock("--store", str(path))
    peer = server.Peer(skymock.ports["mqtt"])
    peer.send_packet(type="connect", clean=False, **credentials.login("aliyun/pk/device"))
    assert peer.receive()["type"] == "connack"
    skymock.api.wait_event({"type": "note", "name": "session-not-kept", "detail": what})
    peer.send_packet(type="pingreq")
    while (packet := peer.receive())["type"] != "pingresp":
        assert packet["type"] == "publish", packet
    peer.close()
    skymock.stop()
