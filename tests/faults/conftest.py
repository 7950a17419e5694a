"""What the tests of faults share: a server whose clock stands still."""

import breaking
import credentials
import pytest


@pytest.fixture
def frozen(skymock):
    """As if just started, at a moment that does not pass."""
    skymock.api.freeze()
    yield skymock
    skymock.api.post("/api/v1/clock/resume")


@pytest.fixture
def fault(frozen):
    """fault("connack", "withhold", ms=...) makes one and gives its number."""
    def make(point, action, **more):
        return breaking.make(frozen.api, point, action, **more)
    return make


@pytest.fixture
def login(frozen, peer):
    """login("aliyun/pk/device") is a peer that has logged in, with what it says of itself."""
    def log_in(name="aliyun/pk/device", **more):
        device = peer()
        device.send_packet(type="connect", **{"clean": True, "keepalive": 60,
                                              **credentials.login(name), **more})
        answer = device.receive()
        assert answer["type"] == "connack" and answer["code"] == 0, answer
        return device
    return log_in
