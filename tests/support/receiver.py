"""A business server: takes what skymock forwards, answers what it is told to."""

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import server


class Receiver:
    """On a port of its own that stays its own while it is closed. `answer(message)` gives the
    status of each answer; it may raise, which hangs up, and may take its time."""

    def __init__(self, answer=lambda message: 204, context=None):
        self.answer = answer
        self.messages = []  # that were answered with 2xx, in the order they came
        self.requests = []  # (path, headers), whatever they were answered
        self.busy = self.busy_most = 0  # requests at a time
        self.connections = []
        self._context = context
        self._changed = threading.Condition()
        self._server = None
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]

    def url(self, path="/in", scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def open(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                outer.connections.append(self.connection)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    status = outer.handle(self.path, dict(self.headers), json.loads(body))
                except ConnectionError:
                    self.close_connection = True
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", outer.url("/elsewhere"))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        if self._context:
            self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01},
                         daemon=True).start()
        return self

    def close(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.connections.clear()
            self._server = None

    def handle(self, path, headers, message):
        with self._changed:
            self.requests.append((path, headers))
            self.busy += 1
            self.busy_most = max(self.busy, self.busy_most)
            self._changed.notify_all()
        try:
            status = self.answer(message)
        finally:
            with self._changed:
                self.busy -= 1
        with self._changed:
            if 200 <= status < 300:
                self.messages.append(message)
            self._changed.notify_all()
        return status

    def wait(self, condition):
        """Until it holds; looked at whenever something came."""
        with self._changed:
            assert self._changed.wait_for(condition, server.PATIENCE_S), self.describe()

    def wait_count(self, count):
        self.wait(lambda: len(self.messages) >= count)

    def describe(self):
        return f"{len(self.requests)} requests came, {len(self.messages)} were taken"
