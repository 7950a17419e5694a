"""Gateways of EnOS, and the devices behind them."""

import json

import credentials

from stage import ENOS, of, plays
from enos.behind import (BOUND, FREE, GATEWAY, batch, keys, proof, request, topic)

LISTENER = "enos-mqtt"
DIRECT = "enos/subonly1/only"


def comes(stage, name=GATEWAY):
    peer = stage.login(name, stage.peer(LISTENER))
    stage.subscribe(peer, topic("thing/#", name), topic("combine/#", name))
    return peer


def calls(stage, peer, levels, params, name=GATEWAY):
    """What the cloud answers."""
    stage.publish(peer, topic(levels, name), request(levels, params))
    packet = peer.receive()
    peer.send_packet(type="puback", id=packet["id"])
    return json.loads(packet["payload"])


def gateway_does(*steps, about=GATEWAY):
    """A gateway that sends these, each a service and its params; whose conduct it is about."""
    @plays(about)
    def play(stage):
        peer = comes(stage)
        for levels, params in steps:
            calls(stage, peer, levels, params)
    return play


a_gateway_with_a_device_behind_it = gateway_does(
    ("thing/device/register", [{"productKey": "behind01", "deviceKey": "fresh1"}]),
    ("thing/topo/add", [proof(FREE)]),
    ("thing/topo/get", {}),
    ("combine/login", proof(BOUND)),
    ("combine/login/batch", batch([FREE])),
    ("combine/logout", keys(FREE)),
    ("thing/topo/delete", [keys(FREE)]))
a_device_behind_a_gateway = gateway_does(("combine/login", proof(BOUND)), about=BOUND)

KEEPS = {
    **of(a_gateway_with_a_device_behind_it, """
        ENOS-GATEWAY ENOS-SUB-KNOWN ENOS-SUB-ALLOWED ENOS-SUB-BEHIND ENOS-SUB-KEY ENOS-SUB-ONLINE
        ENOS-SUB-COUNT ENOS-SUB-DIRECT"""),
    **of(a_device_behind_a_gateway, "ENOS-SUB-SIGN"),
}


@plays(GATEWAY)
def logs_in_too_many(stage):
    """Registers 201 devices, adds them, and logs them all in."""
    peer = comes(stage)
    made = {}
    for first, last in ((0, 200), (200, 201)):
        told = calls(stage, peer, "thing/device/register", [
            {"productKey": "behind01", "deviceKey": f"n{number}"} for number in range(first, last)])
        made.update({f"enos/behind01/{each['deviceKey']}": each["deviceSecret"]
                     for each in told["data"]})
    names = list(made)
    for some in (names[:200], names[200:]):
        calls(stage, peer, "thing/topo/add", [proof(name, secret=made[name]) for name in some])
        calls(stage, peer, "combine/login/batch", batch(some, made))


@plays(ENOS)
def speaks_for_others_without_being_a_gateway(stage):
    peer = comes(stage, ENOS)
    calls(stage, peer, "thing/topo/get", {}, ENOS)


@plays(DIRECT)
def comes_without_its_gateway(stage):
    stage.connect(credentials.login(DIRECT), stage.peer(LISTENER))


BREAKS = {
    "ENOS-GATEWAY": speaks_for_others_without_being_a_gateway,
    "ENOS-SUB-KNOWN": gateway_does(("thing/topo/add", [
        {"productKey": "behind01", "deviceKey": "nobody", "sign": "0"}])),
    "ENOS-SUB-ALLOWED": gateway_does(("thing/topo/add", [
        {"productKey": "gateway1", "deviceKey": "g2", "sign": "0"}])),
    "ENOS-SUB-BEHIND": gateway_does(("combine/login", proof(FREE))),
    "ENOS-SUB-SIGN": gateway_does(("combine/login", {**proof(BOUND), "timestamp": "1"}),
                                  about=BOUND),
    "ENOS-SUB-KEY": gateway_does(("thing/device/register", [keys(BOUND)])),
    "ENOS-SUB-ONLINE": gateway_does(("combine/login", proof(BOUND)),
                                    ("thing/topo/delete", [keys(BOUND)])),
    "ENOS-SUB-COUNT": logs_in_too_many,
    "ENOS-SUB-DIRECT": comes_without_its_gateway,
}
