"""The dashboard answers in the order of who is on call, and its picture is current."""

from __future__ import annotations

import pytest

from docs import dashboard as drawn
from stacks.dashboard import COLUMNS, dashboard
from tests.unit.stacks.test_templates import VARIANTS

ORDER = ["Are visitors served?", "Is it slow?", "Who is refused, and why?", "What changed?", "What does it cost?"]


@pytest.mark.parametrize("name", VARIANTS)
def test_the_order_of_the_questions(name: str) -> None:
    widgets = dashboard(VARIANTS[name])["widgets"]
    headings = [w["properties"]["markdown"].removeprefix("## ") for w in widgets if w["type"] == "text"]
    assert headings[1:] == ORDER
    # No two widgets share a place, and every row is full.
    taken = [(w["x"] + dx, w["y"] + dy) for w in widgets for dx in range(w["width"]) for dy in range(w["height"])]
    assert len(taken) == len(set(taken))
    assert len(taken) == COLUMNS * (max(y for _, y in taken) + 1)


@pytest.mark.parametrize("name", VARIANTS)
def test_deployments_are_seen_beside_the_errors(name: str) -> None:
    env = VARIANTS[name]
    errors = next(w for w in dashboard(env)["widgets"] if w["properties"].get("title") == "Server errors, and deployments")
    (locks,) = (metric for metric in errors["properties"]["metrics"] if metric[0] == "AWS/DynamoDB")
    assert locks[3] == env.artifacts.lock_table
    assert (locks[-1]["region"], locks[-1]["yAxis"]) == (env.home_region, "right")


def test_the_picture_is_current() -> None:
    assert drawn.made() == drawn.PICTURE.read_text(encoding="utf-8"), "make reference"
