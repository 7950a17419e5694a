"""The rows of the benchmark: what each measures, of whom, and its goal."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import peers
from peers import PRODUCT, SERVERS, serving

from aliyun.credentials import token_form  # peers has said where it is

HERE = Path(__file__).parent
LOADS = peers.ROOT / "build/bench"
RUN_MAX_S = 300
LIBRARIES = {"load": [], "bare": [], "tls_load": ["-lssl", "-lcrypto"],
             "coap_load": ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"]}
TEXT = '{"id":"########","x":"'
TIMED = '{"id":"########","at":"@@@@@@@@@@@@@@@@","x":"'
POST = '{"id":"########","version":"1.0","params":{"temperature":21.5},' \
       '"method":"thing.event.property.post"}'
RATE = 20000


def build():
    """The loads and the bare server, where their sources are newer."""
    LOADS.mkdir(parents=True, exist_ok=True)
    for name, libraries in LIBRARIES.items():
        source, program = HERE / f"{name}.c", LOADS / name
        newest = max(each.stat().st_mtime for each in (source, HERE / "served.h", HERE / "frames.h"))
        if program.exists() and program.stat().st_mtime > newest:
            continue
        made = LOADS / f"{name}.{os.getpid()}"  # others may run the one that is there
        subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", str(made), str(source),
                        *libraries], check=True)
        made.rename(program)


class Failed(Exception):
    """A load that did not end well: something was lost, duplicated or out of order, or refused."""


def run(name, *arguments):
    command = f"{name} {' '.join(map(str, arguments))}"
    try:
        with peers.on_processor(1):
            result = subprocess.run([str(LOADS / name), *map(str, arguments)], text=True,
                                    check=False, capture_output=True, timeout=RUN_MAX_S)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command}: not done after {RUN_MAX_S} s: something never came") from late
    if result.returncode:
        raise Failed(f"{command}: {result.stderr.strip()}")
    return json.loads(result.stdout)


def padded(head, size):
    return head + "x" * (size - len(head) - 2) + '"}'


class Run:
    """One measurement: the files, and the share of its usual length that it has."""

    def __init__(self, files, scale=1.0):
        self.files, self.scale = files, scale

    def of(self, count, least=1):
        return max(least, int(count * self.scale))

    def mqtt(self, process, mode, devices, messages=0, payload="", lines=None, **options):
        """What the load says of that load; what was only published has to be in the journal."""
        path = self.files.credentials(lines or mode, process.server.signed, devices)
        named = {"port": process.ports["mqtt"], "pid": process.pid, "credentials": path,
                 "devices": devices, "messages": messages, "payload": payload, **options}
        before = process.server.recorded(process)
        told = run("load", mode, *(f"{name}={value}" for name, value in named.items()))
        if before is not None and process.server.recorded(process) - before < told.get("items", 0):
            raise Failed(f"{mode}: {told['items']} messages, and the journal has fewer events")
        return told

    def fill(self, process):
        """Messages until the journal's memory is full: it belongs to no connection or message."""
        self.mqtt(process, "pub", 10, self.of(4000), padded(TEXT, 1024), window=32, batch=32)


def cost(told):
    return {"value": told["cpu_us"] / told["items"], "rate": told["items"] / told["seconds"]}


# ---- how each is measured: a function of a Run and a server gives named numbers, of which `value`
# is the one that the goal is about ----


