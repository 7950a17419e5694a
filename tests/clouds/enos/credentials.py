"""How devices of EnOS sign, and the keys of those that come by CoAP."""

import hashlib
import hmac

from credentials import SECRETS, TIMESTAMP, split

WORDS = ("productKey", "deviceKey", "deviceSecret")
LISTENERS = ("enos-mqtt", "enos-mqtts")


def login(name, mistake=None, securemode="2", method="sha256", timestamp=TIMESTAMP, cid="123456",
          secret=None, digest="sha256", letters="upper"):
    _, product, device = split(name)
    own, product_secret = SECRETS[name]
    due, other = (own, product_secret) if securemode == "2" else (product_secret, own)
    secret = secret or (other if mistake in ("product-secret", "device-secret") else due)
    content = f"clientId{cid}deviceKey{device}productKey{product}timestamp{timestamp}"
    if mistake == "is-hmac":
        password = hmac.new(secret.encode(), content.encode(), "sha256").hexdigest()
    else:
        password = hashlib.new(digest, (content + secret).encode()).hexdigest()
    user = f"{product}&{device}" if mistake == "swapped-keys" else f"{device}&{product}"
    return {"clientId": f"{cid}|securemode={securemode},signmethod={method},timestamp={timestamp}|",
            "username": user, "password": getattr(password, letters)()}


def psk(secret):
    """The key due to a secret: the 9th to 24th byte of its SHA-256."""
    return hashlib.sha256(secret.encode()).digest()[8:24]


def identity(name, mode=2, lifetime=3600):
    _, product, device = split(name)
    return f"{product},{device},{mode},{lifetime}"


def key(name, mode=2):
    return psk(SECRETS[name][0 if mode == 2 else 1])
