"""Includes point down, and each third-party library has one door."""

import re

from tree import Problem, c_files, line_of, product_files, text

# What each layer may include besides itself.
BELOW = {
    "protocol/base": [],
    "auth": ["protocol/base"],
    "protocol/mqtt": ["protocol/base"],
    "protocol/coap": ["protocol/base"],
    "store": ["protocol/base"],
    "protocol/cloud": ["protocol/base", "auth", "protocol/mqtt", "protocol/coap"],
    "server": ["protocol/base", "auth", "protocol/mqtt", "protocol/coap", "protocol/cloud",
               "store"],
}

# Header, the files that may include it (regular expressions), and the name of the door.
DOORS = [
    (r"mbedtls/", [r"auth/", r"server/tls/"], "auth/ or server/tls/"),
    (r"uv\.h", [r"server/"], "server/"),
    (r"libwebsockets\.h", [r"server/port/ws\.c"], "server/port/ws.h"),
    (r"coap3/", [r"protocol/coap/"], "protocol/coap/"),
    (r"cjson/", [r"protocol/base/json\.", r"server/admin/"], "protocol/base/json.h"),
    (r"sqlite3\.h", [r"store/"], "store/"),
]

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


def layer_of(name):
    return max((layer for layer in BELOW if name.startswith(layer + "/")), key=len, default=None)


def check():
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
