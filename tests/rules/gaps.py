"""General rules without a device that keeps them, or without one that breaks them, and why; a
cloud's are in its plug-in. A gap that has been closed is a red test, so that it leaves this list."""

_GENERAL = dict.fromkeys(
    "MQTT-DUPLICATE-LOGIN MQTT-TOPIC-PUB MQTT-TOPIC-SUB MQTT-PUBLISH-RATE".split(),
    "every cloud there is has a rule of its own for it, or no such limit")

# No device can.
NEVER_KEPT = _GENERAL
NEVER_BROKEN = _GENERAL

# Kept without a finding, yet the verdict stays "not exercised".
UNCOUNTED = {
    "MQTT-3.6.1-1": "whoever sends PUBREL breaks another rule by it",
}

# The scenario is there, and the server does not do what it should.
KEEP_FLAWS = {}
BREAK_FLAWS = {}
