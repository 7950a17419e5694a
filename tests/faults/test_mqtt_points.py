"""Every point of MQTT with every action that makes sense there: what the device sees is exactly
that, and nothing is held against it."""

import time

import breaking
import matrix
import pytest
from scenes import SCENES

SEED = {"seed": 3}


class Act:
    """A scene on its way: the device has logged in, and the fault is made."""

    def __init__(self, frozen, peer, login, point, action, **more):
        self.api, self.scene = frozen.api, SCENES[point]()
        self.device = login() if self.scene.logs_in else peer()
        self.scene.prepare(self.api, self.device)
        self.since = self.api.last_seq()
        self.id = breaking.make(self.api, point, action, **more)
        self.point, self.action = point, action

    def play(self):
        self.scene.play(self.api, self.device)

    def seen(self):
        """What has come, once all that was said is handled."""
        self.api.barrier()
        self.api.barrier()
        return self.device.pending()

    def forget(self):
        self.device._data = b""

    def told(self):
        return [event for event in self.api.events(since=self.since, limit=1000)
                if all(event.get(key) == value for key, value in self.scene.event.items())]

    def fired(self):
        fault, = [each for each in self.api.get("/api/v1/faults")["faults"]
                  if each["id"] == self.id]
        return fault["fired"]

    def faults(self):
        return self.api.events(since=self.since, type="fault")

    def check_nothing_held_against_it(self):
        for event in self.api.events(since=self.since, limit=1000):
            assert event["findings"] == [], event


def usual(frozen, peer, login, point):
    """What the device gets when nothing is broken."""
    scene = SCENES[point]()
    device = login() if scene.logs_in else peer()
    scene.prepare(frozen.api, device)
    scene.play(frozen.api, device)
    data = b""
    while scene.answers and not data:
        frozen.api.barrier()
        data = device.pending()
    device.close()
    frozen.api.wait_event({"type": "close"}, since=frozen.api.last_seq() - 1)
    frozen.api.post("/api/v1/reset")
    frozen.api.freeze()
    return data


def closed(device, patience_s=5):
    """Nothing more comes, for the connection has ended: "fin", "rst" or, if it has not, None."""
    device.socket.settimeout(patience_s)
    try:
        more = device.socket.recv(65536)
    except ConnectionResetError:
        return "rst"
    except TimeoutError:
        return None
    assert more == b"", more
    return "fin"


def pairs(action):
    return pytest.mark.parametrize("point", [point for point in SCENES
                                             if (point, action) in CASES])


CASES = {(point, action) for point in SCENES for action in matrix.ACTIONS
         if action != "certificate"
         and not (action == "set" and not SCENES[point].fields)
         and not (point == "connect" and action in ("reorder", "duplicate"))
         and not (point == "disconnect" and action in ("reorder", "duplicate"))}


def test_every_pair_that_can_be_made_is_played_here(api):
    found = matrix.ask(api)
    assert {pair for pair, why in found.items() if why is None and pair[0] in SCENES} == CASES


@pairs("withhold")
def test_withheld(frozen, peer, login, point):
    act = Act(frozen, peer, login, point, "withhold")
    act.play()
    assert act.seen() == b""
    assert act.told() == []
    event, = act.faults()
    assert event["point"] == point and event["action"] == "withhold"
    assert event["reason"].startswith(f"withhold at {point}: ")
    assert act.fired() == 1
    if act.scene.logs_in and point != "disconnect":
        act.device.send_packet(**act.scene.further)
        assert act.seen() == act.scene.further_answer
    act.check_nothing_held_against_it()


@pairs("delay")
def test_delayed(frozen, peer, login, point):
    usually = usual(frozen, peer, login, point)
    act = Act(frozen, peer, login, point, "delay", ms=5000)
    act.play()
    assert act.seen() == b"" and act.told() == []
    frozen.api.advance(4999)
    assert act.seen() == b"" and act.told() == []
    frozen.api.advance(1)
    assert len(act.seen()) == len(usually)
    assert len(act.told()) == 1
    act.check_nothing_held_against_it()


@pairs("reorder")
def test_behind_the_next(frozen, peer, login, point):
    act = Act(frozen, peer, login, point, "reorder", ms=5000, count=1)
    act.play()
    assert act.seen() == b"" and act.told() == []
    if point == "connack": # nothing comes before it on this connection but what waited
        frozen.api.advance(5000)
        assert act.scene.sees(act.seen())[0]["type"] == "connack"
        return
    act.device.send_packet(**act.scene.further)
    got = act.seen()
    assert got.startswith(act.scene.further_answer)
    assert (len(got) > len(act.scene.further_answer)) == act.scene.answers
    assert len(act.told()) == 1 + (act.scene.event["type"] == act.scene.further["type"])
    act.check_nothing_held_against_it()


@pairs("reorder")
def test_not_longer_than_it_waits_for_a_next(frozen, peer, login, point):
    act = Act(frozen, peer, login, point, "reorder", ms=5000)
    act.play()
    assert act.seen() == b""
    frozen.api.advance(4999)
    assert act.seen() == b"" and act.told() == []
    frozen.api.advance(1)
    assert (act.seen() != b"") == act.scene.answers
    assert len(act.told()) == 1


