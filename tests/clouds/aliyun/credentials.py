"""How devices of Alibaba Cloud sign."""

import hashlib
import hmac
from urllib.parse import urlencode

from credentials import DIGESTS, SECRETS, TIMESTAMP, split

WORDS = ("productKey", "deviceName", "deviceSecret")
UNSIGNED = {"version", "sign", "signmethod", "resources", "resouces"}


def login(name, mistake=None, securemode="3", method="hmacsha1", timestamp=TIMESTAMP, cid="12345",
          secret=None, block=None, letters="upper"):
    _, product, device = split(name)
    secret = secret or SECRETS[name][0]
    if block is None:
        block = f"securemode={securemode},signmethod={method},timestamp={timestamp}"
    block = f"|{block}|"
    signed = cid + block if mistake == "whole-client-id" else cid
    fields = [("clientId", signed), ("deviceName", device), ("productKey", product),
              *([("timestamp", timestamp)] if timestamp else [])]
    if mistake == "extra-signed":
        fields.insert(3, ("signmethod", method))
    content = "".join(v if mistake == "values-only" else k + v for k, v in fields)
    digest = DIGESTS.get(method, "sha1")
    if mistake == "not-hmac":
        password = hashlib.new(digest, (content + secret).encode()).hexdigest()
    else:
        password = hmac.new(secret.encode(), content.encode(), digest).hexdigest()
    user = f"{product}&{device}" if mistake == "swapped-keys" else f"{device}&{product}"
    return {"clientId": cid + block, "username": user, "password": getattr(password, letters)()}


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
