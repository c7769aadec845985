"""Completion by the shell: verbs, options, environments, stacks and runbooks (docs/guides/command-line.md says how to switch it on).

In: what argcomplete's shell function puts into the environment. Out: words, by argcomplete. Never: asks AWS, builds, starts anything.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cli.parser import add_arguments, module_of, verbs
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
                found = COMPLETERS.get(action.option_strings[-1] if action.option_strings else f"{verb} {action.dest}")
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


def sources(**_: Any) -> list[str]:
    """Environments with a colon: which releases one has AWS alone knows."""
    return [f"{name}:" for name in environments()]


COMPLETERS: Mapping[str, Completer] = {
    "--env": environments,
    "--compare": environments,
    "--only": stacks,
    "--release": sources,
    "runbook name": runbooks,
}
"""By the option, or by verb and name of an argument; argparse's own choices and files need none."""
