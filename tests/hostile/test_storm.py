"""Many at once: connects, logins, takeovers, refusals."""

import resource
import selectors
import socket

import crowd
import pytest
import server

BURST = 3000
TAKEOVERS = 200
REFUSALS = 2000
SEARCHED_MIN = 1000  # so many may wait; those beyond are refused without a search
GROWTH_KB_MAX = 4096
PINGS_WITHIN_MS = 500
CONNACK = b"\x20\x02\0\0"


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    """One for each of the crowd."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = BURST + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{wanted} file descriptors are needed and {hard} allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def storm(port, speeches, due):
    """All at once: connects, says each its own speech, and reads `due` bytes. Returns the sockets
    and what they received; b"" and less than due for those that were closed before."""
    selector, answers = selectors.DefaultSelector(), {}
    for speech in speeches:
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(("127.0.0.1", port))
        selector.register(connection, selectors.EVENT_WRITE, speech)
        answers[connection] = b""
    while selector.get_map():
        ready = selector.select(server.PATIENCE_S)
        assert ready, f"{len(selector.get_map())} of {len(answers)} wait for ever"
        for key, events in ready:
            connection = key.fileobj
            try:
                if events & selectors.EVENT_WRITE:
                    connection.sendall(key.data)
                    selector.modify(connection, selectors.EVENT_READ)
                    continue
                more = connection.recv(due - len(answers[connection]))
            except ConnectionError:
                more = b""
            answers[connection] += more
            if not more or len(answers[connection]) == due:
                selector.unregister(connection)
    return answers


def test_a_burst_of_connects_that_say_nothing(skymock, witness):
    sockets = [crowd.dial(skymock.ports["mqtt"]) for _ in range(BURST)]
    crowd.wait_metric(skymock.api, "connections", BURST + 2)
    crowd.hang_up(sockets)
    crowd.wait_metric(skymock.api, "connections", 2)
    assert crowd.metric(skymock.api, "connections_turned_away_total") == 0


def test_a_burst_of_logins(skymock, witness):
    """Twice: the second time everybody is known already, and memory stays as it is."""
    sizes_kb = []
    for _ in range(2):
        answers = storm(skymock.ports["mqtt"], map(crowd.connect, range(BURST)), len(CONNACK))
        assert set(answers.values()) == {CONNACK}
        assert crowd.metric(skymock.api, "devices_online") == BURST + 1
        crowd.hang_up(answers)
        crowd.wait_metric(skymock.api, "devices_online", 1)
        sizes_kb.append(crowd.resident_kb(skymock))
    print(f"{BURST} logins more took {sizes_kb[1] - sizes_kb[0]} KB")
    assert sizes_kb[1] - sizes_kb[0] < GROWTH_KB_MAX
    assert witness.slowest_ping_ms(0.99) < PINGS_WITHIN_MS


@pytest.mark.parametrize("clean", [True, False])
def test_one_device_that_logs_in_on_200_connections_is_online_once(skymock, witness, clean):
    """Each takes over from the one before (3.1.4-2); the last one in stays."""
    speech = crowd.connect(1, clean=clean)
    answers = storm(skymock.ports["mqtt"], [speech] * TAKEOVERS, len(CONNACK))
    good = {CONNACK} if clean else {CONNACK, b"\x20\x02\1\0"}
    assert set(answers.values()) <= good
    assert crowd.metric(skymock.api, "devices_online") == 2
    crowd.wait_metric(skymock.api, "connections", 3)
    takeovers = crowd.events_of(skymock.api, 0, type="takeover")
    assert len(takeovers) == TAKEOVERS - 1
    assert all(event["findings"] for event in takeovers)
    survivor = server.Peer.__new__(server.Peer)
    survivor.socket, survivor._data = alive(answers), b""
    survivor.send_packet(type="pingreq")
    assert survivor.receive() == {"type": "pingresp"}
    crowd.hang_up(answers)


def alive(sockets):
    """The one that the server has not closed."""
    found = []
    for connection in sockets:
        connection.setblocking(False)
        try:
            connection.recv(1)
        except BlockingIOError:
            found.append(connection)
        except ConnectionResetError:
            pass
    assert len(found) == 1, f"{len(found)} connections of the device are open"
    found[0].setblocking(True)
    found[0].settimeout(server.PATIENCE_S)
    return found[0]


def wrong_signatures():
    """What no search for the mistake can find: every known one is tried in vain."""
    return (crowd.connect(number % crowd.SIZE, secret=f"no secret of anybody {number}")
            for number in range(REFUSALS))


def unknown_devices():
    return (crowd.connect(f"e{number:04}") for number in range(REFUSALS))


@pytest.mark.parametrize("speeches", [wrong_signatures, unknown_devices])
def test_a_burst_of_refused_logins_does_not_starve_the_others(skymock, witness, speeches):
    since = skymock.api.last_seq()
    sizes_kb = []
    for _ in range(2):
        for answer in refusals(skymock, speeches()):
            assert answer[:3] == CONNACK[:3] and answer[3] in (4, 5), answer
        crowd.wait_metric(skymock.api, "connections", 2)
        sizes_kb.append(crowd.resident_kb(skymock))
    refused = crowd.events_of(skymock.api, since, type="connect")
    searched = [event for event in refused if "note" not in event["explanation"]]
    print(f"the mistake was searched for in {len(searched)} of {len(refused)} refusals; the second "
          f"{REFUSALS} took {sizes_kb[1] - sizes_kb[0]} KB")
    assert len(refused) == 2 * REFUSALS and all(event["findings"] for event in refused)
    assert len(searched) >= 2 * SEARCHED_MIN
    assert sizes_kb[1] - sizes_kb[0] < GROWTH_KB_MAX
    assert witness.slowest_ping_ms(0.99) < PINGS_WITHIN_MS


def refusals(skymock, speeches):
    """What each is told, all at once from one peer."""
    answers = storm(skymock.ports["mqtt"], speeches, len(CONNACK))
    crowd.hang_up(answers)
    return answers.values()


def test_a_wrong_signature_on_a_connection_kept_busy(skymock, witness):
    """Logins behind a refused one are not looked at."""
    speech = crowd.connect(1, secret="wrong") + crowd.connect(1) * 1000
    for _ in range(100):
        connection = crowd.dial(skymock.ports["mqtt"])
        connection.sendall(speech)
        assert crowd.read_to_end(connection) in (b"\x20\x02\0\4", b"")
        connection.close()
    assert crowd.metric(skymock.api, "devices_online") == 1
