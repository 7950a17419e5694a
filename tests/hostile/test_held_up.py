"""A server that was held up itself, by a busy machine say: what devices sent meanwhile is read before
anybody is accused of having been slow, and before whoever asked later is answered."""

import http.client
import json

import crowd
import packets
import pytest
import server

DEVICES = 1200  # more than are looked at in one poll
NEWCOMERS = 100  # more than are let in at a time
KEEPALIVE_S = 60


class Asker:
    """A connection to the API that is there already when the server is held up."""

    def __init__(self, skymock):
        self._connection = http.client.HTTPConnection("127.0.0.1", skymock.ports["admin"],
                                                      timeout=server.PATIENCE_S)
        self.ask("GET", "/health")
        self.answer()

    def ask(self, method, target, body=None):
        self._connection.request(method, target, body=json.dumps(body) if body else None,
                                 headers={"Content-Type": "application/json"} if body else {})

    def answer(self):
        answer = self._connection.getresponse()
        assert answer.status < 300, answer.read()
        return answer.read()


@pytest.fixture
def asker(skymock):
    return Asker(skymock)


def said_by(number):
    return packets.encode({"type": "publish", "topic": crowd.ECHO.format(crowd.name(number)),
                           "payload": "before"})


def test_who_came_before_the_question_is_in_the_answer(skymock, asker):
    target = f"/api/v1/events?since={skymock.api.last_seq()}&type=publish&limit=1000"
    with crowd.Held(skymock):
        newcomers = []
        for number in range(NEWCOMERS):
            newcomers.append(crowd.dial(skymock.ports["mqtt"]))
            newcomers[-1].sendall(crowd.connect(number) + said_by(number))
        asker.ask("GET", target)
    assert len(json.loads(asker.answer())["events"]) == NEWCOMERS
    crowd.hang_up(newcomers)


@pytest.fixture
def devices(skymock):
    peers = [crowd.log_in(skymock.ports["mqtt"], number, keepalive=KEEPALIVE_S)
             for number in range(DEVICES)]
    yield peers
    for peer in peers:
        peer.close()


def test_what_was_said_before_the_question_is_in_the_answer(skymock, devices, asker):
    claim = {"event": {"type": "publish"}, "count": {"min": DEVICES},
             "since": skymock.api.last_seq()}
    with crowd.Held(skymock):
        for number, peer in enumerate(devices):
            peer.send(said_by(number))
        asker.ask("POST", "/api/v1/verify", claim)
    asker.answer()


def test_nobody_is_silent_whose_ping_is_only_unread(skymock, devices, asker):
    """Time goes on in the same moment in which the pings are there."""
    since = skymock.api.last_seq()
    for _ in range(5):
        with crowd.Held(skymock):
            for peer in devices:
                peer.send_packet(type="pingreq")
            asker.ask("POST", "/api/v1/clock/advance", {"ms": (KEEPALIVE_S - 10) * 1000})
        asker.answer()
        for peer in devices:
            assert peer.receive() == {"type": "pingresp"}
    assert not [event for event in crowd.events_of(skymock.api, since) if event["findings"]]
