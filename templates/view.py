"""Reading a template through its intrinsic functions, for rules that ask "what can this value be?".

In: a parsed template of any shape, and the regions it is deployed to. Out: `Node`s: a place, a value it can have, and the conditions
under which it has it.
Never: raises on a malformed template (cfn-lint reports those), imports cfnlint, decides what is wrong.

A value is a JSON value, or one of: `ABSENT` (not there, or AWS::NoValue), `UNKNOWN` (only AWS will know), a `Reference` to a resource or
to a parameter that has no value yet. A parameter with AllowedValues or a Default can be any of those.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

Path = tuple[str | int, ...]
Conditions = frozenset[tuple[str, bool]]


class Special(Enum):
    """Values that are no JSON value."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT: Final = Special.ABSENT
UNKNOWN: Final = Special.UNKNOWN
OPAQUE: Final = ("Custom::", "AWS::CloudFormation::")
"""How the types begin whose attributes can be anything: custom resources, nested stacks."""
EACH: Final = object()
"""A step of `View.at`: every item of a list."""

_DEPTH = 12
_COMBINATIONS = 32
"""Values of one text at most; above it a variable with several values counts as unknown."""
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Reference:
    """Ref (`attribute` None) or Fn::GetAtt of `name`, a resource or a parameter of the template."""

    name: str
    attribute: str | None = None


@dataclass(frozen=True)
class Node:
    """One value that one place of the template can have, if `given` holds."""

    path: Path
    value: Any
    given: Conditions = field(default=frozenset())

    def when(self, other: Node) -> Node:
        """The same node, also bound to the conditions that `other` stands under."""
        return replace(self, given=self.given | other.given)

    @property
    def text(self) -> str | None:
        """The value, if it is a string."""
        return self.value if isinstance(self.value, str) else None

    @property
    def present(self) -> bool:
        """There is a value, though it may be unknown."""
        return self.value is not ABSENT

    @property
    def known(self) -> bool:
        """The value is a JSON value."""
        return not isinstance(self.value, Special | Reference)

    def is_true(self) -> bool:
        """The value is true in one of the spellings that CloudFormation accepts."""
        return self.value is True or (isinstance(self.value, str) and self.value.lower() == "true")


