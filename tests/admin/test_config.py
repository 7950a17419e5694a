"""A product's remote configuration, pushed to a device."""

import json

import pytest

ALIYUN, TENCENT = "aliyun/pk/device", "tencent/PROD123456/dev001"
ENOS = "enos/KV315idW/tPbZGCdmaE"
HEARS = {ALIYUN: "/sys/pk/device/thing/config/push",
         TENCENT: "$config/operation/result/PROD123456/dev001"}
CONFIG = {"interval": 60, "names": ["a", None]}


def product(device):
    return "/api/v1/products/" + device.rpartition("/")[0]


def push(device):
    return f"/api/v1/devices/{device}/config"


@pytest.fixture
def hearing(online):
    def hear(name):
        device = online(name)
        device.send_packet(type="subscribe", id=1, filters=[[HEARS[name], 1]])
        assert device.receive()["type"] == "suback"
        return device

    return hear


@pytest.mark.parametrize("device", HEARS)
def test_the_products_configuration_is_pushed(api, hearing, device):
    api.call("PUT", product(device) + "/config", CONFIG)
    peer = hearing(device)
    status, answer = api.request("POST", push(device), {"waitMs": 0})
    assert status in (200, 202) and answer["id"]
    got = peer.receive()
    assert got["topic"] == HEARS[device]
    if device == TENCENT:  # the configuration is in the message
        assert json.loads(got["payload"])["payload"] == CONFIG
    else:  # it is fetched where the message says
        assert json.loads(got["payload"])["params"]["configSize"] == len(
            json.dumps(CONFIG, separators=(",", ":")))


def test_another_may_be_pushed_instead(api, hearing):
    api.call("PUT", product(TENCENT) + "/config", CONFIG)
    peer = hearing(TENCENT)
    for given, wanted in (({"other": 1}, {"other": 1}), (None, CONFIG)):
        api.post(push(TENCENT), {"config": given, "waitMs": 0})
        assert json.loads(peer.receive()["payload"])["payload"] == wanted
    assert api.get(product(TENCENT) + "/config")["config"] == CONFIG


@pytest.mark.parametrize("device", HEARS)
def test_what_cannot_be_pushed_is_refused(api, hearing, refused, device):
    api.call("PUT", product(device) + "/config", CONFIG)
    refused(409, "POST", push(device), {"waitMs": 0})  # it is away
    hearing(device)
    assert refused(400, "POST", push(device), {"colour": 1})["pointer"] == "/colour"
    assert refused(400, "POST", push(device), {"waitMs": "x"})["pointer"] == "/waitMs"
    assert refused(400, "POST", push(device), {"waitMs": 60001})["pointer"] == "/waitMs"
    refused(400, "POST", push(device), b"{")
    api.call("DELETE", product(device) + "/config")
    refused(400, "POST", push(device), {"waitMs": 0})  # there is none
    refused(404, "POST", push(device.rpartition("/")[0] + "/nobody"), {"waitMs": 0})


def test_a_cloud_that_pushes_none_says_so(api, online, refused):
    api.call("PUT", product(ENOS) + "/config", CONFIG)
    online(ENOS)
    refused(404, "POST", push(ENOS), {"waitMs": 0})
