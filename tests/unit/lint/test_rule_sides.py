"""Rules of CloudFront, of the edge and of IAM over one resource: the smallest thing that each refuses beside the nearest that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from lint.rules import cdn, code, edge, iam
from lint.rules.base import Rule
from templates.view import View

DISTRIBUTION, ROLE, BUCKET = "AWS::CloudFront::Distribution", "AWS::IAM::Role", "AWS::S3::Bucket"
GONE, IMPORTED = {"Ref": "AWS::NoValue"}, {"Fn::ImportValue": "x"}
ANY = {"Ref": "ANY"}
"""A parameter that can be a, /a or A."""
S3 = "b.s3.eu-west-1.amazonaws.com"
EDGE_ARN = "arn:aws:lambda:us-east-1:123456789012:function:edge"


def told(rule: type[Rule], *regions: str, **resources: dict[str, Any]) -> list[str]:
    """Paths below the resources."""
    return [path for path, _ in said(rule, *regions, **resources)]


def said(rule: type[Rule], *regions: str, **resources: dict[str, Any]) -> list[tuple[str, str]]:
    """Paths below the resources, and what is said there."""
    parameters = {"P": {"Type": "String"}, "ANY": {"Type": "String", "AllowedValues": ["a", "/a", "A"]}}
    view = View({"Resources": resources, "Conditions": {"C": {}}, "Parameters": parameters}, regions or ("us-east-1",))
    found = rule().check(view)
    return [(".".join(map(str, path[1:])).replace(".Properties", "").replace(".DistributionConfig", ""), text) for path, text in found]


def distribution(**config: Any) -> dict[str, Any]:
    return {"Type": DISTRIBUTION, "Properties": {"DistributionConfig": config}}


def origin(domain: Any = S3, **more: Any) -> dict[str, Any]:
    return distribution(Origins=[{"Id": "o", "DomainName": domain, **more}])


def behaviour(**more: Any) -> dict[str, Any]:
    return distribution(DefaultCacheBehavior=more)


def either(one: Any, other: Any) -> dict[str, Any]:
    return {"Fn::If": ["C", one, other]}


def identity(name: str) -> dict[str, Any]:
    return {"OriginAccessIdentity": name}


def headers(**hsts: Any) -> dict[str, Any]:
    config = {"SecurityHeadersConfig": {"StrictTransportSecurity": hsts}}
    return {"Type": "AWS::CloudFront::ResponseHeadersPolicy", "Properties": {"ResponseHeadersPolicyConfig": config}}


def control(**more: Any) -> dict[str, Any]:
    config = {"OriginAccessControlOriginType": "s3", "SigningBehavior": "always", "SigningProtocol": "sigv4", **more}
    return {"Type": "AWS::CloudFront::OriginAccessControl", "Properties": {"OriginAccessControlConfig": config}}


HSTS = "X.ResponseHeadersPolicyConfig.SecurityHeadersConfig.StrictTransportSecurity"
CASES: list[tuple[type[Rule], dict[str, Any], list[str]]] = [
    (cdn.OacOrigin, origin(OriginAccessControlId="E1"), ["X.Origins.0.S3OriginConfig"]),
    (cdn.OacOrigin, origin(OriginAccessControlId="E1", S3OriginConfig={}), []),
    (cdn.OacOrigin, origin(OriginAccessControlId=""), []),
    (cdn.OacOrigin, origin(), []),
    (cdn.OacOrigin, origin("www.example.org", OriginAccessControlId="E1"), []),
    (cdn.OacOrigin, origin("b.s3-website-eu-west-1.amazonaws.com", OriginAccessControlId="E1"), []),
    (
        cdn.OacOrigin,
        origin({"Fn::Sub": "${P}.s3.${AWS::Region}.amazonaws.com"}, OriginAccessControlId="E1"),
        ["X.Origins.0.S3OriginConfig"],
    ),
    (cdn.OacAndOai, origin(OriginAccessControlId="E1", S3OriginConfig=identity("a")), ["X.Origins.0.S3OriginConfig.OriginAccessIdentity"]),
    (cdn.OacAndOai, origin(OriginAccessControlId="E1", S3OriginConfig=identity("")), []),
    (cdn.OacAndOai, origin(OriginAccessControlId="E1", S3OriginConfig={}), []),
    (cdn.OacAndOai, origin(OriginAccessControlId="", S3OriginConfig=identity("a")), []),
    (cdn.OacAndOai, origin(S3OriginConfig=identity("a")), []),
    (cdn.PrivateOrigin, origin(), ["X.Origins.0.OriginAccessControlId"]),
    (cdn.PrivateOrigin, origin(OriginAccessControlId=""), ["X.Origins.0.OriginAccessControlId"]),
    (cdn.PrivateOrigin, origin(OriginAccessControlId="E1"), []),
    (cdn.PrivateOrigin, origin("www.example.org"), []),
    (cdn.PrivateOrigin, distribution(Origins=["no origin", IMPORTED]), []),
    (cdn.PrivateOrigin, control(), []),
    (cdn.PrivateOrigin, control(OriginAccessControlOriginType="lambda"), []),
    (cdn.PrivateOrigin, control(SigningBehavior="no-override"), ["X.OriginAccessControlConfig.SigningBehavior"]),
    (cdn.PrivateOrigin, control(SigningProtocol=GONE), ["X.OriginAccessControlConfig.SigningProtocol"]),
    (cdn.PrivateOrigin, control(SigningProtocol=IMPORTED), []),
    (cdn.AliasCertificate, distribution(Aliases=["a"]), ["X.Aliases"]),
    (cdn.AliasCertificate, distribution(Aliases=["a"], ViewerCertificate={}), ["X.Aliases"]),
    (cdn.AliasCertificate, distribution(Aliases=["a"], ViewerCertificate={"CloudFrontDefaultCertificate": True}), ["X.Aliases"]),
    (cdn.AliasCertificate, distribution(Aliases=["a"], ViewerCertificate={"AcmCertificateArn": "arn"}), []),
    (cdn.AliasCertificate, distribution(Aliases=["a"], ViewerCertificate={"IamCertificateId": "id"}), []),
    (cdn.AliasCertificate, distribution(Aliases=["a"], ViewerCertificate=IMPORTED), []),
    (cdn.AliasCertificate, distribution(Aliases=[]), []),
    (cdn.AliasCertificate, distribution(), []),
    (cdn.ModernTls, distribution(ViewerCertificate={}), ["X.ViewerCertificate.MinimumProtocolVersion"]),
    (
        cdn.ModernTls,
        distribution(ViewerCertificate={"MinimumProtocolVersion": "TLSv1.1_2016"}),
        ["X.ViewerCertificate.MinimumProtocolVersion"],
    ),
    (cdn.ModernTls, distribution(ViewerCertificate={"MinimumProtocolVersion": "TLSv1.2_2021"}), []),
    (cdn.ModernTls, distribution(ViewerCertificate={"MinimumProtocolVersion": IMPORTED}), []),
    (cdn.Encrypted, behaviour(), ["X.DefaultCacheBehavior.ViewerProtocolPolicy"]),
    (cdn.Encrypted, behaviour(ViewerProtocolPolicy="allow-all"), ["X.DefaultCacheBehavior.ViewerProtocolPolicy"]),
    (cdn.Encrypted, behaviour(ViewerProtocolPolicy="https-only"), []),
    (cdn.Encrypted, behaviour(ViewerProtocolPolicy="redirect-to-https"), []),
    (cdn.Encrypted, behaviour(ViewerProtocolPolicy=IMPORTED), []),
    (
        cdn.Encrypted,
        origin(CustomOriginConfig={"OriginProtocolPolicy": "http-only"}),
        ["X.Origins.0.CustomOriginConfig.OriginProtocolPolicy"],
    ),
    (cdn.Encrypted, origin(CustomOriginConfig={"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]}), []),
    (
        cdn.Encrypted,
        origin(CustomOriginConfig={"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2", "TLSv1.1"]}),
        ["X.Origins.0.CustomOriginConfig.OriginSSLProtocols.1"],
    ),
    (cdn.Hsts, behaviour(), ["X.DefaultCacheBehavior.ResponseHeadersPolicyId"]),
    (
        cdn.Hsts,
        behaviour(ResponseHeadersPolicyId="60669652-455b-4ae9-85a4-c4c02393f86c"),
        ["X.DefaultCacheBehavior.ResponseHeadersPolicyId"],
    ),
    (cdn.Hsts, behaviour(ResponseHeadersPolicyId="67f7725c-6f97-4210-82d7-5512b31e9d03"), []),
    (cdn.Hsts, behaviour(ResponseHeadersPolicyId={"Ref": "X"}), ["X.DefaultCacheBehavior.ResponseHeadersPolicyId"]),
    (cdn.Hsts, behaviour(ResponseHeadersPolicyId={"Ref": "P"}), []),
    (cdn.Hsts, headers(AccessControlMaxAgeSec=15_768_000, Override=True), []),
    (cdn.Hsts, headers(AccessControlMaxAgeSec=15_767_999, Override=True), [f"{HSTS}.AccessControlMaxAgeSec"]),
    (cdn.Hsts, headers(Override=True), [f"{HSTS}.AccessControlMaxAgeSec"]),
    (cdn.Hsts, headers(AccessControlMaxAgeSec=IMPORTED, Override=IMPORTED), []),
    (cdn.Hsts, headers(AccessControlMaxAgeSec=31_536_000, Override=False), [f"{HSTS}.Override"]),
]


@pytest.mark.parametrize(("rule", "resource", "wanted"), CASES)
def test_a_rule_of_cloudfront(rule: type[Rule], resource: dict[str, Any], wanted: list[str]) -> None:
    assert told(rule, X=resource) == wanted


@pytest.mark.parametrize(
    ("attribute", "is_s3"), [("RegionalDomainName", True), ("DomainName", True), ("DualStackDomainName", True), ("WebsiteURL", False)]
)
def test_a_bucket_is_an_origin_by_its_api_name(attribute: str, is_s3: bool) -> None:
    for domain in ({"Fn::GetAtt": ["B", attribute]}, {"Fn::Sub": f"${{B.{attribute}}}"}):
        found = told(cdn.PrivateOrigin, X=origin(domain), B={"Type": BUCKET})
        assert found == (["X.Origins.0.OriginAccessControlId"] if is_s3 else [])
    assert (
        told(cdn.PrivateOrigin, X=origin({"Fn::GetAtt": ["B", "DomainName"]}), B={"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer"})
        == []
    )


def test_a_certificate_for_cloudfront_stands_in_one_region_only() -> None:
    certificate = {"Type": "AWS::CertificateManager::Certificate"}
    assert told(cdn.CertificateRegion, X=certificate) == [] and told(cdn.CertificateRegion, "us-east-1", "eu-west-1", X=certificate) == [
        "X"
    ]
    for region, wanted in (("us-east-1", []), ("eu-west-1", ["X.ViewerCertificate.AcmCertificateArn"])):
        arn = f"arn:aws:acm:{region}:123456789012:certificate/a"
        assert told(cdn.CertificateRegion, X=distribution(ViewerCertificate={"AcmCertificateArn": arn})) == wanted
    assert told(cdn.CertificateRegion, X=distribution(ViewerCertificate={"AcmCertificateArn": {"Ref": "P"}})) == []


# --- the edge -----------------------------------------------------------------------------------------------------


def function(edge_marked: bool = True, /, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Metadata": {"Edge": edge_marked}, "Properties": properties}


SETTINGS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"Environment": {"Variables": {"A": "b"}}}, ["F.Environment"]),
    ({"Environment": {}, "Layers": []}, []),
    ({"Layers": ["l"]}, ["F.Layers"]),
    ({"ReservedConcurrentExecutions": 0}, ["F.ReservedConcurrentExecutions"]),
    ({"TracingConfig": {"Mode": "Active"}}, ["F.TracingConfig.Mode"]),
    ({"TracingConfig": {"Mode": "PassThrough"}}, []),
    ({"EphemeralStorage": {"Size": 512}}, []),
    ({"EphemeralStorage": {"Size": 513}}, ["F.EphemeralStorage.Size"]),
    ({"Code": {"SourceKMSKeyArn": "k"}}, ["F.Code.SourceKMSKeyArn"]),
    ({"Code": {"ImageUri": "i"}}, ["F.Code.ImageUri"]),
    ({"Architectures": ["x86_64"]}, []),
    ({"Architectures": ["arm64"]}, ["F.Architectures.0"]),
    ({"PackageType": "Zip"}, []),
    ({"PackageType": "Image"}, ["F.PackageType"]),
    ({"Runtime": "nodejs22.x"}, []),
    ({"Runtime": "python3.13"}, []),
    ({"Runtime": "java21"}, ["F.Runtime"]),
]


@pytest.mark.parametrize(("properties", "wanted"), SETTINGS)
def test_what_the_edge_does_not_have(properties: dict[str, Any], wanted: list[str]) -> None:
    assert told(edge.EdgeSettings, F=function(**properties)) == wanted
    assert told(edge.EdgeSettings, F=function(False, **properties)) == []


@pytest.mark.parametrize(("name", "limit"), [("MemorySize", 128), ("Timeout", 5)])
def test_an_edge_function_is_as_small_as_a_viewer_trigger(name: str, limit: int) -> None:
    assert told(edge.EdgeLimits, F=function(**{name: limit})) == told(edge.EdgeLimits, F=function(**{name: IMPORTED})) == []
    assert told(edge.EdgeLimits, F=function(**{name: limit + 1})) == [f"F.{name}"]


@pytest.mark.parametrize("through", ["AWS::Lambda::Version", "AWS::Lambda::Alias", ""])
def test_a_function_runs_at_the_edge_if_a_distribution_leads_to_it(through: str) -> None:
    resources = {"F": function(False, MemorySize=512)}
    if through:
        resources["V"] = {"Type": through, "Properties": {"FunctionName": {"Ref": "F"}}}
    target = {"Ref": "V" if through else "F"}
    leading = behaviour(LambdaFunctionAssociations=[{"EventType": "viewer-request", "LambdaFunctionARN": target}])
    assert told(edge.EdgeLimits, **resources, X=leading) == ["F.MemorySize"]
    assert told(edge.EdgeLimits, **resources, X=behaviour()) == []


def test_a_version_of_the_edge_has_no_provisioned_concurrency() -> None:
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}, "ProvisionedConcurrencyConfig": {"x": 1}}}
    assert told(edge.EdgeSettings, F=function(), V=version) == ["V.ProvisionedConcurrencyConfig"]
    assert told(edge.EdgeSettings, F=function(False), V=version) == []
    assert told(edge.EdgeSettings, F=function(), V={**version, "Properties": {"FunctionName": {"Ref": "F"}}}) == []


@pytest.mark.parametrize(
    ("arn", "right"),
    [
        (f"{EDGE_ARN}:1", True),
        (f"{EDGE_ARN}:10", True),
        (f"{EDGE_ARN}:0", False),
        (f"{EDGE_ARN}:live", False),
        (EDGE_ARN, False),
        (GONE, False),
        ({"Ref": "V"}, True),
        ({"Ref": "F"}, False),
        ({"Ref": "P"}, True),
        ({"Fn::Sub": "${F.Arn}:1"}, True),
        ({"Fn::Sub": "${F.Arn}:${P}"}, True),
        ({"Fn::Sub": "${F.Arn}:live"}, False),
    ],
)
def test_an_association_names_a_numbered_version(arn: Any, right: bool) -> None:
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}}}
    leading = behaviour(LambdaFunctionAssociations=[{"EventType": "viewer-request", "LambdaFunctionARN": arn}])
    found = told(edge.NumberedVersion, F=function(), V=version, X=leading)
    assert found == ([] if right else ["X.DefaultCacheBehavior.LambdaFunctionAssociations.0.LambdaFunctionARN"])


@pytest.mark.parametrize(
    ("name", "events", "wrong"),
    [
        ("LambdaFunctionAssociations", ["viewer-request", "origin-request"], []),
        ("LambdaFunctionAssociations", ["viewer-request", "viewer-request"], [1]),
        ("LambdaFunctionAssociations", ["on-request"], [0]),
        ("LambdaFunctionAssociations", [GONE], [0]),
        ("LambdaFunctionAssociations", [IMPORTED, IMPORTED], []),
        ("FunctionAssociations", [either("viewer-request", "viewer-response"), either("viewer-response", "viewer-request")], []),
        ("FunctionAssociations", [either("viewer-request", "viewer-response"), "viewer-request"], [1]),
        ("FunctionAssociations", ["viewer-response"], []),
        ("FunctionAssociations", ["origin-request"], [0]),
    ],
)
def test_an_event_exists_and_has_one_function(name: str, events: list[Any], wrong: list[int]) -> None:
    found = told(edge.EventTypes, X=behaviour(**{name: [{"EventType": event} for event in events]}))
    assert found == [f"X.DefaultCacheBehavior.{name}.{index}.EventType" for index in wrong]


@pytest.mark.parametrize(
    ("event", "condition", "mixed"),
    [("viewer-request", None, True), ("viewer-response", None, True), ("origin-request", None, False), ("viewer-request", "other", False)],
)
def test_viewer_events_have_functions_of_one_kind(event: str, condition: str | None, mixed: bool) -> None:
    lambdas: Any = [{"EventType": event}]
    functions: Any = [{"EventType": "viewer-request"}]
    if condition:
        lambdas, functions = {"Fn::If": ["C", lambdas, []]}, {"Fn::If": ["C", [], functions]}
    found = told(edge.MixedFunctions, X=behaviour(LambdaFunctionAssociations=lambdas, FunctionAssociations=functions))
    assert found == (["X.DefaultCacheBehavior.FunctionAssociations.0"] if mixed else [])


@pytest.mark.parametrize(
    ("trusted", "right"), [(["lambda", "edgelambda"], True), (["edgelambda"], False), (["lambda"], False), ([], False)]
)
def test_the_role_of_the_edge_is_trusted_to_both(trusted: list[str], right: bool) -> None:
    def role(effect: str) -> dict[str, Any]:
        statement = {"Effect": effect, "Principal": {"Service": [f"{name}.amazonaws.com" for name in trusted]}, "Action": "sts:AssumeRole"}
        return {"Type": ROLE, "Properties": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}

    function_of = function(Role={"Fn::GetAtt": ["R", "Arn"]})
    assert (told(edge.EdgeTrust, F=function_of, R=role("Allow")) == []) is right
    assert told(edge.EdgeTrust, F=function_of, R=role("Deny")) != []


# --- IAM ----------------------------------------------------------------------------------------------------------


def trust(**more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole", **more}
    return {"Type": ROLE, "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}}


def topic_policy(**more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": "arn", **more}
    return {"Type": "AWS::SNS::TopicPolicy", "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": statement}}}


def permission(**more: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:InvokeFunction", **more}}


def condition(key: str, value: Any, operator: str = "StringEquals") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


TOKEN = "token.actions.githubusercontent.com"


def web(sub: Any, operator: str = "StringEquals", /, **more: Any) -> dict[str, Any]:
    claims = {f"{TOKEN}:aud": "sts.amazonaws.com", f"{TOKEN}:sub": sub, **more}
    return trust(Action="sts:AssumeRoleWithWebIdentity", Condition={operator: claims})


IAM: list[tuple[type[Rule], dict[str, Any], bool]] = [
    (iam.AnyPrincipal, trust(), False),
    (iam.AnyPrincipal, trust(Principal="*"), True),
    (iam.AnyPrincipal, trust(Principal={"AWS": ["a", "*"]}), True),
    (iam.AnyPrincipal, trust(Principal={"AWS": "arn:aws:iam::*:root"}), False),
    (iam.AnyPrincipal, trust(Principal="*", Effect="Deny"), False),
    (iam.AnyPrincipal, permission(Principal="*"), True),
    (iam.AnyPrincipal, permission(Principal="s3.amazonaws.com"), False),
    (iam.WideAction, topic_policy(Action="*"), True),
    (iam.WideAction, topic_policy(Action=["sns:Publish", "sns:*"]), True),
    (iam.WideAction, topic_policy(Action="sns:Get*"), False),
    (iam.Negated, topic_policy(NotAction="sns:Publish"), True),
    (iam.Negated, topic_policy(NotResource="a", Effect="Deny"), False),
    (iam.Negated, topic_policy(NotPrincipal=GONE), False),
    (iam.PassRole, topic_policy(Action="iam:PassRole"), True),
    (iam.PassRole, topic_policy(Action="iam:Pass*"), True),
    (iam.PassRole, topic_policy(Action="iam:GetRole"), False),
    (iam.PassRole, topic_policy(Action="iam:PassRole", **condition("iam:PassedToService", "lambda.amazonaws.com")), False),
    (iam.PassRole, topic_policy(Action="iam:PassRole", **condition("iam:PassedToService", "*", "StringLike")), True),
    (iam.PassRole, topic_policy(Action="iam:PassRole", **condition("iam:PassedToService", [])), True),
    (iam.PassRole, topic_policy(Action="iam:PassRole", **condition("iam:PassedToService", "lambda", "StringNotEquals")), True),
    (iam.PassRole, topic_policy(Action="iam:PassRole", **condition("aws:SourceArn", "a")), True),
    (iam.WebIdentity, web("repo:o/r:ref:refs/heads/main"), False),
    (iam.WebIdentity, web("repo:o/r:*", "StringLike"), False),
    (iam.WebIdentity, web("repo:o/*", "StringLike"), True),
    (iam.WebIdentity, web("repo:*/r:x", "StringLike"), True),
    (iam.WebIdentity, web("*", "StringLike"), True),
    (iam.WebIdentity, web([]), True),
    (iam.WebIdentity, web("repo:o/r:x", **{f"{TOKEN}:aud": []}), True),
    (iam.WebIdentity, web("repo:o/r:x", "StringNotEquals"), True),
    (iam.WebIdentity, trust(), False),
    (iam.ConfusedDeputy, topic_policy(), True),
    (iam.ConfusedDeputy, topic_policy(**condition("aws:SourceArn", "a")), False),
    (iam.ConfusedDeputy, topic_policy(**condition("aws:SecureTransport", "true", "Bool")), True),
    (iam.ConfusedDeputy, topic_policy(Principal={"AWS": "123456789012"}), False),
    (iam.ConfusedDeputy, trust(), False),
    (iam.ConfusedDeputy, permission(Principal="s3.amazonaws.com"), True),
    (iam.ConfusedDeputy, permission(Principal="s3.amazonaws.com", SourceArn="a"), False),
    (iam.ConfusedDeputy, permission(Principal="123456789012"), False),
]


@pytest.mark.parametrize(("rule", "resource", "refused"), IAM)
def test_a_rule_of_iam(rule: type[Rule], resource: dict[str, Any], refused: bool) -> None:
    assert bool(told(rule, X=resource)) is refused


def test_a_policy_is_found_as_text_and_deep_down() -> None:
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    for value in (document, f" {document}"):
        assert told(iam.WideAction, X={"Type": "X::Y::Z", "Properties": {"A": [{"B": value}]}}) == ["X.A.0.B"]
    assert told(iam.WideAction, X={"Type": "X::Y::Z", "Properties": {"A": document[:-1]}}) == []


@pytest.mark.parametrize(
    ("handler", "text", "right"),
    [
        ("index.handler", "exports.handler = 1", True),
        ("index.other", "exports.handler = 1", False),
        ("index.hand", "exports.handler = 1", False),
        ("main.handler", "exports.handler = 1", False),
        ("handler", "exports.handler = 1", False),
        ({"Ref": "P"}, "exports.handler = 1", True),
        ("index.other", GONE, True),
        ("index.other", IMPORTED, True),
    ],
)
def test_the_handler_of_inline_code_is_in_it(handler: Any, text: Any, right: bool) -> None:
    found = told(code.InlineHandler, F=function(Handler=handler, Code={"ZipFile": text}))
    assert found == ([] if right else ["F.Handler"])
