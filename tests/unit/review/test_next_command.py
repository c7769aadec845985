"""The command to type next: as it was typed, with the options of the run, none of them doubled or unknown."""

from __future__ import annotations

import argparse
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly import commands
from cli.main import main
from cli.parser import options_of_verb, parser_of, verbs
from guards.text import ours
from review.next_command import NextCommand, Programs, again
from session.context import OK, ROOT, USAGE, CommandError, Context
from session.opened import environments_known
from stacks.synthesis import synthesise
from tests import hints
from tests.envelopes import envelope
from tests.environments_fixture import environments

PASTED = Programs(deploy=("py", "../x/deploy.py"), build=("py", "../x/build.py"))


def of(*arguments: str, verb: str = "plan", programs: Programs = PASTED) -> NextCommand:
    """As a run of the verb with these arguments renders."""
    parser = parser_of(verb)
    made = NextCommand(programs=programs, parser_options=options_of_verb)
    return made.of_run(parser, parser.read(["--env", "dev", *arguments]))


LOCAL = of("--local")
ALL = of("--local", "--dist", "/a b", "--profile", "it's")


@pytest.mark.parametrize(
    ("near", "canonical", "rendered"),
    [
        (of(), "python deploy.py plan --env dev", "py ../x/deploy.py plan --env dev"),
        (LOCAL, "python deploy.py plan --env dev --only site", "py ../x/deploy.py plan --env dev --local --only site"),
        (LOCAL, "python deploy.py plan --env dev --only site --local", "py ../x/deploy.py plan --env dev --only site --local"),
        (LOCAL, "python build.py --env dev", "py ../x/build.py --env dev"),
        (LOCAL, "python deploy.py verify --help", "py ../x/deploy.py verify --help"),
        (LOCAL, "python deploy.py --help", "py ../x/deploy.py --help"),
        (ALL, "python deploy.py apply --env dev", "py ../x/deploy.py apply --env dev --local --dist '/a b' --profile 'it'\"'\"'s'"),
        (ALL, "python deploy.py preview --env dev --local", "py ../x/deploy.py preview --env dev --dist '/a b' --local"),
        (ALL, "python build.py --env dev", "py ../x/build.py --env dev --out '/a b'"),
        (
            ALL,
            "python deploy.py plan --env dev --dist=z --local",
            "py ../x/deploy.py plan --env dev --profile 'it'\"'\"'s' --dist=z --local",
        ),
        (LOCAL, "(to end it: python deploy.py stop --env dev)", "(to end it: py ../x/deploy.py stop --env dev --local)"),
        (LOCAL, "write python deploy.py plan --env dev. Then", "write py ../x/deploy.py plan --env dev --local. Then"),
        (LOCAL, "python deploy.py dr rehearse --env dev --end", "py ../x/deploy.py dr rehearse --env dev --local --end"),
        (LOCAL, "(python deploy.py status and then --env)", "(py ../x/deploy.py status and then --env)"),
        (LOCAL, "python deploy.py nothing --env dev", "py ../x/deploy.py nothing --env dev"),
        (LOCAL, "/usr/bin/python deploy.py plan --env dev", "/usr/bin/python deploy.py plan --env dev"),
        (
            LOCAL,
            "aws sso login && python deploy.py plan --env dev --only 'a b' && python deploy.py apply --env dev",
            "aws sso login && py ../x/deploy.py plan --env dev --local --only 'a b' && py ../x/deploy.py apply --env dev --local",
        ),
        (NextCommand(), "python deploy.py plan --env dev", "python deploy.py plan --env dev"),
    ],
)
def test_a_command_is_rendered_once_and_completely(near: NextCommand, canonical: str, rendered: str) -> None:
    assert near.in_text(canonical) == rendered


def test_what_a_template_says_is_shown_as_it_is_deployed() -> None:
    """Alarms and dashboards hold commands too; a review that adds --local to them shows what AWS never gets."""
    texts = [
        text
        for environment in environments().values()
        for data in synthesise(environment).templates.values()
        for resource in json.loads(data)["Resources"].values()
        if resource["Type"].startswith("AWS::CloudWatch::")
        for text in texts_in(resource["Properties"])
        if "python " in text
    ]
    assert {True, False} == {"what to do: `" in text for text in texts}
    assert [text for text in texts if LOCAL.in_text(text) != text] == []


def texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_in(each)


def test_a_plan_in_an_envelope_is_the_one_that_its_digest_covers() -> None:
    plan = {"digest": "d", "findings": [{"command": "python deploy.py plan --env dev"}]}
    told = LOCAL.in_value({"plan": plan, "next": "python deploy.py plan --env dev"})
    assert told == {"plan": plan, "next": "py ../x/deploy.py plan --env dev --local"}


