"""Stacks and content as one plan, through the real command line: reviewed together, approved once, applied in that order."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assembly.model import Assembly
from aws.errors import NotFound
from aws.s3 import S3
from aws.session import Aws
from cli.main import main
from environments.model import PAGE
from local_aws import prepare
from local_aws.server import LocalAws
from rollout import history
from session.context import Context
from stacks.synthesis import synthesise
from tests.environments_fixture import environments
from tests.functional import frontend
from tests.functional.harness import TIMEOUT, CommandLine, Ended, answer, eventually
from tests.functional.wire import Call, Exchange, Fault, Wire

pytestmark = pytest.mark.functional


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The project's own environment, behind the wire, with a built app beside it."""

    assembly: Assembly
    dist: Path
    app: Path
    line: CommandLine
    aws: Aws

    def deploy(self, verb: str, *more: str) -> Ended:
        return self.line.deploy(verb, *self.where, *more)

    def plan(self, *more: str) -> Ended:
        return self.deploy("plan", "--content", str(self.app), *more)

    def apply(self, *more: str) -> Ended:
        return self.deploy("apply", "--yes", *more)

    @property
    def where(self) -> tuple[str, ...]:
        return ("--env", self.assembly.environment, "--dist", str(self.dist))

    @property
    def bucket(self) -> str:
        return f"dev-site-{self.assembly.account_id}"

    @property
    def saved(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.dist / "dev" / "plan.json").read_text())
        return found

    def s3(self) -> Any:
        return self.aws.client("s3", account_id=self.assembly.account_id, region=self.assembly.home_region)

    def objects(self) -> dict[str, dict[str, Any]]:
        """Every object with its headers; none without a bucket."""
        try:
            listed = self.s3().list_objects_v2(Bucket=self.bucket).get("Contents", [])
        except NotFound:
            return {}
        return {o["Key"]: self.s3().head_object(Bucket=self.bucket, Key=o["Key"]) for o in listed if not o["Key"].startswith(".releases/")}

    def body(self, key: str) -> bytes:
        read: bytes = self.s3().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return read

    def record(self) -> history.Record:
        """Of the last apply."""
        bucket = S3.connect(self.aws, account_id=self.assembly.account_id, region=self.assembly.home_region)
        return history.records(bucket, self.assembly.artifact_bucket, "dev", limit=1)[0]


@pytest.fixture
def dev(aws: Aws, wire: Wire, account: str, tmp_path: Path) -> Environment:
    """Nothing is deployed."""
    return environment(aws, wire, account, tmp_path)


def environment(aws: Aws, wire: Wire, account: str, tmp_path: Path, **changes: Any) -> Environment:
    synthesis = frontend.synthesised("dev", account, **changes)
    frontend.write(synthesis, tmp_path / "dist")
    assembly = synthesis.assembly
    assert assembly.hosted_zone is not None
    prepare.hosted_zone(aws, name=assembly.hosted_zone.name, account_id=assembly.hosted_zone.account_id)
    line = CommandLine(home=tmp_path, endpoint_url=wire.url, account_id=account)
    return Environment(assembly=assembly, dist=tmp_path / "dist", app=frontend.built(tmp_path / "app"), line=line, aws=aws)


