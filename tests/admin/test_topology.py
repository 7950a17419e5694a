"""The devices behind a gateway, as the application reads and sets them."""

import json

import clouds
import credentials
import pytest
import server

DEVICES = "/api/v1/devices"
GATE, OTHER = "aliyun/gates/one", "aliyun/gates/two"
PLUGINS = dict(clouds.modules("behind"))


def topology(name):
    return f"{DEVICES}/{name}/topology"


def sub(*keys):
    return [{"product": "subs", "device": key} for key in keys]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    path = tmp_path_factory.mktemp("topology") / "fixtures.json"
    words = {"aliyun": ("productKey", "deviceName", "deviceSecret", "secret"),
             "tencent": ("productId", "deviceName", "psk", "MTIzNDU2Nzg5MGFiY2RlZg=="),
             "enos": ("productKey", "deviceKey", "deviceSecret", "secret")}

    def device(cloud, key, **more):
        return {words[cloud][1]: key, words[cloud][2]: words[cloud][3], **more}

    def seeded(cloud):
        return [{words[cloud][0]: "subs", words[cloud][1]: key} for key in ("b", "a")]

    path.write_text(json.dumps({"products": [product for cloud in words for product in (
        {"cloud": cloud, words[cloud][0]: "gates", "nodeType": "gateway", "devices": [
            device(cloud, "one", subDevices=seeded(cloud)), device(cloud, "two")]},
        {"cloud": cloud, words[cloud][0]: "subs", "nodeType": "sub-device", "devices": [
            device(cloud, key) for key in ("a", "b", "c", "d")]})]}))
    credentials.SECRETS.update({f"{cloud}/{name}": (words[cloud][3], "") for cloud in words
                                for name in ("gates/one", "gates/two", "subs/a", "subs/b",
                                             "subs/c", "subs/d")})
    running = server.Skymock(fixtures=path)
    yield running
    running.stop()


def behind(api, name):
    return [each["device"] for each in api.get(topology(name))["subDevices"]]


def put(api, name, *keys):
    answer = api.call("PUT", topology(name), {"subDevices": sub(*keys)})
    assert answer == api.get(topology(name))
    return [each["device"] for each in answer["subDevices"]]


@pytest.mark.parametrize("cloud", sorted(PLUGINS))
def test_the_fixtures_say_who_stands_there_first(api, cloud):
    assert api.get(topology(f"{cloud}/gates/one"))["subDevices"] == [
        {"product": "subs", "device": key, "online": False} for key in ("b", "a")]
    assert behind(api, f"{cloud}/gates/two") == []


@pytest.mark.parametrize("cloud", sorted(PLUGINS))
def test_it_becomes_what_is_put(api, cloud):
    gate, other = f"{cloud}/gates/one", f"{cloud}/gates/two"
    since = api.last_seq()
    assert put(api, gate, "a", "c") == ["a", "c"]
    told = [(event["type"], event["device"], event["gateway"])
            for event in api.events(since=since) if event["type"] in ("bind", "unbind")]
    assert told == [("unbind", f"{cloud}/subs/b", gate), ("bind", f"{cloud}/subs/c", gate)]
    since = api.last_seq()
    assert put(api, gate, "a", "c") == ["a", "c"]
    assert put(api, gate, "c", "a", "c") == ["a", "c"]
    assert not [event for event in api.events(since=since) if event["type"] in ("bind", "unbind")]
    # One that another gateway has goes there, unless the cloud shares them.
    assert put(api, other, "c", "d") == ["c", "d"]
    assert behind(api, gate) == (["a", "c"] if PLUGINS[cloud].SHARED else ["a"])
    assert put(api, gate) == []
    assert behind(api, other) == ["c", "d"]


@pytest.mark.parametrize("cloud, product, device", [
    ("aliyun", "productKey", "deviceName"), ("tencent", "productId", "deviceName"),
    ("enos", "productKey", "deviceKey")])
def test_the_vendors_words_will_do(api, cloud, product, device):
    body = {"subDevices": [{product: "subs", device: "d"}]}
    answer = api.call("PUT", topology(f"{cloud}/gates/one"), body)
    assert [each["device"] for each in answer["subDevices"]] == ["d"]
    assert api.call("PUT", topology(f"{cloud}/gates/one"), answer) == answer  # what was read


