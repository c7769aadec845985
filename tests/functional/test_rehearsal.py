"""The way from a pull request to production, rehearsed: the workflows' own steps in three accounts with IAM enforced, without GitHub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.server import LocalAws
from tests.functional import breakable, frontend
from tests.functional.accounts import REPOSITORY, Site, identity_token, sites
from tests.rehearsal.runner import Run
from tests.rehearsal.world import Refused, World

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("rehearsal")]

ACCOUNTS = {"dev": "310000000001", "sit": "310000000002", "prod": "310000000003"}
ENDPOINT = "AWS_ENDPOINT_URL"


@dataclass(kw_only=True)
class Stage:
    """Three deployed environments, a served page for each, and the world around the workflows."""

    world: World
    sites: dict[str, Site]
    pages: dict[str, breakable.Site]
    app: Path
    asked: list[str] = field(default_factory=list)
    """Environments for which GitHub has asked reviewers, or would have."""

    def event(self, name: str = "push", **more: Any) -> dict[str, Any]:
        return {
            "event_name": name,
            "repository": REPOSITORY,
            "ref": "refs/heads/main",
            "run_id": "1",
            "sha": "0a1b2c3",
            "server_url": "https://github.example",
            "event": {},
            **more,
        }

    def pull_request(self, repository: str = REPOSITORY) -> dict[str, Any]:
        of = {"head": {"repo": {"full_name": repository}, "sha": "0a1b2c3"}, "base": {"sha": "f"}, "number": 5, "user": {"login": "jane"}}
        return self.event("pull_request", ref="refs/pull/5/merge", event={"pull_request": of})

    def deploy(self) -> Run:
        """A run of deploy.yml that is yet to start."""
        return Run(world=self.world, github=self.event())

    def alarm(self, environment: str) -> float:
        """The latency at which the environment's alarm sounds: what the tests change."""
        site = self.sites[environment]
        client = boto3.client(
            "cloudwatch",
            region_name="us-east-1",
            endpoint_url=site.endpoint_url,
            aws_access_key_id=site.account,
            aws_secret_access_key=site.administrator().secret,
        )
        alarms = client.describe_alarms(AlarmNames=[f"kimmyai-web-{environment}-OriginLatency"])["MetricAlarms"]
        return float(alarms[0]["Threshold"])


@pytest.fixture(scope="module")
def stage(guarded_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("rehearsal")
    extra = {name: "" for name in ("prod",)}
    made = sites(guarded_aws, home, ACCOUNTS, **extra)
    # Each file ends with the value that the tests change.
    for name, site in made.items():
        path = site.environments / f"{name}.yaml"
        text = path.read_text()
        text = text.replace("monitoring:\n", "monitoring:\n  origin_latency_ms: 3000\n") if "monitoring:\n" in text else (
            text + "monitoring:\n  origin_latency_ms: 3000\n"
        )
        path.write_text(text)
        site.build()

    def first(site: Site) -> None:
        site.plan(site.administrator())
        applied = site.apply(site.administrator())
        assert applied.code == 0, applied

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(first, made.values()))

    def credentials(subject: str, role: str, session: str) -> dict[str, str]:
        sts = boto3.client("sts", region_name="us-east-1", endpoint_url=guarded_aws.endpoint_url, config=Config(signature_version=UNSIGNED))
        try:
            given = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName=session, WebIdentityToken=identity_token(subject))
        except ClientError as error:
            raise Refused(str(error)) from error
        keys = given["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    app = frontend.built(home / "app")
    with ExitStack() as stack:
        pages, settings = {}, {}
        for name, site in made.items():
            contract = site.assembly.contract
            assert contract is not None
            pages[name] = breakable.Site(contract, app)
            pages[name].plain_is_secure = True
            settings[f"REHEARSAL_SITE_{name}"] = f"http://127.0.0.1:{stack.enter_context(breakable.served(pages[name], None))}"
        world = World(
            home=home / "world",
            repository=REPOSITORY,
            environments=made["dev"].environments,
            credentials=credentials,
            settings={
                **settings,
                ENDPOINT: guarded_aws.endpoint_url,
                "AWS_EC2_METADATA_DISABLED": "true",
                "PYTHONWARNINGS": "ignore",
                "COLUMNS": "120",
            },
        )
        found = Stage(world=world, sites=made, pages=pages, app=app)
        yield found


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
    live = json.loads(site.run(site.administrator(), "releases", "--json").stdout)
    releases = live["releases"] if isinstance(live, dict) else live
    assert max(releases, key=lambda each: each["number"])["content"] == digest