def test_a_first_deployment_is_one_plan_of_stacks_and_content(dev: Environment, wire: Wire) -> None:
    planned = dev.plan()
    assert planned.code == 3, planned
    assert "bucket and distribution are known after site.BucketName, site.DistributionId" in planned.stdout
    files = [p for p in dev.app.rglob("*") if p.is_file()]
    assert f"content: {len(files) + len(frontend.GENERATED)} to add; " in planned.stdout.splitlines()[-2]
    assert dev.objects() == {}

    done = dev.apply()

    assert done.code == 0, done
    there = dev.objects()
    assert set(there) == {p.relative_to(dev.app).as_posix() for p in files} | frontend.GENERATED
    assert {h["CacheControl"] for key, h in there.items() if key.startswith("assets/")} == {"public, max-age=31536000, immutable"}
    assert (there["index.html"]["CacheControl"], there["index.html"]["ContentType"]) == (PAGE, "text/html; charset=utf-8")
    assert f"content: release 1 ({dev.record().content.content[:12]}) is live in s3://{dev.bucket}" in done.stdout  # type: ignore[union-attr]
    assert "; content published." in done.stdout
    assert any(line.startswith("  content ") and "#" in line for line in done.stdout.splitlines()), "in the chart"
    assert "content: index document: 1 file" in done.stderr
    order = [(c.service, c.operation) for c in wire.calls]
    puts = [i for i, c in enumerate(wire.calls) if c.operation == "PutObject" and c.path.startswith(f"/{dev.bucket}/")]
    last_stack = len(order) - order[::-1].index(("cloudformation", "ExecuteChangeSet")) - 1
    unlocked = len(order) - order[::-1].index(("dynamodb", "DeleteItem")) - 1
    assert last_stack < puts[0] and puts[-1] < unlocked, "after the stacks, under the lock"
    assert dev.record().result == "succeeded"
    assert dev.record().content.release == 1  # type: ignore[union-attr]

    again = dev.plan()
    assert again.code == 0, again
    assert again.stdout.splitlines()[-1].startswith("No changes: ")
    assert "content live already" in again.stdout.splitlines()[-1]
    assert dev.apply().stdout.endswith("\ndev: no changes, nothing to apply\n")

    fresh = frontend.rebuilt(dev.app, "dearer")
    changed = dev.plan("--json")
    assert changed.code == 3, changed
    content = answer(changed.stdout)["plan"]["content"]
    assert len(content["changes"]) == 3
    assert (content["kept"], content["known_after"], content["live_number"]) == (len(files) + len(frontend.GENERATED) - 3, [], 1)
    wire.calls.clear()

    updated = dev.apply("--json", "--plan-digest", dev.saved["digest"])

    assert updated.code == 0, updated
    result = answer(updated.stdout)
    assert {s["result"] for s in result["stacks"]} == {"unchanged"}
    assert (result["content"]["result"], result["content"]["release"], result["content"]["written"]) == ("succeeded", 2, 3)
    puts_now = [c.path for c in wire.calls if c.operation == "PutObject" and c.path.startswith(f"/{dev.bucket}/")]
    entered, *puts_now = puts_now
    assert "/.releases/2-" in entered
    assert len(puts_now) == 3 and puts_now[-1].endswith("/index.html") and any(p.endswith(fresh) for p in puts_now)
    assert "ExecuteChangeSet" not in [c.operation for c in wire.calls]
    assert not (dev.dist / "dev" / "plan.json").exists()


@pytest.fixture
def live(aws: Aws, wire: Wire, account: str, tmp_path: Path) -> Environment:
    """Deployed, with a first release."""
    made = environment(aws, wire, account, tmp_path)
    done = made.deploy("apply", "--yes", "--content", str(made.app))
    assert done.code == 0, done
    return made


def test_what_moved_between_plan_and_apply_is_said_before_anything_changes(live: Environment, tmp_path: Path, wire: Wire) -> None:
    frontend.rebuilt(live.app, "reviewed")
    assert live.plan().code == 3
    reviewed = (live.app / "index.html").read_bytes()
    page = live.body("index.html")
    wire.calls.clear()

    frontend.rebuilt(live.app, "not reviewed")
    refused = live.apply()
    assert refused.code == 2, refused
    assert "is not the one that was reviewed" in refused.stderr
    assert re.search(rf"next: python deploy\.py plan --env dev (--dist \S+ )?--content {live.app}", refused.stderr)

    elsewhere = tmp_path / "empty"
    elsewhere.mkdir()
    gone = live.apply("--content", str(elsewhere))
    assert gone.code == 2, gone
    assert "index.html" in gone.stderr
    assert not [c for c in wire.calls if c.operation in ("PutObject", "PutItem", "ExecuteChangeSet")], "not even the lock was taken"
    assert live.body("index.html") == page != reviewed

    assert live.plan().code == 3
    other = frontend.built(tmp_path / "other")
    frontend.rebuilt(other, "somebody else's")
    assert live.deploy("publish", "--content", str(other), "--yes").code == 0
    overtaken = live.apply()
    assert overtaken.code == 2, overtaken
    assert "release 2 went live after the plan was made" in overtaken.stderr

    assert live.plan().code == 3
    live.s3().put_object(Bucket=live.bucket, Key="favicon.svg", Body=b"by hand")
    by_hand = live.apply()
    assert by_hand.code == 2, by_hand
    assert "the bucket has changed since the plan was made: favicon.svg" in by_hand.stderr


