"""A stack's turn: when its execution is over, which look at it counts, what is sent, undone, told and remembered."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from aws.cloudformation.stacks import StackDescription, StackEvent
from aws.errors import AccessDenied, NetworkError, Unavailable
from planning.model import SettingChange
from rollout.diagnosis import Diagnosis, FailedResource
from rollout.execution import Interrupted
from rollout.execution_events import ExecutionEvents
from rollout.progress import Resource
from rollout.stack_execution import EVENT_POLLS, SETTLED_POLLS, StackExecution, _sentence

ARN = "arn:aws:cloudformation:r:1:stack/demo-a/1"
STACK = "AWS::CloudFormation::Stack"


def described(status: str, changed_at: str = "new") -> StackDescription:
    return StackDescription(name="demo-a", arn=ARN, status=status, changed_at=changed_at, outputs={"Name": status})


def event(status: str, logical_id: str = "demo-a", kind: str = STACK, physical_id: str = ARN, at: str = "", reason: str = "") -> StackEvent:
    return StackEvent(
        id=f"{logical_id}{status}", stack_arn=ARN, logical_id=logical_id, physical_id=physical_id, resource_type=kind, status=status,
        at=at, reason=reason, token="tok",
    )  # fmt: skip


class Records:
    """Records that make room."""

    def __init__(self, ended: list[str]) -> None:
        self.ended = ended

    def away(self) -> list[str]:
        self.ended.append("away")
        return ["deleted a record"]

    def back(self) -> list[str]:
        self.ended.append("back")
        return ["wrote a record back"]

    def done(self) -> list[str]:
        self.ended.append("done")
        return ["deleted the record beside ours"]


class One(StackExecution):
    """One stack. `looks`: what DescribeStacks says, one after the other; `news`: the events that come with each look at them."""

    def __init__(self, *looks: StackDescription | None, news: tuple[tuple[StackEvent, ...], ...] = (), existed: bool = True) -> None:
        self.looks, self.news = list(looks), list(news)
        self.plan: Any = SimpleNamespace(
            stack="a",
            stack_name="demo-a",
            settings=(),
            state=SimpleNamespace(exists=existed, stack_arn=ARN, status="CREATE_COMPLETE", changed_at="old"),
            resources=(),
        )
        self.done: list[str] = []
        self.told: list[Any] = []
        self.learnt: list[Any] = []
        self.polls: list[int] = []
        self.stop = threading.Event()
        self.token, self.change_set, self.resumed, self.begun = "tok", "cs", False, False
        self.records = None
        self.state: Any = None
        self.refuses: Exception | None = None
        anything: Any = self
        self.run = self.gateway = anything

    # the run
    def check(self) -> None:
        self.done.append("lock")

    def pause(self, polls: int) -> None:
        self.polls.append(polls)

    def now(self) -> float:
        return 1_000.0

    def report(self, told: Any) -> None:
        self.told.append(told)

    def note(self, text: str) -> None:
        self.told.append(text)

    def learn(self, *what: Any) -> None:
        self.learnt.append(what)

    def unlearn(self, *what: Any) -> None:
        self.learnt.append(("gone", *what))

    def outcome(self, result: Any, **more: Any) -> Any:
        return result, more

    # CloudFormation
    def describe_stack(self, name: str) -> StackDescription | None:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def change_set_state(self, change_set: str, stack: str) -> Any:
        return self.state

    def execute_change_set(self, change_set: str, stack: str, *, token: str) -> None:
        self.done.append(f"execute {change_set} {stack} {token}")
        if self.refuses is not None:
            raise self.refuses

    def set_termination_protection(self, stack: str, *, enabled: bool) -> None:
        self.done.append(f"{stack} protected {enabled}")

    def set_stack_policy(self, stack: str, body: str) -> None:
        self.done.append(f"{stack} policy {body}")

    # what is new among the events
    def new(self) -> tuple[StackEvent, ...]:
        return self.news.pop(0) if self.news else ()

    def settled_now(self, *found: StackEvent) -> StackDescription | None:
        ours = ExecutionEvents("tok", lambda: "")
        ours.take(found)
        feed: Any = self
        return self.settled_look(self.describe_stack(""), "stack", feed, ours)


# --- is it over? ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "events", "executed", "over"),
    [
        (None, (), "EXECUTE_IN_PROGRESS", True),
        ("DELETE_COMPLETE", (), "EXECUTE_IN_PROGRESS", True),
        ("UPDATE_IN_PROGRESS", ("UPDATE_COMPLETE",), "EXECUTE_COMPLETE", False),
        ("REVIEW_IN_PROGRESS", (), "EXECUTE_COMPLETE", False),
        ("UPDATE_COMPLETE", ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"), "EXECUTE_IN_PROGRESS", True),
        ("UPDATE_COMPLETE", ("UPDATE_IN_PROGRESS",), "EXECUTE_IN_PROGRESS", False),
        ("UPDATE_COMPLETE", (), "AVAILABLE", False),
        ("UPDATE_COMPLETE", (), "EXECUTE_COMPLETE", True),
        ("UPDATE_COMPLETE", (), "EXECUTE_FAILED", True),
        ("UPDATE_COMPLETE", (), None, True),
    ],
)
def test_an_execution_is_over_when_its_last_event_or_its_change_set_says_so(
    live: str | None, events: tuple[str, ...], executed: str | None, over: bool
) -> None:
    one = One()
    one.state = None if executed is None else SimpleNamespace(execution_status=executed)
    assert one.ended(described(live) if live else None, "stack", [event(status) for status in events]) is over


def test_the_last_event_is_one_of_the_stack_itself() -> None:
    final = One().is_final
    assert final(event("UPDATE_COMPLETE")) and final(event("UPDATE_ROLLBACK_FAILED"))
    assert not final(event("UPDATE_IN_PROGRESS"))
    assert not final(event("UPDATE_COMPLETE", "Topic", "AWS::SNS::Topic", "topic"))
    assert not final(event("UPDATE_COMPLETE", physical_id="arn:of-a-nested-stack")), "a nested stack of the same name"
    assert not final(event("UPDATE_COMPLETE", "Nested")), "the stack's own ARN under another name"


def test_when_a_change_set_was_made_is_empty_once_it_is_gone() -> None:
    one = One()
    assert one.made_at("stack") == ""
    one.state = SimpleNamespace(created_at="2026-11-22T10:00:00Z")
    assert one.made_at("stack") == "2026-11-22T10:00:00Z"


# --- which look counts ------------------------------------------------------------------------------------------------

DONE = event("UPDATE_COMPLETE")


def test_a_look_that_agrees_with_the_last_event_counts_at_once() -> None:
    one = One(described("UPDATE_COMPLETE"))
    found = one.settled_now(DONE)
    assert found is not None and one.polls == []
    assert One(None).settled_now(event("DELETE_COMPLETE")) is None, "a stack that is gone"


def test_a_look_from_before_the_execution_does_not_count_though_its_status_is_the_same() -> None:
    one = One(described("UPDATE_COMPLETE", "old"), described("UPDATE_COMPLETE", "old"), described("UPDATE_COMPLETE"))
    found = one.settled_now(DONE)
    assert found is not None and found.changed_at == "new" and one.polls == [0, 1]


def test_a_look_that_disagrees_with_the_last_event_is_repeated_until_it_agrees() -> None:
    one = One(described("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), described("UPDATE_COMPLETE"))
    found = one.settled_now(DONE)
    assert found is not None and found.status == "UPDATE_COMPLETE" and one.polls == [0]


def test_without_a_last_event_a_new_look_counts_after_some_polls_and_an_old_one_never() -> None:
    one = One(described("UPDATE_COMPLETE"))
    assert one.settled_now() is not None and len(one.polls) == EVENT_POLLS
    between = One(described("UPDATE_COMPLETE"))
    assert between.settled_now(event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")) is not None and len(between.polls) == EVENT_POLLS
    resource = event("UPDATE_COMPLETE", "It", "AWS::SSM::Parameter", "it")
    beside = One(described("UPDATE_ROLLBACK_COMPLETE"))
    assert beside.settled_now(resource) is not None and len(beside.polls) == EVENT_POLLS, "what became of a resource is not the end"
    old = One(described("UPDATE_COMPLETE", "old"))
    with pytest.raises(Unavailable):
        old.settled_now()
    assert len(old.polls) == SETTLED_POLLS


def test_an_event_that_comes_while_it_looks_has_the_last_word() -> None:
    one = One(described("UPDATE_COMPLETE"), described("UPDATE_COMPLETE"), described("UPDATE_ROLLBACK_COMPLETE"))
    one.news = [(event("UPDATE_ROLLBACK_COMPLETE"),)]
    found = one.settled_now()
    assert found is not None and found.status == "UPDATE_ROLLBACK_COMPLETE"
    assert [e.status for e in one.told if isinstance(e, Resource)] == ["UPDATE_ROLLBACK_COMPLETE"], "and is told"


def test_where_aws_keeps_saying_two_things_there_is_no_outcome_and_an_update_that_changed_no_time_has_one() -> None:
    two = One(described("UPDATE_COMPLETE"))
    with pytest.raises(Unavailable, match="demo-a is UPDATE_ROLLBACK_COMPLETE by its events and UPDATE_COMPLETE by itself"):
        two.settled_now(event("UPDATE_ROLLBACK_COMPLETE"))
    assert len(two.polls) == SETTLED_POLLS
    same = One(described("UPDATE_COMPLETE", "old"))
    assert same.settled_now(DONE) is not None and len(same.polls) == SETTLED_POLLS


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_change_set_is_executed_under_the_lock_and_with_its_token() -> None:
    one = One()
    one.send("cs", "stack")
    assert one.done == ["lock", "execute cs stack tok"] and one.begun


def test_who_is_asked_to_stop_executes_nothing() -> None:
    one = One()
    one.stop.set()
    with pytest.raises(Interrupted):
        one.send("cs", "stack")
    assert one.done == [] and not one.begun


def test_records_make_room_right_before_and_come_back_if_it_is_not_executed() -> None:
    one = One()
    records: Any = Records(one.done)
    one.records = records
    one.send("cs", "stack")
    assert one.done == ["lock", "away", "execute cs stack tok"] and one.told == ["deleted a record"]
    refused = One()
    records = Records(refused.done)
    refused.records, refused.refuses = records, AccessDenied("not you")
    with pytest.raises(AccessDenied):
        refused.send("cs", "stack")
    assert refused.done[-2:] == ["execute cs stack tok", "back"] and refused.told[-1] == "wrote a record back" and not refused.begun


@pytest.mark.parametrize(("result", "ended"), [("failed", ["back"]), ("succeeded", ["done"]), ("running", []), ("interrupted", [])])
def test_records_come_back_after_a_failure_and_only_then(result: str, ended: list[str]) -> None:
    class Executed(One):
        def start(self, total: int, *, resumed: bool = False) -> None: ...

        def follow(self, stack: str) -> Any:
            return SimpleNamespace(result=result)

    one = Executed(described("UPDATE_COMPLETE"))
    one.state = SimpleNamespace(execution_status="EXECUTE_COMPLETE")
    one.plan.operation = "update"
    one.plan.change_set = SimpleNamespace(arn="cs", stack_arn=ARN, client_token="tok", name="plan-1")
    records: Any = Records(one.done)
    one.records = records
    assert one.execute().result == result and one.done == ended


def test_settings_are_set_one_by_one_under_the_lock() -> None:
    one = One()
    settings = (
        SettingChange(setting="termination_protection", before="off", after="on"),
        SettingChange(setting="termination_protection", before="on", after="off"),
        SettingChange(setting="stack_policy", before="", after="{}"),
    )
    anything: Any = one.settled(described("UPDATE_COMPLETE"), settings, changed=True)
    assert one.done == ["lock", "demo-a protected True", "lock", "demo-a protected False", "lock", "demo-a policy {}"]
    assert anything == ("succeeded", {"status": "UPDATE_COMPLETE", "outputs": {"Name": "UPDATE_COMPLETE"}})
    anything = one.settled(None, (), changed=False)
    assert anything == ("unchanged", {"status": "", "outputs": {}})


# --- what is told and remembered --------------------------------------------------------------------------------------


def test_what_was_made_or_changed_is_remembered_with_its_age_and_what_went_is_forgotten() -> None:
    one = One()
    for status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "CREATE_IN_PROGRESS", "CREATE_FAILED"):
        one.tell(event(status, "Role", "AWS::IAM::Role", "role", at="1970-01-01T00:16:30Z"))
    assert one.learnt == [("AWS::IAM::Role", "role", 10.0)] * 2 + [("gone", "AWS::IAM::Role", "role")]
    later = One()
    later.tell(event("CREATE_COMPLETE", at="1970-01-01T01:00:00Z"))
    assert later.learnt == [(STACK, ARN, 0.0)], "a clock that is behind AWS's"


def test_an_event_is_told_as_it_came() -> None:
    one = One()
    one.tell(event("CREATE_FAILED", "Role", "AWS::IAM::Role", at="1970-01-01T00:16:30Z", reason="no"))
    one.tell(event("CREATE_FAILED", "Role", "AWS::IAM::Role"))
    first, second = one.told
    assert first == Resource(at=990.0, stack="a", logical_id="Role", resource_type="AWS::IAM::Role", status="CREATE_FAILED", reason="no")
    assert second.at == 1_000.0, "of an event without a time: now"


@pytest.mark.parametrize(
    ("logical_id", "reason", "sentence"),
    [
        ("Role", "no", "Role (AWS::IAM::Role): no"),
        ("Role", "", "Role (AWS::IAM::Role): AWS gives no reason"),
        ("", "no", "demo-a: no"),
        (None, "", "demo-a is UPDATE_FAILED"),
    ],
)
def test_a_failure_in_one_sentence(logical_id: str | None, reason: str, sentence: str) -> None:
    cause = None
    if logical_id is not None:
        cause = FailedResource(logical_id=logical_id, resource_type="AWS::IAM::Role", physical_id="", status="s", reason=reason, at="")
    assert _sentence(One().plan, Diagnosis(status="UPDATE_FAILED", cause=cause)) == sentence


def test_a_validation_record_that_cannot_be_written_is_told_and_waited_past() -> None:
    one = One()
    anything: Any = one
    anything.stack = lambda stack: f"assembly's {stack}"
    asked: list[tuple[Any, str]] = []

    def validate(stack: Any, arn: str) -> list[str]:
        asked.append((stack, arn))
        return ["wrote it"]

    anything.validate_certificates = validate
    one.validate(described("CREATE_IN_PROGRESS"))
    assert asked == [("assembly's a", ARN)] and one.told == ["wrote it"]

    def refuse(*_: Any) -> Any:
        raise NetworkError("no route")

    anything.validate_certificates = refuse
    one.validate(described("CREATE_IN_PROGRESS"))
    assert len(one.told) == 2 and "no route" in one.told[1]


def test_an_execution_that_another_process_began_has_begun_with_its_first_event() -> None:
    one = One(None)
    one.started = 1_000.0
    first, last = (event("UPDATE_IN_PROGRESS", at=f"1970-01-01T00:0{minute}:00+00:00") for minute in (1, 2))
    one.by_events([first, last])
    assert one.started == 1_000.0, "this process began it"
    one.resumed = True
    one.by_events([])
    assert one.started == 1_000.0
    one.by_events([first, last])
    assert one.started == 60.0
