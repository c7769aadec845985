"""What the templates say of pages at the edge: how long they stay, how errors look, which names and paths lead elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assembly.error_pages import STYLE_SOURCE
from stacks import headers
from stacks.edge_code import EdgeCodeError
from stacks.synthesis import synthesise
from tests.environments_fixture import changed, environments

PROD = environments()["prod"]


def only(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of the one resource of a type."""
    (found,) = (resource["Properties"] for resource in body["Resources"].values() if resource["Type"] == kind)
    properties: dict[str, Any] = found
    return properties


def test_the_objects_own_cache_control_decides_how_long_a_page_stays_at_the_edge() -> None:
    config = only(json.loads(synthesise(PROD).templates["site"]), "AWS::CloudFront::CachePolicy")["CachePolicyConfig"]
    assert (config["MinTTL"], config["DefaultTTL"], config["MaxTTL"]) == (0, 0, 31_536_000)
    key = config["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["EnableAcceptEncodingBrotli"] is key["EnableAcceptEncodingGzip"] is True
    assert [key[f"{part}Config"] for part in ("Headers", "Cookies", "QueryStrings")] == [
        {"HeaderBehavior": "none"},
        {"CookieBehavior": "none"},
        {"QueryStringBehavior": "none"},
    ]


@pytest.mark.parametrize(
    ("host", "names"),
    [("www.kimmyai.io", ["*.kimmyai.io"]), ("www.shop.kimmyai.io", ["*.kimmyai.io", "www.shop.kimmyai.io"])],
)
def test_a_redirect_host_is_an_alias_a_certificate_name_records_and_a_redirect(host: str, names: list[str]) -> None:
    env = changed(PROD, {"redirect_hosts": [host]})
    made = synthesise(env)
    bodies = {stack: json.loads(body) for stack, body in made.templates.items()}
    config = only(bodies["site"], "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["Aliases"] == ["kimmyai.io", host]
    certificate = only(bodies["certificate"], "AWS::CertificateManager::Certificate")
    assert (certificate["DomainName"], certificate["SubjectAlternativeNames"]) == ("kimmyai.io", names)
    records = [r["Properties"] for r in bodies["dns"]["Resources"].values() if r["Type"] == "AWS::Route53::RecordSet"]
    assert sorted(r["Type"] for r in records if r["Name"] == host) == ["A", "AAAA", "HTTPS"]
    assert host in json.dumps(bodies["foundation"]), "CloudFormation may write its records"
    code = only(bodies["site"], "AWS::CloudFront::Function")["FunctionCode"]
    assert f'"redirectHosts": ["{host}"]' in code
    assert made.assembly.site.routing is not None and made.assembly.site.routing.redirect_hosts == (host,)


def test_a_table_of_redirects_that_the_edge_does_not_take_is_refused_at_build() -> None:
    table = [{"path": f"/old/{number}/{'x' * 60}", "to": f"/buy/{number}", "status": 301} for number in range(150)]
    with pytest.raises(EdgeCodeError, match=r"the CloudFront Function has .* 10,240 are allowed"):
        synthesise(changed(PROD, {"redirects": table}))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("default-src 'self'; style-src 'self'", f"default-src 'self'; style-src 'self' {STYLE_SOURCE}"),
        ("style-src 'self'; style-src-elem x.example", f"style-src 'self'; style-src-elem x.example {STYLE_SOURCE}"),
        ("default-src 'self'", "default-src 'self'"),
        ("style-src 'none'", "style-src 'none'"),
        ("style-src 'self' 'unsafe-inline'", "style-src 'self' 'unsafe-inline'"),
        ("style-src 'self'; img-src " + "x" * 1740, "style-src 'self'; img-src " + "x" * 1740),
    ],
)
def test_the_style_of_the_error_pages_passes_the_policy_only_where_that_loosens_nothing_else(given: str, wanted: str) -> None:
    env = changed(PROD, {"security_headers": {"content_security_policy": given}})
    assert headers.content_security_policy(env) == wanted
