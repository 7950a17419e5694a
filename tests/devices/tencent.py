"""A device of Tencent IoT Hub, by MQTT: plain, over TLS, or as tencent_psk.py has it."""

import base64
import hashlib
import hmac
import http.client
import json
import random
import string
import time
import urllib.parse

import mqtt
from habits import breaks

WORDS = ("productId", "deviceName", "psk")
VALID_S = 3600        # of a signature


class DownloadError(Exception):
    """What the vendor's codes of a failed upgrade say."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Device(mqtt.Device):
    # ---- habits ----
    gateway = False            # there are devices behind it
    asks_for_shadow = True     # when it has come
    clears_desired = True      # once it has done what was desired
    download_tries = 3
    download_patience = 1.5    # seconds without a byte

    def __init__(self, *given):
        super().__init__(*given)
        self.tokens = 0
        self.version = None    # of the shadow, as far as it knows
        self.reported = {}
        self.wanted = {}       # of the shadow, by the token of the update that says it is done
        self.firmware = "1.0.0"
        self.config = None
        self.behind = []       # "product/device" of what is online by it
        self.calls = []        # ids of remote calls

    # ---- the login ----

    def login(self):
        client_id = self.product + self.device
        connid = "".join(random.choices(string.ascii_letters + string.digits, k=5))
        user = f"{client_id};12010126;{connid};{self.now() + VALID_S}"
        token = hmac.new(base64.b64decode(self.secret), user.encode(), "sha256").hexdigest()
        return client_id, user, f"{token};hmacsha256"

    def now(self):
        """The time that its signatures are made with."""
        return int(time.time())

    # ---- topics ----

    def own(self, prefix, tail=""):
        return f"{prefix}/{self.product}/{self.device}{tail}"

    def filters(self):
        filters = [f"{self.product}/{self.device}/control",
                   self.own("$shadow/operation/result"), self.own("$config/operation/result"),
                   self.own("$ota/update"), self.own("$rrpc/rxd", "/+"),
                   self.own("$broadcast/rxd"), self.own("$thing/down/property"),
                   self.own("$thing/down/action"), self.own("$thing/down/service")]
        return filters + ([self.own("$gateway/operation/result")] if self.gateway else [])

    def telemetry(self):
        self.count += 1
        return (f"{self.product}/{self.device}/event",
                json.dumps({"temperature": 20 + self.count % 10}))

    def token(self):
        self.tokens += 1
        return f"{self.product}-{self.tokens}"

    def ask(self, prefix, message):
        """A request, with QoS 0 as the vendor's SDKs send them."""
        self.publish(self.own(prefix), json.dumps(message, separators=(",", ":")))

    # ---- what it hears ----

    def on_granted(self, topic, granted):
        """What it asks once it can hear the answer."""
        super().on_granted(topic, granted)
        if topic.startswith("$shadow/") and self.asks_for_shadow:
            self.ask("$shadow/operation", {"type": "get", "clientToken": self.token()})
        elif topic.startswith("$config/"):
            self.ask("$config/operation", {"type": "get"})
        elif topic.startswith("$ota/"):
            self.say_version()
        elif topic.startswith("$gateway/"):
            self.behind = []
            self.ask("$gateway/operation", {"type": "describe_sub_devices"})

    def on_message(self, topic, payload):
        if topic.startswith(self.own("$rrpc/rxd", "/")):
            self.on_call(topic.rsplit("/", 1)[1], payload)
            return
        try:
            message = json.loads(payload)
        except ValueError:
            message = None
        handler = {self.own("$shadow/operation/result"): self.on_shadow,
                   self.own("$config/operation/result"): self.on_config,
                   self.own("$ota/update"): self.on_upgrade,
                   self.own("$thing/down/property"): self.on_property,
                   self.own("$thing/down/action"): self.on_action,
                   self.own("$gateway/operation/result"): self.on_gateway}.get(topic)
        if handler is None or not isinstance(message, dict):
            self.on_unknown(topic, payload)
        elif not handler(message):
            self.on_unknown(topic, payload)

    def on_unknown(self, topic, payload):
        """Nothing that it knows: nothing comes of it."""
        self.tell("does not know", topic, payload[:100])

    # ---- the shadow ----

    def on_shadow(self, message):
        kind, payload = message.get("type"), message.get("payload") or {}
        if kind == "delta":
            self.version = payload.get("version")
            self.on_desired(payload.get("state") or {})
        elif kind == "get" and message.get("result") == 0:
            self.version = payload.get("version")
            self.on_desired((payload.get("state") or {}).get("desired") or {})
        elif kind == "update" and message.get("result") == 5005:
            self.on_conflict(message.get("clientToken"), payload)
        elif kind == "update":
            self.wanted.pop(message.get("clientToken"), None)
            if message.get("result") == 0:
                self.version = payload.get("version")
        else:
            return False
        return True

    def on_desired(self, state):
        """It is done, and told: what was desired is what is reported, and is desired no more."""
        if state:
            self.report(state)

    def report(self, state):
        self.reported.update(state)
        token, told = self.token(), {"reported": state}
        if self.clears_desired:
            told["desired"] = None
        self.wanted[token] = state
        self.ask("$shadow/operation", {"type": "update", "state": told, "version": self.version,
                                       "clientToken": token})

    def on_conflict(self, token, document):
        """Somebody else was faster: the whole document has come, with its version."""
        state = self.wanted.pop(token, None)
        if state is None:
            return
        self.version = document.get("version")
        self.report({**state, **((document.get("state") or {}).get("desired") or {})})

    # ---- calls, properties, actions ----

    def on_call(self, call, payload):
        self.calls.append(call)
        self.publish(self.own("$rrpc/txd", f"/{call}"), payload)

    def on_property(self, message):
        if message.get("method") == "control":
            self.on_control(message["clientToken"], message.get("params") or {})
        return message.get("method") in ("control", "report_reply", "get_status_reply")

    def on_control(self, token, values):
        self.ask("$thing/up/property", {"method": "control_reply", "clientToken": token, "code": 0,
                                        "status": ""})
        self.ask("$thing/up/property", {"method": "report", "clientToken": self.token(),
                                        "params": values})

    def on_action(self, message):
        if message.get("method") != "action":
            return False
        self.on_action_called(message["clientToken"])
        return True

    def on_action_called(self, token):
        self.publish(self.own("$thing/up/action"), json.dumps({
            "method": "action_reply", "clientToken": token, "code": 0, "status": "",
            "response": {}}), qos=1)

    # ---- the configuration ----

    def on_config(self, message):
        if message.get("type") not in ("reply", "push"):
            return False
        self.on_configured(message)
        return True

    def on_configured(self, message):
        if message.get("result", 0) == 0:
            self.config = message.get("payload")

    # ---- upgrades ----

    def say_version(self):
        self.publish(self.own("$ota/report"), json.dumps({
            "type": "report_version", "report": {"version": self.firmware}}), qos=1)

    def progress(self, version, state, percent=None, code="0"):
        """Numbers are texts in it."""
        said = {"state": state, "result_code": code,
                "result_msg": "" if code == "0" else "time_out"}
        if percent is not None:
            said["percent"] = str(percent)
        self.publish(self.own("$ota/report"), json.dumps({
            "type": "report_progress", "report": {"progress": said, "version": version}}),
            qos=0 if state == "downloading" else 1)

    def on_upgrade(self, message):
        if message.get("type") == "update_firmware":
            self.upgrade(message["version"], message["url"], message["file_size"],
                         message["md5sum"])
        return message.get("type") in ("update_firmware", "report_version_rsp")

    def upgrade(self, version, url, size, md5):
        self.progress(version, "downloading", 0)
        try:
            image = self.download(url, size)
            self.progress(version, "downloading", 100)
            self.check(image, md5)
        except DownloadError as error:
            self.progress(version, "fail", code=error.code)
            return
        self.progress(version, "burning")
        self.progress(version, "done")
        self.firmware = version
        self.say_version()

    def download(self, url, size):
        """What was cut short goes on where it ended."""
        image = b""
        for _ in range(self.download_tries):
            try:
                image += self.fetch(url, len(image))
            except http.client.IncompleteRead as error:
                image += error.partial
            except OSError:
                pass
            if len(image) >= size:
                return image
        raise DownloadError("-1")

    def fetch(self, url, start):
        where = urllib.parse.urlsplit(url)
        if where.scheme == "https":
            connection = http.client.HTTPSConnection(
                where.hostname, where.port, timeout=self.download_patience,
                context=self.tls_context())
        else:
            connection = http.client.HTTPConnection(where.hostname, where.port,
                                                    timeout=self.download_patience)
        try:
            connection.request("GET", where.path, headers={"Range": f"bytes={start}-"})
            answer = connection.getresponse()
            if answer.status not in (200, 206):
                raise DownloadError({404: "-2", 403: "-3"}.get(answer.status, "-1"))
            return answer.read()
        except http.client.HTTPException as error:
            if isinstance(error, http.client.IncompleteRead):
                raise
            return b""
        finally:
            connection.close()

    def check(self, image, md5):
        if hashlib.md5(image).hexdigest() != md5.lower():
            raise DownloadError("-4")

    # ---- the devices behind it ----

    def on_gateway(self, message):
        kind = message.get("type")
        names = [(each.get("product_id"), each.get("device_name"), each.get("result", 0))
                 for each in (message.get("payload") or {}).get("devices") or []]
        if kind == "describe_sub_devices":
            self.on_behind(names)
        elif kind == "online":
            for product, device, result in names:
                if result == 0:
                    self.on_online(product, device)
        elif kind == "change":
            self.ask("$gateway/operation", {"type": "change", "result": 0})
            if (message.get("payload") or {}).get("status"):
                self.on_behind(names)
        else:
            return kind in ("bind", "unbind", "offline")
        return True

    def on_behind(self, names):
        """One at a time, as the vendor's C SDK reads one result of an answer."""
        for product, device, _ in names:
            self.ask("$gateway/operation", {"type": "online", "payload": {"devices": [
                {"product_id": product, "device_name": device}]}})

    def on_online(self, product, device):
        self.behind.append(f"{product}/{device}")
        self.subscribe(f"{product}/{device}/control")
        self.publish(f"{product}/{device}/event", json.dumps({"online": True}), qos=1)