def test_documents_stay_canonical_but_never_lead_from_a_rehearsal_to_aws() -> None:
    assert ALL.in_documents.in_text("python deploy.py plan --env dev") == "python deploy.py plan --env dev --local"
    assert of("--dist", "/a b").in_documents.in_text("python deploy.py plan --env dev") == "python deploy.py plan --env dev"


def test_a_command_for_aws_is_no_next_step_of_a_rehearsal() -> None:
    told = "x\n  next: aws iam get-role --role-name x\n"
    assert LOCAL.in_text(told) == "x\n  hint: on AWS, not here: aws iam get-role --role-name x\n"
    assert LOCAL.in_text(ours("next: \x1b[36maws sts x\x1b[0m")) == ours("hint: on AWS, not here: \x1b[36maws sts x\x1b[0m")
    assert LOCAL.in_value([{"command": "aws sts x"}]) == [{"command": "on AWS, not here: aws sts x"}]
    assert of().in_text(told) == told


@given(
    verb=st.sampled_from(sorted(verbs())),
    carried=st.sets(st.sampled_from([("--local",), ("--dist", "a b"), ("--profile", "p'q")])),
    named=st.sets(st.sampled_from([("--local",), ("--dist", "x;y"), ("--profile", "$z")])),
)
def test_whatever_is_carried_the_verbs_parser_takes_it_once(verb: str, carried: set[tuple[str, ...]], named: set[tuple[str, ...]]) -> None:
    options = options_of_verb(verb)
    assert options is not None
    given_ = [word for option in sorted(named) if option[0] in options for word in option]
    near = of(*(word for option in sorted(carried) for word in option), programs=Programs())
    words = shlex.split(near.in_text(commands.deploy(verb, "dev", *given_)))
    assert words[:5] == ["python", "deploy.py", verb, "--env", "dev"]
    for option, *value in (*carried, *named):
        assert words.count(option) == (1 if option in options else 0)
        if value and option in options and (option, *value) in named:
            assert words[words.index(option) + 1] == value[0]


def test_what_cli_believes_of_build_py_is_so() -> None:
    assert hints.matches_build()


