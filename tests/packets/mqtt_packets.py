"""MQTT 3.1.1 by its tables: fixed headers, connect flags, levels, lengths, strings, filters."""

import struct

import packets
from cases import case, once
from credentials import login

SPEC = "MQTT 3.1.1 §"
DEVICE = "aliyun/pk/device"
TOPIC = "/pk/device/user/update"  # a device may publish here
FILTER = "/pk/device/user/get"    # and subscribe to this
WELCOME = bytes.fromhex("20020000")
PING, PONG = bytes.fromhex("c000"), bytes.fromhex("d000")
TLS_HANDSHAKE = 0x16  # the listener speaks TLS to whoever begins with this byte

TYPES = {0: "reserved", 1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 5: "PUBREC",
         6: "PUBREL", 7: "PUBCOMP", 8: "SUBSCRIBE", 9: "SUBACK", 10: "UNSUBSCRIBE",
         11: "UNSUBACK", 12: "PINGREQ", 13: "PINGRESP", 14: "DISCONNECT", 15: "reserved"}

# Table 3-7 of the Unicode standard, turned around: sequences that are not well formed, and U+0000.
ILL_FORMED = {
    "a lone continuation byte": "80", "the last continuation byte alone": "bf",
    "two of a three-byte character": "e282", "one of a two-byte character": "c3",
    "three of a four-byte character": "f09f98", "C0, which begins nothing": "c080",
    "C1, which begins nothing": "c1bf", "an overlong slash of two": "c0af",
    "an overlong slash of three": "e080af", "an overlong slash of four": "f08080af",
    "an overlong of three, its last": "e09fbf", "an overlong of four, its last": "f08fbfbf",
    "the first surrogate": "eda080", "the last high surrogate": "edafbf",
    "the first low surrogate": "edb080", "the last surrogate": "edbfbf",
    "a pair of surrogates": "eda0bdedb880", "above U+10FFFF": "f4908080",
    "F5, which begins nothing": "f5808080", "F8, a five-byte form": "f888808080",
    "FC, a six-byte form": "fc8480808080", "FE": "fe", "FF": "ff",
    "a character cut by another": "e28261", "a letter within two": "c361",
    "two starts": "c3c3a4", "U+0000": "00", "U+0000 between letters": "610062",
    "U+0000 at the end": "6100",
}
WELL_FORMED = {
    "U+0001": "01", "U+007F": "7f", "U+0080": "c280", "U+07FF": "dfbf", "U+0800": "e0a080",
    "before the surrogates": "ed9fbf", "behind the surrogates": "ee8080", "U+FEFF": "efbbbf",
    "U+FFFD": "efbfbd", "U+FFFF": "efbfbf", "U+10000": "f0908080", "U+10FFFF": "f48fbfbf",
    "Chinese": "e4b8ade69687", "a smiling face": "f09f9880",
}


def connect(name=DEVICE, **fields):
    return packets.encode({"type": "connect", **login(name), **fields})


NAMES = {"$login": connect()}


def after_login(title, source, sent, answered):
    """What a device that was let in says, and what becomes of it. Where the connection lives on, a
    PINGREQ shows that nothing else was said."""
    exchanges = [("$login", WELCOME), (sent, answered)]
    if answered is not None and not isinstance(answered, tuple):
        exchanges.append((PING, PONG))
    return case(title, source, *exchanges)


def packet_of(first, body):
    return bytes([first]) + packets.remaining_length(len(body)) + body


def subscribe_body(*filters, number=7):
    return struct.pack("!H", number) + b"".join(packets.text(each) + bytes([qos])
                                                for each, qos in filters)


def first_packets():
    """3.1: the first packet is CONNECT; everything else ends the connection without a word."""
    for first in range(256):
        if first != TLS_HANDSHAKE:
            yield case(f"first comes {TYPES[first >> 4]} with flags {first & 15:04b} and no body",
                       SPEC + "3.1 [MQTT-3.1.0-1], 2.2", (bytes([first, 0]), None))


