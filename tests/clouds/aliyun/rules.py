"""Alibaba Cloud: logging in, and what a device that is in may do."""

import hashlib
import hmac
import json

import credentials
from stage import ALI, answers, login_with, of, plays, publishes, says, subscribes
from tencent.rules import psk_hex as another_clouds_key
from tencent.rules import psk_identity as another_clouds_identity

CERTIFIED = "aliyun/certified/device"
MODELLED = "aliyun/modelled/device"
MODELLED_POST = "/sys/modelled/device/thing/event/property/post"
GATEWAY, LAMP = "aliyun/gateways/gateway", "aliyun/subs/lamp"
THROUGH, COMBINE = "/sys/gateways/gateway/thing", "/ext/session/gateways/gateway/combine"
OWN, SYS = "/pk/device/user", "/sys/pk/device/thing"
PROGRESS = "/ota/device/progress/pk/device"
PACK = f"{SYS}/event/property/pack/post"
PROPERTIES, SHADOW = f"{SYS}/event/property/post", "/shadow/update/pk/device"
HOST = "{}.iot-as-mqtt.cn-shanghai.aliyuncs.com"
PSK_TIME = "2524608000000"


def property_post(method="thing.event.property.post", params=None):
    return json.dumps({"id": "1", "version": "1.0", "method": method,
                       "params": {"temperature": 21} if params is None else params})


def pack_post(device="device"):
    return json.dumps({"id": "1", "version": "1.0", "params": {
        "properties": {"temperature": 21}, "subDevices": [
            {"identity": {"productKey": "pk", "deviceName": device}, "properties": {"on": 1}}]}})


def signed(device=LAMP, cleansession=False, **fields):
    """A sub-device as its gateway adds it to the topology or logs it in."""
    _, product, name = credentials.split(device)
    fields = {"productKey": product, "deviceName": name, "clientId": f"{product}.{name}|lan=C|",
              "timestamp": PSK_TIME, **fields}
    content = ("cleanSessiontrue" if cleansession else "") + "".join(
        key + fields[key] for key in sorted(fields))
    sign = hmac.new(credentials.SECRETS[device][0].encode(), content.encode(), hashlib.sha1)
    return {**fields, "signMethod": "hmacSha1", "sign": sign.hexdigest(), "cleanSession": "true"}


def request(params):
    return json.dumps({"id": "1", "version": "1.0", "params": params})


def shadow_update(version=1, method="update"):
    return json.dumps({"method": method, "state": {"reported": {"colour": "red"}},
                       "version": version})


def psk_identity(device=ALI, kind="devicename"):
    _, product, name = credentials.split(device)
    return f"{kind}|hmacsha256|{product}&{name}|{PSK_TIME}"


def psk_key_hex(device=ALI, upper=True):
    """The key is the signature's hex text; OpenSSL wants the hex of that."""
    _, product, name = credentials.split(device)
    sign = hmac.new(credentials.SECRETS[device][0].encode(),
                    f"id{product}&{name}timestamp{PSK_TIME}".encode(),
                    hashlib.sha256).hexdigest()
    return (sign.upper() if upper else sign).encode().hex()


# ---- devices that keep to the rules ----

@plays(ALI)
def a_device_that_does_everything_right(stage):
    peer = stage.login(ALI, keepalive=60)
    stage.subscribe(peer, f"{OWN}/get")
    stage.publish(peer, f"{OWN}/update", "hello")
    stage.publish(peer, PROPERTIES, property_post())
    stage.publish(peer, SHADOW, shadow_update())
    stage.publish(peer, PROGRESS, request({"step": "50", "desc": ""}))
    stage.api.advance(50_000)
    stage.ping(peer)
    stage.api.advance(20_000)  # past the end of the interval in which it spoke
    stage.ping(peer)


@plays(ALI)
def a_device_that_comes_by_the_clouds_name(stage):
    stage.login(ALI, stage.tls(name=HOST.format("pk")), how={"securemode": "2"})


