"""Where scenarios are played: a server, the ways to reach it, and what it made of the devices.

A scenario is a function of the stage with the device it is about; a table in each module beside
this one says which rules that device keeps or breaks by it."""

import contextlib
import http.client
import os
import select
import socket
import ssl
import subprocess
import tempfile
import threading
import warnings
from pathlib import Path

import clouds
import coap
import credentials
import packets
import server

ALI, ALI_OTHER = "aliyun/pk/device", "aliyun/pk/second"
TEN, TEN_OTHER = "tencent/PROD123456/dev001", "tencent/PROD123456/dev002"
ENOS, ENOS_OTHER = "enos/KV315idW/tPbZGCdmaE", "enos/KV315idW/second"
OLD_TLS = "DEFAULT@SECLEVEL=0"  # OpenSSL speaks TLS 1.0 and 1.1 no other way


def plays(device):
    """Says whose conduct a scenario is about; None where nobody gives a name."""
    def mark(play):
        play.device = device
        return play
    return mark


def of(play, rules):
    """Table rows: one scenario for several rules."""
    return dict.fromkeys(rules.split(), play)


class PskPeer:
    """A device over TLS through OpenSSL's client, since Python has no pre-shared keys."""

    def __init__(self, port, identity, key_hex):
        self._data = b""
        self._process = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}", "-tls1_2",
             "-cipher", "PSK", "-psk_identity", identity, "-psk", key_hex],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def send_packet(self, **packet):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(packets.encode(packet))
            self._process.stdin.flush()

    def receive(self):
        """The next packet, or None when the connection has ended."""
        out = self._process.stdout.fileno()
        while not (taken := packets.take(self._data) if self._data else None):
            assert select.select([out], [], [], server.PATIENCE_S)[0], "no answer"
            more = os.read(out, 65536)
            if not more:
                return None
            self._data += more
        first, body, self._data = taken
        return packets.decode(first, body)

    def close(self):
        self._process.terminate()
        self._process.wait(server.PATIENCE_S)
        self._process.stdin.close()
        self._process.stdout.close()


