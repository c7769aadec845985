"""Since which version there is a key of the environment files, or a verb: docs/since.json, to which a release adds what is new in it.

In: the file, the names that there are. Out: a version, or "unreleased". Never: forgets a version that was written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

FILE = Path(__file__).resolve().parent / "since.json"
NOT_YET = "unreleased"

Known = Mapping[str, Mapping[str, str]]
"""By kind ("keys", "commands") and name."""


def known(file: Path = FILE) -> Known:
    """What is written."""
    found: Known = json.loads(file.read_text(encoding="utf-8"))
    return found


def since(kind: str, name: str) -> str:
    """The version that brought it."""
    return known()[kind].get(name, NOT_YET)


def with_release(written: Known, there: Mapping[str, Iterable[str]], version: str) -> str:
    """The file after a release: all that is there and not written yet came with it. What is gone keeps its line, should it come back."""
    new = {kind: {**dict.fromkeys(names, version), **written.get(kind, {})} for kind, names in there.items()}
    return json.dumps(new, indent=1, sort_keys=True) + "\n"
