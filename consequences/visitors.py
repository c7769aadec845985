"""What visitors of the site notice of a change.

In: a stack's planned resource changes, its resolved resources before and after. Out: `VisitorEffect` values.
Never: says "nothing" of what it cannot judge: a changed property of a distribution that it does not know is "may notice".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from changes.context import Resources
from changes.model import ResourceChange
from consequences.firewall import counts, limit_of, rules_of
from consequences.model import VisitorEffect, VisitorKind
from consequences.posture import TLS_VERSIONS, behaviours, checks_requests
from templates.intrinsics import marked, text_of, value_of
from templates.values import Redacted

DISTRIBUTION, BUCKET, RECORD = "AWS::CloudFront::Distribution", "AWS::S3::Bucket", "AWS::Route53::RecordSet"
VISITED_RECORDS = frozenset({"A", "AAAA", "CNAME", "HTTPS"})
QUIET = frozenset({"Comment", "Logging", "Staging", "HttpVersion", "IPV6Enabled"})
"""Properties of a distribution whose change no visitor sees: a browser takes the best that both sides have."""
_EDGE = "LambdaFunctionAssociations"


def effects(stack: str, changes: Iterable[ResourceChange], before: Resources, after: Resources) -> tuple[VisitorEffect, ...]:
    """One effect for each thing that is noticed, the certain ones first."""
    origins = {*_origin_buckets(before), *_origin_buckets(after)}
    found: list[VisitorEffect] = []
    for change in changes:
        old, new = before.get(change.logical_id, {}), after.get(change.logical_id, {})
        for kind, certain, was, now in _of_change(change, old, new, origins):
            found.append(
                VisitorEffect(stack=stack, logical_id=change.logical_id, kind=kind, certain=certain, before=_shown(was), after=_shown(now))
            )
    return tuple(sorted(found, key=lambda effect: not effect.certain))


Found = Iterator[tuple[VisitorKind, bool, str, str]]
"""Kind, certain, before, after."""


def _of_change(change: ResourceChange, old: Mapping[str, Any], new: Mapping[str, Any], origins: set[str]) -> Found:
    replaced = change.replacement.verdict
    match change.resource_type:
        case "AWS::CloudFront::Distribution":
            yield from _distribution(change, old, new)
        case "AWS::Route53::RecordSet":
            yield from _record(change, old, new)
        case "AWS::CloudFront::ResponseHeadersPolicy" if change.action == "modify" and old.get("Properties") != new.get("Properties"):
            yield "headers_changed", False, "", ""
        case "AWS::CloudFront::Function" if change.action == "modify" and old != new:
            yield "routing_changed", False, "", ""
        case "AWS::WAFv2::WebACL" if change.action == "modify" and old and new:
            yield from _filtered(old.get("Properties") or {}, new.get("Properties") or {})
        case "AWS::S3::Bucket" if change.logical_id in origins and change.action == "remove":
            yield "content_emptied", True, "", ""
        case "AWS::S3::Bucket" if change.logical_id in origins and change.action == "modify" and replaced != "no":
            yield "content_emptied", replaced == "yes", "", ""


SPOKEN = {"WebACLId": "the firewall before it (WebACLId)"}
"""Settings of a distribution whose name says little."""


def _distribution(change: ResourceChange, old: Mapping[str, Any], new: Mapping[str, Any]) -> Found:
    match change.action:
        case "add":
            yield "site_appears", True, "", _names(new)
        case "remove":
            yield "site_disappears", True, _names(old), ""
        case "modify" | "sync" if change.replacement.verdict != "no":
            yield "site_replaced", change.replacement.verdict == "yes", "", ""
        case _ if old and new:
            yield from _reconfigured(old.get("Properties") or {}, new.get("Properties") or {})
        case _:
            yield "distribution_changed", False, "", ""


def _reconfigured(old: Mapping[str, Any], new: Mapping[str, Any]) -> Found:
    was, now = (each.get("DistributionConfig") or {} for each in (old, new))
    seen = {key for key in {*was, *now} if was.get(key) != now.get(key)}
    yield from _access(old, new)
    for left in sorted({*_texts(was.get("Aliases"))} - {*_texts(now.get("Aliases"))}):
        yield "name_removed", True, left, ""
    for come in sorted({*_texts(now.get("Aliases"))} - {*_texts(was.get("Aliases"))}):
        yield "name_added", True, "", come
    if str(was.get("Enabled", "true")).lower() != str(now.get("Enabled", "true")).lower():
        yield ("site_appears" if str(now.get("Enabled", "true")).lower() == "true" else "site_disappears"), True, "", ""
    gone, came = ([each for each in _places(one) if each not in _places(other)] for one, other in ((was, now), (now, was)))
    if gone and came:
        yield "origin_changed", True, ", ".join(gone), ", ".join(came)
    elif _groups(was) != _groups(now):
        yield "origin_group_changed", False, ", ".join(gone), ", ".join(came)
    yield from _clients(was, now)
    if "PriceClass" in seen:
        one, other = str(was.get("PriceClass", "")), str(now.get("PriceClass", ""))
        yield "edge_locations_changed", False, one, other
    judged = {"Aliases", "Enabled", "Origins", "PriceClass", "ViewerCertificate", "DefaultCacheBehavior", "CacheBehaviors", "OriginGroups"}
    unjudged = seen - judged - QUIET
    if unjudged or _plain(was) != _plain(now):
        what = sorted(unjudged) or sorted(seen & {"DefaultCacheBehavior", "CacheBehaviors"})
        yield "distribution_changed", False, "", ", ".join(SPOKEN.get(each, each) for each in what)
    elif _headers_of(old) != _headers_of(new):
        yield "headers_changed", False, "", ""


def _access(old: Mapping[str, Any], new: Mapping[str, Any]) -> Found:
    """Who is asked for a password. A path without a behaviour of its own was served by the default one."""
    was, now = behaviours(old), behaviours(new)
    opened = [path for path, each in now.items() if checks_requests(was.get(path, was["*"])) and not checks_requests(each)]
    closed = [path for path, each in now.items() if checks_requests(each) and not checks_requests(was.get(path, was["*"]))]
    if opened:
        yield "authentication_off", True, "", ", ".join(opened)
    if closed:
        yield "authentication_on", True, "", ", ".join(closed)
    other = any(was[path].get(_EDGE) != now[path].get(_EDGE) for path in was.keys() & now.keys() if checks_requests(now[path]))
    if not opened and not closed and other:
        yield "authentication_changed", False, "", ""


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Behaviours without what is judged by itself. A group of origins counts as its first member, which is asked first."""
    judged = {_EDGE, "FunctionAssociations", "ResponseHeadersPolicyId"}
    first = {name: members[0] for name, members in _groups(config).items() if members}
    return {
        path: {
            key: first.get(text_of(value), value) if key == "TargetOriginId" else value for key, value in each.items() if key not in judged
        }
        for path, each in behaviours({"DistributionConfig": config}).items()
    }


