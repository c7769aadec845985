"""An environment without a file: where it is looked for, and that nothing is guessed."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Any

import msgspec

from session.recovered import buckets_of, places
from tests.unit.cli.test_plan_verb import small


@dataclass
class Stack:
    outputs: dict[str, str]


@dataclass
class Gateways:
    """Foundation stacks by (region, name)."""

    stacks: dict[tuple[str, str], Stack]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def cloudformation(self, account_id: str, region: str, role_arn: str | None) -> Any:
        assert (account_id, role_arn) == ("111122223333", None)
        asked, stacks = self.asked, self.stacks

        class Gateway:
            def describe_stack(self, name: str) -> Stack | None:
                asked.append((region, name))
                return stacks.get((region, name))

        return Gateway()


def gateways_of(stacks: dict[tuple[str, str], Stack]) -> Any:
    return Gateways(stacks)


def args(**more: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"env": "qa2", "region": None, "artifact_bucket": None, "account": None, **more})


def known(*regions: str) -> Any:
    assembly, _ = small()
    return tuple(msgspec.structs.replace(assembly, home_region=region, project="web") for region in regions)


def test_every_home_region_of_what_is_built_is_looked_at() -> None:
    gateways: Any = Gateways({("eu-west-1", "web-qa2-foundation"): Stack({"ArtifactBucketName": "qa2-artifacts"})})
    ((bucket, place),) = buckets_of(args(), gateways, "111122223333", known("af-south-1", "eu-west-1", "eu-west-1"))
    assert (bucket, place.region) == ("qa2-artifacts", "eu-west-1")
    assert gateways.asked == [("af-south-1", "web-qa2-foundation"), ("eu-west-1", "web-qa2-foundation")]


def test_two_of_that_name_are_two_answers() -> None:
    stacks = {(r, "web-qa2-foundation"): Stack({"ArtifactBucketName": f"qa2-{r}"}) for r in ("af-south-1", "eu-west-1")}
    assert len(list(buckets_of(args(), gateways_of(stacks), "111122223333", known("af-south-1", "eu-west-1")))) == 2
    assert len(list(buckets_of(args(region="eu-west-1"), gateways_of(stacks), "111122223333", known("af-south-1", "eu-west-1")))) == 1


def test_nothing_built_is_nowhere_to_look() -> None:
    assert places((), "111122223333", None) == ()