class View:
    """A template to ask questions of."""

    def __init__(self, template: Any, regions: tuple[str, ...]) -> None:
        self.template: dict[str, Any] = template if isinstance(template, dict) else {}
        self.regions = regions
        self.parameters: Mapping[str, Any] = mapping(self.template.get("Parameters"))
        self._resources: Mapping[str, Any] = mapping(self.template.get("Resources"))

    def section(self, name: str) -> Iterator[Node]:
        """The entries of a section of the template, whatever their shape."""
        for key, value in mapping(self.template.get(name)).items():
            yield Node((name, str(key)), value)

    def resources(self, *types: str) -> Iterator[Node]:
        """The resources of the given types; all without one."""
        for node in self.section("Resources"):
            if isinstance(node.value, dict) and (not types or node.value.get("Type") in types):
                yield node

    def type_of(self, logical_id: str) -> str | None:
        """The type of a resource, None if it is not in the template."""
        kind = mapping(self._resources.get(logical_id)).get("Type")
        return kind if isinstance(kind, str) else None

    def properties(self, *types: str) -> Iterator[Node]:
        """The properties of the resources of the given types."""
        for node in self.resources(*types):
            yield self.properties_of(node)

    def properties_of(self, resource: Node) -> Node:
        """The properties of one resource; an empty mapping where there are none."""
        return Node((*resource.path, "Properties"), mapping(resource.value.get("Properties")))

    def resource(self, logical_id: str) -> Node | None:
        """One resource."""
        value = self._resources.get(logical_id)
        return Node(("Resources", logical_id), value) if isinstance(value, dict) else None

    def at(self, node: Node, *steps: Any) -> Iterator[Node]:
        """Every value that can stand at the end of `steps` (keys, indexes, `EACH`) below `node`.

        A key that is not there, or a step into something else than a mapping or list, ends in ABSENT with the path of what is missing;
        a step into an unknown value ends in UNKNOWN.
        """
        for each in self.values(node):
            if not steps:
                yield each
                continue
            step, rest = steps[0], steps[1:]
            if not each.known:
                yield replace(each, value=each.value if each.value is ABSENT else UNKNOWN)
            elif step is EACH:
                if isinstance(each.value, list):
                    for index, item in enumerate(each.value):
                        yield from self.at(Node((*each.path, index), item, each.given), *rest)
            elif isinstance(each.value, dict) and step in each.value:
                yield from self.at(Node((*each.path, step), each.value[step], each.given), *rest)
            else:
                yield Node((*each.path, step), ABSENT, each.given)

    def items(self, node: Node, *steps: Any) -> Iterator[Node]:
        """The items of the list at `steps`; nothing if it is absent, UNKNOWN if it is unknown; a single value is a list of one."""
        for each in self.at(node, *steps):
            if isinstance(each.value, list):
                for found in self.at(each, EACH):
                    if found.present:
                        yield found
            elif each.present:
                yield each

    def values(self, node: Node, depth: int = 0) -> Iterator[Node]:
        """Every value that the node's own intrinsic function can have; the node itself if it is a plain value."""
        function = _function(node.value)
        if function is None:
            yield node
        elif depth > _DEPTH:
            yield replace(node, value=UNKNOWN)
        else:
            yield from self._evaluate(node, *function, depth + 1)

    def _evaluate(self, node: Node, name: str, argument: Any, depth: int) -> Iterator[Node]:
        match name, argument:
            case "Fn::If", [str() as condition, yes, no]:
                for outcome, index, branch in ((True, 1, yes), (False, 2, no)):
                    if (condition, not outcome) not in node.given:
                        path = (*node.path, "Fn::If", index)
                        yield from self.values(Node(path, branch, node.given | {(condition, outcome)}), depth)
            case "Ref", str():
                for value in self._ref(argument):
                    yield replace(node, value=value)
            case "Fn::GetAtt", _:
                yield replace(node, value=_attribute(argument))
            case (("Fn::Sub" | "Fn::Join" | "Fn::Select" | "Fn::Split"), _):
                yield from self._text(node, name, argument, depth)
            case "Fn::FindInMap", [str() as table, first, second, *_]:
                for value in self._find(table, self._key(first, depth), self._key(second, depth)):
                    yield replace(node, value=value)
            case _:
                yield replace(node, value=UNKNOWN)

    def _text(self, node: Node, name: str, argument: Any, depth: int) -> Iterator[Node]:
        """What the functions that put texts together, or take them apart, can make."""
        match name, argument:
            case "Fn::Sub", (str() as text) | [str() as text, *_]:
                bound = argument[1] if isinstance(argument, list) and len(argument) > 1 and isinstance(argument[1], dict) else {}
                yield from self._sub(node, text, bound, depth)
            case "Fn::Join", [str() as separator, parts]:
                yield from self._join(node, separator, parts, depth)
            case "Fn::Select", [index, parts]:
                yield from self._select(node, index, parts, depth)
            case "Fn::Split", [str() as separator, text]:
                for each in self.values(replace(node, value=text), depth):
                    known = each.text is not None and separator and "${" not in each.text
                    yield replace(each, path=node.path, value=each.value.split(separator) if known else UNKNOWN)
            case _:
                yield replace(node, value=UNKNOWN)

    def _ref(self, name: str) -> Iterator[Any]:
        if name == "AWS::NoValue":
            yield ABSENT
        elif name == "AWS::Region" and self.regions:
            yield from self.regions
        elif name in self.parameters:
            parameter = mapping(self.parameters[name])
            allowed, default = parameter.get("AllowedValues"), parameter.get("Default")
            if str(parameter.get("Type")).startswith("AWS::SSM::"):  # what stands in the template is the name of the value
                yield Reference(name)
            elif isinstance(allowed, list) and allowed:
                yield from allowed
            elif default is not None and default != "":
                yield default.split(",") if _is_list(parameter) and isinstance(default, str) else default
            else:
                yield Reference(name)
        elif name in self._resources:
            yield Reference(name)
        else:
            yield UNKNOWN

    def _sub(self, node: Node, text: str, bound: Mapping[str, Any], depth: int) -> Iterator[Node]:
        """A literal where every variable is one; a Reference where the text is one variable; else the text with its variables."""
        alone = _VARIABLE.fullmatch(text)
        if alone:
            for each in self.values(replace(node, value=self._variable(alone[1], bound)), depth):
                yield replace(each, path=node.path)
            return
        names = list(dict.fromkeys(match[1] for match in _VARIABLE.finditer(text)))
        for given, values in self._together(node, [self._variable(name, bound) for name in names], depth):
            known = dict(zip(names, values, strict=True))

            def filled(variable: re.Match[str], known: Mapping[str, Any] = known) -> str:
                value = _text_of(known[variable[1]])
                return variable[0] if value is None else value

            yield Node(node.path, _VARIABLE.sub(filled, text).replace("${!", "${"), given)

    def _variable(self, name: str, bound: Mapping[str, Any]) -> Any:
        if name in bound:
            return bound[name]
        return {"Fn::GetAtt": name} if "." in name else {"Ref": name}

    def _together(self, node: Node, values: list[Any], depth: int) -> Iterator[tuple[Conditions, list[Any]]]:
        """What several values can be at once; where that is too much, UNKNOWN stands for those with more than one."""
        found = [list(self.values(Node((), value, node.given), depth)) for value in values]
        if math.prod(len(each) for each in found) > _COMBINATIONS:
            found = [each if len(each) == 1 else [Node((), UNKNOWN, node.given)] for each in found]
        for chosen in itertools.product(*found):
            given = node.given.union(*(each.given for each in chosen))
            if not any((condition, not outcome) in given for condition, outcome in given):
                yield given, [each.value for each in chosen]

    def _join(self, node: Node, separator: str, parts: Any, depth: int) -> Iterator[Node]:
        for each in self.values(replace(node, value=parts), depth):
            if not isinstance(each.value, list):
                yield replace(each, path=node.path, value=UNKNOWN)
                continue
            for given, values in self._together(each, each.value, depth):
                texts = [_shown(value, part) for value, part in zip(values, each.value, strict=True) if value is not ABSENT]
                yield Node(node.path, UNKNOWN if None in texts else separator.join(map(str, texts)), given)

    def _select(self, node: Node, index: Any, parts: Any, depth: int) -> Iterator[Node]:
        for each in self.values(replace(node, value=parts), depth):
            number = _text_of(self._only(index, depth)) or ""
            if isinstance(each.value, list) and number.isdecimal() and int(number) < len(each.value):
                for found in self.values(replace(each, value=each.value[int(number)]), depth):
                    yield replace(found, path=node.path)
            else:
                yield replace(each, path=node.path, value=UNKNOWN)

    def _key(self, value: Any, depth: int) -> frozenset[str] | None:
        """What a key of a mapping can be; None is anything."""
        found = [node.value for node in self.values(Node((), value), depth)]
        return frozenset(found) if all(isinstance(each, str) for each in found) else None

    def _only(self, value: Any, depth: int) -> Any:
        """The value, if there is just one."""
        found = [node.value for node in self.values(Node((), value), depth)]
        return found[0] if len(found) == 1 else UNKNOWN

    def _find(self, table: str, first: frozenset[str] | None, second: frozenset[str] | None) -> Iterator[Any]:
        found = False
        for top, entries in mapping(mapping(self.template.get("Mappings")).get(table)).items():
            for key, value in mapping(entries).items():
                if (first is None or top in first) and (second is None or key in second):
                    found = True
                    yield value
        if not found:
            yield UNKNOWN

    def filled_in(self, value: Any) -> Any:
        """A text with its pseudo parameters as AWS fills them in; anything else as it is."""
        if not isinstance(value, str) or "${AWS::" not in value:
            return value
        region = max(self.regions, key=len, default="us-east-1")
        china = region.startswith("cn-")
        partition = "aws-cn" if china else "aws-us-gov" if region.startswith("us-gov-") else "aws"
        known = {
            "AccountId": "123456789012",
            "Partition": partition,
            "Region": region,
            "URLSuffix": f"amazonaws.com{'.cn' if china else ''}",
        }
        return re.sub(r"\$\{AWS::(\w+)\}", lambda match: known.get(match[1], match[0]), value)

    def strings(self, node: Node) -> Iterator[Node]:
        """Every literal string at or below a node, as written: no intrinsic function is followed."""
        stack = [node]
        while stack:
            each = stack.pop()
            if isinstance(each.value, str):
                yield each
            elif isinstance(each.value, dict):
                stack.extend(Node((*each.path, str(key)), value) for key, value in each.value.items())
            elif isinstance(each.value, list):
                stack.extend(Node((*each.path, index), value) for index, value in enumerate(each.value))


