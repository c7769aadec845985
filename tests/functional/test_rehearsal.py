"""The way from a pull request to production, rehearsed: the workflows' own steps in three accounts with IAM enforced, without GitHub."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.server import LocalAws
from tests.functional import frontend
from tests.functional.accounts import REPOSITORY
from tests.functional.harness import CommandLine
from tests.functional.stage import ACCOUNTS, Stage, root, staged
from tests.rehearsal import github
from tests.rehearsal.runner import Run
from tests.rehearsal.world import Refused

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("rehearsal")]


@pytest.fixture(scope="module")
def stage(guarded_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(guarded_aws, tmp_path_factory.mktemp("rehearsal")) as made:
        yield made


@pytest.fixture(autouse=True)
def calm(stage: Stage) -> Iterator[None]:
    """Reviewers say yes, nobody is killed, and sites keep their promises."""
    stage.asked.clear()
    stage.world.review = stage.asked.append
    stage.world.watch = lambda _step, _line: False
    stage.world.outputs.clear()
    stage.world.summaries.clear()
    stage.world.subjects.clear()
    yield
    for page in stage.pages.values():
        page.broken = ""


def said(stage: Stage) -> str:
    return "\n".join(f"=== {path}\n{text}" for path, text in stage.world.outputs.items())


def edited(stage: Stage, new: int, *environments: str) -> None:
    """A merged change of the alarm's threshold in these environments, all of them by default."""
    for name in environments or tuple(ACCOUNTS):
        text = (stage.world.checkout() / "environments" / f"{name}.yaml").read_text()
        old = text.partition("origin_latency_ms: ")[2].partition("\n")[0]
        stage.world.commit(name, f"origin_latency_ms: {old}", f"origin_latency_ms: {new}")


def release(stage: Stage) -> Run:
    run = Run(world=stage.world, github=stage.event("workflow_call"), inputs={"content": "app"})
    run.artifacts["app"] = stage.app
    return run


def test_the_apps_files_go_to_every_environment_and_come_back(stage: Stage) -> None:
    first = release(stage)
    assert first.start("release.yml") == "success", said(stage)
    assert stage.asked == ["dev", "sit", "prod"]
    assert {role for _, role in stage.world.subjects} == {f"kimmyai-web-{name}-deploy" for name in ACCOUNTS}
    digest = first.jobs["dev"].outputs["digest"]
    frontend.rebuilt(stage.app, "second")
    second = release(stage)
    assert second.start("release.yml") == "success", said(stage)
    assert second.jobs["dev"].outputs["digest"] != digest

    listed = Run(world=stage.world, github=stage.event("workflow_dispatch"), inputs={"environment": "prod"})
    stage.world.subjects.clear()
    assert listed.start("rollback.yml") == "success", said(stage)
    assert listed.results() == {"list": "success", "rollback": "skipped"}
    assert digest[:12] in stage.world.summaries["list"]
    assert stage.world.subjects == [(f"repo:{REPOSITORY}:ref:refs/heads/main", "kimmyai-web-prod-plan")]

    back = Run(world=stage.world, github=stage.event("workflow_dispatch"), inputs={"environment": "prod", "release": digest[:12]})
    assert back.start("rollback.yml") == "success", said(stage)
    site = stage.sites["prod"]
    live = json.loads(site.run(site.administrator(), "releases", "--json").stdout)["data"]
    releases = live["releases"] if isinstance(live, dict) else live
    assert max(releases, key=lambda each: each["number"])["content"] == digest


def test_a_merge_goes_from_dev_to_prod_and_what_was_approved_is_what_runs(stage: Stage) -> None:
    edited(stage, 3100)
    run = stage.deploy()
    assert run.start("deploy.yml") == "success", said(stage)
    assert run.results() | {"attest": "success"} == {
        "build": "success",
        "attest": "success",
        **{path: "success" for name in ACCOUNTS for path in (name, f"{name}/first", f"{name}/first/plan", f"{name}/first/apply")},
        **{f"{name}/again": "skipped" for name in ACCOUNTS},
    }
    assert [stage.alarm(name) for name in ACCOUNTS] == [3100, 3100, 3100]
    # The plan role plans, on the branch; the deploy role applies, in the environment.
    assert stage.world.subjects == [
        taken
        for name in ACCOUNTS
        for taken in (
            (f"repo:{REPOSITORY}:ref:refs/heads/main", f"kimmyai-web-{name}-plan"),
            (f"repo:{REPOSITORY}:environment:{name}", f"kimmyai-web-{name}-deploy"),
        )
    ]
    digest = run.jobs["prod/first/plan"].outputs["digest"]
    assert f"To approve: plan `{digest}` of prod, and no other." in stage.world.summaries["prod/first/plan"]
    assert f"plan {digest[:12]}" in stage.world.outputs["prod/first/apply"]

    again = stage.deploy()
    assert again.start("deploy.yml") == "success", said(stage)
    # Before prod, what is there is verified all the same.
    assert {path: result for path, result in again.results().items() if path.endswith("/apply")} == {
        "dev/first/apply": "success",
        "sit/first/apply": "success",
        "prod/first/apply": "skipped",
    }


