"""A login token is good for seven days; then the device has to fetch another."""

import json
import os
import ssl
import urllib.request

from cloud import call, verify
from device import Device

NAME = "aliyun/a1Example/thermostat"
WEEK_MS = 7 * 24 * 3600 * 1000


def fetch_token():
    """What the device's firmware does over HTTPS."""
    login = call("GET", f"devices/{NAME}/credentials")
    url = f"https://{os.environ['SKYMOCK_HOST']}:{os.environ['SKYMOCK_PORT_HTTPS']}"
    trust = ssl.create_default_context(cafile=os.environ["SKYMOCK_CA"])
    with urllib.request.urlopen(url + login["httpsPath"], login["httpsForm"].encode(),
                                context=trust) as answer:
        token = json.load(answer)["data"]
    return {"clientId": "thermostat", "username": token["iotId"], "password": token["iotToken"]}


def test_a_week_passes():
    login = fetch_token()
    with Device(NAME, login, tls=True) as device:
        assert device.online.wait(5)

    call("POST", "clock/advance", {"ms": WEEK_MS + 1000})
    call("POST", "expected", {"event": {"type": "connect", "refused": True}, "device": NAME})
    with Device(NAME, login, tls=True) as device:
        assert device.refused.wait(5) and not device.online.is_set()
    verify(event={"type": "connect", "refused": True, "device": NAME})

    with Device(NAME, fetch_token(), tls=True) as device:
        assert device.online.wait(5)
