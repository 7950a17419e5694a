"""MQTT 3.1.1 packets, written from the specification and from nothing of the program under test.

A packet is a dict: {"type": "publish", "topic": ..., ...}. encode() makes bytes of one, decode()
takes one off the front of bytes. Payloads are text where they are UTF-8, else {"hex": ...}.
"""

import struct

TYPES = {"connect": 1, "connack": 2, "publish": 3, "puback": 4, "pubrec": 5, "pubrel": 6,
         "pubcomp": 7, "subscribe": 8, "suback": 9, "unsubscribe": 10, "unsuback": 11,
         "pingreq": 12, "pingresp": 13, "disconnect": 14}
NAMES = {number: name for name, number in TYPES.items()}
RESERVED_FLAGS = {"pubrel": 2, "subscribe": 2, "unsubscribe": 2}  # 2.2.2


class Malformed(Exception):
    """What came is not MQTT."""


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("!H", len(data)) + data


def payload_bytes(value):
    if isinstance(value, dict):
        if "hex" in value:
            return bytes.fromhex(value["hex"])
        return value["repeat"].encode() * value["times"]
    return value.encode()


def remaining_length(length):
    out = bytearray()
    while True:
        length, digit = divmod(length, 128)
        out.append(digit | (128 if length else 0))
        if not length:
            return bytes(out)


def frame(name, flags, body):
    return bytes([TYPES[name] << 4 | flags]) + remaining_length(len(body)) + body


def _connect(packet):
    will = packet.get("will")
    flags = 2 if packet.get("clean", True) else 0
    body = b""
    if will:
        flags |= 4 | will.get("qos", 0) << 3 | (32 if will.get("retain") else 0)
        body += text(will["topic"]) + text(will["payload"])
    if packet.get("username") is not None:
        flags |= 128
        body += text(packet["username"])
    if packet.get("password") is not None:
        flags |= 64
        body += text(packet["password"])
    head = text(packet.get("protocol", "MQTT")) + bytes([packet.get("level", 4), flags])
    head += struct.pack("!H", packet.get("keepalive", 60)) + text(packet.get("clientId", ""))
    return frame("connect", packet.get("flags", 0), head + body)


def _publish(packet):
    qos = packet.get("qos", 0)
    flags = qos << 1 | (8 if packet.get("dup") else 0) | (1 if packet.get("retain") else 0)
    body = text(packet["topic"])
    if qos:
        body += struct.pack("!H", packet["id"])
    return frame("publish", flags, body + payload_bytes(packet.get("payload", "")))


def _filters(name, packet):
    body = struct.pack("!H", packet["id"])
    for entry in packet["filters"]:
        if name == "subscribe":
            body += text(entry[0]) + bytes([entry[1]])
        else:
            body += text(entry)
    return frame(name, 2, body)


def encode(packet):
    name = packet["type"]
    if name == "connect":
        return _connect(packet)
    if name == "publish":
        return _publish(packet)
    if name in ("subscribe", "unsubscribe"):
        return _filters(name, packet)
    body = struct.pack("!H", packet["id"]) if "id" in packet else b""
    return frame(name, RESERVED_FLAGS.get(name, 0), body)


def take(data):
    """(type and flags byte, body, rest), or None when the packet is not complete yet."""
    length, shift, at = 0, 0, 1
    while True:
        if at >= len(data):
            return None
        length |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 128:
            break
        if shift > 21:
            raise Malformed("remaining length of more than four bytes")
    if len(data) < at + length:
        return None
    return data[0], data[at:at + length], data[at + length:]


def _payload(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"hex": data.hex()}


def decode(first, body):
    """A packet as a server sends them."""
    name, flags = NAMES.get(first >> 4), first & 15
    if name == "publish":
        qos, length = flags >> 1 & 3, struct.unpack_from("!H", body)[0]
        packet = {"type": name, "topic": body[2:2 + length].decode(), "qos": qos,
                  "dup": bool(flags & 8), "retain": bool(flags & 1)}
        at = 2 + length
        if qos:
            packet["id"] = struct.unpack_from("!H", body, at)[0]
            at += 2
        packet["payload"] = _payload(body[at:])
        return packet
    if flags:
        raise Malformed(f"{name} with flags {flags}")
    if name == "connack":
        return {"type": name, "sessionPresent": bool(body[0]), "code": body[1]}
    if name == "suback":
        return {"type": name, "id": struct.unpack_from("!H", body)[0], "codes": list(body[2:])}
    if name in ("puback", "unsuback"):
        return {"type": name, "id": struct.unpack("!H", body)[0]}
    if name == "pingresp" and not body:
        return {"type": name}
    raise Malformed(f"a server does not send {name}")
