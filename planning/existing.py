"""What stands already where a stack is about to make something: verdicts of the inventory as findings of a plan.

In: a stack with its resolved resources, the run. Out: `Existing`: findings, whether the change set has to import, records to replace.
Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assembly.model import Stack
from inventory.absent import survey_absent
from inventory.model import Fate, Verdict
from inventory.survey import survey
from inventory.wanted import wanted
from planning.model import ExistingRecord, Finding
from planning.run import PlanningRun
from takeover.kept import kept

_TOLD: Mapping[Fate, tuple[Literal["error", "warning", "note"], str]] = {
    "taken_over": ("note", "taken_over"),
    "replaced": ("warning", "record_replaced"),
    "refused": ("error", "stands_already"),
    "unknown": ("note", "not_looked_up"),
}


@dataclass(frozen=True, kw_only=True)
class Existing:
    """What follows for the plan of one stack."""

    findings: tuple[Finding, ...] = ()
    take_over: bool = False
    """Something is imported by its name."""
    replaces: tuple[ExistingRecord, ...] = ()


def existing(run: PlanningRun, stack: Stack, template: Mapping[str, Any], after: Mapping[str, Any], there: Mapping[str, Any]) -> Existing:
    """Of the resources in `after` that are not among `there`. Raises `CredentialsError` where there is no way in."""
    verdicts = survey(run.request.assembly, stack, wanted(stack.id, template, after, there), run.gateways, **_options(run))
    return Existing(
        findings=tuple(_finding(stack, each) for each in verdicts),
        take_over=any(each.fate == "taken_over" for each in verdicts),
        replaces=tuple(
            ExistingRecord(
                logical_id=each.wanted.logical_id,
                zone_id=str(each.wanted.properties.get("HostedZoneId")),
                record=dict(each.record),
                beside=tuple(dict(one) for one in each.beside),
            )
            for each in verdicts
            if each.fate == "replaced"
        ),
    )


def existing_unplanned(run: PlanningRun, stack: Stack, template: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Of a stack that is not there and cannot be planned yet, as far as its names are known: all that is in the way is told at once."""
    gateway = run.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
    back = kept(stack, template, gateway, run.schemas, besides=frozenset())
    taken = {each.logical_id for each in (*run.request.taken, *back) if each.stack == stack.id}
    verdicts = survey_absent(run.request.assembly, stack, template, run.gateways, **_options(run))
    return tuple(_finding(stack, each) for each in verdicts if each.fate == "taken_over" or each.wanted.logical_id not in taken)


def _options(run: PlanningRun) -> dict[str, bool]:
    options = run.request.options
    return {"take_over": options.import_existing, "replace_records": options.replace_records}


def _finding(stack: Stack, verdict: Verdict) -> Finding:
    severity, code = _TOLD[verdict.fate]
    return Finding(severity=severity, code=code, message=verdict.message, command=verdict.command, stack=stack.id)
