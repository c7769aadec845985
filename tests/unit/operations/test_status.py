"""Status and history: what is said of every stack, of what was applied, and of what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from aws.errors import AccessDenied, NotFound
from operations.status import Deployed, Status, age, read_status, status_lines
from rollout.history import Record
from tests.golden_files import assert_golden
from tests.scripted import Scripted, ScriptedAws
from tests.simulated import ACCOUNT, Small, small_assembly, stackset
from verbs.history import lines

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TEMPLATE = {"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}
DEPLOYED = Deployed(assembly_digest="a" * 64, commit="c" * 40, at="2026-11-21T09:00:00Z", by="arn:aws:iam::1:user/ann", result="succeeded")


def described(name: str, status: str, **more: Any) -> dict[str, Any]:
    base = {"StackName": name, "StackId": f"arn:{name}", "StackStatus": status, "CreationTime": "2026-11-22T09:00:00Z"}
    return {"Stacks": [base | more]}


def read(deployed: Deployed | None = DEPLOYED, history_error: str = "", **regions: Any) -> Status:
    assembly, templates = small_assembly(
        Small(id="one", template=TEMPLATE, region="eu-west-1"),
        Small(id="two", template=TEMPLATE, region="eu-west-2"),
        Small(id="logs", template=TEMPLATE, region="us-east-1", more={"stackset": stackset("eu-west-1", "eu-west-2")}),
        Small(id="three", template=TEMPLATE, region="eu-west-3"),
    )
    aws = ScriptedAws({("cloudformation", region.replace("_", "-")): client for region, client in regions.items()})
    return read_status(assembly, templates, aws, deployed=deployed, history_error=history_error, now=NOW)


def formation(**script: Any) -> Scripted:
    return Scripted(**{"get_template": {"TemplateBody": TEMPLATE}, "list_change_sets": {"Summaries": []}, **script})


def mixed(**more: Any) -> Status:
    drift = {"StackDriftStatus": "DRIFTED", "LastCheckTimestamp": "2026-11-19T10:00:00Z"}
    waiting = {
        "ChangeSetName": "plan-test-1",
        "ChangeSetId": "arn:1",
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "CreationTime": "2026-11-22T09:30:00Z",
    }
    executed = {"ChangeSetName": "plan-test-0", "ChangeSetId": "arn:0", "Status": "CREATE_COMPLETE", "ExecutionStatus": "EXECUTE_COMPLETE"}
    return read(
        eu_west_1=formation(
            describe_stacks=described("demo-test-one", "UPDATE_COMPLETE", DriftInformation=drift, LastUpdatedTime="2026-11-20T10:00:00Z"),
            list_change_sets={"Summaries": [waiting, executed]},
        ),
        eu_west_2=formation(
            describe_stacks=described("demo-test-two", "UPDATE_ROLLBACK_FAILED", StackStatusReason="Bucket failed"),
            get_template={"TemplateBody": {"Resources": {}}},
        ),
        us_east_1=Scripted(
            describe_stack_set={
                "StackSet": {
                    "StackSetName": "demo-test-logs",
                    "Status": "ACTIVE",
                    "TemplateBody": '{"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}',
                }
            },
            list_stack_instances={
                "Summaries": [
                    {"Account": ACCOUNT, "Region": r, "Status": s} for r, s in (("eu-west-1", "CURRENT"), ("eu-west-2", "OUTDATED"))
                ]
            },
            list_stack_set_operations={"Summaries": [{"Action": "UPDATE", "Status": "RUNNING", "OperationId": "o"}]},
        ),
        eu_west_3=Scripted(
            describe_stacks=AccessDenied("User is not authorized", code="AccessDenied", hint="python deploy.py doctor --env test")
        ),
        **more,
    )


def test_every_stack_is_told_and_one_that_cannot_be_read_does_not_hide_the_others_golden() -> None:
    status = mixed()
    assert not status.healthy
    assert [s.as_built for s in status.stacks] == [True, False, True, None]
    assert [c.name for c in status.stacks[0].pending] == ["plan-test-1"]
    assert_golden("status/mixed.txt", "\n".join(status_lines(status)) + "\n")


def nothing() -> dict[str, Any]:
    gone = Scripted(describe_stacks=NotFound("does not exist"), describe_stack_set=NotFound("no set"))
    return dict.fromkeys(("eu_west_1", "eu_west_2", "us_east_1", "eu_west_3"), gone)


def test_before_the_first_deployment_all_is_well_golden() -> None:
    status = read(deployed=None, **nothing())
    assert status.healthy
    assert_golden("status/nothing.txt", "\n".join(status_lines(status)) + "\n")


def test_a_publish_that_was_cut_short_is_said() -> None:
    said = status_lines(msgspec.structs.replace(mixed(), content="ann on laptop began a publish at 10:00"))
    assert "content: ann on laptop began a publish at 10:00; the same command again goes on from there" in said
    assert said[said.index("next: python deploy.py releases --env test") - 1].startswith("content: ann")


def test_after_a_destroy_the_last_version_is_not_said_to_be_there() -> None:
    assert "nothing of it is deployed now" in "\n".join(status_lines(read(**nothing())))
    assert "nothing of it" not in "\n".join(status_lines(mixed()))


def test_what_a_killed_apply_has_left_undone_is_said_though_its_assembly_was_applied_before() -> None:
    def after_kill(regions: tuple[str, ...], two: dict[str, Any]) -> list[str]:
        one = formation(describe_stacks=described("demo-test-one", "CREATE_COMPLETE"))
        live = {"StackSetName": "demo-test-logs", "Status": "ACTIVE", "TemplateBody": msgspec.json.encode(TEMPLATE).decode()}
        logs = Scripted(
            describe_stack_set={"StackSet": live},
            list_stack_instances={"Summaries": [{"Account": ACCOUNT, "Region": r, "Status": "CURRENT"} for r in regions]},
            list_stack_set_operations={"Summaries": []},
        )
        first = read(eu_west_1=one, eu_west_2=formation(**two), us_east_1=logs, eu_west_3=one)
        again = DEPLOYED.__class__(assembly_digest=first.assembly_digest, at=DEPLOYED.at, result="succeeded")
        return list(status_lines(msgspec.structs.replace(first, deployed=again)))

    both, made = ("eu-west-1", "eu-west-2"), {"describe_stacks": described("demo-test-two", "CREATE_COMPLETE")}
    whole = after_kill(both, made)
    assert whole[-1].startswith("applied: assembly ")
    assert after_kill(both, {"describe_stacks": NotFound("does not exist")})[-2:] == [
        "unfinished: two: an apply or a destroy was cut short",
        "next: python deploy.py plan --env test",
    ]
    half = after_kill(both[:1], made)
    assert any("1 current, 1 missing" in line for line in half)
    assert half[-2].startswith("unfinished: logs: ")
    none = after_kill((), made)
    assert any("2 missing" in line for line in none)
    assert none[-2].startswith("unfinished: logs: ")
    differs = after_kill(both, made | {"get_template": {"TemplateBody": {"Resources": {}}}})
    assert differs[-2].startswith("unfinished: two: ")


def test_a_history_that_cannot_be_read_is_said_and_is_not_healthy() -> None:
    status = read(deployed=None, history_error="s3 ListObjectsV2: AccessDenied", **nothing())
    assert not status.healthy
    assert "cannot be read: s3 ListObjectsV2" in "\n".join(status_lines(status))


@pytest.mark.parametrize(
    ("then", "text"),
    [
        ("2026-11-22T09:59:57Z", "3 s"),
        ("2026-11-22T09:48:00+00:00", "12 min"),
        ("2026-11-22T05:00:00", "5 h"),
        ("2026-10-13T10:00:00Z", "40 d"),
        ("2026-11-22T11:00:00Z", "0 s"),
        ("", "-"),
        ("soon", "-"),
    ],
)
def test_age(then: str, text: str) -> None:
    assert age(then, NOW) == text


def record(digest: str, at: str, result: Any = "succeeded") -> Record:
    return Record(
        environment="test",
        project="demo",
        assembly_digest=digest,
        plan_digest="p" * 64,
        git_commit="",
        by="arn:aws:iam::1:user/ann",
        host="laptop",
        started_at=at,
        seconds=61.4,
        result=result,
    )


def test_history_golden() -> None:
    past = (record("b" * 64, "2026-11-22T10:00:00Z", "failed"), record("a" * 64, "2026-11-21T10:00:00Z"))
    assert_golden("status/history.txt", "\n".join(lines(past, "test")) + "\n")
    assert lines((), "test") == ("nothing was applied to test yet",)


def test_what_no_update_carries_is_no_difference() -> None:
    """Else status says "differs" for ever, while plan says "no changes"."""
    from operations.status import _same

    built = b'{"Description":"b","Parameters":{"P":{"Type":"String","AllowedPattern":"b"}},"Resources":{"R":{"Type":"T"}}}'
    deployed = '{"Description":"a","Parameters":{"P":{"Type":"String","AllowedPattern":"a"}},"Resources":{"R":{"Type":"T"}}}'
    assert _same(deployed, built) is True
    assert _same(deployed.replace('"T"', '"U"'), built) is False
    assert _same(deployed.replace('"Type":"String"', '"Type":"String","Default":"x"'), built) is False