@plays(CERTIFIED)
def a_device_with_its_certificate(stage):
    context = stage.context(certificate_of=CERTIFIED)
    stage.login(CERTIFIED, stage.tls("mqtts", context), how={"securemode": "2"})


@plays(ALI)
def a_device_with_its_pre_shared_key(stage):
    stage.login(ALI, stage.psk(psk_identity(), psk_key_hex()), how={"securemode": "2"})


@plays(ALI)
def a_device_that_speaks_for_itself(stage):
    stage.publish(stage.login(ALI), PACK, pack_post())


@plays(MODELLED)
def a_device_that_keeps_to_its_model(stage):
    stage.publish(stage.login(MODELLED), MODELLED_POST, property_post(params={"level": 9}))


@plays(GATEWAY)
def a_gateway_with_a_device_behind_it(stage):
    peer = stage.login(GATEWAY)
    stage.publish(peer, f"{THROUGH}/topo/add", request([signed()]))
    stage.publish(peer, f"{COMBINE}/login", request(signed()))
    stage.publish(peer, "/sys/subs/lamp/thing/event/property/post", property_post())
    stage.publish(peer, f"{COMBINE}/logout", request({"productKey": "subs", "deviceName": "lamp"}))


def service_answer(command_id=None):
    """To a service call; under its own id unless another is given."""
    def reply(topic, payload):
        return topic + "_reply", json.dumps({"id": command_id or json.loads(payload)["id"],
                                             "code": 200, "data": {}})
    return answers(ALI, {"kind": "service", "name": "blink"}, reply,
                   hears=[f"{SYS}/service/+"])


a_device_that_answers_a_command = service_answer()

KEEPS = {
    **of(a_device_that_does_everything_right, """
        ALI-CLIENTID-SHAPE ALI-CLIENTID-LENGTH ALI-SECUREMODE ALI-SECUREMODE-MISMATCH
        ALI-SIGNMETHOD ALI-SIGNMETHOD-MISSING ALI-TIMESTAMP-OPTIONAL ALI-EXT-PARAM
        ALI-USERNAME-SHAPE ALI-USERNAME-ORDER ALI-DEVICE-UNKNOWN ALI-SUB-DIRECT ALI-SIGN
        ALI-SIGN-VALUES-ONLY
        ALI-SIGN-CLIENTID-FULL ALI-SIGN-PLAIN-HASH ALI-SIGN-SIGNS-SIGNMETHOD ALI-KEEPALIVE-RANGE
        ALI-KEEPALIVE-SDK-DOUBLING ALI-KEEPALIVE-TIMEOUT ALI-DUPLICATE-LOGIN ALI-WILL ALI-RETAIN
        ALI-QOS2 ALI-TOPIC-PUB ALI-TOPIC-SUB ALI-SUB-COUNT ALI-PAYLOAD-SIZE ALI-PUBLISH-RATE
        ALI-SHADOW-VERSION ALI-SHADOW-FORMAT ALI-DEVICE-DISABLED ALI-METHOD-TOPIC ALI-PAYLOAD-JSON
        ALI-PARAMS ALI-SERVICE-UNKNOWN ALI-SHADOW-COMMA ALI-ENTRIES ALI-OTA-STEP"""),
    **of(a_device_that_speaks_for_itself, "ALI-SUB-DEVICE"),
    **of(a_device_that_keeps_to_its_model, "ALI-MODEL"),
    **of(a_gateway_with_a_device_behind_it, """
        ALI-GATEWAY ALI-SUB-SIGN ALI-SUB-SIGN-SESSION ALI-SUB-ONLINE"""),
    **of(a_device_that_answers_a_command, "ALI-ANSWER-ID"),
    **of(a_device_that_comes_by_the_clouds_name, "ALI-HOST"),
    **of(a_device_with_its_certificate, "ALI-CERTIFICATE ALI-CERTIFICATE-DEVICE"),
    **of(a_device_with_its_pre_shared_key, "ALI-PSK-DEVICE ALI-PSK-IDENTITY ALI-PSK-KEY"),
}


