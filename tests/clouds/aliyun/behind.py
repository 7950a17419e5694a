"""What a gateway of Alibaba Cloud sends about the devices behind it."""

import hashlib
import hmac
import json

from credentials import SECRETS, TIMESTAMP, split

LISTENER = "mqtt"
SHARED = False  # a device may be bound to several gateways
BIND_MOVES = True  # binding one that is bound elsewhere takes it from there
BINDS_DISABLED = False
UNBINDS_ONLINE = True
OPENS_WHEN_BOUND = False  # what is bound may be used; else, what is online


def keys(name):
    _, product, device = split(name)
    return {"productKey": product, "deviceName": device}


def proof(name, client_id="id1", secret=None, **more):
    fields = {**keys(name), "clientId": client_id, "timestamp": TIMESTAMP}
    text = "".join(key + fields[key] for key in sorted(fields))
    sign = hmac.new((secret or SECRETS[name][0]).encode(), text.encode(), "sha1").hexdigest()
    return {**fields, "signMethod": "hmacSha1", "sign": sign, **more}


def topic(levels, name):
    _, product, device = split(name)
    return f"/{'ext/session' if levels.startswith('combine/') else 'sys'}/{product}/{device}/{levels}"


def act(kind, gateway, device):
    """The topic and the payload of what a gateway does about one device."""
    levels, params = {
        "bind": lambda: ("thing/topo/add", [proof(device)]),
        "unbind": lambda: ("thing/topo/delete", [keys(device)]),
        "login": lambda: ("combine/login", {**proof(device), "cleanSession": "true"}),
        "logout": lambda: ("combine/logout", keys(device))}[kind]()
    return topic(levels, gateway), json.dumps({"id": "1", "version": "1.0", "params": params})


def heard(device):
    """A topic of the device that nothing but messages of the application go to."""
    _, product, name = split(device)
    return f"/{product}/{name}/data"


used = heard  # and one that it may publish to


def products(gateways, devices):
    return [{"cloud": "aliyun", "productKey": "manygates", "nodeType": "gateway",
             "devices": [{"deviceName": each, "deviceSecret": f"secret of {each}"}
                         for each in gateways]},
            {"cloud": "aliyun", "productKey": "manysubs",
             "topics": [{"topic": "/{product}/{device}/data", "pub": True, "sub": True}],
             "devices": [{"deviceName": each, "deviceSecret": f"secret of {each}"}
                         for each in devices]}]
