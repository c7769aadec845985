"""The values of a change: one resource of a stack, its properties, whether it is replaced, and policies that allow more than before.

In: nothing but its own fields; every type here is a frozen value that `plan.json` holds.
Out: `ResourceChange` and `Widening`, which a plan lists and a review renders.
Never: AWS, files, a secret: a value that may be one is `Redacted` before it gets here.
"""

from __future__ import annotations

from typing import Literal

from assembly.model import Frozen
from templates.values import Value

Action = Literal["add", "modify", "remove", "import", "dynamic", "sync"]
"""CloudFormation's ChangeAction; `sync` is SyncWithActual of a drift-aware change set."""


class Replacement(Frozen, frozen=True, kw_only=True):
    """Whether a modified resource is replaced by a new one.

    `by` says whose word it is: CloudFormation's own, or ours, inferred from the provider schema where CloudFormation says Conditional.
    """

    verdict: Literal["no", "maybe", "yes"]
    by: Literal["cloudformation", "schema"] = "cloudformation"
    because: tuple[str, ...] = ()
    """Paths of the properties that cause it, e.g. "BucketName"."""


class PropertyChange(Frozen, frozen=True, kw_only=True):
    """One property, attribute or tag set of a resource that changes. A value that is absent is None."""

    path: str
    """Dotted path inside the attribute, e.g. "DistributionConfig.Enabled"; empty when the attribute changes as a whole."""
    attribute: str = "Properties"
    """CloudFormation's ResourceAttribute: Properties, Metadata, CreationPolicy, UpdatePolicy, DeletionPolicy, UpdateReplacePolicy, Tags."""
    change: Literal["add", "modify", "remove", "sync"] = "modify"
    before: Value | None = None
    after: Value | None = None
    recreation: Literal["never", "conditionally", "always"] = "never"
    because_of: tuple[str, ...] = ()
    """What makes it change when it is not the template text itself, e.g. "parameter CertificateArn" or "resource Bucket.Arn"."""
    values_from: Literal["change_set", "template"] = "change_set"
    """`template`: CloudFormation gave no values; they come from the deployed template and the new one, resolved."""
    drifted: bool = False
    """`before` is the actual state, which differs from what was deployed last."""
    keeps: bool = False
    """CloudFormation lists it because of what it refers to, and that surely keeps its value: nothing changes."""

    @property
    def is_open(self) -> bool:
        """CloudFormation says that it may change, and not to what."""
        return self.after is None and self.before is None


class ResourceChange(Frozen, frozen=True, kw_only=True):
    """One resource of a stack that changes."""

    logical_id: str
    resource_type: str
    action: Action
    physical_id: str | None = None
    replacement: Replacement = Replacement(verdict="no")
    policy_action: Literal["Delete", "Retain", "Snapshot", "ReplaceAndDelete", "ReplaceAndRetain", "ReplaceAndSnapshot"] | None = None
    """What CloudFormation does with the old resource; None where nothing is deleted or the service does not say."""
    holds_data: bool = False
    """Of a type that holds data of its own (`templates.resources.DATA_HOLDING_TYPES`)."""
    properties: tuple[PropertyChange, ...] = ()
    in_change_set: bool = True
    """False: the templates differ in it but CloudFormation's change set does not list it."""

    @property
    def unaffected(self) -> bool:
        """CloudFormation lists it, and every one of its properties keeps its value."""
        return (
            self.action == "modify" and self.replacement.verdict == "no" and bool(self.properties) and all(p.keeps for p in self.properties)
        )

    @property
    def loses_data(self) -> bool:
        """The resource holds data, and it is removed or may be replaced without the old one being kept."""
        return self.endangers_data and self.policy_action not in ("Retain", "ReplaceAndRetain")

    @property
    def endangers_data(self) -> bool:
        """The resource holds data and is removed or may be replaced, whatever becomes of the old one."""
        return self.holds_data and (self.action == "remove" or self.replacement.verdict != "no")


WideningKind = Literal[
    "statement_added",
    "effect_allowed",
    "action_added",
    "resource_added",
    "principal_added",
    "condition_removed",
    "condition_changed",
    "deny_removed",
    "deny_narrowed",
    "managed_policy_attached",
    "boundary_removed",
    "boundary_changed",
    "policy_attached",
    "public_access_unblocked",
]


class Widening(Frozen, frozen=True, kw_only=True):
    """One way in which an IAM or resource policy allows more than before (a policy that is new allows all that it says)."""

    stack: str
    logical_id: str
    resource_type: str
    path: str
    """Where the policy stands in the resource, e.g. "Policies[deploy].PolicyDocument"."""
    kind: WideningKind
    statement: str
    """Sid of the statement, or its position as "#2"; empty when it is not about one statement."""
    before: str = ""
    after: str = ""
    grants_everything: bool = False
    """A bare "*" as action, resource with a broad action, or principal."""
    follows: bool = False
    """What it is about has another name or place after this plan: the same as before is allowed, on what takes its place."""