def test_where_prod_moves_between_approval_and_apply_a_new_approval_is_asked_for(stage: Stage) -> None:
    edited(stage, 3200)
    site = stage.sites["prod"]

    def reviewed(environment: str) -> None:
        stage.asked.append(environment)
        if stage.asked.count("prod") == 1 and environment == "prod":
            # Somebody changes prod by hand after the plan was made.
            site.edit("origin_latency_ms: 3000", "origin_latency_ms: 3150")
            site.plan(site.administrator())
            assert site.apply(site.administrator()).code == 0

    stage.world.review = reviewed
    run = stage.deploy()
    assert run.start("deploy.yml") == "success", said(stage)
    assert stage.asked == ["dev", "sit", "prod", "prod"]
    assert run.jobs["prod/first"].outputs["moved"] == "true"
    assert run.jobs["prod/again/apply"].result == "success"
    first, second = (run.jobs[f"prod/{attempt}/plan"].outputs["digest"] for attempt in ("first", "again"))
    assert first != second
    summary = stage.world.summaries["prod/again/plan"]
    assert "prod has moved since the plan that was approved; nothing was applied" in summary
    assert "3,150" in summary or "3150" in summary
    assert f"plan `{second}` of prod" in summary
    assert stage.alarm("prod") == 3200


def test_where_sit_does_not_keep_its_promises_prod_is_not_reached(stage: Stage) -> None:
    before = stage.alarm("prod")
    site = stage.sites["sit"]
    if not json.loads(site.run(site.administrator(), "releases", "--json").stdout)["data"]["releases"]:
        # Where this test runs alone. Before the first release nothing is promised.
        published = site.run(site.administrator(), "publish", "--content", str(stage.app), "--yes")
        assert published.code == 0, published
    edited(stage, 3300)
    stage.pages["sit"].broken = "http.redirect"
    run = stage.deploy()
    assert run.start("deploy.yml") == "failure", said(stage)
    assert {name: run.jobs[name].result for name in ACCOUNTS} == {"dev": "success", "sit": "failure", "prod": "skipped"}
    assert "prod" not in stage.asked
    assert not any("-prod-" in role for _, role in stage.world.subjects)
    assert [stage.alarm(name) for name in ACCOUNTS] == [3300, 3300, before]
    # The next merge changes nothing in sit; it does not pass it by.
    after = stage.deploy()
    assert after.start("deploy.yml") == "failure", said(stage)
    assert {name: after.jobs[name].result for name in ACCOUNTS} == {"dev": "success", "sit": "failure", "prod": "skipped"}


def test_a_runner_that_dies_while_it_applies_leaves_what_the_next_run_goes_on_with(stage: Stage) -> None:
    edited(stage, 3400)
    deaths: list[str] = []

    def watch(step: str, line: str) -> bool:
        dies = step == "Apply what was approved" and line.startswith("monitoring: ") and not deaths
        if dies:
            deaths.append(line)
        return dies

    stage.world.watch = watch
    run = stage.deploy()
    assert run.start("deploy.yml") == "killed", said(stage)
    assert run.jobs["dev/first/apply"].result == "killed"
    assert "sit" in {path for path, result in run.results().items() if result == "skipped"}
    assert run.start("deploy.yml") == "success", said(stage)
    assert [stage.alarm(name) for name in ACCOUNTS] == [3400, 3400, 3400]
    # What had been planned and approved was gone on with, not planned anew.
    assert stage.asked.count("dev") == 2
    assert len([role for _, role in stage.world.subjects if role == "kimmyai-web-dev-plan"]) == 1


