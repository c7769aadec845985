"""What an acceptance run refuses, how it goes on after a failure, and what its report holds."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from acceptance import refusals, report, variants
from acceptance import state as kept
from acceptance.command import Refused, _alone
from acceptance.proofs import Proof, judged
from acceptance.runner import Runner
from acceptance.state import Call, DamagedState, Done, State
from acceptance.steps import CHANGES, STEPS, Command, Step
from guards import masks
from tests.simulated import ACCOUNT, Small, small_assembly
from verification.verify import checks

ASSEMBLY, _ = small_assembly(Small(id="one", template={}), Small(id="two", template={}, region="us-east-1"))
HERE, THERE = (ACCOUNT, "eu-west-1"), (ACCOUNT, "us-east-1")


def test_an_account_in_use_is_refused() -> None:
    def problems(there: dict[tuple[str, str], tuple[str, ...]], *, others: bool = False) -> tuple[str, ...]:
        return refusals.in_the_account(ASSEMBLY, there, others_allowed=others)

    assert problems({HERE: (), THERE: ("something-else",)}) == ()
    assert problems({HERE: ("demo-prod-site",)}) == ("the account holds other stacks of demo: demo-prod-site (eu-west-1)",)
    assert problems({HERE: ("demo-prod-site",)}, others=True) == ()
    deployed = problems({THERE: ("demo-test-two",)}, others=True)
    assert deployed == ("test is deployed already, and the run would take it away: demo-test-two (us-east-1)",)


def test_a_protected_environment_is_refused() -> None:
    assert refusals.in_the_assembly(ASSEMBLY) == ()
    assert refusals.in_the_assembly(msgspec.structs.replace(ASSEMBLY, protected=True)) != ()
    assert refusals.in_the_assembly(msgspec.structs.replace(ASSEMBLY, contract=None)) != ()


def test_only_what_a_run_has_begun_there_is_taken_away() -> None:
    begun = State(
        environment="test", local=False, began="2026-11-27T00:00:00Z", account=ACCOUNT, done=(Done(step="apply", result="passed"),)
    )
    elsewhere = msgspec.structs.replace(begun, account="999999999999")
    for clean_up in (False, True):
        assert refusals.in_the_run(ASSEMBLY, begun, clean_up=clean_up) == ()
        (problem,) = refusals.in_the_run(ASSEMBLY, elsewhere, clean_up=clean_up)
        assert "began in account 999999999999" in problem and ACCOUNT in problem
    assert refusals.in_the_run(ASSEMBLY, None, clean_up=False) == ()
    (problem,) = refusals.in_the_run(ASSEMBLY, None, clean_up=True)
    assert "no run has begun here" in problem


# --- the runner: scripts stand in for build.py and deploy.py -------------------------------------------------------

SCRIPT = """
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "calls"), "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
said = json.load(open(os.path.join(here, "script.json")))
code, text = said.get(sys.argv[1], [0, ""])
print(text)
sys.exit(code)
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    (tmp_path / "deploy.py").write_text(SCRIPT)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "test.yaml").write_text("domain: test.example.com\n")
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    script(tmp_path)
    return Runner(
        root=tmp_path,
        folder=folder,
        environments=tmp_path / "environments",
        environment="test",
        options=("--profile", "sandbox"),
        local=False,
        has_password=True,
        standby=None,
        say=lambda _: None,
        sleep=lambda _: None,
    )


def script(root: Path, **said: tuple[int, str]) -> None:
    (root / "script.json").write_text(json.dumps(said))


def calls(runner: Runner) -> list[list[str]]:
    return [json.loads(line) for line in (runner.root / "calls").read_text().splitlines()]


def step(name: str, *commands: Command, **more: Any) -> Step:
    return Step(id=name, title=name, minutes=1, commands=commands, **more)


STATE = State(environment="test", local=False, began="2026-11-27T08:00:00Z", first="f00d")
LIFE = (
    step("one", Command(verb="plan", expects=CHANGES), Command(verb="apply")),
    step("two", Command(verb="rollback", arguments=("--to", "{first}"))),
)


def results(state: State) -> dict[str, str]:
    return {done.step: done.result for done in state.done}


