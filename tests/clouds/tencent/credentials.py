"""How devices of Tencent IoT Hub sign."""

import base64
import hmac

from credentials import DIGESTS, SECRETS, split

WORDS = ("productId", "deviceName", "psk")


def login(name, mistake=None, method="hmacsha256", expiry="2147483647", appid="12010126",
          connid="A1B2C"):
    _, product, device = split(name)
    psk = SECRETS[name][0]
    key = psk.encode() if mistake == "key-not-decoded" else base64.b64decode(psk)
    client_id = product + device
    username = f"{client_id};{appid};{connid};{expiry}"
    token = hmac.new(key, username.encode(), DIGESTS.get(method, "sha256")).hexdigest()
    return {"clientId": client_id, "username": username, "password": f"{token};{method}"}
