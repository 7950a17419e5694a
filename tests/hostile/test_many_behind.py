"""Gateways with as many devices behind them as there may be, and messages about them that are not
as they should be."""

import base64
import hashlib
import hmac
import http.client
import json

import clouds
import credentials
import crowd
import pytest
import server

PLUGINS = dict(clouds.modules("behind"))
GATEWAYS = ("big", "small")
MANY = {"aliyun": 1500, "tencent": 1500, "enos": 2000}  # bound to the big one
ONLINE = {"aliyun": 1500, "tencent": 1500, "enos": 200}  # by one gateway
AT_ONCE = 50


def names(count):
    return [f"sub{number:04}" for number in range(count)]


def products(name, plugin):
    """All are bound to the big one but the last, which is free."""
    gates, subs = plugin.products(GATEWAYS, names(MANY[name] + 1))
    product_key, device_key, _ = dict(clouds.modules("credentials"))[name].WORDS
    gates["devices"][0]["subDevices"] = [
        {product_key: subs[product_key], device_key: each} for each in names(MANY[name])]
    return [gates, subs]


class Gateway:
    """One that is logged in, with the names of the devices bound to it."""

    def __init__(self, running, name, which="big", **fields):
        self.cloud = PLUGINS[name]
        gates, subs = products(name, self.cloud)
        product_key, device_key, _ = dict(clouds.modules("credentials"))[name].WORDS
        self.name = f"{name}/{gates[product_key]}/{which}"
        self.devices = [f"{name}/{subs[product_key]}/{each[device_key]}"
                        for each in subs["devices"]]
        self.free = self.devices.pop()
        self.peer = server.Peer(running.ports[self.cloud.LISTENER])
        self.peer.send_packet(type="connect", keepalive=120, clean=True,
                              **credentials.login(self.name), **fields)
        assert self.peer.receive()["code"] == 0

    def settle(self):
        """Whatever comes until the server has done all that was asked of it."""
        self.peer.send_packet(type="pingreq")
        came = []
        while (packet := self.peer.receive())["type"] != "pingresp":
            if packet.get("qos"):
                self.peer.send_packet(type="puback", id=packet["id"])
            came.append(packet)
        return came

    def says(self, topic, payload):
        self.peer.send_packet(type="publish", topic=topic, payload=payload)
        return self.settle()

    def act(self, kind, device):
        return self.says(*self.cloud.act(kind, self.name, device))

    def subscribe(self, *topics):
        self.peer.send_packet(type="subscribe", id=3, filters=[[each, 1] for each in topics])
        return [code for packet in self.settle() if packet["type"] == "suback"
                for code in packet["codes"]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    path = tmp_path_factory.mktemp("gateways") / "fixtures.json"
    path.write_text(json.dumps({"products": crowd.fixtures()["products"] + [
        each for name, plugin in PLUGINS.items() for each in products(name, plugin)]}))
    credentials.SECRETS.update(credentials._devices(path))
    running = server.Skymock("--rule", "ALI-PUBLISH-RATE=off", fixtures=path)
    yield running
    running.stop()


@pytest.fixture(params=sorted(PLUGINS))
def gateway(request, skymock):
    one = Gateway(skymock, request.param)
    yield one
    one.peer.close()


def online(api, gateway):
    behind = api.get(f"/api/v1/devices/{gateway.name}/topology")["subDevices"]
    return sum(each["online"] for each in behind)


def test_as_many_as_there_may_be(skymock, witness, gateway):
    """They come online, subscribe, and go offline all at once, when their gateway hangs up."""
    api = skymock.api
    name = gateway.name.split("/", maxsplit=1)[0]
    coming = gateway.devices[:ONLINE[name]]
    for first in range(0, len(coming), AT_ONCE):
        for device in coming[first:first + AT_ONCE]:
            gateway.peer.send_packet(
                type="publish", **dict(zip(("topic", "payload"),
                                           gateway.cloud.act("login", gateway.name, device))))
        gateway.settle()
    assert online(api, gateway) == len(coming)
    for first in range(0, len(coming), 5):
        gateway.subscribe(*map(gateway.cloud.heard, coming[first:first + 5]))
    gateway.act("bind", gateway.free)
    since = api.last_seq()
    gateway.peer.close()
    api.wait_event({"type": "offline", "device": coming[-1]}, since)
    assert online(api, gateway) == 0
    witness.report()


def broken(payload):
    """Payloads that are nearly that one."""
    yield from ("", "{", "[]", "null", "\"x\"", "{}", payload[:-1], payload + "}", payload[1:])
    yield payload.replace("{", "[").replace("}", "]")
    yield "[" * 200000
    yield "{\"params\":" * 20000 + "1" + "}" * 20000
    text = json.loads(payload)
    inner = "params" if "params" in text else "payload"
    for bad in (None, 1, "x", [], {}, [[]], [{}], [None] * 300, {"deviceList": 1},
                {"devices": {}}, {"devices": [1]}, {"devices": [{}] * 300}, {"subDevices": "x"}):
        yield json.dumps({**text, inner: bad})
    for key in ("productKey", "deviceName", "deviceKey", "product_id", "device_name", "sign",
                "signature", "timestamp", "random", "clientId"):
        if f'"{key}"' in payload:
            for bad in ("null", "{}", "[1]", "-1e999", "\"\"", "\"\\u0000\"", "\"+/#\"",
                        "\"../..\"", "\"%s%n\"", json.dumps("x" * 70000)):
                head, _, tail = payload.partition(f'"{key}": ')
                value = json.JSONDecoder().raw_decode(tail)[1]
                yield f'{head}"{key}": {bad}{tail[value:]}'


def services(gateway):
    """Topics and payloads of everything that it may ask for."""
    for kind in ("bind", "unbind", "login", "logout"):
        yield gateway.cloud.act(kind, gateway.name, gateway.free)
    plugin = gateway.cloud
    if hasattr(plugin, "topic"):
        for levels in ("thing/topo/get", "thing/sub/register", "thing/sub/unregister",
                       "thing/proxy/provisioning/product_register", "thing/list/found",
                       "thing/device/register", "combine/login/batch", "combine/batch_login",
                       "combine/batch_logout"):
            yield plugin.topic(levels, gateway.name), json.dumps(
                {"id": "1", "version": "1.0", "params": [plugin.proof(gateway.free)]})
    else:
        for kind in ("describe_sub_devices", "change"):
            yield gateway.cloud.act("bind", gateway.name, gateway.free)[0], json.dumps(
                {"type": kind, "payload": {"devices": [plugin.proof(gateway.free)]}})


def test_messages_that_are_not_as_they_should_be(skymock, witness, gateway):
    for topic, payload in services(gateway):
        for each in broken(payload):
            if len(topic) + len(each) < 256 << 10:
                gateway.says(topic, each)
    assert not skymock.api.get(f"/api/v1/devices/{gateway.free}")["online"]
    witness.report()


@pytest.mark.parametrize("count", [200, 201])
def test_many_devices_in_one_message(skymock, gateway, count):
    """As many as one message may name are looked up, and no more."""
    for kind in ("bind", "login"):
        topic, payload = gateway.cloud.act(kind, gateway.name, gateway.free)
        text = json.loads(payload)
        inner = "params" if "params" in text else "payload"
        one = text[inner]
        one = one[0] if isinstance(one, list) else one.get("devices", [one])[0]
        text[inner] = {"devices": [one] * count} if inner == "payload" else [one] * count
        gateway.says(topic, json.dumps(text))
    skymock.api.barrier()


def test_neither_itself_nor_another_gateway(skymock, gateway):
    other = gateway.name.replace("/big", "/small")
    for device in (gateway.name, other):
        for kind in ("bind", "login", "logout", "unbind"):
            gateway.act(kind, device)
    assert {"bind", "online", "unbind"}.isdisjoint(
        each["type"] for each in skymock.api.events(device=gateway.name)
        if "gateway" in each)
    assert gateway.name.split("/")[2] == "big"
    assert not skymock.api.get(f"/api/v1/devices/{other}")["online"]
    assert skymock.api.get(f"/api/v1/devices/{gateway.name}").get("gateway") is None


def publish_by_http(running, who, topic):
    _, product, device = who.split("/")
    body = json.dumps({"ProductId": product, "DeviceName": device, "TopicName": topic,
                       "Payload": "{}", "Qos": 1})
    digest = hashlib.sha256(body.encode()).hexdigest()
    text = f"POST\n127.0.0.1\n/device/publish\n\nhmacsha256\n1589786839\n5456\n{digest}"
    key = base64.b64decode(credentials.SECRETS[who][0])
    for secret in (key, credentials.SECRETS[who][0].encode()):
        signature = base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())
        connection = http.client.HTTPConnection("127.0.0.1", running.ports["https"])
        connection.request("POST", "/device/publish", body, {
            "X-TC-Algorithm": "hmacsha256", "X-TC-Timestamp": "1589786839", "X-TC-Nonce": "5456",
            "X-TC-Signature": signature.decode()})
        answer = json.loads(connection.getresponse().read())["Response"]
        connection.close()
    return answer


