"""Assemblies in dist/ whose environment file is gone: what they describe must not be planned again by mistake.

In: dist/, the environment files that there are. Out: their directories; the removal of them.
Never: touches an assembly that was built from elsewhere, or a directory that a build did not write.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from assembly import sources
from assembly.files import MANIFEST


def leftovers(dist: Path, environments: Path, names: Iterable[str], root: Path) -> tuple[Path, ...]:
    """Directories of assemblies that were built from a file of `environments` that is not there any more.

    `names`: the environments that there are; `root`: the checkout, which the sources are told from.
    """
    there = set(names)
    return tuple(
        directory
        for directory in sorted(found.parent for found in dist.glob(f"*/{MANIFEST}"))
        if directory.name not in there and not directory.is_symlink() and _built_from(directory, environments, root)
    )


def _built_from(directory: Path, environments: Path, root: Path) -> bool:
    own = (environments / f"{directory.name}.yaml").resolve()
    return not own.exists() and any((root / name).resolve() == own for name in sources.read(directory).files)


def remove(directory: Path) -> None:
    """The directory with all that is in it. Raises OSError."""
    shutil.rmtree(directory)
