"""Commands of the application, and the devices' answers to them."""

import base64
import json
import socket
import threading

import credentials
import pytest
import server

ALIYUN = "/api/v1/devices/aliyun/pk/device"
TENCENT = "/api/v1/devices/tencent/PROD123456/dev001"
ENOS = "/api/v1/devices/enos/KV315idW/tPbZGCdmaE"
SERVICE = "/sys/pk/device/thing/service/"


@pytest.fixture
def ordered(skymock):
    """ordered(path, body) posts a command on a connection of its own; the result comes later."""
    running = []

    def order(path, body):
        done = {}
        api = type(skymock.api)(skymock.ports["admin"])

        def work():
            done["status"], done["answer"] = api.request("POST", path + "/commands", body)
            api.close()

        thread = threading.Thread(target=work)
        thread.start()
        running.append(thread)

        def result():
            thread.join(30)
            return done["status"], done["answer"]

        return result

    yield order
    for thread in running:
        thread.join(30)


@pytest.fixture
def listening(online):
    """listening(device, filter, ...) is online and subscribes."""

    def log_in(device, *filters, qos=1, clean=True):
        peer = online(device, clean=clean)
        peer.send_packet(type="subscribe", id=1, filters=[[each, qos] for each in filters])
        assert peer.receive()["type"] == "suback"
        return peer

    return log_in


def receive_command(peer):
    """The next downlink, acknowledged, with its payload decoded in the order of its keys."""
    packet = peer.receive()
    assert packet["type"] == "publish", packet
    if packet["qos"]:
        peer.send_packet(type="puback", id=packet["id"])
    return packet


def answer(peer, topic, payload):
    peer.send_packet(type="publish", topic=topic, payload=payload, qos=0)


def test_a_service_call_is_answered(ordered, listening, api):
    peer = listening("aliyun/pk/device", SERVICE + "#")
    result = ordered(ALIYUN, {"kind": "service", "name": "blink", "params": {"z": 1, "a": 1.50}})
    command = receive_command(peer)
    assert command["topic"] == SERVICE + "blink"
    sent = json.loads(command["payload"])
    assert command["payload"] == ('{"method":"thing.service.blink","id":"%s",'
                                  '"params":{"z":1,"a":1.5},"version":"1.0.0"}' % sent["id"])
    reply = '{"id":"%s","code":200,"data":{"seen":true}}' % sent["id"]
    answer(peer, SERVICE + "blink_reply", reply)
    status, got = result()
    assert status == 200
    assert got.pop("elapsedMs") >= 0
    assert got == {"id": sent["id"], "answered": True, "topic": SERVICE + "blink_reply",
                   "payload": reply, "json": json.loads(reply)}
    event = api.wait_event({"type": "command", "device": "aliyun/pk/device", "service": "service",
                            "name": sent["id"]})
    api.wait_event({"type": "publish", "direction": "down", "of": event["seq"]})
    api.wait_event({"type": "answer", "name": sent["id"], "json": json.loads(reply)})


def test_parameters_go_out_as_they_were_written(ordered, listening):
    peer = listening("aliyun/pk/device", SERVICE + "property/set")
    body = (b'{"kind": "property-set", "waitMs": 0,'
            b' "params": {"big": 12345678901234567890, "x": 1.0}}')
    assert ordered(ALIYUN, body)()[0] == 202
    assert '"params":{"big":12345678901234567890,"x":1.0}' in receive_command(peer)["payload"]


def test_the_quality_of_service_is_what_the_device_was_granted(ordered, listening):
    peer = listening("aliyun/pk/device", SERVICE + "property/set", qos=0)
    ordered(ALIYUN, {"kind": "property-set", "params": {}, "waitMs": 0})()
    assert receive_command(peer)["qos"] == 0


def test_the_answer_of_another_device_does_not_count(ordered, listening, online):
    peer = listening("aliyun/pk/device", SERVICE + "property/set")
    result = ordered(ALIYUN, {"kind": "property-set", "params": {"a": 1}})
    command_id = json.loads(receive_command(peer)["payload"])["id"]
    other = online("aliyun/pk/second")
    answer(other, "/sys/pk/second/thing/service/property/set_reply",
           '{"id":"%s","code":500}' % command_id)
    other.send_packet(type="pingreq")
    assert other.receive()["type"] == "pingresp"
    answer(peer, SERVICE + "property/set_reply", '{"id":"%s","code":200}' % command_id)
    assert result()[1]["json"]["code"] == 200


