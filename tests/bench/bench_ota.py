"""How long a PINGRESP takes while many devices download an image over HTTPS at once.

    SKYMOCK_BUILD=build/release python3 tests/bench/bench_ota.py [CLIENTS] [MIB]
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import server  # noqa: E402
from upgrades import PATH, image_bytes, log_in, path_of, upload  # noqa: E402

CLIENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
MIB = int(sys.argv[2]) if len(sys.argv) > 2 else 8
IDLE_S = 3


def ping(peer, times):
    began = time.perf_counter()
    peer.socket.sendall(b"\xc0\x00")
    while peer.socket.recv(1) != b"\xd0":
        pass
    peer.socket.recv(1)
    times.append((time.perf_counter() - began) * 1000)
    time.sleep(0.002)


def tell(what, times):
    times.sort()
    print(f"{what}: {len(times)} pings, p50 {statistics.median(times):.2f} ms, "
          f"p99 {times[int(len(times) * 0.99)]:.2f} ms, max {times[-1]:.2f} ms")


def main():
    skymock = server.Skymock()
    device = log_in(server.Peer(skymock.ports["mqtt"]))
    status, created = upload(skymock.ports["admin"], PATH + "?version=9",
                             image_bytes(MIB * 1024 * 1024))
    assert status == 202, created
    url = f"https://127.0.0.1:{skymock.ports['https']}" + path_of(device.told()["url"])
    os.nice(-10)  # the scheduler's delays are not the server's
    idle, busy = [], []
    end = time.monotonic() + IDLE_S
    while time.monotonic() < end:
        ping(device.peer, idle)
    tell("idle", idle)
    began = time.monotonic()
    curls = [subprocess.Popen(["nice", "-n", "19", "curl", "-sk", "-o", "/dev/null", "-w",
                               "%{http_code} %{size_download}\n", url],
                              stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)]
    while any(curl.poll() is None for curl in curls):
        ping(device.peer, busy)
    took = time.monotonic() - began
    bad = [got for got in (curl.stdout.read() for curl in curls)
           if got != f"200 {MIB * 1024 * 1024}\n"]
    tell(f"{CLIENTS} downloads of {MIB} MiB", busy)
    print(f"took {took:.1f} s, {CLIENTS * MIB / took:.0f} MiB/s; not whole: {len(bad)}")
    skymock.stop()


if __name__ == "__main__":
    main()
