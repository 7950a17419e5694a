"""CoAP messages, and devices that send them through OpenSSL's DTLS, one datagram a message."""

import contextlib
import os
import select
import struct
import subprocess
import threading
import time

CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE = range(1, 5)
OBSERVE, URI_PATH, CONTENT_FORMAT, BLOCK2, BLOCK1, SIZE1, WAITING = 6, 11, 12, 23, 27, 60, 2100
PATIENCE_S = 30


def _nibble(value):
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes([value - 13])
    return 14, struct.pack(">H", value - 269)


def encode(method, path="", payload=b"", mid=1, token=b"", kind=CON, options=()):
    """One message; `options` are (number, bytes) besides the path's."""
    parts = [bytes([0x40 | kind << 4 | len(token), method]), struct.pack(">H", mid), token]
    segments = [(URI_PATH, part.encode()) for part in path.split("/")[1:]]
    last = 0
    for number, value in sorted([*segments, *options], key=lambda option: option[0]):
        delta, more_delta = _nibble(number - last)
        length, more_length = _nibble(len(value))
        parts += [bytes([delta << 4 | length]), more_delta, more_length, value]
        last = number
    if payload:
        parts += [b"\xff", payload]
    return b"".join(parts)


class Message:
    """A message taken apart."""

    def __init__(self, data):
        self.kind, size = data[0] >> 4 & 3, data[0] & 15
        self.code = f"{data[1] >> 5}.{data[1] & 31:02d}"
        self.mid, = struct.unpack(">H", data[2:4])
        self.token = data[4:4 + size]
        self.options, self.payload = {}, b""
        number, rest = 0, data[4 + size:]
        while rest:
            if rest[0] == 0xff:
                self.payload = rest[1:]
                break
            delta, length, rest = rest[0] >> 4, rest[0] & 15, rest[1:]
            delta, rest = self._extended(delta, rest)
            length, rest = self._extended(length, rest)
            number += delta
            self.options.setdefault(number, rest[:length])
            rest = rest[length:]

    @staticmethod
    def _extended(nibble, rest):
        if nibble == 13:
            return 13 + rest[0], rest[1:]
        if nibble == 14:
            return 269 + struct.unpack(">H", rest[:2])[0], rest[2:]
        return nibble, rest

    @property
    def waiting(self):
        return self.options.get(WAITING, b"").decode()


class Device:
    """A device's DTLS session. Every write is one record, every read another."""

    def __init__(self, port, who, secret_key, suite="PSK-AES128-CCM8",
                 handshake_s=PATIENCE_S):
        self._mid, self.retransmissions = 0, 0
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-psk_identity",
             who, "-psk", secret_key.hex(), "-cipher", f"{suite}:@SECLEVEL=0", "-brief",
             "-nocommands", "-nbio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self._await_handshake(handshake_s)

    def _await_handshake(self, patience_s):
        """What is written before would go out as one record. Ends too when the client gives up, or
        is made to: by itself it asks for many minutes."""
        giving_up = threading.Timer(patience_s, self.process.kill)
        giving_up.start()
        for line in self.process.stderr:
            if b"ESTABLISHED" in line:
                break
        giving_up.cancel()

    def send(self, data):
        """Nothing is sent when the client has just given up; whoever waits for an answer sees that."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def receive(self, timeout_s=PATIENCE_S):
        """The next message, or None when none comes or the session has ended. What has come at
        once is not told apart: of several messages it is the first one."""
        if not select.select([self.process.stdout], [], [], timeout_s)[0]:
            return None
        data = self.process.stdout.read()
        return Message(data) if data else None

    def ask(self, method, path="", payload=b"", patience_s=PATIENCE_S, again_s=2, **fields):
        """A confirmable request and its answer; asks again as a device does."""
        self._mid += 1
        fields.setdefault("mid", self._mid)
        fields.setdefault("token", struct.pack(">H", fields["mid"]))
        data = encode(method, path, payload, **fields)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and self.process.poll() is None:
            self.send(data)
            until = time.monotonic() + again_s
            while (left := until - time.monotonic()) > 0:
                answer = self.receive(left)
                if answer and answer.mid == fields["mid"]:
                    return answer
                if self.process.poll() is not None:
                    return None
            self.retransmissions += 1
        return None

    def get(self, path, **fields):
        return self.ask(GET, path, **fields)

    def post(self, path, payload, **fields):
        return self.ask(POST, path, payload, **fields)

    def close(self):
        """Says goodbye and ends."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        self.process.stderr.close()
