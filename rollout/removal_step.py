"""Deleting the stacks that are no more wanted, once every stack that is wanted stands without them: an apply's last step.

In: the approved plan's `removals`, the gateways. Out: a `StackRemoved` for each.
Never: deletes what was not in the approved plan or has changed since, data, or, after one that could not be deleted, what that depends on.
Killed at any moment it goes on with the next apply of the same plan: the state of each stack is asked for first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from assembly.commands import deploy
from aws.errors import AwsError
from planning.removal_checks import remove_command
from planning.removals import Removal
from planning.superseded import REPLICA_HOURS
from removal.execution import RemovalFailed, Remover
from rollout.execution import Interrupted, Run
from rollout.lock import LockLost
from rollout.outcome import StackRemoved
from rollout.progress import Note


def moved(run: Run) -> tuple[str, ...]:
    """Stacks to remove that are not as they were when the plan was made; empty if an earlier apply of the plan went on with them."""
    return tuple(text for each in run.plan.removals if (text := _moved(run, each)))


def _moved(run: Run, each: Removal) -> str:
    if each.kind != "stack" or not each.arn:
        return ""
    live = run.gateways.cloudformation(each.account_id, each.region, each.role_arn).describe_stack(each.arn)
    if live is None or live.status.startswith("DELETE_"):
        return ""
    if (live.status, live.changed_at) == (each.status, each.changed_at):
        return ""
    return (
        f"{each.stack_name} ({each.region}, account {each.account_id}), which is no more wanted, was {each.status} and is {live.status} now"
    )


def remove_stacks(run: Run) -> tuple[StackRemoved, ...]:
    """Remove them one by one; nothing further after one that could not be removed."""
    done: list[StackRemoved] = []
    for each in run.plan.removals:
        ended = bool(done) and not done[-1].ok
        begun = run.now()
        made = _outcome(each, "not_started", f"because of {done[-1].stack}") if ended else _removed(run, each)
        done.append(msgspec.structs.replace(made, seconds=round(run.now() - begun, 1)))
    return tuple(done)


def untouched(run: Run) -> tuple[StackRemoved, ...]:
    """What is told where it did not come to that, or nobody approved it."""
    return tuple(_outcome(each, "not_started" if run.removes else "kept", "") for each in run.plan.removals)


def _removed(run: Run, each: Removal) -> StackRemoved:
    def progress(what: str, happens: str) -> None:
        run.report(Note(at=run.now(), stack=each.stack, text=happens if what == each.stack else f"{what}: {happens}"))

    polls = iter(range(1 << 30))
    # Requests of an apply that was killed have ended or go on under their own names.
    nonce = f"{run.plan.digest}-{run.now():.3f}"
    remover = Remover(run.gateways, nonce, lambda: run.pause(next(polls)), progress)
    if run.stop.is_set():
        return _outcome(each, "not_started", "stopped before it", deploy("apply", run.plan.environment))
    try:
        run.check()
        remover.remove(each)
        waits = tuple(_clean_up(run, each, remover))
    except (Interrupted, KeyboardInterrupt):
        run.stop.set()
        return _outcome(each, "running", "stopped before it was gone", deploy("apply", run.plan.environment))
    except RemovalFailed as error:
        return _outcome(each, "failed", str(error), error.command or remove_command(run.plan.environment))
    except (AwsError, LockLost) as error:
        return _outcome(
            each, "failed", str(error), error.hint if isinstance(error, AwsError) and error.hint else remove_command(run.plan.environment)
        )
    if waits:
        back = datetime.fromtimestamp(run.now(), UTC) + timedelta(hours=REPLICA_HOURS)
        message = f"{'; '.join(waits)}; a plan made after {back:%Y-%m-%dT%H:%MZ} removes what is left"
        return _outcome(each, "waits", message, remove_command(run.plan.environment))
    return _outcome(each, "removed", "")


def _clean_up(run: Run, each: Removal, remover: Remover) -> Iterator[str]:
    for left in each.leftovers:
        if left.fate == "clean_up":
            run.check()
            why = remover.delete(left)
            if why:
                yield f"{left.physical_id}: {why}"


def _outcome(each: Removal, result: str, message: str, command: str = "") -> StackRemoved:
    return StackRemoved(
        stack=each.stack,
        stack_name=each.stack_name,
        account_id=each.account_id,
        region=each.region,
        kind=each.kind,
        result=result,  # type: ignore[arg-type]
        kept=tuple(left.physical_id for left in each.leftovers if left.fate == "keep"),
        message=message,
        command=command,
    )
