"""clang-format, clang-tidy and shellcheck, with what they find in our form."""

import hashlib
import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import ROOT, Problem, c_files, files, text

DATABASE = ROOT / "build/debug"
PASSED = ROOT / "build/lint/tidy.json"  # digests of what clang-tidy had nothing to say about
_FINDING = re.compile(r"^(?P<path>[^\s:][^:]*):(?P<line>\d+):\d+: (?:warning|error|note): (?P<what>.*)$")


def _run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _findings(output, fix):
    for line in output.splitlines():
        match = _FINDING.match(line)
        if match and ": note: " not in line:
            yield Problem(os.path.relpath(match["path"], ROOT) if match["path"].startswith("/")
                          else match["path"], int(match["line"]), match["what"], fix)


def check_format():
    output = _run("clang-format-14", "--dry-run", *c_files()).stderr
    seen = set()
    for problem in _findings(output, "./dev format"):
        if problem.path not in seen:
            seen.add(problem.path)
            yield problem


def check_shell():
    scripts = [name for name in files() if text(name).startswith(("#!/bin/bash", "#!/bin/sh"))]
    yield from _findings(_run("shellcheck", "--format=gcc", *scripts).stdout,
                         "see its page at shellcheck.net")


def check_tidy():
    """Every compiled file; one that has not changed, nor any header, is not looked at again."""
    compiled = {os.path.relpath(entry["file"], ROOT)
                for entry in json.loads((DATABASE / "compile_commands.json").read_text())}
    sources = [name for name in c_files() if name in compiled and not name.startswith("tests/")]
    headers = "".join(text(name) for name in c_files() if name.endswith(".h"))
    shared = (headers + text(".clang-tidy")).encode()
    digests = {name: hashlib.sha256(shared + text(name).encode()).hexdigest() for name in sources}
    passed = json.loads(PASSED.read_text()) if PASSED.exists() else {}
    due = [name for name in sources if passed.get(name) != digests[name]]

    def tidy(name):
        result = _run("clang-tidy-14", "--quiet", "-p", str(DATABASE), name)
        return name, set(_findings(result.stdout, "mend it, or argue in .clang-tidy"))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, problems in pool.map(tidy, due):
            if not problems:
                passed[name] = digests[name]
            yield from problems
    PASSED.parent.mkdir(parents=True, exist_ok=True)
    PASSED.write_text(json.dumps(passed))
