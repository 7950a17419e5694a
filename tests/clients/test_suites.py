"""Suites on devices made with real SDKs, unmodified: a short form of what README.md tells of them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import server
from test_sdk import MODULES, SCRIPTS, SDKS, environment

COAP_CLIENT = shutil.which("coap-client-gnutls")
COAP_DEVICE = Path(__file__).with_name("coap_suite.py")
PATIENCE_S = 180

needs_node = pytest.mark.skipif(not shutil.which("node") or not MODULES.is_dir(),
                                reason="needs node, and its packages as ./dev test installs them")
needs_libcoap = pytest.mark.skipif(not COAP_CLIENT, reason="needs libcoap's coap-client-gnutls")


def run(folder, name, suites, cases, *command):
    """(exit status, the case's result by its id)"""
    report = folder / "report.json"
    chosen = [word for case in cases for word in ("--case", case)]
    done = subprocess.run(
        [str(server.PROGRAM), "suite", "run", *suites, *chosen, "--fixtures", str(server.FIXTURES),
         "--device", name, "--json", str(report), "--", *map(str, command)], env=environment(),
        capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert report.exists(), done.stdout + done.stderr
    results = {}

    def find(value):
        if isinstance(value, dict) and "case" in value and "verdict" in value:
            results[value["case"]] = value
        for each in value.values() if isinstance(value, dict) else \
                value if isinstance(value, list) else []:
            find(each)

    find(json.loads(report.read_text()))
    return done.returncode, results


@needs_node
@pytest.mark.parametrize("package", SDKS)
def test_the_sdk_for_node_does_its_part_and_comes_back_at_a_constant_pace(tmp_path, package):
    status, cases = run(tmp_path, "aliyun/pk/device", ["smoke", "aliyun", "reconnect"],
                        ["logs-in", "subscribes", "speaks", "keeps-the-rules", "property-set",
                         "service-call", "server-disconnect"],
                        "node", SCRIPTS / "suite.js", package, "pk", "device", "secret")
    late = cases.pop("server-disconnect")
    assert {case["verdict"] for case in cases.values()} == {"passed"} and len(cases) == 6, cases
    assert late["verdict"] == "failed" and late["reason"].startswith("constant"), late
    assert late["events"] and status == 1


@needs_libcoap
def test_a_device_of_coap_client_does_its_part(tmp_path):
    status, cases = run(tmp_path, "enos/KV315idW/tPbZGCdmaE", ["smoke", "enos-coap"],
                        ["logs-in", "subscribes", "speaks", "keeps-the-rules", "secret-kept",
                         "lifetime-kept"],
                        sys.executable, COAP_DEVICE, COAP_CLIENT, "KV315idW", "tPbZGCdmaE",
                        "M3yy874uGY8INjEGddTR")
    assert {case["verdict"] for case in cases.values()} == {"passed"} and len(cases) == 6, cases
    assert status == 0
