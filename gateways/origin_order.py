"""Which origin of a group CloudFront asks first: the distribution's own configuration, changed beside CloudFormation.

In: a distribution's id, the ids of origins in order. Out: whether anything was changed. Raises `aws.errors`.
Never: changes anything but the order of the members of one origin group.

The whole configuration is sent back as it was read, with its ETag: CloudFront replaces all of it, and refuses what was changed meanwhile
(CloudFront API, UpdateDistribution).
"""

from __future__ import annotations

import copy
from typing import Any

from aws.session import Aws


class NoGroup(Exception):
    """The distribution has no origin group with these members: the order cannot be changed."""


def put_first(aws: Aws, *, account_id: str, distribution_id: str, origin: str) -> bool:
    """Have CloudFront ask that origin first; False if it does already."""
    client = aws.client("cloudfront", account_id=account_id, region="us-east-1")
    answer = client.get_distribution_config(Id=distribution_id)
    config = ordered(answer["DistributionConfig"], origin)
    if config is None:
        return False
    client.update_distribution(Id=distribution_id, IfMatch=answer["ETag"], DistributionConfig=config)
    return True


def ordered(config: dict[str, Any], origin: str) -> dict[str, Any] | None:
    """The configuration with that origin first in its group; None if it is. `NoGroup` if no group has it."""
    if _first(config) == origin:
        return None
    changed = copy.deepcopy(config)
    members = _members(changed)
    if origin not in [each["OriginId"] for each in members]:
        raise NoGroup(f"the distribution's origin group does not have {origin}")
    members.sort(key=lambda each: each["OriginId"] != origin)
    return changed


def _first(config: dict[str, Any]) -> str:
    return str(_members(config)[0]["OriginId"])


def _members(config: dict[str, Any]) -> list[dict[str, Any]]:
    groups = config.get("OriginGroups", {}).get("Items") or []
    for group in groups:
        members: list[dict[str, Any]] = group.get("Members", {}).get("Items") or []
        if len(members) == 2:
            return members
    raise NoGroup("the distribution has no group of two origins")
