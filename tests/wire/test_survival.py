"""What a server must live through: time that jumps, devices that come and go at the wrong moment,
peers that do not read."""

import time

import packets
import server
from credentials import login

DEVICE = "aliyun/pk/device"
TOPIC = "/pk/device/user/both"
HOUR_MS = 3600 * 1000


def log_in(device, name=DEVICE, **how):
    device.send_packet(**{"type": "connect", **login(name), "keepalive": 60, **how})
    answer = device.receive()
    assert answer["type"] == "connack" and answer["code"] == 0, answer
    return answer


def test_a_clock_set_past_the_keepalive_ends_the_connection(start):
    own = start()
    device = server.Peer(own.ports["mqtt"])
    log_in(device)
    now = own.api.get("/api/v1/clock")["unixMs"]
    own.api.post("/api/v1/clock/set", {"unixMs": now + HOUR_MS})
    assert device.receive() is None
    own.api.wait_event({"type": "silence", "device": DEVICE})
    own.api.wait_event({"type": "timeout", "device": DEVICE})
    device.close()


def test_a_device_that_left_before_it_came_back_logs_in_once_at_a_time(peer, api):
    """The server may see both in one turn of its loop."""
    for _ in range(20):
        first, second = peer(), peer()
        log_in(first)
        first.send_packet(type="disconnect")
        first.close()
        log_in(second)
        second.send_packet(type="disconnect")
        second.close()
    assert not api.events(type="takeover")


def test_where_silence_is_only_reported_each_one_is_told(start):
    own = start("--rule", "MQTT-KEEPALIVE-DEAD=report")
    device = server.Peer(own.ports["mqtt"])
    own.api.freeze()
    log_in(device)
    for times in (1, 2):
        own.api.advance(HOUR_MS)
        assert len(own.api.events(type="silence")) == times
        timeouts = own.api.events(type="timeout")
        assert [each["findings"][0]["rule"] for each in timeouts] == ["MQTT-KEEPALIVE-DEAD"] * times
        device.send_packet(type="pingreq")
        assert device.receive()["type"] == "pingresp"
    device.close()


def test_a_forgotten_device_is_not_asked_for_its_keepalive(peer, api):
    device = peer()
    api.freeze()
    log_in(device)
    api.post("/api/v1/reset", {"device": DEVICE})
    api.advance(HOUR_MS)
    assert device.receive() is None
    assert not api.events(type="timeout")


def test_numbers_of_forgotten_sessions_are_used_again_without_their_rights(peer, api):
    """The topic is looked up for the first device, then published to by whoever has its number."""
    for name, answered in (("second", False), ("device", True)):
        device = peer()
        log_in(device, f"aliyun/pk/{name}")
        device.send_packet(type="subscribe", id=1, filters=[[f"/pk/{name}/user/both", 0]])
        device.receive()
        device.send_packet(type="publish", topic=TOPIC, payload="x")
        device.send_packet(type="pingreq")
        assert (device.receive()["type"] == "publish") == answered
        api.post("/api/v1/reset", {"device": f"aliyun/pk/{name}"})


def clog(own):
    """A device that reads nothing while more is sent to it than the server lets wait, and is
    closed for it; the rest of its output then lingers."""
    device = server.Peer(own.ports["mqtt"])
    log_in(device)
    device.send_packet(type="subscribe", id=1, filters=[["/pk/device/user/get", 0]])
    assert device.receive()["type"] == "suback"
    message = {"topic": "/pk/device/user/get", "payload": "x" * 200_000, "qos": 0}
    status = 200
    while status < 400:
        status, _ = own.api.request("POST", f"/api/v1/devices/{DEVICE}/messages", message)
    return device


def test_stops_at_once_though_a_closed_peer_has_not_read(start):
    own = start()
    device = clog(own)
    began = time.monotonic()
    own.stop()
    assert time.monotonic() - began < 5
    device.close()


def test_nothing_is_left_waiting_when_a_full_output_has_drained(start):
    """QoS 1 messages that found the output full go out when there is room again."""
    own = start()
    device = server.Peer(own.ports["mqtt"])
    log_in(device, clean=False)
    device.send_packet(type="subscribe", id=1, filters=[[TOPIC, 1]])
    assert device.receive()["type"] == "suback"
    big = packets.encode({"type": "publish", "topic": TOPIC, "payload": "x" * 200_000})
    small = packets.encode({"type": "publish", "topic": TOPIC, "payload": "last", "qos": 1,
                            "id": 7})
    device.socket.settimeout(10)
    device.send(big * 19 + small)
    got = [device.receive() for _ in range(21)]
    assert [each["type"] for each in got].count("puback") == 1
    assert any(each.get("payload") == "last" for each in got)
    device.close()
