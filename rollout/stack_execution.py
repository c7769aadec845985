"""Executing the change set of one stack of an approved plan, and following it to its end. See `rollout.execute`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agreement.compare import unapproved
from aws.cloudformation.stacks import EventFeed, StackDescription, StackEvent
from aws.errors import AwsError, BadRequest, Conflict, NetworkError, NotFound, Throttled, Unavailable
from planning.cleanup import drop_stack
from planning.inputs import Produced
from planning.model import SettingChange, StackPlan
from removal.record_switch import Moved, RecordSwitch
from rollout.diagnosis import Diagnosis, diagnose
from rollout.execution import MAX_FAILED_POLLS, SUCCEEDED_STATES, Interrupted, Run
from rollout.execution_events import ExecutionEvents, seconds
from rollout.outcome import Outcome
from rollout.planned_change import change_of, forbids, planned_change
from rollout.progress import Resource
from rollout.second_try import SecondTry

SETTLED_POLLS = 60
"""Polls in which DescribeStacks has to come to say what the events say."""
EVENT_POLLS = 6
"""Polls after which an execution that is over by its change set may do without a last event."""


class StackExecution(SecondTry):
    def __init__(self, run: Run, plan: StackPlan, produced: Mapping[str, Produced]) -> None:
        super().__init__(run, plan, produced)
        self.plan = plan
        self.token = self.change_set = ""
        self.resumed = False
        self.records = RecordSwitch(plan, run.gateways.route53(plan.account_id, plan.role_arn)) if plan.replaces else None

    def execute(self) -> Outcome:
        where = planned_change(self.run, self.plan, self.gateway)
        if where.at == "moved":
            return self.refused(f"{self.plan.stack_name} {where.words}")
        if self.plan.operation in ("none", "settings"):
            if self.plan.settings:
                self.start(0)
            if self.records is not None:
                self.tell_all(self.records.done())
            return self.settled(where.live, self.plan.settings, changed=self.plan.operation == "settings")
        self.change_set, stack, self.token = change_of(self.run, self.plan)
        self.resumed = self.begun = where.at in ("running", "done")
        self.start(sum(not change.unaffected for change in self.plan.resources), resumed=self.resumed)
        if where.tries and self.take_up(where.tries):
            stack = self.plan.stack_name
        if self.resumed:
            self.note("an earlier apply has executed this change set; following it")
        elif self.plan.change_set is not None:
            self.send(self.change_set, stack)
        else:
            made = self.real()
            if isinstance(made, Outcome):
                return made
            stack = made
        outcome = self.follow(stack)
        if self.records is not None:
            # While it runs nobody knows whether the stack will have records of its own.
            ended = {"failed": self.records.back, "succeeded": self.records.done}.get(outcome.result)
            self.tell_all(ended() if ended else ())
        return outcome

    def tell_all(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.note(text)

    def real(self) -> str | Outcome:
        """Make the real change set of a previewed stack and execute it if it is what was approved; the stack's ARN, or how it ended."""
        self.run.check()
        real = self.planned(self.run.request())
        differences = unapproved(self.plan, real)
        if differences:
            drop_stack(real, self.gateway)
            if real.policy_forbids:
                return self.refused(f"{self.plan.stack_name} {forbids(real.policy_forbids)}")
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
            if self.records is not None:
                self.tell_all(self.records.away())
            self.executed(change_set, stack)
        except BaseException as error:
            # What has moved is somebody's who may have meant it; nothing of ours has changed then.
            if self.records is not None and not isinstance(error, Moved):
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
        feed: EventFeed | None = None
        ours = ExecutionEvents(self.token, lambda: self.made_at(stack))
        events = ours.found
        validates = self.run.stack(self.plan.stack).certificate_validation is not None
        failures = polls = 0
        while True:
            try:
                live = self.gateway.describe_stack(stack)
                feed = feed or EventFeed(self.gateway, live.arn if live else stack, token=self.token)
                self.heard(feed, ours)
                if self.ended(live, stack, events):
                    break
                if validates and live is not None:
                    self.validate(live)
                failures = 0
            except (NetworkError, Unavailable, Throttled) as error:
                failures += error.asked
                if failures >= MAX_FAILED_POLLS:
                    raise
                self.note(f"looking again: {error}")
            self.run.pause(polls)
            polls += 1
        self.by_events(events)
        live = self.settled_look(live, stack, feed, ours)
        status = live.status if live else "DELETE_COMPLETE"
        if live is None or status not in SUCCEEDED_STATES:
            found = diagnose(
                events,
                status=status,
                status_reason=live.status_reason if live else "",
                environment=self.run.plan.environment,
                validations=ours.validations(self.gateway.operation_validations(live.arn, token=self.token)) if live else (),
            )
            again = self.try_again(found)
            if again is not None:
                return again
            return self.outcome("failed", status=status, diagnosis=found, message=_sentence(self.plan, found), command=found.command)
        return self.settled(live, self.plan.settings, changed=True)

    def ended(self, live: StackDescription | None, stack: str, events: list[StackEvent]) -> bool:
        """Over, and not merely not begun yet: what DescribeStacks says may be older than the execution."""
        if live is None or live.status == "DELETE_COMPLETE":
            return True
        if live.busy or live.under_review:
            return False
        if any(self.is_final(e) for e in events):
            return True
        state = self.gateway.change_set_state(self.change_set, stack)
        return state is None or state.execution_status not in ("EXECUTE_IN_PROGRESS", "AVAILABLE")

    def made_at(self, stack: str) -> str:
        """When the change set was made, by AWS's clock; empty if it is gone."""
        state = self.gateway.change_set_state(self.change_set, stack)
        return state.created_at if state is not None else ""

    def settled_look(self, live: StackDescription | None, stack: str, feed: EventFeed, ours: ExecutionEvents) -> StackDescription | None:
        """The stack as the execution left it: outputs of an answer that is older would be handed to the next stacks.

        Its events have the last word, if they have come by then. Raises `Unavailable` if AWS keeps saying two things.
        """
        for polls in range(SETTLED_POLLS):
            final = next((e.status for e in reversed(ours.found) if self.is_final(e)), None)
            status = live.status if live else "DELETE_COMPLETE"
            if status == final and not self.is_older(live):
                return live
            if final is None and polls >= EVENT_POLLS and not self.is_older(live):
                return live
            self.run.pause(polls)
            self.heard(feed, ours)
            live = self.gateway.describe_stack(stack)
        if status == final:
            return live
        raise Unavailable(f"{self.plan.stack_name} is {final} by its events and {status} by itself", service="cloudformation")

    def heard(self, feed: EventFeed, ours: ExecutionEvents) -> None:
        """Read and tell what is new."""
        for event in ours.take(feed.new()):
            self.tell(event)

    def is_final(self, event: StackEvent) -> bool:
        own = event.logical_id == self.plan.stack_name and event.physical_id == event.stack_arn
        return own and not event.status.endswith("_IN_PROGRESS")

    def is_older(self, live: StackDescription | None) -> bool:
        """Whether it is the stack as it was before this execution, which an update gives a new LastUpdatedTime."""
        before = self.plan.state
        return live is not None and before.exists and live.changed_at == before.changed_at

    def tell(self, event: StackEvent) -> None:
        if event.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            self.run.learn(event.resource_type, event.physical_id, max(0.0, self.run.now() - seconds(event.at)))
        elif event.status == "DELETE_COMPLETE":
            self.run.unlearn(event.resource_type, event.physical_id)
        self.run.report(
            Resource(
                at=seconds(event.at) or self.run.now(),
                stack=self.plan.stack,
                logical_id=event.logical_id,
                resource_type=event.resource_type,
                status=event.status,
                reason=event.reason,
            )
        )

    def by_events(self, events: list[StackEvent]) -> None:
        """An execution that an earlier process began has begun when AWS says."""
        first = seconds(events[0].at) if events else 0.0
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
