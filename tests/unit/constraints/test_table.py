"""The table is what the installed models say, every emitted property is in it or has a reason, and values are held against it."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constraints.relations import Relation
from constraints.table import TABLE, wrong
from constraints.table import table as read
from docs.service_models.documented import DOCUMENTED
from docs.service_models.exceptions import NAMES, NOT_COMPARED, NOT_REQUIRED
from docs.service_models.generate import reason, rendered, table, unmatched
from docs.service_models.mapping import SOURCES
from docs.service_models.models import Schema, model
from docs.service_models.walk import Walk, named, properties
from lint.gate import load_rules
from lint.rules.relations import RELATIONS
from tests.golden_files import ROOT
from tests.unit.constraints.documented_errors import ERRORS, OPERATIONS
from tests.unit.policies.test_policies import VARIANTS, bodies


@functools.cache
def walked(kind: str) -> Walk:
    return Walk(kind)


def test_the_table_is_current() -> None:
    assert TABLE.read_text(encoding="utf-8") == rendered(table()), "make rules"


def emitted() -> Iterator[tuple[str, Any]]:
    """Type and properties of every resource of every configuration."""
    for name in VARIANTS:
        for body in bodies(name).values():
            for resource in body["Resources"].values():
                yield resource["Type"], resource["Properties"]


def test_every_emitted_property_is_compared_or_has_its_reason() -> None:
    seen: dict[str, set[str]] = {}
    for kind, values in emitted():
        assert kind in SOURCES
        seen.setdefault(kind, set()).update(name for name, _ in named(walked(kind).schema, walked(kind).schema.root, "", values))
    left = {
        f"{kind} {name}" for kind, names in seen.items() for name in names if name not in walked(kind).matched and not reason(kind, name)
    }
    assert not {each for each in left if "PolicyDocument" not in each}
    assert sum(map(len, seen.values())) > 150


@pytest.mark.parametrize("kind", SOURCES)
def test_a_property_that_nobody_emits_is_compared_too_or_has_its_reason(kind: str) -> None:
    assert not unmatched(walked(kind))


def test_no_name_and_no_reason_is_left_over() -> None:
    for kind, name in NAMES:
        assert name in walked(kind).matched, f"{kind} {name} is renamed for nothing"
    for kind, reasons in NOT_COMPARED.items():
        existing = properties(walked(kind).schema)
        for pattern in reasons:
            assert any(name == pattern or re.fullmatch(pattern.replace("*", ".*"), name) for name in existing), f"{kind} has no {pattern}"
    for kind, excused in NOT_REQUIRED.items():
        assert excused.keys() <= properties(Schema(kind)), kind
    assert set(DOCUMENTED) <= set(SOURCES)


def test_what_is_documented_names_properties_that_exist_and_a_source() -> None:
    for kind, places in DOCUMENTED.items():
        existing = properties(walked(kind).schema)
        for name, (constraint, source) in places.items():
            assert name.removesuffix(".*") in existing, f"{kind} {name}"
            assert constraint and source


def test_nothing_of_the_models_is_imported_when_a_value_is_judged() -> None:
    code = (
        "import sys, constraints.table as t; t.table(); assert not {'botocore', 'cfnlint', 'docs.service_models.models'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_pattern_can_be_read() -> None:
    for pattern in re.findall(r'"pattern":("(?:[^"\\]|\\.)*")', TABLE.read_text(encoding="utf-8")):
        re.compile(json.loads(pattern), re.ASCII)


@pytest.mark.parametrize(
    ("entry", "value", "said"),
    [
        ({"enum": ["a", "b"]}, "c", '"c" is none of a, b'),
        ({"enum": ["true"]}, True, None),
        ({"enum": ["a"]}, "${Stage}", None),
        ({"pattern": "[a-z]+"}, "a b", '"a b" does not match the pattern [a-z]+'),
        ({"pattern": "[a-z]+"}, "${Stage}", None),
        ({"pattern": "[a-z]+"}, "${Stage} b", '"${Stage} b" does not match the pattern [a-z]+'),
        ({"pattern": "arn:aws:.*"}, "${Arn}/x", None),
        ({"pattern": "arn:aws:.*"}, "arm:aws:${Name}", '"arm:aws:${Name}" does not match the pattern arn:aws:.*'),
        ({"pattern": r"[\w]+"}, "\u00e4", '"\u00e4" does not match the pattern [\\w]+'),
        ({"maxLength": 3}, "abcd", "4 characters; at most 3 are taken"),
        ({"maxLength": 3}, "abc${Stage}", None),
        ({"maxLength": 3}, "abcd${Stage}", "4 characters; at most 3 are taken"),
        ({"minLength": 2}, "a", "1 characters; at least 2 are needed"),
        ({"minLength": 2}, "{{resolve:ssm:x}}", None),
        ({"minimum": 1}, "0", "0 is less than 1"),
        ({"maximum": 5}, 6, "6 is more than 5"),
        ({"maximum": 5}, "many", None),
        ({"maxItems": 1}, ["a", "b"], "2 items; at most 1 are taken"),
        ({"minItems": 1}, [], "0 items; at least 1 are needed"),
        ({"maxLength": 3}, None, None),
        ({"maxLength": 3}, {"a": "b"}, None),
        ({"keyPattern": "[a-z]+"}, {"a-b": "c"}, '"a-b" does not match the pattern [a-z]+'),
    ],
)
def test_a_value_is_held_against_its_entry(entry: dict[str, Any], value: Any, said: str | None) -> None:
    assert list(wrong(entry, value)) == ([said] if said else [])


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_no_value_is_too_odd(value: Any) -> None:
    list(wrong({"enum": ["a"], "pattern": "a+", "minLength": 1, "maxLength": 2, "minimum": 0, "maximum": 1, "maxItems": 1}, value))


def test_the_words_of_the_table_are_known() -> None:
    known = {"members", "items", "ref", "definitions", "enum", "pattern", "required", "keyPattern"}
    known |= {f"{end}{what}" for end in ("min", "max") for what in ("Length", "Items", "imum")}

    def words(entry: Any) -> Iterator[str]:
        yield from entry
        for name in ("members", "definitions"):
            for each in entry.get(name, {}).values():
                yield from words(each)
        if "items" in entry:
            yield from words(entry["items"])

    assert {word for kind in read().values() for word in words(kind)} <= known


def errors_of(service: str, operation: str) -> set[str]:
    """Those that botocore's model of the operation documents."""
    return {error["shape"] for error in model(service)._model["operations"][operation].get("errors", ())}


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_documented_error_has_its_rule_or_its_reason(service: str) -> None:
    documented = {error for operation in OPERATIONS[service] for error in errors_of(service, operation)}
    assert set(ERRORS[service]) == documented
    rules = {rule for text in ERRORS[service].values() for rule in re.findall(r"E9\d{3}", text)}
    assert rules <= {rule.id for rule in load_rules().values()}


def test_relations_are_of_properties_that_exist() -> None:
    for relation in RELATIONS:
        schema = walked(relation.kind).schema
        for path in paths_of(relation):
            assert exists(schema, path), f"{relation.kind} has no {path}"


def paths_of(relation: Relation) -> list[str]:
    check: Any = relation.check
    names = [getattr(check, name) for name in ("member", "first", "given") if getattr(check, name, None)]
    names += [each for name in ("others", "members", "needs", "never") for each in getattr(check, name, ())]
    names += [name for name, _ in getattr(check, "then", ())]
    return [".".join(filter(None, (relation.at, name))) for name in names]


def exists(schema: Schema, path: str) -> bool:
    node = schema.root
    for step in path.split("."):
        node = schema.resolved(node)
        following = node.get("items") if step == "*" else node.get("properties", {}).get(step)
        if following is None:
            return False
        node = following
    return True
