"""What a stack takes over, read as it is: what stops it, what is only told, what nobody asked for, what a deleted stack has kept."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from assembly.model import Assembly
from aws.errors import AccessDenied, AwsError, NotFound
from takeover.importable import NEVER
from takeover.kept import kept
from takeover.model import Import, Problem, Taken
from takeover.preparation import Preparation, problem
from takeover.template import closed, import_template, put_down
from templates.schemas import bundled
from tests.simulated import ACCOUNT, Small, small_assembly
from tests.unit.takeover.test_template import schema

SCHEMAS = bundled()
BUCKET, TOPIC = "AWS::S3::Bucket", "AWS::SNS::Topic"
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Bucket": {"Type": BUCKET, "Properties": {"BucketName": "b", "VersioningConfiguration": {"Status": "Enabled"}}},
        "Second": {"Type": BUCKET},
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {}},
    }
}


def taken(logical_id: str = "Bucket", kind: str = BUCKET, **identifier: str) -> Taken:
    return Taken(
        stack="a",
        logical_id=logical_id,
        type=kind,
        identifier=identifier or {"BucketName": "b"},
        source="a test",
        account_id=ACCOUNT,
        region="eu-west-1",
    )


class World:
    """Everything that is asked: Cloud Control and CloudFormation by region."""

    def __init__(self, told: Any = None, owners: dict[str, Any] | None = None) -> None:
        self.told = {"BucketName": "b", "Arn": "arn:b"} if told is None else told
        self.owners = owners or {}
        self.roles: list[Any] = []
        self.asked: list[str] = []

    def live(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        return self

    def get(self, resource_type: str, identifier: Any, *, service_role_arn: str | None = None) -> Any:
        self.roles.append(service_role_arn)
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        self.asked.append(region)

        def owner(physical_id: str, resource_type: str) -> str:
            found = self.owners.get(region, "")
            if isinstance(found, Exception):
                raise found
            return str(found)

        return SimpleNamespace(owner=owner)


def made() -> Assembly:
    found = small_assembly(
        *(Small(id="a", template=TEMPLATE), Small(id="b", template={}, region="us-east-1"), Small(id="c", template={})),
        Small(id="d", template={}, region="eu-north-1"),
    )[0]
    *here, elsewhere = found.stacks
    return replace(found, stacks=(*here, replace(elsewhere, account_id="999999999999")))


def prepared(world: World, *wanted: Taken, **more: Any) -> tuple[Import, tuple[Problem, ...]]:
    assembly = made()
    gateways: Any = world
    usual: dict[str, Any] = {"template": TEMPLATE, "deployed": {}}
    preparation = Preparation(assembly=assembly, stack=assembly.stacks[0], gateways=gateways, schemas=SCHEMAS, **(usual | more))
    return preparation.prepared(wanted or (taken(),), lambda template: template["Resources"])


def test_it_is_put_down_as_it_is() -> None:
    world = World({"BucketName": "b", "Arn": "arn:b", "VersioningConfiguration": {"Status": "Suspended"}, "Tags": []})
    found, problems = prepared(world, service_role="arn:role")
    assert problems == () and [each.ref for each in found.lives] == ["b"] and world.roles == ["arn:role"]
    assert found.template["Resources"] == {
        "Bucket": {
            "Type": BUCKET,
            "DeletionPolicy": "Retain",
            "Properties": {"BucketName": "b", "VersioningConfiguration": {"Status": "Suspended"}},
        }
    }
    assert found.by_id["Bucket"].attributes["Arn"] == "arn:b"
    assert world.asked == ["eu-west-1", "us-east-1"], "each region of the assembly's stacks there, once"


@pytest.mark.parametrize(
    ("world", "wanted", "code", "words"),
    [
        (World(NotFound("none")), taken(), "import_missing", f"account {ACCOUNT} has none in eu-west-1"),
        (World(AccessDenied("not you", hint="ask")), taken(), "import_unread", "it could not be read: not you"),
        (World(), taken("Nothing"), "import_impossible", "the template has no such resource"),
        (World(), taken(kind=TOPIC), "import_impossible", f"the template has a {BUCKET} there"),
        (World(), taken("Version", "AWS::Lambda::Version"), "import_impossible", NEVER["AWS::Lambda::Version"]),
        (World(), taken(Name="b"), "import_impossible", "it is identified by BucketName, not by Name"),
        (World(owners={"us-east-1": "other"}), taken(), "import_of_another", "the stack other in us-east-1 has it"),
        (World({"BucketName": "b", "VersioningConfiguration": {"Ref": "x"}}), taken(), "import_impossible", "would read as a function"),
    ],
)
def test_each_thing_that_stops_it(world: World, wanted: Taken, code: str, words: str) -> None:
    found, (told,) = prepared(world, wanted)
    assert found == Import() and (told.code, told.stops) == (code, True) and words in told.message
    assert told.message.startswith(f"{wanted.logical_id} ({wanted.type} b, a test): ")
    assert told.command == {"import_unread": "ask"}.get(code, told.command if code == "import_of_another" else "")
    both, problems = prepared(world, wanted, taken("Second", BucketName="c")) if code != "import_missing" else (Import(), (told,))
    assert both == Import() and problems, "all or nothing"


def test_what_can_only_be_set_at_creation_is_put_down_as_it_is_written() -> None:
    written = {"BucketName": {"Fn::Sub": "${Name}-x"}}
    template = {"Resources": {"Bucket": {"Type": BUCKET, "Properties": written}}}

    def put(parameters: frozenset[str]) -> Any:
        world: Any = World({"BucketName": "n-x"})
        preparation = Preparation(
            assembly=made(), stack=made().stacks[0], gateways=world, schemas=SCHEMAS, template=template, deployed={}, parameters=parameters
        )
        known = {"Bucket": {"Properties": {"BucketName": "n-x"}}}
        found, _ = preparation.prepared([taken("Bucket", BUCKET, BucketName="n-x")], lambda _: known)
        return found.template.get("Resources", {}).get("Bucket", {}).get("Properties")

    assert (put(frozenset({"Name"})), put(frozenset())) == ({"BucketName": {"Fn::Sub": "${Name}-x"}}, {"BucketName": "n-x"})


def test_what_nobody_asked_for_is_no_mistake() -> None:
    unasked = frozenset({"Bucket", "Nothing"})
    assert prepared(World(NotFound("none")), unasked=unasked) == (Import(), ())
    assert prepared(World(), taken("Nothing"), unasked=unasked) == (Import(), ())
    found, (told,) = prepared(World(AccessDenied("not you")), unasked=unasked)
    assert found == Import() and (told.code, told.stops) == ("kept_unread", False) and "another one is made: not you" in told.message


def test_who_may_not_ask_for_the_owner_goes_on() -> None:
    found, problems = prepared(World(owners={"eu-west-1": AwsError("no"), "us-east-1": ""}))
    assert len(found.lives) == 1 and problems == ()
    _, (told,) = prepared(World(owners={"eu-west-1": AwsError("no"), "us-east-1": "other"}))
    assert told.code == "import_of_another"


def test_any_other_error_ends_it() -> None:
    with pytest.raises(AwsError):
        prepared(World(AwsError("broken")))


def test_a_problem_stops_unless_it_says_otherwise() -> None:
    assert problem(taken(), "c", "why").stops and Problem(code="c", message="m").stops


# --- the template -------------------------------------------------------------------------------------------------


def test_the_template_keeps_what_the_stack_has_and_the_policies_that_retain() -> None:
    deployed = {"Resources": {"Old": {"Type": TOPIC}}, "Parameters": {"P": {"Type": "Number"}}, "Outputs": {"O": {"Value": "1"}}}
    ours = {
        "Resources": {
            "New": {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"},
            "Gone": {"DeletionPolicy": "Delete"},
        },
        "Parameters": {"P": {"Type": "String"}, "Q": {"Type": "String"}, "Unused": {"Type": "String"}},
    }
    found = import_template(deployed, {"New": (BUCKET, {"BucketName": {"Ref": "Q"}}), "Gone": (BUCKET, {"BucketName": {"Ref": "P"}})}, ours)
    assert found["Resources"]["New"] == {
        "Type": BUCKET,
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"BucketName": {"Ref": "Q"}},
    }
    assert found["Resources"]["Gone"]["DeletionPolicy"] == "Retain" and found["Resources"]["Old"] == {"Type": TOPIC}
    assert found["Parameters"] == {"P": {"Type": "Number"}, "Q": {"Type": "String"}} and found["Outputs"] == deployed["Outputs"]
    assert "Parameters" not in import_template({}, {"New": (BUCKET, {})}, ours)


def test_what_a_value_needs() -> None:
    targets = ("Bucket",)
    assert closed({"Ref": "Bucket"}, targets) and closed([{"Ref": "AWS::Region"}, "x"], targets) and closed("x", ())
    assert not closed({"Ref": "Other"}, targets) and not closed([{"Ref": "Other"}], targets)
    assert not closed({"Fn::If": ["C", "a", "b"]}, targets) and not closed({"a": {"Fn::ImportValue": "x"}}, targets)
    assert closed({"Fn::Join": ["", ["a", {"Ref": "Bucket"}]]}, targets)


def test_a_property_that_aws_never_tells_is_put_down_as_it_is_wanted() -> None:
    """Of a parameter of SSM the description is write-only; its value is not."""
    kind = schema("AWS::SSM::Parameter")
    hidden = {path[0] for path in kind.write_only if len(path) == 1}
    assert "Description" in hidden
    live: Any = SimpleNamespace(properties={"Name": "n", "Type": "String", "Value": "live", "DataType": "text"})
    found = put_down(kind, live, {"Name": "n", "Value": "ours", "Description": "d", "Tags": {"a": "b"}})
    assert found == {"Name": "n", "Type": "String", "Value": "live", "Description": "d"} | (
        {"Tags": {"a": "b"}} if "Tags" in hidden else {}
    )


# --- what a deleted stack has kept ----------------------------------------------------------------------------------


def event(logical_id: str, status: str = "DELETE_SKIPPED", physical_id: str = "b", kind: str = BUCKET) -> Any:
    return SimpleNamespace(logical_id=logical_id, status=status, physical_id=physical_id, resource_type=kind)


def remembered(*stacks: tuple[Any, ...], besides: frozenset[str] = frozenset(), template: Any = TEMPLATE) -> dict[str, Any]:
    gateway: Any = SimpleNamespace(deleted_stacks=lambda name: tuple(map(str, range(len(stacks)))), events=lambda arn: stacks[int(arn)])
    found = kept(made().stacks[0], template, gateway, SCHEMAS, besides=besides)
    assert all(each.source == "kept by the deleted stack of this name" and each.stack == "a" for each in found)
    return {each.logical_id: dict(each.identifier) for each in found}


def test_what_was_skipped_last_is_kept() -> None:
    assert remembered((event("Bucket"),)) == {"Bucket": {"BucketName": "b"}}
    assert remembered((event("Bucket"), event("Bucket", "DELETE_COMPLETE"))) == {}
    assert remembered((event("Bucket", "CREATE_COMPLETE"), event("Bucket"))) == {"Bucket": {"BucketName": "b"}}
    assert remembered((event("Bucket", physical_id=""),)) == {} == remembered((event("Bucket", kind=TOPIC),))
    assert remembered((event("Bucket"),), besides=frozenset({"Bucket"})) == {}
    assert remembered((event("Version", kind="AWS::Lambda::Version"),)) == {} == remembered()


def test_the_latest_stack_that_tells_of_it_counts() -> None:
    new, old = (event("Bucket", physical_id="new"),), (event("Bucket", physical_id="old"), event("Second", physical_id="s"))
    assert remembered(new, old) == {"Bucket": {"BucketName": "new"}, "Second": {"BucketName": "s"}}
    assert remembered((event("Bucket", "DELETE_COMPLETE"),), old)["Bucket"] == {"BucketName": "old"}


def test_an_id_of_several_parts_needs_all_of_them() -> None:
    kind = "AWS::WAFv2::WebACL"
    template = {"Resources": {"Acl": {"Type": kind}}}
    names = schema(kind).identifier
    assert len(names) == 3
    assert remembered((event("Acl", physical_id="n|i|s", kind=kind),), template=template) == {"Acl": dict(zip(names, "nis", strict=True))}
    assert remembered((event("Acl", physical_id="n|i", kind=kind),), template=template) == {}
