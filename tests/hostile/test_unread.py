"""Many peers that do not read: what waits for all of them together has a bound. Who has most waiting
goes, and is told of; who reads, and who only reads slowly, stays."""

import select
import socket
import time

import crowd
import packets
import pytest
import server

READERS = 100
PAYLOAD = "x" * 200_000
ROUNDS = 50  # a message to all each: past what the system takes, and up to what each may have
BOUND_MB = 256
BESIDES_MB = 128  # memory that may be in use besides: freed, shared, or on its way to the system


def deaf(port, *said):
    """A peer that says this and never reads."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(server.PATIENCE_S)
    connection.connect(("127.0.0.1", port))
    connection.sendall(b"".join(said))
    return connection


def subscribe(topic):
    return packets.encode({"type": "subscribe", "id": 1, "filters": [(topic, 0)]})


@pytest.fixture
def listeners(skymock):
    """Devices that subscribe to what all say to all, and do not read."""
    port, api = skymock.ports["mqtt"], skymock.api
    since = api.last_seq()
    found = [deaf(port, crowd.connect(number), subscribe(crowd.SHARED))
             for number in range(1, READERS + 1)]
    api.events(since=since, type="subscribe", count=READERS, limit=1000, wait_ms=server.PATIENCE_S * 1000)
    yield found
    crowd.hang_up(found)


def test_the_largest_go_when_too_much_waits_for_all(skymock, witness, listeners):
    api, port = skymock.api, skymock.ports["mqtt"]
    since = api.last_seq()
    before_kb, peak_kb, most = crowd.resident_kb(skymock), 0, 0
    speaker = crowd.log_in(port, 0)
    slow = deaf(port, crowd.connect(READERS + 1), subscribe(crowd.ECHO.format(crowd.name(READERS + 1))))
    own = packets.encode({"type": "publish", "payload": PAYLOAD,
                          "topic": crowd.ECHO.format(crowd.name(READERS + 1))})
    slow.sendall(own)
    said = packets.encode({"type": "publish", "topic": crowd.SHARED, "payload": PAYLOAD})
    for _ in range(ROUNDS):
        speaker.send(said)
        most = max(most, crowd.metric(api, "pending_output_bytes"))
        peak_kb = max(peak_kb, crowd.resident_kb(skymock))
    speaker.send_packet(type="pingreq")
    assert speaker.receive()["type"] == "pingresp"
    bound = crowd.metric(api, "pending_output_bytes_max")
    ended = crowd.metric(api, "connections_outgrown_total")
    print(f"{ended} of {READERS} had to go; {most >> 20} MB waited at most, and the server grew by "
          f"{(peak_kb - before_kb) >> 10} MB")
    assert bound == BOUND_MB << 20 and most <= bound
    assert peak_kb - before_kb < (BOUND_MB + BESIDES_MB) << 10
    assert 0 < ended < READERS
    told = [event for event in crowd.events_of(api, since, type="malformed")
            if [finding["rule"] for finding in event["findings"]] == ["DOOR-OUTPUT-FULL"]]
    together = [event for event in told if "all peers" in event["reason"]]
    assert len(together) == ended
    closed = {event["connection"]: event["reason"]
              for event in crowd.events_of(api, since, type="close")}
    assert {closed[event["connection"]] for event in together} == {together[0]["reason"]}
    left = len(PAYLOAD)  # for the one that is only slow
    while left > 0:
        left -= len(slow.recv(65536) or pytest.fail("it had to go"))
    crowd.hang_up([slow])
    speaker.close()


def test_answers_that_nobody_reads_are_bounded_together(skymock, witness):
    """Also while they are being made: lists are made piece by piece."""
    api, port = skymock.api, skymock.ports["admin"]
    speaker = crowd.log_in(skymock.ports["mqtt"], 0)
    said = packets.encode({"type": "publish", "topic": crowd.ECHO.format(crowd.name(0)),
                           "payload": PAYLOAD})
    for _ in range(60):
        speaker.send(said)
    speaker.send_packet(type="pingreq")
    assert speaker.receive()["type"] == "pingresp"
    speaker.close()
    before_kb, peak_kb, most = crowd.resident_kb(skymock), 0, 0
    request = b"GET /api/v1/events?limit=1000&type=publish HTTP/1.1\r\nHost: localhost\r\n\r\n"
    readers = [deaf(port, request) for _ in range(READERS)]
    deadline = time.monotonic() + server.PATIENCE_S
    while sum(map(has_answer, readers)) < READERS:
        assert time.monotonic() < deadline
        most = max(most, crowd.metric(api, "pending_output_bytes"))
        peak_kb = max(peak_kb, crowd.resident_kb(skymock))
    refused = sum(b" 503 " in reader.recv(64, socket.MSG_PEEK) for reader in readers)
    print(f"{refused} were refused; {most >> 20} MB waited at most, and the server grew by "
          f"{(peak_kb - before_kb) >> 10} MB")
    crowd.hang_up(readers)
    assert 0 < refused < READERS and most <= BOUND_MB << 20
    assert peak_kb - before_kb < (BOUND_MB + BESIDES_MB) << 10
    crowd.wait_metric(api, "pending_output_bytes", 0)


def has_answer(reader):
    """recv() would wait as long as the socket's timeout, whatever its flags say."""
    return bool(select.select([reader], [], [], 0)[0])
