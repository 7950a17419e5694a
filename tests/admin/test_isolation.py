"""A product is a tenant: jobs side by side on one server, each with its own product, devices,
faults, snapshot and reset, see only their own, and together take less time than one by one."""

import concurrent.futures
import hashlib
import hmac
import os
import time
import xml.etree.ElementTree

import pytest
import server

JOBS = int(os.environ.get("SKYMOCK_JOBS", "200"))
AT_ONCE = 32
ALONE = 8
PATIENCE_MS = 150  # what a job waits for something that must not come


class Job:
    """What a test suite does that has a product to itself."""

    def __init__(self, ports, number):
        self.ports = ports
        self.key = f"job{number:05}"
        self.product = f"aliyun/{self.key}"
        self.api = server.Api(ports["admin"])
        self.peers = []

    def get(self, path, **query):
        return self.api.get(path, product=self.product, **query)

    def login(self, device, secret):
        signed = f"clientId{device}deviceName{device}productKey{self.key}"
        peer = server.Peer(self.ports["mqtt"])
        peer.send_packet(type="connect", keepalive=60, clean=False,
                         clientId=f"{device}|securemode=3,signmethod=hmacsha1|",
                         username=f"{device}&{self.key}",
                         password=hmac.new(secret.encode(), signed.encode(),
                                           hashlib.sha1).hexdigest())
        self.peers.append(peer)
        return peer, peer.receive()["code"]

    def publish(self, peer, number):
        peer.send_packet(type="publish", qos=1, id=number,
                         topic=f"/{self.key}/device/user/update", payload=self.key)
        answer = peer.receive()
        assert answer["type"] == "puback" and answer["id"] == number, answer

    def make(self):
        self.api.post("/api/v1/products", {"products": [{
            "cloud": "aliyun", "productKey": self.key, "devices": [
                {"deviceName": "device", "deviceSecret": self.key},
                {"deviceName": "second", "deviceSecret": self.key}]}]})
        temporary = self.api.post("/api/v1/devices", {
            "cloud": "aliyun", "product": self.key, "temporary": True})
        assert temporary["credentials"]["username"].endswith(self.key)
        self.api.post("/api/v1/snapshots", {"name": "begin", "product": self.product})
        self.temporary = temporary["name"]

    def connect(self):
        """Every job has devices of the same names, and a stranger with another one's secret."""
        device, code = self.login("device", self.key)
        assert code == 0
        assert self.login("second", "not the secret")[1] != 0
        device.send_packet(type="subscribe", id=7, filters=[
            [f"/{self.key}/device/user/get", 1], [f"/{self.key}/+/user/update", 1]])
        assert device.receive()["type"] == "suback"
        return device

    def act(self, device):
        self.publish(device, 1)
        sent = self.api.post(f"/api/v1/devices/{self.product}/device/messages", {
            "topic": f"/{self.key}/device/user/get", "payload": self.key, "qos": 1})
        assert sent["receivers"] == 1
        packet = device.receive()
        assert packet["payload"] == self.key
        device.send_packet(type="puback", id=packet["id"])

    def intrude(self, device):
        """Topics of others are nobody's of this job's devices: they hear and say nothing there."""
        other = "job00000" if self.key != "job00000" else "job00001"
        device.send_packet(type="subscribe", id=8, filters=[[f"/{other}/device/user/get", 1]])
        assert device.receive()["codes"] == [128]
        device.send_packet(type="publish", topic=f"/{other}/device/user/get", payload=self.key)

    def lose_one(self, device):
        """A fault of its own, once."""
        self.api.post("/api/v1/faults", {"point": "puback-down", "action": "withhold",
                                         "product": self.product, "count": 1})
        device.send_packet(type="publish", qos=1, id=2,
                           topic=f"/{self.key}/device/user/update", payload=self.key)
        self.publish(device, 3)  # the answer to the one before is what does not come
        fired, = self.get("/api/v1/faults")["faults"]
        assert fired["fired"] == 1 and fired["product"] == self.product

    def look(self):
        names = {f"{self.product}/{device}" for device in ("device", "second")}
        events = self.get("/api/v1/events", limit=1000)["events"]
        assert {each["device"] for each in events if each["type"] == "connect"} <= names
        assert {each.get("device") for each in events} <= names | {self.temporary, self.product}
        assert any(each["type"] == "fault" for each in events)
        verdicts = {each["device"]: each["verdict"]
                    for each in self.get("/api/v1/verdicts")["devices"]}
        assert set(verdicts) <= names | {self.temporary}, verdicts
        assert verdicts[f"{self.product}/second"] == "failed"
        report = xml.etree.ElementTree.fromstring(self.get("/api/v1/report.xml"))
        suites = {suite.get("name") for suite in report.iter("testsuite")}
        assert suites and all(self.key in name for name in suites), suites
        held = self.api.post("/api/v1/verify", {
            "event": {"type": "publish", "direction": "up"}, "count": {"min": 4, "max": 4},
            "product": self.product})
        assert held["holds"]
        status, answer = self.api.request("POST", "/api/v1/verify", {
            "event": {"type": "subscribe"}, "count": {"min": 3}, "product": self.product,
            "waitMs": PATIENCE_MS})
        assert status == 406 and answer["count"] == 2, answer
        listed = self.api.get("/api/v1/devices", product=self.product)["devices"]
        assert {each["name"] for each in listed} == names | {self.temporary}

    def expect(self):
        """What is expected of one product excuses no other."""
        made = self.api.post("/api/v1/expected", {
            "rule": "ALI-QOS2", "product": self.product,
            "count": {"min": 0}})
        mine, = self.get("/api/v1/expected")["expected"]
        assert mine["id"] == made["id"]

    def go_back(self, device):
        self.api.call("PATCH", f"/api/v1/devices/{self.product}/device", {"assetId": self.key})
        self.api.post("/api/v1/snapshots/begin/restore", {"product": self.product})
        assert device.receive() is None
        assert self.api.get(f"/api/v1/devices/{self.product}/device")["assetId"] is None
        assert self.api.request("GET", f"/api/v1/devices/{self.temporary}")[0] == 404
        mine, = self.get("/api/v1/snapshots")["snapshots"]
        assert mine["product"] == self.product
        device, code = self.login("device", self.key)
        assert code == 0
        self.api.post("/api/v1/reset", {"product": self.product})
        assert device.receive() is None
        assert self.get("/api/v1/faults")["faults"] == []
        assert self.get("/api/v1/expected")["expected"] == []
        assert self.get("/api/v1/verdicts")["devices"] == []
        again, code = self.login("device", self.key)
        assert code == 0
        self.publish(again, 1)
        assert len(self.get("/api/v1/events", type="publish")["events"]) == 1

    def run(self):
        try:
            self.make()
            self.expect()
            device = self.connect()
            self.act(device)
            self.intrude(device)
            self.lose_one(device)
            self.look()
            self.go_back(device)
        finally:
            for peer in self.peers:
                peer.close()
            self.api.close()