def fixed_headers():
    """Tables 2.1 and 2.2, for a device that was let in."""
    two = struct.pack("!H", 9)
    fixed = {4: (0, two, b""), 8: (2, subscribe_body((FILTER, 1)), bytes.fromhex("9003000701")),
             10: (2, two + packets.text(FILTER), bytes.fromhex("b0020009")),
             12: (0, b"", PONG), 14: (0, b"", None)}
    bodies = {1: packets.take(connect())[1], 2: b"\0\0", 5: two, 6: two, 7: two, 9: two + b"\1", 11: two}
    for first in range(256):
        kind, flags = first >> 4, first & 15
        title = f"{TYPES[kind]} with flags {flags:04b}"
        if kind == 3:
            yield after_login(title, SPEC + "3.3.1", *publish_with(flags))
        elif kind in fixed:
            right, body, answer = fixed[kind]
            yield after_login(title, SPEC + "2.2.2", packet_of(first, body),
                              answer if flags == right else None)
        elif kind in (5, 6, 7) and flags == (2 if kind == 6 else 0):
            continue  # of QoS 2, which the clouds do not have: the specification says nothing
        else:
            yield after_login(title, SPEC + "2.2", packet_of(first, bodies.get(kind, b"")), None)


def publish_with(flags):
    """3.3.1, and of the clouds that QoS 2 is not to be had."""
    qos = flags >> 1 & 3
    body = packets.text(TOPIC) + (struct.pack("!H", 5) if qos else b"") + b"{}"
    good = qos == 1 or (qos == 0 and not flags & 8)
    answer = bytes.fromhex("40020005") if qos == 1 else b""
    return packet_of(0x30 | flags, body), answer if good else None


def protocol_levels():
    """3.1.2.2: an unacceptable level is answered with 1, then the connection is closed."""
    for name, accepted in (("MQTT", 4), ("MQIsdp", 3)):
        for level in range(256):
            if (name, level) == ("MQIsdp", 3):
                continue  # MQTT 3.1 itself: what becomes of it is the cloud's to say
            answer = WELCOME if level == accepted else (bytes.fromhex("20020001"), None)
            yield case(f"{name} with level {level}", SPEC + "3.1.2.2 [MQTT-3.1.2-2]",
                       (connect(protocol=name, level=level), answer))


def protocol_names():
    for name in (b"", b"M", b"MQT", b"MQTTT", b"mqtt", b"Mqtt", b"MQTt", b"MQTT\0", b" MQTT", b"MQTT ",
                 b"MQIsd", b"MQIsdpp", b"mqisdp", b"HTTP", b"\xef\xbb\xbfMQTT", b"MQTX", b"TTQM"):
        yield case(f"the protocol name {name!r}", SPEC + "3.1.2.1 [MQTT-3.1.2-1]",
                   (connect(protocol=name), None))


def connect_flags():
    """3.1.2.3 to 3.1.2.9, each of the 256 values with the fields that it announces. A will is refused
    with 5 by the clouds; who names no user is a stranger."""
    fields = login(DEVICE)
    for flags in range(256):
        will, user, password = flags & 4, flags & 128, flags & 64
        body = packets.text("MQTT") + bytes([4, flags]) + struct.pack("!H", 60)
        body += packets.text(fields["clientId"])
        body += packets.text("will") + packets.text("gone") if will else b""
        body += packets.text(fields["username"]) if user else b""
        body += packets.text(fields["password"]) if password else b""
        malformed = flags & 1 or (not will and flags & 56) or flags & 24 == 24 or \
            (password and not user)
        if not malformed and not (user and password):
            continue  # a login without credentials: the cloud says which code, not this table
        refused = (bytes.fromhex("20020005"), None)
        answer = None if malformed else refused if will else WELCOME
        yield case(f"connect flags {flags:08b}", SPEC + "3.1.2.3", (packet_of(0x10, body), answer))


