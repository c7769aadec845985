"""Which resource of the assembly a thing would be, what a person may say, and what speaks against taking it over."""

from __future__ import annotations

from typing import Any

import pytest

from adoption.by_hand import LONGEST, NotUnderstood, by_hand
from adoption.comparison import Difference
from adoption.evidence import another_site, elsewhere, foreign, replaced_later, several, tags_of
from adoption.matching import Candidate, fits, matched
from adoption.places import Place, places
from adoption.terraform_types import CERTIFICATE, DISTRIBUTION, RECORD
from templates.intrinsics import after_mark
from templates.schemas import bundled
from tests.simulated import ACCOUNT, Small, literal, output, small_assembly

SCHEMAS = bundled()
BUCKET, ACL = "AWS::S3::Bucket", "AWS::WAFv2::WebACL"
ASSEMBLY, _ = small_assembly(Small(id="site", template={}), Small(id="edge", template={}))
SITE, EDGE = ASSEMBLY.stacks


def place(kind: str = BUCKET, logical_id: str = "Bucket", stack: Any = SITE, **properties: Any) -> Place:
    return Place(stack=stack, logical_id=logical_id, type=kind, properties=properties or {"BucketName": "b"})


def candidate(kind: str = BUCKET, found: str = "terraform", **more: Any) -> Candidate:
    usual: dict[str, Any] = {"identifier": {"BucketName": "b"}, "source": f"{found} x"}
    return Candidate(type=kind, found=found, **(usual | more))


# --- by hand --------------------------------------------------------------------------------------------------------


def test_what_a_person_says_goes_where_they_say() -> None:
    two = [place(), place(logical_id="Other")]
    found = by_hand(["Bucket=my-bucket", "site.Other=x=y"], two, SCHEMAS)
    assert [(c.type, dict(c.identifier), c.found, c.to) for c in found] == [
        (BUCKET, {"BucketName": "my-bucket"}, "hand", ("site", "Bucket")),
        (BUCKET, {"BucketName": "x=y"}, "hand", ("site", "Other")),
    ]
    assert found[0].source == "--resource Bucket=my-bucket"


@pytest.mark.parametrize("text", ["Bucket", "Bucket=", "=b", "", "Bucket=a\nb", "Bucket=" + "x" * (LONGEST + 1)])
def test_what_is_no_name_and_identifier_is_said(text: str) -> None:
    with pytest.raises(NotUnderstood, match="write LogicalId=IDENTIFIER") as told:
        by_hand([text], [place()], SCHEMAS)
    assert str(told.value) == f"--resource {text[:100]!r}: write LogicalId=IDENTIFIER, such as Bucket=my-bucket"
    assert by_hand(["Bucket=" + "x" * LONGEST], [place()], SCHEMAS)


def test_what_no_schema_knows_is_not_imported() -> None:
    with pytest.raises(NotUnderstood, match=r"site\.Bucket is a Custom::Thing: CloudFormation cannot import such a resource"):
        by_hand(["Bucket=b"], [place("Custom::Thing")], SCHEMAS)


def test_a_place_that_is_none_several_or_given_twice() -> None:
    both = [place(), place(stack=EDGE)]
    with pytest.raises(NotUnderstood, match="no stack of the environment has 'Bukket'") as told:
        by_hand(["Bukket=b"], both, SCHEMAS)
    assert (told.value.word, told.value.choices) == ("Bukket", ("site.Bucket", "edge.Bucket", "Bucket"))
    with pytest.raises(NotUnderstood, match=r"Bucket is in several stacks; write one of site.Bucket, edge.Bucket"):
        by_hand(["Bucket=b"], both, SCHEMAS)
    assert by_hand(["edge.Bucket=b"], both, SCHEMAS)[0].to == ("edge", "Bucket")
    with pytest.raises(NotUnderstood, match=r"site.Bucket is given twice"):
        by_hand(["site.Bucket=b", "site.Bucket=c"], both, SCHEMAS)