def test_two_commands_wait_side_by_side(ordered, listening):
    peer = listening("aliyun/pk/device", SERVICE + "+")
    results = {name: ordered(ALIYUN, {"kind": "service", "name": name}) for name in ("one", "two")}
    commands = [receive_command(peer) for _ in results]
    for command in reversed(commands):
        topic = command["topic"]
        answer(peer, topic + "_reply",
               '{"id":"%s","data":"%s"}' % (json.loads(command["payload"])["id"], topic))
    for name, result in results.items():
        assert result()[1]["json"]["data"] == SERVICE + name


@pytest.mark.parametrize("cloud, path, topic, reply", [
    ("aliyun/pk/device", ALIYUN, "/sys/pk/device/rrpc/request/{}",
     "/sys/pk/device/rrpc/response/{}"),
    ("tencent/PROD123456/dev001", TENCENT, "$rrpc/rxd/PROD123456/dev001/{}",
     "$rrpc/txd/PROD123456/dev001/{}"),
    ("enos/KV315idW/tPbZGCdmaE", ENOS, "/sys/KV315idW/tPbZGCdmaE/rrpc/request/{}",
     "/sys/KV315idW/tPbZGCdmaE/rrpc/response/{}")])
def test_a_remote_call_carries_any_text_both_ways(ordered, listening, cloud, path, topic, reply):
    peer = listening(cloud, topic.format("+"))
    result = ordered(path, {"kind": "rpc", "payload": "no JSON {"})
    command = receive_command(peer)
    call_id = command["topic"].rsplit("/", 1)[1]
    assert command == {**command, "topic": topic.format(call_id), "payload": "no JSON {"}
    assert command["qos"] == (1 if path == ENOS else 0)
    answer(peer, reply.format(call_id), "fine")
    got = result()[1]
    assert (got["payload"], got["topic"]) == ("fine", reply.format(call_id))
    assert "json" not in got


def test_answers_without_ids_come_in_order(ordered, online, api):
    """Raw bytes carry no id that could be read: the first answer is to the first command."""
    peer = online("enos/KV315idW/tPbZGCdmaE")
    results = []
    for number in range(2):
        results.append(ordered(ENOS, {"kind": "raw", "payload": f"call {number}"}))
        assert receive_command(peer)["payload"] == f"call {number}"
    for number in range(2):
        answer(peer, "/sys/KV315idW/tPbZGCdmaE/thing/model/down_raw_reply", f"answer {number}")
    for number, result in enumerate(results):
        assert result()[1]["payload"] == f"answer {number}"
    answer(peer, "/sys/KV315idW/tPbZGCdmaE/thing/model/down_raw_reply", "more")
    event = api.wait_event({"type": "answer", "payload": "more"})
    assert event["findings"] == []


def test_an_answer_may_be_any_bytes(ordered, listening):
    peer = listening("aliyun/pk/device", "/sys/pk/device/rrpc/request/+")
    result = ordered(ALIYUN, {"kind": "rpc", "payload": "?"})
    call_id = receive_command(peer)["topic"].rsplit("/", 1)[1]
    answer(peer, f"/sys/pk/device/rrpc/response/{call_id}", {"hex": "00ff"})
    assert result()[1]["payloadBase64"] == "AP8="


@pytest.mark.parametrize("kind, name, levels", [
    ("measurepoint-set", None, "measurepoint/set"), ("measurepoint-get", None, "measurepoint/get"),
    ("service", "restart", "restart")])
