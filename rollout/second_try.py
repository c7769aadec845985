"""A second try where CloudFormation itself met something that AWS did not know everywhere yet.

In: an execution whose stack was rolled back, or instances of a StackSet that failed, and the reason; what is new.
Out: the outcome of trying again, or None where the reason is another one.
Never: tries again for a refusal about things that have stood for long, for a failure whose rollback did not succeed, with a change that was
not approved, or more than `MOST_TRIES` times; deletes a stack in which a resource is left.

There is nothing to look at: whether CloudFront knows a certificate, or Lambda a role, only the creation itself tells. Each try has a change
set of its own whose name follows from the plan, so that an apply that takes over from a killed one finds it.
"""

from __future__ import annotations

from collections.abc import Iterable

from agreement.compare import unapproved
from aws.cloudformation.requests import client_token
from aws.propagation import Unready, unready
from planning.cleanup import drop_stack
from planning.model import InstancePlan, StackPlan
from planning.plan import plan_stack
from planning.request import Request
from rollout.diagnosis import Diagnosis
from rollout.execution import Execution, Interrupted, Run
from rollout.outcome import InstanceFailure, Outcome
from rollout.planned_change import MOST_TRIES, try_of, try_request
from rollout.stackset_operations import Step, rectangles

_ATTEMPTS = 3
_GONE_ATTEMPTS = 3
"""Looks in a row that must not find a deleted stack: one alone may be asked of a replica that is ahead of the next."""
_DELETION_POLLS = 200


def pause(run: Run, number: int) -> None:
    """Between two tries: two, four, eight ... polls, half a minute on AWS at the most. Raises `Interrupted`."""
    run.sleep(run.poll_seconds * min(10, 2**number))
    if run.stop.is_set():
        raise Interrupted


def late(run: Run, reason: str) -> Unready | None:
    """What AWS does not know yet; None if the words mean something else, or nothing of that kind is new."""
    found = unready(reason)
    if found is None:
        return None
    for attempt in range(_ATTEMPTS):
        if any(run.is_new(kind) for kind in found.kinds):
            return found
        run.pause(attempt)
    return None


class SecondTry(Execution):
    """What executing a stack has for it."""

    plan: StackPlan
    token: str
    change_set: str
    tries = 0

    def follow(self, stack: str) -> Outcome:
        """Wait for the end of the execution that `token` began."""
        raise NotImplementedError

    def send(self, change_set: str, stack: str) -> None:
        """Execute it."""
        raise NotImplementedError

    def planned(self, request: Request) -> StackPlan:
        """The stack's plan with the real values, and its change set."""
        stack = self.run.stack(self.plan.stack)
        real = plan_stack(request, stack, self.produced, self.run.gateways, self.run.schemas, stop=self.run.stop)
        assert isinstance(real, StackPlan), "the assembly says that it is a stack"
        return real

    def try_again(self, found: Diagnosis) -> Outcome | None:
        """The outcome of the next try, if there is to be one. Raises as `execute` does."""
        cause = found.cause
        if cause is None or self.tries >= MOST_TRIES or unready(cause.reason) is None:
            return None
        if self.take_up(self.tries + 1):
            return self.follow(self.plan.stack_name)
        why = late(self.run, cause.reason)
        if why is None or found.status not in ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_COMPLETE"):
            return None
        self.tries += 1
        then = f"waiting for {why.known} (AWS may need {why.seconds:.0f} s), then trying again ({self.tries} of {MOST_TRIES})"
        self.note(f"{cause.logical_id}: {cause.reason}; {then}")
        pause(self.run, self.tries)
        return self.made_again(try_request(self.run, self.tries)) if self.cleared(found.status) else None

    def take_up(self, number: int) -> bool:
        """Whether that try was begun; then it is the one that is followed."""
        state = try_of(self.run, self.plan, number, self.gateway)
        if state is None:
            return False
        self.tries = number
        self.change_set, self.token = state.arn, client_token(state.name, self.plan.stack, "execute")
        return True

    def cleared(self, status: str) -> bool:
        """Whether the change can be made again: a stack whose creation was rolled back only goes if nothing is left in it."""
        if self.plan.state.exists:
            return status == "UPDATE_ROLLBACK_COMPLETE"
        deleting, gone = status == "DELETE_COMPLETE", 0
        for polls in range(_DELETION_POLLS):
            live = self.gateway.describe_stack(self.plan.stack_name)
            if live is not None and live.status == "ROLLBACK_COMPLETE" and not deleting:
                left = [r.status for r in self.gateway.list_resources(live.arn) if r.physical_id and r.status != "DELETE_COMPLETE"]
                if "DELETE_SKIPPED" in left:
                    return False
                if not left:
                    self.run.check()
                    self.gateway.delete_stack(live.arn, token=client_token(live.arn, "delete"))
                    deleting = True
            elif deleting:
                gone = gone + 1 if live is None or not live.deployed else 0
                if live is not None and live.status == "DELETE_FAILED":
                    return False
            if gone >= _GONE_ATTEMPTS:
                return True
            self.run.pause(polls)
        return False

    def made_again(self, request: Request) -> Outcome:
        """Make the change set anew, and execute it if it is what was approved."""
        self.run.check()
        real = self.planned(request)
        differences = unapproved(self.plan, real)
        if differences or real.change_set is None:
            drop_stack(real, self.gateway)
            return self.refused("tried again, it would do something else than what was approved", differences)
        self.change_set, self.token = real.change_set.arn, real.change_set.client_token
        self.send(real.change_set.arn, real.change_set.stack_arn)
        return self.follow(real.change_set.stack_arn)


def steps_again(step: Step, bad: Iterable[InstanceFailure], number: int) -> tuple[Step, ...]:
    """Operations that redo the instances of a step which failed, or were never reached because of those."""
    kind = step.kind if step.kind in ("remove", "retain") else "update_instances"
    plans = [InstancePlan(account_id=b.account_id, region=b.region, action="update", status=b.status) for b in bad]
    return tuple(
        Step(
            id=client_token(step.id, "again", str(number), str(part)),
            kind=kind,
            targets=targets,
            instances=len(targets.accounts) * len(targets.regions),
        )
        for part, targets in enumerate(rectangles(plans, "update"))
    )


def why_late(run: Run, step: Step, bad: Iterable[InstanceFailure]) -> Unready | None:
    """What AWS does not know yet, if that is why every instance failed that did by itself."""
    reasons = [b.reason for b in bad if b.status == "FAILED"]
    found = [late(run, reason) for reason in reasons] if step.kind != "adopt" else []
    return found[0] if found and all(found) else None
