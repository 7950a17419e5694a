"""Who said what, and what became of it: nothing may be lost, come twice or out of order unless a
fault, or the way a device vanished, explains it.

Whatever a device says, and whatever is said to it, carries a number that counts up. What a device
said is held against the journal; what it was promised (202) against what it got. A message is
`certain` when the server answered it, or something behind it on the same connection: then it has to
be in the journal. What faults did is known from their events."""

import collections
import json

TROUBLES_KEPT = 40
# What a finding may have come of: the rule's end, and the vanishings that excuse it.
DUPLICATE = "DUPLICATE-LOGIN"
SILENT = ("KEEPALIVE-SILENT", "KEEPALIVE-DEAD", "KEEPALIVE-TIMEOUT")
SLOW = "DOOR-SLOW"         # nobody's: it had not said its name
ENDS = ("close", "reset", "cut")     # actions of faults that end a connection


def number_of(message):
    """Whatever cloud's words it is in."""
    for word in ("n", "clientToken", "id"):
        if word in message:
            return int(message[word])
    return None


class Said:
    """A number that a device said."""
    __slots__ = ("certain", "sent", "seen")

    def __init__(self):
        self.certain, self.sent, self.seen = False, 1, 0


class Account:
    """One device's."""

    def __init__(self, ledger, name):
        self.ledger, self.name = ledger, name
        self.last_said = self.last_seen = self.last_got = self.last_promised = 0
        self.said = {}                      # what is not through, and what was sent again
        self.owed, self.forgotten = set(), set()
        self.answered = collections.deque(maxlen=64)
        self.unanswered = set()             # posts whose replies did not come in time
        self.faults = collections.Counter() # by "point action"
        self.doubles = 0                    # what came to it twice, and was not marked so
        self.vanished = 0                   # without a word: the server had to find out
        self.cut_off = 0                    # connections that ended from the other side
        self.resets = 0                     # by the API
        self.is_void = False                # its session, by such a reset
        self.findings = collections.Counter()

    def trouble(self, *words):
        self.ledger.trouble(self.name, *words)

    # ---- up ----

    def say(self):
        self.last_said += 1
        self.said[self.last_said] = Said()
        self.ledger.counts["said"] += 1
        return self.last_said

    def again(self, number):
        self.said[number].sent += 1
        self.ledger.counts["said again"] += 1

    def certain(self, number):
        if said := self.said.get(number):
            said.certain = True
            self._done(number, said)

    def _done(self, number, said):
        if said.certain and said.seen and said.sent == 1:
            self.said.pop(number, None)     # a device of CoAP has a thread of its own

    def in_journal(self, number, dup):
        self.ledger.counts["in the journal"] += 1
        said = self.said.get(number)
        if said is None or said.seen == said.sent:
            self.trouble(f"{number} is in the journal more often than it was said")
            return
        if not said.seen and not dup and number <= self.last_seen:
            self.trouble(f"{number} came behind {self.last_seen}")
        said.seen += 1
        self.last_seen = max(self.last_seen, number)
        self._done(number, said)

    # ---- down ----

    def promise(self):
        self.last_promised += 1
        self.owed.add(self.last_promised)
        self.ledger.counts["promised"] += 1
        return self.last_promised

    def forget(self):
        """The API is about to have the server forget it."""
        self.resets += 1
        self.is_void = True
        self.forgotten |= self.owed
        self.owed = set()

    def got(self, number, dup):
        if number in self.owed:
            self.owed.discard(number)
            self.ledger.counts["delivered"] += 1
        elif number in self.forgotten:
            self.forgotten.discard(number)
        elif not dup:
            self.doubles += 1
            return
        if not dup:
            if number < self.last_got:
                self.trouble(f"message {number} came to it behind {self.last_got}")
            self.last_got = number

    def reply(self, number, dup):
        """To a post; one that was sent again has as many."""
        self.unanswered.discard(number)
        said = self.said.get(number)
        if number in self.answered and not dup and not (said and said.sent > 1):
            self.doubles += 1
        self.answered.append(number)

    # ---- the end ----

    def hit(self, *points, actions=None):
        """How often faults hit it there."""
        return sum(count for what, count in self.faults.items()
                   for point, action in [what.split(" ")]
                   if point in points and (actions is None or action in actions))

    def close(self):
        missing = [number for number, said in self.said.items() if said.certain and not said.seen]
        if len(missing) > self.hit("publish-up", "datagram-up", actions=("withhold",)):
            self.trouble(f"not in the journal: {missing[:10]} ({len(missing)})")
        if self.owed:
            self.trouble(f"never delivered: {sorted(self.owed)[:10]} ({len(self.owed)})")
        if len(self.unanswered) > self.hit("reply", "publish-down", "publish-up"):
            self.trouble(f"never answered: {sorted(self.unanswered)[:10]} ({len(self.unanswered)})")
        if self.doubles > self.hit("reply", "publish-down",
                                                     actions=("duplicate",)):
            self.trouble(f"{self.doubles} came to it twice")
        ended = sum(count for what, count in self.faults.items() if what.split(" ")[1] in ENDS)
        if self.cut_off > ended + self.resets:
            self.trouble(f"{self.cut_off} connections ended, by faults {ended}, by resets "
                         f"{self.resets}")
        for rule, count in self.findings.items():
            if count > self._excused(rule):
                self.trouble(f"{rule} was found {count} times, it vanished {self.vanished} times")

    def _excused(self, rule):
        if rule.endswith(DUPLICATE):
            return self.vanished
        return 2 * self.vanished if rule.endswith(SILENT) else 0