def test_a_device_that_never_subscribed_is_reached_where_the_cloud_pushes(
        ordered, online, kind, name, levels):
    peer = online("enos/KV315idW/tPbZGCdmaE")
    body = {"kind": kind, "params": {"b": 2, "a": 1}}
    result = ordered(ENOS, {**body, "name": name} if name else body)
    command = receive_command(peer)
    assert command["topic"] == f"/sys/KV315idW/tPbZGCdmaE/thing/service/{levels}"
    command_id = json.loads(command["payload"])["id"]
    assert command["payload"] == (
        '{"id":"%s","version":"1.0","params":{"b":2,"a":1},"method":"thing.service.%s"}'
        % (command_id, levels.replace("/", ".")))
    answer(peer, command["topic"] + "_reply", '{"id":"%s","code":200,"data":{}}' % command_id)
    assert result()[0] == 200


@pytest.mark.parametrize("device, path, body, subscribes, reason", [
    ("aliyun/pk/device", ALIYUN, {"kind": "property-set"}, None, True),
    ("aliyun/pk/device", ALIYUN, {"kind": "property-set"}, SERVICE + "#", False),
    ("tencent/PROD123456/dev001", TENCENT, {"kind": "rpc"}, None, True),
    ("enos/KV315idW/tPbZGCdmaE", ENOS, {"kind": "measurepoint-get"}, None, False)])
def test_the_event_says_when_a_device_should_have_subscribed(
        online, listening, api, device, path, body, subscribes, reason):
    peer = listening(device, subscribes) if subscribes else online(device)
    api.post(path + "/commands", {**body, "waitMs": 0})
    receive_command(peer)
    event = api.wait_event({"type": "command", "device": device})
    assert ("does not subscribe" in event.get("reason", "")) == reason


def test_a_device_that_is_silent_is_told_apart(online, refused, api):
    online("enos/KV315idW/tPbZGCdmaE")
    body = {"kind": "service", "name": "restart", "waitMs": 1}
    assert refused(504, "POST", ENOS + "/commands", body)["code"] == "timeout"
    api.wait_event({"type": "timeout", "device": "enos/KV315idW/tPbZGCdmaE"})


def test_without_waiting_the_answer_is_an_event(online, api):
    peer = online("enos/KV315idW/tPbZGCdmaE")
    status, sent = api.request("POST", ENOS + "/commands", {"kind": "service", "name": "restart",
                                                            "waitMs": 0})
    assert (status, sent["answered"]) == (202, False)
    answer(peer, receive_command(peer)["topic"] + "_reply", '{"id":"%s","code":200}' % sent["id"])
    api.wait_event({"type": "answer", "name": sent["id"], "device": "enos/KV315idW/tPbZGCdmaE"})


def test_a_device_that_is_away_is_said_to_be(refused):
    for path, body in ((ENOS, {"kind": "service", "name": "x"}), (TENCENT, {"kind": "rpc"}),
                       (ALIYUN, {"kind": "property-set"})):
        error = refused(409, "POST", path + "/commands", body)
        assert "not connected" in error["message"]


def test_a_kept_session_takes_the_command_and_its_answer_comes_after_return(
        ordered, listening, online, api):
    peer = listening("aliyun/pk/device", SERVICE + "property/set", clean=False)
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    result = ordered(ALIYUN, {"kind": "property-set", "params": {"a": 1}, "waitMs": 20000})
    api.wait_event({"type": "command", "device": "aliyun/pk/device"})
    peer = online("aliyun/pk/device", clean=False)
    command = receive_command(peer)
    answer(peer, command["topic"] + "_reply",
           '{"id":"%s","code":200}' % json.loads(command["payload"])["id"])
    assert result()[0] == 200


def test_a_remote_call_is_not_kept(listening, refused):
    peer = listening("aliyun/pk/device", "/sys/pk/device/rrpc/request/+", clean=False)
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    assert "QoS 0" in refused(409, "POST", ALIYUN + "/commands", {"kind": "rpc"})["message"]


def test_an_unknown_kind_names_the_known_ones(refused):
    for path, kinds in ((ALIYUN, {"property-set", "service", "rpc", "custom-rpc"}),
                        (ENOS, {"measurepoint-set", "measurepoint-get", "service", "raw", "rpc",
                                "traffic-control"}), (TENCENT, {"rpc"})):
        error = refused(404, "POST", path + "/commands", {"kind": "dance"})
        assert error["pointer"] == "/kind"
        assert kinds <= set(error["message"].partition("it has: ")[2].split(", "))