def test_a_failure_ends_the_run_and_the_next_one_goes_on_with_that_step(runner: Runner) -> None:
    script(runner.root, plan=(3, ""), apply=(1, "broken"))
    failed = runner.run(LIFE, STATE)
    assert results(failed) == {"one": "failed"}
    assert failed.done[0].calls[1].wrong == "exit status 1, not 0"
    assert kept.load(runner.folder) == failed
    # What the first attempt applied after all is no change any more.
    script(runner.root, plan=(0, ""))
    assert results(runner.run(LIFE, failed)) == {"one": "passed", "two": "passed"}
    assert calls(runner)[-1] == ["rollback", "--env", "test", "--dist", str(runner.folder / "dist"), "--profile", "sandbox", "--to", "f00d"]


def test_a_step_whose_process_was_killed_has_been_tried(runner: Runner) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> tuple[int, str]:
        raise Killed

    process, vars(runner)["process"] = runner.process, killed
    with pytest.raises(Killed):
        runner.run(LIFE, STATE)
    found = kept.load(runner.folder)
    assert found is not None and results(found) == {"one": "interrupted"}
    # What it had applied before is not there to be planned any more.
    vars(runner)["process"] = process
    assert results(runner.run(LIFE, found)) == {"one": "passed", "two": "passed"}


def test_what_stands_is_what_destroy_says_or_not_known(runner: Runner) -> None:
    script(runner.root, destroy=(0, "deleted, in this order:"))
    assert runner.left() == "deleted, in this order:\n"
    assert calls(runner)[-1][-2:] == ["--dry-run", "--delete-data"]
    data = report.as_data(LIFE, STATE, {}, left=runner.left())
    assert "## What stands, and costs until it is taken away\n\n    deleted, in this order:\n" in report.as_markdown(data, {})
    script(runner.root, destroy=(1, ""))
    assert runner.left() == f"not known: {runner.folder / 'left.log'}"


def test_two_runs_of_an_environment_are_not_made_at_once(tmp_path: Path) -> None:
    with _alone(tmp_path), pytest.raises(Refused, match="another run goes on"), _alone(tmp_path):
        pytest.fail("both")
    with _alone(tmp_path):
        pass


def test_a_first_plan_without_changes_is_a_failure(runner: Runner) -> None:
    assert results(runner.run(LIFE, STATE)) == {"one": "failed"}


def test_what_aws_takes_hours_for_is_no_failure(runner: Runner) -> None:
    script(runner.root, destroy=(3, ""))
    steps = (step("gone", Command(verb="destroy", waits=frozenset({3}))), LIFE[1])
    waiting = runner.run(steps, STATE)
    assert results(waiting) == {"gone": "waiting"}
    script(runner.root)
    assert results(runner.run(steps, waiting)) == {"gone": "passed", "two": "passed"}


def test_a_word_that_is_missing_is_a_failure_and_late_effects_are_waited_for(runner: Runner) -> None:
    script(runner.root, plan=(0, "1 to change"), verify=(1, ""))
    steps = (step("same", Command(verb="plan", says="No changes")),)
    assert runner.run(steps, STATE).done[0].calls[0].wrong == "does not say 'No changes'"
    tried = runner.run((step("live", Command(verb="verify", tries=3)),), STATE)
    assert (results(tried), len(calls(runner))) == ({"live": "failed"}, 4)


def test_what_is_lacking_is_left_out_with_the_reason(runner: Runner) -> None:
    runner.local, runner.has_password = True, False
    steps = tuple(step(need, Command(verb="verify"), needs=need) for need in ("password", "standby"))
    ended = runner.run(steps, STATE)
    assert set(results(ended).values()) == {"left out"} and all(done.note for done in ended.done)
    assert not (runner.root / "calls").exists()


