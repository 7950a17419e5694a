"""Tencent IoT Hub."""

import base64
import hashlib
import hmac
import json
import ssl
import time

import credentials
from stage import TEN, TEN_OTHER, answers, login_with, of, plays, publishes, says, subscribes

CERTIFIED, DYNAMIC = "tencent/CERTIFIED1/dev001", "tencent/DYNAMIC001/dev001"
OWN = "PROD123456/dev001"
EVENT, CONTROL = f"{OWN}/event", f"{OWN}/control"
SHADOW, SHADOW_RESULT = f"$shadow/operation/{OWN}", f"$shadow/operation/result/{OWN}"
TIME = f"$sys/operation/{OWN}"
PROPERTY, THING_EVENT = f"$thing/up/property/{OWN}", f"$thing/up/event/{OWN}"
REGISTER_PATH = "/register/dev"
LOG_PATH = "/cgi-bin/report-log"
OTA, OTA_DOWN = f"$ota/report/{OWN}", f"$ota/update/{OWN}"
MODELLED, MODELLED_UP = "tencent/MODELLED01/dev001", "$thing/up/property/MODELLED01/dev001"
RECONNECT_MS = 5000
GATEWAY, SUB = "tencent/GATEWAY001/gw", "tencent/SUBDEVICE1/mine"
GATEWAY_UP = "$gateway/operation/GATEWAY001/gw"
GATEWAY_DOWN = "$gateway/operation/result/GATEWAY001/gw"
SUB_DATA = "SUBDEVICE1/mine/data"


def psk_hex(device=TEN):
    return base64.b64decode(credentials.SECRETS[device][0]).hex()


def psk_identity(device=TEN):
    return "".join(credentials.split(device)[1:])


def shadow(kind="update", **more):
    return json.dumps({"type": kind, "clientToken": "1", "state": {"reported": {"lamp": "on"}},
                       **more})


def thing(method="report", **more):
    return json.dumps({"method": method, "clientToken": "1", "params": {"lamp": 1}, **more})


def nested(depth):
    value = 1
    for _ in range(depth):
        value = {"deeper": value}
    return value


def registration(device=DYNAMIC, secret=None, **fields):
    """The body of a registration as the vendor's SDK signs it."""
    _, product, name = credentials.split(device)
    text = f"deviceName={name}&nonce=7&productId={product}&timestamp=1548753362"
    sign = hmac.new((secret or credentials.SECRETS[device][1]).encode(), text.encode(),
                    hashlib.sha1).hexdigest()
    body = {"deviceName": name, "nonce": 7, "productId": product, "timestamp": 1548753362,
            "signature": base64.b64encode(sign.encode()).decode(), **fields}
    return json.dumps({key: value for key, value in body.items() if value is not None})


def behind(kind, product="SUBDEVICE1", device="mine", **more):
    """What a gateway says of a device behind it."""
    named = {"product_id": product, "device_name": device, **more}
    return json.dumps({"type": kind, "payload": {"devices": [named]}})


def bind(product="SUBDEVICE1", device="free", timestamp=None, method="hmacsha1", **more):
    """Signed with the undecoded key, now unless a time is given."""
    seconds = int(time.time()) if timestamp is None else timestamp
    text = f"{product}{device};121213;{seconds}"
    key = b"MTIzNDU2Nzg5MGFiY2RlZg=="
    signature = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest()).decode()
    return behind("bind", product, device, **{
        "signature": signature, "random": 121213, "timestamp": seconds, "signmethod": method,
        "authtype": "psk", **more})


def progress(state="downloading", **more):
    return json.dumps({"type": "report_progress", "report": {
        "progress": {"state": state, "percent": "1", "result_code": "0", "result_msg": "", **more},
        "version": "2.0"}})


# ---- devices that keep to the rules ----

@plays(TEN)
def a_device_that_does_everything_right(stage):
    stage.leave(stage.login(TEN))
    stage.api.advance(RECONNECT_MS)
    peer = stage.login(TEN)
    for topic in (CONTROL, SHADOW_RESULT):
        stage.subscribe(peer, topic)
    stage.publish(peer, EVENT, "{}")
    stage.publish(peer, SHADOW, shadow(version=0))
    stage.publish(peer, TIME, '{"type":"get","resource":["time"]}')


@plays(TEN)
def a_device_with_properties_and_events(stage):
    peer = stage.login(TEN)
    for kind in ("property", "event", "action"):
        stage.subscribe(peer, f"$thing/down/{kind}/{OWN}")
    stage.publish(peer, PROPERTY, thing("report_info"))
    stage.publish(peer, PROPERTY, thing("get_status"))
    stage.publish(peer, PROPERTY, thing(timestamp=0))
    stage.publish(peer, THING_EVENT, thing("event_post", eventId="smoke", type="alert"))


