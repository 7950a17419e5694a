"""A web page in somebody's browser does not drive the API."""

import http.client
import json

import pytest

DEVICES = "/api/v1/devices"


def ask(port, method="GET", path="/api/v1/clock", body=None, **headers):
    """(status, body) of a request with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


@pytest.fixture(scope="module")
def named():
    import server
    running = server.Skymock("--admin-host", "mock.test", "--admin-host", "skymock", "--san",
                             "bench.lan", "--advertise-host", "cloud.lan")
    yield running.ports["admin"]
    running.stop()


OURS = ["localhost", "LOCALHOST:1", "a.localhost", "localhost.", "127.0.0.1", "127.0.0.1:8080",
        "192.168.1.9", "[::1]", "[::1]:80", "[fe80::1]:8080"]
NAMED = ["mock.test", "Mock.Test:8080", "skymock", "skymock.", "bench.lan:1", "cloud.lan"]
FOREIGN = ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
           "notlocalhost", "1.2.3", "0x7f.1", "mock.test.evil.example", "xmock.test", "lan"]


@pytest.mark.parametrize("host", OURS + NAMED)
def test_the_names_of_the_server_are_answered(named, host):
    assert ask(named, Host=host)[0] == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/health", "/api/v1/clock", "/nowhere"])
def test_other_names_are_not(named, host, path):
    status, answer = ask(named, path=path, Host=host)
    assert status == 421
    assert answer["error"]["code"] == "host" and "--admin-host" in answer["error"]["message"]
    assert answer["error"]["pointer"] == ""


@pytest.mark.parametrize("host", NAMED)
def test_names_are_known_only_when_they_are_given(skymock, host):
    assert ask(skymock.ports["admin"], Host=host)[0] == 421


def test_an_absolute_target_counts_as_the_host(skymock):
    port = skymock.ports["admin"]
    assert ask(port, path="http://evil.example/api/v1/clock", Host="localhost")[0] == 421
    assert ask(port, path="http://localhost/api/v1/clock", Host="evil.example")[0] == 200


def test_whoever_has_the_token_may_use_any_name(start):
    port = start("--admin-token", "s3cret").ports["admin"]
    right, wrong = {"Authorization": "Bearer s3cret"}, {"Authorization": "Bearer s3creT"}
    assert ask(port, Host="any.example", **right)[0] == 200
    assert ask(port, Host="any.example", **wrong)[0] == 421
    assert ask(port, Host="any.example")[0] == 421
    assert ask(port, Host="localhost", **wrong)[0] == 401
    assert ask(port, Host="any.example", Origin="http://other.example", **right)[0] == 403
    assert ask(port, Host="any.example", Origin="https://any.example", **right)[0] == 200


@pytest.mark.parametrize("origin, status", [
    ("http://localhost:{port}", 200), ("http://LOCALHOST:{port}", 200),
    ("http://localhost", 403), ("http://localhost:1", 403), ("http://127.0.0.1:{port}", 403),
    ("http://evil.example", 403), ("http://localhost:{port}.evil.example", 403), ("null", 403),
    ("", 403), ("file://", 403), ("chrome-extension://abc", 403)])
def test_a_page_of_elsewhere_is_refused(skymock, origin, status):
    port = skymock.ports["admin"]
    for method, path in (("GET", "/api/v1/clock"), ("POST", "/api/v1/reset"), ("GET", "/health")):
        got, answer = ask_any(port, method, path, Host=f"localhost:{port}",
                              Origin=origin.format(port=port))
        assert got == status or (status == 200 and got in (200, 204))
        if status == 403:
            assert answer["error"]["code"] == "origin"


def ask_any(port, method, path, **headers):
    """The same for answers without a body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


def test_the_standard_port_may_be_left_out(skymock):
    port = skymock.ports["admin"]
    assert ask(port, Host="localhost:80", Origin="http://localhost")[0] == 200
    assert ask(port, Host="localhost", Origin="http://localhost:80")[0] == 200
    assert ask(port, Host="localhost", Origin="https://localhost:443")[0] == 200
    assert ask(port, Host="localhost:443", Origin="http://localhost")[0] == 403


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded",
                                          "multipart/form-data", "application/jsonx",
                                          "text/plain; application/json"])
@pytest.mark.parametrize("method, path, line", [
    ("POST", "/api/v1/clock/advance", "curl --json '{...}' http://"),
    ("POST", "/api/v1/reset", "curl --json '{...}' http://"),
    ("PATCH", f"{DEVICES}/aliyun/pk/device", "curl -X PATCH --json '{...}' http://")])
def test_a_body_says_that_it_is_json(skymock, method, path, line, content_type):
    headers = {"Content_Type": content_type} if content_type else {}
    status, answer = ask(skymock.ports["admin"], method, path, b"{}", **headers)
    assert status == 415
    assert answer["error"]["code"] == "type"
    assert line in answer["error"]["message"] and path in answer["error"]["message"]


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8",
                                          "application/json ;x"])
def test_json_has_several_spellings(skymock, content_type):
    assert ask(skymock.ports["admin"], "POST", "/api/v1/clock/advance", b'{"ms":0}',
               Content_Type=content_type)[0] == 200


def test_no_body_needs_no_type(skymock):
    for content_type in ({}, {"Content_Type": "text/plain"}):
        assert ask(skymock.ports["admin"], "POST", "/api/v1/clock/freeze", b"",
                   **content_type)[0] == 200
