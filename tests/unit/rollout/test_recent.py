"""What this deployment has made lately is asked of its stacks, and of IAM for roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from assembly.model import Stack
from aws.cloudformation.stacks import StackDescription, StackResource
from aws.errors import AccessDenied
from aws.iam import Role
from aws.propagation import BUCKET, LATELY, ROLE
from rollout.recent import Recent
from tests.simulated import Small, small_assembly, stackset

NOW = datetime(2026, 11, 27, 10, 0, 0, tzinfo=UTC)
ARN = "arn:aws:iam::123456789012:role/cfn"


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


@dataclass
class Fake:
    """One stack, and one role of IAM's."""

    stack_age: float = 10
    status: str = "CREATE_COMPLETE"
    resources: tuple[StackResource, ...] = ()
    role_age: float | None = None
    denied: bool = False
    asked: list[str] = field(default_factory=list)

    def cloudformation(self, *_: Any) -> Any:
        return self

    def iam(self, account: str) -> Any:
        self.asked.append(account)
        return self

    def describe_stack(self, name: str) -> StackDescription | None:
        if self.denied:
            raise AccessDenied("no")
        return StackDescription(name=name, arn="arn", status=self.status, changed_at=ago(self.stack_age))

    def list_resources(self, _arn: str) -> tuple[StackResource, ...]:
        return self.resources

    def role(self, name: str) -> Role | None:
        if self.role_age is None:
            return None
        return Role(arn=ARN, name=name, trusted=frozenset(), created_at=ago(self.role_age))


def resource(kind: str, name: str, age: float, status: str = "CREATE_COMPLETE") -> StackResource:
    return StackResource(logical_id="X", physical_id=name, resource_type=kind, status=status, changed_at=ago(age))


def recent(fake: Fake) -> Recent:
    template = {"Resources": {"Bucket": {"Type": BUCKET}, "Role": {"Type": ROLE}}}
    assembly, templates = small_assembly(Small(id="one", template=template), environment="test")
    stacks: tuple[Stack, ...] = assembly.stacks
    return Recent(stacks, cast("Any", fake), lambda: NOW, templates=templates)


def test_a_resource_of_a_stack_by_name_or_arn() -> None:
    fake = Fake(resources=(resource(BUCKET, "artifacts", 5), resource(ROLE, "cfn", 7)))
    assert recent(fake).age(BUCKET, "artifacts") == 5
    assert recent(fake).age(ROLE, ARN) == 7
    assert recent(fake).age(BUCKET) == 5
    assert recent(fake).age(BUCKET, "somebody-elses") is None
    assert recent(fake).age("AWS::DynamoDB::Table") is None


def test_what_stands_for_long_or_goes_is_not_new() -> None:
    assert recent(Fake(stack_age=LATELY + 1, resources=(resource(BUCKET, "b", 5),))).age(BUCKET) is None
    assert recent(Fake(resources=(resource(BUCKET, "b", LATELY + 1),))).age(BUCKET, "b") is None
    assert recent(Fake(resources=(resource(BUCKET, "b", 5, "DELETE_COMPLETE"),))).age(BUCKET, "b") is None
    assert recent(Fake(status="REVIEW_IN_PROGRESS", resources=(resource(BUCKET, "b", 5),))).age(BUCKET, "b") is None


def test_a_stack_that_works_for_long_has_new_things_all_the_same() -> None:
    busy = Fake(stack_age=3 * LATELY, status="UPDATE_IN_PROGRESS", resources=(resource(BUCKET, "b", 5),))
    assert recent(busy).age(BUCKET, "b") == 5


def test_iam_tells_of_a_role_that_no_stack_of_ours_makes() -> None:
    fake = Fake(role_age=30)
    assert recent(fake).age(ROLE, ARN) == 30
    assert fake.asked == ["123456789012"]
    assert recent(fake).age(ROLE, "cfn") is None and fake.asked == ["123456789012"], "what is no ARN names no account"
    assert recent(Fake(role_age=LATELY + 1)).age(ROLE, ARN) is None
    assert recent(Fake()).age(ROLE, ARN) is None
    assert recent(Fake()).age(BUCKET, "b") is None


def test_a_set_is_no_stack_of_that_name() -> None:
    template = {"Resources": {"Bucket": {"Type": BUCKET}}}
    assembly, templates = small_assembly(Small(id="one", template=template, more={"stackset": stackset("eu-west-1")}))
    fake = Fake(resources=(resource(BUCKET, "b", 5),))
    assert Recent(assembly.stacks, cast("Any", fake), lambda: NOW, templates=templates).age(BUCKET, "b") is None


def test_a_stack_that_is_not_there_or_closed_hides_no_other() -> None:
    template = {"Resources": {"Bucket": {"Type": BUCKET}}}
    assembly, templates = small_assembly(Small(id="one", template=template), Small(id="two", template=template))
    for first in (None, AccessDenied("no")):
        fake: Any = Fake(resources=(resource(BUCKET, "b", 5),))
        there = fake.describe_stack("two")

        def look(name: str, first: Any = first, there: Any = there) -> Any:
            if not name.endswith("one"):
                return there
            if first is not None:
                raise first
            return None

        fake.describe_stack = look
        assert Recent(assembly.stacks, fake, lambda: NOW, templates=templates).age(BUCKET, "b") == 5


def test_who_may_not_look_does_not_know() -> None:
    assert recent(Fake(denied=True, resources=(resource(BUCKET, "b", 5),))).age(BUCKET, "b") is None
