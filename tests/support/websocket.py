"""A device over WebSocket at the level of frames (RFC 6455)."""

import base64
import hashlib
import os
import struct

import server

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
ANSWER_TO = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = base64.b64encode(b"sixteen bytes...").decode()


def request(path="/mqtt", protocol="mqtt", key=KEY, version="13", extra=""):
    """An upgrade request; None leaves a header out."""
    offered = {"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": version,
               "Sec-WebSocket-Protocol": protocol}
    lines = "".join(f"{name}: {value}\r\n" for name, value in offered.items() if value is not None)
    return (f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"
            f"Upgrade: websocket\r\n{lines}{extra}\r\n").encode()


def frame(payload=b"", opcode=BINARY, final=True, mask=b"\x11\x22\x33\x44", bits=0, length=None):
    """One frame as a client writes it; `length` in so many bytes, 0 for one."""
    size = len(payload)
    width = length if length is not None else 0 if size < 126 else 2 if size < 65536 else 8
    head = bytes([final << 7 | bits | opcode,
                  (0x80 if mask else 0) | {0: size, 2: 126, 8: 127}[width]])
    head += size.to_bytes(width, "big") if width else b""
    if mask:
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return head + (mask or b"") + payload


class WebSocket:
    """On a peer's socket, clear or TLS."""

    def __init__(self, peer, **offers):
        self.peer, self._data = peer, b""
        if offers.pop("handshake", True):
            self.upgrade(**offers)

    def upgrade(self, **offers):
        self.send(request(**offers))
        self.check_answer(offers.get("protocol", "mqtt"))

    def check_answer(self, protocol="mqtt"):
        status, headers = self.head()
        assert status == 101, (status, headers)
        expected = base64.b64encode(hashlib.sha1(KEY.encode() + ANSWER_TO).digest()).decode()
        assert headers["sec-websocket-accept"] == expected
        assert headers["sec-websocket-protocol"] == protocol
        assert "sec-websocket-extensions" not in headers

    def head(self):
        while b"\r\n\r\n" not in self._data:
            assert self._more(), self._data
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), {name.lower(): value for name, value in (
            line.split(": ", 1) for line in lines[1:])}

    def _more(self):
        try:
            more = self.peer.socket.recv(65536)
        except ConnectionResetError:
            more = b""
        self._data += more
        return bool(more)

    def _take(self, size):
        while len(self._data) < size:
            if not self._more():
                assert not self._data, f"closed within a frame: {self._data.hex()}"
                return None
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def send(self, data):
        self.peer.send(data)

    def receive(self):
        """(opcode, payload) of the next frame; None when the server closed."""
        head = self._take(2)
        if head is None:
            return None
        assert head[0] & 0xf0 == 0x80 and not head[1] & 0x80, head.hex()
        size = head[1]
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
        return head[0] & 0x0f, self._take(size) if size else b""

    def closed_with(self):
        """The code of the close frame, after which the server closes."""
        while True:
            got = self.receive()
            assert got is not None, "no close frame"
            if got[0] == CLOSE:
                assert self.receive() is None
                return struct.unpack(">H", got[1][:2])[0] if got[1] else None


class WebSocketPeer(server.Peer):
    """An MQTT device: what server.Peer does, in frames."""

    def __init__(self, port, context=None, **offers):
        peer = server.TlsPeer(port, context) if context else server.Peer(port)
        self.socket, self._data = peer.socket, b""
        self.frames = WebSocket(peer, **offers)

    def send(self, data):
        self.frames.peer.socket.sendall(frame(data))

    def _more(self):
        got = self.frames.receive()
        if got is None or got[0] == CLOSE:
            return None
        assert got[0] == BINARY
        return got[1]
