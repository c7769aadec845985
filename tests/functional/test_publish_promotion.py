"""From sit to prod by digest: only what was verified there, byte for byte, with the configuration of the new place."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aws.session import Aws
from cli.main import main
from local_aws.server import LocalAws
from session.context import Context
from tests.functional import breakable, frontend
from tests.functional.frontend import Deployed
from tests.functional.harness import CommandLine, answer

pytestmark = pytest.mark.functional


@pytest.fixture
def sit(aws: Aws, account: str, tmp_path: Path) -> Deployed:
    """Where releases are verified."""
    return frontend.deployed(aws, tmp_path / "dist", "sit", account, app={"config_json": {"api": "https://sit.example"}})


@pytest.fixture
def prod(aws: Aws, account: str, tmp_path: Path) -> Deployed:
    """Takes only what was verified in sit. In the account of sit, as one command line has the credentials of one account here."""
    changes = {"app": {"config_json": {"api": "https://prod.example"}}, "publishing": {"promote_from": "sit"}}
    return frontend.deployed(aws, tmp_path / "dist", "prod", account, foundation=False, **changes)


def deploy(command_line: CommandLine, site: Deployed, verb: str, *more: str) -> tuple[int, str, str]:
    """Any verb; status, stdout, stderr."""
    ended = command_line.deploy(verb, "--env", site.assembly.environment, "--dist", str(site.dist), *more)
    return ended.code, ended.stdout, ended.stderr


def contents(aws: Aws, site: Deployed) -> dict[str, bytes]:
    """Every object of the bucket."""
    client = aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
    keys = [o["Key"] for o in client.list_objects_v2(Bucket=site.bucket).get("Contents", [])]
    return {key: client.get_object(Bucket=site.bucket, Key=key)["Body"].read() for key in keys}


def test_prod_takes_a_release_of_sit_once_it_is_verified(
    aws: Aws, sit: Deployed, prod: Deployed, tmp_path: Path, command_line: CommandLine
) -> None:
    app = frontend.built(tmp_path / "app")
    code, out, err = deploy(command_line, sit, "publish", "--content", str(app), "--yes", "--json")
    assert code == 0, err
    digest = answer(out)["outcome"]["release"]["content"]

    code, _, err = deploy(command_line, prod, "publish", "--content", str(app), "--approve", "prod")
    assert code == 2
    assert "only releases that were verified in sit" in err
    code, _, err = deploy(command_line, prod, "publish", "--release", f"sit:{digest[:12]}", "--approve", "prod")
    assert code == 1
    assert "has not been verified" in err
    assert contents(aws, prod) == {}

    frontend.verified(aws, sit)
    frontend.rebuilt(app, "newer than what was verified")
    assert deploy(command_line, sit, "publish", "--content", str(app), "--yes")[0] == 0
    code, out, err = deploy(command_line, prod, "publish", "--release", f"sit:{digest[:12]}", "--approve", digest[:12], "--json")
    assert code == 0, err
    assert answer(out)["outcome"]["release"]["content"] == digest
    there = contents(aws, prod)
    for path in frontend.BUILT.rglob("*"):
        if path.is_file():
            assert there[path.relative_to(frontend.BUILT).as_posix()] == path.read_bytes()
    assert json.loads(there["config.json"]) == {"api": "https://prod.example"}
    assert json.loads(contents(aws, sit)["config.json"]) == {"api": "https://sit.example"}


def test_verify_records_the_released_page_and_no_other(tmp_path: Path, account: str) -> None:
    home = Context(root=tmp_path, stdout=io.StringIO(), stderr=io.StringIO(), stdin=io.StringIO(), environ={"COLUMNS": "120"})

    def local(*arguments: str) -> int:
        return main([*arguments, "--env", "sit", "--dist", str(tmp_path / "dist"), "--local"], ("verbs",), home)

    server = LocalAws.start(tmp_path / ".local-aws", bound_to=os.getpid())
    try:
        aws = Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)
        site = frontend.deployed(aws, tmp_path / "dist", "sit", account)
        assert local("publish", "--content", str(frontend.BUILT), "--yes") == 0
        page = frontend.built(tmp_path / "served")
        assert site.assembly.contract is not None
        served = breakable.Site(site.assembly.contract, page)
        served.plain_is_secure = True
        with breakable.served(served, None) as port:
            record = ("verify", "--resolve", f"http://127.0.0.1:{port}", "--record")
            served.broken = "app.release"
            assert local(*record) == 1
            assert "verified" not in _releases(home, local)
            served.broken = ""
            assert local(*record) == 0, home.stdout.getvalue()  # type: ignore[attr-defined]
            assert "live, verified" in _releases(home, local)
    finally:
        server.stop()


def _releases(home: Context, local: Callable[..., int]) -> str:
    home.stdout.seek(0)
    home.stdout.truncate()
    assert local("releases") == 0
    return home.stdout.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.attack
def test_a_kept_copy_that_was_tampered_with_is_not_promoted(
    aws: Aws, sit: Deployed, prod: Deployed, tmp_path: Path, command_line: CommandLine
) -> None:
    app = frontend.built(tmp_path / "app")
    assert deploy(command_line, sit, "publish", "--content", str(app), "--yes")[0] == 0
    frontend.verified(aws, sit)
    client = aws.client("s3", account_id=sit.assembly.account_id, region=sit.assembly.home_region)
    copies = client.list_objects_v2(Bucket=sit.assembly.artifact_bucket, Prefix="site/sit/content/")["Contents"]
    client.put_object(Bucket=sit.assembly.artifact_bucket, Key=copies[0]["Key"], Body=b"tampered")
    code, _, err = deploy(command_line, prod, "publish", "--release", "sit:1", "--approve", "prod")
    assert code == 1
    assert "is not what was published" in err
    assert contents(aws, prod) == {}


def test_a_protected_environment_wants_more_than_yes(
    aws: Aws, prod: Deployed, sit: Deployed, tmp_path: Path, command_line: CommandLine
) -> None:
    app = frontend.built(tmp_path / "app")
    assert deploy(command_line, sit, "publish", "--content", str(app), "--yes")[0] == 0
    frontend.verified(aws, sit)
    code, _, err = deploy(command_line, prod, "publish", "--release", "sit:1", "--yes")
    assert code == 2
    assert "--approve" in err
    assert contents(aws, prod) == {}
