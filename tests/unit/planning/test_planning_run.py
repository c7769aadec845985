"""A planning run: what is looked at beside it, what it leaves behind, how it stops, and the words of its refusals."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from aws.errors import AccessDenied
from planning.cleanup import _to_be_made
from planning.importing import shown
from planning.model import Finding
from planning.removal_checks import in_the_way
from planning.removals import Removal
from planning.request import PlanError, Stopped
from planning.run import Made, PlanningRun
from templates.values import Known, Redacted


class Gateway:
    """CloudFormation, as far as a run clears up."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.deleted = error, list[str]()

    def delete_change_set(self, arn: str, stack: str) -> None:
        if self.error is not None:
            raise self.error
        self.deleted.append(arn)

    def delete_reviewed_stack(self, stack: str, **_: Any) -> None:
        self.deleted.append(stack)


def made(gateway: Gateway, arn: str, *, stack: bool = False) -> Made:
    anything: Any = gateway
    created: Any = SimpleNamespace(arn=arn, stack_arn=f"stack of {arn}")
    return Made(gateway=anything, created=created, made_stack=stack)


def run(measured: Any = dict, stop: threading.Event | None = None) -> PlanningRun:
    request: Any = SimpleNamespace(measured=measured)
    nothing: Any = None
    return PlanningRun(request, nothing, nothing, lambda *_: None, stop or threading.Event())


def test_whatever_is_not_kept_goes_with_the_stack_that_was_made_for_it() -> None:
    gateway = Gateway()
    with run() as planning:
        planning.record(made(gateway, "a"))
        planning.record(made(gateway, "b", stack=True))
        planning.forget("a")
        assert gateway.deleted == ["a"]
    assert gateway.deleted == ["a", "b", "stack of b"]


def test_what_is_kept_stays_and_a_no_hides_nothing() -> None:
    gateway, closed = Gateway(), Gateway(AccessDenied("not you"))
    with run() as planning:
        planning.record(made(gateway, "a"))
        planning.keep()
    assert gateway.deleted == []
    with pytest.raises(ZeroDivisionError), run() as planning:
        planning.record(made(closed, "a"))
        planning.record(made(gateway, "b"))
        raise ZeroDivisionError
    assert gateway.deleted == ["b"]


def test_who_is_asked_to_stop_stops_at_the_next_check() -> None:
    stop = threading.Event()
    planning = run(stop=stop)
    planning.check()
    stop.set()
    with pytest.raises(Stopped):
        planning.check()


def test_a_look_beside_the_planning_is_made_once_and_its_error_is_not_lost() -> None:
    looks: list[int] = []

    def look() -> list[Finding]:
        looks.append(1)
        return [Finding(severity="note", code="seen", message="m")]

    with run() as planning:
        planning.beside(look)
        planning.beside(look)
        assert [f.code for f in planning.looked()] == ["seen"] and looks == [1]

    def refuse() -> list[Finding]:
        raise AccessDenied("not you")

    with run() as planning, pytest.raises(AccessDenied):
        planning.beside(refuse)
        planning.looked()


def test_how_long_things_took_is_asked_once_and_only_if_something_changes() -> None:
    asked: list[int] = []

    def measured() -> dict[tuple[str, str], float]:
        asked.append(1)
        return {("a", "update"): 7.0}

    with run(measured) as planning:
        assert planning.measured() == {} and asked == []
        planning.measure()
        planning.measure()
        assert planning.measured() == {("a", "update"): 7.0} and asked == [1]

    def refuse() -> Any:
        raise AccessDenied("not you")

    with run(refuse) as planning:
        planning.measure()
        assert planning.measured() == {}, "nothing depends on it"


def test_a_look_that_nobody_waits_for_any_more_is_not_begun() -> None:
    held, looks, begun = threading.Event(), list[int](), threading.Semaphore(0)

    def look(number: int) -> Any:
        def one() -> tuple[Finding, ...]:
            looks.append(number)
            begun.release()
            assert held.wait(180)
            return ()

        return one

    with run() as planning:
        for number in range(4):
            planning.beside(look(number))
        for _ in range(3):
            assert begun.acquire(timeout=180)
    held.set()
    for thread in [each for each in threading.enumerate() if each.name.startswith("beside")]:
        thread.join(180)
    assert sorted(looks) == [0, 1, 2]


def test_what_has_termination_protection_goes_only_if_that_was_lifted() -> None:
    each = Removal(stack="s", kind="stack", stack_name="s", account_id="1", region="r", role_arn=None, arn="a", status="X", protected=True)
    for remove, lift, protected, told in ((True, False, True, 1), (True, True, True, 0), (True, False, False, 0), (False, False, True, 0)):
        options: Any = SimpleNamespace(remove=remove, lift_protection=lift)
        found = [*in_the_way((msgspec.structs.replace(each, protected=protected),), options, "test")]
        assert [f.code for f in found] == ["termination_protection"] * told
        assert all(f.command == "python deploy.py plan --env test --remove --lift-termination-protection" for f in found)


def test_a_refusal_has_its_words_and_its_command() -> None:
    assert (str(PlanError("it makes no sense", "do this")), PlanError("x", "do this").command) == ("it makes no sense", "do this")
    assert PlanError("x").command == ""


def test_a_value_is_shown_as_far_as_a_line_goes_and_a_secret_not_at_all() -> None:
    assert shown(Known(text="x" * 80)) == "x" * 80
    assert shown(Known(text="x" * 81)) == "x" * 77 + "..." and len(shown(Known(text="x" * 81))) == 80
    assert (shown(None), shown(Redacted())) == ("nothing", "(hidden)")


@pytest.mark.parametrize(
    ("status", "kind", "busy"),
    [
        ("UPDATE_IN_PROGRESS", "stack", True),
        ("UPDATE_COMPLETE", "stack", False),
        ("REVIEW_IN_PROGRESS", "stack", False),
        ("DELETE_IN_PROGRESS", "stack", False),
        ("UPDATE_IN_PROGRESS", "stackset", False),
    ],
)
def test_a_stack_that_somebody_changes_is_not_removed_under_them(status: str, kind: Any, busy: bool) -> None:
    each = Removal(stack="s", kind=kind, stack_name="s", account_id="1", region="r", role_arn=None, arn="a", status=status)
    options: Any = SimpleNamespace(remove=True, lift_protection=False)
    assert [f.code for f in in_the_way((each,), options, "test")] == ["stack_busy"] * busy


@pytest.mark.parametrize(
    ("operation", "previewed", "read_only", "to_be_made"),
    [
        ("update", True, False, True),
        ("import", False, False, True),
        ("update", False, False, False),
        ("update", False, True, True),
        ("create", False, True, True),
        ("none", False, True, False),
        ("settings", False, True, False),
    ],
)
def test_whose_real_change_set_apply_makes(operation: str, previewed: bool, read_only: bool, to_be_made: bool) -> None:
    plan: Any = SimpleNamespace(options=SimpleNamespace(read_only=read_only))
    stack: Any = SimpleNamespace(operation=operation, previewed=previewed)
    assert _to_be_made(plan, stack) is to_be_made
