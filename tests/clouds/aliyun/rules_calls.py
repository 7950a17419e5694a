"""Alibaba Cloud: what a device fetches before it logs in, and the logins that follow."""

import hmac
import json
from urllib.parse import urlencode

import credentials
from aliyun.credentials import token_form as signed_form
from stage import ALI, of, plays

TOKEN_PATH, REGISTER_PATH = "/auth/devicename", "/auth/register/device"
DYNAMIC, MQTT_ONLY = "aliyun/dynamic/device", "aliyun/mqttonly/device"
WEEK_MS = 7 * 24 * 3600 * 1000


def hmac_of(secret, text, digest="sha256"):
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest()


def token_form(device=ALI, **fields):
    return signed_form(device, **{"signmethod": "hmacsha1", **fields})


def fetch_token(stage):
    data = json.loads(stage.http(TOKEN_PATH, token_form()))["data"]
    return data["iotId"], data["iotToken"]


def token_login(user, password):
    return {"clientId": "whatever", "username": user, "password": password}


def register_form(secret=None, **fields):
    _, product, name = credentials.split(DYNAMIC)
    text = f"deviceName{name}productKey{product}random567"
    fields = {"productKey": product, "deviceName": name, "random": "567",
              "signMethod": "hmacsha256",
              "sign": hmac_of(secret or credentials.SECRETS[DYNAMIC][1], text), **fields}
    return urlencode({key: value for key, value in fields.items() if value is not None})


def register_login(device=DYNAMIC, kind="register", random=",random=567", secret=None):
    """The CONNECT that asks for the device's secret."""
    _, product, name = credentials.split(device)
    text = f"deviceName{name}productKey{product}random567"
    return {"clientId": f"id|securemode=2,authType={kind}{random},signmethod=hmacsha256|",
            "username": f"{name}&{product}",
            "password": hmac_of(secret or credentials.SECRETS[device][1], text)}


# ---- devices that keep to the rules ----

@plays(ALI)
def a_device_that_logs_in_with_the_token_it_got(stage):
    user, password = fetch_token(stage)
    assert stage.connect(token_login(user, password), stage.tls())[1] == 0


@plays(DYNAMIC)
def a_device_that_fetches_its_secret(stage):
    peer, code = stage.connect(register_login(), stage.tls())
    assert code == 0
    secret = json.loads(peer.receive()["payload"])["deviceSecret"]
    stage.leave(peer)
    stage.login(DYNAMIC, how={"secret": secret})


@plays(DYNAMIC)
def a_device_that_is_reset_and_fetches_another(stage):
    peer = stage.login(DYNAMIC)
    stage.publish(peer, "/sys/dynamic/device/thing/reset", json.dumps(
        {"id": 1, "version": "1.0", "method": "thing.reset", "params": {}}))
    stage.leave(peer)
    assert stage.connect(register_login(), stage.tls())[1] == 0


KEEPS = {
    **of(a_device_that_logs_in_with_the_token_it_got, """
        ALI-HTTPS-METHOD ALI-HTTPS-CONTENT-TYPE ALI-HTTPS-PLAIN ALI-HTTPS-PARAM-MISSING
        ALI-HTTPS-CLIENTID-LENGTH ALI-HTTPS-SIGNMETHOD ALI-HTTPS-SIGNMETHOD-DEFAULT ALI-HTTPS-SIGN
        ALI-HTTPS-SIGN-EXCLUDED ALI-HTTPS-SECRET-SENT
        ALI-HTTPS-RESOUCES-TYPO ALI-HTTPS-DEVICE ALI-HTTPS-AUTH-TYPE
        ALI-HTTPS-CONTENT-LENGTH ALI-TOKEN-INVALID ALI-TOKEN-EXPIRED ALI-TOKEN-PAIR
        ALI-TOKEN-NO-TLS ALI-TOKEN-SIGNED-LOGIN"""),
    **of(a_device_that_fetches_its_secret, """
        ALI-AUTH-TYPE ALI-REGISTER-TLS ALI-REGISTER-PARAM ALI-REGISTER-SIGN
        ALI-REGISTER-DISABLED"""),
    **of(a_device_that_is_reset_and_fetches_another, "ALI-REGISTER-ACTIVE"),
}


# ---- devices that do not ----

