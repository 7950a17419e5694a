"""Writes cases/NAME.json from each generator: python3 tests/packets/generate.py"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]

import cases  # noqa: E402
import coap_messages  # noqa: E402
import handshakes  # noqa: E402
import http_heads  # noqa: E402
import mqtt_packets  # noqa: E402
import websocket_frames  # noqa: E402

GENERATORS = {"mqtt": mqtt_packets, "http": http_heads, "websocket": websocket_frames,
              "coap": coap_messages, "handshake": handshakes}

if __name__ == "__main__":
    for name, generator in GENERATORS.items():
        cases.write(name, generator.NAMES, generator.cases())
        print(f"{name}: {len(cases.read(name))} cases")
