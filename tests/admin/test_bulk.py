"""What is done to many devices at once: in slices, and seen by everybody as one act."""

import json

import credentials
import pytest
import server
from elsewhere import Elsewhere

MANY = 100_000
FEW = 256  # that are dealt with at once
SLICES = 20  # turns of the loop that many devices take at the least

SNAPSHOTS = "/api/v1/snapshots"


def product_of(count, key="many", **members):
    return {"cloud": "aliyun", "productKey": key, "productSecret": "s",
            "devices": [{"deviceName": f"d{number:06}", "deviceSecret": "secret"}
                        for number in range(count)], **members}


@pytest.fixture
def start_with(start, tmp_path):
    """A server that has so many devices of the product aliyun/many, and one of another."""

    def start_one(count, *options):
        path = tmp_path / "many.json"
        path.write_text(json.dumps({"products": [product_of(count), product_of(1, "other")]}))
        return start(*options, fixtures=path)

    return start_one


def turns(api):
    return next(int(line.split()[-1]) for line in api.get("/metrics").splitlines()
                if line.startswith("skymock_loop_turn_seconds_count"))


@pytest.fixture
def counted():
    """counted(api, act) is how many turns of the loop went by until the act was answered."""

    def count(api, act):
        before = turns(api)
        act()
        return turns(api) - before

    return count


def log_in(skymock, name, key="secret"):
    peer = server.Peer(skymock.ports["mqtt"])
    peer.send_packet(type="connect", clean=True, keepalive=60,
                     **credentials.login(name, secret=key))
    return peer


# ---- no turn has it all ----


def test_a_hundred_thousand_devices_hold_nobody_up(start_with, counted):
    skymock = start_with(MANY)
    api = skymock.api
    acts = [("POST", SNAPSHOTS, {"name": "s"}), ("POST", "/api/v1/reset", {}),
            ("POST", "/api/v1/reset", {"product": "aliyun/many"}),
            ("POST", f"{SNAPSHOTS}/s/restore", None), ("DELETE", f"{SNAPSHOTS}/s", None)]
    for method, path, body in acts:
        assert counted(api, lambda: api.call(method, path, body)) > SLICES, path
    assert api.get("/api/v1/devices", limit=1, product="aliyun/many")["devices"]


def test_many_devices_in_one_body_hold_nobody_up(api, counted):
    body = {"products": [product_of(12_000)]}
    assert counted(api, lambda: api.post("/api/v1/products", body)) > SLICES
    again = api.post("/api/v1/products", body)
    assert again == {"productsAdded": 0, "productsChanged": 0, "devicesAdded": 0,
                     "devicesChanged": 0}


# ---- on both sides of the bound ----


@pytest.mark.parametrize("count", (FEW - 1, FEW, FEW + 1))
def test_few_and_many_are_the_same_to_who_asks(start_with, count):
    api = start_with(count, "--store", ":memory:").api
    device = "/api/v1/devices/aliyun/many/d000003"
    api.call("PATCH", f"{device}/shadow", {"desired": {"a": 1}})
    shadow = api.get(f"{device}/shadow")
    snapshot = api.post(SNAPSHOTS, {"name": "s", "product": "aliyun/many"})
    assert snapshot["devices"] == count
    status, error = api.request("POST", SNAPSHOTS, {"name": "s", "product": "aliyun/many"})
    assert (status, error["error"]["pointer"]) == (409, "/name")
    api.call("PATCH", device, {"enabled": False})
    api.call("DELETE", "/api/v1/devices/aliyun/many/d000000")
    assert api.request("POST", "/api/v1/reset", {"product": "aliyun/many"})[0] == 204
    assert api.get(device)["enabled"] and api.get(f"{device}/shadow") != shadow
    assert api.request("GET", "/api/v1/devices/aliyun/many/d000000")[0] == 404
    assert api.request("POST", "/api/v1/reset", {})[0] == 204
    fresh = api.get("/api/v1/devices/aliyun/many/d000000")
    assert fresh["enabled"]
    assert api.request("POST", f"{SNAPSHOTS}/s/restore")[0] == 204
    assert api.get(f"{device}/shadow") == shadow
    assert api.get("/api/v1/devices/aliyun/many/d000000")["enabled"]
    assert api.request("DELETE", f"{SNAPSHOTS}/s")[0] == 204
    assert api.request("DELETE", f"{SNAPSHOTS}/s")[0] == 404