@pytest.mark.attack
def test_a_pull_request_is_planned_and_changes_nothing_and_one_of_a_fork_is_only_built(stage: Stage) -> None:
    before = [stage.alarm(name) for name in ACCOUNTS]
    edited(stage, 3500)
    fork = Run(world=stage.world, github=stage.pull_request("somebody/fork"))
    assert fork.start("plan.yml") == "success", said(stage)
    assert fork.results() == {"build": "success", "plan": "skipped", "comment": "skipped"}
    assert stage.world.subjects == []

    run = Run(world=stage.world, github=stage.pull_request())
    assert run.start("plan.yml") == "success", said(stage)
    assert stage.world.subjects == [(f"repo:{REPOSITORY}:pull_request", f"kimmyai-web-{name}-pull-request") for name in ACCOUNTS]
    # Another workflow's comment comes after ours; it is ours that the next run writes over.
    others = github.read(stage.world.store, "comments")
    comment = others[-1]["body"]
    assert len(others) == 1 and len(comment) < 65_536
    (stage.world.store / "comments").write_text(
        json.dumps([*others, {"user": {"login": github.BOT}, "issue": "5", "body": "coverage: 90%"}])
    )
    del run.jobs["comment"]
    assert run.start("plan.yml") == "success", said(stage)
    assert [each["body"] for each in github.read(stage.world.store, "comments")] == [comment, "coverage: 90%"]
    for name in ACCOUNTS:
        assert f"| {name} | Plan: " in comment
        assert "1 to update" in comment.partition(f"| {name} | ")[2].partition("\n")[0]
    assert [stage.alarm(name) for name in ACCOUNTS] == before
    for site in stage.sites.values():
        left = root(site, "cloudformation").list_change_sets(StackName=f"kimmyai-web-{site.environment}-monitoring")["Summaries"]
        assert [each["ChangeSetName"] for each in left if each["ChangeSetName"].startswith("review-")] == []


def test_a_second_merge_while_the_first_waits_makes_the_first_ask_again(stage: Stage) -> None:
    edited(stage, 3600)
    others: list[Run] = []

    def reviewed(environment: str) -> None:
        stage.asked.append(environment)
        if environment == "prod" and not others:
            # GitHub keeps the second run from prod by its concurrency group, not from dev and sit.
            edited(stage, 3700, "dev")
            other = stage.deploy()
            others.append(other)
            stage.world.review = lambda name: refuse() if name == "prod" else stage.asked.append(name)
            other.start("deploy.yml")
            stage.world.review = reviewed

    def refuse() -> None:
        raise Refused("the reviewers say no")

    stage.world.review = reviewed
    run = stage.deploy()
    assert run.start("deploy.yml") == "success", said(stage)
    assert others[0].jobs["prod/first/apply"].result == "failure"
    assert [stage.alarm(name) for name in ACCOUNTS] == [3700, 3600, 3600]
    assert stage.asked.count("prod") == 1


def test_what_a_night_finds_opens_an_issue(stage: Stage) -> None:
    stage.pages["prod"].broken = "app.root"
    look = Run(world=stage.world, github=stage.event("schedule"), only=frozenset({"prod"}))
    look.start("nightly.yml")
    assert look.jobs["look prod"].result == look.jobs["report"].result == "success", said(stage)
    (issue,) = (each["body"] for each in github.read(stage.world.store, "issues") if each["title"] == "Nightly findings of prod")
    assert "The root leads to the app" in issue and "AccessDenied" not in issue and "not authorized" not in issue, issue
    assert stage.world.subjects == [(f"repo:{REPOSITORY}:ref:refs/heads/main", "kimmyai-web-prod-plan")]


# --- approvals of two people ------------------------------------------------------------------------------------------


def person(stage: Stage, name: str) -> tuple[CommandLine, str]:
    """An IAM user of prod's account who may approve, and nothing else; and the user's unique id."""
    site = stage.sites["prod"]
    iam = root(site, "iam")
    # As CloudFormation fills it in; the local AWS attaches no managed policy to a user.
    policy = site.templates["foundation"]["Resources"]["ApprovePolicy"]["Properties"]["PolicyDocument"]
    text = json.dumps(policy).replace("${AWS::Partition}", "aws").replace("${!aws:userid}", "${aws:userid}")
    text = re.sub(r'\{"Fn::Sub": ("[^"]*")\}', r"\1", text)
    made = iam.create_user(UserName=name)["User"]
    iam.put_user_policy(UserName=name, PolicyName="approve", PolicyDocument=text)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    return replace(site.administrator(), account_id="", extra=keys), str(made["UserId"])


