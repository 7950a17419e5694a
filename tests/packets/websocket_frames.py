"""WebSocket by RFC 6455: handshakes (§4.2), frames (§5), and MQTT within (MQTT 3.1.1 §6)."""

import struct

import mqtt_packets as mqtt
import websocket
from cases import heads, once

LISTENER = "https"
UPGRADE = websocket.request()
NAMES = {"$upgrade": UPGRADE, "$login": websocket.frame(mqtt.connect())}
SWITCHING = b"HTTP/1.1 101 "
WELCOME = b"\x82\x04" + mqtt.WELCOME
ALIVE = (websocket.frame(mqtt.PING), b"\x82\x02" + mqtt.PONG)
PROTOCOL_ERROR, NOT_BINARY, TOO_BIG = 1002, 1003, 1009


def framed(title, source, *exchanges, closes=None):
    """Frames behind a handshake. `closes` are the codes with which the connection may be failed."""
    steps = [{"send": "$upgrade"}, {"begins": SWITCHING.hex(), "until": b"\r\n\r\n".hex()}]
    for sent, answer in exchanges:
        steps.append({"send": sent if isinstance(sent, str) else sent.hex()})
        if answer:
            steps.append({"recv": answer.hex()})
    if closes is not None:
        steps.append({"fails": [(b"\x88\x02" + struct.pack("!H", code)).hex() for code in closes]})
    return {"title": title, "source": source, "listener": LISTENER, "steps": steps}


LOGIN = ("$login", WELCOME)


def first_bytes():
    """§5.2: FIN, three reserved bits and an opcode, each of the 256, with an empty payload."""
    for first in range(256):
        final, bits, opcode = first >> 7, first & 0x70, first & 15
        sent = bytes([first, 0x80]) + b"\x11\x22\x33\x44"
        title = f"the first byte {first:08b}"
        known = opcode in (0, 1, 2, 8, 9, 10)
        if bits or not known or (opcode >= 8 and not final):
            yield framed(title, "RFC 6455 §5.2, 5.5", LOGIN, (sent, b""), closes=[PROTOCOL_ERROR])
        elif opcode == 0:
            yield framed(title + ", which goes on with nothing", "RFC 6455 §5.4", LOGIN, (sent, b""),
                         closes=[PROTOCOL_ERROR])
        elif opcode == 9:
            yield framed(title, "RFC 6455 §5.5.2", LOGIN, (sent, b"\x8a\x00"), ALIVE)
        elif opcode in (2, 10) and final:
            yield framed(title, "RFC 6455 §5.5.3, 5.6", LOGIN, (sent, b""), ALIVE)


def unmasked():
    """§5.1: a client's frames are masked."""
    for opcode in (0, 1, 2, 8, 9, 10):
        for payload in (b"", b"\xc0\x00", b"x" * 125):
            if opcode == 8 and payload:
                continue
            yield framed(f"opcode {opcode}, {len(payload)} bytes without a mask",
                         "RFC 6455 §5.1", LOGIN,
                         (websocket.frame(payload, opcode=opcode, mask=b""), b""),
                         closes=[PROTOCOL_ERROR, *([NOT_BINARY] if opcode == 1 else [])])


def pings():
    """§5.5.2: a Pong has the data of its Ping; 125 bytes at the most."""
    for size in (1, 2, 3, 4, 5, 31, 63, 64, 100, 124, 125):
        data = bytes(range(size))
        for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x80\x7f\xfe"):
            yield framed(f"a Ping of {size} bytes, mask {mask.hex()}", "RFC 6455 §5.3, 5.5.2", LOGIN,
                         (websocket.frame(data, opcode=9, mask=mask), bytes([0x8a, size]) + data), ALIVE)
    for opcode in (8, 9, 10):
        for size in (126, 127, 1000, 65535, 65536):
            yield framed(f"a control frame, opcode {opcode}, of {size} bytes", "RFC 6455 §5.5", LOGIN,
                         (websocket.frame(bytes(size), opcode=opcode)[:200], b""),
                         closes=[PROTOCOL_ERROR])


def lengths():
    """§5.2: seven bits, sixteen or sixty-four, whose first is 0."""
    for size in (0, 1, 2, 100, 125, 126, 127, 128, 255, 256, 1000, 4096, 10000, 65535, 65536, 70000):
        body = mqtt.packet_of(0x32, mqtt.packets.text(mqtt.TOPIC) + b"\0\5" + b"x" * size)
        yield framed(f"a message of {len(body)} bytes in one frame", "RFC 6455 §5.2", LOGIN,
                     (websocket.frame(body), b"\x82\x04\x40\x02\x00\x05"), ALIVE)
        for pieces in (2, 3):
            if len(body) > 1000:
                continue
            cut = len(body) // pieces
            sent = websocket.frame(body[:cut], final=False)
            for at in range(1, pieces - 1):
                sent += websocket.frame(body[cut * at:cut * (at + 1)], opcode=0, final=False)
            sent += websocket.frame(body[cut * (pieces - 1):], opcode=0)
            yield framed(f"a message of {len(body)} bytes in {pieces} frames", "RFC 6455 §5.4", LOGIN,
                         (sent, b"\x82\x04\x40\x02\x00\x05"), ALIVE)
    for first in (0x80, 0xff, 0xc0):
        sent = b"\x82\xff" + bytes([first]) + bytes(7) + b"\x11\x22\x33\x44"
        yield framed(f"a length of sixty-four bits that begins with {first:02x}", "RFC 6455 §5.2", LOGIN,
                     (sent, b""), closes=[PROTOCOL_ERROR, TOO_BIG])


