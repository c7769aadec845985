"""What an assembly was built from: digests of the source files, and the commit, beside the assembly in `dist/<env>/sources.json`.

In: a checkout, the environment files that were read (build); the directory of an assembly (deploy). Out: `Sources`; the names of the
files that have changed since.
Never: part of the assembly's digest, as a comment in a source changes nothing that is deployed; a reason to refuse where the sources are
not there, as in a pipeline that was handed the assembly alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from assembly.files import canonical_json, sha256
from assembly.model import Frozen
from guards import documents

FILE = "sources.json"
CODE = ("assembly", "environments", "lambda", "policies", "stacks", "templates")
"""Folders of the checkout whose code makes the templates."""


class Sources(Frozen, frozen=True, kw_only=True):
    """What one assembly was built from."""

    files: Mapping[str, str] = {}
    """SHA-256 by path: relative to the checkout, or absolute for what lies elsewhere."""
    commit: str = ""
    """Git commit of the checkout, with "-dirty" if it had changes; empty where there is no git."""
    restored: bool = False
    """Taken out of the history by a rollback instead of being built."""


def of(root: Path, environment_files: Iterable[Path], *, commit: str) -> Sources:
    """Of a build in the checkout `root`."""
    found = [*_code(root), *environment_files]
    return Sources(files={_name(path, root): sha256(path.read_bytes()) for path in found if path.is_file()}, commit=commit)


def content(sources: Sources) -> bytes:
    """`sources.json` as written."""
    return canonical_json(msgspec.to_builtins(sources))


def read(directory: Path) -> Sources:
    """Of the assembly in that directory; empty where nothing can be read, which says nothing."""
    try:
        return documents.decode((directory / FILE).read_bytes(), Sources)
    except (OSError, documents.Unreadable):
        return Sources()


def changed(sources: Sources, root: Path) -> tuple[str, ...]:
    """Names of the files that differ, are gone or are new since the build; none for what is not in this checkout at all."""
    if not sources.files:
        return ()
    there = {_name(path, root): path for path in _code(root)}
    known = {name for name in sources.files if _is_code(name)}
    # A checkout without its folders is a pipeline's: the assembly is all that it was given.
    names = set(there) ^ known if there else set()
    for name, digest in sources.files.items():
        path = root / name
        if _is_code(name) and name not in there:
            continue
        try:
            if sha256(path.read_bytes()) != digest:
                names.add(name)
        except OSError:
            if path.parent.is_dir():
                names.add(name)
    return tuple(sorted(names))


def _code(root: Path) -> Iterator[Path]:
    for folder in CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in (".py", ".js", ".mjs", ".cfg") and "__pycache__" not in path.parts:
                yield path


def _is_code(name: str) -> bool:
    return name.partition("/")[0] in CODE and not name.endswith(".yaml")


def _name(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return str(path.resolve())
