"""Every edit of an environment file is possible: from one state to the next, and back."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest

from changes.stack_policy import OPEN
from local_aws import prepare
from local_aws.server import LocalAws
from tests.edits import OTHER_STANDBY, STANDBY
from tests.functional.edited import Edited
from tests.functional.harness import CommandLine
from tests.functional.wire import Exchange, wire_to
from tests.nightly import by_hand
from tests.nightly import edits as nightly

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("edits")]

_numbers = itertools.count(1)
DOMAIN = "dev.kimmyai.io"


@pytest.fixture
def site(home: Path) -> Edited:
    """An environment that nobody has deployed yet."""
    return Edited(home, f"{500_000_000_000 + next(_numbers)}")


def test_failover_is_switched_on_and_off_while_visitors_come(site: Edited) -> None:
    site.apply()
    zone = prepare.hosted_zone(site.aws, name="kimmyai.io", account_id=site.account)
    with site.visited(zone, DOMAIN) as missed:
        for standby in (STANDBY, None, OTHER_STANDBY, STANDBY, None):
            site.apply(failover=standby)
    assert not missed
    names = {each["Name"] for each in site.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]}
    assert f"_failover.{DOMAIN}." not in names


def test_a_replaced_certificate_goes_when_the_distribution_has_the_new_one(site: Edited) -> None:
    site.apply()
    (first,) = site.certificates()

    assert site.build(certificate__subject_alternative_names=["*.kimmyai.io", "www.kimmyai.io"]) == ""
    _, review = site.deploy("plan")
    assert f"certificate: Certificate (AWS::CertificateManager::Certificate) {first}, which this plan replaces" in review
    told = site.apply()

    (second,) = site.certificates()
    assert second != first
    assert f"certificate: removed {first}, which was replaced" in told
    events = site.client("cloudformation").describe_stack_events(StackName="kimmyai-web-dev-certificate")["StackEvents"]
    assert [e["ResourceStatus"] for e in events if e["PhysicalResourceId"] == first and "DELETE" in e["ResourceStatus"]] == [
        "DELETE_SKIPPED"
    ]
    site.build(certificate__subject_alternative_names=["*.kimmyai.io"])
    site.apply()
    assert len(site.certificates()) == 1


def kill_before_the_old_certificate_goes(site: Edited, processes: list[subprocess.Popen[str]]) -> CommandLine:
    """Apply the edit that was built, as a process that is killed when all stacks stand. The command line that goes on."""
    server = LocalAws.find(site.home / ".local-aws")
    assert server is not None
    line = CommandLine(home=site.home, endpoint_url=server.endpoint_url, account_id=site.account)
    with wire_to(server.endpoint_url) as wire:
        cut = CommandLine(home=site.home, endpoint_url=wire.url, account_id=site.account)
        assert cut.deploy("plan", "--env", "dev", "--dist", str(site.dist)).code == 3
        arrived, killed = threading.Event(), threading.Event()

        def never(exchange: Exchange) -> None:
            arrived.set()
            killed.wait(180)
            exchange.drop()

        wire.on("acm", "DeleteCertificate", never)
        process = cut.start("deploy.py", "apply", "--env", "dev", "--dist", str(site.dist), "--yes")
        processes.append(process)
        assert arrived.wait(120)
        process.send_signal(signal.SIGKILL)
        process.wait(180)
        killed.set()
    return line


def test_what_a_killed_apply_left_is_named_and_removed(site: Edited, processes: list[subprocess.Popen[str]]) -> None:
    site.apply()
    (first,) = site.certificates()
    site.build(certificate__subject_alternative_names=["*.kimmyai.io", "www.kimmyai.io"])
    line = kill_before_the_old_certificate_goes(site, processes)
    assert len(site.certificates()) == 2

    again = line.deploy("apply", "--env", "dev", "--dist", str(site.dist), "--yes")
    assert again.code == 0, again
    assert f"removed {first}" in again.stdout
    (second,) = site.certificates()

    site.build(certificate__subject_alternative_names=["*.kimmyai.io"])
    line = kill_before_the_old_certificate_goes(site, processes)
    (site.dist / "dev" / "plan.json").unlink()
    named = line.deploy("doctor", "--env", "dev", "--dist", str(site.dist))
    assert f"{second}, let go of" in named.stdout, named
    planned = line.deploy("plan", "--env", "dev", "--dist", str(site.dist))
    assert (planned.code, f"{second}, left since" in planned.stdout) == (3, True), planned
    done = line.deploy("apply", "--env", "dev", "--dist", str(site.dist), "--yes")
    assert done.code == 0, done
    assert len(site.certificates()) == 1
    assert second not in site.certificates()


def test_destroy_removes_what_a_killed_apply_left(site: Edited, processes: list[subprocess.Popen[str]]) -> None:
    site.apply()
    site.build(certificate__subject_alternative_names=["*.kimmyai.io", "www.kimmyai.io"])
    line = kill_before_the_old_certificate_goes(site, processes)
    assert len(site.certificates()) == 2
    destroyed = line.deploy("destroy", "--env", "dev", "--dist", str(site.dist), "--approve", "dev")
    assert destroyed.code == 0, destroyed
    assert site.certificates() == []


@pytest.mark.parametrize("edit", [{"home_region": "eu-central-1"}, {"project": "other-web"}], ids=["region", "project"])
def test_what_would_move_a_stack_is_refused_before_it_begins(site: Edited, edit: dict[str, str]) -> None:
    site.apply()
    before = site.client("cloudformation", "eu-central-1").list_stacks()["StackSummaries"]
    assert site.build(**edit) == ""
    code, review = site.deploy("plan")
    assert code == 1, review
    assert "A stack cannot be moved: take the edit back" in " ".join(review.split())
    assert site.client("cloudformation", "eu-central-1").list_stacks()["StackSummaries"] == before or "REVIEW" not in str(before)


def test_another_account_is_refused_as_a_move_since_the_buckets_belong_to_this_one(site: Edited) -> None:
    site.apply()
    other = f"{500_000_000_000 + next(_numbers)}"
    assert site.build(account_id=other) == ""
    code, review = site.deploy("plan")
    assert code == 1, review
    words = " ".join(review.split())
    assert "account_id would move it" in words and "A stack cannot be moved: take the edit back" in words
    stacks = site.aws.client("cloudformation", account_id=other, region="us-east-1").list_stacks()["StackSummaries"]
    assert [each for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"] == []


def test_a_stack_that_an_edit_leaves_behind_is_named_and_goes_on_when_it_comes_back(site: Edited) -> None:
    site.apply()
    site.build(basic_auth__enabled=False)
    _, review = site.deploy("plan")
    assert "kimmyai-web-dev-edge in us-east-1" in " ".join(review.split())
    site.apply()
    site.apply(basic_auth__enabled=True)


def test_a_protected_certificate_is_refused_with_the_way_around_and_that_way_works(site: Edited) -> None:
    site.apply(protection__stack_policy=True)
    assert site.build(certificate__subject_alternative_names=["*.kimmyai.io", "www.kimmyai.io"]) == ""
    code, review = site.deploy("plan")
    assert code == 1, review
    assert "aws cloudformation set-stack-policy --stack-name kimmyai-web-dev-certificate" in " ".join(review.split())

    # What the command does.
    client = site.client("cloudformation")
    client.set_stack_policy(StackName="kimmyai-web-dev-certificate", StackPolicyBody=OPEN)
    site.apply()
    assert len(site.certificates()) == 1
    assert "Deny" in client.get_stack_policy(StackName="kimmyai-web-dev-certificate")["StackPolicyBody"]


def test_what_is_applied_is_what_was_reviewed_whatever_somebody_does_meanwhile(site: Edited) -> None:
    """The nightly run (tests/nightly/edits.py) in small: a stack, and an instance of a StackSet, changed by hand."""
    site.apply()
    dice = random.Random(17)
    edit_and_hand = (
        # Refused where the dice choose the stack that the plan is about.
        ("update_a_stack", {"price_class": "PriceClass_200"}, "applied beside a change by hand|refused by apply"),
        ("delete_an_instance", {"basic_auth": {**site.values["basic_auth"], "log_retention_days": 60}}, "applied beside a change by hand"),
    )
    for name, change, wanted in edit_and_hand:
        values = {**site.values, **change}
        outcome, told = nightly.one(site, values, partial(by_hand.random_change, site, dice=dice, only=name))
        assert outcome in wanted.split("|"), f"{name}: {outcome}\n{told}"