def timed(ports, numbers, at_once):
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(Job(ports, number).run) for number in numbers]:
            done.result()
    return time.monotonic() - begun


def test_jobs_side_by_side_see_only_their_own(start):
    running = start()
    alone = timed(running.ports, range(ALONE), 1) / ALONE * JOBS
    together = timed(running.ports, range(ALONE, ALONE + JOBS), AT_ONCE)
    print(f"{JOBS} jobs: {together:.1f} s side by side, {alone:.1f} s one after another")
    assert together < alone
    assert running.api.get("/api/v1/clock")["frozen"] is False


@pytest.mark.parametrize("path", [
    "/api/v1/devices", "/api/v1/events", "/api/v1/events/stream", "/api/v1/verdicts",
    "/api/v1/report.xml", "/api/v1/expected", "/api/v1/snapshots", "/api/v1/faults"])
def test_whatever_lists_can_be_limited_to_a_product(api, path):
    query = {each["name"] for each in api.get("/openapi.json")["paths"][path]["get"]["parameters"]}
    assert "product" in query


@pytest.mark.parametrize("path", [
    "/api/v1/verify", "/api/v1/faults", "/api/v1/snapshots", "/api/v1/reset", "/api/v1/expected"])
def test_whatever_is_done_can_be_limited_to_a_product(api, path):
    body = api.get("/openapi.json")["paths"][path]["post"]["requestBody"]
    assert "product" in body["content"]["application/json"]["schema"]["properties"]
