"""Many devices, for tests that need a crowd: how they are registered and how they log in."""

import signal
import socket
import time

import credentials
import packets
import server

SIZE = 3000
WITNESS = "aliyun/crowd/witness"
ECHO = "/crowd/{}/echo"
SHARED = "/crowd/all"  # every device may publish and subscribe there
DEEP = "/crowd/{}/deep/"  # and whatever is below


def name(number):
    return f"d{number:04}"


def secret_of(device):
    return f"secret of {device}"


def fixtures():
    """Every device of the product may talk to itself, below itself, and to all."""
    devices = [name(number) for number in range(SIZE)] + ["witness"]
    return {"products": [
        {"cloud": "aliyun", "productKey": "crowd", "topics": [
            {"topic": "/{product}/{device}/echo", "pub": True, "sub": True},
            {"topic": "/{product}/{device}/deep/#", "pub": True, "sub": True},
            {"topic": "/{product}/all", "pub": True, "sub": True}],
         "devices": [{"deviceName": each, "deviceSecret": secret_of(each)} for each in devices]}]}


def connect(device, secret=None, securemode="3", **fields):
    """The bytes of a CONNECT; a number stands for that device of the crowd."""
    device = name(device) if isinstance(device, int) else device
    login = credentials.aliyun(f"aliyun/crowd/{device}", secret=secret or secret_of(device),
                               securemode=securemode)
    return packets.encode({"type": "connect", "keepalive": 300, **login, **fields})


def log_in(port, device, **fields):
    """A raw peer that is logged in."""
    peer = server.Peer(port)
    peer.send(connect(device, **fields))
    answer = peer.receive()
    assert answer and answer["type"] == "connack" and answer["code"] == 0, answer
    return peer


def fill_journal(running):
    """Until its oldest events go: the memory that it takes as it fills would look like growth."""
    message = packets.encode({"type": "publish", "topic": ECHO.format(name(0)), "payload": "x" * 1024})
    peer, batch = log_in(running.ports["mqtt"], 0), message * 1000
    for _ in range(metric(running.api, "journal_bytes_max") // len(batch) + 2):
        peer.send(batch)
    peer.send_packet(type="pingreq")
    assert peer.receive()["type"] == "pingresp"
    peer.close()
    wait_metric(running.api, "devices_online", 0)
    assert metric(running.api, "events_lost_total") > 0


def dial(port):
    """A plain socket, connected."""
    return socket.create_connection(("127.0.0.1", port), timeout=server.PATIENCE_S)


def hang_up(sockets):
    for each in sockets:
        each.close()


def read_to_end(connection):
    """Everything until the server closes. A reset ends it too."""
    received = b""
    try:
        while more := connection.recv(65536):
            received += more
    except ConnectionResetError:
        pass
    return received


def resident_kb(running):
    """The server's resident memory."""
    for line in open(f"/proc/{running.process.pid}/status", encoding="ascii"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def metric(api, wanted):
    for line in api.get("/metrics").splitlines():
        if line.startswith(f"skymock_{wanted} "):
            return int(line.split()[1])
    raise AssertionError(f"no metric {wanted}")


def wait_metric(api, wanted, value):
    """Until the metric has that value. Each look is a turn of the server."""
    deadline = time.monotonic() + server.PATIENCE_S
    while (now := metric(api, wanted)) != value:
        assert time.monotonic() < deadline, f"{wanted} stays at {now}, not {value}"


def events_of(api, since, **filters):
    """All events after `since`, page by page."""
    found = []
    while page := api.events(since=found[-1]["seq"] if found else since, limit=1000, **filters):
        found += page
    return found


class Held:
    """A server that stands still for a moment, while a crowd does something."""

    def __init__(self, running):
        self._process = running.process

    def __enter__(self):
        self._process.send_signal(signal.SIGSTOP)

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGCONT)
