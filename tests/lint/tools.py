"""clang-format, clang-tidy, gcc's analyzer and shellcheck, with what they find in our form."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tree import ROOT, Problem, c_files, files, text

DATABASE = ROOT / "build/debug"
# Digests of what clang-tidy had nothing to say about, a line for each file; committed, so that a
# clean clone looks only at what has changed since, and at the users of headers that have.
PASSED = ROOT / "tests/lint/tidied.txt"
# What gcc's analyzer is wrong about, a line for each file and warning: path, warning, why.
EXPLAINED = "tests/lint/analyzed.txt"
# What it may take for a file before it is told to follow fewer ways through it.
ANALYZER_S = 240
LESS_CLOSELY = ["--param", "analyzer-bb-explosion-factor=2"]
TIMED_OUT = 124  # timeout(1)
SECONDS_EACH = 6  # a core takes for a file, roughly
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


def _compiler(entry):
    """How a file is compiled, without what is said of the object file."""
    words = shlex.split(entry["command"])
    words = [word for i, word in enumerate(words)
             if word not in ("-MD", "-c", "-o", "-MF", "-MT") and
             words[i - 1] not in ("-o", "-MF", "-MT")]
    return words[1:] if os.path.basename(words[0]) == "ccache" else words


def _own_headers(entry):
    """What a compiled file includes of this tree, by its compiler."""
    listing = subprocess.run([*_compiler(entry), "-MM", "-MG"], cwd=entry["directory"],
                             check=False, capture_output=True, text=True).stdout
    paths = listing.replace("\\\n", " ").partition(":")[2].split()
    names = {os.path.relpath(os.path.join(entry["directory"], path), ROOT) for path in paths}
    return sorted(name for name in names if not name.startswith((".." , "build/")))


def _digest(entry):
    """Changes when the file does, a header of ours that it includes, or what is looked for."""
    texts = [text(name) for name in (".clang-tidy", *_own_headers(entry))]
    command = entry["command"].replace(entry["directory"], "build").replace(str(ROOT), ".")
    words = [word for word in command.split() if word.startswith(("-D", "-I", "-std"))]
    return hashlib.sha256("\0".join((*words, *texts)).encode()).hexdigest()[:24]


def _passed():
    lines = PASSED.read_text().splitlines() if PASSED.exists() else []
    return dict(line.split() for line in lines)


def _keep(passed, sources):
    PASSED.write_text("".join(f"{name} {passed[name]}\n" for name in sorted(sources)
                              if name in passed))


def _say(line):
    print(line, file=sys.stderr, flush=True)


def _compiled():
    """The program's files by name, with how each is compiled."""
    database = {os.path.relpath(entry["file"], ROOT): entry
                for entry in json.loads((DATABASE / "compile_commands.json").read_text())}
    return {name: database[name] for name in c_files()
            if name in database and not name.startswith("tests/")}


def check_tidy():
    """Every compiled file of the program; one that is as it was when nothing was found, with all
    the headers it includes, is not looked at again."""
    sources = _compiled()
    passed = _passed()

    def tidy(name):
        result = _run("clang-tidy-14", "--quiet", "-p", str(DATABASE), name)
        return name, set(_findings(result.stdout, "mend it, or argue in .clang-tidy"))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digests = dict(zip(sources, pool.map(_digest, sources.values())))
        due = [name for name in sources if passed.get(name) != digests[name]]
        _say(f"clang-tidy: {len(due)} of {len(sources)} files have changed, or what they include; "
             f"about {len(due) * SECONDS_EACH / os.cpu_count() / 60:.0f} minutes")
        for done, (name, problems) in enumerate(pool.map(tidy, due), 1):
            if not problems:
                passed[name] = digests[name]
                _keep(passed, sources)  # what was done counts, even if interrupted
            if done % 10 == 0:
                _say(f"clang-tidy: {done} of {len(due)}")
            yield from problems


def check_analyzer():
    """What gcc -fanalyzer says of the program's files and nobody has explained; and what was
    explained and is not said any more."""
    explained = {tuple(line.split(" ", 2)[:2]) for line in text(EXPLAINED).splitlines()
                 if not line.startswith("#")}
    said = set()

    def analyze(entry):
        words = [word for word in _compiler(entry) if word != "-Werror"]
        words += ["-c", "-o", os.devnull, "-fanalyzer", "-fdiagnostics-plain-output"]
        for limit, how in ((ANALYZER_S, []), (0, LESS_CLOSELY)):
            done = subprocess.run(["timeout", str(limit), *words, *how], cwd=entry["directory"],
                                  check=False, capture_output=True, text=True)
            if done.returncode != TIMED_OUT:
                return done.stderr
            _say(f"analyzer: {os.path.relpath(entry['file'], ROOT)} takes more than {limit} s, "
                 "and is read less closely")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for output in pool.map(analyze, _compiled().values()):
            for problem in _findings(output, f"mend it, or explain it in {EXPLAINED}"):
                key = (problem.path, problem.what.rpartition("[")[2].rstrip("]"))
                said.add(key)
                if key not in explained:
                    yield problem
    for path, warning in explained - said:
        yield Problem(EXPLAINED, 1, f"{path} has no {warning} any more",
                      "delete its line")
