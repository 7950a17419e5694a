"""Calls into the system that fail when a test wants it: the other end of tests/fail/failing_calls.c.

Both have a file mapped, a line of it for each kind of call: how often it was made, from which time
on to fail, until which, and with what error."""

import errno
import mmap
import struct
import subprocess
from pathlib import Path

import server

LIBRARY = server.BUILD / "tests/fail/libfailing_calls.so"
ROWS_MAX = 64
FOR_GOOD = 2 ** 62
ROW = struct.Struct("=20siqqqqi4x")
CALLS, FIRED, FROM, UNTIL, ERROR = 24, 32, 40, 48, 56
KINDS = {"": 0, "file": 1, "socket": 2}


def sanitizer(program):
    """The run-time library of the sanitizer that the program has, which must be loaded first."""
    linked = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True)
    return [line.split()[2] for line in linked.stdout.splitlines()
            if line.split()[0].startswith(("libasan", "libtsan"))]


class Calls:
    """`names` are functions, or "function file" and "function socket" for those of its calls that
    are about such a descriptor."""

    def __init__(self, path, names):
        assert len(names) < ROWS_MAX
        self._at = {name: number * ROW.size for number, name in enumerate(names)}
        rows = bytearray(ROWS_MAX * ROW.size)
        for name, at in self._at.items():
            function, _, kind = name.partition(" ")
            ROW.pack_into(rows, at, function.encode(), KINDS[kind], 0, 0, 0, 0, 0)
        path = Path(path)
        path.write_bytes(rows)
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), len(rows))
        self.environment = {
            "FAILING_CALLS": str(path),
            "LD_PRELOAD": " ".join([*sanitizer(server.PROGRAM), str(LIBRARY)])}

    def _get(self, name, field):
        return struct.unpack_from("=q", self._map, self._at[name] + field)[0]

    def _put(self, name, field, value, form="=q"):
        struct.pack_into(form, self._map, self._at[name] + field, value)

    def arm(self, name, number, error, for_good=False):
        """The call `number` from now fails; `for_good`: and all that follow."""
        first = self.count(name) + number
        self._put(name, ERROR, getattr(errno, error), "=i")
        self._put(name, UNTIL, FOR_GOOD if for_good else first)
        self._put(name, FROM, first)

    def heal(self):
        for name in self._at:
            self._put(name, FROM, 0)

    def count(self, name):
        return self._get(name, CALLS)

    def fired(self, name):
        return self._get(name, FIRED)

    def forget(self):
        """As if nothing had been called yet."""
        for name in self._at:
            for field in (FROM, CALLS, FIRED):
                self._put(name, field, 0)


def _own(errors):
    """Without what gcov says (./dev coverage) when it cannot open its files either."""
    return "".join(line for line in errors.splitlines(keepends=True)
                   if not line.startswith("profiling:"))


class NotStarted(Exception):
    """It ended before it was ready."""

    def __init__(self, code, errors):
        super().__init__(f"{code}: {errors}")
        self.code, self.errors = code, errors


class Skymock(server.Skymock):
    """A server whose calls may fail, from its first one."""

    def __init__(self, calls, *options, **how):
        words = [f"{name}={value}" for name, value in calls.environment.items()]
        super().__init__(*options, program=("env", *words, str(server.PROGRAM)), **how)

    def _await_ready(self):
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait(server.PATIENCE_S)
            raise NotStarted(code, _own(self._leave()))
        self.ready_line = line.decode()
