"""The examples of tests/examples, as somebody who has copied them runs them."""

import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import server

EXAMPLES = server.ROOT / "tests/examples"
LINES_MAX = 60


def run(folder, script):
    path = f"{server.PROGRAM.parent}:{server.ENVIRONMENT['PATH']}"
    return subprocess.run([f"./{script}"], cwd=folder, capture_output=True, text=True, check=False,
                          timeout=2 * server.PATIENCE_S,
                          env={**server.ENVIRONMENT, "PATH": path, "PYTHON": sys.executable})


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(EXAMPLES, tmp_path / "examples")


@pytest.mark.parametrize("script,reports", [("smoke.sh", ["smoke.xml"]),
                                            ("suite.sh", ["verdict.xml", "tests.xml"])])
def test_it_runs(folder, script, reports):
    done = run(folder, script)
    assert done.returncode == 0, done.stdout + done.stderr
    for report in reports:
        cases = ElementTree.parse(folder / report).findall(".//testcase")
        assert cases and not any(case.findall("failure") for case in cases)


def test_each_is_short():
    long = [path.name for path in EXAMPLES.iterdir()
            if path.is_file() and len(path.read_text().splitlines()) >= LINES_MAX]
    assert not long
