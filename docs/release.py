"""A release: `python docs/release.py 1.2.0` closes the changelog's Unreleased part, writes the version, commits and tags.

In: a version, the changelog, setup.cfg, git. Out: a commit and an annotated tag, here only.
Never: pushes, releases what was not committed, takes a version that was there already.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.since import known, with_release  # noqa: E402

UNRELEASED = "## Unreleased\n"
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_WRITTEN = re.compile(r"(?m)^version = (\S+)$")


class Refused(Exception):
    """There is no release; the message says why."""


def released(changelog: str, settings: str, version: str, today: date) -> tuple[str, str]:
    """Changelog and setup.cfg of the release. Raises `Refused`.

    The version that stands in setup.cfg may be released itself, as the first one is: whether it was already, its tag tells.
    """
    if not _VERSION.fullmatch(version):
        raise Refused(f"{version!r} is no version: three numbers, as in 1.2.0 (https://semver.org)")
    written = _WRITTEN.search(settings)
    if written is None:
        raise Refused("setup.cfg has no version")
    if _numbers(version) < _numbers(written[1]):
        raise Refused(f"{version} is older than {written[1]}, which setup.cfg has")
    if f"\n## {version} " in changelog:
        raise Refused(f"the changelog has {version} already")
    head, found, rest = changelog.partition(UNRELEASED)
    if not found or not rest.partition("\n## ")[0].strip():
        raise Refused("nothing stands under Unreleased in CHANGELOG.md")
    return f"{head}{UNRELEASED}\n## {version} - {today.isoformat()}\n{rest}", _WRITTEN.sub(f"version = {version}", settings, count=1)


def names() -> dict[str, tuple[str, ...]]:
    """What there is to be used, by kind (docs/since.json)."""
    from cli.parser import verbs
    from docs.environment_keys import names as keys

    return {"keys": tuple(keys()), "commands": tuple(verbs())}


def rewrite_reference() -> None:
    """The pages that say since when."""
    from docs import reference

    reference.main([])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _git(root: Path, *arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603, S607
    if ended.returncode:
        raise Refused(ended.stderr.strip() or f"git {arguments[0]} failed")
    return ended.stdout.strip()


def release(root: Path, version: str, today: date, there: Mapping[str, Iterable[str]], rewrite: Callable[[], None]) -> str:
    """Make it; what to type next. `there`: what a user finds in it; `rewrite` makes the documents that depend on it.

    Raises `Refused`, with nothing changed.
    """
    changelog, settings = root / "CHANGELOG.md", root / "setup.cfg"
    new = released(changelog.read_text(encoding="utf-8"), settings.read_text(encoding="utf-8"), version, today)
    if _git(root, "status", "--porcelain"):
        raise Refused("the checkout has changes that are not committed")
    since = root / "docs" / "since.json"
    tag = f"v{version}"
    if _git(root, "tag", "--list", tag):
        raise Refused(f"there is a tag {tag} already")
    for path, text in zip((changelog, settings), new, strict=True):
        path.write_text(text, encoding="utf-8")
    since.write_text(with_release(known(since), there, version), encoding="utf-8")
    rewrite()
    _git(root, "commit", "--quiet", "--message", f"Release {version}", "CHANGELOG.md", "setup.cfg", "docs")
    _git(root, "tag", "--annotate", tag, "--message", f"Release {version}")
    return f"git push --follow-tags origin {_git(root, 'rev-parse', '--abbrev-ref', 'HEAD')}"


def main(arguments: list[str]) -> int:
    """Release, or say why not."""
    try:
        following = release(ROOT, arguments[0] if arguments else "", datetime.now(UTC).date(), names(), rewrite_reference)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"next: {following}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
