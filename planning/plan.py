"""Planning: every stack and StackSet of an assembly, as many at once as their order allows, into one `Plan`.

In: an assembly with its templates, the gateways, who and when. Out: a sealed `Plan`, and at CloudFormation the change sets it names.
Never: executes anything; leaves behind a change set that no plan names, nor a stack that was only made for one: what a preview, an empty
change set, an error or an interrupt leaves is deleted before this returns or raises.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

import msgspec

from assembly.model import Stack
from aws.errors import AwsError, CredentialsError
from consequences.others import for_others
from guards import documents
from planning import read_only
from planning.across import across
from planning.authority import administrators_work
from planning.beside import beside_change_sets
from planning.content import findings as content_findings
from planning.cut_off import findings as cut_off
from planning.existing import existing_unplanned
from planning.importing import ImportPlanner
from planning.inputs import Gateways, Produced, resolve_inputs
from planning.meaning import with_consequences
from planning.model import ABSENT, STACK_MOVED, AnyStackPlan, Finding, Plan, StackPlan, sealed
from planning.plans import blocked
from planning.removal_checks import in_the_way
from planning.request import Progress, Request, Stopped, selected
from planning.run import Planned, PlanningRun
from planning.site_bucket import findings as emptied
from planning.stackset_survey import survey
from planning.stacksets import context_of, plan_stack_set
from planning.superseded import REPLICA_HOURS, left, replaced_by, still_there, waits
from templates.schemas import Schemas

WORKERS = 256
"""Stacks planned at once at the most. Planning is waiting, and CloudFormation's limits hold for each account and region, so many places are
asked at once; what the limits refuse is asked again."""


def make_plan(
    request: Request,
    gateways: Gateways,
    schemas: Schemas,
    *,
    progress: Progress = lambda *_: None,
    stop: threading.Event | None = None,
    workers: int = WORKERS,
) -> Plan:
    """Plan every selected stack, and look beside it as the request says.

    What stands in the way of one stack becomes findings in its plan, and its dependants are not planned; the others are. If any stack is
    blocked, the change sets of all are deleted, as such a plan cannot be applied. Raises `PlanError` for a stack that is not there,
    `CredentialsError` where there is no way in, `Stopped` after an interrupt (`stop`, or KeyboardInterrupt in the calling thread).
    """
    assembly, options = request.assembly, request.options
    every = selected(assembly, options.only)
    stacks, how = read_only.reachable(every, options)
    partly = bool(options.only) or len(stacks) < len(every)
    with PlanningRun(request, gateways, schemas, progress, stop or threading.Event()) as run:
        run.beside(request.look)
        done = _all(run, stacks, workers)
        looked = run.looked()
        if any(each.code == STACK_MOVED for each in looked):
            done = {stack.id: Planned(plan=blocked(stack, ABSENT, ())) for stack in stacks}
        found = across(done.values(), assembly.environment)
        plans = tuple(_with_authority(found[stack.id], request) for stack in stacks)
        # A part of the stacks may leave users behind that are not in it.
        removals = () if partly else request.removals()
        plan = Plan(
            environment=assembly.environment,
            project=assembly.project,
            account_id=assembly.account_id,
            protected=assembly.protected,
            assembly_digest=assembly.digest,
            created_at=request.created_at,
            created_by=request.created_by,
            options=msgspec.structs.replace(options, only=tuple(s.id for s in stacks) if partly else ()),
            stacks=plans,
            findings=(
                *how,
                *looked,
                *in_the_way(removals, options, assembly.environment),
                *emptied(request, plans, gateways),
                *cut_off(request, done.values()),
                *_for_others(done, assembly.environment),
                *beside_change_sets(assembly, plans),
                *(() if request.content is None else content_findings(request.content, plans)),
            ),
            content=request.content,
            superseded=() if partly else tuple(each for stack in stacks for each in done[stack.id].superseded),
            removals=removals,
        )
        plan = with_consequences(plan, done, run)
        if plan.blocked:
            unmade = (msgspec.structs.replace(p, change_set=None) if isinstance(p, StackPlan) else p for p in plans)
            plan = msgspec.structs.replace(plan, stacks=tuple(unmade))
        else:
            run.keep()
        return sealed(plan)


def plan_stack(
    request: Request,
    stack: Stack,
    produced: Mapping[str, Produced],
    gateways: Gateways,
    schemas: Schemas,
    *,
    stop: threading.Event,
) -> AnyStackPlan:
    """One stack by itself, with what the stacks before it have produced. Its change set, if it has one, stays unless the stack is blocked.

    For apply, which makes the real change set of a previewed stack: the same `request` finds the one that it made before.
    Raises `AwsError`, and `Stopped` after an interrupt.
    """
    with PlanningRun(request, gateways, schemas, lambda *_: None, stop) as run:
        plan = _planned(run, stack, produced).plan
        if plan.operation != "blocked":
            run.keep()
        return plan


def _for_others(done: Mapping[str, Planned], environment: str) -> tuple[Finding, ...]:
    told = ((each.plan, found) for each in done.values() for found in for_others(each.plan.resources, each.context, environment))
    return tuple(Finding(stack=plan.stack, **msgspec.structs.asdict(found)) for plan, found in told)


def _with_authority(plan: AnyStackPlan, request: Request) -> AnyStackPlan:
    found = administrators_work(plan, request.assembly, request.created_by)
    return plan if found is None else msgspec.structs.replace(plan, findings=(*plan.findings, found))


CONTRADICTIONS = 8
"""How often a stack is planned again because reads were older than writes; half a second apart on AWS."""
_CONTRADICTION = re.compile(
    r"Stack \[?\S+?\]? already exists|Stack (with id|\[)? ?\S+ does not exist|is in \S+_IN_PROGRESS state"
    r"|can't find the specified secret value"
)
"""CloudFormation's words where DescribeStacks was stale: ours to create is there, ours to update is not, or is not done yet."""