@plays(GATEWAY)
def a_gateway(stage):
    peer = stage.login(GATEWAY)
    stage.subscribe(peer, GATEWAY_DOWN)
    stage.publish(peer, GATEWAY_UP, '{"type":"describe_sub_devices"}')
    stage.publish(peer, GATEWAY_UP, bind())
    stage.publish(peer, GATEWAY_UP, behind("online"))
    stage.subscribe(peer, SUB_DATA)
    stage.publish(peer, GATEWAY_UP, behind("offline"))


@plays(SUB)
def a_device_behind_a_gateway(stage):
    peer = stage.login(GATEWAY)
    stage.subscribe(peer, GATEWAY_DOWN)
    stage.publish(peer, GATEWAY_UP, bind(device="mine"))
    stage.publish(peer, GATEWAY_UP, behind("online"))
    stage.publish(peer, SUB_DATA, "{}")


@plays("tencent/SUBDEVICE1/free")
def a_device_that_is_bound(stage):
    peer = stage.login(GATEWAY)
    stage.subscribe(peer, GATEWAY_DOWN)
    stage.publish(peer, GATEWAY_UP, bind())


def device_call(name="dev001", message=("a line",), key=None):
    """A log, in the form that C's SDK has: its head, its lines, and the signature of both."""
    body = "P###PROD123456" + name.ljust(48, "#") + "1589786839" + "".join(
        line + "\n\f" for line in message)
    secret = (key or credentials.SECRETS[TEN][0])[:24]
    return hmac.new(secret.encode(), body.encode(), hashlib.sha1).hexdigest() + body


@plays(MODELLED)
def a_device_that_keeps_to_its_model(stage):
    peer = stage.login(MODELLED)
    stage.subscribe(peer, "$thing/down/property/MODELLED01/dev001")
    stage.publish(peer, MODELLED_UP, thing())


@plays(TEN)
def a_device_that_is_upgraded(stage):
    peer = stage.login(TEN)
    stage.subscribe(peer, (OTA_DOWN, 0))
    stage.publish(peer, OTA, '{"type":"report_version","report":{"version":"1.0"}}')
    stage.api.post(f"/api/v1/devices/{TEN}/ota", {"version": "2.0", "size": 1000})
    while "update_firmware" not in peer.receive()["payload"]:
        pass
    for state in ("downloading", "burning", "done"):
        stage.publish(peer, OTA, progress(state))


@plays(TEN)
def a_device_that_hands_in_its_log(stage):
    stage.http(LOG_PATH, device_call())


@plays(TEN)
def a_device_that_comes_over_tls(stage):
    stage.login(TEN, stage.tls("mqtts"))


@plays(TEN)
def a_device_with_its_pre_shared_key(stage):
    fields = {**credentials.tencent(TEN), "password": None}
    assert stage.connect(fields, stage.psk(psk_identity(), psk_hex()))[1] == 0


@plays(CERTIFIED)
def a_device_with_its_certificate(stage):
    context = stage.context(certificate_of=CERTIFIED)
    stage.login(CERTIFIED, stage.tls("mqtts", context))


@plays(DYNAMIC)
def a_device_that_registers(stage):
    stage.http(REGISTER_PATH, registration())


def call_answer(process_id=None):
    """To a remote call; under its own id unless another is given."""
    def reply(topic, payload):
        return f"$rrpc/txd/{OWN}/{process_id or topic.rsplit('/', 1)[1]}", payload
    return answers(TEN, {"kind": "rpc", "payload": "?"}, reply, hears=[f"$rrpc/rxd/{OWN}/+"])


a_device_that_answers_a_call = call_answer()

