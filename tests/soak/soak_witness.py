"""A well-behaved device in a process of its own, beside the others: a numbered QoS 1 message to
itself and a PINGREQ, again and again, and how long each took. Runs until its input is closed, then
prints JSON."""

import json
import select
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import credentials  # noqa: E402
import server  # noqa: E402

PACE_S = 0.12             # ALI-PUBLISH-RATE: at most ten QoS 1 messages a second


def share(times, part):
    return round(times[min(len(times) - 1, int(len(times) * part))], 3) if times else None


def figures(times):
    times = sorted(times)
    return {"count": len(times), "p50Ms": share(times, 0.5), "p90Ms": share(times, 0.9),
            "p99Ms": share(times, 0.99), "p999Ms": share(times, 0.999), "maxMs": share(times, 1)}


def expect(got, **wanted):
    if got is None or any(got.get(key) != value for key, value in wanted.items()):
        raise AssertionError(f"{got} came where {wanted} was due")
    return got


def log_in(port, name, secret, topic):
    credentials.SECRETS[name] = (secret, "")
    peer = server.Peer(port)
    peer.send_packet(type="connect", keepalive=60, **credentials.login(name))
    expect(peer.receive(), type="connack", code=0)
    peer.send_packet(type="subscribe", id=1, filters=[[topic, 1]])
    expect(peer.receive(), type="suback", codes=[1])
    return peer


def one_round(peer, number, topic, echoes, pings):
    packet_id, begun = number % 65535 + 1, time.perf_counter()
    peer.send_packet(type="publish", topic=topic, qos=1, id=packet_id, payload=str(number))
    expect(peer.receive(), type="puback", id=packet_id)
    echo = expect(peer.receive(), type="publish", payload=str(number), dup=False)
    echoes.append((time.perf_counter() - begun) * 1000)
    peer.send_packet(type="puback", id=echo["id"])
    begun = time.perf_counter()
    peer.send_packet(type="pingreq")
    expect(peer.receive(), type="pingresp")
    pings.append((time.perf_counter() - begun) * 1000)


def main(port, name, secret, topic):
    echoes, pings, trouble = [], [], None
    try:
        peer = log_in(int(port), name, secret, topic)
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], PACE_S)[0]:
            one_round(peer, len(pings), topic, echoes, pings)
        peer.send_packet(type="disconnect")
    except (OSError, AssertionError) as error:
        trouble = f"round {len(pings)}: {error!r}"
    print(json.dumps({"trouble": trouble, "echo": figures(echoes), "ping": figures(pings)}),
          flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
