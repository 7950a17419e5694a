"""Downloads of firmware, as the vendors' SDKs make them: ranges one too long, heads that are read
with a small buffer, transfers that break off and go on."""

import contextlib
import hashlib
import json
import socket
import sqlite3
import struct
import time

import pytest
import server
import sums
from upgrades import DEVICE, PATH, connect, fetch, image_bytes, log_in, path_of, read_body
from upgrades import read_head, upload

SIZE = 200_003


@pytest.fixture(scope="module")
def image():
    return image_bytes(SIZE)


@pytest.fixture
def file(skymock, peer, image):
    """The path of an image that a device was told of."""
    device = log_in(peer("mqtt"))
    status, created = upload(skymock.ports["admin"], PATH + "?version=9", image)
    assert status == 202, created
    return path_of(device.told()["url"])


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("asked, status, first, last", [
    (None, 200, 0, SIZE - 1),
    ("bytes=0-", 206, 0, SIZE - 1),
    ("bytes=1000-", 206, 1000, SIZE - 1),
    (f"bytes=0-{SIZE}", 206, 0, SIZE - 1),          # one too many, as Tencent's C SDK has it
    (f"bytes=65536-{SIZE}", 206, 65536, SIZE - 1),
    ("bytes=65535-65536", 206, 65535, 65536),
    ("bytes=5-5", 206, 5, 5),
    (f"bytes={SIZE - 1}-", 206, SIZE - 1, SIZE - 1),
    ("bytes=-7", 206, SIZE - 7, SIZE - 1),
    (f"bytes=-{SIZE * 2}", 206, 0, SIZE - 1),
    ("Bytes=2-3", 206, 2, 3),
    ("bytes=9-3", 200, 0, SIZE - 1),
    ("bytes=0-1,5-6", 200, 0, SIZE - 1),
    ("bytes=", 200, 0, SIZE - 1),
    ("bytes=-", 200, 0, SIZE - 1),
    ("lines=0-1", 200, 0, SIZE - 1),
])
def test_ranges(skymock, file, image, tls, asked, status, first, last):
    got = fetch(connect(skymock.ports["https"], tls), file, byte_range=asked)
    assert got.status == status and got.body == image[first:last + 1]
    assert got.fields["Content-Length"] == str(last - first + 1)
    if status == 206:
        assert got.fields["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    else:
        assert "Content-Range" not in got.fields
    assert "\r\nContent-Length: " in got.head and len(got.head) < 1024
    assert len(got.line) + 2 <= 32
    assert "Transfer-Encoding" not in got.fields and "Content-Encoding" not in got.fields


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE}", "bytes=-0"])
def test_behind_the_end(skymock, file, asked):
    got = fetch(connect(skymock.ports["https"]), file, byte_range=asked)
    assert got.status == 416 and got.fields["Content-Range"] == f"bytes */{SIZE}"
    assert len(got.line) + 2 <= 32


def test_a_head_without_a_body(skymock, file, image):
    sock = connect(skymock.ports["https"])
    got = fetch(sock, file, method="HEAD", byte_range="bytes=0-1")
    assert got.status == 200 and got.fields["Content-Length"] == str(SIZE)
    assert fetch(sock, file).body == image  # and the connection goes on


def test_connections_last_as_the_client_wishes(skymock, file, image):
    sock = connect(skymock.ports["https"])
    for _ in range(3):
        got = fetch(sock, file)
        assert got.fields["Connection"] == "keep-alive" and got.body == image
    got = fetch(sock, file, keep=False)
    assert got.fields["Connection"] == "close" and got.body == image
    assert sock.recv(1) == b""


def test_requests_ahead_are_answered_in_order(skymock, file, image):
    sock = connect(skymock.ports["https"])
    request = f"GET {file} HTTP/1.1\r\nHost: h\r\nRange: bytes={{}}-{{}}\r\n\r\n"
    sock.sendall("".join(request.format(n * 70_000, n * 70_000 + 69_999)
                         for n in range(2)).encode())
    for n in range(2):
        assert f"bytes {n * 70_000}-" in read_head(sock)
        assert read_body(sock, 70_000) == image[n * 70_000:(n + 1) * 70_000]


@pytest.mark.parametrize("path", ["/u1-aaaaaaaaaaaaaaaaaaaaaaaa", "/u999999-x", "/u-1", "/u1",
                                  "/c1-00000000000000000000000000000000", "/nothing"])
def test_unknown(skymock, file, path):
    got = fetch(connect(skymock.ports["https"]), path)
    assert got.status == 404 and len(got.line) + 2 <= 32
    assert fetch(connect(skymock.ports["https"]), file + "x").status == 404
    assert fetch(connect(skymock.ports["https"]), file + "/x").status == 404


