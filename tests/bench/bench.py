"""skymock beside mosquitto: the same devices, the same load, in one run.

skymock checks a signature at every login and a right at every message, and journals everything
while it is measured; mosquitto checks a password file. Rounds alternate between the two, medians
are shown. Rates move with the machine: compare the columns of one run, not of two; the server's
CPU time per item moves least.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import credentials  # noqa: E402

SKYMOCK = Path(os.environ.get("SKYMOCK_BUILD", ROOT / "build/release")) / "skymock"
LOAD = ROOT / "build/bench/load"
PRODUCT = "benchProduct"
TICKS = os.sysconf("SC_CLK_TCK")
RUN_MAX_S = 120
BOTH_CPUS = os.cpu_count() > 1

# Name, mode of the load, connections, messages of each, bytes, window.
TESTS = [
    ("connect, signed", "connect", 1000, 0, 0, 64),
    ("QoS 0 in, 64 B", "pub0", 10, 50000, 64, 32),
    ("QoS 0 in, 1 KiB", "pub0", 10, 20000, 1024, 32),
    ("QoS 1 in, window 1", "pub1", 100, 500, 64, 1),
    ("QoS 1 in, window 64", "pub1", 10, 20000, 64, 64),
    ("fan-out 1 to 500", "fanout", 500, 400, 64, 16),
]
IDLE_CONNECTIONS = 2000
DEVICES = max([IDLE_CONNECTIONS, *(test[2] for test in TESTS)])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pin(cpu):
    """For preexec_fn: the server has one processor to itself, the load another."""
    return (lambda: os.sched_setaffinity(0, {cpu})) if BOTH_CPUS else None


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Bench:
    """The files both servers are started from."""

    def __init__(self, folder):
        self.folder = Path(folder)
        names = [f"device{number:05}" for number in range(DEVICES)]
        self._write_fixtures(names)
        self._write_credentials(names)

    def _write_fixtures(self, names):
        devices = [{"deviceName": name, "deviceSecret": f"secret of {name}"} for name in names]
        topics = [{"topic": "/{product}/{device}/bench", "pub": True, "sub": True},
                  {"topic": "/{product}/everybody", "pub": True, "sub": True}]
        self.fixtures = self.folder / "fixtures.json"
        self.fixtures.write_text(json.dumps({"products": [
            {"cloud": "aliyun", "productKey": PRODUCT, "productSecret": "unused",
             "topics": topics, "devices": devices}]}))

    def _write_credentials(self, names):
        own, everybody, passwords = [], [], []
        for name in names:
            login = credentials.aliyun(f"aliyun/{PRODUCT}/{name}", secret=f"secret of {name}",
                                       cid=name)
            fields = [login["clientId"], login["username"], login["password"]]
            own.append("\t".join([*fields, f"/{PRODUCT}/{name}/bench"]))
            everybody.append("\t".join([*fields, f"/{PRODUCT}/everybody"]))
            passwords.append(f"{login['username']}:{login['password']}")
        self.own, self.everybody = self.folder / "own", self.folder / "everybody"
        self.own.write_text("\n".join(own) + "\n")
        self.everybody.write_text("\n".join(everybody) + "\n")
        self.passwords = self.folder / "passwords"
        self.passwords.write_text("\n".join(passwords) + "\n")
        subprocess.run(["mosquitto_passwd", "-U", str(self.passwords)], check=True)

    def skymock(self, port):
        off = [f"--listen={name}=off" for name in
               ("mqtts", "enos-mqtt", "enos-mqtts", "coaps", "https", "admin")]
        return [str(SKYMOCK), "serve", f"--listen=mqtt={port}", *off, "--fixtures",
                str(self.fixtures)]

    def mosquitto(self, port):
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\n"
                          f"password_file {self.passwords}\npersistence false\n"
                          "set_tcp_nodelay true\nmax_queued_messages 0\n"
                          "max_inflight_messages 0\nlog_dest none\nuser root\n")
        return ["mosquitto", "-c", str(config)]

    @contextmanager
    def serving(self, which):
        """(pid, port, seconds from start until it accepts)"""
        port = free_port()
        start = time.monotonic()
        process = subprocess.Popen(getattr(self, which)(port), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, preexec_fn=pin(0))
        try:
            yield process.pid, port, self._await(process, port, start)
        finally:
            process.terminate()
            process.wait(10)

    @staticmethod
    def _await(process, port, start):
        while time.monotonic() - start < 30:
            if process.poll() is not None:
                raise SystemExit(f"bench: the server ended with {process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return time.monotonic() - start
            except ConnectionRefusedError:
                time.sleep(0.0005)
        raise SystemExit("bench: the server does not accept connections")

    def load(self, port, mode, connections, messages, size, window):
        devices = self.everybody if mode == "fanout" else self.own
        return subprocess.Popen(
            [str(LOAD), mode, str(port), str(devices), str(connections), str(messages), str(size),
             str(window)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=pin(1))

    def measure(self, which, test):
        """(items a second, server CPU microseconds an item)"""
        _, mode, *numbers = test
        with self.serving(which) as (pid, port, _):
            before = cpu_seconds(pid)
            load = self.load(port, mode, *numbers)
            if mode != "connect":
                assert load.stdout.readline() == "connected\n", f"{which}: {mode} failed"
                before = cpu_seconds(pid)
            output, _ = load.communicate("\n", timeout=RUN_MAX_S)
            used = cpu_seconds(pid) - before
            if load.returncode:
                raise SystemExit(f"bench: {which}: {mode} failed")
            result = json.loads(output)
            return result["items"] / result["seconds"], used / result["items"] * 1e6

    def measure_idle(self, which):
        """(resident bytes a connection, milliseconds from start to ready)"""
        with self.serving(which) as (pid, port, ready):
            before = resident_bytes(pid)
            load = self.load(port, "idle", IDLE_CONNECTIONS, 0, 0, 64)
            assert load.stdout.readline() == "idle\n", f"{which}: idle failed"
            grown = resident_bytes(pid) - before
            load.communicate("\n", timeout=RUN_MAX_S)
            return grown / IDLE_CONNECTIONS, ready * 1000


def alternate(rounds, measure):
    """Medians of each column, the two servers by turns."""
    results = {"skymock": [], "mosquitto": []}
    for _ in range(rounds):
        for which, taken in results.items():
            taken.append(measure(which))
    return {which: [statistics.median(column) for column in zip(*taken)]
            for which, taken in results.items()}


def rate(value):
    return f"{value / 1e6:.2f}M" if value >= 1e6 else f"{value / 1e3:.1f}k"


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="tests whose name contains this")
    options = parser.parse_args()
    LOAD.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-std=gnu11", "-O2", "-o", str(LOAD), str(ROOT / "tests/bench/load.c")],
                   check=True)
    with tempfile.TemporaryDirectory(prefix="skymock-bench-") as folder:
        bench = Bench(folder)
        print(f"{'':24}{'items a second':>24}{'server CPU us an item':>28}")
        print(f"{'':24}{'skymock':>12}{'mosquitto':>12}{'skymock':>14}{'mosquitto':>14}")
        for test in TESTS:
            if options.only and options.only not in test[0]:
                continue
            found = alternate(options.rounds, lambda which: bench.measure(which, test))
            ours, theirs = found["skymock"], found["mosquitto"]
            print(f"{test[0]:24}{rate(ours[0]):>12}{rate(theirs[0]):>12}"
                  f"{ours[1]:>14.2f}{theirs[1]:>14.2f}", flush=True)
        if options.only and "idle" not in options.only:
            return
        found = alternate(options.rounds, bench.measure_idle)
        print(f"\n{'':24}{'skymock':>12}{'mosquitto':>12}")
        for column, name in enumerate(("idle connection, bytes", "start to ready, ms")):
            print(f"{name:24}{found['skymock'][column]:>12.1f}{found['mosquitto'][column]:>12.1f}")


if __name__ == "__main__":
    main()
