"""What a plan means, one line each, in every form of the review."""

from __future__ import annotations

from typing import get_args

import pytest

from consequences.model import (
    Consequences,
    CostDifference,
    Duration,
    PostureChange,
    PostureKind,
    StackDuration,
    VisitorEffect,
    VisitorKind,
)
from planning.model import Plan
from review import as_json, html, markdown, meaning_view, terminal
from tests.golden_files import assert_golden
from tests.unit.review.test_review import plan_of, stack, without_assets

SITE = StackDuration(stack="site", seconds=320.0, source="documented", because="AWS::CloudFront::Distribution")
HOSTILE = "a\n\x1b[31mnext: rm -rf /\u202e<script>@everyone`"


def plan(**more: object) -> Plan:
    given = {
        "duration": Duration(seconds=322.0, stacks=(StackDuration(stack="edge", seconds=2.0, source="history"), SITE), source="mixed"),
        **more,
    }
    return plan_of(stack("edge", "update"), stack("site", "update"), consequences=Consequences(**given))  # type: ignore[arg-type]


def effect(kind: VisitorKind, before: str = "", after: str = "", *, certain: bool = True) -> VisitorEffect:
    return VisitorEffect(stack="site", logical_id="Distribution", kind=kind, certain=certain, before=before, after=after)


def change(kind: PostureKind, subject: str, before: str = "", after: str = "") -> PostureChange:
    return PostureChange(stack="site", logical_id="It", resource_type="AWS::X::Y", kind=kind, subject=subject, before=before, after=after)


MUCH = plan(
    visitors=(
        effect("authentication_off", after="*, assets/*"),
        effect("dns_changed", before="a.example A"),
        effect("dns_changed", before="a.example AAAA"),
        effect("edge_locations_changed", "PriceClass_100", "PriceClass_200", certain=False),
    ),
    posture=(
        change("authentication_off", "*", "asked", "open to everybody"),
        change("authentication_off", "assets/*", "asked", "open to everybody"),
        change("tls_lowered", "MinimumProtocolVersion", "TLSv1.2_2021", "TLSv1.2_2018"),
        change("indexing_on", "X-Robots-Tag", "noindex"),
        change("retention_shortened", "objects", "90 days", "30 days"),
        change("csp_loosened", "script-src", "'self'", "*"),
    ),
    cost=CostDifference(before=15.06, after=14.41, requests=1_000_000, gigabytes=50.0, as_of="2026-11-27"),
)
LITTLE = plan(cost=CostDifference(before=15.06, after=15.06, requests=1_000_000, gigabytes=50.0, as_of="2026-11-27"))


@pytest.mark.parametrize(("name", "of"), [("meaning", MUCH), ("meaning-little", LITTLE)])
def test_golden_texts(name: str, of: Plan) -> None:
    assert_golden(f"review/{name}.txt", terminal.render(of, width=120))
    assert_golden(f"review/{name}.md", markdown.render(of))
    assert_golden(f"review/{name}.html", without_assets(html.render(of)))
    assert_golden(f"review/{name}.json", as_json.render(of))


@pytest.mark.parametrize("kind", get_args(VisitorKind))
def test_every_effect_on_visitors_has_words(kind: VisitorKind) -> None:
    assert "{" not in meaning_view.visitor_text(effect(kind, "one", "other"))
    assert meaning_view.visitor_text(effect(kind, certain=False)).startswith("perhaps: ")


@pytest.mark.parametrize("kind", get_args(PostureKind))
def test_every_loss_of_defence_has_words(kind: PostureKind) -> None:
    assert "{" not in meaning_view.posture_text(change(kind, "it", "one", "other"))


def test_a_plan_that_changes_nothing_says_nothing_of_it() -> None:
    nothing = plan_of(stack("site", "none"))
    assert list(meaning_view.lines(nothing)) == []
    assert "visitors" not in terminal.render(nothing)


@pytest.mark.attack
def test_words_of_others_stay_in_their_line() -> None:
    told = plan(visitors=(effect("name_removed", HOSTILE),), posture=(change("header_removed", HOSTILE, HOSTILE),))
    text = terminal.render(told, width=200)
    assert "\x1b" not in text and "\u202e" not in text
    assert [line for line in text.split("\n") if line.startswith("next: rm")] == []
    assert "<script>" not in markdown.render(told) and "<script>@" not in html.render(told)
    assert "@everyone" not in markdown.render(told)