def messages(mode, devices, count, size=64, **options):
    def measure(run_, server):
        with serving(server, run_.files) as process:
            run_.fill(process)
            those = run_.of(devices, 20) if mode == "fanout" else devices
            return cost(run_.mqtt(process, mode, those, run_.of(count, 10), padded(TEXT, size),
                                  warm=run_.of(count // 4, 10), **options))
    return measure


def connects(run_, server):
    with serving(server, run_.files) as process:
        run_.fill(process)
        return cost(run_.mqtt(process, "connect", run_.of(1000, 20), window=64))


def post(run_, server):
    """And the same bytes, published where no service looks at them, by the same server."""
    options = {"window": 32, "batch": 32}
    with serving(server, run_.files) as process:
        run_.fill(process)
        plain = run_.mqtt(process, "pub", 10, run_.of(20000, 100), POST, **options)
        posts = run_.mqtt(process, "post", 10, run_.of(5000, 100), POST, **options)
        found = cost(posts)
        return {**found, "plain": cost(plain)["value"]}


def idle(first, last):
    """Bytes of memory a connection, between so many and so many."""
    def measure(run_, server):
        begin, end = run_.of(first, 20), run_.of(last, 40)
        with serving(server, run_.files, devices=end) as process:
            run_.fill(process)
            told = run_.mqtt(process, "idle", end, window=64, step=begin, lines="connect")
            resident = told["resident"]
            return {"value": (resident[-1] - resident[1]) / (end - begin)}
    return measure


def starts(run_, server):
    """The middle one of five starts: milliseconds until a device is answered."""
    times = []
    for _ in range(5):
        with serving(server, run_.files, own=True) as process:
            times.append(process.ready_ms)
    return {"value": sorted(times)[2]}


def start_memory(run_, server):
    with serving(server, run_.files, own=True) as process:
        return {"value": process.resident_bytes() / 1e6}


def token_request(name):
    body = token_form(f"aliyun/{PRODUCT}/{name}", secret=f"secret of {name}",
                      signmethod="hmacsha256")
    return ("POST /auth/devicename HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def https_logins(run_, server):
    connections = 32
    requests = run_.files.requests("logins", connections, token_request)
    with serving(server, run_.files) as process:
        told = run("tls_load", "keepalive", f"port={process.ports['https']}", f"pid={process.pid}",
                   f"requests={requests}", f"connections={connections}",
                   f"messages={run_.of(600, 5)}", f"answer={b'HTTP/1.1 200 '.hex()}")
    return {"value": told["items"] / max(told["cpu_us"], 1) * 1e6, "rate": told["items"] / told["seconds"]}


def tls_handshakes(run_, server):
    """With a login and its answer, as devices connect."""
    count = run_.of(400, 10)
    requests = run_.files.requests(f"connects-{server.signed}", count,
                                   lambda name: peers.connect_packet(server, name, "2"))
    with serving(server, run_.files) as process:
        return cost(run("tls_load", "handshake", f"port={process.ports['mqtts']}",
                        f"pid={process.pid}", f"requests={requests}", f"connections={count}",
                        "answer=20020000", "window=16"))


def dtls_sessions(run_, server, count, requests):
    """What the load says of that many sessions."""
    with serving(server, run_.files, coap_devices=count) as process:
        lines = run_.files.coap_sessions(server.signed, count)
        return run("coap_load", process.ports["coaps"], process.pid, lines, count, requests)


def dtls_handshakes(run_, server):
    return cost(dtls_sessions(run_, server, run_.of(5000, 10), 10)["handshakes"])


def latency(run_, server):
    """The middle one of five short runs: a machine that does something else for a moment spoils the
    whole p99 of one."""
    publishers, found = 50, []
    for _ in range(5):
        with serving(server, run_.files) as process:
            run_.fill(process)
            told = run_.mqtt(process, "rate", 2 * publishers, run_.of(RATE // publishers, 20),
                             padded(TIMED, 64), rate=RATE, lines="pairs")
        found.append({"value": told["latency_p99_us"], "p50": told["latency_p50_us"],
                      "late": told["late_p99_us"]})
    return sorted(found, key=lambda each: each["value"])[2]


def spread_of(costs):
    return {"value": max(costs.values()) / min(costs.values()), **costs}


def flat_devices(run_, server):
    """The same messages in all, of more and more devices; each publishes 32 at once."""
    costs = {}
    for devices in (10, 100, 1000, 10000):
        those = run_.of(devices, 2)
        count = run_.of(1280000, 640) // those
        with serving(server, run_.files, devices=max(those, 1000)) as process:
            run_.fill(process)
            told = run_.mqtt(process, "pub", those, count, padded(TEXT, 64), window=32, batch=32,
                             warm=count // 4)
        costs[f"at{devices}"] = cost(told)["value"]
    return spread_of(costs)


def flat_journal(run_, server):
    """The first messages that the journal gets, and as many when each one pushes out another."""
    options = {"devices": 10, "payload": padded(TEXT, 64), "window": 32, "batch": 32}
    count = run_.of(10000, 100)
    with serving(server, run_.files, options=("--journal-events", str(20 * count))) as process:
        empty = cost(run_.mqtt(process, "pub", messages=count // 2, **options))["value"]
        run_.mqtt(process, "pub", messages=4 * count, **options)
        full = cost(run_.mqtt(process, "pub", messages=count // 2, **options))["value"]
    return spread_of({"empty": empty, "full": full})


# ---- the rows ----


@dataclass
class Goal:
    """`value` may be at most, or has to be at least, so much; of what the server `of` has, of the
    number of that name of the same measurement, or (None) as it stands."""

    number: float
    of: str = None
    at_least: bool = False

    def text(self):
        ends = {None: "", "plain": " times plain"}
        return f"{'>=' if self.at_least else '<='} {self.number:g}" + ends.get(self.of, " of it")

    def kept(self, ratio):
        return ratio >= self.number if self.at_least else ratio <= self.number


@dataclass
class Row:
    name: str
    title: str
    unit: str
    goal: Goal
    measure: Callable
    extras: dict = field(default_factory=lambda: {"rate": "a second"})  # further numbers, and units
    floor: bool = False  # is bare measured as well?

    def servers(self):
        """Whoever is measured: skymock first."""
        beside = self.goal.of if self.goal.of in SERVERS else None
        others = {"mosquitto": ["mosquitto", "FlashMQ"], None: []}.get(beside, [beside])
        return ["skymock", *others, *(["bare"] if self.floor else [])]


US, CONNECT_US = "CPU us a message", "CPU us each"


def beside_mosquitto(number):
    return Goal(number, "mosquitto")


ROWS = [
    Row("qos0-64", "QoS 0 in, 64 B", US, beside_mosquitto(0.026),
        messages("pub", 10, 50000, window=32, batch=32), floor=True),
    Row("qos0-1k", "QoS 0 in, 1 KiB", US, beside_mosquitto(0.07),
        messages("pub", 10, 20000, 1024, window=32, batch=32), floor=True),
    Row("qos1-w1", "QoS 1 in, window 1", US, beside_mosquitto(0.33),
        messages("pub", 100, 500, qos=1), floor=True),
    Row("qos1-w64", "QoS 1 in, window 64", US, beside_mosquitto(0.010),
        messages("pub", 10, 10000, qos=1, window=64, batch=64), floor=True),
    Row("pairs-0", "100 pairs, QoS 0", US, beside_mosquitto(0.02),
        messages("pairs", 200, 1000, window=64, batch=16), floor=True),
    Row("pairs-1", "100 pairs, QoS 1", US, beside_mosquitto(0.02),
        messages("pairs", 200, 500, qos=1, window=16, batch=16), floor=True),
    Row("fanout", "fan-out to 1,000", "CPU us a delivery", beside_mosquitto(0.026),
        messages("fanout", 1000, 100, window=16), floor=True),
    Row("connect", "connect", CONNECT_US, beside_mosquitto(0.5), connects, floor=True),
    Row("post", "property post and reply", CONNECT_US, Goal(30, "plain"), post,
        {"rate": "a second", "plain": "CPU us a plain publish"}),
    Row("idle-1k", "idle connection, 1k to 2k", "bytes", beside_mosquitto(0.55), idle(1000, 2000),
        {}, floor=True),
    Row("idle-2k", "idle connection, 2k to 10k", "bytes", beside_mosquitto(0.55),
        idle(2000, 10000), {}, floor=True),
    Row("rss", "memory at start", "MB", Goal(12), start_memory, {}),
    Row("start", "start to ready, 1,000 devices", "ms", beside_mosquitto(1), starts, {}),
    Row("https", "HTTPS logins, kept alive", "a CPU second", Goal(0.6, "nginx", at_least=True),
        https_logins),
    Row("tls", "TLS handshake, EC", CONNECT_US, beside_mosquitto(3), tls_handshakes),
    Row("dtls", "DTLS handshake, PSK, 5,000 times", CONNECT_US, Goal(0.2, "coap-server-gnutls"),
        dtls_handshakes),
    Row("latency", f"latency at {RATE // 1000}k a second, p99", "us", beside_mosquitto(1), latency,
        {"p50": "us, p50", "late": "us that the load itself is late, p99"}, floor=True),
    Row("flat-devices", "flat: 10 to 10k devices", "max/min", Goal(1.5), flat_devices,
        {f"at{n}": f"CPU us, {n} devices" for n in (10, 100, 1000, 10000)}, floor=True),
    Row("flat-journal", "flat: journal empty, full", "max/min", Goal(1.5), flat_journal,
        {"empty": "CPU us, empty", "full": "CPU us, full"}),
]


def chosen(wanted):
    """Rows whose name begins so: `flat` is all of that group."""
    if not wanted:
        return ROWS
    for prefix in wanted:
        if not any(row.name.startswith(prefix) for row in ROWS):
            raise LookupError(f"no row {prefix}: {', '.join(row.name for row in ROWS)}")
    return [row for row in ROWS if row.name.startswith(tuple(wanted))]
