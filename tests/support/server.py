"""A skymock process for a test, its admin API, and a raw MQTT peer."""

import http.client
import json
import os
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import credentials
import packets

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SKYMOCK_BUILD", ROOT / "build/debug"))
PROGRAM = BUILD / os.environ.get("SKYMOCK_PROGRAM", "skymock")
FIXTURES = Path(__file__).with_name("fixtures.json")
LISTENERS = ("mqtt", "mqtts", "coaps", "https", "admin", *credentials.listeners())
PATIENCE_S = 30  # for a machine under load; nothing here waits that long otherwise
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("SKYMOCK_")}


def run(*arguments, **options):
    """A subcommand to its end, with its output."""
    return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False, env=ENVIRONMENT, **options)


class Skymock:
    """One server on free ports."""

    def __init__(self, *options, fixtures=FIXTURES, program=(str(PROGRAM),)):
        self._folder = tempfile.TemporaryDirectory(prefix="skymock-test-")
        ports_file = Path(self._folder.name) / "ports.json"
        command = [*program, "serve", "--ports-file", str(ports_file)]
        for name in LISTENERS:
            command += ["--listen", f"{name}=0"]
        if fixtures:
            command += ["--fixtures", str(fixtures)]
        self._errors = open(Path(self._folder.name) / "stderr", "w+", encoding="utf-8")
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE,
                                        stderr=self._errors, env=ENVIRONMENT)
        self._await_ready()
        self.ports = json.loads(ports_file.read_text())
        self.api = Api(self.ports["admin"])
        self._begun = False

    def _await_ready(self):
        """The line it prints; end of file means it is gone."""
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        line = self.process.stdout.readline() if readable else b""
        if not line:
            self.process.kill()
            raise AssertionError(f"skymock did not start: {self.errors()}")
        self.ready_line = line.decode()

    def errors(self):
        self._errors.seek(0)
        return self._errors.read()

    def begin_again(self):
        """As when this was first called: a snapshot knows what devices there were then."""
        self.api.post("/api/v1/clock/resume")
        if self._begun:
            self.api.post("/api/v1/snapshots/begin/restore")
        else:
            self.api.post("/api/v1/snapshots", {"name": "begin"})
        self._begun = True
        self.api.reset()

    def stop(self):
        """Ends it as a user would; anything but a clean exit fails the test. Once is enough."""
        if self._errors.closed:
            return
        self.api.close()
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        errors = self._leave()
        assert code == 0, f"skymock ended with {code}: {errors}"

    def kill(self):
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.api.close()
        self._leave()

    def _leave(self):
        self.process.stdout.close()
        errors = self.errors()
        self._errors.close()
        self._folder.cleanup()
        return errors


class ApiError(AssertionError):
    """The admin API answered with an error."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Api:
    """The admin API over one kept-alive connection."""

    def __init__(self, port, token=None):
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def close(self):
        self._connection.close()

    def request(self, method, path, body=None, **query):
        """(status, body): JSON decoded where it is JSON."""
        query = {key: value for key, value in query.items() if value is not None}
        target = path + ("?" + urlencode(query) if query else "")
        headers = dict(self._headers)
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        elif method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = "0"
        try:
            self._connection.request(method, target, data, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise AssertionError(f"no answer to {method} {target}: {error!r}") from error
        if "json" in (answer.getheader("Content-Type") or ""):
            return answer.status, json.loads(text)
        return answer.status, text.decode(errors="replace")

    def call(self, method, path, body=None, **query):
        status, answer = self.request(method, path, body, **query)
        if status >= 400:
            raise ApiError(status, answer)
        return answer

    def get(self, path, **query):
        return self.call("GET", path, **query)

    def post(self, path, body=None, **query):
        return self.call("POST", path, body, **query)

    def barrier(self):
        """Returns after the server has read whatever was sent to it before."""
        self.get("/health")

    # ---- events ----

    def last_seq(self):
        events = self.get("/api/v1/events", limit=1, order="desc")["events"]
        return events[0]["seq"] if events else 0

    def events(self, since=0, **filters):
        return self.get("/api/v1/events", since=since, **filters)["events"]

    def wait_event(self, expected, since=0, wait_ms=5000):
        """The first event after `since` that has every field of `expected`."""
        deadline = time.monotonic() + wait_ms / 1000
        seen = []
        while True:
            left = max(0, int((deadline - time.monotonic()) * 1000))
            seen += self.events(since=seen[-1]["seq"] if seen else since, limit=1000,
                                wait_ms=min(left, 1000), type=expected.get("type"))
            for event in seen:
                if covers(event, expected):
                    return event
            if not left:
                raise AssertionError(describe_missing(expected, seen))

    def verdict(self, device):
        return self.get("/api/v1/verdicts", device=device)

    # ---- time ----

    def freeze(self):
        return self.post("/api/v1/clock/freeze")

    def advance(self, milliseconds):
        return self.post("/api/v1/clock/advance", {"ms": milliseconds})

    def reset(self):
        return self.post("/api/v1/reset")


def covers(event, expected):
    """Has the event everything that is expected of it? "rules": ids its findings must name."""
    for key, value in expected.items():
        if key == "rules":
            if not set(value) <= {finding["rule"] for finding in event.get("findings", [])}:
                return False
        elif isinstance(value, dict) and isinstance(event.get(key), dict):
            if not covers(event[key], value):
                return False
        elif event.get(key) != value:
            return False
    return True


def describe_missing(expected, seen):
    """What the device did, what was expected, which rule: for a person who sees a red test."""
    lines = [f"expected an event with {json.dumps(expected)}"]
    if "rules" in expected:
        lines.append(f"that names the rule {', '.join(expected['rules'])}")
    lines.append("what was seen instead:" if seen else "nothing was seen")
    for event in seen[-20:]:
        rules = [f"{finding['rule']}: {finding['detail']}" for finding in event.get("findings", [])]
        short = {key: value for key, value in event.items()
                 if key not in ("findings", "explanation", "time", "realTime", "transport")}
        lines.append(f"  {json.dumps(short)} {' | '.join(rules)}")
    return "\n".join(lines)


class Peer:
    """A device at the level of bytes."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = b""

    def send(self, data):
        """Whatever is said to a peer that has already hung up is lost, as it is in the field."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_packet(self, **packet):
        self.send(packets.encode(packet))

    def receive(self):
        """The next packet, or None when the server closed the connection."""
        while True:
            taken = packets.take(self._data) if self._data else None
            if taken:
                first, body, self._data = taken
                return packets.decode(first, body)
            more = self._more()
            if more is None:
                assert not self._data, f"closed within a packet: {self._data.hex()}"
                return None
            self._data += more

    def _more(self):
        """The next bytes, or None when the server closed the connection."""
        try:
            return self.socket.recv(65536) or None
        except ConnectionResetError:
            return None

    def pending(self):
        """What has arrived and not been looked at, without waiting."""
        while select.select([self.socket], [], [], 0)[0]:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            self._data += more
        return self._data

    def close(self):
        self.socket.close()


class TlsPeer(Peer):
    """The same over TLS."""

    def __init__(self, port, context, name="localhost"):
        super().__init__(port)
        self.socket = context.wrap_socket(self.socket, server_hostname=name)
