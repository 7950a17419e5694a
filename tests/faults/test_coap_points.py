"""Faults of CoAP: its answers, whole datagrams of DTLS, and its handshakes. Every action, and that
the device sees exactly that."""

import json
import struct
import subprocess

import breaking
import coap
import pytest
import server
from enos import credentials as enos

DEVICE, SECOND = "enos/KV315idW/tPbZGCdmaE", "enos/KV315idW/second"
PATH = "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post"


class Post:
    """Reports of a device, one datagram each."""

    def __init__(self, device, path=PATH):
        self.device, self.path = device, path

    def send(self, mid):
        body = {"id": str(mid), "version": "1.0", "params": {"measurepoints": {"Power": mid}},
                "method": "thing.measurepoint.post"}
        self.device.send(coap.encode(coap.POST, self.path, json.dumps(body).encode(), mid=mid,
                                     token=struct.pack(">H", mid)))

    def receive(self):
        return self.device.receive()

    def hears_nothing(self, api):
        api.barrier()
        return self.device.receive(0) is None and self.device.process.poll() is None


@pytest.fixture
def tap(skymock):
    opened = breaking.Tap(skymock.ports["coaps"])
    yield opened
    opened.close()


@pytest.fixture
def opened():
    devices = []
    yield devices
    for each in devices:
        each.close()


@pytest.fixture
def device(tap, opened):
    """A device with an open session, whose datagrams come by the tap."""
    opened.append(coap.Device(tap.port, enos.identity(DEVICE), enos.key(DEVICE)))
    return Post(opened[0])


@pytest.fixture
def second(skymock, opened):
    """second() opens another device's session."""
    def open_one():
        opened.append(coap.Device(skymock.ports["coaps"], enos.identity(SECOND),
                                  enos.key(SECOND)))
        return Post(opened[-1], PATH.replace("tPbZGCdmaE", "second"))
    return open_one


def fires(api, point, action):
    return api.wait_event({"type": "fault", "point": point, "action": action})


POINTS = ["coap-answer", "datagram-down", "datagram-up"]


# ---- what all three have ----

@pytest.mark.parametrize("point", POINTS)
def test_withheld_once_and_answered_when_it_is_sent_again(api, device, second, point):
    breaking.make(api, point, "withhold", device=DEVICE, count=1)
    device.send(1)
    assert fires(api, point, "withhold")["device"] == DEVICE
    assert device.hears_nothing(api)
    other = second()
    other.send(5)
    assert other.receive().mid == 5
    device.send(1)
    assert device.receive().mid == 1
    requests = api.events(type="coap-request", device=DEVICE)
    assert len(requests) == (1 if point == "datagram-up" else 2)
    breaking.nobody_is_accused(api)


def held(api, device, point, action, ms):
    """The device's first is, while the clock stands still."""
    api.freeze()
    breaking.make(api, point, action, ms=ms, count=1, device=DEVICE)
    device.send(1)
    fires(api, point, action)
    assert device.hears_nothing(api)


@pytest.mark.parametrize("point", POINTS)
def test_late(api, device, point):
    held(api, device, point, "delay", 5000)
    api.advance(4999)
    assert device.hears_nothing(api)
    api.advance(1)
    assert device.receive().mid == 1
    breaking.nobody_is_accused(api)


@pytest.mark.parametrize("point", POINTS)
def test_behind_the_next(api, device, point):
    held(api, device, point, "reorder", 60_000)
    device.send(2)
    assert device.receive().mid == 2
    api.wait_event({"type": "coap-response", "of": api.events(type="coap-request")[-1]["seq"]})
    breaking.nobody_is_accused(api)


@pytest.mark.parametrize("point", POINTS)
def test_behind_none_if_none_comes(api, device, point):
    held(api, device, point, "reorder", 5000)
    api.advance(5000)
    assert device.receive().mid == 1


@pytest.mark.parametrize("point, action, more", [
    *((point, "close", {}) for point in POINTS),
    ("datagram-up", "cut", {"at": 20})])  # of what a device sends, a part is nothing
def test_the_session_is_closed_in_its_place(api, device, point, action, more):
    breaking.make(api, point, action, count=1, device=DEVICE, **more)
    device.send(1)
    assert device.receive() is None  # goodbye (RFC 5246 §7.2.1)
    device.device.process.wait(server.PATIENCE_S)
    breaking.nobody_is_accused(api)


