"""Whose something is that stands already, and what follows."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from assembly.model import Assembly
from aws.errors import AccessDenied
from gateways.existing import LOOKUPS, NAMES, ExistingResources, Found
from inventory import judgement
from inventory.judgement import WORDS, Evidence, judged
from inventory.model import Verdict, Wanted
from inventory.records import ASIDE, set_aside
from inventory.survey import survey
from inventory.wanted import IMPORTABLE, wanted
from planning.model import ExistingRecord
from removal.record_switch import Moved, RecordSwitch
from tests.edit_table import SECOND, built
from tests.scripted import Scripted
from tests.simulated import SimulatedGateways, Small, small_assembly

ACCOUNT = "123456789012"
OURS = {"project": "demo", "environment": "test"}
THEIRS = {"project": "demo", "environment": "prod"}


@pytest.fixture
def assembly() -> Assembly:
    return small_assembly(Small(id="site", template={"Resources": {}}))[0]


def bucket(**more: Any) -> Wanted:
    found = {"stack": "site", "logical_id": "Bucket", "resource_type": "AWS::S3::Bucket", "name": "b", "kept": True, "literal": True}
    return Wanted(**{**found, **more})


def judge(assembly: Assembly, want: Wanted, tags: dict[str, str], consent: bool = False, **evidence: Any) -> Verdict:
    found = Found(physical_id=want.name, tags=tags)
    return judged(assembly, want, found, Evidence(**evidence), account_id=ACCOUNT, region="eu-west-1", consent=consent)


def test_what_proves_to_be_this_environments_is_taken_over_and_nothing_else_unasked(assembly: Assembly) -> None:
    for tags, evidence in ((OURS, {}), ({}, {"kept_by_us": True}), ({}, {"holds_ours": True})):
        assert judge(assembly, bucket(), tags, **evidence).fate == "taken_over"
    unknown = judge(assembly, bucket(), {})
    assert (unknown.fate, unknown.command) == ("refused", "python deploy.py plan --env test --import-existing")
    assert judge(assembly, bucket(), {}, consent=True).fate == "taken_over"


@pytest.mark.parametrize("consent", [False, True])
def test_what_belongs_to_somebody_else_is_refused_even_with_consent(assembly: Assembly, consent: bool) -> None:
    other = judge(assembly, bucket(), THEIRS, consent)
    assert (other.fate, other.owner) == ("refused", "another_environment")
    held = judge(assembly, bucket(), OURS, consent, stack="their-stack", stack_region="eu-west-1")
    assert (held.fate, held.owner) == ("refused", "another_stack")
    assert "their-stack" in held.message


def test_what_cloudformation_would_not_import_is_never_said_to_be_taken_over(assembly: Assembly) -> None:
    assert judge(assembly, bucket(kept=False), OURS).fate == "refused"
    assert judge(assembly, bucket(literal=False), OURS).fate == "refused"
    for kind in WORDS:
        verdict = judge(assembly, bucket(resource_type=kind), OURS)
        assert verdict.fate == ("taken_over" if kind in IMPORTABLE else "refused"), kind
        assert verdict.command or verdict.fate == "taken_over", f"{kind} is refused without a next step"


def test_the_provider_of_github_names_the_key_and_the_file(assembly: Assembly) -> None:
    provider = bucket(resource_type="AWS::IAM::OIDCProvider", name="https://token.actions.githubusercontent.com")
    cases: tuple[tuple[dict[str, str], dict[str, Any]], ...] = (
        ({}, {}),
        (THEIRS, {}),
        ({}, {"stack": "other-foundation", "stack_region": "eu-west-1"}),
    )
    for tags, evidence in cases:
        assert "environments/test.yaml: github.create_provider: false" in judge(assembly, provider, tags, **evidence).command


def test_every_type_that_is_looked_up_has_a_name_words_and_if_importable_that_name_as_its_identifier() -> None:
    assert set(LOOKUPS) == set(NAMES) == set(WORDS)
    for kind in IMPORTABLE - {"AWS::IAM::Role"}:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
        assert schema["primaryIdentifier"] == [f"/properties/{NAMES[kind][0]}"], kind


def test_names_that_only_the_execution_tells_and_resources_that_are_there_are_not_looked_up() -> None:
    resources = {
        "A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "B"}}},
        "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}},
        "C": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "D": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {"Aliases": ["a.example", "b.example"]}}},
    }
    assert [w.name for w in wanted("s", {"Resources": resources}, resources, {"B": {}})] == ["a.example", "b.example"]


def test_a_policy_that_stands_on_a_bucket_has_to_be_adopted_since_a_creation_is_refused(assembly: Assembly) -> None:
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "b"}},
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}}},
        "Unnamed": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Other"}}},
    }
    wants = wanted("site", {"Resources": resources}, resources, {"Bucket": {}})
    assert [(w.logical_id, w.name) for w in wants] == [("Policy", "b")]
    verdict = judge(assembly, wants[0], {}, consent=True)
    assert (verdict.fate, verdict.command) == ("refused", "python deploy.py adopt --env test --plan")


def test_a_look_that_aws_refuses_is_no_answer(assembly: Assembly) -> None:
    class Refusing(SimulatedGateways):
        def existing(self, *_: Any) -> Any:
            raise AccessDenied("not yours", service="sns", operation="GetTopicAttributes")

    topic = bucket(resource_type="AWS::SNS::Topic")
    (verdict,) = survey(assembly, assembly.stacks[0], [topic], Refusing())
    assert verdict.fate == "unknown"
    assert survey(assembly, assembly.stacks[0], [topic], SimulatedGateways()) == ()


# --- records that are replaced ------------------------------------------------------------------------------------

OLD = {"Name": "www.example.org.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}


class Zone:
    def __init__(self, *records: dict[str, Any]) -> None:
        self.records = list(records)

    def record_sets(self, _: str, name: str) -> tuple[dict[str, Any], ...]:
        return tuple(each for each in self.records if each["Name"] == name)

    def change(self, _: str, changes: Any, *, comment: str = "") -> str:
        for action, each in changes:
            if action == "DELETE":
                self.records.remove(each)
            else:
                self.records.append(each)
        return "C1"


def switch(zone: Zone) -> RecordSwitch:
    from planning.model import StackPlan, StackState

    plan = StackPlan(
        stack="dns",
        stack_name="demo-test-dns",
        account_id=ACCOUNT,
        region="us-east-1",
        role_arn=None,
        operation="create",
        depends_on=(),
        state=StackState(exists=False),
        template_sha256="",
        replaces=tuple(ExistingRecord(logical_id=i, zone_id="Z1", record=OLD) for i in ("Ipv4Record", "Ipv6Record")),
    )
    return RecordSwitch(msgspec.structs.replace(plan), zone)


def test_a_record_goes_once_and_comes_back_only_where_nothing_stands() -> None:
    zone = Zone(OLD)
    told = list(switch(zone).away())
    assert zone.records == []
    assert "192.0.2.1" in told[0], "its value stays in what was printed"
    assert list(switch(zone).away()) == [], "a second apply finds it gone"
    list(switch(zone).back())
    assert zone.records == [OLD]
    assert list(switch(zone).back()) == []
    newer = Zone({**OLD, "ResourceRecords": [{"Value": "192.0.2.9"}]})
    assert list(switch(newer).back()) == []


def test_another_record_than_the_approved_one_is_left_alone() -> None:
    newer = Zone({**OLD, "ResourceRecords": [{"Value": "192.0.2.9"}]})
    with pytest.raises(Moved):
        list(switch(newer).away())
    assert len(newer.records) == 1


# --- records that are set aside, so that the name is answered all the time ------------------------------------------

WEIGHTED = {"Type": "A", "SetIdentifier": "ours", "Weight": 1}
BESIDE = {**OLD, "SetIdentifier": ASIDE, "Weight": 0}


def aside_switch(zone: Zone, *replaces: tuple[Any, Any]) -> RecordSwitch:
    listed = tuple(ExistingRecord(logical_id="R", zone_id="Z1", record=record, beside=(beside,)) for record, beside in replaces)
    plan: Any = SimpleNamespace(stack_name="demo-test-dns", replaces=listed)
    return RecordSwitch(plan, zone)


def answered(zone: Zone, batch: list[tuple[str, Any]]) -> None:
    """Route 53 makes a batch as a whole: whatever name had an answer has one after it."""
    before = {each["Name"] for each in zone.records}
    assert {each["Name"] for action, each in batch if action == "DELETE"} <= before
    after = [*zone.records, *(each for action, each in batch if action == "CREATE")]
    for action, each in batch:
        if action == "DELETE":
            after.remove(each)
    assert before <= {each["Name"] for each in after}, "a name would be without an answer"


class Watched(Zone):
    def change(self, zone: str, changes: Any, *, comment: str = "") -> str:
        batch = list(changes)
        answered(self, batch)
        return super().change(zone, batch, comment=comment)


def test_a_record_that_is_set_aside_leaves_its_name_answered_at_every_moment() -> None:
    zone = Watched(OLD)
    told = list(aside_switch(zone, (OLD, BESIDE)).away())
    assert zone.records == [BESIDE] and "answers until" in told[0]
    assert list(aside_switch(zone, (OLD, BESIDE)).away()) == [], "killed here, the next apply goes on"
    ours = {**OLD, **WEIGHTED}
    zone.records.append(ours)
    assert len(list(aside_switch(zone, (OLD, BESIDE)).done())) == 1
    assert zone.records == [ours]
    assert list(aside_switch(zone, (OLD, BESIDE)).done()) == []


def test_a_record_that_was_set_aside_is_as_it_was_when_the_stack_fails() -> None:
    zone = Watched(OLD)
    list(aside_switch(zone, (OLD, BESIDE)).away())
    list(aside_switch(zone, (OLD, BESIDE)).back())
    assert zone.records == [OLD]
    assert list(aside_switch(zone, (OLD, BESIDE)).back()) == []
    kept = Watched(BESIDE, {**OLD, "SetIdentifier": "theirs", "Weight": 1})
    list(aside_switch(kept, (OLD, BESIDE)).back())
    assert OLD in kept.records or BESIDE in kept.records


def test_a_record_that_an_earlier_plan_left_aside_stays_until_the_stack_has_its_own() -> None:
    zone = Watched(BESIDE)
    assert list(aside_switch(zone, (BESIDE, BESIDE)).away()) == list(aside_switch(zone, (BESIDE, BESIDE)).back()) == []
    zone.records.append({**OLD, **WEIGHTED})
    list(aside_switch(zone, (BESIDE, BESIDE)).done())
    assert BESIDE not in zone.records


def test_a_cname_of_cloudfront_is_set_aside_as_the_aliases_that_mean_the_same() -> None:
    cname = {"Name": "www.example.org.", "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": "D111.cloudfront.net"}]}
    pairs = [(cname, set_aside({**WEIGHTED, "Type": kind}, cname, alone=True)[0]) for kind in ("A", "AAAA")]
    assert [each["AliasTarget"]["DNSName"] for _, each in pairs] == ["d111.cloudfront.net."] * 2
    zone = Watched(cname)
    list(aside_switch(zone, *pairs).away())
    assert [each["Type"] for each in zone.records] == ["A", "AAAA"]
    list(aside_switch(zone, *pairs).back())
    assert zone.records == [cname]


@pytest.mark.parametrize(
    ("ours", "existing", "alone", "found"),
    [
        ({"Type": "A"}, OLD, True, ()),
        (WEIGHTED, OLD, True, (BESIDE,)),
        (WEIGHTED, {**OLD, "SetIdentifier": "ours", "Weight": 1}, True, (BESIDE,)),
        (WEIGHTED, {**OLD, "SetIdentifier": "a", "Weight": 9}, False, ()),
        (WEIGHTED, {**OLD, "SetIdentifier": "a", "Failover": "PRIMARY"}, True, ()),
        (WEIGHTED, BESIDE, False, (BESIDE,)),
        (WEIGHTED, {**OLD, "Type": "CNAME", "ResourceRecords": [{"Value": "elsewhere.example.net"}]}, True, ()),
        ({**WEIGHTED, "Type": "TXT"}, {**OLD, "Type": "CNAME", "ResourceRecords": [{"Value": "d1.cloudfront.net"}]}, True, ()),
    ],
)
def test_what_answers_in_the_meantime(ours: dict[str, Any], existing: dict[str, Any], alone: bool, found: tuple[Any, ...]) -> None:
    assert set_aside(ours, existing, alone=alone) == found


@pytest.mark.parametrize(("seen", "told"), [(False, ["refused"]), (True, ["unknown"])])
def test_of_a_bucket_that_may_not_be_seen_its_policy_is_not_told_besides(assembly: Assembly, seen: bool, told: list[str]) -> None:
    def find(resource_type: str, name: str) -> Found | None:
        if resource_type == "AWS::S3::Bucket" and seen:
            return None
        raise AccessDenied("Forbidden", service="s3", operation="HeadBucket" if resource_type == "AWS::S3::Bucket" else "GetBucketPolicy")

    class Closed(SimulatedGateways):
        def existing(self, *_: Any) -> Any:
            return SimpleNamespace(find=find)

    wants = (bucket(), bucket(logical_id="Policy", resource_type="AWS::S3::BucketPolicy"))
    found = survey(assembly, assembly.stacks[0], wants, Closed())
    assert [each.fate for each in found] == told
    assert seen or "account_id" in found[0].command


@pytest.mark.parametrize(("tags", "told"), [(THEIRS, ["Bucket"]), ({}, ["Bucket", "Policy"])])
def test_of_a_bucket_that_needs_another_name_its_policy_is_not_told_besides(
    assembly: Assembly, tags: dict[str, str], told: list[str]
) -> None:
    class Standing(SimulatedGateways):
        def existing(self, *_: Any) -> Any:
            return SimpleNamespace(find=lambda _, name: Found(physical_id=name, tags=tags))

    wants = (bucket(), bucket(logical_id="Policy", resource_type="AWS::S3::BucketPolicy"))
    assert [each.wanted.logical_id for each in survey(assembly, assembly.stacks[0], wants, Standing())] == told


@pytest.mark.parametrize(
    ("stack", "logical_id", "hint"),
    [
        ("site", "Bucket", "edit environments/test.yaml: another bucket"),
        ("replica", "Bucket", "edit environments/test.yaml: another disaster_recovery.bucket"),
        ("foundation", "ArtifactBucket", "edit environments/test.yaml: another artifacts.bucket"),
        ("own", "Bucket", "another name for Bucket where stacks/ builds own, or another project"),
    ],
)
def test_the_key_that_gives_a_name_is_told_where_there_is_one(assembly: Assembly, stack: str, logical_id: str, hint: str) -> None:
    found = judge(assembly, bucket(stack=stack, logical_id=logical_id), THEIRS)
    assert found.command == f"{hint}, then build again"


def test_a_stack_of_a_region_that_the_assembly_does_not_know_is_found_by_the_tag_of_what_it_made(assembly: Assembly) -> None:
    """Else what it has would pass for left over, with the command that deletes it."""
    asked: list[str] = []
    arn = "arn:aws:cloudformation:ap-south-1:123456789012:stack/demo-test-site/1"

    class Elsewhere(SimulatedGateways):
        def existing(self, *_: Any) -> Any:
            return SimpleNamespace(find=lambda *_: Found(physical_id="b", tags={**OURS, "aws:cloudformation:stack-id": arn}))

        def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
            asked.append(region)
            return SimpleNamespace(owner=lambda *_: "demo-test-site" if region == "ap-south-1" else "")

    (found,) = survey(assembly, assembly.stacks[0], (bucket(),), Elsewhere())
    assert (found.fate, found.owner) == ("refused", "another_stack") and "demo-test-site in ap-south-1" in found.message
    assert asked == ["eu-west-1", "ap-south-1"]


def test_every_name_that_a_key_gives_is_one_of_a_stack() -> None:
    made = built(SECOND)
    for place in judgement._KEYS:
        stack, _, logical_id = place.partition(".")
        assert logical_id in json.loads(made.templates[stack])["Resources"], place


def test_a_web_acl_of_cloudfront_is_found_by_its_name_on_any_page_and_one_of_a_region_is_none_of_it(assembly: Assembly) -> None:
    def acl(name: str) -> dict[str, str]:
        return {"Name": name, "Id": f"id-{name}", "ARN": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/{name}/id-{name}"}

    client = Scripted(
        list_web_acls=lambda Scope, NextMarker="": {"WebACLs": [acl("b")]} if NextMarker else {"WebACLs": [acl("a")], "NextMarker": "m"},
        list_tags_for_resource={"TagInfoForResource": {"TagList": [{"Key": key, "Value": value} for key, value in THEIRS.items()]}},
    )
    place = ExistingResources(lambda _: client, ACCOUNT, "us-east-1")
    assert place.find("AWS::WAFv2::WebACL", "b") == Found(physical_id="b|id-b|CLOUDFRONT", tags=THEIRS)
    assert place.find("AWS::WAFv2::WebACL", "c") is None
    assert {given["Scope"] for given in client.called("list_web_acls")} == {"CLOUDFRONT"}
    resources = {scope: {"Type": "AWS::WAFv2::WebACL", "Properties": {"Name": "b", "Scope": scope}} for scope in ("CLOUDFRONT", "REGIONAL")}
    wants = wanted("firewall", {"Resources": resources}, resources, {})
    assert [want.logical_id for want in wants] == ["CLOUDFRONT"]
    assert judge(assembly, wants[0], THEIRS).owner == "another_environment"
    assert judge(assembly, wants[0], {}).command == "python deploy.py adopt --env test --plan"