@pytest.mark.parametrize("count", (100, 2000))
def test_a_bad_body_changes_nothing(api, count):
    product = product_of(count, "bad")
    product["devices"][-1]["deviceName"] = "d000000"
    status, answer = api.request("POST", "/api/v1/products", {"products": [product]})
    assert status == 400
    assert answer["error"]["pointer"] == f"/products/0/devices/{count - 1}/deviceName"
    assert api.request("GET", "/api/v1/products/aliyun/bad")[0] == 404


@pytest.mark.parametrize("count", (100, 2000))
def test_devices_behind_gateways_may_be_elsewhere(api, count):
    behind = [{"productKey": "leaf", "deviceName": "there"}]
    gateway = {"cloud": "aliyun", "productKey": "gate", "productSecret": "s",
               "nodeType": "gateway",
               "devices": [{"deviceName": "g", "deviceSecret": "s", "subDevices": behind}]}
    body = {"products": [gateway, product_of(count, "rest")]}
    status, answer = api.request("POST", "/api/v1/products", body)
    assert status == 400 and "there is no device leaf/there" in answer["error"]["message"]
    assert answer["error"]["pointer"] == "/products/0/devices/0/subDevices/0"
    assert api.request("GET", "/api/v1/products/aliyun/rest")[0] == 404
    leaf = {"cloud": "aliyun", "productKey": "leaf", "productSecret": "s", "nodeType": "sub-device",
            "devices": [{"deviceName": "there", "deviceSecret": "s"}]}
    api.post("/api/v1/products", {"products": [leaf]})
    assert api.post("/api/v1/products", body)["devicesAdded"] == count + 1
    topology = api.get("/api/v1/devices/aliyun/gate/g/topology")
    assert "there" in json.dumps(topology)


def test_what_a_body_says_of_its_product_is_kept_to_its_last_device(api):
    product = product_of(2000, "said", config={"a": 1}, dynamicActivation=True)
    counts = api.post("/api/v1/products", {"products": [product]})
    assert (counts["productsAdded"], counts["productsChanged"]) == (1, 0)
    got = api.get("/api/v1/products/aliyun/said")
    assert got["dynamicActivation"] and got["config"] == {"a": 1}


@pytest.mark.parametrize("count", (100, 2000))
def test_fixtures_may_speak_of_devices_elsewhere(start, tmp_path, count):
    """At the start of a server they were in its store, and a reset reads the same again."""
    leaf = {"cloud": "aliyun", "productKey": "leaf", "productSecret": "s", "nodeType": "sub-device"}
    gateway = {"cloud": "aliyun", "productKey": "gate", "productSecret": "s",
               "nodeType": "gateway",
               "devices": [{"deviceName": "g", "deviceSecret": "s", "subDevices": [
                   {"productKey": "leaf", "deviceName": "there"}]}]}
    path, store = tmp_path / "fixtures.json", str(tmp_path / "store.db")
    path.write_text(json.dumps({"products": [leaf, product_of(count)]}))
    skymock = start("--store", store, fixtures=path)
    skymock.api.post("/api/v1/devices", {"cloud": "aliyun", "product": "leaf", "device": "there"})
    skymock.stop()
    path.write_text(json.dumps({"products": [leaf, gateway, product_of(count)]}))
    api = start("--store", store, fixtures=path).api
    assert api.request("POST", "/api/v1/reset", {}) == (204, "")
    assert "there" in json.dumps(api.get("/api/v1/devices/aliyun/gate/g/topology"))
    api.call("DELETE", "/api/v1/devices/aliyun/leaf/there")
    status, answer = api.request("POST", "/api/v1/reset", {})
    assert status == 400 and "there is no device leaf/there" in answer["error"]["message"]


# ---- one after the other ----


