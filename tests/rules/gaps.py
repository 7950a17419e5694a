"""Rules without a device that keeps them, or without one that breaks them, and why. A gap that has
been closed is a red test, so that it leaves this list."""

from mqtt import DECODED

_GENERAL = dict.fromkeys(
    "MQTT-DUPLICATE-LOGIN MQTT-TOPIC-PUB MQTT-TOPIC-SUB MQTT-PUBLISH-RATE".split(),
    "every cloud there is has a rule of its own for it, or no such limit")
_LONG_KEYS = "the TLS library takes no pre-shared key of more than 32 bytes; this one has 64"

# No device can.
NEVER_KEPT = _GENERAL
NEVER_BROKEN = {
    **_GENERAL,
    "COAP-PORT": "on another port nobody listens, so nobody can tell",
    "TEN-PSK-BASE64": "a key that is not base64 cannot be registered",
}

# Kept without a finding, yet the verdict stays "not exercised".
UNCOUNTED = {
    **dict.fromkeys(DECODED.split(), "no verdict counts the packets that could be decoded"),
    "MQTT-3.1.0-2": "no verdict counts a connection with one CONNECT",
    "MQTT-PACKET-TYPE": "no verdict counts the packets that belong to QoS 1",
    "TEN-PACKET-TYPE": "no verdict counts the packets that belong to QoS 1",
    "COAP-PSK-WRONG-SECRET": "no verdict counts the mistakes that a right key is free of",
    "DOOR-OUTPUT-FULL": "no verdict counts what a device has read",
}

# The scenario is there, and the server does not do what it should.
KEEP_FLAWS = dict.fromkeys("ALI-PSK-DEVICE ALI-PSK-IDENTITY ALI-PSK-KEY".split(), _LONG_KEYS)
BREAK_FLAWS = {
    "ALI-HTTPS-CONTENT-LENGTH": "nobody looks at a call whose body ends too early",
    "ALI-PSK-KEY": _LONG_KEYS,
    "ALI-TOKEN-SIGNED-LOGIN": "a direct login is judged without the token that waits",
    "DOOR-OUTPUT-FULL": "the finding is not booked with the device",
}
