"""How each cloud's devices sign, computed here from the vendors' descriptions alone.

login("aliyun/pk/device") gives the fields of a CONNECT. A mistake can be asked for by name; then
the fields are what a device with that bug would send.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import urlencode

FIXTURES = Path(__file__).with_name("fixtures.json")
TIMESTAMP = "1548753362502"
DIGESTS = {"hmacmd5": "md5", "hmacsha1": "sha1", "hmacsha256": "sha256"}


def _devices():
    keys = {"aliyun": ("productKey", "deviceName", "deviceSecret"),
            "tencent": ("productId", "deviceName", "psk"),
            "enos": ("productKey", "deviceKey", "deviceSecret")}
    for product in json.loads(FIXTURES.read_text())["products"]:
        product_key, device_key, secret = keys[product["cloud"]]
        for device in product["devices"]:
            name = f"{product['cloud']}/{product[product_key]}/{device[device_key]}"
            yield name, device[secret], product.get("productSecret", "")


SECRETS = {name: (secret, product_secret) for name, secret, product_secret in _devices()}


def split(name):
    return name.split("/")


def aliyun(name, mistake=None, securemode="3", method="hmacsha1", timestamp=TIMESTAMP, cid="12345",
           secret=None):
    _, product, device = split(name)
    secret = secret or SECRETS[name][0]
    block = f"|securemode={securemode},signmethod={method},timestamp={timestamp}|"
    signed = cid + block if mistake == "whole-client-id" else cid
    fields = [("clientId", signed), ("deviceName", device), ("productKey", product),
              ("timestamp", timestamp)]
    if mistake == "extra-signed":
        fields.insert(3, ("signmethod", method))
    content = "".join(v if mistake == "values-only" else k + v for k, v in fields)
    digest = DIGESTS.get(method, "sha1")
    if mistake == "not-hmac":
        password = hashlib.new(digest, (content + secret).encode()).hexdigest()
    else:
        password = hmac.new(secret.encode(), content.encode(), digest).hexdigest()
    user = f"{product}&{device}" if mistake == "swapped-keys" else f"{device}&{product}"
    return {"clientId": cid + block, "username": user, "password": password.upper()}


def tencent(name, mistake=None, method="hmacsha256", expiry="2147483647", appid="12010126",
            connid="A1B2C"):
    _, product, device = split(name)
    psk = SECRETS[name][0]
    key = psk.encode() if mistake == "key-not-decoded" else base64.b64decode(psk)
    client_id = product + device
    username = f"{client_id};{appid};{connid};{expiry}"
    token = hmac.new(key, username.encode(), DIGESTS.get(method, "sha256")).hexdigest()
    return {"clientId": client_id, "username": username, "password": f"{token};{method}"}


def enos(name, mistake=None, securemode="2", method="sha256", timestamp=TIMESTAMP, cid="123456",
         secret=None):
    _, product, device = split(name)
    own, product_secret = SECRETS[name]
    due, other = (own, product_secret) if securemode == "2" else (product_secret, own)
    secret = secret or (other if mistake in ("product-secret", "device-secret") else due)
    content = f"clientId{cid}deviceKey{device}productKey{product}timestamp{timestamp}"
    if mistake == "is-hmac":
        password = hmac.new(secret.encode(), content.encode(), "sha256").hexdigest()
    else:
        password = hashlib.sha256((content + secret).encode()).hexdigest()
    user = f"{product}&{device}" if mistake == "swapped-keys" else f"{device}&{product}"
    return {"clientId": f"{cid}|securemode={securemode},signmethod={method},timestamp={timestamp}|",
            "username": user, "password": password.upper()}


UNSIGNED = {"version", "sign", "signmethod", "resources", "resouces"}


def token_form(name, secret=None, also_signed=(), **fields):
    """A request for a login token by the vendor's description: what is signed is the keys and
    values of all fields but a few, by name. A field that is None is left out."""
    _, product, device = split(name)
    fields = {"productKey": product, "deviceName": device, "clientId": "12345",
              "timestamp": TIMESTAMP, "version": "default", **fields}
    fields = {key: value for key, value in fields.items() if value is not None}
    text = "".join(key + fields[key] for key in sorted(fields)
                   if key not in UNSIGNED or key in also_signed)
    key = (secret or SECRETS[name][0]).encode()
    digest = DIGESTS.get(fields.get("signmethod"), "md5")
    fields.setdefault("sign", hmac.new(key, text.encode(), digest).hexdigest())
    return urlencode(fields)


SIGNERS = {"aliyun": aliyun, "tencent": tencent, "enos": enos}


def login(name, **how):
    """Fields of the CONNECT of the device "cloud/product/device"."""
    return SIGNERS[split(name)[0]](name, **how)
