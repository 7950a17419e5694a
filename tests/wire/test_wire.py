"""Replays the scripts beside this file, each three ways: packets whole, byte by byte, and every
packet but the login split once at every offset. README.md says how a script is written."""

import json
from contextlib import contextmanager
from pathlib import Path

import packets
import pytest
import server
from credentials import login

SCRIPTS = sorted(Path(__file__).parent.glob("*.json"))
SPLIT_MAX = 600  # a longer packet is split at its first offsets only


@pytest.fixture(scope="module")
def servers():
    """One server for each set of options that scripts ask for."""
    running = {}

    def find(options):
        if options in running and running[options].process.poll() is not None:
            died.append(running.pop(options))  # let the next script have a chance
        if options not in running:
            running[options] = server.Skymock(*options)
        return running[options]

    died = []
    yield find
    for each in [*running.values(), *died]:
        each.stop()


def bytes_of(packet, names):
    """Hex as it stands, or a packet; "login" fills in a device's credentials."""
    if isinstance(packet, str):
        return bytes.fromhex(packet)
    packet = {key: resolve(value, names) for key, value in packet.items()}
    if "login" in packet:
        how = packet.pop("how", {})
        packet = {**login(packet.pop("login"), **how), **packet}
    return packets.encode(packet)


def resolve(value, names):
    return names[value] if isinstance(value, str) and value in names else value


class Replay:
    """One pass over a script. `cut(step number, bytes)` says in which pieces bytes are sent."""

    def __init__(self, running, script, cut):
        self.running, self.script, self.cut = running, script, cut
        self.peers, self.names = {}, {}
        self.history = []

    def run(self):
        frozen = any("advance_ms" in step for step in self.script["steps"])
        self.running.api.reset()
        if frozen:
            self.running.api.freeze()
        try:
            for number, step in enumerate(self.script["steps"]):
                with self.explained(number, step):
                    self.play(number, step)
        finally:
            for peer in self.peers.values():
                peer.close()
            if frozen:
                self.running.api.post("/api/v1/clock/resume")

    @contextmanager
    def explained(self, number, step):
        try:
            yield
        except (AssertionError, OSError, packets.Malformed) as error:
            raise AssertionError("\n".join([
                f"{self.script['title']}: step {number + 1}: {step.get('comment', '')}",
                f"  the script: {json.dumps(step)}", "  before that:",
                *(f"    {line}" for line in self.history[-8:]), f"  {error}"])) from error

    def peer(self, step):
        name = step.get("on", "a")
        if name not in self.peers:
            listener = step.get("listener", self.script.get("listener", "mqtt"))
            self.peers[name] = server.Peer(self.running.ports[listener])
        return self.peers[name]

    def play(self, number, step):
        for verb in ("send", "recv", "quiet", "expect_close", "drop", "advance_ms", "event",
                     "no_event", "api", "verdict"):
            if verb in step:
                getattr(self, verb)(number, step)
                self.history.append(f"{verb} {json.dumps(step[verb])[:160]}")
                return
        raise ValueError(f"step {number + 1} has no verb: {step}")

    def send(self, number, step):
        pieces = self.cut(number, bytes_of(step["send"], self.names))
        for piece in pieces[:-1]:
            self.peer(step).send(piece)
            self.running.api.barrier()
        self.peer(step).send(pieces[-1])

    def recv(self, _, step):
        """A list is met in any order."""
        wanted = step["recv"] if isinstance(step["recv"], list) else [step["recv"]]
        wanted = list(wanted)
        while wanted:
            got = self.peer(step).receive()
            assert got is not None, "the server closed the connection instead"
            match = next((each for each in wanted if self.is_wanted(got, each)), None)
            assert match is not None, f"received {json.dumps(got)[:500]} instead"
            wanted.remove(match)
        for key, name in step.get("save", {}).items():
            self.names[name] = got[key]

    def is_wanted(self, got, wanted):
        if isinstance(wanted, str):
            first, body, rest = packets.take(bytes.fromhex(wanted))
            assert not rest
            return got == packets.decode(first, body)
        wanted = {key: resolve(value, self.names) for key, value in wanted.items()}
        if isinstance(wanted.get("payload"), dict) and "json" in wanted["payload"]:
            body = json.loads(got.get("payload", "null"))
            return server.covers({**got, "payload": body},
                                 {**wanted, "payload": wanted["payload"]["json"]})
        return server.covers(got, wanted)

    def quiet(self, _, step):
        """A round trip through the server, and nothing has come."""
        self.running.api.barrier()
        pending = self.peer(step).pending()
        assert not pending, f"received {pending.hex()} where nothing was due"

    def expect_close(self, _, step):
        got = self.peer(step).receive()
        assert got is None, f"received {json.dumps(got)[:500]}; the connection should be closed"
        self.drop(_, {"drop": step.get("on", "a")})

    def drop(self, _, step):
        self.peers.pop(step["drop"]).close()

    def advance_ms(self, _, step):
        self.running.api.barrier()
        self.running.api.advance(step["advance_ms"])

    def event(self, _, step):
        self.running.api.wait_event(step["event"], wait_ms=2000)

    def no_event(self, _, step):
        self.running.api.barrier()
        for event in self.running.api.events(limit=1000):
            assert not server.covers(event, step["no_event"]), f"there is {json.dumps(event)}"

    def verdict(self, _, step):
        """For each device its verdict and the rules that it owes it to."""
        self.running.api.barrier()
        for device, (verdict, *rules) in step["verdict"].items():
            got, = self.running.api.verdict(device)["devices"]
            against = [each["id"] for each in got["rules"]
                       if each["verdict"] in ("warned", "failed")]
            assert (got["verdict"], sorted(against)) == (verdict, sorted(rules)), (
                f"{device}: {got['verdict']}, {against}\n" + server.describe_missing(
                    {}, [e for e in self.running.api.events(limit=1000) if e["findings"]]))

    def api(self, _, step):
        status, body = self.running.api.request(*step["api"])
        right = status == step["status"] if "status" in step else status < 400
        assert right, f"the admin API answered {status}: {body}"
        expected = step.get("answer", {})
        assert server.covers(body, expected), f"the admin API answered {body}"


