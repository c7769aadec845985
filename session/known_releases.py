"""The releases that this checkout has seen, so that the shell can complete them: AWS alone knows which there are.

In: what `releases`, `publish` and `rollback-release` have read or made. Out: digests, the newest first, from `.cache/releases/`.
Never: asks AWS, holds what a verb decides by, ends a verb because the file cannot be written.
"""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

from assembly.commands import DIGEST_DIGITS
from guards.private import write_private
from session.context import Context

KEPT = 30
_DIGEST = re.compile(rf"[0-9a-f]{{{DIGEST_DIGITS}}}")


def remember(root: Path, environment: str, *, local: bool, contents: Iterable[str], replace: bool = False) -> None:
    """Digests of built files, the newest first, before those that were known; with `replace` instead of them."""
    file = _file(root, environment, local)
    new = [content[:DIGEST_DIGITS] for content in contents]
    found = dict.fromkeys(new if replace else (*new, *known(root, environment, local=local)))
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, "".join(f"{digest}\n" for digest in [*found][:KEPT]).encode(), durable=False)


def note(context: Context, args: argparse.Namespace, contents: Iterable[str], *, replace: bool = False) -> None:
    """What a verb has read or made, unless an endpoint of the caller's own stands for AWS."""
    if "AWS_ENDPOINT_URL" not in context.environ:
        remember(context.root, args.env, local=args.local, contents=contents, replace=replace)


def known(root: Path, environment: str, *, local: bool) -> tuple[str, ...]:
    """Those that were seen, the newest first; none where there is no file, or no name of an environment."""
    if not re.fullmatch(r"[a-z0-9-]+", environment):
        return ()
    try:
        lines = _file(root, environment, local).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ()
    return tuple(line for line in lines if _DIGEST.fullmatch(line))


def _file(root: Path, environment: str, local: bool) -> Path:
    return root / ".cache" / "releases" / f"{environment}{'.local' if local else ''}"
