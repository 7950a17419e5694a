"""Devices for one test: the server makes the key, hands out every way in, and drops them again."""

import ssl
import time

import pytest
import server

DEVICES = "/api/v1/devices"
PRODUCTS = [("aliyun", "pk"), ("tencent", "PROD123456"), ("enos", "KV315idW")]


def make(api, cloud="aliyun", product="pk", **more):
    return api.post(DEVICES, {"cloud": cloud, "product": product, **more})


@pytest.mark.parametrize("cloud,product", PRODUCTS)
def test_a_key_is_made_and_every_way_in_is_told(api, cloud, product):
    api.freeze()
    made = make(api, cloud, product)
    path = f"{DEVICES}/{made['name']}"
    assert made["name"] == f"{cloud}/{product}/{made['device']}"
    assert 4 <= len(made["device"]) <= 32 and made["device"].isalnum()
    assert "temporary" not in made and "secret" not in made
    again = api.get(path + "/credentials")
    assert set(made["credentials"]) == set(again)
    assert set(made["credentials"]["tls"]) == set(again["tls"])
    for name in ("clientId", "pskKeyHex"):
        assert made["credentials"][name] == again[name]
    assert api.get(path)["device"] == made["device"]


@pytest.mark.parametrize("cloud,product,tls", [
    *((*each, False) for each in PRODUCTS), *((*each, True) for each in PRODUCTS[:2])])
def test_the_credentials_log_in(api, peer, cloud, product, tls):
    made = make(api, cloud, product, temporary=True)
    fields = made["credentials"]["tls"] if tls else made["credentials"]
    device = peer("mqtts" if tls else "enos-mqtt" if cloud == "enos" else "mqtt")
    if tls:
        device.socket = ssl._create_unverified_context().wrap_socket(device.socket)
    device.send_packet(type="connect", keepalive=60, **{
        name: fields[name] for name in ("clientId", "username", "password")})
    assert device.receive()["code"] == 0


def test_what_activation_needs_is_told_where_the_product_permits_it(api):
    made = make(api, "enos", "KV315idW")
    dynamic = made["credentials"].get("dynamic")
    product = api.get("/api/v1/products/enos/KV315idW")
    assert (dynamic is not None) == product["dynamicActivation"]
    assert dynamic["password"] != made["credentials"]["password"]
    asked = api.get(f"{DEVICES}/{made['name']}/credentials", dynamic="true")
    assert set(asked) == set(dynamic) and "tls" not in asked


def test_a_device_with_a_key_of_its_own_is_answered_without(api):
    assert "credentials" not in make(api, device="own-key")
    assert "credentials" in make(api, device="own-key-2", temporary=True)


@pytest.mark.parametrize("scope,gone", [
    ({}, True), ({"product": "aliyun/pk"}, True), ({"product": "tencent/PROD123456"}, False)])
def test_it_goes_with_the_next_reset_that_covers_it(api, scope, gone):
    made, lasting = make(api, temporary=True), make(api)
    assert made["temporary"] and api.get(f"{DEVICES}/{made['name']}")["temporary"]
    api.post("/api/v1/reset", scope)
    assert api.request("GET", f"{DEVICES}/{made['name']}")[0] == (404 if gone else 200)
    assert api.request("GET", f"{DEVICES}/{lasting['name']}")[0] == 200


def test_it_goes_with_its_own_reset_and_is_disconnected(api, peer):
    made = make(api, temporary=True)
    device = peer("mqtt")
    device.send_packet(type="connect", keepalive=60, **{
        name: made["credentials"][name] for name in ("clientId", "username", "password")})
    assert device.receive()["code"] == 0
    api.post("/api/v1/reset", {"device": made["name"]})
    assert device.receive() is None
    assert api.request("GET", f"{DEVICES}/{made['name']}")[0] == 404
    assert api.request("POST", "/api/v1/reset", {"device": made["name"]})[0] == 404


@pytest.mark.parametrize("taken", ["before", "after"])
def test_it_goes_with_the_next_restore_that_covers_it(api, taken):
    first = make(api, temporary=True) if taken == "after" else None
    api.post("/api/v1/snapshots", {"name": f"s-{taken}", "product": "aliyun/pk"})
    made = first or make(api, temporary=True)
    other = make(api, "tencent", "PROD123456", temporary=True)
    api.post(f"/api/v1/snapshots/s-{taken}/restore")
    assert api.request("GET", f"{DEVICES}/{made['name']}")[0] == 404
    assert api.request("GET", f"{DEVICES}/{other['name']}")[0] == 200
    api.call("DELETE", f"/api/v1/snapshots/s-{taken}")


def test_it_is_temporary_after_a_restart_too(start, tmp_path):
    first = start("--store", str(tmp_path / "store.db"))
    made = make(first.api, temporary=True)
    first.kill()
    second = start("--store", str(tmp_path / "store.db"))
    assert second.api.get(f"{DEVICES}/{made['name']}")["temporary"]
    second.api.reset()
    assert second.api.request("GET", f"{DEVICES}/{made['name']}")[0] == 404


def test_bad_words(refused):
    assert refused(400, "POST", DEVICES, {"cloud": "aliyun", "product": "pk",
                                          "temporary": "yes"})["pointer"] == "/temporary"


def test_many_are_made_quickly(skymock):
    api = server.Api(skymock.ports["admin"])
    begun = time.monotonic()
    names = {make(api, temporary=True)["name"] for _ in range(200)}
    assert len(names) == 200
    assert time.monotonic() - begun < 10
    api.close()
