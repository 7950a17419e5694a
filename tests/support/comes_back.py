"""A device as a program: logs in, and again whenever its connection ends. It says nothing else.

    comes_back.py CLOUD/PRODUCT/DEVICE, with SKYMOCK_HOST and SKYMOCK_PORT_MQTT as exec sets them
"""

import os
import socket
import sys
import time

import credentials
import packets

PAUSE_S = 0.02


def live(device):
    fields = credentials.login(device)
    while True:
        try:
            with socket.create_connection((os.environ["SKYMOCK_HOST"],
                                           int(os.environ["SKYMOCK_PORT_MQTT"]))) as wire:
                wire.sendall(packets.encode({"type": "connect", "keepAlive": 60, **fields}))
                while wire.recv(4096):
                    pass
        except OSError:
            pass
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    live(sys.argv[1])
