"""Every key of the environment files as a page: type, default, meaning, example, and what an edit of it changes.

In: the model, its docstrings, the edits of the tests. Out: Markdown.
Never: knows a key by name. What an edit changes is measured: the templates are made before and after it.
"""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from docs.since import since
from docs.tables import table
from environments import model
from environments.model import Environment, Organization
from stacks.synthesis import Synthesis, synthesise
from templates.schemas import bundled
from tests import edits

ACCOUNT = "123456789012"


def page(note: str) -> str:
    """The whole page."""
    parts = ["# Keys of the environment files", "", note]
    parts.append(
        "`environments/common.yaml` holds what all share, `environments/<name>.yaml` the rest; either may hold any key. *Changes* says"
        " which stacks an edit touches, and what it replaces: measured on an environment like dev, between values of the tests. What is not"
        " replaced is changed in place."
    )
    for title, kind in (("Environment", Environment), ("organization.yaml", Organization)):
        parts += ["", f"## {title}", ""]
        measured = kind is Environment
        head = ("key", "type", "default", "meaning", "example", "since", *(("changes",) if measured else ()))
        listed = [row for row in _rows(kind, ()) if row[0] != ("name",)]
        rows = [(*row[1:], since("keys", ".".join(row[0])), *((_effect(row[0]),) if measured else ())) for row in listed]
        parts += table(head, rows)
    return "\n".join(parts) + "\n"


def names() -> Iterator[str]:
    """Every key."""
    yield from (".".join(row[0]) for kind in (Environment, Organization) for row in _rows(kind, ()) if row[0] != ("name",))


def _rows(kind: type[msgspec.Struct], above: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    said = _docstrings()
    for field in info.fields:
        key = (*above, field.name)
        inner, optional = _without_none(field.type)
        meaning, form = said.get((kind.__name__, field.name), ""), _description(field.type)
        # What everybody has to write is told with its form.
        meaning = " ".join(filter(None, (meaning, form))) if field.required else meaning or form
        if isinstance(inner, msgspec.inspect.StructType):
            if optional or (kind is Environment and key in edits_of()):
                default = "left out" if optional else "must be given" if field.required else "`{}`"
                yield key, _code(key), "mapping", default, said[(inner.cls.__name__, "")], _example(key, None)
            yield from _rows(inner.cls, key)
            continue
        default = "must be given" if field.required else _shown(_default(field))
        yield key, _code(key), _type(inner), "left out" if default == "`null`" else default, meaning, _example(key, _default(field))


def _default(field: Any) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default)
    return msgspec.to_builtins(field.default_factory()) if field.default_factory is not msgspec.NODEFAULT else None


def _code(key: tuple[str, ...]) -> str:
    return f"`{'.'.join(key)}`"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 60 else f"`{text[:56]} ...`"


def _example(key: tuple[str, ...], default: Any) -> str:
    """A value that an edit of the tests gives it; nothing where they have none."""
    values = [edits.filled(msgspec.to_builtins(v), ACCOUNT) for v in edits_of().get(key, ()) if v is not None]
    other = next((value for value in values if value not in (default, {}, [], "") and _edited(key, value)), None)
    if other is None:
        return ""
    text = yaml.safe_dump({key[-1]: other}, default_flow_style=True, width=1_000, sort_keys=False).strip()
    return f"`{text[1:-1]}`"


def _without_none(kind: Any) -> tuple[Any, bool]:
    if isinstance(kind, msgspec.inspect.UnionType):
        rest = [each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType)]
        return (rest[0] if len(rest) == 1 else msgspec.inspect.UnionType(tuple(rest))), len(rest) < len(kind.types)
    return kind, False


def _description(kind: Any) -> str:
    inner, _ = _without_none(kind)
    if isinstance(inner, msgspec.inspect.Metadata):
        return str((inner.extra_json_schema or {}).get("description", "")) or _description(inner.type)
    return ""


def _type(kind: Any) -> str:  # noqa: PLR0911 - one line a type
    match kind:
        case msgspec.inspect.Metadata(type=inner):
            return _type(inner)
        case msgspec.inspect.LiteralType(values=values):
            return " or ".join(f"`{value}`" for value in values) if len(values) <= 8 else f"one of {', '.join(map(str, values))}"
        case msgspec.inspect.BoolType():
            return "`true` or `false`"
        case msgspec.inspect.IntType(ge=low, le=high):
            return f"whole number, {low} to {high}" if low is not None else "whole number"
        case msgspec.inspect.FloatType(gt=low, le=high):
            return f"number above {low}, to {high}" if high is not None else "number"
        case msgspec.inspect.StrType():
            return "text"
        case msgspec.inspect.VarTupleType(item_type=item):
            return f"list of {_type(item)}"
        case msgspec.inspect.DictType(value_type=value):
            return f"mapping to {_type(value)}"
        case msgspec.inspect.StructType(fields=fields):
            return f"mapping ({', '.join(field.name for field in fields)})"
        case msgspec.inspect.UnionType(types=types):
            return ", or ".join(map(_type, types))
    return "anything"


