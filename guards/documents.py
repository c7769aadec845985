"""JSON that others wrote: one way to read it, and one error for all that can be wrong with it.

In: bytes or text from AWS, a bucket, a log. Out: plain values, or a value of ours. Never: ends in anything but `Unreadable`.

`json` and msgspec each fail in ways of their own: nesting deeper than Python's stack (RecursionError), numbers of more than 4,300 digits,
bytes that are no UTF-8. `json` takes NaN, Infinity and 1e999, which no JSON has and which end in OverflowError, or in JSON that nobody can
read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

DEEPEST = 100
"""Levels of nesting. Templates have some twenty; code that walks a document may take several frames of Python's thousand for each."""


class Unreadable(ValueError):
    """It is not JSON, or not the JSON that was expected; `str()` says what is wrong, on one line."""


def _no_number(text: str) -> NoReturn:
    raise Unreadable(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Unreadable("a number is too large")
    return number


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [item for each in level if isinstance(each, dict | list) for item in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return False
    return True


def loads(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Plain values; `pairs` makes something else of the keys and values of each object. Raises `Unreadable`, for its ValueError too."""
    try:
        found = json.loads(text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=pairs)
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except ValueError as error:
        raise Unreadable(str(error)) from None
    if _too_deep(found):
        raise Unreadable("nested too deeply")
    return found


def mapping(text: str | bytes) -> dict[str, Any]:
    """A JSON object. Raises `Unreadable`."""
    found = loads(text)
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return found


def decode(data: str | bytes, kind: type[T]) -> T:
    """A value of ours (msgspec). Raises `Unreadable`."""
    import msgspec

    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unreadable(str(error)) from None
