"""A soak: devices of every cloud connect, talk, vanish and come back by every transport, while
faults hit them and somebody tests with the API. In the end nothing may be missing, come twice or
out of order, nobody may be accused, and the server's memory has to be flat. README.md has more."""

import argparse
import asyncio
import base64
import json
import os
import random
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("SKYMOCK_BUILD", str(ROOT / "build/release"))
sys.path.insert(0, str(ROOT / "tests/support"))

import credentials  # noqa: E402
import server  # noqa: E402

# Behind the clouds' plug-ins, which have the names of modules there.
sys.path.append(str(ROOT / "tests/devices"))
import api_user  # noqa: E402
import coap_fleet  # noqa: E402
import fleet  # noqa: E402
import ledger  # noqa: E402
import meter  # noqa: E402

JOURNAL = ("--journal-bytes", "4M", "--journal-events", "60000")  # full early
SAMPLE_S = 10
# The memory's line leaves out the warming, in which every device comes by, those that left in
# silence and their channels of CoAP add up to what they stay at, and the store's cache fills: half
# of the time, and at least so long; and it takes STEADY_S to tell a line.
WARM_SHARE, WARM_S, STEADY_S = 0.5, 15 * 60, 5 * 60
GROWTH_KB_MAX = 1024         # what noise may come to in all,
GROWTH_KB_PER_MIN_MAX = 32   # and a growth that could go on for ever
DESCRIPTORS_MAX = 4          # more at the end than at the beginning: the store's files
WITNESS = "witness"
# Never the witness, which has a product of its own and comes by a port that is spared.
FAULTS = [
    {"point": "accept", "action": "reset", "probability": 0.003},
    {"point": "handshake", "action": "close", "probability": 0.01},
    {"point": "connack", "action": "set", "code": 3, "probability": 0.01},
    {"point": "connack", "action": "delay", "ms": 300, "probability": 0.01},
    {"point": "publish-up", "action": "reset", "probability": 0.001},
    {"point": "publish-up", "action": "withhold", "probability": 0.001},
    {"point": "puback-down", "action": "withhold", "probability": 0.001},
    {"point": "puback-down", "action": "delay", "ms": 400, "probability": 0.005},
    {"point": "publish-down", "action": "withhold", "probability": 0.001},
    {"point": "publish-down", "action": "duplicate", "probability": 0.002},
    {"point": "reply", "action": "duplicate", "probability": 0.001},
    {"point": "pingresp", "action": "delay", "ms": 500, "probability": 0.01},
    {"point": "pingresp", "action": "reset", "probability": 0.005},
    {"point": "suback", "action": "delay", "ms": 300, "probability": 0.01},
    {"point": "datagram-down", "action": "delay", "ms": 100, "probability": 0.01},
    {"point": "coap-answer", "action": "withhold", "probability": 0.01},
    {"point": "http-answer", "action": "reset", "probability": 0.01},
]
CONNECT_POINTS = ("accept", "handshake", "connack", "http-answer", "reply")


def fixtures(members, coap):
    """The products, with the devices that there are of each."""
    products = {}
    for cloud, device, secret in [(each.cloud, each.cloud.device, secret)
                                  for each, secret in [*members, *coap]]:
        own, name, key = cloud.words
        topics = [{"topic": "/${productKey}/${deviceName}/" + tail, "pub": True, "sub": True}
                  for tail in ("up", "down")]
        product = products.setdefault(cloud.key, {
            "cloud": cloud.key, own: cloud.product_name, "devices": [],
            **({} if cloud.key == "tencent" else {"topics": topics})})
        product["devices"].append({name: device, key: secret})
    witness = {"cloud": "aliyun", "productKey": "soakWitness",
               "topics": [{"topic": "/${productKey}/${deviceName}/echo", "pub": True, "sub": True}],
               "devices": [{"deviceName": WITNESS, "deviceSecret": "secret of the witness"}]}
    return {"products": [*products.values(), witness]}


def secret_of(kind, device):
    text = f"secret {device}"
    return base64.b64encode(text.encode()).decode() if kind is fleet.Tencent else text


