"""What CloudFront, Lambda and WAF refuse is refused at build, and what they take is not: templates of both kinds."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules.base import Rule
from templates.view import View
from tests.unit.lint.cdn_faults import FAULTS
from tests.unit.lint.cdn_valid import VALID
from tests.unit.lint.test_rules import edited, firing, lint_one, own_rules

OF_THE_SERVICE = ("E9003", "E9101", "E9102", "E9103", "E9104", "E9105", "E9106", "E9107", "E9108", "E911", "E920", "E921", "E99")
OUR_OWN_WISHES = ("E9203", "E9204", "E9206", "E9207", "E9208")
"""What this platform demands and the services do not: templates of others need not have it."""


@pytest.mark.parametrize("edits", [pytest.param(edits, id=what) for what, edits in FAULTS])
def test_a_fault_is_found(edits: list[tuple[str, Any]]) -> None:
    template = edited(*edits)
    assert firing(template) or any(finding.level != "informational" for finding in lint_one(template))


def service_rules() -> list[Rule]:
    return [rule for rule in own_rules() if rule.id.startswith(OF_THE_SERVICE) and rule.id not in OUR_OWN_WISHES]


@pytest.mark.parametrize("resources", [pytest.param(resources, id=what) for what, resources in VALID.items()])
def test_what_the_services_take_is_not_refused(resources: dict[str, Any]) -> None:
    view = View({"Parameters": {"Zone": {"Type": "String"}}, **resources}, ("us-east-1",))
    assert [(rule.id, problem) for rule in service_rules() for problem in rule.check(view)] == []


def test_there_are_many_of_both() -> None:
    assert len(FAULTS) >= 180
    assert len(VALID) >= 30
