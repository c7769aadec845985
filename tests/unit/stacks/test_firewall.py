"""The firewall before the site: what it counts, what it blocks, where it logs, and what another environment has instead."""

from __future__ import annotations

import json
from typing import Any

import pytest

from environments.checks import check
from environments.model import Environment
from stacks.catalogue import entries
from stacks.synthesis import synthesise
from tests.environments_fixture import changed, environments

DEV = environments()["dev"]


def with_firewall(**values: Any) -> Environment:
    return changed(DEV, {"firewall": values})


def templates(env: Environment) -> dict[str, Any]:
    return {stack: json.loads(body) for stack, body in synthesise(env).templates.items()}


def rules(env: Environment) -> dict[str, Any]:
    return {rule["Name"]: rule for rule in templates(env)["firewall"]["Resources"]["WebAcl"]["Properties"]["Rules"]}


def verdict(rule: dict[str, Any]) -> str:
    return str(next(iter(rule.get("Action") or rule["OverrideAction"])))


def test_without_the_key_there_is_none() -> None:
    assert "firewall" not in [entry.id for entry in entries(DEV)]
    assert "WebACLId" not in json.dumps(templates(DEV)["site"])
    assert "AWS/WAFV2" not in json.dumps(templates(DEV)["monitoring"])


def test_by_default_it_counts_and_lets_everybody_in() -> None:
    made = templates(with_firewall())["firewall"]["Resources"]
    assert made["WebAcl"]["Properties"]["DefaultAction"] == {"Allow": {}}
    assert {name: verdict(rule) for name, rule in rules(with_firewall()).items()} == {
        "rate": "Count",
        "known-bad-inputs": "Count",
        "core": "Count",
    }
    assert list(made) == ["WebAcl"]


def test_each_rule_has_its_mode_and_one_that_is_off_is_not_there() -> None:
    found = rules(with_firewall(rate="block", core_rules="off", known_bad_inputs="block"))
    assert {name: verdict(rule) for name, rule in found.items()} == {"rate": "Block", "known-bad-inputs": "None"}
    assert [rule["Priority"] for rule in found.values()] == [0, 1]


def test_the_limit_is_of_an_address_in_the_window() -> None:
    statement = rules(with_firewall(rate_limit=100, rate_window_seconds=60))["rate"]["Statement"]
    assert statement == {"RateBasedStatement": {"AggregateKeyType": "IP", "EvaluationWindowSec": 60, "Limit": 100}}


def test_it_stands_before_the_distribution_and_its_alarm_watches_it() -> None:
    env = with_firewall(blocked_requests=7)
    order = [entry.id for entry in entries(env)]
    assert order.index("firewall") < order.index("site")
    made = templates(env)
    assert made["site"]["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["WebACLId"] == {"Ref": "WebAclArn"}
    alarm = made["monitoring"]["Resources"]["Firewall"]["Properties"]
    name = made["firewall"]["Resources"]["WebAcl"]["Properties"]["Name"]
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {"WebACL": name, "Rule": "ALL"}
    assert alarm["Threshold"] == 7


def test_its_log_has_no_credentials_and_a_bucket_that_only_the_delivery_writes() -> None:
    made = templates(with_firewall(logs="bucket"))["firewall"]["Resources"]
    assert [field["SingleHeader"]["Name"] for field in made["Logging"]["Properties"]["RedactedFields"]] == ["authorization", "cookie"]
    assert made["Logging"]["DependsOn"] == ["LogBucketPolicy"]
    assert made["LogBucket"]["Properties"]["BucketName"].startswith("aws-waf-logs-")
    statements = made["LogBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = [each for each in statements if each["Effect"] == "Allow"]
    assert {each["Principal"]["Service"] for each in allowed} == {"delivery.logs.amazonaws.com"}
    assert all("aws:SourceAccount" in each["Condition"]["StringEquals"] for each in allowed)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rate": "off", "core_rules": "off", "known_bad_inputs": "off"}, "every rule is off"),
        ({"logs": "bucket"}, "is a bucket too"),
    ],
)
def test_what_could_not_be_or_would_do_nothing_is_refused(values: dict[str, str], words: str) -> None:
    told: list[str] = []
    check(changed(DEV, {"firewall": values, "bucket": "b" * 51}), lambda _, problem: told.append(problem))
    assert [problem for problem in told if words in problem]
