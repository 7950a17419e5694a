"""Texts of a product: its configuration, its thing model, whose devices stand behind its gateways,
where its uplinks go."""

import json

import credentials
import pytest
import server

PRODUCTS = "/api/v1/products"
PRODUCT = PRODUCTS + "/aliyun/gates"
PLAIN = PRODUCTS + "/aliyun/plain"
NOBODY = PRODUCTS + "/aliyun/nobody"
CONFIG = {"interval": 60, "list": [1, None, "x"]}
MODEL = {"properties": [{"identifier": "t", "accessMode": "r", "dataType": {
    "type": "int", "specs": {"min": "0", "max": "9"}}}]}
TEXTS = {"config": CONFIG, "model": MODEL, "subProducts": ["subs"],
         "forward": "http://127.0.0.1:9/in"}
# Another good one of each, and what is too long by a byte.
OTHERS = {"config": 7, "model": {"properties": []}, "subProducts": [],
          "forward": "https://host.example/x"}
MOST = {"config": ("x" * (128 * 1024 - 2), "x" * (128 * 1024 - 1)),
        "model": ({"properties": [], "x": "x" * (256 * 1024 - 24)},
                  {"properties": [], "x": "x" * (256 * 1024 - 23)})}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    path = tmp_path_factory.mktemp("products") / "fixtures.json"
    devices = [{"deviceName": "one", "deviceSecret": "secret"}]
    path.write_text(json.dumps({"products": [
        {"cloud": "aliyun", "productKey": "gates", "productSecret": "x" * 16,
         "nodeType": "gateway", **TEXTS, "devices": devices},
        {"cloud": "aliyun", "productKey": "plain", "devices": devices},
        {"cloud": "tencent", "productId": "PLAIN12345", "devices": []}]}))
    credentials.SECRETS["aliyun/gates/one"] = ("secret", "x" * 16)
    running = server.Skymock(fixtures=path)
    yield running
    running.stop()


def texts(api, path=PRODUCT):
    read = api.get(path)
    return {name: read[name] for name in TEXTS if name in read}


def test_a_product_is_read_with_its_texts(api):
    assert api.get(PRODUCT) == {
        "cloud": "aliyun", "product": "gates", "dynamicActivation": False,
        "requireCertificate": False, "httpsAuth": True, "nodeType": "gateway", **TEXTS}
    assert api.get(PRODUCT, secrets="true")["secret"] == "x" * 16
    assert texts(api, PLAIN) == {}
    listed, = [each for each in api.get(PRODUCTS)["products"] if each["product"] == "gates"]
    assert listed["nodeType"] == "gateway" and not set(TEXTS) & set(listed)


@pytest.mark.parametrize("name", TEXTS)
def test_one_text_is_changed_and_taken_away(api, name):
    left = {other: text for other, text in TEXTS.items() if other != name}
    status, answer = api.request("PATCH", PRODUCT, {name: OTHERS[name]})
    assert status == 200 and answer[name] == OTHERS[name]
    assert texts(api) == {**left, name: OTHERS[name]}
    api.call("PATCH", PRODUCT, {name: None})
    assert texts(api) == left
    api.call("PATCH", PRODUCT, {})
    assert texts(api) == left


@pytest.mark.parametrize("name", ["config", "model"])
def test_a_text_has_a_route_of_its_own(api, refused, name):
    first = api.get(f"{PRODUCT}/{name}")
    assert first == {"version": first["version"], name: TEXTS[name]}
    assert api.request("PUT", f"{PRODUCT}/{name}", OTHERS[name])[0] == 204
    assert api.get(f"{PRODUCT}/{name}") == {"version": first["version"] + 1, name: OTHERS[name]}
    assert api.request("DELETE", f"{PRODUCT}/{name}")[0] == 204
    assert name in refused(404, "GET", f"{PRODUCT}/{name}")["message"]
    assert api.request("DELETE", f"{PRODUCT}/{name}")[0] == 204  # there is none, as was asked for
    assert api.request("PUT", f"{PRODUCT}/{name}", TEXTS[name])[0] == 204
    assert api.get(f"{PRODUCT}/{name}")["version"] > first["version"] + 2
    assert api.request("PUT", f"{PRODUCT}/{name}", b" null ")[0] == 204
    refused(404, "GET", f"{PRODUCT}/{name}")


