"""YAML files read with the line of every key, so that a problem can name it.

In: the path of one file. Out: a `Document`, and the problems of its YAML.
Never: knows which keys there are.

Plain YAML 1.1 through PyYAML's safe loader and its tree of nodes, which know their lines; a key that stands twice is a problem, not a
silent last-one-wins. Not ruamel.yaml: it stops at the first key that stands twice, and reads YAML 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from environments.problems import Key, Problem, dotted

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """One parsed file: its data, the line of every key, and what is written for every plain value."""

    file: str
    data: dict[str, Any]
    lines: Mapping[Key, int]
    texts: Mapping[Key, str]
    """Source text of the scalars that YAML does not read as text: `no`, `012`."""


def parse(path: Path, problems: list[Problem]) -> Document | None:
    """The file; None, with its problem noted, where it cannot be read as a mapping."""
    content = b""
    lines: dict[Key, int] = {}
    texts: dict[Key, str] = {}
    found: tuple[Problem, ...] = ()
    try:
        content = path.read_bytes()
        loader = _Loader(content)
        try:
            node = loader.get_single_node()
            found = tuple(_walk(node, (), lines, texts, str(path))) if node is not None else ()
            data = loader.construct_document(node) if node is not None else {}
        finally:
            loader.dispose()
        if data is None or isinstance(data, dict):
            problems.extend(found)
            return Document(str(path), _with_text_keys(data or {}) if found else data or {}, lines, texts)
        found = (Problem(str(path), 1, "", "the top level must be a mapping of keys to values"),)
    except OSError as error:
        found = (Problem(str(path), 1, "", f"cannot be read: {error.strerror}"),)
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as error:
        # What the walk found is the reason, in better words.
        found = found or (_not_yaml(str(path), content, error),)
    problems.extend(found)
    return None


_SPECIAL = {"value": "=", "merge": "<<"}
"""Plain values that YAML 1.1 keeps for itself, by their tag."""


def _not_yaml(file: str, content: bytes, error: Exception) -> Problem:
    mark, position = getattr(error, "problem_mark", None), getattr(error, "position", None)
    text = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    line = mark.line + 1 if mark else content.count(b"\n", 0, position) + 1 if isinstance(position, int) else 1
    special = _SPECIAL.get(text.rstrip("'").rpartition("tag:yaml.org,2002:")[2])
    written = content.splitlines()[line - 1 : line]
    if isinstance(position, int):
        text = f"{text} (byte {position} of the file, which has to be UTF-8)"
    elif special:
        text = f'{special} means something of its own there; quote it: "{special}"'
    elif mark and "cannot start any token" in text and written and written[0][mark.column : mark.column + 1] == b"\t":
        text = "a tab; YAML takes spaces only before a key or value"
    return Problem(file, line, "", f"not YAML: {' '.join(text.split())}")


def _with_text_keys(value: Any, depth: int = 0) -> Any:
    """Without the keys that are no text, which are a problem already."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {key: _with_text_keys(item, depth + 1) for key, item in value.items() if isinstance(key, str)}
    return [_with_text_keys(item, depth + 1) for item in value] if isinstance(value, list) else value


_DEEPEST = 20
"""Levels of nesting; the model has four."""


def _walk(node: Any, key: Key, lines: dict[Key, int], texts: dict[Key, str], file: str) -> Iterator[Problem]:
    """Notes the line of every key and the text of every value; yields keys that stand twice, are no text, or hang together in a circle."""
    if len(key) > _DEEPEST:
        yield Problem(file, node.start_mark.line + 1, dotted(key), "nested too deeply")
    elif isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                yield Problem(file, line, dotted(key), "a list or a mapping cannot be a key")
                continue
            if key_node.tag not in {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}:
                yield Problem(file, line, dotted(key), f"keys are text; quote this one: {key_node.value}")
                continue
            child = (*key, key_node.value)
            if child in lines:
                yield Problem(file, line, dotted(child), f"stands twice, first in line {lines[child]}; keep one")
            lines[child] = line
            yield from _walk(value_node, child, lines, texts, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*key, index)] = item.start_mark.line + 1
            yield from _walk(item, (*key, index), lines, texts, file)
    elif node.tag != "tag:yaml.org,2002:str":
        texts[key] = node.value
