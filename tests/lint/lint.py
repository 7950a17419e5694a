"""Runs every lint, or those that are named, and prints what is to be mended, one line each. Exit 1
if there is anything."""

import sys
import time

import console
import includes
import sizes
import tools
import words

CHECKS = [
    ("includes", includes.check),
    ("sizes", sizes.check),
    ("words", words.check),
    ("console", console.check),
    ("clang-format", tools.check_format),
    ("shellcheck", tools.check_shell),
    ("clang-tidy", tools.check_tidy),
]
# Takes ten minutes, so that it is only run where it is named.
BY_NAME = [("analyzer", tools.check_analyzer)]


def main(names):
    known = [name for name, _ in CHECKS + BY_NAME]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"./dev lint: there is no lint '{unknown[0]}'; there are: {' '.join(known)}",
              file=sys.stderr)
        return 2
    failed = 0
    for name, check in [row for row in CHECKS + BY_NAME if row[0] in names] if names else CHECKS:
        start = time.monotonic()
        problems = sorted(set(check()), key=str)
        for problem in problems:
            print(problem)
        failed += len(problems)
        print(f"lint {name}: {len(problems)} problems, {time.monotonic() - start:.1f} s",
              file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
