"""CoAP messages by RFC 7252, within a DTLS session of a device that was let in."""

import itertools
import struct

from coap import ACK, CON, NON, RST
from cases import once

NAMES = {}
DEVICE = "enos/KV315idW/tPbZGCdmaE"
SPEC = "RFC 7252 §"
GET_NOWHERE = [(11, b"nowhere")]
KNOWN_CRITICAL = {1, 3, 5, 7, 11, 15, 17, 23, 27, 35, 39}
OSCORE_AND_EDHOC = {9, 21}


def extended(value):
    if value < 13:
        return value, b""
    return (13, bytes([value - 13])) if value < 269 else (14, struct.pack(">H", value - 269))


def option(delta, value):
    high, more_delta = extended(delta)
    low, more_length = extended(len(value))
    return bytes([high << 4 | low]) + more_delta + more_length + value


def options(numbered):
    out, last = b"", 0
    for number, value in numbered:
        out += option(number - last, value)
        last = number
    return out


class Message:
    """One message, and the answers to it that have its id. Each has its own: none is a duplicate."""

    ids = itertools.count(1)

    def __init__(self, kind=CON, code=1, token=b"", rest=b"", version=1, token_length=None):
        self.mid = struct.pack(">H", next(Message.ids))
        self.token = token
        length = len(token) if token_length is None else token_length
        self.bytes = bytes([version << 6 | kind << 4 | length, code]) + self.mid + token + rest

    def reset(self):
        return bytes([0x70, 0]) + self.mid

    def acknowledged(self, code):
        return bytes([0x60 | len(self.token), code]) + self.mid + self.token


def told(title, source, message, *, recv=None, begins=None):
    """What comes is exactly this, begins so, or is nothing at all."""
    step = {"recv": recv.hex()} if recv is not None else \
        {"begins": begins.hex()} if begins is not None else {"quiet": True}
    return {"title": title, "source": source, "listener": "coaps", "device": DEVICE,
            "steps": [{"send": message.bytes.hex()}, step]}


def versions():
    for version in (0, 2, 3):
        for kind in range(4):
            for code in (0, 1, 2, 0x45):
                yield told(f"version {version}, type {kind}, code {code >> 5}.{code & 31:02}",
                           SPEC + "3: silently ignored", Message(kind, code, version=version))


def empty():
    message = Message(code=0)
    yield told("an empty CON is a ping", SPEC + "4.3", message, recv=message.reset())
    for kind in (ACK, RST):
        yield told(f"an empty message of type {kind} that answers nothing", SPEC + "4.2", Message(kind, 0))
    for rest in (b"\xff", b"\0", b"x", b"\xffpayload", option(11, b"a"), bytes(20)):
        message = Message(code=0, rest=rest)
        yield told(f"an empty CON with {len(rest)} bytes behind it", SPEC + "4.1: a format error, rejected",
                   message, recv=message.reset())
    for length in range(1, 9):
        message = Message(code=0, token=bytes(length))
        yield told(f"an empty CON with a token of {length}", SPEC + "4.1: a format error, rejected",
                   message, recv=message.reset())


def tokens():
    for length in range(9, 16):
        for body in (b"", bytes(length), bytes(40)):
            message = Message(rest=body, token_length=length)
            yield told(f"a token of {length}, {len(body)} bytes behind it", SPEC + "3: a format error",
                       message, recv=message.reset())
            yield told(f"NON with a token of {length}, {len(body)} bytes behind it",
                       SPEC + "4.3: rejected without a word",
                       Message(NON, rest=body, token_length=length))
    for length in range(1, 9):
        for have in range(length):
            message = Message(rest=bytes(have), token_length=length)
            yield told(f"a token of {length} of which {have} bytes are there", SPEC + "3: a format error",
                       message, recv=message.reset())
    for length in range(9):
        for byte in (0x00, 0x5a, 0xff):
            message = Message(token=bytes([byte]) * length, rest=options(GET_NOWHERE))
            yield told(f"a token of {length}, bytes {byte:02x}, comes back", SPEC + "5.3.1",
                       message, begins=message.acknowledged(0x84))


def codes():
    """§12.1: class 0 requests, 2, 4 and 5 responses, the others reserved; §5.8: unknown methods."""
    for code in range(1, 256):
        title = f"code {code >> 5}.{code & 31:02}"
        if code <= 7:
            continue  # GET to iPATCH are methods: what becomes of them is the path's to say
        if code < 32:
            message = Message(code=code, token=b"ab", rest=options(GET_NOWHERE))
            yield told(f"CON with {title}, a method nobody knows", SPEC + "5.8: 4.05", message,
                       begins=message.acknowledged(0x85))
            continue
        message = Message(code=code, token=b"ab")
        yield told(f"CON with {title}", SPEC + "4.2, 4.3, 5.2.2: nothing it answers", message,
                   recv=message.reset())
        yield told(f"ACK with {title}", SPEC + "4.2: silently ignored", Message(ACK, code, b"ab"))


