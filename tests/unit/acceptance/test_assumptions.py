"""The list of what we assume of AWS and the steps that prove it say the same, in both directions."""

from __future__ import annotations

import re

from acceptance.steps import STEPS
from tests.golden_files import ROOT

ROW = re.compile(r"^\| (?P<id>[a-z0-9-]+) \|(?P<cells>.*)\|$", re.M)
STEP = re.compile(r"Step: (?P<step>[a-z-]+)(?: \((?P<why>[^|]+)\))?\.? *$")


def rows() -> dict[str, list[str]]:
    """Assumption to its other cells."""
    text = (ROOT / "docs" / "assumptions.md").read_text(encoding="utf-8")
    found = [
        (m["id"], [cell.strip() for cell in re.split(r"(?<!\\)\|", m["cells"])]) for m in ROW.finditer(text) if m["id"] not in ("id", "---")
    ]
    assert len({name for name, _ in found}) == len(found), "an id stands twice"
    return dict(found)


def test_every_assumption_has_all_its_parts() -> None:
    assert not {name: cells for name, cells in rows().items() if len(cells) != 4 or not all(cells)}


def test_every_assumption_names_its_step_or_why_none_can_prove_it() -> None:
    steps = {step.id for step in STEPS}
    wrong = {}
    for name, cells in rows().items():
        found = STEP.search(cells[-1])
        if found is None or (found["step"] == "none") != bool(found["why"]) or found["step"] not in steps | {"none"}:
            wrong[name] = cells[-1][-60:]
    assert not wrong, "end the row with `Step: <id of acceptance/steps.py>` or `Step: none (why)`"


def test_list_and_steps_agree() -> None:
    listed = {(name, found["step"]) for name, cells in rows().items() if (found := STEP.search(cells[-1])) and found["step"] != "none"}
    assert listed == {(name, step.id) for step in STEPS for name in (proof.of for proof in step.proves)}


def test_no_step_has_the_name_of_another() -> None:
    assert len({step.id for step in STEPS}) == len(STEPS)
