"""A gateway of EnOS and the devices behind it, played with Paho as the vendor's SDKs do: replies are
subscribed to just before the first request, commands never; the next request waits for an answer."""

import itertools
import json
import queue

import clouds
import credentials
import paho.mqtt.client as mqtt
import pytest
import server
from enos.behind import (BOUND, FREE, GATEWAY, LOCKED, OTHER_GATEWAY, batch, keys, proof, request,
                         topic)

API = "/api/v1/devices/"


class Gateway:
    """One of an SDK: its ids count up, and its callbacks land in a queue."""

    def __init__(self, skymock, name=GATEWAY, qos=1):
        fields = credentials.login(name)
        self.name, self.qos = name, qos
        self.numbers = itertools.count(1)
        self.messages, self.happened = queue.Queue(), queue.Queue()
        self.client = mqtt.Client(fields["clientId"], protocol=mqtt.MQTTv311)
        self.client.username_pw_set(fields["username"], fields["password"])
        self.client.on_message = lambda c, u, message: self.messages.put(
            (message.topic, message.payload.decode()))
        self.client.on_connect = lambda c, u, flags, code: self.happened.put(code)
        self.client.on_subscribe = lambda c, u, mid, codes: self.happened.put(codes[0])
        self.client.connect("127.0.0.1", skymock.ports["enos-mqtt"], keepalive=60)
        self.client.loop_start()
        assert self.happened.get(timeout=server.PATIENCE_S) == 0

    def next(self):
        return self.messages.get(timeout=server.PATIENCE_S)

    def call(self, levels, params, of=None, **more):
        """What the cloud answers to a request, for itself or on a topic of a device behind it."""
        where = topic(levels, of or self.name)
        number = str(next(self.numbers))
        self.client.subscribe(where + "_reply", self.qos)
        granted = self.happened.get(timeout=server.PATIENCE_S)
        assert granted == self.qos or (of and granted == 0x80)
        self.client.publish(where, request(levels, params, number, **more), self.qos)
        came_on, payload = self.next()
        reply = json.loads(payload)
        assert (came_on, reply["id"]) == (where + "_reply", number)
        assert isinstance(reply["code"], int) and "data" in reply
        return reply

    def answer(self, came):
        """To a command, as every SDK does."""
        where, payload = came
        self.client.publish(where + "_reply", json.dumps(
            {"id": json.loads(payload)["id"], "code": 200, "data": {}}), self.qos)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def shared():
    running = server.Skymock(*(word for path in clouds.fixtures()
                               for word in ("--fixtures", str(path))))
    yield running
    running.stop()


@pytest.fixture
def come(skymock):
    """come(name) connects a gateway."""
    there = []

    def one(name=GATEWAY, **how):
        there.append(Gateway(skymock, name, **how))
        return there[-1]

    yield one
    for each in there:
        each.stop()


def codes(*replies):
    return [reply["code"] for reply in replies]


def points(**values):
    return {"measurepoints": values, "time": 1548753362502}


def verdicts(api, *names):
    return [api.get("/api/v1/verdicts", device=name)["verdict"] for name in names]


@pytest.mark.parametrize("qos", [0, 1])
def test_the_sequence_of_the_sdks_ends_passed(api, come, qos):
    gateway = come(qos=qos)
    added = gateway.call("thing/device/register", [
        {"productKey": "behind01", "timezone": "+08:00",
         "deviceName": {"defaultValue": "made", "i18nValue": {}}},
        {"productKey": "behind01", "deviceKey": "fresh1"}])
    made = {f"enos/behind01/{each['deviceKey']}": each["deviceSecret"] for each in added["data"]}
    assert list(made)[1] == "enos/behind01/fresh1"
    assert gateway.call("thing/topo/add", [
        proof(name, secret=secret) for name, secret in made.items()])["code"] == 200
    behind = gateway.call("thing/topo/get", {})["data"]
    assert [each["deviceKey"] for each in behind] == [
        "bound", "disabled", *(name.split("/")[2] for name in made)]
    assert gateway.call("thing/tsltemplate/get", {})["data"]["tslMeasurepointMap"] == {}
    assert gateway.call("combine/login", proof(BOUND)) == {
        "id": "5", "code": 200, "message": "success", "data": {"assetId": "asset1", **keys(BOUND)}}
    logged_in = gateway.call("combine/login/batch", batch(made, made))
    assert [each["deviceKey"] for each in logged_in["data"]["loginedSubDevices"]] == [
        name.split("/")[2] for name in made]
    assert gateway.call("thing/measurepoint/post", points(temp=1.5), BOUND)["code"] == 200
    assert gateway.call("thing/measurepoint/post/batch", [
        points(own=1), *({**keys(name), **points(temp=2)} for name in made)])["code"] == 200
    for name in made:
        assert api.get(f"{API}{name}/properties")["properties"]["temp"]["value"] == 2
        assert gateway.call("combine/logout", keys(name))["data"] == keys(name)
    assert gateway.call("thing/topo/delete", [keys(name) for name in made])["code"] == 200
    assert api.get(f"{API}{BOUND}/properties")["properties"]["temp"]["value"] == 1.5
    assert api.get(f"{API}{GATEWAY}/properties")["properties"]["own"]["value"] == 1
    assert verdicts(api, GATEWAY, BOUND, *made) == 4 * ["passed"]


def test_commands_of_a_device_come_by_its_gateway(api, come):
    gateway = come()
    gateway.call("combine/login", proof(BOUND))
    sent = api.post(f"{API}{BOUND}/commands",
                    {"kind": "measurepoint-set", "params": {"temp": 3}, "waitMs": 0})
    came = gateway.next()
    assert came[0] == topic("thing/service/measurepoint/set", BOUND)
    gateway.answer(came)
    api.wait_event({"type": "answer", "device": BOUND, "name": sent["id"], "findings": []})