class Ledger:
    def __init__(self):
        self.accounts = {}
        self.counts = collections.Counter()
        self.faults = collections.Counter()      # by "point action", whomever they hit
        self.findings = collections.Counter()    # by rule
        self.failures = collections.Counter()    # of connecting, by what the device saw
        self.troubles = []
        self.trouble_count = 0
        self.slow = 0                            # those of them whom the server found too slow
        self.examples = {}                       # of findings, by rule
        self.last_seq = 0
        self.events = 0

    def account(self, name):
        return self.accounts.setdefault(name, Account(self, name))

    def trouble(self, *words):
        self.trouble_count += 1
        if len(self.troubles) < TROUBLES_KEPT:
            self.troubles.append(" ".join(map(str, words)))

    def event(self, event):
        """Each of the journal, in order."""
        self.events += 1
        if event["seq"] != self.last_seq + 1 and self.last_seq:
            self.trouble(f"events {self.last_seq + 1} to {event['seq'] - 1} are missing")
        self.last_seq = event["seq"]
        account = self.accounts.get(event.get("device"))
        for finding in event["findings"]:
            self._finding(event, finding, account)
        if event["type"] == "fault":
            what = f"{event['point']} {event['action']}"
            self.faults[what] += 1
            if account:
                account.faults[what] += 1
        elif account and event["type"] == "publish" and event["direction"] == "up" and \
                isinstance(event.get("json"), dict):
            number = number_of(event["json"])
            if number is not None:
                account.in_journal(number, event.get("dup", False))

    def _finding(self, event, finding, account):
        rule = finding["rule"]
        self.counts["findings"] += 1
        self.examples.setdefault(rule, json.dumps({
            key: event[key] for key in ("seq", "type", "device", "transport", "reason", "topic")
            if key in event} | {"rule": rule, "detail": finding.get("detail")}))
        if account is None and rule == SLOW:
            self.slow += 1
        elif account is None:
            self.trouble(f"{rule} against nobody known: {self.examples[rule]}")
        else:
            account.findings[rule] += 1

    def close(self):
        """Every device's account; what findings there were by rule."""
        for account in self.accounts.values():
            account.close()
            self.findings.update(account.findings)
        if self.slow > self.counts["late to log in"]:
            self.trouble(f"{self.slow} were too slow to log in, {self.counts['late to log in']} "
                         f"of them by their own clock")