def _all(run: PlanningRun, stacks: tuple[Stack, ...], workers: int) -> dict[str, Planned]:
    """Plan the stacks, each as soon as all that it depends on are planned."""
    done: dict[str, Planned] = {}
    crowd = Counter((stack.account_id, stack.region) for stack in stacks)
    # Where most stacks are the limits are felt longest, so those begin first.
    waiting = {s.id: s for s in sorted(stacks, key=lambda s: -crowd[s.account_id, s.region])}
    running: dict[Future[Planned], str] = {}
    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(stacks))), thread_name_prefix="plan") as pool:
        try:
            while waiting or running:
                for stack in [s for s in waiting.values() if not {*waiting, *running.values()} & {*s.depends_on}]:
                    del waiting[stack.id]
                    running[pool.submit(_one, run, stack, dict(done))] = stack.id
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done[running.pop(future)] = future.result()
        except KeyboardInterrupt:
            run.stop.set()
            raise Stopped from None
        except BaseException:
            run.stop.set()
            raise
    return done


def _one(run: PlanningRun, stack: Stack, done: Mapping[str, Planned]) -> Planned:
    run.check()
    missing = tuple(d for d in stack.depends_on if d in done and done[d].plan.operation == "blocked")
    if missing:
        finding = Finding(
            severity="error",
            code="dependency_blocked",
            message=f"not planned, as it needs {', '.join(missing)}, which cannot be planned",
            stack=stack.id,
        )
        more = _anyway(run, stack)
        return Planned(plan=blocked(stack, ABSENT, (finding, *more)))
    run.progress(stack.id, "reading")
    try:
        planned = _with_superseded(run, _consistent(run, stack, {stack_id: each.produced for stack_id, each in done.items()}))
    except (CredentialsError, Stopped):
        raise
    except AwsError as error:
        finding = Finding(severity="error", code=error.code or type(error).__name__, message=str(error), command=error.hint, stack=stack.id)
        return Planned(plan=blocked(stack, ABSENT, (finding,)))
    else:
        if planned.plan.operation not in ("none", "blocked"):
            run.measure()
        return planned
    finally:
        run.progress(stack.id, "planned")


