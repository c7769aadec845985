"""Parts of a takeover by themselves: reasons against it, references that are filled in, properties that are put down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from takeover.importable import why_not
from takeover.known import substituted
from takeover.live import identifier_of, live, without
from takeover.model import Live, Taken
from takeover.template import VERSION, import_template, put_down
from templates.intrinsics import after_mark
from templates.schemas import Schema

SCHEMA = Schema(
    identifier=("Name", "Id"),
    importable=True,
    create_only=frozenset({("Fixed",), ("Nested",), ("Hidden",)}),
    read_only=frozenset({("Arn",)}),
    write_only=frozenset({("Hidden", "Secret"), ("Nested", "Secret"), ("Whole", "Secret"), ("Deep", "In", "Secret"), ("Listed", "*")}),
)


def taken(**identifier: str) -> Taken:
    return Taken(stack="site", logical_id="X", type="A::B::C", identifier=identifier, source="s", account_id="1", region="r")


def a_live(**properties: Any) -> Live:
    return Live(taken=taken(Name="n", Id="i"), ref="n|i", properties=properties)


# --- reasons ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "written", "schema", "words"),
    [
        (taken(Name="n", Id="i"), {"Type": "A::B::C"}, SCHEMA, ""),
        (taken(Name="n", Id="i"), None, SCHEMA, "the template has no such resource"),
        (taken(Name="n", Id="i"), {"Type": "A::B::D"}, SCHEMA, "the template has a A::B::D there"),
        (taken(Name="n", Id="i"), {"Type": "A::B::C"}, None, "nothing is known of that type"),
        (taken(Name="n", Id="i"), {"Type": "A::B::C"}, Schema(identifier=("Name", "Id")), "CloudFormation cannot read such a resource"),
        (taken(Name="n"), {"Type": "A::B::C"}, SCHEMA, "it is identified by Name, Id, not by Name"),
        (taken(), {"Type": "A::B::C"}, SCHEMA, "it is identified by Name, Id, not by nothing"),
        (taken(Name="n", Id="i", More="m"), {"Type": "A::B::C"}, SCHEMA, "it is identified by Name, Id, not by Id, More, Name"),
    ],
)
def test_why_something_cannot_be_taken_over(of: Taken, written: Mapping[str, Any] | None, schema: Schema | None, words: str) -> None:
    assert why_not(of, written, schema).startswith(words) and bool(why_not(of, written, schema)) is bool(words)


# --- references ---------------------------------------------------------------------------------------------------------

KNOWN = {"Bucket": Live(taken=taken(), ref="my-bucket", properties={}, attributes={"Arn": "arn:b", "Nested.Part": "p"})}


def filled(value: Any) -> Any:
    return substituted({"Resources": {"R": {"Properties": {"P": value}}}}, KNOWN)["Resources"]["R"]["Properties"]["P"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"Ref": "Bucket"}, "my-bucket"),
        ({"Fn::GetAtt": "Bucket.Arn"}, "arn:b"),
        ({"Fn::GetAtt": ["Bucket", "Nested.Part"]}, "p"),
        ({"Fn::GetAtt": ["Bucket", "Other"]}, {"Fn::GetAtt": ["Bucket", "Other"]}),
        ({"Fn::Sub": "${Bucket}/${!Bucket}/${Bucket.Arn}/${Other}"}, {"Fn::Sub": "my-bucket/${!Bucket}/arn:b/${Other}"}),
        ({"Fn::Sub": ["${Bucket}/${Own}", {"Own": {"Ref": "Bucket"}}]}, {"Fn::Sub": ["my-bucket/${Own}", {"Own": "my-bucket"}]}),
        ({"Fn::Sub": ["${Bucket}", {"Bucket": "its own"}]}, {"Fn::Sub": ["${Bucket}", {"Bucket": "its own"}]}),
        ({"Fn::Sub": ["${Bucket}", {}, 1]}, {"Fn::Sub": ["${Bucket}", {}, 1]}),
        ({"Fn::Sub": ["${Bucket}", "no mapping"]}, {"Fn::Sub": ["${Bucket}", "no mapping"]}),
        ({"Fn::Sub": 5}, {"Fn::Sub": 5}),
        ({"Ref": ["Bucket"]}, {"Ref": ["Bucket"]}),
        ({"Fn::GetAtt": {"a": 1}}, {"Fn::GetAtt": {"a": 1}}),
        ([{"Ref": "Bucket"}, {"A": {"Ref": "Bucket"}}], ["my-bucket", {"A": "my-bucket"}]),
    ],
)
def test_a_reference_to_what_exists_is_what_it_gives(value: Any, wanted: Any) -> None:
    assert filled(value) == wanted


def test_only_resources_and_outputs_are_filled_in_and_never_what_is_waited_for() -> None:
    template = {
        "Metadata": {"M": {"Ref": "Bucket"}},
        "Resources": {"R": {"DependsOn": {"Ref": "Bucket"}}},
        "Outputs": {"O": {"Value": {"Ref": "Bucket"}}},
    }
    assert substituted(template, KNOWN) == {**template, "Outputs": {"O": {"Value": "my-bucket"}}}
    assert substituted({"Resources": None}, KNOWN) == {"Resources": None}


# --- as it is -----------------------------------------------------------------------------------------------------------


def test_aws_own_tags_may_not_stand_in_a_template_and_others_stay() -> None:
    own, mine = {"Key": "aws:x", "Value": "1"}, {"Key": "y", "Value": "2"}
    found = live(SCHEMA, taken(Name="n", Id="i"), {"Tags": [own, mine, "aws:text"], "Arn": "arn", "Empty": [], "None": None, "A": 0})
    assert found.properties == {"Tags": [mine, "aws:text"], "Name": "n", "Id": "i", "A": 0}
    assert (found.ref, found.attributes) == ("n|i", {"Arn": "arn"})


@pytest.mark.parametrize(
    ("path", "left"),
    [
        (("List", "*", "K"), {"List": [{"V": 2}, "x"], "Map": {"In": 1}}),
        (("List", "*"), {"List": [{"K": 1, "V": 2}, "x"], "Map": {"In": 1}}),
        (("Map", "In"), {"List": [{"K": 1, "V": 2}, "x"]}),
        (("Map", "Other"), {"List": [{"K": 1, "V": 2}, "x"], "Map": {"In": 1}}),
        (("Map", "*", "In"), {"List": [{"K": 1, "V": 2}, "x"], "Map": {"In": 1}}),
    ],
)
def test_what_stands_at_a_path_is_cut_out_of_every_item(path: tuple[str, ...], left: dict[str, Any]) -> None:
    value = {"List": [{"K": 1, "V": 2}, "x"], "Map": {"In": 1}}
    assert without(value, [path]) == left and value["Map"] == {"In": 1}


def test_an_identifier_is_whole_or_none() -> None:
    assert [identifier_of(SCHEMA, each) for each in ({"Name": "n", "Id": "i"}, {"Name": "n"}, {})] == ["n|i", "", ""]
    assert identifier_of(Schema(), {}) == ""


def test_a_new_stack_has_the_version_of_its_format_and_one_that_is_there_its_own() -> None:
    imported = {"X": ("A::B::C", {"Name": "n"})}
    assert import_template({}, imported)["AWSTemplateFormatVersion"] == VERSION
    assert "AWSTemplateFormatVersion" not in import_template({"Resources": {}}, imported)


@pytest.mark.parametrize(
    ("live_", "ours", "wanted"),
    [
        ({"Free": ["b", "a"]}, {"Free": ["a", "b"]}, {"Free": ["b", "a"]}),
        ({"Fixed": ["b", "a"]}, {"Fixed": ["a", "b"]}, {"Fixed": ["a", "b"]}),
        ({"Fixed": {"A": 1}}, {"Fixed": {"A": 2}}, {"Fixed": {"A": 1}}),
        ({"Fixed": "other"}, {"Fixed": "ours"}, {"Fixed": "other"}),
        ({"Fixed": "a.example.com"}, {"Fixed": "https://a.example.com"}, {"Fixed": "https://a.example.com"}),
        ({}, {"Fixed": "ours"}, {"Fixed": "ours"}),
        ({}, {"Free": "ours"}, {}),
        ({}, {"Whole": {"Secret": "s"}}, {"Whole": {"Secret": "s"}}),
        ({}, {"Whole": {"Secret": "s", "Told": "t"}}, {}),
        ({}, {"Deep": {"In": {"Secret": "s"}}}, {"Deep": {"In": {"Secret": "s"}}}),
        ({}, {"Deep": {"Secret": "s"}}, {}),
        ({}, {"Listed": [{"Secret": "s"}]}, {}),
        ({}, {"Whole": [{"Secret": "s"}]}, {}),
        ({}, {"Whole": {}}, {}),
        ({"Nested": {"Told": "t"}}, {"Nested": {"Told": "t", "Secret": "s"}}, {"Nested": {"Told": "t", "Secret": "s"}}),
        ({"Nested": {"Told": "x"}}, {"Nested": {"Told": "t", "Secret": "s"}}, {"Nested": {"Told": "x"}}),
        ({"Beside": "x"}, {"Free": "y"}, {}),
        ({}, {"Fixed": after_mark("other.Output")}, {}),
        ({}, {"Fixed": {"Fn::ImportValue": "x"}}, {}),
    ],
)
def test_ours_stands_where_aws_tells_nothing_or_means_the_same(live_: dict[str, Any], ours: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert put_down(SCHEMA, a_live(**live_), ours) == wanted


def test_a_certificates_own_name_among_its_further_ones_means_the_same() -> None:
    schema = Schema(create_only=frozenset({("DomainName",), ("SubjectAlternativeNames",)}))
    there = a_live(DomainName="a", SubjectAlternativeNames=["b", "a"])
    assert put_down(schema, there, {"DomainName": "a", "SubjectAlternativeNames": ["b"]})["SubjectAlternativeNames"] == ["b"]
    assert put_down(schema, there, {"DomainName": "a", "SubjectAlternativeNames": ["c"]})["SubjectAlternativeNames"] == ["b", "a"]
