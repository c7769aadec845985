"""What is defended less after a change than before.

In: resolved resources of one stack before and after. Out: `PostureChange` values.
Never: judges policies (`changes.widenings` does, public access blocks with them), or what is only added, which was not defended before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from changes.context import Resources
from consequences.confirmation import SUBSCRIPTION
from consequences.firewall import weakened_rules
from consequences.headers import weakened
from consequences.model import PostureChange, PostureKind
from templates.intrinsics import marked, text_of

Body = Mapping[str, Any]
Found = Iterator[tuple[PostureKind, str, str, str]]
"""Kind, subject, before, after."""

TLS_VERSIONS = (
    "SSLv3",
    "TLSv1",
    "TLSv1_2016",
    "TLSv1.1_2016",
    "TLSv1.2_2018",
    "TLSv1.2_2019",
    "TLSv1.2_2021",
    "TLSv1.2_2025",
    "TLSv1.3_2025",
)
"""CloudFront's security policies, from the weakest. Source: CloudFront Developer Guide, "Supported protocols and ciphers"."""
_SSE = ("", "AES256", "aws:kms", "aws:kms:dsse")
"""S3 encrypts everything with AES256 at the least. Source: S3 User Guide, "Setting default server-side encryption"."""


def loosened(stack: str, before: Resources, after: Resources) -> tuple[PostureChange, ...]:
    """Every way in which a resource is defended less than its predecessor."""
    found: list[PostureChange] = []
    for logical_id, old, new in pairs(before, after):
        kind = str(new["Type"])
        place = {"stack": stack, "logical_id": logical_id, "resource_type": kind}
        for posture, subject, was, now in (*_of_any(old, new), *_BY_TYPE.get(kind, _nothing)(_properties(old), _properties(new))):
            found.append(PostureChange(**place, kind=posture, subject=subject, before=_shown(was), after=_shown(now)))
    for logical_id, gone in before.items():
        if gone.get("Type") == SUBSCRIPTION and not any(body.get("Type") == SUBSCRIPTION for body in after.values()):
            was = _shown(text_of(_properties(gone).get("Endpoint", "")))
            place = {"stack": stack, "logical_id": logical_id, "resource_type": SUBSCRIPTION}
            found.append(PostureChange(**place, kind="alarms_unheard", subject="", before=was))
    return tuple(found)


def pairs(before: Resources, after: Resources) -> Iterator[tuple[str, Body, Body]]:
    """A resource after and what it was before: of the same name, else the only one of its type that went where one came."""
    for logical_id, new in after.items():
        kind = new.get("Type")
        old = before.get(logical_id)
        if old is not None and old.get("Type") == kind:
            yield logical_id, old, new
            continue
        gone = [body for name, body in before.items() if body.get("Type") == kind and after.get(name, {}).get("Type") != kind]
        came = [name for name, body in after.items() if body.get("Type") == kind and before.get(name, {}).get("Type") != kind]
        if len(gone) == len(came) == 1:
            yield logical_id, gone[0], new


def behaviours(properties: Body) -> dict[str, Body]:
    """A distribution's cache behaviours by path pattern, the default one as "*"."""
    config = _mapping(properties.get("DistributionConfig"))
    found = {"*": _mapping(config.get("DefaultCacheBehavior"))}
    for each in _list(config.get("CacheBehaviors")):
        found[str(_mapping(each).get("PathPattern", ""))] = _mapping(each)
    return found


def checks_requests(behaviour: Body) -> bool:
    """A Lambda@Edge function sees every request first: here that is Basic Auth. Signed URLs are as good."""
    edge = any(_mapping(each).get("EventType") == "viewer-request" for each in _list(behaviour.get("LambdaFunctionAssociations")))
    return edge or bool(_list(behaviour.get("TrustedKeyGroups"))) or bool(_list(behaviour.get("TrustedSigners")))


# --- any type -----------------------------------------------------------------------------------------------------


def _nothing(_old: Body, _new: Body) -> Found:
    yield from ()


def _of_any(old: Body, new: Body) -> Found:
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        was, now = str(old.get(policy, "Delete")), str(new.get(policy, "Delete"))
        if was.startswith(("Retain", "Snapshot")) and now == "Delete":
            yield "protection_lifted", policy, was, now


def _shown(text: str) -> str:
    return "(hidden)" if marked(text) else text


