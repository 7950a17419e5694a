"""Products and devices of the registry."""

import base64

import credentials

DEVICES = "/api/v1/devices"
DEVICE = DEVICES + "/aliyun/pk/device"
NOWHERE = DEVICES + "/aliyun/pk/nobody"


def names(answer):
    return [device["name"] for device in answer["devices"]]


def test_list_has_every_device_of_the_fixtures(api):
    answer = api.get(DEVICES)
    assert "aliyun/pk/device" in names(answer)
    assert "enos/KV315idW/tPbZGCdmaE" in names(answer)
    assert answer["next"] is None


def test_list_is_narrowed_by_cloud_and_product(api):
    assert set(names(api.get(DEVICES, cloud="tencent"))) == {
        "tencent/PROD123456/dev001", "tencent/PROD123456/dev002", "tencent/PROD123456/disabled"}
    assert names(api.get(DEVICES, cloud="enos", product="static01")) == ["enos/static01/only"]
    assert names(api.get(DEVICES, cloud="nosuch")) == []


def test_pages_together_are_the_whole_list(api):
    whole = names(api.get(DEVICES))
    for limit in (1, 2, 3, len(whole) - 1, len(whole)):
        paged, after = [], None
        while True:
            answer = api.get(DEVICES, limit=limit, after=after)
            assert 1 <= len(answer["devices"]) <= limit
            paged += names(answer)
            after = answer["next"]
            if after is None:
                break
            assert after == paged[-1]
        assert paged == whole


def test_list_refuses_what_makes_no_sense(refused):
    refused(400, "GET", DEVICES, limit=0)
    refused(400, "GET", DEVICES, limit=1001)
    refused(400, "GET", DEVICES, limit="many")
    refused(400, "GET", DEVICES, after="pk/device")
    refused(404, "GET", DEVICES, after="aliyun/pk/nobody")
    for query in ({"online": "yes"}, {"online": ""}, {"text": ""}, {"text": "x" * 257},
                  {"text": "x" * 600}):
        refused(400, "GET", DEVICES, **query)


def test_list_is_narrowed_by_who_is_online(api, online):
    away = names(api.get(DEVICES, online="true"))
    assert "aliyun/pk/device" not in away
    peers = [online(name) for name in ("aliyun/pk/second", "aliyun/pk/device")]
    whole = names(api.get(DEVICES))
    there = names(api.get(DEVICES, online="true"))
    assert {"aliyun/pk/device", "aliyun/pk/second"} <= set(there)
    assert names(api.get(DEVICES, online="false")) == [name for name in whole if name not in there]
    assert names(api.get(DEVICES, online="true", product="aliyun/pk", text="SECOND")) == [
        "aliyun/pk/second"]
    for peer in peers:
        peer.send_packet(type="disconnect")
        assert peer.receive() is None
    assert names(api.get(DEVICES, online="true")) == away


def test_list_is_narrowed_by_a_text_of_the_names(api):
    whole = names(api.get(DEVICES))
    for text in ("dev", "PK/Dev", "ALIYUN/", "/", "d", "001", ".", ".*", "[d]", "%", "_", "d%v"):
        assert names(api.get(DEVICES, text=text)) == [
            name for name in whole if text.lower() in name.lower()]
    assert names(api.get(DEVICES, text="x" * 256)) == []
    assert len(names(api.get(DEVICES, text="aliyun"))) > 2


def test_pages_of_a_narrowed_list_are_the_whole_of_it(api):
    wanted = names(api.get(DEVICES, text="E", online="false"))
    for limit in (1, 2, len(wanted) - 1, len(wanted)):
        paged, after = [], None
        while True:
            answer = api.get(DEVICES, limit=limit, after=after, text="e", online="false")
            assert 1 <= len(answer["devices"]) <= limit
            paged += names(answer)
            after = answer["next"]
            if after is None:
                break
        assert paged == wanted


