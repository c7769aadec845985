"""Planning: every stack and StackSet of an assembly, as many at once as their order allows, into one `Plan`.

In: an assembly with its templates, the gateways, who and when. Out: a sealed `Plan`, and at CloudFormation the change sets it names.
Never: executes anything; leaves behind a change set that no plan names, nor a stack that was only made for one: what a preview, an empty
change set, an error or an interrupt leaves is deleted before this returns or raises.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import msgspec

from assembly.files import sha256
from assembly.model import Assembly, Stack
from aws.cloudformation.change_sets import ChangeSetDescription, ChangeSetRequest, CreatedChangeSet
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import client_token
from aws.cloudformation.stacks import StackDescription
from aws.errors import AccessDenied, AwsError, CredentialsError
from guards import documents
from planning.authority import administrators_work
from planning.changes import Context, all_from_templates, from_change_set, output_after
from planning.content import findings as content_findings
from planning.inputs import Gateways, Inputs, Produced, resolve_inputs
from planning.model import (
    ABSENT,
    AnyStackPlan,
    ChangeSetRef,
    Finding,
    Options,
    OutputChange,
    Plan,
    ResourceChange,
    SettingChange,
    StackOperation,
    StackPlan,
    StackSetPlan,
    StackState,
    Validation,
    sealed,
)
from planning.stack_policy import forbidden
from planning.stackset_survey import survey
from planning.stacksets import plan_stack_set
from planning.states import in_the_way
from planning.widenings import widenings
from templates.intrinsics import Scope, holds_secret, resolved_outputs, resolved_resources, value_of
from templates.schemas import Schemas
from templates.values import Known, Redacted, Value
from website.content_plan import ContentPlan

WORKERS = 256
"""Stacks planned at once at the most. Planning is waiting, and CloudFormation's limits hold for each account and region, so many places are
asked at once; what the limits refuse is asked again."""

CHANGE_SET_PREFIX = "plan"


class PlanError(Exception):
    """Planning was asked for something that makes no sense; `command` is what to type."""

    def __init__(self, message: str, command: str = "") -> None:
        super().__init__(message)
        self.command = command


class Stopped(Exception):
    """Planning was interrupted; everything that it had made is deleted."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to plan, and what goes on the record."""

    assembly: Assembly
    templates: Mapping[str, bytes]
    """By stack id."""
    options: Options
    created_at: str
    """ISO 8601, UTC."""
    created_by: str
    nonce: str
    """Lower-case hexadecimal that no other plan has; names the change sets."""
    content: ContentPlan | None = None
    """What is to be published when the stacks stand."""


Progress = Callable[[str, str], None]
"""Called with a stack id and what happens to it; from any thread."""


def change_set_prefix(environment: str) -> str:
    """What the name of every change set of a plan of that environment begins with."""
    return f"{CHANGE_SET_PREFIX}-{re.sub('[^A-Za-z0-9-]', '-', environment)}-"


def change_set_name(request: Request) -> str:
    """Name of the plan's change sets: environment, assembly and plan can be told from it."""
    return f"{change_set_prefix(request.assembly.environment)}{request.assembly.digest[:8]}-{request.nonce}"


def selected(assembly: Assembly, only: Iterable[str]) -> tuple[Stack, ...]:
    """The stacks of `only` and all that they depend on, in catalogue order; every stack if `only` is empty. Raises `PlanError`."""
    by_id = {stack.id: stack for stack in assembly.stacks}
    wanted = tuple(only)
    unknown = [stack for stack in wanted if stack not in by_id]
    if unknown:
        raise PlanError(f"no stack is called {', '.join(unknown)} in {assembly.environment}; there are {', '.join(by_id)}")
    found: set[str] = set()
    queue = list(wanted or by_id)
    while queue:
        stack = queue.pop()
        if stack not in found:
            found.add(stack)
            queue += by_id[stack].depends_on
    return tuple(stack for stack in assembly.stacks if stack.id in found)


