"""A StackSet's turn: what is asked before anything is changed, what is waited for, what is sent, and what is told of many instances."""

from __future__ import annotations

import dataclasses
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from assembly.model import INLINE_TEMPLATE_LIMIT
from aws.cloudformation.stack_sets import InstanceTargets, StackSetOperation, StackSetOperationResult
from aws.errors import AwsError, BadRequest, Conflict, NetworkError, NotFound, Unavailable
from planning.inputs import Inputs
from rollout.execution import Interrupted
from rollout.lock import LockLost
from rollout.outcome import InstanceFailure
from rollout.progress import Instances, Resource, Started
from rollout.stackset_execution import EVENTS_READ, OWN_POLLS, PAGE, TOLD_ONE_BY_ONE, Moved, StackSetExecution, _pages
from rollout.stackset_operations import Step
from tests.unit.planning.test_stacksets import World
from tests.unit.rollout.test_failed_instances import Following, Polled, look, result, step

# --- the whole, against a set in memory -------------------------------------------------------------------------------


class Lock:
    """Asked before every change; lost at the asking of that number."""

    def __init__(self, world: World, lost_at: int = 99) -> None:
        self.world, self.lost_at = world, lost_at
        self.seen: list[int] = []
        """Changes that had been made each time."""

    def __call__(self) -> None:
        if len(self.seen) == self.lost_at:
            raise LockLost("gone")
        self.seen.append(self.world.live.counted()["create_stack_set"] + len(self.world.live.begun()))


def test_the_lock_is_asked_before_the_set_is_made_and_before_each_operation() -> None:
    world = World()
    lock = Lock(world)
    assert world.run(world.plan(), check=lock).result == "succeeded"
    assert lock.seen == [0, 1, 2]


@pytest.mark.parametrize("lost_at", [0, 1, 2])
def test_nothing_is_changed_any_more_without_the_lock(lost_at: int) -> None:
    world = World()
    outcome = world.run(world.plan(), check=Lock(world, lost_at))
    assert world.live.counted()["create_stack_set"] + len(world.live.begun()) == lost_at
    assert outcome.result == ("running" if lost_at == 2 else "not_started"), "an operation that was begun goes on at AWS"
    assert ("goes on at AWS" in outcome.message) is (lost_at == 2)


def test_how_many_instances_are_worked_on_is_told_and_whether_it_goes_on_where_an_earlier_one_stopped() -> None:
    world = World()
    plan = world.plan()
    for resumed in (False, True):
        world.events.clear()
        assert world.run(plan).resources == 6
        (started,) = [e for e in world.events if isinstance(e, Started)]
        assert (started.stack, started.operation, started.resources, started.resumed) == ("logs", "create", 6, resumed)


def test_a_set_that_an_earlier_apply_has_only_made_is_gone_on_with_and_not_made_again() -> None:
    world = World()
    plan = world.plan()
    world.run(plan, check=Lock(world, 1))
    assert world.live.description is not None and world.live.operations == []
    assert world.run(plan).result == "succeeded"
    assert world.live.counted()["create_stack_set"] == 1 and len(world.live.operations) == 2


def test_managed_execution_is_sent_where_it_changes_and_only_there() -> None:
    world = World()
    world.deploy()
    assert world.live.description is not None
    world.live.description["ManagedExecution"] = {"Active": True}
    world.days = "30"
    assert world.deploy().result == "succeeded"
    assert [a.get("ManagedExecution") for n, a in world.live.calls if n == "update_stack_set"] == [{"Active": False}] * 2


def test_an_update_of_instances_alone_sends_nothing_of_the_set() -> None:
    world = World()
    world.deploy()
    world.regions = (*world.regions, "us-west-2")
    world.live.calls.clear()
    plan = world.plan()
    assert world.set_of(plan).operation == "instances"
    assert world.run(plan).result == "succeeded"
    counted = world.live.counted()
    assert (counted["update_stack_set"], counted["create_stack_set"], counted["create_stack_instances"]) == (0, 0, 1)


