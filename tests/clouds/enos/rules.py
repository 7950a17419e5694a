"""Envision EnOS over MQTT."""

import hashlib
import json

import credentials
from stage import ENOS, ENOS_OTHER, answers, login_with, of, plays, says

MODELLED = "enos/modelled/only"
CERTIFIED, STATIC, DISABLED = "enos/certified/only", "enos/static01/only", "enos/KV315idW/disabled"
LISTENER = "enos-mqtt"
SYS = "/sys/KV315idW/tPbZGCdmaE/thing"
OTA = "/sys/KV315idW/tPbZGCdmaE/ota/device"
POST = f"{SYS}/measurepoint/post"
ACTIVATION = "/ext/session/KV315idW/tPbZGCdmaE/thing/activate/info"
TIMESTAMP = credentials.TIMESTAMP


def measurement(**more):
    return json.dumps({"id": "1", "version": "1.0", "method": "thing.measurepoint.post",
                       "params": {"measurepoints": {"power": 1.5}}, **more})


def tag(value):
    return json.dumps({"id": "2", "version": "1.0", "method": "thing.tag.update",
                       "params": [{"tagKey": "place", "tagValue": value}]})


def upgrading(word, params):
    return json.dumps({"id": "3", "version": "1.0", "method": f"ota.device.{word}",
                       "params": params})


def activate(stage):
    """A login with the product's secret; the peer and the device's new secret."""
    peer = stage.login(ENOS, stage.peer(LISTENER), how={"securemode": "3"})
    return peer, json.loads(peer.receive()["payload"])["params"]["deviceSecret"]


# ---- devices that keep to the rules ----

@plays(ENOS)
def a_device_that_is_activated(stage):
    """With a subscription to the topic that brings its secret; it comes again then."""
    peer, secret = activate(stage)
    stage.subscribe(peer, ACTIVATION)
    stage.leave(peer)
    peer = stage.login(ENOS, stage.peer(LISTENER), how={"secret": secret})
    stage.publish(peer, POST, measurement())
    stage.publish(peer, f"{SYS}/tag/update", tag("cabinet"))


@plays(MODELLED)
def a_device_that_reports_what_its_model_has(stage):
    peer = stage.login(MODELLED, stage.peer(LISTENER))
    stage.publish(peer, "/sys/modelled/only/thing/measurepoint/post", measurement(
        params={"measurepoints": {"temp": 1.5, "power": {"value": 7, "quality": 9}}}))


@plays(ENOS)
def a_device_that_takes_an_upgrade(stage):
    """It asks for it, says that it goes on, and comes with the version."""
    peer = stage.login(ENOS, stage.peer(LISTENER))
    stage.publish(peer, f"{OTA}/inform", upgrading("inform", {"version": "1.0"}))
    stage.api.post(f"/api/v1/devices/{ENOS}/ota", {"version": "2.0", "size": 10})
    stage.publish(peer, f"{OTA}/getversion", upgrading("getversion", {}))
    stage.publish(peer, f"{OTA}/progress", upgrading("progress", {"step": "50", "desc": ""}))
    stage.publish(peer, f"{OTA}/inform", upgrading("inform", {"version": "2.0"}))


@plays(CERTIFIED)
def a_device_with_its_certificate(stage):
    context = stage.context(certificate_of=CERTIFIED)
    stage.login(CERTIFIED, stage.tls("enos-mqtts", context))


def service_answer(command_id=None):
    """To a service call; under its own id unless another is given."""
    def reply(topic, payload):
        return topic + "_reply", json.dumps({"id": command_id or json.loads(payload)["id"],
                                             "code": 200, "data": {}})
    return answers(ENOS, {"kind": "service", "name": "blink"}, reply, listener=LISTENER)


a_device_that_answers_a_command = service_answer()

