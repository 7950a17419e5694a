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


def read_bytes(peer, size):
    """As many bytes, or fewer when the server closes before."""
    got = b""
    while len(got) < size and (more := peer.socket.recv(size - len(got))):
        got += more
    return got


def play(peer, step):
    if "send" in step:
        peer.send(bytes.fromhex(step["send"]))
    elif "expect_close" not in step:
        wanted = bytes.fromhex(step.get("recv") or step["begins"])
        got = read_bytes(peer, len(wanted))
        assert got == wanted, f"{got.hex() or 'nothing'} came, where {wanted.hex()} is due"
    else:
        rest = read_bytes(peer, 4096)
        assert not rest, f"{rest.hex()} came, where the connection is to be closed"


@pytest.mark.parametrize("name,case", [
    pytest.param(name, case, id=f"{name}-{number}") for number, (name, case) in enumerate(ALL)])
def test_case(running, name, case):
    peer = server.Peer(running.ports[case.get("listener", "mqtt")])
    try:
        for step in case["steps"]:
            play(peer, step)
    except (AssertionError, OSError) as error:
        pytest.fail(f"{name}: {case['title']} ({case['source']})\n  {json.dumps(case['steps'])[:600]}\n"
                    f"  at {json.dumps(step)[:200]}: {error}", pytrace=False)
    finally:
        peer.close()


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