def whole(_, data):
    return [data]


def bytewise(_, data):
    return [data[at:at + 1] for at in range(len(data))] or [b""]


def split_at(step, offset):
    def cut(number, data):
        return [data[:offset], data[offset:]] if number == step else [data]
    return cut


def is_login(packet):
    return isinstance(packet, dict) and packet["type"] == "connect"


def splits(script):
    """(step, offset) for every place to split at. Logins count only where they are the matter."""
    if not script.get("split", True):
        return
    # Saved packet ids are not known before the replay; any number has the right length.
    names = {name: 1 for step in script["steps"] for name in step.get("save", {}).values()}
    sends = [(number, step["send"]) for number, step in enumerate(script["steps"]) if "send" in step]
    only_logins = all(is_login(packet) for _, packet in sends)
    for number, packet in sends:
        if is_login(packet) and not (only_logins and script.get("split_login")):
            continue
        size = len(bytes_of(packet, names))
        for offset in range(1, min(size, SPLIT_MAX)):
            yield number, offset


@pytest.fixture(params=SCRIPTS, ids=lambda path: path.stem)
def script(request):
    return json.loads(request.param.read_text())


def test_packets_whole(script, servers):
    Replay(servers(tuple(script.get("options", ()))), script, whole).run()


def test_byte_by_byte(script, servers):
    Replay(servers(tuple(script.get("options", ()))), script, bytewise).run()


def test_split_at_every_offset(script, servers):
    for step, offset in splits(script):
        Replay(servers(tuple(script.get("options", ()))), script, split_at(step, offset)).run()
