"""What a rule sees: the values of a template as one deployment has them, and how a rule is declared.

In: plain JSON. Out: `At`, `Resource`, `Deployment`; the decorator `refusal` and the list of everything that it declared.
Never: raises on a value of another shape; takes what is unknown for a fault.

What only AWS will know stands in the values as text with a variable: `${LogicalId}`, `${LogicalId.Arn}`, `${AWS::AccountId}`, `${?}`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
Problem = tuple[Path, str]
"""Where in the resource's properties, and what is wrong."""

ABSENT: Any = object()
UNKNOWN = "${?}"


@dataclass(frozen=True)
class At:
    """A value and its place in the properties."""

    value: Any
    path: Path = ()

    def at(self, *steps: str) -> At:
        """The value below; absent where a step does not lead on."""
        found = self
        for step in steps:
            inner = found.value.get(step, ABSENT) if isinstance(found.value, Mapping) else ABSENT
            found = At(inner, (*found.path, step))
        return found

    def items(self, *steps: str) -> list[At]:
        """The items of the list below; a single value is a list of one, one of which nothing is known (or absent) is empty."""
        found = self.at(*steps)
        if isinstance(found.value, list):
            return [At(item, (*found.path, index)) for index, item in enumerate(found.value)]
        return [found] if found.there and found.value != UNKNOWN else []

    def names(self) -> list[str]:
        """The keys of a mapping."""
        return [str(key) for key in self.value] if isinstance(self.value, Mapping) else []

    @property
    def there(self) -> bool:
        """There is a value, though it may be unknown."""
        return self.value is not ABSENT

    @property
    def known(self) -> bool:
        """No part of the value is left to AWS; of a mapping or list only that it is one."""
        return self.value is not ABSENT and not (isinstance(self.value, str) and "${" in self.value)

    @property
    def told(self) -> bool:
        """The template tells: the value is known, or is not there."""
        return self.known or not self.there

    @property
    def text(self) -> str | None:
        """The value, if it is a text, wholly or partly known."""
        return self.value if isinstance(self.value, str) else None

    @property
    def literal(self) -> str:
        """The value, if it is a text that is wholly known; else the empty text."""
        return self.value if isinstance(self.value, str) and "${" not in self.value else ""

    @property
    def number(self) -> float | None:
        """The value as a number, also where it is written as a text."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float | str):
            return None
        try:
            return float(self.value)
        except (ValueError, OverflowError):
            return None

    @property
    def true(self) -> bool:
        """The value is true in one of the spellings that CloudFormation takes."""
        return self.value is True or (isinstance(self.value, str) and self.value.lower() == "true")

    @property
    def whole(self) -> bool:
        """A list, all of whose items are known texts."""
        return isinstance(self.value, list) and all(isinstance(item, str) and "${" not in item for item in self.value)


@dataclass(frozen=True)
class Resource:
    """A resource as one deployment makes it."""

    name: str
    kind: str
    properties: At
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deployment:
    """The resources that one choice of conditions, parameters and region makes."""

    resources: Mapping[str, Resource]
    regions: tuple[str, ...]

    def of(self, *kinds: str) -> Iterator[Resource]:
        """The resources of the kinds."""
        return (resource for resource in self.resources.values() if resource.kind in kinds)

    def meant(self, value: At, *kinds: str) -> Resource | None:
        """The resource that a Ref or Fn::GetAtt stands for, if it is of one of the kinds."""
        name = target(value.text or "")
        found = self.resources.get(name or "")
        return found if found and (not kinds or found.kind in kinds) else None

    @property
    def region(self) -> str | None:
        """The region, if there is just one."""
        return self.regions[0] if len(self.regions) == 1 else None


def target(text: str) -> str | None:
    """The logical id of a text that is one variable and nothing more."""
    inner = text[2:-1] if text.startswith("${") and text.endswith("}") else ""
    return inner.partition(".")[0] if inner and "${" not in inner else None


Check = Callable[[Resource, Deployment], Iterator[Problem]]


@dataclass(frozen=True)
class Refusal:
    """A rule: what must hold for resources of these kinds, and where that is written."""

    id: str
    kinds: tuple[str, ...]
    what: str
    more: str
    source: str
    check: Check


REFUSALS: list[Refusal] = []
"""Everything that the modules of this room declare."""


def refusal(id: str, kinds: str | tuple[str, ...], source: str, more: str = "") -> Callable[[Check], Check]:
    """Declare a rule: the first line of the function's docstring is its sentence, what follows the details, unless `more` has them."""

    def declared(check: Check) -> Check:
        sentence, _, details = inspect.cleandoc(check.__doc__ or "").partition("\n\n")
        details = more or " ".join(details.split()) or sentence
        REFUSALS.append(Refusal(id, (kinds,) if isinstance(kinds, str) else kinds, sentence.removesuffix("."), details, source, check))
        return check

    return declared


def exclude(at: At, *names: str) -> Iterator[Problem]:
    """A problem where more than one of the keys is there."""
    found = [at.at(name) for name in names if at.at(name).there]
    if len(found) > 1:
        yield found[1].path, f"{' and '.join(str(each.path[-1]) for each in found)} exclude each other"


def needs(at: At, name: str, *others: str) -> Iterator[Problem]:
    """A problem where the key is there without each of the others."""
    if at.at(name).there:
        yield from ((at.at(other).path, f"{name} needs {other}") for other in others if not at.at(other).there)


def either(at: At, what: str, *names: str) -> Iterator[Problem]:
    """A problem where none of the keys is there."""
    if not any(at.at(name).there for name in names):
        yield at.at(names[0]).path, f"{what} needs {' or '.join(names)}"


def at_most(at: At, most: int, words: str) -> Iterator[Problem]:
    """A problem where a list has more items than that, or a known text more characters."""
    if len(at.literal or at.items()) > most:
        yield at.path, f"at most {most:,} {words}"


def fits(at: At, pattern: Any, words: str) -> Iterator[Problem]:
    """A problem where a wholly known text does not match the compiled pattern."""
    if at.text is not None and at.known and not pattern.fullmatch(at.text):
        yield at.path, f"{at.text!r} is no {words}"


def one_of(at: At, allowed: Iterable[str], words: str) -> Iterator[Problem]:
    """A problem where a known value is not among those allowed."""
    allowed = sorted(allowed)
    if at.known and at.value not in allowed:
        yield at.path, f"{at.value!r} is no {words}; there are {', '.join(allowed)}"


def between(at: At, low: float, high: float) -> Iterator[Problem]:
    """A problem where a known number is out of bounds."""
    if at.known and at.number is not None and not low <= at.number <= high:
        yield at.path, f"{at.value} is not between {low:,} and {high:,}"


def once(each: Iterable[At], words: str) -> Iterator[Problem]:
    """A problem where a known value stands twice."""
    seen: list[Any] = []
    for at in each:
        if at.known and at.value in seen:
            yield at.path, f"{words} {at.value!r} stands twice"
        seen.append(at.value)