def keepalives():
    """The clouds take 60 to 300 seconds, and refuse what is outside with code 2."""
    for name in (DEVICE, "tencent/PROD123456/dev001"):
        for seconds in (0, 1, 2, 29, 30, 31, 58, 59, 60, 61, 90, 119, 120, 121, 180, 240, 299, 300, 301,
                        302, 600, 900, 901, 1199, 1200, 1201, 3600, 32767, 32768, 65534, 65535):
            good = 60 <= seconds <= 300
            yield case(f"{name}: a keepalive of {seconds} s", SPEC + "3.1.2.10; seed 000, 001",
                       (connect(name, keepalive=seconds),
                        WELCOME if good else (bytes.fromhex("20020002"), None)))


def cut(title, source, whole):
    """Every length below the whole one: a field is cut short."""
    first, (_, body, _) = whole[0], packets.take(whole)
    for length in range(len(body)):
        yield title.format(length), source, packet_of(first, body[:length])


def cut_packets():
    """2.2.3: a remaining length that ends within a field."""
    for title, source, sent in cut("CONNECT cut at byte {}", SPEC + "2.2.3, 3.1", connect()):
        yield case(title, source, (sent, None))
    long_filters = packet_of(0x82, subscribe_body((FILTER, 1), ("/pk/device/user/+", 0)))
    whole_ones = {2 + 3 + len(FILTER)}
    for title, source, sent in cut("SUBSCRIBE cut at byte {}", SPEC + "2.2.3, 3.8", long_filters):
        whole = packets.take(sent)[1] and len(packets.take(sent)[1]) in whole_ones
        yield after_login(title, source, sent, bytes.fromhex("9003000701") if whole else None)
    unsubscribe = packet_of(0xa2, struct.pack("!H", 7) + packets.text(FILTER))
    for title, source, sent in cut("UNSUBSCRIBE cut at byte {}", SPEC + "2.2.3, 3.10", unsubscribe):
        yield after_login(title, source, sent, None)
    head = packet_of(0x32, packets.text(TOPIC) + struct.pack("!H", 5))
    for title, source, sent in cut("PUBLISH cut at byte {}", SPEC + "2.2.3, 3.3", head):
        yield after_login(title, source, sent, None)
    for length in (0, 1):
        yield after_login(f"PUBACK of {length} bytes", SPEC + "3.4", packet_of(0x40, bytes(length)), None)


def trailing_bytes():
    """Nothing follows the last field of a packet."""
    for count in (1, 2, 3, 127):
        yield case(f"CONNECT with {count} bytes too many", SPEC + "3.1.3",
                   (packet_of(0x10, packets.take(connect())[1] + bytes(count)), None))
        for first, body in ((0xc0, b""), (0xe0, b""), (0x40, struct.pack("!H", 5))):
            yield after_login(f"{TYPES[first >> 4]} with {count} bytes too many", SPEC + "2.2.3",
                              packet_of(first, body + bytes(count)), None)


def remaining_lengths():
    """Table 2.4 and what lies beyond it: a fifth byte, and more than any packet here may have."""
    for digits in ("ffffffff", "80808080", "ffffff80", "818181ff", "80ff80ff"):
        yield case(f"the length {digits} of a first packet announces a fifth byte", SPEC + "2.2.3",
                   (bytes.fromhex("10" + digits + "01"), None))
        for first in (0x30, 0x40, 0x82, 0xa2, 0xc0, 0xe0):
            yield after_login(f"{TYPES[first >> 4]}: the length {digits} announces a fifth byte",
                              SPEC + "2.2.3", bytes([first]) + bytes.fromhex(digits + "01"), None)
    for size in (1, 2, 3, 4, 5, 63, 64, 127, 128, 129, 255, 256, 1000, 16383, 16384, 16385, 65535, 65536):
        payload = b"x" * size
        body = packets.text(TOPIC) + struct.pack("!H", 5) + payload
        yield after_login(f"PUBLISH with a remaining length of {len(body)}", SPEC + "2.2.3 table 2.4",
                          packet_of(0x32, body), bytes.fromhex("40020005"))


