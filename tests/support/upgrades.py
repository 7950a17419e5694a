"""What tests of upgrades and downloads share: a Tencent device that takes an upgrade, and a client
of HTTP that looks at every byte of a head, as SDKs do."""

import http.client
import json
import random
import socket
import ssl

import credentials

DEVICE = "tencent/PROD123456/dev001"
PATH = f"/api/v1/devices/{DEVICE}/ota"
UPDATE, REPORT = "$ota/update/PROD123456/dev001", "$ota/report/PROD123456/dev001"


class Upgrading:
    """A device on a raw connection, subscribed to what tells it of upgrades."""

    def __init__(self, peer, subscribe=True):
        self.peer = peer
        if subscribe:
            self.subscribe()

    def subscribe(self):
        self.peer.send_packet(type="subscribe", id=1, filters=[[UPDATE, 1]])
        assert self.peer.receive()["type"] == "suback"

    def publish(self, message):
        self.peer.send_packet(type="publish", topic=REPORT, payload=json.dumps(message))

    def report(self, version):
        self.publish({"type": "report_version", "report": {"version": version}})

    def progress(self, version, state, percent=None, code="0"):
        progress = {"state": state, "result_code": code, "result_msg": ""}
        if percent is not None:
            progress["percent"] = str(percent)
        self.publish({"type": "report_progress",
                      "report": {"progress": progress, "version": version}})

    def told(self):
        """The next push of an upgrade."""
        while True:
            packet = self.peer.receive()
            assert packet is not None, "closed instead of told"
            if packet["type"] != "publish":
                continue
            if packet.get("id"):
                self.peer.send_packet(type="puback", id=packet["id"])
            message = json.loads(packet["payload"])
            if message.get("type") == "update_firmware":
                return message


def image_bytes(size):
    """The same for the same size, and no two pieces alike."""
    return random.Random(size).randbytes(size)


def log_in(peer):
    """The device, online on a raw connection, and listening."""
    peer.send_packet(type="connect", clean=True, keepalive=60, **credentials.login(DEVICE))
    assert peer.receive()["code"] == 0
    return Upgrading(peer)


def path_of(url):
    return "/" + url.rsplit("/", 1)[1]


class Fetched:
    """An answer, with its head as it was on the wire."""

    def __init__(self, head, body):
        self.head, self.body = head, body
        line, *fields = head.split("\r\n")
        self.line, self.status = line, int(line.split()[1])
        self.fields = dict(field.split(": ", 1) for field in fields if field)


def connect(port, tls=False):
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    if not tls:
        return sock
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock)


def read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(1)
        assert more, f"closed within a head: {data!r}"
        data += more
    return data.decode()


def read_body(sock, length):
    data = b""
    while len(data) < length:
        more = sock.recv(min(65536, length - len(data)))
        if not more:
            break
        data += more
    return data


def fetch(sock, path, method="GET", byte_range=None, keep=True):
    """One request on a connection that stays open."""
    request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    request += f"Range: {byte_range}\r\n" if byte_range else ""
    request += "" if keep else "Connection: close\r\n"
    sock.sendall((request + "Accept-Encoding: gzip, deflate\r\n\r\n").encode())
    head = read_head(sock)
    answer = Fetched(head, b"")
    if method != "HEAD":
        answer.body = read_body(sock, int(answer.fields["Content-Length"]))
    return answer


def upload(port, path, body, chunked=False, content_type="application/octet-stream"):
    """(status, JSON) of a POST whose body is an image; `body` may be a list of chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, body=iter(body) if chunked else body,
                       headers={"Content-Type": content_type}, encode_chunked=chunked)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)
