"""The review for machines: the plan itself, with what a reader of the other forms would see computed on top.

In: a `Plan`. Out: one JSON document, described by docs/plan-schema.json; that schema itself.
Never: shows a value that the plan hides.
"""

from __future__ import annotations

import json

import msgspec

from assembly import schemas
from assembly.files import canonical_json
from assembly.model import Frozen
from planning.model import Finding, Plan
from review import meaning_view, summary


class DataAtRisk(Frozen, frozen=True, kw_only=True):
    """A replacement or removal of something that holds data."""

    stack: str
    logical_id: str
    resource_type: str
    lost: bool
    """False: the old one is kept, outside of the stack."""
    sentence: str


class Summary(Frozen, frozen=True, kw_only=True):
    """What to look at first."""

    has_changes: bool
    blocked: bool
    line: str
    """The last line of the other forms."""
    next: str
    """The command to type; empty if there is nothing to apply."""
    means: dict[str, str] = {}  # noqa: RUF012  (msgspec copies it)
    """"takes", "visitors", "security" and "costs" to one line each; nothing where nothing changes. The facts are plan.consequences."""
    data_at_risk: tuple[DataAtRisk, ...]
    findings: tuple[Finding, ...]
    """The plan's and every stack's, errors first."""


class Review(Frozen, frozen=True, kw_only=True):
    """`deploy.py plan --json`."""

    summary: Summary
    plan: Plan


def review(plan: Plan) -> Review:
    """The document as a value."""
    return Review(
        summary=Summary(
            has_changes=plan.has_changes,
            blocked=plan.blocked,
            line=summary.last_line(plan),
            next=summary.next_command(plan),
            means=dict(meaning_view.lines(plan)),
            data_at_risk=tuple(
                DataAtRisk(
                    stack=d.stack,
                    logical_id=d.change.logical_id,
                    resource_type=d.change.resource_type,
                    lost=d.lost,
                    sentence=d.sentence,
                )
                for d in summary.dangers(plan)
            ),
            findings=summary.findings_in_order(plan),
        ),
        plan=plan,
    )


def render(plan: Plan) -> str:
    """The document as text."""
    return canonical_json(msgspec.to_builtins(review(plan))).decode()


def schema() -> str:
    """JSON Schema (2020-12) of the document, generated from the types."""
    [found], definitions = schemas.components([Review])
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "deploy.py plan --format json"}
    return json.dumps({**head, **found, "$defs": definitions}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
