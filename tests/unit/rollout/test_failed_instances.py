"""How an operation of a StackSet ends: what is redone, what is told of instances that failed, and what to type."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from aws.cloudformation.stack_sets import InstanceTargets, StackSetOperation, StackSetOperationResult
from aws.cloudformation.stacks import StackEvent
from aws.errors import AccessDenied, NetworkError
from planning.inputs import Inputs
from rollout.diagnosis import diagnose
from rollout.outcome import ContentOutcome, InstanceFailure, Outcome, StackRemoved
from rollout.planned_change import MOST_TRIES
from rollout.stackset_execution import PAGE_SECONDS, StackSetExecution
from rollout.stackset_operations import Step
from tests.simulated import ACCOUNT
from tests.unit.rollout.test_second_try import LATE, World

STACK = "AWS::CloudFormation::Stack"
ARN = "arn:stack"


def result(status: str, account: str = "1", region: str = "a", reason: str = "") -> StackSetOperationResult:
    return StackSetOperationResult(account_id=account, region=region, status=status, reason=reason)


def step(kind: Any = "create") -> Step:
    return Step(id="op", kind=kind, targets=InstanceTargets(accounts=("1",), regions=("a",)), instances=1)


class Following(StackSetExecution):
    """The end of each operation is given: its status, how many it says have failed, and its instances."""

    def __init__(self, *ends: tuple[Any, ...], new: bool = True, kind: Any = "create", events: tuple[StackEvent, ...] = ()) -> None:
        self.ends = list(ends)
        self.world = World(None, new=new)
        anything: Any = self.world
        self.run: Any = anything
        anything.plan = SimpleNamespace(environment="test")
        anything.gateways = self
        self.plan: Any = SimpleNamespace(stack_name="demo-a", stack="a")
        self.call_as = "SELF"
        self.gateway: Any = self
        self.finished: Counter[str] = Counter()
        self.steps = (step(kind),)
        self.told: list[str] = []
        self.begun_steps: list[str] = []
        self.there: set[str] = set()
        self.stack_events = events
        self.refuses = False

    def follow(self, step: Step) -> Any:
        status, failed, *results = self.ends.pop(0)
        return StackSetOperation(status=status, failed_instances=failed, reason="words of the operation"), tuple(results)

    def note(self, text: str) -> None:
        self.told.append(text)

    def is_begun(self, step: Step) -> bool:
        return step.id in self.there

    def begin_in_turn(self, step: Step, *_: Any) -> None:
        self.begun_steps.append(step.kind)

    def outcome(self, result: Any, **more: Any) -> Any:
        place: dict[str, Any] = {"stack": "a", "stack_name": "demo-a", "account_id": ACCOUNT, "region": "r"}
        return Outcome(**place, kind="stackset", operation="update", result=result, **more)

    # The target account.
    def stack_instance(self, *_: Any, **__: Any) -> Any:
        if self.refuses:
            raise AccessDenied("not you")
        return SimpleNamespace(stack_arn=ARN) if self.stack_events else None

    def cloudformation(self, *_: Any) -> Any:
        return self

    def events(self, arn: str) -> Any:
        return self.stack_events

    def operation_validations(self, arn: str, token: Any) -> Any:
        return ()

    def ended(self, kind: Any = "create") -> Any:
        return self.followed(step(kind), None, Inputs())


GOOD, BAD = result("SUCCEEDED"), result("FAILED", reason=LATE)


def test_an_operation_in_which_everything_went_well_has_no_outcome_of_its_own() -> None:
    following = Following(("SUCCEEDED", 0, GOOD, result("SUCCEEDED", "2")))
    assert following.ended() is None and following.finished == {"SUCCEEDED": 2} and following.begun_steps == []


@pytest.mark.parametrize(
    "end",
    [
        ("FAILED", 0, GOOD),
        ("STOPPED", 0),
        ("SUCCEEDED", 1, GOOD),
        ("SUCCEEDED", 0, result("FAILED", reason="no room")),
        ("SUCCEEDED", 0, result("CANCELLED")),
    ],
)
def test_anything_else_is_a_failure(end: tuple[Any, ...]) -> None:
    found = Following(end).ended()
    assert found.result == "failed" and found.status == end[0]


def test_instances_that_were_not_reached_yet_are_no_failure() -> None:
    assert Following(("SUCCEEDED", 0, result("PENDING"), result("RUNNING", "2"))).ended() is None


def test_instances_that_met_a_new_role_are_redone_and_counted_once() -> None:
    following = Following(("FAILED", 1, GOOD, result("FAILED", "2", reason=LATE)), ("SUCCEEDED", 0, result("SUCCEEDED", "2")))
    assert following.ended() is None
    assert following.begun_steps == ["update_instances"] and following.world.sleeps == [6.0]
    assert +following.finished == {"SUCCEEDED": 2}
    (told,) = following.told
    assert told.startswith(f"2 a: {LATE}; waiting for the role to be assumed by Lambda (AWS may need 120 s)")


def test_the_reason_to_wait_is_that_of_an_instance_that_failed_by_itself() -> None:
    cancelled = result("CANCELLED", "1", reason="Cancelled since failure tolerance has exceeded")
    again = tuple(result("SUCCEEDED", account) for account in ("1", "2"))
    following = Following(("FAILED", 1, cancelled, result("FAILED", "2", reason=LATE)), ("SUCCEEDED", 0, *again))
    assert following.ended() is None and following.told[0].startswith(f"2 a: {LATE}; waiting for")


def test_what_an_earlier_apply_redoes_already_is_followed_and_not_begun() -> None:
    from rollout.second_try import steps_again

    following = Following(("FAILED", 1, BAD), ("SUCCEEDED", 0, GOOD))
    again = steps_again(step(), [InstanceFailure(account_id="1", region="a", status="FAILED", reason=LATE)], 1)
    following.there = {each.id for each in again}
    assert following.ended() is None and following.begun_steps == []


def test_it_is_redone_five_times_and_then_told() -> None:
    following = Following(*[("FAILED", 1, BAD)] * (MOST_TRIES + 1))
    found = following.ended()
    assert found.result == "failed" and len(following.begun_steps) == MOST_TRIES and following.ends == []
    assert following.world.sleeps == [6.0, 12.0, 24.0, 30.0, 30.0]


def test_what_is_not_new_is_not_redone() -> None:
    following = Following(("FAILED", 1, BAD), new=False)
    assert following.ended().result == "failed" and following.begun_steps == []


# --- what is told -------------------------------------------------------------------------------------------------


def failure(account: str, status: str = "FAILED", reason: str = "") -> InstanceFailure:
    return InstanceFailure(account_id=account, region="a", status=status, reason=reason)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ((), "words of the operation"),
        ((failure("1", reason="no room"),), "1 a: no room"),
        ((failure("1"), failure("2", reason="no room")), "2 failed: 2 a: no room"),
        ((failure("1"), failure("2")), "2 failed: 1 a: "),
        ((failure("1", "CANCELLED", "c"), failure("2", reason="no room")), "1 cancelled, 1 failed: 2 a: no room"),
        (
            (failure("1", "SKIPPED_SUSPENDED_ACCOUNT"), failure("2", "CANCELLED")),
            "1 skipped suspended account, 1 cancelled: words of the operation",
        ),
    ],
)
def test_the_first_reason_is_told_and_how_many_there_are(bad: tuple[InstanceFailure, ...], message: str) -> None:
    found = Following().failed_outcome("FAILED", bad, "words of the operation")
    assert found.message == message and len(found.instances) == len(bad)
    retries = any(each.status == "FAILED" for each in bad)
    assert found.command == f"python deploy.py {'retry' if retries else 'plan'} --env test"


def test_without_any_words_the_status_is_told_and_after_an_adoption_it_is_planned_again() -> None:
    assert Following().failed_outcome("STOPPED", (), "").message == "the operation is STOPPED"
    assert Following(kind="adopt").failed_outcome("FAILED", (failure("1"),), "").command == "python deploy.py plan --env test"


def event(logical_id: str, status: str, reason: str = "", kind: str = "AWS::Logs::LogGroup", number: int = 0) -> StackEvent:
    return StackEvent(
        id=f"{logical_id}{status}{number}", stack_arn=ARN, logical_id=logical_id, physical_id=ARN if kind == STACK else "p",
        resource_type=kind, status=status, reason=reason, at=f"2026-11-22T10:00:{number:02d}Z",
    )  # fmt: skip


def test_the_event_of_the_last_operation_is_told_with_an_instance() -> None:
    events = (
        event("s", "CREATE_IN_PROGRESS", kind=STACK, number=0),
        event("Old", "CREATE_FAILED", "of last week", number=1),
        event("s", "UPDATE_IN_PROGRESS", kind=STACK, number=2),
        event("Logs", "UPDATE_FAILED", "too long", number=3),
    )
    found = Following(events=events).failed_outcome("FAILED", (failure("1"), failure("2", "CANCELLED")), "")
    assert [each.event for each in found.instances] == ["Logs (AWS::Logs::LogGroup) UPDATE_FAILED: too long", ""]


def test_events_without_a_beginning_are_read_from_the_first_one() -> None:
    events = (event("Logs", "CREATE_FAILED", "first", number=1), event("Other", "CREATE_FAILED", "second", number=2))
    assert Following(events=events).event_of(failure("1")) == "Logs (AWS::Logs::LogGroup) CREATE_FAILED: first"


def test_of_several_validations_the_last_is_told_and_only_where_no_resource_failed() -> None:
    def validation(name: str) -> Any:
        return SimpleNamespace(
            logical_id=name, resource_type="T", path="/p", reason="bad", status="FAILED", failure_mode="FAIL", token="", at=""
        )

    class Validated(Following):
        def operation_validations(self, arn: str, token: Any) -> Any:
            return (validation("First"), validation("Second"))

    started = event("s", "UPDATE_IN_PROGRESS", kind=STACK)
    assert Validated(events=(started,)).event_of(failure("1")) == "Second (T) VALIDATION_FAILED: /p: bad"
    failed = event("Logs", "UPDATE_FAILED", "too long", number=1)
    assert Validated(events=(started, failed)).event_of(failure("1")).startswith("Logs (")


def test_where_nobody_may_look_or_nothing_is_found_no_event_is_told() -> None:
    assert Following().event_of(failure("1")) == ""
    assert Following(events=(event("s", "UPDATE_COMPLETE", kind=STACK),)).event_of(failure("1")) == ""
    closed = Following(events=(event("Logs", "CREATE_FAILED", "first"),))
    closed.refuses = True
    assert closed.event_of(failure("1")) == ""


# --- a stack's own failure ------------------------------------------------------------------------------------------


def test_a_stack_without_a_failed_resource_has_its_own_failure_as_cause_and_no_other_words() -> None:
    def cause(*events: StackEvent, status_reason: str = "") -> str | None:
        found = diagnose(events, status="UPDATE_ROLLBACK_COMPLETE", status_reason=status_reason, environment="dev").cause
        return None if found is None else found.reason

    started = event("s", "UPDATE_IN_PROGRESS", "User Initiated", kind=STACK)
    failed = event("s", "UPDATE_FAILED", "it would not", kind=STACK, number=1)
    assert cause(started, failed) == "it would not"
    assert cause(started, status_reason="so it says") == "so it says" and cause(started) is None


def test_which_outcomes_let_the_next_one_go_on() -> None:
    assert [ContentOutcome(result=r).ok for r in ("succeeded", "unchanged", "failed", "refused", "interrupted", "not_started")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    gone = {
        r: StackRemoved(stack="a", stack_name="a", account_id="1", region="r", kind="stack", result=r)
        for r in ("removed", "waits", "failed", "running", "not_started", "kept")
    }
    assert [r for r, each in gone.items() if each.ok] == ["removed", "waits", "kept"]
    assert [r for r, each in gone.items() if each.begun] == ["removed", "waits", "failed", "running"]


# --- following an operation -----------------------------------------------------------------------------------------


class Polled(Following):
    """`follow` itself. The looks at the operation are given; an error among them is raised."""

    follow = StackSetExecution.follow

    def __init__(self, *looks: Any) -> None:
        super().__init__()
        self.looks = list(looks)
        self.total = 1
        self.read: list[str] = []
        self.seconds = 0.0
        anything: Any = self.world
        anything.now = lambda: self.seconds
        anything.report = lambda event: None

    def stack_set_operation(self, *_: Any, **__: Any) -> Any:
        self.seconds += PAGE_SECONDS / 4
        look = self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look

    def stack_set_operation_results(self, *_: Any, status: str = "", **__: Any) -> Any:
        self.read.append(status)
        return ()


def look(status: str = "RUNNING", failed: int = 0) -> StackSetOperation:
    return StackSetOperation(status=status, failed_instances=failed)


def test_an_operation_is_followed_to_its_end() -> None:
    polled = Polled(look(), look("SUCCEEDED"))
    assert polled.follow(step())[0].status == "SUCCEEDED" and polled.world.polls == [0] and polled.told == []


def test_five_looks_in_a_row_without_an_answer_are_too_many_and_four_are_not() -> None:
    silent = NetworkError("nobody answers")
    polled = Polled(silent, silent, silent, silent, look(), silent, silent, silent, silent, look("FAILED"))
    assert polled.follow(step())[0].status == "FAILED" and polled.told == ["looking again: nobody answers"] * 8
    with pytest.raises(NetworkError):
        Polled(*[silent] * 5, look("SUCCEEDED")).follow(step())


def test_after_an_empty_list_of_instances_the_next_is_not_read_at_once() -> None:
    polled = Polled(look(), look(), look("SUCCEEDED"))
    polled.follow(step())
    assert len(polled.read) == 2, "the first look, and the end"


# --- a stack that is older than its execution -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "exists", "older"), [("t", True, True), ("u", True, False), ("t", False, False), (None, True, False), (None, False, False)]
)
def test_an_answer_is_older_if_it_is_the_stack_of_before(live: str | None, exists: bool, older: bool) -> None:
    from rollout.stack_execution import StackExecution

    execution = object.__new__(StackExecution)
    anything: Any = SimpleNamespace(state=SimpleNamespace(exists=exists, changed_at="t"))
    execution.plan = anything
    described: Any = None if live is None else SimpleNamespace(changed_at=live)
    assert execution.is_older(described) is older


# --- where the history was ------------------------------------------------------------------------------------------


def test_the_former_bucket_is_that_of_the_stack_which_makes_it() -> None:
    import json

    from rollout.orphaned_stacks import _former_bucket
    from tests.simulated import Simulated, SimulatedGateways, Small, small_assembly, stackset

    def bucket(title: str, name: str = "demo-artifacts") -> dict[str, Any]:
        return {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, title: {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}}}

    def found(template: dict[str, Any], deployed: dict[str, Any] | None, **more: Any) -> str:
        gateways: Any = SimulatedGateways()
        other = Small(id="first", template=bucket("Other", "other"))
        made, templates = small_assembly(other, Small(id="base", template=template, more=more))
        for name, body in (("first", other.template), ("base", deployed)):
            if body is not None:
                place: Simulated = gateways.at("eu-west-1")
                place.deploy(f"demo-test-{name}", json.loads(json.dumps(body)), {})
        return _former_bucket(made, templates, gateways)

    assert found(bucket("Artifacts"), bucket("Artifacts", "old")) == "Artifacts-physical"
    assert found(bucket("Artifacts"), bucket("Renamed")) == "" and found(bucket("Artifacts"), None) == ""
    assert found(bucket("Artifacts", "another"), bucket("Artifacts")) == ""
    assert found(bucket("Artifacts"), bucket("Artifacts"), stackset=stackset("eu-west-1")) == ""


def test_an_outcome_says_which_kind_of_thing_it_is_about() -> None:
    from tests.unit.planning.test_stacksets import World as OfSets
    from tests.unit.rollout.test_apply import Desk, chain

    assert OfSets().deploy().kind == "stackset"
    assert {o.kind for o in Desk().apply(chain()).stacks} == {"stack"}


# --- an execution that AWS says no to -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "begun"),
    [(None, False), ("AVAILABLE", False), ("EXECUTE_IN_PROGRESS", True), ("EXECUTE_COMPLETE", True), ("EXECUTE_FAILED", True)],
)
def test_a_no_is_believed_unless_the_change_set_is_executed_already(status: str | None, begun: bool) -> None:
    from rollout.stack_execution import StackExecution

    def refuse(*_: Any, **__: Any) -> None:
        raise AccessDenied("not you") if status == "denied" else NetworkError("no answer")

    state = None if status is None else SimpleNamespace(execution_status=status)
    execution = object.__new__(StackExecution)
    execution.token = "tok"
    anything: Any = SimpleNamespace(execute_change_set=refuse, change_set_state=lambda *_: state)
    execution.gateway = anything
    if begun:
        execution.executed("cs", "stack")
        return
    with pytest.raises(NetworkError):
        execution.executed("cs", "stack")


# --- what is new ----------------------------------------------------------------------------------------------------


def test_only_a_role_is_asked_of_iam_and_only_up_to_ten_minutes_are_new() -> None:
    from datetime import UTC, datetime, timedelta

    from aws.propagation import LATELY, ROLE
    from rollout.recent import Recent

    now = datetime(2026, 11, 27, 12, tzinfo=UTC)
    asked: list[str] = []

    def age(kind: str, name: str, seconds: float) -> float | None:
        def role(name: str) -> Any:
            asked.append(name)
            return SimpleNamespace(created_at=(now - timedelta(seconds=seconds)).isoformat())

        gateways: Any = SimpleNamespace(iam=lambda account: SimpleNamespace(role=role))
        return Recent((), gateways, lambda: now, templates={}).age(kind, name)

    arn = "arn:aws:iam::1:role/path/name"
    assert age(ROLE, arn, LATELY) == LATELY and age(ROLE, arn, LATELY + 1) is None and asked == ["name", "name"]
    assert age("AWS::S3::Bucket", arn, 1) is None is age(ROLE, "", 1) and len(asked) == 2


def test_failed_instances_are_read_as_they_come_between_two_whole_readings() -> None:
    polled = Polled(look(), look(failed=1), look(failed=1), look("FAILED", failed=1))
    failed = result("FAILED", reason="no room")

    def results(*_: Any, status: str = "", **__: Any) -> Any:
        polled.read.append(status)
        return (failed,) if len(polled.read) > 1 else ()

    anything: Any = polled
    anything.stack_set_operation_results = results
    polled.follow(step())
    assert polled.read[:2] == ["", "FAILED"] and polled.read[-1] == "", "and not again while no further one has failed"
    assert polled.read.count("FAILED") == 1


@pytest.mark.parametrize(
    ("live", "execution", "tokens", "over"),
    [
        (None, "EXECUTE_COMPLETE", (), False),
        ("DELETE_COMPLETE", "EXECUTE_COMPLETE", (), False),
        ("REVIEW_IN_PROGRESS", "EXECUTE_COMPLETE", (), False),
        ("UPDATE_COMPLETE", "EXECUTE_COMPLETE", (), True),
        ("UPDATE_COMPLETE", "EXECUTE_IN_PROGRESS", (), False),
        ("UPDATE_COMPLETE", None, (("tok", "IMPORT_COMPLETE"),), True),
        ("UPDATE_COMPLETE", None, (("tok", "IMPORT_ROLLBACK_COMPLETE"), ("other", "IMPORT_COMPLETE")), False),
    ],
)
def test_when_an_import_has_ended_well(live: str | None, execution: str | None, tokens: tuple[tuple[str, str], ...], over: bool) -> None:
    from rollout.import_execution import TakingOver

    taking = object.__new__(TakingOver)
    described = None if live is None else SimpleNamespace(arn=ARN, deployed=live == "UPDATE_COMPLETE")
    state = None if execution is None else SimpleNamespace(execution_status=execution)
    events = [SimpleNamespace(token=token, status=status, logical_id="demo-a", physical_id=ARN, stack_arn=ARN) for token, status in tokens]
    anything: Any = SimpleNamespace(describe_stack=lambda _: described, change_set_state=lambda *_: state, events=lambda _: events)
    taking.gateway = anything
    plan: Any = SimpleNamespace(
        stack="a", stack_name="demo-a", change_set=SimpleNamespace(arn="cs", stack_arn=ARN, client_token="tok"), state=None
    )
    taking.plan = taking.about = plan
    taking.run = plan
    assert taking.over() is over


@pytest.mark.parametrize(
    ("resumed", "at", "started"),
    [(True, "2026-11-22T10:00:05Z", 1.0), (True, "", 9e9), (False, "2026-11-22T10:00:05Z", 9e9), (True, "2999-01-01T00:00:00Z", 9e9)],
)
def test_what_an_earlier_apply_began_has_begun_when_aws_says(resumed: bool, at: str, started: float) -> None:
    from rollout.execution_events import seconds
    from rollout.stack_execution import StackExecution

    execution = object.__new__(StackExecution)
    execution.resumed, execution.started = resumed, 9e9
    anything: Any = [SimpleNamespace(at=at)] if at else []
    execution.by_events(anything)
    assert execution.started == (seconds(at) if started == 1.0 else 9e9)
