"""What devices fetch over HTTPS before MQTT, asked for by curl: login tokens and secrets."""

import hashlib
import hmac
import json
import resource
import socket
import ssl
import subprocess
from urllib.parse import urlencode

import credentials
import pytest
import server
from aliyun.credentials import token_form as signed_form

DEVICE = "aliyun/pk/device"
TOKEN_PATH = "/auth/devicename"
WEEK_MS = 7 * 24 * 3600 * 1000
ANSWER_MAX = 256  # what the smallest of the vendors' clients has room for


@pytest.fixture
def curl(skymock, ca):
    """curl(path, body) gives (status, headers as they came, body)."""
    def run(path, body, *options, listener="https"):
        done = subprocess.run(
            ["curl", "-sS", "-i", "--max-time", str(server.PATIENCE_S), "--cacert", str(ca),
             "--data-binary", body, *options,
             f"https://localhost:{skymock.ports[listener]}{path}"],
            capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        head, _, text = done.stdout.partition("\n\n")
        return int(head.split()[1]), head, text
    return run


def token_form(**fields):
    return signed_form(DEVICE, **fields)


def ask_in_clear(port, form, version="1.1", host="Host: x\r\n"):
    """A request written by hand; gives the answer's body."""
    with socket.create_connection(("127.0.0.1", port)) as request:
        request.sendall(f"POST {TOKEN_PATH} HTTP/{version}\r\n{host}Connection: close\r\n"
                        f"Content-Length: {len(form)}\r\n"
                        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}".encode())
        text = b""
        while more := request.recv(4096):
            text += more
    head, _, body = text.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 "), head
    return body


def fetch_token(curl, **fields):
    status, _, text = curl(TOKEN_PATH, token_form(**fields))
    answer = json.loads(text)
    assert (status, answer["code"]) == (200, 200), text
    return answer["data"]


def tls_peer(port, ca):
    return server.TlsPeer(port, ssl.create_default_context(cafile=str(ca)))


def log_in(port, ca, client_id, username, password):
    """The code that the login is answered with."""
    peer = tls_peer(port, ca)
    peer.send_packet(type="connect", clientId=client_id, username=username, password=password)
    answer = peer.receive()
    peer.close()
    return answer["code"]


# ---- a token, and logging in with it ----

@pytest.mark.parametrize("method", [None, "hmacmd5", "hmacsha1", "hmacsha256"])
def test_every_method_of_signing_gives_a_token(skymock, ca, curl, method):
    data = fetch_token(curl, signmethod=method)
    assert log_in(skymock.ports["mqtt"], ca, "any client id", data["iotId"],
                  data["iotToken"]) == 0
    event = skymock.api.wait_event({"type": "connect", "device": DEVICE, "username": data["iotId"]})
    assert not event.get("findings"), event


def test_the_answer_is_shaped_for_clients_that_hardly_parse(curl):
    status, head, text = curl(TOKEN_PATH, token_form(resouces="mqtt"))
    assert status == 200
    assert f"Content-Length: {len(text)}\n" in head + "\n" and "chunked" not in head.lower()
    assert len(text) < ANSWER_MAX and " " not in text
    assert text.startswith('{"code":200,"data":{"iotId":"') and text.endswith(
        '"message":"success"}')


@pytest.mark.parametrize("spelling", ["resouces", "resources"])
def test_the_broker_is_named_to_who_asks_in_either_spelling(skymock, ca, curl, spelling):
    data = fetch_token(curl, **{spelling: "mqtt"})
    mqtt = data["resources"]["mqtt"]
    assert mqtt == {"host": "localhost", "port": skymock.ports["mqtt"]}
    assert log_in(mqtt["port"], ca, "x", data["iotId"], data["iotToken"]) == 0
    assert "resources" not in fetch_token(curl)


def test_the_address_can_be_one_that_devices_reach(start, tmp_path):
    running = start("--advertise-host", "cloud.example")
    body = ask_in_clear(running.ports["https"], token_form(resouces="mqtt"))
    assert f'"host":"cloud.example","port":{running.ports["mqtt"]}' in body


@pytest.mark.parametrize("host", ["", "Host: " + 65 * "h" + "\r\n"])
def test_a_host_that_cannot_be_told_is_replaced_by_the_address(skymock, host):
    body = ask_in_clear(skymock.ports["https"], token_form(resouces="mqtt"), "1.0", host)
    assert len(body) < ANSWER_MAX
    assert json.loads(body)["data"]["resources"]["mqtt"]["host"] == "127.0.0.1"


def test_a_bad_token_and_an_expired_one_are_two_findings(skymock, ca, curl):
    api, port = skymock.api, skymock.ports["mqtt"]
    api.freeze()
    data = fetch_token(curl)
    assert log_in(port, ca, "x", data["iotId"], "another token") == 3
    api.wait_event({"type": "connect", "device": DEVICE, "rules": ["ALI-TOKEN-PAIR"]})
    assert log_in(port, ca, "x", "nobody's", data["iotToken"]) == 3
    api.wait_event({"type": "connect", "rules": ["ALI-TOKEN-INVALID"]})
    api.advance(WEEK_MS - 1)
    assert log_in(port, ca, "x", data["iotId"], data["iotToken"]) == 0
    api.advance(1)
    assert log_in(port, ca, "x", data["iotId"], data["iotToken"]) == 3
    event = api.wait_event({"type": "connect", "device": DEVICE, "rules": ["ALI-TOKEN-EXPIRED"]})
    assert event["explanation"]["rule"] == "ALI-TOKEN-EXPIRED"
    assert "expired 0 s ago" in event["explanation"]["what"]


def test_a_token_that_is_fetched_and_not_used_is_noticed(skymock, ca, curl):
    api, fields = skymock.api, credentials.login(DEVICE, securemode="2")
    login = (skymock.ports["mqtt"], ca, fields["clientId"], fields["username"], fields["password"])
    fetch_token(curl)
    since = api.last_seq()
    assert log_in(*login) == 0
    api.wait_event({"type": "connect", "rules": ["ALI-TOKEN-SIGNED-LOGIN"]}, since=since)
    since = api.last_seq()
    assert log_in(*login) == 0
    assert not api.wait_event({"type": "connect"}, since=since).get("findings")


def test_a_token_outlives_the_server(start, tmp_path):
    store = ("--store", str(tmp_path / "store.db"))
    first = start(*store)
    data = json.loads(ask_in_clear(first.ports["https"], token_form()))["data"]
    first.kill()  # once it is answered it is kept
    second = start(*store)
    peer = server.Peer(second.ports["mqtt"])
    peer.send_packet(type="connect", clientId="x", username=data["iotId"],
                     password=data["iotToken"])
    assert peer.receive()["code"] == 0
    peer.close()


# ---- refusals ----

REFUSALS = {
    "wrong sign": (dict(sign="0" * 32), 401, "ALI-HTTPS-SIGN", None),
    "another device's secret": (dict(secret=credentials.SECRETS["aliyun/pk/second"][0]), 401,
                                "ALI-HTTPS-SIGN", "other-device"),
    "no clientId": (dict(clientId=None), 460, "ALI-HTTPS-PARAM-MISSING", None),
    "clientId of 65": (dict(clientId="c" * 65), 460, "ALI-HTTPS-CLIENTID-LENGTH", None),
    "unknown method": (dict(signmethod="hmacsha512"), 460, "ALI-HTTPS-SIGNMETHOD", None),
    "unknown device": (dict(deviceName="devise"), 5001, "ALI-HTTPS-DEVICE", None),
    "unknown product": (dict(productKey="kp"), 5001, "ALI-HTTPS-DEVICE", None),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_has_its_code_and_explains_itself(api, curl, case):
    fields, code, rule, mistake = REFUSALS[case]
    status, head, text = curl(TOKEN_PATH, token_form(**fields))
    assert status == 200 and json.loads(text)["code"] == code
    assert "Content-Length: " in head
    event = api.wait_event({"type": "http-auth", "path": TOKEN_PATH, "rules": [rule]})
    assert event["explanation"]["rule"] == rule and event["explanation"]["what"]
    if mistake:
        assert event["explanation"]["mistake"] == mistake, event
    if code == 401:
        assert event["device"] == DEVICE
        assert "signedText" in event["explanation"]


def test_the_name_that_was_meant_is_guessed(api, curl):
    curl(TOKEN_PATH, token_form(deviceName="devise"))
    event = api.wait_event({"type": "http-auth", "rules": ["ALI-HTTPS-DEVICE"]})
    assert event["explanation"]["similar"] == "device"


def test_a_product_that_permits_no_https_gives_6200(api, curl):
    api.post("/api/v1/products", {"products": [
        {"cloud": "aliyun", "productKey": "mqttonly", "httpsAuth": False,
         "devices": [{"deviceName": "d", "deviceSecret": "s"}]}]})
    _, _, text = curl(TOKEN_PATH, token_form(secret="s", productKey="mqttonly", deviceName="d"))
    assert json.loads(text)["code"] == 6200
    api.wait_event({"type": "http-auth", "device": "aliyun/mqttonly/d",
                    "rules": ["ALI-HTTPS-AUTH-TYPE"]})


def test_a_full_disk_gives_500_and_nothing_that_is_not_kept(start, tmp_path):
    """No file may grow any more; then they may again."""
    running = start("--store", str(tmp_path / "store.db"))
    def ask():
        return json.loads(ask_in_clear(running.ports["https"], token_form()))

    assert ask()["code"] == 200
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE,
                     (4096, resource.RLIM_INFINITY))
    assert ask() == {"code": 500, "message": "unknow error"}
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    event = running.api.wait_event({"type": "note", "name": "call-failed"})
    assert event["device"] == DEVICE and "store" in event["reason"]
    data = ask()["data"]
    peer = server.Peer(running.ports["mqtt"])
    peer.send_packet(type="connect", clientId="x", username=data["iotId"],
                     password=data["iotToken"])
    assert peer.receive()["code"] == 0
    peer.close()


def test_a_chunked_body_is_411(api, curl):
    status, _, _ = curl(TOKEN_PATH, token_form(), "-H", "Transfer-Encoding: chunked")
    assert status == 411
    event = api.wait_event({"type": "http-auth", "path": TOKEN_PATH, "status": 411})
    assert event["explanation"]["rule"] == "DOOR-HTTP-REQUEST"


@pytest.mark.parametrize("head", ["GET {} HTTP/1.1", "GET {} HTTP/1.1\r\nContent-Length: 3",
                                  "PUT {} HTTP/1.1", "PUT {} HTTP/1.1\r\nContent-Length: 3",
                                  "DELETE {} HTTP/1.1", "TRACE {} HTTP/1.1", "Post {} HTTP/1.1"])
def test_another_method_is_405_whatever_else_is_wrong(skymock, head):
    with socket.create_connection(("127.0.0.1", skymock.ports["https"])) as request:
        request.sendall(head.format(TOKEN_PATH).encode() + b"\r\nHost: x\r\n\r\nabc")
        assert request.recv(4096).startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    skymock.api.wait_event({"type": "http-auth", "path": TOKEN_PATH, "status": 405,
                            "rules": ["ALI-HTTPS-METHOD"]})


def test_other_methods_without_a_body_are_405(skymock, ca):
    for method in ("GET", "DELETE", "OPTIONS"):
        done = subprocess.run(
            ["curl", "-sS", "-o", "-", "-w", "%{http_code}", "--cacert", str(ca), "-X", method,
             f"https://localhost:{skymock.ports['https']}{TOKEN_PATH}"],
            capture_output=True, text=True, timeout=server.PATIENCE_S, check=True)
        assert done.stdout.endswith("405"), (method, done.stdout)


def test_a_body_of_unknown_length_or_too_long_is_refused(curl):
    status, _, _ = curl(TOKEN_PATH, "x" * (16 * 1024 + 1))
    assert status == 413
    status, _, text = curl(TOKEN_PATH, "x" * (16 * 1024))
    assert (status, json.loads(text)["code"]) == (200, 460)


# ---- a secret ----

def register_form(device, secret="ps", method="hmacsha256"):
    text = f"deviceName{device}productKeydynamicrandom567"
    sign = hmac.new(secret.encode(), text.encode(), method.removeprefix("hmac")).hexdigest()
    return urlencode({"productKey": "dynamic", "deviceName": device, "random": "567",
                      "sign": sign, "signMethod": method})


@pytest.fixture
def dynamic(api):
    api.post("/api/v1/products", {"products": [
        {"cloud": "aliyun", "productKey": "dynamic", "productSecret": "ps",
         "dynamicActivation": True, "devices": [{"deviceName": "new"}]}]})


def direct_login(secret):
    text = "clientIdcdeviceNamenewproductKeydynamic"
    return {"clientId": "c|securemode=2,signmethod=hmacsha256|", "username": "new&dynamic",
            "password": hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()}


def test_registration_over_https_gives_a_secret(skymock, ca, curl, dynamic):
    _, _, text = curl("/auth/register/device", register_form("new"))
    answer = json.loads(text)
    assert answer["code"] == 200 and len(text) < ANSWER_MAX
    assert (answer["data"]["productKey"], answer["data"]["deviceName"]) == ("dynamic", "new")
    login = direct_login(answer["data"]["deviceSecret"])
    assert log_in(skymock.ports["mqtt"], ca, login["clientId"], login["username"],
                  login["password"]) == 0
    _, _, text = curl("/auth/register/device", register_form("new"))
    assert json.loads(text)["code"] == 6200  # it has been online with it
    skymock.api.wait_event({"type": "http-auth", "device": "aliyun/dynamic/new",
                            "rules": ["ALI-REGISTER-ACTIVE"]})


def test_a_registration_signed_with_the_wrong_secret_says_whose_it_should_be(api, curl, dynamic):
    _, _, text = curl("/auth/register/device", register_form("new", secret="not it"))
    assert json.loads(text)["code"] == 401
    event = api.wait_event({"type": "http-auth", "rules": ["ALI-REGISTER-SIGN"]})
    assert "signedText" in event["explanation"]


@pytest.mark.parametrize("spelling", ["securemode=2,authType=register",
                                      "securemode=-2,authType=register"])
def test_registration_over_mqtt_is_answered_unasked_and_cut(skymock, ca, dynamic, spelling):
    skymock.api.freeze()
    text = "deviceNamenewproductKeydynamicrandom567"
    peer = tls_peer(skymock.ports["mqtt"], ca)
    peer.send_packet(type="connect", clientId=f"id|{spelling},random=567,signmethod=hmacsha256|",
                     username="new&dynamic",
                     password=hmac.new(b"ps", text.encode(), hashlib.sha256).hexdigest())
    assert peer.receive()["code"] == 0
    message = peer.receive()
    assert message["topic"] == "/ext/register"
    secret = json.loads(message["payload"])["deviceSecret"]
    skymock.api.advance(14_999)
    peer.send_packet(type="pingreq")
    assert peer.receive()["type"] == "pingresp"
    skymock.api.advance(1)
    assert peer.receive() is None
    login = direct_login(secret)
    assert log_in(skymock.ports["mqtt"], ca, login["clientId"], login["username"],
                  login["password"]) == 0