# --- as it was called ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("original", "script", "deploy", "build"),
    [
        (["python3", "deploy.py"], "deploy.py", "python3 deploy.py", "python3 build.py"),
        ([".venv/bin/python", "deploy.py"], "deploy.py", ".venv/bin/python deploy.py", ".venv/bin/python build.py"),
        ([f"{ROOT}/.venv/bin/python", f"{ROOT}/deploy.py"], f"{ROOT}/deploy.py", ".venv/bin/python deploy.py", ".venv/bin/python build.py"),
        (["/usr/bin/python3", "-I", "./deploy.py"], "./deploy.py", "/usr/bin/python3 -I ./deploy.py", "/usr/bin/python3 -I build.py"),
        (["python", "-m", "deploy"], f"{ROOT}/deploy.py", "python -m deploy", "python -m build"),
        (["python", "-c", "import x"], "-c", "/opt/python deploy.py", "/opt/python build.py"),
    ],
)
def test_the_programs_are_told_as_they_were_called(
    original: list[str], script: str, deploy: str, build: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    found = Programs.of_process([*original, "plan", "--env", "dev"], [script, "plan", "--env", "dev"], "/opt/python", ROOT)
    assert (" ".join(found.deploy), " ".join(found.build)) == (deploy, build)


def test_from_another_directory_the_hint_of_a_process_runs(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "deploy.py"), "plan", "--env", "dve", "--local", "--dist", str(tmp_path)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == USAGE and "did you mean dev?" in ended.stderr
    (command,) = hints.printed(ended.stderr)
    assert command == f"{shlex.quote(sys.executable)} {ROOT / 'deploy.py'} plan --env dev --local --dist {tmp_path}"
    again_ = subprocess.run(shlex.split(command), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "nothing is built by that name" in again_.stderr
    (build,) = hints.printed(again_.stderr)
    assert build.endswith(f"build.py --env dev --out {tmp_path}")


def test_the_same_command_again_keeps_what_was_typed() -> None:
    args = argparse.Namespace(verb="publish", env="dev", typed=("--env", "dev", "--content", "a b", "--approve", "old", "--local"))
    assert again(args, "--approve", "new") == "python deploy.py publish --env dev --content 'a b' --local --approve new"
    args = argparse.Namespace(verb="stop", env="dev", typed=("--env=dev", "--yes"))
    assert again(args, "--yes") == "python deploy.py stop --env dev --yes"
    args = argparse.Namespace(verb="dr", env="prod", typed=("promote", "--env=prod", "--planned"))
    assert again(args) == "python deploy.py dr promote --env prod --planned"


# --- slips of the hand --------------------------------------------------------------------------------------------


def said(*arguments: str) -> tuple[int, str, str]:
    """Status, stdout, stderr of a run in this process."""
    out, err = io.StringIO(), io.StringIO()
    status = main(list(arguments), ("verbs",), Context(stdout=out, stderr=err, environ={}))
    return status, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("plam", "python deploy.py plan"),
        ("plam --env dev", "python deploy.py plan --env dev"),
        ("Plan --env dev", "python deploy.py plan --env dev"),
        ("plan --evn dev", "python deploy.py plan --env dev"),
        ("plan --env dev --locale", "python deploy.py plan --env dev --local"),
        ("plan dev", "python deploy.py plan --env dev"),
        ("plan dev --local", "python deploy.py plan --env dev --local"),
        ("plan --env dev --xyzzy", "python deploy.py plan --help"),
        ("plan --env dev prod", "python deploy.py plan --help"),
        ("plan", "python deploy.py plan --help"),
        ("local fail af-south-1", "python deploy.py local --help"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(typed: str, meant: str) -> None:
    status, _, err = said(*typed.split())
    assert (status, hints.printed(err)) == (USAGE, [meant])


def test_wrong_usage_is_json_too() -> None:
    status, out, _ = said("plan", "--evn", "dev", "--json")
    assert status == USAGE
    (problem,) = envelope(out)["problems"]
    assert problem["message"] == "there is no option --evn; did you mean --env?"
    assert problem["next"] == ["python deploy.py plan --env dev --json"]


@pytest.mark.parametrize(("typed", "meant"), [("Dev", "dev"), ("tets", "test"), ("zzz", "")])
def test_a_wrong_environment_names_what_there_is(typed: str, meant: str, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "assembly.json").write_text("{}")
    status, _, err = said("plan", "--env", typed, "--dist", str(tmp_path))
    assert status == USAGE and "built are: test;" in err
    assert ("did you mean" in err) == bool(meant)
    told = f"python deploy.py plan --env {meant} --dist {tmp_path}" if meant else f"python build.py --env all --out {tmp_path}"
    assert hints.printed(err) == [told]


def test_where_everything_is_built_a_wrong_environment_is_not_sent_to_build_it(tmp_path: Path) -> None:
    for name in environments_known(tmp_path)[1]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "assembly.json").write_text("{}")
    status, _, err = said("plan", "--env", "zzz", "--dist", str(tmp_path))
    assert (status, hints.printed(err)) == (USAGE, ["python build.py --help"])


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said("help")[:2] == said("--help")[:2]
    assert said("help", "plan")[0] == OK
    assert capsys.readouterr().out.startswith("usage: deploy.py plan")
    assert said("--version")[:2] == (OK, "deploy.py 0.1.0\n")


# --- whichever Python ---------------------------------------------------------------------------------------------


def scripts(into: Path) -> None:
    """The two scripts and what they read first, without packages."""
    for name in ("deploy.py", "build.py"):
        shutil.copy(ROOT / name, into / name)
    shutil.copytree(ROOT / "guards", into / "guards")


def bare(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run by this Python without its packages."""
    return subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys, runpy; sys.path[0:0] = ['.']; sys.argv = [{script!r}]; runpy.run_path({script!r}, run_name='__main__')",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


@pytest.mark.parametrize("script", ["deploy.py", "build.py"])
def test_a_python_without_packages_says_make(script: str, tmp_path: Path) -> None:
    scripts(tmp_path)
    ended = bare(tmp_path, script)
    assert ended.returncode == 1 and ended.stderr.endswith("\n  next: make\n") and "Traceback" not in ended.stderr


@pytest.mark.parametrize("script", ["deploy.py", "build.py"])
def test_it_goes_on_as_the_python_of_the_checkout_once(script: str, tmp_path: Path) -> None:
    scripts(tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$DEPLOY_VENV_TRIED" "$@"\n')
    python.chmod(0o755)
    assert bare(tmp_path, script).stdout.startswith("1 -I -S -c")
    # One that lacks them too: no third try.
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    ended = bare(tmp_path, script)
    assert ended.returncode == 1 and ended.stderr.endswith("\n  next: make\n")


def test_error_of_a_parser_is_ours() -> None:
    with pytest.raises(CommandError, match="is none of") as caught:
        parser_of("plan").read(["--env", "dev", "--format", "pdf"])
    assert caught.value.status == USAGE
