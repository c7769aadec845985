"""Operating an environment over HTTP, as processes: status, drift, doctor, history, rollback, destroy, set-password."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws.errors import NotFound
from aws.session import Aws
from local_aws import prepare
from operations import credential
from tests.environments_fixture import ENVIRONMENTS
from tests.functional import wire as w
from tests.functional.accounts import own_zone
from tests.functional.harness import ROOT, TIMEOUT, CommandLine, Ended, answer, eventually
from tests.functional.small_platform import ENV, REGION, Platform, parameter, status_of, value_of
from tests.functional.wire import Wire

pytestmark = pytest.mark.functional

Verb = Callable[..., Ended]


@pytest.fixture
def platform(command_line: CommandLine, account: str, tmp_path: Path) -> Platform:
    """A small platform, built."""
    made = Platform(account=account, dist=tmp_path / "dist", line=command_line)
    made.build()
    return made


@pytest.fixture
def verb(platform: Platform, aws: Aws) -> Verb:
    """Runs a verb on the small platform, whose hosted zone is there."""
    prepare.hosted_zone(aws, name="example.org", account_id=platform.account)
    return lambda name, *more, **options: platform.line.deploy(name, "--env", ENV, "--dist", str(platform.dist), *more, **options)


def client(aws: Aws, service: str, account: str, region: str = REGION) -> Any:
    return aws.client(service, account_id=account, region=region)


def hold_lock(aws: Aws, account: str) -> None:
    """As somebody else."""
    item = {
        "LockID": {"S": "demo/test"},
        "Id": {"S": "somebody"},
        "Owner": {"S": "eve"},
        "Since": {"N": "1"},
        "Expires": {"N": str(int(time.time()) + 600)},
    }
    client(aws, "dynamodb", account).put_item(TableName=f"locks-{account}", Item=item)


# --- status and history -------------------------------------------------------------------------------------------


def test_status_follows_an_environment_from_nothing_over_a_plan_to_an_apply(platform: Platform, verb: Verb) -> None:
    before = verb("status", "--json")
    assert before.code == 0, before
    assert {s["status"] for s in answer(before.stdout)["stacks"]} == {None}
    assert verb("history").stdout.startswith("nothing was applied to test yet")

    assert platform.plan().code == 3
    planned = answer(verb("status", "--json").stdout)
    assert any(s["pending"] for s in planned["stacks"])
    assert "a plan waits" in verb("status").stdout

    assert platform.apply("--yes").code == 0
    after = verb("status", "--json")
    assert after.code == 0, after
    status = answer(after.stdout)
    assert {(s["status"], s["as_built"]) for s in status["stacks"]} == {("CREATE_COMPLETE", True)}
    assert status["deployed"]["assembly_digest"] == status["assembly_digest"]
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", status["deployed"]["commit"])

    platform.build(one="2")
    newer = verb("status")
    assert "which is not applied; its templates are the deployed ones\nnext: python deploy.py plan --env test" in newer.stdout
    (record,) = answer(verb("history", "--json").stdout)
    assert record["result"] == "succeeded"
    assert record["assembly_digest"] == status["assembly_digest"]


def test_a_stack_that_cannot_be_read_does_not_hide_the_others(account: str, tmp_path: Path, wire: Wire) -> None:
    platform = Platform(account=account, dist=tmp_path / "dist", line=CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account))
    platform.build()
    assert platform.apply("--yes").code == 0
    wire.on("cloudformation", "DescribeStacks", w.denied)
    status = platform.line.deploy("status", "--env", ENV, "--dist", str(platform.dist))
    assert status.code == 1, status
    assert status.stdout.count("cannot be read: cloudformation DescribeStacks") == 1
    assert status.stdout.count("CREATE_COMPLETE") == 3


# --- drift --------------------------------------------------------------------------------------------------------


def test_drift_shows_what_somebody_changed_by_hand(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert verb("drift").code == 0
    assert platform.apply("--yes").code == 0
    clean = verb("drift", "--json")
    assert clean.code == 0, clean
    client(aws, "ssm", platform.account).put_parameter(Name="/demo/two", Value="by hand", Type="String", Overwrite=True)

    found = verb("drift")

    assert found.code == 3, found
    assert re.search(r"Two \(AWS::SSM::Parameter, /demo/two\): modified", found.stdout), found
    assert re.search(r"Value +deployed +1 fixed\n +actual +by hand", found.stdout), found
    assert "two: drifted" in found.stderr
    assert "drifted, " in verb("status").stdout


# --- doctor -------------------------------------------------------------------------------------------------------


def checks(ended: Ended) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check in answer(ended.stdout)["report"]["checks"]:
        found.setdefault(check["code"], []).append(check["level"])
    return found


def test_doctor_finds_a_missing_zone_and_then_does_not(command_line: CommandLine, account: str, tmp_path: Path, aws: Aws) -> None:
    platform = Platform(account=account, dist=tmp_path / "dist", line=command_line)
    platform.build()

    def run() -> Ended:
        return platform.line.deploy("doctor", "--env", ENV, "--dist", str(platform.dist), "--json")

    missing = run()
    assert (missing.code, checks(missing)["hosted_zone"]) == (1, ["problem"]), missing
    prepare.hosted_zone(aws, name="example.org", account_id=account)
    found = checks(run())
    assert found["hosted_zone"] == ["ok"]
    assert found["endpoints"] == ["warning"], "it is the local AWS, by AWS_ENDPOINT_URL"
    assert found["credentials"] == found["artifact_bucket"] == found["lock_table"] == ["ok"]
    assert set(found["stack"]) == {"ok"}


def test_doctor_without_credentials_and_with_placeholders_says_so_instead_of_stopping(tmp_path: Path) -> None:
    line = CommandLine(home=tmp_path, endpoint_url="http://127.0.0.1:9", account_id="")
    assert line.build("--env", "prod", "--out", str(tmp_path / "dist")).code == 0
    ended = line.deploy("doctor", "--env", "prod", "--dist", str(tmp_path / "dist"))
    assert ended.code == 1, ended
    assert "account_id is still the placeholder '333333333333'" in ended.stdout
    assert "AWS was not asked about it" in ended.stdout
    assert "Traceback" not in ended.stderr


def test_a_creation_that_failed_is_mended_step_by_step_and_then_deploys(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert platform.apply("--yes", "--only", "base").code == 0
    formation = client(aws, "cloudformation", platform.account)
    clash = {"Resources": {"Good": parameter("/demo/good", "1"), "Clash": {**parameter("/demo/good", "2"), "DependsOn": "Good"}}}
    formation.create_stack(StackName="demo-test-one", TemplateBody=json.dumps(clash), OnFailure="DO_NOTHING")
    eventually(lambda: status_of(aws, platform.account, "one") == "CREATE_FAILED")

    shown = verb("doctor", "--fix")
    assert shown.code == 3, shown
    hold_lock(aws, platform.account)
    held = verb("doctor", "--fix", "--yes")
    assert (held.code, "is held by eve" in held.stderr) == (1, True), held
    assert verb("unlock", "--lock-id", "somebody").code == 0
    assert "demo-test-one is CREATE_FAILED" in shown.stdout
    assert "roll demo-test-one back to nothing" in shown.stdout
    assert re.search(r"next: \S+ deploy\.py doctor --env test (--dist \S+ )?--fix --yes", shown.stderr)
    assert status_of(aws, platform.account, "one") == "CREATE_FAILED"

    rolled = verb("doctor", "--fix", "--yes")
    assert rolled.code == 0, rolled
    assert "done: demo-test-one is ROLLBACK_COMPLETE" in rolled.stdout
    deleted = verb("doctor", "--fix", "--yes")
    assert "done: demo-test-one is DELETE_COMPLETE" in deleted.stdout, deleted
    assert platform.apply("--yes").code == 0
    assert value_of(aws, platform.account, "/demo/one") == "1"
    assert "nothing is stuck" in verb("doctor", "--fix", "--yes").stderr


def test_what_a_lost_plan_left_is_cleaned_up_and_a_saved_one_is_not(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert platform.plan().code == 3
    kept = verb("doctor", "--fix", "--yes")
    assert "nothing is stuck" in kept.stderr, kept
    assert status_of(aws, platform.account, "base") == "REVIEW_IN_PROGRESS"

    platform.saved.unlink()
    cleaned = verb("doctor", "--fix", "--yes")

    assert cleaned.code == 0, cleaned
    assert "which was never created and has no resources" in cleaned.stdout
    assert status_of(aws, platform.account, "base") is None


# --- rollback -----------------------------------------------------------------------------------------------------


def test_rolling_back_is_a_plan_like_any_other(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    first = json.loads((platform.dist / ENV / "assembly.json").read_text())["digest"]
    platform.build(one="2")
    assert platform.apply("--yes").code == 0
    assert value_of(aws, platform.account, "/demo/one") == "2"
    assert first[:12] in verb("history").stdout

    back = verb("rollback", "--to", first[:10])

    assert back.code == 3, back
    assert value_of(aws, platform.account, "/demo/one") == "2", "rollback itself applies nothing"
    assert json.loads((platform.dist / ENV / "assembly.json").read_text())["digest"] == first
    assert platform.apply("--yes").code == 0
    assert value_of(aws, platform.account, "/demo/one") == "1"
    records = answer(verb("history", "--json").stdout)
    assert [r["assembly_digest"] == first for r in records] == [True, False, True]


def test_a_kept_assembly_that_was_tampered_with_does_not_come_back(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    digest = json.loads((platform.dist / ENV / "assembly.json").read_text())["digest"]
    store = client(aws, "s3", platform.account)
    key = f"assemblies/{digest}/one.template.json"
    store.put_object(Bucket=f"artifacts-{platform.account}", Key=key, Body=b'{"Resources": {}}')
    platform.build(one="2")
    mine = (platform.dist / ENV / "assembly.json").read_bytes()

    refused = verb("rollback", "--to", digest)

    assert refused.code == 2, refused
    assert "one.template.json is not the template that was applied" in refused.stderr
    assert (platform.dist / ENV / "assembly.json").read_bytes() == mine
    assert verb("rollback", "--to", "000000").code == 2


# --- destroy ------------------------------------------------------------------------------------------------------


def test_destroy_needs_the_name_and_then_keeps_the_data(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    for refused in (verb("destroy"), verb("destroy", "--approve", "prod"), verb("destroy", stdin="test\n")):
        assert refused.code == 2, refused
        assert "nothing was deleted" in refused.stderr
    assert verb("destroy", "--dry-run").code == 3
    assert status_of(aws, platform.account, "two") == "CREATE_COMPLETE"

    done = verb("destroy", "--approve", ENV)

    assert done.code == 0, done
    assert [status_of(aws, platform.account, s) for s in ("base", "one", "two")] == [None, None, None]
    assert value_of(aws, platform.account, "/demo/one") is None
    client(aws, "s3", platform.account).head_bucket(Bucket=f"artifacts-{platform.account}")
    order = re.findall(r"^deleted demo-test-(\w+)", done.stdout, re.MULTILINE)
    assert order.index("two") < order.index("one") < order.index("base")
    assert "nothing to delete in test" in verb("destroy").stdout


def test_destroy_with_data_empties_versioned_buckets_after_the_stacks_are_gone(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    bucket = f"artifacts-{platform.account}"
    store = client(aws, "s3", platform.account)
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        store.put_object(Bucket=bucket, Key="again", Body=body)
    store.delete_object(Bucket=bucket, Key="again")
    assert verb("destroy", "--approve", ENV).code == 0
    assert f"kept:\n  {bucket} (AWS::S3::Bucket" in verb("destroy").stdout

    # Its file is gone, and so is what was built of it: the history in the artifact bucket knows what was applied.
    shutil.rmtree(platform.dist / ENV)
    lost = verb("destroy", "--approve", ENV, "--delete-data")
    assert lost.code == 2 and "test is not built and has no file" in lost.stderr and "--artifact-bucket" in lost.stderr, lost
    where = ("--region", REGION, "--artifact-bucket", bucket)

    done = verb("destroy", "--approve", ENV, "--delete-data", "--json", *where)

    assert done.code == 0, done
    assert "holds its last assembly" in done.stderr
    assert bucket in answer(done.stdout)["outcome"]["deleted"]
    with pytest.raises(NotFound):
        store.head_bucket(Bucket=bucket)


def test_destroy_leaves_a_protected_stack_alone_until_told(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    client(aws, "cloudformation", platform.account).update_termination_protection(
        StackName="demo-test-one", EnableTerminationProtection=True
    )
    refused = verb("destroy", "--approve", ENV)
    assert refused.code == 1, refused
    assert "demo-test-one has termination protection" in refused.stdout
    assert status_of(aws, platform.account, "two") == "CREATE_COMPLETE"
    assert verb("destroy", "--approve", ENV, "--lift-termination-protection").code == 0
    assert status_of(aws, platform.account, "one") is None


def test_destroy_respects_the_lock(platform: Platform, verb: Verb, aws: Aws) -> None:
    assert platform.apply("--yes").code == 0
    hold_lock(aws, platform.account)
    refused = verb("destroy", "--approve", ENV)
    assert refused.code == 1, refused
    assert "is held by eve" in refused.stderr
    assert status_of(aws, platform.account, "two") == "CREATE_COMPLETE"


@pytest.mark.parametrize("after", [1, 2, 3])
def test_destroy_killed_goes_on_in_the_next_run(
    account: str, tmp_path: Path, aws: Aws, wire: Wire, processes: list[subprocess.Popen[str]], after: int
) -> None:
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    platform = Platform(account=account, dist=tmp_path / "dist", line=line)
    platform.build()
    assert platform.apply("--yes").code == 0
    held = wire.hold("cloudformation", "DeleteStack", after=after - 1, done=True)
    started = line.start("deploy.py", "destroy", "--env", ENV, "--dist", str(platform.dist), "--approve", ENV)
    processes.append(started)
    held.wait()
    started.kill()
    started.wait()
    held.release()

    again = line.deploy("destroy", "--env", ENV, "--dist", str(platform.dist), "--approve", ENV)

    assert again.code == 0, again
    assert [status_of(aws, account, s) for s in ("base", "one", "two")] == [None, None, None]
    assert status_of(aws, account, "beside", "us-east-1") is None


def test_destroy_interrupted_says_what_goes_on_and_how_to_go_on(
    account: str, tmp_path: Path, aws: Aws, wire: Wire, processes: list[subprocess.Popen[str]]
) -> None:
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    platform = Platform(account=account, dist=tmp_path / "dist", line=line)
    platform.build()
    assert platform.apply("--yes").code == 0
    held = wire.hold("cloudformation", "DeleteStack", done=True)
    started = line.start("deploy.py", "destroy", "--env", ENV, "--dist", str(platform.dist), "--approve", ENV)
    processes.append(started)
    held.wait()
    started.send_signal(signal.SIGINT)
    held.release()
    _, said = started.communicate()

    assert started.returncode == 130, said
    assert "goes on deleting" in said
    assert "Traceback" not in said
    assert line.deploy("unlock", "--env", ENV, "--dist", str(platform.dist)).stdout.rstrip().endswith("is free")
    assert line.deploy("destroy", "--env", ENV, "--dist", str(platform.dist), "--approve", ENV).code == 0


# --- set-password -------------------------------------------------------------------------------------------------


@pytest.fixture
def dev(command_line: CommandLine, account: str, tmp_path: Path) -> Path:
    """dev of the repository, moved to the account, and prod as it is; built."""
    copy = tmp_path / "environments"
    shutil.copytree(ENVIRONMENTS, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for file in copy.glob("*.yaml"):
        text = file.read_text().replace("1" * 12, account).replace("ORGANISATION/REPOSITORY", "acme/web")
        # One server holds the buckets of all accounts, as AWS does.
        text = re.sub(r"(bucket: \S+)", rf"\1-{account}", text)
        text += own_zone("dev.kimmyai.io") if file.stem == "dev" else ""
        file.write_text(text)
    built = command_line.build("--env", "all", "--environments", str(copy), "--out", str(tmp_path / "dist"))
    assert built.code == 0, built
    return tmp_path / "dist"


def stored(aws: Aws, account: str) -> dict[str, str]:
    answer = client(aws, "secretsmanager", account, "us-east-1").get_secret_value(SecretId="kimmyai-web/dev/basic-auth")
    return dict(json.loads(answer["SecretString"]))


def test_set_password_makes_the_secret_and_then_a_new_version(command_line: CommandLine, account: str, dev: Path, aws: Aws) -> None:
    arguments = ("set-password", "--env", "dev", "--dist", str(dev))
    first = command_line.deploy(*arguments, "--stdin", stdin="correct horse battery\n")
    assert first.code == 0, first
    assert credential.verify("correct horse battery", stored(aws, account)["password_hash"])
    assert stored(aws, account)["password_hash"].startswith("$scrypt$")
    assert "--generate" in first.stderr
    tags = client(aws, "secretsmanager", account, "us-east-1").describe_secret(SecretId="kimmyai-web/dev/basic-auth")["Tags"]
    assert {"Key": "environment", "Value": "dev"} in tags

    second = command_line.deploy(*arguments, "--generate")
    assert second.code == 0, second
    password = second.stdout.strip()
    assert credential.verify(password, stored(aws, account)["password_hash"])
    assert stored(aws, account)["password_hash"].startswith("$hmac-sha256$")
    assert password not in second.stderr
    assert "python deploy.py apply --env dev" in second.stderr
    for said in (first.stdout, first.stderr, second.stderr):
        assert "correct horse battery" not in said
        assert "$scrypt$" not in said
        assert "$hmac-sha256$" not in said


def test_set_password_refuses_what_cannot_work_and_changes_nothing(command_line: CommandLine, account: str, dev: Path, aws: Aws) -> None:
    prod = command_line.deploy("set-password", "--env", "prod", "--dist", str(dev), "--generate")
    assert prod.code == 2, prod
    assert "prod has no Basic Auth" in prod.stderr
    assert prod.stdout == ""
    for stdin in ("short\n", "", "tab\tin the middle\n"):
        ended = command_line.deploy("set-password", "--env", "dev", "--dist", str(dev), "--stdin", stdin=stdin)
        assert ended.code == 2, ended
    assert command_line.deploy("set-password", "--env", "dev", "--dist", str(dev)).code == 2
    with pytest.raises(NotFound):
        stored(aws, account)


def test_set_password_at_a_terminal_shows_nothing_of_what_is_typed(
    command_line: CommandLine, account: str, dev: Path, aws: Aws, processes: list[Any]
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "deploy.py", "set-password", "--env", "dev", "--dist", str(dev)],
        cwd=ROOT,
        env=command_line.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    processes.append(process)
    os.close(theirs)
    seen = b""

    def until(words: bytes) -> None:
        nonlocal seen
        end = time.monotonic() + TIMEOUT
        while words not in seen and time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    seen += os.read(ours, 4096)
                except OSError:
                    break
        assert words in seen, seen

    until(b"New password: ")
    os.write(ours, b"correct horse battery\n")
    until(b"The same again: ")
    os.write(ours, b"correct horse battery\n")
    until(b"deploy.py apply --env dev")
    assert process.wait(TIMEOUT) == 0
    os.close(ours)
    assert b"correct" not in seen
    assert credential.verify("correct horse battery", stored(aws, account)["password_hash"])


# --- a whole environment ------------------------------------------------------------------------------------------


def test_a_whole_environment_from_doctor_to_destroy(account: str, tmp_path: Path, dev: Path, aws: Aws, wire: Wire) -> None:
    """dev as it stands in the repository: StackSet, edge function, buckets, secret."""
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)

    def run(name: str, *more: str) -> Ended:
        return line.deploy(name, "--env", "dev", "--dist", str(dev), *more)

    prepare.hosted_zone(aws, name="dev.kimmyai.io", account_id=account)
    assert checks(run("doctor", "--json"))["secret"] == ["problem"]
    assert run("set-password", "--generate").code == 0
    applied = run("apply", "--yes")
    assert applied.code == 0, applied
    well = checks(run("doctor", "--json"))
    assert well["secret"] == well["artifact_bucket"] == well["lock_table"] == ["ok"]
    assert set(well["stack"]) == {"ok"}
    status = answer(run("status", "--json").stdout)
    assert {s["stack"]: s["as_built"] for s in status["stacks"]} == dict.fromkeys(
        ("foundation", "certificate", "edge-logs", "edge", "site", "dns", "monitoring"), True
    )
    assert next(s["instances"] for s in status["stacks"] if s["kind"] == "stackset") == {"CURRENT": 13}

    function = "kimmyai-web-dev-basic-auth"
    client(aws, "lambda", account, "us-east-1").update_function_configuration(FunctionName=function, Timeout=4)
    client(aws, "logs", account, "eu-west-2").put_retention_policy(logGroupName=f"/aws/lambda/us-east-1.{function}", retentionInDays=1)
    drifted = run("drift")
    assert drifted.code == 3, drifted
    assert f"Function (AWS::Lambda::Function, {function}): modified" in drifted.stdout
    assert f"LogGroup (AWS::Logs::LogGroup, /aws/lambda/us-east-1.{function}) in {account} eu-west-2: modified" in drifted.stdout
    assert "$scrypt$" not in drifted.stdout

    planned = run("destroy", "--dry-run", "--delete-data")
    assert planned.code == 3, planned
    assert "StackSet, 13 instances in 13 regions" in planned.stdout

    def replicated(exchange: w.Exchange) -> None:
        message = f"Lambda was unable to delete {function}:1 because it is a replicated function."
        exchange.error("InvalidParameterValueException", message, 400)

    wire.on("lambda", "DeleteFunction", replicated)
    waits = run("destroy", "--approve", "dev", "--delete-data")
    assert waits.code == 3, waits
    assert re.search(r"come back after 20\S+Z\n  next: python deploy.py destroy --env dev (--dist \S+ )?--delete-data", waits.stdout), waits
    assert client(aws, "lambda", account, "us-east-1").get_function_configuration(FunctionName=function)["FunctionName"] == function
    gone = run("destroy", "--approve", "dev", "--delete-data")
    assert gone.code == 0, gone
    assert gone.stdout.count(f"deleted {function}\n") == 1
    assert run("destroy").stdout.rstrip().endswith("nothing to delete in dev")
    assert "nothing of it is deployed now" not in run("status").stdout, "its history went with the bucket"
