"""Executing the approved plan of a StackSet, from wherever AWS says that it stands.

In: the approved plan, a `Run` with the gateways, clock and sleep. Out: an `Outcome` with every instance that is not where it should be.
Never: begins an operation twice (its id follows from the plan, and AWS is asked for it), works on an instance that is not in the plan,
begins the next step after one that failed anywhere, calls an operation that SUCCEEDED with failed instances a success, or reads the
results of thousands of instances more often than their number of pages allows.

One operation at a time: where another one is under way this waits for its end, says which, and then polls again whether the set is still
the one that was planned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from agreement.compare import unapproved
from assembly.commands import deploy
from assembly.files import sha256
from assembly.model import INLINE_TEMPLATE_LIMIT, StackSet
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stack_sets import StackSetDescription, StackSetOperation, StackSetOperationResult, StackSetRequest
from aws.errors import AwsError, BadRequest, Conflict, NetworkError, NotFound, Throttled, Unavailable
from guards import documents
from planning.inputs import Inputs, Produced, resolve_inputs
from planning.model import StackSetPlan
from planning.stacksets import administration_role_arn, managed_execution, moved_since, plan_stack_set, same_template, template_of
from rollout.diagnosis import failures, invalid
from rollout.execution import MAX_FAILED_POLLS, Execution, Interrupted, Run
from rollout.outcome import InstanceFailure, Outcome
from rollout.planned_change import MOST_TRIES
from rollout.progress import Instances, Resource
from rollout.second_try import pause, steps_again, why_late
from rollout.stackset_adoption import Adoption
from rollout.stackset_operations import Step, preferences_of, steps_of

PAGE = 100
"""Results of one page. Source: ListStackSetOperationResults, MaxResults."""

PAGE_SECONDS = 0.5
"""Time between two readings of all results, for each page that a reading takes: at most two pages a second, however many there are."""

TOLD_ONE_BY_ONE = 50
"""Up to so many instances each is reported as it goes; of more only numbers and failures."""

OWN_POLLS = 12
"""Looks in which the set must show what the last operation of the same plan made of it."""

EVENTS_READ = 10
"""Failed instances whose stack is asked for the event, at the most."""

_WAIT_CODES = ("OperationInProgressException", "StaleRequestException")
_BEGUN = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
_STACK_TYPE = "AWS::CloudFormation::Stack"

Where = tuple[str, str]


class Moved(Exception):
    """The set is not what was approved any more; one difference a line."""

    def __init__(self, differences: tuple[str, ...]) -> None:
        super().__init__("\n".join(differences))
        self.differences = differences


def known_steps(run: Run, plan: StackSetPlan, gateway: CloudFormation) -> frozenset[str]:
    """Ids of the plan's operations that were begun, by this process or an earlier one. Raises `AwsError`."""
    found = set()
    for step in steps_of(plan, run.plan.digest):
        try:
            gateway.stack_set_operation(plan.stack_name, step.id, call_as=_target(run, plan).call_as)
        except NotFound:
            continue
        found.add(step.id)
    return frozenset(found)


def moved_set(run: Run, plan: StackSetPlan, gateway: CloudFormation) -> tuple[str, ...]:
    """In what a set has moved since it was planned, but for what this plan did. Right before the first step it is looked at once more."""
    call_as = _target(run, plan).call_as
    live = gateway.describe_stack_set(plan.stack_name, call_as=call_as)
    works = live is not None and plan.operation != "none"
    found = moved_since(plan, live, gateway.list_stack_instances(plan.stack_name, call_as=call_as) if works else None)
    return () if found and live is not None and known_steps(run, plan, gateway) else found


def _target(run: Run, plan: StackSetPlan) -> StackSet:
    target = run.stack(plan.stack).stackset
    assert target is not None, "the plan says that it is one"
    return target


@dataclass
class _Reading:
    """When results may be read again."""

    all_at: float = 0.0
    failed_at: float = 0.0
    failed: int = 0
    """Failures that have been read."""


