"""Executing one stack or StackSet of an approved plan, from wherever AWS says that it is.

In: the approved plan of the stack, the outputs of those before it, the gateways, an event to stop at. Out: an `Outcome`.
Never: executes a change that was not approved, nor one twice: whether the plan's change was executed is asked of AWS (execution status of
the change set, events with the plan's token, StackSet operation id), never remembered in a file. Deletes nothing but its own change sets.
"""

from __future__ import annotations

from collections.abc import Mapping

from assembly.commands import deploy
from aws.errors import AwsError, CredentialsError, NetworkError, Throttled, Unavailable
from aws.propagation import StoppedWaiting
from planning.inputs import Produced
from planning.model import AnyStackPlan, StackSetPlan
from planning.request import Stopped
from removal.record_switch import Moved
from rollout.execution import Execution, Interrupted, Run
from rollout.import_execution import ImportExecution
from rollout.lock import LockLost
from rollout.outcome import Outcome
from rollout.progress import Finished
from rollout.stack_execution import StackExecution
from rollout.stackset_execution import StackSetExecution


def execute(run: Run, plan: AnyStackPlan, produced: Mapping[str, Produced]) -> Outcome:
    """Bring one stack or StackSet to where the plan wants it. AWS's refusals, interrupts and a lost lock are outcomes, not exceptions."""
    execution = _execution(run, plan, produced)
    outcome = execution.outcome("not_started")
    try:
        outcome = execution.execute()
    except (Interrupted, Stopped):
        outcome = execution.cut_off("stopped as asked")
    except StoppedWaiting as stopped:
        outcome = execution.cut_off(stopped.message)
    except Moved as moved:
        outcome = execution.refused(str(moved))
    except LockLost as lost:
        outcome = execution.cut_off(str(lost))
    except CredentialsError as error:
        outcome = execution.cut_off(str(error), " && ".join(c for c in (error.hint, deploy("apply", run.plan.environment)) if c))
    except AwsError as error:
        if execution.begun and isinstance(error, (NetworkError, Unavailable, Throttled)):
            outcome = execution.cut_off(str(error))
        else:
            outcome = execution.outcome("failed", message=str(error), command=error.hint)
    finally:
        run.report(Finished(at=run.now(), stack=plan.stack, result=outcome.result, status=outcome.status, seconds=outcome.seconds))
    return outcome


def _execution(run: Run, plan: AnyStackPlan, produced: Mapping[str, Produced]) -> Execution:
    if isinstance(plan, StackSetPlan):
        return StackSetExecution(run, plan, produced)
    if plan.operation == "import":
        return ImportExecution(run, plan, produced)
    return StackExecution(run, plan, produced)
