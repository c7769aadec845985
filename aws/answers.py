"""AWS's answers as frozen values: a value declares its fields, and one function reads it out of any answer.

In: an answer of a boto3 client. Out: the declared value, or `UnexpectedAnswer` that names the field which is not there or not as declared.
Never: a KeyError, or a value with a null where the declaration has none: a null counts as absent, and an absent field has its default.

A field's name in the answer is its own in PascalCase, or what `field(name=...)` says: "Outer.Inner" is a field inside another, and
"First|Second" is the first that has a value.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from aws.errors import Origin, UnexpectedAnswer
from guards.text import sentence

T = TypeVar("T")

_MISSING = object()
_METADATA = "ResponseMetadata"
_ORIGIN = "Origin"
_NEXT_TOKEN = {"NextToken": "NextToken"}
REASONS = frozenset({"reason", "status_reason"})
_PLACE = re.compile(r"^(?P<words>.*) - at `\$\.?(?P<path>.*)`$")


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Base of what is read out of answers. AWS's words in it, which are `REASONS`, are one line that cannot act on a terminal."""

    def __post_init__(self) -> None:
        for name in _reasons(type(self)):
            words = getattr(self, name)
            if words:
                msgspec.structs.force_setattr(self, name, sentence(words))


@dataclass(frozen=True)
class Pairs:
    """Annotates a dict that the answer has as a list of pairs: the names of a pair's two fields. A pair without a value has ""."""

    key: str
    value: str


Tags = Annotated[dict[str, str], Pairs("Key", "Value")]


def read(answer: Any, into: type[T], path: str = "") -> T:
    """The value at `path` of an answer (the whole answer if empty). Raises `UnexpectedAnswer`."""
    found = _at(answer, path)
    if found is _MISSING:
        raise unexpected(answer, f"no {path}")
    hashable: Any = into
    try:
        return msgspec.convert(_selector(hashable)(found), into)
    except (msgspec.ValidationError, _Absent) as problem:
        raise unexpected(answer, _words(str(problem), path)) from problem


def answers(
    call: Callable[..., Any], *, tokens: Mapping[str, str] = _NEXT_TOKEN, truncated: str = "", **arguments: Any
) -> Iterator[dict[str, Any]]:
    """The answer of every page; a page is asked for when it is needed.

    `tokens` says what the next request is given: its argument to the field of the answer. `truncated` is the field that says whether there
    is another page, for services that have one.
    """
    following: dict[str, Any] = {}
    while True:
        answer = call(**(arguments | following))
        yield answer
        before = following
        following = {argument: found for argument, path in tokens.items() if (found := _at(answer, path)) not in (_MISSING, "")}
        if truncated and not read(answer, bool, truncated):
            return
        if not following:
            if truncated:
                raise unexpected(answer, f"no {' or '.join(tokens.values())}, although there is another page")
            return
        if following == before:
            raise unexpected(answer, f"the same page again, by {' and '.join(tokens.values())}")


def pages(
    call: Callable[..., Any],
    items: str,
    into: type[T],
    *,
    tokens: Mapping[str, str] = _NEXT_TOKEN,
    truncated: str = "",
    may_be_absent: bool = False,
    **arguments: Any,
) -> Iterator[T]:
    """What every page has in its list `items`; `may_be_absent`: a page without the list has none. Else as `answers`."""
    for answer in answers(call, tokens=tokens, truncated=truncated, **arguments):
        if not (may_be_absent and _at(answer, items) is _MISSING):
            each: Any = tuple[into, ...]  # type: ignore[valid-type]
            yield from read(answer, each, items)


def mark(answer: Any, origin: Origin) -> None:
    """Write into an answer's metadata where it is from, for the error that may come of it."""
    if isinstance(answer, dict):
        answer.setdefault(_METADATA, {})[_ORIGIN] = origin


