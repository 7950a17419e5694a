"""docker/compose.yml as somebody runs it who has a device to test, with podman for Docker.

podman-compose 1.0.3, Debian 12's, knows neither network aliases nor another service's network: it
is given the file without them, the aliases go through the script `podman` beside this file, and the
service `http` is started by hand.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import containers
import pytest
import server

yaml = pytest.importorskip("yaml", reason="python3-yaml is not there")

COMPOSE = server.ROOT / "docker/compose.yml"
BENCH = server.ROOT / "docker/compose.bench.yml"
LIMITS = containers.RUN[2:]  # its network is one of the project's
PATIENCE_S = 120

# netavark, which makes podman's networks, calls iptables.
missing = [tool for tool in ("podman-compose", "iptables") if not shutil.which(tool)]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"there is no {' and no '.join(missing)} here")


def podman(*arguments, **options):
    return containers.must("podman", "--runtime", "runc", *arguments, timeout=PATIENCE_S, **options)


@pytest.fixture(scope="module")
def images(image):
    """Those of both files: skymock's is there."""
    for file in (COMPOSE, BENCH):
        for service in yaml.safe_load(file.read_text())["services"].values():
            if "build" in service and service["image"] != "skymock":
                containers.must("buildah", "build", *containers.BUILD, "--format", "docker", "-t",
                                service["image"], COMPOSE.parent / service["build"], timeout=600)


class Project:
    """docker/compose.yml in a folder of its own, under a name of its own."""

    def __init__(self, folder):
        self.folder, self.name = folder, f"sky{os.getpid()}"
        described = yaml.safe_load(COMPOSE.read_text())
        services = described["services"]
        self.aliases = services["skymock"].pop("networks")["default"]["aliases"]
        del services["http"], services["device"]["depends_on"]["http"]
        for service in services.values():
            service.pop("build", None)
        (folder / "docker").mkdir()
        (folder / "reports").mkdir()
        (folder / "tests").symlink_to(server.ROOT / "tests")
        (folder / "docker/compose.yml").write_text(yaml.safe_dump(described))

    def compose(self, *arguments, **environment):
        """(exit status, what it printed). Its own children may outlive it: no pipe is waited for."""
        printed = self.folder / "printed"
        with printed.open("w") as file:
            done = subprocess.run(
                ["podman-compose", "--podman-path", str(Path(__file__).with_name("podman")),
                 "-p", self.name, "-f", str(self.folder / "docker/compose.yml"), *arguments],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False,
                timeout=PATIENCE_S,
                env={**os.environ, "CONSOLE_PORT": "", "ALIASES": " ".join(self.aliases),
                     **environment})
        return done.returncode, printed.read_text()

    def run(self, service, **environment):
        """A service to its end. podman-compose ends with 0 whatever happens, and prints this."""
        _, printed = self.compose("run", "--rm", "-T", service, **environment)
        return int(re.findall(r"^exit code: (\d+)$", printed, re.M)[-1]), printed


@pytest.fixture
def project(images, tmp_path):
    project = Project(tmp_path)
    yield project
    project.compose("down", "--volumes")
    containers.podman("network", "rm", "--force", f"{project.name}_default")


def test_up_ends_with_the_status_of_the_device(project):
    refused = 4  # what mosquitto_pub makes of CONNACK 4
    code, printed = project.compose("up", "--no-build", "--abort-on-container-exit",
                                    "--exit-code-from", "device", "skymock", "device",
                                    DEVICE_SECRET="wrong")
    assert code == refused, printed
    assert "aliyun/a1Example/thermostat refused by ALI-SIGN" in printed


def test_the_device_then_its_verdict(project):
    code, printed = project.run("device", DEVICE_SECRET="secret")
    assert code == 0, printed
    code, printed = project.run("verdict")
    assert code == 0, printed
    cases = ElementTree.parse(project.folder / "reports/verdict.xml").findall(".//testcase")
    assert cases and not any(case.findall("failure") for case in cases)


def test_names_and_ports_are_the_vendors_own(project):
    """Every name leads to skymock, on 443 and on 80, clear or not, in capitals or not."""
    project.compose("up", "-d", "--no-build", "skymock")
    podman("run", "--detach", "--rm", "--name", f"{project.name}_http", "--network",
           f"container:{project.name}_skymock_1", *LIMITS, "skymock-port80")
    try:
        asks = "; ".join(
            f"curl -sS -k -o /dev/null -w '%{{http_code}} {name}\\n' --retry 9 --retry-connrefused "
            f"{scheme}://{name}/" for name in project.aliases for scheme in ("http", "https"))
        asked = podman("run", "--rm", "--network", f"{project.name}_default", *LIMITS,
                       "skymock-example-device", "sh", "-c", f"{asks}; getent hosts "
                       f"{project.aliases[0].lower()}")
    finally:
        podman("rm", "--force", "--time", 0, f"{project.name}_http")
    lines = asked.splitlines()
    assert len(lines) == 2 * len(project.aliases) + 1
    assert not [line for line in lines if line.startswith("000")], asked


def test_the_bench_is_told_where_the_vendors_are(images):
    """Whatever is below a name of the list has the bench's address; so has a board's own name."""
    names = f"skymock-names-{os.getpid()}"
    command = yaml.safe_load(BENCH.read_text())["services"]["names"]["command"]
    podman("run", "--detach", "--rm", "--name", names, *LIMITS, "skymock-dnsmasq",
           *(word.replace("${BENCH_IP}", "192.0.2.1") for word in command))
    try:
        where = podman("inspect", "--format", "{{.NetworkSettings.IPAddress}}", names)
        asked = [f"any.{word.split('/')[1]}" for word in command]
        found = podman("run", "--rm", "--dns", where, *LIMITS, "skymock-example-device", "getent",
                       "ahostsv4", *asked)
    finally:
        podman("rm", "--force", "--time", 0, names)
    assert {line.split()[0] for line in found.splitlines()} == {"192.0.2.1"}
    assert [line.split()[2] for line in found.splitlines() if "STREAM" in line] == asked
