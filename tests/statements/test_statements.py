"""Guards statements.json: what the specifications and the vendors' documents ask for, and that the test
which is said to show it is there."""

import ast
import json
import re
from functools import lru_cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TEXT = Path(__file__).with_name("statements.json").read_text()
TABLE = json.loads(TEXT)
DOCUMENTS = {each["id"]: each for each in TABLE["documents"]}
STATEMENTS = TABLE["statements"]
TEXT_MIN, TEXT_MAX = 10, 200


def document(statement):
    """Ids are DOCUMENT-SECTION-NUMBER, and DOCUMENT-NUMBER where sections have no numbers."""
    return next((each for each in DOCUMENTS if statement["id"].startswith(f"{each}-")), None)


def is_shown(statement):
    return "test" in statement


def is_uncovered(statement):
    return statement["applies"] and not is_shown(statement)


def cited(statement):
    tests = statement.get("test", [])
    return tests if isinstance(tests, list) else [tests]


# ---- which tests there are ----

@lru_cache(None)
def unit_tests(group):
    """Those that tests/**/test_GROUP.c runs."""
    sources = [*TESTS.glob(f"unit/*/test_{group}.c"), *TESTS.glob(f"clouds/*/test_{group}.c")]
    return {name for source in sources
            for name in re.findall(r"\b(?:TEST|cmocka_unit_test\w*)\(\s*(\w+)", source.read_text())}


@lru_cache(None)
def pytest_functions(path):
    source = TESTS.parent / path
    if not source.is_file():
        return set()
    return {node.name for node in ast.walk(ast.parse(source.read_text()))
            if isinstance(node, ast.FunctionDef)}


@lru_cache(None)
def packet_tables(module):
    """The names in TABLES of a generator."""
    source = TESTS / f"packets/{module}.py"
    tables = re.search(r"^TABLES = \(([^)]*)\)", source.read_text(), re.M) if source.is_file() else None
    return set(re.findall(r"\w+", tables[1])) if tables else set()


@lru_cache(None)
def rules_played():
    """Ids that the tables of tests/rules name, in every spelling those have."""
    sources = [each for each in TESTS.glob("rules/*.py") if each.name != "gaps.py"]
    text = " ".join(each.read_text() for each in [*sources, *TESTS.glob("clouds/*/rules*.py")])
    return set(re.findall(r"[A-Z][A-Z0-9.]*(?:-[A-Z0-9.]+)+", text))


def exists(test):
    if match := re.fullmatch(r"unit\.(\w+):(\w+)", test):
        return match[2] in unit_tests(match[1])
    if match := re.fullmatch(r"wire:([\w.-]+)", test):
        return (TESTS / f"wire/{match[1]}.json").is_file()
    if match := re.fullmatch(r"packets:(\w+)\.(\w+)", test):
        return match[2] in packet_tables(match[1])
    if match := re.fullmatch(r"rule:(\S+)", test):
        return match[1] in rules_played()
    if match := re.fullmatch(r"(tests/\S+\.py)::(test_\w+)", test):
        return match[2] in pytest_functions(match[1])
    return False


# ---- the table ----

def test_a_statement_is_a_line():
    """So that a change of one shows as one."""
    lines = re.findall(r'^ *(\{"id": .*?\})[,\]}]*$', TEXT, re.M)
    assert [json.loads(line) for line in lines] == TABLE["documents"] + STATEMENTS


def test_ids_are_unique_and_count_on():
    last = {}
    for each in STATEMENTS:
        name = document(each)
        assert name, f"{each['id']} is of no document"
        stem = name if name.startswith("SEED") else f"{name}-{each['section']}"
        last[stem] = last.get(stem, 0) + 1
        assert each["id"] == f"{stem}-{last[stem]}"
        assert each["section"]


def test_texts_are_said_once_and_in_few_words():
    told = set()
    for each in STATEMENTS:
        text = each["text"]
        assert TEXT_MIN <= len(text) <= TEXT_MAX and text == text.strip(), each["id"]
        assert (document(each), text) not in told, each["id"]
        told.add((document(each), text))


def test_each_has_a_test_or_a_reason_or_stands_open():
    for each in STATEMENTS:
        due = {"test"} if is_shown(each) else {"covered"} if each["applies"] else {"why"}
        assert set(each) == {"id", "section", "text", "applies"} | due, each["id"]
        assert is_shown(each) <= each["applies"], each["id"]
        assert each.get("covered") in (None, False), each["id"]
        assert each.get("why", "a reason"), each["id"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_cited_tests_exist(name):
    for each in STATEMENTS:
        if document(each) == name:
            assert cited(each) or not is_shown(each), each["id"]
            assert not [test for test in cited(each) if not exists(test)], each["id"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_has_its_number(name):
    """So that none is dropped unseen."""
    assert DOCUMENTS[name]["title"]
    assert DOCUMENTS[name]["statements"] == sum(document(each) == name for each in STATEMENTS)


def test_what_is_not_covered_only_shrinks():
    found = [each["id"] for each in STATEMENTS if is_uncovered(each)]
    assert len(found) <= TABLE["uncoveredMax"], found
    assert len(found) == TABLE["uncoveredMax"], "one more is covered: lower uncoveredMax"


def test_rules_with_a_number_are_statements_that_apply():
    """The decoder's rules are named after the statements of appendix B."""
    rules = re.findall(r'(?:STATEMENT|WATCHED)\("([\d.]+)",\s*"(\d+)"',
                       (TESTS.parent / "protocol/mqtt/rules.c").read_text())
    assert rules
    assert {"MQTT-" + "-".join(each) for each in rules} <= {
        each["id"] for each in STATEMENTS if each["applies"]}


@pytest.mark.parametrize("test", ["unit.packet:nobody", "unit.nothing:nobody", "wire:nobody", "rule:NO-BODY",
                                  "packets:mqtt_packets.nobody", "packets:nothing.nobody", "nobody", "",
                                  "tests/admin/test_http.py::test_nobody", "tests/no.py::test_nobody"])
def test_a_test_that_is_not_there_is_told(test):
    assert not exists(test)
