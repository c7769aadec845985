"""Three environments in three accounts of the local AWS with IAM enforced, and the two who deploy them.

In: a server with IAM enforcement, ids of empty accounts, a directory. Out: the project's own environments, built by build.py for those
accounts; command lines of an administrator (the account's root) and of the deploy role, which is taken on as GitHub Actions does it: by
botocore itself, with an OpenID Connect token in a file.
Never: hands anything to the deploy role that its policy in foundation does not give.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assembly import files
from assembly.model import Assembly
from aws.secrets import Secrets
from aws.session import Aws
from local_aws import prepare
from local_aws.proof import web_identity
from local_aws.server import LocalAws
from operations.credential import hash_password
from policies.statements import GITHUB_ISSUER
from tests.environments_fixture import ENVIRONMENTS
from tests.functional.harness import SECRET, CommandLine, Ended, answer

REPOSITORY = "example/web"

PLACEHOLDERS = {"dev": "111111111111", "sit": "222222222222", "prod": "333333333333"}
PASSWORD_HASH = hash_password("correct horse battery staple", bytes(range(16)))


def write_environments(directory: Path, accounts: Mapping[str, str], **extra: str) -> Path:
    """The repository's environment files with real values where placeholders stand, and bucket names that are the account's alone.

    `extra` is YAML at the end of an environment's file. Environments without an account are left out; of several, all but prod have a
    zone of their own, since a name is delegated to one account only.
    """
    shutil.copytree(ENVIRONMENTS, directory, ignore=shutil.ignore_patterns("*.py", "__pycache__", "organization.yaml"))
    for name, placeholder in PLACEHOLDERS.items():
        path = directory / f"{name}.yaml"
        account = accounts.get(name)
        if account is None:
            path.unlink()
            continue
        text = path.read_text().replace(placeholder, account)
        for bucket in (f"{name}-kimmyai-web-public", f"bbws-{name}-web-artifacts"):
            text = text.replace(bucket, f"{bucket}-{account}")
        zone = own_zone(f"{name}.kimmyai.io") if len(accounts) > 1 and name != "prod" else ""
        path.write_text(text + extra.get(name, zone))
    common = directory / "common.yaml"
    common.write_text(common.read_text().replace("ORGANISATION/REPOSITORY", REPOSITORY))
    return directory


def own_zone(name: str) -> str:
    """YAML that gives an environment a zone and a certificate of its own."""
    return f'hosted_zone: {{name: {name}}}\ncertificate: {{domain_name: {name}, subject_alternative_names: ["*.{name}"]}}\n'


def identity_token(subject: str, audience: str = "sts.amazonaws.com") -> str:
    """A token as GitHub Actions' issuer makes them, but signed with the local AWS's secret."""
    claims = {"iss": f"https://{GITHUB_ISSUER}", "aud": audience, "sub": subject, "exp": 4_102_444_800}
    return web_identity(SECRET, claims)


@dataclass(frozen=True, kw_only=True)
class Site:
    """One environment in its account."""

    environment: str
    account: str
    dist: Path
    environments: Path
    endpoint_url: str
    home: Path

    @property
    def assembly(self) -> Assembly:
        """As it lies on disk."""
        return files.read(self.dist / self.environment)[0]

    @property
    def templates(self) -> dict[str, Any]:
        """As they lie on disk, by stack."""
        return {stack: json.loads(body) for stack, body in files.read(self.dist / self.environment)[1].items()}

    def build(self) -> None:
        """What build.py makes of the environment files as they are now."""
        built = CommandLine(home=self.home).build(
            "--env", self.environment, "--environments", str(self.environments), "--out", str(self.dist)
        )
        assert built.code == 0, built

    def edit(self, old: str, new: str) -> None:
        """Change the environment's file, and build it."""
        path = self.environments / f"{self.environment}.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        self.build()

    def administrator(self, endpoint_url: str = "") -> CommandLine:
        """The root of the account."""
        return CommandLine(home=self.home, endpoint_url=endpoint_url or self.endpoint_url, account_id=self.account)

    def deploy_role(self, endpoint_url: str = "", *, subject: str = "") -> CommandLine:
        """A workflow of the repository that runs in the environment; `subject` is another one's."""
        token = self.home / f"token-{self.environment}{'-other' if subject else ''}"
        token.write_text(identity_token(subject or f"repo:{REPOSITORY}:environment:{self.environment}"))
        return CommandLine(
            home=self.home,
            endpoint_url=endpoint_url or self.endpoint_url,
            extra={
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
                "AWS_ROLE_ARN": f"arn:aws:iam::{self.account}:role/{self.assembly.deploy_role_name}",
                "AWS_ROLE_SESSION_NAME": "workflow",
                "AWS_REGION": "us-east-1",
            },
        )

    def run(self, line: CommandLine, verb: str, *arguments: str) -> Ended:
        """`deploy.py VERB` on this environment; never with a traceback."""
        ended = line.deploy(verb, "--env", self.environment, "--dist", str(self.dist), *arguments)
        assert "Traceback" not in ended.stderr, ended
        return ended

    @property
    def saved(self) -> Path:
        """The plan on disk."""
        return self.dist / self.environment / "plan.json"

    def plan(self, line: CommandLine, *arguments: str) -> dict[str, Any]:
        """`deploy.py plan --json`, of which something must come; the plan in it."""
        ended = self.run(line, "plan", "--json", *arguments)
        assert ended.code in (0, 3), ended
        plan: dict[str, Any] = answer(ended.stdout)["plan"]
        return plan

    def apply(self, line: CommandLine, *arguments: str) -> Ended:
        """`deploy.py apply` of the saved plan, approved by its digest."""
        digest = json.loads(self.saved.read_text())["digest"]
        return self.run(line, "apply", "--approve", digest, *arguments)


def prepared(server: LocalAws, aws: Aws, site: Site) -> None:
    """What an account has before the first deployment: the hosted zone, and the Basic Auth secret that `set-password` makes."""
    assembly = site.assembly
    prepare.hosted_zone(aws, name=assembly.zone.name, account_id=assembly.zone.account_id)
    secret = assembly.basic_auth_secret
    if secret is not None:
        Secrets.connect(aws, account_id=site.account, region=secret.region).create(
            secret.secret, {"username": secret.username, "password_hash": PASSWORD_HASH}, description="", tags={}
        )


def sites(server: LocalAws, home: Path, accounts: Mapping[str, str], **extra: str) -> dict[str, Site]:
    """The environments of these accounts, built."""
    environments = write_environments(home / "environments", accounts, **extra)
    made = {
        name: Site(
            environment=name, account=account, dist=home / "dist", environments=environments, endpoint_url=server.endpoint_url, home=home
        )
        for name, account in accounts.items()
    }
    aws = Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)
    for site in made.values():
        site.build()
        prepared(server, aws, site)
    return made
