"""Executing one stack or StackSet of an approved plan, from wherever AWS says that it stands.

In: the approved plan of the stack, the outputs of those before it, the gateways, an event to stop at. Out: an `Outcome`.
Never: executes a change that was not approved, nor one twice: whether the plan's change was executed is asked of AWS (execution status of
the change set, events with the plan's token, StackSet operation id), never remembered in a file. Deletes nothing but its own change sets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from assembly.model import Assembly, Frozen, Stack
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stacks import EventFeed, StackDescription, StackEvent
from aws.errors import AwsError, BadRequest, Conflict, CredentialsError, NetworkError, NotFound, Throttled, Unavailable
from planning.inputs import Gateways, Produced
from planning.model import AnyStackPlan, Plan, SettingChange, StackPlan, StackSetPlan, StackState
from planning.plan import Request, Stopped, change_set_name, drop_stack, plan_stack
from rollout.compare import unapproved
from rollout.diagnosis import Diagnosis, diagnose
from rollout.lock import LockLost
from rollout.progress import Finished, Note, Report, Resource, Started
from templates.schemas import Schemas

GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
"""States of a stack whose last execution went well."""

FIRST_POLL_SECONDS = 0.1

PATIENCE = 5
"""Looks in a row that may fail for the network's or a busy service's sake, each after botocore's own retries."""

Result = Literal["succeeded", "unchanged", "failed", "refused", "running", "not_started"]


class InstanceFailure(Frozen, frozen=True, kw_only=True):
    """A StackSet instance that an operation did not bring where it should be."""

    account_id: str
    region: str
    status: str
    reason: str
    event: str = ""
    """The event of its stack, in the target account, that tells why."""


class Outcome(Frozen, frozen=True, kw_only=True):
    """What became of one stack or StackSet."""

    stack: str
    stack_name: str
    kind: Literal["stack", "stackset"]
    account_id: str
    region: str
    operation: str
    result: Result
    """`refused`: not executed, since it is not what was approved; `running`: it goes on at AWS without us."""
    status: str = ""
    started: float = 0.0
    """Seconds since the epoch; 0 where nothing was begun."""
    seconds: float = 0.0
    resources: int = 0
    outputs: dict[str, str] = msgspec.field(default_factory=dict)
    message: str = ""
    command: str = ""
    """What to type next."""
    diagnosis: Diagnosis | None = None
    differences: tuple[str, ...] = ()
    instances: tuple[InstanceFailure, ...] = ()

    @property
    def good(self) -> bool:
        """What depends on it can go on."""
        return self.result in ("succeeded", "unchanged")


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
    poll_seconds: float = 3.0
    """The longest time between two looks."""
    check: Callable[[], None] = lambda: None
    """Called before every change: raises `LockLost` if nothing further may be changed."""
    validate_certificates: Callable[[Stack, str], Iterable[str]] = lambda *_: ()
    """Called with the stack and its ARN while it waits for certificates; tells what it did."""
    expected: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Seconds by stack and operation."""

    def stack(self, stack_id: str) -> Stack:
        """The stack as the assembly has it."""
        return next(s for s in self.assembly.stacks if s.id == stack_id)

    def pause(self, looks: int) -> None:
        """Wait until the next look: briefly at first, as most stacks take seconds. Raises `Interrupted`."""
        if not self.stop.is_set():
            self.sleep(min(self.poll_seconds, FIRST_POLL_SECONDS * 1.4 ** min(looks, 50)))
        if self.stop.is_set():
            raise Interrupted

    def request(self) -> Request:
        """The planner's request for real change sets: the same one for the same approved plan, so that a later apply finds them."""
        return Request(
            assembly=self.assembly,
            templates=self.templates,
            options=self.plan.options,
            created_at=self.plan.created_at,
            created_by=self.plan.created_by,
            nonce=self.plan.digest[:12],
        )