def test_the_last_gateway_has_the_device(api, come):
    one, two = come(), come(OTHER_GATEWAY)
    assert codes(one.call("combine/login", proof(BOUND)),
                 two.call("thing/topo/add", [proof(BOUND)]),
                 two.call("combine/login", proof(BOUND)),
                 one.call("thing/measurepoint/post", points(temp=1), BOUND),
                 one.call("thing/measurepoint/post/batch", [{**keys(BOUND), **points(temp=2)}]),
                 one.call("thing/measurepoint/post/batch", [{**keys(BOUND), **points(temp=3)}],
                          allowOfflineSubDevice=True),
                 one.call("combine/logout", keys(BOUND)),
                 two.call("thing/measurepoint/post", points(temp=4), BOUND)) == [
        200, 200, 200, 1009, 1212, 1212, 740, 200]
    assert api.get(f"{API}{BOUND}/properties")["properties"]["temp"]["value"] == 4


def test_who_is_not_logged_in_cannot_report(api, come):
    gateway = come()
    assert codes(
        gateway.call("thing/measurepoint/post", points(temp=1), BOUND),
        gateway.call("thing/measurepoint/post/batch", [{**keys(BOUND), **points(temp=2)}]),
        gateway.call("thing/measurepoint/post/batch", [{**keys(BOUND), **points(temp=3)}],
                     allowOfflineSubDevice=True, skipInvalidMeasurepoints="")) == [1009, 1212, 200]
    assert api.get(f"{API}{BOUND}/properties")["properties"]["temp"]["value"] == 3


@pytest.mark.parametrize("change, word", [({"enabled": False}, "disable"), (None, "delete")])
def test_a_gateway_is_told_of_its_devices(api, come, change, word):
    gateway = come()
    gateway.call("combine/login", proof(BOUND))
    api.call("PATCH" if change else "DELETE", API + BOUND, change)
    came = gateway.next()
    told = json.loads(came[1])
    assert came[0] == topic(f"combine/{word}")
    assert (told["params"], told["method"]) == (keys(BOUND), f"combine.{word}")
    assert told["id"].isdigit() and 1000000000 < int(told["id"]) < 2**31
    gateway.answer(came)
    assert gateway.call("combine/login", proof(BOUND))["code"] == (723 if change else 705)
    if change:
        api.call("PATCH", API + BOUND, {"enabled": True})
        assert gateway.next()[0] == topic("combine/enable")
        assert gateway.call("combine/login", proof(BOUND))["code"] == 200
    else:
        api.reset()


def test_a_login_with_the_products_secret_hands_out_the_devices(api, come):
    gateway = come()
    gateway.call("thing/topo/add", [proof(FREE)])
    product_secret = credentials.SECRETS[FREE][1]
    secrets = []
    for _ in range(2):
        reply = gateway.call("combine/login",
                             proof(FREE, secret=product_secret, secureMode="3"))
        assert reply["code"] == 200
        secrets.append(reply["data"]["deviceSecret"])
    assert secrets[0] != secrets[1]
    replies = [gateway.call("combine/login", proof(FREE, secret=secret)) for secret in secrets]
    assert codes(*replies) == [742, 200]
    assert "deviceSecret" not in replies[1]["data"]
    assert gateway.call("combine/login", proof(FREE, secret=product_secret,
                                               secureMode="3"))["code"] == 770
    event = api.wait_event({"type": "sub-device", "device": FREE})
    assert event["explanation"]["mistake"] == "old-secret"


@pytest.mark.parametrize("wrong, mistake", [
    ({"secret": "productSecret005", "secureMode": "2"}, "product-secret"),
    ({"timestamp": "1548753362503"}, None),
    ({"clientId": "another"}, None)])
def test_a_wrong_signature_is_explained(api, come, wrong, mistake):
    gateway = come()
    fields = {**proof(BOUND, secret=wrong.pop("secret", None)), **wrong}
    reply = gateway.call("combine/login", fields)
    assert (reply["code"], reply["data"]) == (742, keys(BOUND))
    event = api.wait_event({"type": "sub-device", "device": BOUND, "rules": ["ENOS-SUB-SIGN"]})
    assert event["gateway"] == "gateway1/g1"
    if mistake:
        assert event["explanation"]["mistake"] == mistake
    assert credentials.SECRETS[BOUND][0] not in json.dumps(event)
    assert verdicts(api, BOUND) == ["failed"]


def test_a_batch_lets_in_whom_it_can(come):
    gateway = come()
    reply = gateway.call("combine/login/batch", batch([LOCKED, BOUND]))
    assert reply["code"] == 723 and reply["message"] == "behind01&disabled:Device is disabled;"
    assert reply["data"] == {"loginedSubDevices": [{"assetId": "asset1", **keys(BOUND)}],
                             "failedSubDevices": [keys(LOCKED)]}


def test_with_its_link_a_gateway_loses_its_devices(api, come):
    gateway = come()
    gateway.call("combine/login", proof(BOUND))
    assert api.get(API + BOUND)["online"]
    gateway.stop()
    api.wait_event({"type": "offline", "device": BOUND})
    again = come()
    assert again.call("thing/measurepoint/post", points(temp=1), BOUND)["code"] == 1009


def test_a_command_that_the_model_does_not_take_is_not_sent(api):
    status, answer = api.request("POST", f"{API}enos/modelled/only/commands",
                                 {"kind": "measurepoint-set", "params": {"temp": "warm"}})
    assert (status, answer["error"]["pointer"]) == (400, "/params")
    assert "1204" in answer["error"]["message"]
