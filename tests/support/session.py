"""One scripted session of everything that a server does: devices on every transport, the admin API,
files. Each step gives what can be compared with the same step of another session."""

import http.client
import json
import signal
import ssl
import subprocess
import time

import clouds
import coap
import credentials
import server
import websocket
from aliyun.credentials import token_form

ALI, ENOS = "aliyun/pk/device", "enos/KV315idW/tPbZGCdmaE"
DEVICES = "/api/v1/devices"
KEPT = "aliyun/pk/second"
POST_TOPIC = "/sys/pk/device/thing/event/property/post"
TROUBLE = (AssertionError, OSError, http.client.HTTPException, subprocess.SubprocessError)


class Session:
    """`number` tells what this one makes from what others made. What was acknowledged and must
    hold is in `promised`: paths of the API and what they answered."""

    def __init__(self, running, number):
        self.running, self.api, self.number = running, running.api, number
        self.authority = None
        self.promised = {}
        self.name = f"made{number}"

    def steps(self):
        return [getattr(self, name) for name in (
            "plain", "certificate", "secure", "web", "call", "create", "desire", "keep", "snapshot",
            "capture", "reload", "report", "metrics", "datagram")]

    def play(self):
        """{step: what came of it, or the trouble there was}"""
        results = {}
        for step in self.steps():
            try:
                results[step.__name__] = step()
            except TROUBLE as error:
                results[step.__name__] = error
        return results

    # ---- devices ----

    @staticmethod
    def _login(peer, name, how=None, **more):
        peer.send_packet(type="connect", **credentials.login(name, **(how or {})), **more)
        answer = peer.receive()
        assert answer is not None, "no answer to a login"
        return answer["code"]

    def _talk(self, peer, **how):
        """A login, a subscription, a property that is answered, a goodbye."""
        came = [self._login(peer, ALI, how)]
        peer.send_packet(type="subscribe", id=1, filters=[[POST_TOPIC + "_reply", 1]])
        packet = peer.receive()
        came.append(packet and packet.get("codes"))
        body = {"id": "1", "version": "1.0", "params": {"n": 1}, "method":
                "thing.event.property.post"}
        peer.send_packet(type="publish", qos=1, id=2, topic=POST_TOPIC, payload=json.dumps(body))
        for _ in range(2):
            packet = peer.receive()
            assert packet is not None, "the connection ended"
            came.append(packet["type"])
        peer.send_packet(type="disconnect")
        assert peer.receive() is None
        return [*came[:2], *sorted(came[2:])]

    def plain(self):
        peer = server.Peer(self.running.ports["mqtt"])
        try:
            return self._talk(peer)
        finally:
            peer.close()

    def certificate(self):
        self.authority = self.api.get("/ca.crt")
        return self.authority.startswith("-----BEGIN CERTIFICATE")

    def _context(self):
        assert self.authority, "the certificate to trust was not given"
        context = ssl.create_default_context(cadata=self.authority)
        context.check_hostname = False
        return context

    def secure(self):
        peer = server.TlsPeer(self.running.ports["mqtt"], self._context())
        try:
            return self._talk(peer, securemode="2")
        finally:
            peer.close()

    def web(self):
        peer = websocket.WebSocketPeer(self.running.ports["https"])
        try:
            return self._talk(peer)
        finally:
            peer.close()

    def call(self):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.running.ports["https"], timeout=server.PATIENCE_S,
            context=self._context())
        try:
            connection.request("POST", "/auth/devicename", token_form(ALI),
                               {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
            code = json.loads(text)["code"] if status == 200 else status
            assert code < 500, f"an error is answered: {text}"
            return status, code
        finally:
            connection.close()

    def datagram(self):
        enos = dict(clouds.modules("credentials"))["enos"]
        device = coap.Device(self.running.ports["coaps"], enos.identity(ENOS), enos.key(ENOS),
                             handshake_s=4)
        try:
            answer = device.ask(coap.POST, "/topic/sys/KV315idW/tPbZGCdmaE/thing/measurepoint/post",
                                b'{"id":"1","version":"1.0","params":{"measurepoints":{"a":1}},'
                                b'"method":"thing.measurepoint.post"}', patience_s=3, again_s=1)
            assert answer is not None, "no answer to a datagram"
            return answer.code
        finally:
            device.close()

    # ---- the admin API ----

    def create(self):
        self.api.post(DEVICES, {"cloud": "aliyun", "product": "pk", "device": self.name})
        path = f"{DEVICES}/aliyun/pk/{self.name}"
        self.promised[path] = self.api.get(path)
        return True

    def desire(self):
        path = f"{DEVICES}/{KEPT}/shadow"
        self.promised.pop(path, None)
        self.promised[path] = self.api.call("PATCH", path, {"desired": {"number": self.number}})
        return sorted(self.promised[path])

    def keep(self):
        """A message waits for a session that was kept."""
        peer = server.Peer(self.running.ports["mqtt"])
        try:
            code = self._login(peer, KEPT, clean=False)
            peer.send_packet(type="subscribe", id=1, filters=[["/broadcast/pk/news", 1]])
            while (packet := peer.receive()) is not None and packet["type"] != "suback":
                if packet["type"] == "publish" and packet["qos"]:
                    peer.send_packet(type="puback", id=packet["id"])
            assert packet is not None, "the connection ended"
            peer.send_packet(type="disconnect")
            assert peer.receive() is None
        finally:
            peer.close()
        self.api.post(f"{DEVICES}/{KEPT}/messages",
                      {"topic": "/broadcast/pk/news", "payload": f"news {self.number}", "qos": 1})
        return code, packet["codes"]

    def snapshot(self):
        self.api.post("/api/v1/snapshots", {"name": self.name})
        self.api.post(f"/api/v1/snapshots/{self.name}/restore")
        self.api.call("DELETE", f"/api/v1/snapshots/{self.name}")
        return True

    def capture(self):
        path = f"/api/v1/captures/{self.api.post('/api/v1/captures', {})['id']}"
        data = self.api.get(path)
        self.api.call("DELETE", path)
        return bool(data)

    def reload(self):
        since = self.api.last_seq()
        self.running.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for event in self.api.events(since=since, type="note", wait_ms=500):
                if event["name"].startswith("fixtures-"):
                    assert event["name"] == "fixtures-reloaded", event
                    return event["name"]
        raise AssertionError("the fixtures were not read again")

    def report(self):
        """Whoever had to wait logs in late, with others of its name: of that rate it is warned."""
        return self.api.get("/api/v1/verdicts", device=ALI)["verdict"] in ("passed", "warned")

    def metrics(self):
        return "skymock_connections " in self.api.get("/metrics")
