"""Reading IAM and resource policies: statements as grants, patterns, and the documents inside resolved resources.

In: policy documents as a template has them. Out: `Statement` values and what they cover.
Never: asks IAM; this reads documents, it does not simulate accounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from guards.documents import loads
from templates.intrinsics import HIDDEN, marked, text_of, value_of
from templates.values import Redacted

Resources = Mapping[str, Mapping[str, Any]]

# --- patterns -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text), re.DOTALL)


def covers(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Whether everything that the pattern `text` matches is matched by `pattern` too ("*" any characters, "?" any one).

    `fold`: without regard to case, as for actions.
    """
    if fold:
        pattern, text = pattern.lower(), text.lower()
    if pattern in ("*", text):
        return True
    if "*" not in text and "?" not in text:
        return _pattern(pattern).fullmatch(text) is not None
    return _covers(pattern, text)


@lru_cache(maxsize=4096)
def _covers(pattern: str, text: str) -> bool:
    """Sound for wildcards on both sides: "?" in `text` needs "?" or "*" opposite, "*" needs "*"."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return _covers(pattern[1:], text) or (bool(text) and _covers(pattern, text[1:]))
    if not text or text[0] == "*":
        return False
    return (pattern[0] == "?" or pattern[0] == text[0]) and _covers(pattern[1:], text[1:])


def overlaps(left: str, right: str, *, fold: bool = False) -> bool:
    """Whether some text may match both patterns; True when in doubt."""
    if fold:
        left, right = left.lower(), right.lower()
    return covers(left, right) or covers(right, left) or ("*" in left + right and _may_overlap(left, right)) or "?" in left + right


def _may_overlap(left: str, right: str) -> bool:
    a, b = left.split("*", maxsplit=1)[0], right.split("*", maxsplit=1)[0]
    return a.startswith(b) or b.startswith(a)


# --- statements ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """Action, Resource or Principal of a statement: the patterns it names, or (negated) all but them."""

    items: tuple[str, ...]
    negated: bool = False
    fold: bool = False
    """Case does not matter (actions)."""

    def covers(self, other: Field, item: str) -> bool:
        """Whether this field allows all that `item` of `other` stands for; a negated `other` stands as a whole."""
        if other.negated:
            if self.negated:
                return all(any(covers(theirs, mine, fold=self.fold) for theirs in other.items) for mine in self.items)
            return "*" in self.items
        if self.negated:
            return not any(overlaps(mine, item, fold=self.fold) for mine in self.items)
        return any(covers(mine, item, fold=self.fold) for mine in self.items)

    @property
    def atoms(self) -> tuple[str, ...]:
        """The items, or one placeholder that stands for the whole negated field."""
        return (self.shown,) if self.negated else self.items

    @property
    def shown(self) -> str:
        """For a reader."""
        listed = ", ".join(self.items) or "nothing"
        return f"everything but {listed}" if self.negated else listed


Conditions = frozenset[tuple[str, str, frozenset[str]]]


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, normalized."""

    name: str
    effect: str
    principals: Field
    actions: Field
    resources: Field
    conditions: Conditions

    def covers(self, other: Statement, principal: str, action: str, resource: str) -> bool:
        """Whether this statement applies to every request that the grant of `other` is about."""
        return (
            self.principals.covers(other.principals, principal)
            and self.actions.covers(other.actions, action)
            and self.resources.covers(other.resources, resource)
            and conditions_cover(self.conditions, other.conditions)
        )

    @property
    def grants(self) -> Iterator[tuple[str, str, str]]:
        """Every (principal, action, resource)."""
        return product(self.principals.atoms, self.actions.atoms, self.resources.atoms)

    @property
    def shown(self) -> str:
        """One line for a reader."""
        who = "" if self.principals == _ANYONE_ATTACHED else f" to {self.principals.shown}"
        what = "" if self.resources == _ANYTHING_ATTACHED else f" on {self.resources.shown}"
        when = f" if {shown_conditions(self.conditions)}" if self.conditions else ""
        return f"{self.effect} {self.actions.shown}{what}{who}{when}"

    @property
    def names_principals(self) -> bool:
        """It is of a resource policy, which says whom it is about."""
        return self.principals != _ANYONE_ATTACHED

    @property
    def names_resources(self) -> bool:
        """It says what it is about in full: no reference, and no pattern that reaches beyond one resource's own name."""
        whole = self.resources != _ANYTHING_ATTACHED and not self.resources.negated
        return whole and all("${" not in item and item.split("/", 1)[0].rstrip(":").count("*") == 0 for item in self.resources.items)

    @property
    def grants_everything(self) -> bool:
        """It allows a bare "*" as action or as anonymous principal, or a whole service on every resource, without any condition."""
        if self.effect != "Allow" or self.conditions:
            return False
        every_action = self.actions.negated or "*" in self.actions.items
        broad = any(item.endswith(":*") for item in self.actions.items)
        every_resource = self.resources.negated or "*" in self.resources.items
        anyone = self.principals != _ANYONE_ATTACHED and (self.principals.negated or bool({"*", "AWS:*"} & {*self.principals.items}))
        return every_action or anyone or (broad and every_resource)