def strings():
    """1.5.3, in each field that is text."""
    for what, hexes in ILL_FORMED.items():
        text = bytes.fromhex(hexes)
        for field in ("clientId", "username"):
            yield case(f"the {field} of CONNECT has {what}", SPEC + "1.5.3 [MQTT-1.5.3-1]",
                       (connect(**{field: login(DEVICE)[field].encode() + text}), None))
        yield case(f"the will topic has {what}", SPEC + "3.1.3.2 [MQTT-3.1.3-10]",
                   (connect(will={"topic": b"a" + text, "payload": b""}), None))
        for place, around in (("begins with", (b"", b"/a")), ("ends with", (b"/a/", b"")),
                              ("has within", (b"/a", b"b"))):
            topic = around[0] + text + around[1]
            if place != "ends with" and what.startswith(("two of", "one of", "three of")):
                continue
            yield after_login(f"a topic {place} {what}", SPEC + "3.3.2.1 [MQTT-3.3.2-1]",
                              packet_of(0x30, packets.text(topic) + b"{}"), None)
            yield after_login(f"a filter {place} {what}", SPEC + "3.8.3 [MQTT-3.8.3-1]",
                              packet_of(0x82, subscribe_body((topic, 0))), None)
            yield after_login(f"an UNSUBSCRIBE's filter {place} {what}",
                              SPEC + "3.10.3 [MQTT-3.10.3-1]",
                              packet_of(0xa2, b"\0\7" + packets.text(topic)), None)
    for what, hexes in WELL_FORMED.items():
        topic = b"/elsewhere/" + bytes.fromhex(hexes)
        yield after_login(f"a filter with {what} is well formed, and no right of the device",
                          SPEC + "1.5.3", packet_of(0x82, subscribe_body((topic, 0))),
                          bytes.fromhex("9003000780"))
        yield after_login(f"a topic with {what} is well formed", SPEC + "1.5.3",
                          packet_of(0x32, packets.text(topic) + b"\0\5{}"), bytes.fromhex("40020005"))
        yield after_login(f"an UNSUBSCRIBE's filter with {what} is well formed", SPEC + "1.5.3",
                          packet_of(0xa2, b"\0\7" + packets.text(topic)), bytes.fromhex("b0020007"))


def wildcards():
    """4.7.1: where # and + may stand in a filter, and that a topic has neither."""
    for bad in ("a#", "#a", "a/b#", "#/", "#/a", "a/#/b", "##", "#/#", "a/##", "+a", "a+", "a/+b",
                "a/b+", "++", "a/++", "+#", "a/+#", "a/#+", "/#/", "/+a/", "a/+b/#", "$share/#/",
                "/a/#b/c", "/+/+/+b", "+/a#", "#+", "a/b/c#/d", "/sys/#/thing", "+/+/#/+"):
        for first, body in ((0x82, subscribe_body((bad, 0))),
                            (0x82, subscribe_body((FILTER, 1), (bad, 1))),
                            (0xa2, b"\0\7" + packets.text(bad))):
            many = "the second filter" if len(body) > len(bad) + 6 else "the filter"
            yield after_login(f"{TYPES[first >> 4]}: {many} {bad}",
                              SPEC + "4.7.1 [MQTT-4.7.1-2], [MQTT-4.7.1-3]", packet_of(first, body), None)
    for good in ("#", "+", "/#", "/+", "+/#", "+/+", "a/#", "a/+/b", "+/a/#", "/+/", "//", "/",
                 "$SYS/#", "a//b", "+//+", "a/+", "/a/+/#"):
        yield after_login(f"the filter {good} is well formed, and no right of the device",
                          SPEC + "4.7.1", packet_of(0x82, subscribe_body((good, 0))),
                          bytes.fromhex("9003000780"))
        yield after_login(f"UNSUBSCRIBE from {good}, which nobody subscribed to",
                          SPEC + "3.10.4 [MQTT-3.10.4-5]",
                          packet_of(0xa2, b"\0\7" + packets.text(good)), bytes.fromhex("b0020007"))
    for bad in ("", "#", "+", "a/#", "a/+", "+/b", "/pk/device/user/+", "/pk/device/user/#", "a+b", "a#b",
                "/pk/+/user/update", "#/", "++"):
        for qos in (0, 1):
            number = b"\0\5" if qos else b""
            yield after_login(f"PUBLISH with QoS {qos} to the topic '{bad}'",
                              SPEC + "3.3.2.1 [MQTT-3.3.2-2], 4.7.3 [MQTT-4.7.3-1]",
                              packet_of(0x30 | qos << 1, packets.text(bad) + number + b"{}"), None)


