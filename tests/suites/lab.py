"""Reference devices on servers, and what suites make of them.

    python3 tests/suites/lab.py [SUITE | SUITE/CASE]..

prints the full matrix: every device, the good ones and the broken, by every case, which takes half
an hour. test_matrix.py plays the part of it that must not change."""

import concurrent.futures
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import server  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's, which has python3-paho-mqtt
DEVICE = server.ROOT / "tests/devices/device.py"
SUITES = {path.stem: json.loads(path.read_text())
          for path in sorted((server.ROOT / "fixtures/suites").glob("*.json"))
          if not path.name.endswith(".schema.json")}
# By which transports, in the words of `fits`, a device of --transport comes.
COMES_BY = {"tcp": {"tcp"}, "tls": {"tls"}, "ws": {"ws"}, "psk": {"tls"},
            "https": {"tls", "https"}, "coap": {"dtls"}}
TRUSTS = {"psk": "psk", "coap": "psk"}  # by what, in those words; the others: by a certificate
# The good ones. A port of EnOS for TLS wants a certificate of the device's own.
GOOD = [("aliyun", "tcp"), ("tencent", "tcp"), ("enos", "tcp"), ("aliyun", "tls"),
        ("tencent", "tls"), ("aliyun", "https"), ("tencent", "psk"), ("enos", "coap"),
        ("aliyun", "ws")]
WORDS = {"aliyun": ("productKey", "deviceName", "deviceSecret"),
         "tencent": ("productId", "deviceName", "psk"),
         "enos": ("productKey", "deviceKey", "deviceSecret")}
AT_ONCE = 16          # devices
BROKEN_CAP_MS = 9000  # of a case's time: what has not come by then does not come
GOOD_CAP_MS = 30000
PATIENCE_S = 300      # for a run


def cases(names=None):
    """(suite, case) of all that there are, or of these: SUITE or SUITE/CASE."""
    for suite in SUITES.values():
        for case in suite.get("cases", []):
            if not names or suite["suite"] in names or f"{suite['suite']}/{case['id']}" in names:
                yield suite, case


def fits_of(suite, case):
    return {**suite.get("fits", {}), **case.get("fits", {})}


def is_for(suite, case, cloud, transport):
    fits = fits_of(suite, case)
    return (cloud in fits.get("cloud", [cloud]) and
            bool(COMES_BY[transport] & set(fits.get("transport", COMES_BY[transport]))) and
            TRUSTS.get(transport, "certificate") in fits.get("trust", ["certificate", "psk"]))


def is_alone(case):
    """As the engine has it: the clock is everybody's, and a peer at the door is nobody yet."""
    for step in case["steps"]:
        fault = step.get("fault", step)
        if step.get("do") in ("advance", "freeze", "resume") or step.get("anyone") or \
                step.get("measure") == "handshake" or \
                (step.get("do") == "fault" and fault["point"] in ("accept", "handshake")):
            return True
    return False


class Break:
    """A row of device.py --list-breaks."""

    def __init__(self, line, turn):
        self.cloud, transport, self.case, self.verdict, self.wrong = line.split("\t")
        self.places = [(suite, case) for suite, case in cases() if case["id"] == self.case]
        self.id = f"{self.cloud}-{transport}-{self.case}"
        if self.cloud == "any":
            ways = [way for way in GOOD if any(is_for(*place, *way) for place in self.places)]
            ways = [way for way in ways if way[1] == ways[0][1]]
            self.cloud, self.transport = ways[turn % len(ways)] if ways else ("aliyun", "tcp")
        else:
            ways = [transport] + [t for cloud, t in GOOD if cloud == self.cloud]
            self.transport = next((way for way in ways if any(
                is_for(*place, self.cloud, way) for place in self.places)), transport)
        self.places = [place for place in self.places if is_for(*place, self.cloud, self.transport)]


def breaks():
    told = subprocess.run([PYTHON, str(DEVICE), "--list-breaks"], capture_output=True, text=True,
                          check=True).stdout
    rows = [Break(line, turn) for turn, line in enumerate(told.splitlines())]
    clear = {(row.cloud, row.case) for row in rows if row.transport == "tcp"}
    return [row for row in rows if row.transport != "psk" or (row.cloud, row.case) not in clear]


