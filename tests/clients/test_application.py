"""The application's side, played by Paho: it says what a cloud says and hears what devices say."""

import json
import queue

import coap
import paho.mqtt.client as mqtt
import pytest
import server
from clients import EXCHANGES, sign
from enos import credentials as enos

TOKEN = "the-token"
DOWN = {
    "aliyun": "/sys/pk/device/thing/service/property/set",
    "tencent": "PROD123456/dev001/control",
    "enos": "/sys/KV315idW/tPbZGCdmaE/thing/service/measurepoint/set",
}
ENOS = EXCHANGES["enos"][0]
QUEUE_MAX = 10_000  # messages that wait for an application


class Client:
    """Whatever happens to it lands in a queue."""

    def __init__(self, running, client_id="app", user="app", password="any", listener="mqtt",
                 clean=True, keepalive=60, ca=None, transport="tcp", will=None):
        self.happened = queue.Queue()
        self.client = mqtt.Client(client_id, clean_session=clean, protocol=mqtt.MQTTv311,
                                  transport=transport, reconnect_on_failure=False)
        self.client.username_pw_set(user, password)
        if ca:
            self.client.tls_set(str(ca))
        if will:
            self.client.will_set(will, "gone")
        self.client.on_connect = lambda c, u, flags, code: self.happened.put(
            ("connack", code, flags["session present"]))
        self.client.on_subscribe = lambda c, u, mid, codes: self.happened.put(("suback", *codes))
        self.client.on_message = lambda c, u, message: self.happened.put(
            (message.topic, message.payload.decode(), message.qos))
        self.client.on_disconnect = lambda c, u, code: self.happened.put(("gone",))
        self.client.connect("localhost" if ca else "127.0.0.1", running.ports[listener], keepalive)
        self.client.loop_start()

    def next(self):
        return self.happened.get(timeout=server.PATIENCE_S)

    def login(self, code=0, present=False):
        assert self.next() == ("connack", code, present)
        return self

    def subscribe(self, *filters, codes=None):
        self.client.subscribe(list(filters))
        assert self.next() == ("suback", *(codes or [qos for _, qos in filters]))
        return self

    def publish(self, topic, payload, qos=1):
        self.client.publish(topic, payload, qos).wait_for_publish(server.PATIENCE_S)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def come(shared):
    """come(...) is an application, come.device(name) a device; they leave with the test."""
    clients = []

    def one(running=shared, **how):
        clients.append(Client(running, **how))
        return clients[-1]

    def device(name, running=shared, **how):
        fields = sign(name)
        return one(running, client_id=fields["clientId"], user=fields["username"],
                   password=fields["password"], **how)

    one.device = device
    yield one
    for client in clients:
        client.stop()


def marked(api, **filters):
    return [event for event in api.events(**filters) if event.get("clientId") == "app"]


# ---- what passes ----

@pytest.mark.parametrize("cloud", EXCHANGES)
def test_it_hears_the_device_and_speaks_as_its_cloud(skymock, come, cloud):
    name, topic, _, payload = EXCHANGES[cloud]
    app = come().login().subscribe(("#", 1))
    device = come.device(name).login().subscribe((DOWN[cloud], 1))
    device.publish(topic, payload, qos=0)
    assert app.next() == (topic, payload, 0)
    if cloud == "enos":  # which answers
        assert app.next()[0] == topic + "_reply"
    app.publish(DOWN[cloud], '{"method": "set", "params": {}}')
    assert device.next() == (DOWN[cloud], '{"method": "set", "params": {}}', 1)
    assert app.next()[0] == DOWN[cloud]
    heard = skymock.api.wait_event({"type": "publish", "direction": "down", "device": name})
    said = skymock.api.wait_event({"type": "publish", "direction": "inside", "clientId": "app"})
    assert heard["of"] == said["seq"] and said["device"] is None
    device.stop()
    verdicts = skymock.api.get("/api/v1/verdicts")
    assert [each["device"] for each in verdicts["devices"]] == [name]
    assert verdicts["verdict"] == ("failed" if cloud == "enos" else "passed")  # it answers nothing


