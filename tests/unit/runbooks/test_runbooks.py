"""The runbooks themselves, and how they are filled in."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.parser import verbs
from guards import documents
from runbooks.choice import lines, listed
from runbooks.facts import Facts, Live, alarm_names, alarms_by_region
from runbooks.text import SECTIONS, Runbook, filled, section, without_aws
from stacks.synthesis import synthesise
from tests.documents import wrong_to_type
from tests.environments_fixture import FAILOVER, RECOVERY, changed, environments
from tests.golden_files import ROOT, assert_golden

FILES = sorted((ROOT / "docs" / "runbooks").glob("[a-z]*.md"))
RUNBOOKS = [Runbook(name=file.stem, text=file.read_text(encoding="utf-8")) for file in FILES]
by_name = pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda runbook: runbook.name)

EVERYTHING = {name: synthesise(changed(env, {**RECOVERY, **FAILOVER})) for name, env in environments().items()}
"""With a standby and a replica; dev has Basic Auth, prod the firewall."""
SITE = {"DistributionId": "E2EXAMPLE", "DistributionDomainName": "d111.cloudfront.net", "BucketName": "b"}


def facts_of(name: str, live: Live | None = None, *, local: bool = False) -> Facts:
    built = EVERYTHING[name]
    return Facts(assembly=built.assembly, alarm_names=alarm_names(built.templates), live=live or Live(), local=local)


def alarms_of(name: str) -> dict[str, Any]:
    every = (documents.loads(template)["Resources"] for template in EVERYTHING[name].templates.values())
    return {key: each["Properties"] for found in every for key, each in found.items() if each["Type"] == "AWS::CloudWatch::Alarm"}


# --- the documents ------------------------------------------------------------------------------------------------


@by_name
def test_every_part_is_there_and_says_something(runbook: Runbook) -> None:
    headings = re.findall(r"(?m)^## (.*)$", runbook.text)
    assert tuple(headings) == SECTIONS
    assert all(len(section(runbook.text, heading).split()) >= 1 for heading in SECTIONS)
    assert runbook.commands or runbook.name in {"leave"}
    assert len(runbook.title) <= 70


@by_name
def test_every_command_can_be_typed(runbook: Runbook) -> None:
    assert not [problem for command in runbook.commands for problem in wrong_to_type(command)]


@by_name
def test_what_it_leads_on_to_is_there(runbook: Runbook) -> None:
    names = {each.name for each in RUNBOOKS}
    cells = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", runbook.text)
    assert not [cell for cell in cells if cell not in names and cell not in verbs()]


@by_name
@pytest.mark.parametrize("environment", EVERYTHING)
@pytest.mark.parametrize("live", [Live(), Live(outputs={"site": SITE}, alarms={})], ids=["not asked", "asked"])
def test_every_placeholder_is_filled_in(runbook: Runbook, environment: str, live: Live) -> None:
    assert "{" not in filled(runbook.text, facts_of(environment, live))


@by_name
def test_every_placeholder_is_of_this_platform(runbook: Runbook) -> None:
    """An output or a stack that no environment has is misspelt."""
    stacks = {stack.id: stack for built in EVERYTHING.values() for stack in built.assembly.stacks}
    alarms = {alarm for name in EVERYTHING for alarm in alarms_of(name)}
    for placeholder in runbook.placeholders:
        kind, _, rest = placeholder.partition(".")
        if kind == "alarm":
            assert rest in alarms
        elif kind == "stack":
            assert rest in stacks
        elif kind != "console" and rest:
            assert rest in stacks[kind].outputs


def test_the_page_of_the_runbooks_names_them_all() -> None:
    page = (ROOT / "docs" / "runbooks" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(([a-z0-9-]+)\.md\)", page)) == {each.name for each in RUNBOOKS}


@pytest.mark.parametrize("environment", EVERYTHING)
def test_every_alarm_says_its_runbook_which_names_the_alarm(environment: str) -> None:
    texts = {each.name: each for each in RUNBOOKS}
    assert set(alarms_of(environment)) >= {"SiteDown", "OnStandby", "CertificateExpiry", "ReplicaLags", "ReplicationFails"}
    for alarm, properties in alarms_of(environment).items():
        command = properties["AlarmDescription"].partition("Runbook: ")[2]
        name = command.split()[-1]
        assert command == f"python deploy.py runbook --env {environment} {name}"
        assert alarm in texts[name].alarms, alarm
        assert len(properties["AlarmDescription"]) <= 1024  # CloudWatch API, PutMetricAlarm


def test_each_alarm_is_asked_for_in_the_region_of_its_metric() -> None:
    built = EVERYTHING["prod"]
    found = {region: set(names) for region, names in alarms_by_region(built.assembly, built.templates).items()}
    assert found["eu-west-2"] == {f"kimmyai-web-prod-{alarm}" for alarm in ("ReplicaLags", "ReplicaPending", "ReplicaBytesPending")}
    assert found["af-south-1"] == {"kimmyai-web-prod-ReplicationFails"}
    assert "kimmyai-web-prod-SiteDown" in found["us-east-1"]


# --- filling in ---------------------------------------------------------------------------------------------------


def test_a_runbook_with_its_names_and_states() -> None:
    live = Live(outputs={"site": SITE}, alarms={"kimmyai-web-prod-SiteDown": "ALARM", "kimmyai-web-prod-ErrorRate5xx": "OK"})
    text = next(each.text for each in RUNBOOKS if each.name == "site-down")
    assert_golden("runbooks/site-down.txt", filled(text, facts_of("prod", live)))


def test_what_is_not_known_is_said() -> None:
    facts = facts_of("dev")
    assert facts("site.DistributionId") == "site.DistributionId (not asked)"
    assert facts_of("dev", Live(outputs={}, alarms={}))("site.DistributionId") == "site.DistributionId (not deployed)"
    assert facts("alarm.Firewall") == "Firewall (not in dev)"
    assert facts("stack.firewall") == "no stack firewall in dev"
    assert facts_of("dev", Live(outputs={}, alarms={}))("alarm.SiteDown").endswith("(is not there)")
    assert "E2EXAMPLE" in facts_of("dev", Live(outputs={"site": SITE}))("console.distribution")
    assert "(" not in facts("console.distribution") + facts("console.dashboard")
    with pytest.raises(KeyError):
        facts("nothing")


@given(st.text())
def test_a_value_in_a_command_is_one_word(value: str) -> None:
    """An output is what somebody put there: it must not become a command of its own."""
    typed = filled("    aws s3 ls {site.BucketName}", lambda _: value)
    assert shlex.split(typed) == ["aws", "s3", "ls", value]


@pytest.mark.attack
def test_a_value_in_prose_begins_no_line_to_type() -> None:
    assert filled("See {site.BucketName}.", lambda _: "a\n    rm -rf ~\u2028b") == "See a     rm -rf ~ b."


def test_those_whose_alarms_are_on_stand_first() -> None:
    alarms = {"kimmyai-web-prod-SiteDown": "ALARM", "kimmyai-web-prod-Firewall": "OK"}
    found = listed(RUNBOOKS, facts_of("prod", Live(outputs={}, alarms=alarms)))
    on = [each.name for each in found if each.on]
    assert "site-down" in on and "requests-blocked" not in on
    assert [each.name for each in found][: len(on)] == sorted(on)
    assert len(found) == len(RUNBOOKS)
    assert lines(found)[0].endswith("<< kimmyai-web-prod-SiteDown is on")
    assert [each.name for each in listed(RUNBOOKS, facts_of("prod"))] == sorted(each.name for each in RUNBOOKS)


@by_name
def test_on_the_local_aws_nothing_leads_to_a_real_account(runbook: Runbook) -> None:
    text = filled(without_aws(runbook.text), facts_of("prod", local=True))
    assert "console.aws" not in text
    assert not re.search(r"(?m)^ {4,}aws ", text)
    assert text.count("# at AWS only: aws ") == len([each for each in runbook.commands if each.startswith("aws ")])
