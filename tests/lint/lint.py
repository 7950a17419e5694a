"""Runs every lint and prints what is to be mended, one line each. Exit 1 if there is anything."""

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


def main(names):
    failed = 0
    for name, check in CHECKS:
        if names and name not in names:
            continue
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
