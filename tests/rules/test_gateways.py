"""Gateways and the devices behind them against a model of their own: whatever happens in whatever
order, who is online by whom, who may use whose topics, and who gets what is sent there.

SKYMOCK_GATEWAY_STEPS says how long it goes on in each cloud, SKYMOCK_GATEWAY_SEED with which random
numbers."""

import json
import os
import random

import clouds
import credentials
import pytest
import server

STEPS = int(os.environ.get("SKYMOCK_GATEWAY_STEPS", 700))
SEED = int(os.environ.get("SKYMOCK_GATEWAY_SEED", 1))
# One name begins with another, and with a gateway's.
GATEWAYS = ("gate", "gate2")
DEVICES = ("gate2s", "lamp", "lamp1", "Lamp")
TOLD = ("bind", "unbind", "online", "offline")
PLUGINS = dict(clouds.modules("behind"))


class Model:
    """What there is to know; `said` is what has to be told of the present step."""

    def __init__(self, cloud, gateways, devices):
        self.cloud, self.gateways, self.devices = cloud, gateways, devices
        self.bound = {each: set() for each in devices}
        self.enabled = dict.fromkeys(devices, True)
        self.via = dict.fromkeys(devices)
        self.direct = dict.fromkeys(devices, False)
        self.connected = {}  # gateway: is it a clean session?
        self.heard = {each: set() for each in gateways}  # whose topics it subscribes to
        self.said = []

    def may_use(self, gateway, device):
        if not self.cloud.OPENS_WHEN_BOUND:
            return self.via[device] == gateway
        return (gateway in self.bound[device] and self.enabled[device] and
                not self.direct[device] and self.via[device] in (None, gateway))

    def hearers(self, device):
        heard = {each for each in self.connected if device in self.heard[each]}
        return heard | ({device} if self.direct[device] else set())

    # ---- what happens ----

    def go_offline(self, device):
        if self.via[device]:
            self.said.append(("offline", device, self.via[device]))
            self.heard[self.via[device]].discard(device)
            self.via[device] = None

    def _forget_hearers(self, device, but=None):
        for gateway in self.gateways:
            if gateway != but:
                self.heard[gateway].discard(device)

    def go_online(self, gateway, device):
        if self.via[device] == gateway:
            return
        self.go_offline(device)
        self.direct[device] = False
        self._forget_hearers(device, gateway)
        self.via[device] = gateway
        self.said.append(("online", device, gateway))

    def detach(self, gateway, device):
        """It is not bound to the gateway any more."""
        if self.via[device] == gateway:
            self.go_offline(device)
        self.heard[gateway].discard(device)
        if gateway in self.bound[device]:
            self.bound[device].discard(gateway)
            self.said.append(("unbind", device, gateway))

    def attach(self, gateway, device):
        if gateway in self.bound[device]:
            return
        if not self.cloud.SHARED:
            for former in sorted(self.bound[device]):
                self.detach(former, device)
        self.bound[device].add(gateway)
        self.said.append(("bind", device, gateway))

    # ---- what a gateway does, where its cloud lets it ----

    def bind(self, gateway, device):
        free = self.cloud.SHARED or self.cloud.BIND_MOVES or not self.bound[device]
        if free and (self.enabled[device] or self.cloud.BINDS_DISABLED):
            self.attach(gateway, device)

    def unbind(self, gateway, device):
        idle = self.cloud.UNBINDS_ONLINE or self.via[device] != gateway
        if gateway in self.bound[device] and idle:
            self.detach(gateway, device)

    def login(self, gateway, device):
        if self.enabled[device] and gateway in self.bound[device]:
            self.go_online(gateway, device)

    def logout(self, gateway, device):
        if self.via[device] == gateway:
            self.go_offline(device)

    def use(self, gateway, device):
        """Its right to, which brings the device online."""
        if not self.may_use(gateway, device):
            return False
        self.go_online(gateway, device)
        return True

    def comes(self, gateway, clean):
        self.connected[gateway] = clean
        if clean:
            self.heard[gateway].clear()

    def leaves(self, gateway):
        for device in self.devices:
            if self.via[device] == gateway:
                self.said.append(("offline", device, gateway))
                self.via[device] = None
        if self.connected.pop(gateway):
            self.heard[gateway].clear()

    def comes_itself(self, device):
        if not self.enabled[device]:
            return False
        self.go_offline(device)
        self._forget_hearers(device)
        self.direct[device] = True
        return True

    def disable(self, device):
        self.go_offline(device)
        self._forget_hearers(device)
        self.enabled[device] = False

    def begin_again(self, device):
        self.go_offline(device)
        self._forget_hearers(device)
        self.direct[device] = False
        self.enabled[device] = True
        self.bound[device].clear()


