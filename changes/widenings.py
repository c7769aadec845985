"""Which IAM and resource policies would allow more than they do now.

In: resolved resources before and after. Out: `Widening` values.
Never: asks IAM, or stays silent where it is unsure: what it cannot prove to be covered by a statement that was there before is reported.

A policy is read as grants: (principal, action, resource, conditions). A grant of an Allow statement is covered if one statement before
allowed it; a refusal of a Deny statement is kept if one statement after refuses it. Both directions are sound, neither is complete: a
grant that two old statements only cover together is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from changes.model import Widening, WideningKind
from templates.intrinsics import text_of
from templates.policies import Field, Resources, Statement, conditions_cover, documents, plain_text, shown_conditions, statements, texts


@dataclass(frozen=True)
class PolicyStatements:
    """Statements of the resource policies in every stack of a plan, by the type of the policy: one that moved with its resource counts."""

    allowed: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    """Before."""
    refused: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    """After."""


NOWHERE = PolicyStatements()


def widenings(stack: str, before: Resources, after: Resources, elsewhere: PolicyStatements = NOWHERE) -> tuple[Widening, ...]:
    """Every way in which the policies of `after` allow more than those of `before`; both are resolved resources by logical id."""
    found: list[Widening] = []
    for logical_id in sorted({*before, *after}):
        old, new = before.get(logical_id, {}), after.get(logical_id, {})
        kind = str(new.get("Type") or old.get("Type") or "")
        about = _About(stack, logical_id, kind, elsewhere.allowed.get(kind, ()), elsewhere.refused.get(kind, ()))
        if old.get("Type") != new.get("Type") and old and new:
            old = {}
        found += _widened(about, old.get("Properties") or {}, new.get("Properties") or {}, exists=bool(new))
    return tuple(found)


@dataclass(frozen=True)
class _About:
    stack: str
    logical_id: str
    resource_type: str
    allowed: tuple[Statement, ...] = ()
    refused: tuple[Statement, ...] = ()

    def widening(
        self, kind: WideningKind, path: str, statement: str = "", before: str = "", after: str = "", *, everything: bool = False
    ) -> Widening:
        return Widening(
            stack=self.stack,
            logical_id=self.logical_id,
            resource_type=self.resource_type,
            path=path,
            kind=kind,
            statement=statement,
            before=before,
            after=after,
            grants_everything=everything,
        )


def _widened(about: _About, old: Mapping[str, Any], new: Mapping[str, Any], *, exists: bool) -> Iterator[Widening]:
    old_documents, new_documents = dict(documents(old)), dict(documents(new))
    for path in sorted({*old_documents, *new_documents}):
        yield from compare(about, path, statements(old_documents.get(path)), statements(new_documents.get(path)))
    if about.resource_type == "AWS::Lambda::Permission":
        yield from compare(about, "", _permission(old), _permission(new))
    attached = [arn for arn in texts(new.get("ManagedPolicyArns")) if arn not in texts(old.get("ManagedPolicyArns"))]
    for arn in attached:
        everything = arn.endswith(("/AdministratorAccess", "/IAMFullAccess", "/PowerUserAccess"))
        yield about.widening("managed_policy_attached", "ManagedPolicyArns", after=arn, everything=everything)
    if about.resource_type in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        for holder in ("Roles", "Users", "Groups"):
            for name in texts(new.get(holder)):
                if name not in texts(old.get(holder)):
                    yield about.widening("policy_attached", holder, after=name)
    if exists and "PermissionsBoundary" in old and old["PermissionsBoundary"] != new.get("PermissionsBoundary"):
        gone = "PermissionsBoundary" not in new
        yield about.widening(
            "boundary_removed" if gone else "boundary_changed",
            "PermissionsBoundary",
            before=plain_text(old["PermissionsBoundary"]),
            after="" if gone else plain_text(new["PermissionsBoundary"]),
            everything=gone,
        )
    blocks, blocked = old.get("PublicAccessBlockConfiguration"), new.get("PublicAccessBlockConfiguration")
    if exists and isinstance(blocks, Mapping):
        for name, value in sorted(blocks.items()):
            now = blocked.get(name, False) if isinstance(blocked, Mapping) else False
            if text_of(value).lower() == "true" and text_of(now).lower() != "true":
                path = f"PublicAccessBlockConfiguration.{name}"
                yield about.widening("public_access_unblocked", path, before="true", after=text_of(now), everything=True)


def moving(resources: Iterable[Mapping[str, Any]], effect: Literal["Allow", "Deny"]) -> dict[str, tuple[Statement, ...]]:
    """By type of policy the statements that name both whom and what they are about, so that they say the same wherever they stand."""
    found: dict[str, list[Statement]] = {}
    for body in resources:
        for _, document in documents(body.get("Properties") or {}):
            found.setdefault(str(body.get("Type")), []).extend(
                s for s in statements(document) if s.effect == effect and s.names_principals and s.names_resources
            )
    return {kind: tuple(listed) for kind, listed in found.items() if listed}


def _permission(properties: Mapping[str, Any]) -> tuple[Statement, ...]:
    """AWS::Lambda::Permission as the statement that Lambda adds to the function's policy."""
    if "Action" not in properties:
        return ()
    limits = [
        (name, properties[name]) for name in ("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken") if name in properties
    ]
    limits += [(name, properties[name]) for name in ("FunctionUrlAuthType", "InvokedViaFunctionUrl") if name in properties]
    return (
        Statement(
            name="",
            effect="Allow",
            principals=Field(texts(properties.get("Principal"))),
            actions=Field(texts(properties["Action"]), fold=True),
            resources=Field(texts(properties.get("FunctionName"))),
            conditions=frozenset(("ArnLike" if name == "SourceArn" else "StringEquals", name, frozenset(texts(v))) for name, v in limits),
        ),
    )


