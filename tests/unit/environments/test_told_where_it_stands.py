"""Each problem at the line and in the words that help, and a new environment after an unusual one."""

from __future__ import annotations

from pathlib import Path

import pytest

from environments.loader import load
from environments.new import new_environment
from environments.reading import parse
from tests.unit.environments.test_environments import COMMON, DEV, line_of, problems
from tests.unit.environments.test_new import directory

__all__ = ["directory"]


def test_a_key_that_is_to_be_written_into_ones_own_file_is_told_at_its_mapping_there(tmp_path: Path) -> None:
    own = f"{DEV}\ngithub:\n  environment: staging\n"
    [found] = [each for each in problems(tmp_path, own, copy=DEV) if "GitHub provider" in each]
    assert found.startswith(f"dev.yaml:{line_of(own, 'github:')}: github.create_provider: ")
    [found] = [each for each in problems(tmp_path, copy=DEV) if "GitHub provider" in each]
    assert found.startswith("dev.yaml:1: ")


def test_only_a_name_of_the_dns_is_told_in_the_dns_form(tmp_path: Path) -> None:
    [found] = problems(tmp_path, common=COMMON.replace("project: kimmyai-web", "project: KimmyAI-web"))
    assert "project: is " in found and "in DNS" not in found
    [found] = problems(tmp_path, DEV.replace("domain: dev.kimmyai.io", "domain: Dev.Kimmyai.io"))
    assert 'in DNS it is "dev.kimmyai.io"' in found


@pytest.mark.parametrize("text", ["tags: &again [*again]\n", "tags: " + "[" * 60 + "]" * 60 + "\n"], ids=["itself", "sixty levels"])
def test_lists_without_a_bottom_are_one_problem(text: str, tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(text)
    found: list[object] = []
    document = parse(tmp_path / "dev.yaml", found)  # type: ignore[arg-type]
    assert document is not None and ["nested too deeply" in str(problem) for problem in found] == [True]


def test_a_replica_is_named_after_its_bucket(directory: Path) -> None:
    with (directory / "dev.yaml").open("a") as file:
        file.write("\ndisaster_recovery:\n  region: eu-central-1\n  bucket: dev-kimmyai-web-public-dev\n")
    (directory / "qa.yaml").write_text(new_environment(directory, "qa", "dev").text)
    made = load(directory, ("qa",)).environments["qa"]
    assert made.disaster_recovery is not None and made.disaster_recovery.bucket == "qa-kimmyai-web-public-dev"


def test_a_new_environment_where_no_repository_is_shared(directory: Path) -> None:
    kept = [line for line in COMMON.splitlines() if not line.startswith(("github:", "  repository:"))]
    (directory / "common.yaml").write_text("\n".join(kept))
    (directory / "qa.yaml").write_text(new_environment(directory, "qa", "sit").text)
    assert load(directory, ("qa",)).environments["qa"].github.repository is None