def test_a_gateway_without_a_connection_has_nobody_online(skymock):
    """It may use its devices' topics over HTTP all the same."""
    gateway = Gateway(skymock, "tencent")
    gateway.peer.send_packet(type="disconnect")
    assert gateway.peer.receive() is None
    device = gateway.devices[0]
    assert "Error" not in publish_by_http(skymock, gateway.name, gateway.cloud.used(device))
    assert not skymock.api.get(f"/api/v1/devices/{device}")["online"]
    skymock.api.call("DELETE", f"/api/v1/devices/{gateway.name}")
    assert "gateway" not in skymock.api.get(f"/api/v1/devices/{device}")


def test_ids_of_messages_go_on_in_each_clean_session(skymock):
    """An SDK drops those that it saw lately."""
    gateway, seen = Gateway(skymock, "tencent"), []
    for _ in range(3):
        device = gateway.devices[0]
        gateway.act("login", device)
        assert gateway.subscribe(gateway.cloud.heard(device)) == [1]
        skymock.api.post(f"/api/v1/devices/{device}/messages", {
            "topic": gateway.cloud.heard(device), "payload": "x", "qos": 1})
        seen += [packet["id"] for packet in gateway.settle() if packet["type"] == "publish"]
        gateway.peer.close()
        gateway = Gateway(skymock, "tencent")
    gateway.peer.close()
    assert len(seen) >= 3 and len(set(seen)) == len(seen), seen


def test_memory_of_devices_that_are_deleted_is_given_back(skymock):
    gateway = Gateway(skymock, "aliyun")
    _, product, _ = gateway.free.split("/")
    sizes = []
    for generation in range(3):
        for number in range(300):
            device = f"aliyun/{product}/new{number:04}"
            skymock.api.post("/api/v1/devices", {"cloud": "aliyun", "product": product,
                                                 "device": f"new{number:04}", "secret": "fresh"})
            skymock.api.call("DELETE", f"/api/v1/devices/{device}")
        sizes.append(crowd.resident_kb(skymock))
    print("resident", sizes)
    assert sizes[-1] - sizes[0] < 2048
    gateway.peer.close()