def malformed_options():
    """§3.1: 15 is reserved for the payload marker, and values lie within the message."""
    flawed = {f"delta 15, length {length}": bytes([0xf0 | length]) + bytes(20) for length in range(15)}
    flawed.update({f"delta {delta}, length 15": bytes([delta << 4 | 15]) + bytes(20)
                   for delta in range(15)})
    flawed.update({"a marker and no payload": b"\xff", "an option, a marker and no payload":
                   options(GET_NOWHERE) + b"\xff"})
    for size in (1, 5, 12, 13, 20, 268, 269, 300):
        whole = option(11, b"x" * size)
        for have in {len(whole) - 1, len(whole) - size, 1, 2} - {len(whole), 0}:
            if have < len(whole):
                flawed[f"a value of {size} cut after {have} bytes"] = whole[:have]
    for delta in (13, 268, 269, 65804 - 269):
        whole = option(delta, b"")
        for have in range(1, len(whole)):
            flawed[f"a delta of {delta} cut after {have} bytes"] = whole[:have]
    for name, rest in flawed.items():
        message = Message(rest=rest)
        yield told(f"CON: {name}", SPEC + "3.1, 4.2: a format error", message, recv=message.reset())
        yield told(f"NON: {name}", SPEC + "3.1, 4.3: rejected without a word", Message(NON, rest=rest))


def unknown_options():
    """§5.4.1: odd numbers are critical, even ones are not."""
    critical = [number for number in [*range(9, 160, 2), 257, 269, 281, 1001, 2049, 4097, 20001, 65001, 65535]
                if number not in KNOWN_CRITICAL | OSCORE_AND_EDHOC]
    for number in critical:
        message = Message(token=b"t", rest=options(sorted([*GET_NOWHERE, (number, b"v")])))
        yield told(f"the critical option {number}", SPEC + "5.4.1: 4.02", message,
                   begins=message.acknowledged(0x82))
    for number in [2, 10, 16, 18, 22, 24, 26, 30, 32, 34, 62, 64, 100, 128, 160, 268, 270, 300, 1000, 2050, 4096, 65000,
                   65534]:
        for value in (b"", b"v", b"v" * 13, b"v" * 270):
            message = Message(token=b"t", rest=options(sorted([*GET_NOWHERE, (number, value)])))
            yield told(f"the elective option {number} of {len(value)} bytes is passed over", SPEC + "5.4.1",
                       message, begins=message.acknowledged(0x84))


def defined_options():
    """§5.4, 5.10: options that are known, and cannot be honoured, or are not as they should be."""
    IF_MATCH, URI_HOST, IF_NONE_MATCH, URI_PORT, CONTENT_FORMAT, ACCEPT, SIZE2 = 1, 3, 5, 7, 12, 17, 28
    LOCATION_PATH, LOCATION_QUERY, PROXY_URI, PROXY_SCHEME, JSON, XML = 8, 20, 35, 39, b"\x32", b"\x29"
    bad, no_proxy, not_acceptable, not_found = 0x82, 0xa5, 0x86, 0x84
    rows = [
        ("Accept: XML", "5.10.4", [(ACCEPT, XML)], not_acceptable),
        ("Accept: JSON", "5.10.4", [(ACCEPT, JSON)], not_found),
        ("Accept: JSON with a leading zero", "3.2", [(ACCEPT, b"\0" + JSON)], not_found),
        ("Uri-Port with a leading zero", "3.2", [(URI_PORT, b"\0\x50")], not_found),
        ("Proxy-Uri beside a path", "5.10.2", [(PROXY_URI, b"coap://a/b")], no_proxy),
        ("Proxy-Scheme", "5.7.2", [(PROXY_SCHEME, b"http")], no_proxy),
        ("If-Match of anything", "5.10.8.1", [(IF_MATCH, b"")], bad),
        ("If-Match of an ETag", "5.10.8.1", [(IF_MATCH, b"tag")], bad),
        ("If-None-Match", "5.10.8.2", [(IF_NONE_MATCH, b"")], bad),
        ("Location-Path, which is for responses", "5.4", [(LOCATION_PATH, b"a")], not_found),
        ("Location-Query, which is for responses", "5.4", [(LOCATION_QUERY, b"a")], not_found),
        ("Size2", "5.4", [(SIZE2, b"")], not_found)]
    for name, number, most in (("Uri-Host", URI_HOST, 255), ("Uri-Port", URI_PORT, 2), ("Accept", ACCEPT, 2)):
        value = JSON.rjust(most, b"\0")
        rows += [(f"{name} of {most} bytes", "5.4.3", [(number, value)], not_found),
                 (f"{name} of {most + 1} bytes", "5.4.3", [(number, b"\0" + value)], bad),
                 (f"{name} twice", "5.4.5", [(number, JSON)] * 2, bad)]
    rows += [("Uri-Host of no length", "5.4.3", [(URI_HOST, b"")], bad),
             ("Content-Format of 3 bytes, an elective option", "5.4.3", [(CONTENT_FORMAT, b"\0\0" + JSON)],
              not_found),
             ("Content-Format twice, an elective option", "5.4.5", [(CONTENT_FORMAT, JSON)] * 2, not_found)]
    for name, section, numbered, code in rows:
        message = Message(token=b"t", rest=options(sorted([*GET_NOWHERE, *numbered])))
        yield told(name, SPEC + section, message, begins=message.acknowledged(code))
    message = Message(token=b"t", rest=options(GET_NOWHERE) + b"\xffx")
    yield told("a GET with a payload", SPEC + "5.5", message, begins=message.acknowledged(not_found))


