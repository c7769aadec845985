"""What the workflows need beside the verbs: lines for later steps, a comment that fits, one issue that opens and closes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest

from delivery import comment, facts, issues, place, protection
from delivery.__main__ import main
from delivery.github import BOT, GitHub
from stacks.synthesis import synthesise
from tests.environments_fixture import environments
from tests.rehearsal import github

SHA = "0a1b2c3" + "0" * 33
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
    # Nothing in a review hides with whose code it was made.
    assert text.index("the pull request's own code") < text.index("<details>")


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


class Paper(GitHub):
    """GitHub with what it has kept in a folder."""

    @classmethod
    def at(cls, store: Path) -> Paper:
        def run(arguments: tuple[str, ...], text: str) -> str:
            return github.answered(arguments, text, store)

        return cls(run=run, sleep=lambda _: None)


def test_an_issue_is_opened_once_kept_and_closed(tmp_path: Path) -> None:
    tracker = issues.Tracker(github=Paper.at(tmp_path), repository="bbws/web", run="https://ci.example/1")

    def night(**findings: str) -> str:
        return "; ".join(tracker.report({"prod": findings}, known=("prod", "sit")))

    def there() -> list[dict[str, Any]]:
        return github.read(tmp_path, "issues")

    assert night(drift="site: drifted\n```\n## not ours", doctor="") == "prod: drift; opened an issue"
    assert "    ## not ours" in there()[0]["body"] and "### doctor" not in there()[0]["body"]
    assert night(drift="site: drifted", verify="broken") == "prod: drift, verify; updated 1"
    assert len(there()) == 1 and "broken" in there()[0]["body"]
    # A night in which the look itself has failed says nothing of it.
    assert tracker.report({}, known=("prod",)) == ("prod: not looked at; its issue stays",)
    assert "state" not in there()[0]
    assert night(drift="", doctor="") == "prod: closed 1"
    assert there()[0]["state"] == "closed" and "nothing any more" in github.read(tmp_path, "comments")[0]["body"]
    assert night(drift="") == "prod: nothing found"


@pytest.mark.parametrize(
    ("line", "times"), [("x\n", 40_000), ("x\n", 6_000), ("\n", 40_000), ("site/Distribution: Comment\n", 4_000), ("x", 100_000)]
)
def test_an_issue_fits_whatever_was_found_and_says_where_the_rest_is(line: str, times: int) -> None:
    """GitHub refuses a longer one, and the findings of that night would be told by nobody."""
    text = line * times
    body = issues.body({"drift": text, "doctor": "short", "verify": text, "prune": text}, "https://ci.example/1")
    assert len(body) < comment.LIMIT and "    short" in body
    assert body.count("The rest is in the artifact findings-* of that run.") == 3


def test_the_issue_of_an_environment_that_is_no_more_is_closed(tmp_path: Path) -> None:
    tracker = issues.Tracker(github=Paper.at(tmp_path), repository="bbws/web", run="https://ci.example/1")
    tracker.report({"sit": {"drift": "x"}, "prod": {"drift": "x"}}, known=("sit", "prod"))
    assert tracker.report({"prod": {"drift": "x"}}, known=("prod",)) == ("prod: drift; updated 2", "sit: closed 1")
    assert [each.get("state") for each in github.read(tmp_path, "issues")] == ["closed", None]
    assert github.read(tmp_path, "comments")[0]["body"] == "sit is no more among the environments."


@pytest.mark.attack
def test_an_issue_or_comment_of_others_is_never_written_over(tmp_path: Path) -> None:
    """Anybody may give an issue our title, and quote our comment; other workflows write as the same author as ours."""
    ours = issues.TITLE + "prod"
    stranger = {"user": {"login": "mallory"}}
    (tmp_path / "issues").write_text(json.dumps([{**stranger, "issue": None, "number": 1, "title": ours, "body": "mine"}]))
    written = issues.Tracker(github=Paper.at(tmp_path), repository="bbws/web", run="").report({"prod": {"drift": "x"}}, known=())
    assert written == ("prod: drift; opened an issue",)
    assert github.read(tmp_path, "issues")[0]["body"] == "mine"

    text = comment.render((), commit=SHA, run="")
    others: list[dict[str, Any]] = [
        {**stranger, "issue": "5", "id": 1, "body": text},
        {"user": None, "issue": "5", "id": 2, "body": text},
        {"user": {"login": BOT}, "issue": "5", "id": 3, "body": "coverage: 90%"},
        {"user": {"login": BOT}, "issue": "5", "id": 4, "body": f"> {text}"},
    ]
    (tmp_path / "comments").write_text(json.dumps(others))
    answers = tmp_path / "api/repos_bbws_web_pulls_5"
    answers.parent.mkdir()
    answers.write_text(json.dumps({"head": {"sha": SHA}}))

    def commented(body: str, commit: str = SHA) -> str:
        return comment.write(body, Paper.at(tmp_path), repository="bbws/web", pull_request=5, commit=commit)

    assert commented(text) == "commented"
    assert commented(f"{text}2") == "the comment is up to date"
    kept = github.read(tmp_path, "comments")
    assert [each["body"] for each in kept] == [*(each["body"] for each in others), f"{text}2"]
    # A run of an older commit that is re-run.
    assert "is at 0a1b2c300000 by now" in commented(f"{text}3", "b" * 40)
    assert github.read(tmp_path, "comments") == kept


def test_protection_is_told_as_commands_with_reviewers_where_the_environment_asks_for_approval() -> None:
    dev = synthesise(environments()["dev"]).assembly
    live = place.Place(environment="live", branch="release/1")
    main = place.Place(environment="dev", branch="main")
    told = protection.commands([(dev, main), (PROD, live), (msgspec.structs.replace(PROD, contract=None), main), (PROD, None)])
    bodies = {shlex.split(line)[4]: json.loads(shlex.split(line)[-1]) for line in told if line.startswith("gh api")}
    assert bodies["repos/{owner}/{repo}/environments/dev"]["reviewers"] == []
    assert bodies["repos/{owner}/{repo}/environments/live"]["reviewers"][0]["type"] == "Team"
    assert bodies["repos/{owner}/{repo}/environments/live"]["prevent_self_review"] is True
    for name, branch in (("dev", "main"), ("live", "release/1")):
        assert bodies[f"repos/{{owner}}/{{repo}}/environments/{name}/deployment-branch-policies"]["name"] == branch
    for branch in ("main", "release%2F1"):
        checks = bodies[f"repos/{{owner}}/{{repo}}/branches/{branch}/protection"]["required_status_checks"]["checks"]
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