def together(one: Node, other: Node) -> bool:
    """Both can stand in one deployment: no condition holds for the one and not for the other."""
    return not any((condition, not outcome) in other.given for condition, outcome in one.given)


def logical_id(node: Node) -> str:
    """The name of the section entry that a node stands in."""
    return str(node.path[1]) if len(node.path) > 1 else ""


def reference(node: Node) -> Reference | None:
    """The value, if it is a reference."""
    return node.value if isinstance(node.value, Reference) else None


def number(node: Node) -> float | None:
    """The value as a number, also where it is written as a string."""
    if isinstance(node.value, bool):
        return None
    try:
        return float(node.value) if isinstance(node.value, int | float | str) else None
    except ValueError:
        return None


def _attribute(argument: Any) -> Any:
    """What Fn::GetAtt means, in both of its forms."""
    match argument:
        case [str() as target, str() as attribute]:
            return Reference(target, attribute)
        case str() if "." in argument:
            target, _, attribute = argument.partition(".")
            return Reference(target, attribute)
    return UNKNOWN


def _text_of(value: Any) -> str | None:
    """A scalar as CloudFormation writes it into a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _shown(value: Any, part: Any) -> str | None:
    """A part of a joined text; what only AWS knows as the variable that Fn::Sub would have for it; None where there is none."""
    if isinstance(value, Reference):
        return f"${{{value.name}{'.' + value.attribute if value.attribute else ''}}}"
    if value is UNKNOWN and isinstance(part, dict) and isinstance(part.get("Ref"), str):
        return f"${{{part['Ref']}}}"
    return _text_of(value)


def mapping(value: Any) -> dict[str, Any]:
    """The value, if it is a mapping; else an empty one."""
    return value if isinstance(value, dict) else {}


def _is_list(parameter: Mapping[str, Any]) -> bool:
    kind = parameter.get("Type")
    return isinstance(kind, str) and (kind.startswith("List<") or kind == "CommaDelimitedList")


def _function(value: Any) -> tuple[str, Any] | None:
    if isinstance(value, dict) and len(value) == 1:
        ((name, argument),) = value.items()
        if isinstance(name, str) and (name == "Ref" or name.startswith("Fn::")):
            return name, argument
    return None