def test_a_password_is_in_no_log_and_no_report(runner: Runner) -> None:
    script(runner.root, **{"set-password": (0, "correct-horse-battery")}, status=(1, f"correct-horse-battery of account {ACCOUNT}"))
    steps = (
        step("password", Command(verb="set-password", secret=True)),
        step("verify", Command(verb="verify")),
        step("look", Command(verb="status")),
    )
    ended = runner.run(steps, STATE)
    assert results(ended) == {"password": "passed", "verify": "passed", "look": "failed"}
    assert calls(runner)[1][-2:] == ["--password-file", str(runner.password)]
    assert runner.password.read_text() == "correct-horse-battery\n"
    logs = {path.name: path.read_text() for path in runner.folder.glob("*.log")}
    assert not [name for name, text in logs.items() if "correct-horse" in text]
    data = report.as_data(steps, ended, {})
    text = report.without_secrets(report.as_markdown(data, {"03-look-1.log": f"correct-horse-battery {ACCOUNT}"}), {ACCOUNT})
    others = "arn:aws:sts::987654321098:role/x of bucket-987654321098, id AKIAIOSFODNN7EXAMPLE, https://x/?X-Amz-Signature=f00d"
    assert report.without_secrets(others, ()) == "arn:aws:sts::ACCOUNT:role/x of bucket-ACCOUNT, id KEY, https://x/?X-Amz-Signature=***"
    assert "correct-horse" not in text and ACCOUNT not in text and "*** ACCOUNT" in text
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in runner.folder.iterdir() if path.is_file()}
    assert set(modes.values()) == {0o600}, modes


def test_a_password_of_an_earlier_process_is_known(runner: Runner) -> None:
    runner.password.touch(0o600)
    runner.password.write_text("of-an-earlier-process\n")
    runner.know_password()
    assert masks.masked("it is of-an-earlier-process") == "it is ***"


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_state_that_is_damaged_is_said_and_none_is_a_beginning(tmp_path: Path) -> None:
    assert kept.load(tmp_path) is None
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(DamagedState, match=r"state\.json"):
        kept.load(tmp_path)


@pytest.mark.parametrize(
    ("result", "printed", "word"),
    [
        ("passed", "ok    The page is there\nFAIL  Other", "held"),
        ("failed", "ok    The page is there\nFAIL  Other", "held"),
        ("failed", "FAIL  The page is there", "refuted"),
        ("passed", "skip  The page is there", "not tried"),
        ("failed", "a traceback", "in question"),
        ("waiting", "", "not tried"),
    ],
)
def test_a_step_holds_an_assumption_or_refutes_it_by_what_its_commands_say(result: str, printed: str, word: str) -> None:
    proof = Proof(of="a", built='"Origin"', says="^ok +The page", denies="^FAIL +The page")
    assert judged((proof,), result, printed, ("{}", '{"x":\n"Origin"}')) == {"a": word}
    assert judged((proof,), result, printed, ("{}",)) == {"a": "not tried"}, "nothing that was built needs it"


@pytest.mark.parametrize(("result", "word"), [("passed", "held"), ("failed", "in question"), ("interrupted", "not tried")])
def test_where_a_step_says_nothing_its_end_does(result: str, word: str) -> None:
    assert judged((Proof(of="a"),), result, "", ()) == {"a": word}


DRIFT = "site: in sync, 7 checked\n{0}\nCloudFormation does not tell the drift of these types here:\n  {1}\n"
BROKEN = {
    "edge-read-timeout": "error: Invalid value 20 for OriginReadTimeout",
    "cfn-handlers": "error: User: arn:aws:sts::1:x is not authorized to perform: s3:PutBucketTagging",
    "edge-runtime": "error: the runtime nodejs24.x is not supported at the edge",
    "iam-sizes": "error: Cannot exceed quota for PolicySize: 6144",
    "edge-error-headers": "FAIL  Strict-Transport-Security is on every answer, refusals too",
    "edge-own-headers": "FAIL  Strict-Transport-Security is on every answer, refusals too",
    "iam-slash-s3": "FAIL  The replica has the live release",
    "edge-rewritten": "FAIL  The page is the released one",
    "invalidation-spelling": "FAIL  Files are the released ones by every spelling of their address",
    "cfn-drift-reads": "error: site: User: x is not authorized to perform: iam:GetRole",
    "cfn-drift-types": "error: User: x is not authorized to perform: cloudformation:BatchDescribeTypeConfigurations",
    "logs-policy": "  Policy (AWS::S3::BucketPolicy, b): modified",
    "logs-prefix": "  Delivery (AWS::Logs::Delivery, d): modified",
    "failover-name": "error: InvalidChangeBatch: the alias target name does not lie within the target zone",
    "health-own-name": "FAIL  The page is the released one",
}
BUILT = '"OriginReadTimeout" "AWS::CertificateManager::Certificate" "*.x" "nodejs24.x" AWS::Lambda::Version'
BUILT += ' "ReplicationConfiguration" "AWS::Logs::Delivery"'


