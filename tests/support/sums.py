"""The sums of a store's pages (store/sums.h), for tests that change a file on purpose, by sqlite3 or
byte by byte, and ask what skymock makes of what is in it then."""

import struct
from pathlib import Path

PAGE, ROOM = 4096, 8
WORDS = struct.Struct(f"<{(PAGE - ROOM) // 8}Q")
FACTOR, BITS = 0x9E3779B97F4A7C15, 2 ** 64 - 1


def sum_of(page, number):
    total = number
    for word in WORDS.unpack_from(page):
        total = (total ^ word) * FACTOR & BITS
        total ^= total >> 32
    return total.to_bytes(ROOM, "little")


def mended(data):
    """With the sum of what is in it in every page that is whole."""
    out = bytearray(data)
    for at in range(0, len(data) - PAGE + 1, PAGE):
        page = data[at:at + PAGE]
        out[at + PAGE - ROOM:at + PAGE] = sum_of(page, at // PAGE + 1)
    return bytes(out)


def mend(path):
    path = Path(path)
    path.write_bytes(mended(path.read_bytes()))