@pytest.mark.parametrize("config", [False, 0, "", [], {}, "text", {"a": {"b": [1.5]}}])
def test_a_configuration_is_any_json(api, config):
    assert api.request("PUT", PRODUCT + "/config", json.dumps(config).encode())[0] == 204
    assert api.get(PRODUCT + "/config")["config"] == config


@pytest.mark.parametrize("name", MOST)
def test_a_text_may_be_so_long_and_no_longer(api, refused, name):
    fits, long = MOST[name]
    assert api.request("PUT", f"{PRODUCT}/{name}", json.dumps(fits, separators=(",", ":")).encode()
                       )[0] == 204
    assert api.get(f"{PRODUCT}/{name}")[name] == fits
    body = json.dumps(long, separators=(",", ":")).encode()
    assert refused(413, "PUT", f"{PRODUCT}/{name}", body)["pointer"] == ""
    assert refused(413, "PATCH", PRODUCT, b'{"%s": %s}' % (name.encode(), body))[
        "pointer"] == "/" + name
    assert api.get(f"{PRODUCT}/{name}")[name] == fits


def test_lists_and_urls_may_be_so_long_and_no_longer(api, refused):
    keys = [f"p{i}" for i in range(257)]
    api.call("PATCH", PRODUCT, {"subProducts": keys[:256]})
    assert refused(413, "PATCH", PRODUCT, {"subProducts": keys})["pointer"] == "/subProducts"
    assert texts(api)["subProducts"] == keys[:256]
    url, longest = "http://host/", 0
    while api.request("PATCH", PRODUCT, {"forward": url + "x" * longest})[0] == 200:
        longest += 100
    assert 200 <= longest <= 2000
    assert len(texts(api)["forward"]) == len(url) + longest - 100


@pytest.mark.parametrize("body, pointer", [
    ({"forward": 7}, "/forward"), ({"forward": "host"}, "/forward"), ({"forward": ""}, "/forward"),
    ({"forward": {}}, "/forward"),
    ({"model": 7}, "/model"), ({"model": []}, "/model"), ({"model": "model.json"}, "/model"),
    ({"model": {"properties": [{"identifier": 7}]}}, "/model/properties/0"),
    ({"subProducts": "subs"}, "/subProducts"), ({"subProducts": {}}, "/subProducts"),
    ({"subProducts": ["a", 7]}, "/subProducts/1"), ({"subProducts": ["a/b"]}, "/subProducts/0"),
    ({"colour": 1}, "/colour"), ({"nodeType": "device"}, "/nodeType"),
    # The first is good: it does not count when another is not.
    ({"config": 7, "forward": "host"}, "/forward"), ({"config": 7, "model": 7}, "/model")])
def test_a_bad_text_changes_nothing(api, refused, body, pointer):
    before = texts(api), api.get(PRODUCT + "/config")["version"]
    assert refused(400, "PATCH", PRODUCT, body)["pointer"] == pointer
    assert (texts(api), api.get(PRODUCT + "/config")["version"]) == before


@pytest.mark.parametrize("name", ["config", "model"])
@pytest.mark.parametrize("body", [b"", b"{", b"1 2", b"nul", b"\xff",
                                  b"[" * 33 + b"]" * 33])
def test_what_is_no_json_is_no_text(api, refused, name, body):
    refused(400, "PUT", f"{PRODUCT}/{name}", body)
    assert texts(api) == TEXTS


def test_a_file_of_the_server_is_not_read(api, refused, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(MODEL))
    assert refused(400, "PUT", PLAIN + "/model", json.dumps(str(path)).encode())
    fixture = {"cloud": "aliyun", "productKey": "plain", "model": str(path), "devices": []}
    error = refused(400, "POST", PRODUCTS, {"products": [fixture]})
    assert error["pointer"] == "/products/0/model" and "files are read only" in error["message"]
    assert texts(api, PLAIN) == {}


