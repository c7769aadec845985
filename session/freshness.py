"""Whether `dist/` still is what its sources would give, so that no verb calls "no changes" what was only not built.

In: the parsed arguments, the sources that the assembly was built from. Out: a refusal, a line on stderr, or with --build a new build.
Never: says anything where the sources are not there (a pipeline that was handed the assembly), or about an assembly out of the history.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from assembly import commands
from session.context import ROOT, USAGE, CommandError, Context

if TYPE_CHECKING:
    from assembly.sources import Sources

REFUSED = frozenset({"plan", "apply", "publish"})
TOLD = frozenset({"status", "drift", "doctor", "verify", "preview"})
NAMES = 3
"""Files that are named; of more there is a count."""


def add_build_argument(parser: argparse.ArgumentParser) -> None:
    """--build."""
    parser.add_argument("--build", action="store_true", help="build first, as build.py --env ENV does")


def refresh(args: argparse.Namespace, context: Context) -> None:
    """Build first, with --build. Otherwise raise `CommandError` for a verb that changes things, and tell for one that shows them."""
    if getattr(args, "build", False):
        _build(args)
        args.build = False
        return
    verb = getattr(args, "verb", "")
    if verb not in REFUSED | TOLD:
        return
    from assembly import sources  # not before: --help is instant

    built_from = sources.read(args.dist / args.env)
    changed = sources.changed(built_from, ROOT)
    if not changed:
        return
    shown = ", ".join(changed[:NAMES]) + (f" and {len(changed) - NAMES} more" if len(changed) > NAMES else "")
    what = f"{args.dist / args.env} is not what would be built now: changed since it was built: {shown}"
    own = f"environments/{args.env}.yaml"
    gone = own in changed and not (ROOT / own).exists()
    where = shlex.join(_environments(args.env, built_from))
    command = commands.deploy("destroy", args.env) if gone else f"{commands.build(args.env)} {where}".strip()
    if gone:
        what = f"{own} is gone; what it described may still be deployed"
    # Whoever names the digest that was reviewed means that assembly, whatever the sources have become.
    if verb in REFUSED and not getattr(args, "plan_digest", None) and not (verb == "apply" and args.approve):
        raise CommandError(what, command=command, status=USAGE)
    context.say(f"hint: {what}")
    context.say_next(command)


def _build(args: argparse.Namespace) -> None:
    """Raise `CommandError` if it fails; its words are on stderr by then."""
    from assembly import sources  # not before: --help is instant

    where = _environments(args.env, sources.read(args.dist / args.env))
    command = [sys.executable, str(ROOT / "build.py"), "--env", args.env, "--out", str(args.dist), *where]
    done = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603
    if done.returncode:
        raise CommandError(f"the build of {args.env} failed", command=commands.build(args.env), status=USAGE)


def _environments(environment: str, built_from: Sources) -> list[str]:
    """`--environments DIR` where the assembly was built from other files than those of the checkout."""
    for name in built_from.files:
        file = ROOT / name
        if file.name == f"{environment}.yaml" and file.parent != ROOT / "environments":
            return ["--environments", str(file.parent)]
    return []
