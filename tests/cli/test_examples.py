"""The examples of tests/examples, as somebody who has copied them runs them."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import server

EXAMPLES = server.ROOT / "tests/examples"
NODE_MODULES = [folder for folder in (server.ROOT / "build/node", server.ROOT / "build/console")
                if (folder / "node_modules/mqtt").is_dir()]
LINES_MAX = 60


def run(folder, script, **environment):
    path = f"{server.PROGRAM.parent}:{server.ENVIRONMENT['PATH']}"
    return subprocess.run([f"./{script}"], cwd=folder, capture_output=True, text=True, check=False,
                          timeout=2 * server.PATIENCE_S,
                          env={**server.ENVIRONMENT, "PATH": path, "PYTHON": sys.executable,
                               **environment})


@pytest.fixture
def folder(tmp_path):
    """As in the tree: the kits are beside the examples."""
    shutil.copytree(server.ROOT / "tests/kits", tmp_path / "kits")
    return shutil.copytree(EXAMPLES, tmp_path / "examples")


def passed(report):
    found = ElementTree.parse(report)
    return bool(found.findall(".//testsuite")) and not found.findall(".//failure")


@pytest.mark.parametrize("script,reports", [("smoke.sh", ["smoke.xml"]),
                                            ("suite.sh", ["report/report.xml", "tests.xml"])])
def test_it_runs(folder, script, reports):
    done = run(folder, script)
    assert done.returncode == 0, done.stdout + done.stderr
    for report in reports:
        assert passed(folder / report)


def test_ctest_has_skymock_as_a_fixture(folder, tmp_path):
    """Whichever tests are chosen, the server comes before them, and goes after them."""
    def tool(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=4 * server.PATIENCE_S, env=server.ENVIRONMENT)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    build = tmp_path / "build"
    tool("cmake", "-G", "Ninja", "-S", folder / "ctest", "-B", build, f"-DSKYMOCK={server.PROGRAM}")
    tool("cmake", "--build", build)
    tool("ctest", "--test-dir", build, "--output-on-failure")
    assert passed(build / "verdict.xml")
    chosen = tool("ctest", "--test-dir", build, "-R", "^reports$")
    assert [name for name in ("skymock-start", "reports", "skymock-stop") if name in chosen] == [
        "skymock-start", "reports", "skymock-stop"]
    process = int((build / "skymock.pid").read_text())
    deadline = time.monotonic() + server.PATIENCE_S
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{process}").exists()


@pytest.mark.skipif(not shutil.which("node") or not NODE_MODULES,
                    reason="needs node, and mqtt.js as ./dev test installs it")
def test_node_runs(folder):
    done = run(folder / "node", "run.sh", NODE_MODULES=str(NODE_MODULES[0]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 2" in done.stdout


def test_each_is_short():
    long = [path.name for path in EXAMPLES.rglob("*")
            if path.is_file() and path.suffix != ".md" and len(path.read_text().splitlines()) >= LINES_MAX]
    assert not long
