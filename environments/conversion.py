"""From parsed data to typed values, with everything that does not fit in the words of somebody who edits YAML.

In: a model and the data of its files. Out: the value, or None and every problem noted.
Never: reads a file, judges what values mean together (`environments.checks`).

Merge: a key of `<env>.yaml` wins over the same key of `common.yaml`; mappings are merged, everything else is replaced.
"""

from __future__ import annotations

import difflib
import itertools
import re
import types
import typing
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from environments.model import Environment
from environments.names import bucket_name_problem, dns_name, region_problem
from environments.problems import Key, Note, Problem, dotted
from environments.reading import Document
from environments.value import BucketName, CertificateName, DomainName, Region, Value

COMMON = "common"
ALL = "all"
"""What --env takes for every environment."""
Source = Callable[[Key], str | None]
"""What is written in the file for a value that YAML does not read as text."""
V = TypeVar("V", bound=Value)


@dataclass
class Findings:
    """Collects problems of one environment; knows which file and line a key came from."""

    own: Document
    common: Document
    problems: list[Problem] = field(default_factory=list)

    def at(self, key: Key, message: str) -> Problem:
        document, line = self._locate(key)
        return Problem(document.file, line, dotted(key), message)

    def add(self, key: Key, message: str) -> None:
        self.problems.append(self.at(key, message))

    def own_file(self, key: Key, message: str) -> Problem:
        """The same, in the environment's own file whether the key stands there or not."""
        line = next((self.own.lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self.own.lines), 1)
        return Problem(self.own.file, line, dotted(key), message)

    def text(self, key: Key) -> str | None:
        """What is written in the file for a value that YAML does not read as text."""
        return (self.own if key in self.own.lines else self.common).texts.get(key)

    def _locate(self, key: Key) -> tuple[Document, int]:
        # The nearest parent that stands in a file: a missing key is reported at the mapping that should hold it.
        for length in range(len(key), 0, -1):
            for document in (self.own, self.common):
                if key[:length] in document.lines:
                    return document, document.lines[key[:length]]
        return self.own, 1


def _merge(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: _merge(base[key], value) if key in base else value for key, value in over.items()}}
    return over


def convert(model: type[V], name: str, findings: Findings, check: Callable[[V, Note], None]) -> V | None:
    """The typed value; None, with every problem noted, where the data does not fit the model.

    What does not fit is noted and then left out, so that what the values mean is judged in the same run wherever that is possible.
    """
    shared = findings.common.data
    if model is not Environment:  # common.yaml is written for environments
        shared = {key: value for key, value in shared.items() if key in model.__struct_fields__}
    data = _merge(shared, findings.own.data)
    if "name" in data:
        findings.add(("name",), f'not a key: the environment is named by its file, "{name}"')
        data = {key: value for key, value in data.items() if key != "name"}
    data["name"] = name
    if name == ALL:
        findings.add((), f'the file name "{ALL}" is no environment name; --env {ALL} means every environment')
    try:
        value = msgspec.convert(data, model)
    except msgspec.ValidationError:
        wrong: list[Key] = []

        def note(key: Key, message: str) -> None:
            wrong.append(key)
            findings.add(key, message)

        _explain_struct(model, data, (), note, findings.text)
        if not wrong:  # a disagreement between this walk and msgspec must not pass as valid
            raise
        try:
            rest = msgspec.convert(_without(data, (), frozenset(wrong)), model)
        except msgspec.ValidationError:
            return None
        check(rest, lambda key, message: None if (there := _as_written(key, wrong)) in wrong else findings.add(there, message))
        return None
    check(value, findings.add)
    return value


def _without(value: Any, key: Key, wrong: frozenset[Key]) -> Any:
    """The data without what stands under the given keys."""
    if isinstance(value, dict):
        return {name: _without(item, (*key, name), wrong) for name, item in value.items() if (*key, name) not in wrong}
    if isinstance(value, list):
        return [_without(item, (*key, index), wrong) for index, item in enumerate(value) if (*key, index) not in wrong]
    return value


def _as_written(key: Key, left_out: Collection[Key]) -> Key:
    """Where in the file stands what has this place once items of lists are left out."""
    found: Key = ()
    for part in key:
        if isinstance(part, int):
            kept = (index for index in itertools.count() if (*found, index) not in left_out)
            part = next(itertools.islice(kept, part, None))  # noqa: PLW2901
        found = (*found, part)
    return found


