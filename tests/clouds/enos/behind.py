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


# ---- for whoever does the same with the gateways of every cloud ----

LISTENER = "enos-mqtt"
SHARED = True  # a device may be bound to several gateways
BIND_MOVES = False  # binding one that is bound elsewhere takes it from there
BINDS_DISABLED = True
UNBINDS_ONLINE = False
OPENS_WHEN_BOUND = False  # what is bound may be used; else, what is online


def act(kind, gateway, device):
    """The topic and the payload of what a gateway does about one device."""
    levels, params = {
        "bind": lambda: ("thing/topo/add", [proof(device)]),
        "unbind": lambda: ("thing/topo/delete", [keys(device)]),
        "login": lambda: ("combine/login", proof(device)),
        "logout": lambda: ("combine/logout", keys(device))}[kind]()
    return topic(levels, gateway), request(levels, params)


def heard(device):
    """A topic of the device that nothing but messages of the application go to."""
    return topic("thing/measurepoint/post_reply", device)


def used(device):
    """And one that it may publish to."""
    return topic("thing/measurepoint/post", device)


def products(gateways, devices):
    return [{"cloud": "enos", "productKey": "manygate", "productSecret": "productSecret009",
             "nodeType": "gateway",
             "devices": [{"deviceKey": each, "deviceSecret": f"secret of {each}"}
                         for each in gateways]},
            {"cloud": "enos", "productKey": "manysubs", "productSecret": "productSecret010",
             "devices": [{"deviceKey": each, "deviceSecret": f"secret of {each}"}
                         for each in devices]}]
