"""The soak's books: what each kind of loss comes to, and what explains it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import ledger  # noqa: E402
import meter  # noqa: E402

NAME = "aliyun/pk/device"


class Story:
    """A device's account, and the journal's events about it."""

    def __init__(self):
        self.book = ledger.Ledger()
        self.account = self.book.account(NAME)
        self.seq = 0

    def event(self, **fields):
        self.seq += 1
        self.book.event({"seq": self.seq, "device": NAME, "findings": [], **fields})

    def heard(self, number, **fields):
        self.event(type="publish", direction="up", json={"n": number}, **fields)

    def fault(self, point, action):
        self.event(type="fault", point=point, action=action)

    def finding(self, rule):
        self.event(type="takeover", findings=[{"rule": rule}])


def say(story, numbers=1):
    for _ in range(numbers):
        story.account.certain(story.account.say())


def lost_up(story):
    say(story, 2)
    story.heard(1)


def twice_up(story):
    say(story)
    story.heard(1)
    story.heard(1)


def behind(story):
    say(story, 2)
    story.heard(2)
    story.heard(1)


def lost_down(story):
    story.account.promise()


def twice_down(story):
    number = story.account.promise()
    story.account.got(number, False)
    story.account.got(number, False)


def behind_down(story):
    for number in sorted((story.account.promise(), story.account.promise()), reverse=True):
        story.account.got(number, False)


def answered_twice(story):
    say(story)
    story.heard(1)
    story.account.reply(1, False)
    story.account.reply(1, False)


def never_answered(story):
    story.account.unanswered.add(1)


def cut_off(story):
    story.account.cut_off += 1


def accused(story):
    story.finding("ALI-SIGN")


def logged_in_twice(story):
    story.finding("ALI-DUPLICATE-LOGIN")


def a_gap(story):
    story.event(type="online")
    story.seq += 1
    story.event(type="offline")


BAD = [lost_up, twice_up, behind, lost_down, twice_down, behind_down, answered_twice,
       never_answered, cut_off, accused, logged_in_twice, a_gap]


@pytest.mark.parametrize("play", BAD, ids=lambda play: play.__name__)
def test_what_is_not_explained_is_trouble(play):
    story = Story()
    play(story)
    story.book.close()
    assert story.book.trouble_count == 1, story.book.troubles


@pytest.mark.parametrize("play, point, action", [
    (lost_up, "publish-up", "withhold"), (twice_down, "publish-down", "duplicate"),
    (answered_twice, "reply", "duplicate"), (never_answered, "publish-down", "withhold"),
    (cut_off, "pingresp", "reset")])
def test_a_fault_explains_it(play, point, action):
    story = Story()
    play(story)
    story.fault(point, action)
    story.book.close()
    assert not story.book.troubles


def test_what_was_not_certain_may_be_lost():
    story = Story()
    story.account.say()
    story.book.close()
    assert not story.book.troubles


def test_what_was_said_again_may_come_again():
    story = Story()
    number = story.account.say()
    story.account.again(number)
    story.heard(1)
    story.heard(1, dup=True)
    story.account.certain(number)
    story.account.reply(1, False)
    story.account.reply(1, False)
    story.book.close()
    assert not story.book.troubles


def test_a_vanishing_excuses_one_login_beside_it():
    story = Story()
    story.account.vanished = 1
    logged_in_twice(story)
    story.book.close()
    assert not story.book.troubles


def test_what_a_reset_forgets_is_not_owed():
    story = Story()
    number = story.account.promise()
    story.account.forget()
    story.account.got(number, False)  # it was on its way
    story.account.promise()
    story.account.forget()
    story.book.close()
    assert not story.book.troubles


def test_a_line_through_samples():
    assert meter.slope([(0, 5), (1, 7), (2, 9)]) == 2
    assert meter.slope([(0, 5)]) == 0