# --- is it still ours? ------------------------------------------------------------------------------------------------


class Turn(Following):
    """`begin_in_turn` and what it asks. `answers`: what each beginning is answered with; `others`: operations under way, look by look."""

    begin_in_turn = StackSetExecution.begin_in_turn

    def __init__(self, *answers: AwsError | None, others: tuple[int, ...] = (), exists: bool = True, begun: bool = False) -> None:
        super().__init__()
        self.answers, self.others = list(answers), list(others)
        self.plan.exists = exists
        self.begun = begun
        self.asked: list[str] = []
        anything: Any = self.world
        anything.check = lambda: self.asked.append("lock")

    def begin(self, step: Step, *_: Any) -> None:
        self.asked.append("begin")
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer

    def running_operations(self, *_: Any, **__: Any) -> Any:
        number = self.others.pop(0) if self.others else 0
        return tuple(StackSetOperation(id=f"o{n}", action="UPDATE", status="RUNNING", created_at="t") for n in range(number))

    def still_ours(self) -> None:
        self.asked.append("ours")

    def describe(self) -> Any:
        return None

    def refuse_moved(self, *_: Any) -> None:
        self.asked.append("moved")

    def turn(self) -> list[str]:
        self.begin_in_turn(step(), None, Inputs(), ())
        return self.asked


BUSY, STALE = (Conflict("busy", code=code) for code in ("OperationInProgressException", "StaleRequestException"))
ONE = "waiting for its turn: UPDATE o0 (RUNNING, since t)"


def test_where_nobody_else_works_it_begins_at_once_and_a_later_operation_looks_first_whether_the_set_is_still_ours() -> None:
    assert Turn(None).turn() == ["lock", "begin"]
    assert Turn(None, begun=True).turn() == ["ours", "lock", "begin"]


@pytest.mark.parametrize("busy", [BUSY, STALE])
def test_while_somebody_else_works_it_waits_and_then_looks_whether_the_set_has_moved(busy: Conflict) -> None:
    turn = Turn(busy, None, others=(1, 1, 2, 0))
    assert turn.turn() == ["lock", "begin", "moved", "lock", "begin"]
    assert turn.told == [ONE, ONE + ", UPDATE o1 (RUNNING, since t)"], "told once, and again when it changes"
    assert turn.world.polls == [0, 1, 2, 3]
    assert Turn(busy, None, others=(1, 0), exists=False).turn() == ["lock", "begin", "lock", "begin"], "there was no set to move"
    assert Turn(busy, None, others=(1, 0), begun=True).turn() == ["ours", "lock", "begin", "ours", "lock", "begin"]


def test_after_an_operation_that_ended_meanwhile_it_looks_as_well_and_waits_longer_each_time() -> None:
    turn = Turn(BUSY, BUSY, None)
    assert turn.turn() == ["lock", "begin", "moved", "lock", "begin", "moved", "lock", "begin"]
    assert turn.world.polls == [0, 1] and turn.told == []
    assert (again := Turn(BUSY, BUSY, None, others=(1, 0, 1, 0))).turn() and again.told == [ONE], "the same one is told once"


@pytest.mark.parametrize("error", [BUSY, Conflict("there", code="TokenAlreadyExistsException"), NetworkError("n"), Unavailable("u")])
def test_an_operation_that_aws_has_begun_in_spite_of_its_answer_is_not_begun_again(error: AwsError) -> None:
    turn = Turn(error)
    turn.there = {"op"}
    assert turn.turn() == ["lock", "begin"]


@pytest.mark.parametrize(
    "error", [Conflict("no", code="TokenAlreadyExistsException"), NetworkError("n"), Unavailable("u"), BadRequest("b")]
)
def test_any_other_no_is_passed_on(error: AwsError) -> None:
    with pytest.raises(type(error)):
        Turn(error).turn()


def test_who_is_asked_to_stop_begins_nothing() -> None:
    turn = Turn(None)
    turn.world.stop.set()
    with pytest.raises(Interrupted):
        turn.turn()
    assert turn.asked == []


