"""Whether something that exists may be taken over, by what is known of it: each reason by itself."""

from __future__ import annotations

from typing import Any

import pytest

from adoption.comparison import Difference
from adoption.evidence import another_bucket, another_site, elsewhere, foreign, other_origins, replaced_later, several, tags_of
from adoption.matching import Candidate
from adoption.places import Place
from adoption.terraform_types import BUCKET, DISTRIBUTION, RECORD
from tests.simulated import Small, small_assembly

MADE = small_assembly(Small(id="site", template={"Resources": {}}))[0]
STACK = MADE.stacks[0]


def place(kind: str = BUCKET, **properties: Any) -> Place:
    return Place(stack=STACK, logical_id="X", type=kind, properties=properties)


def candidate(name: str = "b", account: str = "", region: str = "") -> Candidate:
    return Candidate(type=BUCKET, identifier={"BucketName": name}, found="derived", source="s", account_id=account, region=region)


@pytest.mark.parametrize(("count", "words"), [(2, "could be any of 2: "), (8, "could be any of 8: "), (9, "could be any of more than 8: ")])
def test_of_many_eight_are_told(count: int, words: str) -> None:
    told, command = several(MADE, place(), [candidate(f"b{number}") for number in range(count)])
    named = "; ".join(f"b{number} (s)" for number in range(min(count, 8)))
    assert told == f"{words}{named}{'; and others' if count > 8 else ''}"
    assert command == f"python deploy.py adopt --env {MADE.environment} --resource site.X=b0"


@pytest.mark.parametrize(
    ("kind", "account", "region", "words"),
    [
        (BUCKET, "", "", ""),
        (BUCKET, STACK.account_id, STACK.region, ""),
        (BUCKET, "999999999999", STACK.region, "is in account 999999999999, and the stack"),
        (BUCKET, "", "xx-north-1", "is in xx-north-1, and the stack"),
        (DISTRIBUTION, "", "xx-north-1", ""),
    ],
)
def test_another_account_or_region_is_refused_but_for_what_has_none(kind: str, account: str, region: str, words: str) -> None:
    found = elsewhere(MADE, place(kind), candidate(account=account, region=region))
    assert (found is None) is (not words) and (found is None or found[0].startswith(words))


@pytest.mark.parametrize(
    ("live", "tags"),
    [
        ({}, {}),
        ({"Tags": {"a": 1}}, {"a": "1"}),
        ({"Tags": [{"Key": "a", "Value": "b"}, {"Key": "c"}, "no tag"]}, {"a": "b", "c": ""}),
        ({"HealthCheckTags": [{"Key": "a", "Value": "b"}]}, {"a": "b"}),
        ({"HostedZoneTags": [{"Key": "a", "Value": "b"}]}, {"a": "b"}),
        ({"Tags": "none"}, {}),
    ],
)
def test_tags_have_many_forms(live: dict[str, Any], tags: dict[str, str]) -> None:
    assert tags_of(live) == tags


@pytest.mark.parametrize(
    ("tags", "owner", "words"),
    [
        ({}, "", ""),
        ({}, STACK.stack_name, ""),
        ({}, "other-stack", "is made by the stack other-stack"),
        ({"Stage": MADE.environment}, "", ""),
        ({"env": f"{MADE.environment.upper()}uction"}, "", ""),
        ({"env": "another"}, "", "is tagged as another's, not as"),
        ({"env": "", "stage": "another"}, "", "is tagged as another's, not as"),
        ({"env": ""}, "", ""),
        ({"colour": "another"}, "", ""),
    ],
)
def test_what_is_another_stacks_or_environments_is_refused(tags: dict[str, str], owner: str, words: str) -> None:
    found = foreign(MADE, place(), {"Tags": tags}, owner)
    assert (found is None) is (not words) and (found is None or found[0].startswith(words))


def test_a_record_of_another_stack_may_stay_there() -> None:
    of_record, of_bucket = (foreign(MADE, place(kind), {}, "other") for kind in (RECORD, BUCKET))
    assert of_record is not None and "hosted_zone.records: unmanaged" in of_record[1]
    assert of_bucket is not None and of_bucket[1].startswith("take it out of other first: DeletionPolicy Retain")


