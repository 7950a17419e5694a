"""Fixtures that every black-box test can ask for."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

import server  # noqa: E402


@pytest.fixture(scope="module")
def shared():
    """One server for all tests of a file; `skymock` resets it for each."""
    running = server.Skymock()
    yield running
    running.stop()


@pytest.fixture
def skymock(shared):
    """A server as if just started: nobody connected, nothing remembered, real time."""
    shared.begin_again()
    return shared


@pytest.fixture
def api(skymock):
    return skymock.api


@pytest.fixture
def ca(api, tmp_path):
    """A file with the certificate that devices are to trust."""
    path = tmp_path / "ca.crt"
    path.write_text(api.get("/ca.crt"))
    return path


@pytest.fixture
def start():
    """start(*options) gives a server of one's own."""
    running = []

    def start_one(*options, **arguments):
        running.append(server.Skymock(*options, **arguments))
        return running[-1]

    yield start_one
    for each in running:
        each.stop()


@pytest.fixture
def peer(skymock):
    """peer("mqtt") opens a raw connection to that listener."""
    opened = []

    def open_one(listener="mqtt"):
        opened.append(server.Peer(skymock.ports[listener]))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()
