# mypy: allow-untyped-calls
"""CloudFront as strict as on AWS about invalidation paths and alternate domain names.

In: CreateInvalidation, and distributions that are made or changed by the API or by a stack.
Out: CloudFront's refusal before anything changes.

Sources: CloudFront Developer Guide, "What you need to know when invalidating paths" (characters that are unsafe in RFC 1738 must be
URL-encoded), "Requirements for using alternate domain names" and quotas; API reference, CreateInvalidation; aws/aws-sdk#525 (`~` is
refused).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element

import ministack.services.cloudformation.provisioners as cfn
from ministack.services import cloudfront

PATH_CHARACTERS = 4000
PATHS_AT_ONCE = 3000
WILDCARDS_AT_ONCE = 15

_SAFE_PATH = re.compile(r"/(?:[!$&'()*+,\-./0-9:;=?@A-Z_a-z]|%[0-9A-Fa-f]{2})*")
"""Printable ASCII without RFC 1738's unsafe characters; `%` only before two hexadecimal digits."""

_TAKEN = "One or more of the CNAMEs you provided are already associated with a different resource."


class Taken(ValueError):
    """An alternate domain name that another distribution has."""


def install() -> None:
    """Check before MiniStack's API handlers and resource handlers."""
    create_invalidation, create, update = cloudfront._create_invalidation, cloudfront._create_distribution, cloudfront._update_distribution

    def create_invalidation_checked(dist_id: str, body: bytes) -> Any:
        return _invalidation_refusal(cloudfront._parse_body(body)) or create_invalidation(dist_id, body)

    def create_checked(headers: Any, body: bytes) -> Any:
        config, _ = cloudfront._unwrap_distribution_create_xml(cloudfront._parse_body(body))
        reference = cloudfront._text(config, "CallerReference") if config is not None else ""
        repeated = [each["Id"] for each in cloudfront._distributions.values() if each.get("CallerReference") == reference]
        return _alias_refusal(config, *repeated) or create(headers, body)

    def update_checked(dist_id: str, headers: Any, body: bytes) -> Any:
        return _alias_refusal(cloudfront._parse_body(body), dist_id) or update(dist_id, headers, body)

    vars(cloudfront).update(
        _create_invalidation=create_invalidation_checked, _create_distribution=create_checked, _update_distribution=update_checked
    )
    handlers: Any = cfn._RESOURCE_HANDLERS["AWS::CloudFront::Distribution"]
    stack_create, stack_update = handlers["create"], handlers["update"]

    def stack_create_checked(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _refuse_taken(_names(props))
        return stack_create(logical_id, props, stack_name)

    def stack_update_checked(physical_id: str, old: dict[str, Any], new: dict[str, Any], *more: Any, **named: Any) -> Any:
        _refuse_taken(_names(new), physical_id)
        return stack_update(physical_id, old, new, *more, **named)

    handlers |= {"create": stack_create_checked, "update": stack_update_checked}


def _invalidation_refusal(batch: Element | None) -> Any:
    paths = cloudfront._find(batch, "Paths") if batch is not None else None
    if paths is None:
        return None
    items = _items(paths)
    if str(len(items)) != cloudfront._text(paths, "Quantity"):
        return cloudfront._error("InconsistentQuantities", "The value of Quantity and the size of Items don't match.", 400)
    if not items or any(len(each) > PATH_CHARACTERS or not _SAFE_PATH.fullmatch(each) for each in items):
        return cloudfront._error("InvalidArgument", "Your request contains one or more invalid invalidation paths.", 400)
    if len(items) > PATHS_AT_ONCE or sum(each.endswith("*") for each in items) > WILDCARDS_AT_ONCE:
        return cloudfront._error("TooManyInvalidationsInProgress", "Processing your request will cause you to exceed the limit.", 400)
    return None


def _names(props: dict[str, Any]) -> list[str]:
    return [str(each) for each in props.get("DistributionConfig", {}).get("Aliases") or []]


def _alias_refusal(config: Element | None, *own: str) -> Any:
    if config is None:
        return None
    try:
        _refuse_taken(_aliases(config), *own)
    except Taken:
        return cloudfront._error("CNAMEAlreadyExists", _TAKEN, 409)
    return None


def _aliases(config: Element) -> list[str]:
    listed = cloudfront._find(config, "Aliases")
    return [] if listed is None else _items(listed)


def _items(listed: Element) -> list[str]:
    """The texts of CloudFront's lists: a Quantity, and Items."""
    found = cloudfront._find(listed, "Items")
    return [] if found is None else [each.text or "" for each in found]


def _refuse_taken(names: Iterable[str], *own: str) -> None:
    """A name belongs to one distribution. At AWS of all accounts; here of this one: the accounts of a test stand for separate worlds."""
    wanted = {each.lower() for each in names}
    for distribution in cloudfront._distributions.values() if wanted else ():
        config = cloudfront._parse_body(distribution["config_xml"].encode())
        if distribution["Id"] not in own and wanted & {each.lower() for each in _aliases(config)}:
            raise Taken(f"Invalid request provided: AWS::CloudFront::Distribution: {_TAKEN} (CNAMEAlreadyExists)")
