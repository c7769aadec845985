"""What a plan takes away that others lean on who are not in it: other environments of the account, workflows, people, other accounts.

In: the changes of a stack and its resolved resources before. Out: `Consequence` values, what would stop and for whom.
Never: asks AWS; knows who the others are. So a provider that the whole account logs in by is never deleted, and the rest is told.

Sources: IAM User Guide, "Create an OpenID Connect (OIDC) identity provider" (deleting one lets every AssumeRoleWithWebIdentity by it fail);
"Delete IAM policies" (an attached policy is not deleted: DeleteConflict); SNS Developer Guide, DeleteTopic (its subscriptions go with it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from changes.context import Resources
from changes.model import ResourceChange
from consequences.model import Consequence
from templates.intrinsics import references
from templates.policies import texts
from templates.resources import RETAINING

PROVIDER, ROLE, POLICY, TOPIC = "AWS::IAM::OIDCProvider", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::SNS::Topic"


def leaned_on(changes: Iterable[ResourceChange], before: Resources, file: str) -> Iterator[Consequence]:
    """Of one stack, in the order of its changes. `file`: the environment's."""
    for change in changes:
        certain = change.action == "remove" or (change.action == "modify" and change.replacement.verdict != "no")
        if not certain:
            continue
        body = before.get(change.logical_id, {})
        if change.resource_type == PROVIDER:
            yield _provider(change, file, stays=_stays(change, body))
        elif not _stays(change, body):
            message = _message(change, body, before)
            if message:
                # Subscriptions of a topic are mostly the stack's own.
                severity: Literal["warning", "note"] = "note" if change.resource_type == TOPIC else "warning"
                yield Consequence(severity=severity, code="leaned_on", message=message)


def _stays(change: ResourceChange, body: Mapping[str, Any]) -> bool:
    if change.policy_action is not None:
        return change.policy_action in ("Retain", "ReplaceAndRetain")
    return body.get("DeletionPolicy" if change.action == "remove" else "UpdateReplacePolicy") in RETAINING


def _provider(change: ResourceChange, file: str, *, stays: bool) -> Consequence:
    issuer = (change.physical_id or "").partition("oidc-provider/")[2] or "its issuer"
    if stays:
        message = (
            f"{change.logical_id} stays in the account when the stack lets go of it, and workflows log in by it as before; from then on no"
            " stack looks after it"
        )
        return Consequence(severity="note", code="leaned_on", message=message)
    message = (
        f"{change.logical_id} would be deleted: an account has one OIDC provider of {issuer} for all, and no workflow could log in by it"
        " any more, neither this environment's nor those of others in the account"
    )
    edit = f"edit {file}: github.create_provider: true, build and apply once (the stack then keeps it when it lets go), only then false"
    return Consequence(severity="error", code="leaned_on", message=message, command=edit)


def _message(change: ResourceChange, body: Mapping[str, Any], before: Resources) -> str:
    goes = "goes" if change.action == "remove" else "is replaced" if change.replacement.verdict == "yes" else "may be replaced"
    what = f"{change.logical_id} ({change.physical_id})" if change.physical_id else change.logical_id
    properties = body.get("Properties", {})
    if change.resource_type == ROLE and _from_outside(properties.get("AssumeRolePolicyDocument")):
        return (
            f"{what} {goes}: whoever assumes it from outside (variables of workflows, people, roles of other accounts that name its ARN or"
            " trust it) cannot any more"
        )
    if change.resource_type == POLICY and not _attached(change.logical_id, before):
        return (
            f"{what} {goes}: no stack attaches it, so people or roles of others may have it; they lose it, and while it is attached IAM"
            " does not delete it"
        )
    if change.resource_type == TOPIC:
        return f"{what} {goes}: subscriptions that were made by hand go with it"
    return ""


def _from_outside(document: Any) -> bool:
    """Somebody but a service of AWS may assume it."""
    statements = document.get("Statement", []) if isinstance(document, Mapping) else []
    principals = [s.get("Principal") for s in (statements if isinstance(statements, list) else [statements]) if isinstance(s, Mapping)]
    return any(not isinstance(each, Mapping) or texts(each.get("AWS")) or texts(each.get("Federated")) for each in principals if each)


def _attached(policy: str, before: Resources) -> bool:
    """Another resource of the stack refers to it."""
    return any(named == policy for title, body in before.items() if title != policy for named, _ in references(body))