def test_an_identifier_of_several_properties_is_an_object_with_exactly_these() -> None:
    acl = [place(ACL, "Acl", Name="n")]
    whole = '{"Name": "n", "Id": "i", "Scope": "CLOUDFRONT"}'
    assert dict(by_hand([f"Acl={whole}"], acl, SCHEMAS)[0].identifier) == {"Name": "n", "Id": "i", "Scope": "CLOUDFRONT"}
    for value in ("n", "[]", '{"Name": "n", "Id": "i"}', whole.replace('"i"', '""'), whole.replace('"i"', "1"), whole[:-1] + ', "X": "x"}'):
        with pytest.raises(NotUnderstood, match=r"site.Acl is identified by several properties: Acl="):
            by_hand([f"Acl={value}"], acl, SCHEMAS)


@pytest.mark.parametrize("kind", ["AWS::Lambda::Version", "AWS::Nobody::Knows"])
def test_what_cannot_be_imported_is_said(kind: str) -> None:
    with pytest.raises(NotUnderstood, match=f"--resource: site.It is a {kind}: "):
        by_hand(["It=x"], [place(kind, "It")], SCHEMAS)


# --- matching -------------------------------------------------------------------------------------------------------


def test_one_thing_found_in_several_ways_is_one_by_the_strongest() -> None:
    derived = candidate(found="derived", names=frozenset({"d"}), account_id="1")
    state = candidate(names=frozenset({"t"}), region="r")
    for order in ([derived, state], [state, derived]):
        ((found,),) = matched([place()], order).by_place.values()
        assert (found.found, found.names, found.account_id, found.region) == ("terraform", frozenset({"d", "t"}), "1", "r")
    dotted = candidate(RECORD, identifier={"Name": "a.b."}).key
    assert dotted == candidate(RECORD, identifier={"Name": "a.b"}).key != candidate(RECORD, identifier={"Name": "a.c"}).key


def test_what_a_person_names_wins_and_the_other_is_left() -> None:
    other = candidate(identifier={"BucketName": "other"}, found="hand", to=("site", "Bucket"))
    found = matched([place()], [candidate(), other])
    assert [c.label for c in found.by_place["site", "Bucket"]] == ["other"] and [c.label for c in found.left] == ["b"]
    alone = matched([place()], [other])
    assert alone.left == () and [c.label for c in alone.by_place["site", "Bucket"]] == ["other"]
    two = matched([place()], [candidate(), candidate(identifier={"BucketName": "B2"}, names=frozenset({"b"}))])
    assert len(two.by_place["site", "Bucket"]) == 2 and two.left == (), "nobody decides between two"
    assert [c.label for c in matched([], [candidate()]).left] == ["b"]


ZONE = {"HostedZoneId": "Z1", "Name": "WWW.example.org.", "Type": "A"}


