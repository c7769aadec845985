"""Hints quote what stands in the file, not what YAML made of it; a file that cannot be read is that one problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from environments.loader import load
from environments.problems import Problem
from environments.reading import parse
from tests.golden_files import assert_golden
from tests.unit.environments.test_environments import COMMON, DEV, ORGANIZATION, problems


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            '"111111111111"',
            "012345670123",
            'account_id: is 012345670123, which YAML reads as 1402433619; expected text; quote it: "012345670123"',
        ),
        ('"111111111111"', "0x10", "account_id: is 0x10, which YAML reads as 16; expected text. Twelve digits, quoted"),
        ('"111111111111"', "1_000", "account_id: is 1_000, which YAML reads as 1000; expected text. Twelve digits, quoted"),
        ("username: admin", "username: no", 'basic_auth.username: is no, which YAML reads as false; expected text; quote it: "no"'),
        (
            "username: admin",
            "username: 12:30",
            "basic_auth.username: is 12:30, which YAML reads as 750; expected text. User name; RFC 7617",
        ),
        ("username: admin", "username: 1_000", 'basic_auth.username: is 1_000, which YAML reads as 1000; expected text; quote it: "1_000"'),
        ("username: admin", "username: 2026-01-31", 'basic_auth.username: is "2026-01-31"; expected text; quote it: "2026-01-31"'),
        ("username: admin", "username: true", 'basic_auth.username: is true; expected text; quote it: "true"'),
        ("username: admin", "username: ~", "basic_auth.username: is empty; expected text. User name"),
        ("artifacts:", "tags: {team: on}\nartifacts:", 'tags.team: is on, which YAML reads as true; expected text; quote it: "on"'),
        (
            "enabled: true",
            "enabled: true\n  log_regions: [us-east-1, no]",
            "basic_auth.log_regions[1]: is no, which YAML reads as false; expected text",
        ),
    ],
)
def test_the_source_text_is_quoted(before: str, after: str, message: str, tmp_path: Path) -> None:
    found = "\n".join(problems(tmp_path, DEV.replace(before, after, 1)))
    assert message in found


def test_the_source_text_of_common(tmp_path: Path) -> None:
    found = problems(tmp_path, common=COMMON.replace("cost_centre: bbws", "cost_centre: 0123"))
    assert any('cost_centre: is 0123, which YAML reads as 83; expected text; quote it: "0123"' in problem for problem in found)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (b"a:\n\tb: 2\n", 2, "a tab; YAML takes spaces only before a key or value"),
        (b"a: 1\nb: caf\xe9\n", 2, "incomplete UTF-8 octet sequence (byte 11 of the file, which has to be UTF-8)"),
        (b"a: 1\nb: =\n", 2, '= means something of its own there; quote it: "="'),
        (b"a: 1\nb: <<\n", 2, '<< means something of its own there; quote it: "<<"'),
    ],
    ids=["tab", "encoding", "value", "merge"],
)
def test_what_yaml_refuses_is_said_in_plain_words(text: bytes, line: int, message: str, tmp_path: Path) -> None:
    found: list[Problem] = []
    (tmp_path / "dev.yaml").write_bytes(text)
    assert parse(tmp_path / "dev.yaml", found) is None
    assert [(problem.line, problem.message) for problem in found] == [(line, f"not YAML: {message}")]


@pytest.mark.parametrize("key", ["on", "1", "2026-01-01"])
def test_a_key_that_is_no_text_is_one_problem(key: str, tmp_path: Path) -> None:
    found = problems(tmp_path, f"{DEV}\n{key}: 2\n")
    assert len(found) == 1 and found[0].endswith(f"keys are text; quote this one: {key}"), found


UNREADABLE = [
    "a: [1, 2",
    "\t- x",
    "- a\n- b",
    "just text",
    "? [a, b]\n: 1\n",
    "!!python/object/apply:os.system ['true']",
    "\x00",
    "a: 1\n---\nb: 2\n",
    "a: *x",
]


@pytest.mark.parametrize("text", UNREADABLE)
@pytest.mark.parametrize("file", ["dev", "common", "organization"])
def test_a_file_that_cannot_be_read_is_that_one_problem(text: str, file: str, tmp_path: Path) -> None:
    found = problems(tmp_path, **{file: text})
    assert len(found) == 1, found
    assert found[0].startswith(f"{file}.yaml:")


def test_a_missing_common_file_is_that_one_problem(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(DEV)
    with pytest.raises(Exception, match=r"common\.yaml:1: cannot be read: No such file or directory$") as caught:
        load(tmp_path, ("dev",))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["qa", "a" * 30])
def test_names_of_2_to_30_characters(name: str, tmp_path: Path) -> None:
    assert problems(tmp_path, **{name: _other(name[:20]) + "project: web\n"}) == []


@pytest.mark.parametrize("name", ["q", "a" * 31, "q_a", "1a", "a-", "all"])
def test_names_that_are_refused(name: str, tmp_path: Path) -> None:
    found = problems(tmp_path, **{name: _other("other")})
    assert any(f'the file name "{name}" is no environment name' in problem for problem in found)


def _other(name: str) -> str:
    return DEV.replace("dev", name).replace("admin\n", "admin\n") + "github: {create_provider: false}\n"


@pytest.mark.parametrize(
    ("domain", "hint"),
    [
        ("bücher.kimmyai.io", 'in DNS it is "xn--bcher-kva.kimmyai.io"'),
        ("straße.kimmyai.io", 'in DNS it is "xn--strae-oqa.kimmyai.io"'),
        ("例え.kimmyai.io", 'in DNS it is "xn--r8jz45g.kimmyai.io"'),
        ("Dev.kimmyai.io", 'in DNS it is "dev.kimmyai.io"'),
        ("dev.kimmyai.io.", 'in DNS it is "dev.kimmyai.io"'),
    ],
)
def test_the_dns_name_is_a_hint(domain: str, hint: str, tmp_path: Path) -> None:
    found = "\n".join(problems(tmp_path, DEV.replace("domain: dev.kimmyai.io", f"domain: {domain}")))
    assert f"; {hint}" in found


def test_an_international_top_level_domain_and_a_name_that_is_none(tmp_path: Path) -> None:
    zone = "hosted_zone: {name: xn--e1afmkfd.xn--p1ai}\ncertificate: {domain_name: xn--e1afmkfd.xn--p1ai}\n"
    dev = DEV.replace("domain: dev.kimmyai.io", "domain: dev.xn--e1afmkfd.xn--p1ai") + zone
    assert problems(tmp_path, dev.replace("{domain_name", "{subject_alternative_names: ['*.xn--e1afmkfd.xn--p1ai'], domain_name")) == []
    assert "in DNS" not in "\n".join(problems(tmp_path, DEV.replace("domain: dev.kimmyai.io", "domain: 'a b..c'")))
    wildcard = "certificate: {subject_alternative_names: ['*.bücher.example']}\n"
    assert 'in DNS it is "*.xn--bcher-kva.example"' in "\n".join(problems(tmp_path, DEV + wildcard))


# --- names that the build derives ---------------------------------------------------------------------------------


RECOVERY = "disaster_recovery: {region: eu-west-2, bucket: NAME}\n"


@pytest.mark.parametrize(
    ("before", "after", "extra", "key"),
    [
        ("bbws-dev-web-artifacts", "dev-kimmyai-web-public", "", "artifacts.bucket"),
        ("bbws-dev-web-artifacts", "dev-kimmyai-web-public-access-logs", "", "artifacts.bucket"),
        ("", "", RECOVERY.replace("NAME", "dev-kimmyai-web-public"), "disaster_recovery.bucket"),
        ("", "", RECOVERY.replace("NAME", "bbws-dev-web-artifacts"), "disaster_recovery.bucket"),
        ("", "", RECOVERY.replace("NAME", "dev-kimmyai-web-public-access-logs"), "disaster_recovery.bucket"),
    ],
)
def test_names_of_one_environment_differ(before: str, after: str, extra: str, key: str, tmp_path: Path) -> None:
    found = problems(tmp_path, (DEV.replace(before, after, 1) if before else DEV) + extra)
    assert len(found) == 1, found
    assert ": " in found[0]
    assert " of this environment already, or derived from it" in found[0]
    assert key.split(".", maxsplit=1)[0] in found[0]


def test_one_prefix_in_one_account_from_two_projects(tmp_path: Path) -> None:
    """`a` with `b-c` and `a-b` with `c` are one prefix: roles, functions, tables and stacks of one name."""
    other = _other("web-dev")
    own = "project: kimmyai\n"
    found = problems(tmp_path, **{"web-dev": other + own})
    assert found == [
        'web-dev.yaml:20: project: name prefix "kimmyai-web-dev" in account 111111111111 is made by environment dev already: '
        "roles, functions and stacks would have equal names"
    ]
    assert problems(tmp_path, **{"web-dev": other.replace("1" * 12, "2" * 12) + own}) == [], "in another account it is no clash"


def test_names_of_the_organization_differ_from_those_of_environments(tmp_path: Path) -> None:
    organization = ORGANIZATION.replace("[dev, sit, prod]", "[dev]")
    same = organization.replace("bbws-organization-web-artifacts", "dev-kimmyai-web-public-access-logs")
    found = problems(tmp_path, organization=same)
    assert found == [
        'organization.yaml:13: artifacts.bucket: bucket "dev-kimmyai-web-public-access-logs" is made by environment dev already'
    ]
    same = organization.replace("9" * 12, "1" * 12).replace("bbws-web-locks-organization", "bbws-web-locks-dev")
    found = problems(tmp_path, organization=same)
    assert len(found) == 1
    assert "artifacts.lock_table" in found[0]


def test_a_long_project_is_refused_for_the_organization_too(tmp_path: Path) -> None:
    project = "a" * 29
    found = problems(tmp_path, organization=ORGANIZATION.replace("[dev, sit, prod]", "[dev]") + f"project: {project}\n")
    assert len(found) == 1
    assert "at most 40 fit into IAM role names" in found[0]


def test_a_path_pattern_that_stands_twice(tmp_path: Path) -> None:
    found = problems(tmp_path, DEV + 'publishing: {hashed_paths: ["assets/*", "/assets/*"]}\n')
    assert any('publishing.hashed_paths[1]: "/assets/*" is the path of an earlier entry' in problem for problem in found)


def test_golden(tmp_path: Path) -> None:
    dev = (
        DEV.replace('"111111111111"', "012345670123")
        .replace("username: admin", "username: no")
        .replace("domain: dev.kimmyai.io", "domain: bücher.kimmyai.io")
    )
    sit = _other("sit").replace("bbws-sit-web-artifacts", "sit-kimmyai-web-public")
    assert_golden("errors/environment-names.txt", "\n".join(problems(tmp_path, dev, sit=sit, qa="- no\n- mapping\n")) + "\n")


def test_a_punycode_that_stands_for_nothing_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, DEV.replace("domain: dev.kimmyai.io", "domain: xn--zz--zz.kimmyai.io"))
    assert any(problem.endswith('domain: "xn--zz--zz" is not the punycode of anything') for problem in found)
    assert problems(tmp_path, DEV.replace("domain: dev.kimmyai.io", "domain: xn--bcher-kva.kimmyai.io")) == []


@pytest.mark.parametrize("account", ["111111111111", "222222222222"])
def test_a_name_prefix_inside_of_anothers_is_refused_in_one_account(account: str, tmp_path: Path) -> None:
    """dev's policy `<prefix>-deploy-boundary` would be the `<prefix>-boundary` of dev-deploy, and dev's roles could change all of it."""
    other = _other("dev-deploy").replace("111111111111", account)
    found = problems(tmp_path, **{"dev-deploy": other})
    clash = (
        'begins with "kimmyai-web-dev-": in account 111111111111 the roles of dev may change everything that is named so, and dev-deploy'
    )
    assert any(clash in problem for problem in found) == (account == "111111111111"), found


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ('{team: "a b+c@d.e/f:g=h-i_j é"}', None),
        ('{team: "\\x1b[31m"}', "not '\\x1b' '['"),
        ("{team: a!b}", "not '!'"),
        ("{team: ''}", "the value of a tag has 1 to 256 characters, this one 0"),
        (f"{{team: {'a' * 257}}}", "the value of a tag has 1 to 256 characters, this one 257"),
        (f"{{{'a' * 129}: a}}", "the key of a tag has 1 to 128 characters, this one 129"),
        ("{'AWS:x': a}", 'AWS keeps keys that begin with "aws:" to itself'),
        ("{project: other}", 'every stack has the tag "project" already'),
        ("{" + ", ".join(f"k{n}: v" for n in range(47)) + "}", "47 tags; beside its own a stack takes 46"),
    ],
)
def test_tags_are_such_as_aws_takes(tags: str, message: str | None, tmp_path: Path) -> None:
    found = problems(tmp_path, DEV + f"tags: {tags}\n")
    assert [problem for problem in found if message in problem] if message else not found, found


def test_a_file_with_the_other_suffix_is_named(tmp_path: Path) -> None:
    problems(tmp_path, DEV)
    (tmp_path / "qa.yml").write_text(DEV)
    with pytest.raises(Exception, match=r"qa\.yml is not read, name it qa\.yaml; there are: dev") as caught:
        load(tmp_path, ("qa",))
    assert "\n" not in str(caught.value)