def _properties(body: Body) -> Body:
    return _mapping(body.get("Properties"))


def _mapping(value: Any) -> Body:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _on(value: Any) -> bool:
    """CloudFormation takes booleans as text, too."""
    return str(value).lower() == "true"


def _lost(kind: PostureKind, *path: str) -> Callable[[Body, Body], Found]:
    """Something that was set and is not any more."""

    def check(old: Body, new: Body) -> Found:
        was, now = _at(old, path), _at(new, path)
        if was and not now:
            yield kind, ".".join(path), text_of(was), ""

    return check


def _off(kind: PostureKind, *path: str) -> Callable[[Body, Body], Found]:
    """A switch that was on."""

    def check(old: Body, new: Body) -> Found:
        if _on(_at(old, path)) and not _on(_at(new, path)):
            yield kind, ".".join(path), "on", "off"

    return check


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        body = _mapping(body).get(part)
    return body


def _all(*checks: Callable[[Body, Body], Found]) -> Callable[[Body, Body], Found]:
    def check(old: Body, new: Body) -> Found:
        for each in checks:
            yield from each(old, new)

    return check


# --- S3, logs, tables ---------------------------------------------------------------------------------------------


def _days(value: Any) -> float:
    """Days that something is kept; for ever where nothing is said."""
    text = str(value) if value is not None else ""
    return int(text) if text.isdecimal() else float("inf")


def _kept(days: float) -> str:
    return "for ever" if days == float("inf") else f"{days:.0f} days"


def _retention(old: Body, new: Body) -> Found:
    was, now = _days(old.get("RetentionInDays")), _days(new.get("RetentionInDays"))
    if now < was:
        yield "retention_shortened", "RetentionInDays", _kept(was), _kept(now)


def _expiries(properties: Body) -> dict[str, float]:
    """Days after which versions, or objects, are deleted, by what and where."""
    found: dict[str, float] = {}
    for rule in map(_mapping, _list(_at(properties, ("LifecycleConfiguration", "Rules")))):
        if rule.get("Status") == "Disabled":
            continue
        where = str(rule.get("Prefix") or "") or text_of(rule["Filter"]) if rule.get("Prefix") or rule.get("Filter") else ""
        noncurrent = _at(rule, ("NoncurrentVersionExpiration", "NoncurrentDays")) or rule.get("NoncurrentVersionExpirationInDays")
        for what, days in (("objects", rule.get("ExpirationInDays")), ("old versions", noncurrent)):
            if days is not None:
                key = f"{what} below {where}" if where else what
                found[key] = min(found.get(key, float("inf")), _days(days))
    return found


def _bucket(old: Body, new: Body) -> Found:
    was, now = _sse(old), _sse(new)
    if _SSE.index(now) < _SSE.index(was) and was != "AES256":
        yield "encryption_weakened", "BucketEncryption", was, now or "AES256"
    if _at(old, ("VersioningConfiguration", "Status")) == "Enabled" != _at(new, ("VersioningConfiguration", "Status")):
        yield "protection_lifted", "VersioningConfiguration", "Enabled", str(_at(new, ("VersioningConfiguration", "Status")) or "")
    before, after = _expiries(old), _expiries(new)
    for what in sorted(after):
        if after[what] < before.get(what, float("inf")):
            yield "retention_shortened", what, _kept(before.get(what, float("inf"))), _kept(after[what])
    public = str(new.get("AccessControl", ""))
    if public.startswith("Public") and not str(old.get("AccessControl", "")).startswith("Public"):
        yield "public_access", "AccessControl", str(old.get("AccessControl", "")), public
    owner = [str((_list(_at(each, ("OwnershipControls", "Rules"))) or [{}])[0].get("ObjectOwnership", "")) for each in (old, new)]
    if owner[0] == "BucketOwnerEnforced" != owner[1]:
        yield "public_access", "OwnershipControls", owner[0], owner[1] or "access control lists count"


def _replication(old: Body, new: Body) -> Found:
    was, now = old.get("ReplicationConfiguration"), new.get("ReplicationConfiguration")
    if was and not now:
        yield "replication_off", str(old.get("BucketName") or "the bucket"), "", ""


def _sse(properties: Body) -> str:
    rules = _list(_at(properties, ("BucketEncryption", "ServerSideEncryptionConfiguration")))
    found = str(_at(rules[0], ("ServerSideEncryptionByDefault", "SSEAlgorithm")) or "") if rules else ""
    return found if found in _SSE else ""