class Play:
    """Does the same in the model and to a server, and compares."""

    def __init__(self, running, name, cloud, seed):
        self.api, self.ports, self.cloud = running.api, running.ports, cloud
        self.random = random.Random(seed)
        gates, devices = self.names = [
            [f"{name}/{each['productKey' if 'productKey' in each else 'productId']}/{device}"
             for device in which]
            for each, which in zip(cloud.products(GATEWAYS, DEVICES), (GATEWAYS, DEVICES))]
        self.model = Model(cloud, gates, devices)
        self.peers = {}
        self.number = 0
        self.seq = self.api.last_seq()

    # ---- talking to the server ----

    def _until(self, peer, kind):
        """What comes before the packet of that kind, and that."""
        came = []
        while True:
            packet = peer.receive()
            assert packet, f"closed where {kind} was due"
            if packet["type"] == kind:
                return came, packet
            if packet.get("qos"):
                peer.send_packet(type="puback", id=packet["id"])
            came.append(packet)

    def _drain(self, name):
        self.peers[name].send_packet(type="pingreq")
        return self._until(self.peers[name], "pingresp")[0]

    def _connect(self, name, clean=True):
        peer = server.Peer(self.ports[self.cloud.LISTENER])
        peer.send_packet(type="connect", clean=clean, keepalive=120, **credentials.login(name))
        answer = peer.receive()
        if not answer or answer["code"]:
            peer.close()
            return None
        self.peers[name] = peer
        return answer

    def _disconnect(self, name):
        peer = self.peers.pop(name)
        peer.send_packet(type="disconnect")
        while peer.receive():
            pass
        peer.close()

    def _publish(self, name, topic, payload):
        self.peers[name].send_packet(type="publish", topic=topic, payload=payload)
        self._drain(name)

    def _subscribe(self, name, topic):
        self.peers[name].send_packet(type="subscribe", id=5, filters=[[topic, 1]])
        return self._until(self.peers[name], "suback")[1]["codes"][0] < 128

    def _path(self, device):
        return f"/api/v1/devices/{device}"

    # ---- what happens, in both ----

    def act(self, kind, gateway, device):
        self._publish(gateway, *self.cloud.act(kind, gateway, device))
        getattr(self.model, kind)(gateway, device)

    def subscribe(self, gateway, device):
        granted = self._subscribe(gateway, self.cloud.heard(device))
        due = self.model.use(gateway, device)
        assert granted == due, "the subscription was " + ("granted" if granted else "refused")
        if due:
            self.model.heard[gateway].add(device)

    def publish(self, gateway, device):
        self._publish(gateway, self.cloud.used(device), "{}")
        said = [event for event in self.api.events(self.seq, type="publish", limit=1000)
                if event["topic"] == self.cloud.used(device) and event["direction"] == "up"]
        due = self.model.use(gateway, device)
        assert said[-1].get("device") == (device if due else gateway), said

    def publish_in_vain(self, gateway, device):
        """With QoS 2, which is not carried, and mostly ends the connection. Then it leaves."""
        peer = self.peers.pop(gateway)
        peer.send_packet(type="publish", topic=self.cloud.used(device), qos=2, id=6)
        peer.send_packet(type="disconnect")
        while (packet := peer.receive()):
            assert packet["type"] != "publish"
        peer.close()
        self.model.leaves(gateway)

    def subscribe_to_many(self, gateway, device):
        """Wildcards reach nobody behind it."""
        _, product, name = device.split("/")
        topic = self.cloud.heard(device)
        for each in ("#", "+/#", topic.replace(name, "+"), topic.replace(product, "+"),
                     topic.replace(product, "+").replace(name, "+"), f"+/{topic.lstrip('/')}",
                     f"/{topic}", f"{topic.split(name, maxsplit=1)[0]}#"):
            assert not self._subscribe(gateway, each), each

    def come(self, gateway, clean):
        assert self._connect(gateway, clean)
        self.model.comes(gateway, clean)

    def come_again(self, gateway, clean):
        """Beside its connection, which ends."""
        old = self.peers[gateway]
        self.model.leaves(gateway)
        self.come(gateway, clean)
        while old.receive():
            pass
        old.close()

    def leave(self, gateway):
        self._disconnect(gateway)
        self.model.leaves(gateway)

    def device_comes(self, device, clean):
        came = self._connect(device, clean)
        assert bool(came) == self.model.comes_itself(device)
        if came:
            assert self._subscribe(device, self.cloud.heard(device))

    def device_leaves(self, device):
        self._disconnect(device)
        self.model.direct[device] = False

    def put_topology(self, gateway, wanted):
        self.api.call("PUT", self._path(gateway) + "/topology", {"subDevices": [
            dict(zip(("product", "device"), each.split("/")[1:])) for each in wanted]})
        for device in self.model.devices:
            if device in wanted:
                self.model.attach(gateway, device)
            elif gateway in self.model.bound[device]:
                self.model.detach(gateway, device)

    def enable(self, device, enable):
        self.api.call("PATCH", self._path(device), {"enabled": enable})
        if enable:
            self.model.enabled[device] = True
        elif self.model.enabled[device]:
            self.model.disable(device)

    def make_anew(self, device):
        self.api.call("DELETE", self._path(device))
        name, product, key = device.split("/")
        self.api.post("/api/v1/devices", {"cloud": name, "product": product, "device": key,
                                          "secret": credentials.SECRETS[device][0]})
        self.model.begin_again(device)

    def reset(self, device):
        status, _ = self.api.request("POST", "/api/v1/reset", {"device": device})
        assert status == 204
        self.model.begin_again(device)

    # ---- after each ----

    def _leave_those_put_out(self):
        for device in self.model.devices:
            if device in self.peers and not self.model.direct[device]:
                peer = self.peers.pop(device)
                while peer.receive():
                    pass
                peer.close()

    def _check_devices(self):
        product = self.model.devices[0].rsplit("/", 1)[0].split("/")
        listed = {each["name"]: each for each in self.api.get(
            "/api/v1/devices", cloud=product[0], product=product[1])["devices"]}
        for device in self.model.devices:
            told = listed[device]
            via, direct = self.model.via[device], self.model.direct[device]
            assert (told["online"], told.get("gateway")) == (bool(via) or direct, via), told

    def _check_events(self):
        said = []
        for event in self.api.events(self.seq, limit=1000, run="true"):  # resets begin chapters
            self.seq = event["seq"]
            if event["type"] in TOLD and "gateway" in event:
                said.append((event["type"], event["device"], event["gateway"]))
        assert sorted(said) == sorted(self.model.said)
        self.model.said.clear()

    def _check_deliveries(self, device):
        self.number += 1
        payload = f"message {self.number}"
        self.api.request("POST", self._path(device) + "/messages",
                         {"topic": self.cloud.heard(device), "payload": payload, "qos": 0})
        came = [name for name in self.peers for packet in self._drain(name)
                if packet.get("payload") == payload]
        assert sorted(came) == sorted(self.model.hearers(device)), device

    def check(self, *devices):
        self._leave_those_put_out()
        self._check_events()
        self._check_devices()
        for device in devices or self.model.devices:
            self._check_deliveries(device)
        self._check_events()

    # ---- by chance ----

    def _choices(self, gateway, device):
        """What could happen now, each with its weight."""
        dice = self.random.random()
        if gateway in self.peers:
            kind = self.random.choice(("bind", "bind", "unbind", "login", "login", "logout"))
            yield 35, self.act, kind, gateway, device
            yield 12, self.subscribe, gateway, device
            yield 12, self.publish, gateway, device
            yield 2, self.publish_in_vain, gateway, device
            yield 2, self.subscribe_to_many, gateway, device
            yield 5, self.leave, gateway
            yield 4, self.come_again, gateway, dice < 0.4
        else:
            yield 30, self.come, gateway, dice < 0.4
        if device in self.peers:
            yield 12, self.device_leaves, device
        else:
            yield 12, self.device_comes, device, dice < 0.5
        yield 5, self.put_topology, gateway, [each for each in self.model.devices
                                              if self.random.random() < 0.6]
        yield 8, self.enable, device, not self.model.enabled[device] or dice < 0.3
        yield 3, self.make_anew, device
        yield 3, self.reset, device

    def step(self):
        gateway = self.random.choice(self.model.gateways)
        device = self.random.choice(self.model.devices)
        choices = list(self._choices(gateway, device))
        _, do, *what = self.random.choices(choices, [weight for weight, *_ in choices])[0]
        yield do.__name__, *what
        do(*what)
        self.check(self.random.choice(self.model.devices))

    def close(self):
        for peer in self.peers.values():
            peer.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    path = tmp_path_factory.mktemp("gateways") / "fixtures.json"
    path.write_text(json.dumps({"products": [
        product for cloud in PLUGINS.values() for product in cloud.products(GATEWAYS, DEVICES)]}))
    credentials.SECRETS.update(credentials._devices(path))
    running = server.Skymock(fixtures=path)
    yield running
    running.stop()


