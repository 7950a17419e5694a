"""A soak of some seconds: that it runs, and what it says of itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import server

SOAK = Path(__file__).with_name("soak.py")
DEVICES, ROUNDS = 20, 6
PATIENCE_S = 240


def test_twenty_devices_by_every_transport(tmp_path):
    out = tmp_path / "soak.json"
    run = subprocess.run(
        [sys.executable, str(SOAK), "1", str(DEVICES), "--rounds", str(ROUNDS), "--pace", "0.3",
         "--quiet", "--json", str(out)], capture_output=True, text=True, timeout=PATIENCE_S,
        check=False, env={**os.environ, "SKYMOCK_BUILD": str(server.BUILD)})
    assert run.returncode == 0, run.stdout + run.stderr
    summary = json.loads(out.read_text())
    assert summary["verdict"] == "passed"
    by = {name.rsplit(" ", 1)[1] for name in summary["counts"] if name.startswith("connects by ")}
    assert by == {"tcp", "tls", "psk", "cert", "ws", "wss", "https", "coap"}
    assert summary["counts"]["in the journal"] >= ROUNDS * DEVICES
    assert summary["witness"]["echo"]["count"] > 0
