"""Requests to the admin API beside those of a test's own connection."""

import http.client
import json

import server


class Elsewhere:
    """A request that another client has sent, and whose answer it has yet to read."""

    def __init__(self, api, method, path, body=None):
        self._connection = http.client.HTTPConnection("127.0.0.1", api.port,
                                                      timeout=server.PATIENCE_S * 2)
        data = json.dumps(body).encode() if body is not None else None
        self._connection.request(method, path, data, {"Content-Type": "application/json"} if data
                                 else {"Content-Length": "0"})

    def leave(self):
        self._connection.sock.close()

    def answer(self):
        answer = self._connection.getresponse()
        text = answer.read()
        self._connection.close()
        return answer.status, json.loads(text) if text else None
