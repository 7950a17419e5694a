"""One scene for each point of MQTT: how exactly one passage comes about there, and what the device
gets for it when nothing is broken."""

import credentials
import packets

DEVICE = "aliyun/pk/device"
UPDATE, GET = "/pk/device/user/update", "/pk/device/user/get"
POST = "/sys/pk/device/thing/event/property/post"
REPLY = f"{POST}_reply"


class Scene:
    """`up`: it comes from the device. `event`: what the journal has of it when it was seen.
    `answers`: the device gets something when all is well; for what goes down, that is the passage
    itself."""

    up, logs_in, answers, fields = False, True, True, {}
    event = {}
    further = {"type": "pingreq"}  # what else the device does, and what it gets for that
    further_answer = packets.encode({"type": "pingresp"})

    def prepare(self, api, device):
        pass

    def play(self, api, device):
        device.send_packet(**self.packet)

    @classmethod
    def sees(cls, data):
        """The packets in the bytes."""
        seen = []
        while data:
            first, body, data = packets.take(data)
            seen.append(packets.decode(first, body))
        return seen


class Up(Scene):
    up = True


class Connect(Up):
    logs_in = False
    packet = {"type": "connect", "clean": True, "keepalive": 60, **credentials.login(DEVICE)}
    event = {"type": "connect"}


class Connack(Connect):
    up = False
    event = {"type": "connack"}
    fields = {"code": (3, {"code": 3}), "sessionPresent": (True, {"sessionPresent": True})}


class PublishUp(Up):
    packet = {"type": "publish", "qos": 1, "id": 7, "topic": UPDATE, "payload": "hello"}
    event = {"type": "publish", "direction": "up"}


class PubackDown(PublishUp):
    up = False
    event = {"type": "puback", "direction": "down"}
    fields = {"packetId": (9, {"id": 9})}


class PublishDown(Scene):
    event = {"type": "publish", "direction": "down"}
    fields = {"payload": ("other", {"payload": "other"}), "topic": ("/x/y", {"topic": "/x/y"}),
              "qos": (0, {"qos": 0}), "packetId": (999, {"id": 999})}

    def prepare(self, api, device):
        device.send_packet(type="subscribe", id=1, filters=[(GET, 1)])
        assert device.receive()["type"] == "suback"

    def play(self, api, device):
        api.post(f"/api/v1/devices/{DEVICE}/messages",
                 {"topic": GET, "payload": "hello", "qos": 1})


class PubackUp(PublishDown):
    up, answers, fields = True, False, {}
    event = {"type": "puback", "direction": "up"}

    def prepare(self, api, device):
        super().prepare(api, device)
        super().play(api, device)
        self.packet = {"type": "puback", "id": device.receive()["id"]}

    def play(self, api, device):
        device.send_packet(**self.packet)


class Subscribe(Up):
    packet = {"type": "subscribe", "id": 5, "filters": [(GET, 1)]}
    event = {"type": "subscribe"}


class Suback(Subscribe):
    up = False
    event = {"type": "suback"}
    fields = {"code": (128, {"codes": [128]}), "packetId": (9, {"id": 9})}


class Unsubscribe(Up):
    packet = {"type": "unsubscribe", "id": 6, "filters": [GET]}
    event = {"type": "unsubscribe"}


class Unsuback(Unsubscribe):
    up = False
    event = {"type": "unsuback"}
    fields = {"packetId": (9, {"id": 9})}


class Pingreq(Up):
    packet = {"type": "pingreq"}
    event = {"type": "pingreq"}
    further = {"type": "publish", "qos": 1, "id": 8, "topic": UPDATE, "payload": "further"}
    further_answer = packets.encode({"type": "puback", "id": 8})


class Pingresp(Pingreq):
    up = False
    event = {"type": "pingresp"}


class Disconnect(Up):
    answers = False
    packet = {"type": "disconnect"}
    event = {"type": "disconnect"}


class Reply(Scene):
    """Of a service; at QoS 0, so that it is one packet."""

    event = {"type": "publish", "direction": "down"}
    packet = {"type": "publish", "topic": POST,
              "payload": '{"id":"1","version":"1.0","params":{},"method":"thing.event.property.post"}'}
    fields = {"payload": ("other", {"payload": "other"}), "topic": ("/x/y", {"topic": "/x/y"})}

    def prepare(self, api, device):
        device.send_packet(type="subscribe", id=1, filters=[(REPLY, 0)])
        assert device.receive()["type"] == "suback"


SCENES = {"connect": Connect, "connack": Connack, "publish-up": PublishUp,
          "puback-down": PubackDown, "publish-down": PublishDown, "puback-up": PubackUp,
          "subscribe": Subscribe, "suback": Suback, "unsubscribe": Unsubscribe,
          "unsuback": Unsuback, "pingreq": Pingreq, "pingresp": Pingresp,
          "disconnect": Disconnect, "reply": Reply}
