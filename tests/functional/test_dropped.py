"""Stacks that an environment no longer wants: listed by every verb, deleted on approval, never before what still uses them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.functional.edited import Edited

pytestmark = pytest.mark.functional

_numbers = itertools.count(1)


@pytest.fixture
def site(home: Path) -> Edited:
    return Edited(home, f"{520_000_000_000 + next(_numbers)}")


def stacks(site: Edited, region: str = "us-east-1") -> set[str]:
    listed = site.client("cloudformation", region).list_stacks()["StackSummaries"]
    return {each["StackName"] for each in listed if each["StackStatus"] != "DELETE_COMPLETE"}


def sets(site: Edited) -> list[str]:
    return [each["StackSetName"] for each in site.client("cloudformation").list_stack_sets(Status="ACTIVE")["Summaries"]]


def test_what_basic_auth_leaves_is_listed_by_every_verb_and_deleted_on_approval(site: Edited) -> None:
    site.apply()
    site.apply(basic_auth__enabled=False)
    assert "kimmyai-web-dev-edge" in stacks(site)

    for verb, status in (("plan", 0), ("status", 0), ("drift", 0), ("doctor", 0)):
        code, told = site.deploy(verb)
        assert "kimmyai-web-dev-edge in us-east-1" in told or "kimmyai-web-dev-edge, which is no more wanted" in told, told
        assert "kimmyai-web-dev-edge-logs" in told, told
        assert "deploy.py plan --env dev --local" in told, told
        assert " --remove\n" in told, told
        assert code == status, told

    code, review = site.deploy("plan", "--remove")
    assert code == 3, review
    assert "deleted last of all, in this order (2 stacks)" in review, review
    assert "cleans up kimmyai-web-dev-basic-auth" in review, review
    code, told = site.deploy("apply", *site.approval())
    assert code == 0, told
    assert "edge: deleted kimmyai-web-dev-edge, which was no more wanted" in told
    assert "kimmyai-web-dev-edge" not in stacks(site)
    assert sets(site) == []
    assert site.deploy("plan")[0] == 0


def test_destroy_takes_what_was_dropped_along_before_the_roles_that_it_needs(site: Edited) -> None:
    site.apply()
    site.build(github__repository="example/other")
    assert site.deploy("plan")[0] == 3
    (site.dist / "dev" / "plan.json").unlink()  # somebody else's, as far as this machine knows
    site.apply(basic_auth__enabled=False, github__repository="example/web", price_class="PriceClass_200")
    waiting = [
        each
        for name in stacks(site, "eu-west-1")
        for each in site.client("cloudformation", "eu-west-1").list_change_sets(StackName=name)["Summaries"]
    ]
    assert [each["ChangeSetName"] for each in waiting if each["ExecutionStatus"] == "AVAILABLE"] == []

    code, told = site.deploy("destroy", "--dry-run")
    assert code == 3, told
    order = [told.index(f"kimmyai-web-dev-{name} (") for name in ("site", "edge-logs", "foundation")]
    assert order == sorted(order), told
    assert told.index("kimmyai-web-dev-site (") < told.index("kimmyai-web-dev-edge (") < order[-1], told
    code, told = site.deploy("destroy", "--approve", "dev")
    assert code == 0, told
    assert (stacks(site), stacks(site, "eu-west-1"), sets(site)) == (set(), set(), [])


def test_another_bucket_is_refused_while_the_old_one_has_the_content(site: Edited) -> None:
    site.apply()
    old, new = f"site-{site.account}", f"site-two-{site.account}"
    site.client("s3", "eu-west-1").put_object(Bucket=old, Key="index.html", Body=b"<html>")
    site.build(bucket=new)
    code, review = site.deploy("plan")
    assert code == 1, review
    assert review.index("VISITORS GET ERRORS") < review.index("DATA AT RISK"), review
    assert f"reads from {new} instead of {old}, which holds the content and is kept" in review
    assert f"HOLDS DATA: {old}, is kept" in review

    content = site.dist / "web"
    content.mkdir()
    (content / "index.html").write_text("<html>new</html>")
    code, review = site.deploy("plan", "--interrupt-site", "--content", str(content))
    assert code == 3, review
    assert "VISITORS GET ERRORS" in review
    code, told = site.deploy("apply", *site.approval())
    assert code == 0, told
    served = site.client("s3", "eu-west-1").get_object(Bucket=new, Key="index.html")["Body"].read()
    assert served == b"<html>new</html>"


def test_a_replica_that_was_turned_off_and_removed_can_be_turned_on_again(site: Edited) -> None:
    """The runbook "replica-behind", where the replica itself is gone. Its buckets were kept, and the second apply takes them back."""
    recovery = {"region": "eu-west-2", "bucket": f"site-{site.account}-replica"}
    site.apply(disaster_recovery=recovery)
    site.apply(disaster_recovery=None)
    code, review = site.deploy("plan", "--remove")
    assert code == 3, review
    code, told = site.deploy("apply", *site.approval())
    assert code == 0, told
    assert "kimmyai-web-dev-replica" not in stacks(site, "eu-west-2")
    site.apply(disaster_recovery=recovery)
    assert "kimmyai-web-dev-replica" in stacks(site, "eu-west-2")
    code, told = site.deploy("dr", "status")
    assert code == 0, told
