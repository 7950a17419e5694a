"""A server that is killed while snapshots are taken and restored: what it had answered holds, and
a restore is there as a whole or not at all."""

import random
import sqlite3
import threading

import credentials
import server
import sums

SNAPSHOTS = "/api/v1/snapshots"
DEVICES = [f"/api/v1/devices/aliyun/pk/d{number}" for number in range(20)]
KILLS = 6


def states(api):
    return {api.get(device)["assetId"] for device in DEVICES}


def make_all(api):
    for device in DEVICES:
        cloud, product, key = device.split("/")[-3:]
        api.post("/api/v1/devices", {"cloud": cloud, "product": product, "device": key})


def mark(api, text):
    for device in DEVICES:
        api.call("PATCH", device, {"assetId": text})


def work(api, known, rng):
    """Until the server is gone: marks all devices, takes and restores. `known` is what it said."""
    number = max(known, default=0)
    while True:
        number += 1
        mark(api, f"mark-{number}")
        api.post(SNAPSHOTS, {"name": f"s{number}", "product": "aliyun/pk"})
        known.append(number)
        back = rng.choice(known)
        api.post(f"{SNAPSHOTS}/s{back}/restore")
        assert states(api) == {f"mark-{back}"}


def test_what_was_answered_holds(tmp_path):
    rng = random.Random(5)
    store = ("--store", str(tmp_path / "store.db"))
    known = []
    for kill in range(KILLS):
        running = server.Skymock(*store)
        if kill == 0:
            make_all(running.api)
        killer = threading.Timer(rng.uniform(0.1, 0.6), running.process.kill)
        killer.start()
        try:
            work(running.api, known, rng)
        except (AssertionError, OSError) as error:
            assert running.process.wait(server.PATIENCE_S) != 0, error
        killer.join()
        running.kill()
    running = server.Skymock(*store)
    names = {each["name"] for each in running.api.get(SNAPSHOTS)["snapshots"]}
    assert {f"s{number}" for number in known} <= names
    for number in known[-5:]:
        running.api.post(f"{SNAPSHOTS}/s{number}/restore")
        assert states(running.api) == {f"mark-{number}"}
    running.stop()


def test_a_restore_is_whole(tmp_path):
    """Killed the moment it is asked for, it has happened to all devices, or to none."""
    rng = random.Random(6)
    store = ("--store", str(tmp_path / "store.db"))
    running = server.Skymock(*store)
    make_all(running.api)
    mark(running.api, "then")
    running.api.post(SNAPSHOTS, {"name": "s", "product": "aliyun/pk"})
    seen = set()
    for _ in range(KILLS):
        mark(running.api, "now")
        killer = threading.Timer(rng.uniform(0, 0.01), running.process.kill)
        killer.start()
        answered = False
        try:
            running.api.post(f"{SNAPSHOTS}/s/restore")
            answered = True
        except (AssertionError, OSError):
            pass
        killer.join()
        running.kill()
        running = server.Skymock(*store)
        now = states(running.api)
        assert now in ({"then"}, {"now"}) and (now == {"then"} or not answered), now
        seen |= now
    running.stop()
    assert seen <= {"then", "now"}


# ---- a file that was changed by hand ----

SECOND = "/api/v1/devices/aliyun/pk/second"


def spoil(rng, state):
    """Bytes that are others, fewer, or more."""
    spoilt = bytearray(state)
    how = rng.randrange(4)
    if how == 0:
        return bytes(spoilt[:rng.randrange(len(spoilt))])
    if how == 1:
        return bytes(spoilt) + rng.randbytes(9)
    for _ in range(rng.randrange(1, 4)):
        spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
    return bytes(spoilt)


def test_a_session_that_was_spoilt_is_left_out(tmp_path):
    rng = random.Random(7)
    file = tmp_path / "store.db"
    running = server.Skymock("--store", str(file))
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", clean=False, keepalive=60,
                     **credentials.login("aliyun/pk/second"))
    assert peer.receive()["code"] == 0
    topic = "/pk/second/user/get"
    peer.send_packet(type="subscribe", id=7, filters=[[topic, 1]])
    assert peer.receive()["type"] == "suback"
    running.api.post(SECOND + "/messages", {"topic": topic, "payload": "waits", "qos": 1})
    for number in range(60):
        running.api.post(SNAPSHOTS, {"name": f"s{number}", "product": "aliyun/pk"})
    running.stop()
    database = sqlite3.connect(file)
    for number, state in database.execute("SELECT snapshot_id, state FROM snapshot_session"):
        database.execute("UPDATE snapshot_session SET state = ? WHERE snapshot_id = ?",
                         (spoil(rng, state), number))
    database.execute("UPDATE snapshot SET faults = x'5b7b' WHERE id % 3 = 0")
    database.commit()
    database.close()
    sums.mend(file)
    running = server.Skymock("--store", str(file))
    for number in range(60):
        status, answer = running.api.request("POST", f"{SNAPSHOTS}/s{number}/restore")
        assert status == 204, answer
        assert running.api.get(SECOND)["subscriptions"] <= 1
    assert "damaged session of aliyun/pk/second" in running.errors()
    assert "damaged faults" in running.errors()
    running.stop()