@pytest.mark.parametrize(
    ("step", "proof"), [(step, proof) for step in STEPS for proof in step.proves], ids=lambda each: getattr(each, "of", "")
)
def test_what_breaks_an_assumption_refutes_it(step: Step, proof: Proof) -> None:
    said = judged((proof,), "failed", BROKEN.get(proof.of, "error: something"), (BUILT,))
    # These two only show that the step has not ended well: AWS has no words for them.
    assert said == {proof.of: "in question" if proof.of in ("cert-wildcard", "edge-replicas") else "refuted"}, step.id


def test_titles_of_checks_that_prove_something_are_those_of_verify() -> None:
    printed = "\n".join(f"ok    {title}" for _, title in checks())
    titled = [proof for step in STEPS for proof in step.proves if proof.says.startswith("^ok")]
    assert len(titled) >= 6 and set(judged(titled, "passed", printed, (BUILT,)).values()) == {"held"}


@pytest.mark.parametrize(("unlike", "word"), [("AWS::SNS::TopicPolicy", "held"), ("AWS::Logs::Delivery", "not tried")])
def test_a_type_whose_drift_aws_does_not_tell_was_not_tried(unlike: str, word: str) -> None:
    (drift,) = [step for step in STEPS if step.id == "drift"]
    assert judged(drift.proves, "passed", DRIFT.format("", unlike), (BUILT,))["logs-prefix"] == word


def test_the_local_aws_can_refute_and_not_prove() -> None:
    steps = (step("one", proves=(Proof(of="a"), Proof(of="b"))), step("two", proves=(Proof(of="c"),)))
    state = STATE.with_step(Done(step="one", result="passed", assumptions={"a": "held", "b": "refuted"}))
    assert report.assumptions(steps, state) == {"a": "held", "b": "refuted", "c": "not tried"}
    local = msgspec.structs.replace(state, local=True)
    assert report.assumptions(steps, local) == {"a": "not tried on AWS", "b": "refuted", "c": "not tried"}


def test_a_report_quotes_what_failed_in_one_cell() -> None:
    call = Call(command="python deploy.py plan", code=1, seconds=1.0, log="01.log", wrong="says a|b")
    data = report.as_data((step("one"),), STATE.with_step(Done(step="one", result="failed", calls=(call,))), {"python": "3"})
    text = report.as_markdown(data, {"01.log": "line\x1b[31m\n"})
    assert "| one | failed |  | 1 | `python deploy.py plan`: says a\\|b |" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("own", "variant", "expected"),
    [
        ("a: 1\nfailover: {dns_name: x, hosted_zone_id: Z}\n", "", {"a": 1}),
        ("a: 1\n", "changed", {"a": 1, "monitoring": {"origin_latency_ms": 2001}}),
        ("monitoring: {origin_latency_ms: 7}\n", "changed", {"monitoring": {"origin_latency_ms": 8}}),
        ("a: 1\n", "failover", {"a": 1, "failover": {"dns_name": "lb.example.com", "hosted_zone_id": "Z1"}}),
    ],
)
def test_variants_change_a_copy(tmp_path: Path, own: str, variant: str, expected: dict[str, Any]) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "common.yaml").write_text("monitoring: {origin_latency_ms: 2000}\n")
    (source / "test.yaml").write_text(own)
    variants.write(source, tmp_path / "made", "test", variant=variant, standby=("lb.example.com", "Z1"))
    assert yaml.safe_load((tmp_path / "made" / "test.yaml").read_text()) == expected
    assert (source / "test.yaml").read_text() == own


def test_the_standby_is_that_of_the_environments_file(tmp_path: Path) -> None:
    (tmp_path / "test.yaml").write_text("failover: {dns_name: lb.example.com, hosted_zone_id: Z1}\n")
    (tmp_path / "none.yaml").write_text("a: 1\n")
    assert variants.standby_of(tmp_path, "test") == ("lb.example.com", "Z1")
    assert variants.standby_of(tmp_path, "none") is None


def test_the_interpreter_of_the_run_is_that_of_its_commands(runner: Runner) -> None:
    assert sys.executable
    runner.run((step("one", Command(verb="apply")),), STATE)
    assert calls(runner)[0][0] == "apply"
