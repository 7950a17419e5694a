"""What a gateway of Tencent IoT Hub sends about the devices behind it."""

import base64
import hmac
import json
import time

from credentials import SECRETS, split

LISTENER = "mqtt"
SHARED = False  # a device may be bound to several gateways
BIND_MOVES = False  # binding one that is bound elsewhere takes it from there
BINDS_DISABLED = True
UNBINDS_ONLINE = True
OPENS_WHEN_BOUND = True  # what is bound may be used; else, what is online


def named(name):
    _, product, device = split(name)
    return {"product_id": product, "device_name": device}


def proof(name):
    _, product, device = split(name)
    seconds = int(time.time())
    text = f"{product}{device};121213;{seconds}"
    digest = hmac.new(SECRETS[name][0].encode(), text.encode(), "sha1").digest()
    return {**named(name), "signature": base64.b64encode(digest).decode(), "random": 121213,
            "timestamp": seconds, "signmethod": "hmacsha1", "authtype": "psk"}


def act(kind, gateway, device):
    """The topic and the payload of what a gateway does about one device."""
    _, product, name = split(gateway)
    word = {"login": "online", "logout": "offline"}.get(kind, kind)
    return f"$gateway/operation/{product}/{name}", json.dumps(
        {"type": word,
         "payload": {"devices": [proof(device) if kind == "bind" else named(device)]}})


def heard(device):
    """A topic of the device that nothing but messages of the application go to."""
    _, product, name = split(device)
    return f"{product}/{name}/data"


used = heard  # and one that it may publish to


def products(gateways, devices):
    psk = "MTIzNDU2Nzg5MGFiY2RlZg=="
    return [{"cloud": "tencent", "productId": "MANYGATES1", "nodeType": "gateway",
             "subProducts": ["MANYSUBS01"],
             "devices": [{"deviceName": each, "psk": psk} for each in gateways]},
            {"cloud": "tencent", "productId": "MANYSUBS01",
             "topics": [{"topic": "{product}/{device}/data", "pub": True, "sub": True}],
             "devices": [{"deviceName": each, "psk": psk} for each in devices]}]