def make_plan(
    request: Request,
    gateways: Gateways,
    schemas: Schemas,
    *,
    progress: Progress = lambda *_: None,
    stop: threading.Event | None = None,
    workers: int = WORKERS,
) -> Plan:
    """Plan every selected stack.

    What stands in the way of one stack becomes findings in its plan, and its dependants are not planned; the others are. If any stack is
    blocked, the change sets of all are deleted, as such a plan cannot be applied. Raises `PlanError` for a stack that is not there,
    `CredentialsError` where there is no way in, `Stopped` after an interrupt (`stop`, or KeyboardInterrupt in the calling thread).
    """
    assembly, options = request.assembly, request.options
    stacks = selected(assembly, options.only)
    with _Run(request, gateways, schemas, progress, stop or threading.Event()) as run:
        done = run.all(stacks, workers)
        plans = tuple(_with_authority(done[stack.id].plan, request) for stack in stacks)
        plan = Plan(
            environment=assembly.environment,
            project=assembly.project,
            account_id=assembly.account_id,
            protected=assembly.protected,
            assembly_digest=assembly.digest,
            created_at=request.created_at,
            created_by=request.created_by,
            options=msgspec.structs.replace(options, only=tuple(s.id for s in stacks) if options.only else ()),
            stacks=plans,
            findings=() if request.content is None else content_findings(request.content, plans),
            content=request.content,
        )
        if plan.blocked:
            plan = msgspec.structs.replace(plan, stacks=tuple(_without_change_set(p) for p in plans))
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
    stop: threading.Event | None = None,
) -> AnyStackPlan:
    """One stack by itself, with what the stacks before it have produced. Its change set, if it has one, stays unless the stack is blocked.

    For apply, which makes the real change set of a previewed stack: the same `request` finds the one that it made before.
    Raises `AwsError`, and `Stopped` after an interrupt.
    """
    with _Run(request, gateways, schemas, lambda *_: None, stop or threading.Event()) as run:
        plan = (_StackSet if stack.kind == "stackset" else _Stack)(run, stack, produced).plan().plan
        if plan.operation != "blocked":
            run.keep()
        return plan


def drop_stack(plan: StackPlan, gateway: CloudFormation) -> None:
    """Delete the change set of one stack's plan, and the stack if it is only there for it. Raises `AwsError`."""
    if plan.change_set is not None:
        made = plan.change_set
        _discard(gateway, CreatedChangeSet(arn=made.arn, stack_arn=made.stack_arn), made_stack=made.made_stack)


def real_change_set_name(plan: Plan) -> str:
    """Name of the change sets that apply makes for the previewed stacks of the plan."""
    return f"{change_set_prefix(plan.environment)}{plan.assembly_digest[:8]}-{plan.digest[:12]}"


def _drop_real(plan: Plan, stack: StackPlan, gateway: CloudFormation) -> None:
    """What an apply of the plan left of a previewed stack, if it was killed between making the change set and executing it."""
    name = real_change_set_name(plan)
    for found in gateway.list_change_sets(stack.stack_name):
        if found.name == name and not found.execution_status.startswith("EXECUTE_"):
            _discard(gateway, CreatedChangeSet(arn=found.arn, stack_arn=stack.stack_name), made_stack=not stack.state.exists)


def drop(plan: Plan, gateways: Gateways) -> tuple[Finding, ...]:
    """Delete the change sets that wait because of the plan, and the stacks that only they made. What could not be deleted is reported."""
    findings = []
    for stack in plan.stacks:
        if isinstance(stack, StackPlan) and (stack.change_set is not None or stack.previewed):
            name = stack.change_set.name if stack.change_set else real_change_set_name(plan)
            try:
                gateway = gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
                drop_stack(stack, gateway)
                if stack.previewed:
                    _drop_real(plan, stack, gateway)
            except AwsError as error:
                findings.append(
                    Finding(
                        severity="warning",
                        code="change_set_left",
                        message=f"the change set {name} of an earlier plan could not be deleted: {error}",
                        command=f"python deploy.py doctor --env {plan.environment} --fix",
                        stack=stack.stack,
                    )
                )
    return tuple(findings)


def _with_authority(plan: AnyStackPlan, request: Request) -> AnyStackPlan:
    found = administrators_work(plan, request.assembly, request.created_by)
    return plan if found is None else msgspec.structs.replace(plan, findings=(*plan.findings, found))


def _without_change_set(plan: AnyStackPlan) -> AnyStackPlan:
    return msgspec.structs.replace(plan, change_set=None) if isinstance(plan, StackPlan) else plan


def _discard(gateway: CloudFormation, created: CreatedChangeSet, *, made_stack: bool) -> None:
    gateway.delete_change_set(created.arn, created.stack_arn)
    if made_stack:
        gateway.delete_reviewed_stack(created.stack_arn, besides=(created.arn,))


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    plan: AnyStackPlan
    produced: Produced = field(default_factory=lambda: Produced(outputs={}))