# --- CloudFront ---------------------------------------------------------------------------------------------------


def _distribution(old: Body, new: Body) -> Found:
    was, now = behaviours(old), behaviours(new)
    for path, behaviour in now.items():
        # A path without a behaviour of its own was served by the default one.
        earlier = was.get(path, was["*"])
        if checks_requests(earlier) and not checks_requests(behaviour):
            yield "authentication_off", path, "asked", "open to everybody"
        if behaviour.get("ViewerProtocolPolicy") == "allow-all" != earlier.get("ViewerProtocolPolicy"):
            yield "plaintext_allowed", path, str(earlier.get("ViewerProtocolPolicy", "")), "allow-all"
        if earlier.get("ResponseHeadersPolicyId") and not behaviour.get("ResponseHeadersPolicyId"):
            yield "header_removed", f"all headers of the policy on {path}", "", ""
    tls = [str(_at(each, ("DistributionConfig", "ViewerCertificate", "MinimumProtocolVersion")) or "TLSv1") for each in (old, new)]
    if all(each in TLS_VERSIONS for each in tls) and TLS_VERSIONS.index(tls[1]) < TLS_VERSIONS.index(tls[0]):
        yield "tls_lowered", "MinimumProtocolVersion", tls[0], tls[1]
    if _at(old, ("DistributionConfig", "WebACLId")) and not _at(new, ("DistributionConfig", "WebACLId")):
        yield "protection_lifted", "the firewall before the distribution", "asked", "not asked"
    yield from _lost("logging_off", "DistributionConfig", "Logging")(old, new)
    yield from _origins(old, new)


def _origins(old: Body, new: Body) -> Found:
    before = {str(each.get("Id")): each for each in map(_mapping, _list(_at(old, ("DistributionConfig", "Origins"))))}
    for after in map(_mapping, _list(_at(new, ("DistributionConfig", "Origins")))):
        earlier = before.get(str(after.get("Id")), {})
        if earlier.get("OriginAccessControlId") and not after.get("OriginAccessControlId"):
            yield "protection_lifted", f"OriginAccessControl of origin {after.get('Id')}", "requests are signed", "not signed"
        protocols = [str(_at(each, ("CustomOriginConfig", "OriginProtocolPolicy")) or "") for each in (earlier, after)]
        if protocols[0] == "https-only" != protocols[1] != "":
            yield "plaintext_allowed", f"origin {after.get('Id')}", protocols[0], protocols[1]


def _headers(old: Body, new: Body) -> Found:
    yield from weakened(_mapping(old.get("ResponseHeadersPolicyConfig")), _mapping(new.get("ResponseHeadersPolicyConfig")))


def _web_acl(old: Body, new: Body) -> Found:
    for name, before, after in weakened_rules(old, new):
        yield "protection_lifted", f"firewall rule {name}", before, after


def _function_url(old: Body, new: Body) -> Found:
    if new.get("AuthType") == "NONE" != old.get("AuthType"):
        yield "public_access", "AuthType", str(old.get("AuthType", "")), "NONE"


_BY_TYPE: Mapping[str, Callable[[Body, Body], Found]] = {
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudFront::ResponseHeadersPolicy": _headers,
    "AWS::DynamoDB::Table": _all(
        _off("protection_lifted", "DeletionProtectionEnabled"),
        _off("protection_lifted", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
        _off("encryption_weakened", "SSESpecification", "SSEEnabled"),
    ),
    "AWS::Lambda::Url": _function_url,
    "AWS::Logs::LogGroup": _all(
        _retention, _lost("encryption_weakened", "KmsKeyId"), _off("protection_lifted", "DeletionProtectionEnabled")
    ),
    "AWS::S3::Bucket": _all(
        _bucket,
        _lost("protection_lifted", "ObjectLockConfiguration"),
        _replication,
        _lost("logging_off", "LoggingConfiguration"),
    ),
    "AWS::SNS::Topic": _lost("encryption_weakened", "KmsMasterKeyId"),
    "AWS::SQS::Queue": _lost("encryption_weakened", "KmsMasterKeyId"),
    "AWS::WAFv2::WebACL": _web_acl,
    "AWS::SecretsManager::Secret": _lost("encryption_weakened", "KmsKeyId"),
}