@pytest.fixture(params=sorted(PLUGINS))
def play(request, skymock):
    one = Play(skymock, request.param, PLUGINS[request.param], SEED)
    yield one
    one.close()


def test_whatever_happens(play):
    done = []
    try:
        for _ in range(STEPS):
            done += play.step()
    except AssertionError as error:
        raise AssertionError("\n".join([f"{error}", "after", *map(str, done[-25:])])) from error


def test_a_login_by_its_gateway_ends_a_session_of_its_own(play):
    gateway, device = play.model.gateways[0], play.model.devices[0]
    play.device_comes(device, clean=False)
    play.device_leaves(device)
    play.come(gateway, clean=True)
    play.act("bind", gateway, device)
    play.act("login", gateway, device)
    play.check()


def test_a_kept_session_of_another_gateway_hears_nothing_of_what_has_moved(play):
    (gateway, other), device = play.model.gateways, play.model.devices[0]
    play.come(gateway, clean=False)
    play.act("bind", gateway, device)
    play.act("login", gateway, device)
    play.subscribe(gateway, device)
    play.leave(gateway)
    play.come(gateway, clean=False)
    play.check()
    play.come(other, clean=True)
    play.put_topology(other, [device])
    play.act("login", other, device)
    play.check()


def test_a_kept_session_hears_nothing_of_what_is_bound_no_more(play):
    gateway, (device, another, *_) = play.model.gateways[0], play.model.devices
    play.come(gateway, clean=False)
    for each in (device, another):
        play.act("bind", gateway, each)
        play.act("login", gateway, each)
        play.subscribe(gateway, each)
    play.leave(gateway)
    play.put_topology(gateway, [another])
    play.enable(another, False)
    play.enable(another, True)
    play.come(gateway, clean=False)
    play.check()


