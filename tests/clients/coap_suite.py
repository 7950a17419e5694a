"""A device of EnOS made with libcoap's coap-client, unmodified, for `skymock suite run`: it says
something every second, in sessions of a few messages, and fetches and answers what an answer's
option 2100 tells of. What its sessions and messages are like is libcoap's doing.

coap_suite.py PROGRAM PRODUCT DEVICE SECRET"""

import hashlib
import json
import os
import re
import subprocess
import sys
import time

PROGRAM, PRODUCT, DEVICE, SECRET = sys.argv[1:]
URL = "coaps://{}:{}".format(os.environ.get("SKYMOCK_HOST", "127.0.0.1"),
                             os.environ["SKYMOCK_PORT_COAPS"])
KEY = hashlib.sha256(SECRET.encode()).digest()[8:24]
WAITS = re.compile(r"\b2100:((?:\\x[0-9A-F]{2})+)")  # an option that the client does not know
AT_ONCE, PATIENCE_S = 10, 15  # messages of a session


def ask(method, path, payload=None, times=1):
    """What the client says, which at this level is every message."""
    command = [PROGRAM.encode(), b"-v", b"7", b"-m", method.encode(), b"-B",
               str(PATIENCE_S).encode(), b"-G", str(times).encode(),
               b"-u", f"{PRODUCT},{DEVICE},2,3600".encode(), b"-k", KEY]
    if payload is not None:
        command += [b"-e", json.dumps(payload, separators=(",", ":")).encode()]
    done = subprocess.run([*command, (URL + path).encode()], capture_output=True, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def waiting(said):
    """Where a command waits, or None."""
    found = WAITS.search(said)
    return found and bytes.fromhex(found[1].replace("\\x", "")).decode()


def fetch(path):
    """The command that waits there is answered; where the next one waits, or None."""
    said = ask("get", path)
    call = re.search(r'\{"id":"(\d+)"', said)
    if call:
        said += ask("post", path + "_reply", {"id": call[1], "code": 200, "data": {}})
    return waiting(said)


def main():
    count = 0
    while True:
        count += 1
        said = ask("post", f"/topic/sys/{PRODUCT}/{DEVICE}/thing/measurepoint/post",
                   {"id": str(count), "version": "1.0", "method": "thing.measurepoint.post",
                    "params": {"measurepoints": {"temp": 20 + count % 10}}}, AT_ONCE)
        path = waiting(said)
        while path:
            path = fetch(path)
        time.sleep(1)


if __name__ == "__main__":
    main()
