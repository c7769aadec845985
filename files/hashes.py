"""Which files have a name that changes with their content, judged by the name alone.

In: paths. Out: those whose names seem to hold no hash; folders in which every name does, patterns for the others. Never: opens a file; a
name may deceive it.

Vite and Rollup put eight characters of base64url before the extension, webpack and Next hexadecimal digits, Angular and esbuild eight
capitals and digits. A word of eight letters looks like none of them, but in a script's name, where nearly every name has a hash, it is
let pass.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase

_CANDIDATE = re.compile(r"[-.~]([A-Za-z0-9_-]{8,})(?=\.)|^([0-9a-f]{8,})(?=[.-])")
_RANDOM = re.compile(r"[0-9]|[a-z].*[A-Z]|[A-Z]{2}")
_CODE = (".js", ".mjs", ".cjs", ".css", ".map")
_ENDING = re.compile(r"([-.])([A-Za-z0-9_]{8,})(\.[A-Za-z0-9]+)\Z")
_LEAST = 2
"""Files of a folder, or of a build's top, before anything is said of them."""


def seems_hashed(path: str) -> bool:
    """A hash is in the file's name, or, as in `_next/static/BUILD/`, may be in a folder's."""
    name = path.rpartition("/")[2]
    found = [match[1] or match[2] for match in _CANDIDATE.finditer(name)]
    return any(name.endswith(_CODE) or _RANDOM.search(each) for each in found)


def hashed_folders(paths: Iterable[str]) -> tuple[str, ...]:
    """The highest folders with nothing but such names, without those inside of others."""
    inside: dict[str, list[bool]] = defaultdict(list)
    for path in paths:
        hashed = seems_hashed(path)
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            inside["/".join(parts[:depth])].append(hashed)
    whole = {folder for folder, names in inside.items() if len(names) >= _LEAST and all(names)}
    return tuple(sorted(folder for folder in whole if not any(folder.startswith(f"{other}/") for other in whole)))


def hashed_names(paths: Iterable[str]) -> tuple[str, ...]:
    """Shell patterns for hashed files that lie at the top of a build, as Angular puts them; none that would match a name without a hash."""
    names = [path for path in paths if "/" not in path]
    endings = [(name, _ENDING.search(name)) for name in names]
    hashed = [(name, found) for name, found in endings if found is not None and _RANDOM.search(found[2])]
    patterns = {f"*{found[1]}{'?' * len(found[2])}{found[3]}" for _, found in hashed}
    sure = {name for name, _ in hashed}
    safe = sorted(pattern for pattern in patterns if all(name in sure for name in names if fnmatchcase(name, pattern)))
    return tuple(safe) if len(hashed) >= _LEAST else ()
