"""A stretch of bad network: a UDP relay that loses, doubles and holds back datagrams."""

import random
import select
import socket
import threading


class Relay:
    """Stands between one client at a time and the server, which sees one address only."""

    def __init__(self, server_port, loss=0.0, double=0.0, hold=0.0, seed=7):
        self._chances = (loss, double, hold)
        self._random = random.Random(seed)
        self._near = self._socket()
        self._far = self._socket()
        self._far.connect(("127.0.0.1", server_port))
        self._client = None
        self._held = {}
        self.lost = self.doubled = self.held = 0
        self.from_client = []
        self.port = self._near.getsockname()[1]
        self._stop_read, self._stop_write = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _socket():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        return made

    def inject(self, data):
        """A datagram to the server that seems to come from the client."""
        self._far.send(data)

    def _pass(self, send, data):
        """Passes it on, or not, or twice, or after the next one of its direction."""
        loss, double, hold = self._chances
        if self._random.random() < loss:
            self.lost += 1
            return
        waiting = self._held.pop(send, None)
        if waiting is None and self._random.random() < hold:
            self.held += 1
            self._held[send] = data
            return
        send(data)
        if self._random.random() < double:
            self.doubled += 1
            send(data)
        if waiting is not None:
            send(waiting)

    def _to_client(self, data):
        self._near.sendto(data, self._client)

    def _run(self):
        while True:
            ready, _, _ = select.select([self._near, self._far, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            try:
                if self._near in ready:
                    data, self._client = self._near.recvfrom(65536)
                    self.from_client.append(data)
                    self._pass(self._far.send, data)
                if self._far in ready:
                    self._pass(self._to_client, self._far.recv(65536))
            except ConnectionRefusedError:
                pass  # the client has gone

    def close(self):
        self._stop_write.send(b".")
        self._thread.join()
        for each in (self._near, self._far, self._stop_read, self._stop_write):
            each.close()