class Templates(Following):
    """`still_ours`. `looks`: the template that each look finds; None: no set."""

    def __init__(self, *looks: str | None) -> None:
        super().__init__()
        self.looks = list(looks)

    @property
    def template(self) -> dict[str, Any]:
        return {"Resources": {"A": {}}}

    def describe(self) -> Any:
        look = self.looks.pop(0)
        return None if look is None else SimpleNamespace(template_body=look)


OURS, THEIRS = '{"Resources": {"A": {}}}', '{"Resources": {"B": {}}}'


def test_the_template_of_a_set_is_looked_at_until_it_is_ours_and_not_for_ever() -> None:
    at_once = Templates(OURS)
    at_once.still_ours()
    assert at_once.world.polls == []
    late = Templates(THEIRS, None, OURS)
    late.still_ours()
    assert late.world.polls == [0, 1]
    theirs = Templates(*[THEIRS] * OWN_POLLS, OURS)
    with pytest.raises(Moved) as refused:
        theirs.still_ours()
    assert "another template" in refused.value.differences[0] and len(theirs.looks) == 1


@pytest.mark.parametrize(
    ("operation", "real", "status", "kinds"),
    [
        ("update", "none", "CURRENT", ["create"]),
        ("update", "none", "OUTDATED", ["update", "create"]),
        ("update", "update", "CURRENT", ["update", "create"]),
        ("instances", "none", "CURRENT", ["update", "create"]),
    ],
)
def test_an_update_is_left_out_only_if_its_real_values_change_nothing_and_every_instance_is_current(
    operation: str, real: str, status: str, kinds: list[str]
) -> None:
    class Needless(Following):
        def without_instances(self, *_: Any) -> Any:
            return None, SimpleNamespace(operation=real)

    following = Needless()
    following.steps = (step("update"), step("create"))
    instances = (SimpleNamespace(status=status, action="update"), SimpleNamespace(status="OUTDATED", action="remove"))
    following.plan = SimpleNamespace(operation=operation, instances=instances)
    assert [each.kind for each in following.without_needless(None, Inputs())] == kinds


def test_an_operation_is_begun_if_aws_knows_it() -> None:
    class Known(Following):
        is_begun = StackSetExecution.is_begun

        def stack_set_operation(self, name: str, operation_id: str, *, call_as: str) -> Any:
            if operation_id == "op":
                return None
            raise NotFound("no such operation")

    assert Known().is_begun(step()) is True and Known().is_begun(dataclasses.replace(step(), id="other")) is False


def test_instances_that_are_known_by_their_unit_alone_are_reached_by_it() -> None:
    from assembly.model import OperationPreferences
    from planning.model import InstancePlan
    from rollout.stackset_operations import steps_of

    wheres = (("", "ou-a"), ("", "ou-b"), ("1", "ou-a"), ("2", ""))
    plan: Any = SimpleNamespace(
        operation="create",
        stack="s",
        preferences=OperationPreferences(),
        instances=tuple(InstancePlan(account_id=a, region="r", action="create", organizational_unit=u) for a, u in wheres),
    )
    (only,) = steps_of(plan, "digest")
    assert (only.targets.accounts, only.targets.organizational_units, only.instances) == (("1", "2"), ("ou-a", "ou-b"), 4)


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_template_goes_with_the_request_up_to_the_documented_size_and_by_the_bucket_above_it() -> None:
    following = Following()
    anything: Any = following.run
    anything.assembly = SimpleNamespace(artifact_bucket="b", account_id="1", home_region="r")
    uploaded: list[int] = []

    def upload(bucket: str, body: bytes, **_: Any) -> str:
        uploaded.append(len(body))
        return "https://b/t.json"

    anything.gateways = SimpleNamespace(upload_template=upload)
    assert following.source(b"x" * INLINE_TEMPLATE_LIMIT) == {"template_body": "x" * INLINE_TEMPLATE_LIMIT} and uploaded == []
    assert following.source(b"x" * (INLINE_TEMPLATE_LIMIT + 1)) == {"template_url": "https://b/t.json"}
    assert uploaded == [INLINE_TEMPLATE_LIMIT + 1]


