"""Instructions that skymock takes for each act, counted by callgrind: the same on a loaded machine
as on a quiet one. They are held against counts.json, with a generous bound: what they tell is that
an act has become dearer, not how long it takes.

One server runs a script: each act so often, then more often. What is counted between two requests
for /metrics is that; the difference of both, divided, is one act, and whatever else was done cancels.
It is the debug build, unoptimised, which CI builds anyway: a ratio needs no more.
"""

import argparse
import json
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import peers
import rows
import server
from peers import PRODUCT

FILE = Path(__file__).with_name("counts.json")
DEVICES, SUBSCRIBERS, BATCH, EVENTS = 40, 20, 50, 50
MARK = "sky_api_metrics"  # the function that answers /metrics: callgrind tells when it is entered


class Script:
    """A server under callgrind, and what is done to it."""

    def __init__(self, folder):
        self.folder, self.files = Path(folder), peers.Files(folder)
        self.next_device = self.next_number = 0
        certificate, key = self.files.certificate()
        self.skymock = server.Skymock(
            "--quiet", "--seed", "1", "--fixtures", self.files.coap_fixtures(DEVICES),
            "--tls-cert", certificate, "--tls-key", key, fixtures=self.files.fixtures(DEVICES),
            program=("valgrind", "--quiet", "--tool=callgrind", f"--dump-before={MARK}",
                     f"--callgrind-out-file={self.folder}/out", str(server.PROGRAM)))
        self.dumps = 0

    def mark(self):
        """The file with what has been counted since the last one."""
        self.skymock.api.get("/metrics")
        self.dumps += 1
        return self.folder / f"out.{self.dumps}"

    def device(self):
        """A peer that is a device of its own, and its name."""
        name = peers.names(DEVICES)[self.next_device]
        self.next_device += 1
        return name, self.log_in(name)

    def log_in(self, name):
        device = server.Peer(self.skymock.ports["mqtt"])
        device.send(peers.connect_packet(peers.SERVERS["skymock"], name))
        assert device.receive()["code"] == 0
        return device

    def number(self):
        self.next_number += 1
        return self.next_number

    def requests(self, sessions, count):
        ports, lines = self.skymock.ports, self.files.coap_sessions(True, DEVICES)
        rows.run("coap_load", ports["coaps"], self.skymock.process.pid, lines, sessions, count)


# ---- acts: each is given the script, and gives a function that does it so often ----


def connect(script):
    name, device = script.device()
    device.close()

    def act(count):
        for _ in range(count):
            device = script.log_in(name)
            device.send_packet(type="disconnect")
            assert device.receive() is None
            device.close()
    return act