@pytest.mark.parametrize(
    ("at", "one", "fit"),
    [
        (place(), candidate(), True),
        (place(), candidate("AWS::SNS::Topic"), False),
        (place(), candidate(identifier={"BucketName": "other"}), False),
        (place(), candidate(identifier={"Arn": "arn:aws:s3:::x/b"}), True),
        (place(), candidate(identifier={"Arn": "x/b"}), False),
        (place(BucketName="B"), candidate(identifier={"X": "y"}, names=frozenset({"b"})), True),
        (place(BucketName=after_mark("a.b")), candidate(identifier={"BucketName": after_mark("a.b")}), False),
        (place(Other="b"), candidate(identifier={"BucketName": ""}), False),
        (place(), candidate(to=("site", "Bucket"), identifier={"BucketName": "x"}), True),
        (place(), candidate(to=("edge", "Bucket")), False),
        (place(RECORD, **ZONE), candidate(RECORD, identifier={**ZONE, "Name": "www.example.org"}), True),
        (place(RECORD, **ZONE), candidate(RECORD, identifier={**ZONE, "Name": "www.example.com"}), False),
        (place(RECORD, **ZONE), candidate(RECORD, identifier={**ZONE, "HostedZoneId": "Z2"}), False),
        (place(RECORD, **{**ZONE, "HostedZoneId": after_mark("zone")}), candidate(RECORD, identifier=ZONE), True),
        (place(RECORD, **ZONE), candidate(RECORD, identifier={**ZONE, "Type": "AAAA"}), False),
        (place(RECORD, **ZONE), candidate(RECORD, identifier={**ZONE, "SetIdentifier": "blue"}), False),
        (place(RECORD, **ZONE, SetIdentifier="blue"), candidate(RECORD, identifier={**ZONE, "SetIdentifier": "blue"}), True),
        (place(DISTRIBUTION, DistributionConfig={"Aliases": ["A", "b"]}), candidate(DISTRIBUTION, names=frozenset({"a"})), True),
        (place(DISTRIBUTION, DistributionConfig={}), candidate(DISTRIBUTION, names=frozenset({"a"})), False),
        (place(CERTIFICATE, DomainName="A"), candidate(CERTIFICATE, names=frozenset({"a"})), True),
        (place(CERTIFICATE, DomainName="c"), candidate(CERTIFICATE, names=frozenset({"a"})), False),
        (place("AWS::S3::BucketPolicy", Bucket="b"), candidate("AWS::S3::BucketPolicy", identifier={"Bucket": "b"}), True),
        (place("AWS::S3::BucketPolicy", Bucket="b"), candidate("AWS::S3::BucketPolicy", identifier={"Bucket": "c"}), False),
    ],
)
def test_who_fits_where(at: Place, one: Candidate, fit: bool) -> None:
    assert fits(at, one) is fit


# --- evidence -------------------------------------------------------------------------------------------------------


def test_tags_in_each_form() -> None:
    assert tags_of({"Tags": {"a": 1}}) == {"a": "1"} == tags_of({"HealthCheckTags": [{"Key": "a", "Value": "1"}, "x"]})
    assert tags_of({"Tags": [{"Key": "a"}]}) == {"a": ""} and tags_of({}) == {} == tags_of({"Tags": "x"})


def test_what_is_in_another_account_or_region() -> None:
    def why(at: Place, **where: str) -> str:
        found = elsewhere(ASSEMBLY, at, candidate(**where))
        return found[0] if found else ""

    assert why(place()) == "" == why(place(), account_id=ACCOUNT, region="eu-west-1")
    assert why(place(), account_id="9").startswith("is in account 9, and the stack demo-test-site in 123456789012")
    assert why(place(), region="us-east-1").startswith("is in us-east-1, and the stack demo-test-site in eu-west-1")
    assert why(place(DISTRIBUTION), region="us-east-1") == "" != why(place(DISTRIBUTION), account_id="9")


@pytest.mark.parametrize(
    ("live", "owner", "words"),
    [
        ({}, "", ""),
        ({}, "demo-test-site", ""),
        ({}, "other", "is made by the stack other"),
        ({"Tags": {"project": "demo", "environment": "prod"}}, "", "belongs to demo prod, by its tags"),
        ({"Tags": {"project": "demo", "environment": "test"}}, "", ""),
        ({"Tags": {"Env": "production"}}, "", "is tagged as production's, not as test's"),
        ({"Tags": {"Stage": "TESTING"}}, "", ""),
        ({"Tags": {"env": "te"}}, "", ""),
        ({"Tags": {"env": ""}}, "", ""),
    ],
)
def test_whose_it_is(live: dict[str, Any], owner: str, words: str) -> None:
    found = foreign(ASSEMBLY, place(), live, owner)
    assert (found is None) is (words == "") and (found is None or found[0].startswith(words))
    if owner == "other":
        record = foreign(ASSEMBLY, place(RECORD), live, owner)
        assert record is not None and "unmanaged" in record[1] and found is not None and "DeletionPolicy Retain" in found[1]


