"""Records of a deployed stack whose routing policy an update would change: Route 53 refuses the new one beside the old one.

In: the deployed and the new template. Out: "NAME TYPE" of each. Source: docs/decisions/0018.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assembly.model import Stack
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


def policy_refusal(old: Mapping[str, Any], new: Mapping[str, Any], environment: str, stack: Stack) -> tuple[str, str] | None:
    """Why Route 53 refuses the change, and what to type; None where no policy changes.

    What has a weight, or is to have one, is asked by visitors, who notice nothing of either form: it stays what it was made as.
    """
    moved = ", ".join(changed_policies(old, new))
    if not moved:
        return None
    was, now = (any("Weight" in each.get("Properties", {}) for each in of.get("Resources", {}).values()) for of in (old, new))
    if was != now:
        return (
            f"Route 53 refuses to change {moved} between simple and weighted while it stands; a record stays what it was made as, and no"
            " visitor notices which",
            f"edit environments/{environment}.yaml: hosted_zone.records: {'weighted' if was else 'managed'}, as it was, then build again",
        )
    return (
        f"Route 53 refuses to change {moved} between simple and failover while the other of its pair stands; the stack"
        " has to be deleted and made again, at a quiet hour, as the name has no answer in between",
        f"aws cloudformation delete-stack --stack-name {stack.stack_name} --region {stack.region}",
    )