def test_a_device_that_is_away_finds_it_waiting(skymock, come):
    device = come.device(EXCHANGES["aliyun"][0], clean=False).login()
    device.subscribe((DOWN["aliyun"], 1)).stop()
    skymock.api.wait_event({"type": "disconnect"})
    app = come().login()
    for number in range(5):
        app.publish(DOWN["aliyun"], str(number))
    device = come.device(EXCHANGES["aliyun"][0], clean=False).login(present=True)
    assert [device.next() for _ in range(5)] == [(DOWN["aliyun"], str(n), 1) for n in range(5)]


def test_what_nobody_subscribes_to_reaches_nobody(skymock, come):
    device = come.device(EXCHANGES["aliyun"][0]).login()
    come().login().publish(DOWN["aliyun"], "unheard")
    skymock.api.barrier()
    assert skymock.api.events(type="publish", direction="down") == []
    assert device.happened.empty()


def test_it_publishes_nothing_in_a_devices_place(skymock, come):
    name, topic, reply, payload = EXCHANGES["enos"]
    app = come().login().subscribe(("#", 0))
    app.publish(topic, payload)
    assert app.next() == (topic, payload, 0)
    skymock.api.barrier()
    assert app.happened.empty()  # no service has answered
    assert skymock.api.events(type="publish", direction="up") == []


@pytest.mark.parametrize("how", ["uplink", "command"])
def test_coap_passes_as_well(skymock, come, how):
    app = come().login().subscribe(("/sys/KV315idW/+/thing/#", 1))
    device = coap.Device(skymock.ports["coaps"], enos.identity(ENOS, 2, 3600), enos.key(ENOS, 2))
    topic, payload = EXCHANGES["enos"][1], EXCHANGES["enos"][3]
    try:
        device.post("/topic" + topic, payload.encode())
        assert app.next() == (topic, payload, 1)  # it was sent as confirmable
        if how == "command":
            app.publish(DOWN["enos"], '{"id": "7"}')
            answer = device.get("/topic" + DOWN["enos"])
            assert answer.payload == b'{"id": "7"}'
    finally:
        device.close()


def test_what_the_cloud_says_is_heard_too(skymock, come):
    name = EXCHANGES["aliyun"][0]
    app = come().login().subscribe((DOWN["aliyun"], 1))
    come.device(name).login().subscribe((DOWN["aliyun"], 1))
    skymock.api.post(f"/api/v1/devices/{name}/commands",
                     {"kind": "property-set", "params": {"power": 1}, "waitMs": 0})
    topic, payload, qos = app.next()
    assert (topic, json.loads(payload)["params"]) == (DOWN["aliyun"], {"power": 1})
    skymock.api.post(f"/api/v1/devices/{name}/messages",
                     {"topic": DOWN["aliyun"], "payload": "by hand", "qos": 1})
    assert app.next() == (DOWN["aliyun"], "by hand", 1)


def test_a_refused_publish_is_not_heard(skymock, come):
    app = come().login().subscribe(("#", 0))
    device = come.device(EXCHANGES["aliyun"][0]).login()
    device.client.publish("/sys/pk/other/thing/event/property/post", "{}", 0)
    skymock.api.wait_event({"type": "publish", "direction": "up"})
    app.publish("/done", "")
    assert app.next() == ("/done", "", 0)


def test_a_hash_leaves_topics_that_begin_with_a_dollar(skymock, come):
    name = EXCHANGES["tencent"][0]
    all_of_them = come().login().subscribe(("#", 0), ("+/+/data", 0))
    shadows = come(client_id="app:shadows").login().subscribe(("$shadow/#", 0))
    come.device(name).login().publish("$shadow/operation/PROD123456/dev001",
                                      '{"type": "get", "clientToken": "t"}')
    assert shadows.next()[0] == "$shadow/operation/PROD123456/dev001"
    all_of_them.publish("/done", "")
    assert all_of_them.next() == ("/done", "", 0)


