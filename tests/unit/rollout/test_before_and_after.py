"""What an apply looks at before it begins, and what it makes of the ends of its stacks."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from rollout.apply import Applied, LockTableMissing, _applied, _removed, before_the_lock
from rollout.outcome import ContentOutcome, Outcome, StackRemoved
from templates.makers import makers_of_table
from tests.simulated import ACCOUNT

PLACE: dict[str, Any] = {"stack_name": "n", "account_id": ACCOUNT, "region": "r"}


def template(kind: str = "AWS::DynamoDB::Table", name: Any = "locks") -> bytes:
    return json.dumps(
        {"Resources": {"Other": {"Type": "AWS::SNS::Topic"}, "Table": {"Type": kind, "Properties": {"TableName": name}}}}
    ).encode()


def test_which_stacks_make_the_lock_table() -> None:
    templates = {
        "a": template(),
        "b": template("AWS::DynamoDB::GlobalTable"),
        "c": template("AWS::SNS::Topic"),
        "d": template(name="other"),
        "e": template(name={"Ref": "Name"}),
        "f": b"{}",
    }
    assert makers_of_table("locks", templates) == {"a", "b"}


def first(operation: str = "create", *, makes: bool = True) -> list[str]:
    def plan(stack: str, *depends_on: str, operation: str = "create") -> Any:
        return SimpleNamespace(stack=stack, depends_on=depends_on, operation=operation)

    plans = (plan("net"), plan("base", "net", "elsewhere"), plan("locks", "base", operation=operation), plan("site", "locks"))
    assembly = SimpleNamespace(lock_table="locks", account_id=ACCOUNT, home_region="eu-west-1", environment="test")
    templates = {"locks" if makes else "elsewhere": template(), "site": template(name="x")}
    run: Any = SimpleNamespace(plan=SimpleNamespace(stacks=plans), assembly=assembly, templates=templates)
    return [each.stack for each in before_the_lock(run)]


def test_before_there_is_a_lock_only_what_makes_it_and_what_that_needs_is_applied() -> None:
    for operation in ("create", "update", "import"):
        assert first(operation) == ["net", "base", "locks"]


@pytest.mark.parametrize(("operation", "makes"), [("none", True), ("settings", True), ("blocked", True), ("create", False)])
def test_a_table_that_this_plan_does_not_make_is_an_error(operation: str, makes: bool) -> None:
    with pytest.raises(LockTableMissing, match=f"the lock table locks is not in account {ACCOUNT}, eu-west-1") as told:
        first(operation, makes=makes)
    assert told.value.command == "python deploy.py doctor --env test"


# --- the end --------------------------------------------------------------------------------------------------------


def outcome(stack: str, result: Any = "succeeded", command: str = "") -> Outcome:
    return Outcome(stack=stack, kind="stack", operation="create", result=result, command=command, **PLACE)


def removed(result: Any, command: str = "") -> StackRemoved:
    return StackRemoved(stack="gone", kind="stack", result=result, command=command, **PLACE)


def ended(*outcomes: Outcome, stop: bool = False, content: Any = None, with_content: bool = False, **more: Any) -> Applied:
    stacks = tuple(
        SimpleNamespace(stack=stack, depends_on=(), operation="create", place={"stack": stack, **PLACE}, resources=(), previewed=False)
        for stack in "ab"
    )
    plan = SimpleNamespace(
        stacks=stacks,
        environment="test",
        digest="d" * 64,
        assembly_digest="a" * 64,
        content=SimpleNamespace(content="c") if with_content else None,
        removals=(),
        options=SimpleNamespace(remove=False),
        consequences=None,
        findings=(),
    )
    event = threading.Event()
    if stop:
        event.set()
    run: Any = SimpleNamespace(plan=plan, stop=event, now=lambda: 5.0, removes=False)
    return _applied(run, 1.0, {each.stack: each for each in outcomes}, content=content, **more)


def test_what_was_not_reached_is_not_started_because_of_what_failed() -> None:
    found = ended(outcome("a", "failed", "mend it"))
    assert [(o.stack, o.result) for o in found.stacks] == [("a", "failed"), ("b", "not_started")]
    assert "a" in found.stacks[1].message and (found.result, found.command) == ("failed", "mend it")


def test_everything_that_stands_has_succeeded() -> None:
    assert ended(outcome("a"), outcome("b", "unchanged")).result == "succeeded"
    assert ended(outcome("a"), outcome("b"), removals=(removed("removed"),)).result == "succeeded"
    assert ended(outcome("a"), outcome("b"), removals=(removed("kept"), removed("waits"))).result == "succeeded"
    fine = ContentOutcome(result="succeeded")
    assert ended(outcome("a"), outcome("b"), with_content=True, content=fine).result == "succeeded"


@pytest.mark.parametrize(
    ("how", "result", "command"),
    [
        ({"problem": "the lock went", "command": "look"}, "failed", "look"),
        ({"removals": (removed("failed", "remove"),)}, "failed", "remove"),
        ({"removals": (removed("not_started"),)}, "failed", "python deploy.py apply --env test"),
        ({"content": ContentOutcome(result="failed", command="publish"), "with_content": True}, "failed", "publish"),
        ({"content": ContentOutcome(result="interrupted"), "with_content": True}, "interrupted", "python deploy.py apply --env test"),
        ({"content": ContentOutcome(result="interrupted"), "with_content": True, "removals": (removed("failed", "x"),)}, "failed", "x"),
        ({"with_content": True}, "failed", "python deploy.py apply --env test"),
        ({"with_content": True, "stop": True}, "interrupted", "python deploy.py apply --env test"),
        ({"removals": (removed("running", "again"),), "stop": True}, "interrupted", "again"),
    ],
)
def test_each_way_in_which_it_ends_otherwise(how: dict[str, Any], result: str, command: str) -> None:
    found = ended(outcome("a"), outcome("b"), **how)
    assert (found.result, found.command) == (result, command)


def test_an_interrupt_is_no_failure_and_a_failure_is_no_interrupt() -> None:
    assert ended(outcome("a", "running", "go on"), stop=True).result == "interrupted"
    assert ended(outcome("a", "failed"), stop=True).result == "failed" == ended(outcome("a", "refused"), stop=True).result
    first_command = ended(outcome("a", "running", "later"), outcome("b", "failed", "first"))
    assert first_command.command == "first", "what failed comes before what runs"


def test_content_that_was_never_begun_says_because_of_what() -> None:
    found = ended(outcome("a", "failed"), with_content=True)
    assert found.content is not None and found.content.result == "not_started" and found.content.content == "c"
    assert found.content.message == "because of a"
    alone = ended(outcome("a"), outcome("b"), with_content=True, stop=True)
    assert alone.content is not None and alone.content.message == ""
    assert ended(outcome("a"), outcome("b")).content is None


def test_nothing_is_removed_unless_it_was_approved_and_the_content_is_live() -> None:
    def asked(removes: bool, content: Any) -> int:
        plan = SimpleNamespace(removals=(), digest="d", environment="test")
        run: Any = SimpleNamespace(removes=removes, plan=plan, now=lambda: 0.0)
        calls: list[int] = []
        run.plan = SimpleNamespace(**{**vars(plan), "removals": _Counting(calls)})
        _removed(run, content)
        return len(calls)

    fine, bad = ContentOutcome(result="unchanged"), ContentOutcome(result="failed")
    assert [asked(True, None), asked(True, fine)] == [1, 1]
    assert [asked(False, None), asked(True, bad), asked(False, fine)] == [0, 0, 0]


class _Counting:
    """Removals of which there are none; counts how often they are gone through."""

    def __init__(self, calls: list[int]) -> None:
        self.calls = calls

    def __iter__(self) -> Any:
        self.calls.append(1)
        return iter(())
