"""A directory as the content of an opened environment's plan, for the verbs that plan and apply it.

In: an opened environment and a directory. Out: a `ContentPlan`; what became of it. Never: publishes anything but what the plan says.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from session.context import CommandError
from session.site import SITE_STACK, contract_of, deployed_outputs, refuse_unless_promoted, site_of
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


def plan_content(
    opened: Opened, directory: Path, *, allow: tuple[str, ...] = (), exclude: tuple[str, ...] = (), origin: str = "", now: datetime
) -> tuple[ContentPlan, Content]:
    """What publishing the directory would do; before the first deployment everything is new.

    Raises `CommandError` for an environment that takes promoted releases only, `SourceError`, `AwsError`.
    """
    contract = contract_of(opened.assembly)
    refuse_unless_promoted(opened.assembly.environment, contract)
    content = read(directory, contract, allow=allow, exclude=exclude)
    live = deployed_outputs(opened)
    site = site_of(opened, live=live)
    snapshot = None if site.bucket else empty_snapshot(site)
    plan = planner.content_plan(site, content, origin=origin or str(directory), now=now, snapshot=snapshot)
    known_after = () if live else (f"{SITE_STACK}.BucketName", f"{SITE_STACK}.DistributionId")
    asked = {"directory": str(directory.resolve()), "allow": allow, "exclude": exclude, "known_after": known_after}
    return sealed(msgspec.structs.replace(plan, **asked)), content


def refuse_moved(opened: Opened, directory: Path, approved: ContentPlan, *, now: datetime) -> None:
    """Raise `WebsiteError` if content or site are not what they were when the plan was made; `SourceError`, `AwsError`."""
    plan, _ = plan_content(opened, directory, allow=approved.allow, exclude=approved.exclude, now=now)
    planner.refuse_moved(approved, plan)


def publish_planned(opened: Opened, directory: Path, approved: ContentPlan, run: Run, *, commit: str = "") -> Outcome:
    """Publish exactly what was approved. Raises `WebsiteError` if content or site have moved since, `Busy`, `SourceError`, `AwsError`."""
    try:
        site, contract = site_of(opened), contract_of(opened.assembly)
    except CommandError as error:
        raise WebsiteError(str(error), error.command) from None
    content = read(directory, contract, allow=approved.allow, exclude=approved.exclude)
    return publish(site, content, run, origin=approved.origin, commit=commit, approved=approved)