@pytest.mark.parametrize("path, kind, name", [
    (ALIYUN, "service", "a/b"), (ALIYUN, "service", "#"), (ALIYUN, "service", "x" * 129),
    (ALIYUN, "custom-rpc", "a/+"), (ENOS, "service", "")])
def test_what_no_command_can_be_made_of_is_refused(online, refused, path, kind, name):
    assert refused(400, "POST", path + "/commands",
                   {"kind": kind, "name": name})["pointer"] == "/name"


def test_content_is_given_once(refused):
    body = {"kind": "rpc", "params": {}, "payload": ""}
    assert refused(400, "POST", TENCENT + "/commands", body)["pointer"] == "/payload"
    refused(400, "POST", TENCENT + "/commands", {"kind": "rpc", "waitMs": 60001})


@pytest.fixture
def forgotten(skymock):
    """forgotten(path, body) orders a command and never reads the answer; returns the socket."""
    clients = []

    def order(path, body, port=None):
        text = json.dumps(body)
        client = socket.create_connection(("127.0.0.1", port or skymock.ports["admin"]))
        client.sendall(f"POST {path}/commands HTTP/1.1\r\nHost: localhost\r\n"
                       "Content-Type: application/json\r\n"
                       f"Content-Length: {len(text)}\r\n\r\n{text}".encode())
        clients.append(client)
        return client

    yield order
    for client in clients:
        client.close()


def test_the_answer_to_whoever_hung_up_is_an_event(forgotten, online, api):
    peer = online("enos/KV315idW/tPbZGCdmaE")
    client = forgotten(ENOS, {"kind": "service", "name": "restart"})
    command = receive_command(peer)
    client.close()
    api.barrier()
    answer(peer, command["topic"] + "_reply",
           '{"id":"%s","code":200}' % json.loads(command["payload"])["id"])
    api.wait_event({"type": "answer", "device": "enos/KV315idW/tPbZGCdmaE"})


def test_a_server_may_stop_while_a_command_waits(start, forgotten):
    own = start()
    peer = server.Peer(own.ports["enos-mqtt"])
    peer.send_packet(type="connect", clean=True, keepalive=60,
                     **credentials.enos("enos/KV315idW/tPbZGCdmaE"))
    assert peer.receive()["code"] == 0
    forgotten(ENOS, {"kind": "service", "name": "restart"}, own.ports["admin"])
    receive_command(peer)
    own.stop()
    assert peer.receive() is None
    peer.close()


# ---- messages ----

def test_a_message_on_a_pushed_topic_reaches_a_device_that_never_subscribed(online, api):
    peer = online("enos/KV315idW/tPbZGCdmaE")
    topic = "/sys/KV315idW/tPbZGCdmaE/thing/service/any"
    sent = api.post(ENOS + "/messages", {"topic": topic, "payload": "{}", "qos": 1})
    assert (sent["receivers"], sent["online"]) == (1, True)
    packet = receive_command(peer)
    assert (packet["topic"], packet["payload"]) == (topic, "{}")


def test_a_device_that_subscribed_to_a_pushed_topic_gets_a_message_once(listening, api):
    topic = "/sys/KV315idW/tPbZGCdmaE/thing/service/any"
    peer = listening("enos/KV315idW/tPbZGCdmaE", topic)
    assert api.post(ENOS + "/messages", {"topic": topic, "payload": "1"})["receivers"] == 1
    api.post(ENOS + "/messages", {"topic": topic, "payload": "2"})
    assert [peer.receive()["payload"] for _ in range(2)] == ["1", "2"]


def test_a_message_reaches_everybody_who_subscribes_to_its_topic(listening, api):
    topic = "/broadcast/pk/news"
    peers = [listening(f"aliyun/pk/{name}", topic) for name in ("device", "second")]
    assert api.post(ALIYUN + "/messages", {"topic": topic, "payload": "x"})["receivers"] == 2
    for peer in peers:
        assert peer.receive()["payload"] == "x"


def test_what_reaches_another_device_was_sent(listening, api):
    """The addressed device is away; whoever listens in its stead gets the message."""
    listening("aliyun/pk/second", "/broadcast/pk/news")
    sent = api.post(ALIYUN + "/messages", {"topic": "/broadcast/pk/news"})
    assert (sent["receivers"], sent["online"]) == (1, False)


