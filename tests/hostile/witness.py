"""A well-behaved device in a process of its own, to run beside an attack.

Publishes numbered QoS 1 messages to a topic it subscribes to itself, and pings. Every message has
to come back once and in order, every packet has to be answered. Runs until its input is closed,
then prints what it saw as JSON: rounds, the trouble if any, and the time of every PINGRESP.
"""

import json
import select
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import crowd  # noqa: E402

PACE_S = 0.005
TOPIC = crowd.ECHO.format("witness")


class Trouble(Exception):
    """Something was lost, came twice, or out of order."""


def expect(got, **wanted):
    if got is None:
        raise Trouble(f"the connection was closed where {wanted} was due")
    if any(got.get(key) != value for key, value in wanted.items()):
        raise Trouble(f"received {got} where {wanted} was due")
    return got


def one_round(peer, number):
    """One message there and back; returns how long a ping took, in milliseconds."""
    packet_id = number % 65535 + 1
    peer.send_packet(type="publish", topic=TOPIC, qos=1, id=packet_id, payload=str(number))
    expect(peer.receive(), type="puback", id=packet_id)
    echo = expect(peer.receive(), type="publish", payload=str(number), qos=1, dup=False)
    peer.send_packet(type="puback", id=echo["id"])
    begin = time.perf_counter()
    peer.send_packet(type="pingreq")
    expect(peer.receive(), type="pingresp")
    return (time.perf_counter() - begin) * 1000


def witness(port):
    pings_ms, trouble = [], None
    try:
        peer = crowd.log_in(port, "witness")
        peer.send_packet(type="subscribe", id=1, filters=[[TOPIC, 1]])
        expect(peer.receive(), type="suback", codes=[1])
        print("ready", flush=True)
        over = False
        while not over:  # and once more afterwards
            over = bool(select.select([sys.stdin], [], [], PACE_S)[0])
            pings_ms.append(one_round(peer, len(pings_ms)))
        peer.send_packet(type="disconnect")
    except (Trouble, OSError, AssertionError) as error:
        trouble = f"round {len(pings_ms)}: {error!r}"
    print(json.dumps({"trouble": trouble, "pings_ms": pings_ms}), flush=True)


if __name__ == "__main__":
    witness(int(sys.argv[1]))
