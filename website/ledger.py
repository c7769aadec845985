"""The ledger: what was published here, as the site bucket itself has it. The root of what a rollback and a promotion believe.

In: keys of the site bucket. Out: which manifest which release number stands for, and which was verified.
Never: tells a visitor anything (an entry is an empty object, and its name holds a digest that nobody can guess).

The chain of trust: releases.json, manifests and kept copies lie in the artifact bucket, where more people may write than may change the
live site. So an entry in the site bucket names a release's number and the digest of its manifest; the manifest, which must have that
digest, names the digest of every file; and every byte is compared with its digest before it goes live. Whoever can write an entry can
write the live page as well.

    PREFIX.releases/NUMBER-MANIFESTDIGEST            this release was begun here
    PREFIX.releases/NUMBER-MANIFESTDIGEST.verified   and `verify --record` found that it keeps its contract
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assembly import commands
from website.errors import WebsiteError

if TYPE_CHECKING:
    from website.releases import Release, State

FOLDER = ".releases/"
"""Where the entries lie, below the prefix of the site's keys."""
_VERIFIED = ".verified"
_ENTRY = re.compile(r"([1-9][0-9]{0,11})-([0-9a-f]{64})")


def entry_key(prefix: str, number: int, manifest: str) -> str:
    """Key of the entry of a release. `prefix` is that of the site's keys."""
    return f"{prefix}{FOLDER}{number}-{manifest}"


def verified_key(prefix: str, number: int, manifest: str) -> str:
    """Key of the entry that says that it was verified."""
    return entry_key(prefix, number, manifest) + _VERIFIED


@dataclass(frozen=True)
class Ledger:
    """The entries of a site bucket: number and manifest digest of each release that was begun there."""

    entries: frozenset[tuple[int, str]] = frozenset()

    @classmethod
    def of(cls, prefix: str, keys: Iterable[str]) -> Ledger:
        """Out of a listing of the site bucket."""
        start = prefix + FOLDER
        found = (_ENTRY.fullmatch(key.removeprefix(start)) for key in keys if key.startswith(start))
        return cls(frozenset((int(match[1]), match[2]) for match in found if match is not None))

    @property
    def manifests(self) -> frozenset[str]:
        """Digests of all manifests that were ever published here."""
        return frozenset(manifest for _, manifest in self.entries)

    @property
    def newest(self) -> frozenset[str]:
        """Manifest of the newest release; what is live, or was begun after it. None where there is no entry."""
        last = max((number for number, _ in self.entries), default=0)
        return frozenset(manifest for number, manifest in self.entries if number == last)

    def next_number(self, state: State, manifest: str) -> int:
        """Number for a release of that manifest: its own again if it was begun last and cut off, else one that nobody had."""
        released = max((release.number for release in state.releases), default=0)
        begun = max((number for number, _ in self.entries), default=0)
        if begun > released and (begun, manifest) in self.entries:
            return begun
        return max(begun, released) + 1

    def refuse_unless_published(self, release: Release, environment: str, *, digest: str = "") -> None:
        """Raise `WebsiteError` unless that number stands for that manifest, or the person gave its whole `digest`."""
        if (release.number, release.manifest) not in self.entries and digest != release.manifest:
            raise unpublished(
                release,
                environment,
                "published",
                f"python deploy.py publish --env {environment} --content DIR\nor, with the whole digest of its manifest from the "
                f"log of that publish:\npython deploy.py rollback-release --env {environment} --to DIGEST",
            )

    def refuse_unless_agreed(self, state: State, target: Release) -> None:
        """Raise `WebsiteError` if the list of releases hides or reorders something: "the one before" may mean another one then."""
        known = {(release.number, release.manifest) for release in state.releases}
        unknown = sorted(number for number, manifest in self.entries if number > target.number and (number, manifest) not in known)
        live = state.live
        last = max((number for number, _ in self.entries), default=0)
        if unknown or (live is not None and live.number < last):
            hidden = unknown[-1] if unknown else last
            raise WebsiteError(
                f"which release was live before cannot be told: release {hidden} was begun in {state.environment} and is not in the list "
                "of releases where it should be (a publish was cut off, or somebody changed the list)",
                f"{commands.deploy('releases', state.environment)}\n"
                + commands.deploy("rollback-release", state.environment, "--to", "NUMBER"),
            )


def unpublished(release: Release, environment: str, what: str, command: str) -> WebsiteError:
    """A release that only the artifact bucket knows of. `what`: "published", "verified"."""
    return WebsiteError(
        f"release {release.number} of {environment} is not believed: the site bucket does not say that manifest "
        f"{release.manifest[:12]} was {what} under that number; releases.json may have been changed by hand",
        command,
    )