def test_keepalive_is_that_of_the_connection(api, peer):
    assert "keepAlive" not in api.get(DEVICE)
    for keepalive in (60, 300):
        device = peer()
        device.send_packet(type="connect", clean=True, keepalive=keepalive,
                           **credentials.login("aliyun/pk/device"))
        assert device.receive()["code"] == 0
        told = api.get(DEVICE)
        assert told["keepAlive"] == keepalive and told["connection"] and told["lastSeen"]
        listed = api.get(DEVICES, text="aliyun/pk/device")["devices"]
        assert [each["keepAlive"] for each in listed] == [keepalive]
        device.send_packet(type="disconnect")
        assert device.receive() is None
        told = api.get(DEVICE)
        assert "keepAlive" not in told and "connection" not in told and told["lastSeen"]


def test_read_shows_secrets_only_when_asked(api):
    assert "secret" not in api.get(DEVICE)
    assert api.get(DEVICE, secrets="true")["secret"] == "secret"
    assert "secret" not in api.get(DEVICE, secrets="false")


def test_unknown_device_product_and_cloud_are_told_apart(refused):
    assert "device 'nobody'" in refused(404, "GET", NOWHERE)["message"]
    assert "product 'nope'" in refused(404, "GET", DEVICES + "/aliyun/nope/device")["message"]
    assert "cloud 'nope'" in refused(404, "GET", DEVICES + "/nope/pk/device")["message"]


def test_create_makes_a_secret_and_the_device_can_log_in(api, peer):
    created = api.post(DEVICES + "?secrets=true",
                       {"cloud": "aliyun", "product": "pk", "device": "fresh"})
    assert created["name"] == "aliyun/pk/fresh"
    assert created["enabled"] and not created["online"]
    assert len(created["secret"]) >= 16
    login = api.get(DEVICES + "/aliyun/pk/fresh/credentials")
    device = peer()
    device.send_packet(type="connect", keepalive=60, **{
        key: login[key] for key in ("clientId", "username", "password")})
    assert device.receive()["code"] == 0
    assert api.get(DEVICES + "/aliyun/pk/fresh")["online"]


def test_create_takes_a_key_that_needs_encoding(api):
    api.post(DEVICES, {"cloud": "aliyun", "product": "pk", "device": "a:b%"})
    assert api.get(DEVICES + "/aliyun/pk/a%3Ab%25")["device"] == "a:b%"


def test_create_refuses_what_cannot_be(refused):
    good = {"cloud": "aliyun", "product": "pk", "device": "fresh"}
    for change, status, pointer in (
            ({"cloud": "nope"}, 404, "/cloud"),
            ({"product": "nope"}, 404, "/product"),
            ({"device": ""}, 400, "/device"),
            ({"device": "a/b"}, 400, "/device"),
            ({"device": "x" * 65}, 400, "/device"),
            ({"device": 7}, 400, "/device"),
            ({"device": "device"}, 409, "/device"),
            ({"fingerprint": "abc"}, 400, "/fingerprint"),
            ({"enabled": "yes"}, 400, "/enabled"),
            ({"colour": "red"}, 400, "/colour")):
        assert refused(status, "POST", DEVICES, {**good, **change})["pointer"] == pointer
    refused(400, "POST", DEVICES, {"cloud": "aliyun", "device": "fresh"})
    refused(400, "POST", DEVICES, {"product": "pk", "device": "fresh"})


def test_create_refuses_a_secret_that_is_not_of_the_clouds_form(refused):
    body = {"cloud": "tencent", "product": "PROD123456", "device": "fresh", "secret": "not base64"}
    assert refused(400, "POST", DEVICES, body)["pointer"] == "/secret"


def test_change_switches_a_device_off(api, peer, online):
    online("aliyun/pk/device").close()
    assert api.request("PATCH", DEVICE, {"enabled": False})[1]["enabled"] is False
    login = api.get(DEVICE + "/credentials")
    device = peer()
    device.send_packet(type="connect", keepalive=60, **{
        key: login[key] for key in ("clientId", "username", "password")})
    assert device.receive()["code"] != 0


