"""The values of a rollout: one plan over every stack and StackSet of an environment, and what was found while making it.

In: nothing but its own fields; every type here is a frozen value that `msgspec` encodes to and decodes from `plan.json`.
Out: `Plan`, the only thing that a review renders and that apply executes.
Never: no AWS, no file access, no text for one kind of reader only (that is `review/`), no secret: a value that may be one is
`Redacted` before it gets here.

Words: a *placeholder value* is a made-up value for an output that an earlier stack of the same plan will only produce when it is
executed. A stack planned with placeholder values is *previewed*: its change set was read and deleted again, and apply makes the real
one.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from assembly.commands import deploy
from assembly.files import canonical_json, sha256
from assembly.model import Frozen, OperationPreferences, Stack
from changes.model import PropertyChange, ResourceChange, Widening
from consequences.model import Consequences
from planning.removals import Removal
from templates.values import Value
from website.content_plan import ContentPlan

FORMAT = 1
"""Version of the `plan.json` format; the reader refuses any other."""


class Validation(Frozen, frozen=True, kw_only=True):
    """One result of CloudFormation's pre-deployment validation of a change set (DescribeEvents, VALIDATION_ERROR)."""

    logical_id: str
    resource_type: str
    name: str
    path: str
    status: str
    """FAILED or SKIPPED."""
    failure_mode: str
    """FAIL stops the execution, WARN does not."""
    reason: str


class Finding(Frozen, frozen=True, kw_only=True):
    """Something the reader must know beside the changes. An `error` means that the plan cannot be applied as it is."""

    severity: Literal["error", "warning", "note"]
    code: str
    """Stable name for machines, e.g. "stack_rollback_complete"."""
    message: str
    command: str = ""
    """The next command to type, if there is one."""
    stack: str = ""


# --- stacks -------------------------------------------------------------------------------------------------------


class StackState(Frozen, frozen=True, kw_only=True):
    """A stack as it was when the plan was made; what apply compares with to tell whether it has moved since."""

    exists: bool
    """False also for a stack that is REVIEW_IN_PROGRESS: it has never had a resource."""
    stack_arn: str | None = None
    status: str | None = None
    """CloudFormation's StackStatus."""
    changed_at: str | None = None
    """LastUpdatedTime, else CreationTime; ISO 8601, UTC."""
    template_sha256: str | None = None
    """Of the deployed template's text (GetTemplate, stage Original)."""
    drift: str | None = None
    """StackDriftStatus at the last check."""


ABSENT = StackState(exists=False)
STACK_MOVED = "stack_moved"
"""Code of the finding that an edit would make stacks a second time elsewhere. What else is in the way then is the environment that stands,
which nobody is to delete or take over, so that it is the only one."""


class ParameterPlan(Frozen, frozen=True, kw_only=True):
    """What a template parameter is given, and what it has now."""

    name: str
    source: str
    """Where the value comes from, e.g. "literal", "output certificate.CertificateArn", "hosted zone example.org", "secret"."""
    before: Value | None
    after: Value | None
    keeps_previous: bool = False
    """Sent as UsePreviousValue: a secret that has not changed."""
    changed: bool = False


class OutputChange(Frozen, frozen=True, kw_only=True):
    """An output of the stack that changes, or may."""

    name: str
    change: Literal["add", "modify", "remove", "maybe"]
    """`maybe`: it may keep its value or get another one; only the execution can tell."""
    before: Value | None = None
    after: Value | None = None


class SettingChange(Frozen, frozen=True, kw_only=True):
    """A setting of the stack itself that no change set carries and apply makes by a call of its own."""

    setting: Literal["termination_protection", "stack_policy"]
    before: str
    after: str


class ChangeSetRef(Frozen, frozen=True, kw_only=True):
    """A change set that waits at CloudFormation to be executed by apply or deleted when the plan is dropped."""

    name: str
    arn: str
    stack_arn: str
    type: Literal["CREATE", "UPDATE", "IMPORT"]
    client_token: str
    """ClientRequestToken for its execution; it shows on the events that the execution causes."""
    created_at: str
    """ISO 8601, UTC."""
    made_stack: bool
    """The plan made the (empty, REVIEW_IN_PROGRESS) stack for it, so dropping the plan deletes the stack too."""


class ExistingRecord(Frozen, frozen=True, kw_only=True):
    """A record set that stands where the stack makes its own: apply deletes it just before, and writes it back if the stack fails."""

    logical_id: str
    zone_id: str
    record: dict[str, Any]
    """As Route 53 has it (API ResourceRecordSet); it is deleted only while it is exactly so."""
    beside: tuple[dict[str, Any], ...] = ()
    """Made in the change that deletes it, and deleted when the stack has its own: the same answer, with weight 0. Empty: a gap."""