# ---- devices that do not ----

def named(client_id):
    """A login with this client id."""
    return login_with(ALI, packet={"clientId": client_id})


@plays(ALI)
def leaves_out_the_signmethod(stage):
    stage.connect(credentials.aliyun(ALI, method="hmacmd5"),
                  clientId=f"12345|securemode=3,timestamp={credentials.TIMESTAMP}|")


@plays(ALI)
def does_not_send_the_timestamp_it_signs(stage):
    stage.connect(credentials.aliyun(ALI), clientId="12345|securemode=3,signmethod=hmacsha1|")


@plays(ALI)
def comes_by_another_products_name(stage):
    stage.login(ALI, stage.tls(name=HOST.format("kp")), how={"securemode": "2"})


@plays(ALI)
def falls_silent(stage):
    stage.login(ALI, keepalive=60)
    stage.api.advance(60_001)


@plays(ALI)
def logs_in_twice(stage):
    stage.login(ALI)
    stage.login(ALI)


@plays(ALI)
def publishes_too_fast(stage):
    peer = stage.login(ALI)
    for _ in range(31):
        peer.send_packet(type="publish", topic=f"{OWN}/update")
    stage.ping(peer)


@plays(ALI)
def updates_its_shadow_with_an_old_version(stage):
    peer = stage.login(ALI)
    for version in (5, 4):
        stage.publish(peer, SHADOW, shadow_update(version))


@plays(CERTIFIED)
def comes_without_the_certificate_it_needs(stage):
    stage.connect(credentials.aliyun(CERTIFIED))


@plays(CERTIFIED)
def shows_the_certificate_of_another(stage):
    context = stage.context(certificate_of=ALI)
    stage.connect(credentials.aliyun(CERTIFIED, securemode="2"), stage.tls("mqtts", context))


def opens_with(identity, key_hex, device):
    """A TLS connection with this pre-shared key, and the login of `device` in it."""
    @plays(device)
    def play(stage):
        stage.connect(credentials.aliyun(device, securemode="2"), stage.psk(identity, key_hex))
    return play


def sends_as_gateway(*acts, device=GATEWAY):
    """A gateway that logs in and sends these, each a topic and its params."""
    return says(device, *({"type": "publish", "qos": 1, "id": 7 + number, "topic": topic,
                           "payload": request(params)} for number, (topic, params) in
                          enumerate(acts)))


