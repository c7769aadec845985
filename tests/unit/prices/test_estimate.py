"""A month at list prices: every type that the platform makes is known, every price has a source and a date."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from prices import table
from prices.estimate import Estimate, Usage, estimate, free_tier

TEMPLATES = Path(__file__).resolve().parents[2] / "golden" / "templates"


def of(environment: str, usage: Usage | None = None) -> Estimate:
    folder = TEMPLATES / environment
    files = {path.name.partition(".")[0]: json.loads(path.read_text()) for path in folder.glob("*.template.json")}
    stacks: dict[str, Any] = {name: template["Resources"] for name, template in files.items()}
    return estimate(stacks, usage or Usage())


@pytest.mark.parametrize("environment", ["dev", "sit", "prod", "organization"])
def test_every_type_that_the_platform_makes_is_priced_or_free(environment: str) -> None:
    assert of(environment).unpriced == ()


def test_what_the_table_does_not_know_is_named() -> None:
    assert estimate({"own": {"Db": {"Type": "AWS::RDS::DBInstance"}}}, Usage()).unpriced == ("AWS::RDS::DBInstance",)


def test_usage_counts_and_nothing_is_negative() -> None:
    quiet, busy = of("prod", Usage(requests=0, gigabytes=0)), of("prod", Usage(requests=50_000_000, gigabytes=2000))
    assert 0 < quiet.usd < busy.usd
    assert all(line.usd >= 0 for line in busy.lines)
    assert 0 < free_tier(busy) < busy.usd
    assert free_tier(quiet) == 0


def test_more_of_the_world_costs_more() -> None:
    def priced(price_class: str) -> float:
        config = {"DistributionConfig": {"PriceClass": price_class, "DefaultCacheBehavior": {}}}
        return estimate({"site": {"D": {"Type": "AWS::CloudFront::Distribution", "Properties": config}}}, Usage()).usd

    assert priced("PriceClass_100") < priced("PriceClass_200") < priced("PriceClass_All")


def test_every_price_says_where_it_is_from_and_when() -> None:
    assert len(table.ALL) > 25
    for price in table.ALL:
        assert price.source.startswith("https://")
        assert not table.is_old(date.fromisoformat(price.as_of), price)
        assert table.is_old(date.fromisoformat(price.as_of) + timedelta(days=366), price)
