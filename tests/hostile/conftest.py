"""What hostile tests share: a server that knows a crowd, and a well-behaved device beside them."""

import json
import subprocess
import sys
from pathlib import Path

import crowd
import pytest
import server


class Witness:
    """witness.py and its testimony."""

    def __init__(self, port):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("witness.py")), str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = self._process.stdout.readline()
        assert ready == "ready\n", ready
        self._report = None

    def report(self):
        """Ends it, if it has not ended, and says what it saw."""
        if self._report is None:
            out, _ = self._process.communicate(timeout=server.PATIENCE_S)
            self._report = json.loads(out)
        return self._report

    def slowest_ping_ms(self, share):
        """The time within which that share of its pings was answered."""
        times = sorted(self.report()["pings_ms"])
        return times[min(len(times) - 1, int(len(times) * share))]


@pytest.fixture(scope="session")
def crowd_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "crowd.json"
    path.write_text(json.dumps(crowd.fixtures()))
    return path


@pytest.fixture(scope="session", autouse=True)
def lean_sanitizer():
    """Freed memory that AddressSanitizer keeps back would look like growth."""
    before = server.ENVIRONMENT.get("ASAN_OPTIONS")
    own = "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
    server.ENVIRONMENT["ASAN_OPTIONS"] = f"{before}:{own}" if before else own
    yield
    if before is None:
        del server.ENVIRONMENT["ASAN_OPTIONS"]
    else:
        server.ENVIRONMENT["ASAN_OPTIONS"] = before


@pytest.fixture(scope="module")
def shared(crowd_file):
    """In place of the usual server: one that has the crowd registered. The witness sends more in a
    second than its cloud likes: it is there to notice what goes missing."""
    running = server.Skymock("--rule", "ALI-PUBLISH-RATE=off", fixtures=crowd_file)
    crowd.fill_journal(running)
    yield running
    running.stop()


@pytest.fixture
def witness(skymock):
    """A device that keeps every rule, from before the attack until after it. The test fails if it
    missed anything or was thought ill of."""
    device = Witness(skymock.ports["mqtt"])
    yield device
    report = device.report()
    assert report["trouble"] is None, report["trouble"]
    print(f"beside it: {len(report['pings_ms'])} messages there and back; pings answered within "
          f"{device.slowest_ping_ms(0.5):.2f} ms (half), {device.slowest_ping_ms(0.99):.2f} ms "
          f"(99 %), {device.slowest_ping_ms(1):.2f} ms (all)")
    verdict = skymock.api.verdict(crowd.WITNESS)
    broken = [rule["id"] for rule in verdict["devices"][0]["rules"] if rule["verdict"] == "failed"]
    assert not broken, f"the well-behaved device is said to have broken {broken}"
