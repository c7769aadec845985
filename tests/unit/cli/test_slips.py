"""A slip of the keyboard is answered with what was probably meant."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

import pytest

from cli.main import main
from cli.parser import PACKAGES, parser_of
from guards.slips import closest
from review.next_command import instead
from session.context import ROOT, USAGE, CommandError, Context
from session.opened import environments_known
from tests import hints


@pytest.mark.parametrize(
    ("verb", "typed", "meant"),
    [
        ("local", ("statsu",), "did you mean status?"),
        ("graph", ("--env", "dev", "--format", "sgv"), "did you mean svg?"),
        ("local", ("xyz",), "'xyz' is none of status, stop, reset"),
    ],
)
def test_a_value_that_is_none_of_the_choices(verb: str, typed: tuple[str, ...], meant: str) -> None:
    with pytest.raises(CommandError) as refused:
        parser_of(verb).read(typed)
    assert meant in str(refused.value)
    assert refused.value.status == USAGE


@pytest.mark.parametrize(
    ("verb", "typed", "answer"),
    [
        ("destroy", ("--env", "dev", "--yes"), "there is no option --yes; did you mean --approve?"),
        ("apply", ("--env", "dev", "--auto-approve"), "there is no option --auto-approve; did you mean --yes?"),
        ("plan", ("--environment", "dev"), "there is no option --environment; did you mean --env?"),
        ("plan", ("--env", "dev", "--locale"), "there is no option --locale; did you mean --local?"),
        ("local", ("status", "--env", "dev"), "there is no option --env"),
        ("graph", ("--env", "dev", "--local"), "there is no option --local"),
        ("graph", ("--env", "dev", "--yes"), "there is no option --yes"),
    ],
)
def test_an_option_that_there_is_not(verb: str, typed: tuple[str, ...], answer: str) -> None:
    """What only the dashes are alike of is not meant, and a word of another tool is known."""
    with pytest.raises(CommandError) as refused:
        parser_of(verb).read(typed)
    assert str(refused.value) == answer


@pytest.mark.parametrize("option", ["--env", "--dist", "--profile"])
def test_an_option_of_one_value_takes_no_second_one(option: str) -> None:
    needed = () if option == "--env" else ("--env", "dev")
    with pytest.raises(CommandError) as refused:
        parser_of("apply").read((*needed, option, "one", f"{option}=two"))
    assert str(refused.value) == f"{option} is given as one and as two: it takes one value"
    assert refused.value.status == USAGE
    assert parser_of("apply").read((*needed, option, "one", option, "one"))
    assert parser_of("publish").read(("--env", "dev", "--content", "d", "--exclude", "a", "--exclude", "b")).exclude == ["a", "b"]


def test_a_missing_environment_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(CommandError) as refused:
        parser_of("plan").read(())
    built, there = environments_known(ROOT / "dist")
    assert str(refused.value) == f"the following arguments are required: --env ({', '.join(sorted({*built, *there}))})"


def test_the_dashes_of_options_are_no_likeness() -> None:
    assert closest("--local", ["--plan", "--env"]) == ""
    assert closest("--LOCALE", ["--local", "--log"]) == "--local"
    assert closest("--environment", ["--env"]) == "--env"
    assert closest("vi", ["visitors"]) == ""


@pytest.mark.parametrize(
    ("typed", "next_"),
    [
        (["--env", "dev", "plan", "--local"], "python deploy.py plan --env dev --local"),
        (["--local", "dr", "status", "--env", "dev"], "python deploy.py dr --local status --env dev"),
        (["--nonsense"], "python deploy.py --help"),
    ],
)
def test_the_verb_comes_first(typed: list[str], next_: str) -> None:
    made = Context(stdout=io.StringIO(), stderr=io.StringIO(), environ={})
    assert main(typed, PACKAGES, made) == USAGE
    assert hints.printed(told(made)) == [next_]


def told(context: Context) -> str:
    """What went to stderr."""
    context.stderr.seek(0)
    return context.stderr.read()


# --- an environment by a wrong name -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "typed", "wrong", "right"),
    [
        ("dr", ("promote", "--env", "prd", "--local"), "prd", "dr promote --env prod --local"),
        ("plan", ("--env=prd", "--only", "prd", "--json"), "prd", "plan --env=prod --only prd --json"),
        ("cost", ("--env", "dev", "--compare", "prd"), "prd", "cost --env dev --compare prod"),
        ("publish", ("--env", "dev", "--release", "prd:3f9c01d2ab44"), "prd", "publish --env dev --release prod:3f9c01d2ab44"),
        ("publish", ("--env", "prd", "--content", "my dist"), "prd", "publish --env prod --content 'my dist'"),
    ],
)
def test_only_the_wrong_name_is_corrected(verb: str, typed: tuple[str, ...], wrong: str, right: str) -> None:
    """All else of what was typed stays: without --local or --only the command would do something else."""
    assert instead(parser_of(verb).read(typed), wrong, "prod") == f"python deploy.py {right}"


def test_a_wrong_name_is_told_with_the_whole_command(tmp_path: Path) -> None:
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "assembly.json").write_text("{}", encoding="utf-8")
    for verb, more in (("dr", ["promote"]), ("plan", ["--only", "site"]), ("password", []), ("verify", []), ("cost", [])):
        made = Context(stdout=io.StringIO(), stderr=io.StringIO(), environ={})
        typed = [*more, "--env", "prodd", "--dist", str(tmp_path), *([] if verb == "cost" else ["--local"])]
        assert main([verb, *typed], PACKAGES, made) == USAGE
        assert "did you mean prod?" in told(made)
        [command] = hints.printed(told(made))
        assert sorted(shlex.split(command)) == sorted(["python", "deploy.py", verb, *(w.replace("prodd", "prod") for w in typed)])
