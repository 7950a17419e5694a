"""A device of Alibaba Cloud IoT that logs in over HTTPS: for a form signed with its secret it gets a
token, good for seven days, and MQTT over TLS takes that ("HTTPS first, then MQTT")."""

import hmac
import http.client
import json
import os
from urllib.parse import urlencode

import aliyun
from habits import breaks
from mqtt import Lost

WORDS = aliyun.WORDS
PATH = "/auth/devicename"


class Device(aliyun.Device):
    PORTS = {"https": "MQTT"}
    token = None       # (iotId, iotToken), kept for as long as it is taken
    renews = True      # a token that was refused is no token any more

    def login(self):
        if self.token is None:
            self.token = self.authenticate()
        return (f"{self.product}.{self.device}", *self.token)

    def on_refused(self, code):
        super().on_refused(code)
        if code == 3 and self.renews:  # iotId or iotToken is not, or no longer, good
            self.token = None

    def authenticate(self):
        fields = {"productKey": self.product, "deviceName": self.device,
                  "clientId": f"{self.product}.{self.device}", "timestamp": str(self.now_ms())}
        text = "".join(key + fields[key] for key in sorted(fields))
        sign = hmac.new(self.secret.encode(), text.encode(), "sha1").hexdigest()
        fields.update(version="default", resources="mqtt", signmethod="hmacsha1", sign=sign)
        self.code = None
        try:
            answer = self.post(urlencode(fields))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.on_no_answer()
            raise Lost(f"no answer over HTTPS: {error!r}") from error
        if answer["code"] != 200:
            self.code = answer["code"]  # a refusal, as that of a CONNACK is
            raise Lost(f"refused over HTTPS: {answer}")
        return answer["data"]["iotId"], answer["data"]["iotToken"]

    def on_no_answer(self):
        """An answer that did not come, or not whole: asked for again, as after any lost connection.
        """

    def post(self, form):
        """The JSON that comes for it."""
        connection = self.http("https", os.environ.get("SKYMOCK_HOST", "127.0.0.1"),
                               int(os.environ["SKYMOCK_PORT_HTTPS"]))
        try:
            connection.request("POST", PATH, form,
                               {"Content-Type": "application/x-www-form-urlencoded"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def open_socket(self):
        return self.secured(super().open_socket())


DEVICE = Device


# ---- what can be broken ----

def give_up(device):
    device.refused_wait, device.refusal = {-1: 1e6}, -1


def hurry(device):
    device.refused_wait, device.refusal = {-1: 0.02}, -1


BREAKS = {
    "token-expired": breaks("keeps a token that was refused", renews=False),
    "https-401": breaks("asks again at once after 401", refused_wait=aliyun.hasty(401)),
    "https-460": breaks("asks again at once after 460", refused_wait=aliyun.hasty(460)),
    "https-6200": breaks("asks again at once after 6200", refused_wait=aliyun.hasty(6200)),
    "https-500": breaks("asks again at once after 500", refused_wait=aliyun.hasty(500)),
    "https-502": breaks("asks again at once after what is no JSON", on_no_answer=hurry),
    "https-slow": breaks("waits 0.3 s for an answer", http_patience=0.3),
    "https-dribbles": breaks("waits 0.3 s for all of an answer", http_patience=0.3),
    "https-cut": breaks("gives up after half an answer", on_no_answer=give_up),
}
