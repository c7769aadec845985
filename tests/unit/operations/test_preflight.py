"""What a verb needs is asked of IAM before it begins, and only a clear no stops it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from assembly.model import Assembly
from cli.parser import verbs
from operations.preflight import Account, account_of, missing, needs, principal_of, site_bucket
from stacks.synthesis import synthesise
from tests.environments_fixture import changed, environments

BUILT = synthesise(environments()["dev"])
ASSEMBLY = BUILT.assembly
RECOVERABLE = synthesise(
    changed(environments()["dev"], {"disaster_recovery": {"region": "eu-west-2", "bucket": "dev-kimmyai-web-public-replica"}})
)
DEPLOYER = "arn:aws:sts::111111111111:assumed-role/kimmyai-web-dev-deploy/workflow"
ROLE = "arn:aws:iam::111111111111:role/kimmyai-web-dev-deploy"
READING = {"cost", "drift", "graph", "history", "logs", "outputs", "password", "preview", "releases", "runbook", "status"}
# `local` calls no AWS. `approve` writes where the caller's own id stands, which the simulation is not told; and who may approve may not
# ask it.
UNASKED = {"approve", "local"}


@dataclass
class Iam:
    """Denies some actions, or does not answer."""

    denies: tuple[str, ...] = ()
    answers: bool = True
    asked: list[tuple[str, str, tuple[str, ...], Mapping[str, str]]] = field(default_factory=list)

    def denied(self, principal: str, resource: str, actions: tuple[str, ...], context: Mapping[str, str]) -> tuple[str, ...] | None:
        self.asked.append((principal, resource, actions, context))
        return tuple(action for action in actions if action in self.denies) if self.answers else None


def account(**options: Any) -> Account:
    return Account(ASSEMBLY, site_bucket(BUILT.templates), options)


def recoverable(**options: Any) -> Account:
    """With disaster recovery."""
    return account_of(RECOVERABLE.assembly, RECOVERABLE.templates, options)


SUB_VERBS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"action": "status"}, set()),
    ({"action": "rehearse", "dry_run": True}, set()),
    ({"action": "promote", "dry_run": True}, set()),
    ({"action": "backfill"}, {"PutObject replica", "PutItem locks"}),
    ({"action": "rehearse", "end": True}, {"PutBucketPolicy site", "PutItem locks"}),
    (
        {"action": "rehearse"},
        {
            *("PutBucketPolicy site", "PutItem locks", "PutObject replica", "DeleteObject replica", "PutObject artifacts"),
            "CreateInvalidation distribution",
        },
    ),
    ({"action": "promote"}, {"PutBucketPolicy replica", "PutObject standby", "UpdateDistribution distribution"}),
    (
        {"action": "promote", "planned": True},
        {"PutBucketPolicy replica", "PutObject standby", "UpdateDistribution distribution", "PutObject replica", "PutItem locks"},
    ),
    (
        {"action": "failback"},
        {
            *("PutBucketPolicy replica", "PutObject standby", "UpdateDistribution distribution", "PutObject site"),
            *("PutObject replica", "PutObject artifacts", "PutItem locks"),
        },
    ),
)


@pytest.mark.parametrize(("options", "wanted"), SUB_VERBS, ids=lambda each: "-".join(map(str, each)) if isinstance(each, dict) else "")
def test_each_sub_verb_of_disaster_recovery_asks_for_what_it_changes(options: dict[str, Any], wanted: set[str]) -> None:
    names = {
        "arn:aws:s3:::dev-kimmyai-web-public": "site",
        "arn:aws:s3:::dev-kimmyai-web-public-replica": "replica",
        "arn:aws:s3:::bbws-dev-web-artifacts": "artifacts",
        "arn:aws:s3:::bbws-dev-web-artifacts-eu-west-2": "standby",
    }
    asked = set()
    for need in needs("dr", recoverable(**options)):
        place = need.resource.partition("/")[0]
        name = names.get(place) or ("locks" if ":table" in place else place.rpartition(":")[2])
        asked |= {f"{action.partition(':')[2]} {name}" for action in need.actions}
    assert asked >= wanted
    assert {each for each in asked if each.startswith(("Put", "Delete", "Update", "Create"))} - wanted <= {
        "UpdateItem locks",
        "DeleteItem locks",
    }


def test_every_verb_that_changes_anything_asks_and_no_other() -> None:
    options = {"fix": True, "plan": True, "lock_id": "x", "delete_data": True, "record": True, "action": "rehearse"}
    asking = {verb for verb in verbs(("verbs",)) if needs(verb, recoverable(**options))}
    assert asking == set(verbs(("verbs",))) - READING - UNASKED


@pytest.mark.parametrize("verb", ["doctor", "dr", "unlock", "verify"])
def test_a_verb_that_only_looks_without_its_option_asks_nothing(verb: str) -> None:
    assert needs(verb, account()) == ()


def test_a_dry_run_asks_nothing() -> None:
    assert needs("destroy", account(dry_run=True)) == needs("prune", account(dry_run=True)) == ()


def test_what_is_denied_is_named_with_its_resource() -> None:
    iam = Iam(denies=("s3:PutObject",))
    found = missing("publish", account(), DEPLOYER, lambda: iam)
    assert found == [
        f"{ROLE} may not s3:PutObject on arn:aws:s3:::bbws-dev-web-artifacts/preflight",
        f"{ROLE} may not s3:PutObject on arn:aws:s3:::dev-kimmyai-web-public/preflight",
    ]
    assert {principal for principal, *_ in iam.asked} == {ROLE}


def test_a_role_is_passed_to_cloudformation() -> None:
    iam = Iam()
    assert missing("plan", account(), DEPLOYER, lambda: iam) == []
    passed = [(resource, context) for _, resource, actions, context in iam.asked if actions == ("iam:PassRole",)]
    service_role = "arn:aws:iam::111111111111:role/kimmyai-web-dev-cloudformation"
    assert passed == [(service_role, {"iam:PassedToService": "cloudformation.amazonaws.com"})]


def test_no_answer_is_no_refusal() -> None:
    iam = Iam(answers=False)
    assert missing("destroy", account(), DEPLOYER, lambda: iam) == []
    assert len(iam.asked) == 1


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        (DEPLOYER, ROLE),
        ("arn:aws:sts::999999999999:assumed-role/ci/run", ROLE),
        ("arn:aws:iam::111111111111:user/people/anna", "arn:aws:iam::111111111111:user/people/anna"),
        ("arn:aws:iam::111111111111:root", None),
        ("arn:aws:sts::111111111111:federated-user/anna", None),
        ("nobody", None),
    ],
)
def test_whose_policies_count(caller: str, principal: str | None) -> None:
    assert principal_of(ASSEMBLY, caller) == principal
    if principal is None:
        assert missing("destroy", account(), caller, lambda: pytest.fail("nobody is asked")) == []


def test_destroy_asks_for_every_stack_of_the_account() -> None:
    asked = [need for need in needs("destroy", account(lift_termination_protection=True)) if "cloudformation:DeleteStack" in need.actions]
    assert [need.resource.split("/")[1] for need in asked] == [s.stack_name for s in plain(ASSEMBLY)]
    assert all("cloudformation:UpdateTerminationProtection" in need.actions for need in asked)


def plain(assembly: Assembly) -> list[Any]:
    return [stack for stack in assembly.stacks if stack.kind == "stack"]