@cache
def _docstrings() -> Mapping[tuple[str, str], str]:
    """By class and attribute; "" for the class itself. What stands below an attribute is its meaning."""
    found: dict[tuple[str, str], str] = {}
    files = sorted(Path(model.__file__).parent.glob("*.py"))
    for node in (node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body):
        if not isinstance(node, ast.ClassDef):
            continue
        found[node.name, ""] = (ast.get_docstring(node) or "").split("\n\n")[0]
        for before, after in itertools.pairwise(node.body):
            if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                found[node.name, ast.unparse(before.target)] = str(after.value.value)
    return found


# --- what an edit changes -----------------------------------------------------------------------------------------


@cache
def edits_of() -> Mapping[tuple[str, ...], tuple[Any, ...]]:
    """Values by key, as the tests edit them."""
    return edits.values_of_every_key()


@cache
def _built(values: str) -> Synthesis | None:
    env = edits.described(json.loads(values))
    return synthesise(env) if isinstance(env, Environment) else None


def _effect(key: tuple[str, ...]) -> str:
    """Stacks that an edit of the key changes, and resources that it replaces."""
    given = edits_of().get(key)
    if given is None:
        return _effect_inside(key)
    found = [built for value in given if (built := _edited(key, value)) is not None]
    return _difference(found) if len(found) > 1 else "nothing: there is one value"


def _difference(found: list[Synthesis]) -> str:
    changed: dict[str, None] = {}
    replaced: dict[str, None] = {}
    for before, after in itertools.pairwise(found):
        for stack, resources in _differences(before, after):
            changed[stack] = None
            replaced |= dict.fromkeys(resources)
    if not changed:
        return "no stack: what publishes, verifies or deploys"
    return ", ".join(changed) + (f"; replaces {', '.join(replaced)}" if replaced else "")


def _edited(key: tuple[str, ...], value: Any, start: Mapping[str, Any] | None = None) -> Synthesis | None:
    """An environment with another value of the key; None where that is refused."""
    values = dict(start or edits.base(ACCOUNT))
    if value is not None and key in edits.WITH:
        values = edits.edited(values, *edits.WITH[key], ACCOUNT)
    return _built(json.dumps(edits.edited(values, key, msgspec.to_builtins(value), ACCOUNT)))


def _effect_inside(key: tuple[str, ...]) -> str:
    """The same for a key of a mapping that the tests edit as a whole: measured with the mapping given, where the type tells values."""
    above = next((key[:n] for n in range(len(key) - 1, 0, -1) if key[:n] in edits_of()), None)
    if above is None:
        return ""
    start = edits.edited(edits.base(ACCOUNT), above, next(each for each in edits_of()[above] if isinstance(each, dict)), ACCOUNT)
    found = [built for value in edits.of_key(key) if (built := _edited(key, value, start)) is not None]
    return _difference(found) if len(found) > 1 else f"see {_code(above)}"


def _differences(before: Synthesis, after: Synthesis) -> Iterator[tuple[str, list[str]]]:
    """(stack, resources that are replaced) of every stack that differs; `new` or `gone` where it is in one of them only."""
    old, new = ({s.id: s for s in built.assembly.stacks} for built in (before, after))
    for stack_id in dict.fromkeys((*old, *new)):
        if stack_id not in old or stack_id not in new:
            yield f"{stack_id} (comes or goes)", []
        elif (old[stack_id].stack_name, old[stack_id].region, old[stack_id].account_id) != (
            new[stack_id].stack_name,
            new[stack_id].region,
            new[stack_id].account_id,
        ):
            yield f"{stack_id} (another stack)", []
        elif old[stack_id] != new[stack_id]:
            was, now = (json.loads(built.templates[stack_id])["Resources"] for built in (before, after))
            yield (
                stack_id,
                [f"{stack_id}.{name}" for name in was if name in now and _is_replaced(was[name], now[name], new[stack_id].region)],
            )


def _is_replaced(was: dict[str, Any], now: dict[str, Any], region: str) -> bool:
    schema = bundled().of(was["Type"], region)
    paths = _paths(was.get("Properties", {}), now.get("Properties", {}), "")
    return schema is not None and any(schema.recreation(path) == "always" for path in paths)


def _paths(was: Any, now: Any, at: str) -> Iterator[str]:
    """Properties that differ; an intrinsic function is one value."""
    if isinstance(was, dict) and isinstance(now, dict) and not any(k == "Ref" or k.startswith("Fn::") for k in (*was, *now)):
        for name in dict.fromkeys((*was, *now)):
            yield from _paths(was.get(name), now.get(name), f"{at}.{name}" if at else name)
    elif was != now:
        yield at
