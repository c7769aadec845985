"""What stops a workflow before it does harm: an older commit, an environment that asks nobody, files of a stranger's run."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assembly import files
from assembly.model import Assembly
from delivery import facts, order, origin, place, protection
from delivery.__main__ import main
from delivery.github import GitHub
from stacks.synthesis import synthesise
from tests.environments_fixture import environments

DEV, PROD = (synthesise(environments()[name]).assembly for name in ("dev", "prod"))
PLACE = place.Place(environment="prod", branch="main")
OLD, NEW = "a" * 40, "b" * 40


def history(commit: str) -> bytes:
    return json.dumps({"verb": "history", "ok": True, "data": [{"git_commit": commit}]}).encode()


@pytest.mark.parametrize(
    ("applied", "status", "stops"),
    [
        (NEW, "ahead", True),
        (NEW, "behind", False),
        (NEW, "diverged", False),
        # By somebody's own checkout that was never pushed.
        (NEW, "", False),
        (OLD, "ahead", False),
        (f"{NEW}-dirty", "ahead", False),
        ("", "ahead", False),
    ],
)
def test_a_run_of_an_older_commit_than_what_runs_plans_nothing(applied: str, status: str, stops: bool) -> None:
    asked: list[tuple[str, str]] = []

    def compare(first: str, second: str) -> str:
        asked.append((first, second))
        return status

    assert bool(order.out_of_date(order.applied(history(applied)), OLD, compare, environment="dev")) == stops
    assert set(asked) <= {(OLD, NEW)}
    # Of the app as well: the last release is the live one.
    released = json.dumps({"data": {"releases": [{"commit": OLD}, {"commit": applied}]}}).encode()
    assert bool(order.out_of_date(order.live(released), OLD, compare, environment="dev")) == stops


def test_before_the_first_apply_nothing_is_newer_and_an_unreadable_history_is_no_leave() -> None:
    assert order.applied(b'{"data": []}') == order.live(b'{"data": {"releases": []}}') == ""
    assert order.out_of_date("", OLD, lambda *_: "ahead", environment="dev") == ""
    with pytest.raises(ValueError, match="the history could not be read"):
        order.applied(b'{"data": null}')


REVIEWERS = {"type": "required_reviewers", "reviewers": [{"type": "Team"}]}


@pytest.mark.attack
@pytest.mark.parametrize(
    ("assembly", "rules", "stops"),
    [
        (PROD, [], True),
        (PROD, [{"type": "branch_policy"}, {"type": "wait_timer"}], True),
        (PROD, [{"type": "required_reviewers", "reviewers": []}], True),
        (PROD, [REVIEWERS], False),
        (msgspec.structs.replace(PROD, approvals=2), [], False),
        (DEV, [], False),
    ],
)
def test_where_an_environment_asks_for_approval_and_github_asks_nobody_nothing_is_changed(
    assembly: Assembly, rules: list[Any], stops: bool
) -> None:
    found = protection.unguarded(assembly, {"name": "live", "protection_rules": rules})
    assert bool(found) == stops
    assert not found or ("environment live has no" in found and "make protect" in found and "protection.approvals" in found)


REPOSITORY = {"full_name": "bbws/app", "default_branch": "main", "owner": {"login": "bbws"}}
RUN = {"event": "push", "head_branch": "main", "head_repository": {"full_name": "bbws/app"}, "conclusion": None, "head_sha": NEW}


@pytest.mark.attack
@pytest.mark.parametrize(
    ("run", "repository", "word"),
    [
        ({}, {}, ""),
        ({"event": "workflow_dispatch", "conclusion": "success"}, {}, ""),
        ({"event": "pull_request"}, {}, "pull_request"),
        ({"event": "pull_request_target"}, {}, "pull_request_target"),
        # A workflow that a pull request's run has started has the default branch and whatever that run left.
        ({"event": "workflow_run"}, {}, "workflow_run"),
        ({"head_repository": {"full_name": "mallory/app"}}, {}, "fork"),
        ({"head_repository": None}, {}, "fork"),
        ({"head_branch": "evil"}, {}, "the branch evil"),
        ({"conclusion": "failure"}, {}, "failure"),
        ({"conclusion": "cancelled"}, {}, "cancelled"),
        (
            {"head_repository": {"full_name": "mallory/app"}},
            {"full_name": "mallory/app", "owner": {"login": "mallory"}},
            "repository of BBWS",
        ),
    ],
)
def test_files_are_released_only_of_a_run_of_the_organisations_own_branch(
    run: dict[str, Any], repository: dict[str, Any], word: str
) -> None:
    found = origin.problem({**RUN, **run}, {**REPOSITORY, **repository}, owner="BBWS", branch="main")
    assert (word in found) if word else found == ""


@pytest.mark.attack
def test_no_token_is_shown_to_the_account_of_a_placeholder() -> None:
    real = msgspec.structs.replace(PROD, account_id="123456789012")
    assert facts.unready(real, PLACE) == ""
    assert "still the placeholder 333333333333" in facts.unready(msgspec.structs.replace(real, account_id="333333333333"), PLACE)
    assert "no github.repository" in facts.unready(real, None)


@pytest.mark.attack
@pytest.mark.parametrize(
    ("ref", "server", "word"),
    [
        ("refs/heads/main", "https://github.com", ""),
        ("refs/pull/5/merge", "https://github.com", ""),
        ("refs/tags/v1", "https://github.com", "github.branch is main, and this run is of refs/tags/v1"),
        ("refs/heads/evil", "https://github.com", "github.branch is main, and this run is of refs/heads/evil"),
        ("refs/heads/main", "https://github.example", "trust workflows of https://github.com only"),
        ("refs/heads/main", "https://bbws.ghe.com", "trust workflows of https://github.com only"),
    ],
)
def test_a_run_that_no_role_lets_in_is_told_why(ref: str, server: str, word: str) -> None:
    found = facts.unready(msgspec.structs.replace(PROD, account_id="123456789012"), PLACE, server=server, ref=ref)
    assert (word in found) if word else found == ""


def test_from_where_an_environment_is_deployed_is_what_its_role_asks_for() -> None:
    env = environments()["prod"]
    made = synthesise(msgspec.structs.replace(env, github=msgspec.structs.replace(env.github, environment="live", branch="release/1")))
    assert place.of(made.assembly, made.templates) == place.Place(environment="live", branch="release/1")
    assert place.of(msgspec.structs.replace(made.assembly, deploy_role_name=""), made.templates) is None


# --- as the workflows type it ---------------------------------------------------------------------------------------------


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of answers: one file for each path of GitHub's REST API, with _ for every /. With a `broken` in it, gh says that instead."""
    tool = tmp_path / "bin/gh"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\n[ -e "$ANSWERS/broken" ] && { cat "$ANSWERS/broken" >&2; exit 1; }\nanswer="$ANSWERS/$(echo "${2%%\\?*}" | tr / _)"\n'
        '[ -e "$answer" ] || { echo "gh: Not Found (HTTP 404)" >&2; exit 1; }\ncat "$answer"\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.setenv("ANSWERS", str(tmp_path))
    return tmp_path


