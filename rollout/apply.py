"""Applying a plan: exactly what was approved, in dependency order, under the environment's lock.

In: a `Run` (the approved plan and its surroundings), a way to take the lock and one to publish content. Out: `Applied`, with an `Outcome`
for every stack.
Never: starts a stack before all that it depends on stand, starts another one after a failure or without the lock, publishes content before
every stack stands, changes a plan that has moved. Killed at any moment it can be called again with the same plan: what was executed is
asked of AWS.

The first deployment makes the lock table itself. Until it stands, only the stack that makes it (and what that depends on) is executed,
and CloudFormation is the lock: a stack is created once, executing one change set deletes the others. Then the lock is taken.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Literal

from assembly.commands import deploy
from assembly.errors import Remedied
from assembly.model import Assembly, Frozen
from aws.errors import AwsError, NotFound
from planning.inputs import Produced
from planning.model import AnyStackPlan, Plan, StackSetPlan, plan_command
from rollout.earlier_plans import drop_overtaken
from rollout.execute import execute
from rollout.execution import Run
from rollout.history import ContentRecord, Record, StackRecord
from rollout.lock import Lock, LockHeld, LockLost, held
from rollout.outcome import ContentOutcome, Outcome, Removal, StackRemoved
from rollout.planned_change import planned_change
from rollout.progress import Note
from rollout.removal_step import moved, remove_stacks, untouched
from rollout.stackset_execution import moved_set
from rollout.superseded_step import remove_superseded
from templates.makers import makers_of_table

WORKERS = 8
"""Stacks executed at once at the most."""

WAKE_SECONDS = 0.5
"""How often the main thread wakes up, so that an interrupt is noticed."""


class StalePlan(Remedied):
    """What the plan was made for has moved; one problem a line, and what to type."""

    def __init__(self, problems: tuple[str, ...], command: str) -> None:
        super().__init__("\n".join(problems), command)
        self.problems = problems


class LockTableMissing(Remedied):
    """There is no lock table, and the plan does not make one."""


class Applied(Frozen, frozen=True, kw_only=True):
    """What came of an apply."""

    environment: str
    plan_digest: str
    assembly_digest: str
    result: Literal["succeeded", "failed", "interrupted"]
    started: float
    """Seconds since the epoch."""
    seconds: float
    stacks: tuple[Outcome, ...]
    """In the plan's order."""
    content: ContentOutcome | None = None
    """None where the plan was about the stacks alone."""
    superseded: tuple[Removal, ...] = ()
    """What became of the resources that stacks had replaced."""
    removals: tuple[StackRemoved, ...] = ()
    """What became of the stacks that are no more wanted."""
    problem: str = ""
    """What stopped it that is about no single stack."""
    command: str = ""


# --- is the plan still current? ---------------------------------------------------------------------------------------


def refusals(plan: Plan, assembly: Assembly, *, local: bool) -> tuple[str, ...]:
    """Why a plan is not for this assembly or this AWS; told without asking AWS."""
    found = []
    if plan.options.local != local:
        made, now = ("the local AWS", "AWS itself") if plan.options.local else ("AWS itself", "the local AWS")
        found.append(f"the plan was made against {made}, and this is {now}")
    if plan.assembly_digest != assembly.digest:
        found.append(f"the assembly has been built again: the plan is for {plan.assembly_digest[:12]}, now there is {assembly.digest[:12]}")
    if plan.account_id != assembly.account_id:
        found.append(f"the plan is for account {plan.account_id}, the assembly for {assembly.account_id}")
    return tuple(found)


def stale(run: Run, plans: Iterable[AnyStackPlan], *, workers: int = WORKERS) -> tuple[str, ...]:
    """What has moved at AWS since the plan was made; empty if all is as planned, or as an earlier apply of this plan left it."""
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="check") as pool:
        return tuple(text for text in pool.map(lambda plan: _moved(run, plan), plans) if text)


def _moved(run: Run, plan: AnyStackPlan) -> str:
    gateway = run.gateways.cloudformation(plan.account_id, plan.region, plan.role_arn)
    where = f"{plan.stack_name} ({plan.region}, account {plan.account_id})"
    if not isinstance(plan, StackSetPlan):
        found = planned_change(run, plan, gateway)
        return f"{where}: {found.words}" if found.at == "moved" else ""
    return "; ".join(f"{where}: {words}" for words in moved_set(run, plan, gateway))


# --- the lock of the first deployment ---------------------------------------------------------------------------------


