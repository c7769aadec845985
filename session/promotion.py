"""A release that another environment verified, as content to publish or to plan.

In: ENV:RELEASE, and the environment that is to get it. Out: a `Source`, whose files were compared with their digests, in a folder of ours.
Never: believes a release that was not verified there, or a file that is not what was published.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assembly import commands
from session.content import Source
from session.context import USAGE, CommandError, Context
from session.opened import open_environment
from session.site import contract_of, progress, site_of

if TYPE_CHECKING:
    from session.opened import Opened

SHOWN = 12
"""Digits of a content digest by which a person names it."""


def promoted(
    args: argparse.Namespace, context: Context, opened: Opened, reference: str, folder: Path, *, allow: tuple[str, ...] = ()
) -> Source:
    """The content of a release of another environment, fetched into `folder`, which must outlive the publishing.

    Raises `CommandError` for what is no such reference, or another environment than this one takes releases of; `WebsiteError` for a
    release that was not verified or is damaged; `AwsError`.
    """
    from website.content import with_pages_judged
    from website.promotion import fetch, promotable

    contract = contract_of(opened.assembly)
    environment, _, wanted = reference.partition(":")
    if not environment or not wanted:
        named = environment if (args.dist / environment / "assembly.json").is_file() else ""
        raise CommandError(
            f"--release {reference!r}: write ENV:NUMBER or ENV:DIGEST",
            command=commands.deploy("releases", named or contract.promote_from or args.env),
            status=USAGE,
        )
    if contract.promote_from and environment != contract.promote_from:
        raise CommandError(
            f"{args.env} takes only releases that were verified in {contract.promote_from}, not in {environment}",
            command=commands.deploy("releases", contract.promote_from),
            status=USAGE,
        )
    asking = argparse.Namespace(**{**vars(args), "env": environment, "verb": "releases", "typed": ("--env", environment)})
    source = site_of(open_environment(asking, context))
    release = promotable(source, wanted)
    with progress(context) as report:
        content = with_pages_judged(fetch(source, release, contract, folder, report), contract, allow=allow)
    return Source(
        content=content,
        origin=f"{environment}:{release.content[:SHOWN]} (release {release.number})",
        commit=release.commit,
        allow=allow,
        release=f"{environment}:{release.content}",
    )
