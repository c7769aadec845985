"""What a person says exists: LogicalId=IDENTIFIER.

In: the texts, places, schemas. Out: `Candidate` values. Raises `NotUnderstood`.
Never: asks AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adoption.matching import Candidate
from adoption.places import Place
from guards import documents
from takeover.importable import NEVER
from templates.schemas import Schemas

LONGEST = 2_048


class NotUnderstood(ValueError):
    """`str()` says why; `word` is what was misspelt, `choices` what it may have meant."""

    def __init__(self, message: str, *, word: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.word, self.choices = word, choices


def by_hand(texts: Iterable[str], places: Sequence[Place], schemas: Schemas) -> tuple[Candidate, ...]:
    """One for each text: LogicalId=IDENTIFIER, or STACK.LogicalId=IDENTIFIER where several stacks have that logical id.

    An identifier of several properties is a JSON object.
    """
    found: list[Candidate] = []
    for text in texts:
        name, _, value = text.partition("=")
        if not (name and value) or len(value) > LONGEST or not value.isprintable():
            raise NotUnderstood(f"--resource {text[:100]!r}: write LogicalId=IDENTIFIER, such as Bucket=my-bucket")
        place = _place(name, places)
        identifier = _identifier(place, value, schemas)
        if any(each.to == place.key for each in found):
            raise NotUnderstood(f"--resource: {place} is given twice")
        found.append(Candidate(type=place.type, identifier=identifier, found="hand", source=f"--resource {name}={value}", to=place.key))
    return tuple(found)


def _place(name: str, places: Sequence[Place]) -> Place:
    fitting = [place for place in places if name in (place.logical_id, str(place))]
    if not fitting:
        choices = tuple(dict.fromkeys([*(str(p) for p in places), *(p.logical_id for p in places)]))
        raise NotUnderstood(f"--resource: no stack of the environment has {name!r}", word=name, choices=choices)
    if len(fitting) > 1:
        raise NotUnderstood(f"--resource: {name} is in several stacks; write one of {', '.join(str(place) for place in fitting)}")
    return fitting[0]


def _identifier(place: Place, value: str, schemas: Schemas) -> dict[str, str]:
    schema = schemas.of(place.type, place.stack.region)
    if schema is None or not schema.importable or place.type in NEVER:
        why = NEVER.get(place.type, "CloudFormation cannot import such a resource")
        raise NotUnderstood(f"--resource: {place} is a {place.type}: {why}")
    names = schema.identifier
    if len(names) == 1:
        return {names[0]: value}
    try:
        given = documents.mapping(value)
    except documents.Unreadable:
        given = {}
    if not all(isinstance(given.get(name), str) and given[name] for name in names) or not set(given) <= set(names):
        example = ", ".join(f'"{name}": "…"' for name in names)
        raise NotUnderstood(f"--resource: {place} is identified by several properties: {place.logical_id}={{{example}}}")
    return {name: str(given[name]) for name in names}
