"""How two values differ: the smallest parts, each with a path that stays readable when a list gets one item more.

In: resolved values of templates. Out: (path, before, after); the parts of one value by the same paths.
Never: leaves out a difference: what it cannot align is compared as a whole.

The items of a list go by what identifies them: origins by Id, cache behaviours by PathPattern, policy statements by Sid, tags by Key;
a list without such a name is aligned by content. JSON inside of a text (a dashboard, a policy) is compared as JSON.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from guards import documents
from templates.intrinsics import text_of

IDENTITIES = ("Id", "Sid", "PathPattern", "Key", "Name", "Header", "PolicyName", "IndexName", "AttributeName", "properties.title")
"""Properties that name an item of a list in the resource types of CloudFormation, the more telling first; last a dashboard's widgets."""
PARTIAL = ("Sid", "properties.title")
"""Names that not every item has to have."""
_SUB = "Fn::Sub"


def same(left: Any, right: Any) -> bool:
    """Equal to CloudFormation, to which 1 is "1" and true is "true"."""
    return bool(_canonical(left) == _canonical(right))


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _canonical(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_canonical(v) for v in value]
    return None if value is None else text_of(value)


def joined(path: str, key: str) -> str:
    """ "A.B" and "C" as "A.B.C"."""
    return f"{path}.{key}" if path else key


def plain_mapping(value: Any) -> bool:
    """A mapping that is no intrinsic function."""
    if not isinstance(value, Mapping):
        return False
    only = next(iter(value)) if len(value) == 1 else ""
    return only != "Ref" and not only.startswith("Fn::")


def differences_of(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, before, after) of every smallest part that differs; None where it is absent."""
    if same(before, after):
        return
    old, new = _inside(before), _inside(after)
    if plain_mapping(old) and plain_mapping(new):
        if not same(old, new):
            for key in sorted({*old, *new}):
                yield from differences_of(old.get(key), new.get(key), joined(path, key))
            return
    elif (
        isinstance(old, list) and isinstance(new, list) and any(isinstance(v, (Mapping, list)) for v in (*old, *new)) and not same(old, new)
    ):
        yield from _list_differences(old, new, path)
        return
    yield path, before, after


def parts_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, part) of every part without parts of its own, by the paths of `differences_of`."""
    inner = _inside(value)
    if plain_mapping(inner) and inner:
        for key in sorted(inner):
            yield from parts_of(inner[key], joined(path, key))
    elif isinstance(inner, list) and any(isinstance(v, (Mapping, list)) for v in inner):
        for label, item in zip(labels(inner), inner, strict=True):
            yield from parts_of(item, f"{path}[{label}]")
    else:
        yield path, value


def labels(items: list[Any]) -> list[str]:
    """What each item goes by in a path: its name where it has one, else its position."""
    key = _identity(items)
    return [_name(item, key) or str(position) for position, item in enumerate(items)]


# --- lists --------------------------------------------------------------------------------------------------------


def _list_differences(old: list[Any], new: list[Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    key = _identity(old, new)
    left, right = ({name: i for i, item in enumerate(side) if (name := _name(item, key))} for side in (old, new))
    if not left and not right:
        yield from _aligned([*enumerate(old)], [*enumerate(new)], path)
        return
    for name in dict.fromkeys((*right, *left)):
        before, after = (side[at[name]] if name in at else None for side, at in ((old, left), (new, right)))
        yield from differences_of(before, after, f"{path}[{name}]")
    rest = [[(i, item) for i, item in enumerate(side) if i not in {*at.values()}] for side, at in ((old, left), (new, right))]
    yield from _aligned(rest[0], rest[1], path)
    shared = {*left} & {*right}
    was, now = (
        [name for i, item in enumerate(side) if not (name := _at(at, i, item, key)) or name in shared]
        for side, at in ((old, left), (new, right))
    )
    if was != now and len(was) == len(now):
        yield path, _order(old, key), _order(new, key)


def _at(named: Mapping[str, int], position: int, item: Any, key: str) -> str:
    """The name by which the item was compared; empty for one that was compared by its content."""
    name = _name(item, key)
    return name if name and named[name] == position else ""


def _order(items: list[Any], key: str) -> list[str]:
    return [_name(item, key) or f"#{i + 1}" for i, item in enumerate(items)]


def _aligned(old: list[tuple[int, Any]], new: list[tuple[int, Any]], path: str) -> Iterator[tuple[str, Any, Any]]:
    """Items with their positions, aligned by content."""
    left, right = ([json.dumps(_canonical(v), sort_keys=True) for _, v in side] for side in (old, new))
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        paired = min(i2 - i1, j2 - j1)
        for k in range(paired):
            yield from differences_of(old[i1 + k][1], new[j1 + k][1], f"{path}[{new[j1 + k][0]}]")
        for position, item in old[i1 + paired : i2]:
            yield f"{path}[{position}]", item, None
        for position, item in new[j1 + paired : j2]:
            yield f"{path}[{position}]", None, item


def _identity(*lists: list[Any]) -> str:
    """What names the items of the lists: the first that is another text in each item of a list; all have to have it but for `PARTIAL`."""
    for key in IDENTITIES:
        names = [[_name(item, key) for item in items] for items in lists]
        found = [Counter(name for name in each if name) for each in names]
        if any(found) and all(count == 1 for each in found for count in each.values()) and (key in PARTIAL or all(map(all, names))):
            return key
    return ""


def _name(item: Any, key: str) -> str:
    """The item's name; empty where it has none that can stand in a path. Digits alone would be taken for a position."""
    found = item if key else None
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    usable = isinstance(found, str) and found and not found.isdecimal() and not any(c in "[]\n\x1f" for c in found)
    return str(found) if usable else ""


# --- JSON inside of a text ----------------------------------------------------------------------------------------


def _inside(value: Any) -> Any:
    """The structure that a text is the JSON of, written with Fn::Sub or not; anything else as it is."""
    if isinstance(value, Mapping) and set(value) == {_SUB}:
        inner = value[_SUB]
        if isinstance(inner, str):
            return _parsed(inner, value)
        if isinstance(inner, list) and len(inner) == 2 and isinstance(inner[0], str):
            found = _parsed(inner[0], value)
            # Beside the text stands what its variables mean, under a name that no JSON key of ours has.
            return value if found is value or not isinstance(found, dict) else {**found, "(variables)": inner[1]}
    return _parsed(value, value) if isinstance(value, str) else value


def _parsed(text: str, otherwise: Any) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return otherwise
    try:
        found = documents.loads(text.replace("\x1f", "\\u001f"))
    except documents.Unreadable:
        return otherwise
    return found if isinstance(found, (dict, list)) and found else otherwise
