"""The image for arm64: cross-compiled, and its program run under QEMU's emulation of a user's
process. Slow to build: asked for by SKYMOCK_IMAGE_ARM64."""

import os
import shutil
from pathlib import Path

import containers
import pytest
import server
from containers import EXCHANGES, possible
from test_image import FILES, LIBRARIES, LOADERS, files, login

QEMU = "qemu-aarch64-static"


@pytest.fixture(scope="module")
def root():
    if not os.environ.get("SKYMOCK_IMAGE_ARM64"):
        pytest.skip("the image for arm64: SKYMOCK_IMAGE_ARM64 is not set")
    possible(containers.look_around)
    if not shutil.which(QEMU):
        pytest.skip(f"the image for arm64: there is no {QEMU} here")
    possible(containers.build, "--arm64")
    mounted = possible(containers.Root, "localhost/skymock:arm64")
    yield Path(mounted.path)
    mounted.close()


@pytest.fixture(scope="module")
def emulated(root):
    """The program with the image's loader, libraries and devices."""
    running = server.Skymock(fixtures=root / "fixtures",
                             program=(QEMU, "-L", root, root / "usr/bin/skymock"))
    yield running
    running.stop()


def test_it_is_for_that_machine_and_small(root):
    about = containers.inspect("localhost/skymock:arm64")
    print(f"\nimage for arm64: {about['Size'] / 1e6:.1f} MB")
    assert about["Architecture"] == "arm64" and about["Size"] <= 20e6


def test_nothing_else_is_in_it(root):
    found = files(root)
    assert {Path(name).name for name in found if name.startswith("usr/lib/")} == LIBRARIES
    assert {name for name in found if not name.startswith(("usr/lib/", "fixtures/"))} == \
        FILES | {LOADERS["arm64"]}
    kind = containers.must("readelf", "-h", root / "usr/bin/skymock")
    assert "AArch64" in kind


@pytest.mark.parametrize("cloud", EXCHANGES)
def test_a_device_of_each_cloud_logs_in_and_is_judged(emulated, peer, cloud):
    device, topic, payload = EXCHANGES[cloud]
    connection = login(emulated, peer, device)
    connection.send_packet(type="publish", topic=topic, payload=payload, qos=1, id=1)
    emulated.api.wait_event({"type": "publish", "direction": "up", "device": device})
    connection.send_packet(type="disconnect")
    verdict, = emulated.api.verdict(device)["devices"]
    assert verdict["verdict"] == "passed"
