"""What is to be published, as the content of an opened environment's plan, for the verbs that plan and apply it.

In: an opened environment, a directory or content that was fetched (`session.promotion`). Out: a `ContentPlan`; what became of it.
Never: publishes anything but what the plan says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from session.context import CommandError
from session.site import contract_of, deployed_outputs, refuse_unless_promoted, site_of
from session.target import SITE_STACK
from website import planner
from website.content import Content, read
from website.content_plan import sealed
from website.errors import WebsiteError
from website.publish import publish
from website.snapshot import empty_snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from session.opened import Opened
    from website.content_plan import ContentPlan
    from website.run import Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Source:
    """Checked content, and where it came from."""

    content: Content
    origin: str
    """What the release will say it came from."""
    commit: str = ""
    """git commit of the front end, if known."""
    directory: str = ""
    """Absolute path, where it lies in a directory of the user's."""
    allow: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    release: str = ""
    """ENV:CONTENT-DIGEST, where it is a release that another environment verified."""


def from_directory(
    opened: Opened, directory: Path, *, allow: tuple[str, ...] = (), exclude: tuple[str, ...] = (), origin: str = ""
) -> Source:
    """A directory's content. Raises `CommandError` for an environment that takes promoted releases only, `SourceError`."""
    contract = contract_of(opened.assembly)
    refuse_unless_promoted(opened.assembly.environment, contract)
    content = read(directory, contract, allow=allow, exclude=exclude)
    where = str(directory.resolve())
    return Source(content=content, origin=origin or str(directory), directory=where, allow=allow, exclude=exclude)


def plan_source(opened: Opened, source: Source, *, now: datetime) -> ContentPlan:
    """What publishing it would do; before the first deployment everything is new. Raises `AwsError`."""
    live = deployed_outputs(opened)
    site = site_of(opened, live=live)
    snapshot = None if site.bucket else empty_snapshot(site)
    plan = planner.content_plan(site, source.content, origin=source.origin, now=now, snapshot=snapshot)
    known_after = () if live else (f"{SITE_STACK}.BucketName", f"{SITE_STACK}.DistributionId")
    where = {"directory": source.directory, "allow": source.allow, "exclude": source.exclude, "release": source.release}
    return sealed(msgspec.structs.replace(plan, known_after=known_after, **where))


def refuse_moved(opened: Opened, source: Source, approved: ContentPlan, *, now: datetime) -> None:
    """Raise `WebsiteError` if content or site are not what they were when the plan was made; `AwsError`."""
    planner.refuse_moved(approved, plan_source(opened, source, now=now))


def publish_source(opened: Opened, content: Content, approved: ContentPlan, run: Run, *, commit: str = "") -> Outcome:
    """Publish exactly what was approved. Raises `WebsiteError` if content or site have moved since, `Busy`, `AwsError`."""
    try:
        site = site_of(opened)
    except CommandError as error:
        raise WebsiteError(str(error), error.command) from None
    return publish(site, content, run, origin=approved.origin, commit=commit, approved=approved)


def publish_planned(opened: Opened, directory: Path, approved: ContentPlan, run: Run, *, commit: str = "") -> Outcome:
    """Read the directory again and publish it, if it is what was approved. Raises as `publish_source`, and `SourceError`."""
    try:
        contract = contract_of(opened.assembly)
    except CommandError as error:
        raise WebsiteError(str(error), error.command) from None
    return publish_source(opened, read(directory, contract, allow=approved.allow, exclude=approved.exclude), approved, run, commit=commit)
