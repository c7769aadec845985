"""Is a domain of a distribution that is about to be made an alias of another one already?

In: the domain, the account's distributions. Out: a `Verdict`, or none where it is free.
Never: asks other accounts: CloudFront tells of those only when the distribution exists (`doctor/checks/alias.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from aws.cloudfront import CloudFront
from gateways.existing import ExistingResources, Found
from inventory.model import Verdict, Wanted

GUIDE = "docs/guides/moving-a-site.md"


def look(want: Wanted, place: ExistingResources, owner: Callable[[Wanted, Found], tuple[str, str]]) -> tuple[Verdict, ...]:
    """A domain, or the wildcard over it, stands on one distribution only (CloudFront Developer Guide, "Use custom URLs")."""
    wildcard = f"*.{want.name.partition('.')[2]}"
    taken = []
    for other in CloudFront(place.client("cloudfront")).distributions():
        names = {name.lower() for name in other.aliases}
        if want.name.lower() not in names:
            if wildcard in names:
                taken.append(_wildcard(want, other.id, wildcard))
            continue
        stack, region = owner(want, Found(physical_id=other.id))
        whose = f", which the stack {stack} in {region} made" if stack else ""
        taken.append(
            Verdict(
                wanted=want,
                fate="refused",
                owner="another_stack" if stack else "this_account",
                physical_id=other.id,
                message=f"{want.name} is an alias of the distribution {other.id} of this account{whose}, and a name stands on one only",
                command=f"take {want.name} off {other.id}, move it without a gap: {GUIDE}, or take it over: docs/from-terraform.md",
            )
        )
    return tuple(taken)


def _wildcard(want: Wanted, distribution: str, wildcard: str) -> Verdict:
    return Verdict(
        wanted=want,
        fate="unknown",
        physical_id=distribution,
        message=f"{wildcard} is an alias of the distribution {distribution}: CloudFront takes {want.name} beside it in one account only",
    )