def written(dist: Path, environment: str) -> None:
    made = synthesise(environments()[environment])
    templates = {each.template.file: made.templates[each.id] for each in made.assembly.stacks}
    files.write(dist / environment, files.files_of(made.assembly, templates))


def test_the_order_is_asked_of_github_and_an_unknown_commit_is_no_newer_one(gh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (gh / "history.json").write_bytes(history(NEW))
    line = ["order", "--env", "dev", "--repository", "bbws/web", "--commit", OLD, "--history", str(gh / "history.json")]
    # A repository that the token may not read is not found, either; the run's own commit would be.
    assert main(line) == 1
    assert "HTTP 404" in capsys.readouterr().err
    (gh / f"repos_bbws_web_commits_{OLD}").write_text("{}")
    assert main(line) == 0
    (gh / f"repos_bbws_web_compare_{OLD}...{NEW}").write_text('{"status": "ahead"}')
    assert main(line) == 1
    assert "dev has been given commit bbbbbbbbbbbb since" in capsys.readouterr().err


@pytest.mark.attack
def test_the_origin_is_asked_of_github_and_words_of_others_are_no_paths(gh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (gh / "repos_bbws_app").write_text(json.dumps(REPOSITORY))
    (gh / "repos_bbws_app_actions_runs_7").write_text(json.dumps(RUN))
    (gh / "repos_bbws_app_actions_runs_8").write_text(json.dumps({**RUN, "event": "pull_request"}))

    def asked(repository: str, run: str) -> int:
        return main(["origin", "--repository", repository, "--run", run, "--owner", "bbws"])

    # A tag that is called main, or a commit that was pushed away.
    (gh / "repos_bbws_app_branches_main").write_text(json.dumps({"commit": {"sha": OLD}}))
    (gh / f"repos_bbws_app_commits_{OLD}").write_text("{}")
    assert asked("bbws/app", "7") == 1 and "is not a commit of main" in capsys.readouterr().err
    compared = gh / f"repos_bbws_app_compare_{OLD}...{NEW}"
    for status, code in (("ahead", 1), ("diverged", 1), ("behind", 0)):
        compared.write_text(json.dumps({"status": status}))
        assert asked("bbws/app", "7") == code
    capsys.readouterr()
    (gh / "repos_bbws_app_branches_main").write_text(json.dumps({"commit": {"sha": NEW}}))
    assert asked("bbws/app", "7") == 0
    assert capsys.readouterr().out == f"commit={NEW}\n"
    # What the calling run has built is of the branch that it runs on, and of no pull request's.
    (gh / "repos_bbws_app_branches_release").write_text(json.dumps({"commit": {"sha": NEW}}))
    (gh / "repos_bbws_app_actions_runs_6").write_text(json.dumps({**RUN, "head_branch": "release"}))
    own = ["origin", "--repository", "bbws/app", "--owner", "bbws", "--branch", "release", "--run"]
    assert main([*own, "6"]) == 0 and main([*own, "7"]) == main([*own, "8"]) == 1
    capsys.readouterr()
    for repository, run in (("bbws/app", "8"), ("bbws/app", "9"), ("bbws/app", "7/../8"), ("bbws/../x", "7"), ("bbws/app/actions", "7")):
        assert asked(repository, run) == 1
        told = capsys.readouterr()
        assert told.out == "" and told.err.startswith("error: ")


@pytest.mark.attack
def test_an_environment_that_nobody_has_set_up_is_no_approval(gh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(gh / "dist", "prod")
    line = ["--dist", str(gh / "dist"), "guarded", "--env", "prod", "--repository", "bbws/web"]
    assert main(line) == 1
    assert "HTTP 404" in capsys.readouterr().err
    (gh / "repos_bbws_web_environments_prod").write_text('{"protection_rules": []}')
    assert main(line) == 1
    assert "has no reviewers: nothing is changed" in capsys.readouterr().err
    (gh / "repos_bbws_web_environments_prod").write_text(json.dumps({"protection_rules": [REVIEWERS]}))
    assert main(line) == 0


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("error connecting to api.github.com", [2, 15, 60]),
        ("gh: Server Error (HTTP 502)", [2, 15, 60]),
        ("gh: You have exceeded a secondary rate limit (HTTP 403)", [2, 15, 60]),
        ("gh: too many requests (HTTP 429)", [2, 15, 60]),
        ("gh: Bad credentials (HTTP 401)", []),
        ("gh: To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.", []),
        ("gh: Resource not accessible by integration (HTTP 403)", []),
    ],
)
def test_what_the_network_or_githubs_load_stops_is_asked_again_and_a_refusal_is_not(
    gh: Path, capsys: pytest.CaptureFixture[str], said: str, waits: list[float]
) -> None:
    written(gh / "dist", "prod")
    (gh / "broken").write_text(said)
    line = ["--dist", str(gh / "dist"), "guarded", "--env", "prod", "--repository", "bbws/web"]
    waited: list[float] = []
    assert main(line, sleep=waited.append) == 1
    assert waited == waits and said in capsys.readouterr().err
    (gh / "repos_bbws_web_environments_prod").write_text(json.dumps({"protection_rules": [REVIEWERS]}))
    assert main(line, sleep=lambda _: (gh / "broken").unlink()) == (0 if waits else 1)


@pytest.mark.parametrize(
    ("said", "again"),
    [
        ("error connecting to api.github.com", True),
        ("gh: You have exceeded a secondary rate limit (HTTP 403)", True),
        ("gh: too many requests (HTTP 429)", True),
        # It may have been made.
        ("gh: Server Error (HTTP 502)", False),
        ('Post "https://api.github.com/repos/bbws/web/issues": unexpected EOF', False),
        ("gh: Validation Failed (HTTP 422)", False),
    ],
)
def test_something_new_is_asked_for_again_only_where_github_has_not_taken_the_call(said: str, again: bool) -> None:
    calls: list[tuple[str, ...]] = []

    def run(arguments: tuple[str, ...], text: str) -> str:
        calls.append(arguments)
        if len(calls) == 1:
            raise subprocess.CalledProcessError(1, ("gh", *arguments), stderr=said)
        return "{}"

    with contextlib.nullcontext() if again else pytest.raises(subprocess.CalledProcessError):
        GitHub(run=run, sleep=lambda _: None).make("repos/bbws/web/issues", {"title": "x"})
    assert len(calls) == (2 if again else 1)


def test_before_the_first_release_there_is_nothing_to_verify(tmp_path: Path) -> None:
    told = tmp_path / "releases.json"
    for text, code in (('{"data": {"releases": []}}', 0), ('{"data": {"releases": [{}]}}', 1), ('{"data": null}', 1), ("", 1)):
        told.write_text(text)
        assert main(["unpublished", "--releases", str(told)]) == code


@pytest.mark.parametrize("text", ["[]", "null", "7", '"x"', "{}", '{"head_repository": "x"}', "<html>", "", '{"event": '])
def test_an_answer_of_github_that_is_none_stops_the_job_in_a_line(gh: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (gh / "repos_bbws_app").write_text(json.dumps(REPOSITORY))
    (gh / "repos_bbws_app_actions_runs_7").write_text(text)
    (gh / "history.json").write_bytes(history(NEW))
    (gh / f"repos_bbws_app_compare_{OLD}...{NEW}").write_text(text)
    written(gh / "dist", "prod")
    (gh / "repos_bbws_app_environments_prod").write_text(text)
    where = ["--repository", "bbws/app"]
    for line in (
        ["origin", "--run", "7", "--owner", "bbws", *where],
        ["order", "--env", "dev", "--commit", OLD, "--history", str(gh / "history.json"), *where],
        ["--dist", str(gh / "dist"), "guarded", "--env", "prod", *where],
    ):
        assert main(line) == 1
        told = capsys.readouterr().err
        assert told.startswith("error: ") and ("GitHub's answer to repos/" in told or not text or text[0] in "<{")


@pytest.mark.parametrize("text", ["[]", '{"data": {}}', '{"data": [7]}', '{"data": "x"}', '{"data": {"a": 1}}', '{"data": [{}]}'])
def test_a_history_that_is_none_stops_the_job_in_a_line(gh: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (gh / "history.json").write_text(text)
    assert main(["order", "--env", "dev", "--repository", "bbws/web", "--commit", OLD, "--history", str(gh / "history.json")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