def test_what_moves_while_the_stacks_are_applied_is_not_overwritten(live: Environment, tmp_path: Path, wire: Wire) -> None:
    frontend.rebuilt(live.app, "reviewed")
    assert live.plan().code == 3
    other = frontend.built(tmp_path / "other")
    frontend.rebuilt(other, "somebody else's")
    past = CommandLine(home=live.line.home, endpoint_url=wire.behind.geturl(), account_id=live.assembly.account_id)

    def meanwhile(exchange: Exchange) -> None:
        assert past.deploy("publish", *live.where, "--content", str(other), "--yes").code == 0
        exchange.send(exchange.forward())

    wire.on("dynamodb", "PutItem", meanwhile)
    refused = live.apply()

    assert refused.code == 1, refused
    assert "content: refused: release 2 went live after the plan was made" in refused.stdout
    assert "content refused" in refused.stdout
    assert live.body("index.html") == (other / "index.html").read_bytes()
    assert live.record().content.result == "refused"  # type: ignore[union-attr]


def test_stacks_that_fail_leave_the_content_alone(dev: Environment, aws: Aws) -> None:
    assert dev.plan().code == 3
    aws.client("s3", account_id=dev.assembly.account_id, region=dev.assembly.home_region).create_bucket(
        Bucket=dev.bucket, CreateBucketConfiguration={"LocationConstraint": dev.assembly.home_region}
    )
    failed = dev.apply()
    assert failed.code == 1, failed
    assert "content: not started: because of site" in failed.stdout
    assert "; content not started." in failed.stdout
    assert dev.objects() == {}


def test_bad_content_is_refused_before_anything_is_made_for_a_plan(dev: Environment, wire: Wire) -> None:
    (dev.app / "assets" / "x.js.map").write_text("{}")
    refused = dev.plan()
    assert refused.code == 2, refused
    assert "x.js.map" in refused.stderr
    assert "CreateChangeSet" not in [c.operation for c in wire.calls]
    assert dev.plan("--allow", "source-map").code == 3
    assert dev.saved["content"]["allow"] == ["source-map"]
    assert dev.apply().code == 0
    assert "assets/x.js.map" in dev.objects()


def test_an_environment_of_promoted_releases_takes_no_directory(aws: Aws, wire: Wire, account: str, tmp_path: Path) -> None:
    dev = environment(aws, wire, account, tmp_path, publishing={"promote_from": "sit"})
    refused = dev.plan()
    assert refused.code == 2, refused
    assert "takes only releases that were verified in sit" in refused.stderr


@pytest.mark.attack
def test_what_was_verified_elsewhere_is_one_plan_with_the_stacks(aws: Aws, wire: Wire, account: str, tmp_path: Path) -> None:
    dev = environment(aws, wire, account, tmp_path, publishing={"promote_from": "sit"})
    sit = frontend.deployed(aws, dev.dist, "sit", account, foundation=False)
    published = dev.line.deploy("publish", "--env", "sit", "--dist", str(dev.dist), "--content", str(dev.app), "--yes")
    assert published.code == 0, published
    unverified = dev.deploy("plan", "--release", "sit:1")
    assert (unverified.code, "has not been verified there" in unverified.stderr) == (1, True), unverified
    frontend.verified(aws, sit)

    planned = dev.deploy("plan", "--release", "sit:1")
    assert planned.code == 3, planned
    assert "(release 1), compared with an empty site" in planned.stdout
    assert dev.saved["content"]["release"] == f"sit:{dev.saved['content']['content']}"

    # What the plan has is a digest: bytes that are exchanged afterwards are refused before any stack is touched.
    kept, client = sit.assembly.artifact_bucket, dev.s3()
    page = client.list_objects_v2(Bucket=kept, Prefix="site/sit/content/")["Contents"][0]["Key"]
    body = client.get_object(Bucket=kept, Key=page)["Body"].read()
    client.put_object(Bucket=kept, Key=page, Body=b"tampered")
    before = len(wire.calls)
    refused = dev.apply()
    assert (refused.code, "is not what was published as release 1 of sit" in refused.stderr) == (2, True), refused
    assert not [call for call in wire.calls[before:] if call.operation in ("ExecuteChangeSet", "CreateStack", "PutItem")]
    client.put_object(Bucket=kept, Key=page, Body=body)

    other = dev.apply("--release", "sit:" + "0" * 12)
    assert (other.code, "is not about the release sit:000000000000" in other.stderr) == (2, True), other
    done = dev.apply()
    assert done.code == 0, done
    assert dev.body("index.html") == (dev.app / "index.html").read_bytes()
    again = dev.deploy("plan", "--release", "sit:1")
    assert (again.code, "live already" in again.stdout) == (0, True), again


