"""A value that stands in for an output is made of the parameter's own pattern where no known one fits."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.model import LiteralValue, OutputRef
from stacks.catalogue import Entry, entries
from stacks.synthesis import SynthesisError, synthesise
from stacks.template import StackTemplate
from templates.placeholders import accepts, placeholder
from tests.environments_fixture import environments

PATTERNS = (
    r"^arn:aws:wafv2:[a-z0-9-]+:[0-9]{12}:global/webacl/.+$",
    r"^arn:...:webacl/.+$",
    r"^[a-z]{3}-\d{2,5}$",
    r"^(alpha|beta)/[^/]+$",
    r"^vpc-[0-9a-f]{8}([0-9a-f]{9})?$",
    r"[A-Z]{20,}",
    r"(?!xx)[a-z]+",
)


def made(declaration: dict[str, object], reference: str = "firewall.WebAclArn") -> str | None:
    return placeholder(
        reference, {"Fn::GetAtt": ["Acl", "Arn"]}, {"Acl": "AWS::X::Y"}, declaration, account_id="1" * 12, region="us-east-1"
    )


@pytest.mark.parametrize("pattern", PATTERNS)
def test_unusual_patterns(pattern: str) -> None:
    value = made({"Type": "String", "AllowedPattern": pattern})
    assert value is not None and re.fullmatch(pattern, value)
    assert value == made({"Type": "String", "AllowedPattern": pattern}), "two plans of the same thing are alike"
    assert all(" " < character <= "~" for character in value)


@given(st.sampled_from(PATTERNS), st.integers(1, 40), st.integers(0, 100))
@settings(deadline=None, max_examples=60)
def test_what_is_made_is_accepted(pattern: str, low: int, more: int) -> None:
    declaration = {"Type": "String", "AllowedPattern": pattern, "MinLength": low, "MaxLength": low + more}
    value = made(declaration)
    assert value is None or accepts(declaration, value)


@pytest.mark.parametrize("declaration", [{"AllowedPattern": "^a$", "MinLength": 2}, {"AllowedPattern": "("}, {"AllowedPattern": "(?!)"}])
def test_what_nothing_fits(declaration: dict[str, object]) -> None:
    assert made({"Type": "String", **declaration}) is None


def catalogue(declaration: dict[str, object], *, literal: str = "") -> tuple[Entry, ...]:
    """The environment's stacks, and one that takes an output (or a literal) with that declaration."""

    def build(env: object) -> StackTemplate:
        from troposphere import Output, Parameter, Ref, sns

        template = StackTemplate(environments()["dev"], "own", "a stack of one's own")
        template.add_parameter(Parameter("Given", Type="String", Description="given", **declaration))
        topic = template.add(sns.Topic("Topic", DisplayName=Ref("Given")))
        template.add_output(Output("Arn", Description="ARN", Value=Ref(topic)))
        return template

    found = entries(environments()["dev"])
    source = LiteralValue(value=literal) if literal else OutputRef(stack="site", output="DistributionId")
    return (*found, replace(found[-1], id="own", build=build, inputs=(("Given", source),), depends_on=(), stackset=None))


def test_the_build_refuses_what_no_plan_could_give() -> None:
    env = environments()["dev"]
    assert synthesise(env, lambda _: catalogue({"AllowedPattern": r"^E[A-Z0-9]+$"}))
    assert synthesise(env, lambda _: catalogue({"AllowedPattern": r"^x{40}.+$"})), "made of the pattern"
    with pytest.raises(SynthesisError, match=r"accepts no value that could stand for site\.DistributionId"):
        synthesise(env, lambda _: catalogue({"AllowedPattern": "^a$", "MinLength": 2}))
    with pytest.raises(SynthesisError, match="parameter Given does not accept 'abc'"):
        synthesise(env, lambda _: catalogue({"AllowedPattern": "^[0-9]+$"}, literal="abc"))