def asks(form, device=ALI, path=TOKEN_PATH, **how):
    """One call; `form` is what it sends."""
    @plays(device)
    def play(stage):
        stage.http(path, form, **how)
    return play


def registers(fields, device=DYNAMIC, secure=True):
    """One CONNECT that asks for a secret."""
    @plays(device)
    def play(stage):
        stage.connect(fields, stage.tls() if secure else stage.peer())
    return play


@plays(ALI)
def promises_more_than_it_sends(stage):
    peer, body = stage.peer("https"), token_form()
    peer.send(f"POST {TOKEN_PATH} HTTP/1.1\r\nHost: localhost\r\n"
              f"Content-Type: application/x-www-form-urlencoded\r\n"
              f"Content-Length: {len(body) + 1}\r\n\r\n{body}".encode())
    peer.close()


@plays(None)
def logs_in_with_an_identity_that_nobody_has(stage):
    stage.connect(token_login("nobody", fetch_token(stage)[1]), stage.tls())


@plays(ALI)
def logs_in_with_another_token(stage):
    stage.connect(token_login(fetch_token(stage)[0], "another"), stage.tls())


@plays(ALI)
def logs_in_with_a_token_a_week_later(stage):
    fields = token_login(*fetch_token(stage))
    stage.api.advance(WEEK_MS)
    stage.connect(fields, stage.tls())


@plays(ALI)
def logs_in_with_a_token_in_clear(stage):
    stage.connect(token_login(*fetch_token(stage)))


@plays(ALI)
def leaves_its_token_unused(stage):
    fetch_token(stage)
    stage.login(ALI)


@plays(DYNAMIC)
def asks_for_a_secret_when_it_has_one(stage):
    stage.leave(stage.login(DYNAMIC))
    stage.connect(register_login(), stage.tls())


BREAKS = {
    "ALI-HTTPS-METHOD": asks(None, device=None, method="GET"),
    "ALI-HTTPS-CONTENT-TYPE": asks(token_form(), headers={"Content-Type": "application/json"}),
    "ALI-HTTPS-PLAIN": asks(token_form(), secure=False),
    "ALI-HTTPS-PARAM-MISSING": asks(token_form(clientId=None)),
    "ALI-HTTPS-CLIENTID-LENGTH": asks(token_form(clientId=65 * "c")),
    "ALI-HTTPS-SIGNMETHOD": asks(token_form(signmethod="sha1")),
    "ALI-HTTPS-SIGNMETHOD-DEFAULT": asks(token_form(signmethod=None)),
    "ALI-HTTPS-SIGN": asks(token_form(sign=40 * "0")),
    "ALI-HTTPS-SIGN-EXCLUDED": asks(token_form(also_signed=("version",))),
    "ALI-HTTPS-SECRET-SENT": asks(token_form(deviceSecret="secret")),
    "ALI-HTTPS-RESOUCES-TYPO": asks(token_form(resouces="mqtt")),
    "ALI-HTTPS-DEVICE": asks(token_form(deviceName="devise"), device=None),
    "ALI-HTTPS-AUTH-TYPE": asks(token_form(MQTT_ONLY), device=MQTT_ONLY),
    "ALI-HTTPS-CONTENT-LENGTH": promises_more_than_it_sends,
    "ALI-TOKEN-INVALID": logs_in_with_an_identity_that_nobody_has,
    "ALI-TOKEN-PAIR": logs_in_with_another_token,
    "ALI-TOKEN-EXPIRED": logs_in_with_a_token_a_week_later,
    "ALI-TOKEN-NO-TLS": logs_in_with_a_token_in_clear,
    "ALI-TOKEN-SIGNED-LOGIN": leaves_its_token_unused,
    "ALI-AUTH-TYPE": registers(register_login(kind="regnwl")),
    "ALI-REGISTER-TLS": registers(register_login(), secure=False),
    "ALI-REGISTER-PARAM": asks(register_form(random=None), DYNAMIC, REGISTER_PATH),
    "ALI-REGISTER-SIGN": asks(register_form(secret="not it"), DYNAMIC, REGISTER_PATH),
    "ALI-REGISTER-DISABLED": registers(register_login(ALI), ALI),
    "ALI-REGISTER-ACTIVE": asks_for_a_secret_when_it_has_one,
}