@pytest.mark.parametrize("point", POINTS)
def test_the_session_is_forgotten_in_its_place(api, tap, device, point):
    breaking.make(api, point, "reset", count=1, device=DEVICE)
    before = len(tap.down)
    device.send(1)
    fires(api, point, "reset")
    api.wait_event({"type": "close", "device": DEVICE})
    device.send(2)  # which belongs to nobody any more
    api.wait_event({"type": "malformed"})
    assert device.hears_nothing(api) and len(tap.down) == before


@pytest.mark.parametrize("point", POINTS)
def test_the_session_hangs_from_then_on(api, tap, device, second, point, opened):
    number = breaking.make(api, point, "freeze", count=1, device=DEVICE)
    before = len(tap.down)
    device.send(1)
    fires(api, point, "freeze")
    device.send(2)
    other = second()
    other.send(5)
    assert other.receive().mid == 5
    assert device.hears_nothing(api) and len(tap.down) == before
    assert not api.events(type="close", device=DEVICE)
    breaking.end(api, number)
    api.wait_event({"type": "close", "device": DEVICE})
    assert len(tap.down) == before
    breaking.nobody_is_accused(api)


# ---- answers ----

def test_an_answer_comes_several_times(api, tap, device):
    before = len(tap.down)
    breaking.make(api, "coap-answer", "duplicate", times=2, count=1)
    device.send(1)
    assert device.receive().mid == 1
    device.send(2)
    api.wait_event({"type": "coap-response", "of": api.events(type="coap-request")[-1]["seq"]})
    while len(tap.down) < before + 4:
        api.barrier()
    assert len(tap.down) == before + 4


@pytest.mark.parametrize("status, code", [(500, "5.00"), (404, "4.04"), (503, "5.03")])
def test_an_answer_that_lies(api, device, status, code):
    breaking.make(api, "coap-answer", "set", status=status, payload="not today", count=1)
    device.send(1)
    answer = device.receive()
    assert (answer.code, answer.payload, answer.mid) == (code, b"not today", 1)
    device.send(2)
    assert device.receive().code == "2.04"


def test_an_answer_that_is_damaged(api, device):
    breaking.make(api, "coap-answer", "corrupt", at=0, bytes=1, count=1)
    device.send(1)
    assert device.receive().mid == 1  # the first byte says what kind of message it is
    breaking.make(api, "coap-answer", "corrupt", at=3, bytes=1, count=1)
    device.send(2)
    assert device.receive().mid != 2
    breaking.nobody_is_accused(api)


@pytest.mark.parametrize("at", [1, 4, 9])
def test_an_answer_that_is_cut(api, device, at):
    """In a record that is whole; then the session is closed."""
    faults_before = len(api.events(type="fault"))
    breaking.make(api, "coap-answer", "cut", at=at, count=1)
    device.send(1)
    device.device.process.wait(server.PATIENCE_S)
    assert len(device.device.process.stdout.read()) == at
    assert len(api.events(type="fault")) == faults_before + 1
    breaking.nobody_is_accused(api)


def test_an_answer_is_chosen_by_what_was_asked(api, device):
    breaking.make(api, "coap-answer", "set", status=500,
                match={"method": "POST", "path": {"matches": "/measurepoint/post$"}}, count=1)
    breaking.make(api, "coap-answer", "set", status=503, match={"path": "/elsewhere"})
    device.send(1)
    assert device.receive().code == "5.00"
    device.send(2)
    assert device.receive().code == "2.04"


# ---- datagrams ----

@pytest.mark.parametrize("times", [1, 3])
def test_a_datagram_comes_down_several_times(api, tap, device, times):
    breaking.make(api, "datagram-down", "duplicate", times=times, count=1, device=DEVICE)
    before = len(tap.down)
    device.send(1)
    assert device.receive().mid == 1
    while len(tap.down) < before + 1 + times:
        api.barrier()
    assert len(set(tap.down[before:])) == 1 and len(tap.down) == before + 1 + times


def test_a_datagram_comes_up_twice(api, device):
    """DTLS drops what it has seen (RFC 6347 §4.1.2.6): a copy changes nothing."""
    breaking.make(api, "datagram-up", "duplicate", times=2, count=1, device=DEVICE)
    device.send(1)
    assert device.receive().mid == 1
    device.send(2)
    assert device.receive().mid == 2
    assert len(api.events(type="coap-request", device=DEVICE)) == 2
    breaking.nobody_is_accused(api)


@pytest.mark.parametrize("point", ["datagram-down", "datagram-up"])
def test_a_damaged_datagram_is_dropped_by_who_gets_it(api, device, point):
    breaking.make(api, point, "corrupt", at=20, bytes=4, count=1, device=DEVICE)
    device.send(1)
    fires(api, point, "corrupt")
    assert device.hears_nothing(api)
    device.send(1)
    assert device.receive().mid == 1
    breaking.nobody_is_accused(api)


