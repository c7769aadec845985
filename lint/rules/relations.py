"""What several properties of one resource demand of each other, for every resource type in constraints/of_*.

In: a template. Out: members that exclude, need or repeat each other, values that do not go together, references to the wrong thing.
Never: judges a value that only AWS will know.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from constraints import of_cloudfront, of_keys, of_lambda_and_waf
from constraints.relations import Check, Excludes, ExclusiveValue, Once, OneOf, Ordered, Refers, Relation, Requires, When, Without
from lint.rules.base import Problem, Rule
from templates.view import ABSENT, EACH, OPAQUE, UNKNOWN, Node, View, number, reference, together

RELATIONS: tuple[Relation, ...] = (*of_cloudfront.RELATIONS, *of_keys.RELATIONS, *of_lambda_and_waf.RELATIONS)
_EMPTY: tuple[Any, ...] = (ABSENT, None, "", [], {})


_BY_STRUCTURE: dict[str, dict[str, list[Check]]] = {}
for _relation in RELATIONS:
    _BY_STRUCTURE.setdefault(_relation.kind, {}).setdefault(_relation.at, []).append(_relation.check)


class GoTogether(Rule):
    id = "E9904"
    shortdesc = "Properties of a resource go together"
    description = "Members that exclude, need or repeat each other, and references to the right kind of thing: constraints/of_*."
    source_url = "https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html"

    def check(self, view: View) -> Iterator[Problem]:
        for resource in view.resources():
            for at, checks in _BY_STRUCTURE.get(str(resource.value.get("Type")), {}).items():
                for structure in _below(view, view.properties_of(resource), at):
                    if isinstance(structure.value, dict):
                        for check in checks:
                            yield from _CHECKS[type(check)](view, structure, check)


def _below(view: View, node: Node, path: str) -> Iterator[Node]:
    """The values at a dotted path; a list also where there is one value for it."""
    if not path:
        yield from view.at(node)
        return
    head, _, rest = path.partition(".")
    for each in view.at(node, EACH if head == "*" else head):
        yield from _below(view, each, rest)


def _there(node: Node) -> bool:
    """A value that counts as given: not absent, and not empty."""
    return node.value not in _EMPTY


def _written(node: Node) -> str:
    """A scalar as text; the empty text where nothing is there."""
    if isinstance(node.value, bool):
        return str(node.value).lower()
    return str(node.value) if isinstance(node.value, str | int | float) else ""


def _conflict(view: View, structure: Node, members: tuple[str, ...]) -> Iterator[tuple[Node, ...]]:
    """What several members can be at the same time."""
    for chosen in itertools.product(*(_below(view, structure, member) for member in members)):
        if all(together(one, other) for one, other in itertools.combinations(chosen, 2)):
            yield chosen


def _excludes(view: View, structure: Node, check: Excludes) -> Iterator[Problem]:
    for other in check.others:
        for one, second in _conflict(view, structure, (check.first, other)):
            if _there(one) and second.value not in (ABSENT, UNKNOWN):
                yield second.path, f"{other} beside {check.first}; one of the two has to go"


def _requires(view: View, structure: Node, check: Requires) -> Iterator[Problem]:
    for other in check.others:
        for one, second in _conflict(view, structure, (check.first, other)):
            if one.value is not UNKNOWN and _there(one) and second.value is ABSENT:
                yield one.path, f"{check.first} needs {other} beside it"


def _one_of(view: View, structure: Node, check: OneOf) -> Iterator[Problem]:
    found = [_below(view, structure, member) for member in check.members]
    # A member with several cases is told apart by the condition it has in common with others: few have any.
    for chosen in itertools.islice(itertools.product(*found), 256):
        if not all(together(one, other) for one, other in itertools.combinations(chosen, 2)):
            continue
        given = zip(check.members, chosen, strict=True)
        members = [name for name, node in given if node.value is not ABSENT and _written(node).lower() != "false"]
        if any(node.value is UNKNOWN for node in chosen):
            continue
        names = ", ".join(check.members[:6])
        if len(members) < check.least:
            yield structure.path, f"none of {names}; {check.least} has to be there"
            return
        if len(members) > check.most:
            yield structure.path, f"{' and '.join(members)} together; {check.most} of them at most"
            return


def _when(view: View, structure: Node, check: When) -> Iterator[Problem]:
    for one in _below(view, structure, check.member):
        holds = (check.absent and one.value is ABSENT) or _written(one) in check.values
        if not holds and not ("*" in check.values and _there(one)):
            continue
        bound = structure.when(one)
        said = f"{check.member} is {_written(one)}" if one.known else f"{check.member} is {'not there' if one.value is ABSENT else 'there'}"
        for name in check.needs:
            if any(node.value is ABSENT for node in _below(view, bound, name)):
                yield (one.path if one.present else structure.path), f"{said}; it needs {name}"
        for name in check.never:
            yield from (
                (node.path, f"{name} where {said}") for node in _below(view, bound, name) if node.value is not UNKNOWN and _there(node)
            )
        for name, values in check.then:
            for node in _below(view, bound, name):
                if _written(node) not in values and isinstance(node.value, str | int | bool | float):
                    wanted = " or ".join(value for value in values if value)
                    yield node.path, f"{name} is {_written(node)} where {said}; it has to be {wanted}"


def _ordered(view: View, structure: Node, check: Ordered) -> Iterator[Problem]:
    for first, second in itertools.combinations(check.members, 2):
        for one, other in _conflict(view, structure, (first, second)):
            low, high = number(one), number(other)
            if low is not None and high is not None and low > high:
                yield other.path, f"{second} {high:g} is less than {first} {low:g}"


def _once(view: View, structure: Node, check: Once) -> Iterator[Problem]:
    seen: dict[Any, list[Node]] = {}
    for node in _below(view, structure, check.member):
        ref = reference(node)
        text = ref or (_written(node) if "${" not in _written(node) else "")
        key = text.lower() if check.any_case and isinstance(text, str) else text
        if key and any(first.path != node.path and together(first, node) for first in seen.get(key, ())):
            yield node.path, f"{ref.name if ref else text} stands there already"
        seen.setdefault(key, []).append(node)


def _items(view: View, structure: Node, member: str) -> Iterator[Node]:
    for node in _below(view, structure, member):
        yield from view.items(node)


def _without(view: View, structure: Node, check: Without) -> Iterator[Problem]:
    for given in _below(view, structure, check.given):
        if check.given and not given.is_true():
            continue
        for node in _items(view, structure.when(given), check.member):
            name = (node.text or "").lower()
            if name in check.values or name.startswith(check.prefixes):
                yield node.path, f"{node.text} in {check.member}: {check.why}"


def _alone(view: View, structure: Node, check: ExclusiveValue) -> Iterator[Problem]:
    items = list(_items(view, structure, check.member))
    for node in items:
        if node.text == check.value and any(other.path != node.path and together(node, other) for other in items):
            yield node.path, f"{check.value} stands alone in {check.member}"


def _refers(view: View, structure: Node, check: Refers) -> Iterator[Problem]:
    for node, target in ((each, found) for each in _below(view, structure, check.member) if (found := reference(each))):
        kind = view.type_of(target.name)
        if kind is None or kind.startswith(OPAQUE):
            continue
        attributes = check.kinds.get(kind)
        if attributes is None:
            yield node.path, f"{target.name} is of type {kind}; here stands {' or '.join(check.kinds)}"
        elif (target.attribute or "") not in attributes:
            wanted = " or ".join(f"Fn::GetAtt {name}" if name else "Ref" for name in attributes)
            yield node.path, f"{'Fn::GetAtt ' + target.attribute if target.attribute else 'Ref'} of {target.name}; here stands its {wanted}"


_CHECKS: dict[type, Callable[[View, Node, Any], Iterator[Problem]]] = {
    Excludes: _excludes,
    Requires: _requires,
    OneOf: _one_of,
    When: _when,
    Ordered: _ordered,
    Once: _once,
    Without: _without,
    ExclusiveValue: _alone,
    Refers: _refers,
}
