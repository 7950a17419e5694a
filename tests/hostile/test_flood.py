"""Devices that send too much, and devices that do not read what they are sent."""

import select
import struct
import time

import crowd
import packets
import pytest
import server
from packets import frame, text
from test_slow import over_tls

GROWTH_KB_MAX = 8192
BACKLOG_KB_MAX = 32 * 1024  # what waits for one peer, with what the allocator keeps of it
TOPICS = 200_000
PINGS_WITHIN_MS = 500  # a sanitized build on a busy machine; what it really took is printed


def publish(topic, payload=b"", qos=0, packet_id=0):
    return frame("publish", qos << 1, text(topic) + (struct.pack("!H", packet_id) if qos else b"")
                 + payload)


def subscribe(peer, *filters):
    """The SUBACK codes."""
    peer.send_packet(type="subscribe", id=1, filters=filters)
    answer = peer.receive()
    assert answer and answer["type"] == "suback", answer
    return answer["codes"]


def converse(peer, chunks, due):
    """Sends all, and reads along the `due` bytes that come back: a flooder, but no slow reader."""
    received, chunks = bytearray(), iter(chunks)
    view = memoryview(next(chunks))
    while view or len(received) < due:
        wants = [peer.socket] if view else []
        readable, writable, _ = select.select([peer.socket], wants, [], server.PATIENCE_S)
        assert readable or writable, f"{len(received)} bytes of {due} came back"
        if readable:
            more = peer.socket.recv(1 << 20)
            assert more, f"closed after {len(received)} bytes of {due}"
            received += more
        if writable:
            view = view[peer.socket.send(view[:65536]):] or memoryview(next(chunks, b""))
    return bytes(received)


def round_trip(peer):
    """Everything sent before has been handled."""
    peer.send_packet(type="pingreq")
    assert peer.receive() == {"type": "pingresp"}


# ---- those who do not read ----

def slow_reader(skymock, listener):
    """A subscriber with small buffers that will not read any more."""
    if listener == "mqtts":
        connection = over_tls(skymock.ports["mqtts"])
        connection.sendall(crowd.connect(1, securemode="2"))
        assert connection.recv(4) == b"\x20\x02\0\0"
        connection.sendall(packets.encode({"type": "subscribe", "id": 1,
                                           "filters": [[crowd.SHARED, 0]]}))
        assert connection.recv(5) == b"\x90\x03\0\1\0"
        return connection
    peer = crowd.log_in(skymock.ports["mqtt"], 1)
    assert subscribe(peer, [crowd.SHARED, 0]) == [0]
    return peer


@pytest.mark.parametrize("listener", ["mqtt", "mqtts"])
def test_a_subscriber_that_never_reads_is_closed_and_holds_nobody_up(skymock, witness, listener):
    slow = slow_reader(skymock, listener)
    reader = crowd.log_in(skymock.ports["mqtt"], 2)
    assert subscribe(reader, [crowd.SHARED, 0]) == [0]
    flooder = crowd.log_in(skymock.ports["mqtt"], 3)
    before_kb, peak_kb, sent = crowd.resident_kb(skymock), 0, 0
    begin = time.monotonic()
    while not skymock.api.events(type="malformed", limit=1):
        for _ in range(100):
            flooder.send(publish(crowd.SHARED, b"%08d" % sent + 8192 * b"x"))
            sent += 1
        round_trip(flooder)
        for number in range(sent - 100, sent):
            assert reader.receive()["payload"][:8] == f"{number:08}"
        peak_kb = max(peak_kb, crowd.resident_kb(skymock))
        assert sent < 20000, "the one that does not read is never closed"
    took_s = time.monotonic() - begin
    event = skymock.api.wait_event({"type": "malformed", "rules": ["DOOR-OUTPUT-FULL"]})
    assert event["device"] == f"aliyun/crowd/{crowd.name(1)}"
    round_trip(flooder)
    print(f"closed after {sent} messages of 8 KB ({took_s:.2f} s); {peak_kb - before_kb} KB more "
          "at most")
    assert peak_kb - before_kb < BACKLOG_KB_MAX
    crowd.wait_metric(skymock.api, "connections", 4)  # this, witness, reader, flooder
    for peer in (slow, reader, flooder):
        peer.close()
    assert witness.slowest_ping_ms(0.99) < PINGS_WITHIN_MS


