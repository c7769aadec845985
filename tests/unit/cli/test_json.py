"""`--json` is one envelope, whatever the verb and whatever goes wrong; docs/json-schema.json describes it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from assembly.envelope import Answer
from cli.main import guarded, main
from cli.parser import module_of, parser_of, verbs
from docs import json_schema
from review.next_command import options_of
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
    done = subprocess.run([sys.executable, *program, "--jsn", "--json"], cwd=root, capture_output=True, text=True, check=False, timeout=60)
    told = envelope(done.stdout)
    assert (done.returncode, told["exit_status"]) == (USAGE, USAGE)
    assert told["verb"] == program[-1].removesuffix(".py")
    assert "Traceback" not in done.stderr