# ---- what no packet can carry ----

PACKET_MAX = 640 * 1024
TOPIC = "/broadcast/pk/news"


def payload_max(topic, qos):
    """Bytes of payload in the longest PUBLISH: header and length of the rest, topic, packet id."""
    return PACKET_MAX - 1 - 3 - 2 - len(topic) - (2 if qos else 0)


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("member", ["payload", "payloadBase64", "size"])
@pytest.mark.parametrize("topic", [TOPIC, TOPIC + "/" + "x" * (65535 - len(TOPIC) - 1)])
def test_a_message_longer_than_a_packet_is_refused_before_it_is_made(
        listening, api, refused, qos, member, topic):
    peer = listening("aliyun/pk/device", "/broadcast/pk/#", qos=qos)

    def body(size):
        payload = "x" * size
        return {"topic": topic, "qos": qos,
                member: {"payload": payload, "size": size,
                         "payloadBase64": base64.b64encode(payload.encode()).decode()}[member]}

    since = api.last_seq()
    error = refused(413, "POST", ALIYUN + "/messages", body(payload_max(topic, qos) + 1))
    assert error["pointer"] == "/" + member
    assert not api.events(since, type="publish")
    assert api.post(ALIYUN + "/messages", body(payload_max(topic, qos)))["receivers"] == 1
    assert len(receive_command(peer)["payload"]) == payload_max(topic, qos)


@pytest.mark.parametrize("path, device, body, pointer", [
    (ALIYUN, "aliyun/pk/device", {"kind": "rpc", "payload": "x" * 700000}, "/payload"),
    (ALIYUN, "aliyun/pk/device", {"kind": "custom-rpc", "name": "a", "payload": "x" * 700000},
     "/payload"),
    (ALIYUN, "aliyun/pk/device", {"kind": "rpc", "params": {"a": "x" * 700000}}, "/params"),
    (ALIYUN, "aliyun/pk/device", {"kind": "property-set", "params": {"a": "x" * 300000}},
     "/params"),
    (TENCENT, "tencent/PROD123456/dev001", {"kind": "rpc", "payload": "x" * 700000}, "/payload"),
    (ENOS, "enos/KV315idW/tPbZGCdmaE", {"kind": "service", "name": "a",
                                       "payload": '"%s"' % ("x" * 300000)}, "/payload")])
def test_a_command_longer_than_a_packet_is_refused_before_it_is_made(
        online, api, refused, path, device, body, pointer):
    online(device)
    since = api.last_seq()
    assert refused(413, "POST", path + "/commands", body)["pointer"] == pointer
    assert not api.events(since, type="command")


def test_a_command_that_fills_a_packet_is_sent(listening, api):
    peer = listening("aliyun/pk/device", "/sys/pk/device/rrpc/request/+")
    topic = "/sys/pk/device/rrpc/request/" + "1" * 10
    size = payload_max(topic, 0)
    sent = api.post(ALIYUN + "/commands", {"kind": "rpc", "payload": "x" * size, "waitMs": 0})
    assert len(sent["id"]) == 10
    assert len(receive_command(peer)["payload"]) == size
    with pytest.raises(server.ApiError, match="413"):
        api.post(ALIYUN + "/commands", {"kind": "rpc", "payload": "x" * (size + 1), "waitMs": 0})


@pytest.mark.parametrize("path, device, kind, status", [
    (ALIYUN, "aliyun/pk/device", "custom-rpc", 400), (ALIYUN, "aliyun/pk/device", "service", 400),
    (ENOS, "enos/KV315idW/tPbZGCdmaE", "service", 400)])
@pytest.mark.parametrize("length", [65530, 65535])
def test_a_name_that_no_topic_can_hold_is_refused(online, refused, path, device, kind, status,
                                                  length):
    online(device)
    error = refused(status, "POST", path + "/commands", {"kind": kind, "name": "x" * length})
    assert error["pointer"] == "/name"


