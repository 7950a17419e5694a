"""CoAP over DTLS: skymock beside libcoap's example server.

What a handshake, a request at many open sessions and an idle session cost the server. The example
server looks nothing up and records nothing; skymock does both.
"""

import argparse
import hashlib
import json
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import bench

LOAD = bench.ROOT / "build/bench/coap_load"
PRODUCT = "benchProduct"


class CoapBench:
    """The files that load and servers are started from."""

    def __init__(self, folder, sessions):
        self.folder, names = Path(folder), [f"device{number:05}" for number in range(sessions)]
        self.fixtures = self.folder / "fixtures.json"
        self.fixtures.write_text(json.dumps({"products": [
            {"cloud": "enos", "productKey": PRODUCT, "productSecret": "unused", "devices": [
                {"deviceKey": name, "deviceSecret": f"secret of {name}"} for name in names]}]}))
        self.lines = {"skymock": self._write("own", names, self._own),
                      "coap-server-gnutls": self._write("example", names, self._example)}

    def _write(self, file, names, line):
        path = self.folder / file
        path.write_text("".join(f"{line(name)}\n" for name in names))
        return path

    @staticmethod
    def _own(name):
        key = hashlib.sha256(f"secret of {name}".encode()).digest()[8:24]
        return (f"{PRODUCT},{name},2,86400\t{key.hex()}\t"
                f"/topic/sys/{PRODUCT}/{name}/thing/service/measurepoint/set")

    @staticmethod
    def _example(name):
        return f"{name}\t{b'0123456789abcdef'.hex()}\t/time"

    def command(self, which, port):
        if which == "skymock":
            off = [f"--listen={name}=off" for name in
                   ("mqtt", "mqtts", "enos-mqtt", "enos-mqtts", "https", "admin")]
            return [str(bench.SKYMOCK), "serve", f"--listen=coaps={port}", *off, "--fixtures",
                    str(self.fixtures)]
        return [which, "-A", "127.0.0.1", "-p", str(port - 1), "-k", "0123456789abcdef"]

    @contextmanager
    def serving(self, which):
        port = bench.free_port()
        process = subprocess.Popen(self.command(which, port), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, preexec_fn=bench.pin(0))
        time.sleep(2)  # neither server has a port to wait for
        try:
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(30)

    def measure(self, which, sessions, requests):
        """(handshakes a CPU second, CPU microseconds a request, bytes an idle session)"""
        with self.serving(which) as (pid, port):
            cpu, memory = bench.cpu_seconds(pid), bench.resident_bytes(pid)
            load = subprocess.Popen(
                [str(LOAD), str(port), str(self.lines[which]), str(sessions), str(requests)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                preexec_fn=bench.pin(1))
            if load.stdout.readline() != "open\n":
                raise SystemExit(f"bench: {which}: handshakes failed")
            opened = bench.cpu_seconds(pid)
            grown = bench.resident_bytes(pid) - memory
            output, _ = load.communicate("\n", timeout=bench.RUN_MAX_S)
            if output != "done\n":
                raise SystemExit(f"bench: {which}: requests failed")
            asked = bench.cpu_seconds(pid) - opened
            return sessions / (opened - cpu), asked / requests * 1e6, grown / sessions


def main():
    parser = argparse.ArgumentParser(prog="./dev bench coap", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--requests", type=int, default=40000)
    parser.add_argument("--only", help="one server: skymock or coap-server-gnutls")
    options = parser.parse_args()
    LOAD.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-std=gnu11", "-O2", "-o", str(LOAD),
                    str(bench.ROOT / "tests/bench/coap_load.c"), "-lmbedtls", "-lmbedx509",
                    "-lmbedcrypto"], check=True)
    print(f"{options.sessions} sessions{'':12}{'handshakes a':>16}{'CPU us':>12}{'bytes an':>14}")
    print(f"{'':25}{'CPU second':>16}{'a request':>12}{'idle session':>14}")
    with tempfile.TemporaryDirectory(prefix="skymock-bench-") as folder:
        made = CoapBench(folder, options.sessions)
        for which in made.lines:
            if options.only in (None, which):
                rate, cost, size = made.measure(which, options.sessions, options.requests)
                print(f"{which:25}{rate:>16.0f}{cost:>12.1f}{size:>14.0f}", flush=True)


if __name__ == "__main__":
    main()
