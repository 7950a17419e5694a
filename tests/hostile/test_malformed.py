"""Packets that break the specification, in numbers: each ends its connection with a finding, and
nothing else happens."""

import itertools
import random
import socket
from collections import Counter

import crowd
import pytest
from mutations import TYPES, bad_packets

OF_EACH_TYPE = 1000  # in one round; there are two
AT_ONCE = 32
SHOWN_BYTES = 48  # of an offender's, in the journal
GROWTH_KB_MAX = 4096


def round_of_packets(seed):
    """(packet, whether to log in first), of all types in turn."""
    rng = random.Random(seed)
    sources = [bad_packets(kind, rng) for kind in TYPES]
    for number in range(OF_EACH_TYPE):
        for source in sources:
            yield next(source), number % 2 == 1


def attack(port, batch):
    """Each packet over a connection of its own, all at once; until the server has closed all."""
    sockets = []
    for number, (packet, after_login) in enumerate(batch):
        connection = crowd.dial(port)
        connection.sendall((crowd.connect(number) if after_login else b"") + packet)
        sockets.append(connection)
    for connection, (packet, after_login) in zip(sockets, batch):
        answer = crowd.read_to_end(connection)
        assert len(answer) == (4 if after_login else 0), (packet.hex(), answer.hex())
    crowd.hang_up(sockets)


def in_batches(items, size):
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch


def play_round(skymock, seed):
    """Sends them all, and compares with what the journal has of it. They are told apart by their
    first bytes; behind a login those of the bad packet alone are shown."""
    due, seen = Counter(), Counter()
    since = skymock.api.last_seq()
    for batch in in_batches(round_of_packets(seed), AT_ONCE * 32):
        for part in in_batches(batch, AT_ONCE):
            attack(skymock.ports["mqtt"], part)
        due.update(packet[:SHOWN_BYTES].hex() for packet, _ in batch)
        for event in crowd.events_of(skymock.api, since, type="malformed"):
            assert len(event["findings"]) == 1, event
            assert event["findings"][0]["action"] == "enforce", event
            seen[event["bytes"]] += 1
            since = event["seq"]
    assert seen == due, f"without a finding: {due - seen}; unasked for: {seen - due}"
    return sum(due.values())


def test_malformed_packets_of_every_type_end_their_connections_only(skymock, witness):
    findings = crowd.metric(skymock.api, "findings_total")
    sent = play_round(skymock, seed=1)
    warm_kb = crowd.resident_kb(skymock)
    sent += play_round(skymock, seed=1)
    grown_kb = crowd.resident_kb(skymock) - warm_kb
    assert sent == 2 * OF_EACH_TYPE * len(TYPES)
    assert crowd.metric(skymock.api, "findings_total") - findings == sent
    print(f"{sent} malformed packets; the second half took {grown_kb} KB")
    assert grown_kb < GROWTH_KB_MAX
    crowd.wait_metric(skymock.api, "connections", 2)  # this one and the witness


@pytest.mark.parametrize("listener", ["mqtt", "mqtts", "https", "enos-mqtt", "admin"])
def test_random_bytes_end_their_connections_only(skymock, witness, listener):
    rng = random.Random(listener)
    for _ in range(8):
        sockets = [crowd.dial(skymock.ports[listener]) for _ in range(AT_ONCE)]
        for connection in sockets:
            connection.sendall(rng.randbytes(rng.randint(1, 4000)))
            connection.shutdown(socket.SHUT_WR)  # whoever waits for more is told that there is none
        for connection in sockets:
            crowd.read_to_end(connection)
        crowd.hang_up(sockets)
    crowd.wait_metric(skymock.api, "connections", 2)
    assert crowd.events_of(skymock.api, 0, type="malformed")