@pytest.mark.parametrize("body, status, pointer", [
    ({}, 400, ""), ({"subDevices": {}}, 400, "/subDevices"),
    ({"subDevices": None}, 400, "/subDevices"), ({"subDevices": [], "colour": 1}, 400, "/colour"),
    ({"subDevices": ["a"]}, 400, "/subDevices/0"), ({"subDevices": [[]]}, 400, "/subDevices/0"),
    ({"subDevices": sub("c") + [{"device": "a"}]}, 400, "/subDevices/1"),
    ({"subDevices": sub("c") + [{"product": "subs"}]}, 400, "/subDevices/1"),
    ({"subDevices": [{"product": "subs", "device": 7}]}, 400, "/subDevices/0"),
    ({"subDevices": sub("c", "nobody")}, 404, "/subDevices/1"),
    ({"subDevices": [{"product": "nobody", "device": "a"}]}, 404, "/subDevices/0"),
    ({"subDevices": sub("c") + [{"product": "gates", "device": "two"}]}, 400, "/subDevices/1"),
    ({"subDevices": [{"product": "gates", "device": "one"}]}, 400, "/subDevices/0"),
    (b"{", 400, ""), (b"[]", 400, "")])
def test_a_bad_one_changes_nothing(api, refused, body, status, pointer):
    assert refused(status, "PUT", topology(GATE), body)["pointer"] == pointer
    assert behind(api, GATE) == ["b", "a"]


@pytest.mark.parametrize("cloud", sorted(PLUGINS))
def test_so_many_stand_there_and_no_more(api, refused, cloud):
    most = {"aliyun": 1500, "tencent": 1500, "enos": 2000}[cloud]
    gate = f"{cloud}/gates/two"
    words = {"aliyun": ("productKey", "deviceName", "deviceSecret"),
             "tencent": ("productId", "deviceName", "psk"),
             "enos": ("productKey", "deviceKey", "deviceSecret")}[cloud]
    secret = "MTIzNDU2Nzg5MGFiY2RlZg=="
    api.post("/api/v1/products", {"products": [{"cloud": cloud, words[0]: "many", "devices": [
        {words[1]: f"m{i}", words[2]: secret} for i in range(most + 1)]}]})
    many = [{"product": "many", "device": f"m{i}"} for i in range(most + 1)]
    error = refused(413, "PUT", topology(gate), {"subDevices": many})
    assert error["pointer"] == "/subDevices" and str(most) in error["message"]
    api.call("PUT", topology(gate), {"subDevices": many[:most]})
    assert len(behind(api, gate)) == most


def test_only_a_gateway_has_any(refused):
    for method, body in (("GET", None), ("PUT", {"subDevices": []})):
        assert "no gateway" in refused(409, method, topology("aliyun/subs/a"), body)["message"]
        for name in ("aliyun/gates/nobody", "aliyun/nobody/one", "nowhere/gates/one"):
            refused(404, method, topology(name), body)


def test_a_token_guards_it(start):
    running = start("--admin-token", "s3cret")
    stranger = type(running.api)(running.ports["admin"])
    for method in ("GET", "PUT"):
        assert stranger.request(method, topology(GATE))[0] == 401
    assert stranger.request("POST", f"{DEVICES}/{GATE}/config")[0] == 401
    stranger.close()


def log_in(api, gateway, device, key, cloud="aliyun"):
    """The gateway brings the device online."""
    since = api.last_seq()
    topic, payload = PLUGINS[cloud].act("login", f"{cloud}/gates/{gateway}", f"{cloud}/subs/{key}")
    device.send_packet(type="publish", topic=topic, payload=payload)
    api.wait_event({"type": "online", "device": f"{cloud}/subs/{key}",
                    "gateway": f"{cloud}/gates/{gateway}"}, since=since)


