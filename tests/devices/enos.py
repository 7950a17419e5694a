"""A device of Envision EnOS, by MQTT."""

import hashlib
import json
import time

import mqtt

WORDS = ("productKey", "deviceKey", "deviceSecret")


class Device(mqtt.Device):
    PORTS = {"tcp": "ENOS_MQTT", "tls": "ENOS_MQTTS", "ws": "HTTPS"}

    def login(self):
        cid, timestamp = self.device, str(int(time.time() * 1000))
        text = (f"clientId{cid}deviceKey{self.device}productKey{self.product}"
                f"timestamp{timestamp}{self.secret}")
        return (f"{cid}|securemode=2,signmethod=sha256,timestamp={timestamp}|",
                f"{self.device}&{self.product}",
                hashlib.sha256(text.encode()).hexdigest().upper())

    def sys(self, rest):
        return f"/sys/{self.product}/{self.device}/{rest}"

    def filters(self):
        return [self.sys("thing/measurepoint/post_reply"),
                self.sys("thing/service/measurepoint/set")]

    def telemetry(self):
        self.count += 1
        return (self.sys("thing/measurepoint/post"),
                json.dumps({"id": str(self.count), "version": "1.0",
                            "params": {"measurepoints": {"temp": 20 + self.count % 10}},
                            "method": "thing.measurepoint.post"}))

    def on_message(self, topic, payload):
        if topic.startswith(self.sys("thing/service/")):
            self.answer(topic, json.loads(payload))

    def answer(self, topic, call):
        """A measure point that was set, a service that was called: done, with the call's id."""
        self.publish(topic + "_reply", json.dumps({"id": call["id"], "code": 200, "data": {}}))


DEVICE = Device
BREAKS = {}