# --- where a stack stands -----------------------------------------------------------------------------------------


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where AWS says that a planned change is."""

    at: Literal["unmade", "ready", "running", "done", "moved"]
    """`unmade`: its change set is still to be made (a previewed stack); `moved`: not what was planned for, `words` says why."""
    words: str = ""
    live: StackDescription | None = None


def moved(state: StackState, live: StackDescription | None) -> str:
    """In what a stack is not as the plan found it; empty if it is."""
    exists = live is not None and live.status != "DELETE_COMPLETE" and not live.under_review
    if not state.exists:
        return f"did not exist when it was planned, and is {live.status} now" if exists and live is not None else ""
    if live is None or not exists:
        return "has been deleted since it was planned"
    if live.arn != state.stack_arn:
        return "has been deleted and made again since it was planned"
    if (live.status, live.changed_at) != (state.status, state.changed_at):
        return f"was {state.status} of {state.changed_at} when it was planned, and is {live.status} of {live.changed_at} now"
    return ""


def change_of(run: Run, plan: StackPlan) -> tuple[str, str, str]:
    """Change set, stack and client token of a stack's execution; all of them follow from the plan alone."""
    if plan.change_set is not None:
        return plan.change_set.arn, plan.change_set.stack_arn, plan.change_set.client_token
    name = change_set_name(run.request())
    return name, plan.state.stack_arn or plan.stack_name, client_token(name, plan.stack, "execute")


def standing(run: Run, plan: StackPlan, gateway: CloudFormation) -> Standing:  # noqa: PLR0911
    """Ask AWS where the stack's planned change is. Raises `AwsError`."""
    if plan.operation in ("none", "settings"):
        live = gateway.describe_stack(plan.stack_name)
        words = moved(plan.state, live)
        return Standing(at="moved" if words else "done", words=words, live=live)
    change_set, stack, token = change_of(run, plan)
    live = gateway.describe_stack(stack)
    gone = live is None or live.status == "DELETE_COMPLETE"
    state = None if gone else gateway.change_set_state(change_set, stack)
    executed = state is not None and state.execution_status in ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED")
    words = moved(plan.state, live)
    if not executed and live is not None and (state is None or words):
        executed = any(e.token == token for e in gateway.events(live.arn, token=token))
    if executed and live is not None:
        busy = live.busy or live.under_review or (state is not None and state.execution_status == "EXECUTE_IN_PROGRESS")
        return Standing(at="running" if busy else "done", live=live)
    if words:
        return Standing(at="moved", words=words, live=live)
    if plan.change_set is None:
        return Standing(at="unmade", live=live)
    if state is None:
        return Standing(at="moved", words=f"its change set {plan.change_set.name} is gone", live=live)
    if (state.status, state.execution_status) != ("CREATE_COMPLETE", "AVAILABLE"):
        reason = f"its change set {state.name} is {state.status}, {state.execution_status}"
        return Standing(at="moved", words=reason, live=live)
    return Standing(at="ready", live=live)


# --- entry --------------------------------------------------------------------------------------------------------


def execute(run: Run, plan: AnyStackPlan, produced: Mapping[str, Produced]) -> Outcome:
    """Bring one stack or StackSet to where the plan wants it. AWS's refusals, interrupts and a lost lock are outcomes, not exceptions."""
    work = _work(run, plan, produced)
    outcome = work.outcome("not_started")
    try:
        outcome = work.execute()
    except (Interrupted, Stopped):
        outcome = work.cut_off("stopped as asked")
    except LockLost as lost:
        outcome = work.cut_off(str(lost))
    except CredentialsError as error:
        outcome = work.cut_off(
            str(error), " && ".join(c for c in (error.hint, f"python deploy.py apply --env {run.plan.environment}") if c)
        )
    except AwsError as error:
        if work.begun and isinstance(error, (NetworkError, Unavailable, Throttled)):
            outcome = work.cut_off(str(error))
        else:
            outcome = work.outcome("failed", message=str(error), command=error.hint)
    finally:
        run.report(Finished(at=run.now(), stack=plan.stack, result=outcome.result, status=outcome.status, seconds=outcome.seconds))
    return outcome


