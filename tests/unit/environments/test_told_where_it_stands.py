"""Each problem at the line and in the words that help, and a new environment after an unusual one."""

from __future__ import annotations

from pathlib import Path

import pytest

from environments.across import claims
from environments.adoption import Adoption, WebsiteEndpoint
from environments.loader import load
from environments.new import new_environment
from environments.problems import EnvironmentProblems, Problem
from environments.reading import parse
from tests.unit.environments.test_environments import COMMON, DEV, ORGANIZATION, line_of, problems
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
    assert document is not None and [str(problem).partition(": ")[0] for problem in found] == [f"{tmp_path}/dev.yaml:1"]
    assert "nested too deeply" in str(found[0])


@pytest.mark.parametrize("text", ["", "~\n", "---\n", "null\n", "# nothing\n"])
def test_a_file_of_nothing_has_no_keys(text: str, tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(text)
    document = parse(tmp_path / "dev.yaml", [])
    assert document is not None and document.data == {}


def test_what_has_no_place_in_the_file_is_told_at_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text("a: 1\nb: 2026-13-45\n")
    found: list[Problem] = []
    assert parse(tmp_path / "dev.yaml", found) is None
    assert (found[0].line, found[0].message) == (1, "not YAML: month must be in 1..12")


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


def test_the_number_of_a_bound_is_told(tmp_path: Path) -> None:
    [found] = problems(tmp_path, DEV.replace("error_rate_4xx_percent: 60", "error_rate_4xx_percent: 101"))
    assert 'error_rate_4xx_percent: is "101"; expected at most 100' in found
    [found] = problems(tmp_path, DEV + "\nfirewall: {rate_limit: 9}\n")
    assert 'firewall.rate_limit: is "9"; expected at least 10' in found
    found = "\n".join(problems(tmp_path, f'{DEV}\npublishing: {{cache_rules: [{{pattern: "", cache_control: {"x" * 201}}}]}}\n'))
    assert 'pattern: is ""; expected at least 1 character\n' in f"{found}\n" and "expected at most 200 characters" in found


def test_the_logs_of_a_firewall_are_a_name_like_any_other(tmp_path: Path) -> None:
    env = load(tmp_path, ("dev",)).environments["dev"] if not problems(tmp_path, f"{DEV}\nfirewall: {{logs: bucket}}\n") else None
    assert env is not None and env.firewall_log_bucket in {claim.name for claim in claims(env)}
    assert problems(tmp_path, f"{DEV}\nfirewall: {{}}\n") == []
    env = load(tmp_path, ("dev",)).environments["dev"]
    assert env.firewall_log_bucket not in {claim.name for claim in claims(env)}


def test_a_bucket_of_the_organization_is_held_to_the_rules_of_s3(tmp_path: Path) -> None:
    wrong = ORGANIZATION.replace("bucket: bbws-organization-web-artifacts", "bucket: bbws--xn-Web")
    assert any("organization.yaml:" in each and "artifacts.bucket" in each for each in problems(tmp_path, organization=wrong))


def test_an_environment_of_the_organization_that_it_names_is_no_problem(tmp_path: Path) -> None:
    own = f"{DEV}\nfoundation: organization\n"
    alone = ORGANIZATION.replace("[dev, sit, prod]", "[dev]")
    assert problems(tmp_path, own, organization=alone) == []
    other = ORGANIZATION.replace("[dev, sit, prod]", "[sit]")
    found = "\n".join(problems(tmp_path, own, organization=other))
    assert "dev is not among the environments of organization.yaml" in found


def test_a_distribution_comes_by_an_old_way_only_where_one_is_left_open() -> None:
    assert not Adoption(let_go=True).origin_as_before
    assert Adoption(website_endpoint=WebsiteEndpoint()).origin_as_before
    assert not Adoption(website_endpoint=WebsiteEndpoint(), origin="private").origin_as_before


@pytest.mark.parametrize(
    ("records", "certificate", "needed"),
    [("managed", "made", True), ("managed", "given", True), ("unmanaged", "made", True), ("unmanaged", "given", False)],
)
def test_a_role_in_the_account_of_the_zone_is_for_records_that_are_made_here(
    records: str, certificate: str, needed: bool, tmp_path: Path
) -> None:
    zone = '  name: kimmyai.io\n  account_id: "222222222222"\n' + ("  records: unmanaged\n" if records == "unmanaged" else "")
    arn = "arn:aws:acm:us-east-1:111111111111:certificate/12345678-1234-1234-1234-123456789012"
    common = COMMON.replace("  name: kimmyai.io\n", zone, 1)
    if certificate == "given":
        common = common.replace("certificate:\n", f"certificate:\n  arn: {arn}\n")
    found = [each for each in problems(tmp_path, common=common) if "hosted_zone.role_arn: missing" in each]
    assert bool(found) is needed


def test_an_environment_that_is_not_there_is_told_with_its_file(tmp_path: Path) -> None:
    problems(tmp_path)
    with pytest.raises(EnvironmentProblems) as raised:
        load(tmp_path, ("devv",))
    assert str(raised.value).startswith(f'{tmp_path}/devv.yaml:1: no such environment; did you mean "dev"? there are: dev')


def test_what_changes_in_a_new_environment_is_told_and_nothing_else(directory: Path) -> None:
    with (directory / "sit.yaml").open("a") as file:
        file.write("\nredirect_hosts:\n  - www.sit.kimmyai.io\n  - old.kimmyai.io\n".replace("old.", "old-sit."))
    made = new_environment(directory, "qa", "sit")
    changed = dict(made.changed)
    assert changed["redirect_hosts[0]"] == "www.qa.kimmyai.io" and "  - www.qa.kimmyai.io\n  - old-qa.kimmyai.io\n" in made.text
    assert not {"price_class", "home_region", "basic_auth.username", "account_id"} & changed.keys()


@pytest.mark.parametrize(("other", "words"), [("organization", "organization.yaml:1: is of no site"), ("sit", "sit.yaml:1: there is such")])
def test_files_that_cannot_be_the_beginning_are_told_at_their_first_line(directory: Path, other: str, words: str) -> None:
    with pytest.raises(EnvironmentProblems) as raised:
        new_environment(directory, "qa" if other == "organization" else "sit", other)
    assert words in str(raised.value)


def test_not_every_tab_is_before_a_key(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_bytes(b"a: &\tx\n")
    found: list[Problem] = []
    assert parse(tmp_path / "dev.yaml", found) is None
    assert "not YAML: " in found[0].message and "a tab" not in found[0].message
