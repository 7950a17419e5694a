"""MQTT over WebSocket, frame by frame: what is taken, and what ends a connection and how."""

import resource
import ssl
import time

import credentials
import packets
import pytest
import server
import websocket as ws

DEVICE = "aliyun/pk/device"
ECHO = "/pk/device/user/both"
CONNECTIONS_MAX = 2048


def connect_packet(name=DEVICE, **how):
    login = getattr(credentials, name.split("/")[0])(name, **how)
    return packets.encode({"type": "connect", "clean": True, "keepalive": 60, **login})


@pytest.fixture
def device(skymock):
    """device() is a peer on the https listener whose upgrade was taken."""
    opened = []

    def open_one(context=None, **offers):
        opened.append(ws.WebSocketPeer(skymock.ports["https"], context, **offers))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def online(device):
    peer = device()
    peer.send(connect_packet())
    assert peer.receive()["code"] == 0
    return peer


@pytest.fixture
def tls(ca):
    return ssl.create_default_context(cafile=str(ca))


def subscribe(peer):
    peer.send_packet(type="subscribe", id=1, filters=[[ECHO, 1]])
    assert peer.receive() == {"type": "suback", "id": 1, "codes": [1]}


# ---- logins ----

@pytest.mark.parametrize("path", ["/", "/mqtt", "/a/b?c=d", "/%2e%2e/x", "/" + 3000 * "x"])
def test_any_path_will_do(device, api, path):
    peer = device(path=path)
    peer.send(connect_packet())
    assert peer.receive()["code"] == 0
    event = api.wait_event({"type": "note", "name": "websocket"})
    assert event["path"] == path.partition("?")[0] and event["transport"] == "ws"
    event = api.wait_event({"type": "connect", "device": DEVICE})
    assert event["transport"] == "ws" and event["listener"] == "https"


@pytest.mark.parametrize("name, clear, encrypted", [
    (DEVICE, {"securemode": "3"}, {"securemode": "2"}),
    ("tencent/PROD123456/dev001", {}, {})])
def test_the_logins_are_those_of_tcp_and_tls(device, api, tls, name, clear, encrypted):
    for context, how, transport in ((None, clear, "ws"), (tls, encrypted, "wss")):
        since = api.last_seq()
        peer = device(context)
        peer.send(connect_packet(name, **how))
        assert peer.receive()["code"] == 0
        event = api.wait_event({"type": "connect", "device": name}, since=since)
        assert event["transport"] == transport
        peer.send_packet(type="disconnect")
        assert peer.frames.closed_with() == 1000
        api.wait_event({"type": "disconnect", "device": name}, since=since)


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_wrong_mode_for_the_transport_is_told(device, api, tls, encrypted):
    peer = device(tls if encrypted else None)
    peer.send(connect_packet(securemode="3" if encrypted else "2"))
    peer.receive()
    api.wait_event({"type": "connect", "rules": ["ALI-SECUREMODE-MISMATCH"]})


def test_a_refused_login_is_answered_and_closed(device):
    peer = device()
    peer.send(connect_packet(mistake="not-hmac"))
    assert peer.receive()["code"] == 4
    assert peer.frames.closed_with() == 1000


def test_whoever_is_thrown_out_is_told_goodbye(online, api):
    api.post(f"/api/v1/devices/{DEVICE}/disconnect")
    assert online.frames.closed_with() == 1000


def test_the_verdict_is_that_of_any_device(online, api):
    online.send_packet(type="disconnect")
    assert online.receive() is None
    verdict = api.verdict(DEVICE)
    assert verdict["verdict"] == "passed"
    assert next(each for each in verdict["devices"][0]["rules"]
                if each["id"] == "DOOR-WEBSOCKET")["verdict"] == "passed"


def test_an_upgrade_without_a_login_is_ended(device, api):
    since = api.last_seq()
    peer = device()
    begun = time.monotonic()
    assert peer.frames.closed_with() == 1000
    assert 8 < time.monotonic() - begun < 20
    api.wait_event({"rules": ["MQTT-CONNECT-TIMEOUT"]}, since=since)


# ---- upgrades ----

@pytest.mark.parametrize("protocol", ["mqtt", "chat, mqtt", "mqttv3.1, mqtt", "mqtt,x"])
def test_the_subprotocol_is_mqtt(device, protocol):
    peer = device(handshake=False)
    peer.frames.send(ws.request(protocol=protocol))
    peer.frames.check_answer()
    peer.send(connect_packet())
    assert peer.receive()["code"] == 0


