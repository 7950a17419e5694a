"""A device of Alibaba Cloud IoT, by MQTT."""

import hmac
import json
import random
import time

import mqtt
from aliyun_services import Services
from habits import breaks

WORDS = ("productKey", "deviceName", "deviceSecret")


class Device(Services, mqtt.Device):
    PORTS = {"tcp": "MQTT", "tls": "MQTT", "ws": "HTTPS"}  # one port for both, the vendor's 1883
    # Seconds to wait after a refusal, by code: of CONNACK, and of the HTTPS login. What a person
    # has to mend is not tried again at once; the others are backed off from.
    refused_wait = {2: 0.8, 4: 0.8, 5: 0.8, 401: 1.5, 460: 1.5, 5001: 1.5, 6200: 1.5}
    refusal = 0

    def login(self):
        cid, timestamp = f"{self.product}.{self.device}", str(int(time.time() * 1000))
        mode = 2 if self.transport == "tls" else 3
        text = f"clientId{cid}deviceName{self.device}productKey{self.product}timestamp{timestamp}"
        password = hmac.new(self.secret.encode(), text.encode(), "sha1").hexdigest().upper()
        return (f"{cid}|securemode={mode},signmethod=hmacsha1,timestamp={timestamp}|",
                f"{self.device}&{self.product}", password)

    def on_refused(self, code):
        self.refusal = code

    def backoff(self):
        wait = self.refused_wait.get(self.refusal)
        self.refusal = 0
        return super().backoff() if wait is None else wait * random.uniform(1, 1.2)

    def filters(self):
        return [f"/{self.product}/{self.device}/user/get",
                self.sys("thing/service/property/set"), self.sys("thing/service/+"),
                self.sys("rrpc/request/+"), *self.acts()]

    def on_connected(self):
        super().on_connected()
        self.begin()

    def telemetry(self):
        self.count += 1
        return (self.sys("thing/event/property/post"),
                json.dumps({"id": str(self.count), "version": "1.0",
                            "params": {"temperature": 20 + self.count % 10},
                            "method": "thing.event.property.post"}))

    def on_message(self, topic, payload):
        act = self.acts().get(topic)
        try:
            said = json.loads(payload)
            if act is not None:
                act(said)
            elif topic.startswith(self.sys("thing/service/")):
                self.answer(topic, said)
            elif topic.startswith(self.sys("rrpc/request/")):
                self.answer_rpc(topic, said)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.tell("not understood:", topic, repr(error))  # somebody else's mistake

    def look_after(self, now):
        super().look_after(now)
        self.look_after_behind(now)


DEVICE = Device


# ---- what can be broken ----

def hasty(*codes):
    return {**Device.refused_wait, **dict.fromkeys(codes, 0.02)}


def answer_as_another(device, topic, call):
    device.publish(topic + "_reply", json.dumps({"id": "0", "code": 200, "data": {}}))


def answer_no_service(device, topic, call):
    if topic.endswith("property/set"):
        Device.answer(device, topic, call)


def answer_another_rpc(device, topic, call):
    device.publish(device.sys("rrpc/response/0"), json.dumps({"id": "0", "code": 200, "data": {}}))


def report_again(device, reply):
    for _ in range(2 if reply["code"] != 200 else 0):
        device.publish(*device.telemetry())


def bring_in_again(device, reply):
    for each in device.behind if reply["code"] != 200 else ():
        device.bring_in(each)
        device.bring_in(each)


def jump(device, said):
    if abs(int(said["serverSendTime"]) - device.now_ms()) > 24 * 3600 * 1000:
        device.refused_wait, device.refusal = {-1: 0.02}, -1
        raise mqtt.Lost("by its new clock nothing has been heard for years")


def take_what_came(device, url):
    return device.fetch(url)[1]


def take_any_config(device, push):
    device.publish(device.sys("thing/config/push_reply"),
                   json.dumps({"id": push["id"], "code": 200,
                               "data": {"bytes": len(device.download(push["params"]["url"]))}}))


def take_no_config(device, push):
    device.download(push["params"]["url"])
    device.publish(device.sys("thing/config/push_reply"),
                   json.dumps({"id": push["id"], "code": 400, "data": {}}))


def report_old_version(device, said):
    Device.on_shadow(device, {**said, "version": said.get("version", 1) - 1})


BREAKS = {
    "connack-2": breaks("logs in again at once after CONNACK 2", refused_wait=hasty(2)),
    "connack-3": breaks("logs in again at once after CONNACK 3", refused_wait=hasty(3)),
    "connack-4": breaks("logs in again at once after CONNACK 4", refused_wait=hasty(4)),
    "connack-5": breaks("logs in again at once after CONNACK 5", refused_wait=hasty(5)),
    "property-set": breaks("answers under an id of its own", answer=answer_as_another),
    "service-call": breaks("answers no service that is called", answer=answer_no_service),
    "rrpc": breaks("answers under another message id", answer_rpc=answer_another_rpc),
    "post-refused": breaks("repeats at once, twice, what was refused", on_reported=report_again),
    "ntp-far-off": breaks("measures silence by the clock that it sets", on_time=jump),
    "ota-offered": breaks("goes on with its old version",
                          install=lambda device, version: device.inform()),
    "ota-broken-off": breaks("installs what came of it", download=take_what_came,
                             is_sound=lambda device, image, data: True),
    "ota-wrong-digest": breaks("does not look at the digest",
                               is_sound=lambda device, image, data: True),
    "config-pushed": breaks("takes none, whatever is in it", on_config=take_no_config),
    "config-wrong-digest": breaks("does not look at the digest", on_config=take_any_config),
    "log-wanted": breaks("says that it will, and sends none", log=lambda device, text: None),
    "shadow-changed": breaks("reports with a version that is too old",
                             on_shadow=report_old_version),
    "sub-device-refused": breaks("logs it in again at once, twice", on_behind=bring_in_again),
}
