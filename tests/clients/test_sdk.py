"""The vendor's own device SDKs for Node.js, unmodified, as npm has them."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import server

MODULES = server.ROOT / "build/node/node_modules"
SCRIPTS = Path(__file__).with_name("sdk")
SDKS = ["alibabacloud-iot-device-sdk", "aliyun-iot-device-sdk"]
DEVICE = "aliyun/pk/device"
PATH = "/api/v1/devices/" + DEVICE

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not MODULES.is_dir(),
    reason="needs node, and its packages as ./dev test installs them")


def environment(**extra):
    return {**os.environ, "NODE_PATH": str(MODULES), **extra}


class Sdk:
    """A running device; what it says is read line by line."""

    def __init__(self, package, url, ca=None, **options):
        config = {"productKey": "pk", "deviceName": "device", "deviceSecret": "secret",
                  "brokerUrl": url, **options}
        extra = {"NODE_EXTRA_CA_CERTS": str(ca)} if ca else {}
        self.process = subprocess.Popen(
            ["node", str(SCRIPTS / "device.js"), package, json.dumps(config)],
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

    def stop(self):
        self._alarm.cancel()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def device(skymock):
    """device(package, ...) is one of them, at the clear MQTT port unless told otherwise."""
    running = []

    def run(package, url=None, **options):
        url = url or f"mqtt://127.0.0.1:{skymock.ports['mqtt']}"
        running.append(Sdk(package, url, **options))
        return running[-1]

    yield run
    for each in running:
        each.stop()


def see_all_posts_answered(sdk):
    """Every callback of the SDK says success."""
    sdk.next("connect")
    for method in ("postProps", "postEvent", "postTags", "deleteTags"):
        answer = sdk.next("answer")
        assert (answer["method"], answer["code"]) == (method, 200)
    sdk.next("ready")


def passed(api):
    """No rule was broken that counts; both SDKs keep their sessions and sign with SHA-1."""
    verdict = api.verdict(DEVICE)["devices"][0]
    broken = [rule["id"] for rule in verdict["rules"] if rule["verdict"] in ("failed", "warned")]
    return verdict["verdict"] == "passed" and not broken


@pytest.mark.parametrize("package", SDKS)
def test_everything_it_posts_is_answered_and_kept(api, device, package):
    see_all_posts_answered(device(package))
    properties = api.get(PATH + "/properties")["properties"]
    assert properties["LightSwitch"]["value"] == 1
    assert properties["Temperature"] == {"value": 21.5, "time": 1548753362502}
    tags = api.get(PATH + "/documents/tags")["document"]
    assert tags["room"] == "kitchen" and "floor" not in tags
    api.wait_event({"type": "publish", "device": DEVICE, "direction": "up",
                    "topic": "/sys/pk/device/thing/event/lowVoltage/post",
                    "service": "event-post"})
    assert passed(api), api.verdict(DEVICE)


@pytest.mark.parametrize("package", SDKS)
def test_it_answers_a_service_call_and_a_property_set(api, device, package):
    sdk = device(package)
    see_all_posts_answered(sdk)
    answer = api.post(PATH + "/commands",
                      {"kind": "service", "name": "blink", "params": {"times": 3}})
    assert answer["json"]["data"] == {"blinked": 3}
    assert sdk.next("service")["params"] == {"times": 3}
    answer = api.post(PATH + "/commands", {"kind": "property-set", "params": {"LightSwitch": 0}})
    assert answer["json"] == {"id": answer["id"], "code": 200, "data": {}}
    assert sdk.next("set")["params"] == {"LightSwitch": 0}


@pytest.mark.parametrize("listener", ["mqtt", "mqtts", "https"])
@pytest.mark.parametrize("package", SDKS)
def test_tls_wherever_a_device_may_look_for_it(skymock, device, ca, package, listener):
    see_all_posts_answered(device(package, f"mqtts://localhost:{skymock.ports[listener]}", ca=ca))


def test_a_label_that_does_not_fit_the_digest_is_named(skymock, device):
    """This SDK changes only the label when told another algorithm; the digest stays SHA-1."""
    device(SDKS[0], signAlgorithm="sha256").next("error")
    event = skymock.api.wait_event({"type": "connect", "rules": ["ALI-SIGN"]})
    assert event["explanation"]["mistake"] == "other-digest"
    assert "SHA-1, while the login says hmacsha256" in event["explanation"]["what"]
    assert "only the label" in event["explanation"]["hint"]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_the_older_sdk_does_what_it_says(device, algorithm):
    device(SDKS[1], signAlgorithm=algorithm).next("connect")


@pytest.mark.parametrize("package", SDKS)
def test_dynamic_registration_gives_a_secret_to_log_in_with(skymock, device, ca, package):
    skymock.api.post("/api/v1/products", {"products": [
        {"cloud": "aliyun", "productKey": "dynamic", "productSecret": "ps",
         "dynamicActivation": True, "devices": [{"deviceName": "new"}]}]})
    names = {"productKey": "dynamic", "deviceName": "new"}
    options = {**names, "productSecret": "ps",
               "registerURL": f"https://localhost:{skymock.ports['https']}/auth/register/device"}
    done = subprocess.run(
        ["node", str(SCRIPTS / "register.js"), package, json.dumps(options)],
        capture_output=True, text=True, timeout=server.PATIENCE_S, check=False,
        env=environment(NODE_EXTRA_CA_CERTS=str(ca)))
    answer = json.loads(done.stdout)
    assert answer["code"] == 200, done.stdout + done.stderr
    device(package, **names, deviceSecret=answer["data"]["deviceSecret"]).next("connect")