def test_a_distribution_of_other_names_is_another_site() -> None:
    def why(theirs: list[str], ours: list[str], kind: str = DISTRIBUTION) -> str:
        found = another_site(ASSEMBLY, place(kind, DistributionConfig={"Aliases": ours}), {"DistributionConfig": {"Aliases": theirs}})
        return found[0] if found else ""

    assert why(["A", "b"], ["a"]) == "" == why([], ["a"]) == why(["x"], ["a"], BUCKET)
    assert why(["y", "x"], ["a"]) == "answers for x, y, and not for a"
    assert another_site(ASSEMBLY, place(DISTRIBUTION, X=1), {"DistributionConfig": None}) is None


def test_what_would_be_replaced_after_the_import() -> None:
    import inspect

    fields = inspect.signature(Difference).parameters
    usual: dict[str, Any] = {name: None for name, each in fields.items() if each.default is inspect.Parameter.empty}
    fixed, free = Difference(**(usual | {"path": "A", "replaces": True})), Difference(**(usual | {"path": "B", "replaces": False}))
    assert replaced_later(ASSEMBLY, place(), [free]) is None
    hurting = replaced_later(ASSEMBLY, place(), [free, fixed])
    assert hurting is not None and hurting[1] and "(A)" in hurting[0][0] and "so that A is as it is there" in hurting[0][1]
    harmless = replaced_later(ASSEMBLY, place("AWS::IAM::Role"), [fixed])
    assert harmless is not None and not harmless[1]


def test_two_for_one_place_are_both_told() -> None:
    words, command = several(ASSEMBLY, place(), [candidate(), candidate(identifier={"BucketName": "c"}, found="derived")])
    assert words == "could be any of 2: b (terraform x); c (derived x)" and command.endswith("adopt --env test --resource site.Bucket=b")


# --- places ---------------------------------------------------------------------------------------------------------


def test_places_are_resolved_as_far_as_names_are_known() -> None:
    base = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Bucket": {"Type": BUCKET, "Properties": {"BucketName": {"Ref": "Name"}}}},
        "Outputs": {"Name": {"Value": {"Ref": "Bucket"}}, "Arn": {"Value": {"Fn::GetAtt": ["Bucket", "Arn"]}}},
    }
    user = {
        "Parameters": {"Name": {"Type": "String"}, "Arn": {"Type": "String"}},
        "Resources": {
            "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Name"}, "A": {"Ref": "Arn"}}},
            "Bare": {},
        },
    }
    made, templates = small_assembly(
        Small(id="base", template=base, parameters=(literal("Name", "named"),)),
        Small(id="user", template=user, parameters=(output("Name", "base", "Name"), output("Arn", "base", "Arn"))),
    )
    found = {str(each): each for each in places(made, templates, None, {})}
    assert found["base.Bucket"].name == "named" and found["user.Policy"].properties["Bucket"] == "named"
    assert found["user.Policy"].properties["A"] == after_mark("base.Arn") and found["user.Policy"].key == ("user", "Policy")
    known = places(made, templates, None, {("base", "Bucket"): {"Arn": "arn:known"}})
    assert {str(each): each for each in known}["user.Policy"].properties["A"] == "arn:known"


def test_a_provider_of_identities_is_known_by_its_address_without_the_scheme() -> None:
    ours = place("AWS::IAM::OIDCProvider", "Provider", Url="https://token.actions.githubusercontent.com")
    arn = "arn:aws:iam::111111111111:oidc-provider/{}"
    for host, fitting in (("token.actions.githubusercontent.com", True), ("example.com", False)):
        assert fits(ours, candidate("AWS::IAM::OIDCProvider", identifier={"Arn": arn.format(host)})) is fitting