def _with_superseded(run: PlanningRun, planned: Planned) -> Planned:
    """With what the stack has let go of, which apply removes. Where AWS does not tell, that is a note and stops nothing."""
    plan = planned.plan
    if not isinstance(plan, StackPlan) or not plan.state.exists:
        return planned
    assert plan.state.stack_arn is not None, "a stack that is there has one"
    place = {**plan.place, "role_arn": plan.role_arn}
    gateways = run.gateways
    try:
        found = left(place, plan.state.stack_arn, gateways.cloudformation(plan.account_id, plan.region, plan.role_arn))
        there = still_there(found, gateways.retained(plan.account_id, plan.region, plan.role_arn)) if found else ()
    except CredentialsError:
        raise
    except AwsError as error:
        note = Finding(
            severity="note", code="superseded_unknown", message=f"what it has replaced could not be looked up: {error}", stack=plan.stack
        )
        return replace(planned, plan=msgspec.structs.replace(plan, findings=(*plan.findings, note)))
    later = tuple(each for each in there if waits(each, run.request.created_at))
    if later:
        names = ", ".join(each.physical_id for each in later)
        message = f"CloudFront may still have replicas of {names}; a plan made {REPLICA_HOURS} hours after the change removes them"
        note = Finding(severity="note", code="superseded_waits", message=message, stack=plan.stack)
        plan = msgspec.structs.replace(plan, findings=(*plan.findings, note))
    return replace(planned, plan=plan, superseded=(*(each for each in there if each not in later), *replaced_by(plan)))


def _consistent(run: PlanningRun, stack: Stack, produced: Mapping[str, Produced]) -> Planned:
    """The plan of a stack; made again where CloudFormation refuses it because the stack is not as its own answer a moment ago had it."""
    gateway = run.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
    for _ in range(CONTRADICTIONS):
        try:
            return _planned(run, stack, produced)
        except AwsError as error:
            if error.operation not in ("CreateChangeSet", "GetTemplate", "GetSecretValue") or not _CONTRADICTION.search(
                f"{error.code} {error.message}"
            ):
                raise
        run.check()
        gateway.pause()
    return _planned(run, stack, produced)


def _anyway(run: PlanningRun, stack: Stack) -> tuple[Finding, ...]:
    """What else is in the way of a stack that is not planned; nothing where AWS does not say."""
    if stack.kind != "stack":
        return ()
    try:
        live = run.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn).describe_stack(stack.stack_name)
        if live is not None and live.deployed:
            return ()
        return existing_unplanned(run, stack, documents.loads(run.request.templates[stack.id]))
    except AwsError:
        return ()


def _planned(run: PlanningRun, stack: Stack, produced: Mapping[str, Produced]) -> Planned:
    if stack.stackset is None:
        return ImportPlanner(run, stack, produced).plan()
    request, call_as = run.request, stack.stackset.call_as
    gateway = run.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
    template = documents.loads(request.templates[stack.id])
    live = gateway.describe_stack_set(stack.stack_name, call_as=call_as)
    instances = gateway.list_stack_instances(stack.stack_name, call_as=call_as) if live else ()
    parameters = live.parameters if live else {}
    inputs = resolve_inputs(
        request.assembly,
        stack,
        template,
        live=parameters,
        produced=produced,
        gateways=run.gateways,
        read_only=request.options.read_only,
    )
    run.progress(stack.id, f"looking at {len(instances) or 'its'} instances and their accounts")
    surveyed = survey(stack, request.assembly, request.templates, template, inputs.after, instances=instances, gateways=run.gateways)
    plan = plan_stack_set(
        stack, template, inputs, live=live, instances=instances, schemas=run.schemas, surveyed=surveyed, options=request.options
    )
    return Planned(plan=plan, context=context_of(stack, template, inputs, live=live, schemas=run.schemas))