class Player:
    """One device, and what is to be played with it."""

    def __init__(self, cloud, transport, places, cap_ms, broken=None):
        self.cloud, self.transport, self.places, self.broken = cloud, transport, places, broken
        self.cap_ms = cap_ms
        fits = [fits_of(*place) for place in places]
        self.is_gateway = any("gateway" in each.get("node", []) for each in fits)
        self.is_new = any("dynamic" in each.get("activation", []) for each in fits)
        self.is_alone = any(is_alone(case) for _, case in places)
        self.document = None
        self.error = None
        self.said = ""  # on stderr

    def suites(self):
        """The suites to post: of each only the cases that are to be played, each with less time."""
        for name, places in itertools.groupby(self.places, lambda place: place[0]["suite"]):
            suite = {key: value for key, value in SUITES[name].items() if key != "cases"}
            yield {**suite, "cases": [self.shortened(case) for _, case in places]}

    def shortened(self, case):
        """With less time for all, and a third of that for what waits in a step."""
        def of(value):
            if isinstance(value, dict):
                return {key: min(each, self.cap_ms // 3) if key == "waitMs" else of(each)
                        for key, each in value.items()}
            return [of(each) for each in value] if isinstance(value, list) else value
        return {**of(case), "timeoutMs": min(case.get("timeoutMs", GOOD_CAP_MS), self.cap_ms)}

    def verdicts(self):
        """{"suite/case": verdict}"""
        assert self.document, f"{self.error}\n{self.said}"
        return {f"{case['suite']}/{case['case']}": case.get("verdict", "not ended")
                for case in self.document["cases"] if case["state"] != "left"}

    def reasons(self, *verdicts):
        """What to print about cases that ended otherwise."""
        return "\n".join([*(f"{case.get('verdict', 'not ended')} {case['suite']}/{case['case']}: "
                           f"{case.get('reason', '')}" for case in self.document["cases"]
                           if case.get("verdict") not in verdicts), self.said])


@contextlib.contextmanager
def told_by(*players):
    """What goes wrong in here is told of them, and stops nobody else."""
    try:
        yield
    except Exception as error:
        for player in players:
            player.error = repr(error)


class Lab:
    """A server for some players, each with a device in a product of its own kind."""

    def __init__(self, players):
        self.players = players
        self.folder = tempfile.TemporaryDirectory(prefix="skymock-lab-")
        self.fixtures = Path(self.folder.name) / "devices.json"
        self.fixtures.write_text(json.dumps({"products": self.products()}))
        self.server = server.Skymock(fixtures=self.fixtures)
        self.environment = {**server.ENVIRONMENT, "SKYMOCK_HOST": "127.0.0.1"}
        if any(player.transport in ("tls", "https", "psk") for player in players):
            trusted = Path(self.folder.name) / "ca.crt"  # takes a while: keys are made for it
            trusted.write_text(self.server.api.get("/ca.crt"))
            self.environment["SKYMOCK_CA"] = str(trusted)
        for name, port in self.server.ports.items():
            self.environment["SKYMOCK_PORT_" + name.upper().replace("-", "_")] = str(port)

    def products(self):
        products = {}
        for number, player in enumerate(self.players):
            words = WORDS[player.cloud]
            kind = "gw" if player.is_gateway else "new" if player.is_new else "lab"
            key = (kind + "xxxxxxxxxx")[:10]
            player.name = f"{player.cloud}/{key}/d{number}"
            product = products.setdefault((player.cloud, kind), {
                "cloud": player.cloud, words[0]: key, "productSecret": "productsecret0001",
                "dynamicActivation": player.is_new,
                "nodeType": "gateway" if player.is_gateway else "device",
                "config": {"interval": 10}, "devices": []})
            device = {words[1]: f"d{number}"}
            if not player.is_new:
                device[words[2]] = "bGFiLWRldmljZS1zZWNyZXQ="
            if player.is_gateway:
                lamp = {words[0]: "lampxxxxxx", words[1]: f"s{number}"}
                lamps = products.setdefault((player.cloud, "lamp"), {
                    "cloud": player.cloud, words[0]: "lampxxxxxx", "nodeType": "sub-device",
                    "productSecret": "productsecret0002", "devices": []})
                lamps["devices"].append({words[1]: f"s{number}",
                                         words[2]: "bGFtcC1kZXZpY2Utc2VjcmV0"})
                device["subDevices"] = [lamp]
                player.lamp = ["lampxxxxxx", f"s{number}", "bGFtcC1kZXZpY2Utc2VjcmV0"]
            product["devices"].append(device)
        return list(products.values())

    def start(self, player):
        """The device, as a process."""
        command = [PYTHON, str(DEVICE), player.name, "--transport", player.transport,
                   "--fixtures", str(self.fixtures)]
        if player.broken:
            command += ["--break", player.broken]
        if player.is_new:
            command += ["--product-secret", "productsecret0001"]
        if player.is_gateway and player.cloud == "enos":
            command += ["--habit", "sub_devices=" + json.dumps([player.lamp])]
        if player.is_gateway and player.cloud == "tencent":
            command += ["--habit", "gateway=true"]
        errors = Path(self.folder.name) / (player.name.replace("/", "-") + ".stderr")
        with errors.open("w") as sink:
            player.process = subprocess.Popen(command, env=self.environment, stderr=sink,
                                              stdout=subprocess.DEVNULL)
        player.errors = errors

    def begin(self, player):
        """Waits until the device has come, and has its suites begin."""
        until = time.monotonic() + server.PATIENCE_S
        kind = None if player.transport == "coap" else "connack"
        while not self.server.api.events(device=player.name, limit=1, type=kind):
            if time.monotonic() > until:
                raise AssertionError(f"{player.name} by {player.transport} did not come")
            time.sleep(0.05)
        order = {"suites": list(player.suites()), "device": player.name}
        player.run = self.server.api.post("/api/v1/suites/runs", order)["id"]

    def finish(self, player):
        """Waits for the end."""
        until = time.monotonic() + PATIENCE_S
        while player.document is None:
            document = self.server.api.get(f"/api/v1/suites/runs/{player.run}")
            if document["state"] != "running":
                player.document = document
            elif time.monotonic() > until:
                raise AssertionError(f"{player.name}: {document}")
            else:
                time.sleep(0.2)

    def play(self):
        """All players side by side, to their ends. What one cannot do is told of that one."""
        for player in self.players:
            self.start(player)
        try:
            for act in (self.begin, self.finish):
                for player in self.players:
                    if player.error is None:
                        with told_by(player):
                            act(player)
        finally:
            for player in self.players:
                player.process.kill()
                player.process.wait()
                player.said = player.errors.read_text()[-2000:]

    def play_one_by_one(self):
        """The same for a single player, whose device begins anew after a case that it did not pass:
        what one case did to it is not to be seen in another."""
        player, = self.players
        places, found = player.places, {}
        for player.places in [[place] for place in places]:
            player.document = player.error = None
            self.play()
            found.update(player.verdicts())
        player.places = places
        return found

    def close(self):
        self.server.stop()
        self.folder.cleanup()


def play(players, share=6):
    """Plays them all: those that must be alone have servers of their own, the others share."""
    apart = [player for player in players if player.is_alone or player.transport == "psk"]
    alone = [[player] for player in apart]
    others = [player for player in players if player not in apart]
    groups = alone + [others[i:i + share] for i in range(0, len(others), share)]
    groups.sort(key=lambda group: -max(len(player.places) for player in group))
    slots, gate = threading.Semaphore(AT_ONCE), threading.Lock()

    def one(group):
        with gate:
            for _ in group:
                slots.acquire()
        try:
            with told_by(*group), contextlib.closing(Lab(group)) as lab:
                lab.play()
        finally:
            slots.release(len(group))

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(one, group) for group in groups]:
            done.result()
    return players