def _explain(expected: Any, value: Any, key: Key, note: Note, source: Source) -> None:
    """Notes every place below `value` that does not fit the type `expected`."""
    origin = typing.get_origin(expected)
    if origin in {typing.Union, types.UnionType}:
        options = [option for option in typing.get_args(expected) if option is not type(None)]
        if value is None and len(options) < len(typing.get_args(expected)):
            return
        # Where a text or a mapping will do, what was written says which one was meant.
        expected = next((option for option in options if isinstance(value, dict) and typing.get_origin(option) is dict), options[0])
        origin = typing.get_origin(expected)
    if isinstance(expected, type) and issubclass(expected, Value):
        _explain_struct(expected, value, key, note, source)
    elif origin is tuple and isinstance(value, list):
        for index, item in enumerate(value):
            _explain(typing.get_args(expected)[0], item, (*key, index), note, source)
    elif origin is dict and isinstance(value, dict):
        _explain_dict(expected, value, key, note, source)
    else:
        try:
            msgspec.convert(value, expected)
        except msgspec.ValidationError as error:
            note(key, _plain(expected, value, error, source(key)))
            return
        for named, problem in ((Region, region_problem), (BucketName, bucket_name_problem)):
            reason = problem(value) if expected == named else None
            if reason:
                note(key, f'"{value}": {reason}')


def _explain_dict(expected: Any, value: dict[str, Any], key: Key, note: Note, source: Source) -> None:
    key_type, item_type = typing.get_args(expected)
    for name, item in value.items():
        if _fits(key_type, name):
            _explain(item_type, item, (*key, name), note, source)
        else:
            note((*key, name), f"cannot be a key here; {_meaning(key_type)}")


def _explain_struct(expected: type[Value], value: Any, key: Key, note: Note, source: Source) -> None:
    if not isinstance(value, dict):
        note(key, f"is {_shown(value, source(key))}; expected a mapping with the keys {', '.join(expected.__struct_fields__)}")
        return
    hints = typing.get_type_hints(expected, include_extras=True)
    known = [name for name in hints if key or name != "name"]
    for name in value:
        if name not in hints:
            close = difflib.get_close_matches(str(name), known, n=1)
            meant = f'did you mean "{close[0]}"?' if close else f"the keys here are: {', '.join(known)}"
            note((*key, name), f"unknown key; {meant}")
    required = {info.name for info in msgspec.structs.fields(expected) if info.required}
    for name, hint in hints.items():
        if name in value:
            if not (key == () and name == "name"):
                _explain(hint, value[name], (*key, name), note, source)
            elif not _fits(hint, value[name]):
                note((), f'the file name "{value[name]}" is no environment name; {_in_sentence(_meaning(hint))}')
        elif name in required:
            note((*key, name), f"missing; {_meaning(hint) or 'give it here or in ' + COMMON + '.yaml'}")


def _fits(expected: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError:
        return False
    return True


def _meta(expected: Any) -> list[msgspec.Meta]:
    return list(getattr(expected, "__metadata__", ()))


def _meaning(expected: Any) -> str:
    options = typing.get_args(expected) if typing.get_origin(expected) in {typing.Union, types.UnionType} else (expected,)
    if typing.get_origin(options[0]) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(options[0])))}"
    return next((meta.description for option in options for meta in _meta(option) if meta.description), "")


def _in_sentence(meaning: str) -> str:
    """With a small first letter, unless it begins an abbreviation: "AWS region"."""
    first = meaning.partition(" ")[0]
    return meaning if first[1:] != first[1:].lower() else meaning[:1].lower() + meaning[1:]


_TYPES = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list", "object": "a mapping"}

_BOUNDS = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least"}


def _plain(expected: Any, value: Any, error: msgspec.ValidationError, written: str | None) -> str:
    """The validation error in the words of somebody who edits YAML."""
    meaning = _meaning(expected)
    text = str(error)
    wrong_type = re.match(r"Expected `([^`]+)`, got `[^`]+`", text)
    if wrong_type:
        wanted = _TYPES.get(wrong_type[1], wrong_type[1])
        wants_text = wrong_type[1] == "str" and value is not None and not isinstance(value, list | dict)
        quoted = str(value) if written is None else written
        # Quoting helps only where the text itself fits.
        quote = f'; quote it: "{quoted}"' if wants_text and _fits(expected, quoted) else ""
        return f"is {_shown(value, written)}; expected {wanted}{quote}{'. ' + meaning if meaning else ''}"
    shown = _shown(value, written)
    bound = re.match(r"Expected `\w+` (of length )?([<>]=?) ([\d.]+)", text)
    if bound:
        unit = f" character{'' if bound[3] == '1' else 's'}" if bound[1] else ""
        return f"is {shown}; expected {_BOUNDS[bound[2]]} {bound[3]}{unit}"
    name = dns_name(value) if isinstance(value, str) and expected in (DomainName, CertificateName) else None
    if name is not None and name != value and _fits(expected, name):
        return f'is {shown}; expected {_in_sentence(meaning).rstrip(".")}; in DNS it is "{name}"'
    return f"is {shown}; expected {_in_sentence(meaning) if meaning else text}"


def _shown(value: Any, written: str | None) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    plain = {None: "empty", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)
    if value is not None and written is not None and written != plain:
        text = f"{written}, which YAML reads as {plain}"
    else:
        text = plain if value is None or isinstance(value, bool) else f'"{plain}"'
    return text if len(text) <= 80 else text[:76] + '..."'