class StackSetExecution(Execution):
    """One StackSet of an approved plan."""

    def __init__(self, run: Run, plan: StackSetPlan, produced: Mapping[str, Produced]) -> None:
        super().__init__(run, plan, produced)
        self.plan = plan
        self.stack = run.stack(plan.stack)
        self.target = _target(run, plan)
        self.call_as = self.target.call_as
        self.steps = steps_of(plan, run.plan.digest)
        self.finished: Counter[str] = Counter()
        """Instances of finished steps, by status."""

    def execute(self) -> Outcome:
        if self.plan.operation == "none":
            return self.outcome("unchanged")
        live = self.describe()
        known = known_steps(self.run, self.plan, self.gateway) if live else frozenset()
        self.begun = bool(known)
        try:
            inputs = self.inputs(live) if self.needs_inputs else Inputs()
            if not self.begun:
                self.refuse_moved(live, inputs)
            self.start(sum(step.instances for step in self.steps), resumed=self.begun)
            request = self.request(inputs, live) if self.needs_inputs else None
            if live is None and request is not None:
                self.run.check()
                self.gateway.create_stack_set(request, token=client_token(self.run.plan.digest, self.plan.stack, "create-set"))
            steps = self.steps if self.begun else self.without_needless(live, inputs)
            for step in steps:
                failed = self.operate(step, request, inputs, begun=step.id in known)
                if failed is not None:
                    return failed
        except Moved as error:
            return self.refused("it is not what was approved any more", error.differences)
        return self.outcome("succeeded", status="SUCCEEDED")

    def cut_off(self, why: str, command: str = "") -> Outcome:
        if self.begun:
            why += f"; the operation goes on at AWS (to end it: {deploy('stop', self.run.plan.environment)})"
        return super().cut_off(why, command)

    def describe(self) -> StackSetDescription | None:
        return self.gateway.describe_stack_set(self.plan.stack_name, call_as=self.call_as)

    # --- is it still what was approved? -------------------------------------------------------------------------

    @property
    def needs_inputs(self) -> bool:
        """Parameters are sent only where the set itself is made or changed, or a stack is made for it."""
        return self.plan.operation != "instances" or any(step.kind == "adopt" for step in self.steps)

    def inputs(self, live: StackSetDescription | None) -> Inputs:
        parameters = live.parameters if live else {}
        return resolve_inputs(
            self.run.assembly, self.stack, self.template, live=parameters, produced=self.produced, gateways=self.run.gateways
        )

    @property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = documents.loads(self.run.templates[self.plan.stack])
        return found

    def refuse_moved(self, live: StackSetDescription | None, inputs: Inputs) -> None:
        """Raise `Moved` unless the set, its parameters and its instances are as they were planned."""
        instances = self.gateway.list_stack_instances(self.plan.stack_name, call_as=self.call_as) if live else ()
        moved = moved_since(self.plan, live, instances)
        if self.plan.operation == "create" and instances:
            moved = ("somebody else has made the StackSet since it was planned, and instances of it",)
        if not moved and self.plan.operation != "instances":
            moved = unapproved(*self.without_instances(live, inputs))
        if moved:
            raise Moved(moved)

    def without_instances(self, live: StackSetDescription | None, inputs: Inputs) -> tuple[StackSetPlan, StackSetPlan]:
        """The approved plan and one made now, of the set alone. One to be created that is there as approved is an earlier apply's."""
        real = plan_stack_set(self.stack, self.template, inputs, live=live, instances=(), schemas=self.run.schemas)
        real = msgspec.structs.replace(real, instances=(), operation="none" if real.operation == "instances" else real.operation)
        approved = msgspec.structs.replace(self.plan, instances=())
        if approved.operation == "create" and real.operation == "none":
            approved = msgspec.structs.replace(approved, resources=(), widenings=())
        return approved, real

    def without_needless(self, live: StackSetDescription | None, inputs: Inputs) -> tuple[Step, ...]:
        """No update where the real values, once known, turn out to change nothing."""
        if self.plan.operation != "update" or any(i.status != "CURRENT" for i in self.plan.instances if i.action == "update"):
            return self.steps
        _, real = self.without_instances(live, inputs)
        return self.steps if real.operation != "none" else tuple(step for step in self.steps if step.kind != "update")

    def still_ours(self) -> None:
        """Raise `Moved` if somebody has put another template in between our operations; one look may be older than our own update."""
        for polls in range(OWN_POLLS):
            live = self.describe()
            if live is not None and same_template(template_of(live.template_body), self.template):
                return
            self.run.pause(polls)
        raise Moved((f"the StackSet {self.plan.stack_name} has got another template between two operations of this plan",))

    def request(self, inputs: Inputs, live: StackSetDescription | None) -> StackSetRequest:
        stack, managed = self.stack, managed_execution(self.target)
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
            managed_execution=managed if managed != (live.managed_execution if live else False) else None,
            call_as=self.call_as,
            **self.source(self.run.templates[stack.id]),
        )

    def source(self, body: bytes) -> dict[str, Any]:
        assembly = self.run.assembly
        if len(body) <= INLINE_TEMPLATE_LIMIT:
            return {"template_body": body.decode()}
        url = self.run.gateways.upload_template(
            assembly.artifact_bucket, body, sha256=sha256(body), account_id=assembly.account_id, region=assembly.home_region
        )
        if url is None:
            raise BadRequest(f"the template of {self.stack.id} must go through the bucket {assembly.artifact_bucket}, which is not there")
        return {"template_url": url}

    # --- one operation ------------------------------------------------------------------------------------------

    def operate(self, step: Step, request: StackSetRequest | None, inputs: Inputs, *, begun: bool) -> Outcome | None:
        """Begin the operation unless it was, and follow it to its end. None if every instance is where it should be."""
        if not begun:
            stacks: tuple[str, ...] = ()
            if step.kind == "adopt":
                adoption = Adoption(
                    run=self.run, plan=self.plan, stack=self.stack, template=self.template, source=self.source, note=self.note
                )
                stacks, bad = adoption.adopted(step, inputs)
                if bad:
                    return self.failed_outcome("FAILED", bad, "existing resources could not be taken over")
            self.begin_in_turn(step, request, inputs, stacks)
        self.begun = True
        return self.followed(step, request, inputs)

    def followed(self, step: Step, request: StackSetRequest | None, inputs: Inputs, tries: int = 0) -> Outcome | None:
        """The end of a step that was begun; instances that met a role which is not known everywhere yet are redone."""
        operation, results = self.follow(step)
        bad = tuple(
            InstanceFailure(account_id=r.account_id, region=r.region, status=r.status, reason=r.reason)
            for r in results
            if r.status not in ("SUCCEEDED", "PENDING", "RUNNING")
        )
        self.finished += Counter(r.status for r in results)
        if operation.status == "SUCCEEDED" and not operation.failed_instances and not bad:
            return None
        late = why_late(self.run, step, bad) if tries < MOST_TRIES else None
        if late is not None:
            one = next(each for each in bad if each.status == "FAILED")
            self.note(f"{one.account_id} {one.region}: {one.reason}; waiting for {late.known} (AWS may need {late.seconds:.0f} s)")
            self.finished -= Counter(b.status for b in bad)
            pause(self.run, tries + 1)
            for again in steps_again(step, bad, tries + 1):
                if not self.is_begun(again):
                    self.begin_in_turn(again, request, inputs, ())
                failed = self.followed(again, request, inputs, tries + 1)
                if failed is not None:
                    return failed
            return None
        return self.failed_outcome(operation.status, bad, operation.reason)

    def begin_in_turn(self, step: Step, request: StackSetRequest | None, inputs: Inputs, stacks: tuple[str, ...]) -> None:
        """Begin it, after whatever operation of somebody else's is under way. Raises `Moved`, `Interrupted`, `AwsError`."""
        waited_for = ""
        polls = 0
        while True:
            if self.run.stop.is_set():
                raise Interrupted
            if waited_for or self.begun:
                self.recheck(inputs)
            self.run.check()
            try:
                self.begin(step, request, stacks)
            except (Conflict, NetworkError, Unavailable) as error:
                if self.is_begun(step):
                    return
                if error.code not in _WAIT_CODES:
                    raise
            else:
                return
            while others := self.gateway.running_operations(self.plan.stack_name, call_as=self.call_as):
                words = ", ".join(f"{o.action} {o.id} ({o.status}, since {o.created_at})" for o in others)
                if words != waited_for:
                    self.note(f"waiting for its turn: {words}")
                waited_for = words
                self.run.pause(polls)
                polls += 1
            waited_for = waited_for or "an operation that has just ended"
            self.run.pause(polls)
            polls += 1

    def is_begun(self, step: Step) -> bool:
        """Whether AWS knows the operation."""
        try:
            self.gateway.stack_set_operation(self.plan.stack_name, step.id, call_as=self.call_as)
        except NotFound:
            return False
        return True

    def recheck(self, inputs: Inputs) -> None:
        if self.begun:
            self.still_ours()
        elif self.plan.exists:
            self.refuse_moved(self.describe(), inputs)

    def begin(self, step: Step, request: StackSetRequest | None, stacks: tuple[str, ...]) -> None:
        name, call_as, targets = self.plan.stack_name, self.call_as, step.targets
        preferences = preferences_of(self.plan.preferences, targets.regions)
        match step.kind:
            case "update":
                assert request is not None, "an update has inputs"
                self.gateway.update_stack_set(request, operation_id=step.id, preferences=preferences, targets=targets)
            case "create":
                self.gateway.create_stack_instances(name, targets, operation_id=step.id, preferences=preferences, call_as=call_as)
            case "update_instances":
                self.gateway.update_stack_instances(name, targets, operation_id=step.id, preferences=preferences, call_as=call_as)
            case "adopt":
                self.gateway.import_stacks(name, stacks, operation_id=step.id, preferences=preferences, call_as=call_as)
            case "remove" | "retain":
                self.gateway.delete_stack_instances(
                    name, targets, operation_id=step.id, preferences=preferences, retain_stacks=step.kind == "retain", call_as=call_as
                )

    # --- following it -------------------------------------------------------------------------------------------

    def follow(self, step: Step) -> tuple[StackSetOperation, tuple[StackSetOperationResult, ...]]:
        """The operation at its end, with the result of every instance. Raises `AwsError` if AWS cannot be asked for too long."""
        told: dict[Where, str] = {}
        reading = _Reading()
        unanswered = polls = 0
        while True:
            try:
                operation = self.gateway.stack_set_operation(self.plan.stack_name, step.id, call_as=self.call_as)
                if operation.finished:
                    results = self.results(step)
                    self.tell(results, told, step)
                    return operation, results
                self.poll(step, operation, reading, told)
                unanswered = 0
            except (NetworkError, Unavailable, Throttled) as error:
                unanswered += error.asked
                if unanswered >= MAX_FAILED_POLLS:
                    raise
                self.note(f"looking again: {error}")
            self.run.pause(polls)
            polls += 1

    def poll(self, step: Step, operation: StackSetOperation, reading: _Reading, told: dict[Where, str]) -> None:
        """Read what has become of the instances, as far as it is time to."""
        now = self.run.now()
        if now >= reading.all_at:
            results = self.results(step)
            reading.all_at = self.run.now() + _pages(results) * PAGE_SECONDS
            self.tell(results, told, step)
        elif operation.failed_instances > reading.failed and now >= reading.failed_at:
            results = self.results(step, "FAILED")
            reading.failed_at = self.run.now() + _pages(results) * PAGE_SECONDS
            self.tell(results, told, step)
        else:
            return
        reading.failed = sum(status == "FAILED" for status in told.values())

    def results(self, step: Step, status: str = "") -> tuple[StackSetOperationResult, ...]:
        return self.gateway.stack_set_operation_results(self.plan.stack_name, step.id, status=status, call_as=self.call_as)

    def tell(self, results: Iterable[StackSetOperationResult], told: dict[Where, str], step: Step) -> None:
        """Report what is new."""
        changed = False
        for result in results:
            where = (result.account_id, result.region)
            if told.get(where) == result.status:
                continue
            told[where], changed = result.status, True
            if self.total <= TOLD_ONE_BY_ONE or result.status == "FAILED":
                self.run.report(
                    Resource(
                        at=self.run.now(),
                        stack=self.plan.stack,
                        logical_id=" ".join(where),
                        resource_type="",
                        status=result.status,
                        reason=result.reason,
                    )
                )
        if changed:
            counts = self.finished + Counter(told.values())
            self.run.report(Instances(at=self.run.now(), stack=self.plan.stack, total=max(self.total, step.instances), counts=dict(counts)))

    # --- what went wrong ----------------------------------------------------------------------------------------

    def failed_outcome(self, status: str, bad: tuple[InstanceFailure, ...], reason: str) -> Outcome:
        failed = [b for b in bad if b.status == "FAILED"]
        told = {(b.account_id, b.region): self.event_of(b) for b in failed[:EVENTS_READ]}
        with_events = tuple(msgspec.structs.replace(b, event=told.get((b.account_id, b.region), "")) for b in bad)
        rest = Counter(b.status for b in bad)
        counted = ", ".join(f"{number:,} {name.lower().replace('_', ' ')}" for name, number in rest.items())
        first = next((b for b in failed if b.reason), failed[0] if failed else None)
        words = f"{first.account_id} {first.region}: {first.reason}" if first else reason or f"the operation is {status}"
        command = "retry" if failed and not any(step.kind == "adopt" for step in self.steps) else "plan"
        return self.outcome(
            "failed",
            status=status,
            message=f"{counted}: {words}" if len(bad) > 1 else words,
            instances=with_events,
            command=deploy(command, self.run.plan.environment),
        )

    def event_of(self, failure: InstanceFailure) -> str:
        """The event of the stack in the target account that tells why; empty where it cannot be read."""
        try:
            instance = self.gateway.stack_instance(self.plan.stack_name, failure.account_id, failure.region, call_as=self.call_as)
            if instance is None or not instance.stack_arn:
                return ""
            target = self.run.gateways.cloudformation(failure.account_id, failure.region)
            events = target.events(instance.stack_arn)
            begun = max((n for n, e in enumerate(events) if e.resource_type == _STACK_TYPE and e.status in _BEGUN), default=0)
            found = failures(events[begun:])[0] or invalid(target.operation_validations(instance.stack_arn, token=None)[-1:])
        except AwsError:
            return ""
        return f"{found[0].logical_id} ({found[0].resource_type}) {found[0].status}: {found[0].reason}" if found else ""


def _pages(results: tuple[StackSetOperationResult, ...]) -> int:
    return max(1, -(-len(results) // PAGE))
