"""A device of Alibaba Cloud IoT, by MQTT."""

import hmac
import json
import time

import mqtt

WORDS = ("productKey", "deviceName", "deviceSecret")


class Device(mqtt.Device):
    PORTS = {"tcp": "MQTT", "tls": "MQTT", "ws": "HTTPS"}  # one port for both, the vendor's 1883

    def login(self):
        cid, timestamp = f"{self.product}.{self.device}", str(int(time.time() * 1000))
        mode = 2 if self.transport == "tls" else 3
        text = f"clientId{cid}deviceName{self.device}productKey{self.product}timestamp{timestamp}"
        password = hmac.new(self.secret.encode(), text.encode(), "sha1").hexdigest().upper()
        return (f"{cid}|securemode={mode},signmethod=hmacsha1,timestamp={timestamp}|",
                f"{self.device}&{self.product}", password)

    def sys(self, rest):
        return f"/sys/{self.product}/{self.device}/{rest}"

    def filters(self):
        return [f"/{self.product}/{self.device}/user/get",
                self.sys("thing/event/property/post_reply"),
                self.sys("thing/service/property/set")]

    def telemetry(self):
        self.count += 1
        return (self.sys("thing/event/property/post"),
                json.dumps({"id": str(self.count), "version": "1.0",
                            "params": {"temperature": 20 + self.count % 10},
                            "method": "thing.event.property.post"}))

    def on_message(self, topic, payload):
        if topic.startswith(self.sys("thing/service/")):
            self.answer(topic, json.loads(payload))

    def answer(self, topic, call):
        """A property that was set, a service that was called: done, with the call's own id."""
        self.publish(topic + "_reply", json.dumps({"id": call["id"], "code": 200, "data": {}}))


DEVICE = Device
BREAKS = {}