def test_a_datagram_that_is_cut(api, tap, device):
    breaking.make(api, "datagram-down", "cut", at=7, count=1, device=DEVICE)
    before = len(tap.down)
    device.send(1)
    fires(api, "datagram-down", "cut")
    device.device.process.wait(server.PATIENCE_S)  # the session is closed behind it
    assert len(tap.down[before]) == 7
    breaking.nobody_is_accused(api)


def test_datagrams_of_a_handshake_pass_too(skymock, api, tap, opened):
    breaking.make(api, "datagram-down", "withhold", count=2,
                match={"peer": "%s:%d" % tap.address, "listener": "coaps"})
    opened.append(coap.Device(tap.port, enos.identity(DEVICE), enos.key(DEVICE)))  # tries again
    device = Post(opened[0])
    device.send(1)
    assert device.receive().mid == 1
    assert len(api.events(type="fault")) == 2
    breaking.nobody_is_accused(api)


# ---- handshakes ----

def shake(port, name=DEVICE):
    return subprocess.Popen(
        ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-psk_identity",
         enos.identity(name), "-psk", enos.key(name).hex(), "-cipher", "PSK-AES128-CCM8",
         "-brief", "-nocommands"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture
def shaking(tap):
    """A client that shakes hands by the tap."""
    started = []

    def start(port=None, name=DEVICE):
        started.append(shake(port or tap.port, name))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


@pytest.mark.parametrize("action", ["withhold", "freeze", "reset"])
@pytest.mark.parametrize("whom", ["identity", "device"])
def test_a_handshake_is_left_hanging(skymock, api, tap, shaking, second, action, whom):
    chosen = {"device": DEVICE} if whom == "device" else \
        {"match": {"identity": enos.identity(DEVICE), "type": "psk-handshake"}}
    breaking.make(api, "handshake", action, **chosen)
    shaking()
    assert fires(api, "handshake", action)["device"] == DEVICE
    before = len(tap.down)
    second()
    assert len(tap.down) == before and not api.events(type="psk-handshake", device=DEVICE)
    breaking.nobody_is_accused(api)


def test_a_handshake_is_refused(api, shaking):
    breaking.make(api, "handshake", "close", count=1)
    said, _ = shaking().communicate(timeout=server.PATIENCE_S)
    assert b"alert handshake failure" in said
    breaking.nobody_is_accused(api)


def test_a_handshake_ends_late(api, tap, shaking):
    api.freeze()
    breaking.make(api, "handshake", "delay", ms=5000, count=1)
    client = shaking()
    fires(api, "handshake", "delay")
    api.wait_event({"type": "psk-handshake", "device": DEVICE})
    before = len(tap.down)
    api.advance(4999)
    api.barrier()
    assert len(tap.down) == before
    api.advance(1)
    for line in client.stdout:
        if b"ESTABLISHED" in line:
            break
    else:
        raise AssertionError("the handshake was not completed")
    breaking.nobody_is_accused(api)


def test_a_damaged_handshake_is_mended_by_its_repetition(api, shaking):
    breaking.make(api, "handshake", "corrupt", at=40, bytes=1, count=1)  # in the Finished
    client = shaking()
    fires(api, "handshake", "corrupt")
    for line in client.stdout:
        if b"ESTABLISHED" in line:
            break
    else:
        raise AssertionError("the handshake was not completed")
    breaking.nobody_is_accused(api)


@pytest.mark.parametrize("action, more", [("certificate", {"kind": "expired"}),
                                          ("drip", {"bytesPerS": 1}), ("cut", {"at": 1})])
def test_what_datagrams_and_keys_do_not_have(api, device, action, more):
    breaking.make(api, "handshake", action, **more)
    device.send(1)
    assert device.receive().mid == 1
    assert not api.events(type="fault")


@pytest.mark.parametrize("point, action", [
    ("coap-answer", "drip"), ("coap-answer", "certificate"),
    ("datagram-up", "set"), ("datagram-up", "drip"), ("datagram-up", "certificate"),
    ("datagram-down", "set"), ("datagram-down", "drip"), ("datagram-down", "certificate"),
])
def test_what_cannot_be(api, point, action):
    more = {"drip": {"bytesPerS": 1}, "set": {"status": 500},
            "certificate": {"kind": "expired"}}[action]
    assert breaking.refusal(api, point, action, **more) == (400, "/action")
