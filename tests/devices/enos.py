"""A device of Envision EnOS, by MQTT.

With a secret it is one of static activation; without one it fetches it with its product's (dynamic
activation) and keeps it. It does what an upgrade wants of it, and as a gateway it logs its
sub-devices in: --habit 'sub_devices=[["PRODUCT", "DEVICE", "SECRET"]]'."""

import hashlib
import http.client
import json
import time
import urllib.request

import mqtt
from habits import breaks

WORDS = ("productKey", "deviceKey", "deviceSecret")
DYNAMIC, STATIC = 3, 2
DOWNLOAD_FAILED, DIGEST_WRONG = -2, -3


class Device(mqtt.Device):
    PORTS = {"tcp": "ENOS_MQTT", "tls": "ENOS_MQTTS", "ws": "HTTPS"}

    # ---- habits ----
    services = ("restart", "blink")
    sub_devices = ()      # (product, device, secret) of each
    download_tries = 2
    version = "1.0.0"

    def __init__(self, *names):
        super().__init__(*names)
        self.mode = STATIC if self.secret else DYNAMIC
        self.activates = not self.secret
        self.leaving = False          # it has what it came for
        self.replies_due = set()      # ids of posts

    # ---- logging in ----

    def login(self):
        mode = self.mode
        secret = self.secret if mode == STATIC else self.product_secret
        timestamp = str(int(time.time() * 1000))
        return (f"{self.device}|securemode={mode},signmethod=sha256,timestamp={timestamp}|",
                f"{self.device}&{self.product}",
                self.signed(self.product, self.device, timestamp, secret))

    def signed(self, product, device, timestamp, secret):
        text = (f"clientId{device}deviceKey{device}productKey{product}"
                f"timestamp{timestamp}{secret}")
        return hashlib.sha256(text.encode()).hexdigest().upper()

    def on_refused(self, code):
        """The secret may be one of before the device was created anew: it asks for another, and
        keeps what it has until it gets one."""
        if self.activates and self.secret and code in (4, 5):
            self.mode = DYNAMIC if self.mode == STATIC else STATIC

    def on_activated(self, params):
        """It comes back with its secret, and need not wait for that."""
        self.secret, self.mode, self.leaving = params["deviceSecret"], STATIC, True
        self.attempts = 0

    def connect(self):
        """What was left to say is not said by a connection that is there to fetch the secret."""
        if self.mode == DYNAMIC:
            self.client, self.unacknowledged = None, {}
        super().connect()

    # ---- saying things ----

    def sys(self, rest):
        return f"/sys/{self.product}/{self.device}/{rest}"

    def session(self, rest):
        return f"/ext/session/{self.product}/{self.device}/{rest}"

    def filters(self):
        if self.mode == DYNAMIC:
            return [self.session("thing/activate/info")]
        return [self.sys("thing/service/#"), self.sys("thing/measurepoint/post_reply"),
                self.sys("thing/attribute/update_reply"), self.sys("ota/device/#"),
                *([self.session("combine/#")] if self.sub_devices else [])]

    def on_connected(self):
        super().on_connected()
        self.leaving, self.replies_due = False, set()
        if self.mode == STATIC:
            self.request(self.sys("thing/attribute/update"), "thing.attribute.update",
                         self.attributes())
            self.inform()
            for one in self.sub_devices:
                self.log_in(*one)

    def request(self, topic, method, params):
        self.count += 1
        self.publish(topic, json.dumps({"id": str(self.count), "version": "1.0",
                                        "params": params, "method": method}), qos=1)

    def attributes(self):
        return {"attributes": {"serial": self.device}}

    def telemetry(self):
        self.count += 1
        self.replies_due.add(str(self.count))
        return (self.sys("thing/measurepoint/post"),
                json.dumps({"id": str(self.count), "version": "1.0",
                            "params": {"measurepoints": {"temp": 20 + self.count % 10}},
                            "method": "thing.measurepoint.post"}))

    def say(self):
        """A connection that is there to fetch the secret carries nothing else."""
        if self.mode == STATIC:
            super().say()

    def look_after(self, now):
        super().look_after(now)
        if self.leaving:
            self.leave()

    # ---- hearing things ----

    def on_message(self, topic, payload):
        try:
            message = json.loads(payload)
        except ValueError:
            return self.on_malformed(topic)
        if topic == self.session("thing/activate/info"):
            self.publish(topic + "_reply", json.dumps({"id": message["id"], "code": 200,
                                                       "data": {}}))
            self.on_activated(message["params"])
        elif topic == self.sys("ota/device/upgrade"):
            self.publish(topic + "_reply", json.dumps({"id": message["id"], "code": 200,
                                                       "data": {}}))
            self.upgrade(message["params"])
        elif topic == self.session("combine/login_reply"):
            self.on_sub_device(message)
        elif topic.endswith("_reply"):
            self.replies_due.discard(message["id"])
            self.on_reply(message)
        elif topic.startswith(self.sys("thing/service/")):
            self.on_command(topic, message)

    def on_malformed(self, topic):
        """Nothing to be done about it."""

    def on_reply(self, message):
        """200 or not: there is nothing to be done about it."""

    def on_command(self, topic, call):
        name = topic[len(self.sys("thing/service/")):]
        if name.startswith("measurepoint/") or name in self.services:
            self.answer(topic, call)
        else:
            self.on_unknown(topic, call)

    def answer(self, topic, call):
        """A measure point that was set, a service that was called: done, with the call's id."""
        self.publish(topic + "_reply", json.dumps({"id": call["id"], "code": 200, "data": {}}))

    def on_unknown(self, topic, call):
        self.publish(topic + "_reply", json.dumps({"id": call["id"], "code": 1101,
                                                   "message": "no such service", "data": {}}))

    # ---- upgrades ----

    def inform(self):
        self.request(self.sys("ota/device/inform"), "ota.device.inform", {"version": self.version})

    def progress(self, step, text):
        self.request(self.sys("ota/device/progress"), "ota.device.progress",
                     {"step": str(step), "desc": text})

    def upgrade(self, offer):
        """Fetched, checked and run, all at once."""
        self.progress(10, "downloading")
        image = self.download(offer)
        if image is None:
            self.progress(DOWNLOAD_FAILED, "the download failed")
        elif not self.is_right(image, offer):
            self.progress(DIGEST_WRONG, "the digest is wrong")
        else:
            self.progress(100, "done")
            self.run(offer["version"])

    def download(self, offer):
        """The image, or None if it does not come."""
        for _ in range(self.download_tries):
            try:
                with urllib.request.urlopen(offer["fileUrl"], timeout=5) as answer:
                    image = answer.read()
                if len(image) == offer["fileSize"]:
                    return image
            except (OSError, http.client.HTTPException) as error:
                self.tell("download:", repr(error))
        return None

    def is_right(self, image, offer):
        return hashlib.md5(image).hexdigest() == offer["sign"]

    def run(self, version):
        """The upgrade is done when the cloud has heard the version."""
        self.version = version
        self.inform()

    # ---- sub-devices ----

    def log_in(self, product, device, secret):
        timestamp = str(int(time.time() * 1000))
        self.request(self.session("combine/login"), "combine.login",
                     {"productKey": product, "deviceKey": device, "clientId": device,
                      "timestamp": timestamp, "signMethod": "sha256",
                      "sign": self.signed(product, device, timestamp, secret)})

    def on_sub_device(self, message):
        """Its login was taken, or refused: there is nothing to be done about it."""


