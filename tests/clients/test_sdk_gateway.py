"""The vendor's own SDK, unmodified, as a gateway with a device behind it, and as a device that
upgrades itself."""

import json
import subprocess
import threading

import pytest
import server
from test_sdk import SCRIPTS, SDKS, environment, pytestmark  # pylint: disable=unused-import

GATEWAY, LAMP = "aliyun/gates/gateway", "aliyun/lamps/lamp"
FIXTURES = {"products": [
    {"cloud": "aliyun", "productKey": "gates", "nodeType": "gateway",
     "devices": [{"deviceName": "gateway", "deviceSecret": "gateway secret"}]},
    {"cloud": "aliyun", "productKey": "lamps", "productSecret": "lamps secret",
     "dynamicActivation": True, "config": {"interval": 10},
     "devices": [{"deviceName": "lamp", "deviceSecret": "lamp secret"}]}]}


class Sdk:
    """A running script of ours around the SDK; what it says is read line by line."""

    def __init__(self, script, *arguments, ca=None):
        extra = {"NODE_EXTRA_CA_CERTS": str(ca)} if ca else {}
        self.process = subprocess.Popen(
            ["node", str(SCRIPTS / script), SDKS[0], *map(json.dumps, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=environment(**extra))
        self._alarm = threading.Timer(server.PATIENCE_S, self.process.kill)
        self._alarm.start()
        self.said = []

    def next(self, event):
        """The next thing it says, which must be this."""
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("{"):
                what = json.loads(line)
                assert what["event"] == event, self.said
                return what
        raise AssertionError(f"no {event}: {self.said}")

    def answered(self, step):
        what = self.next("answer")
        assert (what["step"], what["code"]) == (step, 200), self.said
        return what.get("data")

    def go_on(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def stop(self):
        self._alarm.cancel()
        self.process.kill()
        self.process.communicate()


def login(port, product, device, secret):
    return {"productKey": product, "deviceName": device, "deviceSecret": secret,
            "brokerUrl": f"mqtt://127.0.0.1:{port}"}


@pytest.fixture
def gateway(skymock, api):
    api.post("/api/v1/products", FIXTURES)
    running = Sdk("gateway.js", login(skymock.ports["mqtt"], "gates", "gateway", "gateway secret"),
                  {"productKey": "lamps", "deviceName": "lamp", "deviceSecret": "lamp secret"})
    yield running
    running.stop()


def verdict_of(api, device):
    verdict, = api.verdict(device)["devices"]
    broken = [rule["id"] for rule in verdict["rules"] if rule["verdict"] in ("failed", "warned")]
    return verdict["verdict"], broken


def test_it_brings_a_device_online_and_speaks_for_it(api, gateway):
    named = {"deviceName": "lamp", "productKey": "lamps"}
    assert gateway.answered("addTopo") == [named]
    assert gateway.answered("getTopo") == [named]
    secret, = gateway.answered("register")
    assert secret["deviceSecret"] == "lamp secret"
    gateway.answered("login")
    for step in ("postProps", "postEvent", "postTags"):
        gateway.answered(step)
    assert gateway.answered("getConfig")["getType"] == "file"
    gateway.next("waiting")
    path = f"/api/v1/devices/{LAMP}"
    assert api.get(path)["online"]
    assert api.get(path + "/properties")["properties"]["LightSwitch"]["value"] == 1
    api.post(path + "/commands", {"kind": "property-set", "params": {"LightSwitch": 0}})
    assert gateway.next("set")["params"] == {"LightSwitch": 0}
    gateway.go_on()
    gateway.answered("logout")
    gateway.answered("removeTopo")
    gateway.next("ready")
    assert not api.get(path)["online"]
    for device in (GATEWAY, LAMP):
        assert verdict_of(api, device) == ("passed", []), api.verdict(device)


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts"])
def test_a_device_upgrades_itself_to_the_end(skymock, api, ca, scheme):
    """What it downloads comes as it came itself: in the clear, or over TLS."""
    device, path = "aliyun/pk/device", "/api/v1/devices/aliyun/pk/device/ota"
    options = {**login(None, "pk", "device", "secret"),
               "brokerUrl": f"{scheme}://localhost:{skymock.ports['mqtt']}"}
    sdk = Sdk("ota.js", options, ca=ca)
    try:
        sdk.next("ready")
        # A version that is reported behind the push has it repeated: that is another story.
        api.wait_event({"type": "publish", "device": device, "service": "version"}, 0)
        done = api.post(path, {"version": "2.0", "size": 300_000, "waitMs": 10_000})
        told = sdk.next("told")
        assert (told["code"], told["message"], told["version"]) == ("1000", "success", "2.0")
        assert sdk.next("downloaded") == {"event": "downloaded", "size": True, "md5": True}
        assert (done["state"], done["status"], done["reported"]) == (
            "succeeded", "SUCCEEDED", "2.0")
    finally:
        sdk.stop()
    assert verdict_of(api, device) == ("passed", []), api.verdict(device)
