"""Whatever names the environment model admits, what is built from them is never longer than AWS takes."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environments.loader import load
from environments.model import Environment
from environments.problems import EnvironmentProblems
from lint.gate import Job, lint, load_rules, suppressions
from lint.rules.base import Rule
from lint.rules.sizes import PolicySize, TextSize, policy_size
from lint.verdicts import today
from stacks.synthesis import synthesise
from templates.view import View
from tests.environments_fixture import environments

ENVS = environments()


def domain(length: int, zone: str, letter: str = "d") -> str:
    """A name of so many characters in the zone, in labels of at most 60."""
    rest = length - len(zone)
    labels = []
    while rest > 0:
        size = rest - 1 if rest <= 61 else 60 if rest != 62 else 59
        labels.append(letter * size + ".")
        rest -= size + 1
    return "".join(labels) + zone


def longest(**chosen: Any) -> dict[str, Any]:
    """An environment file in which everything that has a length has its greatest."""
    zone = domain(60, "example.io", "z")
    site = domain(243 if "failover" in chosen else 253, zone)
    data: dict[str, Any] = {
        "project": "p" * 30,
        "cost_centre": "c" * 64,
        "account_id": "123456789012",
        "home_region": "ap-southeast-1",
        "domain": site,
        "bucket": "b" * 51,
        "price_class": "PriceClass_All",
        "hosted_zone": {"name": zone, "id": "Z" + "0" * 31},
        "certificate": {"domain_name": zone, "subject_alternative_names": [site, *(domain(210, zone, letter) for letter in "efghijkl")]},
        "app": {"entry_path": "/" + "a" * 199, "index_document": "/" + "i" * 194 + ".html", "health_path": "/" + "h" * 199},
        "basic_auth": {"enabled": True, "username": "u" * 64, "realm": "r" * 64},
        "security_headers": {"content_security_policy": "s" * 1783, "permissions_policy": "p" * 1024},
        "artifacts": {"bucket": "a" * 48, "lock_table": "l" * 128},
        "github": {
            "repository": "o" * 39 + "/" + "r" * 100,
            "environment": "g" * 30,
            "owner_id": "1" * 20,
            "repository_id": "2" * 20,
        },
        "monitoring": {"alarm_email": "e" * 240 + "@example.com"},
        "disaster_recovery": {"region": "ap-southeast-2", "bucket": "b" * 51 + "-" + "r" * 11},
    }
    return {**data, **chosen}


FOREIGN = {"account_id": "210987654321", "role_arn": "arn:aws:iam::210987654321:role/" + "r" * 128}


def loaded(directory: Path, data: dict[str, Any], name: str = "e" * 9) -> Environment:
    """The environment as the loader reads it from a file, checks included."""
    for path in directory.glob("*.yaml"):
        path.unlink()
    (directory / "common.yaml").write_text("{}\n")
    (directory / f"{name}.yaml").write_text(yaml.safe_dump(data))
    return load(directory, (name,)).environments[name]


@cache
def rules() -> tuple[Rule, ...]:
    return (PolicySize(), TextSize())


def too_long(env: Environment) -> list[str]:
    built = synthesise(env)
    views = {stack.id: View(json.loads(built.templates[stack.id]), (stack.region,)) for stack in built.assembly.stacks}
    return [f"{stack}: {problem}" for stack, view in views.items() for rule in rules() for problem in rule.check(view)]


VARIANTS: dict[str, dict[str, Any]] = {
    "everything": {},
    "a foreign zone": {"hosted_zone": {"name": domain(60, "example.io", "z"), **FOREIGN}},
    "without Basic Auth": {"basic_auth": {"enabled": False}},
    "a firewall": {
        "firewall": {"rate": "count", "core_rules": "count", "known_bad_inputs": "count", "logs": "bucket"},
        "bucket": "b" * 50,
        "disaster_recovery": {"region": "ap-southeast-2", "bucket": "b" * 50 + "-" + "r" * 12},
    },
    "failover": {"failover": {"dns_name": domain(253, "example.org"), "hosted_zone_id": "Z" + "1" * 31}},
}


@pytest.mark.parametrize("what", VARIANTS)
def test_the_longest_names_that_are_admitted_fit(tmp_path: Path, what: str) -> None:
    env = loaded(tmp_path, longest(**VARIANTS[what]))
    assert too_long(env) == []


def test_an_environment_of_the_longest_names_lints_clean(tmp_path: Path) -> None:
    built = synthesise(loaded(tmp_path, longest()))
    jobs = [Job(stack_id=s.id, template=built.templates[s.id], regions=(s.region,)) for s in built.assembly.stacks]
    found = [
        finding
        for findings in lint(jobs, cache=None, workers=1, day=today()).values()
        for finding in findings
        if finding.level != "informational"
    ]
    assert found == []


GENERATED = int(os.environ.get("GENERATED_ENVIRONMENTS", "4"))
"""How many environments are generated and linted with every rule; `GENERATED_ENVIRONMENTS=200` for a thorough look."""


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """An environment file: of any lengths, with any of its parts."""
    whole = longest(**VARIANTS[draw(st.sampled_from(sorted(VARIANTS)))])
    for key in ("project", "bucket", "cost_centre"):
        whole[key] = whole[key][: draw(st.integers(3, len(whole[key])))]
    for key in ("disaster_recovery", "app", "monitoring"):
        if draw(st.booleans()):
            whole.pop(key, None)
    whole["protection"] = draw(st.fixed_dictionaries({key: st.booleans() for key in ("termination_protection", "stack_policy")}))
    whole["price_class"] = draw(st.sampled_from(["PriceClass_100", "PriceClass_200", "PriceClass_All"]))
    whole["tags"] = draw(st.dictionaries(st.text("abcdef:/-", min_size=1, max_size=128), st.text("xyz ", max_size=256), max_size=3))
    return whole


@settings(max_examples=GENERATED, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(whole=files())
def test_what_the_loader_accepts_builds_and_no_rule_of_ours_objects(tmp_path: Path, whole: dict[str, Any]) -> None:
    try:
        env = loaded(tmp_path, whole)
    except EnvironmentProblems:
        return
    built = synthesise(env)
    for stack in built.assembly.stacks:
        template = json.loads(built.templates[stack.id])
        accepted = suppressions(template)
        for rule in load_rules().values():
            found = rule.check(View(template, (stack.region,))) if isinstance(rule, Rule) else ()
            assert [each for each in found if rule.id not in accepted.get(str(each[0][1]), {})] == [], (stack.id, rule.id)


SIZES = st.sampled_from([0.0, 0.3, 0.7, 0.95, 1.0])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_length_the_names_have_either_the_file_is_refused_or_everything_fits(tmp_path: Path, data: st.DataObject) -> None:
    """Also beyond what is admitted: what the model lets through by mistake would be too long for a policy."""
    whole = longest(**VARIANTS[data.draw(st.sampled_from(sorted(VARIANTS)))])
    for key in ("project", "bucket"):
        whole[key] = whole[key][: max(3, round(len(whole[key]) * data.draw(SIZES)))]
    zone = whole["hosted_zone"]["name"]
    names = data.draw(st.lists(st.sampled_from("efghijklmnopq"), unique=True, max_size=11))
    whole["certificate"]["subject_alternative_names"] = [
        whole["domain"],
        *(domain(data.draw(st.integers(100, 253)), zone, name) for name in names),
    ]
    whole["artifacts"]["lock_table"] = "l" * max(3, round(128 * data.draw(SIZES)))
    try:
        env = loaded(tmp_path, whole)
    except EnvironmentProblems:
        return
    assert too_long(env) == []


@pytest.mark.parametrize(
    ("changes", "line", "words"),
    [
        ({"bucket": "b" * 52}, "bucket", "at most 51"),
        (
            {
                "certificate": {
                    "domain_name": domain(65, longest()["hosted_zone"]["name"]),
                    "subject_alternative_names": [longest()["domain"]],
                }
            },
            "certificate.domain_name",
            "at most 64",
        ),
        ({"monitoring": {"certificate_days_left": 41}}, "monitoring.certificate_days_left", "at most 40"),
        ({"security_headers": {"content_security_policy": "s" * 1784}}, "security_headers.content_security_policy", "at most 1783"),
    ],
)
def test_what_is_too_long_is_refused_with_file_and_line(tmp_path: Path, changes: dict[str, Any], line: str, words: str) -> None:
    with pytest.raises(EnvironmentProblems) as caught:
        loaded(tmp_path, longest(**changes))
    (problem,) = [problem for problem in caught.value.problems if problem.key == line]
    assert words in problem.message
    assert problem.file.endswith(".yaml")
    assert problem.line > 1


def test_too_many_names_or_too_long_ones_together_are_refused(tmp_path: Path) -> None:
    zone = longest()["hosted_zone"]["name"]
    names = [longest()["domain"], *(domain(80, zone, letter) for letter in "efghijklmn")]
    with pytest.raises(EnvironmentProblems, match=r"has 1[12] names"):
        loaded(tmp_path, longest(certificate={"domain_name": zone, "subject_alternative_names": names}))
    names = [longest()["domain"], *(domain(240, zone, letter) for letter in "efghijkl")]
    with pytest.raises(EnvironmentProblems, match="characters together; at most 2,000"):
        loaded(tmp_path, longest(certificate={"domain_name": zone, "subject_alternative_names": names}))


def test_a_policy_is_counted_with_everything_filled_in() -> None:
    view = View({"Resources": {"R": {"Type": "AWS::IAM::Role"}}}, ("eu-west-1",))
    assert policy_size(view, {"a": {"Fn::Sub": "arn:${AWS::Partition}:x:${AWS::Region}:${AWS::AccountId}:y"}}) == len(
        '{"a":"arn:aws:x:eu-west-1:123456789012:y"}'
    )
    short, long = {"a": "x"}, {"a": "x" * 100}
    assert policy_size(view, {"Fn::If": ["C", short, long]}) == policy_size(view, long)
    assert policy_size(view, {"a": {"Fn::GetAtt": ["R", "Arn"]}}) > 64