def test_no_extension_is_taken(device):
    peer = device(handshake=False)
    peer.frames.send(ws.request(extra="Sec-WebSocket-Extensions: permessage-deflate\r\n"))
    peer.frames.check_answer()  # which has none


@pytest.mark.parametrize("status, why, offers", [
    (400, "no subprotocol", {"protocol": None}),
    (400, "not among", {"protocol": "chat"}),
    (400, "not among", {"protocol": "mqttv3.1, mqtt5"}),
    (426, "Version", {"version": None}),
    (426, "Version", {"version": "8"}),
    (400, "body", {"extra": "Transfer-Encoding: chunked\r\n"}),
    (400, "Key", {"key": None}),
    (400, "Key", {"key": "short"}),
    (400, "Key", {"key": "c2l4dGVlbiBieXRlcy4uLg"})])
def test_what_is_no_upgrade_for_mqtt_is_refused(device, api, status, why, offers):
    since = api.last_seq()
    peer = device(handshake=False)
    peer.frames.send(ws.request(**offers))
    got, headers = peer.frames.head()
    assert got == status and headers["connection"] == "close"
    assert (status == 426) == (headers.get("sec-websocket-version") == "13")
    event = api.wait_event({"type": "http-auth", "status": status, "rules": ["DOOR-WEBSOCKET"]},
                           since=since)
    assert why in event["findings"][0]["detail"]


def test_the_admin_listener_follows_no_upgrade(skymock):
    peer = server.Peer(skymock.ports["admin"])
    frames = ws.WebSocket(peer, handshake=False)
    frames.send(ws.request(path="/health"))
    assert frames.head()[0] == 200
    peer.close()


def test_an_upgrade_may_follow_other_requests(device):
    peer = device(handshake=False)
    peer.frames.send(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" + ws.request() +
                     ws.frame(connect_packet()))
    status, headers = peer.frames.head()
    assert status == 404
    peer.frames._take(int(headers["content-length"]))
    peer.frames.check_answer()
    assert peer.receive()["code"] == 0


