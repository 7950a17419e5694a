"""A device with clean session 0 was promised something: a subscription by SUBACK, a message by the
PUBACK or the 202 that its sender got. With a store file the promise outlives the server, killed or
stopped."""

import random
import threading

import credentials
import pytest
import server

TOPIC = "/pk/device/user/get"
KILLS = 5


def log_in(running, clean=False, device="aliyun/pk/device"):
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", clean=clean, **credentials.login(device))
    answer = peer.receive()
    assert answer["type"] == "connack" and answer["code"] == 0, answer
    return peer, answer["sessionPresent"]


def subscribe(peer, *filters):
    peer.send_packet(type="subscribe", id=7, filters=[[each, 1] for each in filters])
    assert peer.receive()["type"] == "suback"


def send(running, text, device="aliyun/pk/device", topic=TOPIC):
    return running.api.post(f"/api/v1/devices/{device}/messages",
                            {"topic": topic, "payload": text, "qos": 1})


def receive(peer, count):
    """Publishes as (payload, id, dup), acknowledged one by one."""
    got = []
    while len(got) < count:
        packet = peer.receive()
        assert packet and packet["type"] == "publish", (packet, got)
        got.append((packet["payload"], packet["id"], packet.get("dup", False)))
        peer.send_packet(type="puback", id=packet["id"])
    return got


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_session_is_there_after_the_servers_end(start, tmp_path, end):
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    peer, present = log_in(first)
    assert not present
    subscribe(peer, TOPIC, "/pk/device/user/both")
    send(first, "in flight")
    assert peer.receive()["payload"] == "in flight"  # and not acknowledged
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    send(first, "waited")
    getattr(first, end)()

    second = start(*store)
    assert second.api.get("/api/v1/devices/aliyun/pk/device")["subscriptions"] == 2
    send(second, "came later")
    peer, present = log_in(second)
    assert present
    got = receive(peer, 3)
    assert [text for text, _, _ in got] == ["in flight", "waited", "came later"]
    assert [dup for _, _, dup in got] == [True, False, False]
    assert len({number for _, number, _ in got}) == 3
    second.api.barrier()
    getattr(second, end)()

    third = start(*store)  # what was acknowledged is gone
    peer, present = log_in(third)
    assert present
    send(third, "new")
    assert receive(peer, 1)[0][0] == "new"


def test_what_was_given_back_stays_so(start, tmp_path):
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    peer, _ = log_in(first)
    subscribe(peer, TOPIC, "/pk/device/user/both")
    peer.send_packet(type="unsubscribe", id=8, filters=[TOPIC])
    assert peer.receive()["type"] == "unsuback"
    other, _ = log_in(first, device="aliyun/pk/second")
    subscribe(other, "/pk/second/user/get")
    other.close()
    cleaned, present = log_in(first, clean=True, device="aliyun/pk/second")
    assert not present
    cleaned.close()
    first.api.wait_event({"type": "close", "device": "aliyun/pk/second"})
    first.kill()
    second = start(*store)
    assert second.api.get("/api/v1/devices/aliyun/pk/device")["subscriptions"] == 1
    assert not log_in(second, device="aliyun/pk/second")[1]


def test_packet_ids_walk_on(start, tmp_path):
    store = ("--store", str(tmp_path / "store.db"))
    seen = []
    for _ in range(3):
        running = start(*store)
        peer, _ = log_in(running)
        if not seen:
            subscribe(peer, TOPIC)
        for number in range(3):
            send(running, str(number))
        seen += [number for _, number, _ in receive(peer, 3)]
        peer.close()
        running.api.barrier()
        running.kill()
    assert len(set(seen)) == len(seen) and seen == sorted(seen), seen


def test_a_session_ends_by_the_clouds_time_away(start, tmp_path):
    device = "tencent/PROD123456/dev001"
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    peer, _ = log_in(first, device=device)
    subscribe(peer, "PROD123456/dev001/control")
    first.stop()
    second = start(*store)
    second.api.advance(24 * 3600 * 1000 + 60_000)
    assert not log_in(second, device=device)[1]


def test_a_moved_clock_does_not_outlive_the_server(start, tmp_path):
    device, hour = "tencent/PROD123456/dev001", 3_600_000
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    first.api.advance(30 * hour)
    peer, _ = log_in(first, device=device)
    subscribe(peer, "PROD123456/dev001/control")
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    first.stop()
    second = start(*store)
    second.api.advance(23 * hour)
    peer, present = log_in(second, device=device)
    assert present
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    second.stop()
    third = start(*store)
    third.api.advance(24 * hour + 60_000)
    assert not log_in(third, device=device)[1]


def test_a_reset_ends_it_for_good(start, tmp_path):
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    subscribe(log_in(first)[0], TOPIC)
    first.api.post("/api/v1/reset")
    first.kill()
    assert not log_in(start(*store))[1]


def test_in_memory_a_session_ends_with_the_server(start):
    first = start()
    subscribe(log_in(first)[0], TOPIC)
    first.stop()
    assert not log_in(start())[1]


def test_a_kill_at_any_moment_loses_no_message(tmp_path):
    rng = random.Random(11)
    store = ("--store", str(tmp_path / "store.db"))
    promised, delivered, number = [], set(), 0
    for _ in range(KILLS):
        running = server.Skymock(*store)
        peer, present = log_in(running)
        if not present:
            subscribe(peer, TOPIC)
        killer = threading.Timer(rng.uniform(0.05, 0.5), running.process.kill)
        killer.start()
        try:
            while True:
                send(running, str(number))
                promised.append(str(number))
                number += 1
                packet = peer.receive()
                if packet is None:
                    break
                delivered.add(packet["payload"])
                if rng.random() < 0.7:
                    peer.send_packet(type="puback", id=packet["id"])
        except (AssertionError, KeyError, OSError):
            number += 1  # promised or not: nobody knows
        killer.join()
        running.kill()
    running = server.Skymock(*store)
    peer, present = log_in(running)
    assert present
    send(running, "end")
    while True:
        packet = peer.receive()
        peer.send_packet(type="puback", id=packet["id"])
        delivered.add(packet["payload"])
        if packet["payload"] == "end":
            break
    running.stop()
    assert set(promised) <= delivered
