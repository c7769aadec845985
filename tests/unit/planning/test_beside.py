"""What apply does beside change sets is told by the plan."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from planning.beside import beside_change_sets
from stacks.synthesis import synthesise
from tests.environments_fixture import changed, environments

ENV = environments()["dev"]
ROLE = "arn:aws:iam::999988887777:role/zone"


def told(operation: str, **zone: str) -> Any:
    assembly = synthesise(changed(ENV, {"hosted_zone": zone})).assembly
    plans: Any = [SimpleNamespace(stack=stack.id, operation=operation) for stack in assembly.stacks]
    return beside_change_sets(assembly, plans)


@pytest.mark.parametrize("operation", ["create", "update"])
def test_the_record_in_somebody_elses_zone(operation: str) -> None:
    (found,) = told(operation, account_id="999988887777", role_arn=ROLE)
    assert (found.severity, found.stack) == ("note", "certificate")
    assert f"hosted zone {ENV.hosted_zone.name} of account 999988887777, as {ROLE}" in found.message


def test_nothing_beside_where_cloudformation_writes_it_or_nothing_is_made() -> None:
    assert told("create") == ()
    assert told("none", account_id="999988887777", role_arn=ROLE) == ()
