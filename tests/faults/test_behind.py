"""What a gateway sends and gets for a device behind it is that device's."""

import json

import clouds
import credentials
import pytest
import server

PLUGINS = dict(clouds.modules("behind"))


@pytest.fixture(params=sorted(PLUGINS))
def cloud(request):
    return PLUGINS[request.param]


@pytest.fixture
def stage(cloud, tmp_path, start):
    """The API, a gateway that is online with a device behind it, and both names."""
    products = cloud.products(["gate"], ["lamp", "other"])
    path = tmp_path / "fixtures.json"
    path.write_text(json.dumps({"products": products}))
    name = products[0]["cloud"]
    keys = [product.get("productKey") or product.get("productId") for product in products]
    gateway, lamp = f"{name}/{keys[0]}/gate", f"{name}/{keys[1]}/lamp"
    for product, key in zip(products, keys):
        for device in product["devices"]:
            words = list(device.values())
            credentials.SECRETS[f"{name}/{key}/{words[0]}"] = (
                words[1], product.get("productSecret", ""))
    running = start(fixtures=path)
    peer = server.Peer(running.ports[cloud.LISTENER])
    peer.send_packet(type="connect", clean=True, keepalive=60, **credentials.login(gateway))
    assert peer.receive()["code"] == 0
    for kind in ("bind", "login"):
        topic, payload = cloud.act(kind, gateway, lamp)
        peer.send_packet(type="publish", topic=topic, payload=payload)
    yield running.api, peer, gateway, lamp
    peer.close()


def until(peer, wanted):
    while (packet := peer.receive())["type"] != wanted:
        pass
    return packet


def test_publishes_of_a_device_behind(cloud, stage):
    api, peer, gateway, lamp = stage
    faults = [api.post("/api/v1/faults", {"point": "publish-up", "action": "withhold",
                                          "device": name})["id"] for name in (gateway, lamp)]
    peer.send_packet(type="publish", qos=1, id=7, topic=cloud.used(lamp), payload="{}")
    peer.send_packet(type="pingreq")
    assert until(peer, "pingresp")
    fired = {each["id"]: each["fired"] for each in api.get("/api/v1/faults")["faults"]}
    assert fired == {faults[0]: 0, faults[1]: 1}
    assert [event["device"] for event in api.events(type="fault")] == [lamp]


def test_messages_for_a_device_behind(cloud, stage):
    api, peer, gateway, lamp = stage
    peer.send_packet(type="subscribe", id=5, filters=[[cloud.heard(lamp), 1]])
    assert until(peer, "suback")["codes"][0] < 128
    faults = [api.post("/api/v1/faults", {"point": "publish-down", "action": "set",
                                          "payload": name, "device": name})["id"]
              for name in (gateway, lamp)]
    api.post(f"/api/v1/devices/{lamp}/messages", {"topic": cloud.heard(lamp), "payload": "hello"})
    assert until(peer, "publish")["payload"] == lamp
    fired = {each["id"]: each["fired"] for each in api.get("/api/v1/faults")["faults"]}
    assert fired == {faults[0]: 0, faults[1]: 1}