def population(count):
    """(cloud, transport) of each; the last ones are those of CoAP."""
    weights = sum(share for _, _, share in fleet.MIX)
    for kind, transport, share in fleet.MIX:
        for _ in range(max(1, count * share // 100)):
            yield kind, transport
    for _ in range(max(1, min(100, count * (100 - weights) // 100))):
        yield fleet.Enos, "coap"


class Soak:
    def __init__(self, given):
        self.given = given
        self.ledger = ledger.Ledger()
        self.folder = tempfile.TemporaryDirectory(prefix="skymock-soak-")
        self.mqtt, self.coap = [], []
        self.failed = []
        self.told = 0              # of the troubles

    # ---- before ----

    def make(self):
        """Devices, and the server that knows them."""
        self.world = fleet.World(self.ledger, self.given.pace)
        for number, (kind, transport) in enumerate(population(self.given.devices)):
            cloud = kind(kind.product_name, f"d{number:05}")
            secret = secret_of(kind, cloud.device)
            credentials.SECRETS[cloud.name] = (secret, "")
            if transport == "coap":
                self.coap.append((coap_fleet.Device(self.world, cloud, secret), secret))
            else:
                persistent = random.random() < 0.75
                self.mqtt.append((fleet.Device(self.world, cloud, transport, persistent), secret))
        path = Path(self.folder.name) / "devices.json"
        path.write_text(json.dumps(fixtures(self.mqtt, self.coap)))
        nice = ("nice", "-n", "-15") if os.geteuid() == 0 else ()
        self.running = server.Skymock(
            "--store", str(Path(self.folder.name) / "store.db"), "--quiet", *JOURNAL,
            fixtures=path, program=(*nice, str(server.PROGRAM)))
        self.api, self.world.ports = self.running.api, self.running.ports
        os.environ["SKYMOCK_HOST"] = "127.0.0.1"
        os.environ["SKYMOCK_PORT_COAPS"] = str(self.running.ports["coaps"])
        self._make_contexts()

    def _make_contexts(self):
        ca = Path(self.folder.name) / "ca.crt"
        ca.write_text(self.api.get("/ca.crt"))
        self.world.context = ssl.create_default_context(cafile=str(ca))
        self.world.context.maximum_version = ssl.TLSVersion.TLSv1_2
        for device, _ in self.mqtt:
            device.context = self.world.context
            if device.transport == "cert":
                device.context = ssl.create_default_context(cafile=str(ca))
                device.context.maximum_version = ssl.TLSVersion.TLSv1_2
                issued = self.api.post(f"/api/v1/devices/{device.cloud.name}/certificates",
                                       {"key": "ec"})
                paths = [Path(self.folder.name) / name for name in ("device.crt", "device.key")]
                for own, word in zip(paths, ("certificate", "key")):
                    own.write_text(issued[word])
                device.context.load_cert_chain(*paths)

    def break_things(self):
        """For the devices' products, not the witness's; where nobody is known yet, for all."""
        products = {device.cloud.key: device.cloud for device, _ in self.mqtt}
        for fault in FAULTS:
            if fault["point"] in ("accept", "handshake", "http-answer"):
                listeners = ["mqtts", "https", "enos-mqtt", "enos-mqtts"] \
                    if fault["point"] == "accept" else [None]
                for listener in listeners:
                    self.api.post("/api/v1/faults", {
                        **fault, **({"match": {"listener": listener}} if listener else {})})
                continue
            for cloud in products.values():
                self.api.post("/api/v1/faults",
                              {**fault, "product": f"{cloud.key}/{cloud.product_name}"})

    # ---- meanwhile ----

    async def run(self):
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(16))
        self.meter = meter.Meter(self.running.process.pid, self.api)
        self.descriptors_begun = meter.descriptors(self.running.process.pid)
        reader = api_user.Reader(self.running.ports["admin"], self.ledger)
        await reader.open()
        witness = self._witness()
        self.break_things()
        user = api_user.User(self.world, self.running.ports["admin"],
                             [device for device, _ in [*self.mqtt, *self.coap]], self.given.pace)
        lives = [asyncio.create_task(device.live()) for device, _ in self.mqtt]
        for device, _ in self.coap:
            device.thread.start()
        uses = user.start()
        await self._wait(reader, lives, uses)
        await self._wind_down(reader, lives, uses)
        out, _ = await asyncio.to_thread(witness.communicate)
        self.witness = json.loads(out)
        await reader.until(await asyncio.to_thread(self.api.last_seq))
        self.slowest_ms = user.slowest_ms
        self.turns = self.meter.turns()
        reader.close()
        await asyncio.to_thread(self._await_nobody)

    def _witness(self):
        witness = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("soak_witness.py")),
             str(self.running.ports["mqtt"]), f"aliyun/soakWitness/{WITNESS}",
             "secret of the witness", f"/soakWitness/{WITNESS}/echo"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert witness.stdout.readline() == "ready\n"
        self.ledger.account(f"aliyun/soakWitness/{WITNESS}")  # nothing may be found against it
        return witness

    async def _wait(self, reader, lives, uses):
        """Until the time is over; or, with --rounds, until so much has happened."""
        begun = time.monotonic()
        while True:
            over = time.monotonic() - begun >= self.given.minutes * 60 if not self.given.rounds \
                else self.ledger.counts["in the journal"] >= self.given.rounds * self.given.devices
            sample = await asyncio.to_thread(self.meter.sample)
            self._tell(sample)
            reader.check()
            for task in [*lives, *uses]:
                if task.done():
                    task.result()
            assert self.running.process.poll() is None, self.running.errors()
            if over:
                return
            await asyncio.sleep(min(SAMPLE_S, 0.2 if self.given.rounds else SAMPLE_S))

    def _tell(self, sample):
        if not self.given.quiet:
            print(f"{sample['s']:7.0f} s  {sample['rssKb']:7} KB  {sample['online']:5} online  "
                  f"{sample['events']:9} events  {sample['cpuS']:7.1f} s CPU  "
                  f"own {time.process_time() - self.meter.own_begun:7.1f}  "
                  f"{self.ledger.trouble_count} troubles",
                  *self.ledger.troubles[self.told:], sep="\n  ", flush=True)
            self.told = len(self.ledger.troubles)

    async def _wind_down(self, reader, lives, uses):
        """Faults end, every device comes once more for what is its own."""
        self.run_s = time.monotonic() - self.meter.begun
        self.cpu_s = meter.cpu_s(self.running.process.pid) - self.meter.cpu_begun
        self.own_cpu_s = time.process_time() - self.meter.own_begun
        await asyncio.to_thread(self.api.call, "DELETE", "/api/v1/faults")
        self.world.over.set()
        for device, _ in self.coap:
            device.over.set()
        await asyncio.gather(*uses)
        await asyncio.gather(*lives)
        for device, _ in self.coap:
            await asyncio.to_thread(device.thread.join)

    def _await_nobody(self):
        deadline = time.monotonic() + server.PATIENCE_S
        while True:
            now = meter.metrics(self.api)
            if now["connections"] == 1 and now["devices_online"] <= len(self.coap):
                break    # whoever comes by CoAP counts as online for its lifetime
            if time.monotonic() > deadline:
                self.failed.append(
                    "in the end there are {connections:.0f} connections, {coap_channels:.0f} "
                    "channels, {devices_online:.0f} devices online".format(**now))
                break
            time.sleep(0.05)
        self.descriptors_end = meter.descriptors(self.running.process.pid)

    # ---- afterwards ----

    def judge(self):
        self.ledger.close()
        steady = self.meter.steady(max(WARM_S, WARM_SHARE * self.run_s))
        per_min = meter.slope([(sample["s"] / 60, sample["rssKb"]) for sample in steady])
        minutes = (steady[-1]["s"] - steady[0]["s"]) / 60 if steady else 0
        allowed = GROWTH_KB_MAX + GROWTH_KB_PER_MIN_MAX * minutes
        self.memory = {"slopeKbPerMin": round(per_min, 1), "minutes": round(minutes, 1),
                       "growthKb": round(per_min * minutes), "allowedKb": round(allowed),
                       "samples": len(steady), "judged": minutes * 60 >= STEADY_S}
        if minutes * 60 >= STEADY_S and per_min * minutes > allowed:
            self.failed.append(f"memory grew by {per_min * minutes:.0f} KB in {minutes:.0f} min")
        if self.descriptors_end > self.descriptors_begun + DESCRIPTORS_MAX:
            self.failed.append(f"{self.descriptors_end} descriptors are open, at the beginning "
                               f"{self.descriptors_begun}")
        if self.witness["trouble"]:
            self.failed.append(f"the witness: {self.witness['trouble']}")
        failures = sum(count for what, count in self.ledger.failures.items()
                       if what.startswith(("connecting", "CONNACK", "HTTPS")))
        faults = sum(count for what, count in self.ledger.faults.items()
                     if what.startswith(CONNECT_POINTS))
        if failures > faults:
            self.failed.append(f"{failures} connects failed, {faults} by faults")
        if self.ledger.trouble_count:
            self.failed.append(f"{self.ledger.trouble_count} troubles")
        errors = self.running.errors()
        if errors:
            self.failed.append(f"the server said: {errors[:2000]}")

    def summary(self):
        counts = self.ledger.counts
        return {
            "devices": len(self.mqtt) + len(self.coap), "seconds": round(self.run_s, 1),
            "verdict": "failed" if self.failed else "passed", "failed": self.failed,
            "troubles": self.ledger.troubles, "memory": self.memory,
            "rssKb": {"first": self.meter.samples[0]["rssKb"],
                      "last": self.meter.samples[-1]["rssKb"],
                      "most": max(sample["rssKb"] for sample in self.meter.samples)},
            "descriptors": {"first": self.descriptors_begun, "last": self.descriptors_end,
                            "most": max(sample["descriptors"] for sample in self.meter.samples)},
            "serverCpuS": round(self.cpu_s, 2), "driverCpuS": round(self.own_cpu_s, 2),
            "eventsPerS": round(self.ledger.events / self.run_s, 1),
            "witness": self.witness, "loopTurns": self.turns,
            "apiSlowestMs": {name: round(value, 1) for name, value in self.slowest_ms.items()},
            "counts": dict(sorted(counts.items())), "faults": dict(self.ledger.faults),
            "failures": dict(self.ledger.failures), "findings": dict(self.ledger.findings),
            "examplesOfFindings": self.ledger.examples, "samples": self.meter.samples}


def table(summary):
    """For a terminal."""
    rows = [("devices, seconds", f"{summary['devices']}, {summary['seconds']}"),
            ("server's CPU, driver's", f"{summary['serverCpuS']} s, {summary['driverCpuS']} s"),
            ("events a second", summary["eventsPerS"]),
            ("RSS KB, first/last/most", "/".join(map(str, summary["rssKb"].values()))),
            ("memory's slope", "{slopeKbPerMin} KB/min over {minutes} min "
                               "({samples} samples), judged: {judged}".format(**summary["memory"])),
            ("descriptors, first/last/most", "/".join(map(str, summary["descriptors"].values())))]
    for what in ("echo", "ping"):
        figures = summary["witness"][what]
        rows.append((f"witness {what}, p50/p99/max",
                     "{p50Ms} / {p99Ms} / {maxMs} ms of {count}".format(**figures)))
    for title in ("loopTurns", "apiSlowestMs", "counts", "faults", "failures", "findings"):
        items = summary[title].items() if isinstance(summary[title], dict) else summary[title]
        rows += [(f"{title}: {name}", value) for name, value in items]
    lines = [f"{name:44} {value}" for name, value in rows]
    lines += [f"TROUBLE {each}" for each in summary["troubles"]]
    lines += [f"FAILED {each}" for each in summary["failed"]]
    return "\n".join([*lines, f"the soak {summary['verdict']}"])


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=30)
    parser.add_argument("devices", nargs="?", type=int, default=2000)
    parser.add_argument("--pace", type=float, default=4.0,
                        help="seconds between two acts of a device, in the mean")
    parser.add_argument("--rounds", type=int,
                        help="end when each device has said so much in the mean, not by the time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quiet", action="store_true", help="no line for each sample")
    parser.add_argument("--json", type=Path, default=ROOT / "build/soak.json")
    return parser.parse_args(arguments)


def soak(arguments):
    given = parse(arguments)
    random.seed(given.seed)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    one = Soak(given)
    one.make()
    try:
        asyncio.run(one.run())
        one.judge()
    except BaseException:
        print(one.running.errors(), file=sys.stderr)
        one.running.kill()
        raise
    one.running.stop()
    summary = one.summary()
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(summary, indent=1))
    print(table(summary), flush=True)
    return summary


if __name__ == "__main__":
    sys.exit(0 if soak(sys.argv[1:])["verdict"] == "passed" else 1)