def test_change_replaces_secret_and_asset(api):
    fingerprint = "0123456789abcdef" * 4
    api.call("PATCH", DEVICE, {"secret": "other", "assetId": "a1", "fingerprint": fingerprint})
    device = api.get(DEVICE, secrets="true")
    assert (device["secret"], device["assetId"], device["fingerprint"]) == (
        "other", "a1", fingerprint)
    api.call("PATCH", DEVICE, {"assetId": "", "fingerprint": ""})
    device = api.get(DEVICE)
    assert device["assetId"] is None and device["fingerprint"] is None


def test_change_refuses_what_cannot_be(refused):
    refused(404, "PATCH", NOWHERE, {"enabled": True})
    assert refused(400, "PATCH", DEVICE, {"enabled": 1})["pointer"] == "/enabled"
    assert refused(400, "PATCH", DEVICE, {"device": "renamed"})["pointer"] == "/device"
    refused(400, "PATCH", DEVICE, b"[]")
    refused(400, "PATCH", DEVICE, b"{")


def test_delete_ends_the_session_and_the_device(api, online, refused):
    device = online("aliyun/pk/second")
    assert api.request("DELETE", DEVICES + "/aliyun/pk/second")[0] == 204
    assert device.receive() is None
    refused(404, "GET", DEVICES + "/aliyun/pk/second")
    refused(404, "DELETE", DEVICES + "/aliyun/pk/second")


def test_credentials_are_what_the_cloud_accepts(api, peer):
    login = api.get(DEVICE + "/credentials")
    device = peer()
    device.send_packet(type="connect", keepalive=60, **{
        key: login[key] for key in ("clientId", "username", "password")})
    assert device.receive()["code"] == 0


def test_credentials_of_nobody(refused):
    refused(404, "GET", NOWHERE + "/credentials")
    refused(400, "GET", DEVICE + "/credentials", tls="maybe")


def test_disconnect_closes_the_connection(api, online, refused):
    device = online("aliyun/pk/device")
    assert api.request("POST", DEVICE + "/disconnect")[0] == 204
    assert device.receive() is None
    assert refused(409, "POST", DEVICE + "/disconnect")["code"] == "conflict"
    refused(404, "POST", NOWHERE + "/disconnect")


def test_a_twin_takes_the_connection_over(api, online, refused):
    device = online("aliyun/pk/device", clean=False)
    device.send_packet(type="subscribe", id=1, filters=[["/pk/device/user/both", 1]])
    assert device.receive()["type"] == "suback"
    since = api.last_seq()
    assert api.request("POST", DEVICE + "/twin")[0] == 204
    assert device.receive() is None
    event = api.wait_event({"type": "takeover", "direction": "inside", "device": "aliyun/pk/device",
                            "reason": "a twin logged in"}, since=since)
    assert event["findings"] == []
    assert refused(409, "POST", DEVICE + "/twin")["code"] == "conflict"
    refused(404, "POST", NOWHERE + "/twin")


def test_a_twin_is_held_against_nobody_and_keeps_the_session(api, peer, online):
    online("aliyun/pk/device", clean=False)
    api.call("POST", DEVICE + "/twin")
    device = peer(credentials.listeners("aliyun/pk/device", "mqtt")[0])
    device.send_packet(type="connect", clean=False, keepalive=60,
                       **credentials.login("aliyun/pk/device"))
    assert device.receive()["sessionPresent"]
    (verdict,) = api.get("/api/v1/verdicts", device="aliyun/pk/device")["devices"]
    rules = {rule["id"]: rule for rule in verdict["rules"]}
    assert rules["ALI-DUPLICATE-LOGIN"]["verdict"] == "passed"


def test_a_device_that_is_not_there_over_mqtt_has_no_twin(api, refused):
    refused(409, "POST", DEVICE + "/twin")
    refused(409, "POST", DEVICES + "/enos/KV315idW/tPbZGCdmaE/twin")


