"""A first look at the site without botocore, for a publish that may find nothing to do.

In: parsed arguments, the assembly. Out: a `Site` that can only be read; None where the settings or the environment ask for more.
Never: decides that something is to be done, or what went wrong: only a plain yes counts, all else is looked at again as usual.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from session.context import Context

if TYPE_CHECKING:
    from assembly.model import Assembly
    from website.site import Site

T = TypeVar("T")


def readable_site(args: argparse.Namespace, context: Context, assembly: Assembly, templates: Mapping[str, bytes]) -> Site | None:
    """The site, asked with the credentials of the environment. Nothing is asked here. Raises `CommandError` for a placeholder.

    Whose credentials they are need not be asked: every request names the account that must own the bucket, and S3 refuses any other.
    """
    from recovery.origins import origins_of
    from session.opened import refuse_placeholders
    from session.site import bucket_in_template
    from session.target import SITE_STACK

    # -v promises a line for each call.
    if args.local or args.profile or args.dry_run or context.verbose:
        return None
    refuse_placeholders(assembly)
    bucket = bucket_in_template(templates)
    if not bucket or origins_of(assembly, templates) is not None:
        return None
    client = _client(context, assembly.home_region)
    if client is None:
        return None
    from aws.s3 import S3
    from website.invalidation import Behaviours
    from website.releases import Store
    from website.site import Site

    s3 = S3(client, assembly.account_id, assembly.home_region)
    return Site(
        environment=assembly.environment,
        contract=assembly.site,
        behaviours=Behaviours.of_template(templates[SITE_STACK]),
        bucket=bucket,
        store=Store(s3, assembly.artifact_bucket, assembly.environment),
        s3=s3,
        uploads=_nothing,
        cloudfront=_nothing,
        distribution_id=_nothing,
    )


def _client(context: Context, region: str) -> Any:
    """None where the settings ask for more, or name certificates that cannot be read."""
    from direct.settings import access

    try:
        found = access(context.environ, Path.home(), region=region)
        if found is None:
            return None
        from direct.client import Client

        return Client(found, region, context.now)
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return None


def answered(look: Callable[[], T]) -> T | None:
    """What a look at it gives; None if S3 did not plainly say."""
    from aws.errors import AwsError
    from direct.client import Undecided
    from website.errors import WebsiteError

    try:
        return look()
    except (Undecided, AwsError, WebsiteError):
        return None


def warn_of_endpoint(context: Context) -> None:
    """As whoever opens an environment is warned: no other setting is let through here."""
    from guards.endpoints import overridden
    from session.opened import warn_of_overrides

    warn_of_overrides(context, overridden(context.environ, {}, None))


def _nothing() -> NoReturn:
    raise AssertionError("a site that is only looked at is not changed")
