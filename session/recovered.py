"""An environment whose file is gone, found again: what was applied last, out of the history in its artifact bucket.

In: the name of an environment that nothing is built of; where it was, as far as the caller says. Out: its last assembly in dist/ENV,
checked digest by digest. Never: guesses among several, or takes an assembly that is not the one the history names.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assembly import commands
from guards.slips import did_you_mean
from session.calls import settings
from session.context import ROOT, USAGE, CommandError, Context
from session.opened import environments_known

if TYPE_CHECKING:
    from assembly.model import Assembly
    from aws.session import Aws
    from operations.gateways import CloudFormationGateways

BUCKET_OUTPUT = "ArtifactBucketName"
FOUNDATION = "foundation"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an environment may have been."""

    project: str
    account_id: str
    region: str


def add_recovery_arguments(parser: argparse.ArgumentParser) -> None:
    """--account, --region, --artifact-bucket."""
    where = "of an environment whose file is gone"
    parser.add_argument("--account", metavar="ID", help=f"account {where} (default: that of the credentials)")
    parser.add_argument("--region", metavar="REGION", help=f"home region {where} (default: those of the environments that are built)")
    parser.add_argument("--artifact-bucket", metavar="NAME", help=f"artifact bucket {where} (default: what its foundation stack says)")


def recover(args: argparse.Namespace, context: Context) -> None:
    """Put the last assembly into dist/ENV if nothing is built by that name and nothing could be. Raises `CommandError`, `AwsError`."""
    from assembly import files

    if (args.dist / args.env / files.MANIFEST).exists() or (ROOT / "environments" / f"{args.env}.yaml").exists():
        return
    built, there = environments_known(args.dist)
    meant = did_you_mean(args.env, (*there, *built))
    context.say(f"{args.env} is not built and has no file{meant or '; what was applied by that name is looked for'}")
    known = tuple(_built(args))
    aws, account_id = _aws(args, context, known)
    if args.artifact_bucket and args.region:
        found = [(args.artifact_bucket, Place(project="", account_id=account_id, region=args.region))]
    else:
        from gateways.by_place import Gateways

        found = list(buckets_of(args, Gateways(aws, sleep=context.sleep), account_id, known))
    if len({bucket for bucket, _ in found}) != 1:
        which = f"several places have one: {', '.join(f'{bucket} in {at.region}' for bucket, at in found)}" if found else "none was found"
        raise CommandError(
            f"{args.env} is not built and has no file, so its foundation stack was looked for in account {account_id}; {which}",
            command="say where it was: --account, --region and --artifact-bucket\n" + commands.deploy(args.verb, args.env, "--help"),
            status=USAGE,
            code="not_built",
        )
    _restore(args, context, aws, *found[0])


def _built(args: argparse.Namespace) -> Iterator[Assembly]:
    """The other environments, whose project and regions it may have shared."""
    from assembly import files

    for manifest in sorted(args.dist.glob(f"*/{files.MANIFEST}")):
        try:
            yield files.read(manifest.parent)[0]
        except files.AssemblyError:
            continue


def _aws(args: argparse.Namespace, context: Context, known: tuple[Assembly, ...]) -> tuple[Aws, str]:
    from aws.session import Aws

    if not args.local:
        aws = Aws(profile=args.profile, settings=settings(context))
        return aws, args.account or aws.identity().account_id
    from local_aws.server import LocalAws

    server = LocalAws.start(context.root / ".local-aws")
    accounts = {args.account} if args.account else {assembly.account_id for assembly in known}
    if len(accounts) != 1:
        raise CommandError(
            f"{args.env} is not built and has no file: say in which account it was",
            command=f"add --account ID; built are environments in {', '.join(sorted(accounts)) or 'none'}",
            status=USAGE,
            code="not_built",
        )
    return Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials, settings=settings(context)), accounts.pop()


def buckets_of(
    args: argparse.Namespace, gateways: CloudFormationGateways, account_id: str, known: tuple[Assembly, ...]
) -> Iterator[tuple[str, Place]]:
    """The artifact buckets that foundation stacks of that name say."""
    for place in places(known, account_id, args.region):
        stack = gateways.cloudformation(account_id, place.region, None).describe_stack(f"{place.project}-{args.env}-{FOUNDATION}")
        bucket = args.artifact_bucket or (stack.outputs.get(BUCKET_OUTPUT, "") if stack is not None else "")
        if stack is not None and bucket:
            yield bucket, place


def places(known: tuple[Assembly, ...], account_id: str, region: str | None) -> tuple[Place, ...]:
    """Where to look: every project and home region of the environments that are built."""
    projects = sorted({assembly.project for assembly in known})
    regions = [region] if region else sorted({assembly.home_region for assembly in known})
    return tuple(Place(project=project, account_id=account_id, region=each) for project in projects for each in regions)


def _restore(args: argparse.Namespace, context: Context, aws: Aws, bucket: str, place: Place) -> None:
    from aws.errors import NotFound
    from aws.s3 import S3
    from guards import documents
    from operations.rollback import RollbackError, restore
    from rollout import history

    store = S3.connect(aws, account_id=place.account_id, region=place.region)
    try:
        past = history.read(store, bucket, args.env, limit=1)
        if not past.records:
            raise CommandError(f"s3://{bucket} has no record of {args.env} that can be read", status=USAGE, code="no_history")
        last = past.records[0]
        restore(history.fetch(store, bucket, last.assembly_digest), last.assembly_digest, args.dist / args.env, args.env)
    except (NotFound, documents.Unreadable) as error:
        raise CommandError(f"the last assembly of {args.env} is not in s3://{bucket} whole: {error}", code="no_history") from error
    except RollbackError as error:
        raise CommandError(str(error), status=USAGE, code="no_history") from error
    context.say(
        f"{args.env} has no file any more: {args.dist / args.env} holds its last assembly {last.assembly_digest[:12]} again, "
        f"applied {last.started_at} by {last.by}, out of s3://{bucket}"
    )