@dataclass(frozen=True, kw_only=True)
class _Made:
    gateway: CloudFormation
    created: CreatedChangeSet
    made_stack: bool


class _Run:
    """One planning run: the thread pool, and the record of what it has made at CloudFormation."""

    def __init__(self, request: Request, gateways: Gateways, schemas: Schemas, progress: Progress, stop: threading.Event) -> None:
        self.request, self.gateways, self.schemas, self.progress, self.stop = request, gateways, schemas, progress, stop
        self._lock = threading.Lock()
        self._made: dict[str, _Made] = {}

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> None:
        """Delete whatever has not been kept. A second interrupt in here is the user's wish, and ends it."""
        for arn in list(self._made):
            with contextlib.suppress(AwsError):
                self.forget(arn)

    def keep(self) -> None:
        """What was made is named in the plan now."""
        self._made.clear()

    def note(self, made: _Made) -> None:
        with self._lock:
            self._made[made.created.arn] = made

    def forget(self, arn: str) -> None:
        """Delete it at CloudFormation."""
        with self._lock:
            made = self._made[arn]
        _discard(made.gateway, made.created, made_stack=made.made_stack)
        with self._lock:
            self._made.pop(arn, None)

    def check(self) -> None:
        if self.stop.is_set():
            raise Stopped

    def all(self, stacks: tuple[Stack, ...], workers: int) -> dict[str, _Outcome]:
        """Plan the stacks, each as soon as all that it depends on are planned."""
        done: dict[str, _Outcome] = {}
        crowd = Counter((stack.account_id, stack.region) for stack in stacks)
        # Where most stacks are the limits are felt longest, so those begin first.
        waiting = {s.id: s for s in sorted(stacks, key=lambda s: -crowd[s.account_id, s.region])}
        running: dict[Future[_Outcome], str] = {}
        pool = ThreadPoolExecutor(max_workers=max(1, min(workers, len(stacks) or 1)), thread_name_prefix="plan")
        try:
            while waiting or running:
                for stack in [
                    s for s in waiting.values() if all(d in done or d not in {*waiting, *running.values()} for d in s.depends_on)
                ]:
                    del waiting[stack.id]
                    running[pool.submit(self._one, stack, dict(done))] = stack.id
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done[running.pop(future)] = future.result()
        except KeyboardInterrupt:
            self.stop.set()
            raise Stopped from None
        except BaseException:
            self.stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return done

    def _one(self, stack: Stack, done: Mapping[str, _Outcome]) -> _Outcome:
        self.check()
        missing = tuple(d for d in stack.depends_on if d in done and done[d].plan.operation == "blocked")
        if missing:
            finding = Finding(
                severity="error",
                code="dependency_blocked",
                message=f"not planned, as it needs {', '.join(missing)}, which cannot be planned",
                stack=stack.id,
            )
            return _Outcome(plan=_blocked(stack, ABSENT, (finding,)))
        self.progress(stack.id, "reading")
        try:
            return (_StackSet if stack.kind == "stackset" else _Stack)(self, stack, _produced(done)).plan()
        except (CredentialsError, Stopped):
            raise
        except AwsError as error:
            finding = Finding(
                severity="error", code=error.code or type(error).__name__, message=str(error), command=error.hint, stack=stack.id
            )
            return _Outcome(plan=_blocked(stack, ABSENT, (finding,)))
        finally:
            self.progress(stack.id, "planned")


def _blocked(stack: Stack, state: StackState, findings: tuple[Finding, ...], **more: Any) -> AnyStackPlan:
    if stack.stackset is not None and stack.kind == "stackset":
        return StackSetPlan(
            stack=stack.id,
            stack_name=stack.stack_name,
            account_id=stack.account_id,
            region=stack.region,
            role_arn=stack.role_arn,
            operation="blocked",
            depends_on=stack.depends_on,
            exists=state.exists,
            stack_set_id=None,
            template_sha256=stack.template.sha256,
            deployed_template_sha256=None,
            preferences=stack.stackset.preferences,
            findings=findings,
        )
    return _stack_plan(stack, state, "blocked", findings=findings, **more)


