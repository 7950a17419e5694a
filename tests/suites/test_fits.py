"""Which devices a case is for."""

import pytest

RUNS = "/api/v1/suites/runs"
LEFT = "the case is for devices of another kind"
EXPECT = {"expect": {"event": {"type": "connect"}}}


def case(**fits):
    return {"id": "c", "timeoutMs": 100, "steps": [EXPECT], **({"fits": fits} if fits else {})}


@pytest.fixture
def is_left(api):
    def run(device, one, **fits):
        suite = {"suite": "s", "cases": [one], **({"fits": fits} if fits else {})}
        number = api.post(RUNS, {"suite": suite, "device": device})["id"]
        document = api.get(f"{RUNS}/{number}")
        api.call("DELETE", f"{RUNS}/{number}")
        return document["cases"][0].get("reason") == LEFT
    return run


@pytest.mark.parametrize("device,suite,one,left", [
    ("aliyun/pk/device", {}, {}, False),
    ("aliyun/pk/device", {"cloud": ["enos"]}, {}, True),
    ("aliyun/pk/device", {"cloud": ["enos", "aliyun"]}, {}, False),
    ("aliyun/pk/device", {"cloud": ["enos"]}, {"cloud": ["aliyun"]}, False),
    ("aliyun/pk/device", {"cloud": ["enos"]}, {"node": ["device"]}, True),
    ("aliyun/pk/device", {}, {"node": ["gateway", "sub-device"]}, True),
    ("aliyun/pk/device", {}, {"activation": ["dynamic"]}, True),
    ("aliyun/pk/device", {}, {"activation": ["static"]}, False),
])
def test_a_case_is_for_some_devices(is_left, device, suite, one, left):
    assert is_left(device, case(**one), **suite) == left