@pytest.mark.parametrize(
    ("kind", "method", "more"),
    [
        ("create", "create_stack_instances", {}),
        ("update_instances", "update_stack_instances", {}),
        ("adopt", "import_stacks", {"stacks": ("arn:1",)}),
        ("remove", "delete_stack_instances", {"retain_stacks": False}),
        ("retain", "delete_stack_instances", {"retain_stacks": True}),
    ],
)
def test_each_kind_of_step_is_one_call_with_the_id_that_follows_from_the_plan(kind: Any, method: str, more: dict[str, Any]) -> None:
    from assembly.model import OperationPreferences

    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    class Client:
        def __getattr__(self, name: str) -> Any:
            return lambda *given, **named: calls.append((name, given, named))

    following = Following()
    following.plan.preferences = OperationPreferences(failure_tolerance_percentage=7)
    anything: Any = Client()
    following.gateway = anything
    following.begin(step(kind), None, ("arn:1",))
    ((name, (stack_set, targets), named),) = calls
    assert (name, stack_set, named["operation_id"], named["call_as"]) == (method, "demo-a", "op", "SELF")
    assert named["preferences"]["FailureTolerancePercentage"] == 7
    assert targets == more.get("stacks", InstanceTargets(accounts=("1",), regions=("a",)))
    assert named.get("retain_stacks") == more.get("retain_stacks")


# --- what is told -----------------------------------------------------------------------------------------------------


class Telling(Following):
    """What is told of the results of one reading after the other."""

    def __init__(self, total: int, finished: dict[str, int] | None = None) -> None:
        super().__init__()
        self.total = total
        self.finished = Counter(finished or {})
        self.reports: list[Any] = []
        self.seen: dict[tuple[str, str], str] = {}
        anything: Any = self.world
        anything.now, anything.report = lambda: 5.0, self.reports.append

    def reading(self, *results: StackSetOperationResult) -> list[str]:
        """Statuses that were told one by one, and the numbers."""
        self.reports.clear()
        self.tell(results, self.seen, step())
        return [e.status if isinstance(e, Resource) else f"{e.total}: {sorted(e.counts.items())}" for e in self.reports]


def test_what_is_new_is_told_once_instance_by_instance_and_in_numbers() -> None:
    telling = Telling(2)
    assert telling.reading(result("RUNNING"), result("PENDING", "2")) == ["RUNNING", "PENDING", "2: [('PENDING', 1), ('RUNNING', 1)]"]
    assert telling.reading(result("RUNNING"), result("PENDING", "2")) == []
    assert telling.reading(result("SUCCEEDED"), result("PENDING", "2")) == ["SUCCEEDED", "2: [('PENDING', 1), ('SUCCEEDED', 1)]"]
    told = Telling(1)
    told.reading(result("FAILED", "7", "b", "no room"))
    assert told.reports == [
        Resource(at=5.0, stack="a", logical_id="7 b", resource_type="", status="FAILED", reason="no room"),
        Instances(at=5.0, stack="a", total=1, counts={"FAILED": 1}),
    ]


def test_of_many_only_failures_are_told_one_by_one() -> None:
    both = (result("SUCCEEDED"), result("FAILED", "2"))
    numbers = "[('FAILED', 1), ('SUCCEEDED', 1)]"
    assert Telling(TOLD_ONE_BY_ONE).reading(*both) == ["SUCCEEDED", "FAILED", f"{TOLD_ONE_BY_ONE}: {numbers}"]
    assert Telling(TOLD_ONE_BY_ONE + 1).reading(*both) == ["FAILED", f"{TOLD_ONE_BY_ONE + 1}: {numbers}"]


