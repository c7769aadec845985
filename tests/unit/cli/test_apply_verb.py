"""The words of apply: who may approve what, what a run looks like while it runs and when it is over."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guards.checkout import commit_of
from planning.model import Options, Plan, sealed
from planning.removals import Removal
from review.outcome_view import ended
from review.progress_view import chart, duration, last_line, shown, summary
from rollout.apply import Applied
from rollout.diagnosis import Diagnosis, FailedResource
from rollout.outcome import ContentOutcome, InstanceFailure, Outcome, StackRemoved
from rollout.progress import ApplyProgress, Event, Finished, Instances, Note, Resource, Started
from session.context import USAGE, CommandError, Context
from tests.golden_files import assert_golden
from tests.simulated import Small, small_assembly
from verbs.apply import add_arguments, approve, removal_approved


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def plan(*, protected: bool = False) -> Plan:
    return sealed(
        Plan(
            environment="prod" if protected else "dev",
            project="demo",
            account_id="123456789012",
            protected=protected,
            assembly_digest="a" * 64,
            created_at="2026-11-22T10:00:00Z",
            created_by="me",
            options=Options(),
            stacks=(),
        )
    )


def arguments(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["--env", "dev", *given])


def asked(the_plan: Plan, answer: str | None, *given: str) -> str:
    """What was asked; raises `CommandError` if it was not approved. No answer: no terminal."""
    stderr = io.StringIO()
    context = Context(stdin=io.StringIO("y\nprod\n") if answer is None else Terminal(answer), stderr=stderr)
    approve(arguments(*given), context, the_plan)
    return stderr.getvalue()


@pytest.mark.parametrize(
    ("protected", "answer", "given", "approved"),
    [
        (False, "y\n", (), True),
        (False, "YES\n", (), True),
        (False, "\n", (), False),
        (False, "n\n", (), False),
        (False, "", (), False),
        (False, None, (), False),
        (False, None, ("--yes",), True),
        (True, "prod\n", (), True),
        (True, "y\n", (), False),
        (True, "Prod\n", (), False),
        (True, "prod\n", ("--yes",), True),
        (True, "y\n", ("--yes",), False),
        (True, None, ("--yes",), False),
        (True, None, (), False),
    ],
)
def test_who_approves_what(protected: bool, answer: str | None, given: tuple[str, ...], approved: bool) -> None:
    the_plan = plan(protected=protected)
    if approved:
        asked(the_plan, answer, *given)
    else:
        with pytest.raises(CommandError) as refused:
            asked(the_plan, answer, *given)
        assert refused.value.command.startswith("python deploy.py apply --env ")
        if answer is None:
            assert refused.value.status == USAGE


def with_removal(*, protected: bool = False, remove: bool = False) -> Plan:
    edge = Removal(
        stack="edge",
        kind="stack",
        stack_name="demo-edge",
        account_id="1",
        region="r",
        role_arn=None,
        arn="a",
        status="CREATE_COMPLETE",
        protected=protected,
    )
    return sealed(msgspec.structs.replace(plan(), removals=(edge,), options=Options(remove=remove)))


@pytest.mark.parametrize(
    ("answer", "given", "protected", "approved"),
    [
        ("delete\n", (), False, True),
        ("y\n", (), False, False),
        ("\n", (), False, False),
        ("delete\n", ("--yes",), False, False),
        ("delete\n", ("--approve", "0" * 12), False, False),
        ("delete\n", (), True, False),
        (None, (), False, False),
    ],
)
def test_only_a_word_at_the_terminal_deletes_what_the_plan_left_open(
    answer: str | None, given: tuple[str, ...], protected: bool, approved: bool
) -> None:
    context = Context(stdin=io.StringIO("delete\n") if answer is None else Terminal(answer), stderr=io.StringIO())
    assert removal_approved(arguments(*given), context, with_removal(protected=protected)) is approved


def test_a_removal_that_was_planned_is_covered_by_the_plans_digest_and_not_asked_about_again() -> None:
    asked_for, left_open = with_removal(remove=True), with_removal()
    assert asked_for.has_changes and not left_open.has_changes
    assert asked_for.digest != left_open.digest
    stderr = io.StringIO()
    assert not removal_approved(arguments(), Context(stdin=Terminal("delete\n"), stderr=stderr), asked_for)
    assert stderr.getvalue() == ""


def test_a_digest_approves_exactly_its_plan() -> None:
    for protected in (False, True):
        the_plan = plan(protected=protected)
        assert asked(the_plan, None, "--approve", the_plan.digest) == ""
        assert asked(the_plan, None, "--approve", the_plan.digest[:12]) == ""
        with pytest.raises(CommandError, match="but the plan is"):
            asked(the_plan, None, "--approve", "0" * 64)


def test_the_commit_of_a_directory_that_is_no_checkout_is_empty(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""


# --- progress ---------------------------------------------------------------------------------------------------------


def events() -> list[Event]:
    def resource(at: float, logical_id: str, status: str, reason: str = "", kind: str = "AWS::SSM::Parameter") -> Resource:
        return Resource(at=at, stack="site", logical_id=logical_id, resource_type=kind, status=status, reason=reason)

    return [
        Note(at=0, text="base makes the lock table, so it is applied first and without the lock"),
        Started(at=1, stack="site", operation="update", resources=2, expected_seconds=75),
        resource(2, "demo-site", "UPDATE_IN_PROGRESS", kind="AWS::CloudFormation::Stack"),
        resource(2, "Bucket", "UPDATE_IN_PROGRESS"),
        resource(3, "Bucket", "UPDATE_COMPLETE"),
        resource(4, "Bucket", "UPDATE_COMPLETE"),
        resource(5, "Distribution", "UPDATE_FAILED", "Invalid request"),
        resource(6, "demo-site", "UPDATE_ROLLBACK_IN_PROGRESS", kind="AWS::CloudFormation::Stack"),
        Finished(at=80, stack="site", result="failed", status="UPDATE_ROLLBACK_COMPLETE", seconds=79),
        Started(at=81, stack="dns", operation="create", resources=1, expected_seconds=0.04, resumed=True),
        Finished(at=82, stack="dns", result="succeeded", seconds=1),
    ]


def test_the_board_counts_each_resource_once() -> None:
    progress = ApplyProgress(("site", "dns"))
    for event in events():
        progress.tell(event)
    line = progress.lines["site"]
    assert (line.total, sorted(line.done), line.rolling_back, line.result) == (2, ["Bucket"], True, "failed")
    assert line.elapsed(1000) == 79


def test_plain_lines_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with shown(("site", "dns"), stream, live=False, colour=False, now=lambda: 90.0) as report:
        for event in events():
            report(event)
    assert_golden("apply/progress.txt", stream.getvalue())
    assert "\x1b" not in stream.getvalue()


def test_live_lines_on_a_terminal_have_no_colour_against_the_users_wish() -> None:
    for colour in (True, False):
        stream = Terminal()
        with shown(("site", "dns"), stream, live=True, colour=colour, now=lambda: 90.0) as report:
            for event in events():
                report(event)
        text = stream.getvalue()
        assert "1/2" in text
        assert "rolling back" in text or "failed" in text
        assert ("\x1b[1;31m" in text or "\x1b[32m" in text) == colour


def outcome(stack: str, result: Any, **more: Any) -> Outcome:
    return Outcome(
        stack=stack,
        stack_name=f"demo-{stack}",
        kind=more.pop("kind", "stack"),
        account_id="123456789012",
        region="eu-west-1",
        operation=more.pop("operation", "update"),
        result=result,
        **more,
    )


def failed_run() -> Applied:
    cause = FailedResource(
        logical_id="Distribution",
        resource_type="AWS::CloudFront::Distribution",
        physical_id="E1",
        status="UPDATE_FAILED",
        reason="Invalid",
        at="",
    )
    other = FailedResource(
        logical_id="Policy", resource_type="AWS::S3::BucketPolicy", physical_id="", status="UPDATE_FAILED", reason="Denied", at=""
    )
    diagnosis = Diagnosis(
        status="UPDATE_ROLLBACK_FAILED",
        cause=cause,
        others=(other,),
        cancelled=2,
        explanation="the rollback itself got stuck",
        command="python deploy.py doctor --env dev --fix",
    )
    return Applied(
        environment="dev",
        plan_digest="p" * 64,
        assembly_digest="a" * 64,
        result="failed",
        started=1000,
        seconds=200,
        command="python deploy.py doctor --env dev --fix",
        stacks=(
            outcome("base", "unchanged", operation="none"),
            outcome("certificate", "succeeded", started=1000.0, seconds=100.0, outputs={"Arn": "arn:aws:acm:x"}),
            outcome(
                "logs",
                "failed",
                kind="stackset",
                started=1100.0,
                seconds=20.0,
                message="123456789012 us-east-2: no role",
                instances=(InstanceFailure(account_id="123456789012", region="us-east-2", status="FAILED", reason="no role"),),
            ),
            outcome(
                "site",
                "failed",
                started=1100.0,
                seconds=100.0,
                status="UPDATE_ROLLBACK_FAILED",
                diagnosis=diagnosis,
                message="Distribution (AWS::CloudFront::Distribution): Invalid",
            ),
            outcome("edge", "refused", message="it would do something else", differences=("Extra: would be added",)),
            outcome("slow", "running", started=1100.0, seconds=100.0, message="stopped as asked"),
            outcome("dns", "not_started", message="because of site"),
        ),
    )


def test_the_end_tells_causes_what_still_runs_and_what_to_type() -> None:
    assert_golden("apply/failed.txt", summary(failed_run()) + "\n")


def test_the_end_stands_in_lines() -> None:
    applied = msgspec.structs.replace(failed_run(), result="succeeded")
    assembly, _ = small_assembly(Small(id="site", template={"Resources": {}}))
    told = ended(assembly, applied, local=True)
    assert told.startswith(summary(applied) + "\n") and "\\n" not in told
    assert "next: " in told[len(summary(applied)) :], "what stands comes after it"


def test_the_count_has_what_was_deleted() -> None:
    gone = StackRemoved(stack="edge", kind="stack", stack_name="demo-edge", account_id="123456789012", region="us-east-1", result="removed")
    removals = (gone, msgspec.structs.replace(gone, stack="logs", result="kept"))
    assert last_line(msgspec.structs.replace(failed_run(), removals=removals, stacks=())).endswith(": 1 deleted.")


def with_content(content: ContentOutcome, result: Any = "succeeded") -> Applied:
    return msgspec.structs.replace(failed_run(), result=result, stacks=failed_run().stacks[:2], content=content, command=content.command)


PUBLISHED = ContentOutcome(
    result="succeeded",
    bucket="dev-demo-web",
    started=1100.0,
    seconds=50.0,
    release=8,
    content="c" * 64,
    written=3,
    written_bytes=4_321,
    kept=14,
    command="python deploy.py verify --env dev",
)


def test_the_end_tells_what_became_of_the_content() -> None:
    slow = msgspec.structs.replace(PUBLISHED, invalidation="I2J0I21PCUYOIK", invalidation_done=False)
    moved = ContentOutcome(
        result="refused",
        started=1100.0,
        seconds=1.0,
        message="release 7 went live after the plan was made",
        command="python deploy.py plan --env dev",
    )
    same = msgspec.structs.replace(PUBLISHED, result="unchanged", written=0, seconds=0.2)
    shown = [with_content(PUBLISHED), with_content(slow), with_content(same), with_content(moved, "failed")]
    assert_golden("apply/content.txt", "\n\n".join(summary(applied) for applied in shown) + "\n")


def test_content_is_part_of_the_progress() -> None:
    stream = io.StringIO()
    with shown(("site", "content"), stream, live=False, colour=False, now=lambda: 90.0) as report:
        report(Started(at=1, stack="content", operation="publish", resources=60))
        report(Note(at=1, stack="content", text="immutable files: 60 files, 1.2 MB"))
        for done in range(1, 61):
            report(Instances(at=1 + done, stack="content", total=60, counts={"SUCCEEDED": done, "PENDING": 60 - done}))
        report(Finished(at=62, stack="content", result="succeeded", seconds=61))
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["content: publish (60 to change)", "content: immutable files: 60 files, 1.2 MB"]
    assert lines[-1] == "content: succeeded after 1 min 01 s"
    assert 10 <= len(lines) - 3 <= 12, "one line a tenth, not one a file"


def test_the_chart_is_to_scale() -> None:
    lines = chart(failed_run())
    bars = {line.split()[0]: line for line in lines}
    assert bars["certificate"].count("#") == 20
    assert bars["logs"].count("#") == 4
    assert bars["site"].index("#") - bars["certificate"].index("#") == 20
    assert "dns" not in bars
    assert chart(msgspec.structs.replace(failed_run(), stacks=())) == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.96, "10.0 s"), (12.4, "12 s"), (185, "3 min 05 s"), (3725, "1 h 02 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
