"""What devices subscribe to, as the API shows it."""

import json

import pytest
import server

DEVICE = "aliyun/pk/device"
SET = "/sys/pk/device/thing/service/property/set"
GET = "/pk/device/user/get"
GATE, BEHIND = "aliyun/gates/one", "aliyun/subs/a"


def shown(api, name=DEVICE):
    return api.get(f"/api/v1/devices/{name}/subscriptions")


def subscribe(peer, *filters):
    peer.send_packet(type="subscribe", id=1,
                     filters=[[name, qos] for name, qos in filters])
    return peer.receive()["codes"]


def test_who_was_never_here_has_none(api):
    assert shown(api) == {"online": False, "kept": False, "subscriptions": []}


def test_filters_are_shown_as_granted_and_in_order(api, online):
    peer = online(DEVICE)
    assert subscribe(peer, (SET, 0), (GET, 1), ("/pk/device/user/update", 2)) == [0, 1, 0x80]
    answer = shown(api)
    assert answer["online"] and not answer["kept"] and answer["since"].endswith("Z")
    assert answer["subscriptions"] == [{"filter": GET, "qos": 1}, {"filter": SET, "qos": 0}]
    peer.close()
    api.wait_event({"type": "close", "device": DEVICE})
    assert shown(api) == {"online": False, "kept": False, "subscriptions": []}


def test_a_kept_session_is_shown_while_away_and_until_it_ends(api, online):
    peer = online(DEVICE, clean=False)
    subscribe(peer, (GET, 1))
    peer.close()
    api.wait_event({"type": "close", "device": DEVICE})
    answer = shown(api)
    assert (answer["online"], answer["kept"]) == (False, True)
    assert answer["subscriptions"] == [{"filter": GET, "qos": 1}]
    assert answer["awaySince"].endswith("Z") and "since" not in answer
    api.advance(8 * 24 * 3600 * 1000)
    assert shown(api)["subscriptions"] == []


@pytest.fixture
def gateways(start, tmp_path):
    path = tmp_path / "fixtures.json"
    path.write_text(json.dumps({"products": [
        {"cloud": "aliyun", "productKey": "gates", "nodeType": "gateway", "devices": [
            {"deviceName": "one", "deviceSecret": "secret",
             "subDevices": [{"productKey": "subs", "deviceName": "a"}]}]},
        {"cloud": "aliyun", "productKey": "subs", "nodeType": "sub-device", "devices": [
            {"deviceName": "a", "deviceSecret": "secret"}]}]}))
    return start(fixtures=path)


def test_a_device_behind_a_gateway_has_what_that_subscribed_for_it(gateways):
    api = gateways.api
    fields = api.get(f"/api/v1/devices/{GATE}/credentials")
    peer = server.Peer(gateways.ports["mqtt"])
    peer.send_packet(type="connect", clean=True, keepalive=60,
                     **{word: fields[word] for word in ("clientId", "username", "password")})
    assert peer.receive()["code"] == 0
    behind = api.get(f"/api/v1/devices/{BEHIND}/credentials")
    words = dict(part.split("=") for part in
                 behind["clientId"].split("|")[1].split(",")) if "|" in behind["clientId"] else {}
    peer.send_packet(type="publish", topic="/ext/session/gates/one/combine/login", payload=json.dumps(
        {"id": "1", "params": {"productKey": "subs", "deviceName": "a",
                               "clientId": behind["clientId"].split("|")[0],
                               "signMethod": words.get("signmethod", "hmacsha256"),
                               "timestamp": words.get("timestamp", ""),
                               "sign": behind["password"], "cleanSession": "true"}}))
    api.wait_event({"type": "publish", "topic": "/ext/session/gates/one/combine/login"})
    topic = "/sys/subs/a/thing/service/property/set"
    codes = subscribe(peer, ("/sys/gates/one/thing/service/property/set", 1), (topic, 1))
    answer = shown(api, BEHIND)
    assert codes == [1, 1], codes
    assert answer["gateway"] == GATE and answer["online"]
    assert answer["subscriptions"] == [{"filter": topic, "qos": 1}]
    assert len(shown(api, GATE)["subscriptions"]) == 2
    peer.close()
