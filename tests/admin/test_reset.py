"""Back to the beginning."""

import pytest

DEVICE = "/api/v1/devices/aliyun/pk/device"


def test_reset_forgets_sessions_and_changes(api, online):
    device = online("aliyun/pk/device")
    last = api.last_seq()
    api.call("PATCH", DEVICE, {"secret": "other", "enabled": False})
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "extra"})
    assert api.request("POST", "/api/v1/reset")[0] == 204
    assert device.receive() is None
    assert api.events()[0]["type"] == "reset"
    assert api.events()[0]["seq"] > last
    assert api.get(DEVICE, secrets="true")["secret"] == "secret"
    assert api.get(DEVICE)["enabled"]
    assert api.get("/api/v1/devices/aliyun/pk/extra")["enabled"]  # it is how it was made
    assert api.get("/api/v1/verdicts")["verdict"] == "not exercised"


def test_reset_of_one_device_leaves_the_others(api, online):
    online("aliyun/pk/device")
    second = online("aliyun/pk/second")
    assert api.request("POST", "/api/v1/reset", {"device": "aliyun/pk/device"})[0] == 204
    assert api.verdict("aliyun/pk/device")["verdict"] == "not exercised"
    assert api.verdict("aliyun/pk/second")["verdict"] == "passed"
    assert api.get("/api/v1/devices/aliyun/pk/second")["online"]
    second.send_packet(type="pingreq")
    assert second.receive()["type"] == "pingresp"


@pytest.mark.parametrize("scope", [
    {}, {"product": "aliyun/pk"}, {"device": "aliyun/pk/extra"}])
def test_a_device_that_was_made_is_reset_to_how_it_was_made(api, online, scope):
    extra = "/api/v1/devices/aliyun/pk/extra"
    api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "extra",
                                 "secret": "own", "assetId": "place", "enabled": False})
    made = api.get(extra, secrets="true")
    api.call("PATCH", extra, {"secret": "other", "enabled": True, "assetId": "elsewhere",
                              "fingerprint": "ab" * 32})
    api.post("/api/v1/reset", scope)
    assert api.get(extra, secrets="true") == made
    assert api.get(extra + "/documents")["documents"] == []


def test_reset_of_what_is_not_there(api, refused):
    refused(404, "POST", "/api/v1/reset", {"device": "aliyun/pk/nobody"})
    assert refused(400, "POST", "/api/v1/reset", {"device": 7})["pointer"] == "/device"
    assert refused(400, "POST", "/api/v1/reset", {"all": True})["pointer"] == "/all"


# ---- chapters ----

DEVICES = ["aliyun/pk/device", "aliyun/pk/second", "tencent/PROD123456/dev001"]


def break_a_rule(device):
    device.send_packet(type="publish", topic="nowhere/at/all", payload="x")
    device.send_packet(type="pingreq")
    device.receive()


def verdicts(api, **query):
    return {each["device"]: each["verdict"]
            for each in api.get("/api/v1/verdicts", **query)["devices"]}


@pytest.mark.parametrize("scope,begun", [
    ({}, DEVICES), ({"product": "aliyun/pk"}, DEVICES[:2]), ({"device": DEVICES[0]}, DEVICES[:1])])
def test_a_reset_begins_a_chapter_of_what_it_names(api, online, scope, begun):
    for name in DEVICES:
        break_a_rule(online(name))
    api.post("/api/v1/reset", scope)
    left = set(DEVICES) - set(begun)
    assert verdicts(api) == {name: "failed" for name in left}
    assert verdicts(api, run="true") == {name: "failed" for name in DEVICES}
    for name in DEVICES:
        shown = {event["type"] for event in api.events(device=name, limit=1000)}
        assert ("connect" in shown) == (name in left)
        shown = {event["type"] for event in api.events(device=name, limit=1000, run="true")}
        assert "connect" in shown
        assert api.get(f"/api/v1/devices/{name}")["online"] == (name in left)


@pytest.mark.parametrize("scope,begun", [
    ({}, DEVICES), ({"product": "aliyun/pk"}, DEVICES[:2]), ({"device": DEVICES[0]}, DEVICES[:1])])
def test_what_is_forgotten_leaves_the_run(api, online, scope, begun):
    api.post("/api/v1/reset", {"forget": True})
    for name in DEVICES:
        break_a_rule(online(name))
    api.post("/api/v1/reset", {**scope, "forget": True})
    assert set(verdicts(api, run="true")) == set(DEVICES) - set(begun)
    for name in begun:
        shown = {event["type"] for event in api.events(device=name, limit=1000, run="true")}
        assert "connect" not in shown


def test_events_begin_at_the_chapter(api, online):
    online(DEVICES[0])
    last = api.last_seq()
    api.reset()
    assert api.events(since=1)[0]["type"] == "reset"
    whole = api.get("/api/v1/events", run="true", limit=1000)
    assert whole["events"][0]["seq"] < last and whole["lost"] == 0
    online(DEVICES[0])
    first = api.events(type="connect")[0]["seq"]
    assert first > last
    assert api.get("/api/v1/events", type="connect", run="true", since=first)["events"] == []


def test_the_run_adds_up_its_chapters(api, online):
    api.post("/api/v1/reset", {"forget": True})
    for _ in range(3):
        break_a_rule(online(DEVICES[0]))
        api.reset()
    found, = api.get("/api/v1/verdicts", device=DEVICES[0], run="true")["devices"]
    rule, = (rule for rule in found["rules"] if rule["id"] == "ALI-TOPIC-PUB")
    seqs = [event["seq"] for event in api.events(rule="ALI-TOPIC-PUB", run="true")]
    assert rule["count"] == 3 and rule["events"] == seqs[-3:]


def test_a_reset_of_a_product_is_only_its_own(api, refused):
    for cloud, product, device in (("aliyun", "pk", "extra"), ("tencent", "PROD123456", "more")):
        api.post("/api/v1/devices", {"cloud": cloud, "product": product, "device": device})
    api.call("PATCH", DEVICE, {"enabled": False})
    for device in ("aliyun/pk/extra", "tencent/PROD123456/more"):
        api.call("PATCH", f"/api/v1/devices/{device}", {"enabled": False})
    api.post("/api/v1/reset", {"product": "aliyun/pk"})
    assert api.get(DEVICE)["enabled"]
    assert api.get("/api/v1/devices/aliyun/pk/extra")["enabled"]
    assert not api.get("/api/v1/devices/tencent/PROD123456/more")["enabled"]
    assert refused(404, "POST", "/api/v1/reset", {"product": "aliyun/none"})["pointer"] == "/product"
    assert refused(400, "POST", "/api/v1/reset", {"product": "pk"})["pointer"] == "/product"
    refused(400, "POST", "/api/v1/reset", {"product": "aliyun/pk", "device": "aliyun/pk/device"})
    refused(400, "POST", "/api/v1/reset", {"forget": "yes"})


def test_a_reset_of_everything_makes_time_real_again(api):
    api.freeze()
    api.advance(10 * 24 * 3600 * 1000)
    api.reset()
    clock = api.get("/api/v1/clock")
    assert not clock["frozen"] and abs(clock["unixMs"] - clock["realUnixMs"]) < 1000
    api.freeze()
    api.post("/api/v1/reset", {"product": "aliyun/pk"})
    assert api.get("/api/v1/clock")["frozen"]
