"""Stands for `gh api`: fixed answers, and the comments and issues of one repository. A process of its own: python github.py api ...

In: arguments as `gh` takes them, GH_STORE. Out: what GitHub's REST API says, as JSON. Never: an option or a path that it does not know.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Refused(Exception):
    """What it says on stderr."""


BOT = "github-actions[bot]"


def answered(arguments: Sequence[str], text: str, store: Path) -> str:
    """What it says. Raises `Refused` in its words."""
    method: str
    match arguments:
        case ["api", "--method", "PATCH" | "POST", path, "--input", "-"]:
            method = arguments[2]
        case ["api", "--paginate", "--slurp", path]:
            method = "LIST"
        case ["api", path]:
            method = "GET"
        case _:
            raise Refused(f"gh is not known to do that: {arguments}")
    answer = _answer(store, method, path.partition("?")[0], text)
    # Pages, of which the first one holds one thing.
    return json.dumps([answer[:1], answer[1:]] if method == "LIST" else answer)


def _answer(store: Path, method: str, path: str, text: str) -> Any:
    fixed = store / "api" / path.replace("/", "_")
    if method == "GET" and fixed.exists():
        return json.loads(fixed.read_text())
    found = re.fullmatch(r"repos/[^/]+/[^/]+/issues(?:/(?:comments/(?P<comment>\d+)|(?P<issue>\d+)(?P<comments>/comments)?))?", path)
    if found is None or method == "GET":
        raise Refused("gh: Not Found (HTTP 404)")
    kind = "comments" if found["comment"] or found["comments"] else "issues"
    there = read(store, kind)
    if method == "LIST":
        return [each for each in there if each.get("issue") == found["issue"] and each.get("state") != "closed"]
    if method == "POST":
        number = {"id" if kind == "comments" else "number": len(there) + 1}
        there.append({"user": {"login": BOT}, "issue": found["issue"], **number, **json.loads(text)})
    else:
        there[int(found["comment"] or found["issue"]) - 1].update(json.loads(text))
    (store / kind).write_text(json.dumps(there))
    return {}


def read(store: Path, kind: str) -> list[dict[str, Any]]:
    """All that there are, the oldest first: comments, issues."""
    path = store / kind
    return list(json.loads(path.read_text())) if path.exists() else []


if __name__ == "__main__":
    try:
        print(answered(sys.argv[1:], "" if sys.stdin.isatty() else sys.stdin.read(), Path(os.environ["GH_STORE"])))
    except Refused as refused:
        sys.exit(str(refused))