# ---- sessions ----

def test_its_session_is_kept(skymock, come):
    app = come(clean=False).login().subscribe(("#", 1))
    app.stop()
    skymock.api.wait_event({"type": "close", "clientId": "app"})
    device = come.device(EXCHANGES["aliyun"][0]).login()
    device.publish(EXCHANGES["aliyun"][1], "kept", qos=1)
    device.publish(EXCHANGES["aliyun"][1], "lost", qos=0)
    app = come(clean=False).login(present=True)
    assert app.next() == (EXCHANGES["aliyun"][1], "kept", 1)
    assert app.happened.empty()
    app.stop()
    come(clean=True).login(present=False).stop()
    come(clean=False).login(present=False)


def test_the_same_client_id_takes_over_and_others_do_not(skymock, come):
    first = come(client_id="app:x").login()
    other = come(client_id="app:y").login()
    come(client_id="app:x").login()
    assert first.next() == ("gone",)
    assert other.happened.empty()
    skymock.api.wait_event({"type": "takeover", "clientId": "app:x"})


def test_virtual_time_does_not_end_it(skymock, come):
    app = come(keepalive=1).login().subscribe(("#", 0))
    idle = come(client_id="app:idle", keepalive=0).login()
    skymock.api.advance(7 * 24 * 3600 * 1000)
    app.publish("/done", "")
    assert app.next() == ("/done", "", 0)
    assert idle.happened.empty()


def test_there_is_room_for_so_many(start, come):
    running = start()
    for number in range(64):
        come(running, client_id=f"app:{number}", clean=number > 0).login()
    come(running, client_id="app:more").login(code=3)
    come(running, client_id="app:1").login()  # its own place
    come(running, client_id="app:0", clean=False).login(present=True).stop()
    running.api.wait_event({"type": "close", "clientId": "app:0",
                            "reason": "the application disconnected"})
    come(running, client_id="app:more").login()  # in place of one that is away
    come(running, client_id="app:0", clean=False).login(code=3)


# ---- who is let in ----

@pytest.mark.parametrize("listener,encrypted,transport", [
    ("mqtt", False, "tcp"), ("mqtt", True, "tcp"), ("mqtts", True, "tcp"),
    ("enos-mqtt", False, "tcp"), ("https", False, "websockets"), ("https", True, "websockets")])
def test_every_listener(skymock, ca, come, listener, encrypted, transport):
    app = come(listener=listener, ca=ca if encrypted else None, transport=transport).login()
    app.subscribe(("#", 1)).publish("/x", "hello")
    assert app.next() == ("/x", "hello", 1)


def test_the_admin_token_is_its_password(start, come):
    running = start("--admin-token", TOKEN)
    running.api = server.Api(running.ports["admin"], TOKEN)
    come(running, password=TOKEN).login()
    for wrong in ("another", None, TOKEN[:-1], TOKEN + "x"):
        come(running, client_id="app:wrong", password=wrong).login(code=5)
    event = running.api.wait_event({"type": "connect", "clientId": "app:wrong", "code": 5})
    assert event["reason"].startswith("the password of an application is the admin token")
    assert event["findings"] == [] and event["device"] is None
    assert running.api.get("/api/v1/verdicts")["devices"] == []
    assert TOKEN not in json.dumps(running.api.events())


@pytest.mark.parametrize("client_id,user", [("app", "other"), ("apple", "app"), ("App", "app")])
def test_both_names_are_needed(skymock, come, client_id, user):
    come(client_id=client_id, user=user).login(code=2)


def test_a_client_id_has_a_limit(skymock, come):
    come(client_id="app:" + "x" * 124).login()
    come(client_id="app:" + "x" * 125).login(code=2)


def test_a_will_is_refused_as_of_devices(skymock, come):
    come(will="/x").login(code=5)


def test_qos_2_is_as_of_devices(skymock, come):
    app = come().login().subscribe(("/a", 2), ("/b", 1), codes=[0x80, 1])
    app.client.publish("/b", "x", 2)
    assert app.next() == ("gone",)