def test_a_protected_environment_is_approved_once_for_stacks_and_content(aws: Aws, wire: Wire, account: str, tmp_path: Path) -> None:
    dev = environment(aws, wire, account, tmp_path, protection={"change_approval": True})
    assert dev.plan().code == 3
    refused = dev.apply()
    assert refused.code == 2, refused
    done = dev.deploy("apply", "--approve", dev.saved["digest"])
    assert done.code == 0, done
    assert dev.body("index.html") == (dev.app / "index.html").read_bytes()


KILL_AT: dict[str, Callable[[Call, str], bool]] = {
    "the claim": lambda call, bucket: call.path.endswith("releases.json"),
    "an asset": lambda call, bucket: f"/{bucket}/assets/" in call.path,
    "the cached logo": lambda call, bucket: f"/{bucket}/assets/logo.svg" in call.path,
    "the page": lambda call, bucket: f"/{bucket}/index.html" in call.path,
}


def spoil(wire: Wire, moment: str, bucket: str, kill: Fault) -> None:
    """Kill at the moment, once; everything else goes through."""
    done: list[bool] = []
    if moment == "the invalidation":
        wire.on("cloudfront", "CreateInvalidation", kill)
        return
    nth = 2 if moment == "the release" else 1

    def matches(call: Call) -> bool:
        return call.path.endswith("releases.json") if moment == "the release" else KILL_AT[moment](call, bucket)

    def fault(exchange: Exchange) -> None:
        if matches(exchange.call):
            done.append(True)
            if len(done) == nth:
                kill(exchange)
                return
        exchange.send(exchange.forward())

    wire.on("s3", "PutObject", fault, times=1_000_000)


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", [*KILL_AT, "the release", "the invalidation"])
def test_killed_while_publishing_and_run_again(
    moment: str, answered: bool, live: Environment, wire: Wire, processes: list[subprocess.Popen[str]]
) -> None:
    (live.app / "assets" / "logo.svg").write_text("<svg/>")
    assert live.deploy("apply", "--yes", "--content", str(live.app)).code == 0
    old = live.objects()
    (live.app / "assets" / "logo.svg").write_text("<svg></svg>")
    frontend.rebuilt(live.app, moment)
    assert live.plan().code == 3
    assert live.saved["content"]["invalidations"] == ["/assets/logo.svg", "/buy", "/buy/*", "/index.html"]
    victim: list[subprocess.Popen[str]] = []

    def kill(exchange: Exchange) -> None:
        if answered:
            exchange.forward()
        eventually(lambda: victim)[0].kill()
        victim[0].wait()
        exchange.drop()

    spoil(wire, moment, live.bucket, kill)
    process = live.line.start("deploy.py", "apply", *live.where, "--yes")
    victim.append(process)
    processes.append(process)
    process.wait(timeout=TIMEOUT)
    assert process.returncode == -9
    assert old.keys() <= live.objects().keys()

    again = live.apply("--plan-digest", live.saved["digest"])

    assert again.code == 0, again
    for path in live.app.rglob("*"):
        if path.is_file():
            assert live.body(path.relative_to(live.app).as_posix()) == path.read_bytes()
    releases = answer(live.deploy("releases", "--json").stdout)["releases"]
    assert [r["number"] for r in releases] == [1, 2, 3]
    distribution = next(
        o["OutputValue"]
        for o in live.aws.client("cloudformation", account_id=live.assembly.account_id, region=live.assembly.home_region).describe_stacks(
            StackName=next(s.stack_name for s in live.assembly.stacks if s.id == "site")
        )["Stacks"][0]["Outputs"]
        if o["OutputKey"] == "DistributionId"
    )
    client = live.aws.client("cloudfront", account_id=live.assembly.account_id, region="us-east-1")
    assert client.list_invalidations(DistributionId=distribution)["InvalidationList"].get("Items"), "what was overwritten is forgotten"
    assert live.plan().code == 0


