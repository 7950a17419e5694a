"""What the lints look at: the files of the tree, and C source without comments and strings."""

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Problem:
    """One thing to mend: where, what is wrong, and how to fix it."""

    path: str
    line: int
    what: str
    fix: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}: {self.fix}"


@lru_cache(maxsize=None)
def files():
    """Paths, relative to the root, of what is committed or about to be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listing.split("\0") if name and (ROOT / name).is_file())


def c_files():
    return [name for name in files() if name.endswith((".c", ".h"))]


def product_files():
    """C files of the program itself."""
    return [name for name in c_files() if not name.startswith("tests/")]


@lru_cache(maxsize=None)
def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def _blank(match):
    """Newlines stay, so that line numbers do."""
    return re.sub(r"[^\n]", " ", match.group())


_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
_LITERAL_OR_COMMENT = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


@lru_cache(maxsize=None)
def code(name):
    """The text with comments, strings and character constants blanked out."""
    return _LITERAL_OR_COMMENT.sub(_blank, text(name))


def line_of(source, position):
    return source.count("\n", 0, position) + 1
