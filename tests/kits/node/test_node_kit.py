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
    """Of the server at $SKYMOCK_URL, if that is said; those about starting one start their own."""
    environment = os.environ if "SKYMOCK_URL" in os.environ else server.ENVIRONMENT
    environment = {**environment, "SKYMOCK": str(server.PROGRAM)}
    done = subprocess.run(["node", "--test", *FILES], env=environment, text=True, timeout=LIMIT_S,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
