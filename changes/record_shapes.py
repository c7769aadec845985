"""Records of a deployed stack whose routing policy an update would change: Route 53 refuses the new one beside the old one.

In: the deployed and the new template. Out: "NAME TYPE" of each. Source: docs/decisions/0018.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from templates.record_sets import POLICIES


def changed_policies(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Of the record sets with one logical id and one name in both."""
    for title, resource in new.get("Resources", {}).items():
        before = old.get("Resources", {}).get(title, {})
        if resource.get("Type") == before.get("Type") == "AWS::Route53::RecordSet":
            was, now = before.get("Properties", {}), resource.get("Properties", {})
            same = all(was.get(key) == now.get(key) for key in ("Name", "Type"))
            if same and any((key in was) != (key in now) for key in POLICIES):
                yield f"{now.get('Name')} {now.get('Type')}"