class TakenOver(Frozen, frozen=True, kw_only=True):
    """A resource that exists and that the stack takes over, as it is."""

    logical_id: str
    resource_type: str
    identifier: dict[str, str]
    """ResourceIdentifier in ResourcesToImport."""
    physical_id: str
    source: str
    """How it was found, for a person."""
    sha256: str
    """Fingerprint of its properties as they were when the plan was made; apply refuses another one."""


StackOperation = Literal["create", "update", "import", "settings", "none", "blocked"]
"""`import`: the stack takes over what exists (`takes`), which changes nothing, and is then changed as `resources` says.
`settings`: nothing but termination protection or stack policy changes. `blocked`: see the findings of severity error."""


class Place(Frozen, frozen=True, kw_only=True):
    """Which stack or StackSet, and where it is."""

    stack: str
    """Stack id of the assembly."""
    stack_name: str
    """For a StackSet the StackSet's name."""
    account_id: str
    region: str

    @property
    def place(self) -> dict[str, Any]:
        """The fields of a place, to make another value of the same one."""
        return {name: getattr(self, name) for name in Place.__struct_fields__}


def planned_place(stack: Stack) -> dict[str, Any]:
    """Where a stack of the assembly is, and the role to work there with: the first fields of its plan."""
    return {
        "stack": stack.id,
        "stack_name": stack.stack_name,
        "account_id": stack.account_id,
        "region": stack.region,
        "role_arn": stack.role_arn,
    }


