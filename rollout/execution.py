"""What executing a stack and executing a StackSet have in common: the run, its context, and how an execution ends.

Never: begins anything at AWS.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from assembly.commands import deploy
from assembly.model import Assembly, Stack
from aws.cloudformation.connection import POLL_SECONDS
from aws.cloudformation.gateway import CloudFormation
from planning.inputs import Gateways, Produced
from planning.model import AnyStackPlan, Plan, StackSetPlan
from planning.request import Request
from rollout.outcome import Outcome, Result
from rollout.progress import Note, Report, Started
from templates.schemas import Schemas

SUCCEEDED_STATES = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
"""States of a stack whose last execution went well."""

FIRST_POLL_SECONDS = 0.1

MAX_FAILED_POLLS = 5
"""Polls in a row that may fail for the network's or a busy service's sake, each after botocore's own retries."""


class Interrupted(Exception):
    """Asked to stop."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What executing any stack of the plan needs."""

    plan: Plan
    assembly: Assembly
    templates: Mapping[str, bytes]
    """By stack id."""
    gateways: Gateways
    schemas: Schemas
    report: Report
    now: Callable[[], float]
    """Seconds since the epoch."""
    sleep: Callable[[float], None]
    stop: threading.Event
    poll_seconds: float = POLL_SECONDS
    """The longest time between two polls."""
    check: Callable[[], None] = lambda: None
    """Called before every change: raises `LockLost` if nothing further may be changed."""
    validate_certificates: Callable[[Stack, str], Iterable[str]] = lambda *_: ()
    """Called with the stack and its ARN while it waits for certificates; tells what it did."""
    is_new: Callable[[str], bool] = lambda _: False
    """Whether this deployment has made anything of that resource type within the last minutes; asked of AWS."""
    learn: Callable[[str, str, float], None] = lambda *_: None
    """Told the type, the physical id and the age in seconds of what an execution has made or changed."""
    unlearn: Callable[[str, str], None] = lambda *_: None
    """Resource type and physical id of what a stack took away, as a creation that failed does: nobody waits for it to be found."""
    remove: bool = False
    """The removal of the plan's stacks that are no more wanted was approved by itself (the plan may have asked for it as well)."""
    expected: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Seconds by stack and operation."""

    @property
    def removes(self) -> bool:
        """Stacks that are no more wanted go."""
        return self.remove or self.plan.options.remove

    def stack(self, stack_id: str) -> Stack:
        """The stack as the assembly has it."""
        return next(s for s in self.assembly.stacks if s.id == stack_id)

    def pause(self, polls: int) -> None:
        """Wait until the next poll: briefly at first, as most stacks take seconds. Raises `Interrupted`."""
        if not self.stop.is_set():
            self.sleep(min(self.poll_seconds, FIRST_POLL_SECONDS * 1.4 ** min(polls, 50)))
        if self.stop.is_set():
            raise Interrupted

    def request(self) -> Request:
        """The planner's request for real change sets: the same one for the same approved plan, so that a later apply finds them."""
        return Request(
            assembly=self.assembly,
            templates=self.templates,
            # What was planned read-only is made for good now.
            options=msgspec.structs.replace(self.plan.options, read_only=False),
            created_at=self.plan.created_at,
            created_by=self.plan.created_by,
            nonce=self.plan.digest[:12],
        )


class Execution:
    """What stacks and StackSets have in common."""

    def __init__(self, run: Run, plan: AnyStackPlan, produced: Mapping[str, Produced]) -> None:
        self.run, self.produced = run, produced
        self.about = plan
        self.gateway: CloudFormation = run.gateways.cloudformation(plan.account_id, plan.region, plan.role_arn)
        self.begun = False
        """A change was sent to AWS, by this process or an earlier one."""
        self.started = 0.0
        self.total = 0

    def start(self, total: int, *, resumed: bool = False) -> None:
        self.started, self.total = self.run.now(), total
        self.run.report(
            Started(
                at=self.started,
                stack=self.about.stack,
                operation=self.about.operation,
                resources=total,
                expected_seconds=self.run.expected.get((self.about.stack, self.about.operation)),
                resumed=resumed,
            )
        )

    def note(self, text: str) -> None:
        self.run.report(Note(at=self.run.now(), stack=self.about.stack, text=text))

    def outcome(self, result: Result, **more: Any) -> Outcome:
        return Outcome(
            **self.about.place,
            kind="stackset" if isinstance(self.about, StackSetPlan) else "stack",
            operation=self.about.operation,
            result=result,
            started=self.started,
            seconds=round(self.run.now() - self.started, 3) if self.started else 0.0,
            resources=self.total,
            **more,
        )

    def cut_off(self, why: str, command: str = "") -> Outcome:
        """Stopped in the middle: it goes on at AWS if it was begun."""
        command = command or deploy("apply", self.run.plan.environment)
        return self.outcome("running" if self.begun else "not_started", message=why, command=command)

    def refused(self, why: str, differences: tuple[str, ...] = ()) -> Outcome:
        again = deploy("plan", self.run.plan.environment)
        return self.outcome("refused", message=why, differences=differences, command=again)

    def execute(self) -> Outcome:
        raise NotImplementedError
