"""Replays the cases of cases/*.json: what is sent and what comes back, byte by byte, and whether the
connection is closed. The tables they are made from are in the generators beside this file."""

import json
import sys
from pathlib import Path

import pytest
import server

sys.path.insert(0, str(Path(__file__).parent))

import cases  # noqa: E402
from generate import GENERATORS  # noqa: E402

CASES_MIN = 2000
ALL = [(name, each) for name in GENERATORS for each in cases.read(name)]


@pytest.fixture(scope="module")
def running():
    started = server.Skymock()
    yield started
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


@pytest.mark.parametrize("name,case", [
    pytest.param(name, case, id=f"{name}-{number}") for number, (name, case) in enumerate(ALL)])
def test_case(running, name, case):
    connection = Connection(running.ports[case.get("listener", "mqtt")])
    try:
        for step in case["steps"]:
            for verb, what in step.items():
                getattr(connection, verb)(what)
    except (AssertionError, OSError) as error:
        pytest.fail(f"{name}: {case['title']} ({case['source']})\n  {json.dumps(case['steps'])[:600]}\n"
                    f"  at {json.dumps(step)[:200]}: {error}", pytrace=False)
    finally:
        connection.peer.close()


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
