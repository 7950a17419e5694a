"""A device of Envision EnOS, by CoAP over DTLS with a pre-shared key.

It says something each second in a confirmable message, asks again as RFC 7252 §4.2 has it, fetches
commands when an answer's option 2100 tells of one, and shakes hands anew when its session has
ended, or nothing answers on it any more."""

import hashlib
import json
import os
import random
import struct
import sys
import time
from pathlib import Path

import dtls
from habits import breaks

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import coap  # noqa: E402

WORDS = ("productKey", "deviceKey", "deviceSecret")
PER_DEVICE, PER_PRODUCT = 2, 3  # secure modes


class Device:
    """The habits of a good device, and its life."""

    # ---- habits: figures (seconds, where nothing else is said) ----
    lifetime = 3600
    say_every = 1.0
    ack_timeout = 2.0         # RFC 7252 §4.8
    ack_random_factor = 1.5
    retransmit_max = 1        # fewer than the four that are allowed: it gives up sooner
    handshake_patience = 8.0
    handshake_resends = True
    session_wait = 0.0        # before it shakes hands anew
    backoff_first = 0.1
    backoff_max = 2.0
    error_wait = 1.0          # after an error of the cloud
    same_port = True          # a new session comes from the port of the one before
    fetch_max = None          # commands of one session
    activation_asks = 1
    activation_max = None
    activate_after = 3        # handshakes in a row that fail with a secret that it fetched

    def __init__(self, product, device, secret, product_secret="", transport="coap"):
        self.product, self.device, self.secret = product, device, secret
        self.product_secret = product_secret
        self.verbose = False
        self.session = None
        self.socket = None
        self.mid = random.randrange(0x10000)
        self.count = 0          # of things said
        self.fetched = 0        # commands, in this session
        self.failures = 0       # in a row
        self.activations = 0
        self.waiting = ""       # path of the command that waits for it
        self.done = []          # ids of commands that were carried out

    def log(self, *words):
        if self.verbose:
            print(f"{time.monotonic():.3f}", *words, file=sys.stderr, flush=True)

    # ---- habits: sessions ----

    def key(self, secret):
        """The 9th to 24th byte of the secret's SHA-256."""
        return hashlib.sha256(secret.encode()).digest()[8:24]

    def open(self, mode):
        host, port = os.environ["SKYMOCK_HOST"], int(os.environ["SKYMOCK_PORT_COAPS"])
        own_port = self.socket.getsockname()[1] if self.socket and self.same_port else 0
        if self.socket:
            self.socket.close()
        self.socket = dtls.udp(host, port, own_port)
        identity = f"{self.product},{self.device},{mode},{self.lifetime}"
        secret = self.secret if mode == PER_DEVICE else self.product_secret
        self.log("handshake", identity)
        self.session = dtls.Session(self.socket, identity, self.key(secret),
                                    self.handshake_patience, self.handshake_resends)

    def has_secret(self):
        """One that it fetched is given up when the cloud does not take it any more."""
        may_again = 0 < self.activations < (self.activation_max or sys.maxsize)
        return bool(self.secret) and not (may_again and self.failures > self.activate_after)

    def activate(self):
        """Fetches its secret in a session with the product's key, and leaves that."""
        self.open(PER_PRODUCT)
        for _ in range(self.activation_asks):
            answer = self.ask(coap.GET, f"/topic/ext/session/{self.product}/{self.device}"
                                        "/thing/activate/info")
            if answer.code in ("2.04", "2.05"):
                self.secret = json.loads(answer.payload)["params"]["deviceSecret"]
                self.failures = 0
        self.activations += 1
        self.leave()

    def leave(self):
        if self.session:
            self.session.close()
        self.session = None

    # ---- habits: requests ----

    def next_id(self):
        self.mid = (self.mid + 1) % 0x10000
        return self.mid, os.urandom(4)

    def patience(self, tries):
        """How long it waits for an answer, having asked so often."""
        if tries == 1:
            self.timeout = random.uniform(self.ack_timeout,
                                          self.ack_timeout * self.ack_random_factor)
        return self.timeout * 2 ** (tries - 1)

    def again(self, message):
        """What it sends when no answer came: the same."""
        return message

    def on_stray(self, _message):
        """What answers nothing that it has asked is passed over."""

    def on_silence(self):
        """It has asked as often as it does."""
        raise dtls.Ended("no answer, however often it was asked")

    def exchange(self, method, path, payload=b"", options=()):
        """A confirmable request and its answer."""
        mid, token = self.next_id()
        message = coap.encode(method, path, payload, mid=mid, token=token, options=options)
        for tries in range(1, self.retransmit_max + 2):
            self.session.send(message)
            deadline = time.monotonic() + self.patience(tries)
            while (left := deadline - time.monotonic()) > 0:
                data = self.session.receive(left)
                if data is None:
                    break
                answer = coap.Message(data)
                if answer.token == token:
                    return answer
                self.on_stray(answer)
            self.log("asks again", mid)
            message = self.again(message)
        return self.on_silence()

    def on_missing_block(self, _body):
        """A block that does not come ends the request."""
        raise dtls.Ended("a block of an answer did not come")

    def ask(self, method, path, payload=b""):
        """The same, with all blocks of the answer (RFC 7959 §2.4)."""
        answer = self.exchange(method, path, payload)
        if answer is None:
            return None
        self.waiting = answer.waiting
        body, last = answer.payload, answer
        while (block := int.from_bytes(last.options.get(coap.BLOCK2, b""), "big")) & 8:
            following = ((block >> 4) + 1) << 4 | block & 7
            last = self.exchange(method, path, options=[(coap.BLOCK2, struct.pack(">H", following)
                                                         .lstrip(b"\0"))])
            if last is None:
                break
            body += last.payload
        answer.payload = body
        return answer

    # ---- habits: what it says, and does ----

    def topic(self, rest):
        return f"/topic/sys/{self.product}/{self.device}/{rest}"

    def report(self):
        self.count += 1
        body = {"id": str(self.count), "version": "1.0", "method": "thing.measurepoint.post",
                "params": {"measurepoints": {"temp": 20 + self.count % 10}}}
        return self.ask(coap.POST, self.topic("thing/measurepoint/post"), json.dumps(body).encode())

    def on_error(self, answer):
        """It waits for its next time, and longer when the cloud is in trouble."""
        if answer.code == "4.01":
            raise dtls.Ended("the session is not good any more")
        self.idle(self.error_wait)

    def fetch(self):
        path, self.waiting = self.waiting, ""
        self.fetched += 1
        answer = self.ask(coap.GET, path)
        if answer is not None and answer.payload:
            self.on_command(path, answer.payload)

    def on_command(self, path, payload):
        waiting = self.waiting
        try:
            call = json.loads(payload)
        except ValueError:
            return
        if call["id"] not in self.done:
            self.done = [*self.done[-15:], call["id"]]
            self.reply(path, call)
        self.waiting = self.waiting or waiting

    def reply(self, path, call):
        self.log("carries out", path)
        body = {"id": call["id"], "code": 200, "data": {}}
        self.ask(coap.POST, path + "_reply", json.dumps(body).encode())

    def fetches(self):
        return self.waiting and (self.fetch_max is None or self.fetched < self.fetch_max)

    def idle(self, seconds):
        """Listens meanwhile: the cloud may end the session."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            data = self.session.receive(left)
            if data:
                self.on_stray(coap.Message(data))

    # ---- its life ----

    def live_once(self):
        if not self.has_secret():
            self.activate()
        self.open(PER_DEVICE)
        self.fetched = 0
        while True:
            began = time.monotonic()
            answer = self.report()
            if answer is not None:
                self.failures = 0
                if not answer.code.startswith("2."):
                    self.on_error(answer)
            while self.fetches():
                self.fetch()
            self.idle(max(0, began + self.say_every - time.monotonic()))

    def live(self):
        while True:
            try:
                self.live_once()
            except (dtls.Ended, OSError) as why:
                self.log("ended:", why)
            if self.session:
                self.session.free()
            self.session = None
            self.failures += 1
            wait = min(self.backoff_first * 2 ** self.failures, self.backoff_max)
            time.sleep(self.session_wait + random.uniform(wait / 2, wait))


def activate_first(device):
    try:
        device.open(PER_PRODUCT)
        device.leave()
    except dtls.Ended:
        pass
    return True


def throw_away(device, answer):
    device.thrown_away = answer.code == "4.01"
    Device.on_error(device, answer)


def kept_it(device):
    if getattr(device, "thrown_away", False):
        activate_first(device)
        device.thrown_away = False
    return Device.has_secret(device)


def activate_later(device):
    """`failures` counts sessions that ended without an answer, too: not the first."""
    return activate_first(device) if device.failures > 1 else True


def another_message(device, message):
    """The same request as if it were a new one."""
    mid, token = device.next_id()
    size = message[0] & 15
    return bytes([message[0] & 0xf0 | len(token), message[1]]) + struct.pack(">H", mid) + token + \
        message[4 + size:]


def carry_out_again(device, message):
    if message.payload.startswith(b"{") and b"thing.service" in message.payload:
        device.reply(device.last_path, json.loads(message.payload))


def remember_path(device, path, payload):
    device.last_path = path
    Device.on_command(device, path, payload)
    device.idle(0.5)


def hammer(device, _answer):
    for _ in range(20):
        if device.report().code.startswith("2."):
            return


def one_token(device):
    device.mid = (device.mid + 1) % 0x10000
    return device.mid, b"same"


DEVICE = Device
BREAKS = {
    "session-closed": breaks("takes its time before it shakes hands anew", verdict="warned",
                             session_wait=2.5),
    "session-lost": breaks("stays in a session on which nothing answers",
                           on_silence=lambda device: None),
    "hello-verify-lost": breaks("says hello once in 12 s", handshake_resends=False,
                                handshake_patience=12.0),
    "handshake-flight-lost": breaks("sends no flight again, and waits for 17 s",
                                    handshake_resends=False, handshake_patience=17.0),
    "activation": breaks("asks twice for a secret", activation_asks=2),
    "activation-twice": breaks("activates twice in its life", activation_max=2),
    "activation-lost": breaks("asks anew for its secret instead of again", again=another_message),
    "secret-kept": breaks("activates when its session is not good any more",
                          on_error=throw_away, has_secret=kept_it),
    "activated-once": breaks("activates when a handshake has failed", has_secret=activate_later),
    "lifetime-kept": breaks("speaks too seldom for its lifetime", verdict="not exercised",
                            lifetime=30, say_every=45.0),
    "command-queue": breaks("fetches one command a session", fetch_max=1),
    "request-lost": breaks("sends nothing again", ack_timeout=0.5, retransmit_max=0,
                           on_silence=lambda device: None),
    "ack-lost": breaks("is impatient", ack_timeout=0.5),
    "answer-lost": breaks("asks anew instead of again", again=another_message),
    "answer-doubled": breaks("carries out whatever comes", on_stray=carry_out_again,
                             on_command=remember_path),
    "fresh-tokens": breaks("has one token for all requests", next_id=one_token),
    "block-lost": breaks("takes what has come of a command when a block is missing",
                         retransmit_max=0, on_silence=lambda device: None),
    "forbidden": breaks("repeats at once what was forbidden", on_error=hammer),
    "internal-error": breaks("falls silent on an error", error_wait=40.0),
    "unauthorized": breaks("goes on in a session that is not good any more", verdict="warned",
                           on_error=lambda device, answer: device.idle(1.0)),
}
