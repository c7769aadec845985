"""One resource type beside the requests that it becomes: which property is which member, and what the member's shape demands.

In: a resource type of `SOURCES`. Out: its part of the table, and the names of the properties that were matched.
Never: decides what a mismatch means (`generate` lists them, a test judges).

A property is named by its definition in the provider schema (`CacheBehavior.PathPattern`), or from the top (`Tags`), so that a
definition that is used twice or contains itself is compared once for each shape it meets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docs.service_models.documented import DOCUMENTED
from docs.service_models.exceptions import NAMES, NOT_COMPARED, NOT_REQUIRED, OTHER_VALUES
from docs.service_models.mapping import SOURCES, Source
from docs.service_models.models import Model, Schema, Shape, model

Tree = dict[str, Any]
_NUMBERS = ("integer", "long", "double", "float")


class Walk:
    """The comparison of one resource type; `tree` and `matched` are its results."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.schema = Schema(kind)
        self.matched: set[str] = set()
        self.definitions: dict[str, Tree] = {}
        self.tree: Tree = {}
        for source in SOURCES[kind]:
            self._from(source)
        for name, (constraint, _source) in DOCUMENTED.get(kind, {}).items():
            for tree in self._at(name):
                tree.update(constraint)

    def _at(self, name: str) -> list[Tree]:
        """The places of a property in the tree: one from the top, or one for each shape that its definition met."""
        head, _, rest = name.partition(".")
        found = [tree for key, tree in self.definitions.items() if key.partition("/")[0] == head]
        trees, steps = (found, rest) if found and rest else ([self.tree], name)
        for step in steps.split("."):
            trees = [tree.setdefault("items", {}) if step == "*" else tree.setdefault("members", {}).setdefault(step, {}) for tree in trees]
        return trees

    def result(self) -> Tree:
        """The part of the table, without what says nothing."""
        definitions = self.definitions
        while True:
            kept = {name: small for name, tree in definitions.items() if (small := _pruned(tree, definitions))}
            if kept == definitions:
                break
            definitions = kept
        tree = _pruned(self.tree, definitions)
        return {**tree, **({"definitions": definitions} if definitions else {})}

    def _from(self, source: Source) -> None:
        node, tree, path = self.schema.root, self.tree, ""
        for step in filter(None, source.at.split(".")):
            node, path = self.schema.resolved(node), below(path, step)
            self.matched.add(path)
            if step == "*":
                node, tree = node["items"], tree.setdefault("items", {})
            else:
                node, tree = node["properties"][step], tree.setdefault("members", {}).setdefault(step, {})
        service = model(source.service)
        self._compare(node, service.input_of(source.operation, source.member), service, tree, path)

    def _compare(self, node: dict[str, Any], shape: Shape, service: Model, tree: Tree, path: str) -> None:
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name:
            key = f"{name}/{shape['name']}"
            tree.setdefault("ref", key)
            if key in self.definitions:
                return
            tree, path = self.definitions.setdefault(key, {}), name
            node = self.schema.resolved(node)
        kind = shape["type"]
        if kind == "structure" and "Items" in shape["members"] and set(shape["members"]) <= {"Items", "Quantity"} and _is(node, "array"):
            shape = service.member(shape, "Items")
            kind = shape["type"]
        if kind == "structure":
            self._structure(node, shape, service, tree, path)
        elif kind == "list" and "items" in node:
            _sizes(tree, shape, node, "minItems", "maxItems")
            self.matched.add(f"{path}.*")
            self._compare(node["items"], service.shape(shape["member"]["shape"]), service, tree.setdefault("items", {}), f"{path}.*")
        elif kind == "map":
            self._map(node, shape, service, tree, path)
        elif kind == "string":
            _text(tree, shape, node, OTHER_VALUES.get((self.kind, path), ()))
        elif kind in _NUMBERS:
            _number(tree, shape, node)

    def _structure(self, node: dict[str, Any], shape: Shape, service: Model, tree: Tree, path: str) -> None:
        node = self.schema.resolved(node)
        by_letters = {_letters(name): name for name in shape["members"]}
        found: dict[str, str] = {}
        for name, property_ in node.get("properties", {}).items():
            where = below(path, name)
            member = NAMES.get((self.kind, where)) or by_letters.get(_letters(name))
            if member is None or where in NOT_COMPARED.get(self.kind, {}) or (not path and name in self.schema.read_only):
                continue
            target = shape
            for step in member.split("."):
                if step == "*":
                    target = service.shape(target["member"]["shape"])
                elif step in target.get("members", {}):
                    target = service.member(target, step)
                else:
                    break
            else:
                found[member] = name
                self.matched.add(where)
                self._compare(property_, target, service, tree.setdefault("members", {}).setdefault(name, {}), where)
        excused = NOT_REQUIRED.get(self.kind, {})
        missing = [found[member] for member in shape.get("required", ()) if member in found]
        missing = [name for name in missing if name not in node.get("required", ()) and below(path, name) not in excused]
        if missing:
            tree["required"] = sorted({*tree.get("required", ()), *missing})

    def _map(self, node: dict[str, Any], shape: Shape, service: Model, tree: Tree, path: str) -> None:
        """A map of the request is an object, or a list of pairs such as tags."""
        item = self.schema.resolved(node.get("items", {}))
        names = list(item.get("properties", {}))
        if len(names) != 2:
            pattern = service.shape(shape["key"]["shape"]).get("pattern", "")
            if _tells(pattern) and pattern not in node.get("patternProperties", {}):
                tree.setdefault("keyPattern", pattern)
            return
        self.matched.add(f"{path}.*")
        _sizes(tree, shape, node, "minItems", "maxItems")
        pair = {"type": "structure", "name": f"{shape['name']}Pair", "members": {names[0]: shape["key"], names[1]: shape["value"]}}
        self._compare(node["items"], pair, service, tree.setdefault("items", {}), f"{path}.*")


