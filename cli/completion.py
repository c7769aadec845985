"""Completion by the shell (docs/guides/command-line.md says how to switch it on).

In: what argcomplete's shell function puts into the environment. Out: words, by argcomplete. Never: asks AWS, builds, starts anything.

It offers verbs, options, environments, stacks, runbooks, and the releases that this checkout has seen.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cli.parser import add_arguments, module_of, verbs
from session import known_releases
from session.context import ROOT

Completer = Callable[..., list[str]]


def complete(environ: Mapping[str, str], packages: Iterable[str], **how: Any) -> None:
    """Answer, and end the process. `how` is for argcomplete."""
    import argcomplete

    argcomplete.autocomplete(parser(environ.get("COMP_LINE", ""), tuple(packages)), always_complete_options="long", **how)


def parser(line: str, packages: tuple[str, ...]) -> argparse.ArgumentParser:
    """Every verb, of which the one in the line has its options: no other module is loaded."""
    whole = argparse.ArgumentParser(prog="deploy.py")
    below = whole.add_subparsers(dest="verb")
    typed = _words(line)
    for verb in verbs(packages):
        one = below.add_parser(verb, allow_abbrev=False)
        if verb in typed:
            add_arguments(one, module_of(verb, packages))
            for action in one._actions:
                name = action.option_strings[-1] if action.option_strings else action.dest
                found = COMPLETERS.get(f"{verb} {name}") or COMPLETERS.get(name)
                if found is not None:
                    action.completer = found  # type: ignore[attr-defined]
    return whole


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # an open quote
        return line.split()


def environments(**_: Any) -> list[str]:
    """Those with a file, and what else is built."""
    built = (manifest.parent.name for manifest in (ROOT / "dist").glob("*/assembly.json"))
    return sorted({file.stem for file in (ROOT / "environments").glob("*.yaml")} - {"common"} | {*built})


def stacks(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Of the environment in the line, as it is built; none where it is not."""
    from assembly import files

    directory = Path(getattr(parsed_args, "dist", None) or ROOT / "dist") / (getattr(parsed_args, "env", None) or "")
    try:
        assembly, _templates = files.read(directory)
    except (files.AssemblyError, OSError):
        return []
    return [stack.id for stack in assembly.stacks]


def runbooks(**_: Any) -> list[str]:
    """Those of docs/runbooks."""
    return sorted(file.stem for file in (ROOT / "docs" / "runbooks").glob("[a-z]*.md"))


def releases(parsed_args: argparse.Namespace, root: Path = ROOT, **_: Any) -> list[str]:
    """Of the environment in the line, as far as this checkout has seen them."""
    return [*known_releases.known(root, getattr(parsed_args, "env", None) or "", local=getattr(parsed_args, "local", False))]


def sources(parsed_args: argparse.Namespace, root: Path = ROOT, **_: Any) -> list[str]:
    """Environments with a colon, and behind it what this checkout has seen of their releases."""
    local = getattr(parsed_args, "local", False)
    return [f"{name}:{digest}" for name in environments() for digest in ("", *known_releases.known(root, name, local=local))]


COMPLETERS: Mapping[str, Completer] = {
    "--env": environments,
    "--compare": environments,
    "--only": stacks,
    "--release": sources,
    "rollback-release --to": releases,
    "runbook name": runbooks,
}
"""By the option or argument, or by verb and that; argparse's own choices and files need none."""