KEEPS = {
    **of(a_device_that_is_activated, """
        ENOS-PORT-AUTH ENOS-MQTT-VERSION ENOS-CLIENTID-SHAPE ENOS-CLIENTID-LENGTH
        ENOS-CLIENTID-EMPTY ENOS-CLIENTID-LITERAL-PREFIX ENOS-SECUREMODE-MISSING ENOS-SECUREMODE
        ENOS-SIGNMETHOD-MISSING ENOS-SIGNMETHOD-MISSPELT ENOS-SIGNMETHOD ENOS-SIGNMETHOD-UNKNOWN
        ENOS-TIMESTAMP-MISSING
        ENOS-TIMESTAMP-FORMAT ENOS-TIMESTAMP-MISMATCH ENOS-USERNAME-SHAPE ENOS-USERNAME-ORDER
        ENOS-DEVICE-UNKNOWN ENOS-SIGN-STATIC ENOS-SIGN-DYNAMIC ENOS-SIGN-WRONG-SECRET
        ENOS-SIGN-IS-HMAC ENOS-SIGN-CONTENT-ORDER ENOS-PASSWORD-UPPERCASE ENOS-DYNAMIC-DISABLED
        ENOS-DYNAMIC-ALREADY-ACTIVE ENOS-ACTIVATE-NO-RECONNECT ENOS-ACTIVATE-NOT-SUBSCRIBED
        ENOS-SECRET-STALE ENOS-TOPIC-ACL ENOS-PAYLOAD-JSON ENOS-METHOD-TOPIC ENOS-DUPLICATE-LOGIN
        ENOS-CLIENTID-BLANKS ENOS-CLIENTID-UNKNOWN-KEY ENOS-CLIENTID-SUFFIX ENOS-DEVICE-DISABLED
        ENOS-VERSION ENOS-PARAMS ENOS-SERVICE-UNKNOWN ENOS-METHOD-SPELLING ENOS-TAG-SIZE"""),
    **of(a_device_that_reports_what_its_model_has, "ENOS-MODEL"),
    **of(a_device_that_takes_an_upgrade, "ENOS-OTA-TASK"),
    **of(a_device_that_answers_a_command, "ENOS-ANSWER-ID"),
    **of(a_device_with_its_certificate, "ENOS-CERT-REQUIRED ENOS-CERT-MISMATCH"),
}


# ---- devices that do not ----

def enters(device=ENOS, packet=None, **how):
    return login_with(device, LISTENER, packet, **how)


def named(block, cid="123456"):
    """A login with this block in the client id."""
    return enters(packet={"clientId": f"{cid}|{block}|"})


def hashes(content):
    """A login whose password is the hash of this and the secret."""
    password = hashlib.sha256((content + credentials.SECRETS[ENOS][0]).encode()).hexdigest()
    return enters(packet={"password": password.upper()})


def posts(payload, topic=POST, device=ENOS):
    return says(device, {"type": "publish", "qos": 1, "id": 7, "topic": topic, "payload": payload},
                listener=LISTENER)


@plays(ENOS)
def logs_in_twice(stage):
    for _ in range(2):
        stage.login(ENOS, stage.peer(LISTENER))


@plays(ENOS)
def is_activated_and_asks_again(stage):
    for _ in range(2):
        activate(stage)


@plays(ENOS)
def is_activated_and_does_not_listen(stage):
    stage.leave(activate(stage)[0])


@plays(ENOS)
def goes_on_with_its_old_secret(stage):
    stage.leave(activate(stage)[0])
    stage.connect(credentials.enos(ENOS), stage.peer(LISTENER))


@plays(ENOS)
def asks_for_a_secret_when_it_has_one(stage):
    stage.leave(stage.login(ENOS, stage.peer(LISTENER)))
    stage.connect(credentials.enos(ENOS, securemode="3"), stage.peer(LISTENER))


@plays(ENOS)
def shows_the_certificate_of_another(stage):
    stage.context(certificate_of=ENOS)
    context = stage.context(certificate_of=ENOS_OTHER)
    stage.connect(credentials.enos(ENOS), stage.tls("enos-mqtts", context))