@pytest.mark.attack
def test_two_people_approve_what_a_workflow_applies(stage: Stage) -> None:
    site = stage.sites["prod"]
    for folder in (site.environments, stage.world.checkout() / "environments"):
        path = folder / "prod.yaml"
        text = path.read_text()
        path.unlink()
        path.write_text(text.replace("protection:\n", "protection:\n  approvals: 2\n"))
    site.build()
    # The policy of those who approve comes with foundation, which is an administrator's; from then on two people are asked for.
    site.plan(site.administrator())
    assert site.apply(site.administrator()).code == 0
    edited(stage, 3800, "prod")
    (jane, _), (joe, theirs), (jim, _) = (person(stage, name) for name in ("jane", "joe", "jim"))
    digests: list[str] = []

    def reviewed(environment: str) -> None:
        if environment == "prod":
            summary = stage.world.summaries["prod/first/plan"]
            digests.append(summary.partition("To approve: plan `")[2].partition("`")[0])

    stage.world.review = reviewed
    run = stage.deploy()
    assert run.start("deploy.yml") == "failure", said(stage)
    refused = stage.world.outputs["prod/first/apply"]
    assert f"prod asks for the approval of 2 people, and plan {digests[0][:12]} is approved by nobody yet" in refused
    assert f"deploy.py approve --env prod {digests[0]}" in refused

    one = site.run(jane, "approve", digests[0])
    assert one.code == 0, one
    assert site.run(jane, "approve", digests[0]).code == 0
    assert run.start("deploy.yml") == "failure", said(stage)
    assert "is approved by arn:aws:iam::310000000003:user/jane" in stage.world.outputs["prod/first/apply"].rpartition("prod asks")[2]
    # Neither by a workflow's role, nor in another's name, nor for a part of a digest.
    assert site.run(site.deploy_role(), "approve", digests[0]).code == 2
    assert site.run(joe, "approve", digests[0][:12]).code == 2
    key = f"approvals/prod/{digests[0]}/"
    bucket = site.assembly.artifact_bucket
    for forger in (jim, site.deploy_role()):
        with pytest.raises(ClientError) as denied:
            storage(stage, forger).put_object(Bucket=bucket, Key=f"{key}{theirs}.json", Body=b"{}")
        assert denied.value.response["Error"]["Code"] in ("AccessDenied", "403")
    assert site.run(joe, "approve", digests[0]).code == 0
    assert site.run(joe, "approve", digests[0], "--withdraw").code == 0
    assert run.start("deploy.yml") == "failure", said(stage)
    assert site.run(joe, "approve", digests[0]).code == 0
    assert run.start("deploy.yml") == "success", said(stage)
    assert stage.alarm("prod") == 3800
    # What takes away or brings back asks them as well, whoever types it.
    taken = site.run(site.administrator(), "destroy", "--approve", "prod", "--lift-termination-protection")
    assert taken.code == 2 and "prod asks for the approval of 2 people, and destroy " in taken.stderr, taken
    back = site.run(site.administrator(), "rollback-release", "--approve", "prod")
    # Where this test runs alone nothing has been released.
    unapproved = re.search(r"2 people, and release \d+ is approved by nobody yet", back.stderr)
    assert (back.code == 2 and unapproved) or (back.code == 1 and "to go back to" in back.stderr), back


def storage(stage: Stage, line: CommandLine) -> Any:
    """S3 with the credentials of a command line."""
    site, extra = stage.sites["prod"], line.extra
    keys = (
        extra
        if "AWS_ACCESS_KEY_ID" in extra
        else stage.world.credentials(f"repo:{REPOSITORY}:environment:prod", "refs/heads/main", extra["AWS_ROLE_ARN"], "forger")
    )
    made: Any = boto3.client
    return made(
        "s3",
        region_name=site.assembly.home_region,
        endpoint_url=site.endpoint_url,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys.get("AWS_SESSION_TOKEN"),
    )


# --- what the plan role may not ------------------------------------------------------------------------------------------

TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
OWN = "kimmyai-web-dev-monitoring"
REVIEW = {"StackName": OWN, "TemplateBody": TEMPLATE, "ChangeSetName": "review-x", "ChangeSetType": "UPDATE"}
BEYOND: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a change set is executed": ("cloudformation", "execute_change_set", {"StackName": OWN, "ChangeSetName": "review-x"}),
    "a change set has an apply's name": ("cloudformation", "create_change_set", REVIEW | {"ChangeSetName": "plan-dev-x"}),
    "an apply's change set is deleted": ("cloudformation", "delete_change_set", {"StackName": OWN, "ChangeSetName": "plan-dev-x"}),
    "a role is passed": (
        "cloudformation",
        "create_change_set",
        REVIEW | {"RoleARN": f"arn:aws:iam::{ACCOUNTS['dev']}:role/kimmyai-web-dev-cloudformation"},
    ),
    "a stack that takes a secret is planned": ("cloudformation", "create_change_set", REVIEW | {"StackName": "kimmyai-web-dev-edge"}),
    "a change set of a stack that takes a secret is read": (
        "cloudformation",
        "describe_change_set",
        {"StackName": "kimmyai-web-dev-edge", "ChangeSetName": "review-x"},
    ),
    "another's stack is planned": ("cloudformation", "create_change_set", REVIEW | {"StackName": "other"}),
    "a stack is deleted": ("cloudformation", "delete_stack", {"StackName": OWN}),
    "a stack is updated": ("cloudformation", "update_stack", {"StackName": OWN, "TemplateBody": TEMPLATE}),
    "a stack set is updated": (
        "cloudformation",
        "update_stack_set",
        {"StackSetName": "kimmyai-web-dev-edge-logs", "UsePreviousTemplate": True},
    ),
    "the password's hash is read": ("secretsmanager", "get_secret_value", {"SecretId": "kimmyai-web/dev/basic-auth"}),
    "the function's code is read": ("lambda", "get_function", {"FunctionName": "kimmyai-web-dev-basic-auth"}),
    "the site is written": ("s3", "put_object", {"Bucket": f"dev-kimmyai-web-public-{ACCOUNTS['dev']}", "Key": "index.html", "Body": b""}),
    "the site is read": ("s3", "get_object", {"Bucket": f"dev-kimmyai-web-public-{ACCOUNTS['dev']}", "Key": "index.html"}),
    "history is written": (
        "s3",
        "put_object",
        {"Bucket": f"bbws-dev-web-artifacts-{ACCOUNTS['dev']}", "Key": "history/dev/x", "Body": b""},
    ),
    "an approval is written": (
        "s3",
        "put_object",
        {"Bucket": f"bbws-dev-web-artifacts-{ACCOUNTS['dev']}", "Key": "approvals/dev/x/y.json", "Body": b""},
    ),
    "the lock is taken": ("dynamodb", "put_item", {"TableName": "bbws-web-locks-dev", "Item": {"LockID": {"S": "kimmyai-web/dev"}}}),
    "the deploy role is taken on": (
        "sts",
        "assume_role",
        {"RoleArn": f"arn:aws:iam::{ACCOUNTS['dev']}:role/kimmyai-web-dev-deploy", "RoleSessionName": "deploy"},
    ),
}


@pytest.fixture(scope="module")
def planner(stage: Stage) -> Callable[[str], Any]:
    """Clients with the plan role's credentials."""
    keys = stage.world.credentials(
        f"repo:{REPOSITORY}:pull_request",
        "refs/pull/5/merge",
        f"arn:aws:iam::{ACCOUNTS['dev']}:role/kimmyai-web-dev-pull-request",
        "pull-request",
    )

    def client(service: str) -> Any:
        made: Any = boto3.client
        return made(
            service,
            region_name="eu-west-1" if service in ("s3", "dynamodb") else "us-east-1",
            endpoint_url=stage.sites["dev"].endpoint_url,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys["AWS_SESSION_TOKEN"],
        )

    return client


@pytest.mark.attack
@pytest.mark.parametrize("what", BEYOND, ids=lambda what: what.replace(" ", "-").replace("'", ""))
def test_the_plan_role_is_denied(planner: Callable[[str], Any], what: str) -> None:
    service, operation, arguments = BEYOND[what]
    with pytest.raises(ClientError) as refused:
        getattr(planner(service), operation)(**arguments)
    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "AuthorizationError", "403"), refused.value
