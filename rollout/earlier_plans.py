"""Change sets of earlier plans that an apply has overtaken: what they compared with is not there any more, so nobody may execute them.

In: the run of an apply that has brought every stack where it should be. Out: notes.
Never: deletes a change set of a later plan, of somebody else's making, or one that is being executed; fails an apply.

Executing a change set deletes the others of its stack (CloudFormation User Guide, "Execute a change set"); those of stacks that the plan
left as they were stay, and status would show them as waiting.
"""

from __future__ import annotations

from datetime import datetime

from aws.cloudformation.change_sets import ChangeSetSummary
from aws.errors import AwsError
from planning.model import StackPlan
from planning.request import change_set_prefix
from rollout.execution import Run
from rollout.lock import LockLost
from rollout.progress import Note


def drop_overtaken(run: Run) -> None:
    """Delete them. AWS's clock tells what is earlier, where the plan has a change set of its own."""
    made = min((each.created_at for each in run.plan.change_sets), default=run.plan.created_at)
    for plan in run.plan.stacks:
        if not isinstance(plan, StackPlan) or plan.operation not in ("none", "settings"):
            continue
        try:
            gateway = run.gateways.cloudformation(plan.account_id, plan.region, plan.role_arn)
            for found in gateway.list_change_sets(plan.stack_name):
                if overtaken(found, run.plan.environment, made):
                    run.check()
                    gateway.delete_change_set(found.arn, plan.stack_name)
                    run.report(Note(at=run.now(), stack=plan.stack, text=f"deleted the change set {found.name} of an earlier plan"))
        except (AwsError, LockLost) as error:
            run.report(Note(at=run.now(), stack=plan.stack, text=f"change sets of earlier plans could not be deleted: {error}"))


def overtaken(found: ChangeSetSummary, environment: str, when: str) -> bool:
    """It is of a plan of that environment, made before `when` (ISO 8601), and nobody has begun to execute it."""
    ours = found.name.startswith(change_set_prefix(environment))
    return ours and not found.execution_status.startswith("EXECUTE_") and _moment(found.created_at) < _moment(when)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