class StackPlan(Place, frozen=True, kw_only=True, tag="stack", tag_field="kind"):
    """What becomes of one stack."""

    role_arn: str | None
    operation: StackOperation
    depends_on: tuple[str, ...]
    state: StackState
    template_sha256: str
    change_set: ChangeSetRef | None = None
    """None where there is nothing to execute, and for a previewed stack. For `import` the one that takes over, of type IMPORT."""
    waits_for: tuple[str, ...] = ()
    """ "STACK.OUTPUT" of every placeholder value; not empty means previewed: apply makes the real change set when they are known."""
    parameters: tuple[ParameterPlan, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    tags: tuple[PropertyChange, ...] = ()
    """Tags of the stack that change, which CloudFormation gives to all of its resources; `path` is the key."""
    validations: tuple[Validation, ...] = ()
    widenings: tuple[Widening, ...] = ()
    replaces: tuple[ExistingRecord, ...] = ()
    """Records that go before the change set is executed (--replace-records)."""
    policy_forbids: tuple[str, ...] = ()
    """Logical ids whose change the stack policy in force will refuse."""
    takes: tuple[TakenOver, ...] = ()
    """`import`: what is taken over."""
    findings: tuple[Finding, ...] = ()

    @property
    def previewed(self) -> bool:
        """Apply makes the real change set and compares it with this one."""
        return bool(self.waits_for)


InstanceAction = Literal["create", "update", "remove", "retain", "adopt", "none"]
"""`remove`: with its stack. `retain`: it leaves the set, its stack stays. `adopt`: a stack takes over what is there, then joins the set."""


class InstancePlan(Frozen, frozen=True, kw_only=True):
    """What becomes of a StackSet's instance in one account and region."""

    account_id: str
    """For SERVICE_MANAGED the account of an instance that exists, or empty for one that Organizations will choose."""
    region: str
    organizational_unit: str = ""
    action: InstanceAction
    status: str = ""
    """Instance status now: CURRENT, OUTDATED, INOPERABLE; empty if there is none."""
    reason: str = ""
    """Why it is acted on, or AWS's own StatusReason."""
    drift: str = ""
    """DRIFTED, IN_SYNC or NOT_CHECKED, as the last detection left it; empty where AWS does not say."""
    overrides: dict[str, str] = msgspec.field(default_factory=dict)
    """Parameters that have a value of their own in this instance, which the set's value does not reach."""
    adopts: dict[str, str] = msgspec.field(default_factory=dict)
    """`adopt`: logical id to the name of the existing resource that the instance's stack takes over."""


StackSetOperation = Literal["create", "update", "instances", "none", "blocked"]
"""`instances`: the set stays as it is, only instances are created, updated or removed."""


class StackSetPlan(Place, frozen=True, kw_only=True, tag="stackset", tag_field="kind"):
    """What becomes of one StackSet. CloudFormation has no preview of them: all of it is our prediction."""

    role_arn: str | None
    operation: StackSetOperation
    depends_on: tuple[str, ...]
    exists: bool
    stack_set_id: str | None
    template_sha256: str
    deployed_template_sha256: str | None
    preferences: OperationPreferences
    waits_for: tuple[str, ...] = ()
    parameters: tuple[ParameterPlan, ...] = ()
    resources: tuple[ResourceChange, ...] = ()
    """Differences of the two templates; the same in every instance."""
    settings_changed: tuple[str, ...] = ()
    """Names of the set's own settings that change: "administration role", "tags", "description", ..."""
    instances: tuple[InstancePlan, ...] = ()
    widenings: tuple[Widening, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def previewed(self) -> bool:
        """Parameters hold placeholder values."""
        return bool(self.waits_for)


AnyStackPlan = StackPlan | StackSetPlan


class Superseded(Place, frozen=True, kw_only=True):
    """A resource that its stack has replaced and kept for those who still used it: another stack, or what AWS deletes only later."""

    role_arn: str | None
    logical_id: str
    resource_type: str
    physical_id: str
    since: str = ""
    """When its stack let go of it, ISO 8601, UTC; empty: this very plan replaces it."""
    reason: str = ""
    """AWS's words, where it would not let CloudFormation delete it."""


# --- the plan -----------------------------------------------------------------------------------------------------


class Options(Frozen, frozen=True, kw_only=True):
    """What the plan was asked for."""

    revert_drift: bool = False
    import_existing: bool = False
    replace_records: bool = False
    """Records of others that stand where a stack makes its own are deleted just before."""
    removed_instances: Literal["default", "keep", "delete"] = "default"
    """What becomes of the stacks of StackSet instances that are no target any more; by default those that hold data are kept."""
    only: tuple[str, ...] = ()
    """Stack ids asked for by --only together with their dependencies; empty: all."""
    interrupt_site: bool = False
    """Visitors may be without the site for some minutes, as another bucket takes the place of the one with its content."""
    remove: bool = False
    """Stacks that are no more wanted are deleted."""
    lift_protection: bool = False
    """With `remove`: also those that have termination protection."""
    local: bool = False
    """Made against the local AWS; apply refuses it against the real one and the other way round."""
    read_only: bool = False
    """Left nothing at AWS and read no secret: apply makes the real change sets, and executes those that do what was approved."""


class Plan(Frozen, frozen=True, kw_only=True):
    """Everything that apply will do, and what it was computed from."""

    format: int = FORMAT
    environment: str
    project: str
    account_id: str
    protected: bool
    assembly_digest: str
    created_at: str
    """ISO 8601, UTC."""
    created_by: str
    """ARN of the caller."""
    options: Options
    stacks: tuple[AnyStackPlan, ...]
    """In catalogue order: a stack comes after all that it depends on."""
    findings: tuple[Finding, ...] = ()
    """Those that are about no single stack."""
    content: ContentPlan | None = None
    """What is published when the stacks stand; None where the plan is about the stacks alone."""
    superseded: tuple[Superseded, ...] = ()
    """What is removed last of all, once every stack stands and uses what has taken its place."""
    consequences: Consequences | None = None
    """What it means for those who wait, visit, defend and pay; None where nothing changes, or nothing can be applied."""
    removals: tuple[Removal, ...] = ()
    """Stacks and StackSets of the environment that the assembly no longer has, each before those that it depends on; deleted once every
    stack stands, if that was asked for (`options.remove`) or is approved by itself."""
    digest: str = ""
    """sha256 of this document with an empty digest, in canonical form."""

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The plan's own and every stack's, in order."""
        return self.findings + tuple(f for s in self.stacks for f in s.findings)

    @property
    def blocked(self) -> bool:
        """It cannot be applied as it is."""
        return any(f.severity == "error" for f in self.all_findings)

    @property
    def has_changes(self) -> bool:
        """Something would change if it were applied."""
        if any(s.operation not in ("none", "blocked") for s in self.stacks) or any(each.since for each in self.superseded):
            return True
        if self.removals and self.options.remove:
            return True
        return self.content is not None and self.content.has_changes

    @property
    def change_sets(self) -> tuple[ChangeSetRef, ...]:
        """Every change set that waits at CloudFormation because of this plan."""
        return tuple(s.change_set for s in self.stacks if isinstance(s, StackPlan) and s.change_set is not None)


def plan_bytes(plan: Plan) -> bytes:
    """`plan.json` as written. What it has nothing of it does not mention, like plans from before there was any."""
    found = msgspec.to_builtins(plan)
    for name in ("content", "superseded", "consequences", "removals"):
        if not getattr(plan, name):
            del found[name]
    if not plan.options.read_only:
        del found["options"]["read_only"]
    for stack in found["stacks"]:
        if not stack.get("takes"):
            stack.pop("takes", None)
    return canonical_json(found)


def plan_digest(plan: Plan) -> str:
    """The digest of the whole; independent of what `plan.digest` says now."""
    return sha256(plan_bytes(msgspec.structs.replace(plan, digest="")))


def plan_command(plan: Plan) -> str:
    """What makes a plan like this one."""
    content = f" {plan.content.option}" if plan.content is not None else ""
    return deploy("plan", plan.environment) + content


def sealed(plan: Plan) -> Plan:
    """The same plan with its digest filled in."""
    return msgspec.structs.replace(plan, digest=plan_digest(plan))
