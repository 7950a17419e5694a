"""The rules of the way in: TCP, TLS and HTTP, before anybody's dialect is spoken."""

import base64
import contextlib
import socket
import ssl

import credentials
import packets
import server
import websocket
from aliyun.rules_calls import TOKEN_PATH, token_form
from stage import ALI, ENOS, TEN, of, plays

PSK_IDENTITY = "PROD123456dev001"
PSK_HEX = base64.b64decode(credentials.SECRETS[TEN][0]).hex()
OWN_ECHO = "/pk/device/user/both"


# ---- devices that keep to the rules ----

@plays(TEN)
def a_device_that_comes_over_tls(stage):
    stage.login(TEN, stage.tls("mqtts"))


@plays(TEN)
def a_device_with_its_pre_shared_key(stage):
    stage.login(TEN, stage.psk(PSK_IDENTITY, PSK_HEX))


@plays(ENOS)
def a_device_with_its_certificate(stage):
    stage.login(ENOS, stage.tls("enos-mqtts", stage.context(certificate_of=ENOS)))


@plays(ALI)
def a_device_that_comes_over_websocket(stage):
    peer = stage._opens(websocket.WebSocketPeer(stage.ports["https"]))
    stage.connect(credentials.aliyun(ALI), peer)
    stage.leave(peer)


@plays(ALI)
def a_device_that_asks_for_its_token(stage):
    stage.http(TOKEN_PATH, token_form())


@plays(TEN)
def a_device_that_is_expected(stage):
    stage.api.post("/api/v1/expected", {"event": {"type": "connect"}, "device": TEN})
    stage.login(TEN)


KEEPS = {
    **of(a_device_that_is_expected, "EXPECTED-EVENT"),
    **of(a_device_that_comes_over_tls, """
        DOOR-FIRST-BYTE DOOR-SLOW LOGIN-UNRECOGNISED TLS-VERSION TLS-HANDSHAKE
        TLS-NO-COMMON-SUITE TLS-SERVER-CERT TLS-TIMEOUT"""),
    **of(a_device_with_its_pre_shared_key, "TLS-PSK-IDENTITY TLS-PSK-KEY"),
    **of(a_device_with_its_certificate, "TLS-CLIENT-CERT"),
    **of(a_device_that_asks_for_its_token, "DOOR-HTTP-REQUEST DOOR-HTTP-PATH DOOR-HTTP-HOST"),
    **of(a_device_that_comes_over_websocket, "DOOR-WEBSOCKET"),
}


# ---- devices that do not ----

def opens(listener, data):
    """A peer whose first bytes are these."""
    @plays(None)
    def play(stage):
        peer = stage.peer(listener)
        peer.send(data)
        with contextlib.suppress(ConnectionResetError):
            while peer.socket.recv(4096):
                pass
    return play


def shakes_hands(listener, *options):
    @plays(None)
    def play(stage):
        stage.s_client(listener, "-tls1_2", *options)
    return play


@plays(ALI)
def does_not_read(stage):
    """It subscribes to what it publishes and leaves the answers lying."""
    peer = stage.login(ALI)
    stage.subscribe(peer, (OWN_ECHO, 0))
    peer.socket.settimeout(server.PATIENCE_S)
    with contextlib.suppress(OSError):
        for _ in range(400):
            peer.socket.sendall(packets.encode({"type": "publish", "topic": OWN_ECHO,
                                                "payload": 100_000 * "x"}))


@plays(ALI)
def speaks_tls_1_0(stage):
    stage.login(ALI, stage.tls(context=stage.context(ssl.TLSVersion.TLSv1)),
                how={"securemode": "2"})


@plays(None)
def does_not_trust_the_server(stage):
    with contextlib.suppress(ssl.SSLCertVerificationError):
        stage.tls(context=ssl.create_default_context())


@plays(None)
def asks_for_what_nobody_serves(stage):
    stage.http("/auth/device", "productKey=pk")


@plays(None)
def logs_in_without_a_name(stage):
    stage.connect({"clientId": ""})


# No act of a device, but one that does not come.
NEVER_BROKEN = {"EXPECTED-EVENT": "broken by what does not happen: tests/admin/test_expected.py"}


def never_ends(rule):
    """Waits for what the server says of one of the peers of be_slow()."""
    @plays(None)
    def play(stage):
        stage.api.wait_event({"rules": [rule]}, wait_ms=1000 * server.PATIENCE_S)
    return play


SLOW = {"MQTT-CONNECT-TIMEOUT": ("mqtt", b"\x10\x40\0\4MQTT"),
        "DOOR-SLOW": ("mqtt", b""),
        "TLS-TIMEOUT": ("mqtt", bytes.fromhex("16030100ff01"))}


def be_slow(stage):
    """Peers that begin to say something; their time, in real seconds, runs from here."""
    peers = []
    for listener, data in SLOW.values():
        peers.append(server.Peer(stage.ports[listener]))
        peers[-1].socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peers[-1].send(data)
    return peers


BREAKS = {
    **{rule: never_ends(rule) for rule in SLOW},
    "DOOR-FIRST-BYTE": opens("enos-mqtts", b"\x10"),
    "DOOR-OUTPUT-FULL": does_not_read,
    "DOOR-HTTP-REQUEST": opens("https", b"POST /auth/devicename HTTP/1.1\r\nHost: localhost\r\n"
                                        b"Transfer-Encoding: chunked\r\n\r\n"),
    "DOOR-HTTP-PATH": asks_for_what_nobody_serves,
    "DOOR-HTTP-HOST": opens("https", b"POST /auth/devicename HTTP/1.1\r\nContent-Length: 0\r\n"
                                     b"Connection: close\r\n\r\n"),
    "DOOR-WEBSOCKET": opens("https", websocket.request(protocol=None)),
    "LOGIN-UNRECOGNISED": logs_in_without_a_name,
    "TLS-VERSION": speaks_tls_1_0,
    "TLS-HANDSHAKE": opens("mqtt", b"\x16 these are no records"),
    "TLS-NO-COMMON-SUITE": shakes_hands("enos-mqtts", "-cipher", "PSK", "-psk", "00"),
    "TLS-SERVER-CERT": does_not_trust_the_server,
    "TLS-CLIENT-CERT": shakes_hands("enos-mqtts"),
    "TLS-PSK-IDENTITY": shakes_hands("mqtts", "-cipher", "PSK", "-psk_identity", "a|b", "-psk",
                                     "00"),
    "TLS-PSK-KEY": shakes_hands("mqtts", "-cipher", "PSK", "-psk_identity", PSK_IDENTITY, "-psk",
                                "00"),
}