def test_only_a_gateway_names_products_behind_it(refused):
    assert refused(400, "PATCH", PLAIN, {"subProducts": ["subs"]})["pointer"] == "/subProducts"


def test_texts_of_no_product(refused):
    for path in (NOBODY, PRODUCTS + "/nowhere/gates"):
        for method, name, body in (("GET", "", None), ("PATCH", "", {"config": 1}),
                                   ("GET", "/config", None), ("PUT", "/config", {}),
                                   ("DELETE", "/config", None), ("GET", "/model", None),
                                   ("PUT", "/model", {}), ("DELETE", "/model", None)):
            refused(404, method, path + name, body)


def test_a_token_guards_texts(start):
    running = start("--admin-token", "s3cret")
    for method, name in (("GET", ""), ("PATCH", ""), ("GET", "/config"), ("PUT", "/config"),
                         ("DELETE", "/config"), ("GET", "/model"), ("PUT", "/model"),
                         ("DELETE", "/model")):
        stranger = type(running.api)(running.ports["admin"])
        status, answer = stranger.request(method, "/api/v1/products/aliyun/pk" + name)
        assert status == 401 and answer["error"]["code"] == "token"
        stranger.close()


def test_a_model_counts_at_once(api, online):
    device = online("aliyun/gates/one")

    def post(value):
        since = api.last_seq()
        device.send_packet(type="publish", payload=json.dumps(
            {"id": "1", "version": "1.0", "params": {"t": value}, "method":
             "thing.event.property.post"}), topic="/sys/gates/one/thing/event/property/post")
        device.send_packet(type="pingreq")
        api.wait_event({"type": "pingreq"}, since=since)
        return [finding["rule"] for event in api.events(since=since)
                for finding in event.get("findings", [])]

    assert post(10) == ["ALI-MODEL"] and post(9) == []
    wider = json.loads(json.dumps(MODEL).replace('"9"', '"10"'))
    api.call("PUT", PRODUCT + "/model", wider)
    assert post(10) == []
    api.call("DELETE", PRODUCT + "/model")
    assert post("text") == []


def test_every_change_is_an_event(api):
    since = api.last_seq()
    api.call("PUT", PRODUCT + "/config", 1)
    api.call("DELETE", PRODUCT + "/model")
    api.call("PATCH", PRODUCT, {"config": 2})
    changes = [event["name"] for event in api.events(since=since, type="registry")]
    assert changes == ["config", "model", "product"]


@pytest.mark.parametrize("scope", [{}, {"product": "aliyun/gates"}])
def test_a_reset_takes_texts_back_to_the_fixtures(api, scope):
    api.call("PATCH", PRODUCT, OTHERS)
    api.call("DELETE", PRODUCT + "/config")
    api.call("PUT", PLAIN + "/config", {"a": 1})
    api.post("/api/v1/reset", scope)
    assert texts(api) == TEXTS
    assert texts(api, PLAIN) == ({"config": {"a": 1}} if scope else {})


def test_a_reset_of_a_device_leaves_its_products_texts(api):
    api.call("PATCH", PRODUCT, OTHERS)
    api.post("/api/v1/reset", {"device": "aliyun/gates/one"})
    assert texts(api) == OTHERS


def test_what_a_posted_product_does_not_name_stays(api):
    api.post("/api/v1/products", {"products": [
        {"cloud": "aliyun", "productKey": "keeper", "nodeType": "gateway", "config": {"a": 1},
         "subProducts": ["pk"], "topics": [{"topic": "/keeper/x", "pub": True}]}]})
    count = api.post("/api/v1/products", {"products": [
        {"cloud": "aliyun", "productKey": "keeper",
         "devices": [{"deviceName": "one", "deviceSecret": "s"}]}]})
    assert (count["productsChanged"], count["devicesAdded"]) == (0, 1)
    product = api.get("/api/v1/products/aliyun/keeper")
    assert product["nodeType"] == "gateway"
    assert (product["config"], product["subProducts"]) == ({"a": 1}, ["pk"])
    api.post("/api/v1/products", {"products": [
        {"cloud": "aliyun", "productKey": "keeper", "config": None}]})
    assert "config" not in api.get("/api/v1/products/aliyun/keeper")
