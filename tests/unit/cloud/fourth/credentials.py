"""How devices of the fourth cloud sign."""

import base64
import hashlib
import hmac

from credentials import SECRETS, split

WORDS = ("productName", "deviceName", "deviceKey")
PRODUCT_SECRET = "productKey"
EXPIRY = "4102444800"


def login(name, mistake=None, expiry=EXPIRY, resource=None):
    _, product, device = split(name)
    secret, product_secret = SECRETS[name]
    key = (product_secret if mistake == "product-secret" else secret).encode()
    if mistake == "key-decoded":
        key = base64.b64decode(key)
    text = f"res={resource or f'products/{product}/devices/{device}'}&et={expiry}".encode()
    digest = hmac.new(key, text, "sha256").digest()
    if mistake == "not-hmac":
        digest = hashlib.sha256(text + key).digest()
    return {"clientId": device, "username": product,
            "password": f"{text.decode()}&sign={base64.b64encode(digest).decode()}"}