def test_instances_of_earlier_operations_are_counted_and_there_are_never_fewer_than_the_step_has() -> None:
    assert Telling(9, {"SUCCEEDED": 4}).reading(result("SUCCEEDED")) == ["SUCCEEDED", "9: [('SUCCEEDED', 5)]"]
    assert Telling(0).reading(result("SUCCEEDED")) == ["SUCCEEDED", "1: [('SUCCEEDED', 1)]"]


def test_of_many_failures_ten_are_asked_for_their_event() -> None:
    class Counting(Following):
        def event_of(self, failure: InstanceFailure) -> str:
            self.begun_steps.append(failure.account_id)
            return "why"

    counting = Counting()
    bad = tuple(InstanceFailure(account_id=str(n), region="a", status="FAILED", reason="") for n in range(EVENTS_READ + 2))
    cancelled = InstanceFailure(account_id="c", region="a", status="CANCELLED", reason="")
    found = counting.failed_outcome("FAILED", (cancelled, *bad), "")
    assert counting.begun_steps == [str(n) for n in range(EVENTS_READ)], "those that were cancelled have none"
    assert [each.event for each in found.instances] == ["", *["why"] * EVENTS_READ, "", ""]


def test_failures_that_come_one_after_the_other_are_read_together_when_it_is_time() -> None:
    polled = Polled(look(), look(failed=1), look(failed=2), look(failed=3), look("FAILED", failed=3))
    polled.follow(step())
    assert polled.read == ["", "FAILED", ""], "all at once, the first failure, and the end"
    later = Polled(look(), *[look(failed=n) for n in (1, 2, 3, 3, 3, 3, 3)], look("FAILED", failed=3))
    later.follow(step())
    assert later.read[:3] == ["", "FAILED", ""], "and everything again after its time"


def test_a_reading_counts_for_each_page_that_it_takes_and_for_one_at_the_least() -> None:
    assert [_pages((result("RUNNING"),) * n) for n in (0, 1, PAGE, PAGE + 1, 2 * PAGE + 1)] == [1, 1, 1, 2, 3]


@pytest.mark.parametrize(("regions", "steps"), [(1, [1]), (3, [3]), (10, [10]), (12, [10, 2])])
def test_stacks_are_imported_ten_at_a_time_and_every_one_of_them(regions: int, steps: list[int]) -> None:
    from planning.model import InstancePlan
    from rollout.stackset_operations import steps_of

    names = [f"r{number:02}" for number in range(regions)]
    instances = tuple(InstancePlan(account_id=account, region=name, action="adopt") for account in ("1", "2") for name in names)
    plan: Any = SimpleNamespace(operation="create", instances=instances, stack="set", preferences=SimpleNamespace(region_order=()))
    imports = [step for step in steps_of(plan, "digest") if step.kind == "adopt"]
    assert [step.instances for step in imports] == steps * 2
    assert [(a, r) for step in imports for a in step.targets.accounts for r in step.targets.regions] == [
        (each.account_id, each.region) for each in instances
    ]


@pytest.mark.parametrize(
    ("operation", "kinds", "needs"),
    [
        ("instances", ("create", "update_instances"), False),
        ("instances", ("create", "adopt"), True),
        ("update", (), True),
        ("create", ("create",), True),
    ],
)
def test_parameters_are_needed_where_a_set_or_a_stack_is_made_or_changed(operation: str, kinds: tuple[str, ...], needs: bool) -> None:
    execution: Any = object.__new__(StackSetExecution)
    execution.plan, execution.steps = SimpleNamespace(operation=operation), [SimpleNamespace(kind=kind) for kind in kinds]
    assert execution.needs_inputs is needs


def test_a_set_without_instances_is_updated_by_one_operation_on_none() -> None:
    from aws.cloudformation.stack_sets import InstanceTargets
    from rollout.stackset_operations import steps_of

    plan: Any = SimpleNamespace(operation="update", instances=(), stack="set", preferences=SimpleNamespace(region_order=()))
    (only,) = steps_of(plan, "digest")
    assert (only.kind, only.targets, only.instances) == ("update", InstanceTargets(), 0)
