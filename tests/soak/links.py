"""One connection of a device: MQTT packets over TCP, TLS, TLS with a pre-shared key, WebSocket.

A connection is a pile of layers, the one next to the wire first. A layer takes what comes from
below (feed), and what goes down (seal), and has bytes for below (out); it is `shaken` when it
carries."""

import asyncio
import base64
import hashlib
import socket
import ssl
import struct

import dtls
import packets
import websocket

PATIENCE_S = 30          # for a handshake
RST = struct.pack("ii", 1, 0)


class Broken(Exception):
    """What came is not what the layer speaks."""


class Tls:
    """With certificates, by Python's ssl; `session` is that of the time before."""

    def __init__(self, context, session=None):
        self._in, self._out, self._waits = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="localhost",
                                     session=session)
        self.shaken = False

    def feed(self, data):
        self._in.write(data)
        clear = b""
        try:
            if not self.shaken:
                self._tls.do_handshake()
                self.shaken = True
                if self._waits:
                    self._tls.write(self._waits)
            while more := self._tls.read(65536):
                clear += more
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError as error:
            raise Broken(str(error)) from error
        return clear

    def seal(self, clear):
        if self.shaken:
            self._tls.write(clear)
        else:
            self._waits += clear

    def out(self):
        return self._out.read()

    def session(self):
        return self._tls.session

    def free(self):
        pass


class Psk:
    """With a pre-shared key, which Python's ssl has not before 3.13: OpenSSL's own library."""

    def __init__(self, identity, key):
        self._channel, self._waits = dtls.Stream(identity, key), b""
        self.shaken = False

    def feed(self, data):
        try:
            self._channel.put(data)
            if not self.shaken and self._channel.shake_hands():
                self.shaken = True
                if self._waits:
                    self._channel.write(self._waits)
            return self._channel.read() if self.shaken else b""
        except dtls.Ended as why:
            raise Broken(str(why)) from why

    def seal(self, clear):
        if self.shaken:
            self._channel.write(clear)
        else:
            self._waits += clear

    def out(self):
        return self._channel.take()

    def free(self):
        self._channel.free()


class WebSocket:
    """RFC 6455, as a client that trusts its server to be one."""

    _ANSWER = base64.b64encode(hashlib.sha1(websocket.KEY.encode() + websocket.ANSWER_TO).digest())

    def __init__(self):
        self._out, self._data, self.shaken = websocket.request(), b"", False

    def feed(self, data):
        self._data += data
        if not self.shaken:
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return b""
            if b" 101 " not in head or self._ANSWER not in head:
                raise Broken(f"no WebSocket: {head!r}")
            self.shaken, self._data = True, rest
        clear = b""
        while frame := self._frame():
            opcode, payload = frame
            if opcode == websocket.PING:
                self._out += websocket.frame(payload, websocket.PONG)
            elif opcode == websocket.CLOSE:
                raise Broken("closed by the server's WebSocket")
            elif opcode in (websocket.BINARY, websocket.CONTINUATION):
                clear += payload
        return clear

    def _frame(self):
        data, at = self._data, 2
        if len(data) < 2:
            return None
        size = data[1]
        if size in (126, 127):
            at = 4 if size == 126 else 10
            if len(data) < at:
                return None
            size = int.from_bytes(data[2:at], "big")
        if len(data) < at + size:
            return None
        self._data = data[at + size:]
        return data[0] & 15, data[at:at + size]

    def seal(self, clear):
        self._out += websocket.frame(clear)

    def out(self):
        out, self._out = self._out, b""
        return out

    def free(self):
        pass


class Link(asyncio.Protocol):
    """`on_packet` gets each packet that came, decoded; `on_lost` says once that it is over."""

    def __init__(self, layers, on_packet, on_lost):
        self.layers, self._on_packet, self._on_lost = layers, on_packet, on_lost
        self._data, self.transport = b"", None
        self.ready = asyncio.get_running_loop().create_future()
        self.deaf = False        # whoever was behind it is gone without a word
        self.left = False        # its end is no surprise
        self.why = ""            # it is over

    # ---- asyncio's side ----

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data_received(b"")

    def data_received(self, data):
        if self.deaf:
            return
        try:
            for layer in self.layers:
                data = layer.feed(data)
            self._flush()
            if not self.ready.done() and all(layer.shaken for layer in self.layers):
                self.ready.set_result(True)
            self._data += data
            while self._data and (taken := packets.take(self._data)):
                first, body, self._data = taken
                self._on_packet(packets.decode(first, body))
        except (Broken, packets.Malformed) as why:
            self.why = str(why)
            self.transport.abort()

    def connection_lost(self, why):
        self.why = self.why or (repr(why) if why else "closed by the server")
        for layer in self.layers:
            layer.free()
        self.layers = []
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(self.why))
            self.ready.exception()
        self._on_lost(self)

    def _flush(self):
        below = b""
        for layer in reversed(self.layers):
            if below:
                layer.seal(below)
            below = layer.out()
        if below:
            self.transport.write(below)

    # ---- the device's side ----

    @property
    def over(self):
        return self.transport is None or self.transport.is_closing()

    def send(self, **packet):
        if self.over or self.deaf:
            return
        data = packets.encode(packet)
        if self.layers:
            self.layers[-1].seal(data)
            self._flush()
        else:
            self.transport.write(data)

    def close(self):
        """FIN, behind what was sent."""
        self.transport.close()

    def reset(self):
        """RST: what is on its way is lost."""
        sock = self.transport.get_extra_info("socket")
        if not self.over:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        self.transport.abort()

    def fall_silent(self):
        """Nothing is heard or said any more; the connection stands, as far as the server knows."""
        self.deaf = True
        self.transport.pause_reading()


async def open_link(port, layers, on_packet, on_lost):
    """Up to where MQTT can be spoken. OSError, ConnectionError, asyncio.TimeoutError."""
    loop = asyncio.get_running_loop()
    link = Link(layers, on_packet, on_lost)
    await asyncio.wait_for(loop.create_connection(lambda: link, "127.0.0.1", port), PATIENCE_S)
    try:
        await asyncio.wait_for(link.ready, PATIENCE_S)
    except asyncio.TimeoutError:
        link.reset()
        raise
    return link