def test_what_comes_behind_waits_for_its_turn(start_with):
    api = start_with(10_000).api
    acts = [Elsewhere(api, "POST", "/api/v1/reset", {}),
            Elsewhere(api, "POST", SNAPSHOTS, {"name": "s"}),
            Elsewhere(api, "POST", "/api/v1/devices",
                      {"cloud": "aliyun", "product": "other", "device": "late"})]
    assert api.get("/health") is not None
    assert [act.answer()[0] for act in acts] == [204, 201, 201]


def test_a_reset_ends_though_nobody_waits_for_it(start_with):
    skymock = start_with(10_000)
    Elsewhere(skymock.api, "POST", "/api/v1/reset", {"product": "aliyun/many"}).leave()
    skymock.api.wait_event({"type": "reset", "name": "aliyun/many"})
    assert skymock.api.request("POST", "/api/v1/reset", {})[0] == 204


@pytest.mark.parametrize("body", ({}, {"product": "aliyun/many"}))
def test_logins_come_behind_the_chapter(start_with, body):
    skymock = start_with(10_000)
    api = skymock.api
    first = log_in(skymock, "aliyun/many/d000000")
    assert first.receive()["code"] == 0
    reset = Elsewhere(api, "POST", "/api/v1/reset", body)
    assert first.receive() is None  # its slice is done, those of others are not
    again = log_in(skymock, "aliyun/many/d000000")
    assert again.receive()["code"] == 0
    assert reset.answer()[0] == 204
    kinds = [event["type"] for event in api.events(run="true")
             if event["type"] in ("connect", "close", "reset")]
    assert kinds == ["connect", "close", "reset", "connect"]
    assert api.get("/api/v1/devices/aliyun/many/d000000")["online"]


def test_logins_of_others_do_not_wait(start_with):
    skymock = start_with(20_000)
    api = skymock.api
    reset = Elsewhere(api, "POST", "/api/v1/reset", {"product": "aliyun/many"})
    other = log_in(skymock, "aliyun/other/d000000")
    assert other.receive()["code"] == 0
    assert reset.answer()[0] == 204
    other.send_packet(type="pingreq")
    assert other.receive()["type"] == "pingresp"


def test_a_restore_closes_whom_it_changes_before_others_come_in(start_with):
    skymock = start_with(10_000)
    api = skymock.api
    stays = log_in(skymock, "aliyun/many/d000001")
    assert stays.receive()["code"] == 0
    api.post(SNAPSHOTS, {"name": "s"})
    api.call("PATCH", "/api/v1/devices/aliyun/many/d000000", {"secret": "other"})
    first = log_in(skymock, "aliyun/many/d000000", "other")
    assert first.receive()["code"] == 0
    restore = Elsewhere(api, "POST", f"{SNAPSHOTS}/s/restore")
    assert first.receive() is None
    again = log_in(skymock, "aliyun/many/d000000")
    assert again.receive()["code"] == 0
    assert restore.answer()[0] == 204
    stays.send_packet(type="pingreq")
    assert stays.receive()["type"] == "pingresp"


# ---- cut off ----


@pytest.mark.parametrize("end", ("stop", "kill"))
def test_a_snapshot_that_was_cut_off_is_none(start_with, tmp_path, end):
    store = ("--store", str(tmp_path / "store.db"))
    skymock = start_with(20_000, *store)
    Elsewhere(skymock.api, "POST", SNAPSHOTS, {"name": "s"})
    before = turns(skymock.api)
    while turns(skymock.api) < before + 3:
        pass
    getattr(skymock, end)()
    api = start_with(20_000, *store).api
    kept = api.get(SNAPSHOTS)["snapshots"]
    assert kept == [] or kept[0]["devices"] == 20_001
    if not kept:
        assert api.post(SNAPSHOTS, {"name": "s"})["devices"] == 20_001
    assert api.request("POST", f"{SNAPSHOTS}/s/restore")[0] == 204


@pytest.mark.parametrize("act", (("POST", "/api/v1/reset", {}),
                                 ("POST", "/api/v1/products", {"products": [product_of(9_000)]})))
def test_the_server_ends_in_the_middle(start_with, act):
    skymock = start_with(10_000)
    Elsewhere(skymock.api, *act)
    skymock.api.barrier()
    skymock.stop()
