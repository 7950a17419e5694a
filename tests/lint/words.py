"""Words that must not stand where they stand, and words that must."""

import re

from tree import Problem, c_files, code, files, line_of, product_files, text

# Function, files that may use it, what to use instead.
BANNED = [
    (r"strcpy|strcat|strncpy|strncat|stpcpy", None, "sky_span_copy() or a struct sky_buf"),
    (r"sprintf|vsprintf", None, "snprintf() or sky_buf_addf()"),
    (r"gets|strtok|strtok_r|alloca|system|popen|tmpnam|mktemp", None, "something safer"),
    (r"atoi|atol|atoll|atof|strtol|strtoul|strtoll|strtoull", None, "sky_span_to_int()"),
    (r"assert", None, "SKY_ASSERT(), which stays in release builds"),
    (r"malloc|calloc|realloc|strdup|strndup", r"protocol/base/mem\.c", "sky_mem_*()"),
    (r"time|gettimeofday|clock_gettime|localtime|gmtime|mktime", r"server/os/clock\.c",
     "sky_clock, or take time as an argument"),
    (r"rand|srand|random|srandom|drand48|rand_r|getrandom|arc4random\w*", r"server/os/rng\.c",
     "sky_rng"),
]

# Below server/ nothing is printed, read from disk or from the environment.
PURE = re.compile(r"^(protocol|auth|store)/")
IMPURE = re.compile(r"\b(?:printf|fprintf|vfprintf|puts|fputs|perror|syslog|fopen|getenv|socket)"
                    r"\s*\(")
LAST_WORDS = ("protocol/base/err.c", "protocol/base/mem.c")  # said just before abort()

# The clouds by their folders, what else they are called, and how their rules' ids begin.
_CLOUDS = sorted({name.split("/")[2] for name in files()
                  if re.match(r"protocol/cloud/\w+/\w+\.c$", name)})
_PREFIXES = sorted({prefix for name in files() if re.match(r"protocol/cloud/\w+/.*\.def$", name)
                    for prefix in re.findall(r'^RULE\(\w+, "([A-Z]+)-', text(name), re.M)})
VENDORS = re.compile(rf"\b(?!ENOSPC\b)(?:{'|'.join([*_CLOUDS, 'alibaba', 'qcloud', 'envision'])})"
                     rf"|\b(?:{'|'.join(set(_PREFIXES) - {'COAP'})})-[A-Z]", re.I)
VENDOR_HOMES = re.compile(r"^(?:protocol/cloud/(?:\w+/|CMakeLists\.txt)|fixtures/|tests/|docker/)"
                          r"|\.md$")

_ANY_PREFIX = "|".join(sorted({*_PREFIXES, "COAP", "MQTT"}))
RULE_ID = re.compile(rf"\b(?:{_ANY_PREFIX})-[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*\b")
RULE_LITERAL = re.compile(rf'"((?:{_ANY_PREFIX})-[A-Z0-9.-]+)"')


def check():
    for name in product_files():
        yield from _banned(name)
        yield from _impure(name)
    for name in files():
        yield from _vendors(name)
    for name in c_files():
        yield from _conditionals(name)
        yield from _opening(name)
    yield from _rule_ids()


def _banned(name):
    for pattern, allowed, instead in BANNED:
        if allowed and re.match(allowed, name):
            continue
        for match in re.finditer(rf"(?<![\w.>])({pattern})\s*\(", code(name)):
            yield Problem(name, line_of(code(name), match.start()), f"{match[1]}() is banned",
                          f"use {instead}")


def _impure(name):
    if not PURE.match(name) or name in LAST_WORDS:
        return
    for match in IMPURE.finditer(code(name)):
        yield Problem(name, line_of(code(name), match.start()),
                      f"{match.group().rstrip('( ')}() below server/",
                      "return an error with a struct sky_why and let server/ speak")


def _vendors(name):
    if VENDOR_HOMES.search(name) or not name.endswith((".c", ".h", ".txt", ".cmake", ".in")):
        return
    for match in VENDORS.finditer(text(name)):
        yield Problem(name, line_of(text(name), match.start()), f"names a vendor ({match.group()})",
                      "make it a row of that cloud's table")


def _conditionals(name):
    depth = 0
    for number, line in enumerate(code(name).splitlines(), 1):
        if depth > 0 and re.match(r"\s*#\s*(?:if|ifdef|ifndef|elif|else)\b", line):
            yield Problem(name, number, "conditional compilation inside a body",
                          "choose by file or by table")
        if not re.match(r"\s*#", line):
            depth += line.count("{") - line.count("}")


def _opening(name):
    if name.endswith(".h") and not text(name).startswith("/* "):
        yield Problem(name, 1, "the header does not open with a comment",
                      "say in a sentence what it owns and must never know")


def _rule_ids():
    sources = [name for name in files() if name.endswith((".c", ".h", ".def"))]
    known = {match for name in sources for match in RULE_LITERAL.findall(text(name))}
    for name in files():
        if not name.endswith((".md", ".json", ".py")) or name.startswith(("tests/lint/", "tests/fuzz/")):
            continue
        for match in RULE_ID.finditer(text(name)):
            if match.group() not in known:
                yield Problem(name, line_of(text(name), match.start()),
                              f"no rule is called {match.group()}",
                              "see `skymock rules` for those there are")
