"""Control packets that are no longer well formed, each by one deliberate error.

bad_packets(type, random) yields them without end. What comes out is malformed for certain: a
server that reads it whole must refuse it, whatever it knows of the sender.
"""

import struct

from packets import frame, remaining_length, text

BAD_TEXT = [b"\xff\xfe", b"a\xc0\x80b", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ab\xe2\x82",
            b"nul\x00nul", b"\x00"]
BAD_FILTERS = [b"", b"a/#/b", b"a#", b"a/b+", b"+a/b", b"#/", b"a/+b/#", *BAD_TEXT]
BAD_TOPICS = [b"", b"a/+", b"#", b"a/#", b"+/+", *BAD_TEXT]
OWN_FLAGS = {"pubrel": 2, "subscribe": 2, "unsubscribe": 2}
EMPTY = ("pingreq", "disconnect")
ACKS = ("puback", "pubrec", "pubrel", "pubcomp")
FROM_SERVER = ("connack", "suback", "unsuback", "pingresp")
TYPES = ("connect", "publish", *ACKS, "subscribe", "unsubscribe", *EMPTY, *FROM_SERVER, 0, 15)
HUGE = remaining_length(256 * 1024 * 1024 - 1)
ENDLESS = b"\xff\xff\xff\xff\x01"


def _noise(random, size_max=40):
    return random.randbytes(random.randint(1, size_max))


def _first_byte(name):
    return frame(name, OWN_FLAGS.get(name, 0), b"")[:1]


def _cut(random, body):
    """The body without its end, and a remaining length that agrees."""
    return body[:random.randint(0, len(body) - 1)]


def _any_type(name, random):
    """What can be wrong with the fixed header of every packet."""
    first = bytes([random.choice((0x20, 0x90, 0xb0, 0xd0))]) if name in FROM_SERVER \
        else _first_byte(name)
    return first + random.choice((ENDLESS, HUGE)) + _noise(random)


def _wrong_flags(name, random, body):
    """For the types whose flags are fixed. 0x16 is left out: that byte opens TLS."""
    right = OWN_FLAGS.get(name, 0)
    wrong = [flags for flags in range(16) if flags != right and (name, flags) != ("connect", 6)]
    return frame(name, random.choice(wrong), body)


def _connect(random):
    flags, client = 2, text(b"client")
    protocol, level, tail = text(b"MQTT"), 4, b""
    wrong = random.randrange(11)
    if wrong == 0:
        protocol = text(random.choice((b"MQTX", b"mqtt", b"", b"MQTTMQTT")))
    elif wrong == 1:
        flags |= 1
    elif wrong == 2:
        flags |= random.choice((8, 16, 24, 32))  # will QoS or retain without a will
    elif wrong == 3:
        flags |= 4 | 24
        tail = text(b"will/topic") + text(b"gone")
    elif wrong == 4:
        flags |= 64
        tail = text(b"password, but no user name")
    elif wrong == 5:
        flags |= random.choice((128, 192, 4, 4 | 128))  # fields that do not follow
    elif wrong == 6:
        client = text(random.choice(BAD_TEXT))
    elif wrong == 7:
        flags |= 128
        tail = text(random.choice(BAD_TEXT))
    elif wrong == 8:
        tail = _noise(random)
    elif wrong == 9:
        client = struct.pack("!H", random.randint(7, 65535)) + b"client"
    head = protocol + bytes([level, flags]) + struct.pack("!H", 60)
    body = head + client + tail
    if wrong == 10:
        body = _cut(random, body)
    return frame("connect", 0, body)


def _publish(random):
    topic, packet_id = text(b"/crowd/device/echo"), struct.pack("!H", random.randint(1, 65535))
    wrong = random.randrange(6)
    if wrong == 0:
        return frame("publish", 6 | random.choice((0, 1, 8, 9)), topic + packet_id + b"payload")
    if wrong == 1:
        return frame("publish", 2, topic + b"\0\0payload")
    if wrong == 2:
        return frame("publish", random.choice((0, 1)), text(random.choice(BAD_TOPICS)) + b"payload")
    if wrong == 3:
        return frame("publish", 2, _cut(random, topic + packet_id))
    if wrong == 4:
        return frame("publish", random.choice((8, 9)), topic + b"a repetition of QoS 0")
    return frame("publish", 0, struct.pack("!H", random.randint(3, 65535)) + b"ab")


def _filters(name, random):
    def entry(filter_):
        return text(filter_) + (b"\1" if name == "subscribe" else b"")

    good, packet_id = entry(b"/crowd/device/echo"), struct.pack("!H", random.randint(1, 65535))
    wrong = random.randrange(6)
    if wrong == 0:
        return _wrong_flags(name, random, packet_id + good)
    if wrong == 1:
        return frame(name, 2, b"\0\0" + good)
    if wrong == 2:
        return frame(name, 2, packet_id + good + entry(random.choice(BAD_FILTERS)))
    if wrong == 3:
        return frame(name, 2, _cut(random, packet_id + good))
    if wrong == 4:
        return frame(name, 2, packet_id + entry(b"f") * random.randint(257, 300))
    if name == "subscribe":
        return frame(name, 2, packet_id + text(b"f") + bytes([random.randint(3, 255)]))
    return frame(name, 2, packet_id + good + b"\0")


def _ack(name, random):
    wrong = random.randrange(3)
    if wrong == 0:
        return _wrong_flags(name, random, b"\0\1")
    if wrong == 1:
        return frame(name, OWN_FLAGS.get(name, 0), random.choice((b"", b"\1")))
    return frame(name, OWN_FLAGS.get(name, 0), b"\0\1" + _noise(random))


def _empty(name, random):
    if random.randrange(2):
        return _wrong_flags(name, random, b"")
    return frame(name, 0, _noise(random))


def _unsendable(kind, random):
    """Types that no client may send, in whatever form."""
    body = _noise(random)
    number = _first_byte(kind)[0] >> 4 if kind in FROM_SERVER else kind
    flags = random.randrange(16)
    return bytes([number << 4 | flags]) + remaining_length(len(body)) + body


def bad_packets(kind, random):
    """Malformed packets of one type: a name, or the number of a reserved type."""
    while True:
        if kind in FROM_SERVER or kind in (0, 15):
            yield _unsendable(kind, random)
        elif random.randrange(8) == 0:
            yield _any_type(kind, random)
        elif kind == "connect":
            yield _connect(random)
        elif kind == "publish":
            yield _publish(random)
        elif kind in ("subscribe", "unsubscribe"):
            yield _filters(kind, random)
        elif kind in ACKS:
            yield _ack(kind, random)
        else:
            yield _empty(kind, random)
