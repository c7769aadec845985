"""Every edit of an environment file is possible: from one state to the next, and back."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import prepare
from local_aws.server import LocalAws
from tests.edits import OTHER_STANDBY, STANDBY
from tests.functional.edited import Edited

pytestmark = pytest.mark.functional

_numbers = itertools.count(1)
DOMAIN = "dev.kimmyai.io"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout's directory in which `--local` finds a running server."""
    directory = tmp_path_factory.mktemp("edits")
    server = LocalAws.start(directory / ".local-aws", bound_to=os.getpid(), persist=False)
    yield directory
    server.stop()


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