def before_the_lock(run: Run) -> tuple[AnyStackPlan, ...]:
    """The stacks that must stand before there is a lock table, in order. Raises `LockTableMissing`."""
    plan, assembly = run.plan, run.assembly
    by_id = {p.stack: p for p in plan.stacks}
    wanted = [
        s
        for s in makers_of_table(assembly.lock_table, run.templates)
        if s in by_id and by_id[s].operation in ("create", "update", "import")
    ]
    if not wanted:
        raise LockTableMissing(
            f"the lock table {assembly.lock_table} is not in account {assembly.account_id}, {assembly.home_region}, and the plan does not"
            " make it",
            deploy("doctor", assembly.environment),
        )
    needed: set[str] = set()
    queue = list(wanted)
    while queue:
        stack = queue.pop()
        if stack not in needed:
            needed.add(stack)
            queue += [d for d in by_id[stack].depends_on if d in by_id]
    return tuple(p for p in plan.stacks if p.stack in needed)


# --- applying -------------------------------------------------------------------------------------------------------


Publish = Callable[[Run], ContentOutcome]
"""Publishes the plan's content; what goes wrong is in the outcome."""


def apply(run: Run, acquire: Callable[[], Lock], *, publish: Publish | None = None, workers: int = WORKERS) -> Applied:
    """Bring every stack of the plan to where it wants it, or as far as possible; then, if all of them stand, its content.

    `publish` is only called for a plan with content, and then there must be one.
    Raises before anything has changed: `StalePlan`, `LockHeld`, `LockTableMissing`, `AwsError`. After that everything is in the result.
    """
    started = run.now()
    done: dict[str, Outcome] = {}
    problem = command = ""
    content: ContentOutcome | None = None
    removed: tuple[Removal, ...] = ()
    gone: tuple[StackRemoved, ...] = ()
    try:
        lock = acquire()
    except NotFound:
        first = before_the_lock(run)
        _refuse_stale(run, run.plan.stacks)
        run.report(
            Note(
                at=run.now(), text=f"{', '.join(p.stack for p in first)} makes the lock table, so it is applied first and without the lock"
            )
        )
        _walk(run, first, done, workers)
        if not all(outcome.ok for outcome in done.values()):
            return _applied(run, started, done)
        try:
            lock = acquire()
        except (LockHeld, AwsError) as error:
            return _applied(run, started, done, problem=str(error), command=error.hint)
    with held(lock):
        locked = dataclasses.replace(run, check=lock.check)
        rest = tuple(p for p in run.plan.stacks if p.stack not in done)
        try:
            _refuse_stale(locked, rest)
        except StalePlan as error:
            if not done:
                raise
            problem, command = str(error), error.command
        else:
            _walk(locked, rest, done, workers)
            content = _publish(locked, publish, done)
            if len(done) == len(run.plan.stacks) and all(o.ok for o in done.values()):
                removed = remove_superseded(locked)
                drop_overtaken(locked)
                gone = _removed(locked, content)
    return _applied(run, started, done, content=content, superseded=removed, removals=gone, problem=problem, command=command)


def _removed(run: Run, content: ContentOutcome | None) -> tuple[StackRemoved, ...]:
    """The stacks that are no more wanted, last of all; none of them while anything else is not done."""
    if not run.removes or (content is not None and not content.ok):
        return ()
    return remove_stacks(run)


def _publish(run: Run, publish: Publish | None, done: Mapping[str, Outcome]) -> ContentOutcome | None:
    """The content, if every stack stands and nobody asked to stop; None where it is not begun."""
    if run.plan.content is None or run.stop.is_set() or len(done) < len(run.plan.stacks) or not all(o.ok for o in done.values()):
        return None
    assert publish is not None, "whoever applies a plan with content can publish"
    try:
        run.check()
    except LockLost as error:
        return ContentOutcome(result="failed", message=str(error), command=deploy("apply", run.plan.environment))
    return publish(run)


def _refuse_stale(run: Run, plans: Iterable[AnyStackPlan]) -> None:
    problems = (*stale(run, plans), *(moved(run) if run.removes else ()))
    if problems:
        raise StalePlan(problems, plan_command(run.plan))