# ---- what can be wrong ----


def hang_up(device, *_):
    raise mqtt.Lost("offended")


def hang_up_unless_200(device, message):
    if message["code"] != 200:
        hang_up(device)


def give_up(device):
    time.sleep(1e9)


def hurry(device):
    device.attempts = -100


def fall_back(device):
    device.client._protocol = mqtt.paho.MQTTv31


def forget_secret(device):
    device.mode = DYNAMIC


def refused(code, act):
    """What it does when it is refused with this code; otherwise it does as a good one."""
    def on_refused(device, got):
        if got == code:
            act(device)
        else:
            Device.on_refused(device, got)
    return on_refused


def answer_with(name, call_id):
    """Commands of this name are answered under another id; None: they are not."""
    def answer(device, topic, call):
        if topic.endswith("/" + name):
            call = {"id": call_id(device, call["id"])}
        if call["id"] is not None:
            Device.answer(device, topic, call)
    return answer


def first_id(device, call_id):
    device.first_id = getattr(device, "first_id", call_id)
    return device.first_id


def on_command_unless_due(device, topic, call):
    if not device.replies_due:
        Device.on_command(device, topic, call)


def download_some(device, offer):
    try:
        with urllib.request.urlopen(offer["fileUrl"], timeout=5) as answer:
            return answer.read()
    except http.client.IncompleteRead as part:
        return part.partial