def requested_qos():
    """3.8.3.1 and 3.9.3: of the byte behind a filter only two bits are used; 2 is not to be had."""
    granted = {0: b"\0", 1: b"\1", 2: b"\x80"}
    for value in range(256):
        answer = b"\x90\3\0\7" + granted[value] if value in granted else None
        yield after_login(f"SUBSCRIBE with the requested QoS {value}",
                          SPEC + "3.8.3.1 [MQTT-3-8.3-4], 3.9.3",
                          packet_of(0x82, subscribe_body((FILTER, value))), answer)


def packet_identifiers():
    """2.3.1: not 0, and the answer has the same."""
    numbers = [0, *(1 << bit for bit in range(16)), *((1 << bit) - 1 for bit in range(2, 17))]
    for number in sorted(set(numbers)):
        two = struct.pack("!H", number)
        for sent, answer in (
                (packet_of(0x32, packets.text(TOPIC) + two + b"{}"), b"\x40\2" + two),
                (packet_of(0x82, subscribe_body((FILTER, 0), number=number)), b"\x90\3" + two + b"\0"),
                (packet_of(0xa2, two + packets.text(FILTER)), b"\xb0\2" + two)):
            yield after_login(f"{TYPES[sent[0] >> 4]} with the packet identifier {number}",
                              SPEC + "2.3.1 [MQTT-2.3.1-1]", sent, answer if number else None)


def many_filters():
    """3.8.3, 3.10.3: one at least; a return code for each, in their order."""
    yield after_login("SUBSCRIBE without a filter", SPEC + "3.8.3 [MQTT-3.8.3-3]",
                      packet_of(0x82, b"\0\7"), None)
    yield after_login("UNSUBSCRIBE without a filter", SPEC + "3.10.3 [MQTT-3.10.3-2]",
                      packet_of(0xa2, b"\0\7"), None)
    for pattern in ("0", "1", "2", "x", "01", "10", "0x", "x0", "21", "012x", "xxxx", "10x2" * 4,
                    "01" * 20, "x" * 50):
        filters = [(FILTER if each != "x" else "/elsewhere", int(each) if each != "x" else 1)
                   for each in pattern]
        codes = bytes({"0": 0, "1": 1, "2": 0x80, "x": 0x80}[each] for each in pattern)
        body = subscribe_body(*filters)
        yield after_login(f"SUBSCRIBE with {len(pattern)} filters, {pattern[:8]}",
                          SPEC + "3.9.3 [MQTT-3.9.3-1]", packet_of(0x82, body),
                          b"\x90" + packets.remaining_length(2 + len(codes)) + b"\0\7" + codes)


TABLES = (first_packets, fixed_headers, protocol_levels, protocol_names, connect_flags, keepalives,
          cut_packets, trailing_bytes, remaining_lengths, strings, wildcards, requested_qos,
          packet_identifiers, many_filters)


def cases():
    return once(each for table in TABLES for each in table())
