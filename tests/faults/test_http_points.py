"""Answers to the vendors' HTTP calls, and what they download, with every action that makes sense
there, in the clear and by TLS: what the device sees is exactly that."""

import os
import select
import socket
import time

import breaking
import pytest
import server
import upgrades
from aliyun.credentials import token_form

DEVICE = "aliyun/pk/device"
TOKEN = "/auth/devicename"
ANYWAY = ("ALI-HTTPS-PLAIN", "ALI-HTTPS-SIGNMETHOD-DEFAULT")
SIZE = 100_003
CALLS = {  # what each cloud's devices call, and a word of what they are answered
    TOKEN: (token_form(DEVICE), "iotToken"),
    "/auth/register/device": ("productKey=pk&deviceName=device&random=1&sign=1&signMethod=HmacMD5",
                              "code"),
    "/device/publish": ("{}", "Error"),
    "/device/reportlog": ("{}", "Error"),
    "/cgi-bin/report-log": ("x", "Retcode"),
    "/register/dev": ("{}", "code"),
    "/device/register": ("{}", "Error"),
}


def call(sock, path=TOKEN, keep=False):
    body = CALLS[path][0]
    sock.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{'' if keep else 'Connection: close'}"
                 f"{'' if keep else chr(13) + chr(10)}Content-Type: "
                 "application/x-www-form-urlencoded\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n{body}".encode())


def answer(sock):
    """(status, head, body)"""
    head = upgrades.read_head(sock)
    fetched = upgrades.Fetched(head, b"")
    return fetched.status, head, upgrades.read_body(sock, int(fetched.fields["Content-Length"]))


def rest(sock):
    """All until the end."""
    data = b""
    while more := sock.recv(65536):
        data += more
    return data


def is_silent(api, sock):
    api.barrier()
    return not select.select([sock], [], [], 0)[0]


def is_reset(sock):
    """Seen below TLS, which takes it for an end."""
    with socket.socket(fileno=os.dup(sock.fileno())) as raw:
        raw.settimeout(server.PATIENCE_S)
        try:
            raw.recv(1)
        except ConnectionResetError:
            return True
    return False


@pytest.fixture(params=["clear", "tls"])
def tls(request):
    return request.param == "tls"


@pytest.fixture
def dial(skymock, tls):
    """dial() is a connection to the listener of HTTP."""
    opened = []

    def open_one():
        opened.append(upgrades.connect(skymock.ports["https"], tls))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def fired(api, action):
    return api.wait_event({"type": "fault", "point": "http-answer", "action": action})


@pytest.mark.parametrize("keep", [False, True])
def test_withheld(api, dial, keep):
    breaking.make(api, "http-answer", "withhold", count=1)
    sock = dial()
    call(sock, keep=keep)
    assert fired(api, "withhold")["device"] == DEVICE
    other = dial()
    call(other)
    assert answer(other)[0] == 200
    assert is_silent(api, sock)
    breaking.nobody_is_accused(api, ANYWAY)


@pytest.mark.parametrize("keep", [False, True])
def test_late(api, dial, keep):
    """Whatever was asked for behind it waits, too; and the end, if the client wants one."""
    api.freeze()
    breaking.make(api, "http-answer", "delay", ms=5000, count=1)
    sock = dial()
    call(sock, keep=True)
    fired(api, "delay")
    call(sock, keep=keep)
    api.advance(4999)
    assert is_silent(api, sock)
    api.advance(1)
    assert b"iotToken" in answer(sock)[2] and b"iotToken" in answer(sock)[2]
    assert keep or sock.recv(1) == b""
    breaking.nobody_is_accused(api, ANYWAY)


def test_late_and_last(api, dial):
    api.freeze()
    breaking.make(api, "http-answer", "delay", ms=5000, count=1)
    sock = dial()
    call(sock)
    fired(api, "delay")
    assert is_silent(api, sock)
    api.advance(5000)
    assert b"iotToken" in answer(sock)[2]
    assert sock.recv(1) == b""


def test_several_times(api, dial):
    breaking.make(api, "http-answer", "duplicate", times=2, count=1)
    sock = dial()
    call(sock)
    answers = {answer(sock) for _ in range(3)}
    assert len(answers) == 1 and rest(sock) == b""
    breaking.nobody_is_accused(api, ANYWAY)


