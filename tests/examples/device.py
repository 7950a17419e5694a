"""A device over paho-mqtt. Firmware would sign its login itself; this one asks for it."""

import os
import threading

import paho.mqtt.client as mqtt
from cloud import call


class Device:
    """A device of devices.json; `login` may replace what it logs in with."""

    def __init__(self, name, login=None, clean=True, tls=False):
        login = login or call("GET", f"devices/{name}/credentials")
        self.online, self.refused, self.heard = threading.Event(), threading.Event(), []
        self.client = mqtt.Client(login["clientId"], clean_session=clean)
        self.client.username_pw_set(login["username"], login["password"])
        self.port = int(os.environ["SKYMOCK_PORT_MQTTS" if tls else "SKYMOCK_PORT_MQTT"])
        if tls:
            self.client.tls_set(os.environ["SKYMOCK_CA"])
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._connected
        self.client.on_message = lambda *given: self.heard.append(given[2])

    def _connected(self, client, data, flags, code):
        (self.online if code == 0 else self.refused).set()

    def __enter__(self):
        self.client.connect(os.environ["SKYMOCK_HOST"], self.port, 60)
        self.client.loop_start()
        return self

    def __exit__(self, *error):
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, topic, payload):
        assert self.online.wait(5), "the device was not let in"
        return self.client.publish(topic, payload, qos=1)