def _stack_plan(stack: Stack, state: StackState, operation: StackOperation, **more: Any) -> StackPlan:
    return StackPlan(
        stack=stack.id,
        stack_name=stack.stack_name,
        account_id=stack.account_id,
        region=stack.region,
        role_arn=stack.role_arn,
        operation=operation,
        depends_on=stack.depends_on,
        state=state,
        template_sha256=stack.template.sha256,
        **more,
    )


class _StackSet:
    """The plan of one StackSet."""

    def __init__(self, run: _Run, stack: Stack, produced: Mapping[str, Produced]) -> None:
        self.run, self.stack, self.produced = run, stack, produced
        self.gateway = run.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)

    def plan(self) -> _Outcome:
        stack, request = self.stack, self.run.request
        assert stack.stackset is not None, "the assembly says that it is one"
        call_as = stack.stackset.call_as
        template = documents.loads(request.templates[stack.id])
        live = self.gateway.describe_stack_set(stack.stack_name, call_as=call_as)
        instances = self.gateway.list_stack_instances(stack.stack_name, call_as=call_as) if live else ()
        as_stack = StackDescription(name=live.name, arn=live.arn, status=live.status, parameters=live.parameters) if live else None
        inputs = resolve_inputs(request.assembly, stack, template, live=as_stack, produced=self.produced, gateways=self.run.gateways)
        self.run.progress(stack.id, f"looking at {len(instances) or 'its'} instances and their accounts")
        surveyed = survey(
            stack, request.assembly, request.templates, template, inputs.after, instances=instances, gateways=self.run.gateways
        )
        plan = plan_stack_set(
            stack,
            template,
            inputs,
            live=live,
            instances=instances,
            schemas=self.run.schemas,
            surveyed=surveyed,
            options=request.options,
        )
        return _Outcome(plan=plan)


