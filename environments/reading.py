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
    lines: dict[Key, int] = {}
    texts: dict[Key, str] = {}
    found: tuple[Problem, ...] = ()
    try:
        loader = _Loader(path.read_bytes())
        try:
            node = loader.get_single_node()
            found = tuple(_walk(node, (), lines, texts, str(path))) if node is not None else ()
            data = loader.construct_document(node) if node is not None else {}
        finally:
            loader.dispose()
        if data is None or isinstance(data, dict):
            problems.extend(found)
            return Document(str(path), data or {}, lines, texts)
        found = (Problem(str(path), 1, "", "the top level must be a mapping of keys to values"),)
    except OSError as error:
        found = (Problem(str(path), 1, "", f"cannot be read: {error.strerror}"),)
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        text = getattr(error, "problem", None) or error
        # What the walk found is the reason, in better words.
        found = found or (Problem(str(path), mark.line + 1 if mark else 1, "", f"not YAML: {text}"),)
    problems.extend(found)
    return None


def _walk(node: Any, key: Key, lines: dict[Key, int], texts: dict[Key, str], file: str) -> Iterator[Problem]:
    """Notes the line of every key and the text of every value; yields keys that stand twice, are no text, or hang together in a circle."""
    if len(key) > 20:
        yield Problem(file, node.start_mark.line + 1, dotted(key), "nested too deeply")
    elif isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}:
                yield Problem(file, line, dotted(key), f"keys are text; quote this one: {getattr(key_node, 'value', '...')}")
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
