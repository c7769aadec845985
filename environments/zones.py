"""One name, one zone: which environments claim a hosted zone that the public DNS can only find once.

In: environments. Out: who else claims the zone of each that has not settled whose it is.
Never: a problem of the files, since no file says which of the accounts has the zone; the deployer refuses until one does. Where the files
name one account (`hosted_zone.account_id`, or an `id` for the own one), that is settled: who comes later with another is refused alone.

Every account may have a hosted zone of the same name, but the parent delegates the name to the name servers of one (Route 53 Developer
Guide, "Making Route 53 the DNS service for an existing domain"). In the others nothing that is written is ever found: a certificate is
never validated, a record never answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from environments.model import Environment


def rivals(environments: Iterable[Environment]) -> Mapping[str, tuple[str, ...]]:
    """Per environment whose owner of the zone is not settled, the names of those that want it in another account."""
    by_zone: dict[str, list[Environment]] = {}
    for env in environments:
        by_zone.setdefault(env.hosted_zone.name, []).append(env)
    found: dict[str, tuple[str, ...]] = {}
    for members in by_zone.values():
        named = {env.zone_account_id for env in members if env.hosted_zone.account_id or env.hosted_zone.id}
        for env in members:
            others = tuple(sorted(other.name for other in members if other.zone_account_id != env.zone_account_id))
            if others and named != {env.zone_account_id}:
                found[env.name] = others
    return found
