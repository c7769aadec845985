"""A further environment, written after one that there is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from environments.loader import load, names
from environments.new import new_environment
from environments.problems import EnvironmentProblems
from tests.environments_fixture import ENVIRONMENTS


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    there = tmp_path / "environments"
    shutil.copytree(ENVIRONMENTS, there)
    return there


@pytest.mark.parametrize("other", ["dev", "sit", "prod"])
@pytest.mark.parametrize("account", ["", "123412341234"])
def test_it_builds_beside_all_others(directory: Path, other: str, account: str) -> None:
    made = new_environment(directory, "qa", other, account_id=account)
    assert "qa" not in names(directory), "nothing is written"
    (directory / "qa.yaml").write_text(made.text)
    platform = load(directory, names(directory))
    new, old = platform.environments["qa"], platform.environments[other]
    assert new.domain.startswith("qa.") and "qa" in new.bucket and "qa" in new.artifacts.bucket and "qa" in new.artifacts.lock_table
    assert new.account_id == (account or old.account_id)
    assert new.github.create_provider is bool(account), "an account has one provider"
    assert (new.price_class, new.home_region, new.protection) == (old.price_class, old.home_region, old.protection)


def test_comments_stay(directory: Path) -> None:
    text = (directory / "sit.yaml").read_text().replace("realm: sit.kimmyai.io", "realm: sit.kimmyai.io # shown by the browser")
    (directory / "sit.yaml").write_text(text)
    assert "realm: qa.kimmyai.io # shown by the browser" in new_environment(directory, "qa", "sit").text


def test_own_github_settings_are_kept(directory: Path) -> None:
    with (directory / "sit.yaml").open("a") as file:
        file.write("\ngithub:\n  environment: staging\n")
    (directory / "qa.yaml").write_text(new_environment(directory, "qa", "sit").text)
    assert load(directory, ("qa",)).environments["qa"].github.environment == "staging"


def test_values_are_renamed_and_keys_are_not_wherever_they_stand_in_a_line(directory: Path) -> None:
    with (directory / "sit.yaml").open("a") as file:
        file.write("\ntags:\n  sit: sit\nredirect_hosts: [\nwww.sit.kimmyai.io]\n")
    made = new_environment(directory, "qa", "sit").text
    assert "\n  sit: qa\n" in made and "\nwww.qa.kimmyai.io]" in made


@pytest.mark.parametrize(
    ("own", "repository", "account", "left_out"),
    [
        ("", True, "", True),
        ("", True, "111111111111", True),
        ("", True, "123412341234", False),
        ("", False, "", False),
        ("github: {create_provider: false}", True, "", False),
        ("github: {create_provider: true}", False, "", False),
    ],
)
def test_the_provider_is_left_out_where_the_account_has_the_other_environments(
    directory: Path, own: str, repository: bool, account: str, left_out: bool
) -> None:
    with (directory / "dev.yaml").open("a") as file:
        file.write(f"\n{own}\n")
    common = (directory / "common.yaml").read_text()
    if not repository:
        lines = [line for line in common.splitlines() if not line.startswith(("github:", "  repository:"))]
        (directory / "common.yaml").write_text("\n".join(lines))
    changed = dict(new_environment(directory, "qa", "dev", account_id=account).changed)
    assert ("github.create_provider" in changed) == left_out


@pytest.mark.parametrize(
    ("name", "other", "domain", "words"),
    [
        ("sit", "dev", "", "there is such an environment already"),
        ("qa", "sitt", "", 'did you mean "sit"?'),
        ("Q A", "sit", "", "'Q A' is no environment name; lower-case letters"),
        ("../qa", "sit", "", "'../qa' is no environment name"),
        ("qa", "organization", "", "is of no site"),
        ("qa", "sit", "dev.kimmyai.io", "is made by environment dev already"),
        ("qa", "sit", "qa.example.org", "is not in the hosted zone"),
    ],
)
def test_what_would_not_build_is_not_written(directory: Path, name: str, other: str, domain: str, words: str) -> None:
    with pytest.raises(EnvironmentProblems) as raised:
        new_environment(directory, name, other, domain=domain)
    assert words in str(raised.value)
    assert len(raised.value.problems) == 1
    assert str(raised.value).startswith(f"{directory}/") and ".yaml:0:" not in str(raised.value)