KEEPS = {
    **of(a_device_that_does_everything_right, """
        TEN-CLIENTID TEN-USERNAME-SHAPE TEN-USERNAME-CLIENTID TEN-SDKAPPID TEN-CONNID
        TEN-EXPIRY-FORMAT TEN-EXPIRY-MS TEN-EXPIRED TEN-PASSWORD-SHAPE TEN-HMAC-METHOD TEN-SIGN
        TEN-PSK-NOT-DECODED TEN-PSK-BASE64 TEN-NO-PASSWORD TEN-PORT-PSK TEN-WILL TEN-RETAIN
        TEN-QOS2-PUBLISH TEN-QOS2-SUBSCRIBE TEN-PACKET-TYPE TEN-TOPIC-SUB TEN-TOPIC-PUB
        TEN-TOPIC-DIRECTION TEN-TOPIC-OTHER-DEVICE TEN-SHADOW-TYPE TEN-SHADOW-DELTA-UPLINK
        TEN-SHADOW-JSON TEN-SHADOW-VERSION TEN-SHADOW-NOT-SUBSCRIBED TEN-SHADOW-STATE
        TEN-SHADOW-LIMIT TEN-SERVICE-REQUEST TEN-KEEPALIVE-RANGE TEN-PAYLOAD-SIZE TEN-CONNECT-RATE
        TEN-PUBLISH-RATE TEN-SUB-DIRECT TEN-DUPLICATE-LOGIN TEN-DEVICE-DISABLED TEN-SUB-COUNT TEN-SERVICE-UNKNOWN"""),
    **of(a_device_with_properties_and_events, """
        TEN-THING-JSON TEN-THING-METHOD TEN-THING-EVENT TEN-THING-TIME TEN-THING-VALUE
        TEN-THING-TOKEN"""),
    **of(a_gateway, """
        TEN-GATEWAY-REQUEST TEN-GATEWAY-PARAMETER TEN-GATEWAY-SENDER TEN-GATEWAY-LIST"""),
    **of(a_device_behind_a_gateway, """
        TEN-GATEWAY-DEVICE TEN-GATEWAY-PRODUCT TEN-GATEWAY-UNBOUND TEN-GATEWAY-UNANNOUNCED"""),
    **of(a_device_that_is_bound, """
        TEN-GATEWAY-ORDINARY TEN-GATEWAY-METHOD TEN-GATEWAY-SIGN TEN-GATEWAY-EXPIRED
        TEN-GATEWAY-ELSEWHERE"""),
    **of(a_device_that_hands_in_its_log, "TEN-HTTP-CALL TEN-HTTP-SIGN"),
    **of(a_device_that_keeps_to_its_model, "TEN-MODEL TEN-MODEL-FORM"),
    **of(a_device_that_is_upgraded, "TEN-OTA-REPORT TEN-OTA-TASK"),
    **of(a_device_that_answers_a_call, "TEN-ANSWER-ID"),
    **of(a_device_that_comes_over_tls, "TEN-TLS-VERSION"),
    **of(a_device_with_its_pre_shared_key, "TEN-PSK-DEVICE TEN-PSK-IDENTITY TEN-PSK-KEY"),
    **of(a_device_with_its_certificate, "TEN-CERTIFICATE TEN-CERTIFICATE-DEVICE"),
    **of(a_device_that_registers, """
        TEN-REGISTER-SHAPE TEN-REGISTER-SIGN TEN-REGISTER-DISABLED TEN-REGISTER-ACTIVE"""),
}


# ---- devices that do not ----

def named(username):
    """A login with this user name, signed as it is."""
    key = base64.b64decode(credentials.SECRETS[TEN][0])
    token = hmac.new(key, username.encode(), hashlib.sha256).hexdigest()
    return login_with(TEN, packet={"username": username, "password": f"{token};hmacsha256"})


def asks_shadow(payload, subscribed=True):
    @plays(TEN)
    def play(stage):
        peer = stage.login(TEN)
        if subscribed:
            stage.subscribe(peer, SHADOW_RESULT)
        stage.publish(peer, SHADOW, payload)
    return play


def shakes_hands(device, identity, key_hex):
    @plays(device)
    def play(stage):
        stage.s_client("mqtts", "-tls1_2", "-cipher", "PSK", "-psk_identity", identity, "-psk",
                       key_hex)
    return play


def as_gateway(topic, payload, judged=GATEWAY, sender=GATEWAY):
    """What a gateway publishes; whose conduct that is."""
    @plays(judged)
    def play(stage):
        stage.publish(stage.login(sender), topic, payload)
    return play


FREE = "tencent/SUBDEVICE1/free"


def as_modelled(payload):
    @plays(MODELLED)
    def play(stage):
        stage.publish(stage.login(MODELLED), MODELLED_UP, payload)
    return play


def calls(body, device=TEN):
    @plays(device)
    def play(stage):
        stage.http(LOG_PATH, body)
    return play


def registers(body, device=DYNAMIC):
    @plays(device)
    def play(stage):
        stage.http(REGISTER_PATH, body)
    return play


@plays(TEN)
def speaks_tls_1_1(stage):
    stage.login(TEN, stage.tls("mqtts", stage.context(ssl.TLSVersion.TLSv1_1)))


