"""A store file that is not what it was: one line and exit 2, or it serves, and what is missing of
the journal is counted."""

import random
import sqlite3

import credentials
import pytest
import server
import sums
import upgrades

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
    """As it is, and with the sums of what is in it."""
    for each in (data, sums.mended(data)):
        path.write_bytes(each)
        path.with_name("store-wal").unlink(missing_ok=True)
        try:
            skymock = server.Skymock("--store", str(path))
        except AssertionError:
            refusal(path)
            continue
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


@pytest.mark.parametrize("what, bit", [
    (b"another secret", 1),  # of a device
    (b'"number":1', 3),  # of a shadow
    (b"/pk/device/user/update", 5),  # of an event
])
def test_a_flipped_bit_of_a_value_is_refused(whole, tmp_path, what, bit):
    data, path = whole[0], tmp_path / "store"
    at = data.index(what) + len(what) - 1
    path.write_bytes(data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1:])
    told = refusal(path)
    assert f"is damaged: page {at // PAGE + 1} is not as skymock wrote it" in told
    assert "; put back a copy of it" in told
    path.write_bytes(data)
    server.Skymock("--store", str(path)).stop()


def metric(api, name):
    return next(int(line.split()[1]) for line in api.get("/metrics").splitlines()
                if line.startswith(f"skymock_{name} "))


def test_a_bit_that_flips_while_it_runs_is_told_and_counted(tmp_path):
    """In a piece of an image, of which there is more than the store holds in memory: not the last
    ones, which SQLite's check has read first."""
    image, path = upgrades.image_bytes(12 << 20), tmp_path / "store"
    skymock = server.Skymock("--store", str(path))
    status, _ = upgrades.upload(skymock.ports["admin"], upgrades.PATH + "?version=9", image)
    assert status == 202
    skymock.stop()
    skymock = server.Skymock("--store", str(path))
    piece = 11 << 20
    at = path.read_bytes().index(image[piece:piece + 16])
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(bytes([image[piece] ^ 4]))
    peer = server.Peer(skymock.ports["mqtt"])
    name = upgrades.path_of(upgrades.log_in(peer).told()["url"])
    assert metric(skymock.api, "store_damage_total") == 0
    for turn in range(2):
        sock = upgrades.connect(skymock.ports["https"])
        sock.sendall(f"GET {name} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert " 200 " in upgrades.read_head(sock)
        came = upgrades.read_body(sock, len(image))
        assert len(came) <= piece and came == image[:len(came)]
        assert metric(skymock.api, "store_damage_total") > turn
    told = [line for line in skymock.errors().splitlines() if "is damaged" in line]
    assert len(told) == 1 and "put back a copy of it" in told[0], skymock.errors()
    assert f'the store "{path}" is damaged: page {at // PAGE + 1} is not' in told[0]
    rest = upgrades.fetch(upgrades.connect(skymock.ports["https"]), name,
                          byte_range=f"bytes=0-{piece // 2}")
    assert rest.body == image[:piece // 2 + 1]
    peer.close()
    skymock.kill()


def change(data, path, statement):
    path.write_bytes(data)
    database = sqlite3.connect(path)
    with database:
        assert database.execute(statement).rowcount > 0
    database.close()
    sums.mend(path)


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
