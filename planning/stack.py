"""The plan of one stack: what CloudFormation's change set and the two templates say.

In: the run, a stack of the assembly, what the stacks before it produce. Out: `Planned`.
Never: executes anything; keeps the change set of a stack that is blocked, previewed or unchanged.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assembly.commands import deploy
from assembly.files import sha256
from assembly.model import INLINE_TEMPLATE_LIMIT, Stack
from aws.cloudformation.change_sets import ChangeSetDescription, ChangeSetRequest, CreatedChangeSet, NothingToChange
from aws.cloudformation.requests import client_token
from aws.cloudformation.stacks import StackDescription
from aws.errors import AccessDenied, AwsError, CredentialsError
from changes.by_template import all_from_templates
from changes.change_set import from_change_set
from changes.context import Context
from changes.model import PropertyChange, ResourceChange
from changes.record_shapes import policy_refusal
from changes.stack_policy import OPEN, forbidden, same_policy
from changes.widenings import widenings
from guards import documents
from planning import outputs
from planning.existing import Existing, existing
from planning.findings import Findings
from planning.inputs import Inputs, Produced, resolve_inputs
from planning.model import (
    ABSENT,
    ChangeSetRef,
    Finding,
    SettingChange,
    StackOperation,
    StackState,
    Validation,
)
from planning.plans import blocked, stack_plan
from planning.read_only import uncompared, withheld
from planning.request import change_set_name, change_set_prefix
from planning.run import Made, Planned, PlanningRun
from planning.states import in_the_way
from templates.intrinsics import Scope, after_mark, resolved_outputs, resolved_resources
from templates.values import Known


def _known(text: str | None) -> Known | None:
    return None if text is None else Known(text=text)


class StackPlanner:
    """The plan of one stack."""

    def __init__(self, run: PlanningRun, stack: Stack, produced: Mapping[str, Produced]) -> None:
        self.run, self.stack, self.produced = run, stack, produced
        self.assembly = run.request.assembly
        self.gateway = run.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn)
        self.body = run.request.templates[stack.id]
        self.template: dict[str, Any] = documents.loads(self.body)
        self.live: StackDescription | None = None
        self.old_template: dict[str, Any] = {}
        self.state = ABSENT
        self.findings = Findings(stack.id)
        self.read_only = run.request.options.read_only
        self.existing = Existing()

    def plan(self) -> Planned:
        self.look()
        obstacle = in_the_way(self.assembly.environment, self.stack.id, self.live)
        if obstacle is not None:
            return Planned(plan=blocked(self.stack, self.state, (obstacle,)), produced=self.produced_now())
        inputs = self.inputs()
        self.findings += inputs.findings
        moved = policy_refusal(self.old_template, self.template, self.assembly.environment, self.stack)
        if moved is not None:
            self.findings.error("record_policy", *moved)
        source = self.source() if not inputs.findings and self.asks_cloudformation else {}
        if self.findings.blocked:
            return Planned(plan=blocked(self.stack, self.state, tuple(self.findings), parameters=inputs.show))
        self.run.check()
        return self.changes(inputs, source)

    def inputs(self) -> Inputs:
        return resolve_inputs(
            self.assembly,
            self.stack,
            self.template,
            live=self.deployed_stack.parameters if self.deployed_stack is not None else {},
            produced=self.produced,
            gateways=self.run.gateways,
            read_only=self.read_only,
        )

    # --- looking ----------------------------------------------------------------------------------------------

    @property
    def deployed_stack(self) -> StackDescription | None:
        """The stack, if it has ever had a resource."""
        return self.live if self.state.exists else None

    def look(self) -> None:
        """Read the stack as it is; one that seems to be worked on is looked at again, since reads may be some seconds old."""
        self.live = self.gateway.settled_stack(self.stack.stack_name)
        if self.live is None or self.live.status == "DELETE_COMPLETE":
            self.live = None
            self.run.beside(self.run.request.first_look)
            return
        if self.live.under_review:
            self.run.beside(self.run.request.first_look)
            self.state = StackState(exists=False, stack_arn=self.live.arn, status=self.live.status, changed_at=self.live.changed_at)
            return
        text = self.gateway.get_template(self.stack.stack_name)
        with contextlib.suppress(ValueError):
            found = documents.loads(text or "{}")
            self.old_template = found if isinstance(found, dict) else {}
        if text and not self.old_template.get("Resources"):
            self.findings.note(
                "template_unreadable",
                "the deployed template is not JSON: changes are CloudFormation's word alone, and no policy is compared",
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
        if self.read_only:
            return self.inline()
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
        inline = self.inline()
        if not inline:
            self.findings.error(
                "artifact_bucket_missing",
                f"the template of {self.stack.id} has {self.stack.template.size:,} bytes; more than 51,200 go through the artifact"
                f" bucket {assembly.artifact_bucket}, which account {assembly.account_id} does not have yet",
                deploy("apply", assembly.environment, "--only", assembly.stacks[0].id),
            )
        return inline

    def inline(self) -> dict[str, str]:
        """The same document without the spacing that is for readers, if it is short enough then."""
        close = json.dumps(documents.loads(self.body), separators=(",", ":"), ensure_ascii=False)
        return {"template_body": close} if len(close.encode()) <= INLINE_TEMPLATE_LIMIT else {}

    @property
    def asks_cloudformation(self) -> bool:
        """Whether a change set is made. Read-only not of a stack that is not there: it would leave an empty one behind."""
        return (self.state.exists or not self.read_only) and not withheld(self.stack, self.run.request)

    # --- the change set ---------------------------------------------------------------------------------------

    def changes(self, inputs: Inputs, source: Mapping[str, str]) -> Planned:
        context = self.context(inputs)
        self.existing = existing(self.run, self.stack, self.template, context.after, context.before)
        self.findings += self.existing.findings
        if not source:
            if self.same(inputs):
                return self.unchanged(inputs, context)
            self.findings += uncompared(self.stack, self.run.request, there=self.state.exists)
            return self.changed(inputs, context, all_from_templates(context), (), None)
        previewed = bool(inputs.waits_for)
        made_stack = self.makes_stack()
        self.run.progress(self.stack.id, "previewing" if previewed else "making a change set")
        try:
            with self.change_set(inputs, source, made_stack=made_stack) as (created, description):
                if description.nothing_to_change:
                    return self.unchanged(inputs, context)
                validations = self.validations(description)
                if description.failed:
                    return self.refused(inputs, context, description, validations, previewed=previewed)
                resources = from_change_set(description, context)
                if not previewed and not self.read_only:
                    self.kept.add(created.arn)
                return self.changed(inputs, context, resources, validations, self.reference(created, description, made_stack=made_stack))
        except NothingToChange:
            return self.unchanged(inputs, context)

    def same(self, inputs: Inputs) -> bool:
        """Whether the stack is there already with this template, these parameters and tags, which takes nobody's word."""
        given = any(p.changed for p in inputs.show) or bool(self.tags())
        return self.state.exists and self.old_template == self.template and not given

    @contextlib.contextmanager
    def change_set(
        self, inputs: Inputs, source: Mapping[str, str], *, made_stack: bool, request: ChangeSetRequest | None = None
    ) -> Iterator[tuple[CreatedChangeSet, ChangeSetDescription]]:
        """A change set for as long as the block runs; it outlives it only if it is in `kept`."""
        self.kept: set[str] = set()
        created = self.gateway.create_change_set(request or self.change_set_request(inputs, source))
        self.run.record(Made(gateway=self.gateway, created=created, made_stack=made_stack))
        try:
            description = self.gateway.wait_for_change_set(created, no_echo=inputs.no_echo, stopped=self.run.stop.is_set)
            self.run.check()
            yield created, description
        finally:
            if created.arn not in self.kept:
                self.run.forget(created.arn)

    def change_set_request(self, inputs: Inputs, source: Mapping[str, str]) -> ChangeSetRequest:
        request, options = self.run.request, self.run.request.options
        name = change_set_name(request)
        return ChangeSetRequest(
            stack=self.stack.stack_name,
            name=name,
            type="UPDATE" if self.state.exists else "CREATE",
            parameters=inputs.send,
            capabilities=self.stack.capabilities,
            tags=self.stack.tags,
            # An existing stack keeps the role that it has; a planner may pass none.
            role_arn=None if self.read_only else inputs.role_arn,
            client_token=client_token(name, self.stack.id, "create"),
            description=f"Plan of {self.assembly.project} {self.assembly.environment}, assembly {self.assembly.digest[:12]}",
            revert_drift=options.revert_drift and self.state.exists,
            import_existing=options.import_existing or self.existing.take_over,
            template_body=source.get("template_body"),
            template_url=source.get("template_url"),
        )

    def makes_stack(self) -> bool:
        """Whether the stack is there for our change set only: it was not, or holds nothing but change sets of plans of this environment."""
        if self.live is None:
            return True
        prefix = change_set_prefix(self.assembly.environment)
        return self.live.under_review and all(s.name.startswith(prefix) for s in self.gateway.list_change_sets(self.stack.stack_name))

    def reference(
        self, created: CreatedChangeSet, description: ChangeSetDescription, *, made_stack: bool, imports: bool = False
    ) -> ChangeSetRef:
        return ChangeSetRef(
            name=description.name,
            arn=created.arn,
            stack_arn=created.stack_arn,
            type="IMPORT" if imports else "UPDATE" if self.state.exists else "CREATE",
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

        def blurred(parameter: str) -> dict[str, dict[str, Any]]:
            return resolved_resources(self.scope(self.template, {**inputs.after, parameter: after_mark(parameter)}))

        return Context(
            before=resolved_resources(self.scope(self.old_template, inputs.before)) if readable else after,
            after=after,
            schemas=self.run.schemas,
            region=self.stack.region,
            placeholders=inputs.placeholders,
            secrets=inputs.secrets,
            comparable=readable and not any("Transform" in template for template in (self.old_template, self.template)),
            blurred=blurred,
        )

    def scope(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Scope:
        stack = self.stack
        return Scope(
            template=template, parameters=parameters, account_id=stack.account_id, region=stack.region, stack_name=stack.stack_name
        )

    def unchanged(self, inputs: Inputs, context: Context) -> Planned:
        """CloudFormation sees nothing to change; settings may differ all the same, and so may the templates, which would be odd."""
        settings = self.settings()
        odd = () if inputs.waits_for else tuple(c.logical_id for c in all_from_templates(context))
        if odd:
            self.findings.append(self.unlisted(odd))
        operation: StackOperation = "settings" if settings or self.existing.replaces else "none"
        given: dict[str, Any] = {"parameters": inputs.show, "settings": settings, "replaces": self.existing.replaces}
        plan = stack_plan(self.stack, self.state, operation, findings=tuple(self.findings), **given)
        produced = self.produced_now(self.hidden_outputs(inputs))
        return Planned(plan=plan, produced=produced, context=context)

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
    ) -> Planned:
        """The change set failed. With placeholder values that may be because of them: then the templates alone tell what would change."""
        words = description.status_reason or "CloudFormation gives no reason"
        if not previewed:
            finding = Finding(
                severity="error",
                code="change_set_failed",
                message=f"CloudFormation could not make the change set: {words}",
                command=deploy("plan", self.assembly.environment, "--only", self.stack.id),
                stack=self.stack.id,
            )
            plan = blocked(self.stack, self.state, (*self.findings, finding), parameters=inputs.show, validations=validations)
            return Planned(plan=plan)
        self.findings.warning(
            "preview_failed",
            f"CloudFormation would not preview it with placeholder values ({words}); the changes are our comparison of templates",
        )
        return self.changed(inputs, context, all_from_templates(context), validations, None)

    def changed(
        self,
        inputs: Inputs,
        context: Context,
        resources: tuple[ResourceChange, ...],
        validations: tuple[Validation, ...],
        reference: ChangeSetRef | None,
    ) -> Planned:
        left_out = tuple(c.logical_id for c in resources if not c.in_change_set)
        if left_out:
            self.findings.append(self.unlisted(left_out))
        if self.live is not None and self.live.under_review and reference is not None and not reference.made_stack:
            self.findings.note("empty_stack_there", "the empty stack of somebody else's change set is there already and will be used")
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
            self.findings.error(
                "stack_policy_forbids",
                f"the stack policy in force forbids to change {', '.join(refused)} in this way; if it is meant, open this policy"
                " and plan again: " + ("apply puts the assembly's policy back" if self.stack.stack_policy else "it stays open then"),
                f"aws cloudformation set-stack-policy --stack-name {self.stack.stack_name} --region {self.stack.region}"
                f" --stack-policy-body '{OPEN}'",
            )
        blocked = self.findings.blocked
        produced = self.produced_after(resources, context, inputs)
        plan = stack_plan(
            self.stack,
            self.state,
            "blocked" if blocked else "update" if self.state.exists else "create",
            change_set=None if inputs.waits_for or self.read_only else reference,
            waits_for=inputs.waits_for,
            parameters=inputs.show,
            resources=resources,
            outputs=outputs.changes(self.live_outputs, produced, inputs.secrets, resources),
            settings=self.settings(),
            tags=self.tags(),
            validations=validations,
            widenings=widenings(self.stack.id, context.before, context.after),
            replaces=self.existing.replaces,
            policy_forbids=refused,
            findings=tuple(self.findings),
        )
        return Planned(plan=plan, produced=produced, context=context)

    def tags(self) -> tuple[PropertyChange, ...]:
        """Tags of a stack that is there which change."""
        old: Mapping[str, str] = self.deployed_stack.tags if self.deployed_stack is not None else self.tags_of_the_new
        return tuple(
            PropertyChange(path=key, attribute="Tags", before=_known(old.get(key)), after=_known(self.stack.tags.get(key)))
            for key in sorted({*old, *self.stack.tags})
            if old.get(key) != self.stack.tags.get(key)
        )

    @property
    def tags_of_the_new(self) -> Mapping[str, str]:
        """Tags that a stack which is not there has before it is changed."""
        return self.stack.tags

    def settings(self) -> tuple[SettingChange, ...]:
        """Termination protection and stack policy, where they are not as the assembly wants them. Protection is never switched off here."""
        found = []
        on = self.live is not None and self.live.termination_protection
        if self.stack.termination_protection and not on:
            found.append(SettingChange(setting="termination_protection", before="off", after="on"))
        if self.stack.stack_policy is not None:
            policy = self.gateway.get_stack_policy(self.stack.stack_name) if self.state.exists else None
            if policy is None or not same_policy(policy, self.stack.stack_policy):
                found.append(SettingChange(setting="stack_policy", before=policy or "", after=self.stack.stack_policy))
        if on and not self.stack.termination_protection:
            self.findings.note("protection_stays", "termination protection stays on, as an edit takes no protection off; destroy can")
        return tuple(found)

    # --- outputs ----------------------------------------------------------------------------------------------

    @property
    def live_outputs(self) -> Mapping[str, str]:
        return self.deployed_stack.outputs if self.deployed_stack is not None else {}

    def produced_now(self, hidden: frozenset[str] = frozenset()) -> Produced:
        """The outputs of a stack that stays as it is."""
        return Produced(outputs=dict(self.live_outputs), account_id=self.stack.account_id, region=self.stack.region, hidden=hidden)

    def hidden_outputs(self, inputs: Inputs) -> frozenset[str]:
        """Outputs, deployed or to be, that would show a NoEcho parameter."""
        return outputs.hidden(*self.resolved_outputs(inputs))

    def resolved_outputs(self, inputs: Inputs) -> tuple[dict[str, Any], dict[str, Any]]:
        """Each output's value in the deployed and in the new template."""
        old = resolved_outputs(self.scope(self.old_template, inputs.before))
        return old, resolved_outputs(self.scope(self.template, inputs.after))

    def produced_after(self, resources: tuple[ResourceChange, ...], context: Context, inputs: Inputs) -> Produced:
        """The outputs of a stack that changes, as far as they can be told before."""
        old, new = self.resolved_outputs(inputs)
        live = self.live_outputs
        return Produced(
            outputs={name: outputs.output_after(value, live.get(name), old.get(name), resources, context) for name, value in new.items()},
            expressions=new,
            resource_types={i: str(body.get("Type", "")) for i, body in context.after.items()},
            account_id=self.stack.account_id,
            region=self.stack.region,
            hidden=outputs.hidden(old, new),
        )
