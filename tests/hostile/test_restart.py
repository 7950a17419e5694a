"""Ends without warning and starts that cannot be: what was acknowledged is there afterwards, and
whoever cannot serve says so and leaves nothing behind."""

import os
import random
import socket
import threading
import time

import credentials
import pytest
import server

PRODUCT = "/api/v1/devices/tencent/PROD123456"
KILLS = int(os.environ.get("SKYMOCK_KILLS", 20))
SEED = int(os.environ.get("SKYMOCK_KILL_SEED", 5))
NEWS = "/broadcast/pk/news"
FREE_PORTS = [word for name in server.LISTENERS for word in ("--listen", f"{name}=0")]


class Talker(threading.Thread):
    """A device that publishes as fast as it is acknowledged, for as long as there is a server."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port

    def run(self):
        try:
            peer = server.Peer(self.port)
            peer.send_packet(type="connect", **credentials.login("aliyun/pk/device"))
            number = 0
            while peer.receive():
                number = number % 65535 + 1
                peer.send_packet(type="publish", qos=1, id=number, payload=str(number),
                                 topic="/pk/device/user/update")
        except OSError:
            pass


class Bookkeeper:
    """Changes things through the admin API and notes what was acknowledged."""

    def __init__(self, rng):
        self.rng = rng
        self.devices, self.shadow, self.events, self.names = {}, None, {}, 0
        self.waiting = []  # what a session that was kept is still to get, in this order

    def create(self, api):
        self.names += 1
        name = f"made{self.names}"
        made = api.post("/api/v1/devices?secrets=true",
                        {"cloud": "tencent", "product": "PROD123456", "device": name})
        self.devices[name] = made["secret"]

    def delete(self, api):
        if self.devices:
            name = self.rng.choice(list(self.devices))
            del self.devices[name]  # gone or not: it is not asked for any more
            api.call("DELETE", f"{PRODUCT}/{name}")

    def patch(self, api):
        self.shadow = None
        self.shadow = api.call("PATCH", f"{PRODUCT}/dev001/shadow",
                               {"desired": {"number": self.rng.randrange(10**9)}})

    def send(self, api):
        """A message to a device that is away, whose session is kept."""
        if len(self.waiting) < 50:
            self.names += 1
            text = f"news {self.names}"
            # Whether it waits is open until it is acknowledged.
            self.waiting.append((text, False))
            api.post("/api/v1/devices/aliyun/pk/second/messages",
                     {"topic": NEWS, "payload": text, "qos": 1})
            self.waiting[-1] = (text, True)

    def collect(self, port):
        """The device comes back and acknowledges all that waited for it."""
        peer = server.Peer(port)
        peer.send_packet(type="connect", clean=False, **credentials.login("aliyun/pk/second"))
        answer = peer.receive()
        assert answer["code"] == 0 and (answer["sessionPresent"] or not self.waiting), answer
        peer.send_packet(type="pingreq")
        came = []
        while (packet := peer.receive())["type"] != "pingresp" or len(came) < sum(
                sure for _, sure in self.waiting):
            if packet["type"] == "publish" and packet["topic"] == NEWS:
                came.append(packet["payload"])
                peer.send_packet(type="puback", id=packet["id"])
            elif packet["type"] == "pingresp":
                peer.send_packet(type="pingreq")
        sent = [text for text, _ in self.waiting]
        assert [text for text in sent if text in came] == came, (sent, came)
        missing = [text for text, sure in self.waiting if sure and text not in came]
        assert not missing, missing
        peer.send_packet(type="subscribe", id=1, filters=[[NEWS, 1]])
        while peer.receive()["type"] != "suback":
            pass
        peer.send_packet(type="disconnect")
        assert peer.receive() is None
        self.waiting = []
        return len(came)

    def read(self, api):
        self.events.update((event["seq"], event)
                           for event in api.events(since=max(self.events, default=0), limit=1000,
                                                   wait_ms=1000))

    def work(self, api):
        """Until the server is no more."""
        try:
            while True:
                self.rng.choice((self.create, self.create, self.delete, self.patch, self.read,
                                 self.send))(api)
        except (AssertionError, KeyError) as error:
            assert "no answer" in str(error), error

    def check(self, api):
        for name, secret in self.devices.items():
            assert api.get(f"{PRODUCT}/{name}", secrets="true")["secret"] == secret
        if self.shadow:
            assert api.get(f"{PRODUCT}/dev001/shadow") == self.shadow
        seen, since = {}, 0
        while page := api.events(since=since, limit=1000):
            seen.update((event["seq"], event) for event in page)
            since = page[-1]["seq"]
        oldest = min(seen)  # what came before went to make room
        kept = {seq: event for seq, event in self.events.items() if seq >= oldest}
        assert kept and all(seen.get(seq) == event for seq, event in kept.items())
        return len(self.devices), len(kept)


def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path):
    print(f"seed {SEED}: SKYMOCK_KILL_SEED plays it again")
    rng = random.Random(SEED)
    books, store = Bookkeeper(rng), ("--store", str(tmp_path / "store.db"))
    messages = 0
    for _ in range(KILLS):
        running = server.Skymock(*store)
        if books.events:
            books.check(running.api)
        messages += books.collect(running.ports["mqtt"])
        Talker(running.ports["mqtt"]).start()
        killer = threading.Timer(rng.uniform(0.02, 0.4), running.process.kill)
        killer.start()
        books.work(running.api)
        killer.join()
        running.kill()
    running = server.Skymock(*store)
    print("after %d kills: %d devices and %d events as they were, and %d messages that waited" % (
        KILLS, *books.check(running.api), messages + books.collect(running.ports["mqtt"])))
    running.stop()


def test_numbers_of_events_go_on_after_a_restart(start, tmp_path):
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    server.Peer(first.ports["mqtt"]).close()
    last = first.api.wait_event({"type": "close"})["seq"]
    first.stop()
    second = start(*store)
    server.Peer(second.ports["mqtt"]).close()
    assert second.api.wait_event({"type": "close"}, since=last)["seq"] > last
    assert second.api.events(limit=1)[0]["seq"] == 1


# ---- starts that cannot be ----

def refused(tmp_path, *options):
    """The one line that says why. Nothing is left of the attempt."""
    ports = tmp_path / "ports.json"
    begin = time.monotonic()
    done = server.run("serve", "--ports-file", ports, *options)
    assert time.monotonic() - begin < 5
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.startswith("skymock: ") and done.stderr.count("\n") == 1, done.stderr
    assert not ports.exists()
    return done.stderr


def test_two_servers_do_not_share_a_store(start, tmp_path):
    store = tmp_path / "store.db"
    first = start("--store", str(store))
    assert str(store) in refused(tmp_path, *FREE_PORTS, "--store", store)
    first.api.post("/api/v1/devices", {"cloud": "aliyun", "product": "pk", "device": "still"})
    first.stop()
    start("--store", str(store)).api.get("/api/v1/devices/aliyun/pk/still")


@pytest.mark.parametrize("listener", server.LISTENERS)
def test_a_taken_port_is_named_and_no_other_is_kept(tmp_path, listener):
    kind = socket.SOCK_DGRAM if listener == "coaps" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        said = refused(tmp_path, *FREE_PORTS, "--listen", f"{listener}=127.0.0.1:{port}")
    assert listener in said and str(port) in said


def test_a_store_that_is_none_is_left_as_it_is(tmp_path):
    store, content = tmp_path / "other.db", 20 * "this is no database, and long enough to be told so"
    store.write_text(content)
    assert str(store) in refused(tmp_path, *FREE_PORTS, "--store", store)
    assert store.read_text() == content


@pytest.mark.parametrize("text", ["", "{", "[]", '{"products": 1}', '{"products": [{}]}', "\0" * 100,
                                  '{"products": [{"cloud": "no-cloud"}]}', "[" * 100_000])
def test_a_bad_fixture_is_refused_whole(tmp_path, text):
    bad = tmp_path / "bad.json"
    bad.write_text(text)
    assert str(bad) in refused(tmp_path, *FREE_PORTS, "--fixtures", server.FIXTURES, "--fixtures",
                               bad)


def test_a_ports_file_that_cannot_be_written_is_no_start(tmp_path):
    done = server.run("serve", *FREE_PORTS, "--ports-file", tmp_path / "missing" / "ports.json")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "ports.json" in done.stderr
