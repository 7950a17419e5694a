"""Includes point down, and each third-party library has one door."""

import re

from tree import Problem, c_files, files, line_of, product_files, text

PROTOCOL = ["protocol/base", "auth", "protocol/mqtt", "protocol/coap", "protocol/http",
            "protocol/cloud"]
ROOMS = ["os", "journal", "pattern", "tls", "registry", "net", "wire", "fault", "capture", "broker",
         "port", "forward", "judge", "suite"]


def _rooms_below(*names):
    return PROTOCOL + ["store"] + [f"server/{name}" for name in names]


# What each layer and room may include besides itself.
BELOW = {
    "protocol/base": [],
    "auth": ["protocol/base"],
    "protocol/mqtt": ["protocol/base"],
    "protocol/coap": ["protocol/base"],
    "protocol/http": ["protocol/base", "auth"],
    "store": ["protocol/base"],
    "protocol/cloud": ["protocol/base", "auth", "protocol/mqtt", "protocol/coap"],
    "server/os": PROTOCOL,
    "server/journal": _rooms_below("os"),
    "server/tls": PROTOCOL + ["server/os"],
    "server/pattern": _rooms_below("os", "journal"),
    "server/registry": _rooms_below("os", "journal", "pattern", "tls"),
    "server/net": _rooms_below("os", "journal", "pattern", "tls", "registry"),
    "server/wire": _rooms_below("os", "journal", "pattern", "tls", "registry", "net"),
    "server/fault": _rooms_below("os", "journal", "pattern", "tls", "registry", "net", "wire"),
    "server/capture": _rooms_below("os", "journal", "pattern", "tls", "registry", "net", "wire"),
    "server/broker": _rooms_below("os", "journal", "pattern", "tls", "registry", "net", "wire"),
    "server/port": _rooms_below("os", "journal", "pattern", "tls", "registry", "net", "wire",
                                "broker"),
    "server/forward": _rooms_below("os", "journal", "pattern", "tls", "registry", "net", "wire",
                                   "broker"),
    "server/judge": _rooms_below("os", "journal", "pattern", "tls", "registry"),
    "server/suite": _rooms_below("os", "journal", "pattern", "tls", "registry", "net", "wire",
                                 "fault", "judge"),
    "server/admin": _rooms_below(*ROOMS) + ["server"],
    "server/cli": _rooms_below(*ROOMS) + ["server/admin", "server"],
    "server": _rooms_below(*ROOMS) + ["server/admin", "server/cli"],
}

# Only these see the program whole.
SEES_APP = ("server/app.c", "server/admin/", "server/cli/")
APP = "server/app.h"
AT_TOP_MAX = 12  # files directly in server/

# Header, the files that may include it (regular expressions), and the name of the door.
DOORS = [
    (r"mbedtls/", [r"auth/", r"server/tls/"], "auth/ or server/tls/"),
    (r"openssl/", [r"server/tls/curve\.c"], "server/tls/curve.h"),
    (r"uv\.h", [r"server/"], "server/"),
    (r"libwebsockets\.h", [r"server/port/ws\.c"], "server/port/ws.h"),
    (r"curl/", [r"server/forward/post\.c"], "server/forward/post.h"),
    (r"pcre2\.h", [r"server/pattern/regex\.c"], "server/pattern/regex.h"),
    (r"coap3/", [r"protocol/coap/"], "protocol/coap/"),
    (r"cjson/", [r"protocol/base/json_tree\."], "protocol/base/json_tree.h"),
    (r"sqlite3\.h", [r"store/"], "store/"),
]

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


def layer_of(name):
    return max((layer for layer in BELOW if name.startswith(layer + "/")), key=len, default=None)


def check():
    yield from _app_seen()
    yield from _cycles()
    yield from _top_crowded()
    for name in product_files():
        layer = layer_of(name)
        for match in _INCLUDE.finditer(text(name)):
            line = line_of(text(name), match.start())
            yield from _upward(name, line, layer, match.group(2))
            yield from _wrong_door(name, line, match.group(2))
    yield from _second_door()


def _upward(name, line, layer, header):
    other = layer_of(header)
    if layer and other and other != layer and other not in BELOW[layer]:
        yield Problem(name, line, f"{layer} must not know {other}",
                      "take a value as an argument, or move the code up")


def _wrong_door(name, line, header):
    for pattern, allowed, door in DOORS:
        if re.match(pattern, header) and not any(re.match(each, name) for each in allowed):
            yield Problem(name, line, f"{header} is included outside its door", f"go through {door}")


def _second_door():
    users = [name for name in c_files() if "<libwebsockets.h>" in text(name)]
    for name in users[1:]:
        yield Problem(name, 1, "a second file includes libwebsockets.h", f"go through {users[0]}")


def _app_seen():
    for name in product_files():
        if f'"{APP}"' in text(name) and not name.startswith(SEES_APP):
            yield Problem(name, 1, f"{APP} is not for this room", "take a narrow context or a hook")


def _top_crowded():
    top = [name for name in files() if re.match(r"server/[^/]+$", name)]
    if len(top) > AT_TOP_MAX:
        yield Problem("server", 0, f"{len(top)} files stand here, {AT_TOP_MAX} is the most",
                      "give it a room")


def _module(name):
    """x.c and x.h are one module."""
    return name.rsplit(".", 1)[0]


def _uses():
    """Module to the modules it includes."""
    modules = {_module(name) for name in product_files()}
    uses = {module: set() for module in modules}
    for name in product_files():
        for match in _INCLUDE.finditer(text(name)):
            other = _module(match.group(2))
            if match.group(1) == '"' and other in modules and other != _module(name):
                uses[_module(name)].add(other)
    return uses


def _cycles():
    """Every circle of modules, once: strongly connected parts with more than one of them."""
    uses, number, low, stack, circles = _uses(), {}, {}, [], []

    def visit(module):
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in sorted(uses[module]):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            circle = stack[stack.index(module):]
            del stack[stack.index(module):]
            if len(circle) > 1:
                circles.append(sorted(circle))

    for module in sorted(uses):
        if module not in number:
            visit(module)
    for circle in circles:
        yield Problem(circle[0], 0, "these include each other: " + ", ".join(circle),
                      "move what they share below them")
