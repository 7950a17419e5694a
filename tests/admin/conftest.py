"""What the tests of the admin API share."""

import credentials
import pytest
import server
from openapi import Description


@pytest.fixture
def online(peer):
    """online("aliyun/pk/device") is a raw peer that has logged in as that device."""

    def log_in(name, clean=True, listener=None):
        device = peer(listener or credentials.listeners(name, "mqtt")[0])
        device.send_packet(type="connect", clean=clean, keepalive=60, **credentials.login(name))
        answer = device.receive()
        assert answer["type"] == "connack" and answer["code"] == 0, answer
        return device

    return log_in


@pytest.fixture
def refused(api):
    """refused(400, "POST", path, body) checks the error and returns it."""

    def check(status, method, path, body=None, **query):
        got, answer = api.request(method, path, body, **query)
        assert got == status, answer
        error = answer["error"]
        assert set(error) == {"code", "message", "pointer"}
        assert error["code"] and error["message"]
        return error

    return check


@pytest.fixture(scope="module")
def promised(shared):
    return Description(shared.api.get("/openapi.json"))


@pytest.fixture(autouse=True)
def as_described(promised, monkeypatch):
    """Whatever a test is answered is held against the server's own description."""
    request = server.Api.request

    def checked(self, method, path, body=None, **query):
        status, answer = request(self, method, path, body, **query)
        promised.check(method, path, status, answer)
        return status, answer

    monkeypatch.setattr(server.Api, "request", checked)
