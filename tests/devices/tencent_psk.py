"""A device of Tencent IoT Hub over TLS with its pre-shared key, as the vendor's C SDK has it: no
certificate, no password. Python's TLS has no pre-shared keys before 3.13: openssl speaks it."""

import base64
import os
import socket
import subprocess

import tencent
from habits import breaks
from tencent import BREAKS as BREAKS_OF_ALL
from tencent import WORDS  # noqa: F401  pylint: disable=unused-import


class Channel:
    """What openssl makes of a connection: it ends when either side does."""

    def __init__(self, port, identity, key):
        self.socket, theirs = socket.socketpair()
        address = f"{os.environ.get('SKYMOCK_HOST', '127.0.0.1')}:{port}"
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-no_ign_eof", "-nocommands", "-connect", address,
             "-tls1_2", "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0", "-psk_identity", identity,
             "-psk", key.hex()], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()

    def __getattr__(self, name):
        """Else it is our end of the socket."""
        return getattr(self.socket, name)

    def close(self):
        self.socket.close()
        self.process.kill()
        self.process.wait()


class Device(tencent.Device):
    PORTS = {"psk": "MQTTS"}
    connack_patience = 4.0    # the handshake is a part of it
    backoff_first = 0.25      # to begin with openssl takes its time, on a busy machine a long one
    backoff_max = 4.0

    def login(self):
        client_id, user, _ = super().login()
        return client_id, user, None

    def open_socket(self):
        return Channel(self.port(), self.product + self.device, self.key())

    def key(self):
        return base64.b64decode(self.secret)


def hurries_without_connack(self):
    return 0.05 if self.code is None else Device.backoff(self)


def gives_up_without_connack(self):
    return 1e6 if self.code is None and self.attempts > 1 else Device.backoff(self)


DEVICE = Device
BREAKS = {
    **BREAKS_OF_ALL,
    "psk-wrong": breaks("hammers when its key is refused", backoff=hurries_without_connack),
    "device-disabled": breaks("gives up for good when its key is refused again",
                              backoff=gives_up_without_connack),
}