def below(path: str, step: str) -> str:
    """The name of a property below another."""
    return f"{path}.{step}" if path else step


def named(schema: Schema, node: dict[str, Any], path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every property that a value of a template sets, by its name, with what is set; intrinsic functions are not entered but for Fn::If."""
    name = str(node.get("$ref", "")).rpartition("/")[2]
    node, path = schema.resolved(node), name or path
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("Fn::"):
        for branch in value["Fn::If"][1:] if "Fn::If" in value else ():
            yield from named(schema, node, path, branch)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in node.get("properties", {}):
                yield below(path, key), each
                yield from named(schema, node["properties"][key], below(path, key), each)
    elif isinstance(value, list):
        for each in value:
            yield from named(schema, node.get("items", {}), f"{path}.*", each)


def properties(schema: Schema) -> set[str]:
    """The names of all properties of a resource type that somebody can set."""
    found: set[str] = set()
    seen: set[str] = set()

    def visit(node: dict[str, Any], path: str) -> None:
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name in seen:
            return
        if name:
            seen.add(name)
            path = name
        node = schema.resolved(node)
        for key, each in node.get("properties", {}).items():
            if path or key not in schema.read_only:
                found.add(below(path, key))
                visit(each, below(path, key))
        if "items" in node:
            visit(node["items"], f"{path}.*")

    visit(schema.root, "")
    return found


def _is(node: dict[str, Any], kind: str) -> bool:
    types = node.get("type", ())
    return kind == types or (isinstance(types, list) and kind in types)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _sizes(tree: Tree, shape: Shape, node: dict[str, Any], least: str, most: str) -> None:
    if shape.get("min", 0) > node.get(least, 0) and not str(shape["name"]).startswith("Tag"):  # no tags at all are sent as none
        tree.setdefault(least, shape["min"])
    if "max" in shape and shape["max"] < node.get(most, float("inf")):
        tree.setdefault(most, shape["max"])


def _number(tree: Tree, shape: Shape, node: dict[str, Any]) -> None:
    if "min" in shape and shape["min"] > node.get("minimum", float("-inf")):
        tree.setdefault("minimum", shape["min"])
    if "max" in shape and shape["max"] < node.get("maximum", float("inf")):
        tree.setdefault("maximum", shape["max"])


def _text(tree: Tree, shape: Shape, node: dict[str, Any], others: tuple[str, ...]) -> None:
    if "enum" in shape:
        if not node.get("enum"):
            tree.setdefault("enum", sorted({*shape["enum"], *others}))
        return
    if _is(node, "object"):  # a document: its text is CloudFormation's to write
        return
    _sizes(tree, shape, node, "minLength", "maxLength")
    pattern = shape.get("pattern", "")
    if pattern != node.get("pattern") and _tells(pattern):
        tree.setdefault("pattern", pattern)


def _tells(pattern: str) -> bool:
    """The pattern excludes something, and Python reads it as Java does."""
    if pattern.strip("^$") in ("", ".*", ".+", "(?s).*", "(?s).+", "[\\s\\S]*", "[\\S\\s]*"):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _pruned(tree: Tree, definitions: dict[str, Tree]) -> Tree:
    kept: Tree = {key: value for key, value in tree.items() if key not in ("members", "items", "ref")}
    if tree.get("ref") in definitions:
        kept["ref"] = tree["ref"]
    members = {name: small for name, each in sorted(tree.get("members", {}).items()) if (small := _pruned(each, definitions))}
    items = _pruned(tree["items"], definitions) if "items" in tree else {}
    return {**kept, **({"members": members} if members else {}), **({"items": items} if items else {})}
