"""Templates to site: what every environment means, what a change by hand means, and what is named because it is not imitated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly import files
from assembly.files import AssemblyError
from preview import source
from preview.access import ANONYMOUS, CLOUDFRONT, decide
from preview.interpreter.site import InterpretError, interpret
from templates.policies import statements
from tests.environments_fixture import RECOVERY
from tests.unit.preview.site import HOSTS, built, distribution, site

FIREWALL = ("firewall.template.json: WebAcl: AWS::WAFv2::WebACL is not imitated",)


@pytest.mark.parametrize("name", ["dev", "sit", "prod"])
def test_every_environment_is_imitated_whole(name: str) -> None:
    found = site(name)
    firewall = FIREWALL if name == "prod" else ()
    assert found.notes == firewall, "nothing else of our own templates may be left out"
    (one,) = found.distributions
    assert one.aliases == (HOSTS[name],)
    assert one.certificate_names == ("kimmyai.io", "*.kimmyai.io")
    assert [behavior.pattern for behavior in one.behaviors] == ["assets/*", "*"]
    assert [behavior.cache_policy.name for behavior in one.behaviors] == ["Managed-CachingOptimized", f"kimmyai-web-{name}-pages"]
    (function,) = found.functions
    assert (function.kind, function.broken) == ("cloudfront" if name == "prod" else "lambda", "")
    assert ("$scrypt$" in function.code) == (name != "prod")
    (origin,) = one.origins.values()
    assert origin.signed
    assert origin.bucket is not None
    assert origin.bucket.policy


def test_a_site_with_disaster_recovery_has_both_origins_and_their_policies() -> None:
    found = site("prod", RECOVERY)
    (one,) = found.distributions
    assert found.notes == FIREWALL
    assert [(group.members, group.codes) for group in one.groups.values()] == [(("site", "replica"), (403, 500, 502, 503, 504))]
    replica = one.origins["replica"].bucket
    assert replica is not None
    assert replica.policy, "the policy of the replica stands in another stack"


def _add(path: str, value: Any) -> Any:
    return distribution(lambda config: _put(config, path.split("."), value))


def _put(config: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        config = config[int(key)] if isinstance(config, list) else config[key]
    config[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "note"),
    [
        ("WebACLId", "arn:aws:wafv2:us-east-1:1:global/webacl/x/1", "WebACLId is not imitated"),
        ("Logging", {"Bucket": "b"}, "Logging is not imitated"),
        ("Restrictions", {"GeoRestriction": {"RestrictionType": "whitelist"}}, "Restrictions is not imitated"),
        ("DefaultCacheBehavior.TrustedKeyGroups", ["k"], "behavior * (default): TrustedKeyGroups is not imitated"),
        ("DefaultCacheBehavior.OriginRequestPolicyId", "p", "OriginRequestPolicyId is not imitated"),
        ("DefaultCacheBehavior.CachePolicyId", "no-such-policy", "neither in a template nor a managed one"),
        ("DefaultCacheBehavior.ResponseHeadersPolicyId", "no-such-policy", "is in no template and is not imitated"),
        ("DefaultCacheBehavior.TargetOriginId", "gone", "refers to origin 'gone', which is not there"),
        ("Origins.0.OriginShield", {"Enabled": True}, "origin site: OriginShield is not imitated"),
        ("Origins.0.DomainName", "api.example.com", "api.example.com is no bucket of these templates"),
        ("Origins.0.OriginAccessControlId", "gone", "requests go unsigned"),
        ("Enabled", False, "is not enabled"),
        ("Aliases", ["shop.example.com"], "is on no name of the certificate"),
        ("Aliases", ["a.dev.kimmyai.io"], "is on no name of the certificate"),
    ],
)
def test_what_is_found_and_not_imitated_is_named(path: str, value: Any, note: str) -> None:
    notes = site("dev", site=_add(path, value)).notes
    assert any(note in found and found.startswith("site.template.json: Distribution") for found in notes), notes


def test_a_firewall_and_other_cloudfront_resources_are_named() -> None:
    def edit(template: dict[str, Any]) -> None:
        template["Resources"]["Wall"] = {"Type": "AWS::WAFv2::WebACL", "Properties": {}}
        template["Resources"]["Keys"] = {"Type": "AWS::CloudFront::KeyValueStore", "Properties": {"Name": "k"}}

    assert set(site("prod", site=edit).notes) == {
        "site.template.json: Keys: AWS::CloudFront::KeyValueStore is not imitated",
        "site.template.json: Wall: AWS::WAFv2::WebACL is not imitated",
        *FIREWALL,
    }


@pytest.mark.parametrize(
    ("arn", "note"),
    [
        ({"Fn::Sub": "arn:aws:lambda:us-east-1:${AWS::AccountId}:function:kimmyai-web-dev-basic-auth"}, "is not a numbered version"),
        (
            {"Fn::Sub": "arn:aws:lambda:us-east-1:${AWS::AccountId}:function:kimmyai-web-dev-basic-auth:$LATEST"},
            "is not a numbered version",
        ),
        (
            "arn:aws:lambda:us-east-1:111111111111:function:other:1",
            "no template makes arn:aws:lambda:us-east-1:111111111111:function:other:1",
        ),
    ],
)
def test_an_association_that_cloudfront_would_refuse_is_named(arn: Any, note: str) -> None:
    association = [{"EventType": "viewer-request", "LambdaFunctionARN": arn}]
    notes = site("dev", site=_add("DefaultCacheBehavior.LambdaFunctionAssociations", association)).notes
    assert any(note in found for found in notes), notes


def test_both_kinds_of_function_on_viewer_events_are_named() -> None:
    association = [{"EventType": "viewer-response", "LambdaFunctionARN": "arn:aws:lambda:us-east-1:1:function:f:1"}]
    notes = site("prod", site=_add("DefaultCacheBehavior.LambdaFunctionAssociations", association)).notes
    assert any("CloudFront refuses the mix" in note for note in notes), notes


def test_a_secret_that_is_not_given_leaves_the_function_broken_and_says_so() -> None:
    found = interpret(built("dev"), {})
    assert "its code is not inline in the template, or holds a value that is not known" in found.functions[0].broken
    assert any("every request answers 503" in note for note in found.notes)


def test_templates_without_a_distribution_are_refused() -> None:
    def edit(template: dict[str, Any]) -> None:
        del template["Resources"]["Distribution"]

    with pytest.raises(InterpretError, match="no template has an AWS::CloudFront::Distribution"):
        site("dev", site=edit)


# --- reading ------------------------------------------------------------------------------------------------------


def _written(directory: Path) -> Path:
    found = built("dev")
    assembly = found.assembly
    from stacks.synthesis import synthesise
    from tests.environments_fixture import environments

    data = synthesise(environments()["dev"]).templates
    templates = {stack.template.file: data[stack.id] for stack in assembly.stacks}
    files.write(directory / "dev", files.files_of(assembly, templates))
    return directory / "dev"


def test_an_assembly_as_built_is_read_without_a_remark(tmp_path: Path) -> None:
    found = source.read(_written(tmp_path))
    assert found.notes == ()
    assert set(found.templates) == {stack.id for stack in found.assembly.stacks}


def test_a_template_changed_by_hand_is_read_and_named(tmp_path: Path) -> None:
    directory = _written(tmp_path)
    path = directory / "site.template.json"
    document = json.loads(path.read_text())
    document["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["DefaultRootObject"] = "start.html"
    path.write_text(json.dumps(document))
    found = source.read(directory)
    assert [note for note in found.notes if str(path) in note]
    assert interpret(found, {}).distributions[0].default_root_object == "start.html"


def test_everything_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    directory = _written(tmp_path)
    (directory / "site.template.json").write_text("{")
    (directory / "dns.template.json").unlink()
    (directory / "edge.template.json").write_text("[]")
    with pytest.raises(AssemblyError) as raised:
        source.read(directory)
    assert [problem.rpartition("/")[2].partition(":")[0] for problem in raised.value.problems] == [
        "edge.template.json",
        "site.template.json",
        "dns.template.json",
    ]


@pytest.mark.parametrize("text", ["", "{}", '{"format": 99}', "null"])
def test_a_manifest_that_is_none_is_refused_with_the_next_command(tmp_path: Path, text: str) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "assembly.json").write_text(text)
    with pytest.raises(AssemblyError) as caught:
        source.read(tmp_path / "dev")
    assert caught.value.command == "python build.py --env dev"


# --- bucket policies ------------------------------------------------------------------------------------------------

ARN = "arn:aws:cloudfront::111111111111:distribution/EXAMPLE"
OBJECT = "arn:aws:s3:::bucket/key"


def _policy(*raw: dict[str, Any]) -> Any:
    return statements({"Version": "2012-10-17", "Statement": list(raw)})


ALLOW = {
    "Sid": "Read",
    "Effect": "Allow",
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::bucket/*",
    "Condition": {"StringEquals": {"AWS:SourceArn": ARN}},
}
DENY = {
    "Sid": "Tls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::bucket/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.mark.parametrize(
    ("policy", "principal", "action", "context", "allowed"),
    [
        ((ALLOW, DENY), CLOUDFRONT, "s3:GetObject", {"aws:sourcearn": ARN, "aws:securetransport": "true"}, True),
        ((ALLOW, DENY), CLOUDFRONT, "s3:GetObject", {"aws:sourcearn": ARN, "aws:securetransport": "false"}, False),
        ((ALLOW,), CLOUDFRONT, "s3:GetObject", {"aws:sourcearn": ARN + "2"}, False),
        ((ALLOW,), CLOUDFRONT, "s3:GetObject", {}, False),
        ((ALLOW,), ANONYMOUS, "s3:GetObject", {"aws:sourcearn": ARN}, False),
        ((ALLOW,), CLOUDFRONT, "s3:PutObject", {"aws:sourcearn": ARN}, False),
        (
            ({**ALLOW, "Condition": {"StringLike": {"aws:sourcearn": "arn:aws:cloudfront::111111111111:*"}}},),
            CLOUDFRONT,
            "s3:GetObject",
            {"aws:sourcearn": ARN},
            True,
        ),
        (({**ALLOW, "Condition": {"NumericLessThan": {"x": "1"}}},), CLOUDFRONT, "s3:GetObject", {}, False),
        ((ALLOW, {**DENY, "Condition": {"NumericLessThan": {"x": "1"}}}), CLOUDFRONT, "s3:GetObject", {"aws:sourcearn": ARN}, False),
        (({**ALLOW, "Condition": {"StringEqualsIfExists": {"AWS:SourceArn": ARN}}},), CLOUDFRONT, "s3:GetObject", {}, True),
        (({**ALLOW, "Condition": {"StringNotEquals": {"AWS:SourceArn": ARN}}},), CLOUDFRONT, "s3:GetObject", {"aws:sourcearn": ARN}, False),
        (({**ALLOW, "Principal": "*", "Condition": {}},), ANONYMOUS, "s3:GetObject", {}, True),
    ],
)
def test_bucket_policies(policy: tuple[dict[str, Any], ...], principal: str, action: str, context: dict[str, str], allowed: bool) -> None:
    assert decide(_policy(*policy), principal, action, OBJECT, context).allowed is allowed


def test_without_a_policy_nothing_is_allowed() -> None:
    assert not decide(None, CLOUDFRONT, "s3:GetObject", OBJECT, {}).allowed


@given(st.permutations([ALLOW, DENY, {**ALLOW, "Sid": "Again"}]), st.sampled_from(["true", "false"]))
def test_the_order_of_statements_does_not_matter(policy: list[dict[str, Any]], transport: str) -> None:
    context = {"aws:sourcearn": ARN, "aws:securetransport": transport}
    assert decide(_policy(*policy), CLOUDFRONT, "s3:GetObject", OBJECT, context).allowed is (transport == "true")