# ---- what can be wrong ----

def signed_once(self):
    if not hasattr(self, "signed"):
        self.signed = Device.login(self)
    return self.signed


def hurries_after(code):
    def backoff(self):
        return 0.05 if self.code == code else Device.backoff(self)
    return backoff


def gives_up(self, code):
    while code == 5:
        time.sleep(60)


def takes_conflict_for_done(self, token, document):
    self.wanted.pop(token, None)
    self.version = document.get("version")


def answers_the_first(self, call, payload):
    self.calls.append(call)
    self.publish(self.own("$rrpc/txd", f"/{self.calls[0]}"), payload)


def has_its_own_token(self, token, values):
    self.ask("$thing/up/property", {"method": "control_reply", "clientToken": self.token(),
                                    "code": 0, "status": ""})


def leaves(self, *_):
    raise mqtt.Lost("what is this?")


def goes_on_only_with(kind):
    def on_configured(self, message):
        if message["type"] != kind:
            raise mqtt.Lost("not asked for")
    return on_configured


def hears_nothing(self, *_):
    pass


def never_says_done(self, version, state, percent=None, code="0"):
    if state in ("downloading", "fail"):
        Device.progress(self, version, state, percent, code)


def takes_any_answer(self, url, start):
    try:
        return Device.fetch(self, url, start)
    except DownloadError:
        return b"not what it should be" * 5000


