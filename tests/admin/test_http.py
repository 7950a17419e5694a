"""HTTP itself: what a client may send, byte by byte, and how much of it."""

import email.utils
import json
import resource
import socket
import ssl
import subprocess
import time

import pytest

HEAD_MAX = 8 * 1024
ADMIN_BODY_MAX = 1024 * 1024
DEVICE_BODY_MAX = 16 * 1024
CONNECTIONS_MAX = 1024


class Raw:
    """A client that sends exactly what it is told."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.data = b""

    def send(self, text):
        try:
            self.socket.sendall(text if isinstance(text, bytes) else text.encode())
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _more(self):
        try:
            more = self.socket.recv(65536)
        except ConnectionResetError:
            more = b""
        self.data += more
        return bool(more)

    def answer(self):
        """(status, headers, body) of the next answer; None when the server closed."""
        while b"\r\n\r\n" not in self.data:
            if not self._more():
                assert not self.data
                return None
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        length = int(headers.get("Content-Length", 0))  # 100 Continue has none
        while len(self.data) < length:
            assert self._more()
        body, self.data = self.data[:length], self.data[length:]
        return int(lines[0].split()[1]), headers, body

    def is_closed(self):
        return not self.data and not self._more()

    def close(self):
        self.socket.close()


@pytest.fixture
def raw(skymock):
    opened = []

    def connect(listener="admin"):
        opened.append(Raw(skymock.ports[listener]))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def test_headers_are_spelled_as_devices_look_for_them(raw):
    client = raw()
    client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    status, headers, body = client.answer()
    assert status == 200 and json.loads(body) == {"status": "ok"}
    assert int(headers["Content-Length"]) == len(body)
    assert headers["Content-Type"] == "application/json"
    assert "Transfer-Encoding" not in headers


def test_a_connection_is_kept_and_requests_may_be_sent_ahead(raw):
    client = raw()
    client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20 +
                "POST /api/v1/clock/set HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n"
                '{"unixMs":1}' + "GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for _ in range(20):
        assert client.answer()[0] == 200
    assert json.loads(client.answer()[2])["time"].startswith("1970")
    assert client.answer()[0] == 404
    client.send("POST /api/v1/clock/freeze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    now = json.loads(client.answer()[2])["realUnixMs"]
    body = json.dumps({"unixMs": now})
    client.send("POST /api/v1/clock/set HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    assert client.answer()[0] == 200


def test_a_request_may_come_byte_by_byte(raw):
    client = raw()
    for byte in (b"POST /api/v1/clock/advance HTTP/1.1\r\nHost: localhost\r\n"
                 b"Content-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"ms\":0}"):
        client.send(bytes([byte]))
    assert client.answer()[0] == 200


def test_one_answer_when_the_client_wants_one(raw):
    for request in ("GET /health HTTP/1.0\r\n\r\n",
                    "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
        client = raw()
        client.send(request)
        status, headers, _ = client.answer()
        assert status == 200 and headers["Connection"] == "close"
        assert client.is_closed()


def test_nothing_behind_a_last_request_is_processed(raw, api):
    """RFC 9112 §9.6"""
    client = raw()
    client.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                "POST /api/v1/clock/freeze HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.answer()[0] == 200
    assert client.is_closed()
    assert api.get("/api/v1/clock")["frozen"] is False


def test_an_answer_without_a_body_ends_with_its_head(raw):
    """RFC 9112 §6.3: to HEAD, and a 204, which has no length either (RFC 9110 §8.6)."""
    client = raw()
    client.send("HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
                "DELETE /api/v1/faults HTTP/1.1\r\nHost: localhost\r\n\r\n"
                "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    while client._more():
        pass
    first, second, third, body = client.data.split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 ") and f"Content-Length: {len(body)}".encode() in first
    assert second.startswith(b"HTTP/1.1 204 ") and b"Content-Length" not in second
    assert third.startswith(b"HTTP/1.1 200 ") and json.loads(body) == {"status": "ok"}


def test_an_older_client_may_ask_to_be_kept(raw):
    client = raw()
    for _ in range(2):
        client.send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert client.answer()[1]["Connection"] == "keep-alive"


def test_a_client_that_asks_first_is_told_to_go_on(raw):
    client = raw()
    client.send("POST /api/v1/clock/advance HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/json\r\nContent-Length: 8\r\n"
                "Expect: 100-continue\r\n\r\n")
    while b"\r\n\r\n" not in client.data:
        assert client._more()
    assert client.data == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.data = b""
    client.send('{"ms":0}')
    assert client.answer()[0] == 200


HOST = "Host: localhost\r\n"


@pytest.mark.parametrize("status, request_text", [
    (400, f"GET /health HTTP/1.1\r\n{HOST}Content-Length: 5\r\n\r\nhello"),
    (400, f"POST / HTTP/1.1\r\n{HOST}Content-Length: five\r\n\r\n"),
    (400, f"POST / HTTP/1.1\r\n{HOST}Content-Length: -5\r\n\r\n"),
    (400, f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    (400, f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (400, f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked, identity\r\n\r\n"),
    (400, f"POST / HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n"),
    (501, f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n"),
    (400, f"GET /health HTTP/1.1\r\n{HOST}no colon\r\n\r\n"),
    (400, f"GET /health HTTP/1.1\r\n{HOST}Name : blank before the colon\r\n\r\n"),
    (400, f"GET /health HTTP/1.1\r\n{HOST}A: b\r\n folded\r\n\r\n"),
    (400, f"GET /health HTTP/1.1\r\n{HOST}A: b\rC: d\r\n\r\n"),
    (400, f"GET /health HTTP/1.1\r\n{HOST}A: b\nC: d\r\n\r\n"),
    (400, "GET /health HTTP/1.1\nHost: localhost\n\n"),
    (400, f"GET health HTTP/1.1\r\n{HOST}\r\n"),
    (400, f"GET\r\n{HOST}\r\n"),
    (400, f"GET /health\r\n{HOST}\r\n"),
    (400, f"GE(T /health HTTP/1.1\r\n{HOST}\r\n"),
    (501, f"BREW /coffee HTTP/1.1\r\n{HOST}\r\n"),
    (505, f"GET /health HTTP/2.0\r\n{HOST}\r\n"),
    (400, f"GET /health HTTP/1.11\r\n{HOST}\r\n"),
    (400, f"GET /health http/1.1\r\n{HOST}\r\n"),
])
@pytest.mark.parametrize("listener", ["admin", "https"])
def test_malformed_requests_are_refused_and_end_the_connection(raw, api, status, request_text,
                                                               listener):
    client = raw(listener)
    client.send(request_text)
    got, headers, body = client.answer()
    assert got == status and headers["Connection"] == "close"
    answer = json.loads(body)
    assert answer["error"]["message"] if listener == "admin" else answer["message"]
    assert client.is_closed()
    api.barrier()


def test_a_post_without_a_length_has_no_body(raw, curl_line):
    for version in ("1.0", "1.1"):
        client = raw()
        client.send(f"POST /api/v1/clock/freeze HTTP/{version}\r\n{HOST}\r\n")
        assert client.answer()[0] == 200
    assert json.loads(curl_line("-X", "POST", "/api/v1/clock/resume"))["frozen"] is False


@pytest.fixture
def curl_line(skymock):
    """What curl prints; the last word is a path of the API."""
    def call(*words):
        url = f"http://localhost:{skymock.ports['admin']}{words[-1]}"
        done = subprocess.run(["curl", "-sS", "--max-time", "20", *words[:-1], url],
                              capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return call


def test_what_follows_a_post_without_a_length_is_explained(raw, api):
    since = api.last_seq()
    client = raw("https")
    client.send(f"POST /auth/devicename HTTP/1.1\r\n{HOST}\r\nproductKey=pk")
    assert client.answer()[0] == 200
    client.send("&deviceName=device\r\n\r\n")
    assert client.answer()[0] == 400
    event = api.wait_event({"type": "http-auth", "status": 400, "rules": ["DOOR-HTTP-REQUEST"]},
                           since=since)
    assert "Content-Length" in event["findings"][0]["detail"]


def chunks(*pieces):
    return "".join(f"{len(piece):x}\r\n{piece}\r\n" for piece in (*pieces, ""))


def test_the_api_takes_a_body_in_chunks(raw, curl_line):
    client = raw()
    head = (f"POST /api/v1/clock/advance HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n")
    for body in (chunks('{"ms":0}'), chunks("{", '"ms"', ":0}"), "8;x=y\r\n{\"ms\":0}\r\n000\r\n\r\n",
                 "08 \r\n{\"ms\":0}\r\n0\r\nTrailer: x\r\nAnother: y\r\n\r\n"):
        client.send(head + body)
        assert client.answer()[0] == 200, body
    for byte in (head + chunks('{"ms"', ":0}")).encode():
        client.send(bytes([byte]))
    assert client.answer()[0] == 200
    client.send(head.replace("advance", "freeze") + "0\r\n\r\n" + head + chunks('{"ms":0}'))
    assert [client.answer()[0] for _ in range(2)] == [200, 200]
    assert "unixMs" in curl_line("-H", "Transfer-Encoding: chunked", "--json", '{"ms":0}',
                                 "/api/v1/clock/advance")


@pytest.mark.parametrize("body", ["x\r\n", "\r\n", "-1\r\n", "0x1\r\na\r\n", "1\na\r\n", "1\r\nab\r\n",
                                  "1\r\na\n", "000000001\r\na\r\n", "1;\0\r\n", "0\r\nA: b\n\n",
                                  "1;" + 300 * "x", "0\r\n" + 5000 * "x"])
def test_what_is_no_chunk_is_refused(raw, body):
    client = raw()
    client.send(f"POST /api/v1/clock/freeze HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n{body}")
    assert client.answer()[0] == 400
    assert client.is_closed()


def test_chunks_together_have_the_limit_of_a_body(raw):
    head = (f"POST /nowhere HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n")
    for extra, status in ((0, 404), (1, 413)):
        client = raw()
        client.send(head + chunks("x" * (ADMIN_BODY_MAX - 1), "x" * (1 + extra)))
        assert client.answer()[0] == status


def test_devices_send_no_chunks(raw, api):
    since = api.last_seq()
    client = raw("https")
    client.send(f"POST /auth/devicename HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n" +
                chunks("a=b"))
    assert client.answer()[0] == 411
    api.wait_event({"type": "http-auth", "status": 411, "rules": ["DOOR-HTTP-REQUEST"]}, since=since)


NO_HOST = {"missing": "", "twice": "Host: a\r\nHost: a\r\n", "empty": "Host:\r\n",
           "user": "Host: me@localhost\r\n", "path": "Host: localhost/x\r\n",
           "port": "Host: localhost:http\r\n", "bracket": "Host: [::1\r\n"}


@pytest.mark.parametrize("host", NO_HOST.values(), ids=NO_HOST)
def test_a_request_has_one_host(raw, api, host):
    client = raw()
    client.send(f"GET /health HTTP/1.1\r\n{host}\r\n")
    assert client.answer()[0] == 400
    since = api.last_seq()
    client = raw("https")
    client.send(f"POST /auth/devicename HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n")
    assert client.answer()[0] == 200, "a device is let through"
    event = api.wait_event({"type": "http-auth", "rules": ["DOOR-HTTP-HOST"]}, since=since)
    assert [each["severity"] for each in event["findings"]
            if each["rule"] == "DOOR-HTTP-HOST"] == ["warning"]


@pytest.mark.parametrize("target", ["http://localhost/health", "HTTP://127.0.0.1:8080/health",
                                    "http://[::1]:80/health"])
def test_a_target_may_be_absolute(raw, target):
    client = raw()
    client.send(f"GET {target} HTTP/1.1\r\n{HOST}\r\n")
    assert client.answer()[0] == 200
    client.send("GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n")
    status, headers = client.answer()[:2]
    assert status == 200 and headers["Content-Type"].startswith("text/html")  # that of "/"


def test_every_answer_has_a_date(raw, api):
    api.post("/api/v1/clock/set", {"unixMs": 0})
    for listener, path in (("admin", "/health"), ("admin", "/nope"), ("https", "/nope"),
                           ("admin", " "), ("https", " ")):
        client = raw(listener)
        client.send(f"GET {path} HTTP/1.1\r\n{HOST}\r\n")
        date = email.utils.parsedate_to_datetime(client.answer()[1]["Date"])
        assert abs(date.timestamp() - time.time()) < 60, "the real time, whatever the clock says"
    api.post("/api/v1/clock/resume")


def test_a_file_that_the_browser_has_is_not_sent_again(raw):
    """RFC 9110 §13.1.2: weak tags count, and so does any that is listed."""
    def ask(*lines):
        client = raw()
        client.send("\r\n".join(["GET / HTTP/1.1", "Host: localhost", *lines, "", ""]))
        return client.answer()

    _, headers, body = ask()
    tag = headers["ETag"]
    assert body
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        status, headers, body = ask(f"If-None-Match: {known}")
        assert (status, headers["ETag"], body) == (304, tag, b"")
    for other in ('"other"', tag.strip('"'), tag[:-2] + '"', ""):
        assert ask(f"If-None-Match: {other}")[0] == 200


def test_what_a_path_takes_is_said_with_405(raw):
    for listener, path, allowed in (("admin", "/api/v1/clock", "GET"),
                                    ("https", "/auth/devicename", "POST")):
        client = raw(listener)
        client.send(f"DELETE {path} HTTP/1.1\r\n{HOST}\r\n")
        status, headers, _ = client.answer()
        assert (status, headers["Allow"]) == (405, allowed)


def test_an_older_client_is_not_told_to_go_on(raw):
    client = raw()
    client.send(f"POST /api/v1/clock/freeze HTTP/1.0\r\n{HOST}Content-Length: 2\r\n"
                "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n{}")
    assert client.answer()[0] != 100


def test_empty_lines_before_a_request_are_skipped(raw):
    for listener, status in (("admin", 200), ("https", 404)):
        client = raw(listener)
        for _ in range(2):
            client.send(f"\r\n\r\nGET /health HTTP/1.1\r\n{HOST}\r\n\r\n")
            assert client.answer()[0] == status


def test_the_api_ends_its_texts_with_a_line_end_and_the_clouds_do_not(raw):
    for listener, path, ends in (("admin", "/health", True), ("admin", "/nope", True),
                                 ("admin", "nope", True), ("https", "/nope", False),
                                 ("https", "nope", False)):
        client = raw(listener)
        client.send(f"GET {path} HTTP/1.1\r\n{HOST}\r\n")
        assert client.answer()[2].endswith(b"}\n" if ends else b"}"), path


@pytest.mark.parametrize("listener, size", [("admin", 20 * 1024 * 1024), ("https", 4 * 1024 * 1024)])
def test_a_client_that_is_still_sending_reads_why_it_is_refused(raw, listener, size):
    client = raw(listener)
    client.send(f"POST /nowhere HTTP/1.1\r\n{HOST}Content-Length: {size}\r\n\r\n")
    client.socket.sendall(size * b"x")  # to the end, without a reset
    status, headers, _ = client.answer()
    assert status == 413 and headers["Connection"] == "close"
    assert client.is_closed()


def chunked(size, piece=1024 * 1024):
    """`size` bytes as chunks, to the end of the body (RFC 9112 §7.1)."""
    whole, rest = divmod(size, piece)
    text = b"".join(b"%x\r\n%b\r\n" % (len(part), part)
                    for part in [b"x" * piece] * whole + [b"x" * rest] if part)
    return text + b"0\r\n\r\n"


def test_it_is_the_same_for_every_route_and_for_every_way_to_send_a_body(skymock, raw):
    """By length, in chunks, and when the client asks first and does not wait for the answer."""
    operations = skymock.api.get("/openapi.json")["paths"]
    takers = [(method.upper(), path.replace("{", "").replace("}", ""))
              for path, methods in operations.items() for method in methods
              if method in ("post", "put", "patch")]
    assert ("POST", "/api/v1/verify") in takers
    for method, path in takers:
        big = path in ("/api/v1/verify", "/api/v1/reset")
        size = (20 if big else 2) * 1024 * 1024
        for framing in (f"Content-Length: {size}", "Transfer-Encoding: chunked",
                        f"Content-Length: {size}\r\nExpect: 100-continue",
                        "Transfer-Encoding: chunked\r\nExpect: 100-continue"):
            client = raw()
            client.send(f"{method} {path} HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
                        f"{framing}\r\n\r\n")
            client.socket.sendall(chunked(size) if "chunked" in framing else size * b"x")
            status, headers, body = client.answer()
            if status == 100:  # it was not known yet how long the body is
                assert "chunked" in framing and "Expect" in framing
                status, headers, body = client.answer()
            assert (status, headers["Connection"]) == (413, "close"), (method, path, framing)
            assert json.loads(body)["error"]["pointer"] == ""
            assert client.is_closed()
            client.close()


@pytest.mark.parametrize("options", [[], ["-H", "Expect:"], ["-H", "Transfer-Encoding: chunked"]])
def test_curl_shows_why_it_is_refused(skymock, tmp_path, options):
    body = tmp_path / "body"
    body.write_bytes(b"x" * 20 * 1024 * 1024)
    done = subprocess.run(
        ["curl", "-sS", "-w", "%{http_code}", "--json", f"@{body}", *options,
         f"http://127.0.0.1:{skymock.ports['admin']}/api/v1/verify"],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("413") and "too long: at most 1048576 bytes" in done.stdout


def test_the_same_over_tls(skymock, ca):
    context = ssl.create_default_context(cafile=str(ca))
    size = 4 * 1024 * 1024
    client = Raw(skymock.ports["https"])
    client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
    client.send(f"POST /nowhere HTTP/1.1\r\n{HOST}Content-Length: {size}\r\n\r\n")
    client.socket.sendall(size * b"x")
    assert client.answer()[0] == 413
    assert client.is_closed()
    client.close()


def test_a_client_that_does_not_stop_sending_is_ended(raw):
    client = raw()
    client.send(f"POST /nowhere HTTP/1.1\r\n{HOST}Content-Length: 999999999\r\n\r\n")
    assert client.answer()[0] == 413
    with pytest.raises(OSError):
        for _ in range(64):  # MB; half of them are read
            client.socket.sendall(1024 * 1024 * b"x")
    client = raw()
    client.send(f"POST /nowhere HTTP/1.1\r\n{HOST}Content-Length: 999999999\r\n\r\n")
    begun = time.monotonic()
    with pytest.raises(OSError):
        while time.monotonic() < begun + 30:
            client.socket.sendall(b"x")
            time.sleep(0.1)  # a slow client is what this is about
    assert 4 < time.monotonic() - begun < 10


def test_the_head_has_a_limit(raw):
    start, end = "GET /health HTTP/1.1\r\nHost: localhost\r\nX: ", "\r\n\r\n"
    for extra, status in ((0, 200), (1, 431)):
        client = raw()
        client.send(start + "x" * (HEAD_MAX - len(start) - len(end) + extra) + end)
        answer = client.answer()
        assert answer[0] == status
        assert ("are longer than 8192 bytes" in str(answer)) == (extra == 1)
    client = raw()
    client.send("G" + "E" * HEAD_MAX)  # no line at all
    assert client.answer()[0] == 414


def test_the_target_has_a_limit(raw):
    for length, status in ((4096, 404), (4097, 414), (HEAD_MAX, 414), (2 * HEAD_MAX, 414)):
        client = raw()
        client.send(f"GET /{'x' * (length - 1)} HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = client.answer()
        assert answer[0] == status
        assert ("the request target is longer than 4096 bytes" in str(answer)) == (length == 4097)


@pytest.mark.parametrize("listener, limit", [("admin", ADMIN_BODY_MAX), ("https", DEVICE_BODY_MAX)])
def test_the_body_has_a_limit(raw, listener, limit):
    client = raw(listener)
    client.send(f"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: {limit}\r\n\r\n")
    client.send(b"x" * limit)
    assert client.answer()[0] == 404
    client = raw(listener)
    client.send(f"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: {limit + 1}\r\n\r\n")
    assert client.answer()[0] == 413


def test_a_refusal_comes_after_the_answers_before_it(raw):
    client = raw()
    client.send("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5 + "BREW /coffee HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for _ in range(5):
        status, _, body = client.answer()
        assert status == 200 and json.loads(body)["openapi"]
    assert client.answer()[0] == 501


def test_a_client_that_reads_late_gets_everything(raw, api):
    client = raw()
    client.send("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)  # answers fill every buffer between
    api.barrier()
    for _ in range(500):
        assert json.loads(client.answer()[2])["openapi"]


@pytest.mark.parametrize("size", [60_000, 64 * 1024, 80_000, 130_000, 1024 * 1024 - 2])
def test_a_large_body_sent_ahead_is_not_forgotten(raw, api, size):
    """It comes in one piece, behind a request whose answer takes its time."""
    client = raw()
    client.send("GET /api/v1/events?type=fault&count=1&wait_ms=50 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                "POST /api/v1/products HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/json\r\n"
                f"Content-Length: {size}\r\n\r\n" + "{}" + " " * (size - 2))
    assert client.answer()[0] == 200
    assert client.answer()[0] == 400


def test_a_client_that_sends_many_requests_ahead_lets_others_in(raw, api):
    many, other = raw("https"), raw("https")
    many.send("GET /many HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)
    other.send("GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert other.answer()[0] == 404
    for _ in range(500):
        assert many.answer()[0] == 404
    events = api.events(type="http-auth", limit=1000)
    paths = [event["path"] for event in events]
    assert paths.count("/many") == 500
    assert paths.index("/other") < 499, "its turn came when the other was done"


def test_a_client_that_upgrades_is_not_followed(raw):
    for protocol in ("websocket", "h2c"):
        client = raw()
        client.send(f"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        assert client.answer()[0] == 200
        client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.answer()[0] == 200


def test_half_a_request_and_gone(raw, api):
    for text in ("G", "GET /health HT", "POST /api/v1/reset HTTP/1.1\r\nContent-Length: 9\r\n\r\nxx"):
        client = raw()
        client.send(text)
        client.close()
    api.barrier()


def test_strange_paths_find_nothing(raw):
    client = raw()
    for path in ("/../../etc/passwd", "/%00", "/%zz", "//health", "/health/", "/%2e%2e",
                 "/api/v1/devices/aliyun/pk/%2F", "/api/v1/devices/aliyun/pk/%00"):
        client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.answer()[0] == 404, path
    client.send("GET /health? HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.answer()[0] == 200


def test_a_device_call_that_no_cloud_serves(raw, api):
    since = api.last_seq()
    client = raw("https")
    client.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
    status, _, body = client.answer()
    assert status == 404 and json.loads(body)["code"] == 404
    api.wait_event({"type": "http-auth", "path": "/nowhere", "status": 404}, since=since)


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * CONNECTIONS_MAX:
        pytest.skip("the system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * CONNECTIONS_MAX, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_devices_do_not_take_the_connections_of_the_api(raw, api, many_files):
    crowd = [raw("https") for _ in range(CONNECTIONS_MAX)]
    for client in crowd:
        client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.answer()[0] == 404
    one_too_many = raw("https")
    one_too_many.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert one_too_many.answer()[0] == 503
    assert api.get("/health")


def test_connections_have_a_limit(raw, api, many_files):
    api.barrier()  # this one counts too
    request = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    clients = [raw() for _ in range(CONNECTIONS_MAX - 1)]
    for client in clients:
        client.send(request)
    assert {client.answer()[0] for client in clients} == {200}
    one_too_many = raw()
    one_too_many.send(request)
    assert one_too_many.answer()[0] == 503
    clients[0].close()
    clients[1].send(request)  # the others are served on
    assert clients[1].answer()[0] == 200
    for client in clients:
        client.close()
    while int(dict(line.rsplit(" ", 1) for line in api.get("/metrics").splitlines()
                   if line[0] != "#")["skymock_http_connections"]) > 1:
        api.barrier()
    late = raw()
    late.send(request)
    assert late.answer()[0] == 200


@pytest.mark.parametrize("request_line,status", [
    ("GET /version HTTP/1.1", 200), ("GET /health HTTP/1.1", 200), ("GET /nowhere HTTP/1.1", 404),
    ("PUT /version HTTP/1.1", 405), ("GET /metrics HTTP/1.1", 200), ("GET / HTTP/1.1", 200),
    ("GET /api/v1/events/stream HTTP/1.1", 200), ("POST /api/v1/reset HTTP/1.1", 204),
    ("GET /version HTTP/1.1\r\nHost: another", 400),
])
def test_no_answer_is_to_be_guessed_at(raw, request_line, status):
    client = raw()
    client.send(f"{request_line}\r\nHost: localhost\r\n\r\n")
    got, headers, _ = client.answer()
    assert got == status and headers["X-Content-Type-Options"] == "nosniff"
