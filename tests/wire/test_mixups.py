"""A peer that speaks to the wrong listener is told what it speaks, and where that is spoken."""

import ssl

import pytest
import server

CONNECT = b"\x10\x0d\0\4MQTT\4\2\0\x3c\0\1a"
GET = b"GET /auth HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /auth/devicename HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n" \
       b"Content-Type: application/json\r\n\r\n{\"a\":\"bcde\"}"
HELLO = bytes.fromhex("1603010005010000010000")
COAP = bytes.fromhex("44010001deadbeefb474696d65")


def over_tls(peer):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    peer.socket = context.wrap_socket(peer.socket)


MIXUPS = [
    ("mqtt", False, GET, "MQTT-2.2.2-1", "HTTP, which is spoken on https (", "not on mqtt: "),
    ("mqtt", False, POST, None, "HTTP, which is spoken on https (", "not on mqtt: "),
    ("mqtts", True, GET, "MQTT-2.2.2-1", "HTTP, which is spoken on https (", "not on mqtts: "),
    ("mqtts", False, GET, "DOOR-FIRST-BYTE", "HTTP, which is spoken on https (", "not on mqtts: "),
    ("mqtts", False, CONNECT, "DOOR-FIRST-BYTE", "MQTT without TLS: ", "TLS only"),
    ("admin", False, CONNECT, "DOOR-FIRST-BYTE", "MQTT, which is spoken on mqtt (", "not on admin: "),
    ("admin", False, HELLO, "DOOR-FIRST-BYTE", "TLS, which is spoken on mqtt (", "not on admin: "),
    ("mqtt", False, COAP, "MQTT-2.2.2-1", "CoAP, which is spoken on coaps (", ") by UDP, not on mqtt: "),
    ("mqtt", False, b"\x20\xe1" + b"\0" * 10, None, "CoAP, which", "not on mqtt: "),
]


@pytest.fixture(scope="module")
def running():
    started = server.Skymock()
    yield started
    started.stop()


def told(running, listener, tls, data):
    since = running.api.last_seq()
    peer = server.Peer(running.ports[listener])
    if tls:
        over_tls(peer)
    peer.socket.sendall(data)
    event = running.api.wait_event({"type": "malformed"}, since=since)
    peer.close()
    return event


@pytest.mark.parametrize("listener, tls, data, rule, looks, where", MIXUPS)
def test_a_peer_at_the_wrong_listener_is_told_what_it_speaks(running, listener, tls, data, rule,
                                                             looks, where):
    event = told(running, listener, tls, data)
    assert event["reason"].startswith("this looks like " + looks) and where in event["reason"]
    assert rule is None or [each["rule"] for each in event["findings"]] == [rule]
    if "which is spoken on https (" in looks:
        assert f"https ({running.ports['https']})" in event["reason"]


@pytest.mark.parametrize("data", [b"\x40\2\0\1", b"\x41\2\0\1", b"\x80\xe1\1" + b"a" * 225, b"GE\1\2"])
def test_what_may_be_mqtt_gone_wrong_is_told_as_mqtt(running, data):
    looks = told(running, "mqtt", False, data)["reason"].startswith("this looks like")
    assert looks == (data[0] == 0x41)  # the flags of no PUBACK, and a request of CoAP