_ANYONE_ATTACHED = Field(("(attached)",))
"""Stands for the principal of an identity policy: whoever it is attached to."""

_ANYTHING_ATTACHED = Field(("(attached)",))
"""Stands for the resource of a trust policy: what it is attached to."""


def conditions_cover(wider: Conditions, narrower: Conditions) -> bool:
    """Every condition of `wider` is implied by one of `narrower`: same operator and key, and no more values.

    More values are weaker for positive operators, whatever their set operator or IfExists, and stronger for negated ones; of these only
    equal ones count behind a set operator. Source: IAM user guide, "Set operators for multivalued context keys".
    """
    for operator, key, values in wider:
        base = operator.rsplit(":", 1)[-1]
        same = [v for o, k, v in narrower if (o, k.lower()) == (operator, key.lower())]
        negated = "Not" in base
        if not any(v == values or ((":" not in operator and v >= values) if negated else v <= values) for v in same):
            return False
    return True


def shown_conditions(conditions: Conditions) -> str:
    return " and ".join(f"{operator} {key} {', '.join(sorted(values))}" for operator, key, values in sorted(conditions, key=_order))


def _order(condition: tuple[str, str, frozenset[str]]) -> tuple[str, str, list[str]]:
    return condition[0], condition[1], sorted(condition[2])


def plain_text(value: Any) -> str:
    shown = value_of(value)
    return HIDDEN if isinstance(shown, Redacted) else shown.text


def texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(plain_text(item) for item in (value if isinstance(value, list) else [value]))


def _field(body: Mapping[str, Any], name: str, default: Field, *, fold: bool = False) -> Field:
    if f"Not{name}" in body:
        return Field(tuple(sorted(set(texts(body[f"Not{name}"])))), negated=True, fold=fold)
    return Field(tuple(sorted(set(texts(body[name])))), fold=fold) if name in body else default


def _principals(body: Mapping[str, Any]) -> Field:
    for name, negated in (("Principal", False), ("NotPrincipal", True)):
        if name in body:
            given = body[name]
            if isinstance(given, Mapping) and not (len(given) == 1 and next(iter(given)).startswith(("Fn::", "Ref"))):
                items = [f"{kind}:{item}" for kind, values in given.items() for item in texts(values)]
                return Field(tuple(sorted({"*" if i == "AWS:*" else i for i in items})), negated)
            return Field(tuple(sorted(set(texts(given)))), negated)
    return _ANYONE_ATTACHED


def statements(document: Any) -> tuple[Statement, ...]:
    """The statements of a policy document; a statement that is not one (an unresolved function) is passed over."""
    if not isinstance(document, Mapping):
        return ()
    raw = document.get("Statement", [])
    found = []
    for position, body in enumerate(raw if isinstance(raw, list) else [raw], 1):
        if not isinstance(body, Mapping) or "Effect" not in body:
            continue
        actions = _field(body, "Action", Field(("*",)), fold=True)
        found.append(
            Statement(
                name=plain_text(body["Sid"]) if body.get("Sid") else f"#{position}",
                effect=text_of(body["Effect"]),
                principals=_principals(body),
                actions=actions,
                resources=_field(body, "Resource", _ANYTHING_ATTACHED),
                conditions=frozenset(
                    (operator, key, frozenset(texts(values)))
                    for operator, pairs in (body.get("Condition") or {}).items()
                    if isinstance(pairs, Mapping)
                    for key, values in pairs.items()
                ),
            )
        )
    return tuple(found)


# --- policies in resources ----------------------------------------------------------------------------------------


def documents(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every policy document inside resolved properties, with its path; items of a list go by PolicyName or Sid rather than by position."""
    if isinstance(value, str) and value.lstrip().startswith("{") and '"Statement"' in value and not marked(value):
        try:
            value = loads(value)
        except ValueError:
            return
    if isinstance(value, Mapping):
        if "Statement" in value and not path.endswith("Statement"):
            yield path, value
            return
        for key in sorted(value):
            yield from documents(value[key], f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            name = item.get("PolicyName") or item.get("Id") if isinstance(item, Mapping) else None
            yield from documents(item, f"{path}[{plain_text(name) if name else index}]")
