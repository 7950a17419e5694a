"""Bodies that are long are read off the loop: what is answered is what is answered to short ones."""

import json

import pytest
import server

LONG = 200_000  # bytes: far beyond what is read at once


def suite(cases):
    return {"suite": "long", "title": "Long", "cases": [
        {"id": f"c{number}", "title": "t", "source": "s", "timeoutMs": 1000,
         "steps": [{"expect": {"event": {"type": "connect", "text": "x" * 100}}}] * 10}
        for number in range(cases)]}


@pytest.mark.parametrize("pad", [0, LONG])
@pytest.mark.parametrize("body, pointer, words", [
    ('{"event": {', "", None),
    ('["event"]', "", "the body must be a JSON object"),
    ('{"evnt": {}}', "/evnt", "'evnt' is not known here; 'event' is meant?"),
    ('{"event": {"typ": "connect"}}', "/event/typ", None),
])
def test_what_is_wrong_is_told_alike(api, pad, body, pointer, words):
    status, answer = api.request("POST", "/api/v1/events/search", (" " * pad + body).encode())
    assert status == 400
    assert answer["error"]["pointer"] == pointer
    assert words is None or answer["error"]["message"] == words


@pytest.mark.parametrize("cases", [1, 400])
def test_what_is_wrong_with_a_suite_is_told_with_its_place(api, cases):
    bad = suite(cases)
    bad["cases"][-1]["steps"] = [{"expct": {}}]
    status, answer = api.request("POST", "/api/v1/suites/runs", {"suites": ["smoke", bad],
                                                                 "device": "enos/x/y"})
    assert status == 400
    assert answer["error"]["pointer"].startswith(f"/suites/1/cases/{cases - 1}/steps/0")


def test_a_client_that_goes_while_its_body_is_read_is_forgotten(skymock, api):
    body = json.dumps({"suite": suite(400), "device": "enos/x/y"}).encode()
    head = (b"POST /api/v1/suites/runs HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
    before = len(api.get("/api/v1/suites/runs")["runs"])
    for _ in range(10):
        client = server.socket.create_connection(("127.0.0.1", skymock.ports["admin"]))
        client.sendall(head + body)
        client.close()
    while int(dict(line.rsplit(" ", 1) for line in api.get("/metrics").splitlines()
                   if line[0] != "#")["skymock_http_connections"]) > 1:
        api.barrier()
    assert len(api.get("/api/v1/suites/runs")["runs"]) == before, "there is no such device"


def test_requests_sent_behind_a_long_one_are_answered_in_order(skymock):
    body = json.dumps({"event": {"text": "x" * 100}}).encode() + b" " * LONG
    client = server.socket.create_connection(("127.0.0.1", skymock.ports["admin"]),
                                             timeout=server.PATIENCE_S)
    client.sendall(b"POST /api/v1/events/search HTTP/1.1\r\nHost: localhost\r\n"
                   b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                   + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answered = b""
    while more := client.recv(65536):
        answered += more
    client.close()
    assert answered.count(b"HTTP/1.1 200 OK") == 2
    assert answered.index(b'"events"') < answered.index(b'"status"')
