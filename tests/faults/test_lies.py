"""What `set` says may be what no cloud would say: the device gets it, and the server goes on."""

import credentials
import packets
import pytest
from scenes import DEVICE, GET

PACKET_MAX = 640 * 1024
LOGIN = {"type": "connect", "clean": False, "keepalive": 60, **credentials.login(DEVICE)}


def knock(peer, **more):
    device = peer()
    device.send_packet(**{**LOGIN, **more})
    return device.receive()


@pytest.mark.parametrize("more,present", [({}, False), ({"sessionPresent": True}, True),
                                          ({"sessionPresent": False}, False)])
def test_a_refusal_instead_of_a_session(fault, login, peer, more, present):
    login(clean=False).close()
    fault("connack", "set", code=5, count=1, **more)
    assert knock(peer) == {"type": "connack", "code": 5, "sessionPresent": present}
    assert knock(peer) == {"type": "connack", "code": 0, "sessionPresent": True}


def test_a_session_for_one_who_is_refused(fault, peer):
    fault("connack", "set", sessionPresent=True)
    answer = knock(peer, password="wrong")
    assert answer["code"] != 0 and answer["sessionPresent"]


@pytest.mark.parametrize("fields", [{"qos": 1}, {"topic": "/longer" * 100}])
def test_what_outgrows_a_packet_loses_its_end(frozen, fault, login, fields):
    device = login()
    device.send_packet(type="subscribe", id=1, filters=[(GET, 1)])
    assert device.receive()["type"] == "suback"
    fault("publish-down", "set", **fields)
    payload = "x" * (PACKET_MAX - len(packets.frame("publish", 0, b"x" * (PACKET_MAX - 4))) +
                     PACKET_MAX - 4 - 2 - len(GET))
    frozen.api.post(f"/api/v1/devices/{DEVICE}/messages",
                    {"topic": GET, "payload": payload, "qos": 0})
    heard = device.receive()
    assert heard["qos"] == fields.get("qos", 0) and heard["topic"] == fields.get("topic", GET)
    assert 0 < len(payload) - len(heard["payload"]) <= 700
    assert payload.startswith(heard["payload"])
