"""Every call into the system fails in turn, once or for good, while one scripted session is played:
skymock says so and ends, or goes on; what it answers is right or an error; and when the calls
succeed again, everything does."""

import contextlib
import os
import random
import shutil
import time

import failing
import pytest
import server
import session

# What may fail, and how. Calls of the sanitizers' and the C library's own are not among these.
ERRORS = {
    "open": ("EMFILE", "EACCES"), "mkostemp": ("EMFILE", "ENOSPC"), "close": ("EIO",),
    "read file": ("EIO",), "read socket": ("ECONNRESET",), "pread64 file": ("EIO",),
    "write file": ("ENOSPC",), "write socket": ("EPIPE", "ECONNRESET"),
    "pwrite64 file": ("ENOSPC", "EIO"), "fsync": ("EIO",), "fdatasync": ("EIO",),
    "ftruncate64": ("EIO",), "fchmod": ("EPERM",), "rename": ("EACCES",), "unlink": ("EACCES",),
    "access": ("EACCES",), "realpath": ("EIO",), "stat": ("EIO",), "stat64": ("EIO",),
    "lstat64": ("EIO",), "fstat64": ("EIO",), "fcntl": ("ENOLCK",), "socket": ("EMFILE",),
    "socketpair": ("EMFILE",), "bind": ("EADDRINUSE",), "listen": ("EADDRINUSE",),
    "accept4": ("EMFILE", "ECONNABORTED"), "connect": ("ECONNREFUSED",), "send": ("EPIPE",),
    "recv": ("ECONNRESET",), "sendmsg": ("ENOBUFS", "EPERM"), "recvmsg": ("ECONNREFUSED",),
    "setsockopt": ("ENOBUFS",), "getsockopt": ("ENOBUFS",), "getsockname": ("ENOBUFS",),
    "getpeername": ("ENOTCONN",), "shutdown": ("ENOTCONN",), "epoll_create1": ("EMFILE",),
    "eventfd": ("EMFILE",), "pipe2": ("EMFILE",), "pthread_create": ("EAGAIN",),
    "mmap": ("ENOMEM",), "getrandom": ("ENOSYS",), "dlopen": ("ENOENT",),
}
# skymock tries as many threads as libuv will make, and a pipe: then libuv aborts when it cannot have
# its own.
COUNTS_MAX = {"pthread_create": 4, "pipe2": 1}
# All of them, and not a few of each: some minutes.
ALL = os.environ.get("SKYMOCK_FAIL_ALL") is not None
SEED = int(os.environ.get("SKYMOCK_FAIL_SEED", 1))
FEW, AMONG, LINES_MAX = 1, 16, 20
SPIN_S, PATIENCE_S = 0.2, 8
EATEN_S = 1  # for an answer, while each call fails: it may have been eaten


class Bench:
    """Where trials are made: from a store that a session was played on, so that all is in it."""

    def __init__(self, folder):
        self.folder, self.trials = folder, 0
        self.calls = failing.Calls(folder / "calls", ERRORS)
        self.options = ("--capture", str(folder / "capture.pcapng"), "--forward",
                        "http://127.0.0.1:9/nobody", "--store", str(folder / "store"))
        running = self.start()
        session.Session(running, 0).play()
        running.stop()
        shutil.copy(folder / "store", folder / "before")
        running = self.begin()
        self.want = session.Session(running, 1).play()
        troubles = {step: each for step, each in self.want.items() if isinstance(each, Exception)}
        assert not troubles, troubles
        running.stop()
        self.counts = {name: self.calls.count(name) for name in ERRORS}

    def start(self):
        return failing.Skymock(self.calls, *self.options)

    def begin(self, *arm):
        """A server on the same store each time."""
        (self.folder / "store-wal").unlink(missing_ok=True)
        shutil.copy(self.folder / "before", self.folder / "store")
        self.calls.forget()
        if arm:
            self.calls.arm(*arm)
        return self.start()

    def trial(self, name, number, error, for_good):
        """The session with that call failing. Gives what is wrong, if anything is."""
        self.trials += 1
        running = None
        try:
            running = self.begin(name, number, error, for_good)
            self.serves(running, for_good)
            running.stop()
        except failing.NotStarted as end:
            self.refused(end)
            self.calls.heal()
            running = self.start()
            self.plays(running, 2)
            running.stop()
        finally:
            if running and running.process.poll() is None:
                running.kill()

    @staticmethod
    def refused(end):
        lines = end.errors.splitlines()
        assert end.code == 2, f"exit status {end.code}: {end.errors}"
        assert lines and all(line.startswith("skymock: ") for line in lines), end.errors
        assert len(lines) <= 2, end.errors

    def plays(self, running, number):
        """All as it should be."""
        play = session.Session(running, number)
        came = play.play()
        assert came == self.want, {step: came[step] for step in came
                                   if came[step] != self.want[step]}
        return play

    def serves(self, running, for_good):
        with patience(running, EATEN_S if for_good else PATIENCE_S):
            first = session.Session(running, 1)
            results = first.play()
        for step, came in results.items():
            assert running.process.poll() is None, (step, running.process.poll(), running.errors())
            if not isinstance(came, session.TROUBLE):
                assert came == self.want[step], (step, came)
        if for_good:
            before = cpu_s(running)
            time.sleep(SPIN_S)  # in which a loop that spins would burn as much
            assert cpu_s(running) - before < SPIN_S / 2, "it spins"
        self.calls.heal()
        second = self.plays(running, 2)
        for path, answer in {**first.promised, **second.promised}.items():
            assert running.api.get(path) == answer
        lines = running.errors().splitlines()
        assert all(line.startswith("skymock: ") or " refused by " in line for line in lines), lines
        assert len(lines) < LINES_MAX, lines


@contextlib.contextmanager
def patience(running, seconds):
    """So long is waited for each answer in between, that of the admin API too."""
    api, server.PATIENCE_S = running.api, seconds
    running.api = server.Api(api.port)
    yield
    running.api.close()
    running.api, server.PATIENCE_S = api, PATIENCE_S


def cpu_s(running):
    fields = open(f"/proc/{running.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Whoever waits here for an answer that a failure has eaten waits less long."""
    prepared = Bench(tmp_path_factory.mktemp("in-turn"))
    before, server.PATIENCE_S = server.PATIENCE_S, PATIENCE_S
    yield prepared
    server.PATIENCE_S = before


def some(name, count, for_good):
    """Which of the calls are tried: the same on every machine, though some calls are more there."""
    if ALL or count <= FEW:
        return range(1, count + 1)
    chance = random.Random(f"{SEED} {name} {for_good}")
    return chance.sample(range(1, min(count, AMONG) + 1), FEW)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for-good"])
@pytest.mark.parametrize("name", ERRORS)
def test_each_call_in_turn(bench, name, for_good):
    wrong = []
    for number in some(name, min(bench.counts[name], COUNTS_MAX.get(name, bench.counts[name])),
                       for_good):
        for error in ERRORS[name] if ALL else ERRORS[name][:1]:
            try:
                bench.trial(name, number, error, for_good)
            except (AssertionError, OSError, failing.NotStarted) as trouble:
                wrong.append(f"{name} {number} {error}: {trouble}")
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