@pytest.fixture
def raw(peer):
    """raw() is an application that says what it is told."""

    def log_in(client_id="app:raw", keepalive=60, clean=True):
        device = peer("mqtt")
        device.send_packet(type="connect", clientId=client_id, username="app", password="x",
                           keepalive=keepalive, clean=clean)
        assert device.receive()["code"] == 0
        return device

    return log_in


def test_what_it_takes_back_it_hears_no_more(skymock, raw):
    app = raw()
    app.send_packet(type="subscribe", id=1, filters=[("/a", 0), ("/b", 0)])
    assert app.receive()["type"] == "suback"
    app.send_packet(type="unsubscribe", id=2, filters=["/a", "/none"])
    assert app.receive() == {"type": "unsuback", "id": 2}
    for topic in ("/a", "/b"):
        app.send_packet(type="publish", topic=topic, payload="x")
    app.send_packet(type="pingreq")
    assert [app.receive().get("topic", "none") for _ in range(2)] == ["/b", "none"]
    event, = skymock.api.events(type="unsubscribe")
    assert event["clientId"] == "app:raw"


@pytest.mark.parametrize("packet, reason", [
    ({"type": "connect", "clientId": "app:raw", "username": "app"}, "second CONNECT"),
    ({"type": "pubrec", "id": 1}, "QoS 2"), ({"type": "pubrel", "id": 1}, "QoS 2"),
    ({"type": "pubcomp", "id": 1}, "QoS 2"), ({"type": "disconnect"}, "disconnected"),
])
def test_what_ends_it_is_said(skymock, raw, packet, reason):
    app = raw()
    app.send_packet(**packet)
    assert app.receive() is None
    event = skymock.api.wait_event({"type": "close", "clientId": "app:raw"})
    assert reason in event["reason"]


def test_another_version_is_refused(peer):
    app = peer("mqtt")
    app.send_packet(type="connect", clientId="app", username="app", level=5)
    assert app.receive()["code"] == 1


def test_its_silence_ends_it_in_real_time(skymock, raw):
    app = raw(keepalive=1)
    app.send_packet(type="pingreq")
    assert app.receive()["type"] == "pingresp"
    assert app.receive() is None
    event = skymock.api.wait_event({"type": "close", "clientId": "app:raw"})
    assert "1.5 times the keepalive" in event["reason"]


def test_so_many_messages_wait_for_one_that_is_away(skymock, raw):
    """SKY_APPLICATION_QUEUE_MAX of them; the next is lost, and said."""
    app = raw("app:away", clean=False)
    app.send_packet(type="subscribe", id=1, filters=[("#", 1)])
    assert app.receive()["type"] == "suback"
    app.send_packet(type="disconnect")
    skymock.api.wait_event({"type": "close", "clientId": "app:away"})
    other = raw()
    for number in range(1, QUEUE_MAX + 2):
        other.send_packet(type="publish", topic="/a", payload=str(number), qos=1, id=number)
        if number == QUEUE_MAX:
            skymock.api.barrier()
            assert skymock.api.events(type="drop") == []
    event = skymock.api.wait_event({"type": "drop", "clientId": "app:away"})
    assert f"queue is full: {QUEUE_MAX} messages, or " in event["reason"] and event["topic"] == "/a"


def test_what_is_malformed_ends_it_and_is_nobodys_fault(skymock, come, peer):
    raw = peer("mqtt")
    raw.send_packet(type="connect", clientId="app", username="app", password="x", keepAlive=60)
    assert raw.receive()["type"] == "connack"
    raw.send(b"\xf0\x00")
    assert raw.receive() is None
    skymock.api.wait_event({"type": "malformed", "clientId": "app"})
    assert skymock.api.get("/api/v1/verdicts")["devices"] == []


def test_the_tenants_events_are_theirs(skymock, come):
    come().login().subscribe(("#", 0)).publish("/x", "y")
    assert len(marked(skymock.api)) >= 3
    assert skymock.api.events(device=EXCHANGES["aliyun"][0]) == []
