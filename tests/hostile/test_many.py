"""More connections than a table for a thousand has room for."""

import resource
import socket

import server

PEERS = 1500  # above the number of HTTP connections the server takes


def test_the_api_answers_beside_many_connections(start):
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (4 * PEERS, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    running = start()
    peers = [socket.create_connection(("127.0.0.1", running.ports["mqtt"]))
             for _ in range(PEERS)]
    late = server.Api(running.ports["admin"])
    assert late.request("GET", "/health") == (200, {"status": "ok"})
    late.close()
    for peer in peers:
        peer.close()
