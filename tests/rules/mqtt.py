"""The rules of MQTT itself, and the platforms' limits as far as no cloud words them itself."""

from enos.rules import measurement
from packets import frame, text
from stage import ALI, ENOS, login_with, of, plays, publishes, says, subscribes

ECHO = "/pk/device/user/both"  # the device may publish and subscribe there
POINTS = "/sys/KV315idW/tPbZGCdmaE/thing/measurepoint"


# ---- devices that keep to the rules ----

@plays(ALI)
def a_device_that_speaks_every_packet(stage):
    peer = stage.login(ALI)
    stage.subscribe(peer, ECHO)
    echoes = []
    for number in (1, 2):
        echoes += stage.publish(peer, ECHO, "hello", number)
    while len(echoes) < 2:
        echoes.append(peer.receive())
    for echo in echoes:
        peer.send_packet(type="puback", id=echo["id"])
    peer.send_packet(type="unsubscribe", id=3, filters=[ECHO])
    assert peer.receive()["type"] == "unsuback"
    peer.send_packet(type="publish", topic=ECHO, payload="goodbye")
    stage.ping(peer)
    stage.leave(peer)


@plays(ALI)
def a_device_that_subscribes_again(stage):
    stage.subscribe(peer := stage.login(ALI), ECHO)
    stage.leave(peer)
    stage.subscribe(peer := stage.login(ALI), ECHO)
    stage.leave(peer)


@plays(ENOS)
def a_device_within_every_limit(stage):
    peer = stage.login(ENOS, stage.peer("enos-mqtt"), keepalive=60)
    stage.subscribe(peer, f"{POINTS}/post_reply")
    stage.publish(peer, f"{POINTS}/post", measurement())
    stage.api.advance(50_000)
    stage.ping(peer)
    stage.api.advance(20_000)  # past the end of the interval in which it spoke
    stage.ping(peer)


DECODED = """
    MQTT-1.5.3-1 MQTT-1.5.3-2 MQTT-2.2.2-1 MQTT-PACKET-RESERVED MQTT-PACKET-DIRECTION
    MQTT-REMAINING-LENGTH MQTT-PACKET-SIZE MQTT-PACKET-TRUNCATED MQTT-PACKET-TRAILING MQTT-2.3.1-1
    MQTT-3.1.2-1 MQTT-3.1.2-3 MQTT-3.1.2-9 MQTT-3.1.2-13 MQTT-3.1.2-14 MQTT-3.1.2-15 MQTT-3.1.2-19
    MQTT-3.1.2-21 MQTT-3.1.2-22 MQTT-3.1.3-3 MQTT-3.3.1-2 MQTT-3.3.1-4 MQTT-3.3.2-2 MQTT-3.6.1-1
    MQTT-3.8.1-1 MQTT-3.8.3-3 MQTT-3.8.3-4 MQTT-3.10.1-1 MQTT-3.10.3-2 MQTT-3.14.1-1 MQTT-4.7.1-2
    MQTT-4.7.1-3 MQTT-FILTER-COUNT MQTT-4.7.3-1"""

KEEPS = {
    **of(a_device_that_speaks_every_packet, DECODED),
    **of(a_device_that_speaks_every_packet, """
        MQTT-3.1.0-1 MQTT-3.1.0-2 MQTT-CONNECT-TIMEOUT MQTT-3.1.2-2 MQTT-3.1.3-7 MQTT-2.3.1-6
        MQTT-4.6.0-2 MQTT-3.14.4-2 MQTT-PACKET-TYPE MQTT-TOPIC-DIRECTION MQTT-TOPIC-OTHER-DEVICE
        MQTT-TOPIC-LENGTH DOOR-OUTPUT-FULL"""),
    **of(a_device_that_subscribes_again, "MQTT-RESUBSCRIBE"),
    **of(a_device_within_every_limit, """
        MQTT-WILL MQTT-RETAIN MQTT-QOS2-PUBLISH MQTT-QOS2-SUBSCRIBE MQTT-KEEPALIVE-RANGE
        MQTT-KEEPALIVE-SILENT MQTT-KEEPALIVE-DEAD MQTT-PAYLOAD-SIZE MQTT-SUB-COUNT"""),
}


# ---- devices that do not ----

def sends(*data):
    """A peer that says this before anything else, and so has no name."""
    @plays(None)
    def play(stage):
        peer = stage.peer()
        for each in data:
            peer.send(each)
        peer.receive()
    return play


def connects(flags, *fields, name="MQTT"):
    """A CONNECT with these flags and these fields behind the keepalive."""
    head = text(name) + bytes([4, flags]) + (60).to_bytes(2, "big")
    return sends(frame("connect", 0, head + b"".join(text(field) for field in fields)))


def publish_to(topic, flags=0):
    return says(ALI, frame("publish", flags, text(topic)))


def subscribe_to(*filters, qos=b"\1", flags=2, name="subscribe"):
    return says(ALI, frame(name, flags, b"\0\1" + b"".join(text(f) + qos for f in filters)))


@plays(ALI)
def acknowledges_the_second_message_first(stage):
    peer = stage.login(ALI)
    stage.subscribe(peer, ECHO)
    for payload in ("first", "second"):
        stage.api.post(f"/api/v1/devices/{ALI}/messages",
                       {"topic": ECHO, "payload": payload, "qos": 1})
    numbers = [peer.receive()["id"], peer.receive()["id"]]
    for number in reversed(numbers):
        peer.send_packet(type="puback", id=number)


@plays(ALI)
def comes_back_deaf(stage):
    stage.subscribe(peer := stage.login(ALI), ECHO)
    stage.leave(peer)
    peer = stage.login(ALI)
    stage.api.advance(50_000)
    stage.ping(peer)
    stage.api.advance(20_000)