@pytest.mark.parametrize("body, pointer", [
    ({"kind": "property-set", "payload": "no JSON {"}, "/payload"),
    ({"kind": "service", "name": "a", "payload": "[" * 25 + "]" * 25}, "/payload")])
def test_parameters_that_are_no_json_are_pointed_at(online, refused, body, pointer):
    online("aliyun/pk/device")
    assert refused(400, "POST", ALIYUN + "/commands", body)["pointer"] == pointer


# ---- what is dropped at once was not sent ----

def test_a_message_for_a_full_queue_is_refused_with_the_reason(listening, api, refused):
    peer = listening("aliyun/pk/device", TOPIC, clean=False)
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    body = {"topic": TOPIC, "payload": "x" * 400000, "qos": 1}
    for _ in range(100):
        status, answer = api.request("POST", ALIYUN + "/messages", body)
        if status != 202:
            break
    assert status == 409
    full = "the device's queue is full: 1000 messages, or 4194304 bytes of topics and payloads, wait " \
           "at most"
    assert full in answer["error"]["message"]
    assert api.wait_event({"type": "drop", "device": "aliyun/pk/device"})["reason"] == full


def test_a_qos_0_message_for_a_device_that_is_away_is_refused(listening, refused):
    peer = listening("aliyun/pk/device", TOPIC, clean=False)
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    error = refused(409, "POST", ALIYUN + "/messages", {"topic": TOPIC, "qos": 0})
    assert "away" in error["message"]


def test_what_one_subscriber_misses_is_counted(listening, api):
    peer = listening("aliyun/pk/second", TOPIC, clean=False)
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    listening("aliyun/pk/device", TOPIC)
    sent = api.post(ALIYUN + "/messages", {"topic": TOPIC})
    assert (sent["receivers"], sent["dropped"]) == (1, 1)
    assert "away" in sent["reason"]


def test_a_command_for_a_full_queue_is_refused_and_not_made(listening, api, refused):
    peer = listening("aliyun/pk/device", SERVICE + "property/set", clean=False)
    peer.send_packet(type="disconnect")
    assert peer.receive() is None
    body = {"kind": "property-set", "params": {"a": "x" * 250000}, "waitMs": 0}
    for _ in range(200):
        since = api.last_seq()
        status, answer = api.request("POST", ALIYUN + "/commands", body)
        if status != 202:
            break
    assert status == 409
    assert "queue is full" in answer["error"]["message"]
    assert not api.events(since, type="command")


# ---- correlation ids ----

def test_ids_are_digits_below_two_to_the_31_that_the_device_did_not_use(listening, api):
    """An SDK that tells messages apart by their id alone takes the same one for an answer."""
    peer = listening("enos/KV315idW/tPbZGCdmaE", "/sys/KV315idW/tPbZGCdmaE/thing/service/+")
    body = {"kind": "service", "name": "blink", "waitMs": 0}
    last = int(api.post(ENOS + "/commands", body)["id"])
    receive_command(peer)
    for spelling in ('"%d"', "%d", ' "%d" '):
        used = [last + 1, last + 2]
        for each in used:
            answer(peer, "/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post",
                   '{"id":%s,"version":"1.0","params":{"measurepoints":{"a":1}},'
                   '"method":"thing.measurepoint.post"}' % (spelling % each))
        peer.send_packet(type="pingreq")
        while peer.receive()["type"] != "pingresp":
            pass
        last = int(api.post(ENOS + "/commands", body)["id"])
        receive_command(peer)
        assert last not in used
        assert 1000000000 <= last < 2 ** 31


# ---- answers under another id ----