def keep_first_secret(device, params):
    device.secret, device.mode, device.leaving = device.secret or params["deviceSecret"], STATIC, True


def stay(device, params):
    device.secret, device.mode = params["deviceSecret"], STATIC


def count_on_secret(device):
    """It believes that it has its secret as soon as it may fetch it."""
    Device.on_connected(device)
    device.activates, device.mode = device.mode == STATIC, STATIC


def have_secret(device, params):
    Device.on_activated(device, params)
    device.activates = True


DEVICE = Device
BREAKS = {
    "login-refused-1": breaks("falls back to MQTT 3.1", on_refused=refused(1, fall_back)),
    "login-refused-2": breaks("tries again at once, and again", on_refused=refused(2, hurry)),
    "login-refused-3": breaks("gives up for good", on_refused=refused(3, give_up)),
    "login-refused-4": breaks("tries again at once, and again", on_refused=refused(4, hurry)),
    "login-refused-5": breaks("tries again at once, and again", on_refused=refused(5, hurry)),
    "device-disabled": breaks("gives up for good", on_refused=refused(5, give_up)),
    "secret-kept": breaks("throws its secret away when the cloud is not available",
                          on_refused=refused(3, forget_secret)),
    "measurepoint-set": breaks("answers under an id of its own",
                               answer=answer_with("measurepoint/set", lambda *_: "4711")),
    "service-invoked": breaks("does not answer", answer=answer_with("restart", lambda *_: None)),
    "commands-at-once": breaks("answers all under the id of the first",
                               answer=answer_with("blink", first_id)),
    "service-unknown": breaks("hangs up", on_unknown=hang_up),
    "command-malformed": breaks("hangs up", on_malformed=hang_up),
    "post-refused": breaks("hangs up", on_reply=hang_up_unless_200),
    "reply-lost": breaks("is deaf until the reply comes", on_command=on_command_unless_due),
    "attribute-update": breaks("sends a list where names and values are due",
                               attributes=lambda device: {"attributes": [{"serial": "1"}]}),
    "ota-offered": breaks("does not say which version it runs now",
                          run=lambda device, version: None),
    "ota-broken-off": breaks("runs what came", download=download_some,
                             is_right=lambda device, image, offer: True),
    "ota-wrong-digest": breaks("does not look at the digest",
                               is_right=lambda device, image, offer: True),
    "sub-device-refused": breaks("hangs up", on_sub_device=hang_up_unless_200),
    "activation": breaks("goes on with the connection that fetched the secret", on_activated=stay),
    "activation-twice": breaks("keeps the first secret for ever", on_activated=keep_first_secret),
    "activation-lost": breaks("counts on a secret that it did not get",
                              on_connected=count_on_secret, on_activated=have_secret),
}
