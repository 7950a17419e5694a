"""For every rule of the catalogue one device that keeps it and one that breaks it.

The catalogue is asked for at run time: a rule that is added without its two scenarios is a red
test that names it, and so is one whose scenario has lost its rule."""

import json

import clouds
import doors
import gaps
import mqtt
import pytest
import server
from stage import Stage

TABLES = (mqtt, doors, *(module for _, module in clouds.modules("rules")))


def merged(name):
    """What the tables say under that name, which not every one of them has."""
    return {rule: what for table in TABLES for rule, what in getattr(table, name, {}).items()}


KEEPS, BREAKS = merged("KEEPS"), merged("BREAKS")
NEVER_BROKEN = {**gaps.NEVER_BROKEN, **merged("NEVER_BROKEN")}
VERDICTS = {"error": "failed", "warning": "warned", "info": "passed"}


def catalogue():
    return {rule["id"]: rule for rule in json.loads(server.run("rules", "--json").stdout)["rules"]}


RULES = catalogue()


@pytest.fixture(scope="module")
def slow():
    """Peers that take too long have a server of their own: they are begun first, looked at last."""
    running = Stage()
    peers = doors.be_slow(running)
    yield running
    for each in peers:
        each.close()
    running.stop()


@pytest.fixture(scope="module")
def stage(slow):  # pylint: disable=unused-argument
    running = Stage()
    yield running
    running.stop()


def verdict_of(stage, device, rule):
    """What the API says of one device and one rule."""
    verdict, = stage.api.verdict(device)["devices"]
    found = [each for each in verdict["rules"] if each["id"] == rule]
    assert found, f"{device} is not held to {rule}"
    return found[0]


def story(stage):
    """What was seen, for a person who sees a red test."""
    return server.describe_missing({}, stage.api.events(limit=1000))


class Kept:
    """What the server says after each scenario of good conduct, which is played once."""

    def __init__(self, stage):
        self._stage, self._seen = stage, {}

    def of(self, play):
        """The device's verdicts by rule; whoever keeps to the rules leaves no finding at all."""
        if play not in self._seen:
            self._seen[play] = None
            with self._stage.act():
                self._seen[play] = self._watch(play)
        assert self._seen[play], f"{play.__name__} did not go well, as the first of its tests tells"
        return self._seen[play]

    def _watch(self, play):
        play(self._stage)
        self._stage.api.barrier()
        found = [event for event in self._stage.api.events(limit=1000) if event["findings"]]
        assert not found, f"{play.__name__} breaks no rule; {story(self._stage)}"
        verdict, = self._stage.api.verdict(play.device)["devices"]
        return {rule["id"]: rule for rule in verdict["rules"]}


@pytest.fixture(scope="module")
def kept(stage):
    return Kept(stage)


def rules_with(flaws):
    """Every rule; where a flaw is known its test has to fail, until the flaw is gone."""
    for rule in sorted(RULES, key=lambda rule: rule in doors.SLOW):  # what waits comes last
        marks = [pytest.mark.xfail(strict=True, reason=flaws[rule])] if rule in flaws else []
        yield pytest.param(rule, marks=marks, id=f"{RULES[rule]['owner']}:{rule}")


def test_the_tables_name_rules_that_there_are():
    for table in (KEEPS, BREAKS, gaps.NEVER_KEPT, NEVER_BROKEN, gaps.UNCOUNTED,
                  gaps.KEEP_FLAWS, gaps.BREAK_FLAWS):
        assert set(table) <= set(RULES)
    assert not set(gaps.NEVER_KEPT) & set(KEEPS)
    assert not set(NEVER_BROKEN) & set(BREAKS)


@pytest.mark.parametrize("rule", rules_with(gaps.KEEP_FLAWS))
def test_a_device_that_keeps_the_rule_passes(kept, rule):
    if rule in gaps.NEVER_KEPT:
        pytest.skip(gaps.NEVER_KEPT[rule])
    assert rule in KEEPS, f"{rule} has no device that keeps it: {RULES[rule]['statement']}"
    play = KEEPS[rule]
    verdict = kept.of(play)[rule]["verdict"]
    what = f"{play.device} keeps {rule} ({RULES[rule]['statement']}) in {play.__name__}"
    if rule in gaps.UNCOUNTED:
        assert verdict == "not exercised", f"{what} and is counted: take it out of UNCOUNTED"
    else:
        assert verdict == "passed", f"{what}, yet the verdict is '{verdict}'"


@pytest.mark.parametrize("rule", rules_with(gaps.BREAK_FLAWS))
def test_a_device_that_breaks_the_rule_does_not(request, rule):
    if rule in NEVER_BROKEN:
        pytest.skip(NEVER_BROKEN[rule])
    assert rule in BREAKS, f"{rule} has no device that breaks it: {RULES[rule]['statement']}"
    play = BREAKS[rule]
    if rule in doors.SLOW:
        play(request.getfixturevalue("slow"))
        return
    stage = request.getfixturevalue("stage")
    with stage.act():
        play(stage)
        wait_ms = 500 if rule in gaps.BREAK_FLAWS else 5000  # in vain, as long as there is the flaw
        event = stage.api.wait_event({"rules": [rule]}, wait_ms=wait_ms)
        device = play.device or event.get("device")
        if device is None:
            return
        verdict = verdict_of(stage, device, rule)
        enforced = RULES[rule]["action"] == "enforce"  # what is refused fails
        expected = "failed" if enforced else VERDICTS[RULES[rule]["severity"]]
        told = (f"{device} broke {rule} ({RULES[rule]['statement']}); "
                f"the verdict says {json.dumps(verdict)}; {story(stage)}")
        assert verdict["verdict"] == expected, told
        assert verdict["events"], told