@plays(TEN)
def logs_in_twice(stage):
    for _ in range(2):
        stage.login(TEN)


@plays(CERTIFIED)
def comes_without_the_certificate_it_needs(stage):
    stage.connect(credentials.tencent(CERTIFIED))


@plays(CERTIFIED)
def shows_the_certificate_of_another(stage):
    """Of the same name, in another product."""
    context = stage.context(certificate_of=TEN)
    stage.connect(credentials.tencent(CERTIFIED), stage.tls("mqtts", context))


@plays(TEN)
def comes_with_the_key_of_another(stage):
    stage.connect(credentials.tencent(TEN), stage.psk(psk_identity(TEN_OTHER), psk_hex(TEN_OTHER)))


@plays(DYNAMIC)
def registers_when_it_has_been_online(stage):
    stage.login(DYNAMIC)
    stage.http(REGISTER_PATH, registration())


@plays(TEN)
def publishes_too_fast(stage):
    peer = stage.login(TEN)
    for _ in range(31):
        peer.send_packet(type="publish", qos=0, topic=EVENT, payload="")
    stage.publish(peer, EVENT)


NEVER_BROKEN = {"TEN-PSK-BASE64": "a key that is not base64 cannot be registered"}

BREAKS = {
    "TEN-CLIENTID": login_with(None, name=TEN, packet={"clientId": "PROD123456dev003"}),
    "TEN-USERNAME-SHAPE": named("PROD123456dev001;12010126;A1B2C"),
    "TEN-USERNAME-CLIENTID": named("PROD123456dev002;12010126;A1B2C;2147483647"),
    "TEN-SDKAPPID": login_with(TEN, appid="21010406"),
    "TEN-CONNID": login_with(TEN, connid=""),
    "TEN-EXPIRY-FORMAT": login_with(TEN, expiry="tomorrow"),
    "TEN-EXPIRY-MS": login_with(TEN, expiry="2147483647000"),
    "TEN-EXPIRED": login_with(TEN, expiry="1548753362"),
    "TEN-PASSWORD-SHAPE": login_with(TEN, packet={"password": 64 * "0"}),
    "TEN-HMAC-METHOD": login_with(TEN, method="hmacsha512"),
    "TEN-SIGN": login_with(TEN, packet={"password": f"{64 * '0'};hmacsha256"}),
    "TEN-PSK-NOT-DECODED": login_with(TEN, mistake="key-not-decoded"),
    "TEN-NO-PASSWORD": login_with(TEN, packet={"password": None}),
    "TEN-PORT-PSK": login_with(TEN, "enos-mqtt"),
    "TEN-TLS-VERSION": speaks_tls_1_1,
    "TEN-WILL": login_with(TEN, packet={"will": {"topic": "gone", "payload": "gone"}}),
    "TEN-RETAIN": publishes(TEN, EVENT, retain=True),
    "TEN-QOS2-PUBLISH": says(TEN, {"type": "publish", "qos": 2, "id": 1, "topic": EVENT}),
    "TEN-QOS2-SUBSCRIBE": subscribes(TEN, CONTROL, qos=2),
    "TEN-PACKET-TYPE": says(TEN, b"\x62\2\0\1"),
    "TEN-TOPIC-SUB": subscribes(TEN, "elsewhere"),
    "TEN-TOPIC-PUB": publishes(TEN, "elsewhere"),
    "TEN-TOPIC-DIRECTION": publishes(TEN, CONTROL),
    "TEN-TOPIC-OTHER-DEVICE": publishes(TEN, "PROD123456/dev002/event"),
    "TEN-SHADOW-TYPE": asks_shadow(shadow("change")),
    "TEN-SHADOW-DELTA-UPLINK": asks_shadow(shadow("delta")),
    "TEN-SHADOW-JSON": asks_shadow("lamp=on"),
    "TEN-SHADOW-VERSION": asks_shadow(shadow(version=5)),
    "TEN-SHADOW-NOT-SUBSCRIBED": asks_shadow(shadow(), subscribed=False),
    "TEN-SHADOW-STATE": asks_shadow(shadow(state={})),
    "TEN-SHADOW-LIMIT": asks_shadow(shadow(state={"reported": nested(6)})),
    "TEN-ANSWER-ID": call_answer("7"),
    "TEN-GATEWAY-REQUEST": as_gateway(GATEWAY_UP, '{"type":"search"}'),
    "TEN-GATEWAY-PARAMETER": as_gateway(GATEWAY_UP, bind(signature="")),
    "TEN-GATEWAY-SENDER": as_gateway(f"$gateway/operation/{OWN}", bind(), TEN, TEN),
    "TEN-GATEWAY-DEVICE": as_gateway(GATEWAY_UP, behind("online", device="nobody"), None),
    "TEN-GATEWAY-ORDINARY": as_gateway(GATEWAY_UP, bind("GATEWAY001", "other"),
                                       "tencent/GATEWAY001/other"),
    "TEN-GATEWAY-PRODUCT": as_gateway(GATEWAY_UP, bind("PROD123456", "dev001"), TEN),
    "TEN-GATEWAY-METHOD": as_gateway(GATEWAY_UP, bind(method="hmacmd5"), FREE),
    "TEN-GATEWAY-SIGN": as_gateway(GATEWAY_UP, bind(signature="bm8="), FREE),
    "TEN-GATEWAY-EXPIRED": as_gateway(GATEWAY_UP, bind(timestamp=1548753362), FREE),
    "TEN-GATEWAY-ELSEWHERE": as_gateway(GATEWAY_UP, bind(device="theirs"),
                                        "tencent/SUBDEVICE1/theirs"),
    "TEN-GATEWAY-UNBOUND": as_gateway(GATEWAY_UP, behind("online", device="free"), FREE),
    "TEN-GATEWAY-UNANNOUNCED": as_gateway(SUB_DATA, "{}", SUB),
    "TEN-GATEWAY-LIST": as_gateway("$gateway/operation/GATEWAY001/many",
                                   '{"type":"describe_sub_devices"}', "tencent/GATEWAY001/many",
                                   "tencent/GATEWAY001/many"),
    "TEN-MODEL": as_modelled(thing(params={"lamb": 1})),
    "TEN-MODEL-FORM": as_modelled(thing(params={"lamp": True})),
    "TEN-OTA-REPORT": publishes(TEN, OTA, progress("half")),
    "TEN-OTA-TASK": publishes(TEN, OTA, progress()),
    "TEN-HTTP-CALL": calls("too short", None),
    "TEN-HTTP-SIGN": calls(device_call(key="another secret")),
    "TEN-THING-JSON": publishes(TEN, PROPERTY, "lamp=on"),
    "TEN-THING-METHOD": publishes(TEN, PROPERTY, thing("set")),
    "TEN-THING-EVENT": publishes(TEN, THING_EVENT, thing("event_post", type="alert")),
    "TEN-THING-TIME": publishes(TEN, PROPERTY, thing(timestamp=1548753362)),
    "TEN-THING-VALUE": publishes(TEN, PROPERTY, thing(params={"lamp": None})),
    "TEN-THING-TOKEN": publishes(TEN, PROPERTY, thing(clientToken=None)),
    "TEN-SERVICE-UNKNOWN": publishes(TEN, f"$resource/up/service/{OWN}",
                                     '{"type":"create_upload_task"}'),
    "TEN-SERVICE-REQUEST": publishes(TEN, TIME, '{"type":"ask"}'),
    "TEN-KEEPALIVE-RANGE": login_with(TEN, packet={"keepalive": 901}),
    "TEN-PAYLOAD-SIZE": publishes(TEN, EVENT, 16_385 * "x"),
    "TEN-PUBLISH-RATE": publishes_too_fast,
    "TEN-SUB-DIRECT": login_with("tencent/BEHINDONLY/dev001"),
    "TEN-CONNECT-RATE": logs_in_twice,
    "TEN-DUPLICATE-LOGIN": logs_in_twice,
    "TEN-DEVICE-DISABLED": login_with("tencent/PROD123456/disabled"),
    "TEN-CERTIFICATE": comes_without_the_certificate_it_needs,
    "TEN-CERTIFICATE-DEVICE": shows_the_certificate_of_another,
    "TEN-PSK-DEVICE": comes_with_the_key_of_another,
    "TEN-PSK-IDENTITY": shakes_hands(None, "PROD123456dev003", psk_hex()),
    "TEN-PSK-KEY": shakes_hands(TEN, psk_identity(), "00"),
    "TEN-SUB-COUNT": subscribes(TEN, CONTROL, SHADOW_RESULT),
    "TEN-REGISTER-SHAPE": registers(registration(nonce=None)),
    "TEN-REGISTER-SIGN": registers(registration(secret="not it")),
    "TEN-REGISTER-DISABLED": registers(registration(TEN, secret="whatever"), TEN),
    "TEN-REGISTER-ACTIVE": registers_when_it_has_been_online,
}
