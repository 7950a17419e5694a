"""A login token is good for seven days; then the device has to fetch another."""

import json
import ssl
import urllib.request

from device import Device

WEEK_MS = 7 * 24 * 3600 * 1000


def fetch_token(skymock, device):
    """What the device's firmware does over HTTPS."""
    device.sign()
    login = device.credentials
    url = f"https://{skymock.host}:{skymock.port('https')}{login['httpsPath']}"
    trust = ssl.create_default_context(cafile=skymock.ca_file)
    with urllib.request.urlopen(url, login["httpsForm"].encode(), context=trust) as answer:
        token = json.load(answer)["data"]
    return device.mqtts._replace(client_id=device.key, username=token["iotId"],
                                 password=token["iotToken"])


def test_a_week_passes(skymock_own, skymock_device):  # time is everybody's: a server of its own
    login, ca = fetch_token(skymock_own, skymock_device), skymock_own.ca_file
    with Device(login, ca=ca) as device:
        assert device.online.wait(5)

    skymock_own.clock.advance(WEEK_MS + 1000)
    refusal = {"type": "connect", "refused": True}
    skymock_device.expect(event=refusal)
    with Device(login, ca=ca) as device:
        assert device.refused.wait(5) and not device.online.is_set()
    skymock_device.wait(refusal)

    with Device(fetch_token(skymock_own, skymock_device), ca=ca) as device:
        assert device.online.wait(5)
