"""The pages keep their word: every command of them is run in order, and prints what they show."""

import re
import shutil
import subprocess
from pathlib import Path

import matrix
import pages
import pytest
import server

ENGLISH, CHINESE = "README.md", "README.zh.md"
DEEPER = [
    "fixtures/README.md",
    "server/broker/README.md",
    "server/capture/README.md",
    "server/fault/README.md",
    "server/forward/README.md",
    "server/judge/README.md",
    "server/pattern/README.md",
    "server/registry/README.md",
]
RUN = [ENGLISH, CHINESE, *DEEPER]
MOST_LINES = 300
TOOLS = ["curl", "mosquitto_pub", "mosquitto_sub"]


def text(name):
    return (server.ROOT / name).read_text(encoding="utf-8")


def markdown():
    """Every page of the tree."""
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard",
                              "*.md"], cwd=server.ROOT, capture_output=True, text=True, check=True)
    return [name for name in listing.stdout.split("\n") if name and (server.ROOT / name).exists()]


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
@pytest.mark.parametrize("name", RUN)
def test_a_page_does_what_it_says(name, tmp_path):
    problems = list(pages.follow(text(name), tmp_path))
    assert not problems, "\n\n".join([name, *problems])


@pytest.mark.parametrize("name", markdown())
def test_what_is_not_run_has_a_reason_of_the_list(name):
    for block in pages.blocks(text(name)):
        if block.language == "sh" and (block.note or name not in RUN):
            assert block.reason in pages.REASONS, f"{name}:{block.line}: {block.note}"


@pytest.mark.parametrize("name", RUN)
def test_a_page_is_short(name):
    assert len(text(name).splitlines()) <= MOST_LINES


# ---- both languages ----


def test_both_languages_have_the_same_blocks():
    english, chinese = pages.blocks(text(ENGLISH)), pages.blocks(text(CHINESE))
    for ours, theirs in zip(english, chinese):
        assert (theirs.language, theirs.text, theirs.note) == \
            (ours.language, ours.text, ours.note), f"{CHINESE}:{theirs.line}"
    assert len(chinese) == len(english)


def skeleton(name):
    """Headings by their depth, rows of tables by their columns, and what is pointed to."""
    page = re.sub(r"^```.*?^```$", "", text(name), flags=re.M | re.S)
    lines = re.findall(r"^(#+) |^(\|.*\|)$", page, re.M)
    links = re.findall(r"\]\(([^)]+)\)", page)
    return ([heading or "|" * row.replace(r"\|", "").count("|") for heading, row in lines],
            [link.split("#")[0].replace(".zh.", ".") for link in links])


def test_both_languages_have_the_same_sections_tables_and_links():
    assert skeleton(CHINESE) == skeleton(ENGLISH)


# ---- links ----


def anchors(page):
    """As GitHub makes them of headings."""
    page = re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", page, re.M)}


@pytest.mark.parametrize("name", markdown())
def test_links_lead_somewhere(name):
    page = re.sub(r"^```.*?^```$", "", text(name), flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", page):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (server.ROOT / name).parent / path if path else server.ROOT / name
        assert target.exists(), f"{name}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{name}: {link}"


# ---- what is written elsewhere too ----


def test_what_can_be_broken_is_what_the_table_says(api):
    assert matrix.table(matrix.ask(api)) in matrix.PAGE.read_text()


def test_the_changelog_speaks_of_this_version():
    version = server.run("--version").stdout.split()[1]
    assert re.search(r"^## \[([^\]]+)\]", text("CHANGELOG.md"), re.M)[1] == version


def test_the_listeners_are_those_there_are(api):
    rows = re.findall(r"^\| `([^|]*)` \| (\d+[^|]*) \|", text(ENGLISH), re.M)
    assert {name for row, _ in rows for name in row.split("`, `")} == set(server.LISTENERS)


def test_the_picture_is_drawn_from_its_text():
    script = Path(__file__).with_name("draw.py")
    done = subprocess.run(["/usr/bin/python3", script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- that the test would notice ----

LIES = [
    ("```sh\necho one\n```\n```text\ntwo\n```\n", "the page has"),
    ("```sh\necho one\n```\n", "does not show"),
    ("```sh\nno-such-program 2>/dev/null\n```\n```text\n```\n", "ended with 127"),
    ("```sh\nfalse\n```\n", "ended with 1"),
    ("```sh\n./dev serve\n```\n```text\nskymock is at your service\n```\n", "the page has"),
    ("```sh\n./dev serve\n```\n```sh\ncurl -s http://localhost:8080/health\n```\n"
     "```text\nsick\n```\n", "the page has"),
    ("```sh\n./dev serve\n```\n<!-- printed by the server -->\n```text\nrefused\n```\n",
     "the page has"),
]
TRUTHS = [
    "```sh\necho one; echo two; echo three\n```\n```text\none\n...\n```\n",
    "```sh\necho 'at 12:00:00.123, seed 5'\n```\n```text\nat 13:01:02.999, seed 77\n```\n",
    "```sh\ncd fixtures; WORD=kept\n```\n```sh\nls -d aliyun; false\n```\n```text\nls: ...\n```\n",
    "<!-- not run: needs your firmware -->\n```sh\nfalse\n```\n",
    "```sh\n(sleep 0.3; echo late) &\n```\n```text\nlate\n```\n",
    "```sh\nexport A=b\n```\n```sh\necho $A\n```\n```text\nb\n```\n",
]


@pytest.mark.parametrize("page, complaint", LIES)
def test_a_lie_is_noticed(page, complaint, tmp_path):
    problems = list(pages.follow(page, tmp_path, patience_s=0.5))
    assert len(problems) == 1 and complaint in problems[0]


@pytest.mark.parametrize("page", TRUTHS)
def test_the_truth_is_believed(page, tmp_path):
    assert not list(pages.follow(page, tmp_path))
