"""The resources of every stack with the notes gathered while they are read, and the shapes that their properties come in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from preview.interpreter.deployed import DeployedStack


@dataclass(frozen=True)
class Resource:
    """A resource with the stack it stands in."""

    deployed: DeployedStack
    logical_id: str
    type: str
    properties: Mapping[str, Any]

    @property
    def where(self) -> str:
        return f"{self.deployed.stack.template.file}: {self.logical_id}"

    def attribute(self, name: str = "") -> str:
        return self.deployed.identifiers[self.logical_id].get(name, "")


@dataclass
class Account:
    """Every resource of every stack, and the notes gathered on the way."""

    resources: tuple[Resource, ...]
    notes: list[str] = field(default_factory=list)

    def of(self, *types: str) -> Iterator[Resource]:
        return (r for r in self.resources if r.type in types)

    def by(self, value: str, *types: str, attribute: str = "") -> Resource | None:
        """The resource of one of the types whose attribute has that value."""
        return next((r for r in self.of(*types) if value and r.attribute(attribute) == value), None)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def unknown(self, where: str, given: Mapping[str, Any], known: set[str]) -> None:
        for name in sorted(set(given) - known):
            if given[name] not in (None, "", [], {}, False):
                self.note(f"{where}: {name} is not imitated")


def every_resource(stacks: tuple[DeployedStack, ...]) -> Iterator[Resource]:
    for stack in stacks:
        for logical_id, body in stack.resources.items():
            given = body.get("Properties")
            yield Resource(stack, logical_id, str(body.get("Type", "")), given if isinstance(given, dict) else {})


def items(value: Any) -> list[Any]:
    """A list, or the Items of CloudFront's {Quantity, Items}."""
    if isinstance(value, dict):
        value = value.get("Items")
    return value if isinstance(value, list) else []


def integer(value: Any, otherwise: int) -> int:
    return int(value) if isinstance(value, (int, float, str)) and str(value) != "" else otherwise