BREAKS = {
    "ALI-HOST": comes_by_another_products_name,
    "ALI-CLIENTID-SHAPE": named("12345|securemode=3,signmethod=hmacsha1"),
    "ALI-CLIENTID-LENGTH": login_with(ALI, cid=65 * "c"),
    "ALI-SECUREMODE": login_with(ALI, securemode="4"),
    "ALI-SECUREMODE-MISMATCH": login_with(ALI, securemode="2"),
    "ALI-SIGNMETHOD": login_with(ALI, method="sha1"),
    "ALI-SIGNMETHOD-MISSING": leaves_out_the_signmethod,
    "ALI-TIMESTAMP-OPTIONAL": does_not_send_the_timestamp_it_signs,
    "ALI-EXT-PARAM": named("12345|securemode=3,signmethod=hmacsha1,lan|"),
    "ALI-USERNAME-SHAPE": login_with(None, name=ALI, packet={"username": "device&pk&more"}),
    "ALI-USERNAME-ORDER": login_with(None, name=ALI, mistake="swapped-keys"),
    "ALI-DEVICE-UNKNOWN": login_with(None, name=ALI, packet={"username": "devise&pk"}),
    "ALI-SIGN": login_with(ALI, packet={"password": 40 * "0"}),
    "ALI-SIGN-VALUES-ONLY": login_with(ALI, mistake="values-only"),
    "ALI-SIGN-CLIENTID-FULL": login_with(ALI, mistake="whole-client-id"),
    "ALI-SIGN-PLAIN-HASH": login_with(ALI, mistake="not-hmac"),
    "ALI-SIGN-SIGNS-SIGNMETHOD": login_with(ALI, mistake="extra-signed"),
    "ALI-KEEPALIVE-RANGE": login_with(ALI, packet={"keepalive": 59}),
    "ALI-KEEPALIVE-SDK-DOUBLING": login_with(ALI, packet={"keepalive": 600}),
    "ALI-KEEPALIVE-TIMEOUT": falls_silent,
    "ALI-DUPLICATE-LOGIN": logs_in_twice,
    "ALI-WILL": login_with(ALI, packet={"will": {"topic": "gone", "payload": "gone"}}),
    "ALI-RETAIN": publishes(ALI, f"{OWN}/update", retain=True),
    "ALI-QOS2": subscribes(ALI, f"{OWN}/get", qos=2),
    "ALI-TOPIC-PUB": publishes(ALI, "/elsewhere"),
    "ALI-TOPIC-SUB": subscribes(ALI, "/elsewhere"),
    "ALI-SUB-COUNT": subscribes(ALI, *(f"{SYS}/{number}" for number in range(9))),
    "ALI-PAYLOAD-SIZE": publishes(ALI, f"{OWN}/update", 262_145 * "x"),
    "ALI-PUBLISH-RATE": publishes_too_fast,
    "ALI-SHADOW-VERSION": updates_its_shadow_with_an_old_version,
    "ALI-SHADOW-FORMAT": publishes(ALI, SHADOW, shadow_update(method="change")),
    "ALI-DEVICE-DISABLED": login_with("aliyun/pk/disabled"),
    "ALI-SUB-DIRECT": login_with(LAMP),
    "ALI-CERTIFICATE": comes_without_the_certificate_it_needs,
    "ALI-CERTIFICATE-DEVICE": shows_the_certificate_of_another,
    "ALI-PSK-DEVICE": opens_with(another_clouds_identity(), another_clouds_key(), ALI),
    "ALI-PSK-IDENTITY": opens_with(psk_identity(kind="deviceid"), psk_key_hex(), ALI),
    "ALI-PSK-KEY": opens_with(psk_identity(), psk_key_hex(upper=False), ALI),
    "ALI-METHOD-TOPIC": publishes(ALI, PROPERTIES, property_post("thing.event.post")),
    "ALI-PAYLOAD-JSON": publishes(ALI, PROPERTIES, "temperature=21"),
    "ALI-PARAMS": publishes(ALI, PROPERTIES, property_post(params=[21])),
    "ALI-ENTRIES": publishes(ALI, PROPERTIES, property_post(
        params={f"p{number}": 1 for number in range(201)})),
    "ALI-GATEWAY": publishes(ALI, f"{SYS}/topo/add", request([signed()])),
    "ALI-SUB-SIGN": sends_as_gateway((f"{THROUGH}/topo/add", [{**signed(), "sign": "00"}])),
    "ALI-SUB-SIGN-SESSION": sends_as_gateway((f"{THROUGH}/topo/add", [signed(cleansession=True)])),
    "ALI-SUB-ONLINE": sends_as_gateway(
        (f"{COMBINE}/logout", {"productKey": "subs", "deviceName": "lamp"})),
    "ALI-SUB-DEVICE": publishes(ALI, PACK, pack_post("second")),
    "ALI-MODEL": publishes(MODELLED, MODELLED_POST, property_post(params={"level": 10})),
    "ALI-OTA-STEP": publishes(ALI, PROGRESS, request({"step": 50})),
    "ALI-SERVICE-UNKNOWN": publishes(ALI, f"{SYS}/nothing", "{}"),
    "ALI-ANSWER-ID": service_answer("7"),
    "ALI-SHADOW-COMMA": publishes(ALI, SHADOW, '{"method":"get",,"clientToken":"1"}'),
}