def duplicates():
    """§4.5: each copy gets the same acknowledgement; without confirmation it is passed over."""
    for token in (b"", b"t", b"12345678"):
        message = Message(token=token, rest=options(GET_NOWHERE))
        made = told(f"a CON with a token of {len(token)}, three times", SPEC + "4.5", message,
                    begins=message.acknowledged(0x84))
        yield {**made, "steps": made["steps"] * 3}
        message = Message(NON, token=token, rest=options(GET_NOWHERE))
        yield {**made, "title": f"a NON with a token of {len(token)}, three times", "steps": [
            {"send": message.bytes.hex()}, {"begins": "5" + format(len(token), "x") + "84"},
            *[{"send": message.bytes.hex()}, {"quiet": True}] * 2]}


def blocks():
    """RFC 7959: blocks that are taken, and blocks that cannot be right."""
    spec, post, path = "RFC 7959 §", 2, (11, b"blocks")
    block2, block1, size1 = 23, 27, 60
    bad_request, bad_option, incomplete, too_large, not_found = 0x80, 0x82, 0x88, 0x8d, 0x84

    def block(number, szx, more=False):
        value = number << 4 | 8 * more | szx
        return value.to_bytes((value.bit_length() + 7) // 8, "big")

    def asks(title, section, numbered, code, method=1, payload=b""):
        message = Message(code=method, token=b"t", rest=options(sorted([path, *numbered])) +
                          (b"\xff" + payload if payload else b""))
        return told(title, spec + section, message, begins=message.acknowledged(code))

    for name, number in (("Block1", block1), ("Block2", block2)):
        method = post if number == block1 else 1
        for value in (0, 1, 15):
            yield asks(f"{name} {value} with the size exponent 7", "2.2", [(number, block(value, 7))], bad_request,
                       method)
        yield asks(f"{name} of 4 bytes", "2.1", [(number, bytes(4))], bad_option, method)
        yield asks(f"{name} twice", "2.1", [(number, b"\6")] * 2, bad_option, method)
    for szx in range(7):
        size = 16 << szx
        yield asks(f"Block2 of {size} with the more bit, in a request", "2.4", [(block2, block(0, szx, True))],
                   not_found)
        first = [(block1, block(0, szx, True))]
        message = Message(code=post, token=b"t", rest=options([path, *first]) + b"\xff" + b"x" * size)
        yield told(f"a first block of {size}, with more to come", spec + "2.5, 2.9.1", message,
                   recv=message.acknowledged(0x5f) + option(block1, first[0][1]))
        for wrong in (size - 1, size + 1):
            yield asks(f"a first block of {size} with {wrong} bytes and more to come", "2.2", first, bad_request, post,
                       b"x" * wrong)
        yield asks(f"block 2 of {size} without those before it", "2.5, 2.9.2", [(block1, block(2, szx))],
                   incomplete, post, b"x")
    message = Message(code=post, token=b"t", rest=options([path, (block1, block(0, 0, True)), (size1, b"\1\0\1")]) +
                      b"\xff" + b"x" * 16)
    yield told("a body of 65537 bytes is announced", spec + "2.9.3, 4", message,
               recv=message.acknowledged(too_large) + option(block1, block(0, 0, True)) +
               option(size1 - block1, b"\1\0\0"))
    yield asks("Size1 twice", "4", [(size1, b"\1")] * 2, not_found)


def lengths():
    """Whatever is shorter than a header cannot be answered."""
    for size in range(4):
        for first in (0x40, 0x50, 0x60, 0x70, 0x00, 0xff):
            message = Message()
            message.bytes = (bytes([first, 1, 0x12, 0x34]))[:size]
            if size:
                yield told(f"{size} bytes, the first {first:02x}", SPEC + "3: no message", message)


TABLES = (versions, empty, tokens, codes, malformed_options, unknown_options, lengths, defined_options,
          duplicates, blocks)


def cases():
    Message.ids = itertools.count(1)  # so that what is written is always the same
    return once(each for table in TABLES for each in table())