@pytest.mark.parametrize("lie, status, body", [
    ({"status": 503}, 503, None), ({"payload": "gone fishing"}, 200, b"gone fishing"),
    ({"status": 500, "payload": "{"}, 500, b"{"),
    ({"payload": '{"code":200,"data":{}}', "merge": {"code": 401}}, 200, b'{"code":401,"data":{}}')])
def test_a_lie(api, dial, lie, status, body):
    breaking.make(api, "http-answer", "set", count=1, **lie)
    sock = dial()
    call(sock)
    got = answer(sock)
    assert got[0] == status
    assert got[2] == body if body else b"iotToken" in got[2]
    breaking.nobody_is_accused(api, ANYWAY)


def test_damaged(api, dial):
    breaking.make(api, "http-answer", "corrupt", at=0, bytes=4, count=1)
    sock = dial()
    call(sock)
    data = rest(sock)
    assert all(byte != due for byte, due in zip(data[:4], b"HTTP"))
    assert data[4:].startswith(b"/1.1 200 OK\r\n")
    breaking.make(api, "http-answer", "corrupt", bytes=1, count=1, seed=5)
    seen = []
    for _ in range(2):
        other = dial()
        call(other)
        seen.append(rest(other))
    assert len(seen[0]) == len(seen[1])


@pytest.mark.parametrize("at", [0, 1, 12, 150])
def test_cut(api, dial, at):
    breaking.make(api, "http-answer", "cut", at=at, count=1)
    sock = dial()
    call(sock, keep=True)
    data = rest(sock)
    assert len(data) == at and b"HTTP/1.1 200 OK"[:at] == data[:15]
    breaking.nobody_is_accused(api, ANYWAY)


def test_closed(api, dial):
    breaking.make(api, "http-answer", "close", count=1)
    sock = dial()
    call(sock, keep=True)
    assert rest(sock) == b""
    breaking.nobody_is_accused(api, ANYWAY)


def test_reset(api, dial):
    breaking.make(api, "http-answer", "reset", count=1)
    sock = dial()
    call(sock, keep=True)
    assert is_reset(sock)
    breaking.nobody_is_accused(api, ANYWAY)


def test_frozen(api, dial):
    number = breaking.make(api, "http-answer", "freeze", count=1)
    sock = dial()
    call(sock, keep=True)
    fired(api, "freeze")
    call(sock)
    assert is_silent(api, sock)
    breaking.end(api, number)
    assert is_reset(sock)
    breaking.nobody_is_accused(api, ANYWAY)


def test_dripping(api, dial):
    breaking.make(api, "http-answer", "drip", bytesPerS=2000, count=1)
    sock = dial()
    began = time.monotonic()
    call(sock)
    assert len(rest(sock)) > 200
    assert time.monotonic() - began >= 0.1
    breaking.nobody_is_accused(api, ANYWAY)


# ---- which ----

@pytest.mark.parametrize("path", CALLS)
def test_every_clouds_calls_are_chosen_by_their_path(api, dial, path):
    breaking.make(api, "http-answer", "set", status=599, match={"path": path, "method": "POST"})
    for each, (_, word) in CALLS.items():
        sock = dial()
        call(sock, each)
        status, _, body = answer(sock)
        assert (status == 599) == (each == path), each
        assert word in body.decode(), body