class _Stack:
    """The plan of one stack."""

    def __init__(self, run: _Run, stack: Stack, produced: Mapping[str, Produced]) -> None:
        self.run, self.stack, self.produced = run, stack, produced
        self.assembly = run.request.assembly
        self.gateway = run.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
        self.body = run.request.templates[stack.id]
        self.template: dict[str, Any] = documents.loads(self.body)
        self.live: StackDescription | None = None
        self.old_template: dict[str, Any] = {}
        self.state = ABSENT
        self.findings: list[Finding] = []

    def plan(self) -> _Outcome:
        self.look()
        obstacle = in_the_way(self.assembly.environment, self.stack.id, self.live)
        if obstacle is not None:
            return _Outcome(plan=_blocked(self.stack, self.state, (obstacle,)), produced=self.produced_now())
        inputs = resolve_inputs(
            self.assembly,
            self.stack,
            self.template,
            live=self.live if self.state.exists else None,
            produced=self.produced,
            gateways=self.run.gateways,
        )
        self.findings += inputs.findings
        source = self.source() if not inputs.findings else {}
        if any(f.severity == "error" for f in self.findings):
            return _Outcome(plan=_blocked(self.stack, self.state, tuple(self.findings), parameters=inputs.show))
        self.run.check()
        return self.changes(inputs, source)

    # --- looking ----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Read the stack as it is."""
        self.live = self.gateway.describe_stack(self.stack.stack_name)
        if self.live is None or self.live.status == "DELETE_COMPLETE":
            self.live = None
            return
        if self.live.under_review:
            self.state = StackState(exists=False, stack_arn=self.live.arn, status=self.live.status, changed_at=self.live.changed_at)
            return
        text = self.gateway.get_template(self.stack.stack_name)
        with contextlib.suppress(ValueError):
            found = documents.loads(text or "{}")
            self.old_template = found if isinstance(found, dict) else {}
        if text and not self.old_template.get("Resources"):
            self.findings.append(
                Finding(
                    severity="note",
                    code="template_unreadable",
                    message="the deployed template is not JSON: changes are CloudFormation's word alone, and no policy is compared",
                    stack=self.stack.id,
                )
            )
        self.state = StackState(
            exists=True,
            stack_arn=self.live.arn,
            status=self.live.status,
            changed_at=self.live.changed_at,
            template_sha256=sha256(text.encode()) if text else None,
            drift=self.live.drift,
        )

    def source(self) -> dict[str, str]:
        """Where CloudFormation gets the template from; a finding where it cannot be put there."""
        if not self.stack.template.upload:
            return {"template_body": self.body.decode()}
        assembly = self.assembly
        url = self.run.gateways.upload_template(
            assembly.artifact_bucket,
            self.body,
            sha256=self.stack.template.sha256,
            account_id=assembly.account_id,
            region=assembly.home_region,
        )
        if url is not None:
            return {"template_url": url}
        first = assembly.stacks[0].id
        self.findings.append(
            Finding(
                severity="error",
                code="artifact_bucket_missing",
                message=f"the template of {self.stack.id} has {self.stack.template.size:,} bytes; more than 51,200 go through the artifact"
                f" bucket {assembly.artifact_bucket}, which account {assembly.account_id} does not have yet",
                command=f"python deploy.py apply --env {assembly.environment} --only {first}",
                stack=self.stack.id,
            )
        )
        return {}

    # --- the change set ---------------------------------------------------------------------------------------

    def changes(self, inputs: Inputs, source: Mapping[str, str]) -> _Outcome:
        context = self.context(inputs)
        previewed = bool(inputs.waits_for)
        made_stack = self.makes_stack()
        self.run.progress(self.stack.id, "previewing" if previewed else "making a change set")
        with self.change_set(inputs, source, made_stack=made_stack) as (created, description):
            if description.nothing_to_change:
                return self.unchanged(inputs, context)
            validations = self.validations(description)
            if description.failed:
                return self.refused(inputs, context, description, validations, previewed=previewed)
            resources = from_change_set(description, context)
            if not previewed:
                self.kept.add(created.arn)
            return self.changed(inputs, context, resources, validations, self.reference(created, description, made_stack=made_stack))

    @contextlib.contextmanager
    def change_set(
        self, inputs: Inputs, source: Mapping[str, str], *, made_stack: bool
    ) -> Iterator[tuple[CreatedChangeSet, ChangeSetDescription]]:
        """A change set for as long as the block runs; it outlives it only if it is in `kept`."""
        self.kept: set[str] = set()
        request, options = self.run.request, self.run.request.options
        name = change_set_name(request)
        created = self.gateway.create_change_set(
            ChangeSetRequest(
                stack=self.stack.stack_name,
                name=name,
                type="UPDATE" if self.state.exists else "CREATE",
                parameters=inputs.send,
                capabilities=self.stack.capabilities,
                tags=self.stack.tags,
                role_arn=inputs.role_arn,
                client_token=client_token(name, self.stack.id, "create"),
                description=f"Plan of {self.assembly.project} {self.assembly.environment}, assembly {self.assembly.digest[:12]}",
                revert_drift=options.revert_drift and self.state.exists,
                import_existing=options.import_existing,
                **source,
            )
        )
        self.run.note(_Made(gateway=self.gateway, created=created, made_stack=made_stack))
        try:
            description = self.gateway.wait_for_change_set(created, no_echo=inputs.no_echo, stopped=self.run.stop.is_set)
            self.run.check()
            yield created, description
        finally:
            if created.arn not in self.kept:
                self.run.forget(created.arn)

    def makes_stack(self) -> bool:
        """Whether the stack is there for our change set only: it was not, or holds nothing but change sets of plans of this environment."""
        if self.live is None:
            return True
        prefix = change_set_prefix(self.assembly.environment)
        return self.live.under_review and all(s.name.startswith(prefix) for s in self.gateway.list_change_sets(self.stack.stack_name))

    def reference(self, created: CreatedChangeSet, description: ChangeSetDescription, *, made_stack: bool) -> ChangeSetRef:
        return ChangeSetRef(
            name=description.name,
            arn=created.arn,
            stack_arn=created.stack_arn,
            type="UPDATE" if self.state.exists else "CREATE",
            client_token=client_token(description.name, self.stack.id, "execute"),
            created_at=description.created_at,
            made_stack=made_stack,
        )

    def validations(self, description: ChangeSetDescription) -> tuple[Validation, ...]:
        try:
            found = self.gateway.validations(description.arn, description.stack_arn)
        except CredentialsError:
            raise
        except AwsError as unread:
            # It only tells what CloudFormation would stop at by itself; without it the changes are known all the same.
            denied = isinstance(unread, AccessDenied)
            self.findings.append(
                Finding(
                    severity="warning" if denied else "note",
                    code="validation_unread",
                    message=f"CloudFormation's validation of the change set could not be read: {unread.message}",
                    command="allow cloudformation:DescribeEvents on the stack, then plan again" if denied else "",
                    stack=self.stack.id,
                )
            )
            return ()
        return tuple(
            Validation(
                logical_id=v.logical_id,
                resource_type=v.resource_type,
                name=v.name,
                path=v.path,
                status=v.status,
                failure_mode=v.failure_mode,
                reason=v.reason,
            )
            for v in found
        )

    # --- what came of it --------------------------------------------------------------------------------------

    def context(self, inputs: Inputs) -> Context:
        after = resolved_resources(self.scope(self.template, inputs.after))
        readable = bool(self.old_template.get("Resources")) or not self.state.exists
        return Context(
            before=resolved_resources(self.scope(self.old_template, inputs.before)) if readable else after,
            after=after,
            schemas=self.run.schemas,
            region=self.stack.region,
            stand_ins=inputs.stand_ins,
            secrets=inputs.secrets,
        )

    def scope(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Scope:
        stack = self.stack
        return Scope(
            template=template, parameters=parameters, account_id=stack.account_id, region=stack.region, stack_name=stack.stack_name
        )

    def unchanged(self, inputs: Inputs, context: Context) -> _Outcome:
        """CloudFormation sees nothing to change; settings may differ all the same, and so may the templates, which would be odd."""
        settings = self.settings()
        odd = () if inputs.waits_for else tuple(c.logical_id for c in all_from_templates(context))
        if odd:
            self.findings.append(self.unlisted(odd))
        operation: StackOperation = "settings" if settings else "none"
        plan = _stack_plan(self.stack, self.state, operation, parameters=inputs.show, settings=settings, findings=tuple(self.findings))
        return _Outcome(plan=plan, produced=self.produced_now(self.hidden_outputs(inputs)))

    def unlisted(self, logical_ids: Iterable[str]) -> Finding:
        return Finding(
            severity="warning",
            code="not_in_change_set",
            message=f"{', '.join(logical_ids)}: deployed and new template differ, but CloudFormation's change set does not list it",
            stack=self.stack.id,
        )

    def refused(
        self,
        inputs: Inputs,
        context: Context,
        description: ChangeSetDescription,
        validations: tuple[Validation, ...],
        *,
        previewed: bool,
    ) -> _Outcome:
        """The change set failed. With stand-ins that may be because of them: then the templates alone tell what would change."""
        words = description.status_reason or "CloudFormation gives no reason"
        if not previewed:
            finding = Finding(
                severity="error",
                code="change_set_failed",
                message=f"CloudFormation could not make the change set: {words}",
                command=f"python deploy.py plan --env {self.assembly.environment} --only {self.stack.id}",
                stack=self.stack.id,
            )
            plan = _blocked(self.stack, self.state, (*self.findings, finding), parameters=inputs.show, validations=validations)
            return _Outcome(plan=plan)
        self.findings.append(
            Finding(
                severity="warning",
                code="preview_failed",
                message=f"CloudFormation would not preview it with stand-in values ({words}); the changes are our comparison of templates",
                stack=self.stack.id,
            )
        )
        return self.changed(inputs, context, all_from_templates(context), validations, None)

    def changed(
        self,
        inputs: Inputs,
        context: Context,
        resources: tuple[ResourceChange, ...],
        validations: tuple[Validation, ...],
        reference: ChangeSetRef | None,
    ) -> _Outcome:
        left_out = tuple(c.logical_id for c in resources if not c.in_change_set)
        if left_out:
            self.findings.append(self.unlisted(left_out))
        if self.live is not None and self.live.under_review and reference is not None and not reference.made_stack:
            self.findings.append(
                Finding(
                    severity="note",
                    code="empty_stack_there",
                    message="the empty stack of somebody else's change set is there already and will be used",
                    stack=self.stack.id,
                )
            )
        self.findings += [
            Finding(
                severity="error" if v.failure_mode == "FAIL" and v.status == "FAILED" else "warning",
                code="validation_failed",
                message=f"{v.logical_id}{v.path and ' ' + v.path}: {v.reason} ({v.name})",
                stack=self.stack.id,
            )
            for v in validations
        ]
        policy = self.gateway.get_stack_policy(self.stack.stack_name) if self.state.exists else None
        refused = forbidden(policy, resources)
        if refused:
            self.findings.append(
                Finding(
                    severity="error",
                    code="stack_policy_forbids",
                    message=f"the stack policy in force forbids to change {', '.join(refused)} in this way",
                    command=f"aws cloudformation get-stack-policy --stack-name {self.stack.stack_name} --region {self.stack.region}",
                    stack=self.stack.id,
                )
            )
        blocked = any(f.severity == "error" for f in self.findings)
        produced = self.produced_after(resources, context, inputs)
        plan = _stack_plan(
            self.stack,
            self.state,
            "blocked" if blocked else "update" if self.state.exists else "create",
            change_set=None if inputs.waits_for else reference,
            waits_for=inputs.waits_for,
            parameters=inputs.show,
            resources=resources,
            outputs=self.output_changes(produced, inputs),
            settings=self.settings(),
            validations=validations,
            widenings=widenings(self.stack.id, context.before, context.after),
            policy_forbids=refused,
            findings=tuple(self.findings),
        )
        return _Outcome(plan=plan, produced=produced)

    def settings(self) -> tuple[SettingChange, ...]:
        """Termination protection and stack policy, where they are not as the assembly wants them. Protection is never switched off here."""
        found = []
        on = self.live is not None and self.live.termination_protection
        if self.stack.termination_protection and not on:
            found.append(SettingChange(setting="termination_protection", before="off", after="on"))
        if self.stack.stack_policy is not None:
            policy = self.gateway.get_stack_policy(self.stack.stack_name) if self.state.exists else None
            if policy is None or _canonical(policy) != _canonical(self.stack.stack_policy):
                found.append(SettingChange(setting="stack_policy", before=policy or "", after=self.stack.stack_policy))
        return tuple(found)

    # --- outputs ----------------------------------------------------------------------------------------------

    def produced_now(self, hidden: frozenset[str] = frozenset()) -> Produced:
        """The outputs of a stack that stays as it is."""
        outputs = dict(self.live.outputs) if self.live is not None and self.state.exists else {}
        return Produced(outputs=outputs, account_id=self.stack.account_id, region=self.stack.region, hidden=hidden)

    def hidden_outputs(self, inputs: Inputs) -> frozenset[str]:
        """Outputs, deployed or to be, that would show a NoEcho parameter."""
        old = resolved_outputs(self.scope(self.old_template, inputs.before))
        new = resolved_outputs(self.scope(self.template, inputs.after))
        return frozenset(name for side in (old, new) for name, value in side.items() if holds_secret(value))

    def produced_after(self, resources: tuple[ResourceChange, ...], context: Context, inputs: Inputs) -> Produced:
        """The outputs of a stack that changes, as far as they can be told before."""
        old = resolved_outputs(self.scope(self.old_template, inputs.before))
        new = resolved_outputs(self.scope(self.template, inputs.after))
        live = self.live.outputs if self.live is not None and self.state.exists else {}
        return Produced(
            outputs={name: output_after(value, live.get(name), old.get(name), resources, context) for name, value in new.items()},
            expressions=new,
            resource_types={i: str(body.get("Type", "")) for i, body in context.after.items()},
            account_id=self.stack.account_id,
            region=self.stack.region,
            hidden=self.hidden_outputs(inputs),
        )

    def output_changes(self, produced: Produced, inputs: Inputs) -> tuple[OutputChange, ...]:
        live = self.live.outputs if self.live is not None and self.state.exists else {}

        def shown(name: str, text: str) -> Value:
            return Redacted() if name in produced.hidden or any(secret in text for secret in inputs.secrets) else Known(text=text)

        found = []
        for name in sorted({*live, *produced.outputs}):
            before = None if name not in live else shown(name, live[name])
            if name not in produced.outputs:
                found.append(OutputChange(name=name, change="remove", before=before))
                continue
            value = produced.outputs[name]
            if value is None and before is not None:
                after = Redacted() if name in produced.hidden else value_of(produced.expressions[name])
                found.append(OutputChange(name=name, change="maybe", before=before, after=after))
            elif before is None:
                found.append(OutputChange(name=name, change="add", after=None if value is None else shown(name, value)))
            elif value != live[name]:
                found.append(OutputChange(name=name, change="modify", before=before, after=shown(name, value or "")))
        return tuple(found)


def _canonical(policy: str) -> str:
    try:
        return json.dumps(documents.loads(policy), sort_keys=True)
    except ValueError:
        return policy


def _produced(done: Mapping[str, _Outcome]) -> dict[str, Produced]:
    return {stack: outcome.produced for stack, outcome in done.items()}
