"""Which bucket takes releases, asked before anything is changed (docs/decisions/0039).

In: an opened environment. Out: the same, aimed at the bucket that takes releases; `CommandError` where it is nobody's or not this verb's.
Never: takes silence of the standby region for an answer; asks anything of an environment without disaster recovery.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from assembly import commands
from guards import documents
from session.context import USAGE, CommandError, Context
from session.origins import origins_of, pair_of

if TYPE_CHECKING:
    from promotion.places import Place
    from promotion.target import Entry, Register, Target
    from session.opened import Opened
    from website.site import Site

REPLICA_STACK, SITE_STACK = "replica", "site"
REPLICATION_OUTPUT = "ReplicationFailsName"
"""Of a site stack that was applied with disaster recovery."""


def add_target_argument(parser: argparse.ArgumentParser) -> None:
    """--without-standby."""
    parser.add_argument(
        "--without-standby",
        action="store_true",
        help="go on although the standby region does not say who takes releases; only if you know that nobody has promoted it",
    )


def places(opened: Opened) -> tuple[Place, Place]:
    """Home and standby of an environment with disaster recovery. Nothing is asked of AWS."""
    from promotion.places import Place

    origins = origins_of(opened)
    assert origins is not None, "asked by the caller"
    pair = pair_of(opened, origins)
    first, second = _origin_ids(opened)
    home = opened.home or opened.assembly
    here, there = origins.primary, origins.replica
    return (
        Place(
            region=here.region,
            bucket=here.bucket,
            artifacts=home.artifact_bucket,
            origin=first,
            s3=pair.primary,
            buckets=pair.primary_buckets,
        ),
        Place(
            region=there.region,
            bucket=there.bucket,
            artifacts=standby_artifacts(opened),
            origin=second,
            s3=pair.replica,
            buckets=pair.replica_buckets,
        ),
    )


def standby_artifacts(opened: Opened) -> str:
    """The artifact bucket of the standby region, as the template names it."""
    return str(opened.resources(REPLICA_STACK)["ArtifactBucket"]["Properties"]["BucketName"])


def _origin_ids(opened: Opened) -> tuple[str, str]:
    """In the order of the template: the site bucket, the replica."""
    group = opened.resources(SITE_STACK)["Distribution"]["Properties"]["DistributionConfig"]["OriginGroups"]["Items"][0]
    first, second = (str(member["OriginId"]) for member in group["Members"]["Items"])
    return first, second


def register(opened: Opened, *, soon: bool = False) -> Register:
    """Of an environment with disaster recovery. `soon`: silence is told within seconds, since nothing is lost by asking again."""
    from aws.s3 import S3
    from promotion.target import Register

    _, standby = places(opened)
    s3 = S3.connect(opened.aws.impatient(), account_id=opened.assembly.account_id, region=standby.region) if soon else standby.s3
    return Register(s3, standby.artifacts, opened.assembly.environment)


class Untold(CommandError):
    """The register does not say who takes releases."""

    def __init__(self, problem: str, *, command: str, silent: bool) -> None:
        super().__init__(problem, command=command)
        self.silent = silent
        """Nothing was answered; else what was answered is no register."""


def told(register: Register) -> Entry | None:
    """What it says: the one reader. None before its bucket was made, when nobody can have promoted.

    Raises `Untold`, and `CredentialsError` as it is, of which the register knows nothing.
    """
    from aws.errors import AwsError, CredentialsError, NotFound
    from promotion.target import Unreadable

    try:
        return register.read()
    except NotFound:
        return None
    except CredentialsError:
        raise
    except Unreadable as error:
        command = f"aws s3api list-object-versions --bucket {register.bucket} --prefix {register.key}"
        raise Untold(f"{error}; nobody takes releases until somebody has looked", command=command, silent=False) from None
    except AwsError as error:
        command = commands.deploy("dr status", register.environment)
        raise Untold(f"the standby region does not say who takes releases: {error}", command=command, silent=True) from error


def entry_of(opened: Opened, args: argparse.Namespace) -> Entry | None:
    """The same of an environment; None also without disaster recovery, or for silence that somebody answers for."""
    if origins_of(opened) is None:
        return None
    try:
        return told(register(opened, soon=True))
    except Untold as error:
        if error.silent and getattr(args, "without_standby", False):
            return None
        if error.silent and hasattr(args, "without_standby"):
            error.command += "\nonly if you know that nobody has promoted: the same command with --without-standby"
        raise


def aimed(opened: Opened, args: argparse.Namespace, context: Context) -> Opened:
    """The environment with its site and its records where releases go now. Raises `CommandError` while that is nowhere."""
    entry = entry_of(opened, args)
    if entry is None:
        return dataclasses.replace(opened, unasked=getattr(args, "without_standby", False) and origins_of(opened) is not None)
    if entry.target.phase == "home":
        return opened
    _refuse_between(opened, entry.target)
    found = at_standby(opened, entry.target)
    context.say(f"{opened.assembly.environment} is promoted: releases go to the replica in {found.assembly.home_region}")
    return found


def seen(opened: Opened, args: argparse.Namespace, context: Context) -> Opened:
    """The same for a verb that only looks: where releases went last, and at home where nobody says."""
    try:
        entry = entry_of(opened, args)
    except CommandError as error:
        context.say(f"warning: {error}; this is what the home region says")
        return opened
    return opened if entry is None or entry.target.phase != "standby" else at_standby(opened, entry.target)


def at_standby(opened: Opened, target: Target) -> Opened:
    """The environment with its site and its records in the standby region."""
    import msgspec

    _, standby = places(opened)
    assembly = msgspec.structs.replace(opened.assembly, home_region=standby.region, artifact_bucket=standby.artifacts)
    return dataclasses.replace(opened, assembly=assembly, home=opened.assembly, standby=target)


def impatient(opened: Opened) -> Opened:
    """The same for a verb that only looks: a region that is lost costs seconds, not a minute for each question."""
    return dataclasses.replace(opened, gateways=opened.gateways.impatient())


def target_line(opened: Opened, args: argparse.Namespace) -> str:
    """Who takes releases, in a line."""
    try:
        entry = entry_of(opened, args)
    except CommandError as error:
        return f"releases: {str(error).splitlines()[0]}"
    target = entry.target if entry else None
    if target is None or target.phase == "home":
        return "releases go to the site bucket"
    if target.phase == "standby":
        return f"releases go to the replica since {target.since} (promoted by {target.by})"
    return f"{target.phase} by {target.by}: nobody takes releases until that has ended"


def in_standby(opened: Opened) -> Opened:
    """The environment with its records in the standby region, whoever takes releases: for what is decided when the home region is lost."""
    from promotion.target import Target

    if origins_of(opened) is None:
        raise CommandError(f"{opened.assembly.environment} has no disaster recovery, so there is no standby region", status=USAGE)
    return at_standby(opened, Target(environment=opened.assembly.environment))


def refuse_unless_home(opened: Opened, args: argparse.Namespace, what: str) -> None:
    """Raise `CommandError` unless releases go to the home region. `what`: "no stack is changed"."""
    entry = entry_of(opened, args)
    if entry is None or entry.target.phase == "home":
        return
    _refuse_between(opened, entry.target)
    raise CommandError(
        f"{opened.assembly.environment} is promoted since {entry.target.since} (by {entry.target.by}): {what} until the failback",
        command=commands.deploy("dr failback", opened.assembly.environment),
    )


def refuse_edited_away(opened: Opened, what: str = "no stack is changed") -> None:
    """Raise `CommandError` if the environment is promoted to a standby region that its file does not name any more. Asks history.

    What history cannot tell stops nothing: the first apply has none.
    """
    from aws.errors import AwsError

    try:
        former = _former_register(opened)
        entry = told(former) if former is not None else None
    except (AwsError, Untold):
        return
    if former is not None and entry is not None and entry.target.phase != "home":
        raise CommandError(
            f"{opened.assembly.environment} is {entry.target.phase} by s3://{former.bucket}/{former.key}, a standby region that its file"
            f" names no more: {what} until the failback; take the edit back, build, and go back first",
            command=commands.deploy("dr failback", opened.assembly.environment),
        )


def _refuse_former(opened: Opened) -> None:
    """The same for a publisher, as `WebsiteError`. A site stack that stands without a replica spares it the history."""
    from aws.errors import AwsError
    from website.errors import WebsiteError

    stack = next((each for each in opened.assembly.stacks if each.id == SITE_STACK), None)
    try:
        there = stack and opened.gateways.cloudformation(stack.account_id, stack.region, stack.role_arn).describe_stack(stack.stack_name)
    except AwsError:
        return
    if not there or REPLICATION_OUTPUT not in there.outputs:
        return
    try:
        refuse_edited_away(opened, "nothing is published")
    except CommandError as error:
        raise WebsiteError(str(error), error.command) from None


def _former_register(opened: Opened) -> Register | None:
    """Of the standby region that was applied last; None if there was none, or if it is still the same."""
    from aws.s3 import S3
    from promotion.target import Register
    from rollout import history

    assembly = opened.assembly
    kept = S3.connect(opened.aws, account_id=assembly.account_id, region=assembly.home_region)
    for record in history.records(kept, assembly.artifact_bucket, assembly.environment, limit=1):
        found = history.fetch(kept, assembly.artifact_bucket, record.assembly_digest)
        try:
            before = history.verified(found, record.assembly_digest, assembly.environment)
        except history.NotAsApplied:
            continue
        stack = next((each for each in before.stacks if each.id == REPLICA_STACK), None)
        resources = documents.loads(found[stack.template.file])["Resources"] if stack else {}
        if stack is None or "ArtifactBucket" not in resources:
            continue
        bucket = str(resources["ArtifactBucket"]["Properties"]["BucketName"])
        if origins_of(opened) is not None and bucket == standby_artifacts(opened):
            continue
        return Register(S3.connect(opened.aws, account_id=stack.account_id, region=stack.region), bucket, assembly.environment)
    return None


def _refuse_between(opened: Opened, target: Target) -> None:
    verb = {"promoting": "promote", "failing-back": "failback"}.get(target.phase)
    if verb is not None:
        raise CommandError(
            f"{opened.assembly.environment} is {target.phase} (by {target.by}): nobody takes releases until that has ended",
            command=commands.deploy(f"dr {verb}", opened.assembly.environment),
        )


def still(opened: Opened) -> Callable[[], None]:
    """Raises `WebsiteError` if releases do not go where they went when the environment was opened."""
    if origins_of(opened) is None:
        return functools.cache(lambda: _refuse_former(opened))
    if opened.unasked:
        return lambda: None

    def check() -> None:
        from aws.errors import CredentialsError
        from website.errors import WebsiteError

        wanted = opened.standby.epoch if opened.standby else None
        again = commands.deploy("dr status", opened.assembly.environment)
        try:
            entry = told(register(opened))
        except (CredentialsError, Untold) as error:
            raise WebsiteError(f"who takes releases cannot be asked any more, so nothing further was written: {error}", again) from error
        if entry is None:
            return
        now = entry.target
        if (now.epoch != wanted) if wanted is not None else (now.phase != "home"):
            raise WebsiteError(f"releases do not go to this bucket any more ({now.phase}, by {now.by}); nothing further was written", again)

    return check


@contextlib.contextmanager
def mirrored(opened: Opened, context: Context) -> Iterator[None]:
    """When the block has ended well, bring the standby's records up to those at home. Trouble there is a warning."""
    yield
    if origins_of(opened) is None or opened.standby is not None:
        return
    from aws.errors import AwsError
    from promotion.records import mirror
    from promotion.target import Unreadable
    from website.errors import WebsiteError

    home, standby = places(opened)
    if opened.unasked:
        context.say(f"warning: the records in {standby.region} are behind those at home; the next publish that reaches it brings them")
        return
    look = register(opened)
    try:
        mirror(home, standby, opened.assembly.environment, allowed=lambda: look.read().target.phase == "home", now=context.now())
    except (AwsError, WebsiteError, Unreadable) as error:
        context.say(f"warning: the records in {standby.region} are behind those at home: {error}; the next publish brings them")


def site_at(opened: Opened, site: Site) -> Site:
    """The site as it is published to: with who asks whether that is still so, and in the replica while that takes releases."""
    target = opened.standby
    site = dataclasses.replace(site, still_target=still(opened), follower=None if opened.unasked else site.follower)
    if target is None:
        return site
    _, standby = places(opened)
    return dataclasses.replace(site, bucket=standby.bucket, follower=None, distribution_id=lambda: target.distribution)
