"""The vendor's own device SDKs for Node.js, unmodified, as npm has them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import server

MODULES = server.ROOT / "build/node/node_modules"
SCRIPT = Path(__file__).with_name("vendor_device.js")
SDKS = ["alibabacloud-iot-device-sdk", "aliyun-iot-device-sdk"]

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not MODULES.is_dir(),
    reason="needs node, and its packages as ./dev test installs them")


def run(package, url, secret="secret", algorithm="sha1", extra=None):
    environment = {**os.environ, "NODE_PATH": str(MODULES), **(extra or {})}
    done = subprocess.run(["node", str(SCRIPT), package, url, "pk", "device", secret, algorithm],
                          capture_output=True, text=True, timeout=server.PATIENCE_S, check=False,
                          env=environment)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done, said


@pytest.mark.parametrize("package", SDKS)
def test_posts_properties_and_is_answered(skymock, package):
    done, said = run(package, f"mqtt://127.0.0.1:{skymock.ports['mqtt']}")
    assert [each["event"] for each in said] == ["connect", "answer"], done.stdout + done.stderr
    assert said[-1]["code"] == 200
    skymock.api.wait_event({"type": "publish", "device": "aliyun/pk/device", "direction": "up",
                            "topic": "/sys/pk/device/thing/event/property/post"})


@pytest.mark.parametrize("package", SDKS)
def test_tls_on_1883(skymock, tmp_path, package):
    ca = tmp_path / "ca.crt"
    ca.write_text(skymock.api.get("/ca.crt"))
    done, said = run(package, f"mqtts://localhost:{skymock.ports['mqtt']}",
                     extra={"NODE_EXTRA_CA_CERTS": str(ca)})
    assert said and said[0]["event"] == "connect", done.stdout + done.stderr


def test_a_label_that_does_not_fit_the_digest_is_named(skymock):
    """This SDK changes only the label when told another algorithm; the digest stays SHA-1."""
    done, said = run(SDKS[0], f"mqtt://127.0.0.1:{skymock.ports['mqtt']}", algorithm="sha256")
    assert said and said[0]["event"] == "error", done.stdout + done.stderr
    event = skymock.api.wait_event({"type": "connect", "rules": ["ALI-SIGN"]})
    assert event["explanation"]["mistake"] == "other-digest"
