# mypy: allow-untyped-calls
"""CloudFront's XML in the words of a template.

In: an element as the API has it, its shape in the service model, what a template says at that place. Out: the live value of everything
that the template says, and of nothing else; left out where nothing stands.
Never: invents a default.

Sources: the service model; template reference, AWS::CloudFront::Distribution, for the names that differ from the API's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudfront

_NAMES = cloudfront._CFN_DISTRIBUTION_CONFIG_RENAMES
parsed: Callable[[str], Any] = vars(cloudfront)["fromstring"]
"""The parser of MiniStack, which resolves no entities."""
_KEYS = ("Id", "PathPattern", "HeaderName", "Header", "EventType", "ErrorCode", "OriginId", "Key")
"""By which an item of a list is found again."""


def told(element: Any, shape: Any, said: Any) -> Any:
    """The live value at a place where the template says `said`; `said` None: everything that stands there."""
    if shape.type_name == "list":
        return _items(element, shape, said if isinstance(said, list) else None)
    if shape.type_name != "structure":
        return element.text or ""
    if isinstance(said, list) or (said is None and "Items" in shape.members and "Quantity" in shape.members):
        items = element.find("Items")
        return [] if items is None else _items(items, shape.members["Items"], said)
    wanted = said if isinstance(said, Mapping) else dict.fromkeys(shape.members)
    return {name: value for name, inner in wanted.items() if (value := _member(element, shape, name, inner)) is not None}


def _member(element: Any, shape: Any, name: str, said: Any) -> Any:
    """The value of a property; None: there is none."""
    if name == "CachedMethods" and "AllowedMethods" in shape.members:
        allowed, inner = element.find("AllowedMethods"), shape.members["AllowedMethods"]
        return _member(allowed, inner, name, said) if allowed is not None else None
    api = _NAMES.get((shape.name, name), name)
    member = shape.members.get(api)
    if member is None:
        return None
    found = element.find(member.serialization.get("name", api))
    if found is not None:
        return told(found, member, said)
    # CloudFront keeps nothing for what is empty.
    return said if said in ("", [], {"Items": []}) else None


def _items(element: Any, shape: Any, said: list[Any] | None) -> list[Any]:
    return [told(each, shape.member, _said_of(each, number, said)) for number, each in enumerate(element)]


def _said_of(element: Any, number: int, said: list[Any] | None) -> Any:
    """What the template says of an item: the one of the same key, else the one at its place."""
    for item in said or []:
        for key in _KEYS:
            if isinstance(item, Mapping) and key in item and item[key] == element.findtext(key):
                return item
    return said[number] if said and number < len(said) and not isinstance(said[number], str) else None
