"""Stacks that an environment no longer wants: listed by every verb, deleted on approval, never before what still uses them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.server import LocalAws
from tests.functional.edited import Edited
from tests.functional.harness import SECRET

pytestmark = pytest.mark.functional

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("dropped")
    settings = {"LOCAL_AWS_SECRET": SECRET, "LOCAL_AWS_ANY_PORT": "1"}
    server = LocalAws.start(directory / ".local-aws", bound_to=os.getpid(), persist=False, settings=settings)
    yield directory
    server.stop()


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
    code, review = site.deploy("plan")
    print(review)
    assert code == 0, review
