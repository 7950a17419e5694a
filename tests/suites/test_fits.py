"""Which devices a case is for."""

import subprocess
import time

import lab
import pytest
import server

RUNS = "/api/v1/suites/runs"
LEFT = "the case is for devices "
EXPECT = {"expect": {"event": {"type": "connect"}}}


def case(**fits):
    return {"id": "c", "timeoutMs": 100, "steps": [EXPECT], **({"fits": fits} if fits else {})}


@pytest.fixture
def is_left(api):
    def run(device, one, **fits):
        suite = {"suite": "s", "cases": [one], **({"fits": fits} if fits else {})}
        number = api.post(RUNS, {"suite": suite, "device": device})["id"]
        until = time.monotonic() + server.PATIENCE_S
        while (document := api.get(f"{RUNS}/{number}"))["state"] == "running":
            assert time.monotonic() < until
            time.sleep(0.02)
        api.call("DELETE", f"{RUNS}/{number}")
        return document["cases"][0]["reason"].startswith(LEFT)
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


@pytest.mark.parametrize("transport,trust", [("psk", "psk"), ("tls", "certificate")])
def test_by_what_a_device_trusts_the_server(is_left, skymock, api, tmp_path, transport, trust):
    ca = tmp_path / "ca.crt"
    ca.write_text(api.get("/ca.crt"))
    device = "tencent/PROD123456/dev001"
    words = {"SKYMOCK_HOST": "127.0.0.1", "SKYMOCK_CA": str(ca),
             "SKYMOCK_PORT_MQTTS": str(skymock.ports["mqtts"])}
    with subprocess.Popen([lab.PYTHON, lab.DEVICE, device, "--transport", transport, "--secret",
                           "MTIzNDU2Nzg5MGFiY2RlZg=="], env={**server.ENVIRONMENT, **words}) as played:
        try:
            api.wait_event({"type": "connack", "device": device})
            for word in ("psk", "certificate"):
                assert is_left(device, case(trust=[word])) == (word != trust)
        finally:
            played.kill()
