"""What the generators beside this file have in common: a case, and how cases are kept.

A case is a script of tests/wire whose every packet is hex: what a peer sends, what is answered, byte
by byte, and whether the connection is closed or lives on. What is due is taken from the tables of
the specification that the case names, and from nothing of the program under test."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent / "cases"


def case(title, source, *exchanges, listener=None):
    """Exchanges are (sent, answered): bytes, or the "$name" of bytes that many cases have. None for an
    answer is a connection that is closed without a word, (answer, None) one closed after the last."""
    steps = []
    for sent, answered in exchanges:
        word, closes = (answered[0], True) if isinstance(answered, tuple) else (answered, answered is None)
        steps.append({"send": sent if isinstance(sent, str) else sent.hex()})
        if word:
            steps.append({"recv": word.hex()})
        if closes:
            steps.append({"expect_close": True})
    made = {"title": title, "source": source, "steps": steps}
    return {**made, "listener": listener} if listener else made


def heads(title, source, sent, begins, listener):
    """A request whose answer begins so; what follows, up to the end of the connection, is free."""
    return {"title": title, "source": source, "listener": listener,
            "steps": [{"send": sent.hex()}, {"begins": begins.hex()}]}


def once(found):
    """Those that no earlier one says already: tables overlap at their ends."""
    told = set()
    for each in found:
        key = json.dumps([each["steps"], each.get("listener")])
        if key not in told:
            told.add(key)
            yield each


def write(name, names, cases):
    """One case a line, so that a change of one shows as one."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in cases)
    names = json.dumps({key: value.hex() for key, value in names.items()})
    (FOLDER / f"{name}.json").write_text(f'{{"names": {names},\n"cases": [\n{lines}\n]}}\n')


def read(name):
    """The cases with their names replaced by what they stand for."""
    found = json.loads((FOLDER / f"{name}.json").read_text())
    for each in found["cases"]:
        for step in each["steps"]:
            if step.get("send") in found["names"]:
                step["send"] = found["names"][step["send"]]
    return found["cases"]
