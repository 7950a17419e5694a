"""Handshakes that begin and never end, as many as the server has room for and more: real devices
still get in, and it is told and counted."""

import os
import socket
import struct
import time

import coap
import credentials  # noqa: F401 (finds the folders of the clouds)
import crowd
from enos import credentials as enos
from test_slow import over_tls

DTLS_HALF_OPEN, TLS_HALF_OPEN = 2000, 4200
DEVICE = "enos/KV315idW/tPbZGCdmaE"
WITHIN_S = 5


def dtls_hello(random, cookie, number):
    """A ClientHello in one record: one suite, no extensions."""
    body = (b"\xfe\xfd" + random + b"\0" + bytes([len(cookie)]) + cookie + b"\0\x02\xc0\xa8\x01\0")
    message = struct.pack("!BBHHBHBH", 1, 0, len(body), number, 0, 0, 0, len(body)) + body
    return struct.pack("!BHHHIH", 22, 0xfefd, 0, 0, number, len(message)) + message


def go_half_way(port, host="127.0.0.1"):
    """Proves its address, starts the handshake, and leaves."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((host, 0))
        peer.connect(("127.0.0.1", port))
        peer.settimeout(0.5)
        random = os.urandom(32)
        peer.send(dtls_hello(random, b"", 0))
        try:
            verify = peer.recv(2048)
        except (TimeoutError, ConnectionRefusedError):
            return False
        cookie = verify[13 + 12 + 3:]
        peer.send(dtls_hello(random, cookie, 1))
        return True


def in_time(open_one):
    """What it opens; a device that is turned away tries again."""
    begin = time.monotonic()
    while True:
        try:
            result = open_one()
            break
        except OSError:
            assert time.monotonic() - begin < WITHIN_S
            time.sleep(0.2)
    took_s = time.monotonic() - begin
    print(f"a real device was in after {took_s:.2f} s")
    assert took_s < WITHIN_S
    return result


def open_device(port):
    device = coap.Device(port, enos.identity(DEVICE, 2), enos.key(DEVICE, 2))
    assert device.process.poll() is None
    return device


def test_half_open_dtls_handshakes_shut_nobody_out(start):
    running = start()
    port, api = running.ports["coaps"], running.api
    begun = 0
    while begun < DTLS_HALF_OPEN and go_half_way(port, "127.0.0.2"):
        begun += 1  # until this host has its share
    assert begun >= 1000
    other = in_time(lambda: open_device(port))
    for _ in range(DTLS_HALF_OPEN - begun):
        go_half_way(port, "127.0.0.1")
    same = in_time(lambda: open_device(port))
    assert crowd.metric(api, "dtls_handshakes_turned_away_total") > 0
    note = api.wait_event({"type": "note", "name": "dtls-crowd"})
    assert note["count"] > 0 and note["listener"] == "coaps"
    for device in (other, same):
        device.process.kill()
        device.process.wait()


def test_half_open_tls_handshakes_shut_nobody_out(start):
    running = start()
    port, api = running.ports["mqtts"], running.api
    over_tls(port).close()  # the certificates are there from now on
    peers = []
    for _ in range(TLS_HALF_OPEN):
        peers.append(crowd.dial(port))
        peers[-1].send(b"\x16\x03")
    in_time(lambda: over_tls(port)).close()
    assert crowd.metric(api, "tls_handshakes_turned_away_total") > 0
    assert api.wait_event({"type": "note", "name": "tls-crowd"})["count"] > 0
    crowd.hang_up(peers)