def _groups(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Origins by group, the one that is asked first before those that stand in for it."""
    found = (config.get("OriginGroups") or {}).get("Items") or []
    return {
        str(group.get("Id")): [str(member.get("OriginId")) for member in (group.get("Members") or {}).get("Items") or []]
        for group in found
        if isinstance(group, Mapping)
    }


def _headers_of(properties: Mapping[str, Any]) -> list[Any]:
    return [each.get("ResponseHeadersPolicyId") for each in behaviours(properties).values()]


def _clients(was: Mapping[str, Any], now: Mapping[str, Any]) -> Found:
    versions = [str((each.get("ViewerCertificate") or {}).get("MinimumProtocolVersion", "")) for each in (was, now)]
    if all(each in TLS_VERSIONS for each in versions) and TLS_VERSIONS.index(versions[1]) > TLS_VERSIONS.index(versions[0]):
        yield "old_clients_refused", False, versions[0], versions[1]


def _filtered(old: Mapping[str, Any], new: Mapping[str, Any]) -> Found:
    """Rules that block more than before."""
    was = rules_of(old)
    for name, rule in rules_of(new).items():
        earlier = was.get(name)
        stricter = earlier is None or counts(earlier) or limit_of(rule) < limit_of(earlier)
        if not counts(rule) and stricter:
            yield "firewall_blocks", False, "", name


def _record(change: ResourceChange, old: Mapping[str, Any], new: Mapping[str, Any]) -> Found:
    was, now = old.get("Properties") or {}, new.get("Properties") or {}
    left, come = _visited(was), _visited(now)
    match change.action:
        case "add" if come:
            yield "dns_added", True, "", come
        case "remove" if left:
            yield "dns_removed", True, left, ""
        case "modify" | "sync" if left and come and left != come:
            yield "dns_removed", True, left, ""
            yield "dns_added", True, "", come
        case "modify" | "sync" if left and (was != now or change.replacement.verdict != "no"):
            yield "dns_changed", True, left, ""


def _visited(record: Mapping[str, Any]) -> str:
    """ "NAME TYPE" of a record that browsers ask for; names that begin with _ are for machines (RFC 8552)."""
    name, kind = str(record.get("Name", "")), str(record.get("Type", ""))
    return f"{name} {kind}" if name and kind in VISITED_RECORDS and not name.startswith("_") else ""


def _origin_buckets(resources: Resources) -> Iterator[str]:
    """Logical ids of buckets that a distribution of the same stack serves."""
    text = text_of([body.get("Properties") or {} for body in resources.values() if body.get("Type") == DISTRIBUTION])
    for logical_id, body in resources.items():
        name = (body.get("Properties") or {}).get("BucketName")
        referred = f'"{logical_id}"' in text or f"{logical_id}." in text
        if body.get("Type") == BUCKET and (referred or (isinstance(name, str) and f"{name}.s3" in text)):
            yield logical_id


def _places(config: Mapping[str, Any]) -> list[str]:
    values = [value_of(each.get("DomainName", "")) for each in config.get("Origins") or [] if isinstance(each, Mapping)]
    return ["(hidden)" if isinstance(value, Redacted) else value.text for value in values]


def _names(body: Mapping[str, Any]) -> str:
    return ", ".join(_texts(((body.get("Properties") or {}).get("DistributionConfig") or {}).get("Aliases")))


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _shown(text: str) -> str:
    return "" if marked(text) else text
