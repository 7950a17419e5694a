"""How long reports about 100,000 events of 1,000 devices take, what they cost, and how long a device
waits for its PINGRESP while one is made.

    SKYMOCK_BUILD=build/release python3 tests/bench/bench_report.py
"""

import http.client
import tempfile
import time

from bench_verify import DEVICES, NAME, PRODUCT, Pinger, cpu_ms, fill, fixtures, server

REPORTS = ["report.xml", "report.json", "report.html", f"report.xml?device={NAME}",
           f"report.html?product=aliyun/{PRODUCT}", "verdicts", f"verdicts?device={NAME}"]


def read(skymock, path):
    """Bytes of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"])
    connection.request("GET", f"/api/v1/{path}")
    size = len(connection.getresponse().read())
    connection.close()
    return size


def main():
    with tempfile.TemporaryDirectory(prefix="skymock-bench-") as folder:
        skymock = server.Skymock("--quiet", "--journal-bytes", "128M", fixtures=fixtures(folder))
        devices = fill(skymock)
        print(f"{skymock.api.last_seq()} events of {DEVICES} devices")
        print(f"{'report':50} {'bytes':>9} {'ms':>8} {'CPU':>8} {'ping':>7}")
        for path in REPORTS:
            cpu, began = cpu_ms(skymock.process.pid), time.perf_counter()
            size = read(skymock, path)
            took = (time.perf_counter() - began) * 1000
            cpu = cpu_ms(skymock.process.pid) - cpu
            pinger = Pinger(devices[0])
            pinger.start()
            read(skymock, path)
            print(f"{path:50} {size:9} {took:8.1f} {cpu:8.1f} {pinger.stop() * 1000:7.2f}")
        skymock.stop()


if __name__ == "__main__":
    main()
