"""A login token is good for seven days; then the device has to fetch another."""

import json
import os
import urllib.request

from cloud import call, verify
from device import Device

NAME = "aliyun/a1Example/thermostat"
WEEK_MS = 7 * 24 * 3600 * 1000


def fetch_token():
    """What the device's firmware does over HTTPS; the listener takes it in the clear, too."""
    login = call("GET", f"devices/{NAME}/credentials")
    url = f"http://{os.environ['SKYMOCK_HOST']}:{os.environ['SKYMOCK_PORT_HTTPS']}"
    with urllib.request.urlopen(url + login["httpsPath"], login["httpsForm"].encode()) as answer:
        token = json.load(answer)["data"]
    return {**login, "username": token["iotId"], "password": token["iotToken"]}


def test_a_week_passes():
    login = fetch_token()
    with Device(NAME, login) as device:
        assert device.online.wait(5)

    call("POST", "clock/advance", {"ms": WEEK_MS + 1000})
    call("POST", "expected", {"event": {"type": "connect", "refused": True}, "device": NAME})
    with Device(NAME, login) as device:
        assert device.refused.wait(5) and not device.online.is_set()
    verify(event={"type": "connect", "refused": True, "device": NAME})

    with Device(NAME, fetch_token()) as device:
        assert device.online.wait(5)