def distribution(*origins: tuple[str, str], default: str = "o", paths: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "DistributionConfig": {
            "Origins": [{"Id": identity, "DomainName": domain} for identity, domain in origins],
            "DefaultCacheBehavior": {"TargetOriginId": default},
            "CacheBehaviors": [{"PathPattern": path, "TargetOriginId": target} for path, target in (paths or {}).items()],
            **more,
        }
    }


@pytest.mark.parametrize(
    ("theirs", "ours", "refused"),
    [(["a"], ["a"], False), (["A", "b"], ["a"], False), ([], ["a"], False), (["b"], ["a"], True), (["b"], [], True)],
)
def test_a_distribution_that_answers_for_other_names_is_another_site(theirs: list[str], ours: list[str], refused: bool) -> None:
    def found(kind: str) -> Any:
        return another_site(MADE, place(kind, DistributionConfig={"Aliases": ours}), {"DistributionConfig": {"Aliases": theirs}})

    assert (found(DISTRIBUTION) is not None) is refused and found(BUCKET) is None
    assert another_site(MADE, place(DISTRIBUTION), {}) is None


@pytest.mark.parametrize(
    ("domain", "refused"),
    [
        ("old.s3.eu-west-1.amazonaws.com", True),
        ("old.s3.amazonaws.com", True),
        ("old.s3-website-eu-west-1.amazonaws.com", True),
        ("new.s3.eu-west-1.amazonaws.com", False),
        ("api.example.com", False),
    ],
)
def test_a_distribution_that_reads_another_bucket_would_read_an_empty_one(domain: str, refused: bool) -> None:
    live = distribution(("first", "other.s3.amazonaws.com"), ("o", domain))
    found = another_bucket(MADE, place(DISTRIBUTION), live, "new")
    assert (found is not None) is refused and another_bucket(MADE, place(), live, "new") is None
    if found:
        assert found[0].startswith("reads the bucket old, and the stack would make new, which is empty")
        assert ": bucket: old, then build again" in found[1]
    assert another_bucket(MADE, place(DISTRIBUTION), {}, "new") is None


def test_paths_that_lead_to_something_else_than_the_bucket_are_named() -> None:
    group = {"OriginGroups": {"Items": [{"Id": "g", "Members": {"Items": [{"OriginId": "o"}, {"OriginId": "api"}]}}]}}
    origins = (("o", "site.s3.amazonaws.com"), ("again", "site.s3.eu-west-1.amazonaws.com"), ("api", "api.example.com"))

    def found(default: str = "o", **paths: str) -> Any:
        live = distribution(*origins, default=default, paths={f"/{path}/*": target for path, target in paths.items()}, **group)
        assert other_origins(MADE, place(), live) is None
        return other_origins(MADE, place(DISTRIBUTION), live)

    assert found(a="o", b="again", c="g") is None is found(default="g", a="o")
    words, command = found(a="o", b="api", c="api")
    assert words.startswith("leads /b/* to api.example.com, /c/* to api.example.com, which the platform's distribution would not")
    assert command.startswith("have the app ask api.example.com by a name of its own, take /b/*, /c/* out of the distribution, then ")
    assert other_origins(MADE, place(DISTRIBUTION), {}) is None


def test_what_would_be_replaced_later_hurts_where_it_holds_something() -> None:
    differs = [Difference(path="A", live=None, ours=None), Difference(path="B", live=None, ours=None, replaces=True)]
    assert replaced_later(MADE, place(), differs[:1]) is None
    for kind, hurts in ((BUCKET, True), (DISTRIBUTION, True), (RECORD, True), ("AWS::CloudFront::CachePolicy", False)):
        found = replaced_later(MADE, place(kind), differs)
        assert found is not None and found[1] is hurts
        assert found[0][0] == "differs in what cannot be changed (B): after an import the stack would replace it"
