"""The plan of a stack that takes over what exists: first everything as it is, then what differs.

In: what a `StackPlanner` has; what is to be taken over, by the request or since a deleted stack of that name kept it. Out: `Planned` with
the operation `import`.
Never: an import that would change something, or of which the next update would replace what was taken over.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import msgspec

from assembly.commands import deploy
from assembly.files import sha256
from assembly.model import INLINE_TEMPLATE_LIMIT, HostedZoneRef, LiteralValue
from aws.cloudformation.change_sets import ChangeSetDescription, ChangeSetRequest, ResourceImport
from aws.cloudformation.requests import ParameterValue, client_token
from aws.errors import AwsError, CredentialsError
from changes.by_template import all_from_templates
from changes.model import ResourceChange
from inventory.wanted import IMPORTABLE
from planning.existing import existing
from planning.inputs import Inputs
from planning.model import AnyStackPlan, ChangeSetRef, StackPlan, TakenOver
from planning.plans import blocked
from planning.request import Request, change_set_name
from planning.run import Planned
from planning.stack import StackPlanner
from takeover.kept import kept
from takeover.known import substituted
from takeover.live import masked
from takeover.model import KEPT, Import, Live, Taken
from takeover.preparation import Preparation, identified
from takeover.template import fingerprint, names
from templates.intrinsics import after_mark, resolved_resources
from templates.values import Known, Redacted, Unknown, Value


class ImportPlanner(StackPlanner):
    """The plan of one stack, which may take over what exists."""

    deployed: Mapping[str, Any]
    """The template that the stack has before it takes anything over."""
    known: Mapping[str, Live] = MappingProxyType({})
    """What was taken over, by logical id: references to it are values in both templates."""

    @property
    def tags_of_the_new(self) -> Mapping[str, str]:
        """An import gives a stack no tags."""
        return {} if self._imports else super().tags_of_the_new

    _imports = False

    def look(self) -> None:
        super().look()
        self.old_template = substituted(self.old_template, self.known)

    def changes(self, inputs: Inputs, source: Mapping[str, str]) -> Planned:
        taken = self.taken()
        if not taken:
            return super().changes(inputs, source)
        self.deployed = self.old_template
        found = self.prepared(taken, inputs)
        if self.findings.blocked:
            return Planned(plan=blocked(self.stack, self.state, tuple(self.findings), parameters=inputs.show))
        if not found.lives:
            return super().changes(inputs, source)
        self._imports = True
        self.template = substituted(self.template, found.by_id)
        self.old_template = masked(substituted(found.template, found.by_id))
        context = self.context(replace(inputs, before={**self.static(inputs), **inputs.before}))
        self.existing = existing(self.run, self.stack, self.template, context.after, context.before)
        self.findings += self.existing.findings
        resources = all_from_templates(context)
        self.refuse_replacements(resources, found)
        self.run.progress(self.stack.id, "making a change set that takes over what exists")
        with contextlib.ExitStack() as stack:
            role_known = inputs.role_arn is not None or self.stack.service_role is None
            makes = role_known and not self.read_only and not self.findings.blocked
            reference = self.reviewed(stack, inputs, found) if makes else None
            planned = self.changed(inputs, context, resources, (), None)
            assert isinstance(planned.plan, StackPlan)
            if planned.plan.operation == "blocked":
                return planned
            if reference is not None:
                self.kept.add(reference.arn)
        return replace(planned, plan=taking_over(planned.plan, found, reference))

    def reviewed(self, stack: contextlib.ExitStack, inputs: Inputs, found: Import) -> ChangeSetRef | None:
        """The change set that takes over; None, and a finding, where CloudFormation would not or would do anything else."""
        made_stack = self.makes_stack()
        request = self.import_request(inputs, found, self.run.request)
        if request is None:
            return None
        created, description = stack.enter_context(self.change_set(inputs, {}, made_stack=made_stack, request=request))
        if self.refuses(description, found):
            return None
        return self.reference(created, description, made_stack=made_stack, imports=True)

    # --- what is there ----------------------------------------------------------------------------------------

    def taken(self) -> tuple[Taken, ...]:
        """What is to be taken over that the stack does not have yet."""
        asked = tuple(each for each in self.run.request.taken if each.stack == self.stack.id)
        have = frozenset(self.old_template.get("Resources", {})) if self.state.exists else frozenset()
        found = tuple(each for each in asked if each.logical_id not in have)
        for each in asked:
            if each.logical_id in have:
                self.findings.note("taken_already", f"{each.logical_id}: the stack has it already ({identified(each)})")
        if have:
            return found
        # Of a stack whose import was rolled back nothing is left either.
        try:
            more = kept(self.stack, self.template, self.gateway, self.run.schemas, besides=frozenset(each.logical_id for each in found))
            if not found and all(each.type in IMPORTABLE for each in more):
                # Those go the way they went, by their names. Beside an import they come with it: others refer to them.
                more = ()
        except CredentialsError:
            raise
        except AwsError as error:
            self.findings.note("kept_unknown", f"what a deleted stack of this name kept could not be looked up: {error}")
            more = ()
        self._kept = frozenset(each.logical_id for each in more)
        return (*found, *more)

    _kept: frozenset[str] = frozenset()
    """Logical ids of what nobody asked for: what is no more there is no mistake."""

    def prepared(self, taken: Iterable[Taken], inputs: Inputs) -> Import:
        """Everything that is taken over, as it is now; findings of severity error for what cannot be."""
        preparation = Preparation(
            assembly=self.assembly,
            stack=self.stack,
            template=self.template,
            deployed=self.deployed,
            gateways=self.run.gateways,
            schemas=self.run.schemas,
            parameters=self.kept_for_import(inputs),
            service_role=None if self.read_only else inputs.role_arn,
            unasked=self._kept,
        )
        found, problems = preparation.prepared(taken, lambda template: resolved_resources(self.scope(template, self.static(inputs))))
        for each in problems:
            told = self.findings.error if each.stops else self.findings.warning
            told(each.code, each.message, each.command or deploy("adopt", self.assembly.environment))
        return found

    def kept_for_import(self, inputs: Inputs) -> frozenset[str]:
        """Parameters that the import may have: fixed ones that the update after it leaves as they are."""
        return frozenset(n for n in self.fixed & inputs.after.keys() if inputs.before.get(n) in (None, inputs.after[n]))

    @property
    def fixed(self) -> frozenset[str]:
        """Parameters whose value needs no other stack, and is no secret."""
        return frozenset(p.name for p in self.stack.parameters if isinstance(p.source, (LiteralValue, HostedZoneRef)) and not p.no_echo)

    def static(self, inputs: Inputs) -> dict[str, str]:
        """Values of parameters, the same when the plan is made and when it is applied: marks for those that need another stack."""
        return {name: value if name in self.fixed else after_mark(name) for name, value in inputs.after.items()}

    def refuse_replacements(self, resources: Iterable[ResourceChange], found: Import) -> None:
        """What is taken over and then replaced would be lost to those who use it."""
        for each in resources:
            if each.logical_id in found.by_id and each.replacement.verdict == "yes":
                told = "; ".join(
                    f"{p.path}: {shown(p.before)}, ours {shown(p.after)}" for p in each.properties if p.path in each.replacement.because
                )
                self.findings.error(
                    "import_replaced",
                    f"{each.logical_id} would be taken over and then replaced, as it cannot be changed in place ({told})",
                    f"edit environments/{self.assembly.environment}.yaml until it has what exists, or leave {each.logical_id} out",
                )

    # --- the change set -----------------------------------------------------------------------------------------

    def import_request(self, inputs: Inputs, found: Import, request: Request) -> ChangeSetRequest | None:
        """CreateChangeSet of type IMPORT; a finding where the template is too long."""
        body = json.dumps(found.template, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        source = {"template_body": body}
        if len(body.encode()) > INLINE_TEMPLATE_LIMIT:
            assembly = self.assembly
            url = self.run.gateways.upload_template(
                assembly.artifact_bucket,
                body.encode(),
                sha256=sha256(body.encode()),
                account_id=assembly.account_id,
                region=assembly.home_region,
            )
            if url is None:
                self.findings.error(
                    "artifact_bucket_missing",
                    f"the template that takes over {names(found.lives)} has more than 51,200 bytes, which go through the artifact bucket"
                    f" {assembly.artifact_bucket}, and there is none yet",
                    deploy("apply", assembly.environment, "--only", assembly.stacks[0].id),
                )
                return None
            source = {"template_url": url}
        name = change_set_name(request)
        have = self.deployed.get("Parameters", {})
        return ChangeSetRequest(
            stack=self.stack.stack_name,
            name=name,
            type="IMPORT",
            parameters=(
                *(ParameterValue(name=each, value=None) for each in self.deployed.get("Parameters", {})),
                *(each for each in inputs.send if each.name in found.template.get("Parameters", {}) and each.name not in have),
            ),
            capabilities=self.stack.capabilities,
            role_arn=inputs.role_arn,
            client_token=client_token(name, self.stack.id, "import"),
            description=f"Takes over {names(found.lives)}"[:1024],
            imports=tuple(
                ResourceImport(resource_type=each.taken.type, logical_id=each.taken.logical_id, identifier=dict(each.taken.identifier))
                for each in found.lives
            ),
            template_body=source.get("template_body"),
            template_url=source.get("template_url"),
        )

    def refuses(self, description: ChangeSetDescription, found: Import) -> bool:
        """Whether CloudFormation would not do it, or would do more than to import; with a finding."""
        if description.status == "FAILED":
            words = description.status_reason or "CloudFormation gives no reason"
            self.findings.error(
                "change_set_failed",
                f"CloudFormation would not take over {names(found.lives)}: {words}",
                deploy("adopt", self.assembly.environment),
            )
            return True
        done = {each.logical_id: each.action for each in (*description.without_values, *description.with_values)}
        if done != dict.fromkeys(found.by_id, "Import"):
            told = ", ".join(f"{action} {logical_id}" for logical_id, action in sorted(done.items())) or "nothing"
            self.findings.error(
                "import_does_more",
                f"the change set that takes over {names(found.lives)} would do something else: {told}",
                deploy("plan", self.assembly.environment, "--only", self.stack.id),
            )
            return True
        return False


def taking_over(plan: StackPlan, found: Import, reference: ChangeSetRef | None) -> StackPlan:
    """The plan of the update, with what is taken over before it."""
    return msgspec.structs.replace(
        plan,
        operation="import",
        change_set=reference,
        takes=tuple(
            TakenOver(
                logical_id=each.taken.logical_id,
                resource_type=each.taken.type,
                identifier=dict(each.taken.identifier),
                physical_id=each.ref,
                source=each.taken.source,
                sha256=fingerprint(found.template["Resources"][each.taken.logical_id]),
            )
            for each in found.lives
        ),
    )


def verb_of(stacks: Iterable[AnyStackPlan]) -> str:
    """The verb that plans the same again: only `adopt` knows of what it found."""
    taken = (each for stack in stacks if isinstance(stack, StackPlan) for each in stack.takes)
    return "adopt" if any(each.source != KEPT for each in taken) else "plan"


def shown(value: Value | None) -> str:
    """Cut, as it may be long."""
    match value:
        case None:
            return "nothing"
        case Redacted():
            return "(hidden)"
        case Known() | Unknown():
            return value.text if len(value.text) <= 80 else f"{value.text[:77]}..."