def _work(run: Run, plan: AnyStackPlan, produced: Mapping[str, Produced]) -> Work:
    if isinstance(plan, StackSetPlan):
        from rollout.stackset_run import StackSetWork

        return StackSetWork(run, plan, produced)
    return _Stack(run, plan, produced)


class Work:
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
            stack=self.about.stack,
            stack_name=self.about.stack_name,
            kind="stackset" if isinstance(self.about, StackSetPlan) else "stack",
            account_id=self.about.account_id,
            region=self.about.region,
            operation=self.about.operation,
            result=result,
            started=self.started,
            seconds=round(self.run.now() - self.started, 3) if self.started else 0.0,
            resources=self.total,
            **more,
        )

    def cut_off(self, why: str, command: str = "") -> Outcome:
        """Stopped in the middle: it goes on at AWS if it was begun."""
        command = command or f"python deploy.py apply --env {self.run.plan.environment}"
        return self.outcome("running" if self.begun else "not_started", message=why, command=command)

    def refused(self, why: str, differences: tuple[str, ...] = ()) -> Outcome:
        again = f"python deploy.py plan --env {self.run.plan.environment}"
        return self.outcome("refused", message=why, differences=differences, command=again)

    def execute(self) -> Outcome:
        raise NotImplementedError


# --- stacks -------------------------------------------------------------------------------------------------------


