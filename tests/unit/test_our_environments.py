"""What must hold for whatever stands in environments/: it builds and lints clean, it is closed to strangers, its roles suffice.

The other tests are about the engine and bring their own environments (tests/environments/). This one is about the team's files, in
seconds: `make team` runs it alone.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from assembly.files import read
from environments.loader import names
from tests.environments_fixture import ROOT
from tests.unit.test_build import build

OURS = ROOT / "environments"
NAMES = names(OURS)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything in environments/, built; the gate is part of it."""
    where = tmp_path_factory.mktemp("ours")
    done = build("--env", "all", "--environments", str(OURS), "--out", str(where))
    assert done.returncode == 0, done.stderr
    return where


def resources(dist: Path, name: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(stack and logical id, type, properties) of everything that the environment has."""
    _, templates = read(dist / name)
    return [
        (f"{stack}.{logical}", found["Type"], found.get("Properties", {}))
        for stack, template in templates.items()
        for logical, found in json.loads(template)["Resources"].items()
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_bucket_is_public_or_unencrypted(dist: Path, name: str) -> None:
    for where, kind, properties in resources(dist, name):
        if kind == "AWS::S3::Bucket":
            assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, where
            assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"], where


@pytest.mark.parametrize("name", NAMES)
def test_visitors_come_by_tls_only(dist: Path, name: str) -> None:
    for where, kind, properties in resources(dist, name):
        if kind != "AWS::CloudFront::Distribution":
            continue
        config = properties["DistributionConfig"]
        assert re.match(r"TLSv1\.[23]_20(2[1-9]|[3-9])", config["ViewerCertificate"]["MinimumProtocolVersion"]), where
        for behaviour in (config["DefaultCacheBehavior"], *config.get("CacheBehaviors", ())):
            assert behaviour["ViewerProtocolPolicy"] in ("redirect-to-https", "https-only"), where
            assert behaviour["ResponseHeadersPolicyId"], where


@pytest.mark.parametrize("name", NAMES)
def test_only_production_lets_strangers_in(dist: Path, name: str) -> None:
    assembly, _ = read(dist / name)
    contract = assembly.contract
    if contract is not None:
        assert contract.basic_auth or assembly.protected, "an environment that is not protected asks for a password"
        assert "strict-transport-security" in contract.response_headers


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_stands_in_what_is_built(dist: Path, name: str) -> None:
    for file in (dist / name).iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\$scrypt\$|\$hmac-sha256\$|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY", text), file.name


def test_the_workflows_are_for_the_same_environments_and_for_none_that_is_gone() -> None:
    """Others may be there that no merge reaches: a sandbox."""
    there = {path.stem for path in (ROOT / "environments").glob("*.yaml")} - {"common", "organization"}
    found: dict[str, set[str]] = {}
    for name in ("plan.yml", "nightly.yml", "deploy.yml", "release.yml"):
        for job in yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))["jobs"].values():
            matrix = job.get("strategy", {}).get("matrix", {}).get("environment", [])
            found.setdefault(name, set()).update(matrix, [job["with"]["environment"]] if "uses" in job else [])
    assert all(found["deploy.yml"] == each for each in found.values()), found
    assert found["deploy.yml"] <= there, f"the workflows name {sorted(found['deploy.yml'] - there)}, which environments/ has no more"


def test_the_tests_of_the_engine_read_no_file_of_the_team() -> None:
    """A second team's names in environments/ turn none of them red."""
    inside = {"tests/unit/test_our_environments.py", "tests/unit/test_house.py"}
    reading = []
    for file in sorted((ROOT / "tests").rglob("*.py")):
        if str(file.relative_to(ROOT)) in inside or "node_modules" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Div)
                and isinstance(node.left, ast.Name)
                and node.left.id == "ROOT"
                and isinstance(node.right, ast.Constant)
                and node.right.value == "environments"
            ):
                reading.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert reading == []


def test_a_second_teams_files_build(tmp_path: Path) -> None:
    """As step 1 of the guide says: own names, and no organization."""
    own = Path(shutil.copytree(OURS, tmp_path / "environments", ignore=shutil.ignore_patterns("*.py", "__pycache__", "organization.yaml")))
    for file in own.glob("*.yaml"):
        text = file.read_text(encoding="utf-8").replace("kimmyai.io", "example.org").replace("kimmyai", "other")
        file.write_text(text, encoding="utf-8")
    wanted = list(names(own))
    done = build("--env", "all", "--environments", str(own), "--out", str(tmp_path / "dist"))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == wanted
    assert not any("kimmyai" in (tmp_path / "dist" / name / "site.template.json").read_text(encoding="utf-8") for name in wanted)