def _walk(run: Run, plans: tuple[AnyStackPlan, ...], done: dict[str, Outcome], workers: int) -> None:
    """Execute the stacks, each as soon as all that it depends on stand; nothing new after the first that does not."""
    waiting = {p.stack: p for p in plans}
    running: dict[Future[Outcome], str] = {}
    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(plans))), thread_name_prefix="apply") as pool:
        while waiting or running:
            try:
                if not run.stop.is_set() and all(outcome.ok for outcome in done.values()):
                    for plan in [p for p in waiting.values() if not {*waiting, *running.values()} & {*p.depends_on}]:
                        del waiting[plan.stack]
                        running[pool.submit(execute, run, plan, _produced(done))] = plan.stack
                if not running:
                    return
                finished, _ = wait(running, timeout=WAKE_SECONDS, return_when=FIRST_COMPLETED)
                for future in finished:
                    done[running.pop(future)] = future.result()
            except KeyboardInterrupt:
                if run.stop.is_set():
                    raise
                run.stop.set()
                run.report(Note(at=run.now(), text="stopping after the current step; again to leave at once"))
            except BaseException:
                run.stop.set()
                raise


def _produced(done: Mapping[str, Outcome]) -> dict[str, Produced]:
    return {
        outcome.stack: Produced(outputs=dict(outcome.outputs), account_id=outcome.account_id, region=outcome.region)
        for outcome in done.values()
    }


def _applied(
    run: Run,
    started: float,
    done: Mapping[str, Outcome],
    *,
    content: ContentOutcome | None = None,
    superseded: tuple[Removal, ...] = (),
    removals: tuple[StackRemoved, ...] = (),
    problem: str = "",
    command: str = "",
) -> Applied:
    bad = [o for o in done.values() if not o.ok]
    failed = [o for o in bad if o.result in ("failed", "refused")]
    outcomes = tuple(done.get(p.stack) or _not_started(p, bad) for p in run.plan.stacks)
    if run.plan.content is not None and content is None:
        content = ContentOutcome(
            result="not_started", content=run.plan.content.content, message=f"because of {', '.join(o.stack for o in bad)}" if bad else ""
        )
    stuck = [each for each in removals if not each.ok]
    cut_off = content is not None and content.result == "interrupted"
    interrupted = (run.stop.is_set() or cut_off) and not failed and not any(each.result == "failed" for each in stuck)
    succeeded = all(o.ok for o in outcomes) and not problem and (content is None or content.ok) and not stuck
    if not succeeded and not command:
        commands = (
            [o.command for o in (*failed, *bad)] + [each.command for each in stuck] + ([content.command] if content is not None else [])
        )
        command = next((c for c in commands if c), deploy("apply", run.plan.environment))
    return Applied(
        environment=run.plan.environment,
        plan_digest=run.plan.digest,
        assembly_digest=run.plan.assembly_digest,
        result="succeeded" if succeeded else "interrupted" if interrupted else "failed",
        started=started,
        seconds=round(run.now() - started, 3),
        stacks=outcomes,
        content=content,
        superseded=superseded,
        removals=removals or untouched(run),
        problem=problem,
        command=command,
    )


def _not_started(plan: AnyStackPlan, bad: Iterable[Outcome]) -> Outcome:
    culprits = [o.stack for o in bad]
    return Outcome(
        **plan.place,
        kind="stackset" if isinstance(plan, StackSetPlan) else "stack",
        operation=plan.operation,
        result="unchanged" if plan.operation == "none" else "not_started",
        message=f"because of {', '.join(culprits)}" if culprits and plan.operation != "none" else "",
    )


def record_of(run: Run, applied: Applied, *, by: str, host: str, git_commit: str, rollback: bool = False) -> Record:
    """What goes into the history."""
    moment = datetime.fromtimestamp(applied.started, UTC)
    told: tuple[Outcome | ContentOutcome, ...] = (*applied.stacks, *((applied.content,) if applied.content is not None else ()))
    return Record(
        environment=applied.environment,
        project=run.plan.project,
        assembly_digest=applied.assembly_digest,
        plan_digest=applied.plan_digest,
        git_commit=git_commit,
        rollback=rollback,
        by=by,
        host=host,
        started_at=moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z",
        seconds=applied.seconds,
        result=applied.result,
        message=applied.problem or next((o.message for o in told if o.result in ("failed", "refused")), ""),
        stacks=(
            *(
                StackRecord(
                    stack=o.stack, operation=o.operation, result=o.result, seconds=o.seconds, status=o.status, resources=o.resources
                )
                for o in applied.stacks
            ),
            *(StackRecord(stack=r.stack, operation="remove", result=r.result, seconds=r.seconds) for r in applied.removals if r.begun),
        ),
        content=None if applied.content is None else _content_record(applied.content),
    )


def _content_record(content: ContentOutcome) -> ContentRecord:
    return ContentRecord(
        result=content.result, release=content.release, content=content.content, written=content.written, seconds=content.seconds
    )
