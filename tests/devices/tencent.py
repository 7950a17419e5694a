"""A device of Tencent IoT Hub, by MQTT."""

import base64
import hmac
import json
import random
import string
import time

import mqtt

WORDS = ("productId", "deviceName", "psk")
VALID_S = 3600  # of a signature


class Device(mqtt.Device):
    def login(self):
        client_id = self.product + self.device
        connid = "".join(random.choices(string.ascii_letters + string.digits, k=5))
        user = f"{client_id};12010126;{connid};{self.now() + VALID_S}"
        token = hmac.new(base64.b64decode(self.secret), user.encode(), "sha256").hexdigest()
        return client_id, user, f"{token};hmacsha256"

    def now(self):
        """The time that its signatures are made with."""
        return int(time.time())

    def filters(self):
        return [f"{self.product}/{self.device}/control",
                f"$shadow/operation/result/{self.product}/{self.device}"]

    def telemetry(self):
        self.count += 1
        return (f"{self.product}/{self.device}/event",
                json.dumps({"temperature": 20 + self.count % 10}))

    def on_message(self, topic, payload):
        pass


DEVICE = Device
BREAKS = {}