SYS_ENOS = "/sys/KV315idW/tPbZGCdmaE/thing/service/"
OTHER_IDS = [
    ("aliyun/pk/device", ALIYUN, {"kind": "service", "name": "blink"}, SERVICE + "+",
     SERVICE + "blink_reply", '{"id":"7","code":200}', "7", "ALI-ANSWER-ID"),
    ("aliyun/pk/device", ALIYUN, {"kind": "property-set"}, SERVICE + "#",
     SERVICE + "property/set_reply", '{"id":8,"code":200}', "8", "ALI-ANSWER-ID"),
    ("aliyun/pk/device", ALIYUN, {"kind": "service", "name": "blink"}, SERVICE + "+",
     SERVICE + "blink_reply", '{"code":200}', "", "ALI-ANSWER-ID"),
    ("aliyun/pk/device", ALIYUN, {"kind": "rpc"}, "/sys/pk/device/rrpc/request/+",
     "/sys/pk/device/rrpc/response/7", "{}", "7", "ALI-ANSWER-ID"),
    ("aliyun/pk/device", ALIYUN, {"kind": "custom-rpc", "name": "a/b"}, "/ext/rrpc/+/a/b",
     "/ext/rrpc/7/a/b", "{}", "7", "ALI-ANSWER-ID"),
    ("tencent/PROD123456/dev001", TENCENT, {"kind": "rpc"}, "$rrpc/rxd/PROD123456/dev001/+",
     "$rrpc/txd/PROD123456/dev001/7", "{}", "7", "TEN-ANSWER-ID"),
    ("enos/KV315idW/tPbZGCdmaE", ENOS, {"kind": "service", "name": "blink"}, SYS_ENOS + "+",
     SYS_ENOS + "blink_reply", '{"id":"7","code":200}', "7", "ENOS-ANSWER-ID"),
    ("enos/KV315idW/tPbZGCdmaE", ENOS, {"kind": "measurepoint-set"}, SYS_ENOS + "#",
     SYS_ENOS + "measurepoint/set_reply", '{"id":"7","code":200}', "7", "ENOS-ANSWER-ID")]


@pytest.mark.parametrize("device, path, body, hears, topic, payload, other, rule", OTHER_IDS)
def test_the_only_command_that_waits_is_answered_under_another_id(
        ordered, listening, api, device, path, body, hears, topic, payload, other, rule):
    peer = listening(device, hears)
    result = ordered(path, body)
    receive_command(peer)
    answer(peer, topic, payload)
    status, got = result()
    assert (status, got["answered"], got["answerId"]) == (200, True, other)
    event = api.wait_event({"type": "answer", "device": device, "rules": [rule]})
    detail, = [each["detail"] for each in event["findings"] if each["rule"] == rule]
    assert got["id"] in detail and f"'{other}'" in detail
    assert api.verdict(device)["verdict"] != "failed" or not other


@pytest.mark.parametrize("device, path, body, hears, topic, payload, other, rule",
                         [each for each in OTHER_IDS if each[6]])
def test_of_two_that_wait_none_is_answered_under_another_id(
        ordered, listening, api, device, path, body, hears, topic, payload, other, rule):
    peer = listening(device, hears)
    results = [ordered(path, {**body, "waitMs": 700}) for _ in range(2)]
    for _ in results:
        receive_command(peer)
    answer(peer, topic, payload)
    for result in results:
        status, got = result()
        assert status == 504
        message = got["error"]["message"]
        assert f"the id {other} " in message and topic in message and " ms" in message
    event = api.wait_event({"type": "timeout", "device": device})
    assert topic in event["detail"]
    assert rule not in json.dumps(api.events(type="answer"))


def test_an_answer_to_another_service_is_said_and_does_not_count(ordered, listening):
    peer = listening("aliyun/pk/device", SERVICE + "+")
    result = ordered(ALIYUN, {"kind": "service", "name": "blink", "waitMs": 500})
    receive_command(peer)
    answer(peer, SERVICE + "wink_reply", '{"id":"7","code":200}')
    status, got = result()
    assert status == 504
    assert SERVICE + "wink_reply" in got["error"]["message"]


def test_a_late_answer_is_not_taken_for_that_of_the_next_command(ordered, listening, api):
    peer = listening("aliyun/pk/device", SERVICE + "+")
    late = api.post(ALIYUN + "/commands", {"kind": "service", "name": "blink", "waitMs": 0})["id"]
    receive_command(peer)
    result = ordered(ALIYUN, {"kind": "service", "name": "blink"})
    command_id = json.loads(receive_command(peer)["payload"])["id"]
    answer(peer, SERVICE + "blink_reply", '{"id":"%s","code":500}' % late)
    answer(peer, SERVICE + "blink_reply", '{"id":"%s","code":200}' % command_id)
    assert result()[1]["json"]["code"] == 200

