"""The command line of planning: what it takes, what it says, what it never loads, and the plan on disk."""

from __future__ import annotations

import argparse
import io
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assembly import files
from assembly.model import Placeholder
from cli.main import guarded, main
from guards.stream import below
from planning.model import Options, Plan, StackPlan
from planning.request import Stopped
from planning.saved import SavedPlanError, load, path_of, save
from session.context import FAILED, INTERRUPTED, OK, PENDING, USAGE, CommandError, Context
from session.opened import Opened, read_assembly, refuse_placeholders
from tests.envelopes import envelope
from tests.golden_files import ROOT
from tests.simulated import SimulatedGateways, Small, output, small_assembly
from verbs import plan as verb
from website.content_plan import ContentPlan
from website.content_plan import sealed as content_sealed

BUCKET = {
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "demo-one"}}},
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Bucket", "Arn"]}}},
}
TOPIC = {
    "Parameters": {"Arn": {"Type": "String"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Arn"}}}},
}


def small(**more: Any) -> Any:
    return small_assembly(
        Small(id="one", template=BUCKET),
        Small(id="two", template=TOPIC, parameters=(output("Arn", "one", "Arn"),), depends_on=("one",)),
        **more,
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def context(**more: Any) -> Context:
    given: dict[str, Any] = {
        "stdin": io.StringIO(),
        "stdout": io.StringIO(),
        "stderr": io.StringIO(),
        "environ": {},
        "now": lambda: datetime(2026, 11, 22, 10, tzinfo=UTC),
        "sleep": lambda _: None,
        "token_hex": lambda n: "ab" * n,
    }
    return Context(**(given | more))


def said(made: Context) -> tuple[str, str]:
    stdout, stderr = below(made.stdout), below(made.stderr)
    assert isinstance(stdout, io.StringIO) and isinstance(stderr, io.StringIO)
    return stdout.getvalue(), stderr.getvalue()


def opened(gateways: SimulatedGateways, made: Any = None) -> Opened:
    assembly, templates = made or small()
    anything: Any = gateways
    return Opened(assembly=assembly, templates=templates, gateways=anything, caller="arn:aws:iam::123456789012:user/me")


# --- the verb -----------------------------------------------------------------------------------------------------


def test_planning_again_drops_the_earlier_plan(tmp_path: Path) -> None:
    gateways = SimulatedGateways()
    first = verb.plan_and_save(opened(gateways), Options(), tmp_path, context(token_hex=lambda n: "aa" * n))
    second = verb.plan_and_save(opened(gateways), Options(), tmp_path, context(token_hex=lambda n: "bb" * n))
    assert {c.arn for c in first.change_sets}.isdisjoint(gateways.left)
    assert {c.arn for c in second.change_sets} <= set(gateways.left)
    assert load(path_of(tmp_path, "test"), "test") == second


def test_a_blocked_plan_is_not_saved_and_the_old_one_is_gone(tmp_path: Path) -> None:
    gateways = SimulatedGateways()
    verb.plan_and_save(opened(gateways), Options(), tmp_path, context())
    gateways.faults.refuse["demo-test-one"] = "no"
    plan = verb.plan_and_save(opened(gateways), Options(), tmp_path, context(token_hex=lambda n: "cc" * n))
    assert verb.status_of(plan) == FAILED
    assert not path_of(tmp_path, "test").exists()
    assert gateways.left == []


def test_exit_statuses(tmp_path: Path) -> None:
    gateways = SimulatedGateways()
    plan = verb.plan_and_save(opened(gateways), Options(), tmp_path, context())
    assert verb.status_of(plan) == PENDING
    nothing = msgspec.structs.replace(plan, stacks=())
    assert verb.status_of(nothing) == OK


def form(name: str, out: Path | None = None) -> argparse.Namespace:
    return argparse.Namespace(dist=Path("none"), json=False, format=name, out=[] if out is None else [out], verbose=False)


def test_the_review_goes_to_stdout_or_to_a_private_file(tmp_path: Path) -> None:
    plan = verb.plan_and_save(opened(SimulatedGateways()), Options(), tmp_path, context())
    to_stdout = context()
    verb.show(plan, form("text"), to_stdout)
    out, err = said(to_stdout)
    assert out.startswith("Plan for test") and err == ""
    to_file = context(stdout=Terminal())
    verb.show(plan, form("html", tmp_path / "plan.html"), to_file)
    assert said(to_file)[0] == ""
    assert stat.S_IMODE((tmp_path / "plan.html").stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="no such directory"):
        verb.show(plan, form("text", tmp_path / "nowhere" / "plan.txt"), context())


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [(Terminal, {}, True), (io.StringIO, {}, False), (Terminal, {"NO_COLOR": "1"}, False), (Terminal, {"TERM": "dumb"}, False)],
)
def test_colour_only_on_a_terminal_and_never_against_no_color(
    tmp_path: Path, stream: type[io.StringIO], environ: dict[str, str], coloured: bool
) -> None:
    plan = verb.plan_and_save(opened(SimulatedGateways()), Options(), tmp_path, context())
    made = context(stdout=stream(), environ=environ)
    verb.show(plan, form("text"), made)
    assert ("\x1b[" in said(made)[0]) == coloured


# --- the plan on disk ---------------------------------------------------------------------------------------------


def saved(tmp_path: Path) -> tuple[Path, Plan]:
    plan = verb.plan_and_save(opened(SimulatedGateways()), Options(), tmp_path, context())
    return path_of(tmp_path, "test"), plan


def test_the_saved_plan_is_private_and_whole(tmp_path: Path) -> None:
    path, plan = saved(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path, "test") == plan
    assert [p.name for p in path.parent.iterdir()] == ["plan.json"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda d: d | {"account_id": "210987654321"}, "changed since it was made"),
        (lambda d: d | {"format": 99}, "format 99, this version reads format 1"),
        (lambda d: d | {"unknown": 1}, "not a plan"),
        (lambda d: {}, "not a plan"),
    ],
)
def test_an_edited_plan_is_refused(tmp_path: Path, edit: Any, words: str) -> None:
    path, _ = saved(tmp_path)
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))
    with pytest.raises(SavedPlanError, match=words) as caught:
        load(path, "test")
    assert caught.value.command == "python deploy.py plan --env test"