def test_a_device_that_publishes_and_never_reads_its_acknowledgements_is_closed(skymock, witness):
    """Four bytes for each of its packets: they pile up as well."""
    flooder = crowd.log_in(skymock.ports["mqtt"], 4)
    topic = crowd.ECHO.format(crowd.name(4))
    chunk = b"".join(publish(topic, b"", 1, number) for number in range(1, 20001))
    before_kb = crowd.resident_kb(skymock)
    try:
        for _ in range(1000):
            flooder.socket.sendall(chunk)
    except OSError:
        pass
    skymock.api.wait_event({"type": "malformed", "rules": ["DOOR-OUTPUT-FULL"]})
    assert crowd.resident_kb(skymock) - before_kb < BACKLOG_KB_MAX
    flooder.close()
    assert witness.slowest_ping_ms(0.99) < PINGS_WITHIN_MS


def test_a_client_of_the_admin_api_that_never_reads_costs_one_answer(skymock, witness):
    api = skymock.api
    for number in range(5):  # something worth listing
        crowd.log_in(skymock.ports["mqtt"], number).close()
    connection = crowd.dial(skymock.ports["admin"])
    before_kb = crowd.resident_kb(skymock)
    connection.setblocking(False)
    request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    try:
        while True:
            connection.send(request * 100)
    except BlockingIOError:
        pass  # the server has stopped reading
    api.barrier()
    assert crowd.resident_kb(skymock) - before_kb < BACKLOG_KB_MAX
    connection.close()


# ---- topics ----

def test_a_flood_of_permitted_topics_is_forgotten_again(skymock, witness):
    flooder = crowd.log_in(skymock.ports["mqtt"], 5)
    deep = crowd.DEEP.format(crowd.name(5))
    assert subscribe(flooder, [deep + "#", 0]) == [0]
    sizes_kb = []
    for _ in range(2):
        chunks = (publish(f"{deep}{number}", b"x") for number in range(TOPICS))
        expected = sum(2 + 2 + len(f"{deep}{number}") + 1 for number in range(TOPICS))
        converse(flooder, join_by(chunks, 500), expected)
        sizes_kb.append(crowd.resident_kb(skymock))
    flooder.close()
    print(f"{TOPICS} topics once more took {sizes_kb[1] - sizes_kb[0]} KB")
    assert sizes_kb[1] - sizes_kb[0] < GROWTH_KB_MAX
    assert witness.slowest_ping_ms(0.99) < PINGS_WITHIN_MS


def join_by(pieces, count):
    batch = []
    for piece in pieces:
        batch.append(piece)
        if len(batch) == count:
            yield b"".join(batch)
            batch.clear()
    if batch:
        yield b"".join(batch)


def test_a_flood_of_long_forbidden_topics_is_not_remembered(skymock, witness):
    """As long as MQTT allows, and longer than any cloud does."""
    flooder = crowd.log_in(skymock.ports["mqtt"], 6)
    before_kb = crowd.resident_kb(skymock)
    for number in range(2000):
        flooder.send(publish(f"/{number}/" + 60000 * "x"))
    round_trip(flooder)
    grown_kb = crowd.resident_kb(skymock) - before_kb
    print(f"2000 topics of 60 KB took {grown_kb} KB")
    assert grown_kb < BACKLOG_KB_MAX
    flooder.close()


# ---- subscriptions ----