def closes():
    """§5.5.1, 7.4: a Close is answered with its code; codes that may not be sent fail it."""
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        data = struct.pack("!H", code)
        yield framed(f"a Close with code {code}", "RFC 6455 §5.5.1, 7.4", LOGIN,
                     (websocket.frame(data, opcode=8), b""), closes=[code])


def interleaved():
    """§5.4: control frames may stand between the fragments of a message, and nothing else may."""
    body = mqtt.packet_of(0x32, mqtt.packets.text(mqtt.TOPIC) + b"\0\5{}")
    for cut in range(0, len(body), 3):
        head, tail = websocket.frame(body[:cut], final=False), websocket.frame(body[cut:], opcode=0)
        ping = websocket.frame(b"?", opcode=9)
        yield framed(f"a Ping between fragments, after {cut} bytes", "RFC 6455 §5.4", LOGIN,
                     (head + ping, b"\x8a\x01?"), (tail, b"\x82\x04\x40\x02\x00\x05"), ALIVE)
        for opcode in (1, 2):
            yield framed(f"a new message, opcode {opcode}, within one, after {cut} bytes",
                         "RFC 6455 §5.4", LOGIN,
                         (head + websocket.frame(body[cut:], opcode=opcode), b""),
                         closes=[PROTOCOL_ERROR, *([NOT_BINARY] if opcode == 1 else [])])


def mqtt_within():
    """MQTT 3.1.1 §6: binary frames only; packets and frames have nothing to do with each other."""
    yield framed("a text frame ends it", "MQTT 3.1.1 §6 [MQTT-6.0.0-1]", LOGIN,
                 (websocket.frame(mqtt.PING, opcode=1), b""), closes=[NOT_BINARY])
    for count in (2, 3, 10):
        yield framed(f"{count} packets in one frame", "MQTT 3.1.1 §6 [MQTT-6.0.0-2]", LOGIN,
                     (websocket.frame(mqtt.PING * count), b"\x82" + bytes([2 * count]) + mqtt.PONG * count))
    connect = mqtt.connect()
    for cut in range(1, len(connect), 7):
        yield framed(f"a CONNECT in two messages, after {cut} bytes", "MQTT 3.1.1 §6 [MQTT-6.0.0-2]",
                     (websocket.frame(connect[:cut]) + websocket.frame(connect[cut:]), WELCOME), ALIVE)
        yield framed(f"a CONNECT in two frames, after {cut} bytes", "RFC 6455 §5.4",
                     (websocket.frame(connect[:cut], final=False) +
                      websocket.frame(connect[cut:], opcode=0), WELCOME), ALIVE)


def handshakes():
    """§4.2.1: what an opening handshake has; the subprotocol is mqtt (MQTT 3.1.1 §6)."""
    good = UPGRADE
    def without(name):
        return b"\r\n".join(line for line in good.split(b"\r\n")
                            if not line.lower().startswith(name.lower() + b":"))
    yield heads("an opening handshake", "RFC 6455 §4.2.2", good, SWITCHING, LISTENER)
    for name in (b"Host", b"Upgrade", b"Connection", b"Sec-WebSocket-Key", b"Sec-WebSocket-Version"):
        yield heads(f"a handshake without {name.decode()}", "RFC 6455 §4.2.1", without(name),
                    b"HTTP/1.1 4", LISTENER)
    for old, new in ((b"websocket", b"WebSocket"), (b"websocket", b"WEBSOCKET"),
                     (b"keep-alive, Upgrade", b"Upgrade"), (b"keep-alive, Upgrade", b"upgrade"),
                     (b"keep-alive, Upgrade", b"UPGRADE, keep-alive"), (b"/mqtt", b"/"),
                     (b"/mqtt", b"/any/path?x=y"), (b"Protocol: mqtt", b"Protocol: mqtt, other"),
                     (b"Host: ", b"X-Unknown: a\r\nHost: ")):
        yield heads(f"a handshake with '{new.decode()}'", "RFC 6455 §4.2.1", good.replace(old, new),
                    SWITCHING, LISTENER)
    offer = good.replace(b"Host: ", b"Sec-WebSocket-Extensions: permessage-deflate\r\nHost: ")
    yield heads("a handshake that offers an extension", "RFC 6455 §4.2.2, 5.8", offer, SWITCHING, LISTENER)
    for old, new in ((b"Version: 13", b"Version: 12"), (b"Version: 13", b"Version: 8"),
                     (b"Version: 13", b"Version: 0"), (b"Version: 13", b"Version: 14"),
                     (b"Version: 13", b"Version: 113"), (b"Version: 13", b"Version: x"),
                     (b"GET ", b"POST "), (b"HTTP/1.1", b"HTTP/1.0")):
        yield heads(f"a handshake with '{new.decode().strip()}'", "RFC 6455 §4.2.1",
                    good.replace(old, new), b"HTTP/1.1 4", LISTENER)


TABLES = (first_bytes, unmasked, pings, lengths, closes, interleaved, mqtt_within, handshakes)


def cases():
    return once(each for table in TABLES for each in table())
