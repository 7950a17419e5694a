"""The page that teaches suites: its example runs, and its tables are whole."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "fixtures" / "suites" / "README.md").read_text()
SKYMOCK = Path(os.environ.get("SKYMOCK_BUILD", ROOT / "build" / "debug")) / "skymock"
FIXTURES = ROOT / "tests" / "support" / "fixtures.json"
DEVICE = ROOT / "tests" / "devices" / "device.py"


@pytest.fixture
def example(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
    return path


def test_the_example_is_good(example):
    done = subprocess.run([SKYMOCK, "check", example], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_example_runs(example, tmp_path):
    report = tmp_path / "mine.json.report"
    done = subprocess.run(
        [SKYMOCK, "suite", "run", example, "--device", "aliyun/pk/device", "--fixtures", FIXTURES,
         "--json", report, "--", "/usr/bin/python3", DEVICE, "aliyun/pk/device",
         "--fixtures", FIXTURES], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert re.match(r"passed {9}mine/puback-lost \([\d.]+ m?s\): resent: ", lines[0]), lines
    assert [case["case"] for case in json.loads(report.read_text())["cases"]] == [
        "puback-lost", "refused"]


def test_the_tables_are_whole():
    schema = json.loads((ROOT / "fixtures" / "suites" / "suite.schema.json").read_text())["$defs"]
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    words = {word.strip('"') for word in re.findall(r"`([^`\n]+)`", rows)}
    for definition, member in (("step", "do"), ("measure", "measure")):
        for each in schema[definition]["properties"][member]["oneOf"]:
            assert each["const"] in words, each["const"]
    for condition in schema["measure"]["allOf"]:
        bounds = condition["then"]["properties"].get("pass", {}).get("items", {})
        assert set(bounds.get("enum", ())) <= words, condition["if"]