def test_calls_that_are_refused(api, dial):
    breaking.make(api, "http-answer", "set", status=500, count=1, match={"status": 405})
    sock = dial()
    sock.sendall(b"GET /auth/devicename HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer(sock)[0] == 500


def test_a_device_or_a_product_of_the_call(api, dial):
    breaking.make(api, "http-answer", "set", status=599, device="aliyun/pk/other", count=1)
    breaking.make(api, "http-answer", "set", status=598, product="aliyun/pk", count=1)
    for due in (598, 200):
        sock = dial()
        call(sock)
        assert answer(sock)[0] == due


# ---- downloads ----

@pytest.fixture
def file(skymock, peer):
    """The path of an image that a device was told of."""
    device = upgrades.log_in(peer("mqtt"))
    status, created = upgrades.upload(skymock.ports["admin"], upgrades.PATH + "?version=9",
                                      upgrades.image_bytes(SIZE))
    assert status == 202, created
    return upgrades.path_of(device.told()["url"])


def get(sock, file, keep=False):
    sock.sendall(f"GET {file} HTTP/1.1\r\nHost: localhost\r\n"
                 f"{'' if keep else 'Connection: close'}\r\n\r\n".replace("\r\n\r\n\r\n",
                                                                          "\r\n\r\n").encode())


def test_a_download_is_whole_when_nothing_hits_it(api, dial, file):
    breaking.make(api, "http-answer", "close", match={"path": TOKEN})
    sock = dial()
    get(sock, file)
    assert answer(sock)[2] == upgrades.image_bytes(SIZE)


def test_a_download_is_withheld(api, dial, file):
    breaking.make(api, "http-answer", "withhold", device=upgrades.DEVICE, count=1)
    sock = dial()
    get(sock, file)
    fired(api, "withhold")
    assert is_silent(api, sock)


def test_a_download_comes_late(api, dial, file):
    api.freeze()
    breaking.make(api, "http-answer", "delay", ms=5000, count=1)
    sock = dial()
    get(sock, file)
    fired(api, "delay")
    assert is_silent(api, sock)
    api.advance(5000)
    assert answer(sock)[2] == upgrades.image_bytes(SIZE)


@pytest.mark.parametrize("at", [10, 5000, 70_000, SIZE])
def test_a_download_is_cut(api, dial, file, at):
    breaking.make(api, "http-answer", "cut", at=at, count=1, match={"path": file})
    sock = dial()
    get(sock, file, keep=True)
    data = rest(sock)
    assert len(data) == at
    body = data.partition(b"\r\n\r\n")[2]
    assert upgrades.image_bytes(SIZE).startswith(body)
    breaking.nobody_is_accused(api, ANYWAY)


def test_a_download_is_damaged(api, dial, file):
    breaking.make(api, "http-answer", "corrupt", at=80_000, bytes=2, count=1)
    sock = dial()
    get(sock, file)
    _, head, body = answer(sock)
    due = upgrades.image_bytes(SIZE)
    assert [i for i in range(SIZE) if body[i] != due[i]] == [80_000 - len(head), 80_001 - len(head)]
    breaking.nobody_is_accused(api, ANYWAY)


@pytest.mark.parametrize("action", ["close", "reset"])
def test_a_download_ends_before_it_begins(api, dial, file, action):
    breaking.make(api, "http-answer", action, count=1)
    sock = dial()
    get(sock, file, keep=True)
    assert is_reset(sock) if action == "reset" else rest(sock) == b""
    breaking.nobody_is_accused(api, ANYWAY)


def test_a_download_freezes(api, dial, file):
    number = breaking.make(api, "http-answer", "freeze", count=1)
    sock = dial()
    get(sock, file)
    fired(api, "freeze")
    assert is_silent(api, sock)
    breaking.end(api, number)
    assert is_reset(sock)


def test_a_download_drips(api, dial, file):
    breaking.make(api, "http-answer", "drip", bytesPerS=400_000, count=1)
    sock = dial()
    began = time.monotonic()
    get(sock, file)
    assert answer(sock)[2] == upgrades.image_bytes(SIZE)
    assert time.monotonic() - began >= 0.2
    breaking.nobody_is_accused(api, ANYWAY)


@pytest.mark.parametrize("lie, status", [({"status": 404}, 404), ({"payload": "oops"}, 200),
                                         ({"status": 500, "payload": "oops"}, 500)])
def test_a_download_that_lies(api, dial, file, lie, status):
    breaking.make(api, "http-answer", "set", count=1, **lie)
    sock = dial()
    get(sock, file)
    got = answer(sock)
    assert got[0] == status
    assert got[2] == (b"oops" if "payload" in lie else upgrades.image_bytes(SIZE))
    breaking.nobody_is_accused(api, ANYWAY)


def test_what_cannot_be(api):
    for action, more in {"reorder": {"ms": 1}, "certificate": {"kind": "expired"}}.items():
        assert breaking.refusal(api, "http-answer", action, **more) == (400, "/action")