def test_a_plan_of_another_environment_is_refused(tmp_path: Path) -> None:
    _, plan = saved(tmp_path)
    save(path_of(tmp_path, "prod"), plan)
    with pytest.raises(SavedPlanError, match="is a plan for test, not for prod"):
        load(path_of(tmp_path, "prod"), "prod")


# --- opening an environment ---------------------------------------------------------------------------------------


def test_placeholders_are_refused_by_file_and_key() -> None:
    assembly, _ = small_assembly(Small(id="one", template=BUCKET), account_id="111111111111")
    with pytest.raises(CommandError) as caught:
        refuse_placeholders(assembly)
    assert caught.value.problems == (
        "environments/test.yaml: account_id is still the placeholder '111111111111': twelve equal digits are nobody's account",
    )
    assert caught.value.status == USAGE and "--local" in caught.value.command
    listed = msgspec.structs.replace(
        assembly,
        placeholders=(
            Placeholder(key="account_id", value="111111111111", file="environments/test.yaml", meaning="the account"),
            Placeholder(
                key="github.repository", value="ORGANISATION/REPOSITORY", file="environments/common.yaml", meaning="the repository"
            ),
        ),
    )
    with pytest.raises(CommandError) as caught:
        refuse_placeholders(listed)
    assert [p.split(" is ")[0] for p in caught.value.problems] == [
        "environments/test.yaml: account_id",
        "environments/common.yaml: github.repository",
    ]
    refuse_placeholders(small()[0])


@pytest.mark.parametrize("name", ["..", "a/b", "", "-x"])
def test_an_environment_name_is_not_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError):
        read_assembly(argparse.Namespace(env=name, dist=tmp_path))


def test_the_assembly_of_another_environment_is_refused(tmp_path: Path) -> None:
    assembly, templates = small()
    files.write(tmp_path / "prod", files.files_of(assembly, {s.template.file: templates[s.id] for s in assembly.stacks}))
    with pytest.raises(CommandError, match="holds the assembly of test"):
        read_assembly(argparse.Namespace(env="prod", dist=tmp_path))


# --- errors -------------------------------------------------------------------------------------------------------


def test_our_errors_become_words_and_a_status() -> None:
    def fail(error: BaseException) -> Any:
        def run() -> int:
            raise error

        return run

    made = context()
    assert guarded(fail(CommandError("one", "two", command="do this", status=USAGE)), made) == USAGE
    assert said(made)[1] == "error: one\nerror: two\n  hint: do this\n"
    assert guarded(fail(Stopped()), context()) == INTERRUPTED
    assert guarded(fail(KeyboardInterrupt()), context()) == INTERRUPTED
    assert guarded(fail(OSError(28, "No space left on device", "dist/plan.json")), context()) == FAILED
    machine = context()
    guarded(fail(CommandError("one", command="do")), machine, machine=True, verb="plan")
    told = envelope(said(machine)[0])
    assert told["problems"] == [{"code": "failed", "message": "one", "next": [], "hints": ["do"]}] and told["exit_status"] == FAILED
    steps = context()
    guarded(fail(CommandError("one", command="edit it:\npython build.py --env dev\npython deploy.py plan --env dev")), steps)
    assert said(steps)[1] == "error: one\n  hint: edit it:\n  next: python build.py --env dev\n  next: python deploy.py plan --env dev\n"
    with pytest.raises(ZeroDivisionError):
        guarded(fail(ZeroDivisionError()), context())


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=180)


