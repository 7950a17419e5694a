"""The kits' own tests, of a server in a container."""

import sys

import containers
import pytest
import server

LIMIT_S = 10 * server.PATIENCE_S
KITS = {
    "python": (sys.executable, "-m", "pytest", "-q", "tests/kits/python"),
    "node": (sys.executable, "-m", "pytest", "-q", "tests/kits/node"),
    "c": (server.BUILD / "tests/kits/c/kit_c_kit",),
}


@pytest.mark.parametrize("kit", KITS)
def test_a_kit_does_with_a_container_what_it_does_elsewhere(run, kit):
    container = run()
    environment = {**server.ENVIRONMENT, "SKYMOCK_BUILD": str(server.BUILD),
                   "SKYMOCK_URL": container.url}
    done = containers.run(*KITS[kit], cwd=server.ROOT, env=environment, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
