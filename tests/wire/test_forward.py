"""What devices publish, handed to a business server."""

import json
import random
import socket
import ssl
import subprocess
import threading
import time

import coap
import credentials
import pytest
import server
from enos import credentials as enos
from receiver import Receiver

ALI, ALI_OTHER = "aliyun/pk/device", "aliyun/pk/second"
ENOS = "enos/KV315idW/tPbZGCdmaE"
TOPICS = {ALI: "/pk/device/user/update", ALI_OTHER: "/pk/second/user/update",
          "tencent/PROD123456/dev001": "PROD123456/dev001/data",
          "tencent/PROD123456/dev002": "PROD123456/dev002/data"}


@pytest.fixture
def receiver():
    one = Receiver().open()
    yield one
    one.close()


@pytest.fixture
def online():
    """online(skymock, name) is a raw peer that has logged in as that device."""
    opened = []

    def log_in(skymock, name=ALI):
        device = server.Peer(skymock.ports[credentials.listeners(name, "mqtt")[0]])
        opened.append(device)
        device.send_packet(type="connect", keepalive=60, **credentials.login(name))
        assert device.receive()["code"] == 0
        return device

    yield log_in
    for each in opened:
        each.close()


def publish(device, payload, topic=TOPICS[ALI], packet_id=1, **more):
    device.send_packet(**{"type": "publish", "qos": 1, "id": packet_id, "topic": topic,
                          "payload": payload, **more})
    answer = device.receive()
    assert answer["type"] == "puback" and answer["id"] == packet_id, answer


def publish_many(device, count, topic=TOPICS[ALI], first=0):
    for number in range(first, first + count):
        publish(device, str(number), topic, number % 65535 + 1)


def payloads(receiver, name=ALI):
    """Of that device, in the order they were taken."""
    return [each["payload"] for each in receiver.messages
            if f"{each['cloud']}/{each['product']}/{each['device']}" == name]


def metric(api, name):
    lines = dict(line.split() for line in api.get("/metrics").splitlines() if line[0] != "#")
    return int(lines["skymock_forward_" + name])


def test_a_publish_is_a_json_object(start, receiver, online):
    own = start("--forward", receiver.url("/in?key=secret"))
    device = online(own)
    publish(device, '{"temperature": 21, "word": "\u00e4\\n"}')
    receiver.wait_count(1)
    message, (path, headers) = receiver.messages[0], receiver.requests[0]
    assert path == "/in?key=secret"
    assert headers["Content-Type"] == "application/json"
    event = own.api.events(type="publish", direction="up")[0]
    assert message == {
        "seq": event["seq"], "time": event["time"], "unixMs": message["unixMs"],
        "cloud": "aliyun", "product": "pk", "device": "device", "transport": "tcp",
        "topic": TOPICS[ALI], "qos": 1, "payload": '{"temperature": 21, "word": "\u00e4\\n"}'}
    publish(device, {"hex": "ff00"})
    receiver.wait_count(2)
    assert receiver.messages[1]["payloadBase64"] == "/wA="
    assert "payload" not in receiver.messages[1]


def test_time_is_virtual(start, receiver, online):
    own = start("--forward", receiver.url())
    device = online(own)
    own.api.freeze()
    own.api.post("/api/v1/clock/set", {"unixMs": 1000000000123})
    publish(device, "{}")
    receiver.wait_count(1)
    assert receiver.messages[0]["time"] == "2001-09-09T01:46:40.123Z"
    assert receiver.messages[0]["unixMs"] == 1000000000123


def test_whatever_carried_it(start, receiver):
    own = start("--forward", receiver.url())
    device = coap.Device(own.ports["coaps"], enos.identity(ENOS), enos.key(ENOS))
    device.post("/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post", b'{"id":"1"}')
    receiver.wait_count(1)
    device.close()
    assert receiver.messages[0]["transport"] == "dtls"
    assert receiver.messages[0]["device"] == "tPbZGCdmaE"


def test_what_is_not_carried_is_not_handed_over(start, receiver, online):
    own = start("--forward", receiver.url())
    device = online(own)
    device.send_packet(type="publish", qos=0, topic="/pk/other/user/update", payload="no")
    publish(online(own, ALI_OTHER), "yes", TOPICS[ALI_OTHER])
    receiver.wait_count(1)
    assert [each["payload"] for each in receiver.messages] == ["yes"]


