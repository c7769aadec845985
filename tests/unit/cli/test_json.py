"""`--json` is one envelope, whatever the verb and whatever goes wrong; docs/json-schema.json describes it."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from assembly.envelope import Answer, Envelope
from cli.main import BEGUN, CHANGING, CHANGING_WITH, UNCHANGED, guarded, main, may_change
from cli.parser import module_of, parser_of, verbs
from docs import json_schema
from operations import preflight
from review.next_command import NextCommand, options_of
from session.context import FAILED, INTERRUPTED, OK, PENDING, USAGE, CommandError, Context
from tests.envelopes import envelope


def context() -> Context:
    return Context(stdout=io.StringIO(), stderr=io.StringIO(), environ={})


def printed(made: Context) -> str:
    stream: Any = made.stdout
    return str(getattr(stream, "below", stream).getvalue())


def test_the_schema_is_current_and_a_schema() -> None:
    assert json_schema.FILE.read_text(encoding="utf-8") == json_schema.schema_text(), "python docs/json_schema.py"
    Draft202012Validator.check_schema(json.loads(json_schema.FILE.read_bytes()))


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_has_json_and_says_what_its_data_is(verb: str) -> None:
    assert "--json" in options_of(parser_of(verb))
    assert module_of(verb).DATA


@pytest.mark.parametrize(
    ("arguments", "verb", "word"),
    [
        (["plam", "--env", "dev", "--json"], "plam", "did you mean plan?"),
        (["plan", "--evn", "dev", "--json"], "plan", "did you mean --env?"),
        (["plan", "--json"], "plan", "--env"),
        (["logs", "--env", "dev", "--since", "yesterday", "--json"], "logs", "--since"),
        (["outputs", "--env", "dev", "--raw", "--json"], "outputs", "not allowed with"),
    ],
)
def test_errors_of_usage_are_envelopes_too(arguments: list[str], verb: str, word: str) -> None:
    made = context()
    assert main(arguments, ("verbs",), made) == USAGE
    told = envelope(printed(made))
    assert (told["verb"], told["exit_status"], told["data"]) == (verb, USAGE, None)
    assert word in " ".join(problem["message"] for problem in told["problems"])
    assert all(problem["code"] == "usage" for problem in told["problems"])


def test_what_people_are_told_to_type_machines_are_told_too() -> None:
    made = context()

    def run() -> int:
        made.answers({"a": 1}, "done\n  next: python deploy.py plan --env dev\n  hint: and wait", machine=True)
        made.say_next("python deploy.py verify --env dev")
        return PENDING

    guarded(run, made, machine=True, verb="nothing-there-is")
    told = envelope(printed(made))
    assert told["next"] == ["python deploy.py plan --env dev", "python deploy.py verify --env dev"]
    assert (told["hints"], told["ok"], told["data"]) == (["and wait"], True, {"a": 1})


def test_an_error_keeps_its_code_and_every_problem() -> None:
    made = context()

    def run() -> int:
        raise CommandError("one", "two", command="python build.py --env dev\nlook", code="stale", status=USAGE)

    assert guarded(run, made, machine=True, verb="plan") == USAGE
    one, two = envelope(printed(made))["problems"]
    assert (one["code"], one["message"], one["next"]) == ("stale", "one", [])
    assert (two["next"], two["hints"]) == (["python build.py --env dev"], ["look"])


def test_nothing_went_wrong_without_a_problem() -> None:
    for status, ok, code in ((OK, True, ""), (PENDING, True, ""), (FAILED, False, "failed"), (INTERRUPTED, False, "interrupted")):
        told = Answer().envelope("plan", status)
        assert (told.ok, [p.code for p in told.problems]) == (ok, [code] if code else [])


@pytest.mark.parametrize(
    ("typed", "changes"),
    [
        (("plan",), False),
        (("status",), False),
        (("publish", "--content", "x"), True),
        (("publish", "--content", "x", "--dry-run"), False),
        (("doctor",), False),
        (("doctor", "--fix"), True),
        (("verify", "--record"), True),
    ],
)
def test_an_interrupt_says_in_which_state_things_are(typed: tuple[str, ...], changes: bool) -> None:
    assert may_change(parser_of(typed[0]).read((*typed[1:], "--env", "dev"))) is changes
    made = context()

    def run() -> int:
        raise KeyboardInterrupt

    assert guarded(run, made, machine=True, verb=typed[0], interrupted=BEGUN if changes else UNCHANGED) == INTERRUPTED
    [problem] = envelope(printed(made))["problems"]
    assert problem["code"] == "interrupted" and ("same command" in problem["message"]) is changes


def test_what_asks_iam_before_it_changes_something_is_known_to_change_something() -> None:
    assert preflight._NEEDS.keys() - {"plan", "adopt"} <= CHANGING | CHANGING_WITH.keys() <= verbs().keys()


class Slow(Answer):
    """The first time that it is asked for its envelope, somebody types Ctrl-C."""

    asked = 0

    def envelope(self, verb: str, status: int) -> Envelope:
        self.asked += 1
        if self.asked == 1:
            raise KeyboardInterrupt
        return super().envelope(verb, status)


def test_an_interrupt_while_the_envelope_is_made_leaves_one() -> None:
    made = dataclasses.replace(context(), answer=Slow())
    assert guarded(lambda: guarded(lambda: OK, made, machine=True, verb="runbook"), made, machine=True, verb="runbook") == INTERRUPTED
    assert envelope(printed(made))["exit_status"] == INTERRUPTED


def test_in_a_local_run_a_command_for_aws_is_a_hint() -> None:
    made = dataclasses.replace(context(), next_command=NextCommand(carried=(("--local", None),)))

    def run() -> int:
        made.answer.steps.append("aws iam get-role --role-name x")
        raise CommandError("one", command="aws sts get-caller-identity")

    guarded(run, made, machine=True, verb="doctor")
    told = envelope(printed(made))
    assert (told["next"], told["hints"]) == ([], ["on AWS, not here: aws iam get-role --role-name x"])
    assert (told["problems"][0]["next"], told["problems"][0]["hints"]) == ([], ["on AWS, not here: aws sts get-caller-identity"])


def test_the_envelope_is_written_once() -> None:
    made = context()

    def run() -> int:
        made.write_answer("preview", OK, compact=True)
        raise KeyboardInterrupt

    assert guarded(run, made, machine=True, verb="preview") == INTERRUPTED
    assert len(printed(made).splitlines()) == 1


@pytest.mark.parametrize("program", [["build.py"], ["-m", "lint"]])
def test_usage_errors_of_the_other_programs(program: list[str]) -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, *program, "--jsn", "--json"], cwd=root, capture_output=True, text=True, check=False, timeout=180)
    told = envelope(done.stdout)
    assert (done.returncode, told["exit_status"]) == (USAGE, USAGE)
    assert told["verb"] == program[-1].removesuffix(".py")
    assert "Traceback" not in done.stderr