def test_a_device_has_only_so_many_subscriptions(skymock, witness):
    """Past 100 the cloud's document is broken, which is reported; past 1000 there are no more."""
    device = crowd.log_in(skymock.ports["mqtt"], 7)
    deep = crowd.DEEP.format(crowd.name(7))
    granted = [code for start in range(0, 1010, 10)
               for code in subscribe(device, *[[f"{deep}{start + n}", 1] for n in range(10)])]
    assert granted == 1000 * [1] + 10 * [0x80]
    skymock.api.wait_event({"type": "subscribe", "rules": ["ALI-SUB-COUNT"]})
    device.send_packet(type="unsubscribe", id=2, filters=[f"{deep}0"])
    assert device.receive()["type"] == "unsuback"
    assert subscribe(device, [f"{deep}another", 1]) == [1]
    device.close()


def test_a_packet_has_only_so_many_filters(skymock, witness):
    device = crowd.log_in(skymock.ports["mqtt"], 8)
    deep = crowd.DEEP.format(crowd.name(8))
    assert subscribe(device, *[[f"{deep}{n}", 0] for n in range(256)]) == 256 * [0]
    device.send_packet(type="subscribe", id=3, filters=[["f", 0]] * 100_000)
    assert device.receive() is None
    skymock.api.wait_event({"type": "malformed", "rules": ["MQTT-FILTER-COUNT"]})
    device.close()


def test_subscribing_and_unsubscribing_without_end_leaves_nothing(skymock, witness):
    device = crowd.log_in(skymock.ports["mqtt"], 9)
    deep = crowd.DEEP.format(crowd.name(9))
    sizes_kb = []
    for _ in range(2):
        pairs = (packets.encode({"type": kind, "id": 1, "filters": [each]})
                 for number in range(20_000)
                 for kind, each in (("subscribe", [f"{deep}{number}/+/{number}", 1]),
                                    ("unsubscribe", f"{deep}{number}/+/{number}")))
        expected = 20_000 * (5 + 4)
        received = converse(device, join_by(pairs, 500), expected)
        assert received == 20_000 * (b"\x90\x03\0\1\1" + b"\xb0\x02\0\1")
        sizes_kb.append(crowd.resident_kb(skymock))
    assert sizes_kb[1] - sizes_kb[0] < GROWTH_KB_MAX
    device.close()


# ---- payloads ----

def test_payloads_as_large_as_the_cloud_carries_and_packets_as_large_as_the_server_takes(skymock, witness):
    device = crowd.log_in(skymock.ports["mqtt"], 10)
    topic = crowd.ECHO.format(crowd.name(10))
    assert subscribe(device, [topic, 0]) == [0]
    largest = 256 * 1024
    for number in range(40):
        payload = chr(ord("A") + number) * largest
        device.send(publish(topic, payload.encode()))
        assert device.receive()["payload"] == payload
    since = skymock.api.last_seq()
    device.send(publish(topic, bytes(largest + 1), 1, 77))
    skymock.api.wait_event({"type": "publish", "rules": ["ALI-PAYLOAD-SIZE"]}, since)
    assert device.receive() == {"type": "puback", "id": 77}
    assert device.receive()["type"] == "publish", "carried all the same: that is only reported"
    device.send(publish(topic, bytes(640 * 1024)))
    assert device.receive() is None
    skymock.api.wait_event({"type": "malformed", "rules": ["MQTT-PACKET-SIZE"]}, since)
    device.close()
    assert witness.slowest_ping_ms(0.99) < PINGS_WITHIN_MS


def test_a_flood_of_tiny_messages_lets_others_through(skymock, witness):
    """As much as the loopback takes, for a second: one connection must not keep the loop."""
    flooder = crowd.log_in(skymock.ports["mqtt"], 11)
    chunk = publish("/x") * 50_000
    end = time.monotonic() + 1
    while time.monotonic() < end:
        flooder.socket.sendall(chunk)
    round_trip(flooder)
    flooder.close()
    assert witness.slowest_ping_ms(0.99) < PINGS_WITHIN_MS
