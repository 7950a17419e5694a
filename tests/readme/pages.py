"""Pages as a reader takes them: their blocks, run in order, and what those print beside what the
page says. `pages.py FILE` prints what the blocks of a page print."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import server  # noqa: E402

ROOT = server.ROOT

# Why a block may stay away from the test. It stands in the page before the block, as
# <!-- not run: REASON -->, and there are no other reasons.
REASONS = {
    "builds, or takes minutes",  # what ./dev build and ./dev test do is seen by running them
    "takes minutes, and a container engine",  # tests/image does that
    "needs your firmware",
    "goes on until it is ended",
    "needs Wireshark",  # tests/clients/test_captures.py reads captures with tshark
    "changes this machine",
}

# What a reader types at the standard ports, at the ports of this test; 8000 is whose messages are
# forwarded to. `{name}` is that listener's.
COMMANDS = [
    (r"\b(localhost|127\.0\.0\.1):8080\b", r"\1:{admin}"),
    (r"\blocalhost:8443\b", "localhost:{https}"),
    (r"\blocalhost(:|\", )8000\b", r"localhost\g<1>{business}"),
    (r"\bmosquitto_(pub|sub)\b(?![^\n]* -p )", r"mosquitto_\1 -p {mqtt}"),
    (r"(mosquitto_(?:pub|sub)[^\n]* -p )1883\b", r"\g<1>{mqtt}"),
    (r"(mosquitto_(?:pub|sub)[^\n]* -p )8883\b", r"\g<1>{mqtts}"),
]

# What is another with every run, on the page and in what was printed.
OUTPUT = [
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "DATE"),
    (r"\b\d\d:\d\d:\d\d\.\d{3}\b", "TIME"),
    (r"\b1[5-9]\d{11}\b", "MILLISECONDS"),
    (r"\b1[7-9]\d{8}\b", "SECONDS"),
    (r"\(\d+(?:\.\d+)? m?s\)", "(DURATION)"),
    (r"\bin \d+(?:\.\d+)? m?s\b", "in DURATION"),
    (r"((?:localhost|127\.0\.0\.1|\[::1\]):)\d+\b", r"\1PORT"),
    (r"(\"(?:mqtts?|https|admin|coaps|enos-mqtts?)\": ?)\d+\b", r"\1PORT"),
    (r"( -p )\d+\b", r"\1PORT"),
    (r"\bseed \d+\b", "seed SEED"),
    (r"\b(?:[0-9A-F]{32,}|[0-9a-f]{32,})\b", "DIGEST"),
    (r"[ \t]+$", ""),
]

# As the page's ./dev, but the program is the one under test, and it listens elsewhere.
DEV = """#!/bin/bash
[[ $1 == serve ]] || {{ echo "the test has no ./dev $1" >&2; exit 127; }}
shift
[[ " $* " == *" --fixtures "* || " $* " == *" --store "* ]] || export SKYMOCK_FIXTURES=fixtures
exec build/release/skymock serve "$@" {listen}
"""


@dataclass
class Block:
    """A fenced block: where, in what language, and what the comment before it says of it."""

    line: int
    language: str
    text: str
    note: str

    @property
    def reason(self):
        return self.note[len("not run: "):] if self.note.startswith("not run: ") else ""

    @property
    def serves(self):
        return self.text.startswith("./dev serve")


def blocks(text):
    fence = re.compile(r"^(?:<!-- (?P<note>[^\n]*) -->\n)?```(?P<language>\w*)\n"
                       r"(?P<text>.*?)^```$", re.M | re.S)
    return [Block(text.count("\n", 0, match.start("text")), match["language"], match["text"],
                  match["note"] or "") for match in fence.finditer(text)]


def normal(text):
    for pattern, put in OUTPUT:
        text = re.sub(pattern, put, text, flags=re.M)
    return text.strip("\n")


def says_so(page, printed):
    """Whether this was printed; `...` on the page stands for anything, more lines too where it
    is a line of its own."""
    pattern = ""
    for line in normal(page).split("\n"):
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(map(re.escape, line.split("..."))) + "\n"
    return re.fullmatch(pattern, normal(printed) + "\n") is not None


class Reader:
    """Somebody who follows a page from top to bottom, in a folder that looks like the tree."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for name in ("fixtures", "tests", "docker"):
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / "build").mkdir()
        (self.folder / "build" / "release").symlink_to(server.BUILD.resolve())
        names = [*server.LISTENERS, "business"]
        self.ports = dict(zip(names, free_ports(len(names))))
        listen = " ".join(f"--listen {name}={self.ports[name]}" for name in server.LISTENERS)
        dev = self.folder / "dev"
        dev.write_text(DEV.format(listen=listen))
        dev.chmod(0o755)
        self.variables = self.folder / ".variables"
        self.variables.write_text(f"export SKYMOCK_URL=http://localhost:{self.ports['admin']}\n")
        self.printed = self.folder / ".printed"
        self.printed.touch()
        self.served = self.folder / ".served"
        self.groups, self.server = [], None

    def here(self, command):
        """The command at this test's ports."""
        for pattern, put in COMMANDS:
            for name, port in self.ports.items():
                put = put.replace("{" + name + "}", str(port))
            command = re.sub(pattern, put, command)
        return command

    def run(self, block):
        """Exit status and a function that reads what has been printed so far."""
        if block.serves:
            return 0, self._serve(block)
        begin = self.printed.stat().st_size
        script = (f". {self.variables}\n{self.here(block.text)}\nstatus=$?\n"
                  f"export -p > {self.variables}\nexit $status\n")
        with open(self.printed, "ab") as output:
            process = subprocess.Popen(["bash", "-c", script], cwd=self.folder, stdout=output,
                                       stderr=output, stdin=subprocess.DEVNULL,
                                       env=server.ENVIRONMENT, start_new_session=True)
        self.groups.append(process.pid)
        status = process.wait(2 * server.PATIENCE_S)
        return status, lambda: self.printed.read_bytes()[begin:].decode()

    def _serve(self, block):
        """The server of a page runs until the next one begins, as in a terminal of its own."""
        self._end_server()
        with open(self.served, "wb") as output:
            self.server = subprocess.Popen(["bash", "-c", "exec " + self.here(block.text)], cwd=self.folder,
                                           stdout=output, stderr=output, env=server.ENVIRONMENT,
                                           stdin=subprocess.DEVNULL, start_new_session=True)
        until(lambda: b"is ready" in self.served.read_bytes() or self.server.poll() is not None)
        return self.served.read_text

    def _end_server(self):
        if self.server and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(server.PATIENCE_S)

    def close(self):
        self._end_server()
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)  # what a block left running, if anything
            except (ProcessLookupError, PermissionError):
                pass


