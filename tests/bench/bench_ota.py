"""How long a PINGRESP takes while many devices download an image over HTTPS at once: handshakes
first, then all ask at the same moment.

    SKYMOCK_BUILD=build/release python3 tests/bench/bench_ota.py [CLIENTS] [MIB]

Server and pinger come before all else that runs, where that is allowed: what is measured is how the
server divides its time, and not how the machine does.
"""

import multiprocessing
import os
import select
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import server  # noqa: E402
from upgrades import PATH, connect, image_bytes, log_in, path_of, read_head, upload  # noqa: E402

CLIENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
MIB = int(sys.argv[2]) if len(sys.argv) > 2 else 8
IDLE_S = 3


def come_first(pid, priority):
    """On its own only: threads and children are as others are."""
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                              os.sched_param(priority))
    except PermissionError:
        print("(as any process, between all others)")


def download(port, path, count, ready, go, whole):
    """`count` clients in one process; `whole` counts those that got all."""
    socks = [connect(port, tls=True) for _ in range(count)]
    ready.release()
    go.wait()
    left = {}
    for sock in socks:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    for sock in socks:
        assert " 200 " in read_head(sock)
        left[sock] = MIB * 1024 * 1024
    while left:
        pending = [sock for sock in left if sock.pending()]
        for sock in pending or select.select(list(left), [], [], 30)[0]:
            got = len(sock.recv(65536))
            left[sock] -= got
            if left[sock] == 0 or got == 0:
                with whole.get_lock():
                    whole.value += left.pop(sock) == 0


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
    path = path_of(device.told()["url"])
    ready, go = multiprocessing.Semaphore(0), multiprocessing.Event()
    whole = multiprocessing.Value("i", 0)
    clients = [multiprocessing.Process(target=download, args=(
        skymock.ports["https"], path, CLIENTS // 2, ready, go, whole)) for _ in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        ready.acquire()
    come_first(skymock.process.pid, 10)
    come_first(0, 20)
    idle, busy = [], []
    end = time.monotonic() + IDLE_S
    while time.monotonic() < end:
        ping(device.peer, idle)
    tell("idle", idle)
    began = time.monotonic()
    go.set()
    while any(client.is_alive() for client in clients):
        ping(device.peer, busy)
    took = time.monotonic() - began
    tell(f"{CLIENTS} downloads of {MIB} MiB", busy)
    print(f"took {took:.1f} s, {CLIENTS * MIB / took:.0f} MiB/s; whole: {whole.value}")
    skymock.stop()


if __name__ == "__main__":
    main()
