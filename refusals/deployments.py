"""The deployments that a template can make: its values for each choice of conditions and of parameters with a list of values.

In: a parsed template of any shape, and regions. Out: `Deployment`s. Never: raises; tries every combination of a large template:
beyond `_FREE` undecided conditions it tries all true, all false, and each alone the other way.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from refusals.values import ABSENT, UNKNOWN, At, Deployment, Resource
from templates.view import mapping

_FREE, _DEPTH, _PARAMETERS = 3, 40, 12
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


def deployments(template: Any, regions: tuple[str, ...]) -> Iterator[Deployment]:
    """Every deployment that is tried."""
    template = mapping(template)
    for parameters in _parameter_choices(mapping(template.get("Parameters"))):
        names = [str(name) for name in mapping(template.get("Conditions"))]
        decided = _Configuration(template, regions, parameters, {})
        free = [name for name in names if decided.condition(name) is None and decided.primitive(name)]
        for outcomes in _outcomes(len(free)):
            yield _Configuration(template, regions, parameters, dict(zip(free, outcomes, strict=True))).deployment()


def _outcomes(count: int) -> Iterator[tuple[bool, ...]]:
    if count <= _FREE:
        yield from itertools.product((True, False), repeat=count)
        return
    for most in (True, False):
        yield (most,) * count
        for index in range(count):
            yield tuple(most if place != index else not most for place in range(count))


def _parameter_choices(parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Values of the parameters that have some: the defaults, then each other allowed value alone."""
    base: dict[str, Any] = {}
    others: list[tuple[str, Any]] = []
    for name, declared in parameters.items():
        parameter = mapping(declared)
        kind, default, allowed = parameter.get("Type"), parameter.get("Default"), parameter.get("AllowedValues")
        values = list(allowed) if isinstance(allowed, list) else []
        if str(kind).startswith("AWS::SSM::"):
            continue
        if default not in (None, ""):
            base[name] = default
        elif values:
            base[name] = values[0]
        others += [(name, value) for value in values if value != base.get(name)]
        if isinstance(base.get(name), str) and (str(kind).startswith("List<") or kind == "CommaDelimitedList"):
            base[name] = [item.strip() for item in base[name].split(",")]
    yield base
    yield from ({**base, name: value} for name, value in others[:_PARAMETERS])


