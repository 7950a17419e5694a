"""CoAP over DTLS, which EnOS devices speak: the messages as such, and the cloud's own rules."""

import json
import subprocess

import coap
import server
from coap import BLOCK1, GET, OBSERVE, POST, SIZE1
from enos.credentials import identity as identity_of, key, psk
from enos.rules import ACTIVATION, ENOS, ENOS_OTHER, POST as TOPIC, measurement
from stage import of, plays

PATH, ACTIVATION_PATH = f"/topic{TOPIC}", f"/topic{ACTIVATION}"
STATIC = "enos/static01/only"
LIFETIME_S = 3600


def opens(stage, mode=2, secret=None):
    return stage.coap(identity_of(ENOS, mode), psk(secret) if secret else key(ENOS, mode))


# ---- devices that keep to the rules ----

@plays(ENOS)
def a_device_that_is_activated(stage):
    """It goes on with its own secret then, and sends something long in blocks."""
    first = opens(stage, mode=3)
    secret = json.loads(first.get(ACTIVATION_PATH).payload)["params"]["deviceSecret"]
    device = opens(stage, secret=secret)
    body = measurement().ljust(1500).encode()
    for number, more in ((0, 8), (1, 0)):
        block = bytes([number << 4 | more | 6])
        answer = device.post(PATH, body[number * 1024:(number + 1) * 1024],
                             options=[(BLOCK1, block)])
    assert answer.code == "2.04", answer.code


KEEPS = of(a_device_that_is_activated, """
    COAP-FORMAT COAP-CRITICAL-OPTION COAP-BLOCK-ORDER COAP-BODY-SIZE COAP-PORT COAP-DTLS-REQUIRED
    COAP-PSK-ONLY COAP-CIPHER COAP-IDENTITY-SHAPE COAP-IDENTITY-SPACE COAP-SECUREMODE
    COAP-LIFETIME-RANGE COAP-LIFETIME-EXPIRED COAP-PSK-KEY COAP-PSK-WRONG-SECRET
    COAP-DEVICE-UNKNOWN COAP-DYNAMIC-DISABLED COAP-ACTIVATE-PATH COAP-ACTIVATE-METHOD
    COAP-ACTIVATE-OTHER-DEVICE COAP-REAUTH COAP-PATH-PREFIX COAP-OBSERVE COAP-MID-REUSE
    COAP-PAYLOAD-SIZE""")


# ---- devices that do not ----

def asks(method=POST, path=PATH, payload=None, mode=2, **fields):
    """One request in a session of its own."""
    @plays(ENOS)
    def play(stage):
        body = measurement().encode() if payload is None else payload
        opens(stage, mode=mode).ask(method, path, body, **fields)
    return play


def shakes_hands(identity, its_key=b"\0", device=None, suites="PSK-AES128-CBC-SHA256"):
    """A handshake that cannot come to a good end."""
    @plays(device)
    def play(stage):
        subprocess.run(
            ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{stage.ports['coaps']}",
             "-psk_identity", identity, "-psk", its_key.hex(), "-cipher", f"{suites}:@SECLEVEL=0"],
            capture_output=True, timeout=server.PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
    return play


@plays(None)
def speaks_in_clear(stage):
    stage.udp(coap.encode(GET, ACTIVATION_PATH))


@plays(ENOS)
def sends_what_is_no_message(stage):
    device = opens(stage)
    device.send(bytes([0x40, 1, 0, 9, 0xff]))
    device.receive()


@plays(ENOS)
def falls_silent(stage):
    opens(stage).post(PATH, measurement().encode())
    stage.api.advance(1000 * LIFETIME_S + 1)


@plays(ENOS)
def goes_on_with_the_products_key(stage):
    device = opens(stage, mode=3)
    device.get(ACTIVATION_PATH)
    device.post(PATH, measurement().encode())


@plays(ENOS)
def gives_two_requests_one_token(stage):
    device = opens(stage)
    for power in (1, 2):
        device.post(PATH, measurement(id=str(power)).encode(), token=b"again")


def identity(device=ENOS, **fields):
    return identity_of(device, **fields)


NEVER_BROKEN = {"COAP-PORT": "on another port nobody listens, so nobody can tell"}

BREAKS = {
    "COAP-FORMAT": sends_what_is_no_message,
    "COAP-CRITICAL-OPTION": asks(options=[(9, b"")]),
    "COAP-BLOCK-ORDER": asks(payload=1024 * b"x", options=[(BLOCK1, b"\x1e")]),
    "COAP-BODY-SIZE": asks(payload=b"x", options=[(BLOCK1, b"\x06"), (SIZE1, b"\1\0\1")]),
    "COAP-DTLS-REQUIRED": speaks_in_clear,
    "COAP-PSK-ONLY": shakes_hands(identity(), suites="ECDHE-RSA-AES128-SHA256:AES128-SHA256"),
    "COAP-CIPHER": shakes_hands(identity(), suites="PSK-AES128-CCM"),
    "COAP-IDENTITY-SHAPE": shakes_hands("KV315idW,tPbZGCdmaE,2"),
    "COAP-IDENTITY-SPACE": shakes_hands("KV315idW, tPbZGCdmaE,2,3600", device=ENOS),
    "COAP-SECUREMODE": shakes_hands(identity(mode=1), device=ENOS),
    "COAP-LIFETIME-RANGE": shakes_hands(identity(lifetime=29), device=ENOS),
    "COAP-LIFETIME-EXPIRED": falls_silent,
    "COAP-PSK-KEY": shakes_hands(identity(), key(ENOS_OTHER), ENOS),
    "COAP-PSK-WRONG-SECRET": shakes_hands(identity(), key(ENOS, mode=3), ENOS),
    "COAP-DEVICE-UNKNOWN": shakes_hands("KV315idW,nobody,2,3600"),
    "COAP-DYNAMIC-DISABLED": shakes_hands(identity(STATIC, mode=3), device=STATIC),
    "COAP-ACTIVATE-PATH": asks(mode=3),
    "COAP-ACTIVATE-METHOD": asks(path=ACTIVATION_PATH, mode=3),
    "COAP-ACTIVATE-OTHER-DEVICE": asks(
        GET, ACTIVATION_PATH.replace("tPbZGCdmaE", "second"), b"", mode=3),
    "COAP-REAUTH": goes_on_with_the_products_key,
    "COAP-PATH-PREFIX": asks(path="/elsewhere"),
    "COAP-OBSERVE": asks(options=[(OBSERVE, b"")]),
    "COAP-MID-REUSE": gives_two_requests_one_token,
    "COAP-PAYLOAD-SIZE": asks(payload=measurement().ljust(1100).encode()),
}
