"""Promote and failback, step by step. Every step looks before it changes anything, so that a run that was cut off is run again.

In: both places, the register, a digest that was approved. Out: the register's last entry; each step is told.
Never: skips the register's states, or goes on where somebody else has changed it.

What is true after a kill in whichever step: the register says `promoting` or `failing-back`, nobody publishes, visitors have the site, and
the same command goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from assembly.commands import deploy
from assembly.errors import Remedied
from aws.errors import AwsError
from promotion import fence
from promotion.carrying import carry, load, unequal
from promotion.places import Place
from promotion.records import carry_list, copy_records, mirror
from promotion.target import Entry, NotNext, Phase, Register
from recovery.backfill import fill
from recovery.origins import Origins
from website.errors import WebsiteError
from website.releases import moment, timestamp
from website.run import Begun, Run, Warned, count

WAIT_SECONDS = 300.0
"""How long a planned promotion waits for S3's replication; most objects take seconds (Amazon S3 User Guide)."""


class Refused(Remedied):
    """It cannot be done now, for that reason; `command` is what to type, or ""."""


@dataclass(frozen=True, kw_only=True)
class PromotionGateways:
    """What the steps work on."""

    origins: Origins
    register: Register
    home: Place
    standby: Place
    put_first: Callable[[str], bool]
    """Have the distribution ask the origin of that id first; False if it does."""
    index_key: str
    run: Run
    check: Callable[[], None] = lambda: None
    """Raises if the lock was lost."""

    @property
    def environment(self) -> str:
        """Whose."""
        return self.origins.environment


def promote(gateways: PromotionGateways, *, plan: str, distribution: str, planned: bool) -> Entry:
    """Home to standby. `planned`: the home region answers and is handed over in order."""
    _begin(gateways, "promoting", plan=plan, distribution=distribution)
    if planned:
        _step(gateways, "waiting for what is being published", lambda: _nobody_publishes(gateways, gateways.home))
        _step(gateways, "waiting until the replica has everything", lambda: _caught_up(gateways))
    _step(gateways, "the replica refuses replication", lambda: _fence(gateways))
    if planned:
        _step(gateways, "the last records go to the standby region", lambda: _last_records(gateways))
    _step(gateways, "the distribution asks the replica first", lambda: gateways.put_first(gateways.standby.origin))
    return _end(gateways, "standby")


def failback(gateways: PromotionGateways, *, plan: str) -> Entry:
    """Standby to home; also from a promotion that was cut off."""
    entry = _begin(gateways, "failing-back", plan=plan)
    since = moment(since_of(entry))
    _step(gateways, "waiting for what is being published", lambda: _nobody_publishes(gateways, gateways.standby))
    _step(gateways, "what was published goes home", lambda: _carry(gateways, since))
    _step(gateways, "every object is compared", lambda: _compare(gateways, since))
    _step(gateways, "the records go home", lambda: _records(gateways))
    _step(gateways, "the distribution asks the site bucket first", lambda: gateways.put_first(gateways.home.origin))
    _step(gateways, "the replica takes replication again", lambda: _lift(gateways))
    _step(gateways, "the replica gets what it never got", lambda: _fill(gateways))
    ended = _end(gateways, "home")
    try:
        _last_records(gateways)
    except (AwsError, WebsiteError) as error:
        gateways.run.report(Warned(text=f"the records in the standby region are not up to date: {error}; the next publish brings them"))
    return ended


def since_of(entry: Entry) -> str:
    """Since when the replica takes releases: as it was noted, or when the promotion that was cut off began. By S3's clock."""
    if entry.target.since or entry.target.phase == "home" or entry.modified is None:
        return entry.target.since
    return timestamp(entry.modified)


# --- the register -------------------------------------------------------------------------------------------------


def _begin(gateways: PromotionGateways, phase: Phase, **values: str) -> Entry:
    entry = gateways.register.read()
    if entry.target.phase == phase:
        # An earlier run was cut off. What it was approved with stands in the register.
        if entry.target.plan != values["plan"]:
            raise NotNext(f"{phase} was begun with the plan {entry.target.plan[:12]}")
        return entry
    if phase == "failing-back":
        values["since"] = since_of(entry)
    gateways.run.report(Begun(step=f"{entry.target.phase} -> {phase}: nobody publishes"))
    return gateways.register.change(entry, phase, by=gateways.run.caller.arn, **values)


