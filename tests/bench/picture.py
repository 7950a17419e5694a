"""Draws what a run of the benchmark found: a bar for each server in each row, as long as its number
beside the longest of that row."""

from html import escape

WIDTH, LEFT, BAR = 960, 250, 520
TOP, BAR_HEIGHT, GAP, TITLE = 74, 15, 14, 22

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" role="img" aria-labelledby="title desc">
<title id="title">{title}</title>
<desc id="desc">{desc}</desc>
<style>
  text {{ font: 14px system-ui, "Segoe UI", "Noto Sans", sans-serif; fill: #1f2328 }}
  .title {{ font-size: 17px; font-weight: 600 }}
  .small {{ font-size: 12px; fill: #59636e }}
  .end {{ text-anchor: end }}
  .ours {{ fill: #0969da }}
  .theirs {{ fill: #afb8c1 }}
  @media (prefers-color-scheme: dark) {{
    text {{ fill: #f0f6fc }}
    .small {{ fill: #9198a1 }}
    .ours {{ fill: #4493f8 }}
    .theirs {{ fill: #484f58 }}
  }}
</style>
"""


def number(value):
    if value >= 1e4:
        return f"{value / 1e3:.0f}k"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def bars(row):
    """(server, number) of each, skymock first."""
    return [(name, server["value"]["median"]) for name, server in row["servers"].items()]


def drawn(result):
    """Rows that show something: skymock beside somebody."""
    return [row for row in result["rows"] if len(row["servers"]) > 1]


def better(row):
    return "more is better" if row["goal"]["atLeast"] else "less is better"


def sentence(row):
    each = ", ".join(f"{name} {number(value)}" for name, value in bars(row))
    return f"{row['title']} ({row['unit']}, {better(row)}): {each}."


def text(x, y, words, kind=""):
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(words)}</text>\n'


def draw_row(row, y):
    found = bars(row)
    longest = max(value for _, value in found)
    yield text(LEFT - 12, y + 12, row["title"], "end")
    yield text(LEFT - 12, y + 28, f"{row['unit']}, {better(row)}", "small end")
    for place, (name, value) in enumerate(found):
        top, length = y + place * (BAR_HEIGHT + 3), max(1, round(BAR * value / longest))
        kind = "ours" if name == "skymock" else "theirs"
        yield f'<rect x="{LEFT}" y="{top}" width="{length}" height="{BAR_HEIGHT}" rx="2" ' \
              f'class="{kind}"/>\n'
        yield text(LEFT + length + 8, top + 12, f"{name} {number(value)}", "small")


def height_of(row):
    return max(len(row["servers"]) * (BAR_HEIGHT + 3), TITLE + 10) + GAP


def draw(result):
    """The picture, as text."""
    rows = drawn(result)
    title = "skymock, which checks signatures and rights and records everything, beside its peers"
    begun, machine = result["begun"][:10], result["machine"]
    versions = ", ".join(" ".join(each) for each in result["versions"].items())
    height = TOP + sum(height_of(row) for row in rows) + 10
    parts = [HEAD.format(width=WIDTH, height=height, title=escape(title),
                         desc=escape(" ".join(map(sentence, rows)))),
             text(20, 30, title, "title"),
             text(20, 50, f"{begun}, {machine['processor']}, medians of {result['rounds']} rounds; "
                          f"{versions}", "small")]
    y = TOP
    for row in rows:
        parts += draw_row(row, y)
        y += height_of(row)
    return "".join(parts) + "</svg>\n"