def unexpected(answer: Any, words: str) -> UnexpectedAnswer:
    """The error for an answer that is not as its API describes it."""
    metadata = answer.get(_METADATA, {}) if isinstance(answer, Mapping) else {}
    origin: Origin = metadata.get(_ORIGIN) or Origin()
    return UnexpectedAnswer(
        f"unexpected answer: {words}",
        **origin.place,
        request_id=str(metadata.get("RequestId", "")),
        status=int(metadata.get("HTTPStatusCode", 0)),
    )


# --- from the declaration ---------------------------------------------------------------------------------------


class _Absent(ValueError):
    """A pair without its key."""


def _at(raw: Any, path: str) -> Any:
    """What stands at a path; nulls are missing. Of several alternatives the first that is not empty, else the last that is there."""
    last = _MISSING
    for names in _ways(path):
        found = raw
        for name in names:
            # An answer of 20,000 instances is read here: most of what it has are plain dicts.
            found = found.get(name) if type(found) is dict or isinstance(found, Mapping) else None
        if found is not None:
            last = found
            if found != "":
                break
    return last


@functools.cache
def _ways(path: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(alternative.split(".")) if alternative else () for alternative in path.split("|"))


@functools.cache
def _reasons(of: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(REASONS.intersection(of.__struct_fields__))


@functools.cache
def _fields(of: type[msgspec.Struct]) -> tuple[tuple[str, bool, Callable[[Any], Any]], ...]:
    """Name, whether it is no more than a name, what takes its value."""
    return tuple((f.encode_name, not {*"|."} & {*f.encode_name}, _selector(f.type)) for f in msgspec.structs.fields(of))


def _leaf(raw: Any) -> Any:
    return raw.isoformat().replace("+00:00", "Z") if isinstance(raw, datetime) else raw


@functools.cache
def _selector(into: Any) -> Callable[[Any], Any]:
    """What takes the parts of an answer that the type has a place for, under the names that msgspec knows them by."""
    kind, inner = get_origin(into), get_args(into)
    if kind in (Union, types.UnionType):
        return _selector(next(each for each in inner if each is not type(None)))
    if kind is Annotated:
        pairs = next((each for each in into.__metadata__ if isinstance(each, Pairs)), None)
        return _selector(inner[0]) if pairs is None else functools.partial(_paired, pairs=pairs)
    if kind is tuple:
        each_of = _selector(inner[0])
        return lambda raw: [each_of(each) for each in raw if each is not None] if isinstance(raw, list | tuple) else _leaf(raw)
    if kind is dict:
        value_of = _selector(inner[1])
        return lambda raw: (
            {key: value_of(value) for key, value in raw.items() if value is not None} if isinstance(raw, Mapping) else _leaf(raw)
        )
    if isinstance(into, type) and issubclass(into, msgspec.Struct):
        return lambda raw: (
            {
                name: found if type(found) is str else taken(found)
                for name, plain, taken in _fields(into)
                if (found := raw.get(name, _MISSING) if plain else _at(raw, name)) is not _MISSING and found is not None
            }
            if type(raw) is dict or isinstance(raw, Mapping)
            else _leaf(raw)
        )
    return _leaf


def _paired(raw: Any, pairs: Pairs) -> Any:
    if not isinstance(raw, list | tuple):
        return _leaf(raw)
    found = {}
    for each in raw:
        key, value = _at(each, pairs.key), _at(each, pairs.value)
        if key is _MISSING:
            raise _Absent(f"no {pairs.key}")
        found[key] = "" if value is _MISSING else value
    return found


def _words(problem: str, path: str) -> str:
    match = _PLACE.match(problem)
    words, inner = (match["words"], match["path"]) if match else (problem, "")
    where = "".join((path, "." if path and inner and not inner.startswith("[") else "", inner))
    missing = re.fullmatch(r"Object missing required field `(.+)`", words)
    words = f"no {missing[1]}" if missing else words.replace("`", "")
    return f"{words} in {where}" if where else words
