"""A device with paho-mqtt as its firmware: login, wait, verify, fault, clock, verdict, JUnit."""
import paho.mqtt.client as mqtt
import pytest


@pytest.fixture
def firmware(skymock_device):
    login = skymock_device.mqtt
    paho_2 = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
    client = mqtt.Client(*paho_2, login.client_id, clean_session=False)
    client.username_pw_set(login.username, login.password)
    client.connect(login.host, login.port, login.keepalive)
    client.loop_start()
    skymock_device.wait({"type": "connack", "code": 0})
    yield client
    client.disconnect()
    client.loop_stop()


@pytest.mark.skymock(passed=True)
def test_it_reports(firmware, skymock_device, tmp_path):
    firmware.publish(f"/{skymock_device.product}/{skymock_device.key}/user/update", "21.5", qos=1)
    warm = {"type": "publish", "payload": {"equals": "21.5"}}
    skymock_device.verify(sequence=[{"type": "connect"}, warm, {"type": "puback"}], wait_ms=5000)
    assert 'failures="0"' in skymock_device.junit(tmp_path / "rules.xml").read_text()


def test_it_sends_again(firmware, skymock_device):
    skymock_device.fault("puback-down", "withhold", count=1)
    firmware.publish(f"/{skymock_device.product}/{skymock_device.key}/user/update", "22", qos=1)
    skymock_device.wait({"type": "fault"})
    skymock_device.disconnect()
    skymock_device.wait({"type": "publish", "dup": True})


def test_it_comes_back_after_silence(firmware, skymock_device, skymock_own):
    skymock_device.expect(rule="MQTT-KEEPALIVE-DEAD")  # that counts against nobody
    skymock_own.clock.advance(100_000)  # more than one and a half times its keepalive, in no time
    skymock_device.wait({"type": "connack", "code": 0}, count=2)
    skymock_device.assert_passed()
