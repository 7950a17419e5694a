"""What a gateway of EnOS sends about the devices behind it."""

import hashlib
import json

from credentials import SECRETS, TIMESTAMP, split

GATEWAY, OTHER_GATEWAY = "enos/gateway1/g1", "enos/gateway1/g2"
BOUND, FREE, LOCKED = "enos/behind01/bound", "enos/behind01/free", "enos/behind01/disabled"


def keys(name):
    _, product, device = split(name)
    return {"productKey": product, "deviceKey": device}


def sign(name, client_id="id1", timestamp=TIMESTAMP, secret=None):
    _, product, device = split(name)
    text = f"clientId{client_id}deviceKey{device}productKey{product}timestamp{timestamp}"
    return hashlib.sha256((text + (secret or SECRETS[name][0])).encode()).hexdigest()


def proof(name, client_id="id1", secret=None, **more):
    """The fields that prove a device behind a gateway, as the Java SDK sends them."""
    return {**keys(name), "clientId": client_id, "timestamp": TIMESTAMP, "signMethod": "sha256",
            "sign": sign(name, client_id, secret=secret), **more}


def batch(names, secrets=None):
    secrets = secrets or {}
    return {"clientId": "login.batch", "timestamp": TIMESTAMP, "signMethod": "sha256",
            "subDevices": [{**keys(name),
                            "sign": sign(name, "login.batch", secret=secrets.get(name))}
                           for name in names]}


def topic(levels, name=GATEWAY):
    """Those of a session begin with combine."""
    _, product, device = split(name)
    return f"/{'ext/session' if levels.startswith('combine/') else 'sys'}/{product}/{device}/{levels}"


def request(levels, params, number="1", **more):
    return json.dumps({"id": number, "version": "1.0", "params": params,
                       "method": levels.replace("/", "."), **more})
