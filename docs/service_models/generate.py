"""constraints/table.json from the service models of botocore and the provider schemas of cfn-lint, at development time.

In: the two installed packages, and docs/service_models/mapping.py. Out: the table, and what could not be matched.
Never: runs when a template is linted (the table is read then), imports botocore (its models are read as files).

A constraint is kept only where the provider schema is silent or more lenient, so that a fault is reported once.

    .venv/bin/python -m docs.service_models.generate            rewrite the table
    .venv/bin/python -m docs.service_models.generate --check    exit status 1 if it is not current
    .venv/bin/python -m docs.service_models.generate --unmatched TYPE...    properties without a counterpart
"""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatchcase
from typing import Any

from constraints.table import TABLE
from docs.service_models.exceptions import NOT_COMPARED
from docs.service_models.mapping import SOURCES
from docs.service_models.walk import Walk, properties


def unmatched(walk: Walk) -> list[str]:
    """Properties that no request has and for which no reason is given, without those below one of them."""
    left = sorted(path for path in properties(walk.schema) if path not in walk.matched and not reason(walk.kind, path))
    return [path for path in left if not any(path.startswith(f"{other}.") for other in left)]


def reason(kind: str, path: str) -> str | None:
    """Why a property is compared with no request."""
    reasons = NOT_COMPARED.get(kind, {})
    return next((why for name, why in reasons.items() if fnmatchcase(path, name) or path.startswith(f"{name}.")), None)


def table() -> dict[str, Any]:
    """The table as it should be."""
    return {kind: Walk(kind).result() for kind in sorted(SOURCES)}


def rendered(found: dict[str, Any]) -> str:
    """One line a resource type, so that a difference can be read."""
    lines = (f"{json.dumps(kind)}: {json.dumps(tree, sort_keys=True, separators=(',', ':'))}" for kind, tree in sorted(found.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    if arguments[:1] == ["--unmatched"]:
        for kind in arguments[1:] or sorted(SOURCES):
            print(kind, *unmatched(Walk(kind)), sep="\n    ")
        return 0
    text = rendered(table())
    if arguments[:1] == ["--check"]:
        return int(TABLE.read_text(encoding="utf-8") != text)
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
