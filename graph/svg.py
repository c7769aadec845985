"""A picture as SVG: regions side by side, stacks below one another, the way of a request in strong lines.

In: a `Picture`. Out: an SVG document that follows the reader's light or dark scheme and needs no mouse.
Never: loads anything, or lets a name be markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from graph.picture import MARKS, MEANINGS, Arrow, Box, Picture, legend

WIDTH, ROW, GAP, PAD, HEAD = 330, 30, 10, 16, 26
"""Pixels: a node's width and height, the space between nodes, around frames, and for a frame's title."""
LANE = 170
"""Between two columns, for arrows and what they say."""
TOP = 70
VISITOR = "visitor"
_STYLE = """
  svg { color-scheme: light dark; font: 13px system-ui, sans-serif }
  .page { fill: #ffffff } .frame { fill: none; stroke: #8a94a3 } .stack { fill: #f2f4f7; stroke: #c3cad4 }
  .node { fill: #ffffff; stroke: #5b6675 } text { fill: #1c2430 } .small { font-size: 11px; fill: #4a5361 }
  .main { stroke: #1f6feb; stroke-width: 2.5; fill: none } .other { stroke: #6b7685; stroke-dasharray: 4 3; fill: none }
  .says { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; font-size: 11px }
  .add .node { fill: #dafbe1 } .modify .node { fill: #fff2c2 } .replace .node, .remove .node { fill: #ffdce0 }
  .mark { font-weight: 700 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #12161c } .stack { fill: #1b212a; stroke: #3a4350 } .node { fill: #12161c; stroke: #8a94a3 }
    .add .node { fill: #12361f } .modify .node { fill: #3a2f0b } .replace .node, .remove .node { fill: #45191c }
    text { fill: #e6e9ee } .small { fill: #b4bcc8 } .main { stroke: #6cb0ff } .other { stroke: #9aa4b2 } .says { stroke: #12161c }
  }
"""


@dataclass(frozen=True)
class Place:
    """Where a node is: its upper left corner and its column."""

    x: int
    y: int
    column: int

    @property
    def middle(self) -> int:
        return self.y + ROW // 2


def svg(of: Picture) -> str:
    """The document."""
    places: dict[str, Place] = {}
    body: list[str] = []
    x, bottom = PAD + (LANE if of.entry else 0), TOP
    if of.entry:
        places[VISITOR] = Place(PAD - WIDTH + 110, TOP + HEAD, 0)
        body.append(f'<rect class="node" x="{PAD}" y="{TOP + HEAD}" width="110" height="{ROW}" rx="15"/>')
        body.append(_text(PAD + 30, TOP + HEAD + 20, "visitor"))
    for column, ((account, region), boxes) in enumerate(_ordered(of), 1):
        height = HEAD + PAD + sum(_height(box) + GAP for box in boxes)
        body.append(f'<rect class="frame" x="{x}" y="{TOP - 8}" width="{WIDTH + 4 * PAD}" height="{height}" rx="6"/>')
        body.append(_text(x + PAD, TOP + 12, f"account {account}, {region}"))
        y = TOP + HEAD
        for box in boxes:
            body.append(f'<rect class="stack" x="{x + PAD}" y="{y}" width="{WIDTH + 2 * PAD}" height="{_height(box)}" rx="4"/>')
            body.append(_text(x + 2 * PAD, y + 17, f"{box.stack} {MARKS[box.mark]}".rstrip(), "small"))
            for number, node in enumerate(box.nodes):
                places[node.id] = Place(x + 2 * PAD, y + HEAD + number * (ROW + GAP), column)
                at = places[node.id]
                body.append(f'<g class="{node.mark}">' if node.mark else "<g>")
                body.append(f'<rect class="node" x="{at.x}" y="{at.y}" width="{WIDTH}" height="{ROW}" rx="3"/>')
                body.append(_text(at.x + 10, at.y + 20, _short(node.label, 42 if node.mark else 46)))
                if node.mark:
                    body.append(_text(at.x + WIDTH - 28, at.y + 20, MARKS[node.mark], "mark"))
                body.append("</g>")
            y += _height(box) + GAP
        bottom, x = max(bottom, y), x + WIDTH + 4 * PAD + LANE
    lines = list(_lines(of, places))
    width, height = x + PAD, bottom + 2 * PAD
    title = f"{of.title}{f', {of.domain}' if of.domain else ''}"
    told = "; ".join(_sentences(of))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(told)}</desc>",
            f"<style>{_STYLE}</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse"'
            ' orient="auto-start-reverse">'
            '<path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>',
            f'<rect class="page" width="{width}" height="{height}"/>',
            _text(PAD, 30, title),
            _text(PAD, 50, "; ".join(("strong: the way of a request; dashed: watches, tells, copies, uses", *legend(of))), "small"),
            *body,
            *lines,
            "</svg>",
            "",
        ]
    )


def _ordered(of: Picture) -> list[tuple[tuple[str, str], list[Box]]]:
    """The places, the one that a visitor comes to first."""
    return sorted(of.places.items(), key=lambda item: not any(node.id in of.entry for box in item[1] for node in box.nodes))


def _height(box: Box) -> int:
    return HEAD + len(box.nodes) * (ROW + GAP)


def _lines(of: Picture, places: Mapping[str, Place]) -> Iterator[str]:
    entry = [Arrow(source=VISITOR, target=target, label="", main=True) for target in of.entry]
    arrows = sorted([*entry, *of.arrows], key=lambda arrow: arrow.main)
    for number, arrow in enumerate(arrows):
        begin, end = places[arrow.source], places[arrow.target]
        bend = 60 + number % 5 * 14
        if begin.column < end.column:
            x1, x2, pull1, pull2 = begin.x + WIDTH, end.x, bend, -bend
        elif begin.column > end.column:
            x1, x2, pull1, pull2 = begin.x, end.x + WIDTH, -bend, bend
        else:
            x1, x2, pull1, pull2 = begin.x + WIDTH, end.x + WIDTH, bend, bend
        curve = f"M{x1} {begin.middle}C{x1 + pull1} {begin.middle} {x2 + pull2} {end.middle} {x2} {end.middle}"
        yield f'<path class="{"main" if arrow.main else "other"}" d="{curve}" marker-end="url(#head)"/>'
        if arrow.main and arrow.label:
            x, y = (x1 + x2 + (pull1 + pull2) * 3 // 4) // 2, (begin.middle + end.middle) // 2
            yield f'<text class="says" x="{x}" y="{y - 4}" text-anchor="middle">{escape(arrow.label)}</text>'


def _sentences(of: Picture) -> Iterator[str]:
    """The picture for who cannot see it."""
    labels = {node.id: f"{node.label} of {node.stack}" for box in of.boxes for node in box.nodes}
    yield from (f"a visitor meets {labels[entry]}" for entry in of.entry)
    yield from (f"{labels[node.id]}: {MEANINGS[node.mark]}" for box in of.boxes for node in box.nodes if node.mark)
    yield from (f"{labels[arrow.source]} {arrow.label} {labels[arrow.target]}" for arrow in of.arrows)


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    return f'<text {f"class={chr(34)}{kind}{chr(34)} " if kind else ""}x="{x}" y="{y}">{escape(text)}</text>'


def _short(text: str, most: int = 46) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
