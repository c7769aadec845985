"""What the workflows need beside the verbs: lines for later steps, a comment that fits, one issue that opens and closes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import msgspec
import pytest

from delivery import comment, facts, issues, protection
from delivery.__main__ import main
from stacks.synthesis import synthesise
from tests.environments_fixture import environments

PROD = synthesise(environments()["prod"]).assembly


def test_facts_are_one_line_each() -> None:
    found = facts.of_assembly(PROD)
    assert found["plan-role"].endswith(":role/kimmyai-web-prod-plan")
    assert found["pull-request-role"].endswith(":role/kimmyai-web-prod-pull-request")
    assert next(iter(facts.lines(found))) == f"plan-role={found['plan-role']}"
    assert facts.of_plan(None) == {"changes": "false", "digest": ""}
    with pytest.raises(ValueError, match="is not one line"):
        list(facts.lines({"digest": "a\nother=b"}))


@pytest.mark.attack
def test_a_comment_fits_and_shows_every_environment_whatever_the_reviews_hold(tmp_path: Path) -> None:
    for name, size in (("dev", 10), ("sit", 100_000), ("prod", 30_000)):
        folder = tmp_path / f"review-{name}"
        folder.mkdir()
        (folder / "review.md").write_text("x" * size)
        (folder / "review.json").write_text(json.dumps({"summary": {"line": f"Plan: {name} | @all <b>\n## new"}}))
    (tmp_path / "review-broken").mkdir()
    text = comment.render(comment.read(tmp_path), commit="0a1b", run="https://ci.example/1")
    assert len(text) < comment.LIMIT
    assert "The review of sit is too long for a comment." in text and "x" * 30_000 in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and "plan |" not in line]
    assert [row.split(" | ")[0] for row in rows] == ["| broken", "| dev", "| prod", "| sit"]
    assert "\\|" in rows[1] and "@all" not in rows[1] and "<b>" not in rows[1] and "\n## new" not in text
    assert "no plan was made" in rows[0]


@pytest.mark.attack
def test_a_link_among_the_reviews_shows_no_file_of_the_runner(tmp_path: Path) -> None:
    """The artifact is made by the pull request's code; the comment is written where there is a token in the environment."""
    secret = tmp_path / "environ"
    secret.write_text("GH_TOKEN=ghs_secret")
    outside = tmp_path / "outside"
    reviews = tmp_path / "reviews"
    for folder in (outside, reviews / "review-dev"):
        folder.mkdir(parents=True)
        (folder / "review.json").write_text('{"summary": {"line": "x"}}')
        (folder / "review.md").symlink_to(secret)
    (outside / "review.md").unlink()
    (outside / "review.md").write_text("ghs_secret")
    (reviews / "review-sit").symlink_to(outside)
    text = comment.render(comment.read(reviews), commit="0a1b", run="")
    assert "ghs_secret" not in text and "dev" in text and "sit" not in text


def test_an_issue_is_opened_once_kept_and_closed() -> None:
    there: dict[int, str] = {}
    calls: list[tuple[str, ...]] = []

    def gh(arguments: tuple[str, ...], text: str) -> str:
        calls.append(arguments)
        if arguments[1] == "list":
            return json.dumps([{"number": number, "title": issues.title("prod")} for number in there])
        if arguments[1] == "create":
            there[7] = text
        elif arguments[1] == "edit":
            there[int(arguments[2])] = text
        elif arguments[1] == "close":
            del there[int(arguments[2])]
        return ""

    found = {"drift": "site: drifted\n```\n## not ours", "doctor": ""}
    assert "opened" in issues.report("prod", found, gh, run="https://ci.example/1")
    assert "    ## not ours" in there[7] and "### doctor" not in there[7]
    assert "updated 7" in issues.report("prod", {**found, "verify": "broken"}, gh, run="https://ci.example/2")
    assert len(there) == 1 and "broken" in there[7]
    assert "closed 7" in issues.report("prod", {"drift": "", "doctor": ""}, gh, run="https://ci.example/3")
    assert there == {}
    assert "nothing found" in issues.report("prod", {"drift": ""}, gh, run="https://ci.example/4")
    assert [call[1] for call in calls] == ["list", "create", "list", "edit", "list", "close", "list"]


def test_protection_is_told_as_commands_with_reviewers_where_the_environment_asks_for_approval() -> None:
    dev = synthesise(environments()["dev"]).assembly
    told = protection.commands([dev, PROD, msgspec.structs.replace(PROD, contract=None)])
    bodies = {shlex.split(line)[4]: json.loads(shlex.split(line)[-1]) for line in told if line.startswith("gh api")}
    assert bodies["repos/{owner}/{repo}/environments/dev"]["reviewers"] == []
    assert bodies["repos/{owner}/{repo}/environments/prod"]["reviewers"][0]["type"] == "Team"
    assert bodies["repos/{owner}/{repo}/environments/prod"]["prevent_self_review"] is True
    checks = bodies["repos/{owner}/{repo}/branches/main/protection"]["required_status_checks"]["checks"]
    assert checks == [{"context": "required"}]


def test_what_cannot_be_read_ends_with_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "published.json").write_text("{}")
    assert main(["--dist", str(tmp_path), "facts", "--env", "dev"]) == 1
    assert main(["release", "--of", str(tmp_path / "published.json")]) == 1
    assert capsys.readouterr().err.count("error: ") == 2


def test_the_digest_of_a_release_is_read_from_what_publish_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"verb": "publish", "ok": True, "problems": [], "data": {"plan": None, "outcome": {"release": {"content": "a" * 64}}}}
    (tmp_path / "published.json").write_text(json.dumps(answer))
    assert main(["release", "--of", str(tmp_path / "published.json")]) == 0
    assert "a" * 64 in capsys.readouterr().out
