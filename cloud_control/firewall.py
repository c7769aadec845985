# mypy: allow-untyped-calls
"""Web ACLs and where their logs go, as MiniStack keeps them, in the shape of the provider schema.

In: an identifier. Out: properties, None where nothing stands. Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import waf

LOGGING = "LoggingConfiguration"
"""Where `emulator.firewall` keeps the properties of an ACL's logging, which MiniStack lacks."""


def acl_at(arn: str) -> Any:
    """The record of a web ACL by its ARN; None: there is none."""
    return waf.web_acl_record(arn.rpartition("/")[2], "CLOUDFRONT" if ":global/" in arn else "REGIONAL")


def web_acl(of: Mapping[str, str]) -> dict[str, Any] | None:
    """AWS::WAFv2::WebACL."""
    record = waf.web_acl_record(of["Id"], of["Scope"])
    if record is None or record["Name"] != of["Name"]:
        return None
    told = {name: record[name] for name in ("Name", "Id", "Scope", "Description", "DefaultAction", "Rules", "VisibilityConfig", "Capacity")}
    tags = waf._waf_tags.get(record["ARN"]) or []
    return {**told, "Arn": record["ARN"], **({"Tags": list(tags)} if tags else {})}


def logging(of: Mapping[str, str]) -> dict[str, Any] | None:
    """AWS::WAFv2::LoggingConfiguration."""
    record = acl_at(of["ResourceArn"])
    return dict(record[LOGGING]) if record and LOGGING in record else None
