"""The console's files: small, of this server alone, without markup made of text, and in two
languages.

texts.js has a table of lines, `key | English | Chinese`; a word alone is what the keys below it
begin with. A key is used where it stands as a whole
string ('frame.keys') in a module, or where a template that t() is given can become it:
t(`verdict.${x}`) uses whatever begins so. A key that no module spells out is named in a comment:
/* texts: key other.* */."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tree import Problem, files, line_of, text

FOLDER = "server/admin/console/"
TEXTS = "texts.js"
TOTAL_MAX = 120_000  # bytes of all files in the program: what they cost over a slow line
NAMED = 5  # of the biggest files, where they are too big

# Pattern, files, what it is, what to do.
BANNED = [
    (r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write(?:ln)?\b",
     ".js", "makes markup of text", "use h() and fill() of dom.js"),
    (r"\beval\s*\(|\bnew\s+Function\b|\bset(?:Timeout|Interval)\s*\(\s*['\"`]", ".js",
     "makes a program of text", "write it as a module"),
    (r"setAttribute\(\s*['\"]style['\"]|[{,]\s*style\s*:", ".js",
     "is a style attribute, which the policy forbids", "use a class, or element.style.setProperty()"),
    (r"\sstyle\s*=", ".html .svg", "is a style attribute, which the policy forbids",
     "put it into style.css"),
    (r"<style\b", ".html .svg", "is an inline style, which the policy forbids",
     "put it into style.css"),
    (r"\son\w+\s*=", ".html .svg", "is an inline handler, which the policy forbids",
     "listen in a module"),
    (r"<script(?![^>]*\ssrc\s*=)[^>]*>", ".html .svg", "is an inline script, which the policy forbids",
     "put it into a module"),
    # With ${ behind it, it is an address that is shown: this server's.
    (r"\bhttps?://(?!www\.w3\.org/2000/svg\b)(?!\$\{)", ".html .svg .css .js",
     "is an address elsewhere", "everything comes from this server"),
]

_STRING = r"""(?:'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
_TABLE = re.compile(r"^const TABLE = `\n(.*?)^`;", re.S | re.M)
_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.S | re.M)
_CALL = re.compile(rf"(?<![\w.$])t\(\s*(?:[^'\"`(),]*\?\s*)?({_STRING})(?:\s*:\s*({_STRING}))?")
_TEMPLATE = re.compile(r"(?<![\w.$])t\(\s*`([^`]*)`")
_NAMED = re.compile(r"/\*\s*texts:(.*?)\*/", re.S)
_IMPORT = re.compile(rf"^\s*import\s*(?:[^;'\"()]*?\bfrom\s*)?({_STRING})"
                     rf"|^\s*export\s[^;'\"()=]*?\bfrom\s*({_STRING})|\bimport\(\s*({_STRING})", re.M)
_LOADED = re.compile(r"""\b(?:src|href)\s*=\s*["'](/[^"']*)["']""")


def check():
    sources = {name.removeprefix(FOLDER): text(name) for name in files()
               if name.startswith(FOLDER) and not name.endswith(".md")}
    yield from check_sources(sources)
    yield from check_syntax(sources)


def check_sources(sources):
    """Of {name: text}."""
    yield from _size(sources)
    for name, source in sources.items():
        yield from _banned(name, source)
        yield from _loaded(name, source, sources)
    if TEXTS in sources:
        yield from _texts(sources)


def _problem(name, source, position, what, fix):
    return Problem(FOLDER + name, line_of(source, position), what, fix)


def in_program(name, source):
    """What the build makes of it: see server/embed.cmake."""
    if name.endswith((".js", ".css")):
        source = re.sub(r"\n[\n ]+", "\n", re.sub(r" */\*.*?\*/", "", source, flags=re.S))
    if name.endswith(".css"):
        source = re.sub(r"[ \n]*([{};:,>])[ \n]+", r"\1", source).replace(";}", "}")
    return source.encode()


def _size(sources):
    sizes = sorted(((len(in_program(name, source)), name) for name, source in sources.items()),
                   reverse=True)
    total = sum(size for size, _ in sizes)
    if total > TOTAL_MAX:
        biggest = ", ".join(f"{name} {size}" for size, name in sizes[:NAMED])
        yield Problem(FOLDER, 0, f"{total} bytes in all, {TOTAL_MAX} is the cap", biggest)


def _banned(name, source):
    for pattern, endings, what, instead in BANNED:
        if not name.endswith(tuple(endings.split())):
            continue
        for match in re.finditer(pattern, source):
            yield _problem(name, source, match.start(), f"{match.group().strip()} {what}", instead)


