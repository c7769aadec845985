"""The words for what several properties of one resource demand of each other; the facts are in constraints/of_*.

In: nothing. Out: the classes, each one sentence about a structure of a resource; the lint gate reads them over resolved templates.
Never: looks at a template.

A structure is a dotted path below the properties, `*` is each item of a list, "" the properties themselves. A member is a dotted path below
a structure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Excludes:
    """With the first member there is none of the others."""

    first: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Requires:
    """With the first member there are all of the others."""

    first: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class OneOf:
    """Of the members there are as many as this."""

    members: tuple[str, ...]
    least: int = 1
    most: int = 1


@dataclass(frozen=True)
class When:
    """Where the member has one of the values, the needed ones are there, the others not, and each of `then` has one of its values."""

    member: str
    values: tuple[str, ...]
    needs: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    then: tuple[tuple[str, tuple[str, ...]], ...] = ()
    absent: bool = False
    """It holds too where the member is not there."""


@dataclass(frozen=True)
class Ordered:
    """Numbers that do not fall, as far as they are there."""

    members: tuple[str, ...]


@dataclass(frozen=True)
class Once:
    """Each value of the member (a path through a list) stands there once."""

    member: str
    any_case: bool = False


@dataclass(frozen=True)
class Without:
    """None of the values, in small letters, stands in the list; `given` is a member that has to be true for it to matter."""

    member: str
    values: tuple[str, ...]
    why: str
    given: str = ""
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExclusiveValue:
    """Where one of the values stands in the list, nothing else does."""

    member: str
    value: str


@dataclass(frozen=True)
class Refers:
    """A reference to a resource of the template is to one of these types, by one of these attributes ("" is Ref)."""

    member: str
    kinds: Mapping[str, tuple[str, ...]]


Check = Excludes | Requires | OneOf | When | Ordered | Once | Without | ExclusiveValue | Refers


@dataclass(frozen=True)
class Relation:
    """A check of every structure of a resource type, and where AWS says so."""

    kind: str
    at: str
    check: Check
    source: str