def publish_0(script):
    name, device = script.device()
    packet = peers.packets.encode({"type": "publish", "topic": f"/{PRODUCT}/{name}/bench",
                                   "payload": "x" * 64})

    def act(count):
        for _ in range(count // BATCH):
            device.send(BATCH * packet + peers.packets.encode({"type": "pingreq"}))
            assert device.receive()["type"] == "pingresp"
    return act


def publish_1(script):
    name, device = script.device()

    def act(count):
        for _ in range(count):
            device.send_packet(type="publish", qos=1, id=script.number(), payload="x" * 64,
                               topic=f"/{PRODUCT}/{name}/bench")
            assert device.receive()["type"] == "puback"
    return act


def deliver(script):
    topic = f"/{PRODUCT}/everybody"
    devices = [script.device()[1] for _ in range(SUBSCRIBERS)]
    for device in devices:
        device.send_packet(type="subscribe", id=1, filters=[[topic, 0]])
        assert device.receive()["codes"] == [0]

    def act(count):
        for _ in range(count // SUBSCRIBERS):
            devices[0].send_packet(type="publish", topic=topic, payload="x" * 64)
            for device in devices:
                assert device.receive()["type"] == "publish"
    return act


def post(script):
    name, device = script.device()
    topic = f"/sys/{PRODUCT}/{name}/thing/event/property/post"
    device.send_packet(type="subscribe", id=1, filters=[[topic + "_reply", 0]])
    assert device.receive()["codes"] == [0]

    def act(count):
        for _ in range(count):
            payload = rows.POST.replace("#" * 8, str(script.number()))
            device.send_packet(type="publish", topic=topic, payload=payload)
            assert '"code":200' in device.receive()["payload"]
    return act


def tls(script):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return lambda: server.TlsPeer(script.skymock.ports["https"], context)


def tls_handshake(script):
    opened = tls(script)

    def act(count):
        for _ in range(count):
            opened().close()
            script.skymock.api.barrier()
    return act


def https_login(script):
    device, request = tls(script)(), rows.token_request("device00000")

    def act(count):
        for _ in range(count):
            device.send(request)
            assert device.socket.recv(65536).startswith(b"HTTP/1.1 200 ")
    return act


def dtls_handshake(script):
    return lambda count: script.requests(count, 1)


def coap_request(script):
    return lambda count: script.requests(1, count)


def read_events(script):
    def act(count):
        for _ in range(count):
            events = script.skymock.api.events(limit=EVENTS)
            assert len(events) == EVENTS
    return act


# Name: what is done, so often, and so often.
ACTS = {
    "publish at QoS 0": (publish_0, 200, 1200),
    "publish at QoS 1": (publish_1, 20, 120),
    "delivery": (deliver, 100, 500),
    "property post and reply": (post, 20, 120),
    "login by MQTT": (connect, 5, 45),
    "login by HTTPS": (https_login, 5, 45),
    "TLS handshake": (tls_handshake, 2, 8),
    "DTLS handshake": (dtls_handshake, 2, 12),
    "CoAP request": (coap_request, 5, 45),
    f"{EVENTS} events read": (read_events, 2, 12),
}


def instructions(path):
    return int(re.search(r"^totals: (\d+)$", path.read_text(), re.M)[1])


def dearest(path, count=12):
    """The functions that took most of what this file counts."""
    told = subprocess.run(["callgrind_annotate", str(path)], capture_output=True, text=True,
                          check=False).stdout
    lines = re.findall(r"^ *[\d,]+ \(.*$", told, re.M)[1:count + 1]
    return "\n".join(re.sub(r"\?\?\?:|\[[^]]*\]|/\S*/", "", line) for line in lines)


def count(folder):
    """(instructions of an act, the file to look into) by its name."""
    rows.build()
    usual, server.PATIENCE_S = server.PATIENCE_S, 10 * server.PATIENCE_S  # callgrind takes its time
    try:
        return measured(Script(folder))
    finally:
        server.PATIENCE_S = usual


def measured(script):
    found = {}
    try:
        for name, (prepare, few, many) in ACTS.items():
            act, taken = prepare(script), []
            act(2 if prepare is not publish_0 else BATCH)  # whatever is done only once
            script.mark()
            for times in (few, many):
                act(times)
                taken.append(script.mark())
            less, more = map(instructions, taken)
            found[name] = ((more - less) // (many - few), taken[1])
    finally:
        script.skymock.stop()
    return found


def kept():
    return json.loads(FILE.read_text())


def problems(found):
    """Acts that have become dearer than they may, a sentence and a profile each."""
    known = kept()
    for name, (now, path) in found.items():
        before = known["instructions"].get(name)
        if before is None:
            yield f"{name}: {now} instructions, and {FILE.name} does not know it: {RENEW}"
        elif now > before * known["bound"]:
            yield f"{name}: {now} instructions, {now / before:.2f} times the {before} of " \
                  f"{FILE.name}, which allows {known['bound']}. If that is meant, {RENEW}. " \
                  f"Where they went, of all that was done:\n{dearest(path)}"


RENEW = "./dev bench counts --renew writes the new numbers"


def unfit():
    """Why this build's instructions are not those of the file, or None."""
    cache = server.BUILD / "CMakeCache.txt"
    text = cache.read_text() if cache.exists() else ""
    if not re.search(r"^CMAKE_BUILD_TYPE:\w+=Debug$", text, re.M) or \
            re.search(r"^SKY_(SANITIZE|COVERAGE|FUZZ):\w+=ON$", text, re.M) or \
            re.search(r"^CMAKE_C_FLAGS:\w+=.+$", text, re.M):
        return "counted are instructions of the debug build alone"
    if not shutil.which("valgrind"):
        return "there is no valgrind here"
    return None


def main():
    parser = argparse.ArgumentParser(prog="./dev bench counts", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", action="store_true", help=f"write {FILE.name}")
    options = parser.parse_args()
    if unfit():
        sys.exit(f"bench: {unfit()}")
    with tempfile.TemporaryDirectory(prefix="skymock-counts-") as folder:
        found = count(folder)
        known = kept() if FILE.exists() else {"bound": 1.25, "instructions": {}}
        for name, (now, _) in found.items():
            before = known["instructions"].get(name)
            print(f"{name:28}{now:>12}{f'{now / before:>8.2f} times' if before else ''}")
        if options.renew:
            known["instructions"] = {name: now for name, (now, _) in found.items()}
            FILE.write_text(json.dumps(known, indent=1) + "\n")
        elif FILE.exists():
            sys.exit("\n".join(problems(found)) or 0)


if __name__ == "__main__":
    main()