@plays(ENOS)
def falls_silent(stage):
    peer = stage.login(ENOS, stage.peer("enos-mqtt"), keepalive=60)
    stage.api.advance(90_000)
    assert peer.receive() is None


@plays(ENOS)
def holds_more_filters_than_there_is_room_for(stage):
    peer = stage.login(ENOS, stage.peer("enos-mqtt"))
    for packet in range(4):
        stage.subscribe(peer, *(f"{POINTS}/{packet}-{number}" for number in range(256)))


def enos_says(*more):
    return says(ENOS, *more, listener="enos-mqtt")


BREAKS = {
    "MQTT-1.5.3-1": publish_to(b"\xff\xfe"),
    "MQTT-1.5.3-2": publish_to("a\0b"),
    "MQTT-2.2.2-1": says(ALI, b"\xc1\0"),
    "MQTT-PACKET-RESERVED": says(ALI, b"\xf0\0"),
    "MQTT-PACKET-DIRECTION": says(ALI, b"\x20\2\0\0"),
    "MQTT-REMAINING-LENGTH": says(ALI, b"\x30\xff\xff\xff\xff\1"),
    "MQTT-PACKET-SIZE": says(ALI, b"\x30\xff\xff\xff\x7f"),
    "MQTT-PACKET-TRUNCATED": says(ALI, b"\x40\1\0"),
    "MQTT-PACKET-TRAILING": says(ALI, b"\x40\3\0\1\0"),
    "MQTT-2.3.1-1": says(ALI, {"type": "publish", "qos": 1, "id": 0, "topic": ECHO}),
    "MQTT-3.1.2-1": connects(2, "a", name="MQTX"),
    "MQTT-3.1.2-3": connects(0x03, "a"),
    "MQTT-3.1.2-9": connects(0x06, "a"),
    "MQTT-3.1.2-13": connects(0x0a, "a"),
    "MQTT-3.1.2-14": connects(0x1e, "a", "topic", "message"),
    "MQTT-3.1.2-15": connects(0x22, "a"),
    "MQTT-3.1.2-19": connects(0x82, "a"),
    "MQTT-3.1.2-21": connects(0xc2, "a", "user"),
    "MQTT-3.1.2-22": connects(0x42, "a", "password"),
    "MQTT-3.1.3-3": connects(0x02),
    "MQTT-3.3.1-2": publish_to(ECHO, flags=8),
    "MQTT-3.3.1-4": says(ALI, frame("publish", 6, text(ECHO) + b"\0\1")),
    "MQTT-3.3.2-2": publish_to("/pk/+/user/both"),
    "MQTT-3.6.1-1": says(ALI, b"\x60\2\0\1"),
    "MQTT-3.8.1-1": subscribe_to(ECHO, flags=0),
    "MQTT-3.8.3-3": subscribe_to(),
    "MQTT-3.8.3-4": subscribe_to(ECHO, qos=b"\x81"),
    "MQTT-3.10.1-1": subscribe_to(ECHO, qos=b"", flags=0, name="unsubscribe"),
    "MQTT-3.10.3-2": subscribe_to(name="unsubscribe"),
    "MQTT-3.14.1-1": says(ALI, b"\xe1\0"),
    "MQTT-4.7.1-2": subscribe_to("/pk/device/user/#/both"),
    "MQTT-4.7.1-3": subscribe_to("/pk/device/us+/both"),
    "MQTT-FILTER-COUNT": subscribe_to(*257 * [ECHO]),
    "MQTT-4.7.3-1": publish_to(""),
    "MQTT-3.1.0-1": sends(b"\xc0\0"),
    "MQTT-3.1.0-2": says(ALI, {"type": "connect", "clientId": "again"}),
    "MQTT-3.1.2-2": login_with(None, packet={"level": 5}, name=ALI),
    "MQTT-3.1.3-7": login_with(ALI, packet={"clientId": "", "clean": False}),
    "MQTT-2.3.1-6": says(ALI, {"type": "puback", "id": 77}),
    "MQTT-4.6.0-2": acknowledges_the_second_message_first,
    "MQTT-3.14.4-2": says(ALI, {"type": "disconnect"}, {"type": "pingreq"}),
    "MQTT-RESUBSCRIBE": comes_back_deaf,
    "MQTT-WILL": login_with(ENOS, "enos-mqtt",
                            packet={"will": {"topic": "gone", "payload": "gone"}}),
    "MQTT-RETAIN": enos_says({"type": "publish", "retain": True, "topic": f"{POINTS}/post"}),
    "MQTT-QOS2-PUBLISH": enos_says({"type": "publish", "qos": 2, "id": 1,
                                    "topic": f"{POINTS}/post"}),
    "MQTT-QOS2-SUBSCRIBE": subscribes(ENOS, f"{POINTS}/post_reply", qos=2, listener="enos-mqtt"),
    "MQTT-PACKET-TYPE": says(ALI, b"\x62\2\0\1"),
    "MQTT-KEEPALIVE-RANGE": login_with(ENOS, "enos-mqtt", packet={"keepalive": 0}),
    "MQTT-KEEPALIVE-SILENT": falls_silent,
    "MQTT-KEEPALIVE-DEAD": falls_silent,
    "MQTT-PAYLOAD-SIZE": publishes(ENOS, f"{POINTS}/post", 524_289 * "x", "enos-mqtt"),
    "MQTT-TOPIC-DIRECTION": publishes(ALI, "/pk/device/user/get"),
    "MQTT-TOPIC-OTHER-DEVICE": publishes(ALI, "/pk/second/user/update"),
    "MQTT-SUB-COUNT": holds_more_filters_than_there_is_room_for,
    "MQTT-TOPIC-LENGTH": publishes(ALI, "/broadcast/pk/1/2/3/4/5/6"),
}