def test_a_product_has_a_receiver_of_its_own(start, receiver, online):
    other = Receiver().open()
    fixtures = json.loads(server.FIXTURES.read_text())
    own = start("--forward", receiver.url())
    fixtures["products"][0]["forward"] = other.url("/pk")
    own.api.post("/api/v1/products", fixtures)
    for name, topic in TOPICS.items():
        publish(online(own, name), "{}", topic)
    receiver.wait_count(2)
    other.wait_count(2)
    assert {each["product"] for each in receiver.messages} == {"PROD123456"}
    assert {each["product"] for each in other.messages} == {"pk"}
    assert {each["url"] for each in own.api.get("/api/v1/forward")["targets"]} == {
        receiver.url(), other.url("/pk")}
    other.close()


def test_the_order_of_each_device_survives_failures(start, receiver, online):
    """Several devices at once, and every fourth answer is a failure of some kind."""
    dice, each = random.Random(7), 25
    seen, failed = threading.Lock(), []

    def answer(_):
        with seen:
            way = dice.randrange(12)
        if way == 0:
            failed.append(way)
            raise ConnectionResetError
        if way <= 2:
            failed.append(way)
            return dice.choice((500, 503, 408, 429, 302))
        return 200

    receiver.answer = answer
    own = start("--forward", receiver.url())
    names = list(TOPICS)
    workers = [threading.Thread(target=publish_many, args=(online(own, name), each, TOPICS[name]))
               for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    receiver.wait_count(each * len(names))
    for name in names:
        assert payloads(receiver, name) == [str(i) for i in range(each)]
    assert failed
    own.api.wait_event({"type": "forward", "name": "recovered"})
    assert metric(own.api, "lost_total") == metric(own.api, "refused_total") == 0
    assert not any(path == "/elsewhere" for path, _ in receiver.requests)


def test_devices_do_not_wait_for_each_other(start, receiver, online):
    """One device's message is held; the other's go on meanwhile."""
    held = threading.Event()

    def answer(message):
        if message["device"] == "device":
            assert held.wait(server.PATIENCE_S)
        return 200

    receiver.answer = answer
    own = start("--forward", receiver.url())
    first, second = online(own, ALI), online(own, ALI_OTHER)
    publish_many(first, 3)
    receiver.wait(lambda: receiver.busy == 1)
    publish_many(second, 3, TOPICS[ALI_OTHER])
    receiver.wait_count(3)
    assert payloads(receiver, ALI_OTHER) == ["0", "1", "2"]
    assert receiver.busy_most == 2
    held.set()
    receiver.wait_count(6)
    assert payloads(receiver) == ["0", "1", "2"]


def test_a_receiver_that_is_down_for_a_while_loses_nothing(start, receiver, online):
    own = start("--forward", receiver.url())
    devices = {name: online(own, name) for name in TOPICS}
    for name, device in devices.items():
        publish_many(device, 5, TOPICS[name])
    receiver.wait_count(20)
    receiver.close()
    for name, device in devices.items():
        publish_many(device, 45, TOPICS[name], first=5)
    failed = own.api.wait_event({"type": "forward", "name": "failed"})
    assert "connect" in failed["reason"].lower() and failed["target"] == receiver.url()
    assert failed["topic"] and failed["of"]
    state = own.api.get("/api/v1/forward")
    assert state["waiting"] == 180 and state["targets"][0]["failing"]
    deadline = time.monotonic() + server.PATIENCE_S
    while metric(own.api, "tries_failed_total") < 4:  # it is tried again and again
        assert time.monotonic() < deadline
    receiver.open()
    receiver.wait_count(200)
    for name in TOPICS:
        assert payloads(receiver, name) == [str(i) for i in range(50)]
    own.api.wait_event({"type": "forward", "name": "recovered"})
    assert [each["name"] for each in own.api.events(type="forward")] == ["failed", "recovered"]
    deadline = time.monotonic() + server.PATIENCE_S
    while (state := own.api.get("/api/v1/forward"))["waiting"]:  # the last answer is on its way
        assert time.monotonic() < deadline
    assert state["lost"] == 0 and state["taken"] == 200
    assert not state["targets"][0]["failing"]


def test_what_does_not_fit_is_lost_and_counted(start, online):
    """The bytes that may wait: 64 MB for one server."""
    receiver = Receiver()
    own = start("--forward", receiver.url())
    device = online(own)
    size, lost = 250 * 1000, 5
    fits = 64 * 1024 * 1024 // (size + 1000)
    count = fits + lost
    for number in range(count):
        publish(device, f"{number:06}" + "x" * size, packet_id=number + 1)
    event = own.api.wait_event({"type": "forward", "name": "lost", "count": 1})
    assert "room" in event["reason"] and event["device"] == ALI
    missing = metric(own.api, "lost_total")
    assert 2 <= missing <= lost
    assert metric(own.api, "waiting") == count - missing
    receiver.open()
    receiver.wait_count(count - missing)
    assert [int(each[:6]) for each in payloads(receiver)] == list(range(count - missing))
    own.api.wait_event({"type": "forward", "name": "lost", "count": missing - 1})
    told = [each["count"] for each in own.api.events(type="forward") if each["name"] == "lost"]
    assert sum(told) == missing == own.api.get("/api/v1/forward")["lost"]
    receiver.close()


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_is_refused_for_good_is_not_tried_again(start, receiver, online, status):
    receiver.answer = lambda message: status if message["payload"] == "bad" else 200
    own = start("--forward", receiver.url())
    device = online(own)
    publish(device, "bad")
    publish(device, "good")
    receiver.wait_count(1)
    event = own.api.wait_event({"type": "forward"})
    assert event["name"] == "refused" and event["status"] == status and event["payload"] == "bad"
    assert len(receiver.requests) == 2
    assert metric(own.api, "refused_total") == 1


def test_a_receiver_that_takes_its_time_delays_no_pingresp(start, receiver, online):
    """It answers nothing while devices publish; the loop has other things to do."""
    held = threading.Event()

    def answer(_):
        assert held.wait(server.PATIENCE_S)
        return 200

    receiver.answer = answer
    own = start("--forward", receiver.url())
    device = online(own)
    publish_many(device, 200)
    receiver.wait(lambda: receiver.busy == 1)
    slowest = 0
    for _ in range(100):
        begin = time.monotonic()
        device.send_packet(type="pingreq")
        assert device.receive()["type"] == "pingresp"
        slowest = max(slowest, time.monotonic() - begin)
    assert slowest < 1, slowest
    held.set()
    receiver.wait_count(200)


def test_a_silent_port_is_not_waited_for_at_the_end(start, online):
    """It takes connections and never answers. What waits gets its moment, and the loss is said."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        own = start("--forward", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        device = online(own)
        publish_many(device, 3)
        own.process.terminate()
        begin = time.monotonic()
        assert own.process.wait(server.PATIENCE_S) == 0
        assert time.monotonic() - begin < 8  # and not until the request would have timed out
        assert "3 messages" in own.errors()


def test_what_waits_at_the_end_is_still_handed_over(start, receiver, online):
    held = threading.Event()

    def answer(_):
        assert held.wait(server.PATIENCE_S)
        return 200

    receiver.answer = answer
    own = start("--forward", receiver.url())
    publish_many(online(own), 20)
    receiver.wait(lambda: receiver.busy == 1)
    own.process.terminate()
    held.set()
    assert own.process.wait(server.PATIENCE_S) == 0
    assert payloads(receiver) == [str(i) for i in range(20)]
    assert own.errors() == ""


def test_https_is_believed_by_the_certificates_of_ones_own(start, online, tmp_path):
    certificate, key = tmp_path / "business.crt", tmp_path / "business.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=business", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   capture_output=True, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver = Receiver(context=context).open()
    stranger = start("--forward", receiver.url(scheme="https"))
    publish(online(stranger), "no")
    assert "certificate" in stranger.api.wait_event({"type": "forward"})["reason"].lower()
    own = start("--forward", receiver.url(scheme="https"), "--forward-ca", str(certificate))
    publish(online(own), "yes")
    receiver.wait_count(1)
    assert payloads(receiver) == ["yes"]
    receiver.close()


@pytest.mark.parametrize("url", ["business", "ftp://host/", "http://", "http://host:0/",
                                 "file:///etc/passwd", "http://host/a b"])
def test_a_bad_url_is_one_clear_line(url):
    done = server.run("serve", "--listen", "all=0", "--forward", url)
    assert done.returncode == 2 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and "--forward" in done.stderr


def test_bad_certificates_are_one_clear_line(tmp_path):
    for text in (None, "no certificate"):
        path = tmp_path / "ca.pem"
        if text:
            path.write_text(text)
        done = server.run("serve", "--listen", "all=0", "--forward", "https://localhost/",
                          "--forward-ca", path)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
        assert str(path) in done.stderr
