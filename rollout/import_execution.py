"""Executing a stack that takes over what exists: the import, then the update that makes it what the template says.

In: the approved plan of the stack (operation `import`), a run. Out: an `Outcome`.
Never: imports what is not as it was approved, or with another stack's help; begins the update before the import has ended well, or after
anybody else has changed the stack; replaces what was taken over, whatever was approved.

Both are executions of their own: each has a change set and a token that follow from the plan, so an apply that takes over from a killed one
finds how far it got (`rollout.planned_change`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agreement.imports import Changed, plan_aligned, plan_import
from assembly.commands import deploy
from aws.cloudformation.stacks import StackDescription, StackEvent
from changes.model import ResourceChange
from planning.cleanup import drop_stack
from planning.importing import ImportPlanner, verb_of
from planning.inputs import Produced
from planning.model import StackPlan, StackState
from planning.request import Request
from planning.run import PlanningRun
from rollout.diagnosis import Diagnosis
from rollout.execution import Execution, Run
from rollout.outcome import Outcome
from rollout.planned_change import change_of, import_request, planned_change
from rollout.stack_execution import StackExecution

IMPORTED = "IMPORT_COMPLETE"


class ImportExecution(Execution):
    """Both, one after the other."""

    def __init__(self, run: Run, plan: StackPlan, produced: Mapping[str, Produced]) -> None:
        super().__init__(run, plan, produced)
        self.plan = plan

    def execute(self) -> Outcome:
        first = TakingOver(self.run, import_part(self.plan), self.produced)
        taken = self.carried_out(first)
        if not taken.ok:
            environment = self.run.plan.environment
            plain = taken.command == deploy("plan", environment)
            return msgspec.structs.replace(taken, command=deploy(verb_of([self.plan]), environment)) if plain else taken
        self.note(f"has taken over {', '.join(each.physical_id for each in self.plan.takes)}; now what differs")
        outcome = self.carried_out(Aligned(self.run, align_part(self.plan, first), self.produced))
        seconds = round(taken.seconds + outcome.seconds, 3)
        return msgspec.structs.replace(outcome, operation=self.plan.operation, started=taken.started or outcome.started, seconds=seconds)

    def carried_out(self, part: StackExecution) -> Outcome:
        try:
            return part.execute()
        except Changed as changed:
            return part.refused("what is taken over is not as it was approved", changed.differences)
        finally:
            self.begun = self.begun or part.begun
            self.started, self.total = self.started or part.started, self.total or part.total


def import_part(plan: StackPlan) -> StackPlan:
    """What takes over, alone."""
    imports = tuple(
        ResourceChange(logical_id=each.logical_id, resource_type=each.resource_type, action="import", physical_id=each.physical_id)
        for each in plan.takes
    )
    return msgspec.structs.replace(plan, resources=imports, settings=(), waits_for=(), replaces=())


def align_part(plan: StackPlan, first: TakingOver) -> StackPlan:
    """What follows, planned for the stack as the import has left it."""
    return msgspec.structs.replace(plan, operation="update", change_set=None, takes=(), state=first.left())


class TakingOver(StackExecution):
    """The import."""

    def execute(self) -> Outcome:
        if self.over():
            return self.outcome("succeeded", status=IMPORTED)
        where = planned_change(self.run, self.plan, self.gateway)
        if where.at == "moved":
            return self.refused(f"{self.plan.stack_name} {where.words}")
        self.change_set, stack, self.token = change_of(self.run, self.plan)
        self.resumed = self.begun = where.at in ("running", "done")
        self.start(len(self.plan.takes), resumed=self.resumed)
        if self.resumed:
            self.note("an earlier apply has begun to take over; following it")
        else:
            self.run.check()
            made = plan_import(self.planner(import_request(self.run)), self.plan)
            self.change_set, stack = made.arn, made.stack_arn
            self.send(made.arn, made.stack_arn)
        return self.follow(stack)

    def planner(self, request: Request) -> ImportPlanner:
        run = self.run
        planning = PlanningRun(request, run.gateways, run.schemas, lambda *_: None, run.stop)
        return ImportPlanner(planning, run.stack(self.plan.stack), self.produced)

    def try_again(self, found: Diagnosis) -> Outcome | None:  # noqa: ARG002
        """Nothing is made, so nothing can be too new for AWS."""
        return None

    def over(self) -> bool:
        """Whether it has ended well, at any time: also if the stack was updated since."""
        live = self.gateway.describe_stack(self.plan.stack_name)
        if live is None or not live.deployed:
            return False
        change_set, stack, token = change_of(self.run, self.plan)
        state = self.gateway.change_set_state(change_set, stack)
        done = state is not None and state.execution_status == "EXECUTE_COMPLETE"
        return done or any(event.token == token and event.status == IMPORTED for event in self.ends(live))

    def ends(self, live: StackDescription) -> list[StackEvent]:
        """The events that ended operations of the stack."""
        return [event for event in self.gateway.events(live.arn) if self.is_final(event)]

    def left(self) -> StackState:
        """The stack as the import has left it, if nobody has changed it since."""
        live = self.gateway.describe_stack(self.plan.stack_name)
        ends = self.ends(live) if live is not None else []
        _, _, token = change_of(self.run, self.plan)
        mine = next((event for event in reversed(ends) if event.token == token), None)
        untouched = live if live is not None and live.status == IMPORTED and ends and ends[-1] is mine else None
        return StackState(
            exists=True,
            stack_arn=live.arn if live is not None else None,
            status=IMPORTED,
            changed_at=untouched.changed_at if untouched is not None else mine.at if mine is not None else "",
        )


class Aligned(StackExecution):
    """The update."""

    def planned(self, request: Request) -> StackPlan:
        run = self.run
        planning = PlanningRun(request, run.gateways, run.schemas, lambda *_: None, run.stop)
        approved = next(p for p in run.plan.stacks if p.stack == self.plan.stack)
        assert isinstance(approved, StackPlan), "it is what this is a part of"
        real = plan_aligned(ImportPlanner(planning, run.stack(self.plan.stack), self.produced), approved)
        taken = {each.logical_id for each in approved.takes}
        replaced = [c.logical_id for c in real.resources if c.logical_id in taken and c.replacement.verdict == "yes"]
        if replaced:
            drop_stack(real, self.gateway)
            raise Changed(tuple(f"{each} would be replaced, though it was only just taken over" for each in replaced))
        return real

    def refused(self, why: str, differences: tuple[str, ...] = ()) -> Outcome:
        again = deploy("plan", self.run.plan.environment)
        told = f"{why}; what exists has been taken over as it was"
        return self.outcome("refused", message=told, differences=differences, command=again)
