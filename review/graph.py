"""The stacks of a plan as a picture: where each box stands and which lines lead to it.

In: a `Plan`. Out: numbers and names. Never: markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planning.model import AnyStackPlan, Plan

WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 190, 46, 60, 18, 14
"""Pixels: of a box, between boxes, around all of them."""


@dataclass(frozen=True)
class Box:
    """A stack and its upper left corner."""

    stack: AnyStackPlan
    x: int
    y: int


@dataclass(frozen=True)
class Line:
    """From the right side of the stack that is waited for to the left side of the one that waits; `middle` is where it bends."""

    x1: int
    y1: int
    middle: int
    x2: int
    y2: int


@dataclass(frozen=True)
class Graph:
    """The picture and its size."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    box_width: int = WIDTH
    box_height: int = HEIGHT


def layers(dependencies: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Each stack's column: one more than that of the last stack it waits for. Stacks stand in catalogue order."""
    found: dict[str, int] = {}
    for stack, needs in dependencies.items():
        found[stack] = max((found[n] + 1 for n in needs if n in found), default=0)
    return found


def reduced(dependencies: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Without the dependencies that others imply."""
    reach: dict[str, frozenset[str]] = {}
    for stack, needs in dependencies.items():
        reach[stack] = frozenset(needs).union(*(reach.get(n, frozenset()) for n in needs))
    return {
        stack: tuple(n for n in needs if n in dependencies and not any(n in reach.get(o, frozenset()) for o in needs if o != n))
        for stack, needs in dependencies.items()
    }


def graph_of(plan: Plan) -> Graph:
    """The stacks from left to right in the order they are executed."""
    dependencies = {s.stack: s.depends_on for s in plan.stacks}
    column = layers(dependencies)
    rows: dict[int, int] = {}
    boxes: dict[str, Box] = {}
    for stack in plan.stacks:
        x, y = column[stack.stack], rows.setdefault(column[stack.stack], 0)
        rows[x] = y + 1
        boxes[stack.stack] = Box(stack, EDGE + x * (WIDTH + GAP_X), EDGE + y * (HEIGHT + GAP_Y))
    lines = tuple(_line(boxes[need], boxes[name]) for name, needs in reduced(dependencies).items() for need in needs)
    width = 2 * EDGE + (max(rows, default=0) + 1) * (WIDTH + GAP_X) - GAP_X
    height = 2 * EDGE + max(rows.values(), default=1) * (HEIGHT + GAP_Y) - GAP_Y
    return Graph(width, height, tuple(boxes.values()), lines)


def _line(need: Box, box: Box) -> Line:
    x1 = need.x + WIDTH
    return Line(x1, need.y + HEIGHT // 2, (x1 + box.x) // 2, box.x, box.y + HEIGHT // 2)