def _loaded(name, source, sources):
    """What it imports or refers to is there."""
    if name.endswith(".js"):
        for match in _IMPORT.finditer(source):
            module = _value(match[match.lastindex])
            if not module.startswith("./") or module[2:] not in sources:
                yield _problem(name, source, match.start(), f"there is no module {module}",
                               "modules are imported as './NAME.js'")
    elif name.endswith(".html"):
        for match in _LOADED.finditer(source):
            if match[1].removeprefix("/console/") not in sources and match[1] not in ("/", "/api"):
                yield _problem(name, source, match.start(), f"there is no {match[1]}",
                               "the console's files are at /console/NAME")


# ---- texts ----


def _value(literal):
    """What a string literal stands for."""
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)",
                  lambda match: json.loads(f'"\\{match[1]}"') if match[1][0] in "untrbf"
                  else match[1], literal[1:-1])


def _entries(source):
    """(position, key, English, Chinese) of each; a key of None: this is no entry."""
    table = _TABLE.search(source)
    if not table:
        yield 0, None, None, None
        return
    part = ""
    for line in re.finditer(r"(.+)\n", table[1]):
        position, words = table.start(1) + line.start(), line[1].split(" | ")
        if len(words) == 1 and re.fullmatch(r"\w+", words[0]):
            part = f"{words[0]}."
        elif len(words) == 3:
            yield position, part + words[0], words[1].strip(), words[2].strip()
        else:
            yield position, None, None, None


def _placeholders(words):
    return sorted(set(re.findall(r"\{\d\}", words)))


def _texts(sources):
    source, keys = sources[TEXTS], {}
    for position, key, english, chinese in _entries(source):
        if key is None:
            yield _problem(TEXTS, source, position, "this is no entry of the table",
                           "write key | English | Chinese")
            continue
        if key in keys:
            yield _problem(TEXTS, source, position, f"{key} is there twice", "drop one")
        keys[key] = position
        if not english or not chinese:
            yield _problem(TEXTS, source, position, f"{key} has an empty text", "write it")
        if _placeholders(english) != _placeholders(chinese):
            yield _problem(TEXTS, source, position,
                           f"{key} has not the same {{0}} {{1}} in both languages", "name them all")
    modules = {name: module for name, module in sources.items()
               if name.endswith(".js") and name != TEXTS}
    patterns = []
    for name, module in modules.items():
        yield from _uses(name, module, keys, patterns)
    whole = "\n".join(modules.values())
    for key, position in keys.items():
        if f"'{key}'" not in whole and f'"{key}"' not in whole and \
                not any(re.fullmatch(pattern, key) for pattern in patterns):
            yield _problem(TEXTS, source, position, f"nothing uses {key}",
                           "drop it, or name it where it is used: /* texts: KEY other.* */")


def _uses(name, module, keys, patterns):
    """What t() is given is there; `patterns` gains what it may be given."""
    for match in _CALL.finditer(module):
        for literal in filter(None, match.groups()):
            if _value(literal) not in keys:
                yield _problem(name, module, match.start(), f"{TEXTS} has no {_value(literal)}",
                               "write it, in both languages")
    named = [(match.start(), re.escape(word).replace(r"\*", ".+")) for match in
             _NAMED.finditer(module) for word in match[1].split()]
    made = [(match.start(), ".+".join(map(re.escape, re.split(r"\$\{[^}]*\}", match[1]))))
            for match in _TEMPLATE.finditer(module)]
    for position, pattern in named + made:
        patterns.append(pattern)
        if not any(re.fullmatch(pattern, key) for key in keys):
            yield _problem(name, module, position, f"{TEXTS} has nothing like {pattern}",
                           "write it, in both languages")


def check_syntax(sources):
    """What Node.js, where there is one, cannot parse as a module."""
    node = shutil.which("node")
    if not node:
        return
    with tempfile.TemporaryDirectory(prefix="skymock-lint-") as folder:
        for name in (name for name in sources if name.endswith(".js")):
            path = Path(folder, name).with_suffix(".mjs")
            path.write_text(sources[name])
            result = subprocess.run([node, "--check", str(path)], capture_output=True, text=True,
                                    check=False)
            if result.returncode:
                line = re.search(r"\.mjs:(\d+)", result.stderr)
                what = re.search(r"^\w*Error: .*", result.stderr, re.M)
                yield Problem(FOLDER + name, int(line[1]) if line else 0,
                              what.group() if what else "node --check fails", "mend it")