@pytest.mark.parametrize("cloud", sorted(PLUGINS))
def test_who_is_online_is_shown_and_goes_when_unbound(api, online, cloud):
    gate, path = f"{cloud}/gates/one", f"{DEVICES}/{cloud}/subs/a"
    device = online(gate)
    assert "gateway" not in api.get(path)
    log_in(api, "one", device, "a", cloud)
    assert [each["online"] for each in api.get(topology(gate))["subDevices"]] == [False, True]
    assert api.get(path)["online"] and api.get(path)["gateway"] == gate
    since = api.last_seq()
    put(api, gate, "b")
    api.wait_event({"type": "offline", "device": f"{cloud}/subs/a", "gateway": gate}, since=since)
    assert not api.get(path)["online"] and "gateway" not in api.get(path)


def test_the_gateway_gone_they_are_offline(api, online):
    device = online(GATE)
    log_in(api, "one", device, "a")
    since = api.last_seq()
    device.close()
    api.wait_event({"type": "offline", "device": "aliyun/subs/a", "gateway": GATE}, since=since)
    assert not api.get(DEVICES + "/aliyun/subs/a")["online"]


def test_disconnecting_one_behind_leaves_its_gateway(api, online):
    device = online(GATE)
    log_in(api, "one", device, "a")
    assert api.request("POST", DEVICES + "/aliyun/subs/a/twin")[0] == 409  # no login of its own
    assert api.request("POST", DEVICES + "/aliyun/subs/a/disconnect")[0] == 204
    assert not api.get(DEVICES + "/aliyun/subs/a")["online"]
    assert api.get(f"{DEVICES}/{GATE}")["online"]
    assert api.request("POST", DEVICES + "/aliyun/subs/a/disconnect")[0] == 409


def test_what_is_deleted_stands_nowhere(api):
    put(api, GATE, "a", "b", "c")
    api.call("DELETE", DEVICES + "/aliyun/subs/c")
    assert behind(api, GATE) == ["b", "a"]
    api.reset()
    assert api.get(DEVICES + "/aliyun/subs/c") and behind(api, GATE) == ["b", "a"]


SCOPES = [{}, {"product": "CLOUD/gates"}, {"device": "CLOUD/gates/one"}]


@pytest.mark.parametrize("cloud", sorted(PLUGINS))
@pytest.mark.parametrize("scope", SCOPES)
def test_a_reset_takes_it_back_to_the_fixtures(api, cloud, scope):
    gate, other = f"{cloud}/gates/one", f"{cloud}/gates/two"
    scope = {key: value.replace("CLOUD", cloud) for key, value in scope.items()}
    put(api, gate, "c", "d")
    put(api, other, "a")
    api.post("/api/v1/reset", scope)
    assert behind(api, gate) == ["b", "a"]
    # Nobody else has it then, unless the cloud shares devices.
    stays = PLUGINS[cloud].SHARED and "device" in scope
    assert behind(api, other) == (["a"] if stays else [])


def test_a_reset_of_a_device_takes_it_to_its_gateway(api):
    put(api, GATE)
    put(api, OTHER, "a", "b", "c")
    api.post("/api/v1/reset", {"device": "aliyun/subs/a"})
    assert (behind(api, GATE), behind(api, OTHER)) == (["a"], ["b", "c"])
    api.post("/api/v1/reset", {"product": "aliyun/subs"})
    assert (behind(api, GATE), behind(api, OTHER)) == (["b", "a"], [])


def test_fixtures_through_the_api_bind_and_say_what_is_wrong(api, refused):
    product = {"cloud": "aliyun", "productKey": "gates", "nodeType": "gateway", "devices": [
        {"deviceName": "two", "subDevices": [{"productKey": "subs", "deviceName": "c"}]}]}
    api.post("/api/v1/products", {"products": [product]})
    assert (behind(api, GATE), behind(api, OTHER)) == (["b", "a"], ["c"])
    put(api, OTHER)
    api.post("/api/v1/products", {"products": [product]})
    assert behind(api, OTHER) == []  # it says what it said
    product["devices"][0]["subDevices"].append({"productKey": "subs", "deviceName": "nobody"})
    error = refused(400, "POST", "/api/v1/products", {"products": [product]})
    assert error["pointer"] == "/products/0/devices/0/subDevices/1"
