"""Functions fit a screen and files a sitting."""

import re
import statistics
import subprocess

from tree import ROOT, Problem, c_files, text

FUNCTION_MAX = 70
FUNCTION_P95 = 60
FUNCTION_MEDIAN = 15
SOURCE_MAX = 800
HEADER_MAX = 260
# Where a header that users copy as one file goes on with its implementation: what stands above is
# a header, what stands below a source that cannot be split by subject.
IMPLEMENTATION = re.compile(r"^#if defined\(\w+_IMPLEMENTATION\) && !defined\(\w+_IMPLEMENTED\)\n",
                            re.M)
UNSPLIT_MAX = 2 * SOURCE_MAX


def functions():
    """(file, line, name, lines) of every function."""
    tags = subprocess.run(
        ["ctags", "-f", "-", "--languages=C", "--langmap=C:.c.h", "--kinds-C=f", "--fields=+ne",
         "--excmd=number", "-L", "-"],
        cwd=ROOT, check=True, capture_output=True, text=True,
        input="\n".join(name for name in c_files()
                        if name.endswith(".c") or IMPLEMENTATION.search(text(name)))).stdout
    for row in tags.splitlines():
        if row.startswith("!"):
            continue
        name, path = row.split("\t")[:2]
        line, end = (re.search(rf"\t{key}:(\d+)", row) for key in ("line", "end"))
        if line and end:
            yield path, int(line[1]), name, int(end[1]) - int(line[1]) + 1


def check():
    lengths = []
    for path, line, name, length in functions():
        if not path.startswith("tests/"):
            lengths.append(length)
        if length > FUNCTION_MAX:
            yield Problem(path, line, f"{name}() has {length} lines, {FUNCTION_MAX} is the cap",
                          "split it where its comment would say 'then'")
    yield from _spread(sorted(lengths))
    for path in c_files():
        for first, lines, cap in _parts(path):
            if lines > cap:
                yield Problem(path, first + lines, f"{lines} lines, {cap} is the cap",
                              "split it by subject")


def _parts(path):
    """(first line, lines, cap) of what has a cap of its own."""
    lines, split = text(path).count("\n"), IMPLEMENTATION.search(text(path))
    if not path.endswith(".h"):
        return [(0, lines, SOURCE_MAX)]
    if not split:
        return [(0, lines, HEADER_MAX)]
    above = text(path).count("\n", 0, split.start())
    return [(0, above, HEADER_MAX), (above, lines - above, UNSPLIT_MAX)]


def _spread(lengths):
    if len(lengths) < 20:
        return
    p95, median = lengths[len(lengths) * 95 // 100], statistics.median(lengths)
    if p95 > FUNCTION_P95:
        yield Problem(".", 0, f"95 % of functions have up to {p95} lines", f"keep {FUNCTION_P95}")
    if median > FUNCTION_MEDIAN:
        yield Problem(".", 0, f"the median function has {median} lines", f"keep {FUNCTION_MEDIAN}")
