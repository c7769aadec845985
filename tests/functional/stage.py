"""Three deployed environments in three accounts with IAM enforced, a served page for each, and the world around the workflows.

In: a server with IAM enforcement, a directory. Out: a `Stage`. Never: hands a workflow anything but what its token gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.server import LocalAws
from tests.functional import breakable, frontend
from tests.functional.accounts import REPOSITORY, Site, identity_token, sites
from tests.rehearsal.runner import Run
from tests.rehearsal.world import COMMIT, Refused, World

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
            "repository_owner": REPOSITORY.partition("/")[0],
            "ref": "refs/heads/main",
            "ref_name": "main",
            "run_id": "1",
            "sha": COMMIT,
            "server_url": "https://github.com",
            "event": {},
            **more,
        }

    def pull_request(self, repository: str = REPOSITORY) -> dict[str, Any]:
        of = {"head": {"repo": {"full_name": repository}, "sha": COMMIT}, "base": {"sha": "f"}, "number": 5, "user": {"login": "jane"}}
        return self.event("pull_request", ref="refs/pull/5/merge", event={"pull_request": of})

    def deploy(self) -> Run:
        """A run of deploy.yml that is yet to start."""
        return Run(world=self.world, github=self.event())

    def alarm(self, environment: str) -> float:
        """The latency at which the environment's alarm sounds: what the tests change."""
        site = self.sites[environment]
        alarms = root(site, "cloudwatch").describe_alarms(AlarmNames=[f"kimmyai-web-{environment}-OriginLatency"])["MetricAlarms"]
        return float(alarms[0]["Threshold"])


def root(site: Site, service: str, region: str = "us-east-1") -> Any:
    made: Any = boto3.client
    return made(
        service,
        region_name=region,
        endpoint_url=site.endpoint_url,
        aws_access_key_id=site.account,
        aws_secret_access_key=site.administrator().secret,
    )


@contextmanager
def staged(guarded_aws: LocalAws, home: Path) -> Iterator[Stage]:
    """Deployed by administrators; the app is built and not yet published."""
    made = sites(guarded_aws, home, ACCOUNTS)
    # Each file ends with the value that the tests change.
    for name, site in made.items():
        path = site.environments / f"{name}.yaml"
        text = path.read_text()
        text = (
            text.replace("monitoring:\n", "monitoring:\n  origin_latency_ms: 3000\n")
            if "monitoring:\n" in text
            else (text + "monitoring:\n  origin_latency_ms: 3000\n")
        )
        path.write_text(text)
        site.build()

    def first(site: Site) -> None:
        site.plan(site.administrator())
        applied = site.apply(site.administrator())
        assert applied.code == 0, applied

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(first, made.values()))

    def credentials(subject: str, ref: str, role: str, session: str) -> dict[str, str]:
        sts = boto3.client("sts", region_name="us-east-1", endpoint_url=guarded_aws.endpoint_url, config=Config(signature_version=UNSIGNED))
        try:
            given = sts.assume_role_with_web_identity(
                RoleArn=role, RoleSessionName=session, WebIdentityToken=identity_token(subject, ref=ref)
            )
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
