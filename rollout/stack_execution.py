"""Executing the change set of one stack of an approved plan, and following it to its end. See `rollout.execute`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from aws.cloudformation.stacks import EventFeed, StackDescription, StackEvent
from aws.errors import AwsError, BadRequest, Conflict, NetworkError, NotFound, Throttled, Unavailable
from planning.cleanup import drop_stack
from planning.inputs import Produced
from planning.model import SettingChange, StackPlan
from planning.plan import plan_stack
from rollout.compare import unapproved
from rollout.diagnosis import Diagnosis, diagnose
from rollout.execution import MAX_FAILED_POLLS, SUCCEEDED_STATES, Execution, Interrupted, Run
from rollout.outcome import Outcome
from rollout.planned_change import change_of, planned_change
from rollout.progress import Resource
from rollout.record_switch import RecordSwitch


class StackExecution(Execution):
    def __init__(self, run: Run, plan: StackPlan, produced: Mapping[str, Produced]) -> None:
        super().__init__(run, plan, produced)
        self.plan = plan
        self.token = ""
        self.resumed = False
        self.records = RecordSwitch(plan, run.gateways.route53(plan.account_id, plan.role_arn)) if plan.replaces else None

    def execute(self) -> Outcome:
        where = planned_change(self.run, self.plan, self.gateway)
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
        outcome = self.follow(stack)
        if self.records is not None and outcome.result == "failed":
            self.tell_all(self.records.back())
        return outcome

    def tell_all(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.note(text)

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
        if self.records is not None:
            self.tell_all(self.records.away())
        try:
            self.executed(change_set, stack)
        except BaseException:
            if self.records is not None:
                self.tell_all(self.records.back())
            raise
        self.begun = True

    def executed(self, change_set: str, stack: str) -> None:
        try:
            self.gateway.execute_change_set(change_set, stack, token=self.token)
        except (BadRequest, Conflict, NetworkError, Unavailable, NotFound):
            state = self.gateway.change_set_state(change_set, stack)
            if state is None or state.execution_status not in ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"):
                raise

    def follow(self, stack: str) -> Outcome:
        """Wait for the end of the execution, telling its events as they come."""
        live = self.gateway.describe_stack(stack)
        feed = EventFeed(self.gateway, live.arn if live else stack, token=self.token)
        events: list[StackEvent] = []
        validates = self.run.stack(self.plan.stack).certificate_validation is not None
        failures = polls = 0
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
                if failures >= MAX_FAILED_POLLS:
                    raise
                self.note(f"looking again: {error}")
            self.run.pause(polls)
            polls += 1
        self.by_events(events)
        status = live.status if live else "DELETE_COMPLETE"
        if live is None or status not in SUCCEEDED_STATES:
            found = diagnose(
                events,
                status=status,
                status_reason=live.status_reason if live else "",
                environment=self.run.plan.environment,
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