class Stage:
    """One server for all scenarios; each finds it as if just started, with its clock standing."""

    def __init__(self, *options):
        self.skymock = server.Skymock(
            *(word for path in clouds.fixtures() for word in ("--fixtures", str(path))), *options)
        self.api, self.ports = self.skymock.api, self.skymock.ports
        self._folder = tempfile.TemporaryDirectory(prefix="skymock-rules-")
        self.ca = self.file("ca.crt", self.api.get("/ca.crt"))
        self._opened = []

    def stop(self):
        self._folder.cleanup()
        self.skymock.stop()

    def file(self, name, text):
        path = Path(self._folder.name) / name
        path.write_text(text)
        return path

    @contextlib.contextmanager
    def act(self):
        """From the raising of the curtain until everybody has left."""
        self.api.reset()
        self.api.freeze()
        try:
            yield
        finally:
            while self._opened:
                self._opened.pop().close()
            self.api.post("/api/v1/clock/resume")

    def _opens(self, peer):
        self._opened.append(peer)
        return peer

    # ---- ways in ----

    def peer(self, listener="mqtt"):
        return self._opens(server.Peer(self.ports[listener]))

    def context(self, version=ssl.TLSVersion.TLSv1_2, certificate_of=None):
        """TLS as the device is set up for it; with a certificate that the API issues."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.set_ciphers(OLD_TLS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        if certificate_of:
            issued = self.api.post(f"/api/v1/devices/{certificate_of}/certificates",
                                   {"key": "ec"})
            context.load_cert_chain(self.file("device.crt", issued["certificate"]),
                                    self.file("device.key", issued["key"]))
        return context

    def tls(self, listener="mqtt", context=None, name="localhost"):
        return self._opens(server.TlsPeer(self.ports[listener], context or self.context(), name))

    def psk(self, identity, key_hex, listener="mqtts"):
        return self._opens(PskPeer(self.ports[listener], identity, key_hex))

    def s_client(self, listener, *options):
        """One handshake of OpenSSL's client, which then leaves."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.ports[listener]}", *options],
            capture_output=True, timeout=server.PATIENCE_S, check=False,
            stdin=subprocess.DEVNULL)
        return (done.stdout + done.stderr).decode(errors="replace")

    def coap(self, identity, key):
        return self._opens(coap.Device(self.ports["coaps"], identity, key))

    def udp(self, data):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(data, ("127.0.0.1", self.ports["coaps"]))

    def http(self, path, body, method="POST", secure=True, headers=()):
        """The body of the answer to one HTTP call."""
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        more = {"context": self.context()} if secure else {}
        connection = kind("127.0.0.1", self.ports["https"], timeout=server.PATIENCE_S, **more)
        try:
            connection.request(method, path, body, {
                "Content-Type": "application/x-www-form-urlencoded", **dict(headers)})
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    # ---- MQTT ----

    def connect(self, fields, peer=None, **more):
        """Sends a CONNECT; gives the peer and the CONNACK's code, None when there is none."""
        peer = peer or self.peer()
        peer.send_packet(type="connect", **{**fields, **more})
        answer = peer.receive()
        return peer, answer and answer["code"]

    def login(self, device, peer=None, how=None, **more):
        """A login that the cloud accepts."""
        peer, code = self.connect(credentials.login(device, **(how or {})), peer, **more)
        assert code == 0, f"{device} was refused with {code}"
        return peer

    @staticmethod
    def leave(peer):
        peer.send_packet(type="disconnect")
        while peer.receive():
            pass

    @staticmethod
    def publish(peer, topic, payload="", number=7, **more):
        """A publish with QoS 1, and everything that comes until it is acknowledged."""
        peer.send_packet(type="publish", qos=1, id=number, topic=topic, payload=payload, **more)
        came = []
        while (packet := peer.receive()) and packet["type"] != "puback":
            came.append(packet)
        return came

    @staticmethod
    def subscribe(peer, *filters, number=9):
        """The codes of the SUBACK; filters are topics or (topic, qos)."""
        peer.send_packet(type="subscribe", id=number, filters=[
            each if isinstance(each, tuple) else (each, 1) for each in filters])
        while (packet := peer.receive()) and packet["type"] != "suback":
            pass
        return packet["codes"]

    @staticmethod
    def ping(peer):
        peer.send_packet(type="pingreq")
        while (packet := peer.receive()) and packet["type"] != "pingresp":
            pass


# ---- scenarios that differ in one thing ----

def login_with(device, listener="mqtt", packet=None, name=None, **how):
    """A login over TCP with something amiss; whether it is refused is the cloud's matter. `name`
    is given where the server does not get as far as knowing whose login it is."""
    @plays(device)
    def play(stage):
        fields = credentials.login(name or device, **how)
        stage.connect(fields, stage.peer(listener), **(packet or {}))
    return play


def says(device, *bytes_or_packets, listener="mqtt"):
    """A device that logs in and then sends this."""
    @plays(device)
    def play(stage):
        peer = stage.login(device, stage.peer(listener))
        peer.send(b"".join(each if isinstance(each, bytes) else packets.encode(each)
                           for each in bytes_or_packets))
        stage.api.barrier()
    return play


def publishes(device, topic, payload="", listener="mqtt", **more):
    return says(device, {"type": "publish", "qos": 1, "id": 7, "topic": topic,
                         "payload": payload, **more}, listener=listener)


def subscribes(device, *filters, qos=1, listener="mqtt"):
    return says(device, {"type": "subscribe", "id": 9,
                         "filters": [(each, qos) for each in filters]}, listener=listener)


def answers(device, command, reply, listener="mqtt", hears=()):
    """A device that gets this command of the application while it waits; `reply` makes its answer
    of the command's topic and payload, as another topic and payload."""
    @plays(device)
    def play(stage):
        peer = stage.login(device, stage.peer(listener))
        if hears:
            stage.subscribe(peer, *hears)
        api = server.Api(stage.ports["admin"])
        waiting = threading.Thread(target=api.request, args=(
            "POST", f"/api/v1/devices/{device}/commands", command))
        waiting.start()
        packet = peer.receive()
        if packet["qos"]:
            peer.send_packet(type="puback", id=packet["id"])
        topic, payload = reply(packet["topic"], packet["payload"])
        peer.send_packet(type="publish", qos=0, topic=topic, payload=payload)
        waiting.join(server.PATIENCE_S)
        api.close()
    return play
