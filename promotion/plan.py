"""What promote and failback are about to do, as values with a digest that is approved.

In: what the register, the buckets and the lists of releases say. Out: `PromotePlan`, `FailbackPlan`. Never: changes anything.

The digest is over what a person decides on. Whether the home region answers is asked anew before anything is changed, so it is not in it.
"""

from __future__ import annotations

import msgspec

from assembly.files import canonical_json, sha256
from assembly.model import Frozen
from promotion.target import Phase

NAMED = 20
"""Keys that are told; of the others the number."""


class Side(Frozen, frozen=True, kw_only=True):
    """One of the two regions."""

    region: str
    bucket: str
    artifacts: str
    release: int = 0
    """Number of the last release in its list; 0: none."""


class Keys(Frozen, frozen=True, kw_only=True):
    """Objects, the first of them by name."""

    objects: int = 0
    size: int = 0
    """Bytes; 0 where that does not matter."""
    keys: tuple[str, ...] = ()
    digest: str = ""
    """Over all of them with their ETags."""


class PromotePlan(Frozen, frozen=True, kw_only=True, tag="promote", tag_field="action"):
    """Releases go to the replica from now on."""

    environment: str
    phase: Phase
    """Of the register: `home`, or `promoting` where an earlier run was cut off."""
    epoch: int
    home: Side
    standby: Side
    distribution: str
    begun: int = 0
    """Highest release number in the replica's ledger: more than `standby.release` if the mirrored list is behind."""
    planned: bool = False
    """The home region answers, and that is known."""


class FailbackPlan(Frozen, frozen=True, kw_only=True, tag="failback", tag_field="action"):
    """Releases go home again, with what was published meanwhile."""

    environment: str
    phase: Phase
    epoch: int
    home: Side
    standby: Side
    distribution: str
    since: str
    carried: Keys
    overwritten: Keys
    """Of the carried ones, those that were written at home as well meanwhile."""
    late: Keys
    """Others that were written at home meanwhile; they stay."""


def action_of(plan: PromotePlan | FailbackPlan) -> str:
    """The verb."""
    return "promote" if isinstance(plan, PromotePlan) else "failback"


def digest_of(plan: PromotePlan | FailbackPlan) -> str:
    """What is approved."""
    return sha256(canonical_json(msgspec.to_builtins(plan)))


def lines(plan: PromotePlan | FailbackPlan) -> tuple[str, ...]:
    """For people."""
    return _promote_lines(plan) if isinstance(plan, PromotePlan) else _failback_lines(plan)


def _promote_lines(plan: PromotePlan) -> tuple[str, ...]:
    here, there = plan.home, plan.standby
    behind = (
        f"  the list of releases there ends at {there.release}, the replica has files of release {plan.begun}: what came between cannot be"
        " rolled back to until the failback",
    )
    return (
        f"promote {plan.environment}: releases go to {there.bucket} in {there.region} from now on, not to {here.bucket} in {here.region}",
        "  nobody publishes until it is done; the register in the standby region says who may",
        f"  the policy of {there.bucket} refuses S3's replication, so that nothing old comes over new pages when {here.region} is back",
        f"  distribution {plan.distribution} asks the replica first; visitors notice nothing, and every edge has it after minutes",
        f"  records and approvals are in {there.artifacts}, the list of releases ends at {there.release or 'none'}",
        *(behind if plan.begun > there.release else ()),
        "  until the failback: publish and rollback-release work; apply and prune are refused; alarms of the replication go on",
        f"  undone by: python deploy.py dr failback --env {plan.environment}",
    )


def _failback_lines(plan: FailbackPlan) -> tuple[str, ...]:
    here, there = plan.home, plan.standby
    return (
        f"failback {plan.environment}: releases go to {here.bucket} in {here.region} again",
        "  nobody publishes until it is done",
        f"  {_counted(plan.carried)} published since {plan.since} go home from {there.bucket}; nothing is deleted",
        *(
            [f"  of these were written at home as well; those versions stay, noncurrent: {_named(plan.overwritten)}"]
            if plan.overwritten.objects
            else ()
        ),
        *(
            [f"  also written at home meanwhile, by whoever did not see the promotion; they stay: {_named(plan.late)}"]
            if plan.late.objects
            else ()
        ),
        f"  the lists of releases ({here.release or 'none'} at home, {there.release or 'none'} there) become one, whose last is live",
        f"  distribution {plan.distribution} asks the site bucket first again; the replica takes S3's replication again",
        "  every object is compared before the site bucket takes releases",
    )


def _counted(keys: Keys) -> str:
    return f"{keys.objects:,} object{'' if keys.objects == 1 else 's'} ({keys.size:,} bytes)"


def _named(keys: Keys) -> str:
    more = keys.objects - len(keys.keys)
    return ", ".join(keys.keys) + (f" and {more:,} more" if more > 0 else "")