class _Stack(Work):
    def __init__(self, run: Run, plan: StackPlan, produced: Mapping[str, Produced]) -> None:
        super().__init__(run, plan, produced)
        self.plan = plan
        self.token = ""
        self.resumed = False

    def execute(self) -> Outcome:
        where = standing(self.run, self.plan, self.gateway)
        if where.at == "moved":
            return self.refused(f"{self.plan.stack_name} {where.words}")
        if self.plan.operation in ("none", "settings"):
            if self.plan.settings:
                self.start(0)
            return self.settled(where.live, self.plan.settings, changed=bool(self.plan.settings))
        change_set, stack, self.token = change_of(self.run, self.plan)
        self.resumed = self.begun = where.at in ("running", "done")
        self.start(len(self.plan.resources), resumed=self.resumed)
        if self.resumed:
            self.note("an earlier apply has executed this change set; following it")
        elif where.at == "ready" and self.plan.change_set is not None:
            self.send(change_set, stack)
        else:
            made = self.real()
            if isinstance(made, Outcome):
                return made
            stack = made
        return self.follow(stack)

    def real(self) -> str | Outcome:
        """Make the real change set of a previewed stack and execute it if it is what was approved; the stack's ARN, or how it ended."""
        self.run.check()
        real = plan_stack(
            self.run.request(), self.run.stack(self.plan.stack), self.produced, self.run.gateways, self.run.schemas, stop=self.run.stop
        )
        assert isinstance(real, StackPlan), "the assembly says that it is a stack"
        differences = unapproved(self.plan, real)
        if differences:
            drop_stack(real, self.gateway)
            return self.refused("with the real values it would do something else than what was approved", differences)
        if real.change_set is None:
            self.note("with the real values there is nothing to change")
            return self.settled(self.gateway.describe_stack(self.plan.stack_name), real.settings, changed=bool(real.settings))
        self.send(real.change_set.arn, real.change_set.stack_arn)
        return real.change_set.stack_arn

    def send(self, change_set: str, stack: str) -> None:
        """Execute it. An answer that was lost, or a no that comes from its being executed already, is settled by asking AWS."""
        if self.run.stop.is_set():
            raise Interrupted
        self.run.check()
        try:
            self.gateway.execute_change_set(change_set, stack, token=self.token)
        except (BadRequest, Conflict, NetworkError, Unavailable, NotFound):
            state = self.gateway.change_set_state(change_set, stack)
            if state is None or state.execution_status not in ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"):
                raise
        self.begun = True

    def follow(self, stack: str) -> Outcome:
        """Wait for the end of the execution, telling its events as they come."""
        live = self.gateway.describe_stack(stack)
        feed = EventFeed(self.gateway, live.arn if live else stack, token=self.token)
        events: list[StackEvent] = []
        validates = self.run.stack(self.plan.stack).certificate_validation is not None
        failures = looks = 0
        while True:
            try:
                for event in feed.new():
                    if events or event.token == self.token:
                        events.append(event)
                        self.tell(event)
                live = self.gateway.describe_stack(stack)
                if self.ended(live, stack, events):
                    break
                if validates and live is not None:
                    self.validate(live)
                failures = 0
            except (NetworkError, Unavailable, Throttled) as error:
                failures += 1
                if failures >= PATIENCE:
                    raise
                self.note(f"looking again: {error}")
            self.run.pause(looks)
            looks += 1
        self.by_events(events)
        status = live.status if live else "DELETE_COMPLETE"
        if live is None or status not in GOOD:
            found = diagnose(
                events,
                status=status,
                status_reason=live.status_reason if live else "",
                environment=self.run.plan.environment,
                stack=self.plan.stack,
                validations=self.gateway.operation_validations(live.arn, token=self.token) if live else (),
            )
            return self.outcome("failed", status=status, diagnosis=found, message=_sentence(self.plan, found), command=found.command)
        return self.settled(live, self.plan.settings, changed=True)

    def ended(self, live: StackDescription | None, stack: str, events: list[StackEvent]) -> bool:
        """Over, and not merely not begun yet: what DescribeStacks says may be older than the execution."""
        if live is None or live.status == "DELETE_COMPLETE":
            return True
        if live.busy or live.under_review:
            return False
        if any(
            e.logical_id == self.plan.stack_name and e.physical_id == e.stack_arn and not e.status.endswith("_IN_PROGRESS") for e in events
        ):
            return True
        change_set = change_of(self.run, self.plan)[0]
        state = self.gateway.change_set_state(change_set, stack)
        return state is None or state.execution_status not in ("EXECUTE_IN_PROGRESS", "AVAILABLE")

    def tell(self, event: StackEvent) -> None:
        self.run.report(
            Resource(
                at=_seconds(event.at) or self.run.now(),
                stack=self.plan.stack,
                logical_id=event.logical_id,
                resource_type=event.resource_type,
                status=event.status,
                reason=event.reason,
            )
        )

    def by_events(self, events: list[StackEvent]) -> None:
        """An execution that an earlier process began has begun when AWS says."""
        first = _seconds(events[0].at) if events else 0.0
        if self.resumed and first and first < self.started:
            self.started = first

    def validate(self, live: StackDescription) -> None:
        try:
            for text in self.run.validate_certificates(self.run.stack(self.plan.stack), live.arn):
                self.note(text)
        except AwsError as error:
            self.note(f"the certificate's validation record could not be written: {error}")

    def settled(self, live: StackDescription | None, settings: Iterable[SettingChange], *, changed: bool) -> Outcome:
        """The settings that no change set carries, and then success."""
        for setting in settings:
            self.run.check()
            if setting.setting == "termination_protection":
                self.gateway.set_termination_protection(self.plan.stack_name, enabled=setting.after == "on")
            else:
                self.gateway.set_stack_policy(self.plan.stack_name, setting.after)
        return self.outcome(
            "succeeded" if changed else "unchanged", status=live.status if live else "", outputs=dict(live.outputs) if live else {}
        )


def _sentence(plan: StackPlan, found: Diagnosis) -> str:
    cause = found.cause
    if cause is None:
        return f"{plan.stack_name} is {found.status}"
    what = f"{cause.logical_id} ({cause.resource_type})" if cause.logical_id else plan.stack_name
    return f"{what}: {cause.reason or 'AWS gives no reason'}"


def _seconds(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0