def test_there_is_a_limit(device, api):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * CONNECTIONS_MAX:
        pytest.skip("the system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * CONNECTIONS_MAX, hard))
    begun = time.monotonic()
    crowd = [device() for _ in range(CONNECTIONS_MAX)]
    if time.monotonic() - begun > 8:
        pytest.skip("this machine is too slow to have them all there at once")
    late = device(handshake=False)
    late.frames.send(ws.request())
    assert late.frames.head()[0] == 503
    crowd[0].send(connect_packet())
    assert crowd[0].receive()["code"] == 0
    for each in crowd:
        each.close()
    api.barrier()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- frames ----

def test_upgrade_and_login_split_at_every_offset(device):
    whole = ws.request() + ws.frame(connect_packet()[:20], final=False) + \
        ws.frame(b"up?", ws.PING) + ws.frame(connect_packet()[20:], ws.CONTINUATION)
    for at in range(1, len(whole)):
        peer = device(handshake=False)
        peer.frames.send(whole[:at])
        peer.frames.send(whole[at:])
        peer.frames.check_answer()
        assert peer.frames.receive() == (ws.PONG, b"up?")
        assert peer.receive()["code"] == 0
        peer.close()


def test_upgrade_and_login_byte_by_byte(device):
    peer = device(handshake=False)
    for byte in ws.request() + ws.frame(connect_packet()):
        peer.frames.send(bytes([byte]))
    peer.frames.check_answer()
    assert peer.receive()["code"] == 0


def test_packets_need_not_keep_to_frames(online):
    ping = packets.encode({"type": "pingreq"})
    online.send(ping * 100)
    assert [online.receive()["type"] for _ in range(100)] == 100 * ["pingresp"]
    subscribe(online)
    message = packets.encode({"type": "publish", "topic": ECHO, "payload": "x" * 300, "qos": 1,
                              "id": 7})
    for byte in message[:-1]:
        online.send(bytes([byte]))
    online.send(message[-1:] + ping)
    assert [online.receive()["type"] for _ in range(3)] == ["puback", "publish", "pingresp"]
    pieces = [message[i:i + 50] for i in range(0, len(message), 50)]
    online.frames.send(ws.frame(pieces[0], final=False))
    for piece in pieces[1:]:
        online.frames.send(ws.frame(piece, ws.CONTINUATION, final=False) + ws.frame(b"", ws.PONG))
    online.frames.send(ws.frame(b"", ws.CONTINUATION))
    assert [online.receive()["type"] for _ in range(2)] == ["puback", "publish"]


@pytest.mark.parametrize("size", [1, 125, 126, 4095, 4096, 16_384, 65_535, 200_000])
def test_messages_of_any_size_go_both_ways(online, api, size):
    subscribe(online)
    payload = "x" * size
    topic = ECHO if size < 200_000 else None
    if topic:
        online.send_packet(type="publish", topic=ECHO, payload=payload)
    else:
        api.post(f"/api/v1/devices/{DEVICE}/messages", {"topic": ECHO, "payload": payload})
    assert online.receive()["payload"] == payload


def test_much_that_is_read_late_is_all_there(online, api):
    subscribe(online)
    for number in range(50):
        api.post(f"/api/v1/devices/{DEVICE}/messages",
                 {"topic": ECHO, "payload": f"{number} " + "x" * 50_000})
    assert [online.receive()["payload"].split()[0] for _ in range(50)] == [
        str(number) for number in range(50)]


def test_pings_are_answered(online):
    for payload in (b"", b"x" * 125):
        online.frames.send(ws.frame(payload, ws.PING))
        assert online.frames.receive() == (ws.PONG, payload)
    online.frames.send(ws.frame(b"unasked", ws.PONG) + ws.frame(b""))
    online.send_packet(type="pingreq")
    assert online.receive()["type"] == "pingresp"


ENDS = {
    "text": (1003, ws.frame(b"\xc0\0", ws.TEXT)),
    "text continued": (1003, ws.frame(b"\xc0", ws.TEXT, final=False)),
    "not masked": (1002, ws.frame(b"\xc0\0", mask=None)),
    "reserved bit": (1002, ws.frame(b"\xc0\0", bits=0x40)),
    "unknown data": (1002, ws.frame(b"", 3)),
    "unknown control": (1002, ws.frame(b"", 11)),
    "control in pieces": (1002, ws.frame(b"", ws.PING, final=False)),
    "control too long": (1002, ws.frame(b"x" * 126, ws.PING)),
    "nothing to go on with": (1002, ws.frame(b"", ws.CONTINUATION)),
    "message within another": (1002, ws.frame(b"", final=False) + ws.frame(b"")),
    "length in too many bytes": (1002, ws.frame(b"x", length=2)),
    "frame too long": (1009, b"\x82\xff" + (1024 * 1024 + 1).to_bytes(8, "big") + b"mask"),
    "negative length": (1002, b"\x82\xff" + (1 << 63).to_bytes(8, "big") + b"mask"),
    "half a code": (1002, ws.frame(b"\x03", ws.CLOSE)),
}


@pytest.mark.parametrize("code, data", ENDS.values(), ids=ENDS)
def test_what_breaks_the_protocol_is_closed_with_a_code(online, api, code, data):
    since = api.last_seq()
    online.frames.send(data)
    assert online.frames.closed_with() == code
    event = api.wait_event({"type": "malformed", "device": DEVICE, "rules": ["DOOR-WEBSOCKET"]},
                           since=since)
    assert event["reason"]
    assert code != 1009 or event["reason"] == "a frame has more than 1048576 bytes"
    api.wait_event({"type": "close", "device": DEVICE}, since=since)


def test_what_stands_before_the_end_still_counts(online):
    online.frames.send(ws.frame(b"\xc0\0") + ws.frame(b"", ws.TEXT))
    assert online.receive()["type"] == "pingresp"
    assert online.frames.closed_with() == 1003


def test_malformed_mqtt_ends_it_as_it_does_on_tcp(online, api):
    online.send(b"\xf0\0")
    assert online.frames.closed_with() == 1000
    api.wait_event({"type": "malformed", "rules": ["MQTT-PACKET-RESERVED"]})


@pytest.mark.parametrize("payload, code", [(b"", None), (b"\x03\xe8", 1000), (b"\x03\xe9bye", 1001),
                                           (b"\x0f\xa0", 4000)])
def test_goodbye_is_answered(online, api, payload, code):
    online.frames.send(ws.frame(payload, ws.CLOSE))
    assert online.frames.closed_with() == code
    event = api.wait_event({"type": "close", "device": DEVICE})
    assert "WebSocket" in event["reason"]


def test_whoever_just_leaves_is_noticed(online, api):
    online.close()
    api.wait_event({"type": "close", "device": DEVICE, "reason": "the peer closed the connection"})
