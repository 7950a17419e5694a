"""Draws picture*.svg from picture*.txt beside it; --check says whether they are up to date."""

import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).parent

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" role="img">
<style>
  text {{ font: 15px system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif; fill: #1f2328 }}
  .title {{ font-size: 17px; font-weight: 600 }}
  .small {{ font-size: 13px; fill: #59636e }}
  .middle {{ text-anchor: middle }}
  .box {{ fill: #f6f8fa; stroke: #8c959f; stroke-width: 1.5 }}
  .chip {{ fill: #ddf4ff; stroke: #54aeff }}
  .arrow {{ stroke: #59636e; stroke-width: 2; fill: none }}
  .arrow-head {{ fill: #59636e }}
  .refusal {{ stroke: #cf222e; stroke-width: 2; fill: none }}
  .refusal-head, .refusal-text {{ fill: #cf222e }}
  @media (prefers-color-scheme: dark) {{
    text {{ fill: #f0f6fc }}
    .small {{ fill: #9198a1 }}
    .box {{ fill: #151b23; stroke: #656c76 }}
    .chip {{ fill: #0c2d6b; stroke: #388bfd }}
    .arrow {{ stroke: #9198a1 }}
    .arrow-head {{ fill: #9198a1 }}
    .refusal {{ stroke: #ff7b72 }}
    .refusal-head, .refusal-text {{ fill: #ff7b72 }}
  }}
</style>
"""


def text(x, y, words, kind):
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(words)}</text>'


def box(x, y, width, height, title, *lines):
    middle = x + width // 2
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10" class="box"/>'
    yield text(middle, y + 32, title, "title middle")
    for number, line in enumerate(lines):
        yield text(middle, y + 68 + 24 * number, line, "small middle")


def chip(x, y, width, height, words):
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" class="chip"/>'
    yield text(x + width // 2, y + height // 2 + 5, words, "middle")


def note(x, y, words):
    yield text(x, y, words, "small")


def arrow(x, y, length, words, smaller="", kind="arrow"):
    tip, back = x + length, 9 if length < 0 else -9
    yield f'<path d="M{x} {y}H{tip + back}" class="{kind}"/>'
    yield f'<path d="M{tip} {y}l{back} -5v10z" class="{kind}-head"/>'
    yield text(x + length // 2, y - 9, words, f"middle {kind}-text")
    if smaller:
        yield text(x + length // 2, y + 19, smaller, "small middle")


def refusal(*where):
    yield from arrow(*where, kind="refusal")


SHAPES = {"box": (box, 4), "chip": (chip, 4), "note": (note, 2), "arrow": (arrow, 3),
          "refusal": (refusal, 3)}


def draw(source):
    lines = [line for line in source.splitlines() if line and not line.startswith("#")]
    width, height = lines[0].split()[1:]
    parts = [HEAD.format(width=width, height=height)]
    for line in lines[1:]:
        name, rest = line.split(maxsplit=1)
        shape, count = SHAPES[name]
        *numbers, words = rest.split(maxsplit=count)
        words = [each.strip() for each in words.split(" / ")]
        parts += [each + "\n" for each in shape(*map(int, numbers), *words)]
    return "".join(parts) + "</svg>\n"


def main(check):
    stale = []
    for source in HERE.glob("picture*.txt"):
        target, drawn = source.with_suffix(".svg"), draw(source.read_text(encoding="utf-8"))
        if not check:
            target.write_text(drawn, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != drawn:
            stale.append(f"{target.name} is not what {source.name} says: run tests/readme/draw.py")
    print("\n".join(stale), file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