def free_ports(count):
    """TCP ports that nobody had a moment ago."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


def until(condition, seconds=server.PATIENCE_S):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def follow(text, folder, tell=None, patience_s=10):
    """Runs a page; yields what is not so, a sentence each."""
    reader = Reader(folder)
    try:
        yield from _follow(blocks(text), reader, tell or (lambda *_: None), patience_s)
    finally:
        reader.close()


def _follow(all_blocks, reader, tell, patience_s):
    read, pending = (lambda: ""), None  # what the last block has printed; it, until it is compared
    for block in [*all_blocks, Block(0, "sh", "", "end")]:
        if block.language == "text":
            source = reader.served.read_text if block.note == "printed by the server" else read
            if source is read:
                pending = None
            if not until(lambda: matches(block, source), patience_s):
                yield f"line {block.line}: the page has\n{normal(block.text)}\nprinted was\n" \
                      f"{normal(source())}"
        if block.language != "sh":
            continue
        if pending and not pending.serves and read().strip():
            yield f"line {pending.line}: prints what the page does not show\n{read()}"
        pending = None
        if block.note == "end" or block.reason:
            continue
        status, read = reader.run(block)
        pending = block
        tell(block, status, read)
        shown = shown_after(all_blocks, block)
        if status in (126, 127) or (status != 0 and not shown):
            yield f"line {block.line}: ended with {status}\n{read()}"


def matches(block, source):
    if block.note == "printed by the server":  # the latest of it; what came before was shown
        count = len(normal(block.text).split("\n"))
        return says_so(block.text, "\n".join(source().rstrip("\n").split("\n")[-count:]))
    return says_so(block.text, source())


def shown_after(all_blocks, block):
    rest = all_blocks[all_blocks.index(block) + 1:]
    return bool(rest) and rest[0].language == "text"


def _tell(block, status, read):
    time.sleep(0.3)
    print(f"---- line {block.line}, {status}\n{block.text}>>>>\n{read()}")


if __name__ == "__main__":
    place = Path("/tmp/skymock-page")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for problem in follow(Path(sys.argv[1]).read_text(), place, _tell):
        print("!!!!", problem)