def good_players(names=None):
    """A player for each good device and suite. What every MQTT device is asked is asked of one
    device of each cloud; of the others, what is special about them."""
    for (cloud, transport), (name, _) in itertools.product(GOOD, SUITES.items()):
        common = name in ("connect", "reconnect", "keepalive", "session")
        if (common and transport != "tcp") or (transport == "psk" and name == "tls"):
            continue  # with a pre-shared key no certificate is shown
        places = [place for place in cases({name}) if is_for(*place, cloud, transport)]
        for special in ("node", "activation", None):
            chosen = [place for place in places
                      if (special in fits_of(*place)) if special is not None] if special else \
                [place for place in places if not {"node", "activation"} & set(fits_of(*place))]
            if names:
                chosen = [(suite, case) for suite, case in chosen
                          if suite["suite"] in names or f"{suite['suite']}/{case['id']}" in names]
            if chosen:
                yield Player(cloud, transport, chosen, GOOD_CAP_MS)


def broken_player(row, places=None):
    """Smoke, and then its own case."""
    smoke = [place for place in cases({"smoke"}) if is_for(*place, row.cloud, row.transport)]
    return Player(row.cloud, row.transport, smoke + (places or row.places), BROKEN_CAP_MS, row.case)


# ---- the full matrix ----

LETTERS = {"passed": ".", "warned": "w", "failed": "F", "not exercised": "-", "not ended": "?"}


def full_matrix(names):
    """Prints it, a line for each device, as soon as there is one."""
    players = [Player(cloud, transport, [], GOOD_CAP_MS) for cloud, transport in GOOD]
    players += [Player(row.cloud, row.transport, [], BROKEN_CAP_MS, row.case) for row in breaks()]
    for player in players:
        player.places = [place for place in cases(names)
                         if is_for(*place, player.cloud, player.transport)
                         and not {"node", "activation"} & set(fits_of(*place))]
    columns = [f"{suite['suite']}/{case['id']}" for suite, case in cases(names)]
    for number, column in enumerate(columns):
        print(f"{number:4} {column}")

    def one(player):
        with contextlib.closing(Lab([player])) as lab:
            found = lab.play_one_by_one()
        return "".join(LETTERS[found[column]] if column in found else " " for column in columns)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(one, player): player for player in players if player.places}
        for done in concurrent.futures.as_completed(running):
            player = running[done]
            name = f"{player.cloud} {player.transport} {player.broken or 'good'}"
            print(f"{name:44}", done.exception() or done.result(), flush=True)


if __name__ == "__main__":
    full_matrix(set(sys.argv[1:]))