def test_a_message_reaches_a_device_that_subscribes(api, online):
    device = online("aliyun/pk/device")
    device.send_packet(type="subscribe", id=1, filters=[["/pk/device/user/both", 1]])
    assert device.receive()["type"] == "suback"
    since = api.last_seq()
    sent = api.post(DEVICE + "/messages",
                    {"topic": "/pk/device/user/both", "payload": "hello", "qos": 1})
    got = device.receive()
    assert (got["topic"], got["payload"], got["qos"]) == ("/pk/device/user/both", "hello", 1)
    api.wait_event({"type": "publish", "direction": "down", "of": sent["seq"],
                    "topic": "/pk/device/user/both", "payload": "hello",
                    "device": "aliyun/pk/device"}, since=since)


def test_a_message_may_be_any_bytes(api, online):
    device = online("aliyun/pk/device")
    device.send_packet(type="subscribe", id=1, filters=[["/pk/device/user/both", 0]])
    device.receive()
    api.post(DEVICE + "/messages", {"topic": "/pk/device/user/both",
                                    "payloadBase64": base64.b64encode(b"\x00\xff").decode()})
    assert device.receive()["payload"] == {"hex": "00ff"}


def test_a_message_may_be_of_a_size(api, online):
    device = online("aliyun/pk/device")
    device.send_packet(type="subscribe", id=1, filters=[["/pk/device/user/both", 0]])
    device.receive()
    for size in (0, 30):
        api.post(DEVICE + "/messages", {"topic": "/pk/device/user/both", "size": size})
        assert device.receive()["payload"] == "abcdefghijklmnopqrstuvwxyzabcd"[:size]


def test_a_message_that_cannot_arrive_is_refused(online, refused):
    path, body = DEVICE + "/messages", {"topic": "/pk/device/user/both"}
    refused(409, "POST", path, body)  # away
    online("aliyun/pk/device")
    assert refused(409, "POST", path, body)["pointer"] == "/topic"  # not subscribed
    refused(404, "POST", NOWHERE + "/messages", body)
    assert refused(400, "POST", path, {"topic": "a/+"})["pointer"] == "/topic"
    assert refused(400, "POST", path, {**body, "qos": 2})["pointer"] == "/qos"
    assert refused(400, "POST", path, {**body, "payloadBase64": "?"})["pointer"] == "/payloadBase64"
    both = {**body, "payload": "", "payloadBase64": ""}
    assert refused(400, "POST", path, both)["pointer"] == "/payloadBase64"
    both = {**body, "payload": "", "size": 0}
    assert refused(400, "POST", path, both)["pointer"] == "/size"
    assert refused(400, "POST", path, {**body, "size": 640 * 1024 + 1})["pointer"] == "/size"
    refused(400, "POST", path, {})


def test_shadow_of_nobody(refused):
    refused(404, "GET", NOWHERE + "/shadow")


def test_products_are_loaded_in_the_form_of_a_fixture(api, refused):
    products = "/api/v1/products"
    text = {"products": [{"cloud": "aliyun", "productKey": "made", "devices": [
        {"deviceName": "one", "deviceSecret": "s1"}]}]}
    assert api.post(products, text) == {
        "productsAdded": 1, "productsChanged": 0, "devicesAdded": 1, "devicesChanged": 0}
    assert api.post(products, text)["devicesAdded"] == 0
    assert "made" in [product["product"] for product in api.get(products)["products"]]
    assert api.get(DEVICES + "/aliyun/made/one", secrets="true")["secret"] == "s1"
    assert refused(400, "POST", products, {"products": [{"cloud": "nope"}]})["pointer"].startswith(
        "/products/0")
    refused(400, "POST", products, b"{")


def test_products_show_secrets_only_when_asked(api):
    assert "secret" not in api.get("/api/v1/products")["products"][0]
    secrets = {p["product"]: p["secret"] for p in api.get("/api/v1/products",
                                                          secrets="true")["products"]}
    assert secrets["pk"] == "aliyunProductSecret"
