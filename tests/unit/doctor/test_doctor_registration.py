"""A check is one file in doctor/checks/: dropped in, it is found; and each has a name of its own in the report."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from doctor import checks
from doctor.check import Check, StackCheck
from doctor.engine import examine, registered
from tests.unit.doctor.test_doctor import context, healthy

DROPPED = """
from doctor.check import CheckContext, check, stack_check
from doctor.values import CheckResult


@check("moon", "phase of the moon", asks_aws={asks_aws})
def moon(context: CheckContext):
    yield CheckResult(code="moon", level="warning", message=f"full over {{context.environment}}")


@stack_check("tide", kind="stack")
def tide(context: CheckContext, stack):
    yield CheckResult(code="tide", level="ok", message="low", stack=stack.id)
"""


@pytest.mark.parametrize("asks_aws", [True, False])
def test_a_file_dropped_into_the_folder_is_found_and_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asks_aws: bool) -> None:
    before = examine(context(healthy()))
    (tmp_path / "dropped.py").write_text(DROPPED.format(asks_aws=asks_aws))
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    monkeypatch.delattr(checks, "dropped", raising=False)
    try:
        report = examine(context(healthy()))
    finally:
        sys.modules.pop("doctor.checks.dropped", None)
    added = [c for c in report.checks if c not in before.checks]
    assert [(c.code, c.message, c.stack) for c in added] == [("moon", "full over test", ""), ("tide", "low", "site")]


def test_every_file_of_the_folder_registers_a_check_with_a_label() -> None:
    files = {path.stem for folder in checks.__path__ for path in Path(folder).glob("*.py")} - {"__init__"}
    assert {each.run.__module__.rpartition(".")[2] for each in registered()} == files
    for each in registered():
        assert isinstance(each, StackCheck) or each.label, each
    orders = [each.order for each in registered() if isinstance(each, Check)]
    assert len(set(orders)) == len(orders)
