"""What a service's API takes for each property: the table, and one value held against one entry of it.

In: constraints/table.json, and values as a template resolves to. Out: what is wrong with a value, in the words of the constraint.
Never: imports botocore or cfn-lint, walks a template (the lint gate does that).

An entry is a mapping: `members` (property -> entry), `items` (of a list), `ref` (a name among the type's `definitions`), and constraints:
enum, pattern, minLength, maxLength (characters), minimum, maximum, minItems, maxItems, required, keyPattern (of an object's keys).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "table.json"

Entry = Mapping[str, Any]

_VARIABLE = re.compile(r"\$\{[^!}][^}]*\}|\{\{resolve:[^}]*\}\}")
_FILLINGS = ("a", "a1b2", "1", "123456789012", "us-east-1", "arn:aws:s3:::a", "arn:aws:iam::123456789012:role/a", "a.example.com", "A")
"""What may stand for a variable that only AWS knows. If none of them makes a text match its pattern, the fault is in the rest."""
_SHOWN = 60


@functools.cache
def table() -> Mapping[str, Entry]:
    """Resource type -> entry of its properties."""
    found: Mapping[str, Entry] = json.loads(TABLE.read_bytes())
    return found


def entry_of(definitions: Mapping[str, Entry], entry: Entry) -> Entry:
    """The entry with its definition filled in; what it says itself goes before."""
    return {**definitions[entry["ref"]], **entry} if "ref" in entry else entry


def wrong(entry: Entry, value: Any) -> Iterator[str]:
    """What is wrong with a scalar, with the length of a list, or with the keys of an object."""
    if isinstance(value, list):
        yield from _between(len(value), "items", entry.get("minItems"), entry.get("maxItems"))
    elif isinstance(value, dict) and "keyPattern" in entry:
        yield from (
            f"{_short(key)} does not match the pattern {entry['keyPattern']}" for key in value if not _matches(entry["keyPattern"], key)
        )
    elif isinstance(value, str | int | float):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        literal = _VARIABLE.sub("", text)
        whole = literal == text
        if "enum" in entry and whole and text not in entry["enum"]:
            yield f"{_short(text)} is none of {', '.join(entry['enum'])}"
        if "pattern" in entry and not _matches(entry["pattern"], text):
            yield f"{_short(text)} does not match the pattern {entry['pattern']}"
        yield from _between(len(literal), "characters", entry.get("minLength") if whole else None, entry.get("maxLength"))
        if whole and ("minimum" in entry or "maximum" in entry) and (number := _number(value)) is not None:
            yield from _between(number, "", entry.get("minimum"), entry.get("maximum"))


def _between(size: float, what: str, least: float | None, most: float | None) -> Iterator[str]:
    shown = f"{size:g} {what}".strip()
    if most is not None and size > most:
        yield f"{shown}; at most {most:,g} are taken" if what else f"{shown} is more than {most:,g}"
    if least is not None and size < least:
        yield f"{shown}; at least {least:,g} are needed" if what else f"{shown} is less than {least:,g}"


def _matches(pattern: str, text: str) -> bool:
    """The pattern holds for the text, or for one that it could become."""
    compiled = _compiled(pattern)
    if not _VARIABLE.search(text):
        return compiled.fullmatch(text) is not None
    if _VARIABLE.match(text) and not re.match(r"\^?\[", pattern):  # a text that begins with an unknown one can begin with anything
        return True
    return any(compiled.fullmatch(_VARIABLE.sub(lambda _match, filling=filling: filling, text)) for filling in _FILLINGS)  # type: ignore[misc]


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except ValueError:
        return None


def _short(text: str) -> str:
    return json.dumps(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...", ensure_ascii=False)
