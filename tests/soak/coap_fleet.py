"""The devices that come by CoAP over DTLS with a pre-shared key: a thread for each, as OpenSSL's
DTLS waits for itself. They say something, fetch what waits for them, and leave with a goodbye or
without one."""

import json
import random
import threading
import time

import dtls
import enos_coap
import ledger

LIFETIME_S = 120          # longer than any of them is away
SETTLE_S = 60


class Device(enos_coap.Device):
    lifetime = LIFETIME_S
    ack_timeout = 4.0
    retransmit_max = 3

    def __init__(self, world, cloud, secret):
        super().__init__(cloud.product, cloud.device, secret)
        self.world, self.cloud = world, cloud
        self.account = world.ledger.account(cloud.name)
        self.over = threading.Event()
        self.subscribed, self.persistent = False, True   # what is sent to it waits for it
        self.settled = False
        self.down_path = self.topic("thing/service/soak")
        self.down_topic = self.down_path.removeprefix("/topic")
        self.thread = threading.Thread(target=self.live_noted, daemon=True)

    def report(self):
        self.count = self.account.say() - 1    # which report() makes one more
        answer = super().report()
        if answer.code.startswith("2."):
            self.account.certain(self.count)
        else:
            self.world.ledger.failures[f"CoAP {answer.code}"] += 1
        while self.waiting:
            self.fetch()

    def on_command(self, path, payload):
        self.account.got(ledger.number_of(json.loads(payload)), False)

    def once(self):
        """One session."""
        self.same_port = random.random() < 0.5
        self.open(enos_coap.PER_DEVICE)
        self.subscribed = True
        self.world.ledger.counts["connects by coap"] += 1
        for _ in range(random.randint(2, 12)):
            self.report()
            if self.over.wait(random.expovariate(1 / self.world.pace_s)):
                break
        if self.over.is_set():
            self.settle()
        if random.random() < 0.6 or self.over.is_set():
            self.leave()
        else:
            self.world.ledger.counts["left by silence, CoAP"] += 1

    def settle(self):
        deadline = time.monotonic() + SETTLE_S
        self.report()
        while self.account.owed and time.monotonic() < deadline:
            self.report()
            time.sleep(0.2)
        self.settled = True

    def live_noted(self):
        """What goes wrong in a thread would be seen by nobody."""
        try:
            self.live()
        except Exception as why:  # pylint: disable=broad-except
            self.account.trouble(f"the soak's own mistake: {why!r}")

    def live(self):
        self.over.wait(random.uniform(0, 2 * self.world.pace_s))
        begun_settling = None
        while not self.settled:
            try:
                self.once()
            except (dtls.Ended, OSError) as why:
                self.world.ledger.failures[f"CoAP: {why}"] += 1
            if self.session:
                self.session.free()
            self.session = None
            if self.over.is_set():
                begun_settling = begun_settling or time.monotonic()
                if time.monotonic() - begun_settling > 2 * SETTLE_S:
                    self.account.trouble("could not settle")
                    break
                time.sleep(0.2)
            self.over.wait(random.uniform(0.5, 5) * self.world.pace_s)
        if self.socket:
            self.socket.close()
