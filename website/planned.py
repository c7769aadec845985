"""Content as a part of a plan: what `plan --content` shows, and what apply then publishes.

In: an opened environment and a directory. Out: a `ContentPlan`; an `Outcome`.
Never: publishes anything but what the plan says: content, live release and bucket must be what they were, or `WebsiteError` is raised.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from website import publish
from website.content import Content, read
from website.verbs._site import contract_of, site_of

if TYPE_CHECKING:
    from datetime import datetime

    from rollout.session import Opened
    from website.publish import ContentPlan, Outcome, Run


def plan_content(opened: Opened, directory: Path, *, allow: tuple[str, ...] = (), now: datetime) -> tuple[ContentPlan, Content]:
    """What publishing the directory would do; before the first deployment everything is new. Raises `SourceError`, `AwsError`."""
    content = read(directory, contract_of(opened.assembly), allow=allow)
    return publish.content_plan(site_of(opened), content, origin=str(directory), now=now), content


def publish_planned(
    opened: Opened, directory: Path, approved: ContentPlan, run: Run, *, allow: tuple[str, ...] = (), commit: str = ""
) -> Outcome:
    """Publish exactly what was approved. Raises `WebsiteError` if content or site have moved since, `Busy`, `SourceError`, `AwsError`."""
    content = read(directory, contract_of(opened.assembly), allow=allow)
    return publish.publish(site_of(opened), content, run, origin=approved.origin, commit=commit, approved=approved)
