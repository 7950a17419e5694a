"""No act takes many more instructions than it did: see counts.py, and README.md here."""

import counts
import pytest


@pytest.mark.skipif(counts.unfit() is not None, reason=counts.unfit() or "")
def test_no_act_has_become_much_dearer(tmp_path):
    found = counts.count(tmp_path)
    assert set(found) == set(counts.kept()["instructions"]), counts.RENEW
    problems = list(counts.problems(found))
    assert not problems, "\n\n".join(problems)


def test_what_has_become_dearer_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(counts, "kept", lambda: {"bound": 1.25, "instructions": {"a": 100, "b": 9}})
    monkeypatch.setattr(counts, "dearest", lambda path: "the dearest functions")
    told = list(counts.problems({"a": (126, tmp_path), "b": (11, tmp_path), "c": (1, tmp_path)}))
    assert len(told) == 2
    assert "a: 126 instructions, 1.26 times the 100" in told[0] and "--renew" in told[0]
    assert "the dearest functions" in told[0] and "does not know it" in told[1]
