"""Executing one stack or StackSet of an approved plan, from wherever AWS says that it stands.

In: the approved plan of the stack, the outputs of those before it, the gateways, an event to stop at. Out: an `Outcome`.
Never: executes a change that was not approved, nor one twice: whether the plan's change was executed is asked of AWS (execution status of
the change set, events with the plan's token, StackSet operation id), never remembered in a file. Deletes nothing but its own change sets.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from assembly.model import Assembly, Frozen, OperationPreferences, Stack
from aws.cloudformation import (
    CloudFormation,
    EventFeed,
    InstanceTargets,
    StackDescription,
    StackEvent,
    StackSetDescription,
    StackSetRequest,
    client_token,
)
from aws.errors import AwsError, BadRequest, Conflict, CredentialsError, NetworkError, NotFound, Throttled, Unavailable
from rollout.compare import unapproved
from rollout.diagnosis import Diagnosis, diagnose
from rollout.inputs import Gateways, Inputs, Produced, resolve_inputs
from rollout.lock import LockLost
from rollout.model import AnyStackPlan, InstancePlan, Plan, SettingChange, StackPlan, StackSetPlan, StackState
from rollout.plan import Request, Stopped, change_set_name, drop_stack, plan_stack
from rollout.progress import Finished, Note, Report, Resource, Started
from rollout.schemas import Schemas
from rollout.stacksets import administration_role_arn, plan_stack_set

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


def known_steps(run: Run, plan: StackSetPlan, gateway: CloudFormation) -> frozenset[str]:
    """Ids of the plan's StackSet operations that were begun, by this process or an earlier one. Raises `AwsError`."""
    target = run.stack(plan.stack).stackset
    found = set()
    for step in steps_of(plan, run.plan.digest):
        try:
            gateway.stack_set_operation(plan.stack_name, step.id, call_as=target.call_as if target else "SELF")
        except NotFound:
            continue
        found.add(step.id)
    return frozenset(found)


# --- entry --------------------------------------------------------------------------------------------------------


def execute(run: Run, plan: AnyStackPlan, produced: Mapping[str, Produced]) -> Outcome:
    """Bring one stack or StackSet to where the plan wants it. AWS's refusals, interrupts and a lost lock are outcomes, not exceptions."""
    work = _StackSet(run, plan, produced) if isinstance(plan, StackSetPlan) else _Stack(run, plan, produced)
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


class _Work:
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


class _Stack(_Work):
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


# --- StackSets ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Step:
    """One StackSet operation; its id follows from the plan, so that it is only ever begun once."""

    id: str
    kind: Literal["update", "create", "update_instances", "remove"]
    targets: InstanceTargets


def steps_of(plan: StackSetPlan, plan_digest: str) -> tuple[Step, ...]:
    """The operations that the plan of a StackSet takes, in order."""
    found: list[tuple[Any, InstanceTargets]] = []
    if plan.operation == "update":
        found.append(("update", InstanceTargets()))
    if plan.operation == "instances":
        found += [("update_instances", targets) for targets in rectangles(plan.instances, "update")]
    found += [("create", targets) for targets in rectangles(plan.instances, "create")]
    found += [("remove", targets) for targets in rectangles(plan.instances, "remove")]
    return tuple(
        Step(id=client_token(plan_digest, plan.stack, kind, str(number)), kind=kind, targets=targets)
        for number, (kind, targets) in enumerate(found)
    )


def rectangles(instances: Iterable[InstancePlan], action: str) -> Iterator[InstanceTargets]:
    """Accounts times regions that hold exactly the instances with that action: regions with the same accounts go together."""
    by_region: dict[str, list[tuple[str, str]]] = {}
    for instance in instances:
        if instance.action == action:
            by_region.setdefault(instance.region, []).append((instance.organizational_unit, instance.account_id))
    by_where: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for region, wheres in by_region.items():
        by_where.setdefault(tuple(wheres), []).append(region)
    for places, regions in by_where.items():
        yield InstanceTargets(
            accounts=tuple(dict.fromkeys(account for _, account in places if account)),
            organizational_units=tuple(dict.fromkeys(unit for unit, _ in places if unit)),
            regions=tuple(regions),
        )


