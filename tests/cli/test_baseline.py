"""`--baseline` of `verdict` and `exec`: what became worse since an earlier report."""

import json

import pytest
import server
from credentials import login

DEVICE = "aliyun/pk/device"
TOPIC = "/pk/device/user/both"


class Device:
    """Comes and goes as it is told, with virtual time between."""

    def __init__(self, skymock, peer):
        self.api, self.peer = skymock.api, peer
        self.api.freeze()

    def connect(self, act=False):
        one = self.peer()
        one.send_packet(type="connect", keepalive=60, **login(DEVICE))
        assert one.receive()["code"] == 0
        if act:
            one.send_packet(type="pingreq")
            assert one.receive()["type"] == "pingresp"
        return one

    def come_back(self, *waits_ms):
        since = self.api.last_seq()
        for wait_ms in (*waits_ms, None):
            one = self.connect()
            one.close()
            since = self.api.wait_event({"type": "close", "device": DEVICE}, since=since)["seq"]
            if wait_ms:
                self.api.advance(wait_ms)

    def publish(self, count, **packet):
        one = self.connect()
        for number in range(1, count + 1):
            one.send_packet(type="publish", topic=TOPIC, payload="x" * 10, qos=1, id=number,
                            **packet)
            assert one.receive()["type"] == "puback"
        one.close()


@pytest.fixture
def device(skymock, peer):
    return Device(skymock, peer)


@pytest.fixture
def report(verdict, tmp_path, api):
    """The report of what was done so far, in a file; what follows is another run."""
    def write():
        path = tmp_path / "report.json"
        assert verdict("--json", str(path)).returncode in (0, 1)
        api.post("/api/v1/reset", {"forget": True})
        api.freeze()
        return path
    return write


def profile(api):
    return api.verdict(DEVICE)["devices"][0]["profile"]


def test_the_same_again_is_neither_worse_nor_better(device, verdict, report):
    def act():
        device.come_back(1000, 2000, 4000, 8000)
        device.publish(5)
    act()
    path = report()
    act()
    told = verdict("--baseline", str(path))
    assert told.returncode == 0, told.stdout
    assert "0 worse, 0 better" in told.stdout and "\nworse" not in told.stdout


@pytest.mark.parametrize("before, after, words", [
    ((1000, 2000, 4000, 8000), (1000, 1000, 1000, 1000),
     "reconnect intervals were exponential, are constant"),
    ((700, 1900, 2600, 7500, 9100, 25000), (1000, 2000, 3000, 4000),
     "reconnect intervals were exponential-jitter, are linear"),
])
def test_reconnecting_with_less_patience_is_worse(device, verdict, report, before, after, words):
    device.come_back(*before)
    path = report()
    device.come_back(*after)
    told = verdict("--baseline", str(path))
    assert told.returncode == 1
    assert f"worse          {DEVICE}: {words}" in told.stdout
    forth = report()
    device.come_back(*before)
    told = verdict("--baseline", str(forth))
    assert told.returncode == 0 and f"better         {DEVICE}: " in told.stdout


def test_sending_more_or_twice_is_worse(device, verdict, report):
    device.publish(5)
    path = report()
    device.publish(30)
    device.publish(1, dup=True)
    told = verdict("--baseline", str(path))
    assert told.returncode == 1
    assert "messages sent were 5, are 31" in told.stdout
    assert "publishes sent again were 0, are 1" in told.stdout


def test_a_rule_that_was_kept_and_is_broken_is_worse(device, verdict, report):
    device.publish(1)
    path = report()
    device.publish(1, retain=True)
    told = verdict("--baseline", str(path))
    assert told.returncode == 1 and "verdict: warned" in told.stdout
    assert f"worse          {DEVICE}: ALI-RETAIN was passed, is warned" in told.stdout
    path = report()
    device.publish(1)
    told = verdict("--baseline", str(path))
    assert told.returncode == 0
    assert f"better         {DEVICE}: ALI-RETAIN was warned, is passed" in told.stdout


def test_devices_that_are_new_or_gone_are_notes(device, verdict, report, peer):
    device.publish(1)
    path = report()
    one = peer()
    one.send_packet(type="connect", keepalive=60, **login("aliyun/pk/second"))
    assert one.receive()["code"] == 0
    told = verdict("--baseline", str(path))
    assert told.returncode == 0
    assert f"note           {DEVICE}: it is not there any more" in told.stdout
    assert "note           aliyun/pk/second: it was not there before" in told.stdout


@pytest.mark.parametrize("text, words", [
    ("", "JSON"), ("<testsuites/>\n", "JSON"), ("[]", "no report of skymock"),
    ('{"devices":[],"verdict":"passed"}', "no report of skymock"),
    ('{"format":99,"devices":[]}', "format 99"),
    ('{"format":1,"devices":[3]}', "/devices/0"),
])
def test_what_is_no_report_is_told(device, verdict, tmp_path, text, words):
    path = tmp_path / "baseline.json"
    path.write_text(text)
    device.publish(1)
    told = verdict("--baseline", str(path))
    assert told.returncode == 2
    assert str(path) in told.stderr and words in told.stderr, told.stderr
    ran = server.run("exec", "--listen", "all=0", "--baseline", str(path), "--", "touch",
                     str(tmp_path / "ran"))
    assert ran.returncode == 2 and words in ran.stderr
    assert not (tmp_path / "ran").exists()


def test_no_file_is_told(verdict, tmp_path):
    told = verdict("--baseline", str(tmp_path / "none.json"))
    assert told.returncode == 2 and "none.json" in told.stderr


def test_exec_compares_too(tmp_path):
    path, command = tmp_path / "report.json", ("--", "/usr/bin/python3", "-c", DEVICE_PROGRAM)
    options = ("exec", "--fixtures", str(server.FIXTURES), "--json", str(path))
    before = server.run(*options, *command, "3")
    assert before.returncode == 0, before.stderr
    told = json.loads(path.read_text())["devices"][0]["profile"]
    assert told["messages"]["up"] == {"messages": 3, "bytes": 30}
    assert told["connects"]["count"] == 1 and told["keepAlive"]["asked"] == 60
    # the baseline may be the file that is written in the end
    after = server.run(*options, "--baseline", str(path), *command, "40")
    assert after.returncode == 1, after.stdout
    assert "messages sent were 3, are 40" in after.stdout
    assert json.loads(path.read_text())["devices"][0]["profile"]["messages"]["up"]["messages"] == 40


DEVICE_PROGRAM = f"""
import os, sys
sys.path.insert(0, {str(server.ROOT / 'tests/support')!r})
from credentials import login
import paho.mqtt.client as paho
who = login({DEVICE!r})
client = paho.Client(who["clientId"])
client.username_pw_set(who["username"], who["password"])
client.connect(os.environ["SKYMOCK_HOST"], int(os.environ["SKYMOCK_PORT_MQTT"]), 60)
client.loop_start()
for _ in range(int(sys.argv[1])):
    client.publish({TOPIC!r}, "x" * 10, qos=1).wait_for_publish()
client.disconnect()
client.loop_stop()
"""


def test_the_terminal_tells_how_a_device_behaves(device, verdict):
    device.come_back(1000, 1000, 1000)
    device.publish(2)
    told = verdict("--device", DEVICE).stdout
    assert "connects: 5, 0 refused; keepalive 60 s" in told
    assert "reconnect intervals: constant" in told
    assert "messages: 2 up (20 bytes), 0 down (0 bytes)" in told
