"""A plan that changes the way of a standing distribution to its bucket, and what visitors get while it does.

In: the resources of a stack as they are and as they will be, resolved. Out: findings.
Never: asks AWS; takes a policy that it cannot read for one that refuses.

CloudFormation updates a bucket before the distribution that reads it, and the bucket's policy last, since that names the distribution; the
distribution takes minutes in between (CloudFormation User Guide, DependsOn: Ref and Fn::GetAtt make the order). So a new way has to be open
before the distribution goes it, and the old one until it does: a public bucket that is closed in the same update, or a policy that lets
only an Origin Access Identity in, means errors for every visitor. `environments/adoption.py` has the builds that avoid it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assembly.commands import deploy
from gateways.retained import BUCKET
from planning.model import Finding
from planning.request import Request
from planning.run import Planned
from templates.intrinsics import references

Resources = Mapping[str, Mapping[str, Any]]
CODE = "site_cut_off"
DISTRIBUTION, POLICY = "AWS::CloudFront::Distribution", "AWS::S3::BucketPolicy"
CONTROL, PUBLIC = "Origin Access Control", "the public bucket"
_IDENTITY = "Origin Access Identity "


def findings(request: Request, planned: Iterable[Planned]) -> Iterator[Finding]:
    """One for each stack whose distribution would be without a way to its bucket for some minutes."""
    environment = request.assembly.environment
    for each in planned:
        plan, context = each.plan, each.context
        if context is None:
            continue
        ids = {change.logical_id: change.physical_id for change in plan.resources}
        for why, remedy in cut_off(context.before, context.after, ids):
            if request.options.interrupt_site:
                yield Finding(severity="warning", code=CODE, message=why, stack=plan.stack)
            else:
                command = f"edit environments/{environment}.yaml: {remedy}, then build and plan again"
                message = f"{why}. Visitors would notice; it is planned all the same with {deploy('plan', environment, '--interrupt-site')}"
                yield Finding(severity="error", code=CODE, message=message, command=command, stack=plan.stack)


def cut_off(before: Resources, after: Resources, ids: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """Why visitors would get errors, and the edit that avoids it. `ids`: physical ids by logical id, as far as they are known."""
    for title, body in after.items():
        if body.get("Type") != DISTRIBUTION or title not in before:
            continue
        for bucket, made in after.items():
            if made.get("Type") != BUCKET or bucket not in before:
                continue
            name = str(made.get("Properties", {}).get("BucketName", ""))
            old, new = (_ways(each[title], bucket, name) for each in (before, after))
            for way in sorted(new - old):
                if not _lets_in(way, before, bucket, name, ids.get(title)):
                    yield _not_yet(title, bucket, way, old)
            if PUBLIC in old - new and _closes(before[bucket], made):
                yield (
                    f"every page is an error for some minutes: {bucket} is closed to the public first, and {title}, which reads it"
                    " publicly, changes to another way only after that",
                    "adopt: {website_endpoint: {index_document: index.html}, origin: private} for one more step",
                )


def _not_yet(title: str, bucket: str, way: str, old: frozenset[str]) -> tuple[str, str]:
    identity = next((each.removeprefix(_IDENTITY) for each in (*sorted(old), way) if each.startswith(_IDENTITY)), "")
    key = f"origin_access_identity: {identity}" if identity else "website_endpoint: {index_document: index.html}"
    # The policy of the step between lets both ways in, whichever of them is the old one.
    key += ", origin: private" if way.startswith(_IDENTITY) else ""
    return (
        f"every page is an error for some minutes: {title} changes to {way}, and the policy of {bucket}, which comes after it, does not let"
        f" that in yet (it lets in {', '.join(sorted(old)) or 'nobody'})",
        f"adopt: {{{key}}}",
    )


def _ways(distribution: Mapping[str, Any], bucket: str, name: str) -> frozenset[str]:
    """How a distribution reads a bucket; more than one where it has several origins."""
    config = distribution.get("Properties", {}).get("DistributionConfig", {})
    origins = config.get("Origins", []) if isinstance(config, Mapping) else []
    return frozenset(_way(each) for each in origins if isinstance(each, Mapping) and _leads_to(each.get("DomainName"), bucket, name))


def _leads_to(domain: Any, bucket: str, name: str) -> bool:
    if isinstance(domain, str):
        return bool(name) and domain.startswith(f"{name}.s3")
    return any(named == bucket for named, _ in references(domain))


def _way(origin: Mapping[str, Any]) -> str:
    if origin.get("OriginAccessControlId"):
        return CONTROL
    config = origin.get("S3OriginConfig")
    identity = str(config.get("OriginAccessIdentity") or "") if isinstance(config, Mapping) else ""
    return f"{_IDENTITY}{identity.rpartition('/')[2]}" if identity else PUBLIC


def _lets_in(way: str, resources: Resources, bucket: str, name: str, distribution: str | None) -> bool:
    """Whether the bucket's policy lets that way in. What is public may be so by access control lists, which no template shows."""
    policies = [each.get("Properties", {}) for each in resources.values() if each.get("Type") == POLICY]
    documents = [each.get("PolicyDocument") for each in policies if _is_of(each.get("Bucket"), bucket, name)]
    return way == PUBLIC or any(_allows(way, each, distribution) for document in documents for each in _statements(document))


def _is_of(value: Any, bucket: str, name: str) -> bool:
    return value == name if isinstance(value, str) else any(named == bucket for named, _ in references(value))


def _statements(document: Any) -> Iterator[Mapping[str, Any]]:
    found = document.get("Statement", []) if isinstance(document, Mapping) else []
    yield from (each for each in ([found] if isinstance(found, Mapping) else found) if isinstance(each, Mapping))


def _allows(way: str, statement: Mapping[str, Any], distribution: str | None) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    who = principal if isinstance(principal, Mapping) else {"AWS": principal}
    if way == CONTROL:
        return "cloudfront.amazonaws.com" in _texts(who.get("Service")) and _is_about(statement.get("Condition"), distribution)
    identity = way.removeprefix(_IDENTITY)
    return any(each == "*" or each.endswith(f" {identity}") for each in _texts(who.get("AWS"))) or "CanonicalUser" in who


def _is_about(condition: Any, distribution: str | None) -> bool:
    """A condition that names the ARNs of other distributions only lets this one not in."""
    arns = [text for text in _texts(condition) if ":distribution/" in text and "${" not in text]
    return not arns or not distribution or any(arn.endswith(("/" + distribution, "/*")) for arn in arns)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return tuple(text for each in inner for text in _texts(each))


def _closes(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """The public is shut out, or access control lists stop counting, by which objects may be public."""
    closed = [_settings(each) for each in (old, new)]
    return bool(closed[1] - closed[0])


def _settings(bucket: Mapping[str, Any]) -> frozenset[str]:
    properties = bucket.get("Properties", {})
    blocks = properties.get("PublicAccessBlockConfiguration") or {}
    rules = (properties.get("OwnershipControls") or {}).get("Rules") or []
    shut = {name for name in ("IgnorePublicAcls", "RestrictPublicBuckets") if str(blocks.get(name, "")).lower() == "true"}
    enforced = any(isinstance(rule, Mapping) and rule.get("ObjectOwnership") == "BucketOwnerEnforced" for rule in rules)
    return frozenset({*shut, *(["BucketOwnerEnforced"] if enforced else [])})
