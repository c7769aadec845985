"""Whether enough people have approved a plan or a release, for the verbs that apply and publish.

In: an opened environment, a digest. Out: nothing, or `CommandError` with who is missing. Never: writes an approval.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from assembly import commands
from guards.text import plural
from session.context import USAGE, CommandError, Context

if TYPE_CHECKING:
    from approvals.people import RoleFacts, Tally
    from assembly.model import Assembly
    from aws.s3 import S3
    from planning.model import Finding
    from session.opened import Opened


def wanted(last: Assembly | None) -> tuple[Finding, ...]:
    """What a plan says of it. `last`: what was applied last, whose number counts (`approvals.rule`); the first apply asks for none."""
    from planning.model import Finding

    number = last.approvals if last is not None else 0
    if last is None or not number:
        return ()
    message = f"apply takes changes once {plural(number, 'person has', 'people have')} approved this plan by its digest"
    return (Finding(severity="note", code="approvals", message=message, command=commands.deploy("approve", last.environment, "DIGEST")),)


def refuse_unapproved(opened: Opened, digest: str, what: str, context: Context) -> None:
    """Return if the environment's number of people have approved it. `what` is for the eye: "plan 3f2a91c07b55"."""
    from approvals.rule import needed
    from aws.errors import NotFound
    from rollout.history import NotAsApplied

    environment, bucket = opened.assembly.environment, artifacts(opened)
    try:
        wanted = needed(opened.assembly, bucket)
        if not wanted:
            return
        found = tally_of(opened, digest, context)
    except NotFound:
        # Before the first deployment there is no bucket, so nobody can approve.
        if bucket.bucket_exists(opened.assembly.artifact_bucket):
            raise
        context.say(
            f"note: {environment} has no artifact bucket yet, so the approvals of people count from the next {what.split(maxsplit=1)[0]} on"
        )
        return
    except NotAsApplied as error:
        text = f"the assembly that was applied last {error}; how many people have to approve cannot be told"
        raise CommandError(text, command=commands.deploy("history", environment), status=USAGE) from None
    if len(found.people) >= wanted:
        context.say(f"{what} is approved by {', '.join(found.people)}")
        return
    by = f"by {', '.join(found.people)}" if found.people else "by nobody yet"
    raise CommandError(
        f"{environment} asks for the approval of {wanted} people, and {what} is approved {by}",
        *(f"not counted: {line}" for line in found.left_out),
        command=f"{wanted - len(found.people)} more, with their own credentials of account {opened.assembly.account_id}:\n"
        + commands.deploy("approve", environment, digest),
        status=USAGE,
    )


def tally_of(opened: Opened, digest: str, context: Context) -> Tally:
    """The people who have approved it. Raises `AwsError`."""
    from approvals.people import RoleFacts, tally
    from approvals.record import read
    from aws.errors import AwsError, CredentialsError

    assembly = opened.assembly
    iam = opened.gateways.iam(assembly.account_id)

    @cache
    def role(name: str) -> RoleFacts | None:
        try:
            found = iam.role(name)
        except CredentialsError:
            raise
        except AwsError:
            return None
        return RoleFacts(arn=found.arn, unique_id=found.unique_id) if found is not None else None

    return tally(
        read(artifacts(opened), assembly.artifact_bucket, assembly.environment, digest),
        now=context.now(),
        roles=role,
        machines=assembly.workflow_roles,
    )


def artifacts(opened: Opened) -> S3:
    """The artifact bucket's S3."""
    from aws.s3 import S3

    return S3.connect(opened.aws, account_id=opened.assembly.account_id, region=opened.assembly.home_region)
