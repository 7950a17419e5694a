"""First datagrams of DTLS (RFC 6347) and first records of TLS (RFC 5246)."""

import struct

from cases import once

NAMES = {}
PSK_CCM8, PSK_CBC = 0xc0a8, 0x00ae
RANDOM = bytes(range(32))
PROBE_SEQUENCE = 0x77


def extension(number, body):
    return struct.pack(">HH", number, len(body)) + body


def client_hello(version=0xfefd, suites=(PSK_CCM8,), cookie=b"", session=b"", compression=b"\0",
                 extensions=b"", sequence=0, tls=False):
    """The handshake message; of DTLS its header says that it is whole (RFC 6347 §4.2.2)."""
    body = struct.pack(">H", version) + RANDOM + bytes([len(session)]) + session
    if not tls:
        body += bytes([len(cookie)]) + cookie
    body += struct.pack(">H", 2 * len(suites)) + b"".join(struct.pack(">H", each) for each in suites)
    body += bytes([len(compression)]) + compression
    if extensions:
        body += struct.pack(">H", len(extensions)) + extensions
    length = struct.pack(">I", len(body))[1:]
    if tls:
        return b"\1" + length + body
    return b"\1" + length + struct.pack(">H", sequence) + bytes(3) + length + body


def record(body, kind=22, version=0xfeff, epoch=0, sequence=0, length=None):
    return struct.pack(">BHHHIH", kind, version, epoch, 0, sequence,
                       len(body) if length is None else length) + body




def asked(title, source, datagram, sequence=0):
    """It is answered by a HelloVerifyRequest: handshake, the record's own number, message type 3."""
    return {"title": title, "source": source, "listener": "dtls",
            "steps": [{"send": datagram.hex()}, {"cookie_for": sequence}]}


def ignored(title, source, datagram):
    """Nothing is said to it: a good ClientHello behind it is what is answered."""
    return {"title": title, "source": source, "listener": "dtls",
            "steps": [{"send": datagram.hex()},
                      {"send": record(client_hello(), sequence=PROBE_SEQUENCE).hex()},
                      {"cookie_for": PROBE_SEQUENCE}]}


def cookies():
    cookie = "RFC 6347 §4.2.1"
    yield asked("a ClientHello without a cookie", cookie, record(client_hello()))
    for sequence in (0, 1, 2, 255, 256, 65535, 65536, 0xffffffff):
        yield asked(f"a ClientHello in the record {sequence}", cookie,
                    record(client_hello(), sequence=sequence), sequence)
    for size in (1, 2, 16, 31, 32, 33, 64, 255):
        yield asked(f"a ClientHello with a cookie of {size} that nobody gave", cookie,
                    record(client_hello(cookie=bytes(size))))
    for suites in ((PSK_CCM8,), (PSK_CBC,), (PSK_CCM8, PSK_CBC), (PSK_CBC, PSK_CCM8, 0x00ff),
                   tuple(range(0xc000, 0xc040)) + (PSK_CCM8,)):
        yield asked(f"a ClientHello with {len(suites)} suites, {suites[0]:04x} first", cookie,
                    record(client_hello(suites=suites)))
    for size in (1, 16, 32):
        yield asked(f"a ClientHello with a session id of {size}", cookie,
                    record(client_hello(session=bytes(size))))
    for extensions in (extension(0, b""), extension(13, b"\0\2\4\1"), extension(23, b""), extension(0xff01, b"\0"),
                       extension(22, b""), extension(1, b"\4"), extension(54, b"\0"), extension(65000, bytes(100))):
        yield asked(f"a ClientHello with the extension {extensions[:2].hex()}", cookie,
                    record(client_hello(extensions=extensions)))


def strangers():
    """RFC 6347 §4.1.2.7: what is no good record is discarded, and nobody is told."""
    discarded = "RFC 6347 §4.1.2.7"
    good = client_hello()
    for kind in [*range(0, 22), *range(23, 64), *range(64, 256, 7)]:
        yield ignored(f"a record of the type {kind}", discarded, record(good, kind=kind))
    for size in range(1, 13):
        yield ignored(f"a record's header cut after {size} bytes", discarded, record(good)[:size])
    for version in (0x0000, 0x0301, 0x0303, 0x0304, 0x0100, 0x7f00, 0xff00, 0xffff, 0xfdff):
        yield ignored(f"a record of the version {version:04x}", discarded, record(good, version=version))
    for epoch in (1, 2, 255, 65535):
        yield ignored(f"a record of the epoch {epoch}", discarded, record(good, epoch=epoch))
    for size in range(0, len(good), 3):
        yield ignored(f"a ClientHello cut after {size} bytes", discarded, record(good[:size]))
    for length in (0, 1, len(good) + 1, len(good) + 100, 16384, 65535):
        yield ignored(f"a record that says {length} bytes", discarded, record(good, length=length))
    for kind in [0, *range(2, 256, 5), 3, 11, 12, 14, 16, 20]:
        if kind != 1:
            yield ignored(f"a handshake message of the type {kind} first", "RFC 6347 §4.2.4",
                          record(bytes([kind]) + good[1:]))


def tls_strangers():
    """RFC 5246 §6.2.1, 7.2.2: what is no handshake ends the connection, by an alert or without."""
    source = "RFC 5246 §6.2.1, 7.2.2"
    good = client_hello(0x0303, (0xc02b, 0xc02f), tls=True)

    def ended(title, sent):
        return {"title": title, "source": source, "listener": "mqtts",
                "steps": [{"send": sent.hex()}, {"alert_and_close": True}]}

    def tls_record(body, kind=22, version=0x0301, length=None):
        return struct.pack(">BHH", kind, version, len(body) if length is None else length) + body

    for version in (0x0000, 0x0100, 0x0200, 0x0400, 0x4d51, 0xfeff, 0xfefd, 0xffff, 0x2020):
        yield ended(f"a record of the version {version:04x}", tls_record(good, version=version))
    for length in (0, 16385 + 2048, 20000, 32767, 65535):
        yield ended(f"a record that says {length} bytes", tls_record(good, length=length))
    for kind in [0, *range(2, 256, 9), 2, 3, 4, 11, 12, 13, 14, 15, 16, 20]:
        yield ended(f"a handshake message of the type {kind} first",
                    tls_record(bytes([kind]) + good[1:]))
    for version in (0x0000, 0x0002, 0x0200, 0x0300):
        yield ended(f"a ClientHello of the version {version:04x}",
                    tls_record(client_hello(version, (0xc02b, 0xc02f), tls=True)))
    for suites in ((), (0x0000,), (0x0001, 0x0002), (0x0004, 0x0005), (0x00ff,), (0x1301, 0x1302), (0xfafa,)):
        yield ended(f"a ClientHello with the suites {[f'{each:04x}' for each in suites]}",
                    tls_record(client_hello(0x0303, suites, tls=True)))
    for compression in (b"", b"\1", b"\x40"):
        yield ended(f"a ClientHello with the compressions {compression.hex() or 'none'}",
                    tls_record(client_hello(0x0303, (0xc02b,), compression=compression, tls=True)))
    for number in (1, 2, 3, 5, 7):
        short = struct.pack(">I", len(good) - 4 - number)[1:]
        yield ended(f"a ClientHello that is {number} shorter than its fields",
                    tls_record(b"\1" + short + good[4:len(good) - number]))


TABLES = (cookies, strangers, tls_strangers)


def cases():
    return once(each for table in TABLES for each in table())
