"""Replays the cases of cases/*.json: what is sent and what comes back, byte by byte, and whether the
connection is closed. The tables they are made from are in the generators beside this file."""

import fcntl
import itertools
import json
import select
import socket
import sys
import termios
import time
from pathlib import Path

import coap
import pytest
import server
from enos import credentials as enos

sys.path.insert(0, str(Path(__file__).parent))

import cases  # noqa: E402
from generate import GENERATORS  # noqa: E402

CASES_MIN = 2000
LOGIN = GENERATORS["mqtt"].NAMES["$login"].hex()
ALL = [(name, each) for name in GENERATORS for each in cases.read(name)]


@pytest.fixture(scope="module")
def running():
    started = server.Skymock()
    yield started
    Session.end()
    started.stop()


class Connection:
    """One peer; a verb of a step is a method."""

    def __init__(self, port):
        self.peer = server.Peer(port)
        self.socket = self.peer.socket

    def read(self, size):
        """As many bytes, or fewer when the server closes before."""
        got = b""
        while len(got) < size:
            try:
                more = self.socket.recv(size - len(got))
            except ConnectionResetError:
                more = b""
            if not more:
                break
            got += more
        return got

    def send(self, sent):
        self.peer.send(bytes.fromhex(sent))

    def recv(self, due):
        wanted = bytes.fromhex(due)
        got = self.read(len(wanted))
        assert got == wanted, f"{got.hex() or 'nothing'} came, where {due} is due"

    begins = recv

    def until(self, end):
        got = b""
        while not got.endswith(bytes.fromhex(end)):
            more = self.read(1)
            assert more, f"closed behind {got!r}"
            got += more

    def expect_close(self, _):
        self.fails([])

    def fails(self, words):
        """It is closed, and before that at most one of these words is said."""
        rest = self.read(4096).hex()
        assert not rest or rest in words, f"{rest} came, where the connection is to be closed"


    def alert_and_close(self, _):
        """At most one fatal alert in the clear (RFC 5246 §7.2)."""
        rest = self.read(4096)
        assert not rest or (len(rest) == 7 and rest[0] == 21 and rest[5] == 2), rest.hex()

    def close(self):
        self.peer.close()


class Datagrams:
    """A stranger at the door of DTLS."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(server.PATIENCE_S)

    def send(self, sent):
        self.socket.send(bytes.fromhex(sent))

    def cookie_for(self, sequence):
        """The next datagram is a HelloVerifyRequest in a record of that number (RFC 6347 §4.2.1)."""
        got = self.socket.recv(2048)
        assert got[0] == 22 and got[13] == 3, got.hex()
        assert int.from_bytes(got[3:11], "big") == sequence, got.hex()

    def close(self):
        self.socket.close()


class Session:
    """A device's messages. Many cases share one DTLS session; a ping shows that nothing else came."""

    opened = {}
    pings = itertools.count(0x10000 - 1, -1)

    def __init__(self, port, name):
        if name not in self.opened or self.opened[name].process.poll() is not None:
            self.opened[name] = coap.Device(port, enos.identity(name), enos.key(name))
        self.device = self.opened[name]

    def send(self, sent):
        """What is written is one record, once OpenSSL has taken it from the pipe."""
        pipe = self.device.process.stdin
        self.device.send(bytes.fromhex(sent))
        while int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder):
            time.sleep(0)

    def received(self):
        assert select.select([self.device.process.stdout], [], [], server.PATIENCE_S)[0], "nothing came"
        return self.device.process.stdout.read() or b""

    def recv(self, due):
        got = self.received()
        assert got.hex() == due, f"{got.hex()} came, where {due} is due"

    def begins(self, due):
        got = self.received()
        assert got.hex().startswith(due), f"{got.hex()} came, where {due} is due"

    def quiet(self, _):
        mid = next(self.pings).to_bytes(2, "big").hex()
        self.send("4000" + mid)
        self.recv("7000" + mid)

    def close(self):
        pass

    @classmethod
    def end(cls):
        for each in cls.opened.values():
            each.close()
        cls.opened.clear()


def connect(running, case):
    listener = case.get("listener", "mqtt")
    if listener == "dtls":
        return Datagrams(running.ports["coaps"])
    if listener == "coaps":
        return Session(running.ports["coaps"], case["device"])
    return Connection(running.ports[listener])


def play(running, case):
    connection = connect(running, case)
    try:
        for step in case["steps"]:
            for verb, what in step.items():
                getattr(connection, verb)(what)
    except (AssertionError, OSError) as error:
        raise AssertionError(f"{case['title']} ({case['source']})\n  {json.dumps(case['steps'])[:600]}\n"
                             f"  at {json.dumps(step)[:200]}: {error}") from None
    finally:
        connection.close()


@pytest.mark.parametrize("case", [
    pytest.param(case, id=f"{name}-{number}") for number, (name, case) in enumerate(ALL)])
def test_case(running, case):
    play(running, case)


@pytest.mark.parametrize("sequence", [1, 2, 300, 70000])
def test_a_handshake_goes_on_from_the_record_with_the_cookie(running, sequence):
    """RFC 6347 §4.2.1: the ServerHello has the number of that record."""
    dtls, peer = GENERATORS["handshake"], Datagrams(running.ports["coaps"])
    peer.send(dtls.record(dtls.client_hello()).hex())
    cookie = peer.socket.recv(2048)[28:]
    peer.send(dtls.record(dtls.client_hello(cookie=cookie, sequence=1), sequence=sequence).hex())
    answer = peer.socket.recv(2048)
    assert (answer[13], int.from_bytes(answer[3:11], "big")) == (2, sequence)
    peer.close()


@pytest.mark.parametrize("steps", [
    [{"send": "c000"}, {"recv": "d000"}], [{"send": "10ff"}, {"fails": []}, {"recv": "20020000"}],
    [{"send": LOGIN}, {"recv": "20020001"}], [{"send": LOGIN}, {"recv": "20020000d000"}],
    [{"send": LOGIN + "c000"}, {"recv": "20020000"}, {"expect_close": True}]],
    ids=["closed", "closed-late", "another", "more", "open"])
def test_a_case_that_is_not_so_is_told(running, monkeypatch, steps):
    monkeypatch.setattr(server, "PATIENCE_S", 1)
    with pytest.raises(AssertionError, match="that is not so"):
        play(running, {"title": "that is not so", "source": "", "steps": steps})


@pytest.mark.parametrize("name", GENERATORS)
def test_the_cases_are_those_of_the_tables(name, tmp_path, monkeypatch):
    """Whoever changes a generator runs generate.py; a case changed by hand would be lost."""
    kept = (cases.FOLDER / f"{name}.json").read_text()
    monkeypatch.setattr(cases, "FOLDER", tmp_path)
    cases.write(name, GENERATORS[name].NAMES, GENERATORS[name].cases())
    assert kept == (tmp_path / f"{name}.json").read_text(), "run python3 tests/packets/generate.py"


def test_there_are_enough_and_none_twice():
    told = [(name, case.get("listener"), json.dumps(case["steps"])) for name, case in ALL]
    assert len(set(told)) == len(told)
    assert len(told) >= CASES_MIN
