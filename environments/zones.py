"""One name, one zone: which environments claim a hosted zone that the public DNS can only find once.

In: environments. Out: who else claims the zone of each, in another account.
Never: a problem of the files, since no file says which of the accounts has the zone; the deployer refuses until one does.

Every account may have a hosted zone of the same name, but the parent delegates the name to the name servers of one (Route 53 Developer
Guide, "Making Route 53 the DNS service for an existing domain"). In the others nothing that is written is ever found: a certificate is
never validated, a record never answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from environments.model import Environment


def rivals(environments: Iterable[Environment]) -> Mapping[str, tuple[str, ...]]:
    """Per environment the names of all, itself included, that want its zone in different accounts; only where there are such."""
    by_zone: dict[str, list[Environment]] = {}
    for env in environments:
        by_zone.setdefault(env.hosted_zone.name, []).append(env)
    found: dict[str, tuple[str, ...]] = {}
    for members in by_zone.values():
        if len({env.zone_account_id for env in members}) > 1:
            names = tuple(sorted(env.name for env in members))
            found |= dict.fromkeys(names, names)
    return found