@dataclass(frozen=True)
class _Configuration:
    template: Mapping[str, Any]
    regions: tuple[str, ...]
    parameters: Mapping[str, Any]
    outcomes: Mapping[str, bool]

    def deployment(self) -> Deployment:
        found = {}
        for name, declared in mapping(self.template.get("Resources")).items():
            resource = mapping(declared)
            condition, kind, after = resource.get("Condition"), resource.get("Type"), resource.get("DependsOn")
            if isinstance(kind, str) and (not isinstance(condition, str) or self.condition(condition) is not False):
                depends = tuple(str(each) for each in (after if isinstance(after, list) else [after]) if isinstance(each, str))
                plain = self.plain(mapping(resource.get("Properties")))
                found[str(name)] = Resource(str(name), kind, At(plain if isinstance(plain, dict) else {}), depends)
        return Deployment(found, self.regions)

    # --- conditions ------------------------------------------------------------------------------------------------

    def primitive(self, name: str) -> bool:
        """The condition depends on no other one."""
        return '"Condition"' not in json.dumps(mapping(self.template.get("Conditions")).get(name), default=str)

    def condition(self, name: str, depth: int = 0) -> bool | None:
        """Whether it holds; None if that cannot be told."""
        if name in self.outcomes:
            return self.outcomes[name]
        conditions = mapping(self.template.get("Conditions"))
        return self._holds(conditions[name], depth + 1) if name in conditions and depth < _DEPTH else None

    def _holds(self, value: Any, depth: int) -> bool | None:
        match value:
            case {"Condition": str() as name}:
                return self.condition(name, depth)
            case {"Fn::Not": [inner]}:
                holds = self._holds(inner, depth)
                return None if holds is None else not holds
            case {"Fn::And": list() as inner} | {"Fn::Or": list() as inner}:
                decisive = "Fn::Or" in value
                found = [self._holds(each, depth) for each in inner]
                return decisive if decisive in found else None if None in found else not decisive
            case {"Fn::Equals": [one, other]}:
                left, right = self.plain(one), self.plain(other)
                return str(left) == str(right) if At(left).known and At(right).known else None
        return None

    # --- values ----------------------------------------------------------------------------------------------------

    def plain(self, value: Any, depth: int = 0) -> Any:
        """The value without functions; ABSENT for AWS::NoValue."""
        if depth > _DEPTH:
            return UNKNOWN
        if isinstance(value, dict):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name == "Ref" or str(name).startswith("Fn::"):
                    return self._function(str(name), argument, depth + 1)
            found = {str(key): self.plain(item, depth + 1) for key, item in value.items()}
            return {key: item for key, item in found.items() if item is not ABSENT}
        if isinstance(value, list):
            return [item for item in (self.plain(each, depth + 1) for each in value) if item is not ABSENT]
        return ABSENT if value is None else value

    def _function(self, name: str, argument: Any, depth: int) -> Any:  # noqa: PLR0911 - one return a function
        match name, argument:
            case "Ref", str():
                return self._ref(argument)
            case "Fn::If", [str() as condition, yes, no]:
                holds = self.condition(condition)
                return self.plain(yes if holds in (True, None) else no, depth)
            case "Fn::GetAtt", [str() as target, str() as attribute]:
                return f"${{{target}.{attribute}}}"
            case "Fn::GetAtt", str():
                return f"${{{argument}}}"
            case "Fn::Sub", (str() as text) | [str() as text, *_]:
                bound = mapping(argument[1]) if isinstance(argument, list) and len(argument) > 1 else {}
                return self._sub(text, bound, depth)
            case "Fn::Join", [str() as separator, parts]:
                return self._join(separator, self.plain(parts, depth))
            case "Fn::Select", [index, parts]:
                return self._select(self.plain(index, depth), self.plain(parts, depth))
            case "Fn::Split", [str() as separator, text]:
                whole = self.plain(text, depth)
                return whole.split(separator) if isinstance(whole, str) and separator and "${" not in whole else UNKNOWN
            case "Fn::FindInMap", [table, first, second, *_]:
                return self._find(*(self.plain(each, depth) for each in (table, first, second)))
            case "Fn::ToJsonString", _:
                return json.dumps(self.plain(argument, depth), default=lambda _: UNKNOWN)
        return UNKNOWN

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return ABSENT
        if name in ("AWS::Region", "AWS::Partition", "AWS::URLSuffix"):
            region = self.regions[0] if len(self.regions) == 1 else ""
            china, government = region.startswith("cn-"), region.startswith("us-gov-")
            if name == "AWS::Region":
                return region or "${AWS::Region}"
            if name == "AWS::Partition":
                return "aws-cn" if china else "aws-us-gov" if government else "aws"
            return "amazonaws.com.cn" if china else "amazonaws.com"
        kind = str(mapping(mapping(self.template.get("Parameters")).get(name)).get("Type"))
        return self.parameters.get(name, UNKNOWN if "List" in kind else f"${{{name}}}")

    def _sub(self, text: str, bound: Mapping[str, Any], depth: int) -> str:
        def filled(variable: re.Match[str]) -> str:
            name = variable[1].strip()
            value = self.plain(bound[name], depth) if name in bound else variable[0] if "." in name else self._ref(name)
            return str(value) if isinstance(value, str | int | float) else UNKNOWN

        return _VARIABLE.sub(filled, text).replace("${!", "${")

    def _join(self, separator: str, parts: Any) -> str:
        if not isinstance(parts, list):
            return UNKNOWN
        return separator.join(str(part) if isinstance(part, str | int | float) else UNKNOWN for part in parts)

    def _select(self, index: Any, parts: Any) -> Any:
        place = At(index).number
        return parts[int(place)] if isinstance(parts, list) and place is not None and 0 <= place < len(parts) else UNKNOWN

    def _find(self, table: Any, first: Any, second: Any) -> Any:
        value: Any = self.template.get("Mappings")
        for key in (table, first, second):
            value = value.get(key) if isinstance(value, dict) and isinstance(key, str) else None
        return UNKNOWN if value is None else value