@pairs("duplicate")
@pytest.mark.parametrize("times", [None, 2])
def test_copies(frozen, peer, login, point, times):
    usually = usual(frozen, peer, login, point)
    act = Act(frozen, peer, login, point, "duplicate", **({"times": times} if times else {}))
    act.play()
    copies = 1 + (times or 1)
    got = act.seen()
    assert len(got) == copies * len(usually)
    assert got == copies * got[:len(usually)]
    assert len(act.told()) == copies
    assert act.fired() == 1
    act.check_nothing_held_against_it()


@pytest.mark.parametrize("point,field", [(point, field) for point, scene in SCENES.items()
                                         for field in scene.fields])
def test_lies(frozen, peer, login, point, field):
    value, decoded = SCENES[point].fields[field]
    usually, = SCENES[point].sees(usual(frozen, peer, login, point))
    act = Act(frozen, peer, login, point, "set", **{field: value})
    act.play()
    packet, = act.scene.sees(act.seen())
    for key, expected in decoded.items():
        assert packet[key] == expected
    changed = set(decoded) | {"id", "qos", "dup"}
    assert {key: each for key, each in packet.items() if key not in changed} == \
        {key: each for key, each in usually.items() if key not in changed}
    event, = act.told()
    if field == "code" and point == "suback":
        assert [each["code"] for each in event["filters"]] == [value]
    else:
        assert event[field] == value
    act.check_nothing_held_against_it()


@pairs("corrupt")
def test_corrupted(frozen, peer, login, point):
    usually = usual(frozen, peer, login, point)
    act = Act(frozen, peer, login, point, "corrupt", at=1, bytes=1, **SEED)
    act.play()
    if not act.scene.up:
        got = act.seen()
        assert len(got) == len(usually)
        assert got[:1] + got[2:] == usually[:1] + usually[2:] or point == "publish-down"
        assert got[1] != usually[1]
        event, = act.told()
        assert event["detail"] == "corrupted: bytes of it were changed"
    else: # its length is wrong: nothing after it can be trusted
        assert closed(act.device) in ("fin", "rst")
        assert act.told() == []
        malformed, = act.api.events(since=act.since, type="malformed")
        assert malformed["bytes"]
    act.check_nothing_held_against_it()


@pairs("corrupt")
def test_one_seed_changes_the_same_bytes(frozen, peer, login, point):
    seen = []
    for _ in range(2):
        act = Act(frozen, peer, login, point, "corrupt", bytes=2, **SEED)
        act.play()
        act.seen()
        seen.append((act.device._data[:2], act.device._data[4:],
                     [event["reason"] for event in act.faults()]))
        frozen.api.reset()
        frozen.api.freeze()
    assert seen[0] == seen[1]


@pairs("cut")
def test_cut(frozen, peer, login, point):
    usually = usual(frozen, peer, login, point)
    act = Act(frozen, peer, login, point, "cut", at=1)
    act.play()
    got = b""
    while more := act.device.socket.recv(64):
        got += more
    assert got == (b"" if act.scene.up else usually[:1])
    if act.scene.up:
        assert act.told() == []
    else:
        event, = act.told()
        assert event["detail"] == f"cut: 1 of its {len(usually)} bytes went out"
    act.check_nothing_held_against_it()


@pairs("close")
def test_closed(frozen, peer, login, point):
    act = Act(frozen, peer, login, point, "close")
    act.play()
    assert closed(act.device) == "fin"
    assert act.told() == []
    act.api.wait_event({"type": "close", "reason": "a fault closed it"}, since=act.since)
    act.check_nothing_held_against_it()


@pairs("reset")
def test_reset(frozen, peer, login, point):
    act = Act(frozen, peer, login, point, "reset")
    act.play()
    assert closed(act.device) == "rst"
    assert act.told() == []
    act.check_nothing_held_against_it()


@pairs("freeze")
def test_frozen(frozen, peer, login, point):
    act = Act(frozen, peer, login, point, "freeze")
    act.play()
    assert act.seen() == b"" and act.told() == []
    act.device.send_packet(**act.scene.further)
    assert act.seen() == b""
    assert closed(act.device, patience_s=0.2) is None
    breaking.end(act.api, act.id)
    assert closed(act.device) == "rst"
    act.check_nothing_held_against_it()


@pairs("drip")
def test_dripping(frozen, peer, login, point):
    act = Act(frozen, peer, login, point, "drip", bytesPerS=20)
    start = time.monotonic()
    act.play()
    act.api.wait_event({"type": "fault"}, since=act.since)
    if point != "disconnect":
        act.device.send_packet(**{"type": "pingreq"})
    if point in ("connect", "connack"):
        assert act.device.receive()["type"] == "connack"
    elif act.scene.answers:
        act.device.receive()
    if point != "disconnect":
        act.device.receive()
        assert time.monotonic() - start >= 0.09
    assert act.fired() >= 1
    act.check_nothing_held_against_it()