def test_interrupted_while_publishing_it_says_so_and_goes_on_next_time(
    live: Environment, wire: Wire, processes: list[subprocess.Popen[str]]
) -> None:
    frontend.rebuilt(live.app, "interrupted")
    assert live.plan().code == 3
    page = live.body("index.html")
    held: list[Exchange] = []
    arrived = threading.Event()
    go = threading.Event()

    def hold(exchange: Exchange) -> None:
        if f"/{live.bucket}/assets/" in exchange.call.path:
            held.append(exchange)
            arrived.set()
            go.wait(TIMEOUT)
        exchange.send(exchange.forward())

    wire.on("s3", "PutObject", hold, times=1_000)
    process = live.line.start("deploy.py", "apply", *live.where, "--yes", "--json")
    processes.append(process)
    assert arrived.wait(TIMEOUT)
    process.send_signal(signal.SIGINT)
    # The CRT waits for requests that are on their way, as threads do.
    threading.Timer(0.5, go.set).start()
    stdout, stderr = process.communicate()

    assert process.returncode == 130, stdout + stderr
    result = answer(stdout)
    assert (result["result"], result["content"]["result"]) == ("interrupted", "interrupted")
    assert "Traceback" not in stderr
    assert live.body("index.html") == page
    assert live.apply().code == 0
    assert live.body("index.html") == (live.app / "index.html").read_bytes()


def test_without_any_account_on_the_local_aws(tmp_path: Path) -> None:
    """The repository's own dev environment, placeholders and Basic Auth and all."""
    synthesis = synthesise(environments()["dev"])
    frontend.write(synthesis, tmp_path / "dist")
    app = frontend.built(tmp_path / "app")

    def deploy(verb: str, *more: str) -> tuple[int, str]:
        out = io.StringIO()
        context = Context(stdin=io.StringIO(), stdout=out, stderr=out, environ={}, root=tmp_path)
        arguments = [verb, "--env", "dev", "--local", "--dist", str(tmp_path / "dist"), *more]
        return main(arguments, ["verbs"], context), out.getvalue()

    server = LocalAws.start(tmp_path / ".local-aws", bound_to=os.getpid(), persist=False)
    try:
        planned = deploy("plan", "--content", str(app))
        assert planned[0] == 3, planned
        assert re.search(r"next: python deploy\.py apply --env dev (--dist \S+ )?--local", planned[1])
        done = deploy("apply", "--yes")
        assert done[0] == 0, done
        then = re.compile(r"next: python deploy\.py preview --env dev.* --local.*\n *next: python deploy\.py verify --env dev.* --local")
        assert then.search(done[1])
        assert "the preview shows this one\n  next: python deploy.py preview --env dev --local" in deploy("outputs")[1]
        assert deploy("plan", "--content", str(app))[0] == 0
        frontend.rebuilt(app, "dearer")
        published = deploy("publish", "--content", str(app), "--yes")
        assert published[0] == 0, published
        assert re.search(r"next: python deploy\.py verify --env dev.* --local", published[1])
        frontend.rebuilt(app, "once more")
        assert deploy("plan", "--content", str(app))[0] == 3
        frontend.rebuilt(app, "not reviewed")
        refused = deploy("apply", "--yes")
        assert refused[0] == 2, refused
        assert re.search(rf"next: python deploy\.py plan --env dev --local (--dist \S+ )?--content {app}", refused[1])
    finally:
        server.stop()