@pytest.mark.parametrize("arguments", [("--help",), ("plan", "--help")])
def test_help_shows_examples_and_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    script = (
        "import sys\nfrom cli.main import main\n"
        f"status = main({list(arguments)!r}, ('verbs',))\n"
        "loaded = {m.split('.')[0] for m in sys.modules}\n"
        "heavy = sorted(loaded & {'boto3', 'botocore', 'rich', 'cfnlint', 'msgspec', 'troposphere', 'stacks'})\n"
        "print(heavy, file=sys.stderr)\nsys.exit(status)"
    )
    ended = run("-c", script)
    assert (ended.returncode, ended.stderr.strip()) == (0, "[]")
    assert "python deploy.py plan --env dev --local" in ended.stdout


def test_usage_errors() -> None:
    assert run("deploy.py", "plan").returncode == USAGE
    assert run("deploy.py").returncode == USAGE
    unknown = run("deploy.py", "plann")
    assert unknown.returncode == USAGE and "no verb 'plann'; did you mean plan?" in unknown.stderr
    missing = run("deploy.py", "plan", "--env", "nowhere")
    assert missing.returncode == USAGE
    assert "nothing is built by that name" in missing.stderr and "Traceback" not in missing.stderr


def test_no_credentials_is_an_error_with_a_command(tmp_path: Path) -> None:
    assembly, templates = small()
    files.write(tmp_path / "test", files.files_of(assembly, {s.template.file: templates[s.id] for s in assembly.stacks}))
    ended = run("deploy.py", "plan", "--env", "test", "--dist", str(tmp_path), "--json")
    assert ended.returncode == FAILED
    assert envelope(ended.stdout)["ok"] is False
    assert "hint: export AWS_PROFILE" in ended.stderr and "Traceback" not in ended.stderr


def test_a_verb_is_any_module_of_the_package() -> None:
    made = context()
    assert main(["--help"], ("verbs",), made) == OK
    assert "  plan " in said(made)[0]


def test_the_plan_names_what_it_was_made_from(tmp_path: Path) -> None:
    _, plan = saved(tmp_path)
    assert plan.assembly_digest == small()[0].digest
    assert plan.created_at == "2026-11-22T10:00:00Z"
    assert all(isinstance(s, StackPlan) for s in plan.stacks)


def test_a_plan_from_before_there_was_content_still_reads(tmp_path: Path) -> None:
    gateways = SimulatedGateways()
    plan = verb.plan_and_save(opened(gateways), Options(), tmp_path, context())
    path = path_of(tmp_path, plan.environment)
    assert "content" not in json.loads(path.read_text())
    assert load(path, plan.environment) == plan


def test_content_is_covered_by_the_plans_digest(tmp_path: Path) -> None:
    content = content_sealed(
        ContentPlan(environment="dev", bucket="b", origin="web/dist", manifest="m" * 64, content="c" * 64, files=1, size=1)
    )
    plan = verb.plan_and_save(opened(SimulatedGateways()), Options(), tmp_path, context(), content=content)
    path = path_of(tmp_path, plan.environment)
    assert load(path, plan.environment).content == content
    path.write_bytes(path.read_bytes().replace(b"m" * 64, b"n" * 64))
    with pytest.raises(SavedPlanError, match="changed since it was made"):
        load(path, plan.environment)


def test_content_without_a_site_to_publish_to_cannot_be_applied(tmp_path: Path) -> None:
    gateways = SimulatedGateways()
    content = ContentPlan(
        environment="dev", bucket="b", origin="o", manifest="m", content="c", files=1, size=1, known_after=("site.BucketName",)
    )
    plan = verb.plan_and_save(opened(gateways), Options(), tmp_path, context(), content=content)
    assert [f.code for f in plan.findings] == ["content_without_site"]
    assert plan.blocked and not plan.change_sets
    assert not path_of(tmp_path, plan.environment).exists()


def test_allow_without_content_is_a_slip() -> None:
    made = context()
    args = argparse.Namespace(content=None, allow=["source-map"], exclude=[], release=None)
    with pytest.raises(CommandError, match="--allow is about --content DIR or --release"):
        verb.content_of(args, made, opened(SimulatedGateways()))
