"""What the lint says of the console's files."""

import shutil
import sys

import pytest
import server

sys.path.insert(0, str(server.ROOT / "tests/lint"))

import console  # noqa: E402

TEXTS = """const TABLE = `
live | live | 实时

page
key | English {0} | 中文 {0}
kind.one | One | 一
kind.two | It's two | 二
state.on | on | 开
yes | yes | 是
no | no | 否
`;

export function t(key) { return TABLE.includes(key); }
"""
PAGE = """/* A page. */
import { t } from './texts.js';
import './list.js';

/* texts: page.state.* */
export const all = (x, y) => [t('page.key', 1), t(`page.kind.${x}`), t(y ? 'page.yes' : 'page.no')];
export const state = (say) => say('live');
await all(1, 2);
"""
GOOD = {
    "texts.js": TEXTS, "page.js": PAGE, "list.js": "export const url = (host) => `http://${host}/`;\n",
    "index.html": '<!doctype html><script type="module" src="/console/page.js"></script>\n'
                  '<a href="/api">API</a><link rel="icon" href="/console/icon.svg">\n',
    "icon.svg": '<svg xmlns="http://www.w3.org/2000/svg"></svg>\n',
    "style.css": "a { color: #fff; }\n",
}


def problems(**changes):
    """Of the good files, with these added to: one_js=text to the file one.js."""
    sources = dict(GOOD)
    for name, more in changes.items():
        name = name.replace("_", ".")
        sources[name] = sources.get(name, "") + more
    return [f"{each.path.removeprefix(console.FOLDER)}:{each.line} {each.what}"
            for each in console.check_sources(sources)]


def test_good_files_pass():
    assert not problems()


@pytest.mark.parametrize("name,more", [
    ("page.js", "a.innerHTML = b;"), ("page.js", "a.outerHTML = b;"),
    ("page.js", "a.insertAdjacentHTML('x', b);"), ("page.js", "document.write(a);"),
    ("page.js", "eval (a);"), ("page.js", "new Function(a);"), ("page.js", "setTimeout('a()', 1);"),
    ("page.js", "a.setAttribute('style', b);"), ("page.js", "h('p', { style: 'color: red' });"),
    ("page.js", "fetch('https://elsewhere.example/');"),
    ("page.js", "import { x } from './nowhere.js';"), ("page.js", "import './nowhere.js';"),
    ("page.js", "import x from 'axe-core';"), ("page.js", "const x = await import('./no.js');"),
    ("page.js", "t('page.nothing');"), ("page.js", "t(a ? 'page.yes' : 'page.nothing');"),
    ("page.js", "t(`nothing.${a}`);"), ("page.js", "/* texts: nothing.* */"),
    ("index.html", '<p style="color: red">'), ("index.html", '<p onclick="a()">'),
    ("index.html", "<script>a()</script>"), ("index.html", '<script type="module">a()</script>'),
    ("index.html", "<style>a {}</style>"), ("index.html", '<img src="/console/no.svg">'),
    ("icon.svg", '<svg onload="a()"></svg>'),
    ("style.css", "a { background: url(http://elsewhere.example/a.png); }"),
])
def test_what_the_policy_or_the_reader_would_stumble_over_is_found(name, more):
    found = problems(**{name.replace(".", "_"): more})
    assert len(found) == 1
    assert found[0].startswith(f"{name}:{GOOD[name].count(chr(10)) + 1} "), found


@pytest.mark.parametrize("entry,what", [
    ("a | {0} | {1}", "page.a has not the same {0} {1} in both languages"),
    ("a | one | ", "page.a has an empty text"),
    ("a | one", "this is no entry of the table"),
    ("a | one | 一 | 1", "this is no entry of the table"),
    ("two words", "this is no entry of the table"),
    ("yes | yes | 是", "page.yes is there twice"),
    ("a.b | one | 一", "nothing uses page.a.b"),
])
def test_a_text_is_used_and_in_both_languages(entry, what):
    table = TEXTS.replace("\n`;", f"\n{entry}\n`;")
    use = "" if what.startswith("nothing") else "console.log('page.a');\n"
    found = [f"{each.line} {each.what}"
             for each in console.check_sources({**GOOD, "texts.js": table, "page.js": PAGE + use})]
    assert f"{TEXTS[:TEXTS.index('`;')].count(chr(10)) + 1} {what}" in found
    if not what.startswith("this"):
        assert len(found) == 1


def test_the_size_has_a_limit():
    room = console.TOTAL_MAX - sum(len(console.in_program(*each)) for each in GOOD.items())
    assert not problems(style_css="/" * room)
    (found,) = list(console.check_sources({**GOOD, "style.css": GOOD["style.css"] + "/" * (room + 1)}))
    assert found.what == f"{console.TOTAL_MAX + 1} bytes in all, {console.TOTAL_MAX} is the cap"
    assert found.fix.startswith("style.css ")


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_a_module_parses():
    assert not list(console.check_syntax(GOOD))
    (found,) = console.check_syntax({**GOOD, "list.js": "\nconst x = ;\n"})
    assert str(found).startswith(f"{console.FOLDER}list.js:2: SyntaxError: Unexpected token ';'")
