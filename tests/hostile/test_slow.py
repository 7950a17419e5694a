"""Peers that take their time: too slow, silent, gone half-way. Each is turned away with a finding,
costs little, and holds nobody up."""

import ssl
import time

import crowd
import packets
import pytest
import server

LOGIN_S = 10  # within which a login or request has to be complete
GROWTH_KB_MAX = 4096
ABORTED = 1000
EACH = 40  # peers of each kind


def client_hello():
    """The first flight of a TLS client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def over_tls(port):
    """A connection with the handshake done and nothing said."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(crowd.dial(port))


REQUEST = (b"POST /auth/devicename HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
           b"productKey=")
# What each kind of peer would say, one byte a second, and the rule that it breaks.
DRIBBLED = {
    ("mqtt", "CONNECT"): (crowd.connect(0), "MQTT-CONNECT-TIMEOUT"),
    ("mqtt", "ClientHello"): (client_hello(), "TLS-TIMEOUT"),
    ("mqtts", "ClientHello"): (client_hello(), "TLS-TIMEOUT"),
    ("https", "ClientHello"): (client_hello(), "TLS-TIMEOUT"),
    ("https", "CONNECT"): (crowd.connect(0), "MQTT-CONNECT-TIMEOUT"),
    ("https", "request"): (REQUEST, "DOOR-SLOW"),
    ("admin", "request"): (REQUEST, "DOOR-SLOW"),
    ("mqtt", "silence"): (b"", "DOOR-SLOW"),
    ("mqtts", "silence"): (b"", "DOOR-SLOW"),
    ("enos-mqtts", "silence"): (b"", "DOOR-SLOW"),
    ("https", "silence"): (b"", "DOOR-SLOW"),
    ("admin", "silence"): (b"", "DOOR-SLOW"),
    ("mqtt", "half a CONNECT"): (None, "MQTT-CONNECT-TIMEOUT"),
    ("mqtts", "TLS, then silence"): (None, "DOOR-SLOW"),
}


def open_all(ports):
    """(kind, socket, what is left to say) for every peer."""
    for (listener, kind), (speech, _) in DRIBBLED.items():
        for _ in range(EACH):
            if kind == "TLS, then silence":
                yield (listener, kind), over_tls(ports[listener]), iter(b"")
                continue
            connection = crowd.dial(ports[listener])
            if kind == "half a CONNECT":
                connection.sendall(crowd.connect(0)[:40])
            yield (listener, kind), connection, iter(speech or b"")


def port_of(connection):
    return "127.0.0.1:%d" % connection.getsockname()[1]


def findings_by_port(api):
    """Which rules the journal holds against the peer of each port."""
    found = {}
    for event in crowd.events_of(api, 0):
        if "peer" in event:
            found.setdefault(event["peer"], set()).update(f["rule"] for f in event["findings"])
    return found


def test_peers_that_dribble_or_say_nothing_are_turned_away_in_time(skymock, witness):
    api = skymock.api
    peers = list(open_all(skymock.ports))
    begin = time.monotonic()
    while crowd.metric(api, "connections") > 2:
        left_s = begin + 2 * LOGIN_S - time.monotonic()
        assert left_s > 0, f"{crowd.metric(api, 'connections') - 2} peers are still connected"
        for _, connection, speech in peers:
            try:
                connection.send(bytes([next(speech)]))
            except (StopIteration, OSError):
                pass
        api.events(since=api.last_seq(), type="close", count=len(peers), wait_ms=1000)
    took_s = time.monotonic() - begin
    found = findings_by_port(api)
    ports = {port_of(connection): kind for kind, connection, _ in peers}
    crowd.hang_up(connection for _, connection, _ in peers)
    for port, kind in ports.items():
        assert DRIBBLED[kind][1] in found.get(port, ()), f"{kind}: {found.get(port)}"
    parties = {each["device"] for each in api.get("/api/v1/verdicts")["devices"]}
    assert "listener mqtt" in parties and "listener admin" not in parties, "a tool is no device"
    assert took_s > LOGIN_S - 2, "they were given less time than they have"
    print(f"{len(peers)} peers were gone after {took_s:.1f} s")



def test_aborted_handshakes_leave_a_finding_and_nothing_else(skymock, witness):
    hello, api = client_hello(), skymock.api
    over_tls(skymock.ports["mqtts"]).close()  # the certificates are there from now on
    sizes_kb = []
    for _ in range(2):
        since = api.last_seq()
        for number in range(ABORTED):
            connection = crowd.dial(skymock.ports["mqtts"])
            connection.sendall(hello)
            if number % 10 == 0:
                connection.recv(1)  # some leave in the middle of the server's first flight
            connection.close()
        crowd.wait_metric(api, "connections", 2)
        sizes_kb.append(crowd.resident_kb(skymock))
        failed = [event for event in crowd.events_of(api, since, type="tls-handshake")
                  if [finding["rule"] for finding in event["findings"]] == ["TLS-HANDSHAKE"]]
        assert len(failed) == ABORTED
    print(f"{ABORTED} aborted handshakes; the second time took {sizes_kb[1] - sizes_kb[0]} KB")
    assert sizes_kb[1] - sizes_kb[0] < GROWTH_KB_MAX


def test_half_closed_peers_do_not_stay(skymock, witness):
    """They have said that they will send no more: nothing is worth waiting for."""
    peers = []
    for listener, opening in (("mqtt", crowd.connect(1)[:30]), ("mqtts", client_hello()[:50]),
                              ("https", b"GET / HTTP/1.1\r\nHost:"), ("mqtt", b"")):
        for _ in range(EACH):
            connection = crowd.dial(skymock.ports[listener])
            connection.sendall(opening)
            connection.shutdown(1)
            peers.append(connection)
    for connection in peers:
        assert crowd.read_to_end(connection)[:1] in (b"", b"\x15"), "nothing, or a TLS alert"
    crowd.hang_up(peers)
    crowd.wait_metric(skymock.api, "connections", 2)


@pytest.fixture
def frozen(skymock):
    skymock.api.freeze()
    yield skymock.api
    skymock.api.post("/api/v1/clock/resume")


def test_a_device_that_dribbles_after_its_login_is_as_good_as_silent(skymock, frozen):
    """The keepalive asks for whole control packets (MQTT 3.1.2-24)."""
    device = crowd.log_in(skymock.ports["mqtt"], 1, keepalive=60)
    endless = packets.encode({"type": "publish", "topic": crowd.ECHO.format(crowd.name(1)),
                              "payload": "x" * 1000})
    for byte in endless[:4]:
        device.send(bytes([byte]))
        frozen.barrier()
        frozen.advance(30000)
    frozen.wait_event({"type": "timeout", "device": f"aliyun/crowd/{crowd.name(1)}"})
    assert device.receive() is None
    device.close()


def test_a_slow_but_whole_packet_is_taken(skymock):
    device = crowd.log_in(skymock.ports["mqtt"], 2)
    for byte in packets.encode({"type": "publish", "qos": 1, "id": 7, "payload": "slowly",
                                "topic": crowd.ECHO.format(crowd.name(2))}):
        device.send(bytes([byte]))
        skymock.api.barrier()
    assert device.receive() == {"type": "puback", "id": 7}
    device.close()


assert server.PATIENCE_S > 2 * LOGIN_S