def fails_silently(self, version, state, percent=None, code="0"):
    if code != "-1":
        Device.progress(self, version, state, percent, code)


BREAKS = {
    "signature-expired": breaks("signs once, and sends that again for ever", login=signed_once),
    "psk-wrong": breaks("hammers when its password is refused", backoff=hurries_after(4)),
    "device-disabled": breaks("gives up for good when it is not authorized", on_refused=gives_up),
    "shadow-at-start": breaks("comes with a clean session, and does not ask for its shadow",
                              "warned", clean_session=True, asks_for_shadow=False),
    "shadow-conflict": breaks("takes the version of a conflict, and does not try again",
                              on_conflict=takes_conflict_for_done),
    "delta-acknowledged": breaks("does not do what is desired", on_desired=hears_nothing),
    "rrpc-in-time": breaks("answers every call under the id of the first",
                           on_call=answers_the_first),
    "property-control": breaks("answers a control with a token of its own",
                               on_control=has_its_own_token),
    "action-called": breaks("does not answer an action", on_action_called=hears_nothing),
    "config-pushed": breaks("leaves when a configuration comes that it did not ask for",
                            on_configured=goes_on_only_with("reply")),
    "ota-offered": breaks("does not say that an upgrade is done", progress=never_says_done),
    "ota-broken-off": breaks("says nothing of a download that was cut short",
                             download_tries=1, progress=fails_silently),
    "ota-wrong-digest": breaks("installs whatever has come", check=hears_nothing),
    "ota-url-expired": breaks("takes an error page for firmware", fetch=takes_any_answer,
                              check=hears_nothing),
    "gateway-sub-device": breaks("leaves its devices offline", on_behind=hears_nothing),
    "unknown-messages": breaks("leaves when a message comes that it does not know",
                               on_unknown=leaves),
}
DEVICE = Device
