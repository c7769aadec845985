"""python -m lint: exit statuses, the findings of several files, what is no template; and the generated list of rules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lint.rules_document import rules_document
from tests.envelopes import envelope
from tests.environments_fixture import ROOT
from tests.unit.lint.test_rules import GOOD, edited


def lint(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lint", *arguments], cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def good(tmp_path: Path) -> str:
    (tmp_path / "good.json").write_text(json.dumps(GOOD))
    return str(tmp_path / "good.json")


@pytest.fixture
def bad(tmp_path: Path) -> str:
    template = edited(("Description", "no alias zone"), ("Resources/Bucket/Properties/AccessControl", "Private"))
    (tmp_path / "bad.json").write_text(json.dumps(template, indent=1))
    return str(tmp_path / "bad.json")


def test_a_clean_template_ends_in_0_and_findings_in_1(good: str, bad: str) -> None:
    clean = lint(good)
    assert (clean.returncode, clean.stdout) == (0, "")
    both = lint(good, bad)
    assert both.returncode == 1
    assert f"{bad}:" in both.stdout
    assert "E9402 error" in both.stdout
    assert f"{good}:" not in both.stdout


def test_findings_for_machines_from_standard_input(bad: str) -> None:
    done = lint("-", "--json", stdin=Path(bad).read_text())
    answer = envelope(done.stdout)
    assert (done.returncode, answer["ok"]) == (1, False)
    assert [template["file"] for template in answer["data"]["templates"]] == ["-"]
    assert "E9402" in {finding["rule"] for finding in answer["data"]["templates"][0]["findings"]}


def test_yaml_by_its_ending(tmp_path: Path) -> None:
    file = tmp_path / "topic.yaml"
    file.write_text("Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: !Sub '${AWS::AccountId}-x'}\n")
    done = lint(str(file))
    assert done.returncode == 1
    assert "E9401" in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        ("{", "not JSON"),
        ("[]", "no CloudFormation template"),
        ('{"Resources": []}', "no CloudFormation template"),
        ("\udcff", "not JSON"),
    ],
)
def test_what_is_no_template_ends_in_2_and_the_others_are_linted(content: str | None, message: str, bad: str, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    if content is not None:
        file.write_bytes(content.encode("utf-8", "surrogateescape"))
    done = lint(str(file), bad)
    assert done.returncode == 2
    assert message in done.stderr
    assert "E9402" in done.stdout
    assert "Traceback" not in done.stderr


def test_usage(good: str) -> None:
    for arguments in ([], ["--rules", good], [good, "--region", "eu-moon-1"]):
        done = lint(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert "Traceback" not in done.stderr
    assert "eu-moon-1" in lint(good, "--region", "eu-moon-1").stderr


def test_the_list_of_rules_is_current() -> None:
    path = ROOT / "docs" / "lint-rules.md"
    assert path.read_text() == rules_document(), "docs/lint-rules.md is old; to write it: python -m lint --rules > docs/lint-rules.md"
