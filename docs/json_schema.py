"""python docs/json_schema.py: writes docs/json-schema.json, which describes what every `--json` prints.

In: the types that the verbs, build.py and `python -m lint` name as their data. Out: one JSON Schema (2020-12): an envelope, its `data`
by verb.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from assembly import schemas  # noqa: E402
from assembly.envelope import Envelope  # noqa: E402
from cli.parser import module_of, verbs  # noqa: E402

FILE = ROOT / "docs" / "json-schema.json"
LINES = frozenset({"logs"})
"""Verbs whose --json is JSON lines: data, and an envelope only for what went wrong."""
PROGRAMS = {"build": ("docs.build_answers:Built", "docs.build_answers:NewEnvironment"), "lint": ("docs.build_answers:Linted",)}


def named() -> dict[str, tuple[str, ...]]:
    """By verb, the types of its data, each as MODULE:NAME."""
    return {**{verb: tuple(module_of(verb).DATA) for verb in verbs()}, **PROGRAMS}


def schema_text() -> str:
    """The document."""
    by_verb = {verb: tuple(_type(each) for each in names) for verb, names in named().items()}
    types = [Envelope, *(each for of_verb in by_verb.values() for each in of_verb)]
    of_types, definitions = schemas.components(types)
    envelope, *rest = of_types
    found = iter(rest)
    rules = []
    for verb, of_verb in by_verb.items():
        shapes: list[dict[str, Any]] = [next(found) for _ in of_verb]
        if verb not in LINES:
            data = {"properties": {"data": {"anyOf": [{"type": "null"}, *shapes]}}}
            rules.append({"if": {"properties": {"verb": {"const": verb}}}, "then": data})
        else:
            definitions["Line of logs"] = shapes[0]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "--json of deploy.py, build.py and python -m lint",
        "description": "One envelope a run. Only `logs --json` is JSON lines, each a Line of logs; errors are an envelope, the last.",
    }
    return json.dumps({**head, **envelope, "allOf": rules, "$defs": definitions}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _type(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