def compare(about: _About, path: str, old: tuple[Statement, ...], new: tuple[Statement, ...]) -> Iterator[Widening]:
    """Widenings of one policy document."""
    allowed = [*(s for s in old if s.effect == "Allow"), *about.allowed]
    for statement in (s for s in new if s.effect == "Allow"):
        extra = [g for g in statement.grants if not any(was.covers(statement, *g) for was in allowed)]
        if extra:
            yield from _explain(about, path, statement, extra, old)
    refused = [s for s in new if s.effect == "Deny"]
    for statement in (s for s in old if s.effect == "Deny"):
        lost = [g for g in statement.grants if not any(now.covers(statement, *g) for now in (*refused, *about.refused))]
        if lost:
            now = _counterpart(statement, refused)
            kind: WideningKind = "deny_narrowed" if now else "deny_removed"
            yield about.widening(kind, path, statement.name, before=statement.shown, after=now.shown if now else "")


def _explain(
    about: _About, path: str, statement: Statement, extra: list[tuple[str, str, str]], old: tuple[Statement, ...]
) -> Iterator[Widening]:
    everything = statement.grants_everything
    was = _counterpart(statement, [s for s in old if s.effect == "Allow"])
    turned = next((s for s in old if s.effect == "Deny" and s.name == statement.name and not s.name.startswith("#")), None)
    if was is None and turned is not None:
        yield about.widening("effect_allowed", path, statement.name, turned.shown, statement.shown, everything=everything)
        return
    if was is None:
        yield about.widening("statement_added", path, statement.name, after=statement.shown, everything=everything)
        return
    told = False
    dimensions: tuple[tuple[WideningKind, Field, Field], ...] = (
        ("action_added", was.actions, statement.actions),
        ("resource_added", was.resources, statement.resources),
        ("principal_added", was.principals, statement.principals),
    )
    for kind, before, after in dimensions:
        index = {"action_added": 1, "resource_added": 2, "principal_added": 0}[kind]
        items = tuple(dict.fromkeys(g[index] for g in extra if not before.covers(after, g[index])))
        if items:
            told = True
            yield about.widening(kind, path, statement.name, before.shown, ", ".join(items), everything=everything)
    if not conditions_cover(was.conditions, statement.conditions):
        told = True
        gone = {(o, k) for o, k, _ in was.conditions} - {(o, k) for o, k, _ in statement.conditions}
        condition: Literal["condition_removed", "condition_changed"] = "condition_removed" if gone else "condition_changed"
        before_text, after_text = shown_conditions(was.conditions), shown_conditions(statement.conditions)
        yield about.widening(condition, path, statement.name, before_text, after_text, everything=everything)
    if not told:
        yield about.widening("statement_added", path, statement.name, after=statement.shown, everything=everything)


def _counterpart(statement: Statement, candidates: Iterable[Statement]) -> Statement | None:
    """The statement that it used to be, or has become: the one of the same Sid, else the one that it shares most with."""
    listed = list(candidates)
    for other in listed:
        if other.name == statement.name and not other.name.startswith("#"):
            return other
    scored = [(_likeness(statement, other), -i, other) for i, other in enumerate(listed)]
    best = max(scored, key=lambda s: s[:2], default=None)
    return best[2] if best is not None and best[0] >= 1.0 else None


def _likeness(left: Statement, right: Statement) -> float:
    def shared(a: Field, b: Field) -> float:
        both = {*a.items} | {*b.items}
        return len({*a.items} & {*b.items}) / len(both) if both and a.negated == b.negated else 0.0

    return (
        shared(left.actions, right.actions)
        + shared(left.resources, right.resources) * 0.75
        + shared(left.principals, right.principals) * 0.25
    )