def _end(gateways: PromotionGateways, phase: Phase) -> Entry:
    entry = gateways.register.read()
    gateways.check()
    values = {"since": "", "plan": "", "distribution": ""} if phase == "home" else {"since": since_of(entry)}
    gateways.run.report(Begun(step=f"{entry.target.phase} -> {phase}"))
    return gateways.register.change(entry, phase, by=gateways.run.caller.arn, **values)


def _step(gateways: PromotionGateways, name: str, do: Callable[[], object]) -> None:
    gateways.check()
    gateways.run.report(Begun(step=name))
    do()


# --- promote ------------------------------------------------------------------------------------------------------


def _nobody_publishes(gateways: PromotionGateways, place: Place) -> None:
    """The register was written before this look, and a publisher claims before it looks at the register: one of the two sees the other."""
    state, _ = place.store(gateways.environment).state()
    held = state.claim
    if held is not None and moment(held.expires_at) > gateways.run.now():
        raise Refused(
            f"{held.by} on {held.host} began a {held.action} at {held.started_at} and has not ended it (it lapses by itself at"
            f" {held.expires_at}); nobody else begins meanwhile",
            "wait for it, then run the same command again",
        )


def _caught_up(gateways: PromotionGateways) -> None:
    waited, pause = 0.0, 1.0
    while True:
        left = _filled(gateways)
        if not left:
            return
        if waited >= WAIT_SECONDS:
            raise Refused(
                f"the replica lacks {count(len(left), 'object')} after {waited:.0f} s, for example {left[0]}",
                "run the same command again, or take it back: " + deploy("dr failback", gateways.environment),
            )
        gateways.run.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, 10.0)


def _fence(gateways: PromotionGateways) -> None:
    place, arn = gateways.standby, gateways.origins.replica.arn
    policy = place.buckets.policy(place.bucket)
    if not fence.is_fenced(policy):
        place.buckets.put_policy(place.bucket, fence.fenced(policy, arn))


def _last_records(gateways: PromotionGateways) -> None:
    mirror(
        gateways.home,
        gateways.standby,
        gateways.environment,
        allowed=lambda: gateways.register.read().target.phase in ("home", "promoting"),
        now=gateways.run.now(),
    )


# --- failback -----------------------------------------------------------------------------------------------------


def _carry(gateways: PromotionGateways, since: datetime) -> None:
    found = load(gateways.home, gateways.standby, since, gateways.index_key)
    if found.too_large:
        raise Refused(
            f"{', '.join(found.too_large[:3])} of {gateways.standby.bucket} is larger than one copy within S3 takes (5 GB)",
            f"aws s3 cp s3://{gateways.standby.bucket}/KEY s3://{gateways.home.bucket}/KEY --source-region {gateways.standby.region}"
            f" --region {gateways.home.region}\nthen run the same command again",
        )
    if found.objects:
        carry(found, gateways.home, gateways.standby, gateways.index_key, gateways.run.report, check=gateways.check)


def _compare(gateways: PromotionGateways, since: datetime) -> None:
    left = unequal(gateways.home, gateways.standby, since)
    if left:
        raise Refused(f"{count(len(left), 'object')} are not the same at home yet, for example {left[0]}", "run the same command again")


def _records(gateways: PromotionGateways) -> None:
    copy_records(gateways.standby, gateways.home, gateways.environment)
    carry_list(gateways.standby, gateways.home, gateways.environment, gateways.run.now())


def _lift(gateways: PromotionGateways) -> None:
    place = gateways.standby
    policy = place.buckets.policy(place.bucket)
    lifted = fence.lifted(policy)
    if fence.is_fenced(policy) and lifted is not None:
        place.buckets.put_policy(place.bucket, lifted)


def _fill(gateways: PromotionGateways) -> None:
    """What was written at home and never replicated. S3 has given it up, and status and verify would tell for ever."""
    left = _filled(gateways)
    if left:
        gateways.run.report(Warned(text=f"the replica still lacks {count(len(left), 'object')}, for example {left[0]}"))


def _filled(gateways: PromotionGateways) -> tuple[str, ...]:
    """Give the replica what it lacks and S3 does not bring; what it lacks still."""
    home, standby = gateways.home, gateways.standby
    return fill(gateways.origins, home.s3, standby.s3, standby.buckets, gateways.run, check=gateways.check).left
