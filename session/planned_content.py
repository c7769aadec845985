"""The content of a saved plan, for apply: brought here once, compared before the stacks change, published when they stand.

In: an opened environment, the approved `ContentPlan`. Out: `Outcome`.
Never: publishes what is not what was reviewed; keeps what it fetched.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from session.content import Source, from_directory, publish_planned, publish_source, refuse_moved
from session.context import CommandError, Context
from session.promotion import promoted
from session.site import commit_of
from website.errors import WebsiteError

if TYPE_CHECKING:
    from session.opened import Opened
    from website.content_plan import ContentPlan
    from website.run import Outcome, Run


class PlannedContent:
    """A directory is read again at the end, as it may have changed since; a release is fetched once, as it cannot."""

    def __init__(self, args: argparse.Namespace, context: Context, opened: Opened) -> None:
        self.args, self.context, self.opened = args, context, opened
        self._fetched: Source | None = None
        self._open = ExitStack()

    def __enter__(self) -> PlannedContent:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def directory(self, approved: ContentPlan) -> Path:
        """Where it lies by now."""
        given: Path | None = getattr(self.args, "content", None)
        return given or Path(approved.directory)

    def refuse_moved(self, approved: ContentPlan) -> None:
        """Raise unless it can be published as it was reviewed: `WebsiteError`, `SourceError`, `CommandError`, `AwsError`."""
        if approved.release:
            source = self._release(approved)
        else:
            source = from_directory(self.opened, self.directory(approved), allow=approved.allow, exclude=approved.exclude)
        refuse_moved(self.opened, source, approved, now=self.context.now())

    def publish(self, approved: ContentPlan, run: Run) -> Outcome:
        """Make it live. Raises `WebsiteError` if content or site are not what was approved, `SourceError`, `Busy`, `AwsError`."""
        if not approved.release:
            directory = self.directory(approved)
            return publish_planned(self.opened, directory, approved, run, commit=commit_of(directory, self.context))
        try:
            source = self._release(approved)
        except CommandError as error:
            raise WebsiteError(str(error), error.command) from None
        return publish_source(self.opened, source.content, approved, run, commit=source.commit)

    def _release(self, approved: ContentPlan) -> Source:
        if self._fetched is None:
            folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="release-"))
            self._fetched = promoted(self.args, self.context, self.opened, approved.release, Path(folder), allow=approved.allow)
        return self._fetched