def test_expired(skymock, file):
    skymock.api.freeze()
    skymock.api.advance(24 * 3600 * 1000 - 60_000)
    assert fetch(connect(skymock.ports["https"]), file).status == 200
    skymock.api.advance(60_000)
    got = fetch(connect(skymock.ports["https"]), file)
    assert got.status == 403 and len(got.line) + 2 <= 32
    event = skymock.api.wait_event({"type": "download", "status": 403})
    assert event["device"] == DEVICE and event["count"] == 0


@pytest.fixture
def online_upgrading(skymock, peer):
    """(come back and report, path)"""
    def come():
        device = log_in(peer("mqtt"))
        device.report("1")
        return path_of(device.told()["url"])

    skymock.api.post(PATH, {"version": "9", "size": 1000})
    return come, come()


def test_told_again_is_good_again(skymock, online_upgrading):
    device, path = online_upgrading
    skymock.api.freeze()
    skymock.api.advance(25 * 3600 * 1000)
    assert fetch(connect(skymock.ports["https"]), path).status == 403
    device()
    assert fetch(connect(skymock.ports["https"]), path).status == 200


def test_broken_off_and_resumed(skymock, file, image):
    sock = connect(skymock.ports["https"])
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.sendall(f"GET {file} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    read_head(sock)
    have = read_body(sock, 1000)
    sock.close()
    rest = fetch(connect(skymock.ports["https"]), file, byte_range=f"bytes={len(have)}-{SIZE}")
    assert rest.status == 206 and have + rest.body == image
    event = skymock.api.wait_event({"type": "download", "status": 206})
    assert event["range"] == f"bytes=1000-{SIZE}" and event["count"] == SIZE - 1000


def test_a_slow_reader_gets_all(skymock, peer):
    """It holds up nobody, and what it has not read waits in the store."""
    device = log_in(peer("mqtt"))
    created = skymock.api.post(PATH, {"version": "9", "size": 6 * 1024 * 1024})
    path = path_of(device.told()["url"])
    slow, quick = connect(skymock.ports["https"]), connect(skymock.ports["https"], tls=True)
    slow.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    read_head(slow)
    time.sleep(0.2)
    assert hashlib.md5(fetch(quick, path).body).hexdigest() == created["md5"]
    assert hashlib.md5(read_body(slow, created["size"])).hexdigest() == created["md5"]


def test_other_methods_are_not_taken(skymock, file):
    got = fetch(connect(skymock.ports["https"]), file, method="DELETE")
    assert got.status == 404


def test_a_piece_that_cannot_be_read(tmp_path):
    """What came is good, the connection ends, the journal says why, and everybody else goes on."""
    path = tmp_path / "store.db"
    first = server.Skymock("--store", str(path))
    try:
        assert upload(first.ports["admin"], PATH + "?version=9", image_bytes(SIZE))[0] == 202
    finally:
        first.stop()
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.execute("DELETE FROM image_piece WHERE place = 1")
        store.commit()
    sums.mend(path)
    second = server.Skymock("--store", str(path))
    try:
        peer = server.Peer(second.ports["mqtt"])
        name = path_of(log_in(peer).told()["url"])
        sock = connect(second.ports["https"])
        sock.sendall(f"GET {name} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert " 200 " in read_head(sock)
        assert read_body(sock, SIZE) == image_bytes(SIZE)[:65536]
        event = second.api.wait_event({"type": "download"})
        assert event["count"] == 65536 and "store" in event["reason"]
        rest = fetch(connect(second.ports["https"]), name, byte_range="bytes=131072-")
        assert rest.body == image_bytes(SIZE)[131072:]
        peer.close()
    finally:
        second.stop()


def test_configurations_are_downloaded_by_what_they_hold(skymock):
    """A product's number is the store's: the name that is good is one of a few."""
    config = {"interval": 30, "name": "x" * 100}
    skymock.api.post("/api/v1/products", {"products": [
        {"cloud": "aliyun", "productKey": "withconfig", "config": config}]})
    digest = hashlib.sha256(json.dumps(config, separators=(",", ":")).encode()).hexdigest()
    sock = connect(skymock.ports["https"])
    good = [got for got in (fetch(sock, f"/c{number}-{digest[:32]}") for number in range(1, 30))
            if got.status == 200]
    assert len(good) == 1 and json.loads(good[0].body) == config
    event = skymock.api.wait_event({"type": "download", "status": 200})
    assert event["cloud"] == "aliyun" and event["product"] == "withconfig"