def preferences_of(wanted: OperationPreferences, regions: Iterable[str]) -> dict[str, Any]:
    """StackSetOperationPreferences for an operation in these regions; an order is sent only where regions go one after the other."""
    there = tuple(regions)
    order = [r for r in wanted.region_order if r in there] + [r for r in there if r not in wanted.region_order]
    sequential = wanted.region_concurrency_type == "SEQUENTIAL" and wanted.region_order
    return {
        "RegionConcurrencyType": wanted.region_concurrency_type,
        **({"RegionOrder": order} if sequential and order else {}),
        "FailureTolerancePercentage": wanted.failure_tolerance_percentage,
        "MaxConcurrentPercentage": wanted.max_concurrent_percentage,
        "ConcurrencyMode": wanted.concurrency_mode,
    }


class _StackSet(_Work):
    def __init__(self, run: Run, plan: StackSetPlan, produced: Mapping[str, Produced]) -> None:
        super().__init__(run, plan, produced)
        self.plan = plan
        self.stack = run.stack(plan.stack)
        assert self.stack.stackset is not None, "the plan says that it is one"
        self.target = self.stack.stackset
        self.call_as = self.target.call_as

    def execute(self) -> Outcome:
        if self.plan.operation == "none":
            return self.outcome("unchanged")
        live = self.gateway.describe_stack_set(self.plan.stack_name, call_as=self.call_as)
        steps = steps_of(self.plan, self.run.plan.digest)
        known = known_steps(self.run, self.plan, self.gateway) if live else frozenset()
        self.begun = bool(known)
        inputs = self.inputs(live)
        if not self.begun:
            differences = self.differences(live, inputs)
            if differences:
                return self.refused("it is not what was approved any more", differences)
        self.start(sum(1 for i in self.plan.instances if i.action != "none"), resumed=self.begun)
        request = self.request(inputs)
        if live is None:
            self.run.check()
            self.gateway.create_stack_set(request, token=client_token(self.run.plan.digest, self.plan.stack, "create-set"))
        for step in steps:
            failed = self.operate(step, request, begun=step.id in known)
            if failed is not None:
                return failed
        return self.outcome("succeeded", status="SUCCEEDED")

    def inputs(self, live: StackSetDescription | None) -> Inputs:
        as_stack = StackDescription(name=live.name, arn=live.arn, status=live.status, parameters=live.parameters) if live else None
        template = json.loads(self.run.templates[self.plan.stack])
        return resolve_inputs(self.run.assembly, self.stack, template, live=as_stack, produced=self.produced, gateways=self.run.gateways)

    def differences(self, live: StackSetDescription | None, inputs: Inputs) -> tuple[str, ...]:
        """CloudFormation has no change set to hold a StackSet to, so it is planned again and compared.

        A set that is there although it was to be created is the one that an earlier apply made, if nothing but instances is missing.
        """
        instances = self.gateway.list_stack_instances(self.plan.stack_name, call_as=self.call_as) if live else ()
        template = json.loads(self.run.templates[self.plan.stack])
        real = plan_stack_set(self.stack, template, inputs, live=live, instances=instances, schemas=self.run.schemas)
        approved = self.plan
        if approved.operation == "create" and real.operation in ("instances", "none"):
            approved = msgspec.structs.replace(approved, operation=real.operation, resources=(), widenings=())
        return unapproved(approved, real)

    def request(self, inputs: Inputs) -> StackSetRequest:
        stack, assembly = self.stack, self.run.assembly
        source: dict[str, Any] = {"template_body": self.run.templates[stack.id].decode()}
        if stack.template.upload:
            url = self.run.gateways.upload_template(
                assembly.artifact_bucket,
                self.run.templates[stack.id],
                sha256=stack.template.sha256,
                account_id=assembly.account_id,
                region=assembly.home_region,
            )
            source = {"template_url": url}
        return StackSetRequest(
            name=stack.stack_name,
            description=stack.description,
            parameters=inputs.send,
            capabilities=stack.capabilities,
            tags=stack.tags,
            permission_model=self.target.permission_model,
            administration_role_arn=administration_role_arn(stack),
            execution_role_name=self.target.execution_role_name,
            auto_deployment=self.target.auto_deployment,
            retain_stacks_on_account_removal=self.target.retain_stacks_on_account_removal,
            call_as=self.call_as,
            **source,
        )

    def operate(self, step: Step, request: StackSetRequest, *, begun: bool) -> Outcome | None:
        """Begin the operation unless it was, and wait for its end. None if every instance is where it should be."""
        if not begun:
            if self.run.stop.is_set():
                raise Interrupted
            self.run.check()
            try:
                self.begin(step, request)
            except (Conflict, NetworkError, Unavailable) as error:
                if step.id not in known_steps(self.run, self.plan, self.gateway):
                    if error.code == "OperationInProgressException":
                        return self.outcome(
                            "failed",
                            message=f"another operation on the StackSet {self.plan.stack_name} is under way; wait until it is done",
                            command=f"python deploy.py apply --env {self.run.plan.environment}",
                        )
                    raise
        self.begun = True
        told: dict[tuple[str, str], str] = {}
        failures = looks = 0
        while True:
            try:
                operation = self.gateway.stack_set_operation(self.plan.stack_name, step.id, call_as=self.call_as)
                results = self.gateway.stack_set_operation_results(self.plan.stack_name, step.id, call_as=self.call_as)
                for result in results:
                    key = (result.account_id, result.region)
                    if told.get(key) != result.status:
                        told[key] = result.status
                        self.run.report(
                            Resource(
                                at=self.run.now(),
                                stack=self.plan.stack,
                                logical_id=f"{result.account_id} {result.region}",
                                resource_type="",
                                status=result.status,
                                reason=result.reason,
                            )
                        )
                if operation.finished:
                    break
                failures = 0
            except (NetworkError, Unavailable, Throttled) as error:
                failures += 1
                if failures >= PATIENCE:
                    raise
                self.note(f"looking again: {error}")
            self.run.pause(looks)
            looks += 1
        bad = tuple(
            InstanceFailure(account_id=r.account_id, region=r.region, status=r.status, reason=r.reason)
            for r in results
            if r.status not in ("SUCCEEDED", "PENDING", "RUNNING")
        )
        if operation.status == "SUCCEEDED" and not operation.failed_instances and not bad:
            return None
        first = next((b for b in bad if b.status == "FAILED" and b.reason), bad[0] if bad else None)
        words = (
            f"{first.account_id} {first.region}: {first.reason}" if first else operation.reason or f"the operation is {operation.status}"
        )
        return self.outcome(
            "failed",
            status=operation.status,
            message=words,
            instances=bad,
            command=f"python deploy.py plan --env {self.run.plan.environment}",
        )

    def begin(self, step: Step, request: StackSetRequest) -> None:
        name, call_as = self.plan.stack_name, self.call_as
        if step.kind == "update":
            regions = dict.fromkeys(i.region for i in self.plan.instances if i.action in ("update", "none"))
            self.gateway.update_stack_set(request, operation_id=step.id, preferences=preferences_of(self.plan.preferences, regions))
            return
        preferences = preferences_of(self.plan.preferences, step.targets.regions)
        if step.kind == "create":
            self.gateway.create_stack_instances(name, step.targets, operation_id=step.id, preferences=preferences, call_as=call_as)
        elif step.kind == "update_instances":
            self.gateway.update_stack_instances(name, step.targets, operation_id=step.id, preferences=preferences, call_as=call_as)
        else:
            self.gateway.delete_stack_instances(
                name, step.targets, operation_id=step.id, preferences=preferences, retain_stacks=False, call_as=call_as
            )
