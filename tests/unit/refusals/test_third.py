"""A third set, written by somebody who had not read the rules: one fault a template, many of them behind parameters and functions, and
templates in the manner of public samples. Another set of rules for a fault is no failure as long as one of them finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from templates.view import View
from tests.unit.refusals.test_refusals import refusing

WISHES = ("E9203", "E9206", "E9207")
"""What this platform wants of a distribution, and CloudFront does not ask for."""
HERE = Path(__file__).parent


def cases(name: str) -> list[Any]:
    read = (json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines())
    return [pytest.param(case["template"], case["region"], id=case["what"]) for case in read]


BROKEN, VALID = cases("third_broken.jsonl"), cases("third_valid.jsonl")


def found(template: dict[str, Any], region: str) -> list[str]:
    view = View(template, (region,))
    return [rule.id for rule in refusing() if rule.id not in WISHES and any(rule.check(view))]


@pytest.mark.parametrize(("template", "region"), BROKEN)
def test_a_fault_that_was_not_thought_of_is_found(template: dict[str, Any], region: str) -> None:
    assert found(template, region)


@pytest.mark.parametrize(("template", "region"), VALID)
def test_a_template_like_the_public_ones_has_no_finding(template: dict[str, Any], region: str) -> None:
    assert found(template, region) == []


def test_there_are_many_of_both() -> None:
    assert len(BROKEN) >= 300
    assert len(VALID) >= 60
