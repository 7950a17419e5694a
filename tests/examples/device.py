"""A device over paho-mqtt. Firmware would sign its login itself; this one is given it."""

import threading

import paho.mqtt.client as mqtt

# Version 2 of paho wants to be told whose callbacks it is to call: those of version 1, below.
PAHO_2 = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []


class Device:
    """`login` is a device's `mqtt` or `mqtts` of the kit, or like it; `ca` makes it TLS."""

    def __init__(self, login, clean=True, ca=None):
        self.online, self.refused, self.heard = threading.Event(), threading.Event(), []
        self.login = login
        self.client = mqtt.Client(*PAHO_2, login.client_id, clean_session=clean)
        self.client.username_pw_set(login.username, login.password)
        if ca:
            self.client.tls_set(ca)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self._connected
        self.client.on_message = lambda *given: self.heard.append(given[2])

    def _connected(self, client, data, flags, code):
        (self.online if code == 0 else self.refused).set()

    def __enter__(self):
        self.client.connect(self.login.host, self.login.port, self.login.keepalive)
        self.client.loop_start()
        return self

    def __exit__(self, *error):
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, topic, payload):
        assert self.online.wait(5), "the device was not let in"
        return self.client.publish(topic, payload, qos=1)
