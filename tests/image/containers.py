"""The image as docker/Dockerfile makes it, by Debian's buildah, run by its podman: neither has a
daemon, and both work within a container, for root."""

import json
import os
import shutil
import subprocess
import time
import uuid

import pytest
import server

TOOLS = ("buildah", "podman", "runc", "mmdebstrap")
BASE = "docker.io/library/debian:bookworm-slim"
ARCHIVE = server.ROOT / "build/base/debian.tar"
BUILD = ("--isolation", "chroot", "--network", "host", "--pull-never", "--layers")
RUN = ("--network", "host", "--ulimit", "nofile=10000:10000", "--ulimit", "nproc=4096:4096")
BUILD_S = 1800


# A device of each cloud among the examples, what it publishes, and where.
EXCHANGES = {
    "aliyun": ("aliyun/pk/device", "/pk/device/user/update", "hello"),
    "tencent": ("tencent/PROD123456/dev001", "PROD123456/dev001/data", "hello"),
    "enos": ("enos/KV315idW/tPbZGCdmaE", "/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post",
             '{"id":"1","version":"1.0","params":{"measurepoints":{"temp":1.02},'
             '"time":1548753362502},"method":"thing.measurepoint.post"}'),
}


class Impossible(Exception):
    """Something that this machine does not allow; the image itself may be in order."""


def possible(what, *arguments, **options):
    try:
        return what(*arguments, **options)
    except Impossible as why:
        return pytest.skip(f"the image: {why}")


def run(*command, timeout=server.PATIENCE_S, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=timeout, check=False, **options)


def must(*command, **options):
    """What a command prints; it is one that has to go well."""
    done = run(*command, **options)
    assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
    return done.stdout.strip()


def podman(*arguments, **options):
    return run("podman", "--runtime", "runc", *arguments, **options)


def look_around():
    """Raises Impossible where no image can be built or run."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        raise Impossible(f"there is no {missing[0]} here")
    if os.geteuid() != 0:
        raise Impossible("that takes root's rights")


def have_base():
    """Debian as the registry has it, made of Debian's packages: nothing is asked of a registry."""
    if run("podman", "image", "exists", BASE).returncode == 0:
        return
    if not ARCHIVE.exists():
        ARCHIVE.parent.mkdir(parents=True, exist_ok=True)
        part = ARCHIVE.with_suffix(".part.tar")
        done = run("mmdebstrap", "--variant=minbase", "bookworm", part, timeout=BUILD_S)
        if done.returncode != 0:
            raise Impossible(f"mmdebstrap: {done.stderr[-500:]}")
        part.rename(ARCHIVE)
    done = run("podman", "import", ARCHIVE, BASE, timeout=BUILD_S)
    if done.returncode != 0:
        raise Impossible(f"podman import: {done.stderr[-500:]}")


def build(*options):
    """By ./dev image; says how long it took."""
    have_base()
    begun = time.monotonic()
    done = run("./dev", "image", *options, *BUILD, timeout=BUILD_S, cwd=server.ROOT,
               env={**os.environ, "CONTAINER_TOOL": "buildah"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    print(f"\nimage: built in {time.monotonic() - begun:.0f} s")


def inspect(image):
    return json.loads(must("podman", "image", "inspect", image))[0]


class Root:
    """A container's files without a container."""

    def __init__(self, image):
        self.name = must("buildah", "from", "--pull-never", image)
        self.path = must("buildah", "mount", self.name)

    def close(self):
        must("buildah", "rm", self.name)


def free_port():
    with server.socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Container:
    """One that runs skymock on free ports of the loopback."""

    def __init__(self, image, *command, options=(), environment=()):
        self.name = f"skymock-test-{uuid.uuid4().hex[:12]}"
        admin = free_port()
        self.url = f"http://127.0.0.1:{admin}"
        here = {"SKYMOCK_HOST": "127.0.0.1", "SKYMOCK_LISTEN": f"all=0 admin={admin}",
                "SKYMOCK_URL": self.url, **dict(environment)}
        done = podman("run", "--detach", "--name", self.name, *RUN, *options,
                      *(f"--env={key}={value}" for key, value in here.items()), image, *command)
        if done.returncode != 0:
            podman("rm", "--force", self.name)
            raise Impossible(f"podman run: {done.stderr[-1000:]}")
        try:
            self.ports = self._await_ready()
            self.pid = int(self.state("Pid"))
        except BaseException:
            self.remove()
            raise
        self.api = server.Api(self.ports["admin"])

    def _await_ready(self):
        """The listeners' ports, from the line that it prints when it is ready."""
        deadline = time.monotonic() + server.PATIENCE_S
        while time.monotonic() < deadline:
            for line in self.logs().splitlines():
                if line.startswith("skymock is ready:"):
                    pairs = (word.split("=") for word in line.split(":", 1)[1].split())
                    return {name: int(where.rpartition(":")[2]) for name, where in pairs}
            if self.state("Status") == "exited":
                break
            time.sleep(0.05)
        raise AssertionError(f"skymock did not start: {self.logs()}")

    def logs(self):
        done = podman("logs", self.name)
        return done.stdout + done.stderr

    def state(self, field):
        return must("podman", "inspect", "--format", f"{{{{.State.{field}}}}}", self.name)

    def healthcheck(self):
        """Does the image's own find it well?"""
        return podman("healthcheck", "run", self.name).returncode == 0

    def memory(self, field="VmRSS"):
        """KiB of the process itself."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field + ":"))

    def stop(self):
        """(exit code, milliseconds from SIGTERM to the end of the process)."""
        watched = os.pidfd_open(self.pid)
        begun = time.monotonic()
        os.kill(self.pid, 15)
        server.select.select([watched], [], [], server.PATIENCE_S)
        took = (time.monotonic() - begun) * 1000
        os.close(watched)
        return int(must("podman", "wait", self.name)), took

    def remove(self):
        podman("rm", "--force", "--time", "2", self.name)