BREAKS = {
    "ENOS-PORT-AUTH": login_with(ENOS, "mqtt"),
    "ENOS-MQTT-VERSION": enters(packet={"protocol": "MQIsdp", "level": 3}),
    "ENOS-CERT-REQUIRED": enters(CERTIFIED),
    "ENOS-CLIENTID-SHAPE": enters(packet={
        "clientId": f"123456|securemode=2,signmethod=sha256,timestamp={TIMESTAMP}"}),
    "ENOS-CLIENTID-LENGTH": enters(cid=65 * "c"),
    "ENOS-CLIENTID-EMPTY": enters(cid=""),
    "ENOS-CLIENTID-LITERAL-PREFIX": enters(cid="clientId123456"),
    "ENOS-SECUREMODE-MISSING": named(f"signmethod=sha256,timestamp={TIMESTAMP}"),
    "ENOS-SECUREMODE": enters(securemode="1"),
    "ENOS-SIGNMETHOD-MISSING": named(f"securemode=2,timestamp={TIMESTAMP}"),
    "ENOS-SIGNMETHOD-MISSPELT": named(f"securemode=2,sighmethod=sha256,timestamp={TIMESTAMP}"),
    "ENOS-SIGNMETHOD": enters(method="sha1"),
    "ENOS-SIGNMETHOD-UNKNOWN": named(f"securemode=2,signmethod=crc32,timestamp={TIMESTAMP}"),
    "ENOS-TIMESTAMP-MISSING": named("securemode=2,signmethod=sha256"),
    "ENOS-TIMESTAMP-FORMAT": enters(timestamp="1548753362"),
    "ENOS-TIMESTAMP-MISMATCH": hashes("clientId123456deviceKeytPbZGCdmaEproductKeyKV315idW"),
    "ENOS-USERNAME-SHAPE": enters(None, name=ENOS, packet={"username": "tPbZGCdmaE"}),
    "ENOS-USERNAME-ORDER": enters(None, name=ENOS, mistake="swapped-keys"),
    "ENOS-DEVICE-UNKNOWN": enters(None, name=ENOS, packet={"username": "nobody&KV315idW"}),
    "ENOS-SIGN-STATIC": enters(packet={"password": 64 * "0"}),
    "ENOS-SIGN-DYNAMIC": enters(packet={"password": 64 * "0"}, securemode="3"),
    "ENOS-SIGN-WRONG-SECRET": enters(mistake="product-secret"),
    "ENOS-SIGN-IS-HMAC": enters(mistake="is-hmac"),
    "ENOS-SIGN-CONTENT-ORDER": hashes(f"123456tPbZGCdmaEKV315idW{TIMESTAMP}"),
    "ENOS-PASSWORD-UPPERCASE": enters(packet={
        "password": credentials.enos(ENOS)["password"].lower()}),
    "ENOS-DYNAMIC-DISABLED": enters(STATIC, securemode="3"),
    "ENOS-DYNAMIC-ALREADY-ACTIVE": asks_for_a_secret_when_it_has_one,
    "ENOS-ACTIVATE-NO-RECONNECT": is_activated_and_asks_again,
    "ENOS-ACTIVATE-NOT-SUBSCRIBED": is_activated_and_does_not_listen,
    "ENOS-SECRET-STALE": goes_on_with_its_old_secret,
    "ENOS-TOPIC-ACL": posts("{}", "/sys/KV315idW/second/thing/measurepoint/post"),
    "ENOS-PAYLOAD-JSON": posts("power=1.5"),
    "ENOS-METHOD-TOPIC": posts(measurement(method="thing.event.post")),
    "ENOS-DUPLICATE-LOGIN": logs_in_twice,
    "ENOS-CLIENTID-BLANKS": named(
        f"securemode=2, signmethod=sha256, timestamp={TIMESTAMP}"),
    "ENOS-CLIENTID-UNKNOWN-KEY": named(
        f"securemode=2,signmethod=sha256,timestamp={TIMESTAMP},lan=C"),
    "ENOS-CLIENTID-SUFFIX": enters(cid=f"123456{{ip={60 * '1'}}}"),
    "ENOS-DEVICE-DISABLED": enters(DISABLED),
    "ENOS-CERT-MISMATCH": shows_the_certificate_of_another,
    "ENOS-VERSION": posts(measurement(version="2.0")),
    "ENOS-PARAMS": posts(measurement(params=[1.5])),
    "ENOS-ANSWER-ID": service_answer("7"),
    "ENOS-SERVICE-UNKNOWN": posts("{}", f"{SYS}/nothing"),
    "ENOS-MODEL": posts(measurement(params={"measurepoints": {"temp": "warm"}}),
                        "/sys/modelled/only/thing/measurepoint/post", MODELLED),
    "ENOS-OTA-TASK": posts(upgrading("progress", {"step": "20"}), f"{OTA}/progress"),
    "ENOS-TAG-SIZE": posts(tag(201 * "v"), f"{SYS}/tag/update"),
    "ENOS-METHOD-SPELLING": posts(measurement(method="thing.event.%s.postError", params={"events": {}}),
                                  f"{SYS}/event/Error/post"),
}
