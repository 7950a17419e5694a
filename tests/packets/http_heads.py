"""Request heads by RFC 9112 and 9110, at the listener that keeps to the book: that of the admin API."""

from cases import heads, once

NAMES = {}
HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
TOKEN = set(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
# RFC 3986 §3.3: what a segment of a path is made of, escapes aside.
PCHAR = set(b"-._~!$&'()*+,;=:@0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
HEAD_MAX = 8 * 1024


def answered(title, source, sent, status):
    return heads(title, source, sent, b"HTTP/1.1 %d " % status, listener="admin")


def get(path=b"/health", version=b"HTTP/1.1", host=HOST, more=b"", method=b"GET"):
    return method + b" " + path + b" " + version + b"\r\n" + host + CLOSE + more + b"\r\n"


def field_names():
    """RFC 9110 §5.1, 5.6.2: a name is a token, and nothing stands between it and the colon."""
    for byte in range(256):
        good = byte in TOKEN or byte == ord(":")
        yield answered(f"a field name with the byte {byte:02x} within", "RFC 9110 §5.6.2; RFC 9112 §5.1",
                       get(more=b"A" + bytes([byte]) + b"B: c\r\n"), 200 if good else 400)
    for name in (b"", b" A", b"\tA", b"A ", b"A\t", b"A B", b"(A)", b'"A"', b"A,B", b"A=B", b"A/B", b"[A]"):
        yield answered(f"the field name {name!r}", "RFC 9112 §5.1", get(more=name + b": c\r\n"), 400)


def field_values():
    """RFC 9110 §5.5: NUL, CR and LF make a field invalid; text beyond ASCII is opaque."""
    for byte in [*range(0x20, 0x7f), 9, *range(0x80, 0x100)]:
        yield answered(f"a field value with the byte {byte:02x} within", "RFC 9110 §5.5",
                       get(more=b"A: b" + bytes([byte]) + b"c\r\n"), 200)
    for byte in (0, 10, 13):
        for where, value in (("at the front", b"%cb"), ("within", b"b%cc"), ("at the end", b"b%c")):
            yield answered(f"a field value with the byte {byte:02x} {where}", "RFC 9110 §5.5; RFC 9112 §2.2",
                           get(more=b"A: " + value % byte + b"\r\n"), 400)
    for blanks in (b"", b" ", b"\t", b"   ", b" \t "):
        yield answered(f"a field value with {blanks!r} around", "RFC 9112 §5",
                       get(more=b"A:" + blanks + b"b" + blanks + b"\r\n"), 200)
        yield answered(f"an empty field value with {blanks!r}", "RFC 9110 §5.5",
                       get(more=b"A:" + blanks + b"\r\n"), 200)
        if blanks:
            yield answered(f"a line that goes on with {blanks!r}", "RFC 9112 §5.2",
                           get(more=b"A: b\r\n" + blanks + b"c\r\n"), 400)
            yield answered(f"a first line behind {blanks!r}", "RFC 9112 §2.2",
                           get(host=blanks + b"A: b\r\n" + HOST), 400)


def methods():
    """RFC 9110 §9: a token; what is none is malformed, what nobody knows is not implemented."""
    for byte in range(0x21, 0x100):
        good = byte in TOKEN
        yield answered(f"a method with the byte {byte:02x} within", "RFC 9110 §9.1, 5.6.2",
                       get(method=b"GE" + bytes([byte]) + b"T"), 501 if good else 400)
    for method in (b"TRACE", b"CONNECTED", b"get", b"Get", b"BREW", b"PRI", b"M-SEARCH", b"G"):
        yield answered(f"the method {method.decode()}", "RFC 9110 §9.1, 15.6.2", get(method=method), 501)
    for length in (8, 64, 1000, 4000):
        yield answered(f"a method of {length} letters", "RFC 9112 §3", get(method=b"X" * length), 501)
    for method in METHODS:
        yield answered(f"{method.decode()} of what is not there", "RFC 9110 §15.5.5",
                       get(b"/nowhere", method=method), 404)


def versions():
    """RFC 9112 §2.3, 9110 §2.5: HTTP/1.x is understood, and no other major version."""
    for major in range(10):
        for minor in range(10):
            if major == 1 and minor > 1:
                continue  # answered as 1.1 by some and refused by others
            yield answered(f"HTTP/{major}.{minor}", "RFC 9110 §2.5, 15.6.6",
                           get(version=b"HTTP/%d.%d" % (major, minor)), 200 if major == 1 else 505)
    for version in (b"HTTP", b"HTTP/", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/11", b"HTTP/1.1.1",
                    b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1,1", b"HTTP 1.1", b"http/1.1", b"Http/1.1",
                    b"HTTPS/1.1", b"HTP/1.1", b"HTTP/a.1", b"HTTP/1.a", b"HTTP/-1.1", b"HTTP/1.1 ",
                    b"HTTP/1.1 x", b"", b"ICY/1.1", b"RTSP/1.0"):
        yield answered(f"the version '{version.decode()}'", "RFC 9112 §2.3", get(version=version), 400)


def request_lines():
    for line in (b"GET", b"GET ", b"GET /health", b"GET  HTTP/1.1", b" GET /health HTTP/1.1",
                 b"GET\t/health\tHTTP/1.1", b"GET /health\0 HTTP/1.1", b"GET /he alth HTTP/1.1",
                 b"/health HTTP/1.1", b"GET health HTTP/1.1", b"GET ./health HTTP/1.1",
                 b"GET \r/health HTTP/1.1", b"GET  /health HTTP/1.1", b"GET /health  HTTP/1.1"):
        yield answered(f"the request line {line!r}", "RFC 9112 §3", line + b"\r\n" + HOST + CLOSE + b"\r\n",
                       400)
    for count in range(1, 9):
        yield answered(f"{count} empty lines before the request", "RFC 9112 §2.2",
                       b"\r\n" * count + get(), 200)


def targets():
    """RFC 9112 §3.2, RFC 3986 §3.3."""
    for byte in sorted(PCHAR):
        yield answered(f"a path with '{chr(byte)}'", "RFC 3986 §3.3",
                       get(b"/nowhere/a" + bytes([byte]) + b"b"), 404)
        yield answered(f"a query with '{chr(byte)}'", "RFC 3986 §3.4",
                       get(b"/nowhere?a" + bytes([byte]) + b"b"), 404)
    for byte in [*range(0x00, 0x21), 0x7f]:
        yield answered(f"a path with the byte {byte:02x}", "RFC 9112 §3.2",
                       get(b"/nowhere/a" + bytes([byte]) + b"b"), 400)
    for target, status in ((b"/health", 200), (b"/health?", 200), (b"http://localhost/health", 200),
                           (b"HTTP://localhost/health", 200), (b"http://127.0.0.1:1/health", 200),
                           (b"http://[::1]/health", 200), (b"/nowhere/%41", 404), (b"/nowhere/%e4%b8%ad", 404),
                           (b"//", 404), (b"/nowhere//", 404), (b"/nowhere/.", 404), (b"/nowhere/..", 404)):
        yield answered(f"the target {target.decode()}", "RFC 9112 §3.2.1, 3.2.2", get(target), status)
    for target, host, status in ((b"localhost", b"elsewhere.example", 200), (b"elsewhere.example", b"localhost", 421)):
        yield answered(f"the target http://{target.decode()}/health, whatever Host says", "RFC 9112 §3.2.2",
                       get(b"http://" + target + b"/health", host=b"Host: " + host + b"\r\n"), status)


def hosts():
    """RFC 9112 §3.2: exactly one Host, a name or address with at most a port."""
    for host in (b"localhost", b"LOCALHOST", b"localhost:8080", b"127.0.0.1", b"127.0.0.1:1", b"[::1]",
                 b"[::1]:65535", b"localhost:0", b"localhost:"):
        yield answered(f"Host: {host.decode()}", "RFC 9112 §3.2; RFC 3986 §3.2.2",
                       get(host=b"Host: " + host + b"\r\n"), 200)
    for host in (b"", b"a b", b"me@localhost", b"localhost/x", b"localhost:http", b"[::1", b"::1]", b"[::1]x",
                 b"localhost:1:2", b"localhost?x", b"localhost#x", b"[", b"]", b"localhost:-1", b"[::1]:a",
                 b"local\\host", b"<localhost>", b"local\"host"):
        yield answered(f"Host: '{host.decode()}'", "RFC 9112 §3.2",
                       get(host=b"Host: " + host + b"\r\n"), 400)
    yield answered("no Host", "RFC 9112 §3.2", get(host=b""), 400)
    yield answered("no Host, by HTTP/1.0", "RFC 9112 §3.2", get(host=b"", version=b"HTTP/1.0"), 200)
    for second in (b"Host: localhost\r\n", b"host: localhost\r\n", b"HOST: other\r\n", b"Host:\r\n"):
        yield answered(f"a second Host, {second!r}", "RFC 9112 §3.2", get(host=HOST + second), 400)


def lengths():
    """RFC 9112 §6.3: how long a body is, and that nobody may read it in two ways."""
    def post(fields, body=b""):
        return b"POST /nowhere HTTP/1.1\r\n" + HOST + CLOSE + fields + b"\r\n" + body

    for value, size in ((b"0", 0), (b"5", 5), (b"05", 5), (b"0000000005", 5), (b" 5 ", 5), (b"128", 128)):
        yield answered(f"Content-Length: '{value.decode()}'", "RFC 9110 §8.6",
                       post(b"Content-Length:" + value + b"\r\nContent-Type: application/json\r\n",
                            b"x" * size), 404)
    for value in (b"", b" ", b"+5", b"-5", b"-0", b"5.0", b"0x5", b"5x", b"x5", b"5 5", b"5,6", b"5;", b"five",
                  b"1e1", b"'5'", b"\"5\"", b"\xef\xbc\x95", b"5\0", b"5,", b",5"):
        yield answered(f"Content-Length: {value!r}", "RFC 9110 §8.6; RFC 9112 §6.3",
                       post(b"Content-Length: " + value + b"\r\n", b"hello"), 400)
    for first, second in ((5, 6), (0, 5), (5, 0), (5, 50)):
        yield answered(f"Content-Length {first} and {second}", "RFC 9112 §6.3 case 5",
                       post(b"Content-Length: %d\r\nContent-Length: %d\r\n" % (first, second), b"hello"), 400)
    for value in (b"chunked, identity", b"identity", b"", b"chunkedx",
                  b"chunked;q=1", b"x-chunked"):
        yield answered(f"Transfer-Encoding: '{value.decode()}', which does not end with chunked",
                       "RFC 9112 §6.3 case 4",
                       post(b"Transfer-Encoding: " + value + b"\r\n", b"0\r\n\r\n"), 400)
    for value in (b"gzip, chunked", b"deflate,chunked", b"x, chunked", b"br , chunked"):
        yield answered(f"Transfer-Encoding: '{value.decode()}'", "RFC 9112 §6.1",
                       post(b"Transfer-Encoding: " + value + b"\r\n", b"0\r\n\r\n"), 501)
    for value in (b"chunked", b"Chunked", b"CHUNKED", b" chunked "):
        yield answered(f"Transfer-Encoding: '{value.decode()}'", "RFC 9112 §7; RFC 9110 §10.1.4",
                       post(b"Transfer-Encoding: " + value + b"\r\nContent-Type: application/json\r\n",
                            b"0\r\n\r\n"), 404)
    yield answered("both lengths at once", "RFC 9112 §6.1",
                   post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"), 400)
    for size in (b"g", b"-1", b"+1", b"0x1", b" 1", b"", b"1 x", b"1\0", b"\xff", b"f" * 16, b"1" + b"0" * 16,
                 b"0" * 32 + b"1"):
        yield answered(f"a chunk of the size {size!r}", "RFC 9112 §7.1",
                       post(b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n",
                            size + b"\r\na\r\n0\r\n\r\n"), 400)
    for size in (b"1", b"01", b"0001", b"1;a", b"1;a=b", b'1;a="b"'):
        yield answered(f"a chunk of the size {size!r}", "RFC 9112 §7.1",
                       post(b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n",
                            size + b"\r\na\r\n0\r\n\r\n"), 404)


def sizes():
    """A head of at most 8 KiB."""
    bare = len(get(more=b"A: \r\n"))
    for size, status in ((HEAD_MAX - 1, 200), (HEAD_MAX, 200), (HEAD_MAX + 1, 431), (2 * HEAD_MAX, 431)):
        yield answered(f"a head of {size} bytes", "RFC 6585 §5",
                       get(more=b"A: " + b"x" * (size - bare) + b"\r\n"), status)


TABLES = (field_names, field_values, methods, versions, request_lines, targets, hosts, lengths, sizes)


def cases():
    return once(each for table in TABLES for each in table())
