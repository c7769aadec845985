"""The review as one HTML page that opens from disk, without network.

In: a `Plan`. Out: the page, by the template in `page/`; its style sheet and script stand inside of it.
Never: loads anything, runs anything that was in a value (all of it is escaped; the page forbids itself every other source), needs its
script: folding is HTML's own, the script only opens and closes all of it at once.

Jinja2 is imported here alone, and this module only where somebody asks for HTML.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from assembly import commands
from changes.model import PropertyChange
from guards.text import printable, split_lines
from planning.model import Plan, StackSetPlan
from review import content_view, graph, meaning_view, removal_view, shown, summary, takeover_view
from review.architecture import Drawn
from review.spread import spread
from templates.values import Redacted, Unknown, Value

PAGE = Path(__file__).parent / "page"

Mark = Literal["", "del", "ins"]


@dataclass(frozen=True)
class Side:
    """One side of a comparison: lines, each with the element that marks it, and the class that colours it as a whole."""

    lines: tuple[tuple[Mark, str], ...]
    kind: Literal["", "a", "b", "n", "u"] = ""


def render(plan: Plan, drawn: Drawn | None = None) -> str:
    """The page, with the environment's picture in it."""
    return _environment().get_template("review.html.j2").render(plan=plan, drawn=drawn)


def picture(plan: Plan) -> str:
    """The graph of the stacks alone, as inline SVG."""
    return _environment().get_template("graph.svg.j2").render(plan=plan)


@cache
def _environment() -> Environment:
    # finalize sees every value before it is escaped, and leaves alone what a template or an asset of ours made.
    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        told=commands.told,
        asset=_asset,
        compared=compared,
        content_view=content_view,
        removal_view=removal_view,
        graph_of=graph.graph_of,
        is_stack_set=lambda stack: isinstance(stack, StackSetPlan),
        meaning_view=meaning_view,
        property_notes=_property_notes,
        setting_sides=_setting_sides,
        shown=shown,
        takeover_view=takeover_view,
        summary=summary,
    )
    return environment


def _shown(value: object) -> object:
    """Text whose every line is printable; what is no text as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(printable(line) for line in value.split("\n"))


def _asset(name: Literal["review.css", "review.js"]) -> Markup:
    """A file of ours, as it is."""
    return Markup((PAGE / name).read_text(encoding="utf-8").rstrip())  # noqa: S704  no value of a plan is in it


def _property_notes(item: PropertyChange) -> str:
    may = "may change" if item.before is None and item.after is None else ""
    notes = (summary.RECREATION[item.recreation], summary.causes(item), "drifted" if item.drifted else "", may)
    return "; ".join(note for note in notes if note)


def compared(before: Value | None, after: Value | None) -> tuple[Side, Side]:
    """Both sides of a change; where one has several lines, those that differ are marked."""
    old, new = (None if value is None else spread(summary.text(value)) for value in (before, after))
    if old is not None and new is not None and "\n" in old + new:
        return _marked_lines(old, new)
    return _one_value(before, old, "b"), _one_value(after, new, "a")


def _setting_sides(before: str, after: str) -> tuple[Side, Side]:
    """Both sides of a setting of a stack, which may be a JSON document."""
    left, right = _marked_lines(spread(before), spread(after))
    return left if before else Side((("", "(none)"),)), right


def _one_value(value: Value | None, text: str | None, side: Literal["a", "b"]) -> Side:
    if value is None or text is None:
        return Side((("", "(none)"),), "n")
    return Side((("", text),), "u" if isinstance(value, Unknown) else "n" if isinstance(value, Redacted) else side)


def _marked_lines(old: str, new: str) -> tuple[Side, Side]:
    left, right = split_lines(old), split_lines(new)
    sides: tuple[list[tuple[Mark, str]], list[tuple[Mark, str]]] = ([], [])
    marks: tuple[Mark, Mark] = ("del", "ins")
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for side, lines, mark in zip(sides, (left[i1:i2], right[j1:j2]), marks, strict=True):
            side.extend(("" if tag == "equal" else mark, line) for line in lines)
    return Side(tuple(sides[0])), Side(tuple(sides[1]))
