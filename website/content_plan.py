"""The content part of a plan as values, light enough for `rollout/` to import: what a publish writes, keeps and has forgotten.

In: nothing but its own fields. Out: `ContentPlan`, which reviews render and apply publishes.
Never: reads a file or AWS; imports what publishes.
"""

from __future__ import annotations

import shlex
from typing import Literal

import msgspec

from assembly.files import canonical_json, sha256
from assembly.model import Frozen

FORMAT = 1

Change = Literal["add", "modify", "headers"]

UNKNOWN_HEADERS = "not written by a release"


class FileChange(Frozen, frozen=True, kw_only=True):
    """One object that will be written."""

    key: str
    change: Change
    """`headers`: the same bytes, served with other headers."""
    size: int
    content_type: str
    cache_control: str
    before: str = ""
    """Cache-Control and Content-Type that it has now, if they change."""
    before_size: int | None = None


class ContentPlan(Frozen, frozen=True, kw_only=True):
    """What a publish would do, and what that was computed from."""

    format: int = FORMAT
    environment: str
    bucket: str
    """Empty where the template does not name it and the stack is not there yet."""
    origin: str
    """What the release will say it came from: the directory as it was given."""
    directory: str = ""
    """Absolute path of the directory, for apply."""
    allow: tuple[str, ...] = ()
    """What was known of the content and no reason to refuse it: CODE or CODE:PATTERN."""
    exclude: tuple[str, ...] = ()
    """Patterns of paths that were left out, beside those of the environment."""
    manifest: str
    """Digest of the release to be."""
    content: str
    """Digest of its built files."""
    files: int
    size: int
    live: str = ""
    """Manifest that is live now; the plan holds only while it is."""
    live_number: int = 0
    known_after: tuple[str, ...] = ()
    """ "STACK.OUTPUT" of what the stacks of the same plan have yet to make: there is no bucket and no distribution now."""
    changes: tuple[FileChange, ...] = ()
    kept: int = 0
    """Files of the release that are there already."""
    superseded: tuple[str, ...] = ()
    """Keys of the live release that the new one has no more; they stay until `prune`."""
    prunable: tuple[str, ...] = ()
    """Keys that `prune` would remove today."""
    invalidations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    digest: str = ""
    """sha256 of this document with an empty digest, in canonical form."""

    @property
    def has_changes(self) -> bool:
        """Something would be written."""
        return bool(self.changes) or self.manifest != self.live

    @property
    def option(self) -> str:
        """What asks `plan` for this content, as typed in a shell."""
        return f"--content {shlex.quote(self.directory)}" if self.directory else "--content DIR"

    @property
    def upload_size(self) -> int:
        """Bytes to send."""
        return sum(change.size for change in self.changes)


def content_plan_digest(plan: ContentPlan) -> str:
    """The digest of the plan; independent of what `plan.digest` says now."""
    return sha256(canonical_json(msgspec.to_builtins(msgspec.structs.replace(plan, digest=""))))


def sealed(plan: ContentPlan) -> ContentPlan:
    """The same plan with its digest filled in."""
    return msgspec.structs.replace(plan, digest=content_plan_digest(plan))
