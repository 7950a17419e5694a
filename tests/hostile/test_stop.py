"""SIGTERM in the middle of everything: a clean exit, at once, with nothing lost."""

import threading
import time

import crowd
import pytest
import server
from test_flood import publish
from test_slow import client_hello, over_tls

CLIENTS = 1000
STOPS_WITHIN_S = 5  # for a sanitized build, which looks for leaks at the end


class Publishers(threading.Thread):
    """A thousand devices that publish until they are cut off."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.sockets = []
        for number in range(CLIENTS):
            connection = crowd.dial(port)
            connection.sendall(crowd.connect(number))
            self.sockets.append(connection)
        for connection in self.sockets:
            assert connection.recv(4) == b"\x20\x02\0\0"
        self.rounds = 0

    def run(self):
        messages = [publish(crowd.ECHO.format(crowd.name(number)), b"as long as it goes", 1, 1)
                    for number in range(CLIENTS)]
        try:
            while True:
                for connection, message in zip(self.sockets, messages):
                    connection.sendall(message)
                self.rounds += 1
        except OSError:
            pass


def all_kinds_of_peers(running):
    """Whoever may be in the middle of something."""
    ports = running.ports
    half_hello = crowd.dial(ports["mqtts"])
    half_hello.sendall(client_hello()[:100])
    handshakes = [crowd.dial(ports["mqtts"]) for _ in range(20)]
    for connection in handshakes:
        connection.sendall(client_hello())
    waiting = crowd.dial(ports["admin"])
    waiting.sendall(b"GET /api/v1/events?type=reset&wait_ms=30000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    stream = crowd.dial(ports["admin"])
    stream.sendall(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    half_post = crowd.dial(ports["https"])
    half_post.sendall(b"POST /auth/devicename HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nx")
    refused = []
    for number in range(50):  # of which most wait for their explanation
        refused.append(crowd.dial(ports["mqtt"]))
        refused[-1].sendall(crowd.connect(number + CLIENTS, secret="wrong"))
    return [half_hello, *handshakes, waiting, stream, half_post, *refused,
            over_tls(ports["mqtts"]), over_tls(ports["https"])]


def clogged(running):
    """Devices whose output the kernel takes no more of."""
    peers = []
    for number in (2000, 2001):
        peer = crowd.log_in(running.ports["mqtt"], number)
        topic = crowd.ECHO.format(crowd.name(number))
        peer.send_packet(type="subscribe", id=1, filters=[[topic, 0]])
        peer.receive()
        for _ in range(60):
            peer.send(publish(topic, bytes(100_000)))
        peers.append(peer)
    return peers


@pytest.mark.parametrize("store", [":memory:", "file"])
def test_sigterm_in_the_middle_of_everything(crowd_file, tmp_path, store):
    store = str(tmp_path / "store.db") if store == "file" else store
    running = server.Skymock("--store", store, fixtures=crowd_file)
    publishers = Publishers(running.ports["mqtt"])
    slow = clogged(running)
    peers = all_kinds_of_peers(running)
    publishers.start()
    running.api.wait_event({"type": "puback"})
    read = running.api.events(limit=1000)
    begin = time.monotonic()
    running.stop()  # which looks at the exit code, and so at what a sanitizer has to say
    took_s = time.monotonic() - begin
    publishers.join()
    print(f"{took_s:.2f} s for {CLIENTS} publishing devices and {len(peers) + 2} other peers")
    assert took_s < STOPS_WITHIN_S
    crowd.hang_up(publishers.sockets + peers + slow)
    if store != ":memory:":
        look_back(store, crowd_file, read)


def look_back(store, crowd_file, read):
    """The journal is in the file to the end: the last thing in it is that the server stopped."""
    running = server.Skymock("--store", store, fixtures=crowd_file)
    again = {event["seq"]: event for event in running.api.events(limit=1000)}
    assert all(again.get(event["seq"], event) == event for event in read)
    last = running.api.get("/api/v1/events", limit=1, order="desc", type="close")["events"][0]
    assert last["reason"] == "the server stops"
    assert len(crowd.events_of(running.api, last["seq"] - 2 * CLIENTS, type="close")) >= CLIENTS
    running.stop()


def test_sigterm_twice_is_as_good_as_once(crowd_file):
    running = server.Skymock(fixtures=crowd_file)
    running.process.terminate()
    running.process.terminate()
    running.stop()
