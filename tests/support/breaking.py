"""Faults as tests make them, and what every one of them must leave behind."""

import select
import socket
import ssl
import threading

PATH = "/api/v1/faults"


def make(api, point, action, **members):
    """Its number."""
    return api.post(PATH, {"point": point, "action": action, **members})["id"]


def end(api, number):
    api.call("DELETE", f"{PATH}/{number}")


def refusal(api, point, action, **members):
    """(status, pointer) of one that cannot be."""
    status, body = api.request("POST", PATH, {"point": point, "action": action, **members})
    return status, body.get("error", {}).get("pointer")


def nobody_is_accused(api, but=()):
    """What a fault has done is no device's fault; `but`: rules that it breaks anyway."""
    for event in api.events(limit=1000):
        broken = {finding["rule"] for finding in event["findings"]}
        assert broken <= set(but), (broken, event["type"], event.get("reason"))


def comes(sock, count):
    """So many bytes, or all until the end."""
    data = b""
    while len(data) < count and (more := sock.recv(count - len(data))):
        data += more
    return data


class Hello:
    """A TLS client of which the test carries every byte."""

    def __init__(self, port, name="localhost", context=None, source=None, listener_host="127.0.0.1"):
        context = context or ssl.create_default_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.socket = socket.create_connection((listener_host, port), timeout=30,
                                               source_address=source)
        self.step()

    def step(self):
        """As far as it goes; False: it wants more bytes."""
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False
        finally:
            if said := self.outgoing.read():
                self.socket.sendall(said)

    def finish(self):
        while not self.step():
            more = self.socket.recv(65536)
            assert more, "closed in the middle of a handshake"
            self.incoming.write(more)

    def close(self):
        self.socket.close()


class Tap:
    """A UDP relay that passes all on at once and keeps what came down."""

    def __init__(self, server_port):
        self._near, self._far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                                 for _ in range(2))
        self._near.bind(("127.0.0.1", 0))
        self._far.connect(("127.0.0.1", server_port))
        self.port, self.address = self._near.getsockname()[1], self._far.getsockname()
        self._client, self.down = None, []
        self._stop, self._stopping = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            ready, _, _ = select.select([self._near, self._far, self._stopping], [], [])
            if self._stopping in ready:
                return
            try:
                if self._near in ready:
                    data, self._client = self._near.recvfrom(65536)
                    self._far.send(data)
                if self._far in ready:
                    self.down.append(self._far.recv(65536))
                    self._near.sendto(self.down[-1], self._client)
            except ConnectionRefusedError:
                pass  # one of them has gone

    def close(self):
        self._stop.send(b".")
        self._thread.join()
        for each in (self._near, self._far, self._stop, self._stopping):
            each.close()
