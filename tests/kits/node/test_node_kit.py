"""The kit for Node.js: its own tests, with node:test."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import server

FILES = sorted(map(str, Path(__file__).parent.glob("*.test.mjs")))
MODULES = [server.ROOT / "build" / folder / "node_modules/mqtt" for folder in ("node", "console")]
LIMIT_S = 10 * server.PATIENCE_S


@pytest.mark.skipif(not shutil.which("node") or not any(each.is_dir() for each in MODULES),
                    reason="needs node, and mqtt.js as ./dev test installs it")
def test_the_kit_does_what_it_says():
    """With $SKYMOCK_URL the devices are those of that server."""
    environment = {**server.ENVIRONMENT, "SKYMOCK": str(server.PROGRAM)}
    if "SKYMOCK_URL" in os.environ:
        environment["SKYMOCK_URL"] = os.environ["SKYMOCK_URL"]
    done = subprocess.run(["node", "--test", *FILES], env=environment, text=True, timeout=LIMIT_S,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