def test_a_device_that_comes_itself_is_not_its_gateways_any_more(play):
    """Also when the gateway's right to its topics was looked at before."""
    gateway, device = play.model.gateways[0], play.model.devices[0]
    play.come(gateway, clean=True)
    play.act("bind", gateway, device)
    play.publish_in_vain(gateway, device)
    play.come(gateway, clean=True)
    play.device_comes(device, clean=True)
    play.publish(gateway, device)
    play.check()


def test_a_device_that_is_enabled_again_is_its_gateways_again(play):
    gateway, device = play.model.gateways[0], play.model.devices[0]
    play.come(gateway, clean=True)
    play.act("bind", gateway, device)
    play.enable(device, False)
    play.publish(gateway, device)
    play.check()
    play.enable(device, True)
    play.publish(gateway, device)
    play.check()


def test_what_the_application_sends_comes_once(play):
    gateway, device = play.model.gateways[0], play.model.devices[0]
    play.come(gateway, clean=True)
    play.act("bind", gateway, device)
    play.act("login", gateway, device)
    play.subscribe(gateway, device)
    play.check()


def test_a_gateway_that_signs_with_its_own_secret_is_told_so(play, monkeypatch):
    gateway, device = play.model.gateways[0], play.model.devices[0]
    play.api.call("PATCH", play._path(gateway), {"secret": other_secret(device)})
    monkeypatch.setitem(credentials.SECRETS, gateway,
                        (other_secret(device), *credentials.SECRETS[gateway][1:]))
    play.come(gateway, clean=True)
    with monkeypatch.context() as patched:
        patched.setitem(credentials.SECRETS, device, credentials.SECRETS[gateway])
        play._publish(gateway, *play.cloud.act("bind", gateway, device))
    event = play.api.wait_event({"type": "sub-device", "device": device}, play.seq)
    assert event["explanation"]["mistake"] == "other-device"
    assert "the gateway" in json.dumps(event["explanation"])
    play.leave(gateway)
    play.api.call("POST", "/api/v1/reset", {"device": gateway})


def other_secret(device):
    """One of the cloud's form, that no device has."""
    return {"tencent": "QUJDREVGR0hJSktMTU5PUA=="}.get(device.split("/")[0], "gatewaysOwnSecret01")


def test_a_device_that_was_said_to_be_offline_is_not_online_by_mere_use(play):
    gateway, device = play.model.gateways[0], play.model.devices[0]
    if not play.cloud.OPENS_WHEN_BOUND:
        return
    play.come(gateway, clean=True)
    for kind in ("bind", "login", "logout"):
        play.act(kind, gateway, device)
    play._publish(gateway, play.cloud.used(device), "{}")
    play.api.wait_event({"type": "publish", "device": device,
                         "rules": ["TEN-GATEWAY-UNANNOUNCED"]}, play.seq)
