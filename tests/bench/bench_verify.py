"""How long claims about 100,000 events of 1,000 devices take, how long the loop is held meanwhile, and
how soon a client that waits is told.

    SKYMOCK_BUILD=build/release python3 tests/bench/bench_verify.py
"""

import http.client
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import credentials  # noqa: E402
import packets  # noqa: E402
import server  # noqa: E402

DEVICES, PUBLISHES = 1000, 49  # each publish is two events, each login three
ROUNDS = 15
PRODUCT = "benchProduct"
NAME = f"aliyun/{PRODUCT}/device00500"


def topic_of(key):
    return f"/{PRODUCT}/{key}/bench"


def fixtures(folder):
    devices = [{"deviceName": f"device{n:05}", "deviceSecret": "secret"} for n in range(DEVICES)]
    path = Path(folder) / "fixtures.json"
    path.write_text(json.dumps({"products": [
        {"cloud": "aliyun", "productKey": PRODUCT, "productSecret": "unused", "devices": devices,
         "topics": [{"topic": "/{product}/{device}/bench", "pub": True, "sub": True}]}]}))
    return path


def log_in(skymock, number):
    key = f"device{number:05}"
    device = server.Peer(skymock.ports["mqtt"])
    device.send_packet(type="connect", clean=True, keepalive=300,
                       **credentials.aliyun(f"aliyun/{PRODUCT}/{key}", secret="secret", cid=key))
    assert device.receive()["code"] == 0
    return key, device


def fill(skymock):
    """Devices in turn, as they do when all live at once."""
    devices = [log_in(skymock, number) for number in range(DEVICES)]
    for number in range(PUBLISHES):
        for place, (key, device) in enumerate(devices):
            device.send_packet(type="publish", qos=1, id=number + 1, topic=topic_of(key),
                               payload=json.dumps({"params": {"temp": number, "device": place}}))
        for _, device in devices:
            assert device.receive()["type"] == "puback"
    return [device for _, device in devices]


class Client:
    def __init__(self, skymock):
        self.connection = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"])
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, claim):
        self.connection.request("POST", "/api/v1/verify", json.dumps(claim),
                                {"Content-Type": "application/json"})

    def receive(self):
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def ask(self, claim):
        self.send(claim)
        return self.receive()


class Pinger(threading.Thread):
    """The longest that a device waits for its PINGRESP while something else is done."""

    def __init__(self, device):
        super().__init__()
        self.device, self.going, self.longest = device, True, 0.0

    def run(self):
        while self.going:
            began = time.perf_counter()
            self.device.send(b"\xc0\x00")
            self.device.receive()
            self.longest = max(self.longest, time.perf_counter() - began)
            time.sleep(0.0005)

    def stop(self):
        self.going = False
        self.join()
        return self.longest


HOT = {"pointer": "/params/temp", "min": 48}
COLD = {"pointer": "/params/temp", "min": 48.5}
TOPIC = topic_of("device00500")
CLAIMS = [
    ("type", {"event": {"type": "connect"}}),
    ("type, many", {"event": {"type": "publish"}}),
    ("type, not there", {"absent": {"type": "timeout"}}),
    ("device", {"event": {}, "device": NAME}),
    ("type and device in the pattern", {"event": {"type": "publish", "device": NAME}}),
    ("topic", {"event": {"topic": TOPIC}}),
    ("type, device and topic", {"event": {"type": "publish", "topic": TOPIC}, "device": NAME}),
    ("type and topic with +", {"event": {"type": "publish", "topic": f"/{PRODUCT}/+/bench"}}),
    ("sequence", {"sequence": [{"type": "connect", "device": NAME}, {"topic": TOPIC}]}),
    ("product", {"event": {"type": "publish"}, "product": f"aliyun/{PRODUCT}"}),
    ("payload", {"event": {"type": "publish", "payload": HOT}}),
    ("payload, by expression", {"event": {"payload": {"matches": "temp\": 4[89]"}}}),
    ("payload, does not hold", {"event": {"type": "publish", "payload": COLD}}),
    ("payload, does not hold, of one", {"event": {"type": "publish", "payload": COLD},
                                        "device": NAME}),
    ("topic, does not hold", {"event": {"type": "publish", "topic": "nowhere"}}),
]


def cpu_ms(pid):
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def claims(skymock, device):
    client = Client(skymock)
    print(f"{'claim':34} {'holds':>5} {'count':>6} {'median ms':>9} {'worst':>7} {'CPU':>7} "
          f"{'ping':>7}")
    for what, claim in CLAIMS:
        times = []
        cpu = cpu_ms(skymock.process.pid)
        for _ in range(ROUNDS):
            client.ask(claim)
        cpu = (cpu_ms(skymock.process.pid) - cpu) / ROUNDS
        pinger = Pinger(device)
        pinger.start()
        for _ in range(ROUNDS):
            began = time.perf_counter()
            status, answer = client.ask(claim)
            times.append(time.perf_counter() - began)
            assert status in (200, 406), answer
        ping = pinger.stop()
        print(f"{what:34} {answer['holds']!s:>5} {answer['count']:6} "
              f"{statistics.median(times) * 1000:9.2f} {max(times) * 1000:7.2f} {cpu:7.2f} "
              f"{ping * 1000:7.2f}")


def wakes(skymock, device, key, rounds=300):
    """From the bytes of a PUBLISH to the answer of who waits for it."""
    client = Client(skymock)
    times = []
    for number in range(rounds):
        client.send({"event": {"type": "publish", "payload": {"equals": f"wake {number}"}},
                     "device": f"aliyun/{PRODUCT}/{key}", "waitMs": 10000})
        time.sleep(0.005)
        packet = packets.encode({"type": "publish", "qos": 0, "topic": topic_of(key),
                                 "payload": f"wake {number}"})
        began = time.perf_counter()
        device.send(packet)
        status, _ = client.receive()
        times.append(time.perf_counter() - began)
        assert status == 200
    times.sort()
    return (f"median {statistics.median(times) * 1000:.2f} ms, "
            f"of 100 the slowest {times[int(len(times) * 0.99)] * 1000:.2f} ms")


def main():
    with tempfile.TemporaryDirectory(prefix="skymock-bench-") as folder:
        path = fixtures(folder)
        skymock = server.Skymock("--quiet", "--journal-bytes", "128M", fixtures=path)
        devices = fill(skymock)
        print(f"{skymock.api.last_seq()} events of {DEVICES} devices")
        claims(skymock, devices[0])
        print("woken, with all those events:", wakes(skymock, devices[1], "device00001"))
        skymock.stop()
        for options in ((), ("--store", str(Path(folder) / "store.db"))):
            skymock = server.Skymock("--quiet", *options, fixtures=path)
            key, device = log_in(skymock, 1)
            print("woken, with a store:" if options else "woken:", wakes(skymock, device, key))
            skymock.stop()


if __name__ == "__main__":
    main()
