"""What a device of Alibaba Cloud IoT does with the services behind its topics (the vendor's Alink
protocol): what it asks for when it has connected, and what it makes of what the cloud sends."""

import hashlib
import hmac
import http.client
import json
import time
from urllib.parse import urlsplit


class Services:
    """A part of the device: its topics, what it says at first, and an act for each topic."""

    # ---- habits ----
    version = "1.0.0"          # of the firmware
    clock_ms = 0               # what NTP has added to the clock of its own
    download_tries = 4
    http_patience = 5.0        # seconds
    logs = False               # are they to be sent?
    behind = ()                # of a gateway: [product, device, secret] of each that stands there
    behind_wait = 30.0         # seconds, after a refusal
    behind_again = float("inf")  # when that is over
    color = "red"              # a property, which the cloud may want otherwise

    def sys(self, rest):
        return f"/sys/{self.product}/{self.device}/{rest}"

    def own(self, before, behind=""):
        return f"/{before}/{self.product}/{self.device}{behind}"

    def acts(self):
        """What is done with a message, by topic; each topic is subscribed to."""
        return {self.own("ota/device/upgrade"): self.on_upgrade,
                self.own("ext/ntp", "/response"): self.on_time,
                self.own("shadow/get"): self.on_shadow,
                self.sys("thing/event/property/post_reply"): self.on_reported,
                self.sys("thing/property/desired/get_reply"): self.on_desired,
                self.sys("thing/config/push"): self.on_config,
                self.sys("thing/config/log/push"): self.on_log_config,
                **({self.own("ext/session", "/combine/login_reply"): self.on_behind,
                    self.sys("thing/topo/add_reply"): self.on_behind} if self.behind else {})}

    def begin(self):
        """Said on every connection: the version, what time it is, what was missed."""
        self.inform()
        self.publish(self.own("ext/ntp", "/request"),
                     json.dumps({"deviceSendTime": str(self.now_ms())}))
        self.request("thing/property/desired/get", ["color"])
        for each in self.behind:
            self.bring_in(each)

    def request(self, what, params):
        self.count += 1
        self.publish(self.sys(what), json.dumps({"id": str(self.count), "version": "1.0",
                                                 "params": params,
                                                 "method": what.replace("/", ".")}))

    def now_ms(self):
        return int(time.time() * 1000) + self.clock_ms

    # ---- properties and commands ----

    def on_reported(self, reply):
        """A report was taken, or refused: there will be another one."""

    def answer(self, topic, call):
        """A property that was set, a service that was called: done, with the call's own id."""
        self.publish(topic + "_reply", json.dumps({"id": call["id"], "code": 200, "data": {}}))

    def answer_rpc(self, topic, call):
        self.publish(topic.replace("/request/", "/response/"),
                     json.dumps({"id": call.get("id", "0"), "code": 200, "data": {}}))

    # ---- time ----

    def on_time(self, said):
        """(serverRecvTime + serverSendTime + now - deviceSendTime) / 2 is the time now."""
        now = self.now_ms()
        self.clock_ms += (int(said["serverRecvTime"]) + int(said["serverSendTime"]) + now -
                          int(said["deviceSendTime"])) // 2 - now

    # ---- firmware ----

    def inform(self):
        self.publish(self.own("ota/device/inform"),
                     json.dumps({"id": "1", "params": {"version": self.version}}))

    def progress(self, step, what=""):
        self.publish(self.own("ota/device/progress"),
                     json.dumps({"id": "2", "params": {"step": str(step), "desc": what}}))

    def on_upgrade(self, push):
        data = push["data"]
        if data["version"] == self.version:  # a push that came twice
            return
        self.progress(0)
        image = self.download(data["url"])
        if image is None:
            self.progress(-2, "the download broke off")
        elif not self.is_sound(image, data):
            self.progress(-3, "the digest is another one")
        else:
            self.progress(100)
            self.install(data["version"])

    def is_sound(self, image, data):
        method = data.get("signMethod", "Md5").lower()
        return len(image) == data["size"] and hashlib.new(method, image).hexdigest() == data["sign"]

    def install(self, version):
        self.version = version
        self.inform()

    def download(self, url):
        """The bytes, fetched on where they broke off; None: they did not come."""
        have = b""
        for _ in range(self.download_tries):
            try:
                whole, have = self.fetch(url, have)
            except (OSError, http.client.HTTPException) as error:
                self.tell("download:", repr(error))
                continue
            if whole:
                return have
        return None

    def fetch(self, url, have=b""):
        """(is that all?, what there is of it) after one more request."""
        parts = urlsplit(url)
        connection = self.http(parts.scheme, parts.hostname, parts.port)
        try:
            connection.request("GET", parts.path,
                               headers={"Range": f"bytes={len(have)}-"} if have else {})
            answer = connection.getresponse()
            if answer.status not in (200, 206):
                return False, have
            have = have if answer.status == 206 else b""
            try:
                return True, have + answer.read()
            except http.client.IncompleteRead as error:
                return False, have + error.partial
        finally:
            connection.close()

    def http(self, scheme, host, port):
        if scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self.http_patience)
        return http.client.HTTPSConnection(host, port, timeout=self.http_patience,
                                           context=self.tls_context())

    # ---- configuration and logs ----

    def on_config(self, push):
        """Fetched, held against its digest, and answered."""
        file = push["params"]
        whole = self.download(file["url"])
        sound = whole is not None and hashlib.sha256(whole).hexdigest() == file["sign"]
        self.publish(self.sys("thing/config/push_reply"),
                     json.dumps({"id": push["id"], "code": 200 if sound else 400, "data": {}}))

    def on_log_config(self, push):
        self.logs = push["params"]["content"]["mode"] == 1
        self.publish(self.sys("thing/config/log/push_reply"),
                     json.dumps({"id": push["id"], "code": 200, "data": {}}))
        if self.logs:
            self.log("logs are sent from now on")

    def log(self, text):
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(self.now_ms() / 1000))
        self.request("thing/log/post", [{"utcTime": at, "logLevel": "INFO", "module": "device",
                                         "code": "0", "traceContext": "0", "logContent": text}])

    # ---- what the application wants ----

    def on_desired(self, reply):
        """What was wanted meanwhile is done, told, and taken out of what is wanted."""
        wanted = reply["data"].get("color") if reply["code"] == 200 else None
        if wanted is None:
            return
        self.color = wanted["value"]
        self.request("thing/event/property/post", {"color": self.color})
        self.request("thing/property/desired/delete", {"color": {"version": wanted["version"]}})

    def on_shadow(self, said):
        """The application changed the shadow: that is done, reported, and no more desired."""
        desired = said.get("payload", {}).get("state", {}).get("desired")
        if said.get("method") != "control" or not desired:
            return
        self.publish(self.own("shadow/update"),
                     json.dumps({"method": "update",
                                 "state": {"reported": desired, "desired": "null"},
                                 "version": said["version"] + 1}), qos=1)

    # ---- of a gateway ----

    def bring_in(self, each):
        """Behind this gateway: bound and logged in, each with its own signature."""
        product, device, secret = each
        fields = {"clientId": f"{product}.{device}", "deviceName": device, "productKey": product,
                  "timestamp": str(self.now_ms())}
        text = "".join(key + fields[key] for key in sorted(fields))
        sign = hmac.new(secret.encode(), text.encode(), "sha1").hexdigest()
        self.request("thing/topo/add", [{**fields, "signmethod": "hmacSha1", "sign": sign}])
        self.count += 1
        self.publish(self.own("ext/session", "/combine/login"),
                     json.dumps({"id": str(self.count),
                                 "params": {**fields, "signMethod": "hmacSha1", "sign": sign,
                                            "cleanSession": "true"}}))

    def on_behind(self, reply):
        """Who was refused is left alone for a while: a person has to look after it."""
        if reply["code"] != 200:
            self.tell("refused behind the gateway:", reply)
            self.behind_again = time.monotonic() + self.behind_wait

    def look_after_behind(self, now):
        if now >= self.behind_again:
            self.behind_again = float("inf")
            for each in self.behind:
                self.bring_in(each)
